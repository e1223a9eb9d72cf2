//! The `_sqlite3` module, on SQLite itself.
//!
//! Invariant: SQLite is called detached and under the lock of its database ([`db::Lock`]); Python code that it calls attaches first. A cursor
//! is used by one call at a time. Left out: extensions that are loaded from files.

mod blob;
mod callbacks;
mod connection;
mod constants;
mod cursor;
mod db;
mod row;

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use lisle_runtime::intern;
use lisle_runtime::native::*;
use lisle_runtime::types::dict::Dict;
use lisle_runtime::types::exceptions;
use lisle_runtime::types::tuple::Tuple;

use db::Failure;

/// The exceptions of the module.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Class {
    Warning,
    Error,
    Interface,
    Database,
    Internal,
    Operational,
    Programming,
    Integrity,
    Data,
    NotSupported,
}

const CLASSES: [(&str, Option<usize>); 10] = [
    ("Warning", None),
    ("Error", None),
    ("InterfaceError", Some(1)),
    ("DatabaseError", Some(1)),
    ("InternalError", Some(3)),
    ("OperationalError", Some(3)),
    ("ProgrammingError", Some(3)),
    ("IntegrityError", Some(3)),
    ("DataError", Some(3)),
    ("NotSupportedError", Some(3)),
];

fn classes(vm: &Vm) -> Res<&'static Vec<Py<Type>>> {
    static MADE: OnceLock<Vec<Py<Type>>> = OnceLock::new();
    if let Some(classes) = MADE.get() {
        return Ok(classes);
    }
    let mut classes: Vec<Py<Type>> = Vec::new();
    for (name, base) in CLASSES {
        let base = base.map_or_else(|| exceptions::EXCEPTION.get().to_value(), |at| classes[at].to_value());
        let dict = Dict::new_empty();
        dict.set_str(&Str::intern("__module__"), Value::from("sqlite3"));
        let bases = Tuple::new(vec![base]).into_value();
        let made = vm.call(Type::ty().as_value(), &[Value::from(name), bases, dict.into_value()])?;
        classes.push(
            made.try_into_py::<Type>()
                .map_err(|_| vm.type_error("no class was made"))?,
        );
    }
    Ok(MADE.get_or_init(|| classes))
}

/// One of the module's exceptions.
pub fn class(vm: &Vm, which: Class) -> Res<&'static Py<Type>> {
    Ok(&classes(vm)?[which as usize])
}

pub fn error(vm: &Vm, which: Class, message: impl AsRef<str>) -> Exc {
    match class(vm, which) {
        Ok(class) => vm.new_exception(class, vec![Value::from(message.as_ref())]),
        Err(exc) => exc,
    }
}

pub fn programming_error(vm: &Vm, message: impl AsRef<str>) -> Exc {
    error(vm, Class::Programming, message)
}

/// The exception for a failure of SQLite.
pub fn raised(vm: &Vm, failure: &Failure) -> Exc {
    use libsqlite3_sys as ffi;
    let which = match failure.code {
        ffi::SQLITE_NOMEM => return vm.memory_error(),
        ffi::SQLITE_INTERNAL | ffi::SQLITE_NOTFOUND => Class::Internal,
        ffi::SQLITE_ERROR
        | ffi::SQLITE_PERM
        | ffi::SQLITE_ABORT
        | ffi::SQLITE_BUSY
        | ffi::SQLITE_LOCKED
        | ffi::SQLITE_READONLY
        | ffi::SQLITE_INTERRUPT
        | ffi::SQLITE_IOERR
        | ffi::SQLITE_FULL
        | ffi::SQLITE_CANTOPEN
        | ffi::SQLITE_PROTOCOL
        | ffi::SQLITE_EMPTY
        | ffi::SQLITE_SCHEMA => Class::Operational,
        ffi::SQLITE_TOOBIG => Class::Data,
        ffi::SQLITE_CONSTRAINT | ffi::SQLITE_MISMATCH => Class::Integrity,
        ffi::SQLITE_MISUSE | ffi::SQLITE_RANGE => Class::Interface,
        _ => Class::Database,
    };
    let exc = error(vm, which, &failure.message);
    let name = constants::CODES
        .iter()
        .find(|(_, code)| *code == failure.extended)
        .map_or("unknown", |(name, _)| name);
    let fields = [
        (intern!("sqlite_errorcode"), Value::int(failure.extended.into())),
        (intern!("sqlite_errorname"), Value::from(name)),
    ];
    for (field, value) in fields {
        if let Err(other) = vm.setattr(exc.as_value(), field, &value) {
            return other;
        }
    }
    exc
}

/// Whether exceptions in callbacks are shown.
pub static CALLBACK_TRACEBACKS: AtomicBool = AtomicBool::new(false);

/// Whether adapters are registered for the types that need none otherwise.
pub static BASE_TYPES_ADAPTED: AtomicBool = AtomicBool::new(false);

/// The dicts that programs register adapters and converters in.
fn registry(vm: &Vm, name: &'static Py<Str>) -> Res<Py<Dict>> {
    let module = vm.import_module("_sqlite3")?;
    let dict = vm.getattr(&module, name)?;
    dict.try_into_py::<Dict>()
        .map_err(|_| vm.type_error("the registry is no dict"))
}

/// The converter of a type, whose name is in any case.
fn converter(vm: &Vm, name: &str) -> Res<Option<Value>> {
    let dict = registry(vm, intern!("converters"))?;
    dict.get(vm, &Value::from(name.to_uppercase().as_str()))
}

/// What stands for an object towards the protocol; `alternative` or an exception if nothing does.
fn adapt(vm: &Vm, object: &Value, protocol: &Value, alternative: Option<&Value>) -> Res<Value> {
    let adapters = registry(vm, intern!("adapters"))?;
    let key = Tuple::pair(object.ty().to_value(), protocol.clone()).into_value();
    if let Some(adapter) = adapters.get(vm, &key)? {
        return vm.call(&adapter, std::slice::from_ref(object));
    }
    for (holder, name, argument) in [
        (protocol, intern!("__adapt__"), object),
        (object, intern!("__conform__"), protocol),
    ] {
        let Some(method) = vm.getattr_opt(holder, name)? else {
            continue;
        };
        match vm.call(&method, std::slice::from_ref(argument)) {
            Ok(adapted) if !adapted.is_none() => return Ok(adapted),
            Ok(_) => {}
            Err(exc) if exc.is(&exceptions::TYPE_ERROR) => {}
            Err(exc) => return Err(exc),
        }
    }
    match alternative {
        Some(value) => Ok(value.clone()),
        None => Err(programming_error(vm, "can't adapt")),
    }
}

#[pymodule(
    name = "_sqlite3",
    types(
        connection::Connection,
        cursor::Cursor,
        row::Row,
        blob::Blob,
        connection::PrepareProtocol
    )
)]
pub mod module {
    use super::*;
    use lisle_runtime::types::module::Module;
    use std::ffi::CString;

    #[pyattr]
    const PARSE_DECLTYPES: i64 = 1;
    #[pyattr]
    const PARSE_COLNAMES: i64 = 2;
    #[pyattr]
    const LEGACY_TRANSACTION_CONTROL: i64 = -1;
    #[pyattr(name = "threadsafety")]
    const THREAD_SAFETY: i64 = 3;
    #[pyattr]
    const _DEPRECATED_VERSION: &str = "2.6.0";

    #[init]
    fn init(vm: &Vm, module: &Py<Module>) -> Res<()> {
        for (name, number) in constants::CODES.into_iter().chain(constants::NUMBERS) {
            module.set(name, Value::int(number.into()));
        }
        for ((name, _), class) in CLASSES.iter().zip(classes(vm)?) {
            module.set(name, class.to_value());
        }
        // SAFETY: a static text.
        let version = unsafe { std::ffi::CStr::from_ptr(libsqlite3_sys::sqlite3_libversion()) };
        module.set("sqlite_version", Value::from(version.to_string_lossy().as_ref()));
        module.set("adapters", Dict::new_empty().into_value());
        module.set("converters", Dict::new_empty().into_value());
        module.set("_deprecated_version", Value::from("2.6.0"));
        Ok(())
    }

    /// Open a connection to the SQLite database file 'database'.
    ///
    /// You can use ":memory:" to open a database connection to a database that
    /// resides in RAM instead of on disk.
    #[pyfunction]
    fn connect(vm: &Vm, args: Args<'_>) -> Res<Value> {
        let given = args.keyword("factory").or_else(|| args.positional().get(5));
        let factory = match given {
            Some(factory) => factory.clone(),
            None => connection::Connection::ty().to_value(),
        };
        connection::warn_of_positions(vm, args, "sqlite3.connect")?;
        vm.call_args(&factory, args)
    }

    /// Checks if a string contains a complete SQL statement.
    #[pyfunction(sig = "(statement)")]
    fn complete_statement(vm: &Vm, statement: &Py<Str>) -> Res<bool> {
        let text = CString::new(statement.to_string_lossy()).map_err(|_| vm.value_error("embedded null character"))?;
        // SAFETY: the text outlives the call.
        Ok(unsafe { libsqlite3_sys::sqlite3_complete(text.as_ptr()) } != 0)
    }

    /// Enable or disable callback functions throwing errors to stderr.
    #[pyfunction(sig = "(enable, /)")]
    fn enable_callback_tracebacks(_: &Vm, enable: bool) {
        CALLBACK_TRACEBACKS.store(enable, Relaxed);
    }

    /// Register a function to adapt Python objects to SQLite values.
    #[pyfunction(sig = "(type, adapter, /)")]
    fn register_adapter(vm: &Vm, r#type: &Py<Type>, adapter: &Value) -> Res<()> {
        use lisle_runtime::types::{bytearray::ByteArray, float::Float, int::Int};
        if [Int::ty(), Float::ty(), Str::ty(), ByteArray::ty()]
            .iter()
            .any(|base| base.is(r#type))
        {
            BASE_TYPES_ADAPTED.store(true, Relaxed);
        }
        let key = Tuple::pair(r#type.to_value(), connection::PrepareProtocol::ty().to_value()).into_value();
        registry(vm, intern!("adapters"))?.set(vm, &key, adapter.clone())?;
        Ok(())
    }

    /// Register a function to convert SQLite values to Python objects.
    #[pyfunction(sig = "(typename, converter, /)")]
    fn register_converter(vm: &Vm, typename: &Py<Str>, converter: &Value) -> Res<()> {
        let name = Value::from(typename.to_string_lossy().to_uppercase().as_str());
        registry(vm, intern!("converters"))?.set(vm, &name, converter.clone())?;
        Ok(())
    }

    /// Adapt given object to given protocol.
    #[pyfunction(sig = "(obj, proto=PrepareProtocolType, alt=None, /)")]
    fn adapt(vm: &Vm, obj: &Value, proto: Option<&Value>, alt: Option<&Value>) -> Res<Value> {
        let default = connection::PrepareProtocol::ty().to_value();
        super::adapt(vm, obj, proto.unwrap_or(&default), alt)
    }
}
