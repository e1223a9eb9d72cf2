//! The methods of `list`.
//!
//! Invariant: one method call is one step for other threads, except where it must run Python code in between.

use super::common::{class_getitem, full_name, holds, repr_items};
use super::dict::Dict;
use super::dict_views::view_items;
use super::list::{List, repeated, surely_equal};
use super::range::RangeIterator;
use super::seq_iter::{ListIter, ListReverseIter};
use super::set::{FrozenSet, Set};
use super::slice::{Slice, clamp_range, index_argument};
use super::tuple::Tuple;
use crate::native::{Args, CmpOp, pymethods};
use crate::object::{Obj, Py, Type, Value};
use crate::sync::parallel;
use crate::vm::{Exc, Res, Vm};

#[pymethods]
impl List {
    #[slot]
    fn __new__(_vm: &Vm, cls: &Py<Type>, _args: Args<'_>) -> Res<Value> {
        Ok(List::new_of(cls, Vec::new()).into_value())
    }

    #[slot(sig = "(iterable=(), /)")]
    fn __init__(vm: &Vm, this: &Py<List>, iterable: Option<&Value>) -> Res<()> {
        drop(this.take_all(vm)?);
        match iterable {
            Some(iterable) => this.extend(vm, iterable),
            None => Ok(()),
        }
    }

    #[slot]
    fn __repr__(vm: &Vm, this: &Py<List>) -> Res<Value> {
        if this.is_empty() {
            return Ok(Value::from("[]"));
        }
        let Some(_guard) = vm.repr_enter(this.as_value()) else {
            return Ok(Value::from("[...]"));
        };
        repr_items(vm, "[", &this.try_snapshot(vm)?, "]")
    }

    #[slot]
    fn __len__(_vm: &Vm, this: &Py<List>) -> Res<usize> {
        Ok(this.len())
    }

    #[slot]
    fn __iter__(_vm: &Vm, this: &Py<List>) -> Res<Value> {
        Ok(ListIter::over(this).into_value())
    }

    #[slot]
    fn __contains__(vm: &Vm, this: &Py<List>, item: &Value) -> Res<bool> {
        Ok(this.find(vm, item, 0, usize::MAX)?.is_some())
    }

    #[slot]
    fn __getitem__(vm: &Vm, this: &Py<List>, key: &Value) -> Res<Value> {
        if let Some(index) = key.as_small_int() {
            return this
                .get_index(index as isize)
                .ok_or_else(|| vm.index_error("list index out of range"));
        }
        if let Some(slice) = key.downcast_exact::<Slice>() {
            let items = this.slice_items(slice.unpack(vm)?).ok_or_else(|| vm.memory_error())?;
            return Ok(List::new(items).into_value());
        }
        let index = index_of(vm, key)?;
        this.get_index(index as isize)
            .ok_or_else(|| vm.index_error("list index out of range"))
    }

    #[slot]
    fn __setitem__(vm: &Vm, this: &Py<List>, key: &Value, value: Option<&Value>) -> Res<()> {
        if let Some(slice) = key.downcast_exact::<Slice>() {
            let bounds = slice.unpack(vm)?;
            return match value {
                Some(value) => assign_slice(vm, this, bounds, value),
                None => {
                    this.delete_slice(vm, bounds)?;
                    Ok(())
                }
            };
        }
        let index = match key.as_small_int() {
            Some(index) => index,
            None => index_of(vm, key)?,
        };
        let found = match value {
            Some(value) => return this.set_index(vm, index as isize, value.clone()),
            None => {
                let removed = this.with(|items| {
                    let at = if index < 0 {
                        index.wrapping_add(items.len() as i64)
                    } else {
                        index
                    };
                    usize::try_from(at)
                        .ok()
                        .filter(|&at| at < items.len())
                        .map(|at| items.remove(at))
                });
                removed.is_some()
            }
        };
        if found {
            Ok(())
        } else {
            Err(vm.index_error("list assignment index out of range"))
        }
    }

    #[slot]
    fn __richcompare__(vm: &Vm, this: &Py<List>, other: &Value, op: CmpOp) -> Res<Value> {
        match other.downcast::<List>() {
            Some(other) => compare(vm, this, other, op),
            None => Ok(Value::NOT_IMPLEMENTED),
        }
    }

    #[slot]
    fn __concat__(vm: &Vm, this: &Py<List>, other: &Value) -> Res<Value> {
        let Some(theirs) = other.downcast::<List>() else {
            let message = format!("can only concatenate list (not \"{}\") to list", full_name(other.ty()));
            return Err(vm.type_error(message));
        };
        let all = this.concatenated(theirs).ok_or_else(|| vm.memory_error())?;
        Ok(List::new(all).into_value())
    }

    #[slot]
    fn __inplace_concat__(vm: &Vm, this: &Py<List>, other: &Value) -> Res<Value> {
        this.extend(vm, other)?;
        Ok(this.to_value())
    }

    #[slot]
    fn __repeat__(vm: &Vm, this: &Py<List>, n: isize) -> Res<Value> {
        let n = usize::try_from(n).unwrap_or(0);
        let all = this.with(|items| repeated(items, n)).ok_or_else(|| vm.memory_error())?;
        Ok(List::new(all).into_value())
    }

    #[slot]
    fn __inplace_repeat__(vm: &Vm, this: &Py<List>, n: isize) -> Res<Value> {
        let Some(n) = usize::try_from(n).ok().filter(|&n| n > 0) else {
            drop(this.take_all(vm)?);
            return Ok(this.to_value());
        };
        let fits = this.with(|items| {
            let len = items.len();
            let fits = len
                .checked_mul(n - 1)
                .is_some_and(|more| items.try_reserve(more).is_ok());
            fits && (len == 0 || (1..n).all(|_| items.extend_from_within(len).is_ok()))
        });
        if fits {
            Ok(this.to_value())
        } else {
            Err(vm.memory_error())
        }
    }

    /// Return a reverse iterator over the list.
    #[pymethod(sig = "($self, /)")]
    fn __reversed__(_vm: &Vm, this: &Py<List>) -> Res<Value> {
        Ok(ListReverseIter::over(this).into_value())
    }

    /// Return the size of the list in memory, in bytes.
    #[pymethod(sig = "($self, /)")]
    fn __sizeof__(_vm: &Vm, this: &Py<List>) -> Res<usize> {
        Ok(size_of::<Obj<List>>() + this.with(|items| items.capacity()) * size_of::<Value>())
    }

    /// See PEP 585
    #[classmethod(sig = "($type, object, /)")]
    fn __class_getitem__(vm: &Vm, cls: &Py<Type>, object: &Value) -> Res<Value> {
        class_getitem(vm, cls, object)
    }

    /// Remove all items from list.
    #[pymethod(sig = "($self, /)")]
    fn clear(vm: &Vm, this: &Py<List>) -> Res<()> {
        drop(this.take_all(vm)?);
        Ok(())
    }

    /// Return a shallow copy of the list.
    #[pymethod(sig = "($self, /)")]
    fn copy(vm: &Vm, this: &Py<List>) -> Res<Value> {
        let items = this.slice_items((None, None, 1)).ok_or_else(|| vm.memory_error())?;
        Ok(List::new(items).into_value())
    }

    /// Append object to the end of the list.
    #[pymethod(sig = "($self, object, /)", known = Append)]
    fn append(vm: &Vm, this: &Py<List>, object: &Value) -> Res<()> {
        this.push(vm, object.clone())
    }

    /// Insert object before index.
    #[pymethod(sig = "($self, index, object, /)")]
    fn insert(vm: &Vm, this: &Py<List>, index: isize, object: &Value) -> Res<()> {
        let object = object.clone();
        let fits = this.with(|items| {
            let at = clamp_range(index, isize::MAX, items.len()).start;
            items.insert(at, object)
        });
        fits.map_err(|_| vm.memory_error())
    }

    /// Extend list by appending elements from the iterable.
    #[pymethod(sig = "($self, iterable, /)")]
    fn extend(vm: &Vm, this: &Py<List>, iterable: &Value) -> Res<()> {
        Py::<List>::extend(this, vm, iterable)
    }

    /// Remove and return item at index (default last).
    ///
    /// Raises IndexError if list is empty or index is out of range.
    #[pymethod(sig = "($self, index=-1, /)", known = Pop)]
    fn pop(vm: &Vm, this: &Py<List>, index: isize) -> Res<Value> {
        let popped = this.with(|items| {
            if index == -1 {
                return items.pop().ok_or(true);
            }
            let at = if index < 0 {
                index.wrapping_add_unsigned(items.len())
            } else {
                index
            };
            match usize::try_from(at) {
                Ok(at) if at < items.len() => Ok(items.remove(at)),
                _ => Err(items.is_empty()),
            }
        });
        popped.map_err(|empty| {
            vm.index_error(if empty {
                "pop from empty list"
            } else {
                "pop index out of range"
            })
        })
    }

    /// Remove first occurrence of value.
    ///
    /// Raises ValueError if the value is not present.
    #[pymethod(sig = "($self, value, /)")]
    fn remove(vm: &Vm, this: &Py<List>, value: &Value) -> Res<()> {
        match this.find(vm, value, 0, usize::MAX)? {
            Some(at) => {
                drop(this.remove_at(at));
                Ok(())
            }
            None => Err(vm.value_error("list.remove(x): x not in list")),
        }
    }

    /// Return first index of value.
    ///
    /// Raises ValueError if the value is not present.
    #[pymethod(sig = "($self, value, start=0, stop=sys.maxsize, /)")]
    fn index(vm: &Vm, this: &Py<List>, value: &Value, start: Option<&Value>, stop: Option<&Value>) -> Res<usize> {
        let (start, stop) = (index_argument(vm, start, 0)?, index_argument(vm, stop, isize::MAX)?);
        let range = clamp_range(start, stop, this.len());
        match this.find(vm, value, range.start, range.end)? {
            Some(at) => Ok(at),
            None => Err(vm.value_error("list.index(x): x not in list")),
        }
    }

    /// Return number of occurrences of value.
    #[pymethod(sig = "($self, value, /)")]
    fn count(vm: &Vm, this: &Py<List>, value: &Value) -> Res<usize> {
        let (mut count, mut at) = (0, 0);
        while let Some(found) = this.find(vm, value, at, usize::MAX)? {
            count += 1;
            at = found + 1;
        }
        Ok(count)
    }

    /// Reverse *IN PLACE*.
    #[pymethod(sig = "($self, /)")]
    fn reverse(_vm: &Vm, this: &Py<List>) -> Res<()> {
        this.with(|items| items.reverse());
        Ok(())
    }

    /// Sort the list in ascending order and return None.
    ///
    /// The sort is in-place (i.e. the list itself is modified) and stable (i.e. the
    /// order of two equal elements is maintained).
    ///
    /// If a key function is given, apply it once to each list item and sort them,
    /// ascending or descending, according to their function values.
    ///
    /// The reverse flag can be set to sort in descending order.
    #[pymethod(sig = "($self, /, *, key=None, reverse=False)")]
    fn sort(vm: &Vm, this: &Py<List>, key: Option<&Value>, reverse: bool) -> Res<()> {
        super::list_sort::sort_list(vm, this, key, reverse)
    }
}

impl Py<List> {
    /// Appends the items of an iterable.
    pub fn extend(&self, vm: &Vm, iterable: &Value) -> Res<()> {
        if let Some(list) = iterable.downcast_exact::<List>() {
            return self.extend_list(vm, list);
        }
        if iterable.is(self.as_value()) {
            // A subclass: reading what is being appended would never end.
            return self.extend_list(vm, self);
        }
        if let Some(tuple) = iterable.downcast_exact::<Tuple>() {
            return self.extend_slice(vm, tuple);
        }
        if let Some(items) = known_items(vm, iterable)? {
            return self.extend_vec(vm, items);
        }
        let iterator = vm.iter(iterable)?;
        // A hint may be wrong: no more is taken on trust than does no harm.
        let hint = vm.length_hint(iterable, 8)?.min(1 << 20);
        if let Some(range) = iterator.downcast_exact::<RangeIterator>() {
            return self.extend_vec(vm, range.take_rest().ok_or_else(|| vm.memory_error())?);
        }
        let fits = self.with(|items| {
            let fits = if items.is_empty() {
                items.try_reserve_exact(hint)
            } else {
                items.try_reserve(hint)
            };
            fits.is_ok()
        });
        if !fits {
            return Err(vm.memory_error());
        }
        while let Some(item) = vm.next(&iterator)? {
            self.push(vm, item)?;
        }
        Ok(())
    }
}

/// The items of a dict, a view of one or a set, taken in one step.
pub(crate) fn known_items(vm: &Vm, iterable: &Value) -> Res<Option<Vec<Value>>> {
    if let Some(dict) = iterable.downcast_exact::<Dict>() {
        return dict.try_keys(vm).map(Some);
    }
    if let Some(set) = iterable.downcast_exact::<Set>() {
        return set.any().keys(vm).map(Some);
    }
    if let Some(set) = iterable.downcast_exact::<FrozenSet>() {
        return set.any().keys(vm).map(Some);
    }
    view_items(vm, iterable)
}

/// An index that is no immediate int.
#[cold]
fn index_of(vm: &Vm, key: &Value) -> Res<i64> {
    if key.ty().slots().index.is_none() {
        let message = format!("list indices must be integers or slices, not {}", key.ty().name());
        return Err(vm.type_error(message));
    }
    Ok(vm.index_to_isize(key)? as i64)
}

fn assign_slice(vm: &Vm, this: &Py<List>, bounds: (Option<isize>, Option<isize>, isize), value: &Value) -> Res<()> {
    let message = "must assign iterable to extended slice";
    let new = collect_or(vm, value, message)?;
    let given = new.len();
    match this.assign_slice(vm, bounds, new)? {
        Ok(()) => Ok(()),
        Err(wanted) => {
            let message = format!("attempt to assign sequence of size {given} to extended slice of size {wanted}");
            Err(vm.value_error(message))
        }
    }
}

/// The items of an iterable, or a `TypeError` of this text for what is none.
pub(crate) fn collect_or(vm: &Vm, value: &Value, message: &str) -> Res<Vec<Value>> {
    if let Some(list) = value.downcast_exact::<List>() {
        return list.try_snapshot(vm);
    }
    if let Some(tuple) = value.downcast_exact::<Tuple>() {
        return Ok(tuple.as_slice().to_vec());
    }
    let type_error = crate::types::exceptions::TYPE_ERROR.get();
    let reword = |exc: Exc| {
        if exc.is_instance(type_error) {
            vm.type_error(message)
        } else {
            exc
        }
    };
    let iterator = vm.iter(value).map_err(reword)?;
    vm.collect(&iterator)
}

fn compare(vm: &Vm, a: &Py<List>, b: &Py<List>, op: CmpOp) -> Res<Value> {
    if matches!(op, CmpOp::Eq | CmpOp::Ne) && a.len() != b.len() {
        return Ok(Value::from_bool(op == CmpOp::Ne));
    }
    let mut at = 0;
    if !parallel() {
        // SAFETY: no other thread runs, and no Python code.
        let (mine, theirs) = unsafe { (a.items_alone(), b.items_alone()) };
        let known = |(mine, theirs): &(&Value, &Value)| surely_equal(mine, theirs) == Some(true);
        at = mine.iter().zip(theirs).take_while(known).count();
        if at == mine.len().min(theirs.len()) {
            return Ok(Value::from_bool(holds(op, mine.len(), theirs.len())));
        }
    }
    let _guard = vm.enter_recursive(" in comparison")?;
    // The lists may change while their items are compared.
    while let (Some(mine), Some(theirs)) = (a.get(at), b.get(at)) {
        let same = match surely_equal(&mine, &theirs) {
            Some(same) => same,
            None => vm.eq(&mine, &theirs)?,
        };
        if !same {
            if at >= a.len() || at >= b.len() {
                break;
            }
            return match op {
                CmpOp::Eq => Ok(Value::FALSE),
                CmpOp::Ne => Ok(Value::TRUE),
                _ => vm.rich_compare(&mine, &theirs, op),
            };
        }
        at += 1;
    }
    Ok(Value::from_bool(holds(op, a.len(), b.len())))
}
