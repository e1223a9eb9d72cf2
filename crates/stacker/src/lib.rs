//! Native stacks that grow: takes the place of the crate `stacker` (see `[patch.crates-io]`), for ruff's parser and for the compiler.
//!
//! That crate panics when the system refuses memory for a stack, and a Python program can bring that about. Here the work is given up by unwinding
//! with [`NoStack`], which no panic hook hears of; `lisle_compiler` catches it and reports that there is no memory. Stacks are
//! address space until they are used, so a large one costs nothing where memory may be promised.
//!
//! Invariant: while a function runs on a stack of ours, `LIMIT` is that stack's lowest usable address.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

/// What unwinds when there is no memory for a stack.
#[derive(Clone, Copy, Debug)]
pub struct NoStack;

const UNKNOWN: usize = usize::MAX;
/// Not accessible, below each stack. Also the alignment of its ends: no system's pages are larger.
const GUARD: usize = 64 << 10;

thread_local! {
    static LIMIT: Cell<usize> = const { Cell::new(UNKNOWN) };
}

/// Runs `callback` where at least `red_zone` bytes of stack are left: here, or on a new stack of `stack_size` bytes.
#[inline]
pub fn maybe_grow<R>(red_zone: usize, stack_size: usize, callback: impl FnOnce() -> R) -> R {
    if remaining_stack().is_some_and(|left| left >= red_zone) {
        callback()
    } else {
        grow(stack_size, callback)
    }
}

/// How much is left of the stack that this runs on, if that is known.
#[inline]
pub fn remaining_stack() -> Option<usize> {
    let mut limit = LIMIT.get();
    if limit == UNKNOWN {
        limit = lowest_address()?;
        LIMIT.set(limit);
    }
    Some((psm::stack_pointer() as usize).saturating_sub(limit))
}

/// The lowest address of the thread's own stack.
#[cold]
fn lowest_address() -> Option<usize> {
    let mut attr = std::mem::MaybeUninit::<libc::pthread_attr_t>::uninit();
    let (mut low, mut size) = (std::ptr::null_mut::<libc::c_void>(), 0usize);
    // SAFETY: `attr` is initialised when pthread_getattr_np returns 0, and destroyed once.
    unsafe {
        if libc::pthread_getattr_np(libc::pthread_self(), attr.as_mut_ptr()) != 0 {
            return None;
        }
        let found = libc::pthread_attr_getstack(attr.as_ptr(), &mut low, &mut size) == 0;
        libc::pthread_attr_destroy(attr.as_mut_ptr());
        found.then_some(low as usize)
    }
}

/// A mapped stack, and the limit of the one below it.
struct Stack {
    low: *mut libc::c_void,
    size: usize,
    outer: usize,
}

impl Stack {
    fn new(wanted: usize) -> Option<Stack> {
        let size = wanted.checked_next_multiple_of(GUARD)?.checked_add(GUARD)?;
        if isize::try_from(size).is_err() {
            return None;
        }
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
        // SAFETY: a new mapping, where the system chooses.
        let low = unsafe {
            libc::mmap(
                std::ptr::null_mut(),
                size,
                libc::PROT_READ | libc::PROT_WRITE,
                flags,
                -1,
                0,
            )
        };
        if low == libc::MAP_FAILED {
            return None;
        }
        let outer = LIMIT.get();
        let stack = Stack { low, size, outer };
        // SAFETY: the lowest part of the mapping, which nothing uses yet.
        let guarded = unsafe { libc::mprotect(low, GUARD, libc::PROT_NONE) } == 0;
        guarded.then_some(stack)
    }

    fn lowest(&self) -> *mut u8 {
        // SAFETY: the mapping is longer than its guard.
        unsafe { self.low.cast::<u8>().add(GUARD) }
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        LIMIT.set(self.outer);
        // SAFETY: mapped in `new`; nothing runs on it any more.
        unsafe { libc::munmap(self.low, self.size) };
    }
}

/// Runs `callback` on a new stack of at least `stack_size` bytes.
#[cold]
pub fn grow<R>(stack_size: usize, callback: impl FnOnce() -> R) -> R {
    let Some(stack) = Stack::new(stack_size) else {
        resume_unwind(Box::new(NoStack))
    };
    let (lowest, size) = (stack.lowest(), stack.size - GUARD);
    LIMIT.set(lowest as usize);
    // SAFETY: the stack is mapped, its ends are aligned, and the callback does not unwind out of it.
    let result = unsafe { psm::on_stack(lowest, size, || catch_unwind(AssertUnwindSafe(callback))) };
    drop(stack);
    result.unwrap_or_else(|panic| resume_unwind(panic))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deep(levels: usize) -> usize {
        let room = [levels as u8; 512];
        if levels == 0 {
            return std::hint::black_box(&room).len();
        }
        maybe_grow(64 << 10, 256 << 10, || deep(levels - 1)) + usize::from(std::hint::black_box(&room)[0] == 0)
    }

    #[test]
    fn recursion_goes_on_to_the_end() {
        let before = remaining_stack().expect("the stack is known");
        assert!(deep(200_000) >= 512);
        let after = remaining_stack().expect("the stack is known");
        assert!(before.abs_diff(after) < 4096, "the limit is the thread's own again");
    }

    #[test]
    fn panics_pass_through() {
        let caught = catch_unwind(|| grow(1 << 20, || resume_unwind(Box::new(7))));
        let panic = caught.map(|(): ()| ()).expect_err("it panics");
        assert_eq!(panic.downcast_ref(), Some(&7));
    }

    #[test]
    fn refusal_unwinds_with_a_payload() {
        let caught = catch_unwind(|| grow(usize::MAX / 2, || ()));
        assert!(caught.expect_err("no machine has as much").is::<NoStack>());
    }
}
