//! The atomics of the runtime: std's, or loom's when the models of `crates/models` are built.
//!
//! Invariant: no other file names `std::sync::atomic`, so that a model can swap the whole set.

#[cfg(not(loom))]
pub use std::sync::atomic::{
    AtomicBool, AtomicI32, AtomicI64, AtomicIsize, AtomicPtr, AtomicU8, AtomicU16, AtomicU32, AtomicU64, AtomicUsize,
    Ordering, compiler_fence, fence,
};

#[cfg(loom)]
pub use loom::sync::atomic::*;
