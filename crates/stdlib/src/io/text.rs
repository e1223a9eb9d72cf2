//! `TextIOWrapper`: text on a buffered stream; the class itself. Reading, writing, positions and codecs are in `text/`.
//!
//! Invariant: text and bytes that wait are in [`State`], reached under the object's lock for moments. Where the buffer is a plain one
//! on a plain file, `turn` is held from taking something out of the state to passing it on, so that threads neither mix
//! up lines nor reorder what they write; on other buffers, which may call anything, it is not held.

pub mod codec;
mod read;
mod seek;
mod write;

use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicU8, AtomicU32, AtomicUsize};

use lisle_runtime::intern;
use lisle_runtime::native::{Args, Exc, Py, Res, Slot, Str, Type, Value, Vm, pyclass, pymethods};
use lisle_runtime::object::Native;
use lisle_runtime::sync::Locked;
use lisle_runtime::text::StrBuf;
use lisle_runtime::threads::{AcquireResult, RawRLock};
use lisle_runtime::types::exceptions;

use super::base::{TextIOBase, finalize};
use super::buffered::Buf;
use super::buffered::classes::{BufferedRandom, BufferedReader, BufferedWriter};
use super::common::{Newline, Size, both, call0, closed_error, joined, name_of, overrides, size_or_all, unsupported};
use super::fileio::FileIO;
use codec::{Codec, DecodeState};

/// How many bytes are read at once, and how many wait before they are passed on.
const CHUNK_SIZE: usize = 8192;

const LINE_BUFFERING: u32 = 1;
const WRITE_THROUGH: u32 = 2;
const SEEKABLE: u32 = 4;
/// `tell` is possible: not while iterating.
const TELLING: u32 = 8;
const HAS_READ1: u32 = 16;
const FINALIZING: u32 = 32;
const CAN_READ: u32 = 64;
const CAN_WRITE: u32 = 128;

const UNINITIALIZED: u8 = 0;
const OK: u8 = 1;
const DETACHED: u8 = 2;

/// Where the decoder can be started again: its flags, and the bytes that it was fed since.
#[derive(Clone)]
struct Snapshot {
    flags: i64,
    input: Vec<u8>,
}

/// What waits in either direction.
#[derive(Default)]
struct State {
    /// Encoded text that the buffer has not got yet.
    pending: Vec<u8>,
    /// Decoded text, of which `used` characters have been read. `None` before the first read.
    text: Option<StrBuf>,
    used: usize,
    /// The state of the native decoder.
    decode: DecodeState,
    snapshot: Option<Snapshot>,
    /// Bytes a character in the last chunk.
    ratio: f64,
}

lisle_runtime::no_trace!(State);

impl State {
    /// Forgets text that was read ahead.
    fn forget_text(&mut self) {
        self.text = None;
        self.used = 0;
        self.snapshot = None;
    }
}

/// Character and line based layer over a BufferedIOBase object, buffer.
#[pyclass(
    name = "TextIOWrapper",
    module = "_io",
    base = TextIOBase,
    basetype,
    dict,
    weakref,
    doc = "Character and line based layer over a BufferedIOBase object, buffer.\n\nencoding gives the name of the encoding that the stream will be\ndecoded or encoded with. It defaults to locale.getencoding().\n\nerrors determines the strictness of encoding and decoding (see\nhelp(codecs.Codec) or the documentation for codecs.register) and\ndefaults to \"strict\".\n\nnewline controls how line endings are handled. It can be None, '',\n'\\n', '\\r', and '\\r\\n'.  It works as follows:\n\n* On input, if newline is None, universal newlines mode is\n  enabled. Lines in the input can end in '\\n', '\\r', or '\\r\\n', and\n  these are translated into '\\n' before being returned to the\n  caller. If it is '', universal newline mode is enabled, but line\n  endings are returned to the caller untranslated. If it has any of\n  the other legal values, input lines are only terminated by the given\n  string, and the line ending is returned to the caller untranslated.\n\n* On output, if newline is None, any '\\n' characters written are\n  translated to the system default line separator, os.linesep. If\n  newline is '' or '\\n', no translation takes place. If newline is any\n  of the other legal values, any '\\n' characters written are translated\n  to the given string.\n\nIf line_buffering is True, a call to flush is implied when a call to\nwrite contains a newline character."
)]
pub struct TextIOWrapper {
    base: TextIOBase,
    status: AtomicU8,
    buffer: Slot,
    encoding: Slot,
    errors: Slot,
    /// Python objects, for encodings that are not native; else empty.
    encoder: Slot,
    decoder: Slot,
    codec: AtomicU8,
    newline: AtomicU8,
    flags: AtomicU32,
    chunk_size: AtomicUsize,
    turn: RawRLock,
    state: Locked<State>,
}

/// The arguments of the constructor besides the buffer.
pub struct TextOptions<'a> {
    pub encoding: Option<&'a Py<Str>>,
    pub errors: Option<&'a Py<Str>>,
    pub newline: Option<&'a Py<Str>>,
    pub line_buffering: bool,
    pub write_through: bool,
}

/// The layer below: a plain buffer, of which the native functions are called, or any other object.
enum Below {
    Reader(Py<BufferedReader>),
    Writer(Py<BufferedWriter>),
    Random(Py<BufferedRandom>),
    Other(Value),
}

impl Below {
    fn of(vm: &Vm, buffer: Value) -> Below {
        let ty = buffer.ty();
        let (read, read1) = (intern!("read"), intern!("read1"));
        let (write, flush) = (intern!("write"), intern!("flush"));
        let result = if ty.is(BufferedWriter::ty()) && !overrides(vm, &buffer, &[write, flush]) {
            buffer.try_into_py().map(Below::Writer)
        } else if ty.is(BufferedReader::ty()) && !overrides(vm, &buffer, &[read, read1]) {
            buffer.try_into_py().map(Below::Reader)
        } else if ty.is(BufferedRandom::ty()) && !overrides(vm, &buffer, &[read, read1, write, flush]) {
            buffer.try_into_py().map(Below::Random)
        } else {
            Err(buffer)
        };
        result.unwrap_or_else(Below::Other)
    }

    fn value(&self) -> &Value {
        match self {
            Below::Reader(buffer) => buffer.as_value(),
            Below::Writer(buffer) => buffer.as_value(),
            Below::Random(buffer) => buffer.as_value(),
            Below::Other(buffer) => buffer,
        }
    }

    fn buf<'a>(&'a self, vm: &'a Vm) -> Option<Buf<'a>> {
        match self {
            Below::Reader(buffer) => Some(Buf::new(vm, buffer)),
            Below::Writer(buffer) => Some(Buf::new(vm, buffer)),
            Below::Random(buffer) => Some(Buf::new(vm, buffer)),
            Below::Other(_) => None,
        }
    }

    fn is_closed(&self, vm: &Vm) -> Res<bool> {
        match self.buf(vm) {
            Some(buf) => buf.is_closed(),
            None => {
                let closed = vm.getattr(self.value(), intern!("closed"))?;
                vm.truth(&closed)
            }
        }
    }

    /// Whether nothing of Python is called below: a plain buffer on a plain file.
    fn is_plain(&self, vm: &Vm) -> bool {
        self.buf(vm)
            .and_then(|buf| buf.raw().ok())
            .is_some_and(|raw| raw.has_type(FileIO::ty()))
    }

    fn flush(&self, vm: &Vm) -> Res<()> {
        match self {
            Below::Writer(buffer) => Buf::new(vm, buffer).flush(),
            Below::Random(buffer) => Buf::new(vm, buffer).flush(),
            other => call0(vm, other.value(), intern!("flush")).map(drop),
        }
    }
}

/// Holds `turn` until it is dropped.
struct Turn<'a>(Option<&'a RawRLock>);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        if let Some(lock) = self.0 {
            lock.release();
        }
    }
}

impl TextIOWrapper {
    fn empty() -> TextIOWrapper {
        TextIOWrapper {
            base: TextIOBase::payload(),
            status: AtomicU8::new(UNINITIALIZED),
            buffer: Slot::empty(),
            encoding: Slot::empty(),
            errors: Slot::empty(),
            encoder: Slot::empty(),
            decoder: Slot::empty(),
            codec: AtomicU8::new(Codec::Other as u8),
            newline: AtomicU8::new(Newline::None as u8),
            flags: AtomicU32::new(0),
            chunk_size: AtomicUsize::new(CHUNK_SIZE),
            turn: RawRLock::new(),
            state: Locked::new(State::default()),
        }
    }

    /// A text layer on a buffer.
    pub fn new(vm: &Vm, buffer: &Value, options: &TextOptions<'_>) -> Res<Py<TextIOWrapper>> {
        let this = Py::new(TextIOWrapper::empty());
        TextIOWrapper::set_up(vm, &this, buffer, options)?;
        Ok(this)
    }

    fn has(&self, flag: u32) -> bool {
        self.flags.load(Relaxed) & flag != 0
    }

    fn set(&self, flag: u32, on: bool) {
        if on {
            self.flags.fetch_or(flag, Relaxed);
        } else {
            self.flags.fetch_and(!flag, Relaxed);
        }
    }

    fn newline_kind(&self) -> Newline {
        Newline::from_bits(self.newline.load(Relaxed))
    }

    fn codec(&self) -> Codec {
        Codec::from_bits(self.codec.load(Relaxed))
    }

    fn set_up(vm: &Vm, this: &Py<TextIOWrapper>, buffer: &Value, options: &TextOptions<'_>) -> Res<()> {
        this.status.store(UNINITIALIZED, Release);
        if options.encoding.is_none() && super::sys_flag(vm, intern!("warn_default_encoding")) {
            let category = exceptions::ENCODING_WARNING.get();
            vm.warn(category, "'encoding' argument not specified", 1)?;
        }
        let newline = parse_newline(vm, options.newline)?;
        let encoding = encoding_name(vm, options.encoding)?;
        if let Some(errors) = options.errors {
            no_zeros(vm, errors)?;
        }
        let errors = options.errors.cloned().unwrap_or_else(|| intern!("strict").clone());
        if super::sys_flag(vm, intern!("dev_mode")) {
            let codecs = vm.import_module("codecs")?;
            vm.call_method(&codecs, intern!("lookup_error"), &[errors.to_value()])?;
        }
        let old = this.state.with(this.header(), std::mem::take);
        drop(old);
        this.newline.store(newline as u8, Relaxed);
        let keep = this.flags.load(Relaxed) & FINALIZING;
        this.flags.store(keep, Relaxed);
        this.set(LINE_BUFFERING, options.line_buffering);
        this.set(WRITE_THROUGH, options.write_through);
        this.buffer.set(buffer.clone());
        let below = Below::of(vm, buffer.clone());
        this.set_codec(vm, &below, &encoding, &errors)?;
        let seekable = match below.buf(vm) {
            Some(buf) => buf.forward(intern!("seekable"))?,
            None => call0(vm, buffer, intern!("seekable"))?,
        };
        let seekable = vm.truth(&seekable)?;
        this.set(SEEKABLE | TELLING, seekable);
        let has_read1 = match &below {
            Below::Reader(_) | Below::Random(_) => true,
            other => vm.getattr_opt(other.value(), intern!("read1"))?.is_some(),
        };
        this.set(HAS_READ1, has_read1);
        this.chunk_size.store(CHUNK_SIZE, Relaxed);
        this.fix_encoder(vm, &below)?;
        this.status.store(OK, Release);
        Ok(())
    }

    #[cold]
    fn unusable(&self, vm: &Vm) -> Exc {
        vm.value_error(if self.status.load(Acquire) == DETACHED {
            "underlying buffer has been detached"
        } else {
            "I/O operation on uninitialized object"
        })
    }

    /// The layer below; an error if there is none.
    fn below(&self, vm: &Vm) -> Res<Below> {
        if self.status.load(Acquire) != OK {
            return Err(self.unusable(vm));
        }
        match self.buffer.get() {
            Some(buffer) => Ok(Below::of(vm, buffer)),
            None => Err(self.unusable(vm)),
        }
    }

    /// As [`TextIOWrapper::below`]; `ValueError` if the stream is closed.
    fn open_below(vm: &Vm, this: &Py<TextIOWrapper>) -> Res<Below> {
        let below = this.below(vm)?;
        let closed = if this.class().is(TextIOWrapper::ty()) {
            below.is_closed(vm)?
        } else {
            let closed = vm.getattr(this.as_value(), intern!("closed"))?;
            vm.truth(&closed)?
        };
        if closed {
            return Err(closed_error(vm));
        }
        Ok(below)
    }

    /// Waits for the stream's turn, if the layer below is plain.
    fn turn<'a>(&'a self, vm: &Vm, below: &Below) -> Res<Turn<'a>> {
        if self.turn.try_acquire() {
            // Asking comes second: it is the rarer answer.
            return Ok(if below.is_plain(vm) {
                Turn(Some(&self.turn))
            } else {
                self.turn.release();
                Turn(None)
            });
        }
        if !below.is_plain(vm) {
            return Ok(Turn(None));
        }
        if super::common::is_orphaned(self.turn.holder()) {
            self.turn.reset_after_fork();
        }
        let limit = lisle_runtime::threads::is_finalizing()
            .then(|| std::time::Instant::now() + std::time::Duration::from_secs(1));
        loop {
            match self.turn.acquire(limit, true) {
                AcquireResult::Acquired => return Ok(Turn(Some(&self.turn))),
                AcquireResult::Interrupted => vm.safepoint()?,
                AcquireResult::TimedOut => return Ok(Turn(None)),
            }
        }
    }

    fn with_state<R>(this: &Py<TextIOWrapper>, f: impl FnOnce(&mut State) -> R) -> R {
        this.state.with(this.header(), f)
    }

    fn errors_text(&self) -> String {
        match self.errors.get() {
            Some(errors) => errors
                .downcast::<Str>()
                .map_or_else(String::new, |errors| errors.to_string_lossy()),
            None => "strict".to_owned(),
        }
    }
}

/// How `print` writes to the stream without calling a method: `None` unless it is a plain one whose `write` is the class's.
pub fn find_writer(vm: &Vm, file: &Value) -> Option<lisle_runtime::interp::TextWriter> {
    fn write(vm: &Vm, file: &Value, text: &Py<Str>) -> Res<()> {
        match file.downcast_exact::<TextIOWrapper>() {
            Some(this) => TextIOWrapper::write_text(vm, this, text).map(drop),
            None => vm.call_method(file, intern!("write"), &[text.to_value()]).map(drop),
        }
    }
    file.downcast_exact::<TextIOWrapper>()?;
    if overrides(vm, file, &[intern!("write")]) {
        None
    } else {
        Some(write)
    }
}

fn no_zeros(vm: &Vm, text: &Py<Str>) -> Res<()> {
    // Lone surrogates cannot be part of a name either.
    lisle_runtime::types::encoding::encode(vm, text, "utf-8", "strict")?;
    if text.view().find_char(0).is_some() {
        return Err(vm.value_error("embedded null character"));
    }
    Ok(())
}

fn parse_newline(vm: &Vm, newline: Option<&Py<Str>>) -> Res<Newline> {
    match Newline::parse(newline) {
        Some(newline) => Ok(newline),
        None => {
            let text = newline.map_or_else(String::new, |text| text.to_string_lossy());
            if text.contains('\0') {
                return Err(vm.value_error("embedded null character"));
            }
            Err(vm.value_error(format!("illegal newline value: {text}")))
        }
    }
}

/// The name of an encoding that may not be given, or be that of the locale.
fn encoding_name(vm: &Vm, encoding: Option<&Py<Str>>) -> Res<Py<Str>> {
    match encoding {
        Some(name) if !name.is_text("locale") => {
            no_zeros(vm, name)?;
            Ok(name.clone())
        }
        None if super::sys_flag(vm, intern!("utf8_mode")) => Ok(intern!("utf-8").clone()),
        _ => Ok(Str::from_str(super::locale_encoding())),
    }
}

#[pymethods]
impl TextIOWrapper {
    #[slot]
    fn __new__(_: &Vm, cls: &Py<Type>, _args: Args<'_>) -> Res<Value> {
        Ok(Py::with_class(cls, TextIOWrapper::empty()).into_value())
    }

    #[slot(sig = "(buffer, encoding=None, errors=None, newline=None, line_buffering=False, write_through=False)")]
    fn __init__(
        vm: &Vm,
        this: &Py<TextIOWrapper>,
        buffer: &Value,
        encoding: Option<&Py<Str>>,
        errors: Option<&Py<Str>>,
        newline: Option<&Py<Str>>,
        line_buffering: Option<bool>,
        write_through: Option<bool>,
    ) -> Res<()> {
        let options = TextOptions {
            encoding,
            errors,
            newline,
            line_buffering: line_buffering.unwrap_or(false),
            write_through: write_through.unwrap_or(false),
        };
        TextIOWrapper::set_up(vm, this, buffer, &options)
    }

    #[slot]
    fn __del__(vm: &Vm, this: &Py<TextIOWrapper>) -> Res<()> {
        if this.status.load(Acquire) != OK {
            return Ok(());
        }
        finalize(vm, this.as_value())
    }

    #[slot]
    fn __repr__(vm: &Vm, this: &Py<TextIOWrapper>) -> Res<Value> {
        if this.status.load(Acquire) == UNINITIALIZED {
            return Err(this.unusable(vm));
        }
        let class = name_of(this.as_value());
        let Some(_guard) = vm.repr_enter(this.as_value()) else {
            return Err(vm.runtime_error(format!("reentrant call inside {class}.__repr__")));
        };
        let mut text = joined(&[&"<", &class]);
        for name in [intern!("name"), intern!("mode")] {
            let found = match vm.getattr_opt(this.as_value(), name) {
                Ok(found) => found,
                Err(exc) if exc.is(&exceptions::VALUE_ERROR) => None,
                Err(exc) => return Err(exc),
            };
            if let (Some(found), Some(before)) = (found, text.downcast::<Str>()) {
                text = joined(&[before, &" ", name, &"=", &vm.repr(&found)?]);
            }
        }
        let encoding = vm.repr(&this.encoding.get().unwrap_or(Value::NONE))?;
        match text.downcast::<Str>() {
            Some(before) => Ok(joined(&[before, &" encoding=", &encoding, &">"])),
            None => Ok(text),
        }
    }

    #[slot]
    fn __next__(vm: &Vm, this: &Py<TextIOWrapper>) -> Res<Option<Value>> {
        TextIOWrapper::next_line(vm, this)
    }

    #[pymethod(sig = "($self, /)")]
    fn detach(vm: &Vm, this: &Py<TextIOWrapper>) -> Res<Value> {
        this.below(vm)?;
        call0(vm, this.as_value(), intern!("flush"))?;
        this.status.store(DETACHED, Release);
        this.buffer.take().ok_or_else(|| this.unusable(vm))
    }

    /// Reconfigure the text stream with new parameters.
    ///
    /// This also does an implicit stream flush.
    #[pymethod(
        sig = "($self, /, *, encoding=None, errors=None, newline=<unrepresentable>, line_buffering=None, write_through=None)"
    )]
    fn reconfigure(
        vm: &Vm,
        this: &Py<TextIOWrapper>,
        encoding: Option<&Value>,
        errors: Option<&Value>,
        newline: Option<&Value>,
        line_buffering: Option<&Value>,
        write_through: Option<&Value>,
    ) -> Res<()> {
        let below = this.below(vm)?;
        let text = |value: Option<&Value>, name: &str| -> Res<Option<Py<Str>>> {
            match value {
                None => Ok(None),
                Some(value) if value.is_none() => Ok(None),
                Some(value) => match value.downcast::<Str>() {
                    Some(text) => Ok(Some(text.clone())),
                    None => {
                        let found = name_of(value);
                        Err(vm.type_error(format!(
                            "reconfigure() argument '{name}' must be str or None, not {found}"
                        )))
                    }
                },
            }
        };
        let encoding = text(encoding, "encoding")?;
        let errors = text(errors, "errors")?;
        if let Some(errors) = &errors {
            lisle_runtime::types::encoding::encode(vm, errors, "utf-8", "strict")?;
        }
        let change = encoding.is_some() || errors.is_some() || newline.is_some();
        if change && TextIOWrapper::with_state(this, |state| state.text.is_some()) {
            let message = "It is not possible to set the encoding or newline of stream after the first read";
            return Err(unsupported(vm, message));
        }
        let kind = match newline {
            None => None,
            Some(newline) => Some(parse_newline(vm, text(Some(newline), "newline")?.as_ref())?),
        };
        // Numbers, as in CPython, and not whatever is true.
        let wanted = |value: Option<&Value>, now: u32| match value.filter(|value| !value.is_none()) {
            Some(value) => vm.index_to_i64(value).map(|number| number != 0),
            None => Ok(this.has(now)),
        };
        let line_buffering = wanted(line_buffering, LINE_BUFFERING)?;
        let write_through = wanted(write_through, WRITE_THROUGH)?;
        call0(vm, this.as_value(), intern!("flush"))?;
        TextIOWrapper::with_state(this, |state| state.ratio = 0.0);
        if let Some(kind) = kind {
            this.newline.store(kind as u8, Relaxed);
        }
        if change {
            let new_errors = match (&encoding, errors) {
                (_, Some(errors)) => errors,
                (Some(_), None) => intern!("strict").clone(),
                (None, None) => Str::from_str(&this.errors_text()),
            };
            let new_encoding = match &encoding {
                // A name with a zero in it is one that nobody knows.
                Some(name) if !name.is_text("locale") => {
                    lisle_runtime::types::encoding::encode(vm, name, "utf-8", "strict")?;
                    if name.view().find_char(0).is_some() {
                        let known = name.to_string_lossy();
                        let known = known.split('\0').next().unwrap_or_default();
                        return Err(vm.lookup_error(format!("unknown encoding: {known}")));
                    }
                    name.clone()
                }
                Some(name) => encoding_name(vm, Some(name))?,
                None => match this.encoding.get().and_then(|name| name.try_into_py::<Str>().ok()) {
                    Some(name) => name,
                    None => encoding_name(vm, None)?,
                },
            };
            this.set_codec(vm, &below, &new_encoding, &new_errors)?;
            this.fix_encoder(vm, &below)?;
        }
        this.set(LINE_BUFFERING, line_buffering);
        this.set(WRITE_THROUGH, write_through);
        Ok(())
    }

    #[pymethod(sig = "($self, text, /)")]
    fn write(vm: &Vm, this: &Py<TextIOWrapper>, text: &Py<Str>) -> Res<usize> {
        TextIOWrapper::write_text(vm, this, text)
    }

    #[pymethod(sig = "($self, size=-1, /)")]
    fn read(vm: &Vm, this: &Py<TextIOWrapper>, size: Option<Size>) -> Res<Value> {
        TextIOWrapper::read_text(vm, this, size_or_all(size))
    }

    #[pymethod(sig = "($self, size=-1, /)")]
    fn readline(vm: &Vm, this: &Py<TextIOWrapper>, size: Option<isize>) -> Res<Value> {
        let line = TextIOWrapper::read_line(vm, this, usize::try_from(size.unwrap_or(-1)).ok())?;
        Ok(line.unwrap_or_else(|| Str::empty().into_value()))
    }

    #[pymethod(sig = "($self, /)")]
    fn flush(vm: &Vm, this: &Py<TextIOWrapper>) -> Res<()> {
        let below = TextIOWrapper::open_below(vm, this)?;
        this.set(TELLING, this.has(SEEKABLE));
        TextIOWrapper::write_pending(vm, this, &below)?;
        below.flush(vm)
    }

    #[pymethod(sig = "($self, /)")]
    fn close(vm: &Vm, this: &Py<TextIOWrapper>) -> Res<()> {
        let below = this.below(vm)?;
        let closed = if this.class().is(TextIOWrapper::ty()) {
            below.is_closed(vm)?
        } else {
            let closed = vm.getattr(this.as_value(), intern!("closed"))?;
            vm.truth(&closed)?
        };
        if closed {
            return Ok(());
        }
        if this.has(FINALIZING) {
            match below.buf(vm) {
                Some(buf) => buf.warn_unclosed(this.as_value()),
                None => {
                    let source = std::slice::from_ref(this.as_value());
                    let _ = vm.call_method(below.value(), intern!("_dealloc_warn"), source);
                }
            }
        }
        let flushed = call0(vm, this.as_value(), intern!("flush")).map(drop);
        let closed = call0(vm, below.value(), intern!("close")).map(drop);
        both(flushed, closed)
    }

    #[pymethod(sig = "($self, /)")]
    fn fileno(vm: &Vm, this: &Py<TextIOWrapper>) -> Res<Value> {
        call0(vm, this.below(vm)?.value(), intern!("fileno"))
    }

    #[pymethod(sig = "($self, /)")]
    fn seekable(vm: &Vm, this: &Py<TextIOWrapper>) -> Res<Value> {
        call0(vm, this.below(vm)?.value(), intern!("seekable"))
    }

    #[pymethod(sig = "($self, /)")]
    fn readable(vm: &Vm, this: &Py<TextIOWrapper>) -> Res<Value> {
        call0(vm, this.below(vm)?.value(), intern!("readable"))
    }

    #[pymethod(sig = "($self, /)")]
    fn writable(vm: &Vm, this: &Py<TextIOWrapper>) -> Res<Value> {
        call0(vm, this.below(vm)?.value(), intern!("writable"))
    }

    #[pymethod(sig = "($self, /)")]
    fn isatty(vm: &Vm, this: &Py<TextIOWrapper>) -> Res<Value> {
        call0(vm, this.below(vm)?.value(), intern!("isatty"))
    }

    /// Set the stream position, and return the new stream position.
    ///
    ///   cookie
    ///     Zero or an opaque number returned by tell().
    ///   whence
    ///     The relative position to seek from.
    ///
    /// Four operations are supported, given by the following argument
    /// combinations:
    ///
    /// - seek(0, SEEK_SET): Rewind to the start of the stream.
    /// - seek(cookie, SEEK_SET): Restore a previous position;
    ///   'cookie' must be a number returned by tell().
    /// - seek(0, SEEK_END): Fast-forward to the end of the stream.
    /// - seek(0, SEEK_CUR): Leave the current stream position unchanged.
    ///
    /// Any other argument combinations are invalid,
    /// and may raise exceptions.
    #[pymethod(sig = "($self, cookie, whence=0, /)")]
    fn seek(vm: &Vm, this: &Py<TextIOWrapper>, cookie: &Value, whence: Option<i32>) -> Res<Value> {
        TextIOWrapper::seek_to(vm, this, cookie, whence.unwrap_or(0))
    }

    /// Return the stream position as an opaque number.
    ///
    /// The return value of tell() can be given as input to seek(), to restore a
    /// previous stream position.
    #[pymethod(sig = "($self, /)")]
    fn tell(vm: &Vm, this: &Py<TextIOWrapper>) -> Res<Value> {
        TextIOWrapper::position(vm, this)
    }

    #[pymethod(sig = "($self, pos=None, /)")]
    fn truncate(vm: &Vm, this: &Py<TextIOWrapper>, pos: Option<&Value>) -> Res<Value> {
        let below = this.below(vm)?;
        call0(vm, this.as_value(), intern!("flush"))?;
        let pos = pos.cloned().unwrap_or(Value::NONE);
        vm.call_method(below.value(), intern!("truncate"), &[pos])
    }

    #[pymethod(sig = "($self, /)")]
    fn __reduce__(vm: &Vm, this: &Py<TextIOWrapper>) -> Res<Value> {
        Err(super::cannot_pickle(vm, this.as_value()))
    }

    #[pymethod(sig = "($self, protocol, /)")]
    fn __reduce_ex__(vm: &Vm, this: &Py<TextIOWrapper>, _protocol: &Value) -> Res<Value> {
        Err(super::cannot_pickle(vm, this.as_value()))
    }

    #[getter]
    fn encoding(_: &Vm, this: &Py<TextIOWrapper>) -> Option<Value> {
        this.encoding.get()
    }

    #[getter]
    fn errors(vm: &Vm, this: &Py<TextIOWrapper>) -> Res<Option<Value>> {
        if this.status.load(Acquire) == UNINITIALIZED {
            return Err(this.unusable(vm));
        }
        Ok(this.errors.get())
    }

    #[getter]
    fn buffer(_: &Vm, this: &Py<TextIOWrapper>) -> Option<Value> {
        this.buffer.get()
    }

    #[getter]
    fn line_buffering(_: &Vm, this: &Py<TextIOWrapper>) -> bool {
        this.has(LINE_BUFFERING)
    }

    #[getter]
    fn write_through(_: &Vm, this: &Py<TextIOWrapper>) -> bool {
        this.has(WRITE_THROUGH)
    }

    #[getter]
    fn name(vm: &Vm, this: &Py<TextIOWrapper>) -> Res<Value> {
        vm.getattr(this.below(vm)?.value(), intern!("name"))
    }

    #[getter]
    fn closed(vm: &Vm, this: &Py<TextIOWrapper>) -> Res<Value> {
        let below = this.below(vm)?;
        match below.buf(vm) {
            Some(buf) => buf.is_closed().map(Value::from_bool),
            None => vm.getattr(below.value(), intern!("closed")),
        }
    }

    #[getter]
    fn newlines(vm: &Vm, this: &Py<TextIOWrapper>) -> Res<Value> {
        this.below(vm)?;
        if !this.has(CAN_READ) {
            return Ok(Value::NONE);
        }
        if this.codec() != Codec::Other {
            if !this.newline_kind().universal() {
                return Ok(Value::NONE);
            }
            return Ok(TextIOWrapper::with_state(this, |state| state.decode.newline).newlines());
        }
        match this.decoder.get() {
            Some(decoder) => Ok(vm.getattr_opt(&decoder, intern!("newlines"))?.unwrap_or(Value::NONE)),
            None => Ok(Value::NONE),
        }
    }

    #[getter(name = "_CHUNK_SIZE")]
    fn chunk_size_attr(vm: &Vm, this: &Py<TextIOWrapper>) -> Res<usize> {
        this.below(vm)?;
        Ok(this.chunk_size.load(Relaxed))
    }
    #[setter(name = "_CHUNK_SIZE")]
    fn set_chunk_size(vm: &Vm, this: &Py<TextIOWrapper>, value: Option<&Value>) -> Res<()> {
        this.below(vm)?;
        let Some(value) = value else {
            return Err(vm.attribute_error("cannot delete attribute"));
        };
        match usize::try_from(vm.index_to_isize(value)?) {
            Ok(size @ 1..) => this.chunk_size.store(size, Relaxed),
            _ => return Err(vm.value_error("a strictly positive integer is required")),
        }
        Ok(())
    }

    #[getter]
    fn _finalizing(_: &Vm, this: &Py<TextIOWrapper>) -> bool {
        this.has(FINALIZING)
    }
    #[setter(name = "_finalizing")]
    fn set_finalizing(vm: &Vm, this: &Py<TextIOWrapper>, value: Option<&Value>) -> Res<()> {
        let on = super::flag_value(vm, value)?;
        this.set(FINALIZING, on);
        Ok(())
    }
}
