//! Stopping the world.
//!
//! Invariant: while the closure runs, the caller is the only attached thread, detached threads cannot attach, and no
//! thread starts or ends. See `registry` for the protocol.

use super::registry;
use crate::sync::mutex::held;

/// Runs `f` with every other thread detached or parked at a safepoint. The caller is attached (or has no state) and
/// holds no lock; a call from within `f` just runs its closure. `f` must not detach.
pub fn stop_the_world<R>(f: impl FnOnce() -> R) -> R {
    struct Resume;
    impl Drop for Resume {
        fn drop(&mut self) {
            registry::end_stop();
        }
    }
    if registry::stopped_by_me() {
        return f();
    }
    held::assert_none("stop-the-world");
    registry::begin_stop();
    let _resume = Resume;
    f()
}

/// Whether the calling thread is inside [`stop_the_world`].
pub fn world_is_stopped_by_me() -> bool {
    registry::stopped_by_me()
}
