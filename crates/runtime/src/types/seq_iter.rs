//! Iterators over sequences: of list, of tuple, the generic ones over `__getitem__`, `reversed`, and `iter(callable, sentinel)`.
//!
//! Invariant: the container is in a slot and taken out once, when the iterator is exhausted; the position is an atomic that may lag
//! when threads share the iterator, so that items are skipped or repeated, but never read out of bounds.

use super::common::{builtin, is_end, with_held};
use super::list::List;
use super::tuple::Tuple;
use crate::native::{pyclass, pymethods};
use crate::object::{Py, PySlot, Slot, Type, Value};
use crate::sync::atomic::{AtomicIsize, AtomicUsize, Ordering::Relaxed};
use crate::types::dict::Dict;
use crate::vm::{Res, Vm};

/// Position of a list iterator that `__setstate__` has put before the start: it yields nothing, but keeps its list.
const PARKED: usize = usize::MAX;

/// `iter(list)`
#[pyclass(name = "list_iterator", no_new)]
pub struct ListIter {
    list: PySlot<List>,
    at: AtomicUsize,
}

impl ListIter {
    #[inline]
    pub fn over(list: &Py<List>) -> Py<ListIter> {
        Py::new(ListIter {
            list: PySlot::new(list.clone()),
            at: AtomicUsize::new(0),
        })
    }

    /// The list, not counted, until the end.
    ///
    /// # Safety
    /// No other thread changes the iterator as long as the result is used.
    #[inline(always)]
    pub(crate) unsafe fn list_alone(&self) -> Option<&Py<List>> {
        // SAFETY: the slot holds a list, or nothing; by contract nobody changes it.
        unsafe { (*std::ptr::from_ref(self.list.raw()).cast::<Option<Py<List>>>()).as_ref() }
    }

    /// The word of the next item, not counted; 0 at the end.
    ///
    /// # Safety
    /// No other thread changes the iterator or the list meanwhile.
    #[inline(always)]
    pub(crate) unsafe fn next_alone(&self) -> u64 {
        // SAFETY: by contract.
        unsafe {
            match self.list_alone() {
                Some(list) => list.items_alone().get(self.at.load(Relaxed)).map_or(0, Value::bits),
                None => 0,
            }
        }
    }

    /// Goes on to the item behind the one that [`ListIter::next_alone`] gave.
    #[inline(always)]
    pub(crate) fn advance_alone(&self) {
        self.at.store(self.at.load(Relaxed) + 1, Relaxed);
    }

    /// As [`ListIter::next_item`], without a call or a count where no other thread can change the iterator.
    #[inline(always)]
    pub(crate) fn next_in_loop<const FREE: bool>(this: &Py<ListIter>) -> Option<Value> {
        if !FREE || this.header().is_unique() {
            let at = this.at.load(Relaxed);
            // SAFETY: with the GIL, or as long as this thread alone knows the iterator, nobody changes it meanwhile.
            let list = unsafe { this.list_alone() };
            let item = match list {
                Some(list) if FREE => list.get(at),
                // SAFETY: with the GIL nobody changes the list meanwhile.
                Some(list) => unsafe { list.items_alone() }.get(at).cloned(),
                None => None,
            };
            if item.is_some() {
                this.at.store(at + 1, Relaxed);
                return item;
            }
        }
        this.next_item()
    }

    /// The next item.
    #[inline]
    pub fn next_item(&self) -> Option<Value> {
        let at = self.at.load(Relaxed);
        match with_held(&self.list, |list| list.get(at))? {
            Some(item) => {
                self.at.store(at + 1, Relaxed);
                Some(item)
            }
            None => {
                if at != PARKED {
                    drop(self.list.swap(None));
                }
                None
            }
        }
    }
}

#[pymethods]
impl ListIter {
    #[slot]
    fn __iter__(_vm: &Vm, this: &Py<ListIter>) -> Res<Value> {
        Ok(this.to_value())
    }

    #[slot]
    fn __next__(_vm: &Vm, this: &Py<ListIter>) -> Res<Option<Value>> {
        Ok(this.next_item())
    }

    /// Private method returning an estimate of len(list(it)).
    #[pymethod(sig = "($self, /)")]
    fn __length_hint__(_vm: &Vm, this: &Py<ListIter>) -> Res<usize> {
        Ok(this
            .list
            .get()
            .map_or(0, |list| list.len().saturating_sub(this.at.load(Relaxed))))
    }

    /// Return state information for pickling.
    #[pymethod(sig = "($self, /)")]
    fn __reduce__(vm: &Vm, this: &Py<ListIter>) -> Res<Value> {
        let iter = builtin(vm, crate::intern!("iter"))?;
        Ok(match this.list.get() {
            Some(list) => state_of(iter, list.into_value(), this.at.load(Relaxed) as isize),
            None => state_of_exhausted(iter, List::new(Vec::new()).into_value()),
        })
    }

    /// Set state information for unpickling.
    #[pymethod(sig = "($self, object, /)")]
    fn __setstate__(_vm: &Vm, this: &Py<ListIter>, object: isize) -> Res<()> {
        if let Some(list) = this.list.get() {
            let at = if object < 0 {
                PARKED
            } else {
                (object as usize).min(list.len())
            };
            this.at.store(at, Relaxed);
        }
        Ok(())
    }
}

/// `(function, (container,), position)`
fn state_of(function: Value, container: Value, at: isize) -> Value {
    let args = Tuple::from_array([container]).into_value();
    Tuple::from_array([function, args, Value::int(at as i64)]).into_value()
}

/// `(function, (empty,))`
fn state_of_exhausted(function: Value, empty: Value) -> Value {
    Tuple::pair(function, Tuple::from_array([empty]).into_value()).into_value()
}

/// `reversed(list)`
#[pyclass(name = "list_reverseiterator", no_new)]
pub struct ListReverseIter {
    list: PySlot<List>,
    /// The next item's number.
    at: AtomicIsize,
}

impl ListReverseIter {
    pub fn over(list: &Py<List>) -> Py<ListReverseIter> {
        Py::new(ListReverseIter {
            list: PySlot::new(list.clone()),
            at: AtomicIsize::new(list.len() as isize - 1),
        })
    }
}

#[pymethods]
impl ListReverseIter {
    #[slot]
    fn __iter__(_vm: &Vm, this: &Py<ListReverseIter>) -> Res<Value> {
        Ok(this.to_value())
    }

    #[slot]
    fn __next__(_vm: &Vm, this: &Py<ListReverseIter>) -> Res<Option<Value>> {
        let at = this.at.load(Relaxed);
        let item = with_held(&this.list, |list| usize::try_from(at).ok().and_then(|at| list.get(at)));
        if let Some(Some(item)) = item {
            this.at.store(at - 1, Relaxed);
            return Ok(Some(item));
        }
        this.at.store(-1, Relaxed);
        drop(this.list.swap(None));
        Ok(None)
    }

    /// Private method returning an estimate of len(list(it)).
    #[pymethod(sig = "($self, /)")]
    fn __length_hint__(_vm: &Vm, this: &Py<ListReverseIter>) -> Res<isize> {
        let left = this.at.load(Relaxed) + 1;
        Ok(this
            .list
            .get()
            .map_or(0, |list| if list.len() as isize >= left { left } else { 0 }))
    }

    /// Return state information for pickling.
    #[pymethod(sig = "($self, /)")]
    fn __reduce__(vm: &Vm, this: &Py<ListReverseIter>) -> Res<Value> {
        // Looking the name up may run code that uses the iterator.
        let reversed = builtin(vm, crate::intern!("reversed"))?;
        Ok(match this.list.get() {
            Some(list) => state_of(reversed, list.into_value(), this.at.load(Relaxed)),
            None => state_of_exhausted(builtin(vm, crate::intern!("iter"))?, List::new(Vec::new()).into_value()),
        })
    }

    /// Set state information for unpickling.
    #[pymethod(sig = "($self, object, /)")]
    fn __setstate__(_vm: &Vm, this: &Py<ListReverseIter>, object: isize) -> Res<()> {
        if let Some(list) = this.list.get() {
            this.at.store(object.clamp(-1, list.len() as isize - 1), Relaxed);
        }
        Ok(())
    }
}

/// `iter(tuple)`
#[pyclass(name = "tuple_iterator", no_new)]
pub struct TupleIter {
    tuple: PySlot<Tuple>,
    at: AtomicUsize,
}

impl TupleIter {
    #[inline]
    pub fn over(tuple: &Py<Tuple>) -> Py<TupleIter> {
        Py::new(TupleIter {
            tuple: PySlot::new(tuple.clone()),
            at: AtomicUsize::new(0),
        })
    }

    /// As [`ListIter::next_alone`].
    ///
    /// # Safety
    /// No other thread can run meanwhile.
    #[inline(always)]
    pub(crate) unsafe fn next_alone(&self) -> u64 {
        // SAFETY: the slot holds a tuple, or nothing; by contract nobody changes it.
        unsafe {
            match (*std::ptr::from_ref(self.tuple.raw()).cast::<Option<Py<Tuple>>>()).as_ref() {
                Some(tuple) => tuple.as_slice().get(self.at.load(Relaxed)).map_or(0, Value::bits),
                None => 0,
            }
        }
    }

    /// Goes on to the item behind the one that [`TupleIter::next_alone`] gave.
    #[inline(always)]
    pub(crate) fn advance_alone(&self) {
        self.at.store(self.at.load(Relaxed) + 1, Relaxed);
    }

    /// The next item.
    #[inline(always)]
    pub fn next_item(&self) -> Option<Value> {
        let at = self.at.load(Relaxed);
        match with_held(&self.tuple, |tuple| tuple.get(at).cloned())? {
            Some(item) => {
                self.at.store(at + 1, Relaxed);
                Some(item)
            }
            None => {
                drop(self.tuple.swap(None));
                None
            }
        }
    }
}

#[pymethods]
impl TupleIter {
    #[slot]
    fn __iter__(_vm: &Vm, this: &Py<TupleIter>) -> Res<Value> {
        Ok(this.to_value())
    }

    #[slot]
    fn __next__(_vm: &Vm, this: &Py<TupleIter>) -> Res<Option<Value>> {
        Ok(this.next_item())
    }

    /// Private method returning an estimate of len(list(it)).
    #[pymethod(sig = "($self, /)")]
    fn __length_hint__(_vm: &Vm, this: &Py<TupleIter>) -> Res<usize> {
        Ok(this
            .tuple
            .get()
            .map_or(0, |tuple| tuple.len().saturating_sub(this.at.load(Relaxed))))
    }

    /// Return state information for pickling.
    #[pymethod(sig = "($self, /)")]
    fn __reduce__(vm: &Vm, this: &Py<TupleIter>) -> Res<Value> {
        let iter = builtin(vm, crate::intern!("iter"))?;
        Ok(match this.tuple.get() {
            Some(tuple) => state_of(iter, tuple.into_value(), this.at.load(Relaxed) as isize),
            None => state_of_exhausted(iter, Tuple::empty().into_value()),
        })
    }

    /// Set state information for unpickling.
    #[pymethod(sig = "($self, object, /)")]
    fn __setstate__(_vm: &Vm, this: &Py<TupleIter>, object: isize) -> Res<()> {
        if let Some(tuple) = this.tuple.get() {
            this.at.store(object.clamp(0, tuple.len() as isize) as usize, Relaxed);
        }
        Ok(())
    }
}

/// `iter` of what has `__getitem__` but no `__iter__`.
#[pyclass(name = "iterator", no_new)]
pub struct SequenceIterator {
    seq: Slot,
    at: AtomicIsize,
}

impl SequenceIterator {
    pub fn new_value(seq: &Value) -> Value {
        Py::new(SequenceIterator {
            seq: Slot::new(seq.clone()),
            at: AtomicIsize::new(0),
        })
        .into_value()
    }
}

#[pymethods]
impl SequenceIterator {
    #[slot]
    fn __iter__(_vm: &Vm, this: &Py<SequenceIterator>) -> Res<Value> {
        Ok(this.to_value())
    }

    #[slot]
    fn __next__(vm: &Vm, this: &Py<SequenceIterator>) -> Res<Option<Value>> {
        let Some(seq) = this.seq.get() else { return Ok(None) };
        let at = this.at.load(Relaxed);
        if at == isize::MAX {
            return Err(vm.overflow_error("iter index too large"));
        }
        match vm.getitem(&seq, &Value::int(at as i64)) {
            Ok(item) => {
                this.at.store(at + 1, Relaxed);
                Ok(Some(item))
            }
            Err(exc) if is_end(&exc) => {
                drop(this.seq.take());
                Ok(None)
            }
            Err(exc) => Err(exc),
        }
    }

    /// Private method returning an estimate of len(list(it)).
    #[pymethod(sig = "($self, /)")]
    fn __length_hint__(vm: &Vm, this: &Py<SequenceIterator>) -> Res<Value> {
        let Some(seq) = this.seq.get() else {
            return Ok(Value::int(0));
        };
        if seq.ty().slots().len.is_none() {
            return Ok(Value::NOT_IMPLEMENTED);
        }
        let left = vm.len(&seq)? as isize - this.at.load(Relaxed);
        Ok(Value::int(left.max(0) as i64))
    }

    /// Return state information for pickling.
    #[pymethod(sig = "($self, /)")]
    fn __reduce__(vm: &Vm, this: &Py<SequenceIterator>) -> Res<Value> {
        let iter = builtin(vm, crate::intern!("iter"))?;
        Ok(match this.seq.get() {
            Some(seq) => state_of(iter, seq, this.at.load(Relaxed)),
            None => state_of_exhausted(iter, Tuple::empty().into_value()),
        })
    }

    /// Set state information for unpickling.
    #[pymethod(sig = "($self, object, /)")]
    fn __setstate__(_vm: &Vm, this: &Py<SequenceIterator>, object: isize) -> Res<()> {
        if !this.seq.is_empty() {
            this.at.store(object.max(0), Relaxed);
        }
        Ok(())
    }
}

/// `iter(callable, sentinel)`
#[pyclass(name = "callable_iterator", no_new)]
pub struct CallableIter {
    callable: Slot,
    sentinel: Slot,
}

impl CallableIter {
    pub fn new_value(callable: &Value, sentinel: &Value) -> Value {
        Py::new(CallableIter {
            callable: Slot::new(callable.clone()),
            sentinel: Slot::new(sentinel.clone()),
        })
        .into_value()
    }

    fn exhaust(&self) {
        drop(self.callable.take());
        drop(self.sentinel.take());
    }
}

#[pymethods]
impl CallableIter {
    #[slot]
    fn __iter__(_vm: &Vm, this: &Py<CallableIter>) -> Res<Value> {
        Ok(this.to_value())
    }

    #[slot]
    fn __next__(vm: &Vm, this: &Py<CallableIter>) -> Res<Option<Value>> {
        let Some(callable) = this.callable.get() else {
            return Ok(None);
        };
        let result = match vm.call(&callable, &[]) {
            Ok(result) => result,
            Err(exc) => {
                if exc.is_instance(crate::types::exceptions::STOP_ITERATION.get()) {
                    this.exhaust();
                    return Ok(None);
                }
                return Err(exc);
            }
        };
        // The call may have exhausted the iterator itself.
        let Some(sentinel) = this.sentinel.get() else {
            return Ok(None);
        };
        if vm.eq(&sentinel, &result)? {
            this.exhaust();
            return Ok(None);
        }
        Ok(Some(result))
    }

    /// Return state information for pickling.
    #[pymethod(sig = "($self, /)")]
    fn __reduce__(vm: &Vm, this: &Py<CallableIter>) -> Res<Value> {
        let iter = builtin(vm, crate::intern!("iter"))?;
        Ok(match (this.callable.get(), this.sentinel.get()) {
            (Some(callable), Some(sentinel)) => {
                Tuple::pair(iter, Tuple::pair(callable, sentinel).into_value()).into_value()
            }
            _ => state_of_exhausted(iter, Tuple::empty().into_value()),
        })
    }
}

/// `reversed` of what has no `__reversed__`.
#[pyclass(
    name = "reversed",
    basetype,
    doc = "Return a reverse iterator over the values of the given sequence."
)]
pub struct Reversed {
    seq: Slot,
    /// The next item's number.
    at: AtomicIsize,
}

#[pymethods]
impl Reversed {
    #[slot(sig = "(sequence, /)")]
    fn __new__(vm: &Vm, cls: &Py<Type>, sequence: &Value) -> Res<Value> {
        let name = crate::intern!("__reversed__");
        let not_reversible = || vm.type_error(format!("'{}' object is not reversible", sequence.ty().name()));
        if let Some(method) = sequence.ty().lookup(vm, name) {
            if method.is_none() {
                return Err(not_reversible());
            }
            return vm.call_special(sequence, name, &[]);
        }
        if sequence.ty().slots().getitem.is_none() || sequence.downcast::<Dict>().is_some() {
            return Err(not_reversible());
        }
        let at = vm.len(sequence)? as isize - 1;
        Ok(Py::with_class(
            cls,
            Reversed {
                seq: Slot::new(sequence.clone()),
                at: AtomicIsize::new(at),
            },
        )
        .into_value())
    }

    #[slot]
    fn __iter__(_vm: &Vm, this: &Py<Reversed>) -> Res<Value> {
        Ok(this.to_value())
    }

    #[slot]
    fn __next__(vm: &Vm, this: &Py<Reversed>) -> Res<Option<Value>> {
        let at = this.at.load(Relaxed);
        if at >= 0
            && let Some(seq) = this.seq.get()
        {
            match vm.getitem(&seq, &Value::int(at as i64)) {
                Ok(item) => {
                    this.at.store(at - 1, Relaxed);
                    return Ok(Some(item));
                }
                Err(exc) if !is_end(&exc) => return Err(exc),
                Err(_) => {}
            }
        }
        this.at.store(-1, Relaxed);
        drop(this.seq.take());
        Ok(None)
    }

    /// Private method returning an estimate of len(list(it)).
    #[pymethod(sig = "($self, /)")]
    fn __length_hint__(vm: &Vm, this: &Py<Reversed>) -> Res<isize> {
        let Some(seq) = this.seq.get() else { return Ok(0) };
        let (len, left) = (vm.len(&seq)? as isize, this.at.load(Relaxed) + 1);
        Ok(if len < left { 0 } else { left })
    }

    /// Return state information for pickling.
    #[pymethod(sig = "($self, /)")]
    fn __reduce__(_vm: &Vm, this: &Py<Reversed>) -> Res<Value> {
        let class = this.class().to_value();
        Ok(match this.seq.get() {
            Some(seq) => state_of(class, seq, this.at.load(Relaxed)),
            None => state_of_exhausted(class, Tuple::empty().into_value()),
        })
    }

    /// Set state information for unpickling.
    #[pymethod(sig = "($self, object, /)")]
    fn __setstate__(vm: &Vm, this: &Py<Reversed>, object: isize) -> Res<()> {
        if let Some(seq) = this.seq.get() {
            let len = vm.len(&seq)? as isize;
            this.at.store(object.clamp(-1, len - 1), Relaxed);
        }
        Ok(())
    }
}
