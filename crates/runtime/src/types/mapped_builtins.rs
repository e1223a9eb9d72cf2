//! What stands for `__builtins__` that are neither a dict nor a module.
//!
//! Invariant: functions and frames hold a dict as their builtins, so that the instruction loop can look names up without a check of
//! its kind; a dict that is not exactly a `dict` is never cached, and asked through its item access. This one passes that on to the
//! mapping. Programs do not see it: `__builtins__` and `f_builtins` show the mapping.

use crate::native::{pyclass, pymethods};
use crate::object::{Py, Value};
use crate::types::dict::Dict;
use crate::vm::{Res, Vm};

/// An empty dict whose items are those of a mapping.
#[pyclass(name = "mapped_builtins", base = Dict, no_new)]
pub struct MappedBuiltins {
    dict: Dict,
    mapping: Value,
}

impl MappedBuiltins {
    /// The dict for a mapping.
    pub fn over(mapping: Value) -> Py<Dict> {
        let made = Py::new(MappedBuiltins {
            dict: Dict::empty_payload(),
            mapping,
        });
        match made.into_value().try_into_py::<Dict>() {
            Ok(dict) => dict,
            // It is a subclass of dict.
            Err(_) => Dict::new_empty(),
        }
    }

    /// What programs see.
    pub fn shown(builtins: &Py<Dict>) -> Value {
        match builtins.as_value().downcast_exact::<MappedBuiltins>() {
            Some(mapped) => mapped.mapping.clone(),
            None => builtins.to_value(),
        }
    }
}

#[pymethods]
impl MappedBuiltins {
    #[slot]
    fn __getitem__(vm: &Vm, this: &Py<MappedBuiltins>, key: &Value) -> Res<Value> {
        vm.getitem(&this.mapping, key)
    }
}
