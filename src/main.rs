//! The command line: arguments and wiring only.

#[cfg(not(lisle_asan))]
mod arena;

use std::alloc::{GlobalAlloc, Layout};
use std::process::ExitCode;

use lisle_runtime::memory::reserve;
#[cfg(not(lisle_asan))]
use mimalloc::MiMalloc as Allocator;
/// AddressSanitizer watches the system's allocator.
#[cfg(lisle_asan)]
use std::alloc::System as Allocator;

/// mimalloc, helped by the runtime's reserve where the system refuses memory.
struct Helped;

// SAFETY: each method is the allocator's, called again with the same arguments if it could do nothing.
unsafe impl GlobalAlloc for Helped {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: by the caller's contract.
        let block = unsafe { Allocator.alloc(layout) };
        // SAFETY: as above.
        again(block, layout.size(), || unsafe { Allocator.alloc(layout) })
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: by the caller's contract.
        let block = unsafe { Allocator.alloc_zeroed(layout) };
        // SAFETY: as above.
        again(block, layout.size(), || unsafe { Allocator.alloc_zeroed(layout) })
    }

    #[inline]
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: by the caller's contract.
        let moved = unsafe { Allocator.realloc(block, layout, size) };
        // SAFETY: as above; a realloc that fails leaves the block alone.
        again(moved, size, || unsafe { Allocator.realloc(block, layout, size) })
    }

    #[inline]
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: by the caller's contract.
        unsafe { Allocator.dealloc(block, layout) }
    }
}

#[inline(always)]
fn again(block: *mut u8, size: usize, request: impl Fn() -> *mut u8) -> *mut u8 {
    if block.is_null() { refused(size, request) } else { block }
}

#[cold]
#[inline(never)]
fn refused(size: usize, request: impl Fn() -> *mut u8) -> *mut u8 {
    let mut block: *mut u8 = std::ptr::null_mut();
    while block.is_null() && size <= reserve::LARGEST && reserve::release() {
        block = request();
    }
    block
}

#[global_allocator]
static ALLOCATOR: Helped = Helped;

fn main() -> ExitCode {
    ExitCode::from(lisle_stdlib::run_command_line(std::env::args_os().collect()))
}
