//! `BaseException` and the hierarchy of built-in exceptions.
//!
//! Invariant: every exception object's payload begins with [`BaseException`]; classes without fields of their own share that payload, so
//! a class can derive from several of them. Left out: raising, chaining and tracebacks (`vm::unwind`).

mod control;
pub mod groups;
mod names;
pub mod os_error;
mod syntax_error;
pub(crate) mod text;
mod unicode;

use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;

pub use control::{StopIteration, SystemExit};
pub use groups::BaseExceptionGroup;
pub use names::{AttributeError, ImportError, NameError};
pub use os_error::OSError;
pub use syntax_error::{SourcePlace, SyntaxError};
pub use unicode::{UnicodeDecodeError, UnicodeEncodeError, UnicodeTranslateError};

use crate::intern;
use crate::memory::trace::{Trace, Visitor};
use crate::native::{Args, pyclass, pymethods};
use crate::object::py::PayloadInfo;
use crate::object::types::{TypeDef, make_static_variant};
use crate::object::{Native, Py, PySlot, Slot, Type, TypeCell, TypeFlags, Value};
use crate::types::descriptors::SlotWrapper;
use crate::types::list::List;
use crate::types::str::Str;
use crate::types::tuple::Tuple;
use crate::vm::{Res, Vm};

/// What every exception has.
#[pyclass(
    name = "BaseException",
    basetype,
    dict,
    flags = TypeFlags::EXCEPTION_SUBCLASS,
    doc = "Common base class for all exceptions"
)]
pub struct BaseException {
    pub args: PySlot<Tuple>,
    /// `None` or a traceback; empty counts as `None`.
    pub traceback: Slot,
    pub cause: Slot,
    pub context: Slot,
    pub suppress_context: AtomicBool,
}

impl BaseException {
    /// The payload of a new exception.
    #[inline]
    pub fn payload(args: Py<Tuple>) -> BaseException {
        BaseException {
            args: PySlot::new(args),
            traceback: Slot::empty(),
            cause: Slot::empty(),
            context: Slot::empty(),
            suppress_context: AtomicBool::new(false),
        }
    }

    /// The payload of a new exception with the positional arguments of a call.
    pub(crate) fn payload_of(args: Args<'_>) -> BaseException {
        BaseException::payload(Tuple::from_slice_clone(args.positional()))
    }

    /// `self.args`.
    pub fn args(&self) -> Py<Tuple> {
        self.args.get().unwrap_or_else(Tuple::empty)
    }

    /// The first of the arguments.
    pub fn first_arg(&self) -> Option<Value> {
        self.args.get()?.as_slice().first().cloned()
    }

    /// Replaces the arguments, unless they are these objects already (`__new__` has stored them before `__init__` runs).
    pub(crate) fn store_args(&self, values: &[Value]) {
        let args = self.args();
        let old = args.as_slice();
        if old.len() != values.len() || old.iter().zip(values).any(|(a, b)| !a.is(b)) {
            self.args.set(Tuple::new(values.to_vec()));
        }
    }
}

/// The class's name in messages.
pub(crate) fn class_name(value: &Value) -> String {
    value.ty().name()
}

/// An error if keywords were given.
pub(crate) fn no_keywords(vm: &Vm, this: &Value, args: Args<'_>) -> Res<()> {
    if args.has_keywords() {
        return Err(vm.type_error(format!("{}() takes no keyword arguments", class_name(this))));
    }
    Ok(())
}

/// `str(exc)` where the class has no form of its own.
pub(crate) fn base_str(vm: &Vm, this: &BaseException) -> Res<Value> {
    let args = this.args();
    match args.as_slice() {
        [] => Ok(Str::empty().into_value()),
        [one] => Ok(vm.str(one)?.into_value()),
        _ => Ok(vm.repr(args.as_value())?.into_value()),
    }
}

/// The instance's dict, if it has attributes.
pub(crate) fn state_of(this: &Value) -> Option<Value> {
    let attrs = crate::object::attrs::Attrs::of(this)?;
    let empty = match attrs.snapshot() {
        Some(names) => names.is_empty(),
        None => attrs.dict().is_none(),
    };
    if empty {
        None
    } else {
        Some(attrs.materialize().into_value())
    }
}

/// Whether the value is a traceback.
fn is_traceback(value: &Value) -> bool {
    value.downcast::<crate::types::traceback::Traceback>().is_some()
}

fn set_traceback(vm: &Vm, this: &BaseException, value: &Value) -> Res<()> {
    if !value.is_none() && !is_traceback(value) {
        return Err(vm.type_error("__traceback__ must be a traceback or None"));
    }
    drop(this.traceback.swap(Some(value.clone()).filter(|v| !v.is_none())));
    Ok(())
}

/// A value for `__context__` or `__cause__`.
fn linked(vm: &Vm, value: Option<&Value>, name: &str, what: &str) -> Res<Option<Value>> {
    match value {
        None => Err(vm.type_error(format!("{name} may not be deleted"))),
        Some(value) if value.is_none() => Ok(None),
        Some(value) if value.downcast::<BaseException>().is_some() => Ok(Some(value.clone())),
        Some(_) => Err(vm.type_error(format!("exception {what} must be None or derive from BaseException"))),
    }
}

#[pymethods]
impl BaseException {
    #[slot]
    fn __new__(_: &Vm, cls: &Py<Type>, args: Args<'_>) -> Res<Value> {
        Ok(Py::with_class(cls, BaseException::payload_of(args)).into_value())
    }

    #[slot]
    fn __init__(vm: &Vm, this: &Py<BaseException>, args: Args<'_>) -> Res<()> {
        no_keywords(vm, this.as_value(), args)?;
        this.store_args(args.values);
        Ok(())
    }

    #[slot]
    fn __repr__(vm: &Vm, this: &Py<BaseException>) -> Res<Value> {
        let name = this.class().short_name();
        let args = this.args();
        match args.as_slice() {
            [one] => Ok(text::joined(&[&name, &"(", &vm.repr(one)?, &")"])),
            _ => Ok(text::joined(&[&name, &vm.repr(args.as_value())?])),
        }
    }

    #[slot]
    fn __str__(vm: &Vm, this: &Py<BaseException>) -> Res<Value> {
        base_str(vm, this)
    }

    #[getter(name = "args")]
    fn get_args(_: &Vm, this: &Py<BaseException>) -> Py<Tuple> {
        BaseException::args(this)
    }
    #[setter(name = "args")]
    fn set_args(vm: &Vm, this: &Py<BaseException>, value: Option<&Value>) -> Res<()> {
        let Some(value) = value else {
            return Err(vm.type_error("args may not be deleted"));
        };
        let args = match value.downcast_exact::<Tuple>() {
            Some(args) => args.clone(),
            None => Tuple::new(vm.collect(value)?),
        };
        this.args.set(args);
        Ok(())
    }

    #[getter]
    fn __traceback__(_: &Vm, this: &Py<BaseException>) -> Option<Value> {
        this.traceback.get()
    }
    #[setter(name = "__traceback__")]
    fn set_traceback_(vm: &Vm, this: &Py<BaseException>, value: Option<&Value>) -> Res<()> {
        match value {
            Some(value) => set_traceback(vm, this, value),
            None => Err(vm.type_error("__traceback__ may not be deleted")),
        }
    }

    /// exception context
    #[getter]
    fn __context__(_: &Vm, this: &Py<BaseException>) -> Option<Value> {
        this.context.get()
    }
    #[setter(name = "__context__")]
    fn set_context(vm: &Vm, this: &Py<BaseException>, value: Option<&Value>) -> Res<()> {
        drop(this.context.swap(linked(vm, value, "__context__", "context")?));
        Ok(())
    }

    /// exception cause
    #[getter]
    fn __cause__(_: &Vm, this: &Py<BaseException>) -> Option<Value> {
        this.cause.get()
    }
    #[setter(name = "__cause__")]
    fn set_cause(vm: &Vm, this: &Py<BaseException>, value: Option<&Value>) -> Res<()> {
        let cause = linked(vm, value, "__cause__", "cause")?;
        this.suppress_context.store(true, Relaxed);
        drop(this.cause.swap(cause));
        Ok(())
    }

    #[getter]
    fn __suppress_context__(_: &Vm, this: &Py<BaseException>) -> bool {
        this.suppress_context.load(Relaxed)
    }
    #[setter(name = "__suppress_context__")]
    fn set_suppress_context(vm: &Vm, this: &Py<BaseException>, value: Option<&Value>) -> Res<()> {
        match value {
            Some(value) if value.is_bool() => this.suppress_context.store(value.is_true(), Relaxed),
            Some(_) => return Err(vm.type_error("attribute value type must be bool")),
            None => return Err(vm.type_error("can't delete numeric/char attribute")),
        }
        Ok(())
    }

    #[getter]
    fn __dict__(_: &Vm, this: &Py<BaseException>) -> Option<Value> {
        crate::vm::attributes::instance_dict(this.as_value()).map(Py::into_value)
    }
    #[setter(name = "__dict__")]
    fn set_dict(vm: &Vm, this: &Py<BaseException>, value: Option<&Value>) -> Res<()> {
        crate::types::object::set_instance_dict(vm, this.as_value(), value)
    }

    /// Exception.with_traceback(tb) --
    ///     set self.__traceback__ to tb and return self.
    #[pymethod(sig = "($self, object, /)")]
    fn with_traceback(vm: &Vm, this: &Py<BaseException>, object: &Value) -> Res<Value> {
        set_traceback(vm, this, object)?;
        Ok(this.to_value())
    }

    /// Exception.add_note(note) --
    ///     add a note to the exception
    #[pymethod(sig = "($self, object, /)")]
    fn add_note(vm: &Vm, this: &Py<BaseException>, object: &Value) -> Res<()> {
        if object.downcast::<Str>().is_none() {
            return Err(vm.type_error(format!("note must be a str, not '{}'", class_name(object))));
        }
        let name = intern!("__notes__");
        let notes = match vm.getattr_opt(this.as_value(), name)? {
            Some(notes) => notes,
            None => {
                let notes = List::new(Vec::new()).into_value();
                vm.setattr(this.as_value(), name, &notes)?;
                notes
            }
        };
        match notes.downcast::<List>() {
            Some(notes) => notes.push(vm, object.clone()),
            None => Err(vm.type_error("Cannot add note: __notes__ is not a list")),
        }
    }

    #[pymethod(sig = "($self, /)")]
    fn __reduce__(_: &Vm, this: &Py<BaseException>) -> Value {
        let mut parts = vec![this.class().to_value(), this.args().into_value()];
        parts.extend(state_of(this.as_value()));
        Tuple::new(parts).into_value()
    }

    #[pymethod(sig = "($self, object, /)")]
    fn __setstate__(vm: &Vm, this: &Py<BaseException>, object: &Value) -> Res<()> {
        if object.is_none() {
            return Ok(());
        }
        let Some(state) = object.downcast::<crate::types::dict::Dict>() else {
            return Err(vm.type_error("state is not a dictionary"));
        };
        for (key, value) in state.snapshot() {
            vm.setattr(this.as_value(), vm.attribute_name(&key)?, &value)?;
        }
        Ok(())
    }
}

/// Declares attributes that show a [`Slot`] field, `None` while it is empty.
macro_rules! object_members {
    ($payload:ty, $define:ident: $($field:ident $name:literal $doc:literal;)+) => {
        impl $payload {
            pub(crate) fn $define(def: &mut crate::object::types::TypeDef) {
                $({
                    fn get(_: &crate::vm::Vm, this: &crate::object::Value) -> crate::vm::Res<crate::object::Value> {
                        let value = this.downcast::<$payload>().and_then(|this| this.$field.get());
                        Ok(value.unwrap_or(crate::object::Value::NONE))
                    }
                    fn set(_: &crate::vm::Vm, this: &crate::object::Value, value: Option<&crate::object::Value>) -> crate::vm::Res<()> {
                        if let Some(this) = this.downcast::<$payload>() {
                            drop(this.$field.swap(value.cloned()));
                        }
                        Ok(())
                    }
                    static DEF: crate::native::GetSetDef = crate::native::GetSetDef {
                        name: $name,
                        qualname: $name,
                        doc: Some($doc),
                        get,
                        set: Some(set),
                        member: true,
                    };
                    def.getset(&DEF);
                })+
            }
        }
    };
}
pub(crate) use object_members;

/// Declares a class that native payloads name as their base although it has no payload of its own.
macro_rules! marker {
    ($(#[$meta:meta])* $marker:ident, $ty:ident) => {
        $(#[$meta])*
        #[repr(transparent)]
        pub struct $marker(BaseException);

        impl Trace for $marker {
            fn traverse(&self, visit: &mut Visitor<'_>) {
                self.0.traverse(visit);
            }
            fn clear(&self, out: &mut Vec<Value>) {
                self.0.clear(out);
            }
        }

        impl std::ops::Deref for $marker {
            type Target = BaseException;
            fn deref(&self) -> &BaseException {
                &self.0
            }
        }

        impl From<BaseException> for $marker {
            fn from(base: BaseException) -> $marker {
                $marker(base)
            }
        }

        // SAFETY: the cell belongs to this class alone; the payload is a transparent `BaseException`, whose description it shares.
        unsafe impl Native for $marker {
            const NAME: &'static str = $ty.name;
            const MODULE: &'static str = "builtins";
            const DOC: Option<&'static str> = Some($ty.doc);
            const FLAGS: TypeFlags = BaseException::FLAGS;
            type Base = BaseException;
            fn type_cell() -> &'static TypeCell {
                &$ty.cell
            }
            fn payload_base() -> Option<&'static PayloadInfo> {
                BaseException::payload_base()
            }
            fn info() -> &'static PayloadInfo {
                BaseException::info()
            }
            fn ty() -> &'static Py<Type> {
                $ty.get()
            }
        }

        impl crate::native::NativeMethods for $marker {
            fn define(_: &mut TypeDef) {}
        }
    };
}

marker!(
    /// The payload of `Exception`.
    Exception,
    EXCEPTION
);
marker!(
    /// The payload of `UnicodeError`.
    UnicodeError,
    UNICODE_ERROR
);

/// A built-in exception class, made on first use.
pub struct ExcType {
    cell: TypeCell,
    module: &'static str,
    name: &'static str,
    /// Empty for none.
    doc: &'static str,
    base: Option<&'static ExcType>,
    make: fn(&'static ExcType) -> &'static Py<Type>,
}

impl ExcType {
    /// A class with fields of its own.
    const fn native(make: fn(&'static ExcType) -> &'static Py<Type>) -> ExcType {
        ExcType {
            cell: TypeCell::new(),
            module: "builtins",
            name: "",
            doc: "",
            base: None,
            make,
        }
    }

    const fn simple(name: &'static str, doc: &'static str, base: &'static ExcType) -> ExcType {
        ExcType {
            cell: TypeCell::new(),
            module: "builtins",
            name,
            doc,
            base: Some(base),
            make: make::<BaseException>,
        }
    }

    /// A class of a library module, with the fields of [`BaseException`] alone.
    pub const fn library(
        module: &'static str,
        name: &'static str,
        doc: &'static str,
        base: &'static ExcType,
    ) -> ExcType {
        ExcType {
            module,
            ..ExcType::simple(name, doc, base)
        }
    }

    const fn with(
        name: &'static str,
        doc: &'static str,
        base: &'static ExcType,
        make: fn(&'static ExcType) -> &'static Py<Type>,
    ) -> ExcType {
        ExcType {
            cell: TypeCell::new(),
            module: "builtins",
            name,
            doc,
            base: Some(base),
            make,
        }
    }

    fn doc(&self) -> Option<&'static str> {
        Some(self.doc).filter(|doc| !doc.is_empty())
    }

    /// The type object.
    #[inline(always)]
    pub fn get(&'static self) -> &'static Py<Type> {
        match self.cell.get() {
            Some(ty) => ty,
            None => (self.make)(self),
        }
    }
}

/// A class with the payload of `T` and no fields or methods beyond its base's.
fn make<T: Native>(this: &'static ExcType) -> &'static Py<Type> {
    match this.base {
        Some(base) => {
            let class = make_static_variant::<T>(&this.cell, this.name, this.module, this.doc(), base.get());
            if this.module != "builtins" {
                // Libraries make their classes as programs do.
                class.set_flag(crate::object::TypeFlags::WEAKREF);
            }
            class
        }
        None => T::ty(),
    }
}

/// `KeyError` differs from its base in `str` alone, and has the same payload, so that classes can derive from it and others.
fn make_key_error(this: &'static ExcType) -> &'static Py<Type> {
    fn str(vm: &Vm, this: &Value) -> Res<Value> {
        let Some(exc) = this.downcast::<BaseException>() else {
            return Ok(Value::NONE);
        };
        match exc.args().as_slice() {
            [key] => Ok(vm.repr(key)?.into_value()),
            _ => base_str(vm, exc),
        }
    }
    let ty = make::<BaseException>(this);
    let mut slots = *ty.slots();
    slots.str = Some(str);
    ty.set_slots(slots);
    let name = intern!("__str__");
    if let Some(wrapper) = BaseException::ty().dict().get_str(name)
        && let Some(wrapper) = wrapper.downcast_exact::<SlotWrapper>()
    {
        drop(ty.dict().replace_str(name, SlotWrapper::new_value(ty, wrapper.def)));
    }
    ty
}

/// Declares the classes, and the list of all of them in the order in which `builtins` shows them.
macro_rules! classes {
    ($( $(#[native($payload:ty)])? $( #[variant($shared:ty)] )? $(#[made_by($make:path)])? $id:ident = $name:literal ($($base:ident)?) $doc:literal; )+) => {
        $( classes!(@one $(native $payload;)? $(variant $shared;)? $(made_by $make;)? $id $name ($($base)?) $doc); )+
        /// All built-in exception classes.
        pub static ALL: &[(&str, &ExcType)] = &[ $(($name, &$id)),+ ];
    };
    (@one native $payload:ty; $id:ident $name:literal ($($base:ident)?) $doc:literal) => {
        #[doc = concat!("`", $name, "`")]
        pub static $id: ExcType = ExcType::native(|_| <$payload as Native>::ty());
    };
    (@one variant $shared:ty; $id:ident $name:literal ($base:ident) $doc:literal) => {
        #[doc = concat!("`", $name, "`")]
        pub static $id: ExcType = ExcType::with($name, $doc, &$base, make::<$shared>);
    };
    (@one made_by $make:path; $id:ident $name:literal ($base:ident) $doc:literal) => {
        #[doc = concat!("`", $name, "`")]
        pub static $id: ExcType = ExcType::with($name, $doc, &$base, $make);
    };
    (@one $id:ident $name:literal ($base:ident) $doc:literal) => {
        #[doc = concat!("`", $name, "`")]
        pub static $id: ExcType = ExcType::simple($name, $doc, &$base);
    };
}

classes! {
    #[native(BaseException)] BASE_EXCEPTION = "BaseException" () "";
    EXCEPTION = "Exception" (BASE_EXCEPTION) "Common base class for all non-exit exceptions.";
    #[native(BaseExceptionGroup)] BASE_EXCEPTION_GROUP = "BaseExceptionGroup" () "";
    #[made_by(groups::make_exception_group)] EXCEPTION_GROUP = "ExceptionGroup" (BASE_EXCEPTION_GROUP) "";
    GENERATOR_EXIT = "GeneratorExit" (BASE_EXCEPTION) "Request that a generator exit.";
    KEYBOARD_INTERRUPT = "KeyboardInterrupt" (BASE_EXCEPTION) "Program interrupted by user.";
    #[native(SystemExit)] SYSTEM_EXIT = "SystemExit" () "";
    ARITHMETIC_ERROR = "ArithmeticError" (EXCEPTION) "Base class for arithmetic errors.";
    FLOATING_POINT_ERROR = "FloatingPointError" (ARITHMETIC_ERROR) "Floating-point operation failed.";
    OVERFLOW_ERROR = "OverflowError" (ARITHMETIC_ERROR) "Result too large to be represented.";
    ZERO_DIVISION_ERROR = "ZeroDivisionError" (ARITHMETIC_ERROR) "Second argument to a division or modulo operation was zero.";
    ASSERTION_ERROR = "AssertionError" (EXCEPTION) "Assertion failed.";
    #[native(AttributeError)] ATTRIBUTE_ERROR = "AttributeError" () "";
    BUFFER_ERROR = "BufferError" (EXCEPTION) "Buffer error.";
    EOF_ERROR = "EOFError" (EXCEPTION) "Read beyond end of file.";
    #[native(ImportError)] IMPORT_ERROR = "ImportError" () "";
    #[variant(ImportError)] MODULE_NOT_FOUND_ERROR = "ModuleNotFoundError" (IMPORT_ERROR) "Module not found.";
    LOOKUP_ERROR = "LookupError" (EXCEPTION) "Base class for lookup errors.";
    INDEX_ERROR = "IndexError" (LOOKUP_ERROR) "Sequence index out of range.";
    #[made_by(make_key_error)] KEY_ERROR = "KeyError" (LOOKUP_ERROR) "Mapping key not found.";
    MEMORY_ERROR = "MemoryError" (EXCEPTION) "Out of memory.";
    #[native(NameError)] NAME_ERROR = "NameError" () "";
    #[variant(NameError)] UNBOUND_LOCAL_ERROR = "UnboundLocalError" (NAME_ERROR) "Local name referenced but not bound to a value.";
    #[native(OSError)] OS_ERROR = "OSError" () "";
    #[variant(OSError)] BLOCKING_IO_ERROR = "BlockingIOError" (OS_ERROR) "I/O operation would block.";
    #[variant(OSError)] CHILD_PROCESS_ERROR = "ChildProcessError" (OS_ERROR) "Child process error.";
    #[variant(OSError)] CONNECTION_ERROR = "ConnectionError" (OS_ERROR) "Connection error.";
    #[variant(OSError)] BROKEN_PIPE_ERROR = "BrokenPipeError" (CONNECTION_ERROR) "Broken pipe.";
    #[variant(OSError)] CONNECTION_ABORTED_ERROR = "ConnectionAbortedError" (CONNECTION_ERROR) "Connection aborted.";
    #[variant(OSError)] CONNECTION_REFUSED_ERROR = "ConnectionRefusedError" (CONNECTION_ERROR) "Connection refused.";
    #[variant(OSError)] CONNECTION_RESET_ERROR = "ConnectionResetError" (CONNECTION_ERROR) "Connection reset.";
    #[variant(OSError)] FILE_EXISTS_ERROR = "FileExistsError" (OS_ERROR) "File already exists.";
    #[variant(OSError)] FILE_NOT_FOUND_ERROR = "FileNotFoundError" (OS_ERROR) "File not found.";
    #[variant(OSError)] INTERRUPTED_ERROR = "InterruptedError" (OS_ERROR) "Interrupted by signal.";
    #[variant(OSError)] IS_A_DIRECTORY_ERROR = "IsADirectoryError" (OS_ERROR) "Operation doesn't work on directories.";
    #[variant(OSError)] NOT_A_DIRECTORY_ERROR = "NotADirectoryError" (OS_ERROR) "Operation only works on directories.";
    #[variant(OSError)] PERMISSION_ERROR = "PermissionError" (OS_ERROR) "Not enough permissions.";
    #[variant(OSError)] PROCESS_LOOKUP_ERROR = "ProcessLookupError" (OS_ERROR) "Process not found.";
    #[variant(OSError)] TIMEOUT_ERROR = "TimeoutError" (OS_ERROR) "Timeout expired.";
    REFERENCE_ERROR = "ReferenceError" (EXCEPTION) "Weak ref proxy used after referent went away.";
    RUNTIME_ERROR = "RuntimeError" (EXCEPTION) "Unspecified run-time error.";
    NOT_IMPLEMENTED_ERROR = "NotImplementedError" (RUNTIME_ERROR) "Method or function hasn't been implemented yet.";
    PYTHON_FINALIZATION_ERROR = "PythonFinalizationError" (RUNTIME_ERROR) "Operation blocked during Python finalization.";
    RECURSION_ERROR = "RecursionError" (RUNTIME_ERROR) "Recursion limit exceeded.";
    STOP_ASYNC_ITERATION = "StopAsyncIteration" (EXCEPTION) "Signal the end from iterator.__anext__().";
    #[native(StopIteration)] STOP_ITERATION = "StopIteration" () "";
    #[native(SyntaxError)] SYNTAX_ERROR = "SyntaxError" () "";
    #[variant(SyntaxError)] INDENTATION_ERROR = "IndentationError" (SYNTAX_ERROR) "Improper indentation.";
    #[variant(SyntaxError)] TAB_ERROR = "TabError" (INDENTATION_ERROR) "Improper mixture of spaces and tabs.";
    #[variant(SyntaxError)] INCOMPLETE_INPUT_ERROR = "_IncompleteInputError" (SYNTAX_ERROR) "incomplete input.";
    SYSTEM_ERROR = "SystemError" (EXCEPTION) "Internal error in the Python interpreter.\n\nPlease report this to the Python maintainer, along with the traceback,\nthe Python version, and the hardware/OS platform and version.";
    TYPE_ERROR = "TypeError" (EXCEPTION) "Inappropriate argument type.";
    VALUE_ERROR = "ValueError" (EXCEPTION) "Inappropriate argument value (of correct type).";
    UNICODE_ERROR = "UnicodeError" (VALUE_ERROR) "Unicode related error.";
    #[native(UnicodeDecodeError)] UNICODE_DECODE_ERROR = "UnicodeDecodeError" () "";
    #[native(UnicodeEncodeError)] UNICODE_ENCODE_ERROR = "UnicodeEncodeError" () "";
    #[native(UnicodeTranslateError)] UNICODE_TRANSLATE_ERROR = "UnicodeTranslateError" () "";
    WARNING = "Warning" (EXCEPTION) "Base class for warning categories.";
    BYTES_WARNING = "BytesWarning" (WARNING) "Base class for warnings about bytes and buffer related problems, mostly\nrelated to conversion from str or comparing to str.";
    DEPRECATION_WARNING = "DeprecationWarning" (WARNING) "Base class for warnings about deprecated features.";
    ENCODING_WARNING = "EncodingWarning" (WARNING) "Base class for warnings about encodings.";
    FUTURE_WARNING = "FutureWarning" (WARNING) "Base class for warnings about constructs that will change semantically\nin the future.";
    IMPORT_WARNING = "ImportWarning" (WARNING) "Base class for warnings about probable mistakes in module imports";
    PENDING_DEPRECATION_WARNING = "PendingDeprecationWarning" (WARNING) "Base class for warnings about features which will be deprecated\nin the future.";
    RESOURCE_WARNING = "ResourceWarning" (WARNING) "Base class for warnings about resource usage.";
    RUNTIME_WARNING = "RuntimeWarning" (WARNING) "Base class for warnings about dubious runtime behavior.";
    SYNTAX_WARNING = "SyntaxWarning" (WARNING) "Base class for warnings about dubious syntax.";
    UNICODE_WARNING = "UnicodeWarning" (WARNING) "Base class for warnings about Unicode related problems, mostly\nrelated to conversion problems.";
    USER_WARNING = "UserWarning" (WARNING) "Base class for warnings generated by user code.";
}

/// Makes all classes; once, before there are further threads: some are completed after they were published.
pub fn init() {
    for (_, class) in ALL {
        class.get();
    }
}
