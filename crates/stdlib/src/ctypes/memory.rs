//! Memory that has an address: of its own, of another object, or of nobody that is known.
//!
//! Invariant: the memory of a [`Memory`] lies still as long as the object lives, if it is its own or pinned.

use std::borrow::Cow;

use lisle_runtime::memory::trace::Opaque;
use lisle_runtime::native::{Py, Res, Value, Vm, pyclass, pymethods};
use lisle_runtime::types::buffer::{self, Buffer, BufferFlags, Exporter};
use lisle_runtime::types::bytes::Bytes;
use lisle_runtime::types::str::Str;
use lisle_runtime::types::tuple::Tuple;

/// A place in memory, which can be seen as a buffer.
#[pyclass(name = "Memory", module = "_ctypes_core", no_new)]
pub struct Memory {
    address: usize,
    nbytes: usize,
    readonly: bool,
    /// What keeps the memory where it is: its own block, a buffer, another object.
    block: Opaque<Option<Box<[u128]>>>,
    buffer: Option<Buffer>,
    owner: Option<Value>,
    /// How a buffer shows it.
    format: String,
    itemsize: usize,
    shape: Vec<usize>,
}

impl Memory {
    fn plain(address: usize, nbytes: usize) -> Memory {
        Memory {
            address,
            nbytes,
            readonly: false,
            block: Opaque(None),
            buffer: None,
            owner: None,
            format: "B".into(),
            itemsize: 1,
            shape: vec![nbytes],
        }
    }
}

struct MemoryExporter;

impl MemoryExporter {
    fn place(owner: &Value, offset: usize, len: usize) -> Option<usize> {
        let memory = owner.downcast::<Memory>()?;
        let fits = offset.checked_add(len).is_some_and(|end| end <= memory.nbytes);
        fits.then(|| memory.address + offset)
    }
}

impl Exporter for MemoryExporter {
    fn read(&self, owner: &Value, offset: usize, out: &mut [u8]) -> bool {
        let Some(at) = MemoryExporter::place(owner, offset, out.len()) else {
            return false;
        };
        // SAFETY: the range is within the memory, which lies still, or for which the program answers.
        unsafe { std::ptr::copy_nonoverlapping(at as *const u8, out.as_mut_ptr(), out.len()) };
        true
    }

    fn write(&self, owner: &Value, offset: usize, bytes: &[u8]) -> bool {
        let Some(at) = MemoryExporter::place(owner, offset, bytes.len()) else {
            return false;
        };
        // SAFETY: as above.
        unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), at as *mut u8, bytes.len()) };
        true
    }

    fn address(&self, owner: &Value) -> Option<usize> {
        owner.downcast::<Memory>().map(|memory| memory.address)
    }
}

#[pymethods]
impl Memory {
    /// Zeroed memory of its own.
    #[staticmethod(sig = "(nbytes, /)")]
    fn alloc(vm: &Vm, nbytes: usize) -> Res<Value> {
        let mut block: Vec<u128> = Vec::new();
        let words = nbytes.div_ceil(16).max(1);
        if block.try_reserve_exact(words).is_err() {
            return Err(vm.memory_error());
        }
        block.resize(words, 0);
        let mut block = block.into_boxed_slice();
        let address = block.as_mut_ptr() as usize;
        Ok(Py::new(Memory {
            block: Opaque(Some(block)),
            ..Memory::plain(address, nbytes)
        })
        .into_value())
    }

    /// The memory of another object, which cannot move meanwhile.
    #[staticmethod(sig = "(obj, /)")]
    fn pin(vm: &Vm, obj: &Value) -> Res<Value> {
        let buffer = buffer::get_buffer(vm, obj, BufferFlags::FULL_RO)?;
        if buffer.readonly {
            return Err(vm.type_error("underlying buffer is not writable"));
        }
        if !buffer.is_c_contiguous() {
            return Err(vm.type_error("underlying buffer is not C contiguous"));
        }
        let Some(start) = buffer.exporter.address(&buffer.owner) else {
            return Err(vm.type_error(format!("the memory of '{}' objects has no address", obj.ty().name())));
        };
        let (address, nbytes) = (start + buffer.offset, buffer.len);
        Ok(Py::new(Memory {
            buffer: Some(buffer),
            ..Memory::plain(address, nbytes)
        })
        .into_value())
    }

    /// The memory at an address, which `owner` keeps alive.
    #[staticmethod(sig = "(address, nbytes, owner=None, readonly=False, format='B', itemsize=1, shape=None, /)")]
    fn at(
        vm: &Vm,
        address: usize,
        nbytes: usize,
        owner: Option<&Value>,
        readonly: bool,
        format: Option<&Py<Str>>,
        itemsize: Option<usize>,
        shape: Option<&Value>,
    ) -> Res<Value> {
        let shape = match shape.filter(|s| !s.is_none()) {
            Some(shape) => match shape.downcast::<Tuple>() {
                Some(shape) => shape
                    .as_slice()
                    .iter()
                    .map(|n| vm.index_to_isize(n).map(|n| n.max(0) as usize))
                    .collect::<Res<Vec<usize>>>()?,
                None => return Err(vm.type_error("shape must be a tuple")),
            },
            None => vec![nbytes],
        };
        Ok(Py::new(Memory {
            owner: owner.filter(|o| !o.is_none()).cloned(),
            readonly,
            format: format.map_or_else(|| "B".to_owned(), |f| f.to_string_lossy()),
            itemsize: itemsize.unwrap_or(1),
            shape,
            ..Memory::plain(address, nbytes)
        })
        .into_value())
    }

    #[getter]
    fn address(_: &Vm, this: &Py<Memory>) -> Value {
        Value::usize(this.address)
    }

    #[getter]
    fn nbytes(_: &Vm, this: &Py<Memory>) -> usize {
        this.nbytes
    }

    #[slot]
    fn __buffer__(_vm: &Vm, this: &Py<Memory>, _flags: BufferFlags) -> Res<Buffer> {
        let mut strides = buffer::Dims::new();
        let mut step = this.itemsize as isize;
        for extent in this.shape.iter().rev() {
            strides.insert(0, step);
            step *= *extent as isize;
        }
        Ok(Buffer {
            owner: this.to_value(),
            exporter: &MemoryExporter,
            readonly: this.readonly,
            format: Cow::Owned(this.format.clone()),
            itemsize: this.itemsize,
            shape: this.shape.iter().copied().collect(),
            strides,
            offset: 0,
            len: this.nbytes,
        })
    }
}

pub fn read(vm: &Vm, address: usize, size: usize) -> Res<Value> {
    let mut out: Vec<u8> = Vec::new();
    if out.try_reserve_exact(size).is_err() {
        return Err(vm.memory_error());
    }
    out.resize(size, 0);
    // SAFETY: the Python part answers for the address (see `ctypes`).
    unsafe { std::ptr::copy_nonoverlapping(address as *const u8, out.as_mut_ptr(), size) };
    Ok(Bytes::new_value(out))
}

pub fn write(vm: &Vm, address: usize, data: &Value) -> Res<()> {
    let bytes = buffer::read_all(vm, data)?;
    // SAFETY: as above.
    unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), address as *mut u8, bytes.len()) };
    Ok(())
}

pub fn string_at(vm: &Vm, address: usize, size: isize) -> Res<Value> {
    if address == 0 && size != 0 {
        return Err(vm.value_error("NULL pointer access"));
    }
    let size = match usize::try_from(size) {
        Ok(size) => size,
        // SAFETY: the program answers for the address and the null byte.
        Err(_) => unsafe { libc::strlen(address as *const libc::c_char) },
    };
    read(vm, address, size)
}

pub fn wstring_at(vm: &Vm, address: usize, size: isize) -> Res<Value> {
    if address == 0 && size != 0 {
        return Err(vm.value_error("NULL pointer access"));
    }
    let mut text = lisle_runtime::text::StrBuilder::new();
    let mut at = address as *const u32;
    let mut count = 0;
    while size < 0 || count < size {
        // SAFETY: the program answers for the address, and for the null character or the size.
        let c = unsafe { at.read_unaligned() };
        if size < 0 && c == 0 {
            break;
        }
        if c > 0x10_ffff {
            return Err(vm.value_error(format!("character U+{c:x} is not in range [U+0000; U+10ffff]")));
        }
        text.push(c);
        at = at.wrapping_add(1);
        count += 1;
    }
    Ok(Str::from_buf(text.finish()).into_value())
}
