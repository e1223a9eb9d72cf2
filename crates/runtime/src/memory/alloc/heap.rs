//! The heap of a thread: which page each bin allocates from, and the slow paths behind it.
//!
//! Invariant: a heap belongs to one thread, or is abandoned and belongs to the holder of the pool's lock. It is
//! never destroyed: a later thread adopts it whole, so a page can name its heap without counting.
//! Memory for pages comes from `pool`.

use std::cell::Cell;
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicIsize, AtomicPtr, Ordering};

use super::class::{BINS, GC_BIT};
use super::page::{NO_PAGE, Page, PageRef, State};
use super::pool::{self, POOL};
use crate::memory::watch;

/// A thread's heap. `Cell`s belong to the owner (see the module's comment).
#[repr(align(128))]
pub(super) struct Heap {
    /// The page each bin allocates from; [`NO_PAGE`] when it has none.
    current: [Cell<*const Page>; BINS],
    /// Collectable blocks handed out less those freed, by this heap's threads. Written by the owner, or by a
    /// collection; only its owner's reads matter.
    pub(super) gc_pressure: AtomicIsize,
    /// What was taken out of `gc_pressure`: with it that is how many collectable blocks there are more than were freed here.
    pub(super) gc_counted: AtomicIsize,
    /// Pages with room (or that had some when they were put here).
    available: [Cell<*const Page>; BINS],
    /// Full pages of which another thread freed a block. Any thread pushes, the owner takes all.
    notified: AtomicPtr<Page>,
    /// Pages of this heap, and how many it took since it last looked for empty ones.
    pub(super) pages: Cell<usize>,
    taken: Cell<usize>,
}

// SAFETY: atomics, and `Cell`s whose accesses are ordered by ownership of the heap, which moves through the
// pool's lock.
unsafe impl Sync for Heap {}

/// The heap of a thread that has none yet. Never written: it has no page to allocate from, and no page is its.
static NO_HEAP: Heap = Heap::new();

/// Stands in for the heap of a thread whose blocks are watched: without a page to allocate from, and no page's heap, it sends all that is
/// allocated and freed to the slow paths. Never written.
static WATCHED: Heap = Heap::new();

thread_local! {
    /// No destructor, so that an access is a plain load; `thread_exit` does its work.
    static HEAP: Cell<*const Heap> = const { Cell::new(&raw const NO_HEAP) };
    /// The thread's own heap while `HEAP` is [`WATCHED`].
    static BEHIND: Cell<*const Heap> = const { Cell::new(&raw const NO_HEAP) };
}

/// An estimate of the pages that went empty, or were freed into by other threads, and wait for a quiescent state.
pub(super) static PENDING: AtomicIsize = AtomicIsize::new(0);

/// The current thread's heap, which may be [`NO_HEAP`] or [`WATCHED`].
#[inline(always)]
pub(super) fn current() -> &'static Heap {
    let heap = HEAP.get();
    // SAFETY: NO_HEAP, or a heap of `Pool::adopt_heap`; neither is ever destroyed.
    unsafe { &*heap }
}

/// The current thread's heap if it has one.
pub(super) fn existing() -> Option<&'static Heap> {
    let heap = if is_watched() {
        // SAFETY: as in `current`.
        unsafe { &*BEHIND.get() }
    } else {
        current()
    };
    (!ptr::eq(heap, &NO_HEAP)).then_some(heap)
}

/// Whether this thread's blocks are watched.
#[inline]
pub(super) fn is_watched() -> bool {
    ptr::eq(HEAP.get(), &WATCHED)
}

/// Has this thread's blocks watched from now on, or no longer.
pub(super) fn set_watched(watched: bool) {
    if watched == is_watched() {
        return;
    }
    if watched {
        BEHIND.set(HEAP.replace(&WATCHED));
    } else {
        HEAP.set(BEHIND.replace(&NO_HEAP));
    }
}

#[cold]
fn current_or_new() -> Option<&'static Heap> {
    if let Some(heap) = existing() {
        return Some(heap);
    }
    let heap = POOL.lock().adopt_heap()?;
    if is_watched() {
        BEHIND.set(heap);
    } else {
        HEAP.set(heap);
    }
    Some(heap)
}

impl Heap {
    pub(super) const fn new() -> Self {
        Heap {
            current: [const { Cell::new(&raw const NO_PAGE) }; BINS],
            gc_pressure: AtomicIsize::new(0),
            gc_counted: AtomicIsize::new(0),
            available: [const { Cell::new(ptr::null()) }; BINS],
            notified: AtomicPtr::new(ptr::null_mut()),
            pages: Cell::new(0),
            taken: Cell::new(0),
        }
    }

    /// The page that `bin` allocates from: this heap's, or [`NO_PAGE`].
    #[inline(always)]
    pub(super) fn page(&self, bin: usize) -> &Page {
        // SAFETY: NO_PAGE, or a page of this heap, which is not given back while it is current.
        unsafe { &*self.current[bin & (BINS - 1)].get() }
    }

    #[inline(always)]
    pub(super) fn add_gc_pressure(&self, blocks: isize) {
        let sum = self.gc_pressure.load(Ordering::Relaxed).wrapping_add(blocks);
        self.gc_pressure.store(sum, Ordering::Relaxed);
    }

    /// Sets the pressure, without a change of how many blocks there are.
    pub(super) fn set_gc_pressure(&self, pressure: isize) {
        let before = self.gc_pressure.load(Ordering::Relaxed);
        self.gc_pressure.store(pressure, Ordering::Relaxed);
        let counted = self.gc_counted.load(Ordering::Relaxed);
        self.gc_counted.store(counted + before - pressure, Ordering::Relaxed);
    }

    fn current_page(&self, bin: usize) -> Option<PageRef> {
        let page = self.current[bin].get();
        if ptr::eq(page, &NO_PAGE) {
            return None;
        }
        // SAFETY: whatever else is in the table is a page of this heap, put there by `make_current`.
        unsafe { PageRef::from_ptr(page) }
    }

    /// # Safety
    /// The caller owns this heap and `page`, a page of this heap that is linked nowhere.
    unsafe fn make_current(&self, page: PageRef) {
        page.set_state(State::Current);
        self.current[page.bin()].set(page.as_ptr());
        if page.is_gc() {
            pool::mark_young(page);
        }
    }

    /// # Safety
    /// The caller owns this heap and `page`, a page of this heap that is linked nowhere and not Full.
    pub(super) unsafe fn link(&self, page: PageRef) {
        page.set_state(State::Available);
        let head = &self.available[page.bin()];
        page.prev.set(ptr::null());
        page.next.set(head.get());
        // SAFETY: the list holds pages of this heap.
        if let Some(second) = unsafe { PageRef::from_ptr(head.get()) } {
            second.prev.set(page.as_ptr());
        }
        head.set(page.as_ptr());
    }

    /// # Safety
    /// The caller owns this heap, on whose available list `page` is.
    unsafe fn unlink(&self, page: PageRef) {
        let (prev, next) = (page.prev.get(), page.next.get());
        // SAFETY: neighbours on the list are pages of this heap.
        unsafe {
            match PageRef::from_ptr(prev) {
                Some(prev) => prev.next.set(next),
                None => self.available[page.bin()].set(next),
            }
            if let Some(next) = PageRef::from_ptr(next) {
                next.prev.set(prev);
            }
        }
        page.prev.set(ptr::null());
        page.next.set(ptr::null());
    }

    /// Puts a page away: linked when it has room, else Full.
    ///
    /// # Safety
    /// The caller owns this heap and `page`, a page of this heap that is linked nowhere.
    pub(super) unsafe fn park(&self, page: PageRef) {
        // SAFETY: by contract; a page that others freed into at the last moment has room after all.
        unsafe {
            if page.has_room() || !page.mark_full() {
                self.link(page);
            }
        }
    }

    /// Forgets all lists, for a rebuild from the pages themselves.
    ///
    /// # Safety
    /// The caller owns this heap and the world is stopped.
    pub(super) unsafe fn clear(&self) {
        for bin in 0..BINS {
            self.current[bin].set(&NO_PAGE);
            self.available[bin].set(ptr::null());
        }
        self.notified.store(ptr::null_mut(), Ordering::Relaxed);
        self.pages.set(0);
        self.taken.set(0);
    }

    /// Takes the collectable current pages out of use, so that the next allocation from one marks it young.
    ///
    /// # Safety
    /// The caller owns this heap.
    pub(super) unsafe fn park_gc_pages(&self) {
        for bin in GC_BIT..BINS {
            if let Some(page) = self.current_page(bin) {
                self.current[bin].set(&NO_PAGE);
                // SAFETY: a page of this heap, just taken out of the table.
                unsafe { self.park(page) };
            }
        }
    }

    /// Takes back the full pages that others freed into. Empty ones are returned, chained by `next`, when
    /// `release` is set.
    ///
    /// # Safety
    /// The caller owns this heap.
    pub(super) unsafe fn take_notified(&self, release: bool) -> *const Page {
        let mut empty = ptr::null();
        if self.notified.load(Ordering::Relaxed).is_null() {
            return empty;
        }
        // Acquire pairs with the push in `notify`.
        let mut rest: *const Page = self.notified.swap(ptr::null_mut(), Ordering::Acquire);
        // SAFETY: the list holds Notified pages of this heap, in use until they come through here.
        unsafe {
            while let Some(page) = PageRef::from_ptr(rest) {
                rest = page.notified_next.get();
                page.collect();
                if release && page.used() == 0 {
                    self.pages.set(self.pages.get() - 1);
                    page.next.set(empty);
                    empty = page.as_ptr();
                } else {
                    self.link(page);
                }
            }
        }
        empty
    }

    /// Takes an available page of `bin`, if there is one.
    ///
    /// # Safety
    /// The caller owns this heap.
    pub(super) unsafe fn take_available(&self, bin: usize) -> Option<PageRef> {
        // SAFETY: the list holds pages of this heap.
        unsafe {
            let page = PageRef::from_ptr(self.available[bin].get())?;
            self.unlink(page);
            Some(page)
        }
    }

    /// Unlinks the empty pages among the available ones, chained by `next`.
    ///
    /// # Safety
    /// The caller owns this heap.
    pub(super) unsafe fn take_empty(&self) -> *const Page {
        let mut empty = ptr::null();
        for bin in 0..BINS {
            let mut rest = self.available[bin].get();
            // SAFETY: the list holds pages of this heap, none of them Notified.
            unsafe {
                while let Some(page) = PageRef::from_ptr(rest) {
                    rest = page.next.get();
                    page.collect();
                    if page.used() == 0 {
                        self.unlink(page);
                        self.pages.set(self.pages.get() - 1);
                        page.next.set(empty);
                        empty = page.as_ptr();
                    }
                }
            }
        }
        empty
    }

    /// Finds a page of `bin` with a block on its free list and makes it current.
    ///
    /// # Safety
    /// The heap is the current thread's.
    unsafe fn next_page(&self, bin: usize) -> Option<PageRef> {
        // SAFETY: this thread owns the heap, and with it its pages.
        unsafe {
            if let Some(page) = self.current_page(bin) {
                if page.refill() {
                    return Some(page);
                }
                if !page.mark_full() {
                    // Freed into since: it has room after all, and nobody may find it marked.
                    page.set_state(State::Current);
                    page.refill();
                    return Some(page);
                }
                self.current[bin].set(&NO_PAGE);
            }
            let empty = self.take_notified(pool::immediate());
            if !empty.is_null() {
                POOL.lock().release_chain(empty);
            }
            while let Some(page) = self.take_available(bin) {
                if page.used() == 0 {
                    PENDING.fetch_sub(1, Ordering::Relaxed);
                }
                if page.refill() {
                    self.make_current(page);
                    return Some(page);
                }
                self.park(page);
            }
            self.look_for_empty();
            let page = POOL.lock().page_for(self, bin)?;
            self.taken.set(self.taken.get() + 1);
            self.pages.set(self.pages.get() + 1);
            page.refill();
            self.make_current(page);
            Some(page)
        }
    }

    /// Now and then, in proportion to the pages taken, gives back pages that others have emptied.
    ///
    /// # Safety
    /// The heap is the current thread's.
    unsafe fn look_for_empty(&self) {
        if !pool::immediate() || self.taken.get() < self.pages.get() / 2 + 32 {
            return;
        }
        self.taken.set(0);
        // SAFETY: this thread owns the heap.
        let empty = unsafe { self.take_empty() };
        if !empty.is_null() {
            // SAFETY: empty pages just unlinked; nobody can hold a reference into them in immediate mode.
            unsafe { POOL.lock().release_chain(empty) };
        }
    }
}

/// Allocation of `size` bytes when the current page of `bin` has no free block, or when blocks are watched.
#[cold]
#[inline(never)]
pub(super) fn alloc_slow(bin: usize, size: usize) -> Option<NonNull<u8>> {
    let heap = current_or_new()?;
    let watched = is_watched();
    // SAFETY: the heap is this thread's, and so is the page it finds.
    let block = unsafe {
        let at_hand = if watched { PageRef::pop(heap.page(bin)) } else { None };
        match at_hand {
            Some(block) => block,
            None => {
                let page = heap.next_page(bin)?;
                PageRef::pop(&page)?
            }
        }
    };
    if watched {
        watch::allocated(block.as_ptr(), size);
    }
    if bin & GC_BIT != 0 {
        // Once a page is often enough, and costs the fast path nothing.
        let limit = super::PRESSURE_LIMIT.load(Ordering::Relaxed);
        // What a program frees at once does not put off the next collection by as much.
        let before = heap.gc_pressure.load(Ordering::Relaxed);
        if before < -limit {
            heap.set_gc_pressure(-limit);
        }
        let sum = before.max(-limit) + 1;
        heap.gc_pressure.store(sum, Ordering::Relaxed);
        if sum > limit {
            crate::memory::collector::ask_for_collection();
        }
    }
    Some(block)
}

/// The owner freed a block of a Full page, or the last block of an Available one.
///
/// # Safety
/// The page is of `heap`, which is the current thread's, and its `push` asked for this.
#[cold]
#[inline(never)]
pub(super) unsafe fn attend(heap: &Heap, page: PageRef) {
    // SAFETY: by contract this thread owns heap and page, and a Full page is linked nowhere.
    unsafe {
        if page.state.get() == State::Full {
            if !page.unmark_full() {
                return;
            }
            heap.link(page);
        }
        if page.used() > 0 {
            return;
        }
        if pool::immediate() {
            heap.unlink(page);
            heap.pages.set(heap.pages.get() - 1);
            POOL.lock().release(page);
        } else {
            PENDING.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Frees a block that is not of the current thread's heap: another thread's, a huge one, or one that is watched.
///
/// # Safety
/// `block` is a block of `page` that was live until now.
#[cold]
#[inline(never)]
pub(super) unsafe fn free_elsewhere(page: PageRef, block: NonNull<u8>) {
    if let Some(heap) = existing() {
        heap.add_gc_pressure(-page.gc_weight());
        if is_watched() {
            watch::freed(block.as_ptr());
            if ptr::eq(page.heap.load(Ordering::Relaxed), heap) {
                // SAFETY: a page of this thread's heap, and a block of it that was live until now.
                unsafe {
                    if page.push(block) {
                        attend(heap, page);
                    }
                }
                return;
            }
        }
    }
    if page.is_huge() {
        // SAFETY: the block of a huge page, dead as of now.
        unsafe { POOL.lock().free_huge(page) };
        return;
    }
    // SAFETY: by contract.
    let (notify, count) = unsafe { page.push_remote(block) };
    if let Some(heap) = notify {
        // SAFETY: heaps are never destroyed.
        let heap = unsafe { heap.as_ref() };
        let mut head = heap.notified.load(Ordering::Relaxed);
        loop {
            page.notified_next.set(head);
            match heap.notified.compare_exchange_weak(
                head,
                page.as_ptr().cast_mut(),
                Ordering::Release,
                Ordering::Relaxed,
            ) {
                Ok(_) => break,
                Err(now) => head = now,
            }
        }
        PENDING.fetch_add(1, Ordering::Relaxed);
    } else if count.is_multiple_of(64) {
        PENDING.fetch_add(1, Ordering::Relaxed);
    }
}

/// Hands the current thread's heap to whoever comes next.
pub(super) fn abandon() {
    let Some(heap) = existing() else { return };
    HEAP.set(&NO_HEAP);
    BEHIND.set(&NO_HEAP);
    let mut pool = POOL.lock();
    // SAFETY: the heap was this thread's; the pages that are given back are empty and unlinked.
    unsafe {
        for bin in 0..BINS {
            if let Some(page) = heap.current_page(bin) {
                heap.current[bin].set(&NO_PAGE);
                heap.park(page);
            }
        }
        let release = pool::immediate();
        pool.release_chain(heap.take_notified(release));
        if release {
            pool.release_chain(heap.take_empty());
        }
    }
    pool.abandon_heap(heap);
}
