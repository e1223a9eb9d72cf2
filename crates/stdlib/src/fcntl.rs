//! `fcntl`: control of file descriptors, locks on files.

use lisle_runtime::native::{Py, Res, Str, Value, Vm, pymodule};
use lisle_runtime::threads::ParkReason;
use lisle_runtime::types::buffer;
use lisle_runtime::types::bytes::Bytes;
use lisle_runtime::types::module::Module;

use crate::constants;
use crate::syscall::{Fd, audit, blocking, c};

constants::constants! {
    FD_CLOEXEC FICLONE FICLONERANGE F_ADD_SEALS F_DUPFD F_DUPFD_CLOEXEC F_GETFD F_GETFL F_GETLEASE F_GETLK F_GETOWN
    F_GETPIPE_SZ F_GET_SEALS F_NOTIFY F_OFD_GETLK F_OFD_SETLK F_OFD_SETLKW F_RDLCK F_SEAL_FUTURE_WRITE F_SEAL_GROW
    F_SEAL_SEAL F_SEAL_SHRINK F_SEAL_WRITE F_SETFD F_SETFL F_SETLEASE F_SETLK F_SETLKW F_SETOWN F_SETPIPE_SZ F_UNLCK
    F_WRLCK LOCK_EX LOCK_NB LOCK_SH LOCK_UN
    ;
    DN_ACCESS = 1, DN_ATTRIB = 32, DN_CREATE = 4, DN_DELETE = 8, DN_MODIFY = 2, DN_MULTISHOT = 2147483648,
    DN_RENAME = 16, FASYNC = 8192, F_EXLCK = 4, F_GETLK64 = 5, F_GETOWN_EX = 16, F_GETSIG = 11,
    F_GET_FILE_RW_HINT = 1037, F_GET_RW_HINT = 1035, F_OWNER_PGRP = 2, F_OWNER_PID = 1, F_OWNER_TID = 0,
    F_SETLK64 = 6, F_SETLKW64 = 7, F_SETOWN_EX = 15, F_SETSIG = 10, F_SET_FILE_RW_HINT = 1038, F_SET_RW_HINT = 1036,
    F_SHLCK = 8, LOCK_MAND = 32, LOCK_READ = 64, LOCK_RW = 192, LOCK_WRITE = 128, RWH_WRITE_LIFE_EXTREME = 5,
    RWH_WRITE_LIFE_LONG = 4, RWH_WRITE_LIFE_MEDIUM = 3, RWH_WRITE_LIFE_NONE = 1, RWH_WRITE_LIFE_NOT_SET = 0,
    RWH_WRITE_LIFE_SHORT = 2,
}

/// Data beyond this are not passed through a buffer of our own.
const SIZE: usize = 1024;

/// Bytes given for the kernel to read and overwrite.
fn bytes_given(vm: &Vm, name: &str, arg: &Value) -> Res<Vec<u8>> {
    let data = match arg.downcast::<Str>() {
        Some(text) => text.to_string_lossy().into_bytes(),
        None => match buffer::bytes_of(arg) {
            Some(bytes) => bytes.into_owned(),
            None => {
                let found = arg.ty().name();
                return Err(vm.type_error(format!(
                    "{name}() argument 3 must be an integer, a bytes-like object, or a string, not {found}"
                )));
            }
        },
    };
    if data.len() > SIZE {
        return Err(vm.value_error(format!("{name} argument 3 is too long")));
    }
    Ok(data)
}

/// As the kernel wants it: with room behind, since nobody knows how much a command writes.
fn with_room(data: &[u8]) -> Vec<u8> {
    let mut room = vec![0u8; SIZE.max(data.len()) + 64];
    room[..data.len()].copy_from_slice(data);
    room
}

fn lock_of(vm: &Vm, code: i32) -> Res<i32> {
    match code {
        libc::LOCK_UN => Ok(libc::F_UNLCK),
        code if code & libc::LOCK_SH != 0 => Ok(libc::F_RDLCK),
        code if code & libc::LOCK_EX != 0 => Ok(libc::F_WRLCK),
        _ => Err(vm.value_error("unrecognized lockf argument")),
    }
}

#[pymodule(
    name = "fcntl",
    doc = "This module performs file control and I/O control on file\ndescriptors.  It is an interface to the fcntl() and ioctl() Unix\nroutines.  File descriptors can be obtained with the fileno() method of\na file or socket object."
)]
pub mod module {
    use super::*;

    /// Perform the operation `cmd` on file descriptor fd.
    ///
    /// The values used for `cmd` are operating system dependent, and are available
    /// as constants in the fcntl module, using the same names as used in
    /// the relevant C header files.  The argument arg is optional, and
    /// defaults to 0; it may be an int or a string.  If arg is given as a string,
    /// the return value of fcntl is a string of that length, containing the
    /// resulting value put in the arg buffer by the operating system.  The length
    /// of the arg string is not allowed to exceed 1024 bytes.  If the arg given
    /// is an integer or if none is specified, the result value is an integer
    /// corresponding to the return value of the fcntl call in the C code.
    #[pyfunction(sig = "(fd, cmd, arg=0, /)")]
    fn fcntl(vm: &Vm, fd: Fd, cmd: i32, arg: Option<&Value>) -> Res<Value> {
        let given = arg.cloned().unwrap_or_else(|| Value::int(0));
        audit!(
            vm,
            "fcntl.fcntl",
            Value::int(fd.0.into()),
            Value::int(cmd.into()),
            given
        );
        let number = match arg {
            None => Some(0),
            Some(arg) if arg.ty().slots().index.is_some() => Some(number_of(vm, arg)?),
            Some(_) => None,
        };
        if let Some(number) = number {
            let result = blocking(vm, ParkReason::Io, || c!(fcntl(fd.0, cmd, number)))?;
            return Ok(Value::int(result.into()));
        }
        let data = bytes_given(vm, "fcntl", arg.unwrap_or(&Value::NONE))?;
        let mut room = with_room(&data);
        blocking(vm, ParkReason::Io, || c!(fcntl(fd.0, cmd, room.as_mut_ptr())))?;
        Ok(Bytes::new_value(&room[..data.len()]))
    }

    /// An int of the machine's word, signed or unsigned.
    fn number_of(vm: &Vm, value: &Value) -> Res<libc::c_ulong> {
        let n = vm.index(value)?;
        let n = vm
            .int_value(&n)
            .and_then(|n| n.to_i64().map(|n| n as u64).or_else(|| n.to_u64()));
        n.ok_or_else(|| vm.overflow_error("Python int too large to convert to C long"))
    }

    /// Perform the operation request on file descriptor fd.
    ///
    /// The values used for request are operating system dependent, and are available
    /// as constants in the fcntl or termios library modules, using the same names as
    /// used in the relevant C header files.
    ///
    /// The argument `arg` is optional, and defaults to 0; it may be an int or a
    /// buffer containing character data (most likely a string or an array).
    ///
    /// If the argument is a mutable buffer (such as an array) and if the
    /// mutate_flag argument (which is only allowed in this case) is true then the
    /// buffer is (in effect) passed to the operating system and changes made by
    /// the OS will be reflected in the contents of the buffer after the call has
    /// returned.  The return value is the integer returned by the ioctl system
    /// call.
    ///
    /// If the argument is a mutable buffer and the mutable_flag argument is false,
    /// the behavior is as if a string had been passed.
    ///
    /// If the argument is an immutable buffer (most likely a string) then a copy
    /// of the buffer is passed to the operating system and the return value is a
    /// string of the same length containing whatever the operating system placed
    /// in the buffer.  The length of the arg buffer in this case is not allowed to
    /// exceed 1024 bytes.
    ///
    /// If the arg given is an integer or if none is specified, the result value is
    /// an integer corresponding to the return value of the ioctl call in the C
    /// code.
    #[pyfunction(sig = "(fd, request, arg=0, mutate_flag=True, /)")]
    fn ioctl(vm: &Vm, fd: Fd, request: &Value, arg: Option<&Value>, mutate_flag: bool) -> Res<Value> {
        let request = number_of(vm, request)? & 0xffff_ffff;
        let zero = Value::int(0);
        let arg = arg.unwrap_or(&zero);
        audit!(
            vm,
            "fcntl.ioctl",
            Value::int(fd.0.into()),
            Value::int(request as i64),
            arg.clone()
        );
        if arg.ty().slots().index.is_some() {
            let number = number_of(vm, arg)?;
            let result = blocking(vm, ParkReason::Io, || c!(ioctl(fd.0, request as _, number)))?;
            return Ok(Value::int(result.into()));
        }
        if mutate_flag
            && arg.downcast::<Str>().is_none()
            && arg.downcast::<Bytes>().is_none()
            && let Ok(len) = buffer::writable_len(vm, arg)
        {
            let data = buffer::get_bytes(vm, arg)?.into_owned();
            let mut room = with_room(&data);
            let result = blocking(vm, ParkReason::Io, || c!(ioctl(fd.0, request as _, room.as_mut_ptr())))?;
            buffer::copy_into(vm, arg, 0, &room[..len.min(room.len())])?;
            return Ok(Value::int(result.into()));
        }
        let data = bytes_given(vm, "ioctl", arg)?;
        let mut room = with_room(&data);
        blocking(vm, ParkReason::Io, || c!(ioctl(fd.0, request as _, room.as_mut_ptr())))?;
        Ok(Bytes::new_value(&room[..data.len()]))
    }

    /// Perform the lock operation `operation` on file descriptor fd.
    ///
    /// See the Unix manual page for flock(2) for details (On some systems, this
    /// function is emulated using fcntl()).
    #[pyfunction(sig = "(fd, operation, /)")]
    fn flock(vm: &Vm, fd: Fd, operation: i32) -> Res<()> {
        audit!(vm, "fcntl.flock", Value::int(fd.0.into()), Value::int(operation.into()));
        blocking(vm, ParkReason::Io, || c!(flock(fd.0, operation))).map(drop)
    }

    /// A wrapper around the fcntl() locking calls.
    ///
    /// `fd` is the file descriptor of the file to lock or unlock, and operation is one
    /// of the following values:
    ///
    ///     LOCK_UN - unlock
    ///     LOCK_SH - acquire a shared lock
    ///     LOCK_EX - acquire an exclusive lock
    ///
    /// When operation is LOCK_SH or LOCK_EX, it can also be bitwise ORed with
    /// LOCK_NB to avoid blocking on lock acquisition.  If LOCK_NB is used and the
    /// lock cannot be acquired, an OSError will be raised and the exception will
    /// have an errno attribute set to EACCES or EAGAIN (depending on the operating
    /// system -- for portability, check for either value).
    ///
    /// `len` is the number of bytes to lock, with the default meaning to lock to
    /// EOF.  `start` is the byte offset, relative to `whence`, to that the lock
    /// starts.  `whence` is as with fileobj.seek(), specifically:
    ///
    ///     0 - relative to the start of the file (SEEK_SET)
    ///     1 - relative to the current buffer position (SEEK_CUR)
    ///     2 - relative to the end of the file (SEEK_END)
    #[pyfunction(sig = "(fd, cmd, len=0, start=0, whence=0, /)")]
    fn lockf(vm: &Vm, fd: Fd, cmd: i32, len: Option<&Value>, start: Option<&Value>, whence: i32) -> Res<()> {
        let or_none = |value: Option<&Value>| value.cloned().unwrap_or(Value::NONE);
        audit!(
            vm,
            "fcntl.lockf",
            Value::int(fd.0.into()),
            Value::int(cmd.into()),
            or_none(len),
            or_none(start),
            Value::int(whence.into())
        );
        let kind = lock_of(vm, cmd)?;
        let offset = |value: Option<&Value>| value.map_or(Ok(0), |v| vm.index_to_i64(v));
        // SAFETY: plain data.
        let mut lock: libc::flock = unsafe { crate::syscall::zeroed() };
        lock.l_type = kind as libc::c_short;
        lock.l_start = offset(start)?;
        lock.l_len = offset(len)?;
        lock.l_whence = whence as libc::c_short;
        let wait = if cmd & libc::LOCK_NB != 0 {
            libc::F_SETLK
        } else {
            libc::F_SETLKW
        };
        blocking(vm, ParkReason::Io, || c!(fcntl(fd.0, wait, &lock))).map(drop)
    }

    #[init]
    fn init(_vm: &Vm, module: &Py<Module>) -> Res<()> {
        constants::add(module, CONSTANTS);
        Ok(())
    }
}
