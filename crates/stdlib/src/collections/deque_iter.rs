//! The iterators of `deque`, forwards and backwards.
//!
//! Invariant: an iterator yields items only as long as the deque's structure is what it was at the start, so the count of items that are
//! left says where it stands.

use lisle_runtime::native::{Py, Res, Type, Value, Vm, pyclass, pymethods};
use lisle_runtime::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use lisle_runtime::types::tuple::Tuple;

use super::deque::Deque;

enum Step {
    Item(Value),
    End,
    Mutated,
}

macro_rules! iterators {
    ($( $(#[$doc:meta])* $name:ident $python:literal $place:expr; )+) => { $(
        $(#[$doc])*
        #[pyclass(name = $python, module = "_collections")]
        pub struct $name {
            deque: Py<Deque>,
            version: u64,
            /// How many items are still to come.
            left: AtomicUsize,
        }

        impl $name {
            pub fn over(deque: &Py<Deque>) -> Py<$name> {
                let (version, left) = Deque::with(deque, |state| (state.version, state.items.len()));
                Py::new($name { deque: deque.clone(), version, left: AtomicUsize::new(left) })
            }
        }

        #[pymethods]
        impl $name {
            #[slot(sig = "(deque, index=0, /)")]
            fn __new__(vm: &Vm, _cls: &Py<Type>, deque: &Py<Deque>, index: isize) -> Res<Value> {
                let iterator = $name::over(deque);
                for _ in 0..index {
                    if $name::__next__(vm, &iterator)?.is_none() {
                        break;
                    }
                }
                Ok(iterator.into_value())
            }

            #[slot]
            fn __iter__(_vm: &Vm, this: &Py<$name>) -> Res<Value> {
                Ok(this.to_value())
            }

            #[slot]
            fn __next__(vm: &Vm, this: &Py<$name>) -> Res<Option<Value>> {
                let left = this.left.load(Relaxed);
                let step = Deque::with(&this.deque, |state| {
                    if state.version != this.version {
                        return Step::Mutated;
                    }
                    let place: fn(usize, usize) -> usize = $place;
                    if left == 0 {
                        return Step::End;
                    }
                    match state.items.get(place(state.items.len(), left)) {
                        Some(item) => Step::Item(item.clone()),
                        None => Step::End,
                    }
                });
                match step {
                    Step::Item(item) => {
                        this.left.store(left - 1, Relaxed);
                        Ok(Some(item))
                    }
                    Step::End => Ok(None),
                    Step::Mutated => {
                        this.left.store(0, Relaxed);
                        Err(vm.runtime_error("deque mutated during iteration"))
                    }
                }
            }

            /// Private method returning an estimate of len(list(it)).
            #[pymethod(sig = "($self, /)")]
            fn __length_hint__(_vm: &Vm, this: &Py<$name>) -> Res<usize> {
                Ok(this.left.load(Relaxed))
            }

            /// Return state information for pickling.
            #[pymethod(sig = "($self, /)")]
            fn __reduce__(_vm: &Vm, this: &Py<$name>) -> Res<Value> {
                let len = Deque::with(&this.deque, |state| state.items.len());
                let done = len.saturating_sub(this.left.load(Relaxed));
                let args = Tuple::pair(this.deque.to_value(), Value::usize(done));
                Ok(Tuple::pair(this.class().to_value(), args.into_value()).into_value())
            }
        }
    )+ };
}

iterators! {
    /// `iter(deque)`
    DequeIter "_deque_iterator" |len, left| len.wrapping_sub(left);
    /// `reversed(deque)`
    DequeReverseIter "_deque_reverse_iterator" |_, left| left - 1;
}
