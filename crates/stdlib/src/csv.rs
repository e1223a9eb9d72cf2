//! The `_csv` module: reading and writing comma-separated values.
//!
//! Invariant: a dialect never changes; a reader keeps nothing between records but the number of lines it has read, so readers
//! can be shared between threads. [`dialect`], [`reader`] and [`writer`] are the parts.

mod dialect;
mod reader;
mod writer;

use lisle_runtime::native::pymodule;
use lisle_runtime::types::exceptions;

use crate::exception::ExceptionClass;

pub static ERROR: ExceptionClass = ExceptionClass::new("_csv", "Error", &exceptions::EXCEPTION);

#[pymodule(name = "_csv", doc = "CSV parsing and writing.\n", types(Dialect))]
pub mod module {
    use std::sync::atomic::{AtomicI64, Ordering::Relaxed};

    use super::ERROR;
    use super::dialect::{self, Dialect};
    use super::reader::Reader;
    use super::writer::Writer;
    use lisle_runtime::intern;
    use lisle_runtime::native::*;
    use lisle_runtime::types::dict::Dict;
    use lisle_runtime::types::list::List;

    pub static FIELD_LIMIT: AtomicI64 = AtomicI64::new(128 * 1024);

    #[pyattr(name = "QUOTE_MINIMAL")]
    const QUOTE_MINIMAL: i64 = dialect::MINIMAL;
    #[pyattr(name = "QUOTE_ALL")]
    const QUOTE_ALL: i64 = dialect::ALL;
    #[pyattr(name = "QUOTE_NONNUMERIC")]
    const QUOTE_NONNUMERIC: i64 = dialect::NONNUMERIC;
    #[pyattr(name = "QUOTE_NONE")]
    const QUOTE_NONE: i64 = dialect::NONE;
    #[pyattr(name = "QUOTE_STRINGS")]
    const QUOTE_STRINGS: i64 = dialect::STRINGS;
    #[pyattr(name = "QUOTE_NOTNULL")]
    const QUOTE_NOTNULL: i64 = dialect::NOTNULL;

    #[pyattr(name = "Error")]
    fn error_class(vm: &Vm) -> Res<Value> {
        Ok(ERROR.get(vm)?.to_value())
    }

    #[pyattr(name = "_dialects")]
    fn dialects(_vm: &Vm) -> Value {
        dialect::registry().into_value()
    }

    #[pyattr(name = "Reader")]
    fn reader_class(_vm: &Vm) -> Value {
        Reader::ty().to_value()
    }

    #[pyattr(name = "Writer")]
    fn writer_class(_vm: &Vm) -> Value {
        Writer::ty().to_value()
    }

    /// The dialect of a `reader` or `writer` call, whose first argument is something else.
    fn with_dialect<'a>(vm: &Vm, args: Args<'a>) -> Res<(&'a Value, Py<Dialect>)> {
        let positional = args.check_positional(vm, "", 1, 2)?;
        let (first, dialect) = match positional {
            [first, dialect, ..] => (first, Some(dialect)),
            [first] => (first, None),
            [] => return Err(vm.type_error(" expected at least 1 argument, got 0")),
        };
        Ok((first, dialect::make(vm, dialect, args)?))
    }

    ///     csv_reader = reader(iterable [, dialect='excel']
    ///                         [optional keyword args])
    ///     for row in csv_reader:
    ///         process(row)
    ///
    /// The "iterable" argument can be any object that returns a line
    /// of input for each iteration, such as a file object or a list.  The
    /// optional "dialect" parameter is discussed below.  The function
    /// also accepts optional keyword arguments which override settings
    /// provided by the dialect.
    ///
    /// The returned object is an iterator.  Each iteration returns a row
    /// of the CSV file (which can span multiple input lines).
    #[pyfunction]
    fn reader(vm: &Vm, args: Args<'_>) -> Res<Value> {
        let (lines, dialect) = match args.positional() {
            [lines, ..] => (vm.iter(lines)?, with_dialect(vm, args)?.1),
            [] => return with_dialect(vm, args).map(|_| Value::NONE),
        };
        Ok(Reader::make(lines, dialect))
    }

    ///     csv_writer = csv.writer(fileobj [, dialect='excel']
    ///                             [optional keyword args])
    ///     for row in sequence:
    ///         csv_writer.writerow(row)
    ///
    ///     [or]
    ///
    ///     csv_writer = csv.writer(fileobj [, dialect='excel']
    ///                             [optional keyword args])
    ///     csv_writer.writerows(rows)
    ///
    /// The "fileobj" argument can be any object that supports the file API.
    #[pyfunction]
    fn writer(vm: &Vm, args: Args<'_>) -> Res<Value> {
        let Some(file) = args.positional().first() else {
            return with_dialect(vm, args).map(|_| Value::NONE);
        };
        let write = vm.getattr_opt(file, intern!("write"))?;
        let Some(write) = write.filter(|write| write.ty().slots().call.is_some()) else {
            return Err(vm.type_error("argument 1 must have a \"write\" method"));
        };
        Ok(Writer::make(write, with_dialect(vm, args)?.1))
    }

    /// Create a mapping from a string name to a dialect class.
    ///     dialect = csv.register_dialect(name[, dialect[, **fmtparams]])
    #[pyfunction]
    fn register_dialect(vm: &Vm, args: Args<'_>) -> Res<()> {
        let positional = args.check_positional(vm, "register_dialect", 1, 2)?;
        let Some(name) = positional.first().and_then(|name| name.downcast::<Str>()) else {
            return Err(vm.type_error("dialect name must be a string"));
        };
        let made = dialect::make(vm, positional.get(1), args)?;
        dialect::registry().set(vm, name.as_value(), made.into_value())
    }

    /// Delete the name/dialect mapping associated with a string name.
    ///
    ///     csv.unregister_dialect(name)
    #[pyfunction(sig = "(name)")]
    fn unregister_dialect(vm: &Vm, name: &Value) -> Res<()> {
        match dialect::registry().remove(vm, name)? {
            Some(_) => Ok(()),
            None => Err(ERROR.error(vm, "unknown dialect")),
        }
    }

    /// Return the dialect instance associated with name.
    ///
    ///     dialect = csv.get_dialect(name)
    #[pyfunction(sig = "(name)")]
    fn get_dialect(vm: &Vm, name: &Value) -> Res<Value> {
        dialect::find(vm, name)
    }

    /// Return a list of all known dialect names.
    ///
    ///     names = csv.list_dialects()
    #[pyfunction(sig = "()")]
    fn list_dialects(_vm: &Vm) -> Value {
        let registry: Py<Dict> = dialect::registry();
        List::new(registry.snapshot_keys()).into_value()
    }

    /// Sets an upper limit on parsed fields.
    ///
    ///     csv.field_size_limit([limit])
    ///
    /// Returns old limit. If limit is not given, no new limit is set and
    /// the old limit is returned
    #[pyfunction(sig = "(new_limit=<unrepresentable>)")]
    fn field_size_limit(vm: &Vm, new_limit: Option<&Value>) -> Res<i64> {
        let Some(limit) = new_limit else {
            return Ok(FIELD_LIMIT.load(Relaxed));
        };
        if int_view(limit).is_none() {
            return Err(vm.type_error("limit must be an integer"));
        }
        Ok(FIELD_LIMIT.swap(vm.index_to_i64(limit)?, Relaxed))
    }
}
