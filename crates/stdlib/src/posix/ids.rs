//! `posix`: users, groups, sessions, priorities.

use lisle_runtime::native::{Res, Value, Vm, pymodule};
use lisle_runtime::types::list::List;

use super::path::{Gid, Uid, fs_decode_c, fs_encode, id_value};
use crate::syscall::{CResult, Errno, OrRaise, c, check};

unsafe extern "C" {
    fn getlogin_r(name: *mut libc::c_char, len: usize) -> libc::c_int;
}

/// A call that changes ids.
fn set(vm: &Vm, result: impl CResult) -> Res<()> {
    check(result).or_raise(vm).map(drop)
}

fn group_list(vm: &Vm, groups: &Value) -> Res<Vec<u32>> {
    if groups.ty().slots().getitem.is_none() || groups.ty().slots().len.is_none() {
        return Err(vm.type_error("setgroups argument must be a sequence"));
    }
    if vm.len(groups)? > 65536 {
        return Err(vm.value_error("too many groups"));
    }
    let items = vm.collect(groups)?;
    let one = |item: &Value| {
        if vm.int_value(item).is_none() {
            return Err(vm.type_error("groups must be integers"));
        }
        super::path::gid_of(vm, item)
    };
    items.iter().map(one).collect()
}

#[pymodule(name = "posix")]
pub mod module {
    use super::*;

    #[pyattr]
    const NGROUPS_MAX: i32 = 65536;

    #[pyattr]
    use libc::{PRIO_PGRP, PRIO_PROCESS, PRIO_USER};

    /// Return the current process's user id.
    #[pyfunction(sig = "()")]
    fn getuid(_vm: &Vm) -> Value {
        id_value(c!(getuid()))
    }

    /// Return the current process's effective user id.
    #[pyfunction(sig = "()")]
    fn geteuid(_vm: &Vm) -> Value {
        id_value(c!(geteuid()))
    }

    /// Return the current process's group id.
    #[pyfunction(sig = "()")]
    fn getgid(_vm: &Vm) -> Value {
        id_value(c!(getgid()))
    }

    /// Return the current process's effective group id.
    #[pyfunction(sig = "()")]
    fn getegid(_vm: &Vm) -> Value {
        id_value(c!(getegid()))
    }

    /// Return a tuple of the current process's real, effective, and saved user ids.
    #[pyfunction(sig = "()")]
    fn getresuid(vm: &Vm) -> Res<(Value, Value, Value)> {
        let (mut r, mut e, mut s) = (0, 0, 0);
        set(vm, c!(getresuid(&mut r, &mut e, &mut s)))?;
        Ok((id_value(r), id_value(e), id_value(s)))
    }

    /// Return a tuple of the current process's real, effective, and saved group ids.
    #[pyfunction(sig = "()")]
    fn getresgid(vm: &Vm) -> Res<(Value, Value, Value)> {
        let (mut r, mut e, mut s) = (0, 0, 0);
        set(vm, c!(getresgid(&mut r, &mut e, &mut s)))?;
        Ok((id_value(r), id_value(e), id_value(s)))
    }

    /// Set the current process's user id.
    #[pyfunction(sig = "(uid, /)")]
    fn setuid(vm: &Vm, uid: Uid) -> Res<()> {
        set(vm, c!(setuid(uid.0)))
    }

    /// Set the current process's effective user id.
    #[pyfunction(sig = "(euid, /)")]
    fn seteuid(vm: &Vm, euid: Uid) -> Res<()> {
        set(vm, c!(seteuid(euid.0)))
    }

    /// Set the current process's group id.
    #[pyfunction(sig = "(gid, /)")]
    fn setgid(vm: &Vm, gid: Gid) -> Res<()> {
        set(vm, c!(setgid(gid.0)))
    }

    /// Set the current process's effective group id.
    #[pyfunction(sig = "(egid, /)")]
    fn setegid(vm: &Vm, egid: Gid) -> Res<()> {
        set(vm, c!(setegid(egid.0)))
    }

    /// Set the current process's real and effective user ids.
    #[pyfunction(sig = "(ruid, euid, /)")]
    fn setreuid(vm: &Vm, ruid: Uid, euid: Uid) -> Res<()> {
        set(vm, c!(setreuid(ruid.0, euid.0)))
    }

    /// Set the current process's real and effective group ids.
    #[pyfunction(sig = "(rgid, egid, /)")]
    fn setregid(vm: &Vm, rgid: Gid, egid: Gid) -> Res<()> {
        set(vm, c!(setregid(rgid.0, egid.0)))
    }

    /// Set the current process's real, effective, and saved user ids.
    #[pyfunction(sig = "(ruid, euid, suid, /)")]
    fn setresuid(vm: &Vm, ruid: Uid, euid: Uid, suid: Uid) -> Res<()> {
        set(vm, c!(setresuid(ruid.0, euid.0, suid.0)))
    }

    /// Set the current process's real, effective, and saved group ids.
    #[pyfunction(sig = "(rgid, egid, sgid, /)")]
    fn setresgid(vm: &Vm, rgid: Gid, egid: Gid, sgid: Gid) -> Res<()> {
        set(vm, c!(setresgid(rgid.0, egid.0, sgid.0)))
    }

    /// Return list of supplemental group IDs for the process.
    #[pyfunction(sig = "()")]
    fn getgroups(vm: &Vm) -> Res<Value> {
        loop {
            let n = check(c!(getgroups(0, std::ptr::null_mut()))).or_raise(vm)?;
            let mut groups = vec![0; n as usize];
            match check(c!(getgroups(n, groups.as_mut_ptr()))) {
                // There are more by now.
                Err(Errno(libc::EINVAL)) => {}
                result => {
                    groups.truncate(result.or_raise(vm)? as usize);
                    return Ok(List::new(groups.into_iter().map(id_value).collect()).into_value());
                }
            }
        }
    }

    /// Set the groups of the current process to list.
    #[pyfunction(sig = "(groups, /)")]
    fn setgroups(vm: &Vm, groups: &Value) -> Res<()> {
        let groups = group_list(vm, groups)?;
        set(vm, c!(setgroups(groups.len(), groups.as_ptr())))
    }

    /// Returns a list of groups to which a user belongs.
    #[pyfunction(sig = "(user, group, /)")]
    fn getgrouplist(vm: &Vm, user: &Value, group: Gid) -> Res<Value> {
        let user = fs_encode(vm, user)?;
        let mut room = 64;
        loop {
            let (mut groups, mut n) = (vec![0; room], room as i32);
            let found = vm.detached(|| c!(getgrouplist(user.as_ptr(), group.0, groups.as_mut_ptr(), &mut n)));
            if found != -1 {
                groups.truncate(n as usize);
                return Ok(List::new(groups.into_iter().map(id_value).collect()).into_value());
            }
            room = room.saturating_mul(2).max(n as usize);
            if room > 1 << 24 {
                return Err(vm.memory_error());
            }
        }
    }

    /// Initialize the group access list.
    ///
    /// Call the system initgroups() to initialize the group access list with all of
    /// the groups of which the specified username is a member, plus the specified
    /// group id.
    #[pyfunction(sig = "(username, gid, /)")]
    fn initgroups(vm: &Vm, username: &Value, gid: Gid) -> Res<()> {
        let name = fs_encode(vm, username)?;
        let result = crate::syscall::detached(vm, || c!(initgroups(name.as_ptr(), gid.0)));
        result.or_raise(vm).map(drop)
    }

    /// Return the actual login name.
    #[pyfunction(sig = "()")]
    fn getlogin(vm: &Vm) -> Res<Value> {
        let mut name = [0u8; 256];
        // SAFETY: the buffer has the length given.
        match unsafe { getlogin_r(name.as_mut_ptr().cast(), name.len()) } {
            0 => {
                let name = std::ffi::CStr::from_bytes_until_nul(&name).unwrap_or_default();
                fs_decode_c(vm, name)
            }
            errno => Err(vm.os_error(errno, None)),
        }
    }

    /// Checks if PyOS_InputHook is set.
    #[pyfunction(sig = "()")]
    fn _is_inputhook_installed(_vm: &Vm) -> bool {
        // It is a pointer that C extensions set.
        false
    }

    /// Calls PyOS_InputHook dropping the GIL first.
    #[pyfunction(sig = "()")]
    fn _inputhook(_vm: &Vm) {}

    /// Return the current process id.
    #[pyfunction(sig = "()")]
    fn getpid(_vm: &Vm) -> i32 {
        c!(getpid())
    }

    /// Return the parent's process id.
    ///
    /// If the parent process has already exited, Windows machines will still
    /// return its id; others systems will return the id of the 'init' process (1).
    #[pyfunction(sig = "()")]
    fn getppid(_vm: &Vm) -> i32 {
        c!(getppid())
    }

    /// Return the current process group id.
    #[pyfunction(sig = "()")]
    fn getpgrp(_vm: &Vm) -> i32 {
        c!(getpgrp())
    }

    /// Make the current process the leader of its process group.
    #[pyfunction(sig = "()")]
    fn setpgrp(vm: &Vm) -> Res<()> {
        set(vm, c!(setpgid(0, 0)))
    }

    /// Call the system call getpgid(), and return the result.
    #[pyfunction(sig = "(pid)")]
    fn getpgid(vm: &Vm, pid: i32) -> Res<i32> {
        check(c!(getpgid(pid))).or_raise(vm)
    }

    /// Call the system call setpgid(pid, pgrp).
    #[pyfunction(sig = "(pid, pgrp, /)")]
    fn setpgid(vm: &Vm, pid: i32, pgrp: i32) -> Res<()> {
        set(vm, c!(setpgid(pid, pgrp)))
    }

    /// Call the system call getsid(pid) and return the result.
    #[pyfunction(sig = "(pid, /)")]
    fn getsid(vm: &Vm, pid: i32) -> Res<i32> {
        check(c!(getsid(pid))).or_raise(vm)
    }

    /// Call the system call setsid().
    #[pyfunction(sig = "()")]
    fn setsid(vm: &Vm) -> Res<()> {
        set(vm, c!(setsid()))
    }

    /// Return program scheduling priority.
    #[pyfunction(sig = "(which, who)")]
    fn getpriority(vm: &Vm, which: i32, who: i32) -> Res<i32> {
        // SAFETY: the location of this thread's errno.
        unsafe { *libc::__errno_location() = 0 };
        let value = c!(getpriority(which as libc::__priority_which_t, who as libc::id_t));
        match Errno::last() {
            error @ Errno(1..) if value == -1 => Err(vm.os_error(error.0, None)),
            _ => Ok(value),
        }
    }

    /// Set program scheduling priority.
    #[pyfunction(sig = "(which, who, priority)")]
    fn setpriority(vm: &Vm, which: i32, who: i32, priority: i32) -> Res<()> {
        lisle_runtime::threads::stop_reuse();
        set(
            vm,
            c!(setpriority(
                which as libc::__priority_which_t,
                who as libc::id_t,
                priority
            )),
        )
    }

    /// Add increment to the priority of process and return the new priority.
    #[pyfunction(sig = "(increment, /)")]
    fn nice(vm: &Vm, increment: i32) -> Res<i32> {
        lisle_runtime::threads::stop_reuse();
        // SAFETY: the location of this thread's errno.
        unsafe { *libc::__errno_location() = 0 };
        let value = c!(nice(increment));
        match Errno::last() {
            error @ Errno(1..) if value == -1 => Err(vm.os_error(error.0, None)),
            _ => Ok(value),
        }
    }
}
