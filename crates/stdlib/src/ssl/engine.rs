//! A connection's protocol: steps that neither block nor touch Python objects.
//!
//! Invariant: an [`Engine`] is worked on by one call at a time, for the length of a step; whoever has to wait for the transport
//! does so between steps, so that one thread can write while another waits for something to read. Records are taken from the
//! transport one at a time: what follows the end of the connection stays where it is, and `select` sees what can be read.

use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hasher};
use std::io::{self, Read, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustls::server::{Accepted, Acceptor};
use rustls::{CipherSuite, Connection, Error};

use super::errors::{Fault, of_tls};
use super::settings::{OP_IGNORE_UNEXPECTED_EOF, Settings, Watched};
use crate::syscall::{Errno, c, check};

/// The bytes of a `MemoryBIO`.
#[derive(Default)]
pub struct Memory {
    pub data: VecDeque<u8>,
    /// Nothing more will be written.
    pub ended: bool,
}

pub type SharedMemory = Arc<Mutex<Memory>>;

/// Locks plain data; a panic elsewhere does not make it unusable.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Where TLS records come from and go to.
pub enum Transport {
    Socket(i32),
    Memory(SharedMemory, SharedMemory),
}

impl Transport {
    /// 0 at the end, `None` if there is nothing now.
    fn read(&self, out: &mut [u8]) -> Result<Option<usize>, Fault> {
        match self {
            Transport::Socket(fd) => loop {
                match check(c!(recv(*fd, out.as_mut_ptr().cast(), out.len(), libc::MSG_DONTWAIT))) {
                    Ok(n) => return Ok(Some(n as usize)),
                    Err(Errno(libc::EINTR)) => {}
                    Err(Errno(libc::EAGAIN)) => return Ok(None),
                    Err(Errno(errno)) => return Err(Fault::System(errno)),
                }
            },
            Transport::Memory(incoming, _) => {
                let mut memory = lock(incoming);
                if memory.data.is_empty() {
                    return Ok(memory.ended.then_some(0));
                }
                memory.data.read(out).map(Some).map_err(|_| Fault::Eof)
            }
        }
    }

    fn write(&self, data: &[u8]) -> Result<Option<usize>, Fault> {
        match self {
            Transport::Socket(fd) => loop {
                let flags = libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL;
                match check(c!(send(*fd, data.as_ptr().cast(), data.len(), flags))) {
                    Ok(n) => return Ok(Some(n as usize)),
                    Err(Errno(libc::EINTR)) => {}
                    Err(Errno(libc::EAGAIN)) => return Ok(None),
                    Err(Errno(errno)) => return Err(Fault::System(errno)),
                }
            },
            Transport::Memory(_, outgoing) => {
                lock(outgoing).data.extend(data);
                Ok(Some(data.len()))
            }
        }
    }
}

/// How far a step got.
pub enum Step<T> {
    Done(T),
    WantRead,
    WantWrite,
    /// The server has to be told what to do with the client's greeting: [`Engine::greeting`], [`Engine::admit`].
    Decide,
}

enum Phase {
    /// A client that has not begun.
    Fresh,
    Accepting(Box<Acceptor>),
    Greeted(Box<Accepted>),
    Open(Box<Connection>),
    Dead(Fault),
}

pub struct Engine {
    phase: Phase,
    host: Option<String>,
    pub settings: Settings,
    /// What has still to be sent, from `sent` on.
    out: Vec<u8>,
    sent: usize,
    /// Bytes of the program that are encrypted but not reported as written, since they could not be sent at once: how many,
    /// and their hash, to know the call that gives them again.
    accepted: Option<(usize, u64)>,
    /// The record that is being read: its header so far, and how much of its body is missing.
    header: Vec<u8>,
    missing: usize,
    ended: bool,
    closing: bool,
    /// The cipher suites a client has offered.
    pub offered: Option<Vec<CipherSuite>>,
    pub server: bool,
    pub watched: Watched,
}

/// As much as one call takes of what is to be written.
pub const WRITE_MAX: usize = 1 << 20;

fn hash_of(data: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(data);
    hasher.finish()
}

impl Engine {
    pub fn new(settings: Settings, server: bool, host: Option<String>) -> Engine {
        Engine {
            phase: if server {
                Phase::Accepting(Box::default())
            } else {
                Phase::Fresh
            },
            host,
            settings,
            out: Vec::new(),
            sent: 0,
            accepted: None,
            header: Vec::new(),
            missing: 0,
            ended: false,
            closing: false,
            offered: None,
            server,
            watched: Watched::default(),
        }
    }

    /// The connection, once it has begun.
    pub fn connection(&self) -> Option<&Connection> {
        match &self.phase {
            Phase::Open(connection) => Some(connection),
            _ => None,
        }
    }

    /// The connection, once both sides have agreed.
    pub fn established(&self) -> Option<&Connection> {
        self.connection().filter(|connection| !connection.is_handshaking())
    }

    /// Another context before the connection has begun.
    pub fn replace_settings(&mut self, settings: Settings) {
        self.settings = settings;
    }

    /// Decrypted bytes that can be read at once.
    pub fn pending(&mut self) -> usize {
        match &mut self.phase {
            Phase::Open(connection) => connection
                .process_new_packets()
                .map_or(0, |state| state.plaintext_bytes_to_read()),
            _ => 0,
        }
    }

    /// The connection cannot go on.
    fn fail(&mut self, transport: &Transport, fault: Fault) -> Fault {
        // The other side is told, if it still listens.
        let _ = self.flush(transport);
        self.phase = Phase::Dead(fault.clone());
        fault
    }

    fn tls_fault(&self, error: &Error) -> Fault {
        match lock(&self.watched).refusal.take() {
            Some((code, text)) => Fault::Verify(code, text),
            None => of_tls(error, self.server),
        }
    }

    /// Sends what is to be sent; false if the transport takes no more.
    fn flush(&mut self, transport: &Transport) -> Result<bool, Fault> {
        if let Phase::Open(connection) = &mut self.phase {
            let mut memory = match transport {
                Transport::Memory(_, outgoing) if self.sent == self.out.len() => Some(lock(outgoing)),
                _ => None,
            };
            while connection.wants_write() {
                // Into memory: it cannot fail.
                let written = match &mut memory {
                    Some(memory) => connection.write_tls(&mut memory.data),
                    None => connection.write_tls(&mut self.out),
                };
                if written.is_err() {
                    break;
                }
            }
        }
        while self.sent < self.out.len() {
            match transport.write(&self.out[self.sent..])? {
                Some(n) => self.sent += n,
                None => return Ok(false),
            }
        }
        self.out.clear();
        self.sent = 0;
        if self.out.capacity() > 4 * WRITE_MAX {
            self.out = Vec::new();
        }
        Ok(true)
    }

    /// Takes the next piece of a record from the transport; false if there is none now.
    fn feed(&mut self, transport: &Transport) -> Result<bool, Fault> {
        const HEADER: usize = 5;
        let mut piece = [0u8; 4096];
        let room = if self.missing > 0 {
            self.missing.min(piece.len())
        } else {
            HEADER - self.header.len()
        };
        let piece = match transport.read(&mut piece[..room])? {
            None => return Ok(false),
            Some(0) => {
                self.ended = true;
                return Err(Fault::Eof);
            }
            Some(n) => &piece[..n],
        };
        if self.missing > 0 {
            self.missing -= piece.len();
        } else {
            self.header.extend_from_slice(piece);
            if let [_, _, _, high, low] = self.header[..] {
                self.missing = usize::from(u16::from_be_bytes([high, low]));
                self.check_header()?;
                self.header.clear();
            }
        }
        let mut rest = piece;
        while !rest.is_empty() {
            let taken = match &mut self.phase {
                Phase::Accepting(acceptor) => acceptor.read_tls(&mut rest),
                Phase::Open(connection) => connection.read_tls(&mut rest),
                _ => return Ok(true),
            };
            if taken.is_err() {
                return Err(Fault::ssl("DATA_LENGTH_TOO_LONG"));
            }
        }
        Ok(true)
    }

    /// Tells programs that do not speak TLS.
    fn check_header(&self) -> Result<(), Fault> {
        const METHODS: [&[u8]; 6] = [b"GET ", b"POST", b"HEAD", b"PUT ", b"DELE", b"OPTI"];
        if self.server && METHODS.iter().any(|method| self.header.starts_with(method)) {
            return Err(Fault::ssl("HTTP_REQUEST"));
        }
        if !(20..=24).contains(&self.header[0]) || self.header[1] != 3 {
            return Err(Fault::ssl("WRONG_VERSION_NUMBER"));
        }
        Ok(())
    }

    /// Takes what the transport has and works on it; false if there is nothing now.
    fn advance(&mut self, transport: &Transport) -> Result<bool, Fault> {
        match self.feed(transport) {
            Ok(true) => {}
            Ok(false) => return Ok(false),
            Err(Fault::Eof) => return Err(Fault::Eof),
            Err(fault @ Fault::System(_)) => return Err(fault),
            Err(fault) => return Err(self.fail(transport, fault)),
        }
        let result = match &mut self.phase {
            Phase::Open(connection) => connection.process_new_packets().map(drop),
            _ => Ok(()),
        };
        match result {
            Ok(()) => Ok(true),
            Err(error) => {
                let fault = self.tls_fault(&error);
                Err(self.fail(transport, fault))
            }
        }
    }

    pub fn handshake(&mut self, transport: &Transport) -> Result<Step<()>, Fault> {
        loop {
            match &mut self.phase {
                Phase::Dead(fault) => return Err(fault.clone()),
                Phase::Greeted(_) => return Ok(Step::Decide),
                Phase::Fresh => {
                    let made = self.settings.connect(self.host.as_deref(), &self.watched);
                    self.open(made)?;
                }
                Phase::Accepting(_) => {}
                Phase::Open(connection) => {
                    let done = !connection.is_handshaking();
                    if !self.flush(transport)? {
                        return Ok(Step::WantWrite);
                    }
                    if done {
                        return Ok(Step::Done(()));
                    }
                }
            }
            if !self.flush(transport)? {
                return Ok(Step::WantWrite);
            }
            if self.ended {
                return Err(Fault::Eof);
            }
            if !self.advance(transport)? {
                return Ok(Step::WantRead);
            }
            self.take_greeting(transport)?;
        }
    }

    fn open(&mut self, made: Result<Connection, Fault>) -> Result<(), Fault> {
        match made {
            Ok(mut connection) => {
                connection.set_buffer_limit(None);
                self.phase = Phase::Open(Box::new(connection));
                Ok(())
            }
            Err(fault) => {
                self.phase = Phase::Dead(fault.clone());
                Err(fault)
            }
        }
    }

    fn take_greeting(&mut self, transport: &Transport) -> Result<(), Fault> {
        let Phase::Accepting(acceptor) = &mut self.phase else {
            return Ok(());
        };
        match acceptor.accept() {
            Ok(None) => Ok(()),
            Ok(Some(accepted)) => {
                self.phase = Phase::Greeted(Box::new(accepted));
                Ok(())
            }
            Err((error, mut alert)) => {
                let _ = alert.write_all(&mut self.out);
                let fault = self.tls_fault(&error);
                Err(self.fail(transport, fault))
            }
        }
    }

    /// The name of the server that a client asks for.
    pub fn greeting(&self) -> Option<String> {
        match &self.phase {
            Phase::Greeted(accepted) => accepted.client_hello().server_name().map(str::to_owned),
            _ => None,
        }
    }

    /// The server answers the greeting.
    pub fn admit(&mut self, transport: &Transport) -> Result<(), Fault> {
        let Some(accepted) = self.take_accepted() else {
            return Ok(());
        };
        let offered: Vec<Vec<u8>> = match accepted.client_hello().alpn() {
            Some(names) => names.map(<[u8]>::to_vec).collect(),
            None => Vec::new(),
        };
        self.offered = Some(accepted.client_hello().cipher_suites().to_vec());
        let config = match self.settings.accept(&self.watched, &offered) {
            Ok(config) => config,
            Err(fault) => {
                self.alert(40);
                return Err(self.fail(transport, fault));
            }
        };
        match accepted.into_connection(config) {
            Ok(connection) => self.open(Ok(Connection::Server(connection))),
            Err((error, mut alert)) => {
                let _ = alert.write_all(&mut self.out);
                let fault = if self.settings.keys.is_empty() {
                    Fault::ssl("NO_SHARED_CIPHER")
                } else {
                    self.tls_fault(&error)
                };
                Err(self.fail(transport, fault))
            }
        }
    }

    /// The server sends a client away.
    pub fn reject(&mut self, transport: &Transport, alert: u8) -> Fault {
        drop(self.take_accepted());
        self.alert(alert);
        self.fail(transport, Fault::ssl("CALLBACK_FAILED"))
    }

    fn take_accepted(&mut self) -> Option<Box<Accepted>> {
        let dead = Phase::Dead(Fault::ssl("UNINITIALIZED"));
        match std::mem::replace(&mut self.phase, dead) {
            Phase::Greeted(accepted) => Some(accepted),
            other => {
                self.phase = other;
                None
            }
        }
    }

    /// A fatal alert before anything is encrypted.
    fn alert(&mut self, number: u8) {
        self.out.extend([21, 3, 3, 0, 2, 2, number]);
    }

    /// Decrypted bytes, as many as there are; none at the end of the connection.
    pub fn read(&mut self, transport: &Transport, out: &mut [u8]) -> Result<Step<usize>, Fault> {
        loop {
            let result = match &mut self.phase {
                Phase::Open(connection) if !connection.is_handshaking() => connection.reader().read(out),
                _ => match self.handshake(transport)? {
                    Step::Done(()) => continue,
                    Step::WantRead => return Ok(Step::WantRead),
                    Step::WantWrite => return Ok(Step::WantWrite),
                    Step::Decide => return Ok(Step::Decide),
                },
            };
            match result {
                Ok(0) if self.closing => return Err(Fault::ZeroReturn),
                Ok(n) => return Ok(Step::Done(n)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(_) => return Err(Fault::Eof),
            }
            // Answers of the protocol itself; what cannot be sent now goes with the next bytes.
            self.flush(transport)?;
            let more = match self.ended {
                true => Err(Fault::Eof),
                false => self.advance(transport),
            };
            match more {
                Ok(true) => {}
                Ok(false) => return Ok(Step::WantRead),
                Err(Fault::Eof) if self.settings.options & OP_IGNORE_UNEXPECTED_EOF != 0 => return Ok(Step::Done(0)),
                Err(fault) => return Err(fault),
            }
        }
    }

    /// Encrypts and sends; how many of the bytes.
    pub fn write(&mut self, transport: &Transport, data: &[u8]) -> Result<Step<usize>, Fault> {
        match self.handshake(transport)? {
            Step::Done(()) => {}
            Step::WantRead => return Ok(Step::WantRead),
            Step::WantWrite => return Ok(Step::WantWrite),
            Step::Decide => return Ok(Step::Decide),
        }
        if self.closing {
            return Err(Fault::ssl("PROTOCOL_IS_SHUTDOWN"));
        }
        // What was taken before is sent by now.
        if let Some((n, hash)) = self.accepted.take()
            && data.get(..n).is_some_and(|part| hash_of(part) == hash)
        {
            return Ok(Step::Done(n));
        }
        if let Transport::Memory(_, outgoing) = transport {
            // A little more than the data, a record.
            lock(outgoing).data.reserve(data.len() + data.len() / 512 + 64);
        }
        let part = &data[..data.len().min(WRITE_MAX)];
        let n = match &mut self.phase {
            // The buffer has no limit: it takes everything.
            Phase::Open(connection) => connection.writer().write(part).unwrap_or(0),
            _ => 0,
        };
        if !self.flush(transport)? {
            self.accepted = Some((n, hash_of(&part[..n.min(part.len())])));
            return Ok(Step::WantWrite);
        }
        Ok(Step::Done(n))
    }

    /// Ends the connection in order and waits until the other side has done so too.
    pub fn shutdown(&mut self, transport: &Transport) -> Result<Step<()>, Fault> {
        let Phase::Open(connection) = &mut self.phase else {
            return Err(match &self.phase {
                Phase::Dead(fault) => fault.clone(),
                _ => Fault::ssl("SHUTDOWN_WHILE_IN_INIT"),
            });
        };
        if connection.is_handshaking() {
            return Err(Fault::ssl("SHUTDOWN_WHILE_IN_INIT"));
        }
        if !std::mem::replace(&mut self.closing, true) {
            connection.send_close_notify();
        }
        loop {
            if !self.flush(transport)? {
                return Ok(Step::WantWrite);
            }
            let Phase::Open(connection) = &mut self.phase else {
                return Err(Fault::Eof);
            };
            match connection.reader().read(&mut [0; 1]) {
                Ok(0) => return Ok(Step::Done(())),
                Ok(_) => return Err(Fault::ssl("APPLICATION_DATA_AFTER_CLOSE_NOTIFY")),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(_) => return Err(Fault::Eof),
            }
            let more = match self.ended {
                true => Err(Fault::Eof),
                false => self.advance(transport),
            };
            match more {
                Ok(true) => {}
                Ok(false) => return Ok(Step::WantRead),
                Err(Fault::Eof) if self.settings.options & OP_IGNORE_UNEXPECTED_EOF != 0 => return Ok(Step::Done(())),
                Err(fault) => return Err(fault),
            }
        }
    }
}
