//! `types.MethodType`: a function bound to a receiver.

use lisle_bytecode::opcode::CmpOp;

use crate::intern;
use crate::native::{Args, pyclass, pymethods};
use crate::object::{Py, Type, Value};
use crate::types::str::Str;
use crate::types::tuple::Tuple;
use crate::vm::{Res, Vm};

/// A bound method.
#[pyclass(name = "method", weakref, doc = "Create a bound instance method object.")]
pub struct Method {
    pub function: Value,
    pub receiver: Value,
}

impl Method {
    pub fn new_value(function: Value, receiver: Value) -> Value {
        Py::new(Method { function, receiver }).into_value()
    }
}

#[pymethods]
impl Method {
    #[slot(sig = "(function, instance, /)")]
    fn __new__(vm: &Vm, _cls: &Py<Type>, function: &Value, instance: &Value) -> Res<Value> {
        if !vm.is_callable(function) {
            return Err(vm.type_error("first argument must be callable"));
        }
        if instance.is_none() {
            return Err(vm.type_error("instance must not be None"));
        }
        Ok(Method::new_value(function.clone(), instance.clone()))
    }

    #[slot]
    fn __call__(vm: &Vm, this: &Py<Method>, args: Args<'_>) -> Res<Value> {
        vm.call_prepended(&this.function, &this.receiver, args)
    }

    #[slot]
    fn __get__(_: &Vm, this: &Py<Method>, _obj: Option<&Value>, _owner: Option<&Value>) -> Res<Value> {
        Ok(this.to_value())
    }

    #[slot]
    fn __getattribute__(vm: &Vm, this: &Py<Method>, name: &Py<Str>) -> Res<Value> {
        if let Some(found) = this.class().lookup(vm, name) {
            return match found.ty().slots().descr_get {
                Some(get) => get(vm, &found, Some(this.as_value()), Some(this.class().as_value())),
                None => Ok(found),
            };
        }
        vm.getattr(&this.function, name)
    }

    #[slot]
    fn __repr__(vm: &Vm, this: &Py<Method>) -> Res<String> {
        let mut name = None;
        for key in [intern!("__qualname__"), intern!("__name__")] {
            if name.is_none() {
                name = vm.getattr_opt(&this.function, key)?;
            }
        }
        let name = name.and_then(|n| n.downcast::<Str>().map(|s| s.to_string_lossy())).unwrap_or_else(|| "?".into());
        let receiver = vm.repr(&this.receiver)?.to_string_lossy();
        Ok(format!("<bound method {name} of {receiver}>"))
    }

    #[slot]
    fn __hash__(vm: &Vm, this: &Py<Method>) -> Res<i64> {
        let x = crate::types::object::identity_hash(&this.receiver) ^ vm.hash(&this.function)?;
        Ok(if x == -1 { -2 } else { x })
    }

    #[slot]
    fn __richcompare__(vm: &Vm, this: &Py<Method>, other: &Value, op: CmpOp) -> Res<Value> {
        let (CmpOp::Eq | CmpOp::Ne, Some(other)) = (op, other.downcast_exact::<Method>()) else {
            return Ok(Value::NOT_IMPLEMENTED);
        };
        let equal = this.receiver.is(&other.receiver) && vm.eq(&this.function, &other.function)?;
        Ok(Value::from_bool(equal == (op == CmpOp::Eq)))
    }

    /// Helper for pickle.
    #[pymethod(sig = "($self, /)")]
    fn __reduce__(vm: &Vm, this: &Py<Method>) -> Res<Value> {
        let builtins = crate::interp::builtins();
        let getattr = builtins.get_str(intern!("getattr")).ok_or_else(|| vm.runtime_error("lost builtins.getattr"))?;
        let name = vm.getattr(&this.function, intern!("__name__"))?;
        let args = Tuple::new(vec![this.receiver.clone(), name]).into_value();
        Ok(Tuple::new(vec![getattr, args]).into_value())
    }

    /// the function (or other callable) implementing a method
    #[getter]
    fn __func__(_: &Vm, this: &Py<Method>) -> Value {
        this.function.clone()
    }

    /// the instance to which a method is bound
    #[getter]
    fn __self__(_: &Vm, this: &Py<Method>) -> Value {
        this.receiver.clone()
    }

    #[getter]
    fn __doc__(vm: &Vm, this: &Py<Method>) -> Res<Option<Value>> {
        vm.getattr_opt(&this.function, intern!("__doc__"))
    }
}
