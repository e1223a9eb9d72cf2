//! The `cmath` module: functions of complex numbers.
//!
//! Invariant: arguments convert as `complex()` would (`__complex__`, `__float__`, `__index__`), without text.

mod functions;

use lisle_runtime::native::pymodule;

#[pymodule(
    name = "cmath",
    doc = "This module provides access to mathematical functions for complex\nnumbers."
)]
pub mod module {
    use std::f64::consts;

    use super::functions::{self, Pair};
    use crate::math::special::Failure;
    use lisle_runtime::native::*;

    #[pyattr(name = "pi")]
    const PI: f64 = consts::PI;
    #[pyattr(name = "e")]
    const E: f64 = consts::E;
    #[pyattr(name = "tau")]
    const TAU: f64 = consts::TAU;
    #[pyattr(name = "inf")]
    const INF: f64 = f64::INFINITY;
    #[pyattr(name = "nan")]
    const NAN: f64 = f64::NAN;

    #[pyattr]
    fn infj(_vm: &Vm) -> Value {
        complex_value((0.0, f64::INFINITY))
    }

    #[pyattr]
    fn nanj(_vm: &Vm) -> Value {
        complex_value((0.0, f64::NAN))
    }

    /// An argument as a complex number.
    struct Z(Pair);

    impl<'a> FromArg<'a> for Z {
        fn from_arg(vm: &Vm, value: &'a Value, _: &ArgCtx) -> Res<Z> {
            to_complex(vm, value).map(Z)
        }
    }

    #[cold]
    fn failed(vm: &Vm, failure: Failure) -> Exc {
        match failure {
            Failure::Domain => vm.value_error("math domain error"),
            Failure::Range => vm.overflow_error("math range error"),
        }
    }

    fn checked(vm: &Vm, result: Result<Pair, Failure>) -> Res<Value> {
        result.map(complex_value).map_err(|failure| failed(vm, failure))
    }

    /// Return the arc cosine of z.
    #[pyfunction(sig = "(z, /)")]
    fn acos(vm: &Vm, z: Z) -> Res<Value> {
        checked(vm, functions::acos(z.0))
    }

    /// Return the inverse hyperbolic cosine of z.
    #[pyfunction(sig = "(z, /)")]
    fn acosh(vm: &Vm, z: Z) -> Res<Value> {
        checked(vm, functions::acosh(z.0))
    }

    /// Return the arc sine of z.
    #[pyfunction(sig = "(z, /)")]
    fn asin(vm: &Vm, z: Z) -> Res<Value> {
        checked(vm, functions::asin(z.0))
    }

    /// Return the inverse hyperbolic sine of z.
    #[pyfunction(sig = "(z, /)")]
    fn asinh(vm: &Vm, z: Z) -> Res<Value> {
        checked(vm, functions::asinh_complex(z.0))
    }

    /// Return the arc tangent of z.
    #[pyfunction(sig = "(z, /)")]
    fn atan(vm: &Vm, z: Z) -> Res<Value> {
        checked(vm, functions::atan(z.0))
    }

    /// Return the inverse hyperbolic tangent of z.
    #[pyfunction(sig = "(z, /)")]
    fn atanh(vm: &Vm, z: Z) -> Res<Value> {
        checked(vm, functions::atanh(z.0))
    }

    /// Return the cosine of z.
    #[pyfunction(sig = "(z, /)")]
    fn cos(vm: &Vm, z: Z) -> Res<Value> {
        checked(vm, functions::cos(z.0))
    }

    /// Return the hyperbolic cosine of z.
    #[pyfunction(sig = "(z, /)")]
    fn cosh(vm: &Vm, z: Z) -> Res<Value> {
        checked(vm, functions::cosh(z.0))
    }

    /// Return the exponential value e**z.
    #[pyfunction(sig = "(z, /)")]
    fn exp(vm: &Vm, z: Z) -> Res<Value> {
        checked(vm, functions::exp(z.0))
    }

    /// Return the base-10 logarithm of z.
    #[pyfunction(sig = "(z, /)")]
    fn log10(vm: &Vm, z: Z) -> Res<Value> {
        checked(vm, functions::log10(z.0))
    }

    /// Return the sine of z.
    #[pyfunction(sig = "(z, /)")]
    fn sin(vm: &Vm, z: Z) -> Res<Value> {
        checked(vm, functions::sin(z.0))
    }

    /// Return the hyperbolic sine of z.
    #[pyfunction(sig = "(z, /)")]
    fn sinh(vm: &Vm, z: Z) -> Res<Value> {
        checked(vm, functions::sinh(z.0))
    }

    /// Return the square root of z.
    #[pyfunction(sig = "(z, /)")]
    fn sqrt(vm: &Vm, z: Z) -> Res<Value> {
        checked(vm, functions::sqrt(z.0))
    }

    /// Return the tangent of z.
    #[pyfunction(sig = "(z, /)")]
    fn tan(vm: &Vm, z: Z) -> Res<Value> {
        checked(vm, functions::tan(z.0))
    }

    /// Return the hyperbolic tangent of z.
    #[pyfunction(sig = "(z, /)")]
    fn tanh(vm: &Vm, z: Z) -> Res<Value> {
        checked(vm, functions::tanh(z.0))
    }

    /// log(z[, base]) -> the logarithm of z to the given base.
    ///
    /// If the base is not specified, returns the natural logarithm (base e) of z.
    #[pyfunction(sig = "(z, base=<unrepresentable>, /)")]
    fn log(vm: &Vm, z: Z, base: Option<&Value>) -> Res<Value> {
        let number = functions::log(z.0);
        let Some(base) = base else { return checked(vm, number) };
        let base = functions::log(to_complex(vm, base)?);
        checked(
            vm,
            number.and_then(|number| complex_divide(number, base?).ok_or(Failure::Domain)),
        )
    }

    /// Return True if both the real and imaginary parts of z are finite, else False.
    #[pyfunction(sig = "(z, /)")]
    fn isfinite(_vm: &Vm, z: Z) -> bool {
        z.0.0.is_finite() && z.0.1.is_finite()
    }

    /// Checks if the real or imaginary part of z is infinite.
    #[pyfunction(sig = "(z, /)")]
    fn isinf(_vm: &Vm, z: Z) -> bool {
        z.0.0.is_infinite() || z.0.1.is_infinite()
    }

    /// Checks if the real or imaginary part of z not a number (NaN).
    #[pyfunction(sig = "(z, /)")]
    fn isnan(_vm: &Vm, z: Z) -> bool {
        z.0.0.is_nan() || z.0.1.is_nan()
    }

    /// Determine whether two complex numbers are close in value.
    ///
    ///   rel_tol
    ///     maximum difference for being considered "close", relative to the
    ///     magnitude of the input values
    ///   abs_tol
    ///     maximum difference for being considered "close", regardless of the
    ///     magnitude of the input values
    ///
    /// Return True if a is close in value to b, and False otherwise.
    ///
    /// For the values to be considered close, the difference between them must be
    /// smaller than at least one of the tolerances.
    ///
    /// -inf, inf and NaN behave similarly to the IEEE 754 Standard. That is, NaN is
    /// not close to anything, even itself. inf and -inf are only close to themselves.
    #[pyfunction(sig = "($module, /, a, b, *, rel_tol=1e-09, abs_tol=0.0)")]
    fn isclose(vm: &Vm, a: Z, b: Z, rel_tol: f64, abs_tol: f64) -> Res<bool> {
        if rel_tol < 0.0 || abs_tol < 0.0 {
            return Err(vm.value_error("tolerances must be non-negative"));
        }
        let (Z(a), Z(b)) = (a, b);
        if a == b {
            return Ok(true);
        }
        let size = |(re, im): Pair| re.hypot(im);
        if [a.0, a.1, b.0, b.1].iter().any(|x| x.is_infinite()) {
            return Ok(false);
        }
        let difference = size((a.0 - b.0, a.1 - b.1));
        Ok(difference <= rel_tol * size(b) || difference <= rel_tol * size(a) || difference <= abs_tol)
    }

    /// Return argument, also known as the phase angle, of a complex.
    #[pyfunction(sig = "(z, /)")]
    fn phase(_vm: &Vm, z: Z) -> f64 {
        z.0.1.atan2(z.0.0)
    }

    /// Convert a complex from rectangular coordinates to polar coordinates.
    ///
    /// r is the distance from 0 and phi the phase angle.
    #[pyfunction(sig = "(z, /)")]
    fn polar(vm: &Vm, z: Z) -> Res<(f64, f64)> {
        let (re, im) = z.0;
        let r = re.hypot(im);
        if r.is_infinite() && re.is_finite() && im.is_finite() {
            return Err(failed(vm, Failure::Range));
        }
        Ok((r, im.atan2(re)))
    }

    /// Convert from polar coordinates to rectangular coordinates.
    #[pyfunction(sig = "(r, phi, /)")]
    fn rect(vm: &Vm, r: f64, phi: f64) -> Res<Value> {
        checked(vm, functions::rect(r, phi))
    }
}
