//! What all streams share: errors, the conversion of sizes, warnings, line endings.
//!
//! Invariant: nothing here keeps state but `UnsupportedOperation`, a class with two bases that is made once.

use std::sync::OnceLock;

use lisle_runtime::intern;
use lisle_runtime::native::{ArgCtx, Exc, FromArg, Native, Py, Res, Str, Type, Value, Vm};
use lisle_runtime::text::{StrBuf, StrBuilder, StrView};
use lisle_runtime::types::bytes::Bytes;
use lisle_runtime::types::dict::Dict;
use lisle_runtime::types::exceptions;
use lisle_runtime::types::tuple::Tuple;
use lisle_runtime::vm::attributes::instance_attr;

/// `io.DEFAULT_BUFFER_SIZE`.
pub const DEFAULT_BUFFER_SIZE: usize = 128 * 1024;

static UNSUPPORTED: OnceLock<Value> = OnceLock::new();

/// `io.UnsupportedOperation`.
pub fn unsupported_class(vm: &Vm) -> Res<Value> {
    if let Some(class) = UNSUPPORTED.get() {
        return Ok(class.clone());
    }
    let namespace = Dict::new_empty();
    namespace.set_str(intern!("__module__"), Value::from("io"));
    let bases = Tuple::pair(
        exceptions::OS_ERROR.get().to_value(),
        exceptions::VALUE_ERROR.get().to_value(),
    );
    let name = Value::from("UnsupportedOperation");
    let class = vm.call(
        Type::ty().as_value(),
        &[name, bases.into_value(), namespace.into_value()],
    )?;
    Ok(UNSUPPORTED.get_or_init(|| class).clone())
}

/// `io.UnsupportedOperation(message)`
#[cold]
pub fn unsupported(vm: &Vm, message: &str) -> Exc {
    let class = match unsupported_class(vm) {
        Ok(class) => class,
        Err(exc) => return exc,
    };
    match vm.call(&class, &[Value::from(message)]) {
        Ok(exc) => Exc::try_from_value(exc).unwrap_or_else(|_| vm.os_error_message(message)),
        Err(exc) => exc,
    }
}

/// `ValueError("I/O operation on closed file.")`
#[cold]
pub fn closed_error(vm: &Vm) -> Exc {
    vm.value_error("I/O operation on closed file.")
}

/// `BlockingIOError(errno, message, written)`
#[cold]
pub fn blocking_error(vm: &Vm, errno: i32, message: &str, written: usize) -> Exc {
    let class = exceptions::BLOCKING_IO_ERROR.get();
    let args = vec![Value::int(errno.into()), Value::from(message), Value::usize(written)];
    vm.new_exception(class, args)
}

/// Whether the exception says that writing would block, and how much was written.
pub fn is_blocking(exc: &Exc) -> bool {
    exc.is(&exceptions::BLOCKING_IO_ERROR)
}

/// Whether the exception is an `OSError` with the number `EINTR`.
pub fn is_interrupted(exc: &Exc) -> bool {
    exc.is(&exceptions::INTERRUPTED_ERROR)
}

/// `OSError(message)`, caused by `exc`.
#[cold]
pub fn os_error_from_cause(vm: &Vm, message: &str, exc: Exc) -> Exc {
    let cause = exc.into_value();
    vm.os_error_message(message)
        .with_context(Some(cause.clone()))
        .with_cause(Some(cause))
}

/// The outcome of two steps, the second of which is done even if the first failed.
pub fn both(first: Res<()>, second: Res<()>) -> Res<()> {
    match (first, second) {
        (Err(a), Err(b)) => Err(b.with_context(Some(a.into_value()))),
        (Err(a), Ok(())) => Err(a),
        (Ok(()), second) => second,
    }
}

/// The name of the value's type as CPython's messages give it.
pub fn name_of(value: &Value) -> String {
    value.ty().name()
}

/// Whether the program has put attributes on the instance that stand in the way of the class's methods.
#[inline]
pub fn overrides(vm: &Vm, obj: &Value, names: &[&Py<Str>]) -> bool {
    names
        .iter()
        .any(|name| !matches!(instance_attr(vm, obj, name), Ok(None)))
}

/// The process that this module was first used in.
static FIRST_PROCESS: OnceLock<u32> = OnceLock::new();

/// Notes the process, to tell later whether this is the child of a fork.
pub fn note_process() {
    FIRST_PROCESS.get_or_init(std::process::id);
}

/// Whether the holder of a lock is a thread that a fork has left behind.
pub fn is_orphaned(holder: Option<u64>) -> bool {
    if FIRST_PROCESS.get() == Some(&std::process::id()) {
        return false;
    }
    let mut alive = false;
    lisle_runtime::threads::for_each_thread(|thread| alive |= holder.is_none_or(|holder| thread.serial() == holder));
    !alive
}

/// `obj.name()`
pub fn call0(vm: &Vm, obj: &Value, name: &Py<Str>) -> Res<Value> {
    vm.call_method(obj, name, &[])
}

/// A size that may be `None`, which counts as -1.
#[derive(Clone, Copy)]
pub struct Size(pub isize);

impl<'a> FromArg<'a> for Size {
    #[inline]
    fn from_arg(vm: &Vm, value: &'a Value, _: &ArgCtx) -> Res<Self> {
        optional_size(vm, value).map(|size| Size(size.unwrap_or(-1)))
    }
}

/// An int by `__index__`, or `None`.
pub fn optional_size(vm: &Vm, value: &Value) -> Res<Option<isize>> {
    if value.is_none() {
        return Ok(None);
    }
    if value.as_small_int().is_none() && value.ty().slots().index.is_none() {
        let found = value.ty().name();
        return Err(vm.type_error(format!("argument should be integer or None, not '{found}'")));
    }
    vm.index_to_isize(value).map(Some)
}

/// What `size=-1` stands for where it was not given.
pub fn size_or_all(size: Option<Size>) -> isize {
    size.map_or(-1, |size| size.0)
}

/// `ResourceWarning(message)` about `source`. A warning that is an error cannot be raised where streams are freed: it is reported.
pub fn resource_warning(vm: &Vm, source: &Value, message: Value) {
    let warn = || -> Res<()> {
        let warnings = vm.import_module("warnings")?;
        let warn = vm.getattr(&warnings, intern!("warn"))?;
        let category = exceptions::RESOURCE_WARNING.get().to_value();
        vm.call(&warn, &[message.clone(), category, Value::int(1), source.clone()])
            .map(drop)
    };
    if let Err(exc) = warn()
        && exc.is(&exceptions::WARNING)
    {
        vm.unraisable_while(exc, "finalizing file", source);
    }
}

/// The text of a view that may be wider than it need be.
pub fn text_value(vm: &Vm, view: StrView<'_>) -> Res<Value> {
    let text = match view {
        StrView::Ascii(_) => Str::try_from_view(view),
        other => Str::try_from_view(other.to_buf().view()),
    };
    text.map(Py::into_value).ok_or_else(|| vm.memory_error())
}

/// The text, which is in its narrowest form.
pub fn buf_value(vm: &Vm, text: &StrBuf) -> Res<Value> {
    match Str::try_from_view(text.view()) {
        Some(text) => Ok(text.into_value()),
        None => Err(vm.memory_error()),
    }
}

/// The result of a `read` that must be `bytes`.
pub fn expect_bytes<'a>(vm: &Vm, value: &'a Value, what: &str) -> Res<&'a Py<Bytes>> {
    match value.downcast::<Bytes>() {
        Some(bytes) => Ok(bytes),
        None => Err(vm.type_error(format!("{what} should return bytes"))),
    }
}

/// Where lines end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LineEnd {
    Lf,
    Cr,
    CrLf,
    /// Any of the three.
    Universal,
}

impl LineEnd {
    /// Where the first line that starts at `from` ends: behind its line ending, if it has one.
    pub fn find(self, text: StrView<'_>, from: usize) -> Option<usize> {
        let rest = text.slice(from..text.len());
        let after = |at: usize, width: usize| Some(from + at + width);
        match self {
            LineEnd::Lf => rest.find_char(u32::from(b'\n')).and_then(|at| after(at, 1)),
            LineEnd::Cr => rest.find_char(u32::from(b'\r')).and_then(|at| after(at, 1)),
            LineEnd::CrLf => rest.find(StrView::Ascii(b"\r\n")).and_then(|at| after(at, 2)),
            LineEnd::Universal => {
                let lf = rest.find_char(u32::from(b'\n'));
                let before = rest.slice(0..lf.unwrap_or(rest.len()));
                match (before.find_char(u32::from(b'\r')), lf) {
                    (Some(cr), Some(lf)) if cr + 1 == lf => after(lf, 1),
                    (Some(cr), _) => after(cr, 1),
                    (None, Some(lf)) => after(lf, 1),
                    (None, None) => None,
                }
            }
        }
    }
}

/// A `newline` argument: `None`, or one of the four strings.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Newline {
    None,
    Empty,
    Lf,
    Cr,
    CrLf,
}

impl Newline {
    /// Reads the argument; `None` if it is no legal one.
    pub fn parse(text: Option<&Py<Str>>) -> Option<Newline> {
        let Some(text) = text else {
            return Some(Newline::None);
        };
        Some(match text.view() {
            StrView::Ascii(b"") => Newline::Empty,
            StrView::Ascii(b"\n") => Newline::Lf,
            StrView::Ascii(b"\r") => Newline::Cr,
            StrView::Ascii(b"\r\n") => Newline::CrLf,
            _ => return None,
        })
    }

    pub fn from_bits(bits: u8) -> Newline {
        match bits {
            1 => Newline::Empty,
            2 => Newline::Lf,
            3 => Newline::Cr,
            4 => Newline::CrLf,
            _ => Newline::None,
        }
    }

    /// Whether all three line endings are recognised when reading.
    pub fn universal(self) -> bool {
        matches!(self, Newline::None | Newline::Empty)
    }

    /// Whether line endings become `\n` when reading.
    pub fn translates(self) -> bool {
        self == Newline::None
    }

    /// Where lines end when reading, after translation.
    pub fn line_end(self) -> LineEnd {
        match self {
            Newline::None | Newline::Lf => LineEnd::Lf,
            Newline::Empty => LineEnd::Universal,
            Newline::Cr => LineEnd::Cr,
            Newline::CrLf => LineEnd::CrLf,
        }
    }

    /// What `\n` is replaced by when writing.
    pub fn written(self) -> Option<&'static [u8]> {
        match self {
            Newline::Cr => Some(b"\r"),
            Newline::CrLf => Some(b"\r\n"),
            _ => None,
        }
    }

    pub fn as_value(self) -> Value {
        match self {
            Newline::None => Value::NONE,
            Newline::Empty => Value::from(""),
            Newline::Lf => Value::from("\n"),
            Newline::Cr => Value::from("\r"),
            Newline::CrLf => Value::from("\r\n"),
        }
    }
}

/// Something that [`joined`] puts together.
pub trait Piece {
    fn push(&self, to: &mut StrBuilder);
}

impl Piece for &str {
    fn push(&self, to: &mut StrBuilder) {
        to.push_str(self);
    }
}

impl Piece for String {
    fn push(&self, to: &mut StrBuilder) {
        to.push_str(self);
    }
}

impl Piece for Py<Str> {
    fn push(&self, to: &mut StrBuilder) {
        to.push_view(self.view());
    }
}

/// The pieces one after the other; unlike `format!` this keeps lone surrogates.
pub fn joined(pieces: &[&dyn Piece]) -> Value {
    let mut text = StrBuilder::new();
    for piece in pieces {
        piece.push(&mut text);
    }
    Str::from_buf(text.finish()).into_value()
}
