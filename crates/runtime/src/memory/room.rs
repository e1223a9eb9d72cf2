//! Memory whose amount a program decides: requests that may be refused.
//!
//! Small objects are made by code that cannot fail ([`super::reserve`]). What grows with a program's data asks here, or by
//! `try_reserve`, and a refusal becomes a `MemoryError` by `?`.

use std::alloc::{Layout, alloc_zeroed};
use std::borrow::Cow;
use std::collections::TryReserveError;

use crate::vm::{Exc, Vm};

/// The system gives no more memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoMemory;

impl From<TryReserveError> for NoMemory {
    fn from(_: TryReserveError) -> NoMemory {
        NoMemory
    }
}

impl From<NoMemory> for Exc {
    #[cold]
    fn from(_: NoMemory) -> Exc {
        Vm::current().memory_error()
    }
}

impl From<TryReserveError> for Exc {
    #[cold]
    fn from(_: TryReserveError) -> Exc {
        NoMemory.into()
    }
}

/// Whether there is memory for so many bytes: for what is then made by code that cannot fail.
pub fn is_there_for(bytes: usize) -> bool {
    let mut probe = Vec::<u8>::new();
    let given = probe.try_reserve_exact(bytes).is_ok();
    // The optimiser may leave out a request whose block nobody uses.
    std::hint::black_box(probe.as_mut_ptr());
    given
}

/// A copy of the items.
///
/// # Errors
/// If there is no memory for it.
pub fn copied<T: Copy>(items: &[T]) -> Result<Vec<T>, NoMemory> {
    let mut copy = Vec::new();
    copy.try_reserve_exact(items.len())?;
    copy.extend_from_slice(items);
    Ok(copy)
}

/// The bytes themselves, copied if they are another's.
///
/// # Errors
/// If there is no memory for a copy.
pub fn owned(bytes: Cow<'_, [u8]>) -> Result<Vec<u8>, NoMemory> {
    match bytes {
        Cow::Owned(bytes) => Ok(bytes),
        Cow::Borrowed(bytes) => copied(bytes),
    }
}

/// So many zero bytes. Large ones are not touched: the system gives memory for them when they are written to.
///
/// # Errors
/// If there is no memory for them.
pub fn zeroed(len: usize) -> Result<Vec<u8>, NoMemory> {
    if len == 0 {
        return Ok(Vec::new());
    }
    let layout = Layout::array::<u8>(len).map_err(|_| NoMemory)?;
    // SAFETY: the size is not 0.
    let start = unsafe { alloc_zeroed(layout) };
    if start.is_null() {
        return Err(NoMemory);
    }
    // SAFETY: allocated by the global allocator with this layout, and all bytes are set.
    Ok(unsafe { Vec::from_raw_parts(start, len, len) })
}

/// Appends a copy of the items.
///
/// # Errors
/// If there is no memory for them; nothing is appended then.
pub fn append<T: Copy>(out: &mut Vec<T>, more: &[T]) -> Result<(), NoMemory> {
    out.try_reserve(more.len())?;
    out.extend_from_slice(more);
    Ok(())
}

/// Makes room for up to `more` zero bytes behind those that are there.
///
/// # Errors
/// If there is no memory for them.
pub fn grow(out: &mut Vec<u8>, more: usize) -> Result<(), NoMemory> {
    out.try_reserve(more)?;
    out.resize(out.len() + more, 0);
    Ok(())
}

/// The bytes without the room behind them.
///
/// # Errors
/// If they have to be moved, and there is no memory for it.
pub fn fitted(bytes: Vec<u8>) -> Result<Box<[u8]>, NoMemory> {
    // The allocator shrinks in place what stays half as large.
    if bytes.len() >= bytes.capacity() / 2 {
        return Ok(bytes.into_boxed_slice());
    }
    Ok(copied(&bytes)?.into_boxed_slice())
}
