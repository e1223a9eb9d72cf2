//! `_posixshmem`: shared memory under names.

use std::ffi::CString;

use lisle_runtime::native::{Py, Res, Str, Vm, pymodule};
use lisle_runtime::threads::ParkReason;

use crate::syscall::{OrRaise, c, retrying};

fn name_of(vm: &Vm, path: &Py<Str>) -> Res<CString> {
    CString::new(path.to_string_lossy()).map_err(|_| vm.value_error("embedded null character"))
}

#[pymodule(name = "_posixshmem", doc = "POSIX shared memory module")]
pub mod module {
    use super::*;

    /// Open a shared memory object.  Returns a file descriptor (integer).
    #[pyfunction(sig = "(path, flags, mode=511)")]
    fn shm_open(vm: &Vm, path: &Py<Str>, flags: i32, mode: i32) -> Res<i32> {
        let name = name_of(vm, path)?;
        let open = || c!(shm_open(name.as_ptr(), flags | libc::O_CLOEXEC, mode as libc::mode_t));
        retrying(vm, ParkReason::Io, open)?.or_raise_for(vm, path.as_value())
    }

    /// Remove a shared memory object (similar to unlink()).
    ///
    /// Remove a shared memory object name, and, once all processes  have  unmapped
    /// the object, de-allocates and destroys the contents of the associated memory
    /// region.
    #[pyfunction(sig = "(path, /)")]
    fn shm_unlink(vm: &Vm, path: &Py<Str>) -> Res<()> {
        let name = name_of(vm, path)?;
        let unlink = || c!(shm_unlink(name.as_ptr()));
        retrying(vm, ParkReason::Io, unlink)?
            .or_raise_for(vm, path.as_value())
            .map(drop)
    }
}
