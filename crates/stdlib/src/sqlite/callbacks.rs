//! Python code that SQLite calls: functions, aggregates, collations, hooks.
//!
//! Invariant: SQLite calls these on the thread that called it, detached; each attaches for as long as it runs Python code.

use std::ffi::{CStr, CString, c_char, c_int, c_uint, c_void};
use std::sync::atomic::Ordering::Relaxed;

use libsqlite3_sys as ffi;
use lisle_runtime::intern;
use lisle_runtime::memory::room::{self, NoMemory};
use lisle_runtime::native::*;
use lisle_runtime::types::bytes::Bytes;
use lisle_runtime::types::exceptions;

use super::CALLBACK_TRACEBACKS;
use super::db::{Cell, bytes, cell_of};

/// Runs `f` attached.
fn attached<R>(f: impl FnOnce(&Vm) -> R) -> R {
    struct Detach<'a>(&'a Vm);
    impl Drop for Detach<'_> {
        fn drop(&mut self) {
            self.0.thread.detach();
        }
    }
    let vm = Vm::current();
    if vm.thread.is_attached() {
        return f(vm);
    }
    vm.thread.attach();
    let _detach = Detach(vm);
    f(vm)
}

/// What SQLite holds of a Python object.
pub fn hold(value: &Value) -> *mut c_void {
    Box::into_raw(Box::new(value.clone())).cast()
}

/// Called when SQLite needs the object no longer.
///
/// # Safety
/// `held` comes of [`hold`] and is not used any more.
pub unsafe extern "C" fn release(held: *mut c_void) {
    // SAFETY: passed on.
    let value = unsafe { Box::from_raw(held.cast::<Value>()) };
    attached(|_| drop(value));
}

/// # Safety
/// `held` comes of [`hold`].
unsafe fn held(held: *mut c_void) -> Value {
    // SAFETY: passed on.
    unsafe { (*held.cast::<Value>()).clone() }
}

/// The hook of a connection, if it was not taken away meanwhile.
///
/// # Safety
/// `slot` is the address of a field of a connection that is alive.
unsafe fn hooked(slot: *mut c_void) -> Option<Value> {
    // SAFETY: passed on.
    unsafe { &*slot.cast::<Slot>() }.get()
}

fn report(vm: &Vm, exc: Exc, object: &Value) {
    if CALLBACK_TRACEBACKS.load(Relaxed) {
        vm.unraisable(exc, None, Some(object));
    }
}

/// The Python value of a cell; texts that are no UTF-8 raise.
pub fn value_of(vm: &Vm, cell: Cell) -> Res<Value> {
    Ok(match cell {
        Cell::Null => Value::NONE,
        Cell::Int(n) => Value::int(n),
        Cell::Float(x) => Value::float(x),
        Cell::Text(text) => match String::from_utf8(text) {
            Ok(text) => Value::from(text.as_str()),
            Err(error) => {
                let bytes = Bytes::new_value(error.into_bytes());
                vm.call_method(&bytes, intern!("decode"), &[])?
            }
        },
        Cell::Blob(blob) => Bytes::new_value(blob),
    })
}

/// The cell of a Python value, `None` if SQLite has nothing like it.
pub fn cell_from(vm: &Vm, value: &Value) -> Res<Option<Cell>> {
    if value.is_none() {
        return Ok(Some(Cell::Null));
    }
    if let Some(int) = vm.int_value(value) {
        return match int.to_i64() {
            Some(n) => Ok(Some(Cell::Int(n))),
            None => Err(vm.overflow_error("Python int too large to convert to SQLite INTEGER")),
        };
    }
    if let Some(x) = lisle_runtime::types::float::view(value) {
        return Ok(Some(Cell::Float(x)));
    }
    if let Some(text) = value.downcast::<Str>() {
        if let Some(text) = text.view().to_utf8() {
            return Ok(Some(Cell::Text(room::copied(text.as_bytes())?)));
        }
        let bytes = vm.call_method(value, intern!("encode"), &[])?;
        let bytes = lisle_runtime::types::buffer::get_bytes(vm, &bytes)?;
        return Ok(Some(Cell::Text(room::owned(bytes)?)));
    }
    if lisle_runtime::types::buffer::is_bytes_like(value) {
        let bytes = lisle_runtime::types::buffer::get_bytes(vm, value)?;
        return Ok(Some(Cell::Blob(room::owned(bytes)?)));
    }
    Ok(None)
}

/// # Safety
/// SQLite has passed the arguments.
unsafe fn arguments(count: c_int, values: *mut *mut ffi::sqlite3_value) -> Result<Vec<Cell>, NoMemory> {
    // SAFETY: there are `count` values.
    (0..usize::try_from(count).unwrap_or(0))
        .map(|n| unsafe { cell_of(*values.add(n)) })
        .collect()
}

/// Gives SQLite the result of a call, or its failure.
///
/// # Safety
/// The context is the one of the call.
unsafe fn answer(context: *mut ffi::sqlite3_context, result: Result<Cell, (Option<bool>, &CStr)>) {
    let transient = ffi::SQLITE_TRANSIENT();
    // SAFETY: SQLite copies texts and blobs.
    unsafe {
        match result {
            Ok(Cell::Null) => ffi::sqlite3_result_null(context),
            Ok(Cell::Int(n)) => ffi::sqlite3_result_int64(context, n),
            Ok(Cell::Float(x)) => ffi::sqlite3_result_double(context, x),
            Ok(Cell::Text(text)) => {
                let utf8 = ffi::SQLITE_UTF8 as u8;
                ffi::sqlite3_result_text64(context, text.as_ptr().cast(), text.len() as u64, transient, utf8);
            }
            Ok(Cell::Blob(blob)) => {
                ffi::sqlite3_result_blob64(context, blob.as_ptr().cast(), blob.len() as u64, transient);
            }
            Err((Some(true), _)) => ffi::sqlite3_result_error_nomem(context),
            Err((Some(false), _)) => ffi::sqlite3_result_error_toobig(context),
            Err((None, message)) => ffi::sqlite3_result_error(context, message.as_ptr(), -1),
        }
    }
}

/// How SQLite is told of an exception: out of memory, too big, or the message.
fn failed(vm: &Vm, exc: Exc, object: &Value, message: &'static CStr) -> (Option<bool>, &'static CStr) {
    let kind = if exc.is(&exceptions::MEMORY_ERROR) {
        Some(true)
    } else if exc.is(&exceptions::OVERFLOW_ERROR) {
        Some(false)
    } else {
        None
    };
    report(vm, exc, object);
    (kind, message)
}

fn values(vm: &Vm, cells: Result<Vec<Cell>, NoMemory>) -> Res<Vec<Value>> {
    cells?.into_iter().map(|cell| value_of(vm, cell)).collect()
}

fn result_cell(vm: &Vm, value: &Value) -> Res<Cell> {
    match cell_from(vm, value)? {
        Some(cell) => Ok(cell),
        None => Err(super::programming_error(vm, "the result has no type that SQLite knows")),
    }
}

/// A function of one row.
///
/// # Safety
/// SQLite calls it; so it is with all that follow.
pub unsafe extern "C" fn function(
    context: *mut ffi::sqlite3_context,
    count: c_int,
    args: *mut *mut ffi::sqlite3_value,
) {
    // SAFETY: as the caller promises.
    let (cells, callable) = unsafe { (arguments(count, args), ffi::sqlite3_user_data(context)) };
    let result = attached(|vm| {
        // SAFETY: the function was made with a held object.
        let callable = unsafe { held(callable) };
        let result = values(vm, cells)
            .and_then(|args| vm.call(&callable, &args))
            .and_then(|value| result_cell(vm, &value));
        result.map_err(|exc| failed(vm, exc, &callable, c"user-defined function raised exception"))
    });
    // SAFETY: as above.
    unsafe { answer(context, result) };
}

/// The instance of an aggregate: SQLite keeps a pointer to a held object.
///
/// # Safety
/// As above.
unsafe fn instance(context: *mut ffi::sqlite3_context, make: bool) -> *mut *mut c_void {
    let size = if make { size_of::<*mut c_void>() as c_int } else { 0 };
    // SAFETY: as above; new memory is zero.
    unsafe { ffi::sqlite3_aggregate_context(context, size).cast() }
}

/// # Safety
/// As above.
unsafe fn aggregate_call(
    context: *mut ffi::sqlite3_context,
    count: c_int,
    args: *mut *mut ffi::sqlite3_value,
    method: &'static Py<Str>,
    [message, missing]: [&'static CStr; 2],
) {
    // SAFETY: as above.
    let (cells, class, place) = unsafe {
        (
            arguments(count, args),
            ffi::sqlite3_user_data(context),
            instance(context, true),
        )
    };
    if place.is_null() {
        return;
    }
    let result = attached(|vm| {
        // SAFETY: the class is held.
        let class = unsafe { held(class) };
        // SAFETY: the instance is held once it is made.
        let object = unsafe {
            if (*place).is_null() {
                match vm.call(&class, &[]) {
                    Ok(object) => *place = hold(&object),
                    Err(exc) => {
                        let message = c"user-defined aggregate's '__init__' method raised error";
                        return Err(failed(vm, exc, &class, message));
                    }
                }
            }
            held(*place)
        };
        let found = vm
            .getattr_opt(&object, method)
            .map_err(|exc| failed(vm, exc, &class, message))?;
        let Some(found) = found else {
            let exc = vm.attribute_error_for(&object, method);
            return Err(failed(vm, exc, &class, missing));
        };
        let result = values(vm, cells).and_then(|args| vm.call(&found, &args));
        result.map(|_| ()).map_err(|exc| failed(vm, exc, &class, message))
    });
    if let Err(failure) = result {
        // SAFETY: as above.
        unsafe { answer(context, Err(failure)) };
    }
}

/// # Safety
/// See [`function`].
pub unsafe extern "C" fn step(context: *mut ffi::sqlite3_context, count: c_int, args: *mut *mut ffi::sqlite3_value) {
    let messages = [
        c"user-defined aggregate's 'step' method raised error",
        c"user-defined aggregate's 'step' method not defined",
    ];
    // SAFETY: as above.
    unsafe { aggregate_call(context, count, args, intern!("step"), messages) };
}

/// # Safety
/// See [`function`].
pub unsafe extern "C" fn inverse(context: *mut ffi::sqlite3_context, count: c_int, args: *mut *mut ffi::sqlite3_value) {
    let messages = [
        c"user-defined aggregate's 'inverse' method raised error",
        c"user-defined aggregate's 'inverse' method not defined",
    ];
    // SAFETY: as above.
    unsafe { aggregate_call(context, count, args, intern!("inverse"), messages) };
}

/// # Safety
/// As above.
unsafe fn aggregate_result(
    context: *mut ffi::sqlite3_context,
    object: &Value,
    vm: &Vm,
    method: &'static Py<Str>,
    class: &Value,
    [raised, missing]: [&'static CStr; 2],
) {
    let result = match vm.getattr_opt(object, method) {
        Ok(Some(method)) => vm
            .call(&method, &[])
            .and_then(|value| result_cell(vm, &value))
            .map_err(|exc| failed(vm, exc, class, raised)),
        Ok(None) => {
            let exc = vm.attribute_error_for(object, method);
            Err(failed(vm, exc, class, missing))
        }
        Err(exc) => Err(failed(vm, exc, class, raised)),
    };
    // SAFETY: as above.
    unsafe { answer(context, result) };
}

/// # Safety
/// See [`function`].
pub unsafe extern "C" fn window_value(context: *mut ffi::sqlite3_context) {
    // SAFETY: as above.
    unsafe {
        let place = instance(context, false);
        if place.is_null() || (*place).is_null() {
            return;
        }
        attached(|vm| {
            let object = held(*place);
            let class = held(ffi::sqlite3_user_data(context));
            let messages = [
                c"user-defined aggregate's 'value' method raised error",
                c"user-defined aggregate's 'value' method not defined",
            ];
            aggregate_result(context, &object, vm, intern!("value"), &class, messages);
        });
    }
}

/// # Safety
/// See [`function`].
pub unsafe extern "C" fn finalize(context: *mut ffi::sqlite3_context) {
    // SAFETY: as above.
    unsafe {
        let place = instance(context, false);
        if place.is_null() || (*place).is_null() {
            // No row was there, or the instance could not be made.
            return;
        }
        attached(|vm| {
            let object = held(*place);
            let class = held(ffi::sqlite3_user_data(context));
            let messages = [
                c"user-defined aggregate's 'finalize' method raised error",
                c"user-defined aggregate's 'finalize' method not defined",
            ];
            aggregate_result(context, &object, vm, intern!("finalize"), &class, messages);
            release(std::mem::replace(&mut *place, std::ptr::null_mut()));
        });
    }
}

/// # Safety
/// See [`function`].
pub unsafe extern "C" fn collate(
    callable: *mut c_void,
    len1: c_int,
    text1: *const c_void,
    len2: c_int,
    text2: *const c_void,
) -> c_int {
    // SAFETY: SQLite passes texts of that length.
    let pair = unsafe { [bytes(text1, len1), bytes(text2, len2)] };
    attached(|vm| {
        // SAFETY: the collation was made with a held object.
        let callable = unsafe { held(callable) };
        let [first, second] = pair.map(|text| value_of(vm, Cell::Text(text?)));
        let result = first
            .and_then(|first| Ok([first, second?]))
            .and_then(|pair| vm.call(&callable, &pair))
            .and_then(|order| {
                let zero = Value::int(0);
                if vm.int_value(&order).is_none() {
                    return Err(vm.type_error("an integer is required"));
                }
                Ok(i32::from(vm.compare_bool(&order, &zero, CmpOp::Gt)?)
                    - i32::from(vm.compare_bool(&order, &zero, CmpOp::Lt)?))
            });
        match result {
            Ok(order) => order,
            Err(exc) => {
                report(vm, exc, &callable);
                0
            }
        }
    })
}

fn optional_text(text: *const c_char) -> Value {
    if text.is_null() {
        return Value::NONE;
    }
    // SAFETY: SQLite's texts end with zero.
    Value::from(unsafe { CStr::from_ptr(text) }.to_string_lossy().as_ref())
}

/// # Safety
/// See [`function`].
pub unsafe extern "C" fn authorize(
    callable: *mut c_void,
    action: c_int,
    first: *const c_char,
    second: *const c_char,
    database: *const c_char,
    source: *const c_char,
) -> c_int {
    attached(|vm| {
        // SAFETY: the hook was set with that of a connection.
        let Some(callable) = (unsafe { hooked(callable) }) else {
            return ffi::SQLITE_OK;
        };
        let args = [
            Value::int(action.into()),
            optional_text(first),
            optional_text(second),
            optional_text(database),
            optional_text(source),
        ];
        let result = vm.call(&callable, &args).and_then(|answer| {
            if vm.int_value(&answer).is_none() {
                return Err(vm.type_error("an integer is required"));
            }
            let answer = vm.index_to_i64(&answer)?;
            i32::try_from(answer).map_err(|_| vm.overflow_error("Python int too large to convert to C int"))
        });
        match result {
            Ok(answer) => answer,
            Err(exc) => {
                report(vm, exc, &callable);
                ffi::SQLITE_DENY
            }
        }
    })
}

/// # Safety
/// See [`function`].
pub unsafe extern "C" fn progress(callable: *mut c_void) -> c_int {
    attached(|vm| {
        // SAFETY: as above.
        let Some(callable) = (unsafe { hooked(callable) }) else {
            return 0;
        };
        let result = vm.call(&callable, &[]).and_then(|answer| vm.truth(&answer));
        match result {
            Ok(stop) => c_int::from(stop),
            Err(exc) => {
                report(vm, exc, &callable);
                1
            }
        }
    })
}

/// # Safety
/// See [`function`].
pub unsafe extern "C" fn trace(kind: c_uint, callable: *mut c_void, statement: *mut c_void, sql: *mut c_void) -> c_int {
    if kind != ffi::SQLITE_TRACE_STMT as c_uint {
        return 0;
    }
    // SAFETY: SQLite passes a statement and its text; the expanded text is ours to free.
    let text = unsafe {
        let expanded = ffi::sqlite3_expanded_sql(statement.cast());
        let shown: *const c_char = if expanded.is_null() {
            sql.cast_const().cast()
        } else {
            expanded
        };
        let text: Option<CString> = (!shown.is_null()).then(|| CStr::from_ptr(shown).to_owned());
        ffi::sqlite3_free(expanded.cast());
        (text, expanded.is_null())
    };
    attached(|vm| {
        // SAFETY: as above.
        let Some(callable) = (unsafe { hooked(callable) }) else {
            return;
        };
        let (Some(text), too_long) = text else { return };
        if too_long {
            let message = "Expanded SQL string exceeds the maximum string length";
            report(vm, super::error(vm, super::Class::Data, message), &callable);
        }
        let text = Value::from(text.to_string_lossy().as_ref());
        if let Err(exc) = vm.call(&callable, &[text]) {
            report(vm, exc, &callable);
        }
    });
    0
}
