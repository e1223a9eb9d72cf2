//! `list`: a growing array. Its methods are in `list_methods`, sorting in `list_sort`.
//!
//! Invariant: the items are reached through [`Py::<List>::with`], which holds the object's lock (what it is given runs no
//! Python code and drops no items), but for one item that is read and the length: see `list_items`. Growth asks for memory first
//! and fails with `MemoryError`.

use super::common::lock;
use super::list_items::{Items, Store, clone_to_end, room_for};
pub(crate) use super::list_methods::known_items;
use super::slice::{SliceRange, adjust_bounds};
use crate::native::pyclass;
use crate::object::{Native, Py, Slot, Type, TypeFlags, Value};
use crate::sync::{biased, lock_objects, parallel};
use crate::types::bytes::Bytes;
use crate::types::str::Str;
use crate::types::tuple::Tuple;
use crate::vm::{Res, Vm};

/// A mutable sequence.
#[pyclass(
    name = "list",
    late_end,
    basetype,
    sequence,
    unhashable,
    flags = TypeFlags::LIST_SUBCLASS,
    doc = "Built-in mutable sequence.\n\nIf no argument is given, the constructor creates a new empty list.\nThe argument must be an iterable if specified."
)]
pub struct List {
    items: Store,
}

impl List {
    /// The payload, for subclasses implemented in Rust.
    #[inline]
    pub fn payload(items: Vec<Value>) -> List {
        List {
            items: Store::new(items),
        }
    }

    #[inline]
    pub fn new(items: Vec<Value>) -> Py<List> {
        Py::new(List::payload(items))
    }

    pub fn new_of(cls: &Py<Type>, items: Vec<Value>) -> Py<List> {
        Py::with_class(cls, List::payload(items))
    }

    #[inline(always)]
    pub fn len(&self) -> usize {
        self.items.len()
    }

    #[inline(always)]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// What a lookup can know of two values without Python code.
#[inline(always)]
pub fn surely_equal(a: &Value, b: &Value) -> Option<bool> {
    if a.is(b) {
        return Some(true);
    }
    if a.is_small_int() && b.is_small_int() {
        return Some(false);
    }
    if let (Some(a), Some(b)) = (a.downcast_exact::<Str>(), b.downcast_exact::<Str>()) {
        return Some(a.text_eq(b));
    }
    None
}

/// What a lookup can know without Python code of two keys whose hashes are the same: as [`surely_equal`], and it looks into bytes and, `depth` levels
/// deep, into tuples.
#[inline]
pub(crate) fn surely_same_key(a: &Value, b: &Value, depth: u32) -> Option<bool> {
    match surely_equal(a, b) {
        None if a.is_heap() && b.is_heap() => same_contents(a, b, depth),
        known => known,
    }
}

fn same_contents(a: &Value, b: &Value, depth: u32) -> Option<bool> {
    if let (Some(a), Some(b)) = (a.downcast_exact::<Tuple>(), b.downcast_exact::<Tuple>()) {
        if a.len() != b.len() {
            return Some(false);
        }
        let depth = depth.checked_sub(1)?;
        for (mine, theirs) in a.as_slice().iter().zip(b.as_slice()) {
            if !surely_same_key(mine, theirs, depth)? {
                return Some(false);
            }
        }
        return Some(true);
    }
    let (a, b) = (a.downcast_exact::<Bytes>()?, b.downcast_exact::<Bytes>()?);
    Some(a.as_slice() == b.as_slice())
}

impl Py<List> {
    /// Calls `f` with the items, locked. `f` runs no Python code and drops no items.
    #[inline(always)]
    pub fn with<R>(&self, f: impl FnOnce(&mut Items<'_>) -> R) -> R {
        let _guard = lock(self.header());
        // SAFETY: the lock is held, and by the contract on `f` this thread is not inside already.
        f(&mut unsafe { Items::new(&self.items, self.header()) })
    }

    /// The items.
    ///
    /// # Safety
    /// No other thread changes the list, and it is not changed here as long as the result is used.
    #[inline(always)]
    pub(crate) unsafe fn items_alone(&self) -> &[Value] {
        // SAFETY: by contract.
        unsafe { self.items.slice() }
    }

    /// Appends if there is room; gives the item back otherwise.
    ///
    /// # Safety
    /// No other thread uses the list meanwhile.
    #[inline(always)]
    pub(crate) unsafe fn push_alone(&self, item: Value) -> Result<(), Value> {
        // SAFETY: by contract.
        unsafe { self.items.push_alone(item) }
    }

    /// As [`List::push_alone`], of a value's word, whose reference is the list's if the result is true.
    ///
    /// # Safety
    /// No other thread uses the list meanwhile.
    #[inline(always)]
    pub(crate) unsafe fn push_word_alone(&self, word: u64) -> bool {
        // SAFETY: by contract.
        unsafe { self.items.push_word_alone(word) }
    }

    /// Takes the last item.
    ///
    /// # Safety
    /// No other thread uses the list meanwhile.
    #[inline(always)]
    pub(crate) unsafe fn pop_alone(&self) -> Option<Value> {
        // SAFETY: by contract.
        unsafe { self.items.pop_alone() }
    }

    /// The place of item number `at`, counted from the end if negative.
    ///
    /// # Safety
    /// No other thread changes the list, and it is not changed here otherwise, as long as the result is used.
    #[inline(always)]
    pub(crate) unsafe fn place_alone(&self, at: i64) -> Option<&Slot> {
        // SAFETY: by contract.
        unsafe { self.items.place_alone(at) }
    }

    /// Calls `f` with the items of two lists, locked; `None` for the second if it is the same list.
    fn with_both<R>(&self, other: &Py<List>, f: impl FnOnce(&mut Items<'_>, Option<&[Value]>) -> R) -> R {
        let _guard = lock_objects(self.header(), other.header());
        // SAFETY: both locks are held; if both lists are the same one, only one view is made.
        unsafe {
            let theirs = if self.is(other) {
                None
            } else {
                Some(other.items.slice())
            };
            f(&mut Items::new(&self.items, self.header()), theirs)
        }
    }

    /// Item number `at`.
    #[inline(always)]
    pub fn get(&self, at: usize) -> Option<Value> {
        if parallel()
            && biased::is_raced(self.header())
            && let Some(found) = self.items.get_racing(at)
        {
            return found;
        }
        self.with(|items| Some(items.get(at)?.clone()))
    }

    /// `self[index]`, counted from the end if negative.
    #[inline(always)]
    pub fn get_index(&self, index: isize) -> Option<Value> {
        if index >= 0 {
            return self.get(index as usize);
        }
        self.with(|items| items.get(index.wrapping_add_unsigned(items.len()) as usize).cloned())
    }

    /// `self[index] = value`
    #[inline(always)]
    pub fn set_index(&self, vm: &Vm, index: isize, value: Value) -> Res<()> {
        let old = self.with(|items| {
            let at = if index < 0 {
                index.wrapping_add_unsigned(items.len())
            } else {
                index
            };
            if (at as usize) < items.len() {
                Ok(items.replace(at as usize, value))
            } else {
                Err(value)
            }
        });
        match old {
            Ok(_) => Ok(()),
            Err(_) => Err(vm.index_error("list assignment index out of range")),
        }
    }

    /// The items as they are now.
    pub fn snapshot(&self) -> Vec<Value> {
        self.with(|items| items.to_vec())
    }

    /// As [`Py::<List>::snapshot`], for lists of any size.
    pub fn try_snapshot(&self, vm: &Vm) -> Res<Vec<Value>> {
        self.slice_items((None, None, 1)).ok_or_else(|| vm.memory_error())
    }

    /// Takes all items out.
    pub fn take_all(&self, vm: &Vm) -> Res<Vec<Value>> {
        self.with(|items| items.take()).map_err(|_| vm.memory_error())
    }

    /// Appends.
    #[inline(always)]
    pub fn push(&self, vm: &Vm, value: Value) -> Res<()> {
        self.with(|items| items.push(value)).map_err(|_| vm.memory_error())
    }

    /// Appends all of `more`.
    pub fn extend_vec(&self, vm: &Vm, more: Vec<Value>) -> Res<()> {
        self.with(|items| items.append(more)).map_err(|_| vm.memory_error())
    }

    /// Appends further references to `more`.
    pub fn extend_slice(&self, vm: &Vm, more: &[Value]) -> Res<()> {
        self.with(|items| items.extend_from_slice(more))
            .map_err(|_| vm.memory_error())
    }

    /// Appends the items of another list, or of this one.
    pub(super) fn extend_list(&self, vm: &Vm, other: &Py<List>) -> Res<()> {
        let extended = self.with_both(other, |items, theirs| match theirs {
            Some(theirs) => items.extend_from_slice(theirs),
            None => items.extend_from_within(items.len()),
        });
        extended.map_err(|_| vm.memory_error())
    }

    /// The items of both, in a new `Vec`; `None` without memory.
    pub(crate) fn concatenated(&self, other: &Py<List>) -> Option<Vec<Value>> {
        self.with_both(other, |items, theirs| {
            let theirs = theirs.unwrap_or(items);
            let mut all = room_for(items.len().checked_add(theirs.len())?).ok()?;
            clone_to_end(items, &mut all);
            clone_to_end(theirs, &mut all);
            Some(all)
        })
    }

    /// The items `n` times, in a new `Vec`; `None` without memory.
    pub(crate) fn repeated(&self, n: isize) -> Option<Vec<Value>> {
        self.with(|items| repeated(items, usize::try_from(n).unwrap_or(0)))
    }

    /// The items a slice selects. `bounds` as from `Slice::unpack`; `None` without memory.
    pub(crate) fn slice_items(&self, bounds: (Option<isize>, Option<isize>, isize)) -> Option<Vec<Value>> {
        self.with(|items| {
            let range = adjust_bounds(bounds, items.len());
            let mut selected = room_for(range.count).ok()?;
            match range.contiguous() {
                Some(part) => clone_to_end(&items[part], &mut selected),
                None => selected.extend(range.indices().map(|at| items[at].clone())),
            }
            Some(selected)
        })
    }

    /// `self[bounds] = new`. The inner `Err` is the size of an extended slice that `new` does not fit.
    pub(crate) fn assign_slice(
        &self,
        vm: &Vm,
        bounds: (Option<isize>, Option<isize>, isize),
        mut new: Vec<Value>,
    ) -> Res<Result<(), usize>> {
        let outcome = self.with(|items| {
            let range = adjust_bounds(bounds, items.len());
            if let Some(part) = range.contiguous() {
                if part.len() == new.len() {
                    new = items.exchange(part, std::mem::take(&mut new));
                    return Some(Ok(()));
                }
                if items.try_reserve(new.len().saturating_sub(part.len())).is_err() {
                    return None;
                }
                let old = room_for(part.len()).ok()?;
                new = items.replace_range(part, std::mem::take(&mut new), old);
                return Some(Ok(()));
            }
            if range.count != new.len() {
                return Some(Err(range.count));
            }
            for (at, item) in range.indices().zip(&mut new) {
                *item = items.replace(at, std::mem::replace(item, Value::NONE));
            }
            Some(Ok(()))
        });
        // What was replaced is dropped now that the lock is free.
        drop(new);
        outcome.ok_or_else(|| vm.memory_error())
    }

    /// `del self[bounds]`
    pub(super) fn delete_slice(&self, vm: &Vm, bounds: (Option<isize>, Option<isize>, isize)) -> Res<()> {
        let removed = self.with(|items| {
            let range = adjust_bounds(bounds, items.len());
            take_selected(items, range)
        });
        removed.map(drop).ok_or_else(|| vm.memory_error())
    }

    /// The number of the first item from `start` to `stop` that equals `value`.
    pub(super) fn find(&self, vm: &Vm, value: &Value, start: usize, stop: usize) -> Res<Option<usize>> {
        let mut at = start;
        loop {
            // Items that are surely different are passed over under one lock.
            let candidate = self.with(|items| {
                let stop = stop.min(items.len());
                while at < stop {
                    match surely_equal(&items[at], value) {
                        Some(true) => return Some(None),
                        Some(false) => at += 1,
                        None => return Some(Some(items[at].clone())),
                    }
                }
                None
            });
            match candidate {
                None => return Ok(None),
                Some(None) => return Ok(Some(at)),
                Some(Some(item)) => {
                    if vm.eq(&item, value)? {
                        return Ok(Some(at));
                    }
                    at += 1;
                }
            }
        }
    }

    /// Removes item number `at`.
    pub(super) fn remove_at(&self, at: usize) -> Option<Value> {
        self.with(|items| (at < items.len()).then(|| items.remove(at)))
    }

    /// Whether this is exactly a list.
    #[inline(always)]
    pub fn is_exact(&self) -> bool {
        self.class().as_ptr() == List::ty().as_ptr()
    }
}

/// Takes the selected items out and closes the gaps; `None` without memory.
fn take_selected(items: &mut Items<'_>, range: SliceRange) -> Option<Vec<Value>> {
    if range.count == items.len() {
        return items.take().ok();
    }
    let mut taken = Vec::new();
    taken.try_reserve_exact(range.count).ok()?;
    if let Some(part) = range.contiguous() {
        items.drain_to(part, &mut taken);
        return Some(taken);
    }
    let range = range.ascending();
    let (mut write, mut selected) = (range.start as usize, range.indices().peekable());
    if range.count == 0 {
        return Some(taken);
    }
    let first = write;
    for read in first..items.len() {
        if selected.next_if_eq(&read).is_none() {
            items.swap(write, read);
            write += 1;
        }
    }
    items.drain_to(write..items.len(), &mut taken);
    Some(taken)
}

/// `n` times the items one after the other; `None` without memory.
pub(super) fn repeated(items: &[Value], n: usize) -> Option<Vec<Value>> {
    let len = items.len().checked_mul(n)?;
    let mut all = room_for(len).ok()?;
    match items {
        // However often.
        [] => {}
        [item] => all.resize(n, item.clone()),
        _ => (0..n).for_each(|_| all.extend_from_slice(items)),
    }
    Some(all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::header::Header;

    #[test]
    fn replaces_ranges() {
        let numbers = |items: &[Value]| -> Vec<i64> { items.iter().filter_map(Value::as_small_int).collect() };
        let check = |part: std::ops::Range<usize>, new: &[i64], after: &[i64]| {
            let (store, header) = (Store::new((0..5).map(Value::int).collect()), Header::dead());
            // SAFETY: nobody else knows them.
            let mut items = unsafe { Items::new(&store, &header) };
            items.try_reserve(8).unwrap();
            let new = new.iter().map(|&n| Value::int(n)).collect();
            let old = items.replace_range(part.clone(), new, Vec::with_capacity(part.len()));
            assert_eq!(numbers(&items), after);
            assert_eq!(numbers(&old), part.map(|n| n as i64).collect::<Vec<_>>());
        };
        check(1..3, &[7, 8, 9], &[0, 7, 8, 9, 3, 4]);
        check(0..5, &[], &[]);
        check(5..5, &[7], &[0, 1, 2, 3, 4, 7]);
        check(2..2, &[], &[0, 1, 2, 3, 4]);
        check(0..4, &[7], &[7, 4]);
    }

    #[test]
    fn takes_selected_items() {
        let check = |range: SliceRange, left: &[i64]| {
            let (store, header) = (Store::new((0..6).map(Value::int).collect()), Header::dead());
            // SAFETY: nobody else knows them.
            let mut items = unsafe { Items::new(&store, &header) };
            let taken = take_selected(&mut items, range).unwrap();
            let numbers: Vec<i64> = items.iter().filter_map(Value::as_small_int).collect();
            assert_eq!(numbers, left);
            assert_eq!(taken.len() + items.len(), 6);
        };
        check(
            SliceRange {
                start: 0,
                step: 2,
                count: 3,
            },
            &[1, 3, 5],
        );
        check(
            SliceRange {
                start: 5,
                step: -2,
                count: 3,
            },
            &[0, 2, 4],
        );
        check(
            SliceRange {
                start: 1,
                step: 1,
                count: 2,
            },
            &[0, 3, 4, 5],
        );
        check(
            SliceRange {
                start: 5,
                step: -1,
                count: 0,
            },
            &[0, 1, 2, 3, 4, 5],
        );
    }
}
