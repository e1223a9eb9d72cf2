//! The types of `None`, `Ellipsis` and `NotImplemented`.

use crate::native::{Args, pyclass, pymethods};
use crate::object::{Py, Type, Value};
use crate::vm::{Res, Vm};

/// `type(None)`.
#[pyclass(name = "NoneType", module = "builtins", gc = false, doc = "The type of the None singleton.")]
pub struct NoneType {}

/// `type(...)`.
#[pyclass(name = "ellipsis", module = "builtins", gc = false, doc = "The type of the Ellipsis singleton.")]
pub struct EllipsisType {}

/// `type(NotImplemented)`.
#[pyclass(name = "NotImplementedType", module = "builtins", gc = false, doc = "The type of the NotImplemented singleton.")]
pub struct NotImplementedType {}

fn no_arguments(vm: &Vm, cls: &Py<Type>, args: Args<'_>) -> Res<()> {
    if args.values.is_empty() {
        return Ok(());
    }
    Err(vm.type_error(format!("{} takes no arguments", cls.name())))
}

#[pymethods]
impl NoneType {
    #[slot]
    fn __new__(vm: &Vm, cls: &Py<Type>, args: Args<'_>) -> Res<Value> {
        no_arguments(vm, cls, args)?;
        Ok(Value::NONE)
    }
    #[slot]
    fn __repr__(_: &Vm, _this: &Value) -> &'static str {
        "None"
    }
    #[slot]
    fn __bool__(_: &Vm, _this: &Value) -> Res<bool> {
        Ok(false)
    }
    #[slot]
    fn __hash__(_: &Vm, _this: &Value) -> Res<i64> {
        Ok(0xfca86420)
    }
}

#[pymethods]
impl EllipsisType {
    #[slot]
    fn __new__(vm: &Vm, cls: &Py<Type>, args: Args<'_>) -> Res<Value> {
        no_arguments(vm, cls, args)?;
        Ok(Value::ELLIPSIS)
    }
    #[slot]
    fn __repr__(_: &Vm, _this: &Value) -> &'static str {
        "Ellipsis"
    }
    /// Helper for pickle.
    #[pymethod(sig = "($self, /)")]
    fn __reduce__(_: &Vm, _this: &Value) -> &'static str {
        "Ellipsis"
    }
}

#[pymethods]
impl NotImplementedType {
    #[slot]
    fn __new__(vm: &Vm, cls: &Py<Type>, args: Args<'_>) -> Res<Value> {
        no_arguments(vm, cls, args)?;
        Ok(Value::NOT_IMPLEMENTED)
    }
    #[slot]
    fn __repr__(_: &Vm, _this: &Value) -> &'static str {
        "NotImplemented"
    }
    #[slot]
    fn __bool__(vm: &Vm, _this: &Value) -> Res<bool> {
        Err(vm.type_error("NotImplemented should not be used in a boolean context"))
    }
    /// Helper for pickle.
    #[pymethod(sig = "($self, /)")]
    fn __reduce__(_: &Vm, _this: &Value) -> &'static str {
        "NotImplemented"
    }
}
