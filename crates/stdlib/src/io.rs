//! `_io`: files, buffers, text streams, and `open`.
//!
//! One file a kind of stream. Invariant: where all layers are plain instances of the classes here, nothing of Python is called
//! in between; where one is not, everything goes through its methods. Left out: consoles other than terminals.

mod base;
mod buffered;
mod bytesio;
mod common;
mod fileio;
mod newline;
mod path;
mod stringio;
mod text;

use std::sync::OnceLock;

use lisle_runtime::intern;
use lisle_runtime::native::{Exc, Py, Res, Str, Value, Vm, pymodule};
use lisle_runtime::types::exceptions;
use lisle_runtime::types::module::Module;

use base::{BufferedIOBase, IOBase, RawIOBase, TextIOBase};
use buffered::classes::{BufferedRWPair, BufferedRandom, BufferedReader, BufferedWriter};
use bytesio::{BytesIO, BytesIOBuffer};
use common::{DEFAULT_BUFFER_SIZE, name_of};
use fileio::FileIO;
use newline::NewlineDecoder;
use stringio::StringIO;
use text::TextIOWrapper;

/// "cannot pickle '_io.FileIO' instances"
#[cold]
pub(crate) fn cannot_pickle(vm: &Vm, this: &Value) -> Exc {
    vm.type_error(format!("cannot pickle '{}' instances", name_of(this)))
}

/// The new value of a flag that is an attribute.
pub(crate) fn flag_value(vm: &Vm, value: Option<&Value>) -> Res<bool> {
    match value {
        Some(value) if value.is_bool() => Ok(value.is_true()),
        Some(_) => Err(vm.type_error("attribute value type must be bool")),
        None => Err(vm.type_error("can't delete numeric/char attribute")),
    }
}

/// What is handed to a raw stream for its bytes: a view of the object, if there are views.
pub(crate) fn view_of(vm: &Vm, bytes: &Value) -> Res<Value> {
    match vm.builtin(intern!("memoryview")) {
        Ok(memoryview) => vm.call(&memoryview, std::slice::from_ref(bytes)),
        Err(_) => Ok(bytes.clone()),
    }
}

/// Takes the memory back from a raw stream.
pub(crate) fn release_view(vm: &Vm, view: &Value, bytes: &Value) {
    if !view.is(bytes) {
        // Views of the view that the stream has kept can still be used; they hold on to the memory.
        let _ = vm.call_method(view, intern!("release"), &[]);
    }
}

/// The encoding of the environment's locale, by the C library's name for it.
pub(crate) fn locale_encoding() -> &'static str {
    static NAME: OnceLock<String> = OnceLock::new();
    NAME.get_or_init(|| {
        // SAFETY: the locale object is made, asked and freed here; the answer is copied before that.
        let name = unsafe {
            let locale = libc::newlocale(libc::LC_CTYPE_MASK, c"".as_ptr(), std::ptr::null_mut());
            if locale.is_null() {
                return "ANSI_X3.4-1968".to_owned();
            }
            let name = std::ffi::CStr::from_ptr(libc::nl_langinfo_l(libc::CODESET, locale))
                .to_string_lossy()
                .into_owned();
            libc::freelocale(locale);
            name
        };
        if name.is_empty() { "UTF-8".to_owned() } else { name }
    })
}

/// Whether a flag of `sys.flags` is set.
pub(crate) fn sys_flag(vm: &Vm, name: &Py<Str>) -> bool {
    lisle_runtime::interp::sys_attr(vm, intern!("flags"))
        .and_then(|flags| vm.getattr_opt(&flags, name).ok().flatten())
        .and_then(|flag| vm.truth(&flag).ok())
        .unwrap_or(false)
}

/// What a mode of `open()` says.
#[derive(Default)]
struct OpenMode {
    creating: bool,
    reading: bool,
    writing: bool,
    appending: bool,
    updating: bool,
    text: bool,
    binary: bool,
}

impl OpenMode {
    fn parse(vm: &Vm, mode: &str) -> Res<OpenMode> {
        let mut parsed = OpenMode::default();
        for c in mode.chars() {
            let flag = match c {
                'x' => &mut parsed.creating,
                'r' => &mut parsed.reading,
                'w' => &mut parsed.writing,
                'a' => &mut parsed.appending,
                '+' => &mut parsed.updating,
                't' => &mut parsed.text,
                'b' => &mut parsed.binary,
                _ => return Err(vm.value_error(format!("invalid mode: '{mode}'"))),
            };
            if std::mem::replace(flag, true) {
                return Err(vm.value_error(format!("invalid mode: '{mode}'")));
            }
        }
        Ok(parsed)
    }

    /// The mode of the raw file.
    fn raw(&self) -> String {
        [
            (self.creating, 'x'),
            (self.reading, 'r'),
            (self.writing, 'w'),
            (self.appending, 'a'),
            (self.updating, '+'),
        ]
        .iter()
        .filter(|(on, _)| *on)
        .map(|(_, c)| *c)
        .collect()
    }

    fn kinds(&self) -> usize {
        [self.creating, self.reading, self.writing, self.appending]
            .iter()
            .filter(|on| **on)
            .count()
    }
}

/// The arguments of `open()` besides the file.
struct OpenArgs<'a> {
    mode: &'a Py<Str>,
    buffering: i32,
    encoding: Option<&'a Py<Str>>,
    errors: Option<&'a Py<Str>>,
    newline: Option<&'a Py<Str>>,
    closefd: bool,
    opener: Option<&'a Value>,
}

fn open_file(vm: &Vm, file: &Value, args: &OpenArgs<'_>) -> Res<Value> {
    let is_number = vm.int_value(file).is_some()
        || file.as_exact_float().is_some()
        || file.ty().slots().index.is_some()
        || file.ty().slots().float.is_some();
    let path = if is_number {
        file.clone()
    } else {
        path::fspath(vm, file)?
    };
    let text = args.mode.to_string_lossy();
    let mode = OpenMode::parse(vm, &text)?;
    if mode.text && mode.binary {
        return Err(vm.value_error("can't have text and binary mode at once"));
    }
    if mode.kinds() > 1 {
        return Err(vm.value_error("must have exactly one of create/read/write/append mode"));
    }
    if mode.binary {
        let given = [
            ("an encoding", args.encoding.is_some()),
            ("an errors", args.errors.is_some()),
            ("a newline", args.newline.is_some()),
        ];
        if let Some((what, _)) = given.iter().find(|(_, given)| *given) {
            return Err(vm.value_error(format!("binary mode doesn't take {what} argument")));
        }
        if args.buffering == 1 {
            let message =
                "line buffering (buffering=1) isn't supported in binary mode, the default buffer size will be used";
            vm.warn(exceptions::RUNTIME_WARNING.get(), message, 1)?;
        }
    }
    let raw = FileIO::new(vm, &path, &mode.raw(), args.closefd, args.opener)?;
    layers(vm, &raw, &mode, &text, args).map_err(|exc| match FileIO::close_stream(vm, &raw) {
        Ok(()) => exc,
        Err(second) => second.with_context(Some(exc.into_value())),
    })
}

/// Puts the buffer and the text layer on a raw file.
fn layers(vm: &Vm, raw: &Py<FileIO>, mode: &OpenMode, text: &str, args: &OpenArgs<'_>) -> Res<Value> {
    let mut size = isize::try_from(args.buffering).unwrap_or(-1);
    let mut line_buffering = false;
    if size == 1 || (size < 0 && raw.is_terminal(vm)?) {
        size = -1;
        line_buffering = true;
    }
    let size = match usize::try_from(size) {
        Ok(size) => size,
        Err(_) => raw.block_size().clamp(DEFAULT_BUFFER_SIZE, 8 * 1024 * 1024),
    };
    if size == 0 {
        if !mode.binary {
            return Err(vm.value_error("can't have unbuffered text I/O"));
        }
        return Ok(raw.to_value());
    }
    let buffer = if mode.updating {
        if !raw.can_seek(vm)? {
            return Err(common::unsupported(vm, "File or stream is not seekable."));
        }
        BufferedRandom::new(vm, raw.as_value(), size)?.into_value()
    } else if mode.creating || mode.writing || mode.appending {
        BufferedWriter::new(vm, raw.as_value(), size)?.into_value()
    } else if mode.reading {
        BufferedReader::new(vm, raw.as_value(), size)?.into_value()
    } else {
        return Err(vm.value_error(format!("unknown mode: '{text}'")));
    };
    if mode.binary {
        return Ok(buffer);
    }
    let options = text::TextOptions {
        encoding: args.encoding,
        errors: args.errors,
        newline: args.newline,
        line_buffering,
        write_through: false,
    };
    let wrapper = match TextIOWrapper::new(vm, &buffer, &options) {
        Ok(wrapper) => wrapper,
        Err(exc) => {
            // Not left to the end of the buffer, which would warn.
            return match common::call0(vm, &buffer, intern!("close")) {
                Ok(_) => Err(exc),
                Err(second) => Err(second.with_context(Some(exc.into_value()))),
            };
        }
    };
    vm.setattr(wrapper.as_value(), intern!("mode"), args.mode.as_value())?;
    Ok(wrapper.into_value())
}

#[pymodule(
    name = "_io",
    doc = "The io module provides the Python interfaces to stream handling. The\nbuiltin open function is defined in this module.\n\nAt the top of the I/O hierarchy is the abstract base class IOBase. It\ndefines the basic interface to a stream. Note, however, that there is no\nseparation between reading and writing to streams; implementations are\nallowed to raise an OSError if they do not support a given operation.\n\nExtending IOBase is RawIOBase which deals simply with the reading and\nwriting of raw bytes to a stream. FileIO subclasses RawIOBase to provide\nan interface to OS files.\n\nBufferedIOBase deals with buffering on a raw byte stream (RawIOBase). Its\nsubclasses, BufferedWriter, BufferedReader, and BufferedRWPair buffer\nstreams that are readable, writable, and both respectively.\nBufferedRandom provides a buffered interface to random access\nstreams. BytesIO is a simple stream of in-memory bytes.\n\nAnother IOBase subclass, TextIOBase, deals with the encoding and decoding\nof streams into text. TextIOWrapper, which extends it, is a buffered text\ninterface to a buffered raw stream (`BufferedIOBase`). Finally, StringIO\nis an in-memory stream for text.\n\nArgument names are not part of the specification, and only the arguments\nof open() are intended to be used as keyword arguments.\n\ndata:\n\nDEFAULT_BUFFER_SIZE\n\n   An int containing the default buffer size used by the module's buffered\n   I/O classes. open() uses the file's blksize (as obtained by os.stat) if\n   possible.\n",
    types(
        IOBase,
        RawIOBase,
        BufferedIOBase,
        TextIOBase,
        FileIO,
        BytesIO,
        BytesIOBuffer,
        StringIO,
        BufferedReader,
        BufferedWriter,
        BufferedRandom,
        BufferedRWPair,
        TextIOWrapper,
        NewlineDecoder
    )
)]
pub mod module {
    use super::*;

    #[pyattr(name = "DEFAULT_BUFFER_SIZE")]
    fn default_buffer_size(_: &Vm) -> Value {
        Value::usize(DEFAULT_BUFFER_SIZE)
    }

    #[pyattr(name = "BlockingIOError")]
    fn blocking_io_error(_: &Vm) -> Value {
        exceptions::BLOCKING_IO_ERROR.get().to_value()
    }

    #[pyattr(name = "UnsupportedOperation")]
    fn unsupported_operation(vm: &Vm) -> Res<Value> {
        common::unsupported_class(vm)
    }

    /// Open file and return a stream.  Raise OSError upon failure.
    ///
    /// file is either a text or byte string giving the name (and the path
    /// if the file isn't in the current working directory) of the file to
    /// be opened or an integer file descriptor of the file to be wrapped.
    /// (If a file descriptor is given, it is closed when the returned I/O
    /// object is closed, unless closefd is set to False.)
    ///
    /// mode is an optional string of the characters r (read, the default),
    /// w (write, truncating), x (create), a (append), b (binary),
    /// t (text, the default) and + (update).
    ///
    /// buffering is 0 for none (binary only), 1 for line buffering (text only),
    /// larger for the size of the buffer, negative for the default policy.
    ///
    /// encoding, errors and newline are those of TextIOWrapper; opener is
    /// called with (file, flags) to get the file descriptor.
    #[pyfunction(
        sig = "(file, mode='r', buffering=-1, encoding=None, errors=None, newline=None, closefd=True, opener=None)"
    )]
    fn open(
        vm: &Vm,
        file: &Value,
        mode: Option<&Py<Str>>,
        buffering: Option<i32>,
        encoding: Option<&Py<Str>>,
        errors: Option<&Py<Str>>,
        newline: Option<&Py<Str>>,
        closefd: Option<bool>,
        opener: Option<&Value>,
    ) -> Res<Value> {
        let args = OpenArgs {
            mode: mode.unwrap_or(intern!("r")),
            buffering: buffering.unwrap_or(-1),
            encoding,
            errors,
            newline,
            closefd: closefd.unwrap_or(true),
            opener,
        };
        open_file(vm, file, &args)
    }

    /// Opens the provided file with the intent to import the contents.
    ///
    /// This may perform extra validation beyond open(), but is otherwise interchangeable
    /// with calling open(path, 'rb').
    #[pyfunction(sig = "(path)")]
    fn open_code(vm: &Vm, path: &Py<Str>) -> Res<Value> {
        let args = OpenArgs {
            mode: intern!("rb"),
            buffering: -1,
            encoding: None,
            errors: None,
            newline: None,
            closefd: true,
            opener: None,
        };
        open_file(vm, path.as_value(), &args)
    }

    /// A helper function to choose the text encoding.
    ///
    /// When encoding is not None, this function returns it.
    /// Otherwise, this function returns the default text encoding
    /// (i.e. "locale" or "utf-8" depends on UTF-8 mode).
    ///
    /// This function emits an EncodingWarning if encoding is None and
    /// sys.flags.warn_default_encoding is true.
    ///
    /// This can be used in APIs with an encoding=None parameter.
    /// However, please consider using encoding="utf-8" for new APIs.
    #[pyfunction(sig = "(encoding, stacklevel=2, /)")]
    fn text_encoding(vm: &Vm, encoding: &Value, stacklevel: Option<i32>) -> Res<Value> {
        if !encoding.is_none() {
            return Ok(encoding.clone());
        }
        if sys_flag(vm, intern!("warn_default_encoding")) {
            let level = usize::try_from(stacklevel.unwrap_or(2)).unwrap_or(1);
            let category = exceptions::ENCODING_WARNING.get();
            vm.warn(category, "'encoding' argument not specified", level)?;
        }
        Ok(Value::from(if sys_flag(vm, intern!("utf8_mode")) {
            "utf-8"
        } else {
            "locale"
        }))
    }

    #[init]
    fn init(_vm: &Vm, module: &Py<Module>) -> Res<()> {
        common::note_process();
        lisle_runtime::interp::set_find_text_writer(text::find_writer);
        // `open` is a builtin as well.
        let builtins = lisle_runtime::interp::builtins();
        if let Some(open) = module.dict().get_str(intern!("open")) {
            builtins.set_default_str(intern!("open"), open);
        }
        Ok(())
    }
}
