//! Mutable data of an object, guarded by the object's lock byte.
//!
//! Invariant: the data is only reached through [`Locked::with`], which holds the lock (or, under the GIL, the GIL); the closure runs no
//! Python code, drops no values and does not block, so it cannot be entered twice by one thread.

use std::cell::UnsafeCell;

use super::{ObjectLock, lock_object, os_linux, spin_hint};
use crate::memory::header::Header;
use crate::memory::trace::{Trace, Visitor};
use crate::object::Value;

/// See the module.
pub struct Locked<T>(UnsafeCell<T>);

// SAFETY: access is serialised by the object's lock, or by the GIL.
unsafe impl<T: Send> Sync for Locked<T> {}

impl<T> Locked<T> {
    pub const fn new(data: T) -> Locked<T> {
        Locked(UnsafeCell::new(data))
    }

    /// Calls `f` with the data. `header` is that of the object the data is a field of.
    #[inline(always)]
    pub fn with<R>(&self, header: &Header, f: impl FnOnce(&mut T) -> R) -> R {
        let _guard = lock_object(header);
        // SAFETY: the lock is held, and by the contract on `f` this thread is not inside already.
        f(unsafe { &mut *self.0.get() })
    }

    /// The data, while the caller holds the object's lock by other means (two objects locked at once).
    ///
    /// # Safety
    /// The lock of the object is held, and no other reference to the data is live.
    #[expect(clippy::mut_from_ref, reason = "the lock makes it unique")]
    pub unsafe fn assume_locked(&self) -> &mut T {
        // SAFETY: by contract.
        unsafe { &mut *self.0.get() }
    }

    pub fn get_mut(&mut self) -> &mut T {
        self.0.get_mut()
    }

    pub fn into_inner(self) -> T {
        self.0.into_inner()
    }
}

impl<T: Trace> Trace for Locked<T> {
    fn traverse(&self, visit: &mut Visitor<'_>) {
        // SAFETY: traversal happens with the world stopped, and no lock is held at a safepoint.
        unsafe { &*self.0.get() }.traverse(visit);
    }

    fn clear(&self, out: &mut Vec<Value>) {
        // SAFETY: as above.
        unsafe { &mut *self.0.get() }.clear_mut(out);
    }
}

/// Data with a lock of its own, for an object whose parts several threads use at once. As for [`Locked`], but that the lock may be taken inside of
/// the object's: not the other way round.
pub struct OwnLocked<T> {
    lock: ObjectLock,
    data: UnsafeCell<T>,
}

// SAFETY: access is serialised by the lock, or by the GIL.
unsafe impl<T: Send> Sync for OwnLocked<T> {}

impl<T> OwnLocked<T> {
    pub const fn new(data: T) -> OwnLocked<T> {
        OwnLocked {
            lock: ObjectLock::new(),
            data: UnsafeCell::new(data),
        }
    }

    /// Calls `f` with the data. The caller holds no lock.
    #[inline(always)]
    pub fn with<R>(&self, f: impl FnOnce(&mut T) -> R) -> R {
        let _guard = self.lock.guard();
        // SAFETY: the lock is held, and by the contract on `f` this thread is not inside already.
        f(unsafe { &mut *self.data.get() })
    }

    /// [`OwnLocked::with`] for a caller that holds the object's lock, and so must not park: who has this lock goes on without it.
    #[inline]
    pub fn with_inside<R>(&self, f: impl FnOnce(&mut T) -> R) -> R {
        let mut looks = 0u32;
        while !self.lock.try_lock() {
            looks += 1;
            if looks.is_multiple_of(128) {
                os_linux::sched_yield();
            } else {
                spin_hint();
            }
        }
        // SAFETY: as above.
        let result = f(unsafe { &mut *self.data.get() });
        self.lock.unlock();
        result
    }
}

impl<T: Trace> Trace for OwnLocked<T> {
    fn traverse(&self, visit: &mut Visitor<'_>) {
        // SAFETY: traversal happens with the world stopped, and no lock is held at a safepoint.
        unsafe { &*self.data.get() }.traverse(visit);
    }

    fn clear(&self, out: &mut Vec<Value>) {
        // SAFETY: as above.
        unsafe { &mut *self.data.get() }.clear_mut(out);
    }
}
