//! Handles of SQLite: databases, statements, values.
//!
//! Invariant: whoever calls SQLite for a database holds its [`Lock`], a lock of our own that its thread may take again (functions written in
//! Python run inside) and that is waited for detached; SQLite's mutexes are therefore never waited for. A handle that is dropped while
//! another thread holds the lock is left to that thread.

use std::ffi::{CStr, c_char, c_int, c_void};
use std::ptr::null_mut;
use std::sync::atomic::{AtomicPtr, AtomicU32, AtomicU64, Ordering::*};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use libsqlite3_sys as ffi;
use lisle_runtime::memory::room::{self, NoMemory};
use lisle_runtime::native::{Res, Vm};

unsafe extern "C" {
    // Missing in the bindings.
    fn sqlite3_close_v2(db: *mut ffi::sqlite3) -> c_int;
}

/// Locks data that is held for moments only, never over Python code.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn thread_id() -> u64 {
    // SAFETY: no preconditions.
    unsafe { libc::pthread_self() as u64 }
}

/// See the module.
#[derive(Default)]
struct Lock {
    owner: AtomicU64,
    depth: AtomicU32,
}

impl Lock {
    fn try_take(&self) -> bool {
        let me = thread_id();
        if self.owner.load(Acquire) != me && self.owner.compare_exchange(0, me, AcqRel, Relaxed).is_err() {
            return false;
        }
        self.depth.fetch_add(1, Relaxed);
        true
    }

    fn give(&self) {
        if self.depth.fetch_sub(1, Relaxed) == 1 {
            self.owner.store(0, Release);
        }
    }
}

/// A database.
pub struct Db {
    ptr: *mut ffi::sqlite3,
    lock: Lock,
    statements: Mutex<Vec<Weak<Statement>>>,
    blobs: Mutex<Vec<Weak<BlobHandle>>>,
    /// Handles to be closed by whoever holds the lock.
    dropped: Mutex<Vec<Dropped>>,
}

enum Dropped {
    Statement(*mut ffi::sqlite3_stmt),
    Blob(*mut ffi::sqlite3_blob),
}

impl Dropped {
    fn close(&self) {
        // SAFETY: the handle is owned by nobody else.
        unsafe {
            match self {
                Dropped::Statement(ptr) => ffi::sqlite3_finalize(*ptr),
                Dropped::Blob(ptr) => ffi::sqlite3_blob_close(*ptr),
            };
        }
    }
}

// SAFETY: the pointers are used under the lock only.
unsafe impl Send for Db {}
// SAFETY: as above.
unsafe impl Sync for Db {}

impl Drop for Db {
    fn drop(&mut self) {
        for dropped in lock(&self.dropped).drain(..) {
            dropped.close();
        }
        // SAFETY: the handle is owned; SQLite waits for statements that are left.
        unsafe { sqlite3_close_v2(self.ptr) };
    }
}

/// The lock, held.
pub struct Held<'a>(&'a Db);

impl Drop for Held<'_> {
    fn drop(&mut self) {
        let dropped = std::mem::take(&mut *lock(&self.0.dropped));
        for handle in dropped {
            handle.close();
        }
        self.0.lock.give();
    }
}

/// A code and message of SQLite.
pub struct Failure {
    pub code: i32,
    pub extended: i32,
    pub message: String,
}

fn text(ptr: *const c_char) -> String {
    if ptr.is_null() {
        return String::new();
    }
    // SAFETY: SQLite's texts end with zero; the lock is held, so that it stays.
    unsafe { CStr::from_ptr(ptr) }.to_string_lossy().into_owned()
}

impl Db {
    /// Opens a database. The call may block.
    pub fn open(name: &CStr, uri: bool, timeout_ms: i32) -> Result<Arc<Db>, Failure> {
        let mut ptr = null_mut();
        let mut flags = ffi::SQLITE_OPEN_READWRITE | ffi::SQLITE_OPEN_CREATE;
        if uri {
            flags |= ffi::SQLITE_OPEN_URI;
        }
        // SAFETY: the name outlives the call, and the pointer is written.
        let code = unsafe { ffi::sqlite3_open_v2(name.as_ptr(), &mut ptr, flags, std::ptr::null()) };
        if ptr.is_null() {
            return Err(Failure {
                code: ffi::SQLITE_NOMEM,
                extended: ffi::SQLITE_NOMEM,
                message: String::new(),
            });
        }
        let db = Db {
            ptr,
            lock: Lock::default(),
            statements: Mutex::default(),
            blobs: Mutex::default(),
            dropped: Mutex::default(),
        };
        if code != ffi::SQLITE_OK {
            return Err(db.failure(code));
        }
        // SAFETY: the handle is open. Foreign keys are off by default, as in other builds of the library.
        unsafe {
            ffi::sqlite3_busy_timeout(ptr, timeout_ms);
            ffi::sqlite3_db_config(ptr, ffi::SQLITE_DBCONFIG_ENABLE_FKEY, 0 as c_int, null_mut::<c_int>());
        }
        Ok(Arc::new(db))
    }

    /// Takes the lock, waiting detached.
    pub fn take(&self, vm: &Vm) -> Held<'_> {
        let mut tries = 0_u64;
        while !self.lock.try_take() {
            crate::exclusive::back_off(vm, tries);
            tries += 1;
        }
        Held(self)
    }

    /// The handle, for calls that are made under the lock.
    pub fn handle(&self) -> *mut ffi::sqlite3 {
        self.ptr
    }

    /// Runs `f` detached, under the lock.
    pub fn run<R>(&self, vm: &Vm, f: impl FnOnce(*mut ffi::sqlite3) -> R) -> R {
        let _held = self.take(vm);
        vm.detached(|| f(self.ptr))
    }

    /// Whether this thread is inside of a call of SQLite.
    pub fn is_inside(&self) -> bool {
        self.lock.owner.load(Acquire) == thread_id()
    }

    /// Stops what runs. Needs no lock: SQLite allows it at any time while the database is open.
    pub fn interrupt(&self) {
        // SAFETY: the handle is open as long as `self` lives.
        unsafe { ffi::sqlite3_interrupt(self.ptr) };
    }

    /// What is wrong, under the lock.
    pub fn failure(&self, code: i32) -> Failure {
        // SAFETY: the handle is open.
        unsafe {
            let extended = ffi::sqlite3_extended_errcode(self.ptr);
            let (code, extended) = if code == ffi::SQLITE_OK || extended & 0xFF == code & 0xFF {
                (extended & 0xFF, extended)
            } else {
                (code & 0xFF, code)
            };
            let message = if code == extended & 0xFF && ffi::sqlite3_errcode(self.ptr) & 0xFF == code {
                text(ffi::sqlite3_errmsg(self.ptr))
            } else {
                text(ffi::sqlite3_errstr(code))
            };
            Failure {
                code,
                extended,
                message,
            }
        }
    }

    /// The code as a result.
    pub fn check(&self, code: i32) -> Result<(), Failure> {
        if code == ffi::SQLITE_OK {
            Ok(())
        } else {
            Err(self.failure(code))
        }
    }

    /// Compiles a statement: that, and how much of the text it is.
    pub fn prepare(self: &Arc<Db>, sql: &CStr) -> Result<(Arc<Statement>, usize), Failure> {
        let mut ptr = null_mut();
        let mut tail = std::ptr::null();
        // SAFETY: the text outlives the call, and the pointers are written.
        let code = unsafe {
            let len = i32::try_from(sql.to_bytes_with_nul().len()).unwrap_or(i32::MAX);
            ffi::sqlite3_prepare_v2(self.ptr, sql.as_ptr(), len, &mut ptr, &mut tail)
        };
        self.check(code)?;
        let used = (tail as usize).saturating_sub(sql.as_ptr() as usize);
        let statement = Arc::new(Statement {
            ptr: AtomicPtr::new(ptr),
            db: self.clone(),
        });
        let mut known = lock(&self.statements);
        if known.len() > 64 && known.len().is_power_of_two() {
            known.retain(|statement| statement.strong_count() > 0);
        }
        known.push(Arc::downgrade(&statement));
        Ok((statement, used))
    }

    pub fn keep_blob(&self, blob: &Arc<BlobHandle>) {
        let mut known = lock(&self.blobs);
        known.retain(|blob| blob.strong_count() > 0);
        known.push(Arc::downgrade(blob));
    }

    /// Closes statements and blobs, under the lock.
    pub fn close_handles(&self) {
        for blob in lock(&self.blobs).drain(..).filter_map(|blob| blob.upgrade()) {
            blob.close();
        }
        for statement in lock(&self.statements).drain(..).filter_map(|s| s.upgrade()) {
            let ptr = statement.ptr.swap(null_mut(), AcqRel);
            Dropped::Statement(ptr).close();
        }
    }
}

/// A value of a row or of a parameter.
pub enum Cell {
    Null,
    Int(i64),
    Float(f64),
    Text(Vec<u8>),
    Blob(Vec<u8>),
}

/// A compiled statement; of an empty text, or when its database was closed, it is nothing.
pub struct Statement {
    ptr: AtomicPtr<ffi::sqlite3_stmt>,
    pub db: Arc<Db>,
}

impl Drop for Statement {
    fn drop(&mut self) {
        let ptr = self.ptr.swap(null_mut(), AcqRel);
        if ptr.is_null() {
            return;
        }
        lock(&self.db.dropped).push(Dropped::Statement(ptr));
        if self.db.lock.try_take() {
            drop(Held(&self.db));
        }
    }
}

/// What a step led to.
pub enum Stepped {
    Row,
    Done,
    Failed(Failure),
}

/// All of these are to be called under the database's lock.
impl Statement {
    fn ptr(&self) -> *mut ffi::sqlite3_stmt {
        self.ptr.load(Acquire)
    }

    pub fn is_empty(&self) -> bool {
        self.ptr().is_null()
    }

    pub fn step(&self) -> Stepped {
        let ptr = self.ptr();
        if ptr.is_null() {
            return Stepped::Done;
        }
        // SAFETY: the statement is open, and the lock is held.
        match unsafe { ffi::sqlite3_step(ptr) } {
            ffi::SQLITE_ROW => Stepped::Row,
            ffi::SQLITE_DONE => Stepped::Done,
            code => Stepped::Failed(self.db.failure(code)),
        }
    }

    pub fn reset(&self) {
        let ptr = self.ptr();
        if !ptr.is_null() {
            // SAFETY: as above.
            unsafe { ffi::sqlite3_reset(ptr) };
        }
    }

    /// The names of the parameters, as far as they have some.
    pub fn parameters(&self) -> Vec<Option<String>> {
        let ptr = self.ptr();
        if ptr.is_null() {
            return Vec::new();
        }
        // SAFETY: as above.
        unsafe {
            let count = ffi::sqlite3_bind_parameter_count(ptr);
            (1..=count)
                .map(|n| {
                    let name = ffi::sqlite3_bind_parameter_name(ptr, n);
                    (!name.is_null()).then(|| text(name))
                })
                .collect()
        }
    }

    pub fn bind(&self, number: usize, value: &Cell) -> Result<(), Failure> {
        let ptr = self.ptr();
        if ptr.is_null() {
            return Ok(());
        }
        let n = number as c_int;
        let transient = ffi::SQLITE_TRANSIENT();
        // SAFETY: the statement is open; SQLite copies texts and blobs.
        let code = unsafe {
            match value {
                Cell::Null => ffi::sqlite3_bind_null(ptr, n),
                Cell::Int(value) => ffi::sqlite3_bind_int64(ptr, n, *value),
                Cell::Float(value) => ffi::sqlite3_bind_double(ptr, n, *value),
                Cell::Text(text) => {
                    let utf8 = ffi::SQLITE_UTF8 as u8;
                    ffi::sqlite3_bind_text64(ptr, n, text.as_ptr().cast(), text.len() as u64, transient, utf8)
                }
                Cell::Blob(blob) if blob.is_empty() => ffi::sqlite3_bind_zeroblob(ptr, n, 0),
                Cell::Blob(blob) => {
                    ffi::sqlite3_bind_blob64(ptr, n, blob.as_ptr().cast(), blob.len() as u64, transient)
                }
            }
        };
        self.db.check(code)
    }

    /// Names and declared types of the columns.
    pub fn columns(&self) -> Vec<(String, Option<String>)> {
        let ptr = self.ptr();
        if ptr.is_null() {
            return Vec::new();
        }
        // SAFETY: as above.
        unsafe {
            let count = ffi::sqlite3_column_count(ptr);
            (0..count)
                .map(|n| {
                    let declared = ffi::sqlite3_column_decltype(ptr, n);
                    let declared = (!declared.is_null()).then(|| text(declared));
                    (text(ffi::sqlite3_column_name(ptr, n)), declared)
                })
                .collect()
        }
    }

    /// The values of the row; columns that `raw` names are given as bytes whatever they are.
    ///
    /// # Errors
    /// If there is no memory for a copy of them.
    pub fn row(&self, raw: &[bool]) -> Result<Vec<Cell>, NoMemory> {
        let ptr = self.ptr();
        if ptr.is_null() {
            return Ok(Vec::new());
        }
        // SAFETY: as above; a row is there.
        unsafe {
            let count = ffi::sqlite3_data_count(ptr);
            (0..count)
                .map(|n| {
                    let kind = ffi::sqlite3_column_type(ptr, n);
                    let raw = raw.get(n as usize).copied().unwrap_or(false);
                    Ok(match kind {
                        ffi::SQLITE_NULL => Cell::Null,
                        _ if raw => {
                            let start = ffi::sqlite3_column_blob(ptr, n);
                            if start.is_null() {
                                return Ok(Cell::Null);
                            }
                            Cell::Blob(bytes(start, ffi::sqlite3_column_bytes(ptr, n))?)
                        }
                        ffi::SQLITE_INTEGER => Cell::Int(ffi::sqlite3_column_int64(ptr, n)),
                        ffi::SQLITE_FLOAT => Cell::Float(ffi::sqlite3_column_double(ptr, n)),
                        ffi::SQLITE_TEXT => {
                            let start = ffi::sqlite3_column_text(ptr, n).cast();
                            Cell::Text(bytes(start, ffi::sqlite3_column_bytes(ptr, n))?)
                        }
                        _ => Cell::Blob(bytes(
                            ffi::sqlite3_column_blob(ptr, n),
                            ffi::sqlite3_column_bytes(ptr, n),
                        )?),
                    })
                })
                .collect()
        }
    }
}

/// # Safety
/// `start` is null or points to `len` bytes.
pub unsafe fn bytes(start: *const c_void, len: c_int) -> Result<Vec<u8>, NoMemory> {
    if start.is_null() || len <= 0 {
        return Ok(Vec::new());
    }
    // SAFETY: passed on.
    room::copied(unsafe { std::slice::from_raw_parts(start.cast::<u8>(), len as usize) })
}

/// The argument of a function, under the lock.
///
/// # Safety
/// The value is one that SQLite has just passed.
pub unsafe fn cell_of(value: *mut ffi::sqlite3_value) -> Result<Cell, NoMemory> {
    // SAFETY: passed on.
    unsafe {
        Ok(match ffi::sqlite3_value_type(value) {
            ffi::SQLITE_INTEGER => Cell::Int(ffi::sqlite3_value_int64(value)),
            ffi::SQLITE_FLOAT => Cell::Float(ffi::sqlite3_value_double(value)),
            ffi::SQLITE_TEXT => {
                let start = ffi::sqlite3_value_text(value).cast();
                Cell::Text(bytes(start, ffi::sqlite3_value_bytes(value))?)
            }
            ffi::SQLITE_BLOB => {
                let start = ffi::sqlite3_value_blob(value);
                Cell::Blob(bytes(start, ffi::sqlite3_value_bytes(value))?)
            }
            _ => Cell::Null,
        })
    }
}

/// An open blob.
pub struct BlobHandle {
    ptr: AtomicPtr<ffi::sqlite3_blob>,
    pub db: Arc<Db>,
}

impl Drop for BlobHandle {
    fn drop(&mut self) {
        let ptr = self.ptr.swap(null_mut(), AcqRel);
        if ptr.is_null() {
            return;
        }
        lock(&self.db.dropped).push(Dropped::Blob(ptr));
        if self.db.lock.try_take() {
            drop(Held(&self.db));
        }
    }
}

/// All of these are to be called under the database's lock.
impl BlobHandle {
    pub fn open(
        db: &Arc<Db>,
        ptr: *mut ffi::sqlite3,
        [name, table, column]: [&CStr; 3],
        row: i64,
        write: bool,
    ) -> Result<Arc<BlobHandle>, Failure> {
        let mut blob = null_mut();
        // SAFETY: the texts outlive the call.
        let code = unsafe {
            ffi::sqlite3_blob_open(
                ptr,
                name.as_ptr(),
                table.as_ptr(),
                column.as_ptr(),
                row,
                c_int::from(write),
                &mut blob,
            )
        };
        db.check(code)?;
        let handle = Arc::new(BlobHandle {
            ptr: AtomicPtr::new(blob),
            db: db.clone(),
        });
        db.keep_blob(&handle);
        Ok(handle)
    }

    pub fn is_open(&self) -> bool {
        !self.ptr.load(Acquire).is_null()
    }

    pub fn close(&self) {
        let ptr = self.ptr.swap(null_mut(), AcqRel);
        if !ptr.is_null() {
            Dropped::Blob(ptr).close();
        }
    }

    pub fn len(&self) -> usize {
        let ptr = self.ptr.load(Acquire);
        if ptr.is_null() {
            return 0;
        }
        // SAFETY: the blob is open.
        usize::try_from(unsafe { ffi::sqlite3_blob_bytes(ptr) }).unwrap_or(0)
    }

    /// Reads bytes that lie within the blob.
    pub fn read(&self, offset: usize, len: usize) -> Result<Vec<u8>, Failure> {
        let ptr = self.ptr.load(Acquire);
        let Ok(mut out) = room::zeroed(len) else {
            return Err(self.db.failure(ffi::SQLITE_NOMEM));
        };
        if len == 0 || ptr.is_null() {
            return Ok(out);
        }
        // SAFETY: `out` has room for `len` bytes.
        let code = unsafe { ffi::sqlite3_blob_read(ptr, out.as_mut_ptr().cast(), len as c_int, offset as c_int) };
        self.db.check(code).map(|()| out)
    }

    pub fn write(&self, offset: usize, data: &[u8]) -> Result<(), Failure> {
        let ptr = self.ptr.load(Acquire);
        if ptr.is_null() {
            return Ok(());
        }
        // SAFETY: the slice outlives the call.
        let code = unsafe { ffi::sqlite3_blob_write(ptr, data.as_ptr().cast(), data.len() as c_int, offset as c_int) };
        self.db.check(code)
    }
}

/// For results of calls that were made for the sake of Python.
pub trait OrRaise<T> {
    fn or_raise(self, vm: &Vm) -> Res<T>;
}

impl<T> OrRaise<T> for Result<T, Failure> {
    fn or_raise(self, vm: &Vm) -> Res<T> {
        self.map_err(|failure| super::raised(vm, &failure))
    }
}
