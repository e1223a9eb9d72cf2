//! Where the allocator of buffers has small pages, so that small programs and those of many threads stay small.
//!
//! By itself mimalloc begins with a region in huge pages, of which a program that does nothing touches five: 10 MB. Its first region is
//! ours, in small pages. Regions that a program needs beyond it are mimalloc's own, with huge pages, where they pay: to a few threads. Each
//! thread has pages of its own for each size of block, and uses little of them: of huge ones, some 4 MB a thread instead of 0.3.
//! Invariant: [`FIRST`] runs before anything is allocated.

use std::ffi::{c_int, c_void};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// What mimalloc takes at least, with room to align it.
const SIZE: usize = 32 << 20;
/// What it takes when the first region is full.
const MANY_SIZE: usize = 1 << 30;
const ALIGN: usize = 1 << 16;

/// Where mimalloc asks for its regions: from 2 TiB on.
const REGIONS: usize = 2 << 40;
const REGIONS_LEN: usize = 28 << 40;

unsafe extern "C" {
    fn mi_process_init();
    fn mi_manage_os_memory(
        start: *mut c_void,
        size: usize,
        is_committed: bool,
        is_pinned: bool,
        is_zero: bool,
        numa_node: c_int,
    ) -> bool;
}

/// Run by the loader before `main`.
#[used]
#[unsafe(link_section = ".init_array")]
static FIRST: extern "C" fn() = first_region;

extern "C" fn first_region() {
    region(SIZE);
}

/// Hands a region in small pages to the allocator, for ever. Failures leave the allocator to its own ways.
fn region(size: usize) {
    // SAFETY: a new private mapping.
    unsafe {
        let start = libc::mmap(
            std::ptr::null_mut(),
            size + ALIGN,
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE,
            -1,
            0,
        );
        if start == libc::MAP_FAILED {
            return;
        }
        let lead = start.align_offset(ALIGN);
        let start = start.byte_add(lead);
        libc::madvise(start, size, libc::MADV_NOHUGEPAGE);
        mi_process_init();
        mi_manage_os_memory(start, size, true, false, true, -1);
    }
}

/// Whether there is a region for many threads.
static MANY: AtomicBool = AtomicBool::new(false);

/// From now on mimalloc uses small pages, in the regions that it has and in its next one.
pub fn use_small_pages() {
    if !MANY.swap(true, Relaxed) && address_space_is_free() {
        region(MANY_SIZE);
    }
    // SAFETY: advice about pages, given for those of the range that there are; memory keeps what it holds.
    unsafe {
        libc::madvise(
            std::ptr::without_provenance_mut(REGIONS),
            REGIONS_LEN,
            libc::MADV_NOHUGEPAGE,
        );
    }
}

/// Whether the process may have any address it likes.
fn address_space_is_free() -> bool {
    let mut limit = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: fills a struct of ours.
    unsafe { libc::getrlimit(libc::RLIMIT_AS, &mut limit) };
    limit.rlim_cur == libc::RLIM_INFINITY
}
