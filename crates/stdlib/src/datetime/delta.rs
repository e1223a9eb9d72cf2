//! `timedelta`.
//!
//! Invariant: days, seconds and microseconds are normalised: 0 <= seconds < 86400, 0 <= microseconds < 10**6, |days| < 10**9.

use lisle_runtime::native::*;
use lisle_runtime::types::int::Int;
use lisle_runtime::types::tuple::Tuple;
use num_bigint::BigInt;
use num_integer::Integer;
use num_traits::{Signed, ToPrimitive, Zero};

use super::qualified;

pub const DAY: i128 = 86_400_000_000;
pub const SECOND: i128 = 1_000_000;

#[pyclass(
    name = "timedelta",
    module = "datetime",
    basetype,
    gc = false,
    doc = "Difference between two datetime values.\n\ntimedelta(days=0, seconds=0, microseconds=0, milliseconds=0, minutes=0, hours=0, weeks=0)\n\nAll arguments are optional and default to 0.\nArguments may be integers or floats, and may be positive or negative."
)]
pub struct TimeDelta {
    pub days: i32,
    pub seconds: i32,
    pub micros: i32,
}

impl TimeDelta {
    /// All of it in microseconds.
    pub fn total(&self) -> i128 {
        i128::from(self.days) * DAY + i128::from(self.seconds) * SECOND + i128::from(self.micros)
    }

    fn of_total(vm: &Vm, total: i128) -> Res<TimeDelta> {
        let (days, rest) = (total.div_euclid(DAY), total.rem_euclid(DAY));
        if days.abs() > 999_999_999 {
            return Err(vm.overflow_error(format!("days={days}; must have magnitude <= 999999999")));
        }
        Ok(TimeDelta {
            days: days as i32,
            seconds: (rest / SECOND) as i32,
            micros: (rest % SECOND) as i32,
        })
    }
}

/// The timedelta of so many microseconds.
pub fn new(vm: &Vm, total: i128) -> Res<Value> {
    Ok(Py::new(TimeDelta::of_total(vm, total)?).into_value())
}

fn of_big(vm: &Vm, total: &BigInt) -> Res<Value> {
    match total.to_i128() {
        Some(total) => new(vm, total),
        None => {
            let days = total.div_floor(&BigInt::from(DAY));
            if days.to_i32().is_none() {
                return Err(vm.overflow_error("Python int too large to convert to C int"));
            }
            Err(vm.overflow_error(format!("days={days}; must have magnitude <= 999999999")))
        }
    }
}

/// `a / b`, to the nearest, to the even one of two.
fn divide_nearest(a: &BigInt, b: &BigInt) -> BigInt {
    let (q, r) = a.div_mod_floor(b);
    let twice: BigInt = r * 2;
    let more = if b.is_negative() { twice < *b } else { twice > *b };
    if more || twice == *b && q.is_odd() { q + 1 } else { q }
}

fn is_int(value: &Value) -> bool {
    value.has_type(Int::ty()) || value.is_bool() || value.downcast::<Int>().is_some()
}

fn big(vm: &Vm, value: &Value) -> BigInt {
    vm.int_value(value).map(|int| int.to_bigint()).unwrap_or_default()
}

/// Adds `value` units of `factor` microseconds; what is less than a microsecond goes to `leftover`.
fn accumulate(
    vm: &Vm,
    sum: &mut BigInt,
    leftover: &mut f64,
    value: Option<&Value>,
    name: &str,
    factor: i128,
) -> Res<()> {
    let Some(value) = value else { return Ok(()) };
    if is_int(value) {
        *sum += big(vm, value) * factor;
        return Ok(());
    }
    let Some(x) = lisle_runtime::types::float::view(value) else {
        let found = value.ty().name();
        return Err(vm.type_error(format!("unsupported type for timedelta {name} component: {found}")));
    };
    let whole = lisle_runtime::types::float::truncate(vm, x.trunc())?;
    *sum += big(vm, &whole) * factor;
    let fraction = x.fract();
    if fraction != 0.0 {
        let scaled = fraction * factor as f64;
        *sum += scaled.trunc() as i64;
        *leftover += scaled.fract();
    }
    Ok(())
}

type This = Py<TimeDelta>;

/// What two operands stand for; `None` if one is no timedelta.
fn totals(a: &Value, b: &Value) -> Option<(i128, i128)> {
    Some((a.downcast::<TimeDelta>()?.total(), b.downcast::<TimeDelta>()?.total()))
}

fn ratio(vm: &Vm, x: &Value) -> Res<(BigInt, BigInt)> {
    let pair = vm.call_method(x, lisle_runtime::intern!("as_integer_ratio"), &[])?;
    match pair.downcast::<Tuple>().map(|pair| pair.as_slice()) {
        Some([a, b]) => Ok((big(vm, a), big(vm, b))),
        _ => Err(vm.type_error("unexpected return type from as_integer_ratio(): expected tuple")),
    }
}

fn zero_division(vm: &Vm) -> Exc {
    vm.zero_division_error("integer division or modulo by zero")
}

#[pymethods]
impl TimeDelta {
    #[slot(sig = "(days=0, seconds=0, microseconds=0, milliseconds=0, minutes=0, hours=0, weeks=0)")]
    fn __new__(
        vm: &Vm,
        cls: &Py<Type>,
        days: Option<&Value>,
        seconds: Option<&Value>,
        microseconds: Option<&Value>,
        milliseconds: Option<&Value>,
        minutes: Option<&Value>,
        hours: Option<&Value>,
        weeks: Option<&Value>,
    ) -> Res<Value> {
        let mut sum = BigInt::zero();
        let mut leftover = 0.0;
        accumulate(vm, &mut sum, &mut leftover, microseconds, "microseconds", 1)?;
        accumulate(vm, &mut sum, &mut leftover, milliseconds, "milliseconds", 1000)?;
        accumulate(vm, &mut sum, &mut leftover, seconds, "seconds", SECOND)?;
        accumulate(vm, &mut sum, &mut leftover, minutes, "minutes", 60 * SECOND)?;
        accumulate(vm, &mut sum, &mut leftover, hours, "hours", 3600 * SECOND)?;
        accumulate(vm, &mut sum, &mut leftover, days, "days", DAY)?;
        accumulate(vm, &mut sum, &mut leftover, weeks, "weeks", 7 * DAY)?;
        if leftover != 0.0 {
            let mut whole = leftover.round();
            if (whole - leftover).abs() == 0.5 {
                // Of two as near, the even sum.
                let odd = if sum.is_odd() { 1.0 } else { 0.0 };
                whole = 2.0 * ((leftover + odd) * 0.5).round() - odd;
            }
            sum += whole as i64;
        }
        let value = of_big(vm, &sum)?;
        if cls.is(TimeDelta::ty()) {
            return Ok(value);
        }
        let Some(made) = value.downcast::<TimeDelta>() else {
            return Ok(value);
        };
        let copy = TimeDelta {
            days: made.days,
            seconds: made.seconds,
            micros: made.micros,
        };
        Ok(Py::with_class(cls, copy).into_value())
    }

    #[classattr]
    fn min(vm: &Vm) -> Res<Value> {
        new(vm, -999_999_999 * DAY)
    }

    #[classattr]
    fn max(vm: &Vm) -> Res<Value> {
        new(vm, 1_000_000_000 * DAY - 1)
    }

    #[classattr]
    fn resolution(vm: &Vm) -> Res<Value> {
        new(vm, 1)
    }

    /// Number of days.
    #[getter]
    fn days(_: &Vm, this: &This) -> i32 {
        this.days
    }

    /// Number of seconds (>= 0 and less than 1 day).
    #[getter]
    fn seconds(_: &Vm, this: &This) -> i32 {
        this.seconds
    }

    /// Number of microseconds (>= 0 and less than 1 second).
    #[getter]
    fn microseconds(_: &Vm, this: &This) -> i32 {
        this.micros
    }

    /// Total seconds in the duration.
    #[pymethod(sig = "($self, /)")]
    fn total_seconds(vm: &Vm, this: &This) -> Res<Value> {
        let total = Value::bigint(BigInt::from(this.total()));
        vm.binary(lisle_bytecode::opcode::BinOp::TrueDiv, &total, &Value::int(1_000_000))
    }

    #[pymethod(sig = "($self, /)")]
    fn __reduce__(_: &Vm, this: &This) -> Py<Tuple> {
        let state = [this.days, this.seconds, this.micros].map(|n| Value::int(n.into()));
        Tuple::pair(this.class().to_value(), Tuple::from_array(state).into_value())
    }

    #[slot]
    fn __add__(vm: &Vm, a: &Value, b: &Value) -> Res<Value> {
        match totals(a, b) {
            Some((a, b)) => new(vm, a + b),
            None => Ok(Value::NOT_IMPLEMENTED),
        }
    }

    #[slot]
    fn __sub__(vm: &Vm, a: &Value, b: &Value) -> Res<Value> {
        match totals(a, b) {
            Some((a, b)) => new(vm, a - b),
            None => Ok(Value::NOT_IMPLEMENTED),
        }
    }

    #[slot]
    fn __mul__(vm: &Vm, a: &Value, b: &Value) -> Res<Value> {
        let (delta, other) = match (a.downcast::<TimeDelta>(), b.downcast::<TimeDelta>()) {
            (Some(delta), None) => (delta, b),
            (None, Some(delta)) => (delta, a),
            _ => return Ok(Value::NOT_IMPLEMENTED),
        };
        let total = BigInt::from(delta.total());
        if is_int(other) {
            return of_big(vm, &(total * big(vm, other)));
        }
        if lisle_runtime::types::float::view(other).is_some() {
            let (up, down) = ratio(vm, other)?;
            return of_big(vm, &divide_nearest(&(total * up), &down));
        }
        Ok(Value::NOT_IMPLEMENTED)
    }

    #[slot]
    fn __truediv__(vm: &Vm, a: &Value, b: &Value) -> Res<Value> {
        let Some(delta) = a.downcast::<TimeDelta>() else {
            return Ok(Value::NOT_IMPLEMENTED);
        };
        let total = BigInt::from(delta.total());
        if let Some(other) = b.downcast::<TimeDelta>() {
            let other = Value::bigint(BigInt::from(other.total()));
            return vm.binary(lisle_bytecode::opcode::BinOp::TrueDiv, &Value::bigint(total), &other);
        }
        if is_int(b) {
            let divisor = big(vm, b);
            if divisor.is_zero() {
                return Err(zero_division(vm));
            }
            return of_big(vm, &divide_nearest(&total, &divisor));
        }
        if lisle_runtime::types::float::view(b).is_some() {
            let (up, down) = ratio(vm, b)?;
            if up.is_zero() {
                return Err(zero_division(vm));
            }
            return of_big(vm, &divide_nearest(&(total * down), &up));
        }
        Ok(Value::NOT_IMPLEMENTED)
    }

    #[slot]
    fn __floordiv__(vm: &Vm, a: &Value, b: &Value) -> Res<Value> {
        let Some(delta) = a.downcast::<TimeDelta>() else {
            return Ok(Value::NOT_IMPLEMENTED);
        };
        let total = BigInt::from(delta.total());
        let other = match b.downcast::<TimeDelta>() {
            Some(other) => BigInt::from(other.total()),
            None if is_int(b) => big(vm, b),
            None => return Ok(Value::NOT_IMPLEMENTED),
        };
        if other.is_zero() {
            return Err(zero_division(vm));
        }
        let quotient = total.div_floor(&other);
        if is_int(b) {
            of_big(vm, &quotient)
        } else {
            Ok(Value::bigint(quotient))
        }
    }

    #[slot]
    fn __mod__(vm: &Vm, a: &Value, b: &Value) -> Res<Value> {
        match totals(a, b) {
            Some((_, 0)) => Err(zero_division(vm)),
            Some((a, b)) => new(vm, Integer::mod_floor(&a, &b)),
            None => Ok(Value::NOT_IMPLEMENTED),
        }
    }

    #[slot]
    fn __divmod__(vm: &Vm, a: &Value, b: &Value) -> Res<Value> {
        match totals(a, b) {
            Some((_, 0)) => Err(zero_division(vm)),
            Some((a, b)) => {
                let (q, r) = Integer::div_mod_floor(&a, &b);
                Ok(Tuple::pair(Value::bigint(BigInt::from(q)), new(vm, r)?).into_value())
            }
            None => Ok(Value::NOT_IMPLEMENTED),
        }
    }

    #[slot]
    fn __neg__(vm: &Vm, this: &This) -> Res<Value> {
        new(vm, -this.total())
    }

    #[slot]
    fn __pos__(vm: &Vm, this: &This) -> Res<Value> {
        new(vm, this.total())
    }

    #[slot]
    fn __abs__(vm: &Vm, this: &This) -> Res<Value> {
        new(vm, this.total().abs())
    }

    #[slot]
    fn __bool__(_: &Vm, this: &This) -> Res<bool> {
        Ok(this.total() != 0)
    }

    #[slot]
    fn __richcompare__(_: &Vm, this: &This, other: &Value, op: CmpOp) -> Res<Value> {
        let Some(other) = other.downcast::<TimeDelta>() else {
            return Ok(Value::NOT_IMPLEMENTED);
        };
        Ok(super::ordered(this.total().cmp(&other.total()), op))
    }

    #[slot]
    fn __hash__(vm: &Vm, this: &This) -> Res<i64> {
        let state = [this.days, this.seconds, this.micros].map(|n| Value::int(n.into()));
        vm.hash(Tuple::from_array(state).as_value())
    }

    #[slot]
    fn __repr__(vm: &Vm, this: &This) -> Res<String> {
        let mut parts = Vec::new();
        for (name, n) in [
            ("days", this.days),
            ("seconds", this.seconds),
            ("microseconds", this.micros),
        ] {
            if n != 0 {
                parts.push(format!("{name}={n}"));
            }
        }
        if parts.is_empty() {
            parts.push("0".to_owned());
        }
        Ok(format!("{}({})", qualified(vm, this.as_value())?, parts.join(", ")))
    }

    #[slot]
    fn __str__(_: &Vm, this: &This) -> String {
        let (minutes, seconds) = (this.seconds / 60, this.seconds % 60);
        let mut out = match this.days {
            0 => String::new(),
            1 | -1 => format!("{} day, ", this.days),
            days => format!("{days} days, "),
        };
        out.push_str(&format!("{}:{:02}:{seconds:02}", minutes / 60, minutes % 60));
        if this.micros != 0 {
            out.push_str(&format!(".{:06}", this.micros));
        }
        out
    }
}
