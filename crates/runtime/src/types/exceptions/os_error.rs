//! `OSError`: an error of the system, with its number, which decides the class.
//!
//! Invariant: `OSError(errno, text)` is of the class that stands for the number; a subclass that a program names is kept.
//! A Python subclass that overrides `__init__` but not `__new__` is initialised by `OSError.__init__`, all others by `__new__`.

use std::sync::atomic::AtomicI64;
use std::sync::atomic::Ordering::Relaxed;

use super::{BaseException, ExcType, Exception, base_str, object_members, text};
use crate::native::{Args, pyclass, pymethods};
use crate::object::{Native, Py, Slot, Type, TypeFlags, Value};
use crate::types::str::Str;
use crate::types::tuple::Tuple;
use crate::vm::{Res, Vm};

/// An error of the system.
#[pyclass(
    name = "OSError",
    base = Exception,
    basetype,
    dict,
    flags = TypeFlags::EXCEPTION_SUBCLASS,
    doc = "Base class for I/O related errors."
)]
pub struct OSError {
    pub base: Exception,
    pub errno: Slot,
    pub strerror: Slot,
    pub filename: Slot,
    pub filename2: Slot,
    /// -1: not set.
    pub written: AtomicI64,
}

/// The class for an error number.
fn class_for(errno: i64) -> Option<&'static ExcType> {
    let Ok(errno) = i32::try_from(errno) else { return None };
    Some(match errno {
        libc::EAGAIN | libc::EALREADY | libc::EINPROGRESS => &super::BLOCKING_IO_ERROR,
        libc::EPIPE | libc::ESHUTDOWN => &super::BROKEN_PIPE_ERROR,
        libc::ECHILD => &super::CHILD_PROCESS_ERROR,
        libc::ECONNABORTED => &super::CONNECTION_ABORTED_ERROR,
        libc::ECONNREFUSED => &super::CONNECTION_REFUSED_ERROR,
        libc::ECONNRESET => &super::CONNECTION_RESET_ERROR,
        libc::EEXIST => &super::FILE_EXISTS_ERROR,
        libc::ENOENT => &super::FILE_NOT_FOUND_ERROR,
        libc::EISDIR => &super::IS_A_DIRECTORY_ERROR,
        libc::ENOTDIR => &super::NOT_A_DIRECTORY_ERROR,
        libc::EINTR => &super::INTERRUPTED_ERROR,
        libc::EACCES | libc::EPERM => &super::PERMISSION_ERROR,
        libc::ESRCH => &super::PROCESS_LOOKUP_ERROR,
        libc::ETIMEDOUT => &super::TIMEOUT_ERROR,
        _ => return None,
    })
}

/// The system's text for an error number.
pub fn strerror(errno: i32) -> String {
    let mut text = [0; 128];
    // SAFETY: the buffer is writable and as long as is said. A number without a text gets one that says so.
    unsafe { libc::strerror_r(errno, text.as_mut_ptr().cast(), text.len()) };
    match std::ffi::CStr::from_bytes_until_nul(&text) {
        Ok(text) => text.to_string_lossy().into_owned(),
        Err(_) => String::new(),
    }
}

/// Whether `__init__` rather than `__new__` evaluates the arguments.
fn init_evaluates(cls: &Py<Type>) -> bool {
    let (ours, own) = (cls.slots(), OSError::ty().slots());
    ours.init.map(|f| f as usize) != own.init.map(|f| f as usize)
        && ours.new.map(|f| f as usize) == own.new.map(|f| f as usize)
}

impl OSError {
    fn empty(args: Py<Tuple>) -> OSError {
        OSError {
            base: BaseException::payload(args).into(),
            errno: Slot::empty(),
            strerror: Slot::empty(),
            filename: Slot::empty(),
            filename2: Slot::empty(),
            written: AtomicI64::new(-1),
        }
    }

    /// Takes the fields from the arguments.
    fn evaluate(vm: &Vm, this: &Py<OSError>, values: &[Value]) -> Res<()> {
        let mut kept = values;
        if let 2..=5 = values.len() {
            let given = |at: usize| values.get(at).filter(|v| !v.is_none());
            if let Some(filename) = given(2) {
                let blocking = this.class().is(super::BLOCKING_IO_ERROR.get());
                let slots = filename.ty().slots();
                if blocking && (slots.index.is_some() || slots.int.is_some() || slots.float.is_some()) {
                    let index = vm.index(filename)?;
                    let Ok(written) = vm.index_to_isize(&index) else {
                        return Err(vm.value_error("cannot fit 'int' into an index-sized integer"));
                    };
                    this.written.store(written as i64, Relaxed);
                } else {
                    this.filename.set(filename.clone());
                    if let Some(filename2) = given(4) {
                        this.filename2.set(filename2.clone());
                    }
                    kept = &values[..2];
                }
            }
            this.errno.set(values[0].clone());
            this.strerror.set(values[1].clone());
        }
        this.base.store_args(kept);
        Ok(())
    }

    /// `OSError(errno, text, filename)`.
    #[expect(clippy::new_ret_no_self, reason = "the class is chosen by the number")]
    pub fn new(vm: &Vm, errno: i32, filename: Option<Value>) -> Res<Value> {
        let mut values = vec![Value::int(errno.into()), Str::from_str(&strerror(errno)).into_value()];
        values.extend(filename);
        OSError::__new__(vm, OSError::ty(), Args::new(&values))
    }
}

object_members!(OSError, define_members:
    errno "errno" "POSIX exception code";
    strerror "strerror" "exception strerror";
    filename "filename" "exception filename";
    filename2 "filename2" "second exception filename";
);

#[pymethods(parts(define_members))]
impl OSError {
    #[slot]
    fn __new__(vm: &Vm, cls: &Py<Type>, args: Args<'_>) -> Res<Value> {
        if init_evaluates(cls) {
            return Ok(Py::with_class(cls, OSError::empty(Tuple::empty())).into_value());
        }
        if args.has_keywords() {
            return Err(vm.type_error(format!("{}() takes no keyword arguments", cls.name())));
        }
        let values = args.values;
        let mut cls = cls.clone();
        if let 2..=5 = values.len()
            && cls.is(OSError::ty())
            && let Some(errno) = vm.int_value(&values[0]).and_then(|errno| errno.to_i64())
            && let Some(class) = class_for(errno)
        {
            cls = class.get().clone();
        }
        let this = Py::with_class(&cls, OSError::empty(Tuple::empty()));
        OSError::evaluate(vm, &this, values)?;
        Ok(this.into_value())
    }

    #[slot]
    fn __init__(vm: &Vm, this: &Py<OSError>, args: Args<'_>) -> Res<()> {
        if !init_evaluates(this.class()) {
            return Ok(());
        }
        super::no_keywords(vm, this.as_value(), args)?;
        OSError::evaluate(vm, this, args.values)
    }

    #[slot]
    fn __str__(vm: &Vm, this: &Py<OSError>) -> Res<Value> {
        let show = |slot: &Slot| vm.str(&slot.get().unwrap_or(Value::NONE));
        if let Some(filename) = this.filename.get() {
            let (errno, strerror) = (show(&this.errno)?, show(&this.strerror)?);
            let filename = vm.repr(&filename)?;
            return Ok(match this.filename2.get() {
                Some(second) => {
                    let second = vm.repr(&second)?;
                    text::joined(&[&"[Errno ", &errno, &"] ", &strerror, &": ", &filename, &" -> ", &second])
                }
                None => text::joined(&[&"[Errno ", &errno, &"] ", &strerror, &": ", &filename]),
            });
        }
        if this.errno.is_empty() || this.strerror.is_empty() {
            return base_str(vm, &this.base);
        }
        Ok(text::joined(&[
            &"[Errno ",
            &show(&this.errno)?,
            &"] ",
            &show(&this.strerror)?,
        ]))
    }

    #[pymethod(sig = "($self, /)")]
    fn __reduce__(_: &Vm, this: &Py<OSError>) -> Value {
        let mut args = this.base.args();
        if let ([errno, strerror], Some(filename)) = (args.as_slice(), this.filename.get()) {
            let mut values = vec![errno.clone(), strerror.clone(), filename];
            if let Some(filename2) = this.filename2.get() {
                values.extend([Value::NONE, filename2]);
            }
            args = Tuple::new(values);
        }
        let mut parts = vec![this.class().to_value(), args.into_value()];
        parts.extend(super::state_of(this.as_value()));
        Tuple::new(parts).into_value()
    }

    #[getter]
    fn characters_written(vm: &Vm, this: &Py<OSError>) -> Res<Value> {
        match this.written.load(Relaxed) {
            -1 => Err(vm.attribute_error("characters_written")),
            written => Ok(Value::int(written)),
        }
    }
    #[setter]
    fn set_characters_written(vm: &Vm, this: &Py<OSError>, value: Option<&Value>) -> Res<()> {
        match value {
            Some(value) => this.written.store(vm.index_to_isize(value)? as i64, Relaxed),
            None if this.written.load(Relaxed) == -1 => return Err(vm.attribute_error("characters_written")),
            None => this.written.store(-1, Relaxed),
        }
        Ok(())
    }
}
