//! How long the object allocator takes for an allocation and its free, in nanoseconds.
//! Run with `cargo run --release -p lisle-runtime --example alloc_speed`.

use std::hint::black_box;
use std::ptr::NonNull;
use std::time::Instant;

use lisle_runtime::memory::alloc;

/// A fresh block has a dead header already, which nothing here changes, so that it can be freed as it is.
fn make(size: usize, gc: bool) -> NonNull<u8> {
    alloc::alloc(size, gc).expect("memory")
}

fn report(name: &str, pairs: usize, work: impl FnOnce()) {
    let start = Instant::now();
    work();
    let nanos = start.elapsed().as_nanos() as f64;
    println!("{name:40} {:7.2} ns a pair", nanos / pairs as f64);
}

fn in_batches(batch: usize, rounds: usize, size: impl Fn(usize) -> usize) {
    let mut blocks = Vec::with_capacity(batch);
    for _ in 0..rounds {
        for i in 0..batch {
            blocks.push(make(black_box(size(i)), true));
        }
        for block in blocks.drain(..) {
            // SAFETY: allocated above, and its header is dead still.
            unsafe { alloc::free(block) };
        }
    }
}

/// Replaces blocks at random places: each free meets another page.
fn in_random_order(live: usize, pairs: usize) {
    let mut blocks: Vec<_> = (0..live).map(|_| make(48, true)).collect();
    let mut random = 88_172_645_463_325_252_u64;
    for _ in 0..pairs {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let block = &mut blocks[(random >> 20) as usize % live];
        // SAFETY: allocated above or below, and its header is dead still.
        unsafe { alloc::free(*block) };
        *block = make(48, true);
    }
    for block in blocks {
        // SAFETY: as above.
        unsafe { alloc::free(block) };
    }
}

fn main() {
    for immediate in [true, false] {
        alloc::set_immediate_reclaim(immediate);
        println!("immediate reclaim: {immediate}");
        const N: usize = 20_000_000;
        report("48 bytes, one at a time", N, || {
            for _ in 0..N {
                // SAFETY: allocated in the same expression.
                unsafe { alloc::free(black_box(make(48, true))) };
            }
        });
        report("48 bytes, 1,000 at a time", N, || {
            in_batches(1000, N / 1000, |_| 48);
        });
        report("48 bytes, 1,000,000 at a time", N, || {
            in_batches(1_000_000, N / 1_000_000, |_| 48);
        });
        report("48 bytes, 30,000 in random order", N / 4, || {
            in_random_order(30_000, N / 4);
        });
        report("48 bytes, 300,000 in random order", N / 4, || {
            in_random_order(300_000, N / 4);
        });
        report("24 to 1,024 bytes, 1,000 at a time", N, || {
            in_batches(1000, N / 1000, |i| 24 + i);
        });
        report("20 KiB, 10 at a time", N / 100, || {
            in_batches(10, N / 1000, |_| 20 * 1024);
        });
        report("100 KiB, 4 at a time", N / 100, || {
            in_batches(4, N / 400, |_| 100 * 1024);
        });
    }
}
