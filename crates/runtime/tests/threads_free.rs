//! The thread suite without the GIL.

const FREE: bool = true;

#[path = "threads_suite/mod.rs"]
mod suite;
