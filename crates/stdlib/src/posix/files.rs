//! `posix`: file descriptors: opening, reading, writing, positions, flags, pipes, files without names, copying within the kernel.

use lisle_runtime::intern;
use lisle_runtime::memory::room;
use lisle_runtime::native::{Py, Res, Str, Value, Vm, pymodule};
use lisle_runtime::threads::ParkReason;
use lisle_runtime::types::buffer;
use lisle_runtime::types::bytes::Bytes;

use super::packed;
use super::path::{DirFd, FilePath, PathOrFd, list_or_tuple};
use crate::syscall::{Errno, Fd, OrRaise, Sys, audit, blocking, c, check, retrying};

/// What one read or write transfers at most, as the kernel would cut it.
const MAX_TRANSFER: usize = 0x7fff_f000;

/// Up to `len` bytes that `read` puts into a buffer.
fn read_bytes(vm: &Vm, len: isize, mut read: impl FnMut(*mut libc::c_void, usize) -> isize) -> Res<Value> {
    let Ok(len) = usize::try_from(len) else {
        return Err(vm.os_error(libc::EINVAL, None));
    };
    let mut buffer: Vec<u8> = Vec::new();
    let len = len.min(MAX_TRANSFER);
    if buffer.try_reserve_exact(len).is_err() {
        return Err(vm.memory_error());
    }
    let n = blocking(vm, ParkReason::Io, || read(buffer.as_mut_ptr().cast(), len))?;
    // SAFETY: the call filled in `n` bytes, no more than were reserved.
    unsafe { buffer.set_len(n as usize) };
    Ok(Bytes::new_value(room::fitted(buffer)?))
}

/// Memory for `readv` and its like: each buffer's length, and bytes to read into.
struct Scatter {
    targets: Vec<Value>,
    data: Vec<Vec<u8>>,
}

impl Scatter {
    fn of(vm: &Vm, name: &str, buffers: &Value) -> Res<Scatter> {
        let targets = sequence(vm, name, buffers)?;
        let data = targets
            .iter()
            .map(|target| Ok(room::zeroed(buffer::writable_len(vm, target)?)?))
            .collect::<Res<_>>()?;
        Ok(Scatter { targets, data })
    }

    fn vectors(&mut self) -> Vec<libc::iovec> {
        let one = |data: &mut Vec<u8>| libc::iovec {
            iov_base: data.as_mut_ptr().cast(),
            iov_len: data.len(),
        };
        self.data.iter_mut().map(one).collect()
    }

    /// Hands out the first `n` bytes read.
    fn finish(self, vm: &Vm, n: isize) -> Res<isize> {
        let mut left = n as usize;
        for (target, data) in self.targets.iter().zip(&self.data) {
            let part = data.len().min(left);
            buffer::copy_into(vm, target, 0, &data[..part])?;
            left -= part;
        }
        Ok(n)
    }
}

fn sequence(vm: &Vm, name: &str, buffers: &Value) -> Res<Vec<Value>> {
    if let Some(items) = list_or_tuple(buffers) {
        return Ok(items);
    }
    if buffers.ty().slots().getitem.is_none() || buffers.ty().slots().len.is_none() {
        return Err(vm.type_error(format!("{name}() arg 2 must be a sequence")));
    }
    vm.collect(buffers)
}

/// The bytes to write, one buffer an item of the sequence.
fn gather<'a>(vm: &Vm, items: &'a [Value]) -> Res<Vec<buffer::Held<'a>>> {
    items.iter().map(|item| buffer::hold(vm, item)).collect()
}

fn vectors_of(data: &[buffer::Held<'_>]) -> Vec<libc::iovec> {
    let one = |data: &buffer::Held<'_>| libc::iovec {
        iov_base: data.as_ptr().cast_mut().cast(),
        iov_len: data.len(),
    };
    data.iter().map(one).collect()
}

/// Whether programs that are executed inherit the descriptor.
pub fn set_inheritable(fd: i32, inheritable: bool) -> Sys<()> {
    let flags = check(c!(fcntl(fd, libc::F_GETFD)))?;
    let wanted = if inheritable {
        flags & !libc::FD_CLOEXEC
    } else {
        flags | libc::FD_CLOEXEC
    };
    if wanted != flags {
        check(c!(fcntl(fd, libc::F_SETFD, wanted)))?;
    }
    Ok(())
}

/// A position in a file: any int of 64 bits.
fn offset_opt(vm: &Vm, offset: &Value) -> Res<Option<i64>> {
    if offset.is_none() {
        Ok(None)
    } else {
        vm.index_to_i64(offset).map(Some)
    }
}

fn pointer(offset: &mut Option<i64>) -> *mut i64 {
    offset.as_mut().map_or(std::ptr::null_mut(), std::ptr::from_mut)
}

#[pymodule(name = "posix")]
pub mod module {
    use super::*;

    #[pyattr]
    use libc::{
        O_ACCMODE, O_APPEND, O_ASYNC, O_CLOEXEC, O_CREAT, O_DIRECT, O_DIRECTORY, O_DSYNC, O_EXCL, O_FSYNC, O_NDELAY,
        O_NOATIME, O_NOCTTY, O_NOFOLLOW, O_NONBLOCK, O_PATH, O_RDONLY, O_RDWR, O_RSYNC, O_SYNC, O_TMPFILE, O_TRUNC,
        O_WRONLY,
    };

    #[pyattr]
    const O_LARGEFILE: i32 = 0;

    #[pyattr]
    use libc::{F_LOCK, F_TEST, F_TLOCK, F_ULOCK, SEEK_DATA, SEEK_HOLE};

    #[pyattr]
    use libc::{
        POSIX_FADV_DONTNEED, POSIX_FADV_NOREUSE, POSIX_FADV_NORMAL, POSIX_FADV_RANDOM, POSIX_FADV_SEQUENTIAL,
        POSIX_FADV_WILLNEED,
    };

    #[pyattr]
    use libc::{RWF_APPEND, RWF_DSYNC, RWF_HIPRI, RWF_NOWAIT, RWF_SYNC};

    #[pyattr]
    const RWF_DONTCACHE: i32 = 0x80;

    #[pyattr]
    use libc::{SPLICE_F_MORE, SPLICE_F_MOVE, SPLICE_F_NONBLOCK};

    #[pyattr]
    use libc::{EFD_CLOEXEC, EFD_NONBLOCK, EFD_SEMAPHORE};

    #[pyattr]
    use libc::{TFD_CLOEXEC, TFD_NONBLOCK, TFD_TIMER_ABSTIME, TFD_TIMER_CANCEL_ON_SET};

    #[pyattr]
    use libc::{
        MFD_ALLOW_SEALING, MFD_CLOEXEC, MFD_HUGE_1GB, MFD_HUGE_1MB, MFD_HUGE_2GB, MFD_HUGE_2MB, MFD_HUGE_8MB,
        MFD_HUGE_16GB, MFD_HUGE_16MB, MFD_HUGE_64KB, MFD_HUGE_256MB, MFD_HUGE_512KB, MFD_HUGE_MASK, MFD_HUGE_SHIFT,
        MFD_HUGETLB,
    };

    #[pyattr]
    const MFD_HUGE_32MB: u32 = 25 << 26;
    #[pyattr]
    const MFD_HUGE_512MB: u32 = 29 << 26;

    /// Open a file for low level IO.  Returns a file descriptor (integer).
    ///
    /// If dir_fd is not None, it should be a file descriptor open to a directory,
    ///   and path should be relative; path will then be relative to that directory.
    /// dir_fd may not be implemented on your platform.
    ///   If it is unavailable, using it will raise a NotImplementedError.
    #[pyfunction(sig = "(path, flags, mode=511, *, dir_fd=None)")]
    fn open(vm: &Vm, path: FilePath, flags: i32, mode: i32, dir_fd: Option<DirFd>) -> Res<i32> {
        audit!(
            vm,
            "open",
            path.object.clone(),
            Value::NONE,
            Value::int((flags | libc::O_CLOEXEC).into())
        );
        if let Some(opened) = packed::open(path.name.as_bytes(), flags) {
            return opened.or_raise_for(vm, &path.object);
        }
        let dir_fd = DirFd::or_cwd(dir_fd);
        let open = || c!(openat(dir_fd, path.as_ptr(), flags | libc::O_CLOEXEC, mode));
        retrying(vm, ParkReason::Io, open)?.or_raise_for(vm, &path.object)
    }

    /// Close a file descriptor.
    #[pyfunction(sig = "(fd)")]
    fn close(vm: &Vm, fd: i32) -> Res<()> {
        // The descriptor is gone even if the call is interrupted.
        match crate::syscall::detached(vm, || c!(close(fd))) {
            Err(Errno(libc::EINTR)) => vm.safepoint(),
            result => result.or_raise(vm).map(drop),
        }
    }

    /// Closes all file descriptors in [fd_low, fd_high), ignoring errors.
    #[pyfunction(sig = "(fd_low, fd_high, /)")]
    fn closerange(vm: &Vm, fd_low: i32, fd_high: i32) {
        let low = fd_low.max(0);
        if low >= fd_high {
            return;
        }
        vm.detached(|| {
            let range = libc::SYS_close_range;
            if c!(syscall(range, low as u32, (fd_high - 1) as u32, 0)) != 0 {
                for fd in low..fd_high {
                    c!(close(fd));
                }
            }
        });
    }

    /// Return a duplicate of a file descriptor.
    #[pyfunction(sig = "(fd, /)")]
    fn dup(vm: &Vm, fd: i32) -> Res<i32> {
        check(c!(fcntl(fd, libc::F_DUPFD_CLOEXEC, 0))).or_raise(vm)
    }

    /// Duplicate file descriptor.
    #[pyfunction(sig = "(fd, fd2, inheritable=True)")]
    fn dup2(vm: &Vm, fd: i32, fd2: i32, inheritable: bool) -> Res<i32> {
        if fd < 0 || fd2 < 0 {
            return Err(vm.os_error(libc::EBADF, None));
        }
        if inheritable {
            return crate::syscall::detached(vm, || c!(dup2(fd, fd2))).or_raise(vm);
        }
        match crate::syscall::detached(vm, || c!(dup3(fd, fd2, libc::O_CLOEXEC))) {
            // Both are the same, which only `dup2` allows.
            Err(Errno(libc::EINVAL)) if fd == fd2 => {
                check(c!(dup2(fd, fd2))).or_raise(vm)?;
                super::set_inheritable(fd2, false).or_raise(vm)?;
                Ok(fd2)
            }
            result => result.or_raise(vm),
        }
    }

    /// Apply, test or remove a POSIX lock on an open file descriptor.
    #[pyfunction(sig = "(fd, command, length, /)")]
    fn lockf(vm: &Vm, fd: i32, command: i32, length: i64) -> Res<()> {
        let numbers = [fd.into(), command.into(), length].map(Value::int);
        let [a, b, len] = numbers;
        audit!(vm, "os.lockf", a, b, len);
        blocking(vm, ParkReason::Io, || c!(lockf(fd, command, length))).map(drop)
    }

    /// Set the position of a file descriptor.  Return the new position.
    #[pyfunction(sig = "(fd, position, whence, /)")]
    fn lseek(vm: &Vm, fd: i32, position: i64, whence: i32) -> Res<i64> {
        crate::syscall::detached(vm, || c!(lseek(fd, position, whence))).or_raise(vm)
    }

    /// Read from a file descriptor.  Returns a bytes object.
    #[pyfunction(sig = "(fd, length, /)")]
    fn read(vm: &Vm, fd: i32, length: isize) -> Res<Value> {
        read_bytes(vm, length, |data, len| c!(read(fd, data, len)))
    }

    /// Read into a buffer object from a file descriptor.
    #[pyfunction(sig = "(fd, buffer, /)")]
    fn readinto(vm: &Vm, fd: i32, buffer: &Value) -> Res<isize> {
        let mut data = room::zeroed(buffer::writable_len(vm, buffer)?.min(MAX_TRANSFER))?;
        let n = blocking(vm, ParkReason::Io, || {
            c!(read(fd, data.as_mut_ptr().cast(), data.len()))
        })?;
        buffer::copy_into(vm, buffer, 0, &data[..n as usize])?;
        Ok(n)
    }

    /// Read from a file descriptor fd into an iterable of buffers.
    #[pyfunction(sig = "(fd, buffers, /)")]
    fn readv(vm: &Vm, fd: i32, buffers: &Value) -> Res<isize> {
        let mut scatter = Scatter::of(vm, "readv", buffers)?;
        let vectors = scatter.vectors();
        let n = blocking(vm, ParkReason::Io, || {
            c!(readv(fd, vectors.as_ptr(), vectors.len() as i32))
        })?;
        scatter.finish(vm, n)
    }

    /// Read a number of bytes from a file descriptor starting at a particular offset.
    #[pyfunction(sig = "(fd, length, offset, /)")]
    fn pread(vm: &Vm, fd: i32, length: isize, offset: i64) -> Res<Value> {
        read_bytes(vm, length, |data, len| c!(pread(fd, data, len, offset)))
    }

    /// Reads from a file descriptor into a number of mutable bytes-like objects.
    #[pyfunction(sig = "(fd, buffers, offset, flags=0, /)")]
    fn preadv(vm: &Vm, fd: i32, buffers: &Value, offset: i64, flags: i32) -> Res<isize> {
        let mut scatter = Scatter::of(vm, "preadv", buffers)?;
        let vectors = scatter.vectors();
        let n = blocking(vm, ParkReason::Io, || {
            c!(preadv2(fd, vectors.as_ptr(), vectors.len() as i32, offset, flags))
        })?;
        scatter.finish(vm, n)
    }

    /// Write a bytes object to a file descriptor.
    #[pyfunction(sig = "(fd, data, /)")]
    fn write(vm: &Vm, fd: i32, data: &Value) -> Res<isize> {
        let data = buffer::hold(vm, data)?;
        let len = data.len().min(MAX_TRANSFER);
        blocking(vm, ParkReason::Io, || c!(write(fd, data.as_ptr().cast(), len)))
    }

    /// Iterate over buffers, and write the contents of each to a file descriptor.
    #[pyfunction(sig = "(fd, buffers, /)")]
    fn writev(vm: &Vm, fd: i32, buffers: &Value) -> Res<isize> {
        let items = sequence(vm, "writev", buffers)?;
        let data = gather(vm, &items)?;
        let vectors = vectors_of(&data);
        blocking(vm, ParkReason::Io, || {
            c!(writev(fd, vectors.as_ptr(), vectors.len() as i32))
        })
    }

    /// Write bytes to a file descriptor starting at a particular offset.
    #[pyfunction(sig = "(fd, buffer, offset, /)")]
    fn pwrite(vm: &Vm, fd: i32, buffer: &Value, offset: i64) -> Res<isize> {
        let data = buffer::hold(vm, buffer)?;
        let len = data.len().min(MAX_TRANSFER);
        blocking(vm, ParkReason::Io, || c!(pwrite(fd, data.as_ptr().cast(), len, offset)))
    }

    /// Writes the contents of bytes-like objects to a file descriptor at a given offset.
    #[pyfunction(sig = "(fd, buffers, offset, flags=0, /)")]
    fn pwritev(vm: &Vm, fd: i32, buffers: &Value, offset: i64, flags: i32) -> Res<isize> {
        let items = sequence(vm, "pwritev", buffers)?;
        let data = gather(vm, &items)?;
        let vectors = vectors_of(&data);
        blocking(vm, ParkReason::Io, || {
            c!(pwritev2(fd, vectors.as_ptr(), vectors.len() as i32, offset, flags))
        })
    }

    /// Force write of fd to disk.
    #[pyfunction(sig = "(fd)")]
    fn fsync(vm: &Vm, fd: Fd) -> Res<()> {
        blocking(vm, ParkReason::Io, || c!(fsync(fd.0))).map(drop)
    }

    /// Force write of fd to disk without forcing update of metadata.
    #[pyfunction(sig = "(fd)")]
    fn fdatasync(vm: &Vm, fd: Fd) -> Res<()> {
        blocking(vm, ParkReason::Io, || c!(fdatasync(fd.0))).map(drop)
    }

    /// Force write of everything to disk.
    #[pyfunction(sig = "()")]
    fn sync(vm: &Vm) {
        vm.detached(|| c!(sync()));
    }

    /// Truncate a file, specified by file descriptor, to a specific length.
    #[pyfunction(sig = "(fd, length, /)")]
    fn ftruncate(vm: &Vm, fd: i32, length: i64) -> Res<()> {
        audit!(vm, "os.truncate", Value::int(fd.into()), Value::int(length));
        blocking(vm, ParkReason::Io, || c!(ftruncate(fd, length))).map(drop)
    }

    /// Truncate a file, specified by path, to a specific length.
    ///
    /// On some platforms, path may also be specified as an open file descriptor.
    /// If this functionality is unavailable, using it raises an exception.
    #[pyfunction(sig = "(path, length)")]
    fn truncate(vm: &Vm, path: PathOrFd, length: i64) -> Res<()> {
        let result = match &path {
            PathOrFd::Fd(fd, _) => return ftruncate(vm, *fd, length),
            PathOrFd::Path(path) => {
                audit!(vm, "os.truncate", path.object.clone(), Value::int(length));
                crate::syscall::detached(vm, || c!(truncate(path.as_ptr(), length)))
            }
        };
        result.or_raise_for(vm, path.object()).map(drop)
    }

    /// Ensure a file has allocated at least a particular number of bytes on disk.
    #[pyfunction(sig = "(fd, offset, length, /)")]
    fn posix_fallocate(vm: &Vm, fd: i32, offset: i64, length: i64) -> Res<()> {
        by_number(vm, || c!(posix_fallocate(fd, offset, length)))
    }

    /// Announce an intention to access data in a specific pattern.
    #[pyfunction(sig = "(fd, offset, length, advice, /)")]
    fn posix_fadvise(vm: &Vm, fd: i32, offset: i64, length: i64, advice: i32) -> Res<()> {
        by_number(vm, || c!(posix_fadvise(fd, offset, length, advice)))
    }

    /// A call that returns the number of its error.
    fn by_number(vm: &Vm, call: impl Fn() -> i32) -> Res<()> {
        loop {
            match vm.detached(&call) {
                0 => return Ok(()),
                libc::EINTR => vm.safepoint()?,
                errno => return Err(vm.os_error(errno, None)),
            }
        }
    }

    /// Create a pipe.
    #[pyfunction(sig = "()")]
    fn pipe(vm: &Vm) -> Res<(i32, i32)> {
        pipe2(vm, libc::O_CLOEXEC)
    }

    /// Create a pipe with flags set atomically.
    #[pyfunction(sig = "(flags, /)")]
    fn pipe2(vm: &Vm, flags: i32) -> Res<(i32, i32)> {
        let mut fds = [0; 2];
        check(c!(pipe2(fds.as_mut_ptr(), flags))).or_raise(vm)?;
        Ok((fds[0], fds[1]))
    }

    /// Return True if the fd is connected to a terminal.
    #[pyfunction(sig = "(fd, /)")]
    fn isatty(vm: &Vm, fd: i32) -> bool {
        vm.detached(|| c!(isatty(fd)) == 1)
    }

    /// Get the close-on-exe flag of the specified file descriptor.
    #[pyfunction(sig = "(fd, /)")]
    fn get_inheritable(vm: &Vm, fd: i32) -> Res<bool> {
        let flags = check(c!(fcntl(fd, libc::F_GETFD))).or_raise(vm)?;
        Ok(flags & libc::FD_CLOEXEC == 0)
    }

    /// Set the inheritable flag of the specified file descriptor.
    #[pyfunction(sig = "(fd, inheritable, /)")]
    fn set_inheritable(vm: &Vm, fd: i32, inheritable: i32) -> Res<()> {
        super::set_inheritable(fd, inheritable != 0).or_raise(vm)
    }

    /// Get the blocking mode of the file descriptor.
    #[pyfunction(sig = "(fd, /)")]
    fn get_blocking(vm: &Vm, fd: i32) -> Res<bool> {
        let flags = check(c!(fcntl(fd, libc::F_GETFL))).or_raise(vm)?;
        Ok(flags & libc::O_NONBLOCK == 0)
    }

    /// Set the blocking mode of the specified file descriptor.
    #[pyfunction(sig = "(fd, blocking, /)")]
    fn set_blocking(vm: &Vm, fd: i32, blocking: bool) -> Res<()> {
        let flags = check(c!(fcntl(fd, libc::F_GETFL))).or_raise(vm)?;
        let wanted = if blocking {
            flags & !libc::O_NONBLOCK
        } else {
            flags | libc::O_NONBLOCK
        };
        check(c!(fcntl(fd, libc::F_SETFL, wanted))).or_raise(vm).map(drop)
    }

    /// Return a string describing the encoding of a terminal's file descriptor.
    #[pyfunction(sig = "(fd)")]
    fn device_encoding(vm: &Vm, fd: i32) -> Option<Py<Str>> {
        isatty(vm, fd).then(|| Str::from_str("UTF-8"))
    }

    /// Copy count bytes from file descriptor in_fd to file descriptor out_fd.
    #[pyfunction(sig = "(out_fd, in_fd, offset, count)")]
    fn sendfile(vm: &Vm, out_fd: i32, in_fd: i32, offset: &Value, count: isize) -> Res<isize> {
        let mut start = offset_opt(vm, offset)?;
        let count = usize::try_from(count).map_err(|_| vm.os_error(libc::EINVAL, None))?;
        blocking(vm, ParkReason::Io, || {
            c!(sendfile(out_fd, in_fd, pointer(&mut start), count))
        })
    }

    /// Copy count bytes from one file descriptor to another.
    #[pyfunction(sig = "(src, dst, count, offset_src=None, offset_dst=None)")]
    fn copy_file_range(
        vm: &Vm,
        src: i32,
        dst: i32,
        count: isize,
        offset_src: Option<i64>,
        offset_dst: Option<i64>,
    ) -> Res<isize> {
        let Ok(count) = usize::try_from(count) else {
            return Err(vm.value_error("negative value for 'count' not allowed"));
        };
        let (mut from, mut to) = (offset_src, offset_dst);
        blocking(vm, ParkReason::Io, || {
            c!(copy_file_range(
                src,
                pointer(&mut from),
                dst,
                pointer(&mut to),
                count,
                0
            ))
        })
    }

    /// Transfer count bytes from one pipe to a descriptor or vice versa.
    #[pyfunction(sig = "(src, dst, count, offset_src=None, offset_dst=None, flags=0)")]
    fn splice(
        vm: &Vm,
        src: i32,
        dst: i32,
        count: isize,
        offset_src: Option<i64>,
        offset_dst: Option<i64>,
        flags: u32,
    ) -> Res<isize> {
        let Ok(count) = usize::try_from(count) else {
            return Err(vm.value_error("negative value for 'count' not allowed"));
        };
        let (mut from, mut to) = (offset_src, offset_dst);
        blocking(vm, ParkReason::Io, || {
            c!(splice(src, pointer(&mut from), dst, pointer(&mut to), count, flags))
        })
    }

    #[pyfunction(sig = "(name, flags=1)")]
    fn memfd_create(vm: &Vm, name: &Value, flags: u32) -> Res<i32> {
        let name = super::super::path::fs_encode(vm, name)?;
        crate::syscall::detached(vm, || c!(memfd_create(name.as_ptr(), flags))).or_raise(vm)
    }

    /// Creates and returns an event notification file descriptor.
    #[pyfunction(sig = "(initval, flags=524288)")]
    fn eventfd(vm: &Vm, initval: u32, flags: i32) -> Res<i32> {
        crate::syscall::detached(vm, || c!(eventfd(initval, flags))).or_raise(vm)
    }

    /// Read eventfd value
    #[pyfunction(sig = "(fd)")]
    fn eventfd_read(vm: &Vm, fd: i32) -> Res<u64> {
        let mut value = 0u64;
        blocking(vm, ParkReason::Io, || c!(eventfd_read(fd, &mut value)))?;
        Ok(value)
    }

    /// Write eventfd value.
    #[pyfunction(sig = "(fd, value)")]
    fn eventfd_write(vm: &Vm, fd: i32, value: u64) -> Res<()> {
        blocking(vm, ParkReason::Io, || c!(eventfd_write(fd, value))).map(drop)
    }

    /// Create and return a timer file descriptor.
    #[pyfunction(sig = "(clockid, /, *, flags=524288)")]
    fn timerfd_create(vm: &Vm, clockid: i32, flags: i32) -> Res<i32> {
        crate::syscall::detached(vm, || c!(timerfd_create(clockid, flags | libc::TFD_CLOEXEC))).or_raise(vm)
    }

    const NO_TIME: libc::timespec = libc::timespec { tv_sec: 0, tv_nsec: 0 };

    fn set_timer(
        vm: &Vm,
        fd: Fd,
        flags: i32,
        value: libc::timespec,
        interval: libc::timespec,
    ) -> Res<libc::itimerspec> {
        let new = libc::itimerspec {
            it_value: value,
            it_interval: interval,
        };
        let mut old = libc::itimerspec {
            it_value: NO_TIME,
            it_interval: NO_TIME,
        };
        crate::syscall::detached(vm, || c!(timerfd_settime(fd.0, flags, &new, &mut old))).or_raise(vm)?;
        Ok(old)
    }

    fn get_timer(vm: &Vm, fd: Fd) -> Res<libc::itimerspec> {
        let mut now = libc::itimerspec {
            it_value: NO_TIME,
            it_interval: NO_TIME,
        };
        crate::syscall::detached(vm, || c!(timerfd_gettime(fd.0, &mut now))).or_raise(vm)?;
        Ok(now)
    }

    fn as_seconds(t: &libc::itimerspec) -> (f64, f64) {
        let one = |t: &libc::timespec| t.tv_sec as f64 + t.tv_nsec as f64 * 1e-9;
        (one(&t.it_value), one(&t.it_interval))
    }

    fn as_nanoseconds(t: &libc::itimerspec) -> (i128, i128) {
        let one = |t: &libc::timespec| i128::from(t.tv_sec) * 1_000_000_000 + i128::from(t.tv_nsec);
        (one(&t.it_value), one(&t.it_interval))
    }

    /// Alter a timer file descriptor's internal timer in seconds.
    #[pyfunction(sig = "(fd, /, *, flags=0, initial=0.0, interval=0.0)")]
    fn timerfd_settime(
        vm: &Vm,
        fd: Fd,
        flags: i32,
        initial: Option<&Value>,
        interval: Option<&Value>,
    ) -> Res<(f64, f64)> {
        let spec = |t: Option<&Value>| t.map_or(Ok(NO_TIME), |t| super::super::stat::timespec_of(vm, t));
        let old = set_timer(vm, fd, flags, spec(initial)?, spec(interval)?)?;
        Ok(as_seconds(&old))
    }

    /// Alter a timer file descriptor's internal timer in nanoseconds.
    #[pyfunction(sig = "(fd, /, *, flags=0, initial=0, interval=0)")]
    fn timerfd_settime_ns(vm: &Vm, fd: Fd, flags: i32, initial: i64, interval: i64) -> Res<(i128, i128)> {
        let spec = |ns: i64| libc::timespec {
            tv_sec: ns.div_euclid(1_000_000_000),
            tv_nsec: ns.rem_euclid(1_000_000_000),
        };
        let old = set_timer(vm, fd, flags, spec(initial), spec(interval))?;
        Ok(as_nanoseconds(&old))
    }

    /// Return a tuple of a timer file descriptor's (interval, next expiration) in float seconds.
    #[pyfunction(sig = "(fd, /)")]
    fn timerfd_gettime(vm: &Vm, fd: Fd) -> Res<(f64, f64)> {
        Ok(as_seconds(&get_timer(vm, fd)?))
    }

    /// Return a tuple of a timer file descriptor's (interval, next expiration) in nanoseconds.
    #[pyfunction(sig = "(fd, /)")]
    fn timerfd_gettime_ns(vm: &Vm, fd: Fd) -> Res<(i128, i128)> {
        Ok(as_nanoseconds(&get_timer(vm, fd)?))
    }

    /// Return a bytes object containing random bytes suitable for cryptographic use.
    #[pyfunction(sig = "(n, /)")]
    fn urandom(vm: &Vm, n: isize) -> Res<Value> {
        let Ok(n) = usize::try_from(n) else {
            return Err(vm.value_error("negative argument not allowed"));
        };
        random(vm, n, 0, true)
    }

    /// Obtain a series of random bytes.
    #[pyfunction(sig = "(size, flags=0)")]
    fn getrandom(vm: &Vm, size: isize, flags: u32) -> Res<Value> {
        let Ok(size) = usize::try_from(size) else {
            return Err(vm.os_error(libc::EINVAL, None));
        };
        random(vm, size, flags, false)
    }

    #[pyattr]
    use libc::{GRND_NONBLOCK, GRND_RANDOM};

    /// Random bytes of the system: all that were asked for, or what one call gives.
    fn random(vm: &Vm, size: usize, flags: u32, all: bool) -> Res<Value> {
        let mut data = Vec::new();
        if data.try_reserve_exact(size).is_err() {
            return Err(vm.memory_error());
        }
        data.resize(size, 0u8);
        let mut have = 0;
        while have < size {
            let rest = &mut data[have..];
            let n = blocking(vm, ParkReason::Io, || {
                c!(getrandom(rest.as_mut_ptr().cast(), rest.len(), flags))
            })?;
            have += n as usize;
            if !all {
                break;
            }
        }
        data.truncate(have);
        Ok(Bytes::new_value(data))
    }

    /// Return the size of the terminal window as (columns, lines).
    #[pyfunction(sig = "(fd=<unrepresentable>, /)")]
    fn get_terminal_size(vm: &Vm, fd: Option<i32>) -> Res<Value> {
        let fd = fd.unwrap_or(libc::STDOUT_FILENO);
        // SAFETY: plain data.
        let mut size: libc::winsize = unsafe { crate::syscall::zeroed() };
        check(c!(ioctl(fd, libc::TIOCGWINSZ, &mut size))).or_raise(vm)?;
        Ok(super::super::terminals::TERMINAL_SIZE
            .make(vec![Value::int(size.ws_col.into()), Value::int(size.ws_row.into())]))
    }

    #[init]
    fn init(_vm: &Vm, module: &Py<lisle_runtime::types::module::Module>) -> Res<()> {
        let error = lisle_runtime::types::exceptions::OS_ERROR.get().to_value();
        module.dict().set_str(intern!("error"), error);
        Ok(())
    }
}
