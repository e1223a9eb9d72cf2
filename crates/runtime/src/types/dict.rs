//! `dict`: an insertion-ordered hash table. Its memory is in `dict_table`, its methods in `dict_methods`, its views in `dict_views`.
//!
//! Invariants: the table is changed under the object's lock; no Python code runs and no value is dropped under it. A lookup that needs
//! `__eq__` takes a reference to the candidate, unlocks, compares, and goes on only if `changes` says that the keys are still the same.
//! Where threads share the dict, keys are looked for without the lock first (`read_racing`): `changes` tells whether something was in the way.
//! `version` is 0 or a number that no other state of any dict has: it is given up whenever a key or the place of an entry changes.

use std::ptr::NonNull;

use super::common::{hash_of, hash_small_int, lock, unhashable};
use super::dict_table::{Detached, Probe, Sight, Table, Walk};
use crate::memory::trace::{Trace, Visitor, has_room};
use crate::native::pyclass;
use crate::object::{Native, Py, Slot, Type, TypeFlags, Value};
use crate::sync::atomic::{
    AtomicPtr, AtomicU32, AtomicUsize,
    Ordering::{Acquire, Relaxed, Release},
    fence,
};
use crate::sync::{ObjectGuard, biased, parallel};
use crate::types::object::identity_hash;
use crate::types::str::Str;
use crate::vm::{Res, Vm};

/// An insertion-ordered mapping.
#[pyclass(
    name = "dict",
    late_end,
    basetype,
    mapping,
    unhashable,
    flags = TypeFlags::DICT_SUBCLASS,
    doc = "dict() -> new empty dictionary\ndict(mapping) -> new dictionary initialized from a mapping object's\n    (key, value) pairs\ndict(iterable) -> new dictionary initialized as if via:\n    d = {}\n    for k, v in iterable:\n        d[k] = v\ndict(**kwargs) -> new dictionary initialized with the name=value pairs\n    in the keyword argument list.  For example:  dict(one=1, two=2)"
)]
pub struct Dict {
    state: State,
}

struct State {
    /// Never null; replaced under the lock.
    table: AtomicPtr<Table>,
    /// Count of keys.
    len: AtomicUsize,
    /// Counts the changes to keys and places by two; odd while a key moves, which is out and in again.
    changes: AtomicU32,
    /// See the module.
    version: AtomicU32,
}

static NEXT_VERSION: AtomicU32 = AtomicU32::new(1);

impl State {
    fn new(table: NonNull<Table>) -> State {
        // SAFETY: just made, or the empty table.
        let len = unsafe { table.as_ref() }.used();
        State {
            table: AtomicPtr::new(table.as_ptr()),
            len: AtomicUsize::new(len),
            changes: AtomicU32::new(0),
            version: AtomicU32::new(0),
        }
    }

    #[inline(always)]
    fn table(&self) -> &Table {
        // SAFETY: never null. Under the lock nobody replaces it; without, `retire` keeps it until this thread's next safepoint.
        unsafe { &*self.table.load(Acquire) }
    }

    /// Keys or places are about to change.
    #[inline(always)]
    fn touch(&self) {
        self.version.store(0, Release);
        // Who finds the count finds what was changed before.
        self.changes.store(self.changes.load(Relaxed).wrapping_add(2), Release);
        // What is written next is seen after the count by those who read without the lock.
        fence(Release);
    }

    /// A key begins, or has ended, to move.
    #[inline(always)]
    fn toggle_moving(&self) {
        fence(Release);
        self.changes.store(self.changes.load(Relaxed) ^ 1, Relaxed);
        fence(Release);
    }

    /// Puts another table in place of the present one. The object is locked, or the caller's alone.
    fn replace_table(&self, table: NonNull<Table>, len: usize) -> NonNull<Table> {
        self.touch();
        let old = NonNull::from(self.table());
        self.table.store(table.as_ptr(), Release);
        self.len.store(len, Release);
        old
    }
}

impl Trace for State {
    fn traverse(&self, visit: &mut Visitor<'_>) {
        self.table().traverse(visit);
    }

    fn clear(&self, out: &mut Vec<Value>) {
        if !has_room(out, 2 * self.table().used()) {
            return;
        }
        let old = self.replace_table(Table::empty(), 0);
        // SAFETY: replaced just now.
        let old = unsafe { Detached::new(old) };
        old.table().take_all(|value| out.push(value));
    }
}

impl Drop for State {
    fn drop(&mut self) {
        // SAFETY: the dict goes away, and with it the last use of its table: who reads without the lock holds a reference to the dict.
        drop(unsafe { Detached::unreachable(NonNull::from(self.table())) });
    }
}

/// What [`Py::<Dict>::locate`] found: the entry's number, if there is one, and the lock.
type Located<'a> = (ObjectGuard<'a>, Option<usize>);

impl Dict {
    /// The payload of an empty dict, for subclasses implemented in Rust.
    pub fn empty_payload() -> Dict {
        Dict {
            state: State::new(Table::empty()),
        }
    }

    #[inline]
    pub fn new_empty() -> Py<Dict> {
        Py::new(Dict::empty_payload())
    }

    /// An empty dict with room for `n` keys.
    pub fn with_capacity(n: usize) -> Py<Dict> {
        let table = if n == 0 {
            None
        } else {
            Table::log2_for(n).and_then(Table::alloc)
        };
        Py::new(Dict {
            state: State::new(table.unwrap_or_else(Table::empty)),
        })
    }

    /// Count of keys.
    #[inline(always)]
    pub fn len(&self) -> usize {
        self.state.len.load(Acquire)
    }

    #[inline(always)]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Names this state of the keys and their places for inline caches; 0 when there are no names left.
    #[inline(always)]
    pub fn raw_version(&self) -> u32 {
        self.state.version.load(Relaxed)
    }

    /// The value of the entry that [`Py::<Dict>::find_entry_for_cache`] gave for the version; `None` when the dict has changed.
    #[inline(always)]
    pub fn entry_value(&self, version: u32, index: u32) -> Option<Value> {
        if self.state.version.load(Acquire) != version || version == 0 {
            return None;
        }
        let value = self.state.table().value_at(index as usize);
        if parallel() && self.state.version.load(Acquire) != version {
            return None;
        }
        value
    }

    /// As [`Dict::entry_value`], from the word of an inline cache: the version and, in the upper half, the entry's number.
    #[inline(always)]
    pub fn cached_value<const FREE: bool>(&self, word: u64) -> Option<Value> {
        let version = word as u32;
        if self.state.version.load(Acquire) != version || version == 0 {
            return None;
        }
        if FREE {
            return self.entry_value(version, (word >> 32) as u32);
        }
        // SAFETY: the entry exists in the state of the dict that the version names.
        unsafe { self.state.table().value_unchecked((word >> 32) as usize) }
    }

    /// As [`Dict::cached_value`], the value's word, not counted, and its place, which is the dict's as long as that has this version.
    #[inline(always)]
    pub fn cached_place<const FREE: bool>(&self, word: u64) -> Option<(u64, &Slot)> {
        let version = word as u32;
        if self.state.version.load(Acquire) != version || version == 0 {
            return None;
        }
        let (table, n) = (self.state.table(), (word >> 32) as usize);
        if FREE && parallel() {
            let place = table.place_at(n)?;
            let bits = place.peek_acquire();
            // The table may have been another already.
            return (self.state.version.load(Acquire) == version).then_some((bits, place));
        }
        // SAFETY: the entry exists in the state of the dict that the version names.
        let place = unsafe { table.place_unchecked(n) };
        Some((place.peek_bits(), place))
    }

    /// Whether the place that [`Dict::cached_place`] gave still has the word that was there.
    #[inline(always)]
    pub fn still_has(&self, word: u64, place: &Slot, bits: u64) -> bool {
        self.state.version.load(Relaxed) == word as u32 && place.peek_bits() == bits
    }
}

impl Py<Dict> {
    #[inline(always)]
    fn table(&self) -> &Table {
        self.state.table()
    }

    /// Bytes of the table, for `__sizeof__`.
    pub fn table_size(&self) -> usize {
        self.with_table(|table, _| table.size())
    }

    /// Calls `f` with the table and the entry of `key`, looked for without the lock, if threads share the dict and it stayed the same
    /// meanwhile; `Some(None)` if the key is missing. `None` says nothing: the caller looks under the lock. `f` takes what it needs with
    /// references of its own.
    #[inline]
    fn read_racing<R>(&self, key: &Value, hash: i64, f: impl FnOnce(&Table, usize) -> Option<R>) -> Option<Option<R>> {
        if !parallel() || !biased::is_raced(self.header()) {
            return None;
        }
        // Whoever changes keys or places counts up first. What one change that is under way at this moment has not done yet is as it was
        // before, so the answer is right unless a further one begins.
        let changes = self.state.changes.load(Acquire);
        let table = self.table();
        let result = match table.find_racing(key, hash) {
            Sight::Found(n) => Some(f(table, n)?),
            // A key that moves is not missing.
            Sight::Missing if changes & 1 == 0 => None,
            _ => return None,
        };
        fence(Acquire);
        // A table that was replaced may have been emptied by the change that is under way.
        let same = self.state.changes.load(Relaxed) == changes && std::ptr::eq(self.table(), table);
        same.then_some(result)
    }

    /// Finds `key` and leaves the dict locked.
    #[inline]
    fn locate<'a>(&'a self, vm: &Vm, key: &Value, hash: i64) -> Res<Located<'a>> {
        let guard = lock(self.header());
        let table = self.table();
        if table.str_only()
            && let Some(key) = key.downcast_exact::<Str>()
        {
            return Ok((guard, table.find_str(key, hash)));
        }
        let mut walk = Walk::new(hash);
        match table.find(key, hash, &mut walk) {
            Probe::Found(n) => Ok((guard, Some(n))),
            Probe::Missing => Ok((guard, None)),
            Probe::Ask(n, candidate) => self.locate_asking(vm, key, hash, guard, walk, n, candidate),
        }
    }

    /// As `locate`, from where only `__eq__` can tell whether entry `n` is the one.
    #[cold]
    #[inline(never)]
    #[expect(clippy::too_many_arguments, reason = "the state of an interrupted search")]
    fn locate_asking<'a>(
        &'a self,
        vm: &Vm,
        key: &Value,
        hash: i64,
        mut guard: ObjectGuard<'a>,
        mut walk: Walk,
        mut n: usize,
        mut candidate: Value,
    ) -> Res<Located<'a>> {
        loop {
            let changes = self.state.changes.load(Relaxed);
            drop(guard);
            let same = vm.eq(&candidate, key)?;
            guard = lock(self.header());
            // Where the table still holds the candidate, dropping our reference to it below frees nothing.
            if same && self.table().has_key_at(n, &candidate) {
                return Ok((guard, Some(n)));
            }
            if self.state.changes.load(Relaxed) != changes {
                drop(guard);
                drop(candidate);
                return self.locate(vm, key, hash);
            }
            match self.table().find(key, hash, &mut walk) {
                Probe::Found(n) => return Ok((guard, Some(n))),
                Probe::Missing => return Ok((guard, None)),
                Probe::Ask(next, other) => {
                    n = next;
                    candidate = other;
                }
            }
        }
    }

    /// Makes sure that one more entry fits; the dict is locked. `false` without memory.
    #[inline(always)]
    fn make_room(&self) -> bool {
        self.table().usable() > 0 || self.grow()
    }

    #[cold]
    #[inline(never)]
    fn grow(&self) -> bool {
        let Some(fresh) = Table::log2_to_grow(self.len()).and_then(Table::alloc) else {
            return false;
        };
        self.rehash(fresh);
        true
    }

    fn rehash(&self, fresh: NonNull<Table>) {
        self.rehash_at(fresh, 0);
    }

    /// Moves the entries to a fresh table that has room for `offset` more before the first.
    fn rehash_at(&self, fresh: NonNull<Table>, offset: usize) {
        // SAFETY: just allocated.
        self.table().move_to(unsafe { fresh.as_ref() }, offset);
        let old = self.state.replace_table(fresh, self.len());
        // SAFETY: replaced just now; what it held has moved.
        unsafe {
            let table = old.as_ref();
            if !table.is_static() {
                if biased::is_read_by_none(self.header()) {
                    Table::free_at_once(old);
                } else {
                    table.forget_entries();
                    Table::free(old);
                }
            }
        }
    }

    /// Appends a key that is not there; the dict is locked and has room.
    #[inline(always)]
    fn append(&self, hash: i64, key: Value, value: Value) {
        self.state.touch();
        self.table().append(hash, key, value);
        self.state.len.store(self.len() + 1, Release);
    }

    /// Takes entry `n` out; the dict is locked.
    #[must_use = "drop the key and value when no lock is held"]
    fn take_entry(&self, n: usize) -> (Option<Value>, Option<Value>) {
        self.state.touch();
        self.state.len.store(self.len() - 1, Release);
        self.table().remove(n)
    }

    // Keys that are `str`: no Python code runs.

    /// The value of a name.
    #[inline]
    pub fn get_str(&self, name: &Py<Str>) -> Option<Value> {
        let hash = name.hash();
        if parallel() {
            return self.get_str_racing(name, hash);
        }
        let table = self.table();
        let found = match table.at_first(name.as_value(), hash) {
            Some(known) => known,
            None => table.find_str(name, hash),
        };
        found.and_then(|n| table.value_at(n))
    }

    #[inline(never)]
    fn get_str_racing(&self, name: &Py<Str>, hash: i64) -> Option<Value> {
        if let Some(found) = self.read_racing(name.as_value(), hash, Table::value_at) {
            return found;
        }
        let _guard = lock(self.header());
        let table = self.table();
        table.find_str(name, hash).and_then(|n| table.value_at(n))
    }

    /// As [`Py::get_str`], but keys that are no plain strings are asked whether they equal the name: may run Python code.
    #[inline]
    pub fn get_name(&self, vm: &Vm, name: &Py<Str>) -> Res<Option<Value>> {
        match self.get_str(name) {
            None if !self.with_table(|table, _| table.str_only()) => self.get(vm, name.as_value()),
            found => Ok(found),
        }
    }

    /// Whether all keys are plain strings, so that looking for a name runs no code.
    pub fn asks_no_keys(&self) -> bool {
        self.with_table(|table, _| table.str_only())
    }

    /// Whether there is a key that is no string.
    pub fn has_other_keys(&self) -> bool {
        !self.with_table(|table, _| table.str_only())
            && self.snapshot_keys().iter().any(|key| key.downcast::<Str>().is_none())
    }

    /// Sets the value of a name; returns the old one.
    #[inline]
    #[must_use = "drop the old value when no lock is held"]
    pub fn replace_str(&self, name: &Py<Str>, value: Value) -> Option<Value> {
        let hash = name.hash();
        let _guard = lock(self.header());
        if let Some(n) = self.table().find_str(name, hash) {
            return self.table().swap_value(n, value);
        }
        self.append_name(name, hash, value);
        None
    }

    fn append_name(&self, name: &Py<Str>, hash: i64, value: Value) {
        if !self.make_room() {
            std::alloc::handle_alloc_error(std::alloc::Layout::new::<u64>());
        }
        self.append(hash, name.to_value(), value);
    }

    /// Sets the value of a name.
    #[inline]
    pub fn set_str(&self, name: &Py<Str>, value: Value) {
        drop(self.replace_str(name, value));
    }

    /// Removes a name.
    pub fn remove_str(&self, name: &Py<Str>) -> Option<Value> {
        let hash = name.hash();
        let guard = lock(self.header());
        let n = self.table().find_str(name, hash)?;
        let (key, value) = self.take_entry(n);
        drop(guard);
        drop(key);
        value
    }

    /// The value of a name, which is set to `value` if there is none.
    pub fn set_default_str(&self, name: &Py<Str>, value: Value) -> Value {
        let hash = name.hash();
        let guard = lock(self.header());
        let table = self.table();
        if let Some(found) = table.find_str(name, hash).and_then(|n| table.value_at(n)) {
            // `value` may be the last reference to its object.
            drop(guard);
            return found;
        }
        self.append_name(name, hash, value.clone());
        value
    }

    /// Sets a name that the dict does not have.
    pub fn insert_new_interned(&self, name: &Py<Str>, value: Value) {
        let hash = name.hash();
        let _guard = lock(self.header());
        debug_assert!(self.table().find_str(name, hash).is_none(), "the name is new");
        self.append_name(name, hash, value);
    }

    // Inline caches.

    /// Names this state of the keys and their places; 0 when there are no names left. Take it before looking for the entry.
    #[inline]
    pub fn version(&self) -> u32 {
        match self.raw_version() {
            0 => self.assign_version(),
            version => version,
        }
    }

    #[cold]
    #[inline(never)]
    fn assign_version(&self) -> u32 {
        let _guard = lock(self.header());
        let version = self.raw_version();
        if version != 0 {
            return version;
        }
        // Who has the version reads without the lock.
        biased::set_raced(self.header());
        let fresh = NEXT_VERSION
            .fetch_update(Relaxed, Relaxed, |next| next.checked_add(1))
            .unwrap_or(0);
        self.state.version.store(fresh, Release);
        fresh
    }

    /// The number of the name's entry.
    pub fn find_entry_for_cache(&self, name: &Py<Str>) -> Option<u32> {
        let hash = name.hash();
        let _guard = lock(self.header());
        self.table().find_str(name, hash).map(|n| n as u32)
    }

    /// Sets the value of an entry whose number was found for this version. `Err` gives the value back when the dict has changed.
    #[inline]
    pub fn set_entry_value(&self, version: u32, index: u32, value: Value) -> Result<(), Value> {
        let guard = lock(self.header());
        if self.raw_version() != version || version == 0 || index as usize >= self.table().used() {
            drop(guard);
            return Err(value);
        }
        let old = self.table().swap_value(index as usize, value);
        drop(guard);
        drop(old);
        Ok(())
    }

    // Any keys.

    /// The hash of a key; an unhashable one is called so.
    #[inline(always)]
    pub(super) fn hash_key(vm: &Vm, key: &Value) -> Res<i64> {
        hash_of(vm, key).map_err(|exc| unhashable(vm, exc, key, "a dict key"))
    }

    /// `self.get(key)`, by the table alone (no `__missing__`).
    #[inline]
    pub fn get(&self, vm: &Vm, key: &Value) -> Res<Option<Value>> {
        let hash = Self::hash_key(vm, key)?;
        self.get_hashed(vm, key, hash)
    }

    /// The entry of `key`, when no other thread can run meanwhile and no Python code has to be asked. `None` says nothing.
    #[inline(always)]
    fn find_alone(&self, key: &Value, hash: i64) -> Option<Option<usize>> {
        if parallel() {
            return None;
        }
        let table = self.table();
        if let Some(known) = table.at_first(key, hash) {
            return Some(known);
        }
        if table.str_only()
            && let Some(key) = key.downcast_exact::<Str>()
        {
            return Some(table.find_str(key, hash));
        }
        match table.find(key, hash, &mut Walk::new(hash)) {
            Probe::Found(n) => Some(Some(n)),
            Probe::Missing => Some(None),
            Probe::Ask(..) => None,
        }
    }

    /// The word of the value of a plain string, a small int or a class, not counted, or 0 for none. `None` where that is not easily told.
    ///
    /// # Safety
    /// No other thread can use the dict meanwhile.
    #[inline(never)]
    pub unsafe fn word_alone(&self, key: &Value) -> Option<u64> {
        let table = self.table();
        let find = |hash| match table.find(key, hash, &mut Walk::new(hash)) {
            Probe::Found(n) => Some(Some(n)),
            Probe::Missing => Some(None),
            Probe::Ask(..) => None,
        };
        let found = if let Some(i) = key.as_small_int() {
            find(hash_small_int(i))?
        } else if let Some(name) = key.downcast_exact::<Str>() {
            let hash = name.hash();
            match table.at_first(key, hash) {
                Some(known) => known,
                None if table.str_only() => table.find_str(name, hash),
                None => find(hash)?,
            }
        } else if key.has_type(Type::ty()) {
            find(identity_hash(key))?
        } else {
            return None;
        };
        // SAFETY: the entry was found just now.
        Some(found.map_or(0, |n| unsafe { table.place_unchecked(n) }.peek_bits()))
    }

    #[inline]
    pub fn get_hashed(&self, vm: &Vm, key: &Value, hash: i64) -> Res<Option<Value>> {
        if let Some(found) = self.find_alone(key, hash) {
            return Ok(found.and_then(|n| self.table().value_at(n)));
        }
        self.get_asking(vm, key, hash)
    }

    #[inline(never)]
    fn get_asking(&self, vm: &Vm, key: &Value, hash: i64) -> Res<Option<Value>> {
        if let Some(found) = self.read_racing(key, hash, Table::value_at) {
            return Ok(found);
        }
        let (_guard, found) = self.locate(vm, key, hash)?;
        Ok(found.and_then(|n| self.table().value_at(n)))
    }

    /// `key in self`
    #[inline]
    pub fn contains(&self, vm: &Vm, key: &Value) -> Res<bool> {
        let hash = Self::hash_key(vm, key)?;
        if let Some(found) = self.find_alone(key, hash) {
            return Ok(found.is_some());
        }
        if let Some(found) = self.read_racing(key, hash, |_, _| Some(())) {
            return Ok(found.is_some());
        }
        Ok(self.locate(vm, key, hash)?.1.is_some())
    }

    /// `self[key] = value`
    #[inline]
    pub fn set(&self, vm: &Vm, key: &Value, value: Value) -> Res<()> {
        let hash = Self::hash_key(vm, key)?;
        self.set_hashed(vm, key, hash, value)
    }

    #[inline]
    pub fn set_hashed(&self, vm: &Vm, key: &Value, hash: i64, value: Value) -> Res<()> {
        let Some(found) = self.find_alone(key, hash) else {
            return self.set_asking(vm, key, hash, value);
        };
        match found {
            Some(n) => drop(self.table().swap_value(n, value)),
            None => {
                if !self.make_room() {
                    return Err(vm.memory_error());
                }
                self.append(hash, key.clone(), value);
            }
        }
        Ok(())
    }

    #[inline(never)]
    fn set_asking(&self, vm: &Vm, key: &Value, hash: i64, value: Value) -> Res<()> {
        let (guard, found) = self.locate(vm, key, hash)?;
        match found {
            Some(n) => {
                let old = self.table().swap_value(n, value);
                drop(guard);
                drop(old);
            }
            None => {
                if !self.make_room() {
                    drop(guard);
                    return Err(vm.memory_error());
                }
                self.append(hash, key.clone(), value);
            }
        }
        Ok(())
    }

    /// The value of `key`, which is set to `value` if there is none, in one step.
    pub fn set_default(&self, vm: &Vm, key: &Value, value: &Value) -> Res<Value> {
        let hash = Self::hash_key(vm, key)?;
        let (guard, found) = self.locate(vm, key, hash)?;
        if let Some(found) = found.and_then(|n| self.table().value_at(n)) {
            return Ok(found);
        }
        if !self.make_room() {
            drop(guard);
            return Err(vm.memory_error());
        }
        self.append(hash, key.clone(), value.clone());
        Ok(value.clone())
    }

    /// Removes `key` and returns its value.
    pub fn remove(&self, vm: &Vm, key: &Value) -> Res<Option<Value>> {
        if self.is_empty() {
            // The hash is asked for all the same: an unhashable key is an error.
            Self::hash_key(vm, key)?;
            return Ok(None);
        }
        let hash = Self::hash_key(vm, key)?;
        let (guard, found) = self.locate(vm, key, hash)?;
        let Some(n) = found else { return Ok(None) };
        let (key, value) = self.take_entry(n);
        drop(guard);
        drop(key);
        Ok(value)
    }

    /// Removes `key` if `wanted` says so of its value, in one step. `wanted` runs no Python code. Whether the key was removed.
    pub fn remove_if(&self, vm: &Vm, key: &Value, wanted: impl FnOnce(&Value) -> bool) -> Res<bool> {
        let hash = Self::hash_key(vm, key)?;
        let (guard, found) = self.locate(vm, key, hash)?;
        let Some(n) = found else { return Ok(false) };
        let value = self.table().value_at(n);
        if !value.as_ref().is_some_and(wanted) {
            drop(guard);
            return Ok(false);
        }
        let taken = self.take_entry(n);
        drop(guard);
        drop(taken);
        Ok(true)
    }

    /// Removes the last key.
    pub fn pop_last(&self) -> Option<(Value, Value)> {
        let _guard = lock(self.header());
        let table = self.table();
        let n = table.live_before(usize::MAX)?;
        let (key, value) = self.take_entry(n);
        table.shrink(n);
        key.zip(value)
    }

    /// Removes the first key.
    pub fn pop_first(&self) -> Option<(Value, Value)> {
        let _guard = lock(self.header());
        let n = self.table().live_from(0)?;
        let (key, value) = self.take_entry(n);
        self.table().begin_at(n + 1);
        key.zip(value)
    }

    /// Moves a key to the end, or to the beginning; false if it is not there.
    pub fn move_to_end(&self, vm: &Vm, key: &Value, last: bool) -> Res<bool> {
        let hash = Self::hash_key(vm, key)?;
        let (guard, found) = self.locate(vm, key, hash)?;
        let Some(n) = found else { return Ok(false) };
        if self.move_entry(n, hash, last) {
            return Ok(true);
        }
        drop(guard);
        Err(vm.memory_error())
    }

    /// The value of a key, which is moved to the end.
    #[inline]
    pub fn get_refreshed(&self, vm: &Vm, key: &Value, hash: i64) -> Res<Option<Value>> {
        let (_guard, found) = self.locate(vm, key, hash)?;
        let Some(n) = found else { return Ok(None) };
        let value = self.table().value_at(n);
        // Without memory the key stays where it is.
        self.move_entry(n, hash, true);
        Ok(value)
    }

    /// Sets a key if it is not there, and removes the first one if there are then more than `limit`; returns what was removed.
    pub fn add_bounded(
        &self,
        vm: &Vm,
        key: &Value,
        hash: i64,
        value: &Value,
        limit: usize,
    ) -> Res<Option<(Value, Value)>> {
        let (guard, found) = self.locate(vm, key, hash)?;
        if found.is_some() {
            return Ok(None);
        }
        if !self.make_room() {
            drop(guard);
            return Err(vm.memory_error());
        }
        self.append(hash, key.clone(), value.clone());
        if self.len() <= limit {
            return Ok(None);
        }
        let Some(n) = self.table().live_from(0) else {
            return Ok(None);
        };
        let (key, value) = self.take_entry(n);
        self.table().begin_at(n + 1);
        Ok(key.zip(value))
    }

    /// Moves entry `n` to the end or to the beginning; the dict is locked. `false` without memory.
    #[inline]
    fn move_entry(&self, mut n: usize, hash: i64, last: bool) -> bool {
        let table = self.table();
        let there = if last {
            table.live_before(usize::MAX)
        } else {
            table.live_from(0)
        };
        if there == Some(n) {
            return true;
        }
        let room = table.usable() > 0 && (last || table.has_room_before());
        if !room {
            let offset = if last { 0 } else { self.len() / 2 + 4 };
            let fresh = Table::log2_to_grow(self.len() + 1 + 2 * offset).and_then(Table::alloc);
            let Some(fresh) = fresh else { return false };
            n = offset + table.live_count_before(n);
            self.rehash_at(fresh, offset);
        }
        self.state.toggle_moving();
        let (key, value) = self.take_entry(n);
        if let (Some(key), Some(value)) = (key, value) {
            self.state.touch();
            if last {
                self.table().append(hash, key, value);
            } else {
                self.table().prepend(hash, key, value);
            }
            self.state.len.store(self.len() + 1, Release);
        }
        self.state.toggle_moving();
        true
    }

    /// The count of changes to keys and places, and the number of the first or the last entry.
    pub fn first_entry(&self, backwards: bool) -> (u32, Option<usize>) {
        let _guard = lock(self.header());
        let table = self.table();
        let first = if backwards {
            table.live_before(usize::MAX)
        } else {
            table.live_from(0)
        };
        (self.state.changes.load(Relaxed), first)
    }

    /// The count of changes to keys and places; key and value of entry `n`; the number of the next entry.
    pub fn entry_and_next(&self, n: usize, backwards: bool) -> (u32, Option<(Value, Value)>, Option<usize>) {
        let _guard = lock(self.header());
        let table = self.table();
        let next = match (backwards, n) {
            (true, 0) => None,
            (true, _) => table.live_before(n),
            (false, _) => table.live_from(n + 1),
        };
        let entry = table.key_at(n).zip(table.value_at(n));
        (self.state.changes.load(Relaxed), entry, next)
    }

    /// Removes all keys.
    pub fn clear_all(&self) {
        let guard = lock(self.header());
        let old = self.state.replace_table(Table::empty(), 0);
        drop(guard);
        // SAFETY: replaced just now; it is dropped without the lock.
        drop(unsafe { Detached::new(old) });
    }

    // Whole dicts.

    /// Keys and values in order.
    pub fn snapshot(&self) -> Vec<(Value, Value)> {
        self.collect(|_, key, value| (key, value))
    }

    /// Hashes, keys and values in order.
    pub fn snapshot_hashed(&self) -> Vec<(i64, Value, Value)> {
        self.collect(|hash, key, value| (hash, key, value))
    }

    /// The keys in order.
    pub fn snapshot_keys(&self) -> Vec<Value> {
        let _guard = lock(self.header());
        let table = self.table();
        let mut keys = Vec::with_capacity(self.len());
        keys.extend((0..table.used()).filter_map(|n| table.key_at(n)));
        keys
    }

    /// The values in order.
    pub fn snapshot_values(&self) -> Vec<Value> {
        let _guard = lock(self.header());
        let table = self.table();
        let mut values = Vec::with_capacity(self.len());
        values.extend((0..table.used()).filter_map(|n| table.value_at(n)));
        values
    }

    /// Makes something of each entry; `make` drops nothing it is given.
    fn collect<T>(&self, make: impl Fn(i64, Value, Value) -> T) -> Vec<T> {
        let _guard = lock(self.header());
        let mut items = Vec::with_capacity(self.len());
        let mut n = 0;
        while let Some((hash, key, value)) = self.table().next(&mut n) {
            items.push(make(hash, key, value));
        }
        items
    }

    /// As [`Py::<Dict>::snapshot_hashed`], for dicts of any size.
    pub(super) fn try_hashed(&self, vm: &Vm) -> Res<Vec<(i64, Value, Value)>> {
        self.try_collect(vm, |table, out| {
            let mut n = 0;
            out.extend(std::iter::from_fn(|| table.next(&mut n)));
        })
    }

    /// The keys in order, for dicts of any size.
    pub(super) fn try_keys(&self, vm: &Vm) -> Res<Vec<Value>> {
        self.try_collect(vm, |table, out| {
            out.extend((0..table.used()).filter_map(|n| table.key_at(n)));
        })
    }

    /// The values in order, for dicts of any size.
    pub(super) fn try_values(&self, vm: &Vm) -> Res<Vec<Value>> {
        self.try_collect(vm, |table, out| {
            out.extend((0..table.used()).filter_map(|n| table.value_at(n)));
        })
    }

    /// Calls `fill` with the locked table and room for as many items as there are keys. `fill` drops nothing.
    fn try_collect<T>(&self, vm: &Vm, fill: impl Fn(&Table, &mut Vec<T>)) -> Res<Vec<T>> {
        let mut items = Vec::new();
        loop {
            items.try_reserve_exact(self.len()).map_err(|_| vm.memory_error())?;
            let _guard = lock(self.header());
            if self.len() <= items.capacity() {
                fill(self.table(), &mut items);
                return Ok(items);
            }
        }
    }

    /// Calls `f` with the table and the count of keys, locked. `f` runs no Python code and drops no values.
    #[inline(always)]
    pub(super) fn with_table<R>(&self, f: impl FnOnce(&Table, usize) -> R) -> R {
        let _guard = lock(self.header());
        f(self.table(), self.len())
    }

    /// Hash, key and value of the first entry from `*at` on; for loops that look at the dict afresh each time.
    pub fn next_entry(&self, at: &mut usize) -> Option<(i64, Value, Value)> {
        let _guard = lock(self.header());
        self.table().next(at)
    }

    /// A fresh table with all the entries; `None` without memory.
    fn copied_table(&self) -> Option<NonNull<Table>> {
        let _guard = lock(self.header());
        if self.is_empty() {
            return Some(Table::empty());
        }
        let fresh = Table::log2_for(self.len()).and_then(Table::alloc)?;
        // SAFETY: just allocated.
        self.table().copy_to(unsafe { fresh.as_ref() });
        Some(fresh)
    }

    /// `self.copy()`: always exactly a dict.
    pub fn copy(&self, vm: &Vm) -> Res<Py<Dict>> {
        let table = self.copied_table().ok_or_else(|| vm.memory_error())?;
        Ok(Py::new(Dict {
            state: State::new(table),
        }))
    }

    /// Sets all keys of another dict here.
    pub fn update_dict(&self, vm: &Vm, other: &Py<Dict>) -> Res<()> {
        if self.is(other) || other.is_empty() {
            return Ok(());
        }
        if self.is_empty() {
            let table = other.copied_table().ok_or_else(|| vm.memory_error())?;
            let guard = lock(self.header());
            let old = if self.is_empty() {
                // SAFETY: just copied.
                self.state.replace_table(table, unsafe { table.as_ref() }.used())
            } else {
                table
            };
            drop(guard);
            // SAFETY: replaced just now, or never in use; it is dropped without the lock.
            drop(unsafe { Detached::new(old) });
            if old != table {
                return Ok(());
            }
        }
        let count = other.len();
        for (hash, key, value) in other.try_hashed(vm)? {
            self.set_hashed(vm, &key, hash, value)?;
            if other.len() != count {
                return Err(vm.runtime_error("dict mutated during update"));
            }
        }
        Ok(())
    }

    /// Whether both have equal keys with equal values.
    pub fn equals(&self, vm: &Vm, other: &Py<Dict>) -> Res<bool> {
        if self.len() != other.len() {
            return Ok(false);
        }
        if self.is(other) {
            return Ok(true);
        }
        for (hash, key, value) in self.try_hashed(vm)? {
            match other.get_hashed(vm, &key, hash)? {
                Some(theirs) => {
                    if !vm.eq(&value, &theirs)? {
                        return Ok(false);
                    }
                }
                None => return Ok(false),
            }
        }
        Ok(true)
    }

    /// Whether this is exactly a dict, whose methods nobody can have overridden.
    #[inline(always)]
    pub fn is_exact(&self) -> bool {
        self.class().as_ptr() == <Dict as Native>::ty().as_ptr()
    }

    /// An empty instance of `cls`.
    pub(super) fn empty_of(cls: &Py<Type>) -> Py<Dict> {
        Py::with_class(cls, Dict::empty_payload())
    }
}
