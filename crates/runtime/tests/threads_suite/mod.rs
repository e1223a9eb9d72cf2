//! What holds for threads in both modes; `crate::FREE` says which one this process runs in.
//!
//! Under ThreadSanitizer: `RUSTFLAGS="-Zsanitizer=thread -Cunsafe-allow-abi-mismatch=sanitizer" CARGO_TARGET_DIR=target/tsan
//! cargo +nightly test --target x86_64-unknown-linux-gnu -p lisle-runtime --test threads_gil -- --skip fork --skip stack`. Reports
//! from std's own `Arc` and channels come from its fences, which the sanitizer does not see.

mod attach;
mod fork;
mod locks;
mod objects;
mod signals;
mod stack;

use lisle_runtime::sync::init_mode;
use lisle_runtime::threads::{HandleDone, ThreadState, spawn};
use std::sync::{Arc, Mutex, MutexGuard};

/// One test at a time: they measure, fork and send signals, and the GIL is one.
static ALONE: Mutex<()> = Mutex::new(());

fn alone() -> MutexGuard<'static, ()> {
    ALONE.lock().unwrap_or_else(|e| e.into_inner())
}

/// Runs `f` on the calling thread, registered and attached.
fn as_python_thread<R>(main: bool, f: impl FnOnce(&ThreadState) -> R) -> R {
    init_mode(crate::FREE, false);
    struct Registered(Box<ThreadState>);
    impl Drop for Registered {
        fn drop(&mut self) {
            // Also when a test fails: the others go on.
            self.0.unregister();
        }
    }
    let state = Registered(Box::new(ThreadState::new()));
    // SAFETY: the box stays in place until after `unregister`.
    unsafe { state.0.register_current(main) };
    state.0.attach();
    f(&state.0)
}

/// A started thread; joined natively.
struct Started<R>(std::thread::JoinHandle<R>);

impl<R> Started<R> {
    fn join(self) -> R {
        self.0.join().expect("the thread does not panic")
    }
}

/// Starts a thread that runs `f`, registered and attached.
fn start<R: Send + 'static>(f: impl FnOnce(&ThreadState) -> R + Send + 'static) -> Started<R> {
    init_mode(crate::FREE, false);
    Started(std::thread::spawn(move || as_python_thread(false, f)))
}

/// Starts a thread of the runtime's own kind and returns the event it sets when done.
fn start_native(stack: usize, f: impl FnOnce(&ThreadState) + Send + 'static) -> Arc<HandleDone> {
    init_mode(crate::FREE, false);
    let done = Arc::new(HandleDone::new());
    let theirs = done.clone();
    spawn(stack, std::sync::Weak::new(), move || {
        as_python_thread(false, f);
        theirs.set();
    })
    .expect("a thread starts");
    done
}
