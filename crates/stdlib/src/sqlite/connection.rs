//! Connections: transactions, statements kept for reuse, functions, hooks, copies of databases.
//!
//! Invariant: a statement is in the cache or with one cursor, never both; the database is closed when the connection says so or
//! when the last handle of it is gone.

use std::ffi::{CStr, CString, c_int, c_void};
use std::ptr::null_mut;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, AtomicUsize, Ordering::*};
use std::sync::{Arc, Mutex};

use libsqlite3_sys as ffi;
use lisle_runtime::intern;
use lisle_runtime::memory::room;
use lisle_runtime::memory::trace::Opaque;
use lisle_runtime::native::*;
use lisle_runtime::types::buffer::Readable;
use lisle_runtime::types::bytes::Bytes;
use lisle_runtime::types::exceptions;

use super::callbacks::{self, hold, release};
use super::cursor::Cursor;
use super::db::{BlobHandle, Db, Failure, OrRaise, Statement, Stepped, lock};
use super::{Class, blob, error, programming_error};

/// A statement with its text.
pub struct Prepared {
    pub statement: Arc<Statement>,
    sql: String,
    /// It inserts, updates, deletes or replaces.
    pub changes: bool,
    pub parameters: Vec<Option<String>>,
}

/// What calling a connection gives: a statement that cannot be used.
#[pyclass(name = "Statement", module = "sqlite3", gc = false, no_new, no_methods)]
pub struct StatementObject {
    _prepared: Opaque<Arc<Prepared>>,
}

/// `autocommit` when transactions are controlled as they were before it.
const LEGACY: i64 = -1;

#[pyclass(
    name = "PrepareProtocol",
    module = "sqlite3",
    doc = "PEP 246 style object adaption protocol type."
)]
pub struct PrepareProtocol {}

#[pymethods]
impl PrepareProtocol {
    #[slot]
    fn __new__(_: &Vm, cls: &Py<Type>, _: Args<'_>) -> Res<Value> {
        Ok(Py::with_class(cls, PrepareProtocol {}).into_value())
    }
}

#[pyclass(
    name = "Connection",
    module = "sqlite3",
    basetype,
    weakref,
    doc = "SQLite database connection object."
)]
pub struct Connection {
    db: Opaque<Mutex<Option<Arc<Db>>>>,
    ready: AtomicBool,
    check: AtomicBool,
    thread: AtomicU64,
    detect: AtomicI64,
    autocommit: AtomicI64,
    isolation: Opaque<Mutex<Option<String>>>,
    row_factory: Slot,
    text_factory: Slot,
    cache: Opaque<Mutex<Vec<Arc<Prepared>>>>,
    cache_size: AtomicUsize,
    /// What SQLite calls. It gets the addresses of these, which are there as long as anything can run: cursors keep their connection.
    authorizer: Slot,
    progress: Slot,
    trace: Slot,
}

type This = Py<Connection>;

/// The text without blanks and comments at its front; `None` if nothing is left.
fn significant(sql: &str) -> Option<&str> {
    let mut rest = sql;
    loop {
        rest = rest.trim_start_matches([' ', '\t', '\x0c', '\n', '\r', '\x0b']);
        if let Some(comment) = rest.strip_prefix("--") {
            rest = comment.split_once('\n')?.1;
        } else if let Some(comment) = rest.strip_prefix("/*") {
            rest = comment.split_once("*/")?.1;
        } else {
            return (!rest.is_empty()).then_some(rest);
        }
    }
}

fn ident() -> u64 {
    // SAFETY: no preconditions.
    unsafe { libc::pthread_self() as u64 }
}

impl Connection {
    pub fn check_thread(&self, vm: &Vm) -> Res<()> {
        if !self.ready.load(Acquire) {
            return Err(programming_error(vm, "Base Connection.__init__ not called."));
        }
        let (made, now) = (self.thread.load(Acquire), ident());
        if self.check.load(Acquire) && made != now {
            return Err(programming_error(
                vm,
                format!(
                    "SQLite objects created in a thread can only be used in that same thread. The object was created in thread id {made} and this is thread id {now}."
                ),
            ));
        }
        Ok(())
    }

    /// The open database.
    pub fn db(&self, vm: &Vm) -> Res<Arc<Db>> {
        let db = lock(&self.db.0).clone();
        match db {
            Some(db) => Ok(db),
            None if !self.ready.load(Acquire) => Err(programming_error(vm, "Base Connection.__init__ not called.")),
            None => Err(programming_error(vm, "Cannot operate on a closed database.")),
        }
    }

    fn checked_db(&self, vm: &Vm) -> Res<Arc<Db>> {
        self.check_thread(vm)?;
        self.db(vm)
    }

    pub fn detect_types(&self) -> i64 {
        self.detect.load(Acquire)
    }

    pub fn text_factory(&self) -> Value {
        self.text_factory.get().unwrap_or_else(|| Str::ty().to_value())
    }

    /// Refuses texts that are longer than the database takes.
    pub fn check_length(&self, vm: &Vm, db: &Arc<Db>, len: usize) -> Res<()> {
        // SAFETY: the database is open.
        let limit = db.run(vm, |ptr| unsafe {
            ffi::sqlite3_limit(ptr, ffi::SQLITE_LIMIT_SQL_LENGTH, -1)
        });
        if i32::try_from(len).is_ok_and(|len| len <= limit) {
            return Ok(());
        }
        Err(error(vm, Class::Data, "query string is too large"))
    }

    /// A statement for a cursor of its own.
    pub fn statement(&self, vm: &Vm, sql: &Py<Str>) -> Res<Arc<Prepared>> {
        let text = match sql.view().to_utf8() {
            Some(text) => text.into_owned(),
            None => {
                vm.call_method(sql.as_value(), intern!("encode"), &[])?;
                String::new()
            }
        };
        let kept = {
            let mut cache = lock(&self.cache.0);
            let at = cache.iter().position(|statement| statement.sql == text);
            at.map(|at| cache.remove(at))
        };
        if let Some(kept) = kept.filter(|kept| !kept.statement.is_empty()) {
            return Ok(kept);
        }
        let db = self.db(vm)?;
        self.check_length(vm, &db, text.len())?;
        let Ok(c_text) = CString::new(text.as_str()) else {
            return Err(programming_error(vm, "the query contains a null character"));
        };
        let result = db.run(vm, |_| -> Result<_, Failure> {
            let (statement, used) = db.prepare(&c_text)?;
            let parameters = statement.parameters();
            Ok((statement, used, parameters))
        });
        let (statement, used, parameters) = result.or_raise(vm)?;
        if text.get(used..).and_then(significant).is_some() {
            return Err(programming_error(vm, "You can only execute one statement at a time."));
        }
        let changes = significant(&text).is_some_and(|sql| {
            ["insert", "update", "delete", "replace"].iter().any(|word| {
                sql.get(..word.len())
                    .is_some_and(|start| start.eq_ignore_ascii_case(word))
            })
        });
        Ok(Arc::new(Prepared {
            statement,
            sql: text,
            changes,
            parameters,
        }))
    }

    /// Keeps a statement that a cursor is done with.
    pub fn put_back(&self, statement: Arc<Prepared>) {
        let size = self.cache_size.load(Acquire);
        let dropped = {
            let mut cache = lock(&self.cache.0);
            if statement.statement.is_empty() || size == 0 {
                vec![statement]
            } else {
                cache.push(statement);
                let over = cache.len().saturating_sub(size);
                cache.drain(..over).collect()
            }
        };
        drop(dropped);
    }

    /// Runs a statement of our own.
    fn run_sql(&self, vm: &Vm, db: &Arc<Db>, sql: &CStr) -> Res<()> {
        let result = db.run(vm, |_| -> Result<(), Failure> {
            let (statement, _) = db.prepare(sql)?;
            match statement.step() {
                Stepped::Failed(failure) => Err(failure),
                _ => Ok(()),
            }
        });
        result.or_raise(vm)
    }

    fn in_transaction(&self, vm: &Vm, db: &Arc<Db>) -> bool {
        // SAFETY: the database is open.
        db.run(vm, |ptr| unsafe { ffi::sqlite3_get_autocommit(ptr) }) == 0
    }

    /// Begins a transaction before a change, where programs do not do so themselves.
    pub fn begin_if_needed(&self, vm: &Vm) -> Res<()> {
        if self.autocommit.load(Acquire) != LEGACY {
            return Ok(());
        }
        let level = lock(&self.isolation.0).clone();
        let Some(level) = level else { return Ok(()) };
        let db = self.db(vm)?;
        if self.in_transaction(vm, &db) {
            return Ok(());
        }
        let sql = CString::new(format!("BEGIN {level}")).unwrap_or_default();
        self.run_sql(vm, &db, &sql)
    }

    pub fn commit_before_script(&self, vm: &Vm) -> Res<()> {
        let db = self.db(vm)?;
        if self.autocommit.load(Acquire) == LEGACY && self.in_transaction(vm, &db) {
            self.run_sql(vm, &db, c"COMMIT")?;
        }
        Ok(())
    }

    /// Ends the transaction, by what `word` says.
    fn end_transaction(&self, vm: &Vm, word: &CStr) -> Res<()> {
        let db = self.checked_db(vm)?;
        match self.autocommit.load(Acquire) {
            LEGACY if self.in_transaction(vm, &db) => self.run_sql(vm, &db, word),
            0 => {
                self.run_sql(vm, &db, word)?;
                self.run_sql(vm, &db, c"BEGIN")
            }
            _ => Ok(()),
        }
    }

    fn close(&self, vm: &Vm) -> Res<()> {
        let Ok(db) = self.db(vm) else { return Ok(()) };
        if db.is_inside() {
            return Err(programming_error(
                vm,
                "Cannot close the connection from within a callback",
            ));
        }
        if self.autocommit.load(Acquire) == 0 && self.in_transaction(vm, &db) {
            self.run_sql(vm, &db, c"ROLLBACK")?;
        }
        let taken = lock(&self.db.0).take();
        if taken.is_none() {
            return Ok(());
        }
        let cached = std::mem::take(&mut *lock(&self.cache.0));
        drop(cached);
        db.run(vm, |ptr| {
            db.close_handles();
            // Callbacks of the connection are let go now, since a statement elsewhere may keep the database.
            // SAFETY: the database is open.
            unsafe {
                ffi::sqlite3_set_authorizer(ptr, None, null_mut());
                ffi::sqlite3_progress_handler(ptr, 0, None, null_mut());
                ffi::sqlite3_trace_v2(ptr, 0, None, null_mut());
            }
        });
        drop(taken);
        vm.detached(|| drop(db));
        self.drop_hooks();
        Ok(())
    }

    fn drop_hooks(&self) {
        drop([&self.authorizer, &self.progress, &self.trace].map(Slot::take));
    }

    /// Lets SQLite know of a hook by `set`, which gets the database and the hook's address, or null for none. What was there before is let
    /// go after that, since it may be any object.
    fn hook(
        vm: &Vm,
        db: &Db,
        slot: &Slot,
        callback: &Value,
        set: impl FnOnce(*mut ffi::sqlite3, *mut c_void) -> c_int,
    ) -> c_int {
        let held = db.take(vm);
        let (new, address) = match callback.is_none() {
            true => (None, null_mut()),
            false => (Some(callback.clone()), std::ptr::from_ref(slot).cast_mut().cast()),
        };
        let old = slot.swap(new);
        let code = set(db.handle(), address);
        drop(held);
        drop(old);
        code
    }
}

fn c_name(vm: &Vm, text: &Py<Str>) -> Res<CString> {
    CString::new(text.to_string_lossy()).map_err(|_| vm.value_error("embedded null character"))
}

fn isolation_level(vm: &Vm, value: &Value) -> Res<Option<String>> {
    if value.is_none() {
        return Ok(None);
    }
    let Some(text) = value.downcast::<Str>() else {
        return Err(vm.type_error("isolation_level must be str or None"));
    };
    let text = text.to_string_lossy();
    if text.contains('\0') {
        return Err(vm.value_error("embedded null character"));
    }
    match ["", "DEFERRED", "IMMEDIATE", "EXCLUSIVE"]
        .iter()
        .find(|level| level.eq_ignore_ascii_case(&text))
    {
        Some(level) => Ok(Some((*level).to_owned())),
        None => Err(vm.value_error("isolation_level string must be '', 'DEFERRED', 'IMMEDIATE', or 'EXCLUSIVE'")),
    }
}

fn autocommit_value(vm: &Vm, value: &Value) -> Res<i64> {
    if value.is_true() || value.is_false() {
        return Ok(i64::from(value.is_true()));
    }
    if vm.int_value(value).is_some_and(|n| n.to_i64() == Some(LEGACY)) {
        return Ok(LEGACY);
    }
    Err(vm.value_error("autocommit must be True, False, or sqlite3.LEGACY_TRANSACTION_CONTROL"))
}

/// What a callback argument gives SQLite: null for `None`.
fn held_or_null(value: &Value) -> *mut c_void {
    if value.is_none() { null_mut() } else { hold(value) }
}

/// Parameters that are going to be positional-only are named.
fn warn_of_keywords(vm: &Vm, args: Args<'_>, method: &str, names: &[&str]) -> Res<()> {
    if !names.iter().any(|name| args.keyword(name).is_some()) {
        return Ok(());
    }
    let quoted: Vec<String> = names.iter().map(|name| format!("'{name}'")).collect();
    let all = match quoted.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => quoted.concat(),
    };
    let s = if names.len() > 1 { "s" } else { "" };
    let message = format!(
        "Passing keyword argument{s} {all} to _sqlite3.Connection.{method}() is deprecated. Parameter{s} {all} will become positional-only in Python 3.15."
    );
    vm.warn(exceptions::DEPRECATION_WARNING.get(), &message, 1)
}

/// Parameters that are going to be keyword-only are given by position.
pub fn warn_of_positions(vm: &Vm, args: Args<'_>, function: &str) -> Res<()> {
    if args.positional().len() <= 1 {
        return Ok(());
    }
    let message = format!(
        "Passing more than 1 positional argument to {function}() is deprecated. Parameters 'timeout', 'detect_types', 'isolation_level', 'check_same_thread', 'factory', 'cached_statements' and 'uri' will become keyword-only parameters in Python 3.15."
    );
    vm.warn(exceptions::DEPRECATION_WARNING.get(), &message, 1)
}

fn text_argument<'a>(vm: &Vm, value: Option<&'a Value>) -> Res<&'a Py<Str>> {
    match value.and_then(|value| value.downcast::<Str>()) {
        Some(text) => Ok(text),
        None => Err(vm.type_error("argument 'name' must be str")),
    }
}

fn int_argument(vm: &Vm, value: Option<&Value>) -> Res<i32> {
    let none = Value::NONE;
    let number = vm.index_to_i64(value.unwrap_or(&none))?;
    i32::try_from(number).map_err(|_| vm.overflow_error("Python int too large to convert to C int"))
}

#[pymethods]
impl Connection {
    #[slot]
    fn __new__(_: &Vm, cls: &Py<Type>, _: Args<'_>) -> Res<Value> {
        let connection = Connection {
            db: Opaque(Mutex::new(None)),
            ready: AtomicBool::new(false),
            check: AtomicBool::new(true),
            thread: AtomicU64::new(0),
            detect: AtomicI64::new(0),
            autocommit: AtomicI64::new(LEGACY),
            isolation: Opaque(Mutex::new(None)),
            row_factory: Slot::new(Value::NONE),
            text_factory: Slot::empty(),
            cache: Opaque(Mutex::new(Vec::new())),
            cache_size: AtomicUsize::new(128),
            authorizer: Slot::empty(),
            progress: Slot::empty(),
            trace: Slot::empty(),
        };
        Ok(Py::with_class(cls, connection).into_value())
    }

    #[slot]
    fn __init__(vm: &Vm, this: &This, args: Args<'_>) -> Res<()> {
        static SIG: Signature = signature!(
            class "Connection(database, timeout=5.0, detect_types=0, isolation_level='', check_same_thread=True, factory=ConnectionType, cached_statements=128, uri=False, *, autocommit=sqlite3.LEGACY_TRANSACTION_CONTROL)"
        );
        warn_of_positions(vm, args, "_sqlite3.Connection")?;
        let [
            database,
            timeout,
            detect,
            isolation_level,
            check,
            _factory,
            cached,
            uri,
            autocommit,
        ] = SIG.bind_array::<9>(vm, args)?;
        let none = Value::NONE;
        let database = database.unwrap_or(&none);
        let timeout = timeout.map(|value| vm.to_f64(value)).transpose()?;
        let detect_types = detect.map(|value| int_argument(vm, Some(value))).transpose()?;
        let check_same_thread = check.map(|value| vm.truth(value)).transpose()?;
        let cached_statements = cached.map(|value| int_argument(vm, Some(value))).transpose()?;
        let uri = uri.map(|value| vm.truth(value)).transpose()?;

        let os = vm.import_module("os")?;
        let name = vm.call_method(&os, intern!("fsencode"), std::slice::from_ref(database))?;
        crate::sys::audit(vm, "sqlite3.connect", std::slice::from_ref(database))?;
        let name = lisle_runtime::types::buffer::get_bytes(vm, &name)?.into_owned();
        let name = CString::new(name).map_err(|_| vm.value_error("embedded null byte"))?;
        let empty = Value::from("");
        let level = self::isolation_level(vm, isolation_level.unwrap_or(&empty))?;
        let autocommit = autocommit.map_or(Ok(LEGACY), |value| autocommit_value(vm, value))?;
        if this.ready.swap(false, AcqRel) {
            // Cursors keep the database they have.
            let old = lock(&this.db.0).take();
            let cached = std::mem::take(&mut *lock(&this.cache.0));
            drop((old, cached));
            this.drop_hooks();
        }
        let timeout = (timeout.unwrap_or(5.0) * 1000.0) as i32;
        let uri = uri.unwrap_or(false);
        let db = vm.detached(|| Db::open(&name, uri, timeout)).or_raise(vm)?;
        this.check.store(check_same_thread.unwrap_or(true), Release);
        this.thread.store(ident(), Release);
        this.detect.store(detect_types.unwrap_or(0).into(), Release);
        this.autocommit.store(autocommit, Release);
        this.cache_size
            .store(cached_statements.unwrap_or(128).max(0) as usize, Release);
        *lock(&this.isolation.0) = level;
        drop(this.row_factory.swap(Some(Value::NONE)));
        drop(this.text_factory.swap(Some(Str::ty().to_value())));
        *lock(&this.db.0) = Some(db.clone());
        this.ready.store(true, Release);
        crate::sys::audit(vm, "sqlite3.connect/handle", &[this.to_value()])?;
        if autocommit == 0 {
            this.run_sql(vm, &db, c"BEGIN")?;
        }
        Ok(())
    }

    #[slot]
    fn __del__(vm: &Vm, this: &This) -> Res<()> {
        if lock(&this.db.0).is_some() {
            let message = format!("unclosed database in {}", vm.repr(this.as_value())?.to_string_lossy());
            vm.warn(exceptions::RESOURCE_WARNING.get(), &message, 1)?;
            Connection::close(this, vm)?;
        }
        Ok(())
    }

    #[slot]
    fn __call__(vm: &Vm, this: &This, args: Args<'_>) -> Res<Value> {
        this.checked_db(vm)?;
        let values = args.no_keywords(vm, "Connection")?;
        let [sql] = values else {
            return Err(vm.type_error(format!("Connection expected 1 argument, got {}", values.len())));
        };
        let Some(sql) = sql.downcast::<Str>() else {
            let found = sql.ty().name();
            return Err(vm.type_error(format!("argument 1 must be str, not {found}")));
        };
        let _prepared = Opaque(this.statement(vm, sql)?);
        Ok(Py::new(StatementObject { _prepared }).into_value())
    }

    #[getter(name = "__text_signature__")]
    fn text_signature(_: &Vm, _: &This) -> &'static str {
        "(sql, /)"
    }

    /// Return a cursor for the connection.
    #[pymethod(sig = "($self, /, factory=CursorType)")]
    fn cursor(vm: &Vm, this: &This, factory: Option<&Value>) -> Res<Value> {
        this.checked_db(vm)?;
        let default = Cursor::ty().to_value();
        let cursor = vm.call(factory.unwrap_or(&default), &[this.to_value()])?;
        if cursor.downcast::<Cursor>().is_none() {
            let found = cursor.ty().name();
            return Err(vm.type_error(format!("factory must return a cursor, not {found}")));
        }
        if let Some(factory) = this.row_factory.get().filter(|factory| !factory.is_none()) {
            vm.setattr(&cursor, intern!("row_factory"), &factory)?;
        }
        Ok(cursor)
    }

    /// Executes an SQL statement.
    #[pymethod(sig = "($self, sql, parameters=(), /)")]
    fn execute(vm: &Vm, this: &This, sql: &Value, parameters: Option<&Value>) -> Res<Value> {
        let cursor = vm.call_method(this.as_value(), intern!("cursor"), &[])?;
        let mut args = vec![sql.clone()];
        args.extend(parameters.cloned());
        vm.call_method(&cursor, intern!("execute"), &args)
    }

    /// Repeatedly executes an SQL statement.
    #[pymethod(sig = "($self, sql, parameters, /)")]
    fn executemany(vm: &Vm, this: &This, sql: &Value, parameters: &Value) -> Res<Value> {
        let cursor = vm.call_method(this.as_value(), intern!("cursor"), &[])?;
        vm.call_method(&cursor, intern!("executemany"), &[sql.clone(), parameters.clone()])
    }

    /// Executes multiple SQL statements at once.
    #[pymethod(sig = "($self, sql_script, /)")]
    fn executescript(vm: &Vm, this: &This, sql_script: &Value) -> Res<Value> {
        let cursor = vm.call_method(this.as_value(), intern!("cursor"), &[])?;
        vm.call_method(&cursor, intern!("executescript"), std::slice::from_ref(sql_script))
    }

    /// Close the database connection.
    ///
    /// Any pending transaction is not committed implicitly.
    #[pymethod(name = "close", sig = "($self, /)")]
    fn close_method(vm: &Vm, this: &This) -> Res<()> {
        this.check_thread(vm)?;
        Connection::close(this, vm)
    }

    /// Commit any pending transaction to the database.
    ///
    /// If there is no open transaction, this method is a no-op.
    #[pymethod(sig = "($self, /)")]
    fn commit(vm: &Vm, this: &This) -> Res<()> {
        this.end_transaction(vm, c"COMMIT")
    }

    /// Roll back to the start of any pending transaction.
    ///
    /// If there is no open transaction, this method is a no-op.
    #[pymethod(sig = "($self, /)")]
    fn rollback(vm: &Vm, this: &This) -> Res<()> {
        this.end_transaction(vm, c"ROLLBACK")
    }

    #[pymethod(sig = "($self, /)")]
    fn __enter__(vm: &Vm, this: &This) -> Res<Value> {
        this.checked_db(vm)?;
        Ok(this.to_value())
    }

    #[pymethod(sig = "($self, type, value, traceback, /)")]
    fn __exit__(vm: &Vm, this: &This, r#type: &Value, _value: &Value, _traceback: &Value) -> Res<bool> {
        let good = r#type.is_none();
        let word = if good { intern!("commit") } else { intern!("rollback") };
        match vm.call_method(this.as_value(), word, &[]) {
            Ok(_) => Ok(false),
            Err(exc) if good => {
                // The commit failed: the transaction must not stay open.
                match vm.call_method(this.as_value(), intern!("rollback"), &[]) {
                    Ok(_) => Err(exc),
                    Err(second) => Err(second.with_context(Some(exc.into_value()))),
                }
            }
            Err(exc) => Err(exc),
        }
    }

    /// Abort any pending database operation.
    #[pymethod(sig = "($self, /)")]
    fn interrupt(vm: &Vm, this: &This) -> Res<()> {
        this.db(vm)?.interrupt();
        Ok(())
    }

    /// Returns iterator to the dump of the database in an SQL text format.
    ///
    ///   filter
    ///     An optional LIKE pattern for database objects to dump
    #[pymethod(sig = "($self, /, *, filter=None)")]
    fn iterdump(vm: &Vm, this: &This, filter: Option<&Value>) -> Res<Value> {
        this.checked_db(vm)?;
        let module = vm.import_module("sqlite3.dump")?;
        let dump = vm.getattr(&module, intern!("_iterdump"))?;
        let kwargs = lisle_runtime::types::dict::Dict::new_empty();
        kwargs.set_str(intern!("filter"), filter.cloned().unwrap_or(Value::NONE));
        vm.call_with_dict(&dump, &[this.to_value()], &kwargs)
    }

    /// Creates a new function.
    #[pymethod]
    fn create_function(vm: &Vm, this: &This, args: Args<'_>) -> Res<()> {
        this.checked_db(vm)?;
        static SIG: Signature = signature!("create_function(name, narg, func, *, deterministic=False)");
        warn_of_keywords(vm, args, "create_function", &["name", "narg", "func"])?;
        let [name, narg, func, deterministic] = SIG.bind_array::<4>(vm, args)?;
        let (name, narg) = (text_argument(vm, name)?, int_argument(vm, narg)?);
        let none = Value::NONE;
        let func = func.unwrap_or(&none);
        let deterministic = deterministic.map(|value| vm.truth(value)).transpose()?;

        let db = this.checked_db(vm)?;
        let name = c_name(vm, name)?;
        let mut flags = ffi::SQLITE_UTF8;
        if deterministic.unwrap_or(false) {
            flags |= ffi::SQLITE_DETERMINISTIC;
        }
        let none = func.is_none();
        let held = held_or_null(func);
        // SAFETY: SQLite releases what it holds by the destructor, after a failure too.
        let code = db.run(vm, |ptr| unsafe {
            let function = (!none).then_some(callbacks::function as unsafe extern "C" fn(_, _, _));
            let destroy = (!none).then_some(release as unsafe extern "C" fn(_));
            ffi::sqlite3_create_function_v2(ptr, name.as_ptr(), narg, flags, held, function, None, None, destroy)
        });
        if code != ffi::SQLITE_OK {
            return Err(error(vm, Class::Operational, "Error creating function"));
        }
        Ok(())
    }

    /// Creates a new aggregate.
    #[pymethod]
    fn create_aggregate(vm: &Vm, this: &This, args: Args<'_>) -> Res<()> {
        this.checked_db(vm)?;
        static SIG: Signature = signature!("create_aggregate(name, n_arg, aggregate_class)");
        warn_of_keywords(vm, args, "create_aggregate", &["name", "n_arg", "aggregate_class"])?;
        let [name, n_arg, aggregate_class] = SIG.bind_array::<3>(vm, args)?;
        let (name, n_arg) = (text_argument(vm, name)?, int_argument(vm, n_arg)?);
        let none = Value::NONE;
        let aggregate_class = aggregate_class.unwrap_or(&none);

        let db = this.checked_db(vm)?;
        let name = c_name(vm, name)?;
        let none = aggregate_class.is_none();
        let held = held_or_null(aggregate_class);
        // SAFETY: as above.
        let code = db.run(vm, |ptr| unsafe {
            let step = (!none).then_some(callbacks::step as unsafe extern "C" fn(_, _, _));
            let finalize = (!none).then_some(callbacks::finalize as unsafe extern "C" fn(_));
            let destroy = (!none).then_some(release as unsafe extern "C" fn(_));
            let utf8 = ffi::SQLITE_UTF8;
            ffi::sqlite3_create_function_v2(ptr, name.as_ptr(), n_arg, utf8, held, None, step, finalize, destroy)
        });
        if code != ffi::SQLITE_OK {
            return Err(error(vm, Class::Operational, "Error creating aggregate"));
        }
        Ok(())
    }

    /// Creates or redefines an aggregate window function. Non-standard.
    ///
    ///   name
    ///     The name of the SQL aggregate window function to be created or
    ///     redefined.
    ///   num_params
    ///     The number of arguments the step and inverse methods takes.
    ///   aggregate_class
    ///     A class with step(), finalize(), value(), and inverse() methods.
    ///     Set to None to clear the window function.
    #[pymethod(sig = "($self, name, num_params, aggregate_class, /)")]
    fn create_window_function(
        vm: &Vm,
        this: &This,
        name: &Py<Str>,
        num_params: i32,
        aggregate_class: &Value,
    ) -> Res<()> {
        let db = this.checked_db(vm)?;
        let name = c_name(vm, name)?;
        let none = aggregate_class.is_none();
        let held = held_or_null(aggregate_class);
        // SAFETY: as above.
        let result = db.run(vm, |ptr| unsafe {
            let utf8 = ffi::SQLITE_UTF8;
            let code = if none {
                ffi::sqlite3_create_window_function(
                    ptr,
                    name.as_ptr(),
                    num_params,
                    utf8,
                    held,
                    None,
                    None,
                    None,
                    None,
                    None,
                )
            } else {
                ffi::sqlite3_create_window_function(
                    ptr,
                    name.as_ptr(),
                    num_params,
                    utf8,
                    held,
                    Some(callbacks::step),
                    Some(callbacks::finalize),
                    Some(callbacks::window_value),
                    Some(callbacks::inverse),
                    Some(release),
                )
            };
            db.check(code)
        });
        result.map_err(|failure| error(vm, Class::Programming, failure.message))
    }

    /// Creates a collation function.
    #[pymethod(sig = "($self, name, callback, /)")]
    fn create_collation(vm: &Vm, this: &This, name: &Py<Str>, callback: &Value) -> Res<()> {
        let db = this.checked_db(vm)?;
        let text = name.view().to_utf8().map(|text| text.into_owned());
        let Some(text) = text else {
            vm.call_method(name.as_value(), intern!("encode"), &[])?;
            return Ok(());
        };
        let name = CString::new(text).map_err(|_| vm.value_error("embedded null character"))?;
        let none = callback.is_none();
        if !none && !vm.is_callable(callback) {
            return Err(vm.type_error("parameter must be callable"));
        }
        let held = held_or_null(callback);
        // SAFETY: as above, but after a failure nothing was released.
        let result = db.run(vm, |ptr| unsafe {
            let utf8 = ffi::SQLITE_UTF8;
            let code = if none {
                ffi::sqlite3_create_collation_v2(ptr, name.as_ptr(), utf8, null_mut(), None, None)
            } else {
                ffi::sqlite3_create_collation_v2(
                    ptr,
                    name.as_ptr(),
                    utf8,
                    held,
                    Some(callbacks::collate),
                    Some(release),
                )
            };
            if code != ffi::SQLITE_OK && !none {
                release(held);
            }
            db.check(code)
        });
        result.or_raise(vm)
    }

    /// Set authorizer callback.
    #[pymethod]
    fn set_authorizer(vm: &Vm, this: &This, args: Args<'_>) -> Res<()> {
        this.checked_db(vm)?;
        static SIG: Signature = signature!("set_authorizer(authorizer_callback)");
        warn_of_keywords(vm, args, "set_authorizer", &["authorizer_callback"])?;
        let [callback] = SIG.bind_array::<1>(vm, args)?;
        let none = Value::NONE;
        let authorizer_callback = callback.unwrap_or(&none);

        let db = this.checked_db(vm)?;
        // SAFETY: the database is open and locked; the address stays.
        let code = Connection::hook(vm, &db, &this.authorizer, authorizer_callback, |ptr, slot| unsafe {
            let hook = callbacks::authorize as unsafe extern "C" fn(_, _, _, _, _, _) -> _;
            ffi::sqlite3_set_authorizer(ptr, (!slot.is_null()).then_some(hook), slot)
        });
        if code != ffi::SQLITE_OK {
            return Err(error(vm, Class::Operational, "Error setting authorizer callback"));
        }
        Ok(())
    }

    /// Set progress handler callback.
    ///
    ///   progress_handler
    ///     A callable that takes no arguments.
    ///     If the callable returns non-zero, the current query is terminated,
    ///     and an exception is raised.
    ///   n
    ///     The number of SQLite virtual machine instructions that are
    ///     executed between invocations of 'progress_handler'.
    ///
    /// If 'progress_handler' is None or 'n' is 0, the progress handler is disabled.
    #[pymethod]
    fn set_progress_handler(vm: &Vm, this: &This, args: Args<'_>) -> Res<()> {
        this.checked_db(vm)?;
        static SIG: Signature = signature!("set_progress_handler(progress_handler, n)");
        warn_of_keywords(vm, args, "set_progress_handler", &["progress_handler"])?;
        let [handler, n] = SIG.bind_array::<2>(vm, args)?;
        let n = int_argument(vm, n)?;
        let none = Value::NONE;
        let progress_handler = handler.unwrap_or(&none);

        let db = this.checked_db(vm)?;
        // SAFETY: as above.
        Connection::hook(vm, &db, &this.progress, progress_handler, |ptr, slot| unsafe {
            let hook = callbacks::progress as unsafe extern "C" fn(_) -> _;
            let n = if slot.is_null() { 0 } else { n };
            ffi::sqlite3_progress_handler(ptr, n, (!slot.is_null()).then_some(hook), slot);
            ffi::SQLITE_OK
        });
        Ok(())
    }

    /// Set a trace callback called for each SQL statement (passed as unicode).
    #[pymethod]
    fn set_trace_callback(vm: &Vm, this: &This, args: Args<'_>) -> Res<()> {
        this.checked_db(vm)?;
        static SIG: Signature = signature!("set_trace_callback(trace_callback)");
        warn_of_keywords(vm, args, "set_trace_callback", &["trace_callback"])?;
        let [callback] = SIG.bind_array::<1>(vm, args)?;
        let none = Value::NONE;
        let trace_callback = callback.unwrap_or(&none);

        let db = this.checked_db(vm)?;
        // SAFETY: as above.
        Connection::hook(vm, &db, &this.trace, trace_callback, |ptr, slot| unsafe {
            let hook = callbacks::trace as unsafe extern "C" fn(_, _, _, _) -> _;
            let mask = if slot.is_null() { 0 } else { ffi::SQLITE_TRACE_STMT };
            ffi::sqlite3_trace_v2(ptr, mask, (!slot.is_null()).then_some(hook), slot)
        });
        Ok(())
    }

    /// Set connection run-time limits.
    ///
    ///   category
    ///     The limit category to be set.
    ///   limit
    ///     The new limit. If the new limit is a negative number, the limit is
    ///     unchanged.
    ///
    /// Attempts to increase a limit above its hard upper bound are silently truncated
    /// to the hard upper bound. Regardless of whether or not the limit was changed,
    /// the prior value of the limit is returned.
    #[pymethod(sig = "($self, category, limit, /)")]
    fn setlimit(vm: &Vm, this: &This, category: i32, limit: i32) -> Res<i32> {
        let db = this.checked_db(vm)?;
        // SAFETY: the database is open.
        let old = db.run(vm, |ptr| unsafe { ffi::sqlite3_limit(ptr, category, limit) });
        if old < 0 {
            return Err(programming_error(vm, "'category' is out of bounds"));
        }
        Ok(old)
    }

    /// Get connection run-time limits.
    ///
    ///   category
    ///     The limit category to be queried.
    #[pymethod(sig = "($self, category, /)")]
    fn getlimit(vm: &Vm, this: &This, category: i32) -> Res<i32> {
        Connection::setlimit(vm, this, category, -1)
    }

    /// Set a boolean connection configuration option.
    ///
    ///   op
    ///     The configuration verb; one of the sqlite3.SQLITE_DBCONFIG codes.
    #[pymethod(sig = "($self, op, enable=True, /)")]
    fn setconfig(vm: &Vm, this: &This, op: i32, enable: Option<bool>) -> Res<()> {
        let db = this.checked_db(vm)?;
        check_config(vm, op)?;
        let wanted = c_int::from(enable.unwrap_or(true));
        // SAFETY: these options take an int and a pointer to one.
        let result = db.run(vm, |ptr| unsafe {
            let mut now: c_int = 0;
            db.check(ffi::sqlite3_db_config(ptr, op, wanted, &raw mut now))
                .map(|()| now)
        });
        if result.or_raise(vm)? != wanted {
            return Err(error(vm, Class::Operational, "Unable to set config"));
        }
        Ok(())
    }

    /// Query a boolean connection configuration option.
    ///
    ///   op
    ///     The configuration verb; one of the sqlite3.SQLITE_DBCONFIG codes.
    #[pymethod(sig = "($self, op, /)")]
    fn getconfig(vm: &Vm, this: &This, op: i32) -> Res<bool> {
        let db = this.checked_db(vm)?;
        check_config(vm, op)?;
        // SAFETY: as above.
        let result = db.run(vm, |ptr| unsafe {
            let mut now: c_int = 0;
            db.check(ffi::sqlite3_db_config(ptr, op, -1 as c_int, &raw mut now))
                .map(|()| now)
        });
        Ok(result.or_raise(vm)? != 0)
    }

    /// Serialize a database into a byte string.
    ///
    ///   name
    ///     Which database to serialize.
    ///
    /// For an ordinary on-disk database file, the serialization is just a copy of the
    /// disk file. For an in-memory database or a "temp" database, the serialization is
    /// the same sequence of bytes which would be written to disk if that database
    /// were backed up to disk.
    #[pymethod(sig = "($self, /, *, name='main')")]
    fn serialize(vm: &Vm, this: &This, name: Option<&Py<Str>>) -> Res<Value> {
        let db = this.checked_db(vm)?;
        let name = name.map_or_else(|| Ok(c"main".to_owned()), |name| c_name(vm, name))?;
        // SAFETY: what SQLite allocates is copied and freed.
        let data = db.run(vm, |ptr| unsafe {
            let mut size: ffi::sqlite3_int64 = 0;
            let data = ffi::sqlite3_serialize(ptr, name.as_ptr(), &mut size, 0);
            if data.is_null() {
                return None;
            }
            let copy = room::copied(std::slice::from_raw_parts(data, size as usize));
            ffi::sqlite3_free(data.cast());
            Some(copy)
        });
        match data {
            Some(data) => Ok(Bytes::new_value(data?)),
            None => {
                let name = name.to_string_lossy();
                Err(error(vm, Class::Operational, format!("unable to serialize '{name}'")))
            }
        }
    }

    /// Load a serialized database.
    ///
    ///   data
    ///     The serialized database content.
    ///   name
    ///     Which database to reopen with the deserialization.
    ///
    /// The deserialize interface causes the database connection to disconnect from the
    /// target database, and then reopen it as an in-memory database based on the given
    /// serialized data.
    #[pymethod(sig = "($self, data, /, *, name='main')")]
    fn deserialize(vm: &Vm, this: &This, data: Readable<'_>, name: Option<&Py<Str>>) -> Res<()> {
        let db = this.checked_db(vm)?;
        let name = name.map_or_else(|| Ok(c"main".to_owned()), |name| c_name(vm, name))?;
        let data = &data.0;
        let size = data.len();
        // SAFETY: SQLite takes over the memory, which is its own.
        let result = db.run(vm, |ptr| unsafe {
            let copy = ffi::sqlite3_malloc64(size.max(1) as u64).cast::<u8>();
            if copy.is_null() {
                return None;
            }
            std::ptr::copy_nonoverlapping(data.as_ptr(), copy, size);
            let flags = ffi::SQLITE_DESERIALIZE_FREEONCLOSE | ffi::SQLITE_DESERIALIZE_RESIZEABLE;
            let code = ffi::sqlite3_deserialize(ptr, name.as_ptr(), copy, size as i64, size as i64, flags as _);
            Some(db.check(code))
        });
        match result {
            Some(result) => result.or_raise(vm),
            None => Err(vm.memory_error()),
        }
    }

    /// Open and return a BLOB object.
    ///
    ///   table
    ///     Table name.
    ///   column
    ///     Column name.
    ///   row
    ///     Row index.
    ///   readonly
    ///     Open the BLOB without write permissions.
    ///   name
    ///     Database name.
    #[pymethod(sig = "($self, table, column, row, /, *, readonly=False, name='main')")]
    fn blobopen(
        vm: &Vm,
        this: &This,
        table: &Py<Str>,
        column: &Py<Str>,
        row: i64,
        readonly: Option<bool>,
        name: Option<&Py<Str>>,
    ) -> Res<Value> {
        let db = this.checked_db(vm)?;
        let name = name.map_or_else(|| Ok(c"main".to_owned()), |name| c_name(vm, name))?;
        let (table, column) = (c_name(vm, table)?, c_name(vm, column)?);
        let write = !readonly.unwrap_or(false);
        let names = [name.as_c_str(), table.as_c_str(), column.as_c_str()];
        let handle = db.run(vm, |ptr| BlobHandle::open(&db, ptr, names, row, write));
        Ok(blob::new(this, handle.or_raise(vm)?))
    }

    /// Makes a backup of the database.
    #[pymethod(sig = "($self, /, target, *, pages=-1, progress=None, name='main', sleep=0.25)")]
    fn backup(
        vm: &Vm,
        this: &This,
        target: &Py<Connection>,
        pages: Option<i32>,
        progress: Option<&Value>,
        name: Option<&Py<Str>>,
        sleep: Option<f64>,
    ) -> Res<()> {
        let db = this.checked_db(vm)?;
        let other = target.checked_db(vm)?;
        if this.is(target) {
            return Err(vm.value_error("target cannot be the same connection instance"));
        }
        let progress = progress.filter(|progress| !progress.is_none());
        if progress.is_some_and(|progress| !vm.is_callable(progress)) {
            return Err(vm.type_error("progress argument must be a callable"));
        }
        let name = name.map_or_else(|| Ok(c"main".to_owned()), |name| c_name(vm, name))?;
        let pages = pages.filter(|pages| *pages != 0).unwrap_or(-1);
        let pause = std::time::Duration::try_from_secs_f64(sleep.unwrap_or(0.25)).unwrap_or_default();
        let (from, to) = (db.handle(), other.handle());
        let start = both(vm, &db, &other, || {
            // SAFETY: both databases are open, and their locks are held.
            let ptr = unsafe { ffi::sqlite3_backup_init(to, c"main".as_ptr(), from, name.as_ptr()) };
            if ptr.is_null() {
                Err(other.failure(ffi::SQLITE_OK))
            } else {
                Ok(ptr)
            }
        });
        let backup = start.or_raise(vm)?;
        let mut raised = None;
        let last = loop {
            // SAFETY: the copy is not finished.
            let (code, left, all) = both(vm, &db, &other, || unsafe {
                let code = ffi::sqlite3_backup_step(backup, pages);
                let counts = (
                    ffi::sqlite3_backup_remaining(backup),
                    ffi::sqlite3_backup_pagecount(backup),
                );
                (code, counts.0, counts.1)
            });
            if let Some(progress) = progress {
                let args = [Value::int(code.into()), Value::int(left.into()), Value::int(all.into())];
                if let Err(exc) = vm.call(progress, &args) {
                    raised = Some(exc);
                    break code;
                }
            }
            match code {
                ffi::SQLITE_OK => {}
                ffi::SQLITE_BUSY | ffi::SQLITE_LOCKED => vm.detached(|| std::thread::sleep(pause)),
                code => break code,
            }
            if let Err(exc) = vm.safepoint() {
                raised = Some(exc);
                break code;
            }
        };
        // SAFETY: the copy is finished here and not used again.
        let failure = both(vm, &db, &other, || unsafe {
            let code = ffi::sqlite3_backup_finish(backup);
            (code != ffi::SQLITE_OK).then(|| other.failure(code))
        });
        match (raised, failure) {
            (Some(exc), _) => Err(exc),
            (None, Some(failure)) => Err(super::raised(vm, &failure)),
            (None, None) if last != ffi::SQLITE_DONE => Err(error(vm, Class::Operational, "backup failed")),
            _ => Ok(()),
        }
    }

    #[getter]
    fn isolation_level(vm: &Vm, this: &This) -> Res<Option<String>> {
        this.db(vm)?;
        Ok(lock(&this.isolation.0).clone())
    }

    #[setter(name = "isolation_level")]
    fn set_isolation_level(vm: &Vm, this: &This, value: Option<&Value>) -> Res<()> {
        let Some(value) = value else {
            return Err(vm.attribute_error("cannot delete attribute"));
        };
        let level = self::isolation_level(vm, value)?;
        let none = level.is_none();
        *lock(&this.isolation.0) = level;
        if none {
            let db = this.checked_db(vm)?;
            if this.in_transaction(vm, &db) {
                this.run_sql(vm, &db, c"COMMIT")?;
            }
        }
        Ok(())
    }

    #[getter]
    fn total_changes(vm: &Vm, this: &This) -> Res<i64> {
        let db = this.db(vm)?;
        // SAFETY: the database is open.
        Ok(db.run(vm, |ptr| unsafe { ffi::sqlite3_total_changes64(ptr) }))
    }

    #[getter(name = "in_transaction")]
    fn get_in_transaction(vm: &Vm, this: &This) -> Res<bool> {
        let db = this.db(vm)?;
        Ok(this.in_transaction(vm, &db))
    }

    #[getter]
    fn autocommit(vm: &Vm, this: &This) -> Res<Value> {
        this.checked_db(vm)?;
        Ok(match this.autocommit.load(Acquire) {
            0 => Value::FALSE,
            1 => Value::TRUE,
            other => Value::int(other),
        })
    }

    #[setter(name = "autocommit")]
    fn set_autocommit(vm: &Vm, this: &This, value: Option<&Value>) -> Res<()> {
        let db = this.checked_db(vm)?;
        let Some(value) = value else {
            return Err(vm.attribute_error("cannot delete attribute"));
        };
        let wanted = autocommit_value(vm, value)?;
        let inside = this.in_transaction(vm, &db);
        match wanted {
            1 if inside => this.run_sql(vm, &db, c"COMMIT")?,
            0 if !inside => this.run_sql(vm, &db, c"BEGIN")?,
            _ => {}
        }
        this.autocommit.store(wanted, Release);
        Ok(())
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

    #[getter(name = "text_factory")]
    fn get_text_factory(_: &Vm, this: &This) -> Value {
        this.text_factory()
    }

    #[setter(name = "text_factory")]
    fn set_text_factory(_: &Vm, this: &This, value: Option<&Value>) -> Res<()> {
        drop(this.text_factory.swap(value.cloned()));
        Ok(())
    }

    #[classattr(name = "Warning")]
    fn warning(vm: &Vm) -> Res<Value> {
        Ok(super::class(vm, Class::Warning)?.to_value())
    }

    #[classattr(name = "Error")]
    fn error(vm: &Vm) -> Res<Value> {
        Ok(super::class(vm, Class::Error)?.to_value())
    }

    #[classattr(name = "InterfaceError")]
    fn interface_error(vm: &Vm) -> Res<Value> {
        Ok(super::class(vm, Class::Interface)?.to_value())
    }

    #[classattr(name = "DatabaseError")]
    fn database_error(vm: &Vm) -> Res<Value> {
        Ok(super::class(vm, Class::Database)?.to_value())
    }

    #[classattr(name = "InternalError")]
    fn internal_error(vm: &Vm) -> Res<Value> {
        Ok(super::class(vm, Class::Internal)?.to_value())
    }

    #[classattr(name = "OperationalError")]
    fn operational_error(vm: &Vm) -> Res<Value> {
        Ok(super::class(vm, Class::Operational)?.to_value())
    }

    #[classattr(name = "ProgrammingError")]
    fn programming_error(vm: &Vm) -> Res<Value> {
        Ok(super::class(vm, Class::Programming)?.to_value())
    }

    #[classattr(name = "IntegrityError")]
    fn integrity_error(vm: &Vm) -> Res<Value> {
        Ok(super::class(vm, Class::Integrity)?.to_value())
    }

    #[classattr(name = "DataError")]
    fn data_error(vm: &Vm) -> Res<Value> {
        Ok(super::class(vm, Class::Data)?.to_value())
    }

    #[classattr(name = "NotSupportedError")]
    fn not_supported_error(vm: &Vm) -> Res<Value> {
        Ok(super::class(vm, Class::NotSupported)?.to_value())
    }
}

fn check_config(vm: &Vm, op: i32) -> Res<()> {
    if (ffi::SQLITE_DBCONFIG_ENABLE_FKEY..=ffi::SQLITE_DBCONFIG_TRUSTED_SCHEMA).contains(&op) {
        return Ok(());
    }
    Err(vm.value_error(format!("unknown config 'op': {op}")))
}

/// Runs `f` detached, under the locks of two databases, taken in the order of their addresses.
fn both<R>(vm: &Vm, a: &Arc<Db>, b: &Arc<Db>, f: impl FnOnce() -> R) -> R {
    let (first, second) = if Arc::as_ptr(a) < Arc::as_ptr(b) {
        (a, b)
    } else {
        (b, a)
    };
    let _first = first.take(vm);
    let _second = second.take(vm);
    vm.detached(f)
}
