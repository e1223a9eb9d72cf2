//! The memory behind all heaps: segments of pages, huge blocks, the list of heaps.
//!
//! Invariant: a page that is not in use has no block that any thread may still look at. Pages come back here
//! only in immediate mode (under the GIL nobody reads a freed block) or while the world is stopped, and
//! therefore may go to another size class, or back to the system, at any later time.
//! Everything in here is protected by the lock [`POOL`].

use std::cell::Cell;
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::Stats;
use super::heap::{Heap, PENDING};
use super::os::{self, Locked};
use super::page::{MAX_LEAD, PAGE_SIZE, Page, PageRef};
use crate::memory::reserve;

const SEGMENT_SIZE: usize = 4 * 1024 * 1024;
const PAGES: usize = SEGMENT_SIZE / PAGE_SIZE;

/// All pages of a segment but the first, which holds its header.
const ALL_PAGES: u64 = !1;

/// Segments that are kept from huge pages, so that a small program stays small.
const SMALL_SEGMENTS: usize = 4;

/// Free pages that are kept resident whatever the program's size (4 MiB).
const KEEP_PAGES: usize = 64;

/// Above this many resident free pages (64 MiB) a trim does not wait for [`TRIM_INTERVAL`].
const MANY_PAGES: usize = 1024;
const TRIM_INTERVAL: Duration = Duration::from_millis(100);

/// Freed huge blocks are kept for reuse up to these limits.
const DEAD_KEEP_BYTES: usize = 16 * 1024 * 1024;
const DEAD_KEEP_COUNT: usize = 32;

/// How many abandoned heaps a search for a page looks at: a search costs less than filling the page it finds.
const STEAL_TRIES: usize = 16;

pub(super) static POOL: Locked<Pool> = Locked::new(Pool::new());

/// Whether an empty page may be used otherwise at once.
static IMMEDIATE: AtomicBool = AtomicBool::new(false);

/// Bytes of freed huge blocks that are still mapped, for [`reclaim_due`]. Written under the lock.
static DEAD_BYTES: AtomicUsize = AtomicUsize::new(0);

/// Pages in use, for [`reclaim_due`]. Written under the lock.
static USED_PAGES: AtomicUsize = AtomicUsize::new(0);

pub(super) fn immediate() -> bool {
    IMMEDIATE.load(Ordering::Relaxed)
}

pub(super) fn set_immediate(immediate: bool) {
    IMMEDIATE.store(immediate, Ordering::Relaxed);
}

/// Whether a rebuild would find enough to be worth a look at every page.
pub(super) fn reclaim_due() -> bool {
    let enough = USED_PAGES.load(Ordering::Relaxed) / 8 + 8;
    PENDING.load(Ordering::Relaxed) > enough as isize || DEAD_BYTES.load(Ordering::Relaxed) > DEAD_KEEP_BYTES
}

/// The header of a segment, at the start of its first page.
#[repr(C)]
struct Segment {
    /// Pages that hold blocks, a bit each. Under the lock.
    in_use: Cell<u64>,
    /// Pages not in use that may be resident. Under the lock.
    dirty: Cell<u64>,
    /// Pages that were current since the last young collection. Any owner of a page sets its bit.
    young: AtomicU64,
    /// Where the pool's list has this segment. Under the lock.
    index: Cell<usize>,
}

/// A mapped segment, from which all its pages can be reached.
#[derive(Clone, Copy)]
struct SegmentRef(NonNull<Segment>);

// SAFETY: a pointer to memory that is used under the lock, or by the owners of its pages.
unsafe impl Send for SegmentRef {}

impl std::ops::Deref for SegmentRef {
    type Target = Segment;

    fn deref(&self) -> &Segment {
        // SAFETY: the header is set up by `Pool::add_segment` and stays mapped until `Pool::drop_segment`
        // removes the last copy of this pointer.
        unsafe { self.0.as_ref() }
    }
}

impl SegmentRef {
    fn of(page: PageRef) -> SegmentRef {
        let start = page.start().as_ptr().map_addr(|addr| addr & !(SEGMENT_SIZE - 1));
        // SAFETY: a page that is not huge lies in a segment, after its first page.
        SegmentRef(unsafe { NonNull::new_unchecked(start.cast()) })
    }

    fn page_start(self, index: usize) -> NonNull<u8> {
        debug_assert!((1..PAGES).contains(&index));
        // SAFETY: the index of a page of the segment.
        unsafe { self.0.cast::<u8>().add(index * PAGE_SIZE) }
    }

    /// The page at a bit of `in_use`.
    fn page(self, index: usize) -> PageRef {
        debug_assert!(self.in_use.get() & (1 << index) != 0);
        // SAFETY: a page in use is set up, and the pointer comes from the segment's.
        unsafe { PageRef::at(self.page_start(index)) }
    }

    fn clean(self) -> u64 {
        ALL_PAGES & !(self.in_use.get() | self.dirty.get())
    }
}

fn bit_of(page: PageRef) -> u64 {
    1 << (page.start().as_ptr().addr() / PAGE_SIZE % PAGES)
}

/// Notes that a block of the page may be handed out from now on.
pub(super) fn mark_young(page: PageRef) {
    let segment = SegmentRef::of(page);
    let bit = bit_of(page);
    if segment.young.load(Ordering::Relaxed) & bit == 0 {
        segment.young.fetch_or(bit, Ordering::Relaxed);
    }
}

fn bits(mut word: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        (word != 0).then(|| {
            let index = word.trailing_zeros() as usize;
            word &= word - 1;
            index
        })
    })
}

/// A doubly linked list of huge blocks.
struct HugeList {
    head: *const Page,
}

impl HugeList {
    fn push(&mut self, page: PageRef) {
        page.prev.set(ptr::null());
        page.next.set(self.head);
        // SAFETY: the list holds mapped huge pages.
        if let Some(second) = unsafe { PageRef::from_ptr(self.head) } {
            second.prev.set(page.as_ptr());
        }
        self.head = page.as_ptr();
    }

    /// # Safety
    /// `page` is on this list.
    unsafe fn remove(&mut self, page: PageRef) {
        let (prev, next) = (page.prev.get(), page.next.get());
        // SAFETY: neighbours on the list are mapped huge pages.
        unsafe {
            match PageRef::from_ptr(prev) {
                Some(prev) => prev.next.set(next),
                None => self.head = next,
            }
            if let Some(next) = PageRef::from_ptr(next) {
                next.prev.set(prev);
            }
        }
    }

    fn iter(&self) -> impl Iterator<Item = PageRef> + use<> {
        let mut rest = self.head;
        std::iter::from_fn(move || {
            // SAFETY: the list holds mapped huge pages; users stop before they unmap one that comes later.
            let page = unsafe { PageRef::from_ptr(rest) }?;
            rest = page.next.get();
            Some(page)
        })
    }
}

pub(super) struct Pool {
    segments: Vec<SegmentRef>,
    /// No segment before these indices has a dirty (a clean) page.
    dirty_from: usize,
    clean_from: usize,
    /// Pages in use, and pages not in use that may be resident.
    used: usize,
    dirty: usize,
    last_trim: Option<Instant>,
    heaps: Vec<&'static Heap>,
    /// The heaps that have no thread. Has room for all.
    abandoned: Vec<&'static Heap>,
    steal_from: usize,
    huge: HugeList,
    /// Freed huge blocks: dead for readers, kept for reuse, unmapped in a quiescent state.
    dead: HugeList,
    dead_count: usize,
    dead_bytes: usize,
    mapped: usize,
}

// SAFETY: the raw pointers lead to memory of the allocator's own, used under the pool's lock.
unsafe impl Send for Pool {}

impl Pool {
    const fn new() -> Self {
        Pool {
            segments: Vec::new(),
            dirty_from: 0,
            clean_from: 0,
            used: 0,
            dirty: 0,
            last_trim: None,
            heaps: Vec::new(),
            abandoned: Vec::new(),
            steal_from: 0,
            huge: HugeList { head: ptr::null() },
            dead: HugeList { head: ptr::null() },
            dead_count: 0,
            dead_bytes: 0,
            mapped: 0,
        }
    }

    // Heaps

    /// A heap for the current thread: an abandoned one, or a new one.
    pub(super) fn adopt_heap(&mut self) -> Option<&'static Heap> {
        if let Some(heap) = self.abandoned.pop() {
            return Some(heap);
        }
        self.heaps.try_reserve(1).ok()?;
        self.abandoned.try_reserve(self.heaps.len() + 1).ok()?;
        let layout = std::alloc::Layout::new::<Heap>();
        // SAFETY: the layout is not empty.
        let heap = NonNull::new(unsafe { std::alloc::alloc(layout) })?.cast::<Heap>();
        // SAFETY: fresh memory of the right layout, which is never given back.
        let heap: &'static Heap = unsafe {
            heap.write(Heap::new());
            heap.as_ref()
        };
        self.heaps.push(heap);
        Some(heap)
    }

    pub(super) fn abandon_heap(&mut self, heap: &'static Heap) {
        self.abandoned.push(heap);
    }

    pub(super) fn reset_gc_pressure(&mut self) {
        for heap in &self.heaps {
            heap.set_gc_pressure(0);
        }
    }

    pub(super) fn gc_objects(&self) -> isize {
        let count = |heap: &Heap| heap.gc_pressure.load(Ordering::Relaxed) + heap.gc_counted.load(Ordering::Relaxed);
        self.heaps.iter().map(|heap| count(heap)).sum()
    }

    // Pages

    /// A page of `bin` for `heap`: an abandoned one with room, or a free one.
    ///
    /// # Safety
    /// The heap is the current thread's.
    pub(super) unsafe fn page_for(&mut self, heap: &Heap, bin: usize) -> Option<PageRef> {
        if let Some(page) = self.steal(heap, bin) {
            return Some(page);
        }
        let start = self.take_page()?;
        // SAFETY: the page was just taken for this heap.
        Some(unsafe { PageRef::set_up(start, bin, heap) })
    }

    /// Takes a page from an abandoned heap. A heap that had one is asked first the next time.
    fn steal(&mut self, heap: &Heap, bin: usize) -> Option<PageRef> {
        let count = self.abandoned.len();
        for _ in 0..count.min(STEAL_TRIES) {
            self.steal_from %= count;
            let other = self.abandoned[self.steal_from];
            // SAFETY: an abandoned heap belongs to the holder of the lock. The page is not Notified, so no
            // thread is about to put it on the other heap's list.
            unsafe {
                let empty = other.take_notified(immediate());
                self.release_chain(empty);
                if let Some(page) = other.take_available(bin) {
                    debug_assert!(!page.is_huge());
                    other.pages.set(other.pages.get().saturating_sub(1));
                    page.heap.store(ptr::from_ref(heap).cast_mut(), Ordering::Relaxed);
                    return Some(page);
                }
            }
            self.steal_from += 1;
        }
        None
    }

    /// The start of a page that is marked in use from now on.
    fn take_page(&mut self) -> Option<NonNull<u8>> {
        let (segment, index) = self
            .find_dirty()
            .or_else(|| self.find_clean())
            .or_else(|| self.add_segment())?;
        let bit = 1 << index;
        if segment.dirty.get() & bit != 0 {
            segment.dirty.set(segment.dirty.get() & !bit);
            self.dirty -= 1;
        }
        segment.in_use.set(segment.in_use.get() | bit);
        self.used += 1;
        USED_PAGES.store(self.used, Ordering::Relaxed);
        Some(segment.page_start(index))
    }

    fn find_dirty(&mut self) -> Option<(SegmentRef, usize)> {
        if self.dirty == 0 {
            return None;
        }
        while let Some(&segment) = self.segments.get(self.dirty_from) {
            if let Some(index) = bits(segment.dirty.get()).next() {
                return Some((segment, index));
            }
            self.dirty_from += 1;
        }
        None
    }

    fn find_clean(&mut self) -> Option<(SegmentRef, usize)> {
        while let Some(&segment) = self.segments.get(self.clean_from) {
            if let Some(index) = bits(segment.clean()).next() {
                return Some((segment, index));
            }
            self.clean_from += 1;
        }
        None
    }

    fn add_segment(&mut self) -> Option<(SegmentRef, usize)> {
        self.segments.try_reserve(1).ok()?;
        let start = reserve::helped(|| os::map_aligned(SEGMENT_SIZE, SEGMENT_SIZE))?;
        if self.segments.len() < SMALL_SEGMENTS {
            // SAFETY: mapped just above.
            unsafe { os::small_pages(start, SEGMENT_SIZE) };
        }
        let segment = start.cast::<Segment>();
        // SAFETY: fresh memory, large enough and aligned.
        unsafe {
            segment.write(Segment {
                in_use: Cell::new(0),
                dirty: Cell::new(0),
                young: AtomicU64::new(0),
                index: Cell::new(self.segments.len()),
            });
        }
        self.mapped += SEGMENT_SIZE;
        self.segments.push(SegmentRef(segment));
        Some((SegmentRef(segment), 1))
    }

    /// Takes an empty page back.
    ///
    /// # Safety
    /// The page is in use, has no block handed out and is linked nowhere; its owner gives it up; no thread can
    /// look at a freed block of it.
    pub(super) unsafe fn release(&mut self, page: PageRef) {
        // SAFETY: by contract.
        unsafe { self.put_back(page) };
        self.trim_if_due();
    }

    /// Takes back empty pages chained by `next`.
    ///
    /// # Safety
    /// As for [`Self::release`], for each page of the chain.
    pub(super) unsafe fn release_chain(&mut self, mut chain: *const Page) {
        if chain.is_null() {
            return;
        }
        // SAFETY: by contract; a page's link is read before the page is given up.
        unsafe {
            while let Some(page) = PageRef::from_ptr(chain) {
                chain = page.next.get();
                self.put_back(page);
            }
        }
        self.trim_if_due();
    }

    /// # Safety
    /// As for [`Self::release`].
    unsafe fn put_back(&mut self, page: PageRef) {
        debug_assert!(page.used() == 0 && !page.is_huge());
        let segment = SegmentRef::of(page);
        let bit = bit_of(page);
        page.heap.store(ptr::null_mut(), Ordering::Relaxed);
        segment.young.fetch_and(!bit, Ordering::Relaxed);
        segment.in_use.set(segment.in_use.get() & !bit);
        segment.dirty.set(segment.dirty.get() | bit);
        self.used -= 1;
        self.dirty += 1;
        self.dirty_from = self.dirty_from.min(segment.index.get());
        USED_PAGES.store(self.used, Ordering::Relaxed);
    }

    /// Gives memory back when much of it is free. What is kept is in proportion to what is used, so that a
    /// program whose need goes up and down pays for a small part of the difference.
    fn trim_if_due(&mut self) {
        let keep = KEEP_PAGES.max(self.used / 4);
        if self.dirty <= keep {
            return;
        }
        let now = Instant::now();
        let recent = self
            .last_trim
            .is_some_and(|last| now.duration_since(last) < TRIM_INTERVAL);
        if recent && self.dirty < MANY_PAGES.max(self.used) {
            return;
        }
        self.last_trim = Some(now);
        self.trim(keep / 2);
    }

    /// Gives back free pages until `keep` are left resident, and all empty segments but one.
    fn trim(&mut self, keep: usize) {
        let mut spare = 1;
        for index in (0..self.segments.len()).rev() {
            let segment = self.segments[index];
            if segment.in_use.get() == 0 {
                if spare == 0 {
                    self.dirty -= segment.dirty.get().count_ones() as usize;
                    self.drop_segment(index);
                    continue;
                }
                spare -= 1;
            }
            if self.dirty > keep {
                self.purge(segment);
            }
        }
        self.dirty_from = 0;
        self.clean_from = 0;
    }

    fn purge(&mut self, segment: SegmentRef) {
        let mut dirty = segment.dirty.get();
        self.dirty -= dirty.count_ones() as usize;
        segment.dirty.set(0);
        while dirty != 0 {
            let first = dirty.trailing_zeros() as usize;
            let run = (dirty >> first).trailing_ones() as usize;
            // SAFETY: these pages are not in use.
            unsafe { os::purge(segment.page_start(first), run * PAGE_SIZE) };
            // Not `<<`: a run may reach the word's end.
            dirty &= u64::MAX.checked_shl((first + run) as u32).unwrap_or(0);
        }
    }

    /// Unmaps a segment without a page in use.
    fn drop_segment(&mut self, index: usize) {
        let segment = self.segments.swap_remove(index);
        if let Some(moved) = self.segments.get(index) {
            moved.index.set(index);
        }
        self.mapped -= SEGMENT_SIZE;
        // SAFETY: no page of the segment is in use, and the pool has forgotten it.
        unsafe { os::unmap(segment.0.cast(), SEGMENT_SIZE) };
    }

    // Huge blocks

    /// A live block of `size` bytes in a mapping of its own.
    pub(super) fn alloc_huge(&mut self, size: usize, gc: bool) -> Option<NonNull<u8>> {
        let map_len = size.checked_add(MAX_LEAD)?.checked_next_multiple_of(PAGE_SIZE)?;
        if map_len > isize::MAX as usize {
            return None;
        }
        let page = match self.take_dead(map_len) {
            Some(page) => page,
            None => {
                let map = || os::map_aligned(map_len, PAGE_SIZE);
                let start = if map_len <= reserve::LARGEST {
                    reserve::helped(map)?
                } else {
                    map()?
                };
                self.mapped += map_len;
                // SAFETY: the mapping was just made with this length.
                unsafe { PageRef::set_up_huge(start, map_len) }
            }
        };
        page.set_gc(gc);
        page.huge_size.set(size);
        page.huge_young.set(true);
        self.huge.push(page);
        let block = page.huge_block();
        // SAFETY: a buried block of a page that is in use.
        unsafe { block.as_ref() }.set_live();
        Some(block.cast())
    }

    /// A freed mapping that fits without wasting more than a quarter.
    fn take_dead(&mut self, map_len: usize) -> Option<PageRef> {
        let most = map_len.checked_add(map_len / 4)?;
        let page = self
            .dead
            .iter()
            .take(DEAD_KEEP_COUNT)
            .find(|page| (map_len..=most).contains(&page.map_len.get()))?;
        // SAFETY: found on the list.
        unsafe { self.dead.remove(page) };
        self.dead_count -= 1;
        self.set_dead_bytes(self.dead_bytes - page.map_len.get());
        Some(page)
    }

    fn set_dead_bytes(&mut self, bytes: usize) {
        self.dead_bytes = bytes;
        DEAD_BYTES.store(bytes, Ordering::Relaxed);
    }

    /// Takes back a huge block.
    ///
    /// # Safety
    /// The block was live until now, and its header is dead.
    pub(super) unsafe fn free_huge(&mut self, page: PageRef) {
        // SAFETY: a huge block that is handed out is on the list.
        unsafe { self.huge.remove(page) };
        let len = page.map_len.get();
        let crowded = self.dead_bytes + len > DEAD_KEEP_BYTES || self.dead_count >= DEAD_KEEP_COUNT;
        if crowded && immediate() {
            // SAFETY: nobody looks at a freed block in this mode.
            unsafe { self.unmap_huge(page) };
            return;
        }
        if crowded && len > PAGE_SIZE {
            // The header must stay readable; the rest need not stay resident.
            // SAFETY: the block is free, and what is given back begins after its header.
            unsafe { os::purge(page.start().add(PAGE_SIZE), len - PAGE_SIZE) };
        }
        self.dead.push(page);
        self.dead_count += 1;
        self.set_dead_bytes(self.dead_bytes + len);
    }

    /// # Safety
    /// The block is free, on no list, and no thread can look at it.
    unsafe fn unmap_huge(&mut self, page: PageRef) {
        let len = page.map_len.get();
        self.mapped -= len;
        // SAFETY: by contract; the whole mapping as it was made.
        unsafe { os::unmap(page.start(), len) };
    }

    // The whole world

    /// Builds every list anew from the pages, and gives up those that are empty.
    ///
    /// # Safety
    /// The world is stopped: no other thread is inside the allocator or looks at a freed block.
    pub(super) unsafe fn rebuild(&mut self) {
        PENDING.store(0, Ordering::Relaxed);
        // SAFETY: with the world stopped, the caller owns every heap and page.
        unsafe {
            for heap in &self.heaps {
                heap.clear();
            }
            // Backwards, so that the lists begin with the lowest pages and the last segments run empty.
            for index in (0..self.segments.len()).rev() {
                let segment = self.segments[index];
                for bit in bits(segment.in_use.get()) {
                    let page = segment.page(bit);
                    page.collect();
                    if page.used() == 0 {
                        self.put_back(page);
                        continue;
                    }
                    if let Some(heap) = page.heap.load(Ordering::Relaxed).as_ref() {
                        heap.pages.set(heap.pages.get() + 1);
                        heap.park(page);
                    }
                }
            }
            let mut kept = (0, 0);
            for page in self.dead.iter() {
                let len = page.map_len.get();
                if kept.0 < DEAD_KEEP_COUNT && kept.1 + len <= DEAD_KEEP_BYTES {
                    kept = (kept.0 + 1, kept.1 + len);
                } else {
                    self.dead.remove(page);
                    self.unmap_huge(page);
                }
            }
            self.dead_count = kept.0;
            self.set_dead_bytes(kept.1);
        }
        self.trim_if_due();
    }

    /// After a fork: leaves every heap without a thread but `own`.
    ///
    /// # Safety
    /// The process has this one thread, whose heap is `own`.
    pub(super) unsafe fn abandon_all_but(&mut self, own: Option<&Heap>) {
        // `abandoned` has room for every heap, so that this does not allocate.
        self.abandoned.clear();
        for heap in &self.heaps {
            if !own.is_some_and(|own| ptr::eq(own, *heap)) {
                self.abandoned.push(heap);
            }
        }
        // SAFETY: no other thread exists.
        unsafe { self.rebuild() };
    }

    /// Calls `f` with each page of collectable objects, or each that is young.
    fn for_each_gc_page(&self, young_only: bool, mut f: impl FnMut(PageRef)) {
        for segment in &self.segments {
            let mut pages = segment.in_use.get();
            if young_only {
                pages &= segment.young.load(Ordering::Relaxed);
            }
            for index in bits(pages) {
                let page = segment.page(index);
                if page.is_gc() {
                    f(page);
                }
            }
        }
    }

    /// As above, for huge objects, which have pages of their own.
    fn for_each_huge_gc_page(&self, young_only: bool, mut f: impl FnMut(PageRef)) {
        // The list begins with the newest, so the young ones are all in front.
        for page in self.huge.iter().take_while(|page| !young_only || page.huge_young.get()) {
            if page.is_gc() {
                f(page);
            }
        }
    }

    pub(super) fn for_each_gc_object(&self, young_only: bool, f: &mut dyn FnMut(NonNull<u8>)) {
        self.for_each_gc_page(young_only, |page| page.for_each_live(f));
        self.for_each_huge_gc_page(young_only, |page| f(page.huge_block().cast()));
    }

    pub(super) fn count_gc_blocks(&self, young_only: bool) -> usize {
        let mut count = 0;
        self.for_each_gc_page(young_only, |page| count += page.live() as usize);
        self.for_each_huge_gc_page(young_only, |_| count += 1);
        count
    }

    /// # Safety
    /// The world is stopped.
    pub(super) unsafe fn end_young_collection(&mut self) {
        for heap in &self.heaps {
            // SAFETY: with the world stopped, the caller owns every heap.
            unsafe { heap.park_gc_pages() };
        }
        for segment in &self.segments {
            segment.young.store(0, Ordering::Relaxed);
        }
        for page in self.huge.iter() {
            if !page.huge_young.replace(false) {
                break;
            }
        }
    }

    pub(super) fn stats(&self) -> Stats {
        let mut stats = Stats {
            held_bytes: self.used * PAGE_SIZE,
            mapped_bytes: self.mapped,
            heaps: self.heaps.len(),
            ..Stats::default()
        };
        for segment in &self.segments {
            for page in bits(segment.in_use.get()).map(|index| segment.page(index)) {
                let live = page.live() as usize;
                stats.live_blocks += live;
                stats.live_bytes += live * page.block_size();
                if page.is_gc() {
                    stats.live_gc_blocks += live;
                }
            }
        }
        for page in self.huge.iter() {
            stats.live_blocks += 1;
            stats.live_bytes += page.huge_size.get();
            stats.held_bytes += page.map_len.get();
            if page.is_gc() {
                stats.live_gc_blocks += 1;
            }
        }
        stats
    }
}
