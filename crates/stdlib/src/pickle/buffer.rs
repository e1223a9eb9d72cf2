//! `pickle.PickleBuffer`: a buffer that may travel outside of the pickle.
//! Invariant: the view is held until the buffer is released, so that the object's memory stays.

use lisle_runtime::native::*;
use lisle_runtime::types::buffer::{Dims, get_buffer};
use lisle_runtime::types::memoryview::MemoryView;

#[pyclass(
    name = "PickleBuffer",
    module = "pickle",
    weakref,
    doc = "Wrapper for potentially out-of-band buffers"
)]
pub struct PickleBuffer {
    /// What the buffer was made of; a view of a part exports that part.
    object: Slot,
    view: Slot,
}

/// The object, if it was not released.
fn object(vm: &Vm, this: &Py<PickleBuffer>) -> Res<Value> {
    this.object
        .get()
        .ok_or_else(|| vm.value_error("operation forbidden on released PickleBuffer object"))
}

/// The memory as plain bytes; `None` if it has gaps.
pub fn flat(vm: &Vm, this: &Py<PickleBuffer>) -> Res<Option<Buffer>> {
    let mut buffer = get_buffer(vm, &object(vm, this)?, BufferFlags::FULL_RO)?;
    let mut step = buffer.itemsize as isize;
    let mut fortran = true;
    for (extent, stride) in buffer.shape.iter().zip(&buffer.strides) {
        fortran &= *extent <= 1 || *stride == step;
        step *= *extent as isize;
    }
    if !buffer.is_c_contiguous() && !fortran {
        return Ok(None);
    }
    let len = buffer.len;
    buffer.format = "B".into();
    buffer.itemsize = 1;
    buffer.shape = Dims::from_elem(len, 1);
    buffer.strides = Dims::from_elem(1, 1);
    Ok(Some(buffer))
}

#[pymethods]
impl PickleBuffer {
    #[slot(sig = "(object, /)")]
    fn __new__(vm: &Vm, cls: &Py<Type>, object: &Value) -> Res<Value> {
        let view = MemoryView::of(vm, object)?;
        let this = PickleBuffer {
            object: Slot::new(object.clone()),
            view: Slot::new(view.into_value()),
        };
        Ok(Py::with_class(cls, this).into_value())
    }

    #[slot]
    fn __buffer__(vm: &Vm, this: &Py<PickleBuffer>, flags: BufferFlags) -> Res<Buffer> {
        get_buffer(vm, &object(vm, this)?, flags)
    }

    /// Return a memoryview of the raw memory underlying this buffer.
    ///
    /// Will raise BufferError is the buffer isn't contiguous.
    #[pymethod(sig = "($self, /)")]
    fn raw(vm: &Vm, this: &Py<PickleBuffer>) -> Res<Value> {
        match flat(vm, this)? {
            Some(buffer) => Ok(MemoryView::over(buffer).into_value()),
            None => Err(vm.buffer_error("cannot extract raw buffer from non-contiguous buffer")),
        }
    }

    /// Release the underlying buffer exposed by the PickleBuffer object.
    #[pymethod(sig = "($self, /)")]
    fn release(_: &Vm, this: &Py<PickleBuffer>) {
        drop(this.object.take());
        drop(this.view.take());
    }
}
