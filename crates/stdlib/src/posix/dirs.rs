//! `posix`: directories: making, listing, scanning, the current one; names in them: links, renaming, special files.
//!
//! Invariant: whoever reads a directory for a `scandir` iterator has taken the stream out of it, so that nothing is locked
//! while the system call may block; others wait for it to come back.

use std::collections::VecDeque;
use std::ffi::CStr;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use lisle_runtime::memory::trace::Opaque;
use lisle_runtime::native::{Py, Res, Slot, Str, Value, Vm, pyclass, pymethods, pymodule};
use lisle_runtime::sync::Locked;
use lisle_runtime::types::bytes::Bytes;
use lisle_runtime::types::exceptions;
use lisle_runtime::types::generic_alias::GenericAlias;
use lisle_runtime::types::list::List;

use super::packed;
use super::path::{Device, DirFd, FilePath, PathOrFd, audit_dir, current_folder, fs_decode};
use super::stat::{stat_at, stat_result};
use crate::syscall::{Errno, OrRaise, Sys, audit, c, check, detached};

/// An open directory stream.
enum Stream {
    System {
        dir: NonNull<libc::DIR>,
        /// Whether the descriptor was the caller's, who expects its position to be at the start again.
        rewind: bool,
    },
    /// A folder of the packed library.
    Packed(std::vec::IntoIter<(String, bool)>),
}

// SAFETY: a stream may be used by any thread, one at a time, and it is owned.
unsafe impl Send for Stream {}

impl Drop for Stream {
    fn drop(&mut self) {
        if let Stream::System { dir, rewind } = self {
            if *rewind {
                c!(rewinddir(dir.as_ptr()));
            }
            c!(closedir(dir.as_ptr()));
        }
    }
}

/// A name in a directory, with what the directory says of it.
struct Name {
    name: Vec<u8>,
    kind: u8,
    inode: u64,
}

impl Stream {
    fn open(path: &PathOrFd) -> Sys<Stream> {
        let (dir, rewind) = match path {
            PathOrFd::Path(path) => match packed::find(path.name.as_bytes()) {
                Some(packed::Found::Folder(folder)) => return Ok(Stream::Packed(folder.names().into_iter())),
                Some(packed::Found::File(_)) => return Err(Errno(libc::ENOTDIR)),
                None => (c!(opendir(path.as_ptr())), false),
            },
            PathOrFd::Fd(fd, _) => {
                let own = check(c!(fcntl(*fd, libc::F_DUPFD_CLOEXEC, 0)))?;
                let dir = c!(fdopendir(own));
                if dir.is_null() {
                    let error = Errno::last();
                    c!(close(own));
                    return Err(error);
                }
                (dir, true)
            }
        };
        match NonNull::new(dir) {
            Some(dir) => Ok(Stream::System { dir, rewind }),
            None => Err(Errno::last()),
        }
    }

    /// The next name that is not `.` or `..`.
    fn next(&mut self) -> Sys<Option<Name>> {
        let dir = match self {
            Stream::System { dir, .. } => dir,
            Stream::Packed(names) => {
                return Ok(names.next().map(|(name, folder)| Name {
                    name: name.into_bytes(),
                    kind: if folder { libc::DT_DIR } else { libc::DT_REG },
                    inode: 0,
                }));
            }
        };
        loop {
            // SAFETY: the location of this thread's errno.
            unsafe { *libc::__errno_location() = 0 };
            let entry = c!(readdir(dir.as_ptr()));
            if entry.is_null() {
                return match Errno::last() {
                    Errno(0) => Ok(None),
                    error => Err(error),
                };
            }
            // SAFETY: the entry is valid until the next call on this stream, and its name is terminated.
            let (name, kind, inode) = unsafe {
                let name = CStr::from_ptr((*entry).d_name.as_ptr()).to_bytes();
                (name, (*entry).d_type, (*entry).d_ino)
            };
            if name != b"." && name != b".." {
                let name = name.to_vec();
                return Ok(Some(Name { name, kind, inode }));
            }
        }
    }
}

/// How many names are read without attaching in between.
const BATCH: usize = 64;

enum Source {
    Open(Stream),
    /// Another thread reads.
    Busy,
    Closed,
}

struct State {
    source: Source,
    ahead: VecDeque<Name>,
    /// What comes after the names read ahead.
    end: Option<Errno>,
    /// Whether the program has seen the end, or closed.
    finished: bool,
}

/// What `scandir` returns.
#[pyclass(name = "ScandirIterator", module = "posix", no_new)]
pub struct ScandirIterator {
    state: Locked<Opaque<State>>,
    /// The argument as it was given, for errors.
    object: Value,
    /// What entries' paths start with; `None` for a descriptor.
    folder: Opaque<Option<FilePath>>,
    dir_fd: i32,
}

impl ScandirIterator {
    /// Reads on: the next name, `None` at the end.
    fn read(vm: &Vm, this: &Py<ScandirIterator>) -> Res<Option<Name>> {
        loop {
            enum Step {
                Done(Option<Name>),
                Failed(Errno),
                Read(Stream),
                Wait,
            }
            let step = this.state.with(this.header(), |state| {
                if let Some(name) = state.0.ahead.pop_front() {
                    return Step::Done(Some(name));
                }
                if let Some(error) = state.0.end.take() {
                    state.0.finished = true;
                    return Step::Failed(error);
                }
                match std::mem::replace(&mut state.0.source, Source::Busy) {
                    Source::Open(stream) => Step::Read(stream),
                    Source::Busy => Step::Wait,
                    Source::Closed => {
                        state.0.source = Source::Closed;
                        state.0.finished = true;
                        Step::Done(None)
                    }
                }
            });
            let mut stream = match step {
                Step::Done(name) => return Ok(name),
                Step::Failed(error) => {
                    return Err(vm.os_error(error.0, Some(this.object.clone()).filter(|o| !o.is_none())));
                }
                Step::Read(stream) => stream,
                Step::Wait => {
                    vm.thread.yield_now();
                    vm.safepoint()?;
                    continue;
                }
            };
            let mut names = VecDeque::new();
            let (mut end, mut open) = (None, true);
            vm.detached(|| {
                while names.len() < BATCH {
                    match stream.next() {
                        Ok(Some(name)) => names.push_back(name),
                        Ok(None) => {
                            open = false;
                            break;
                        }
                        Err(error) => {
                            (end, open) = (Some(error), false);
                            break;
                        }
                    }
                }
            });
            let source = if open { Source::Open(stream) } else { Source::Closed };
            let old = this.state.with(this.header(), |state| {
                state.0.ahead = names;
                state.0.end = end;
                std::mem::replace(&mut state.0.source, source)
            });
            drop(old);
        }
    }

    fn close_stream(vm: &Vm, this: &Py<ScandirIterator>) -> Res<bool> {
        loop {
            let old = this.state.with(this.header(), |state| {
                if matches!(state.0.source, Source::Busy) {
                    return None;
                }
                state.0.end = None;
                let names = std::mem::take(&mut state.0.ahead);
                let was_open = !std::mem::replace(&mut state.0.finished, true);
                Some((std::mem::replace(&mut state.0.source, Source::Closed), names, was_open))
            });
            match old {
                Some((source, _names, was_open)) => {
                    vm.detached(|| drop(source));
                    return Ok(was_open);
                }
                None => {
                    vm.thread.yield_now();
                    vm.safepoint()?;
                }
            }
        }
    }
}

#[pymethods]
impl ScandirIterator {
    #[slot]
    fn __iter__(_: &Vm, this: &Py<ScandirIterator>) -> Value {
        this.to_value()
    }

    #[slot]
    fn __next__(vm: &Vm, this: &Py<ScandirIterator>) -> Res<Option<Value>> {
        let Some(name) = ScandirIterator::read(vm, this)? else {
            return Ok(None);
        };
        let entry = DirEntry::new(vm, this.folder.0.as_ref(), this.dir_fd, name)?;
        Ok(Some(entry.into_value()))
    }

    /// Close the iterator and free acquired resources.
    #[pymethod(sig = "($self, /)")]
    fn close(vm: &Vm, this: &Py<ScandirIterator>) -> Res<()> {
        ScandirIterator::close_stream(vm, this).map(drop)
    }

    #[pymethod(sig = "($self, /)")]
    fn __enter__(_: &Vm, this: &Py<ScandirIterator>) -> Value {
        this.to_value()
    }

    #[pymethod(sig = "($self, /, *args)")]
    fn __exit__(vm: &Vm, this: &Py<ScandirIterator>, _args: &[Value]) -> Res<()> {
        ScandirIterator::close_stream(vm, this).map(drop)
    }

    #[slot]
    fn __del__(vm: &Vm, this: &Py<ScandirIterator>) -> Res<()> {
        if ScandirIterator::close_stream(vm, this)? {
            let shown = vm.repr(this.as_value())?.to_string_lossy();
            vm.warn(
                exceptions::RESOURCE_WARNING.get(),
                &format!("unclosed scandir iterator {shown}"),
                1,
            )?;
        }
        Ok(())
    }
}

/// What `scandir` yields.
#[pyclass(name = "DirEntry", module = "os", no_new)]
pub struct DirEntry {
    name: Value,
    path: Value,
    /// The path for the system, from `dir_fd`.
    file: Opaque<FilePath>,
    dir_fd: i32,
    kind: u8,
    inode: AtomicU64,
    /// What `stat` and `lstat` found.
    stat: Slot,
    lstat: Slot,
}

impl DirEntry {
    fn new(vm: &Vm, folder: Option<&FilePath>, dir_fd: i32, name: Name) -> Res<Py<DirEntry>> {
        let bytes = folder.is_some_and(|f| f.bytes);
        let value = |text: &[u8]| {
            if bytes {
                Ok(Bytes::new_value(text))
            } else {
                fs_decode(vm, text)
            }
        };
        let shown = value(&name.name)?;
        let (path, full) = match folder {
            None => (shown.clone(), name.name),
            Some(folder) => {
                let mut full = folder.name.as_bytes().to_vec();
                if full.last().is_some_and(|b| *b != b'/') {
                    full.push(b'/');
                }
                full.extend_from_slice(&name.name);
                (value(&full)?, full)
            }
        };
        let file = FilePath {
            name: std::ffi::CString::new(full).unwrap_or_default(),
            object: path.clone(),
            bytes,
        };
        Ok(Py::new(DirEntry {
            name: shown,
            path,
            file: Opaque(file),
            dir_fd,
            kind: name.kind,
            inode: AtomicU64::new(name.inode),
            stat: Slot::empty(),
            lstat: Slot::empty(),
        }))
    }

    fn fetch(vm: &Vm, this: &Py<DirEntry>, follow: bool) -> Sys<Value> {
        let slot = if follow && this.kind_is_link() {
            &this.stat
        } else {
            &this.lstat
        };
        if let Some(found) = slot.get() {
            return Ok(found);
        }
        let follow = follow && this.kind_is_link();
        let st = stat_at(vm, this.dir_fd, &this.file.0, follow)?;
        // Of a file of unknown kind, `lstat` tells whether the other one has to be asked at all.
        let made = stat_result(&st);
        slot.set(made.clone());
        Ok(made)
    }

    /// Whether following may lead elsewhere; not known counts as yes.
    fn kind_is_link(&self) -> bool {
        matches!(self.kind, libc::DT_LNK | libc::DT_UNKNOWN)
    }

    fn has_mode(vm: &Vm, this: &Py<DirEntry>, follow: bool, kind: u8, mode: u32) -> Res<bool> {
        let is_link = this.kind == libc::DT_LNK;
        if this.kind == libc::DT_UNKNOWN || (follow && is_link) {
            let st = match DirEntry::fetch(vm, this, follow) {
                Err(Errno(libc::ENOENT)) => return Ok(false),
                result => result.or_raise_for(vm, &this.path)?,
            };
            let found = vm.getitem(&st, &Value::int(0))?;
            return Ok(vm.index_to_i64(&found)? as u32 & libc::S_IFMT == mode);
        }
        Ok(!is_link && this.kind == kind || is_link && kind == libc::DT_LNK)
    }
}

#[pymethods]
impl DirEntry {
    /// the entry's base filename, relative to scandir() "path" argument
    #[getter]
    fn name(_: &Vm, this: &Py<DirEntry>) -> Value {
        this.name.clone()
    }

    /// the entry's full path name; equivalent to os.path.join(scandir_path, entry.name)
    #[getter]
    fn path(_: &Vm, this: &Py<DirEntry>) -> Value {
        this.path.clone()
    }

    /// Return True if the entry is a directory; cached per entry.
    #[pymethod(sig = "($self, /, *, follow_symlinks=True)")]
    fn is_dir(vm: &Vm, this: &Py<DirEntry>, follow_symlinks: bool) -> Res<bool> {
        DirEntry::has_mode(vm, this, follow_symlinks, libc::DT_DIR, libc::S_IFDIR)
    }

    /// Return True if the entry is a file; cached per entry.
    #[pymethod(sig = "($self, /, *, follow_symlinks=True)")]
    fn is_file(vm: &Vm, this: &Py<DirEntry>, follow_symlinks: bool) -> Res<bool> {
        DirEntry::has_mode(vm, this, follow_symlinks, libc::DT_REG, libc::S_IFREG)
    }

    /// Return True if the entry is a symbolic link; cached per entry.
    #[pymethod(sig = "($self, /)")]
    fn is_symlink(vm: &Vm, this: &Py<DirEntry>) -> Res<bool> {
        match this.kind {
            libc::DT_UNKNOWN => DirEntry::has_mode(vm, this, false, libc::DT_LNK, libc::S_IFLNK),
            kind => Ok(kind == libc::DT_LNK),
        }
    }

    /// Return True if the entry is a junction; cached per entry.
    #[pymethod(sig = "($self, /)")]
    fn is_junction(_: &Vm, _this: &Py<DirEntry>) -> bool {
        false
    }

    /// Return stat_result object for the entry; cached per entry.
    #[pymethod(sig = "($self, /, *, follow_symlinks=True)")]
    fn stat(vm: &Vm, this: &Py<DirEntry>, follow_symlinks: bool) -> Res<Value> {
        DirEntry::fetch(vm, this, follow_symlinks).or_raise_for(vm, &this.path)
    }

    /// Return inode of the entry; cached per entry.
    #[pymethod(sig = "($self, /)")]
    fn inode(_: &Vm, this: &Py<DirEntry>) -> u64 {
        this.inode.load(Relaxed)
    }

    /// Returns the path for the entry.
    #[pymethod(sig = "($self, /)")]
    fn __fspath__(_: &Vm, this: &Py<DirEntry>) -> Value {
        this.path.clone()
    }

    #[slot]
    fn __repr__(vm: &Vm, this: &Py<DirEntry>) -> Res<Value> {
        let name = vm.repr(&this.name)?.to_string_lossy();
        Ok(Str::from_str(&format!("<DirEntry {name}>")).into_value())
    }

    /// See PEP 585
    #[classmethod(sig = "($type, item, /)")]
    fn __class_getitem__(vm: &Vm, cls: &Py<lisle_runtime::native::Type>, item: &Value) -> Value {
        GenericAlias::new_value(vm, cls.as_value(), item)
    }
}

fn current(vm: &Vm) -> Res<Vec<u8>> {
    let mut buffer = vec![0u8; 1024];
    loop {
        let found = vm.detached(|| {
            if c!(getcwd(buffer.as_mut_ptr().cast(), buffer.len())).is_null() {
                Err(Errno::last())
            } else {
                Ok(())
            }
        });
        match found {
            Err(Errno(libc::ERANGE)) => buffer.resize(buffer.len() * 2, 0),
            result => {
                result.or_raise(vm)?;
                let end = buffer.iter().position(|b| *b == 0).unwrap_or(buffer.len());
                buffer.truncate(end);
                return Ok(buffer);
            }
        }
    }
}

fn rename_at(vm: &Vm, src: &FilePath, dst: &FilePath, from: Option<DirFd>, to: Option<DirFd>) -> Res<()> {
    audit!(
        vm,
        "os.rename",
        src.object.clone(),
        dst.object.clone(),
        audit_dir(from),
        audit_dir(to)
    );
    let (from, to) = (DirFd::or_cwd(from), DirFd::or_cwd(to));
    let result = detached(vm, || c!(renameat(from, src.as_ptr(), to, dst.as_ptr())));
    result.or_raise_for_both(vm, &src.object, &dst.object).map(drop)
}

fn unlink_at(vm: &Vm, path: &FilePath, dir_fd: Option<DirFd>, flags: i32) -> Res<()> {
    if flags == libc::AT_REMOVEDIR {
        audit!(vm, "os.rmdir", path.object.clone(), audit_dir(dir_fd));
    } else {
        audit!(vm, "os.remove", path.object.clone(), audit_dir(dir_fd));
    }
    let dir_fd = DirFd::or_cwd(dir_fd);
    let result = detached(vm, || c!(unlinkat(dir_fd, path.as_ptr(), flags)));
    result.or_raise_for(vm, &path.object).map(drop)
}

#[pymodule(name = "posix", types(DirEntry))]
pub mod module {
    use super::*;

    /// Return a list containing the names of the files in the directory.
    ///
    /// path can be specified as either str, bytes, or a path-like object.  If path is bytes,
    ///   the filenames returned will also be bytes; in all other circumstances
    ///   the filenames returned will be str.
    /// If path is None, uses the path='.'.
    /// On some platforms, path may also be specified as an open file descriptor;\
    ///   the file descriptor must refer to a directory.
    ///   If this functionality is unavailable, using it raises NotImplementedError.
    ///
    /// The list is in arbitrary order.  It does not include the special
    /// entries '.' and '..' even if they are present in the directory.
    #[pyfunction(sig = "(path=None)")]
    fn listdir(vm: &Vm, path: Option<PathOrFd>) -> Res<Value> {
        let given = path.as_ref().map_or(Value::NONE, |p| p.object().clone());
        audit!(vm, "os.listdir", given);
        let path = path.unwrap_or_else(current_folder);
        let bytes = matches!(&path, PathOrFd::Path(p) if p.bytes);
        let names = vm.detached(|| {
            let mut stream = Stream::open(&path)?;
            let mut names = Vec::new();
            while let Some(name) = stream.next()? {
                names.push(name.name);
            }
            Ok(names)
        });
        let names: Vec<Vec<u8>> = names.or_raise_for(vm, path.object())?;
        let one = |name: Vec<u8>| {
            if bytes {
                Ok(Bytes::new_value(name))
            } else {
                fs_decode(vm, &name)
            }
        };
        Ok(List::new(names.into_iter().map(one).collect::<Res<_>>()?).into_value())
    }

    /// Return an iterator of DirEntry objects for given path.
    ///
    /// path can be specified as either str, bytes, or a path-like object.  If path
    /// is bytes, the names of yielded DirEntry objects will also be bytes; in
    /// all other circumstances they will be str.
    ///
    /// If path is None, uses the path='.'.
    #[pyfunction(sig = "(path=None)")]
    fn scandir(vm: &Vm, path: Option<PathOrFd>) -> Res<Value> {
        let given = path.as_ref().map_or(Value::NONE, |p| p.object().clone());
        audit!(vm, "os.scandir", given);
        let path = path.unwrap_or_else(current_folder);
        let stream = vm.detached(|| Stream::open(&path)).or_raise_for(vm, path.object())?;
        let object = path.object().clone();
        let (folder, dir_fd) = match path {
            PathOrFd::Path(path) => (Some(path), libc::AT_FDCWD),
            PathOrFd::Fd(fd, _) => (None, fd),
        };
        Ok(Py::new(ScandirIterator {
            state: Locked::new(Opaque(State {
                source: Source::Open(stream),
                ahead: VecDeque::new(),
                end: None,
                finished: false,
            })),
            object,
            folder: Opaque(folder),
            dir_fd,
        })
        .into_value())
    }

    /// Create a directory.
    #[pyfunction(sig = "(path, mode=511, *, dir_fd=None)")]
    fn mkdir(vm: &Vm, path: FilePath, mode: i32, dir_fd: Option<DirFd>) -> Res<()> {
        audit!(
            vm,
            "os.mkdir",
            path.object.clone(),
            Value::int(mode.into()),
            audit_dir(dir_fd)
        );
        let dir_fd = DirFd::or_cwd(dir_fd);
        let result = detached(vm, || c!(mkdirat(dir_fd, path.as_ptr(), mode as libc::mode_t)));
        result.or_raise_for(vm, &path.object).map(drop)
    }

    /// Remove a directory.
    #[pyfunction(sig = "(path, *, dir_fd=None)")]
    fn rmdir(vm: &Vm, path: FilePath, dir_fd: Option<DirFd>) -> Res<()> {
        unlink_at(vm, &path, dir_fd, libc::AT_REMOVEDIR)
    }

    /// Remove a file (same as remove()).
    #[pyfunction(sig = "(path, *, dir_fd=None)")]
    fn unlink(vm: &Vm, path: FilePath, dir_fd: Option<DirFd>) -> Res<()> {
        unlink_at(vm, &path, dir_fd, 0)
    }

    /// Remove a file (same as unlink()).
    #[pyfunction(sig = "(path, *, dir_fd=None)")]
    fn remove(vm: &Vm, path: FilePath, dir_fd: Option<DirFd>) -> Res<()> {
        unlink_at(vm, &path, dir_fd, 0)
    }

    /// Change the current working directory to the specified path.
    ///
    /// path may always be specified as a string.
    /// On some platforms, path may also be specified as an open file descriptor.
    /// If this functionality is unavailable, using it raises an exception.
    #[pyfunction(sig = "(path)")]
    fn chdir(vm: &Vm, path: PathOrFd) -> Res<()> {
        audit!(vm, "os.chdir", path.object().clone());
        let result = detached(vm, || match &path {
            PathOrFd::Path(path) => c!(chdir(path.as_ptr())),
            PathOrFd::Fd(fd, _) => c!(fchdir(*fd)),
        });
        result.or_raise_for(vm, path.object()).map(drop)
    }

    /// Change root directory to path.
    #[pyfunction(sig = "(path)")]
    fn chroot(vm: &Vm, path: FilePath) -> Res<()> {
        let result = detached(vm, || c!(chroot(path.as_ptr())));
        result.or_raise_for(vm, &path.object).map(drop)
    }

    /// Return a unicode string representing the current working directory.
    #[pyfunction(sig = "()")]
    fn getcwd(vm: &Vm) -> Res<Value> {
        fs_decode(vm, &current(vm)?)
    }

    /// Return a bytes string representing the current working directory.
    #[pyfunction(sig = "()")]
    fn getcwdb(vm: &Vm) -> Res<Value> {
        current(vm).map(Bytes::new_value)
    }

    /// Rename a file or directory.
    #[pyfunction(sig = "(src, dst, *, src_dir_fd=None, dst_dir_fd=None)")]
    fn rename(vm: &Vm, src: FilePath, dst: FilePath, src_dir_fd: Option<DirFd>, dst_dir_fd: Option<DirFd>) -> Res<()> {
        rename_at(vm, &src, &dst, src_dir_fd, dst_dir_fd)
    }

    /// Rename a file or directory, overwriting the destination.
    #[pyfunction(sig = "(src, dst, *, src_dir_fd=None, dst_dir_fd=None)")]
    fn replace(vm: &Vm, src: FilePath, dst: FilePath, src_dir_fd: Option<DirFd>, dst_dir_fd: Option<DirFd>) -> Res<()> {
        rename_at(vm, &src, &dst, src_dir_fd, dst_dir_fd)
    }

    /// Create a hard link to a file.
    #[pyfunction(sig = "(src, dst, *, src_dir_fd=None, dst_dir_fd=None, follow_symlinks=True)")]
    fn link(
        vm: &Vm,
        src: FilePath,
        dst: FilePath,
        src_dir_fd: Option<DirFd>,
        dst_dir_fd: Option<DirFd>,
        follow_symlinks: Option<bool>,
    ) -> Res<()> {
        let (from, to) = (audit_dir(src_dir_fd), audit_dir(dst_dir_fd));
        audit!(vm, "os.link", src.object.clone(), dst.object.clone(), from, to);
        let (from, to) = (DirFd::or_cwd(src_dir_fd), DirFd::or_cwd(dst_dir_fd));
        // Without directories and a wish, the plain `link` decides, which does not follow on Linux.
        let plain = from == libc::AT_FDCWD && to == libc::AT_FDCWD && follow_symlinks.is_none();
        let flags = if follow_symlinks.unwrap_or(true) && !plain {
            libc::AT_SYMLINK_FOLLOW
        } else {
            0
        };
        let result = detached(vm, || c!(linkat(from, src.as_ptr(), to, dst.as_ptr(), flags)));
        result.or_raise_for_both(vm, &src.object, &dst.object).map(drop)
    }

    /// Create a symbolic link pointing to src named dst.
    #[pyfunction(sig = "(src, dst, target_is_directory=False, *, dir_fd=None)")]
    fn symlink(vm: &Vm, src: FilePath, dst: FilePath, target_is_directory: bool, dir_fd: Option<DirFd>) -> Res<()> {
        let _ = target_is_directory;
        audit!(
            vm,
            "os.symlink",
            src.object.clone(),
            dst.object.clone(),
            audit_dir(dir_fd)
        );
        let dir_fd = DirFd::or_cwd(dir_fd);
        let result = detached(vm, || c!(symlinkat(src.as_ptr(), dir_fd, dst.as_ptr())));
        result.or_raise_for_both(vm, &src.object, &dst.object).map(drop)
    }

    /// Return a string representing the path to which the symbolic link points.
    #[pyfunction(sig = "(path, *, dir_fd=None)")]
    fn readlink(vm: &Vm, path: FilePath, dir_fd: Option<DirFd>) -> Res<Value> {
        let dir_fd = DirFd::or_cwd(dir_fd);
        let mut buffer = vec![0u8; libc::PATH_MAX as usize + 1];
        let n = detached(vm, || {
            c!(readlinkat(
                dir_fd,
                path.as_ptr(),
                buffer.as_mut_ptr().cast(),
                buffer.len()
            ))
        })
        .or_raise_for(vm, &path.object)?;
        path.same_type(vm, &buffer[..n as usize])
    }

    /// Create a "fifo" (a POSIX named pipe).
    #[pyfunction(sig = "(path, mode=438, *, dir_fd=None)")]
    fn mkfifo(vm: &Vm, path: FilePath, mode: i32, dir_fd: Option<DirFd>) -> Res<()> {
        let dir_fd = DirFd::or_cwd(dir_fd);
        let result = crate::syscall::retrying(vm, lisle_runtime::threads::ParkReason::Io, || {
            c!(mkfifoat(dir_fd, path.as_ptr(), mode as libc::mode_t))
        })?;
        result.or_raise_for(vm, &path.object).map(drop)
    }

    /// Create a node in the file system.
    #[pyfunction(sig = "(path, mode=384, device=0, *, dir_fd=None)")]
    fn mknod(vm: &Vm, path: FilePath, mode: i32, device: Option<Device>, dir_fd: Option<DirFd>) -> Res<()> {
        let device = device.map_or(0, |d| d.0.unwrap_or(u64::MAX));
        let dir_fd = DirFd::or_cwd(dir_fd);
        let result = crate::syscall::retrying(vm, lisle_runtime::threads::ParkReason::Io, || {
            c!(mknodat(dir_fd, path.as_ptr(), mode as libc::mode_t, device))
        })?;
        result.or_raise_for(vm, &path.object).map(drop)
    }

    /// Extracts a device major number from a raw device number.
    #[pyfunction(sig = "(device, /)")]
    fn major(_vm: &Vm, device: Device) -> i64 {
        device.0.map_or(-1, |device| libc::major(device).into())
    }

    /// Extracts a device minor number from a raw device number.
    #[pyfunction(sig = "(device, /)")]
    fn minor(_vm: &Vm, device: Device) -> i64 {
        device.0.map_or(-1, |device| libc::minor(device).into())
    }

    /// Composes a raw device number from the major and minor device numbers.
    #[pyfunction(sig = "(major, minor, /)")]
    fn makedev(vm: &Vm, major: Device, minor: Device) -> Res<Value> {
        let half = |n: Device| match n.0 {
            None => Ok(u32::MAX),
            Some(n) => {
                u32::try_from(n).map_err(|_| vm.overflow_error("Python int too large to convert to C unsigned int"))
            }
        };
        let device = libc::makedev(half(major)?, half(minor)?);
        Ok(if device == u64::MAX {
            Value::int(-1)
        } else {
            usize::try_from(device).map_or(Value::NONE, Value::usize)
        })
    }
}
