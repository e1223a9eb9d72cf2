//! The check of code objects that come from outside: cache files, `marshal`.
//!
//! Invariant: in a code object that passes, every instruction is whole, every operand names an existing register, name, constant
//! or instruction, execution cannot run over the end, and the rows of the exception table are usable. Whether registers
//! are bound where they are read is not checked here.

use std::fmt;

use crate::opcode::{BinOp, CmpOp, Common, Format, INPLACE, Intrinsic1, Intrinsic2, Special};
use crate::{CodeObject, Const, Instr, Op};

/// What is wrong with a code object.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct VerifyError {
    /// Qualified name of the code object.
    pub code: Box<str>,
    /// Code word of the instruction, if one is at fault.
    pub at: Option<u32>,
    pub what: &'static str,
}

impl fmt::Display for VerifyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.at {
            Some(at) => write!(f, "{} in {} at {at}", self.what, self.code),
            None => write!(f, "{} in {}", self.what, self.code),
        }
    }
}

impl std::error::Error for VerifyError {}

/// Checks `code` and the code objects within it.
pub fn verify(code: &CodeObject) -> Result<(), VerifyError> {
    let mut pending = vec![code];
    while let Some(code) = pending.pop() {
        verify_one(code)?;
        pending.extend(code.consts.iter().filter_map(|c| match c {
            Const::Code(inner) => Some(&**inner),
            _ => None,
        }));
    }
    Ok(())
}

/// Checks `code` alone.
fn verify_one(code: &CodeObject) -> Result<(), VerifyError> {
    let fail = |at, what| VerifyError {
        code: code.qualname.clone(),
        at,
        what,
    };
    check_header(code).map_err(|what| fail(None, what))?;
    let starts = instruction_starts(code).map_err(|(at, what)| fail(Some(at), what))?;
    let check = Check { code, starts: &starts };
    let mut pc = 0;
    while let Some(&word) = code.code.get(pc) {
        let instr = Instr(word);
        let next = pc + 1 + instr.op().cache_words();
        check
            .instruction(instr, next)
            .map_err(|what| fail(Some(pc as u32), what))?;
        if next == code.code.len() && !ends(instr.op()) {
            return Err(fail(Some(pc as u32), "execution runs over the end"));
        }
        pc = next;
    }
    check.tables().map_err(|what| fail(None, what))
}

/// Whether execution never goes on behind `op`.
pub(crate) fn ends(op: Op) -> bool {
    matches!(
        op,
        Op::Return | Op::ReturnConst | Op::Jump | Op::JumpBack | Op::Raise | Op::Reraise
    )
}

fn check_header(code: &CodeObject) -> Result<(), &'static str> {
    if code.argcount > 0xffff || code.kwonlyargcount > 0xffff || code.posonlyargcount > code.argcount {
        return Err("bad parameter count");
    }
    if code.total_args() > code.varnames.len() {
        return Err("more parameters than variables");
    }
    if code.nregs > 0xffff || code.nlocals() > code.nregs as usize {
        return Err("bad register count");
    }
    if code.code.is_empty() || u32::try_from(code.code.len()).is_err() {
        return Err("bad code size");
    }
    Ok(())
}

/// Whether an instruction starts, a bit a code word.
fn instruction_starts(code: &CodeObject) -> Result<Vec<bool>, (u32, &'static str)> {
    let mut starts = vec![false; code.code.len()];
    let mut pc = 0;
    while let Some(&word) = code.code.get(pc) {
        let Some(op) = Op::ALL.get(usize::from(Instr(word).op_number())) else {
            return Err((pc as u32, "no such instruction"));
        };
        starts[pc] = true;
        let next = pc + 1 + op.cache_words();
        if next > code.code.len() {
            return Err((pc as u32, "instruction cut short"));
        }
        pc = next;
    }
    Ok(starts)
}

struct Check<'a> {
    code: &'a CodeObject,
    starts: &'a [bool],
}

type Checked = Result<(), &'static str>;

fn require(condition: bool, what: &'static str) -> Checked {
    if condition { Ok(()) } else { Err(what) }
}

impl Check<'_> {
    /// `count` registers from `first` on.
    fn registers(&self, first: u16, count: usize) -> Checked {
        require(
            usize::from(first) + count <= self.code.nregs as usize,
            "no such register",
        )
    }

    fn name(&self, index: usize) -> Checked {
        require(index < self.code.names.len(), "no such name")
    }

    fn constant(&self, index: usize) -> Result<&Const, &'static str> {
        self.code.consts.get(index).ok_or("no such constant")
    }

    fn target(&self, next: usize, offset: i64) -> Checked {
        let target = usize::try_from(next as i64 + offset).ok();
        let start = target.and_then(|t| self.starts.get(t)).copied().unwrap_or(false);
        require(start, "jump to no instruction")
    }

    fn instruction(&self, i: Instr, next: usize) -> Checked {
        let op = i.op();
        let (a, b, c) = (i.a(), i.b(), i.c());
        let wide = i64::from(i.w() as i32);
        match op.format() {
            Format::None => {}
            Format::Dst | Format::Src => self.registers(a, 1)?,
            Format::DstImm => self.registers(a, if op == Op::CopyFreeVars { i.w() as usize } else { 1 })?,
            Format::DstSrc | Format::SrcSrc | Format::DstSrcImm => {
                self.registers(a, 1)?;
                self.registers(b, 1)?;
            }
            Format::DstSrcSrc | Format::SrcSrcSrc => {
                self.registers(a, 1)?;
                self.registers(b, 1)?;
                self.registers(c, 1)?;
            }
            Format::DstSrcName => {
                self.registers(a, 1)?;
                self.registers(b, 1)?;
                self.name(c.into())?;
            }
            Format::DstName | Format::SrcName => {
                self.registers(a, 1)?;
                self.name(i.w() as usize)?;
            }
            Format::Name => self.name(i.w() as usize)?,
            Format::ObjNameSrc => {
                self.registers(a, 1)?;
                self.name(b.into())?;
                self.registers(c, 1)?;
            }
            Format::ObjName => {
                self.registers(a, 1)?;
                self.name(b.into())?;
            }
            Format::DstConst => {
                self.registers(a, 1)?;
                self.constant(i.w() as usize)?;
            }
            Format::Jump => self.target(next, wide)?,
            Format::SrcJump => {
                self.registers(a, 1)?;
                self.target(next, wide)?;
            }
            Format::DstSrcJump | Format::CmpJump => {
                self.registers(a, 1)?;
                self.registers(b, 1)?;
                self.target(next, (c as i16).into())?;
            }
            Format::CmpImmJump => {
                self.registers(a, 1)?;
                self.target(next, (c as i16).into())?;
            }
            Format::Build => {
                self.registers(a, 1)?;
                self.registers(
                    b,
                    if op == Op::BuildMap {
                        usize::from(c) * 2
                    } else {
                        c.into()
                    },
                )?;
            }
            Format::Unpack => {
                self.registers(b, 1)?;
                let (before, after) = (usize::from(c & 0xff), usize::from(c >> 8));
                self.registers(
                    a,
                    if op == Op::UnpackEx {
                        before + 1 + after
                    } else {
                        c.into()
                    },
                )?;
            }
            Format::Call => {
                let used = if op == Op::CallEx {
                    3 + usize::from(b != 0)
                } else {
                    2 + usize::from(b)
                };
                self.registers(a, used)?;
                self.registers(c, 1)?;
            }
            Format::Special => {}
        }
        self.details(i, next)
    }

    /// What the format does not say.
    fn details(&self, i: Instr, next: usize) -> Checked {
        let (k, a, b, c) = (i.k(), i.a(), i.b(), i.c());
        let below = |number: u8, count: usize| require(usize::from(number) < count, "no such operation");
        match i.op() {
            Op::Binary | Op::BinaryImm => below(k & !INPLACE, BinOp::ALL.len()),
            Op::Compare => below(k, CmpOp::ALL.len()),
            Op::JumpCmp | Op::JumpCmpImm => below(k & 7, CmpOp::ALL.len()),
            Op::LoadCommon | Op::JumpIfNotCommon => below(k, Common::ALL.len()),
            Op::Intrinsic1 => below(k, Intrinsic1::ALL.len()),
            Op::Intrinsic2 => below(k, Intrinsic2::ALL.len()),
            Op::LoadMethod | Op::CheckEgMatch | Op::PushExc | Op::PopExc => self.registers(a, 2),
            Op::LoadSpecial => {
                below(k, Special::ALL.len())?;
                self.registers(a, 2)
            }
            Op::EnterNative => self.registers(a, 3),
            Op::ExitNative => self.registers(a, 5),
            Op::LoadSuperAttr => self.registers(b, 3),
            Op::LoadSuperMethod => {
                self.registers(b, 3)?;
                self.registers(a, 2)
            }
            Op::GetSlice | Op::MatchClass => self.registers(c, 2),
            Op::SetSlice | Op::WithExceptStart => self.registers(b, 2),
            Op::BuildInterpolation => self.registers(b, 3),
            Op::BuildSlice => require(c == 2 || c == 3, "bad slice"),
            Op::CallKw => {
                let names = self.code.code.get(next - 1).copied().unwrap_or(u64::MAX);
                let index = usize::try_from(names).map_err(|_| "no such constant")?;
                let Const::Tuple(names) = self.constant(index)? else {
                    return Err("keyword names are no tuple");
                };
                require(
                    names.iter().all(|n| matches!(n, Const::Str(_))),
                    "keyword names are no text",
                )?;
                require(names.len() <= b.into(), "more keywords than arguments")
            }
            Op::MakeFunction => {
                self.registers(a, 1)?;
                require(
                    matches!(self.constant(b.into())?, Const::Code(_)),
                    "function without code",
                )?;
                require(k < 32 && k & 20 != 20, "no such operation")?;
                self.registers(c, k.count_ones() as usize)
            }
            Op::ImportName => {
                self.registers(a, 1)?;
                self.name(b.into())?;
                self.registers(c, 2)
            }
            _ => Ok(()),
        }
    }

    fn tables(&self) -> Checked {
        let size = self.code.code.len();
        let is_start = |at: u32| self.starts.get(at as usize).copied().unwrap_or(false);
        for e in &self.code.exceptions {
            let whole = is_start(e.start) && e.start < e.end && (e.end as usize == size || is_start(e.end));
            require(whole && is_start(e.target), "bad exception table")?;
            require(
                usize::from(e.depth) >= self.code.nlocals(),
                "exception table reaches into variables",
            )?;
            self.registers(e.depth, 2)?;
        }
        require(self.code.locations.check(), "bad position")
    }
}
