//! `mmap.mmap`: the object.

use std::sync::atomic::{
    AtomicUsize,
    Ordering::{AcqRel, Acquire},
};

use lisle_runtime::memory::trace::Opaque;
use lisle_runtime::native::{Exc, Py, Res, Str, Type, Value, Vm, pyclass, pymethods};
use lisle_runtime::sync::Locked;
use lisle_runtime::types::buffer::{self, Buffer, BufferFlags, Exporter};
use lisle_runtime::types::bytes::Bytes;
use lisle_runtime::types::slice::{Slice, SliceRange};

use crate::syscall::{Errno, OrRaise, c, check, zeroed};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Access {
    Default,
    Read,
    Write,
    Copy,
}

/// A mapping, unmapped when it is dropped.
struct Mapping {
    start: *mut u8,
    len: usize,
    /// Where it begins in the file.
    offset: i64,
    /// A descriptor of our own, or -1.
    fd: i32,
    /// Of no file, and shared with processes that are forked: Linux does not make it larger.
    fixed: bool,
    pos: usize,
}

// SAFETY: the memory belongs to the process, not to a thread, and is reached by one thread at a time.
unsafe impl Send for Mapping {}

impl Drop for Mapping {
    fn drop(&mut self) {
        c!(munmap(self.start.cast(), self.len));
        if self.fd >= 0 {
            c!(close(self.fd));
        }
    }
}

impl Mapping {
    fn has(&self, at: usize, len: usize) -> bool {
        at.checked_add(len).is_some_and(|end| end <= self.len)
    }

    /// Copies out; the range is within the mapping, or nothing is done.
    fn read(&self, at: usize, out: &mut [u8]) -> bool {
        if !self.has(at, out.len()) {
            return false;
        }
        // SAFETY: the range is mapped, and `out` is memory of ours.
        unsafe { std::ptr::copy_nonoverlapping(self.start.add(at), out.as_mut_ptr(), out.len()) };
        true
    }

    /// Copies in; the range is within the mapping, which can be written to, or nothing is done.
    fn write(&mut self, at: usize, bytes: &[u8]) -> bool {
        if !self.has(at, bytes.len()) {
            return false;
        }
        // SAFETY: the range is mapped writable (callers have checked the access), and `bytes` is memory of ours.
        unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), self.start.add(at), bytes.len()) };
        true
    }

    fn find(&self, needle: &[u8], from: usize, to: usize) -> Option<usize> {
        let to = to.min(self.len);
        if from > to || needle.len() > to - from {
            return None;
        }
        // SAFETY: the range is mapped.
        let hay = unsafe { self.start.add(from) };
        let hit = c!(memmem(hay.cast(), to - from, needle.as_ptr().cast(), needle.len()));
        if hit.is_null() {
            None
        } else {
            Some(hit as usize - self.start as usize)
        }
    }

    fn rfind(&self, needle: &[u8], from: usize, to: usize) -> Option<usize> {
        let to = to.min(self.len);
        if from > to || needle.len() > to - from {
            return None;
        }
        (from..=to - needle.len()).rev().find(|at| {
            // SAFETY: the range is mapped.
            let place = unsafe { self.start.add(*at) };
            c!(memcmp(place.cast(), needle.as_ptr().cast(), needle.len())) == 0
        })
    }

    fn resize(&mut self, len: usize) -> Result<(), Fault> {
        let end = i64::try_from(len).ok().and_then(|len| self.offset.checked_add(len));
        let end = end.ok_or(Fault::Value("new size out of range"))?;
        if self.fixed && len > self.len {
            return Err(Fault::Value("mmap: can't expand a shared anonymous mapping on Linux"));
        }
        if self.fd >= 0 {
            check(c!(ftruncate(self.fd, end))).map_err(Fault::System)?;
        }
        let new = c!(mremap(self.start.cast(), self.len, len, libc::MREMAP_MAYMOVE));
        if new == libc::MAP_FAILED {
            return Err(Fault::System(Errno::last()));
        }
        self.start = new.cast();
        self.len = len;
        self.pos = self.pos.min(len);
        Ok(())
    }
}

#[pyclass(
    name = "mmap",
    module = "mmap",
    basetype,
    weakref,
    doc = "mmap(fileno, length[, flags[, prot[, access[, offset[, trackfd]]]]])\n\nMaps length bytes from the file specified by the file descriptor fileno,\nand returns a mmap object.  If length is larger than the current size\nof the file, the file is extended to contain length bytes.  If length is\n0, the maximum length of the map is the current size of the file,\nexcept that if the file is empty Windows raises an exception (you cannot\ncreate an empty mapping on Windows)."
)]
pub struct Mmap {
    /// `None` once closed.
    mapping: Locked<Opaque<Option<Mapping>>>,
    access: Opaque<Access>,
    trackfd: bool,
    exports: AtomicUsize,
}

struct MmapExporter;

impl Exporter for MmapExporter {
    fn read(&self, owner: &Value, offset: usize, out: &mut [u8]) -> bool {
        let Some(this) = owner.downcast::<Mmap>() else {
            return false;
        };
        let read = |m: &mut Opaque<Option<Mapping>>| m.0.as_ref().is_some_and(|m| m.read(offset, out));
        this.mapping.with(this.header(), read)
    }

    fn write(&self, owner: &Value, offset: usize, bytes: &[u8]) -> bool {
        let Some(this) = owner.downcast::<Mmap>().filter(|m| m.writable()) else {
            return false;
        };
        let write = |m: &mut Opaque<Option<Mapping>>| m.0.as_mut().is_some_and(|m| m.write(offset, bytes));
        this.mapping.with(this.header(), write)
    }

    fn address(&self, owner: &Value) -> Option<usize> {
        let this = owner.downcast::<Mmap>()?;
        let start = |m: &mut Opaque<Option<Mapping>>| m.0.as_ref().map(|m| m.start as usize);
        this.mapping.with(this.header(), start)
    }

    fn release(&self, _vm: &Vm, owner: &Value) {
        if let Some(this) = owner.downcast::<Mmap>() {
            this.exports.fetch_sub(1, AcqRel);
        }
    }
}

/// What is wrong with an operation, found under the lock.
enum Fault {
    Closed,
    Value(&'static str),
    System(Errno),
}

impl Fault {
    fn raise(self, vm: &Vm) -> Exc {
        match self {
            Fault::Closed => vm.value_error("mmap closed or invalid"),
            Fault::Value(message) => vm.value_error(message),
            Fault::System(errno) => vm.os_error(errno.0, None),
        }
    }
}

fn read_only(vm: &Vm) -> Exc {
    vm.type_error("mmap can't modify a readonly memory map.")
}

fn item_out_of_range(vm: &Vm) -> Exc {
    vm.index_error("mmap index out of range")
}

impl Mmap {
    fn writable(&self) -> bool {
        self.access.0 != Access::Read
    }

    fn check_writable(&self, vm: &Vm) -> Res<()> {
        if self.writable() { Ok(()) } else { Err(read_only(vm)) }
    }

    /// Works on the mapping under the object's lock.
    fn with<R>(vm: &Vm, this: &Py<Mmap>, f: impl FnOnce(&mut Mapping) -> Result<R, Fault>) -> Res<R> {
        let result = this.mapping.with(this.header(), |mapping| match &mut mapping.0 {
            Some(mapping) => f(mapping),
            None => Err(Fault::Closed),
        });
        result.map_err(|fault| fault.raise(vm))
    }

    fn len(vm: &Vm, this: &Py<Mmap>) -> Res<usize> {
        Mmap::with(vm, this, |m| Ok(m.len))
    }

    /// Bytes from a place on; memory for them is had before the lock is taken.
    fn bytes_at(vm: &Vm, this: &Py<Mmap>, at: usize, len: usize) -> Res<Vec<u8>> {
        let mut out = Vec::new();
        if out.try_reserve_exact(len).is_err() {
            return Err(vm.memory_error());
        }
        out.resize(len, 0);
        Mmap::with(vm, this, |m| {
            if m.read(at, &mut out) {
                Ok(())
            } else {
                Err(Fault::Value("mmap closed or invalid"))
            }
        })?;
        Ok(out)
    }

    fn index(vm: &Vm, this: &Py<Mmap>, key: &Value) -> Res<usize> {
        let index = vm.index_to_isize(key)?;
        let len = Mmap::len(vm, this)?;
        let at = if index < 0 { index + len as isize } else { index };
        usize::try_from(at)
            .ok()
            .filter(|at| *at < len)
            .ok_or_else(|| item_out_of_range(vm))
    }

    fn search(
        vm: &Vm,
        this: &Py<Mmap>,
        view: &Value,
        start: Option<&Value>,
        end: Option<&Value>,
        search: fn(&Mapping, &[u8], usize, usize) -> Option<usize>,
    ) -> Res<isize> {
        let needle = buffer::get_bytes(vm, view)?;
        let bound = |value: Option<&Value>| match value.filter(|v| !v.is_none()) {
            Some(value) => vm.index_clamped(value).map(Some),
            None => Ok(None),
        };
        let (start, end) = (bound(start)?, bound(end)?);
        Mmap::with(vm, this, |m| {
            let clamp = |at: isize| {
                let at = if at < 0 { at.saturating_add(m.len as isize) } else { at };
                (at.max(0) as usize).min(m.len)
            };
            let from = start.map_or(m.pos, clamp);
            let to = end.map_or(m.len, clamp);
            Ok(search(m, &needle, from, to).map_or(-1, |at| at as isize))
        })
    }
}

#[pymethods]
impl Mmap {
    #[slot(sig = "(fileno, length, flags=1, prot=3, access=0, offset=0, *, trackfd=True)")]
    fn __new__(
        vm: &Vm,
        cls: &Py<Type>,
        fileno: i32,
        length: isize,
        flags: Option<i32>,
        prot: Option<i32>,
        access: i32,
        offset: i64,
        trackfd: bool,
    ) -> Res<Value> {
        let Ok(mut len) = usize::try_from(length) else {
            return Err(vm.overflow_error("memory mapped length must be positive"));
        };
        if offset < 0 {
            return Err(vm.overflow_error("memory mapped offset must be positive"));
        }
        crate::syscall::audit!(
            vm,
            "mmap.__new__",
            Value::int(fileno.into()),
            Value::int(length as i64),
            Value::int(access.into()),
            Value::int(offset)
        );
        let (given_flags, given_prot) = (flags.unwrap_or(libc::MAP_SHARED), prot.unwrap_or(3));
        let both = libc::PROT_READ | libc::PROT_WRITE;
        if access != 0 && (given_flags != libc::MAP_SHARED || given_prot != both) {
            return Err(vm.value_error("mmap can't specify both access and flags, prot."));
        }
        let (access, mut flags, prot) = match access {
            0 => {
                let access = match (given_prot & libc::PROT_READ != 0, given_prot & libc::PROT_WRITE != 0) {
                    (true, true) => Access::Default,
                    (false, true) => Access::Write,
                    _ => Access::Read,
                };
                (access, given_flags, given_prot)
            }
            1 => (Access::Read, libc::MAP_SHARED, libc::PROT_READ),
            2 => (Access::Write, libc::MAP_SHARED, both),
            3 => (Access::Copy, libc::MAP_PRIVATE, both),
            _ => return Err(vm.value_error("mmap invalid access parameter.")),
        };
        let mut fd = -1;
        if fileno == -1 {
            flags |= libc::MAP_ANONYMOUS;
        } else {
            let st = crate::posix::stat::stat_fd(vm, fileno).or_raise(vm)?;
            if st.st_mode & libc::S_IFMT == libc::S_IFREG {
                if len == 0 {
                    if st.st_size == 0 {
                        return Err(vm.value_error("cannot mmap an empty file"));
                    }
                    if offset >= st.st_size {
                        return Err(vm.value_error("mmap offset is greater than file size"));
                    }
                    len = (st.st_size - offset) as usize;
                } else if offset > st.st_size || (st.st_size - offset) < len as i64 {
                    return Err(vm.value_error("mmap length is greater than file size"));
                }
            }
            if trackfd {
                fd = check(c!(fcntl(fileno, libc::F_DUPFD_CLOEXEC, 0))).or_raise(vm)?;
            }
        }
        let mapped = vm.detached(|| {
            let start = c!(mmap(std::ptr::null_mut(), len, prot, flags, fileno, offset));
            if start == libc::MAP_FAILED {
                return Err(Errno::last());
            }
            Ok(Mapping {
                start: start.cast(),
                len,
                offset,
                fd,
                fixed: fileno == -1 && flags & libc::MAP_PRIVATE == 0,
                pos: 0,
            })
        });
        if mapped.is_err() && fd >= 0 {
            c!(close(fd));
        }
        Ok(Py::with_class(
            cls,
            Mmap {
                mapping: Locked::new(Opaque(Some(mapped.or_raise(vm)?))),
                access: Opaque(access),
                trackfd,
                exports: AtomicUsize::new(0),
            },
        )
        .into_value())
    }

    #[slot]
    fn __buffer__(vm: &Vm, this: &Py<Mmap>, _flags: BufferFlags) -> Res<Buffer> {
        // Counted first, so that the mapping stays as long as it is found to be.
        this.exports.fetch_add(1, AcqRel);
        match Mmap::len(vm, this) {
            Ok(len) => Ok(Buffer::bytes(this.to_value(), &MmapExporter, len, !this.writable())),
            Err(exc) => {
                this.exports.fetch_sub(1, AcqRel);
                Err(exc)
            }
        }
    }

    #[slot]
    fn __len__(vm: &Vm, this: &Py<Mmap>) -> Res<usize> {
        Mmap::len(vm, this)
    }

    #[slot]
    fn __getitem__(vm: &Vm, this: &Py<Mmap>, key: &Value) -> Res<Value> {
        let len = Mmap::len(vm, this)?;
        if key.ty().slots().index.is_some() {
            let at = Mmap::index(vm, this, key)?;
            let byte = Mmap::bytes_at(vm, this, at, 1)?;
            return Ok(Value::int(byte.first().copied().unwrap_or(0).into()));
        }
        let Some(slice) = key.downcast::<Slice>() else {
            return Err(vm.type_error("mmap indices must be integers"));
        };
        let range = slice.adjust(vm, len)?;
        if let Some(part) = range.contiguous() {
            return Ok(Bytes::new_value(Mmap::bytes_at(vm, this, part.start, part.len())?));
        }
        let picked = Mmap::with(vm, this, |m| {
            let mut byte = [0];
            let pick = |at: usize| {
                m.read(at, &mut byte);
                byte[0]
            };
            Ok(range.indices().map(pick).collect::<Vec<u8>>())
        })?;
        Ok(Bytes::new_value(picked))
    }

    #[slot]
    fn __setitem__(vm: &Vm, this: &Py<Mmap>, key: &Value, value: Option<&Value>) -> Res<()> {
        let len = Mmap::len(vm, this)?;
        this.check_writable(vm)?;
        if key.ty().slots().index.is_some() {
            let at = Mmap::index(vm, this, key)?;
            let Some(value) = value else {
                return Err(vm.type_error("mmap doesn't support item deletion"));
            };
            if value.ty().slots().index.is_none() {
                return Err(vm.type_error("mmap item value must be an int"));
            }
            let byte = vm.index_to_isize(value)?;
            let Ok(byte) = u8::try_from(byte) else {
                return Err(vm.value_error("mmap item value must be in range(0, 256)"));
            };
            let done = Mmap::with(vm, this, |m| Ok(m.write(at, &[byte])))?;
            return if done { Ok(()) } else { Err(item_out_of_range(vm)) };
        }
        let Some(slice) = key.downcast::<Slice>() else {
            return Err(vm.type_error("mmap indices must be integers"));
        };
        let range: SliceRange = slice.adjust(vm, len)?;
        let Some(value) = value else {
            return Err(vm.type_error("mmap object doesn't support slice deletion"));
        };
        let bytes = buffer::get_bytes(vm, value)?;
        if bytes.len() != range.count {
            return Err(vm.index_error("mmap slice assignment is wrong size"));
        }
        Mmap::with(vm, this, |m| {
            match range.contiguous() {
                Some(part) => drop(m.write(part.start, &bytes)),
                None => {
                    for (at, byte) in range.indices().zip(bytes.iter()) {
                        m.write(at, &[*byte]);
                    }
                }
            }
            Ok(())
        })
    }

    #[slot]
    fn __repr__(_: &Vm, this: &Py<Mmap>) -> Value {
        let state = this.mapping.with(this.header(), |mapping| {
            mapping.0.as_ref().map(|m| (m.len, m.pos, m.offset))
        });
        let text = match state {
            None => "<mmap.mmap closed=True>".to_owned(),
            Some((len, pos, offset)) => {
                let access = match this.access.0 {
                    Access::Default => "ACCESS_DEFAULT",
                    Access::Read => "ACCESS_READ",
                    Access::Write => "ACCESS_WRITE",
                    Access::Copy => "ACCESS_COPY",
                };
                format!("<mmap.mmap closed=False, access={access}, length={len}, pos={pos}, offset={offset}>")
            }
        };
        Str::from_str(&text).into_value()
    }

    #[getter]
    fn closed(_: &Vm, this: &Py<Mmap>) -> bool {
        this.mapping.with(this.header(), |mapping| mapping.0.is_none())
    }

    #[pymethod(sig = "($self, /)")]
    fn close(vm: &Vm, this: &Py<Mmap>) -> Res<()> {
        let old = this.mapping.with(this.header(), |mapping| {
            if this.exports.load(Acquire) > 0 {
                Err(())
            } else {
                Ok(mapping.0.take())
            }
        });
        match old {
            Ok(mapping) => {
                vm.detached(|| drop(mapping));
                Ok(())
            }
            Err(()) => Err(vm.buffer_error("cannot close exported pointers exist")),
        }
    }

    #[pymethod(sig = "($self, view, start=None, end=None, /)")]
    fn find(vm: &Vm, this: &Py<Mmap>, view: &Value, start: Option<&Value>, end: Option<&Value>) -> Res<isize> {
        Mmap::search(vm, this, view, start, end, Mapping::find)
    }

    #[pymethod(sig = "($self, view, start=None, end=None, /)")]
    fn rfind(vm: &Vm, this: &Py<Mmap>, view: &Value, start: Option<&Value>, end: Option<&Value>) -> Res<isize> {
        Mmap::search(vm, this, view, start, end, Mapping::rfind)
    }

    #[pymethod(sig = "($self, offset=0, size=<unrepresentable>, /)")]
    fn flush(vm: &Vm, this: &Py<Mmap>, offset: isize, size: Option<isize>) -> Res<()> {
        let (start, len) = Mmap::with(vm, this, |m| Ok((m.start as usize, m.len)))?;
        let size = size.unwrap_or((len as isize).saturating_sub(offset));
        let (Ok(offset), Ok(size)) = (usize::try_from(offset), usize::try_from(size)) else {
            return Err(vm.value_error("flush values out of range"));
        };
        if offset > len || size > len - offset {
            return Err(vm.value_error("flush values out of range"));
        }
        if matches!(this.access.0, Access::Read | Access::Copy) {
            return Ok(());
        }
        // The mapping stays where it is while it counts as exported.
        this.exports.fetch_add(1, AcqRel);
        let same = Mmap::with(vm, this, |m| Ok(m.start as usize == start && m.len == len));
        let result = match same {
            Ok(true) => crate::syscall::detached(vm, || c!(msync((start + offset) as *mut _, size, libc::MS_SYNC)))
                .or_raise(vm)
                .map(drop),
            Ok(false) => Ok(()),
            Err(exc) => Err(exc),
        };
        this.exports.fetch_sub(1, AcqRel);
        result
    }

    #[pymethod(sig = "($self, dest, src, count, /)")]
    fn r#move(vm: &Vm, this: &Py<Mmap>, dest: isize, src: isize, count: isize) -> Res<()> {
        this.check_writable(vm)?;
        let wrong = Fault::Value("source, destination, or count out of range");
        Mmap::with(vm, this, |m| {
            let all = [dest, src, count].map(usize::try_from);
            let [Ok(dest), Ok(src), Ok(count)] = all else {
                return Err(wrong);
            };
            if !m.has(dest, count) || !m.has(src, count) {
                return Err(wrong);
            }
            // SAFETY: both ranges are mapped.
            unsafe { std::ptr::copy(m.start.add(src), m.start.add(dest), count) };
            Ok(())
        })
    }

    #[pymethod(sig = "($self, n=None, /)")]
    fn read(vm: &Vm, this: &Py<Mmap>, n: Option<&Value>) -> Res<Value> {
        let limit = match n.filter(|n| !n.is_none()) {
            None => None,
            Some(n) if n.ty().slots().index.is_none() => {
                let found = n.ty().name();
                return Err(vm.type_error(format!("argument should be integer or None, not '{found}'")));
            }
            Some(n) => usize::try_from(vm.index_to_isize(n)?).ok(),
        };
        let (at, len) = Mmap::with(vm, this, |m| {
            let rest = m.len.saturating_sub(m.pos);
            let len = limit.map_or(rest, |limit| limit.min(rest));
            let at = m.pos;
            m.pos += len;
            Ok((at, len))
        })?;
        Mmap::bytes_at(vm, this, at, len).map(Bytes::new_value)
    }

    #[pymethod(sig = "($self, /)")]
    fn readline(vm: &Vm, this: &Py<Mmap>) -> Res<Value> {
        let (at, len) = Mmap::with(vm, this, |m| {
            let at = m.pos.min(m.len);
            let end = m.find(b"\n", at, m.len).map_or(m.len, |hit| hit + 1);
            m.pos = end;
            Ok((at, end - at))
        })?;
        Mmap::bytes_at(vm, this, at, len).map(Bytes::new_value)
    }

    #[pymethod(sig = "($self, /)")]
    fn read_byte(vm: &Vm, this: &Py<Mmap>) -> Res<u8> {
        Mmap::with(vm, this, |m| {
            let mut byte = [0];
            if !m.read(m.pos, &mut byte) {
                return Err(Fault::Value("read byte out of range"));
            }
            m.pos += 1;
            Ok(byte[0])
        })
    }

    #[pymethod(sig = "($self, newsize, /)")]
    fn resize(vm: &Vm, this: &Py<Mmap>, newsize: isize) -> Res<()> {
        Mmap::len(vm, this)?;
        if matches!(this.access.0, Access::Read | Access::Copy) {
            return Err(vm.type_error("mmap can't resize a readonly or copy-on-write memory map."));
        }
        if !this.trackfd {
            return Err(vm.value_error("mmap can't resize with trackfd=False."));
        }
        let Ok(size) = usize::try_from(newsize) else {
            return Err(vm.value_error("new size out of range"));
        };
        let done = this.mapping.with(this.header(), |mapping| {
            if this.exports.load(Acquire) > 0 {
                return Ok(false);
            }
            match &mut mapping.0 {
                Some(mapping) => mapping.resize(size).map(|()| true),
                None => Err(Fault::Closed),
            }
        });
        match done {
            Ok(true) => Ok(()),
            Ok(false) => Err(vm.buffer_error("mmap can't resize with extant buffers exported.")),
            Err(fault) => Err(fault.raise(vm)),
        }
    }

    #[pymethod(sig = "($self, pos, whence=0, /)")]
    fn seek(vm: &Vm, this: &Py<Mmap>, pos: isize, whence: i32) -> Res<usize> {
        Mmap::with(vm, this, |m| {
            let base = match whence {
                0 => 0,
                1 => m.pos as isize,
                2 => m.len as isize,
                _ => return Err(Fault::Value("unknown seek type")),
            };
            let to = base.checked_add(pos).and_then(|to| usize::try_from(to).ok());
            match to.filter(|to| *to <= m.len) {
                Some(to) => {
                    m.pos = to;
                    Ok(to)
                }
                None => Err(Fault::Value("seek out of range")),
            }
        })
    }

    #[pymethod(sig = "($self, /)")]
    fn seekable(_: &Vm, _this: &Py<Mmap>) -> bool {
        true
    }

    #[pymethod(sig = "($self, /)")]
    fn size(vm: &Vm, this: &Py<Mmap>) -> Res<i64> {
        Mmap::with(vm, this, |m| {
            // SAFETY: plain data.
            let mut st: libc::stat = unsafe { zeroed() };
            check(c!(fstat(m.fd, &mut st))).map_err(Fault::System)?;
            Ok(st.st_size)
        })
    }

    #[pymethod(sig = "($self, /)")]
    fn tell(vm: &Vm, this: &Py<Mmap>) -> Res<usize> {
        Mmap::with(vm, this, |m| Ok(m.pos))
    }

    #[pymethod(sig = "($self, bytes, /)")]
    fn write(vm: &Vm, this: &Py<Mmap>, bytes: &Value) -> Res<usize> {
        let bytes = buffer::get_bytes(vm, bytes)?;
        Mmap::len(vm, this)?;
        this.check_writable(vm)?;
        Mmap::with(vm, this, |m| {
            if !m.write(m.pos, &bytes) {
                return Err(Fault::Value("data out of range"));
            }
            m.pos += bytes.len();
            Ok(bytes.len())
        })
    }

    #[pymethod(sig = "($self, byte, /)")]
    fn write_byte(vm: &Vm, this: &Py<Mmap>, byte: u8) -> Res<()> {
        Mmap::len(vm, this)?;
        this.check_writable(vm)?;
        Mmap::with(vm, this, |m| {
            if !m.write(m.pos, &[byte]) {
                return Err(Fault::Value("write byte out of range"));
            }
            m.pos += 1;
            Ok(())
        })
    }

    #[pymethod(sig = "($self, option, start=0, length=None, /)")]
    fn madvise(vm: &Vm, this: &Py<Mmap>, option: i32, start: isize, length: Option<isize>) -> Res<()> {
        if length.is_some_and(|n| start.checked_add(n).is_none()) {
            return Err(vm.overflow_error("madvise length too large"));
        }
        Mmap::with(vm, this, |m| {
            let Some(start) = usize::try_from(start).ok().filter(|start| *start < m.len) else {
                return Err(Fault::Value("madvise start out of bounds"));
            };
            let rest = m.len - start;
            let len = match length {
                None => rest,
                Some(n) => match usize::try_from(n) {
                    Ok(n) => n.min(rest),
                    Err(_) => return Err(Fault::Value("madvise length invalid")),
                },
            };
            // SAFETY: the place is mapped. What the advice does to the data is what was asked for.
            let place = unsafe { m.start.add(start) };
            check(c!(madvise(place.cast(), len, option))).map_err(Fault::System)?;
            Ok(())
        })
    }

    #[pymethod(sig = "($self, /)")]
    fn __enter__(vm: &Vm, this: &Py<Mmap>) -> Res<Value> {
        Mmap::len(vm, this)?;
        Ok(this.to_value())
    }

    #[pymethod(sig = "($self, exc_type, exc_value, traceback, /)")]
    fn __exit__(vm: &Vm, this: &Py<Mmap>, _exc_type: &Value, _exc_value: &Value, _traceback: &Value) -> Res<()> {
        Mmap::close(vm, this)
    }

    /// Returns size in memory, in bytes.
    #[pymethod(sig = "($self, /)")]
    fn __sizeof__(_: &Vm, _this: &Py<Mmap>) -> usize {
        size_of::<Mmap>()
    }
}
