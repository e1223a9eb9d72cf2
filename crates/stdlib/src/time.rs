//! `time`: clocks, sleeping, calendar conversions of the C library.

use std::time::{Duration, Instant};

use lisle_runtime::native::{Py, Res, Str, Value, Vm, pymodule};
use lisle_runtime::threads::ParkOutcome;
use lisle_runtime::types::tuple::Tuple;

fn clock_ns(id: libc::clockid_t) -> i64 {
    // SAFETY: the struct is plain data that the call fills in.
    unsafe {
        let mut ts: libc::timespec = std::mem::zeroed();
        libc::clock_gettime(id, &mut ts);
        ts.tv_sec * 1_000_000_000 + ts.tv_nsec
    }
}

fn seconds(ns: i64) -> f64 {
    // Split so that whole seconds stay exact.
    (ns / 1_000_000_000) as f64 + (ns % 1_000_000_000) as f64 * 1e-9
}

/// A count of seconds given as an int or float.
fn number(vm: &Vm, value: &Value) -> Res<f64> {
    if let Some(x) = value.as_exact_float() {
        return Ok(x);
    }
    if let Some(i) = value.as_small_int() {
        return Ok(i as f64);
    }
    match value.ty().slots().float {
        Some(f) => Ok(f(vm, value)?.as_exact_float().unwrap_or(0.0)),
        None => Ok(vm.index_to_i64(value)? as f64),
    }
}

fn broken_down(vm: &Vm, when: Option<&Value>, utc: bool) -> Res<libc::tm> {
    let t = match when {
        None => clock_ns(libc::CLOCK_REALTIME).div_euclid(1_000_000_000),
        Some(v) => {
            let x = number(vm, v)?;
            if !x.is_finite() || x.abs() > 1e17 {
                return Err(vm.overflow_error("timestamp out of range for platform time_t"));
            }
            x.floor() as i64
        }
    };
    // SAFETY: plain data that the call fills in.
    unsafe {
        let mut tm: libc::tm = std::mem::zeroed();
        let done = if utc {
            libc::gmtime_r(&t, &mut tm)
        } else {
            libc::localtime_r(&t, &mut tm)
        };
        if done.is_null() {
            return Err(vm.os_error(libc::EOVERFLOW, None));
        }
        Ok(tm)
    }
}

fn as_tuple(tm: &libc::tm) -> Value {
    let fields = [
        i64::from(tm.tm_year) + 1900,
        i64::from(tm.tm_mon) + 1,
        tm.tm_mday.into(),
        tm.tm_hour.into(),
        tm.tm_min.into(),
        tm.tm_sec.into(),
        i64::from((tm.tm_wday + 6) % 7),
        i64::from(tm.tm_yday) + 1,
        tm.tm_isdst.into(),
    ];
    Tuple::new(fields.into_iter().map(Value::int).collect()).into_value()
}

fn from_tuple(vm: &Vm, value: &Value) -> Res<libc::tm> {
    let items = match value.downcast::<Tuple>() {
        Some(t) => t.as_slice().to_vec(),
        None => return Err(vm.type_error("Tuple or struct_time argument required")),
    };
    let [y, mo, d, h, mi, s, wd, yd, dst] = items.as_slice() else {
        return Err(vm.type_error("illegal time tuple argument"));
    };
    let get = |v: &Value| -> Res<i32> {
        i32::try_from(vm.index_to_i64(v)?).map_err(|_| vm.overflow_error("signed integer is greater than maximum"))
    };
    // SAFETY: all-zero is a valid value of the plain struct.
    let mut tm: libc::tm = unsafe { std::mem::zeroed() };
    tm.tm_year = get(y)?
        .checked_sub(1900)
        .ok_or_else(|| vm.overflow_error("year out of range"))?;
    tm.tm_mon = get(mo)? - 1;
    tm.tm_mday = get(d)?;
    tm.tm_hour = get(h)?;
    tm.tm_min = get(mi)?;
    tm.tm_sec = get(s)?;
    tm.tm_wday = (get(wd)? + 1).rem_euclid(7);
    tm.tm_yday = get(yd)? - 1;
    tm.tm_isdst = get(dst)?;
    Ok(tm)
}

#[pymodule(
    name = "time",
    doc = "This module provides various functions to manipulate time values."
)]
pub mod module {
    use super::*;

    /// Return the current time in seconds since the Epoch.
    /// Fractions of a second may be present if the system clock provides them.
    #[pyfunction(sig = "()")]
    fn time(_vm: &Vm) -> f64 {
        seconds(clock_ns(libc::CLOCK_REALTIME))
    }

    /// Return the current time in nanoseconds since the Epoch.
    #[pyfunction(sig = "()")]
    fn time_ns(_vm: &Vm) -> i64 {
        clock_ns(libc::CLOCK_REALTIME)
    }

    /// Monotonic clock, cannot go backward.
    #[pyfunction(sig = "()")]
    fn monotonic(_vm: &Vm) -> f64 {
        seconds(clock_ns(libc::CLOCK_MONOTONIC))
    }

    /// Monotonic clock, cannot go backward, as nanoseconds.
    #[pyfunction(sig = "()")]
    fn monotonic_ns(_vm: &Vm) -> i64 {
        clock_ns(libc::CLOCK_MONOTONIC)
    }

    /// Performance counter for benchmarking.
    #[pyfunction(sig = "()")]
    fn perf_counter(_vm: &Vm) -> f64 {
        seconds(clock_ns(libc::CLOCK_MONOTONIC))
    }

    /// Performance counter for benchmarking as nanoseconds.
    #[pyfunction(sig = "()")]
    fn perf_counter_ns(_vm: &Vm) -> i64 {
        clock_ns(libc::CLOCK_MONOTONIC)
    }

    /// Process time for profiling: sum of the kernel and user-space CPU time.
    #[pyfunction(sig = "()")]
    fn process_time(_vm: &Vm) -> f64 {
        seconds(clock_ns(libc::CLOCK_PROCESS_CPUTIME_ID))
    }

    /// Process time for profiling as nanoseconds.
    #[pyfunction(sig = "()")]
    fn process_time_ns(_vm: &Vm) -> i64 {
        clock_ns(libc::CLOCK_PROCESS_CPUTIME_ID)
    }

    /// Thread time for profiling: sum of the kernel and user-space CPU time.
    #[pyfunction(sig = "()")]
    fn thread_time(_vm: &Vm) -> f64 {
        seconds(clock_ns(libc::CLOCK_THREAD_CPUTIME_ID))
    }

    /// Thread time for profiling as nanoseconds.
    #[pyfunction(sig = "()")]
    fn thread_time_ns(_vm: &Vm) -> i64 {
        clock_ns(libc::CLOCK_THREAD_CPUTIME_ID)
    }

    /// Delay execution for a given number of seconds.  The argument may be
    /// a floating-point number for subsecond precision.
    #[pyfunction(sig = "(seconds, /)")]
    fn sleep(vm: &Vm, seconds: &Value) -> Res<()> {
        let x = number(vm, seconds)?;
        if x.is_nan() {
            return Err(vm.value_error("Invalid value NaN (not a number)"));
        }
        if x < 0.0 {
            return Err(vm.value_error("sleep length must be non-negative"));
        }
        if x > 9_223_372_036.0 {
            return Err(vm.overflow_error("timestamp too large to convert to C PyTime_t"));
        }
        if x == 0.0 {
            vm.thread.yield_now();
            return vm.safepoint();
        }
        let until = Instant::now() + Duration::from_secs_f64(x);
        loop {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            match lisle_runtime::threads::sleep_for(left) {
                ParkOutcome::TimedOut => return Ok(()),
                _ => vm.safepoint()?,
            }
        }
    }

    /// Convert seconds since the Epoch to a time tuple expressing UTC.
    #[pyfunction(sig = "(seconds=None, /)")]
    fn gmtime(vm: &Vm, seconds: Option<&Value>) -> Res<Value> {
        Ok(as_tuple(&broken_down(vm, seconds, true)?))
    }

    /// Convert seconds since the Epoch to a time tuple expressing local time.
    #[pyfunction(sig = "(seconds=None, /)")]
    fn localtime(vm: &Vm, seconds: Option<&Value>) -> Res<Value> {
        Ok(as_tuple(&broken_down(vm, seconds, false)?))
    }

    /// Convert a time tuple in local time to seconds since the Epoch.
    #[pyfunction(sig = "(tuple, /)")]
    fn mktime(vm: &Vm, tuple: &Value) -> Res<f64> {
        let mut tm = from_tuple(vm, tuple)?;
        tm.tm_wday = -1;
        // SAFETY: a complete struct.
        let t = unsafe { libc::mktime(&mut tm) };
        if t == -1 && tm.tm_wday == -1 {
            return Err(vm.overflow_error("mktime argument out of range"));
        }
        Ok(t as f64)
    }

    /// Convert a time tuple to a string according to a format specification.
    #[pyfunction(sig = "(format, tuple=<unrepresentable>, /)")]
    fn strftime(vm: &Vm, format: &Py<Str>, tuple: Option<&Value>) -> Res<Value> {
        let tm = match tuple {
            Some(t) => from_tuple(vm, t)?,
            None => broken_down(vm, None, false)?,
        };
        let text = format.to_string_lossy();
        if text.is_empty() {
            return Ok(Value::from(""));
        }
        let Ok(format) = std::ffi::CString::new(text) else {
            return Err(vm.value_error("embedded null character"));
        };
        let mut buffer = vec![0u8; 256];
        loop {
            // SAFETY: the buffer's length is passed, the format is terminated.
            let n = unsafe { libc::strftime(buffer.as_mut_ptr().cast(), buffer.len(), format.as_ptr(), &tm) };
            if n > 0 || buffer.len() > 1 << 16 {
                buffer.truncate(n);
                return Ok(Value::from(String::from_utf8_lossy(&buffer).as_ref()));
            }
            buffer.resize(buffer.len() * 4, 0);
        }
    }
}
