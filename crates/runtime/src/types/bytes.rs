//! `bytes`: the object. Its methods are in `bytes_methods`.
//!
//! Invariant: the bytes never change. Few of them lie behind the payload, in the same block; others in a block of their own.

use std::ptr::NonNull;

use crate::memory::room::{self, NoMemory};
use crate::memory::trace::{Trace, Visitor};
use crate::native::pyclass;
use crate::object::{Native, TypeFlags, Value};

/// Immutable bytes.
#[pyclass(
    name = "bytes",
    late_end,
    basetype,
    sequence,
    gc = false,
    flags = TypeFlags::BYTES_SUBCLASS,
    doc = "bytes(iterable_of_ints) -> bytes\nbytes(string, encoding[, errors]) -> bytes\nbytes(bytes_or_buffer) -> immutable copy of bytes_or_buffer\nbytes(int) -> bytes object of size given by the parameter initialized with null bytes\nbytes() -> empty bytes object"
)]
pub struct Bytes {
    content: Content,
}

/// So many bytes lie behind the payload.
const INLINE: usize = 256;

struct Content {
    at: NonNull<u8>,
    len: usize,
    /// The block was allocated as a boxed slice.
    boxed: bool,
}

// SAFETY: the bytes never change.
unsafe impl Send for Content {}
// SAFETY: as above.
unsafe impl Sync for Content {}

impl Trace for Content {
    fn traverse(&self, _: &mut Visitor<'_>) {}
}

impl Drop for Content {
    #[inline]
    fn drop(&mut self) {
        if self.boxed {
            let bytes = std::ptr::slice_from_raw_parts_mut(self.at.as_ptr(), self.len);
            // SAFETY: it was made from a boxed slice, which is the object's own.
            drop(unsafe { Box::from_raw(bytes) });
        }
    }
}

impl Bytes {
    pub fn new_value<T: AsRef<[u8]> + Into<Box<[u8]>>>(data: T) -> Value {
        match Bytes::inline(data.as_ref()) {
            Some(made) => made,
            None => crate::object::Py::new(Bytes::payload(data.into())).into_value(),
        }
    }

    /// A copy of the bytes.
    ///
    /// # Errors
    /// If there is no memory for it.
    pub fn copy_of(data: &[u8]) -> Result<Value, NoMemory> {
        match Bytes::inline(data) {
            Some(made) => Ok(made),
            None => room::copied(data).map(Bytes::new_value),
        }
    }

    /// The payload of an instance of any class.
    pub fn payload(data: Box<[u8]>) -> Bytes {
        let data = Box::leak(data);
        Bytes {
            content: Content {
                at: NonNull::from(&mut *data).cast(),
                len: data.len(),
                boxed: true,
            },
        }
    }

    /// An object of a few bytes; `None` for more.
    #[inline]
    fn inline(data: &[u8]) -> Option<Value> {
        Bytes::joined(data, &[])
    }

    /// An object of both, one after the other, if they are few; `None` for more.
    #[inline]
    pub fn joined(first: &[u8], second: &[u8]) -> Option<Value> {
        if first.len() > INLINE || second.len() > INLINE || first.len() + second.len() > INLINE {
            return None;
        }
        let len = first.len() + second.len();
        let made = crate::object::alloc_followed(Bytes::ty(), len.div_ceil(8), |at| {
            let at = at.cast::<u8>();
            // SAFETY: there is room for as many bytes, which nobody else knows yet.
            unsafe {
                std::ptr::copy_nonoverlapping(first.as_ptr(), at, first.len());
                std::ptr::copy_nonoverlapping(second.as_ptr(), at.add(first.len()), second.len());
            }
            Bytes {
                content: Content {
                    // SAFETY: a place in the object's block.
                    at: unsafe { NonNull::new_unchecked(at) },
                    len,
                    boxed: false,
                },
            }
        });
        Some(made.into_value())
    }

    #[inline(always)]
    pub fn as_slice(&self) -> &[u8] {
        // SAFETY: `len` initialised bytes lie there as long as the object lives.
        unsafe { std::slice::from_raw_parts(self.content.at.as_ptr(), self.content.len) }
    }

    pub fn len(&self) -> usize {
        self.content.len
    }

    pub fn is_empty(&self) -> bool {
        self.content.len == 0
    }
}
