//! The allocator of objects: per-thread heaps of size-classed pages that the cycle collector can walk.
//!
//! Shape: blocks up to 32 KiB are cut from 64 KiB pages, a page for one size class and either collectable
//! objects or others; pages are cut from 4 MiB segments; a larger block is a mapping of its own. A thread hands
//! out and takes back blocks of its own pages without locks or atomic read-modify-writes; a block of another
//! thread's page goes to that page's remote list. When a thread exits, its heap waits for a thread to adopt it.
//!
//! Main invariant: **a freed block keeps a dead header.** A thread that raced with the free may still read the
//! first 16 bytes, see no count to take, and turn away. Hence a page changes its size class, and memory goes
//! back to the system, only when nobody can hold such a pointer: in a quiescent state
//! ([`reclaim_quiescent`]), or at once under the GIL ([`set_immediate_reclaim`]).
//!
//! "The world is stopped" below means: no other thread is inside this module, nor holds a pointer to an object
//! that it may have lost. Threads that are detached from the runtime do not allocate or free.
//!
//! Left out: zeroing, reallocation in place, NUMA, alignment above 8.
//! The order of the files: `class` (sizes), `page`, `heap` (a thread's), `pool` (everybody's), `os`; `sanitize` tells
//! AddressSanitizer what is free.

mod class;
mod heap;
mod os;
mod page;
mod pool;
mod sanitize;

pub use os::physical_memory;

use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicIsize, Ordering};

use class::{SMALL_MAX, bin_of};
use page::PageRef;
use pool::POOL;

/// A thread whose [`gc_alloc_pressure`] is above this asks for a collection when it takes a new page.
pub(super) static PRESSURE_LIMIT: AtomicIsize = AtomicIsize::new(isize::MAX);

/// What the allocator holds. Exact while the world is stopped, else a snapshot that races.
#[derive(Clone, Copy, Default, Debug, PartialEq, Eq)]
pub struct Stats {
    pub live_blocks: usize,
    /// Those among `live_blocks` that the collector visits.
    pub live_gc_blocks: usize,
    /// Bytes in live blocks, rounded up to their size class.
    pub live_bytes: usize,
    /// Bytes of pages and huge mappings that live blocks keep in use, with the room in between.
    pub held_bytes: usize,
    /// Bytes of address space taken from the system; not all of it is resident.
    pub mapped_bytes: usize,
    /// Heaps there are, with a thread or abandoned.
    pub heaps: usize,
}

/// Allocates a block of `size` bytes, which includes the object header, aligned to 8. The block's counts are dead
/// (owner word 0, shared word merged and 0) and must be initialised last; its LIVE flag is set; the other header
/// fields and the payload hold anything, and the type pointer must be set before the next safepoint, since
/// the collector visits the block when `gc` is set. `None` when the system has no memory.
#[inline]
pub fn alloc(size: usize, gc: bool) -> Option<NonNull<u8>> {
    if size > SMALL_MAX {
        return alloc_huge(size, gc);
    }
    let bin = bin_of(size, gc);
    let heap = heap::current();
    // SAFETY: the page is of this thread's heap, or NO_PAGE.
    if let Some(block) = unsafe { PageRef::pop(heap.page(bin)) } {
        if gc {
            heap.add_gc_pressure(1);
        }
        sanitize::handed_out(block);
        return Some(block);
    }
    let block = heap::alloc_slow(bin, size)?;
    sanitize::handed_out(block);
    Some(block)
}

#[cold]
fn alloc_huge(size: usize, gc: bool) -> Option<NonNull<u8>> {
    let block = POOL.lock().alloc_huge(size, gc)?;
    if gc && let Some(heap) = heap::existing() {
        heap.add_gc_pressure(1);
    }
    if heap::is_watched() {
        super::watch::allocated(block.as_ptr(), size);
    }
    Some(block)
}

/// Takes a block back, in any thread.
///
/// # Safety
/// `block` came from [`alloc`] and was not freed since. Its counts are dead: the owner word is 0 and the shared
/// word is merged with a count of 0. Nobody uses it from now on, except for failing to take a reference.
#[inline]
pub unsafe fn free(block: NonNull<u8>) {
    // SAFETY: by contract a live block, which begins with a header.
    let page = unsafe {
        block.cast::<page::Block>().as_ref().clear_live();
        PageRef::of(block)
    };
    sanitize::taken_back(page, block);
    let heap = heap::current();
    if !ptr::eq(page.heap.load(Ordering::Relaxed), heap) {
        // SAFETY: a block of this page that was live until now.
        unsafe { heap::free_elsewhere(page, block) };
        return;
    }
    heap.add_gc_pressure(-page.gc_weight());
    // SAFETY: the page is of this thread's heap, since only its thread makes a page's heap equal to its own.
    unsafe {
        if page.push(block) {
            heap::attend(heap, page);
        }
    }
}

/// Bytes that the block has room for, header included: at least what was asked for.
///
/// # Safety
/// `block` came from [`alloc`] and was not freed since.
pub unsafe fn usable_size(block: NonNull<u8>) -> usize {
    // SAFETY: by contract a live block.
    let page = unsafe { PageRef::of(block) };
    if page.is_huge() {
        page.map_len.get() - page.first_offset()
    } else {
        page.block_size()
    }
}

/// Tells [`super::watch`] of each block that this thread allocates and frees from now on, or no longer.
pub(crate) fn set_watched(watched: bool) {
    heap::set_watched(watched);
}

/// Hands the current thread's heap over to later threads. To be called last, while still attached: a thread that
/// allocates afterwards takes a new heap, which must be handed over again.
pub fn thread_exit() {
    heap::abandon();
}

/// Puts the allocator in order in the child of a fork.
///
/// # Safety
/// The process has this one thread, and at the fork no other thread was inside the allocator.
pub unsafe fn after_fork_child() {
    // SAFETY: by contract; no thread is there to hold the lock.
    unsafe {
        POOL.reset();
        POOL.lock().abandon_all_but(heap::existing());
    }
}

/// Whether pages that run empty may be reused for anything at once: under the GIL, where no thread can look at an
/// object it holds no reference to. Off at first.
pub fn set_immediate_reclaim(immediate: bool) {
    pool::set_immediate(immediate);
}

/// Frees up what is empty, when there is enough of it to be worth a look at each page. With immediate reclaim
/// this too finds more than `free` does: pages that other threads emptied.
///
/// # Safety
/// The world is stopped.
pub unsafe fn reclaim_quiescent() {
    if pool::reclaim_due() {
        // SAFETY: by contract.
        unsafe { POOL.lock().rebuild() };
    }
}

/// Whether [`reclaim_quiescent`] would do something: a reason to stop the world when memory is wanted.
pub fn reclaim_due() -> bool {
    pool::reclaim_due()
}

/// Calls `f` with each live collectable object of all threads; with `young_only`, of the pages that handed out such
/// an object since the last [`end_young_collection`] (older objects on these pages included). `f` must
/// neither allocate nor free objects, or it waits for itself for ever.
///
/// To be called while the world is stopped: otherwise what is found is out of date at once.
pub fn for_each_gc_object(young_only: bool, f: &mut dyn FnMut(NonNull<u8>)) {
    POOL.lock().for_each_gc_object(young_only, f);
}

/// How many objects [`for_each_gc_object`] visits at most; takes a look at each page.
pub fn count_gc_blocks(young_only: bool) -> usize {
    POOL.lock().count_gc_blocks(young_only)
}

/// From here on, only pages that hand out an object count as young.
///
/// # Safety
/// The world is stopped.
pub unsafe fn end_young_collection() {
    // SAFETY: by contract.
    unsafe { POOL.lock().end_young_collection() };
}

/// Counts what is there; takes a look at each page.
pub fn stats() -> Stats {
    POOL.lock().stats()
}

/// Collectable objects this thread allocated less those it freed, since the last [`reset_gc_pressure`].
#[inline]
pub fn gc_alloc_pressure() -> isize {
    heap::existing().map_or(0, |heap| heap.gc_pressure.load(Ordering::Relaxed))
}

/// Runs what frees garbage, which [`gc_alloc_pressure`] is not to count: it would put off the next collection by as much.
pub fn without_gc_pressure<T>(free: impl FnOnce() -> T) -> T {
    let before = gc_alloc_pressure();
    let result = free();
    if let Some(heap) = heap::existing() {
        let now = heap.gc_pressure.load(Ordering::Relaxed);
        heap.set_gc_pressure(now.max(before));
    }
    result
}

/// About how many collectable objects there are.
pub fn gc_objects() -> usize {
    usize::try_from(POOL.lock().gc_objects()).unwrap_or(0)
}

/// Sets the counters of all threads to zero. While the world runs, a thread that counts at this moment may undo it.
pub fn reset_gc_pressure() {
    POOL.lock().reset_gc_pressure();
}
