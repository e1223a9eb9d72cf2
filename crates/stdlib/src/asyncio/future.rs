//! `Future`: a result that is awaited, and the iterator that awaits it.
//!
//! Invariant: the state leaves `PENDING` once, after the result or exception was stored; the callbacks are taken out of the future before they are
//! scheduled. Left out: what `Task` adds.

use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};

use lisle_runtime::intern;
use lisle_runtime::native::*;
use lisle_runtime::sync::{Locked, parallel, swap_flag};
use lisle_runtime::types::dict::Dict;
use lisle_runtime::types::exceptions;
use lisle_runtime::types::generic_alias::GenericAlias;
use lisle_runtime::types::list::List;
use lisle_runtime::types::set::FrozenSet;
use lisle_runtime::types::tuple::Tuple;
use smallvec::SmallVec;

use super::task::Task;
use super::{call_soon, cancelled_error, invalid_state, library, schedule};
use crate::contextvars::copy_current;

const PENDING: u8 = 0;
const CANCELLED: u8 = 1;
const FINISHED: u8 = 2;

#[pyclass(
    name = "Future",
    module = "_asyncio",
    basetype,
    dict,
    weakref,
    doc = "This class is *almost* compatible with concurrent.futures.Future.\n\n    Differences:\n\n    - result() and exception() do not take a timeout argument and\n      raise an exception when the future isn't done yet.\n\n    - Callbacks registered with add_done_callback() are always called\n      via the event loop's call_soon_threadsafe().\n\n    - This class is not compatible with the wait() and as_completed()\n      methods in the concurrent.futures package."
)]
pub struct Future {
    state: AtomicU8,
    pub blocking: AtomicBool,
    pub log_traceback: AtomicBool,
    event_loop: Slot,
    /// Functions with their contexts.
    callbacks: Locked<SmallVec<[(Value, Value); 1]>>,
    result: Slot,
    exception: Slot,
    /// That of the exception when it was set.
    traceback: Slot,
    pub source_traceback: Slot,
    pub cancel_message: Slot,
    pub cancelled_exc: Slot,
    awaited_by: Locked<SmallVec<[Value; 1]>>,
}

/// A future or task of the native classes or their subclasses.
pub fn native(value: &Value) -> Option<&Py<Future>> {
    value.downcast::<Future>()
}

/// A future or task of exactly the native classes, whose methods are known.
pub fn exact(value: &Value) -> Option<&Py<Future>> {
    if value.has_type(Future::ty()) || value.has_type(Task::ty()) {
        return value.downcast::<Future>();
    }
    None
}

type This = Py<Future>;

impl Future {
    pub fn empty() -> Future {
        Future {
            state: AtomicU8::new(PENDING),
            blocking: AtomicBool::new(false),
            log_traceback: AtomicBool::new(false),
            event_loop: Slot::empty(),
            callbacks: Locked::new(SmallVec::new()),
            result: Slot::empty(),
            exception: Slot::empty(),
            traceback: Slot::empty(),
            source_traceback: Slot::empty(),
            cancel_message: Slot::empty(),
            cancelled_exc: Slot::empty(),
            awaited_by: Locked::new(SmallVec::new()),
        }
    }

    pub fn is_done(&self) -> bool {
        self.state.load(Ordering::Acquire) != PENDING
    }

    pub fn is_cancelled(&self) -> bool {
        self.state.load(Ordering::Acquire) == CANCELLED
    }

    /// Whether it was set up, and is done without an exception.
    pub fn ended_well(&self) -> bool {
        !self.event_loop.is_empty() && self.is_done() && (self.is_cancelled() || self.exception.is_empty())
    }

    /// Somebody asked for the exception of a future that was not cancelled.
    pub fn forget_traceback(&self) {
        if !self.is_cancelled() {
            self.log_traceback.store(false, Ordering::Relaxed);
        }
    }

    /// The loop, if `__init__` has run.
    pub fn event_loop(&self, vm: &Vm) -> Res<Value> {
        self.event_loop
            .get()
            .ok_or_else(|| vm.runtime_error("Future object is not initialized."))
    }

    /// `__init__`: of a future that may have been used before.
    pub fn set_up(vm: &Vm, this: &This, event_loop: Option<&Value>) -> Res<Value> {
        let event_loop = match event_loop.filter(|event_loop| !event_loop.is_none()) {
            Some(event_loop) => event_loop.clone(),
            None => super::event_loop(vm)?,
        };
        this.state.store(PENDING, Ordering::Relaxed);
        this.blocking.store(false, Ordering::Relaxed);
        this.log_traceback.store(false, Ordering::Relaxed);
        for slot in [
            &this.result,
            &this.exception,
            &this.traceback,
            &this.source_traceback,
            &this.cancel_message,
            &this.cancelled_exc,
        ] {
            if !slot.is_empty() {
                drop(slot.take());
            }
        }
        this.event_loop.set(event_loop.clone());
        if schedule::debugs(vm, &event_loop)? {
            let extract = library(vm, "traceback", intern!("extract_stack"))?;
            this.source_traceback.set(vm.call(&extract, &[])?);
        }
        Ok(event_loop)
    }

    fn schedule_callbacks(vm: &Vm, this: &This) -> Res<()> {
        let callbacks = this.callbacks.with(this.header(), std::mem::take);
        if callbacks.is_empty() {
            return Ok(());
        }
        let event_loop = this.event_loop(vm)?;
        for (callback, context) in callbacks {
            call_soon(vm, &event_loop, &[callback, this.to_value()], Some(context))?;
        }
        Ok(())
    }

    /// Leaves the pending state, in one thread only.
    fn leave_pending(&self, to: u8) -> bool {
        if !parallel() {
            let pending = self.state.load(Ordering::Relaxed) == PENDING;
            if pending {
                self.state.store(to, Ordering::Relaxed);
            }
            return pending;
        }
        self.state
            .compare_exchange(PENDING, to, Ordering::AcqRel, Ordering::Relaxed)
            .is_ok()
    }

    pub fn finish(vm: &Vm, this: &This, result: Value) -> Res<()> {
        this.event_loop(vm)?;
        if this.is_done() {
            return Err(invalid_state(vm, "invalid state"));
        }
        this.result.set(result);
        if !this.leave_pending(FINISHED) {
            return Err(invalid_state(vm, "invalid state"));
        }
        Future::schedule_callbacks(vm, this)
    }

    pub fn fail(vm: &Vm, this: &This, exception: &Value) -> Res<()> {
        this.event_loop(vm)?;
        if this.is_done() {
            return Err(invalid_state(vm, "invalid state"));
        }
        let mut exc = match exception.downcast::<Type>() {
            Some(_) => {
                let made = vm.call(exception, &[])?;
                Exc::try_from_value(made).map_err(|_| vm.type_error("invalid exception object"))?
            }
            None => Exc::try_from_value(exception.clone()).map_err(|_| vm.type_error("invalid exception object"))?,
        };
        if exc.is_stop_iteration() {
            let cause = Some(exc.into_value());
            let message = "StopIteration interacts badly with generators and cannot be raised into a Future";
            exc = vm.runtime_error(message).with_context(cause.clone()).with_cause(cause);
        }
        drop(this.traceback.swap(exc.object().traceback.get()));
        this.exception.set(exc.into_value());
        if !this.leave_pending(FINISHED) {
            return Err(invalid_state(vm, "invalid state"));
        }
        Future::schedule_callbacks(vm, this)?;
        this.log_traceback.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// `Future.cancel`, for tasks that end too.
    pub fn cancel_now(vm: &Vm, this: &This, message: Option<Value>) -> Res<bool> {
        this.log_traceback.store(false, Ordering::Relaxed);
        if this.is_done() {
            return Ok(false);
        }
        drop(this.cancel_message.swap(message));
        if !this.leave_pending(CANCELLED) {
            return Ok(false);
        }
        Future::schedule_callbacks(vm, this)?;
        Ok(true)
    }

    pub fn cancelled_exception(vm: &Vm, this: &This) -> Res<Exc> {
        if let Some(Ok(exc)) = this.cancelled_exc.take().map(Exc::try_from_value) {
            return Ok(exc);
        }
        let message = this.cancel_message.get().filter(|message| !message.is_none());
        Ok(vm.new_exception(cancelled_error(vm)?, message.into_iter().collect()))
    }

    /// `Future.result`
    pub fn outcome(vm: &Vm, this: &This) -> Res<Value> {
        match this.state.load(Ordering::Acquire) {
            CANCELLED => return Err(Future::cancelled_exception(vm, this)?),
            FINISHED => {}
            _ => return Err(invalid_state(vm, "Result is not set.")),
        }
        this.log_traceback.store(false, Ordering::Relaxed);
        match this.exception.get().map(Exc::try_from_value) {
            Some(Ok(exc)) => {
                drop(exc.object().traceback.swap(this.traceback.take()));
                Err(exc)
            }
            _ => Ok(this.result.get().unwrap_or(Value::NONE)),
        }
    }

    pub fn add_callback(vm: &Vm, this: &This, callback: Value, context: Option<Value>) -> Res<()> {
        let event_loop = this.event_loop(vm)?;
        if !this.is_done() {
            let context = context.clone().unwrap_or_else(|| copy_current(vm));
            let added = this.callbacks.with(this.header(), |callbacks| {
                // Whoever finishes the future takes the callbacks afterwards.
                let pending = !this.is_done();
                if pending {
                    callbacks.push((callback.clone(), context));
                }
                pending
            });
            if added {
                return Ok(());
            }
        }
        call_soon(vm, &event_loop, &[callback, this.to_value()], context)
    }

    pub fn add_waiter(this: &This, waiter: &Value) {
        this.awaited_by.with(this.header(), |waiters| {
            if !waiters.iter().any(|other| other.is(waiter)) {
                waiters.push(waiter.clone());
            }
        });
    }

    pub fn discard_waiter(this: &This, waiter: &Value) {
        let old = this.awaited_by.with(this.header(), |waiters| {
            let at = waiters.iter().position(|other| other.is(waiter));
            at.map(|at| waiters.swap_remove(at))
        });
        drop(old);
    }

    /// Tells the loop of an exception that nobody asked for.
    pub fn report(vm: &Vm, this: &This) -> Res<()> {
        if !swap_flag(&this.log_traceback, false) {
            return Ok(());
        }
        let (Some(exception), Some(event_loop)) = (this.exception.get(), this.event_loop.get()) else {
            return Ok(());
        };
        let context = Dict::new_empty();
        let set = |name: &'static Py<Str>, value: Value| drop(context.replace_str(name, value));
        let message = format!("{} exception was never retrieved", this.class().short_name());
        set(intern!("message"), Value::from(message.as_str()));
        set(intern!("exception"), exception);
        set(intern!("future"), this.to_value());
        if let Some(source) = this.source_traceback.get() {
            set(intern!("source_traceback"), source);
        }
        vm.call_method(&event_loop, intern!("call_exception_handler"), &[context.into_value()])
            .map(drop)
    }
}

/// The new value of an attribute that cannot be deleted.
pub fn assigned<'v>(vm: &Vm, value: Option<&'v Value>) -> Res<&'v Value> {
    value.ok_or_else(|| vm.attribute_error("cannot delete attribute"))
}

#[pymethods]
impl Future {
    #[slot]
    fn __new__(_: &Vm, cls: &Py<Type>, _: Args<'_>) -> Res<Value> {
        Ok(Py::with_class(cls, Future::empty()).into_value())
    }

    #[slot(sig = "(*, loop=None)")]
    fn __init__(vm: &Vm, this: &This, r#loop: Option<&Value>) -> Res<()> {
        Future::set_up(vm, this, r#loop).map(drop)
    }

    #[slot]
    fn __del__(vm: &Vm, this: &This) -> Res<()> {
        Future::report(vm, this)
    }

    #[slot]
    fn __repr__(vm: &Vm, this: &This) -> Res<Value> {
        this.event_loop(vm)?;
        let show = library(vm, "asyncio.base_futures", intern!("_future_repr"))?;
        vm.call(&show, &[this.to_value()])
    }

    #[slot]
    fn __iter__(vm: &Vm, this: &This) -> Res<Value> {
        this.event_loop(vm)?;
        Ok(FutureIter::over(this))
    }

    #[slot]
    fn __await__(vm: &Vm, this: &This) -> Res<Value> {
        this.event_loop(vm)?;
        Ok(FutureIter::over(this))
    }

    /// Return the result this future represents.
    ///
    /// If the future has been cancelled, raises CancelledError.  If the
    /// future's result isn't yet available, raises InvalidStateError.  If
    /// the future is done and has an exception set, this exception is raised.
    #[pymethod(sig = "($self, /)")]
    fn result(vm: &Vm, this: &This) -> Res<Value> {
        if this.event_loop.is_empty() {
            return Err(invalid_state(vm, "Future object is not initialized."));
        }
        Future::outcome(vm, this)
    }

    /// Return the exception that was set on this future.
    ///
    /// The exception (or None if no exception was set) is returned only if
    /// the future is done.  If the future has been cancelled, raises
    /// CancelledError.  If the future isn't done yet, raises
    /// InvalidStateError.
    #[pymethod(sig = "($self, /)")]
    fn exception(vm: &Vm, this: &This) -> Res<Option<Value>> {
        if this.event_loop.is_empty() {
            return Err(invalid_state(vm, "Future object is not initialized."));
        }
        match this.state.load(Ordering::Acquire) {
            CANCELLED => Err(Future::cancelled_exception(vm, this)?),
            FINISHED => {
                this.log_traceback.store(false, Ordering::Relaxed);
                Ok(this.exception.get())
            }
            _ => Err(invalid_state(vm, "Exception is not set.")),
        }
    }

    /// Mark the future done and set its result.
    ///
    /// If the future is already done when this method is called, raises
    /// InvalidStateError.
    #[pymethod(sig = "($self, result, /)")]
    fn set_result(vm: &Vm, this: &This, result: &Value) -> Res<()> {
        Future::finish(vm, this, result.clone())
    }

    /// Mark the future done and set an exception.
    ///
    /// If the future is already done when this method is called, raises
    /// InvalidStateError.
    #[pymethod(sig = "($self, exception, /)")]
    fn set_exception(vm: &Vm, this: &This, exception: &Value) -> Res<()> {
        Future::fail(vm, this, exception)
    }

    /// Add a callback to be run when the future becomes done.
    ///
    /// The callback is called with a single argument - the future object. If
    /// the future is already done when this is called, the callback is
    /// scheduled with call_soon.
    #[pymethod(sig = "($self, fn, /, *, context=<unrepresentable>)")]
    fn add_done_callback(vm: &Vm, this: &This, r#fn: &Value, context: Option<&Value>) -> Res<()> {
        Future::add_callback(vm, this, r#fn.clone(), context.cloned())
    }

    /// Remove all instances of a callback from the "call when done" list.
    ///
    /// Returns the number of callbacks removed.
    #[pymethod(sig = "($self, fn, /)")]
    fn remove_done_callback(vm: &Vm, this: &This, r#fn: &Value) -> Res<usize> {
        this.event_loop(vm)?;
        let snapshot = this.callbacks.with(this.header(), |callbacks| callbacks.clone());
        let mut unwanted = Vec::new();
        for (callback, context) in snapshot {
            if vm.eq(&callback, r#fn)? {
                unwanted.push((callback, context));
            }
        }
        let mut removed = Vec::new();
        this.callbacks.with(this.header(), |callbacks| {
            let old = std::mem::take(callbacks);
            for entry in old {
                if unwanted
                    .iter()
                    .any(|(f, context)| f.is(&entry.0) && context.is(&entry.1))
                {
                    removed.push(entry);
                } else {
                    callbacks.push(entry);
                }
            }
        });
        Ok(removed.len())
    }

    /// Cancel the future and schedule callbacks.
    ///
    /// If the future is already done or cancelled, return False.  Otherwise,
    /// change the future's state to cancelled, schedule the callbacks and
    /// return True.
    #[pymethod(sig = "($self, /, msg=None)")]
    fn cancel(vm: &Vm, this: &This, msg: Option<&Value>) -> Res<bool> {
        this.event_loop(vm)?;
        Future::cancel_now(vm, this, msg.cloned())
    }

    /// Return True if the future was cancelled.
    #[pymethod(sig = "($self, /)")]
    fn cancelled(_: &Vm, this: &This) -> bool {
        !this.event_loop.is_empty() && this.is_cancelled()
    }

    /// Return True if the future is done.
    ///
    /// Done means either that a result / exception are available, or that the
    /// future was cancelled.
    #[pymethod(sig = "($self, /)")]
    fn done(_: &Vm, this: &This) -> bool {
        !this.event_loop.is_empty() && this.is_done()
    }

    /// Return the event loop the Future is bound to.
    #[pymethod(sig = "($self, /)")]
    fn get_loop(vm: &Vm, this: &This) -> Res<Value> {
        this.event_loop(vm)
    }

    /// Create the CancelledError to raise if the Future is cancelled.
    ///
    /// This should only be called once when handling a cancellation since
    /// it erases the context exception value.
    #[pymethod(sig = "($self, /)")]
    fn _make_cancelled_error(vm: &Vm, this: &This) -> Res<Value> {
        Ok(Future::cancelled_exception(vm, this)?.into_value())
    }

    #[getter]
    fn _state(vm: &Vm, this: &This) -> Res<Value> {
        this.event_loop(vm)?;
        let name = match this.state.load(Ordering::Acquire) {
            PENDING => intern!("PENDING"),
            CANCELLED => intern!("CANCELLED"),
            _ => intern!("FINISHED"),
        };
        Ok(name.to_value())
    }

    #[getter]
    fn _asyncio_future_blocking(_: &Vm, this: &This) -> bool {
        !this.event_loop.is_empty() && this.blocking.load(Ordering::Relaxed)
    }

    #[setter(name = "_asyncio_future_blocking")]
    fn set_blocking(vm: &Vm, this: &This, value: Option<&Value>) -> Res<()> {
        this.event_loop(vm)?;
        let blocking = vm.truth(assigned(vm, value)?)?;
        this.blocking.store(blocking, Ordering::Relaxed);
        Ok(())
    }

    #[getter]
    fn _asyncio_awaited_by(vm: &Vm, this: &This) -> Res<Option<Value>> {
        let waiters = this.awaited_by.with(this.header(), |waiters| waiters.to_vec());
        if waiters.is_empty() {
            return Ok(None);
        }
        FrozenSet::from_values(vm, waiters).map(Some)
    }

    #[getter]
    fn _loop(_: &Vm, this: &This) -> Option<Value> {
        this.event_loop.get()
    }

    #[getter]
    fn _callbacks(vm: &Vm, this: &This) -> Res<Option<Value>> {
        this.event_loop(vm)?;
        let callbacks = this.callbacks.with(this.header(), |callbacks| callbacks.clone());
        if callbacks.is_empty() {
            return Ok(None);
        }
        let pairs = callbacks
            .into_iter()
            .map(|(callback, context)| Tuple::pair(callback, context).into_value());
        Ok(Some(List::new(pairs.collect()).into_value()))
    }

    #[getter]
    fn _result(vm: &Vm, this: &This) -> Res<Option<Value>> {
        this.event_loop(vm)?;
        Ok(this.result.get())
    }

    #[getter]
    fn _exception(vm: &Vm, this: &This) -> Res<Option<Value>> {
        this.event_loop(vm)?;
        Ok(this.exception.get())
    }

    #[getter]
    fn _log_traceback(vm: &Vm, this: &This) -> Res<bool> {
        this.event_loop(vm)?;
        Ok(this.log_traceback.load(Ordering::Relaxed))
    }

    #[setter(name = "_log_traceback")]
    fn set_log_traceback(vm: &Vm, this: &This, value: Option<&Value>) -> Res<()> {
        if vm.truth(assigned(vm, value)?)? {
            return Err(vm.value_error("_log_traceback can only be set to False"));
        }
        this.log_traceback.store(false, Ordering::Relaxed);
        Ok(())
    }

    #[getter]
    fn _source_traceback(_: &Vm, this: &This) -> Option<Value> {
        this.source_traceback.get()
    }

    #[getter]
    fn _cancel_message(_: &Vm, this: &This) -> Option<Value> {
        this.cancel_message.get()
    }

    #[setter(name = "_cancel_message")]
    fn set_cancel_message(vm: &Vm, this: &This, value: Option<&Value>) -> Res<()> {
        this.cancel_message.set(assigned(vm, value)?.clone());
        Ok(())
    }

    /// See PEP 585
    #[classmethod(sig = "($type, object, /)")]
    fn __class_getitem__(vm: &Vm, cls: &Py<Type>, object: &Value) -> Res<Value> {
        Ok(GenericAlias::new_value(vm, cls.as_value(), object))
    }
}

/// What awaits a future: yields it once, and returns its result.
#[pyclass(name = "FutureIter", module = "_asyncio", no_new)]
pub struct FutureIter {
    future: PySlot<Future>,
}

impl FutureIter {
    fn over(future: &This) -> Value {
        Py::new(FutureIter {
            future: PySlot::new(future.clone()),
        })
        .into_value()
    }
}

#[pymethods]
impl FutureIter {
    #[slot]
    fn __iter__(_: &Vm, this: &Py<FutureIter>) -> Res<Value> {
        Ok(this.to_value())
    }

    #[slot]
    fn __next__(vm: &Vm, this: &Py<FutureIter>) -> Res<Option<Value>> {
        let Some(future) = this.future.get() else {
            return Ok(None);
        };
        if !future.is_done() {
            if swap_flag(&future.blocking, true) {
                return Err(vm.runtime_error("await wasn't used with future"));
            }
            return Ok(Some(future.into_value()));
        }
        drop(this.future.swap(None));
        let result = Future::outcome(vm, &future)?;
        if result.is_none() {
            return Ok(None);
        }
        Err(vm.stop_iteration_with(result))
    }

    #[pymethod(sig = "($self, value, /)")]
    fn send(vm: &Vm, this: &Py<FutureIter>, _value: &Value) -> Res<Value> {
        match FutureIter::__next__(vm, this)? {
            Some(value) => Ok(value),
            None => Err(vm.stop_iteration()),
        }
    }

    #[pymethod(sig = "($self, type, value=None, traceback=None, /)")]
    fn throw(
        vm: &Vm,
        this: &Py<FutureIter>,
        r#type: &Value,
        value: Option<&Value>,
        traceback: Option<&Value>,
    ) -> Res<Value> {
        use lisle_runtime::types::traceback::Traceback;
        if value.is_some() {
            let message =
                "the (type, exc, tb) signature of throw() is deprecated, use the single-arg signature instead.";
            vm.warn(exceptions::DEPRECATION_WARNING.get(), message, 1)?;
        }
        let value = value.filter(|value| !value.is_none());
        let traceback = traceback.filter(|traceback| !traceback.is_none());
        if traceback.is_some_and(|traceback| traceback.downcast::<Traceback>().is_none()) {
            return Err(vm.type_error("throw() third argument must be a traceback"));
        }
        let exc = match (r#type.downcast::<Type>(), value) {
            (None, Some(_)) => return Err(vm.type_error("instance exception may not have a separate value")),
            (Some(_), Some(value)) => match Exc::try_from_value(value.clone()) {
                Ok(exc) => exc,
                Err(value) => vm.exception_from_class_or_instance(&vm.call(r#type, &[value])?)?,
            },
            (_, None) => vm.exception_from_class_or_instance(r#type)?,
        };
        if let Some(traceback) = traceback {
            exc.object().traceback.set(traceback.clone());
        }
        drop(this.future.swap(None));
        Err(exc)
    }

    #[pymethod(sig = "($self, /)")]
    fn close(_: &Vm, this: &Py<FutureIter>) {
        drop(this.future.swap(None));
    }
}
