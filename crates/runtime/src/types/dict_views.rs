//! The views of a dict (keys, values, items) and its iterators.
//!
//! Invariant: an iterator compares the dict's size with that at its start before each step; its dict is in a slot that is emptied once,
//! at the end. Views hold their dict for ever and have no state.

use super::common::{builtin, repr_items, with_held};
use super::dict::Dict;
use super::dict_table::Table;
use super::list::List;
use super::mappingproxy::MappingProxy;
use super::set::{FrozenSet, Set};
use super::tuple::Tuple;
use crate::native::{CmpOp, Trace, pyclass, pymethods};
use crate::object::{Py, PySlot, Value};
use crate::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use crate::vm::{Res, Vm};

/// `used` of a cursor whose dict has changed its size: every further step fails.
const BROKEN: usize = usize::MAX;

/// Where an iterator stands.
#[derive(Trace)]
struct Cursor {
    dict: PySlot<Dict>,
    /// Number of the next entry (the one before it when going backwards).
    at: AtomicUsize,
    /// The dict's size at the start, or [`BROKEN`].
    used: AtomicUsize,
    /// How many keys are still to come.
    left: AtomicUsize,
}

enum Step<T> {
    Item(usize, T),
    End,
    SizeChanged,
    KeysChanged,
}

impl Cursor {
    fn new(dict: &Py<Dict>, backwards: bool) -> Cursor {
        let (at, len) = dict.with_table(|table, len| (if backwards { table.used() } else { 0 }, len));
        Cursor {
            dict: PySlot::new(dict.clone()),
            at: AtomicUsize::new(at),
            used: AtomicUsize::new(len),
            left: AtomicUsize::new(len),
        }
    }

    /// Makes a value of the next entry. `make` runs no Python code.
    #[inline(always)]
    fn next<T>(&self, vm: &Vm, backwards: bool, make: impl Fn(&Table, usize) -> Option<T>) -> Res<Option<T>> {
        let step = with_held(&self.dict, |dict| {
            dict.with_table(|table, len| {
                if len != self.used.load(Relaxed) {
                    return Step::SizeChanged;
                }
                let at = self.at.load(Relaxed);
                let live = if backwards {
                    table.live_before(at)
                } else {
                    table.live_from(at)
                };
                match live.and_then(|n| Some((n, make(table, n)?))) {
                    None => Step::End,
                    Some(_) if self.left.load(Relaxed) == 0 => Step::KeysChanged,
                    Some((n, value)) => Step::Item(if backwards { n } else { n + 1 }, value),
                }
            })
        });
        match step {
            Some(Step::Item(at, value)) => {
                self.at.store(at, Relaxed);
                self.left.store(self.left.load(Relaxed).saturating_sub(1), Relaxed);
                Ok(Some(value))
            }
            None => Ok(None),
            Some(other) => self.stop(vm, other),
        }
    }

    #[cold]
    fn stop<T>(&self, vm: &Vm, step: Step<T>) -> Res<Option<T>> {
        match step {
            Step::SizeChanged => {
                self.used.store(BROKEN, Relaxed);
                Err(vm.runtime_error("dictionary changed size during iteration"))
            }
            Step::KeysChanged => {
                drop(self.dict.swap(None));
                Err(vm.runtime_error("dictionary keys changed during iteration"))
            }
            _ => {
                drop(self.dict.swap(None));
                Ok(None)
            }
        }
    }

    fn hint(&self) -> usize {
        match self.dict.get() {
            Some(dict) if dict.len() == self.used.load(Relaxed) => self.left.load(Relaxed),
            _ => 0,
        }
    }

    /// A cursor that stands at the same place.
    fn fork(&self) -> Cursor {
        let dict = self.dict.get().map_or_else(PySlot::empty, PySlot::new);
        let copy = |word: &AtomicUsize| AtomicUsize::new(word.load(Relaxed));
        Cursor {
            dict,
            at: copy(&self.at),
            used: copy(&self.used),
            left: copy(&self.left),
        }
    }
}

fn key_of(table: &Table, n: usize) -> Option<Value> {
    table.key_at(n)
}

fn value_of(table: &Table, n: usize) -> Option<Value> {
    table.value_at(n)
}

fn item_of(table: &Table, n: usize) -> Option<Value> {
    Some(Tuple::pair(table.key_at(n)?, table.value_at(n)?).into_value())
}

macro_rules! iterators {
    ($( $(#[$doc:meta])* $name:ident $python:literal $backwards:literal $make:ident; )+) => { $(
        $(#[$doc])*
        #[pyclass(name = $python, no_new)]
        pub struct $name {
            cursor: Cursor,
        }

        impl $name {
            #[inline]
            pub fn over(dict: &Py<Dict>) -> Py<$name> {
                Py::new($name { cursor: Cursor::new(dict, $backwards) })
            }

            /// The next element.
            #[inline(always)]
            pub fn next_item(&self, vm: &Vm) -> Res<Option<Value>> {
                self.cursor.next(vm, $backwards, $make)
            }
        }

        #[pymethods]
        impl $name {
            #[slot]
            fn __iter__(_vm: &Vm, this: &Py<$name>) -> Res<Value> {
                Ok(this.to_value())
            }

            #[slot]
            fn __next__(vm: &Vm, this: &Py<$name>) -> Res<Option<Value>> {
                this.next_item(vm)
            }

            /// Private method returning an estimate of len(list(it)).
            #[pymethod(sig = "($self, /)")]
            fn __length_hint__(_vm: &Vm, this: &Py<$name>) -> Res<usize> {
                Ok(this.cursor.hint())
            }

            /// Return state information for pickling.
            #[pymethod(sig = "($self, /)")]
            fn __reduce__(vm: &Vm, this: &Py<$name>) -> Res<Value> {
                let rest = this.cursor.fork();
                let mut items = Vec::new();
                while let Some(item) = rest.next(vm, $backwards, $make)? {
                    items.push(item);
                }
                let args = Tuple::from_array([List::new(items).into_value()]);
                Ok(Tuple::pair(builtin(vm, crate::intern!("iter"))?, args.into_value()).into_value())
            }
        }
    )+ };
}

iterators! {
    /// `iter(d)`
    DictKeyIter "dict_keyiterator" false key_of;
    /// `iter(d.values())`
    DictValueIter "dict_valueiterator" false value_of;
    /// `iter(d.items())`
    DictItemIter "dict_itemiterator" false item_of;
    /// `reversed(d)`
    DictReverseKeyIter "dict_reversekeyiterator" true key_of;
    /// `reversed(d.values())`
    DictReverseValueIter "dict_reversevalueiterator" true value_of;
    /// `reversed(d.items())`
    DictReverseItemIter "dict_reverseitemiterator" true item_of;
}

impl DictItemIter {
    /// As `next_item`, not made a tuple.
    #[inline]
    pub(crate) fn next_pair(&self, vm: &Vm) -> Res<Option<(Value, Value)>> {
        self.cursor
            .next(vm, false, |table, n| Some((table.key_at(n)?, table.value_at(n)?)))
    }
}

/// `d.keys()`
#[pyclass(name = "dict_keys", no_new, unhashable)]
pub struct DictKeys {
    dict: Py<Dict>,
}

/// `d.values()`
#[pyclass(name = "dict_values", no_new)]
pub struct DictValues {
    dict: Py<Dict>,
}

/// `d.items()`
#[pyclass(name = "dict_items", no_new, unhashable)]
pub struct DictItems {
    dict: Py<Dict>,
}

macro_rules! of_dict {
    ($($name:ident)+) => { $(
        impl $name {
            #[inline]
            pub fn of(dict: &Py<Dict>) -> Py<$name> {
                Py::new($name { dict: dict.clone() })
            }

            /// The payload, for views of subclasses of dict.
            pub fn payload(dict: &Py<Dict>) -> $name {
                $name { dict: dict.clone() }
            }

            /// The dict that is viewed.
            pub fn dict(&self) -> &Py<Dict> {
                &self.dict
            }
        }
    )+ };
}
of_dict!(DictKeys DictValues DictItems);

/// The elements of a view, taken in one step.
pub(super) fn view_items(vm: &Vm, view: &Value) -> Res<Option<Vec<Value>>> {
    if let Some(keys) = view.downcast_exact::<DictKeys>() {
        return keys.dict.try_keys(vm).map(Some);
    }
    if let Some(values) = view.downcast_exact::<DictValues>() {
        return values.dict.try_values(vm).map(Some);
    }
    view.downcast_exact::<DictItems>()
        .map(|items| pairs_of(vm, &items.dict))
        .transpose()
}

/// `dict_keys([...])` and so on.
fn repr_view(vm: &Vm, view: &Value, name: &str, items: impl FnOnce() -> Res<Vec<Value>>) -> Res<Value> {
    match vm.repr_enter(view) {
        Some(_guard) => repr_items(vm, &format!("{name}(["), &items()?, "])"),
        None => Ok(Value::from("...")),
    }
}

fn pairs_of(vm: &Vm, dict: &Py<Dict>) -> Res<Vec<Value>> {
    let pairs = dict.try_hashed(vm)?;
    let mut items = Vec::new();
    items.try_reserve_exact(pairs.len()).map_err(|_| vm.memory_error())?;
    items.extend(
        pairs
            .into_iter()
            .map(|(_, key, value)| Tuple::pair(key, value).into_value()),
    );
    Ok(items)
}

#[pymethods]
impl DictValues {
    #[slot]
    fn __repr__(vm: &Vm, this: &Py<DictValues>) -> Res<Value> {
        repr_view(vm, this.as_value(), "dict_values", || this.dict.try_values(vm))
    }

    #[slot]
    fn __len__(_vm: &Vm, this: &Py<DictValues>) -> Res<usize> {
        Ok(this.dict.len())
    }

    #[slot]
    fn __iter__(_vm: &Vm, this: &Py<DictValues>) -> Res<Value> {
        Ok(DictValueIter::over(&this.dict).into_value())
    }

    /// Return a reverse iterator over the dict values.
    #[pymethod(sig = "($self, /)")]
    fn __reversed__(_vm: &Vm, this: &Py<DictValues>) -> Res<Value> {
        Ok(DictReverseValueIter::over(&this.dict).into_value())
    }

    /// dictionary that this view refers to
    #[getter]
    fn mapping(_vm: &Vm, this: &Py<DictValues>) -> Value {
        MappingProxy::new_value(this.dict.to_value())
    }
}

#[pymethods]
impl DictKeys {
    #[slot]
    fn __repr__(vm: &Vm, this: &Py<DictKeys>) -> Res<Value> {
        repr_view(vm, this.as_value(), "dict_keys", || this.dict.try_keys(vm))
    }

    #[slot]
    fn __len__(_vm: &Vm, this: &Py<DictKeys>) -> Res<usize> {
        Ok(this.dict.len())
    }

    #[slot]
    fn __iter__(_vm: &Vm, this: &Py<DictKeys>) -> Res<Value> {
        Ok(DictKeyIter::over(&this.dict).into_value())
    }

    #[slot]
    fn __contains__(vm: &Vm, this: &Py<DictKeys>, item: &Value) -> Res<bool> {
        this.dict.contains(vm, item)
    }

    #[slot]
    fn __richcompare__(vm: &Vm, this: &Py<DictKeys>, other: &Value, op: CmpOp) -> Res<Value> {
        compare(vm, this.as_value(), other, op)
    }

    #[slot]
    fn __and__(vm: &Vm, a: &Value, b: &Value) -> Res<Value> {
        intersection(vm, a, b)
    }

    #[slot]
    fn __or__(vm: &Vm, a: &Value, b: &Value) -> Res<Value> {
        union(vm, a, b)
    }

    #[slot]
    fn __sub__(vm: &Vm, a: &Value, b: &Value) -> Res<Value> {
        difference(vm, a, b)
    }

    #[slot]
    fn __xor__(vm: &Vm, a: &Value, b: &Value) -> Res<Value> {
        symmetric_difference(vm, a, b)
    }

    /// Return True if the view and the given iterable have a null intersection.
    #[pymethod(sig = "($self, object, /)")]
    fn isdisjoint(vm: &Vm, this: &Py<DictKeys>, object: &Value) -> Res<bool> {
        disjoint(vm, this.as_value(), object)
    }

    /// Return a reverse iterator over the dict keys.
    #[pymethod(sig = "($self, /)")]
    fn __reversed__(_vm: &Vm, this: &Py<DictKeys>) -> Res<Value> {
        Ok(DictReverseKeyIter::over(&this.dict).into_value())
    }

    /// dictionary that this view refers to
    #[getter]
    fn mapping(_vm: &Vm, this: &Py<DictKeys>) -> Value {
        MappingProxy::new_value(this.dict.to_value())
    }
}

#[pymethods]
impl DictItems {
    #[slot]
    fn __repr__(vm: &Vm, this: &Py<DictItems>) -> Res<Value> {
        repr_view(vm, this.as_value(), "dict_items", || pairs_of(vm, &this.dict))
    }

    #[slot]
    fn __len__(_vm: &Vm, this: &Py<DictItems>) -> Res<usize> {
        Ok(this.dict.len())
    }

    #[slot]
    fn __iter__(_vm: &Vm, this: &Py<DictItems>) -> Res<Value> {
        Ok(DictItemIter::over(&this.dict).into_value())
    }

    #[slot]
    fn __contains__(vm: &Vm, this: &Py<DictItems>, item: &Value) -> Res<bool> {
        let Some(pair) = item.downcast::<Tuple>() else {
            return Ok(false);
        };
        let [key, value] = pair.as_slice() else {
            return Ok(false);
        };
        match Py::<Dict>::get(&this.dict, vm, key)? {
            Some(found) => vm.eq(&found, value),
            None => Ok(false),
        }
    }

    #[slot]
    fn __richcompare__(vm: &Vm, this: &Py<DictItems>, other: &Value, op: CmpOp) -> Res<Value> {
        compare(vm, this.as_value(), other, op)
    }

    #[slot]
    fn __and__(vm: &Vm, a: &Value, b: &Value) -> Res<Value> {
        intersection(vm, a, b)
    }

    #[slot]
    fn __or__(vm: &Vm, a: &Value, b: &Value) -> Res<Value> {
        union(vm, a, b)
    }

    #[slot]
    fn __sub__(vm: &Vm, a: &Value, b: &Value) -> Res<Value> {
        difference(vm, a, b)
    }

    #[slot]
    fn __xor__(vm: &Vm, a: &Value, b: &Value) -> Res<Value> {
        symmetric_difference(vm, a, b)
    }

    /// Return True if the view and the given iterable have a null intersection.
    #[pymethod(sig = "($self, object, /)")]
    fn isdisjoint(vm: &Vm, this: &Py<DictItems>, object: &Value) -> Res<bool> {
        disjoint(vm, this.as_value(), object)
    }

    /// Return a reverse iterator over the dict items.
    #[pymethod(sig = "($self, /)")]
    fn __reversed__(_vm: &Vm, this: &Py<DictItems>) -> Res<Value> {
        Ok(DictReverseItemIter::over(&this.dict).into_value())
    }

    /// dictionary that this view refers to
    #[getter]
    fn mapping(_vm: &Vm, this: &Py<DictItems>) -> Value {
        MappingProxy::new_value(this.dict.to_value())
    }
}

/// Whether the value is `dict_keys` or `dict_items`, which behave as sets.
fn is_set_view(value: &Value) -> bool {
    value.downcast::<DictKeys>().is_some() || value.downcast::<DictItems>().is_some()
}

fn is_set(value: &Value) -> bool {
    value.downcast::<Set>().is_some() || value.downcast::<FrozenSet>().is_some()
}

/// Whether `container` has everything that `items` yields.
fn contains_all(vm: &Vm, container: &Value, items: &Value) -> Res<bool> {
    let iterator = vm.iter(items)?;
    while let Some(item) = vm.next(&iterator)? {
        if !vm.contains(container, &item)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn compare(vm: &Vm, view: &Value, other: &Value, op: CmpOp) -> Res<Value> {
    if !is_set(other) && !is_set_view(other) {
        return Ok(Value::NOT_IMPLEMENTED);
    }
    let (mine, theirs) = (vm.len(view)?, vm.len(other)?);
    let result = match op {
        CmpOp::Eq => mine == theirs && contains_all(vm, other, view)?,
        CmpOp::Ne => !(mine == theirs && contains_all(vm, other, view)?),
        CmpOp::Lt => mine < theirs && contains_all(vm, other, view)?,
        CmpOp::Le => mine <= theirs && contains_all(vm, other, view)?,
        CmpOp::Gt => mine > theirs && contains_all(vm, view, other)?,
        CmpOp::Ge => mine >= theirs && contains_all(vm, view, other)?,
    };
    Ok(Value::from_bool(result))
}

fn set_from(vm: &Vm, items: &Value) -> Res<Py<Set>> {
    let set = Set::new_empty();
    set.update(vm, items)?;
    Ok(set)
}

fn difference(vm: &Vm, a: &Value, b: &Value) -> Res<Value> {
    let set = set_from(vm, a)?;
    set.difference_update(vm, b)?;
    Ok(set.into_value())
}

fn union(vm: &Vm, a: &Value, b: &Value) -> Res<Value> {
    let set = set_from(vm, a)?;
    set.update(vm, b)?;
    Ok(set.into_value())
}

fn symmetric_difference(vm: &Vm, a: &Value, b: &Value) -> Res<Value> {
    let set = set_from(vm, a)?;
    set.symmetric_difference_update(vm, b)?;
    Ok(set.into_value())
}

fn intersection(vm: &Vm, a: &Value, b: &Value) -> Res<Value> {
    // The operator is symmetric, and either operand can be the view.
    let (mut view, mut other) = if is_set_view(a) { (a, b) } else { (b, a) };
    // Walk over the smaller one.
    if is_set_view(other) && vm.len(other)? > vm.len(view)? {
        (view, other) = (other, view);
    }
    if other.downcast_exact::<Set>().is_some() && vm.len(view)? <= vm.len(other)? {
        (view, other) = (other, view);
    }
    let result = Set::new_empty();
    vm.for_each(other, |item| {
        if vm.contains(view, &item)? {
            result.add(vm, &item)?;
        }
        Ok(())
    })?;
    Ok(result.into_value())
}

fn disjoint(vm: &Vm, view: &Value, other: &Value) -> Res<bool> {
    if view.is(other) {
        return Ok(vm.len(view)? == 0);
    }
    let (mut container, mut items) = (view, other);
    if (is_set(other) || is_set_view(other)) && vm.len(other)? > vm.len(view)? {
        (container, items) = (other, view);
    }
    let iterator = vm.iter(items)?;
    while let Some(item) = vm.next(&iterator)? {
        if vm.contains(container, &item)? {
            return Ok(false);
        }
    }
    Ok(true)
}
