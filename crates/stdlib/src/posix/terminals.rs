//! `posix`: terminals: sizes, names, pseudo-terminals, process groups in the foreground.

use lisle_runtime::native::{Res, Value, Vm, pymodule};
use lisle_runtime::types::struct_seq::StructSeqDef;

use super::files::set_inheritable;
use super::path::{fs_decode, fs_decode_c};
use crate::syscall::{Errno, Fd, OrRaise, c, check, detached};

/// `os.terminal_size`.
pub static TERMINAL_SIZE: StructSeqDef = StructSeqDef::new(
    "terminal_size",
    "os",
    "A tuple of (columns, lines) for holding terminal window size",
    &[
        ("columns", "width of the terminal window in characters"),
        ("lines", "height of the terminal window in characters"),
    ],
    2,
);

/// A pair of connected terminal descriptors: master and slave.
fn open_pair() -> Result<(i32, i32), Errno> {
    let (mut master, mut slave) = (-1, -1);
    let (name, termios, size) = (std::ptr::null_mut(), std::ptr::null(), std::ptr::null());
    check(c!(openpty(&mut master, &mut slave, name, termios, size)))?;
    for fd in [master, slave] {
        set_inheritable(fd, false)?;
    }
    Ok((master, slave))
}

#[pymodule(name = "posix")]
pub mod module {
    use super::*;

    #[pyattr]
    fn terminal_size(_vm: &Vm) -> Value {
        TERMINAL_SIZE.ty().to_value()
    }

    /// Open a pseudo-terminal.
    ///
    /// Return a tuple of (master_fd, slave_fd) containing open file descriptors
    /// for both the master and slave ends.
    #[pyfunction(sig = "()")]
    fn openpty(vm: &Vm) -> Res<(i32, i32)> {
        vm.detached(open_pair).or_raise(vm)
    }

    /// Prepare the tty of which fd is a file descriptor for a new login session.
    ///
    /// Make the calling process a session leader; make the tty the
    /// controlling tty, the stdin, the stdout, and the stderr of the
    /// calling process; close fd.
    #[pyfunction(sig = "(fd, /)")]
    fn login_tty(vm: &Vm, fd: Fd) -> Res<()> {
        check(c!(login_tty(fd.0))).or_raise(vm).map(drop)
    }

    /// Open and return a file descriptor for a master pseudo-terminal device.
    #[pyfunction(sig = "(oflag, /)")]
    fn posix_openpt(vm: &Vm, oflag: i32) -> Res<i32> {
        let fd = detached(vm, || c!(posix_openpt(oflag))).or_raise(vm)?;
        if oflag & libc::O_CLOEXEC == 0 {
            set_inheritable(fd, false).or_raise(vm)?;
        }
        Ok(fd)
    }

    /// Grant access to the slave pseudo-terminal device.
    #[pyfunction(sig = "(fd, /)")]
    fn grantpt(vm: &Vm, fd: Fd) -> Res<()> {
        check(c!(grantpt(fd.0))).or_raise(vm).map(drop)
    }

    /// Unlock a pseudo-terminal master/slave pair.
    #[pyfunction(sig = "(fd, /)")]
    fn unlockpt(vm: &Vm, fd: Fd) -> Res<()> {
        check(c!(unlockpt(fd.0))).or_raise(vm).map(drop)
    }

    /// Return the name of the slave pseudo-terminal device.
    #[pyfunction(sig = "(fd, /)")]
    fn ptsname(vm: &Vm, fd: Fd) -> Res<Value> {
        let mut name = [0u8; 64];
        match c!(ptsname_r(fd.0, name.as_mut_ptr().cast(), name.len())) {
            0 => named(vm, &name),
            -1 => Err(vm.os_error(Errno::last().0, None)),
            errno => Err(vm.os_error(errno, None)),
        }
    }

    fn named(vm: &Vm, name: &[u8]) -> Res<Value> {
        let end = name.iter().position(|b| *b == 0).unwrap_or(name.len());
        fs_decode(vm, &name[..end])
    }

    /// Return the name of the terminal device connected to 'fd'.
    #[pyfunction(sig = "(fd, /)")]
    fn ttyname(vm: &Vm, fd: i32) -> Res<Value> {
        let mut name = [0u8; 256];
        match c!(ttyname_r(fd, name.as_mut_ptr().cast(), name.len())) {
            0 => named(vm, &name),
            errno => Err(vm.os_error(errno, None)),
        }
    }

    /// Return the name of the controlling terminal for this process.
    #[pyfunction(sig = "()")]
    fn ctermid(vm: &Vm) -> Res<Value> {
        fs_decode_c(vm, c"/dev/tty")
    }

    /// Return the process group associated with the terminal specified by fd.
    #[pyfunction(sig = "(fd, /)")]
    fn tcgetpgrp(vm: &Vm, fd: i32) -> Res<i32> {
        check(c!(tcgetpgrp(fd))).or_raise(vm)
    }

    /// Set the process group associated with the terminal specified by fd.
    #[pyfunction(sig = "(fd, pgid, /)")]
    fn tcsetpgrp(vm: &Vm, fd: i32, pgid: i32) -> Res<()> {
        check(c!(tcsetpgrp(fd, pgid))).or_raise(vm).map(drop)
    }
}
