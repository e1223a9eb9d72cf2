//! `StringIO`: a text file in memory.
//!
//! Invariant: text and position, which counts characters, are only reached under the object's lock.

use std::sync::atomic::AtomicU8;
use std::sync::atomic::Ordering::Relaxed;

use lisle_runtime::native::{Args, Py, Res, Str, Type, Value, Vm, pyclass, pymethods};
use lisle_runtime::object::Native;
use lisle_runtime::sync::Locked;
use lisle_runtime::text::{StrBuf, StrBuilder, StrView};
use lisle_runtime::types::dict::Dict;
use lisle_runtime::types::tuple::Tuple;
use lisle_runtime::vm::attributes::instance_dict;

use super::base::{TextIOBase, finalize};
use super::common::{Newline, Size, name_of, optional_size, size_or_all};
use super::newline::NewlineState;
use lisle_runtime::intern;

struct Data {
    text: StrBuilder,
    pos: usize,
    /// What line endings have been written.
    newlines: NewlineState,
    closed: bool,
}

lisle_runtime::no_trace!(Data);

impl Data {
    fn empty() -> Data {
        Data {
            text: StrBuilder::new(),
            pos: 0,
            newlines: NewlineState::default(),
            closed: false,
        }
    }

    /// Writes at the position; text that is there is overwritten, a gap filled with zeros.
    fn put(&mut self, new: StrView<'_>) -> bool {
        if new.is_empty() {
            return true;
        }
        let len = self.text.len();
        let Some(end) = self.pos.checked_add(new.len()) else {
            return false;
        };
        if self.pos == len {
            if !self.text.try_reserve(new.len()) {
                return false;
            }
            self.text.push_view(new);
        } else if self.pos > len {
            if !self.text.try_reserve(end - len) {
                return false;
            }
            self.text.push_repeat(0, self.pos - len);
            self.text.push_view(new);
        } else {
            let mut text = StrBuilder::new();
            if !text.try_reserve(len.max(end)) {
                return false;
            }
            let old = self.text.view();
            text.push_view(old.slice(0..self.pos));
            text.push_view(new);
            if end < len {
                text.push_view(old.slice(end..len));
            }
            self.text = text;
        }
        self.pos = end;
        true
    }
}

/// Text I/O implementation using an in-memory buffer.
#[pyclass(
    name = "StringIO",
    module = "_io",
    base = TextIOBase,
    basetype,
    dict,
    weakref,
    doc = "Text I/O implementation using an in-memory buffer.\n\nThe initial_value argument sets the value of object.  The newline\nargument is like the one of TextIOWrapper's constructor."
)]
pub struct StringIO {
    base: TextIOBase,
    newline: AtomicU8,
    data: Locked<Data>,
}

impl StringIO {
    fn empty() -> StringIO {
        StringIO {
            base: TextIOBase::payload(),
            newline: AtomicU8::new(Newline::Lf as u8),
            data: Locked::new(Data::empty()),
        }
    }

    fn newline(&self) -> Newline {
        Newline::from_bits(self.newline.load(Relaxed))
    }

    #[inline]
    fn open<R>(vm: &Vm, this: &Py<StringIO>, f: impl FnOnce(&mut Data) -> R) -> Res<R> {
        let result = this
            .data
            .with(this.header(), |data| if data.closed { None } else { Some(f(data)) });
        result.ok_or_else(|| vm.value_error("I/O operation on closed file"))
    }

    /// Writes text, with its line endings as the stream wants them.
    fn put(vm: &Vm, this: &Py<StringIO>, text: StrView<'_>) -> Res<()> {
        let newline = this.newline();
        let replaced;
        let text = match newline.written() {
            Some(ending) if text.find_char(u32::from(b'\n')).is_some() => {
                replaced = replace_newlines(text, ending);
                replaced.view()
            }
            _ => text,
        };
        let done = StringIO::open(vm, this, |data| {
            if !newline.universal() {
                return data.put(text);
            }
            let mut state = data.newlines;
            let text = state.feed(text.to_buf(), newline.translates(), true);
            data.newlines = state;
            data.put(text.view())
        })?;
        if done { Ok(()) } else { Err(vm.memory_error()) }
    }

    /// The next characters, at most `size`, of which there may be fewer.
    fn take(vm: &Vm, this: &Py<StringIO>, size: isize) -> Res<Value> {
        let part = StringIO::open(vm, this, |data| {
            let from = data.pos.min(data.text.len());
            let left = data.text.len() - from;
            let n = usize::try_from(size).map_or(left, |size| size.min(left));
            data.pos += n;
            part(data.text.view(), from, from + n)
        })?;
        value(vm, part)
    }

    fn line(vm: &Vm, this: &Py<StringIO>, size: isize) -> Res<Option<Value>> {
        let end = this.newline().line_end();
        let part = StringIO::open(vm, this, |data| {
            let (from, len) = (data.pos, data.text.len());
            if from >= len {
                return None;
            }
            let view = data.text.view();
            let mut to = end.find(view, from).unwrap_or(len);
            if let Ok(size) = usize::try_from(size) {
                to = to.min(from.saturating_add(size));
            }
            let line = part(view, from, to);
            data.pos = to;
            Some(line)
        })?;
        part.map(|part| value(vm, part)).transpose()
    }
}

/// A piece of the text; `None` if there is no memory for it.
fn part(view: StrView<'_>, from: usize, to: usize) -> Option<Py<Str>> {
    match view.slice(from..to) {
        ascii @ StrView::Ascii(_) => Str::try_from_view(ascii),
        other => Str::try_from_view(other.to_buf().view()),
    }
}

fn value(vm: &Vm, text: Option<Py<Str>>) -> Res<Value> {
    text.map(Py::into_value).ok_or_else(|| vm.memory_error())
}

/// The text with each `\n` replaced.
pub fn replace_newlines(text: StrView<'_>, ending: &[u8]) -> StrBuf {
    let mut out = StrBuilder::with_capacity(text.len() + 8);
    let mut at = 0;
    while let Some(lf) = text.slice(at..text.len()).find_char(u32::from(b'\n')) {
        out.push_view(text.slice(at..at + lf));
        out.push_ascii(ending);
        at += lf + 1;
    }
    out.push_view(text.slice(at..text.len()));
    out.finish()
}

/// The `newline` argument of a constructor.
fn newline_argument(vm: &Vm, value: Option<&Value>) -> Res<Newline> {
    let Some(value) = value else { return Ok(Newline::Lf) };
    if value.is_none() {
        return Ok(Newline::None);
    }
    let Some(text) = value.downcast::<Str>() else {
        let found = name_of(value);
        return Err(vm.type_error(format!("newline must be str or None, not {found}")));
    };
    match Newline::parse(Some(text)) {
        Some(newline) => Ok(newline),
        None => {
            let repr = vm.repr(value)?.to_string_lossy();
            Err(vm.value_error(format!("illegal newline value: {repr}")))
        }
    }
}

#[pymethods]
impl StringIO {
    #[slot]
    fn __new__(_: &Vm, cls: &Py<Type>, _args: Args<'_>) -> Res<Value> {
        Ok(Py::with_class(cls, StringIO::empty()).into_value())
    }

    #[slot(sig = "(initial_value='', newline='\\n')")]
    fn __init__(vm: &Vm, this: &Py<StringIO>, initial_value: Option<&Value>, newline: Option<&Value>) -> Res<()> {
        let newline = newline_argument(vm, newline)?;
        let initial = match initial_value.filter(|text| !text.is_none()) {
            None => None,
            Some(text) => match text.downcast::<Str>() {
                Some(text) => Some(text),
                None => {
                    let found = name_of(text);
                    return Err(vm.type_error(format!("initial_value must be str or None, not {found}")));
                }
            },
        };
        this.newline.store(newline as u8, Relaxed);
        this.data.with(this.header(), |data| *data = Data::empty());
        if let Some(text) = initial {
            StringIO::put(vm, this, text.view())?;
        }
        this.data.with(this.header(), |data| data.pos = 0);
        Ok(())
    }

    #[slot]
    fn __del__(vm: &Vm, this: &Py<StringIO>) -> Res<()> {
        if this.class().is(StringIO::ty()) {
            return Ok(());
        }
        finalize(vm, this.as_value())
    }

    #[slot]
    fn __next__(vm: &Vm, this: &Py<StringIO>) -> Res<Option<Value>> {
        if this.class().is(StringIO::ty()) {
            return StringIO::line(vm, this, -1);
        }
        StringIO::open(vm, this, |_| ())?;
        let line = vm.call_method(this.as_value(), intern!("readline"), &[])?;
        let Some(text) = line.downcast::<Str>() else {
            let found = line.ty().name();
            let message = format!("readline() should have returned a str object, not '{found}'");
            return Err(vm.os_error_message(message));
        };
        Ok(if text.is_empty() { None } else { Some(line) })
    }

    /// Close the IO object.
    ///
    /// Attempting any further operation after the object is closed
    /// will raise a ValueError.
    ///
    /// This method has no effect if the file is already closed.
    #[pymethod(sig = "($self, /)")]
    fn close(_: &Vm, this: &Py<StringIO>) {
        this.data.with(this.header(), |data| {
            data.closed = true;
            data.text = StrBuilder::new();
        });
    }

    /// Retrieve the entire contents of the object.
    #[pymethod(sig = "($self, /)")]
    fn getvalue(vm: &Vm, this: &Py<StringIO>) -> Res<Value> {
        value(
            vm,
            StringIO::open(vm, this, |data| Str::try_from_view(data.text.view()))?,
        )
    }

    /// Read at most size characters, returned as a string.
    ///
    /// If the argument is negative or omitted, read until EOF
    /// is reached. Return an empty string at EOF.
    #[pymethod(sig = "($self, size=-1, /)")]
    fn read(vm: &Vm, this: &Py<StringIO>, size: Option<Size>) -> Res<Value> {
        StringIO::take(vm, this, size_or_all(size))
    }

    /// Read until newline or EOF.
    ///
    /// Returns an empty string if EOF is hit immediately.
    #[pymethod(sig = "($self, size=-1, /)")]
    fn readline(vm: &Vm, this: &Py<StringIO>, size: Option<Size>) -> Res<Value> {
        let line = StringIO::line(vm, this, size_or_all(size))?;
        Ok(line.unwrap_or_else(|| Str::empty().into_value()))
    }

    /// Tell the current file position.
    #[pymethod(sig = "($self, /)")]
    fn tell(vm: &Vm, this: &Py<StringIO>) -> Res<usize> {
        StringIO::open(vm, this, |data| data.pos)
    }

    /// Truncate size to pos.
    ///
    /// The pos argument defaults to the current file position, as
    /// returned by tell().  The current file position is unchanged.
    /// Returns the new absolute position.
    #[pymethod(sig = "($self, pos=None, /)")]
    fn truncate(vm: &Vm, this: &Py<StringIO>, pos: Option<&Value>) -> Res<isize> {
        let given = match pos {
            Some(pos) => optional_size(vm, pos)?,
            None => None,
        };
        let size = match given {
            Some(size) => {
                StringIO::open(vm, this, |_| ())?;
                size
            }
            None => StringIO::tell(vm, this)? as isize,
        };
        let Ok(to) = usize::try_from(size) else {
            return Err(vm.value_error(format!("Negative size value {size}")));
        };
        StringIO::open(vm, this, |data| {
            if to < data.text.len() {
                let mut text = StrBuilder::new();
                text.push_view(data.text.view().slice(0..to));
                data.text = text;
            }
        })?;
        Ok(size)
    }

    /// Change stream position.
    ///
    /// Seek to character offset pos relative to position indicated by whence:
    ///     0  Start of stream (the default).  pos should be >= 0;
    ///     1  Current position - pos must be 0;
    ///     2  End of stream - pos must be 0.
    /// Returns the new absolute position.
    #[pymethod(sig = "($self, pos, whence=0, /)")]
    fn seek(vm: &Vm, this: &Py<StringIO>, pos: isize, whence: Option<i32>) -> Res<usize> {
        let whence = whence.unwrap_or(0);
        StringIO::open(vm, this, |_| ())?;
        if !(0..=2).contains(&whence) {
            return Err(vm.value_error(format!("Invalid whence ({whence}, should be 0, 1 or 2)")));
        }
        if pos < 0 && whence == 0 {
            return Err(vm.value_error(format!("Negative seek position {pos}")));
        }
        if whence != 0 && pos != 0 {
            return Err(vm.os_error_message("Can't do nonzero cur-relative seeks"));
        }
        StringIO::open(vm, this, |data| {
            match whence {
                0 => data.pos = pos.unsigned_abs(),
                1 => {}
                _ => data.pos = data.text.len(),
            }
            data.pos
        })
    }

    /// Write string to file.
    ///
    /// Returns the number of characters written, which is always equal to
    /// the length of the string.
    #[pymethod(sig = "($self, s, /)")]
    fn write(vm: &Vm, this: &Py<StringIO>, s: &Value) -> Res<usize> {
        let Some(text) = s.downcast::<Str>() else {
            let found = name_of(s);
            return Err(vm.type_error(format!("string argument expected, got '{found}'")));
        };
        StringIO::put(vm, this, text.view())?;
        Ok(text.len())
    }

    /// Returns True if the IO object can be seeked.
    #[pymethod(sig = "($self, /)")]
    fn seekable(vm: &Vm, this: &Py<StringIO>) -> Res<bool> {
        StringIO::open(vm, this, |_| true)
    }

    /// Returns True if the IO object can be read.
    #[pymethod(sig = "($self, /)")]
    fn readable(vm: &Vm, this: &Py<StringIO>) -> Res<bool> {
        StringIO::open(vm, this, |_| true)
    }

    /// Returns True if the IO object can be written.
    #[pymethod(sig = "($self, /)")]
    fn writable(vm: &Vm, this: &Py<StringIO>) -> Res<bool> {
        StringIO::open(vm, this, |_| true)
    }

    #[pymethod(sig = "($self, /)")]
    fn __getstate__(vm: &Vm, this: &Py<StringIO>) -> Res<Value> {
        let (text, pos) = StringIO::open(vm, this, |data| (Str::try_from_view(data.text.view()), data.pos))?;
        let dict = match instance_dict(this.as_value()) {
            Some(dict) => dict.copy(vm)?.into_value(),
            None => Value::NONE,
        };
        let newline = this.newline().as_value();
        let state = vec![value(vm, text)?, newline, Value::usize(pos), dict];
        Ok(Tuple::new(state).into_value())
    }

    #[pymethod(sig = "($self, state, /)")]
    fn __setstate__(vm: &Vm, this: &Py<StringIO>, state: &Value) -> Res<()> {
        StringIO::open(vm, this, |_| ())?;
        let Some([text, newline, pos, dict, ..]) = state.downcast::<Tuple>().map(|t| t.as_slice()) else {
            let (class, found) = (name_of(this.as_value()), name_of(state));
            return Err(vm.type_error(format!("{class}.__setstate__ argument should be 4-tuple, got {found}")));
        };
        let kind = newline_argument(vm, Some(newline))?;
        let Some(text) = text.downcast::<Str>() else {
            let found = name_of(text);
            return Err(vm.type_error(format!("initial_value must be str or None, not {found}")));
        };
        if vm.int_value(pos).is_none() {
            let found = name_of(pos);
            return Err(vm.type_error(format!("third item of state must be an integer, got {found}")));
        }
        let Ok(pos) = usize::try_from(vm.index_to_isize(pos)?) else {
            return Err(vm.value_error("position value cannot be negative"));
        };
        // The text is as it was: its line endings are not translated again.
        this.newline.store(kind as u8, Relaxed);
        let done = this.data.with(this.header(), |data| {
            *data = Data::empty();
            let done = data.put(text.view());
            data.pos = pos;
            done
        });
        if !done {
            return Err(vm.memory_error());
        }
        if dict.is_none() {
            return Ok(());
        }
        let Some(dict) = dict.downcast::<Dict>() else {
            let found = name_of(dict);
            return Err(vm.type_error(format!("fourth item of state should be a dict, got a {found}")));
        };
        for (key, value) in dict.snapshot() {
            vm.setattr(this.as_value(), vm.attribute_name(&key)?, &value)?;
        }
        Ok(())
    }

    #[getter]
    fn closed(_: &Vm, this: &Py<StringIO>) -> bool {
        this.data.with(this.header(), |data| data.closed)
    }

    #[getter]
    fn newlines(vm: &Vm, this: &Py<StringIO>) -> Res<Value> {
        let seen = StringIO::open(vm, this, |data| data.newlines)?;
        Ok(if this.newline().universal() {
            seen.newlines()
        } else {
            Value::NONE
        })
    }

    #[getter]
    fn line_buffering(vm: &Vm, this: &Py<StringIO>) -> Res<bool> {
        StringIO::open(vm, this, |_| false)
    }
}
