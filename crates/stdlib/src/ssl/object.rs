//! `_ssl._SSLSocket`: one TLS connection over a socket or a pair of `MemoryBIO`s.
//!
//! Invariant: the engine's mutex is held within detached steps only, or for a look without Python calls; waiting for the socket
//! holds nothing. The object refers to its socket and owner weakly, which refer to it.

use std::sync::{Arc, Mutex};
use std::time::Instant;

use lisle_runtime::intern;
use lisle_runtime::memory::trace::Opaque;
use lisle_runtime::native::*;
use lisle_runtime::threads::{AcquireResult, RawLock};
use lisle_runtime::types::buffer::{self, BufferFlags};
use lisle_runtime::types::bytes::Bytes;
use lisle_runtime::types::exceptions;
use lisle_runtime::types::list::List;
use lisle_runtime::types::weakref::{Ref, new_ref};

use super::context::SslContext;
use super::engine::{Engine, SharedMemory, Step, Transport, WRITE_MAX, lock};
use super::errors::Fault;
use super::settings::{CERT_NONE, SUITES, Suite};
use super::show::{Certificate, MemoryBio, Session, certificate_dict};
use crate::socket::Socket;

/// A connection.
#[pyclass(name = "_SSLSocket", module = "_ssl", no_new)]
pub struct SslSocket {
    engine: Opaque<Arc<Mutex<Engine>>>,
    memory: Opaque<Option<(SharedMemory, SharedMemory)>>,
    /// Weak references.
    sock: Slot,
    owner: Slot,
    context: PySlot<SslContext>,
    server_side: bool,
    host: Value,
    /// Held while a thread reads and waits for what it reads: another one could take it from the connection, and leave this one waiting for
    /// a socket that has nothing more to give.
    reading: RawLock,
    /// Held while a thread writes and waits until what it wrote is sent: how much the connection has taken is told to the one that gave it.
    writing: RawLock,
}

/// Gives the right to read or write back.
struct Turn<'a>(&'a RawLock);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.release();
    }
}

/// What is being done, for the words of a timeout.
#[derive(Clone, Copy)]
enum Doing {
    Handshake,
    Reading,
    Writing,
}

impl Doing {
    fn timed_out(self) -> &'static str {
        match self {
            Doing::Handshake => "_ssl.c:1: The handshake operation timed out",
            Doing::Reading => "The read operation timed out",
            Doing::Writing => "The write operation timed out",
        }
    }
}

fn weak(vm: &Vm, target: Option<&Value>) -> Res<Slot> {
    match target.filter(|target| !target.is_none()) {
        Some(target) => Ok(Slot::new(new_ref(vm, Ref::ty(), target, None)?)),
        None => Ok(Slot::empty()),
    }
}

fn referred(vm: &Vm, slot: &Slot) -> Res<Option<Value>> {
    match slot.get() {
        Some(reference) => Ok(Some(vm.call(&reference, &[])?).filter(|target| !target.is_none())),
        None => Ok(None),
    }
}

/// What a connection is made over.
pub enum Over<'a> {
    Socket(&'a Value),
    Memory(&'a Py<MemoryBio>, &'a Py<MemoryBio>),
}

impl SslSocket {
    pub fn make(
        vm: &Vm,
        context: &Py<SslContext>,
        over: Over<'_>,
        server_side: bool,
        host: Option<&Value>,
        owner: Option<&Value>,
    ) -> Res<Value> {
        let settings = context.settings();
        let host = host.cloned().unwrap_or(Value::NONE);
        let name = match host.downcast::<Str>() {
            Some(text) => Some(text.to_string_lossy()),
            None if host.is_none() => None,
            None => return Err(vm.type_error("server_hostname must be str")),
        };
        if let Some(name) = &name {
            if name.is_empty() || name.starts_with('.') {
                let message = "server_hostname cannot be an empty string or start with a leading dot.";
                return Err(vm.value_error(message));
            }
            if name.contains('\0') {
                return Err(vm.type_error("argument must be encoded string without null bytes, not str"));
            }
        }
        context.check_side(vm, server_side)?;
        let (sock, memory) = match over {
            Over::Socket(sock) => {
                if sock.downcast::<Socket>().is_none() {
                    let found = sock.ty().name();
                    return Err(vm.type_error(format!(
                        "_wrap_socket() argument 'sock' must be _socket.socket, not {found}"
                    )));
                }
                (weak(vm, Some(sock))?, None)
            }
            Over::Memory(incoming, outgoing) => (
                Slot::empty(),
                Some((Arc::clone(&incoming.memory), Arc::clone(&outgoing.memory))),
            ),
        };
        Ok(Py::new(SslSocket {
            engine: Opaque(Arc::new(Mutex::new(Engine::new(settings, server_side, name)))),
            memory: Opaque(memory),
            sock,
            owner: weak(vm, owner)?,
            context: PySlot::new(context.clone()),
            server_side,
            host,
            reading: RawLock::new(),
            writing: RawLock::new(),
        })
        .into_value())
    }

    /// The socket, kept alive for as long as it is used.
    fn socket(vm: &Vm, this: &Py<SslSocket>) -> Res<Option<Py<Socket>>> {
        if this.memory.is_some() {
            return Ok(None);
        }
        match referred(vm, &this.sock)?.map(Value::try_into_py::<Socket>) {
            Some(Ok(socket)) => Ok(Some(socket)),
            _ => Err(Fault::Plain("Underlying socket connection gone").raise(vm)),
        }
    }

    fn transport(vm: &Vm, this: &Py<SslSocket>, socket: Option<&Py<Socket>>) -> Res<Transport> {
        match (socket, &*this.memory) {
            (Some(socket), _) if socket.fd() >= 0 => Ok(Transport::Socket(socket.fd())),
            (None, Some((incoming, outgoing))) => Ok(Transport::Memory(Arc::clone(incoming), Arc::clone(outgoing))),
            _ => Err(Fault::Plain("Underlying socket has been closed.").raise(vm)),
        }
    }

    /// Waits for the right to read or to write, if what is done needs one.
    fn begin<'a>(vm: &Vm, this: &'a Py<SslSocket>, doing: Doing, until: Option<Instant>) -> Res<Option<Turn<'a>>> {
        let lock = match doing {
            Doing::Handshake => return Ok(None),
            Doing::Reading => &this.reading,
            Doing::Writing => &this.writing,
        };
        loop {
            match lock.acquire(until, true) {
                AcquireResult::Acquired => return Ok(Some(Turn(lock))),
                AcquireResult::TimedOut => {
                    return Err(vm.exception_with(&exceptions::TIMEOUT_ERROR, doing.timed_out()));
                }
                AcquireResult::Interrupted => vm.safepoint()?,
            }
        }
    }

    /// Makes steps until one gets to the end, waiting for the socket as its timeout says.
    fn drive<T>(
        vm: &Vm,
        this: &Py<SslSocket>,
        doing: Doing,
        mut step: impl FnMut(&mut Engine, &Transport) -> Result<Step<T>, Fault>,
    ) -> Res<T> {
        let socket = SslSocket::socket(vm, this)?;
        let until = socket.as_ref().and_then(|socket| socket.deadline());
        let waits = socket.as_ref().is_some_and(|socket| socket.timeout_ns() != 0);
        let _turn = if waits {
            SslSocket::begin(vm, this, doing, until)?
        } else {
            None
        };
        loop {
            let transport = SslSocket::transport(vm, this, socket.as_ref())?;
            let engine = &*this.engine;
            let result = vm.detached(|| step(&mut lock(engine), &transport));
            let (fault, events) = match result {
                Ok(Step::Done(value)) => return Ok(value),
                Ok(Step::Decide) => {
                    SslSocket::decide(vm, this, &transport)?;
                    continue;
                }
                Ok(Step::WantRead) => (Fault::WantRead, libc::POLLIN),
                Ok(Step::WantWrite) => (Fault::WantWrite, libc::POLLOUT),
                Err(fault) => return Err(fault.raise(vm)),
            };
            let Some(socket) = socket.as_ref().filter(|socket| socket.timeout_ns() != 0) else {
                return Err(fault.raise(vm));
            };
            if !socket.wait_for(vm, events, until)? {
                return Err(vm.exception_with(&exceptions::TIMEOUT_ERROR, doing.timed_out()));
            }
        }
    }

    /// Whether calls wait for the socket.
    fn waits(vm: &Vm, this: &Py<SslSocket>) -> Res<bool> {
        Ok(SslSocket::socket(vm, this)?.is_none_or(|socket| socket.timeout_ns() != 0))
    }

    /// Writes everything, or as much as goes without waiting if it may not wait.
    fn write_all(vm: &Vm, this: &Py<SslSocket>, data: &[u8]) -> Res<usize> {
        let mut done = 0;
        while done < data.len() {
            let step = SslSocket::drive(vm, this, Doing::Writing, |engine, transport| {
                engine.write(transport, &data[done..])
            });
            match step {
                Ok(0) => break,
                Ok(n) => done += n,
                // What is left is for the next call, which fails in the same way.
                Err(_) if done > 0 && !SslSocket::waits(vm, this)? => break,
                Err(exc) => return Err(exc),
            }
        }
        Ok(done)
    }

    /// Asks the program what a server does with the name a client has asked for, and answers the client.
    fn decide(vm: &Vm, this: &Py<SslSocket>, transport: &Transport) -> Res<()> {
        let name = lock(&this.engine).greeting();
        let callback = this.context.get().and_then(|context| context.sni_callback.get());
        let mut alert = None;
        if let Some(callback) = callback.filter(|callback| !callback.is_none()) {
            let owner = match referred(vm, &this.owner)? {
                Some(owner) => owner,
                None => this.to_value(),
            };
            let context = this.context.get().map_or(Value::NONE, Py::into_value);
            let name = name.as_deref().map_or(Value::NONE, Value::from);
            match vm.call(&callback, &[owner, name, context]) {
                Ok(answer) if answer.is_none() => {}
                Ok(answer) => match vm.index_to_i64(&answer) {
                    Ok(number) => alert = Some(u8::try_from(number).unwrap_or(80)),
                    Err(exc) => {
                        vm.unraisable(exc, None, Some(&answer));
                        alert = Some(80);
                    }
                },
                Err(exc) => {
                    vm.unraisable(exc, None, Some(&callback));
                    alert = Some(40);
                }
            }
        }
        let engine = &*this.engine;
        let result = vm.detached(|| {
            let mut engine = lock(engine);
            match alert {
                Some(alert) => Err(engine.reject(transport, alert)),
                None => engine.admit(transport),
            }
        });
        result.map_err(|fault| fault.raise(vm))
    }

    /// A look at the state; `f` makes no Python objects.
    fn look<R>(&self, f: impl FnOnce(&mut Engine) -> R) -> R {
        f(&mut lock(&self.engine))
    }

    fn certificates(this: &Py<SslSocket>) -> Option<Vec<Vec<u8>>> {
        this.look(|engine| {
            let certs = engine.connection()?.peer_certificates()?;
            Some(certs.iter().map(|cert| cert.to_vec()).collect())
        })
    }

    fn chain(chain: Option<Vec<Vec<u8>>>) -> Value {
        match chain {
            Some(chain) => List::new(chain.into_iter().map(Certificate::make).collect()).into_value(),
            None => Value::NONE,
        }
    }
}

fn suite_tuple(vm: &Vm, suite: &Suite) -> Res<Value> {
    (suite.name, suite.protocol(), suite.bits).into_value(vm)
}

#[pymethods]
impl SslSocket {
    #[pymethod(sig = "($self, /)")]
    fn do_handshake(vm: &Vm, this: &Py<SslSocket>) -> Res<()> {
        SslSocket::drive(vm, this, Doing::Handshake, |engine, transport| {
            engine.handshake(transport)
        })
    }

    /// read(size, [buffer])
    /// Read up to size bytes from the SSL socket.
    #[pymethod(sig = "($self, size, buffer=None, /)")]
    fn read(vm: &Vm, this: &Py<SslSocket>, size: isize, target: Option<&Value>) -> Res<Value> {
        // As much as one record holds.
        const RECORD: usize = 16384;
        let target = target.filter(|target| !target.is_none());
        let wanted = match target {
            Some(target) => {
                let len = buffer::writable_len(vm, target)?;
                usize::try_from(size)
                    .ok()
                    .filter(|&size| size > 0 && size <= len)
                    .unwrap_or(len)
            }
            None => match usize::try_from(size) {
                Ok(size) => size,
                Err(_) => return Err(vm.value_error("size should not be negative")),
            },
        };
        if wanted == 0 {
            return Ok(if target.is_some() {
                Value::int(0)
            } else {
                Bytes::new_value(Vec::new())
            });
        }
        let mut data = vec![0; wanted.min(RECORD)];
        let n = SslSocket::drive(vm, this, Doing::Reading, |engine, transport| {
            engine.read(transport, &mut data)
        })?;
        data.truncate(n);
        match target {
            Some(target) => {
                buffer::copy_into(vm, target, 0, &data)?;
                Ok(Value::usize(n))
            }
            None => Ok(Bytes::new_value(data)),
        }
    }

    /// Writes the bytes-like object b into the SSL object.
    ///
    /// Returns the number of bytes written.
    #[pymethod(sig = "($self, b, /)")]
    fn write(vm: &Vm, this: &Py<SslSocket>, b: &Value) -> Res<usize> {
        if let Some(bytes) = b.downcast_exact::<Bytes>() {
            return SslSocket::write_all(vm, this, bytes.as_slice());
        }
        let view = buffer::get_buffer(vm, b, BufferFlags::SIMPLE)?;
        let mut done = 0;
        loop {
            let mut part = vec![0; (view.len - done).min(WRITE_MAX)];
            if !view.read(done, &mut part) {
                return Err(vm.buffer_error("the exported memory is no longer there"));
            }
            match SslSocket::write_all(vm, this, &part) {
                Ok(n) => done += n,
                Err(_) if done > 0 && !SslSocket::waits(vm, this)? => return Ok(done),
                Err(exc) => return Err(exc),
            }
            if done == view.len {
                return Ok(done);
            }
        }
    }

    /// Does the SSL shutdown handshake with the remote end.
    #[pymethod(sig = "($self, /)")]
    fn shutdown(vm: &Vm, this: &Py<SslSocket>) -> Res<Value> {
        SslSocket::drive(vm, this, Doing::Reading, |engine, transport| engine.shutdown(transport))?;
        Ok(referred(vm, &this.sock)?.unwrap_or(Value::NONE))
    }

    /// Returns the number of already decrypted bytes available for read, pending on the connection.
    #[pymethod(sig = "($self, /)")]
    fn pending(_vm: &Vm, this: &Py<SslSocket>) -> usize {
        this.look(Engine::pending)
    }

    /// Returns the certificate for the peer.
    ///
    /// If no certificate was provided, returns None.  If a certificate was
    /// provided, but not validated, returns an empty dictionary.  Otherwise
    /// returns a dict containing information about the peer certificate.
    ///
    /// If the optional argument is True, returns a DER-encoded copy of the
    /// peer certificate, or None if no certificate was provided.  This will
    /// return the certificate even if it wasn't validated.
    #[pymethod(sig = "($self, der=False, /)")]
    fn getpeercert(vm: &Vm, this: &Py<SslSocket>, der: Option<bool>) -> Res<Value> {
        let (done, checked) = this.look(|engine| {
            let checked = engine.settings.verify_mode != CERT_NONE;
            (engine.established().is_some(), checked)
        });
        if !done {
            return Err(vm.value_error("handshake not done yet"));
        }
        let Some(cert) = SslSocket::certificates(this).and_then(|certs| certs.into_iter().next()) else {
            return Ok(Value::NONE);
        };
        if der.unwrap_or(false) {
            return Ok(Bytes::new_value(cert));
        }
        if !checked {
            return Ok(lisle_runtime::types::dict::Dict::new_empty().into_value());
        }
        certificate_dict(vm, &cert)
    }

    #[pymethod(sig = "($self, /)")]
    fn get_verified_chain(_vm: &Vm, this: &Py<SslSocket>) -> Value {
        let chain = this.look(|engine| lock(&engine.watched).chain.clone());
        SslSocket::chain(chain.or_else(|| SslSocket::certificates(this)))
    }

    #[pymethod(sig = "($self, /)")]
    fn get_unverified_chain(_vm: &Vm, this: &Py<SslSocket>) -> Value {
        SslSocket::chain(SslSocket::certificates(this))
    }

    #[pymethod(sig = "($self, /)")]
    fn cipher(vm: &Vm, this: &Py<SslSocket>) -> Res<Value> {
        let suite = this.look(|engine| {
            let id = engine.connection()?.negotiated_cipher_suite()?.suite();
            Suite::of(id)
        });
        suite.map_or(Ok(Value::NONE), |suite| suite_tuple(vm, suite))
    }

    #[pymethod(sig = "($self, /)")]
    fn shared_ciphers(vm: &Vm, this: &Py<SslSocket>) -> Res<Value> {
        let Some(offered) = this.look(|engine| engine.offered.clone()) else {
            return Ok(Value::NONE);
        };
        let own = this.look(|engine| engine.settings.suites.clone());
        let shared = SUITES
            .iter()
            .filter(|suite| offered.contains(&suite.id) && own.iter().any(|own| own.suite() == suite.id));
        let shared: Res<Vec<Value>> = shared.map(|suite| suite_tuple(vm, suite)).collect();
        Ok(List::new(shared?).into_value())
    }

    #[pymethod(sig = "($self, /)")]
    fn version(_vm: &Vm, this: &Py<SslSocket>) -> Option<&'static str> {
        this.look(|engine| match engine.established()?.protocol_version()? {
            rustls::ProtocolVersion::TLSv1_3 => Some("TLSv1.3"),
            rustls::ProtocolVersion::TLSv1_2 => Some("TLSv1.2"),
            _ => Some("unknown"),
        })
    }

    #[pymethod(sig = "($self, /)")]
    fn selected_alpn_protocol(_vm: &Vm, this: &Py<SslSocket>) -> Option<String> {
        this.look(|engine| {
            let name = engine.connection()?.alpn_protocol()?;
            Some(String::from_utf8_lossy(name).into_owned())
        })
    }

    #[pymethod(sig = "($self, /)")]
    fn compression(_vm: &Vm, _this: &Py<SslSocket>) -> Value {
        Value::NONE
    }

    /// Get channel binding data for current connection.
    ///
    /// Raise ValueError if the requested `cb_type` is not supported.  Return bytes
    /// of the data or None if the data is not available (e.g. before the handshake).
    /// Only 'tls-unique' channel binding data from RFC 5929 is supported.
    #[pymethod(sig = "($self, /, cb_type='tls-unique')")]
    fn get_channel_binding(vm: &Vm, _this: &Py<SslSocket>, cb_type: Option<&Py<Str>>) -> Res<Value> {
        match cb_type {
            Some(kind) if !kind.is_text("tls-unique") => {
                let kind = kind.to_string_lossy();
                Err(vm.value_error(format!("'{kind}' channel binding type not implemented")))
            }
            // Not told by the library below.
            _ => Ok(Value::NONE),
        }
    }

    /// Initiate TLS 1.3 post-handshake authentication
    #[pymethod(sig = "($self, /)")]
    fn verify_client_post_handshake(vm: &Vm, this: &Py<SslSocket>) -> Res<()> {
        // A server that wants certificates has asked at the start.
        let asked = this
            .context
            .get()
            .is_some_and(|context| context.settings().verify_mode != CERT_NONE);
        let reason = match SslSocket::version(vm, this) {
            None => "UNINITIALIZED",
            Some("TLSv1.2") => "WRONG_SSL_VERSION",
            Some(_) if !this.server_side => "NOT_SERVER",
            Some(_) if asked => return Ok(()),
            Some(_) => "EXTENSION_NOT_RECEIVED",
        };
        Err(Fault::ssl(reason).raise(vm))
    }

    #[getter]
    fn context(_vm: &Vm, this: &Py<SslSocket>) -> Option<Py<SslContext>> {
        this.context.get()
    }

    #[setter(name = "context")]
    fn set_context(vm: &Vm, this: &Py<SslSocket>, value: Option<&Value>) -> Res<()> {
        let Some(context) = value.and_then(|value| value.downcast::<SslContext>()) else {
            return Err(vm.type_error("The value must be a SSLContext"));
        };
        let settings = context.settings();
        this.look(|engine| engine.replace_settings(settings));
        this.context.set(context.clone());
        Ok(())
    }

    #[getter]
    fn server_side(_vm: &Vm, this: &Py<SslSocket>) -> bool {
        this.server_side
    }

    #[getter]
    fn server_hostname(_vm: &Vm, this: &Py<SslSocket>) -> Value {
        this.host.clone()
    }

    #[getter]
    fn owner(vm: &Vm, this: &Py<SslSocket>) -> Res<Value> {
        Ok(referred(vm, &this.owner)?.unwrap_or(Value::NONE))
    }

    #[setter(name = "owner")]
    fn set_owner(vm: &Vm, this: &Py<SslSocket>, value: Option<&Value>) -> Res<()> {
        let reference = weak(vm, value)?;
        drop(this.owner.swap(reference.take()));
        Ok(())
    }

    #[getter]
    fn session(_vm: &Vm, _this: &Py<SslSocket>) -> Value {
        Value::NONE
    }

    #[setter(name = "session")]
    fn set_session(vm: &Vm, _this: &Py<SslSocket>, value: Option<&Value>) -> Res<()> {
        match value {
            Some(value) if value.is_none() => Ok(()),
            Some(value) if value.downcast::<Session>().is_some() => {
                Err(vm.value_error("Session refers to a different SSLContext."))
            }
            _ => Err(vm.type_error("Value is not a SSLSession.")),
        }
    }

    #[getter]
    fn session_reused(_vm: &Vm, _this: &Py<SslSocket>) -> bool {
        false
    }

    #[slot]
    fn __repr__(vm: &Vm, this: &Py<SslSocket>) -> Res<String> {
        let owner = vm.repr(&referred(vm, &this.owner)?.unwrap_or(Value::NONE))?;
        let name = intern!("_SSLSocket").to_string_lossy();
        Ok(format!("<_ssl.{name} of {}>", owner.to_string_lossy()))
    }
}
