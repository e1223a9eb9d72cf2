//! Paths as arguments: `os.fspath` and its bytes for the system.

use lisle_runtime::intern;
use lisle_runtime::native::{Res, Str, Value, Vm};
use lisle_runtime::types::bytes::Bytes;
use lisle_runtime::types::encoding;

use super::common::name_of;

/// `os.fspath(path)`: a `str` or `bytes`.
pub fn fspath(vm: &Vm, path: &Value) -> Res<Value> {
    if path.downcast::<Str>().is_some() || path.downcast::<Bytes>().is_some() {
        return Ok(path.clone());
    }
    let Some(result) = vm.call_special_opt(path, intern!("__fspath__"), &[])? else {
        let found = name_of(path);
        return Err(vm.type_error(format!("expected str, bytes or os.PathLike object, not {found}")));
    };
    if result.downcast::<Str>().is_some() || result.downcast::<Bytes>().is_some() {
        return Ok(result);
    }
    let (class, found) = (name_of(path), name_of(&result));
    Err(vm.type_error(format!(
        "expected {class}.__fspath__() to return str or bytes, not {found}"
    )))
}

/// The bytes of a path for the system.
pub fn to_fs_bytes(vm: &Vm, path: &Value) -> Res<Vec<u8>> {
    let path = fspath(vm, path)?;
    let encoded = match path.downcast::<Str>() {
        Some(text) => encoding::encode(vm, text, "utf-8", "surrogateescape")?,
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
