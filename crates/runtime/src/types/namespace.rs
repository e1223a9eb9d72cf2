//! `types.SimpleNamespace`.
//!
//! Invariant: all it holds is its attributes.

use lisle_bytecode::opcode::CmpOp;

use crate::native::{Args, KwArgs, pyclass, pymethods};
use crate::object::{Native, Py, Type, Value};
use crate::types::dict::Dict;
use crate::types::exceptions::text;
use crate::types::str::Str;
use crate::types::tuple::Tuple;
use crate::vm::attributes::instance_dict;
use crate::vm::{Res, Vm};

/// Attributes and nothing else.
#[pyclass(
    name = "SimpleNamespace",
    late_end,
    module = "types",
    basetype,
    dict,
    unhashable,
    doc = "A simple attribute-based namespace."
)]
pub struct Namespace {}

impl Namespace {
    /// A namespace with these attributes.
    pub fn new_value(vm: &Vm, attrs: &[(&Py<Str>, Value)]) -> Res<Value> {
        let this = Py::new(Namespace {}).into_value();
        for (name, value) in attrs {
            vm.setattr(&this, name, value)?;
        }
        Ok(this)
    }

    fn dict(this: &Value) -> Py<Dict> {
        instance_dict(this).unwrap_or_else(Dict::new_empty)
    }

    fn set_all<'a>(this: &Value, attrs: impl Iterator<Item = (&'a Py<Str>, &'a Value)>) {
        let dict = Namespace::dict(this);
        for (name, value) in attrs {
            drop(dict.replace_str(name, value.clone()));
        }
    }
}

#[pymethods]
impl Namespace {
    #[slot]
    fn __new__(_: &Vm, cls: &Py<Type>, _args: Args<'_>) -> Res<Value> {
        Ok(Py::with_class(cls, Namespace {}).into_value())
    }

    #[slot(text = "(mapping_or_iterable=(), /, **kwargs)")]
    fn __init__(vm: &Vm, this: &Py<Namespace>, args: Args<'_>) -> Res<()> {
        let values = args.check_positional(vm, "SimpleNamespace", 0, 1)?;
        if let Some(given) = values.first() {
            let pairs = match given.downcast_exact::<Dict>() {
                Some(dict) => dict.clone(),
                None => {
                    let dict = vm.call(Dict::ty().as_value(), std::slice::from_ref(given))?;
                    dict.try_into_py::<Dict>()
                        .map_err(|_| vm.type_error("dict() did not return a dict"))?
                }
            };
            let pairs = pairs.snapshot();
            let mut attrs = Vec::with_capacity(pairs.len());
            for (key, value) in &pairs {
                match key.downcast::<Str>() {
                    Some(name) => attrs.push((name, value)),
                    None => return Err(vm.type_error("keywords must be strings")),
                }
            }
            Namespace::set_all(this.as_value(), attrs.into_iter());
        }
        if args.has_keywords() {
            Namespace::set_all(this.as_value(), args.keywords());
        }
        Ok(())
    }

    #[slot]
    fn __repr__(vm: &Vm, this: &Py<Namespace>) -> Res<Value> {
        let class = this.class();
        let name = if class.is(Namespace::ty()) {
            "namespace".to_owned()
        } else {
            class.name()
        };
        let Some(_guard) = vm.repr_enter(this.as_value()) else {
            return Ok(text::joined(&[&name, &"(...)"]));
        };
        let mut out = text::join(&[&name, &"("]);
        let mut separator = "";
        for (key, value) in Namespace::dict(this.as_value()).snapshot() {
            if let Some(key) = key.downcast::<Str>().filter(|key| !key.is_empty()) {
                out = text::join(&[&out, &separator, key, &"=", &vm.repr(&value)?]);
                separator = ", ";
            }
        }
        Ok(text::joined(&[&out, &")"]))
    }

    #[slot]
    fn __richcompare__(vm: &Vm, this: &Py<Namespace>, other: &Value, op: CmpOp) -> Res<Value> {
        if other.downcast::<Namespace>().is_none() {
            return Ok(Value::NOT_IMPLEMENTED);
        }
        let (a, b) = (Namespace::dict(this.as_value()), Namespace::dict(other));
        vm.rich_compare(a.as_value(), b.as_value(), op)
    }

    #[getter]
    fn __dict__(_: &Vm, this: &Py<Namespace>) -> Value {
        Namespace::dict(this.as_value()).into_value()
    }
    #[setter(name = "__dict__")]
    fn set_dict(vm: &Vm, _this: &Py<Namespace>, _value: Option<&Value>) -> Res<()> {
        Err(vm.attribute_error("readonly attribute"))
    }

    /// Return state information for pickling
    #[pymethod(sig = "($self, /)")]
    fn __reduce__(_: &Vm, this: &Py<Namespace>) -> Value {
        let dict = Namespace::dict(this.as_value()).into_value();
        Tuple::new(vec![this.class().to_value(), Tuple::empty().into_value(), dict]).into_value()
    }

    /// Return a copy of the namespace object with new values for the specified attributes.
    #[pymethod(sig = "($self, /, **changes)")]
    fn __replace__(vm: &Vm, this: &Py<Namespace>, changes: KwArgs<'_>) -> Res<Value> {
        let copy = vm.call(this.class().as_value(), &[])?;
        let target = Namespace::dict(&copy);
        target.update_dict(vm, &Namespace::dict(this.as_value()))?;
        for (name, value) in changes.iter() {
            drop(target.replace_str(name, value.clone()));
        }
        Ok(copy)
    }
}
