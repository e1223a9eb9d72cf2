//! The runtime's own sources, compiled against loom's atomics, so that loom can try every interleaving of small models.
//!
//! Run: `RUSTFLAGS="--cfg loom" CARGO_TARGET_DIR=target/loom cargo test --release -p lisle-models`. Without the flag the
//! crate is empty. Invariant: no copy of an algorithm lives here; the modules are the runtime's files, by path, and only
//! what they stand on (the mode, the kernel, thread states) is replaced. A crate of its own since the flag would
//! otherwise rebuild everything the runtime depends on.
//! Left out: deadlines (in a model a deadline has always passed) and signals.

#![cfg(loom)]

#[expect(dead_code, reason = "the models use a part of what the files offer")]
mod memory;
#[expect(dead_code, reason = "as above")]
mod object;
#[expect(dead_code, reason = "as above")]
mod sync;
#[expect(dead_code, reason = "as above")]
mod threads;

#[cfg(test)]
mod count_models;
#[cfg(test)]
mod models;
#[cfg(test)]
mod place_models;
