//! Starting native threads with a chosen stack.
//!
//! A thread that has run its function waits a moment for another ([`idle`]): making a native thread and ending it takes the system 20 to 40 µs,
//! calling one that looks for work takes 1.
//!
//! Invariant: a thread started here is detached in the sense of pthreads; who wants to join waits for an event that the
//! thread sets (`locks::HandleDone`). Left out: registering a state, which the function does.

mod idle;
mod places;

pub(super) use idle::after_fork_child;
pub use idle::{Number, end_signals, end_thread_with_function, stop_reuse};

use super::stack;
use super::state::ThreadState;
use crate::sync::os_linux;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// The stack of a thread that asks for no size: address space, not memory.
pub const DEFAULT_STACK: usize = 8 << 20;
/// The least that is given, whatever is asked for.
const MIN_STACK: usize = 512 << 10;

/// What a stack holds besides the frames: the guard page, and the thread-local variables of the system's libraries and ours.
const STACK_OVERHEAD: usize = 64 << 10;

/// What a thread runs.
struct Main {
    run: Box<dyn FnOnce() + Send>,
    number: Number,
}

/// What a new thread runs, and the size of its stack.
struct New {
    main: Main,
    size: usize,
}

/// Runs `f` on a thread of its own with at least `stack_size` usable bytes of stack (0: the default); returns its ident. The system's number for
/// the thread is not used again while `number` is held.
pub fn spawn(stack_size: usize, number: Number, f: impl FnOnce() + Send + 'static) -> io::Result<u64> {
    let wanted = if stack_size == 0 { DEFAULT_STACK } else { stack_size };
    // Whole pages; the red zone comes on top of what was asked for.
    let size = wanted
        .checked_add(stack::RED_ZONE + STACK_OVERHEAD + 0xffff)
        .map(|s| (s & !0xffff).max(MIN_STACK))
        .ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
    end_alone();
    let run = Box::new(f);
    let main = match idle::call(size, Main { run, number }) {
        Ok(ident) => return Ok(ident),
        Err(main) => main,
    };
    let arg = Box::into_raw(Box::new(New { main, size }));
    let live = LIVE.fetch_add(1, Relaxed) + 1;
    let result = os_linux::create_thread(size, thread_main, arg.cast());
    if result.is_err() {
        LIVE.fetch_sub(1, Relaxed);
        // SAFETY: no thread was started, so the box is still ours.
        drop(unsafe { Box::from_raw(arg) });
    }
    if live >= MANY
        && let Some(told) = TOLD.get()
    {
        told();
    }
    result
}

/// So many threads besides the first are many.
const MANY: usize = 3;

/// Native threads that were started here and have not ended.
static LIVE: AtomicUsize = AtomicUsize::new(0);

static TOLD: OnceLock<fn()> = OnceLock::new();

/// Calls `told` whenever one of [`MANY`] threads was started: what is good for the memory of a few may not be for that of many.
pub fn tell_of_many(told: fn()) {
    let _ = TOLD.set(told);
}

/// From now on objects are locked, and their memory is kept for readers that race.
pub(super) fn end_alone() {
    if crate::sync::mode::end_alone() {
        crate::memory::distribute_all();
        crate::memory::alloc::set_immediate_reclaim(false);
        if let Some(state) = ThreadState::current() {
            state.take_seat();
        }
    }
}

extern "C" fn thread_main(arg: *mut libc::c_void) -> *mut libc::c_void {
    // SAFETY: `arg` is the box `spawn` leaked for this thread.
    let New { main, size } = *unsafe { Box::from_raw(arg.cast::<New>()) };
    stack::begin(size - STACK_OVERHEAD);
    let mut next = Some(main);
    while let Some(Main { run, number }) = next {
        // A panic is a bug of the runtime and was reported by the panic hook; it must not unwind into C.
        if catch_unwind(AssertUnwindSafe(run)).is_err() {
            if ThreadState::current().is_some() {
                // The function went without unregistering: its state may be gone, and it may hold the GIL.
                std::process::abort();
            }
            break;
        }
        next = idle::wait(size, number);
    }
    LIVE.fetch_sub(1, Relaxed);
    std::ptr::null_mut()
}
