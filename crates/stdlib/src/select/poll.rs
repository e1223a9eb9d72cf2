//! `select.poll` objects.
//!
//! Invariant: descriptors are registered in a list under the object's lock; a wait works on a copy of it, and there is
//! one wait at a time.

use std::sync::atomic::{AtomicBool, Ordering::AcqRel};

use lisle_runtime::memory::trace::Opaque;
use lisle_runtime::native::{Py, Res, Value, Vm, pyclass, pymethods};
use lisle_runtime::sync::Locked;
use lisle_runtime::threads::ParkReason;
use lisle_runtime::types::list::List;
use lisle_runtime::types::tuple::Tuple;

use super::until;
use crate::syscall::{Fd, blocking, c};
use crate::timeout::poll_milliseconds;

#[pyclass(name = "poll", module = "select", no_new)]
pub struct Poll {
    /// In the order of registration.
    watched: Locked<Opaque<Vec<(i32, u16)>>>,
    polling: Opaque<AtomicBool>,
}

/// What `select.poll()` returns.
pub fn new_value() -> Value {
    Py::new(Poll {
        watched: Locked::new(Opaque(Vec::new())),
        polling: Opaque(AtomicBool::new(false)),
    })
    .into_value()
}

/// Marks the object as not waiting any more.
struct Waiting<'a>(&'a AtomicBool);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.store(false, std::sync::atomic::Ordering::Release);
    }
}

const DEFAULT: u16 = (libc::POLLIN | libc::POLLPRI | libc::POLLOUT) as u16;

#[pymethods]
impl Poll {
    /// Register a file descriptor with the polling object.
    ///
    ///   fd
    ///     either an integer, or an object with a fileno() method returning an int
    ///   eventmask
    ///     an optional bitmask describing the type of events to check for
    #[pymethod(sig = "($self, fd, eventmask=<unrepresentable>, /)")]
    fn register(_: &Vm, this: &Py<Poll>, fd: Fd, eventmask: Option<u16>) {
        let mask = eventmask.unwrap_or(DEFAULT);
        this.watched.with(this.header(), |watched| {
            match watched.0.iter_mut().find(|(known, _)| *known == fd.0) {
                Some(entry) => entry.1 = mask,
                None => watched.0.push((fd.0, mask)),
            }
        });
    }

    /// Modify an already registered file descriptor.
    ///
    ///   fd
    ///     either an integer, or an object with a fileno() method returning
    ///     an int
    ///   eventmask
    ///     a bitmask describing the type of events to check for
    #[pymethod(sig = "($self, fd, eventmask, /)")]
    fn modify(vm: &Vm, this: &Py<Poll>, fd: Fd, eventmask: u16) -> Res<()> {
        let known = this.watched.with(this.header(), |watched| {
            let entry = watched.0.iter_mut().find(|(known, _)| *known == fd.0);
            entry.map(|entry| entry.1 = eventmask)
        });
        known.ok_or_else(|| vm.os_error(libc::ENOENT, None))
    }

    /// Remove a file descriptor being tracked by the polling object.
    #[pymethod(sig = "($self, fd, /)")]
    fn unregister(vm: &Vm, this: &Py<Poll>, fd: Fd) -> Res<()> {
        let known = this.watched.with(this.header(), |watched| {
            let at = watched.0.iter().position(|(known, _)| *known == fd.0);
            at.map(|at| watched.0.remove(at))
        });
        match known {
            Some(_) => Ok(()),
            None => Err(vm.key_error(Value::int(fd.0.into()))),
        }
    }

    /// Polls the set of registered file descriptors.
    ///
    ///   timeout
    ///     The maximum time to wait in milliseconds, or else None (or a negative
    ///     value) to wait indefinitely.
    ///
    /// Returns a list containing any descriptors that have events or errors to
    /// report, as a list of (fd, event) 2-tuples.
    #[pymethod(sig = "($self, timeout=None, /)")]
    fn poll(vm: &Vm, this: &Py<Poll>, timeout: Option<&Value>) -> Res<Value> {
        let end = until(vm, timeout, 1_000_000, "timeout must be an integer or None")?;
        let end = match end {
            Some((ns, _)) if ns < 0 => None,
            Some((ns, _)) if ns.div_euclid(1_000_000) > i64::from(i32::MAX) => {
                return Err(vm.overflow_error("timeout is too large"));
            }
            Some((_, end)) => end,
            None => None,
        };
        if this.polling.swap(true, AcqRel) {
            return Err(vm.runtime_error("concurrent poll() invocation"));
        }
        let _waiting = Waiting(&this.polling.0);
        let mut fds: Vec<libc::pollfd> = this.watched.with(this.header(), |watched| {
            let one = |(fd, events): &(i32, u16)| libc::pollfd {
                fd: *fd,
                events: *events as libc::c_short,
                revents: 0,
            };
            watched.0.iter().map(one).collect()
        });
        blocking(vm, ParkReason::Select, || {
            c!(poll(
                fds.as_mut_ptr(),
                fds.len() as libc::nfds_t,
                poll_milliseconds(end)
            ))
        })?;
        let hits = fds.iter().filter(|fd| fd.revents != 0).map(|fd| {
            let events = i64::from(fd.revents as u16);
            Tuple::pair(Value::int(fd.fd.into()), Value::int(events)).into_value()
        });
        Ok(List::new(hits.collect()).into_value())
    }
}
