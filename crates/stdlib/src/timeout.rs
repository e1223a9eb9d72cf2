//! Timeouts as programs give them: numbers of seconds or milliseconds, or `None`.
//!
//! Invariant: what is not a whole number of the system's units is rounded up, so that nothing wakes early.

use std::time::{Duration, Instant};

use lisle_runtime::native::{Native, Res, Value, Vm};
use lisle_runtime::types::float::Float;

/// The number, if the value is a float.
pub fn float_of(vm: &Vm, value: &Value) -> Res<Option<f64>> {
    match value.as_exact_float() {
        Some(x) => Ok(Some(x)),
        None if value.ty().is_subclass(Float::ty()) => vm.to_f64(value).map(Some),
        None => Ok(None),
    }
}

/// A length of time in nanoseconds; `unit` is how many of them the number counts.
pub fn nanoseconds(vm: &Vm, value: &Value, unit: i64) -> Res<i64> {
    let too_large = || vm.overflow_error("timestamp too large to convert to C PyTime_t");
    if let Some(x) = float_of(vm, value)? {
        if x.is_nan() {
            return Err(vm.value_error("Invalid value NaN (not a number)"));
        }
        let scaled = x * unit as f64;
        let rounded = if scaled < 0.0 { scaled.floor() } else { scaled.ceil() };
        if !(-9.223_372_036_854_775e18..9.223_372_036_854_775e18).contains(&rounded) {
            return Err(vm.overflow_error("timestamp out of range for platform time_t"));
        }
        return Ok(rounded as i64);
    }
    let n = vm.index(value)?;
    let n = vm.int_value(&n).and_then(|n| n.to_i64());
    n.and_then(|n| n.checked_mul(unit)).ok_or_else(too_large)
}

/// When a wait of some nanoseconds ends; `None` if that is beyond all clocks.
pub fn deadline(ns: i64) -> Option<Instant> {
    let length = Duration::from_nanos(u64::try_from(ns).unwrap_or(0));
    Instant::now().checked_add(length)
}

/// What is left until then.
pub fn left(until: Instant) -> Duration {
    until.saturating_duration_since(Instant::now())
}

/// Whole milliseconds for `poll` and its like; -1 without an end.
pub fn poll_milliseconds(until: Option<Instant>) -> i32 {
    match until {
        None => -1,
        Some(until) => {
            let ns = left(until).as_nanos();
            i32::try_from(ns.div_ceil(1_000_000)).unwrap_or(i32::MAX)
        }
    }
}
