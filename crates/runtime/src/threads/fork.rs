//! Fork: the three steps around the system call.
//!
//! Invariant: the child has one thread, attached, that is now the main one, with empty queues and free internal locks.
//! Left out: `os.register_at_fork` and the import lock, which `posix` sees to, and whatever tables other modules guard with
//! their own `sync::Mutex` while detached.

use super::state::ThreadState;
use super::{gil, parking, registry, signals};

/// Called attached, before `fork()`.
pub fn before_fork() {
    registry::before_fork();
}

/// Called in the parent, also when the fork failed.
pub fn after_fork_parent() {
    registry::after_fork_parent();
}

/// Called in the child, first. `on_dead` sees the states of the threads that do not exist any more.
pub fn after_fork_child(on_dead: impl FnMut(&ThreadState)) {
    // SAFETY: only this thread is left, and the world was stopped, so that nobody was in the allocator.
    unsafe { crate::memory::alloc::after_fork_child() };
    crate::memory::watch::after_fork_child();
    parking::after_fork_child();
    if let Some(me) = ThreadState::current() {
        gil::after_fork_child(me);
        me.refresh_native_id();
        me.make_main();
    }
    registry::after_fork_child(on_dead);
    crate::sync::biased::after_fork_child();
    crate::memory::leases::after_fork_child();
    signals::clear_pending();
    crate::types::type_::after_fork_child();
}
