//! The value word: a pointer to a heap object, or an immediate int, float, None, bool, Ellipsis, NotImplemented.
//!
//! Invariant: the encoding is canonical (what can be an immediate never is a heap object), and a [`Value`] owns one
//! counted reference. The all-zero word means "unbound" and is `Option::<Value>::None`.

use std::num::NonZeroU64;
use std::ptr::NonNull;

use num_bigint::BigInt;

use super::py::{Native, Obj, Py};
use super::types::Type;
use crate::memory::header::{Dropped, Header};
use crate::threads::owner_id;
use crate::vm::Vm;

/// An owned value. `Clone` counts a reference, `Drop` gives it up (and may run finalizers).
#[repr(transparent)]
pub struct Value(NonZeroU64);

const fn word(bits: u64) -> NonZeroU64 {
    match NonZeroU64::new(bits) {
        Some(w) => w,
        None => panic!("the zero word is no value"),
    }
}

const W_NONE: u64 = 0x04;
const W_FALSE: u64 = 0x0c;
const W_TRUE: u64 = 0x14;
const W_ELLIPSIS: u64 = 0x1c;
const W_NOT_IMPLEMENTED: u64 = 0x24;
const W_ZERO: u64 = 0x2c;
const W_MINUS_ZERO: u64 = 0x34;

/// The largest immediate int.
pub const INT_MAX: i64 = (1 << 62) - 1;
/// The smallest immediate int.
pub const INT_MIN: i64 = -(1 << 62);

const FLOAT_OFFSET: u64 = 1 << 61;

impl Value {
    pub const NONE: Value = Value(word(W_NONE));
    pub const FALSE: Value = Value(word(W_FALSE));
    pub const TRUE: Value = Value(word(W_TRUE));
    pub const ELLIPSIS: Value = Value(word(W_ELLIPSIS));
    pub const NOT_IMPLEMENTED: Value = Value(word(W_NOT_IMPLEMENTED));

    /// The raw word.
    #[inline(always)]
    pub const fn bits(&self) -> u64 {
        self.0.get()
    }

    /// Gives up ownership without dropping the reference.
    #[inline(always)]
    pub fn into_bits(self) -> u64 {
        let bits = self.0.get();
        std::mem::forget(self);
        bits
    }

    /// # Safety
    /// `bits` is a word from [`Value::into_bits`] whose reference nobody else will give up.
    #[inline(always)]
    pub unsafe fn from_bits(bits: u64) -> Value {
        // SAFETY: words from `into_bits` are not zero.
        Value(unsafe { NonZeroU64::new_unchecked(bits) })
    }

    /// Whether this is a pointer to a heap object.
    #[inline(always)]
    pub const fn is_heap(&self) -> bool {
        self.bits() & 7 == 0
    }

    /// Nobody counts references to the object from now on, which stays for ever. Other threads do not know it yet.
    pub(crate) fn make_immortal(&self) {
        if let Some(header) = self.header() {
            header.make_immortal();
        }
    }

    /// The header, if this is a heap object.
    #[inline(always)]
    pub fn heap_header(&self) -> Option<NonNull<Header>> {
        if self.is_heap() {
            NonNull::new(self.bits() as *mut Header)
        } else {
            None
        }
    }

    /// The header of a heap object.
    #[inline(always)]
    pub fn header(&self) -> Option<&Header> {
        // SAFETY: a heap value holds a reference, so the object lives as long as the borrow of self.
        self.heap_header().map(|h| unsafe { &*h.as_ptr() })
    }

    #[inline(always)]
    pub const fn from_bool(b: bool) -> Value {
        if b { Value::TRUE } else { Value::FALSE }
    }

    /// The immediate int `i`, if it fits.
    #[inline(always)]
    pub const fn small_int(i: i64) -> Option<Value> {
        if i >= INT_MIN && i <= INT_MAX {
            Some(Value(word((i as u64) << 1 | 1)))
        } else {
            None
        }
    }

    /// An int; allocates beyond 63 bits.
    #[inline]
    pub fn int(i: i64) -> Value {
        match Value::small_int(i) {
            Some(v) => v,
            None => crate::types::int::big(BigInt::from(i)),
        }
    }

    /// An int from a length or index.
    #[inline]
    pub fn usize(n: usize) -> Value {
        match i64::try_from(n) {
            Ok(i) => Value::int(i),
            Err(_) => crate::types::int::big(BigInt::from(n)),
        }
    }

    /// An int of any size, in canonical form.
    pub fn bigint(n: BigInt) -> Value {
        match i64::try_from(&n) {
            Ok(i) if (INT_MIN..=INT_MAX).contains(&i) => Value::int(i),
            _ => crate::types::int::big(n),
        }
    }

    /// The immediate int, if it is one (bool is not).
    #[inline(always)]
    pub const fn as_small_int(&self) -> Option<i64> {
        if self.bits() & 1 != 0 {
            Some(self.bits() as i64 >> 1)
        } else {
            None
        }
    }

    /// Whether this is an immediate int.
    #[inline(always)]
    pub const fn is_small_int(&self) -> bool {
        self.bits() & 1 != 0
    }

    /// A float; allocates outside 2^-255 <= |x| < 2^257 other than zero.
    #[inline(always)]
    pub fn float(x: f64) -> Value {
        let bits = x.to_bits();
        let w = bits.rotate_left(1).wrapping_add(FLOAT_OFFSET).rotate_left(2);
        if w & 3 == 2 {
            return Value(word(w));
        }
        Value::float_slow(x)
    }

    /// A float that needs no allocation, other than zero.
    #[inline(always)]
    pub fn immediate_float(x: f64) -> Option<Value> {
        let w = x.to_bits().rotate_left(1).wrapping_add(FLOAT_OFFSET).rotate_left(2);
        (w & 3 == 2).then(|| Value(word(w)))
    }

    /// A float that needs no allocation, zeros as well.
    #[inline(always)]
    pub(crate) fn float_unboxed(x: f64) -> Option<Value> {
        Value::immediate_float(x).or_else(|| Value::zero(x))
    }

    #[inline(always)]
    fn zero(x: f64) -> Option<Value> {
        let bits = if x.is_sign_negative() { W_MINUS_ZERO } else { W_ZERO };
        (x == 0.0).then(|| Value(word(bits)))
    }

    #[cold]
    #[inline(never)]
    fn float_slow(x: f64) -> Value {
        Value::zero(x).unwrap_or_else(|| crate::types::float::boxed(x))
    }

    /// Whether this is a self-tagged float (zeros and boxed floats are not).
    #[inline(always)]
    pub const fn is_tagged_float(&self) -> bool {
        self.bits() & 3 == 2
    }

    /// The self-tagged float's number; meaningless unless [`Value::is_tagged_float`].
    #[inline(always)]
    pub const fn tagged_float(&self) -> f64 {
        f64::from_bits(self.bits().rotate_right(2).wrapping_sub(FLOAT_OFFSET).rotate_right(1))
    }

    /// The number of a float that is not boxed, or of an int that a float holds exactly.
    #[inline(always)]
    pub(crate) fn unboxed_number(&self) -> Option<f64> {
        if self.is_tagged_float() {
            return Some(self.tagged_float());
        }
        if let Some(i) = self.as_small_int() {
            return (i.unsigned_abs() <= 1 << 53).then_some(i as f64);
        }
        match self.bits() {
            W_ZERO => Some(0.0),
            W_MINUS_ZERO => Some(-0.0),
            _ => None,
        }
    }

    /// The number, if this is exactly a float in any form (no subclass).
    #[inline]
    pub fn as_exact_float(&self) -> Option<f64> {
        if self.is_tagged_float() {
            return Some(self.tagged_float());
        }
        match self.bits() {
            W_ZERO => Some(0.0),
            W_MINUS_ZERO => Some(-0.0),
            _ if self.is_heap() => self.downcast_exact::<crate::types::float::Float>().map(|f| f.value),
            _ => None,
        }
    }

    #[inline(always)]
    pub const fn is_none(&self) -> bool {
        self.bits() == W_NONE
    }

    #[inline(always)]
    pub const fn is_true(&self) -> bool {
        self.bits() == W_TRUE
    }

    #[inline(always)]
    pub const fn is_false(&self) -> bool {
        self.bits() == W_FALSE
    }

    #[inline(always)]
    pub const fn is_bool(&self) -> bool {
        self.bits() == W_TRUE || self.bits() == W_FALSE
    }

    #[inline(always)]
    pub const fn is_not_implemented(&self) -> bool {
        self.bits() == W_NOT_IMPLEMENTED
    }

    /// Identity (`is`): on ints and floats it follows the value.
    #[inline(always)]
    pub const fn is(&self, other: &Value) -> bool {
        self.bits() == other.bits()
    }

    /// The type, borrowed: it lives as long as the value keeps its class.
    #[inline(always)]
    pub fn ty(&self) -> &Py<Type> {
        if self.is_heap() {
            // SAFETY: the value holds a reference to the object, whose header holds one to its type; `__class__`
            // assignment retires the old type through the collector (see `Type::retire`).
            unsafe { &*((self.bits() as usize + std::mem::offset_of!(Header, ty)) as *const Py<Type>) }
        } else {
            self.immediate_type()
        }
    }

    #[inline]
    fn immediate_type(&self) -> &'static Py<Type> {
        let bits = self.bits();
        if bits & 1 != 0 {
            return crate::types::int::Int::ty();
        }
        if bits & 2 != 0 {
            return crate::types::float::Float::ty();
        }
        match bits {
            W_NONE => crate::types::singletons::NoneType::ty(),
            W_FALSE | W_TRUE => crate::types::int::Bool::ty(),
            W_ELLIPSIS => crate::types::singletons::EllipsisType::ty(),
            W_NOT_IMPLEMENTED => crate::types::singletons::NotImplementedType::ty(),
            _ => crate::types::float::Float::ty(),
        }
    }

    /// Whether the type is exactly `ty`.
    #[inline(always)]
    pub fn has_type(&self, ty: &Py<Type>) -> bool {
        self.ty().as_ptr() == ty.as_ptr()
    }

    /// The object as a `T`, if its type is `T`'s or a subclass of it.
    #[inline]
    pub fn downcast<T: Native>(&self) -> Option<&Py<T>> {
        if self.is_heap() && self.ty().has_payload(T::info()) {
            // SAFETY: the type says that the payload is a `T`.
            return Some(unsafe { self.downcast_unchecked() });
        }
        None
    }

    /// The object as a `T`, if its type is exactly `T`'s.
    #[inline(always)]
    pub fn downcast_exact<T: Native>(&self) -> Option<&Py<T>> {
        if self.is_heap() && self.ty().as_ptr() == T::type_cell().address() {
            // SAFETY: the type is that of `T`: no object has the address of a type that is still to be made.
            return Some(unsafe { self.downcast_unchecked() });
        }
        None
    }

    /// # Safety
    /// This is a heap object whose payload is a `T`.
    #[inline(always)]
    pub unsafe fn downcast_unchecked<T: Native>(&self) -> &Py<T> {
        // SAFETY: `Value` and `Py<T>` are both one pointer word; the caller vouches for the payload.
        unsafe { &*std::ptr::from_ref(self).cast::<Py<T>>() }
    }

    /// As [`Value::downcast`], by value.
    pub fn try_into_py<T: Native>(self) -> Result<Py<T>, Value> {
        if self.downcast::<T>().is_some() {
            // SAFETY: checked just now; the reference moves over.
            Ok(unsafe { Py::from_raw(NonNull::new_unchecked(self.into_bits() as *mut Obj<T>)) })
        } else {
            Err(self)
        }
    }

    /// `id(self)`.
    pub fn id(&self) -> Value {
        if self.is_heap() {
            Value::usize(self.bits() as usize)
        } else {
            crate::types::int::id_of_immediate(self.bits())
        }
    }

    /// The current interpreter context; convenience for code without one at hand.
    pub fn vm() -> &'static Vm {
        Vm::current()
    }
}

impl Clone for Value {
    #[inline(always)]
    fn clone(&self) -> Value {
        if let Some(header) = self.header() {
            header.incref();
        }
        Value(self.0)
    }
}

impl Drop for Value {
    #[inline(always)]
    fn drop(&mut self) {
        if let Some(header) = self.heap_header() {
            // SAFETY: the value holds a reference, so the object is alive until `decref`; if that was the last one it is ours to free.
            unsafe {
                if header.as_ref().decref() == Dropped::Dead {
                    super::dealloc(header);
                }
            }
        }
    }
}

impl Value {
    /// Writes further references to `items` to `to`.
    ///
    /// # Safety
    /// There is room for as many values, which is no part of `items`.
    #[inline]
    pub(crate) unsafe fn clone_all(items: &[Value], to: *mut Value) {
        let mine = owner_id();
        for (n, item) in items.iter().enumerate() {
            if let Some(header) = item.header()
                && !header.incref_plainly(mine)
            {
                header.incref();
            }
            // SAFETY: by contract there is room; the reference was counted just now.
            unsafe { to.add(n).cast::<u64>().write(item.bits()) };
        }
    }

    /// Drops `len` values, whose memory stays.
    ///
    /// # Safety
    /// They are the caller's, and are used no more.
    #[inline]
    pub(crate) unsafe fn drop_all(items: *mut Value, len: usize) {
        let mine = owner_id();
        for n in 0..len {
            // SAFETY: by contract; a value that is the only reference, or not to be counted plainly, is dropped as others are.
            unsafe {
                let item = items.add(n);
                if let Some(header) = (*item).header()
                    && !header.decref_plainly(mine)
                {
                    std::ptr::drop_in_place(item);
                }
            }
        }
    }
}

// SAFETY: objects are shared between threads by design: all their fields are atomics, immutable, or guarded by the object's lock.
unsafe impl Send for Value {}
// SAFETY: as above.
unsafe impl Sync for Value {}

impl std::fmt::Debug for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.as_small_int() {
            Some(i) => write!(f, "{i}"),
            None => write!(f, "<{} at {:#x}>", self.ty().name(), self.bits()),
        }
    }
}
