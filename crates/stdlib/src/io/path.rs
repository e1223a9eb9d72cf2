//! Paths as arguments: `os.fspath` and the bytes for the system.

use lisle_runtime::native::{Res, Str, Value, Vm};
use lisle_runtime::types::bytes::Bytes;
use lisle_runtime::types::encoding;

pub use crate::posix::path::fspath;

/// The bytes of a path for the system.
pub fn to_fs_bytes(vm: &Vm, path: &Value) -> Res<Vec<u8>> {
    let path = fspath(vm, path)?;
    let encoded = match path.downcast::<Str>() {
        Some(text) => encoding::encode(vm, text, lisle_runtime::interp::system_encoding(), "surrogateescape")?,
        None => path,
    };
    let bytes = encoded
        .downcast::<Bytes>()
        .map(|bytes| bytes.as_slice().to_vec())
        .unwrap_or_default();
    if bytes.contains(&0) {
        return Err(vm.value_error("embedded null byte"));
    }
    Ok(bytes)
}
