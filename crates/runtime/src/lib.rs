//! The runtime of Lisle: memory, objects, synchronisation, threads, the interpreter and the builtin types.
//!
//! Layers, each knowing those above it in this list only by need: `sync`, `threads`, `memory`, `object`, `types`, `vm`, then
//! `builtins`, `import` and `native` (the binding API for the library).

extern crate self as lisle_runtime;

pub mod audit;
pub mod builtins;
pub mod import;
pub mod interp;
pub mod memory;
pub mod native;
pub mod object;
pub mod sync;
pub mod text;
pub mod threads;
pub mod types;
pub mod vm;
