//! What begins and ends frames: calls of Python functions and classes from the loop, returns.
//!
//! Invariants: the arguments of a call lie in the caller's topmost registers and become the callee's first ones without being copied (but
//! for callers whose registers are on the heap). Above the named registers of a new frame lie no references: a frame that is left
//! leaves none behind.

use std::cell::Cell;
use std::mem::forget;
use std::ptr::null_mut;
use std::sync::atomic::Ordering::Acquire;

use lisle_bytecode::{CodeFlags, Op};

use super::state::State;
use super::{Flow, Ip, Regs, counts_plainly, drop_plainly, drop_word, drop_word_inline, is_object};
use crate::intern;
use crate::native::Args;
use crate::object::{Native, Obj, Py, Type, TypeFlags, Value};
use crate::types::code::{Code, CodeBody};
use crate::types::dict::Dict;
use crate::types::function::Function;
use crate::types::list::List;
use crate::types::method::Method;
use crate::types::object::Object;
use crate::types::str::Str;
use crate::types::tuple::Tuple;
use crate::vm::frames::{FrameData, FrameKind};
use crate::vm::{Res, Vm};

/// Zeroes `n` words. A call of `memset` would cost more than the few words there are.
///
/// # Safety
/// `at` is writable for `n` words.
#[inline(always)]
unsafe fn zero(at: *mut u64, n: usize) {
    for i in 0..n {
        // SAFETY: by contract.
        unsafe { at.add(i).write_volatile(0) };
    }
}

/// Calls that spread more go the general way, which asks for the memory first.
const MANY: usize = 255;

/// Words that are zeroed at once in the frame of a call. The register stack has room for them above each frame.
const FEW: usize = 4;

/// Where a frame that was pushed just now begins. Its record says so too, but what was written a moment ago is slow to read.
pub(super) struct Pushed {
    pub at: *const u64,
    pub regs: *mut u64,
}

impl Pushed {
    #[inline(always)]
    fn at(code: &CodeBody, regs: *mut u64) -> Pushed {
        Pushed {
            at: code.words.as_ptr().cast(),
            regs,
        }
    }
}

/// The code of a function, borrowed.
#[inline(always)]
fn code_of(f: &Function) -> &Code {
    // SAFETY: a function always has code; it stays (`__code__` assignment leaks the old one), so the borrow lives on.
    unsafe { &(*(f.code.raw().peek_bits() as *const Obj<Code>)).data }
}

impl Vm {
    #[inline(always)]
    fn has_room(&self, base: *mut u64, code: &CodeBody) -> bool {
        self.frames.fits(base, code.nregs as usize) && self.frames.depth.get() < self.recursion_limit()
    }

    #[inline(always)]
    pub(in crate::vm) fn check_room(&self, base: *mut u64, code: &CodeBody) -> Res<()> {
        if self.has_room(base, code) {
            Ok(())
        } else {
            Err(self.too_deep())
        }
    }

    #[cold]
    #[inline(never)]
    fn too_deep(&self) -> crate::vm::Exc {
        self.recursion_error("maximum recursion depth exceeded")
    }

    /// # Safety
    /// The record's registers are initialised, and lie above `top` or on the heap; there is room.
    #[inline(always)]
    pub(crate) unsafe fn push_record(&self, record: FrameData) {
        let depth = self.frames.depth.get();
        if !record.on_heap {
            // SAFETY: the registers were checked to fit.
            self.frames
                .top
                .set(unsafe { record.regs.add((*record.body).nregs as usize) });
        }
        // SAFETY: `fits` left room for one more record.
        unsafe { self.frames.record(depth).write(record) };
        self.frames.depth.set(depth + 1);
    }

    /// The record of a call of `function`.
    #[inline(always)]
    fn record(
        &self,
        function: &Py<Function>,
        code: &CodeBody,
        regs: *mut u64,
        kind: FrameKind,
        dst: u16,
        slot: *mut u64,
    ) -> FrameData {
        FrameData {
            body: code,
            regs,
            at: Cell::new(code.words.as_ptr().cast()),
            dst,
            kind,
            on_heap: false,
            nlocals: code.nlocals,
            globals: function.globals.as_value().bits(),
            builtins: function.builtins.as_value().bits(),
            func: function.as_value().bits(),
            locals: 0,
            frame_object: Cell::new(0),
            callee_slot: slot,
            generator: 0,
            holder: 0,
            outer_handled: 0,
            handling: 0,
            previous_top: self.frames.top.get(),
        }
    }

    /// Pushes the record of a call from the loop, whose first `given` registers hold the arguments.
    ///
    /// # Safety
    /// `frame` is the innermost record; there is room, and no more than [`FEW`] named registers lie behind the arguments.
    #[inline(always)]
    unsafe fn push_few(&self, frame: *mut FrameData, code: &CodeBody, given: usize, record: FrameData) -> Pushed {
        let regs = record.regs;
        // SAFETY: by contract.
        unsafe {
            // Without a loop, and without a call.
            regs.add(given).cast::<[u64; FEW]>().write([0; FEW]);
            frame.add(1).write(record);
            self.frames.top.set(regs.add(code.nregs as usize));
        }
        self.frames.depth.set(self.frames.depth.get() + 1);
        Pushed::at(code, regs)
    }

    /// Pushes the frame of a call from the loop where nothing is to be done about the arguments; `None` if there is, or no room.
    /// `args` are the `count` arguments, the result goes to `R[dst]`, and `slot` is the register to clear after the call.
    ///
    /// # Safety
    /// `frame` is the innermost record; the arguments are its topmost registers.
    #[inline(always)]
    pub(super) unsafe fn push_exact(
        &self,
        frame: *mut FrameData,
        function: &Py<Function>,
        args: *mut u64,
        count: usize,
        dst: u16,
        slot: *mut u64,
    ) -> Option<Pushed> {
        let code = code_of(function);
        // SAFETY: by contract; a code object whose count of arguments is known has its body.
        unsafe {
            if count != code.exact_args.load(Acquire) as usize || (*frame).on_heap {
                return None;
            }
            let code = code.body_unchecked();
            if code.nlocals as usize - count > FEW || !self.has_room(args, code) {
                return None;
            }
            let record = self.record(function, code, args, FrameKind::Inline, dst, slot);
            Some(self.push_few(frame, code, count, record))
        }
    }

    /// As [`Vm::push_exact`], from the frame of a generator: its registers are not on the stack, where the arguments go.
    ///
    /// # Safety
    /// As for [`Vm::push_exact`]; the frame's registers lie on the heap.
    #[inline(always)]
    pub(super) unsafe fn push_from_heap(
        &self,
        frame: *mut FrameData,
        function: &Py<Function>,
        args: *mut u64,
        count: usize,
        dst: u16,
        slot: *mut u64,
    ) -> Option<Pushed> {
        let code = code_of(function);
        // SAFETY: by contract; a code object whose count of arguments is known has its body.
        unsafe {
            if count != code.exact_args.load(Acquire) as usize {
                return None;
            }
            let (code, base) = (code.body_unchecked(), self.frames.top.get());
            if code.nlocals as usize - count > FEW || !self.has_room(base, code) {
                return None;
            }
            self.move_arguments(args, count);
            let record = self.record(function, code, base, FrameKind::Inline, dst, slot);
            Some(self.push_few(frame, code, count, record))
        }
    }

    /// As [`Vm::push_exact`], of a method bound to its receiver, both of this thread, which others hold too: the function takes its place in `R[a]`,
    /// the receiver that in front of the `count` arguments.
    ///
    /// # Safety
    /// As for [`Vm::push_exact`]; `R[a]` holds the method, and the register behind it nothing.
    #[inline(always)]
    pub(super) unsafe fn push_bound_exact(&self, s: State<'_>, method: &Py<Method>, count: usize) -> Option<Pushed> {
        let i = s.i;
        // SAFETY: by contract.
        unsafe {
            let function = method.function.downcast_exact::<Function>()?;
            let code = code_of(function);
            if count + 1 != code.exact_args.load(Acquire) as usize || (*s.frame).on_heap {
                return None;
            }
            let (code, slot) = (code.body_unchecked(), s.regs.0.add(i.a() as usize));
            let args = slot.add(1);
            if code.nlocals as usize - count - 1 > FEW || !self.has_room(args, code) {
                return None;
            }
            let (callee, this, word) = (method.function.bits(), method.receiver.bits(), *slot);
            let hand = s.hand();
            if !counts_plainly(callee, hand) || !counts_plainly(this, hand) || !drop_plainly(word, hand) {
                return None;
            }
            let counted = (s.share(callee).map(forget), s.share(this).map(forget));
            debug_assert!(counted.0.is_some() && counted.1.is_some(), "both count plainly");
            slot.write(callee);
            args.write(this);
            let callee = &*slot.cast::<Py<Function>>();
            let record = self.record(callee, code, args, FrameKind::Inline, i.c(), slot);
            Some(self.push_few(s.frame, code, count + 1, record))
        }
    }

    /// As [`Vm::push_exact`], where the last arguments are the defaults.
    ///
    /// # Safety
    /// As for [`Vm::push_exact`].
    #[inline(always)]
    pub(super) unsafe fn push_with_defaults(
        &self,
        s: State<'_>,
        function: &Py<Function>,
        args: *mut u64,
        count: usize,
        slot: *mut u64,
    ) -> Option<Pushed> {
        let (frame, code, hand) = (s.frame, code_of(function), s.hand());
        let total = code.exact_args.load(Acquire);
        // SAFETY: by contract; a code object whose count of arguments is known has its body. Other threads change the defaults with the world stopped
        // alone (`replace_shared`), and no code runs.
        unsafe {
            if total == u32::MAX || count >= total as usize || (*frame).on_heap {
                return None;
            }
            let (total, code) = (total as usize, code.body_unchecked());
            let defaults = function.defaults.peek().map(|all| all.as_slice())?;
            let missing = total - count;
            let from = defaults.len().checked_sub(missing)?;
            if code.nlocals as usize - total > FEW || !self.has_room(args, code) {
                return None;
            }
            let given = defaults.get_unchecked(from..);
            if !given.iter().all(|value| counts_plainly(value.bits(), hand)) {
                return None;
            }
            for (n, value) in given.iter().enumerate() {
                let counted = s.share(value.bits()).map(forget);
                debug_assert!(counted.is_some(), "counts plainly");
                args.add(count + n).write(value.bits());
            }
            let record = self.record(function, code, args, FrameKind::Inline, s.i.c(), slot);
            Some(self.push_few(frame, code, total, record))
        }
    }

    /// Pushes the frame of a Python function, whose word something holds, for an instruction that computes `R[dst]`, a temporary, from `operands`,
    /// where nothing is to be done about the arguments; the register of the result holds the function meanwhile. `None` if there is, or no room:
    /// nothing was done. Where the kind is for no result, the register is empty afterwards.
    ///
    /// # Safety
    /// The state's frame is the innermost one, and as described. A temporary is an operand once.
    #[inline(always)]
    pub(super) unsafe fn push_with<const N: usize>(
        &self,
        s: State<'_>,
        function: u64,
        operands: [u16; N],
        kind: FrameKind,
        dst: u16,
    ) -> Option<Pushed> {
        let hand = s.hand();
        // SAFETY: by contract; a code object whose count of arguments is known has its body.
        unsafe {
            let callee = &*(&raw const function).cast::<Py<Function>>();
            let code = code_of(callee);
            if code.exact_args.load(Acquire) as usize != N {
                return None;
            }
            let (code, base) = (code.body_unchecked(), self.frames.top.get());
            if code.nlocals as usize - N > FEW || !self.has_room(base, code) {
                return None;
            }
            let counted = operands.iter().all(|&r| counts_plainly(s.regs.word(r), hand));
            if !counted || s.share(function).map(forget).is_none() {
                return None;
            }
            for (n, &r) in operands.iter().enumerate() {
                let given = s.plain_operand(r);
                debug_assert!(given.is_some(), "counts plainly");
                base.add(n).write(given.map_or(0, Value::into_bits));
            }
            let slot = s.regs.0.add(dst as usize);
            let record = self.record(callee, code, base, kind, dst, slot);
            slot.write(function);
            Some(self.push_few(s.frame, code, N, record))
        }
    }

    /// Pushes the frame of a call from the loop, or leaves the result of a call that needs none in `R[dst]`.
    ///
    /// # Safety
    /// `args` are `count` registers of the innermost frame at its top; `slot` is the register to clear after the call.
    #[expect(clippy::too_many_arguments, reason = "the parts of a frame record")]
    #[inline(never)]
    pub(super) unsafe fn push_function(
        &self,
        frame: *mut FrameData,
        function: &Py<Function>,
        args: *mut u64,
        count: usize,
        kind: FrameKind,
        dst: u16,
        slot: *mut u64,
    ) -> Res<()> {
        let code = code_of(function);
        // SAFETY: by contract.
        unsafe {
            if count != code.exact_args.load(Acquire) as usize {
                return self.push_function_slow(frame, function, args, count, kind, dst, slot);
            }
            let code = code.body_unchecked();
            let args = if (*frame).on_heap {
                self.check_room(self.frames.top.get(), code)?;
                self.move_arguments(args, count)
            } else {
                self.check_room(args, code)?;
                args
            };
            zero(args.add(count), code.nlocals as usize - count);
            frame.add(1).write(self.record(function, code, args, kind, dst, slot));
            self.frames.top.set(args.add(code.nregs as usize));
            self.frames.depth.set(self.frames.depth.get() + 1);
        }
        Ok(())
    }

    /// Pushes the frame of `function`, which does what an instruction asks for, with copies of `args`, if it is a Python function that takes
    /// the short way. The result goes to `R[dst]`, and the frame below goes on at `next`.
    ///
    /// # Safety
    /// `frame` is the innermost record, and `next` an instruction of its code.
    pub(super) unsafe fn push_special(
        &self,
        frame: *mut FrameData,
        function: Value,
        args: &[&Value],
        dst: u16,
        next: *const u64,
    ) -> bool {
        let Some(callee) = function.downcast_exact::<Function>() else {
            return false;
        };
        let code = code_of(callee);
        if code.exact_args.load(Acquire) as usize != args.len() {
            return false;
        }
        // SAFETY: by contract; a code object whose count of arguments is known has its body.
        unsafe {
            let body = code.body_unchecked();
            let base = self.frames.top.get();
            if !self.has_room(base, body) {
                return false;
            }
            for (i, arg) in args.iter().enumerate() {
                base.add(i).write((*arg).clone().into_bits());
            }
            zero(base.add(args.len()), body.nlocals as usize - args.len());
            let mut record = self.record(callee, body, base, FrameKind::Special, dst, self.frames.no_slot());
            record.holder = function.into_bits();
            (*frame).at.set(next);
            self.push_record(record);
        }
        true
    }

    /// Moves arguments out of registers on the heap, to where those of a frame begin.
    ///
    /// # Safety
    /// There is room.
    #[inline(never)]
    unsafe fn move_arguments(&self, args: *mut u64, count: usize) -> *mut u64 {
        let base = self.frames.top.get();
        for i in 0..count {
            // SAFETY: by contract; volatile, so that no call of `memcpy` becomes of it.
            unsafe { base.add(i).write_volatile(args.add(i).replace(0)) };
        }
        base
    }

    /// # Safety
    /// As for [`Vm::push_function`].
    #[expect(clippy::too_many_arguments, reason = "the parts of a frame record")]
    #[inline(never)]
    unsafe fn push_function_slow(
        &self,
        frame: *mut FrameData,
        function: &Py<Function>,
        args: *mut u64,
        count: usize,
        kind: FrameKind,
        dst: u16,
        slot: *mut u64,
    ) -> Res<()> {
        // Read once: another thread may give the function other code meanwhile.
        let owner = code_of(function);
        let code: &CodeBody = owner;
        // SAFETY: by contract.
        unsafe {
            let base = if (*frame).on_heap { self.frames.top.get() } else { args };
            self.check_room(base, code)?;
            if kind == FrameKind::Inline
                && let Some(made) = self.made_generator(function, args, count)
            {
                // No frame: the caller goes on with what the call gave.
                let callee = std::mem::take(&mut *slot.cast::<Option<Value>>());
                Regs((*frame).regs).set(dst, made);
                drop(callee);
                return Ok(());
            }
            let (argcount, nlocals) = (code.argcount as usize, code.nlocals as usize);
            let missing = argcount.wrapping_sub(count);
            if code.simple_args && missing <= argcount {
                // Either as many as there are parameters, or some have defaults.
                let defaults = if missing > 0 { function.defaults.get() } else { None };
                let defaults = defaults.as_ref().map_or(&[][..], |d| d.as_slice());
                if let Some(from) = defaults.len().checked_sub(missing) {
                    if base != args {
                        std::ptr::copy_nonoverlapping(args, base, count);
                        std::ptr::write_bytes(args, 0, count);
                    }
                    for (i, value) in defaults[from..].iter().enumerate() {
                        base.add(count + i).write(value.clone().into_bits());
                    }
                    zero(base.add(argcount), nlocals - argcount);
                    self.push_record(self.record(function, code, base, kind, dst, slot));
                    return Ok(());
                }
            }
            if code.takes_rest && self.collect_rest(function, code, args, count, base) {
                self.push_record(self.record(function, code, base, kind, dst, slot));
                return Ok(());
            }
            self.push_moved(frame, function, args, count, kind, dst, slot)
        }
    }

    /// Moves arguments by position to the registers from `base` on, for a function with plain parameters and `*args` or `**kwargs`. `false` if there
    /// are too many or too few: nothing was done.
    ///
    /// # Safety
    /// `args` are `count` registers, which `base` may be too; there is room, and the code takes the rest.
    unsafe fn collect_rest(
        &self,
        function: &Py<Function>,
        code: &CodeBody,
        args: *mut u64,
        count: usize,
        base: *mut u64,
    ) -> bool {
        let (argcount, nlocals) = (code.argcount as usize, code.nlocals as usize);
        let (rest, names) = (
            code.plain.flags.has(CodeFlags::VARARGS),
            code.plain.flags.has(CodeFlags::VARKEYWORDS),
        );
        if count > argcount && !rest {
            return false;
        }
        let missing = argcount.saturating_sub(count);
        let defaults = if missing > 0 { function.defaults.get() } else { None };
        let defaults = defaults.as_ref().map_or(&[][..], |d| d.as_slice());
        let Some(from) = defaults.len().checked_sub(missing) else {
            return false;
        };
        // SAFETY: by contract.
        unsafe {
            let given = count.min(argcount);
            // The others move to a tuple, behind the plain parameters.
            let rest = rest.then(|| Tuple::from_registers(args.add(given), count - given));
            if base != args {
                for i in 0..given {
                    base.add(i).write_volatile(args.add(i).replace(0));
                }
            }
            for (i, value) in defaults[from..].iter().enumerate() {
                base.add(given + i).write(value.clone().into_bits());
            }
            let mut next = argcount;
            if let Some(rest) = rest {
                base.add(next).write(rest.into_value().into_bits());
                next += 1;
            }
            if names {
                base.add(next).write(Dict::new_empty().into_value().into_bits());
                next += 1;
            }
            zero(base.add(next), nlocals - next);
        }
        true
    }

    /// As [`Vm::push_function`], for parameters of any kind: the arguments are moved out of the way, then bound.
    ///
    /// # Safety
    /// As for [`Vm::push_function`]; there is room.
    #[expect(clippy::too_many_arguments, reason = "the parts of a frame record")]
    #[inline(never)]
    unsafe fn push_moved(
        &self,
        frame: *mut FrameData,
        function: &Py<Function>,
        args: *mut u64,
        count: usize,
        kind: FrameKind,
        dst: u16,
        slot: *mut u64,
    ) -> Res<()> {
        let code = code_of(function);
        // SAFETY: by contract.
        unsafe {
            let base = if (*frame).on_heap { self.frames.top.get() } else { args };
            self.check_room(base, code)?;
            let values: smallvec::SmallVec<[Value; 8]> = (0..count)
                .filter_map(|j| std::mem::take(&mut *args.add(j).cast::<Option<Value>>()))
                .collect();
            std::ptr::write_bytes(base, 0, code.nregs as usize);
            self.bind(function, code, Args::new(&values), base)?;
            self.push_record(self.record(function, code, base, kind, dst, slot));
        }
        Ok(())
    }

    /// Pushes the frame of a call with keywords if each names a plain parameter that has no value yet and no value is missing: the arguments
    /// move to their places. `false`: nothing was done.
    ///
    /// # Safety
    /// As for [`Vm::push_function`], where `at` is the place of `args`.
    #[expect(clippy::too_many_arguments, reason = "the parts of a frame record")]
    unsafe fn push_named(
        &self,
        frame: *mut FrameData,
        function: &Py<Function>,
        at: *mut u64,
        args: Args<'_>,
        kind: FrameKind,
        dst: u16,
        slot: *mut u64,
    ) -> bool {
        let code = code_of(function);
        let body: &CodeBody = code;
        let total = (body.argcount + body.kwonly) as usize;
        let given = args.positional().len();
        let names = args.kwnames.map_or(&[][..], |names| names.as_slice());
        if code.has(CodeFlags::VARARGS | CodeFlags::VARKEYWORDS)
            || code.makes_generator()
            || given > body.argcount as usize
            || total >= u64::BITS as usize
            // SAFETY: the innermost record.
            || unsafe { (*frame).on_heap }
            || !self.has_room(at, body)
        {
            return false;
        }
        // Where the values go, and which parameters have one: first all names are looked up, then values moved.
        const NAMES: usize = 8;
        if names.len() > NAMES {
            return false;
        }
        let posonly = body.plain.posonlyargcount as usize;
        let mut bound: u64 = (1 << given) - 1;
        let mut places = [(0u16, 0u64); NAMES];
        for (n, name) in names.iter().enumerate() {
            let same = |parameter: &Py<Str>| parameter.as_value().bits() == name.bits();
            let Some(i) = body.varnames[posonly..total].iter().position(same) else {
                return false;
            };
            let i = posonly + i;
            if bound >> i & 1 != 0 {
                return false;
            }
            bound |= 1 << i;
            // SAFETY: the values of keywords follow the others.
            places[n] = (i as u16, unsafe { *at.add(given + n) });
        }
        let places = &places[..names.len()];
        // SAFETY: by contract; there is room, and no more arguments than parameters. Each parameter gets one value.
        unsafe {
            zero(at.add(given), body.nlocals as usize - given);
            for &(i, word) in places {
                at.add(i as usize).write(word);
            }
            let missing = ((1u64 << total) - 1) & !bound;
            if missing != 0 && !self.fill_defaults(function, body, at, missing) {
                for &(i, _) in places {
                    at.add(i as usize).write(0);
                }
                for (n, &(_, word)) in places.iter().enumerate() {
                    at.add(given + n).write(word);
                }
                return false;
            }
            self.push_record(self.record(function, body, at, kind, dst, slot));
        }
        true
    }

    /// Gives the parameters of the mask, which are unbound, their defaults. `false` if one has none: they are unbound again.
    ///
    /// # Safety
    /// The parameters are registers from `at` on.
    unsafe fn fill_defaults(&self, function: &Py<Function>, body: &CodeBody, at: *mut u64, missing: u64) -> bool {
        let (defaults, kwdefaults) = (function.defaults.get(), function.kwdefaults.get());
        let defaults = defaults.as_ref().map_or(&[][..], |d| d.as_slice());
        let argcount = body.argcount as usize;
        let mut rest = missing;
        while rest != 0 {
            let i = rest.trailing_zeros() as usize;
            let value = if i < argcount {
                defaults.len().checked_sub(argcount - i).map(|n| defaults[n].clone())
            } else {
                kwdefaults.as_ref().and_then(|d| d.get_str(&body.varnames[i]))
            };
            // SAFETY: by contract.
            unsafe {
                let Some(value) = value else {
                    let mut filled = missing & !rest;
                    while filled != 0 {
                        let place = at.add(filled.trailing_zeros() as usize).cast::<Option<Value>>();
                        drop(std::mem::take(&mut *place));
                        filled &= filled - 1;
                    }
                    return false;
                };
                at.add(i).write(value.into_bits());
            }
            rest &= rest - 1;
        }
        true
    }

    /// What a call of a generator function gives, if nothing is to be done about the arguments.
    ///
    /// # Safety
    /// `args` are `count` registers, which are moved out of.
    #[inline]
    pub(super) unsafe fn made_generator(&self, function: &Py<Function>, args: *mut u64, count: usize) -> Option<Value> {
        // Read once: another thread may give the function other code meanwhile.
        let code = code_of(function);
        if !code.makes_generator() {
            return None;
        }
        // SAFETY: by contract.
        unsafe { self.call_generator_function(function, &code.borrowed_object(), args, count) }
    }

    /// Binds `args` to a frame above all others and pushes it.
    ///
    /// # Safety
    /// As for [`Vm::push_function`], but `args` may be anywhere.
    unsafe fn push_bound(
        &self,
        function: &Py<Function>,
        args: Args<'_>,
        kind: FrameKind,
        dst: u16,
        slot: *mut u64,
    ) -> Res<()> {
        // Read once: another thread may give the function other code meanwhile.
        let owner = code_of(function);
        let code: &CodeBody = owner;
        let base = self.frames.top.get();
        self.check_room(base, code)?;
        // SAFETY: there is room for the registers above `top`.
        unsafe {
            zero(base, code.nregs as usize);
            self.bind(function, owner, args, base)?;
            self.push_record(self.record(function, code, base, kind, dst, slot));
        }
        Ok(())
    }

    /// `CallKw`. Whether a frame was pushed.
    ///
    /// # Safety
    /// `frame` is the innermost record with registers `regs`.
    #[inline(never)]
    pub(super) unsafe fn call_keywords(&self, frame: *mut FrameData, regs: Regs, i: Ip, names: &Value) -> Res<bool> {
        let callee = regs.get(i.a());
        let n = i.b() as usize;
        let has_self = i.k() != 0 && regs.opt(i.a() + 1).is_some();
        let (first, count) = if has_self { (i.a() + 1, n + 1) } else { (i.a() + 2, n) };
        // SAFETY: names of keyword arguments are a tuple constant.
        let kwnames = unsafe { names.downcast_unchecked::<Tuple>() };
        let args = Args::with_names(regs.slice(first, count), kwnames);
        let clear = || (0..count as u16).for_each(|j| regs.clear(first + j));
        // SAFETY: registers of the frame.
        let (slot, at) = unsafe { (regs.0.add(i.a() as usize), regs.0.add(first as usize)) };
        if let Some(function) = callee.downcast_exact::<Function>() {
            // SAFETY: by contract.
            unsafe {
                if !self.push_named(frame, function, at, args, FrameKind::Inline, i.c(), slot) {
                    self.push_bound(function, args, FrameKind::Inline, i.c(), slot)?;
                    clear();
                }
            }
            return Ok(true);
        }
        if i.k() == 0
            && let Some(cls) = Vm::plain_class(callee)
            && let Some(init) = self.plain_init(cls)
        {
            let instance = crate::types::object::new_instance(cls);
            regs.set(i.a() + 1, instance.clone());
            let args = Args::with_names(regs.slice(i.a() + 1, n + 1), kwnames);
            // SAFETY: the type was checked by `plain_init`.
            let function = unsafe { init.downcast_unchecked::<Function>() };
            // SAFETY: by contract.
            unsafe {
                if !self.push_named(frame, function, slot.add(1), args, FrameKind::Init, i.c(), slot) {
                    self.push_bound(function, args, FrameKind::Init, i.c(), slot)?;
                    clear();
                    regs.clear(i.a() + 1);
                }
            }
            regs.set(i.a(), instance);
            // SAFETY: the record pushed just now.
            unsafe { (*self.frames.record(self.frames.depth.get() - 1)).holder = init.into_bits() };
            return Ok(true);
        }
        let value = self.call_args(callee, args)?;
        clear();
        regs.clear(i.a());
        regs.set(i.c(), value);
        Ok(false)
    }

    /// `CallEx`. Whether a frame was pushed.
    #[inline(never)]
    pub(super) fn call_unpacked(&self, regs: Regs, i: Ip) -> Res<bool> {
        let callee = regs.get(i.a());
        if i.b() == 0
            && (i.k() == 0 || regs.opt(i.a() + 1).is_none())
            && let Some(function) = callee.downcast_exact::<Function>()
            && let Some(values) = regs.get(i.a() + 2).downcast_exact::<Tuple>()
        {
            // SAFETY: a register of the frame, which holds the function as long as the frame above lasts.
            let slot = unsafe { regs.0.add(i.a() as usize) };
            // SAFETY: as above.
            if unsafe { self.push_spread(function, None, values, None, FrameKind::Inline, i.c(), slot)? } {
                regs.clear(i.a() + 2);
                return Ok(true);
            }
        }
        let this = if i.k() != 0 { regs.opt(i.a() + 1) } else { None };
        let kwargs = if i.b() != 0 { regs.opt(i.a() + 3) } else { None };
        // SAFETY: a register of the frame.
        if unsafe { self.push_unpacked(callee, this, kwargs, regs, i)? } {
            // Without a receiver its place was never written.
            let first = if i.k() != 0 { i.a() + 1 } else { i.a() + 2 };
            (first..i.a() + 3 + i.b()).for_each(|r| regs.clear(r));
            return Ok(true);
        }
        let value = self.call_ex(callee, this, regs.get(i.a() + 2), kwargs)?;
        if i.b() != 0 {
            regs.clear(i.a() + 3);
        }
        regs.clear(i.a() + 2);
        if i.k() != 0 {
            regs.clear(i.a() + 1);
        }
        regs.clear(i.a());
        regs.set(i.c(), value);
        Ok(false)
    }

    /// Pushes the frame of a call with arguments from a tuple, a list or a dict, of a function, a bound method or a class. `false` if it has none
    /// or the arguments are in something else: nothing was done.
    ///
    /// # Safety
    /// The registers are those of the innermost frame, whose `CallEx` `i` is.
    unsafe fn push_unpacked(
        &self,
        callee: &Value,
        this: Option<&Value>,
        kwargs: Option<&Value>,
        regs: Regs,
        i: Ip,
    ) -> Res<bool> {
        let mut values = Values::new();
        let mut class = None;
        let function = if callee.downcast_exact::<Function>().is_some() {
            values.extend(this.cloned());
            callee.clone()
        } else if this.is_some() {
            return Ok(false);
        } else if let Some(method) = callee.downcast_exact::<Method>() {
            values.push(method.receiver.clone());
            method.function.clone()
        } else if let Some(cls) = Vm::plain_class(callee)
            && let Some(init) = self.plain_init(cls)
        {
            class = Some(cls);
            // The instance is made when all else is known to be there.
            values.push(Value::NONE);
            init
        } else {
            return Ok(false);
        };
        let Some(callee) = function.downcast_exact::<Function>() else {
            return Ok(false);
        };
        let kind = if class.is_some() {
            FrameKind::Init
        } else {
            FrameKind::Inline
        };
        // SAFETY: a register of the frame, which holds the function or what it comes from as long as the frame above lasts.
        let slot = unsafe { regs.0.add(i.a() as usize) };
        let named = kwargs.map(|kwargs| kwargs.downcast_exact::<Dict>());
        if let Some(items) = regs.get(i.a() + 2).downcast_exact::<Tuple>()
            && (named.is_none() || named.flatten().is_some())
            // SAFETY: as above.
            && unsafe { self.push_spread(callee, values.first(), items.as_slice(), named.flatten(), kind, i.c(), slot)? }
        {
            if let Some(cls) = class {
                // SAFETY: the record was pushed just now; its first register holds None.
                unsafe { self.begin_init(&function, crate::types::object::new_instance(cls), regs, i, true) };
            }
            return Ok(true);
        }
        if !self.unpack_positional(regs.get(i.a() + 2), &mut values)? {
            return Ok(false);
        }
        let names = match kwargs {
            None => None,
            Some(kwargs) => match kwargs
                .downcast_exact::<Dict>()
                .map(|kwargs| unpack_keywords(kwargs, &mut values))
            {
                Some(Some(names)) => names,
                _ => return Ok(false),
            },
        };
        let made = class.map(crate::types::object::new_instance);
        if let Some(instance) = &made {
            values[0] = instance.clone();
        }
        // SAFETY: as above.
        unsafe {
            let code = code_of(callee);
            if names.is_none() && code.exact_args.load(Acquire) as usize == values.len() {
                let (base, body, count) = (self.frames.top.get(), code.body_unchecked(), values.len());
                self.check_room(base, body)?;
                for (j, value) in values.into_iter().enumerate() {
                    base.add(j).write(value.into_bits());
                }
                zero(base.add(count), body.nlocals as usize - count);
                self.push_record(self.record(callee, body, base, kind, i.c(), slot));
            } else {
                let args = Args {
                    values: &values,
                    kwnames: names.as_ref(),
                };
                self.push_bound(callee, args, kind, i.c(), slot)?;
            }
            if let Some(instance) = made {
                self.begin_init(&function, instance, regs, i, false);
            }
        }
        Ok(true)
    }

    /// The frame pushed just now is of the `__init__` of an instance: the record keeps the function, the register of the callee the instance, which is
    /// the result. The frame has it as its first argument, or `None` where it is `due`.
    ///
    /// # Safety
    /// The registers are those of the frame whose `CallEx` `i` is.
    unsafe fn begin_init(&self, init: &Value, instance: Value, regs: Regs, i: Ip, due: bool) {
        // SAFETY: by contract.
        unsafe {
            let record = &mut *self.frames.record(self.frames.depth.get() - 1);
            record.holder = init.clone().into_bits();
            if due {
                record.regs.write(instance.clone().into_bits());
            }
        }
        regs.set(i.a(), instance);
    }

    /// Pushes the frame of a function: values go where they belong at once. `false`, where that cannot be told so easily: nothing was done.
    ///
    /// # Safety
    /// `slot` will hold the function.
    #[expect(clippy::too_many_arguments, reason = "the parts of a call and of a frame record")]
    unsafe fn push_spread(
        &self,
        function: &Py<Function>,
        this: Option<&Value>,
        values: &[Value],
        kwargs: Option<&Py<Dict>>,
        kind: FrameKind,
        dst: u16,
        slot: *mut u64,
    ) -> Res<bool> {
        let code = code_of(function);
        let body: &CodeBody = code;
        let (argcount, first) = (body.argcount as usize, usize::from(this.is_some()));
        let total = argcount + body.kwonly as usize;
        let given = (values.len() + first).min(argcount);
        let (rest, names) = (code.has(CodeFlags::VARARGS), code.has(CodeFlags::VARKEYWORDS));
        if code.makes_generator()
            || total >= u64::BITS as usize
            || values.len().max(kwargs.map_or(0, |kwargs| kwargs.len())) > MANY
            || given < first
            || values.len() + first > given && !rest
        {
            return Ok(false);
        }
        let base = self.frames.top.get();
        self.check_room(base, body)?;
        let posonly = body.plain.posonlyargcount as usize;
        let mut bound: u64 = (1 << given) - 1;
        // SAFETY: there is room for the registers above `top`, which hold nothing.
        unsafe {
            zero(base.add(given), body.nlocals as usize - given);
            let (plain, more) = values.split_at(given - first);
            for (n, value) in this.into_iter().chain(plain).enumerate() {
                base.add(n).write(value.clone().into_bits());
            }
            if rest {
                let more = Tuple::from_slice_clone(more);
                base.add(total).write(more.into_value().into_bits());
            }
            let others = names.then(Dict::new_empty);
            let mut at = 0;
            let mut fits = true;
            while fits && let Some((_, key, value)) = kwargs.and_then(|dict| dict.next_entry(&mut at)) {
                let same = |parameter: &Py<Str>| parameter.as_value().bits() == key.bits();
                match (body.varnames[posonly..total].iter().position(same), &others) {
                    (Some(n), _) if bound >> (posonly + n) & 1 == 0 => {
                        base.add(posonly + n).write(value.into_bits());
                        bound |= 1 << (posonly + n);
                    }
                    // What is interned differs from all parameters' names if it is none of them.
                    (None, Some(others)) => match key.downcast_exact::<Str>().filter(|key| key.is_interned()) {
                        Some(key) => others.set_str(key, value),
                        None => fits = false,
                    },
                    _ => fits = false,
                }
            }
            if let Some(others) = others {
                base.add(total + usize::from(rest))
                    .write(others.into_value().into_bits());
            }
            let missing = ((1u64 << total) - 1) & !bound;
            if !fits || missing != 0 && !self.fill_defaults(function, body, base, missing) {
                // All leave the registers before one is dropped: another thread may have changed the mapping, and what ends here may run code whose
                // frame lies at `base`.
                let taken: Values = (0..total + usize::from(rest) + usize::from(names))
                    .filter_map(|n| std::mem::take(&mut *base.add(n).cast::<Option<Value>>()))
                    .collect();
                drop(taken);
                return Ok(false);
            }
            self.push_record(self.record(function, body, base, kind, dst, slot));
        }
        Ok(true)
    }

    /// The arguments of a call that are in a tuple or list. `false` if they are in something else.
    pub(in crate::vm) fn unpack_positional(&self, positional: &Value, values: &mut Values) -> Res<bool> {
        if let Some(items) = positional.downcast_exact::<Tuple>() {
            self.check_arguments(items.len())?;
            values.extend(items.iter().cloned());
            return Ok(true);
        }
        let Some(list) = positional.downcast_exact::<List>() else {
            return Ok(false);
        };
        self.check_arguments(list.len())?;
        list.with(|items| values.extend(items.iter().cloned()));
        Ok(true)
    }

    /// The class that is called, if its metaclass leaves that to `type`.
    #[inline]
    pub(super) fn plain_class(callee: &Value) -> Option<&Py<Type>> {
        let class = callee.downcast::<Type>()?;
        let call = |ty: &Py<Type>| ty.slots().call.map(|f| f as usize);
        (callee.has_type(Type::ty()) || call(callee.ty()) == call(Type::ty())).then_some(class)
    }

    /// Whether instances of the class are made by `object.__new__`, which does nothing but that.
    #[inline]
    fn is_made_plainly(cls: &Py<Type>) -> bool {
        cls.slots().new.map(|f| f as usize) == Object::ty().slots().new.map(|f| f as usize)
            && !cls.has_flag(TypeFlags::ABSTRACT)
            // `object.__new__` decides about classes with another payload.
            && std::ptr::eq(cls.info, Object::info())
    }

    /// Whether the class has the `__init__` of `object`.
    #[inline(always)]
    pub(super) fn has_object_init(cls: &Py<Type>) -> bool {
        cls.slots().init.map(|f| f as usize) == Object::ty().slots().init.map(|f| f as usize)
    }

    /// Whether a call of the class without arguments makes an instance and does nothing else.
    #[inline]
    pub(super) fn makes_empty(cls: &Py<Type>) -> bool {
        Vm::is_made_plainly(cls) && Vm::has_object_init(cls)
    }

    /// `__init__` of a class whose instances are made plainly, if it is a Python function.
    #[inline]
    fn plain_init(&self, cls: &Py<Type>) -> Option<Value> {
        if !Vm::is_made_plainly(cls) {
            return None;
        }
        let init = cls.lookup(self, intern!("__init__"))?;
        init.downcast_exact::<Function>().is_some().then_some(init)
    }

    /// Pushes the frame of the `__init__` of a class whose instances are made plainly, if it is a Python function, nothing is to be done about the
    /// `count` arguments, which follow two registers of the call.
    ///
    /// # Safety
    /// As for [`Vm::push_exact`]; the callee is a class, and the register behind it holds nothing.
    #[inline(always)]
    pub(super) unsafe fn push_new(&self, s: State<'_>, count: usize) -> Option<Pushed> {
        let i = s.i;
        // SAFETY: by contract; a code object whose count of arguments is known has its body.
        unsafe {
            let class = s.get(i.a()).downcast_unchecked::<Type>();
            if (*s.frame).on_heap || !Vm::is_made_plainly(class) {
                return None;
            }
            let init = self.special_function(class, intern!("__init__"))?;
            let function = &*(&raw const init).cast::<Py<Function>>();
            let code = code_of(function);
            if count + 1 != code.exact_args.load(Acquire) as usize {
                return None;
            }
            let (code, slot) = (code.body_unchecked(), s.regs.0.add(i.a() as usize));
            let args = slot.add(1);
            if code.nlocals as usize - count - 1 > FEW || !self.has_room(args, code) {
                return None;
            }
            // The class may lose it meanwhile: the record holds it.
            let holder = s.share(init)?.into_bits();
            let instance = crate::types::object::new_instance(class);
            args.write(instance.clone().into_bits());
            let class = std::mem::replace(&mut *slot, instance.into_bits());
            let function = &*(&raw const holder).cast::<Py<Function>>();
            let mut record = self.record(function, code, args, FrameKind::Init, i.c(), slot);
            record.holder = holder;
            let pushed = self.push_few(s.frame, code, count + 1, record);
            // The instance holds the class.
            drop_word(class);
            Some(pushed)
        }
    }

    /// Calls a class from the loop. `None`: a frame for its `__init__` was pushed.
    ///
    /// # Safety
    /// As for [`Vm::push_function`]; the callee is a class.
    #[inline(never)]
    pub(super) unsafe fn call_class(
        &self,
        frame: *mut FrameData,
        callee: &Value,
        regs: Regs,
        i: Ip,
        first: u16,
        count: usize,
    ) -> Res<Option<Value>> {
        // SAFETY: by contract.
        let cls = unsafe { callee.downcast_unchecked::<Type>() };
        if i.k() == 0
            && first == i.a() + 2
            && let Some(init) = self.plain_init(cls)
        {
            let instance = crate::types::object::new_instance(cls);
            // Registers: R[a] keeps the instance for the result, R[a+1] becomes `self`, the arguments follow.
            // SAFETY: by contract these are the frame's topmost registers; the class stays alive through its instance,
            // the function through the record.
            unsafe {
                let function = init.downcast_unchecked::<Function>();
                let a = regs.0.add(i.a() as usize);
                *a.add(1) = instance.clone().into_bits();
                let class_word = std::mem::replace(&mut *a, instance.into_bits());
                let pushed = self.push_function(frame, function, a.add(1), count + 1, FrameKind::Init, i.c(), a);
                if pushed.is_ok() {
                    let record = self.frames.record(self.frames.depth.get() - 1);
                    (*record).holder = init.into_bits();
                }
                drop(Value::from_bits(class_word));
                pushed?;
            }
            return Ok(None);
        }
        if count == 0 && Vm::makes_empty(cls) {
            return Ok(Some(crate::types::object::new_instance(cls)));
        }
        let args = regs.slice(first, count);
        if let [source] = args
            && let Some(copied) = self.copied_sequence(cls, source)
        {
            return copied.map(Some);
        }
        self.call_args(callee, Args::new(args)).map(Some)
    }

    /// `list(source)` and `tuple(source)` of lists and tuples, for which no iterator is needed.
    fn copied_sequence(&self, cls: &Py<Type>, source: &Value) -> Option<Res<Value>> {
        let (to_list, to_tuple) = (cls.is(List::ty()), cls.is(Tuple::ty()));
        if !to_list && !to_tuple {
            return None;
        }
        if source.downcast_exact::<Tuple>().is_some() {
            if to_tuple {
                return Some(Ok(source.clone()));
            }
        } else {
            let list = source.downcast_exact::<List>()?;
            if to_tuple {
                let copied = Tuple::of_list(list).ok_or_else(|| self.memory_error());
                return Some(copied.map(Py::into_value));
            }
        }
        Some(self.collect(source).map(|items| List::new(items).into_value()))
    }

    /// Ends the innermost frame, which an instruction of the frame below pushed and of which nobody has a frame object: hands `value` to
    /// that.
    ///
    /// # Safety
    /// `frame` is the innermost record, and as described.
    pub(super) unsafe fn return_plainly(&self, frame: *mut FrameData, value: Value) {
        // SAFETY: by contract.
        unsafe {
            let f = &*frame;
            let (regs, n, top, slot, dst) = (f.regs, f.body().nregs, f.previous_top, f.callee_slot, f.dst);
            // First, as in `leave_frame`.
            self.frames.depth.set(self.frames.depth.get() - 1);
            clear_registers(regs, n as usize);
            self.frames.top.set(top);
            let caller = Regs((*frame.sub(1)).regs);
            let callee = std::mem::take(&mut *slot);
            caller.set(dst, value);
            if callee != 0 {
                drop_word_inline(callee);
            }
        }
    }

    /// The frame of a generator that an instruction of the frame below resumed ends: that instruction goes on behind its loop.
    ///
    /// # Safety
    /// As for [`Vm::return_from`].
    #[inline(never)]
    unsafe fn return_generator(&self, frame: *mut FrameData, value: Value) -> Flow {
        // SAFETY: by contract; the generator is in the caller's register `callee_slot`.
        unsafe {
            // What is dropped below may run code, whose frames take the place of this record.
            let (slot, dst, kind, generator) = ((*frame).callee_slot, (*frame).dst, (*frame).kind, (*frame).generator);
            self.leave_frame_holding(frame, registers_held(&*frame));
            let caller = frame.sub(1);
            let at = (*caller).at.get();
            (*caller).at.set(at.offset(Ip::new(at.sub(1)).c() as i16 as isize));
            self.generator_left(generator);
            *slot = 0;
            if kind == FrameKind::Send {
                Regs((*caller).regs).set(dst, value);
            } else {
                drop(value);
            }
            drop_word(generator);
        }
        Flow::Reload
    }

    /// Ends the innermost frame: hands `value` to whoever called.
    ///
    /// # Safety
    /// `frame` is the innermost record, and lies above the one that the loop was entered for, or is it (number `entry`).
    #[inline(never)]
    pub(super) unsafe fn return_from(&self, frame: *mut FrameData, value: Value, entry: usize) -> Res<Flow> {
        // SAFETY: by contract; the registers are this thread's.
        unsafe {
            let kind = (*frame).kind;
            if matches!(kind, FrameKind::For | FrameKind::Send) {
                return Ok(self.return_generator(frame, value));
            }
            let (slot, dst) = ((*frame).callee_slot.cast::<Option<Value>>(), (*frame).dst);
            self.leave_frame(frame);
            if self.frames.depth.get() < entry {
                return Ok(Flow::Done(value));
            }
            let caller = self.frames.record(self.frames.depth.get() - 1);
            let regs = Regs((*caller).regs);
            match kind {
                FrameKind::Init => {
                    let instance = std::mem::take(&mut *slot);
                    if !value.is_none() {
                        drop(instance);
                        return Err(
                            self.type_error(format!("__init__() should return None, not '{}'", value.ty().name()))
                        );
                    }
                    if let Some(instance) = instance {
                        regs.set(dst, instance);
                    }
                }
                FrameKind::Effect => {
                    let callee = std::mem::take(&mut *slot);
                    drop(value);
                    drop(callee);
                }
                _ => {
                    let callee = std::mem::take(&mut *slot);
                    regs.set(dst, value);
                    drop(callee);
                }
            }
            Ok(Flow::Reload)
        }
    }

    /// Takes the innermost frame off the stack, and drops what its registers hold: finalizers do not find the frame, as in CPython, so that none
    /// makes an object for it that would outlive the record. Their own frames take the place of the record, and lie above the registers.
    ///
    /// # Safety
    /// `frame` is the innermost record.
    #[inline]
    pub(in crate::vm) unsafe fn leave_frame(&self, frame: *mut FrameData) {
        // SAFETY: by contract.
        unsafe { self.leave_frame_holding(frame, (*frame).body().nregs as usize) }
    }

    /// As [`Vm::leave_frame`], of a frame whose registers from number `held` on hold no reference.
    ///
    /// # Safety
    /// As described.
    #[inline]
    unsafe fn leave_frame_holding(&self, frame: *mut FrameData, held: usize) {
        // SAFETY: by contract.
        unsafe {
            let f = &mut *frame;
            if f.frame_object.get() != 0 {
                self.detach_frame_object(f);
            }
            let (regs, top) = (f.regs, (!f.on_heap).then_some(f.previous_top));
            let holder = std::mem::take(&mut f.holder);
            self.frames.depth.set(self.frames.depth.get() - 1);
            clear_registers(regs, held);
            if let Some(top) = top {
                self.frames.top.set(top);
            }
            if holder != 0 {
                drop_word(holder);
            }
        }
    }

    /// A record for code that is entered from Rust.
    pub(in crate::vm) fn entry_record(&self, function: &Py<Function>, code: &CodeBody, locals: u64) -> FrameData {
        FrameData {
            locals,
            ..self.record(function, code, self.frames.top.get(), FrameKind::Entry, 0, null_mut())
        }
    }
}

/// From which register on a frame that returns holds nothing: its place is behind the instruction, which says so.
///
/// # Safety
/// The frame's code ran up to its place.
#[inline]
unsafe fn registers_held(f: &FrameData) -> usize {
    // SAFETY: by contract.
    let i = unsafe { Ip::new(f.at.get().sub(1)) };
    let held = match i.op() {
        Op::Return => i.b() as usize,
        Op::ReturnConst => i.a() as usize,
        _ => f.body().nregs as usize,
    };
    debug_assert!(
        (held..f.body().nregs as usize).all(|i| f.reg(i).as_ref().is_none_or(|v| !v.is_heap())),
        "the compiler knows which registers are in use"
    );
    held
}

/// Drops what the registers of a frame hold.
///
/// # Safety
/// `regs` are `n` registers of a frame that is being left.
#[inline(always)]
unsafe fn clear_registers(regs: *mut u64, n: usize) {
    for i in 0..n {
        // SAFETY: by contract.
        unsafe {
            let at = regs.add(i);
            let word = *at;
            if is_object(word) {
                std::hint::cold_path();
                *at = 0;
                drop_word(word);
            }
        }
    }
}

/// The arguments of a call.
type Values = smallvec::SmallVec<[Value; 8]>;

/// Appends the values of keywords, which are in a dict, and gives their names, if there are any; `None` where some are no plain strings.
fn unpack_keywords(kwargs: &Py<Dict>, values: &mut Values) -> Option<Option<Py<Tuple>>> {
    if kwargs.is_empty() {
        return Some(None);
    }
    let (mut names, mut at) = (Values::new(), 0);
    while let Some((_, name, value)) = kwargs.next_entry(&mut at) {
        name.downcast_exact::<Str>()?;
        names.push(name);
        values.push(value);
    }
    Some(Some(Tuple::from_slice_clone(&names)).filter(|names| !names.is_empty()))
}
