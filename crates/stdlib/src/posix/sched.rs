//! `posix`: scheduling and processors.

use lisle_runtime::native::{Args, Py, Res, Value, Vm, pymodule, signature};
use lisle_runtime::threads::stop_reuse;
use lisle_runtime::types::set::Set;
use lisle_runtime::types::struct_seq::{StructSeq, StructSeqDef};
use lisle_runtime::types::tuple::Tuple;

use crate::syscall::{OrRaise, c, check, int_arg};

/// `os.sched_param`.
pub static SCHED_PARAM: StructSeqDef = StructSeqDef::new(
    "sched_param",
    "posix",
    "Currently has only one field: sched_priority\n\n  sched_priority\n    A scheduling parameter.",
    &[("sched_priority", "the scheduling priority")],
    1,
)
.with_constructor(|vm: &Vm, args: Args<'_>| {
    let sig = signature!(class "sched_param(sched_priority)");
    let [priority] = sig.bind_array::<1>(vm, args)?;
    Ok(vec![priority.cloned().unwrap_or(Value::NONE)])
});

/// The priority in a `sched_param`.
pub fn priority_of(vm: &Vm, param: &Value) -> Res<libc::sched_param> {
    let priority = match param.downcast::<StructSeq>() {
        Some(seq) if seq.class().is(SCHED_PARAM.ty()) => param.downcast::<Tuple>().and_then(|t| t.first().cloned()),
        _ => return Err(vm.type_error("must have a sched_param object")),
    };
    let n = vm.index(&priority.unwrap_or(Value::NONE))?;
    match vm
        .int_value(&n)
        .and_then(|n| n.to_i64())
        .and_then(|n| i32::try_from(n).ok())
    {
        Some(sched_priority) => Ok(libc::sched_param { sched_priority }),
        None => Err(vm.overflow_error("sched_priority out of range")),
    }
}

fn param_value(param: &libc::sched_param) -> Value {
    SCHED_PARAM.make(vec![Value::int(param.sched_priority.into())])
}

#[pymodule(name = "posix")]
pub mod module {
    use super::*;

    #[pyattr]
    use libc::{SCHED_BATCH, SCHED_DEADLINE, SCHED_FIFO, SCHED_IDLE, SCHED_OTHER, SCHED_RESET_ON_FORK, SCHED_RR};

    #[pyattr]
    const SCHED_NORMAL: i32 = 0;

    #[pyattr]
    fn sched_param(_vm: &Vm) -> Value {
        SCHED_PARAM.ty().to_value()
    }

    /// Return the number of logical CPUs in the system.
    ///
    /// Return None if indeterminable.
    #[pyfunction(sig = "()")]
    fn cpu_count(_vm: &Vm) -> Option<i64> {
        match crate::cli::config().cpu_count {
            n @ 1.. => Some(n),
            _ => Some(c!(sysconf(libc::_SC_NPROCESSORS_ONLN))).filter(|n| *n > 0),
        }
    }

    /// Return average recent system load information.
    ///
    /// Return the number of processes in the system run queue averaged over
    /// the last 1, 5, and 15 minutes as a tuple of three floats.
    /// Raises OSError if the load average was unobtainable.
    #[pyfunction(sig = "()")]
    fn getloadavg(vm: &Vm) -> Res<(f64, f64, f64)> {
        let mut load = [0.0; 3];
        match c!(getloadavg(load.as_mut_ptr(), 3)) {
            3 => Ok((load[0], load[1], load[2])),
            _ => Err(vm.os_error_message("Load averages are unobtainable")),
        }
    }

    /// Get the maximum scheduling priority for policy.
    #[pyfunction(sig = "(policy)")]
    fn sched_get_priority_max(vm: &Vm, policy: i32) -> Res<i32> {
        check(c!(sched_get_priority_max(policy))).or_raise(vm)
    }

    /// Get the minimum scheduling priority for policy.
    #[pyfunction(sig = "(policy)")]
    fn sched_get_priority_min(vm: &Vm, policy: i32) -> Res<i32> {
        check(c!(sched_get_priority_min(policy))).or_raise(vm)
    }

    /// Get the scheduling policy for the process identified by pid.
    ///
    /// Passing 0 for pid returns the scheduling policy for the calling process.
    #[pyfunction(sig = "(pid, /)")]
    fn sched_getscheduler(vm: &Vm, pid: i32) -> Res<i32> {
        check(c!(sched_getscheduler(pid))).or_raise(vm)
    }

    /// Set the scheduling policy for the process identified by pid.
    ///
    /// If pid is 0, the calling process is changed.
    /// param is an instance of sched_param.
    #[pyfunction(sig = "(pid, policy, param, /)")]
    fn sched_setscheduler(vm: &Vm, pid: i32, policy: i32, param: &Value) -> Res<()> {
        let param = priority_of(vm, param)?;
        stop_reuse();
        check(c!(sched_setscheduler(pid, policy, &param)))
            .or_raise(vm)
            .map(drop)
    }

    /// Returns scheduling parameters for the process identified by pid.
    ///
    /// If pid is 0, returns parameters for the calling process.
    /// Return value is an instance of sched_param.
    #[pyfunction(sig = "(pid, /)")]
    fn sched_getparam(vm: &Vm, pid: i32) -> Res<Value> {
        let mut param = libc::sched_param { sched_priority: 0 };
        check(c!(sched_getparam(pid, &mut param))).or_raise(vm)?;
        Ok(param_value(&param))
    }

    /// Set scheduling parameters for the process identified by pid.
    ///
    /// If pid is 0, sets parameters for the calling process.
    /// param should be an instance of sched_param.
    #[pyfunction(sig = "(pid, param, /)")]
    fn sched_setparam(vm: &Vm, pid: i32, param: &Value) -> Res<()> {
        let param = priority_of(vm, param)?;
        stop_reuse();
        check(c!(sched_setparam(pid, &param))).or_raise(vm).map(drop)
    }

    /// Return the round-robin quantum for the process identified by pid, in seconds.
    ///
    /// Value returned is a float.
    #[pyfunction(sig = "(pid, /)")]
    fn sched_rr_get_interval(vm: &Vm, pid: i32) -> Res<f64> {
        let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        check(c!(sched_rr_get_interval(pid, &mut time))).or_raise(vm)?;
        Ok(time.tv_sec as f64 + 1e-9 * time.tv_nsec as f64)
    }

    /// Voluntarily relinquish the CPU.
    #[pyfunction(sig = "()")]
    fn sched_yield(vm: &Vm) -> Res<()> {
        crate::syscall::detached(vm, || c!(sched_yield()))
            .or_raise(vm)
            .map(drop)
    }

    /// The bits of the kernel's sets of processors that are asked for.
    const WORDS: usize = 1024;

    /// Set the CPU affinity of the process identified by pid to mask.
    ///
    ///   pid
    ///     The identifier of the process; if 0, the current process.
    ///   mask
    ///     An iterable of integers identifying CPUs.
    #[pyfunction(sig = "(pid, mask, /)")]
    fn sched_setaffinity(vm: &Vm, pid: i32, mask: &Value) -> Res<()> {
        let mut bits = vec![0u64; 1];
        let iter = vm.iter(mask)?;
        while let Some(item) = vm.next(&iter)? {
            if vm.int_value(&item).is_none() {
                let found = vm.repr(item.ty().as_value())?.to_string_lossy();
                let message = format!("expected an iterator of ints, but iterator yielded {found}");
                return Err(vm.type_error(message));
            }
            let Ok(cpu) = usize::try_from(int_arg(vm, &item)?) else {
                return Err(vm.value_error("negative CPU number"));
            };
            if cpu > 1 << 24 {
                return Err(vm.overflow_error("CPU number too large"));
            }
            if bits.len() <= cpu / 64 {
                bits.resize(cpu / 64 + 1, 0);
            }
            bits[cpu / 64] |= 1 << (cpu % 64);
        }
        let done = check(c!(sched_setaffinity(pid, bits.len() * 8, bits.as_ptr().cast())));
        stop_reuse();
        done.or_raise(vm).map(drop)
    }

    /// Return the affinity of the process identified by pid (or the current process if zero).
    ///
    /// The affinity is returned as a set of CPU identifiers.
    #[pyfunction(sig = "(pid, /)")]
    fn sched_getaffinity(vm: &Vm, pid: i32) -> Res<Value> {
        let mut bits = vec![0u64; WORDS];
        check(c!(sched_getaffinity(pid, WORDS * 8, bits.as_mut_ptr().cast()))).or_raise(vm)?;
        let cpus = (0..WORDS * 64).filter(|cpu| bits[cpu / 64] >> (cpu % 64) & 1 == 1);
        let cpus: Vec<Value> = cpus.map(Value::usize).collect();
        Set::from_values(vm, &cpus).map(Py::into_value)
    }
}
