//! `_IOBase`, `_RawIOBase`, `_BufferedIOBase`, `_TextIOBase`: what streams do that say nothing else.
//!
//! Invariant: these classes have no payload, so their methods take any object whose class derives from them, and reach everything
//! through attributes, which subclasses written in Python override.

use lisle_runtime::intern;
use lisle_runtime::memory::room;
use lisle_runtime::native::{Py, Res, Str, Value, Vm, pyclass, pymethods};
use lisle_runtime::types::buffer::Writable;
use lisle_runtime::types::bytearray::ByteArray;
use lisle_runtime::types::bytes::Bytes;
use lisle_runtime::types::exceptions;
use lisle_runtime::types::list::List;

use super::common::{
    DEFAULT_BUFFER_SIZE, Size, both, call0, closed_error, expect_bytes, is_interrupted, size_or_all, unsupported,
};

/// What all streams derive from.
#[pyclass(
    name = "_IOBase",
    module = "_io",
    basetype,
    dict,
    weakref,
    doc = "The abstract base class for all I/O classes.\n\nThis class provides dummy implementations for many methods that\nderived classes can override selectively; the default implementations\nrepresent a file that cannot be read, written or seeked.\n\nEven though IOBase does not declare read, readinto, or write because\ntheir signatures will vary, implementations and clients should\nconsider those methods part of the interface. Also, implementations\nmay raise UnsupportedOperation when operations they do not support are\ncalled.\n\nThe basic type used for binary data read from or written to a file is\nbytes. Other bytes-like objects are accepted as method arguments too.\nIn some cases (such as readinto), a writable object is required. Text\nI/O classes work with str data.\n\nNote that calling any method (except additional calls to close(),\nwhich are ignored) on a closed stream should raise a ValueError.\n\nIOBase (and its subclasses) support the iterator protocol, meaning\nthat an IOBase object can be iterated over yielding the lines in a\nstream.\n\nIOBase also supports the :keyword:`with` statement. In this example,\nfp is closed after the suite of the with statement is complete:\n\nwith open('spam.txt', 'r') as fp:\n    fp.write('Spam and eggs!')"
)]
pub struct IOBase {}

/// Whether `_IOBase.close` has run.
fn is_marked_closed(vm: &Vm, this: &Value) -> Res<bool> {
    vm.getattr_opt(this, intern!("__IOBase_closed"))
        .map(|found| found.is_some())
}

/// Raises `ValueError` if the stream says that it is closed.
pub fn check_closed(vm: &Vm, this: &Value) -> Res<()> {
    if let Some(closed) = vm.getattr_opt(this, intern!("closed"))?
        && vm.truth(&closed)?
    {
        return Err(closed_error(vm));
    }
    Ok(())
}

fn check_ability(vm: &Vm, this: &Value, ability: &Py<Str>, message: &str) -> Res<()> {
    let answer = call0(vm, this, ability)?;
    if !answer.is_true() {
        return Err(unsupported(vm, message));
    }
    Ok(())
}

pub fn check_seekable(vm: &Vm, this: &Value) -> Res<()> {
    check_ability(vm, this, intern!("seekable"), "File or stream is not seekable.")
}

pub fn check_readable(vm: &Vm, this: &Value) -> Res<()> {
    check_ability(vm, this, intern!("readable"), "File or stream is not readable.")
}

pub fn check_writable(vm: &Vm, this: &Value) -> Res<()> {
    check_ability(vm, this, intern!("writable"), "File or stream is not writable.")
}

/// Calls `f` again as long as it is interrupted by signals, whose handlers run in between.
pub fn retry_interrupted<T>(vm: &Vm, mut f: impl FnMut() -> Res<T>) -> Res<T> {
    loop {
        match f() {
            Err(exc) if is_interrupted(&exc) => vm.safepoint()?,
            result => return result,
        }
    }
}

/// `_IOBase.close(self)`
pub fn close_base(vm: &Vm, this: &Value) -> Res<()> {
    if is_marked_closed(vm, this)? {
        return Ok(());
    }
    let flushed = call0(vm, this, intern!("flush")).map(drop);
    let marked = vm.setattr(this, intern!("__IOBase_closed"), &Value::TRUE);
    both(flushed, marked)
}

/// `__del__`: closes the stream if it is open.
pub fn finalize(vm: &Vm, this: &Value) -> Res<()> {
    let closed = match vm.getattr(this, intern!("closed")) {
        Ok(closed) => vm.truth(&closed),
        Err(exc) => Err(exc),
    };
    // A stream that cannot tell was never initialised, or is broken.
    if !matches!(closed, Ok(false)) {
        return Ok(());
    }
    let _ = vm.setattr(this, intern!("_finalizing"), &Value::TRUE);
    call0(vm, this, intern!("close")).map(drop)
}

/// The first line of what `self.read` gives, by `self.peek` if there is one.
fn generic_readline(vm: &Vm, this: &Value, limit: isize) -> Res<Value> {
    let peek = vm.getattr_opt(this, intern!("peek"))?;
    let mut line: Vec<u8> = Vec::new();
    let room = |line: &Vec<u8>| usize::try_from(limit).map_or(usize::MAX, |limit| limit.saturating_sub(line.len()));
    while room(&line) > 0 {
        let mut ahead = 1;
        if let Some(peek) = &peek {
            let seen = retry_interrupted(vm, || vm.call(peek, &[Value::int(1)]))?;
            let Some(bytes) = seen.downcast::<Bytes>() else {
                let found = seen.ty().name();
                let message = format!("peek() should have returned a bytes object, not '{found}'");
                return Err(vm.os_error_message(message));
            };
            let bytes = bytes.as_slice();
            if !bytes.is_empty() {
                let within = &bytes[..bytes.len().min(room(&line))];
                ahead = within
                    .iter()
                    .position(|&b| b == b'\n')
                    .map_or(within.len(), |at| at + 1);
            }
        }
        let read = retry_interrupted(vm, || vm.call_method(this, intern!("read"), &[Value::usize(ahead)]))?;
        let Some(bytes) = read.downcast::<Bytes>() else {
            let found = read.ty().name();
            let message = format!("read() should have returned a bytes object, not '{found}'");
            return Err(vm.os_error_message(message));
        };
        if bytes.is_empty() {
            break;
        }
        room::append(&mut line, bytes.as_slice())?;
        if line.last() == Some(&b'\n') {
            break;
        }
    }
    Ok(Bytes::new_value(line))
}

#[pymethods]
impl IOBase {
    #[slot]
    fn __iter__(vm: &Vm, this: &Value) -> Res<Value> {
        check_closed(vm, this)?;
        Ok(this.clone())
    }

    #[slot]
    fn __next__(vm: &Vm, this: &Value) -> Res<Option<Value>> {
        let line = call0(vm, this, intern!("readline"))?;
        Ok(if vm.len(&line)? == 0 { None } else { Some(line) })
    }

    #[slot]
    fn __del__(vm: &Vm, this: &Value) -> Res<()> {
        finalize(vm, this)
    }

    /// Change the stream position to the given byte offset.
    ///
    ///   offset
    ///     The stream position, relative to 'whence'.
    ///   whence
    ///     The relative position to seek from.
    ///
    /// The offset is interpreted relative to the position indicated by whence.
    /// Values for whence are:
    ///
    /// * os.SEEK_SET or 0 -- start of stream (the default); offset should be zero or positive
    /// * os.SEEK_CUR or 1 -- current stream position; offset may be negative
    /// * os.SEEK_END or 2 -- end of stream; offset is usually negative
    ///
    /// Return the new absolute position.
    #[pymethod(sig = "($self, offset, whence=0, /)")]
    fn seek(vm: &Vm, _this: &Value, _offset: &Value, _whence: Option<&Value>) -> Res<Value> {
        Err(unsupported(vm, "seek"))
    }

    /// Return current stream position.
    #[pymethod(sig = "($self, /)")]
    fn tell(vm: &Vm, this: &Value) -> Res<Value> {
        vm.call_method(this, intern!("seek"), &[Value::int(0), Value::int(1)])
    }

    /// Truncate file to size bytes.
    ///
    /// File pointer is left unchanged. Size defaults to the current IO position
    /// as reported by tell(). Return the new size.
    #[pymethod(sig = "($self, size=None, /)")]
    fn truncate(vm: &Vm, _this: &Value, _size: Option<&Value>) -> Res<Value> {
        Err(unsupported(vm, "truncate"))
    }

    /// Flush write buffers, if applicable.
    ///
    /// This is not implemented for read-only and non-blocking streams.
    #[pymethod(sig = "($self, /)")]
    fn flush(vm: &Vm, this: &Value) -> Res<()> {
        // Closing a plain file leaves no mark.
        let file = this.downcast::<super::fileio::FileIO>();
        if is_marked_closed(vm, this)? || file.is_some_and(|file| file.is_closed()) {
            return Err(closed_error(vm));
        }
        Ok(())
    }

    /// Flush and close the IO object.
    ///
    /// This method has no effect if the file is already closed.
    #[pymethod(sig = "($self, /)")]
    fn close(vm: &Vm, this: &Value) -> Res<()> {
        close_base(vm, this)
    }

    /// Return whether object supports random access.
    ///
    /// If False, seek(), tell() and truncate() will raise OSError.
    /// This method may need to do a test seek().
    #[pymethod(sig = "($self, /)")]
    fn seekable(_: &Vm, _this: &Value) -> bool {
        false
    }

    /// Return whether object was opened for reading.
    ///
    /// If False, read() will raise OSError.
    #[pymethod(sig = "($self, /)")]
    fn readable(_: &Vm, _this: &Value) -> bool {
        false
    }

    /// Return whether object was opened for writing.
    ///
    /// If False, write() will raise OSError.
    #[pymethod(sig = "($self, /)")]
    fn writable(_: &Vm, _this: &Value) -> bool {
        false
    }

    #[pymethod(name = "_checkClosed", sig = "($self, /)")]
    fn check_closed_method(vm: &Vm, this: &Value) -> Res<()> {
        check_closed(vm, this)
    }

    #[pymethod(name = "_checkSeekable", sig = "($self, /)")]
    fn check_seekable_method(vm: &Vm, this: &Value) -> Res<bool> {
        check_seekable(vm, this).map(|()| true)
    }

    #[pymethod(name = "_checkReadable", sig = "($self, /)")]
    fn check_readable_method(vm: &Vm, this: &Value) -> Res<bool> {
        check_readable(vm, this).map(|()| true)
    }

    #[pymethod(name = "_checkWritable", sig = "($self, /)")]
    fn check_writable_method(vm: &Vm, this: &Value) -> Res<bool> {
        check_writable(vm, this).map(|()| true)
    }

    /// Return underlying file descriptor if one exists.
    ///
    /// Raise OSError if the IO object does not use a file descriptor.
    #[pymethod(sig = "($self, /)")]
    fn fileno(vm: &Vm, _this: &Value) -> Res<Value> {
        Err(unsupported(vm, "fileno"))
    }

    /// Return whether this is an 'interactive' stream.
    ///
    /// Return False if it can't be determined.
    #[pymethod(sig = "($self, /)")]
    fn isatty(vm: &Vm, this: &Value) -> Res<bool> {
        check_closed(vm, this).map(|()| false)
    }

    #[pymethod(sig = "($self, /)")]
    fn __enter__(vm: &Vm, this: &Value) -> Res<Value> {
        check_closed(vm, this)?;
        Ok(this.clone())
    }

    #[pymethod(sig = "($self, /, *args)")]
    fn __exit__(vm: &Vm, this: &Value, _args: &[Value]) -> Res<Value> {
        call0(vm, this, intern!("close"))
    }

    /// Read and return a line from the stream.
    ///
    /// If size is specified, at most size bytes will be read.
    ///
    /// The line terminator is always b'\n' for binary files; for text
    /// files, the newlines argument to open can be used to select the line
    /// terminator(s) recognized.
    #[pymethod(sig = "($self, size=-1, /)")]
    fn readline(vm: &Vm, this: &Value, size: Option<Size>) -> Res<Value> {
        generic_readline(vm, this, size_or_all(size))
    }

    /// Return a list of lines from the stream.
    ///
    /// hint can be specified to control the number of lines read: no more
    /// lines will be read if the total size (in bytes/characters) of all
    /// lines so far exceeds hint.
    #[pymethod(sig = "($self, hint=-1, /)")]
    fn readlines(vm: &Vm, this: &Value, hint: Option<Size>) -> Res<Value> {
        let hint = size_or_all(hint);
        if hint <= 0 {
            return Ok(List::new(vm.collect(this)?).into_value());
        }
        let lines = vm.iter(this)?;
        let (mut list, mut total) = (Vec::new(), 0);
        while let Some(line) = vm.next(&lines)? {
            let len = vm.len(&line)?;
            list.push(line);
            if len as isize > hint - total {
                break;
            }
            total += len as isize;
        }
        Ok(List::new(list).into_value())
    }

    /// Write a list of lines to stream.
    ///
    /// Line separators are not added, so it is usual for each of the
    /// lines provided to have a line separator at the end.
    #[pymethod(sig = "($self, lines, /)")]
    fn writelines(vm: &Vm, this: &Value, lines: &Value) -> Res<()> {
        check_closed(vm, this)?;
        vm.for_each(lines, |line| {
            retry_interrupted(vm, || {
                vm.call_method(this, intern!("write"), std::slice::from_ref(&line))
                    .map(drop)
            })
        })
    }

    #[getter]
    fn closed(vm: &Vm, this: &Value) -> Res<bool> {
        is_marked_closed(vm, this)
    }
}

/// Base class for raw binary I/O.
#[pyclass(name = "_RawIOBase", module = "_io", base = IOBase, basetype, dict, weakref, doc = "Base class for raw binary I/O.")]
pub struct RawIOBase {
    base: IOBase,
}

impl RawIOBase {
    pub const fn payload() -> RawIOBase {
        RawIOBase { base: IOBase {} }
    }
}

#[pymethods]
impl RawIOBase {
    #[pymethod(sig = "($self, size=-1, /)")]
    fn read(vm: &Vm, this: &Value, size: Option<isize>) -> Res<Value> {
        let Ok(size) = usize::try_from(size.unwrap_or(-1)) else {
            return call0(vm, this, intern!("readall"));
        };
        let buffer = ByteArray::new_value(room::zeroed(size)?);
        let count = vm.call_method(this, intern!("readinto"), std::slice::from_ref(&buffer))?;
        if count.is_none() {
            return Ok(count);
        }
        let count = vm.index_to_isize(&count)?;
        let filled = usize::try_from(count).ok().filter(|&count| count <= size);
        let part = buffer.downcast::<ByteArray>().zip(filled).and_then(|(bytes, filled)| {
            // The program may have changed the length.
            bytes.with(|bytes| bytes.get(..filled).map(room::copied))
        });
        match part {
            Some(part) => Ok(Bytes::new_value(part?)),
            None => Err(vm.value_error(format!("readinto returned {count} outside buffer size {size}"))),
        }
    }

    /// Read until EOF, using multiple read() call.
    #[pymethod(sig = "($self, /)")]
    fn readall(vm: &Vm, this: &Value) -> Res<Value> {
        let mut all: Vec<u8> = Vec::new();
        loop {
            let size = Value::usize(DEFAULT_BUFFER_SIZE);
            let data = retry_interrupted(vm, || {
                vm.call_method(this, intern!("read"), std::slice::from_ref(&size))
            })?;
            if data.is_none() {
                if all.is_empty() {
                    return Ok(data);
                }
                break;
            }
            let bytes = expect_bytes(vm, &data, "read()")?;
            if bytes.is_empty() {
                break;
            }
            room::append(&mut all, bytes.as_slice())?;
        }
        Ok(Bytes::new_value(all))
    }

    #[pymethod(sig = "($self, buffer, /)")]
    fn readinto(vm: &Vm, _this: &Value, _buffer: &Value) -> Res<Value> {
        Err(vm.new_exception(exceptions::NOT_IMPLEMENTED_ERROR.get(), Vec::new()))
    }

    #[pymethod(sig = "($self, b, /)")]
    fn write(vm: &Vm, _this: &Value, _b: &Value) -> Res<Value> {
        Err(vm.new_exception(exceptions::NOT_IMPLEMENTED_ERROR.get(), Vec::new()))
    }
}

/// Base class for buffered IO objects.
#[pyclass(
    name = "_BufferedIOBase",
    module = "_io",
    base = IOBase,
    basetype,
    dict,
    weakref,
    doc = "Base class for buffered IO objects.\n\nThe main difference with RawIOBase is that the read() method\nsupports omitting the size argument, and does not have a default\nimplementation that defers to readinto().\n\nIn addition, read(), readinto() and write() may raise\nBlockingIOError if the underlying raw stream is in non-blocking\nmode and not ready; unlike their raw counterparts, they will never\nreturn None.\n\nA typical implementation should not inherit from a RawIOBase\nimplementation, but wrap one."
)]
pub struct BufferedIOBase {
    base: IOBase,
}

impl BufferedIOBase {
    pub const fn payload() -> BufferedIOBase {
        BufferedIOBase { base: IOBase {} }
    }

    fn generic_readinto(vm: &Vm, this: &Value, buffer: &Writable, method: &Py<Str>) -> Res<usize> {
        let len = buffer.0.len;
        let data = vm.call_method(this, method, &[Value::usize(len)])?;
        let bytes = expect_bytes(vm, &data, "read()")?;
        if bytes.len() > len {
            let given = bytes.len();
            let message = format!("read() returned too much data: {len} bytes requested, {given} returned");
            return Err(vm.value_error(message));
        }
        super::fileio::store(vm, &buffer.0, 0, bytes.as_slice())?;
        Ok(bytes.len())
    }
}

#[pymethods]
impl BufferedIOBase {
    /// Disconnect this buffer from its underlying raw stream and return it.
    ///
    /// After the raw stream has been detached, the buffer is in an unusable
    /// state.
    #[pymethod(sig = "($self, /)")]
    fn detach(vm: &Vm, _this: &Value) -> Res<Value> {
        Err(unsupported(vm, "detach"))
    }

    /// Read and return up to n bytes.
    ///
    /// If the size argument is omitted, None, or negative, read and
    /// return all data until EOF.
    ///
    /// If the size argument is positive, and the underlying raw stream is
    /// not 'interactive', multiple raw reads may be issued to satisfy
    /// the byte count (unless EOF is reached first).
    /// However, for interactive raw streams (as well as sockets and pipes),
    /// at most one raw read will be issued, and a short result does not
    /// imply that EOF is imminent.
    ///
    /// Return an empty bytes object on EOF.
    ///
    /// Return None if the underlying raw stream was open in non-blocking
    /// mode and no data is available at the moment.
    #[pymethod(sig = "($self, size=-1, /)")]
    fn read(vm: &Vm, _this: &Value, _size: Option<&Value>) -> Res<Value> {
        Err(unsupported(vm, "read"))
    }

    /// Read and return up to size bytes, with at most one read() call to the underlying raw stream.
    ///
    /// Return an empty bytes object on EOF.
    /// A short result does not imply that EOF is imminent.
    #[pymethod(sig = "($self, size=-1, /)")]
    fn read1(vm: &Vm, _this: &Value, _size: Option<&Value>) -> Res<Value> {
        Err(unsupported(vm, "read1"))
    }

    #[pymethod(sig = "($self, buffer, /)")]
    fn readinto(vm: &Vm, this: &Value, buffer: Writable) -> Res<usize> {
        BufferedIOBase::generic_readinto(vm, this, &buffer, intern!("read"))
    }

    #[pymethod(sig = "($self, buffer, /)")]
    fn readinto1(vm: &Vm, this: &Value, buffer: Writable) -> Res<usize> {
        BufferedIOBase::generic_readinto(vm, this, &buffer, intern!("read1"))
    }

    /// Write buffer b to the IO stream.
    ///
    /// Return the number of bytes written, which is always
    /// the length of b in bytes.
    ///
    /// Raise BlockingIOError if the buffer is full and the
    /// underlying raw stream cannot accept more data at the moment.
    #[pymethod(sig = "($self, b, /)")]
    fn write(vm: &Vm, _this: &Value, _b: &Value) -> Res<Value> {
        Err(unsupported(vm, "write"))
    }
}

/// Base class for text I/O.
#[pyclass(
    name = "_TextIOBase",
    module = "_io",
    base = IOBase,
    basetype,
    dict,
    weakref,
    doc = "Base class for text I/O.\n\nThis class provides a character and line based interface to stream\nI/O. There is no readinto method because Python's character strings\nare immutable."
)]
pub struct TextIOBase {
    base: IOBase,
}

impl TextIOBase {
    pub const fn payload() -> TextIOBase {
        TextIOBase { base: IOBase {} }
    }
}

#[pymethods]
impl TextIOBase {
    /// Separate the underlying buffer from the TextIOBase and return it.
    ///
    /// After the underlying buffer has been detached, the TextIO is in an unusable state.
    #[pymethod(sig = "($self, /)")]
    fn detach(vm: &Vm, _this: &Value) -> Res<Value> {
        Err(unsupported(vm, "detach"))
    }

    /// Read at most size characters from stream.
    ///
    /// Read from underlying buffer until we have size characters or we hit EOF.
    /// If size is negative or omitted, read until EOF.
    #[pymethod(sig = "($self, size=-1, /)")]
    fn read(vm: &Vm, _this: &Value, _size: Option<&Value>) -> Res<Value> {
        Err(unsupported(vm, "read"))
    }

    /// Read until newline or EOF.
    ///
    /// Return an empty string if EOF is hit immediately.
    /// If size is specified, at most size characters will be read.
    #[pymethod(sig = "($self, size=-1, /)")]
    fn readline(vm: &Vm, _this: &Value, _size: Option<&Value>) -> Res<Value> {
        Err(unsupported(vm, "readline"))
    }

    /// Write string s to stream.
    ///
    /// Return the number of characters written
    /// (which is always equal to the length of the string).
    #[pymethod(sig = "($self, s, /)")]
    fn write(vm: &Vm, _this: &Value, s: &Value) -> Res<Value> {
        if s.downcast::<Str>().is_none() {
            let found = s.ty().name();
            return Err(vm.type_error(format!("write() argument 1 must be str, not {found}")));
        }
        Err(unsupported(vm, "write"))
    }

    /// Encoding of the text stream.
    ///
    /// Subclasses should override.
    #[getter]
    fn encoding(_: &Vm, _this: &Value) -> Value {
        Value::NONE
    }

    /// Line endings translated so far.
    ///
    /// Only line endings translated during reading are considered.
    ///
    /// Subclasses should override.
    #[getter]
    fn newlines(_: &Vm, _this: &Value) -> Value {
        Value::NONE
    }

    /// The error setting of the decoder or encoder.
    ///
    /// Subclasses should override.
    #[getter]
    fn errors(_: &Vm, _this: &Value) -> Value {
        Value::NONE
    }
}
