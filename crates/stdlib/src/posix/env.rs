//! `posix`: the environment.
//!
//! Invariant: it is changed through the Rust library alone, whose lock keeps its own readers apart from writers.

use std::ffi::OsStr;
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use lisle_runtime::native::{Py, Res, Value, Vm, pymodule};
use lisle_runtime::types::bytes::Bytes;
use lisle_runtime::types::dict::Dict;

use super::path::fs_encode;
use crate::syscall::audit;

/// The environment as a dict of bytes; of two entries of one name the first counts.
fn as_dict(vm: &Vm) -> Res<Py<Dict>> {
    let dict = Dict::new_empty();
    for (name, value) in std::env::vars_os() {
        let value = Bytes::new_value(value.into_vec());
        dict.set_default(vm, &Bytes::new_value(name.into_vec()), &value)?;
    }
    Ok(dict)
}

#[pymodule(name = "posix")]
pub mod module {
    use super::*;

    #[pyattr]
    fn environ(vm: &Vm) -> Res<Py<Dict>> {
        as_dict(vm)
    }

    /// Create the environment dictionary.
    #[pyfunction(sig = "()")]
    fn _create_environ(vm: &Vm) -> Res<Py<Dict>> {
        as_dict(vm)
    }

    /// Change or add an environment variable.
    #[pyfunction(sig = "(name, value, /)")]
    fn putenv(vm: &Vm, name: &Value, value: &Value) -> Res<()> {
        let (name, value) = (fs_encode(vm, name)?, fs_encode(vm, value)?);
        let (name, value) = (name.as_bytes(), value.as_bytes());
        if name.contains(&b'=') {
            return Err(vm.value_error("illegal environment variable name"));
        }
        if name.is_empty() {
            return Err(vm.os_error(libc::EINVAL, None));
        }
        audit!(vm, "os.putenv", Bytes::new_value(name), Bytes::new_value(value));
        // SAFETY: whoever reads the environment in this process goes through the same library.
        unsafe { std::env::set_var(OsStr::from_bytes(name), OsStr::from_bytes(value)) };
        Ok(())
    }

    /// Delete an environment variable.
    #[pyfunction(sig = "(name, /)")]
    fn unsetenv(vm: &Vm, name: &Value) -> Res<()> {
        let name = fs_encode(vm, name)?;
        let name = name.as_bytes();
        if name.is_empty() || name.contains(&b'=') {
            return Err(vm.os_error(libc::EINVAL, None));
        }
        audit!(vm, "os.unsetenv", Bytes::new_value(name));
        // SAFETY: as in `putenv`.
        unsafe { std::env::remove_var(OsStr::from_bytes(name)) };
        Ok(())
    }
}
