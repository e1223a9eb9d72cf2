//! The modules that belong to the runtime itself.

pub mod compile;
pub mod functions;

pub use functions::module::DEF as BUILTINS;
