//! Memory: object headers, reference counts, allocation, traversal, delayed freeing.
//!
//! Invariant: memory that a racing reader may still look at (attribute blocks, dict tables) is given to [`retire`] and
//! freed when the world is stopped; under the GIL no reader can be inside, and it is freed at once.

pub mod alloc;
pub mod collector;
pub(crate) mod distributed;
pub(crate) use distributed::distribute_all;
pub mod header;
pub(crate) mod leases;
pub(crate) mod merge;
pub mod reserve;
pub mod roll;
pub mod room;
mod search;
pub mod trace;
pub mod watch;

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use crate::sync::{Mutex, mode::parallel};

type Retired = Box<dyn FnOnce() + Send>;

static RETIRED: Mutex<Vec<Retired>> = Mutex::new(Vec::new());

/// Bytes of what was retired, as far as they were said.
static RETIRED_BYTES: AtomicUsize = AtomicUsize::new(0);

/// As many retired blocks ask for a stop of the world.
const RETIRED_LIMIT: usize = 4096;
/// And so do as many bytes.
const RETIRED_BYTES_LIMIT: usize = 64 << 20;

struct SendAnyway<F>(F);
// SAFETY: retired closures free raw memory that nothing else refers to; it may be freed by any thread.
unsafe impl<F> Send for SendAnyway<F> {}

impl<F: FnOnce()> SendAnyway<F> {
    fn call(self) {
        (self.0)();
    }
}

/// Runs `free` when no thread can be reading the memory it frees. It must not drop values.
#[inline]
pub fn retire(free: impl FnOnce() + 'static) {
    retire_sized(0, free);
}

/// As [`retire`], for so many bytes.
#[inline]
pub fn retire_sized(bytes: usize, free: impl FnOnce() + 'static) {
    if !parallel() {
        return free();
    }
    retire_later(bytes, free);
}

#[cold]
fn retire_later(bytes: usize, free: impl FnOnce() + 'static) {
    let boxed = SendAnyway(free);
    let mut retired = RETIRED.lock();
    retired.push(Box::new(move || boxed.call()));
    let bytes = RETIRED_BYTES.fetch_add(bytes, Relaxed) + bytes;
    if (retired.len() >= RETIRED_LIMIT || bytes >= RETIRED_BYTES_LIMIT)
        && let Some(state) = crate::threads::ThreadState::current()
    {
        state.set_poll(crate::threads::poll::GC);
    }
}

/// Whether enough was retired to make a stop of the world worth it.
pub fn reclaim_wanted() -> bool {
    RETIRED.lock().len() >= RETIRED_LIMIT || RETIRED_BYTES.load(Relaxed) >= RETIRED_BYTES_LIMIT || alloc::reclaim_due()
}

/// Frees what was retired.
///
/// # Safety
/// The world is stopped.
pub(crate) unsafe fn reclaim_stopped() {
    let batch = std::mem::take(&mut *RETIRED.lock());
    RETIRED_BYTES.store(0, Relaxed);
    for free in batch {
        free();
    }
    // SAFETY: passed on.
    unsafe { alloc::reclaim_quiescent() }
}
