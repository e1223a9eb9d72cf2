//! `bytes`: the object. Its methods are in `bytes_methods`.

use crate::native::pyclass;
use crate::object::{Py, TypeFlags, Value};

/// Immutable bytes.
#[pyclass(
    name = "bytes",
    basetype,
    sequence,
    gc = false,
    flags = TypeFlags::BYTES_SUBCLASS,
    doc = "bytes(iterable_of_ints) -> bytes\nbytes(string, encoding[, errors]) -> bytes\nbytes(bytes_or_buffer) -> immutable copy of bytes_or_buffer\nbytes(int) -> bytes object of size given by the parameter initialized with null bytes\nbytes() -> empty bytes object"
)]
pub struct Bytes {
    pub data: Box<[u8]>,
}

impl Bytes {
    pub fn new_value(data: impl Into<Box<[u8]>>) -> Value {
        Py::new(Bytes { data: data.into() }).into_value()
    }

    pub fn as_slice(&self) -> &[u8] {
        &self.data
    }

    pub fn len(&self) -> usize {
        self.data.len()
    }

    pub fn is_empty(&self) -> bool {
        self.data.is_empty()
    }
}
