//! The views and the iterator of `OrderedDict`.
//!
//! Invariant: an iterator goes on only as long as no key of its dict has come, gone or moved since it was made.

use lisle_runtime::intern;
use lisle_runtime::native::{Py, PySlot, Res, Value, Vm, pyclass, pymethods};
use lisle_runtime::no_trace;
use lisle_runtime::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use lisle_runtime::types::common::repr_items;
use lisle_runtime::types::dict::Dict;
use lisle_runtime::types::dict_views::{DictItems, DictKeys, DictValues};
use lisle_runtime::types::list::List;
use lisle_runtime::types::tuple::Tuple;

/// What an iterator yields.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Keys,
    Values,
    Items,
}

no_trace!(Kind);

/// `iter` and `reversed` of an `OrderedDict` and its views.
#[pyclass(name = "odict_iterator", no_new)]
pub struct OdictIter {
    /// Emptied at the end.
    dict: PySlot<Dict>,
    kind: Kind,
    backwards: bool,
    /// The dict's count of changes at the start.
    changes: u32,
    /// Number of the next entry.
    at: AtomicUsize,
}

impl OdictIter {
    pub fn over(dict: &Py<Dict>, kind: Kind, backwards: bool) -> Py<OdictIter> {
        let (changes, first) = dict.first_entry(backwards);
        Py::new(OdictIter {
            dict: first.map_or_else(PySlot::empty, |_| PySlot::new(dict.clone())),
            kind,
            backwards,
            changes,
            at: AtomicUsize::new(first.unwrap_or(0)),
        })
    }

    /// Element number `at` and the place of the next one; `Err` when the dict has changed.
    fn step(&self, vm: &Vm, dict: &Py<Dict>, at: usize) -> Res<(Option<Value>, Option<usize>)> {
        let (changes, entry, next) = dict.entry_and_next(at, self.backwards);
        if changes != self.changes {
            return Err(vm.runtime_error("OrderedDict mutated during iteration"));
        }
        let element = entry.map(|(key, value)| match self.kind {
            Kind::Keys => key,
            Kind::Values => value,
            Kind::Items => Tuple::pair(key, value).into_value(),
        });
        Ok((element, next))
    }
}

#[pymethods]
impl OdictIter {
    #[slot]
    fn __iter__(_vm: &Vm, this: &Py<OdictIter>) -> Res<Value> {
        Ok(this.to_value())
    }

    #[slot]
    fn __next__(vm: &Vm, this: &Py<OdictIter>) -> Res<Option<Value>> {
        let Some(dict) = this.dict.get() else {
            return Ok(None);
        };
        let step = this.step(vm, &dict, this.at.load(Relaxed));
        match &step {
            Ok((_, Some(next))) => this.at.store(*next, Relaxed),
            // A key that is added after the last one has been seen is no error.
            _ => drop(this.dict.swap(None)),
        }
        Ok(step?.0)
    }

    /// Return state information for pickling
    #[pymethod(sig = "($self, /)")]
    fn __reduce__(vm: &Vm, this: &Py<OdictIter>) -> Res<Value> {
        let mut rest = Vec::new();
        if let Some(dict) = this.dict.get() {
            let mut at = Some(this.at.load(Relaxed));
            while let Some(now) = at {
                let (element, next) = this.step(vm, &dict, now)?;
                rest.extend(element);
                at = next;
            }
        }
        let args = Tuple::from_array([List::new(rest).into_value()]);
        Ok(Tuple::pair(vm.frame_builtin(intern!("iter"))?, args.into_value()).into_value())
    }
}

macro_rules! views {
    ($($name:ident $python:literal $base:ident $kind:ident;)+) => { $(
        #[doc = concat!("`", $python, "`")]
        #[pyclass(name = $python, base = $base, no_new)]
        pub struct $name {
            view: $base,
        }

        impl $name {
            pub fn of(dict: &Py<Dict>) -> Value {
                Py::new($name { view: $base::payload(dict) }).into_value()
            }
        }

        #[pymethods]
        impl $name {
            #[slot]
            fn __iter__(_vm: &Vm, this: &Py<$name>) -> Value {
                OdictIter::over(this.view.dict(), Kind::$kind, false).into_value()
            }

            #[slot]
            fn __repr__(vm: &Vm, this: &Py<$name>) -> Res<Value> {
                let Some(_guard) = vm.repr_enter(this.as_value()) else {
                    return Ok(Value::from("..."));
                };
                let items = vm.collect(this.as_value())?;
                repr_items(vm, concat!($python, "(["), &items, "])")
            }

            #[pymethod(sig = "($self, /)")]
            fn __reversed__(_vm: &Vm, this: &Py<$name>) -> Value {
                OdictIter::over(this.view.dict(), Kind::$kind, true).into_value()
            }
        }
    )+ };
}

views! {
    OdictKeys "odict_keys" DictKeys Keys;
    OdictValues "odict_values" DictValues Values;
    OdictItems "odict_items" DictItems Items;
}
