//! Generators, and what they share with coroutines (`coroutine`) and asynchronous generators (`async_generator`): a frame on the heap
//! that is resumed.
//!
//! Invariant: `state` is one atomic word; whoever moves it from created or suspended to running owns the registers until it is moved back.
//! The loser of two threads gets `ValueError: generator already executing`. Who only looks at the registers moves it to
//! `INSPECTED` for that moment, and others wait.

use std::ptr::NonNull;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicPtr, AtomicU8, AtomicU16, AtomicU32, AtomicU64};

use lisle_bytecode::{CodeFlags, Op};

use crate::intern;
use crate::memory::header::Header;
use crate::memory::trace::{Trace, Visitor};
use crate::native::{pyclass, pymethods};
use crate::object::{Native, Obj, Py, PySlot, Slot, Type, Value};
use crate::types::async_generator::AsyncGenASend;
use crate::types::code::Code;
use crate::types::coroutine::Coroutine;
use crate::types::exceptions;
use crate::types::frame::Frame;
use crate::types::function::Function;
use crate::types::str::Str;
use crate::vm::frames::{FrameData, FrameKind};
use crate::vm::interp::{Flow, Ip, Regs};
use crate::vm::{Exc, Res, Vm};

pub const CREATED: u8 = 0;
pub const SUSPENDED: u8 = 1;
pub const RUNNING: u8 = 2;
pub const FINISHED: u8 = 3;
/// A thread is looking at the registers: native code without a safepoint.
const INSPECTED: u8 = 4;

/// Registers of a frame that can be suspended: they lie behind the payload of their object.
pub struct Registers {
    at: *mut u64,
    count: usize,
}

// SAFETY: only the thread that set the state to running touches them, or the collector with the world stopped.
unsafe impl Sync for Registers {}
// SAFETY: as above.
unsafe impl Send for Registers {}

impl Registers {
    /// # Safety
    /// The caller set the state to running, or to inspected, or is the only one to know the object, or stopped the world; it lets go of
    /// what this returns before it gives that up.
    #[expect(clippy::mut_from_ref, reason = "the state says whose the words are")]
    unsafe fn words(&self) -> &mut [u64] {
        // SAFETY: as many words lie there as long as the object lives; by contract they are the caller's.
        unsafe { std::slice::from_raw_parts_mut(self.at, self.count) }
    }

    /// Drops what they hold. Code that runs meanwhile may take some out.
    ///
    /// # Safety
    /// As for [`Registers::words`].
    #[inline(never)]
    unsafe fn let_go(&self) {
        for i in 0..self.count {
            // SAFETY: as many words lie there as long as the object lives, and by contract they are the caller's; a heap word in a register is
            // an owned reference.
            unsafe {
                let bits = self.at.add(i).replace(0);
                if bits & 7 == 0 && bits != 0 {
                    drop(Value::from_bits(bits));
                }
            }
        }
    }
}

impl Trace for Registers {
    fn traverse(&self, visit: &mut Visitor<'_>) {
        // SAFETY: traversal happens with the world stopped; registers of a running generator are consistent at a safepoint.
        visit.words(unsafe { self.words() });
    }
}

/// No register.
const NO_REGISTER: u16 = u16::MAX;

/// The part that generators, coroutines and asynchronous generators share, and begin with.
#[repr(C)]
pub struct GeneratorBody {
    pub state: AtomicU8,
    /// The register that gets what is sent, or [`NO_REGISTER`].
    send_to: AtomicU16,
    /// The register of the iterator that the `yield from` or `await` at which execution stopped delegates to, or [`NO_REGISTER`].
    delegate: AtomicU16,
    /// In how many `except` blocks of its own it is suspended.
    handling: AtomicU32,
    /// The word of the code to go on at.
    at: AtomicPtr<u64>,
    /// The number of the frame record that was made for it last, 0 if that is not known; see [`GeneratorBody::enter`].
    serial: AtomicU64,
    registers: Registers,
    pub code: Py<Code>,
    /// The function, which holds globals and builtins; empty when finished.
    func: PySlot<Function>,
    frame: PySlot<Frame>,
    /// `sys.exception()` inside the generator while it is suspended.
    handled: Slot,
    /// Empty as long as it is the code's.
    name: PySlot<Str>,
    qualname: PySlot<Str>,
    /// `cr_origin`.
    pub origin: Slot,
}

impl Trace for GeneratorBody {
    fn traverse(&self, visit: &mut Visitor<'_>) {
        self.registers.traverse(visit);
        self.code.traverse(visit);
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
        let before = if crate::sync::parallel() {
            self.state.swap(FINISHED, AcqRel)
        } else {
            let before = self.state.load(Relaxed);
            self.state.store(FINISHED, Relaxed);
            before
        };
        if before != RUNNING {
            // SAFETY: the state was not running, so nobody else is at the registers.
            for word in unsafe { self.registers.words() } {
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
    #[inline]
    fn drop(&mut self) {
        self.release_frame();
        // The registers of a frame that was left hold no references.
        if self.state.load(Relaxed) != FINISHED {
            // SAFETY: the object goes away.
            unsafe { self.registers.let_go() };
        }
        debug_assert!(
            // SAFETY: as above.
            unsafe { self.registers.words() }
                .iter()
                .all(|word| word & 7 != 0 || *word == 0),
            "a frame that was left holds references"
        );
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
#[repr(C)]
pub struct Generator {
    pub body: GeneratorBody,
}

impl Generator {
    /// Whether `types.coroutine` made it awaitable.
    #[inline]
    pub(crate) fn is_awaitable(&self) -> bool {
        self.body.code.flags & CodeFlags::ITERABLE_COROUTINE != 0
    }
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

/// The body of a frame that is a generator's.
///
/// # Safety
/// `f.generator` is an object of one of the three kinds, which somebody holds for as long as the result is used.
#[inline(always)]
unsafe fn body_of_frame<'a>(f: *const FrameData) -> &'a GeneratorBody {
    // SAFETY: by contract; the payloads of all three are laid out as in C and begin with the body.
    unsafe { &(*((*f).generator as *const Obj<Generator>)).data.body }
}

const _: () = assert!(
    std::mem::offset_of!(Generator, body) == 0
        && std::mem::offset_of!(Coroutine, body) == 0
        && std::mem::offset_of!(super::async_generator::AsyncGenerator, body) == 0
);

/// Whether an object of a type with `__del__` that is being freed needs no call of it: a generator that has ended, or has not begun.
#[inline]
pub(crate) fn is_settled(ty: *const Obj<Type>, header: NonNull<Header>) -> bool {
    let generator = std::ptr::eq(ty, Generator::type_cell().address());
    if !generator && !std::ptr::eq(ty, Coroutine::type_cell().address()) {
        // SAFETY: the type says what the object is.
        return std::ptr::eq(ty, AsyncGenASend::type_cell().address())
            && unsafe { header.cast::<Obj<AsyncGenASend>>().as_ref() }.data.is_begun();
    }
    // SAFETY: the type says what the object is; both kinds begin with the body.
    let state = unsafe { header.cast::<Obj<Generator>>().as_ref() }
        .data
        .body
        .state
        .load(Relaxed);
    state == FINISHED || generator && state == CREATED
}

/// Whether an object that is being freed is a generator or coroutine that has ended: its finalizer has nothing to do.
#[inline(always)]
pub(crate) fn ends_plainly(ty: *const Obj<Type>, header: NonNull<Header>) -> bool {
    if !std::ptr::eq(ty, Generator::type_cell().address()) && !std::ptr::eq(ty, Coroutine::type_cell().address()) {
        return false;
    }
    // SAFETY: the type says what the object is; both kinds begin with the body.
    let body = unsafe { &header.cast::<Obj<Generator>>().as_ref().data.body };
    body.state.load(Relaxed) == FINISHED
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
    #[inline(always)]
    fn release_frame(&self) {
        if !self.frame.is_empty() {
            self.release_frame_object();
        }
    }

    #[cold]
    fn release_frame_object(&self) {
        if let Some(frame) = self.frame.get() {
            frame.forget_generator();
        }
    }

    /// Whether nothing of it has run.
    #[inline]
    pub(crate) fn is_new(&self) -> bool {
        self.state.load(Relaxed) == CREATED
    }

    /// `__name__`
    pub fn name(&self) -> Py<Str> {
        self.name.get().unwrap_or_else(|| self.code.name.clone())
    }

    /// `__qualname__`
    pub fn qualname(&self) -> Py<Str> {
        self.qualname.get().unwrap_or_else(|| self.code.qualname.clone())
    }

    /// Sets `__name__`.
    pub fn set_name(&self, vm: &Vm, value: Option<&Value>) -> Res<()> {
        set_text(vm, &self.name, value, "__name__")
    }

    /// Sets `__qualname__`.
    pub fn set_qualname(&self, vm: &Vm, value: Option<&Value>) -> Res<()> {
        set_text(vm, &self.qualname, value, "__qualname__")
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
                let result = f(unsafe { self.registers.words() });
                self.state.store(state, Release);
                return Some(result);
            }
        }
    }

    /// Takes the generator over from `state`; false if another thread was faster.
    #[inline]
    fn claim(&self, state: u8) -> bool {
        if !crate::sync::parallel() {
            let same = self.state.load(Relaxed) == state;
            if same {
                self.state.store(RUNNING, Relaxed);
            }
            return same;
        }
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
        let word = *words.get(self.delegate.load(Relaxed) as usize)?;
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

    /// Whether only [`Vm::resume`] can resume it: it has a frame object, or is in an `except` block.
    #[inline(always)]
    fn is_encumbered(&self) -> bool {
        !self.frame.is_empty() || !self.handled.is_empty()
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
        // A suspended frame: a record made up for the purpose, then taken away again. Another thread may have finished it meanwhile.
        let function = self.func.get()?;
        let record = self.record_of(&function, this, 0, FrameKind::Generator);
        let frame = Frame::new(vm, &record);
        frame.suspend(&record);
        self.frame.set(frame.clone());
        Some(frame)
    }

    /// A record of the generator's frame where it is suspended.
    ///
    /// # Safety
    /// The state was set to running by this thread.
    unsafe fn record(&self, this: &Value, dst: u16, kind: FrameKind) -> FrameData {
        // SAFETY: a generator that has not finished holds its function.
        let function = unsafe { &*std::ptr::from_ref(self.func.raw()).cast::<Py<Function>>() };
        self.record_of(function, this, dst, kind)
    }

    fn record_of(&self, function: &Py<Function>, this: &Value, dst: u16, kind: FrameKind) -> FrameData {
        FrameData {
            body: &raw const **self.code,
            regs: self.registers.at,
            at: std::cell::Cell::new(self.at.load(Relaxed)),
            dst,
            kind,
            on_heap: true,
            nlocals: self.code.nlocals,
            globals: function.globals.as_value().bits(),
            builtins: function.builtins.as_value().bits(),
            func: function.as_value().bits(),
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

    /// Makes `record`, the next free one, that of this generator's frame, resumed by an instruction of the frame below. Where the record is
    /// still the one that was made for the generator last, little is to be done: its number, in the place of `previous_top`, tells.
    ///
    /// # Safety
    /// The state was set to running by this thread; `this` is the generator, in the register `slot` of the frame below.
    #[inline(always)]
    unsafe fn enter(&self, vm: &Vm, record: *mut FrameData, this: &Value, kind: FrameKind, dst: u16, slot: *mut u64) {
        let serial = self.serial.load(Relaxed);
        // SAFETY: records are plain words: those of earlier frames, or zero.
        unsafe {
            let known = (*record).generator == this.bits() && (*record).previous_top.addr() as u64 == serial;
            if known && serial != 0 {
                (*record).at.set(self.at.load(Relaxed));
                (*record).dst = dst;
                (*record).kind = kind;
                (*record).callee_slot = slot;
            } else {
                self.enter_fresh(vm, record, this, kind, dst, slot);
            }
        }
    }

    /// # Safety
    /// As for [`GeneratorBody::enter`].
    #[inline(never)]
    unsafe fn enter_fresh(
        &self,
        vm: &Vm,
        record: *mut FrameData,
        this: &Value,
        kind: FrameKind,
        dst: u16,
        slot: *mut u64,
    ) {
        let serial = vm.frames.next_serial();
        self.serial.store(serial, Relaxed);
        // SAFETY: by contract there is a record to be written.
        unsafe {
            record.write(FrameData {
                callee_slot: slot,
                previous_top: std::ptr::without_provenance_mut(serial as usize),
                ..self.record(this, dst, kind)
            });
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

/// The generator, coroutine or asynchronous generator that a call of `function` makes, to begin at `at` with what is in `count` registers
/// at `from`.
///
/// # Safety
/// The registers are the caller's, no more than `code` has; they are left unbound. `at` is a place in the code.
#[inline]
unsafe fn new_generator(function: Py<Function>, code: Py<Code>, at: *const u64, from: *mut u64, count: usize) -> Value {
    let own_name = |slot: &PySlot<Str>, codes: &Py<Str>| match slot.raw().peek_bits() == codes.as_value().bits() {
        true => PySlot::empty(),
        false => slot.get().map_or_else(PySlot::empty, PySlot::new),
    };
    let (flags, words) = (code.flags, code.nregs as usize);
    let (name, qualname) = (
        own_name(&function.name, &code.name),
        own_name(&function.qualname, &code.qualname),
    );
    let body = |registers: Registers| GeneratorBody {
        state: AtomicU8::new(CREATED),
        send_to: AtomicU16::new(NO_REGISTER),
        delegate: AtomicU16::new(NO_REGISTER),
        handling: AtomicU32::new(0),
        at: AtomicPtr::new(at.cast_mut()),
        serial: AtomicU64::new(0),
        registers,
        name,
        qualname,
        code,
        func: PySlot::new(function),
        frame: PySlot::empty(),
        handled: Slot::empty(),
        origin: Slot::empty(),
    };
    // SAFETY: by contract.
    unsafe {
        if flags & CodeFlags::COROUTINE != 0 {
            with_registers(words, from, count, |registers| Coroutine { body: body(registers) })
        } else if flags & CodeFlags::ASYNC_GENERATOR != 0 {
            let payload = |registers| super::async_generator::AsyncGenerator::payload(body(registers));
            with_registers(words, from, count, payload)
        } else {
            with_registers(words, from, count, |registers| Generator { body: body(registers) })
        }
    }
}

/// # Safety
/// As for [`new_generator`]; `T` is one of the three kinds.
#[inline(always)]
unsafe fn with_registers<T: Native>(
    words: usize,
    from: *mut u64,
    count: usize,
    payload: impl FnOnce(Registers) -> T,
) -> Value {
    crate::object::alloc_followed(T::ty(), words, |at| {
        // SAFETY: `words` words at `at`, which nobody else knows yet.
        unsafe {
            for i in 0..count.min(words) {
                at.add(i).write(from.add(i).replace(0));
            }
            for i in count..words {
                at.add(i).write_volatile(0);
            }
        }
        payload(Registers { at, count: words })
    })
    .into_value()
}

impl Vm {
    /// Turns the running frame into a generator object.
    pub(crate) fn make_generator(&self, f: &mut FrameData) -> Res<Value> {
        let Some(function) = f.func().and_then(|v| v.downcast_exact::<Function>()).cloned() else {
            return Err(self.system_error("a generator needs a function"));
        };
        // The frame's, whatever code the function has by now.
        let code = f.code().to_object();
        let count = f.body().nregs as usize;
        // SAFETY: the frame's own registers, whose references move over.
        let made = unsafe { new_generator(function, code, f.at.get(), f.regs, count) };
        if let Some(coroutine) = made.downcast_exact::<Coroutine>() {
            coroutine.note_origin(self);
        }
        Ok(made)
    }

    /// What a call of a generator function, whose code is `code`, with the `count` arguments in the registers from `args` gives, without a frame of its
    /// own; `None` if that cannot be done: nothing was moved then.
    ///
    /// # Safety
    /// The registers are the caller's, and are moved out of.
    #[inline(never)]
    pub(crate) unsafe fn call_generator_function(
        &self,
        function: &Py<Function>,
        code: &Py<Code>,
        args: *mut u64,
        count: usize,
    ) -> Option<Value> {
        let first = self.simple_generator(code, count)?;
        // SAFETY: by contract.
        Some(unsafe { new_generator(function.clone(), code.clone(), first, args, count) })
    }

    /// As [`Vm::call_generator_function`], with copies of a few `args`.
    pub(crate) fn call_generator_function_with(
        &self,
        function: &Py<Function>,
        code: &Py<Code>,
        args: &[Value],
    ) -> Option<Value> {
        const FEW: usize = 6;
        let first = self.simple_generator(code, args.len()).filter(|_| args.len() <= FEW)?;
        let mut words = [0; FEW];
        for (word, value) in words.iter_mut().zip(args) {
            *word = value.clone().into_bits();
        }
        // SAFETY: words as registers have them, of which those of the arguments own references.
        Some(unsafe { new_generator(function.clone(), code.clone(), first, words.as_mut_ptr(), args.len()) })
    }

    /// Where a generator of `code` that is called with `count` arguments by position begins, if there is no more to a call.
    #[inline]
    fn simple_generator(&self, code: &Py<Code>, count: usize) -> Option<*const u64> {
        if !code.simple_args || code.argcount as usize != count {
            return None;
        }
        let first: *const u64 = code.words.as_ptr().cast();
        // SAFETY: code has an instruction.
        let begins = unsafe { Ip::new(first) };
        (begins.op() == Op::ReturnGenerator && self.origin_depth.get() == 0).then_some(begins.next())
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
        let input = match input {
            Input::Send(value) if self.handled.is_empty() && !body.is_encumbered() => {
                return self.resume_plainly(this, body, value);
            }
            input => input,
        };
        let previous = self.handled.get();
        if let Some(inner) = body.handled.take() {
            drop(self.handled.swap(Some(inner)));
        }
        body.serial.store(0, Relaxed);
        // SAFETY: the state was set to running by this thread.
        let mut record = unsafe { body.record(this, 0, FrameKind::Generator) };
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
                if to != NO_REGISTER {
                    // The register that the suspended `Yield` named; the registers are this thread's since the state is running.
                    Regs(body.registers.at).set(to, value);
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

    /// As [`Vm::resume_claimed`] where no exception is handled inside or outside, and there is no frame object: the record that was made last
    /// mostly serves again.
    #[inline]
    fn resume_plainly(&self, this: &Value, body: &GeneratorBody, sent: Value) -> Res<Output> {
        let depth = self.frames.depth.get();
        // SAFETY: the caller found room for a record, and set the state to running.
        unsafe {
            let (record, kind) = (self.frames.record(depth), FrameKind::Generator);
            body.enter(self, record, this, kind, 0, std::ptr::null_mut());
        }
        self.frames.depth.set(depth + 1);
        let to = body.send_to.load(Relaxed);
        if to != NO_REGISTER {
            // The register that the suspended `Yield` named; the registers are this thread's since the state is running.
            Regs(body.registers.at).set(to, sent);
        }
        self.yielded.set(false);
        let result = self.run();
        if !self.handled.is_empty() {
            // What is handled inside stays with the generator, as `suspend` has seen to.
            drop(self.handled.take());
        }
        match result {
            Ok(value) if self.yielded.replace(false) => Ok(Output::Yield(value)),
            Ok(value) => {
                self.finish_generator(body);
                Ok(Output::Return(value))
            }
            Err(exc) => {
                self.finish_generator(body);
                Err(exc)
            }
        }
    }

    #[inline]
    fn finish_generator(&self, body: &GeneratorBody) {
        body.state.store(FINISHED, Release);
        if !body.frame.is_empty() {
            body.release_frame();
            drop(body.frame.swap(None));
        }
        drop(body.func.swap(None));
    }

    /// Pushes the frame of a generator that the loop can run itself; gives the sent value back when `resume` must do it: the generator
    /// runs already or is finished, or it has a frame object, or exceptions are being handled inside or outside.
    ///
    /// Where the generator delegates to another, that one's frame is pushed too, and so on to the innermost, which is what goes on:
    /// the outer ones stand behind their `Send`s, as if these had been executed. With a hook, they are executed.
    ///
    /// `iter` is the generator of `body`, in the register `slot` of the innermost frame; `dst` gets what it yields.
    #[inline]
    pub(crate) fn push_generator<const HOOK: bool>(
        &self,
        iter: &Value,
        body: &GeneratorBody,
        sent: Value,
        kind: FrameKind,
        dst: u16,
        slot: *mut u64,
    ) -> Result<(), Value> {
        let from = body.state.load(Acquire);
        let mut depth = self.frames.depth.get();
        if from > SUSPENDED
            || from == CREATED && !sent.is_none()
            || body.is_encumbered()
            || !self.handled.is_empty()
            || !self.frames.fits(self.frames.top.get(), 64)
            || depth >= self.recursion_limit()
            || !body.start(from)
        {
            return Err(sent);
        }
        let mut record = self.frames.record(depth);
        // SAFETY: there is room for a record; the state was set to running.
        unsafe { body.enter(self, record, iter, kind, dst, slot) };
        depth += 1;
        let mut body = body;
        loop {
            let via = body.delegate.load(Relaxed);
            if HOOK || via == NO_REGISTER {
                break;
            }
            // SAFETY: the register that the `Send` named; the registers are this thread's, and stay in their place.
            let (slot, iter) = unsafe { (body.registers.at.add(via as usize), Regs(body.registers.at).opt(via)) };
            let Some(iter) = iter else { break };
            let next = if let Some(generator) = iter.downcast_exact::<Generator>() {
                &generator.body
            } else if let Some(coroutine) = iter.downcast_exact::<Coroutine>() {
                &coroutine.body
            } else {
                break;
            };
            if next.state.load(Acquire) != SUSPENDED
                || next.is_encumbered()
                || !self.frames.has_records(depth + 1)
                || depth >= self.recursion_limit()
                || !next.start(SUSPENDED)
            {
                break;
            }
            // SAFETY: as above; the word before the place to go on at is the `Yield`, behind its `Send`.
            unsafe {
                (*record).at.set(body.at.load(Relaxed).sub(1));
                record = record.add(1);
                next.enter(self, record, iter, FrameKind::Send, body.send_to.load(Relaxed), slot);
            }
            depth += 1;
            body = next;
        }
        self.frames.depth.set(depth);
        let to = body.send_to.load(Relaxed);
        if to != NO_REGISTER {
            // The register that the suspended `Yield` named.
            Regs(body.registers.at).set(to, sent);
        }
        Ok(())
    }

    /// The frame of a generator that [`Vm::push_generator`] pushed has been left for good.
    ///
    /// # Safety
    /// `generator` is the word of the generator, which is still in the register that it was resumed from.
    #[inline]
    pub(crate) unsafe fn generator_left(&self, generator: u64) {
        if !self.handled.is_empty() {
            drop(self.handled.take());
        }
        // SAFETY: by contract; all three kinds begin with the body.
        self.finish_generator(unsafe { &(*(generator as *const Obj<Generator>)).data.body });
    }

    /// What is handled where a generator is suspended: only what is handled inside stays with it.
    #[cold]
    fn suspend_handled(&self, f: &FrameData, body: &GeneratorBody) {
        let handled = self.handled.get().filter(|_| f.handling > 0);
        drop(body.handled.swap(handled));
        if f.kind != FrameKind::Generator {
            drop(self.handled.take());
        }
    }

    /// Suspends the running generator frame at the `Yield` `i`, with `value`, and with it the frames outside that hand on what it yields.
    ///
    /// # Safety
    /// `frame` is the innermost record, a generator's, and its place was saved.
    #[inline]
    pub(crate) unsafe fn suspend<const HOOK: bool>(&self, mut frame: *mut FrameData, value: Value, i: Ip) -> Flow {
        let mut i = i;
        loop {
            // SAFETY: by contract, and below: `i` is a `Yield` of the innermost frame. A `Yield` that hands on follows its `Send`.
            let (f, body, delegate) = unsafe {
                let delegate = if i.k() == 1 { i.back(1).b() } else { NO_REGISTER };
                (&*frame, body_of_frame(frame), delegate)
            };
            body.at.store(i.next().cast_mut(), Relaxed);
            body.send_to.store(i.a(), Relaxed);
            body.delegate.store(delegate, Relaxed);
            body.handling.store(f.handling, Relaxed);
            if f.frame_object.get() != 0 {
                f.at.set(i.next());
                body.serial.store(0, Relaxed);
                suspend_frame_object(f, body);
            }
            if !self.handled.is_empty() {
                self.suspend_handled(f, body);
            }
            self.frames.depth.set(self.frames.depth.get() - 1);
            if f.kind == FrameKind::Generator {
                self.yielded.set(true);
                body.state.store(SUSPENDED, Release);
                return Flow::Done(value);
            }
            body.state.store(SUSPENDED, Release);
            // SAFETY: the record below is that of the frame whose instruction resumed the generator. Code goes on behind a `Send`.
            unsafe {
                let (caller, to) = (frame.sub(1), f.dst);
                let next = Ip::new((*caller).at.get());
                if !HOOK
                    && f.kind == FrameKind::Send
                    && next.op() == Op::Yield
                    && next.k() == 1
                    && (*caller).generator != 0
                {
                    debug_assert!(
                        next.a() == to,
                        "a value is handed on from the register that the `Send` left it in"
                    );
                    frame = caller;
                    i = next;
                    continue;
                }
                Regs((*caller).regs).set(to, value);
            }
            return Flow::Reload;
        }
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
        if let Some(awaitable) = iter.downcast_exact::<AsyncGenASend>() {
            return Ok(match awaitable.step(self, value)? {
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
        let inner = body.delegate_in(unsafe { body.registers.words() });
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
        // SAFETY: it is suspended at a `Yield` behind its `Send`; jump targets are within the code. The state is running, so the
        // registers are this thread's.
        unsafe {
            let behind = body.at.load(Relaxed).sub(1);
            let send = Ip::new(behind.sub(1));
            body.at.store(behind.offset(send.c() as i16 as isize), Relaxed);
            Regs(body.registers.at).clear(send.b());
            body.send_to.store(send.a(), Relaxed);
            body.delegate.store(NO_REGISTER, Relaxed);
        }
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
        // SAFETY: there is room for a record; the registers are this thread's since the state is running.
        unsafe { self.push_record(body.record(this, 0, FrameKind::Generator)) };
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

    /// Whether none of the generator's code, and nobody else, would see what is raised where it was suspended. It is this thread's.
    /// Tracers and profilers are not told of such an end either.
    fn ends_unseen(body: &GeneratorBody) -> bool {
        if !body.handled.is_empty() || body.delegate.load(Relaxed) != NO_REGISTER {
            return false;
        }
        let words: *const u64 = body.code.words.as_ptr().cast();
        // SAFETY: the place behind the `Yield`, in the generator's code.
        let behind = unsafe { body.at.load(Relaxed).cast_const().offset_from(words) } as u32;
        body.code.plain.handler(behind.saturating_sub(1)).is_none()
    }

    /// Ends a generator that this thread claimed, and none of whose code is to run any more.
    fn end_unseen(&self, body: &GeneratorBody) {
        body.state.store(FINISHED, Release);
        body.release_frame();
        // SAFETY: nobody looks at the registers of a generator that has ended; it was this thread's.
        unsafe { body.registers.let_go() };
        drop(body.frame.swap(None));
        drop(body.func.swap(None));
        drop(body.handled.swap(None));
    }

    /// `generator.close()`.
    pub fn close_generator(&self, this: &Value) -> Res<Value> {
        let Some(body) = body_of(this) else {
            return Ok(Value::NONE);
        };
        match body.settled_state() {
            CREATED => {
                if body.claim(CREATED) {
                    self.end_unseen(body);
                }
                return Ok(Value::NONE);
            }
            FINISHED => return Ok(Value::NONE),
            SUSPENDED if body.claim(SUSPENDED) => {
                if Self::ends_unseen(body) {
                    self.end_unseen(body);
                    return Ok(Value::NONE);
                }
                body.state.store(SUSPENDED, Release);
            }
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
    let name = body.qualname().to_string_lossy();
    format!("<{kind} object {name} at {:#x}>", this.bits())
}

fn set_text(vm: &Vm, slot: &PySlot<Str>, value: Option<&Value>, what: &str) -> Res<()> {
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
    fn __name__(_: &Vm, this: &Py<Generator>) -> Value {
        this.body.name().into_value()
    }
    #[setter(name = "__name__")]
    fn set_name(vm: &Vm, this: &Py<Generator>, value: Option<&Value>) -> Res<()> {
        this.body.set_name(vm, value)
    }
    /// qualified name of the generator
    #[getter]
    fn __qualname__(_: &Vm, this: &Py<Generator>) -> Value {
        this.body.qualname().into_value()
    }
    #[setter(name = "__qualname__")]
    fn set_qualname(vm: &Vm, this: &Py<Generator>, value: Option<&Value>) -> Res<()> {
        this.body.set_qualname(vm, value)
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
