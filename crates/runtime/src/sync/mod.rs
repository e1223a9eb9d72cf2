//! Synchronisation below Python: atomics, futex, the runtime's own locks and the mode of the process.
//!
//! Invariant: every atomic, lock and platform call of the runtime comes from here. Blocking that Python can see
//! goes through [`crate::threads::parking`]; only short internal waits ([`Mutex`]) sleep on a futex directly.
//! Left out: Python-level locks (`threads::locks`) and anything that knows about objects beyond their lock byte.

pub mod atomic;
pub mod biased;
pub mod futex;
pub mod locked;
pub mod mode;
pub mod mutex;
pub mod object_lock;
pub mod once;
pub(crate) mod os_linux;
pub mod raw_mutex;

pub use biased::{ObjectGuard, ObjectPairGuard, lock_object, lock_objects};
pub use locked::{Locked, OwnLocked};
pub use mode::{SwitchPoints, begin_alone, free_threaded, init_mode, parallel, swap_flag, switch_any};
pub use mutex::{Mutex, MutexGuard};
pub use object_lock::{ByteGuard, ObjectLock};
pub use once::OnceBox;
pub use raw_mutex::RawMutex;

/// Tells the core that the caller waits for another in a loop.
#[inline(always)]
pub fn spin_hint() {
    std::hint::spin_loop();
}
