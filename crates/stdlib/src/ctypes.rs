//! `_ctypes_core`: memory at addresses, foreign functions and callbacks, for the Python part of `_ctypes`.
//!
//! Invariant: here are only the operations that Python cannot express; types, layouts and conversions of arguments are in
//! `overrides/lib/_ctypes.py`, which keeps alive what an address points to. As with CPython's `ctypes`, a program that gives a wrong address
//! or a wrong prototype can crash: nothing can be checked here. Left out: complex numbers, calling conventions other than C's.

mod api;
mod call;
mod memory;
mod scalar;

use lisle_runtime::native::{Res, Value, Vm, pymodule};

#[pymodule(
    name = "_ctypes_core",
    doc = "Memory, foreign functions and callbacks for _ctypes.",
    types(memory::Memory, call::Callback)
)]
pub mod module {
    use super::*;
    use lisle_runtime::native::{Char, Py};
    use lisle_runtime::types::str::Str;
    use lisle_runtime::types::tuple::Tuple;

    /// The simple value of a type code at an address.
    #[pyfunction(sig = "(code, address, swapped=False, /)")]
    fn get(vm: &Vm, code: Char, address: usize, swapped: bool) -> Res<Value> {
        // SAFETY: the Python part gives the address of memory of that type (see the module).
        unsafe { super::scalar::get(vm, code.0, address, swapped) }
    }

    /// Stores a simple value of a type code at an address.
    #[pyfunction(sig = "(code, address, value, swapped=False, /)")]
    fn put(vm: &Vm, code: Char, address: usize, value: &Value, swapped: bool) -> Res<()> {
        // SAFETY: as above.
        unsafe { super::scalar::put(vm, code.0, address, value, swapped) }
    }

    /// The number of bytes of a type code, 0 if there is no such code.
    #[pyfunction(sig = "(code, /)")]
    fn size(_vm: &Vm, code: Char) -> usize {
        super::scalar::size(code.0)
    }

    /// A copy of the bytes at an address.
    #[pyfunction(sig = "(address, size, /)")]
    fn read(vm: &Vm, address: usize, size: usize) -> Res<Value> {
        super::memory::read(vm, address, size)
    }

    /// Copies bytes to an address.
    #[pyfunction(sig = "(address, data, /)")]
    fn write(vm: &Vm, address: usize, data: &Value) -> Res<()> {
        super::memory::write(vm, address, data)
    }

    /// The bytes at an address, up to the first null byte if the size is negative.
    #[pyfunction(sig = "(address, size=-1, /)")]
    fn string_at(vm: &Vm, address: usize, size: Option<isize>) -> Res<Value> {
        super::memory::string_at(vm, address, size.unwrap_or(-1))
    }

    /// The wide characters at an address, up to the first null character if the size is negative.
    #[pyfunction(sig = "(address, size=-1, /)")]
    fn wstring_at(vm: &Vm, address: usize, size: Option<isize>) -> Res<Value> {
        super::memory::wstring_at(vm, address, size.unwrap_or(-1))
    }

    /// Opens a shared library; None stands for the program itself.
    #[pyfunction(sig = "(name, mode=0, /)")]
    fn dlopen(vm: &Vm, name: &Value, mode: Option<i32>) -> Res<usize> {
        super::call::dlopen(vm, name, mode.unwrap_or(0))
    }

    /// Closes a shared library.
    #[pyfunction(sig = "(handle, /)")]
    fn dlclose(vm: &Vm, handle: usize) -> Res<()> {
        super::call::dlclose(vm, handle)
    }

    /// The address of a symbol of a shared library, None if there is no such symbol.
    #[pyfunction(sig = "(handle, name, /)")]
    fn dlsym(vm: &Vm, handle: usize, name: &Py<Str>) -> Res<Option<usize>> {
        super::call::dlsym(vm, handle, name)
    }

    /// What the last failed operation on shared libraries said.
    #[pyfunction(sig = "()")]
    fn dlerror(_vm: &Vm) -> String {
        super::call::dlerror()
    }

    #[pyfunction(sig = "()")]
    fn get_errno(_vm: &Vm) -> i32 {
        super::call::ERRNO.get()
    }

    #[pyfunction(sig = "(value, /)")]
    fn set_errno(_vm: &Vm, value: i32) -> i32 {
        super::call::ERRNO.replace(value)
    }

    /// Calls the function at an address. Types are type codes, or tuples of them for structures, whose values are addresses. The result of a
    /// structure type is stored at the address given for it.
    #[pyfunction(sig = "(address, result, types, values, fixed, flags, store, /)")]
    fn call(
        vm: &Vm,
        address: usize,
        result: &Value,
        types: &Py<Tuple>,
        values: &Py<Tuple>,
        fixed: isize,
        flags: u32,
        store: usize,
    ) -> Res<Value> {
        super::call::call(vm, address, result, types, values, fixed, flags, store)
    }

    #[pyattr]
    fn RTLD_LOCAL(_vm: &Vm) -> Value {
        Value::int(libc::RTLD_LOCAL.into())
    }

    #[pyattr]
    fn RTLD_GLOBAL(_vm: &Vm) -> Value {
        Value::int(libc::RTLD_GLOBAL.into())
    }

    #[pyattr]
    fn addresses(_vm: &Vm) -> Value {
        let of = |address: usize| Value::usize(address);
        Tuple::new(vec![
            of(libc::memmove as *const () as usize),
            of(libc::memset as *const () as usize),
        ])
        .into_value()
    }
}
