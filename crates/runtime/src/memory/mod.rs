//! Placeholder.

pub mod alloc;
