//! `groupby` and the iterators over its groups.
//!
//! Invariant: the state is in slots that are read and replaced one at a time; a group knows its number, and yields nothing once
//! `groupby` has gone on to another.

use lisle_runtime::native::{Py, Res, Slot, Type, Value, Vm, pyclass, pymethods};
use lisle_runtime::sync::atomic::{AtomicU64, Ordering::Relaxed};
use lisle_runtime::types::tuple::Tuple;

/// Consecutive items with equal keys.
#[pyclass(
    name = "groupby",
    module = "itertools",
    basetype,
    doc = "make an iterator that returns consecutive keys and groups from the iterable\n\n  iterable\n    Elements to divide into groups according to the key function.\n  key\n    A function for computing the group category for each element.\n    If the key function is not specified or is None, the element itself\n    is used for grouping."
)]
pub struct GroupBy {
    iterator: Value,
    key: Option<Value>,
    /// The key of the group that was given out last.
    target: Slot,
    current_key: Slot,
    current_value: Slot,
    /// Number of the group that was given out last.
    group: AtomicU64,
}

impl GroupBy {
    /// Takes the next item; `false` at the end.
    fn advance(&self, vm: &Vm) -> Res<bool> {
        let Some(item) = vm.next(&self.iterator)? else {
            return Ok(false);
        };
        let key = match &self.key {
            None => item.clone(),
            Some(key) => vm.call(key, std::slice::from_ref(&item))?,
        };
        self.current_value.set(item);
        self.current_key.set(key);
        Ok(true)
    }
}

#[pymethods]
impl GroupBy {
    #[slot(sig = "(iterable, key=None)")]
    fn __new__(vm: &Vm, cls: &Py<Type>, iterable: &Value, key: Option<&Value>) -> Res<Value> {
        let groupby = GroupBy {
            iterator: vm.iter(iterable)?,
            key: key.filter(|key| !key.is_none()).cloned(),
            target: Slot::empty(),
            current_key: Slot::empty(),
            current_value: Slot::empty(),
            group: AtomicU64::new(0),
        };
        Ok(Py::with_class(cls, groupby).into_value())
    }

    #[slot]
    fn __iter__(_vm: &Vm, this: &Py<GroupBy>) -> Res<Value> {
        Ok(this.to_value())
    }

    #[slot]
    fn __next__(vm: &Vm, this: &Py<GroupBy>) -> Res<Option<Value>> {
        let group = this.group.fetch_add(1, Relaxed) + 1;
        // What is left of the last group is skipped.
        let key = loop {
            if let Some(key) = this.current_key.get() {
                match this.target.get() {
                    None => break key,
                    Some(target) if !vm.eq(&target, &key)? => break key,
                    Some(_) => {}
                }
            }
            if !this.advance(vm)? {
                return Ok(None);
            }
        };
        this.target.set(key.clone());
        let grouper = Py::new(Grouper {
            parent: this.clone(),
            key: key.clone(),
            group,
        });
        Ok(Some(Tuple::pair(key, grouper.into_value()).into_value()))
    }
}

/// The items of one group.
#[pyclass(name = "_grouper", module = "itertools", no_new)]
pub struct Grouper {
    parent: Py<GroupBy>,
    key: Value,
    group: u64,
}

#[pymethods]
impl Grouper {
    #[slot]
    fn __iter__(_vm: &Vm, this: &Py<Grouper>) -> Res<Value> {
        Ok(this.to_value())
    }

    #[slot]
    fn __next__(vm: &Vm, this: &Py<Grouper>) -> Res<Option<Value>> {
        let parent = &this.parent;
        if parent.group.load(Relaxed) != this.group {
            return Ok(None);
        }
        if parent.current_value.is_empty() && !parent.advance(vm)? {
            return Ok(None);
        }
        let Some(key) = parent.current_key.get() else {
            return Ok(None);
        };
        if !vm.eq(&this.key, &key)? {
            return Ok(None);
        }
        let item = parent.current_value.take();
        drop(parent.current_key.take());
        Ok(item)
    }
}
