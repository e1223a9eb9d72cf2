//! `classmethod` and `staticmethod`.
//!
//! Invariant: the wrapped callable is set by `__init__`; until then the object is "uninitialized" and only says so.

use crate::intern;
use crate::native::{Args, pyclass, pymethods};
use crate::object::{Py, Slot, Type, Value};
use crate::types::common::replace_shared;
use crate::types::exceptions::text;
use crate::types::method::Method;
use crate::types::str::Str;
use crate::vm::{Exc, Res, Vm};

/// Gives the wrapper the function's name and docstring.
fn copy_names(vm: &Vm, wrapper: &Value, function: &Value) -> Res<()> {
    for name in [
        intern!("__module__"),
        intern!("__name__"),
        intern!("__qualname__"),
        intern!("__doc__"),
    ] {
        if let Some(value) = vm.getattr_opt(function, name)? {
            vm.setattr(wrapper, name, &value)?;
        }
    }
    Ok(())
}

/// Whether a callable is marked as abstract.
pub(crate) fn is_abstract(vm: &Vm, callable: Option<Value>) -> Res<bool> {
    let Some(callable) = callable else { return Ok(false) };
    match vm.getattr_opt(&callable, intern!("__isabstractmethod__"))? {
        Some(mark) => vm.truth(&mark),
        None => Ok(false),
    }
}

fn show(vm: &Vm, name: &str, callable: Option<Value>) -> Res<Value> {
    let inner = match callable {
        Some(callable) => vm.repr(&callable)?,
        None => Str::from_str("<NULL>"),
    };
    Ok(text::joined(&[&"<", &name, &"(", &inner, &")>"]))
}

#[cold]
fn uninitialized(vm: &Vm, name: &str) -> Exc {
    vm.runtime_error(format!("uninitialized {name} object"))
}

/// An attribute kept in the instance's dict once it was asked for.
fn cached(vm: &Vm, this: &Value, callable: Option<Value>, name: &'static Py<Str>) -> Res<Value> {
    if let Some(dict) = crate::vm::attributes::instance_dict(this)
        && let Some(found) = dict.get_str(name)
    {
        return Ok(found);
    }
    let Some(callable) = callable else {
        return Err(vm.attribute_error_for(this, name));
    };
    let value = vm.getattr(&callable, name)?;
    if let Some(dict) = crate::vm::attributes::instance_dict(this) {
        drop(dict.replace_str(name, value.clone()));
    }
    Ok(value)
}

fn set_cached(vm: &Vm, this: &Value, name: &'static Py<Str>, value: Option<&Value>) -> Res<()> {
    let Some(dict) = crate::vm::attributes::instance_dict(this) else {
        return Ok(());
    };
    match value {
        Some(value) => drop(dict.replace_str(name, value.clone())),
        None => {
            if dict.remove_str(name).is_none() {
                return Err(vm.attribute_error_for(this, name));
            }
        }
    }
    Ok(())
}

/// A function that gets the class in the place of the instance.
#[pyclass(
    name = "classmethod",
    basetype,
    dict,
    weakref,
    doc = "Convert a function to be a class method.\n\nA class method receives the class as implicit first argument,\njust like an instance method receives the instance.\nTo declare a class method, use this idiom:\n\n  class C:\n      @classmethod\n      def f(cls, arg1, arg2, argN):\n          ...\n\nIt can be called either on the class (e.g. C.f()) or on an instance\n(e.g. C().f()).  The instance is ignored except for its class.\nIf a class method is called for a derived class, the derived class\nobject is passed as the implied first argument.\n\nClass methods are different than C++ or Java static methods.\nIf you want those, see the staticmethod builtin."
)]
pub struct ClassMethod {
    pub(crate) callable: Slot,
}

impl ClassMethod {
    /// `classmethod(callable)` without the copied names.
    pub fn wrapping(callable: Value) -> Value {
        Py::new(ClassMethod {
            callable: Slot::new(callable),
        })
        .into_value()
    }
}

#[pymethods]
impl ClassMethod {
    #[slot]
    fn __new__(_: &Vm, cls: &Py<Type>, _args: Args<'_>) -> Res<Value> {
        Ok(Py::with_class(
            cls,
            ClassMethod {
                callable: Slot::empty(),
            },
        )
        .into_value())
    }

    #[slot(sig = "(function, /)")]
    fn __init__(vm: &Vm, this: &Py<ClassMethod>, function: &Value) -> Res<()> {
        replace_shared(&this.callable, Some(function.clone()));
        copy_names(vm, this.as_value(), function)
    }

    #[slot]
    fn __get__(vm: &Vm, this: &Py<ClassMethod>, obj: Option<&Value>, owner: Option<&Value>) -> Res<Value> {
        let Some(callable) = this.callable.get() else {
            return Err(uninitialized(vm, "classmethod"));
        };
        let class = match (owner, obj) {
            (Some(class), _) => class.clone(),
            (None, Some(obj)) => obj.ty().to_value(),
            (None, None) => return Err(vm.type_error("__get__(None, None) is invalid")),
        };
        Ok(Method::new_value(callable, class))
    }

    #[slot]
    fn __repr__(vm: &Vm, this: &Py<ClassMethod>) -> Res<Value> {
        show(vm, "classmethod", this.callable.get())
    }

    #[getter(member)]
    fn __func__(_: &Vm, this: &Py<ClassMethod>) -> Option<Value> {
        this.callable.get()
    }
    #[getter(member)]
    fn __wrapped__(_: &Vm, this: &Py<ClassMethod>) -> Option<Value> {
        this.callable.get()
    }
    #[getter]
    fn __isabstractmethod__(vm: &Vm, this: &Py<ClassMethod>) -> Res<bool> {
        is_abstract(vm, this.callable.get())
    }
    #[getter]
    fn __dict__(_: &Vm, this: &Py<ClassMethod>) -> Option<Value> {
        crate::vm::attributes::instance_dict(this.as_value()).map(Py::into_value)
    }
    #[setter(name = "__dict__")]
    fn set_dict(vm: &Vm, this: &Py<ClassMethod>, value: Option<&Value>) -> Res<()> {
        crate::types::object::set_instance_dict(vm, this.as_value(), value)
    }
    #[getter]
    fn __annotations__(vm: &Vm, this: &Py<ClassMethod>) -> Res<Value> {
        cached(vm, this.as_value(), this.callable.get(), intern!("__annotations__"))
    }
    #[setter(name = "__annotations__")]
    fn set_annotations(vm: &Vm, this: &Py<ClassMethod>, value: Option<&Value>) -> Res<()> {
        set_cached(vm, this.as_value(), intern!("__annotations__"), value)
    }
    #[getter]
    fn __annotate__(vm: &Vm, this: &Py<ClassMethod>) -> Res<Value> {
        cached(vm, this.as_value(), this.callable.get(), intern!("__annotate__"))
    }
    #[setter(name = "__annotate__")]
    fn set_annotate(vm: &Vm, this: &Py<ClassMethod>, value: Option<&Value>) -> Res<()> {
        set_cached(vm, this.as_value(), intern!("__annotate__"), value)
    }

    /// See PEP 585
    #[classmethod(sig = "($type, object, /)")]
    fn __class_getitem__(vm: &Vm, cls: &Py<Type>, object: &Value) -> Res<Value> {
        Ok(crate::types::generic_alias::GenericAlias::new_value(
            vm,
            cls.as_value(),
            object,
        ))
    }
}

/// A function that gets no receiver.
#[pyclass(
    name = "staticmethod",
    basetype,
    dict,
    weakref,
    doc = "Convert a function to be a static method.\n\nA static method does not receive an implicit first argument.\nTo declare a static method, use this idiom:\n\n     class C:\n         @staticmethod\n         def f(arg1, arg2, argN):\n             ...\n\nIt can be called either on the class (e.g. C.f()) or on an instance\n(e.g. C().f()). Both the class and the instance are ignored, and\nneither is passed implicitly as the first argument to the method.\n\nStatic methods in Python are similar to those found in Java or C++.\nFor a more advanced concept, see the classmethod builtin."
)]
pub struct StaticMethod {
    pub(crate) callable: Slot,
}

impl StaticMethod {
    /// `staticmethod(callable)` without the copied names.
    pub fn wrapping(callable: Value) -> Value {
        Py::new(StaticMethod {
            callable: Slot::new(callable),
        })
        .into_value()
    }
}

#[pymethods]
impl StaticMethod {
    #[slot]
    fn __new__(_: &Vm, cls: &Py<Type>, _args: Args<'_>) -> Res<Value> {
        Ok(Py::with_class(
            cls,
            StaticMethod {
                callable: Slot::empty(),
            },
        )
        .into_value())
    }

    #[slot(sig = "(function, /)")]
    fn __init__(vm: &Vm, this: &Py<StaticMethod>, function: &Value) -> Res<()> {
        replace_shared(&this.callable, Some(function.clone()));
        copy_names(vm, this.as_value(), function)
    }

    #[slot]
    fn __get__(vm: &Vm, this: &Py<StaticMethod>, _obj: Option<&Value>, _owner: Option<&Value>) -> Res<Value> {
        this.callable.get().ok_or_else(|| uninitialized(vm, "staticmethod"))
    }

    #[slot]
    fn __call__(vm: &Vm, this: &Py<StaticMethod>, args: Args<'_>) -> Res<Value> {
        match this.callable.get() {
            Some(callable) => vm.call_args(&callable, args),
            None => Err(uninitialized(vm, "staticmethod")),
        }
    }

    #[slot]
    fn __repr__(vm: &Vm, this: &Py<StaticMethod>) -> Res<Value> {
        show(vm, "staticmethod", this.callable.get())
    }

    #[getter(member)]
    fn __func__(_: &Vm, this: &Py<StaticMethod>) -> Option<Value> {
        this.callable.get()
    }
    #[getter(member)]
    fn __wrapped__(_: &Vm, this: &Py<StaticMethod>) -> Option<Value> {
        this.callable.get()
    }
    #[getter]
    fn __isabstractmethod__(vm: &Vm, this: &Py<StaticMethod>) -> Res<bool> {
        is_abstract(vm, this.callable.get())
    }
    #[getter]
    fn __dict__(_: &Vm, this: &Py<StaticMethod>) -> Option<Value> {
        crate::vm::attributes::instance_dict(this.as_value()).map(Py::into_value)
    }
    #[setter(name = "__dict__")]
    fn set_dict(vm: &Vm, this: &Py<StaticMethod>, value: Option<&Value>) -> Res<()> {
        crate::types::object::set_instance_dict(vm, this.as_value(), value)
    }
    #[getter]
    fn __annotations__(vm: &Vm, this: &Py<StaticMethod>) -> Res<Value> {
        cached(vm, this.as_value(), this.callable.get(), intern!("__annotations__"))
    }
    #[setter(name = "__annotations__")]
    fn set_annotations(vm: &Vm, this: &Py<StaticMethod>, value: Option<&Value>) -> Res<()> {
        set_cached(vm, this.as_value(), intern!("__annotations__"), value)
    }
    #[getter]
    fn __annotate__(vm: &Vm, this: &Py<StaticMethod>) -> Res<Value> {
        cached(vm, this.as_value(), this.callable.get(), intern!("__annotate__"))
    }
    #[setter(name = "__annotate__")]
    fn set_annotate(vm: &Vm, this: &Py<StaticMethod>, value: Option<&Value>) -> Res<()> {
        set_cached(vm, this.as_value(), intern!("__annotate__"), value)
    }

    /// See PEP 585
    #[classmethod(sig = "($type, object, /)")]
    fn __class_getitem__(vm: &Vm, cls: &Py<Type>, object: &Value) -> Res<Value> {
        Ok(crate::types::generic_alias::GenericAlias::new_value(
            vm,
            cls.as_value(),
            object,
        ))
    }
}
