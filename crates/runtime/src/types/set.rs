//! `set` and `frozenset`: the objects and what both can do. Their methods are in `set_methods`.
//!
//! Invariant: the table is reached under the object's lock, and no Python code runs and no key is dropped there. A lookup that needs
//! `__eq__` takes a reference to the candidate, unlocks, compares, and goes on only if `changes` says that the table is still the same.

use std::cell::UnsafeCell;

use super::common::{hash_of, lock, unhashable};
use super::dict::Dict;
use super::set_table::{NoMemory, SetProbe, SetTable, SetWalk};
use crate::memory::trace::{Trace, Visitor, has_room};
use crate::native::pyclass;
use crate::object::{Native, Py, Type, Value};
use crate::sync::atomic::{AtomicI64, AtomicU32, Ordering::Relaxed};
use crate::sync::{ObjectGuard, lock_objects, parallel};
use crate::types::list::List;
use crate::types::tuple::Tuple;
use crate::vm::{Exc, Res, Vm};

/// A mutable collection of unique elements.
#[pyclass(
    name = "set",
    late_end,
    basetype,
    weakref,
    unhashable,
    doc = "Build an unordered collection of unique elements."
)]
pub struct Set {
    core: Core,
}

/// An immutable collection of unique elements.
#[pyclass(
    name = "frozenset",
    late_end,
    basetype,
    weakref,
    doc = "Build an immutable unordered collection of unique elements."
)]
pub struct FrozenSet {
    core: Core,
    /// -1 until computed.
    pub(super) hash: AtomicI64,
}

pub(super) struct Core {
    table: UnsafeCell<SetTable>,
    /// Counts the changes to the keys and their places.
    changes: AtomicU32,
}

// SAFETY: access to the table is serialised by the object's lock, or by the GIL.
unsafe impl Sync for Core {}

impl Core {
    fn new(table: SetTable) -> Core {
        Core {
            table: UnsafeCell::new(table),
            changes: AtomicU32::new(0),
        }
    }
}

impl Trace for Core {
    fn traverse(&self, visit: &mut Visitor<'_>) {
        // SAFETY: the world is stopped, and no lock is held at a safepoint.
        unsafe { &*self.table.get() }.traverse(visit);
    }

    fn clear(&self, out: &mut Vec<Value>) {
        // SAFETY: as above.
        let table = unsafe { &mut *self.table.get() };
        if has_room(out, table.len()) {
            out.extend(std::mem::replace(table, SetTable::new()).into_keys());
        }
    }
}

/// A set or frozenset.
#[derive(Clone, Copy)]
pub(crate) struct AnySet<'a> {
    pub value: &'a Value,
    core: &'a Core,
    pub frozen: bool,
}

impl Set {
    pub fn new_empty() -> Py<Set> {
        Set::from_table(SetTable::new())
    }

    pub(super) fn from_table(table: SetTable) -> Py<Set> {
        Py::new(Set { core: Core::new(table) })
    }

    pub(super) fn empty_of(cls: &Py<Type>) -> Py<Set> {
        Py::with_class(
            cls,
            Set {
                core: Core::new(SetTable::new()),
            },
        )
    }

    /// A set of items in hand.
    pub fn of_items(vm: &Vm, items: impl IntoIterator<Item = Value>) -> Res<Py<Set>> {
        let mut table = SetTable::new();
        let mut items = items.into_iter();
        while let Some(item) = items.next() {
            let hash = AnySet::hash_item(vm, &item)?;
            match table.find(&item, hash, &mut SetWalk::new(hash)) {
                SetProbe::Found(_) => {}
                SetProbe::Missing(at) => table.insert(at, item, hash).map_err(|NoMemory| vm.memory_error())?,
                SetProbe::Ask(..) => {
                    let set = Set::from_table(table);
                    set.add(vm, &item)?;
                    items.try_for_each(|item| set.add(vm, &item).map(drop))?;
                    return Ok(set);
                }
            }
        }
        Ok(Set::from_table(table))
    }

    /// A set of the items.
    pub fn from_values(vm: &Vm, items: &[Value]) -> Res<Py<Set>> {
        let set = Set::new_empty();
        items.iter().try_for_each(|item| set.add(vm, item).map(drop))?;
        Ok(set)
    }
}

impl FrozenSet {
    pub(super) fn from_table(table: SetTable) -> Py<FrozenSet> {
        Py::new(FrozenSet {
            core: Core::new(table),
            hash: AtomicI64::new(-1),
        })
    }

    pub(super) fn of_class(cls: &Py<Type>, table: SetTable) -> Py<FrozenSet> {
        Py::with_class(
            cls,
            FrozenSet {
                core: Core::new(table),
                hash: AtomicI64::new(-1),
            },
        )
    }

    /// A frozenset of the items.
    pub fn from_values(vm: &Vm, items: Vec<Value>) -> Res<Value> {
        let set = Set::from_values(vm, &items)?;
        Ok(FrozenSet::from_table(set.any().take_table()).into_value())
    }
}

impl Py<Set> {
    #[inline(always)]
    pub(super) fn any(&self) -> AnySet<'_> {
        AnySet {
            value: self.as_value(),
            core: &self.core,
            frozen: false,
        }
    }

    pub fn len(&self) -> usize {
        self.any().len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Adds an element; `false` if it is there already.
    #[inline]
    pub fn add(&self, vm: &Vm, item: &Value) -> Res<bool> {
        self.any().add(vm, item)
    }

    /// Removes an element; `false` when it is not there.
    pub fn remove(&self, vm: &Vm, item: &Value) -> Res<bool> {
        self.any().discard(vm, item)
    }

    pub fn contains(&self, vm: &Vm, item: &Value) -> Res<bool> {
        self.any().contains(vm, item)
    }

    /// Adds all elements of an iterable.
    pub fn update(&self, vm: &Vm, items: &Value) -> Res<()> {
        self.any().update(vm, items)
    }

    /// Removes all elements of an iterable.
    pub fn difference_update(&self, vm: &Vm, items: &Value) -> Res<()> {
        self.any().difference_update(vm, items)
    }

    /// Removes the elements that an iterable has as well, and adds the others.
    pub fn symmetric_difference_update(&self, vm: &Vm, items: &Value) -> Res<()> {
        self.any().symmetric_difference_update(vm, items)
    }

    /// The elements as they are now.
    pub fn snapshot(&self) -> Vec<Value> {
        self.any()
            .with(|table| table.iter().map(|(_, key)| key.clone()).collect())
    }
}

impl Py<FrozenSet> {
    #[inline(always)]
    pub(super) fn any(&self) -> AnySet<'_> {
        AnySet {
            value: self.as_value(),
            core: &self.core,
            frozen: true,
        }
    }

    pub fn len(&self) -> usize {
        self.any().len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub fn contains(&self, vm: &Vm, item: &Value) -> Res<bool> {
        self.any().contains(vm, item)
    }

    /// The elements.
    pub fn snapshot(&self) -> Vec<Value> {
        self.any()
            .with(|table| table.iter().map(|(_, key)| key.clone()).collect())
    }
}

type Located<'a> = (ObjectGuard<'a>, Result<usize, usize>);

impl<'a> AnySet<'a> {
    /// The value as a set or frozenset.
    #[inline]
    pub fn of(value: &'a Value) -> Option<AnySet<'a>> {
        if let Some(set) = value.downcast_exact::<Set>() {
            return Some(set.any());
        }
        if let Some(set) = value.downcast_exact::<FrozenSet>() {
            return Some(set.any());
        }
        AnySet::of_subclass(value)
    }

    #[inline(never)]
    fn of_subclass(value: &'a Value) -> Option<AnySet<'a>> {
        if let Some(set) = value.downcast::<Set>() {
            return Some(set.any());
        }
        value.downcast::<FrozenSet>().map(Py::<FrozenSet>::any)
    }

    #[inline(always)]
    fn lock(&self) -> ObjectGuard<'a> {
        // A set is a heap object.
        lock(self.value.header().expect("a set is a heap object"))
    }

    /// Calls `f` with the table, locked. `f` runs no Python code and drops no keys.
    #[inline(always)]
    pub(super) fn with<R>(&self, f: impl FnOnce(&mut SetTable) -> R) -> R {
        let _guard = self.lock();
        // SAFETY: the lock is held, and by the contract on `f` this thread is not inside already.
        f(unsafe { &mut *self.core.table.get() })
    }

    /// Calls `f` with the tables of both, locked. `f` runs no Python code and drops no keys that the tables do not have.
    fn with_both<R>(&self, other: &AnySet<'_>, f: impl FnOnce(&SetTable, &SetTable) -> R) -> R {
        let headers = (self.value.header(), other.value.header());
        let (Some(mine), Some(theirs)) = headers else {
            unreachable!("a set is a heap object")
        };
        let _guard = lock_objects(mine, theirs);
        // SAFETY: both locks are held, and by the contract on `f` this thread is not inside already.
        unsafe { f(&*self.core.table.get(), &*other.core.table.get()) }
    }

    /// The table, while the caller holds the guard and makes no second reference.
    #[expect(clippy::mut_from_ref, reason = "the lock makes it unique")]
    fn table(&self, _guard: &ObjectGuard<'_>) -> &mut SetTable {
        // SAFETY: the guard holds the lock, and callers use the reference for one expression.
        unsafe { &mut *self.core.table.get() }
    }

    /// Counts a change. For whoever holds the lock: one that is counted before may be seen before it is made, by a lookup that then
    /// goes on in a table which is no longer the same.
    fn touch(&self) {
        self.core
            .changes
            .store(self.core.changes.load(Relaxed).wrapping_add(1), Relaxed);
    }

    #[inline(always)]
    pub fn len(&self) -> usize {
        self.with(|table| table.len())
    }

    pub(super) fn is_same(&self, other: &AnySet<'_>) -> bool {
        self.value.is(other.value)
    }

    /// Finds a key and leaves the set locked: `Ok` with its cell, or `Err` with the one it would go to.
    #[inline]
    fn locate(&self, vm: &Vm, key: &Value, hash: i64) -> Res<Located<'a>> {
        let guard = self.lock();
        let mut walk = SetWalk::new(hash);
        match self.table(&guard).find(key, hash, &mut walk) {
            SetProbe::Found(at) => Ok((guard, Ok(at))),
            SetProbe::Missing(at) => Ok((guard, Err(at))),
            SetProbe::Ask(at, candidate) => self.locate_asking(vm, key, hash, guard, walk, at, candidate),
        }
    }

    #[cold]
    #[inline(never)]
    #[expect(clippy::too_many_arguments, reason = "the state of an interrupted search")]
    fn locate_asking(
        &self,
        vm: &Vm,
        key: &Value,
        hash: i64,
        mut guard: ObjectGuard<'a>,
        mut walk: SetWalk,
        mut at: usize,
        mut candidate: Value,
    ) -> Res<Located<'a>> {
        loop {
            let changes = self.core.changes.load(Relaxed);
            drop(guard);
            let same = vm.eq(&candidate, key)?;
            guard = self.lock();
            // Where the table still holds the candidate, dropping our reference to it below frees nothing.
            if same && self.table(&guard).has_key_at(at, &candidate) {
                return Ok((guard, Ok(at)));
            }
            if self.core.changes.load(Relaxed) != changes {
                drop(guard);
                drop(candidate);
                return self.locate(vm, key, hash);
            }
            match self.table(&guard).find(key, hash, &mut walk) {
                SetProbe::Found(at) => return Ok((guard, Ok(at))),
                SetProbe::Missing(at) => return Ok((guard, Err(at))),
                SetProbe::Ask(next, other) => {
                    at = next;
                    candidate = other;
                }
            }
        }
    }

    #[inline(always)]
    fn hash_item(vm: &Vm, item: &Value) -> Res<i64> {
        hash_of(vm, item).map_err(|exc| unhashable(vm, exc, item, "a set element"))
    }

    /// The hash to look an element up by: that of an unhashable set is its frozen counterpart's.
    #[inline(always)]
    fn hash_to_find(vm: &Vm, item: &Value) -> Res<i64> {
        AnySet::hash_item(vm, item).or_else(|exc| AnySet::hash_as_frozen(item, exc))
    }

    #[cold]
    fn hash_as_frozen(item: &Value, exc: Exc) -> Res<i64> {
        match item.downcast::<Set>() {
            Some(set) if exc.is_instance(crate::types::exceptions::TYPE_ERROR.get()) => Ok(set.any().frozen_hash()),
            _ => Err(exc),
        }
    }

    /// The hash of the elements, independent of their order.
    pub(super) fn frozen_hash(&self) -> i64 {
        let shuffle = |h: u64| ((h ^ 89_869_747) ^ (h << 16)).wrapping_mul(3_644_798_167);
        let mut hash = self.with(|table| {
            let keys = table.iter().fold(0, |hash, (h, _)| hash ^ shuffle(h as u64));
            keys ^ (table.len() as u64 + 1).wrapping_mul(1_927_868_237)
        });
        hash ^= (hash >> 11) ^ (hash >> 25);
        hash = hash.wrapping_mul(69_069).wrapping_add(907_133_923);
        if hash == u64::MAX { 590_923_713 } else { hash as i64 }
    }

    #[inline]
    pub fn contains(&self, vm: &Vm, item: &Value) -> Res<bool> {
        let hash = AnySet::hash_to_find(vm, item)?;
        self.contains_hashed(vm, item, hash)
    }

    #[inline]
    pub(super) fn contains_hashed(&self, vm: &Vm, item: &Value, hash: i64) -> Res<bool> {
        if let Some(known) = self.with(|table| table.has(item, hash)) {
            return Ok(known);
        }
        Ok(self.locate(vm, item, hash)?.1.is_ok())
    }

    #[inline]
    pub(super) fn add(&self, vm: &Vm, item: &Value) -> Res<bool> {
        let hash = AnySet::hash_item(vm, item)?;
        self.add_hashed(vm, item, hash)
    }

    #[inline]
    pub(super) fn add_hashed(&self, vm: &Vm, item: &Value, hash: i64) -> Res<bool> {
        if !parallel() {
            // SAFETY: no other thread runs meanwhile, and nothing below runs Python code.
            let table = unsafe { &mut *self.core.table.get() };
            match table.at_first(item, hash) {
                Some(Ok(())) => return Ok(false),
                Some(Err(at)) if table.has_room() => {
                    self.touch();
                    table.put(at, item.clone(), hash);
                    return Ok(true);
                }
                _ => {}
            }
            match table.find(item, hash, &mut SetWalk::new(hash)) {
                SetProbe::Found(_) => return Ok(false),
                SetProbe::Missing(at) => {
                    self.touch();
                    let added = table.insert(at, item.clone(), hash);
                    return added.map(|()| true).map_err(|NoMemory| vm.memory_error());
                }
                SetProbe::Ask(..) => {}
            }
        }
        self.add_asking(vm, item, hash)
    }

    #[inline(never)]
    fn add_asking(&self, vm: &Vm, item: &Value, hash: i64) -> Res<bool> {
        let (guard, found) = self.locate(vm, item, hash)?;
        if let Err(at) = found {
            self.touch();
            if self.table(&guard).insert(at, item.clone(), hash).is_err() {
                drop(guard);
                return Err(vm.memory_error());
            }
        }
        Ok(found.is_err())
    }

    /// Removes an element; `false` when it is not there.
    pub(super) fn discard(&self, vm: &Vm, item: &Value) -> Res<bool> {
        let hash = AnySet::hash_to_find(vm, item)?;
        self.discard_hashed(vm, item, hash)
    }

    fn discard_hashed(&self, vm: &Vm, item: &Value, hash: i64) -> Res<bool> {
        let (guard, found) = self.locate(vm, item, hash)?;
        let Ok(at) = found else { return Ok(false) };
        self.touch();
        let key = self.table(&guard).remove(at);
        drop(guard);
        Ok(key.is_some())
    }

    pub(super) fn pop(&self) -> Option<Value> {
        self.with(|table| {
            self.touch();
            table.pop()
        })
    }

    /// Puts another table in; the old one is to be dropped without the lock.
    pub(super) fn replace_table(&self, table: SetTable) -> SetTable {
        self.with(|place| {
            self.touch();
            std::mem::replace(place, table)
        })
    }

    pub(super) fn take_table(&self) -> SetTable {
        self.replace_table(SetTable::new())
    }

    pub(super) fn copied_table(&self, vm: &Vm) -> Res<SetTable> {
        self.with(|table| table.copied()).map_err(|NoMemory| vm.memory_error())
    }

    /// The elements with their hashes, as they are now.
    pub(super) fn entries(&self, vm: &Vm) -> Res<Vec<(i64, Value)>> {
        self.collect(vm, |hash, key| (hash, key.clone()))
    }

    /// Calls `f` with hash and element until it says `false`: with what there is now, whatever `f` does. Whether it never did.
    fn walk(&self, vm: &Vm, mut f: impl FnMut(i64, &Value) -> Res<bool>) -> Res<bool> {
        if !self.frozen {
            for (hash, key) in self.entries(vm)? {
                if !f(hash, &key)? {
                    return Ok(false);
                }
            }
            return Ok(true);
        }
        let mut next = 0;
        while let Some((at, hash, key)) =
            self.with(|table| table.entry_from(next).map(|(at, hash, key)| (at, hash, key.clone())))
        {
            if !f(hash, &key)? {
                return Ok(false);
            }
            next = at + 1;
        }
        Ok(true)
    }

    /// The elements as they are now.
    pub fn keys(&self, vm: &Vm) -> Res<Vec<Value>> {
        self.collect(vm, |_, key| key.clone())
    }

    fn collect<T>(&self, vm: &Vm, make: impl Fn(i64, &Value) -> T) -> Res<Vec<T>> {
        let mut items = Vec::new();
        loop {
            items.try_reserve_exact(self.len()).map_err(|_| vm.memory_error())?;
            let done = self.with(|table| {
                let fits = table.len() <= items.capacity();
                if fits {
                    items.extend(table.iter().map(|(hash, key)| make(hash, key)));
                }
                fits
            });
            if done {
                return Ok(items);
            }
        }
    }

    fn reserve(&self, vm: &Vm, count: usize) -> Res<()> {
        let reserved = self.with(|table| {
            self.touch();
            table.reserve(count)
        });
        reserved.map_err(|NoMemory| vm.memory_error())
    }

    /// Adds all elements of an iterable.
    pub(super) fn update(&self, vm: &Vm, items: &Value) -> Res<()> {
        if let Some(other) = AnySet::of(items) {
            return self.merge(vm, other);
        }
        if let Some(dict) = items.downcast_exact::<Dict>() {
            self.reserve(vm, dict.len())?;
            for (hash, key, _) in dict.try_hashed(vm)? {
                self.add_hashed(vm, &key, hash)?;
            }
            return Ok(());
        }
        if let Some(tuple) = items.downcast_exact::<Tuple>() {
            return tuple.iter().try_for_each(|item| self.add(vm, item).map(drop));
        }
        if let Some(list) = items.downcast_exact::<List>() {
            let mut at = 0;
            while let Some(item) = list.get(at) {
                self.add(vm, &item)?;
                at += 1;
            }
            return Ok(());
        }
        vm.for_each(items, |item| self.add(vm, &item).map(drop))
    }

    fn merge(&self, vm: &Vm, other: AnySet<'_>) -> Res<()> {
        if self.is_same(&other) || other.len() == 0 {
            return Ok(());
        }
        if self.with(|table| table.is_untouched()) {
            let copy = other.copied_table(vm)?;
            let old = self.with(|table| {
                self.touch();
                if table.is_untouched() {
                    std::mem::replace(table, copy)
                } else {
                    copy
                }
            });
            if old.len() == 0 {
                return Ok(());
            }
        }
        if !parallel()
            // SAFETY: no other thread runs meanwhile, nothing below runs Python code, and the tables are two.
            && let Some(done) = unsafe { (*self.core.table.get()).absorb(&*other.core.table.get()) }
        {
            self.touch();
            return done.map_err(|NoMemory| vm.memory_error());
        }
        let entries = other.entries(vm)?;
        self.reserve(vm, entries.len())?;
        for (hash, key) in entries {
            self.add_hashed(vm, &key, hash)?;
        }
        Ok(())
    }

    /// Removes all elements of an iterable.
    pub(super) fn difference_update(&self, vm: &Vm, items: &Value) -> Res<()> {
        if let Some(other) = AnySet::of(items) {
            if self.is_same(&other) {
                drop(self.take_table());
                return Ok(());
            }
            if other.len() >> 3 > self.len() {
                // Few of the many can be here: look for ours there.
                for (hash, key) in self.entries(vm)? {
                    if other.contains_hashed(vm, &key, hash)? {
                        self.discard_hashed(vm, &key, hash)?;
                    }
                }
            } else {
                for (hash, key) in other.entries(vm)? {
                    self.discard_hashed(vm, &key, hash)?;
                }
            }
        } else {
            vm.for_each(items, |item| self.discard(vm, &item).map(drop))?;
        }
        let tidied = self.with(|table| {
            self.touch();
            table.tidy()
        });
        tidied.map_err(|NoMemory| vm.memory_error())
    }

    /// Removes the elements that an iterable has as well, and adds the others.
    pub(super) fn symmetric_difference_update(&self, vm: &Vm, items: &Value) -> Res<()> {
        let toggle = |hash: i64, key: &Value| -> Res<()> {
            if self.discard_hashed(vm, key, hash)? {
                Ok(())
            } else {
                self.add_hashed(vm, key, hash).map(drop)
            }
        };
        if let Some(other) = AnySet::of(items) {
            if self.is_same(&other) {
                drop(self.take_table());
                return Ok(());
            }
            return other.entries(vm)?.iter().try_for_each(|(hash, key)| toggle(*hash, key));
        }
        if let Some(dict) = items.downcast_exact::<Dict>() {
            let keys = dict.try_hashed(vm)?;
            return keys.iter().try_for_each(|(hash, key, _)| toggle(*hash, key));
        }
        let other = Set::new_empty();
        other.update(vm, items)?;
        other
            .any()
            .entries(vm)?
            .iter()
            .try_for_each(|(hash, key)| toggle(*hash, key))
    }

    /// The elements that an iterable has as well.
    pub(super) fn intersection(&self, vm: &Vm, items: &Value) -> Res<SetTable> {
        if let Some(other) = AnySet::of(items) {
            if self.is_same(&other) {
                return self.copied_table(vm);
            }
            let (walked, asked) = if other.len() > self.len() {
                (*self, other)
            } else {
                (other, *self)
            };
            if let Some(result) = walked.with_both(&asked, |walked, asked| walked.picked(asked, true)) {
                return result.map_err(|NoMemory| vm.memory_error());
            }
            let result = Set::new_empty();
            walked.walk(vm, |hash, key| {
                if asked.contains_hashed(vm, key, hash)? {
                    result.any().add_hashed(vm, key, hash)?;
                }
                Ok(true)
            })?;
            return Ok(result.any().take_table());
        }
        let result = Set::new_empty();
        vm.for_each(items, |item| {
            let hash = AnySet::hash_item(vm, &item)?;
            if self.contains_hashed(vm, &item, hash)? {
                result.any().add_hashed(vm, &item, hash).map(drop)
            } else {
                Ok(())
            }
        })?;
        Ok(result.any().take_table())
    }

    /// The elements that an iterable does not have.
    pub(super) fn difference(&self, vm: &Vm, items: &Value) -> Res<SetTable> {
        let other = AnySet::of(items);
        let dict = items.downcast::<Dict>();
        let size = other.map(|other| other.len()).or_else(|| dict.map(|dict| dict.len()));
        let Some(size) = size.filter(|&size| self.len() >> 2 <= size) else {
            // It is quicker to copy and take out.
            let result = Set::from_table(self.copied_table(vm)?);
            result.any().difference_update(vm, items)?;
            return Ok(result.any().take_table());
        };
        if size == 0 {
            return self.copied_table(vm);
        }
        if let Some(other) = other
            && let Some(result) = self.with_both(&other, |mine, theirs| mine.picked(theirs, false))
        {
            return result.map_err(|NoMemory| vm.memory_error());
        }
        let result = Set::new_empty();
        self.walk(vm, |hash, key| {
            let found = match (other, dict) {
                (Some(other), _) => other.contains_hashed(vm, key, hash)?,
                (None, Some(dict)) => dict.get_hashed(vm, key, hash)?.is_some(),
                (None, None) => false,
            };
            if !found {
                result.any().add_hashed(vm, key, hash)?;
            }
            Ok(true)
        })?;
        Ok(result.any().take_table())
    }

    /// Whether all elements are in the other set.
    pub(super) fn is_subset(&self, vm: &Vm, other: AnySet<'_>) -> Res<bool> {
        if self.len() > other.len() {
            return Ok(false);
        }
        if let Some(known) = self.with_both(&other, |mine, theirs| mine.all_in(theirs, true)) {
            return Ok(known);
        }
        self.walk(vm, |hash, key| other.contains_hashed(vm, key, hash))
    }

    /// Whether no element is in both.
    pub(super) fn is_disjoint(&self, vm: &Vm, items: &Value) -> Res<bool> {
        if let Some(other) = AnySet::of(items) {
            if self.is_same(&other) {
                return Ok(self.len() == 0);
            }
            let (walked, asked) = if other.len() > self.len() {
                (*self, other)
            } else {
                (other, *self)
            };
            if let Some(known) = walked.with_both(&asked, |walked, asked| walked.all_in(asked, false)) {
                return Ok(known);
            }
            return walked.walk(vm, |hash, key| Ok(!asked.contains_hashed(vm, key, hash)?));
        }
        let iterator = vm.iter(items)?;
        while let Some(item) = vm.next(&iterator)? {
            let hash = AnySet::hash_item(vm, &item)?;
            if self.contains_hashed(vm, &item, hash)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// A set of the same kind with these elements.
    pub(super) fn like(&self, table: SetTable) -> Value {
        if self.frozen {
            FrozenSet::from_table(table).into_value()
        } else {
            Set::from_table(table).into_value()
        }
    }
}

/// Whether the value is exactly a frozenset, which can stand for its copies.
pub(super) fn is_exact_frozen(value: &Value) -> bool {
    value.has_type(FrozenSet::ty())
}
