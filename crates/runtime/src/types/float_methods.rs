//! float's constructor and methods.
//!
//! Invariant: methods of float return exact floats and ints, whatever subclass they are called on; only the constructors
//! (`float`, `fromhex`, `from_number`) make instances of subclasses.

use lisle_macros::pymethods;

use super::buffer::bytes_of;
use super::float::{self, Float};
use super::number_text;
use crate::object::{Native, Py, Type, Value};
use crate::text::float::{integer_ratio, round_float, to_hex};
use crate::types::str::Str;
use crate::types::tuple::Tuple;
use crate::vm::{Res, Vm};

/// `float(value)`.
pub fn from_value(vm: &Vm, value: &Value) -> Res<f64> {
    if let Some(text) = value.downcast::<Str>()
        && value.ty().slots().float.is_none()
    {
        return number_text::parse_float_str(vm, text);
    }
    if let Some(x) = float::from_number_opt(vm, value)? {
        return Ok(x);
    }
    if let Some(x) = float::view(value) {
        return Ok(x);
    }
    if let Some(bytes) = bytes_of(value) {
        return number_text::parse_float_bytes(vm, value, &bytes);
    }
    let found = value.ty().name();
    Err(vm.type_error(format!(
        "float() argument must be a string or a real number, not '{found}'"
    )))
}

#[pymethods(part = define_methods)]
impl Float {
    #[slot(sig = "(x=0, /)")]
    fn __new__(vm: &Vm, cls: &Py<Type>, x: Option<&Value>) -> Res<Value> {
        let Some(x) = x else {
            return Ok(float::with_class(cls, 0.0));
        };
        // The same object, which for nan is more than the same number.
        if cls.is(Float::ty()) && x.as_exact_float().is_some() {
            return Ok(x.clone());
        }
        from_value(vm, x).map(|x| float::with_class(cls, x))
    }

    /// Convert real number to a floating-point number.
    #[classmethod(sig = "($type, number, /)")]
    fn from_number(vm: &Vm, cls: &Py<Type>, number: &Value) -> Res<Value> {
        if cls.is(Float::ty()) && number.as_exact_float().is_some() {
            return Ok(number.clone());
        }
        let x = Value::float(float::to_f64(vm, number)?);
        if cls.is(Float::ty()) {
            Ok(x)
        } else {
            vm.call(cls.as_value(), &[x])
        }
    }

    /// Create a floating-point number from a hexadecimal string.
    ///
    /// >>> float.fromhex('0x1.ffffp10')
    /// 2047.984375
    /// >>> float.fromhex('-0x1p-1074')
    /// -5e-324
    #[classmethod(sig = "($type, string, /)")]
    fn fromhex(vm: &Vm, cls: &Py<Type>, string: &Value) -> Res<Value> {
        let Some(text) = string.downcast::<Str>() else {
            return Err(vm.type_error("bad argument type for built-in operation"));
        };
        let x = Value::float(number_text::parse_hex(vm, text)?);
        if cls.is(Float::ty()) {
            Ok(x)
        } else {
            vm.call(cls.as_value(), &[x])
        }
    }

    /// Return a hexadecimal representation of a floating-point number.
    ///
    /// >>> (-0.1).hex()
    /// '-0x1.999999999999ap-4'
    /// >>> 3.14159.hex()
    /// '0x1.921f9f01b866ep+1'
    #[pymethod(sig = "($self, /)")]
    fn hex(_vm: &Vm, this: &Value) -> Value {
        Str::from_str(&to_hex(float::known(this))).into_value()
    }

    /// Return a pair of integers, whose ratio is exactly equal to the original float.
    ///
    /// The ratio is in lowest terms and has a positive denominator.  Raise
    /// OverflowError on infinities and a ValueError on NaNs.
    ///
    /// >>> (10.0).as_integer_ratio()
    /// (10, 1)
    /// >>> (0.0).as_integer_ratio()
    /// (0, 1)
    /// >>> (-.25).as_integer_ratio()
    /// (-1, 4)
    #[pymethod(sig = "($self, /)")]
    fn as_integer_ratio(vm: &Vm, this: &Value) -> Res<Value> {
        let x = float::known(this);
        if x.is_infinite() {
            return Err(vm.overflow_error("cannot convert Infinity to integer ratio"));
        }
        if x.is_nan() {
            return Err(vm.value_error("cannot convert NaN to integer ratio"));
        }
        let (numerator, denominator) = integer_ratio(x);
        Ok(Tuple::new(vec![Value::bigint(numerator), Value::bigint(denominator)]).into_value())
    }

    /// Return True if the float is an integer.
    #[pymethod(sig = "($self, /)")]
    fn is_integer(_vm: &Vm, this: &Value) -> bool {
        let x = float::known(this);
        x.is_finite() && x.floor() == x
    }

    /// Return self, the complex conjugate of any float.
    #[pymethod(sig = "($self, /)")]
    fn conjugate(_vm: &Vm, this: &Value) -> Value {
        float::exact(this)
    }

    /// the real part of a complex number
    #[getter]
    fn real(_vm: &Vm, this: &Value) -> Value {
        float::exact(this)
    }

    /// the imaginary part of a complex number
    #[getter]
    fn imag(_vm: &Vm, _this: &Value) -> f64 {
        0.0
    }

    /// Return the Integral closest to x between 0 and x.
    #[pymethod(sig = "($self, /)")]
    fn __trunc__(vm: &Vm, this: &Value) -> Res<Value> {
        float::truncate(vm, float::known(this))
    }

    /// Return the floor as an Integral.
    #[pymethod(sig = "($self, /)")]
    fn __floor__(vm: &Vm, this: &Value) -> Res<Value> {
        float::truncate(vm, float::known(this).floor())
    }

    /// Return the ceiling as an Integral.
    #[pymethod(sig = "($self, /)")]
    fn __ceil__(vm: &Vm, this: &Value) -> Res<Value> {
        float::truncate(vm, float::known(this).ceil())
    }

    /// Return the Integral closest to x, rounding half toward even.
    ///
    /// When an argument is passed, work like built-in round(x, ndigits).
    #[pymethod(sig = "($self, ndigits=None, /)")]
    fn __round__(vm: &Vm, this: &Value, ndigits: Option<&Value>) -> Res<Value> {
        let x = float::known(this);
        let Some(ndigits) = ndigits else {
            return float::truncate(vm, x.round_ties_even());
        };
        let digits = vm.index_clamped(ndigits)?;
        if !x.is_finite() || x == 0.0 {
            return Ok(Value::float(x));
        }
        match round_float(x, digits as i64) {
            Some(rounded) => Ok(Value::float(rounded)),
            None => Err(vm.overflow_error("rounded value too large to represent")),
        }
    }

    /// Formats the float according to format_spec.
    #[pymethod(sig = "($self, format_spec, /)")]
    fn __format__(vm: &Vm, this: &Value, format_spec: &Py<Str>) -> Res<Value> {
        number_text::format_float(vm, this, format_spec)
    }

    #[pymethod(sig = "($self, /)")]
    fn __getnewargs__(_vm: &Vm, this: &Value) -> Value {
        Tuple::new(vec![Value::float(float::known(this))]).into_value()
    }

    /// You probably don't want to use this function.
    ///
    ///   typestr
    ///     Must be 'double' or 'float'.
    ///
    /// It exists mainly to be used in Python's test suite.
    ///
    /// This function returns whichever of 'unknown', 'IEEE, big-endian' or 'IEEE,
    /// little-endian' best describes the format of floating-point numbers used by the
    /// C type named by typestr.
    #[classmethod(sig = "($type, typestr, /)")]
    fn __getformat__(vm: &Vm, _cls: &Py<Type>, typestr: &Py<Str>) -> Res<Value> {
        if !typestr.is_text("double") && !typestr.is_text("float") {
            return Err(vm.value_error("__getformat__() argument 1 must be 'double' or 'float'"));
        }
        let name = if cfg!(target_endian = "little") {
            "IEEE, little-endian"
        } else {
            "IEEE, big-endian"
        };
        Ok(Str::from_str(name).into_value())
    }
}
