//! `types.MethodType`: a callable bound to an object.
//!
//! Invariant: both parts never change. Attributes other than its own are those of the callable.

use crate::intern;
use crate::native::{Args, pyclass, pymethods};
use crate::object::{Py, Type, Value};
use crate::types::descriptors::{address_hash, reduce_as_attribute};
use crate::types::exceptions::text;
use crate::types::function::Function;
use crate::types::native_function::{NativeFunction, prepended};
use crate::types::str::Str;
use crate::vm::{Res, Vm};
use lisle_bytecode::opcode::CmpOp;

/// A bound method.
#[pyclass(name = "method", late_end, weakref, doc = "Create a bound instance method object.")]
pub struct Method {
    pub(crate) function: Value,
    pub(crate) receiver: Value,
}

impl Method {
    /// `function` bound to `receiver`.
    #[inline]
    pub fn new_value(function: Value, receiver: Value) -> Value {
        Py::new(Method { function, receiver }).into_value()
    }

    /// The callable, and what it is bound to.
    #[inline]
    pub fn parts(&self) -> (&Value, &Value) {
        (&self.function, &self.receiver)
    }
}

#[pymethods]
impl Method {
    #[slot(text = "(function, instance, /)")]
    fn __new__(vm: &Vm, cls: &Py<Type>, args: Args<'_>) -> Res<Value> {
        args.no_keywords(vm, "method")?;
        let values = args.check_positional(vm, "method", 2, 2)?;
        if !vm.is_callable(&values[0]) {
            return Err(vm.type_error("first argument must be callable"));
        }
        if values[1].is_none() {
            return Err(vm.type_error("instance must not be None"));
        }
        let method = Method {
            function: values[0].clone(),
            receiver: values[1].clone(),
        };
        Ok(Py::with_class(cls, method).into_value())
    }

    #[slot]
    fn __call__(vm: &Vm, this: &Py<Method>, args: Args<'_>) -> Res<Value> {
        // Each level of bound methods copies the arguments, so there is a limit to them besides that of the stack.
        let function = &this.function;
        let _guard = match function.downcast_exact::<Function>().is_none()
            && function.downcast_exact::<NativeFunction>().is_none()
        {
            true => Some(vm.enter_recursive(" while calling a Python object")?),
            false => None,
        };
        prepended(&this.receiver, args, |args| vm.call_args(&this.function, args))
    }

    #[slot]
    fn __getattribute__(vm: &Vm, this: &Py<Method>, name: &Py<Str>) -> Res<Value> {
        match this.class().lookup(vm, name) {
            Some(found) => match found.ty().slots().descr_get {
                Some(get) => get(vm, &found, Some(this.as_value()), Some(this.class().as_value())),
                None => Ok(found),
            },
            None => vm.getattr(&this.function, name),
        }
    }

    #[slot]
    fn __get__(_: &Vm, this: &Py<Method>, _obj: Option<&Value>, _owner: Option<&Value>) -> Res<Value> {
        Ok(this.to_value())
    }

    #[slot]
    fn __repr__(vm: &Vm, this: &Py<Method>) -> Res<Value> {
        let mut name = vm.getattr_opt(&this.function, intern!("__qualname__"))?;
        if name.is_none() {
            name = vm.getattr_opt(&this.function, intern!("__name__"))?;
        }
        let name = name
            .and_then(|n| n.try_into_py::<Str>().ok())
            .unwrap_or_else(|| Str::from_str("?"));
        Ok(text::joined(&[
            &"<bound method ",
            &name,
            &" of ",
            &vm.repr(&this.receiver)?,
            &">",
        ]))
    }

    #[slot]
    fn __hash__(vm: &Vm, this: &Py<Method>) -> Res<i64> {
        let hash = address_hash(this.receiver.bits(), 0) ^ vm.hash(&this.function)?;
        Ok(if hash == -1 { -2 } else { hash })
    }

    #[slot]
    fn __richcompare__(vm: &Vm, this: &Py<Method>, other: &Value, op: CmpOp) -> Res<Value> {
        let Some(other) = other.downcast_exact::<Method>() else {
            return Ok(Value::NOT_IMPLEMENTED);
        };
        if !matches!(op, CmpOp::Eq | CmpOp::Ne) {
            return Ok(Value::NOT_IMPLEMENTED);
        }
        let equal = this.receiver.is(&other.receiver) && vm.eq(&this.function, &other.function)?;
        Ok(Value::from_bool(equal == (op == CmpOp::Eq)))
    }

    /// the function (or other callable) implementing a method
    #[getter(member)]
    fn __func__(_: &Vm, this: &Py<Method>) -> Value {
        this.function.clone()
    }
    /// the instance to which a method is bound
    #[getter(member)]
    fn __self__(_: &Vm, this: &Py<Method>) -> Value {
        this.receiver.clone()
    }
    #[getter]
    fn __doc__(vm: &Vm, this: &Py<Method>) -> Res<Option<Value>> {
        vm.getattr_opt(&this.function, intern!("__doc__"))
    }

    #[pymethod(sig = "($self, /)")]
    fn __reduce__(vm: &Vm, this: &Py<Method>) -> Res<Value> {
        let name = vm.getattr(&this.function, intern!("__name__"))?;
        reduce_as_attribute(vm, this.receiver.clone(), name)
    }
}
