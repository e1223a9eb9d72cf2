//! `Mutex<T>`: the lock of the runtime's own tables.
//!
//! Invariant: held for a short stretch of native code, never at a safepoint, never while Python code can run, and
//! a holder never attaches or detaches. So a waiter may stay attached: whoever holds the lock releases it without
//! needing the world or the GIL. (Detaching here would make every `lock()` a point where the GIL can change hands and
//! where a stop-the-world finds outer locks held; both are what the rule against locks at safepoints excludes.)
//! Debug builds count held locks and refuse a safepoint while one is held.

use super::raw_mutex::RawMutex;
use std::cell::UnsafeCell;
use std::ops::{Deref, DerefMut};

/// Data under a futex lock. Not reentrant, no poisoning.
pub struct Mutex<T: ?Sized> {
    raw: RawMutex,
    data: UnsafeCell<T>,
}

// SAFETY: the lock gives exclusive access to `data`; T only moves between threads.
unsafe impl<T: ?Sized + Send> Send for Mutex<T> {}
// SAFETY: as above.
unsafe impl<T: ?Sized + Send> Sync for Mutex<T> {}

impl<T> Mutex<T> {
    pub const fn new(value: T) -> Self {
        Self {
            raw: RawMutex::new(),
            data: UnsafeCell::new(value),
        }
    }

    pub fn into_inner(self) -> T {
        self.data.into_inner()
    }
}

impl<T: ?Sized> Mutex<T> {
    #[inline]
    pub fn lock(&self) -> MutexGuard<'_, T> {
        self.raw.lock();
        held::enter();
        MutexGuard {
            mutex: self,
            _not_send: std::marker::PhantomData,
        }
    }

    #[inline]
    pub fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
        self.raw.try_lock().then(|| {
            held::enter();
            MutexGuard {
                mutex: self,
                _not_send: std::marker::PhantomData,
            }
        })
    }

    pub fn get_mut(&mut self) -> &mut T {
        self.data.get_mut()
    }

    /// Frees the lock whoever held it.
    ///
    /// # Safety
    /// Only in the child of a fork, before it starts a thread, and if the data is whole or is replaced.
    pub unsafe fn reset_after_fork(&self) {
        self.raw.reset_after_fork();
    }
}

impl<T: Default> Default for Mutex<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

/// Access to the data of a locked [`Mutex`].
pub struct MutexGuard<'a, T: ?Sized> {
    mutex: &'a Mutex<T>,
    _not_send: std::marker::PhantomData<*const ()>,
}

// SAFETY: a shared guard gives `&T` only.
unsafe impl<T: ?Sized + Sync> Sync for MutexGuard<'_, T> {}

impl<T: ?Sized> Deref for MutexGuard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: the guard holds the lock.
        unsafe { &*self.mutex.data.get() }
    }
}

impl<T: ?Sized> DerefMut for MutexGuard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: the guard holds the lock, and is borrowed exclusively.
        unsafe { &mut *self.mutex.data.get() }
    }
}

impl<T: ?Sized> Drop for MutexGuard<'_, T> {
    #[inline]
    fn drop(&mut self) {
        held::leave();
        self.mutex.raw.unlock();
    }
}

/// How many internal locks the calling thread holds; counted in debug builds only.
pub(crate) mod held {
    #[cfg(debug_assertions)]
    thread_local! {
        static HELD: std::cell::Cell<u32> = const { std::cell::Cell::new(0) };
    }

    #[inline(always)]
    pub(crate) fn enter() {
        #[cfg(debug_assertions)]
        HELD.with(|h| h.set(h.get() + 1));
    }

    #[inline(always)]
    pub(crate) fn leave() {
        #[cfg(debug_assertions)]
        HELD.with(|h| h.set(h.get().saturating_sub(1)));
    }

    /// The invariant of section 4 of the design: no lock is held at a safepoint.
    #[inline(always)]
    pub(crate) fn assert_none(at: &str) {
        #[cfg(debug_assertions)]
        HELD.with(|h| assert!(h.get() == 0, "a lock is held at a safepoint ({at})"));
        #[cfg(not(debug_assertions))]
        let _ = at;
    }
}
