//! What AddressSanitizer is told of freed blocks, in builds for it (`--cfg lisle_asan`, see tests/asan.sh): their payload must not be touched.
//! The header stays readable, by the allocator's main invariant.

#[cfg(lisle_asan)]
mod region {
    use super::super::page::{Block, PageRef};
    use std::ffi::c_void;
    use std::ptr::NonNull;

    unsafe extern "C" {
        fn __asan_poison_memory_region(start: *const c_void, size: usize);
        fn __asan_unpoison_memory_region(start: *const c_void, size: usize);
    }

    fn payload(page: PageRef, block: NonNull<u8>) -> Option<(*const c_void, usize)> {
        let size = page.block_size().checked_sub(size_of::<Block>())?;
        // SAFETY: a block begins with its header, so the payload begins within it or at its end.
        Some((
            unsafe { block.add(size_of::<Block>()) }.as_ptr().cast_const().cast(),
            size,
        ))
    }

    pub fn handed_out(block: NonNull<u8>) {
        // SAFETY: a small block, which lies in a page.
        let page = unsafe { PageRef::of(block) };
        if let Some((start, size)) = payload(page, block) {
            // SAFETY: memory of a block of ours.
            unsafe { __asan_unpoison_memory_region(start, size) }
        }
    }

    pub fn taken_back(page: PageRef, block: NonNull<u8>) {
        if !page.is_huge()
            && let Some((start, size)) = payload(page, block)
        {
            // SAFETY: as above.
            unsafe { __asan_poison_memory_region(start, size) }
        }
    }

    /// The memory begins a new life as a page of another size class, or is given back.
    pub fn forgotten(start: NonNull<u8>, len: usize) {
        // SAFETY: memory of ours.
        unsafe { __asan_unpoison_memory_region(start.as_ptr().cast_const().cast(), len) }
    }
}

#[cfg(not(lisle_asan))]
mod region {
    use super::super::page::PageRef;
    use std::ptr::NonNull;

    #[inline(always)]
    pub fn handed_out(_block: NonNull<u8>) {}

    #[inline(always)]
    pub fn taken_back(_page: PageRef, _block: NonNull<u8>) {}

    #[inline(always)]
    pub fn forgotten(_start: NonNull<u8>, _len: usize) {}
}

pub(super) use region::*;
