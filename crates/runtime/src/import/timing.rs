//! `-X importtime`: how long imports take, on standard error.
//!
//! Invariant: as in CPython, what several threads import at a time is counted together.

use std::io::Write as _;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::time::Instant;

use crate::object::Py;
use crate::types::str::Str;

/// 0: nothing is told; 2: modules that are there already are told of, too.
static WANTED: AtomicU8 = AtomicU8::new(0);
static HEAD: AtomicBool = AtomicBool::new(false);
/// How many imports are under way.
static DEPTH: AtomicUsize = AtomicUsize::new(0);
/// Microseconds that imports within the current one took.
static INNER: AtomicU64 = AtomicU64::new(0);

/// What the command line asks for.
pub fn set(wanted: u8) {
    WANTED.store(wanted, Relaxed);
}

fn tell(line: std::fmt::Arguments<'_>) {
    let mut err = std::io::stderr().lock();
    if !HEAD.swap(true, Relaxed) {
        let _ = writeln!(err, "import time: self [us] | cumulative | imported package");
    }
    // Where it cannot be written, nobody reads it.
    let _ = writeln!(err, "import time: {line}");
}

/// Tells of an import.
pub(super) fn timed<T>(name: &Py<Str>, import: impl FnOnce() -> T) -> T {
    if WANTED.load(Relaxed) == 0 {
        return import();
    }
    DEPTH.fetch_add(1, Relaxed);
    let outer = INNER.swap(0, Relaxed);
    let begin = Instant::now();
    let made = import();
    let all = u64::try_from(begin.elapsed().as_micros()).unwrap_or(u64::MAX);
    let own = all.saturating_sub(INNER.load(Relaxed));
    let depth = DEPTH.fetch_sub(1, Relaxed).saturating_sub(1);
    tell(format_args!(
        "{own:>9} | {all:>10} | {:indent$}{}",
        "",
        name.to_string_lossy(),
        indent = 2 * depth
    ));
    INNER.store(outer.saturating_add(all), Relaxed);
    made
}

/// Tells of an import that finds its module loaded.
pub(super) fn cached(name: &Py<Str>) {
    if WANTED.load(Relaxed) == 2 {
        let indent = 2 * DEPTH.load(Relaxed);
        tell(format_args!(
            "cached    | cached     | {:>indent$}",
            name.to_string_lossy()
        ));
    }
}
