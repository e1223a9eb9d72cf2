//! Asynchronous generators: the object, and the awaitables that `__anext__`, `asend`, `athrow` and `aclose` return.
//!
//! What an async generator yields is wrapped, so that it can be told apart from what it awaits. Invariant: as in `generator`; the
//! state of an awaitable is one atomic word, and `running` says that an awaitable is under way (its frame may be suspended then).

use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};

use super::coroutine::get_awaitable;
use super::generator::{FINISHED, GeneratorBody, Input, Output, SUSPENDED, repr_of};
use crate::intern;
use crate::native::{pyclass, pymethods};
use crate::object::{Py, Slot, Type, Value};
use crate::sync::atomic::{AtomicBool, AtomicU8};
use crate::sync::{parallel, swap_flag};
use crate::types::exceptions;
use crate::vm::{Exc, Res, Vm};

/// An asynchronous generator.
#[pyclass(name = "async_generator", no_new, weakref)]
#[repr(C)]
pub struct AsyncGenerator {
    pub body: GeneratorBody,
    /// The finalizer hook of the thread that iterated first.
    finalizer: Slot,
    /// The hooks were called.
    hooked: AtomicBool,
    closed: AtomicBool,
    running: AtomicBool,
}

impl AsyncGenerator {
    pub(super) fn payload(body: GeneratorBody) -> AsyncGenerator {
        AsyncGenerator {
            body,
            finalizer: Slot::empty(),
            hooked: AtomicBool::new(false),
            closed: AtomicBool::new(false),
            running: AtomicBool::new(false),
        }
    }
}

/// What a step of the generator did, as an awaitable's `send` tells it.
enum Step {
    /// It awaits: to be handed on.
    Awaits(Value),
    /// It yielded a value.
    Yields(Value),
    Fails(Exc),
}

impl Py<AsyncGenerator> {
    /// Calls the hooks when iteration begins.
    fn start(&self, vm: &Vm) -> Res<()> {
        if swap_flag(&self.hooked, true) {
            return Ok(());
        }
        let [first, finalizer] = &vm.asyncgen_hooks;
        if let Some(finalizer) = finalizer.get() {
            self.finalizer.set(finalizer);
        }
        if let Some(first) = first.get() {
            vm.call(&first, &[self.to_value()])?;
        }
        Ok(())
    }

    fn step(&self, vm: &Vm, result: Res<Output>) -> Step {
        match result {
            Ok(Output::Yield(value)) => match value.downcast_exact::<WrappedValue>() {
                Some(wrapped) => Step::Yields(wrapped.value.clone()),
                None => Step::Awaits(value),
            },
            Ok(Output::Return(_)) => Step::Fails(vm.stop_async_iteration()),
            Err(exc) => Step::Fails(exc),
        }
    }

    /// A step of `asend` or `athrow`: a value that was yielded is what the awaitable returns.
    fn unwrap(&self, vm: &Vm, result: Res<Output>) -> Res<Output> {
        match self.step(vm, result) {
            Step::Awaits(value) => Ok(Output::Yield(value)),
            Step::Yields(value) => {
                self.running.store(false, Release);
                Ok(Output::Return(value))
            }
            Step::Fails(exc) => {
                if is_end(&exc) {
                    self.closed.store(true, Release);
                }
                self.running.store(false, Release);
                Err(exc)
            }
        }
    }

    fn finished(&self) -> bool {
        self.body.settled_state() == FINISHED
    }
}

fn is_end(exc: &Exc) -> bool {
    exc.is_instance(exceptions::STOP_ASYNC_ITERATION.get()) || exc.is_instance(exceptions::GENERATOR_EXIT.get())
}

#[pymethods]
impl AsyncGenerator {
    #[slot]
    fn __repr__(_: &Vm, this: &Py<AsyncGenerator>) -> String {
        repr_of("async_generator", &this.body, this.as_value())
    }

    #[slot]
    fn __aiter__(_: &Vm, this: &Py<AsyncGenerator>) -> Value {
        this.to_value()
    }

    #[slot]
    fn __anext__(vm: &Vm, this: &Py<AsyncGenerator>) -> Res<Value> {
        this.start(vm)?;
        Ok(AsyncGenASend::new_value(this, Value::NONE))
    }

    #[slot]
    fn __del__(vm: &Vm, this: &Py<AsyncGenerator>) -> Res<()> {
        if this.finished() {
            return Ok(());
        }
        if !this.closed.load(Acquire)
            && let Some(finalizer) = this.finalizer.get()
        {
            if let Err(exc) = vm.call(&finalizer, &[this.to_value()]) {
                vm.unraisable_while(exc, "closing generator", this.as_value());
            }
            return Ok(());
        }
        vm.close_generator(this.as_value()).map(drop)
    }

    /// asend(v) -> send 'v' in generator.
    #[pymethod(sig = "($self, value, /)")]
    fn asend(vm: &Vm, this: &Py<AsyncGenerator>, value: Value) -> Res<Value> {
        this.start(vm)?;
        Ok(AsyncGenASend::new_value(this, value))
    }

    /// athrow(value)
    /// athrow(type[,value[,tb]])
    ///
    /// raise exception in generator.
    #[pymethod(sig = "($self, typ, val=<unrepresentable>, tb=<unrepresentable>, /)")]
    fn athrow(vm: &Vm, this: &Py<AsyncGenerator>, typ: &Value, val: Option<&Value>, tb: Option<&Value>) -> Res<Value> {
        if val.is_some() {
            let message =
                "the (type, exc, tb) signature of athrow() is deprecated, use the single-arg signature instead.";
            vm.warn(exceptions::DEPRECATION_WARNING.get(), message, 1)?;
        }
        this.start(vm)?;
        let args = [Some(typ), val, tb].into_iter().flatten().cloned().collect();
        Ok(AsyncGenAThrow::new_value(this, args))
    }

    /// aclose() -> raise GeneratorExit inside generator.
    #[pymethod(sig = "($self, /)")]
    fn aclose(vm: &Vm, this: &Py<AsyncGenerator>) -> Res<Value> {
        this.start(vm)?;
        Ok(AsyncGenAThrow::new_value(this, Vec::new()))
    }

    /// See PEP 585
    #[classmethod(sig = "($type, object, /)")]
    fn __class_getitem__(vm: &Vm, cls: &Py<Type>, object: &Value) -> Res<Value> {
        super::common::class_getitem(vm, cls, object)
    }

    /// name of the async generator
    #[getter]
    fn __name__(_: &Vm, this: &Py<AsyncGenerator>) -> Value {
        this.body.name().into_value()
    }
    #[setter(name = "__name__")]
    fn set_name(vm: &Vm, this: &Py<AsyncGenerator>, value: Option<&Value>) -> Res<()> {
        this.body.set_name(vm, value)
    }
    /// qualified name of the async generator
    #[getter]
    fn __qualname__(_: &Vm, this: &Py<AsyncGenerator>) -> Value {
        this.body.qualname().into_value()
    }
    #[setter(name = "__qualname__")]
    fn set_qualname(vm: &Vm, this: &Py<AsyncGenerator>, value: Option<&Value>) -> Res<()> {
        this.body.set_qualname(vm, value)
    }
    #[getter]
    fn ag_code(_: &Vm, this: &Py<AsyncGenerator>) -> Value {
        this.body.code.to_value()
    }
    #[getter]
    fn ag_frame(vm: &Vm, this: &Py<AsyncGenerator>) -> Option<Value> {
        this.body.frame_object(vm, this.as_value()).map(Py::into_value)
    }
    #[getter]
    fn ag_running(_: &Vm, this: &Py<AsyncGenerator>) -> bool {
        this.running.load(Acquire)
    }
    #[getter]
    fn ag_suspended(_: &Vm, this: &Py<AsyncGenerator>) -> bool {
        this.body.settled_state() == SUSPENDED
    }
    /// object being awaited on, or None
    #[getter]
    fn ag_await(_: &Vm, this: &Py<AsyncGenerator>) -> Option<Value> {
        this.body.delegate()
    }
}

/// A value that an asynchronous generator yields.
#[pyclass(name = "async_generator_wrapped_value", no_new, no_methods)]
pub struct WrappedValue {
    value: Value,
}

impl WrappedValue {
    pub fn new_value(value: Value) -> Value {
        Py::new(WrappedValue { value }).into_value()
    }
}

/// States of an awaitable.
const INIT: u8 = 0;
const ITER: u8 = 1;
const CLOSED: u8 = 2;

/// Takes an awaitable from its first state; false if it has left that.
fn begin(state: &AtomicU8) -> bool {
    // Mostly it was left long ago, or nobody else is there.
    if state.load(Acquire) != INIT {
        return false;
    }
    if !parallel() {
        state.store(ITER, Relaxed);
        return true;
    }
    state.compare_exchange(INIT, ITER, Acquire, Relaxed).is_ok()
}

/// The generator is an awaitable's own until that ends; the loser is told that it is already running.
fn occupy(vm: &Vm, generator: &Py<AsyncGenerator>, state: &AtomicU8, method: &str) -> Res<()> {
    if swap_flag(&generator.running, true) {
        return Err(already_running(vm, state, method));
    }
    Ok(())
}

fn already_running(vm: &Vm, state: &AtomicU8, method: &str) -> Exc {
    state.store(CLOSED, Relaxed);
    vm.runtime_error(format!("{method}: asynchronous generator is already running"))
}

/// "coroutine method 'asend' of 'f' was never awaited"
fn warn_method(vm: &Vm, this: &Value, generator: &Py<AsyncGenerator>, method: &str) {
    let shown = vm.repr(generator.body.qualname().as_value());
    let shown = shown.map_or_else(|_| String::new(), |text| text.to_string_lossy());
    let message = format!("coroutine method '{method}' of {shown} was never awaited");
    if let Err(exc) = vm.warn(exceptions::RUNTIME_WARNING.get(), &message, 1) {
        vm.unraisable(exc, None, Some(this));
    }
}

/// `close()` of an awaitable: what throwing GeneratorExit into it gave.
fn closed_by(vm: &Vm, result: Res<Value>) -> Res<()> {
    match result {
        Ok(_) => Err(vm.runtime_error("coroutine ignored GeneratorExit")),
        Err(exc) if is_end(&exc) || exc.is_instance(exceptions::STOP_ITERATION.get()) => Ok(()),
        Err(exc) => Err(exc),
    }
}

/// The awaitable of `__anext__` and `asend`.
#[pyclass(name = "async_generator_asend", no_new)]
pub struct AsyncGenASend {
    generator: Py<AsyncGenerator>,
    value: Value,
    state: AtomicU8,
}

impl AsyncGenASend {
    fn new_value(generator: &Py<AsyncGenerator>, value: Value) -> Value {
        Py::new(AsyncGenASend {
            generator: generator.clone(),
            value,
            state: AtomicU8::new(INIT),
        })
        .into_value()
    }

    fn ended(&self, result: Res<Output>) -> Res<Output> {
        if !matches!(result, Ok(Output::Yield(_))) {
            self.state.store(CLOSED, Relaxed);
        }
        result
    }

    /// Whether it was awaited.
    pub(super) fn is_begun(&self) -> bool {
        self.state.load(Relaxed) != INIT
    }

    fn spent(&self, vm: &Vm) -> Res<()> {
        if self.state.load(Relaxed) == CLOSED {
            return Err(vm.runtime_error("cannot reuse already awaited __anext__()/asend()"));
        }
        Ok(())
    }

    /// One step of what awaits it.
    pub(super) fn step(&self, vm: &Vm, arg: Value) -> Res<Output> {
        self.spent(vm)?;
        let mut arg = arg;
        let generator = &self.generator;
        if begin(&self.state) {
            occupy(vm, generator, &self.state, "anext()")?;
            if arg.is_none() {
                arg = self.value.clone();
            }
        }
        generator.running.store(true, Release);
        let result = vm.resume(generator.as_value(), Input::Send(arg));
        self.ended(generator.unwrap(vm, result))
    }

    fn send_value(&self, vm: &Vm, arg: Value) -> Res<Value> {
        let output = self.step(vm, arg)?;
        vm.output_to_result(output)
    }

    fn throw_exc(&self, vm: &Vm, exc: Exc) -> Res<Value> {
        self.spent(vm)?;
        let generator = &self.generator;
        if begin(&self.state) {
            occupy(vm, generator, &self.state, "anext()")?;
        }
        let result = vm.throw_into(generator.as_value(), exc);
        let output = self.ended(generator.unwrap(vm, result))?;
        vm.output_to_result(output)
    }
}

#[pymethods]
impl AsyncGenASend {
    #[slot]
    fn __await__(_: &Vm, this: &Py<AsyncGenASend>) -> Value {
        this.to_value()
    }

    #[slot]
    fn __iter__(_: &Vm, this: &Py<AsyncGenASend>) -> Value {
        this.to_value()
    }

    #[slot]
    fn __next__(vm: &Vm, this: &Py<AsyncGenASend>) -> Res<Option<Value>> {
        this.send_value(vm, Value::NONE).map(Some)
    }

    #[slot]
    fn __del__(vm: &Vm, this: &Py<AsyncGenASend>) -> Res<()> {
        if this.state.load(Relaxed) == INIT {
            warn_method(vm, this.as_value(), &this.generator, "asend");
        }
        Ok(())
    }

    /// send(value) -> send 'value' into generator.
    #[pymethod(sig = "($self, value, /)")]
    fn send(vm: &Vm, this: &Py<AsyncGenASend>, value: Value) -> Res<Value> {
        this.send_value(vm, value)
    }

    /// throw(value)
    /// throw(type[,value[,tb]])
    ///
    /// Raise exception in the generator.
    #[pymethod(sig = "($self, typ, val=<unrepresentable>, tb=<unrepresentable>, /)")]
    fn throw(vm: &Vm, this: &Py<AsyncGenASend>, typ: &Value, val: Option<&Value>, tb: Option<&Value>) -> Res<Value> {
        this.spent(vm)?;
        let args: Vec<Value> = [Some(typ), val, tb].into_iter().flatten().cloned().collect();
        this.throw_exc(vm, vm.exception_to_throw(&args)?)
    }

    /// close() -> raise GeneratorExit inside generator.
    #[pymethod(sig = "($self, /)")]
    fn close(vm: &Vm, this: &Py<AsyncGenASend>) -> Res<()> {
        if this.state.load(Relaxed) == CLOSED {
            return Ok(());
        }
        closed_by(vm, this.throw_exc(vm, vm.generator_exit()))
    }
}

/// The awaitable of `athrow`, and of `aclose` where there are no arguments.
#[pyclass(name = "async_generator_athrow", no_new)]
pub struct AsyncGenAThrow {
    generator: Py<AsyncGenerator>,
    args: Vec<Value>,
    state: AtomicU8,
}

impl AsyncGenAThrow {
    fn new_value(generator: &Py<AsyncGenerator>, args: Vec<Value>) -> Value {
        Py::new(AsyncGenAThrow {
            generator: generator.clone(),
            args,
            state: AtomicU8::new(INIT),
        })
        .into_value()
    }

    fn closes(&self) -> bool {
        self.args.is_empty()
    }

    fn method(&self) -> &'static str {
        if self.closes() { "aclose" } else { "athrow" }
    }

    fn spent(&self, vm: &Vm) -> Res<()> {
        if self.state.load(Relaxed) == CLOSED {
            return Err(vm.runtime_error("cannot reuse already awaited aclose()/athrow()"));
        }
        Ok(())
    }

    fn leave(&self) {
        self.generator.running.store(false, Release);
        self.state.store(CLOSED, Relaxed);
    }

    fn send_value(&self, vm: &Vm, arg: Value) -> Res<Value> {
        self.spent(vm)?;
        let generator = &self.generator;
        if generator.finished() {
            self.state.store(CLOSED, Relaxed);
            return Err(vm.stop_iteration());
        }
        let result = if begin(&self.state) {
            if generator.running.load(Acquire) {
                return Err(already_running(vm, &self.state, &format!("{}()", self.method())));
            }
            if generator.closed.load(Acquire) {
                self.state.store(CLOSED, Relaxed);
                return Err(vm.stop_async_iteration());
            }
            if !arg.is_none() {
                self.state.store(INIT, Relaxed);
                return Err(vm.runtime_error("can't send non-None value to a just-started coroutine"));
            }
            occupy(vm, generator, &self.state, &format!("{}()", self.method()))?;
            let exc = if self.closes() {
                generator.closed.store(true, Release);
                Ok(vm.generator_exit())
            } else {
                vm.exception_to_throw_quietly(&self.args)
            };
            match exc {
                Ok(exc) => vm.throw_exception(generator.as_value(), exc, false),
                Err(exc) => {
                    self.leave();
                    return Err(exc);
                }
            }
        } else {
            vm.resume(generator.as_value(), Input::Send(arg))
        };
        self.conclude(vm, result)
    }

    /// What a step of the generator is to whoever awaits this.
    fn conclude(&self, vm: &Vm, result: Res<Output>) -> Res<Value> {
        let generator = &self.generator;
        if !self.closes() {
            let result = generator.unwrap(vm, result);
            if !matches!(result, Ok(Output::Yield(_))) {
                self.leave();
            }
            return vm.output_to_result(result?);
        }
        match generator.step(vm, result) {
            Step::Awaits(value) => Ok(value),
            Step::Yields(_) => {
                self.leave();
                Err(vm.runtime_error("async generator ignored GeneratorExit"))
            }
            Step::Fails(exc) => {
                self.leave();
                Err(if is_end(&exc) { vm.stop_iteration() } else { exc })
            }
        }
    }

    fn throw_exc(&self, vm: &Vm, exc: Exc) -> Res<Value> {
        self.spent(vm)?;
        if begin(&self.state) {
            occupy(vm, &self.generator, &self.state, &format!("{}()", self.method()))?;
        }
        let result = vm.throw_into(self.generator.as_value(), exc);
        self.conclude(vm, result)
    }
}

#[pymethods]
impl AsyncGenAThrow {
    #[slot]
    fn __await__(_: &Vm, this: &Py<AsyncGenAThrow>) -> Value {
        this.to_value()
    }

    #[slot]
    fn __iter__(_: &Vm, this: &Py<AsyncGenAThrow>) -> Value {
        this.to_value()
    }

    #[slot]
    fn __next__(vm: &Vm, this: &Py<AsyncGenAThrow>) -> Res<Option<Value>> {
        this.send_value(vm, Value::NONE).map(Some)
    }

    #[slot]
    fn __del__(vm: &Vm, this: &Py<AsyncGenAThrow>) -> Res<()> {
        if this.state.load(Relaxed) == INIT {
            warn_method(vm, this.as_value(), &this.generator, this.method());
        }
        Ok(())
    }

    /// send(value) -> send 'value' into generator.
    #[pymethod(sig = "($self, value, /)")]
    fn send(vm: &Vm, this: &Py<AsyncGenAThrow>, value: Value) -> Res<Value> {
        this.send_value(vm, value)
    }

    /// throw(value)
    /// throw(type[,value[,tb]])
    ///
    /// Raise exception in the generator.
    #[pymethod(sig = "($self, typ, val=<unrepresentable>, tb=<unrepresentable>, /)")]
    fn throw(vm: &Vm, this: &Py<AsyncGenAThrow>, typ: &Value, val: Option<&Value>, tb: Option<&Value>) -> Res<Value> {
        this.spent(vm)?;
        let args: Vec<Value> = [Some(typ), val, tb].into_iter().flatten().cloned().collect();
        this.throw_exc(vm, vm.exception_to_throw(&args)?)
    }

    /// close() -> raise GeneratorExit inside generator.
    #[pymethod(sig = "($self, /)")]
    fn close(vm: &Vm, this: &Py<AsyncGenAThrow>) -> Res<()> {
        if this.state.load(Relaxed) == CLOSED {
            return Ok(());
        }
        closed_by(vm, this.throw_exc(vm, vm.generator_exit()))
    }
}

/// The awaitable of `anext(iterator, default)`.
#[pyclass(name = "anext_awaitable", no_new)]
pub struct AnextAwaitable {
    wrapped: Value,
    default: Value,
}

impl AnextAwaitable {
    pub fn new_value(wrapped: Value, default: Value) -> Value {
        Py::new(AnextAwaitable { wrapped, default }).into_value()
    }

    /// The iterator that does the work.
    fn iterator(&self, vm: &Vm) -> Res<Value> {
        let Some(iter) = get_awaitable(vm, &self.wrapped)? else {
            let found = self.wrapped.ty().name();
            return Err(vm.type_error(format!("'{found}' object can't be awaited")));
        };
        if iter.ty().slots().next.is_some() {
            return Ok(iter);
        }
        // A coroutine; its wrapper can be iterated.
        let Some(f) = iter.ty().slots().await_ else {
            return Err(vm.type_error("__await__ must return an iterable"));
        };
        let iter = f(vm, &iter)?;
        if iter.ty().slots().next.is_none() {
            return Err(vm.type_error("__await__ must return an iterable"));
        }
        Ok(iter)
    }

    /// The end of the iteration is the default.
    fn or_default(&self, vm: &Vm, result: Res<Value>) -> Res<Value> {
        match result {
            Err(exc) if exc.is_instance(exceptions::STOP_ASYNC_ITERATION.get()) => {
                Err(vm.stop_iteration_with(self.default.clone()))
            }
            result => result,
        }
    }
}

#[pymethods]
impl AnextAwaitable {
    #[slot]
    fn __await__(_: &Vm, this: &Py<AnextAwaitable>) -> Value {
        this.to_value()
    }

    #[slot]
    fn __iter__(_: &Vm, this: &Py<AnextAwaitable>) -> Value {
        this.to_value()
    }

    #[slot]
    fn __next__(vm: &Vm, this: &Py<AnextAwaitable>) -> Res<Option<Value>> {
        let iter = this.iterator(vm)?;
        match vm.next_or_end(&iter) {
            Ok(value) => Ok(value),
            Err(exc) => this.or_default(vm, Err(exc)).map(Some),
        }
    }

    /// send(value) -> send 'value' into the wrapped awaitable.
    #[pymethod(sig = "($self, value, /)")]
    fn send(vm: &Vm, this: &Py<AnextAwaitable>, value: Value) -> Res<Value> {
        let iter = this.iterator(vm)?;
        this.or_default(vm, vm.call_method(&iter, intern!("send"), &[value]))
    }

    /// throw(value)
    /// throw(type[,value[,tb]])
    ///
    /// Raise exception in the wrapped awaitable.
    #[pymethod(sig = "($self, *args)")]
    fn throw(vm: &Vm, this: &Py<AnextAwaitable>, args: &[Value]) -> Res<Value> {
        let iter = this.iterator(vm)?;
        this.or_default(vm, vm.call_method(&iter, intern!("throw"), args))
    }

    /// close() -> raise GeneratorExit inside the wrapped awaitable.
    #[pymethod(sig = "($self, /)")]
    fn close(vm: &Vm, this: &Py<AnextAwaitable>) -> Res<Value> {
        let iter = this.iterator(vm)?;
        this.or_default(vm, vm.call_method(&iter, intern!("close"), &[]))
    }
}
