//! `memoryview`: a view of what another object exports.
//!
//! Views of one export share it (`source`); it is given back when the last of them is released or freed. Invariant: the layout of a
//! view never changes; whoever reads or writes holds a reference of its own to the export, so a `release` in another thread
//! waits for nobody and takes nothing away. `state` counts the buffers that the view itself exports, and cannot be
//! released while there are any. Left out: suboffsets, which no type here exports.

pub mod items;

use std::borrow::Cow;
use std::ops::Range;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed};

use smallvec::smallvec;

use self::items::Unpacker;
use super::buffer::{self, Buffer, BufferFlags, Dims, Exporter, c_contiguous, f_contiguous, get_buffer};
use super::bytes::Bytes;
use super::list::List;
use super::slice::{Slice, SliceRange, clamp_range, index_argument};
use super::tuple::Tuple;
use crate::intern;
use crate::memory::trace::Opaque;
use crate::native::{CmpOp, pyclass, pymethods};
use crate::object::{Py, PySlot, Slot, Type, Value};
use crate::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize};
use crate::types::str::Str;
use crate::vm::{Exc, Res, Vm};

/// What views of one export share.
#[pyclass(name = "managedbuffer", no_new, no_methods)]
pub struct Managed {
    buffer: Buffer,
}

/// Where the items of a view are.
#[derive(Clone)]
struct Layout {
    format: Cow<'static, str>,
    itemsize: usize,
    shape: Dims<usize>,
    strides: Dims<isize>,
    offset: isize,
    readonly: bool,
}

impl Layout {
    fn items(&self) -> usize {
        self.shape.iter().product()
    }

    fn bytes(&self) -> usize {
        self.items() * self.itemsize
    }

    fn is_c(&self) -> bool {
        c_contiguous(&self.shape, &self.strides, self.itemsize)
    }

    fn is_f(&self) -> bool {
        f_contiguous(&self.shape, &self.strides, self.itemsize)
    }

    /// The offset of an item of a dimension.
    fn at(&self, vm: &Vm, dimension: usize, index: isize) -> Res<isize> {
        let extent = self.shape[dimension] as isize;
        let index = if index < 0 { index + extent } else { index };
        if index < 0 || index >= extent {
            let dimension = dimension + 1;
            return Err(vm.index_error(format!("index out of bounds on dimension {dimension}")));
        }
        Ok(index * self.strides[dimension])
    }
}

/// A view.
#[pyclass(
    name = "memoryview",
    weakref,
    sequence,
    doc = "Create a new memoryview object which references the given object."
)]
pub struct MemoryView {
    /// Empty when released.
    source: PySlot<Managed>,
    /// What `obj` shows.
    object: Slot,
    layout: Opaque<Layout>,
    /// Buffers that were given out.
    state: AtomicUsize,
    /// No further view may be made of it.
    restricted: AtomicBool,
    /// 0 before it was computed.
    hash: AtomicI64,
}

/// `state` of a view that is being released.
const RELEASED: usize = usize::MAX;

fn released(vm: &Vm) -> Exc {
    vm.value_error("operation forbidden on released memoryview object")
}

impl MemoryView {
    /// `memoryview(object)`
    pub fn of(vm: &Vm, object: &Value) -> Res<Py<MemoryView>> {
        MemoryView::with_flags(vm, object, BufferFlags::FULL_RO)
    }

    fn with_flags(vm: &Vm, object: &Value, flags: BufferFlags) -> Res<Py<MemoryView>> {
        if let Some(view) = object.downcast_exact::<MemoryView>() {
            let source = view.source(vm)?;
            view.check_unrestricted(vm)?;
            if flags.has(BufferFlags::WRITABLE) && view.layout.readonly {
                return Err(vm.buffer_error("memoryview: underlying buffer is not writable"));
            }
            return Ok(view.derived(source, view.layout.0.clone()));
        }
        if !buffer::is_bytes_like(object) {
            let found = object.ty().name();
            return Err(vm.type_error(format!("memoryview: a bytes-like object is required, not '{found}'")));
        }
        Ok(MemoryView::over(get_buffer(vm, object, flags)?))
    }

    /// A view that owns the buffer.
    pub fn over(buffer: Buffer) -> Py<MemoryView> {
        let layout = Layout {
            format: buffer.format.clone(),
            itemsize: buffer.itemsize,
            shape: buffer.shape.clone(),
            strides: buffer.strides.clone(),
            offset: buffer.offset as isize,
            readonly: buffer.readonly,
        };
        let object = Slot::new(buffer.owner.clone());
        MemoryView::make(Py::new(Managed { buffer }), object, layout)
    }

    fn make(source: Py<Managed>, object: Slot, layout: Layout) -> Py<MemoryView> {
        Py::new(MemoryView {
            source: PySlot::new(source),
            object,
            layout: Opaque(layout),
            state: AtomicUsize::new(0),
            restricted: AtomicBool::new(false),
            hash: AtomicI64::new(0),
        })
    }

    /// A view of the same export.
    fn derived(&self, source: Py<Managed>, layout: Layout) -> Py<MemoryView> {
        MemoryView::make(source, Slot::from_option(self.object.get()), layout)
    }

    /// The export; `ValueError` if the view is released.
    fn source(&self, vm: &Vm) -> Res<Py<Managed>> {
        self.source.get().ok_or_else(|| released(vm))
    }

    fn check(&self, vm: &Vm) -> Res<()> {
        if self.source.is_empty() {
            Err(released(vm))
        } else {
            Ok(())
        }
    }

    fn check_unrestricted(&self, vm: &Vm) -> Res<()> {
        if self.restricted.load(Relaxed) {
            return Err(vm.value_error("cannot create new view on restricted memoryview"));
        }
        Ok(())
    }

    /// `release()`
    pub fn release_now(&self, vm: &Vm) -> Res<()> {
        match self.state.compare_exchange(0, RELEASED, AcqRel, Acquire) {
            Ok(_) => {
                let source = self.source.swap(None);
                let object = self.object.take();
                self.state.store(0, Relaxed);
                drop((source, object));
                Ok(())
            }
            Err(RELEASED) => Ok(()),
            Err(count) => {
                let plural = if count == 1 { "" } else { "s" };
                Err(vm.buffer_error(format!("memoryview has {count} exported buffer{plural}")))
            }
        }
    }

    /// The bytes of the item at `offset`.
    fn read_item(&self, vm: &Vm, offset: isize) -> Res<Vec<u8>> {
        let mut bytes = vec![0; self.layout.itemsize];
        self.read(vm, &[], &[], offset, &mut bytes)?;
        Ok(bytes)
    }

    fn read(&self, vm: &Vm, shape: &[usize], strides: &[isize], offset: isize, out: &mut [u8]) -> Res<()> {
        if self.source(vm)?.buffer.gather(shape, strides, offset, out) {
            Ok(())
        } else {
            Err(buffer::gone(vm))
        }
    }

    fn write(&self, vm: &Vm, shape: &[usize], strides: &[isize], offset: isize, bytes: &[u8]) -> Res<()> {
        if self.source(vm)?.buffer.scatter(shape, strides, offset, bytes) {
            Ok(())
        } else {
            Err(buffer::gone(vm))
        }
    }

    /// The item at `offset`.
    fn item(&self, vm: &Vm, offset: isize) -> Res<Value> {
        let code = items::single_code(vm, &self.layout.format)?;
        items::unpack(vm, code, &self.read_item(vm, offset)?)
    }

    /// Stores an item at `offset`.
    fn store(&self, vm: &Vm, offset: isize, value: &Value) -> Res<()> {
        let format = &self.layout.format;
        let code = items::single_code(vm, format)?;
        let bytes = items::pack(vm, code, format, value)?;
        // Converting the number may have released the view.
        self.write(vm, &[], &[], offset, &bytes)
    }

    /// All bytes, in C order.
    fn to_vec(&self, vm: &Vm) -> Res<Vec<u8>> {
        self.to_vec_of(vm, &self.layout.shape, &self.layout.strides)
    }

    fn to_vec_of(&self, vm: &Vm, shape: &[usize], strides: &[isize]) -> Res<Vec<u8>> {
        let layout = &self.layout;
        self.source(vm)?
            .buffer
            .gathered(vm, shape, strides, layout.offset, layout.bytes())
    }

    /// The `bytes` that all of the view shows in one piece, and where in it, if it shows one.
    pub(super) fn immutable_part(&self, vm: &Vm) -> Res<Option<(Py<Bytes>, Range<usize>)>> {
        let source = self.source(vm)?;
        let (buffer, layout) = (&source.buffer, &self.layout);
        let Some(all) = buffer.exporter.borrow(&buffer.owner).filter(|_| layout.is_c()) else {
            return Ok(None);
        };
        let part = usize::try_from(layout.offset).ok().and_then(|start| {
            let part = start..start.checked_add(layout.bytes())?;
            all.get(part.clone()).map(|_| part)
        });
        let owner = buffer.owner.downcast::<Bytes>();
        Ok(owner.zip(part).map(|(owner, part)| (owner.clone(), part)))
    }

    /// The offset of the item that a tuple of indices names.
    fn offset_of(&self, vm: &Vm, key: &Py<Tuple>) -> Res<isize> {
        let layout = &self.layout;
        let (given, dimensions) = (key.len(), layout.shape.len());
        if given < dimensions {
            return Err(vm.not_implemented_error("sub-views are not implemented"));
        }
        if given > dimensions {
            return Err(vm.type_error(format!(
                "cannot index {dimensions}-dimension view with {given}-element tuple"
            )));
        }
        let mut offset = layout.offset;
        for (dimension, index) in key.as_slice().iter().enumerate() {
            offset += layout.at(vm, dimension, vm.index_to_isize(index)?)?;
        }
        Ok(offset)
    }

    /// The part of the first dimension that a slice selects.
    fn sliced(&self, range: SliceRange) -> Layout {
        let mut layout = self.layout.0.clone();
        layout.offset += range.start * layout.strides[0];
        if range.count == 0 {
            // An empty view may begin past the end; there is nothing to read.
            layout.offset = self.layout.offset;
        }
        layout.shape[0] = range.count;
        layout.strides[0] = layout.strides[0].saturating_mul(range.step);
        layout
    }

    fn tolist_from(&self, vm: &Vm, code: u8, bytes: &[u8], shape: &[usize]) -> Res<Value> {
        let Some((&extent, inner)) = shape.split_first() else {
            return items::unpack(vm, code, bytes);
        };
        let part = bytes.len().checked_div(extent).unwrap_or(0);
        let mut list = Vec::with_capacity(extent);
        for at in 0..extent {
            list.push(self.tolist_from(vm, code, &bytes[at * part..][..part], inner)?);
        }
        Ok(List::new(list).into_value())
    }

    /// The number of items of a view of one dimension, for searches and iteration.
    fn extent(&self, vm: &Vm, what: &str, many: &str) -> Res<usize> {
        match *self.layout.shape {
            [] => Err(vm.type_error(format!("invalid {what} 0-dim memory"))),
            [extent] => Ok(extent),
            _ => Err(vm.not_implemented_error(many)),
        }
    }
}

/// Lets a view's bytes be read through it; offsets are the first exporter's.
struct ViewExporter;

impl ViewExporter {
    fn source(owner: &Value) -> Option<Py<Managed>> {
        owner.downcast_exact::<MemoryView>()?.source.get()
    }
}

impl Exporter for ViewExporter {
    fn read(&self, owner: &Value, offset: usize, out: &mut [u8]) -> bool {
        ViewExporter::source(owner).is_some_and(|source| source.buffer.exporter.read(&source.buffer.owner, offset, out))
    }

    fn append(&self, owner: &Value, offset: usize, len: usize, out: &mut Vec<u8>) -> bool {
        ViewExporter::source(owner)
            .is_some_and(|source| source.buffer.exporter.append(&source.buffer.owner, offset, len, out))
    }

    fn write(&self, owner: &Value, offset: usize, bytes: &[u8]) -> bool {
        ViewExporter::source(owner)
            .is_some_and(|source| source.buffer.exporter.write(&source.buffer.owner, offset, bytes))
    }

    fn address(&self, owner: &Value) -> Option<usize> {
        let source = ViewExporter::source(owner)?;
        source.buffer.exporter.address(&source.buffer.owner)
    }

    fn release(&self, _vm: &Vm, owner: &Value) {
        if let Some(view) = owner.downcast_exact::<MemoryView>() {
            view.state.fetch_sub(1, AcqRel);
        }
    }
}

/// Whether every item of `key` can be an index.
fn is_multi_index(key: &Py<Tuple>) -> bool {
    key.as_slice()
        .iter()
        .all(|index| index.is_small_int() || index.ty().slots().index.is_some())
}

fn is_multi_slice(key: &Py<Tuple>) -> bool {
    !key.is_empty()
        && key
            .as_slice()
            .iter()
            .all(|part| part.downcast_exact::<Slice>().is_some())
}

fn is_index(key: &Value) -> bool {
    key.is_small_int() || key.ty().slots().index.is_some()
}

fn tuple_of(numbers: impl Iterator<Item = i64>) -> Value {
    Tuple::new(numbers.map(Value::int).collect()).into_value()
}

fn plain(format: &str) -> &str {
    format.strip_prefix('@').unwrap_or(format)
}

/// The extents that `cast` is asked for.
fn shape_of(vm: &Vm, shape: &Value, itemsize: usize, bytes: usize) -> Res<Dims<usize>> {
    let extents = match (shape.downcast::<List>(), shape.downcast::<Tuple>()) {
        (Some(list), _) => list.snapshot(),
        (_, Some(tuple)) => tuple.as_slice().to_vec(),
        _ => return Err(vm.type_error("shape must be a list or a tuple")),
    };
    let mut dims: Dims<usize> = smallvec![];
    let mut product = 1usize;
    for extent in &extents {
        if vm.int_value(extent).is_none() {
            return Err(vm.type_error("memoryview.cast(): elements of shape must be integers"));
        }
        let extent = vm.index_to_i64(extent)?;
        if extent <= 0 {
            return Err(vm.value_error("memoryview.cast(): elements of shape must be integers > 0"));
        }
        product = match product.checked_mul(extent as usize) {
            Some(product) if product <= isize::MAX as usize => product,
            _ => return Err(vm.value_error("memoryview.cast(): product(shape) > SSIZE_MAX")),
        };
        dims.push(extent as usize);
    }
    if product.checked_mul(itemsize) != Some(bytes) {
        return Err(vm.type_error("memoryview: product(shape) * itemsize != buffer size"));
    }
    Ok(dims)
}

fn c_strides(shape: &[usize], itemsize: usize) -> Dims<isize> {
    let mut strides: Dims<isize> = smallvec![0; shape.len()];
    let mut step = itemsize as isize;
    for (stride, extent) in strides.iter_mut().zip(shape).rev() {
        *stride = step;
        step = step.saturating_mul(*extent as isize);
    }
    strides
}

/// Whether two views have the same items; `NotImplemented` where the other has none.
fn equal(vm: &Vm, this: &Py<MemoryView>, other: &Value) -> Res<Option<bool>> {
    if this.as_value().is(other) && !this.source.is_empty() {
        // Items that do not equal themselves are looked at all the same.
    } else if this.source.is_empty() {
        return Ok(Some(this.as_value().is(other)));
    }
    let theirs = match other.downcast_exact::<MemoryView>() {
        Some(view) if view.source.is_empty() => return Ok(Some(false)),
        Some(view) => view.clone(),
        None if !buffer::is_bytes_like(other) => return Ok(None),
        None => match get_buffer(vm, other, BufferFlags::FULL_RO) {
            Ok(buffer) => MemoryView::over(buffer),
            Err(_) => return Ok(None),
        },
    };
    let (a, b) = (&this.layout, &theirs.layout);
    // An extent of 0 ends the comparison: what lies inside does not matter.
    let ends = |shape: &[usize]| {
        shape
            .iter()
            .position(|&extent| extent == 0)
            .map_or(shape.len(), |at| at + 1)
    };
    let same_shape = a.shape.len() == b.shape.len() && a.shape[..ends(&a.shape)] == b.shape[..ends(&b.shape)];
    if !same_shape {
        return Ok(Some(false));
    }
    let same_bytes = matches!(
        (items::native_size(&a.format), items::native_size(&b.format)),
        (Some((code, _)), Some((other, _))) if code == other && !matches!(code, b'e' | b'f' | b'd' | b'?')
    );
    let (mine, yours) = (this.to_vec(vm)?, theirs.to_vec(vm)?);
    if same_bytes {
        return Ok(Some(mine == yours));
    }
    let (Some(read_mine), Some(read_yours)) = (
        Unpacker::new(vm, &a.format, a.itemsize)?,
        Unpacker::new(vm, &b.format, b.itemsize)?,
    ) else {
        return Ok(Some(false));
    };
    let pairs = mine
        .chunks_exact(a.itemsize.max(1))
        .zip(yours.chunks_exact(b.itemsize.max(1)));
    for (mine, yours) in pairs {
        let (mine, yours) = (read_mine.unpack(vm, mine)?, read_yours.unpack(vm, yours)?);
        let same = vm.rich_compare(&mine, &yours, CmpOp::Eq)?;
        if !vm.truth(&same)? {
            return Ok(Some(false));
        }
    }
    Ok(Some(true))
}

/// `type.__release_buffer__(self, view)` of native types.
pub fn release_buffer(vm: &Vm, this: &Value, view: &Value) -> Res<()> {
    let Some(view) = view.downcast_exact::<MemoryView>() else {
        return Err(vm.type_error("expected a memoryview object"));
    };
    let Some(source) = view.source.get() else {
        return Err(vm.value_error("memoryview's buffer has already been released"));
    };
    if !source.buffer.owner.is(this) {
        return Err(vm.value_error("memoryview's buffer is not this object"));
    }
    drop(source);
    view.release_now(vm)
}

/// `object.__buffer__(flags)` of native types.
pub fn buffer_method(vm: &Vm, this: &Value, flags: &Value, get: crate::object::slots::BufferFn) -> Res<Value> {
    let flags = vm.index_to_i64(flags)?;
    let Ok(flags) = i32::try_from(flags) else {
        return Err(vm.overflow_error("buffer flags too large"));
    };
    let buffer = get(vm, this, BufferFlags(flags))?;
    if buffer.readonly && BufferFlags(flags).has(BufferFlags::WRITABLE) {
        return Err(vm.buffer_error("Object is not writable."));
    }
    Ok(MemoryView::over(buffer).into_value())
}

/// What `__buffer__` of a Python class exported: the view it returned, and the object to be told when it is given back.
#[pyclass(name = "_buffer_wrapper", no_new, no_methods)]
pub struct BufferWrapper {
    view: Py<MemoryView>,
    object: Value,
    /// The export of the view, until it is given back.
    source: PySlot<Managed>,
}

struct WrapperExporter;

impl Exporter for WrapperExporter {
    fn read(&self, owner: &Value, offset: usize, out: &mut [u8]) -> bool {
        let source = owner.downcast_exact::<BufferWrapper>().and_then(|w| w.source.get());
        source.is_some_and(|source| source.buffer.exporter.read(&source.buffer.owner, offset, out))
    }

    fn write(&self, owner: &Value, offset: usize, bytes: &[u8]) -> bool {
        let source = owner.downcast_exact::<BufferWrapper>().and_then(|w| w.source.get());
        source.is_some_and(|source| source.buffer.exporter.write(&source.buffer.owner, offset, bytes))
    }

    fn address(&self, owner: &Value) -> Option<usize> {
        let source = owner.downcast_exact::<BufferWrapper>()?.source.get()?;
        source.buffer.exporter.address(&source.buffer.owner)
    }

    fn release(&self, vm: &Vm, owner: &Value) {
        let Some(wrapper) = owner.downcast_exact::<BufferWrapper>() else {
            return;
        };
        if wrapper.source.is_empty() {
            return;
        }
        let object = &wrapper.object;
        // The object's own memory, exported by native code: only giving it back is its class's matter.
        let own = wrapper
            .source
            .get()
            .is_some_and(|source| source.buffer.owner.is(object));
        if !own {
            drop(wrapper.source.swap(None));
            wrapper.view.state.fetch_sub(1, AcqRel);
            if object.ty().lookup(vm, intern!("__release_buffer__")).is_some()
                && let Err(exc) = vm.call_special(object, intern!("__release_buffer__"), &[wrapper.view.as_value()])
            {
                vm.unraisable(exc, Some("Exception ignored in __release_buffer__ of"), Some(object));
            }
            return;
        }
        if object.ty().lookup(vm, intern!("__release_buffer__")).is_some() {
            let shown = wrapper.view.source.get().map(|source| {
                let view = wrapper.view.derived(source, wrapper.view.layout.0.clone());
                view.restricted.store(true, Relaxed);
                view
            });
            if let Some(shown) = shown {
                if let Err(exc) = vm.call_special(object, intern!("__release_buffer__"), &[shown.as_value()]) {
                    vm.unraisable(exc, Some("Exception ignored in __release_buffer__ of"), Some(object));
                }
                // The callee may have released it already, or exported it further.
                let _ = shown.release_now(vm);
            }
        }
        drop(wrapper.source.swap(None));
        wrapper.view.state.fetch_sub(1, AcqRel);
        let _ = wrapper.view.release_now(vm);
    }
}

/// The buffer of an instance of a Python class with a `__buffer__` method.
pub(crate) fn python_buffer(vm: &Vm, this: &Value, flags: BufferFlags) -> Res<Buffer> {
    let made = vm.call_special(this, intern!("__buffer__"), &[&Value::int(flags.0.into())])?;
    let Some(view) = made.downcast_exact::<MemoryView>() else {
        return Err(vm.type_error("__buffer__ returned non-memoryview object"));
    };
    wrapped(vm, view, this, flags)
}

/// The buffer that native code exports for an instance of a Python class with a `__release_buffer__` method.
pub(crate) fn watched_buffer(vm: &Vm, this: &Value, buffer: Buffer, flags: BufferFlags) -> Res<Buffer> {
    wrapped(vm, &MemoryView::over(buffer), this, flags)
}

fn wrapped(vm: &Vm, view: &Py<MemoryView>, object: &Value, flags: BufferFlags) -> Res<Buffer> {
    // Counts as an export of the view, which the wrapper gives back.
    let inner = view_buffer(vm, view, flags)?;
    let wrapper = Py::new(BufferWrapper {
        view: view.clone(),
        object: object.clone(),
        source: PySlot::new(view.source(vm)?),
    });
    let outer = Buffer {
        owner: wrapper.into_value(),
        exporter: &WrapperExporter,
        readonly: inner.readonly,
        format: inner.format.clone(),
        itemsize: inner.itemsize,
        shape: inner.shape.clone(),
        strides: inner.strides.clone(),
        offset: inner.offset,
        len: inner.len,
    };
    inner.keep_count();
    Ok(outer)
}

fn view_buffer(vm: &Vm, this: &Py<MemoryView>, flags: BufferFlags) -> Res<Buffer> {
    this.check(vm)?;
    this.check_unrestricted(vm)?;
    let layout = &this.layout;
    if flags.has(BufferFlags::WRITABLE) && layout.readonly {
        return Err(vm.buffer_error("memoryview: underlying buffer is not writable"));
    }
    let wants = |wanted: BufferFlags, is: bool| flags.has(wanted) && !is;
    let (is_c, is_f) = (layout.is_c(), layout.is_f());
    let fault = if wants(BufferFlags::C_CONTIGUOUS, is_c) {
        "memoryview: underlying buffer is not C-contiguous"
    } else if wants(BufferFlags::F_CONTIGUOUS, is_f) {
        "memoryview: underlying buffer is not Fortran contiguous"
    } else if wants(BufferFlags::ANY_CONTIGUOUS, is_c || is_f) {
        "memoryview: underlying buffer is not contiguous"
    } else if !flags.has(BufferFlags::STRIDES) && !is_c {
        "memoryview: underlying buffer is not C-contiguous"
    } else if !flags.has(BufferFlags::ND) && flags.has(BufferFlags::FORMAT) {
        "memoryview: cannot cast to unsigned bytes if the format flag is present"
    } else {
        ""
    };
    if !fault.is_empty() {
        return Err(vm.buffer_error(fault));
    }
    let count = |n: usize| if n >= RELEASED - 1 { None } else { Some(n + 1) };
    if this.state.fetch_update(AcqRel, Acquire, count).is_err() {
        return Err(released(vm));
    }
    let buffer = Buffer {
        owner: this.to_value(),
        exporter: &ViewExporter,
        readonly: layout.readonly,
        format: layout.format.clone(),
        itemsize: layout.itemsize,
        shape: layout.shape.clone(),
        strides: layout.strides.clone(),
        offset: layout.offset.max(0) as usize,
        len: layout.bytes(),
    };
    // A release may have come between the check and the count.
    this.check(vm)?;
    Ok(if flags.has(BufferFlags::ND) {
        buffer
    } else {
        buffer.flattened()
    })
}

#[pymethods]
impl MemoryView {
    #[slot(sig = "(object)")]
    fn __new__(vm: &Vm, _cls: &Py<Type>, object: &Value) -> Res<Value> {
        MemoryView::of(vm, object).map(Py::into_value)
    }

    /// Return a new memoryview object which references the given object.
    #[classmethod(sig = "($type, /, object, flags)")]
    fn _from_flags(vm: &Vm, _cls: &Py<Type>, object: &Value, flags: i32) -> Res<Value> {
        MemoryView::with_flags(vm, object, BufferFlags(flags)).map(Py::into_value)
    }

    #[slot]
    fn __buffer__(vm: &Vm, this: &Py<MemoryView>, flags: BufferFlags) -> Res<Buffer> {
        view_buffer(vm, this, flags)
    }

    #[slot]
    fn __repr__(_vm: &Vm, this: &Py<MemoryView>) -> String {
        let at = this.as_value().bits();
        if this.source.is_empty() {
            format!("<released memory at {at:#x}>")
        } else {
            format!("<memory at {at:#x}>")
        }
    }

    #[slot]
    fn __len__(vm: &Vm, this: &Py<MemoryView>) -> Res<usize> {
        this.check(vm)?;
        match this.layout.shape.first() {
            Some(&extent) => Ok(extent),
            None => Err(vm.type_error("0-dim memory has no length")),
        }
    }

    #[slot]
    fn __hash__(vm: &Vm, this: &Py<MemoryView>) -> Res<i64> {
        match this.hash.load(Relaxed) {
            0 => {}
            known => return Ok(known),
        }
        let source = this.source(vm)?;
        let layout = &this.layout;
        if !layout.readonly {
            return Err(vm.value_error("cannot hash writable memoryview object"));
        }
        if !matches!(plain(&layout.format), "B" | "b" | "c") {
            return Err(vm.value_error("memoryview: hashing is restricted to formats 'B', 'b' or 'c'"));
        }
        vm.hash(&source.buffer.owner)?;
        let hash = super::str::hash_bytes(&this.to_vec(vm)?);
        this.hash.store(hash, Relaxed);
        Ok(hash)
    }

    #[slot]
    fn __richcompare__(vm: &Vm, this: &Py<MemoryView>, other: &Value, op: CmpOp) -> Res<Value> {
        if !matches!(op, CmpOp::Eq | CmpOp::Ne) {
            return Ok(Value::NOT_IMPLEMENTED);
        }
        Ok(match equal(vm, this, other)? {
            Some(equal) => Value::from_bool(equal == (op == CmpOp::Eq)),
            None => Value::NOT_IMPLEMENTED,
        })
    }

    #[slot]
    fn __iter__(vm: &Vm, this: &Py<MemoryView>) -> Res<Value> {
        this.check(vm)?;
        let extent = this.extent(vm, "indexing of", "multi-dimensional sub-views are not implemented")?;
        items::single_code(vm, &this.layout.format)?;
        let iter = MemoryIterator {
            view: PySlot::new(this.clone()),
            at: AtomicUsize::new(0),
            extent,
        };
        Ok(Py::new(iter).into_value())
    }

    #[slot]
    fn __getitem__(vm: &Vm, this: &Py<MemoryView>, key: &Value) -> Res<Value> {
        let source = this.source(vm)?;
        let layout = &this.layout;
        if layout.shape.is_empty() {
            if key.downcast_exact::<Tuple>().is_some_and(|key| key.is_empty()) {
                return this.item(vm, layout.offset);
            }
            if key.is(&Value::ELLIPSIS) {
                return Ok(this.to_value());
            }
            return Err(vm.type_error("invalid indexing of 0-dim memory"));
        }
        if is_index(key) {
            let index = vm.index_to_isize(key)?;
            if layout.shape.len() > 1 {
                return Err(vm.not_implemented_error("multi-dimensional sub-views are not implemented"));
            }
            return this.item(vm, layout.offset + layout.at(vm, 0, index)?);
        }
        if let Some(slice) = key.downcast_exact::<Slice>() {
            let range = slice.adjust(vm, layout.shape[0])?;
            this.check_unrestricted(vm)?;
            return Ok(this.derived(source, this.sliced(range)).into_value());
        }
        if let Some(key) = key.downcast::<Tuple>() {
            if is_multi_index(key) {
                let offset = this.offset_of(vm, key)?;
                return this.item(vm, offset);
            }
            if is_multi_slice(key) {
                return Err(vm.not_implemented_error("multi-dimensional slicing is not implemented"));
            }
        }
        Err(vm.type_error("memoryview: invalid slice key"))
    }

    #[slot]
    fn __setitem__(vm: &Vm, this: &Py<MemoryView>, key: &Value, value: Option<&Value>) -> Res<()> {
        this.check(vm)?;
        let layout = &this.layout;
        items::single_code(vm, &layout.format)?;
        if layout.readonly {
            return Err(vm.type_error("cannot modify read-only memory"));
        }
        let Some(value) = value else {
            return Err(vm.type_error("cannot delete memory"));
        };
        if layout.shape.is_empty() {
            let whole = key.is(&Value::ELLIPSIS) || key.downcast_exact::<Tuple>().is_some_and(|key| key.is_empty());
            if !whole {
                return Err(vm.type_error("invalid indexing of 0-dim memory"));
            }
            return this.store(vm, layout.offset, value);
        }
        if is_index(key) {
            if layout.shape.len() > 1 {
                return Err(vm.not_implemented_error("sub-views are not implemented"));
            }
            let index = vm.index_to_isize(key)?;
            return this.store(vm, layout.offset + layout.at(vm, 0, index)?, value);
        }
        if let Some(slice) = key.downcast_exact::<Slice>()
            && layout.shape.len() == 1
        {
            let from = get_buffer(vm, value, BufferFlags::FULL_RO)?;
            let range = slice.adjust(vm, layout.shape[0])?;
            let to = this.sliced(range);
            let fits = plain(&from.format) == plain(&to.format)
                && from.itemsize == to.itemsize
                && from.shape.as_slice() == to.shape.as_slice();
            if !fits {
                return Err(vm.value_error("memoryview assignment: lvalue and rvalue have different structures"));
            }
            let bytes = from.to_vec(vm)?;
            return this.write(vm, &to.shape, &to.strides, to.offset, &bytes);
        }
        if let Some(key) = key.downcast::<Tuple>()
            && is_multi_index(key)
        {
            let offset = this.offset_of(vm, key)?;
            return this.store(vm, offset, value);
        }
        let slices = key.downcast_exact::<Slice>().is_some() || key.downcast::<Tuple>().is_some_and(is_multi_slice);
        if slices {
            let message = "memoryview slice assignments are currently restricted to ndim = 1";
            return Err(vm.not_implemented_error(message));
        }
        Err(vm.type_error("memoryview: invalid slice key"))
    }

    /// Release the underlying buffer exposed by the memoryview object.
    #[pymethod(sig = "($self, /)")]
    fn release(vm: &Vm, this: &Py<MemoryView>) -> Res<()> {
        this.release_now(vm)
    }

    #[pymethod(sig = "($self, /)")]
    fn __enter__(vm: &Vm, this: &Py<MemoryView>) -> Res<Value> {
        this.check(vm)?;
        Ok(this.to_value())
    }

    #[pymethod(sig = "($self, /, *args)")]
    fn __exit__(vm: &Vm, this: &Py<MemoryView>, _args: &[Value]) -> Res<()> {
        this.release_now(vm)
    }

    /// Release the buffer object that exposes the underlying memory of the object.
    #[pymethod(sig = "($self, buffer, /)")]
    fn __release_buffer__(vm: &Vm, this: &Py<MemoryView>, buffer: &Value) -> Res<()> {
        release_buffer(vm, this.as_value(), buffer)
    }

    /// See PEP 585
    #[classmethod(sig = "($type, object, /)")]
    fn __class_getitem__(vm: &Vm, cls: &Py<Type>, object: &Value) -> Res<Value> {
        super::common::class_getitem(vm, cls, object)
    }

    /// Return the data in the buffer as a byte string.
    #[pymethod(sig = "($self, /, order='C')")]
    fn tobytes(vm: &Vm, this: &Py<MemoryView>, order: Option<&Value>) -> Res<Value> {
        this.check(vm)?;
        let layout = &this.layout;
        let order = match order.filter(|order| !order.is_none()) {
            None => "C".to_owned(),
            Some(order) => match order.downcast::<Str>() {
                Some(order) => order.to_string_lossy(),
                None => {
                    let found = order.ty().name();
                    return Err(vm.type_error(format!("tobytes() argument 'order' must be str or None, not {found}")));
                }
            },
        };
        let fortran = match order.as_str() {
            "C" => false,
            "F" => true,
            "A" => layout.is_f() && !layout.is_c(),
            _ => return Err(vm.value_error("order must be 'C', 'F' or 'A'")),
        };
        let bytes = if fortran {
            let mut shape = layout.shape.clone();
            let mut strides = layout.strides.clone();
            shape.reverse();
            strides.reverse();
            this.to_vec_of(vm, &shape, &strides)?
        } else {
            this.to_vec(vm)?
        };
        Ok(Bytes::new_value(bytes))
    }

    /// Return the data in the buffer as a str of hexadecimal numbers.
    #[pymethod(sig = "($self, /, sep=<unrepresentable>, bytes_per_sep=1)")]
    fn hex(vm: &Vm, this: &Py<MemoryView>, sep: Option<&Value>, bytes_per_sep: Option<i32>) -> Res<Value> {
        let bytes = this.to_vec(vm)?;
        super::bytes_methods::to_hex(vm, &bytes, sep, bytes_per_sep.unwrap_or(1) as isize)
    }

    /// Return the data in the buffer as a list of elements.
    #[pymethod(sig = "($self, /)")]
    fn tolist(vm: &Vm, this: &Py<MemoryView>) -> Res<Value> {
        this.check(vm)?;
        let code = items::single_code(vm, &this.layout.format)?;
        let bytes = this.to_vec(vm)?;
        this.tolist_from(vm, code, &bytes, &this.layout.shape)
    }

    /// Return a readonly version of the memoryview.
    #[pymethod(sig = "($self, /)")]
    fn toreadonly(vm: &Vm, this: &Py<MemoryView>) -> Res<Value> {
        let source = this.source(vm)?;
        this.check_unrestricted(vm)?;
        let layout = Layout {
            readonly: true,
            ..this.layout.0.clone()
        };
        Ok(this.derived(source, layout).into_value())
    }

    /// Cast a memoryview to a new format or shape.
    #[pymethod(sig = "($self, /, format, shape=<unrepresentable>)")]
    fn cast(vm: &Vm, this: &Py<MemoryView>, format: &Py<Str>, shape: Option<&Value>) -> Res<Value> {
        let source = this.source(vm)?;
        this.check_unrestricted(vm)?;
        let old = &this.layout;
        if !old.is_c() {
            return Err(vm.type_error("memoryview: casts are restricted to C-contiguous views"));
        }
        if (shape.is_some() || old.shape.len() != 1) && old.shape.contains(&0) {
            return Err(vm.type_error("memoryview: cannot cast view with zeros in shape or strides"));
        }
        if let Some(shape) = shape {
            let dimensions = match (shape.downcast::<List>(), shape.downcast::<Tuple>()) {
                (Some(list), _) => list.len(),
                (_, Some(tuple)) => tuple.len(),
                _ => return Err(vm.type_error("shape must be a list or a tuple")),
            };
            if dimensions > 64 {
                return Err(vm.value_error("memoryview: number of dimensions must not exceed 64"));
            }
            if old.shape.len() != 1 && dimensions != 1 {
                return Err(vm.type_error("memoryview: cast must be 1D -> ND or ND -> 1D"));
            }
        }
        let format = format.to_string_lossy();
        let Some((to, itemsize)) = items::native_size(&format) else {
            return Err(vm.value_error(
                "memoryview: destination format must be a native single character format prefixed with an optional '@'",
            ));
        };
        let is_byte = |code: u8| matches!(code, b'b' | b'B' | b'c');
        let from = items::native_size(&old.format);
        if !from.is_some_and(|(from, _)| is_byte(from)) && !is_byte(to) {
            return Err(vm.type_error("memoryview: cannot cast between two non-byte formats"));
        }
        let bytes = old.bytes();
        if !bytes.is_multiple_of(itemsize) {
            return Err(vm.type_error("memoryview: length is not a multiple of itemsize"));
        }
        let extents = match shape {
            Some(shape) => shape_of(vm, shape, itemsize, bytes)?,
            None => smallvec![bytes / itemsize],
        };
        let layout = Layout {
            format: Cow::Owned(format),
            itemsize,
            strides: c_strides(&extents, itemsize),
            shape: extents,
            offset: old.offset,
            readonly: old.readonly,
        };
        Ok(this.derived(source, layout).into_value())
    }

    /// Count the number of occurrences of a value.
    #[pymethod(sig = "($self, value, /)")]
    fn count(vm: &Vm, this: &Py<MemoryView>, value: &Value) -> Res<usize> {
        let iter = MemoryView::__iter__(vm, this)?;
        let mut count = 0;
        while let Some(item) = vm.next(&iter)? {
            count += usize::from(vm.eq(&item, value)?);
        }
        Ok(count)
    }

    /// Return the index of the first occurrence of a value.
    ///
    /// Raises ValueError if the value is not present.
    #[pymethod(sig = "($self, value, start=0, stop=sys.maxsize, /)")]
    fn index(vm: &Vm, this: &Py<MemoryView>, value: &Value, start: Option<&Value>, stop: Option<&Value>) -> Res<usize> {
        this.check(vm)?;
        let extent = this.extent(vm, "lookup on", "multi-dimensional lookup is not implemented")?;
        let (start, stop) = (index_argument(vm, start, 0)?, index_argument(vm, stop, isize::MAX)?);
        for at in clamp_range(start, stop, extent) {
            let item = this.item(vm, this.layout.offset + at as isize * this.layout.strides[0])?;
            if vm.eq(&item, value)? {
                return Ok(at);
            }
        }
        Err(vm.value_error("memoryview.index(x): x not found"))
    }

    /// The underlying object of the memoryview.
    #[getter]
    fn obj(vm: &Vm, this: &Py<MemoryView>) -> Res<Option<Value>> {
        this.check(vm)?;
        Ok(this.object.get())
    }

    /// The amount of space in bytes that the array would use in
    /// a contiguous representation.
    #[getter]
    fn nbytes(vm: &Vm, this: &Py<MemoryView>) -> Res<usize> {
        this.check(vm).map(|()| this.layout.bytes())
    }

    /// A bool indicating whether the memory is read only.
    #[getter]
    fn readonly(vm: &Vm, this: &Py<MemoryView>) -> Res<bool> {
        this.check(vm).map(|()| this.layout.readonly)
    }

    /// The size in bytes of each element of the memoryview.
    #[getter]
    fn itemsize(vm: &Vm, this: &Py<MemoryView>) -> Res<usize> {
        this.check(vm).map(|()| this.layout.itemsize)
    }

    /// A string containing the format (in struct module style)
    /// for each element in the view.
    #[getter]
    fn format(vm: &Vm, this: &Py<MemoryView>) -> Res<String> {
        this.check(vm).map(|()| this.layout.format.to_string())
    }

    /// An integer indicating how many dimensions of a multi-dimensional
    /// array the memory represents.
    #[getter]
    fn ndim(vm: &Vm, this: &Py<MemoryView>) -> Res<usize> {
        this.check(vm).map(|()| this.layout.shape.len())
    }

    /// A tuple of ndim integers giving the shape of the memory
    /// as an N-dimensional array.
    #[getter]
    fn shape(vm: &Vm, this: &Py<MemoryView>) -> Res<Value> {
        this.check(vm)
            .map(|()| tuple_of(this.layout.shape.iter().map(|&extent| extent as i64)))
    }

    /// A tuple of ndim integers giving the size in bytes to access
    /// each element for each dimension of the array.
    #[getter]
    fn strides(vm: &Vm, this: &Py<MemoryView>) -> Res<Value> {
        this.check(vm)
            .map(|()| tuple_of(this.layout.strides.iter().map(|&stride| stride as i64)))
    }

    /// A tuple of integers used internally for PIL-style arrays.
    #[getter]
    fn suboffsets(vm: &Vm, this: &Py<MemoryView>) -> Res<Value> {
        this.check(vm).map(|()| Tuple::empty().into_value())
    }

    /// A bool indicating whether the memory is C contiguous.
    #[getter]
    fn c_contiguous(vm: &Vm, this: &Py<MemoryView>) -> Res<bool> {
        this.check(vm).map(|()| this.layout.is_c())
    }

    /// A bool indicating whether the memory is Fortran contiguous.
    #[getter]
    fn f_contiguous(vm: &Vm, this: &Py<MemoryView>) -> Res<bool> {
        this.check(vm).map(|()| this.layout.is_f())
    }

    /// A bool indicating whether the memory is contiguous.
    #[getter]
    fn contiguous(vm: &Vm, this: &Py<MemoryView>) -> Res<bool> {
        this.check(vm).map(|()| this.layout.is_c() || this.layout.is_f())
    }
}

/// `iter(memoryview)`
#[pyclass(name = "memory_iterator", no_new)]
pub struct MemoryIterator {
    view: PySlot<MemoryView>,
    at: AtomicUsize,
    extent: usize,
}

#[pymethods]
impl MemoryIterator {
    #[slot]
    fn __iter__(_vm: &Vm, this: &Py<MemoryIterator>) -> Value {
        this.to_value()
    }

    #[slot]
    fn __next__(vm: &Vm, this: &Py<MemoryIterator>) -> Res<Option<Value>> {
        let Some(view) = this.view.get() else {
            return Ok(None);
        };
        view.check(vm)?;
        let at = this.at.load(Relaxed);
        if at >= this.extent {
            drop(this.view.swap(None));
            return Ok(None);
        }
        this.at.store(at + 1, Relaxed);
        let layout = &view.layout;
        view.item(vm, layout.offset + at as isize * layout.strides[0]).map(Some)
    }
}
