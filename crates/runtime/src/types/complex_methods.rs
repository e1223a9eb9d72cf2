//! complex's constructor and methods.
//!
//! Invariant: parts given as complex numbers are combined as `real + imag*1j`, which 3.14 deprecates but still does.

use lisle_macros::{pymethods, signature};

use super::complex::{self, Complex, Pair};
use super::float;
use super::number_text;
use crate::native::Signature;
use crate::object::{Native, Py, Type, Value};
use crate::types::str::Str;
use crate::types::tuple::Tuple;
use crate::vm::{Exc, Res, Vm};

/// The result of `__complex__`, if `value` has that method.
fn call_complex(vm: &Vm, value: &Value) -> Res<Option<Pair>> {
    if value.downcast_exact::<Complex>().is_some() {
        return Ok(complex::view(value));
    }
    let Some(result) = vm.call_special_opt(value, crate::intern!("__complex__"), &[])? else {
        return Ok(None);
    };
    let found = || result.ty().name();
    let Some(pair) = complex::view(&result) else {
        return Err(vm.type_error(format!("__complex__ returned non-complex (type {})", found())));
    };
    if result.downcast_exact::<Complex>().is_none() {
        vm.warn(
            crate::types::exceptions::DEPRECATION_WARNING.get(),
            &format!(
                "__complex__ returned non-complex (type {}).  The ability to return an instance of a strict subclass of complex is deprecated, and may not be allowed in a future version of Python.",
                found()
            ),
            1,
        )?;
    }
    Ok(Some(pair))
}

/// A number as `cmath` takes it: complex, or what converts by `__complex__`, `__float__` or `__index__`.
pub fn to_complex(vm: &Vm, value: &Value) -> Res<Pair> {
    if let Some(pair) = complex::view(value) {
        return Ok(pair);
    }
    match call_complex(vm, value)? {
        Some(pair) => Ok(pair),
        None => Ok((float::to_f64(vm, value)?, 0.0)),
    }
}

fn not_real(vm: &Vm, name: &str, value: &Value) -> Exc {
    vm.type_error(not_real_message(name, value))
}

fn not_real_message(name: &str, value: &Value) -> String {
    format!(
        "complex() argument '{name}' must be a real number, not {}",
        crate::types::common::full_name(value.ty())
    )
}

fn from_one(vm: &Vm, cls: &Py<Type>, value: &Value) -> Res<Value> {
    if cls.is(Complex::ty()) && value.downcast_exact::<Complex>().is_some() {
        return Ok(value.clone());
    }
    if let Some(text) = value.downcast::<Str>() {
        return number_text::parse_complex(vm, text).map(|pair| complex::with_class(cls, pair));
    }
    if let Some(pair) = call_complex(vm, value)? {
        return Ok(complex::with_class(cls, pair));
    }
    if let Some(pair) = complex::view(value) {
        return Ok(complex::with_class(cls, pair));
    }
    match float::from_number_opt(vm, value)? {
        Some(x) => Ok(complex::with_class(cls, (x, 0.0))),
        None => {
            let found = crate::types::common::full_name(value.ty());
            Err(vm.type_error(format!("complex() argument must be a string or a number, not {found}")))
        }
    }
}

/// What `complex(real=.., imag=..)` binds to.
static NEW: Signature = signature!("complex(real=0, imag=0)");

fn is_real(value: &Value) -> bool {
    let ty = value.ty();
    let slots = ty.slots();
    slots.float.is_some() || slots.index.is_some()
}

fn deprecated(vm: &Vm, name: &str, value: &Value) -> Res<()> {
    vm.warn(
        crate::types::exceptions::DEPRECATION_WARNING.get(),
        &not_real_message(name, value),
        1,
    )
}

fn from_parts(vm: &Vm, cls: &Py<Type>, real: Option<&Value>, imag: Option<&Value>) -> Res<Value> {
    if let (Some(real), None) = (real, imag)
        && cls.is(Complex::ty())
        && real.downcast_exact::<Complex>().is_some()
    {
        return Ok(real.clone());
    }
    let mut left: (Pair, bool) = ((0.0, 0.0), false);
    if let Some(real) = real {
        let special = if complex::view(real).is_some() {
            None
        } else {
            call_complex(vm, real)?
        };
        left = if let Some(pair) = special.or_else(|| complex::view(real)) {
            if !is_real(real) {
                deprecated(vm, "real", real)?;
            }
            (pair, true)
        } else {
            match float::from_number_opt(vm, real)? {
                Some(x) => ((x, 0.0), false),
                None => return Err(not_real(vm, "real", real)),
            }
        };
    }
    let Some(imag) = imag else {
        return Ok(complex::with_class(cls, left.0));
    };
    let right = if let Some(pair) = complex::view(imag) {
        deprecated(vm, "imag", imag)?;
        (pair, true)
    } else {
        match float::from_number_opt(vm, imag)? {
            Some(x) => ((x, 0.0), false),
            None => return Err(not_real(vm, "imag", imag)),
        }
    };
    let ((mut re, extra), (mut im, minus)) = (left.0, right.0);
    if right.1 {
        re -= minus;
    }
    if left.1 {
        im += extra;
    }
    Ok(complex::with_class(cls, (re, im)))
}

#[pymethods(part = define_methods)]
impl Complex {
    #[slot(sig = "(real=0, imag=0)", raw)]
    fn __new__(vm: &Vm, cls: &Py<Type>, args: crate::native::Args<'_>) -> Res<Value> {
        if let (None, [value]) = (args.kwnames, args.values) {
            return from_one(vm, cls, value);
        }
        let mut bound = [None; 2];
        NEW.bind(vm, args, &mut bound)?;
        from_parts(vm, cls, bound[0], bound[1])
    }

    /// Convert number to a complex floating-point number.
    #[classmethod(sig = "($type, number, /)")]
    fn from_number(vm: &Vm, cls: &Py<Type>, number: &Value) -> Res<Value> {
        if cls.is(Complex::ty()) && number.downcast_exact::<Complex>().is_some() {
            return Ok(number.clone());
        }
        let (re, im) = to_complex(vm, number)?;
        let number = complex::boxed(re, im);
        if cls.is(Complex::ty()) {
            Ok(number)
        } else {
            vm.call(cls.as_value(), &[number])
        }
    }

    /// the real part of a complex number
    #[getter(member)]
    fn real(_vm: &Vm, this: &Py<Complex>) -> f64 {
        this.re
    }

    /// the imaginary part of a complex number
    #[getter(member)]
    fn imag(_vm: &Vm, this: &Py<Complex>) -> f64 {
        this.im
    }

    /// Return the complex conjugate of its argument. (3-4j).conjugate() == 3+4j.
    #[pymethod(sig = "($self, /)")]
    fn conjugate(_vm: &Vm, this: &Py<Complex>) -> Value {
        complex::boxed(this.re, -this.im)
    }

    /// Convert this value to exact type complex.
    #[pymethod(sig = "($self, /)")]
    fn __complex__(_vm: &Vm, this: &Py<Complex>) -> Value {
        complex::exact(this)
    }

    /// Convert to a string according to format_spec.
    #[pymethod(sig = "($self, format_spec, /)")]
    fn __format__(vm: &Vm, this: &Py<Complex>, format_spec: &Py<Str>) -> Res<Value> {
        number_text::format_complex(vm, this, format_spec)
    }

    #[pymethod(sig = "($self, /)")]
    fn __getnewargs__(_vm: &Vm, this: &Py<Complex>) -> Value {
        Tuple::new(vec![Value::float(this.re), Value::float(this.im)]).into_value()
    }
}
