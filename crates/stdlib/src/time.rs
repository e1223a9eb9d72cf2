//! `time`: clocks, sleeping, calendar conversions of the C library.

mod calendar;

use std::time::Duration;

use lisle_runtime::intern;
use lisle_runtime::native::{Py, Res, Str, Value, Vm, pymodule};
use lisle_runtime::threads::ParkOutcome;
use lisle_runtime::threads::registry::with_thread;
use lisle_runtime::types::namespace::Namespace;

pub use calendar::struct_time;

use crate::posix::stat::timespec_of;
use crate::syscall::{OrRaise, c, check};
use crate::timeout::{deadline, left, nanoseconds};

fn clock_ns(id: libc::clockid_t) -> i64 {
    let mut ts = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    c!(clock_gettime(id, &mut ts));
    ts.tv_sec * 1_000_000_000 + ts.tv_nsec
}

/// Any clock, which may not exist.
fn clock(vm: &Vm, id: i32) -> Res<i64> {
    let mut ts = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    check(c!(clock_gettime(id, &mut ts))).or_raise(vm)?;
    Ok(ts.tv_sec.saturating_mul(1_000_000_000).saturating_add(ts.tv_nsec))
}

fn seconds(ns: i64) -> f64 {
    // Split where that is exact.
    if ns % 1_000_000_000 == 0 {
        (ns / 1_000_000_000) as f64
    } else {
        ns as f64 / 1e9
    }
}

#[pymodule(
    name = "time",
    doc = "This module provides various functions to manipulate time values.\n\nThere are two standard representations of time.  One is the number\nof seconds since the Epoch, in UTC (a.k.a. GMT).  It may be an integer\nor a floating-point number (to represent fractions of seconds).\nThe epoch is the point where the time starts, the return value of time.gmtime(0).\nIt is January 1, 1970, 00:00:00 (UTC) on all platforms.",
    parts(calendar::module::DEF)
)]
pub mod module {
    use super::{calendar, *};

    #[pyattr]
    use libc::{
        CLOCK_BOOTTIME, CLOCK_MONOTONIC, CLOCK_MONOTONIC_RAW, CLOCK_PROCESS_CPUTIME_ID, CLOCK_REALTIME, CLOCK_TAI,
        CLOCK_THREAD_CPUTIME_ID,
    };

    /// time() -> floating-point number
    ///
    /// Return the current time in seconds since the Epoch.
    /// Fractions of a second may be present if the system clock provides them.
    #[pyfunction(sig = "()")]
    fn time(_vm: &Vm) -> f64 {
        seconds(clock_ns(libc::CLOCK_REALTIME))
    }

    /// time_ns() -> int
    ///
    /// Return the current time in nanoseconds since the Epoch.
    #[pyfunction(sig = "()")]
    fn time_ns(_vm: &Vm) -> i64 {
        clock_ns(libc::CLOCK_REALTIME)
    }

    /// monotonic() -> float
    ///
    /// Monotonic clock, cannot go backward.
    #[pyfunction(sig = "()")]
    fn monotonic(_vm: &Vm) -> f64 {
        seconds(clock_ns(libc::CLOCK_MONOTONIC))
    }

    /// monotonic_ns() -> int
    ///
    /// Monotonic clock, cannot go backward, as nanoseconds.
    #[pyfunction(sig = "()")]
    fn monotonic_ns(_vm: &Vm) -> i64 {
        clock_ns(libc::CLOCK_MONOTONIC)
    }

    /// perf_counter() -> float
    ///
    /// Performance counter for benchmarking.
    #[pyfunction(sig = "()")]
    fn perf_counter(_vm: &Vm) -> f64 {
        seconds(clock_ns(libc::CLOCK_MONOTONIC))
    }

    /// perf_counter_ns() -> int
    ///
    /// Performance counter for benchmarking as nanoseconds.
    #[pyfunction(sig = "()")]
    fn perf_counter_ns(_vm: &Vm) -> i64 {
        clock_ns(libc::CLOCK_MONOTONIC)
    }

    /// process_time() -> float
    ///
    /// Process time for profiling: sum of the kernel and user-space CPU time.
    #[pyfunction(sig = "()")]
    fn process_time(_vm: &Vm) -> f64 {
        seconds(clock_ns(libc::CLOCK_PROCESS_CPUTIME_ID))
    }

    /// process_time() -> int
    ///
    /// Process time for profiling as nanoseconds:
    /// sum of the kernel and user-space CPU time.
    #[pyfunction(sig = "()")]
    fn process_time_ns(_vm: &Vm) -> i64 {
        clock_ns(libc::CLOCK_PROCESS_CPUTIME_ID)
    }

    /// thread_time() -> float
    ///
    /// Thread time for profiling: sum of the kernel and user-space CPU time.
    #[pyfunction(sig = "()")]
    fn thread_time(_vm: &Vm) -> f64 {
        seconds(clock_ns(libc::CLOCK_THREAD_CPUTIME_ID))
    }

    /// thread_time() -> int
    ///
    /// Thread time for profiling as nanoseconds:
    /// sum of the kernel and user-space CPU time.
    #[pyfunction(sig = "()")]
    fn thread_time_ns(_vm: &Vm) -> i64 {
        clock_ns(libc::CLOCK_THREAD_CPUTIME_ID)
    }

    /// clock_gettime(clk_id) -> float
    ///
    /// Return the time of the specified clock clk_id as a float.
    #[pyfunction(sig = "(clk_id, /)")]
    fn clock_gettime(vm: &Vm, clk_id: i32) -> Res<f64> {
        clock(vm, clk_id).map(seconds)
    }

    /// clock_gettime_ns(clk_id) -> int
    ///
    /// Return the time of the specified clock clk_id as nanoseconds (int).
    #[pyfunction(sig = "(clk_id, /)")]
    fn clock_gettime_ns(vm: &Vm, clk_id: i32) -> Res<i64> {
        clock(vm, clk_id)
    }

    /// clock_settime(clk_id, time)
    ///
    /// Set the time of the specified clock clk_id.
    #[pyfunction(sig = "(clk_id, time, /)")]
    fn clock_settime(vm: &Vm, clk_id: i32, time: &Value) -> Res<()> {
        let ts = timespec_of(vm, time)?;
        check(c!(clock_settime(clk_id, &ts))).or_raise(vm).map(drop)
    }

    /// clock_settime_ns(clk_id, time)
    ///
    /// Set the time of the specified clock clk_id with nanoseconds.
    #[pyfunction(sig = "(clk_id, time, /)")]
    fn clock_settime_ns(vm: &Vm, clk_id: i32, time: i64) -> Res<()> {
        let ts = libc::timespec {
            tv_sec: time.div_euclid(1_000_000_000),
            tv_nsec: time.rem_euclid(1_000_000_000),
        };
        check(c!(clock_settime(clk_id, &ts))).or_raise(vm).map(drop)
    }

    /// clock_getres(clk_id) -> floating-point number
    ///
    /// Return the resolution (precision) of the specified clock clk_id.
    #[pyfunction(sig = "(clk_id, /)")]
    fn clock_getres(vm: &Vm, clk_id: i32) -> Res<f64> {
        let mut ts = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        check(c!(clock_getres(clk_id, &mut ts))).or_raise(vm)?;
        Ok(ts.tv_sec as f64 + ts.tv_nsec as f64 * 1e-9)
    }

    /// pthread_getcpuclockid(thread_id) -> int
    ///
    /// Return the clk_id of a thread's CPU time clock.
    #[pyfunction(sig = "(thread_id, /)")]
    fn pthread_getcpuclockid(vm: &Vm, thread_id: u64) -> Res<i32> {
        unsafe extern "C" {
            fn pthread_getcpuclockid(thread: libc::pthread_t, clock: *mut libc::clockid_t) -> libc::c_int;
        }
        let mut clock = 0;
        // A thread that is not known here may be gone, and its id mean nothing.
        let result = with_thread(thread_id, |_| {
            // SAFETY: the thread is registered and cannot end while the registry is held.
            unsafe { pthread_getcpuclockid(thread_id as libc::pthread_t, &mut clock) }
        });
        match result {
            Some(0) => Ok(clock),
            Some(errno) => Err(vm.os_error(errno, None)),
            None => Err(vm.os_error(libc::ESRCH, None)),
        }
    }

    /// get_clock_info(name: str) -> dict
    ///
    /// Get information of the specified clock.
    #[pyfunction(sig = "(name, /)")]
    fn get_clock_info(vm: &Vm, name: &Py<Str>) -> Res<Value> {
        let (id, function) = match name.to_string_lossy().as_str() {
            "time" => (libc::CLOCK_REALTIME, "CLOCK_REALTIME"),
            "monotonic" | "perf_counter" => (libc::CLOCK_MONOTONIC, "CLOCK_MONOTONIC"),
            "process_time" => (libc::CLOCK_PROCESS_CPUTIME_ID, "CLOCK_PROCESS_CPUTIME_ID"),
            "thread_time" => (libc::CLOCK_THREAD_CPUTIME_ID, "CLOCK_THREAD_CPUTIME_ID"),
            _ => return Err(vm.value_error("unknown clock")),
        };
        let realtime = id == libc::CLOCK_REALTIME;
        let implementation = format!("clock_gettime({function})");
        let resolution = clock_getres(vm, id)?;
        Namespace::new_value(
            vm,
            &[
                (intern!("implementation"), Value::from(implementation.as_str())),
                (intern!("monotonic"), Value::from_bool(!realtime)),
                (intern!("adjustable"), Value::from_bool(realtime)),
                (intern!("resolution"), Value::float(resolution)),
            ],
        )
    }

    /// sleep(seconds)
    ///
    /// Delay execution for a given number of seconds.  The argument may be
    /// a floating-point number for subsecond precision.
    #[pyfunction(sig = "(seconds, /)")]
    fn sleep(vm: &Vm, seconds: &Value) -> Res<()> {
        crate::syscall::audit!(vm, "time.sleep", seconds.clone());
        let ns = nanoseconds(vm, seconds, 1_000_000_000)?;
        if ns < 0 {
            return Err(vm.value_error("sleep length must be non-negative"));
        }
        if ns == 0 {
            vm.thread.yield_now();
            return vm.safepoint();
        }
        let until = deadline(ns);
        loop {
            let rest = until.map_or(Duration::from_secs(1 << 30), left);
            if rest.is_zero() {
                return vm.safepoint();
            }
            match lisle_runtime::threads::sleep_for(rest) {
                ParkOutcome::TimedOut if until.is_some() => return vm.safepoint(),
                _ => vm.safepoint()?,
            }
        }
    }
}
