//! References that a thread keeps in hand of objects that several threads count all the time, so that they do not write to the object's
//! cache line in turns: the thread takes some at once from the shared count, gives out and takes back its own, and returns them later.
//!
//! Which objects: those that two threads were found counting in turns ([`note_contention`] samples), and whose end nobody but memory
//! notices ([`may_end_late`]). They are marked [`FLAG_LEASED`] for good. If one of the threads is the owner, it has to give up the object
//! first, by merging the counts: it writes to the same cache line.
//!
//! Invariant: a thread's lease of `n` is `n` references counted in the object's shared count, so counts stay exact and an object lives while
//! it is leased; what may be late is its end. A thread returns all leases before it blocks, when it ends, after so many uses, and
//! when the collector merges; at once if nothing but its own lease holds the object.
//! This is a local form of the batching in sloppy counters (Boyd-Wickizer et al., OSDI 2010).

use std::cell::Cell;
use std::ptr::NonNull;

use super::header::{Dropped, FLAG_FINALIZED, FLAG_LEASED, FLAG_WEAKREFS, Header};
use crate::sync::Mutex;
use crate::sync::atomic::{
    AtomicU32, AtomicU64, AtomicUsize,
    Ordering::{Acquire, Relaxed, Release},
};
use crate::threads::{ThreadState, owner_id, poll};

/// How many references are taken at once; twice as many in hand are too many.
const LEASE: u32 = 64;
/// Leases of one thread at most.
const PLACES: usize = 4096;
/// An object may have any place of its row, which is a cache line: one of a thousand objects finds none there, of single places one of ten would.
const ROW: usize = 4;
/// Uses after which a thread returns all, and for each lease it has.
const USES: u32 = 4096;
const USES_EACH: u32 = 256;
/// One of so many counts in shared objects is looked at.
const SAMPLE: u32 = 32;
const SEEN_PLACES: usize = 4096;

/// The leases of a thread. Written by the thread alone.
#[repr(C, align(64))]
struct Table {
    places: [Place; PLACES],
    /// Which places are taken, in the first `taken` of these.
    order: [AtomicU32; PLACES],
    taken: AtomicUsize,
    uses: AtomicU32,
}

struct Place {
    /// Address of the header, [`NOBODY`] or 0.
    object: AtomicUsize,
    in_hand: AtomicU32,
}

/// In a place that stays in `order` though its object has gone.
const NOBODY: usize = 8;

static TABLES: Mutex<Vec<&'static Table>> = Mutex::new(Vec::new());
/// Those among the tables whose threads have ended. Locked after `TABLES`.
static SPARE: Mutex<Vec<&'static Table>> = Mutex::new(Vec::new());
/// Which object was looked at last, and who counted: address and owner id.
static SEEN: [AtomicU64; SEEN_PLACES] = [const { AtomicU64::new(0) }; SEEN_PLACES];
/// What the owner's count was when a thread looked at the object last, and how often it had changed: bits of the address, count, changes.
static OWNERS: [AtomicU64; SEEN_PLACES] = [const { AtomicU64::new(0) }; SEEN_PLACES];
/// After so many changes the owner gives up the object.
const CHANGES: u64 = 8;

thread_local! {
    static TABLE: Cell<Option<&'static Table>> = const { Cell::new(None) };
    static COUNTED: Cell<u32> = const { Cell::new(0) };
}

fn address(header: &Header) -> usize {
    std::ptr::from_ref(header) as usize
}

/// Objects of one size lie at multiples of it: the product mixes them well.
fn spread(address: usize, places: usize) -> usize {
    (address >> 3).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (usize::BITS - places.ilog2())
}

/// The calling thread counts in an object of another: now and then looks whether others do so too, and marks the object then. True if the
/// owner is one of those, and should give it up.
#[inline]
pub(crate) fn note_contention(header: &Header) -> bool {
    let counted = COUNTED.get().wrapping_add(1);
    COUNTED.set(counted);
    counted.is_multiple_of(SAMPLE) && look(header)
}

#[cold]
#[inline(never)]
fn look(header: &Header) -> bool {
    let seen = &SEEN[spread(address(header), SEEN_PLACES)];
    let now = (address(header) as u64) << 16 | u64::from(owner_id() & 0xffff);
    let before = seen.swap(now, Relaxed);
    if before >> 16 != now >> 16 || !may_end_late(header) {
        return false;
    }
    if before != now {
        header.set_flag(FLAG_LEASED);
    }
    owner_counts(header)
}

/// Whether the owner was found to have counted time and again between two looks at the object.
fn owner_counts(header: &Header) -> bool {
    let (owner, count) = header.owners_count();
    if owner == 0 {
        return false;
    }
    let place = &OWNERS[spread(address(header), SEEN_PLACES)];
    let which = (address(header) as u64 >> 3) << 32;
    let count = u64::from(count & 0xff_ffff) << 8;
    let before = place.load(Relaxed);
    let mut changes = 0;
    if before >> 32 == which >> 32 {
        changes = before & 0xff;
        if before & 0xffff_ff00 != count {
            changes += 1;
        }
    }
    let enough = changes >= CHANGES;
    place.store(which | count | if enough { 0 } else { changes }, Relaxed);
    enough
}

/// Whether nothing happens at the object's end but that memory is freed: now, and as far as its own type tells.
fn may_end_late(header: &Header) -> bool {
    if header.flag(FLAG_WEAKREFS) || header.flag(FLAG_FINALIZED) {
        return false;
    }
    // SAFETY: the caller holds a reference to the object, and with it its type.
    let ty = unsafe { &(*header.type_ptr()).data };
    ty.slots().finalize.is_none() && ty.info.late_end
}

/// The thread's table; `None` without memory for one.
fn table() -> Option<&'static Table> {
    TABLE.get().or_else(new_table)
}

#[cold]
fn new_table() -> Option<&'static Table> {
    let mut tables = TABLES.lock();
    let spare = SPARE.lock().pop();
    let table = match spare {
        Some(table) => table,
        None => {
            let layout = std::alloc::Layout::new::<Table>();
            // SAFETY: the layout is not empty, and all zero bytes are a table without leases. It is never freed.
            let table: &'static Table = unsafe { std::alloc::alloc_zeroed(layout).cast::<Table>().as_ref() }?;
            tables.push(table);
            table
        }
    };
    TABLE.set(Some(table));
    Some(table)
}

impl Table {
    /// The row of the object.
    #[inline(always)]
    fn row(&self, object: usize) -> &[Place] {
        let at = spread(object, PLACES / ROW) * ROW;
        &self.places[at..at + ROW]
    }

    /// The place of the object, if it has one.
    #[inline(always)]
    fn find(&self, object: usize) -> Option<&Place> {
        self.row(object).iter().find(|p| p.object.load(Relaxed) == object)
    }

    /// A place for the object, which has none.
    fn find_free(&self, object: usize) -> Option<usize> {
        let at = spread(object, PLACES / ROW) * ROW;
        (at..at + ROW).find(|at| self.places[*at].object.load(Relaxed) <= NOBODY)
    }

    /// Gives a place without an object one.
    fn take(&self, at: usize, object: usize, in_hand: u32) {
        let place = &self.places[at];
        place.in_hand.store(in_hand, Relaxed);
        if place.object.swap(object, Release) == NOBODY {
            return;
        }
        let taken = self.taken.load(Relaxed);
        self.order[taken].store(at as u32, Relaxed);
        self.taken.store(taken + 1, Release);
    }

    /// Counts a use, and asks for a safepoint when it is time to return all. How many there were.
    #[inline]
    fn count_use(&self) -> u32 {
        let uses = self.uses.load(Relaxed) + 1;
        self.uses.store(uses, Relaxed);
        if uses >= USES && uses >= USES_EACH * self.taken.load(Relaxed) as u32 {
            self.uses.store(0, Relaxed);
            if let Some(thread) = ThreadState::current() {
                thread.set_poll(poll::MERGE);
            }
        }
        uses
    }

    /// Empties the place that was taken last; the object and how many references were in hand.
    fn pop(&self) -> Option<(NonNull<Header>, u32)> {
        let last = self.taken.load(Acquire).checked_sub(1)?;
        self.taken.store(last, Relaxed);
        let place = &self.places[self.order[last].load(Relaxed) as usize];
        let object = NonNull::new(place.object.swap(0, Relaxed) as *mut Header)?;
        Some((object, place.in_hand.swap(0, Relaxed)))
    }
}

/// Counts one more reference to an object marked [`FLAG_LEASED`] from the thread's lease; `false` if that has none.
#[inline]
fn from_hand(header: &Header) -> bool {
    let Some(table) = TABLE.get() else { return false };
    let Some(place) = table.find(address(header)) else {
        return false;
    };
    let in_hand = place.in_hand.load(Relaxed);
    if in_hand == 0 {
        return false;
    }
    place.in_hand.store(in_hand - 1, Relaxed);
    true
}

/// One more reference to an object of another thread, marked [`FLAG_LEASED`], which may be dead or dying: `false` when it is.
#[inline(never)]
pub(crate) fn try_incref(header: &Header) -> bool {
    if from_hand(header) {
        return true;
    }
    let Some(table) = table() else {
        return header.try_add_shared(1);
    };
    if let Some(place) = table.find(address(header)) {
        let taken = header.try_add_shared(LEASE + 1);
        if taken {
            place.in_hand.store(LEASE, Relaxed);
        }
        return taken;
    }
    match table.find_free(address(header)) {
        None => header.try_add_shared(1),
        Some(at) => {
            let taken = header.try_add_shared(LEASE + 1);
            if taken {
                table.take(at, address(header), LEASE);
            }
            taken
        }
    }
}

/// Gives up a reference to an object of another thread, marked [`FLAG_LEASED`].
#[inline(never)]
pub(crate) fn decref(header: &Header) -> Dropped {
    let Some(table) = table() else {
        return header.subtract_shared(1);
    };
    let uses = table.count_use();
    if uses.is_multiple_of(SAMPLE) && owner_counts(header) && header.give_up_to_merge() {
        return Dropped::Alive;
    }
    if let Some(place) = table.find(address(header)) {
        let in_hand = place.in_hand.load(Relaxed) + 1;
        place.in_hand.store(in_hand, Relaxed);
        settle(header, place, in_hand)
    } else if let Some(at) = table.find_free(address(header)) {
        // The reference becomes the lease.
        table.take(at, address(header), 1);
        settle(header, &table.places[at], 1)
    } else {
        header.subtract_shared(1)
    }
}

/// Returns what is too much in hand, or everything when nothing else holds the object.
#[inline]
fn settle(header: &Header, place: &Place, in_hand: u32) -> Dropped {
    if header.is_held_by(in_hand) {
        place.in_hand.store(0, Relaxed);
        place.object.store(NOBODY, Relaxed);
        return header.subtract_shared(in_hand);
    }
    if in_hand > 2 * LEASE {
        place.in_hand.store(in_hand - LEASE, Relaxed);
        return header.subtract_shared(LEASE);
    }
    Dropped::Alive
}

/// Whether any thread ever had leases.
pub(crate) fn exist() -> bool {
    !TABLES.lock().is_empty()
}

/// Whether the calling thread has leases.
#[inline]
pub(crate) fn has_some() -> bool {
    TABLE.get().is_some_and(|table| table.taken.load(Relaxed) != 0)
}

/// Returns all that the calling thread has in hand. May run finalizers.
#[cold]
#[inline(never)]
pub(crate) fn return_all() {
    let Some(table) = TABLE.get() else { return };
    table.uses.store(0, Relaxed);
    // What finalizers lease meanwhile is left for the next time.
    for _ in 0..table.taken.load(Relaxed) {
        let Some((object, in_hand)) = table.pop() else { break };
        // SAFETY: the lease keeps the object alive until now; a place whose object has gone has nothing in hand.
        if in_hand > 0 && unsafe { object.as_ref() }.subtract_shared(in_hand) == Dropped::Dead {
            // SAFETY: the count found no other reference.
            unsafe { crate::object::dealloc(object) }
        }
    }
}

/// Returns what all threads have in hand. Objects without reference are returned, to be freed when the world runs again.
///
/// # Safety
/// The world is stopped.
pub(crate) unsafe fn return_stopped() -> Vec<NonNull<Header>> {
    let mut dead = Vec::new();
    for table in TABLES.lock().iter() {
        table.uses.store(0, Relaxed);
        while let Some((object, in_hand)) = table.pop() {
            // SAFETY: as in `return_all`.
            if in_hand > 0 && unsafe { object.as_ref() }.subtract_stopped(in_hand) == Dropped::Dead {
                dead.push(object);
            }
        }
    }
    dead
}

/// How many references to the object threads have in hand; exact when the world is stopped.
#[cold]
pub(crate) fn in_hand(header: &Header) -> i64 {
    let tables = TABLES.lock();
    tables
        .iter()
        .flat_map(|table| table.row(address(header)))
        .filter(|place| place.object.load(Acquire) == address(header))
        .map(|place| i64::from(place.in_hand.load(Relaxed)))
        .sum()
}

/// The calling thread ends: its table goes to another, with what is still in hand.
pub(crate) fn thread_exit() {
    if let Some(table) = TABLE.take() {
        SPARE.lock().push(table);
    }
}

/// In the child of a fork: the tables of the threads that are gone go to the next ones, or are emptied by the collector.
pub(crate) fn after_fork_child() {
    let tables = TABLES.lock();
    let mut spare = SPARE.lock();
    for &table in tables.iter() {
        let mine = TABLE.get().is_some_and(|mine| std::ptr::eq(mine, table));
        if !mine && !spare.iter().any(|other| std::ptr::eq(*other, table)) {
            spare.push(table);
        }
    }
}
