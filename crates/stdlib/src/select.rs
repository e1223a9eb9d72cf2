//! `select`: waiting for descriptors: `select`, `poll` and `epoll`.
//!
//! Invariant: waits are detached and go on after a signal with what is left of their time.

mod epoll;
mod poll;

use std::time::Instant;

use lisle_runtime::native::{Py, Res, Value, Vm, pymodule};
use lisle_runtime::threads::ParkReason;
use lisle_runtime::types::exceptions;
use lisle_runtime::types::list::List;
use lisle_runtime::types::module::Module;

use crate::constants;
use crate::syscall::{blocking, c, fd_of, zeroed};
use crate::timeout::{deadline, left, nanoseconds};

constants::constants! {
    EPOLLERR EPOLLEXCLUSIVE EPOLLHUP EPOLLIN EPOLLMSG EPOLLONESHOT EPOLLOUT EPOLLPRI EPOLLRDBAND EPOLLRDHUP
    EPOLLRDNORM EPOLLWRBAND EPOLLWRNORM EPOLL_CLOEXEC PIPE_BUF POLLERR POLLHUP POLLIN POLLNVAL POLLOUT POLLPRI
    POLLRDBAND POLLRDHUP POLLRDNORM POLLWRBAND POLLWRNORM
    ;
    EPOLLET = 1 << 31, POLLMSG = 1024,
}

/// The objects of one argument, with their descriptors.
fn watched(vm: &Vm, items: &Value) -> Res<Vec<(i32, Value)>> {
    if let Some(list) = items.downcast::<List>() {
        // A list is looked at as it is: `fileno` may change it.
        let mut found = Vec::new();
        while let Some(item) = list.get(found.len()) {
            if found.len() >= libc::FD_SETSIZE {
                return Err(vm.value_error("too many file descriptors in select()"));
            }
            found.push((watched_fd(vm, &item)?, item));
        }
        return Ok(found);
    }
    let items = match vm.collect(items) {
        Err(e) if e.is(&exceptions::TYPE_ERROR) && items.ty().slots().iter.is_none() => {
            return Err(vm.type_error("arguments 1-3 must be sequences"));
        }
        result => result?,
    };
    let mut found = Vec::with_capacity(items.len());
    for item in items {
        found.push((watched_fd(vm, &item)?, item));
    }
    Ok(found)
}

fn watched_fd(vm: &Vm, item: &Value) -> Res<i32> {
    let fd = fd_of(vm, item)?.0;
    if fd as usize >= libc::FD_SETSIZE {
        return Err(vm.value_error("filedescriptor out of range in select()"));
    }
    Ok(fd)
}

fn set_of(watched: &[(i32, Value)]) -> libc::fd_set {
    // SAFETY: plain data.
    let mut set: libc::fd_set = unsafe { zeroed() };
    for (fd, _) in watched {
        // The number is below the size of the set.
        c!(FD_SET(*fd, &mut set));
    }
    set
}

fn ready(watched: Vec<(i32, Value)>, set: &libc::fd_set) -> Value {
    let hit = watched.into_iter().filter(|(fd, _)| c!(FD_ISSET(*fd, set)));
    List::new(hit.map(|(_, item)| item).collect()).into_value()
}

/// The end of a wait for a timeout in units of `unit` nanoseconds; `None` for no end.
fn until(vm: &Vm, timeout: Option<&Value>, unit: i64, expected: &str) -> Res<Option<(i64, Option<Instant>)>> {
    let Some(timeout) = timeout.filter(|t| !t.is_none()) else {
        return Ok(None);
    };
    match nanoseconds(vm, timeout, unit) {
        Ok(ns) => Ok(Some((ns, deadline(ns)))),
        Err(e) if e.is(&exceptions::TYPE_ERROR) => Err(vm.type_error(expected.to_owned())),
        Err(e) => Err(e),
    }
}

#[pymodule(
    name = "select",
    doc = "This module supports asynchronous I/O on multiple file descriptors.\n\n*** IMPORTANT NOTICE ***\nOn Windows, only sockets are supported; on Unix, all file descriptors.",
    types(epoll::Epoll)
)]
pub mod module {
    use super::*;

    #[pyattr]
    fn error(_vm: &Vm) -> Value {
        exceptions::OS_ERROR.get().to_value()
    }

    /// Wait until one or more file descriptors are ready for some kind of I/O.
    ///
    /// The first three arguments are iterables of file descriptors to be waited for:
    /// rlist -- wait until ready for reading
    /// wlist -- wait until ready for writing
    /// xlist -- wait for an "exceptional condition"
    /// If only one kind of condition is required, pass [] for the other lists.
    ///
    /// A file descriptor is either a socket or file object, or a small integer
    /// gotten from a fileno() method call on one of those.
    ///
    /// The optional 4th argument specifies a timeout in seconds; it may be
    /// a floating-point number to specify fractions of seconds.  If it is absent
    /// or None, the call will never time out.
    ///
    /// The return value is a tuple of three lists corresponding to the first three
    /// arguments; each contains the subset of the corresponding file descriptors
    /// that are ready.
    ///
    /// *** IMPORTANT NOTICE ***
    /// On Windows, only sockets are supported; on Unix, all file
    /// descriptors can be used.
    #[pyfunction(sig = "(rlist, wlist, xlist, timeout=None, /)")]
    fn select(
        vm: &Vm,
        rlist: &Value,
        wlist: &Value,
        xlist: &Value,
        timeout: Option<&Value>,
    ) -> Res<(Value, Value, Value)> {
        let until = until(vm, timeout, 1_000_000_000, "timeout must be a float or None")?;
        if until.is_some_and(|(ns, _)| ns < 0) {
            return Err(vm.value_error("timeout must be non-negative"));
        }
        let until = until.and_then(|(_, until)| until);
        let (reads, writes, excepts) = (watched(vm, rlist)?, watched(vm, wlist)?, watched(vm, xlist)?);
        let all = reads.iter().chain(&writes).chain(&excepts);
        let count = all.map(|(fd, _)| fd + 1).max().unwrap_or(0);
        let (mut r, mut w, mut x) = (set_of(&reads), set_of(&writes), set_of(&excepts));
        blocking(vm, ParkReason::Select, || {
            (r, w, x) = (set_of(&reads), set_of(&writes), set_of(&excepts));
            let time = until.map(|until| {
                let left = left(until);
                let usec = left.subsec_nanos().div_ceil(1000);
                libc::timeval {
                    tv_sec: left.as_secs() as i64 + i64::from(usec / 1_000_000),
                    tv_usec: (usec % 1_000_000).into(),
                }
            });
            let mut time = time;
            let time = time.as_mut().map_or(std::ptr::null_mut(), std::ptr::from_mut);
            c!(select(count, &mut r, &mut w, &mut x, time))
        })?;
        Ok((ready(reads, &r), ready(writes, &w), ready(excepts, &x)))
    }

    /// Returns a polling object.
    ///
    /// This object supports registering and unregistering file descriptors, and then
    /// polling them for I/O events.
    #[pyfunction(sig = "()")]
    fn poll(_vm: &Vm) -> Value {
        super::poll::new_value()
    }

    #[init]
    fn init(_vm: &Vm, module: &Py<Module>) -> Res<()> {
        constants::add(module, CONSTANTS);
        Ok(())
    }
}
