//! `BytesIO`: a file in memory.
//!
//! Invariant: bytes and position are only reached under the object's lock. While there are exports (`getbuffer`) the size is fixed.

use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::{AcqRel, Acquire};

use lisle_runtime::intern;
use lisle_runtime::memory::room;
use lisle_runtime::native::{Args, Exc, Py, Res, Type, Value, Vm, pyclass, pymethods};
use lisle_runtime::object::Native;
use lisle_runtime::sync::Locked;
use lisle_runtime::types::buffer::{Buffer, BufferFlags, Exporter, Writable};
use lisle_runtime::types::bytes::Bytes;
use lisle_runtime::types::dict::Dict;
use lisle_runtime::types::list::List;
use lisle_runtime::types::tuple::Tuple;
use lisle_runtime::vm::attributes::instance_dict;

use super::base::{BufferedIOBase, finalize};
use super::common::{Size, closed_error, name_of, optional_size, size_or_all};
use super::fileio::store;

/// The contents, `None` once closed.
struct Data {
    bytes: Option<Vec<u8>>,
    pos: usize,
}

lisle_runtime::no_trace!(Data);

/// Buffered I/O implementation using an in-memory bytes buffer.
#[pyclass(
    name = "BytesIO",
    module = "_io",
    base = BufferedIOBase,
    basetype,
    dict,
    weakref,
    doc = "Buffered I/O implementation using an in-memory bytes buffer."
)]
pub struct BytesIO {
    base: BufferedIOBase,
    data: Locked<Data>,
    exports: AtomicUsize,
}

/// Why a write did not happen.
enum Refused {
    Closed,
    Exported,
    NoMemory,
}

impl Refused {
    fn raise(self, vm: &Vm) -> Exc {
        match self {
            Refused::Closed => closed_error(vm),
            Refused::Exported => vm.buffer_error("Existing exports of data: object cannot be re-sized"),
            Refused::NoMemory => vm.memory_error(),
        }
    }
}

impl BytesIO {
    fn empty() -> BytesIO {
        BytesIO {
            base: BufferedIOBase::payload(),
            data: Locked::new(Data {
                bytes: Some(Vec::new()),
                pos: 0,
            }),
            exports: AtomicUsize::new(0),
        }
    }

    /// Calls `f` with the contents and the position; an error once closed.
    #[inline]
    fn open<R>(vm: &Vm, this: &Py<BytesIO>, f: impl FnOnce(&mut Vec<u8>, &mut usize) -> R) -> Res<R> {
        let result = this.data.with(this.header(), |data| {
            let Data { bytes, pos } = data;
            bytes.as_mut().map(|bytes| f(bytes, pos))
        });
        result.ok_or_else(|| closed_error(vm))
    }

    fn check_exports(vm: &Vm, this: &Py<BytesIO>) -> Res<()> {
        if this.exports.load(Acquire) > 0 {
            return Err(Refused::Exported.raise(vm));
        }
        Ok(())
    }

    fn put(vm: &Vm, this: &Py<BytesIO>, new: &[u8]) -> Res<()> {
        let exports = this.exports.load(Acquire) > 0;
        let done = this.data.with(this.header(), |data| {
            let bytes = data.bytes.as_mut().ok_or(Refused::Closed)?;
            if exports {
                return Err(Refused::Exported);
            }
            if new.is_empty() {
                return Ok(());
            }
            let end = data.pos.checked_add(new.len()).ok_or(Refused::NoMemory)?;
            if end > bytes.len() {
                bytes.try_reserve(end - bytes.len()).map_err(|_| Refused::NoMemory)?;
            }
            if data.pos >= bytes.len() {
                bytes.resize(data.pos, 0);
                bytes.extend_from_slice(new);
            } else {
                let within = new.len().min(bytes.len() - data.pos);
                bytes[data.pos..data.pos + within].copy_from_slice(&new[..within]);
                bytes.extend_from_slice(&new[within..]);
            }
            data.pos = end;
            Ok(())
        });
        done.map_err(|refused: Refused| refused.raise(vm))
    }

    fn take(vm: &Vm, this: &Py<BytesIO>, size: isize) -> Res<Value> {
        let part = BytesIO::open(vm, this, |bytes, pos| {
            let from = (*pos).min(bytes.len());
            let left = bytes.len() - from;
            let n = usize::try_from(size).map_or(left, |size| size.min(left));
            *pos += n;
            Bytes::copy_of(&bytes[from..from + n])
        })?;
        Ok(part?)
    }

    fn line(vm: &Vm, this: &Py<BytesIO>, size: isize) -> Res<Vec<u8>> {
        let line = BytesIO::open(vm, this, |bytes, pos| {
            let from = (*pos).min(bytes.len());
            let left = bytes.len() - from;
            let n = usize::try_from(size).map_or(left, |size| size.min(left));
            let seen = &bytes[from..from + n];
            let n = memchr::memchr(b'\n', seen).map_or(n, |at| at + 1);
            *pos += n;
            room::copied(&bytes[from..from + n])
        })?;
        Ok(line?)
    }

    fn is_closed(this: &Py<BytesIO>) -> bool {
        this.data.with(this.header(), |data| data.bytes.is_none())
    }
}

struct BytesIOExporter;

impl Exporter for BytesIOExporter {
    fn read(&self, owner: &Value, offset: usize, out: &mut [u8]) -> bool {
        let Some(this) = owner.downcast::<BytesIO>() else {
            return false;
        };
        this.data.with(this.header(), |data| {
            let part = data
                .bytes
                .as_ref()
                .and_then(|bytes| bytes.get(offset..)?.get(..out.len()));
            match part {
                Some(part) => {
                    out.copy_from_slice(part);
                    true
                }
                None => false,
            }
        })
    }

    fn write(&self, owner: &Value, offset: usize, new: &[u8]) -> bool {
        let Some(this) = owner.downcast::<BytesIO>() else {
            return false;
        };
        this.data.with(this.header(), |data| {
            let part = data
                .bytes
                .as_mut()
                .and_then(|bytes| bytes.get_mut(offset..)?.get_mut(..new.len()));
            match part {
                Some(part) => {
                    part.copy_from_slice(new);
                    true
                }
                None => false,
            }
        })
    }

    fn release(&self, _vm: &Vm, owner: &Value) {
        if let Some(this) = owner.downcast::<BytesIO>() {
            this.exports.fetch_sub(1, AcqRel);
        }
    }
}

/// What `getbuffer` makes a view of.
#[pyclass(name = "_BytesIOBuffer", module = "_io", no_new)]
pub struct BytesIOBuffer {
    source: Py<BytesIO>,
}

#[pymethods]
impl BytesIOBuffer {
    #[slot]
    fn __buffer__(_vm: &Vm, this: &Py<BytesIOBuffer>, _flags: BufferFlags) -> Res<Buffer> {
        let source = &this.source;
        let len = source.data.with(source.header(), |data| {
            source.exports.fetch_add(1, AcqRel);
            data.bytes.as_ref().map_or(0, Vec::len)
        });
        Ok(Buffer::bytes(source.to_value(), &BytesIOExporter, len, false))
    }
}

#[pymethods]
impl BytesIO {
    #[slot]
    fn __new__(_: &Vm, cls: &Py<Type>, _args: Args<'_>) -> Res<Value> {
        Ok(Py::with_class(cls, BytesIO::empty()).into_value())
    }

    #[slot(sig = "(initial_bytes=b'')")]
    fn __init__(vm: &Vm, this: &Py<BytesIO>, initial_bytes: Option<&Value>) -> Res<()> {
        BytesIO::check_exports(vm, this)?;
        let bytes = match initial_bytes.filter(|bytes| !bytes.is_none()) {
            Some(initial) => room::owned(lisle_runtime::types::buffer::get_bytes(vm, initial)?)?,
            None => Vec::new(),
        };
        this.data.with(this.header(), |data| {
            data.bytes = Some(bytes);
            data.pos = 0;
        });
        Ok(())
    }

    #[slot]
    fn __del__(vm: &Vm, this: &Py<BytesIO>) -> Res<()> {
        // There is nothing to close but what a subclass adds.
        if this.class().is(BytesIO::ty()) {
            return Ok(());
        }
        finalize(vm, this.as_value())
    }

    #[slot]
    fn __iter__(vm: &Vm, this: &Py<BytesIO>) -> Res<Value> {
        BytesIO::open(vm, this, |_, _| ())?;
        Ok(this.to_value())
    }

    #[slot]
    fn __next__(vm: &Vm, this: &Py<BytesIO>) -> Res<Option<Value>> {
        let line = BytesIO::line(vm, this, -1)?;
        Ok((!line.is_empty()).then(|| Bytes::new_value(line)))
    }

    /// Returns True if the IO object can be read.
    #[pymethod(sig = "($self, /)")]
    fn readable(vm: &Vm, this: &Py<BytesIO>) -> Res<bool> {
        BytesIO::open(vm, this, |_, _| true)
    }

    /// Returns True if the IO object can be seeked.
    #[pymethod(sig = "($self, /)")]
    fn seekable(vm: &Vm, this: &Py<BytesIO>) -> Res<bool> {
        BytesIO::open(vm, this, |_, _| true)
    }

    /// Returns True if the IO object can be written.
    #[pymethod(sig = "($self, /)")]
    fn writable(vm: &Vm, this: &Py<BytesIO>) -> Res<bool> {
        BytesIO::open(vm, this, |_, _| true)
    }

    /// Disable all I/O operations.
    #[pymethod(sig = "($self, /)")]
    fn close(vm: &Vm, this: &Py<BytesIO>) -> Res<()> {
        BytesIO::check_exports(vm, this)?;
        let bytes = this.data.with(this.header(), |data| data.bytes.take());
        drop(bytes);
        Ok(())
    }

    /// Does nothing.
    #[pymethod(sig = "($self, /)")]
    fn flush(vm: &Vm, this: &Py<BytesIO>) -> Res<()> {
        BytesIO::open(vm, this, |_, _| ())
    }

    /// Always returns False.
    ///
    /// BytesIO objects are not connected to a TTY-like device.
    #[pymethod(sig = "($self, /)")]
    fn isatty(vm: &Vm, this: &Py<BytesIO>) -> Res<bool> {
        BytesIO::open(vm, this, |_, _| false)
    }

    /// Current file position, an integer.
    #[pymethod(sig = "($self, /)")]
    fn tell(vm: &Vm, this: &Py<BytesIO>) -> Res<usize> {
        BytesIO::open(vm, this, |_, pos| *pos)
    }

    /// Write bytes to file.
    ///
    /// Return the number of bytes written.
    #[pymethod(sig = "($self, b, /)")]
    fn write(vm: &Vm, this: &Py<BytesIO>, b: &Value) -> Res<usize> {
        if let Some(bytes) = b.downcast::<Bytes>() {
            return BytesIO::put(vm, this, bytes.as_slice()).map(|()| bytes.len());
        }
        BytesIO::open(vm, this, |_, _| ())?;
        BytesIO::check_exports(vm, this)?;
        let bytes = lisle_runtime::types::buffer::hold(vm, b)?;
        BytesIO::put(vm, this, &bytes)?;
        Ok(bytes.len())
    }

    /// Write lines to the file.
    ///
    /// Note that newlines are not added.  lines can be any iterable object
    /// producing bytes-like objects. This is equivalent to calling write() for
    /// each element.
    #[pymethod(sig = "($self, lines, /)")]
    fn writelines(vm: &Vm, this: &Py<BytesIO>, lines: &Value) -> Res<()> {
        BytesIO::open(vm, this, |_, _| ())?;
        vm.for_each(lines, |line| BytesIO::write(vm, this, &line).map(drop))
    }

    /// Read at most size bytes, returned as a bytes object.
    ///
    /// If the size argument is negative, read until EOF is reached.
    /// Return an empty bytes object at EOF.
    #[pymethod(sig = "($self, size=-1, /)")]
    fn read(vm: &Vm, this: &Py<BytesIO>, size: Option<Size>) -> Res<Value> {
        BytesIO::take(vm, this, size_or_all(size))
    }

    /// Read at most size bytes, returned as a bytes object.
    ///
    /// If the size argument is negative or omitted, read until EOF is reached.
    /// Return an empty bytes object at EOF.
    #[pymethod(sig = "($self, size=-1, /)")]
    fn read1(vm: &Vm, this: &Py<BytesIO>, size: Option<Size>) -> Res<Value> {
        BytesIO::take(vm, this, size_or_all(size))
    }

    /// Read bytes into buffer.
    ///
    /// Returns number of bytes read (0 for EOF), or None if the object
    /// is set not to block and has no data to read.
    #[pymethod(sig = "($self, buffer, /)")]
    fn readinto(vm: &Vm, this: &Py<BytesIO>, buffer: Writable) -> Res<usize> {
        let part = BytesIO::open(vm, this, |bytes, pos| {
            let from = (*pos).min(bytes.len());
            let n = buffer.0.len.min(bytes.len() - from);
            *pos += n;
            room::copied(&bytes[from..from + n])
        })?;
        let part = part?;
        store(vm, &buffer.0, 0, &part)?;
        Ok(part.len())
    }

    /// Next line from the file, as a bytes object.
    ///
    /// Retain newline.  A non-negative size argument limits the maximum
    /// number of bytes to return (an incomplete line may be returned then).
    /// Return an empty bytes object at EOF.
    #[pymethod(sig = "($self, size=-1, /)")]
    fn readline(vm: &Vm, this: &Py<BytesIO>, size: Option<Size>) -> Res<Value> {
        BytesIO::line(vm, this, size_or_all(size)).map(Bytes::new_value)
    }

    /// List of bytes objects, each a line from the file.
    ///
    /// Call readline() repeatedly and return a list of the lines so read.
    /// The optional size argument, if given, is an approximate bound on the
    /// total number of bytes in the lines returned.
    #[pymethod(sig = "($self, size=None, /)")]
    fn readlines(vm: &Vm, this: &Py<BytesIO>, size: Option<&Value>) -> Res<Value> {
        let limit = match size {
            Some(size) => optional_size(vm, size)?.unwrap_or(0),
            None => 0,
        };
        BytesIO::open(vm, this, |_, _| ())?;
        let (mut lines, mut total) = (Vec::new(), 0);
        loop {
            let line = BytesIO::line(vm, this, -1)?;
            if line.is_empty() {
                break;
            }
            total += line.len();
            lines.push(Bytes::new_value(line));
            if limit > 0 && total >= limit as usize {
                break;
            }
        }
        Ok(List::new(lines).into_value())
    }

    /// Get a read-write view over the contents of the BytesIO object.
    #[pymethod(sig = "($self, /)")]
    fn getbuffer(vm: &Vm, this: &Py<BytesIO>) -> Res<Value> {
        BytesIO::open(vm, this, |_, _| ())?;
        let buffer = Py::new(BytesIOBuffer { source: this.clone() }).into_value();
        let memoryview = vm.builtin(intern!("memoryview"))?;
        vm.call(&memoryview, &[buffer])
    }

    /// Retrieve the entire contents of the BytesIO object.
    #[pymethod(sig = "($self, /)")]
    fn getvalue(vm: &Vm, this: &Py<BytesIO>) -> Res<Value> {
        let all = BytesIO::open(vm, this, |bytes, _| room::copied(bytes))?;
        Ok(Bytes::new_value(all?))
    }

    /// Change stream position.
    ///
    /// Seek to byte offset pos relative to position indicated by whence:
    ///      0  Start of stream (the default).  pos should be >= 0;
    ///      1  Current position - pos may be negative;
    ///      2  End of stream - pos usually negative.
    /// Returns the new absolute position.
    #[pymethod(sig = "($self, pos, whence=0, /)")]
    fn seek(vm: &Vm, this: &Py<BytesIO>, pos: isize, whence: Option<i32>) -> Res<usize> {
        let whence = whence.unwrap_or(0);
        BytesIO::open(vm, this, |_, _| ())?;
        if pos < 0 && whence == 0 {
            return Err(vm.value_error(format!("negative seek value {pos}")));
        }
        if !(0..=2).contains(&whence) {
            return Err(vm.value_error(format!("invalid whence ({whence}, should be 0, 1 or 2)")));
        }
        let moved = BytesIO::open(vm, this, |bytes, at| {
            let from = match whence {
                0 => 0,
                1 => *at as isize,
                _ => bytes.len() as isize,
            };
            let to = from.checked_add(pos)?.max(0) as usize;
            *at = to;
            Some(to)
        })?;
        moved.ok_or_else(|| vm.overflow_error("new position too large"))
    }

    /// Truncate the file to at most size bytes.
    ///
    /// Size defaults to the current file position, as returned by tell().
    /// The current file position is unchanged.  Returns the new size.
    #[pymethod(sig = "($self, size=None, /)")]
    fn truncate(vm: &Vm, this: &Py<BytesIO>, size: Option<&Value>) -> Res<isize> {
        BytesIO::open(vm, this, |_, _| ())?;
        BytesIO::check_exports(vm, this)?;
        let given = match size {
            Some(size) => optional_size(vm, size)?,
            None => None,
        };
        let size = match given {
            Some(size) => size,
            None => BytesIO::tell(vm, this)? as isize,
        };
        let Ok(to) = usize::try_from(size) else {
            return Err(vm.value_error(format!("negative size value {size}")));
        };
        BytesIO::open(vm, this, |bytes, _| bytes.truncate(to))?;
        Ok(size)
    }

    #[pymethod(sig = "($self, /)")]
    fn __getstate__(vm: &Vm, this: &Py<BytesIO>) -> Res<Value> {
        let (bytes, pos) = BytesIO::open(vm, this, |bytes, pos| (bytes.clone(), *pos))?;
        let dict = match instance_dict(this.as_value()) {
            Some(dict) if !dict.is_empty() => dict.copy(vm)?.into_value(),
            _ => Value::NONE,
        };
        Ok(Tuple::new(vec![Bytes::new_value(bytes), Value::usize(pos), dict]).into_value())
    }

    #[pymethod(sig = "($self, state, /)")]
    fn __setstate__(vm: &Vm, this: &Py<BytesIO>, state: &Value) -> Res<()> {
        let Some([initial, pos, dict, ..]) = state.downcast::<Tuple>().map(|t| t.as_slice()) else {
            let (class, found) = (name_of(this.as_value()), name_of(state));
            return Err(vm.type_error(format!("{class}.__setstate__ argument should be 3-tuple, got {found}")));
        };
        BytesIO::open(vm, this, |_, _| ())?;
        BytesIO::check_exports(vm, this)?;
        let bytes = lisle_runtime::types::buffer::get_bytes(vm, initial)?.into_owned();
        if vm.int_value(pos).is_none() {
            let found = name_of(pos);
            return Err(vm.type_error(format!("second item of state must be an integer, not {found}")));
        }
        let Ok(pos) = usize::try_from(vm.index_to_isize(pos)?) else {
            return Err(vm.value_error("position value cannot be negative"));
        };
        this.data.with(this.header(), |data| {
            data.bytes = Some(bytes);
            data.pos = pos;
        });
        if dict.is_none() {
            return Ok(());
        }
        let Some(dict) = dict.downcast::<Dict>() else {
            let found = name_of(dict);
            return Err(vm.type_error(format!("third item of state should be a dict, got a {found}")));
        };
        for (key, value) in dict.snapshot() {
            vm.setattr(this.as_value(), vm.attribute_name(&key)?, &value)?;
        }
        Ok(())
    }

    #[pymethod(sig = "($self, /)")]
    fn __sizeof__(_: &Vm, this: &Py<BytesIO>) -> usize {
        let extra = this
            .data
            .with(this.header(), |data| data.bytes.as_ref().map_or(0, Vec::capacity));
        std::mem::size_of::<BytesIO>() + extra
    }

    /// True if the file is closed.
    #[getter]
    fn closed(_: &Vm, this: &Py<BytesIO>) -> bool {
        BytesIO::is_closed(this)
    }
}
