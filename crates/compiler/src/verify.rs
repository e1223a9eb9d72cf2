//! A check of the compiler's own work, for tests: every temporary is written before it is read on all paths, at a
//! backward jump all paths agree on which temporaries are alive (so a loop leaks none), and a return knows of all that may be.

use std::collections::BTreeSet;

use lisle_bytecode::opcode::Format;
use lisle_bytecode::{CodeObject, Const, Instr, Op};

type Set = BTreeSet<u16>;

/// Checks `code` and the code objects in it; gives the first problem.
pub fn verify(code: &CodeObject) -> Result<(), String> {
    lisle_bytecode::verify(code).map_err(|e| e.to_string())?;
    verify_flow(code)
}

fn verify_flow(code: &CodeObject) -> Result<(), String> {
    Flow::new(code).run().map_err(|(pc, e)| {
        let name = code.code.get(pc).map_or("", |&word| Instr(word).op().name());
        format!(
            "{} (line {}): {pc} {name}: {e}",
            code.qualname,
            code.location(pc as u32).line
        )
    })?;
    for value in &code.consts {
        if let Const::Code(inner) = value {
            verify_flow(inner)?;
        }
    }
    Ok(())
}

struct Flow<'c> {
    code: &'c CodeObject,
    first_temp: u16,
    /// Temporaries alive on all paths and on some path to each instruction that was reached.
    states: Vec<Option<(Set, Set)>>,
    pending: Vec<usize>,
}

/// What an instruction does to temporaries.
#[derive(Default)]
struct Effect {
    consumed: Vec<u16>,
    kept: Vec<u16>,
    written: Vec<u16>,
    /// Dropped whatever they hold.
    cleared: Vec<u16>,
    /// On the jump, instead of `written`.
    jump_written: Vec<u16>,
    jump_cleared: Vec<u16>,
    jump: Option<i64>,
    ends: bool,
}

type Problem = (usize, String);

impl<'c> Flow<'c> {
    fn new(code: &'c CodeObject) -> Flow<'c> {
        Flow {
            code,
            first_temp: code.nlocals() as u16,
            states: vec![None; code.code.len()],
            pending: vec![0],
        }
    }

    fn run(&mut self) -> Result<(), Problem> {
        self.states[0] = Some((Set::new(), Set::new()));
        while let Some(pc) = self.pending.pop() {
            let Some((must, may)) = self.states[pc].clone() else {
                continue;
            };
            let instr = Instr(self.code.code[pc]);
            let next = pc + 1 + instr.op().cache_words();
            if let Some(handler) = self.code.handler(pc as u32) {
                let below = |set: &Set| set.iter().copied().filter(|&r| r < handler.depth).collect();
                self.flow(handler.target as usize, below(&must), below(&may));
            }
            if instr.op() == Op::JumpBack && must != may {
                let lost: Vec<u16> = may.difference(&must).map(|r| r - self.first_temp).collect();
                return Err((pc, format!("some paths leave temporaries {lost:?} alive")));
            }
            let effect = effect(instr);
            let free = match instr.op() {
                Op::Return => instr.b(),
                Op::ReturnConst => instr.a(),
                _ => u16::MAX,
            };
            if let Some(r) = may.iter().find(|&&r| r >= free && !effect.consumed.contains(&r)) {
                return Err((pc, format!("%{} is alive", r - self.first_temp)));
            }
            for r in effect.consumed.iter().chain(&effect.kept) {
                if *r >= self.first_temp && !must.contains(r) {
                    return Err((pc, format!("reads %{} which may hold nothing", r - self.first_temp)));
                }
            }
            if let Some(offset) = effect.jump {
                let after = |set| self.after(set, &effect, true);
                let (must, may) = (after(must.clone()), after(may.clone()));
                self.flow((next as i64 + offset) as usize, must, may);
            }
            if !effect.ends {
                let after = |set| self.after(set, &effect, false);
                let (must, may) = (after(must), after(may));
                self.flow(next, must, may);
            }
        }
        Ok(())
    }

    fn after(&self, mut set: Set, effect: &Effect, jumped: bool) -> Set {
        for r in effect.consumed.iter().chain(&effect.cleared) {
            set.remove(r);
        }
        let written = if jumped {
            for r in &effect.jump_cleared {
                set.remove(r);
            }
            &effect.jump_written
        } else {
            &effect.written
        };
        set.extend(written.iter().filter(|&&r| r >= self.first_temp));
        set
    }

    fn flow(&mut self, to: usize, must: Set, may: Set) {
        match &mut self.states[to] {
            None => self.states[to] = Some((must, may)),
            Some((old_must, old_may)) => {
                let fewer: Set = old_must.intersection(&must).copied().collect();
                if fewer.len() == old_must.len() && may.is_subset(old_may) {
                    return;
                }
                *old_must = fewer;
                old_may.extend(may);
            }
        }
        self.pending.push(to);
    }
}

fn effect(i: Instr) -> Effect {
    let (a, b, c, k) = (i.a(), i.b(), i.c(), i.k());
    let mut e = Effect::default();
    let near = || Some(i64::from(c as i16));
    let far = || Some(i64::from(i.w() as i32));
    let run = |first: u16, count: u16| (first..first.saturating_add(count)).collect::<Vec<u16>>();
    match i.op() {
        Op::Clear => e.cleared = vec![a],
        Op::Copy | Op::GetLen | Op::MatchMapping | Op::MatchSequence | Op::ImportFrom | Op::GetANext => {
            e.kept = vec![b];
            e.written = vec![a];
        }
        Op::MakeCell | Op::CheckLocal | Op::DeleteLocal | Op::CopyFreeVars => {}
        Op::LoadMethod => {
            e.consumed = vec![b];
            e.written = vec![a, a + 1];
        }
        Op::LoadSpecial => {
            e.kept = vec![b];
            e.written = vec![a, a + 1];
        }
        Op::EnterNative => {
            e.kept = vec![b];
            e.jump = near();
            e.jump_written = run(a, 3);
        }
        Op::ExitNative => {
            e.kept = run(a, 2);
            e.jump = far();
            e.jump_cleared = run(a, 2);
        }
        Op::LoadSuperAttr | Op::LoadSuperMethod => {
            e.consumed = run(b, 3);
            e.written = if i.op() == Op::LoadSuperMethod {
                vec![a, a + 1]
            } else {
                vec![a]
            };
        }
        Op::LoadFromMappingOrGlobal | Op::LoadFromMappingOrDeref => {
            e.kept = vec![b];
            e.written = vec![a];
        }
        Op::GetSlice => {
            e.consumed = vec![b, c, c + 1];
            e.written = vec![a];
        }
        Op::SetSlice => e.consumed = vec![a, b, b + 1, c],
        Op::Jump | Op::JumpBack => {
            e.jump = far();
            e.ends = true;
        }
        Op::JumpIfTrue | Op::JumpIfFalse | Op::JumpIfNone | Op::JumpIfNotNone => {
            if k == 1 {
                e.kept = vec![a];
            } else {
                e.consumed = vec![a];
            }
            e.jump = far();
        }
        Op::JumpIfUnbound => e.jump = far(),
        Op::JumpCmp => {
            e.consumed = vec![a, b];
            e.jump = near();
        }
        Op::JumpCmpImm => {
            e.consumed = vec![a];
            e.jump = near();
        }
        Op::ForIter => {
            e.kept = vec![b];
            e.written = vec![a];
            e.jump = near();
            e.jump_cleared = vec![b];
        }
        Op::Send => {
            e.kept = vec![b];
            e.consumed = vec![a];
            e.written = vec![a];
            e.jump = near();
            e.jump_cleared = vec![b];
            e.jump_written = vec![a];
        }
        Op::EndAsyncFor => e.consumed = vec![a, b],
        Op::BuildTuple | Op::BuildList | Op::BuildSet | Op::BuildString | Op::BuildSlice => {
            e.consumed = run(b, c);
            e.written = vec![a];
        }
        Op::BuildMap => {
            e.consumed = run(b, c * 2);
            e.written = vec![a];
        }
        Op::ListAppend | Op::SetAdd | Op::ListExtend | Op::SetUpdate | Op::DictUpdate => {
            e.kept = vec![a];
            e.consumed = vec![b];
        }
        Op::MapAdd => {
            e.kept = vec![a];
            e.consumed = vec![b, c];
        }
        Op::DictMerge => {
            e.kept = vec![a, c];
            e.consumed = vec![b];
        }
        Op::UnpackSequence => {
            e.consumed = vec![b];
            e.written = run(a, c);
        }
        Op::UnpackEx => {
            e.consumed = vec![b];
            e.written = run(a, (c & 0xff) + (c >> 8) + 1);
        }
        Op::Call | Op::CallKw | Op::CallEx => {
            e.consumed = match i.op() {
                Op::CallEx => run(a + 2, 1 + b),
                _ => run(a + 2, b),
            };
            e.consumed.push(a);
            if k == 1 {
                e.consumed.push(a + 1);
            }
            e.written = vec![c];
        }
        Op::Return | Op::Reraise => {
            e.consumed = vec![a];
            e.ends = true;
        }
        Op::ReturnConst => e.ends = true,
        Op::MakeFunction => {
            e.consumed = run(c, k.count_ones() as u16);
            e.written = vec![a];
        }
        Op::ImportName => {
            e.consumed = vec![c, c + 1];
            e.written = vec![a];
        }
        Op::Raise => {
            e.consumed = [a, b][..k as usize].to_vec();
            e.ends = true;
        }
        Op::PushExc => e.written = vec![a, a + 1],
        // The exception's own register may have been moved out of.
        Op::PopExc => {
            e.consumed = vec![a];
            e.cleared = vec![a + 1];
        }
        Op::CheckExcMatch => {
            e.kept = vec![b];
            e.consumed = vec![c];
            e.written = vec![a];
        }
        Op::CheckEgMatch => {
            e.kept = vec![b];
            e.consumed = vec![c];
            e.written = vec![a, a + 1];
        }
        Op::WithExceptStart => {
            e.kept = vec![b, b + 1, c];
            e.written = vec![a];
        }
        Op::BuildInterpolation => {
            e.consumed = run(b, 3);
            e.written = vec![a];
        }
        Op::MatchKeys => {
            e.kept = vec![b, c];
            e.written = vec![a];
        }
        Op::MatchClass => {
            e.kept = vec![b];
            e.consumed = vec![c, c + 1];
            e.written = vec![a];
        }
        op => by_format(op, i, &mut e),
    }
    e
}

fn by_format(op: Op, i: Instr, e: &mut Effect) {
    let (a, b, c) = (i.a(), i.b(), i.c());
    match op.format() {
        Format::Dst | Format::DstName | Format::DstConst | Format::DstImm => e.written = vec![a],
        Format::Src | Format::SrcName | Format::ObjName => e.consumed = vec![a],
        Format::DstSrc | Format::DstSrcImm | Format::DstSrcName => {
            e.consumed = vec![b];
            e.written = vec![a];
        }
        Format::DstSrcSrc => {
            e.consumed = vec![b, c];
            e.written = vec![a];
        }
        Format::SrcSrc => e.consumed = vec![a, b],
        Format::ObjNameSrc => e.consumed = vec![a, c],
        Format::SrcSrcSrc => e.consumed = vec![a, b, c],
        _ => {}
    }
}
