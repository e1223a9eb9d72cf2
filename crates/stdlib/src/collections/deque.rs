//! `deque`.
//!
//! Invariant: the items, their limit and the version change together, under the object's lock; the version counts changes of the
//! structure (not of single items), so whoever compares items outside the lock can tell whether places are still the same.

use std::collections::VecDeque;

use lisle_runtime::intern;
use lisle_runtime::native::{Args, CmpOp, Exc, Py, Res, Trace, Type, Value, Vm, pyclass, pymethods};
use lisle_runtime::object::{Native, Obj};
use lisle_runtime::sync::Locked;
use lisle_runtime::types::common::repr_items;
use lisle_runtime::types::generic_alias::GenericAlias;
use lisle_runtime::types::list::{List, surely_equal};
use lisle_runtime::types::slice::{clamp_range, index_argument};
use lisle_runtime::types::tuple::{Tuple, compare_items};

use super::deque_iter::{DequeIter, DequeReverseIter};

/// What the lock guards.
#[derive(Trace)]
pub struct State {
    pub items: VecDeque<Value>,
    maxlen: Option<usize>,
    pub version: u64,
}

/// Which end.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Left,
    Right,
}

impl State {
    /// Puts an item in; what falls out at the other end is to be dropped when the lock is free. `Err` gives it back without memory.
    #[inline(always)]
    fn push(&mut self, item: Value, end: End) -> Result<Option<Value>, Value> {
        let full = self.maxlen.is_some_and(|maxlen| self.items.len() >= maxlen);
        if full && self.items.is_empty() {
            return Ok(Some(item));
        }
        let out = match (full, end) {
            (false, _) => None,
            (true, End::Right) => self.items.pop_front(),
            (true, End::Left) => self.items.pop_back(),
        };
        if self.items.len() == self.items.capacity() && self.items.try_reserve(1).is_err() {
            return Err(item);
        }
        self.version += 1;
        match end {
            End::Right => self.items.push_back(item),
            End::Left => self.items.push_front(item),
        }
        Ok(out)
    }
}

/// How a search under way ended or was interrupted.
enum Seen {
    Equal(usize),
    Ask(usize, Value),
    End,
    Mutated,
}

/// A double-ended queue.
#[pyclass(
    name = "deque",
    late_end,
    module = "collections",
    basetype,
    weakref,
    sequence,
    unhashable,
    doc = "A list-like sequence optimized for data accesses near its endpoints."
)]
pub struct Deque {
    state: Locked<State>,
}

impl Deque {
    fn new_of(cls: &Py<Type>, items: VecDeque<Value>, maxlen: Option<usize>) -> Py<Deque> {
        Py::with_class(
            cls,
            Deque {
                state: Locked::new(State {
                    items,
                    maxlen,
                    version: 0,
                }),
            },
        )
    }

    /// Calls `f` with the state, locked. `f` runs no Python code and drops no items.
    #[inline(always)]
    pub fn with<R>(this: &Py<Deque>, f: impl FnOnce(&mut State) -> R) -> R {
        this.state.with(this.header(), f)
    }

    fn snapshot(this: &Py<Deque>) -> Vec<Value> {
        Deque::with(this, |state| state.items.iter().cloned().collect())
    }

    fn limit(this: &Py<Deque>) -> Option<usize> {
        Deque::with(this, |state| state.maxlen)
    }

    fn is_exact(this: &Py<Deque>) -> bool {
        this.class().is(Deque::ty())
    }

    #[inline(always)]
    fn push(vm: &Vm, this: &Py<Deque>, item: Value, end: End) -> Res<()> {
        match Deque::with(this, |state| state.push(item, end)) {
            Ok(_) => Ok(()),
            Err(_) => Err(vm.memory_error()),
        }
    }

    /// `append`
    pub fn append_value(vm: &Vm, this: &Py<Deque>, item: Value) -> Res<()> {
        Deque::push(vm, this, item, End::Right)
    }

    /// Puts many items in, in one step.
    fn push_all(vm: &Vm, this: &Py<Deque>, items: Vec<Value>, end: End) -> Res<()> {
        let (out, failed) = Deque::with(this, |state| {
            let (mut out, mut failed) = (Vec::new(), Vec::new());
            for item in items {
                match state.push(item, end) {
                    Ok(None) => {}
                    Ok(Some(item)) => out.push(item),
                    Err(item) => failed.push(item),
                }
            }
            (out, failed)
        });
        drop(out);
        if failed.is_empty() {
            Ok(())
        } else {
            Err(vm.memory_error())
        }
    }

    fn extend_with(vm: &Vm, this: &Py<Deque>, iterable: &Value, end: End) -> Res<()> {
        if let Some(other) = iterable.downcast::<Deque>()
            && (other.is(this) || Deque::is_exact(other))
        {
            return Deque::push_all(vm, this, Deque::snapshot(other), end);
        }
        if iterable.downcast_exact::<List>().is_some() || iterable.downcast_exact::<Tuple>().is_some() {
            return Deque::push_all(vm, this, vm.collect(iterable)?, end);
        }
        vm.for_each(iterable, |item| Deque::push(vm, this, item, end))
    }

    /// Searches from `at` to `stop` while the version stays.
    fn search(this: &Py<Deque>, value: &Value, version: u64, at: usize, stop: usize) -> Seen {
        Deque::with(this, |state| {
            if state.version != version {
                return Seen::Mutated;
            }
            let stop = stop.min(state.items.len());
            for at in at..stop {
                match surely_equal(&state.items[at], value) {
                    Some(true) => return Seen::Equal(at),
                    Some(false) => {}
                    None => return Seen::Ask(at, state.items[at].clone()),
                }
            }
            Seen::End
        })
    }

    /// The number of the first item from `start` to `stop` that equals `value`, and the version it was found in.
    fn find(vm: &Vm, this: &Py<Deque>, value: &Value, start: usize, stop: usize) -> Res<Option<(usize, u64)>> {
        let version = Deque::with(this, |state| state.version);
        let mut from = start;
        loop {
            match Deque::search(this, value, version, from, stop) {
                Seen::Equal(at) => return Ok(Some((at, version))),
                Seen::End => return Ok(None),
                Seen::Mutated => return Err(vm.runtime_error("deque mutated during iteration")),
                Seen::Ask(at, item) => {
                    if vm.eq(&item, value)? {
                        return Ok(Some((at, version)));
                    }
                    from = at + 1;
                }
            }
        }
    }

    /// The place that an index means, for which there must be an item.
    fn place(vm: &Vm, index: isize, len: usize) -> Res<usize> {
        let at = if index < 0 {
            index.wrapping_add_unsigned(len)
        } else {
            index
        };
        match usize::try_from(at) {
            Ok(at) if at < len => Ok(at),
            _ => Err(vm.index_error("deque index out of range")),
        }
    }

    fn index_of(vm: &Vm, key: &Value) -> Res<isize> {
        match key.as_small_int() {
            Some(index) => Ok(index as isize),
            None if key.ty().slots().index.is_some() => vm.index_to_isize(key),
            None => Err(vm.type_error(format!("sequence index must be integer, not '{}'", key.ty().name()))),
        }
    }

    fn remove_at(state: &mut State, at: usize) -> Option<Value> {
        state.version += 1;
        state.items.remove(at)
    }

    /// Repeats the items in place.
    fn multiply(vm: &Vm, this: &Py<Deque>, n: isize) -> Res<()> {
        let Ok(n @ 1..) = usize::try_from(n) else {
            drop(Deque::take_all(this));
            return Ok(());
        };
        let (out, fits) = Deque::with(this, |state| {
            let Some(len) = state.items.len().checked_mul(n) else {
                return (Vec::new(), false);
            };
            let keep = state.maxlen.map_or(len, |maxlen| len.min(maxlen));
            let mut all = VecDeque::new();
            if all.try_reserve_exact(keep).is_err() {
                return (Vec::new(), false);
            }
            // The last `keep` items of the repetition.
            let old = &state.items;
            all.extend((len - keep..len).map(|at| old[at % old.len()].clone()));
            state.version += 1;
            let old = std::mem::replace(&mut state.items, all);
            (Vec::from(old), true)
        });
        drop(out);
        if fits { Ok(()) } else { Err(vm.memory_error()) }
    }

    #[must_use = "drop the items when no lock is held"]
    fn take_all(this: &Py<Deque>) -> VecDeque<Value> {
        Deque::with(this, |state| {
            state.version += 1;
            std::mem::take(&mut state.items)
        })
    }
}

#[pymethods]
impl Deque {
    #[slot]
    fn __new__(_vm: &Vm, cls: &Py<Type>, _args: Args<'_>) -> Res<Value> {
        Ok(Deque::new_of(cls, VecDeque::new(), None).into_value())
    }

    #[slot(sig = "(iterable=<unrepresentable>, maxlen=None)")]
    fn __init__(vm: &Vm, this: &Py<Deque>, iterable: Option<&Value>, maxlen: Option<&Value>) -> Res<()> {
        let maxlen = match maxlen.filter(|maxlen| !maxlen.is_none()) {
            None => None,
            Some(maxlen) => {
                let Some(int) = vm.int_value(maxlen) else {
                    return Err(vm.type_error("an integer is required"));
                };
                let Some(int) = int.to_i64() else {
                    return Err(vm.overflow_error("Python int too large to convert to C ssize_t"));
                };
                match usize::try_from(int) {
                    Ok(maxlen) => Some(maxlen),
                    Err(_) => return Err(vm.value_error("maxlen must be non-negative")),
                }
            }
        };
        let old = Deque::with(this, |state| {
            state.maxlen = maxlen;
            if state.items.is_empty() {
                return VecDeque::new();
            }
            state.version += 1;
            std::mem::take(&mut state.items)
        });
        drop(old);
        match iterable {
            Some(iterable) => Deque::extend_with(vm, this, iterable, End::Right),
            None => Ok(()),
        }
    }

    #[slot]
    fn __repr__(vm: &Vm, this: &Py<Deque>) -> Res<Value> {
        let Some(_guard) = vm.repr_enter(this.as_value()) else {
            return Ok(Value::from("[...]"));
        };
        let close = match Deque::limit(this) {
            Some(maxlen) => format!("], maxlen={maxlen})"),
            None => "])".to_owned(),
        };
        let open = format!("{}([", this.class().short_name());
        repr_items(vm, &open, &Deque::snapshot(this), &close)
    }

    #[slot]
    fn __len__(_vm: &Vm, this: &Py<Deque>) -> Res<usize> {
        Ok(Deque::with(this, |state| state.items.len()))
    }

    #[slot]
    fn __iter__(_vm: &Vm, this: &Py<Deque>) -> Res<Value> {
        Ok(DequeIter::over(this).into_value())
    }

    #[slot]
    fn __contains__(vm: &Vm, this: &Py<Deque>, item: &Value) -> Res<bool> {
        Ok(Deque::find(vm, this, item, 0, usize::MAX)?.is_some())
    }

    #[slot]
    fn __getitem__(vm: &Vm, this: &Py<Deque>, key: &Value) -> Res<Value> {
        let index = Deque::index_of(vm, key)?;
        let item = Deque::with(this, |state| {
            let at = if index < 0 {
                index.wrapping_add_unsigned(state.items.len())
            } else {
                index
            };
            state.items.get(at as usize).cloned()
        });
        item.ok_or_else(|| vm.index_error("deque index out of range"))
    }

    #[slot]
    fn __setitem__(vm: &Vm, this: &Py<Deque>, key: &Value, value: Option<&Value>) -> Res<()> {
        let index = Deque::index_of(vm, key)?;
        let old = Deque::with(this, |state| {
            let at = Deque::place(vm, index, state.items.len())?;
            Ok::<_, Exc>(match value {
                Some(value) => Some(std::mem::replace(&mut state.items[at], value.clone())),
                None => Deque::remove_at(state, at),
            })
        })?;
        drop(old);
        Ok(())
    }

    #[slot]
    fn __richcompare__(vm: &Vm, this: &Py<Deque>, other: &Value, op: CmpOp) -> Res<Value> {
        let Some(other) = other.downcast::<Deque>() else {
            return Ok(Value::NOT_IMPLEMENTED);
        };
        let (mine, theirs) = (Deque::snapshot(this), Deque::snapshot(other));
        match op {
            CmpOp::Eq if mine.len() != theirs.len() => Ok(Value::FALSE),
            CmpOp::Ne if mine.len() != theirs.len() => Ok(Value::TRUE),
            _ => compare_items(vm, &mine, &theirs, op),
        }
    }

    #[slot]
    fn __concat__(vm: &Vm, this: &Py<Deque>, other: &Value) -> Res<Value> {
        if other.downcast::<Deque>().is_none() {
            let found = other.ty().name();
            return Err(vm.type_error(format!("can only concatenate deque (not \"{found}\") to deque")));
        }
        let all = Deque::copy(vm, this)?;
        if let Some(all) = all.downcast::<Deque>() {
            Deque::extend_with(vm, all, other, End::Right)?;
        }
        Ok(all)
    }

    #[slot]
    fn __inplace_concat__(vm: &Vm, this: &Py<Deque>, other: &Value) -> Res<Value> {
        Deque::extend_with(vm, this, other, End::Right)?;
        Ok(this.to_value())
    }

    #[slot]
    fn __repeat__(vm: &Vm, this: &Py<Deque>, n: isize) -> Res<Value> {
        let all = Deque::copy(vm, this)?;
        if let Some(all) = all.downcast::<Deque>() {
            Deque::multiply(vm, all, n)?;
        }
        Ok(all)
    }

    #[slot]
    fn __inplace_repeat__(vm: &Vm, this: &Py<Deque>, n: isize) -> Res<Value> {
        Deque::multiply(vm, this, n)?;
        Ok(this.to_value())
    }

    /// maximum size of a deque or None if unbounded
    #[getter]
    fn maxlen(_vm: &Vm, this: &Py<Deque>) -> Option<usize> {
        Deque::limit(this)
    }

    /// Add an element to the right side of the deque.
    #[pymethod(sig = "($self, item, /)")]
    fn append(vm: &Vm, this: &Py<Deque>, item: &Value) -> Res<()> {
        Deque::push(vm, this, item.clone(), End::Right)
    }

    /// Add an element to the left side of the deque.
    #[pymethod(sig = "($self, item, /)")]
    fn appendleft(vm: &Vm, this: &Py<Deque>, item: &Value) -> Res<()> {
        Deque::push(vm, this, item.clone(), End::Left)
    }

    /// Remove all elements from the deque.
    #[pymethod(sig = "($self, /)")]
    fn clear(_vm: &Vm, this: &Py<Deque>) -> Res<()> {
        drop(Deque::take_all(this));
        Ok(())
    }

    /// Return a shallow copy of a deque.
    #[pymethod(sig = "($self, /)")]
    fn __copy__(vm: &Vm, this: &Py<Deque>) -> Res<Value> {
        Deque::copy(vm, this)
    }

    /// Return a shallow copy of a deque.
    #[pymethod(sig = "($self, /)")]
    fn copy(vm: &Vm, this: &Py<Deque>) -> Res<Value> {
        if Deque::is_exact(this) {
            let (items, maxlen) = Deque::with(this, |state| (state.items.clone(), state.maxlen));
            return Ok(Deque::new_of(Deque::ty(), items, maxlen).into_value());
        }
        let class = this.class().to_value();
        let made = match Deque::limit(this) {
            None => vm.call(&class, &[this.to_value()])?,
            Some(maxlen) => vm.call(&class, &[this.to_value(), Value::usize(maxlen)])?,
        };
        if made.downcast::<Deque>().is_none() {
            let (class, found) = (this.class().name(), made.ty().name());
            return Err(vm.type_error(format!("{class}() must return a deque, not {found}")));
        }
        Ok(made)
    }

    /// Return number of occurrences of value.
    #[pymethod(sig = "($self, value, /)")]
    fn count(vm: &Vm, this: &Py<Deque>, value: &Value) -> Res<usize> {
        let version = Deque::with(this, |state| state.version);
        let (mut from, mut count) = (0, 0);
        loop {
            match Deque::search(this, value, version, from, usize::MAX) {
                Seen::Equal(at) => {
                    count += 1;
                    from = at + 1;
                }
                Seen::Ask(at, item) => {
                    count += usize::from(vm.eq(&item, value)?);
                    from = at + 1;
                }
                Seen::End => return Ok(count),
                Seen::Mutated => return Err(vm.runtime_error("deque mutated during iteration")),
            }
        }
    }

    /// Extend the right side of the deque with elements from the iterable.
    #[pymethod(sig = "($self, iterable, /)")]
    fn extend(vm: &Vm, this: &Py<Deque>, iterable: &Value) -> Res<()> {
        Deque::extend_with(vm, this, iterable, End::Right)
    }

    /// Extend the left side of the deque with elements from the iterable.
    #[pymethod(sig = "($self, iterable, /)")]
    fn extendleft(vm: &Vm, this: &Py<Deque>, iterable: &Value) -> Res<()> {
        Deque::extend_with(vm, this, iterable, End::Left)
    }

    /// Return first index of value.
    ///
    /// Raises ValueError if the value is not present.
    #[pymethod(sig = "($self, value, start=0, stop=sys.maxsize, /)")]
    fn index(vm: &Vm, this: &Py<Deque>, value: &Value, start: Option<&Value>, stop: Option<&Value>) -> Res<usize> {
        let (start, stop) = (index_argument(vm, start, 0)?, index_argument(vm, stop, isize::MAX)?);
        let range = clamp_range(start, stop, Deque::__len__(vm, this)?);
        match Deque::find(vm, this, value, range.start, range.end)? {
            Some((at, _)) => Ok(at),
            None => {
                let value = vm.repr(value)?.to_string_lossy();
                Err(vm.value_error(format!("{value} is not in deque")))
            }
        }
    }

    /// Insert value before index.
    #[pymethod(sig = "($self, index, value, /)")]
    fn insert(vm: &Vm, this: &Py<Deque>, index: isize, value: &Value) -> Res<()> {
        Deque::with(this, |state| {
            let len = state.items.len();
            if state.maxlen.is_some_and(|maxlen| len >= maxlen) {
                return Err(vm.index_error("deque already at its maximum size"));
            }
            if state.items.try_reserve(1).is_err() {
                return Err(vm.memory_error());
            }
            let at = if index < 0 {
                index.saturating_add_unsigned(len).max(0) as usize
            } else {
                (index as usize).min(len)
            };
            state.version += 1;
            state.items.insert(at, value.clone());
            Ok(())
        })
    }

    /// Remove and return the rightmost element.
    #[pymethod(sig = "($self, /)")]
    fn pop(vm: &Vm, this: &Py<Deque>) -> Res<Value> {
        let item = Deque::with(this, |state| {
            state.version += 1;
            state.items.pop_back()
        });
        item.ok_or_else(|| vm.index_error("pop from an empty deque"))
    }

    /// Remove and return the leftmost element.
    #[pymethod(sig = "($self, /)")]
    fn popleft(vm: &Vm, this: &Py<Deque>) -> Res<Value> {
        let item = Deque::with(this, |state| {
            state.version += 1;
            state.items.pop_front()
        });
        item.ok_or_else(|| vm.index_error("pop from an empty deque"))
    }

    /// Remove first occurrence of value.
    #[pymethod(sig = "($self, value, /)")]
    fn remove(vm: &Vm, this: &Py<Deque>, value: &Value) -> Res<()> {
        let mutated = || vm.index_error("deque mutated during remove().");
        let version = Deque::with(this, |state| state.version);
        let mut from = 0;
        let at = loop {
            match Deque::search(this, value, version, from, usize::MAX) {
                Seen::Equal(at) => break at,
                Seen::End => {
                    let value = vm.repr(value)?.to_string_lossy();
                    return Err(vm.value_error(format!("{value} is not in deque")));
                }
                Seen::Mutated => return Err(mutated()),
                Seen::Ask(at, item) => {
                    if vm.eq(&item, value)? {
                        break at;
                    }
                    from = at + 1;
                }
            }
        };
        let removed = Deque::with(this, |state| {
            (state.version == version).then(|| Deque::remove_at(state, at))
        });
        match removed {
            Some(_) => Ok(()),
            None => Err(mutated()),
        }
    }

    /// Reverse *IN PLACE*.
    #[pymethod(sig = "($self, /)")]
    fn reverse(_vm: &Vm, this: &Py<Deque>) -> Res<()> {
        Deque::with(this, |state| state.items.make_contiguous().reverse());
        Ok(())
    }

    /// Rotate the deque n steps to the right.  If n is negative, rotates left.
    #[pymethod(sig = "($self, n=1, /)")]
    fn rotate(_vm: &Vm, this: &Py<Deque>, n: isize) -> Res<()> {
        Deque::with(this, |state| {
            let len = state.items.len();
            if len <= 1 {
                return;
            }
            state.version += 1;
            state.items.rotate_right(n.rem_euclid(len as isize) as usize);
        });
        Ok(())
    }

    /// Return state information for pickling.
    #[pymethod(sig = "($self, /)")]
    fn __reduce__(vm: &Vm, this: &Py<Deque>) -> Res<Value> {
        let state = vm.call_method(this.as_value(), intern!("__getstate__"), &[])?;
        let iterator = vm.iter(this.as_value())?;
        let args = match Deque::limit(this) {
            None => Tuple::empty(),
            Some(maxlen) => Tuple::pair(Tuple::empty().into_value(), Value::usize(maxlen)),
        };
        Ok(Tuple::from_array([this.class().to_value(), args.into_value(), state, iterator]).into_value())
    }

    /// Return a reverse iterator over the deque.
    #[pymethod(sig = "($self, /)")]
    fn __reversed__(_vm: &Vm, this: &Py<Deque>) -> Res<Value> {
        Ok(DequeReverseIter::over(this).into_value())
    }

    /// Return the size of the deque in memory, in bytes.
    #[pymethod(sig = "($self, /)")]
    fn __sizeof__(_vm: &Vm, this: &Py<Deque>) -> Res<usize> {
        let capacity = Deque::with(this, |state| state.items.capacity());
        Ok(size_of::<Obj<Deque>>() + capacity * size_of::<Value>())
    }

    /// See PEP 585
    #[classmethod(sig = "($type, object, /)")]
    fn __class_getitem__(vm: &Vm, cls: &Py<Type>, object: &Value) -> Res<Value> {
        Ok(GenericAlias::new_value(vm, cls.as_value(), object))
    }
}
