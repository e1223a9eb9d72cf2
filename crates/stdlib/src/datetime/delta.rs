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
    late_end,
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
        if let Ok(total) = i64::try_from(total) {
            // Divisions of 64 bits are several times as fast.
            const DAY: i64 = self::DAY as i64;
            let (days, rest) = (total.div_euclid(DAY), total.rem_euclid(DAY));
            return Ok(TimeDelta {
                days: days as i32,
                seconds: (rest / 1_000_000) as i32,
                micros: (rest % 1_000_000) as i32,
            });
        }
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

/// The microseconds of the arguments of `timedelta`.
#[derive(Default)]
struct Sum {
    small: i128,
    /// What does not fit into the other.
    large: Option<BigInt>,
    /// What is less than a microsecond.
    leftover: f64,
}

impl Sum {
    fn add(&mut self, vm: &Vm, value: &Value, factor: i128) {
        match vm.int_value(value).and_then(|int| int.to_i64()) {
            Some(n) => self.small += i128::from(n) * factor,
            None => *self.large.get_or_insert_default() += big(vm, value) * factor,
        }
    }

    fn value(mut self, vm: &Vm) -> Res<Value> {
        if self.leftover != 0.0 {
            let mut whole = self.leftover.round();
            if (whole - self.leftover).abs() == 0.5 {
                // Of two as near, the even sum.
                let mut odd = self.small % 2 != 0;
                odd ^= self.large.as_ref().is_some_and(Integer::is_odd);
                let odd = f64::from(u8::from(odd));
                whole = 2.0 * ((self.leftover + odd) * 0.5).round() - odd;
            }
            self.small += whole as i128;
        }
        match self.large {
            Some(large) => of_big(vm, &(large + self.small)),
            None => new(vm, self.small),
        }
    }
}

/// Adds `value` units of `factor` microseconds.
fn accumulate(vm: &Vm, sum: &mut Sum, value: Option<&Value>, name: &str, factor: i128) -> Res<()> {
    let Some(value) = value else { return Ok(()) };
    if is_int(value) {
        sum.add(vm, value, factor);
        return Ok(());
    }
    let Some(x) = lisle_runtime::types::float::view(value) else {
        let found = value.ty().name();
        return Err(vm.type_error(format!("unsupported type for timedelta {name} component: {found}")));
    };
    let whole = lisle_runtime::types::float::truncate(vm, x.trunc())?;
    sum.add(vm, &whole, factor);
    let fraction = x.fract();
    if fraction != 0.0 {
        let scaled = fraction * factor as f64;
        sum.small += scaled.trunc() as i128;
        sum.leftover += scaled.fract();
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
    let Some(items) = pair.downcast::<Tuple>().map(|pair| pair.as_slice()) else {
        let found = pair.ty().name();
        return Err(vm.type_error(format!(
            "unexpected return type from as_integer_ratio(): expected tuple, not '{found}'"
        )));
    };
    match items {
        [a, b] if is_int(a) && is_int(b) => Ok((big(vm, a), big(vm, b))),
        [_, _] => Err(vm.type_error("as_integer_ratio() must return two integers")),
        _ => Err(vm.value_error("as_integer_ratio() must return a 2-tuple")),
    }
}

/// `a / b` as a float, rounded once.
fn divide(vm: &Vm, a: i128, b: i128) -> Res<Value> {
    const EXACT: i128 = 1 << 53;
    if a.abs() <= EXACT && b.abs() <= EXACT && b != 0 {
        return Ok(Value::float(a as f64 / b as f64));
    }
    let (a, b) = (Value::bigint(a.into()), Value::bigint(b.into()));
    vm.binary(lisle_bytecode::opcode::BinOp::TrueDiv, &a, &b)
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
        let mut sum = Sum::default();
        accumulate(vm, &mut sum, microseconds, "microseconds", 1)?;
        accumulate(vm, &mut sum, milliseconds, "milliseconds", 1000)?;
        accumulate(vm, &mut sum, seconds, "seconds", SECOND)?;
        accumulate(vm, &mut sum, minutes, "minutes", 60 * SECOND)?;
        accumulate(vm, &mut sum, hours, "hours", 3600 * SECOND)?;
        accumulate(vm, &mut sum, days, "days", DAY)?;
        accumulate(vm, &mut sum, weeks, "weeks", 7 * DAY)?;
        let value = sum.value(vm)?;
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
        divide(vm, this.total(), SECOND)
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
        if let Some(n) = vm.int_value(other).filter(|_| is_int(other)).and_then(|n| n.to_i64())
            && let Some(product) = delta.total().checked_mul(n.into())
        {
            return new(vm, product);
        }
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
            return divide(vm, delta.total(), other.total());
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
    fn __repr__(_: &Vm, this: &This) -> Res<String> {
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
        Ok(format!("{}({})", qualified(this.as_value()), parts.join(", ")))
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
