//! Sets of signals between Python's iterables and the system's `sigset_t`.

use std::collections::BTreeSet;

use lisle_runtime::native::{Res, Value, Vm};
use lisle_runtime::threads::signals::NSIG;

use crate::syscall::{c, zeroed};

/// The set of an iterable of signal numbers.
pub fn sigset_of(vm: &Vm, signals: &Value) -> Res<libc::sigset_t> {
    // SAFETY: plain data.
    let mut set: libc::sigset_t = unsafe { zeroed() };
    c!(sigemptyset(&mut set));
    let iter = vm.iter(signals)?;
    while let Some(item) = vm.next(&iter)? {
        let n = vm.index(&item)?;
        let n = vm.int_value(&n).and_then(|n| n.to_i64()).unwrap_or(-1);
        let Some(signum) = i32::try_from(n).ok().filter(|n| (1..NSIG).contains(n)) else {
            let message = format!("signal number {n} out of range [1; {}]", NSIG - 1);
            return Err(vm.value_error(message));
        };
        // Those that the C library keeps for itself are refused; they cannot be sent either.
        c!(sigaddset(&mut set, signum));
    }
    Ok(set)
}

/// The numbers in a set.
pub fn members(set: &libc::sigset_t) -> BTreeSet<i32> {
    (1..NSIG).filter(|n| c!(sigismember(set, *n)) == 1).collect()
}
