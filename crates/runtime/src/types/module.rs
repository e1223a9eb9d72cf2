//! `types.ModuleType`.

use crate::intern;
use crate::native::{pyclass, pymethods};
use crate::object::attrs::Attrs;
use crate::object::{Py, Type, Value};
use crate::types::dict::Dict;
use crate::types::str::Str;
use crate::vm::attributes::generic_getattr_opt;
use crate::vm::{Res, Vm};

/// A module. Its attributes are always in a dict, which the functions in it share as their globals.
#[pyclass(
    name = "module",
    dict,
    weakref,
    basetype,
    doc = "Create a module object.\n\nThe name must be a string; the optional docstring can have any type."
)]
pub struct Module {}

impl Module {
    /// A module with the usual attributes, all None but the name.
    pub fn new(name: &str) -> Py<Module> {
        let module = Py::new(Module {});
        module.fill(Str::intern(name).into_value(), Value::NONE);
        module
    }
}

impl Py<Module> {
    fn fill(&self, name: Value, doc: Value) {
        let dict = self.dict();
        for (key, value) in [
            (intern!("__name__"), name),
            (intern!("__doc__"), doc),
            (intern!("__package__"), Value::NONE),
            (intern!("__loader__"), Value::NONE),
            (intern!("__spec__"), Value::NONE),
        ] {
            drop(dict.replace_str(key, value));
        }
    }

    /// The module's attributes.
    pub fn dict(&self) -> Py<Dict> {
        match Attrs::of(self.as_value()) {
            Some(attrs) => attrs.materialize(),
            None => Dict::new_empty(),
        }
    }

    /// Sets an attribute by name.
    pub fn set(&self, name: &str, value: Value) {
        drop(self.dict().replace_str(&Str::intern(name), value));
    }
}

#[pymethods]
impl Module {
    #[slot]
    fn __new__(_vm: &Vm, cls: &Py<Type>, _args: crate::native::Args<'_>) -> Res<Value> {
        Ok(Py::with_class(cls, Module {}).into_value())
    }

    #[slot(sig = "(name, doc=None)")]
    fn __init__(_: &Vm, this: &Py<Module>, name: &Py<Str>, doc: Option<&Value>) -> Res<()> {
        this.fill(name.to_value(), doc.cloned().unwrap_or(Value::NONE));
        Ok(())
    }

    #[slot]
    fn __getattribute__(vm: &Vm, this: &Py<Module>, name: &Py<Str>) -> Res<Value> {
        if let Some(value) = generic_getattr_opt(vm, this.as_value(), name)? {
            return Ok(value);
        }
        if let Some(getattr) = this.dict().get_str(intern!("__getattr__")) {
            return vm.call(&getattr, &[name.to_value()]);
        }
        Err(crate::import::shadowing::missing_attribute(vm, this, name))
    }

    #[slot]
    fn __repr__(vm: &Vm, this: &Py<Module>) -> Res<Value> {
        let dict = this.dict();
        if let Ok(bootstrap) = vm.import_module("_frozen_importlib")
            && let Some(f) = vm.getattr_opt(&bootstrap, intern!("_module_repr"))?
        {
            return vm.call(&f, &[this.to_value()]);
        }
        let name = match dict.get_str(intern!("__name__")) {
            Some(n) => vm.repr(&n)?.to_string_lossy(),
            None => "'?'".into(),
        };
        Ok(Str::from_str(&format!("<module {name}>")).into_value())
    }

    #[getter(member)]
    fn __dict__(_: &Vm, this: &Py<Module>) -> Value {
        this.dict().into_value()
    }

    #[pymethod(sig = "($self, /)")]
    fn __dir__(vm: &Vm, this: &Py<Module>) -> Res<Value> {
        let dict = vm.getattr(this.as_value(), intern!("__dict__"))?;
        let Some(dict) = dict.downcast::<Dict>() else {
            return Err(vm.type_error("<module>.__dict__ is not a dictionary"));
        };
        if let Some(f) = dict.get_str(intern!("__dir__")) {
            return vm.call(&f, &[]);
        }
        Ok(crate::types::list::List::new(dict.snapshot_keys()).into_value())
    }

    #[getter]
    fn __annotations__(vm: &Vm, this: &Py<Module>) -> Res<Value> {
        let dict = this.dict();
        if let Some(found) = dict.get_str(intern!("__annotations__")) {
            return Ok(found);
        }
        let value = match dict.get_str(intern!("__annotate__")).filter(|f| !f.is_none()) {
            Some(f) => vm.call(&f, &[Value::int(1)])?,
            None => Dict::new_empty().into_value(),
        };
        drop(dict.replace_str(intern!("__annotations__"), value.clone()));
        Ok(value)
    }

    #[setter(name = "__annotations__")]
    fn set_annotations(vm: &Vm, this: &Py<Module>, value: Option<&Value>) -> Res<()> {
        let dict = this.dict();
        match value {
            Some(v) => drop(dict.replace_str(intern!("__annotations__"), v.clone())),
            None => {
                if dict.remove_str(intern!("__annotations__")).is_none() {
                    return Err(vm.attribute_error("__annotations__"));
                }
            }
        }
        drop(dict.remove_str(intern!("__annotate__")));
        Ok(())
    }

    #[getter]
    fn __annotate__(_: &Vm, this: &Py<Module>) -> Value {
        this.dict().get_str(intern!("__annotate__")).unwrap_or(Value::NONE)
    }

    #[setter(name = "__annotate__")]
    fn set_annotate(vm: &Vm, this: &Py<Module>, value: Option<&Value>) -> Res<()> {
        let Some(value) = value else {
            return Err(vm.type_error("cannot delete __annotate__ attribute"));
        };
        if !value.is_none() && !vm.is_callable(value) {
            return Err(vm.type_error("__annotate__ must be callable or None"));
        }
        drop(this.dict().replace_str(intern!("__annotate__"), value.clone()));
        if !value.is_none() {
            drop(this.dict().remove_str(intern!("__annotations__")));
        }
        Ok(())
    }
}
