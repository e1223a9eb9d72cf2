//! `count`, `cycle` and `repeat`.
//!
//! Invariant: a count is an atomic as long as it fits and goes up by one; otherwise the current number is replaced only if
//! it is still the one that was added to, so that threads that share a counter never get the same number.

use lisle_bytecode::opcode::BinOp;
use lisle_runtime::native::{Py, Res, Slot, Type, Value, Vm, pyclass, pymethods};
use lisle_runtime::sync::atomic::{
    AtomicI64, AtomicUsize,
    Ordering::{AcqRel, Relaxed},
};
use lisle_runtime::sync::{Locked, free_threaded};
use lisle_runtime::types::list::List;

/// `fast` of a counter that counts in `current`.
const SLOW: i64 = i64::MAX;

/// Endless numbers.
#[pyclass(
    name = "count",
    module = "itertools",
    basetype,
    doc = "Return a count object whose .__next__() method returns consecutive values.\n\nEquivalent to:\n    def count(firstval=0, step=1):\n        x = firstval\n        while 1:\n            yield x\n            x += step"
)]
pub struct Count {
    fast: AtomicI64,
    current: Locked<Value>,
    step: Value,
}

fn is_number(value: &Value) -> bool {
    let slots = value.ty().slots();
    slots.index.is_some()
        || slots.int.is_some()
        || slots.float.is_some()
        || value.downcast::<lisle_runtime::types::complex::Complex>().is_some()
}

impl Count {
    #[cold]
    #[inline(never)]
    fn next_slow(vm: &Vm, this: &Py<Count>) -> Res<Value> {
        loop {
            let now = this.current.with(this.header(), |current| current.clone());
            let mut next = vm.binary(BinOp::Add, &now, &this.step)?;
            let swapped = this.current.with(this.header(), |current| {
                let same = current.is(&now);
                if same {
                    std::mem::swap(current, &mut next);
                }
                same
            });
            if swapped {
                return Ok(now);
            }
        }
    }
}

#[pymethods]
impl Count {
    #[slot(sig = "(start=0, step=1)")]
    fn __new__(vm: &Vm, cls: &Py<Type>, start: Option<&Value>, step: Option<&Value>) -> Res<Value> {
        if [start, step].into_iter().flatten().any(|value| !is_number(value)) {
            return Err(vm.type_error("a number is required"));
        }
        let small = |value: Option<&Value>, default: i64| match value {
            None => Some(default),
            Some(value) => vm.int_value(value).and_then(|int| int.to_i64()),
        };
        let fast = match (small(start, 0), small(step, 1)) {
            (Some(start), Some(1)) => start,
            _ => SLOW,
        };
        let current = match (fast, start) {
            (SLOW, Some(start)) => start.clone(),
            (SLOW, None) => Value::int(0),
            _ => Value::int(SLOW),
        };
        let count = Count {
            fast: AtomicI64::new(fast),
            current: Locked::new(current),
            step: step.cloned().unwrap_or(Value::int(1)),
        };
        Ok(Py::with_class(cls, count).into_value())
    }

    #[slot]
    fn __iter__(_vm: &Vm, this: &Py<Count>) -> Res<Value> {
        Ok(this.to_value())
    }

    #[slot]
    fn __next__(vm: &Vm, this: &Py<Count>) -> Res<Option<Value>> {
        if !free_threaded() {
            let now = this.fast.load(Relaxed);
            if now != SLOW {
                this.fast.store(now + 1, Relaxed);
                return Ok(Some(Value::int(now)));
            }
        } else {
            let next = |now: i64| (now != SLOW).then(|| now + 1);
            if let Ok(now) = this.fast.fetch_update(AcqRel, Relaxed, next) {
                return Ok(Some(Value::int(now)));
            }
        }
        Count::next_slow(vm, this).map(Some)
    }

    #[slot]
    fn __repr__(vm: &Vm, this: &Py<Count>) -> Res<String> {
        let name = this.class().short_name();
        let fast = this.fast.load(Relaxed);
        if fast != SLOW {
            return Ok(format!("{name}({fast})"));
        }
        let current = this.current.with(this.header(), |current| current.clone());
        let current = vm.repr(&current)?.to_string_lossy();
        if vm.int_value(&this.step).and_then(|step| step.to_i64()) == Some(1) {
            return Ok(format!("{name}({current})"));
        }
        let step = vm.repr(&this.step)?.to_string_lossy();
        Ok(format!("{name}({current}, {step})"))
    }
}

/// The items of an iterable again and again.
#[pyclass(
    name = "cycle",
    module = "itertools",
    basetype,
    doc = "Return elements from the iterable until it is exhausted. Then repeat the sequence indefinitely."
)]
pub struct Cycle {
    /// Taken out at its end.
    iterator: Slot,
    saved: Py<List>,
    at: AtomicUsize,
}

#[pymethods]
impl Cycle {
    #[slot(sig = "(iterable, /)")]
    fn __new__(vm: &Vm, cls: &Py<Type>, iterable: &Value) -> Res<Value> {
        let cycle = Cycle {
            iterator: Slot::new(vm.iter(iterable)?),
            saved: List::new(Vec::new()),
            at: AtomicUsize::new(0),
        };
        Ok(Py::with_class(cls, cycle).into_value())
    }

    #[slot]
    fn __iter__(_vm: &Vm, this: &Py<Cycle>) -> Res<Value> {
        Ok(this.to_value())
    }

    #[slot]
    fn __next__(vm: &Vm, this: &Py<Cycle>) -> Res<Option<Value>> {
        if let Some(iterator) = this.iterator.get() {
            if let Some(item) = vm.next(&iterator)? {
                this.saved.push(vm, item.clone())?;
                return Ok(Some(item));
            }
            drop(this.iterator.take());
        }
        let at = this.at.load(Relaxed);
        match this.saved.get(at) {
            Some(item) => {
                let next = if at + 1 < this.saved.len() { at + 1 } else { 0 };
                this.at.store(next, Relaxed);
                Ok(Some(item))
            }
            None => Ok(None),
        }
    }
}

/// `left` of an endless repetition.
const ENDLESS: i64 = -1;

/// The same object again and again.
#[pyclass(
    name = "repeat",
    module = "itertools",
    basetype,
    doc = "repeat(object [,times]) -> create an iterator which returns the object\nfor the specified number of times.  If not specified, returns the object\nendlessly."
)]
pub struct Repeat {
    object: Value,
    left: AtomicI64,
}

#[pymethods]
impl Repeat {
    #[slot(sig = "(object, times=<unrepresentable>)")]
    fn __new__(_vm: &Vm, cls: &Py<Type>, object: &Value, times: Option<i64>) -> Res<Value> {
        let repeat = Repeat {
            object: object.clone(),
            left: AtomicI64::new(times.map_or(ENDLESS, |times| times.max(0))),
        };
        Ok(Py::with_class(cls, repeat).into_value())
    }

    #[slot]
    fn __iter__(_vm: &Vm, this: &Py<Repeat>) -> Res<Value> {
        Ok(this.to_value())
    }

    #[slot]
    fn __next__(_vm: &Vm, this: &Py<Repeat>) -> Res<Option<Value>> {
        let left = this.left.load(Relaxed);
        if left == ENDLESS {
            return Ok(Some(this.object.clone()));
        }
        if !free_threaded() {
            if left == 0 {
                return Ok(None);
            }
            this.left.store(left - 1, Relaxed);
            return Ok(Some(this.object.clone()));
        }
        let taken = this
            .left
            .fetch_update(AcqRel, Relaxed, |left| (left > 0).then(|| left - 1));
        Ok(taken.is_ok().then(|| this.object.clone()))
    }

    #[slot]
    fn __repr__(vm: &Vm, this: &Py<Repeat>) -> Res<String> {
        let (name, object) = (this.class().short_name(), vm.repr(&this.object)?.to_string_lossy());
        Ok(match this.left.load(Relaxed) {
            ENDLESS => format!("{name}({object})"),
            left => format!("{name}({object}, {left})"),
        })
    }

    /// Private method returning an estimate of len(list(it)).
    #[pymethod(sig = "($self, /)")]
    fn __length_hint__(vm: &Vm, this: &Py<Repeat>) -> Res<i64> {
        match this.left.load(Relaxed) {
            ENDLESS => Err(vm.type_error("len() of unsized object")),
            left => Ok(left),
        }
    }
}
