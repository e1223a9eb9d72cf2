//! The first memory of the allocator of buffers: a region in small pages, so that a small program stays small.
//!
//! By itself mimalloc begins with a region in huge pages, of which a program that does nothing touches five: 10 MB. Regions that a
//! program needs beyond this first one are mimalloc's own, with huge pages, where they pay.
//! Invariant: [`FIRST`] runs before anything is allocated.

use std::ffi::{c_int, c_void};

/// What mimalloc takes at least, with room to align it.
const SIZE: usize = 32 << 20;
const ALIGN: usize = 1 << 16;

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
    // SAFETY: a new private mapping, handed to the allocator for ever. Failures leave the allocator to its own ways.
    unsafe {
        let start = libc::mmap(
            std::ptr::null_mut(),
            SIZE + ALIGN,
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
        libc::madvise(start, SIZE, libc::MADV_NOHUGEPAGE);
        mi_process_init();
        mi_manage_os_memory(start, SIZE, true, false, true, -1);
    }
}
