//! What instructions do to registers: for the check of the compiler's work, and for jumps of tracers, which have to know what is alive where.

use crate::opcode::Format;
use crate::{Instr, Op};

/// What an instruction does to temporaries.
#[derive(Default)]
pub struct Effect {
    /// Read and gone afterwards, if they are temporaries.
    pub consumed: Vec<u16>,
    /// Read.
    pub kept: Vec<u16>,
    pub written: Vec<u16>,
    /// Dropped whatever they hold.
    pub cleared: Vec<u16>,
    /// On the jump, instead of `written`.
    pub jump_written: Vec<u16>,
    pub jump_cleared: Vec<u16>,
    /// From the next instruction.
    pub jump: Option<i64>,
    /// Execution never goes on behind it.
    pub ends: bool,
}

/// What `i` reads and writes.
#[must_use]
pub fn effect(i: Instr) -> Effect {
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
        Op::JumpIfNotCommon => {
            e.kept = vec![a];
            e.jump = far();
        }
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
