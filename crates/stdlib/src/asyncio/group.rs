//! `TaskGroup._on_task_done`, which runs once a task of a group, without the library's Python code where it is known what that does.
//!
//! Invariant: as in `schedule`. A [`Plan`] holds for groups with the layout that it was made for, as long as function and code are those of the packed
//! library. Nothing is done here about tasks that failed, and nothing before it is known that all can be done.

use std::cell::Cell;

use lisle_runtime::intern;
use lisle_runtime::native::*;
use lisle_runtime::object::attrs::Attrs;
use lisle_runtime::sync::Mutex;
use lisle_runtime::types::code::Code;
use lisle_runtime::types::function::Function;
use lisle_runtime::types::method::Method;
use lisle_runtime::types::native_function::NativeFunction;
use lisle_runtime::types::set::Set;

use super::future::{self, Future};
use super::module::is_discard;
use super::schedule::{global_of, packed};

/// More plans than this are not made.
const MAX_PLANS: usize = 32;

/// Where groups of one layout have what the callback needs.
struct Plan {
    shape: u32,
    function: Py<Function>,
    code: Py<Code>,
    tasks: usize,
    completed: usize,
    parent: usize,
}

static PLANS: Mutex<Vec<&'static Plan>> = Mutex::new(Vec::new());

thread_local! {
    static LAST: Cell<Option<&'static Plan>> = const { Cell::new(None) };
}

impl Plan {
    fn make(group: &Value, attrs: &Attrs<'_>, shape: u32, function: &Value) -> Option<Plan> {
        if !group.ty().reads_generically() {
            return None;
        }
        let (function, code) = packed(function, "TaskGroup._on_task_done")?;
        let attribute = |name: &'static Py<Str>| attrs.slot_of(shape, name).flatten();
        Some(Plan {
            shape,
            function,
            code,
            tasks: attribute(intern!("_tasks"))?,
            completed: attribute(intern!("_on_completed_fut"))?,
            parent: attribute(intern!("_parent_task"))?,
        })
    }

    /// The plan for a group and its callback, if there is one.
    fn of(group: &Value, attrs: &Attrs<'_>, function: &Value) -> Option<&'static Plan> {
        let shape = attrs.shape_id();
        let fits = |plan: &&'static Plan| plan.shape == shape && plan.function.as_value().is(function);
        let plan = match LAST.get().filter(fits) {
            Some(plan) => plan,
            None => {
                packed(function, "TaskGroup._on_task_done")?;
                let known = PLANS.lock().iter().copied().find(fits);
                let plan = match known {
                    Some(plan) => plan,
                    None if shape == 0 || PLANS.lock().len() >= MAX_PLANS => return None,
                    None => {
                        let plan: &'static Plan = Box::leak(Box::new(Plan::make(group, attrs, shape, function)?));
                        PLANS.lock().push(plan);
                        plan
                    }
                };
                LAST.set(Some(plan));
                plan
            }
        };
        (plan.function.code.raw().peek_bits() == plan.code.as_value().bits()).then_some(plan)
    }
}

/// `callback(task)` where that is the `_on_task_done` of a group, and the task has ended without an error; `None` for anything else: nothing was done.
#[inline]
pub fn task_done(vm: &Vm, callback: &Value, args: Args<'_>) -> Option<Res<()>> {
    let method = callback.downcast_exact::<Method>()?;
    let ([task], None) = (args.values, args.kwnames) else {
        return None;
    };
    let ended = future::exact(task)?;
    ended_in_group(vm, method, task, ended)
}

fn ended_in_group(vm: &Vm, method: &Py<Method>, task: &Value, ended: &Py<Future>) -> Option<Res<()>> {
    let (function, group) = method.parts();
    let attrs = Attrs::of(group)?;
    let plan = Plan::of(group, &attrs, function)?;
    if vm.tells_of_calls() || !ended.ended_well() {
        return None;
    }
    let discard = global_of(
        &plan.function.globals,
        intern!("futures"),
        intern!("future_discard_from_awaited_by"),
    )?;
    let discard = discard.downcast_exact::<NativeFunction>()?;
    let (tasks, parent) = (attrs.read(plan.tasks)?, attrs.read(plan.parent)?);
    let (tasks, completed) = (tasks.downcast_exact::<Set>()?, attrs.read(plan.completed)?);
    let completed = match completed.is_none() {
        true => None,
        false => Some(future::exact(&completed)?),
    };
    if !is_discard(discard) {
        return None;
    }
    Some(end(vm, tasks, task, ended, &parent, completed))
}

fn end(
    vm: &Vm,
    tasks: &Py<Set>,
    task: &Value,
    ended: &Py<Future>,
    parent: &Value,
    completed: Option<&Py<Future>>,
) -> Res<()> {
    tasks.remove(vm, task)?;
    if future::native(parent).is_some() {
        Future::discard_waiter(ended, parent);
    }
    if let Some(completed) = completed
        && tasks.is_empty()
        && !completed.is_done()
    {
        Future::finish(vm, completed, Value::TRUE)?;
    }
    ended.forget_traceback();
    Ok(())
}
