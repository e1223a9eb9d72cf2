//! A page: 64 KiB of blocks of one size class, with its header near the start.
//!
//! If headers lay at the very start, all of them would compete for one set of the processor's caches. So a
//! header is shifted by a number of cache lines that follows from the page's address.
//!
//! Invariant: a block of a page is in exactly one of four places: handed out (LIVE), on the owner's free list,
//! on the remote list, or in the tail that was never carved. `used` counts the first and the third.
//! A block that is not handed out has a dead header, which any thread may read.
//!
//! A page is in one of four states. Only the owner moves it, except for Full -> Notified:
//!
//! | state     | `remote` flags | where it is linked                                          |
//! |-----------|----------------|-------------------------------------------------------------|
//! | Current   | none           | the heap's `current` table; blocks are handed out from it   |
//! | Available | none           | the heap's `available` list of its bin                      |
//! | Full      | FULL           | nowhere: it comes back when `wake` of its blocks are free,  |
//! |           |                | so that the detour is paid for by several allocations       |
//! | Notified  | NOTIFIED       | the heap's `notified` list, or about to be put there by the |
//! |           |                | thread whose free woke the full page                        |
//!
//! The owner is the thread whose heap the page belongs to; for an abandoned heap, whoever holds the pool's
//! lock; and while the world is stopped, whoever stopped it.
//! Choosing pages and giving them back is the business of `heap` and `pool`.

use std::cell::Cell;
use std::mem::offset_of;
use std::ops::Deref;
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicPtr, AtomicU8, AtomicU16, AtomicU32, AtomicU64, Ordering};

use super::class::{GC_BIT, class_size};
use super::heap::Heap;

pub(super) const PAGE_SIZE: usize = 64 * 1024;

/// The first block lies this far after the start of the header.
const HEADER_SIZE: usize = 128;

/// A header is shifted by up to 31 cache lines of 64 bytes: bits 16 to 20 of the page's address say how far.
const SHIFT_MASK: usize = 31 * 64;

/// Bytes of a huge mapping that may be needed for its header.
pub(super) const MAX_LEAD: usize = SHIFT_MASK + HEADER_SIZE;

/// How far after the start of its page a header lies, for any address in the page.
#[inline(always)]
const fn shift_of(addr: usize) -> usize {
    (addr >> 10) & SHIFT_MASK
}

/// Blocks are carved up to the next multiple of this, so that no more than one page of the system's is touched ahead.
const CARVE_BYTES: usize = 4096;

/// The largest `wake`: enough to make the detour cheap.
const MAX_WAKE: usize = 32;

/// Flag bit of an object header: the block is handed out.
const LIVE: u16 = 1;

/// Shared word of a dead header: merged, with a count of zero.
const DEAD_SHARED: u32 = 3;

/// The part of an object header that the allocator reads and writes: the layout of `memory::header`.
#[repr(C)]
pub(super) struct Block {
    local: AtomicU32,
    owner: AtomicU32,
    shared: AtomicU32,
    lock: AtomicU8,
    gc_bits: AtomicU8,
    flags: AtomicU16,
    /// The type pointer of a live object; the next free block of a free one.
    link: AtomicPtr<Block>,
}

const _: () = assert!(
    size_of::<Block>() == 24
        && offset_of!(Block, local) == 0
        && offset_of!(Block, owner) == 4
        && offset_of!(Block, shared) == 8
        && offset_of!(Block, lock) == 12
        && offset_of!(Block, gc_bits) == 13
        && offset_of!(Block, flags) == 14
        && offset_of!(Block, link) == 16
);

impl Block {
    /// Puts a block that was never handed out since its page was set up into the dead state.
    #[inline]
    pub(super) fn bury(&self) {
        self.local.store(0, Ordering::Relaxed);
        self.owner.store(0, Ordering::Relaxed);
        self.shared.store(DEAD_SHARED, Ordering::Relaxed);
        self.flags.store(0, Ordering::Relaxed);
    }

    #[inline]
    pub(super) fn is_live(&self) -> bool {
        self.flags.load(Ordering::Relaxed) & LIVE != 0
    }

    #[inline]
    pub(super) fn set_live(&self) {
        self.flags.store(LIVE, Ordering::Relaxed);
    }

    /// Ends the life of a block; its counts are dead already.
    #[inline]
    pub(super) fn clear_live(&self) {
        debug_assert!(self.is_live(), "block freed twice, or never allocated");
        debug_assert!(
            self.owner.load(Ordering::Relaxed) == 0 && self.shared.load(Ordering::Relaxed) == DEAD_SHARED,
            "block freed with a count"
        );
        self.flags.store(0, Ordering::Relaxed);
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum State {
    Current,
    Available,
    /// Full or Notified: the flags in `remote` tell which.
    Full,
    Huge,
}

// Layout of the word `remote`: the offset of the first block in its page (0: none), the number of blocks on
// the list, and two flags.
const OFFSET_MASK: u64 = 0xFFFF;
const COUNT_ONE: u64 = 1 << 32;
const COUNT_MASK: u64 = 0x0FFF_FFFF;
const FULL: u64 = 1 << 63;
const NOTIFIED: u64 = 1 << 62;

/// `retire_at` of a page whose counter is never to be watched.
const NEVER: u32 = u32::MAX;

/// The header of a page. `Cell`s belong to the owner (see the module's comment).
#[repr(C, align(64))]
pub(super) struct Page {
    /// Free blocks.
    free: Cell<*mut Block>,
    /// Blocks handed out, or freed by others and not collected yet. Written by the owner, read by anyone.
    used: AtomicU32,
    /// A free by the owner that brings `used` down to this takes the slow path.
    retire_at: Cell<u32>,
    /// The heap of the page; null for a huge block. Written by the owner, read by anyone.
    pub(super) heap: AtomicPtr<Heap>,
    /// 1 when the blocks are the collector's business, else 0. Constant while the page is in use.
    gc: Cell<u8>,
    bin: Cell<u8>,
    pub(super) state: Cell<State>,
    /// Bytes in a block; constant while the page is in use. A huge block has 0 here.
    block_size: Cell<u32>,
    /// End of the carved part, from the start of the page. Written by the owner, read by anyone.
    carved: AtomicU32,
    /// End of the last block that fits.
    limit: Cell<u32>,
    /// As many free blocks, on the owner's or on the remote list, end the state Full. Constant while the page is
    /// in use, and 1 or at most an eighth of its blocks: an empty page never stays Full.
    wake: Cell<u32>,
    /// Links of the list the page is on: the owner's, or for huge blocks the pool lock's.
    pub(super) next: Cell<*const Page>,
    pub(super) prev: Cell<*const Page>,
    /// Length of the mapping of a huge block; constant while it is mapped.
    pub(super) map_len: Cell<usize>,
    /// Blocks freed by other threads. Any thread pushes, the owner takes all.
    remote: AtomicU64,
    /// Link of the heap's `notified` list: of the thread that set NOTIFIED, then of the owner.
    pub(super) notified_next: Cell<*const Page>,
    /// Huge blocks only, under the pool's lock: bytes asked for, handed out since the last young collection.
    pub(super) huge_size: Cell<usize>,
    pub(super) huge_young: Cell<bool>,
}

const _: () = assert!(size_of::<Page>() <= HEADER_SIZE && offset_of!(Page, remote) >= 64);

// SAFETY: every field is an atomic or a `Cell` whose accesses are ordered by ownership of the page: ownership
// moves with a thread's exit and through the pool's lock, or with a stopped world.
unsafe impl Sync for Page {}

impl Page {
    const fn new() -> Self {
        Page {
            free: Cell::new(ptr::null_mut()),
            used: AtomicU32::new(0),
            retire_at: Cell::new(NEVER),
            heap: AtomicPtr::new(ptr::null_mut()),
            gc: Cell::new(0),
            bin: Cell::new(0),
            state: Cell::new(State::Current),
            block_size: Cell::new(0),
            carved: AtomicU32::new(0),
            limit: Cell::new(0),
            wake: Cell::new(1),
            next: Cell::new(ptr::null()),
            prev: Cell::new(ptr::null()),
            remote: AtomicU64::new(0),
            notified_next: Cell::new(ptr::null()),
            map_len: Cell::new(0),
            huge_size: Cell::new(0),
            huge_young: Cell::new(false),
        }
    }
}

/// Stands for "no page" in a heap's `current` table: it has no free block. Never written.
pub(super) static NO_PAGE: Page = Page::new();

/// A page in use: a pointer to its header with the right to reach its blocks.
/// Invariant: the header is set up and stays mapped for as long as the `PageRef` is used.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct PageRef(NonNull<Page>);

impl Deref for PageRef {
    type Target = Page;

    #[inline(always)]
    fn deref(&self) -> &Page {
        // SAFETY: the type's invariant.
        unsafe { self.0.as_ref() }
    }
}

impl PageRef {
    /// The page of a block.
    ///
    /// # Safety
    /// `block` was handed out by this allocator and not freed since.
    #[inline(always)]
    pub(super) unsafe fn of(block: NonNull<u8>) -> PageRef {
        let header = block
            .as_ptr()
            .map_addr(|addr| (addr & !(PAGE_SIZE - 1)) + shift_of(addr));
        // SAFETY: a block lies behind the header of its page, which is not at address zero.
        PageRef(unsafe { NonNull::new_unchecked(header.cast()) })
    }

    /// The page that starts at `start`.
    ///
    /// # Safety
    /// `start` is the start of a page, with the right to all of it; its header is set up before it is read.
    pub(super) unsafe fn at(start: NonNull<u8>) -> PageRef {
        let shift = shift_of(start.as_ptr().addr());
        // SAFETY: the shift is far less than a page.
        PageRef(unsafe { start.add(shift) }.cast())
    }

    /// `None` for null.
    ///
    /// # Safety
    /// `page` is null, or points to a page in use with the right to its blocks (it came from [`Self::as_ptr`]).
    #[inline(always)]
    pub(super) unsafe fn from_ptr(page: *const Page) -> Option<PageRef> {
        NonNull::new(page.cast_mut()).map(PageRef)
    }

    #[inline(always)]
    pub(super) fn as_ptr(self) -> *const Page {
        self.0.as_ptr()
    }

    pub(super) fn start(self) -> NonNull<u8> {
        // SAFETY: the header lies that far into its page.
        unsafe { self.0.cast::<u8>().sub(shift_of(self.0.as_ptr().addr())) }
    }

    /// Where the first block starts, from the start of the page.
    pub(super) fn first_offset(self) -> usize {
        shift_of(self.0.as_ptr().addr()) + HEADER_SIZE
    }

    /// Sets up a page of `bin` for `heap`, with nothing carved.
    ///
    /// # Safety
    /// `start` is the start of a page that is not in use and belongs to the caller.
    pub(super) unsafe fn set_up(start: NonNull<u8>, bin: usize, heap: &Heap) -> PageRef {
        let size = class_size(bin & (GC_BIT - 1));
        super::sanitize::forgotten(start, PAGE_SIZE);
        // SAFETY: the caller's page, which is 64 KiB long and aligned to its size.
        let page = unsafe {
            let page = PageRef::at(start);
            page.0.write(Page::new());
            page
        };
        let first = page.first_offset();
        let count = (PAGE_SIZE - first) / size;
        page.heap.store(ptr::from_ref(heap).cast_mut(), Ordering::Relaxed);
        page.gc.set(u8::from(bin & GC_BIT != 0));
        page.bin.set(bin as u8);
        page.block_size.set(size as u32);
        page.carved.store(first as u32, Ordering::Relaxed);
        page.limit.set((first + count * size) as u32);
        page.wake.set((count / 8).clamp(1, MAX_WAKE) as u32);
        page
    }

    /// Sets up the header of a huge block and buries the block.
    ///
    /// # Safety
    /// `start` is the start of a mapping of `map_len` bytes, a multiple of 64 KiB, that belongs to the caller.
    pub(super) unsafe fn set_up_huge(start: NonNull<u8>, map_len: usize) -> PageRef {
        // SAFETY: the caller's mapping, which is at least 64 KiB long and aligned to that.
        let page = unsafe {
            let page = PageRef::at(start);
            page.0.write(Page::new());
            page
        };
        page.state.set(State::Huge);
        page.map_len.set(map_len);
        // SAFETY: the block's header lies in the caller's mapping, and any bits are valid for its atomics.
        unsafe { page.huge_block().as_ref() }.bury();
        page
    }

    /// The block of a huge page.
    pub(super) fn huge_block(self) -> NonNull<Block> {
        debug_assert!(self.is_huge());
        self.block_at(self.first_offset())
    }

    pub(super) fn is_huge(self) -> bool {
        self.state.get() == State::Huge
    }

    pub(super) fn set_gc(self, gc: bool) {
        self.gc.set(u8::from(gc));
    }

    #[inline(always)]
    pub(super) fn is_gc(self) -> bool {
        self.gc.get() != 0
    }

    /// What handing out one block adds to the counter of collectable blocks.
    #[inline(always)]
    pub(super) fn gc_weight(self) -> isize {
        isize::from(self.gc.get())
    }

    pub(super) fn bin(self) -> usize {
        usize::from(self.bin.get())
    }

    pub(super) fn block_size(self) -> usize {
        self.block_size.get() as usize
    }

    pub(super) fn used(self) -> u32 {
        self.used.load(Ordering::Relaxed)
    }

    /// Blocks handed out now; exact while nobody frees.
    pub(super) fn live(self) -> u32 {
        let pending = (self.remote.load(Ordering::Relaxed) / COUNT_ONE) & COUNT_MASK;
        self.used().saturating_sub(pending as u32)
    }

    /// The block `offset` bytes into the page, at which a block starts.
    fn block_at(self, offset: usize) -> NonNull<Block> {
        debug_assert!((HEADER_SIZE..PAGE_SIZE).contains(&offset));
        // SAFETY: a block's offset lies inside the page, which the `PageRef` keeps in reach.
        unsafe { self.start().add(offset).cast() }
    }

    /// Takes a block off the free list and makes it live.
    ///
    /// # Safety
    /// The caller owns the page, or the page is [`NO_PAGE`].
    #[inline(always)]
    pub(super) unsafe fn pop(page: &Page) -> Option<NonNull<u8>> {
        let block = NonNull::new(page.free.get())?;
        // SAFETY: what is on the free list is a block of this page that nobody but the owner may hand out.
        let header = unsafe { block.as_ref() };
        page.free.set(header.link.load(Ordering::Relaxed));
        page.used
            .store(page.used.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
        header.set_live();
        Some(block.cast())
    }

    /// Puts a block on the free list; true when the page now wants the owner's attention.
    ///
    /// # Safety
    /// The caller owns the page, of which `block` is a block that was live until now.
    #[inline(always)]
    pub(super) unsafe fn push(self, block: NonNull<u8>) -> bool {
        let block = block.cast::<Block>();
        // SAFETY: by contract a block of this page.
        let header = unsafe { block.as_ref() };
        header.link.store(self.free.get(), Ordering::Relaxed);
        self.free.set(block.as_ptr());
        let used = self.used.load(Ordering::Relaxed).wrapping_sub(1);
        self.used.store(used, Ordering::Relaxed);
        used == self.retire_at.get()
    }

    /// Puts a block on the remote list. `Some` with the page's heap when that woke the page: the caller must then
    /// put the page on that heap's `notified` list. The second value is the length of the list.
    ///
    /// # Safety
    /// `block` is a block of this page that was live until now.
    pub(super) unsafe fn push_remote(self, block: NonNull<u8>) -> (Option<NonNull<Heap>>, u64) {
        let offset = (block.as_ptr().addr() & (PAGE_SIZE - 1)) as u64;
        let block = block.cast::<Block>();
        // SAFETY: by contract a block of this page; no other thread touches its link.
        let header = unsafe { block.as_ref() };
        let mut word = self.remote.load(Ordering::Relaxed);
        loop {
            let head = match (word & OFFSET_MASK) as usize {
                0 => ptr::null_mut(),
                offset => self.block_at(offset).as_ptr(),
            };
            header.link.store(head, Ordering::Relaxed);
            let count = ((word / COUNT_ONE) & COUNT_MASK) + 1;
            let wakes = word & FULL != 0 && count >= u64::from(self.wake.get());
            let flags = if wakes { NOTIFIED } else { word & (FULL | NOTIFIED) };
            let new = flags | (count * COUNT_ONE) | offset;
            // Release publishes the link and all that was done to the object; Acquire makes the heap, which
            // was stored before FULL, visible.
            match self
                .remote
                .compare_exchange_weak(word, new, Ordering::AcqRel, Ordering::Relaxed)
            {
                Ok(_) if wakes => {
                    // The page is pinned until it has gone through the list, so it may still be read.
                    return (NonNull::new(self.heap.load(Ordering::Relaxed)), count);
                }
                Ok(_) => return (None, count),
                Err(now) => word = now,
            }
        }
    }

    /// Moves what others freed to the free list, and clears the flags.
    ///
    /// # Safety
    /// The caller owns the page, and the page is not Notified unless it was taken off the `notified` list.
    pub(super) unsafe fn collect(self) {
        if self.remote.load(Ordering::Relaxed) == 0 {
            return;
        }
        // Acquire pairs with the pushes: the blocks' last uses happened before they are handed out again.
        let word = self.remote.swap(0, Ordering::Acquire);
        let offset = (word & OFFSET_MASK) as usize;
        if offset == 0 {
            return;
        }
        let count = ((word / COUNT_ONE) & COUNT_MASK) as u32;
        let head = self.block_at(offset);
        if !self.free.get().is_null() {
            let mut tail = head;
            // SAFETY: the list was pushed block by block by threads that no longer use them, and the
            // swap made it this thread's.
            while let Some(next) = NonNull::new(unsafe { tail.as_ref() }.link.load(Ordering::Relaxed)) {
                tail = next;
            }
            // SAFETY: as above.
            unsafe { tail.as_ref() }.link.store(self.free.get(), Ordering::Relaxed);
        }
        self.free.set(head.as_ptr());
        self.used.store(self.used().saturating_sub(count), Ordering::Relaxed);
    }

    /// Whether a block can be had without looking at the remote list.
    pub(super) fn has_room(self) -> bool {
        !self.free.get().is_null() || self.carved.load(Ordering::Relaxed) < self.limit.get()
    }

    /// Puts some of the tail on the free list, which is empty, when the tail has any left.
    ///
    /// # Safety
    /// The caller owns the page.
    pub(super) unsafe fn carve(self) {
        debug_assert!(self.free.get().is_null());
        let size = self.block_size();
        let start = self.carved.load(Ordering::Relaxed) as usize;
        let limit = self.limit.get() as usize;
        if start >= limit {
            return;
        }
        let ahead = CARVE_BYTES - start % CARVE_BYTES;
        let end = limit.min(start + (ahead / size).max(1) * size);
        let mut offset = end;
        let mut next = ptr::null_mut();
        while offset > start {
            offset -= size;
            let block = self.block_at(offset);
            // SAFETY: a block of this page, and any bits are valid for a header's atomics.
            let header = unsafe { block.as_ref() };
            header.bury();
            header.link.store(next, Ordering::Relaxed);
            next = block.as_ptr();
        }
        self.free.set(next);
        self.carved.store(end as u32, Ordering::Relaxed);
    }

    /// Finds room on a page that ran dry; false when there is none.
    ///
    /// # Safety
    /// The caller owns the page, which is not Notified.
    pub(super) unsafe fn refill(self) -> bool {
        if self.free.get().is_null() {
            // SAFETY: by contract.
            unsafe { self.collect() };
        }
        if self.free.get().is_null() {
            // SAFETY: by contract.
            unsafe { self.carve() };
        }
        !self.free.get().is_null()
    }

    /// Turns a page without room to Full; false when a block was freed meanwhile.
    ///
    /// # Safety
    /// The caller owns the page, which is linked nowhere and has no room.
    pub(super) unsafe fn mark_full(self) -> bool {
        debug_assert!(!self.has_room() && self.used() > 0);
        self.state.set(State::Full);
        self.retire_at.set(self.used() - self.wake.get());
        // Release: a thread that sees FULL sees the page's heap.
        self.remote
            .compare_exchange(0, FULL, Ordering::Release, Ordering::Relaxed)
            .is_ok()
    }

    /// Takes back a Full page of which the owner freed enough blocks; false when it is Notified and will come back
    /// through the heap's list.
    ///
    /// # Safety
    /// The caller owns the page, whose state is Full.
    pub(super) unsafe fn unmark_full(self) -> bool {
        self.retire_at.set(0);
        let clear = |word| (word & FULL != 0).then_some(word & !FULL);
        self.remote
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, clear)
            .is_ok()
    }

    pub(super) fn set_state(self, state: State) {
        self.state.set(state);
        self.retire_at.set(match state {
            State::Available => 0,
            _ => NEVER,
        });
    }

    /// Calls `f` with each live block.
    pub(super) fn for_each_live(self, f: &mut dyn FnMut(NonNull<u8>)) {
        let size = self.block_size();
        let end = self.carved.load(Ordering::Relaxed) as usize;
        let mut offset = self.first_offset();
        while offset < end {
            let block = self.block_at(offset);
            // SAFETY: a carved block of this page, whose header is readable at any time.
            if unsafe { block.as_ref() }.is_live() {
                f(block.cast());
            }
            offset += size;
        }
    }
}
