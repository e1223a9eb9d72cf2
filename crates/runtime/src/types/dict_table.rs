//! The memory of a dict: one block with a header, a hash index and the entries in the order they were inserted.
//!
//! Invariant: `used` entries have been written; of these, a deleted one has an empty key and value and its index cell is
//! [`DUMMY`]. `usable` counts the insertions the block still takes, so some index cell is always [`FREE`] and every probe ends.
//! A block is changed under its dict's lock; [`Table::value_at`] and [`Table::find_racing`] alone are called without it. Left out: more than 2^31 entries.

use std::alloc::Layout;
use std::mem::ManuallyDrop;
use std::ptr::NonNull;

use crate::object::{Py, Slot, Value};
use crate::sync::atomic::{
    AtomicBool, AtomicI64, AtomicU8, AtomicU16, AtomicU32, AtomicU64,
    Ordering::{Acquire, Relaxed, Release},
};
use crate::sync::parallel;
use crate::types::list::surely_same_key;
use crate::types::str::Str;

/// One key and its value.
#[repr(C)]
pub(super) struct Entry {
    hash: AtomicI64,
    key: Slot,
    value: Slot,
}

/// Content of an index cell: nothing was ever there.
const FREE: usize = 0;
/// Content of an index cell: the entry was deleted.
const DUMMY: usize = 1;
/// Entry `n` is written as `n + FIRST`.
const FIRST: usize = 2;

const MIN_LOG2: u32 = 3;
const MAX_LOG2: u32 = 31;

/// The head of the block; index cells and entries follow.
#[repr(C)]
pub(super) struct Table {
    entries: *const Entry,
    /// The count of index cells less one.
    mask: u32,
    /// How many entries the block has room for.
    capacity: u32,
    /// log2 of the bytes of an index cell.
    width: u8,
    /// All keys that were ever inserted are exactly `str`.
    str_only: AtomicBool,
    used: AtomicU32,
    usable: AtomicU32,
    /// All entries before this one have been deleted, or never were.
    first: AtomicU32,
}

// With room for five entries the block fits the allocator's 160 bytes.
#[cfg(target_pointer_width = "64")]
const _: () = assert!(size_of::<Table>() == 32);

// SAFETY: the fields that change are atomics; `entries` points into the block itself.
unsafe impl Sync for Table {}

/// The table of every dict that never had a key. It is never written: it has no room.
#[repr(C)]
struct EmptyBlock {
    table: Table,
    cells: [u8; 8],
}

static EMPTY: EmptyBlock = EmptyBlock {
    table: Table {
        entries: NonNull::dangling().as_ptr(),
        mask: 0,
        capacity: 0,
        width: 0,
        str_only: AtomicBool::new(true),
        used: AtomicU32::new(0),
        usable: AtomicU32::new(0),
        first: AtomicU32::new(0),
    },
    cells: [0; 8],
};

/// An unsigned integer wide enough for an index cell.
trait Cell {
    fn load(&self) -> usize;
    fn store(&self, code: usize);
}

macro_rules! cell {
    ($($atomic:ident $int:ident)+) => { $(
        impl Cell for $atomic {
            #[inline(always)]
            fn load(&self) -> usize {
                $atomic::load(self, Relaxed) as usize
            }
            #[inline(always)]
            fn store(&self, code: usize) {
                $atomic::store(self, code as $int, Relaxed);
            }
        }
    )+ };
}
cell!(AtomicU8 u8 AtomicU16 u16 AtomicU32 u32);

/// Where a probe stands, to be taken up again.
#[derive(Clone, Copy)]
pub(super) struct Walk {
    at: usize,
    perturb: u64,
}

impl Walk {
    #[inline(always)]
    pub fn new(hash: i64) -> Walk {
        Walk {
            at: hash as usize,
            perturb: hash as u64,
        }
    }

    #[inline(always)]
    fn step(&mut self) {
        self.perturb >>= 5;
        self.at = self
            .at
            .wrapping_mul(5)
            .wrapping_add(self.perturb as usize)
            .wrapping_add(1);
    }
}

/// What a probe came to.
pub(super) enum Probe {
    Found(usize),
    Missing,
    /// The hash of this entry is the same, and only Python code can tell whether the keys are equal.
    Ask(usize, Value),
}

/// What a look without the lock came to.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Sight {
    Found(usize),
    Missing,
    Unclear,
}

/// Calls a method that is generic over the index cell with the width of `$table`.
macro_rules! by_width {
    ($table:expr, $method:ident($($arg:expr),*)) => {
        match $table.width {
            0 => $table.$method::<AtomicU8>($($arg),*),
            1 => $table.$method::<AtomicU16>($($arg),*),
            _ => $table.$method::<AtomicU32>($($arg),*),
        }
    };
}

impl Table {
    pub fn empty() -> NonNull<Table> {
        NonNull::from(&EMPTY.table)
    }

    /// How many entries a table of this size takes before it must grow: two thirds.
    const fn capacity_of(log2: u32) -> usize {
        (2usize << log2) / 3
    }

    /// The size of the table that takes `n` entries.
    pub fn log2_for(n: usize) -> Option<u32> {
        (MIN_LOG2..=MAX_LOG2).find(|&log2| Table::capacity_of(log2) >= n)
    }

    /// The size of a table that has outgrown its last one with `len` entries left.
    pub fn log2_to_grow(len: usize) -> Option<u32> {
        (MIN_LOG2..=MAX_LOG2).find(|&log2| 1usize << log2 >= len.saturating_mul(3))
    }

    fn width_of(log2: u32) -> u8 {
        match log2 {
            0..=8 => 0,
            9..=16 => 1,
            _ => 2,
        }
    }

    #[inline(always)]
    fn mask(&self) -> usize {
        self.mask as usize
    }

    fn layout(mask: usize, width: u8, capacity: usize) -> Option<(Layout, usize)> {
        let entries_at = size_of::<Table>() + ((mask + 1) << width).next_multiple_of(8);
        let size = entries_at.checked_add(capacity.checked_mul(size_of::<Entry>())?)?;
        Some((Layout::from_size_align(size, 8).ok()?, entries_at))
    }

    /// A fresh table; `None` when there is no memory.
    pub fn alloc(log2: u32) -> Option<NonNull<Table>> {
        let (mask, width, capacity) = ((1usize << log2) - 1, Table::width_of(log2), Table::capacity_of(log2));
        let (layout, entries_at) = Table::layout(mask, width, capacity)?;
        // SAFETY: the layout is not empty. Zeroed memory is right for cells (`FREE`) and entries (empty slots).
        let block = NonNull::new(unsafe { std::alloc::alloc_zeroed(layout) })?;
        let table = block.cast::<Table>();
        // SAFETY: the block is large enough for the head, and aligned.
        unsafe {
            table.write(Table {
                mask: mask as u32,
                entries: block.add(entries_at).cast::<Entry>().as_ptr(),
                capacity: capacity as u32,
                width,
                str_only: AtomicBool::new(true),
                used: AtomicU32::new(0),
                usable: AtomicU32::new(capacity as u32),
                first: AtomicU32::new(0),
            });
        }
        Some(table)
    }

    /// Frees the block. Its entries must have been emptied or moved.
    ///
    /// # Safety
    /// `table` came from [`Table::alloc`], nobody will use it again, and nobody but racing readers of values does now.
    pub unsafe fn free(table: NonNull<Table>) {
        // SAFETY: by contract; the layout is that of the allocation, which cannot have failed to compute.
        unsafe {
            let head = table.as_ref();
            if let Some((layout, _)) = Table::layout(head.mask(), head.width, head.capacity as usize) {
                crate::memory::retire_sized(layout.size(), move || {
                    std::alloc::dealloc(table.as_ptr().cast(), layout)
                });
            }
        }
    }

    /// As [`Table::free`], when nobody can be reading.
    ///
    /// # Safety
    /// As there, and there are no racing readers.
    pub unsafe fn free_at_once(table: NonNull<Table>) {
        // SAFETY: by contract; the layout is that of the allocation.
        unsafe {
            let head = table.as_ref();
            if let Some((layout, _)) = Table::layout(head.mask(), head.width, head.capacity as usize) {
                std::alloc::dealloc(table.as_ptr().cast(), layout);
            }
        }
    }

    pub fn is_static(&self) -> bool {
        self.capacity == 0
    }

    /// Bytes of the block, for `__sizeof__`.
    pub fn size(&self) -> usize {
        if self.is_static() {
            return 0;
        }
        Table::layout(self.mask(), self.width, self.capacity as usize).map_or(0, |(layout, _)| layout.size())
    }

    #[inline(always)]
    pub fn used(&self) -> usize {
        self.used.load(Relaxed) as usize
    }

    #[inline(always)]
    pub fn usable(&self) -> usize {
        self.usable.load(Relaxed) as usize
    }

    #[inline(always)]
    pub fn str_only(&self) -> bool {
        self.str_only.load(Relaxed)
    }

    #[inline(always)]
    fn entry(&self, n: usize) -> &Entry {
        debug_assert!(n < self.capacity as usize, "entry {n} of a table of {}", self.capacity);
        // SAFETY: callers take `n` from an index cell, or have checked it; all `capacity` entries are initialised.
        unsafe { &*self.entries.add(n) }
    }

    #[inline(always)]
    fn cell<C: Cell>(&self, at: usize) -> &C {
        // SAFETY: `mask + 1` cells of this table's width lie behind the head, zeroed at first.
        unsafe { &*std::ptr::from_ref(self).add(1).cast::<C>().add(at & self.mask()) }
    }

    /// What the first cell of a small table says of a key: its entry, that there is none, or nothing.
    #[inline(always)]
    pub fn at_first(&self, key: &Value, hash: i64) -> Option<Option<usize>> {
        if self.width != 0 {
            return None;
        }
        let code = Cell::load(self.cell::<AtomicU8>(hash as usize));
        if code == FREE {
            return Some(None);
        }
        let n = code.checked_sub(FIRST)?;
        (self.entry(n).key.peek_bits() == key.bits()).then_some(Some(n))
    }

    /// Finds `key`, comparing as text with all keys that are (subclasses of) str: never runs Python code.
    #[inline]
    pub fn find_str(&self, key: &Py<Str>, hash: i64) -> Option<usize> {
        by_width!(self, find_str_in(key, hash))
    }

    #[inline(always)]
    fn find_str_in<C: Cell>(&self, key: &Py<Str>, hash: i64) -> Option<usize> {
        let bits = key.as_value().bits();
        let mut walk = Walk::new(hash);
        loop {
            let code = self.cell::<C>(walk.at).load();
            if code >= FIRST {
                let entry = self.entry(code - FIRST);
                let theirs = entry.key.peek_bits();
                if theirs == bits || entry.hash.load(Relaxed) == hash && same_text(theirs, key) {
                    return Some(code - FIRST);
                }
            } else if code == FREE {
                return None;
            }
            walk.step();
        }
    }

    /// Finds a key without the lock, as far as that can be told without Python code and changes are not in the way. An entry that is found
    /// had the key at that moment; a key that is missing was so too, or a change was under way.
    #[inline]
    pub fn find_racing(&self, key: &Value, hash: i64) -> Sight {
        by_width!(self, find_racing_in(key, hash))
    }

    #[inline(always)]
    fn find_racing_in<C: Cell>(&self, key: &Value, hash: i64) -> Sight {
        let mut walk = Walk::new(hash);
        for _ in 0..=self.mask() {
            let code = self.cell::<C>(walk.at).load();
            if code >= FIRST {
                let entry = self.entry(code - FIRST);
                let theirs = raw(&entry.key).load(Acquire);
                if theirs == key.bits() {
                    return Sight::Found(code - FIRST);
                }
                // Different small ints (low bit) are never equal, and an entry without a key is being made or taken out.
                if theirs != 0 && theirs & key.bits() & 1 == 0 && entry.hash.load(Relaxed) == hash {
                    let Some(text) = key.downcast_exact::<Str>() else {
                        return Sight::Unclear;
                    };
                    let Some(theirs) = entry.key.get() else {
                        return Sight::Unclear;
                    };
                    match theirs.downcast_exact::<Str>() {
                        Some(theirs) if theirs.text_eq(text) => return Sight::Found(code - FIRST),
                        Some(_) => {}
                        None => return Sight::Unclear,
                    }
                }
            } else if code == FREE {
                return Sight::Missing;
            }
            walk.step();
        }
        Sight::Unclear
    }

    /// Finds any key, as far as that can be told without Python code; `walk` is where to start and, afterwards, to go on.
    #[inline]
    pub fn find(&self, key: &Value, hash: i64, walk: &mut Walk) -> Probe {
        by_width!(self, find_in(key, hash, walk))
    }

    #[inline(always)]
    fn find_in<C: Cell>(&self, key: &Value, hash: i64, walk: &mut Walk) -> Probe {
        loop {
            let code = self.cell::<C>(walk.at).load();
            if code == FREE {
                return Probe::Missing;
            }
            walk.step();
            if code < FIRST {
                continue;
            }
            let entry = self.entry(code - FIRST);
            let theirs = entry.key.peek_bits();
            if theirs == key.bits() {
                return Probe::Found(code - FIRST);
            }
            // Different small ints (low bit) are never equal.
            if entry.hash.load(Relaxed) == hash && theirs & key.bits() & 1 == 0 {
                match same_key(theirs, key) {
                    Some(true) => return Probe::Found(code - FIRST),
                    Some(false) => {}
                    None => match entry.key.get() {
                        Some(candidate) => return Probe::Ask(code - FIRST, candidate),
                        None => continue,
                    },
                }
            }
        }
    }

    /// Whether entry `n` still exists and has this very object as its key.
    pub fn has_key_at(&self, n: usize, key: &Value) -> bool {
        n < self.used() && self.entry(n).key.peek_bits() == key.bits()
    }

    /// The value of entry `n`; callable without the lock.
    #[inline(always)]
    pub fn value_at(&self, n: usize) -> Option<Value> {
        if n < self.capacity as usize {
            self.entry(n).value.get()
        } else {
            None
        }
    }

    /// As [`Table::value_at`].
    ///
    /// # Safety
    /// There is an entry `n`, and nobody changes the table meanwhile.
    #[inline(always)]
    pub unsafe fn value_unchecked(&self, n: usize) -> Option<Value> {
        // SAFETY: by contract.
        unsafe { (*self.entries.add(n)).value.get_locked() }
    }

    /// The place of the value of entry `n`; callable without the lock.
    #[inline(always)]
    pub fn place_at(&self, n: usize) -> Option<&Slot> {
        (n < self.capacity as usize).then(|| &self.entry(n).value)
    }

    /// As [`Table::place_at`].
    ///
    /// # Safety
    /// There is an entry `n`.
    #[inline(always)]
    pub unsafe fn place_unchecked(&self, n: usize) -> &Slot {
        // SAFETY: by contract.
        unsafe { &(*self.entries.add(n)).value }
    }

    /// The key of entry `n`.
    #[inline]
    pub fn key_at(&self, n: usize) -> Option<Value> {
        if n < self.used() { self.entry(n).key.get() } else { None }
    }

    /// Puts another value in; returns the old one.
    #[inline(always)]
    #[must_use = "drop the old value when no lock is held"]
    pub fn swap_value(&self, n: usize, value: Value) -> Option<Value> {
        self.entry(n).value.swap(Some(value))
    }

    /// Hash, key and value of the first entry from `*n` on that was not deleted; `*n` becomes the one after it.
    #[inline]
    pub fn next(&self, n: &mut usize) -> Option<(i64, Value, Value)> {
        let used = self.used();
        while *n < used {
            let entry = self.entry(*n);
            *n += 1;
            if let Some(key) = entry.key.get()
                && let Some(value) = entry.value.get()
            {
                return Some((entry.hash.load(Relaxed), key, value));
            }
        }
        None
    }

    /// Number of the first entry from `n` on that was not deleted.
    #[inline]
    pub fn live_from(&self, n: usize) -> Option<usize> {
        let n = n.max(self.first.load(Relaxed) as usize);
        (n..self.used()).find(|&n| !self.entry(n).key.is_empty())
    }

    /// Number of the last entry below `end` that was not deleted.
    #[inline]
    pub fn live_before(&self, end: usize) -> Option<usize> {
        let first = self.first.load(Relaxed) as usize;
        (first..end.min(self.used()))
            .rev()
            .find(|&n| !self.entry(n).key.is_empty())
    }

    /// How many entries below `end` were not deleted.
    pub fn live_count_before(&self, end: usize) -> usize {
        (0..end.min(self.used()))
            .filter(|&n| !self.entry(n).key.is_empty())
            .count()
    }

    /// All entries below `n` are known to be deleted.
    pub fn begin_at(&self, n: usize) {
        self.first.store(n.min(self.used()) as u32, Relaxed);
    }

    /// Whether there is a place before the first entry.
    pub fn has_room_before(&self) -> bool {
        self.first.load(Relaxed) > 0
    }

    /// Puts an entry whose key is not in the table before all others. There must be room, there too.
    pub fn prepend(&self, hash: i64, key: Value, value: Value) {
        debug_assert!(self.usable() > 0 && self.has_room_before(), "the caller makes room");
        if self.str_only() && key.downcast_exact::<Str>().is_none() {
            self.str_only.store(false, Relaxed);
        }
        let n = self.first.load(Relaxed) as usize - 1;
        by_width!(self, link(hash, n));
        let entry = self.entry(n);
        entry.hash.store(hash, Relaxed);
        raw(&entry.value).store(value.into_bits(), Release);
        raw(&entry.key).store(key.into_bits(), Release);
        self.first.store(n as u32, Relaxed);
        self.usable.store(self.usable() as u32 - 1, Relaxed);
    }

    /// Appends an entry whose key is not in the table. There must be room.
    #[inline]
    pub fn append(&self, hash: i64, key: Value, value: Value) {
        debug_assert!(self.usable() > 0, "the caller makes room");
        if self.str_only() && key.downcast_exact::<Str>().is_none() {
            self.str_only.store(false, Relaxed);
        }
        let n = self.used();
        by_width!(self, link(hash, n));
        let entry = self.entry(n);
        entry.hash.store(hash, Relaxed);
        raw(&entry.value).store(value.into_bits(), Release);
        raw(&entry.key).store(key.into_bits(), Release);
        self.used.store(n as u32 + 1, Release);
        self.usable.store(self.usable() as u32 - 1, Relaxed);
    }

    #[inline(always)]
    fn link<C: Cell>(&self, hash: i64, n: usize) {
        let mut walk = Walk::new(hash);
        loop {
            let cell = self.cell::<C>(walk.at);
            if cell.load() < FIRST {
                return cell.store(n + FIRST);
            }
            walk.step();
        }
    }

    /// Deletes entry `n`; returns key and value.
    #[must_use = "drop the key and value when no lock is held"]
    pub fn remove(&self, n: usize) -> (Option<Value>, Option<Value>) {
        let entry = self.entry(n);
        by_width!(self, unlink(entry.hash.load(Relaxed), n));
        (entry.key.take(), entry.value.take())
    }

    /// Gives up the places of entries from `n` on, which have all been deleted, so that a dict used as a stack does not collect holes.
    /// `usable` stays: the index cells are not free again.
    pub fn shrink(&self, n: usize) {
        self.used.store(n as u32, Relaxed);
        self.first.fetch_min(n as u32, Relaxed);
    }

    fn unlink<C: Cell>(&self, hash: i64, n: usize) {
        let mut walk = Walk::new(hash);
        loop {
            let cell = self.cell::<C>(walk.at);
            let code = cell.load();
            if code == n + FIRST {
                return cell.store(DUMMY);
            }
            if code == FREE {
                debug_assert!(false, "an entry without a cell");
                return;
            }
            walk.step();
        }
    }

    /// Moves all entries to `to`, which is fresh, in order and without holes, from entry `offset` on.
    pub fn move_to(&self, to: &Table, offset: usize) {
        let mut count = offset;
        for n in 0..self.used() {
            let (from, into) = (self.entry(n), to.entry(count));
            let key = from.key.peek_bits();
            if key == 0 {
                continue;
            }
            let hash = from.hash.load(Relaxed);
            into.hash.store(hash, Relaxed);
            raw(&into.key).store(key, Relaxed);
            raw(&into.value).store(from.value.peek_bits(), Relaxed);
            by_width!(to, link(hash, count));
            count += 1;
        }
        to.filled(self, count);
        to.begin_at(offset);
    }

    /// Copies all entries to `to`, which is fresh, in order and without holes.
    pub fn copy_to(&self, to: &Table) {
        let (mut n, mut count) = (0, 0);
        while let Some((hash, key, value)) = self.next(&mut n) {
            let into = to.entry(count);
            into.hash.store(hash, Relaxed);
            raw(&into.key).store(key.into_bits(), Relaxed);
            raw(&into.value).store(value.into_bits(), Relaxed);
            by_width!(to, link(hash, count));
            count += 1;
        }
        to.filled(self, count);
    }

    fn filled(&self, from: &Table, count: usize) {
        self.used.store(count as u32, Relaxed);
        self.usable.store(self.capacity - count as u32, Relaxed);
        self.str_only.store(from.str_only(), Relaxed);
    }

    /// After [`Table::move_to`]: the references are the new table's. Readers without the lock must not spin on a word that never changes
    /// although its object has died, so they are made to see nothing.
    pub fn forget_entries(&self) {
        if parallel() {
            for n in 0..self.used() {
                let entry = self.entry(n);
                raw(&entry.key).store(0, Release);
                raw(&entry.value).store(0, Release);
            }
        }
    }

    pub fn traverse(&self, visit: &mut crate::memory::trace::Visitor<'_>) {
        use crate::memory::trace::Trace;
        for n in 0..self.used() {
            let entry = self.entry(n);
            entry.key.traverse(visit);
            entry.value.traverse(visit);
        }
    }

    /// Moves all keys and values out.
    pub fn take_all(&self, mut out: impl FnMut(Value)) {
        for n in 0..self.used() {
            let entry = self.entry(n);
            let (key, value) = (entry.key.take(), entry.value.take());
            key.into_iter().chain(value).for_each(&mut out);
        }
    }
}

/// A table that was taken from its dict; dropping it drops the keys and values, so no lock may be held.
#[must_use = "drop it when no lock is held"]
pub(super) struct Detached {
    table: NonNull<Table>,
    /// Nobody can be reading it.
    unreachable: bool,
}

impl Detached {
    /// # Safety
    /// The table is no dict's any more.
    pub unsafe fn new(table: NonNull<Table>) -> Detached {
        Detached {
            table,
            unreachable: false,
        }
    }

    /// # Safety
    /// As for [`Detached::new`], and no reader without the lock can have it.
    pub unsafe fn unreachable(table: NonNull<Table>) -> Detached {
        Detached {
            table,
            unreachable: true,
        }
    }

    pub fn table(&self) -> &Table {
        // SAFETY: freed in `drop` only.
        unsafe { self.table.as_ref() }
    }
}

impl Drop for Detached {
    fn drop(&mut self) {
        if !self.table().is_static() {
            self.table().take_all(drop);
            // SAFETY: by the constructors' contracts it is ours.
            unsafe {
                if self.unreachable {
                    Table::free_at_once(self.table);
                } else {
                    Table::free(self.table);
                }
            }
        }
    }
}

/// The word of a slot whose old content needs no dropping.
#[inline(always)]
fn raw(slot: &Slot) -> &AtomicU64 {
    // SAFETY: `Slot` is `repr(transparent)` over `AtomicU64`.
    unsafe { &*std::ptr::from_ref(slot).cast::<AtomicU64>() }
}

/// Calls `f` with the value in a slot of a locked table.
#[inline(always)]
fn with_word<R>(bits: u64, f: impl FnOnce(&Value) -> R) -> R {
    // SAFETY: the table is locked and holds a reference to the value, so it lives until `f` returns; it is not dropped here.
    f(&ManuallyDrop::new(unsafe { Value::from_bits(bits) }))
}

#[inline]
fn same_text(theirs: u64, key: &Py<Str>) -> bool {
    theirs != 0
        && with_word(theirs, |theirs| match theirs.downcast_exact::<Str>() {
            Some(theirs) => theirs.text_eq(key),
            None => theirs.downcast::<Str>().is_some_and(|theirs| theirs.text_eq(key)),
        })
}

/// Whether two keys of equal hash are equal, if no Python code is needed to tell.
#[inline]
fn same_key(theirs: u64, key: &Value) -> Option<bool> {
    if theirs == 0 {
        return Some(false);
    }
    with_word(theirs, |theirs| surely_same_key(theirs, key, 3))
}
