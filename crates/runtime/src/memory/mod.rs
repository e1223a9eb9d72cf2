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
pub mod room;
pub mod trace;
pub mod watch;

use crate::sync::{Mutex, mode::parallel};

type Retired = Box<dyn FnOnce() + Send>;

static RETIRED: Mutex<Vec<Retired>> = Mutex::new(Vec::new());

/// As many retired blocks ask for a stop of the world.
const RETIRED_LIMIT: usize = 4096;

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
    if !parallel() {
        return free();
    }
    retire_later(free);
}

#[cold]
fn retire_later(free: impl FnOnce() + 'static) {
    let boxed = SendAnyway(free);
    let mut retired = RETIRED.lock();
    retired.push(Box::new(move || boxed.call()));
    if retired.len() >= RETIRED_LIMIT
        && let Some(state) = crate::threads::ThreadState::current()
    {
        state.set_poll(crate::threads::poll::GC);
    }
}

/// Whether enough was retired to make a stop of the world worth it.
pub fn reclaim_wanted() -> bool {
    RETIRED.lock().len() >= RETIRED_LIMIT || alloc::reclaim_due()
}

/// Frees what was retired.
///
/// # Safety
/// The world is stopped.
pub(crate) unsafe fn reclaim_stopped() {
    let batch = std::mem::take(&mut *RETIRED.lock());
    for free in batch {
        free();
    }
    // SAFETY: passed on.
    unsafe { alloc::reclaim_quiescent() }
}
