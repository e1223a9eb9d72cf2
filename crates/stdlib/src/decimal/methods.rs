//! The methods that `Decimal` and `Context` have in common, and others that follow a pattern.
//!
//! Invariant: one line here is one method of both classes, so that the two cannot differ.

use lisle_runtime::native::*;

use super::class::{self, Decimal, argument, run, wrap};
use super::context::{self, Context};
use super::logic::Extreme;
use super::number::{self, Dec, Env, Kind};
use super::{functions, logic, text};

fn to_value(dec: Dec) -> Res<Value> {
    Ok(wrap(dec))
}

macro_rules! of_one {
    ($($name:ident $doc:tt $operation:expr;)*) => {
        #[pymethods(part = define_decimal_one)]
        impl Decimal {
            $(
                #[doc = $doc]
                #[pymethod(sig = "($self, /, context=None)")]
                fn $name(vm: &Vm, this: &Py<Decimal>, context: Option<&Value>) -> Res<Value> {
                    let ctx = context::optional(vm, context)?;
                    run(vm, &ctx, |env| ($operation)(this, env))
                }
            )*
        }

        #[pymethods(part = define_context_one)]
        impl Context {
            $(
                #[doc = $doc]
                #[pymethod(sig = "($self, x, /)")]
                fn $name(vm: &Vm, this: &Py<Context>, x: &Value) -> Res<Value> {
                    let x = argument(vm, x)?;
                    run(vm, this, |env| ($operation)(&x, env))
                }
            )*
        }
    };
}

of_one! {
    exp "Return the value of the (natural) exponential function e**x." functions::exp;
    ln "Return the natural (base e) logarithm of the operand." functions::ln;
    log10 "Return the base ten logarithm of the operand." functions::log10;
    logb "Return the adjusted exponent of the operand as a Decimal instance." functions::logb;
    logical_invert "Return the digit-wise inversion of the (logical) operand." logic::logical_invert;
    next_minus "Returns the largest representable number smaller than itself." logic::next_minus;
    next_plus "Returns the smallest representable number larger than itself." logic::next_plus;
    normalize "Normalize the number by stripping trailing 0s." number::reduce;
    sqrt "Return the square root of the argument to full precision." functions::sqrt;
}

macro_rules! of_two {
    ($($name:ident $doc:tt $operation:expr;)*) => {
        #[pymethods(part = define_decimal_two)]
        impl Decimal {
            $(
                #[doc = $doc]
                #[pymethod(sig = "($self, /, other, context=None)")]
                fn $name(vm: &Vm, this: &Py<Decimal>, other: &Value, context: Option<&Value>) -> Res<Value> {
                    let ctx = context::optional(vm, context)?;
                    let other = argument(vm, other)?;
                    run(vm, &ctx, |env| ($operation)(this, &other, env))
                }
            )*
        }

        #[pymethods(part = define_context_two)]
        impl Context {
            $(
                #[doc = $doc]
                #[pymethod(sig = "($self, x, y, /)")]
                fn $name(vm: &Vm, this: &Py<Context>, x: &Value, y: &Value) -> Res<Value> {
                    let (x, y) = (argument(vm, x)?, argument(vm, y)?);
                    run(vm, this, |env| ($operation)(&x, &y, env))
                }
            )*
        }
    };
}

of_two! {
    compare "Compare two numbers numerically and return the result as a decimal." |a: &Dec, b: &Dec, env: &mut Env| logic::compare_value(a, b, false, env);
    compare_signal "Identical to compare, except that all NaNs signal." |a: &Dec, b: &Dec, env: &mut Env| logic::compare_value(a, b, true, env);
    compare_total "Compare two operands using their abstract representation." |a: &Dec, b: &Dec, _: &mut Env| logic::compare_total(a, b);
    compare_total_mag "As compare_total(), but ignoring the sign of each operand." |a: &Dec, b: &Dec, _: &mut Env| logic::compare_total_magnitude(a, b);
    copy_sign "Return a copy of the first operand with the sign of the second operand." |a: &Dec, b: &Dec, _: &mut Env| Ok(a.clone().with_sign(b.negative));
    logical_and "Applies an 'and' operation between the operands' digits." |a: &Dec, b: &Dec, env: &mut Env| logic::logical(a, b, |a, b| a & b, env);
    logical_or "Applies an 'or' operation between the operands' digits." |a: &Dec, b: &Dec, env: &mut Env| logic::logical(a, b, |a, b| a | b, env);
    logical_xor "Applies an 'exclusive or' operation between the operands' digits." |a: &Dec, b: &Dec, env: &mut Env| logic::logical(a, b, |a, b| a ^ b, env);
    max "Maximum of the two operands." |a: &Dec, b: &Dec, env: &mut Env| logic::extreme(a, b, Extreme::Max, env);
    max_mag "As the max() method, but the comparison is done using the absolute values." |a: &Dec, b: &Dec, env: &mut Env| logic::extreme(a, b, Extreme::MaxMagnitude, env);
    min "Minimum of the two operands." |a: &Dec, b: &Dec, env: &mut Env| logic::extreme(a, b, Extreme::Min, env);
    min_mag "As the min() method, but the comparison is done using the absolute values." |a: &Dec, b: &Dec, env: &mut Env| logic::extreme(a, b, Extreme::MinMagnitude, env);
    next_toward "Returns the number closest to the first operand, in the direction of the second." logic::next_toward;
    remainder_near "Return the remainder from dividing the first operand by the second, of the nearest quotient." number::remainder_near;
    rotate "Returns a rotated copy of the first operand's digits, value-of-the-second times." logic::rotate;
    scaleb "Return the first operand with the exponent adjusted by the second." logic::scaleb;
    shift "Returns a shifted copy of the first operand's digits, value-of-the-second times." logic::shift;
}

macro_rules! tests {
    ($($name:ident $doc:tt $test:expr;)*) => {
        #[pymethods(part = define_decimal_tests)]
        impl Decimal {
            $(
                #[doc = $doc]
                #[pymethod(sig = "($self, /)")]
                fn $name(_: &Vm, this: &Py<Decimal>) -> Res<Value> {
                    let test: fn(&Dec) -> Value = $test;
                    Ok(test(this))
                }
            )*
        }

        #[pymethods(part = define_context_tests)]
        impl Context {
            $(
                #[doc = $doc]
                #[pymethod(sig = "($self, x, /)")]
                fn $name(vm: &Vm, _this: &Py<Context>, x: &Value) -> Res<Value> {
                    let test: fn(&Dec) -> Value = $test;
                    Ok(test(&*argument(vm, x)?))
                }
            )*
        }
    };
}

tests! {
    copy_abs "Return the absolute value of the argument." |a| wrap(a.magnitude());
    copy_negate "Return the negation of the argument." |a| wrap(a.clone().negated());
    is_finite "Return True if the argument is a finite number, and False otherwise." |a| Value::from_bool(a.is_finite());
    is_infinite "Return True if the argument is infinite, and False otherwise." |a| Value::from_bool(a.is_infinite());
    is_nan "Return True if the argument is a (quiet or signaling) NaN, else False." |a| Value::from_bool(a.is_nan());
    is_qnan "Return True if the argument is a quiet NaN, and False otherwise." |a| Value::from_bool(a.kind == Kind::Quiet);
    is_signed "Return True if the argument has a negative sign and False otherwise." |a| Value::from_bool(a.negative);
    is_snan "Return True if the argument is a signaling NaN and False otherwise." |a| Value::from_bool(a.kind == Kind::Signaling);
    is_zero "Return True if the argument is a zero and False otherwise." |a| Value::from_bool(a.is_zero());
}

type This = Py<Decimal>;

/// Rounding to a whole number in a context, perhaps with another rounding.
fn integral(vm: &Vm, this: &Dec, rounding: Option<&Value>, context: Option<&Value>, signals: bool) -> Res<Value> {
    let ctx = context::optional(vm, context)?;
    let mut env = ctx.env();
    if let Some(rounding) = rounding.filter(|rounding| !rounding.is_none()) {
        env.rounding = context::rounding(vm, rounding)?;
    }
    let result = number::to_integral(this, signals, &mut env)?;
    ctx.signal(vm, env.status)?;
    to_value(result)
}

#[pymethods(part = define_decimal_more)]
impl Decimal {
    /// Return the adjusted exponent (exp + digits - 1) of the number.
    #[pymethod(sig = "($self, /)")]
    fn adjusted(_: &Vm, this: &This) -> i64 {
        if this.is_finite() { Dec::adjusted(this) } else { 0 }
    }

    /// Return the canonical encoding of the argument.
    #[pymethod(sig = "($self, /)")]
    fn canonical(_: &Vm, this: &This) -> Value {
        this.to_value()
    }

    /// Return True if the argument is canonical and False otherwise.
    #[pymethod(sig = "($self, /)")]
    fn is_canonical(_: &Vm, _this: &This) -> bool {
        true
    }

    /// Return Decimal(10).
    #[pymethod(sig = "($self, /)")]
    fn radix(_: &Vm, _this: &This) -> Value {
        wrap(Dec::int(10))
    }

    /// Return True if the argument is a normal number and False otherwise.
    #[pymethod(sig = "($self, /, context=None)")]
    fn is_normal(vm: &Vm, this: &This, context: Option<&Value>) -> Res<bool> {
        Ok(Dec::is_normal(this, &context::optional(vm, context)?.env()))
    }

    /// Return True if the argument is subnormal, and False otherwise.
    #[pymethod(sig = "($self, /, context=None)")]
    fn is_subnormal(vm: &Vm, this: &This, context: Option<&Value>) -> Res<bool> {
        Ok(Dec::is_subnormal(this, &context::optional(vm, context)?.env()))
    }

    /// Return a string describing the class of the operand.
    #[pymethod(sig = "($self, /, context=None)")]
    fn number_class(vm: &Vm, this: &This, context: Option<&Value>) -> Res<&'static str> {
        Ok(logic::class_name(this, &context::optional(vm, context)?.env()))
    }

    /// Test whether self and other have the same exponent or whether both are NaN.
    #[pymethod(sig = "($self, /, other, context=None)")]
    fn same_quantum(vm: &Vm, this: &This, other: &Value, context: Option<&Value>) -> Res<bool> {
        context::optional(vm, context)?;
        Ok(logic::same_quantum(this, &*argument(vm, other)?))
    }

    /// Fused multiply-add.
    #[pymethod(sig = "($self, /, other, third, context=None)")]
    fn fma(vm: &Vm, this: &This, other: &Value, third: &Value, context: Option<&Value>) -> Res<Value> {
        let ctx = context::optional(vm, context)?;
        let (other, third) = (argument(vm, other)?, argument(vm, third)?);
        run(vm, &ctx, |env| number::fma(this, &other, &third, env))
    }

    /// Quantize *self* so its exponent is the same as that of *exp*.
    #[pymethod(sig = "($self, /, exp, rounding=None, context=None)")]
    fn quantize(vm: &Vm, this: &This, exp: &Value, rounding: Option<&Value>, context: Option<&Value>) -> Res<Value> {
        let ctx = context::optional(vm, context)?;
        let mut env = ctx.env();
        if let Some(rounding) = rounding.filter(|rounding| !rounding.is_none()) {
            env.rounding = context::rounding(vm, rounding)?;
        }
        let exp = argument(vm, exp)?;
        let result = number::quantize(this, &exp, &mut env)?;
        ctx.signal(vm, env.status)?;
        to_value(result)
    }

    /// Convert to an engineering-type string.
    #[pymethod(sig = "($self, /, context=None)")]
    fn to_eng_string(vm: &Vm, this: &This, context: Option<&Value>) -> Res<String> {
        text::to_string(this, true, context::optional(vm, context)?.capitals())
    }

    /// Identical to the to_integral_value() method.
    #[pymethod(sig = "($self, /, rounding=None, context=None)")]
    fn to_integral(vm: &Vm, this: &This, rounding: Option<&Value>, context: Option<&Value>) -> Res<Value> {
        integral(vm, this, rounding, context, false)
    }

    /// Round to the nearest integer, without signaling Inexact or Rounded.
    #[pymethod(sig = "($self, /, rounding=None, context=None)")]
    fn to_integral_value(vm: &Vm, this: &This, rounding: Option<&Value>, context: Option<&Value>) -> Res<Value> {
        integral(vm, this, rounding, context, false)
    }

    /// Round to the nearest integer, signaling Inexact or Rounded as appropriate.
    #[pymethod(sig = "($self, /, rounding=None, context=None)")]
    fn to_integral_exact(vm: &Vm, this: &This, rounding: Option<&Value>, context: Option<&Value>) -> Res<Value> {
        integral(vm, this, rounding, context, true)
    }
}

fn exact<'a>(vm: &Vm, x: &'a Value) -> Res<&'a Py<Decimal>> {
    x.downcast::<Decimal>()
        .ok_or_else(|| vm.type_error("argument must be a Decimal"))
}

#[inline(always)]
fn one(vm: &Vm, this: &Context, x: &Value, operation: impl FnOnce(&Dec, &mut Env) -> Res<Dec>) -> Res<Value> {
    let x = argument(vm, x)?;
    run(vm, this, |env| operation(&x, env))
}

#[inline(always)]
fn two(
    vm: &Vm,
    this: &Context,
    x: &Value,
    y: &Value,
    operation: impl FnOnce(&Dec, &Dec, &mut Env) -> Res<Dec>,
) -> Res<Value> {
    let (x, y) = (argument(vm, x)?, argument(vm, y)?);
    run(vm, this, |env| operation(&x, &y, env))
}

#[pymethods(part = define_context_more)]
impl Context {
    /// Return the absolute value of x.
    #[pymethod(sig = "($self, x, /)")]
    fn abs(vm: &Vm, this: &Py<Context>, x: &Value) -> Res<Value> {
        one(vm, this, x, number::abs)
    }

    /// Minus corresponds to the unary prefix minus operator in Python.
    #[pymethod(sig = "($self, x, /)")]
    fn minus(vm: &Vm, this: &Py<Context>, x: &Value) -> Res<Value> {
        one(vm, this, x, number::minus)
    }

    /// Plus corresponds to the unary prefix plus operator in Python.
    #[pymethod(sig = "($self, x, /)")]
    fn plus(vm: &Vm, this: &Py<Context>, x: &Value) -> Res<Value> {
        one(vm, this, x, number::plus)
    }

    /// Apply self to Decimal x.
    #[pymethod(sig = "($self, x, /)")]
    fn _apply(vm: &Vm, this: &Py<Context>, x: &Value) -> Res<Value> {
        one(vm, this, x, |a, env| number::finalize(a.clone(), env))
    }

    /// Round to an integer.
    #[pymethod(sig = "($self, x, /)")]
    fn to_integral(vm: &Vm, this: &Py<Context>, x: &Value) -> Res<Value> {
        one(vm, this, x, |a, env| number::to_integral(a, false, env))
    }

    /// Round to an integer.
    #[pymethod(sig = "($self, x, /)")]
    fn to_integral_value(vm: &Vm, this: &Py<Context>, x: &Value) -> Res<Value> {
        one(vm, this, x, |a, env| number::to_integral(a, false, env))
    }

    /// Round to an integer. Signal if the result is rounded or inexact.
    #[pymethod(sig = "($self, x, /)")]
    fn to_integral_exact(vm: &Vm, this: &Py<Context>, x: &Value) -> Res<Value> {
        one(vm, this, x, |a, env| number::to_integral(a, true, env))
    }

    /// Return the sum of x and y.
    #[pymethod(sig = "($self, x, y, /)")]
    fn add(vm: &Vm, this: &Py<Context>, x: &Value, y: &Value) -> Res<Value> {
        two(vm, this, x, y, number::add)
    }

    /// Return the difference between x and y.
    #[pymethod(sig = "($self, x, y, /)")]
    fn subtract(vm: &Vm, this: &Py<Context>, x: &Value, y: &Value) -> Res<Value> {
        two(vm, this, x, y, number::sub)
    }

    /// Return the product of x and y.
    #[pymethod(sig = "($self, x, y, /)")]
    fn multiply(vm: &Vm, this: &Py<Context>, x: &Value, y: &Value) -> Res<Value> {
        two(vm, this, x, y, number::mul)
    }

    /// Return x divided by y.
    #[pymethod(sig = "($self, x, y, /)")]
    fn divide(vm: &Vm, this: &Py<Context>, x: &Value, y: &Value) -> Res<Value> {
        two(vm, this, x, y, number::div)
    }

    /// Return x divided by y, truncated to an integer.
    #[pymethod(sig = "($self, x, y, /)")]
    fn divide_int(vm: &Vm, this: &Py<Context>, x: &Value, y: &Value) -> Res<Value> {
        two(vm, this, x, y, number::floor_div)
    }

    /// Return the remainder from integer division.
    #[pymethod(sig = "($self, x, y, /)")]
    fn remainder(vm: &Vm, this: &Py<Context>, x: &Value, y: &Value) -> Res<Value> {
        two(vm, this, x, y, number::remainder)
    }

    /// Return a value equal to x (rounded), having the exponent of y.
    #[pymethod(sig = "($self, x, y, /)")]
    fn quantize(vm: &Vm, this: &Py<Context>, x: &Value, y: &Value) -> Res<Value> {
        two(vm, this, x, y, number::quantize)
    }

    /// Return quotient and remainder of the division x / y.
    #[pymethod(sig = "($self, x, y, /)")]
    fn divmod(vm: &Vm, this: &Py<Context>, x: &Value, y: &Value) -> Res<Value> {
        let (x, y) = (argument(vm, x)?, argument(vm, y)?);
        class::div_mod(vm, this, &x, &y)
    }

    /// Return x multiplied by y, plus z.
    #[pymethod(sig = "($self, x, y, z, /)")]
    fn fma(vm: &Vm, this: &Py<Context>, x: &Value, y: &Value, z: &Value) -> Res<Value> {
        let (x, y, z) = (argument(vm, x)?, argument(vm, y)?, argument(vm, z)?);
        run(vm, this, |env| number::fma(&x, &y, &z, env))
    }

    /// Compute a**b.
    #[pymethod(sig = "($self, /, a, b, modulo=None)")]
    fn power(vm: &Vm, this: &Py<Context>, a: &Value, b: &Value, modulo: Option<&Value>) -> Res<Value> {
        let (a, b) = (argument(vm, a)?, argument(vm, b)?);
        match modulo.filter(|modulo| !modulo.is_none()) {
            Some(modulo) => {
                let modulo = argument(vm, modulo)?;
                run(vm, this, |env| functions::power_modulo(&a, &b, &modulo, env))
            }
            None => run(vm, this, |env| functions::power(&a, &b, env)),
        }
    }

    /// Return True if the two operands have the same exponent.
    #[pymethod(sig = "($self, x, y, /)")]
    fn same_quantum(vm: &Vm, _this: &Py<Context>, x: &Value, y: &Value) -> Res<bool> {
        Ok(logic::same_quantum(&*argument(vm, x)?, &*argument(vm, y)?))
    }

    /// Return a new instance of x.
    #[pymethod(sig = "($self, x, /)")]
    fn canonical(vm: &Vm, _this: &Py<Context>, x: &Value) -> Res<Value> {
        Ok(exact(vm, x)?.to_value())
    }

    /// Return True if x is canonical, False otherwise.
    #[pymethod(sig = "($self, x, /)")]
    fn is_canonical(vm: &Vm, _this: &Py<Context>, x: &Value) -> Res<bool> {
        exact(vm, x).map(|_| true)
    }

    /// Return a copy of Decimal x.
    #[pymethod(sig = "($self, x, /)")]
    fn copy_decimal(vm: &Vm, _this: &Py<Context>, x: &Value) -> Res<Value> {
        match x.downcast::<Decimal>() {
            Some(decimal) => Ok(decimal.to_value()),
            None => to_value(Dec::clone(&*argument(vm, x)?)),
        }
    }

    /// Return True if x is a normal number, False otherwise.
    #[pymethod(sig = "($self, x, /)")]
    fn is_normal(vm: &Vm, this: &Py<Context>, x: &Value) -> Res<bool> {
        Ok(argument(vm, x)?.is_normal(&this.env()))
    }

    /// Return True if x is subnormal, False otherwise.
    #[pymethod(sig = "($self, x, /)")]
    fn is_subnormal(vm: &Vm, this: &Py<Context>, x: &Value) -> Res<bool> {
        Ok(argument(vm, x)?.is_subnormal(&this.env()))
    }

    /// Return an indication of the class of x.
    #[pymethod(sig = "($self, x, /)")]
    fn number_class(vm: &Vm, this: &Py<Context>, x: &Value) -> Res<&'static str> {
        Ok(logic::class_name(&*argument(vm, x)?, &this.env()))
    }

    /// Convert a number to a string, using engineering notation.
    #[pymethod(sig = "($self, x, /)")]
    fn to_eng_string(vm: &Vm, this: &Py<Context>, x: &Value) -> Res<String> {
        text::to_string(&*argument(vm, x)?, true, this.capitals())
    }

    /// Convert a number to a string using scientific notation.
    #[pymethod(sig = "($self, x, /)")]
    fn to_sci_string(vm: &Vm, this: &Py<Context>, x: &Value) -> Res<String> {
        text::to_string(&*argument(vm, x)?, false, this.capitals())
    }

    /// Create a new Decimal instance from num, using self as the context.
    #[pymethod(sig = "($self, num='0', /)")]
    fn create_decimal(vm: &Vm, this: &Py<Context>, num: Option<&Value>) -> Res<Value> {
        match num {
            Some(num) => to_value(class::rounded(vm, this, num)?),
            None => to_value(Dec::int(0)),
        }
    }

    /// Create a new Decimal instance from float f.
    #[pymethod(sig = "($self, f, /)")]
    fn create_decimal_from_float(vm: &Vm, this: &Py<Context>, f: &Value) -> Res<Value> {
        let dec = match lisle_runtime::types::float::view(f) {
            Some(x) => class::from_f64(vm, x)?,
            None if int_view(f).is_some() => Dec::clone(&*argument(vm, f)?),
            None => return Err(vm.type_error("argument must be int or float")),
        };
        run(vm, this, |env| number::finalize(dec, env))
    }
}
