//! Starting native threads with a chosen stack.
//!
//! Invariant: a thread started here is detached in the sense of pthreads; who wants to join waits for an event that the
//! thread sets (`locks::HandleDone`). Left out: registering a state, which the closure does.

use super::stack;
use super::state::ThreadState;
use crate::sync::{biased, os_linux};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// The stack of a thread that asks for no size: address space, not memory.
pub const DEFAULT_STACK: usize = 8 << 20;
/// The least that is given, whatever is asked for.
const MIN_STACK: usize = 512 << 10;

/// What a stack holds besides the frames: the guard page, and the thread-local variables of the system's libraries and ours.
const STACK_OVERHEAD: usize = 64 << 10;

/// What a thread runs, and the size of its stack.
struct Main {
    run: Box<dyn FnOnce() + Send>,
    size: usize,
}

/// Runs `f` on a new thread with at least `stack_size` usable bytes of stack (0: the default); returns its ident.
pub fn spawn(stack_size: usize, f: impl FnOnce() + Send + 'static) -> io::Result<u64> {
    let wanted = if stack_size == 0 { DEFAULT_STACK } else { stack_size };
    // Whole pages; the red zone comes on top of what was asked for.
    let size = wanted
        .checked_add(stack::RED_ZONE + STACK_OVERHEAD + 0xffff)
        .map(|s| (s & !0xffff).max(MIN_STACK))
        .ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
    end_alone();
    let run = Box::new(f);
    let arg = Box::into_raw(Box::new(Main { run, size }));
    let result = os_linux::create_thread(size, thread_main, arg.cast());
    if result.is_err() {
        // SAFETY: no thread was started, so the box is still ours.
        drop(unsafe { Box::from_raw(arg) });
    }
    result
}

/// From now on objects are locked, and their memory is kept for readers that race.
pub(super) fn end_alone() {
    if crate::sync::mode::end_alone() {
        crate::memory::distribute_all();
        crate::memory::alloc::set_immediate_reclaim(false);
        biased::take(super::owner_id());
    }
}

extern "C" fn thread_main(arg: *mut libc::c_void) -> *mut libc::c_void {
    // SAFETY: `arg` is the box `spawn` leaked for this thread.
    let main = unsafe { Box::from_raw(arg.cast::<Main>()) };
    stack::begin(main.size - STACK_OVERHEAD);
    // A panic is a bug of the runtime and was reported by the panic hook; it must not unwind into C.
    let result = catch_unwind(AssertUnwindSafe(main.run));
    if result.is_err() && ThreadState::current().is_some() {
        // The closure went without unregistering: its state may be gone, and it may hold the GIL.
        std::process::abort();
    }
    std::ptr::null_mut()
}
