//! `mmap`: files in memory.
//!
//! Invariant: the mapping is reached under the object's lock alone, and copied in and out; it is not unmapped or moved while
//! buffers are exported. Nothing refers to it as Rust data, since other processes may write to it. A file that is cut
//! off under its mapping ends the process when the part that is gone is touched, as in CPython.

mod object;

use lisle_runtime::native::{Py, Res, Value, Vm, pymodule};
use lisle_runtime::types::module::Module;

use crate::constants;
use crate::syscall::c;
use object::Mmap;

constants::constants! {
    MADV_DODUMP MADV_DOFORK MADV_DONTDUMP MADV_DONTFORK MADV_DONTNEED MADV_FREE MADV_HUGEPAGE MADV_HWPOISON
    MADV_MERGEABLE MADV_NOHUGEPAGE MADV_NORMAL MADV_RANDOM MADV_REMOVE MADV_SEQUENTIAL MADV_UNMERGEABLE MADV_WILLNEED
    #[cfg(target_arch = "x86_64")] MAP_32BIT
    MAP_ANON MAP_ANONYMOUS MAP_DENYWRITE MAP_EXECUTABLE MAP_NORESERVE MAP_POPULATE MAP_PRIVATE MAP_SHARED
    MAP_STACK PROT_EXEC PROT_READ PROT_WRITE
    ;
    ACCESS_COPY = 3, ACCESS_DEFAULT = 0, ACCESS_READ = 1, ACCESS_WRITE = 2,
}

#[pymodule(name = "mmap", types(Mmap))]
pub mod module {
    use super::*;

    #[pyattr]
    fn error(_vm: &Vm) -> Value {
        lisle_runtime::types::exceptions::OS_ERROR.get().to_value()
    }

    #[init]
    fn init(_vm: &Vm, module: &Py<Module>) -> Res<()> {
        constants::add(module, CONSTANTS);
        let page = c!(sysconf(libc::_SC_PAGESIZE));
        module.set("PAGESIZE", Value::int(page));
        module.set("ALLOCATIONGRANULARITY", Value::int(page));
        Ok(())
    }
}
