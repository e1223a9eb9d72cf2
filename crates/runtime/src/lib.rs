//! The runtime of Lisle: memory, objects, synchronisation, threads, the interpreter and the builtin types.

pub mod memory;
pub mod sync;
pub mod text;
pub mod threads;
