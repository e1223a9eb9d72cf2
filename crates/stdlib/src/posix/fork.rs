//! `posix`: forking, with what programs and the runtime do around it.
//!
//! Invariant: between [`lisle_runtime::threads::fork::before_fork`] and its counterpart nothing but the fork itself runs.
//! In the child everything of other threads is gone: their states, their handles, the locks of the runtime that they held.

use lisle_runtime::import::imp::module as imp;
use lisle_runtime::native::{Res, Value, Vm, pymodule};
use lisle_runtime::sync::Mutex;
use lisle_runtime::threads::{self, fork};
use lisle_runtime::types::exceptions;

use crate::syscall::{Errno, OrRaise, Sys, audit, c, check};

/// What `register_at_fork` was given.
struct Hooks {
    before: Vec<Value>,
    in_child: Vec<Value>,
    in_parent: Vec<Value>,
}

static HOOKS: Mutex<Hooks> = Mutex::new(Hooks {
    before: Vec::new(),
    in_child: Vec::new(),
    in_parent: Vec::new(),
});

fn run_hooks(vm: &Vm, hooks: &[Value]) {
    for hook in hooks {
        if let Err(exc) = vm.call(hook, &[]) {
            lisle_runtime::interp::unraisable(vm, exc, None, Some(hook));
        }
    }
}

/// Forks by `call`, which returns the process id of the child, 0 in the child, or -1.
pub fn forking(vm: &Vm, call: impl FnOnce() -> i32) -> Sys<i32> {
    let mut before = HOOKS.lock().before.clone();
    before.reverse();
    run_hooks(vm, &before);
    imp::lock_for_fork();
    fork::before_fork();
    let result = check(call());
    match result {
        Ok(0) => {
            fork::after_fork_child(|_| {});
            imp::unlock_after_fork();
            crate::thread::after_fork_child(vm);
            let hooks = HOOKS.lock().in_child.clone();
            run_hooks(vm, &hooks);
        }
        _ => {
            fork::after_fork_parent();
            imp::unlock_after_fork();
            let hooks = HOOKS.lock().in_parent.clone();
            run_hooks(vm, &hooks);
        }
    }
    result
}

/// Refuses to fork when the interpreter is on its way down.
pub fn check_can_fork(vm: &Vm) -> Res<()> {
    if threads::is_finalizing() {
        let message = "can't fork at interpreter shutdown";
        return Err(vm.exception_with(&exceptions::PYTHON_FINALIZATION_ERROR, message));
    }
    Ok(())
}

/// In the parent: the child has only one of several threads.
pub fn warn_of_threads(vm: &Vm, name: &str) -> Res<()> {
    if threads::registry::thread_count() <= 1 {
        return Ok(());
    }
    let pid = c!(getpid());
    let message =
        format!("This process (pid={pid}) is multi-threaded, use of {name}() may lead to deadlocks in the child.");
    vm.warn(exceptions::DEPRECATION_WARNING.get(), &message, 1)
}

#[pymodule(name = "posix")]
pub mod module {
    use super::*;

    /// Register callables to be called when forking a new process.
    ///
    ///   before
    ///     A callable to be called in the parent before the fork() syscall.
    ///   after_in_child
    ///     A callable to be called in the child after fork().
    ///   after_in_parent
    ///     A callable to be called in the parent after fork().
    ///
    /// 'before' callbacks are called in reverse order.
    /// 'after_in_child' and 'after_in_parent' callbacks are called in order.
    #[pyfunction(
        sig = "(*, before=<unrepresentable>, after_in_child=<unrepresentable>, after_in_parent=<unrepresentable>)"
    )]
    fn register_at_fork(
        vm: &Vm,
        before: Option<&Value>,
        after_in_child: Option<&Value>,
        after_in_parent: Option<&Value>,
    ) -> Res<()> {
        let given = [
            ("before", before),
            ("after_in_child", after_in_child),
            ("after_in_parent", after_in_parent),
        ];
        if given.iter().all(|(_, hook)| hook.is_none()) {
            return Err(vm.type_error("At least one argument is required."));
        }
        for (name, hook) in given {
            if let Some(hook) = hook
                && !vm.is_callable(hook)
            {
                let found = hook.ty().name();
                return Err(vm.type_error(format!("'{name}' must be callable, not {found}")));
            }
        }
        let mut hooks = HOOKS.lock();
        hooks.before.extend(before.cloned());
        hooks.in_child.extend(after_in_child.cloned());
        hooks.in_parent.extend(after_in_parent.cloned());
        Ok(())
    }

    /// Fork a child process.
    ///
    /// Return 0 to child process and PID of child to parent process.
    #[pyfunction(sig = "()")]
    fn fork(vm: &Vm) -> Res<i32> {
        check_can_fork(vm)?;
        audit!(vm, "os.fork");
        let result = forking(vm, || c!(fork()));
        if !matches!(result, Ok(0)) {
            warn_of_threads(vm, "fork")?;
        }
        result.or_raise(vm)
    }

    /// Fork a new process with a new pseudo-terminal as controlling tty.
    ///
    /// Returns a tuple of (pid, master_fd).
    /// Like fork(), return pid of 0 to the child process,
    /// and pid of child to the parent process.
    /// To both, return fd of newly opened pseudo-terminal.
    #[pyfunction(sig = "()")]
    fn forkpty(vm: &Vm) -> Res<(i32, i32)> {
        check_can_fork(vm)?;
        audit!(vm, "os.forkpty");
        let mut master = -1;
        let (name, termios, size) = (std::ptr::null_mut(), std::ptr::null(), std::ptr::null());
        let result: Result<i32, Errno> = forking(vm, || c!(forkpty(&mut master, name, termios, size)));
        if !matches!(result, Ok(0)) {
            warn_of_threads(vm, "forkpty")?;
        }
        Ok((result.or_raise(vm)?, master))
    }
}
