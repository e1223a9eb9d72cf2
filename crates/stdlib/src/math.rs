//! The `math` module: functions of floats, and by its parts exact sums and integer functions.
//!
//! Invariant: a result that is not finite for finite arguments is an error: `ValueError` outside of the function's domain,
//! `OverflowError` ("math range error") where the result is too large.

mod integers;
pub mod special;
mod sums;

use lisle_runtime::native::pymodule;

#[pymodule(
    name = "math",
    doc = "This module provides access to the mathematical functions\ndefined by the C standard.",
    parts(super::integers::module::DEF)
)]
pub mod module {
    use std::f64::consts;

    use super::special::{self, Failure};
    use super::sums::{Dot, Partials, SumError, norm};
    use lisle_bytecode::opcode::BinOp;
    use lisle_runtime::intern;
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

    const DOMAIN: &str = "math domain error";
    const RANGE: &str = "math range error";

    #[cold]
    fn domain(vm: &Vm) -> Exc {
        vm.value_error(DOMAIN)
    }

    #[cold]
    fn range(vm: &Vm) -> Exc {
        vm.overflow_error(RANGE)
    }

    /// The error of a function whose domain does not have `x`: `"expected .., got "` and the number.
    #[cold]
    fn outside(vm: &Vm, expected: &str, x: f64) -> Exc {
        if expected.is_empty() {
            domain(vm)
        } else {
            vm.value_error(format!("{expected}, got {}", float_repr(x)))
        }
    }

    /// Checks a function without overflow.
    #[inline]
    fn bounded(vm: &Vm, x: f64, result: f64, expected: &str) -> Res<f64> {
        if result.is_finite() || x.is_nan() || (result.is_infinite() && x.is_infinite()) {
            return Ok(result);
        }
        Err(outside(vm, expected, x))
    }

    /// Checks a function that can overflow, but is defined everywhere.
    #[inline]
    fn growing(vm: &Vm, x: f64, result: f64) -> Res<f64> {
        if result.is_infinite() && x.is_finite() {
            return Err(range(vm));
        }
        Ok(result)
    }

    fn checked(vm: &Vm, x: f64, result: Result<f64, Failure>, expected: &str) -> Res<f64> {
        result.map_err(|failure| match failure {
            Failure::Domain => outside(vm, expected, x),
            Failure::Range => range(vm),
        })
    }

    /// Return the arc cosine (measured in radians) of x.
    ///
    /// The result is between 0 and pi.
    #[pyfunction(sig = "(x, /)")]
    fn acos(vm: &Vm, x: f64) -> Res<f64> {
        bounded(vm, x, x.acos(), "expected a number in range from -1 up to 1")
    }

    /// Return the inverse hyperbolic cosine of x.
    #[pyfunction(sig = "(x, /)")]
    fn acosh(vm: &Vm, x: f64) -> Res<f64> {
        bounded(vm, x, special::acosh(x), "expected argument value not less than 1")
    }

    /// Return the arc sine (measured in radians) of x.
    ///
    /// The result is between -pi/2 and pi/2.
    #[pyfunction(sig = "(x, /)")]
    fn asin(vm: &Vm, x: f64) -> Res<f64> {
        bounded(vm, x, x.asin(), "expected a number in range from -1 up to 1")
    }

    /// Return the inverse hyperbolic sine of x.
    #[pyfunction(sig = "(x, /)")]
    fn asinh(vm: &Vm, x: f64) -> Res<f64> {
        bounded(vm, x, special::asinh(x), "")
    }

    /// Return the arc tangent (measured in radians) of x.
    ///
    /// The result is between -pi/2 and pi/2.
    #[pyfunction(sig = "(x, /)")]
    fn atan(_vm: &Vm, x: f64) -> f64 {
        x.atan()
    }

    /// Return the arc tangent (measured in radians) of y/x.
    ///
    /// Unlike atan(y/x), the signs of both x and y are considered.
    #[pyfunction(sig = "(y, x, /)")]
    fn atan2(_vm: &Vm, y: f64, x: f64) -> f64 {
        y.atan2(x)
    }

    /// Return the inverse hyperbolic tangent of x.
    #[pyfunction(sig = "(x, /)")]
    fn atanh(vm: &Vm, x: f64) -> Res<f64> {
        bounded(vm, x, special::atanh(x), "expected a number between -1 and 1")
    }

    /// Return the cube root of x.
    #[pyfunction(sig = "(x, /)")]
    fn cbrt(_vm: &Vm, x: f64) -> f64 {
        x.cbrt()
    }

    /// Return a float with the magnitude (absolute value) of x but the sign of y.
    ///
    /// On platforms that support signed zeros, copysign(1.0, -0.0)
    /// returns -1.0.
    #[pyfunction(sig = "(x, y, /)")]
    fn copysign(_vm: &Vm, x: f64, y: f64) -> f64 {
        x.copysign(y)
    }

    /// Return the cosine of x (measured in radians).
    #[pyfunction(sig = "(x, /)")]
    fn cos(vm: &Vm, x: f64) -> Res<f64> {
        bounded(vm, x, x.cos(), "expected a finite input")
    }

    /// Return the hyperbolic cosine of x.
    #[pyfunction(sig = "(x, /)")]
    fn cosh(vm: &Vm, x: f64) -> Res<f64> {
        growing(vm, x, x.cosh())
    }

    /// Convert angle x from radians to degrees.
    #[pyfunction(sig = "(x, /)")]
    fn degrees(_vm: &Vm, x: f64) -> f64 {
        x * (180.0 / consts::PI)
    }

    /// Error function at x.
    #[pyfunction(sig = "(x, /)")]
    fn erf(_vm: &Vm, x: f64) -> f64 {
        special::erf(x)
    }

    /// Complementary error function at x.
    #[pyfunction(sig = "(x, /)")]
    fn erfc(_vm: &Vm, x: f64) -> f64 {
        special::erfc(x)
    }

    /// Return e raised to the power of x.
    #[pyfunction(sig = "(x, /)")]
    fn exp(vm: &Vm, x: f64) -> Res<f64> {
        growing(vm, x, x.exp())
    }

    /// Return 2 raised to the power of x.
    #[pyfunction(sig = "(x, /)")]
    fn exp2(vm: &Vm, x: f64) -> Res<f64> {
        growing(vm, x, x.exp2())
    }

    /// Return exp(x)-1.
    ///
    /// This function avoids the loss of precision involved in the direct evaluation of exp(x)-1 for small x.
    #[pyfunction(sig = "(x, /)")]
    fn expm1(vm: &Vm, x: f64) -> Res<f64> {
        growing(vm, x, x.exp_m1())
    }

    /// Return the absolute value of the float x.
    #[pyfunction(sig = "(x, /)")]
    fn fabs(_vm: &Vm, x: f64) -> f64 {
        x.abs()
    }

    /// Fused multiply-add operation.
    ///
    /// Compute (x * y) + z with a single round.
    #[pyfunction(sig = "(x, y, z, /)")]
    fn fma(vm: &Vm, x: f64, y: f64, z: f64) -> Res<f64> {
        let result = x.mul_add(y, z);
        if result.is_finite() {
            return Ok(result);
        }
        if result.is_nan() {
            if !x.is_nan() && !y.is_nan() && !z.is_nan() {
                return Err(vm.value_error("invalid operation in fma"));
            }
        } else if x.is_finite() && y.is_finite() && z.is_finite() {
            return Err(vm.overflow_error("overflow in fma"));
        }
        Ok(result)
    }

    /// Return fmod(x, y), according to platform C.
    ///
    /// x % y may differ.
    #[pyfunction(sig = "(x, y, /)")]
    fn fmod(vm: &Vm, x: f64, y: f64) -> Res<f64> {
        let result = x % y;
        if result.is_nan() && !x.is_nan() && !y.is_nan() {
            return Err(domain(vm));
        }
        Ok(result)
    }

    /// Return the mantissa and exponent of x, as pair (m, e).
    ///
    /// m is a float and e is an int, such that x = m * 2.**e.
    /// If x is 0, m and e are both 0.  Else 0.5 <= abs(m) < 1.0.
    #[pyfunction(sig = "(x, /)")]
    fn frexp(_vm: &Vm, x: f64) -> (f64, i32) {
        special::frexp(x)
    }

    /// Return an accurate floating-point sum of values in the iterable seq.
    ///
    /// Assumes IEEE-754 floating-point arithmetic.
    #[pyfunction(sig = "(seq, /)")]
    fn fsum(vm: &Vm, seq: &Value) -> Res<f64> {
        let mut sum = Partials::default();
        let failed = |error| match error {
            SumError::IntermediateOverflow => vm.overflow_error("intermediate overflow in fsum"),
            SumError::OppositeInfinities => vm.value_error("-inf + inf in fsum"),
        };
        vm.for_each(seq, |item| sum.add(vm.to_f64(&item)?).map_err(failed))?;
        sum.finish().map_err(failed)
    }

    /// Gamma function at x.
    #[pyfunction(sig = "(x, /)")]
    fn gamma(vm: &Vm, x: f64) -> Res<f64> {
        checked(vm, x, special::gamma(x), "expected a noninteger or positive integer")
    }

    /// Natural logarithm of absolute value of Gamma function at x.
    #[pyfunction(sig = "(x, /)")]
    fn lgamma(vm: &Vm, x: f64) -> Res<f64> {
        checked(vm, x, special::lgamma(x), "expected a noninteger or positive integer")
    }

    fn coordinates(vm: &Vm, values: &[Value]) -> Res<Vec<f64>> {
        values.iter().map(|value| vm.to_f64(value)).collect()
    }

    /// hypot(*coordinates) -> value
    ///
    /// Multidimensional Euclidean distance from the origin to a point.
    ///
    /// Roughly equivalent to:
    ///     sqrt(sum(x**2 for x in coordinates))
    ///
    /// For a two dimensional point (x, y), gives the hypotenuse
    /// using the Pythagorean theorem:  sqrt(x*x + y*y).
    ///
    /// For example, the hypotenuse of a 3/4/5 right triangle is:
    ///
    ///     >>> hypot(3.0, 4.0)
    ///     5.0
    #[pyfunction(sig = "(*coordinates)")]
    fn hypot(vm: &Vm, points: &[Value]) -> Res<f64> {
        let mut values = coordinates(vm, points)?;
        values.iter_mut().for_each(|x| *x = x.abs());
        Ok(norm(&mut values))
    }

    /// Return the Euclidean distance between two points p and q.
    ///
    /// The points should be specified as sequences (or iterables) of
    /// coordinates.  Both inputs must have the same dimension.
    ///
    /// Roughly equivalent to:
    ///     sqrt(sum((px - qx) ** 2.0 for px, qx in zip(p, q)))
    #[pyfunction(sig = "(p, q, /)")]
    fn dist(vm: &Vm, p: &Value, q: &Value) -> Res<f64> {
        let (p, q) = (vm.collect(p)?, vm.collect(q)?);
        if p.len() != q.len() {
            return Err(vm.value_error("both points must have the same number of dimensions"));
        }
        let mut values = coordinates(vm, &p)?;
        for (x, y) in values.iter_mut().zip(coordinates(vm, &q)?) {
            *x = (*x - y).abs();
        }
        Ok(norm(&mut values))
    }

    /// Determine whether two floating-point numbers are close in value.
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
    /// For the values to be considered close, the difference between them
    /// must be smaller than at least one of the tolerances.
    ///
    /// -inf, inf and NaN behave similarly to the IEEE 754 Standard.  That
    /// is, NaN is not close to anything, even itself.  inf and -inf are
    /// only close to themselves.
    #[pyfunction(sig = "($module, /, a, b, *, rel_tol=1e-09, abs_tol=0.0)")]
    fn isclose(vm: &Vm, a: f64, b: f64, rel_tol: f64, abs_tol: f64) -> Res<bool> {
        if rel_tol < 0.0 || abs_tol < 0.0 {
            return Err(vm.value_error("tolerances must be non-negative"));
        }
        if a == b {
            return Ok(true);
        }
        if a.is_infinite() || b.is_infinite() {
            return Ok(false);
        }
        let difference = (b - a).abs();
        Ok(difference <= (rel_tol * b).abs() || difference <= (rel_tol * a).abs() || difference <= abs_tol)
    }

    /// Return True if x is neither an infinity nor a NaN, and False otherwise.
    #[pyfunction(sig = "(x, /)")]
    fn isfinite(_vm: &Vm, x: f64) -> bool {
        x.is_finite()
    }

    /// Return True if x is a positive or negative infinity, and False otherwise.
    #[pyfunction(sig = "(x, /)")]
    fn isinf(_vm: &Vm, x: f64) -> bool {
        x.is_infinite()
    }

    /// Return True if x is a NaN (not a number), and False otherwise.
    #[pyfunction(sig = "(x, /)")]
    fn isnan(_vm: &Vm, x: f64) -> bool {
        x.is_nan()
    }

    /// Return x * (2**i).
    ///
    /// This is essentially the inverse of frexp().
    #[pyfunction(sig = "(x, i, /)")]
    fn ldexp(vm: &Vm, x: f64, i: &Value) -> Res<f64> {
        let Some(exponent) = int_view(i) else {
            return Err(vm.type_error("Expected an int as second argument to ldexp."));
        };
        if x == 0.0 || !x.is_finite() {
            return Ok(x);
        }
        // Beyond these the result is the same for every exponent.
        let exponent = match exponent {
            IntRef::Small(i) => i.clamp(-10_000, 10_000) as i32,
            IntRef::Big(_) if exponent.is_negative() => -10_000,
            IntRef::Big(_) => 10_000,
        };
        growing(vm, x, special::ldexp(x, exponent))
    }

    /// The logarithm of an int or float by `log`; `log(2)` scales what is too large for a float.
    fn logarithm(vm: &Vm, value: &Value, log: fn(f64) -> f64) -> Res<f64> {
        if let Some(n) = int_view(value) {
            if n.is_zero() || n.is_negative() {
                return Err(vm.value_error("expected a positive input"));
            }
            let n = match n {
                IntRef::Small(i) => return Ok(log(i as f64)),
                IntRef::Big(n) => n,
            };
            if let Some(x) = bigint_to_f64(n) {
                return Ok(log(x));
            }
            let exponent = n.bits();
            let shift = exponent - 64;
            // 64 bits with the rest as a sticky bit round as the whole number would.
            let mut top = (n >> shift).iter_u64_digits().next().unwrap_or(0);
            if n.trailing_zeros().is_some_and(|zeros| zeros < shift) {
                top |= 1;
            }
            let mantissa = top as f64 / 18_446_744_073_709_551_616.0;
            return Ok(log(mantissa) + log(2.0) * exponent as f64);
        }
        let x = vm.to_f64(value)?;
        if x <= 0.0 {
            return Err(outside(vm, "expected a positive input", x));
        }
        Ok(log(x))
    }

    /// log(x, [base=math.e])
    /// Return the logarithm of x to the given base.
    ///
    /// If the base is not specified, returns the natural logarithm (base e) of x.
    #[pyfunction]
    fn log(vm: &Vm, args: Args<'_>) -> Res<Value> {
        args.no_keywords(vm, "math.log")?;
        let values = args.check_positional(vm, "log", 1, 2)?;
        let number = logarithm(vm, &values[0], f64::ln)?;
        let Some(base) = values.get(1) else {
            return Ok(Value::float(number));
        };
        let base = logarithm(vm, base, f64::ln)?;
        vm.binary(BinOp::TrueDiv, &Value::float(number), &Value::float(base))
    }

    /// Return the natural logarithm of 1+x (base e).
    ///
    /// The result is computed in a way which is accurate for x near zero.
    #[pyfunction(sig = "(x, /)")]
    fn log1p(vm: &Vm, x: f64) -> Res<f64> {
        let result = if x == 0.0 { x } else { x.ln_1p() };
        bounded(vm, x, result, "expected argument value > -1")
    }

    /// Return the base 2 logarithm of x.
    #[pyfunction(sig = "(x, /)")]
    fn log2(vm: &Vm, x: &Value) -> Res<f64> {
        logarithm(vm, x, f64::log2)
    }

    /// Return the base 10 logarithm of x.
    #[pyfunction(sig = "(x, /)")]
    fn log10(vm: &Vm, x: &Value) -> Res<f64> {
        logarithm(vm, x, f64::log10)
    }

    /// Return the fractional and integer parts of x.
    ///
    /// Both results carry the sign of x and are floats.
    #[pyfunction(sig = "(x, /)")]
    fn modf(_vm: &Vm, x: f64) -> (f64, f64) {
        if x.is_infinite() {
            return (0.0f64.copysign(x), x);
        }
        if x.is_nan() {
            return (x, x);
        }
        let whole = x.trunc();
        ((x - whole).copysign(x), whole)
    }

    /// Return the floating-point value the given number of steps after x towards y.
    ///
    /// If steps is not specified or is None, it defaults to 1.
    ///
    /// Raises a TypeError, if x or y is not a double, or if steps is not an integer.
    /// Raises ValueError if steps is negative.
    #[pyfunction(sig = "(x, y, /, *, steps=None)")]
    fn nextafter(vm: &Vm, x: f64, y: f64, steps: Option<&Value>) -> Res<f64> {
        let steps = match steps {
            // The C function: a step to zero keeps the sign.
            None if y == 0.0 && x != 0.0 && special::next_after(x, y, 1) == 0.0 => return Ok(0.0f64.copysign(x)),
            None => 1,
            Some(steps) => {
                let steps = vm.index(steps)?;
                match int_view(&steps) {
                    Some(n) if n.is_negative() => return Err(vm.value_error("steps must be a non-negative integer")),
                    Some(n) => n.to_u64().unwrap_or(u64::MAX),
                    None => 1,
                }
            }
        };
        Ok(special::next_after(x, y, steps))
    }

    /// Return x**y (x to the power of y).
    #[pyfunction(sig = "(x, y, /)")]
    fn pow(vm: &Vm, x: f64, y: f64) -> Res<f64> {
        let result = x.powf(y);
        if result.is_finite() || !x.is_finite() || !y.is_finite() {
            return Ok(result);
        }
        Err(if result.is_nan() || x == 0.0 {
            domain(vm)
        } else {
            range(vm)
        })
    }

    /// Calculate the product of all the elements in the input iterable.
    ///
    /// The default start value for the product is 1.
    ///
    /// When the iterable is empty, return the start value.  This function is
    /// intended specifically for use with numeric values and may reject
    /// non-numeric types.
    #[pyfunction(sig = "(iterable, /, *, start=1)")]
    fn prod(vm: &Vm, iterable: &Value, start: Option<&Value>) -> Res<Value> {
        let mut product = start.cloned().unwrap_or(Value::int(1));
        vm.for_each(iterable, |item| {
            product = match (product.as_exact_float(), item.as_exact_float()) {
                (Some(a), Some(b)) => Value::float(a * b),
                _ => vm.binary(BinOp::Mul, &product, &item)?,
            };
            Ok(())
        })?;
        Ok(product)
    }

    /// Convert angle x from degrees to radians.
    #[pyfunction(sig = "(x, /)")]
    fn radians(_vm: &Vm, x: f64) -> f64 {
        x * (consts::PI / 180.0)
    }

    /// Difference between x and the closest integer multiple of y.
    ///
    /// Return x - n*y where n*y is the closest integer multiple of y.
    /// In the case where x is exactly halfway between two multiples of
    /// y, the nearest even value of n is used. The result is always exact.
    #[pyfunction(sig = "(x, y, /)")]
    fn remainder(vm: &Vm, x: f64, y: f64) -> Res<f64> {
        let result = special::remainder(x, y);
        if result.is_nan() && !x.is_nan() && !y.is_nan() {
            return Err(domain(vm));
        }
        Ok(result)
    }

    /// Return the sine of x (measured in radians).
    #[pyfunction(sig = "(x, /)")]
    fn sin(vm: &Vm, x: f64) -> Res<f64> {
        bounded(vm, x, x.sin(), "expected a finite input")
    }

    /// Return the hyperbolic sine of x.
    #[pyfunction(sig = "(x, /)")]
    fn sinh(vm: &Vm, x: f64) -> Res<f64> {
        growing(vm, x, x.sinh())
    }

    /// Return the square root of x.
    #[pyfunction(sig = "(x, /)")]
    fn sqrt(vm: &Vm, x: f64) -> Res<f64> {
        bounded(vm, x, x.sqrt(), "expected a nonnegative input")
    }

    /// A number that `sumprod` adds without calling back into the interpreter.
    enum Plain {
        Int(i64),
        Float(f64),
    }

    fn plain(value: &Value) -> Option<Plain> {
        match value.as_small_int() {
            Some(i) => Some(Plain::Int(i)),
            None if value.is_bool() => Some(Plain::Int(value.is_true().into())),
            None => value.as_exact_float().map(Plain::Float),
        }
    }

    /// Return the sum of products of values from two iterables p and q.
    ///
    /// Roughly equivalent to:
    ///
    ///     sum(itertools.starmap(operator.mul, zip(p, q, strict=True)))
    ///
    /// For float and mixed int/float inputs, the intermediate products
    /// and sums are computed with extended precision.
    #[pyfunction(sig = "(p, q, /)")]
    fn sumprod(vm: &Vm, p: &Value, q: &Value) -> Res<Value> {
        let (p, q) = (vm.iter(p)?, vm.iter(q)?);
        let mut total = Value::int(0);
        let mut ints: i64 = 0;
        let mut floats: Option<Dot> = None;
        // Once something else came, the short ways are not taken again.
        let (mut as_ints, mut as_floats) = (true, true);
        let flush_floats = |total: &mut Value, floats: &mut Option<Dot>| -> Res<()> {
            if let Some(sum) = floats.take().and_then(Dot::finite) {
                *total = vm.binary(BinOp::Add, total, &Value::float(sum))?;
            }
            Ok(())
        };
        let flush_ints = |total: &mut Value, ints: &mut i64| -> Res<()> {
            if *ints != 0 {
                *total = vm.binary(BinOp::Add, total, &Value::int(std::mem::take(ints)))?;
            }
            Ok(())
        };
        loop {
            let (a, b) = (vm.next(&p)?, vm.next(&q)?);
            let (a, b) = match (a, b) {
                (Some(a), Some(b)) => (a, b),
                (None, None) => break,
                _ => return Err(vm.value_error("Inputs are not the same length")),
            };
            let pair = match (plain(&a), plain(&b)) {
                (Some(Plain::Int(x)), Some(Plain::Int(y))) if as_ints => {
                    if let Some(sum) = x.checked_mul(y).and_then(|product| product.checked_add(ints)) {
                        ints = sum;
                        continue;
                    }
                    None
                }
                (Some(Plain::Float(x)), Some(Plain::Float(y))) => Some((x, y)),
                (Some(Plain::Int(x)), Some(Plain::Float(y))) => Some((x as f64, y)),
                (Some(Plain::Float(x)), Some(Plain::Int(y))) => Some((x, y as f64)),
                _ => None,
            };
            as_ints = false;
            flush_ints(&mut total, &mut ints)?;
            if let Some((x, y)) = pair.filter(|_| as_floats) {
                let next = floats.unwrap_or_default().plus(x, y);
                if next.is_finite() {
                    floats = Some(next);
                    continue;
                }
            }
            as_floats = false;
            flush_floats(&mut total, &mut floats)?;
            let product = vm.binary(BinOp::Mul, &a, &b)?;
            total = vm.binary(BinOp::Add, &total, &product)?;
        }
        flush_ints(&mut total, &mut ints)?;
        flush_floats(&mut total, &mut floats)?;
        Ok(total)
    }

    /// Return the tangent of x (measured in radians).
    #[pyfunction(sig = "(x, /)")]
    fn tan(vm: &Vm, x: f64) -> Res<f64> {
        bounded(vm, x, x.tan(), "expected a finite input")
    }

    /// Return the hyperbolic tangent of x.
    #[pyfunction(sig = "(x, /)")]
    fn tanh(_vm: &Vm, x: f64) -> f64 {
        x.tanh()
    }

    /// `floor` and `ceil`: the object's own method, else that of the float it converts to.
    fn to_whole(vm: &Vm, x: &Value, method: &'static Py<Str>, round: fn(f64) -> f64) -> Res<Value> {
        if x.is_small_int() {
            return Ok(x.clone());
        }
        if let Some(number) = x.as_exact_float() {
            return truncate(vm, round(number));
        }
        match vm.call_special_opt(x, method, &[])? {
            Some(result) => Ok(result),
            None => truncate(vm, round(vm.to_f64(x)?)),
        }
    }

    /// Return the ceiling of x as an Integral.
    ///
    /// This is the smallest integer >= x.
    #[pyfunction(sig = "(x, /)")]
    fn ceil(vm: &Vm, x: &Value) -> Res<Value> {
        to_whole(vm, x, intern!("__ceil__"), f64::ceil)
    }

    /// Return the floor of x as an Integral.
    ///
    /// This is the largest integer <= x.
    #[pyfunction(sig = "(x, /)")]
    fn floor(vm: &Vm, x: &Value) -> Res<Value> {
        to_whole(vm, x, intern!("__floor__"), f64::floor)
    }

    /// Truncates the Real x to the nearest Integral toward 0.
    ///
    /// Uses the __trunc__ magic method.
    #[pyfunction(sig = "(x, /)")]
    fn trunc(vm: &Vm, x: &Value) -> Res<Value> {
        if let Some(number) = x.as_exact_float() {
            return truncate(vm, number);
        }
        match vm.call_special_opt(x, intern!("__trunc__"), &[])? {
            Some(result) => Ok(result),
            None => Err(vm.type_error(format!("type {} doesn't define __trunc__ method", x.ty().name()))),
        }
    }

    /// Return the value of the least significant bit of the float x.
    #[pyfunction(sig = "(x, /)")]
    fn ulp(_vm: &Vm, x: f64) -> f64 {
        special::ulp(x)
    }
}
