//! Frames of this and other threads, and `sys.monitoring`.
//!
//! Invariant: the stacks of other threads are looked at with the world stopped.

use lisle_runtime::intern;
use lisle_runtime::native::{Py, Res, Str, Value, Vm, pyfunction, pymodule};
use lisle_runtime::types::dict::Dict;
use lisle_runtime::types::module::Module;
use lisle_runtime::types::namespace::Namespace;

/// `sys.monitoring`: its constants; no tool is ever called, so asking for a tool's events fails.
pub fn monitoring(vm: &Vm) -> Res<Value> {
    let module = Module::new("sys.monitoring");
    for (name, id) in [
        ("DEBUGGER_ID", 0),
        ("COVERAGE_ID", 1),
        ("PROFILER_ID", 2),
        ("OPTIMIZER_ID", 5),
    ] {
        module.set(name, Value::int(id));
    }
    const EVENTS: [&str; 19] = [
        "PY_START",
        "PY_RESUME",
        "PY_RETURN",
        "PY_YIELD",
        "CALL",
        "LINE",
        "INSTRUCTION",
        "JUMP",
        "BRANCH_LEFT",
        "BRANCH_RIGHT",
        "STOP_ITERATION",
        "RAISE",
        "EXCEPTION_HANDLED",
        "PY_UNWIND",
        "PY_THROW",
        "RERAISE",
        "C_RETURN",
        "C_RAISE",
        "BRANCH",
    ];
    let events = EVENTS
        .iter()
        .enumerate()
        .map(|(bit, name)| (Str::intern(name), Value::int(1 << bit)));
    let events: Vec<(Py<Str>, Value)> = events.chain([(Str::intern("NO_EVENTS"), Value::int(0))]).collect();
    let events: Vec<(&Py<Str>, Value)> = events.iter().map(|(name, value)| (name, value.clone())).collect();
    module.set("events", Namespace::new_value(vm, &events)?);
    for def in [&GET_TOOL_DEF, &USE_TOOL_ID_DEF] {
        module.set(
            def.name,
            lisle_runtime::types::native_function::NativeFunction::new_value(
                def,
                None,
                Some(Value::from("sys.monitoring")),
            ),
        );
    }
    Ok(module.into_value())
}

/// Return the name of the tool registered for a tool ID.
#[pyfunction(sig = "(tool_id, /)")]
fn get_tool(_: &Vm, _tool_id: i64) -> Value {
    Value::NONE
}

/// Register a tool ID for use.
#[pyfunction(sig = "(tool_id, name, /)")]
fn use_tool_id(vm: &Vm, _tool_id: i64, _name: &Value) -> Res<()> {
    Err(vm.value_error("sys.monitoring is not supported by Lisle yet"))
}

#[pymodule(name = "sys")]
pub mod module {
    use super::*;

    /// Return a frame object from the call stack.
    ///
    /// If optional integer depth is given, return the frame object that many
    /// calls below the top of the stack.  If that is deeper than the call
    /// stack, ValueError is raised.  The default for depth is zero, returning
    /// the frame at the top of the call stack.
    #[pyfunction(sig = "(depth=0, /)")]
    fn _getframe(vm: &Vm, depth: Option<i32>) -> Res<Value> {
        super::super::audit(vm, "sys._getframe", &[])?;
        let depth = usize::try_from(depth.unwrap_or(0)).unwrap_or(0);
        match vm.frame_at(depth) {
            Some(frame) => Ok(frame.into_value()),
            None => Err(vm.value_error("call stack is not deep enough")),
        }
    }

    /// Return the name of the module for a calling frame.
    #[pyfunction(sig = "(depth=0)")]
    fn _getframemodulename(vm: &Vm, depth: Option<i32>) -> Option<Value> {
        let frame = vm.frame_at(usize::try_from(depth.unwrap_or(0)).unwrap_or(0))?;
        match lisle_runtime::types::frame::function_of(&frame) {
            Some(function) => vm.getattr(function.as_value(), intern!("__module__")).ok(),
            None => frame.globals.get_str(intern!("__name__")),
        }
    }

    /// Return a dict mapping each thread's thread id to its current stack frame.
    #[pyfunction(sig = "()")]
    fn _current_frames(vm: &Vm) -> Value {
        let dict = Dict::new_empty();
        for (ident, frame) in vm.frames_of_all_threads() {
            if let Some(frame) = frame {
                let _ = dict.set(vm, &Value::usize(ident as usize), frame.into_value());
            }
        }
        dict.into_value()
    }

    /// Return a dict mapping each thread's identifier to its current raised exception.
    #[pyfunction(sig = "()")]
    fn _current_exceptions(vm: &Vm) -> Value {
        let dict = Dict::new_empty();
        for (ident, exc) in vm.exceptions_of_all_threads() {
            let _ = dict.set(vm, &Value::usize(ident as usize), exc.unwrap_or(Value::NONE));
        }
        dict.into_value()
    }
}
