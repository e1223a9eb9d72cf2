//! `bytearray`.

use crate::native::pyclass;
use crate::sync::Locked;

/// Mutable bytes.
#[pyclass(name = "bytearray", basetype, sequence, unhashable, gc = false, no_methods)]
pub struct ByteArray {
    pub data: Locked<Vec<u8>>,
}
