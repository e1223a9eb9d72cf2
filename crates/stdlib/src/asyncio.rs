//! `_asyncio`: futures and tasks, the running loop, the current task.
//!
//! Invariant: what a thread runs (its loop, the tasks entered) is in a [`state::State`] of its own, which other threads may read under its mutex; no
//! Python code runs under it. Tasks are listed in the state of the thread that made them until they are done, without being held. Left out: `_asyncio` as a debugger reads it
//! from another process.

mod future;
pub mod group;
mod schedule;
mod state;
mod task;

use std::sync::OnceLock;

use lisle_runtime::intern;
use lisle_runtime::native::*;
use lisle_runtime::types::native_function::NativeFunction;
use lisle_runtime::types::set::Set;
use lisle_runtime::types::tuple::Tuple;

use future::Future;
use schedule::call_soon;
use task::Task;

/// An attribute of a module of the library.
fn library(vm: &Vm, module: &str, name: &'static Py<Str>) -> Res<Value> {
    vm.getattr(&vm.import_module(module)?, name)
}

/// A class of `asyncio.exceptions`.
fn exception_class(vm: &Vm, cell: &'static OnceLock<Py<Type>>, name: &'static Py<Str>) -> Res<&'static Py<Type>> {
    if let Some(class) = cell.get() {
        return Ok(class);
    }
    let class = library(vm, "asyncio.exceptions", name)?;
    match class.try_into_py::<Type>() {
        Ok(class) => Ok(cell.get_or_init(|| class)),
        Err(_) => Err(vm.type_error("asyncio.exceptions has something else than a class")),
    }
}

fn cancelled_error(vm: &Vm) -> Res<&'static Py<Type>> {
    static CELL: OnceLock<Py<Type>> = OnceLock::new();
    exception_class(vm, &CELL, intern!("CancelledError"))
}

fn invalid_state(vm: &Vm, message: &str) -> Exc {
    static CELL: OnceLock<Py<Type>> = OnceLock::new();
    match exception_class(vm, &CELL, intern!("InvalidStateError")) {
        Ok(class) => vm.new_exception(class, vec![Value::from(message)]),
        Err(exc) => exc,
    }
}

/// Calls `function(.., context=context)`.
fn call_with_context(vm: &Vm, function: &Value, args: &[Value], context: Option<Value>) -> Res<Value> {
    static NAMES: OnceLock<Py<Tuple>> = OnceLock::new();
    let Some(context) = context else {
        return vm.call(function, args);
    };
    let names = NAMES.get_or_init(|| Tuple::new(vec![Str::intern("context").into_value()]));
    let mut values: smallvec::SmallVec<[Value; 4]> = args.iter().cloned().collect();
    values.push(context);
    vm.call_args(function, Args::with_names(&values, names))
}

/// The loop of a future of any class.
fn loop_of(vm: &Vm, future: &Value) -> Res<Value> {
    if let Some(future) = future::exact(future) {
        return future.event_loop(vm);
    }
    match vm.getattr_opt(future, intern!("get_loop"))? {
        Some(method) => vm.call(&method, &[]),
        None => vm.getattr(future, intern!("_loop")),
    }
}

fn running_loop(vm: &Vm) -> Res<Value> {
    state::running().ok_or_else(|| vm.runtime_error("no running event loop"))
}

/// The argument `loop`, or the running loop.
fn given_loop(vm: &Vm, event_loop: Option<&Value>) -> Res<Value> {
    match event_loop.filter(|event_loop| !event_loop.is_none()) {
        Some(event_loop) => Ok(event_loop.clone()),
        None => running_loop(vm),
    }
}

/// The loop that runs, or that of the policy.
fn event_loop(vm: &Vm) -> Res<Value> {
    if let Some(event_loop) = state::running() {
        return Ok(event_loop);
    }
    let get_policy = library(vm, "asyncio.events", intern!("_get_event_loop_policy"))?;
    let policy = vm.call(&get_policy, &[])?;
    vm.call_method(&policy, intern!("get_event_loop"), &[])
}

/// Tasks of classes that are not native.
fn foreign_tasks(vm: &Vm) -> Res<&'static Value> {
    static TASKS: OnceLock<Value> = OnceLock::new();
    if let Some(tasks) = TASKS.get() {
        return Ok(tasks);
    }
    let class = library(vm, "weakref", intern!("WeakSet"))?;
    let made = vm.call(&class, &[])?;
    Ok(TASKS.get_or_init(|| made))
}

/// Tasks of classes that are not native and began to run at once, until they wait.
fn eager_tasks() -> &'static Py<Set> {
    static TASKS: OnceLock<Py<Set>> = OnceLock::new();
    TASKS.get_or_init(Set::new_empty)
}

#[pymodule(name = "_asyncio", doc = "Accelerator module for asyncio", types(Future, Task))]
pub mod module {
    use super::*;

    /// Return the running event loop or None.
    ///
    /// This is a low-level function intended to be used by event loops.
    /// This function is thread-specific.
    #[pyfunction(sig = "()")]
    fn _get_running_loop(_: &Vm) -> Option<Value> {
        state::running()
    }

    /// Set the running event loop.
    ///
    /// This is a low-level function intended to be used by event loops.
    /// This function is thread-specific.
    #[pyfunction(sig = "(loop, /)")]
    fn _set_running_loop(_: &Vm, r#loop: &Value) {
        state::set_running(Some(r#loop.clone()).filter(|event_loop| !event_loop.is_none()));
    }

    /// Return an asyncio event loop.
    ///
    /// When called from a coroutine or a callback (e.g. scheduled with
    /// call_soon or similar API), this function will always return the
    /// running event loop.
    ///
    /// If there is no running event loop set, the function will return
    /// the result of `get_event_loop_policy().get_event_loop()` call.
    #[pyfunction(sig = "()")]
    fn get_event_loop(vm: &Vm) -> Res<Value> {
        event_loop(vm)
    }

    /// Return the running event loop.  Raise a RuntimeError if there is none.
    ///
    /// This function is thread-specific.
    #[pyfunction(sig = "()")]
    fn get_running_loop(vm: &Vm) -> Res<Value> {
        running_loop(vm)
    }

    /// Register a new task in asyncio as executed by loop.
    ///
    /// Returns None.
    #[pyfunction(sig = "(task)")]
    fn _register_task(vm: &Vm, task: &Value) -> Res<()> {
        if let Some(task) = task.downcast::<Task>() {
            Task::register(task);
            return Ok(());
        }
        vm.call_method(foreign_tasks(vm)?, intern!("add"), std::slice::from_ref(task))
            .map(drop)
    }

    /// Register a new task in asyncio as eagerly executed by loop.
    ///
    /// Returns None.
    #[pyfunction(sig = "(task)")]
    fn _register_eager_task(vm: &Vm, task: &Value) -> Res<()> {
        if let Some(task) = task.downcast::<Task>() {
            Task::register(task);
            return Ok(());
        }
        eager_tasks().add(vm, task).map(drop)
    }

    /// Unregister a task.
    ///
    /// Returns None.
    #[pyfunction(sig = "(task)")]
    fn _unregister_task(vm: &Vm, task: &Value) -> Res<()> {
        if let Some(task) = task.downcast::<Task>() {
            task.listed.leave();
            return Ok(());
        }
        vm.call_method(foreign_tasks(vm)?, intern!("discard"), std::slice::from_ref(task))
            .map(drop)
    }

    /// Unregister a task.
    ///
    /// Returns None.
    #[pyfunction(sig = "(task)")]
    fn _unregister_eager_task(vm: &Vm, task: &Value) -> Res<()> {
        if let Some(task) = task.downcast::<Task>() {
            task.listed.leave();
            return Ok(());
        }
        eager_tasks().remove(vm, task).map(drop)
    }

    /// Enter into task execution or resume suspended task.
    ///
    /// Task belongs to loop.
    ///
    /// Returns None.
    #[pyfunction(sig = "(loop, task)")]
    fn _enter_task(vm: &Vm, r#loop: &Value, task: &Value) -> Res<()> {
        state::enter(vm, r#loop, task)
    }

    /// Leave task execution or suspend a task.
    ///
    /// Task belongs to loop.
    ///
    /// Returns None.
    #[pyfunction(sig = "(loop, task)")]
    fn _leave_task(vm: &Vm, r#loop: &Value, task: &Value) -> Res<()> {
        state::leave(vm, r#loop, task)
    }

    /// Temporarily swap in the supplied task and return the original one (or None).
    ///
    /// This is intended for use during eager coroutine execution.
    #[pyfunction(sig = "(loop, task)")]
    fn _swap_current_task(_: &Vm, r#loop: &Value, task: &Value) -> Option<Value> {
        state::swap(r#loop, Some(task.clone()).filter(|task| !task.is_none()))
    }

    /// Return a currently executed task.
    #[pyfunction(sig = "(loop=None)")]
    fn current_task(vm: &Vm, r#loop: Option<&Value>) -> Res<Option<Value>> {
        let event_loop = given_loop(vm, r#loop)?;
        Ok(state::current(&event_loop))
    }

    /// Return a set of all tasks for the loop.
    #[pyfunction(sig = "(loop=None)")]
    fn all_tasks(vm: &Vm, r#loop: Option<&Value>) -> Res<Value> {
        let event_loop = given_loop(vm, r#loop)?;
        // Those that run eagerly come first: they may go over to the others meanwhile.
        let mut tasks = vm.collect(eager_tasks().as_value())?;
        tasks.extend(vm.collect(foreign_tasks(vm)?)?);
        tasks.extend(state::registered());
        let found = Set::new_empty();
        for task in tasks {
            let done = match future::native(&task) {
                Some(future) => future.is_done(),
                None => vm.truth(&vm.call_method(&task, intern!("done"), &[])?)?,
            };
            if !done && loop_of(vm, &task)?.is(&event_loop) {
                found.add(vm, &task)?;
            }
        }
        Ok(found.into_value())
    }

    /// Record that `fut` is awaited on by `waiter`.
    #[pyfunction(sig = "(fut, waiter, /)")]
    fn future_add_to_awaited_by(_: &Vm, fut: &Value, waiter: &Value) {
        if let (Some(future), Some(_)) = (future::native(fut), future::native(waiter)) {
            Future::add_waiter(future, waiter);
        }
    }

    /// Record that `fut` is no longer awaited on by `waiter`.
    #[pyfunction(sig = "(fut, waiter, /)")]
    fn future_discard_from_awaited_by(_: &Vm, fut: &Value, waiter: &Value) {
        if let (Some(future), Some(_)) = (future::native(fut), future::native(waiter)) {
            Future::discard_waiter(future, waiter);
        }
    }

    /// Whether a native function is `future_discard_from_awaited_by`.
    pub fn is_discard(function: &NativeFunction) -> bool {
        std::ptr::eq(function.def, &FUTURE_DISCARD_FROM_AWAITED_BY_DEF)
    }
}
