//! Calls of foreign functions, and functions that foreign code can call, by libffi.
//!
//! Invariant: the thread is detached while foreign code runs, unless it asks for the interpreter, and attached while a callback runs Python.

use std::cell::Cell;
use std::ffi::{CString, c_void};
use std::mem::ManuallyDrop;

use libffi::middle::{Cif, Closure, Type as FfiType};
use lisle_runtime::memory::trace::Opaque;
use lisle_runtime::native::{Py, Res, Value, Vm, pyclass, pymethods};
use lisle_runtime::threads::ThreadState;
use lisle_runtime::types::bytes::Bytes;
use lisle_runtime::types::str::Str;
use lisle_runtime::types::tuple::Tuple;

use super::scalar;

/// The function works on Python objects: the thread stays attached.
const FLAG_PYTHON: u32 = 0x4;
/// The thread's own `errno` of `ctypes` is put in place for the call.
const FLAG_ERRNO: u32 = 0x8;

thread_local! {
    /// `ctypes.get_errno()`.
    pub static ERRNO: Cell<i32> = const { Cell::new(0) };
}

/// A type as the Python part writes it.
enum Spec {
    Void,
    Code(u32),
    Struct(Vec<Spec>),
}

impl Spec {
    fn of(vm: &Vm, value: &Value) -> Res<Spec> {
        if let Some(parts) = value.downcast::<Tuple>() {
            let parts = parts.as_slice().iter().map(|part| Spec::of(vm, part));
            return parts.collect::<Res<Vec<Spec>>>().map(Spec::Struct);
        }
        match value.downcast::<Str>().and_then(|s| s.view().chars().next()) {
            None => Ok(Spec::Void),
            Some(code) if scalar::size(code) > 0 => Ok(Spec::Code(code)),
            Some(_) => Err(vm.type_error("unknown type code")),
        }
    }

    fn ffi(&self) -> FfiType {
        match self {
            Spec::Void => FfiType::void(),
            Spec::Struct(parts) => FfiType::structure(parts.iter().map(Spec::ffi)),
            Spec::Code(code) => match char::from_u32(*code).unwrap_or('\0') {
                'c' | 'b' => FfiType::i8(),
                'B' | '?' => FfiType::u8(),
                'h' | 'v' => FfiType::i16(),
                'H' => FfiType::u16(),
                'i' | 'u' => FfiType::i32(),
                'I' => FfiType::u32(),
                'l' => FfiType::c_long(),
                'L' => FfiType::c_ulong(),
                'q' => FfiType::i64(),
                'Q' => FfiType::u64(),
                'f' => FfiType::f32(),
                'd' => FfiType::f64(),
                'g' => FfiType::longdouble(),
                _ => FfiType::pointer(),
            },
        }
    }
}

fn specs(vm: &Vm, types: &Py<Tuple>) -> Res<Vec<Spec>> {
    types.as_slice().iter().map(|t| Spec::of(vm, t)).collect()
}

#[expect(clippy::too_many_arguments, reason = "what a call consists of")]
pub fn call(
    vm: &Vm,
    address: usize,
    result: &Value,
    types: &Py<Tuple>,
    values: &Py<Tuple>,
    fixed: isize,
    flags: u32,
    store: usize,
) -> Res<Value> {
    let result = Spec::of(vm, result)?;
    let types = specs(vm, types)?;
    if types.len() != values.len() {
        return Err(vm.type_error("as many types as values are needed"));
    }
    if address == 0 {
        return Err(vm.value_error("NULL function pointer"));
    }
    // Each scalar has a place of its own; a structure is where it is.
    let mut scalars: Vec<[u8; 16]> = vec![[0; 16]; types.len()];
    for ((spec, value), place) in types.iter().zip(values.as_slice()).zip(&mut scalars) {
        if let Spec::Code(code) = spec {
            *place = scalar::encode(vm, *code, value)?;
            if cfg!(target_endian = "big") {
                place[..scalar::size(*code)].reverse();
            }
        }
    }
    let mut places: Vec<*mut c_void> = Vec::with_capacity(types.len());
    for ((spec, value), place) in types.iter().zip(values.as_slice()).zip(&mut scalars) {
        places.push(match spec {
            Spec::Struct(_) => scalar::integer(vm, value)? as usize as *mut c_void,
            _ => place.as_mut_ptr().cast(),
        });
    }
    let ffi: Vec<FfiType> = types.iter().map(Spec::ffi).collect();
    let cif = match usize::try_from(fixed) {
        Ok(fixed) if fixed < ffi.len() => Cif::try_new_variadic(ffi, fixed, result.ffi()),
        _ => Cif::try_new(ffi, result.ffi()),
    };
    let Ok(cif) = cif else {
        return Err(vm.runtime_error("ffi_prep_cif failed"));
    };
    let mut returned = [0_u64; 4];
    let into: *mut c_void = match &result {
        Spec::Struct(_) => store as *mut c_void,
        _ => returned.as_mut_ptr().cast(),
    };
    // What the function changes of the thread or the process is not known.
    lisle_runtime::threads::stop_reuse();
    let mut run = || {
        // SAFETY: the program answers for the address and the types; places and result are as large as their types, which libffi has checked.
        unsafe {
            let errno = libc::__errno_location();
            if flags & FLAG_ERRNO != 0 {
                *errno = ERRNO.get();
            }
            libffi::raw::ffi_call(
                cif.as_raw_ptr(),
                Some(std::mem::transmute::<usize, unsafe extern "C" fn()>(address)),
                into,
                places.as_mut_ptr(),
            );
            if flags & FLAG_ERRNO != 0 {
                ERRNO.set(*errno);
            }
        }
    };
    if flags & FLAG_PYTHON != 0 {
        run();
    } else {
        vm.detached(run);
    }
    let own = flags & FLAG_PYTHON != 0 && super::api::is_own(address);
    if own && let Some(raised) = super::api::take_raised() {
        return Err(raised);
    }
    if own && matches!(result, Spec::Code(code) if code == u32::from('O')) && returned[0] != 0 {
        // SAFETY: such a function gives away a reference.
        let value = unsafe { Value::from_bits(returned[0]) };
        vm.safepoint()?;
        return Ok(value);
    }
    vm.safepoint()?;
    match result {
        Spec::Void | Spec::Struct(_) => Ok(Value::NONE),
        Spec::Code(code) => {
            // Small integers come as whole words.
            let widened = cfg!(target_endian = "big") && !matches!(char::from_u32(code), Some('f' | 'd' | 'g'));
            let skip = if widened { 8 - scalar::size(code).min(8) } else { 0 };
            // SAFETY: the function returned a value of that type.
            unsafe { scalar::get(vm, code, returned.as_ptr() as usize + skip, false) }
        }
    }
}

/// A function that foreign code can call.
#[pyclass(name = "Callback", module = "_ctypes_core")]
pub struct Callback {
    /// Called with simple values, and the bytes of structures. `target` refers to it.
    callable: Value,
    inner: Opaque<Inner>,
}

struct Inner {
    closure: ManuallyDrop<Closure<'static>>,
    target: *mut Target,
}

// SAFETY: the closure is only called by foreign code and freed by `drop`; the target is never changed.
unsafe impl Send for Inner {}
// SAFETY: as above.
unsafe impl Sync for Inner {}

/// What the code of a callback gets.
struct Target {
    /// The word of the callable, which the callback object keeps.
    callable: u64,
    types: Vec<Spec>,
    sizes: Vec<usize>,
    result: Spec,
    flags: u32,
}

impl Drop for Inner {
    fn drop(&mut self) {
        // SAFETY: dropped once, here; foreign code must not call what the program has let go of. The target was boxed in `__new__`.
        unsafe {
            ManuallyDrop::drop(&mut self.closure);
            drop(Box::from_raw(self.target));
        }
    }
}

#[pymethods]
impl Callback {
    #[slot(sig = "(callable, result, types, sizes, flags)")]
    fn __new__(
        vm: &Vm,
        cls: &Py<lisle_runtime::object::Type>,
        callable: &Value,
        result: &Value,
        types: &Py<Tuple>,
        sizes: &Py<Tuple>,
        flags: u32,
    ) -> Res<Value> {
        let types = specs(vm, types)?;
        let result = Spec::of(vm, result)?;
        let sizes = sizes.as_slice().iter().map(|n| vm.index_to_isize(n));
        let sizes = sizes
            .map(|n| n.map(|n| n.max(0) as usize))
            .collect::<Res<Vec<usize>>>()?;
        let Ok(cif) = Cif::try_new(types.iter().map(Spec::ffi), result.ffi()) else {
            return Err(vm.runtime_error("ffi_prep_cif failed"));
        };
        let target = Box::into_raw(Box::new(Target {
            callable: callable.bits(),
            types,
            sizes,
            result,
            flags,
        }));
        // SAFETY: the target lives until the closure is freed.
        let closure = Closure::try_new(cif, invoke, unsafe { &*target });
        let Ok(closure) = closure else {
            // SAFETY: made above, and nobody else has it.
            drop(unsafe { Box::from_raw(target) });
            return Err(vm.memory_error());
        };
        let inner = Opaque(Inner {
            closure: ManuallyDrop::new(closure),
            target,
        });
        let callable = callable.clone();
        Ok(Py::with_class(cls, Callback { callable, inner }).into_value())
    }

    #[getter]
    fn address(_: &Vm, this: &Py<Callback>) -> Value {
        Value::usize(*this.inner.0.closure.code_ptr() as *const () as usize)
    }

    #[getter]
    fn callable(_: &Vm, this: &Py<Callback>) -> Value {
        this.callable.clone()
    }
}

/// What foreign code calls. The result has room for the type, and for a word.
unsafe extern "C" fn invoke(_: &libffi::low::ffi_cif, result: &mut u64, args: *const *const c_void, target: &Target) {
    let into: *mut u64 = result;
    let run = |vm: &Vm| {
        // SAFETY: libffi passes places of the arguments' types.
        if let Err(exc) = unsafe { answer(vm, into, args, target) } {
            // SAFETY: the callback object keeps the callable.
            let callable = ManuallyDrop::new(unsafe { Value::from_bits(target.callable) });
            let shown = vm
                .repr(&callable)
                .map_or_else(|_| "?".to_owned(), |text| text.to_string_lossy());
            vm.unraisable(
                exc,
                Some(&format!(
                    "Exception ignored while calling ctypes callback function {shown}"
                )),
                None,
            );
        }
    };
    if matches!(target.result, Spec::Code(_)) {
        *result = 0;
    }
    // SAFETY: the location of this thread's errno.
    let swap = || unsafe {
        if target.flags & FLAG_ERRNO != 0 {
            let errno = libc::__errno_location();
            *errno = ERRNO.replace(*errno);
        }
    };
    swap();
    match ThreadState::current() {
        Some(thread) if thread.is_attached() => run(Vm::current()),
        Some(thread) => {
            thread.attach();
            run(Vm::current());
            thread.detach();
        }
        None => {
            // A thread that foreign code has started.
            let vm = Vm::enter_thread(false);
            run(vm);
            vm.leave_thread();
        }
    }
    swap();
}

/// # Safety
/// `args` are places of the target's types, `into` one of its result's type.
unsafe fn answer(vm: &Vm, into: *mut u64, args: *const *const c_void, target: &Target) -> Res<()> {
    let mut values = Vec::with_capacity(target.types.len());
    for (i, spec) in target.types.iter().enumerate() {
        // SAFETY: by contract.
        let place = unsafe { *args.add(i) } as usize;
        values.push(match spec {
            // SAFETY: by contract.
            Spec::Code(code) => unsafe { scalar::get(vm, *code, place, false)? },
            _ => super::memory::read(vm, place, target.sizes.get(i).copied().unwrap_or(0))?,
        });
    }
    // SAFETY: the callback object keeps the callable; the count taken is this call's.
    let held = ManuallyDrop::new(unsafe { Value::from_bits(target.callable) });
    let callable = (*held).clone();
    let value = vm.call(&callable, &values)?;
    match &target.result {
        Spec::Void => {}
        Spec::Code(code) => {
            let mut bytes = scalar::encode(vm, *code, &value)?;
            let size = scalar::size(*code);
            let small = !matches!(char::from_u32(*code), Some('f' | 'd' | 'g'));
            if small && size < 8 {
                // Small integers are returned as whole words, with their signs.
                let negative =
                    matches!(char::from_u32(*code), Some('b' | 'h' | 'i' | 'l')) && bytes[size - 1] & 0x80 != 0;
                bytes[size..8].fill(if negative { 0xff } else { 0 });
            }
            let len = if small { 8 } else { size };
            if cfg!(target_endian = "big") {
                bytes[..len].reverse();
            }
            // SAFETY: by contract; libffi gives room for a word at least.
            unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), into.cast(), len) };
        }
        Spec::Struct(_) => {
            if let Some(bytes) = value.downcast::<Bytes>() {
                let bytes = bytes.as_slice();
                // SAFETY: the Python part returns the bytes of the structure.
                unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), into.cast(), bytes.len()) };
            }
        }
    }
    Ok(())
}

pub fn dlopen(vm: &Vm, name: &Value, mode: i32) -> Res<usize> {
    let path = if name.is_none() {
        None
    } else {
        Some(crate::posix::path::fs_encode(vm, name)?)
    };
    let handle = vm.detached(|| {
        // SAFETY: the name is a C string, or there is none.
        unsafe {
            libc::dlopen(
                path.as_ref().map_or(std::ptr::null(), |p| p.as_ptr()),
                mode | libc::RTLD_NOW,
            )
        }
    });
    if handle.is_null() {
        return Err(vm.os_error_message(dlerror()));
    }
    Ok(handle as usize)
}

/// The handle of the program itself.
fn program() -> usize {
    // SAFETY: as in `dlopen`; what is loaded already is counted only.
    unsafe { libc::dlopen(std::ptr::null(), libc::RTLD_NOW) as usize }
}

pub fn dlclose(vm: &Vm, handle: usize) -> Res<()> {
    // SAFETY: the program answers for the handle.
    if unsafe { libc::dlclose(handle as *mut c_void) } != 0 {
        return Err(vm.os_error_message(dlerror()));
    }
    Ok(())
}

pub fn dlsym(vm: &Vm, handle: usize, name: &Py<Str>) -> Res<Option<usize>> {
    let name = CString::new(name.to_string_lossy()).map_err(|_| vm.value_error("embedded null character"))?;
    // SAFETY: the program answers for the handle; the name is a C string.
    let found = unsafe { libc::dlsym(handle as *mut c_void, name.as_ptr()) };
    if found.is_null() && handle == program() {
        return Ok(super::api::find(&name.to_string_lossy()));
    }
    Ok(Some(found as usize).filter(|address| *address != 0))
}

pub fn dlerror() -> String {
    // SAFETY: gives null or a C string that lives until the next call.
    let text = unsafe { libc::dlerror() };
    if text.is_null() {
        return "unknown dlopen() error".into();
    }
    // SAFETY: as above.
    unsafe { std::ffi::CStr::from_ptr(text) }.to_string_lossy().into_owned()
}
