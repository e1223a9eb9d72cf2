//! `array`: arrays of numbers or characters of one kind. The kinds are in `array/items.rs`, pickling in `array/pickle.rs`.
//!
//! Invariant: the items are bytes under the object's lock, a multiple of the item size; while the memory is exported they are changed but
//! neither grow nor shrink. Values are converted without the lock.

mod items;
mod pickle;

use std::borrow::Cow;

use lisle_runtime::intern;
use lisle_runtime::memory::room::{self, NoMemory};
use lisle_runtime::native::{Args, Char, CmpOp, Py, PySlot, Res, Str, Type, Value, Vm, pyclass, pymethods, pymodule};
use lisle_runtime::object::{Native, Obj};
use lisle_runtime::sync::Locked;
use lisle_runtime::sync::atomic::{
    AtomicUsize,
    Ordering::{AcqRel, Acquire, Relaxed},
};
use lisle_runtime::types::buffer::{Buffer, BufferFlags, Exporter, get_bytes, is_bytes_like};
use lisle_runtime::types::bytearray::ByteArray;
use lisle_runtime::types::bytes::Bytes;
use lisle_runtime::types::dict::Dict;
use lisle_runtime::types::exceptions;
use lisle_runtime::types::generic_alias::GenericAlias;
use lisle_runtime::types::list::List;
use lisle_runtime::types::slice::{Slice, SliceRange, adjust_bounds, clamp_range, index_argument};
use lisle_runtime::types::tuple::Tuple;

use items::{KINDS, Kind, Meaning, text_items};

/// An array.
#[pyclass(
    name = "array",
    module = "array",
    basetype,
    weakref,
    sequence,
    unhashable,
    doc = "array(typecode [, initializer]) -> array\n\nReturn a new array whose items are restricted by typecode, and\ninitialized from the optional initializer value, which must be a list,\nstring or iterable over elements of the appropriate type."
)]
pub struct Array {
    kind: Kind,
    bytes: Locked<Vec<u8>>,
    exports: AtomicUsize,
}

struct ArrayExporter;

impl Exporter for ArrayExporter {
    fn read(&self, owner: &Value, offset: usize, out: &mut [u8]) -> bool {
        let Some(array) = owner.downcast::<Array>() else {
            return false;
        };
        Array::with(array, |bytes| {
            match bytes.get(offset..).and_then(|bytes| bytes.get(..out.len())) {
                Some(part) => {
                    out.copy_from_slice(part);
                    true
                }
                None => false,
            }
        })
    }

    fn write(&self, owner: &Value, offset: usize, from: &[u8]) -> bool {
        let Some(array) = owner.downcast::<Array>() else {
            return false;
        };
        Array::with(array, |bytes| {
            match bytes.get_mut(offset..).and_then(|bytes| bytes.get_mut(..from.len())) {
                Some(part) => {
                    part.copy_from_slice(from);
                    true
                }
                None => false,
            }
        })
    }

    fn address(&self, owner: &Value) -> Option<usize> {
        Some(Array::with(owner.downcast::<Array>()?, |bytes| bytes.as_ptr() as usize))
    }

    fn release(&self, _vm: &Vm, owner: &Value) {
        if let Some(array) = owner.downcast::<Array>() {
            array.exports.fetch_sub(1, AcqRel);
        }
    }
}

/// How many items are worked on before signals are looked for.
const BLOCK: usize = 4096;

/// Why an array was not changed.
enum Fault {
    Exported,
    Memory,
    Range,
}

impl Array {
    fn new_of(cls: &Py<Type>, kind: Kind, bytes: Vec<u8>) -> Py<Array> {
        Py::with_class(
            cls,
            Array {
                kind,
                bytes: Locked::new(bytes),
                exports: AtomicUsize::new(0),
            },
        )
    }

    fn plain(kind: Kind, bytes: Vec<u8>) -> Value {
        Array::new_of(Array::ty(), kind, bytes).into_value()
    }

    #[inline(always)]
    fn with<R>(this: &Py<Array>, f: impl FnOnce(&mut Vec<u8>) -> R) -> R {
        this.bytes.with(this.header(), f)
    }

    fn snapshot(this: &Py<Array>) -> Result<Vec<u8>, NoMemory> {
        Array::with(this, |bytes| room::copied(bytes))
    }

    /// Up to [`BLOCK`] items from number `at` on; none at the end.
    fn block(this: &Py<Array>, at: usize) -> Vec<u8> {
        let size = this.kind.size;
        Array::with(this, |bytes| {
            let rest = at.checked_mul(size).and_then(|start| bytes.get(start..));
            rest.map_or_else(Vec::new, |rest| rest[..rest.len().min(BLOCK * size)].to_vec())
        })
    }

    fn count_items(this: &Py<Array>) -> usize {
        Array::with(this, |bytes| bytes.len()) / this.kind.size
    }

    /// Changes the length, unless the memory is exported.
    fn resize(
        vm: &Vm,
        this: &Py<Array>,
        change: impl FnOnce(&mut Vec<u8>) -> std::result::Result<(), Fault>,
    ) -> Res<()> {
        let done = Array::with(this, |bytes| match this.exports.load(Acquire) {
            0 => change(bytes),
            _ => Err(Fault::Exported),
        });
        match done {
            Ok(()) => Ok(()),
            Err(Fault::Exported) => Err(vm.buffer_error("cannot resize an array that is exporting buffers")),
            Err(Fault::Memory) => Err(vm.memory_error()),
            Err(Fault::Range) => Err(vm.index_error("array index out of range")),
        }
    }

    fn push_bytes(vm: &Vm, this: &Py<Array>, more: &[u8]) -> Res<()> {
        if more.is_empty() {
            return Ok(());
        }
        Array::resize(vm, this, |bytes| {
            bytes.try_reserve(more.len()).map_err(|_| Fault::Memory)?;
            bytes.extend_from_slice(more);
            Ok(())
        })
    }

    fn push(vm: &Vm, this: &Py<Array>, value: &Value) -> Res<()> {
        let item = this.kind.item(vm, value)?;
        Array::push_bytes(vm, this, &item[..this.kind.size])
    }

    #[inline]
    fn get(vm: &Vm, this: &Py<Array>, at: usize) -> Res<Option<Value>> {
        match Array::with(this, |bytes| this.kind.load(bytes, at)) {
            Some(word) => this.kind.value(vm, word).map(Some),
            None => Ok(None),
        }
    }

    fn values(vm: &Vm, this: &Py<Array>) -> Res<Vec<Value>> {
        let bytes = Array::snapshot(this)?;
        let mut values = Vec::new();
        values.try_reserve_exact(bytes.len() / this.kind.size)?;
        let mut next = 0;
        while let Some(word) = this.kind.load(&bytes, next) {
            values.push(this.kind.value(vm, word)?);
            next += 1;
        }
        Ok(values)
    }

    /// The bytes of the selected items.
    fn selected(this: &Py<Array>, range: SliceRange, bytes: &[u8]) -> Result<Vec<u8>, NoMemory> {
        let size = this.kind.size;
        if let Some(part) = range.contiguous() {
            return room::copied(&bytes[part.start * size..part.end * size]);
        }
        let mut selected = Vec::new();
        selected.try_reserve_exact(range.count * size)?;
        for at in range.indices() {
            selected.extend_from_slice(&bytes[at * size..][..size]);
        }
        Ok(selected)
    }

    fn index_of(vm: &Vm, this: &Py<Array>, key: &Value) -> Res<isize> {
        let index = match key.as_small_int() {
            Some(index) => index as isize,
            None if key.ty().slots().index.is_none() => {
                return Err(vm.type_error("array indices must be integers"));
            }
            None => vm.index_to_isize(key)?,
        };
        Ok(if index < 0 {
            index.wrapping_add_unsigned(Array::count_items(this))
        } else {
            index
        })
    }

    fn set_slice(vm: &Vm, this: &Py<Array>, slice: &Py<Slice>, value: Option<&Value>) -> Res<()> {
        let new = match value {
            None => Vec::new(),
            Some(value) => match value.downcast::<Array>() {
                Some(other) if other.kind == this.kind => Array::snapshot(other)?,
                Some(_) => return Err(bad_argument(vm)),
                None => {
                    let found = value.ty().name();
                    return Err(vm.type_error(format!("can only assign array (not \"{found}\") to array slice")));
                }
            },
        };
        let (bounds, size) = (slice.unpack(vm)?, this.kind.size);
        // The size of an extended slice that `new` does not fit.
        let mut misfit = None;
        let changed = Array::with(this, |bytes| {
            let range = adjust_bounds(bounds, bytes.len() / size);
            let needed = new.len() / size;
            if range.step == 1 || value.is_none() {
                if range.count != needed && this.exports.load(Acquire) != 0 {
                    return Err(Fault::Exported);
                }
                if let Some(part) = range.contiguous() {
                    let more = new.len().saturating_sub(part.len() * size);
                    bytes.try_reserve(more).map_err(|_| Fault::Memory)?;
                    bytes.splice(part.start * size..part.end * size, new);
                    return Ok(());
                }
                let mut gone = range.ascending().indices().peekable();
                let mut kept = 0;
                for at in 0..bytes.len() / size {
                    if gone.next_if_eq(&at).is_none() {
                        bytes.copy_within(at * size..(at + 1) * size, kept);
                        kept += size;
                    }
                }
                bytes.truncate(kept);
                return Ok(());
            }
            if range.count != needed {
                misfit = Some((needed, range.count));
                return Ok(());
            }
            for (at, item) in range.indices().zip(new.chunks_exact(size)) {
                bytes[at * size..][..size].copy_from_slice(item);
            }
            Ok(())
        });
        if let Some((given, wanted)) = misfit {
            return Err(vm.value_error(format!(
                "attempt to assign array of size {given} to extended slice of size {wanted}"
            )));
        }
        match changed {
            Ok(()) => Ok(()),
            Err(Fault::Exported) => Err(vm.buffer_error("cannot resize an array that is exporting buffers")),
            Err(_) => Err(vm.memory_error()),
        }
    }

    /// The number of the first item from `start` to `stop` that equals `value`.
    fn find(vm: &Vm, this: &Py<Array>, value: &Value, start: usize, stop: usize) -> Res<Option<usize>> {
        let mut at = start;
        while at < stop
            && let Some(item) = Array::get(vm, this, at)?
        {
            if vm.eq(&item, value)? {
                return Ok(Some(at));
            }
            at += 1;
            if at.is_multiple_of(BLOCK) {
                vm.safepoint()?;
            }
        }
        Ok(None)
    }

    /// Appends the bytes of another array or the items of an iterable.
    fn extend_with(vm: &Vm, this: &Py<Array>, other: &Value) -> Res<()> {
        match other.downcast::<Array>() {
            Some(other) if other.kind == this.kind => {
                let more = Array::snapshot(other)?;
                Array::push_bytes(vm, this, &more)
            }
            Some(_) => Err(vm.type_error("can only extend with array of same kind")),
            None => vm.for_each(other, |item| Array::push(vm, this, &item)),
        }
    }

    fn push_whole_items(vm: &Vm, this: &Py<Array>, bytes: &[u8]) -> Res<()> {
        if !bytes.len().is_multiple_of(this.kind.size) {
            return Err(vm.value_error("bytes length not a multiple of item size"));
        }
        Array::push_bytes(vm, this, bytes)
    }

    fn repeated(vm: &Vm, this: &Py<Array>, n: isize) -> Res<Vec<u8>> {
        let bytes = Array::snapshot(this)?;
        if bytes.is_empty() {
            // However often.
            return Ok(Vec::new());
        }
        let n = usize::try_from(n).unwrap_or(0);
        let mut all = Vec::new();
        let fits = bytes
            .len()
            .checked_mul(n)
            .is_some_and(|len| all.try_reserve_exact(len).is_ok());
        if !fits {
            return Err(vm.memory_error());
        }
        (0..n).for_each(|_| all.extend_from_slice(&bytes));
        Ok(all)
    }
}

/// The first items that differ.
fn unequal(vm: &Vm, mine: (Kind, &[u8]), theirs: (Kind, &[u8])) -> Res<Option<(Value, Value)>> {
    let words = (0..).map_while(|at| Some((mine.0.load(mine.1, at)?, theirs.0.load(theirs.1, at)?)));
    for (a, b) in words {
        let (a, b) = (mine.0.value(vm, a)?, theirs.0.value(vm, b)?);
        // Not by identity: a NaN differs from itself.
        let same = vm.rich_compare(&a, &b, CmpOp::Eq)?;
        if !vm.truth(&same)? {
            return Ok(Some((a, b)));
        }
    }
    Ok(None)
}

fn bad_argument(vm: &Vm) -> lisle_runtime::native::Exc {
    vm.type_error("bad argument type for built-in operation")
}

/// The type code and the initial value of a new array.
fn new_array(vm: &Vm, cls: &Py<Type>, kind: Kind, initial: Option<&Value>) -> Res<Py<Array>> {
    let array = Array::new_of(cls, kind, Vec::new());
    let Some(initial) = initial else { return Ok(array) };
    let unicode = kind.meaning == Meaning::Char;
    if !unicode {
        if initial.downcast::<Str>().is_some() {
            let message = format!("cannot use a str to initialize an array with typecode '{}'", kind.code);
            return Err(vm.type_error(message));
        }
        if initial
            .downcast::<Array>()
            .is_some_and(|other| other.kind.meaning == Meaning::Char)
        {
            let message = format!(
                "cannot use a unicode array to initialize an array with typecode '{}'",
                kind.code
            );
            return Err(vm.type_error(message));
        }
    }
    if let Some(other) = initial.downcast::<Array>()
        && other.kind == kind
    {
        let bytes = Array::snapshot(other)?;
        Array::push_bytes(vm, &array, &bytes)?;
    } else if initial.downcast::<Bytes>().is_some() || initial.downcast::<ByteArray>().is_some() {
        let bytes = get_bytes(vm, initial)?;
        Array::push_whole_items(vm, &array, &bytes)?;
    } else if let Some(text) = initial.downcast::<Str>() {
        Array::push_bytes(vm, &array, &text_items(text)?)?;
    } else {
        vm.for_each(initial, |item| Array::push(vm, &array, &item))?;
    }
    Ok(array)
}

#[pymethods]
impl Array {
    #[slot]
    fn __new__(vm: &Vm, cls: &Py<Type>, args: Args<'_>) -> Res<Value> {
        if args.has_keywords() && !lisle_runtime::native::new_ignores_keywords::<Array>(cls) {
            return Err(vm.type_error("array.array() takes no keyword arguments"));
        }
        let given = args.positional();
        let (code, initial) = match given {
            [code] => (code, None),
            [code, initial] => (code, Some(initial)),
            _ => {
                let (bound, s) = if given.is_empty() {
                    ("at least 1", "")
                } else {
                    ("at most 2", "s")
                };
                let n = given.len();
                return Err(vm.type_error(format!("array() takes {bound} argument{s} ({n} given)")));
            }
        };
        let Some(text) = code.downcast::<Str>() else {
            let found = code.ty().name();
            return Err(vm.type_error(format!("array() argument 1 must be a unicode character, not {found}")));
        };
        let (1, Some(code)) = (text.len(), text.view().get(0)) else {
            return Err(vm.type_error("array() argument 1 must be a unicode character, not str"));
        };
        crate::syscall::audit!(
            vm,
            "array.__new__",
            text.to_value(),
            initial.cloned().unwrap_or(Value::NONE)
        );
        if code == u32::from('u') {
            let message = "The 'u' type code is deprecated and will be removed in Python 3.16";
            vm.warn(exceptions::DEPRECATION_WARNING.get(), message, 1)?;
        }
        Ok(new_array(vm, cls, Kind::of(vm, code)?, initial)?.into_value())
    }

    #[slot]
    fn __buffer__(_vm: &Vm, this: &Py<Array>, _flags: BufferFlags) -> Res<Buffer> {
        let count = Array::with(this, |bytes| {
            this.exports.fetch_add(1, AcqRel);
            bytes.len() / this.kind.size
        });
        let format = Cow::Owned(this.kind.code.to_string());
        Ok(Buffer::array(
            this.to_value(),
            &ArrayExporter,
            format,
            this.kind.size,
            count,
            false,
        ))
    }

    #[slot]
    fn __repr__(vm: &Vm, this: &Py<Array>) -> Res<String> {
        let (name, code) = (this.class().short_name(), this.kind.code);
        if Array::count_items(this) == 0 {
            return Ok(format!("{name}('{code}')"));
        }
        let items = if this.kind.meaning == Meaning::Char {
            Array::tounicode(vm, this)?
        } else {
            List::new(Array::values(vm, this)?).into_value()
        };
        Ok(format!("{name}('{code}', {})", vm.repr(&items)?.to_string_lossy()))
    }

    #[slot]
    fn __len__(_vm: &Vm, this: &Py<Array>) -> Res<usize> {
        Ok(Array::count_items(this))
    }

    #[slot]
    fn __iter__(_vm: &Vm, this: &Py<Array>) -> Value {
        Py::new(ArrayIter {
            array: PySlot::new(this.clone()),
            at: AtomicUsize::new(0),
        })
        .into_value()
    }

    #[slot]
    fn __contains__(vm: &Vm, this: &Py<Array>, item: &Value) -> Res<bool> {
        Ok(Array::find(vm, this, item, 0, usize::MAX)?.is_some())
    }

    #[slot]
    fn __getitem__(vm: &Vm, this: &Py<Array>, key: &Value) -> Res<Value> {
        if let Some(Ok(at)) = key.as_small_int().map(usize::try_from) {
            let found = Array::get(vm, this, at)?;
            return found.ok_or_else(|| vm.index_error("array index out of range"));
        }
        if let Some(slice) = key.downcast_exact::<Slice>() {
            let bounds = slice.unpack(vm)?;
            let selected = Array::with(this, |bytes| {
                let range = adjust_bounds(bounds, bytes.len() / this.kind.size);
                Array::selected(this, range, bytes)
            });
            return Ok(Array::plain(this.kind, selected?));
        }
        let at = Array::index_of(vm, this, key)?;
        let found = match usize::try_from(at) {
            Ok(at) => Array::get(vm, this, at)?,
            Err(_) => None,
        };
        found.ok_or_else(|| vm.index_error("array index out of range"))
    }

    #[slot]
    fn __setitem__(vm: &Vm, this: &Py<Array>, key: &Value, value: Option<&Value>) -> Res<()> {
        if let Some(slice) = key.downcast_exact::<Slice>() {
            return Array::set_slice(vm, this, slice, value);
        }
        let out_of_range = || vm.index_error("array assignment index out of range");
        let at = Array::index_of(vm, this, key)?;
        let at = usize::try_from(at).map_err(|_| out_of_range())?;
        let size = this.kind.size;
        let Some(value) = value else {
            if at >= Array::count_items(this) {
                return Err(out_of_range());
            }
            return Array::resize(vm, this, |bytes| {
                if (at + 1) * size > bytes.len() {
                    return Err(Fault::Range);
                }
                bytes.drain(at * size..(at + 1) * size);
                Ok(())
            });
        };
        if at >= Array::count_items(this) {
            return Err(out_of_range());
        }
        let word = this.kind.word(vm, value)?;
        let set = Array::with(this, |bytes| this.kind.store(bytes, at, word));
        if set { Ok(()) } else { Err(out_of_range()) }
    }

    #[slot]
    fn __richcompare__(vm: &Vm, this: &Py<Array>, other: &Value, op: CmpOp) -> Res<Value> {
        let Some(other) = other.downcast::<Array>() else {
            return Ok(Value::NOT_IMPLEMENTED);
        };
        let (mine, theirs) = (Array::count_items(this), Array::count_items(other));
        if mine != theirs && op == CmpOp::Eq {
            return Ok(Value::FALSE);
        }
        if mine != theirs && op == CmpOp::Ne {
            return Ok(Value::TRUE);
        }
        // Items of these kinds are equal if their bytes are.
        let plain = this.kind == other.kind && matches!(this.kind.meaning, Meaning::Signed | Meaning::Unsigned);
        let mut at = 0;
        loop {
            let (a, b) = (Array::block(this, at), Array::block(other, at));
            if a.is_empty() || b.is_empty() {
                break;
            }
            if !(plain && a == b)
                && let Some((mine, theirs)) = unequal(vm, (this.kind, &a), (other.kind, &b))?
            {
                return match op {
                    CmpOp::Eq => Ok(Value::FALSE),
                    CmpOp::Ne => Ok(Value::TRUE),
                    _ => vm.rich_compare(&mine, &theirs, op),
                };
            }
            at += BLOCK;
            vm.safepoint()?;
        }
        let (mine, theirs) = (Array::count_items(this), Array::count_items(other));
        vm.rich_compare(&Value::usize(mine), &Value::usize(theirs), op)
    }

    #[slot]
    fn __concat__(vm: &Vm, this: &Py<Array>, other: &Value) -> Res<Value> {
        match other.downcast::<Array>() {
            Some(other) if other.kind == this.kind => {
                let mut all = Array::snapshot(this)?;
                room::append(&mut all, &Array::snapshot(other)?)?;
                Ok(Array::plain(this.kind, all))
            }
            Some(_) => Err(bad_argument(vm)),
            None => {
                let found = other.ty().name();
                Err(vm.type_error(format!("can only append array (not \"{found}\") to array")))
            }
        }
    }

    #[slot]
    fn __inplace_concat__(vm: &Vm, this: &Py<Array>, other: &Value) -> Res<Value> {
        if other.downcast::<Array>().is_none() {
            let found = other.ty().name();
            return Err(vm.type_error(format!("can only extend array with array (not \"{found}\")")));
        }
        Array::extend_with(vm, this, other)?;
        Ok(this.to_value())
    }

    #[slot]
    fn __repeat__(vm: &Vm, this: &Py<Array>, n: isize) -> Res<Value> {
        Ok(Array::plain(this.kind, Array::repeated(vm, this, n)?))
    }

    #[slot]
    fn __inplace_repeat__(vm: &Vm, this: &Py<Array>, n: isize) -> Res<Value> {
        if n != 1 && Array::count_items(this) > 0 {
            let all = Array::repeated(vm, this, n)?;
            Array::resize(vm, this, |bytes| {
                *bytes = all;
                Ok(())
            })?;
        }
        Ok(this.to_value())
    }

    /// the typecode character used to create the array
    #[getter]
    fn typecode(_vm: &Vm, this: &Py<Array>) -> String {
        this.kind.code.to_string()
    }

    /// the size, in bytes, of one array item
    #[getter]
    fn itemsize(_vm: &Vm, this: &Py<Array>) -> usize {
        this.kind.size
    }

    /// Append new value v to the end of the array.
    #[pymethod(sig = "($self, v, /)")]
    fn append(vm: &Vm, this: &Py<Array>, v: &Value) -> Res<()> {
        Array::push(vm, this, v)
    }

    /// Return a tuple (address, length) giving the current memory address and the length in items of the buffer used to hold array's contents.
    ///
    /// The length should be multiplied by the itemsize attribute to calculate
    /// the buffer length in bytes.
    #[pymethod(sig = "($self, /)")]
    fn buffer_info(_vm: &Vm, this: &Py<Array>) -> (usize, usize) {
        let (address, len) = Array::with(this, |bytes| (bytes.as_ptr() as usize, bytes.len()));
        (address, len / this.kind.size)
    }

    /// Byteswap all items of the array.
    ///
    /// If the items in the array are not 1, 2, 4, or 8 bytes in size, RuntimeError is
    /// raised.
    #[pymethod(sig = "($self, /)")]
    fn byteswap(_vm: &Vm, this: &Py<Array>) -> Res<()> {
        let size = this.kind.size;
        Array::with(this, |bytes| bytes.chunks_exact_mut(size).for_each(<[u8]>::reverse));
        Ok(())
    }

    /// Remove all items from the array.
    #[pymethod(sig = "($self, /)")]
    fn clear(vm: &Vm, this: &Py<Array>) -> Res<()> {
        Array::resize(vm, this, |bytes| {
            *bytes = Vec::new();
            Ok(())
        })
    }

    /// Return a copy of the array.
    #[pymethod(sig = "($self, /)")]
    fn __copy__(_vm: &Vm, this: &Py<Array>) -> Res<Value> {
        Ok(Array::plain(this.kind, Array::snapshot(this)?))
    }

    /// Return a copy of the array.
    #[pymethod(sig = "($self, unused, /)")]
    fn __deepcopy__(_vm: &Vm, this: &Py<Array>, _unused: &Value) -> Res<Value> {
        Ok(Array::plain(this.kind, Array::snapshot(this)?))
    }

    /// Return number of occurrences of v in the array.
    #[pymethod(sig = "($self, v, /)")]
    fn count(vm: &Vm, this: &Py<Array>, v: &Value) -> Res<usize> {
        let (mut at, mut count) = (0, 0);
        while let Some(item) = Array::get(vm, this, at)? {
            count += usize::from(vm.eq(&item, v)?);
            at += 1;
            if at.is_multiple_of(BLOCK) {
                vm.safepoint()?;
            }
        }
        Ok(count)
    }

    /// Append items to the end of the array.
    #[pymethod(sig = "($self, bb, /)")]
    fn extend(vm: &Vm, this: &Py<Array>, bb: &Value) -> Res<()> {
        Array::extend_with(vm, this, bb)
    }

    /// Appends items from the string, interpreting it as an array of machine values, as if it had been read from a file using the fromfile() method.
    #[pymethod(sig = "($self, buffer, /)")]
    fn frombytes(vm: &Vm, this: &Py<Array>, buffer: &Value) -> Res<()> {
        if !is_bytes_like(buffer) {
            let found = buffer.ty().name();
            return Err(vm.type_error(format!("a bytes-like object is required, not '{found}'")));
        }
        if buffer.downcast::<Array>().is_some_and(|array| array.kind.size != 1) {
            return Err(vm.type_error("a bytes-like object is required"));
        }
        let bytes = get_bytes(vm, buffer)?;
        Array::push_whole_items(vm, this, &bytes)
    }

    /// Read n objects from the file object f and append them to the end of the array.
    #[pymethod(sig = "($self, f, n, /)")]
    fn fromfile(vm: &Vm, this: &Py<Array>, f: &Value, n: isize) -> Res<()> {
        let Ok(n) = usize::try_from(n) else {
            return Err(vm.value_error("negative count"));
        };
        let Some(wanted) = n.checked_mul(this.kind.size) else {
            return Err(vm.memory_error());
        };
        let data = vm.call_method(f, intern!("read"), &[Value::usize(wanted)])?;
        let Some(bytes) = data.downcast::<Bytes>() else {
            return Err(vm.type_error("read() didn't return bytes"));
        };
        Array::push_whole_items(vm, this, bytes.as_slice())?;
        if bytes.as_slice().len() != wanted {
            return Err(vm.eof_error("read() didn't return enough bytes"));
        }
        Ok(())
    }

    /// Append items to array from list.
    #[pymethod(sig = "($self, list, /)")]
    fn fromlist(vm: &Vm, this: &Py<Array>, list: &Value) -> Res<()> {
        let Some(list) = list.downcast::<List>() else {
            return Err(vm.type_error("arg must be list"));
        };
        let (values, size) = (list.snapshot(), this.kind.size);
        let mut more = Vec::new();
        more.try_reserve_exact(values.len() * size)?;
        for value in &values {
            more.extend_from_slice(&this.kind.item(vm, value)?[..size]);
            if list.len() != values.len() {
                return Err(vm.runtime_error("list changed size during iteration"));
            }
        }
        Array::push_bytes(vm, this, &more)
    }

    /// Extends this array with data from the unicode string ustr.
    ///
    /// The array must be a unicode type array; otherwise a ValueError is raised.
    /// Use array.frombytes(ustr.encode(...)) to append Unicode data to an array of
    /// some other type.
    #[pymethod(sig = "($self, ustr, /)")]
    fn fromunicode(vm: &Vm, this: &Py<Array>, ustr: &Py<Str>) -> Res<()> {
        if this.kind.meaning != Meaning::Char {
            let message = "fromunicode() may only be called on unicode type arrays ('u' or 'w')";
            return Err(vm.value_error(message));
        }
        Array::push_bytes(vm, this, &text_items(ustr)?)
    }

    /// Return index of first occurrence of v in the array.
    ///
    /// Raise ValueError if the value is not present.
    #[pymethod(sig = "($self, v, start=0, stop=sys.maxsize, /)")]
    fn index(vm: &Vm, this: &Py<Array>, v: &Value, start: Option<&Value>, stop: Option<&Value>) -> Res<usize> {
        let (start, stop) = (index_argument(vm, start, 0)?, index_argument(vm, stop, isize::MAX)?);
        let range = clamp_range(start, stop, Array::count_items(this));
        Array::find(vm, this, v, range.start, range.end)?
            .ok_or_else(|| vm.value_error("array.index(x): x not in array"))
    }

    /// Insert a new item v into the array before position i.
    #[pymethod(sig = "($self, i, v, /)")]
    fn insert(vm: &Vm, this: &Py<Array>, i: isize, v: &Value) -> Res<()> {
        let (item, size) = (this.kind.item(vm, v)?, this.kind.size);
        Array::resize(vm, this, |bytes| {
            bytes.try_reserve(size).map_err(|_| Fault::Memory)?;
            let len = bytes.len() / size;
            let at = if i < 0 {
                i.saturating_add_unsigned(len).max(0) as usize
            } else {
                (i as usize).min(len)
            };
            bytes.splice(at * size..at * size, item[..size].iter().copied());
            Ok(())
        })
    }

    /// Return the i-th element and delete it from the array.
    ///
    /// i defaults to -1.
    #[pymethod(sig = "($self, i=-1, /)")]
    fn pop(vm: &Vm, this: &Py<Array>, i: isize) -> Res<Value> {
        let (len, size) = (Array::count_items(this), this.kind.size);
        if len == 0 {
            return Err(vm.index_error("pop from empty array"));
        }
        let at = if i < 0 { i.wrapping_add_unsigned(len) } else { i };
        let out_of_range = || vm.index_error("pop index out of range");
        let at = usize::try_from(at).map_err(|_| out_of_range())?;
        let value = Array::get(vm, this, at)?.ok_or_else(out_of_range)?;
        Array::resize(vm, this, |bytes| {
            if (at + 1) * size > bytes.len() {
                return Err(Fault::Range);
            }
            bytes.drain(at * size..(at + 1) * size);
            Ok(())
        })?;
        Ok(value)
    }

    /// Remove the first occurrence of v in the array.
    #[pymethod(sig = "($self, v, /)")]
    fn remove(vm: &Vm, this: &Py<Array>, v: &Value) -> Res<()> {
        let Some(at) = Array::find(vm, this, v, 0, usize::MAX)? else {
            return Err(vm.value_error("array.remove(x): x not in array"));
        };
        let size = this.kind.size;
        Array::resize(vm, this, |bytes| {
            if (at + 1) * size <= bytes.len() {
                bytes.drain(at * size..(at + 1) * size);
            }
            Ok(())
        })
    }

    /// Reverse the order of the items in the array.
    #[pymethod(sig = "($self, /)")]
    fn reverse(_vm: &Vm, this: &Py<Array>) -> Res<()> {
        let size = this.kind.size;
        Array::with(this, |bytes| {
            bytes.reverse();
            bytes.chunks_exact_mut(size).for_each(<[u8]>::reverse);
        });
        Ok(())
    }

    /// Convert the array to an array of machine values and return the bytes representation.
    #[pymethod(sig = "($self, /)")]
    fn tobytes(_vm: &Vm, this: &Py<Array>) -> Res<Value> {
        Ok(Bytes::new_value(Array::snapshot(this)?))
    }

    /// Write all items (as machine values) to the file object f.
    #[pymethod(sig = "($self, f, /)")]
    fn tofile(vm: &Vm, this: &Py<Array>, f: &Value) -> Res<()> {
        const BYTES: usize = 64 * 1024;
        for block in Array::snapshot(this)?.chunks(BYTES) {
            vm.call_method(f, intern!("write"), &[Bytes::new_value(block.to_vec())])?;
        }
        Ok(())
    }

    /// Convert array to an ordinary list with the same items.
    #[pymethod(sig = "($self, /)")]
    fn tolist(vm: &Vm, this: &Py<Array>) -> Res<Value> {
        Ok(List::new(Array::values(vm, this)?).into_value())
    }

    /// Extends this array with data from the unicode string ustr.
    ///
    /// Convert the array to a unicode string.  The array must be a unicode type array;
    /// otherwise a ValueError is raised.  Use array.tobytes().decode() to obtain a
    /// unicode string from an array of some other type.
    #[pymethod(sig = "($self, /)")]
    fn tounicode(vm: &Vm, this: &Py<Array>) -> Res<Value> {
        if this.kind.meaning != Meaning::Char {
            let message = "tounicode() may only be called on unicode type arrays ('u' or 'w')";
            return Err(vm.value_error(message));
        }
        if this.kind.code == 'w' {
            // Decoded strictly, unlike the single characters.
            let encoding = if cfg!(target_endian = "big") {
                "utf-32-be"
            } else {
                "utf-32-le"
            };
            let bytes = Bytes::new_value(Array::snapshot(this)?);
            return vm.call_method(&bytes, intern!("decode"), &[Value::from(encoding)]);
        }
        let parts = List::new(Array::values(vm, this)?).into_value();
        vm.call_method(Str::empty().as_value(), intern!("join"), &[parts])
    }

    /// Return state information for pickling.
    #[pymethod(sig = "($self, value, /)")]
    fn __reduce_ex__(vm: &Vm, this: &Py<Array>, value: i64) -> Res<Value> {
        let dict = vm
            .getattr_opt(this.as_value(), intern!("__dict__"))?
            .filter(|dict| dict.downcast::<Dict>().is_some())
            .unwrap_or(Value::NONE);
        let (class, code) = (
            this.class().to_value(),
            Value::from(this.kind.code.to_string().as_str()),
        );
        if value < 3 {
            let args = Tuple::pair(code, Array::tolist(vm, this)?);
            return Ok(Tuple::from_array([class, args.into_value(), dict]).into_value());
        }
        let module = vm.import_module("array")?;
        let function = vm.getattr(&module, intern!("_array_reconstructor"))?;
        let format = Value::int(pickle::format_of(this.kind));
        let args = Tuple::from_array([class, code, format, Bytes::new_value(Array::snapshot(this)?)]);
        Ok(Tuple::from_array([function, args.into_value(), dict]).into_value())
    }

    /// Size of the array in memory, in bytes.
    #[pymethod(sig = "($self, /)")]
    fn __sizeof__(_vm: &Vm, this: &Py<Array>) -> usize {
        size_of::<Obj<Array>>() + Array::with(this, |bytes| bytes.capacity())
    }

    /// See PEP 585
    #[classmethod(sig = "($type, object, /)")]
    fn __class_getitem__(vm: &Vm, cls: &Py<Type>, object: &Value) -> Res<Value> {
        Ok(GenericAlias::new_value(vm, cls.as_value(), object))
    }
}

/// `iter(array)`
#[pyclass(name = "arrayiterator", module = "array", no_new)]
pub struct ArrayIter {
    /// Emptied at the end.
    array: PySlot<Array>,
    at: AtomicUsize,
}

#[pymethods]
impl ArrayIter {
    #[slot]
    fn __iter__(_vm: &Vm, this: &Py<ArrayIter>) -> Res<Value> {
        Ok(this.to_value())
    }

    #[slot]
    fn __next__(vm: &Vm, this: &Py<ArrayIter>) -> Res<Option<Value>> {
        let Some(array) = this.array.get() else {
            return Ok(None);
        };
        let at = this.at.load(Relaxed);
        let item = Array::get(vm, &array, at)?;
        match item {
            Some(_) => this.at.store(at + 1, Relaxed),
            None => drop(this.array.swap(None)),
        }
        Ok(item)
    }

    /// Return state information for pickling.
    #[pymethod(sig = "($self, /)")]
    fn __reduce__(vm: &Vm, this: &Py<ArrayIter>) -> Res<Value> {
        let iter = vm.frame_builtin(intern!("iter"))?;
        Ok(match this.array.get() {
            None => Tuple::pair(iter, Tuple::from_array([Tuple::empty().into_value()]).into_value()),
            Some(array) => {
                let at = Value::usize(this.at.load(Relaxed));
                Tuple::from_array([iter, Tuple::from_array([array.into_value()]).into_value(), at])
            }
        }
        .into_value())
    }

    /// Set state information for unpickling.
    #[pymethod(sig = "($self, state, /)")]
    fn __setstate__(_vm: &Vm, this: &Py<ArrayIter>, state: isize) -> Res<()> {
        if let Some(array) = this.array.get() {
            let at = usize::try_from(state).unwrap_or(0).min(Array::count_items(&array));
            this.at.store(at, Relaxed);
        }
        Ok(())
    }
}

#[pymodule(
    name = "array",
    doc = "This module defines an object type which can efficiently represent\nan array of basic values: characters, integers, floating-point\nnumbers.  Arrays are sequence types and behave very much like lists,\nexcept that the type of objects stored in them is constrained.\n",
    types(Array)
)]
pub mod module {
    use super::*;

    #[pyattr]
    fn ArrayType(_vm: &Vm) -> Value {
        Array::ty().to_value()
    }

    #[pyattr]
    fn typecodes(_vm: &Vm) -> String {
        KINDS.iter().map(|kind| kind.code).collect()
    }

    /// Internal. Used for pickling support.
    #[pyfunction(sig = "(arraytype, typecode, mformat_code, items, /)")]
    fn _array_reconstructor(
        vm: &Vm,
        arraytype: &Py<Type>,
        typecode: Char,
        mformat_code: i64,
        items: &Value,
    ) -> Res<Value> {
        if !arraytype.is_subclass(Array::ty()) {
            let name = arraytype.name();
            return Err(vm.type_error(format!("{name} is not a subtype of array.array")));
        }
        let kind = Kind::of(vm, typecode.0).map_err(|_| vm.value_error("second argument must be a valid type code"))?;
        let Some(bytes) = items.downcast::<Bytes>() else {
            let found = items.ty().name();
            return Err(vm.type_error(format!("fourth argument should be bytes, not {found}")));
        };
        let bytes = pickle::convert(vm, kind, mformat_code, bytes.as_slice())?;
        Ok(Array::new_of(arraytype, kind, bytes).into_value())
    }

    /// Arrays are mutable sequences.
    #[init]
    fn init(vm: &Vm, _module: &Py<lisle_runtime::types::module::Module>) -> Res<()> {
        let abc = vm.import_module("collections.abc")?;
        let mutable_sequence = vm.getattr(&abc, intern!("MutableSequence"))?;
        vm.call_method(&mutable_sequence, intern!("register"), &[Array::ty().to_value()])
            .map(drop)
    }
}
