//! The header of every heap object and biased reference counting (PEP 703's scheme).
//!
//! Invariant: the references to an object are `local + shared` (plus, for distributed objects, what the per-thread
//! tables hold). Only the owner touches `local`, without atomic read-modify-write; everybody else counts in `shared`.
//! An object is freed by whoever moves it to the dead state: owner 0 and `shared` = MERGED with count 0.
//! Left out: deferred counting of frames (registers own what they hold) and the collector.
//!
//! Under the GIL every thread has owner id 1, so the owner's path always hits.
//!
//! Owner and `local` are words of their own: the owner compares one and counts in the other where they lie, half the processor instructions
//! that one word of both takes. They are read in that order, which is enough: `local` means something to its owner alone, to those who
//! find a distributed object, whose owner id is written behind it and changes with the world stopped only, and with the world stopped.

use std::sync::atomic::AtomicI64;

use crate::object::Obj;
use crate::object::types::Type;
use crate::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release, SeqCst};
use crate::sync::atomic::{AtomicPtr, AtomicU8, AtomicU16, AtomicU32, fence};
use crate::threads::owner_id;

/// Owner id of objects that are never freed.
pub const OWNER_IMMORTAL: u32 = u32::MAX;
/// Owner id of objects whose counts are kept per thread; the `local` field is their index.
pub const OWNER_DISTRIBUTED: u32 = u32::MAX - 1;
/// Owner id, while the collector searches, of the objects it considers; the `local` field is their number.
const OWNER_SEARCHED: u32 = u32::MAX - 2;

/// The shared count is kept in the upper 30 bits, two's complement.
const SHARED_ONE: u32 = 4;
const SHARED_FLAGS: u32 = 3;
/// The owner was asked to merge.
const SHARED_QUEUED: u32 = 2;
/// `local` is no longer in use; the shared count is the whole count.
const SHARED_MERGED: u32 = 3;

/// `flags`: the block is allocated (kept by the allocator).
pub const FLAG_LIVE: u16 = 1;
/// `flags`: a weak reference to the object exists or existed.
pub const FLAG_WEAKREFS: u16 = 2;
/// `flags`: `__del__` has run.
pub const FLAG_FINALIZED: u16 = 4;
/// `flags`: the object has an attribute store (shape and slots) behind its payload.
pub const FLAG_ATTRS: u16 = 8;
/// `flags`: freeing has begun.
pub const FLAG_DYING: u16 = 16;
/// `flags`: more threads than the owner lock the object; see `sync::biased`.
pub const FLAG_SHARED: u16 = 32;
/// `flags`: other threads may read without the lock.
pub const FLAG_RACED: u16 = 64;
/// `flags`: several threads count; see [`super::leases`].
pub const FLAG_LEASED: u16 = 128;
/// From this bit of `flags` on: count of inline attribute slots.
pub const INLINE_SHIFT: u16 = 8;
/// How many bits it has.
pub const INLINE_BITS: u16 = 6;
/// `flags`: the dict of a class, which programs see through a proxy alone: caches of what classes have count on being told of changes.
pub const FLAG_OF_CLASS: u16 = 1 << (INLINE_SHIFT + INLINE_BITS);
/// `flags`: the attribute store lies directly behind the header.
pub const FLAG_NEAR: u16 = 1 << 15;

/// `gc`: the collector knows the object.
pub const GC_TRACKED: u8 = 1;
/// `gc`: the collector leaves the object alone (`gc.freeze`).
pub const GC_FROZEN: u8 = 2;
/// `gc`: the generation, from 0 to 2, is kept in two bits from here on.
pub const GC_GENERATION_SHIFT: u8 = 2;

/// Lies at the start of every heap object.
#[repr(C)]
pub struct Header {
    /// The owner's count. Written by the owner alone until merged.
    pub(crate) local: AtomicU32,
    /// Owner id, or what stands in its place.
    pub(crate) owner: AtomicU32,
    /// Count of the other threads' references and two flag bits.
    pub(crate) shared: AtomicU32,
    /// The object's lock; see `sync::ObjectLock`.
    pub lock: AtomicU8,
    /// The collector's bits; written with the world stopped, or by the creator.
    pub gc: AtomicU8,
    /// `FLAG_*` and the inline slot count.
    pub flags: AtomicU16,
    /// The type; holds a reference to it unless it is immortal.
    pub(crate) ty: AtomicPtr<Obj<Type>>,
}

#[cfg(not(loom))]
const _: () = assert!(size_of::<Header>() == 24);

/// What a thread counts references by: in its state, where the loop's handlers read it without a call.
#[derive(Debug)]
pub struct Hand {
    /// The thread's owner id.
    owner: std::sync::atomic::AtomicU32,
    /// Counts of distributed objects: first how many there are, then they. See [`super::distributed`].
    entries: std::sync::atomic::AtomicPtr<AtomicI64>,
}

static NO_ENTRIES: AtomicI64 = AtomicI64::new(0);

impl Hand {
    #[expect(clippy::new_without_default, reason = "const")]
    pub const fn new() -> Hand {
        Hand {
            owner: std::sync::atomic::AtomicU32::new(0),
            entries: std::sync::atomic::AtomicPtr::new((&raw const NO_ENTRIES).cast_mut()),
        }
    }

    #[inline(always)]
    pub fn owner(&self) -> u32 {
        self.owner.load(Relaxed)
    }

    pub fn set_owner(&self, owner: u32) {
        self.owner.store(owner, Relaxed);
    }

    /// The thread's entries lie there from now on; `None`: nowhere.
    ///
    /// # Safety
    /// So many as the first says follow it, as long as they are the hand's, and the calling thread, whose hand this is, alone writes to them.
    pub unsafe fn set_entries(&self, entries: Option<&AtomicI64>) {
        let entries = std::ptr::from_ref(entries.unwrap_or(&NO_ENTRIES)).cast_mut();
        self.entries.store(entries, Relaxed);
    }

    /// Whether there is an entry of this number.
    #[inline(always)]
    fn counts(&self, index: u32) -> bool {
        // SAFETY: `set_entries`.
        i64::from(index) < unsafe { &*self.entries.load(Relaxed) }.load(Relaxed)
    }

    /// Adds to the entry of this number, if there is one. Whether there was.
    #[inline(always)]
    pub fn count(&self, index: u32, delta: i64) -> bool {
        let entries = self.entries.load(Relaxed).cast_const();
        // SAFETY: `set_entries`.
        unsafe {
            if i64::from(index) >= (*entries).load(Relaxed) {
                return false;
            }
            let entry = &*entries.add(index as usize + 1);
            entry.store(entry.load(Relaxed) + delta, Relaxed);
        }
        true
    }
}

/// What is left to do after a reference was given up.
#[must_use]
#[derive(PartialEq, Eq)]
pub enum Dropped {
    /// Other references remain.
    Alive,
    /// This was the last: the caller must free the object.
    Dead,
}

impl Header {
    /// The header of a block that holds no object, as the allocator leaves it: for models and tests.
    #[doc(hidden)]
    pub fn dead() -> Header {
        Header {
            local: AtomicU32::new(0),
            owner: AtomicU32::new(0),
            shared: AtomicU32::new(SHARED_MERGED),
            lock: AtomicU8::new(0),
            gc: AtomicU8::new(0),
            flags: AtomicU16::new(0),
            ty: AtomicPtr::new(std::ptr::null_mut()),
        }
    }

    /// Makes the calling thread the owner, with one reference: for tests, of a header that no other thread locks yet.
    #[doc(hidden)]
    pub fn adopt(&self) {
        self.init(std::ptr::null_mut(), 0, 0);
    }

    /// Makes a fresh block an object with one reference, owned by this thread.
    #[inline(always)]
    pub(crate) fn init(&self, ty: *mut Obj<Type>, flags: u16, gc: u8) {
        self.lock.store(0, Relaxed);
        self.gc.store(gc, Relaxed);
        self.flags.store(flags | FLAG_LIVE, Relaxed);
        self.ty.store(ty, Relaxed);
        // A racing reader of the block's former life may try to count here: `shared` goes last-but-one, and it
        // re-checks the slot it came from afterwards.
        self.local.store(1, Relaxed);
        self.shared.store(0, Release);
        self.owner.store(owner_id(), Release);
    }

    #[inline(always)]
    pub fn flag(&self, bit: u16) -> bool {
        self.flags.load(Relaxed) & bit != 0
    }

    /// Owner id, or what stands in its place.
    #[inline(always)]
    pub(crate) fn owner(&self) -> u32 {
        self.owner.load(Relaxed)
    }

    /// As `owner`, and visible is what an owner did before it merged its count.
    #[inline]
    pub(crate) fn owner_acquire(&self) -> u32 {
        self.owner.load(Acquire)
    }

    /// The index in the tables, after the owner was found to be [`OWNER_DISTRIBUTED`].
    #[inline(always)]
    fn table_index(&self) -> u32 {
        fence(Acquire);
        self.local.load(Relaxed)
    }

    /// As `flag`, and visible is what was done before it was set.
    #[inline(always)]
    pub(crate) fn flag_acquire(&self, bit: u16) -> bool {
        self.flags.load(Acquire) & bit != 0
    }

    pub fn set_flag(&self, bit: u16) {
        if crate::sync::mode::parallel() {
            self.flags.fetch_or(bit, Release);
        } else {
            self.flags.store(self.flags.load(Relaxed) | bit, Relaxed);
        }
    }

    pub fn clear_flag(&self, bit: u16) {
        self.flags.fetch_and(!bit, Relaxed);
    }

    /// Exempts the object from counting for ever.
    pub fn make_immortal(&self) {
        self.owner.store(OWNER_IMMORTAL, Release);
    }

    pub fn is_immortal(&self) -> bool {
        self.owner() == OWNER_IMMORTAL
    }

    /// The count of an object of the calling thread that no other has counted in.
    pub(crate) fn plain_count(&self) -> Option<u32> {
        (self.owner() == owner_id() && self.shared.load(Relaxed) == 0).then(|| self.local.load(Relaxed))
    }

    /// Counts in the tables from now on; see [`super::distributed`].
    pub(crate) fn set_distributed(&self, index: u32) {
        self.local.store(index, Relaxed);
        self.owner.store(OWNER_DISTRIBUTED, Release);
    }

    /// Counts in the header again, owned by the calling thread.
    pub(crate) fn set_plain(&self, count: u32) {
        self.local.store(count, Relaxed);
        self.owner.store(owner_id(), Release);
    }

    pub(crate) fn distributed_index(&self) -> Option<u32> {
        (self.owner() == OWNER_DISTRIBUTED).then(|| self.table_index())
    }

    /// Whether this thread holds the only reference: nobody else can reach the object, or comes to hold it who has seen it in a slot
    /// (see `Slot::swap_locked`).
    #[inline(always)]
    pub fn is_unique(&self) -> bool {
        self.is_unique_of(owner_id())
    }

    /// As [`Header::is_unique`], on the thread with the owner id `mine`.
    #[inline(always)]
    pub fn is_unique_of(&self, mine: u32) -> bool {
        self.owner() == mine && self.local.load(Relaxed) == 1 && self.shared.load(SeqCst) == 0
    }

    /// Whether this thread alone changes the count of local references, or nobody does any more.
    pub(crate) fn is_counted_here(&self) -> bool {
        let owner = self.owner();
        owner == owner_id() || owner == 0
    }

    /// Whether this thread, whose owner id is `mine`, counts the references, and there is another than the one that it is about to give up.
    #[inline(always)]
    pub(crate) fn has_more_here(&self, mine: u32) -> bool {
        self.owner() == mine && self.local.load(Relaxed) > 1
    }

    /// Adds a reference; the caller holds one.
    #[inline(always)]
    pub fn incref(&self) {
        let owner = self.owner();
        if owner == owner_id() {
            self.count_one();
        } else if owner < OWNER_DISTRIBUTED {
            self.incref_shared();
        } else if owner != OWNER_IMMORTAL {
            super::distributed::add(self.table_index(), 1);
        }
    }

    /// Adds one to the count of the owner, which is this thread.
    #[inline(always)]
    fn count_one(&self) {
        self.local.store(self.local.load(Relaxed).wrapping_add(1), Relaxed);
    }

    #[inline(never)]
    fn incref_shared(&self) {
        if self.flag(FLAG_LEASED) {
            // It is alive, since the caller holds a reference.
            super::leases::try_incref(self);
        } else {
            self.shared.fetch_add(SHARED_ONE, Relaxed);
        }
    }

    /// Adds `n` references at once; the caller holds one.
    pub fn incref_many(&self, n: u32) {
        if self.owner() == owner_id() {
            match self.local.load(Relaxed).checked_add(n) {
                Some(count) => self.local.store(count, Relaxed),
                None => self.make_immortal(),
            }
        } else {
            for _ in 0..n {
                self.incref();
            }
        }
    }

    /// Adds a reference to an object that may be dead or dying: `false` when it is.
    ///
    /// The memory must be that of an object block (live, free, or in use by another object since): after success the caller
    /// must check that the slot the pointer came from still holds it, and give the reference back if not.
    #[inline(always)]
    pub fn try_incref(&self) -> bool {
        let owner = self.owner.load(Acquire);
        if owner == owner_id() {
            self.count_one();
            return true;
        }
        if owner >= OWNER_DISTRIBUTED {
            if owner != OWNER_IMMORTAL {
                super::distributed::add(self.local.load(Relaxed), 1);
            }
            return true;
        }
        self.try_incref_shared()
    }

    #[inline(never)]
    fn try_incref_shared(&self) -> bool {
        if self.flag(FLAG_LEASED) {
            return super::leases::try_incref(self);
        }
        self.try_add_shared(1)
    }

    /// Adds `n` references to the shared count of an object that may be dead or dying: `false` when it is.
    pub(crate) fn try_add_shared(&self, n: u32) -> bool {
        let mut shared = self.shared.load(Relaxed);
        loop {
            if shared == SHARED_MERGED {
                return false;
            }
            match self
                .shared
                .compare_exchange_weak(shared, shared.wrapping_add(n * SHARED_ONE), SeqCst, Relaxed)
            {
                Ok(_) => return true,
                Err(now) => shared = now,
            }
        }
    }

    /// Gives up one reference.
    #[inline(always)]
    pub fn decref(&self) -> Dropped {
        let owner = self.owner();
        if owner == owner_id() {
            let count = self.local.load(Relaxed).wrapping_sub(1);
            if count == 0 {
                return self.local_zero();
            }
            self.local.store(count, Relaxed);
            Dropped::Alive
        } else if owner >= OWNER_DISTRIBUTED {
            if owner != OWNER_IMMORTAL {
                super::distributed::add(self.table_index(), -1);
            }
            Dropped::Alive
        } else {
            self.decref_shared()
        }
    }

    /// Adds a reference if that is plain: to an object of this thread, whose owner id is `mine`, or to an immortal one. Whether it did.
    ///
    /// While the count of the owner, which is this thread, is not given up, others cannot free the object, though they may
    /// meanwhile give up the reference that it was found by.
    #[inline(always)]
    pub fn incref_plainly(&self, mine: u32) -> bool {
        let owner = self.owner();
        if owner != mine {
            return owner == OWNER_IMMORTAL;
        }
        self.count_one();
        true
    }

    /// As [`Header::incref_plainly`], also to a distributed object, by the calling thread's hand. Those are freed with the world stopped alone.
    #[inline(always)]
    pub fn incref_by(&self, hand: &Hand) -> bool {
        let owner = self.owner();
        if owner != hand.owner() {
            return owner == OWNER_IMMORTAL || owner == OWNER_DISTRIBUTED && hand.count(self.table_index(), 1);
        }
        self.count_one();
        true
    }

    /// Adds a reference if the object is this thread's, whose owner id is `mine`. Whether it did.
    #[inline(always)]
    pub fn incref_own(&self, mine: u32) -> bool {
        let own = self.owner() == mine;
        if own {
            self.count_one();
        }
        own
    }

    /// Whether [`Header::incref_by`] would do it.
    #[inline(always)]
    pub fn counts_by(&self, hand: &Hand) -> bool {
        let owner = self.owner();
        owner == hand.owner()
            || owner == OWNER_IMMORTAL
            || owner == OWNER_DISTRIBUTED && hand.counts(self.table_index())
    }

    /// As [`Header::decref_plainly`], also of a distributed object, by the calling thread's hand.
    #[inline(always)]
    pub fn decref_by(&self, hand: &Hand) -> bool {
        let owner = self.owner();
        if owner != hand.owner() {
            return owner == OWNER_IMMORTAL || owner == OWNER_DISTRIBUTED && hand.count(self.table_index(), -1);
        }
        self.uncount_one()
    }

    /// Gives up one reference if that is plainly not the last: of an object of this thread, whose owner id is `mine`, or an immortal one.
    /// Whether it did.
    #[inline(always)]
    pub fn decref_plainly(&self, mine: u32) -> bool {
        let owner = self.owner();
        if owner != mine {
            return owner == OWNER_IMMORTAL;
        }
        self.uncount_one()
    }

    /// Takes one from the count of the owner, which is this thread, if that is not the last. Whether it did.
    #[inline(always)]
    fn uncount_one(&self) -> bool {
        let count = self.local.load(Relaxed).wrapping_sub(1);
        if count == 0 {
            return false;
        }
        self.local.store(count, Relaxed);
        true
    }

    /// The owner's count fell to zero: dead at once, or merged with what others hold.
    #[inline]
    fn local_zero(&self) -> Dropped {
        if !crate::sync::mode::parallel() {
            self.local.store(0, Relaxed);
            self.owner.store(0, Relaxed);
            self.shared.store(SHARED_MERGED, Relaxed);
            return Dropped::Dead;
        }
        let mut shared = self.shared.load(Acquire);
        loop {
            // Local and owner are written before MERGED is published: once it is, others may free the object.
            self.local.store(0, Relaxed);
            self.owner.store(0, Release);
            match self
                .shared
                .compare_exchange_weak(shared, shared | SHARED_MERGED, AcqRel, Acquire)
            {
                Ok(_) => {
                    return if shared & !SHARED_FLAGS == 0 {
                        Dropped::Dead
                    } else {
                        Dropped::Alive
                    };
                }
                Err(now) => shared = now,
            }
        }
    }

    #[inline(never)]
    fn decref_shared(&self) -> Dropped {
        if self.flag(FLAG_LEASED) {
            return super::leases::decref(self);
        }
        if super::leases::note_contention(self) && self.give_up_to_merge() {
            return Dropped::Alive;
        }
        self.subtract_shared(1)
    }

    /// Asks the owner to merge the counts, and gives up a reference, which the queue gets. `false`, with nothing done, if there is no owner or it
    /// has been asked.
    #[cold]
    pub(crate) fn give_up_to_merge(&self) -> bool {
        let owner = self.owner();
        if owner == 0 || owner >= OWNER_DISTRIBUTED {
            return false;
        }
        let mut shared = self.shared.load(Relaxed);
        while shared & SHARED_FLAGS == 0 {
            match self
                .shared
                .compare_exchange_weak(shared, shared | SHARED_QUEUED, AcqRel, Relaxed)
            {
                Ok(_) => {
                    super::merge::enqueue(self, owner);
                    return true;
                }
                Err(now) => shared = now,
            }
        }
        false
    }

    /// The owner and its count, while another thread may be changing them.
    pub(crate) fn owners_count(&self) -> (u32, u32) {
        (self.owner(), self.local.load(Relaxed))
    }

    /// Whether there are no references but `n` counted ones.
    pub(crate) fn is_held_by(&self, n: u32) -> bool {
        self.shared.load(Relaxed) == (n * SHARED_ONE) | SHARED_MERGED
    }

    /// Gives up `n` references, at least one, that the calling thread holds and does not count as the owner.
    pub(crate) fn subtract_shared(&self, n: u32) -> Dropped {
        self.subtract_or_queue(n).unwrap_or_else(|| {
            super::merge::enqueue(self, self.owner());
            Dropped::Alive
        })
    }

    /// As [`Header::subtract_shared`], for any thread that holds them: the world is stopped.
    pub(crate) fn subtract_stopped(&self, n: u32) -> Dropped {
        self.subtract_or_queue(n).unwrap_or_else(|| self.merge())
    }

    /// Gives up `n` references; `None`: all but one, and the owner must merge and give up that one.
    #[inline]
    fn subtract_or_queue(&self, n: u32) -> Option<Dropped> {
        let mut shared = self.shared.load(Acquire);
        loop {
            let count = shared & !SHARED_FLAGS;
            let flags = shared & SHARED_FLAGS;
            // The count would become negative: a reference was counted by the owner, who must merge.
            let queue = flags == 0 && count / SHARED_ONE < n;
            // One reference to a queued object is not subtracted: the queue holds it until the merge.
            let next = if queue {
                count.wrapping_sub((n - 1) * SHARED_ONE) | SHARED_QUEUED
            } else {
                count.wrapping_sub(n * SHARED_ONE) | flags
            };
            match self.shared.compare_exchange_weak(shared, next, AcqRel, Acquire) {
                Ok(_) if queue => return None,
                Ok(_) if next == SHARED_MERGED => return Some(Dropped::Dead),
                Ok(_) => return Some(Dropped::Alive),
                Err(now) => shared = now,
            }
        }
    }

    /// Merges the local count into the shared one and gives up the reference that the merge queue held.
    ///
    /// Called by the owner, or by anybody while the owner cannot run.
    pub(crate) fn merge(&self) -> Dropped {
        let owner = self.owner();
        // Owner 0: its own count fell to zero, and merged, before the queue was drained.
        let local = if owner == 0 || owner >= OWNER_DISTRIBUTED {
            0
        } else {
            self.local.load(Relaxed)
        };
        if local != 0 {
            self.local.store(0, Relaxed);
            self.owner.store(0, Release);
        }
        let mut shared = self.shared.load(Acquire);
        loop {
            let count = (shared & !SHARED_FLAGS).wrapping_add(local.wrapping_sub(1).wrapping_mul(SHARED_ONE));
            match self
                .shared
                .compare_exchange_weak(shared, count | SHARED_MERGED, AcqRel, Acquire)
            {
                Ok(_) => return if count == 0 { Dropped::Dead } else { Dropped::Alive },
                Err(now) => shared = now,
            }
        }
    }

    /// Makes the calling thread, whose owner id is `mine`, the owner, which counts all references, unless another has some in hand. The world
    /// is stopped, and nothing waits to be merged but with a reference of its own.
    pub(crate) fn take_over(&self, mine: u32) {
        let owner = self.owner();
        let shared = self.shared.load(Relaxed);
        if owner == mine || owner >= OWNER_SEARCHED || shared & SHARED_FLAGS == SHARED_QUEUED || self.flag(FLAG_LEASED)
        {
            return;
        }
        let others = (shared & !SHARED_FLAGS) as i32 / SHARED_ONE as i32;
        let local = if owner == 0 { 0 } else { self.local.load(Relaxed) };
        self.local.store(local.wrapping_add_signed(others), Relaxed);
        self.shared.store(0, Relaxed);
        self.owner.store(mine, Release);
    }

    /// The number of references as far as it can be known without stopping other threads.
    #[inline]
    pub fn refcount(&self) -> i64 {
        let mut shared = i64::from((self.shared.load(Relaxed) & !SHARED_FLAGS) as i32 / SHARED_ONE as i32);
        if self.flag(FLAG_LEASED) {
            shared -= super::leases::in_hand(self);
        }
        match self.owner() {
            OWNER_IMMORTAL => i64::from(u32::MAX),
            OWNER_DISTRIBUTED => super::distributed::sum(self.table_index()) + shared,
            0 => shared,
            _ => i64::from(self.local.load(Relaxed)) + shared,
        }
    }

    /// Owner and local count, to be put back by [`Header::end_search`].
    #[inline]
    pub(crate) fn search_word(&self) -> u64 {
        u64::from(self.owner()) << 32 | u64::from(self.local.load(Relaxed))
    }

    /// Puts `number` in the place of owner and local count. The world is stopped, and nobody counts until [`Header::end_search`].
    #[inline]
    pub(crate) fn begin_search(&self, number: u32) {
        self.local.store(number, Relaxed);
        self.owner.store(OWNER_SEARCHED, Relaxed);
    }

    /// The number that [`Header::begin_search`] put there.
    #[inline]
    pub(crate) fn search_number(&self) -> Option<usize> {
        (self.owner() == OWNER_SEARCHED).then(|| self.local.load(Relaxed) as usize)
    }

    /// Puts back what [`Header::search_word`] returned.
    #[inline]
    pub(crate) fn end_search(&self, word: u64) {
        self.local.store(word as u32, Relaxed);
        self.owner.store((word >> 32) as u32, Relaxed);
    }

    /// The generation of a collectable object.
    #[inline]
    pub(crate) fn generation(&self) -> u8 {
        self.gc.load(Relaxed) >> GC_GENERATION_SHIFT & 3
    }

    /// Moves the object to a generation. The world is stopped.
    #[inline]
    pub(crate) fn set_generation(&self, generation: u8) {
        let rest = self.gc.load(Relaxed) & ((1 << GC_GENERATION_SHIFT) - 1);
        self.gc.store(rest | generation << GC_GENERATION_SHIFT, Relaxed);
    }

    /// Brings a dying object back with one reference owned by this thread (`__del__` and resurrection).
    pub(crate) fn revive(&self) {
        self.local.store(1, Relaxed);
        self.shared.store(0, Release);
        self.owner.store(owner_id(), Release);
    }

    /// The type of the object.
    #[inline(always)]
    pub(crate) fn type_ptr(&self) -> *mut Obj<Type> {
        self.ty.load(Relaxed)
    }
}
