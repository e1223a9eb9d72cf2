//! System calls for native modules: results instead of `-1` and `errno`, blocking calls that signals interrupt.
//!
//! Invariant: `errno` is read directly after the call, before anything else can change it. Everything that can block runs
//! detached; on `EINTR` the handlers of signals run and the call is made again (PEP 475).

use lisle_runtime::native::{ArgCtx, FromArg, Res, Value, Vm};
use lisle_runtime::threads::ParkReason;
use lisle_runtime::types::exceptions;

/// An error number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Errno(pub i32);

/// The result of a system call.
pub type Sys<T> = Result<T, Errno>;

impl Errno {
    /// Of the call that just failed.
    pub fn last() -> Errno {
        Errno(std::io::Error::last_os_error().raw_os_error().unwrap_or(0))
    }
}

/// A C function's result that is negative on failure.
pub trait CResult: Copy {
    fn failed(self) -> bool;
}

impl CResult for i32 {
    fn failed(self) -> bool {
        self == -1
    }
}

impl CResult for i64 {
    fn failed(self) -> bool {
        self == -1
    }
}

impl CResult for isize {
    fn failed(self) -> bool {
        self == -1
    }
}

/// The result of a call, or `errno`; evaluated directly after the call.
pub fn check<T: CResult>(result: T) -> Sys<T> {
    if result.failed() {
        Err(Errno::last())
    } else {
        Ok(result)
    }
}

/// Calls a function of the C library.
///
/// Its callers see to what all such functions ask for: each argument is a number or a pointer taken in the call itself
/// from a reference (or a `CStr`) that outlives it, and a length passed beside a pointer is that of what it points to.
macro_rules! c {
    ($name:ident($($arg:expr),* $(,)?)) => {
        // SAFETY: the contract above.
        unsafe { ::libc::$name($($arg),*) }
    };
}
pub(crate) use c;

/// Zeroed plain data of the C library.
///
/// # Safety
/// All zero bits are a value of `T`.
pub unsafe fn zeroed<T>() -> T {
    // SAFETY: by contract.
    unsafe { std::mem::zeroed() }
}

/// Tells the audit hooks of an event, if there are any.
macro_rules! audit {
    ($vm:expr, $event:literal $(, $arg:expr)* $(,)?) => {
        if crate::sys::is_audited() {
            let given = [$($arg),*];
            crate::sys::audit($vm, $event, &given)?;
        }
    };
}
pub(crate) use audit;

/// Makes a call that may block, detached.
pub fn detached<T: CResult>(vm: &Vm, call: impl FnOnce() -> T) -> Sys<T> {
    vm.detached(|| check(call()))
}

/// Makes a call that may block until it ends with anything but `EINTR`; handlers of signals run in between.
pub fn retrying<T: CResult>(vm: &Vm, reason: ParkReason, mut call: impl FnMut() -> T) -> Res<Sys<T>> {
    loop {
        match vm.thread.detached_for(reason, || check(call())) {
            Err(Errno(libc::EINTR)) => vm.safepoint()?,
            // No handler runs now: if it raised, what the call gave would be lost.
            result => return Ok(result),
        }
    }
}

/// As [`retrying`], with an `OSError` for a failure.
pub fn blocking<T: CResult>(vm: &Vm, reason: ParkReason, call: impl FnMut() -> T) -> Res<T> {
    retrying(vm, reason, call)?.or_raise(vm)
}

/// Raising an `OSError`.
pub trait OrRaise<T> {
    fn or_raise(self, vm: &Vm) -> Res<T>;
    /// With the name of the file it is about.
    fn or_raise_for(self, vm: &Vm, filename: &Value) -> Res<T>;
    /// With the names of two files.
    fn or_raise_for_both(self, vm: &Vm, from: &Value, to: &Value) -> Res<T>;
}

impl<T> OrRaise<T> for Sys<T> {
    #[inline]
    fn or_raise(self, vm: &Vm) -> Res<T> {
        self.map_err(|e| vm.os_error(e.0, None))
    }

    #[inline]
    fn or_raise_for(self, vm: &Vm, filename: &Value) -> Res<T> {
        self.map_err(|e| vm.os_error(e.0, Some(filename.clone()).filter(|f| !f.is_none())))
    }

    fn or_raise_for_both(self, vm: &Vm, from: &Value, to: &Value) -> Res<T> {
        self.map_err(|e| {
            let text = Value::from(exceptions::os_error::strerror(e.0).as_str());
            let args = vec![Value::int(e.0.into()), text, from.clone(), Value::NONE, to.clone()];
            vm.new_exception(exceptions::OS_ERROR.get(), args)
        })
    }
}

/// A file descriptor: an int, or an object with a method `fileno`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fd(pub i32);

impl<'a> FromArg<'a> for Fd {
    fn from_arg(vm: &Vm, value: &'a Value, _: &ArgCtx) -> Res<Fd> {
        fd_of(vm, value)
    }
}

/// The descriptor of an int or an object with a method `fileno`.
pub fn fd_of(vm: &Vm, value: &Value) -> Res<Fd> {
    let made;
    let number = if vm.int_value(value).is_some() {
        if value.is_bool() {
            vm.warn(
                exceptions::RUNTIME_WARNING.get(),
                "bool is used as a file descriptor",
                1,
            )?;
        }
        value
    } else {
        let Some(fileno) = vm.getattr_opt(value, lisle_runtime::intern!("fileno"))? else {
            return Err(vm.type_error("argument must be an int, or have a fileno() method."));
        };
        made = vm.call(&fileno, &[])?;
        if vm.int_value(&made).is_none() {
            return Err(vm.type_error("fileno() returned a non-integer"));
        }
        &made
    };
    let fd = int_arg(vm, number)?;
    if fd < 0 {
        let message = format!("file descriptor cannot be a negative integer ({fd})");
        return Err(vm.value_error(message));
    }
    Ok(Fd(fd))
}

/// An int that fits C's `int`.
pub fn int_arg(vm: &Vm, value: &Value) -> Res<i32> {
    let n = vm.index(value)?;
    let n = vm.int_value(&n).and_then(|n| n.to_i64());
    n.and_then(|n| i32::try_from(n).ok())
        .ok_or_else(|| vm.overflow_error("Python int too large to convert to C int"))
}
