//! Disassembler: one line an instruction, from the opcode table alone.

use std::fmt::Write;

use crate::opcode::{BinOp, CmpOp, Format, INPLACE};
use crate::{CodeObject, Instr, Op};

/// One instruction, for people and tools.
pub struct Line {
    /// Its code word.
    pub pc: u32,
    pub op: Op,
    /// The index of a name, a constant or a register; the count or number that the instruction has.
    pub arg: u32,
    pub operands: String,
    /// Where it may jump to.
    pub target: Option<u32>,
}

/// The instructions of `code`.
pub fn listing(code: &CodeObject) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut pc = 0;
    while let Some(&word) = code.code.get(pc) {
        let instr = Instr(word);
        let op = instr.op();
        let next = pc + 1 + op.cache_words();
        let offset = match op.format() {
            Format::Jump | Format::SrcJump => Some(i64::from(instr.w() as i32)),
            Format::DstSrcJump | Format::CmpJump | Format::CmpImmJump => Some(i64::from(instr.c() as i16)),
            _ => None,
        };
        let arg = match op.format() {
            Format::DstName | Format::SrcName | Format::Name | Format::DstConst | Format::DstImm => instr.w(),
            Format::DstSrcName | Format::Build | Format::Unpack => instr.c().into(),
            Format::ObjNameSrc | Format::ObjName | Format::Call => instr.b().into(),
            Format::Special if op == Op::ImportName => instr.b().into(),
            _ => instr.a().into(),
        };
        lines.push(Line {
            pc: pc as u32,
            op,
            arg,
            operands: operands(code, instr, next as i64),
            target: offset.and_then(|offset| u32::try_from(next as i64 + offset).ok()),
        });
        pc = next;
    }
    lines
}

/// The instructions of `code` as text, nested code objects not included.
pub fn disassemble(code: &CodeObject) -> String {
    let mut out = String::new();
    let mut line = 0;
    for Line { pc, op, operands, .. } in listing(code) {
        let here = code.location(pc).line;
        if here != line {
            line = here;
            let _ = write!(out, "{here:>5} ");
        } else {
            out.push_str("      ");
        }
        let _ = writeln!(out, "{pc:>5} {:<24}{operands}", op.name());
    }
    for e in &code.exceptions {
        let _ = writeln!(out, "      {}..{} -> {} depth {}", e.start, e.end, e.target, e.depth);
    }
    out
}

fn operands(code: &CodeObject, instr: Instr, next: i64) -> String {
    let (k, a, b, c) = (instr.k(), instr.a(), instr.b(), instr.c());
    let r = |x: u16| register(code, x);
    let name = |x: usize| code.names.get(x).map_or("?", |n| n).to_string();
    let near = |off: u16| format!("-> {}", next + i64::from(off as i16));
    let far = || format!("-> {}", next + i64::from(instr.w() as i32));
    let text = match instr.op().format() {
        Format::None => String::new(),
        Format::Dst | Format::Src => r(a),
        Format::DstSrc | Format::SrcSrc => format!("{}, {}", r(a), r(b)),
        Format::DstSrcSrc | Format::SrcSrcSrc => format!("{}, {}, {}", r(a), r(b), r(c)),
        Format::DstSrcImm => format!("{}, {}, {}", r(a), r(b), c as i16),
        Format::DstSrcName => format!("{}, {}, {}", r(a), r(b), name(c.into())),
        Format::DstName | Format::SrcName => format!("{}, {}", r(a), name(instr.w() as usize)),
        Format::Name => name(instr.w() as usize),
        Format::ObjNameSrc => format!("{}, {}, {}", r(a), name(b.into()), r(c)),
        Format::ObjName => format!("{}, {}", r(a), name(b.into())),
        Format::DstConst => match code.consts.get(instr.w() as usize) {
            Some(crate::Const::Code(inner)) => format!("{}, <code {}>", r(a), inner.qualname),
            Some(value) => format!("{}, {value:?}", r(a)),
            None => format!("{}, ?", r(a)),
        },
        Format::DstImm => format!("{}, {}", r(a), instr.w() as i32),
        Format::Jump => far(),
        Format::SrcJump => format!("{}, {}", r(a), far()),
        Format::DstSrcJump => format!("{}, {}, {}", r(a), r(b), near(c)),
        Format::CmpJump => format!("{}, {}, {}", r(a), r(b), near(c)),
        Format::CmpImmJump => format!("{}, {}, {}", r(a), b as i16, near(c)),
        Format::Build | Format::Unpack => format!("{}, {}, {c}", r(a), r(b)),
        Format::Call => format!("{}, {b}, {}", r(a), r(c)),
        Format::Special => format!("{a}, {b}, {c}"),
    };
    match instr.op() {
        Op::Binary | Op::BinaryImm => {
            let symbol = BinOp::ALL.get((k & !INPLACE) as usize).map_or("?", |o| o.symbol());
            format!("{text} ({symbol}{})", if k & INPLACE != 0 { "=" } else { "" })
        }
        Op::Compare => format!("{text} ({})", CmpOp::ALL.get(k as usize).map_or("?", |o| o.symbol())),
        Op::JumpCmp | Op::JumpCmpImm => {
            let symbol = CmpOp::ALL.get((k & 7) as usize).map_or("?", |o| o.symbol());
            format!("{text} ({}{symbol})", if k & 8 != 0 { "not " } else { "" })
        }
        _ if k != 0 => format!("{text} (k={k})"),
        _ => text,
    }
}

fn register(code: &CodeObject, index: u16) -> String {
    let mut index = index as usize;
    if let Some(name) = code.varnames.get(index) {
        return name.to_string();
    }
    index -= code.varnames.len();
    let mut cells = code.own_cells().chain(code.freevars.iter().map(|f| &**f));
    match cells.nth(index) {
        Some(name) => format!("&{name}"),
        None => format!("%{}", index + code.varnames.len() - code.nlocals()),
    }
}
