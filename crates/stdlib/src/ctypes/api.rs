//! The few functions of CPython's C API that programs call through `ctypes.pythonapi`.
//!
//! Invariant: an object is passed as its word; an argument is borrowed, a result is the caller's (`call` takes it over). What a function raises
//! is kept until the call is over. Left out: the rest of the API, which needs CPython's layouts.

use std::cell::Cell;
use std::ffi::{CStr, c_char, c_int, c_long, c_ulong};
use std::mem::ManuallyDrop;

use lisle_runtime::intern;
use lisle_runtime::native::{Res, Value, Vm};
use lisle_runtime::threads::ThreadState;
use lisle_runtime::threads::signals::interrupt_main;
use lisle_runtime::types::bytes::Bytes;
use lisle_runtime::vm::Exc;

thread_local! {
    /// What the function under way raised.
    static RAISED: Cell<Option<Exc>> = const { Cell::new(None) };
}

/// The address of a function.
pub fn find(name: &str) -> Option<usize> {
    functions()
        .into_iter()
        .find(|(known, _)| *known == name)
        .map(|(_, address)| address)
}

/// Whether the function at an address is one of these, which give results away.
pub fn is_own(address: usize) -> bool {
    functions().into_iter().any(|(_, own)| own == address)
}

/// What the last function raised.
pub fn take_raised() -> Option<Exc> {
    RAISED.take()
}

fn functions() -> [(&'static str, usize); 18] {
    [
        ("PyBytes_FromStringAndSize", bytes_from_string as *const () as usize),
        ("PyErr_CheckSignals", check_signals as *const () as usize),
        ("PyErr_SetInterrupt", set_interrupt as *const () as usize),
        ("PyErr_SetInterruptEx", set_interrupt_of as *const () as usize),
        ("PyEval_GetFrameBuiltins", frame_builtins as *const () as usize),
        ("PyEval_GetFrameGlobals", frame_globals as *const () as usize),
        ("PyEval_GetFrameLocals", frame_locals as *const () as usize),
        ("PyGILState_Check", gil_check as *const () as usize),
        ("PyGILState_Ensure", gil_ensure as *const () as usize),
        ("PyGILState_Release", gil_release as *const () as usize),
        ("PyLong_FromLong", long_from_long as *const () as usize),
        ("PyOS_snprintf", libc::snprintf as *const () as usize),
        ("PyObject_Repr", object_repr as *const () as usize),
        ("PyThreadState_SetAsyncExc", set_async_exc as *const () as usize),
        ("PyUnicode_FromString", unicode_from_string as *const () as usize),
        ("Py_DecRef", dec_ref as *const () as usize),
        ("Py_IncRef", inc_ref as *const () as usize),
        ("Py_IsInitialized", is_initialized as *const () as usize),
    ]
}

/// The word of a result, 0 after an exception.
fn given(make: impl FnOnce(&Vm) -> Res<Value>) -> u64 {
    let Some(vm) = attached() else { return 0 };
    match make(vm) {
        Ok(value) => value.into_bits(),
        Err(raised) => {
            RAISED.set(Some(raised));
            0
        }
    }
}

fn attached() -> Option<&'static Vm> {
    Vm::try_current().filter(|vm| vm.thread.is_attached())
}

/// An argument; `None` for NULL.
///
/// # Safety
/// The word is 0 or that of a living object that others hold.
unsafe fn borrowed(word: u64) -> Option<Value> {
    if word == 0 {
        return None;
    }
    // SAFETY: by contract; the reference of the others is left to them.
    let held = ManuallyDrop::new(unsafe { Value::from_bits(word) });
    Some((*held).clone())
}

extern "C" fn bytes_from_string(data: *const c_char, size: isize) -> u64 {
    given(|vm| {
        let Ok(size) = usize::try_from(size) else {
            return Err(vm.system_error("Negative size passed to PyBytes_FromStringAndSize"));
        };
        if data.is_null() {
            return Ok(Bytes::new_value(vec![0; size]));
        }
        // SAFETY: the program answers for the address and the size.
        let bytes = unsafe { std::slice::from_raw_parts(data.cast::<u8>(), size) };
        Ok(Bytes::new_value(bytes))
    })
}

extern "C" fn unicode_from_string(text: *const c_char) -> u64 {
    given(|vm| {
        // SAFETY: the program answers for the text.
        let bytes = unsafe { CStr::from_ptr(text) }.to_bytes();
        vm.call_method(&Bytes::new_value(bytes), intern!("decode"), &[])
    })
}

extern "C" fn long_from_long(number: c_long) -> u64 {
    given(|_| Ok(Value::int(number)))
}

extern "C" fn object_repr(object: u64) -> u64 {
    given(|vm| {
        // SAFETY: what `ctypes` passes for an object.
        match unsafe { borrowed(object) } {
            Some(object) => Ok(vm.repr(&object)?.into_value()),
            None => Ok(Value::from("<NULL>")),
        }
    })
}

extern "C" fn inc_ref(object: u64) {
    // SAFETY: what `ctypes` passes for an object.
    std::mem::forget(unsafe { borrowed(object) });
}

extern "C" fn dec_ref(object: u64) {
    if object != 0 && attached().is_some() {
        // SAFETY: the program gives back a reference that it took.
        drop(unsafe { Value::from_bits(object) });
    }
}

extern "C" fn is_initialized() -> c_int {
    1
}

extern "C" fn check_signals() -> c_int {
    let Some(vm) = attached() else { return 0 };
    match vm.safepoint() {
        Ok(()) => 0,
        Err(raised) => {
            RAISED.set(Some(raised));
            -1
        }
    }
}

extern "C" fn set_interrupt() {
    interrupt_main(libc::SIGINT);
}

extern "C" fn set_interrupt_of(signum: c_int) -> c_int {
    if !(1..65).contains(&signum) {
        return -1;
    }
    interrupt_main(signum);
    0
}

extern "C" fn frame_builtins() -> u64 {
    given(|vm| Ok(vm.running_builtins().into_value()))
}

extern "C" fn frame_globals() -> u64 {
    given(|vm| vm.call(&vm.builtin(intern!("globals"))?, &[]))
}

extern "C" fn frame_locals() -> u64 {
    given(|vm| vm.call(&vm.builtin(intern!("locals"))?, &[]))
}

/// How many threads were told: one, or none that has the identifier. NULL takes back what was not raised yet.
extern "C" fn set_async_exc(ident: c_ulong, exception: u64) -> c_int {
    let Some(vm) = attached() else { return 0 };
    // SAFETY: what `ctypes` passes for an object.
    let exception = unsafe { borrowed(exception) };
    vm.raise_in_thread(ident, exception).into()
}

/// PyGILState_LOCKED: the thread was attached before.
const LOCKED: c_int = 0;
const UNLOCKED: c_int = 1;

extern "C" fn gil_check() -> c_int {
    attached().is_some().into()
}

extern "C" fn gil_ensure() -> c_int {
    match ThreadState::current() {
        Some(thread) if !thread.is_attached() => {
            thread.attach();
            UNLOCKED
        }
        _ => LOCKED,
    }
}

extern "C" fn gil_release(before: c_int) {
    if before == UNLOCKED
        && let Some(thread) = ThreadState::current()
        && thread.is_attached()
    {
        thread.detach();
    }
}
