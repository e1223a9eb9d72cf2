//! `mappingproxy`: a read-only view of a mapping.
//!
//! Invariant: the mapping never changes identity; everything is passed on to it.

use super::common::{class_getitem, full_name};
use super::dict::Dict;
use super::list::List;
use super::tuple::Tuple;
use crate::memory::header::FLAG_OF_CLASS;
use crate::native::{CmpOp, pyclass, pymethods};
use crate::object::{Py, Type, Value};
use crate::text::StrBuilder;
use crate::vm::{Res, Vm};
use lisle_bytecode::opcode::BinOp;

/// A read-only proxy of a mapping.
#[pyclass(name = "mappingproxy", late_end, mapping, doc = "Read-only proxy of a mapping.")]
pub struct MappingProxy {
    mapping: Value,
}

impl MappingProxy {
    pub fn new_value(mapping: Value) -> Value {
        Py::new(MappingProxy { mapping }).into_value()
    }

    pub fn mapping(&self) -> &Value {
        &self.mapping
    }

    /// What a program may see of a value that was found by looking through memory: of the dict of a class, a proxy.
    pub fn shown(value: Value) -> Value {
        if is_of_class(&value) {
            return MappingProxy::new_value(value);
        }
        value
    }
}

/// Whether the value is the dict of a class.
pub fn is_of_class(value: &Value) -> bool {
    value.header().is_some_and(|header| header.flag(FLAG_OF_CLASS)) && value.downcast_exact::<Dict>().is_some()
}

/// What an operation with another value gets of a mapping: a copy of the dict of a class, unless nothing but dicts see it.
fn lent(vm: &Vm, mapping: &Value, other: &Value) -> Res<Value> {
    match mapping.downcast_exact::<Dict>() {
        Some(dict) if is_of_class(mapping) && other.downcast_exact::<Dict>().is_none() => {
            Ok(dict.copy(vm)?.into_value())
        }
        _ => Ok(mapping.clone()),
    }
}

/// What is behind a proxy, or the value itself.
fn behind(value: &Value) -> &Value {
    value.downcast::<MappingProxy>().map_or(value, |proxy| &proxy.mapping)
}

#[pymethods]
impl MappingProxy {
    #[slot(sig = "(mapping)")]
    fn __new__(vm: &Vm, cls: &Py<Type>, mapping: &Value) -> Res<Value> {
        let sequence = mapping.downcast::<List>().is_some() || mapping.downcast::<Tuple>().is_some();
        if sequence || mapping.ty().slots().getitem.is_none() {
            let message = format!(
                "mappingproxy() argument must be a mapping, not {}",
                full_name(mapping.ty())
            );
            return Err(vm.type_error(message));
        }
        Ok(Py::with_class(
            cls,
            MappingProxy {
                mapping: mapping.clone(),
            },
        )
        .into_value())
    }

    #[slot]
    fn __repr__(vm: &Vm, this: &Py<MappingProxy>) -> Res<Value> {
        let mut text = StrBuilder::new();
        text.push_str("mappingproxy(");
        text.push_view(vm.repr(&this.mapping)?.view());
        text.push_str(")");
        super::common::finish_text(vm, text)
    }

    #[slot]
    fn __str__(vm: &Vm, this: &Py<MappingProxy>) -> Res<Value> {
        Ok(vm.str(&this.mapping)?.into_value())
    }

    #[slot]
    fn __hash__(vm: &Vm, this: &Py<MappingProxy>) -> Res<i64> {
        vm.hash(&this.mapping)
    }

    #[slot]
    fn __len__(vm: &Vm, this: &Py<MappingProxy>) -> Res<usize> {
        vm.len(&this.mapping)
    }

    #[slot]
    fn __iter__(vm: &Vm, this: &Py<MappingProxy>) -> Res<Value> {
        vm.iter(&this.mapping)
    }

    #[slot]
    fn __contains__(vm: &Vm, this: &Py<MappingProxy>, item: &Value) -> Res<bool> {
        match this.mapping.downcast_exact::<Dict>() {
            Some(dict) => dict.contains(vm, item),
            None => vm.contains(&this.mapping, item),
        }
    }

    #[slot]
    fn __getitem__(vm: &Vm, this: &Py<MappingProxy>, key: &Value) -> Res<Value> {
        vm.getitem(&this.mapping, key)
    }

    #[slot]
    fn __richcompare__(vm: &Vm, this: &Py<MappingProxy>, other: &Value, op: CmpOp) -> Res<Value> {
        vm.rich_compare(&lent(vm, &this.mapping, behind(other))?, other, op)
    }

    #[slot]
    fn __or__(vm: &Vm, a: &Value, b: &Value) -> Res<Value> {
        let (a, b) = (behind(a), behind(b));
        vm.binary(BinOp::Or, &lent(vm, a, b)?, &lent(vm, b, a)?)
    }

    #[slot]
    fn __ior__(vm: &Vm, this: &Py<MappingProxy>, _other: &Value) -> Res<Value> {
        let name = this.class().name();
        Err(vm.type_error(format!("'|=' is not supported by {name}; use '|' instead")))
    }

    /// Return the value for key if key is in the mapping, else default.
    #[pymethod(sig = "($self, key, default=None, /)")]
    fn get(vm: &Vm, this: &Py<MappingProxy>, key: &Value, default: &Value) -> Res<Value> {
        vm.call_method(&this.mapping, crate::intern!("get"), &[key.clone(), default.clone()])
    }

    /// D.keys() -> a set-like object providing a view on D's keys
    #[pymethod(sig = "($self, /)")]
    fn keys(vm: &Vm, this: &Py<MappingProxy>) -> Res<Value> {
        vm.call_method(&this.mapping, crate::intern!("keys"), &[])
    }

    /// D.values() -> an object providing a view on D's values
    #[pymethod(sig = "($self, /)")]
    fn values(vm: &Vm, this: &Py<MappingProxy>) -> Res<Value> {
        vm.call_method(&this.mapping, crate::intern!("values"), &[])
    }

    /// D.items() -> a set-like object providing a view on D's items
    #[pymethod(sig = "($self, /)")]
    fn items(vm: &Vm, this: &Py<MappingProxy>) -> Res<Value> {
        vm.call_method(&this.mapping, crate::intern!("items"), &[])
    }

    /// D.copy() -> a shallow copy of D
    #[pymethod(sig = "($self, /)")]
    fn copy(vm: &Vm, this: &Py<MappingProxy>) -> Res<Value> {
        vm.call_method(&this.mapping, crate::intern!("copy"), &[])
    }

    /// D.__reversed__() -> reverse iterator
    #[pymethod(sig = "($self, /)")]
    fn __reversed__(vm: &Vm, this: &Py<MappingProxy>) -> Res<Value> {
        vm.call_method(&this.mapping, crate::intern!("__reversed__"), &[])
    }

    /// See PEP 585
    #[classmethod(sig = "($type, object, /)")]
    fn __class_getitem__(vm: &Vm, cls: &Py<Type>, object: &Value) -> Res<Value> {
        class_getitem(vm, cls, object)
    }
}
