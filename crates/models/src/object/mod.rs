//! Stands for the runtime's `object`: its slots; objects are a header and a note of how often they were freed.

#[path = "../../../runtime/src/object/slot.rs"]
pub mod slot;

use crate::memory::header::Header;
use loom::sync::atomic::{AtomicUsize, Ordering};
use std::marker::PhantomData;
use std::ptr::NonNull;

pub struct Obj<T>(PhantomData<T>);

pub mod types {
    pub struct Type;
}

/// A block of a model's heap.
#[repr(C)]
pub struct Block {
    pub header: Header,
    pub freed: AtomicUsize,
}

impl Block {
    pub fn new() -> Block {
        Block {
            header: Header::dead(),
            freed: AtomicUsize::new(0),
        }
    }

    /// Makes the block an object of the calling thread, with one reference: the result.
    pub fn create(&self) -> value::Value {
        self.header.init(std::ptr::null_mut(), 0, 0);
        // SAFETY: the reference of a new object.
        unsafe { value::Value::from_bits(NonNull::from(&self.header).as_ptr() as u64) }
    }

    pub fn freed(&self) -> usize {
        self.freed.load(Ordering::SeqCst)
    }
}

/// Notes that an object was freed.
///
/// # Safety
/// `header` is that of a [`Block`] which lives.
pub unsafe fn dealloc(header: NonNull<Header>) {
    // SAFETY: by contract; a block begins with its header.
    unsafe { header.cast::<Block>().as_ref() }
        .freed
        .fetch_add(1, Ordering::SeqCst);
}

pub mod value {
    use crate::memory::header::{Dropped, Header};
    use std::num::NonZeroU64;
    use std::ptr::NonNull;

    /// A value that is a reference to an object.
    pub struct Value(NonZeroU64);

    impl Value {
        /// # Safety
        /// The word owns a reference to a block's header.
        pub unsafe fn from_bits(bits: u64) -> Value {
            Value(NonZeroU64::new(bits).expect("a reference"))
        }

        pub fn into_bits(self) -> u64 {
            let bits = self.0.get();
            std::mem::forget(self);
            bits
        }

        pub fn bits(&self) -> u64 {
            self.0.get()
        }

        pub fn header(&self) -> &Header {
            // SAFETY: the value holds a reference.
            unsafe { &*(self.0.get() as *const Header) }
        }
    }

    impl Clone for Value {
        fn clone(&self) -> Value {
            self.header().incref();
            Value(self.0)
        }
    }

    impl Drop for Value {
        fn drop(&mut self) {
            let header = NonNull::from(self.header());
            if self.header().decref() == Dropped::Dead {
                // SAFETY: that was the last reference.
                unsafe { super::dealloc(header) }
            }
        }
    }
}

pub mod py {
    use super::value::Value;
    use std::marker::PhantomData;
    use std::ptr::NonNull;

    pub struct Py<T>(Value, PhantomData<T>);

    impl<T> Py<T> {
        /// # Safety
        /// The pointer owns a reference.
        pub unsafe fn from_raw(at: NonNull<super::Obj<T>>) -> Py<T> {
            // SAFETY: by contract.
            Py(unsafe { Value::from_bits(at.as_ptr() as u64) }, PhantomData)
        }

        pub fn into_value(self) -> Value {
            self.0
        }
    }
}
