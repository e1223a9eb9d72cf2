//! Raising: contexts, tracebacks, and the search for a handler.

use lisle_bytecode::{Instr, Op};

use super::frames::{FrameData, FrameKind};
use super::interp::Regs;
use super::{Exc, Res, Vm};
use crate::object::{Py, Value};
use crate::types::exceptions::BaseException;
use crate::types::frame::Frame;
use crate::types::traceback::Traceback;

impl Vm {
    /// The exception that a `raise` statement with an operand raises.
    pub(super) fn raise(&self, value: Option<Value>, cause: Option<Value>) -> Exc {
        let Some(value) = value else {
            return self.runtime_error("No active exception to reraise");
        };
        let exc = match self.exception_from_class_or_instance(&value) {
            Ok(exc) => exc,
            Err(exc) => return exc,
        };
        if let Some(cause) = cause {
            let cause = if cause.is_none() {
                Value::NONE
            } else {
                let is_class = cause.downcast::<crate::object::Type>().is_some();
                match self.exception_from_class_or_instance(&cause) {
                    Ok(exc) => exc.into_value(),
                    Err(_) if !is_class => {
                        return self.type_error("exception causes must derive from BaseException");
                    }
                    Err(exc) => return exc,
                }
            };
            let base = exc.object();
            base.cause.set(cause);
            base.suppress_context.store(true, std::sync::atomic::Ordering::Relaxed);
        }
        self.chain_context(&exc);
        exc
    }

    /// Sets `__context__` of a newly raised exception to the one being handled, without making a cycle.
    pub(crate) fn chain_context(&self, exc: &Exc) {
        let Some(handled) = self.handled.get() else { return };
        if handled.is(exc.value()) {
            return;
        }
        // A chain that leads back to `exc` is cut there; the second walker finds loops that others made.
        let mut at = handled.clone();
        let mut slow = handled.clone();
        let mut step = false;
        while let Some(base) = at.downcast::<BaseException>() {
            let Some(context) = base.context.get() else { break };
            if context.is(exc.value()) {
                drop(base.context.swap(None));
                break;
            }
            at = context;
            if step && let Some(next) = slow.downcast::<BaseException>().and_then(|b| b.context.get()) {
                slow = next;
            }
            step = !step;
            if at.is(&slow) {
                break;
            }
        }
        exc.object().context.set(handled);
    }

    /// Finds the handler of an exception raised in the innermost frame: leaves that frame ready to go on there, or leaves all
    /// frames down to the one number `entry` and returns the exception.
    pub(super) fn unwind(&self, exc: Exc, entry: usize) -> Res<()> {
        let fresh = exc.object().traceback.is_empty();
        if fresh && exc.object().context.is_empty() {
            self.chain_context(&exc);
        }
        self.find_handler(exc, entry, true)
    }

    /// As [`Vm::unwind`], for an exception that has been raised in the innermost frame before.
    pub(super) fn unwind_again(&self, exc: Exc, entry: usize) -> Res<()> {
        self.find_handler(exc, entry, false)
    }

    /// A frame that is left by an exception raised again shows where it was raised first.
    fn show_first_raise(&self, exc: &Exc, f: &FrameData) {
        let word = f.code().words[f.pc().saturating_sub(1) as usize].load(std::sync::atomic::Ordering::Relaxed);
        let i = Instr(word);
        if i.op_number() == Op::Raise as u8 {
            return;
        }
        if i.op_number() == Op::Reraise as u8 && i.k() == 0 {
            self.show_statement(f);
            return;
        }
        let Some(frame) = f.frame_object() else { return };
        if let Some(top) = exc.object().traceback.get()
            && let Some(top) = top.downcast::<Traceback>()
            && top.frame.is(&frame)
            && (top.pc as usize + 1) < f.code().words.len()
        {
            f.set_pc(top.pc + 1);
        }
    }

    fn find_handler(&self, mut exc: Exc, entry: usize, mut add: bool) -> Res<()> {
        loop {
            let depth = self.frames.depth.get();
            let frame = self.frames.record(depth - 1);
            // SAFETY: the innermost record is initialised.
            let f = unsafe { &mut *frame };
            // SAFETY: the code is alive while its frame is on the stack.
            let code = unsafe { &*f.body };
            let pc = f.pc().saturating_sub(1);
            let again = !std::mem::replace(&mut add, true);
            if !again {
                self.add_traceback(&exc, f, pc);
            }
            if self.is_watched() {
                exc = self.observe_raise(f, exc, again);
            }
            if let Some(entry_row) = code.plain.handler(pc) {
                let regs = Regs(f.regs);
                for i in entry_row.depth..code.nregs as u16 {
                    regs.clear(i);
                }
                if self.is_watched()
                    && let Err(other) = self.observe_handler(f, exc.value())
                {
                    // Raised where the handler begins.
                    f.set_pc(entry_row.target + 1);
                    exc = other;
                    continue;
                }
                regs.set(entry_row.depth + 1, exc.into_value());
                f.set_pc(entry_row.target);
                return Ok(());
            }
            if again {
                self.show_first_raise(&exc, f);
            }
            if self.is_watched() {
                exc = self.observe_unwind(f, exc);
            }
            let kind = f.kind;
            let generator = f.generator;
            let slot = f.callee_slot.cast::<Option<Value>>();
            if generator != 0 {
                exc = self.generator_failed(f, exc);
            }
            // SAFETY: the innermost record.
            unsafe { self.leave_frame(frame) };
            if matches!(kind, FrameKind::For | FrameKind::Send) {
                // SAFETY: it is in the register `slot`.
                unsafe { self.generator_left(generator) };
            }
            if self.frames.depth.get() < entry {
                return Err(exc);
            }
            debug_assert!(
                kind != FrameKind::Entry,
                "an entry frame ends the loop that it was made for"
            );
            // SAFETY: the caller's register.
            drop(unsafe { std::mem::take(&mut *slot) });
        }
    }

    fn add_traceback(&self, exc: &Exc, f: &FrameData, pc: u32) {
        let frame = self.frame_object_of(f);
        let base = exc.object();
        let next = base.traceback.get();
        base.traceback.set(Traceback::new_value(next, frame, pc));
    }

    /// The frame object of a record, made when it is first asked for.
    pub fn frame_object_of(&self, f: &FrameData) -> Py<Frame> {
        if let Some(frame) = f.frame_object() {
            return frame;
        }
        let frame = Frame::new(self, f);
        f.frame_object.set(frame.clone().into_value().into_bits());
        frame
    }

    /// The frame `n` levels out from the innermost Python frame; native functions have none.
    pub fn frame_nth(&self, n: usize) -> Option<Py<Frame>> {
        self.frames.nth(n).map(|f| self.frame_object_of(f))
    }

    /// Cuts the tie between a frame that is left and its frame object, which keeps the local variables.
    pub(super) fn detach_frame_object(&self, f: &mut FrameData) {
        let frame = match f.frame_object.replace(0) {
            0 => return,
            // SAFETY: the record owned this reference. It is the only one unless somebody else has the frame object.
            bits => unsafe { Value::from_bits(bits) },
        };
        if let Ok(frame) = frame.try_into_py::<Frame>() {
            frame.finish(f);
        }
    }

    /// Goes on in the innermost frame, a generator's, as if it had raised `exc` where it was suspended.
    pub(crate) fn run_throwing(&self, exc: Exc) -> Res<Value> {
        let entry = self.frames.depth.get();
        // SAFETY: the innermost record is initialised.
        let handling = unsafe { (*self.frames.record(entry - 1)).handling } > 0;
        // What is handled outside of the generator is no context of what is thrown into it.
        if handling {
            self.chain_context(&exc);
        }
        self.find_handler(exc, entry, true)?;
        self.run()
    }

    /// `except <matcher>`.
    pub(super) fn exception_matches(&self, exc: &Value, matcher: &Value) -> Res<bool> {
        use crate::object::{Type, TypeFlags};
        let check = |v: &Value| -> Res<bool> {
            match v.downcast::<Type>() {
                Some(cls) if cls.has_flag(TypeFlags::EXCEPTION_SUBCLASS) => Ok(exc.ty().is_subclass(cls)),
                _ => Err(self.type_error("catching classes that do not inherit from BaseException is not allowed")),
            }
        };
        match matcher.downcast::<crate::types::tuple::Tuple>() {
            Some(tuple) => {
                let mut found = false;
                for item in tuple.as_slice() {
                    found |= check(item)?;
                }
                Ok(found)
            }
            None => check(matcher),
        }
    }

    /// Reports an exception that cannot be raised: `sys.unraisablehook`.
    pub fn unraisable(&self, exc: Exc, message: Option<&str>, object: Option<&Value>) {
        if exc.object().traceback.is_empty()
            && let Some(frame) = self.frames.current()
        {
            self.add_traceback(&exc, frame, frame.pc().saturating_sub(1));
        }
        crate::interp::unraisable(self, exc, message, object);
    }

    /// As [`Vm::unraisable`], for what was done to `object`: "Exception ignored while <doing> <object>".
    pub fn unraisable_while(&self, exc: Exc, doing: &str, object: &Value) {
        match self.repr(object) {
            Ok(shown) => {
                let message = format!("Exception ignored while {doing} {}", shown.to_string_lossy());
                self.unraisable(exc, Some(&message), None);
            }
            Err(_) => self.unraisable(exc, None, None),
        }
    }

    /// `sys.exception()`.
    pub fn handled_exception(&self) -> Option<Value> {
        self.handled.get()
    }
}
