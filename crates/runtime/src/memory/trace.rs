//! Traversal of what an object refers to, for the cycle collector.
//!
//! Invariant: `traverse` visits each owned reference exactly once. It is derived (`#[derive(Trace)]`, `#[pyclass]`) so that
//! no field can be missed: a field whose type does not implement [`Trace`] does not compile.

use std::collections::VecDeque;
use std::ptr::NonNull;

use super::header::Header;
use crate::object::value::Value;

/// What is called with each object that is referred to.
pub struct Visitor<'a> {
    visit: &'a mut dyn Visit,
}

/// A function of an object, and of rows of words: so that a row takes one call.
trait Visit {
    fn object(&mut self, header: NonNull<Header>);
    fn words(&mut self, words: &[u64]);
}

impl<F: FnMut(NonNull<Header>)> Visit for F {
    fn object(&mut self, header: NonNull<Header>) {
        self(header);
    }

    fn words(&mut self, words: &[u64]) {
        for word in words {
            if *word & 7 == 0
                && let Some(header) = NonNull::new(*word as *mut Header)
            {
                self(header);
            }
        }
    }
}

impl<'a> Visitor<'a> {
    pub fn new<F: FnMut(NonNull<Header>)>(visit: &'a mut F) -> Visitor<'a> {
        Visitor { visit }
    }

    /// Visits a heap object.
    #[inline]
    pub fn object(&mut self, header: NonNull<Header>) {
        self.visit.object(header);
    }

    /// Visits the objects among words of values, of which 0 is none.
    #[inline]
    pub(crate) fn words(&mut self, words: &[u64]) {
        self.visit.words(words);
    }

    /// Visits the objects among values.
    #[inline]
    pub fn values(&mut self, values: &[Value]) {
        // SAFETY: a value is one word.
        self.words(unsafe { std::slice::from_raw_parts(values.as_ptr().cast(), values.len()) });
    }
}

/// Implemented by everything that can be a field of an object.
///
/// Both are called with the world stopped, or by the thread that frees the object.
pub trait Trace {
    /// Visits each owned reference once.
    fn traverse(&self, visit: &mut Visitor<'_>);
    /// Moves owned references that can be part of a cycle into `out`, to be dropped when no lock is held. Immutable fields
    /// may stay: some mutable object of each cycle is cleared.
    fn clear(&self, _out: &mut Vec<Value>) {}
    /// As `clear`, where nobody else has a reference to the data: plain values can be taken out too.
    fn clear_mut(&mut self, out: &mut Vec<Value>) {
        self.clear(out);
    }
}

/// Whether `out` has room for so many more. Where it has not, what is to be cleared stays as it is: clearing is to free memory, and who does it
/// has no thread to tell of an error.
#[must_use]
pub fn has_room(out: &mut Vec<Value>, more: usize) -> bool {
    out.try_reserve(more).is_ok()
}

/// So many values an item of a sequence in a native object has at most, but for those that it owns by a sequence of its own.
const MOST_VALUES: usize = 3;

impl Trace for Value {
    #[inline]
    fn traverse(&self, visit: &mut Visitor<'_>) {
        if let Some(header) = self.heap_header() {
            visit.object(header);
        }
    }
    fn clear_mut(&mut self, out: &mut Vec<Value>) {
        out.push(std::mem::replace(self, Value::NONE));
    }
}

impl<T: Trace> Trace for Option<T> {
    #[inline]
    fn traverse(&self, visit: &mut Visitor<'_>) {
        if let Some(inner) = self {
            inner.traverse(visit);
        }
    }
    fn clear(&self, out: &mut Vec<Value>) {
        if let Some(inner) = self {
            inner.clear(out);
        }
    }
    fn clear_mut(&mut self, out: &mut Vec<Value>) {
        if let Some(inner) = self {
            inner.clear_mut(out);
        }
    }
}

impl<T: Trace> Trace for [T] {
    fn traverse(&self, visit: &mut Visitor<'_>) {
        for item in self {
            item.traverse(visit);
        }
    }
    fn clear(&self, out: &mut Vec<Value>) {
        for item in self {
            item.clear(out);
        }
    }
}

impl<T: Trace> Trace for Vec<T> {
    fn traverse(&self, visit: &mut Visitor<'_>) {
        self.as_slice().traverse(visit);
    }
    fn clear(&self, out: &mut Vec<Value>) {
        self.as_slice().clear(out);
    }
    fn clear_mut(&mut self, out: &mut Vec<Value>) {
        if !has_room(out, MOST_VALUES * self.len()) {
            return;
        }
        for mut item in self.drain(..) {
            item.clear_mut(out);
        }
    }
}

impl<A: smallvec::Array<Item: Trace>> Trace for smallvec::SmallVec<A> {
    fn traverse(&self, visit: &mut Visitor<'_>) {
        self.as_slice().traverse(visit);
    }
    fn clear(&self, out: &mut Vec<Value>) {
        self.as_slice().clear(out);
    }
    fn clear_mut(&mut self, out: &mut Vec<Value>) {
        if !has_room(out, MOST_VALUES * self.len()) {
            return;
        }
        for mut item in self.drain(..) {
            item.clear_mut(out);
        }
    }
}

impl<T: Trace> Trace for VecDeque<T> {
    fn traverse(&self, visit: &mut Visitor<'_>) {
        for item in self {
            item.traverse(visit);
        }
    }
    fn clear(&self, out: &mut Vec<Value>) {
        for item in self {
            item.clear(out);
        }
    }
    fn clear_mut(&mut self, out: &mut Vec<Value>) {
        if !has_room(out, MOST_VALUES * self.len()) {
            return;
        }
        for mut item in self.drain(..) {
            item.clear_mut(out);
        }
    }
}

impl<T: Trace + ?Sized> Trace for Box<T> {
    fn traverse(&self, visit: &mut Visitor<'_>) {
        (**self).traverse(visit);
    }
    fn clear(&self, out: &mut Vec<Value>) {
        (**self).clear(out);
    }
}

macro_rules! trace_tuple {
    ($($name:ident)+) => {
        impl<$($name: Trace),+> Trace for ($($name,)+) {
            #[expect(non_snake_case, reason = "one binding per type parameter")]
            fn traverse(&self, visit: &mut Visitor<'_>) { let ($($name,)+) = self; $($name.traverse(visit);)+ }
            #[expect(non_snake_case, reason = "one binding per type parameter")]
            fn clear(&self, out: &mut Vec<Value>) { let ($($name,)+) = self; $($name.clear(out);)+ }
            #[expect(non_snake_case, reason = "one binding per type parameter")]
            fn clear_mut(&mut self, out: &mut Vec<Value>) { let ($($name,)+) = self; $($name.clear_mut(out);)+ }
        }
    };
}
trace_tuple!(A B);
trace_tuple!(A B C);

/// Declares types that hold no reference.
#[macro_export]
macro_rules! no_trace {
    ($($t:ty),+ $(,)?) => { $( impl $crate::memory::trace::Trace for $t {
        #[inline]
        fn traverse(&self, _: &mut $crate::memory::trace::Visitor<'_>) {}
    } )+ };
}

no_trace!(
    bool,
    u8,
    u16,
    u32,
    u64,
    usize,
    i8,
    i16,
    i32,
    i64,
    isize,
    f64,
    char,
    String,
    str,
    &'static str,
    (),
    num_bigint::BigInt,
    std::sync::atomic::AtomicBool,
    std::sync::atomic::AtomicU8,
    std::sync::atomic::AtomicU16,
    std::sync::atomic::AtomicU32,
    std::sync::atomic::AtomicU64,
    std::sync::atomic::AtomicUsize,
    std::sync::atomic::AtomicI64,
    std::sync::atomic::AtomicI32,
    std::sync::atomic::AtomicIsize
);

/// A field that is known to hold no reference although its type cannot say so (foreign types).
pub struct Opaque<T>(pub T);

impl<T> Trace for Opaque<T> {
    fn traverse(&self, _: &mut Visitor<'_>) {}
}

impl<T> std::ops::Deref for Opaque<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.0
    }
}

no_trace!(crate::threads::RawLock, crate::threads::RawRLock);
