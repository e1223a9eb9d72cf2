//! `type X = ...`: `typing.TypeAliasType`.

use super::{Lazy, unpacked};
use crate::intern;
use crate::native::{pyclass, pymethods};
use crate::object::{Py, PySlot, Slot, Type, Value};
use crate::types::generic_alias::GenericAlias;
use crate::types::str::Str;
use crate::types::tuple::Tuple;
use crate::types::type_params::{ParamSpec, TypeVar, TypeVarTuple};
use crate::vm::{Res, Vm};

/// A type alias.
#[pyclass(
    name = "TypeAliasType",
    module = "typing",
    weakref,
    doc = "Type alias.\n\nType aliases are created through the type statement::\n\n    type Alias = int\n\nIn this example, Alias and int will be treated equivalently by static\ntype checkers."
)]
pub struct TypeAliasType {
    name: Py<Str>,
    /// `None` for an alias without a parameter list.
    params: PySlot<Tuple>,
    value: Lazy,
    module: Slot,
}

impl TypeAliasType {
    pub(super) fn lazy(name: &Value, params: Option<Py<Tuple>>, evaluate: &Value, module: Option<Value>) -> Value {
        Py::new(TypeAliasType {
            name: name.downcast::<Str>().cloned().unwrap_or_else(Str::empty),
            params: params.map_or_else(PySlot::empty, PySlot::new),
            value: Lazy::later(Some(evaluate)),
            module: Slot::from_option(module),
        })
        .into_value()
    }

    fn params(&self) -> Py<Tuple> {
        self.params.get().unwrap_or_else(Tuple::empty)
    }
}

/// Parameters without a default may not follow those with one.
fn check_params(vm: &Vm, params: &Py<Tuple>) -> Res<()> {
    let mut defaults = false;
    for param in params.as_slice() {
        let has_default = if let Some(param) = param.downcast_exact::<TypeVar>() {
            param.default.is_set()
        } else if let Some(param) = param.downcast_exact::<ParamSpec>() {
            param.default.is_set()
        } else if let Some(param) = param.downcast_exact::<TypeVarTuple>() {
            param.default.is_set()
        } else {
            match vm.getattr_opt(param, intern!("__default__"))? {
                Some(default) => !default.is(&super::NoDefaultType::value()),
                None => false,
            }
        };
        if defaults && !has_default {
            let shown = vm.repr(param)?.to_string_lossy();
            return Err(vm.type_error(format!(
                "non-default type parameter '{shown}' follows default type parameter"
            )));
        }
        defaults |= has_default;
    }
    Ok(())
}

#[pymethods]
impl TypeAliasType {
    #[slot(sig = "(name, value, *, type_params=<unrepresentable>)")]
    fn __new__(vm: &Vm, _cls: &Py<Type>, name: &Py<Str>, value: &Value, type_params: Option<&Value>) -> Res<Value> {
        let params = match type_params {
            None => None,
            Some(params) => match params.downcast::<Tuple>() {
                Some(params) => Some(params.clone()),
                None => return Err(vm.type_error("type_params must be a tuple")),
            },
        };
        let params = params.filter(|params| !params.is_empty());
        if let Some(params) = &params {
            check_params(vm, params)?;
        }
        let module = super::calling_module(vm);
        Ok(Py::new(TypeAliasType {
            name: name.clone(),
            params: params.map_or_else(PySlot::empty, PySlot::new),
            value: Lazy::known(Some(value.clone())),
            module: Slot::from_option(module),
        })
        .into_value())
    }

    #[slot]
    fn __repr__(_: &Vm, this: &Py<TypeAliasType>) -> Py<Str> {
        this.name.clone()
    }

    #[slot]
    fn __getitem__(vm: &Vm, this: &Py<TypeAliasType>, item: &Value) -> Res<Value> {
        if this.params.is_empty() {
            return Err(vm.type_error("Only generic type aliases are subscriptable"));
        }
        let args = match item.downcast::<Tuple>() {
            Some(args) => unpacked(vm, args)?.into_value(),
            None => unpacked(vm, &Tuple::new(vec![item.clone()]))?.into_value(),
        };
        Ok(GenericAlias::new_value(vm, this.as_value(), &args))
    }

    #[slot]
    fn __or__(vm: &Vm, a: &Value, b: &Value) -> Res<Value> {
        crate::types::union_type::union_of(vm, a, b)
    }

    #[slot]
    fn __iter__(vm: &Vm, this: &Py<TypeAliasType>) -> Res<Value> {
        let unpacked = super::unpack(vm, this.as_value())?;
        vm.iter(Tuple::new(vec![unpacked]).as_value())
    }

    #[slot]
    fn __getattribute__(vm: &Vm, this: &Py<TypeAliasType>, name: &Py<Str>) -> Res<Value> {
        // The class's own `__module__` must not hide that of the alias.
        if name.is_text("__module__") {
            return Ok(this.module.get().unwrap_or(Value::NONE));
        }
        crate::vm::attributes::generic_getattr(vm, this.as_value(), name)
    }

    #[pymethod(sig = "($self, /)")]
    fn __reduce__(_: &Vm, this: &Py<TypeAliasType>) -> Py<Str> {
        this.name.clone()
    }

    #[pymethod(sig = "($self, object, /)")]
    fn __mro_entries__(vm: &Vm, _this: &Py<TypeAliasType>, _object: &Value) -> Res<Value> {
        Err(vm.type_error("Cannot subclass an instance of TypeAliasType"))
    }

    #[getter]
    fn __name__(_: &Vm, this: &Py<TypeAliasType>) -> Py<Str> {
        this.name.clone()
    }

    #[getter]
    fn __value__(vm: &Vm, this: &Py<TypeAliasType>) -> Res<Option<Value>> {
        this.value.get(vm)
    }

    #[getter]
    fn evaluate_value(_: &Vm, this: &Py<TypeAliasType>) -> Option<Value> {
        this.value.evaluator()
    }

    #[getter]
    fn __type_params__(_: &Vm, this: &Py<TypeAliasType>) -> Py<Tuple> {
        this.params()
    }

    #[getter]
    fn __parameters__(vm: &Vm, this: &Py<TypeAliasType>) -> Res<Py<Tuple>> {
        unpacked(vm, &this.params())
    }
}
