//! The one way to a mutable field that holds a value.
//!
//! Invariant: a reader gets a counted reference of its own, never a borrow; a writer gets the old value back and drops it
//! when it holds no lock.

use std::marker::PhantomData;
use std::ptr::NonNull;

use super::py::Py;
use super::value::Value;
use crate::memory::header::Header;
use crate::memory::trace::{Trace, Visitor};
use crate::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release, SeqCst};
use crate::sync::atomic::{AtomicU64, fence};
use crate::sync::mode::parallel;
use crate::threads::owner_id;

/// A field that holds a value or nothing.
#[repr(transparent)]
pub struct Slot(AtomicU64);

impl Slot {
    #[cfg(not(loom))]
    pub const fn empty() -> Slot {
        Slot(AtomicU64::new(0))
    }

    #[cfg(loom)]
    pub fn empty() -> Slot {
        Slot(AtomicU64::new(0))
    }

    pub fn new(value: Value) -> Slot {
        Slot(AtomicU64::new(value.into_bits()))
    }

    pub fn from_option(value: Option<Value>) -> Slot {
        Slot(AtomicU64::new(value.map_or(0, Value::into_bits)))
    }

    /// A reference to the current value.
    #[inline(always)]
    pub fn get(&self) -> Option<Value> {
        let bits = self.0.load(Acquire);
        if bits & 7 != 0 {
            // SAFETY: immediates own nothing, so the word can be copied.
            return Some(unsafe { Value::from_bits(bits) });
        }
        let header = NonNull::new(bits as *mut Header)?;
        if parallel() {
            return self.get_racing(bits);
        }
        // SAFETY: under the GIL nobody else can drop what the slot holds between the load and the count.
        unsafe {
            header.as_ref().incref();
            Some(Value::from_bits(bits))
        }
    }

    /// As `get`, when nobody can replace the value meanwhile.
    #[inline(always)]
    pub fn get_locked(&self) -> Option<Value> {
        let bits = self.0.load(Acquire);
        if bits & 7 == 0 {
            // SAFETY: the slot holds a reference, and by contract keeps it until this one was counted.
            unsafe { NonNull::new(bits as *mut Header)?.as_ref().incref() };
        }
        // SAFETY: an immediate, or the reference counted just now; not zero.
        Some(unsafe { Value::from_bits(bits) })
    }

    /// As `get`, when other threads may replace and free the object at any moment. Object memory stays an object block
    /// until the world was stopped, so the header can be touched; a block that changed hands shows in the second load.
    #[inline]
    fn get_racing(&self, mut bits: u64) -> Option<Value> {
        loop {
            let header = NonNull::new(bits as *mut Header)?;
            // SAFETY: see above: the memory is that of an object block.
            if unsafe { header.as_ref() }.try_incref() {
                // SAFETY: the count just taken is the result's.
                let value = unsafe { Value::from_bits(bits) };
                // First the count, then the slot: see `swap_locked`. Loom takes a sequentially consistent access for less than that.
                #[cfg(loom)]
                fence(SeqCst);
                let now = self.0.load(SeqCst);
                if now == bits {
                    return Some(value);
                }
                drop(value);
                bits = now;
            } else {
                crate::sync::spin_hint();
                bits = self.0.load(Acquire);
            }
            if bits & 7 != 0 {
                // SAFETY: immediates own nothing.
                return Some(unsafe { Value::from_bits(bits) });
            }
        }
    }

    /// Whether the slot holds nothing.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.0.load(Relaxed) == 0
    }

    /// The raw word, for identity comparisons only.
    #[inline(always)]
    pub fn peek_bits(&self) -> u64 {
        self.0.load(Relaxed)
    }

    /// As [`Slot::peek_bits`]; what the caller looks at next is from a later time.
    #[cfg(not(loom))]
    #[inline(always)]
    pub fn peek_acquire(&self) -> u64 {
        self.0.load(Acquire)
    }

    /// Puts `value` in and returns the word that was there, with its reference. No other thread runs meanwhile.
    #[inline(always)]
    pub fn replace_alone(&self, value: Value) -> u64 {
        let old = self.0.load(Relaxed);
        self.0.store(value.into_bits(), Relaxed);
        old
    }

    /// Puts `value` in and returns what was there, to be dropped outside of any lock.
    #[inline(always)]
    #[must_use = "drop the old value when no lock is held"]
    pub fn swap(&self, value: Option<Value>) -> Option<Value> {
        let new = value.map_or(0, Value::into_bits);
        let old = if parallel() {
            self.0.swap(new, SeqCst)
        } else {
            let old = self.0.load(Relaxed);
            self.0.store(new, Relaxed);
            old
        };
        // SAFETY: the slot's reference to the old value moves to the result.
        (old != 0).then(|| unsafe { Value::from_bits(old) })
    }

    /// As `swap`, when a lock keeps other writers out, or nobody else can reach the slot.
    #[inline(always)]
    #[must_use = "drop the old value when no lock is held"]
    pub fn swap_locked(&self, value: Option<Value>) -> Option<Value> {
        self.swap_locked_by(owner_id(), value)
    }

    /// As [`Slot::swap_locked`], on the thread with the owner id `mine`.
    #[inline(always)]
    #[must_use = "drop the old value when no lock is held"]
    pub fn swap_locked_by(&self, mine: u32, value: Option<Value>) -> Option<Value> {
        let old = self.0.load(Relaxed);
        self.0.store(value.map_or(0, Value::into_bits), Release);
        if let Some(header) = NonNull::new(old as *mut Header)
            && old & 7 == 0
            && parallel()
            // SAFETY: the slot's reference keeps the object alive.
            && unsafe { header.as_ref() }.has_more_here(mine)
        {
            // This thread may soon find that it alone has the object. It must not, while a reader that has counted finds the word still there:
            // the reader counts and then looks at the slot, this thread changes the slot and then looks at the count.
            fence(SeqCst);
        }
        // SAFETY: the slot's reference to the old value moves to the result.
        (old != 0).then(|| unsafe { Value::from_bits(old) })
    }

    /// Takes the value out, when nobody reads the slot any more.
    #[inline(always)]
    #[must_use = "drop the old value when no lock is held"]
    pub fn take_last(&self) -> Option<Value> {
        let old = self.0.load(Relaxed);
        self.0.store(0, Relaxed);
        // SAFETY: the slot's reference moves to the result.
        (old != 0).then(|| unsafe { Value::from_bits(old) })
    }

    /// Puts `value` in; the old value is dropped, so no lock may be held.
    #[inline(always)]
    pub fn set(&self, value: Value) {
        drop(self.swap(Some(value)));
    }

    /// Takes the value out.
    #[must_use = "drop the old value when no lock is held"]
    pub fn take(&self) -> Option<Value> {
        self.swap(None)
    }

    /// Takes the value out if it is still this object.
    #[must_use = "drop the old value when no lock is held"]
    pub fn take_if(&self, expected: &Value) -> Option<Value> {
        // The caller's reference keeps the object alive, so the word cannot have come to mean another one.
        match self.0.compare_exchange(expected.bits(), 0, AcqRel, Relaxed) {
            // SAFETY: the slot's reference moves to the result.
            Ok(old) => Some(unsafe { Value::from_bits(old) }),
            Err(_) => None,
        }
    }

    /// Puts `value` in if the slot is empty; gives it back otherwise.
    pub fn set_if_empty(&self, value: Value) -> Result<(), Value> {
        let bits = value.into_bits();
        match self.0.compare_exchange(0, bits, AcqRel, Acquire) {
            Ok(_) => Ok(()),
            // SAFETY: the word was not stored, so its reference is still ours.
            Err(_) => Err(unsafe { Value::from_bits(bits) }),
        }
    }
}

impl Default for Slot {
    fn default() -> Slot {
        Slot::empty()
    }
}

impl Drop for Slot {
    #[inline(always)]
    fn drop(&mut self) {
        let bits = self.0.load(Relaxed);
        if bits != 0 {
            // SAFETY: the slot owned the reference.
            drop(unsafe { Value::from_bits(bits) });
        }
    }
}

impl Trace for Slot {
    fn traverse(&self, visit: &mut Visitor<'_>) {
        let bits = self.0.load(Relaxed);
        if bits & 7 == 0
            && let Some(header) = NonNull::new(bits as *mut Header)
        {
            visit.object(header);
        }
    }

    fn clear(&self, out: &mut Vec<Value>) {
        out.extend(self.take());
    }
}

/// A [`Slot`] that holds nothing but objects with payload `T`.
#[repr(transparent)]
pub struct PySlot<T>(Slot, PhantomData<Py<T>>);

impl<T> PySlot<T> {
    #[cfg(not(loom))]
    pub const fn empty() -> PySlot<T> {
        PySlot(Slot::empty(), PhantomData)
    }

    #[cfg(loom)]
    pub fn empty() -> PySlot<T> {
        PySlot(Slot::empty(), PhantomData)
    }

    pub fn new(value: Py<T>) -> PySlot<T> {
        PySlot(Slot::new(value.into_value()), PhantomData)
    }

    #[inline(always)]
    pub fn get(&self) -> Option<Py<T>> {
        // SAFETY: only `Py<T>`s are ever stored.
        self.0
            .get()
            .map(|v| unsafe { Py::from_raw(NonNull::new_unchecked(v.into_bits() as *mut _)) })
    }

    #[must_use = "drop the old value when no lock is held"]
    pub fn swap(&self, value: Option<Py<T>>) -> Option<Value> {
        self.0.swap(value.map(Py::into_value))
    }

    pub fn set(&self, value: Py<T>) {
        self.0.set(value.into_value());
    }

    /// Puts `value` in if the slot is empty; says whether it did.
    pub fn set_if_empty(&self, value: Py<T>) -> bool {
        self.0.set_if_empty(value.into_value()).is_ok()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The untyped slot, for reading.
    pub fn raw(&self) -> &Slot {
        &self.0
    }

    /// What is there, not counted.
    ///
    /// # Safety
    /// Nothing changes the slot as long as the result is used: no other thread runs, and no code of Python.
    #[cfg(not(loom))]
    #[inline(always)]
    pub(crate) unsafe fn peek(&self) -> Option<&Py<T>> {
        // SAFETY: the word is that of a `Py<T>`, or zero, which is `None`.
        unsafe { (*self.0.0.as_ptr().cast::<Option<Py<T>>>()).as_ref() }
    }
}

impl<T> Default for PySlot<T> {
    fn default() -> PySlot<T> {
        PySlot::empty()
    }
}

impl<T> Trace for PySlot<T> {
    fn traverse(&self, visit: &mut Visitor<'_>) {
        self.0.traverse(visit);
    }
    fn clear(&self, out: &mut Vec<Value>) {
        self.0.clear(out);
    }
}
