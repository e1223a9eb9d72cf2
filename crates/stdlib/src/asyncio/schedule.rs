//! What futures and tasks ask of event loops, without the library's Python code where it is known what that does: `call_soon`, `get_debug`, `is_running`.
//!
//! Invariant: a [`Plan`] is used for loops with the layout that it was made for, which says that neither the instance nor a class overrides one of the
//! methods, and as long as functions and classes are those of the packed library; whatever else is found goes the long way. While somebody is told
//! of calls, that is the only way. Plans are few and live for ever; threads remember the one they used last.

use std::cell::Cell;

use lisle_runtime::intern;
use lisle_runtime::native::*;
use lisle_runtime::object::attrs::Attrs;
use lisle_runtime::sync::Mutex;
use lisle_runtime::types::code::Code;
use lisle_runtime::types::descriptors::{member_index, new_with_members};
use lisle_runtime::types::dict::Dict;
use lisle_runtime::types::function::Function;
use lisle_runtime::types::tuple::Tuple;

use super::call_with_context;
use crate::collections::deque::Deque;
use crate::contextvars::copy_current;

/// More plans than this are not made.
const MAX_PLANS: usize = 32;

/// How the loops of one layout do what is asked of them.
struct Plan {
    /// The layout, which says what the class and its bases have too.
    shape: u32,
    /// Slots of the loop's attributes.
    closed: usize,
    debug: usize,
    ready: usize,
    thread_id: usize,
    /// The methods, with the code they had.
    functions: Vec<(Py<Function>, Py<Code>)>,
    /// Where `call_soon` finds the module that it finds `Handle` in.
    globals: Py<Dict>,
    handle: Py<Type>,
    handle_version: u32,
    members: HandleMembers,
}

/// Numbers of the members of a `Handle`.
struct HandleMembers {
    context: usize,
    event_loop: usize,
    callback: usize,
    args: usize,
    cancelled: usize,
    repr: usize,
    source_traceback: usize,
}

static PLANS: Mutex<Vec<&'static Plan>> = Mutex::new(Vec::new());

thread_local! {
    static LAST: Cell<Option<&'static Plan>> = const { Cell::new(None) };
}

/// The function `qualname` of the packed library, with its code.
pub fn packed(function: &Value, qualname: &str) -> Option<(Py<Function>, Py<Code>)> {
    let function = function.downcast_exact::<Function>()?;
    let code = function.code.get()?;
    (code.is_packed() && code.qualname.is_text(qualname)).then(|| (function.clone(), code))
}

/// The value of a global of the library's module that `globals` is of, `module.name`.
pub fn global_of(globals: &Py<Dict>, module: &'static Py<Str>, name: &'static Py<Str>) -> Option<Value> {
    use lisle_runtime::types::module::Module;
    let module = globals.get_str(module)?;
    module.downcast_exact::<Module>()?.dict().get_str(name)
}

fn handle_class(globals: &Py<Dict>) -> Option<Value> {
    global_of(globals, intern!("events"), intern!("Handle"))
}

fn handle_members(vm: &Vm, class: &Py<Type>) -> Option<HandleMembers> {
    let find = |name: &'static Py<Str>| member_index(class, &class.lookup(vm, name)?);
    Some(HandleMembers {
        context: find(intern!("_context"))?,
        event_loop: find(intern!("_loop"))?,
        callback: find(intern!("_callback"))?,
        args: find(intern!("_args"))?,
        cancelled: find(intern!("_cancelled"))?,
        repr: find(intern!("_repr"))?,
        source_traceback: find(intern!("_source_traceback"))?,
    })
}

impl Plan {
    fn make(vm: &Vm, event_loop: &Value, shape: u32) -> Option<Plan> {
        let class = event_loop.ty();
        if !class.reads_generically() {
            return None;
        }
        let attrs = Attrs::of(event_loop)?;
        let methods = [
            (intern!("call_soon"), "BaseEventLoop.call_soon"),
            (intern!("_call_soon"), "BaseEventLoop._call_soon"),
            (intern!("_check_closed"), "BaseEventLoop._check_closed"),
            (intern!("get_debug"), "BaseEventLoop.get_debug"),
            (intern!("is_running"), "BaseEventLoop.is_running"),
        ];
        let mut functions = Vec::new();
        for (name, qualname) in methods {
            if attrs.slot_of(shape, name)?.is_some() {
                return None;
            }
            functions.push(packed(&class.lookup(vm, name)?, qualname)?);
        }
        let globals = functions.first()?.0.globals.clone();
        let handle = handle_class(&globals)?.try_into_py::<Type>().ok()?;
        if !handle.as_value().has_type(Type::ty()) || !handle.writes_generically() {
            return None;
        }
        let handle_version = handle.version();
        functions.push(packed(&handle.lookup(vm, intern!("__init__"))?, "Handle.__init__")?);
        let members = handle_members(vm, &handle)?;
        // What was found is what the version means only if that is still the same.
        if handle_version == 0 || handle.version() != handle_version || attrs.shape_id() != shape {
            return None;
        }
        let attribute = |name: &'static Py<Str>| attrs.slot_of(shape, name).flatten();
        Some(Plan {
            shape,
            closed: attribute(intern!("_closed"))?,
            debug: attribute(intern!("_debug"))?,
            ready: attribute(intern!("_ready"))?,
            thread_id: attribute(intern!("_thread_id"))?,
            functions,
            globals,
            handle,
            handle_version,
            members,
        })
    }

    /// The plan for loops of a layout, if there is one.
    fn of(vm: &Vm, event_loop: &Value, shape: u32) -> Option<&'static Plan> {
        if let Some(plan) = LAST.get()
            && plan.shape == shape
        {
            return Some(plan);
        }
        let known = PLANS.lock().iter().find(|plan| plan.shape == shape).copied();
        let plan = match known {
            Some(plan) => plan,
            None if PLANS.lock().len() >= MAX_PLANS => return None,
            None => {
                let plan: &'static Plan = Box::leak(Box::new(Plan::make(vm, event_loop, shape)?));
                PLANS.lock().push(plan);
                plan
            }
        };
        LAST.set(Some(plan));
        Some(plan)
    }

    /// Whether the methods are still as they were.
    fn holds(&self) -> bool {
        self.functions
            .iter()
            .all(|(function, code)| function.code.raw().peek_bits() == code.as_value().bits())
            && self.handle.version() == self.handle_version
    }
}

/// The plan that says how `event_loop` does what is asked of it, with its attributes.
fn plan<'v>(vm: &Vm, event_loop: &'v Value) -> Option<(&'static Plan, Attrs<'v>)> {
    let attrs = Attrs::of(event_loop)?;
    let shape = attrs.shape_id();
    if shape == 0 || vm.tells_of_calls() {
        return None;
    }
    let plan = Plan::of(vm, event_loop, shape)?;
    plan.holds().then_some((plan, attrs))
}

/// `loop.call_soon(callback, *args, context=context)`; `args` begins with the callback.
pub fn call_soon(vm: &Vm, event_loop: &Value, args: &[Value], context: Option<Value>) -> Res<()> {
    if let Some((plan, attrs)) = plan(vm, event_loop)
        && let Some(handle) = make_handle(vm, plan, &attrs, event_loop, args, context.as_ref())
        && let Some(ready) = attrs.read(plan.ready)
        && let Some(ready) = ready.downcast_exact::<Deque>()
    {
        return Deque::append_value(vm, ready, handle);
    }
    let function = vm.getattr(event_loop, intern!("call_soon"))?;
    call_with_context(vm, &function, args, context).map(drop)
}

/// A `Handle` as the loop would make it; `None` if it is closed or debugs, or if the class is another one.
fn make_handle(
    vm: &Vm,
    plan: &Plan,
    attrs: &Attrs<'_>,
    event_loop: &Value,
    args: &[Value],
    context: Option<&Value>,
) -> Option<Value> {
    let is_false = |slot: usize| attrs.read(slot).is_some_and(|value| value.is_false());
    if !is_false(plan.closed) || !is_false(plan.debug) || !handle_class(&plan.globals)?.is(plan.handle.as_value()) {
        return None;
    }
    let (callback, rest) = args.split_first()?;
    let context = match context.filter(|context| !context.is_none()) {
        Some(context) => context.clone(),
        None => copy_current(vm),
    };
    let members = &plan.members;
    new_with_members(
        &plan.handle,
        [
            (members.context, context),
            (members.event_loop, event_loop.clone()),
            (members.callback, callback.clone()),
            (members.args, Tuple::from_slice_clone(rest).into_value()),
            (members.cancelled, Value::FALSE),
            (members.repr, Value::NONE),
            (members.source_traceback, Value::NONE),
        ],
    )
}

/// `loop.get_debug()`, as a truth value.
pub fn debugs(vm: &Vm, event_loop: &Value) -> Res<bool> {
    if let Some((plan, attrs)) = plan(vm, event_loop)
        && let Some(debug) = attrs.read(plan.debug)
    {
        return vm.truth(&debug);
    }
    vm.truth(&vm.call_method(event_loop, intern!("get_debug"), &[])?)
}

/// `loop.is_running()`, as a truth value.
pub fn is_running(vm: &Vm, event_loop: &Value) -> Res<bool> {
    if let Some((plan, attrs)) = plan(vm, event_loop)
        && let Some(thread) = attrs.read(plan.thread_id)
    {
        return Ok(!thread.is_none());
    }
    vm.truth(&vm.call_method(event_loop, intern!("is_running"), &[])?)
}
