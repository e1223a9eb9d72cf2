//! The memory of a list: a growing array of values, which other threads may read an item of without the list's lock.
//!
//! Invariants: the array is changed under the object's lock, through [`Items`]. As long as a block is the list's, the published
//! length is at most its capacity: a longer block is published before its length, and before a shorter one the length is 0. Words are
//! written whole, an object before the word that names it (who has a longer length of before may look there at once), and that before the length that
//! takes it in. While threads may read without the lock (`biased::is_raced`), a block that
//! is replaced is kept for them ([`retire_sized`]); blocks are not published again then. So what [`Store::get_racing`] finds to be there after it
//! was counted is the list's at that moment (CPython's free-threaded lists are read in the same manner).
//! Left out: giving memory back when items are removed.

use std::mem::ManuallyDrop;
use std::ops::{Deref, Range};
use std::ptr::NonNull;

use crate::memory::header::Header;
use crate::memory::retire_sized;
use crate::memory::room::NoMemory;
use crate::memory::trace::{Trace, Visitor, has_room};
use crate::object::{Slot, Value};
use crate::sync::atomic::{
    AtomicPtr, AtomicU64, AtomicUsize,
    Ordering::{Acquire, Relaxed, Release},
    fence,
};
use crate::sync::{biased, parallel};

/// The array; see the module.
pub(super) struct Store {
    block: AtomicPtr<AtomicU64>,
    len: AtomicUsize,
    /// Items that the block has room for. Used under the lock alone.
    capacity: AtomicUsize,
}

fn nothing() -> *mut AtomicU64 {
    NonNull::dangling().as_ptr()
}

/// The block of an empty list that is being sorted. It is replaced when anything is put in or all is taken out.
fn sorting() -> *mut AtomicU64 {
    std::ptr::without_provenance_mut(2 * align_of::<AtomicU64>())
}

/// No cell is behind it.
fn is_empty_block(block: *mut AtomicU64) -> bool {
    block.addr() <= sorting().addr()
}

impl Store {
    #[inline]
    pub fn new(items: Vec<Value>) -> Store {
        let mut items = ManuallyDrop::new(items);
        Store {
            block: AtomicPtr::new(items.as_mut_ptr().cast()),
            len: AtomicUsize::new(items.len()),
            capacity: AtomicUsize::new(items.capacity()),
        }
    }

    #[inline(always)]
    pub fn len(&self) -> usize {
        self.len.load(Acquire)
    }

    /// The items.
    ///
    /// # Safety
    /// The list is locked or no other thread can run, and it is not changed as long as the result is used.
    #[inline(always)]
    pub unsafe fn slice(&self) -> &[Value] {
        // SAFETY: the block holds so many values; a word of it is a value.
        unsafe { std::slice::from_raw_parts(self.block.load(Relaxed).cast(), self.len.load(Relaxed)) }
    }

    /// Item number `at` (`Some(None)`: there is none), without the lock; `None` if changes were in the way. Threads may read the list so.
    #[inline]
    pub fn get_racing(&self, at: usize) -> Option<Option<Value>> {
        let block = self.block.load(Acquire);
        let len = self.len.load(Acquire);
        if at >= len {
            return Some(None);
        }
        // If the block is still the same, the length was its own. An empty list may have had that of another meanwhile.
        if self.block.load(Acquire) != block || is_empty_block(block) {
            return None;
        }
        // SAFETY: within the block, which is kept until this thread's next safepoint.
        let word = unsafe { &*block.add(at) };
        let bits = word.load(Acquire);
        if bits & 7 != 0 {
            // SAFETY: immediates own nothing.
            return Some(Some(unsafe { Value::from_bits(bits) }));
        }
        // SAFETY: it was the list's a moment ago: the memory is that of an object block.
        if !unsafe { NonNull::new(bits as *mut Header)?.as_ref() }.try_incref() {
            return None;
        }
        // SAFETY: the count just taken is the result's.
        let item = unsafe { Value::from_bits(bits) };
        fence(Acquire);
        // In this order: a length that takes the item in, then the item, and last that all this was of the list's block.
        let there = at < self.len.load(Acquire) && word.load(Acquire) == bits && self.block.load(Acquire) == block;
        there.then_some(Some(item))
    }

    /// Appends if there is room; gives the item back otherwise.
    ///
    /// # Safety
    /// No other thread uses the list meanwhile.
    #[inline(always)]
    pub unsafe fn push_alone(&self, item: Value) -> Result<(), Value> {
        let len = self.len.load(Relaxed);
        if len == self.capacity.load(Relaxed) {
            return Err(item);
        }
        // SAFETY: within the block.
        unsafe { &*self.block.load(Relaxed).add(len) }.store(item.into_bits(), Relaxed);
        self.len.store(len + 1, Relaxed);
        Ok(())
    }

    /// As [`Self::push_alone`], of a value's word, whose reference is the list's if the result is true.
    ///
    /// # Safety
    /// No other thread uses the list meanwhile.
    #[inline(always)]
    pub unsafe fn push_word_alone(&self, word: u64) -> bool {
        let len = self.len.load(Relaxed);
        if len == self.capacity.load(Relaxed) {
            return false;
        }
        // SAFETY: within the block.
        unsafe { &*self.block.load(Relaxed).add(len) }.store(word, Relaxed);
        self.len.store(len + 1, Relaxed);
        true
    }

    /// Takes the last item.
    ///
    /// # Safety
    /// No other thread uses the list meanwhile.
    #[inline(always)]
    pub unsafe fn pop_alone(&self) -> Option<Value> {
        let last = self.len.load(Relaxed).checked_sub(1)?;
        // SAFETY: within the block; the list's reference moves to the result.
        let item = unsafe { Value::from_bits((*self.block.load(Relaxed).add(last)).load(Relaxed)) };
        self.len.store(last, Relaxed);
        Some(item)
    }

    /// The place of item number `at`, counted from the end if negative.
    ///
    /// # Safety
    /// No other thread changes the list, and it is not changed here otherwise, as long as the result is used.
    #[inline(always)]
    pub unsafe fn place_alone(&self, at: i64) -> Option<&Slot> {
        let len = self.len.load(Relaxed);
        let at = if at < 0 { at.wrapping_add(len as i64) } else { at } as usize;
        // SAFETY: within the block; a word of it is a value's, as that of a slot is.
        (at < len).then(|| unsafe { &*self.block.load(Relaxed).add(at).cast::<Slot>() })
    }

    /// Makes `items` the array, which is empty.
    fn fill(&self, items: Vec<Value>) {
        let mut items = ManuallyDrop::new(items);
        self.block.store(items.as_mut_ptr().cast(), Release);
        self.capacity.store(items.capacity(), Relaxed);
        self.len.store(items.len(), Release);
    }

    /// Takes the block away.
    ///
    /// # Safety
    /// Nobody reads without the lock, or only what stays as it is.
    unsafe fn take_block(&self) -> Vec<Value> {
        let (block, len) = (self.block.load(Relaxed), self.len.load(Relaxed));
        let capacity = self.capacity.swap(0, Relaxed);
        self.len.store(0, Release);
        if capacity != 0 {
            self.block.store(nothing(), Release);
        }
        // SAFETY: the parts of a `Vec`, and the list's no longer.
        unsafe { Vec::from_raw_parts(block.cast(), len, capacity) }
    }
}

impl Trace for Store {
    fn traverse(&self, visit: &mut Visitor<'_>) {
        // SAFETY: the world is stopped, and no lock is held at a safepoint.
        visit.values(unsafe { self.slice() });
    }

    fn clear(&self, out: &mut Vec<Value>) {
        // SAFETY: as above.
        if has_room(out, unsafe { self.slice() }.len()) {
            // SAFETY: as above.
            out.append(&mut unsafe { self.take_block() });
        }
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        let (block, len) = (self.block.load(Relaxed), self.len.load(Relaxed));
        let capacity = self.capacity.load(Relaxed);
        if capacity == 0 {
            return;
        }
        // What items run when they go sees an empty list.
        self.len.store(0, Relaxed);
        // SAFETY: the list goes away: who reads without the lock holds a reference to it. The parts are those of a `Vec`, whose values are
        // dropped once.
        unsafe {
            Value::drop_all(block.cast(), len);
            drop(Vec::<Value>::from_raw_parts(block.cast(), 0, capacity));
        }
    }
}

/// The items of a list that is locked: a slice that grows. What it is told to remove it gives back, to be dropped after the unlock.
pub struct Items<'a> {
    store: &'a Store,
    header: &'a Header,
}

impl Deref for Items<'_> {
    type Target = [Value];

    #[inline(always)]
    fn deref(&self) -> &[Value] {
        // SAFETY: the list is locked, and changes need `&mut self`.
        unsafe { self.store.slice() }
    }
}

impl<'a> Items<'a> {
    /// # Safety
    /// The list with this store and header is locked, and this is the only one.
    #[inline(always)]
    pub(super) unsafe fn new(store: &'a Store, header: &'a Header) -> Items<'a> {
        Items { store, header }
    }

    #[inline(always)]
    fn raced(&self) -> bool {
        parallel() && biased::is_raced(self.header)
    }

    #[inline(always)]
    pub fn capacity(&self) -> usize {
        self.store.capacity.load(Relaxed)
    }

    /// Cell number `at`, which may lie behind the last item.
    #[inline(always)]
    fn cell(&self, at: usize) -> &AtomicU64 {
        assert!(at < self.capacity());
        // SAFETY: within the block.
        unsafe { &*self.store.block.load(Relaxed).add(at) }
    }

    #[inline(always)]
    fn set_len(&mut self, len: usize) {
        debug_assert!(len <= self.capacity());
        self.store.len.store(len, Release);
    }

    /// Makes room for `more` items, and for further ones if the block must grow for them.
    ///
    /// # Errors
    /// If there is no memory.
    #[inline(always)]
    pub fn try_reserve(&mut self, more: usize) -> Result<(), NoMemory> {
        if self.capacity() - self.len() >= more {
            return Ok(());
        }
        self.grow(more, false)
    }

    /// As [`Items::try_reserve`], for exactly so many.
    ///
    /// # Errors
    /// If there is no memory.
    pub fn try_reserve_exact(&mut self, more: usize) -> Result<(), NoMemory> {
        if self.capacity() - self.len() >= more {
            return Ok(());
        }
        self.grow(more, true)
    }

    #[inline(never)]
    fn grow(&mut self, more: usize, exact: bool) -> Result<(), NoMemory> {
        let (old, len, capacity) = (self.store.block.load(Relaxed), self.len(), self.capacity());
        let raced = self.raced();
        // SAFETY: the parts of a `Vec`. Its values are moved, or it is forgotten.
        let mut items = ManuallyDrop::new(unsafe { Vec::<Value>::from_raw_parts(old.cast(), len, capacity) });
        if !raced {
            if exact {
                items.try_reserve_exact(more)?;
            } else {
                items.try_reserve(more)?;
            }
            self.store.block.store(items.as_mut_ptr().cast(), Release);
            self.store.capacity.store(items.capacity(), Relaxed);
            return Ok(());
        }
        let least = len.checked_add(more).ok_or(NoMemory)?;
        let mut grown = Vec::<Value>::new();
        grown.try_reserve_exact(if exact {
            least
        } else {
            least.max(capacity.saturating_mul(2))
        })?;
        let mut grown = ManuallyDrop::new(grown);
        // SAFETY: `len` values fit; they are the new block's from here on.
        unsafe { std::ptr::copy_nonoverlapping(old.cast::<Value>(), grown.as_mut_ptr(), len) };
        self.store.block.store(grown.as_mut_ptr().cast(), Release);
        self.store.capacity.store(grown.capacity(), Relaxed);
        free_later(old, capacity);
        Ok(())
    }

    /// Appends.
    ///
    /// # Errors
    /// If there is no memory: the item.
    #[inline(always)]
    pub fn push(&mut self, item: Value) -> Result<(), Value> {
        let len = self.store.len.load(Relaxed);
        if len == self.capacity() && self.grow(1, false).is_err() {
            return Err(item);
        }
        // SAFETY: within the block.
        unsafe { &*self.store.block.load(Relaxed).add(len) }.store(item.into_bits(), Release);
        self.set_len(len + 1);
        Ok(())
    }

    #[inline(always)]
    pub fn pop(&mut self) -> Option<Value> {
        let last = self.len().checked_sub(1)?;
        let bits = self.cell(last).load(Relaxed);
        self.set_len(last);
        // SAFETY: the list's reference moves to the result.
        Some(unsafe { Value::from_bits(bits) })
    }

    /// Puts an item in the place of another, which exists.
    #[inline(always)]
    pub fn replace(&mut self, at: usize, item: Value) -> Value {
        assert!(at < self.len());
        let cell = self.cell(at);
        let old = cell.load(Relaxed);
        cell.store(item.into_bits(), Release);
        // SAFETY: the list's reference moves to the result.
        unsafe { Value::from_bits(old) }
    }

    pub fn swap(&mut self, a: usize, b: usize) {
        assert!(a.max(b) < self.len());
        let (x, y) = (self.cell(a).load(Relaxed), self.cell(b).load(Relaxed));
        self.cell(a).store(y, Release);
        self.cell(b).store(x, Release);
    }

    pub fn reverse(&mut self) {
        let len = self.len();
        (0..len / 2).for_each(|at| self.swap(at, len - 1 - at));
    }

    /// Puts an item before number `at`, which exists or is the end.
    ///
    /// # Errors
    /// If there is no memory: the item.
    pub fn insert(&mut self, at: usize, item: Value) -> Result<(), Value> {
        let len = self.len();
        assert!(at <= len);
        if self.try_reserve(1).is_err() {
            return Err(item);
        }
        self.shift(at, at + 1, len - at);
        self.cell(at).store(item.into_bits(), Release);
        self.set_len(len + 1);
        Ok(())
    }

    /// Takes out item number `at`, which exists.
    pub fn remove(&mut self, at: usize) -> Value {
        let len = self.len();
        assert!(at < len);
        let bits = self.cell(at).load(Relaxed);
        self.shift(at + 1, at, len - at - 1);
        self.set_len(len - 1);
        // SAFETY: the list's reference moves to the result.
        unsafe { Value::from_bits(bits) }
    }

    /// Moves `count` words within the block.
    fn shift(&mut self, from: usize, to: usize, count: usize) {
        assert!(from.max(to) + count <= self.capacity());
        if !self.raced() {
            let block = self.store.block.load(Relaxed);
            // SAFETY: within the block, and nobody reads it meanwhile.
            return unsafe { std::ptr::copy(block.add(from), block.add(to), count) };
        }
        let copy = |n: usize| self.cell(to + n).store(self.cell(from + n).load(Relaxed), Release);
        if from < to {
            (0..count).rev().for_each(copy);
        } else {
            (0..count).for_each(copy);
        }
    }

    /// Appends all of `more`.
    ///
    /// # Errors
    /// If there is no memory: `more`.
    pub fn append(&mut self, more: Vec<Value>) -> Result<(), Vec<Value>> {
        let len = self.len();
        let count = more.len();
        if self.try_reserve(count).is_err() {
            return Err(more);
        }
        for (at, item) in more.into_iter().enumerate() {
            self.cell(len + at).store(item.into_bits(), Release);
        }
        self.set_len(len + count);
        Ok(())
    }

    /// Appends further references to `more`.
    ///
    /// # Errors
    /// If there is no memory.
    #[inline]
    pub fn extend_from_slice(&mut self, more: &[Value]) -> Result<(), NoMemory> {
        if self.capacity() == 0 {
            if !more.is_empty() {
                let mut items = room_for(more.len())?;
                clone_to_end(more, &mut items);
                self.store.fill(items);
            }
            return Ok(());
        }
        let len = self.len();
        self.try_reserve(more.len())?;
        assert!(self.capacity() - len >= more.len());
        // What is stored from here on is seen after the objects, as with the words that are published one by one.
        fence(Release);
        // SAFETY: there is room behind the items.
        unsafe { Value::clone_all(more, self.store.block.load(Relaxed).add(len).cast()) };
        self.set_len(len + more.len());
        Ok(())
    }

    /// Appends further references to the first `count` items.
    ///
    /// # Errors
    /// If there is no memory.
    pub fn extend_from_within(&mut self, count: usize) -> Result<(), NoMemory> {
        let len = self.len();
        self.try_reserve(count)?;
        for at in 0..count {
            let item = self[at].clone();
            self.cell(len + at).store(item.into_bits(), Release);
        }
        self.set_len(len + count);
        Ok(())
    }

    /// Takes all items out to sort them.
    ///
    /// # Errors
    /// As those of `take`.
    pub fn take_to_sort(&mut self) -> Result<Vec<Value>, NoMemory> {
        let taken = self.take()?;
        self.store.block.store(sorting(), Release);
        Ok(taken)
    }

    /// Whether nothing was put in since [`take_to_sort`](Self::take_to_sort), nor taken out again.
    pub fn is_sorting(&self) -> bool {
        self.store.block.load(Relaxed) == sorting()
    }

    /// Takes all items out.
    ///
    /// # Errors
    /// If threads may read the list without the lock, and there is no memory to move the items to.
    pub fn take(&mut self) -> Result<Vec<Value>, NoMemory> {
        if !self.raced() {
            // SAFETY: nobody reads without the lock.
            return Ok(unsafe { self.store.take_block() });
        }
        // The block stays for those who read it.
        let mut taken = Vec::new();
        taken.try_reserve_exact(self.len())?;
        self.move_to(&mut taken);
        // SAFETY: readers find in the block what was there.
        let mut block = ManuallyDrop::new(unsafe { self.store.take_block() });
        free_later(block.as_mut_ptr().cast(), block.capacity());
        Ok(taken)
    }

    /// Moves all items to a `Vec` with room for them, behind what is there.
    fn move_to(&mut self, taken: &mut Vec<Value>) {
        let (len, behind) = (self.len(), taken.len());
        assert!(taken.capacity() - behind >= len);
        // SAFETY: there is room; the list has no items from here on.
        unsafe {
            std::ptr::copy_nonoverlapping(self.as_ptr(), taken.as_mut_ptr().add(behind), len);
            taken.set_len(behind + len);
        }
        self.set_len(0);
    }

    /// Makes `new` the items; returns those of before.
    pub fn replace_all(&mut self, new: Vec<Value>) -> Vec<Value> {
        let old = self.take().unwrap_or_else(|NoMemory| {
            // Better that they are never freed than that `new` is lost.
            // SAFETY: readers find in the block what was there.
            std::mem::forget(unsafe { self.store.take_block() });
            Vec::new()
        });
        self.store.fill(new);
        old
    }

    /// Puts `new` in the place of a part of the same length; returns what was there.
    pub fn exchange(&mut self, part: Range<usize>, mut new: Vec<Value>) -> Vec<Value> {
        assert!(part.len() == new.len() && part.end <= self.len());
        for (at, item) in part.zip(&mut new) {
            let old = self.cell(at).load(Relaxed);
            let new = std::mem::replace(item, Value::NONE);
            self.cell(at).store(new.into_bits(), Release);
            // SAFETY: the list's reference moves to `new`.
            *item = unsafe { Value::from_bits(old) };
        }
        new
    }

    /// Puts `new`, for which there is room, in the place of a part; returns what was there, in `old`, which is empty and has room.
    pub fn replace_range(&mut self, part: Range<usize>, new: Vec<Value>, mut old: Vec<Value>) -> Vec<Value> {
        let (len, old_count, new_count) = (self.len(), part.len(), new.len());
        assert!(part.end <= len && self.capacity() - len >= new_count.saturating_sub(old_count));
        assert!(old.is_empty() && old.capacity() >= old_count);
        for at in part.clone() {
            // SAFETY: the list's reference moves to `old`.
            old.push(unsafe { Value::from_bits(self.cell(at).load(Relaxed)) });
        }
        self.shift(part.end, part.start + new_count, len - part.end);
        for (at, item) in new.into_iter().enumerate() {
            self.cell(part.start + at).store(item.into_bits(), Release);
        }
        self.set_len(len - old_count + new_count);
        old
    }

    /// Takes a part out, to the end of `taken`, which has room.
    pub fn drain_to(&mut self, part: Range<usize>, taken: &mut Vec<Value>) {
        let len = self.len();
        assert!(part.end <= len && taken.capacity() - taken.len() >= part.len());
        for at in part.clone() {
            // SAFETY: the list's reference moves to `taken`.
            taken.push(unsafe { Value::from_bits(self.cell(at).load(Relaxed)) });
        }
        self.shift(part.end, part.start, len - part.end);
        self.set_len(len - part.len());
    }
}

/// An empty `Vec` with room for so many values.
///
/// # Errors
/// If there is no memory.
#[inline]
pub(super) fn room_for(n: usize) -> Result<Vec<Value>, NoMemory> {
    if n <= 1024 {
        return Ok(Vec::with_capacity(n));
    }
    let mut items = Vec::new();
    items.try_reserve_exact(n)?;
    Ok(items)
}

/// Puts further references to `items` at the end of `to`, which has room for them.
#[inline]
pub(super) fn clone_to_end(items: &[Value], to: &mut Vec<Value>) {
    let len = to.len();
    assert!(to.capacity() - len >= items.len());
    // SAFETY: there is room, and as many values are there afterwards.
    unsafe {
        Value::clone_all(items, to.as_mut_ptr().add(len));
        to.set_len(len + items.len());
    }
}

/// Frees a block of so many cells, whose values are elsewhere, when nobody can be reading it.
fn free_later(block: *mut AtomicU64, capacity: usize) {
    retire_sized(capacity * size_of::<Value>(), move || {
        // SAFETY: the parts of a `Vec`, without items.
        drop(unsafe { Vec::<Value>::from_raw_parts(block.cast(), 0, capacity) });
    });
}
