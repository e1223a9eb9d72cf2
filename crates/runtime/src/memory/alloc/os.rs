//! What the allocator asks of the operating system: mappings, their release, and a lock to sleep on.
//!
//! The lock is the allocator's own because it must work before anything else of the runtime does and must
//! be resettable in the child of a fork.

use std::cell::UnsafeCell;
use std::ops::{Deref, DerefMut};
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicU32, Ordering};

/// Maps `len` bytes of zeroed memory at a multiple of `align` (a power of two and a multiple of the system's
/// page size, of which `len` is a multiple too). `None` when the system refuses.
pub(super) fn map_aligned(len: usize, align: usize) -> Option<NonNull<u8>> {
    if len.is_multiple_of(align) {
        // Mappings are stacked next to each other, so once one is aligned the next mostly is.
        let start = map(len)?;
        if start.as_ptr().addr().is_multiple_of(align) {
            return Some(start);
        }
        // SAFETY: mapped just above with this length and known to nobody else.
        unsafe { unmap(start, len) };
    }
    let whole = len.checked_add(align)?;
    let start = map(whole)?;
    let lead = start.as_ptr().align_offset(align);
    // SAFETY: `lead < align`, so lead + len < whole: both pieces cut off lie inside the fresh mapping,
    // outside of the part that is returned.
    unsafe {
        let aligned = start.add(lead);
        if lead > 0 {
            unmap(start, lead);
        }
        if align > lead {
            unmap(aligned.add(len), align - lead);
        }
        Some(aligned)
    }
}

/// Bytes of memory that the machine has, with what it can swap to; the largest number if it does not say.
pub fn physical_memory() -> u64 {
    static BYTES: std::sync::OnceLock<u64> = std::sync::OnceLock::new();
    *BYTES.get_or_init(|| {
        // SAFETY: plain data, filled by a plain query.
        let (result, info) = unsafe {
            let mut info: libc::sysinfo = std::mem::zeroed();
            (libc::sysinfo(&mut info), info)
        };
        match result {
            0 => (info.totalram + info.totalswap).saturating_mul(info.mem_unit.into()),
            _ => u64::MAX,
        }
    })
}

fn map(len: usize) -> Option<NonNull<u8>> {
    // SAFETY: an anonymous private mapping at an address of the kernel's choice touches no memory in use.
    let start = unsafe {
        libc::mmap(
            ptr::null_mut(),
            len,
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
            -1,
            0,
        )
    };
    if start == libc::MAP_FAILED {
        return None;
    }
    NonNull::new(start.cast())
}

/// Ends a mapping or a part of one. When the kernel refuses (too many mappings), the memory behind it is
/// given back and only the addresses stay taken.
///
/// # Safety
/// The range was mapped by [`map_aligned`] and nothing reads or writes it any more.
pub(super) unsafe fn unmap(start: NonNull<u8>, len: usize) {
    super::sanitize::forgotten(start, len);
    // SAFETY: by this function's contract nobody uses the range.
    unsafe {
        if libc::munmap(start.as_ptr().cast(), len) != 0 {
            purge(start, len);
        }
    }
}

/// Gives the memory behind a range back to the system; the range stays mapped and reads as zero.
///
/// # Safety
/// The range was mapped by [`map_aligned`] and nobody needs what is in it.
pub(super) unsafe fn purge(start: NonNull<u8>, len: usize) {
    // SAFETY: by this function's contract the contents may go.
    unsafe { libc::madvise(start.as_ptr().cast(), len, libc::MADV_DONTNEED) };
}

/// Keeps the kernel from backing the range with huge pages, so that an untouched part stays untouched.
///
/// # Safety
/// The range was mapped by [`map_aligned`].
pub(super) unsafe fn small_pages(start: NonNull<u8>, len: usize) {
    // SAFETY: advice about a mapping of ours; it changes no contents.
    unsafe { libc::madvise(start.as_ptr().cast(), len, libc::MADV_NOHUGEPAGE) };
}

/// A mutual exclusion lock on a futex: 0 free, 1 taken, 2 taken with sleepers.
pub(super) struct Locked<T> {
    state: AtomicU32,
    /// Protected by `state`.
    value: UnsafeCell<T>,
}

// SAFETY: the value is reached through a guard only, one thread at a time.
unsafe impl<T: Send> Sync for Locked<T> {}

impl<T> Locked<T> {
    pub(super) const fn new(value: T) -> Self {
        Locked {
            state: AtomicU32::new(0),
            value: UnsafeCell::new(value),
        }
    }

    pub(super) fn lock(&self) -> Guard<'_, T> {
        if self
            .state
            .compare_exchange(0, 1, Ordering::Acquire, Ordering::Relaxed)
            .is_err()
        {
            self.lock_contended();
        }
        Guard { lock: self }
    }

    #[cold]
    fn lock_contended(&self) {
        for _ in 0..100 {
            if self.state.load(Ordering::Relaxed) == 0
                && self
                    .state
                    .compare_exchange(0, 1, Ordering::Acquire, Ordering::Relaxed)
                    .is_ok()
            {
                return;
            }
            std::hint::spin_loop();
        }
        while self.state.swap(2, Ordering::Acquire) != 0 {
            // SAFETY: waits on a word of ours, which outlives the call; a null timeout means for ever.
            unsafe {
                libc::syscall(
                    libc::SYS_futex,
                    self.state.as_ptr(),
                    libc::FUTEX_WAIT | libc::FUTEX_PRIVATE_FLAG,
                    2,
                    ptr::null::<libc::timespec>(),
                );
            }
        }
    }

    /// Frees the lock whoever held it.
    ///
    /// # Safety
    /// The process has this one thread (the child of a fork), which holds no guard, and the thread that held
    /// the lock at the fork, if any, had not begun to change the value.
    pub(super) unsafe fn reset(&self) {
        self.state.store(0, Ordering::Relaxed);
    }
}

pub(super) struct Guard<'a, T> {
    lock: &'a Locked<T>,
}

impl<T> Deref for Guard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: this guard holds the lock.
        unsafe { &*self.lock.value.get() }
    }
}

impl<T> DerefMut for Guard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: this guard holds the lock, and is itself borrowed exclusively.
        unsafe { &mut *self.lock.value.get() }
    }
}

impl<T> Drop for Guard<'_, T> {
    fn drop(&mut self) {
        if self.lock.state.swap(0, Ordering::Release) == 2 {
            // SAFETY: wakes sleepers on a word of ours.
            unsafe {
                libc::syscall(
                    libc::SYS_futex,
                    self.lock.state.as_ptr(),
                    libc::FUTEX_WAKE | libc::FUTEX_PRIVATE_FLAG,
                    1,
                );
            }
        }
    }
}
