//! The command line: arguments and wiring only.

#[cfg(not(lisle_asan))]
mod arena;
#[cfg(not(lisle_asan))]
mod magazine;

use std::alloc::{GlobalAlloc, Layout};
use std::process::ExitCode;

use lisle_runtime::memory::{alloc::physical_memory, reserve, watch};
#[cfg(not(lisle_asan))]
use mimalloc_calls::Allocator;
/// AddressSanitizer watches the system's allocator.
#[cfg(lisle_asan)]
use std::alloc::System as Allocator;

#[cfg(not(lisle_asan))]
mod mimalloc_calls {
    //! mimalloc, by its functions for blocks of no particular alignment wherever these will do: they are much the faster.

    use libmimalloc_sys::{mi_free, mi_malloc, mi_malloc_aligned, mi_realloc_aligned, mi_zalloc, mi_zalloc_aligned};
    use std::alloc::{GlobalAlloc, Layout};

    use crate::magazine;

    pub struct Allocator;

    /// Blocks are aligned to 16 bytes, those of up to 8 bytes to 8.
    #[inline(always)]
    fn is_plain(layout: Layout) -> bool {
        layout.align() <= 8 || layout.align() == 16 && layout.size() >= 16
    }

    // SAFETY: each method is mimalloc's of the same meaning; its blocks may be resized and freed by either kind of function.
    unsafe impl GlobalAlloc for Allocator {
        #[inline]
        unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
            // SAFETY: no preconditions but the caller's.
            unsafe {
                if is_plain(layout) {
                    match magazine::take(layout.size()) {
                        Ok(block) => block,
                        Err(size) => mi_malloc(size).cast(),
                    }
                } else {
                    mi_malloc_aligned(layout.size(), layout.align()).cast()
                }
            }
        }

        #[inline]
        unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
            // SAFETY: as above.
            unsafe {
                if is_plain(layout) {
                    match magazine::take(layout.size()) {
                        Ok(block) => {
                            block.write_bytes(0, layout.size());
                            block
                        }
                        Err(size) => mi_zalloc(size).cast(),
                    }
                } else {
                    mi_zalloc_aligned(layout.size(), layout.align()).cast()
                }
            }
        }

        #[inline]
        unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
            // SAFETY: as above.
            unsafe {
                if is_plain(layout) && (layout.align() <= 8 || size >= 16) {
                    magazine::resize(block, layout.size(), size)
                } else {
                    mi_realloc_aligned(block.cast(), size, layout.align()).cast()
                }
            }
        }

        #[inline]
        unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
            // SAFETY: the caller's block, which has the size that it says.
            unsafe {
                if is_plain(layout) {
                    magazine::put(block, layout.size());
                } else {
                    mi_free(block.cast());
                }
            }
        }
    }
}

/// mimalloc, helped by the runtime's reserve where the system refuses memory; tells what watches memory of its blocks.
struct Helped;

// SAFETY: each method is the allocator's, called again with the same arguments if it could do nothing.
unsafe impl GlobalAlloc for Helped {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: by the caller's contract.
        let block = asked(layout.size(), || unsafe { Allocator.alloc(layout) });
        told(block, layout.size())
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: by the caller's contract.
        let block = asked(layout.size(), || unsafe { Allocator.alloc_zeroed(layout) });
        told(block, layout.size())
    }

    #[inline]
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if watch::is_on() {
            // Before another thread can get the block.
            watch::freed(block);
        }
        // SAFETY: by the caller's contract; a realloc that fails leaves the block alone.
        let moved = asked(size, || unsafe { Allocator.realloc(block, layout, size) });
        told(moved, size)
    }

    #[inline]
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        if watch::is_on() {
            watch::freed(block);
        }
        // SAFETY: the caller's block.
        unsafe { Allocator.dealloc(block, layout) }
    }
}

/// A block of the allocator, of which it was told.
#[inline(always)]
fn told(block: *mut u8, size: usize) -> *mut u8 {
    if watch::is_on() && !block.is_null() {
        watch::allocated(block, size);
    }
    block
}

/// The system would give address space for more than the machine has, and end the program when that is written to.
const LARGE: usize = 1 << 30;

#[inline(always)]
fn asked(size: usize, request: impl Fn() -> *mut u8) -> *mut u8 {
    if size >= LARGE && size as u64 > physical_memory() {
        return std::ptr::null_mut();
    }
    let block = request();
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
    #[cfg(not(lisle_asan))]
    lisle_runtime::threads::spawn::tell_of_many(arena::use_small_pages);
    ExitCode::from(lisle_stdlib::run_command_line(std::env::args_os().collect()))
}
