//! `FileIO`: a file descriptor as a stream, and the system calls on it.
//!
//! Invariant: the descriptor is one atomic, -1 when closed; whoever swaps it for -1 closes it. System calls run detached, on memory
//! that belongs to the calling thread, and are repeated after `EINTR` once signal handlers have run.

use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicI32, AtomicI64, AtomicU32, AtomicU64};

use lisle_runtime::intern;
use lisle_runtime::native::{Args, Exc, Py, Res, Str, Type, Value, Vm, pyclass, pymethods};
use lisle_runtime::object::Native;
use lisle_runtime::types::buffer::{Buffer, Readable, Writable};
use lisle_runtime::types::bytes::Bytes;
use lisle_runtime::types::exceptions;

use super::base::{RawIOBase, close_base, finalize};
use super::common::{
    Size, both, joined, name_of, optional_size, overrides, resource_warning, size_or_all, unsupported,
};
use super::path::to_fs_bytes;

const CREATED: u32 = 1;
const READABLE: u32 = 2;
const WRITABLE: u32 = 4;
const APPENDING: u32 = 8;
const CLOSE_FD: u32 = 16;
const FINALIZING: u32 = 32;
/// `fstat` said that the descriptor is no terminal.
const NO_TTY: u32 = 64;
/// What a mode sets.
const MODE: u32 = CREATED | READABLE | WRITABLE | APPENDING;

/// The smallest piece that `readall` reads.
const SMALL_CHUNK: usize = 8192;

/// Open a file.
#[pyclass(
    name = "FileIO",
    module = "_io",
    base = RawIOBase,
    basetype,
    dict,
    weakref,
    doc = "Open a file.\n\nThe mode can be 'r' (default), 'w', 'x' or 'a' for reading,\nwriting, exclusive creation or appending.  The file will be created if it\ndoesn't exist when opened for writing or appending; it will be truncated\nwhen opened for writing.  A FileExistsError will be raised if it already\nexists when opened for creating. Opening a file for creating implies\nwriting so this mode behaves in a similar way to 'w'.Add a '+' to the mode\nto allow simultaneous reading and writing. A custom opener can be used by\npassing a callable as *opener*. The underlying file descriptor for the file\nobject is then obtained by calling opener with (*name*, *flags*).\n*opener* must return an open file descriptor (passing os.open as *opener*\nresults in functionality similar to passing None)."
)]
pub struct FileIO {
    base: RawIOBase,
    fd: AtomicI32,
    flags: AtomicU32,
    /// -1: not known yet.
    seekable: AtomicI32,
    block_size: AtomicU64,
    /// The size when the file was opened, -1 if that is not known.
    size: AtomicI64,
}

/// Calls `f` detached until it is not interrupted; `Err` is the error number.
pub fn system_call(vm: &Vm, mut f: impl FnMut() -> isize) -> Res<Result<usize, i32>> {
    loop {
        let result = vm.detached(|| {
            let result = f();
            let error = if result < 0 { last_error() } else { 0 };
            (result, error)
        });
        match result {
            // Handlers of signals that came meanwhile run later: what was read must not be lost.
            (n @ 0.., _) => return Ok(Ok(n as usize)),
            (_, libc::EINTR) => vm.safepoint()?,
            (_, error) => return Ok(Err(error)),
        }
    }
}

/// The number of the last system error in this thread.
pub fn last_error() -> i32 {
    std::io::Error::last_os_error().raw_os_error().unwrap_or(0)
}

/// Writes to an exported buffer; `BufferError` if its memory is gone.
pub fn store(vm: &Vm, buffer: &Buffer, offset: usize, bytes: &[u8]) -> Res<()> {
    if bytes.is_empty() || buffer.write(offset, bytes) {
        Ok(())
    } else {
        Err(vm.buffer_error("the exported memory is no longer there"))
    }
}

/// An empty vector with room for `size` bytes.
pub fn room(vm: &Vm, size: usize) -> Res<Vec<u8>> {
    let mut bytes = Vec::new();
    match bytes.try_reserve_exact(size) {
        Ok(()) => Ok(bytes),
        Err(_) => Err(vm.memory_error()),
    }
}

/// `read(2)` behind the end of `out`, which has room for `size` bytes. `None`: it would block.
fn read_fd(vm: &Vm, fd: i32, out: &mut Vec<u8>, size: usize) -> Res<Option<usize>> {
    let size = size.min(out.capacity() - out.len()).min(isize::MAX as usize);
    let spare = out.spare_capacity_mut();
    let to = spare.as_mut_ptr().cast::<libc::c_void>() as usize;
    // SAFETY: the spare capacity has `size` bytes, and nobody else has the vector.
    let result = system_call(vm, || unsafe { libc::read(fd, to as *mut libc::c_void, size) })?;
    match result {
        Ok(n) => {
            // SAFETY: the system has filled in `n` bytes behind the length.
            unsafe { out.set_len(out.len() + n.min(size)) };
            Ok(Some(n))
        }
        Err(libc::EAGAIN) => Ok(None),
        Err(error) => Err(vm.os_error(error, None)),
    }
}

/// `read(2)` into memory of the caller's. `None`: it would block.
fn read_fd_slice(vm: &Vm, fd: i32, out: &mut [u8]) -> Res<Option<usize>> {
    let size = out.len().min(isize::MAX as usize);
    // SAFETY: the slice is borrowed for the call.
    let result = system_call(vm, || unsafe { libc::read(fd, out.as_mut_ptr().cast(), size) })?;
    match result {
        Ok(n) => Ok(Some(n)),
        Err(libc::EAGAIN) => Ok(None),
        Err(error) => Err(vm.os_error(error, None)),
    }
}

/// `write(2)`; `None`: it would block.
fn write_fd(vm: &Vm, fd: i32, bytes: &[u8]) -> Res<Option<usize>> {
    let size = bytes.len().min(isize::MAX as usize);
    // SAFETY: the slice is borrowed for the call.
    let result = system_call(vm, || unsafe { libc::write(fd, bytes.as_ptr().cast(), size) })?;
    match result {
        Ok(n) => Ok(Some(n)),
        Err(libc::EAGAIN) => Ok(None),
        Err(error) => Err(vm.os_error(error, None)),
    }
}

/// `lseek(2)`
fn seek_fd(vm: &Vm, fd: i32, offset: i64, whence: i32) -> Result<i64, i32> {
    // SAFETY: a system call on numbers.
    let at = vm.detached(|| {
        let at = unsafe { libc::lseek(fd, offset, whence) };
        (at, if at < 0 { last_error() } else { 0 })
    });
    match at {
        (at @ 0.., _) => Ok(at),
        (_, error) => Err(error),
    }
}

fn stat_fd(vm: &Vm, fd: i32) -> Result<libc::stat, i32> {
    vm.detached(|| {
        // SAFETY: plain data that the call fills in.
        unsafe {
            let mut stat: libc::stat = std::mem::zeroed();
            if libc::fstat(fd, &mut stat) == 0 {
                Ok(stat)
            } else {
                Err(last_error())
            }
        }
    })
}

/// The bits of a mode and the flags for `open(2)`.
fn parse_mode(vm: &Vm, mode: &str) -> Res<(u32, i32)> {
    let one_kind = "Must have exactly one of create/read/write/append mode and at most one plus";
    let (mut bits, mut flags) = (0, 0);
    let (mut kind, mut plus) = (false, false);
    for c in mode.chars() {
        match c {
            'x' | 'r' | 'w' | 'a' => {
                if kind {
                    return Err(vm.value_error(one_kind));
                }
                kind = true;
                match c {
                    'x' => {
                        bits |= CREATED | WRITABLE;
                        flags |= libc::O_EXCL | libc::O_CREAT;
                    }
                    'r' => bits |= READABLE,
                    'w' => {
                        bits |= WRITABLE;
                        flags |= libc::O_CREAT | libc::O_TRUNC;
                    }
                    _ => {
                        bits |= WRITABLE | APPENDING;
                        flags |= libc::O_APPEND | libc::O_CREAT;
                    }
                }
            }
            'b' => {}
            '+' => {
                if plus {
                    return Err(vm.value_error(one_kind));
                }
                bits |= READABLE | WRITABLE;
                plus = true;
            }
            _ => {
                let mode: String = mode.chars().take(200).collect();
                return Err(vm.value_error(format!("invalid mode: {mode}")));
            }
        }
    }
    if !kind {
        return Err(vm.value_error(one_kind));
    }
    flags |= match (bits & READABLE != 0, bits & WRITABLE != 0) {
        (true, true) => libc::O_RDWR,
        (true, false) => libc::O_RDONLY,
        _ => libc::O_WRONLY,
    };
    Ok((bits, flags | libc::O_CLOEXEC))
}

/// An int of the program as a file descriptor, if it is one.
fn as_descriptor(vm: &Vm, file: &Value) -> Res<Option<i32>> {
    if file.is_bool() {
        let category = exceptions::RUNTIME_WARNING.get();
        vm.warn(category, "bool is used as a file descriptor", 1)?;
    }
    if vm.int_value(file).is_none() && file.ty().slots().index.is_none() {
        return Ok(None);
    }
    let Ok(fd) = vm.index_to_i64(file) else { return Ok(None) };
    if fd < 0 && fd >= i64::from(i32::MIN) {
        return Err(vm.value_error("negative file descriptor"));
    }
    Ok(i32::try_from(fd).ok())
}

fn os_error_named(vm: &Vm, error: i32, name: &Value) -> Exc {
    vm.os_error(error, Some(name.clone()))
}

impl FileIO {
    fn empty() -> FileIO {
        FileIO {
            base: RawIOBase::payload(),
            fd: AtomicI32::new(-1),
            flags: AtomicU32::new(CLOSE_FD),
            seekable: AtomicI32::new(-1),
            block_size: AtomicU64::new(super::common::DEFAULT_BUFFER_SIZE as u64),
            size: AtomicI64::new(-1),
        }
    }

    fn has(&self, flag: u32) -> bool {
        self.flags.load(Relaxed) & flag != 0
    }

    /// Whether the descriptor is closed.
    pub fn is_closed(&self) -> bool {
        self.fd.load(Acquire) < 0
    }

    /// What `open()` takes as the size of a buffer.
    pub fn block_size(&self) -> usize {
        self.block_size.load(Relaxed) as usize
    }

    fn closed_error(vm: &Vm) -> Exc {
        vm.value_error("I/O operation on closed file")
    }

    fn open_fd(&self, vm: &Vm) -> Res<i32> {
        match self.fd.load(Acquire) {
            fd @ 0.. => Ok(fd),
            _ => Err(FileIO::closed_error(vm)),
        }
    }

    fn readable_fd(&self, vm: &Vm) -> Res<i32> {
        let fd = self.open_fd(vm)?;
        if !self.has(READABLE) {
            return Err(unsupported(vm, "File not open for reading"));
        }
        Ok(fd)
    }

    fn writable_fd(&self, vm: &Vm) -> Res<i32> {
        let fd = self.open_fd(vm)?;
        if !self.has(WRITABLE) {
            return Err(unsupported(vm, "File not open for writing"));
        }
        Ok(fd)
    }

    /// Reads once, at most `size` bytes behind the end of `out`, which has room for them. `None`: it would block.
    pub fn read_into(&self, vm: &Vm, out: &mut Vec<u8>, size: usize) -> Res<Option<usize>> {
        read_fd(vm, self.readable_fd(vm)?, out, size)
    }

    /// As [`FileIO::read_into`], into memory of the caller's.
    pub fn read_slice(&self, vm: &Vm, out: &mut [u8]) -> Res<Option<usize>> {
        read_fd_slice(vm, self.readable_fd(vm)?, out)
    }

    /// Writes once. `None`: it would block.
    pub fn write_bytes(&self, vm: &Vm, bytes: &[u8]) -> Res<Option<usize>> {
        write_fd(vm, self.writable_fd(vm)?, bytes)
    }

    /// Moves the file position.
    pub fn seek_to(&self, vm: &Vm, offset: i64, whence: i32) -> Res<i64> {
        let fd = self.open_fd(vm)?;
        let result = seek_fd(vm, fd, offset, whence);
        if self.seekable.load(Relaxed) < 0 {
            self.seekable.store(result.is_ok().into(), Relaxed);
        }
        result.map_err(|error| vm.os_error(error, None))
    }

    /// Whether `lseek` works.
    pub fn can_seek(&self, vm: &Vm) -> Res<bool> {
        let fd = self.open_fd(vm)?;
        if self.seekable.load(Relaxed) < 0 {
            let can = seek_fd(vm, fd, 0, libc::SEEK_CUR).is_ok();
            self.seekable.store(can.into(), Relaxed);
        }
        Ok(self.seekable.load(Relaxed) > 0)
    }

    /// Everything up to the end of the file; `None` if nothing is there and waiting would block.
    pub fn read_all(&self, vm: &Vm) -> Res<Option<Vec<u8>>> {
        let fd = self.readable_fd(vm)?;
        let size = self.size.load(Relaxed);
        let mut wanted = SMALL_CHUNK;
        if size > 0 {
            wanted = usize::try_from(size).unwrap_or(SMALL_CHUNK).saturating_add(1);
            if size > 65536 {
                // Part of the file may have been read.
                let at = seek_fd(vm, fd, 0, libc::SEEK_CUR).unwrap_or(0);
                wanted = usize::try_from(size - at.min(size)).unwrap_or(0).saturating_add(1);
            }
        }
        let mut all = room(vm, wanted)?;
        loop {
            if all.len() == all.capacity() {
                let more = SMALL_CHUNK.max(all.len() / 4);
                if all.try_reserve(more).is_err() {
                    return Err(vm.memory_error());
                }
            }
            let free = all.capacity() - all.len();
            match read_fd(vm, fd, &mut all, free)? {
                Some(0) => break,
                Some(_) => {}
                None if all.is_empty() => return Ok(None),
                None => break,
            }
        }
        Ok(Some(all))
    }

    /// Whether the descriptor belongs to a terminal. Descriptors that `fstat` has told apart are not asked again.
    pub fn is_terminal(&self, vm: &Vm) -> Res<bool> {
        let fd = self.open_fd(vm)?;
        if self.has(NO_TTY) {
            return Ok(false);
        }
        // SAFETY: a system call on a number.
        Ok(vm.detached(|| unsafe { libc::isatty(fd) }) == 1)
    }

    /// Closes the descriptor if it is open.
    fn close_fd(&self, vm: &Vm) -> Res<()> {
        let fd = self.fd.swap(-1, AcqRel);
        if fd < 0 {
            return Ok(());
        }
        // SAFETY: the descriptor was this object's, and nobody else has it any more.
        let error = vm.detached(|| {
            if unsafe { libc::close(fd) } < 0 {
                last_error()
            } else {
                0
            }
        });
        if error != 0 && error != libc::EINTR {
            return Err(vm.os_error(error, None));
        }
        Ok(())
    }

    /// Opens what `file` names.
    pub fn open(
        vm: &Vm,
        this: &Py<FileIO>,
        file: &Value,
        mode: &str,
        closefd: bool,
        opener: Option<&Value>,
    ) -> Res<()> {
        if this.fd.load(Acquire) >= 0 {
            if this.has(CLOSE_FD) {
                this.close_fd(vm)?;
            } else {
                this.fd.store(-1, Release);
            }
        }
        let given = as_descriptor(vm, file)?;
        let path = match given {
            Some(_) => None,
            None => Some(to_fs_bytes(vm, file)?),
        };
        let (bits, flags) = parse_mode(vm, mode)?;
        this.seekable.store(-1, Relaxed);
        this.size.store(-1, Relaxed);
        crate::sys::audit(vm, "open", &[file.clone(), Value::from(mode), Value::int(flags.into())])?;
        let keep = this.flags.load(Relaxed) & FINALIZING;
        this.flags
            .store(bits | keep | if closefd { CLOSE_FD } else { 0 }, Relaxed);
        let mut own = false;
        let fd = match (given, path) {
            (Some(fd), _) => fd,
            (None, path) => {
                if !closefd {
                    return Err(vm.value_error("Cannot use closefd=False with file name"));
                }
                own = true;
                match opener {
                    None => open_path(vm, &path.unwrap_or_default(), flags, file)?,
                    Some(opener) => open_by(vm, opener, file, flags)?,
                }
            }
        };
        this.fd.store(fd, Release);
        let opened = FileIO::look_at(vm, this, fd, file, bits);
        if opened.is_err() {
            if own {
                return both(opened, this.close_fd(vm));
            }
            this.fd.store(-1, Release);
        }
        opened
    }

    /// Checks and notes what the descriptor is.
    fn look_at(vm: &Vm, this: &Py<FileIO>, fd: i32, file: &Value, bits: u32) -> Res<()> {
        match stat_fd(vm, fd) {
            Ok(stat) => {
                let kind = stat.st_mode & libc::S_IFMT;
                if kind == libc::S_IFDIR {
                    return Err(os_error_named(vm, libc::EISDIR, file));
                }
                if kind != libc::S_IFCHR {
                    this.flags.fetch_or(NO_TTY, Relaxed);
                }
                if stat.st_blksize > 1 {
                    this.block_size.store(stat.st_blksize as u64, Relaxed);
                }
                this.size.store(stat.st_size, Relaxed);
            }
            Err(libc::EBADF) => return Err(os_error_named(vm, libc::EBADF, file)),
            Err(_) => {}
        }
        vm.setattr(this.as_value(), intern!("name"), file)?;
        if bits & APPENDING != 0 {
            // Not all files can be positioned.
            match seek_fd(vm, fd, 0, libc::SEEK_END) {
                Ok(_) | Err(libc::ESPIPE) => {}
                Err(error) => return Err(vm.os_error(error, None)),
            }
        }
        Ok(())
    }

    /// Warns that `source` was not closed.
    pub fn warn_unclosed(&self, vm: &Vm, source: &Value) {
        if self.fd.load(Acquire) < 0 || !self.has(CLOSE_FD) {
            return;
        }
        if let Ok(repr) = vm.repr(source) {
            resource_warning(vm, source, joined(&[&"unclosed file ", &repr]));
        }
    }

    /// A stream on a file, as `open()` makes it first.
    pub fn new(vm: &Vm, file: &Value, mode: &str, closefd: bool, opener: Option<&Value>) -> Res<Py<FileIO>> {
        let this = Py::new(FileIO::empty());
        FileIO::open(vm, &this, file, mode, closefd, opener)?;
        Ok(this)
    }

    /// `close()`, of an instance of any class.
    pub fn close_stream(vm: &Vm, this: &Py<FileIO>) -> Res<()> {
        let plain = this.class().is(FileIO::ty()) && !overrides(vm, this.as_value(), &[intern!("flush")]);
        // Flushing does nothing, unless the program has a say in it.
        let base = if plain { Ok(()) } else { close_base(vm, this.as_value()) };
        if !this.has(CLOSE_FD) {
            this.fd.store(-1, Release);
            return base;
        }
        if this.has(FINALIZING) {
            this.warn_unclosed(vm, this.as_value());
        }
        both(base, this.close_fd(vm))
    }

    fn mode_text(&self) -> &'static str {
        let flags = self.flags.load(Relaxed) & MODE;
        let readable = flags & READABLE != 0;
        match (
            flags & CREATED != 0,
            flags & APPENDING != 0,
            readable,
            flags & WRITABLE != 0,
        ) {
            (true, _, true, _) => "xb+",
            (true, _, false, _) => "xb",
            (_, true, true, _) => "ab+",
            (_, true, false, _) => "ab",
            (_, _, true, true) => "rb+",
            (_, _, true, false) => "rb",
            _ => "wb",
        }
    }
}

/// Opens a path; the error names `file`.
fn open_path(vm: &Vm, path: &[u8], flags: i32, file: &Value) -> Res<i32> {
    if let Some(opened) = crate::posix::packed::open(path, flags) {
        return opened.map_err(|error| os_error_named(vm, error.0, file));
    }
    let Ok(path) = std::ffi::CString::new(path) else {
        return Err(vm.value_error("embedded null byte"));
    };
    // SAFETY: a path that ends in a zero byte.
    let result = system_call(vm, || unsafe { libc::open(path.as_ptr(), flags, 0o666) } as isize)?;
    match result {
        Ok(fd) => Ok(fd as i32),
        Err(error) => Err(os_error_named(vm, error, file)),
    }
}

/// Opens by a function of the program.
fn open_by(vm: &Vm, opener: &Value, file: &Value, flags: i32) -> Res<i32> {
    let answer = vm.call(opener, &[file.clone(), Value::int(flags.into())])?;
    if vm.int_value(&answer).is_none() {
        return Err(vm.type_error("expected integer from opener"));
    }
    let fd = vm.index_to_i64(&answer)?;
    if fd < 0 {
        return Err(vm.value_error(format!("opener returned {fd}")));
    }
    let Ok(fd) = i32::try_from(fd) else {
        return Err(vm.overflow_error("Python int too large to convert to C int"));
    };
    // SAFETY: a system call on numbers.
    let error = vm.detached(|| unsafe {
        let old = libc::fcntl(fd, libc::F_GETFD);
        if old < 0 || (old & libc::FD_CLOEXEC == 0 && libc::fcntl(fd, libc::F_SETFD, old | libc::FD_CLOEXEC) < 0) {
            last_error()
        } else {
            0
        }
    });
    if error != 0 {
        return Err(os_error_named(vm, error, file));
    }
    Ok(fd)
}

/// A file offset given by a program.
pub fn offset_of(vm: &Vm, value: &Value) -> Res<i64> {
    if value.as_exact_float().is_some() {
        return Err(vm.type_error("'float' object cannot be interpreted as an integer"));
    }
    vm.index_to_i64(value)
}

#[pymethods]
impl FileIO {
    #[slot]
    fn __new__(_: &Vm, cls: &Py<Type>, _args: Args<'_>) -> Res<Value> {
        Ok(Py::with_class(cls, FileIO::empty()).into_value())
    }

    #[slot(sig = "(file, mode='r', closefd=True, opener=None)")]
    fn __init__(
        vm: &Vm,
        this: &Py<FileIO>,
        file: &Value,
        mode: Option<&Py<Str>>,
        closefd: Option<bool>,
        opener: Option<&Value>,
    ) -> Res<()> {
        let mode = mode.map_or_else(|| "r".to_owned(), |mode| mode.to_string_lossy());
        if mode.contains('\0') {
            return Err(vm.value_error("embedded null character"));
        }
        let opener = opener.filter(|opener| !opener.is_none());
        FileIO::open(vm, this, file, &mode, closefd.unwrap_or(true), opener)
    }

    #[slot]
    fn __del__(vm: &Vm, this: &Py<FileIO>) -> Res<()> {
        if this.fd.load(Acquire) < 0 {
            return Ok(());
        }
        finalize(vm, this.as_value())
    }

    #[slot]
    fn __repr__(vm: &Vm, this: &Py<FileIO>) -> Res<Value> {
        let class = name_of(this.as_value());
        let fd = this.fd.load(Acquire);
        if fd < 0 {
            return Ok(Value::from(format!("<{class} [closed]>").as_str()));
        }
        let mode = this.mode_text();
        let closefd = if this.has(CLOSE_FD) { "True" } else { "False" };
        let Some(name) = vm.getattr_opt(this.as_value(), intern!("name"))? else {
            let text = format!("<{class} fd={fd} mode='{mode}' closefd={closefd}>");
            return Ok(Value::from(text.as_str()));
        };
        let Some(_guard) = vm.repr_enter(this.as_value()) else {
            return Err(vm.runtime_error(format!("reentrant call inside {class}.__repr__")));
        };
        let name = vm.repr(&name)?;
        let tail = format!(" mode='{mode}' closefd={closefd}>");
        Ok(joined(&[&"<", &class, &" name=", &name, &tail]))
    }

    /// Read at most size bytes, returned as bytes.
    ///
    /// Only makes one system call, so less data may be returned than requested.
    /// In non-blocking mode, returns None if no data is available.
    /// Return an empty bytes object at EOF.
    #[pymethod(sig = "($self, size=-1, /)")]
    fn read(vm: &Vm, this: &Py<FileIO>, size: Option<Size>) -> Res<Value> {
        let fd = this.readable_fd(vm)?;
        let Ok(size) = usize::try_from(size_or_all(size)) else {
            return FileIO::readall(vm, this);
        };
        let mut bytes = room(vm, size)?;
        Ok(match read_fd(vm, fd, &mut bytes, size)? {
            Some(_) => Bytes::new_value(bytes),
            None => Value::NONE,
        })
    }

    /// Read all data from the file, returned as bytes.
    ///
    /// Reads until either there is an error or read() returns size 0
    /// (indicates EOF).  If the file is already at EOF, returns an empty
    /// bytes object.
    ///
    /// In non-blocking mode, returns as much data as could be read before
    /// EAGAIN. If no data is available (EAGAIN is returned before bytes
    /// are read) returns None.
    #[pymethod(sig = "($self, /)")]
    fn readall(vm: &Vm, this: &Py<FileIO>) -> Res<Value> {
        Ok(this.read_all(vm)?.map_or(Value::NONE, Bytes::new_value))
    }

    /// Same as RawIOBase.readinto().
    #[pymethod(sig = "($self, buffer, /)")]
    fn readinto(vm: &Vm, this: &Py<FileIO>, buffer: Writable) -> Res<Option<usize>> {
        let fd = this.readable_fd(vm)?;
        let mut bytes = room(vm, buffer.0.len)?;
        let Some(n) = read_fd(vm, fd, &mut bytes, buffer.0.len)? else {
            return Ok(None);
        };
        store(vm, &buffer.0, 0, &bytes)?;
        Ok(Some(n))
    }

    /// Write buffer b to file, return number of bytes written.
    ///
    /// Only makes one system call, so not all of the data may be written.
    /// The number of bytes actually written is returned.  In non-blocking mode,
    /// returns None if the write would block.
    #[pymethod(sig = "($self, b, /)")]
    fn write(vm: &Vm, this: &Py<FileIO>, b: Readable<'_>) -> Res<Option<usize>> {
        this.write_bytes(vm, &b.0)
    }

    /// Move to new file position and return the file position.
    ///
    /// Argument offset is a byte count.  Optional argument whence defaults to
    /// SEEK_SET or 0 (offset from start of file, offset should be >= 0); other values
    /// are SEEK_CUR or 1 (move relative to current position, positive or negative),
    /// and SEEK_END or 2 (move relative to end of file, usually negative, although
    /// many platforms allow seeking beyond the end of a file).
    ///
    /// Note that not all file objects are seekable.
    #[pymethod(sig = "($self, pos, whence=0, /)")]
    fn seek(vm: &Vm, this: &Py<FileIO>, pos: &Value, whence: Option<i32>) -> Res<i64> {
        this.open_fd(vm)?;
        this.seek_to(vm, offset_of(vm, pos)?, whence.unwrap_or(0))
    }

    /// Current file position.
    ///
    /// Can raise OSError for non seekable files.
    #[pymethod(sig = "($self, /)")]
    fn tell(vm: &Vm, this: &Py<FileIO>) -> Res<i64> {
        this.seek_to(vm, 0, libc::SEEK_CUR)
    }

    /// Truncate the file to at most size bytes and return the truncated size.
    ///
    /// Size defaults to the current file position, as returned by tell().
    /// The current file position is changed to the value of size.
    #[pymethod(sig = "($self, size=None, /)")]
    fn truncate(vm: &Vm, this: &Py<FileIO>, size: Option<&Value>) -> Res<Value> {
        let fd = this.writable_fd(vm)?;
        let given = match size {
            Some(size) if !size.is_none() => size.clone(),
            _ => Value::int(this.seek_to(vm, 0, libc::SEEK_CUR)?),
        };
        let size = offset_of(vm, &given)?;
        // SAFETY: a system call on numbers.
        let result = system_call(vm, || unsafe { libc::ftruncate(fd, size) } as isize)?;
        match result {
            Ok(_) => {
                // What was known of the size no longer holds.
                this.size.store(-1, Relaxed);
                Ok(given)
            }
            Err(error) => Err(vm.os_error(error, None)),
        }
    }

    /// Close the file.
    ///
    /// A closed file cannot be used for further I/O operations.  close() may be
    /// called more than once without error.
    #[pymethod(sig = "($self, /)")]
    fn close(vm: &Vm, this: &Py<FileIO>) -> Res<()> {
        FileIO::close_stream(vm, this)
    }

    /// True if file supports random-access.
    #[pymethod(sig = "($self, /)")]
    fn seekable(vm: &Vm, this: &Py<FileIO>) -> Res<bool> {
        this.can_seek(vm)
    }

    /// True if file was opened in a read mode.
    #[pymethod(sig = "($self, /)")]
    fn readable(vm: &Vm, this: &Py<FileIO>) -> Res<bool> {
        this.open_fd(vm)?;
        Ok(this.has(READABLE))
    }

    /// True if file was opened in a write mode.
    #[pymethod(sig = "($self, /)")]
    fn writable(vm: &Vm, this: &Py<FileIO>) -> Res<bool> {
        this.open_fd(vm)?;
        Ok(this.has(WRITABLE))
    }

    /// Return the underlying file descriptor (an integer).
    #[pymethod(sig = "($self, /)")]
    fn fileno(vm: &Vm, this: &Py<FileIO>) -> Res<i32> {
        this.open_fd(vm)
    }

    /// True if the file is connected to a TTY device.
    #[pymethod(sig = "($self, /)")]
    fn isatty(vm: &Vm, this: &Py<FileIO>) -> Res<bool> {
        let fd = this.open_fd(vm)?;
        // SAFETY: a system call on a number.
        Ok(vm.detached(|| unsafe { libc::isatty(fd) }) == 1)
    }

    #[pymethod(sig = "($self, /)")]
    fn _isatty_open_only(vm: &Vm, this: &Py<FileIO>) -> Res<bool> {
        this.is_terminal(vm)
    }

    #[pymethod(sig = "($self, source, /)")]
    fn _dealloc_warn(vm: &Vm, this: &Py<FileIO>, source: &Value) {
        this.warn_unclosed(vm, source);
    }

    #[pymethod(sig = "($self, /)")]
    fn __reduce__(vm: &Vm, this: &Py<FileIO>) -> Res<Value> {
        Err(super::cannot_pickle(vm, this.as_value()))
    }

    #[pymethod(sig = "($self, protocol, /)")]
    fn __reduce_ex__(vm: &Vm, this: &Py<FileIO>, _protocol: &Value) -> Res<Value> {
        Err(super::cannot_pickle(vm, this.as_value()))
    }

    /// True if the file is closed
    #[getter]
    fn closed(_: &Vm, this: &Py<FileIO>) -> bool {
        this.is_closed()
    }

    /// True if the file descriptor will be closed by close().
    #[getter]
    fn closefd(_: &Vm, this: &Py<FileIO>) -> bool {
        this.has(CLOSE_FD)
    }

    /// String giving the file mode
    #[getter]
    fn mode(_: &Vm, this: &Py<FileIO>) -> &'static str {
        this.mode_text()
    }

    #[getter]
    fn _blksize(_: &Vm, this: &Py<FileIO>) -> u64 {
        this.block_size.load(Relaxed)
    }
    #[setter(name = "_blksize")]
    fn set_blksize(vm: &Vm, this: &Py<FileIO>, value: Option<&Value>) -> Res<()> {
        let size = match value {
            Some(value) => optional_size(vm, value)?.unwrap_or(0),
            None => return Err(vm.type_error("can't delete numeric/char attribute")),
        };
        this.block_size.store(size.max(0) as u64, Relaxed);
        Ok(())
    }

    #[getter]
    fn _finalizing(_: &Vm, this: &Py<FileIO>) -> bool {
        this.has(FINALIZING)
    }
    #[setter(name = "_finalizing")]
    fn set_finalizing(vm: &Vm, this: &Py<FileIO>, value: Option<&Value>) -> Res<()> {
        if super::flag_value(vm, value)? {
            this.flags.fetch_or(FINALIZING, Relaxed);
        } else {
            this.flags.fetch_and(!FINALIZING, Relaxed);
        }
        Ok(())
    }
}
