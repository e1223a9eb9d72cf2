//! The parking lot's queues: who waits on which key, in order of arrival.
//!
//! Invariant: a [`Waiter`] is linked in a bucket only while its thread is inside `parking::park`, and every field
//! but the word is read and written under the bucket's lock. Whoever unlinks a waiter for good also sets its word,
//! before the lock is released, so a waiter that finds itself unlinked finds its word set too.
//! Left out: sleeping, detaching, interrupts and deadlines (`parking`).

use crate::sync::atomic::{AtomicU32, Ordering};
use crate::sync::futex;
use crate::sync::raw_mutex::RawMutex;
use std::cell::{Cell, UnsafeCell};
use std::ptr;

/// States of a parked thread's futex word.
pub const IDLE: u32 = 0;
pub const WAITING: u32 = 1;
pub const UNPARKED: u32 = 2;
pub const INTERRUPTED: u32 = 3;
/// Waiting, in the kernel: only then does a change of the word need a wake-up.
pub const ASLEEP: u32 = 4;

/// One waiting thread; lives on its stack.
pub struct Waiter {
    key: usize,
    /// The thread's own futex word.
    word: *const AtomicU32,
    /// Serial number of the thread, for hand-offs.
    pub serial: u64,
    /// From this monotonic time on the waiter should be given what it waits for; 0: never.
    pub fair_after_ns: u64,
    token: Cell<usize>,
    next: Cell<*const Waiter>,
    linked: Cell<bool>,
}

impl Waiter {
    /// `word` outlives the waiter and is used by this thread's parks alone.
    pub fn new(key: usize, word: &AtomicU32, serial: u64, fair_after_ns: u64) -> Self {
        Self {
            key,
            word,
            serial,
            fair_after_ns,
            token: Cell::new(0),
            next: Cell::new(ptr::null()),
            linked: Cell::new(false),
        }
    }

    /// The unparker's token, once the word says UNPARKED.
    pub fn token(&self) -> usize {
        self.token.get()
    }
}

/// What an unpark found; given to its callback under the bucket's lock.
#[derive(Clone, Copy, Debug, Default)]
pub struct UnparkResult {
    /// Serial number of the thread that is woken, if any.
    pub unparked: Option<u64>,
    /// Others wait on the same key.
    pub have_more: bool,
    /// The woken thread has waited long enough to be handed what it waits for.
    pub be_fair: bool,
}

struct Queue {
    head: *const Waiter,
    tail: *const Waiter,
}

/// A hash bucket: a lock and a FIFO of the waiters of every key that falls into it.
#[repr(align(64))]
pub struct Bucket {
    lock: RawMutex,
    /// Protected by `lock`.
    queue: UnsafeCell<Queue>,
}

// SAFETY: `queue` is only touched under `lock`; waiters stay alive while linked.
unsafe impl Sync for Bucket {}
// SAFETY: as above.
unsafe impl Send for Bucket {}

struct Locked<'a>(&'a Bucket);

impl Drop for Locked<'_> {
    fn drop(&mut self) {
        self.0.lock.unlock();
    }
}

impl Locked<'_> {
    #[expect(
        clippy::mut_from_ref,
        reason = "the bucket lock, held by self, gives exclusive access"
    )]
    fn queue(&self) -> &mut Queue {
        // SAFETY: the lock is held; callers keep one such reference at a time.
        unsafe { &mut *self.0.queue.get() }
    }

    /// Unlinks the waiter at `this`, whose predecessor is `prev` (null for the head).
    fn unlink(&self, prev: *const Waiter, this: *const Waiter) {
        let queue = self.queue();
        // SAFETY: linked waiters are alive, and the lock is held.
        let next = unsafe {
            (*this).linked.set(false);
            (*this).next.get()
        };
        if prev.is_null() {
            queue.head = next;
        } else {
            // SAFETY: as above.
            unsafe { (*prev).next.set(next) };
        }
        if queue.tail == this {
            queue.tail = prev;
        }
    }
}

impl Bucket {
    #[cfg(not(loom))]
    pub const fn new() -> Self {
        Self {
            lock: RawMutex::new(),
            queue: UnsafeCell::new(Queue {
                head: ptr::null(),
                tail: ptr::null(),
            }),
        }
    }

    #[cfg(loom)]
    pub fn new() -> Self {
        Self {
            lock: RawMutex::new(),
            queue: UnsafeCell::new(Queue {
                head: ptr::null(),
                tail: ptr::null(),
            }),
        }
    }

    fn lock(&self) -> Locked<'_> {
        self.lock.lock();
        Locked(self)
    }

    /// Appends `waiter` if `validate`, run under the lock, agrees; its word is WAITING from then on.
    ///
    /// # Safety
    /// When this returns true, `waiter` must stay in place until its word is UNPARKED or [`Bucket::cancel`] returns true.
    pub unsafe fn enqueue(&self, waiter: &Waiter, validate: impl FnOnce() -> bool) -> bool {
        let locked = self.lock();
        if !validate() {
            return false;
        }
        // SAFETY: the word outlives the waiter.
        unsafe { (*waiter.word).store(WAITING, Ordering::SeqCst) };
        waiter.next.set(ptr::null());
        waiter.linked.set(true);
        let queue = locked.queue();
        if queue.tail.is_null() {
            queue.head = waiter;
        } else {
            // SAFETY: linked waiters are alive.
            unsafe { (*queue.tail).next.set(waiter) };
        }
        queue.tail = waiter;
        true
    }

    /// Takes a waiter that timed out or was interrupted out of the queue; false if an unparker was first.
    /// `on_cancel(have_more)` runs under the lock.
    pub fn cancel(&self, waiter: &Waiter, on_cancel: impl FnOnce(bool)) -> bool {
        let locked = self.lock();
        if !waiter.linked.get() {
            return false;
        }
        let (mut prev, mut at) = (ptr::null(), locked.queue().head);
        let mut have_more = false;
        let mut before = ptr::null();
        while !at.is_null() {
            // SAFETY: linked waiters are alive, and the lock is held.
            let entry = unsafe { &*at };
            if ptr::eq(at, waiter) {
                before = prev;
            } else if entry.key == waiter.key {
                have_more = true;
            }
            prev = at;
            at = entry.next.get();
        }
        locked.unlink(before, waiter);
        // SAFETY: the word outlives the waiter.
        unsafe { (*waiter.word).store(IDLE, Ordering::SeqCst) };
        on_cancel(have_more);
        true
    }

    /// Wakes the first waiter of `key`. `callback` runs under the lock, also when nobody waits, and gives the token.
    pub fn unpark_one(&self, key: usize, callback: impl FnOnce(UnparkResult) -> usize) -> UnparkResult {
        self.unpark(key, false, callback)
    }

    /// [`Bucket::unpark_one`] for the last waiter.
    pub fn unpark_newest(&self, key: usize, callback: impl FnOnce(UnparkResult) -> usize) -> UnparkResult {
        self.unpark(key, true, callback)
    }

    fn unpark(&self, key: usize, newest: bool, callback: impl FnOnce(UnparkResult) -> usize) -> UnparkResult {
        let locked = self.lock();
        let (mut prev, mut at) = (ptr::null(), locked.queue().head);
        if newest {
            let (mut before, mut each) = (prev, at);
            at = ptr::null();
            // SAFETY: as below.
            while let Some(entry) = unsafe { each.as_ref() } {
                if entry.key == key {
                    (prev, at) = (before, each);
                }
                (before, each) = (each, entry.next.get());
            }
        }
        // SAFETY: linked waiters are alive while the lock is held.
        while let Some(entry) = unsafe { at.as_ref() } {
            if entry.key != key {
                prev = at;
                at = entry.next.get();
                continue;
            }
            let have_more = {
                let mut rest = entry.next.get();
                // SAFETY: as above.
                loop {
                    match unsafe { rest.as_ref() } {
                        None => break false,
                        Some(other) if other.key == key => break true,
                        Some(other) => rest = other.next.get(),
                    }
                }
            };
            let fair = entry.fair_after_ns;
            let result = UnparkResult {
                unparked: Some(entry.serial),
                have_more,
                be_fair: fair != 0 && futex::monotonic_ns() >= fair,
            };
            locked.unlink(prev, at);
            entry.token.set(callback(result));
            let word = entry.word;
            // SAFETY: the word is alive until it says UNPARKED. From here on `entry` may be gone.
            let asleep = unsafe { (*word).swap(UNPARKED, Ordering::SeqCst) } == ASLEEP;
            drop(locked);
            if asleep {
                futex::wake_all(word);
            }
            return result;
        }
        let result = UnparkResult::default();
        callback(result);
        result
    }

    /// Wakes every waiter of `key` with `token`; `callback` runs under the lock, first. Returns how many.
    pub fn unpark_all(&self, key: usize, token: usize, callback: impl FnOnce()) -> usize {
        let (mut words, mut count) = (Vec::new(), 0);
        let locked = self.lock();
        callback();
        let (mut prev, mut at) = (ptr::null(), locked.queue().head);
        // SAFETY: linked waiters are alive while the lock is held.
        while let Some(entry) = unsafe { at.as_ref() } {
            let next = entry.next.get();
            if entry.key == key {
                locked.unlink(prev, at);
                entry.token.set(token);
                count += 1;
                let word = entry.word;
                // SAFETY: alive until it says UNPARKED; `entry` is not used after this.
                if unsafe { (*word).swap(UNPARKED, Ordering::SeqCst) } == ASLEEP {
                    words.push(word);
                }
            } else {
                prev = at;
            }
            at = next;
        }
        drop(locked);
        for word in &words {
            futex::wake_all(*word);
        }
        count
    }

    /// Forgets every waiter: in the child of a fork none of them exists.
    pub fn reset_after_fork(&self) {
        self.lock.reset_after_fork();
        let locked = self.lock();
        *locked.queue() = Queue {
            head: ptr::null(),
            tail: ptr::null(),
        };
    }
}

impl Default for Bucket {
    fn default() -> Self {
        Self::new()
    }
}
