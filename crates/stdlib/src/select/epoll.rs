//! `select.epoll`.
//!
//! Invariant: the descriptor is taken out of the object before it is closed, so that it is closed once. A thread that waits
//! while another closes waits on, as the system has it.

use std::sync::atomic::{AtomicI32, Ordering::AcqRel, Ordering::Acquire};

use lisle_runtime::native::{Py, Res, Type, Value, Vm, pyclass, pymethods};
use lisle_runtime::threads::ParkReason;
use lisle_runtime::types::list::List;
use lisle_runtime::types::tuple::Tuple;

use super::until;
use crate::syscall::{Errno, Fd, OrRaise, blocking, c, check, detached};
use crate::timeout::poll_milliseconds;

/// Returns an epolling object.
#[pyclass(
    name = "epoll",
    module = "select",
    doc = "Returns an epolling object.\n\n  sizehint\n    The expected number of events to be registered.  It must be positive,\n    or -1 to use the default.  It is only used on older systems where\n    epoll_create1() is not available; otherwise it has no effect (though its\n    value is still checked).\n  flags\n    Deprecated and completely ignored.  However, when supplied, its value\n    must be 0 or select.EPOLL_CLOEXEC, otherwise OSError is raised."
)]
pub struct Epoll {
    /// -1 when closed.
    fd: AtomicI32,
}

impl Drop for Epoll {
    fn drop(&mut self) {
        let fd = *self.fd.get_mut();
        if fd >= 0 {
            c!(close(fd));
        }
    }
}

impl Epoll {
    fn open_fd(vm: &Vm, this: &Py<Epoll>) -> Res<i32> {
        match this.fd.load(Acquire) {
            fd if fd >= 0 => Ok(fd),
            _ => Err(vm.value_error("I/O operation on closed epoll object")),
        }
    }

    fn control(vm: &Vm, this: &Py<Epoll>, op: i32, fd: Fd, events: u32) -> Res<()> {
        let epoll = Epoll::open_fd(vm, this)?;
        let mut event = libc::epoll_event { events, u64: 0 };
        event.u64 = fd.0 as u64;
        let result = detached(vm, || c!(epoll_ctl(epoll, op, fd.0, &mut event)));
        result.or_raise(vm).map(drop)
    }

    fn shut(vm: &Vm, this: &Py<Epoll>) -> Res<()> {
        let fd = this.fd.swap(-1, AcqRel);
        if fd < 0 {
            return Ok(());
        }
        match detached(vm, || c!(close(fd))) {
            Err(Errno(libc::EINTR)) => Ok(()),
            result => result.or_raise(vm).map(drop),
        }
    }
}

/// How many events one call gives.
const MOST: usize = 1 << 16;

const DEFAULT: u32 = (libc::EPOLLIN | libc::EPOLLPRI | libc::EPOLLOUT) as u32;

#[pymethods]
impl Epoll {
    #[slot(sig = "(sizehint=-1, flags=0)")]
    fn __new__(vm: &Vm, cls: &Py<Type>, sizehint: Option<i32>, flags: i32) -> Res<Value> {
        let sizehint = sizehint.unwrap_or(-1);
        if sizehint != -1 && sizehint <= 0 {
            return Err(vm.value_error("negative sizehint"));
        }
        if flags & !libc::EPOLL_CLOEXEC != 0 {
            return Err(vm.os_error_message("invalid flags"));
        }
        let fd = check(c!(epoll_create1(libc::EPOLL_CLOEXEC))).or_raise(vm)?;
        Ok(Py::with_class(cls, Epoll { fd: AtomicI32::new(fd) }).into_value())
    }

    /// Create an epoll object from a given control fd.
    #[classmethod(sig = "($type, fd, /)")]
    fn fromfd(_: &Vm, cls: &Py<Type>, fd: i32) -> Value {
        Py::with_class(cls, Epoll { fd: AtomicI32::new(fd) }).into_value()
    }

    /// Close the epoll control file descriptor.
    ///
    /// Further operations on the epoll object will raise an exception.
    #[pymethod(sig = "($self, /)")]
    fn close(vm: &Vm, this: &Py<Epoll>) -> Res<()> {
        Epoll::shut(vm, this)
    }

    /// True if the epoll handler is closed
    #[getter]
    fn closed(_: &Vm, this: &Py<Epoll>) -> bool {
        this.fd.load(Acquire) < 0
    }

    /// Return the epoll control file descriptor.
    #[pymethod(sig = "($self, /)")]
    fn fileno(vm: &Vm, this: &Py<Epoll>) -> Res<i32> {
        Epoll::open_fd(vm, this)
    }

    /// Registers a new fd or raises an OSError if the fd is already registered.
    ///
    ///   fd
    ///     the target file descriptor of the operation
    ///   eventmask
    ///     a bit set composed of the various EPOLL constants
    ///
    /// The epoll interface supports all file descriptors that support poll.
    #[pymethod(sig = "($self, /, fd, eventmask=<unrepresentable>)")]
    fn register(vm: &Vm, this: &Py<Epoll>, fd: Fd, eventmask: Option<u32>) -> Res<()> {
        Epoll::control(vm, this, libc::EPOLL_CTL_ADD, fd, eventmask.unwrap_or(DEFAULT))
    }

    /// Modify event mask for a registered file descriptor.
    ///
    ///   fd
    ///     the target file descriptor of the operation
    ///   eventmask
    ///     a bit set composed of the various EPOLL constants
    #[pymethod(sig = "($self, /, fd, eventmask)")]
    fn modify(vm: &Vm, this: &Py<Epoll>, fd: Fd, eventmask: u32) -> Res<()> {
        Epoll::control(vm, this, libc::EPOLL_CTL_MOD, fd, eventmask)
    }

    /// Remove a registered file descriptor from the epoll object.
    ///
    ///   fd
    ///     the target file descriptor of the operation
    #[pymethod(sig = "($self, /, fd)")]
    fn unregister(vm: &Vm, this: &Py<Epoll>, fd: Fd) -> Res<()> {
        Epoll::control(vm, this, libc::EPOLL_CTL_DEL, fd, 0)
    }

    /// Wait for events on the epoll file descriptor.
    ///
    ///   timeout
    ///     the maximum time to wait in seconds (as float);
    ///     a timeout of None or -1 makes poll wait indefinitely
    ///   maxevents
    ///     the maximum number of events returned; -1 means no limit
    ///
    /// Returns a list containing any descriptors that have events to report,
    /// as a list of (fd, events) 2-tuples.
    #[pymethod(sig = "($self, /, timeout=None, maxevents=-1)")]
    fn poll(vm: &Vm, this: &Py<Epoll>, timeout: Option<&Value>, maxevents: Option<i32>) -> Res<Value> {
        let epoll = Epoll::open_fd(vm, this)?;
        let end = until(vm, timeout, 1_000_000_000, "timeout must be an integer or None")?;
        let end = match end {
            Some((ns, _)) if ns < 0 => None,
            Some((ns, _)) if ns.div_euclid(1_000_000) > i64::from(i32::MAX) => {
                return Err(vm.overflow_error("timeout is too large"));
            }
            Some((_, end)) => end,
            None => None,
        };
        let room = match maxevents.unwrap_or(-1) {
            -1 => libc::FD_SETSIZE - 1,
            n if n < 1 => {
                let message = format!("maxevents must be greater than 0, got {n}");
                return Err(vm.value_error(message));
            }
            // What does not fit is there at the next call.
            n => (n as usize).min(MOST),
        };
        let mut events: Vec<libc::epoll_event> = Vec::new();
        if events.try_reserve_exact(room).is_err() {
            return Err(vm.memory_error());
        }
        events.resize(room, libc::epoll_event { events: 0, u64: 0 });
        let n = blocking(vm, ParkReason::Select, || {
            c!(epoll_wait(
                epoll,
                events.as_mut_ptr(),
                room as i32,
                poll_milliseconds(end)
            ))
        })?;
        let hits = events.iter().take(n as usize).map(|event| {
            let (fd, events) = (event.u64 as i32, event.events);
            Tuple::pair(Value::int(fd.into()), Value::int(events.into())).into_value()
        });
        Ok(List::new(hits.collect()).into_value())
    }

    #[pymethod(sig = "($self, /)")]
    fn __enter__(vm: &Vm, this: &Py<Epoll>) -> Res<Value> {
        Epoll::open_fd(vm, this)?;
        Ok(this.to_value())
    }

    #[pymethod(sig = "($self, exc_type=None, exc_value=None, exc_tb=None, /)")]
    fn __exit__(
        vm: &Vm,
        this: &Py<Epoll>,
        _exc_type: Option<&Value>,
        _exc_value: Option<&Value>,
        _exc_tb: Option<&Value>,
    ) -> Res<()> {
        Epoll::shut(vm, this)
    }
}
