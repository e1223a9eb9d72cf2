//! `posix`: what the system knows of a file: `stat` and its kind, access, modes, owners, times, extended attributes.

use lisle_runtime::native::{Py, Res, Str, Value, Vm, pymodule};
use lisle_runtime::types::bytes::Bytes;
use lisle_runtime::types::list::List;
use lisle_runtime::types::struct_seq::StructSeqDef;
use lisle_runtime::types::tuple::Tuple;

use super::packed;
use super::path::{DirFd, FilePath, Gid, PathOrFd, Uid, audit_dir, fs_decode, id_value};
use crate::syscall::{Errno, Fd, OrRaise, Sys, audit, c, check, zeroed};

/// `os.stat_result`.
pub static STAT_RESULT: StructSeqDef = StructSeqDef::new(
    "stat_result",
    "os",
    "stat_result: Result from stat, fstat, or lstat.\n\nThis object may be accessed either as a tuple of\n  (mode, ino, dev, nlink, uid, gid, size, atime, mtime, ctime)\nor via the attributes st_mode, st_ino, st_dev, st_nlink, st_uid, and so on.\n\nPosix/windows: If your platform supports st_blksize, st_blocks, st_rdev,\nor st_flags, they are available as attributes only.\n\nSee os.stat for more information.",
    &[
        ("st_mode", "protection bits"),
        ("st_ino", "inode"),
        ("st_dev", "device"),
        ("st_nlink", "number of hard links"),
        ("st_uid", "user ID of owner"),
        ("st_gid", "group ID of owner"),
        ("st_size", "total size, in bytes"),
        ("", "integer time of last access"),
        ("", "integer time of last modification"),
        ("", "integer time of last change"),
        ("st_atime", "time of last access"),
        ("st_mtime", "time of last modification"),
        ("st_ctime", "time of last change"),
        ("st_atime_ns", "time of last access in nanoseconds"),
        ("st_mtime_ns", "time of last modification in nanoseconds"),
        ("st_ctime_ns", "time of last change in nanoseconds"),
        ("st_blksize", "blocksize for filesystem I/O"),
        ("st_blocks", "number of blocks allocated"),
        ("st_rdev", "device type (if inode device)"),
    ],
    10,
)
.with_completion(|values| {
    // The times as floats default to those as ints.
    for at in 0..3 {
        if values[10 + at].is_none() {
            values[10 + at] = values[7 + at].clone();
        }
    }
});

/// `os.statvfs_result`.
pub static STATVFS_RESULT: StructSeqDef = StructSeqDef::new(
    "statvfs_result",
    "os",
    "statvfs_result: Result from statvfs or fstatvfs.\n\nThis object may be accessed either as a tuple of\n  (bsize, frsize, blocks, bfree, bavail, files, ffree, favail, flag, namemax),\nor via the attributes f_bsize, f_frsize, f_blocks, f_bfree, and so on.\n\nSee os.statvfs for more information.",
    &[
        ("f_bsize", ""),
        ("f_frsize", ""),
        ("f_blocks", ""),
        ("f_bfree", ""),
        ("f_bavail", ""),
        ("f_files", ""),
        ("f_ffree", ""),
        ("f_favail", ""),
        ("f_flag", ""),
        ("f_namemax", ""),
        ("f_fsid", ""),
    ],
    10,
);

/// The C library's types of some fields have other widths on other processors.
fn unsigned(n: impl Into<u64>) -> Value {
    usize::try_from(n.into()).map_or(Value::NONE, Value::usize)
}

/// As [`unsigned`].
fn signed(n: impl Into<i64>) -> Value {
    Value::int(n.into())
}

/// The Python object for what `stat` filled in.
pub fn stat_result(st: &libc::stat) -> Value {
    let time = |sec: i64, nsec: i64| sec as f64 + 1e-9 * nsec as f64;
    let ns = |sec: i64, nsec: i64| {
        let total = i128::from(sec) * 1_000_000_000 + i128::from(nsec);
        i64::try_from(total).map_or_else(|_| Value::bigint(total.into()), Value::int)
    };
    STAT_RESULT.make(vec![
        Value::int(st.st_mode.into()),
        unsigned(st.st_ino),
        unsigned(st.st_dev),
        unsigned(st.st_nlink),
        Value::int(st.st_uid.into()),
        Value::int(st.st_gid.into()),
        Value::int(st.st_size),
        Value::int(st.st_atime),
        Value::int(st.st_mtime),
        Value::int(st.st_ctime),
        Value::float(time(st.st_atime, st.st_atime_nsec)),
        Value::float(time(st.st_mtime, st.st_mtime_nsec)),
        Value::float(time(st.st_ctime, st.st_ctime_nsec)),
        ns(st.st_atime, st.st_atime_nsec),
        ns(st.st_mtime, st.st_mtime_nsec),
        ns(st.st_ctime, st.st_ctime_nsec),
        signed(st.st_blksize),
        Value::int(st.st_blocks),
        unsigned(st.st_rdev),
    ])
}

/// `fstatat`, detached.
pub fn stat_at(vm: &Vm, dir_fd: i32, path: &FilePath, follow: bool) -> Sys<libc::stat> {
    let flags = if follow { 0 } else { libc::AT_SYMLINK_NOFOLLOW };
    if let Some(st) = packed::stat(path.name.as_bytes()) {
        return st;
    }
    vm.detached(|| {
        // SAFETY: plain data.
        let mut st: libc::stat = unsafe { zeroed() };
        check(c!(fstatat(dir_fd, path.as_ptr(), &mut st, flags)))?;
        Ok(st)
    })
}

/// `fstat`, detached.
pub fn stat_fd(vm: &Vm, fd: i32) -> Sys<libc::stat> {
    vm.detached(|| {
        // SAFETY: plain data.
        let mut st: libc::stat = unsafe { zeroed() };
        check(c!(fstat(fd, &mut st)))?;
        Ok(st)
    })
}

fn do_stat(vm: &Vm, name: &str, path: &PathOrFd, dir_fd: Option<DirFd>, follow: bool) -> Res<Value> {
    let dir_fd = DirFd::or_cwd(dir_fd);
    let result = match path {
        PathOrFd::Path(path) => stat_at(vm, dir_fd, path, follow),
        PathOrFd::Fd(..) if dir_fd != libc::AT_FDCWD => {
            let message = format!("{name}: can't specify dir_fd without matching path");
            return Err(vm.value_error(message));
        }
        PathOrFd::Fd(..) if !follow => {
            let message = format!("{name}: cannot use fd and follow_symlinks together");
            return Err(vm.value_error(message));
        }
        PathOrFd::Fd(fd, _) => stat_fd(vm, *fd),
    };
    Ok(stat_result(&result.or_raise_for(vm, path.object())?))
}

fn statvfs_result(st: &libc::statvfs) -> Value {
    STATVFS_RESULT.make(
        [
            st.f_bsize,
            st.f_frsize,
            st.f_blocks,
            st.f_bfree,
            st.f_bavail,
            st.f_files,
            st.f_ffree,
            st.f_favail,
            st.f_flag,
            st.f_namemax,
            st.f_fsid,
        ]
        .into_iter()
        .map(unsigned)
        .collect(),
    )
}

fn statvfs_of(vm: &Vm, path: &PathOrFd) -> Sys<libc::statvfs> {
    vm.detached(|| {
        // SAFETY: plain data.
        let mut st: libc::statvfs = unsafe { zeroed() };
        check(match path {
            PathOrFd::Path(path) => c!(statvfs(path.as_ptr(), &mut st)),
            PathOrFd::Fd(fd, _) => c!(fstatvfs(*fd, &mut st)),
        })?;
        Ok(st)
    })
}

/// Seconds as an int or float, as a `timespec`, rounded down.
pub fn timespec_of(vm: &Vm, value: &Value) -> Res<libc::timespec> {
    let (tv_sec, tv_nsec) = if let Some(x) = crate::timeout::float_of(vm, value)? {
        if x.is_nan() {
            return Err(vm.value_error("Invalid value NaN (not a number)"));
        }
        let (mut whole, mut nanos) = (x.trunc(), (x.fract() * 1e9).floor());
        if nanos < 0.0 {
            nanos += 1e9;
            whole -= 1.0;
        } else if nanos >= 1e9 {
            nanos -= 1e9;
            whole += 1.0;
        }
        if !(-9.223_372_036_854_775e18..=9.223_372_036_854_775e18).contains(&whole) {
            return Err(vm.overflow_error("timestamp out of range for platform time_t"));
        }
        (whole as i64, nanos as i64)
    } else {
        let n = vm.index(value)?;
        match vm.int_value(&n).and_then(|n| n.to_i64()) {
            Some(n) => (n, 0),
            None => return Err(vm.overflow_error("timestamp out of range for platform time_t")),
        }
    };
    Ok(libc::timespec { tv_sec, tv_nsec })
}

/// Nanoseconds as an int, split as `divmod` does.
fn timespec_of_ns(vm: &Vm, value: &Value) -> Res<libc::timespec> {
    let billion = Value::int(1_000_000_000);
    let split = vm.divmod(value, &billion)?;
    let Some([sec, nsec]) = split.downcast::<Tuple>().map(|t| t.as_slice()) else {
        let (class, found) = (value.ty().name(), split.ty().name());
        return Err(vm.type_error(format!("{class}.__divmod__() must return a 2-tuple, not {found}")));
    };
    let Some(tv_sec) = vm.int_value(sec).and_then(|n| n.to_i64()) else {
        return Err(vm.overflow_error("timestamp out of range for platform time_t"));
    };
    let tv_nsec = vm.index_to_i64(nsec)?;
    Ok(libc::timespec { tv_sec, tv_nsec })
}

fn pair(value: &Value) -> Option<(&Value, &Value)> {
    match value.downcast::<Tuple>()?.as_slice() {
        [a, b] => Some((a, b)),
        _ => None,
    }
}

/// The size limit of extended attributes.
const XATTR_SIZE_MAX: usize = 65536;

/// Calls `get` with buffers that grow until the data fit.
fn grown(vm: &Vm, path: &PathOrFd, sizes: &[usize], get: impl Fn(&mut [u8]) -> isize) -> Res<Vec<u8>> {
    for size in sizes {
        let mut buffer = vec![0u8; *size];
        match vm.detached(|| check(get(&mut buffer))) {
            Ok(n) => {
                buffer.truncate(n as usize);
                return Ok(buffer);
            }
            Err(Errno(libc::ERANGE)) => {}
            failed => return failed.or_raise_for(vm, path.object()).map(|_| Vec::new()),
        }
    }
    Err(vm.os_error(libc::ERANGE, Some(path.object().clone())))
}

fn no_fd_and_follow(vm: &Vm, name: &str, path: &PathOrFd, follow: bool) -> Res<()> {
    if !follow && matches!(path, PathOrFd::Fd(..)) {
        let message = format!("{name}: cannot use fd and follow_symlinks together");
        return Err(vm.value_error(message));
    }
    Ok(())
}

#[pymodule(name = "posix")]
pub mod module {
    use super::*;

    #[pyattr]
    fn stat_result(_vm: &Vm) -> Value {
        STAT_RESULT.ty().to_value()
    }

    #[pyattr]
    fn statvfs_result(_vm: &Vm) -> Value {
        STATVFS_RESULT.ty().to_value()
    }

    #[pyattr]
    const XATTR_SIZE_MAX: usize = super::XATTR_SIZE_MAX;

    #[pyattr]
    use libc::{F_OK, R_OK, W_OK, X_OK, XATTR_CREATE, XATTR_REPLACE};

    #[pyattr]
    use libc::{
        ST_APPEND, ST_MANDLOCK, ST_NOATIME, ST_NODEV, ST_NODIRATIME, ST_NOEXEC, ST_NOSUID, ST_RDONLY, ST_RELATIME,
        ST_SYNCHRONOUS, ST_WRITE,
    };

    /// Perform a stat system call on the given path.
    #[pyfunction(sig = "(path, *, dir_fd=None, follow_symlinks=True)")]
    fn stat(vm: &Vm, path: PathOrFd, dir_fd: Option<DirFd>, follow_symlinks: bool) -> Res<Value> {
        do_stat(vm, "stat", &path, dir_fd, follow_symlinks)
    }

    /// Perform a stat system call on the given path, without following symbolic links.
    ///
    /// Like stat(), but do not follow symbolic links.
    /// Equivalent to stat(path, follow_symlinks=False).
    #[pyfunction(sig = "(path, *, dir_fd=None)")]
    fn lstat(vm: &Vm, path: FilePath, dir_fd: Option<DirFd>) -> Res<Value> {
        do_stat(vm, "lstat", &PathOrFd::Path(path), dir_fd, false)
    }

    /// Perform a stat system call on the given file descriptor.
    ///
    /// Like stat(), but for an open file descriptor.
    /// Equivalent to os.stat(fd).
    #[pyfunction(sig = "(fd)")]
    fn fstat(vm: &Vm, fd: i32) -> Res<Value> {
        Ok(super::stat_result(&stat_fd(vm, fd).or_raise(vm)?))
    }

    /// Perform a statvfs system call on the given path.
    ///
    /// path may always be specified as a string.
    /// On some platforms, path may also be specified as an open file descriptor.
    ///   If this functionality is unavailable, using it raises an exception.
    #[pyfunction(sig = "(path)")]
    fn statvfs(vm: &Vm, path: PathOrFd) -> Res<Value> {
        let st = statvfs_of(vm, &path).or_raise_for(vm, path.object())?;
        Ok(super::statvfs_result(&st))
    }

    /// Perform an fstatvfs system call on the given fd.
    ///
    /// Equivalent to statvfs(fd).
    #[pyfunction(sig = "(fd, /)")]
    fn fstatvfs(vm: &Vm, fd: i32) -> Res<Value> {
        let path = PathOrFd::Fd(fd, Value::NONE);
        Ok(super::statvfs_result(&statvfs_of(vm, &path).or_raise(vm)?))
    }

    /// Use the real uid/gid to test for access to a path.
    #[pyfunction(sig = "(path, mode, *, dir_fd=None, effective_ids=False, follow_symlinks=True)")]
    fn access(
        vm: &Vm,
        path: FilePath,
        mode: i32,
        dir_fd: Option<DirFd>,
        effective_ids: bool,
        follow_symlinks: bool,
    ) -> bool {
        let mut flags = 0;
        if !follow_symlinks {
            flags |= libc::AT_SYMLINK_NOFOLLOW;
        }
        if effective_ids {
            flags |= libc::AT_EACCESS;
        }
        if let Some(allowed) = packed::access(path.name.as_bytes(), mode) {
            return allowed;
        }
        let dir_fd = DirFd::or_cwd(dir_fd);
        vm.detached(|| c!(faccessat(dir_fd, path.as_ptr(), mode, flags)) == 0)
    }

    /// Change the access permissions of a file.
    #[pyfunction(sig = "(path, mode, *, dir_fd=None, follow_symlinks=True)")]
    fn chmod(vm: &Vm, path: PathOrFd, mode: i32, dir_fd: Option<DirFd>, follow_symlinks: bool) -> Res<()> {
        no_fd_and_follow(vm, "chmod", &path, follow_symlinks)?;
        audit!(
            vm,
            "os.chmod",
            path.object().clone(),
            Value::int(mode.into()),
            audit_dir(dir_fd)
        );
        let dir_fd = DirFd::or_cwd(dir_fd);
        let flags = if follow_symlinks { 0 } else { libc::AT_SYMLINK_NOFOLLOW };
        let result = vm.detached(|| {
            check(match &path {
                PathOrFd::Fd(fd, _) => c!(fchmod(*fd, mode as libc::mode_t)),
                PathOrFd::Path(path) => c!(fchmodat(dir_fd, path.as_ptr(), mode as libc::mode_t, flags)),
            })
        });
        match result {
            Err(Errno(libc::EOPNOTSUPP)) if !follow_symlinks => {
                if dir_fd != libc::AT_FDCWD {
                    return Err(vm.value_error("chmod: cannot use dir_fd and follow_symlinks together"));
                }
                Err(not_implemented(vm, "chmod", "follow_symlinks"))
            }
            result => result.or_raise_for(vm, path.object()).map(drop),
        }
    }

    fn not_implemented(vm: &Vm, function: &str, argument: &str) -> lisle_runtime::native::Exc {
        let message = format!("{function}: {argument} unavailable on this platform");
        vm.exception_with(&lisle_runtime::types::exceptions::NOT_IMPLEMENTED_ERROR, &message)
    }

    /// Change the access permissions of the file given by file descriptor fd.
    #[pyfunction(sig = "(fd, mode)")]
    fn fchmod(vm: &Vm, fd: i32, mode: i32) -> Res<()> {
        let result = vm.detached(|| check(c!(fchmod(fd, mode as libc::mode_t))));
        result.or_raise(vm).map(drop)
    }

    /// Change the owner and group id of path to the numeric uid and gid.
    #[pyfunction(sig = "(path, uid, gid, *, dir_fd=None, follow_symlinks=True)")]
    fn chown(vm: &Vm, path: PathOrFd, uid: Uid, gid: Gid, dir_fd: Option<DirFd>, follow_symlinks: bool) -> Res<()> {
        let given_dir = dir_fd;
        let dir_fd = DirFd::or_cwd(dir_fd);
        if matches!(path, PathOrFd::Fd(..)) && dir_fd != libc::AT_FDCWD {
            return Err(vm.value_error("chown: can't specify both dir_fd and fd"));
        }
        no_fd_and_follow(vm, "chown", &path, follow_symlinks)?;
        let (user, group) = (id_value(uid.0), id_value(gid.0));
        audit!(vm, "os.chown", path.object().clone(), user, group, audit_dir(given_dir));
        let flags = if follow_symlinks { 0 } else { libc::AT_SYMLINK_NOFOLLOW };
        let result = vm.detached(|| {
            check(match &path {
                PathOrFd::Fd(fd, _) => c!(fchown(*fd, uid.0, gid.0)),
                PathOrFd::Path(path) => c!(fchownat(dir_fd, path.as_ptr(), uid.0, gid.0, flags)),
            })
        });
        result.or_raise_for(vm, path.object()).map(drop)
    }

    /// Change the owner and group id of the file specified by file descriptor.
    ///
    /// Equivalent to os.chown(fd, uid, gid).
    #[pyfunction(sig = "(fd, uid, gid)")]
    fn fchown(vm: &Vm, fd: i32, uid: Uid, gid: Gid) -> Res<()> {
        let result = vm.detached(|| check(c!(fchown(fd, uid.0, gid.0))));
        result.or_raise(vm).map(drop)
    }

    /// Change the owner and group id of path to the numeric uid and gid.
    ///
    /// This function will not follow symbolic links.
    /// Equivalent to os.chown(path, uid, gid, follow_symlinks=False).
    #[pyfunction(sig = "(path, uid, gid)")]
    fn lchown(vm: &Vm, path: FilePath, uid: Uid, gid: Gid) -> Res<()> {
        let result = vm.detached(|| check(c!(lchown(path.as_ptr(), uid.0, gid.0))));
        result.or_raise_for(vm, &path.object).map(drop)
    }

    /// Set the access and modified time of path.
    #[pyfunction(sig = "(path, times=None, *, ns=<unrepresentable>, dir_fd=None, follow_symlinks=True)")]
    fn utime(
        vm: &Vm,
        path: PathOrFd,
        times: Option<&Value>,
        ns: Option<&Value>,
        dir_fd: Option<DirFd>,
        follow_symlinks: bool,
    ) -> Res<()> {
        let shown = |value: Option<&Value>| value.cloned().unwrap_or(Value::NONE);
        audit!(
            vm,
            "os.utime",
            path.object().clone(),
            shown(times),
            shown(ns),
            audit_dir(dir_fd)
        );
        let times = times.filter(|t| !t.is_none());
        let specs = match (times, ns) {
            (Some(_), Some(_)) => {
                return Err(vm.value_error("utime: you may specify either 'times' or 'ns' but not both"));
            }
            (Some(times), None) => {
                let Some((a, m)) = pair(times) else {
                    return Err(vm.type_error("utime: 'times' must be either a tuple of two ints or None"));
                };
                Some([timespec_of(vm, a)?, timespec_of(vm, m)?])
            }
            (None, Some(ns)) => {
                let Some((a, m)) = pair(ns) else {
                    return Err(vm.type_error("utime: 'ns' must be a tuple of two ints"));
                };
                Some([timespec_of_ns(vm, a)?, timespec_of_ns(vm, m)?])
            }
            (None, None) => None,
        };
        let dir_fd = DirFd::or_cwd(dir_fd);
        if matches!(path, PathOrFd::Fd(..)) && dir_fd != libc::AT_FDCWD {
            return Err(vm.value_error("utime: can't specify dir_fd without matching path"));
        }
        no_fd_and_follow(vm, "utime", &path, follow_symlinks)?;
        let flags = if follow_symlinks { 0 } else { libc::AT_SYMLINK_NOFOLLOW };
        let specs = specs.as_ref().map_or(std::ptr::null(), |s| s.as_ptr());
        let result = vm.detached(|| {
            check(match &path {
                PathOrFd::Fd(fd, _) => c!(futimens(*fd, specs)),
                PathOrFd::Path(path) => c!(utimensat(dir_fd, path.as_ptr(), specs, flags)),
            })
        });
        result.or_raise_for(vm, path.object()).map(drop)
    }

    /// Return the value of extended attribute attribute on path.
    #[pyfunction(sig = "(path, attribute, *, follow_symlinks=True)")]
    fn getxattr(vm: &Vm, path: PathOrFd, attribute: FilePath, follow_symlinks: bool) -> Res<Value> {
        no_fd_and_follow(vm, "getxattr", &path, follow_symlinks)?;
        audit!(vm, "os.getxattr", path.object().clone(), attribute.object.clone());
        let data = grown(vm, &path, &[128, super::XATTR_SIZE_MAX], |buffer| {
            let (data, len) = (buffer.as_mut_ptr().cast(), buffer.len());
            let name = attribute.as_ptr();
            match &path {
                PathOrFd::Fd(fd, _) => c!(fgetxattr(*fd, name, data, len)),
                PathOrFd::Path(path) if follow_symlinks => c!(getxattr(path.as_ptr(), name, data, len)),
                PathOrFd::Path(path) => c!(lgetxattr(path.as_ptr(), name, data, len)),
            }
        })?;
        Ok(Bytes::new_value(data))
    }

    /// Set extended attribute attribute on path to value.
    #[pyfunction(sig = "(path, attribute, value, flags=0, *, follow_symlinks=True)")]
    fn setxattr(
        vm: &Vm,
        path: PathOrFd,
        attribute: FilePath,
        value: &Value,
        flags: i32,
        follow_symlinks: bool,
    ) -> Res<()> {
        no_fd_and_follow(vm, "setxattr", &path, follow_symlinks)?;
        audit!(
            vm,
            "os.setxattr",
            path.object().clone(),
            attribute.object.clone(),
            value.clone(),
            Value::int(flags.into())
        );
        let value = lisle_runtime::types::buffer::get_bytes(vm, value)?;
        let (data, len) = (value.as_ptr().cast(), value.len());
        let name = attribute.as_ptr();
        let result = vm.detached(|| {
            check(match &path {
                PathOrFd::Fd(fd, _) => c!(fsetxattr(*fd, name, data, len, flags)),
                PathOrFd::Path(path) if follow_symlinks => c!(setxattr(path.as_ptr(), name, data, len, flags)),
                PathOrFd::Path(path) => c!(lsetxattr(path.as_ptr(), name, data, len, flags)),
            })
        });
        result.or_raise_for(vm, path.object()).map(drop)
    }

    /// Remove extended attribute attribute on path.
    #[pyfunction(sig = "(path, attribute, *, follow_symlinks=True)")]
    fn removexattr(vm: &Vm, path: PathOrFd, attribute: FilePath, follow_symlinks: bool) -> Res<()> {
        no_fd_and_follow(vm, "removexattr", &path, follow_symlinks)?;
        audit!(vm, "os.removexattr", path.object().clone(), attribute.object.clone());
        let name = attribute.as_ptr();
        let result = vm.detached(|| {
            check(match &path {
                PathOrFd::Fd(fd, _) => c!(fremovexattr(*fd, name)),
                PathOrFd::Path(path) if follow_symlinks => c!(removexattr(path.as_ptr(), name)),
                PathOrFd::Path(path) => c!(lremovexattr(path.as_ptr(), name)),
            })
        });
        result.or_raise_for(vm, path.object()).map(drop)
    }

    /// Return a list of extended attributes on path.
    #[pyfunction(sig = "(path=None, *, follow_symlinks=True)")]
    fn listxattr(vm: &Vm, path: Option<PathOrFd>, follow_symlinks: bool) -> Res<Value> {
        let path = path.unwrap_or_else(super::super::path::current_folder);
        no_fd_and_follow(vm, "listxattr", &path, follow_symlinks)?;
        audit!(vm, "os.listxattr", path.object().clone());
        if let PathOrFd::Path(path) = &path
            && packed::find(path.name.as_bytes()).is_some()
        {
            return Ok(List::new(Vec::new()).into_value());
        }
        let data = grown(vm, &path, &[256, super::XATTR_SIZE_MAX], |buffer| {
            let (data, len) = (buffer.as_mut_ptr().cast(), buffer.len());
            match &path {
                PathOrFd::Fd(fd, _) => c!(flistxattr(*fd, data, len)),
                PathOrFd::Path(path) if follow_symlinks => c!(listxattr(path.as_ptr(), data, len)),
                PathOrFd::Path(path) => c!(llistxattr(path.as_ptr(), data, len)),
            }
        })?;
        let names = data.split(|b| *b == 0).filter(|name| !name.is_empty());
        Ok(List::new(names.map(|name| fs_decode(vm, name)).collect::<Res<_>>()?).into_value())
    }

    /// Change to the directory of the given file descriptor.
    ///
    /// fd must be opened on a directory, not a file.
    /// Equivalent to os.chdir(fd).
    #[pyfunction(sig = "(fd)")]
    fn fchdir(vm: &Vm, fd: Fd) -> Res<()> {
        audit!(vm, "os.chdir", Value::int(fd.0.into()));
        crate::syscall::blocking(vm, lisle_runtime::threads::ParkReason::Io, || c!(fchdir(fd.0))).map(drop)
    }

    /// Translate an error code to a message string.
    #[pyfunction(sig = "(code, /)")]
    fn strerror(_vm: &Vm, code: i32) -> Py<Str> {
        Str::from_str(&lisle_runtime::types::exceptions::os_error::strerror(code))
    }
}
