//! `posix`: waiting for processes, and what their status says.

use lisle_runtime::native::{Res, Value, Vm, pymodule};
use lisle_runtime::threads::ParkReason;
use lisle_runtime::types::struct_seq::StructSeqDef;

use crate::syscall::{blocking, c, zeroed};

static WAITID_RESULT: StructSeqDef = StructSeqDef::new(
    "waitid_result",
    "posix",
    "waitid_result: Result from waitid.\n\nThis object may be accessed either as a tuple of\n  (si_pid, si_uid, si_signo, si_status, si_code),\nor via the attributes si_pid, si_uid, and so on.\n\nSee os.waitid for more information.",
    &[
        ("si_pid", ""),
        ("si_uid", ""),
        ("si_signo", ""),
        ("si_status", ""),
        ("si_code", ""),
    ],
    5,
);

/// `wait4`, with what the child used.
fn wait_for(vm: &Vm, pid: i32, options: i32) -> Res<(i32, i32, Value)> {
    let mut status = 0;
    // SAFETY: plain data.
    let mut usage: libc::rusage = unsafe { zeroed() };
    let pid = blocking(vm, ParkReason::Process, || {
        c!(wait4(pid, &mut status, options, &mut usage))
    })?;
    Ok((pid, status, crate::resource::usage_value(&usage)))
}

#[pymodule(name = "posix")]
pub mod module {
    use super::*;

    #[pyattr]
    use libc::{
        CLD_CONTINUED, CLD_DUMPED, CLD_EXITED, CLD_KILLED, CLD_STOPPED, CLD_TRAPPED, P_ALL, P_PGID, P_PID, P_PIDFD,
        WCONTINUED, WEXITED, WNOHANG, WNOWAIT, WSTOPPED, WUNTRACED,
    };

    #[pyattr]
    fn waitid_result(_vm: &Vm) -> Value {
        WAITID_RESULT.ty().to_value()
    }

    /// Wait for completion of a child process.
    ///
    /// Returns a tuple of information about the child process:
    ///     (pid, status)
    #[pyfunction(sig = "()")]
    fn wait(vm: &Vm) -> Res<(i32, i32)> {
        waitpid(vm, -1, 0)
    }

    /// Wait for completion of a given child process.
    ///
    /// Returns a tuple of information regarding the child process:
    ///     (pid, status)
    ///
    /// The options argument is ignored on Windows.
    #[pyfunction(sig = "(pid, options, /)")]
    fn waitpid(vm: &Vm, pid: i32, options: i32) -> Res<(i32, i32)> {
        let mut status = 0;
        let pid = blocking(vm, ParkReason::Process, || c!(waitpid(pid, &mut status, options)))?;
        Ok((pid, status))
    }

    /// Wait for completion of a child process.
    ///
    /// Returns a tuple of information about the child process:
    ///   (pid, status, rusage)
    #[pyfunction(sig = "(options)")]
    fn wait3(vm: &Vm, options: i32) -> Res<(i32, i32, Value)> {
        wait_for(vm, -1, options)
    }

    /// Wait for completion of a specific child process.
    ///
    /// Returns a tuple of information about the child process:
    ///   (pid, status, rusage)
    #[pyfunction(sig = "(pid, options)")]
    fn wait4(vm: &Vm, pid: i32, options: i32) -> Res<(i32, i32, Value)> {
        wait_for(vm, pid, options)
    }

    /// Returns the result of waiting for a process or processes.
    ///
    ///   idtype
    ///     Must be one of be P_PID, P_PGID or P_ALL.
    ///   id
    ///     The id to wait on.
    ///   options
    ///     Constructed from the ORing of one or more of WEXITED, WSTOPPED
    ///     or WCONTINUED and additionally may be ORed with WNOHANG or WNOWAIT.
    ///
    /// Returns either waitid_result or None if WNOHANG is specified and there are
    /// no children in a waitable state.
    #[pyfunction(sig = "(idtype, id, options, /)")]
    fn waitid(vm: &Vm, idtype: u32, id: i32, options: i32) -> Res<Option<Value>> {
        // SAFETY: plain data.
        let mut info: libc::siginfo_t = unsafe { zeroed() };
        blocking(vm, ParkReason::Process, || {
            c!(waitid(idtype, id as libc::id_t, &mut info, options))
        })?;
        // SAFETY: the call fills in what these read; without a child all is zero.
        let (pid, uid, status) = unsafe { (info.si_pid(), info.si_uid(), info.si_status()) };
        if pid == 0 {
            return Ok(None);
        }
        Ok(Some(WAITID_RESULT.make(vec![
            Value::int(pid.into()),
            super::super::path::id_value(uid),
            Value::int(info.si_signo.into()),
            Value::int(status.into()),
            Value::int(info.si_code.into()),
        ])))
    }

    /// Convert a wait status to an exit code.
    ///
    /// On Unix:
    ///
    /// * If WIFEXITED(status) is true, return WEXITSTATUS(status).
    /// * If WIFSIGNALED(status) is true, return -WTERMSIG(status).
    /// * Otherwise, raise a ValueError.
    ///
    /// On Windows, return status shifted right by 8 bits.
    ///
    /// On Unix, if the process is being traced or if waitpid() was called with
    /// WUNTRACED option, the caller must first check if WIFSTOPPED(status) is true.
    /// This function must not be called if WIFSTOPPED(status) is true.
    #[pyfunction(sig = "(status)")]
    fn waitstatus_to_exitcode(vm: &Vm, status: &Value) -> Res<i32> {
        if vm.int_value(status).is_none() {
            let found = status.ty().name();
            return Err(vm.type_error(format!("'{found}' object cannot be interpreted as an integer")));
        }
        let status = crate::syscall::int_arg(vm, status)?;
        if libc::WIFEXITED(status) {
            return Ok(libc::WEXITSTATUS(status));
        }
        if libc::WIFSIGNALED(status) {
            return Ok(-libc::WTERMSIG(status));
        }
        Err(vm.value_error(if libc::WIFSTOPPED(status) {
            format!("process stopped by delivery of signal {}", libc::WSTOPSIG(status))
        } else {
            format!("invalid wait status: {status}")
        }))
    }

    /// Return True if the process returning status was dumped to a core file.
    #[pyfunction(name = "WCOREDUMP", sig = "(status, /)")]
    fn wcoredump(_vm: &Vm, status: i32) -> bool {
        libc::WCOREDUMP(status)
    }

    /// Return True if a particular process was continued from a job control stop.
    ///
    /// Return True if the process returning status was continued from a
    /// job control stop.
    #[pyfunction(name = "WIFCONTINUED", sig = "(status)")]
    fn wifcontinued(_vm: &Vm, status: i32) -> bool {
        libc::WIFCONTINUED(status)
    }

    /// Return True if the process returning status was stopped.
    #[pyfunction(name = "WIFSTOPPED", sig = "(status)")]
    fn wifstopped(_vm: &Vm, status: i32) -> bool {
        libc::WIFSTOPPED(status)
    }

    /// Return True if the process returning status was terminated by a signal.
    #[pyfunction(name = "WIFSIGNALED", sig = "(status)")]
    fn wifsignaled(_vm: &Vm, status: i32) -> bool {
        libc::WIFSIGNALED(status)
    }

    /// Return True if the process returning status exited via the exit() system call.
    #[pyfunction(name = "WIFEXITED", sig = "(status)")]
    fn wifexited(_vm: &Vm, status: i32) -> bool {
        libc::WIFEXITED(status)
    }

    /// Return the process return code from status.
    #[pyfunction(name = "WEXITSTATUS", sig = "(status)")]
    fn wexitstatus(_vm: &Vm, status: i32) -> i32 {
        libc::WEXITSTATUS(status)
    }

    /// Return the signal that terminated the process that provided the status value.
    #[pyfunction(name = "WTERMSIG", sig = "(status)")]
    fn wtermsig(_vm: &Vm, status: i32) -> i32 {
        libc::WTERMSIG(status)
    }

    /// Return the signal that stopped the process that provided the status value.
    #[pyfunction(name = "WSTOPSIG", sig = "(status)")]
    fn wstopsig(_vm: &Vm, status: i32) -> i32 {
        libc::WSTOPSIG(status)
    }
}
