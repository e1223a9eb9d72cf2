//! Reading the bytes of bytes-like objects: what every native that takes "a bytes-like object" goes through.
//!
//! Invariant: bytes of mutable objects are copied out under the object's lock, so that nothing is borrowed from them while
//! Python code runs. Left out: exporting writable memory.

use std::borrow::Cow;

use super::bytearray::ByteArray;
use super::bytes::Bytes;
use crate::object::Value;
use crate::vm::{Res, Vm};

/// The bytes of a bytes-like object, `None` if it is none. Immutable ones are borrowed.
pub fn bytes_of(value: &Value) -> Option<Cow<'_, [u8]>> {
    if let Some(bytes) = value.downcast::<Bytes>() {
        return Some(Cow::Borrowed(bytes.as_slice()));
    }
    value.downcast::<ByteArray>().map(|array| Cow::Owned(array.snapshot()))
}

/// Whether the object has bytes to read.
pub fn is_bytes_like(value: &Value) -> bool {
    value.downcast::<Bytes>().is_some() || value.downcast::<ByteArray>().is_some()
}

/// The bytes of a bytes-like object; `TypeError` for any other.
pub fn get_bytes<'a>(vm: &Vm, value: &'a Value) -> Res<Cow<'a, [u8]>> {
    match bytes_of(value) {
        Some(bytes) => Ok(bytes),
        None => {
            let message = format!("a bytes-like object is required, not '{}'", value.ty().name());
            Err(vm.type_error(message))
        }
    }
}

/// Calls `f` with the bytes of a bytes-like object; `TypeError` for any other.
pub fn with_bytes<R>(vm: &Vm, value: &Value, f: impl FnOnce(&[u8]) -> R) -> Res<R> {
    get_bytes(vm, value).map(|bytes| f(&bytes))
}
