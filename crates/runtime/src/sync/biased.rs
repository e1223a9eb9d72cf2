//! The locks of objects: a thread locks what it owns without an atomic read-modify-write, until another thread wants it.
//!
//! Each thread has a [`Seat`], where it announces the object that it is inside of. The owner of an object (the thread whose id its
//! header has) announces it, then looks whether the object is still its own and not marked [`FLAG_SHARED`]; if so, it is inside. Any other
//! thread takes the lock byte ([`ObjectLock`]), marks the object, sends a memory barrier to all threads (`membarrier`), and waits
//! until the owner's seat does not name the object. From then on everybody, the owner included, takes the byte.
//! A thread whose objects others want time and again loses its right altogether, and has it back after a while.
//!
//! This is biased locking (Russell and Detlefs, OOPSLA 2006; Dice, Moir and Scherer's quickly reacquirable locks) with the
//! announcement in the thread instead of the object, which leaves the byte to the others alone.
//!
//! Invariants: who holds the byte of an unmarked object whose owner has a seat that is on may not touch it before the
//! handshake is done. A mark stays until the object dies, but for a handshake that is given up under the byte. As with the byte:
//! held for a short stretch of native code, never at a safepoint.
//! Taken once more, by the same thread or by the next one, a seat is as a new one: who found it off has marked what he wanted.

use super::ObjectLock;
use super::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering, fence};
#[cfg(not(loom))]
use super::mode::parallel;
use super::mutex::held;
use super::os_linux;
use crate::memory::header::{FLAG_RACED, FLAG_SHARED, Header};

/// The seat is off: no object has this owner.
const OFF: u32 = u32::MAX - 8;
/// In the places of a seat that many threads have: no object lies there, so that nothing is ever announced.
const TAKEN: usize = 1;
/// After so many handshakes in a short time a seat is turned off: each sends a barrier, which takes 1 to 10 µs. After half as many the next
/// time, and twice as many where they were not that soon.
const HANDSHAKES: u32 = if cfg!(loom) { 2 } else { 16 };
/// In nanoseconds, for each of them.
const SHORT_TIME: u64 = 100_000;
/// After so many nanoseconds its thread may have it back; it looks once in so many locks that it took by their bytes.
const OFF_FOR: u64 = if cfg!(loom) { 0 } else { 50_000_000 };
const LOOK_AFTER: u32 = if cfg!(loom) { 1 } else { 1024 };
const SPINS: u32 = if cfg!(loom) { 1 } else { 64 };

/// What a thread announces; see the module.
#[repr(align(64))]
pub struct Seat {
    /// The owner id of the thread while it may enter by announcing, else [`OFF`].
    id: AtomicU32,
    /// How many threads have taken the seat.
    taken: AtomicU32,
    /// What `taken` was when the seat was turned off, if a barrier was sent since: who finds it still so needs no barrier of his own.
    settled: AtomicU32,
    handshakes: AtomicU32,
    /// How many of them are looked at together; of this seat, whoever has it.
    allowed: AtomicU32,
    /// When the first of these was counted, or the seat turned off.
    since: AtomicU64,
    /// The owner id of the thread that took the seat, or [`OFF`]. Of no concern to others, as is `misses`.
    whose: AtomicU32,
    /// Locks that the thread took by their bytes while the seat was off.
    misses: AtomicU32,
    /// Addresses of the headers of the objects that the thread is inside of: a pair at most.
    inside: [AtomicUsize; 2],
}

impl Seat {
    #[cfg(not(loom))]
    const fn new() -> Seat {
        Seat::with_places(0)
    }

    /// For all threads that have no seat of their own: it is never taken.
    #[cfg(not(loom))]
    const fn of_many() -> Seat {
        Seat::with_places(TAKEN)
    }

    #[cfg(not(loom))]
    const fn with_places(inside: usize) -> Seat {
        Seat {
            id: AtomicU32::new(OFF),
            taken: AtomicU32::new(0),
            settled: AtomicU32::new(0),
            handshakes: AtomicU32::new(0),
            allowed: AtomicU32::new(HANDSHAKES),
            since: AtomicU64::new(0),
            whose: AtomicU32::new(OFF),
            misses: AtomicU32::new(0),
            inside: [AtomicUsize::new(inside), AtomicUsize::new(inside)],
        }
    }

    #[cfg(loom)]
    pub fn new() -> Seat {
        Seat::with_places(0)
    }

    #[cfg(loom)]
    pub fn of_many() -> Seat {
        Seat::with_places(TAKEN)
    }

    #[cfg(loom)]
    fn with_places(inside: usize) -> Seat {
        Seat {
            id: AtomicU32::new(OFF),
            taken: AtomicU32::new(0),
            settled: AtomicU32::new(0),
            handshakes: AtomicU32::new(0),
            allowed: AtomicU32::new(HANDSHAKES),
            since: AtomicU64::new(0),
            whose: AtomicU32::new(OFF),
            misses: AtomicU32::new(0),
            inside: [AtomicUsize::new(inside), AtomicUsize::new(inside)],
        }
    }

    /// The calling thread, with this owner id, takes the seat.
    pub fn take(&self, id: u32) {
        self.handshakes.store(0, Ordering::Relaxed);
        self.since.store(now(), Ordering::Relaxed);
        self.whose.store(id, Ordering::Relaxed);
        self.taken.fetch_add(1, Ordering::SeqCst);
        self.id.store(id, Ordering::SeqCst);
        // Who found the seat settled has marked his object before: what is announced from here on sees the mark.
        fence(Ordering::SeqCst);
    }

    /// The calling thread leaves the seat. It is inside of nothing.
    pub fn leave(&self) {
        self.whose.store(OFF, Ordering::Relaxed);
        self.id.store(OFF, Ordering::SeqCst);
        self.settled.store(self.taken.load(Ordering::SeqCst), Ordering::SeqCst);
    }

    /// Announces the object in a free place; whether the thread, whose seat this is, is inside of it now.
    #[inline(always)]
    fn enter_at(&self, place: usize, header: &Header) -> bool {
        let inside = &self.inside[place];
        if inside.load(Ordering::Relaxed) != 0 {
            return false;
        }
        inside.store(key(header), Ordering::Relaxed);
        light_barrier();
        if header.owner() == self.id.load(Ordering::Relaxed) && !header.flag(FLAG_SHARED) {
            return true;
        }
        inside.store(0, Ordering::Relaxed);
        false
    }

    #[inline(always)]
    fn leave_at(&self, place: usize, header: &Header) -> bool {
        let inside = &self.inside[place];
        if inside.load(Ordering::Relaxed) != key(header) {
            return false;
        }
        inside.store(0, Ordering::Release);
        true
    }

    /// Whether the owner of the seat is inside of the object, or looks whether it may be.
    fn names(&self, header: &Header) -> bool {
        self.inside.iter().any(|i| i.load(Ordering::Acquire) == key(header))
    }

    /// Takes the object, whose byte the calling thread holds, from the thread of this seat. `false` if that is still inside after
    /// `patience` looks.
    #[cold]
    fn handshake(&self, header: &Header, patience: u32) -> bool {
        header.set_flag(FLAG_SHARED);
        fence(Ordering::SeqCst);
        // Who takes the seat after this look sees the mark: `take`.
        let taken = self.taken.load(Ordering::SeqCst);
        if self.settled.load(Ordering::SeqCst) != taken {
            if self.is_bothered() {
                self.turn_off(taken);
            } else {
                heavy_barrier();
            }
        }
        let mut looks = 0;
        while self.names(header) {
            if looks == patience {
                // It stays the owner's.
                header.clear_flag(FLAG_SHARED);
                return false;
            }
            looks += 1;
            if looks % 128 == 0 {
                // The owner may have been preempted inside.
                os_linux::sched_yield();
            } else {
                super::spin_hint();
            }
        }
        // Not before: the owner may free at once what it replaces until it has left.
        header.set_flag(FLAG_RACED);
        true
    }

    /// Counts a handshake; whether there were too many in a short time.
    fn is_bothered(&self) -> bool {
        let count = self.handshakes.fetch_add(1, Ordering::Relaxed) + 1;
        let allowed = self.allowed.load(Ordering::Relaxed);
        if count < allowed {
            return false;
        }
        let now = now();
        let time = now.saturating_sub(self.since.swap(now, Ordering::Relaxed));
        let bothered = time < SHORT_TIME * u64::from(allowed);
        let allowed = if bothered {
            (allowed / 2).max(1)
        } else {
            (allowed * 2).min(HANDSHAKES)
        };
        self.allowed.store(allowed, Ordering::Relaxed);
        self.handshakes.store(0, Ordering::Relaxed);
        bothered
    }

    /// The calling thread, whose seat this is, takes a lock by its byte since the seat is off: now and then looks whether it may have it back.
    fn note_miss(&self) {
        let misses = self.misses.load(Ordering::Relaxed).wrapping_add(1);
        self.misses.store(misses, Ordering::Relaxed);
        if !misses.is_multiple_of(LOOK_AFTER) {
            return;
        }
        let whose = self.whose.load(Ordering::Relaxed);
        if whose != OFF && now().saturating_sub(self.since.load(Ordering::Relaxed)) >= OFF_FOR {
            self.take(whose);
        }
    }

    /// Its thread, the one of this number, takes the bytes of its objects from now on; or one that has taken the seat meanwhile, of which nothing
    /// is known then.
    fn turn_off(&self, taken: u32) {
        let id = self.id.load(Ordering::SeqCst);
        let off = id != OFF
            && self
                .id
                .compare_exchange(id, OFF, Ordering::SeqCst, Ordering::SeqCst)
                .is_ok();
        heavy_barrier();
        if off {
            self.settled.store(taken, Ordering::SeqCst);
        }
    }

    /// Locks `header` for the thread of this seat. `seat_of` finds the seat of an owner.
    #[inline(always)]
    pub fn lock<'a>(&self, header: &Header, seat_of: impl Fn(u32) -> Option<&'a Seat>) {
        if self.enter_at(0, header) {
            held::enter();
        } else {
            self.lock_slow(header, seat_of);
        }
    }

    #[cold]
    #[inline(never)]
    fn lock_slow<'a>(&self, header: &Header, seat_of: impl Fn(u32) -> Option<&'a Seat>) {
        if self.enter_at(1, header) {
            return held::enter();
        }
        if self.id.load(Ordering::Relaxed) == OFF {
            self.note_miss();
        }
        ObjectLock::from_byte(&header.lock).lock_free();
        if let Some(owner) = self.to_ask(header, seat_of) {
            owner.handshake(header, u32::MAX);
        }
    }

    /// Locks `header` if that takes no waiting.
    fn try_lock<'a>(&self, header: &Header, seat_of: impl Fn(u32) -> Option<&'a Seat>) -> bool {
        if self.enter_at(0, header) || self.enter_at(1, header) {
            held::enter();
            return true;
        }
        let byte = ObjectLock::from_byte(&header.lock);
        if !byte.try_lock_free() {
            return false;
        }
        let locked = self
            .to_ask(header, seat_of)
            .is_none_or(|owner| owner.handshake(header, SPINS));
        if !locked {
            byte.unlock_free();
        }
        locked
    }

    /// The seat of the owner of an unmarked object, if that is another thread.
    fn to_ask<'a>(&self, header: &Header, seat_of: impl Fn(u32) -> Option<&'a Seat>) -> Option<&'a Seat> {
        if header.flag(FLAG_SHARED) {
            return None;
        }
        // An owner that has merged its count, or none: Acquire makes visible what it wrote inside.
        seat_of(header.owner_acquire()).filter(|seat| !std::ptr::eq(*seat, self))
    }

    #[inline(always)]
    pub fn unlock(&self, header: &Header) {
        if self.leave_at(0, header) {
            held::leave();
        } else {
            self.unlock_slow(header);
        }
    }

    #[cold]
    #[inline(never)]
    fn unlock_slow(&self, header: &Header) {
        if self.leave_at(1, header) {
            held::leave();
        } else {
            ObjectLock::from_byte(&header.lock).unlock_free();
        }
    }

    /// Locks two objects in the order of their addresses. Never waits for the second while it holds the first.
    pub fn lock_both<'a>(&self, a: &Header, b: &Header, seat_of: impl Fn(u32) -> Option<&'a Seat> + Copy) {
        if std::ptr::eq(a, b) {
            return self.lock(a, seat_of);
        }
        let (first, second) = if key(a) < key(b) { (a, b) } else { (b, a) };
        loop {
            self.lock(first, seat_of);
            for _ in 0..SPINS {
                if self.try_lock(second, seat_of) {
                    return;
                }
                super::spin_hint();
            }
            self.unlock(first);
            // Wait for the second to become free, then start over in order.
            self.lock(second, seat_of);
            self.unlock(second);
        }
    }

    pub fn unlock_both(&self, a: &Header, b: &Header) {
        if !std::ptr::eq(a, b) {
            self.unlock(b);
        }
        self.unlock(a);
    }
}

#[inline(always)]
fn key(header: &Header) -> usize {
    std::ptr::from_ref(header) as usize
}

/// Keeps the compiler from moving the look before the announcement; the processor is held to it by [`heavy_barrier`].
#[inline(always)]
fn light_barrier() {
    #[cfg(not(loom))]
    super::atomic::compiler_fence(Ordering::SeqCst);
    #[cfg(loom)]
    fence(Ordering::SeqCst);
}

/// Nanoseconds. In models no time goes by.
fn now() -> u64 {
    #[cfg(loom)]
    return 0;
    #[cfg(not(loom))]
    os_linux::monotonic_ns()
}

/// A barrier in every running thread of the process.
fn heavy_barrier() {
    #[cfg(not(loom))]
    os_linux::membarrier();
    fence(Ordering::SeqCst);
}

#[cfg(not(loom))]
mod seats {
    use super::*;
    use crate::threads::FIRST_OWNER;
    use std::cell::Cell;
    use std::sync::OnceLock;

    /// Threads with higher owner ids take the bytes.
    const COUNT: usize = 256;

    static SEATS: [Seat; COUNT] = [const { Seat::new() }; COUNT];
    /// Of threads without one.
    static NO_SEAT: Seat = Seat::of_many();
    /// The seat of threads without one.
    pub(crate) const NOWHERE: &Seat = &NO_SEAT;
    /// Whether the system sends barriers.
    static BARRIERS: OnceLock<bool> = OnceLock::new();

    thread_local! {
        static SEAT: Cell<&'static Seat> = const { Cell::new(NOWHERE) };
    }

    #[inline(always)]
    pub(super) fn mine() -> &'static Seat {
        SEAT.get()
    }

    /// The seat of an owner that is a thread.
    #[inline]
    pub(super) fn of(owner: u32) -> Option<&'static Seat> {
        SEATS.get((owner as usize).wrapping_sub(FIRST_OWNER as usize))
    }

    /// Gives the calling thread, whose owner id this is, its seat, if threads run in parallel and the system sends barriers. The first call
    /// is quickest while the process has one thread. Returns the seat that it has now.
    pub(crate) fn take(owner: u32) -> &'static Seat {
        if parallel()
            && let Some(seat) = of(owner)
            && *BARRIERS.get_or_init(os_linux::register_membarrier)
        {
            seat.take(owner);
            SEAT.set(seat);
        }
        mine()
    }

    /// Takes it away: nobody else writes its announcements, so that the next thread with the id may have it.
    pub(crate) fn leave() {
        SEAT.replace(NOWHERE).leave();
    }

    /// In the child of a fork: the other threads are gone, and were inside of nothing.
    pub(crate) fn after_fork_child() {
        for seat in &SEATS {
            if !std::ptr::eq(seat, mine()) {
                seat.leave();
            }
        }
    }
}
#[cfg(not(loom))]
pub(crate) use seats::{NOWHERE, after_fork_child, leave, take};

/// How a thread is inside of an object; known at the unlock without a look at anything.
#[cfg(not(loom))]
#[derive(Clone, Copy)]
enum Inside {
    /// No other thread runs.
    Alone,
    /// Announced in the first place of its seat.
    Announced,
    /// Announced in the second place, or by the byte.
    Otherwise,
}

/// Unlocks an object when dropped.
#[cfg(not(loom))]
#[must_use]
pub struct ObjectGuard<'a>(&'a Header, Inside);

#[cfg(not(loom))]
impl Drop for ObjectGuard<'_> {
    #[inline(always)]
    fn drop(&mut self) {
        match self.1 {
            Inside::Alone => {}
            Inside::Announced => {
                held::leave();
                seats::mine().inside[0].store(0, Ordering::Release);
            }
            Inside::Otherwise => seats::mine().unlock_slow(self.0),
        }
    }
}

/// Locks an object until the guard is dropped.
#[cfg(not(loom))]
#[inline(always)]
pub fn lock_object(header: &Header) -> ObjectGuard<'_> {
    if !parallel() {
        return ObjectGuard(header, Inside::Alone);
    }
    let seat = seats::mine();
    if seat.enter_at(0, header) {
        held::enter();
        return ObjectGuard(header, Inside::Announced);
    }
    seat.lock_slow(header, seats::of);
    ObjectGuard(header, Inside::Otherwise)
}

/// The calling thread is inside of an object of its own, until this is dropped.
#[cfg(not(loom))]
#[must_use]
pub struct OwnGuard(Option<&'static Seat>);

#[cfg(not(loom))]
impl OwnGuard {
    /// For a thread that runs alone.
    #[inline(always)]
    pub fn alone() -> OwnGuard {
        OwnGuard(None)
    }
}

#[cfg(not(loom))]
impl Drop for OwnGuard {
    #[inline(always)]
    fn drop(&mut self) {
        if let Some(seat) = self.0 {
            held::leave();
            seat.inside[0].store(0, Ordering::Release);
        }
    }
}

/// Locks an object that no other thread has wanted yet, if that takes no call. Others may read what is read without the lock. The seat is the
/// calling thread's.
#[cfg(not(loom))]
#[inline(always)]
pub fn lock_own(seat: &'static Seat, header: &Header) -> Option<OwnGuard> {
    if !parallel() {
        return Some(OwnGuard(None));
    }
    if !seat.enter_at(0, header) {
        return None;
    }
    held::enter();
    Some(OwnGuard(Some(seat)))
}

/// As [`lock_own`], of an object that no other thread reads without the lock either: as long as the guard lives, this one has it alone.
#[cfg(not(loom))]
#[inline(always)]
pub fn lock_unread(seat: &'static Seat, header: &Header) -> Option<OwnGuard> {
    lock_own(seat, header).filter(|_| !parallel() || !header.flag(FLAG_RACED))
}

/// Whether the object may be read without its lock, what is replaced in it being kept for such readers: not while one thread, this or
/// another, has it to itself.
#[cfg(not(loom))]
#[inline(always)]
pub fn is_raced(header: &Header) -> bool {
    header.flag_acquire(FLAG_RACED) || seats::of(header.owner_acquire()).is_none()
}

/// From now on threads may read the object without its lock. The object is locked.
#[cfg(not(loom))]
#[inline]
pub fn set_raced(header: &Header) {
    if !header.flag(FLAG_RACED) {
        header.set_flag(FLAG_RACED);
    }
}

/// Whether nobody can be reading the object, which the calling thread has locked, without the lock.
#[cfg(not(loom))]
#[inline]
pub fn is_read_by_none(header: &Header) -> bool {
    !header.flag(FLAG_RACED) && seats::mine().names(header)
}

/// Unlocks two objects when dropped.
#[cfg(not(loom))]
#[must_use]
pub struct ObjectPairGuard<'a>(&'a Header, &'a Header);

#[cfg(not(loom))]
impl Drop for ObjectPairGuard<'_> {
    fn drop(&mut self) {
        if parallel() {
            seats::mine().unlock_both(self.0, self.1);
        }
    }
}

/// Locks two objects; `a` and `b` may be the same.
#[cfg(not(loom))]
pub fn lock_objects<'a>(a: &'a Header, b: &'a Header) -> ObjectPairGuard<'a> {
    if parallel() {
        seats::mine().lock_both(a, b, seats::of);
    }
    ObjectPairGuard(a, b)
}
