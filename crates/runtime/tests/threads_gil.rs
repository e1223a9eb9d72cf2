//! The thread suite with the GIL.

const FREE: bool = false;

#[path = "threads_suite/mod.rs"]
mod suite;
