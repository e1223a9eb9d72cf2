//! The instructions that the loop does not do itself: those that are rare, or whose work outweighs the call.
//!
//! Invariant: the program counter was saved. The result is how many words to go on from behind the instruction: its cache words, and a jump.

use lisle_bytecode::{CodeFlags, Op};

use super::{Ip, Regs, cell, unbound_operand};
use crate::object::{TypeFlags, Value};
use crate::types::code::CodeBody;
use crate::vm::frames::FrameData;
use crate::vm::{Exc, Res, Vm};

/// The registers of a frame, as the rules for operands have it.
#[derive(Clone, Copy)]
struct Operands {
    regs: Regs,
    nlocals: u16,
}

impl Operands {
    /// Drops an operand that was only read, if it is a temporary.
    fn kill(self, i: u16) {
        if i >= self.nlocals {
            self.regs.clear(i);
        }
    }

    /// An operand by value: moved if it is a temporary.
    fn own(self, i: u16) -> Value {
        if i < self.nlocals {
            return self.regs.get(i).clone();
        }
        self.regs.take(i).unwrap_or_else(unbound_operand)
    }
}

impl Vm {
    #[inline(never)]
    pub(super) fn rare(&self, i: Ip, frame: &FrameData, regs: Regs) -> Res<isize> {
        // SAFETY: the code is alive while its frame runs.
        let code: &CodeBody = unsafe { &*frame.body };
        let op = i.op();
        let with = Operands {
            regs,
            nlocals: code.nlocals,
        };
        match op {
            Op::DeleteLocal => match regs.take(i.a()) {
                Some(old) => drop(old),
                None => return Err(self.unbound_local(code.code(), i.a())),
            },
            Op::LoadCommon => {
                let value = self.common_constant(i.k())?;
                regs.set(i.a(), value);
            }

            // ---- names ----
            Op::DeleteGlobal => {
                let name = &code.names[i.w() as usize];
                if frame.globals().remove_str(name).is_none() {
                    return Err(self.name_error_for(name));
                }
            }
            Op::LoadName => {
                let value = self.load_name(frame, &code.names[i.w() as usize])?;
                regs.set(i.a(), value);
            }
            Op::StoreName => {
                let value = with.own(i.a());
                self.store_name(frame, &code.names[i.w() as usize], value)?;
            }
            Op::DeleteName => self.delete_name(frame, &code.names[i.w() as usize])?,
            Op::LoadFromMappingOrGlobal => {
                let name = &code.names[i.c() as usize];
                let value = self.load_mapping_or_global(frame, regs.get(i.b()), name)?;
                regs.set(i.a(), value);
            }
            Op::LoadFromMappingOrDeref => {
                let value = self.load_mapping_or_deref(code.code(), regs.get(i.b()), regs.get(i.c()), i.c())?;
                regs.set(i.a(), value);
            }
            Op::LoadLocals => {
                let value = self.frame_locals(frame)?;
                regs.set(i.a(), value);
            }

            // ---- cells ----
            Op::DeleteDeref => {
                if cell(regs.get(i.a())).contents.take().is_none() {
                    return Err(self.unbound_cell(code.code(), i.a()));
                }
            }

            // ---- attributes and items ----
            Op::DeleteAttr => {
                self.delattr(regs.get(i.a()), &code.names[i.b() as usize])?;
                with.kill(i.a());
            }
            Op::SetSlice => {
                self.set_slice(regs.get(i.a()), regs.get(i.b()), regs.get(i.b() + 1), regs.get(i.c()))?;
                with.kill(i.a());
                with.kill(i.b());
                with.kill(i.b() + 1);
                with.kill(i.c());
            }

            // ---- operators ----
            Op::Pos => {
                let value = self.unary(regs.get(i.b()), |s| s.pos, "+")?;
                with.kill(i.b());
                regs.set(i.a(), value);
            }
            Op::Invert => {
                let value = self.unary(regs.get(i.b()), |s| s.invert, "~")?;
                with.kill(i.b());
                regs.set(i.a(), value);
            }

            // ---- iteration ----
            Op::GetYieldFromIter => {
                let in_coroutine = code.code().has(CodeFlags::COROUTINE | CodeFlags::ITERABLE_COROUTINE);
                let value = self.yield_from_iter(regs.get(i.b()), in_coroutine)?;
                with.kill(i.b());
                regs.set(i.a(), value);
            }
            Op::GetAwaitable => {
                let value = self.awaitable(regs.get(i.b()), i.k())?;
                with.kill(i.b());
                regs.set(i.a(), value);
            }
            Op::GetAIter => {
                let value = self.async_iter(regs.get(i.b()))?;
                with.kill(i.b());
                regs.set(i.a(), value);
            }
            Op::GetANext => {
                let value = self.async_next(regs.get(i.b()))?;
                regs.set(i.a(), value);
            }
            Op::EndAsyncFor => {
                let exc = with.own(i.a());
                drop(with.own(i.b()));
                self.end_async_for(exc)?;
            }

            // ---- building and unpacking ----
            Op::DictUpdate => {
                self.dict_update(regs.get(i.a()), regs.get(i.b()))?;
                with.kill(i.b());
            }
            Op::UnpackSequence => {
                let items = self.unpack(regs.get(i.b()), i.c() as usize)?;
                with.kill(i.b());
                for (j, item) in items.into_iter().enumerate() {
                    regs.set(i.a() + j as u16, item);
                }
            }
            Op::UnpackEx => {
                let (before, after) = ((i.c() & 0xff) as usize, (i.c() >> 8) as usize);
                let items = self.unpack_ex(regs.get(i.b()), before, after)?;
                with.kill(i.b());
                for (j, item) in items.into_iter().enumerate() {
                    regs.set(i.a() + j as u16, item);
                }
            }

            // ---- functions, classes, modules ----
            Op::ImportName => {
                let name = &code.names[i.b() as usize];
                let value = self.import_name(frame, name, regs.get(i.c()), regs.get(i.c() + 1))?;
                with.kill(i.c());
                with.kill(i.c() + 1);
                regs.set(i.a(), value);
            }
            Op::ImportFrom => {
                let value = self.import_from(regs.get(i.b()), &code.names[i.c() as usize])?;
                regs.set(i.a(), value);
            }
            Op::ImportStar => {
                self.import_star(frame, regs.get(i.a()))?;
                with.kill(i.a());
            }

            // ---- exceptions ----
            Op::Raise => {
                let (a, b) = match i.k() {
                    0 => match self.handled.get() {
                        Some(current) => return Err(Exc::from_value(current)),
                        None => (None, None),
                    },
                    1 => (Some(with.own(i.a())), None),
                    _ => (Some(with.own(i.a())), Some(with.own(i.b()))),
                };
                return Err(self.raise(a, b));
            }
            Op::CheckEgMatch => {
                let (matched, rest) = self.exception_group_match(regs.get(i.b()), regs.get(i.c()))?;
                with.kill(i.c());
                regs.set(i.a(), rest);
                regs.set(i.a() + 1, matched);
            }
            Op::Reraise => return Err(Exc::from_value(with.own(i.a()))),
            Op::PrepReraiseStar => {
                let value = self.prep_reraise_star(regs.get(i.b()), regs.get(i.c()))?;
                with.kill(i.b());
                with.kill(i.c());
                regs.set(i.a(), value);
            }
            Op::WithExceptStart => {
                let value = self.with_except(regs.get(i.b()), regs.opt(i.b() + 1), regs.get(i.c()))?;
                regs.set(i.a(), value);
            }
            Op::LoadSpecial => {
                let (function, with_self) = self.load_special(regs.get(i.b()), i.k())?;
                let this = with_self.then(|| regs.get(i.b()).clone());
                regs.set(i.a(), function);
                match this {
                    Some(this) => regs.set(i.a() + 1, this),
                    None => regs.clear(i.a() + 1),
                }
            }

            // ---- generators and coroutines ----
            Op::CleanupThrow => {
                let exc = Exc::from_value(with.own(i.a()));
                if !exc.is_instance(crate::types::exceptions::STOP_ITERATION.get()) {
                    return Err(exc);
                }
                let value = exc.stop_iteration_value();
                regs.set(i.b(), value.unwrap_or(Value::NONE));
            }
            Op::AsyncGenWrap => {
                let value = with.own(i.b());
                regs.set(i.a(), crate::types::generator::wrap_async_value(value));
            }

            // ---- formatting ----
            Op::BuildInterpolation => {
                let parts = [with.own(i.b()), with.own(i.b() + 1), with.own(i.b() + 2)];
                let value = self.build_interpolation(parts, i.k())?;
                regs.set(i.a(), value);
            }
            Op::BuildTemplate => {
                let (strings, interpolations) = (with.own(i.b()), with.own(i.c()));
                let value = self.build_template(strings, interpolations)?;
                regs.set(i.a(), value);
            }

            // ---- pattern matching ----
            Op::GetLen => {
                let n = self.len(regs.get(i.b()))?;
                regs.set(i.a(), Value::usize(n));
            }
            Op::MatchMapping => {
                let is = regs.get(i.b()).ty().has_flag(TypeFlags::MAPPING);
                regs.set(i.a(), Value::from_bool(is));
            }
            Op::MatchSequence => {
                let value = regs.get(i.b());
                let is = value.ty().has_flag(TypeFlags::SEQUENCE) && !self.is_text_like(value);
                regs.set(i.a(), Value::from_bool(is));
            }
            Op::MatchKeys => {
                let value = self.match_keys(regs.get(i.b()), regs.get(i.c()))?;
                regs.set(i.a(), value);
            }
            Op::MatchClass => {
                let positional = i.k() as usize;
                let value = self.match_class(regs.get(i.b()), regs.get(i.c()), positional, regs.get(i.c() + 1))?;
                with.kill(i.c());
                with.kill(i.c() + 1);
                regs.set(i.a(), value);
            }

            // ---- helpers of the compiler ----
            Op::Intrinsic1 => {
                let value = self.intrinsic1(i.k(), regs.get(i.b()))?;
                with.kill(i.b());
                regs.set(i.a(), value);
            }
            Op::Intrinsic2 => {
                let value = self.intrinsic2(i.k(), regs.get(i.b()), regs.get(i.c()))?;
                with.kill(i.b());
                with.kill(i.c());
                regs.set(i.a(), value);
            }
            Op::SetupAnnotations => self.setup_annotations(frame)?,
            _ => return Err(self.system_error(format!("{} is not done here", op.name()))),
        }
        Ok(op.cache_words() as isize)
    }
}
