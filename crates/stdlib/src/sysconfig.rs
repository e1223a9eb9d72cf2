//! `_sysconfig`: what the executable knows of how it was built; the rest is in `_sysconfigdata_lisle`.

use lisle_runtime::intern;
use lisle_runtime::native::{Py, Value, Vm, pymodule};
use lisle_runtime::types::dict::Dict;

#[pymodule(name = "_sysconfig", doc = "A helper for the sysconfig module.")]
pub mod module {
    use super::*;

    /// Returns a dictionary containing build variables intended to be exposed by sysconfig.
    #[pyfunction(sig = "()")]
    fn config_vars(_: &Vm) -> Py<Dict> {
        let vars = Dict::new_empty();
        // Whether the GIL can be off is decided when the program starts.
        let disabled = lisle_runtime::sync::free_threaded();
        vars.set_str(intern!("Py_GIL_DISABLED"), Value::int(disabled.into()));
        vars
    }
}
