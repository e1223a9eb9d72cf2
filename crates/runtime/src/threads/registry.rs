//! The list of all thread states, the owner ids, and the one lock that protects both and every stop.
//!
//! Invariant: a state is alive while it is listed, and listed states are only looked at under the lock or while the
//! world is stopped. The lock is held for short native stretches; nothing under it blocks, attaches or detaches.
//!
//! Owner ids (free mode) are small and dense. The id of a thread that is gone is free for a new one, which then
//! inherits what the id still owns: both the hand-over and a merge for a dead owner happen under the lock, so the two
//! never overlap. In GIL mode every thread is owner 1.

use super::state::{ATTACHED, DETACHED, SUSPENDED, ThreadState, hang_forever, poll};
use super::{gil, serial};
use crate::sync::atomic::{AtomicPtr, AtomicU32, AtomicU64, Ordering};
use crate::sync::mutex::held;
use crate::sync::raw_mutex::RawMutex;
use crate::sync::{free_threaded, futex, os_linux};
use std::cell::UnsafeCell;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// The owner id of every thread in GIL mode.
pub const GIL_OWNER: u32 = 1;
/// The first owner id of free mode.
pub(crate) const FIRST_OWNER: u32 = 2;

struct Registry {
    threads: Vec<*const ThreadState>,
    /// Index is owner id - FIRST_OWNER; null for an owner that is gone.
    owners: Vec<*const ThreadState>,
    /// The smallest is taken first: not all have a seat (`sync::biased`).
    free_owners: BinaryHeap<Reverse<u32>>,
}

struct Locked {
    raw: RawMutex,
    /// Protected by `raw`.
    data: UnsafeCell<Registry>,
}

// SAFETY: `data` is only touched under `raw`; the pointers are to states that are Sync.
unsafe impl Sync for Locked {}

static REGISTRY: Locked = Locked {
    raw: RawMutex::new(),
    data: UnsafeCell::new(Registry {
        threads: Vec::new(),
        owners: Vec::new(),
        free_owners: BinaryHeap::new(),
    }),
};

/// Serial number of the thread that stops the world, 0 if none; written under the lock.
static STOPPER: AtomicU64 = AtomicU64::new(0);
/// 1 while a stop is under way; a futex for those who wait for its end. Written under the lock.
static STOP_ACTIVE: AtomicU32 = AtomicU32::new(0);
/// How many attached threads the stopper still waits for; its futex. Written under the lock.
static PENDING: AtomicU32 = AtomicU32::new(0);
/// The thread that finalizes the interpreter, null before. Written once, with the world stopped.
static FINALIZER: AtomicPtr<ThreadState> = AtomicPtr::new(std::ptr::null_mut());

fn with<R>(f: impl FnOnce(&mut Registry) -> R) -> R {
    struct Unlock;
    impl Drop for Unlock {
        fn drop(&mut self) {
            held::leave();
            REGISTRY.raw.unlock();
        }
    }
    REGISTRY.raw.lock();
    held::enter();
    let _unlock = Unlock;
    // SAFETY: the lock is held, and `f` has no way to come back here without deadlock.
    f(unsafe { &mut *REGISTRY.data.get() })
}

fn listed<'a>(ptr: *const ThreadState) -> &'a ThreadState {
    // SAFETY: callers pass pointers from the list, under the lock; listed states are alive.
    unsafe { &*ptr }
}

/// Adds a state, when no stop is under way; returns its owner id.
pub(crate) fn insert(state: &ThreadState) -> u32 {
    loop {
        let owner = with(|r| {
            if STOP_ACTIVE.load(Ordering::Relaxed) != 0 {
                return None;
            }
            if is_finalizing() && free_threaded() {
                state.status.store(SUSPENDED, Ordering::Relaxed);
            }
            r.threads.push(state);
            if r.threads.len() > 1 {
                super::spawn::end_alone();
            }
            if !free_threaded() {
                return Some(GIL_OWNER);
            }
            if let Some(Reverse(owner)) = r.free_owners.pop() {
                r.owners[(owner - FIRST_OWNER) as usize] = state;
                return Some(owner);
            }
            r.owners.push(state);
            Some(FIRST_OWNER + (r.owners.len() - 1) as u32)
        });
        match owner {
            Some(owner) => return owner,
            None => wait_for_end_of_stop(),
        }
    }
}

/// Takes a state off the list, when no stop is under way; releases the GIL if held.
pub(crate) fn remove(state: &ThreadState) {
    loop {
        let done = with(|r| {
            let other_stops = STOP_ACTIVE.load(Ordering::Relaxed) != 0 && STOPPER.load(Ordering::Relaxed) != serial();
            if other_stops || state.poll_bits() & poll::STOP != 0 {
                return false;
            }
            r.threads.retain(|t| !std::ptr::eq(*t, state));
            let owner = state.owner();
            if owner >= FIRST_OWNER {
                r.owners[(owner - FIRST_OWNER) as usize] = std::ptr::null();
                r.free_owners.push(Reverse(owner));
            }
            true
        });
        if done {
            break;
        }
        if state.is_attached() {
            stop_at_safepoint(state);
        } else {
            wait_for_end_of_stop();
        }
    }
    if state.is_attached() {
        state.status.store(DETACHED, Ordering::Release);
        if !free_threaded() {
            gil::release(state);
        }
    }
}

/// Runs `f` on every registered thread, under the registry's lock: `f` must be short and must not block.
pub fn for_each_thread(mut f: impl FnMut(&ThreadState)) {
    with(|r| r.threads.iter().for_each(|t| f(listed(*t))));
}

/// As [`for_each_thread`], the newest first.
pub fn for_each_thread_from_newest(mut f: impl FnMut(&ThreadState)) {
    with(|r| r.threads.iter().rev().for_each(|t| f(listed(*t))));
}

/// As [`for_each_thread_from_newest`], unless the list is in use: for a signal handler, which may have interrupted its user.
pub fn try_for_each_thread(mut f: impl FnMut(&ThreadState)) -> bool {
    if !REGISTRY.raw.try_lock() {
        return false;
    }
    // SAFETY: the lock is held.
    unsafe { &*REGISTRY.data.get() }
        .threads
        .iter()
        .rev()
        .for_each(|t| f(listed(*t)));
    REGISTRY.raw.unlock();
    true
}

/// Runs `f` on the thread that Python knows as `ident`.
pub fn with_thread<R>(ident: u64, f: impl FnOnce(&ThreadState) -> R) -> Option<R> {
    with(|r| r.threads.iter().map(|t| listed(*t)).find(|t| t.ident() == ident).map(f))
}

/// Runs `f` on the thread with a serial number.
pub fn with_serial<R>(serial: u64, f: impl FnOnce(&ThreadState) -> R) -> Option<R> {
    with(|r| {
        r.threads
            .iter()
            .map(|t| listed(*t))
            .find(|t| t.serial() == serial)
            .map(f)
    })
}

/// How many threads are registered.
pub fn thread_count() -> usize {
    with(|r| r.threads.len())
}

/// Acts for the owner of reference counts if it cannot act itself: `f` runs, and true is returned, if the owner is gone,
/// is detached (and kept so for the while) or is the caller. An attached owner is asked to MERGE at its next
/// safepoint, and false is returned. `f` runs under the registry's lock: it may merge counts, not free or call anything.
pub fn act_for_owner(owner: u32, f: impl FnOnce()) -> bool {
    if !free_threaded() || owner == super::owner_id() {
        f();
        return true;
    }
    with(|r| {
        let index = owner.wrapping_sub(FIRST_OWNER) as usize;
        let state = match r.owners.get(index) {
            Some(ptr) if !ptr.is_null() => listed(*ptr),
            _ => {
                f();
                return true;
            }
        };
        let suspend = || {
            state
                .status
                .compare_exchange(DETACHED, SUSPENDED, Ordering::SeqCst, Ordering::SeqCst)
        };
        // As in `begin_stop`: MERGE is set and then the status looked at; the owner sets the status, then looks at MERGE.
        let mut result = suspend();
        if result == Err(ATTACHED) {
            state.set_poll(poll::MERGE);
            result = suspend();
        }
        match result {
            Ok(_) => {
                f();
                state.end_suspension();
                true
            }
            // Stopped by us (nobody else runs during a stop), or hung for good.
            Err(SUSPENDED) => {
                f();
                true
            }
            Err(_) => false,
        }
    })
}

/// Whether the interpreter is being taken down.
#[inline]
pub fn is_finalizing() -> bool {
    !FINALIZER.load(Ordering::Acquire).is_null()
}

/// Whether `state` belongs to a thread that may not go on since the interpreter finalizes.
#[inline]
pub(crate) fn must_hang(state: &ThreadState) -> bool {
    let finalizer = FINALIZER.load(Ordering::Relaxed);
    !finalizer.is_null() && !std::ptr::eq(finalizer, state)
}

/// From here on the calling thread alone runs Python: every other one hangs when it tries to attach, for good.
/// Called attached, by one thread, once.
pub fn begin_finalization() {
    let Some(state) = ThreadState::current() else {
        return;
    };
    begin_stop();
    with(|r| {
        FINALIZER.store(std::ptr::from_ref(state).cast_mut(), Ordering::Release);
        for t in r
            .threads
            .iter()
            .map(|t| listed(*t))
            .filter(|t| !std::ptr::eq(*t, state))
        {
            // In GIL mode a thread may wait for the GIL at a safepoint, and must look again when it comes back.
            t.set_poll(poll::EXIT);
        }
    });
    end_stop();
}

/// Whether the calling thread has stopped the world.
pub(crate) fn stopped_by_me() -> bool {
    STOPPER.load(Ordering::Relaxed) == serial()
}

fn wait_for_end_of_stop() {
    while STOP_ACTIVE.load(Ordering::Acquire) != 0 {
        futex::wait(&STOP_ACTIVE, 1, None);
    }
}

/// Stops every other thread; waits first for a stop under way by another, stopped itself.
pub(crate) fn begin_stop() {
    let me = ThreadState::current();
    let me_ptr = me.map_or(std::ptr::null(), std::ptr::from_ref);
    loop {
        let won = with(|r| {
            if STOPPER.load(Ordering::Relaxed) != 0 {
                return false;
            }
            STOPPER.store(serial(), Ordering::Relaxed);
            STOP_ACTIVE.store(1, Ordering::Release);
            if !free_threaded() {
                // The caller holds the GIL: nobody else is attached.
                return true;
            }
            let mut pending = 0;
            for t in r
                .threads
                .iter()
                .filter(|t| !std::ptr::eq(**t, me_ptr))
                .map(|t| listed(*t))
            {
                let suspend = || {
                    t.status
                        .compare_exchange(DETACHED, SUSPENDED, Ordering::SeqCst, Ordering::SeqCst)
                };
                if suspend() != Err(ATTACHED) {
                    continue;
                }
                t.set_poll(poll::STOP);
                if suspend() == Err(ATTACHED) {
                    pending += 1;
                } else {
                    t.clear_poll(poll::STOP);
                }
            }
            PENDING.store(pending, Ordering::Release);
            true
        });
        if won {
            break;
        }
        match me {
            Some(t) if t.is_attached() => {
                // Not `detached`, which may run finalizers: the stop may have been asked for in the middle of something.
                t.detach();
                wait_for_end_of_stop();
                t.attach();
            }
            _ => wait_for_end_of_stop(),
        }
    }
    loop {
        match PENDING.load(Ordering::Acquire) {
            0 => break,
            pending => {
                futex::wait(&PENDING, pending, None);
            }
        }
    }
}

/// Lets the stopped threads go on; those hung by finalization stay.
pub(crate) fn end_stop() {
    with(|r| {
        if free_threaded() && !is_finalizing() {
            for t in r.threads.iter().map(|t| listed(*t)) {
                t.end_suspension();
            }
        }
        STOPPER.store(0, Ordering::Relaxed);
        STOP_ACTIVE.store(0, Ordering::Release);
    });
    futex::wake_all(&STOP_ACTIVE);
}

/// Under the lock: the stopper need not wait for `state` any more.
fn arrived(state: &ThreadState) {
    state.clear_poll(poll::STOP);
    if PENDING.fetch_sub(1, Ordering::AcqRel) == 1 {
        futex::wake_all(&PENDING);
    }
}

/// An attached thread that saw its STOP bit: suspended until the stop is over, then attached again.
pub(crate) fn stop_at_safepoint(state: &ThreadState) {
    let saved = os_linux::errno();
    let stopped = with(|_| {
        let stopped = state.poll_bits() & poll::STOP != 0;
        if stopped {
            state.status.store(SUSPENDED, Ordering::Release);
            arrived(state);
        }
        stopped
    });
    if stopped {
        state.attach();
    }
    os_linux::set_errno(saved);
}

/// A thread that saw its STOP bit just after it detached.
#[cold]
pub(crate) fn stopped_by_detaching(state: &ThreadState) {
    let saved = os_linux::errno();
    with(|_| {
        if state.poll_bits() & poll::STOP != 0 {
            state.status.store(SUSPENDED, Ordering::Release);
            arrived(state);
        }
    });
    os_linux::set_errno(saved);
}

/// A free-mode thread that is attached while another finalizes (it registered late): gone for good.
pub(crate) fn hang_free(state: &ThreadState) -> ! {
    with(|_| {
        state.status.store(SUSPENDED, Ordering::Release);
        if state.poll_bits() & poll::STOP != 0 {
            arrived(state);
        }
    });
    hang_forever()
}

/// Stops the world and holds the list still, so that the child of a fork finds it whole.
pub(crate) fn before_fork() {
    begin_stop();
    REGISTRY.raw.lock();
}

pub(crate) fn after_fork_parent() {
    REGISTRY.raw.unlock();
    end_stop();
}

/// In the child: the calling thread is the only one. `on_dead` sees each of the others' states, which nobody will
/// ever run again.
pub(crate) fn after_fork_child(mut on_dead: impl FnMut(&ThreadState)) {
    REGISTRY.raw.reset_after_fork();
    STOPPER.store(0, Ordering::Relaxed);
    STOP_ACTIVE.store(0, Ordering::Relaxed);
    PENDING.store(0, Ordering::Relaxed);
    let me = ThreadState::current().map_or(std::ptr::null(), std::ptr::from_ref);
    let dead = with(|r| {
        let dead: Vec<_> = r.threads.iter().copied().filter(|t| !std::ptr::eq(*t, me)).collect();
        r.threads.retain(|t| std::ptr::eq(*t, me));
        for t in &dead {
            let owner = listed(*t).owner();
            if owner >= FIRST_OWNER {
                r.owners[(owner - FIRST_OWNER) as usize] = std::ptr::null();
                r.free_owners.push(Reverse(owner));
            }
        }
        dead
    });
    for t in dead {
        on_dead(listed(t));
    }
}
