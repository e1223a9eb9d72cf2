//! Template strings.
use crate::native::pyclass;
use crate::object::{Py, Value};
/// See the module.
#[pyclass(name = "Interpolation", no_new, no_methods)]
pub struct Interpolation {
    pub parts: Vec<Value>,
}
impl Interpolation {
    pub fn new_value(value: Value, expression: Value, conversion: Value, spec: Value) -> Value {
        Py::new(Interpolation {
            parts: vec![value, expression, conversion, spec],
        })
        .into_value()
    }
}
/// See the module.
#[pyclass(name = "Template", no_new, no_methods)]
pub struct Template {
    pub parts: Vec<Value>,
}
impl Template {
    pub fn new_value(strings: Value, interpolations: Value) -> Value {
        Py::new(Template {
            parts: vec![strings, interpolations],
        })
        .into_value()
    }
}
