//! `resource`: limits of the process and what it used.

use lisle_runtime::native::{Res, Value, Vm, pymodule};
use lisle_runtime::types::struct_seq::StructSeqDef;
use lisle_runtime::types::tuple::Tuple;

use crate::syscall::{Errno, OrRaise, Sys, c, check, zeroed};

static STRUCT_RUSAGE: StructSeqDef = StructSeqDef::new(
    "struct_rusage",
    "resource",
    "struct_rusage: Result from getrusage.\n\nThis object may be accessed either as a tuple of\n    (utime,stime,maxrss,ixrss,idrss,isrss,minflt,majflt,\n    nswap,inblock,oublock,msgsnd,msgrcv,nsignals,nvcsw,nivcsw)\nor via the attributes ru_utime, ru_stime, ru_maxrss, and so on.",
    &[
        ("ru_utime", "user time used"),
        ("ru_stime", "system time used"),
        ("ru_maxrss", "max. resident set size"),
        ("ru_ixrss", "shared memory size"),
        ("ru_idrss", "unshared data size"),
        ("ru_isrss", "unshared stack size"),
        ("ru_minflt", "page faults not requiring I/O"),
        ("ru_majflt", "page faults requiring I/O"),
        ("ru_nswap", "number of swap outs"),
        ("ru_inblock", "block input operations"),
        ("ru_oublock", "block output operations"),
        ("ru_msgsnd", "IPC messages sent"),
        ("ru_msgrcv", "IPC messages received"),
        ("ru_nsignals", "signals received"),
        ("ru_nvcsw", "voluntary context switches"),
        ("ru_nivcsw", "involuntary context switches"),
    ],
    16,
);

/// `struct_rusage`.
pub fn usage_value(usage: &libc::rusage) -> Value {
    let time = |t: &libc::timeval| Value::float(t.tv_sec as f64 + t.tv_usec as f64 * 0.000_001);
    let counts = [
        usage.ru_maxrss,
        usage.ru_ixrss,
        usage.ru_idrss,
        usage.ru_isrss,
        usage.ru_minflt,
        usage.ru_majflt,
        usage.ru_nswap,
        usage.ru_inblock,
        usage.ru_oublock,
        usage.ru_msgsnd,
        usage.ru_msgrcv,
        usage.ru_nsignals,
        usage.ru_nvcsw,
        usage.ru_nivcsw,
    ];
    let mut values = vec![time(&usage.ru_utime), time(&usage.ru_stime)];
    values.extend(counts.iter().map(|n| Value::int(*n)));
    STRUCT_RUSAGE.make(values)
}

/// A limit as Python shows it: -1 for none.
fn limit_value(limit: libc::rlim_t) -> Value {
    i64::try_from(limit).map_or_else(|_| Value::int(-1), Value::int)
}

fn limits_value(limits: &libc::rlimit) -> (Value, Value) {
    (limit_value(limits.rlim_cur), limit_value(limits.rlim_max))
}

fn limit_of(vm: &Vm, value: &Value) -> Res<libc::rlim_t> {
    let n = vm.index(value)?;
    match vm.int_value(&n) {
        Some(n) => match n.to_i64() {
            Some(-1) => Ok(libc::RLIM_INFINITY),
            Some(n) if n < 0 => Ok(n as libc::rlim_t),
            _ => n
                .to_u64()
                .ok_or_else(|| vm.overflow_error("Python int too large to convert to C rlim_t")),
        },
        None => Err(vm.type_error("an integer is required")),
    }
}

fn limits_of(vm: &Vm, value: &Value) -> Res<libc::rlimit> {
    let items = match value.downcast::<Tuple>() {
        Some(tuple) => tuple.as_slice().to_vec(),
        None => vm.collect(value)?,
    };
    let [soft, hard] = items.as_slice() else {
        return Err(vm.value_error("expected a tuple of 2 integers"));
    };
    Ok(libc::rlimit {
        rlim_cur: limit_of(vm, soft)?,
        rlim_max: limit_of(vm, hard)?,
    })
}

/// How many there are.
const RESOURCES: u32 = 16;

fn check_resource(vm: &Vm, resource: i32) -> Res<u32> {
    match u32::try_from(resource) {
        Ok(n) if n < RESOURCES => Ok(n),
        _ => Err(vm.value_error("invalid resource specified")),
    }
}

/// Wrong limits are a ValueError here.
fn limit_result(vm: &Vm, result: Sys<i32>) -> Res<()> {
    match result {
        Err(Errno(libc::EINVAL)) => Err(vm.value_error("current limit exceeds maximum limit")),
        Err(Errno(libc::EPERM)) => Err(vm.value_error("not allowed to raise maximum limit")),
        result => result.or_raise(vm).map(drop),
    }
}

#[pymodule(name = "resource")]
pub mod module {
    use super::*;

    #[pyattr]
    use libc::{
        RLIMIT_AS, RLIMIT_CORE, RLIMIT_CPU, RLIMIT_DATA, RLIMIT_FSIZE, RLIMIT_MEMLOCK, RLIMIT_MSGQUEUE, RLIMIT_NICE,
        RLIMIT_NOFILE, RLIMIT_NPROC, RLIMIT_RSS, RLIMIT_RTPRIO, RLIMIT_RTTIME, RLIMIT_SIGPENDING, RLIMIT_STACK,
        RUSAGE_CHILDREN, RUSAGE_SELF, RUSAGE_THREAD,
    };

    #[pyattr]
    const RLIMIT_OFILE: u32 = libc::RLIMIT_NOFILE;
    #[pyattr]
    const RLIM_INFINITY: i64 = -1;

    #[pyattr]
    fn error(_vm: &Vm) -> Value {
        lisle_runtime::types::exceptions::OS_ERROR.get().to_value()
    }

    #[pyattr]
    fn struct_rusage(_vm: &Vm) -> Value {
        STRUCT_RUSAGE.ty().to_value()
    }

    #[pyfunction(sig = "(who, /)")]
    fn getrusage(vm: &Vm, who: i32) -> Res<Value> {
        // SAFETY: plain data.
        let mut usage: libc::rusage = unsafe { zeroed() };
        match check(c!(getrusage(who, &mut usage))) {
            Err(Errno(libc::EINVAL)) => Err(vm.value_error("invalid who parameter")),
            result => {
                result.or_raise(vm)?;
                Ok(usage_value(&usage))
            }
        }
    }

    #[pyfunction(sig = "(resource, /)")]
    fn getrlimit(vm: &Vm, resource: i32) -> Res<(Value, Value)> {
        let resource = check_resource(vm, resource)?;
        // SAFETY: plain data.
        let mut limits: libc::rlimit = unsafe { zeroed() };
        check(c!(getrlimit(resource, &mut limits))).or_raise(vm)?;
        Ok(limits_value(&limits))
    }

    #[pyfunction(sig = "(resource, limits, /)")]
    fn setrlimit(vm: &Vm, resource: i32, limits: &Value) -> Res<()> {
        crate::syscall::audit!(vm, "resource.setrlimit", Value::int(resource.into()), limits.clone());
        let resource = check_resource(vm, resource)?;
        let limits = limits_of(vm, limits)?;
        limit_result(vm, check(c!(setrlimit(resource, &limits))))
    }

    /// Get and set the limits of another process.
    #[pyfunction(sig = "(pid, resource, limits=None, /)")]
    fn prlimit(vm: &Vm, pid: i32, resource: i32, limits: Option<&Value>) -> Res<(Value, Value)> {
        let resource = check_resource(vm, resource)?;
        crate::syscall::audit!(
            vm,
            "resource.prlimit",
            Value::int(pid.into()),
            Value::int(resource as i64),
            limits.cloned().unwrap_or(Value::NONE)
        );
        let new = limits
            .filter(|l| !l.is_none())
            .map(|limits| limits_of(vm, limits))
            .transpose()?;
        let new = new.as_ref().map_or(std::ptr::null(), std::ptr::from_ref);
        // SAFETY: plain data.
        let mut old: libc::rlimit = unsafe { zeroed() };
        let result = check(c!(prlimit(pid, resource, new, &mut old)));
        match result {
            Err(Errno(libc::EINVAL)) => limit_result(vm, result)?,
            result => drop(result.or_raise(vm)?),
        }
        Ok(limits_value(&old))
    }

    #[pyfunction(sig = "()")]
    fn getpagesize(_vm: &Vm) -> i64 {
        c!(sysconf(libc::_SC_PAGESIZE))
    }
}
