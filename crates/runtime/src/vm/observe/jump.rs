//! Jumps of a tracer to another line (`frame.f_lineno = n`).
//!
//! What is alive in temporaries at each instruction follows from the code: loops hold their iterator, handlers what is being handled, `with`
//! its exit, unfinished expressions their parts. Invariant: a jump leads to an instruction that expects nothing but what is alive where
//! the frame is, with the same meaning; the rest is dropped, and handlers that are left end as if they were at their end. Locals that are
//! unbound become None, since the compiler checks those alone that may be unbound on the ways it knows.
//! Left out: jumps in other frames than the one that is told of.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::Ordering::Relaxed;

use lisle_bytecode::opcode::Special;
use lisle_bytecode::{Instr, Location, Op, effect};

use super::{Level, Told};
use crate::object::{Native, Py, Value};
use crate::types::code::Code;
use crate::types::exceptions;
use crate::types::frame::Frame;
use crate::types::int::Int;
use crate::vm::frames::FrameData;
use crate::vm::interp::Regs;
use crate::vm::{Res, Vm};

/// What a temporary is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    /// A part of an expression, made by an instruction; `MIXED` for one of several.
    Object(usize),
    /// How a `with` block ends.
    Exit,
    Iterator,
    /// What was handled outside of a handler.
    Outer,
    /// The exception of a handler.
    Exception,
}

const MIXED: usize = usize::MAX;

/// Temporaries that are alive on all ways to a place.
type Held = BTreeMap<u16, Kind>;

fn instruction(code: &Code, at: usize) -> Instr {
    Instr(code.words[at].load(Relaxed))
}

/// What is alive before each instruction that can be reached: it was written, and is going to be read.
fn states(code: &Code) -> Vec<Option<Held>> {
    let mut states = written(code);
    let read = read(code);
    for (held, read) in states.iter_mut().zip(&read) {
        if let Some(held) = held {
            held.retain(|r, _| read.contains(r));
        }
    }
    states
}

/// The temporaries that are read before they are written again, from each instruction on.
fn read(code: &Code) -> Vec<BTreeSet<u16>> {
    let mut sets = vec![BTreeSet::new(); code.words.len()];
    let mut instructions = Vec::new();
    let mut at = 0;
    while at < code.words.len() {
        let i = instruction(code, at);
        instructions.push((at, i, effect(i)));
        at += 1 + i.op().cache_words();
    }
    let mut changed = true;
    while changed {
        changed = false;
        for (at, i, done) in instructions.iter().rev() {
            let next = at + 1 + i.op().cache_words();
            let mut set = BTreeSet::new();
            let mut follow = |to: usize, written: &[u16], cleared: &[u16]| {
                let after = sets.get(to).into_iter().flatten();
                set.extend(after.filter(|r| !written.contains(r) && !cleared.contains(r)).copied());
            };
            if !done.ends {
                follow(next, &done.written, &done.cleared);
            }
            if let Some(offset) = done.jump {
                follow((next as i64 + offset) as usize, &done.jump_written, &done.jump_cleared);
            }
            if let Some(handler) = code.plain.handler(*at as u32) {
                let after = sets.get(handler.target as usize).into_iter().flatten();
                set.extend(after.filter(|&&r| r < handler.depth).copied());
            }
            set.extend(done.consumed.iter().chain(&done.kept).copied());
            if i.op() == Op::PushExc {
                set.insert(i.a() + 1);
            }
            if sets[*at] != set {
                sets[*at] = set;
                changed = true;
            }
        }
    }
    sets
}

/// What was written on all ways to each instruction that can be reached.
fn written(code: &Code) -> Vec<Option<Held>> {
    let mut states: Vec<Option<Held>> = vec![None; code.words.len()];
    let mut pending = vec![0];
    if let Some(first) = states.first_mut() {
        *first = Some(Held::new());
    }
    while let Some(at) = pending.pop() {
        let Some(held) = states[at].clone() else { continue };
        let i = instruction(code, at);
        let next = at + 1 + i.op().cache_words();
        if let Some(handler) = code.plain.handler(at as u32) {
            let mut below: Held = held.range(..handler.depth).map(|(&r, &kind)| (r, kind)).collect();
            below.insert(handler.depth + 1, Kind::Exception);
            flow(&mut states, &mut pending, handler.target as usize, below);
        }
        let done = effect(i);
        let after = |jumped: bool| {
            let mut held = held.clone();
            for r in done.consumed.iter().chain(&done.cleared) {
                held.remove(r);
            }
            if jumped {
                for r in &done.jump_cleared {
                    held.remove(r);
                }
            }
            let written = if jumped { &done.jump_written } else { &done.written };
            for (n, &r) in written.iter().enumerate() {
                let kind = match i.op() {
                    Op::GetIter | Op::GetAIter => Kind::Iterator,
                    Op::PushExc if n == 0 => Kind::Outer,
                    Op::PushExc => Kind::Exception,
                    Op::EnterNative if n < 2 => Kind::Exit,
                    Op::LoadSpecial if i.k() == Special::Exit as u8 || i.k() == Special::AExit as u8 => Kind::Exit,
                    _ => Kind::Object(at),
                };
                if r >= code.nlocals {
                    held.insert(r, kind);
                }
            }
            held
        };
        if let Some(offset) = done.jump {
            flow(&mut states, &mut pending, (next as i64 + offset) as usize, after(true));
        }
        if !done.ends {
            flow(&mut states, &mut pending, next, after(false));
        }
    }
    states
}

fn flow(states: &mut [Option<Held>], pending: &mut Vec<usize>, to: usize, held: Held) {
    let Some(state) = states.get_mut(to) else { return };
    match state {
        None => *state = Some(held),
        Some(known) => {
            let before = known.clone();
            known.retain(|r, kind| match held.get(r) {
                Some(other) => {
                    if other != kind {
                        *kind = Kind::Object(MIXED);
                    }
                    true
                }
                None => false,
            });
            if *known == before {
                return;
            }
        }
    }
    pending.push(to);
}

/// The line that begins at each instruction, 0 for none.
fn lines(code: &Code) -> Vec<u32> {
    let mut lines = vec![0; code.words.len()];
    let (mut at, mut last) = (0, 0);
    // One after the other: to look each up takes time in the square of the code's length.
    let mut runs = code.plain.locations.iter().peekable();
    let mut place = Location::default();
    while at < lines.len() {
        let i = instruction(code, at);
        while let Some((_, run)) = runs.next_if(|(start, _)| *start as usize <= at) {
            place = run;
        }
        let prologue = matches!(
            i.op(),
            Op::Resume | Op::CopyFreeVars | Op::MakeCell | Op::ReturnGenerator
        );
        let silent = place.is_silent() || matches!(i.op(), Op::Jump | Op::JumpBack | Op::ReturnConst) && i.k() & 1 == 1;
        if !silent && !prologue && place.line != last {
            last = place.line;
            lines[at] = last;
        }
        at += 1 + i.op().cache_words();
    }
    lines
}

/// Whether what is alive `here` is all that a place expects.
fn fits(held: &Held, here: &Held) -> bool {
    held.iter()
        .all(|(r, kind)| *kind != Kind::Object(MIXED) && here.get(r) == Some(kind))
}

/// Why a place that expects `held` cannot be jumped to.
fn explain(held: Option<&Held>) -> &'static str {
    let Some(held) = held else {
        return "can't jump into an exception handler, or code may be unreachable";
    };
    match held.last_key_value() {
        Some((_, Kind::Exception | Kind::Outer)) => "can't jump into an 'except' block as there's no exception",
        Some((_, Kind::Iterator)) => "can't jump into the body of a for loop",
        _ => "incompatible stacks",
    }
}

impl Vm {
    /// `frame.f_lineno = line`
    pub(crate) fn jump_to_line(&self, frame: &Py<Frame>, line: &Value) -> Res<()> {
        let line = match line.ty().is_subclass(Int::ty()) {
            true => self.index_to_i64(line)?,
            false => return Err(self.value_error("lineno must be an integer")),
        };
        let (told, depth) = self.observers.telling.get();
        let refuse = |text: &str| Err(self.value_error(text));
        match told {
            Told::Nothing => return refuse("f_lineno can only be set in a trace function"),
            Told::Start => return refuse("can't jump from the 'call' trace event of a new frame"),
            Told::Call => return refuse("can't jump during a call"),
            Told::Line | Told::Yield => {}
            Told::Other => return refuse("can only jump from a 'line' trace event"),
        }
        let own = self.frames.record(depth - 1);
        if !frame.record(self).is_some_and(|record| std::ptr::eq(record, own)) {
            return refuse("can only jump from a 'line' trace event");
        }
        // SAFETY: a record below the depth of the stack is initialised.
        let f = unsafe { &*own };
        let code = f.code();
        let first = i64::from(code.plain.first_line);
        if line < first {
            return Err(self.value_error(format!("line {line} comes before the current code block")));
        }
        let lines = lines(code);
        let found = lines.iter().filter(|&&n| n != 0 && i64::from(n) >= line).min().copied();
        let Some(found) = found else {
            return Err(self.value_error(format!("line {line} comes after the current code block")));
        };
        let states = states(code);
        let mut at = f.pc().saturating_sub(1) as usize;
        if told == Told::Yield {
            // The value is given first.
            at += 1 + instruction(code, at).op().cache_words();
        }
        let Some(Some(here)) = states.get(at) else {
            return refuse("can't jump from unreachable code");
        };
        let mut best: Option<(usize, &Held)> = None;
        let mut problem = None;
        for target in (0..lines.len()).filter(|&target| lines[target] == found) {
            let held = states[target].as_ref();
            match held {
                Some(held) if target == at || fits(held, here) => {
                    if best.is_none_or(|(_, other)| other.len() < held.len()) {
                        best = Some((target, held));
                    }
                }
                _ => {
                    problem.get_or_insert_with(|| explain(held));
                }
            }
        }
        let Some((target, held)) = best else {
            return refuse(problem.unwrap_or("cannot find bytecode for specified line"));
        };
        self.bind_all(f, code)?;
        if told == Told::Yield {
            frame.pending_jump.store(target as u32, Relaxed);
        } else {
            self.go_to(own, depth, here, target, held);
        }
        Ok(())
    }

    /// Binds the locals that are unbound to None.
    fn bind_all(&self, f: &FrameData, code: &Code) -> Res<()> {
        let unbound: Vec<u16> = (0..code.nlocals)
            .filter(|&i| f.reg(i.into()).is_none() && !code.is_cell(i.into()))
            .collect();
        if unbound.is_empty() {
            return Ok(());
        }
        let s = if unbound.len() == 1 { "" } else { "s" };
        let text = format!("assigning None to {} unbound local{s}", unbound.len());
        self.warn(exceptions::RUNTIME_WARNING.get(), &text, 1)?;
        let regs = Regs(f.regs);
        for i in unbound {
            if regs.opt(i).is_none() {
                regs.set(i, Value::NONE);
            }
        }
        Ok(())
    }

    /// Goes on at `target` in the frame number `depth`, where `here` is alive, and `held` is to be.
    fn go_to(&self, frame: *mut FrameData, depth: usize, here: &Held, target: usize, held: &Held) {
        let mut dropped = Vec::new();
        // SAFETY: a record below the depth of the stack is initialised.
        let mut handling = unsafe { (*frame).handling };
        {
            // SAFETY: as above; its frame does not run meanwhile.
            let f = unsafe { &*frame };
            // SAFETY: `target` is an instruction of the code, so the next word is one past it at most.
            f.at.set(unsafe { f.body().words.as_ptr().cast::<u64>().add(target + 1) });
            let regs = Regs(f.regs);
            let temporaries = f.code().nlocals..f.code().nregs as u16;
            for r in temporaries.rev().filter(|r| !held.contains_key(r)) {
                if here.get(&r) == Some(&Kind::Outer) {
                    handling = handling.saturating_sub(1);
                    let previous = match regs.take(r) {
                        Some(previous) => Some(previous).filter(|v| !v.is_none()),
                        None => f.outer_handled(),
                    };
                    dropped.push(self.handled.swap(previous));
                }
                dropped.push(regs.take(r));
            }
            let last = target as u32;
            let level = Level {
                code: std::ptr::from_ref(f.code()),
                line: 0,
                last,
                shown: last,
                jump: None,
                sent: None,
            };
            self.set_level(depth, level);
        }
        // SAFETY: as above.
        unsafe { (*frame).handling = handling };
        self.observers.jumped.set(true);
        // Finalizers may run: the frame is whole again.
        drop(dropped);
    }

    /// A generator that was told to jump when it yielded goes on there.
    pub(super) fn jump_when_resumed(&self, frame: *mut FrameData, depth: usize) {
        // SAFETY: the innermost record is initialised.
        let f = unsafe { &*frame };
        let Some(object) = f.frame_object() else { return };
        let target = object.pending_jump.swap(u32::MAX, Relaxed) as usize;
        if target == u32::MAX as usize {
            return;
        }
        let states = states(f.code());
        let at = f.pc().saturating_sub(1) as usize;
        if let (Some(Some(here)), Some(Some(held))) = (states.get(at), states.get(target)) {
            self.go_to(frame, depth, here, target, held);
        }
    }
}
