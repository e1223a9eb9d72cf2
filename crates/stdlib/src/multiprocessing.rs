//! `_multiprocessing`: locks and semaphores that processes share.
//!
//! Invariant: the semaphore is the system's; the object counts what this process holds of it, and who took it last.

use std::ffi::CString;
use std::sync::atomic::{
    AtomicI32, AtomicU64, AtomicUsize,
    Ordering::{AcqRel, Relaxed},
};

use lisle_runtime::native::{Py, Res, Str, Type, Value, Vm, pyclass, pymethods, pymodule};
use lisle_runtime::threads::ParkReason;
use lisle_runtime::types::dict::Dict;
use lisle_runtime::types::exceptions;

use crate::syscall::{Errno, OrRaise, c, check};
use crate::timeout::nanoseconds;

const RECURSIVE_MUTEX: i32 = 0;
const SEMAPHORE: i32 = 1;

/// Semaphore/Mutex type
#[pyclass(
    name = "SemLock",
    module = "_multiprocessing",
    basetype,
    doc = "Semaphore/Mutex type"
)]
pub struct SemLock {
    /// The address of the semaphore; 0 for none.
    handle: AtomicUsize,
    kind: i32,
    maxvalue: i32,
    name: Option<Py<Str>>,
    /// How many times this process has taken it and not given it back.
    count: AtomicI32,
    /// Who took it last.
    last: AtomicU64,
}

impl Drop for SemLock {
    fn drop(&mut self) {
        let handle = *self.handle.get_mut();
        if handle != 0 {
            c!(sem_close(handle as *mut libc::sem_t));
        }
    }
}

impl SemLock {
    fn sem(&self) -> *mut libc::sem_t {
        self.handle.load(Relaxed) as *mut libc::sem_t
    }

    fn is_mine(&self, vm: &Vm) -> bool {
        self.count.load(Relaxed) > 0 && self.last.load(Relaxed) == vm.thread.ident()
    }

    fn value(&self) -> Result<i32, Errno> {
        let mut value = 0;
        check(c!(sem_getvalue(self.sem(), &mut value)))?;
        Ok(value.max(0))
    }

    /// Takes the semaphore; false when the time is up.
    fn take(&self, vm: &Vm, block: bool, timeout: Option<&Value>) -> Res<bool> {
        if self.kind == RECURSIVE_MUTEX && self.is_mine(vm) {
            self.count.fetch_add(1, AcqRel);
            return Ok(true);
        }
        let ns = match timeout.filter(|t| !t.is_none()) {
            Some(timeout) => Some(nanoseconds(vm, timeout, 1_000_000_000)?.max(0)),
            None => None,
        };
        let sem = self.sem();
        let mut result = check(c!(sem_trywait(sem)));
        if block && result == Err(Errno(libc::EAGAIN)) {
            // The system counts the time of day.
            let until = ns.map(|ns| {
                let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
                c!(clock_gettime(libc::CLOCK_REALTIME, &mut now));
                let nsec = now.tv_nsec + ns % 1_000_000_000;
                libc::timespec {
                    tv_sec: now.tv_sec.saturating_add(ns / 1_000_000_000 + nsec / 1_000_000_000),
                    tv_nsec: nsec % 1_000_000_000,
                }
            });
            result = crate::syscall::retrying(vm, ParkReason::Semaphore, || match &until {
                None => c!(sem_wait(sem)),
                Some(until) => c!(sem_timedwait(sem, until)),
            })?;
        }
        match result {
            Err(Errno(libc::EAGAIN | libc::ETIMEDOUT)) => Ok(false),
            result => {
                result.or_raise(vm)?;
                self.count.fetch_add(1, AcqRel);
                self.last.store(vm.thread.ident(), Relaxed);
                Ok(true)
            }
        }
    }

    fn give(&self, vm: &Vm) -> Res<()> {
        if self.kind == RECURSIVE_MUTEX {
            if !self.is_mine(vm) {
                let message = "attempt to release recursive lock not owned by thread";
                return Err(vm.exception_with(&exceptions::ASSERTION_ERROR, message));
            }
            if self.count.load(Relaxed) > 1 {
                self.count.fetch_sub(1, AcqRel);
                return Ok(());
            }
        } else if self.value().or_raise(vm)? >= self.maxvalue {
            return Err(vm.value_error("semaphore or lock released too many times"));
        }
        // Counted down first: whoever takes it next counts up.
        self.count.fetch_sub(1, AcqRel);
        let result = check(c!(sem_post(self.sem())));
        if result.is_err() {
            self.count.fetch_add(1, AcqRel);
        }
        result.or_raise(vm).map(drop)
    }
}

fn opened(vm: &Vm, sem: *mut libc::sem_t) -> Res<usize> {
    if sem == libc::SEM_FAILED {
        return Err(vm.os_error(Errno::last().0, None));
    }
    Ok(sem as usize)
}

fn name_of(vm: &Vm, name: &Py<Str>) -> Res<CString> {
    CString::new(name.to_string_lossy()).map_err(|_| vm.value_error("embedded null character"))
}

#[pymethods]
impl SemLock {
    #[slot(sig = "(kind, value, maxvalue, name, unlink)")]
    fn __new__(
        vm: &Vm,
        cls: &Py<Type>,
        kind: i32,
        value: i32,
        maxvalue: i32,
        name: &Py<Str>,
        unlink: bool,
    ) -> Res<Value> {
        if kind != RECURSIVE_MUTEX && kind != SEMAPHORE {
            return Err(vm.value_error("unrecognized kind"));
        }
        let path = name_of(vm, name)?;
        let sem = c!(sem_open(
            path.as_ptr(),
            libc::O_CREAT | libc::O_EXCL,
            0o600 as libc::mode_t,
            value as libc::c_uint
        ));
        let handle = opened(vm, sem)?;
        if unlink && let Err(errno) = check(c!(sem_unlink(path.as_ptr()))) {
            c!(sem_close(sem));
            return Err(vm.os_error(errno.0, None));
        }
        Ok(Py::with_class(
            cls,
            SemLock {
                handle: AtomicUsize::new(handle),
                kind,
                maxvalue,
                name: (!unlink).then(|| name.clone()),
                count: AtomicI32::new(0),
                last: AtomicU64::new(0),
            },
        )
        .into_value())
    }

    #[classattr(name = "SEM_VALUE_MAX")]
    fn sem_value_max(_vm: &Vm) -> i32 {
        i32::MAX
    }

    #[getter]
    fn handle(_: &Vm, this: &Py<SemLock>) -> usize {
        this.handle.load(Relaxed)
    }

    #[getter]
    fn kind(_: &Vm, this: &Py<SemLock>) -> i32 {
        this.kind
    }

    #[getter]
    fn maxvalue(_: &Vm, this: &Py<SemLock>) -> i32 {
        this.maxvalue
    }

    #[getter]
    fn name(_: &Vm, this: &Py<SemLock>) -> Option<Py<Str>> {
        this.name.clone()
    }

    /// Acquire the semaphore/lock.
    #[pymethod(sig = "($self, /, block=True, timeout=None)")]
    fn acquire(vm: &Vm, this: &Py<SemLock>, block: bool, timeout: Option<&Value>) -> Res<bool> {
        this.take(vm, block, timeout)
    }

    /// Release the semaphore/lock.
    #[pymethod(sig = "($self, /)")]
    fn release(vm: &Vm, this: &Py<SemLock>) -> Res<()> {
        this.give(vm)
    }

    /// Enter the semaphore/lock.
    #[pymethod(sig = "($self, /)")]
    fn __enter__(vm: &Vm, this: &Py<SemLock>) -> Res<bool> {
        this.take(vm, true, None)
    }

    /// Exit the semaphore/lock.
    #[pymethod(sig = "($self, exc_type=None, exc_value=None, exc_tb=None, /)")]
    fn __exit__(
        vm: &Vm,
        this: &Py<SemLock>,
        _exc_type: Option<&Value>,
        _exc_value: Option<&Value>,
        _exc_tb: Option<&Value>,
    ) -> Res<()> {
        this.give(vm)
    }

    /// Num of `acquire()`s minus num of `release()`s for this process.
    #[pymethod(sig = "($self, /)")]
    fn _count(_: &Vm, this: &Py<SemLock>) -> i32 {
        this.count.load(Relaxed)
    }

    /// Whether the lock is owned by this thread.
    #[pymethod(sig = "($self, /)")]
    fn _is_mine(vm: &Vm, this: &Py<SemLock>) -> bool {
        this.is_mine(vm)
    }

    /// Get the value of the semaphore.
    #[pymethod(sig = "($self, /)")]
    fn _get_value(vm: &Vm, this: &Py<SemLock>) -> Res<i32> {
        this.value().or_raise(vm)
    }

    /// Return whether semaphore has value zero.
    #[pymethod(sig = "($self, /)")]
    fn _is_zero(vm: &Vm, this: &Py<SemLock>) -> Res<bool> {
        Ok(this.value().or_raise(vm)? == 0)
    }

    /// Rezero the net acquisition count after fork().
    #[pymethod(sig = "($self, /)")]
    fn _after_fork(_: &Vm, this: &Py<SemLock>) {
        this.count.store(0, Relaxed);
    }

    #[classmethod(sig = "($type, handle, kind, maxvalue, name, /)")]
    fn _rebuild(
        vm: &Vm,
        cls: &Py<Type>,
        handle: usize,
        kind: i32,
        maxvalue: i32,
        name: Option<&Py<Str>>,
    ) -> Res<Value> {
        let handle = match name {
            Some(name) => {
                let path = name_of(vm, name)?;
                opened(vm, c!(sem_open(path.as_ptr(), 0)))?
            }
            // An address means nothing in a process that did not inherit it; only names are passed on.
            None => return Err(vm.value_error(format!("cannot rebuild the semaphore {handle} without its name"))),
        };
        Ok(Py::with_class(
            cls,
            SemLock {
                handle: AtomicUsize::new(handle),
                kind,
                maxvalue,
                name: name.cloned(),
                count: AtomicI32::new(0),
                last: AtomicU64::new(0),
            },
        )
        .into_value())
    }
}

#[pymodule(name = "_multiprocessing", types(SemLock))]
pub mod module {
    use super::*;

    #[pyattr]
    fn flags(_vm: &Vm) -> Value {
        let dict = Dict::new_empty();
        dict.set_str(&Str::intern("HAVE_SEM_OPEN"), Value::int(1));
        dict.set_str(&Str::intern("HAVE_SEM_TIMEDWAIT"), Value::int(1));
        dict.into_value()
    }

    #[pyfunction(sig = "(name, /)")]
    fn sem_unlink(vm: &Vm, name: &Py<Str>) -> Res<()> {
        let path = name_of(vm, name)?;
        check(c!(sem_unlink(path.as_ptr()))).or_raise(vm).map(drop)
    }
}
