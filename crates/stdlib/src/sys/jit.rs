//! `sys._jit`: there is no compiler to machine code.

use lisle_runtime::native::{Value, Vm, pyfunction};
use lisle_runtime::types::module::Module;
use lisle_runtime::types::native_function::NativeFunction;

/// The module object.
pub fn module() -> Value {
    let module = Module::new("sys._jit");
    for def in [&IS_AVAILABLE_DEF, &IS_ENABLED_DEF, &IS_ACTIVE_DEF] {
        let function = NativeFunction::new_value(def, None, Some(Value::from("sys._jit")));
        module.set(def.name, function);
    }
    module.into_value()
}

/// Return True if the current Python executable supports JIT compilation, and False otherwise.
#[pyfunction(sig = "()")]
fn is_available(_: &Vm) -> bool {
    false
}

/// Return True if JIT compilation is enabled for the current Python process (implies sys._jit.is_available()), and False otherwise.
#[pyfunction(sig = "()")]
fn is_enabled(_: &Vm) -> bool {
    false
}

/// Return True if the topmost Python frame is currently executing JIT code (implies sys._jit.is_enabled()), and False otherwise.
#[pyfunction(sig = "()")]
fn is_active(_: &Vm) -> bool {
    false
}
