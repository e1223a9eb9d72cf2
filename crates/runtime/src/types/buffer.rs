//! The buffer protocol: how the bytes of one object are read and written by others.
//!
//! A type exports its memory through its `buffer` slot, which answers with a [`Buffer`]: the owner, an [`Exporter`] that copies bytes
//! in and out, and the layout of the items. Invariant: nobody but the exporter ever touches the memory, and it checks each
//! range while it holds its own lock; so a view whose memory has gone (in another thread) reads nothing, and never crashes.
//! A `Buffer` counts as an export until it is dropped. Left out: pointers into an object, which a moving owner could not keep.

use std::borrow::Cow;
use std::ops::Range;

use smallvec::{SmallVec, smallvec};

use super::bytearray::ByteArray;
use super::bytes::Bytes;
use crate::memory::room;
use crate::memory::trace::{Trace, Visitor};
use crate::native::{ArgCtx, FromArg};
use crate::object::{Py, TypeFlags, Value};
use crate::vm::{Res, Vm};

/// What the reader of a buffer asks for: the bits of `inspect.BufferFlags`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BufferFlags(pub i32);

impl BufferFlags {
    pub const SIMPLE: BufferFlags = BufferFlags(0);
    pub const WRITABLE: BufferFlags = BufferFlags(0x1);
    pub const FORMAT: BufferFlags = BufferFlags(0x4);
    pub const ND: BufferFlags = BufferFlags(0x8);
    pub const STRIDES: BufferFlags = BufferFlags(0x18);
    pub const C_CONTIGUOUS: BufferFlags = BufferFlags(0x38);
    pub const F_CONTIGUOUS: BufferFlags = BufferFlags(0x58);
    pub const ANY_CONTIGUOUS: BufferFlags = BufferFlags(0x98);
    pub const INDIRECT: BufferFlags = BufferFlags(0x118);
    /// Everything, but writing need not be possible.
    pub const FULL_RO: BufferFlags = BufferFlags(0x11c);
    pub const FULL: BufferFlags = BufferFlags(0x11d);
    pub const READ: BufferFlags = BufferFlags(0x100);
    pub const WRITE: BufferFlags = BufferFlags(0x200);

    /// Whether all bits of `other` are set.
    pub const fn has(self, other: BufferFlags) -> bool {
        self.0 & other.0 == other.0
    }
}

/// Access to the memory of one kind of object. Each method gets the owner that the [`Buffer`] names.
pub trait Exporter: Sync {
    /// Copies the bytes from `offset` on; false, with `out` in any state, if they are not there any more.
    fn read(&self, owner: &Value, offset: usize, out: &mut [u8]) -> bool;

    /// Appends a copy of `len` bytes from `offset` on; false if they are not there any more. There is room for them.
    fn append(&self, owner: &Value, offset: usize, len: usize, out: &mut Vec<u8>) -> bool {
        let start = out.len();
        out.resize(start + len, 0);
        self.read(owner, offset, &mut out[start..])
    }

    /// Writes bytes from `offset` on; false if the place is not there any more, or nothing can be written.
    fn write(&self, _owner: &Value, _offset: usize, _bytes: &[u8]) -> bool {
        false
    }

    /// The memory, if it can neither move nor change while the owner lives.
    fn borrow<'a>(&self, _owner: &'a Value) -> Option<&'a [u8]> {
        None
    }

    /// Where the memory begins, if it stays there as long as a buffer of it is held. Who uses the address reads and writes at the same time as
    /// others, as C code would.
    fn address(&self, _owner: &Value) -> Option<usize> {
        None
    }

    /// A buffer is given back. No lock is held.
    fn release(&self, _vm: &Vm, _owner: &Value) {}
}

/// Extents, or steps in bytes, one a dimension.
pub type Dims<T> = SmallVec<[T; 2]>;

/// What an object exports, until it is dropped.
pub struct Buffer {
    pub owner: Value,
    pub exporter: &'static dyn Exporter,
    pub readonly: bool,
    /// As in the module `struct`.
    pub format: Cow<'static, str>,
    pub itemsize: usize,
    pub shape: Dims<usize>,
    pub strides: Dims<isize>,
    /// Where the first item is in the exporter's memory.
    pub offset: usize,
    /// Bytes of all items together.
    pub len: usize,
}

impl Buffer {
    /// A buffer of `len` unsigned bytes. The exporter has counted it.
    pub fn bytes(owner: Value, exporter: &'static dyn Exporter, len: usize, readonly: bool) -> Buffer {
        Buffer {
            owner,
            exporter,
            readonly,
            format: Cow::Borrowed("B"),
            itemsize: 1,
            shape: smallvec![len],
            strides: smallvec![1],
            offset: 0,
            len,
        }
    }

    /// A buffer of a one-dimensional array of items. The exporter has counted it.
    pub fn array(
        owner: Value,
        exporter: &'static dyn Exporter,
        format: Cow<'static, str>,
        itemsize: usize,
        count: usize,
        readonly: bool,
    ) -> Buffer {
        Buffer {
            owner,
            exporter,
            readonly,
            format,
            itemsize,
            shape: smallvec![count],
            strides: smallvec![itemsize as isize],
            offset: 0,
            len: count * itemsize,
        }
    }

    /// The same memory as plain bytes.
    pub(crate) fn flattened(mut self) -> Buffer {
        self.shape = smallvec![self.len / self.itemsize.max(1)];
        self.strides = smallvec![self.itemsize as isize];
        self
    }

    /// Drops the buffer, but not its count: another takes it over.
    pub(crate) fn keep_count(mut self) {
        self.exporter = &Uncounted;
    }

    /// Whether the items lie in order without gaps, the last dimension running fastest.
    pub fn is_c_contiguous(&self) -> bool {
        c_contiguous(&self.shape, &self.strides, self.itemsize)
    }

    /// Copies bytes out, counted from the first item of a contiguous buffer.
    pub fn read(&self, offset: usize, out: &mut [u8]) -> bool {
        match self.offset.checked_add(offset) {
            Some(at) => self.exporter.read(&self.owner, at, out),
            None => false,
        }
    }

    /// Writes bytes, counted from the first item of a contiguous buffer.
    pub fn write(&self, offset: usize, bytes: &[u8]) -> bool {
        let fits = offset.checked_add(bytes.len()).is_some_and(|end| end <= self.len);
        !self.readonly && fits && self.exporter.write(&self.owner, self.offset + offset, bytes)
    }

    /// All bytes in C order.
    pub fn to_vec(&self, vm: &Vm) -> Res<Vec<u8>> {
        self.gathered(vm, &self.shape, &self.strides, self.offset as isize, self.len)
    }

    /// The `len` bytes of the items of a layout, in C order.
    pub(crate) fn gathered(
        &self,
        vm: &Vm,
        shape: &[usize],
        strides: &[isize],
        start: isize,
        len: usize,
    ) -> Res<Vec<u8>> {
        let mut out = Vec::new();
        let done = if c_contiguous(shape, strides, self.itemsize_of(shape, len)) {
            out.try_reserve_exact(len).map_err(|_| vm.memory_error())?;
            len == 0 || usize::try_from(start).is_ok_and(|at| self.exporter.append(&self.owner, at, len, &mut out))
        } else {
            out = room::zeroed(len)?;
            self.gather(shape, strides, start, &mut out)
        };
        if done { Ok(out) } else { Err(gone(vm)) }
    }

    /// Copies the items of a layout into `out`, in C order.
    pub(crate) fn gather(&self, shape: &[usize], strides: &[isize], start: isize, out: &mut [u8]) -> bool {
        if out.is_empty() {
            return true;
        }
        if c_contiguous(shape, strides, self.itemsize_of(shape, out.len())) {
            return usize::try_from(start).is_ok_and(|at| self.exporter.read(&self.owner, at, out));
        }
        let part = out.len() / shape[0];
        out.chunks_exact_mut(part).enumerate().all(|(at, chunk)| {
            let from = start + at as isize * strides[0];
            self.gather(&shape[1..], &strides[1..], from, chunk)
        })
    }

    /// Copies `bytes`, in C order, to the items of a layout.
    pub(crate) fn scatter(&self, shape: &[usize], strides: &[isize], start: isize, bytes: &[u8]) -> bool {
        if bytes.is_empty() {
            return true;
        }
        if c_contiguous(shape, strides, self.itemsize_of(shape, bytes.len())) {
            return usize::try_from(start).is_ok_and(|at| self.exporter.write(&self.owner, at, bytes));
        }
        let part = bytes.len() / shape[0];
        bytes.chunks_exact(part).enumerate().all(|(at, chunk)| {
            let to = start + at as isize * strides[0];
            self.scatter(&shape[1..], &strides[1..], to, chunk)
        })
    }

    /// The item size of a layout that holds `bytes` bytes.
    fn itemsize_of(&self, shape: &[usize], bytes: usize) -> usize {
        bytes / shape.iter().product::<usize>().max(1)
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        self.exporter.release(Vm::current(), &self.owner);
    }
}

impl Trace for Buffer {
    fn traverse(&self, visit: &mut Visitor<'_>) {
        self.owner.traverse(visit);
    }
}

/// Whether items lie in order without gaps, the last dimension running fastest.
pub(crate) fn c_contiguous(shape: &[usize], strides: &[isize], itemsize: usize) -> bool {
    if shape.contains(&0) {
        return true;
    }
    let mut expected = itemsize as isize;
    for (&extent, &stride) in shape.iter().zip(strides).rev() {
        if extent > 1 && stride != expected {
            return false;
        }
        expected = expected.saturating_mul(extent as isize);
    }
    true
}

/// As [`c_contiguous`], the first dimension running fastest.
pub(crate) fn f_contiguous(shape: &[usize], strides: &[isize], itemsize: usize) -> bool {
    if shape.contains(&0) {
        return true;
    }
    let mut expected = itemsize as isize;
    for (&extent, &stride) in shape.iter().zip(strides) {
        if extent > 1 && stride != expected {
            return false;
        }
        expected = expected.saturating_mul(extent as isize);
    }
    true
}

/// The memory of a view went away in another thread.
pub(crate) fn gone(vm: &Vm) -> crate::vm::Exc {
    vm.buffer_error("the exported memory is no longer there")
}

/// The buffer of an object; `TypeError` if it has none, `BufferError` if it cannot be had as asked for.
pub fn get_buffer(vm: &Vm, value: &Value, flags: BufferFlags) -> Res<Buffer> {
    match value.ty().slots().buffer {
        Some(f) => {
            let buffer = f(vm, value, flags)?;
            if buffer.readonly && flags.has(BufferFlags::WRITABLE) {
                return Err(vm.buffer_error("Object is not writable."));
            }
            let ty = value.ty();
            if ty.has_flag(TypeFlags::HEAP)
                && f as usize != super::memoryview::python_buffer as *const () as usize
                && let Some(release) = ty.lookup(vm, crate::intern!("__release_buffer__"))
                && release.downcast_exact::<super::function::Function>().is_some()
            {
                return super::memoryview::watched_buffer(vm, value, buffer, flags);
            }
            Ok(buffer)
        }
        None => {
            let found = value.ty().name();
            Err(vm.type_error(format!("a bytes-like object is required, not '{found}'")))
        }
    }
}

/// The bytes of a bytes-like object, `None` if it is none, or if its memory is gone. Immutable ones are borrowed.
pub fn bytes_of(value: &Value) -> Option<Cow<'_, [u8]>> {
    if let Some(bytes) = value.downcast::<Bytes>() {
        return Some(Cow::Borrowed(bytes.as_slice()));
    }
    if let Some(array) = value.downcast::<ByteArray>() {
        return array.snapshot().ok().map(Cow::Owned);
    }
    if !is_bytes_like(value) {
        return None;
    }
    read_all(Vm::current(), value).ok()
}

/// Whether the object has bytes to read.
pub fn is_bytes_like(value: &Value) -> bool {
    value.ty().slots().buffer.is_some()
}

/// The bytes of a contiguous bytes-like object; `TypeError` for any other object.
pub fn get_bytes<'a>(vm: &Vm, value: &'a Value) -> Res<Cow<'a, [u8]>> {
    read_bytes(vm, value, BufferFlags::SIMPLE)
}

/// The bytes of any bytes-like object, in C order if it is not contiguous.
pub fn read_all<'a>(vm: &Vm, value: &'a Value) -> Res<Cow<'a, [u8]>> {
    read_bytes(vm, value, BufferFlags::FULL_RO)
}

fn read_bytes<'a>(vm: &Vm, value: &'a Value, flags: BufferFlags) -> Res<Cow<'a, [u8]>> {
    if let Some(bytes) = value.downcast::<Bytes>() {
        return Ok(Cow::Borrowed(bytes.as_slice()));
    }
    if let Some(array) = value.downcast::<ByteArray>() {
        return Ok(Cow::Owned(array.snapshot()?));
    }
    let buffer = get_buffer(vm, value, flags)?;
    buffer.to_vec(vm).map(Cow::Owned)
}

/// Bytes that stay as they are while this is held: borrowed, those of an immutable object that is kept alive, or a copy.
pub enum Held<'a> {
    Borrowed(&'a [u8]),
    Kept(Py<Bytes>, Range<usize>),
    Copied(Vec<u8>),
}

impl std::ops::Deref for Held<'_> {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        match self {
            Held::Borrowed(bytes) => bytes,
            Held::Kept(bytes, part) => bytes.as_slice().get(part.clone()).unwrap_or_default(),
            Held::Copied(bytes) => bytes,
        }
    }
}

/// As [`get_bytes`], without copying what a view shows of an immutable object.
pub fn hold<'a>(vm: &Vm, value: &'a Value) -> Res<Held<'a>> {
    if let Some(view) = value.downcast_exact::<super::memoryview::MemoryView>()
        && let Some((bytes, part)) = view.immutable_part(vm)?
    {
        return Ok(Held::Kept(bytes, part));
    }
    Ok(match get_bytes(vm, value)? {
        Cow::Borrowed(bytes) => Held::Borrowed(bytes),
        Cow::Owned(bytes) => Held::Copied(bytes),
    })
}

/// Calls `f` with the bytes of a contiguous bytes-like object; `TypeError` for any other.
pub fn with_bytes<R>(vm: &Vm, value: &Value, f: impl FnOnce(&[u8]) -> R) -> Res<R> {
    hold(vm, value).map(|bytes| f(&bytes))
}

/// The buffer of an object that bytes are to be written to.
pub fn get_writable(vm: &Vm, value: &Value) -> Res<Buffer> {
    writable(vm, value).unwrap_or_else(|| {
        let found = value.ty().name();
        Err(vm.type_error(format!("argument must be read-write bytes-like object, not {found}")))
    })
}

/// The contiguous writable buffer, `None` if the object has none.
fn writable(vm: &Vm, value: &Value) -> Option<Res<Buffer>> {
    value.ty().slots().buffer?;
    match get_buffer(vm, value, BufferFlags::WRITABLE) {
        Ok(buffer) if buffer.is_c_contiguous() => Some(Ok(buffer)),
        Ok(_) => Some(Err(vm.buffer_error("contiguous buffer"))),
        Err(exc) if exc.is(&super::exceptions::BUFFER_ERROR) => None,
        Err(exc) => Some(Err(exc)),
    }
}

/// How many bytes can be written to the object; `TypeError` if it is no writable bytes-like object.
pub fn writable_len(vm: &Vm, value: &Value) -> Res<usize> {
    get_writable(vm, value).map(|buffer| buffer.len)
}

/// Writes bytes into a writable bytes-like object; `BufferError` if it has shrunk meanwhile.
pub fn copy_into(vm: &Vm, value: &Value, offset: usize, bytes: &[u8]) -> Res<()> {
    if let Some(array) = value.downcast::<ByteArray>() {
        return if array.overwrite(offset, bytes) {
            Ok(())
        } else {
            Err(gone(vm))
        };
    }
    let buffer = get_writable(vm, value)?;
    if buffer.write(offset, bytes) {
        Ok(())
    } else {
        Err(gone(vm))
    }
}

/// A parameter that must be a writable bytes-like object. It counts as an export until it is dropped.
pub struct Writable(pub Buffer);

impl<'a> FromArg<'a> for Writable {
    fn from_arg(vm: &Vm, value: &'a Value, ctx: &ArgCtx) -> Res<Self> {
        match writable(vm, value) {
            Some(buffer) => buffer.map(Writable),
            None => Err(ctx.wrong_type(vm, "read-write bytes-like object", value)),
        }
    }
}

/// A parameter that must be a contiguous bytes-like object.
pub struct Readable<'a>(pub Cow<'a, [u8]>);

impl<'a> FromArg<'a> for Readable<'a> {
    fn from_arg(vm: &Vm, value: &'a Value, _: &ArgCtx) -> Res<Self> {
        get_bytes(vm, value).map(Readable)
    }
}

/// What is left of a buffer whose count went over to another.
struct Uncounted;

impl Exporter for Uncounted {
    fn read(&self, _owner: &Value, _offset: usize, _out: &mut [u8]) -> bool {
        false
    }
}

struct BytesExporter;

impl Exporter for BytesExporter {
    fn read(&self, owner: &Value, offset: usize, out: &mut [u8]) -> bool {
        match self
            .borrow(owner)
            .and_then(|bytes| bytes.get(offset..)?.get(..out.len()))
        {
            Some(part) => {
                out.copy_from_slice(part);
                true
            }
            None => false,
        }
    }

    fn append(&self, owner: &Value, offset: usize, len: usize, out: &mut Vec<u8>) -> bool {
        let part = self.borrow(owner).and_then(|bytes| bytes.get(offset..)?.get(..len));
        part.map(|part| out.extend_from_slice(part)).is_some()
    }

    fn borrow<'a>(&self, owner: &'a Value) -> Option<&'a [u8]> {
        owner.downcast::<Bytes>().map(|bytes| bytes.as_slice())
    }
}

/// The buffer of a `bytes`.
pub(crate) fn of_bytes(bytes: &Py<Bytes>) -> Buffer {
    Buffer::bytes(bytes.to_value(), &BytesExporter, bytes.len(), true)
}

struct ByteArrayExporter;

impl Exporter for ByteArrayExporter {
    fn read(&self, owner: &Value, offset: usize, out: &mut [u8]) -> bool {
        let Some(array) = owner.downcast::<ByteArray>() else {
            return false;
        };
        array.with(
            |bytes| match bytes.get(offset..).and_then(|rest| rest.get(..out.len())) {
                Some(part) => {
                    out.copy_from_slice(part);
                    true
                }
                None => false,
            },
        )
    }

    fn append(&self, owner: &Value, offset: usize, len: usize, out: &mut Vec<u8>) -> bool {
        let Some(array) = owner.downcast::<ByteArray>() else {
            return false;
        };
        array.with(|bytes| {
            let part = bytes.get(offset..).and_then(|rest| rest.get(..len));
            part.map(|part| out.extend_from_slice(part)).is_some()
        })
    }

    fn write(&self, owner: &Value, offset: usize, bytes: &[u8]) -> bool {
        owner
            .downcast::<ByteArray>()
            .is_some_and(|array| array.overwrite(offset, bytes))
    }

    fn address(&self, owner: &Value) -> Option<usize> {
        Some(owner.downcast::<ByteArray>()?.with(|bytes| bytes.as_ptr() as usize))
    }

    fn release(&self, _vm: &Vm, owner: &Value) {
        if let Some(array) = owner.downcast::<ByteArray>() {
            array.exports.fetch_sub(1, std::sync::atomic::Ordering::AcqRel);
        }
    }
}

/// The buffer of a `bytearray`, which cannot be resized until it is dropped.
pub(crate) fn of_bytearray(array: &Py<ByteArray>) -> Buffer {
    let len = array.with(|bytes| {
        array.exports.fetch_add(1, std::sync::atomic::Ordering::AcqRel);
        bytes.len()
    });
    Buffer::bytes(array.to_value(), &ByteArrayExporter, len, false)
}
