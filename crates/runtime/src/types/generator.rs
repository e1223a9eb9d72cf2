//! Generators, and what they share with coroutines (`coroutine`) and asynchronous generators (`async_generator`): a frame on the heap
//! that is resumed.
//!
//! Invariant: `state` is one atomic word; whoever moves it from created or suspended to running owns the registers until it is moved back.
//! The loser of two threads gets `ValueError: generator already executing`. Who only looks at the registers moves it to
//! `INSPECTED` for that moment, and others wait.

use std::cell::UnsafeCell;
use std::sync::atomic::AtomicU8;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};

use lisle_bytecode::{CodeFlags, Instr, Op};

use crate::intern;
use crate::memory::trace::{Trace, Visitor};
use crate::native::{pyclass, pymethods};
use crate::object::{Py, PySlot, Slot, Type, Value};
use crate::types::code::Code;
use crate::types::coroutine::Coroutine;
use crate::types::dict::Dict;
use crate::types::exceptions;
use crate::types::frame::Frame;
use crate::types::function::Function;
use crate::types::str::Str;
use crate::vm::frames::{FrameData, FrameKind};
use crate::vm::interp::{Flow, Regs};
use crate::vm::{Exc, Res, Vm};

pub const CREATED: u8 = 0;
pub const SUSPENDED: u8 = 1;
pub const RUNNING: u8 = 2;
pub const FINISHED: u8 = 3;
/// A thread is looking at the registers: native code without a safepoint.
const INSPECTED: u8 = 4;

/// Registers of a suspended frame.
pub struct Registers(UnsafeCell<Box<[u64]>>);

// SAFETY: only the thread that set the state to running touches them, or the collector with the world stopped.
unsafe impl Sync for Registers {}
// SAFETY: as above.
unsafe impl Send for Registers {}

impl Trace for Registers {
    fn traverse(&self, visit: &mut Visitor<'_>) {
        // SAFETY: traversal happens with the world stopped; registers of a running generator are consistent at a safepoint.
        let words = unsafe { &*self.0.get() };
        for word in words.iter() {
            if word & 7 == 0
                && let Some(header) = std::ptr::NonNull::new(*word as *mut crate::memory::header::Header)
            {
                visit.object(header);
            }
        }
    }
}

impl Drop for Registers {
    fn drop(&mut self) {
        for word in self.0.get_mut().iter_mut() {
            let bits = std::mem::take(word);
            if bits & 7 == 0 && bits != 0 {
                // SAFETY: a heap word in a register is an owned reference.
                drop(unsafe { Value::from_bits(bits) });
            }
        }
    }
}

/// The part that generators, coroutines and asynchronous generators share.
#[repr(C)]
pub struct GeneratorBody {
    pub state: AtomicU8,
    registers: Registers,
    pc: std::sync::atomic::AtomicU32,
    /// The register that gets what is sent.
    send_to: std::sync::atomic::AtomicU32,
    pub code: Py<Code>,
    globals: Py<Dict>,
    builtins: Py<Dict>,
    func: Slot,
    pub name: PySlot<Str>,
    pub qualname: PySlot<Str>,
    frame: PySlot<Frame>,
    /// `sys.exception()` inside the generator while it is suspended.
    handled: Slot,
    /// In how many `except` blocks of its own it is suspended.
    handling: std::sync::atomic::AtomicU32,
    /// `cr_origin`.
    pub origin: Slot,
}

impl Trace for GeneratorBody {
    fn traverse(&self, visit: &mut Visitor<'_>) {
        self.registers.traverse(visit);
        self.code.traverse(visit);
        self.globals.traverse(visit);
        self.builtins.traverse(visit);
        self.func.traverse(visit);
        self.name.traverse(visit);
        self.qualname.traverse(visit);
        self.frame.traverse(visit);
        self.handled.traverse(visit);
        self.origin.traverse(visit);
    }
    fn clear(&self, out: &mut Vec<Value>) {
        self.release_frame();
        self.func.clear(out);
        self.frame.clear(out);
        self.handled.clear(out);
        self.origin.clear(out);
        if self.state.swap(FINISHED, AcqRel) != RUNNING {
            // SAFETY: the state was not running, so nobody else is at the registers.
            let words = unsafe { &mut *self.registers.0.get() };
            for word in words.iter_mut() {
                let bits = std::mem::take(word);
                if bits & 7 == 0 && bits != 0 {
                    // SAFETY: an owned reference.
                    out.push(unsafe { Value::from_bits(bits) });
                }
            }
        }
    }
}

impl Drop for GeneratorBody {
    fn drop(&mut self) {
        self.release_frame();
    }
}

/// How a generator is resumed.
pub enum Input {
    Send(Value),
    Throw(Exc),
}

/// What a resumed generator did.
pub enum Output {
    Yield(Value),
    Return(Value),
}

/// A generator.
#[pyclass(name = "generator", no_new, weakref)]
pub struct Generator {
    pub body: GeneratorBody,
}

/// The body of any of the three kinds.
pub fn body_of(value: &Value) -> Option<&GeneratorBody> {
    if let Some(g) = value.downcast_exact::<Generator>() {
        return Some(&g.body);
    }
    if let Some(g) = value.downcast_exact::<Coroutine>() {
        return Some(&g.body);
    }
    value
        .downcast_exact::<super::async_generator::AsyncGenerator>()
        .map(|g| &g.body)
}

/// What kind of thing it is, for messages.
pub fn kind_of(body: &GeneratorBody) -> &'static str {
    if body.code.has(CodeFlags::COROUTINE) {
        "coroutine"
    } else if body.code.has(CodeFlags::ASYNC_GENERATOR) {
        "async generator"
    } else {
        "generator"
    }
}

/// A value that an asynchronous generator yields, told apart from what it awaits.
pub fn wrap_async_value(value: Value) -> Value {
    super::async_generator::WrappedValue::new_value(value)
}

/// The first `n` registers of a suspended generator.
pub fn suspended_registers(generator: &Value, n: usize) -> Option<Vec<Option<Value>>> {
    body_of(generator)?.inspect(|words| {
        let held = words.iter().take(n).map(|w| {
            // SAFETY: a register word is 0 or a value's, which stays in the register.
            let held = std::mem::ManuallyDrop::new((*w != 0).then(|| unsafe { Value::from_bits(*w) }));
            (*held).clone()
        });
        held.collect()
    })
}

/// Replaces register `i` of a suspended generator; gives the value back if it is not suspended.
pub fn set_suspended_register(generator: &Value, i: usize, value: Value) -> Result<(), Value> {
    let Some(body) = body_of(generator) else {
        return Err(value);
    };
    let mut value = Some(value);
    let old = body.inspect(|words| {
        let bits = value.take().map_or(0, Value::into_bits);
        words.get_mut(i).map_or(bits, |word| std::mem::replace(word, bits))
    });
    if let Some(bits) = old
        && bits != 0
    {
        // SAFETY: the register owned the reference.
        drop(unsafe { Value::from_bits(bits) });
    }
    value.map_or(Ok(()), Err)
}

impl GeneratorBody {
    /// The frame object must not lead here any more.
    fn release_frame(&self) {
        if let Some(frame) = self.frame.get() {
            frame.forget_generator();
        }
    }

    /// What `state` is when nobody is just looking.
    pub fn settled_state(&self) -> u8 {
        loop {
            match self.state.load(Acquire) {
                INSPECTED => std::hint::spin_loop(),
                state => return state,
            }
        }
    }

    /// Calls `f` with the registers of a generator that does not run and has not ended. `f` runs no Python code.
    fn inspect<R>(&self, f: impl FnOnce(&mut [u64]) -> R) -> Option<R> {
        loop {
            let state = self.settled_state();
            if matches!(state, RUNNING | FINISHED) {
                return None;
            }
            if self.state.compare_exchange(state, INSPECTED, AcqRel, Acquire).is_ok() {
                // SAFETY: nobody else gets at the registers in this state.
                let result = f(unsafe { &mut *self.registers.0.get() });
                self.state.store(state, Release);
                return Some(result);
            }
        }
    }

    /// Takes the generator over from `state`; false if another thread was faster.
    fn claim(&self, state: u8) -> bool {
        loop {
            match self.state.compare_exchange(state, RUNNING, AcqRel, Acquire) {
                Ok(_) => return true,
                Err(INSPECTED) => std::hint::spin_loop(),
                Err(_) => return false,
            }
        }
    }

    /// The iterator that a suspended `yield from` or `await` delegates to.
    pub fn delegate(&self) -> Option<Value> {
        if self.settled_state() != SUSPENDED {
            return None;
        }
        self.inspect(|words| self.delegate_in(words)).flatten()
    }

    /// The iterator that the `yield from` or `await` at which execution stopped delegates to.
    fn delegate_in(&self, words: &[u64]) -> Option<Value> {
        let pc = self.pc.load(Relaxed) as usize;
        let yielded = Instr(self.code.words.get(pc.checked_sub(1)?)?.load(Relaxed));
        if yielded.op_number() != Op::Yield as u8 || yielded.k() != 1 {
            return None;
        }
        let send = Instr(self.code.words.get(pc.checked_sub(2)?)?.load(Relaxed));
        if send.op_number() != Op::Send as u8 {
            return None;
        }
        let word = *words.get(send.b() as usize)?;
        // SAFETY: a register word is 0 or a value's, which stays in the register.
        let held = std::mem::ManuallyDrop::new((word != 0).then(|| unsafe { Value::from_bits(word) }));
        (*held).clone()
    }

    /// Moves the state from created or suspended to running; `false` when another thread was faster.
    #[inline(always)]
    fn start(&self, from: u8) -> bool {
        if !crate::sync::mode::parallel() {
            self.state.store(RUNNING, Relaxed);
            return true;
        }
        self.state.compare_exchange(from, RUNNING, AcqRel, Acquire).is_ok()
    }

    /// The frame object, `None` when finished.
    pub fn frame_object(&self, vm: &Vm, this: &Value) -> Option<Py<Frame>> {
        if self.settled_state() == FINISHED {
            return None;
        }
        if let Some(frame) = self.frame.get() {
            return Some(frame);
        }
        if let Some(f) = (0..vm.frames.depth.get())
            .rev()
            // SAFETY: records below the depth are initialised.
            .map(|i| unsafe { &*vm.frames.record(i) })
            .find(|f| f.generator == this.bits())
        {
            return Some(vm.frame_object_of(f));
        }
        // A suspended frame: a record made up for the purpose, then taken away again.
        let record = self.record(this, 0, FrameKind::Generator);
        let frame = Frame::new(vm, &record);
        frame.suspend(&record);
        self.frame.set(frame.clone());
        Some(frame)
    }

    fn record(&self, this: &Value, dst: u16, kind: FrameKind) -> FrameData {
        FrameData {
            body: &raw const **self.code,
            // SAFETY: the registers' box does not move while the generator lives.
            regs: unsafe { (*self.registers.0.get()).as_mut_ptr() },
            // SAFETY: a suspended generator's place is within its code.
            at: std::cell::Cell::new(unsafe {
                self.code
                    .words
                    .as_ptr()
                    .cast::<u64>()
                    .add(self.pc.load(Relaxed) as usize)
            }),
            dst,
            kind,
            on_heap: true,
            globals: self.globals.as_value().bits(),
            builtins: self.builtins.as_value().bits(),
            func: self.func.peek_bits(),
            locals: 0,
            frame_object: std::cell::Cell::new(0),
            callee_slot: std::ptr::null_mut(),
            generator: this.bits(),
            holder: 0,
            outer_handled: 0,
            handling: self.handling.load(Relaxed),
            previous_top: std::ptr::null_mut(),
        }
    }
}

/// The frame object of a generator that is suspended stays with it.
#[cold]
fn suspend_frame_object(f: &FrameData, body: &GeneratorBody) {
    let Some(object) = f.frame_object() else { return };
    object.suspend(f);
    let bits = f.frame_object.replace(0);
    // SAFETY: the record owned this reference.
    drop(unsafe { Value::from_bits(bits) });
    if body.frame.is_empty() {
        body.frame.set(object);
    }
}

impl Vm {
    /// Turns the running frame into a generator object.
    pub(crate) fn make_generator(&self, f: &mut FrameData) -> Res<Value> {
        let code: &Code = f.code();
        let n = code.nregs as usize;
        let mut registers = vec![0u64; n].into_boxed_slice();
        for (i, word) in registers.iter_mut().enumerate() {
            // SAFETY: the frame's own registers; the references move over.
            unsafe {
                *word = *f.regs.add(i);
                *f.regs.add(i) = 0;
            }
        }
        let flags = code.flags;
        let func = f.func().cloned();
        let function = func.as_ref().and_then(|v| v.downcast_exact::<Function>());
        // The frame's, whatever code the function has by now.
        let code = code.to_object();
        let name = function.and_then(|f| f.name.get()).unwrap_or_else(|| code.name.clone());
        let qualname = function
            .and_then(|f| f.qualname.get())
            .unwrap_or_else(|| code.qualname.clone());
        let body = GeneratorBody {
            state: AtomicU8::new(CREATED),
            registers: Registers(UnsafeCell::new(registers)),
            pc: std::sync::atomic::AtomicU32::new(f.pc()),
            send_to: std::sync::atomic::AtomicU32::new(u32::MAX),
            code,
            globals: f.globals().clone(),
            builtins: f.builtins().clone(),
            func: Slot::from_option(func.clone()),
            name: PySlot::new(name),
            qualname: PySlot::new(qualname),
            frame: PySlot::empty(),
            handled: Slot::empty(),
            handling: std::sync::atomic::AtomicU32::new(0),
            origin: Slot::empty(),
        };
        Ok(if flags & CodeFlags::COROUTINE != 0 {
            Coroutine::new_value(self, body)
        } else if flags & CodeFlags::ASYNC_GENERATOR != 0 {
            super::async_generator::AsyncGenerator::new_value(body)
        } else {
            Py::new(Generator { body }).into_value()
        })
    }

    /// Resumes a generator until it yields or returns.
    pub fn resume(&self, this: &Value, input: Input) -> Res<Output> {
        let Some(body) = body_of(this) else {
            return Err(self.system_error("not a generator"));
        };
        let from = body.settled_state();
        match from {
            RUNNING => return Err(already_executing(self, body)),
            FINISHED => {
                return match input {
                    _ if body.code.has(CodeFlags::COROUTINE) => {
                        Err(self.runtime_error("cannot reuse already awaited coroutine"))
                    }
                    Input::Throw(exc) => Err(exc),
                    Input::Send(_) => Ok(Output::Return(Value::NONE)),
                };
            }
            _ => {}
        }
        if from == CREATED
            && let Input::Send(value) = &input
            && !value.is_none()
        {
            let kind = kind_of(body);
            return Err(self.type_error(format!("can't send non-None value to a just-started {kind}")));
        }
        if !body.claim(from) {
            return Err(already_executing(self, body));
        }
        self.resume_claimed(this, body, from, input)
    }

    /// Resumes a generator that this thread moved from `from` to the running state.
    fn resume_claimed(&self, this: &Value, body: &GeneratorBody, from: u8, input: Input) -> Res<Output> {
        let room = self.frames.fits(self.frames.top.get(), 64) && self.frames.depth.get() < self.recursion_limit();
        let guard = self.enter_recursive("");
        if !room || guard.is_err() {
            body.state.store(from, Release);
            return Err(self.recursion_error("maximum recursion depth exceeded"));
        }
        let previous = self.handled.get();
        if let Some(inner) = body.handled.take() {
            drop(self.handled.swap(Some(inner)));
        }
        let mut record = body.record(this, 0, FrameKind::Generator);
        record.outer_handled = previous.as_ref().map_or(0, Value::bits);
        self.yielded.set(false);
        let frame_object = body.frame.get();
        let level = self.frames.depth.get();
        // SAFETY: there is room for a record; the registers are this thread's since the state is running.
        unsafe { self.push_record(record) };
        if let Some(frame) = &frame_object {
            // SAFETY: just pushed.
            let f = unsafe { &*self.frames.record(level) };
            frame.resume(self, f, level);
            f.frame_object.set(frame.clone().into_value().into_bits());
        }
        let result = match input {
            Input::Send(value) => {
                let to = body.send_to.load(Relaxed);
                if to != u32::MAX {
                    // SAFETY: the register that the suspended `Yield` named.
                    let old = unsafe {
                        let words = &mut *body.registers.0.get();
                        std::mem::replace(&mut words[to as usize], value.into_bits())
                    };
                    if old != 0 {
                        // SAFETY: the register owned the reference.
                        drop(unsafe { Value::from_bits(old) });
                    }
                }
                self.run()
            }
            Input::Throw(exc) => self.run_throwing(exc),
        };
        let inner = self.handled.swap(previous);
        match result {
            Ok(value) => {
                if !self.yielded.replace(false) {
                    drop(inner);
                    self.finish_generator(body);
                    Ok(Output::Return(value))
                } else {
                    // `suspend` has set the state; what was handled inside stays with the generator.
                    Ok(Output::Yield(value))
                }
            }
            Err(exc) => {
                drop(inner);
                self.finish_generator(body);
                Err(exc)
            }
        }
    }

    fn finish_generator(&self, body: &GeneratorBody) {
        body.state.store(FINISHED, Release);
        body.release_frame();
        drop(body.frame.swap(None));
        drop(body.func.take());
    }

    /// Pushes the frame of a generator that the loop can run itself; gives the sent value back when `resume` must do it: the generator
    /// runs already or is finished, or it has a frame object, or exceptions are being handled inside or outside.
    ///
    /// `iter` is the generator of `body`, in the register `slot` of the innermost frame; `dst` gets what it yields.
    #[inline]
    pub(crate) fn push_generator(
        &self,
        iter: &Value,
        body: &GeneratorBody,
        sent: Value,
        kind: FrameKind,
        dst: u16,
        slot: *mut u64,
    ) -> Result<(), Value> {
        let from = body.state.load(Acquire);
        if from > SUSPENDED
            || from == CREATED && !sent.is_none()
            || !body.frame.is_empty()
            || !body.handled.is_empty()
            || !self.handled.is_empty()
            || !self.frames.fits(self.frames.top.get(), 64)
            || self.frames.depth.get() >= self.recursion_limit()
            || !body.start(from)
        {
            return Err(sent);
        }
        let mut record = body.record(iter, dst, kind);
        record.callee_slot = slot;
        let to = body.send_to.load(Relaxed);
        if to != u32::MAX {
            // The register that the suspended `Yield` named; the registers are this thread's since the state is running.
            Regs(record.regs).set(to as u16, sent);
        }
        // SAFETY: there is room for a record.
        unsafe { self.push_record(record) };
        Ok(())
    }

    /// The frame of a generator that [`Vm::push_generator`] pushed has been left for good.
    pub(crate) fn generator_left(&self, f: &FrameData) {
        if !self.handled.is_empty() {
            drop(self.handled.take());
        }
        if let Some(body) = f.generator().and_then(body_of) {
            self.finish_generator(body);
        }
    }

    /// Suspends the running generator frame with `value`.
    ///
    /// # Safety
    /// `frame` is the innermost record, a generator's.
    #[inline]
    pub(crate) unsafe fn suspend(&self, frame: *mut FrameData, value: Value, dst: u16) -> Flow {
        // SAFETY: by contract.
        let f = unsafe { &*frame };
        if let Some(this) = f.generator()
            && let Some(body) = body_of(this)
        {
            body.pc.store(f.pc(), Relaxed);
            body.send_to.store(dst.into(), Relaxed);
            if f.frame_object.get() != 0 {
                suspend_frame_object(f, body);
            }
            let from_loop = f.kind != FrameKind::Generator;
            if !self.handled.is_empty() {
                // Only what is handled inside stays with the generator.
                body.handling.store(f.handling, Relaxed);
                let handled = self.handled.get().filter(|_| f.handling > 0);
                drop(body.handled.swap(handled));
                if from_loop {
                    drop(self.handled.take());
                }
            }
            self.frames.depth.set(self.frames.depth.get() - 1);
            if from_loop {
                // SAFETY: the record below is that of the frame whose instruction resumed the generator.
                let caller = Regs(unsafe { (*frame.sub(1)).regs });
                let to = f.dst;
                body.state.store(SUSPENDED, Release);
                caller.set(to, value);
                return Flow::Reload;
            }
            self.yielded.set(true);
            body.state.store(SUSPENDED, Release);
        }
        Flow::Done(value)
    }

    /// An exception leaves a generator's frame: StopIteration becomes RuntimeError.
    pub(crate) fn generator_failed(&self, f: &FrameData, exc: Exc) -> Exc {
        let asynchronous = f.code().has(CodeFlags::ASYNC_GENERATOR);
        let coroutine = f.code().has(CodeFlags::COROUTINE);
        let message = if exc.is_instance(exceptions::STOP_ITERATION.get()) {
            if asynchronous {
                "async generator raised StopIteration"
            } else if coroutine {
                "coroutine raised StopIteration"
            } else {
                "generator raised StopIteration"
            }
        } else if asynchronous && exc.is_instance(exceptions::STOP_ASYNC_ITERATION.get()) {
            "async generator raised StopAsyncIteration"
        } else {
            return exc;
        };
        let outer = self.runtime_error(message);
        let base = outer.object();
        base.cause.set(exc.value().clone());
        base.context.set(exc.into_value());
        base.suppress_context.store(true, Relaxed);
        outer
    }

    /// `yield from` and `await`: one step of the iterator. The flag says that it returned.
    pub(crate) fn send(&self, iter: &Value, value: Value) -> Res<(Value, bool)> {
        if iter.downcast_exact::<Generator>().is_some() || iter.downcast_exact::<Coroutine>().is_some() {
            return Ok(match self.resume(iter, Input::Send(value))? {
                Output::Yield(v) => (v, false),
                Output::Return(v) => (v, true),
            });
        }
        let result = if value.is_none() && iter.ty().slots().next.is_some() {
            match iter.ty().slots().next {
                Some(next) => match next(self, iter) {
                    Ok(Some(v)) => Ok(v),
                    Ok(None) => return Ok((Value::NONE, true)),
                    Err(exc) => Err(exc),
                },
                None => Ok(Value::NONE),
            }
        } else {
            self.call_method(iter, intern!("send"), &[value])
        };
        match result {
            Ok(v) => Ok((v, false)),
            Err(exc) if exc.is_instance(exceptions::STOP_ITERATION.get()) => {
                Ok((exc.stop_iteration_value().unwrap_or(Value::NONE), true))
            }
            Err(exc) => Err(exc),
        }
    }

    /// `generator.throw`.
    pub fn throw_into(&self, this: &Value, exc: Exc) -> Res<Output> {
        self.throw_exception(this, exc, true)
    }

    /// `generator.throw`; `closes` says whether a `GeneratorExit` closes the iterator that is delegated to, instead of being
    /// thrown into it.
    pub fn throw_exception(&self, this: &Value, exc: Exc, closes: bool) -> Res<Output> {
        let Some(body) = body_of(this) else {
            return Err(self.system_error("not a generator"));
        };
        if body.settled_state() != SUSPENDED {
            // Where nothing has run yet, the exception is raised at the start.
            return self.resume(this, Input::Throw(exc));
        }
        if !body.claim(SUSPENDED) {
            return Err(already_executing(self, body));
        }
        // SAFETY: the state is running, so the registers are this thread's.
        let inner = body.delegate_in(unsafe { &*body.registers.0.get() });
        let Some(inner) = inner else {
            return self.resume_claimed(this, body, SUSPENDED, Input::Throw(exc));
        };
        match self.throw_delegate(this, body, &inner, exc, closes) {
            Ok(Output::Yield(v)) => {
                body.state.store(SUSPENDED, Release);
                Ok(Output::Yield(v))
            }
            Ok(Output::Return(v)) => self.resume_after_delegate(this, body, v),
            Err(exc) => self.resume_claimed(this, body, SUSPENDED, Input::Throw(exc)),
        }
    }

    /// The delegate returned during a throw: execution goes on after the `Send`. The state is running.
    fn resume_after_delegate(&self, this: &Value, body: &GeneratorBody, value: Value) -> Res<Output> {
        let pc = body.pc.load(Relaxed);
        let at = pc as usize;
        let send = Instr(body.code.words[at - 2].load(Relaxed));
        let target = (at - 1) as i64 + i64::from(send.c() as i16);
        body.pc.store(target as u32, Relaxed);
        // SAFETY: the state is running, so the registers are this thread's.
        let old = unsafe {
            let words = &mut *body.registers.0.get();
            std::mem::take(&mut words[send.b() as usize])
        };
        if old != 0 {
            // SAFETY: an owned reference.
            drop(unsafe { Value::from_bits(old) });
        }
        body.send_to.store(send.a().into(), Relaxed);
        self.resume_claimed(this, body, SUSPENDED, Input::Send(value))
    }

    /// Throws into what a generator delegates to. Meanwhile the generator's frame is on the stack, so that it shows in tracebacks
    /// and counts against the recursion limit.
    fn throw_delegate(&self, this: &Value, body: &GeneratorBody, inner: &Value, exc: Exc, closes: bool) -> Res<Output> {
        let _guard = self.enter_recursive("")?;
        if !self.frames.fits(self.frames.top.get(), 64) || self.frames.depth.get() >= self.recursion_limit() {
            return Err(self.recursion_error("maximum recursion depth exceeded"));
        }
        let level = self.frames.depth.get();
        let record = body.record(this, 0, FrameKind::Generator);
        // SAFETY: there is room for a record; the registers are this thread's since the state is running.
        unsafe { self.push_record(record) };
        // SAFETY: just pushed.
        let f = unsafe { &*self.frames.record(level) };
        if let Some(frame) = body.frame.get() {
            frame.resume(self, f, level);
            f.frame_object.set(frame.into_value().into_bits());
        }
        let result = self.throw_into_iterator(inner, exc, closes);
        if let Some(object) = f.frame_object() {
            object.suspend(f);
            let bits = f.frame_object.replace(0);
            // SAFETY: the record owned this reference.
            drop(unsafe { Value::from_bits(bits) });
            if body.frame.is_empty() {
                body.frame.set(object);
            }
        }
        self.frames.depth.set(level);
        result
    }

    fn throw_into_iterator(&self, inner: &Value, exc: Exc, closes: bool) -> Res<Output> {
        if closes && exc.is_instance(exceptions::GENERATOR_EXIT.get()) {
            self.close_iterator(inner)?;
            return Err(exc);
        }
        if inner.downcast_exact::<Generator>().is_some() || inner.downcast_exact::<Coroutine>().is_some() {
            return self.throw_exception(inner, exc, closes);
        }
        match self.getattr_opt(inner, intern!("throw"))? {
            None => Err(exc),
            Some(throw) => match self.call(&throw, &[exc.into_value()]) {
                Ok(v) => Ok(Output::Yield(v)),
                Err(e) if e.is_instance(exceptions::STOP_ITERATION.get()) => {
                    Ok(Output::Return(e.stop_iteration_value().unwrap_or(Value::NONE)))
                }
                Err(e) => Err(e),
            },
        }
    }

    fn close_iterator(&self, inner: &Value) -> Res<()> {
        if inner.downcast_exact::<Generator>().is_some() || inner.downcast_exact::<Coroutine>().is_some() {
            return self.close_generator(inner).map(drop);
        }
        match self.getattr_opt(inner, intern!("close")) {
            Ok(Some(close)) => self.call(&close, &[]).map(drop),
            Ok(None) => Ok(()),
            Err(exc) => {
                self.unraisable_while(exc, "closing generator", inner);
                Ok(())
            }
        }
    }

    /// `generator.close()`.
    pub fn close_generator(&self, this: &Value) -> Res<Value> {
        let Some(body) = body_of(this) else {
            return Ok(Value::NONE);
        };
        match body.settled_state() {
            CREATED => {
                if body.claim(CREATED) {
                    body.state.store(FINISHED, Release);
                    let mut drops = Vec::new();
                    body.clear(&mut drops);
                }
                return Ok(Value::NONE);
            }
            FINISHED => return Ok(Value::NONE),
            _ => {}
        }
        let exit = self.new_exception(exceptions::GENERATOR_EXIT.get(), Vec::new());
        match self.throw_into(this, exit) {
            Ok(Output::Yield(_)) => Err(self.runtime_error(format!("{} ignored GeneratorExit", kind_of(body)))),
            Ok(Output::Return(v)) => Ok(v),
            Err(exc)
                if exc.is_instance(exceptions::GENERATOR_EXIT.get())
                    || exc.is_instance(exceptions::STOP_ITERATION.get()) =>
            {
                Ok(Value::NONE)
            }
            Err(exc) => Err(exc),
        }
    }

    /// What an output is to `send`, `__next__` and `throw`.
    pub fn output_to_result(&self, output: Output) -> Res<Value> {
        match output {
            Output::Yield(v) => Ok(v),
            Output::Return(v) if v.is_none() => Err(self.stop_iteration()),
            Output::Return(v) => Err(self.stop_iteration_with(v)),
        }
    }

    /// The exception that `throw(type, value, traceback)` means.
    pub fn exception_to_throw(&self, args: &[Value]) -> Res<Exc> {
        if args.len() > 1 {
            let message =
                "the (type, exc, tb) signature of throw() is deprecated, use the single-arg signature instead.";
            self.warn(exceptions::DEPRECATION_WARNING.get(), message, 1)?;
        }
        self.exception_to_throw_quietly(args)
    }

    /// As [`Vm::exception_to_throw`], without the warning about more arguments than one.
    pub fn exception_to_throw_quietly(&self, args: &[Value]) -> Res<Exc> {
        let Some(kind) = args.first() else {
            return Err(self.type_error("throw() takes from 1 to 3 arguments (0 given)"));
        };
        let value = args.get(1).filter(|v| !v.is_none());
        let traceback = args.get(2).filter(|v| !v.is_none());
        if let Some(tb) = traceback
            && tb.downcast::<super::traceback::Traceback>().is_none()
        {
            return Err(self.type_error("throw() third argument must be a traceback object"));
        }
        let exc = match (kind.downcast::<crate::object::Type>(), value) {
            (Some(_), Some(v))
                if v.downcast::<exceptions::BaseException>().is_some() && self.isinstance(v, kind)? =>
            {
                self.exception_from_class_or_instance(v)?
            }
            (Some(cls), Some(v)) if cls.has_flag(crate::object::TypeFlags::EXCEPTION_SUBCLASS) => {
                let args = match v.downcast_exact::<super::tuple::Tuple>() {
                    Some(t) => t.as_slice().to_vec(),
                    None => vec![v.clone()],
                };
                self.call(kind, &args)
                    .and_then(|made| self.exception_from_class_or_instance(&made))
                    .unwrap_or_else(|failure| failure)
            }
            // What goes wrong when the exception is made is thrown in its place.
            (Some(cls), _) if cls.has_flag(crate::object::TypeFlags::EXCEPTION_SUBCLASS) => self
                .exception_from_class_or_instance(kind)
                .unwrap_or_else(|failure| failure),
            (None, Some(_)) if kind.downcast::<exceptions::BaseException>().is_some() => {
                return Err(self.type_error("instance exception may not have a separate value"));
            }
            (None, None) if kind.downcast::<exceptions::BaseException>().is_some() => {
                self.exception_from_class_or_instance(kind)?
            }
            _ => {
                return Err(self.type_error(format!(
                    "exceptions must be classes or instances deriving from BaseException, not {}",
                    kind.ty().name()
                )));
            }
        };
        if let Some(tb) = traceback {
            exc.object().traceback.set(tb.clone());
        }
        Ok(exc)
    }
}

fn already_executing(vm: &Vm, body: &GeneratorBody) -> Exc {
    vm.value_error(format!("{} already executing", kind_of(body)))
}

pub(super) fn repr_of(kind: &str, body: &GeneratorBody, this: &Value) -> String {
    let name = body.qualname.get().map_or_else(String::new, |n| n.to_string_lossy());
    format!("<{kind} object {name} at {:#x}>", this.bits())
}

pub(super) fn set_text(vm: &Vm, slot: &PySlot<Str>, value: Option<&Value>, what: &str) -> Res<()> {
    match value.and_then(|v| v.downcast::<Str>()) {
        Some(s) => {
            slot.set(s.clone());
            Ok(())
        }
        None => Err(vm.type_error(format!("{what} must be set to a string object"))),
    }
}

#[pymethods]
impl Generator {
    /// See PEP 585
    #[classmethod(sig = "($type, object, /)")]
    fn __class_getitem__(vm: &Vm, cls: &Py<Type>, object: &Value) -> Res<Value> {
        super::common::class_getitem(vm, cls, object)
    }

    #[slot]
    fn __iter__(_: &Vm, this: &Py<Generator>) -> Value {
        this.to_value()
    }
    #[slot]
    fn __next__(vm: &Vm, this: &Py<Generator>) -> Res<Option<Value>> {
        match vm.resume(this.as_value(), Input::Send(Value::NONE))? {
            Output::Yield(v) => Ok(Some(v)),
            Output::Return(v) if v.is_none() => Ok(None),
            Output::Return(v) => Err(vm.stop_iteration_with(v)),
        }
    }
    #[slot]
    fn __repr__(_: &Vm, this: &Py<Generator>) -> String {
        repr_of("generator", &this.body, this.as_value())
    }
    #[slot]
    fn __del__(vm: &Vm, this: &Py<Generator>) -> Res<()> {
        if this.body.settled_state() == SUSPENDED {
            vm.close_generator(this.as_value())?;
        }
        Ok(())
    }

    /// send(value) -> send 'value' into generator,
    /// return next yielded value or raise StopIteration.
    #[pymethod(sig = "($self, value, /)")]
    fn send(vm: &Vm, this: &Py<Generator>, value: Value) -> Res<Value> {
        let output = vm.resume(this.as_value(), Input::Send(value))?;
        vm.output_to_result(output)
    }
    /// throw(value)
    /// throw(type[,value[,tb]])
    ///
    /// Raise exception in generator, return next yielded value or raise
    /// StopIteration.
    #[pymethod(sig = "($self, typ, val=<unrepresentable>, tb=<unrepresentable>, /)")]
    fn throw(vm: &Vm, this: &Py<Generator>, typ: &Value, val: Option<&Value>, tb: Option<&Value>) -> Res<Value> {
        let args: Vec<Value> = [Some(typ), val, tb].into_iter().flatten().cloned().collect();
        let exc = vm.exception_to_throw(&args)?;
        let output = vm.throw_into(this.as_value(), exc)?;
        vm.output_to_result(output)
    }
    /// close() -> raise GeneratorExit inside generator.
    #[pymethod(sig = "($self, /)")]
    fn close(vm: &Vm, this: &Py<Generator>) -> Res<Value> {
        vm.close_generator(this.as_value())
    }
    /// name of the generator
    #[getter]
    fn __name__(_: &Vm, this: &Py<Generator>) -> Option<Value> {
        this.body.name.get().map(Py::into_value)
    }
    #[setter(name = "__name__")]
    fn set_name(vm: &Vm, this: &Py<Generator>, value: Option<&Value>) -> Res<()> {
        set_text(vm, &this.body.name, value, "__name__")
    }
    /// qualified name of the generator
    #[getter]
    fn __qualname__(_: &Vm, this: &Py<Generator>) -> Option<Value> {
        this.body.qualname.get().map(Py::into_value)
    }
    #[setter(name = "__qualname__")]
    fn set_qualname(vm: &Vm, this: &Py<Generator>, value: Option<&Value>) -> Res<()> {
        set_text(vm, &this.body.qualname, value, "__qualname__")
    }
    #[getter]
    fn gi_code(_: &Vm, this: &Py<Generator>) -> Value {
        this.body.code.to_value()
    }
    #[getter]
    fn gi_frame(vm: &Vm, this: &Py<Generator>) -> Option<Value> {
        this.body.frame_object(vm, this.as_value()).map(Py::into_value)
    }
    #[getter]
    fn gi_running(_: &Vm, this: &Py<Generator>) -> bool {
        this.body.settled_state() == RUNNING
    }
    #[getter]
    fn gi_suspended(_: &Vm, this: &Py<Generator>) -> bool {
        this.body.settled_state() == SUSPENDED
    }
    /// object being iterated by yield from, or None
    #[getter]
    fn gi_yieldfrom(_: &Vm, this: &Py<Generator>) -> Option<Value> {
        this.body.delegate()
    }
}
