//! The blocks that a thread freed last, by size, for what it allocates next.
//!
//! mimalloc hands out all blocks of a page before it comes back to one that was freed: what is allocated has long left the processor's
//! cache. Here the block that was freed last goes out first. (The name: Bonwick and Adams, "Magazines and Vmem", 2001.)
//! Invariants: a list holds free blocks of mimalloc's with at least its size, and is its thread's own; when a thread ends, it gives them back.
//! Blocks that were asked for here have their list's size, and others no less, since mimalloc's are multiples of [`STEP`].

use std::cell::Cell;
use std::ptr::null_mut;

use libmimalloc_sys::{mi_free, mi_malloc, mi_realloc};

/// Sizes of lists, in bytes, are this far apart.
const STEP: usize = 8;
/// The largest size, in bytes.
const LARGEST: usize = 512;
const LISTS: usize = LARGEST / STEP + 1;

/// A free block: where the next one of the list is.
struct Free {
    next: *mut Free,
}

struct Magazine {
    first: [Cell<*mut Free>; LISTS],
    /// How many more blocks each list takes: none before `open`.
    room: [Cell<u8>; LISTS],
    state: Cell<State>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// The thread has freed nothing yet.
    New,
    Open,
    /// The thread ends, and keeps no blocks.
    Closed,
}

thread_local! {
    static MAGAZINE: Magazine = const {
        Magazine {
            first: [const { Cell::new(null_mut()) }; LISTS],
            room: [const { Cell::new(0) }; LISTS],
            state: Cell::new(State::New),
        }
    };
    static END: End = const { End };
}

/// Dropped when the thread ends.
struct End;

impl Drop for End {
    fn drop(&mut self) {
        MAGAZINE.with(Magazine::close);
    }
}

/// How many blocks of a size, in bytes, a thread keeps: about 1 KiB of them.
const fn capacity(size: usize) -> u8 {
    let fit = 1024 / size;
    if fit < 4 {
        4
    } else if fit > 32 {
        32
    } else {
        fit as u8
    }
}

/// The list for a size, and the size of its blocks; `None` for sizes that have none.
#[inline(always)]
fn list_of(size: usize) -> Option<(usize, usize)> {
    let list = size.div_ceil(STEP);
    (size.wrapping_sub(1) < LARGEST).then_some((list, list * STEP))
}

impl Magazine {
    #[cold]
    #[inline(never)]
    fn open(&self) {
        if self.state.get() != State::New {
            return;
        }
        // Before the next line, which may allocate.
        self.state.set(State::Open);
        if END.try_with(|_| ()).is_err() {
            return;
        }
        for (list, room) in self.room.iter().enumerate().skip(1) {
            room.set(capacity(list * STEP));
        }
    }

    fn close(&self) {
        self.state.set(State::Closed);
        for (first, room) in self.first.iter().zip(&self.room) {
            room.set(0);
            let mut block = first.replace(null_mut());
            while !block.is_null() {
                // SAFETY: a free block of the list, which is mimalloc's.
                unsafe {
                    let next = (*block).next;
                    mi_free(block.cast());
                    block = next;
                }
            }
        }
    }
}

/// A block of at least `size` bytes that was freed lately, or the size to ask mimalloc for.
#[inline(always)]
pub fn take(size: usize) -> Result<*mut u8, usize> {
    let Some((list, rounded)) = list_of(size) else {
        return Err(size);
    };
    MAGAZINE.with(|magazine| {
        let block = magazine.first[list].get();
        if block.is_null() {
            return Err(rounded);
        }
        // SAFETY: a free block of the list.
        magazine.first[list].set(unsafe { (*block).next });
        magazine.room[list].set(magazine.room[list].get() + 1);
        Ok(block.cast())
    })
}

/// Moves what is in a block to one of another size, if that has another list; null, and nothing is done, if there is no memory.
///
/// # Safety
/// A block of mimalloc's with at least `old` bytes, which is used by its new address from now on.
#[inline]
pub unsafe fn resize(block: *mut u8, old: usize, size: usize) -> *mut u8 {
    // SAFETY: by contract; both blocks have room for what is copied.
    unsafe {
        let Some((list, _)) = list_of(old) else {
            return mi_realloc(block.cast(), size).cast();
        };
        if list_of(size).is_some_and(|(other, _)| other == list) {
            return block;
        }
        let moved = take(size).unwrap_or_else(|size| mi_malloc(size).cast());
        if !moved.is_null() {
            std::ptr::copy_nonoverlapping(block, moved, old.min(size));
            put(block, old);
        }
        moved
    }
}

/// Keeps or frees a block.
///
/// # Safety
/// A block of mimalloc's with at least `size` bytes, which nothing uses any more.
#[inline(always)]
pub unsafe fn put(block: *mut u8, size: usize) {
    let kept = list_of(size).is_some_and(|(list, _)| {
        MAGAZINE.with(|magazine| {
            let room = magazine.room[list].get();
            if room == 0 {
                if magazine.state.get() == State::New {
                    magazine.open();
                }
                return false;
            }
            magazine.room[list].set(room - 1);
            let block = block.cast::<Free>();
            // SAFETY: by contract; blocks are as large as a pointer and aligned to one.
            unsafe { (*block).next = magazine.first[list].get() };
            magazine.first[list].set(block);
            true
        })
    });
    if !kept {
        // SAFETY: by contract.
        unsafe { mi_free(block.cast()) }
    }
}
