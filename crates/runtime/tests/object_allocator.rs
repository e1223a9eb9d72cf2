//! The object allocator under threads: what is live is found and nothing else, no block is handed out twice,
//! freed headers stay dead, memory finds its way back.
//!
//! The allocator is one a process, and its walks need a stopped world: hence a program of its own, in which the
//! tests run one after the other.

use std::collections::HashSet;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Barrier, Mutex, MutexGuard};

use lisle_runtime::memory::alloc;

static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// Runs alone, and leaves the allocator in the mode that the test asks for.
fn alone(immediate: bool) -> MutexGuard<'static, ()> {
    let guard = ONE_AT_A_TIME.lock().unwrap_or_else(|e| e.into_inner());
    alloc::set_immediate_reclaim(immediate);
    alloc::reset_gc_pressure();
    // SAFETY: the other tests wait for the lock, their threads have ended.
    unsafe { alloc::end_young_collection() };
    guard
}

/// A block the test owns, with a pattern in it that shows whether somebody else was given it too.
#[derive(Debug, PartialEq, Eq, Hash, Clone, Copy, PartialOrd, Ord)]
struct Object {
    addr: usize,
    size: usize,
}

impl Object {
    fn new(size: usize, gc: bool) -> Object {
        let block = alloc::alloc(size, gc).expect("memory");
        let object = Object {
            addr: block.as_ptr().expose_provenance(),
            size,
        };
        assert!(object.addr.is_multiple_of(8));
        assert_eq!(object.dead_words(), (0, 3));
        // SAFETY: the block is this test's, and `size` bytes long.
        unsafe {
            assert!(alloc::usable_size(block) >= size);
            let words = block.cast::<AtomicU64>();
            words.as_ref().store(1, Ordering::Relaxed);
            block.add(8).cast::<AtomicU32>().as_ref().store(0, Ordering::Relaxed);
            let tail = (size - 16) / 8;
            for index in [0, tail / 2, tail - 1] {
                block.add(16).cast::<usize>().add(index).write(object.addr ^ index);
            }
        }
        object
    }

    fn block(self) -> NonNull<u8> {
        NonNull::new(std::ptr::with_exposed_provenance_mut(self.addr)).expect("not null")
    }

    fn dead_words(self) -> (u64, u32) {
        // SAFETY: the first 16 bytes of a block can be read even when it is free.
        unsafe {
            (
                self.block().cast::<AtomicU64>().as_ref().load(Ordering::Relaxed),
                self.block().add(8).cast::<AtomicU32>().as_ref().load(Ordering::Relaxed),
            )
        }
    }

    fn check(self) {
        let tail = (self.size - 16) / 8;
        for index in [0, tail / 2, tail - 1] {
            // SAFETY: written by `new`; the block is still this test's.
            let word = unsafe { self.block().add(16).cast::<usize>().add(index).read() };
            assert_eq!(word, self.addr ^ index, "block handed out twice");
        }
    }

    fn free(self) {
        self.check();
        // SAFETY: the block is this test's until the last line.
        unsafe {
            self.block().cast::<AtomicU64>().as_ref().store(0, Ordering::Relaxed);
            self.block()
                .add(8)
                .cast::<AtomicU32>()
                .as_ref()
                .store(3, Ordering::Release);
            alloc::free(self.block());
        }
    }
}

struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % n
    }

    fn size(&mut self) -> usize {
        let size = match self.below(100) {
            0..80 => 24 + self.below(100),
            80..95 => 24 + self.below(2000),
            95..99 => 24 + self.below(40_000),
            _ => 24 + self.below(300_000),
        };
        size & !7
    }
}

fn walk(young_only: bool) -> HashSet<usize> {
    let mut found = HashSet::new();
    alloc::for_each_gc_object(young_only, &mut |block| {
        assert!(found.insert(block.as_ptr().addr()), "a block was visited twice");
    });
    found
}

fn addresses(objects: &[Object]) -> HashSet<usize> {
    objects.iter().map(|object| object.addr).collect()
}

fn stop_the_world_and_reclaim() {
    // Enough events to make a rebuild due whatever is in use.
    let many: Vec<_> = (0..20).map(|_| Object::new(2 * 1024 * 1024, false)).collect();
    many.into_iter().for_each(Object::free);
    // SAFETY: the test's other threads have ended or wait.
    unsafe { alloc::reclaim_quiescent() };
}

#[test]
fn every_size_is_walked_and_comes_back() {
    for immediate in [true, false] {
        let _alone = alone(immediate);
        let before = alloc::stats();
        let mut objects = Vec::new();
        for round in 0..3 {
            for size in (24..70_000).step_by(if round == 0 { 8 } else { 344 }) {
                objects.push(Object::new(size, true));
                Object::new(size, false).free();
            }
        }
        assert_eq!(alloc::gc_alloc_pressure(), objects.len() as isize);
        assert_eq!(walk(false), addresses(&objects));
        let stats = alloc::stats();
        assert_eq!(stats.live_blocks - before.live_blocks, objects.len());
        assert_eq!(stats.live_gc_blocks - before.live_gc_blocks, objects.len());
        let dropped = objects.split_off(objects.len() / 2);
        dropped.iter().for_each(|object| object.free());
        for object in &dropped {
            if !immediate {
                assert_eq!(object.dead_words(), (0, 3));
            }
        }
        assert_eq!(walk(false), addresses(&objects));
        objects.into_iter().for_each(Object::free);
        assert!(walk(false).is_empty());
        assert_eq!(alloc::stats().live_blocks, before.live_blocks);
        assert_eq!(alloc::gc_alloc_pressure(), 0);
        stop_the_world_and_reclaim();
        alloc::thread_exit();
    }
}

#[test]
fn absurd_sizes_are_refused() {
    let _alone = alone(false);
    for size in [usize::MAX, usize::MAX - 200, isize::MAX as usize, 1 << 60, 1 << 48] {
        assert!(alloc::alloc(size, false).is_none());
    }
}

#[test]
fn young_pages_are_those_that_handed_out() {
    let _alone = alone(false);
    let old: Vec<_> = (0..50_000).map(|_| Object::new(64, true)).collect();
    let old_huge = Object::new(100_000, true);
    assert_eq!(walk(true).len(), old.len() + 1);
    // SAFETY: this is the only thread.
    unsafe { alloc::end_young_collection() };
    assert!(walk(true).is_empty());
    Object::new(64, false).free();
    assert!(walk(true).is_empty());

    let young = Object::new(64, true);
    let young_huge = Object::new(100_000, true);
    let found = walk(true);
    assert!(found.contains(&young.addr) && found.contains(&young_huge.addr));
    assert!(!found.contains(&old_huge.addr));
    assert!(found.len() < 1100, "one page and one huge block are young");
    assert_eq!(walk(false).len(), old.len() + 3);

    // SAFETY: this is the only thread.
    unsafe { alloc::end_young_collection() };
    // A page whose blocks come back is young once it hands them out again.
    old.iter().for_each(|object| object.free());
    assert!(walk(true).is_empty());
    let again: Vec<_> = (0..50_000).map(|_| Object::new(64, true)).collect();
    assert!(addresses(&again).is_subset(&walk(true)));
    again.into_iter().for_each(Object::free);
    for object in [old_huge, young, young_huge] {
        object.free();
    }
    alloc::thread_exit();
}

#[test]
fn exit_and_adoption() {
    for immediate in [true, false] {
        let _alone = alone(immediate);
        let before = alloc::stats();
        let made = std::thread::spawn(|| {
            let objects: Vec<_> = (0..20_000).map(|i| Object::new(24 + i % 50 * 8, true)).collect();
            alloc::thread_exit();
            objects
        })
        .join()
        .expect("thread");
        let heaps = alloc::stats().heaps;
        assert_eq!(walk(false), addresses(&made));
        let (kept, dropped): (Vec<_>, Vec<_>) = made.into_iter().partition(|object| object.addr & 8 == 0);
        // Freed by a thread that is not the owner, which has none.
        dropped.iter().for_each(|object| object.free());
        assert_eq!(walk(false), addresses(&kept));

        // The next threads take over the heap of the first, with the room on its pages.
        let mapped = alloc::stats().mapped_bytes;
        for _ in 0..10 {
            let kept = kept.clone();
            std::thread::spawn(move || {
                let objects: Vec<_> = (0..10_000).map(|i| Object::new(24 + i % 50 * 8, true)).collect();
                assert_eq!(walk(false), &addresses(&kept) | &addresses(&objects), "in a new thread");
                objects.into_iter().for_each(Object::free);
                alloc::thread_exit();
            })
            .join()
            .expect("thread");
        }
        assert!(alloc::stats().heaps <= heaps + 1);
        assert!(alloc::stats().mapped_bytes <= mapped + 4 * 1024 * 1024);
        kept.into_iter().for_each(Object::free);
        assert!(walk(false).is_empty());
        stop_the_world_and_reclaim();
        assert_eq!(alloc::stats().live_blocks, before.live_blocks);
        alloc::thread_exit();
    }
}

#[test]
fn one_thread_makes_another_frees() {
    for immediate in [true, false] {
        let _alone = alone(immediate);
        let (send, receive) = channel::<Vec<Object>>();
        let consumer = std::thread::spawn(move || {
            for batch in receive {
                batch.into_iter().for_each(Object::free);
            }
            alloc::thread_exit();
        });
        // In all, 200 MB pass from one to the other.
        let before = alloc::stats().held_bytes;
        let mut most = 0;
        for round in 0..20_000 {
            let batch: Vec<_> = (0..100).map(|i| Object::new(24 + (i + round) % 20 * 8, true)).collect();
            send.send(batch).expect("consumer");
            if round % 16 == 0 {
                // Keeps the consumer near, so that the bound below means something.
                while alloc::stats().live_blocks > 20_000 {
                    std::thread::yield_now();
                }
                most = most.max(alloc::stats().held_bytes);
            }
        }
        drop(send);
        consumer.join().expect("consumer");
        assert!(
            most < before + 24 * 1024 * 1024,
            "blocks freed elsewhere are used again: {most}"
        );
        assert!(walk(false).is_empty());
        alloc::thread_exit();
    }
}

#[test]
fn full_pages_freed_elsewhere_come_back_to_their_thread() {
    for immediate in [true, false] {
        let _alone = alone(immediate);
        let before = alloc::stats().held_bytes;
        let mut first = 0;
        for round in 0..5 {
            // No other thread allocates and the world never stops: only their owner can find these pages again.
            let objects: Vec<_> = (0..60_000).map(|_| Object::new(160, true)).collect();
            let held = alloc::stats().held_bytes - before;
            if round == 0 {
                first = held;
            }
            assert!(held < first + first / 4, "round {round}: {held} of {first}");
            std::thread::spawn(|| objects.into_iter().for_each(Object::free))
                .join()
                .expect("thread");
        }
        alloc::thread_exit();
    }
}

#[test]
fn the_room_of_many_ended_threads_is_found() {
    const THREADS: usize = 40;
    for immediate in [true, false] {
        let _alone = alone(immediate);
        let all_there = Barrier::new(THREADS);
        let objects: Vec<_> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..THREADS)
                .map(|_| {
                    scope.spawn(|| {
                        let objects: Vec<_> = (0..2000).map(|_| Object::new(160, true)).collect();
                        all_there.wait();
                        alloc::thread_exit();
                        objects
                    })
                })
                .collect();
            let ends = threads.into_iter().map(|thread| thread.join());
            ends.flat_map(|objects| objects.expect("thread")).collect()
        });
        let held = alloc::stats().held_bytes;
        let count = objects.len();
        objects.into_iter().for_each(Object::free);
        let objects: Vec<_> = (0..count).map(|_| Object::new(160, true)).collect();
        let now = alloc::stats().held_bytes;
        assert!(now <= held + held / 4, "{now} of {held}");
        objects.into_iter().for_each(Object::free);
        alloc::thread_exit();
    }
}

#[test]
fn stress_with_stops() {
    const THREADS: usize = 6;
    const ROUNDS: usize = 30;
    for immediate in [true, false] {
        let _alone = alone(immediate);
        let exchange: Vec<Mutex<Vec<Object>>> = (0..THREADS).map(|_| Mutex::default()).collect();
        let live: Vec<Mutex<Vec<Object>>> = (0..THREADS).map(|_| Mutex::default()).collect();
        let barrier = Barrier::new(THREADS);
        std::thread::scope(|scope| {
            for me in 0..THREADS {
                let (exchange, live, barrier) = (&exchange, &live, &barrier);
                scope.spawn(move || {
                    let mut random = Random(0x9E37_79B9_7F4A_7C15 ^ (me as u64 + 1) << 7);
                    for round in 0..ROUNDS {
                        let mut mine = std::mem::take(&mut *live[me].lock().unwrap());
                        for _ in 0..3000 {
                            match random.below(10) {
                                0..5 => mine.push(Object::new(random.size(), random.below(4) > 0)),
                                5..8 if !mine.is_empty() => {
                                    let index = random.below(mine.len());
                                    mine.swap_remove(index).free();
                                }
                                8 if !mine.is_empty() => {
                                    let index = random.below(mine.len());
                                    let object = mine.swap_remove(index);
                                    exchange[random.below(THREADS)].lock().unwrap().push(object);
                                }
                                _ => {
                                    let given = std::mem::take(&mut *exchange[me].lock().unwrap());
                                    given.into_iter().for_each(Object::free);
                                }
                            }
                        }
                        if random.below(4) == 0 {
                            alloc::thread_exit();
                        }
                        *live[me].lock().unwrap() = mine;
                        if barrier.wait().is_leader() {
                            check_stopped(exchange, live, round);
                        }
                        barrier.wait();
                    }
                    alloc::thread_exit();
                });
            }
        });
        for list in exchange.iter().chain(&live) {
            list.lock().unwrap().drain(..).for_each(|object| object.free());
        }
        assert!(walk(false).is_empty());
        stop_the_world_and_reclaim();
        assert!(walk(false).is_empty());
        alloc::thread_exit();
    }
}

fn check_stopped(exchange: &[Mutex<Vec<Object>>], live: &[Mutex<Vec<Object>>], round: usize) {
    let mut all = HashSet::new();
    for list in exchange.iter().chain(live) {
        for object in list.lock().unwrap().iter() {
            object.check();
            all.insert(object.addr);
        }
    }
    let found = walk(false);
    assert!(
        found.is_subset(&all),
        "a block was found that nobody holds, round {round}"
    );
    let stats = alloc::stats();
    assert_eq!(stats.live_blocks, all.len());
    assert_eq!(stats.live_gc_blocks, found.len());
    match round % 3 {
        0 => stop_the_world_and_reclaim(),
        // SAFETY: the other threads wait at the barrier.
        1 => unsafe { alloc::end_young_collection() },
        _ => (),
    }
    assert_eq!(walk(false), found);
    assert!(walk(true).is_subset(&found));
}

#[test]
fn a_racing_reader_finds_freed_headers_dead() {
    // In free-threaded mode a thread may read the counts of a block that another thread frees: it must see
    // dead words, or those of the block's next object, and never a link or a payload.
    let _alone = alone(false);
    const SLOTS: usize = 64;
    let slots: Vec<AtomicUsize> = (0..SLOTS).map(|_| AtomicUsize::new(0)).collect();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let (slots, done) = (&slots, &done);
        for _ in 0..2 {
            scope.spawn(move || {
                while !done.load(Ordering::Relaxed) {
                    for slot in slots {
                        let addr = slot.load(Ordering::Acquire);
                        if addr != 0 {
                            let (owner, shared) = Object { addr, size: 0 }.dead_words();
                            assert!(owner <= 1 && (shared == 0 || shared == 3));
                        }
                    }
                }
            });
        }
        let mut random = Random(77);
        let mut held: Vec<Option<Object>> = vec![None; SLOTS];
        for _ in 0..300_000 {
            let index = random.below(SLOTS);
            if let Some(object) = held[index].take() {
                // The slot keeps the stale address for a while.
                object.free();
            } else {
                let object = Object::new(random.size(), true);
                slots[index].store(object.addr, Ordering::Release);
                held[index] = Some(object);
            }
        }
        done.store(true, Ordering::Relaxed);
        held.into_iter().flatten().for_each(Object::free);
    });
    alloc::thread_exit();
}

#[test]
fn memory_goes_back() {
    for immediate in [true, false] {
        let _alone = alone(immediate);
        stop_the_world_and_reclaim();
        let before = alloc::stats().mapped_bytes;
        for size in [32, 96, 480, 3000, 20_000] {
            let count = (192 << 20) / size;
            let objects: Vec<_> = (0..count).map(|_| Object::new(size, true)).collect();
            objects.into_iter().for_each(Object::free);
            stop_the_world_and_reclaim();
            let mapped = alloc::stats().mapped_bytes;
            assert!(mapped < before.max(16 << 20) + (100 << 20), "{size}: {mapped}");
        }
        std::thread::sleep(std::time::Duration::from_millis(120));
        stop_the_world_and_reclaim();
        alloc::thread_exit();
    }
}

#[test]
fn the_child_of_a_fork_goes_on() {
    let _alone = alone(false);
    let (stop, wait) = channel::<()>();
    let (ready, is_ready) = channel::<Vec<Object>>();
    let other = std::thread::spawn(move || {
        ready
            .send((0..20_000).map(|_| Object::new(48, true)).collect())
            .expect("main");
        let _ = wait.recv();
        alloc::thread_exit();
    });
    let theirs = is_ready.recv().expect("thread");
    let mine: Vec<_> = (0..20_000).map(|_| Object::new(48, true)).collect();
    // SAFETY: no thread is inside the allocator; the child only uses the allocator and exits.
    unsafe {
        let child = libc::fork();
        if child == 0 {
            alloc::after_fork_child();
            let mut found = 0;
            alloc::for_each_gc_object(false, &mut |_| found += 1);
            let mut right = found == theirs.len() + mine.len();
            let held = alloc::stats().held_bytes;
            theirs.iter().chain(&mine).for_each(|object| object.free());
            // The room of the thread that is no more is of use to the one that is.
            for _ in 0..found {
                let _ = Object::new(48, true);
            }
            right &= alloc::stats().held_bytes <= held + 64 * 1024;
            for _ in 0..20_000 {
                let _ = Object::new(48, true);
            }
            libc::_exit(if right { 0 } else { 1 });
        }
        assert!(child > 0);
        let mut status = 0;
        assert_eq!(libc::waitpid(child, &mut status, 0), child);
        assert_eq!(status, 0);
    }
    drop(stop);
    other.join().expect("thread");
    theirs.into_iter().chain(mine).for_each(Object::free);
    alloc::thread_exit();
}
