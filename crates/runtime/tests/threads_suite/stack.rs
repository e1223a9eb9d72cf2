//! Native stack bounds.

use super::{alone, as_python_thread, start_native};
use lisle_runtime::threads::{stack_limit, stack_remaining_ok};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Recurses until the check says stop; returns the address it came down to.
#[inline(never)]
fn lowest(depth: usize) -> usize {
    let room = std::hint::black_box([depth; 256]);
    if !stack_remaining_ok(16 << 10) {
        return room.as_ptr() as usize;
    }
    lowest(depth + 1).min(room.as_ptr() as usize)
}

#[test]
fn recursion_stops_before_the_end() {
    let _alone = alone();
    as_python_thread(false, |t| {
        assert!(stack_limit() < std::ptr::from_ref(&t) as usize);
        assert!(lowest(0) > stack_limit());
        for size in [1, 64 << 10, 1 << 20, 64 << 20] {
            let used = Arc::new(AtomicUsize::new(0));
            let theirs = used.clone();
            let done = start_native(size, move |_| {
                let top = 0u8;
                theirs.store(&raw const top as usize - lowest(0), Ordering::Relaxed);
            });
            done.join(0, None, false);
            let used = used.load(Ordering::Relaxed);
            assert!(used + (32 << 10) > size, "{size} bytes asked for, {used} used");
        }
    });
}
