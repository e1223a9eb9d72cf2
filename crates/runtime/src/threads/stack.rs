//! The native stack of the calling thread, and whether there is room for one more recursion.
//!
//! Invariant: below [`stack_limit`] lie at least [`RED_ZONE`] bytes for what does not ask: signal handlers, system
//! libraries, the allocator.

use crate::sync::os_linux;
use std::cell::Cell;

/// Kept free at the low end of every stack.
pub const RED_ZONE: usize = 128 << 10;

const UNKNOWN: usize = usize::MAX;

thread_local! {
    static LIMIT: Cell<usize> = const { Cell::new(UNKNOWN) };
}

/// The lowest address this thread may use.
#[inline]
pub fn stack_limit() -> usize {
    let limit = LIMIT.get();
    if limit == UNKNOWN { init() } else { limit }
}

/// Whether `reserve` bytes of native stack are left. Every native that can recurse asks this.
#[inline(always)]
pub fn stack_remaining_ok(reserve: usize) -> bool {
    let limit = LIMIT.get();
    os_linux::stack_pointer().saturating_sub(reserve) > limit || remaining_slow(reserve)
}

#[cold]
fn remaining_slow(reserve: usize) -> bool {
    LIMIT.get() == UNKNOWN && os_linux::stack_pointer().saturating_sub(reserve) > init()
}

/// Records that the calling thread, which has just begun, has `size` bytes of stack.
pub(crate) fn begin(size: usize) {
    LIMIT.set(os_linux::stack_pointer().saturating_sub(size) + RED_ZONE);
}

/// Records the bounds of the calling thread.
fn init() -> usize {
    let sp = os_linux::stack_pointer();
    let limit = match os_linux::stack_bounds() {
        Some((low, high)) if low < sp && sp <= high => low + RED_ZONE,
        // Not on the thread's own stack, or nothing known: assume little.
        _ => sp.saturating_sub(256 << 10),
    };
    LIMIT.set(limit);
    limit
}
