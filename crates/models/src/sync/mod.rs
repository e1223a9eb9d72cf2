//! Stands for the runtime's `sync`: its files, in free mode, on loom.

#[path = "../../../runtime/src/sync/atomic.rs"]
pub mod atomic;
#[path = "../../../runtime/src/sync/biased.rs"]
pub mod biased;
#[path = "../../../runtime/src/sync/futex.rs"]
pub mod futex;
#[path = "../../../runtime/src/sync/object_lock.rs"]
pub mod object_lock;
#[path = "../../../runtime/src/sync/raw_mutex.rs"]
pub mod raw_mutex;

pub mod mode {
    pub fn free_threaded() -> bool {
        true
    }

    pub fn parallel() -> bool {
        true
    }
}
pub use mode::free_threaded;
pub use object_lock::ObjectLock;

pub mod os_linux {
    pub fn sched_yield() {
        loom::thread::yield_now();
    }
}
pub use mutex::Mutex;

/// Lets the other threads of the model run.
pub fn spin_hint() {
    loom::hint::spin_loop();
}

pub mod mutex {
    use std::cell::UnsafeCell;

    loom::lazy_static! {
        /// Under every [`Mutex`]: statics of the runtime outlive a model's run, and their lock may not.
        static ref LOCK: loom::sync::Mutex<()> = loom::sync::Mutex::new(());
    }

    /// The runtime's `Mutex` for statics, whose data a model has to leave as it was.
    pub struct Mutex<T>(UnsafeCell<T>);

    // SAFETY: the data is touched under LOCK alone.
    unsafe impl<T: Send> Sync for Mutex<T> {}

    pub struct MutexGuard<'a, T> {
        data: &'a UnsafeCell<T>,
        _lock: loom::sync::MutexGuard<'static, ()>,
    }

    impl<T> Mutex<T> {
        pub const fn new(value: T) -> Self {
            Self(UnsafeCell::new(value))
        }

        pub fn lock(&self) -> MutexGuard<'_, T> {
            MutexGuard {
                _lock: LOCK.lock().unwrap(),
                data: &self.0,
            }
        }
    }

    impl<T> std::ops::Deref for MutexGuard<'_, T> {
        type Target = T;
        fn deref(&self) -> &T {
            // SAFETY: this guard holds the lock.
            unsafe { &*self.data.get() }
        }
    }

    impl<T> std::ops::DerefMut for MutexGuard<'_, T> {
        fn deref_mut(&mut self) -> &mut T {
            // SAFETY: this guard holds the lock and is itself borrowed exclusively.
            unsafe { &mut *self.data.get() }
        }
    }

    pub mod held {
        pub fn enter() {}
        pub fn leave() {}
        pub fn assert_none(_at: &str) {}
    }
}
