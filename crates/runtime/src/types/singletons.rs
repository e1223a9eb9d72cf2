//! The classes of `None`, `Ellipsis` and `NotImplemented`.
//!
//! Invariant: the objects are immediates ([`Value::NONE`] and its like); nothing is ever allocated with these classes.

use crate::native::{pyclass, pymethods};
use crate::object::{Py, Type, Value};
use crate::types::str::Str;
use crate::vm::{Res, Vm};
use lisle_bytecode::opcode::CmpOp;

/// The class of `None`.
#[pyclass(name = "NoneType", gc = false, doc = "The type of the None singleton.")]
pub struct NoneType {}

#[pymethods]
impl NoneType {
    #[slot(text = "()")]
    fn __new__(vm: &Vm, _cls: &Py<Type>, args: crate::native::Args<'_>) -> Res<Value> {
        if !args.values.is_empty() {
            return Err(vm.type_error("NoneType takes no arguments"));
        }
        Ok(Value::NONE)
    }

    #[slot]
    fn __repr__(_: &Vm, _this: &Value) -> Py<Str> {
        Str::intern("None")
    }

    #[slot]
    fn __bool__(_: &Vm, _this: &Value) -> Res<bool> {
        Ok(false)
    }

    #[slot]
    fn __hash__(_: &Vm, _this: &Value) -> Res<i64> {
        Ok(0xfca8_6420)
    }

    // What `object` does, but with a row of its own: `None.__eq__` is looked up on the class.
    #[slot]
    fn __richcompare__(_: &Vm, this: &Value, other: &Value, op: CmpOp) -> Value {
        match op {
            CmpOp::Eq if this.is(other) => Value::TRUE,
            CmpOp::Ne if this.is(other) => Value::FALSE,
            _ => Value::NOT_IMPLEMENTED,
        }
    }
}

/// The class of `Ellipsis`.
#[pyclass(name = "ellipsis", gc = false, doc = "The type of the Ellipsis singleton.")]
pub struct EllipsisType {}

#[pymethods]
impl EllipsisType {
    #[slot(text = "()")]
    fn __new__(vm: &Vm, _cls: &Py<Type>, args: crate::native::Args<'_>) -> Res<Value> {
        if !args.values.is_empty() {
            return Err(vm.type_error("EllipsisType takes no arguments"));
        }
        Ok(Value::ELLIPSIS)
    }

    #[slot]
    fn __repr__(_: &Vm, _this: &Value) -> Py<Str> {
        Str::intern("Ellipsis")
    }

    #[pymethod(sig = "($self, /)")]
    fn __reduce__(_: &Vm, _this: &Value) -> Py<Str> {
        Str::intern("Ellipsis")
    }
}

/// The class of `NotImplemented`.
#[pyclass(
    name = "NotImplementedType",
    gc = false,
    doc = "The type of the NotImplemented singleton."
)]
pub struct NotImplementedType {}

#[pymethods]
impl NotImplementedType {
    #[slot(text = "()")]
    fn __new__(vm: &Vm, _cls: &Py<Type>, args: crate::native::Args<'_>) -> Res<Value> {
        if !args.values.is_empty() {
            return Err(vm.type_error("NotImplementedType takes no arguments"));
        }
        Ok(Value::NOT_IMPLEMENTED)
    }

    #[slot]
    fn __repr__(_: &Vm, _this: &Value) -> Py<Str> {
        Str::intern("NotImplemented")
    }

    #[slot]
    fn __bool__(vm: &Vm, _this: &Value) -> Res<bool> {
        Err(vm.type_error("NotImplemented should not be used in a boolean context"))
    }

    #[pymethod(sig = "($self, /)")]
    fn __reduce__(_: &Vm, _this: &Value) -> Py<Str> {
        Str::intern("NotImplemented")
    }
}
