//! `_socket`: the BSD socket interface.
//!
//! Invariant: a socket's descriptor is taken out of the object before it is closed. A socket with a timeout is non-blocking
//! for the system, and every operation waits with `poll` for what is left of the time. Left out: TIPC and Bluetooth addresses.

mod address;
mod constants;
mod message;
mod object;
mod options;
mod resolve;
mod transfer;

use std::sync::atomic::{AtomicI64, Ordering::Relaxed};

use lisle_runtime::native::{Py, Res, Value, Vm, pymodule};
use lisle_runtime::types::exceptions;
use lisle_runtime::types::module::Module;

use crate::exception::ExceptionClass;
use crate::syscall::{Errno, OrRaise, c, check, detached, fd_of, int_arg};
use crate::timeout::nanoseconds;
pub(crate) use object::Socket;

static HERROR: ExceptionClass = ExceptionClass::new("socket", "herror", &exceptions::OS_ERROR);
static GAIERROR: ExceptionClass = ExceptionClass::new("socket", "gaierror", &exceptions::OS_ERROR);

/// The timeout of new sockets in nanoseconds; -1 for none.
static DEFAULT_TIMEOUT: AtomicI64 = AtomicI64::new(-1);

/// A timeout as `settimeout` takes it, in nanoseconds; -1 for none.
fn timeout_of(vm: &Vm, value: &Value) -> Res<i64> {
    if value.is_none() {
        return Ok(-1);
    }
    let ns = nanoseconds(vm, value, 1_000_000_000)?;
    if ns < 0 {
        return Err(vm.value_error("Timeout value out of range"));
    }
    // As much as `poll` can wait.
    if ns / 1_000_000 > i64::from(i32::MAX) {
        return Err(vm.overflow_error("timeout doesn't fit into C timeval"));
    }
    Ok(ns)
}

/// A timeout as programs see it.
fn timeout_value(ns: i64) -> Value {
    if ns < 0 {
        Value::NONE
    } else {
        Value::float(ns as f64 / 1e9)
    }
}

#[pymodule(
    name = "_socket",
    doc = "Implementation module for socket operations.\n\nSee the socket module for documentation.",
    types(Socket),
    parts(constants::module::DEF, resolve::module::DEF)
)]
pub mod module {
    use super::{constants, resolve, *};

    #[pyattr]
    fn SocketType(_vm: &Vm) -> Value {
        use lisle_runtime::native::Native;
        Socket::ty().to_value()
    }

    #[pyattr]
    fn error(_vm: &Vm) -> Value {
        exceptions::OS_ERROR.get().to_value()
    }

    #[pyattr]
    fn timeout(_vm: &Vm) -> Value {
        exceptions::TIMEOUT_ERROR.get().to_value()
    }

    #[pyattr]
    fn herror(vm: &Vm) -> Res<Value> {
        HERROR.get(vm).map(|class| class.to_value())
    }

    #[pyattr]
    fn gaierror(vm: &Vm) -> Res<Value> {
        GAIERROR.get(vm).map(|class| class.to_value())
    }

    #[pyattr]
    fn has_ipv6(_vm: &Vm) -> bool {
        true
    }

    /// Returns the default timeout in seconds (float) for new socket objects.
    ///
    /// A value of None indicates that new socket objects have no timeout.
    /// When the socket module is first imported, the default is None.
    #[pyfunction(sig = "()")]
    fn getdefaulttimeout(_vm: &Vm) -> Value {
        timeout_value(DEFAULT_TIMEOUT.load(Relaxed))
    }

    /// Set the default timeout in seconds (float) for new socket objects.
    ///
    /// A value of None indicates that new socket objects have no timeout.
    /// When the socket module is first imported, the default is None.
    #[pyfunction(sig = "(timeout, /)")]
    fn setdefaulttimeout(vm: &Vm, timeout: &Value) -> Res<()> {
        DEFAULT_TIMEOUT.store(timeout_of(vm, timeout)?, Relaxed);
        Ok(())
    }

    /// close(integer) -> None
    ///
    /// Close an integer socket file descriptor.  This is like os.close(), but for
    /// sockets; on some platforms os.close() won't work for socket file descriptors.
    #[pyfunction(sig = "(fd, /)")]
    fn close(vm: &Vm, fd: &Value) -> Res<()> {
        let fd = int_arg(vm, fd)?;
        match detached(vm, || c!(close(fd))) {
            Err(Errno(libc::ECONNRESET | libc::EINTR)) => Ok(()),
            result => result.or_raise(vm).map(drop),
        }
    }

    /// dup(integer) -> integer
    ///
    /// Duplicate an integer socket file descriptor.  This is like os.dup(), but for
    /// sockets; on some platforms os.dup() won't work for socket file descriptors.
    #[pyfunction(sig = "(fd, /)")]
    fn dup(vm: &Vm, fd: &Value) -> Res<i32> {
        let fd = fd_of(vm, fd)?.0;
        check(c!(fcntl(fd, libc::F_DUPFD_CLOEXEC, 0))).or_raise(vm)
    }

    /// socketpair([family[, type [, proto]]]) -> (socket object, socket object)
    ///
    /// Create a pair of socket objects from the sockets returned by the platform
    /// socketpair() function.
    /// The arguments are the same as for socket() except the default family is AF_UNIX
    /// if defined on the platform; otherwise, the default is AF_INET.
    #[pyfunction(sig = "(family=1, type=1, proto=0, /)")]
    fn socketpair(vm: &Vm, family: Option<i32>, r#type: Option<i32>, proto: i32) -> Res<(Value, Value)> {
        let (family, kind) = (family.unwrap_or(libc::AF_UNIX), r#type.unwrap_or(libc::SOCK_STREAM));
        let mut fds = [-1; 2];
        detached(vm, || {
            c!(socketpair(family, kind | libc::SOCK_CLOEXEC, proto, fds.as_mut_ptr()))
        })
        .or_raise(vm)?;
        let one = |fd| Socket::adopt(vm, fd, family, kind, proto);
        let first = one(fds[0]);
        let second = one(fds[1]);
        Ok((first?, second?))
    }

    #[init]
    fn init(_vm: &Vm, _module: &Py<Module>) -> Res<()> {
        Ok(())
    }
}
