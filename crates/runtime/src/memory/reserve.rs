//! Address space kept back for the moment when the system gives no more memory.
//!
//! Small objects and the runtime's tables are made by code that has no way to fail. When the system refuses them memory, a part of the
//! reserve is given back to it, the request is repeated, and the thread is asked to raise `MemoryError` at its next safepoint:
//! what unwinds from there frees memory, and the reserve is taken again.
//! Invariant: a part is given back by the one thread that takes its address out of the table.
//! Left out: requests above [`LARGEST`], which those who ask can do without; a system that kills processes instead of refusing.

use std::ptr::{self, NonNull};

use crate::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};
use crate::sync::atomic::{AtomicBool, AtomicPtr, AtomicUsize};
use crate::threads::{ThreadState, poll};

/// The largest request that the reserve is for, in bytes.
pub const LARGEST: usize = 16 << 20;

const PARTS: usize = 4;
/// Room for a segment of the allocators, which are aligned to their size.
const PART: usize = 40 << 20;

static RESERVE: [AtomicPtr<u8>; PARTS] = [const { AtomicPtr::new(ptr::null_mut()) }; PARTS];
/// Whether a part was given back since the reserve was whole.
static SPENT: AtomicBool = AtomicBool::new(false);
/// Bytes of a part; 0 before [`init`].
static SIZE: AtomicUsize = AtomicUsize::new(0);

/// Takes the reserve: at most a fifth of the address space that the process may have.
pub fn init() {
    let mut limit = libc::rlimit {
        rlim_cur: libc::RLIM_INFINITY,
        rlim_max: libc::RLIM_INFINITY,
    };
    // SAFETY: fills a struct of ours.
    unsafe { libc::getrlimit(libc::RLIMIT_AS, &mut limit) };
    let most = usize::try_from(limit.rlim_cur).unwrap_or(usize::MAX) / 5 / PARTS;
    SIZE.store(PART.min(most) & !0xffff, Release);
    refill();
}

/// Takes again what was given back. Whether the reserve is whole.
pub fn refill() -> bool {
    let size = SIZE.load(Acquire);
    let whole = size == 0 || RESERVE.iter().all(|part| take(part, size));
    if whole {
        SPENT.store(false, Relaxed);
    }
    whole
}

fn take(part: &AtomicPtr<u8>, size: usize) -> bool {
    if !part.load(Relaxed).is_null() {
        return true;
    }
    // SAFETY: an anonymous private mapping at an address of the kernel's choice.
    let start = unsafe {
        libc::mmap(
            ptr::null_mut(),
            size,
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
            -1,
            0,
        )
    };
    if start == libc::MAP_FAILED {
        return false;
    }
    if part
        .compare_exchange(ptr::null_mut(), start.cast(), AcqRel, Relaxed)
        .is_err()
    {
        // SAFETY: mapped just above and known to nobody else.
        unsafe { libc::munmap(start, size) };
    }
    true
}

/// Gives a part of the reserve to the system, since a request was refused, and asks the calling thread to raise `MemoryError`.
/// Whether it is worth repeating the request.
#[cold]
#[inline(never)]
pub fn release() -> bool {
    let size = SIZE.load(Acquire);
    let part = RESERVE
        .iter()
        .find_map(|part| NonNull::new(part.swap(ptr::null_mut(), AcqRel)));
    let Some(part) = part else { return false };
    SPENT.store(true, Relaxed);
    // SAFETY: the mapping of a part, which was only in the table.
    unsafe { libc::munmap(part.as_ptr().cast(), size) };
    if let Some(thread) = ThreadState::current() {
        thread.set_poll(poll::MEMORY | poll::REFILL);
    }
    true
}

/// Repeats `request` while the reserve can help it. Who is served from what another thread left of the reserve raises `MemoryError` too:
/// the reserve is for unwinding.
#[inline]
pub(crate) fn helped<T>(mut request: impl FnMut() -> Option<T>) -> Option<T> {
    loop {
        if let Some(made) = request() {
            if SPENT.load(Relaxed)
                && !refill()
                && let Some(thread) = ThreadState::current()
            {
                thread.set_poll(poll::MEMORY | poll::REFILL);
            }
            return Some(made);
        }
        if !release() {
            return request();
        }
    }
}
