//! `types.GenericAlias`.
use crate::native::pyclass;
use crate::object::{Py, Value};
use crate::vm::Vm;
/// See the module.
#[pyclass(name = "types.GenericAlias", no_new, no_methods)]
pub struct GenericAlias {
    pub origin: Value,
    pub args: Value,
}
impl GenericAlias {
    pub fn new_value(_: &Vm, origin: &Value, args: &Value) -> Value {
        Py::new(GenericAlias { origin: origin.clone(), args: args.clone() }).into_value()
    }
}
