//! The machinery of `BufferedReader`, `BufferedWriter` and `BufferedRandom`; the classes are in `buffered/classes.rs`.
//!
//! One buffer serves for reading and writing. Positions count from its start: `pos` is where the program is, `raw_pos` where the
//! raw stream is; the bytes up to `read_end` have been read, those from `write_pos` to `write_end` are still to be written.
//!
//! Invariant: whoever works on the buffer holds `lock` and has taken the buffer out of its cell ([`Entered`]), so that no object
//! lock is held while Python code or a system call runs. What needs neither may work on it in the cell, if it is there.
//! A thread that comes back while it holds the lock (a signal handler) gets a `RuntimeError` instead of a deadlock.

pub mod classes;
mod read;
mod write;

use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicU32, AtomicUsize};
use std::time::{Duration, Instant};

use lisle_runtime::intern;
use lisle_runtime::memory::header::Header;
use lisle_runtime::native::{Exc, Native, Py, Res, Slot, Trace, Value, Vm};
use lisle_runtime::sync::Locked;
use lisle_runtime::threads::{AcquireResult, RawLock};

use super::base::check_seekable;
use super::common::{both, call0, is_blocking, overrides};
use super::fileio::{FileIO, offset_of};

pub const READABLE: u32 = 1;
pub const WRITABLE: u32 = 2;
const OK: u32 = 4;
const DETACHED: u32 = 8;
const FINALIZING: u32 = 16;
/// Buffers up to this size are made when they are needed.
const MODEST: usize = 1024 * 1024;

/// The buffer and the positions in it. All of them are within it.
#[derive(Default)]
pub struct Core {
    /// The size of the buffer; 0 once the stream is closed.
    size: usize,
    /// The buffer, which is made when it is needed first.
    bytes: Box<[u8]>,
    pos: usize,
    /// `None`: the position of the raw stream has no place in the buffer.
    raw_pos: Option<usize>,
    /// `None`: nothing has been read into the buffer.
    read_end: Option<usize>,
    write_pos: usize,
    /// `None`: nothing is to be written.
    write_end: Option<usize>,
    /// The absolute position of the raw stream, if known.
    abs_pos: Option<i64>,
}

impl Core {
    /// Bytes that have been read and not used.
    fn ahead(&self) -> usize {
        self.read_end.map_or(0, |end| end.saturating_sub(self.pos))
    }

    /// How far the raw stream is ahead of the program's position.
    fn raw_offset(&self) -> i64 {
        match self.raw_pos {
            Some(raw) if self.read_end.is_some() || self.write_end.is_some() => raw as i64 - self.pos as i64,
            _ => 0,
        }
    }

    fn move_to(&mut self, pos: usize) {
        self.pos = pos;
        if let Some(end) = self.read_end
            && end < pos
        {
            self.read_end = Some(pos);
        }
    }

    fn forget_read(&mut self) {
        self.read_end = None;
    }

    fn forget_write(&mut self) {
        self.write_pos = 0;
        self.write_end = None;
    }

    /// Makes the buffer; false if there is no memory for it.
    fn ready(&mut self) -> bool {
        if self.bytes.len() != self.size {
            let mut bytes = Vec::new();
            if bytes.try_reserve_exact(self.size).is_err() {
                return false;
            }
            bytes.resize(self.size, 0);
            self.bytes = bytes.into_boxed_slice();
        }
        true
    }

    /// Takes `n` bytes that have been read.
    fn take(&mut self, n: usize) -> &[u8] {
        let from = self.pos;
        self.pos += n;
        &self.bytes[from..from + n]
    }

    fn advance_abs(&mut self, n: usize) {
        if let Some(at) = &mut self.abs_pos {
            *at += n as i64;
        }
    }
}

/// The cell that a buffer is taken out of.
struct CoreCell(Option<Box<Core>>);

lisle_runtime::no_trace!(CoreCell);

/// What the three classes have in common.
#[derive(Trace)]
pub struct Buffered {
    raw: Slot,
    flags: AtomicU32,
    /// The size of the buffer, for a new one.
    size: AtomicUsize,
    lock: RawLock,
    core: Locked<CoreCell>,
}

/// A buffered stream in use: the object and its common part.
#[derive(Clone, Copy)]
pub struct Buf<'a> {
    pub vm: &'a Vm,
    pub this: &'a Value,
    header: &'a Header,
    inner: &'a Buffered,
}

/// A class whose payload has a [`Buffered`].
pub trait HasBuffer: Native {
    fn buffered(&self) -> &Buffered;
}

impl<'a> Buf<'a> {
    #[inline]
    pub fn new<T: HasBuffer>(vm: &'a Vm, this: &'a Py<T>) -> Buf<'a> {
        Buf {
            vm,
            this: this.as_value(),
            header: this.header(),
            inner: this.buffered(),
        }
    }
}

/// The raw stream: a plain file, on which everything is done natively, or any other object.
pub enum Raw {
    File(Py<FileIO>),
    Other(Value),
}

impl Raw {
    fn value(&self) -> &Value {
        match self {
            Raw::File(file) => file.as_value(),
            Raw::Other(other) => other,
        }
    }
}

/// The buffer of a stream whose lock the thread holds. Dropping it puts the buffer back and frees the lock.
pub struct Entered<'a> {
    buf: Buf<'a>,
    raw: Raw,
    core: Option<Box<Core>>,
}

impl std::ops::Deref for Entered<'_> {
    type Target = Core;
    fn deref(&self) -> &Core {
        match &self.core {
            Some(core) => core,
            None => unreachable!("the buffer is put back only by drop"),
        }
    }
}

impl std::ops::DerefMut for Entered<'_> {
    fn deref_mut(&mut self) -> &mut Core {
        match &mut self.core {
            Some(core) => core,
            None => unreachable!("the buffer is put back only by drop"),
        }
    }
}

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        let core = self.core.take();
        self.buf.inner.core.with(self.buf.header, |cell| cell.0 = core);
        self.buf.inner.lock.release();
    }
}

impl Buffered {
    pub fn empty(flags: u32) -> Buffered {
        Buffered {
            raw: Slot::empty(),
            flags: AtomicU32::new(flags),
            size: AtomicUsize::new(0),
            lock: RawLock::new(),
            core: Locked::new(CoreCell(Some(Box::default()))),
        }
    }

    fn has(&self, flag: u32) -> bool {
        self.flags.load(Relaxed) & flag != 0
    }

    /// The raw stream, as it is.
    pub fn raw(&self) -> Option<Value> {
        self.raw.get()
    }
}

impl<'a> Buf<'a> {
    /// Prepares the stream for use: `__init__`.
    pub fn init(self, raw: &Value, size: isize) -> Res<()> {
        let vm = self.vm;
        self.inner.flags.fetch_and(!(OK | DETACHED), Relaxed);
        let Ok(size @ 1..) = usize::try_from(size) else {
            return Err(vm.value_error("buffer size must be strictly positive"));
        };
        self.inner.size.store(size, Relaxed);
        self.inner.raw.set(raw.clone());
        {
            let mut core = self.enter()?;
            *core = Core {
                size,
                ..Core::default()
            };
            // A buffer that cannot be had is better known now.
            if size > MODEST && !core.ready() {
                return Err(vm.memory_error());
            }
            // Not all streams can tell where they are.
            let _ = core.raw_tell();
        }
        self.inner.flags.fetch_or(OK, Relaxed);
        Ok(())
    }

    #[cold]
    fn unusable(self) -> Exc {
        self.vm.value_error(if self.inner.has(DETACHED) {
            "raw stream has been detached"
        } else {
            "I/O operation on uninitialized object"
        })
    }

    /// The raw stream; an error if there is none.
    pub fn raw(self) -> Res<Value> {
        if !self.inner.has(OK) {
            return Err(self.unusable());
        }
        self.inner.raw.get().ok_or_else(|| self.unusable())
    }

    fn typed_raw(self) -> Res<Raw> {
        let raw = self.inner.raw.get().ok_or_else(|| self.unusable())?;
        let names = [
            intern!("readinto"),
            intern!("readall"),
            intern!("write"),
            intern!("seek"),
            intern!("tell"),
            intern!("close"),
        ];
        Ok(if raw.has_type(FileIO::ty()) && !overrides(self.vm, &raw, &names) {
            raw.try_into_py::<FileIO>().map_or_else(Raw::Other, Raw::File)
        } else {
            Raw::Other(raw)
        })
    }

    /// Takes the lock and the buffer.
    pub fn enter(self) -> Res<Entered<'a>> {
        let raw = self.typed_raw()?;
        let lock = &self.inner.lock;
        if !lock.try_acquire() {
            self.wait_for_lock()?;
        }
        match self.inner.core.with(self.header, |cell| cell.0.take()) {
            Some(core) => Ok(Entered {
                buf: self,
                raw,
                core: Some(core),
            }),
            None => {
                // Only the holder of the lock takes it; after a fork the holder may be gone.
                let size = self.inner.size.load(Relaxed);
                let core = Some(Box::new(Core {
                    size,
                    ..Core::default()
                }));
                Ok(Entered { buf: self, raw, core })
            }
        }
    }

    #[cold]
    fn wait_for_lock(self) -> Res<()> {
        let vm = self.vm;
        let lock = &self.inner.lock;
        if lock.held_by_me() {
            let repr = vm.repr(self.this)?.to_string_lossy();
            return Err(vm.runtime_error(format!("reentrant call inside {repr}")));
        }
        if super::common::is_orphaned(lock.holder()) {
            lock.reset_after_fork();
        }
        // A daemon thread that holds the lock when the interpreter ends never frees it.
        let limit = lisle_runtime::threads::is_finalizing().then(|| Instant::now() + Duration::from_secs(1));
        loop {
            match lock.acquire(limit, true) {
                AcquireResult::Acquired => return Ok(()),
                AcquireResult::Interrupted => vm.safepoint()?,
                AcquireResult::TimedOut => {
                    let repr = vm.repr(self.this)?.to_string_lossy();
                    return Err(vm.runtime_error(format!(
                        "could not acquire lock for {repr} at interpreter shutdown, possibly due to daemon threads"
                    )));
                }
            }
        }
    }

    /// Works on the buffer in place, unless somebody has taken it. `f` neither blocks nor runs Python code.
    #[inline]
    fn with_idle<R>(self, f: impl FnOnce(&mut Core) -> Option<R>) -> Option<R> {
        self.inner
            .core
            .with(self.header, |cell| cell.0.as_deref_mut().and_then(f))
    }

    /// Whether the stream is closed.
    pub fn is_closed(self) -> Res<bool> {
        let raw = self.raw()?;
        self.raw_closed(&raw)
    }

    fn raw_closed(self, raw: &Value) -> Res<bool> {
        if let Some(file) = raw.downcast_exact::<FileIO>() {
            return Ok(file.is_closed());
        }
        let closed = self.vm.getattr(raw, intern!("closed"))?;
        self.vm.truth(&closed)
    }

    /// The raw stream; `ValueError` with `message` if the stream is closed.
    fn open_raw(self, message: &str) -> Res<Value> {
        let raw = self.raw()?;
        // What has been read before can still be had of some streams.
        if self.raw_closed(&raw)? && self.with_idle(|core| (core.ahead() > 0).then_some(())).is_none() {
            return Err(self.vm.value_error(message));
        }
        Ok(raw)
    }

    /// `raw.name()`
    pub fn forward(self, name: &'a Py<lisle_runtime::native::Str>) -> Res<Value> {
        let raw = self.raw()?;
        call0(self.vm, &raw, name)
    }

    /// `flush()` of a writer.
    pub fn flush(self) -> Res<()> {
        self.open_raw("flush of closed file")?;
        self.enter()?.flush_and_rewind()
    }

    /// `close()`
    pub fn close(self) -> Res<()> {
        let vm = self.vm;
        self.raw()?;
        let entered = self.enter()?;
        if self.raw_closed(entered.raw.value())? {
            return Ok(());
        }
        if self.inner.has(FINALIZING) {
            self.warn_unclosed(self.this);
        }
        // Flushing takes the lock again.
        drop(entered);
        let flushed = call0(vm, self.this, intern!("flush")).map(drop);
        let mut entered = self.enter()?;
        let closed = match &entered.raw {
            Raw::File(file) => FileIO::close_stream(vm, file),
            Raw::Other(raw) => call0(vm, raw, intern!("close")).map(drop),
        };
        *entered = Core {
            abs_pos: entered.abs_pos,
            ..Core::default()
        };
        drop(entered);
        both(flushed, closed)
    }

    /// Passes on that `source` was not closed.
    pub fn warn_unclosed(self, source: &Value) {
        let Some(raw) = self.inner.raw.get().filter(|_| self.inner.has(OK)) else {
            return;
        };
        if let Some(file) = raw.downcast_exact::<FileIO>() {
            file.warn_unclosed(self.vm, source);
            return;
        }
        let _ = self
            .vm
            .call_method(&raw, intern!("_dealloc_warn"), std::slice::from_ref(source));
    }

    /// `detach()`
    pub fn detach(self) -> Res<Value> {
        self.raw()?;
        call0(self.vm, self.this, intern!("flush"))?;
        self.inner.flags.fetch_or(DETACHED, Relaxed);
        self.inner.flags.fetch_and(!OK, Relaxed);
        self.inner.raw.take().ok_or_else(|| self.unusable())
    }

    /// `tell()`
    pub fn tell(self) -> Res<i64> {
        self.raw()?;
        let mut core = self.enter()?;
        let at = core.ask_position()?;
        Ok((at - core.raw_offset()).max(0))
    }

    /// `seek(target, whence)`
    pub fn seek(self, target: &Value, whence: i32) -> Res<i64> {
        let vm = self.vm;
        let raw = self.raw()?;
        if !matches!(whence, 0..=2 | libc::SEEK_DATA | libc::SEEK_HOLE) {
            return Err(vm.value_error(format!("whence value {whence} unsupported")));
        }
        if self.raw_closed(&raw)? {
            return Err(vm.value_error("seek of closed file"));
        }
        match raw.downcast_exact::<FileIO>() {
            Some(file) if file.can_seek(vm)? => {}
            Some(_) => return Err(super::common::unsupported(vm, "File or stream is not seekable.")),
            None => check_seekable(vm, &raw)?,
        }
        let mut target = offset_of(vm, target)?;
        let mut core = self.enter()?;
        // What has been read may reach there.
        if whence <= 1 && self.inner.has(READABLE) && core.ahead() > 0 {
            let here = core.raw_tell()? - core.raw_offset();
            let offset = if whence == 0 { target - here } else { target };
            let at = core.pos as i64 + offset;
            if at >= 0 && offset <= core.ahead() as i64 && here + offset >= 0 {
                core.pos = at as usize;
                return Ok(here + offset);
            }
        }
        if self.inner.has(WRITABLE) {
            core.flush_writes()?;
        }
        if whence == 1 {
            target -= core.raw_offset();
        }
        let at = core.raw_seek(target, whence)?;
        core.raw_pos = None;
        if self.inner.has(READABLE) {
            core.forget_read();
        }
        Ok(at)
    }

    /// `truncate(pos)`
    pub fn truncate(self, pos: Option<&Value>) -> Res<Value> {
        let vm = self.vm;
        let raw = self.open_raw("truncate of closed file")?;
        if !self.inner.has(WRITABLE) {
            return Err(super::common::unsupported(vm, "truncate"));
        }
        let mut core = self.enter()?;
        core.flush_and_rewind()?;
        let result = vm.call_method(&raw, intern!("truncate"), &[pos.cloned().unwrap_or(Value::NONE)])?;
        // Where the raw stream is now, if it can tell.
        let _ = core.ask_position();
        Ok(result)
    }

    pub fn set_finalizing(self, on: bool) {
        if on {
            self.inner.flags.fetch_or(FINALIZING, Relaxed);
        } else {
            self.inner.flags.fetch_and(!FINALIZING, Relaxed);
        }
    }

    pub fn is_finalizing(self) -> bool {
        self.inner.has(FINALIZING)
    }
}

impl Entered<'_> {
    fn vm(&self) -> &Vm {
        self.buf.vm
    }

    fn position(&mut self, at: Res<Value>) -> Res<i64> {
        let vm = self.buf.vm;
        let at = offset_of(vm, &at?)?;
        if at < 0 {
            return Err(vm.os_error_message(format!("Raw stream returned invalid position {at}")));
        }
        self.abs_pos = Some(at);
        Ok(at)
    }

    /// Asks the raw stream for its position.
    fn ask_position(&mut self) -> Res<i64> {
        let vm = self.buf.vm;
        self.abs_pos = None;
        let at = match &self.raw {
            Raw::File(file) => file.seek_to(vm, 0, libc::SEEK_CUR).map(Value::int),
            Raw::Other(raw) => call0(vm, raw, intern!("tell")),
        };
        self.position(at)
    }

    /// The position of the raw stream.
    fn raw_tell(&mut self) -> Res<i64> {
        match self.abs_pos {
            Some(at) => Ok(at),
            None => self.ask_position(),
        }
    }

    fn raw_seek(&mut self, target: i64, whence: i32) -> Res<i64> {
        let vm = self.buf.vm;
        let at = match &self.raw {
            Raw::File(file) => file.seek_to(vm, target, whence).map(Value::int),
            Raw::Other(raw) => vm.call_method(raw, intern!("seek"), &[Value::int(target), Value::int(whence.into())]),
        };
        self.position(at)
    }

    /// Writes what is to be written, and puts the raw stream where the program is.
    fn flush_and_rewind(&mut self) -> Res<()> {
        self.flush_writes()?;
        if self.buf.inner.has(READABLE) {
            // What was read ahead is dropped even if the stream cannot go back.
            let offset = self.raw_offset();
            let result = if offset == 0 { Ok(0) } else { self.raw_seek(-offset, 1) };
            self.forget_read();
            result?;
        }
        Ok(())
    }
}

/// Whether an error of the raw stream says that it would block.
fn would_block(exc: &Exc) -> bool {
    is_blocking(exc)
}

impl Buf<'_> {
    /// How large the buffer is; 0 while it is in use.
    pub fn buffer_size(self) -> usize {
        self.with_idle(|core| Some(core.size)).unwrap_or(0)
    }
}
