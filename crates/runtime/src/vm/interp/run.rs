//! The instruction loop.
//!
//! Invariants: the loop's locals (`regs`, `pc`, `frame`, `code`) mirror the innermost frame record; `pc` is written back before anything that
//! can look at frames or raise. Operands are borrowed from registers of the running frame. Destinations are written last, and what
//! they held is dropped then.
//! `FREE` says that threads run in parallel; `HOOK` that something is done between any two instructions: the GIL may be switched, or somebody
//! observes the thread.
//! Left out: instructions that are rare, see `rare`.

use std::mem::ManuallyDrop;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

use lisle_bytecode::Op;
use lisle_bytecode::opcode::BinOp;

use super::operators::{compare_floats, compare_ints, float_pair, small_pair, unpack_list};
use super::{Flow, Ip, Regs, cell, opaque, unbound_operand};
use crate::native::Args;
use crate::object::Value;
use crate::object::types::CallKind;
use crate::sync::mode::switch_any;
use crate::types::code::CodeBody;
use crate::types::coroutine::Coroutine;
use crate::types::function::Function;
use crate::types::generator::Generator;
use crate::types::list::List;
use crate::types::method::Method;
use crate::types::native_function::{MethodDescriptor, NativeFunction};
use crate::types::range::RangeIterator;
use crate::types::seq_iter::{ListIter, TupleIter};
use crate::types::set::Set;
use crate::types::tuple::Tuple;
use crate::vm::frames::{FrameData, FrameKind};
use crate::vm::{Exc, Res, Vm};

impl Vm {
    /// Runs frames until the one number `entry` returns; `None` when the other loop is to go on.
    #[expect(clippy::cognitive_complexity, reason = "one arm an instruction")]
    pub(super) fn run_loop<const FREE: bool, const HOOK: bool>(&self, entry: usize) -> Res<Option<Value>> {
        let mut frame: *mut FrameData;
        let mut regs: Regs;
        let mut code: &CodeBody;
        let mut pc: *const u64;
        let mut nlocals: u16;
        // Whether what is raised was raised in this frame before: its traceback has the frame.
        let mut again = false;

        /// Loads the state of the innermost frame.
        macro_rules! load {
            () => {
                load!(self.frames.record(self.frames.depth.get() - 1))
            };
            ($record:expr) => {{
                frame = $record;
                // SAFETY: the innermost record is initialised, and its code is alive while it runs.
                unsafe {
                    regs = Regs((*frame).regs);
                    code = &*(*frame).body;
                    pc = (*frame).at.get();
                    nlocals = code.nlocals;
                }
            }};
        }
        /// Writes the program counter back: the word after the instruction.
        macro_rules! save {
            () => {
                // SAFETY: `frame` is the innermost record.
                unsafe { (*frame).at.set(pc) }
            };
        }
        macro_rules! skip {
            ($n:expr) => {
                // SAFETY: cache words follow the instruction.
                pc = unsafe { pc.add($n) }
            };
        }
        macro_rules! cache {
            ($i:expr) => {
                // SAFETY: the opcode table gives the instruction this many cache words.
                unsafe { &*pc.add($i).cast::<AtomicU64>() }
            };
        }
        macro_rules! jump {
            ($off:expr) => {
                // SAFETY: jump targets are within the code.
                pc = unsafe { pc.offset($off as isize) }
            };
        }
        macro_rules! kill {
            ($i:expr) => {
                if $i >= nlocals {
                    regs.clear($i);
                }
            };
        }
        macro_rules! operand {
            ($i:expr) => {
                if $i >= nlocals {
                    match regs.take($i) {
                        Some(v) => v,
                        None => unbound_operand(),
                    }
                } else {
                    regs.get($i).clone()
                }
            };
        }

        load!();
        loop {
            // What is raised in the loop comes out of it, to be handled in one place.
            let raised: Exc = 'raise: {
                /// The value of a result; an error is raised. The program counter was saved.
                macro_rules! check {
                    ($result:expr) => {
                        match $result {
                            Ok(value) => value,
                            Err(exc) => break 'raise exc,
                        }
                    };
                }
                macro_rules! poll {
                    () => {
                        if self.thread.poll_bits() != 0 {
                            save!();
                            check!(self.safepoint_slow());
                        }
                    };
                }
                /// As `poll`, where the frame's state is whole: the other loop may take over.
                macro_rules! poll_whole {
                    () => {
                        if self.thread.poll_bits() != 0 {
                            save!();
                            check!(self.safepoint_slow());
                            if !HOOK && self.wants_hooked_loop() {
                                return Ok(None);
                            }
                        }
                    };
                }
                /// Goes on in the frame that was pushed just now.
                macro_rules! begin {
                    () => {
                        // SAFETY: the record above the one that was the innermost.
                        let pushed = unsafe { frame.add(1) };
                        load!(pushed);
                        // SAFETY: the first instruction.
                        if !HOOK && self.thread.poll_bits() == 0 && unsafe { Ip::new(pc) }.op() == Op::Resume {
                            // There is nothing for it to do.
                            skip!(1);
                        }
                    };
                }
                /// Leaves the frame with a value; no register from number `held` on holds a reference.
                macro_rules! leave {
                    ($value:expr, $held:expr) => {
                        save!();
                        // SAFETY: `frame` is the innermost record, and below one that an instruction pushed is the one of that.
                        if unsafe { (*frame).is_plain_call() } {
                            let caller = unsafe {
                                self.return_plainly(frame, $value, $held);
                                frame.sub(1)
                            };
                            load!(caller);
                            continue;
                        }
                        // SAFETY: as above.
                        match check!(unsafe { self.return_from(frame, $value, entry) }) {
                            Flow::Reload => load!(),
                            Flow::Done(value) => return Ok(Some(value)),
                        }
                    };
                }
                macro_rules! arith {
                    ($i:expr, $op:expr, $ints:expr, $floats:expr) => {{
                        let (a, b) = (regs.get($i.b()), regs.get($i.c()));
                        if small_pair(a, b) {
                            if let Some(v) = $ints(a, b) {
                                regs.set($i.a(), v);
                                continue;
                            }
                        } else if float_pair(a, b) {
                            let v = $floats(a.tagged_float(), b.tagged_float());
                            regs.set($i.a(), Value::float(v));
                            continue;
                        }
                        save!();
                        check!(self.arith_slow($i, regs, nlocals, $op));
                    }};
                }
                loop {
                    if HOOK {
                        if self.is_observed() && check!(self.observe(frame, pc)) {
                            // SAFETY: `at` is behind the first word of an instruction.
                            pc = unsafe { (*frame).at.get().sub(1) };
                            continue;
                        }
                        if switch_any() {
                            let left = self.switch_countdown.get();
                            if left == 0 {
                                save!();
                                check!(self.switch_any_point());
                            } else {
                                self.switch_countdown.set(left - 1);
                            }
                        } else if !self.wants_hooked_loop() {
                            save!();
                            return Ok(None);
                        }
                    }
                    // SAFETY: the verifier and the compiler end each code object with a return or a jump, and `pc` skips cache words.
                    let (op, i) = unsafe {
                        let op = Ip::new(pc).op();
                        pc = opaque(pc.add(1));
                        (op, Ip::before(pc))
                    };
                    match op {
                        Op::Nop => {}
                        Op::Resume => poll_whole!(),
                        Op::Move => {
                            let value = operand!(i.b());
                            regs.set(i.a(), value);
                        }
                        Op::Copy => {
                            let value = regs.get(i.b()).clone();
                            regs.set(i.a(), value);
                        }
                        Op::LoadConst => {
                            // SAFETY: the compiler numbers constants that there are.
                            let value = unsafe { code.consts.get_unchecked(i.w() as usize) }.clone();
                            regs.set(i.a(), value);
                        }
                        Op::LoadInt => regs.set(i.a(), Value::int(i64::from(i.w() as i32))),
                        Op::Clear => {
                            save!();
                            regs.clear(i.a());
                        }
                        Op::CheckLocal => {
                            if regs.opt(i.a()).is_none() {
                                save!();
                                check!(Err(self.unbound_local(code.code(), i.a())));
                            }
                        }

                        // ---- names ----
                        Op::LoadGlobal => {
                            // SAFETY: the frame's function holds the dicts.
                            let (globals, builtins) = unsafe { ((*frame).globals(), (*frame).builtins()) };
                            let first = cache!(0).load(Relaxed);
                            let found = if first >> 32 != u64::from(u32::MAX) {
                                globals.cached_value::<FREE>(first)
                            } else if first as u32 == globals.raw_version() {
                                builtins.cached_value::<FREE>(cache!(1).load(Relaxed))
                            } else {
                                None
                            };
                            if let Some(value) = found {
                                skip!(2);
                                regs.set(i.a(), value);
                                continue;
                            }
                            let name = &code.names[i.w() as usize];
                            save!();
                            let value = check!(self.load_global_slow(globals, builtins, name, cache!(0), cache!(1)));
                            skip!(2);
                            regs.set(i.a(), value);
                        }
                        Op::StoreGlobal => {
                            // SAFETY: the frame's function holds the dict.
                            let globals = unsafe { (*frame).globals() };
                            let value = operand!(i.a());
                            let cached = cache!(0);
                            let word = cached.load(Relaxed);
                            skip!(1);
                            save!();
                            if let Err(value) = globals.set_entry_value(word as u32, (word >> 32) as u32, value) {
                                self.store_global_slow(globals, &code.names[i.w() as usize], value, cached);
                            }
                        }

                        // ---- cells ----
                        Op::LoadDeref => match cell(regs.get(i.b())).contents.get() {
                            Some(value) => regs.set(i.a(), value),
                            None => {
                                save!();
                                check!(Err(self.unbound_cell(code.code(), i.b())));
                            }
                        },
                        Op::StoreDeref => {
                            let value = operand!(i.b());
                            save!();
                            drop(cell(regs.get(i.a())).contents.swap(Some(value)));
                        }

                        // ---- attributes and items ----
                        Op::LoadAttr => {
                            let obj = regs.get(i.b());
                            let cached = cache!(0);
                            if let Some(value) = self.load_attr_cached::<FREE>(obj, cached.load(Relaxed)) {
                                skip!(2);
                                kill!(i.b());
                                regs.set(i.a(), value);
                                continue;
                            }
                            save!();
                            let name = &code.names[i.c() as usize];
                            let caches = (cached, cache!(1));
                            // SAFETY: `frame` is the innermost record.
                            let found = unsafe { self.load_attr_slow::<FREE>(frame, regs, i, name, caches) };
                            match check!(found) {
                                Some(value) => {
                                    skip!(2);
                                    kill!(i.b());
                                    regs.set(i.a(), value);
                                }
                                None => load!(),
                            }
                        }
                        Op::LoadMethod => {
                            let obj = regs.get(i.b());
                            let cached = cache!(0);
                            // SAFETY: the compiler numbers names that there are.
                            let name = unsafe { code.names.get_unchecked(i.c() as usize) };
                            let (function, with_self) = match self.load_method_cached(obj, name, cached.load(Relaxed)) {
                                Some(function) => (function, true),
                                None => {
                                    save!();
                                    check!(self.load_method::<FREE>(obj, name, cached, cache!(1)))
                                }
                            };
                            skip!(2);
                            if with_self {
                                let this = operand!(i.b());
                                regs.set(i.a(), function);
                                regs.set(i.a() + 1, this);
                            } else {
                                kill!(i.b());
                                regs.set(i.a(), function);
                                regs.clear(i.a() + 1);
                            }
                        }
                        Op::LoadSpecial => {
                            let obj = regs.get(i.b());
                            if let Some(function) = self.special_cached(obj, i.k()) {
                                let this = obj.clone();
                                save!();
                                regs.set(i.a(), function);
                                regs.set(i.a() + 1, this);
                                continue;
                            }
                            save!();
                            // SAFETY: `frame` is the innermost record.
                            check!(self.rare(i, unsafe { &*frame }, regs));
                        }
                        Op::EnterNative => {
                            save!();
                            poll!();
                            // Observers are to see the calls.
                            if !HOOK && let Some(entered) = self.enter_native(regs, i) {
                                check!(entered);
                                jump!(i.c() as i16);
                            }
                        }
                        Op::ExitNative => {
                            save!();
                            if !HOOK && let Some(left) = self.exit_native(regs, i) {
                                check!(left);
                                jump!(i.w() as i32);
                                poll_whole!();
                            }
                        }
                        Op::StoreAttr => {
                            let obj = regs.get(i.a());
                            let value = operand!(i.c());
                            let cached = cache!(0);
                            save!();
                            if let Err(value) = self.store_attr_cached::<FREE>(obj, value, cached.load(Relaxed)) {
                                check!(self.store_attr::<FREE>(obj, &code.names[i.b() as usize], value, cached));
                            }
                            skip!(1);
                            kill!(i.a());
                        }
                        Op::GetItem => {
                            let (obj, key) = (regs.get(i.b()), regs.get(i.c()));
                            let value = match self.getitem_fast(obj, key) {
                                Some(value) => value,
                                None => {
                                    save!();
                                    // SAFETY: `frame` is the innermost record.
                                    match check!(unsafe { self.getitem_more(frame, regs, i) }) {
                                        Some(value) => value,
                                        None => {
                                            load!();
                                            continue;
                                        }
                                    }
                                }
                            };
                            kill!(i.b());
                            kill!(i.c());
                            regs.set(i.a(), value);
                        }
                        Op::SetItem => {
                            let (obj, key) = (regs.get(i.a()), regs.get(i.b()));
                            save!();
                            if let (Some(list), Some(at)) = (obj.downcast_exact::<List>(), key.as_small_int()) {
                                let value = operand!(i.c());
                                check!(list.set_index(self, at as isize, value));
                            } else {
                                let value = operand!(i.c());
                                check!(self.setitem_value(obj, key, value));
                            }
                            kill!(i.a());
                            kill!(i.b());
                        }
                        Op::GetSlice => {
                            save!();
                            let value = check!(self.get_slice(regs.get(i.b()), regs.get(i.c()), regs.get(i.c() + 1)));
                            kill!(i.b());
                            kill!(i.c());
                            kill!(i.c() + 1);
                            regs.set(i.a(), value);
                        }

                        // ---- operators ----
                        Op::Add => arith!(
                            i,
                            BinOp::Add,
                            |a: &Value, b: &Value| (a.bits() as i64)
                                .checked_add((b.bits() - 1) as i64)
                                // SAFETY: the sum of two tagged ints with one tag bit taken off is a tagged int, and not zero.
                                .map(|w| unsafe { Value::from_bits(w as u64) }),
                            |a: f64, b: f64| a + b
                        ),
                        Op::Sub => arith!(
                            i,
                            BinOp::Sub,
                            |a: &Value, b: &Value| (a.bits() as i64)
                                .checked_sub((b.bits() - 1) as i64)
                                // SAFETY: the difference with the tag bit kept is a tagged int, and not zero.
                                .map(|w| unsafe { Value::from_bits(w as u64) }),
                            |a: f64, b: f64| a - b
                        ),
                        Op::Mul => arith!(
                            i,
                            BinOp::Mul,
                            |a: &Value, b: &Value| ((a.bits() - 1) as i64)
                                .checked_mul(b.bits() as i64 >> 1)
                                // SAFETY: twice the product with the tag bit added is a tagged int.
                                .map(|w| unsafe { Value::from_bits(w as u64 | 1) }),
                            |a: f64, b: f64| a * b
                        ),
                        Op::AddImm => {
                            let a = regs.get(i.b());
                            let imm = i64::from(i.c() as i16);
                            if a.is_small_int() {
                                if let Some(r) = (a.bits() as i64).checked_add(imm << 1) {
                                    // SAFETY: a tagged int plus an even number is a tagged int.
                                    regs.set(i.a(), unsafe { Value::from_bits(r as u64) });
                                    continue;
                                }
                            } else if a.is_tagged_float() {
                                regs.set(i.a(), Value::float(a.tagged_float() + imm as f64));
                                continue;
                            }
                            save!();
                            check!(self.arith_imm_slow(i, regs, nlocals, BinOp::Add));
                        }
                        Op::SubImm => {
                            let a = regs.get(i.b());
                            let imm = i64::from(i.c() as i16);
                            if a.is_small_int() {
                                if let Some(r) = (a.bits() as i64).checked_sub(imm << 1) {
                                    // SAFETY: a tagged int less an even number is a tagged int.
                                    regs.set(i.a(), unsafe { Value::from_bits(r as u64) });
                                    continue;
                                }
                            } else if a.is_tagged_float() {
                                regs.set(i.a(), Value::float(a.tagged_float() - imm as f64));
                                continue;
                            }
                            save!();
                            check!(self.arith_imm_slow(i, regs, nlocals, BinOp::Sub));
                        }
                        Op::Binary => {
                            let (a, b) = (regs.get(i.b()), regs.get(i.c()));
                            let op = super::operators::bin_op(i.k());
                            if float_pair(a, b) && op == BinOp::TrueDiv {
                                // Tagged floats are not zero.
                                regs.set(i.a(), Value::float(a.tagged_float() / b.tagged_float()));
                                continue;
                            }
                            if small_pair(a, b)
                                && let Some(value) = super::operators::small_ints(op, a, b)
                            {
                                regs.set(i.a(), value);
                                continue;
                            }
                            save!();
                            check!(self.arith_slow(i, regs, nlocals, op));
                        }
                        Op::BinaryImm => {
                            let a = regs.get(i.b());
                            let op = super::operators::bin_op(i.k());
                            if a.is_small_int() {
                                let b = ManuallyDrop::new(Value::int(i64::from(i.c() as i16)));
                                if let Some(value) = super::operators::small_ints(op, a, &b) {
                                    regs.set(i.a(), value);
                                    continue;
                                }
                            }
                            save!();
                            check!(self.arith_imm_slow(i, regs, nlocals, op));
                        }
                        Op::Neg => {
                            let a = regs.get(i.b());
                            let value = if a.is_tagged_float() {
                                Value::float(-a.tagged_float())
                            } else if let Some(x) = a.as_small_int() {
                                Value::int(-x)
                            } else {
                                save!();
                                check!(self.unary(a, |s| s.neg, "-"))
                            };
                            kill!(i.b());
                            regs.set(i.a(), value);
                        }
                        Op::Not | Op::ToBool => {
                            let a = regs.get(i.b());
                            let truth = if a.is_bool() {
                                a.is_true()
                            } else {
                                save!();
                                let truth = check!(self.truth(a));
                                kill!(i.b());
                                truth
                            };
                            regs.set(i.a(), Value::from_bool(truth != (i.op() == Op::Not)));
                        }
                        Op::Compare => {
                            let (a, b) = (regs.get(i.b()), regs.get(i.c()));
                            if small_pair(a, b) {
                                let v = compare_ints(i.k(), a.bits() as i64, b.bits() as i64);
                                regs.set(i.a(), Value::from_bool(v));
                                continue;
                            }
                            if float_pair(a, b) {
                                let v = compare_floats(i.k(), a.tagged_float(), b.tagged_float());
                                regs.set(i.a(), Value::from_bool(v));
                                continue;
                            }
                            save!();
                            let value = check!(self.compare_slow(a, b, i.k()));
                            kill!(i.b());
                            kill!(i.c());
                            regs.set(i.a(), value);
                        }
                        Op::Is => {
                            let same = regs.get(i.b()).is(regs.get(i.c()));
                            kill!(i.b());
                            kill!(i.c());
                            regs.set(i.a(), Value::from_bool(same != (i.k() != 0)));
                        }
                        Op::Contains => {
                            save!();
                            let found = check!(self.contains(regs.get(i.c()), regs.get(i.b())));
                            kill!(i.b());
                            kill!(i.c());
                            regs.set(i.a(), Value::from_bool(found != (i.k() != 0)));
                        }

                        // ---- jumps ----
                        Op::Jump => jump!(i.w() as i32),
                        Op::JumpBack => {
                            jump!(i.w() as i32);
                            poll_whole!();
                        }
                        Op::JumpIfTrue => {
                            let a = regs.get(i.a());
                            let truth = if a.is_bool() {
                                a.is_true()
                            } else {
                                save!();
                                let truth = check!(self.truth(a));
                                if i.k() == 0 {
                                    kill!(i.a());
                                }
                                truth
                            };
                            if truth {
                                jump!(i.w() as i32);
                            }
                        }
                        Op::JumpIfFalse => {
                            let a = regs.get(i.a());
                            let truth = if a.is_bool() {
                                a.is_true()
                            } else {
                                save!();
                                let truth = check!(self.truth(a));
                                if i.k() == 0 {
                                    kill!(i.a());
                                }
                                truth
                            };
                            if !truth {
                                jump!(i.w() as i32);
                            }
                        }
                        Op::JumpIfNone => {
                            let is = regs.get(i.a()).is_none();
                            if i.k() == 0 && !is {
                                kill!(i.a());
                            }
                            if is {
                                jump!(i.w() as i32);
                            }
                        }
                        Op::JumpIfNotNone => {
                            let is = regs.get(i.a()).is_none();
                            if i.k() == 0 && !is {
                                kill!(i.a());
                            }
                            if !is {
                                jump!(i.w() as i32);
                            }
                        }
                        Op::JumpCmp => {
                            let (a, b) = (regs.get(i.a()), regs.get(i.b()));
                            let holds = if small_pair(a, b) {
                                compare_ints(i.k(), a.bits() as i64, b.bits() as i64)
                            } else if float_pair(a, b) {
                                compare_floats(i.k(), a.tagged_float(), b.tagged_float())
                            } else {
                                save!();
                                let truth = check!(self.compare_truth(a, b, i.k() & 7));
                                kill!(i.a());
                                kill!(i.b());
                                truth != (i.k() & 8 != 0)
                            };
                            if holds {
                                jump!(i.c() as i16);
                            }
                        }
                        Op::JumpCmpImm => {
                            let a = regs.get(i.a());
                            let imm = i64::from(i.b() as i16);
                            let holds = if a.is_small_int() {
                                compare_ints(i.k(), a.bits() as i64 >> 1, imm)
                            } else if a.is_tagged_float() {
                                compare_floats(i.k(), a.tagged_float(), imm as f64)
                            } else {
                                save!();
                                let truth = check!(self.compare_truth(a, &Value::int(imm), i.k() & 7));
                                kill!(i.a());
                                truth != (i.k() & 8 != 0)
                            };
                            if holds {
                                jump!(i.c() as i16);
                            }
                        }
                        Op::JumpIfUnbound => {
                            if regs.opt(i.a()).is_none() {
                                jump!(i.w() as i32);
                            }
                        }

                        // ---- iteration ----
                        Op::GetIter => {
                            save!();
                            let value = check!(self.iter(regs.get(i.b())));
                            kill!(i.b());
                            regs.set(i.a(), value);
                        }
                        Op::ForIter => {
                            let iter = regs.get(i.b());
                            let next = if let Some(range) = iter.downcast_exact::<RangeIterator>() {
                                range.next_small().map(Value::int)
                            } else if let Some(list) = iter.downcast_exact::<ListIter>() {
                                ListIter::next_in_loop::<FREE>(list)
                            } else if let Some(tuple) = iter.downcast_exact::<TupleIter>() {
                                tuple.next_item()
                            } else {
                                save!();
                                if let Some(generator) = iter.downcast_exact::<Generator>() {
                                    // SAFETY: the register of the iterator, a temporary.
                                    let slot = unsafe { regs.0.add(i.b() as usize) };
                                    let body = &generator.body;
                                    let pushed = self.push_generator::<HOOK>(
                                        iter,
                                        body,
                                        Value::NONE,
                                        FrameKind::For,
                                        i.a(),
                                        slot,
                                    );
                                    if pushed.is_ok() {
                                        load!();
                                        continue;
                                    }
                                }
                                check!(self.next(iter))
                            };
                            match next {
                                Some(value) => regs.set(i.a(), value),
                                None => {
                                    save!();
                                    regs.clear(i.b());
                                    jump!(i.c() as i16);
                                }
                            }
                        }

                        // ---- building and unpacking ----
                        Op::BuildTuple => {
                            let n = i.c() as usize;
                            // SAFETY: the operands are temporaries, whose values move over.
                            let value = unsafe { Tuple::from_registers(regs.0.add(i.b() as usize), n) };
                            regs.set(i.a(), value.into_value());
                        }
                        Op::BuildList => {
                            let items = regs.take_many(i.b(), i.c() as usize);
                            regs.set(i.a(), List::new(items).into_value());
                        }
                        Op::ListAppend => {
                            let item = operand!(i.b());
                            if let Some(list) = regs.get(i.a()).downcast_exact::<List>() {
                                save!();
                                check!(list.push(self, item));
                            }
                        }
                        Op::SetAdd => {
                            save!();
                            let item = regs.get(i.b());
                            if let Some(set) = regs.get(i.a()).downcast_exact::<Set>() {
                                check!(set.add(self, item));
                            }
                            kill!(i.b());
                        }
                        Op::UnpackSequence => {
                            save!();
                            if let Some(tuple) = regs.get(i.b()).downcast_exact::<Tuple>()
                                && tuple.as_slice().len() == i.c() as usize
                            {
                                // Out of its register, which may be one of the destinations.
                                let held = operand!(i.b());
                                // SAFETY: the type was checked just now.
                                let tuple = unsafe { held.downcast_unchecked::<Tuple>() };
                                for (j, item) in tuple.as_slice().iter().enumerate() {
                                    regs.set(i.a() + j as u16, item.clone());
                                }
                            } else if !unpack_list(regs, i, nlocals) {
                                // SAFETY: `frame` is the innermost record.
                                check!(self.rare(i, unsafe { &*frame }, regs));
                            }
                        }

                        // ---- calls ----
                        Op::Call => {
                            skip!(1);
                            save!();
                            let callee = regs.get(i.a());
                            let n = i.b() as usize;
                            let has_self = i.k() != 0 && regs.opt(i.a() + 1).is_some();
                            let (first, count) = if has_self { (i.a() + 1, n + 1) } else { (i.a() + 2, n) };
                            let kind = if callee.is_heap() {
                                callee.ty().call_kind()
                            } else {
                                CallKind::Other
                            };
                            if kind == CallKind::Function {
                                // SAFETY: each kind stands for one type, and these are registers of the frame.
                                let (function, slot, args) = unsafe {
                                    let function = callee.downcast_unchecked::<Function>();
                                    (function, regs.0.add(i.a() as usize), regs.0.add(first as usize))
                                };
                                // SAFETY: the arguments are the caller's topmost registers.
                                if unsafe { self.push_exact(frame, function, args, count, i.c(), slot) } {
                                    begin!();
                                    continue;
                                }
                                let kind = FrameKind::Inline;
                                // SAFETY: as above.
                                check!(unsafe { self.push_function(frame, function, args, count, kind, i.c(), slot) });
                                load!();
                                continue;
                            }
                            let args = Args::new(regs.slice(first, count));
                            // Whether the place of the receiver is in use although the instruction does not say so.
                            let mut native_method = false;
                            let result = if kind == CallKind::NativeFunction
                                // SAFETY: as above.
                                && let native = unsafe { callee.downcast_unchecked::<NativeFunction>() }
                                && (native.receiver.is_none() || !has_self)
                            {
                                let args = match &native.receiver {
                                    None => args,
                                    Some(receiver) => {
                                        // It goes into the place between callee and arguments.
                                        regs.set(i.a() + 1, receiver.clone());
                                        native_method = true;
                                        Args::new(regs.slice(i.a() + 1, n + 1))
                                    }
                                };
                                (native.def.func)(self, args)
                            } else if kind == CallKind::MethodDescriptor
                                // SAFETY: as above.
                                && let method = unsafe { callee.downcast_unchecked::<MethodDescriptor>() }
                                && count > 0
                                && args.values[0].has_type(&method.owner)
                            {
                                (method.def.func)(self, args)
                            } else if kind == CallKind::Method
                                // SAFETY: as above.
                                && let bound = unsafe { callee.downcast_unchecked::<Method>() }
                                && !has_self
                                && let Some(function) = bound.function.downcast_exact::<Function>()
                            {
                                // The receiver goes into the place between callee and arguments.
                                let (function, this) = (function.to_value(), bound.receiver.clone());
                                regs.set(i.a() + 1, this);
                                regs.set(i.a(), function);
                                if let Some(function) = regs.get(i.a()).downcast_exact::<Function>() {
                                    let kind = FrameKind::Inline;
                                    // SAFETY: as above.
                                    check!(unsafe {
                                        let slot = regs.0.add(i.a() as usize);
                                        self.push_function(frame, function, slot.add(1), n + 1, kind, i.c(), slot)
                                    });
                                    load!();
                                }
                                continue;
                            } else if kind == CallKind::Type {
                                // SAFETY: as above.
                                match check!(unsafe { self.call_class(frame, callee, regs, i, first, count) }) {
                                    None => {
                                        load!();
                                        continue;
                                    }
                                    Some(value) => Ok(value),
                                }
                            } else {
                                self.call_args(callee, args)
                            };
                            let value = check!(result);
                            regs.clear_object(i.a());
                            if i.k() != 0 || native_method {
                                regs.clear_object(i.a() + 1);
                            }
                            regs.clear_objects(i.a() + 2, n);
                            // SAFETY: an instruction follows, since a call does not end the code.
                            let next = unsafe { Ip::new(pc) };
                            if next.op() == Op::Clear && next.a() == i.a() && i.c() == i.a() {
                                // A call for its effect: the result goes at once.
                                skip!(1);
                                save!();
                                drop(value);
                            } else {
                                regs.set(i.c(), value);
                            }
                            poll_whole!();
                        }
                        Op::CallKw => {
                            let names = &code.consts[cache!(1).load(Relaxed) as usize];
                            skip!(2);
                            save!();
                            // SAFETY: as for `Call`.
                            if check!(unsafe { self.call_keywords(frame, regs, i, names) }) {
                                load!();
                            } else {
                                poll_whole!();
                            }
                        }
                        Op::CallEx => {
                            save!();
                            if check!(self.call_unpacked(regs, i)) {
                                load!();
                            } else {
                                poll_whole!();
                            }
                        }
                        Op::Return => {
                            let value = operand!(i.a());
                            leave!(value, i.b());
                        }
                        Op::ReturnConst => {
                            // SAFETY: as for `LoadConst`.
                            let value = unsafe { code.consts.get_unchecked(i.w() as usize) }.clone();
                            leave!(value, i.a());
                        }

                        // ---- exceptions ----
                        Op::PushExc => {
                            // The unwinder left the exception in R[a+1].
                            let previous = self.handled.swap(regs.opt(i.a() + 1).cloned());
                            // SAFETY: `frame` is the innermost record.
                            let f = unsafe { &mut *frame };
                            if f.generator != 0 {
                                f.handling += 1;
                                if f.handling == 1 {
                                    // What is handled outside may be another when the generator is resumed: looked up when this handler ends.
                                    regs.clear(i.a());
                                    continue;
                                }
                            }
                            regs.set(i.a(), previous.unwrap_or(Value::NONE));
                        }
                        Op::PopExc => {
                            // SAFETY: `frame` is the innermost record.
                            let f = unsafe { &mut *frame };
                            f.handling = f.handling.saturating_sub(1);
                            let previous = match regs.take(i.a()) {
                                Some(previous) => Some(previous).filter(|v| !v.is_none()),
                                None => f.outer_handled(),
                            };
                            save!();
                            drop(self.handled.swap(previous));
                            regs.clear(i.a() + 1);
                        }

                        // ---- generators and coroutines ----
                        Op::ReturnGenerator => {
                            save!();
                            // SAFETY: `frame` is the innermost record.
                            let generator = check!(self.make_generator(unsafe { &mut *frame }));
                            // SAFETY: as above.
                            match check!(unsafe { self.return_from(frame, generator, entry) }) {
                                Flow::Reload => load!(),
                                Flow::Done(value) => return Ok(Some(value)),
                            }
                        }
                        Op::Yield => {
                            let value = operand!(i.b());
                            save!();
                            // SAFETY: `frame` is the innermost record, a generator's: it is suspended, not left.
                            match unsafe { self.suspend::<HOOK>(frame, value, i) } {
                                Flow::Reload => load!(),
                                Flow::Done(value) => return Ok(Some(value)),
                            }
                        }
                        Op::Send => {
                            let mut sent = match regs.take(i.a()) {
                                Some(v) => v,
                                None => Value::NONE,
                            };
                            save!();
                            let iter = regs.get(i.b());
                            let body = if let Some(generator) = iter.downcast_exact::<Generator>() {
                                Some(&generator.body)
                            } else {
                                iter.downcast_exact::<Coroutine>().map(|coroutine| &coroutine.body)
                            };
                            if let Some(body) = body {
                                // SAFETY: the register of the iterator, a temporary.
                                let slot = unsafe { regs.0.add(i.b() as usize) };
                                match self.push_generator::<HOOK>(iter, body, sent, FrameKind::Send, i.a(), slot) {
                                    Ok(()) => {
                                        load!();
                                        continue;
                                    }
                                    Err(back) => sent = back,
                                }
                            }
                            match check!(self.send(iter, sent)) {
                                (value, false) => regs.set(i.a(), value),
                                (value, true) => {
                                    regs.clear(i.b());
                                    regs.set(i.a(), value);
                                    jump!(i.c() as i16);
                                }
                            }
                        }

                        Op::GetYieldFromIter | Op::GetAwaitable => {
                            let source = regs.get(i.b());
                            // A generator, or a coroutine that nobody awaits yet, is its own iterator.
                            let own = if i.op() == Op::GetYieldFromIter {
                                source.downcast_exact::<Generator>().is_some_and(|g| !g.is_awaitable())
                            } else {
                                source.downcast_exact::<Coroutine>().is_some_and(|c| c.body.is_new())
                            };
                            if own {
                                let value = operand!(i.b());
                                regs.set(i.a(), value);
                                continue;
                            }
                            save!();
                            // SAFETY: `frame` is the innermost record.
                            check!(self.rare(i, unsafe { &*frame }, regs));
                        }

                        Op::Reraise | Op::Raise | Op::EndAsyncFor | Op::CleanupThrow => {
                            save!();
                            again = match i.op() {
                                Op::Raise => i.k() == 0 && !self.handled.is_empty(),
                                _ => true,
                            };
                            // SAFETY: `frame` is the innermost record.
                            check!(self.rare(i, unsafe { &*frame }, regs));
                            again = false;
                        }
                        // Each is named: the jump then needs no check of its range.
                        Op::DeleteLocal
                        | Op::LoadCommon
                        | Op::DeleteGlobal
                        | Op::LoadName
                        | Op::StoreName
                        | Op::DeleteName
                        | Op::LoadFromMappingOrGlobal
                        | Op::LoadFromMappingOrDeref
                        | Op::LoadLocals
                        | Op::MakeCell
                        | Op::CopyFreeVars
                        | Op::DeleteDeref
                        | Op::DeleteAttr
                        | Op::LoadSuperAttr
                        | Op::LoadSuperMethod
                        | Op::DelItem
                        | Op::SetSlice
                        | Op::Pos
                        | Op::Invert
                        | Op::GetAIter
                        | Op::GetANext
                        | Op::BuildSet
                        | Op::BuildMap
                        | Op::BuildString
                        | Op::BuildSlice
                        | Op::MapAdd
                        | Op::ListExtend
                        | Op::SetUpdate
                        | Op::DictUpdate
                        | Op::DictMerge
                        | Op::ListToTuple
                        | Op::UnpackEx
                        | Op::MakeFunction
                        | Op::ImportName
                        | Op::ImportFrom
                        | Op::ImportStar
                        | Op::CheckExcMatch
                        | Op::CheckEgMatch
                        | Op::PrepReraiseStar
                        | Op::WithExceptStart
                        | Op::AsyncGenWrap
                        | Op::Convert
                        | Op::FormatSimple
                        | Op::FormatSpec
                        | Op::BuildInterpolation
                        | Op::BuildTemplate
                        | Op::GetLen
                        | Op::MatchMapping
                        | Op::MatchSequence
                        | Op::MatchKeys
                        | Op::MatchClass
                        | Op::Intrinsic1
                        | Op::Intrinsic2
                        | Op::SetupAnnotations => {
                            save!();
                            // SAFETY: `frame` is the innermost record.
                            let ahead = check!(self.rare(i, unsafe { &*frame }, regs));
                            jump!(ahead);
                        }
                    }
                }
            };
            if std::mem::take(&mut again) {
                self.unwind_again(raised, entry)?;
            } else {
                self.unwind(raised, entry)?;
            }
            load!();
        }
    }

    /// A possible switch between any two instructions, at a pseudo-random distance from the last.
    #[cold]
    fn switch_any_point(&self) -> Res<()> {
        let mut x = self.switch_seed.get();
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        self.switch_seed.set(x);
        self.switch_countdown.set((x % 997) as u32 + 1);
        self.thread.yield_now();
        self.safepoint()
    }
}
