//! `Task`: a coroutine that an event loop runs step by step.
//!
//! Invariant: a pending task is in one of three states: it waits for `waiter`, which has `task_wakeup` among its callbacks; a step is scheduled; or it runs,
//! in one thread. Left out: the texts of `repr` and stacks, which are the library's (`asyncio.base_tasks`).

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering::Relaxed};

use lisle_runtime::intern;
use lisle_runtime::memory::roll::Place;
use lisle_runtime::native::*;
use lisle_runtime::sync::swap_flag;
use lisle_runtime::types::coroutine::Coroutine;
use lisle_runtime::types::dict::Dict;
use lisle_runtime::types::exceptions;
use lisle_runtime::types::generator::{Generator, Input, Output};
use lisle_runtime::types::generic_alias::GenericAlias;
use lisle_runtime::types::native_function::NativeFunction;

use super::future::{self, Future, assigned};
use super::{call_soon, call_with_context, cancelled_error, invalid_state, library, schedule, state};
use crate::contextvars::{Context, copy_current};

#[pyclass(
    name = "Task",
    module = "_asyncio",
    base = Future,
    basetype,
    dict,
    weakref,
    doc = "A coroutine wrapped in a Future."
)]
pub struct Task {
    future: Future,
    coro: Slot,
    /// A str, or the number of a task that got no name.
    name: Slot,
    context: Slot,
    waiter: Slot,
    must_cancel: AtomicBool,
    cancels: AtomicI64,
    log_destroy_pending: AtomicBool,
    /// Where it is listed, until it is done.
    pub listed: Place,
}

type This = Py<Task>;

/// Numbers in the names of tasks.
static NAMES: AtomicI64 = AtomicI64::new(1);

/// The task as the future it is.
fn base(this: &This) -> &Py<Future> {
    match future::native(this.as_value()) {
        Some(future) => future,
        None => unreachable!("a task is a future"),
    }
}

/// Resumes a coroutine with `None`.
fn send(vm: &Vm, coro: &Value) -> Res<Output> {
    if coro.has_type(Coroutine::ty()) || coro.has_type(Generator::ty()) {
        return vm.resume(coro, Input::Send(Value::NONE));
    }
    returned(vm.call_method(coro, intern!("send"), &[Value::NONE]))
}

fn throw(vm: &Vm, coro: &Value, exc: Exc) -> Res<Output> {
    if coro.has_type(Coroutine::ty()) || coro.has_type(Generator::ty()) {
        return vm.throw_into(coro, exc);
    }
    returned(vm.call_method(coro, intern!("throw"), &[exc.into_value()]))
}

/// What a method did that ends by `StopIteration`.
fn returned(result: Res<Value>) -> Res<Output> {
    match result {
        Ok(value) => Ok(Output::Yield(value)),
        Err(exc) if exc.is(&exceptions::STOP_ITERATION) => {
            Ok(Output::Return(exc.stop_iteration_value().unwrap_or(Value::NONE)))
        }
        Err(exc) => Err(exc),
    }
}

impl Task {
    fn schedule_step(vm: &Vm, this: &This, exc: Option<Exc>) -> Res<()> {
        let step = Py::new(TaskStep {
            task: this.clone(),
            exc: Slot::from_option(exc.map(Exc::into_value)),
        });
        let event_loop = this.future.event_loop(vm)?;
        call_soon(vm, &event_loop, &[step.into_value()], this.context.get())
    }

    /// A step that raises an error in the coroutine.
    fn schedule_error(vm: &Vm, this: &This, message: String) -> Res<()> {
        Task::schedule_step(vm, this, Some(vm.runtime_error(message)))
    }

    /// One step, as the current task of the loop.
    fn step(vm: &Vm, this: &This, exc: Option<Exc>) -> Res<()> {
        let event_loop = this.future.event_loop(vm)?;
        state::enter(vm, &event_loop, this.as_value())?;
        let result = Task::run_step(vm, this, exc);
        let left = state::leave(vm, &event_loop, this.as_value());
        if this.future.is_done() {
            this.listed.leave();
        }
        result.and(left)
    }

    fn run_step(vm: &Vm, this: &This, exc: Option<Exc>) -> Res<()> {
        if this.future.is_done() {
            let task = vm.repr(this.as_value())?.to_string_lossy();
            let shown = match exc {
                Some(exc) => vm.repr(exc.value())?.to_string_lossy(),
                None => String::new(),
            };
            return Err(invalid_state(vm, &format!("__step(): already done: {task} {shown}")));
        }
        let mut exc = exc;
        if swap_flag(&this.must_cancel, false) {
            let class = cancelled_error(vm)?;
            if !exc.as_ref().is_some_and(|exc| exc.is_instance(class)) {
                exc = Some(Future::cancelled_exception(vm, base(this))?);
            }
        }
        drop(this.waiter.take());
        let Some(coro) = this.coro.get() else {
            return Err(vm.runtime_error("uninitialized Task object"));
        };
        let output = match exc {
            None => send(vm, &coro),
            Some(exc) => throw(vm, &coro, exc),
        };
        match output {
            Ok(Output::Yield(value)) => Task::wait_for(vm, this, value),
            Ok(Output::Return(value)) => {
                if swap_flag(&this.must_cancel, false) {
                    // It was cancelled right before it returned.
                    let message = this.future.cancel_message.get();
                    return Future::cancel_now(vm, base(this), message).map(drop);
                }
                Future::finish(vm, base(this), value)
            }
            Err(exc) => Task::fail(vm, this, exc),
        }
    }

    fn fail(vm: &Vm, this: &This, exc: Exc) -> Res<()> {
        if exc.is_instance(cancelled_error(vm)?) {
            // It is what `result` raises.
            this.future.cancelled_exc.set(exc.into_value());
            return Future::cancel_now(vm, base(this), None).map(drop);
        }
        Future::fail(vm, base(this), exc.value())?;
        if exc.is(&exceptions::KEYBOARD_INTERRUPT) || exc.is(&exceptions::SYSTEM_EXIT) {
            return Err(exc);
        }
        Ok(())
    }

    /// Acts on what the coroutine yielded.
    fn wait_for(vm: &Vm, this: &This, value: Value) -> Res<()> {
        if value.is_none() {
            return Task::schedule_step(vm, this, None);
        }
        let shown = |value: &Value| vm.repr(value).map(|text| text.to_string_lossy());
        if value.is(this.as_value()) {
            let task = shown(&value)?;
            return Task::schedule_error(vm, this, format!("Task cannot await on itself: {task}"));
        }
        let native = future::exact(&value);
        let blocking = match native {
            Some(future) => future.blocking.load(Relaxed),
            None => match vm.getattr_opt(&value, intern!("_asyncio_future_blocking"))? {
                Some(blocking) if !blocking.is_none() => vm.truth(&blocking)?,
                _ => return Task::refuse(vm, this, &value),
            },
        };
        let event_loop = this.future.event_loop(vm)?;
        if !super::loop_of(vm, &value)?.is(&event_loop) {
            let message = format!(
                "Task {} got Future {} attached to a different loop",
                shown(this.as_value())?,
                shown(&value)?
            );
            return Task::schedule_error(vm, this, message);
        }
        if !blocking {
            let message = format!(
                "yield was used instead of yield from in task {} with {}",
                shown(this.as_value())?,
                shown(&value)?
            );
            return Task::schedule_error(vm, this, message);
        }
        if let Some(future) = future::native(&value) {
            Future::add_waiter(future, this.as_value());
        }
        let wakeup = NativeFunction::new_value(&TASK_WAKEUP_DEF, Some(this.to_value()), None);
        let context = this.context.get();
        // It is known before the callback may run in another thread.
        this.waiter.set(value.clone());
        match native {
            Some(future) => {
                future.blocking.store(false, Relaxed);
                Future::add_callback(vm, future, wakeup, context)?;
            }
            None => {
                vm.setattr(&value, intern!("_asyncio_future_blocking"), &Value::FALSE)?;
                let add = vm.getattr(&value, intern!("add_done_callback"))?;
                call_with_context(vm, &add, &[wakeup], context)?;
            }
        }
        if this.must_cancel.load(Relaxed) && cancel_waiter(vm, &value, this.future.cancel_message.get())? {
            this.must_cancel.store(false, Relaxed);
        }
        Ok(())
    }

    /// Refuses what is no future.
    fn refuse(vm: &Vm, this: &This, value: &Value) -> Res<()> {
        let (task, shown) = (
            vm.repr(this.as_value())?.to_string_lossy(),
            vm.repr(value)?.to_string_lossy(),
        );
        let message = if value.downcast::<Generator>().is_some() {
            format!("yield was used instead of yield from for generator in task {task} with {shown}")
        } else {
            format!("Task got bad yield: {shown}")
        };
        Task::schedule_error(vm, this, message)
    }

    /// The first step at once, in the task's context.
    fn start_eagerly(vm: &Vm, this: &This) -> Res<()> {
        let event_loop = this.future.event_loop(vm)?;
        Task::register(this);
        let previous = state::swap(&event_loop, Some(this.to_value()));
        let result = Task::first_step(vm, this);
        let inside = state::swap(&event_loop, previous);
        if this.future.is_done() {
            this.listed.leave();
            drop(this.coro.take());
        }
        drop(inside);
        result
    }

    fn first_step(vm: &Vm, this: &This) -> Res<()> {
        match this.context.get() {
            Some(context) => match context.try_into_py::<Context>() {
                Ok(context) => Context::within(vm, &context, || Task::run_step(vm, this, None)),
                Err(other) => {
                    let step = NativeFunction::new_value(&TASK_FIRST_STEP_DEF, Some(this.to_value()), None);
                    vm.call_method(&other, intern!("run"), &[step]).map(drop)
                }
            },
            None => Task::run_step(vm, this, None),
        }
    }

    /// Lists the task until it is done.
    pub fn register(this: &This) {
        state::tasks().enter(this, |task| &task.listed);
    }
}

/// `waiter.cancel(msg=message)`
fn cancel_waiter(vm: &Vm, waiter: &Value, message: Option<Value>) -> Res<bool> {
    use lisle_runtime::types::tuple::Tuple;
    let cancel = vm.getattr(waiter, intern!("cancel"))?;
    let names = Tuple::new(vec![intern!("msg").to_value()]);
    let values = [message.unwrap_or(Value::NONE)];
    let cancelled = vm.call_args(&cancel, Args::with_names(&values, &names))?;
    vm.truth(&cancelled)
}

/// The callback of what a task waits for.
#[pyfunction(module = "_asyncio", sig = "(task, future, /)")]
fn task_wakeup(vm: &Vm, task: &This, future: &Value) -> Res<()> {
    if let Some(future) = future::native(future) {
        Future::discard_waiter(future, task.as_value());
    }
    let result = match future::exact(future) {
        Some(future) => Future::outcome(vm, future),
        None => vm.call_method(future, intern!("result"), &[]),
    };
    Task::step(vm, task, result.err())
}

#[pyfunction(module = "_asyncio", sig = "(task, /)")]
fn task_first_step(vm: &Vm, task: &This) -> Res<()> {
    Task::run_step(vm, task, None)
}

/// A scheduled step of a task.
#[pyclass(name = "TaskStepMethWrapper", module = "_asyncio", no_new)]
pub struct TaskStep {
    task: This,
    exc: Slot,
}

#[pymethods]
impl TaskStep {
    #[slot(sig = "()")]
    fn __call__(vm: &Vm, this: &Py<TaskStep>) -> Res<()> {
        let exc = this.exc.get().and_then(|exc| Exc::try_from_value(exc).ok());
        Task::step(vm, &this.task, exc)
    }

    #[getter]
    fn __self__(_: &Vm, this: &Py<TaskStep>) -> Value {
        this.task.to_value()
    }
}

#[pymethods]
impl Task {
    #[slot]
    fn __new__(_: &Vm, cls: &Py<Type>, _: Args<'_>) -> Res<Value> {
        let task = Task {
            future: Future::empty(),
            coro: Slot::empty(),
            name: Slot::empty(),
            context: Slot::empty(),
            waiter: Slot::empty(),
            must_cancel: AtomicBool::new(false),
            cancels: AtomicI64::new(0),
            log_destroy_pending: AtomicBool::new(true),
            listed: Place::default(),
        };
        Ok(Py::with_class(cls, task).into_value())
    }

    #[slot(sig = "(coro, *, loop=None, name=None, context=None, eager_start=False)")]
    fn __init__(
        vm: &Vm,
        this: &This,
        coro: &Value,
        r#loop: Option<&Value>,
        name: Option<&Value>,
        context: Option<&Value>,
        eager_start: Option<bool>,
    ) -> Res<()> {
        let event_loop = Future::set_up(vm, base(this), r#loop)?;
        if !coro.has_type(Coroutine::ty()) {
            let is_coroutine = library(vm, "asyncio.coroutines", intern!("iscoroutine"))?;
            if !vm.truth(&vm.call(&is_coroutine, std::slice::from_ref(coro))?)? {
                this.log_destroy_pending.store(false, Relaxed);
                let shown = vm.repr(coro)?.to_string_lossy();
                return Err(vm.type_error(format!("a coroutine was expected, got {shown}")));
            }
        }
        let name = match name.filter(|name| !name.is_none()) {
            None => Value::int(NAMES.fetch_add(1, Relaxed)),
            Some(name) => vm.str(name)?.into_value(),
        };
        let context = match context.filter(|context| !context.is_none()) {
            Some(context) => context.clone(),
            None => copy_current(vm),
        };
        this.log_destroy_pending.store(true, Relaxed);
        this.must_cancel.store(false, Relaxed);
        this.cancels.store(0, Relaxed);
        this.context.set(context);
        this.name.set(name);
        this.coro.set(coro.clone());
        drop(this.waiter.take());
        if eager_start.unwrap_or(false) && schedule::is_running(vm, &event_loop)? {
            return Task::start_eagerly(vm, this);
        }
        Task::schedule_step(vm, this, None)?;
        Task::register(this);
        Ok(())
    }

    #[slot]
    fn __del__(vm: &Vm, this: &This) -> Res<()> {
        let initialized = this.future.event_loop(vm);
        if let Ok(event_loop) = initialized
            && !this.future.is_done()
            && this.log_destroy_pending.load(Relaxed)
        {
            let context = Dict::new_empty();
            let set = |name: &'static Py<Str>, value: Value| drop(context.replace_str(name, value));
            set(intern!("task"), this.to_value());
            set(intern!("message"), Value::from("Task was destroyed but it is pending!"));
            if let Some(source) = this.future.source_traceback.get() {
                set(intern!("source_traceback"), source);
            }
            vm.call_method(&event_loop, intern!("call_exception_handler"), &[context.into_value()])?;
        }
        Future::report(vm, base(this))
    }

    #[slot]
    fn __repr__(vm: &Vm, this: &This) -> Res<Value> {
        let show = library(vm, "asyncio.base_tasks", intern!("_task_repr"))?;
        vm.call(&show, &[this.to_value()])
    }

    /// Request that this task cancel itself.
    ///
    /// This arranges for a CancelledError to be thrown into the
    /// wrapped coroutine on the next cycle through the event loop.
    /// The coroutine then has a chance to clean up or even deny
    /// the request using try/except/finally.
    ///
    /// Unlike Future.cancel, this does not guarantee that the
    /// task will be cancelled: the exception might be caught and
    /// acted upon, delaying cancellation of the task or preventing
    /// cancellation completely.  The task may also return a value or
    /// raise a different exception.
    ///
    /// Immediately after this method is called, Task.cancelled() will
    /// not return True (unless the task was already cancelled).  A
    /// task will be marked as cancelled when the wrapped coroutine
    /// terminates with a CancelledError exception (even if cancel()
    /// was not called).
    ///
    /// This also increases the task's count of cancellation requests.
    #[pymethod(sig = "($self, /, msg=None)")]
    fn cancel(vm: &Vm, this: &This, msg: Option<&Value>) -> Res<bool> {
        this.future.log_traceback.store(false, Relaxed);
        if this.future.is_done() {
            return Ok(false);
        }
        this.cancels.fetch_add(1, Relaxed);
        if let Some(waiter) = this.waiter.get()
            && cancel_waiter(vm, &waiter, msg.cloned())?
        {
            // It stays the waiter: it may be a task that ignores this.
            return Ok(true);
        }
        this.must_cancel.store(true, Relaxed);
        drop(this.future.cancel_message.swap(msg.cloned()));
        Ok(true)
    }

    /// Return the count of the task's cancellation requests.
    ///
    /// This count is incremented when .cancel() is called
    /// and may be decremented using .uncancel().
    #[pymethod(sig = "($self, /)")]
    fn cancelling(_: &Vm, this: &This) -> i64 {
        this.cancels.load(Relaxed)
    }

    /// Decrement the task's count of cancellation requests.
    ///
    /// This should be used by tasks that catch CancelledError
    /// and wish to continue indefinitely until they are cancelled again.
    ///
    /// Returns the remaining number of cancellation requests.
    #[pymethod(sig = "($self, /)")]
    fn uncancel(_: &Vm, this: &This) -> i64 {
        let left = (this.cancels.load(Relaxed) - 1).max(0);
        if this.cancels.swap(left, Relaxed) > 0 && left == 0 {
            this.must_cancel.store(false, Relaxed);
        }
        left
    }

    #[pymethod(sig = "($self, /)")]
    fn get_coro(_: &Vm, this: &This) -> Option<Value> {
        this.coro.get()
    }

    #[pymethod(sig = "($self, /)")]
    fn get_context(_: &Vm, this: &This) -> Option<Value> {
        this.context.get()
    }

    #[pymethod(sig = "($self, /)")]
    fn get_name(_: &Vm, this: &This) -> Option<Value> {
        let name = this.name.get()?;
        match name.as_small_int() {
            None => Some(name),
            Some(number) => {
                let name = Value::from(format!("Task-{number}").as_str());
                this.name.set(name.clone());
                Some(name)
            }
        }
    }

    #[pymethod(sig = "($self, value, /)")]
    fn set_name(vm: &Vm, this: &This, value: &Value) -> Res<()> {
        this.name.set(vm.str(value)?.into_value());
        Ok(())
    }

    #[pymethod(sig = "($self, result, /)")]
    fn set_result(vm: &Vm, _: &This, _result: &Value) -> Res<()> {
        Err(vm.runtime_error("Task does not support set_result operation"))
    }

    #[pymethod(sig = "($self, exception, /)")]
    fn set_exception(vm: &Vm, _: &This, _exception: &Value) -> Res<()> {
        Err(vm.runtime_error("Task does not support set_exception operation"))
    }

    /// Return the list of stack frames for this task's coroutine.
    ///
    /// If the coroutine is not done, this returns the stack where it is
    /// suspended.  If the coroutine has completed successfully or was
    /// cancelled, this returns an empty list.  If the coroutine was
    /// terminated by an exception, this returns the list of traceback
    /// frames.
    ///
    /// The frames are always ordered from oldest to newest.
    ///
    /// The optional limit gives the maximum number of frames to
    /// return; by default all available frames are returned.  Its
    /// meaning differs depending on whether a stack or a traceback is
    /// returned: the newest frames of a stack are returned, but the
    /// oldest frames of a traceback are returned.  (This matches the
    /// behavior of the traceback module.)
    ///
    /// For reasons beyond our control, only one stack frame is
    /// returned for a suspended coroutine.
    #[pymethod(sig = "($self, /, *, limit=None)")]
    fn get_stack(vm: &Vm, this: &This, limit: Option<&Value>) -> Res<Value> {
        let function = library(vm, "asyncio.base_tasks", intern!("_task_get_stack"))?;
        vm.call(&function, &[this.to_value(), limit.cloned().unwrap_or(Value::NONE)])
    }

    /// Print the stack or traceback for this task's coroutine.
    ///
    /// This produces output similar to that of the traceback module,
    /// for the frames retrieved by get_stack().  The limit argument
    /// is passed to get_stack().  The file argument is an I/O stream
    /// to which the output is written; by default output is written
    /// to sys.stderr.
    #[pymethod(sig = "($self, /, *, limit=None, file=None)")]
    fn print_stack(vm: &Vm, this: &This, limit: Option<&Value>, file: Option<&Value>) -> Res<Value> {
        let function = library(vm, "asyncio.base_tasks", intern!("_task_print_stack"))?;
        let given = |value: Option<&Value>| value.cloned().unwrap_or(Value::NONE);
        vm.call(&function, &[this.to_value(), given(limit), given(file)])
    }

    #[getter]
    fn _log_destroy_pending(_: &Vm, this: &This) -> bool {
        this.log_destroy_pending.load(Relaxed)
    }

    #[setter(name = "_log_destroy_pending")]
    fn set_log_destroy_pending(vm: &Vm, this: &This, value: Option<&Value>) -> Res<()> {
        let log = vm.truth(assigned(vm, value)?)?;
        this.log_destroy_pending.store(log, Relaxed);
        Ok(())
    }

    #[getter]
    fn _must_cancel(_: &Vm, this: &This) -> bool {
        this.must_cancel.load(Relaxed)
    }

    #[getter]
    fn _coro(_: &Vm, this: &This) -> Option<Value> {
        this.coro.get()
    }

    #[getter]
    fn _fut_waiter(_: &Vm, this: &This) -> Option<Value> {
        this.waiter.get()
    }

    /// See PEP 585
    #[classmethod(sig = "($type, object, /)")]
    fn __class_getitem__(vm: &Vm, cls: &Py<Type>, object: &Value) -> Res<Value> {
        Ok(GenericAlias::new_value(vm, cls.as_value(), object))
    }
}
