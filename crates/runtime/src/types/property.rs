//! `property`.
//!
//! Invariant: the functions are replaced only by `__init__`; `getter`, `setter` and `deleter` make copies.

use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;

use crate::intern;
use crate::native::{Args, pyclass, pymethods};
use crate::object::{Native, Py, Slot, Type, Value};
use crate::types::classmethod::is_abstract;
use crate::types::common::replace_shared;
use crate::types::exceptions::text;
use crate::types::str::Str;
use crate::vm::{Exc, Res, Vm};

/// An attribute that functions compute.
#[pyclass(
    name = "property",
    late_end,
    basetype,
    doc = "Property attribute.\n\n  fget\n    function to be used for getting an attribute value\n  fset\n    function to be used for setting an attribute value\n  fdel\n    function to be used for del'ing an attribute\n  doc\n    docstring\n\nTypical use is to define a managed attribute x:\n\nclass C(object):\n    def getx(self): return self._x\n    def setx(self, value): self._x = value\n    def delx(self): del self._x\n    x = property(getx, setx, delx, \"I'm the 'x' property.\")\n\nDecorators make defining new properties or modifying existing ones easy:\n\nclass C(object):\n    @property\n    def x(self):\n        \"I am the 'x' property.\"\n        return self._x\n    @x.setter\n    def x(self, value):\n        self._x = value\n    @x.deleter\n    def x(self):\n        del self._x"
)]
pub struct Property {
    pub(crate) getter: Slot,
    pub(crate) setter: Slot,
    pub(crate) deleter: Slot,
    doc: Slot,
    name: Slot,
    /// The docstring is the getter's.
    getter_doc: AtomicBool,
}

impl Property {
    fn empty() -> Property {
        Property {
            getter: Slot::empty(),
            setter: Slot::empty(),
            deleter: Slot::empty(),
            doc: Slot::empty(),
            name: Slot::empty(),
            getter_doc: AtomicBool::new(false),
        }
    }

    /// The name it was given in its class, or the getter's.
    fn find_name(&self, vm: &Vm) -> Res<Option<Value>> {
        if let Some(name) = self.name.get() {
            return Ok(Some(name));
        }
        match self.getter.get() {
            Some(getter) => vm.getattr_opt(&getter, intern!("__name__")),
            None => Ok(None),
        }
    }

    /// "property 'x' of 'C' object has no setter"
    #[cold]
    fn lacks(vm: &Vm, this: &Py<Property>, obj: &Value, what: &str) -> Exc {
        let name = match this.find_name(vm) {
            Ok(Some(name)) => match vm.repr(&name) {
                Ok(name) => name,
                Err(exc) => return exc,
            },
            Ok(None) => Str::empty(),
            Err(exc) => return exc,
        };
        let class = obj.ty().qualname.get().unwrap_or_else(Str::empty);
        let class = match vm.repr(class.as_value()) {
            Ok(class) => class,
            Err(exc) => return exc,
        };
        let space = if name.is_empty() { "" } else { " " };
        let message = text::join(&[&"property", &space, &name, &" of ", &class, &" object has no ", &what]);
        vm.new_exception(
            crate::types::exceptions::ATTRIBUTE_ERROR.get(),
            vec![message.into_value()],
        )
    }

    /// A property of the same class with some of the functions replaced.
    fn copy(
        vm: &Vm,
        this: &Py<Property>,
        getter: Option<&Value>,
        setter: Option<&Value>,
        deleter: Option<&Value>,
    ) -> Res<Value> {
        let choose = |new: Option<&Value>, old: &Slot| {
            new.filter(|v| !v.is_none())
                .cloned()
                .or_else(|| old.get())
                .unwrap_or(Value::NONE)
        };
        let getter = choose(getter, &this.getter);
        let doc = if this.getter_doc.load(Relaxed) && !getter.is_none() {
            Value::NONE
        } else {
            this.doc.get().unwrap_or(Value::NONE)
        };
        let args = [
            getter,
            choose(setter, &this.setter),
            choose(deleter, &this.deleter),
            doc,
        ];
        let new = vm.call(this.class().as_value(), &args)?;
        if let Some(copy) = new.downcast::<Property>() {
            drop(copy.name.swap(this.name.get()));
        }
        Ok(new)
    }
}

#[pymethods]
impl Property {
    #[slot]
    fn __new__(_: &Vm, cls: &Py<Type>, _args: Args<'_>) -> Res<Value> {
        Ok(Py::with_class(cls, Property::empty()).into_value())
    }

    #[slot(sig = "(fget=None, fset=None, fdel=None, doc=None)")]
    fn __init__(
        vm: &Vm,
        this: &Py<Property>,
        fget: Option<&Value>,
        fset: Option<&Value>,
        fdel: Option<&Value>,
        doc: Option<&Value>,
    ) -> Res<()> {
        replace_shared(&this.getter, fget.cloned());
        drop(this.setter.swap(fset.cloned()));
        drop(this.deleter.swap(fdel.cloned()));
        drop(this.doc.take());
        drop(this.name.take());
        this.getter_doc.store(false, Relaxed);
        let mut text = doc.cloned();
        if text.is_none()
            && let Some(getter) = fget
        {
            text = vm.getattr_opt(getter, intern!("__doc__"))?.filter(|t| !t.is_none());
            this.getter_doc.store(text.is_some(), Relaxed);
        }
        if this.class().is(Property::ty()) {
            drop(this.doc.swap(text));
            return Ok(());
        }
        // In a subclass the attribute is hidden by the docstring of the class, so the instance gets its own.
        match vm.setattr(this.as_value(), intern!("__doc__"), &text.unwrap_or(Value::NONE)) {
            Err(exc) if exc.is_attribute_error() && !this.getter_doc.load(Relaxed) => Ok(()),
            other => other,
        }
    }

    #[slot]
    fn __get__(vm: &Vm, this: &Py<Property>, obj: Option<&Value>, _owner: Option<&Value>) -> Res<Value> {
        let Some(obj) = obj else { return Ok(this.to_value()) };
        match this.getter.get() {
            Some(getter) => vm.call(&getter, std::slice::from_ref(obj)),
            None => Err(Property::lacks(vm, this, obj, "getter")),
        }
    }

    #[slot]
    fn __set__(vm: &Vm, this: &Py<Property>, obj: &Value, value: Option<&Value>) -> Res<()> {
        match value {
            Some(value) => match this.setter.get() {
                Some(setter) => vm.call(&setter, &[obj.clone(), value.clone()])?,
                None => return Err(Property::lacks(vm, this, obj, "setter")),
            },
            None => match this.deleter.get() {
                Some(deleter) => vm.call(&deleter, std::slice::from_ref(obj))?,
                None => return Err(Property::lacks(vm, this, obj, "deleter")),
            },
        };
        Ok(())
    }

    /// Descriptor to obtain a copy of the property with a different getter.
    #[pymethod(sig = "($self, object, /)")]
    fn getter(vm: &Vm, this: &Py<Property>, object: &Value) -> Res<Value> {
        Property::copy(vm, this, Some(object), None, None)
    }

    /// Descriptor to obtain a copy of the property with a different setter.
    #[pymethod(sig = "($self, object, /)")]
    fn setter(vm: &Vm, this: &Py<Property>, object: &Value) -> Res<Value> {
        Property::copy(vm, this, None, Some(object), None)
    }

    /// Descriptor to obtain a copy of the property with a different deleter.
    #[pymethod(sig = "($self, object, /)")]
    fn deleter(vm: &Vm, this: &Py<Property>, object: &Value) -> Res<Value> {
        Property::copy(vm, this, None, None, Some(object))
    }

    /// Method to set name of a property.
    #[pymethod(raw, sig = "($self, owner, name, /)")]
    fn __set_name__(vm: &Vm, this: &Py<Property>, args: Args<'_>) -> Res<()> {
        let [_owner, name] = args.values else {
            let given = args.values.len();
            let message = format!("__set_name__() takes 2 positional arguments but {given} were given");
            return Err(vm.type_error(message));
        };
        this.name.set(name.clone());
        Ok(())
    }

    #[getter(member)]
    fn fget(_: &Vm, this: &Py<Property>) -> Option<Value> {
        this.getter.get()
    }
    #[setter]
    fn set_fget(vm: &Vm, _: &Py<Property>, _value: Option<&Value>) -> Res<()> {
        Err(vm.attribute_error("readonly attribute"))
    }
    #[getter(member)]
    fn fset(_: &Vm, this: &Py<Property>) -> Option<Value> {
        this.setter.get()
    }
    #[setter]
    fn set_fset(vm: &Vm, _: &Py<Property>, _value: Option<&Value>) -> Res<()> {
        Err(vm.attribute_error("readonly attribute"))
    }
    #[getter(member)]
    fn fdel(_: &Vm, this: &Py<Property>) -> Option<Value> {
        this.deleter.get()
    }
    #[setter]
    fn set_fdel(vm: &Vm, _: &Py<Property>, _value: Option<&Value>) -> Res<()> {
        Err(vm.attribute_error("readonly attribute"))
    }
    #[getter]
    fn __doc__(_: &Vm, this: &Py<Property>) -> Option<Value> {
        this.doc.get()
    }
    #[setter(name = "__doc__")]
    fn set_doc(_: &Vm, this: &Py<Property>, value: Option<&Value>) -> Res<()> {
        drop(this.doc.swap(value.cloned()));
        Ok(())
    }
    #[getter]
    fn __name__(vm: &Vm, this: &Py<Property>) -> Res<Value> {
        match this.find_name(vm)? {
            Some(name) => Ok(name),
            None => Err(vm.attribute_error_for(this.as_value(), intern!("__name__"))),
        }
    }
    #[setter(name = "__name__")]
    fn set_name(_: &Vm, this: &Py<Property>, value: Option<&Value>) -> Res<()> {
        drop(this.name.swap(value.cloned()));
        Ok(())
    }
    #[getter]
    fn __isabstractmethod__(vm: &Vm, this: &Py<Property>) -> Res<bool> {
        Ok(is_abstract(vm, this.getter.get())?
            || is_abstract(vm, this.setter.get())?
            || is_abstract(vm, this.deleter.get())?)
    }
}
