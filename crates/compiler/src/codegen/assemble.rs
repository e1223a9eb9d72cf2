//! From the instructions of a unit to a code object: register numbers, jump offsets, tables.
//!
//! A jump that does not fit its 16 bits goes over a trampoline placed right behind its instruction.

use lisle_bytecode::{CodeFlags, CodeObject, ExceptionEntry, Instr, Location, Locations, Op, opcode::Format};
use ruff_text_size::TextRange;

use super::{CELL, Codegen, FREE, Ins, KIND, LOCAL, Unit};
use crate::errors::{Res, SyntaxErrorKind, fault_of};

/// Registers a frame may have.
const MAX_REGISTERS: u32 = 60_000;

fn is_wide(op: Op) -> bool {
    matches!(
        op.format(),
        Format::DstName
            | Format::SrcName
            | Format::Name
            | Format::DstConst
            | Format::DstImm
            | Format::Jump
            | Format::SrcJump
    )
}

struct Registers {
    vars: u32,
    cells: u32,
    frees: u32,
}

impl Registers {
    fn resolve(&self, x: u32) -> u32 {
        let index = x & !KIND;
        match x & KIND {
            LOCAL => index,
            CELL => self.vars + index,
            FREE => self.vars + self.cells + index,
            _ => self.vars + self.cells + self.frees + index,
        }
    }
}

impl<'a> Codegen<'a> {
    /// Ends the current unit.
    pub(super) fn finish(&mut self) -> Res<CodeObject> {
        let unit = self.pop_unit();
        if let Some(range) = unit.too_nested {
            return self.fail(range, "too many statically nested blocks");
        }
        let registers = Registers {
            vars: unit.varnames.len() as u32,
            cells: unit.cells.len() as u32,
            frees: unit.frees.len() as u32,
        };
        let named = registers.vars + registers.cells + registers.frees;
        // One register more than used: no instruction pair reaches over the end.
        let nregs = named + unit.max_top + 2;
        if nregs > MAX_REGISTERS {
            let text = format!("too many variables or intermediate values in '{}'", unit.name);
            return fault_of(SyntaxErrorKind::Overflow, Some(unit.range), text);
        }
        let positions = place_instructions(&unit);
        let code = self.encode(&unit, &registers, &positions);
        let exceptions = exception_table(&unit, &registers, &positions);
        let locations = self.locations(&unit, &positions);
        let mut cellvars: Vec<Box<str>> = Vec::new();
        // Parameters in cells first: they have no register of their own.
        let params = unit.params();
        for name in unit.varnames.iter().take(params) {
            if unit.cell_map.get(name).is_some_and(|reg| reg.is_local()) {
                cellvars.push((&**name).into());
            }
        }
        cellvars.extend(unit.cells.iter().map(|n| Box::from(&**n)));
        let boxed = |names: &[std::rc::Rc<str>]| names.iter().map(|n| Box::from(&**n)).collect();
        Ok(CodeObject {
            name: (&*unit.name).into(),
            qualname: unit.qualname.as_str().into(),
            filename: self.filename.into(),
            first_line: unit.first_line,
            flags: CodeFlags(unit.flags),
            argcount: unit.argcount,
            posonlyargcount: unit.posonly,
            kwonlyargcount: unit.kwonly,
            varnames: boxed(&unit.varnames),
            cellvars,
            freevars: boxed(&unit.frees),
            names: boxed(&unit.names),
            consts: unit.consts,
            code,
            locations,
            exceptions,
            nregs,
        })
    }

    fn encode(&self, unit: &Unit, registers: &Registers, at: &Positions) -> Vec<u64> {
        let mut code = Vec::with_capacity(at.total as usize);
        for (i, ins) in unit.code.iter().enumerate() {
            let next = at.start[i] + 1 + ins.op.cache_words() as u32;
            let a = registers.resolve(ins.a) as u16;
            let target = ins.target.map(|label| at.label(unit, label.0));
            let instr = if is_wide(ins.op) {
                let (op, wide) = match target {
                    Some(target) => (ins.op, (i64::from(target) - i64::from(next)) as u32),
                    None => (ins.op, ins.b),
                };
                // A forward jump may end at a place that lies behind (an empty loop body).
                let op = if op == Op::Jump && (wide as i32) < 0 {
                    Op::JumpBack
                } else {
                    op
                };
                Instr::wide(op, ins.k, a, wide)
            } else {
                let b = registers.resolve(ins.b) as u16;
                let c = match target {
                    // Over the `Jump` to the body, to the trampoline behind it.
                    Some(_) if at.long[i] => 1,
                    Some(target) => (i64::from(target) - i64::from(next)) as u16,
                    None => registers.resolve(ins.c) as u16,
                };
                Instr::abc(ins.op, ins.k, a, b, c)
            };
            code.push(instr.0);
            match ins.op {
                Op::CallKw => code.extend([0, Instr::ext(ins.ext).0]),
                op => code.extend(std::iter::repeat_n(0, op.cache_words())),
            }
            if at.long[i] {
                let target = target.expect("a long jump has a target");
                code.push(Instr::wide(Op::Jump, 0, 0, 1).0);
                let offset = i64::from(target) - i64::from(next + 2);
                let op = if offset < 0 { Op::JumpBack } else { Op::Jump };
                code.push(Instr::wide(op, 0, 0, offset as u32).0);
            }
        }
        code
    }

    fn locations(&self, unit: &Unit, at: &Positions) -> Locations {
        let mut rows: Vec<(u32, Location)> = Vec::new();
        let mut last: Option<(TextRange, bool)> = None;
        for (ins, &start) in unit.code.iter().zip(&at.start) {
            if last != Some((ins.range, ins.silent)) {
                last = Some((ins.range, ins.silent));
                let place = self.lines.location(ins.range);
                rows.push((start, if ins.silent { place.silent() } else { place }));
            }
        }
        Locations::pack(rows)
    }
}

impl Unit<'_> {
    fn params(&self) -> usize {
        let stars = (self.flags & CodeFlags::VARARGS != 0) as u32 + (self.flags & CodeFlags::VARKEYWORDS != 0) as u32;
        (self.argcount + self.kwonly + stars) as usize
    }
}

/// Code word of each instruction.
struct Positions {
    start: Vec<u32>,
    /// Whether the instruction jumps over a trampoline.
    long: Vec<bool>,
    total: u32,
}

impl Positions {
    fn label(&self, unit: &Unit, label: u32) -> u32 {
        let index = unit.labels[label as usize].expect("every jump target is placed");
        self.start.get(index).copied().unwrap_or(self.total)
    }
}

fn place_instructions(unit: &Unit) -> Positions {
    let mut at = Positions {
        start: vec![0; unit.code.len()],
        long: vec![false; unit.code.len()],
        total: 0,
    };
    loop {
        let mut pc = 0;
        for (i, ins) in unit.code.iter().enumerate() {
            at.start[i] = pc;
            pc += 1 + ins.op.cache_words() as u32 + if at.long[i] { 2 } else { 0 };
        }
        at.total = pc;
        let mut changed = false;
        for (i, ins) in unit.code.iter().enumerate() {
            if let Some(label) = ins.target
                && !is_wide(ins.op)
                && !at.long[i]
            {
                let next = at.start[i] + 1 + ins.op.cache_words() as u32;
                let offset = i64::from(at.label(unit, label.0)) - i64::from(next);
                if i16::try_from(offset).is_err() {
                    at.long[i] = true;
                    changed = true;
                }
            }
        }
        if !changed {
            return at;
        }
    }
}

fn exception_table(unit: &Unit, registers: &Registers, at: &Positions) -> Vec<ExceptionEntry> {
    let start_of = |index: usize| at.start.get(index).copied().unwrap_or(at.total);
    unit.regions
        .iter()
        .filter(|region| region.start < region.end)
        .map(|region| ExceptionEntry {
            start: start_of(region.start),
            end: start_of(region.end),
            target: at.label(unit, region.target.0),
            depth: registers.resolve(region.depth.0) as u16,
        })
        .collect()
}

impl Unit<'_> {
    /// Moves the instructions from index `from` on to index `to` (before it), for code that is known late but runs early.
    pub(super) fn splice(&mut self, from: usize, to: usize) {
        let moved: Vec<Ins> = self.code.drain(from..).collect();
        let count = moved.len();
        let tail: Vec<Ins> = self.code.drain(to..).collect();
        self.code.extend(moved);
        self.code.extend(tail);
        let shift = |index: &mut usize| {
            // A label at `from` was placed for what follows the moved code.
            if *index > from {
                *index = *index - from + to;
            } else if *index >= to {
                *index += count;
            }
        };
        self.labels.iter_mut().flatten().for_each(shift);
        for region in &mut self.regions {
            shift(&mut region.start);
            // An end is exclusive: the region before `to` keeps its end there.
            if region.end > to {
                shift(&mut region.end);
            }
        }
    }
}
