//! `sys.monitoring`: the functions; what they set is the runtime's (`vm::observe::monitoring`).

use lisle_runtime::native::{Py, Res, Str, Value, Vm, pyfunction};
use lisle_runtime::types::code::Code;
use lisle_runtime::types::dict::Dict;
use lisle_runtime::types::module::Module;
use lisle_runtime::types::namespace::Namespace;
use lisle_runtime::types::native_function::NativeFunction;
use lisle_runtime::vm::observe::monitoring as table;

/// The module object.
pub fn module(vm: &Vm) -> Res<Value> {
    let module = Module::new("sys.monitoring");
    for (name, id) in [
        ("DEBUGGER_ID", 0),
        ("COVERAGE_ID", 1),
        ("PROFILER_ID", 2),
        ("OPTIMIZER_ID", 5),
    ] {
        module.set(name, Value::int(id));
    }
    module.set("DISABLE", table::disable());
    module.set("MISSING", table::missing());
    let events = table::NAMES
        .iter()
        .enumerate()
        .map(|(bit, name)| (Str::intern(name), Value::int(1 << bit)));
    let events: Vec<(Py<Str>, Value)> = events.chain([(Str::intern("NO_EVENTS"), Value::int(0))]).collect();
    let events: Vec<(&Py<Str>, Value)> = events.iter().map(|(name, value)| (name, value.clone())).collect();
    module.set("events", Namespace::new_value(vm, &events)?);
    for def in [
        &USE_TOOL_ID_DEF,
        &CLEAR_TOOL_ID_DEF,
        &FREE_TOOL_ID_DEF,
        &GET_TOOL_DEF,
        &REGISTER_CALLBACK_DEF,
        &GET_EVENTS_DEF,
        &SET_EVENTS_DEF,
        &GET_LOCAL_EVENTS_DEF,
        &SET_LOCAL_EVENTS_DEF,
        &RESTART_EVENTS_DEF,
        &_ALL_EVENTS_DEF,
    ] {
        module.set(
            def.name,
            NativeFunction::new_value(def, None, Some(Value::from("sys.monitoring"))),
        );
    }
    Ok(module.into_value())
}

fn code_of<'v>(vm: &Vm, code: &'v Value) -> Res<&'v Py<Code>> {
    code.downcast::<Code>()
        .ok_or_else(|| vm.type_error("code must be a code object"))
}

/// Register a tool for an ID.
#[pyfunction(sig = "(tool_id, name, /)")]
fn use_tool_id(vm: &Vm, tool_id: i64, name: &Value) -> Res<()> {
    if name.downcast::<Str>().is_none() {
        return Err(vm.value_error("tool name must be a str"));
    }
    table::use_tool(vm, tool_id, name)
}

/// Remove all events and callbacks of a tool.
#[pyfunction(sig = "(tool_id, /)")]
fn clear_tool_id(vm: &Vm, tool_id: i64) -> Res<()> {
    table::clear_tool(vm, tool_id)
}

/// Remove all events and callbacks of a tool, and give its ID up.
#[pyfunction(sig = "(tool_id, /)")]
fn free_tool_id(vm: &Vm, tool_id: i64) -> Res<()> {
    table::free_tool(vm, tool_id)
}

/// Return the name of the tool registered for a tool ID.
#[pyfunction(sig = "(tool_id, /)")]
fn get_tool(vm: &Vm, tool_id: i64) -> Res<Option<Value>> {
    table::tool_name(vm, tool_id)
}

/// Set the callback of a tool for an event; return the previous one.
#[pyfunction(sig = "(tool_id, event, func, /)")]
fn register_callback(vm: &Vm, tool_id: i64, event: i64, func: &Value) -> Res<Option<Value>> {
    super::audit(vm, "sys.monitoring.register_callback", std::slice::from_ref(func))?;
    table::register(vm, tool_id, event, Some(func.clone()).filter(|f| !f.is_none()))
}

/// Return the set of events that a tool asks for everywhere.
#[pyfunction(sig = "(tool_id, /)")]
fn get_events(vm: &Vm, tool_id: i64) -> Res<i64> {
    table::events(vm, tool_id).map(i64::from)
}

/// Set the events that a tool asks for everywhere.
#[pyfunction(sig = "(tool_id, event_set, /)")]
fn set_events(vm: &Vm, tool_id: i64, event_set: i64) -> Res<()> {
    table::set_events(vm, tool_id, event_set)
}

/// Return the set of events that a tool asks for in a code object.
#[pyfunction(sig = "(tool_id, code, /)")]
fn get_local_events(vm: &Vm, tool_id: i64, code: &Value) -> Res<i64> {
    table::local_events(vm, tool_id, code_of(vm, code)?).map(i64::from)
}

/// Set the events that a tool asks for in a code object.
#[pyfunction(sig = "(tool_id, code, event_set, /)")]
fn set_local_events(vm: &Vm, tool_id: i64, code: &Value, event_set: i64) -> Res<()> {
    table::set_local_events(vm, tool_id, code_of(vm, code)?, event_set)
}

/// Enable again all places that callbacks switched off.
#[pyfunction(sig = "()")]
fn restart_events(vm: &Vm) {
    table::restart(vm);
}

#[pyfunction(sig = "()")]
fn _all_events(_: &Vm) -> Value {
    let all = Dict::new_empty();
    for (name, tools) in table::all_events() {
        all.set_str(&Str::intern(name), Value::int(tools.into()));
    }
    all.into_value()
}
