//! `tee`: several iterators over the items of one.
//!
//! Invariant: the items are in a chain of blocks; a block is filled in order by one thread at a time, which the `filling` word of the shared
//! source names, and the next block is used only when it is full. An iterator claims a place before it reads it, so threads that share it
//! get each item once. Asking the source for an item while the same thread already does so is an error, and so it is with
//! the GIL when another thread does; without the GIL the others wait for a while.

use std::time::{Duration, Instant};

use lisle_runtime::intern;
use lisle_runtime::native::{Py, PySlot, Res, Type, Value, Vm, pyclass, pymethods};
use lisle_runtime::sync::atomic::{
    AtomicU64,
    Ordering::{AcqRel, Acquire, Release},
};
use lisle_runtime::sync::{Locked, free_threaded};
use lisle_runtime::threads::{ParkReason, park, unpark_all};
use lisle_runtime::types::tuple::Tuple;

/// Items a block.
const BLOCK: usize = 57;
/// How long a thread waits, without the GIL, for another that takes the next item from the source.
const PATIENCE: Duration = Duration::from_millis(200);

/// What all iterators of a family share.
#[pyclass(name = "_tee_source", module = "itertools", no_new, no_methods)]
pub struct TeeSource {
    iterator: Value,
    /// Serial number of the thread that is taking an item, or 0.
    filling: AtomicU64,
}

impl TeeSource {
    fn key(&self) -> usize {
        std::ptr::from_ref(&self.filling) as usize
    }

    /// Claims the source; `false` if another thread had it, so that the block must be looked at again.
    fn enter(&self, vm: &Vm) -> Res<bool> {
        let me = lisle_runtime::threads::serial();
        let Err(other) = self.filling.compare_exchange(0, me, AcqRel, Acquire) else {
            return Ok(true);
        };
        let reentered = || vm.runtime_error("cannot re-enter the tee iterator");
        if other == me || !free_threaded() {
            return Err(reentered());
        }
        let deadline = Instant::now() + PATIENCE;
        while self.filling.load(Acquire) == other {
            let busy = || self.filling.load(Acquire) != 0;
            park(self.key(), ParkReason::Other, Some(deadline), busy, || {});
            vm.safepoint()?;
            if Instant::now() >= deadline {
                return Err(reentered());
            }
        }
        Ok(false)
    }

    fn leave(&self) {
        self.filling.store(0, Release);
        if free_threaded() {
            unpark_all(self.key());
        }
    }
}

/// A block of items.
#[pyclass(
    name = "_tee_dataobject",
    module = "itertools",
    no_new,
    no_methods,
    doc = "teedataobject(iterable, values, next, /)\n--\n\nData container common to multiple tee objects."
)]
pub struct TeeData {
    source: Py<TeeSource>,
    items: Locked<Vec<Value>>,
    next: PySlot<TeeData>,
}

impl TeeData {
    fn new(source: Py<TeeSource>) -> Py<TeeData> {
        Py::new(TeeData {
            source,
            items: Locked::new(Vec::new()),
            next: PySlot::empty(),
        })
    }

    /// Item number `at`; `None` if the source ends before.
    fn item(vm: &Vm, this: &Py<TeeData>, at: usize) -> Res<Option<Value>> {
        loop {
            if let Some(item) = this.items.with(this.header(), |items| items.get(at).cloned()) {
                return Ok(Some(item));
            }
            if !this.source.enter(vm)? {
                continue;
            }
            // It may have come since.
            if let Some(item) = this.items.with(this.header(), |items| items.get(at).cloned()) {
                this.source.leave();
                return Ok(Some(item));
            }
            let item = vm.next(&this.source.iterator);
            if let Ok(Some(item)) = &item {
                let item = item.clone();
                this.items.with(this.header(), |items| items.push(item));
            }
            this.source.leave();
            if item?.is_none() {
                return Ok(None);
            }
        }
    }

    /// The block after this one, which is full.
    fn following(this: &Py<TeeData>) -> Py<TeeData> {
        loop {
            if let Some(next) = this.next.get() {
                return next;
            }
            this.next.set_if_empty(TeeData::new(this.source.clone()));
        }
    }
}

/// An iterator over the items that others see too.
#[pyclass(
    name = "_tee",
    module = "itertools",
    weakref,
    doc = "Iterator wrapped to make it copyable."
)]
pub struct Tee {
    place: Locked<(Py<TeeData>, usize)>,
}

impl Tee {
    fn over(vm: &Vm, iterable: &Value) -> Res<Py<Tee>> {
        let iterator = vm.iter(iterable)?;
        if let Some(tee) = iterator.downcast::<Tee>() {
            return Ok(Tee::fork(tee));
        }
        let source = Py::new(TeeSource {
            iterator,
            filling: AtomicU64::new(0),
        });
        Ok(Py::new(Tee {
            place: Locked::new((TeeData::new(source), 0)),
        }))
    }

    /// An iterator that stands at the same place.
    fn fork(this: &Py<Tee>) -> Py<Tee> {
        let place = this.place.with(this.header(), |(data, at)| (data.clone(), *at));
        Py::new(Tee {
            place: Locked::new(place),
        })
    }
}

#[pymethods]
impl Tee {
    #[slot(sig = "(iterable, /)")]
    fn __new__(vm: &Vm, _cls: &Py<Type>, iterable: &Value) -> Res<Value> {
        Ok(Tee::over(vm, iterable)?.into_value())
    }

    #[slot]
    fn __iter__(_vm: &Vm, this: &Py<Tee>) -> Res<Value> {
        Ok(this.to_value())
    }

    #[slot]
    fn __next__(vm: &Vm, this: &Py<Tee>) -> Res<Option<Value>> {
        loop {
            let (data, at) = this.place.with(this.header(), |(data, at)| {
                let claimed = (data.clone(), *at);
                if *at < BLOCK {
                    *at += 1;
                }
                claimed
            });
            if at == BLOCK {
                if TeeData::item(vm, &data, BLOCK - 1)?.is_none() {
                    return Ok(None);
                }
                let mut next = TeeData::following(&data);
                this.place.with(this.header(), |(current, at)| {
                    if current.is(&data) {
                        std::mem::swap(current, &mut next);
                        *at = 0;
                    }
                });
                continue;
            }
            let item = TeeData::item(vm, &data, at);
            if !matches!(item, Ok(Some(_))) {
                // The place is given back: the source may have more later.
                this.place.with(this.header(), |(current, now)| {
                    if current.is(&data) && *now > at {
                        *now = at;
                    }
                });
            }
            return item;
        }
    }

    /// Returns an independent iterator.
    #[pymethod(sig = "($self, /)")]
    fn __copy__(_vm: &Vm, this: &Py<Tee>) -> Value {
        Tee::fork(this).into_value()
    }
}

/// `tee(iterable, n)`
pub fn tee(vm: &Vm, iterable: &Value, n: isize) -> Res<Value> {
    let Ok(n) = usize::try_from(n) else {
        return Err(vm.value_error("n must be >= 0"));
    };
    if n == 0 {
        return Ok(Tuple::empty().into_value());
    }
    let mut all = Vec::new();
    if all.try_reserve_exact(n).is_err() {
        return Err(vm.memory_error());
    }
    let iterator = vm.iter(iterable)?;
    let first = match vm.getattr_opt(&iterator, intern!("__copy__"))? {
        Some(_) if iterator.downcast::<Tee>().is_none() => iterator,
        _ => Tee::over(vm, &iterator)?.into_value(),
    };
    all.push(first.clone());
    while all.len() < n {
        all.push(vm.call_method(&first, intern!("__copy__"), &[])?);
    }
    Ok(Tuple::new(all).into_value())
}
