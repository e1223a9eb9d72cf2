//! `_socket.socket`: the object: opening, closing, connecting, accepting.

use std::sync::atomic::{
    AtomicI32, AtomicI64,
    Ordering::{AcqRel, Acquire, Relaxed, Release},
};
use std::time::Instant;

use lisle_runtime::native::{Native, Py, Res, Str, Type, Value, Vm, pyclass, pymethods};
use lisle_runtime::threads::ParkReason;
use lisle_runtime::types::exceptions;

use super::address::Address;
use super::{DEFAULT_TIMEOUT, timeout_of, timeout_value};
use crate::syscall::{CResult, Errno, OrRaise, Sys, audit, c, check, detached};
use crate::timeout::{deadline, left, poll_milliseconds};

/// A socket.
#[pyclass(
    name = "socket",
    module = "_socket",
    basetype,
    flags = lisle_runtime::native::TypeFlags::LIKE_HEAP,
    doc = "socket(family=AF_INET, type=SOCK_STREAM, proto=0) -> socket object\nsocket(family=-1, type=-1, proto=-1, fileno=None) -> socket object\n\nOpen a socket of the given type.  The family argument specifies the\naddress family; it defaults to AF_INET.  The type argument specifies\nwhether this is a stream (SOCK_STREAM, this is the default)\nor datagram (SOCK_DGRAM) socket.  The protocol argument defaults to 0,\nspecifying the default protocol.  Keyword arguments are accepted.\nThe socket is created as non-inheritable.\n\nWhen a fileno is passed in, family, type and proto are auto-detected,\nunless they are explicitly set.\n\nA socket object represents one endpoint of a network connection."
)]
pub struct Socket {
    /// -1 when closed.
    fd: AtomicI32,
    family: AtomicI32,
    kind: AtomicI32,
    proto: AtomicI32,
    /// Nanoseconds; -1 for none, 0 for non-blocking.
    timeout: AtomicI64,
}

impl Drop for Socket {
    fn drop(&mut self) {
        let fd = *self.fd.get_mut();
        if fd >= 0 {
            c!(close(fd));
        }
    }
}

/// What an operation waits for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Ready {
    Read,
    Write,
}

impl Socket {
    fn closed() -> Socket {
        Socket {
            fd: AtomicI32::new(-1),
            family: AtomicI32::new(0),
            kind: AtomicI32::new(0),
            proto: AtomicI32::new(0),
            timeout: AtomicI64::new(-1),
        }
    }

    /// Makes this the socket `fd`, which it owns from now on.
    fn set(&self, vm: &Vm, fd: i32, family: i32, kind: i32, proto: i32) -> Res<()> {
        self.family.store(family, Relaxed);
        self.kind
            .store(kind & !(libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK), Relaxed);
        self.proto.store(proto, Relaxed);
        let timeout = if kind & libc::SOCK_NONBLOCK != 0 {
            0
        } else {
            DEFAULT_TIMEOUT.load(Relaxed)
        };
        self.timeout.store(timeout, Relaxed);
        let old = self.fd.swap(fd, AcqRel);
        if old >= 0 && old != fd {
            c!(close(old));
        }
        if timeout >= 0 && kind & libc::SOCK_NONBLOCK == 0 {
            set_blocking(fd, false).or_raise(vm)?;
        }
        Ok(())
    }

    /// A socket object of the plain class.
    pub fn adopt(vm: &Vm, fd: i32, family: i32, kind: i32, proto: i32) -> Res<Value> {
        let socket = Py::with_class(Socket::ty(), Socket::closed());
        socket.set(vm, fd, family, kind, proto)?;
        Ok(socket.into_value())
    }

    pub fn fd(&self) -> i32 {
        self.fd.load(Acquire)
    }

    pub fn family(&self) -> i32 {
        self.family.load(Relaxed)
    }

    /// Nanoseconds; -1 for none, 0 for non-blocking.
    pub fn timeout_ns(&self) -> i64 {
        self.timeout.load(Relaxed)
    }

    /// When an operation that starts now has to end.
    pub fn deadline(&self) -> Option<Instant> {
        match self.timeout_ns() {
            ns @ 1.. => deadline(ns),
            _ => None,
        }
    }

    /// Makes a call that transfers something, waiting for the socket as its timeout says.
    pub fn call<T: CResult>(&self, vm: &Vm, ready: Ready, f: impl FnMut(i32) -> T) -> Res<T> {
        self.call_until(vm, ready, self.deadline(), f)
    }

    /// As [`Socket::call`], with a time that several calls share.
    pub fn call_until<T: CResult>(
        &self,
        vm: &Vm,
        ready: Ready,
        until: Option<Instant>,
        mut f: impl FnMut(i32) -> T,
    ) -> Res<T> {
        loop {
            if until.is_some() && !self.wait(vm, ready, until)? {
                return Err(vm.exception_with(&exceptions::TIMEOUT_ERROR, "timed out"));
            }
            let fd = self.fd();
            match vm.thread.detached_for(ParkReason::Io, || check(f(fd))) {
                Err(Errno(libc::EINTR)) => vm.safepoint()?,
                // Somebody else was faster: the time that is left counts.
                Err(Errno(libc::EAGAIN)) if until.is_some() => vm.safepoint()?,
                result => return result.or_raise(vm),
            }
        }
    }

    /// Waits until the socket is ready; false when the time is up.
    fn wait(&self, vm: &Vm, ready: Ready, until: Option<Instant>) -> Res<bool> {
        let events = match ready {
            Ready::Read => libc::POLLIN,
            Ready::Write => libc::POLLOUT,
        };
        self.wait_for(vm, events, until)
    }

    /// Waits for events of `poll`; false when the time is up.
    pub fn wait_for(&self, vm: &Vm, events: libc::c_short, until: Option<Instant>) -> Res<bool> {
        loop {
            let fd = self.fd();
            if fd < 0 {
                // The call that follows fails as it should.
                return Ok(true);
            }
            let mut poll = libc::pollfd { fd, events, revents: 0 };
            let wait = || check(c!(poll(&mut poll, 1, poll_milliseconds(until))));
            match vm.thread.detached_for(ParkReason::Io, wait) {
                Err(Errno(libc::EINTR)) => vm.safepoint()?,
                Ok(0) if until.is_some_and(|until| left(until).is_zero()) => return Ok(false),
                Ok(0) => {}
                Ok(_) => return Ok(true),
                Err(error) => return Err(error).or_raise(vm),
            }
        }
    }

    /// Connects; the inner result is the number of the error.
    fn connect_to(&self, vm: &Vm, address: &Address) -> Res<Sys<()>> {
        let fd = self.fd();
        let first = detached(vm, || {
            let (pointer, len) = address.as_ptr();
            c!(connect(fd, pointer, len))
        });
        let wait = match first {
            Ok(_) => return Ok(Ok(())),
            Err(Errno(libc::EINTR)) => {
                vm.safepoint()?;
                self.timeout_ns() != 0
            }
            Err(Errno(libc::EINPROGRESS)) => self.timeout_ns() > 0,
            Err(_) => false,
        };
        if !wait {
            return Ok(first.map(drop));
        }
        // The system goes on connecting; it is done when something can be written.
        if !self.wait_for(vm, libc::POLLOUT | libc::POLLERR, self.deadline())? {
            return Ok(Err(Errno(libc::EWOULDBLOCK)));
        }
        let mut error = 0i32;
        let mut len = size_of::<i32>() as libc::socklen_t;
        let (level, name) = (libc::SOL_SOCKET, libc::SO_ERROR);
        if let Err(errno) = check(c!(getsockopt(
            self.fd(),
            level,
            name,
            (&raw mut error).cast(),
            &mut len
        ))) {
            return Ok(Err(errno));
        }
        Ok(match error {
            0 | libc::EISCONN => Ok(()),
            errno => Err(Errno(errno)),
        })
    }

    fn shut(vm: &Vm, this: &Py<Socket>) -> Res<()> {
        let fd = this.fd.swap(-1, AcqRel);
        if fd < 0 {
            return Ok(());
        }
        match detached(vm, || c!(close(fd))) {
            // The other side was faster; the descriptor is closed.
            Err(Errno(libc::ECONNRESET | libc::EINTR)) => Ok(()),
            result => result.or_raise(vm).map(drop),
        }
    }

    fn set_timeout(vm: &Vm, this: &Py<Socket>, ns: i64) -> Res<()> {
        this.timeout.store(ns, Release);
        set_blocking(this.fd(), ns < 0).or_raise(vm)
    }
}

fn set_blocking(fd: i32, blocking: bool) -> Sys<()> {
    let flags = check(c!(fcntl(fd, libc::F_GETFL)))?;
    let wanted = if blocking {
        flags & !libc::O_NONBLOCK
    } else {
        flags | libc::O_NONBLOCK
    };
    if wanted != flags {
        check(c!(fcntl(fd, libc::F_SETFL, wanted)))?;
    }
    Ok(())
}

/// An option of the system that is an int.
fn int_option(fd: i32, name: i32) -> Sys<i32> {
    let mut value = 0i32;
    let mut len = size_of::<i32>() as libc::socklen_t;
    check(c!(getsockopt(
        fd,
        libc::SOL_SOCKET,
        name,
        (&raw mut value).cast(),
        &mut len
    )))?;
    Ok(value)
}

#[pymethods(parts(define_transfer, define_messages, define_options))]
impl Socket {
    #[slot]
    fn __new__(_vm: &Vm, cls: &Py<Type>, _args: lisle_runtime::native::Args<'_>) -> Value {
        Py::with_class(cls, Socket::closed()).into_value()
    }

    #[slot(sig = "(family=-1, type=-1, proto=-1, fileno=None)")]
    fn __init__(
        vm: &Vm,
        this: &Py<Socket>,
        family: Option<i32>,
        r#type: Option<i32>,
        proto: Option<i32>,
        fileno: Option<&Value>,
    ) -> Res<()> {
        let (family, kind) = (family.unwrap_or(-1), r#type.unwrap_or(-1));
        let proto = proto.unwrap_or(-1);
        let [f, k, p] = [family, kind, proto].map(|n| Value::int(n.into()));
        audit!(vm, "socket.__new__", this.to_value(), f, k, p);
        let Some(fileno) = fileno.filter(|f| !f.is_none()) else {
            let family = if family == -1 { libc::AF_INET } else { family };
            let kind = if kind == -1 { libc::SOCK_STREAM } else { kind };
            let proto = proto.max(0);
            let fd = detached(vm, || c!(socket(family, kind | libc::SOCK_CLOEXEC, proto))).or_raise(vm)?;
            return this.set(vm, fd, family, kind, proto);
        };
        if crate::timeout::float_of(vm, fileno)?.is_some() {
            return Err(vm.type_error("integer argument expected, got float"));
        }
        let fd = crate::syscall::int_arg(vm, fileno)?;
        if fd < 0 {
            return Err(vm.value_error("negative file descriptor"));
        }
        let detected = Address::receive(|pointer, len| check(c!(getsockname(fd, pointer, len))));
        let family = match detected {
            Ok(address) if family == -1 => address.family(),
            // What is asked for is known; that it is a socket at all still has to be.
            Ok(_) => family,
            Err(Errno(libc::EBADF | libc::ENOTSOCK)) => return detected.map(drop).or_raise(vm),
            Err(_) if family == -1 => return detected.map(drop).or_raise(vm),
            Err(_) => family,
        };
        let kind = match kind {
            -1 => int_option(fd, libc::SO_TYPE).or_raise(vm)?,
            kind => kind,
        };
        let proto = match proto {
            -1 => int_option(fd, libc::SO_PROTOCOL).or_raise(vm)?,
            proto => proto,
        };
        this.set(vm, fd, family, kind, proto)
    }

    #[slot]
    fn __repr__(_: &Vm, this: &Py<Socket>) -> Value {
        let (fd, family) = (this.fd(), this.family());
        let (kind, proto) = (this.kind.load(Relaxed), this.proto.load(Relaxed));
        let text = format!("<socket object, fd={fd}, family={family}, type={kind}, proto={proto}>");
        Str::from_str(&text).into_value()
    }

    #[slot]
    fn __del__(vm: &Vm, this: &Py<Socket>) -> Res<()> {
        if this.fd() >= 0 {
            let shown = vm.repr(this.as_value())?.to_string_lossy();
            let message = format!("unclosed {shown}");
            let warned = vm.warn(exceptions::RESOURCE_WARNING.get(), &message, 1);
            Socket::shut(vm, this)?;
            warned?;
        }
        Ok(())
    }

    /// the socket family
    #[getter(name = "family")]
    fn get_family(_: &Vm, this: &Py<Socket>) -> i32 {
        this.family.load(Relaxed)
    }

    /// the socket type
    #[getter(name = "type")]
    fn kind(_: &Vm, this: &Py<Socket>) -> i32 {
        this.kind.load(Relaxed)
    }

    /// the socket protocol
    #[getter]
    fn proto(_: &Vm, this: &Py<Socket>) -> i32 {
        this.proto.load(Relaxed)
    }

    /// the socket timeout
    #[getter]
    fn timeout(_: &Vm, this: &Py<Socket>) -> Value {
        timeout_value(this.timeout_ns())
    }

    /// _accept() -> (integer, address info)
    ///
    /// Wait for an incoming connection.  Return a new socket file descriptor
    /// representing the connection, and the address of the client.
    /// For IP sockets, the address info is a pair (hostaddr, port).
    #[pymethod(sig = "($self, /)")]
    fn _accept(vm: &Vm, this: &Py<Socket>) -> Res<(i32, Value)> {
        let mut address = Address::empty();
        let fd = this.call(vm, Ready::Read, |fd| {
            let (pointer, len) = address.receiving();
            c!(accept4(fd, pointer, len, libc::SOCK_CLOEXEC))
        })?;
        match address.to_value(vm) {
            Ok(value) => Ok((fd, value)),
            Err(exc) => {
                c!(close(fd));
                Err(exc)
            }
        }
    }

    /// bind(address)
    ///
    /// Bind the socket to a local address.  For IP sockets, the address is a
    /// pair (host, port); the host must refer to the local host. For raw packet
    /// sockets the address is a tuple (ifname, proto [,pkttype [,hatype [,addr]]])
    #[pymethod(sig = "($self, address, /)")]
    fn bind(vm: &Vm, this: &Py<Socket>, address: &Value) -> Res<()> {
        audit!(vm, "socket.bind", this.to_value(), address.clone());
        let address = Address::parse(vm, this, address, "bind")?;
        let fd = this.fd();
        let result = detached(vm, || {
            let (pointer, len) = address.as_ptr();
            c!(bind(fd, pointer, len))
        });
        result.or_raise(vm).map(drop)
    }

    /// close()
    ///
    /// Close the socket.  It cannot be used after this call.
    #[pymethod(sig = "($self, /)")]
    fn close(vm: &Vm, this: &Py<Socket>) -> Res<()> {
        Socket::shut(vm, this)
    }

    /// detach()
    ///
    /// Close the socket object without closing the underlying file descriptor.
    /// The object cannot be used after this call, but the file descriptor
    /// can be reused for other purposes.  The file descriptor is returned.
    #[pymethod(sig = "($self, /)")]
    fn detach(_: &Vm, this: &Py<Socket>) -> i32 {
        this.fd.swap(-1, AcqRel)
    }

    /// fileno() -> integer
    ///
    /// Return the integer file descriptor of the socket.
    #[pymethod(sig = "($self, /)")]
    fn fileno(_: &Vm, this: &Py<Socket>) -> i32 {
        this.fd()
    }

    /// connect(address)
    ///
    /// Connect the socket to a remote address.  For IP sockets, the address
    /// is a pair (host, port).
    #[pymethod(sig = "($self, address, /)")]
    fn connect(vm: &Vm, this: &Py<Socket>, address: &Value) -> Res<()> {
        audit!(vm, "socket.connect", this.to_value(), address.clone());
        let address = Address::parse(vm, this, address, "connect")?;
        match this.connect_to(vm, &address)? {
            Err(Errno(libc::EWOULDBLOCK)) if this.timeout_ns() > 0 => {
                Err(vm.exception_with(&exceptions::TIMEOUT_ERROR, "timed out"))
            }
            result => result.or_raise(vm),
        }
    }

    /// connect_ex(address) -> errno
    ///
    /// This is like connect(address), but returns an error code (the errno value)
    /// instead of raising an exception when an error occurs.
    #[pymethod(sig = "($self, address, /)")]
    fn connect_ex(vm: &Vm, this: &Py<Socket>, address: &Value) -> Res<i32> {
        audit!(vm, "socket.connect", this.to_value(), address.clone());
        let address = Address::parse(vm, this, address, "connect_ex")?;
        Ok(match this.connect_to(vm, &address)? {
            Ok(()) => 0,
            Err(errno) => errno.0,
        })
    }

    /// getpeername() -> address info
    ///
    /// Return the address of the remote endpoint.  For IP sockets, the address
    /// info is a pair (hostaddr, port).
    #[pymethod(sig = "($self, /)")]
    fn getpeername(vm: &Vm, this: &Py<Socket>) -> Res<Value> {
        let fd = this.fd();
        Address::receive(|pointer, len| check(c!(getpeername(fd, pointer, len))))
            .or_raise(vm)?
            .to_value(vm)
    }

    /// getsockname() -> address info
    ///
    /// Return the address of the local endpoint. The format depends on the
    /// address family. For IPv4 sockets, the address info is a pair
    /// (hostaddr, port). For IPv6 sockets, the address info is a 4-tuple
    /// (hostaddr, port, flowinfo, scope_id).
    #[pymethod(sig = "($self, /)")]
    fn getsockname(vm: &Vm, this: &Py<Socket>) -> Res<Value> {
        let fd = this.fd();
        Address::receive(|pointer, len| check(c!(getsockname(fd, pointer, len))))
            .or_raise(vm)?
            .to_value(vm)
    }

    /// listen([backlog])
    ///
    /// Enable a server to accept connections.  If backlog is specified, it must be
    /// at least 0 (if it is lower, it is set to 0); it specifies the number of
    /// unaccepted connections that the system will allow before refusing new
    /// connections. If not specified, a default reasonable value is chosen.
    #[pymethod(sig = "($self, backlog=128, /)")]
    fn listen(vm: &Vm, this: &Py<Socket>, backlog: Option<i32>) -> Res<()> {
        let (fd, backlog) = (this.fd(), backlog.unwrap_or(128).max(0));
        detached(vm, || c!(listen(fd, backlog))).or_raise(vm).map(drop)
    }

    /// shutdown(flag)
    ///
    /// Shut down the reading side of the socket (flag == SHUT_RD), the writing side
    /// of the socket (flag == SHUT_WR), or both ends (flag == SHUT_RDWR).
    #[pymethod(sig = "($self, how, /)")]
    fn shutdown(vm: &Vm, this: &Py<Socket>, how: i32) -> Res<()> {
        let fd = this.fd();
        detached(vm, || c!(shutdown(fd, how))).or_raise(vm).map(drop)
    }

    /// setblocking(flag)
    ///
    /// Set the socket to blocking (flag is true) or non-blocking (false).
    /// setblocking(True) is equivalent to settimeout(None);
    /// setblocking(False) is equivalent to settimeout(0.0).
    #[pymethod(sig = "($self, flag, /)")]
    fn setblocking(vm: &Vm, this: &Py<Socket>, flag: bool) -> Res<()> {
        Socket::set_timeout(vm, this, if flag { -1 } else { 0 })
    }

    /// getblocking()
    ///
    /// Returns True if socket is in blocking mode, or False if it
    /// is in non-blocking mode.
    #[pymethod(sig = "($self, /)")]
    fn getblocking(_: &Vm, this: &Py<Socket>) -> bool {
        this.timeout_ns() != 0
    }

    /// settimeout(timeout)
    ///
    /// Set a timeout on socket operations.  'timeout' can be a float,
    /// giving in seconds, or None.  Setting a timeout of None disables
    /// the timeout feature and is equivalent to setblocking(1).
    /// Setting a timeout of zero is the same as setblocking(0).
    #[pymethod(sig = "($self, timeout, /)")]
    fn settimeout(vm: &Vm, this: &Py<Socket>, timeout: &Value) -> Res<()> {
        Socket::set_timeout(vm, this, timeout_of(vm, timeout)?)
    }

    /// gettimeout() -> timeout
    ///
    /// Returns the timeout in seconds (float) associated with socket
    /// operations. A timeout of None indicates that timeouts on socket
    /// operations are disabled.
    #[pymethod(sig = "($self, /)")]
    fn gettimeout(_: &Vm, this: &Py<Socket>) -> Value {
        timeout_value(this.timeout_ns())
    }
}
