//! Python exceptions as Rust errors, and how natives make them.
//!
//! Invariant: an [`Exc`] is an instance of `BaseException`. Making one allocates the object, its argument tuple and the message; tracebacks
//! and `__context__` are added where it is raised (`vm::unwind`).

use crate::native::Args;
use crate::object::{Native, Py, PySlot, Type, Value};
use crate::types::exceptions::{
    self, AttributeError, BaseException, ExcType, ImportError, NameError, OSError, StopIteration, SyntaxError,
    UnicodeDecodeError, UnicodeEncodeError,
};
use crate::types::str::Str;
use crate::types::tuple::Tuple;
use crate::vm::Vm;

pub use crate::types::exceptions::SourcePlace;

/// The result of whatever can raise.
pub type Res<T = Value> = Result<T, Exc>;

/// An exception on its way up.
#[repr(transparent)]
#[must_use = "an exception is raised by returning it"]
pub struct Exc(Py<BaseException>);

impl Exc {
    /// The exception; the value is an instance of `BaseException`.
    ///
    /// # Panics
    /// If it is not: callers have checked.
    pub fn from_value(value: Value) -> Exc {
        match value.try_into_py::<BaseException>() {
            Ok(exc) => Exc(exc),
            Err(other) => panic!("raised a {} object", other.ty().name()),
        }
    }

    /// The exception, if the value is one.
    pub fn try_from_value(value: Value) -> Result<Exc, Value> {
        value.try_into_py::<BaseException>().map(Exc)
    }

    /// Raises an exception that is known to be one.
    #[inline]
    pub fn from_py(exc: Py<BaseException>) -> Exc {
        Exc(exc)
    }

    #[inline(always)]
    pub fn value(&self) -> &Value {
        self.0.as_value()
    }

    #[inline(always)]
    pub fn as_value(&self) -> &Value {
        self.0.as_value()
    }

    #[inline(always)]
    pub fn into_value(self) -> Value {
        self.0.into_value()
    }

    /// The object.
    #[inline(always)]
    pub fn object(&self) -> &Py<BaseException> {
        &self.0
    }

    /// Whether the exception's class is `class` or a subclass of it.
    #[inline]
    pub fn is_instance(&self, class: &Py<Type>) -> bool {
        let ty = self.0.class();
        ty.is(class) || ty.is_subclass(class)
    }

    /// Whether this is an instance of the built-in class.
    #[inline]
    pub fn is(&self, class: &'static ExcType) -> bool {
        self.is_instance(class.get())
    }

    /// Whether this signals the end of an iterator.
    #[inline]
    pub fn is_stop_iteration(&self) -> bool {
        self.value().downcast::<StopIteration>().is_some()
    }

    /// Whether this signals the end of an iterator and carries no value but `None`.
    pub fn is_stop_iteration_exact_none(&self) -> bool {
        match self.value().downcast::<StopIteration>() {
            Some(stop) => stop.value.is_empty() || stop.value.peek_bits() == Value::NONE.bits(),
            None => false,
        }
    }

    /// The value of a `StopIteration`; `None` for other exceptions.
    pub fn stop_iteration_value(&self) -> Option<Value> {
        let stop = self.value().downcast::<StopIteration>()?;
        Some(stop.value.get().unwrap_or(Value::NONE))
    }

    #[inline]
    pub fn is_attribute_error(&self) -> bool {
        self.value().downcast::<AttributeError>().is_some()
    }

    /// Sets `__cause__`, as `raise self from cause` does.
    pub fn with_cause(self, cause: Option<Value>) -> Exc {
        self.0
            .suppress_context
            .store(true, std::sync::atomic::Ordering::Relaxed);
        drop(self.0.cause.swap(cause));
        self
    }

    /// Sets `__context__`.
    pub fn with_context(self, context: Option<Value>) -> Exc {
        drop(self.0.context.swap(context));
        self
    }
}

impl Clone for Exc {
    fn clone(&self) -> Exc {
        Exc(self.0.clone())
    }
}

impl std::fmt::Debug for Exc {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0.class().short_name())?;
        if let Some(arg) = self.0.first_arg()
            && let Some(text) = arg.downcast::<Str>()
        {
            write!(f, ": {}", text.to_string_lossy())?;
        }
        Ok(())
    }
}

impl crate::memory::trace::Trace for Exc {
    fn traverse(&self, visit: &mut crate::memory::trace::Visitor<'_>) {
        self.0.traverse(visit);
    }
}

/// Constructors that take a message.
macro_rules! with_message {
    ($($name:ident $class:ident;)+) => {
        impl Vm {
            $(
                #[doc = concat!("`", stringify!($class), "`")]
                #[cold]
                pub fn $name(&self, message: impl Into<String>) -> Exc {
                    self.exception_with(&exceptions::$class, &message.into())
                }
            )+
        }
    };
}

with_message! {
    type_error TYPE_ERROR;
    value_error VALUE_ERROR;
    index_error INDEX_ERROR;
    lookup_error LOOKUP_ERROR;
    overflow_error OVERFLOW_ERROR;
    zero_division_error ZERO_DIVISION_ERROR;
    arithmetic_error ARITHMETIC_ERROR;
    floating_point_error FLOATING_POINT_ERROR;
    runtime_error RUNTIME_ERROR;
    not_implemented_error NOT_IMPLEMENTED_ERROR;
    system_error SYSTEM_ERROR;
    recursion_error RECURSION_ERROR;
    buffer_error BUFFER_ERROR;
    assertion_error ASSERTION_ERROR;
    eof_error EOF_ERROR;
    reference_error REFERENCE_ERROR;
    unicode_error UNICODE_ERROR;
    finalization_error PYTHON_FINALIZATION_ERROR;
    key_error_message KEY_ERROR;
}

impl Vm {
    /// An exception of a class without fields of its own, with these arguments.
    #[inline]
    fn simple(class: &Py<Type>, args: Py<Tuple>) -> Exc {
        Exc(Py::with_class(class, BaseException::payload(args)))
    }

    /// An exception of the built-in class with a message.
    #[cold]
    #[inline(never)]
    pub fn exception_with(&self, class: &'static ExcType, message: &str) -> Exc {
        let (class, message) = (class.get(), Str::from_str(message).into_value());
        if std::ptr::eq(class.info, BaseException::info()) {
            return Vm::simple(class, Tuple::from_array([message]));
        }
        self.new_exception(class, vec![message])
    }

    /// What calling `class` with `args` makes, or the exception that this raises.
    pub fn new_exception(&self, class: &Py<Type>, args: Vec<Value>) -> Exc {
        if !class.has_flag(crate::object::TypeFlags::HEAP) && std::ptr::eq(class.info, BaseException::info()) {
            return Vm::simple(class, Tuple::new(args));
        }
        match self.call_args(class.as_value(), Args::new(&args)) {
            Ok(value) => match Exc::try_from_value(value) {
                Ok(exc) => exc,
                Err(other) => self.not_an_exception(class.as_value(), &other),
            },
            Err(exc) => exc,
        }
    }

    #[cold]
    fn not_an_exception(&self, class: &Value, made: &Value) -> Exc {
        let show = |value: &Value| match self.repr(value) {
            Ok(text) => text.to_string_lossy(),
            Err(_) => value.ty().name(),
        };
        let (class, found) = (show(class), show(made.ty().as_value()));
        self.type_error(format!(
            "calling {class} should have returned an instance of BaseException, not {found}"
        ))
    }

    /// What `raise value` raises.
    pub fn exception_from_class_or_instance(&self, value: &Value) -> Res<Exc> {
        if let Some(exc) = value.downcast::<BaseException>() {
            return Ok(Exc(exc.clone()));
        }
        if let Some(class) = value.downcast::<Type>()
            && class.is_subclass(BaseException::ty())
        {
            if class.is(StopIteration::ty()) {
                return Ok(self.stop_iteration());
            }
            if !class.has_flag(crate::object::TypeFlags::HEAP) && std::ptr::eq(class.info, BaseException::info()) {
                return Ok(Vm::simple(class, Tuple::empty()));
            }
            let made = self.call_args(value, Args::NONE)?;
            return Exc::try_from_value(made).map_err(|other| self.not_an_exception(value, &other));
        }
        Err(self.type_error("exceptions must derive from BaseException"))
    }

    /// The cause in `raise ... from value`: `None`, or an exception.
    pub fn cause_from_value(&self, value: &Value) -> Res<Option<Value>> {
        if value.is_none() {
            return Ok(None);
        }
        let is_class = value
            .downcast::<Type>()
            .is_some_and(|ty| ty.is_subclass(BaseException::ty()));
        if !is_class && value.downcast::<BaseException>().is_none() {
            return Err(self.type_error("exception causes must derive from BaseException"));
        }
        Ok(Some(self.exception_from_class_or_instance(value)?.into_value()))
    }

    /// `KeyError(key)`
    #[cold]
    pub fn key_error(&self, key: Value) -> Exc {
        Vm::simple(exceptions::KEY_ERROR.get(), Tuple::from_array([key]))
    }

    /// `MemoryError()`
    #[cold]
    pub fn memory_error(&self) -> Exc {
        Vm::simple(exceptions::MEMORY_ERROR.get(), Tuple::empty())
    }

    /// `KeyboardInterrupt()`
    #[cold]
    pub fn keyboard_interrupt(&self) -> Exc {
        Vm::simple(exceptions::KEYBOARD_INTERRUPT.get(), Tuple::empty())
    }

    /// `GeneratorExit()`
    pub fn generator_exit(&self) -> Exc {
        Vm::simple(exceptions::GENERATOR_EXIT.get(), Tuple::empty())
    }

    /// `StopIteration()`
    #[inline]
    pub fn stop_iteration(&self) -> Exc {
        self.raised(StopIteration::new(None))
    }

    /// `StopIteration(value)`, `StopIteration()` for `None`.
    #[inline]
    pub fn stop_iteration_with(&self, value: Value) -> Exc {
        self.raised(StopIteration::new(Some(value).filter(|v| !v.is_none())))
    }

    /// `StopAsyncIteration()`
    pub fn stop_async_iteration(&self) -> Exc {
        Vm::simple(exceptions::STOP_ASYNC_ITERATION.get(), Tuple::empty())
    }

    /// An exception object of a class with fields.
    #[inline]
    fn raised<T: Native>(&self, exc: Py<T>) -> Exc {
        Exc::from_value(exc.into_value())
    }

    /// `AttributeError(message)`
    #[cold]
    pub fn attribute_error(&self, message: impl Into<String>) -> Exc {
        self.raised(AttributeError::new(
            Str::from_str(&message.into()).into_value(),
            None,
            None,
        ))
    }

    /// `AttributeError(message)`
    #[cold]
    pub fn new_attribute_error(&self, message: impl Into<String>) -> Exc {
        self.attribute_error(message)
    }

    /// `AttributeError(message, name=name, obj=obj)`
    #[cold]
    pub fn attribute_error_with(&self, message: impl Into<String>, obj: &Value, name: &Py<Str>) -> Exc {
        let message = Str::from_str(&message.into()).into_value();
        self.raised(AttributeError::new(message, Some(obj.clone()), Some(name.to_value())))
    }

    /// "'X' object has no attribute 'name'"
    #[cold]
    #[inline(never)]
    pub fn attribute_error_for(&self, obj: &Value, name: &Py<Str>) -> Exc {
        let class = obj.ty().name();
        let message = exceptions::text::joined(&[&"'", &class, &"' object has no attribute '", name, &"'"]);
        self.raised(AttributeError::new(message, Some(obj.clone()), Some(name.to_value())))
    }

    /// "name 'x' is not defined"
    #[cold]
    pub fn name_error_for(&self, name: &Py<Str>) -> Exc {
        let message = exceptions::text::joined(&[&"name '", name, &"' is not defined"]);
        self.raised(NameError::new_of(NameError::ty(), message, Some(name.to_value())))
    }

    /// `NameError(message, name=name)`
    #[cold]
    pub fn name_error(&self, message: impl Into<String>, name: &Py<Str>) -> Exc {
        let message = Str::from_str(&message.into()).into_value();
        self.raised(NameError::new_of(NameError::ty(), message, Some(name.to_value())))
    }

    /// "cannot access local variable 'x' where it is not associated with a value"
    #[cold]
    pub fn unbound_local_error(&self, name: &Py<Str>) -> Exc {
        let pieces: [&dyn exceptions::text::Piece; 3] = [
            &"cannot access local variable '",
            name,
            &"' where it is not associated with a value",
        ];
        let message = exceptions::text::joined(&pieces);
        self.raised(NameError::new_of(
            exceptions::UNBOUND_LOCAL_ERROR.get(),
            message,
            Some(name.to_value()),
        ))
    }

    /// "cannot access free variable 'x' where it is not associated with a value in enclosing scope"
    #[cold]
    pub fn unbound_free_error(&self, name: &Py<Str>) -> Exc {
        let pieces: [&dyn exceptions::text::Piece; 3] = [
            &"cannot access free variable '",
            name,
            &"' where it is not associated with a value in enclosing scope",
        ];
        let message = exceptions::text::joined(&pieces);
        self.raised(NameError::new_of(NameError::ty(), message, Some(name.to_value())))
    }

    /// `ImportError(message, name=name, path=path)`
    #[cold]
    pub fn import_error(&self, message: impl Into<String>, name: Option<Value>, path: Option<Value>) -> Exc {
        let message = Str::from_str(&message.into()).into_value();
        self.raised(ImportError::new_of(ImportError::ty(), message, name, path))
    }

    /// `ModuleNotFoundError(message, name=name)`
    #[cold]
    pub fn module_not_found_error(&self, message: impl Into<String>, name: Option<Value>) -> Exc {
        let message = Str::from_str(&message.into()).into_value();
        self.raised(ImportError::new_of(
            exceptions::MODULE_NOT_FOUND_ERROR.get(),
            message,
            name,
            None,
        ))
    }

    /// The `OSError` of an error number.
    #[cold]
    pub fn os_error(&self, errno: i32, filename: Option<Value>) -> Exc {
        match OSError::new(self, errno, filename) {
            Ok(exc) => Exc::from_value(exc),
            Err(exc) => exc,
        }
    }

    /// `OSError(message)`
    #[cold]
    pub fn os_error_message(&self, message: impl Into<String>) -> Exc {
        self.exception_with(&exceptions::OS_ERROR, &message.into())
    }

    /// The `OSError` of a failed system call.
    #[cold]
    pub fn os_error_from(&self, error: &std::io::Error) -> Exc {
        match error.raw_os_error() {
            Some(errno) => self.os_error(errno, None),
            None => self.os_error_message(error.to_string()),
        }
    }

    /// As [`Vm::os_error_from`], with the file's name.
    #[cold]
    pub fn os_error_from_named(&self, error: &std::io::Error, filename: Value) -> Exc {
        match error.raw_os_error() {
            Some(errno) => self.os_error(errno, Some(filename)),
            None => self.os_error_message(error.to_string()),
        }
    }

    /// `UnicodeDecodeError`; `object` is a `bytes`.
    #[cold]
    pub fn unicode_decode_error(&self, encoding: &str, object: Value, start: usize, end: usize, reason: &str) -> Exc {
        self.raised(UnicodeDecodeError::new(encoding, object, start, end, reason))
    }

    /// `UnicodeEncodeError`; `object` is a `str`.
    #[cold]
    pub fn unicode_encode_error(&self, encoding: &str, object: Value, start: usize, end: usize, reason: &str) -> Exc {
        self.raised(UnicodeEncodeError::new(encoding, object, start, end, reason))
    }

    /// `SyntaxError` or a subclass of it.
    #[cold]
    pub fn syntax_error(&self, class: &'static ExcType, message: &str, place: SourcePlace) -> Exc {
        self.new_exception(class.get(), SyntaxError::arguments(message, place))
    }

    /// `SystemExit(code)`
    pub fn system_exit(&self, code: Value) -> Exc {
        let args = if code.is_none() { Vec::new() } else { vec![code] };
        self.new_exception(exceptions::SYSTEM_EXIT.get(), args)
    }
}

/// A shared field that may hold an exception.
pub type ExcSlot = PySlot<BaseException>;
