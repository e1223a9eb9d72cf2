//! `_collections`: `deque`, `defaultdict`, `OrderedDict` and what `namedtuple` and `Counter` need.
//!
//! Invariant: each method of a container is one step for other threads, as far as it runs no Python code.

mod default_dict;
pub mod deque;
mod deque_iter;
mod ordered_dict;
mod ordered_dict_views;

use lisle_bytecode::opcode::BinOp;
use lisle_runtime::intern;
use lisle_runtime::native::{Py, Res, Slot, Type, Value, Vm, pyclass, pymethods, pymodule};
use lisle_runtime::object::Native;
use lisle_runtime::types::dict::Dict;
use lisle_runtime::types::tuple::Tuple;

use default_dict::DefaultDict;
use deque::Deque;
use deque_iter::{DequeIter, DequeReverseIter};
use ordered_dict::OrderedDict;

/// A field of a named tuple.
#[pyclass(name = "_tuplegetter", module = "collections")]
pub struct TupleGetter {
    index: usize,
    doc: Slot,
}

#[pymethods]
impl TupleGetter {
    #[slot(sig = "(index, doc, /)")]
    fn __new__(vm: &Vm, cls: &Py<Type>, index: isize, doc: &Value) -> Res<Value> {
        let Ok(index) = usize::try_from(index) else {
            return Err(vm.value_error("index must not be negative"));
        };
        let doc = Slot::new(doc.clone());
        Ok(Py::with_class(cls, TupleGetter { index, doc }).into_value())
    }

    #[slot]
    fn __get__(vm: &Vm, this: &Py<TupleGetter>, obj: Option<&Value>, _owner: Option<&Value>) -> Res<Value> {
        let Some(obj) = obj.filter(|obj| !obj.is_none()) else {
            return Ok(this.to_value());
        };
        let Some(tuple) = obj.downcast::<Tuple>() else {
            return Err(vm.type_error(format!(
                "descriptor for index '{}' for tuple subclasses doesn't apply to '{}' object",
                this.index,
                obj.ty().name()
            )));
        };
        match tuple.get(this.index) {
            Some(item) => Ok(item.clone()),
            None => Err(vm.index_error("tuple index out of range")),
        }
    }

    #[slot]
    fn __set__(vm: &Vm, _this: &Py<TupleGetter>, _obj: &Value, value: Option<&Value>) -> Res<()> {
        Err(vm.attribute_error(match value {
            Some(_) => "can't set attribute",
            None => "can't delete attribute",
        }))
    }

    #[getter]
    fn __doc__(_vm: &Vm, this: &Py<TupleGetter>) -> Value {
        this.doc.get().unwrap_or(Value::NONE)
    }

    #[setter(name = "__doc__")]
    fn set_doc(_vm: &Vm, this: &Py<TupleGetter>, value: Option<&Value>) -> Res<()> {
        this.doc.set(value.cloned().unwrap_or(Value::NONE));
        Ok(())
    }

    #[pymethod(sig = "($self, /)")]
    fn __reduce__(_vm: &Vm, this: &Py<TupleGetter>) -> Res<Value> {
        let doc = this.doc.get().unwrap_or(Value::NONE);
        let args = Tuple::pair(Value::usize(this.index), doc);
        Ok(Tuple::pair(this.class().to_value(), args.into_value()).into_value())
    }

    #[slot]
    fn __repr__(vm: &Vm, this: &Py<TupleGetter>) -> Res<String> {
        let doc = vm.repr(&this.doc.get().unwrap_or(Value::NONE))?;
        Ok(format!(
            "{}({}, {})",
            this.class().short_name(),
            this.index,
            doc.to_string_lossy()
        ))
    }
}

/// Whether `mapping` is a dict whose `get` and `__setitem__` are those of `dict`.
fn counts_as_dict<'a>(vm: &Vm, mapping: &'a Value) -> Option<&'a Py<Dict>> {
    let dict = mapping.downcast::<Dict>()?;
    if dict.is_exact() {
        return Some(dict);
    }
    let plain = [intern!("get"), intern!("__setitem__")].into_iter().all(|name| {
        let (theirs, ours) = (mapping.ty().lookup(vm, name), Dict::ty().lookup(vm, name));
        theirs.zip(ours).is_some_and(|(theirs, ours)| theirs.is(&ours))
    });
    plain.then_some(dict)
}

#[pymodule(
    name = "_collections",
    doc = "High performance data structures.\n- deque:        ordered collection accessible from endpoints only\n- defaultdict:  dict subclass with a default value factory",
    types(Deque, DequeIter, DequeReverseIter, DefaultDict, OrderedDict, TupleGetter)
)]
pub mod module {
    use super::*;

    /// Count elements in the iterable, updating the mapping
    #[pyfunction(sig = "(mapping, iterable, /)")]
    fn _count_elements(vm: &Vm, mapping: &Value, iterable: &Value) -> Res<()> {
        if let Some(dict) = counts_as_dict(vm, mapping) {
            return vm.for_each(iterable, |key| {
                let hash = vm.hash(&key)?;
                let count = match dict.get_hashed(vm, &key, hash)? {
                    None => Value::int(1),
                    Some(count) => match count.as_small_int() {
                        Some(count) => Value::int(count + 1),
                        None => vm.binary(BinOp::Add, &count, &Value::int(1))?,
                    },
                };
                dict.set_hashed(vm, &key, hash, count)
            });
        }
        let get = vm.getattr(mapping, intern!("get"))?;
        vm.for_each(iterable, |key| {
            let count = vm.call(&get, &[key.clone(), Value::int(0)])?;
            let count = vm.binary(BinOp::Add, &count, &Value::int(1))?;
            vm.setitem(mapping, &key, &count)
        })
    }
}
