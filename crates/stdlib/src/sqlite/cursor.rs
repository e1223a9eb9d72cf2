//! Cursors: statements that are executed, and the rows they give.
//!
//! Invariant: a cursor's statement is its own; `busy` is set while a call works on it, so that neither handlers nor other threads use
//! the cursor meanwhile.

use std::ffi::CString;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering::*};
use std::sync::{Arc, Mutex};

use libsqlite3_sys as ffi;
use lisle_runtime::intern;
use lisle_runtime::memory::trace::Opaque;
use lisle_runtime::native::*;
use lisle_runtime::types::bytes::Bytes;
use lisle_runtime::types::dict::Dict;
use lisle_runtime::types::exceptions;
use lisle_runtime::types::list::List;
use lisle_runtime::types::tuple::Tuple;

use super::callbacks::cell_from;
use super::connection::{Connection, Prepared};
use super::db::{Cell, Failure, OrRaise, Statement, Stepped, lock};
use super::{Class, error, programming_error};

#[pyclass(
    name = "Cursor",
    module = "sqlite3",
    basetype,
    weakref,
    doc = "SQLite database cursor class."
)]
pub struct Cursor {
    connection: PySlot<Connection>,
    description: Slot,
    row_factory: Slot,
    lastrowid: Slot,
    arraysize: AtomicI64,
    rowcount: AtomicI64,
    ready: AtomicBool,
    closed: AtomicBool,
    busy: AtomicBool,
    statement: Opaque<Mutex<Option<Arc<Prepared>>>>,
    /// Converters of the columns, in a tuple; `None` where there is none.
    converters: Slot,
    parts: Opaque<Mutex<Vec<bool>>>,
}

impl Cursor {
    pub fn description(&self) -> Value {
        self.description.get().unwrap_or(Value::NONE)
    }
}

type This = Py<Cursor>;

/// The right to use a cursor, for the time of a call.
struct Using<'a>(&'a This);

impl Drop for Using<'_> {
    fn drop(&mut self) {
        self.0.busy.store(false, Release);
    }
}

fn check<'a>(vm: &Vm, this: &'a This) -> Res<(Using<'a>, Py<Connection>)> {
    let Some(connection) = this.connection.get().filter(|_| this.ready.load(Acquire)) else {
        return Err(programming_error(vm, "Base Cursor.__init__ not called."));
    };
    if this.closed.load(Acquire) {
        return Err(programming_error(vm, "Cannot operate on a closed cursor."));
    }
    if this.busy.swap(true, AcqRel) {
        return Err(programming_error(vm, "Recursive use of cursors not allowed."));
    }
    let using = Using(this);
    connection.check_thread(vm)?;
    connection.db(vm)?;
    Ok((using, connection))
}

/// Gives the statement back.
fn let_go(vm: &Vm, this: &This, connection: &Py<Connection>) {
    let statement = lock(&this.statement.0).take();
    if let Some(statement) = statement {
        statement.statement.db.run(vm, |_| statement.statement.reset());
        connection.put_back(statement);
    }
}

/// The cells of parameters, by the names that the statement gives them.
fn parameters(vm: &Vm, names: &[Option<String>], given: &Value) -> Res<Vec<Cell>> {
    let sequence = given.downcast::<Tuple>().is_some()
        || given.downcast::<List>().is_some()
        || given.downcast::<Dict>().is_none()
            && given.ty().slots().getitem.is_some()
            && given.ty().slots().len.is_some()
            && vm.getattr_opt(given, intern!("keys"))?.is_none();
    if sequence {
        let count = vm.len(given)?;
        if count != names.len() {
            return Err(programming_error(
                vm,
                format!(
                    "Incorrect number of bindings supplied. The current statement uses {}, and there are {count} supplied.",
                    names.len()
                ),
            ));
        }
        let mut cells = Vec::with_capacity(count);
        for (at, name) in names.iter().enumerate() {
            if let Some(name) = name.as_ref().filter(|name| !name.starts_with('?')) {
                return Err(programming_error(
                    vm,
                    format!(
                        "Binding {} ('{name}') is a named parameter, but you supplied a sequence which requires nominal (qmark) placeholders.",
                        at + 1
                    ),
                ));
            }
            let value = match given.downcast::<Tuple>() {
                Some(tuple) => tuple.get(at).cloned().unwrap_or(Value::NONE),
                None => vm.getitem(given, &Value::usize(at))?,
            };
            cells.push(parameter(vm, &value, || format!("{}", at + 1))?);
        }
        return Ok(cells);
    }
    if given.ty().slots().getitem.is_none() {
        return Err(programming_error(vm, "parameters are of unsupported type"));
    }
    let mut cells = Vec::with_capacity(names.len());
    for (at, name) in names.iter().enumerate() {
        let Some(name) = name else {
            return Err(programming_error(
                vm,
                format!(
                    "Binding {} has no name, but you supplied a dictionary (which has only names).",
                    at + 1
                ),
            ));
        };
        let name = &name[1..];
        let value = match vm.getitem(given, &Value::from(name)) {
            Ok(value) => value,
            Err(exc) if exc.is(&exceptions::LOOKUP_ERROR) => {
                return Err(programming_error(
                    vm,
                    format!("You did not supply a value for binding parameter :{name}."),
                ));
            }
            Err(exc) => return Err(exc),
        };
        cells.push(parameter(vm, &value, || format!("':{name}'"))?);
    }
    Ok(cells)
}

fn parameter(vm: &Vm, value: &Value, label: impl Fn() -> String) -> Res<Cell> {
    let adapted = super::BASE_TYPES_ADAPTED.load(Relaxed);
    let plain = value.is_none()
        || value.has_type(lisle_runtime::types::int::Int::ty())
        || value.as_exact_float().is_some()
        || vm.is_exact::<Str>(value)
        || vm.is_exact::<Bytes>(value)
        || vm.is_exact::<lisle_runtime::types::bytearray::ByteArray>(value);
    let adapted = if plain && !adapted {
        value.clone()
    } else {
        let protocol = super::connection::PrepareProtocol::ty().to_value();
        super::adapt(vm, value, &protocol, Some(value))?
    };
    match cell_from(vm, &adapted)? {
        Some(Cell::Text(text)) if text.len() > i32::MAX as usize => {
            Err(vm.overflow_error("string longer than INT_MAX bytes"))
        }
        Some(Cell::Blob(blob)) if blob.len() > i32::MAX as usize => {
            Err(vm.overflow_error("BLOB longer than INT_MAX bytes"))
        }
        Some(cell) => Ok(cell),
        None => {
            let found = adapted.ty().name();
            Err(programming_error(
                vm,
                format!("Error binding parameter {}: type '{found}' is not supported", label()),
            ))
        }
    }
}

/// Finds out the names of the columns and their converters.
fn describe(vm: &Vm, this: &This, connection: &Py<Connection>, columns: &[(String, Option<String>)]) -> Res<()> {
    const COLUMN_NAMES: i64 = 2;
    const DECLARED_TYPES: i64 = 1;
    let detect = connection.detect_types();
    let mut description = Vec::with_capacity(columns.len());
    let mut converters = Vec::with_capacity(columns.len());
    for (name, declared) in columns {
        let mut shown = name.as_str();
        let mut converter = None;
        if detect & COLUMN_NAMES != 0
            && let Some((before, rest)) = name.split_once('[')
        {
            if let Some((kind, _)) = rest.split_once(']') {
                converter = super::converter(vm, kind)?;
            }
            shown = before.strip_suffix(' ').unwrap_or(before);
        }
        if converter.is_none()
            && detect & DECLARED_TYPES != 0
            && let Some(declared) = declared
        {
            let end = declared.find([' ', '(']).unwrap_or(declared.len());
            converter = super::converter(vm, &declared[..end])?;
        }
        converters.push(converter.unwrap_or(Value::NONE));
        let mut column = vec![Value::NONE; 7];
        column[0] = Value::from(shown);
        description.push(Tuple::new(column).into_value());
    }
    let raw = converters.iter().map(|converter| !converter.is_none()).collect();
    *lock(&this.parts.0) = raw;
    drop(this.converters.swap(Some(Tuple::new(converters).into_value())));
    let description = if description.is_empty() {
        Value::NONE
    } else {
        Tuple::new(description).into_value()
    };
    drop(this.description.swap(Some(description)));
    Ok(())
}

/// What the first step of a statement leads to.
struct First {
    stepped: Stepped,
    changes: i64,
    columns: Vec<(String, Option<String>)>,
    rowid: i64,
}

fn run_once(vm: &Vm, statement: &Arc<Prepared>, cells: &[Cell]) -> Result<First, Failure> {
    let inner = &statement.statement;
    inner.db.run(vm, |db| {
        inner.reset();
        for (at, cell) in cells.iter().enumerate() {
            inner.bind(at + 1, cell)?;
        }
        let stepped = inner.step();
        let columns = match stepped {
            Stepped::Failed(_) => Vec::new(),
            _ => inner.columns(),
        };
        // SAFETY: the database is open, and its lock is held.
        let (changes, rowid) = unsafe { (ffi::sqlite3_changes64(db), ffi::sqlite3_last_insert_rowid(db)) };
        if matches!(stepped, Stepped::Done) {
            inner.reset();
        }
        Ok(First {
            stepped,
            changes,
            columns,
            rowid,
        })
    })
}

fn execute(vm: &Vm, this: &This, sql: &Py<Str>, given: Option<&Value>, many: bool) -> Res<Value> {
    let (_using, connection) = check(vm, this)?;
    let result = execute_checked(vm, this, &connection, sql, given, many);
    if result.is_err() {
        let_go(vm, this, &connection);
        this.rowcount.store(-1, Release);
    }
    result.map(|()| this.to_value())
}

fn execute_checked(
    vm: &Vm,
    this: &This,
    connection: &Py<Connection>,
    sql: &Py<Str>,
    given: Option<&Value>,
    many: bool,
) -> Res<()> {
    let sets = match given {
        Some(sets) if many => Some(vm.iter(sets)?),
        _ => None,
    };
    drop(this.description.swap(Some(Value::NONE)));
    let_go(vm, this, connection);
    let statement = connection.statement(vm, sql)?;
    if many && !statement.changes {
        connection.put_back(statement);
        return Err(programming_error(vm, "executemany() can only execute DML statements."));
    }
    *lock(&this.statement.0) = Some(statement.clone());
    this.rowcount.store(if statement.changes { 0 } else { -1 }, Release);
    if statement.changes {
        connection.begin_if_needed(vm)?;
    }
    let empty = Tuple::empty().into_value();
    let mut last = None;
    let mut first = true;
    loop {
        let set = match &sets {
            Some(sets) => match vm.next(sets)? {
                Some(set) => set,
                None => break,
            },
            None if first => given.cloned().unwrap_or_else(|| empty.clone()),
            None => break,
        };
        let cells = parameters(vm, &statement.parameters, &set)?;
        let once = run_once(vm, &statement, &cells).or_raise(vm)?;
        if let Stepped::Failed(failure) = &once.stepped {
            return Err(super::raised(vm, failure));
        }
        if first || many {
            describe(vm, this, connection, &once.columns)?;
        }
        first = false;
        if statement.changes && matches!(once.stepped, Stepped::Done) {
            this.rowcount.fetch_add(once.changes, AcqRel);
        }
        let done = matches!(once.stepped, Stepped::Done);
        last = Some(once);
        if !many {
            if done {
                let_go(vm, this, connection);
            }
            break;
        }
    }
    match last {
        Some(once) if !many => {
            drop(this.lastrowid.swap(Some(Value::int(once.rowid))));
        }
        _ => {}
    }
    if many {
        let_go(vm, this, connection);
    }
    Ok(())
}

/// Text as the connection's factory wants it.
fn text_value(vm: &Vm, connection: &Py<Connection>, text: Vec<u8>, column: impl Fn() -> String) -> Res<Value> {
    let factory = connection.text_factory();
    if factory.is(Str::ty().as_value()) {
        return match std::str::from_utf8(&text) {
            Ok(text) => Ok(Value::from(text)),
            Err(_) => {
                let shown = String::from_utf8_lossy(&text).into_owned();
                Err(error(
                    vm,
                    Class::Operational,
                    format!("Could not decode to UTF-8 column '{}' with text '{shown}'", column()),
                ))
            }
        };
    }
    let bytes = Bytes::new_value(text);
    if factory.is(Bytes::ty().as_value()) {
        return Ok(bytes);
    }
    vm.call(&factory, &[bytes])
}

/// The next row; `None` after the last.
fn next_row(vm: &Vm, this: &This) -> Res<Option<Value>> {
    let (_using, connection) = check(vm, this)?;
    let Some(statement) = lock(&this.statement.0).clone() else {
        return Ok(None);
    };
    let raw = lock(&this.parts.0).clone();
    let inner: &Arc<Statement> = &statement.statement;
    let (cells, stepped, changes) = inner.db.run(vm, |db| {
        let cells = inner.row(&raw);
        let stepped = inner.step();
        // SAFETY: the database is open, and its lock is held.
        (cells, stepped, unsafe { ffi::sqlite3_changes64(db) })
    });
    match &stepped {
        Stepped::Row => {}
        Stepped::Done => {
            if statement.changes {
                this.rowcount.store(changes, Release);
            }
            let_go(vm, this, &connection);
        }
        Stepped::Failed(failure) => {
            let exc = super::raised(vm, failure);
            let_go(vm, this, &connection);
            return Err(exc);
        }
    }
    let converters = this.converters.get();
    let converters = converters
        .as_ref()
        .and_then(|converters| converters.downcast::<Tuple>());
    let cells = cells?;
    let mut values = Vec::with_capacity(cells.len());
    for (at, cell) in cells.into_iter().enumerate() {
        let converter = converters
            .and_then(|all| all.get(at))
            .filter(|converter| !converter.is_none());
        values.push(match (cell, converter) {
            (Cell::Null, _) => Value::NONE,
            (Cell::Blob(bytes), Some(converter)) => vm.call(converter, &[Bytes::new_value(bytes)])?,
            (Cell::Int(n), _) => Value::int(n),
            (Cell::Float(x), _) => Value::float(x),
            (Cell::Blob(bytes), None) => Bytes::new_value(bytes),
            (Cell::Text(text), _) => text_value(vm, &connection, text, || {
                let description = this.description();
                let column = description.downcast::<Tuple>().and_then(|all| all.get(at).cloned());
                let name = column.and_then(|column| column.downcast::<Tuple>()?.first().cloned());
                name.and_then(|name| Some(name.downcast::<Str>()?.to_string_lossy()))
                    .unwrap_or_default()
            })?,
        });
    }
    let row = Tuple::new(values).into_value();
    match this.row_factory.get().filter(|factory| !factory.is_none()) {
        None => Ok(Some(row)),
        Some(factory) => vm.call(&factory, &[this.to_value(), row]).map(Some),
    }
}

#[pymethods]
impl Cursor {
    #[slot]
    fn __new__(_: &Vm, cls: &Py<Type>, _: Args<'_>) -> Res<Value> {
        let cursor = Cursor {
            connection: PySlot::empty(),
            description: Slot::new(Value::NONE),
            row_factory: Slot::new(Value::NONE),
            lastrowid: Slot::new(Value::NONE),
            arraysize: AtomicI64::new(1),
            rowcount: AtomicI64::new(-1),
            ready: AtomicBool::new(false),
            closed: AtomicBool::new(false),
            busy: AtomicBool::new(false),
            statement: Opaque(Mutex::new(None)),
            converters: Slot::empty(),
            parts: Opaque(Mutex::new(Vec::new())),
        };
        Ok(Py::with_class(cls, cursor).into_value())
    }

    #[slot(sig = "(connection, /)")]
    fn __init__(vm: &Vm, this: &This, connection: &Value) -> Res<()> {
        let Some(connection) = connection.downcast::<Connection>() else {
            let found = connection.ty().name();
            return Err(vm.type_error(format!("Cursor() argument 1 must be sqlite3.Connection, not {found}")));
        };
        if this.busy.load(Acquire) {
            return Err(programming_error(vm, "Recursive use of cursors not allowed."));
        }
        if let Some(old) = this.connection.get() {
            let_go(vm, this, &old);
        }
        this.connection.set(connection.clone());
        this.closed.store(false, Release);
        this.rowcount.store(-1, Release);
        this.arraysize.store(1, Release);
        drop(this.description.swap(Some(Value::NONE)));
        drop(this.lastrowid.swap(Some(Value::NONE)));
        drop(this.row_factory.swap(Some(Value::NONE)));
        this.ready.store(true, Release);
        connection.check_thread(vm)
    }

    #[slot]
    fn __iter__(_: &Vm, this: &This) -> Value {
        this.to_value()
    }

    #[slot]
    fn __next__(vm: &Vm, this: &This) -> Res<Option<Value>> {
        next_row(vm, this)
    }

    /// Executes an SQL statement.
    #[pymethod(sig = "($self, sql, parameters=(), /)")]
    fn execute(vm: &Vm, this: &This, sql: &Py<Str>, parameters: Option<&Value>) -> Res<Value> {
        self::execute(vm, this, sql, parameters, false)
    }

    /// Repeatedly executes an SQL statement.
    #[pymethod(sig = "($self, sql, seq_of_parameters, /)")]
    fn executemany(vm: &Vm, this: &This, sql: &Py<Str>, seq_of_parameters: &Value) -> Res<Value> {
        self::execute(vm, this, sql, Some(seq_of_parameters), true)
    }

    /// Executes multiple SQL statements at once.
    #[pymethod(sig = "($self, sql_script, /)")]
    fn executescript(vm: &Vm, this: &This, sql_script: &Py<Str>) -> Res<Value> {
        let (_using, connection) = check(vm, this)?;
        let Some(text) = sql_script.view().to_utf8().map(|text| text.into_owned()) else {
            return vm.call_method(sql_script.as_value(), intern!("encode"), &[]);
        };
        let db = connection.db(vm)?;
        connection.check_length(vm, &db, text.len())?;
        let Ok(text) = CString::new(text) else {
            return Err(vm.value_error("embedded null character"));
        };
        connection.commit_before_script(vm)?;
        let mut rest = text.as_c_str();
        while !rest.is_empty() {
            let result = db.run(vm, |_| -> Result<usize, Failure> {
                let (statement, used) = db.prepare(rest)?;
                loop {
                    match statement.step() {
                        Stepped::Row => {}
                        Stepped::Done => return Ok(used),
                        Stepped::Failed(failure) => return Err(failure),
                    }
                }
            });
            let used = result.or_raise(vm)?;
            vm.safepoint()?;
            let bytes = rest.to_bytes_with_nul();
            match bytes
                .get(used..)
                .and_then(|rest| std::ffi::CStr::from_bytes_with_nul(rest).ok())
            {
                Some(next) if used > 0 => rest = next,
                _ => break,
            }
        }
        Ok(this.to_value())
    }

    /// Fetches one row from the resultset.
    #[pymethod(sig = "($self, /)")]
    fn fetchone(vm: &Vm, this: &This) -> Res<Option<Value>> {
        next_row(vm, this)
    }

    /// Fetches several rows from the resultset.
    ///
    ///   size
    ///     The default value is set by the Cursor.arraysize attribute.
    #[pymethod(sig = "($self, /, size=1)")]
    fn fetchmany(vm: &Vm, this: &This, size: Option<i64>) -> Res<Value> {
        let size = size.unwrap_or_else(|| this.arraysize.load(Acquire));
        let mut rows = Vec::new();
        while size <= 0 || (rows.len() as i64) < size {
            match next_row(vm, this)? {
                Some(row) => rows.push(row),
                None => break,
            }
        }
        Ok(List::new(rows).into_value())
    }

    /// Fetches all rows from the resultset.
    #[pymethod(sig = "($self, /)")]
    fn fetchall(vm: &Vm, this: &This) -> Res<Value> {
        let mut rows = Vec::new();
        while let Some(row) = next_row(vm, this)? {
            rows.push(row);
            if rows.len().is_multiple_of(256) {
                vm.safepoint()?;
            }
        }
        Ok(List::new(rows).into_value())
    }

    /// Required by DB-API. Does nothing in sqlite3.
    #[pymethod(sig = "($self, sizes, /)")]
    fn setinputsizes(_: &Vm, _: &This, _sizes: &Value) {}

    /// Required by DB-API. Does nothing in sqlite3.
    #[pymethod(sig = "($self, size, column=None, /)")]
    fn setoutputsize(_: &Vm, _: &This, _size: &Value, _column: Option<&Value>) {}

    /// Closes the cursor.
    #[pymethod(sig = "($self, /)")]
    fn close(vm: &Vm, this: &This) -> Res<()> {
        let Some(connection) = this.connection.get().filter(|_| this.ready.load(Acquire)) else {
            return Err(programming_error(vm, "Base Cursor.__init__ not called."));
        };
        if this.busy.load(Acquire) {
            return Err(programming_error(vm, "Recursive use of cursors not allowed."));
        }
        connection.check_thread(vm)?;
        connection.db(vm)?;
        let_go(vm, this, &connection);
        this.closed.store(true, Release);
        Ok(())
    }

    #[getter]
    fn connection(_: &Vm, this: &This) -> Option<Py<Connection>> {
        this.connection.get()
    }

    #[getter(name = "description")]
    fn get_description(_: &Vm, this: &This) -> Value {
        this.description()
    }

    #[getter]
    fn arraysize(_: &Vm, this: &This) -> i64 {
        this.arraysize.load(Acquire)
    }

    #[setter(name = "arraysize")]
    fn set_arraysize(vm: &Vm, this: &This, value: Option<&Value>) -> Res<()> {
        let Some(value) = value else {
            return Err(vm.type_error("can't delete numeric/char attribute"));
        };
        this.arraysize.store(vm.index_to_i64(value)?, Release);
        Ok(())
    }

    #[getter]
    fn lastrowid(_: &Vm, this: &This) -> Value {
        this.lastrowid.get().unwrap_or(Value::NONE)
    }

    #[getter]
    fn rowcount(_: &Vm, this: &This) -> i64 {
        this.rowcount.load(Acquire)
    }

    #[getter]
    fn row_factory(_: &Vm, this: &This) -> Value {
        this.row_factory.get().unwrap_or(Value::NONE)
    }

    #[setter(name = "row_factory")]
    fn set_row_factory(_: &Vm, this: &This, value: Option<&Value>) -> Res<()> {
        drop(this.row_factory.swap(Some(value.cloned().unwrap_or(Value::NONE))));
        Ok(())
    }
}
