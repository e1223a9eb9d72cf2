//! Parking and the locks under Python's.

use super::{alone, as_python_thread, start, start_native};
use lisle_runtime::threads::{
    self, AcquireResult, HandleDone, ParkOutcome, ParkReason, RawEvent, RawLock, RawRLock, park, poll, sleep_for,
    unpark_all, unpark_one,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

#[test]
fn unpark_order_is_arrival_order() {
    let _alone = alone();
    static KEY: u8 = 0;
    static QUEUED: AtomicUsize = AtomicUsize::new(0);
    let key = &raw const KEY as usize;
    let threads: Vec<_> = (0..4)
        .map(|i| {
            while QUEUED.load(Ordering::SeqCst) != i {
                std::thread::yield_now();
            }
            start(move |_| {
                let validate = || {
                    QUEUED.fetch_add(1, Ordering::SeqCst);
                    true
                };
                park(key, ParkReason::Other, None, validate, || {})
            })
        })
        .collect();
    while QUEUED.load(Ordering::SeqCst) != 4 {
        std::thread::yield_now();
    }
    for i in 0..4 {
        let result = unpark_one(key, |_| i);
        assert!(result.unparked.is_some());
        assert_eq!(result.have_more, i != 3);
    }
    assert!(unpark_one(key, |_| 0).unparked.is_none());
    let tokens: Vec<_> = threads.into_iter().map(|t| t.join()).collect();
    assert_eq!(tokens, (0..4).map(ParkOutcome::Unparked).collect::<Vec<_>>());
}

#[test]
fn park_outcomes() {
    let _alone = alone();
    as_python_thread(false, |t| {
        let key = std::ptr::from_ref(t) as usize;
        assert_eq!(
            park(key, ParkReason::Other, None, || false, || {}),
            ParkOutcome::Invalid
        );
        let begin = Instant::now();
        let deadline = begin + Duration::from_millis(20);
        assert_eq!(
            park(key, ParkReason::Other, Some(deadline), || true, || {}),
            ParkOutcome::TimedOut
        );
        assert!(begin.elapsed() >= Duration::from_millis(20));
        assert_eq!(unpark_all(key), 0);
        t.interrupt(poll::ASYNC_EXC);
        assert_eq!(sleep_for(Duration::from_secs(60)), ParkOutcome::Interrupted);
        t.clear_poll(poll::ASYNC_EXC);
        // An unpark in `before_sleep` is not lost.
        let outcome = park(key, ParkReason::Other, None, || true, || assert_eq!(unpark_all(key), 1));
        assert_eq!(outcome, ParkOutcome::Unparked(0));
    });
}

#[test]
fn interrupt_wakes_a_parked_thread() {
    let _alone = alone();
    let serial = Arc::new(AtomicU64::new(0));
    let theirs = serial.clone();
    let sleeper = start(move |t| {
        theirs.store(t.serial(), Ordering::SeqCst);
        let outcome = sleep_for(Duration::from_secs(60));
        t.clear_poll(poll::ASYNC_EXC);
        outcome
    });
    while threads::registry::with_serial(serial.load(Ordering::SeqCst), |t| t.waiting_for().is_some()) != Some(true) {
        std::thread::yield_now();
    }
    threads::registry::with_serial(serial.load(Ordering::SeqCst), |t| t.interrupt(poll::ASYNC_EXC));
    assert_eq!(sleeper.join(), ParkOutcome::Interrupted);
}

#[test]
fn lock_basics() {
    let _alone = alone();
    as_python_thread(false, |t| {
        let lock = RawLock::new();
        assert!(!lock.release());
        assert!(lock.try_acquire());
        assert_eq!(lock.holder(), Some(t.serial()));
        assert!(!lock.try_acquire());
        let soon = Instant::now() + Duration::from_millis(5);
        assert_eq!(lock.acquire(Some(soon), true), AcquireResult::TimedOut);
        t.set_poll(poll::ASYNC_EXC);
        assert_eq!(lock.acquire(None, true), AcquireResult::Interrupted);
        t.clear_poll(poll::ASYNC_EXC);
        assert!(lock.release());
        assert_eq!(lock.acquire(None, true), AcquireResult::Acquired);
        assert!(lock.release() && !lock.is_locked());

        let rlock = RawRLock::new();
        assert!(!rlock.release());
        for _ in 0..3 {
            assert_eq!(rlock.acquire(None, true), AcquireResult::Acquired);
        }
        assert_eq!(rlock.count(), 3);
        let saved = rlock.save().unwrap();
        assert!(saved == 3 && !rlock.is_owned());
        rlock.restore(saved);
        for _ in 0..3 {
            assert!(rlock.is_owned() && rlock.release());
        }
        assert!(!rlock.is_locked() && !rlock.release());
    });
}

/// The size the notes use: many threads, each a long run of acquire, add, release.
#[test]
fn seventy_threads_one_lock() {
    let _alone = alone();
    const EACH: u64 = 100_000;
    struct Shared {
        lock: RawLock,
        count: AtomicU64,
    }
    let shared = Arc::new(Shared {
        lock: RawLock::new(),
        count: AtomicU64::new(0),
    });
    let begin = Instant::now();
    let threads: Vec<_> = (0..70)
        .map(|_| {
            let shared = shared.clone();
            start(move |t| {
                for _ in 0..EACH {
                    assert_eq!(shared.lock.acquire(None, true), AcquireResult::Acquired);
                    shared
                        .count
                        .store(shared.count.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
                    assert!(shared.lock.release());
                    t.safepoint();
                }
            })
        })
        .collect();
    threads.into_iter().for_each(|t| t.join());
    eprintln!("70 x {EACH} lock and release: {:?}", begin.elapsed());
    assert_eq!(shared.count.load(Ordering::Relaxed), 70 * EACH);
    assert!(!shared.lock.is_locked());
}

/// Safepoints inside the critical section, timeouts and interruptions all at once lose no wakeup.
#[test]
fn lock_stress_with_timeouts_and_interrupts() {
    let _alone = alone();
    let lock = Arc::new(RawLock::new());
    let inside = Arc::new(AtomicUsize::new(0));
    let stop = Arc::new(AtomicBool::new(false));
    let serials = Arc::new(lisle_runtime::sync::Mutex::new(Vec::new()));
    let threads: Vec<_> = (0..6)
        .map(|i| {
            let (lock, inside, serials) = (lock.clone(), inside.clone(), serials.clone());
            start(move |t| {
                serials.lock().push(t.serial());
                let mut got = 0;
                for _ in 0..2_000 {
                    let deadline = (i % 2 == 0).then(|| Instant::now() + Duration::from_micros(200));
                    match lock.acquire(deadline, i % 3 != 0) {
                        AcquireResult::Acquired => {
                            got += 1;
                            assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0);
                            t.safepoint();
                            if got % 50 == 0 {
                                t.detached(|| std::thread::sleep(Duration::from_micros(100)));
                            }
                            assert_eq!(inside.fetch_sub(1, Ordering::SeqCst), 1);
                            assert!(lock.release());
                        }
                        AcquireResult::TimedOut => assert!(deadline.is_some()),
                        AcquireResult::Interrupted => {}
                    }
                    t.clear_poll(poll::ASYNC_EXC);
                    t.safepoint();
                }
                got
            })
        })
        .collect();
    let interrupter = {
        let (stop, serials) = (stop.clone(), serials.clone());
        std::thread::spawn(move || {
            while !stop.load(Ordering::Relaxed) {
                for serial in serials.lock().iter() {
                    threads::registry::with_serial(*serial, |t| t.interrupt(poll::ASYNC_EXC));
                }
                std::thread::sleep(Duration::from_micros(100));
            }
        })
    };
    let got: Vec<u64> = threads.into_iter().map(|t| t.join()).collect();
    stop.store(true, Ordering::Relaxed);
    interrupter.join().unwrap();
    assert!(got.iter().all(|g| *g > 0), "{got:?}");
    assert!(!lock.is_locked());
}

/// A thread that takes the lock again at once does not keep another from it.
#[test]
fn waiting_thread_gets_its_turn() {
    let _alone = alone();
    let lock = Arc::new(RawLock::new());
    let stop = Arc::new(AtomicBool::new(false));
    let hog = {
        let (lock, stop) = (lock.clone(), stop.clone());
        start(move |t| {
            while !stop.load(Ordering::Relaxed) {
                lock.acquire(None, false);
                t.detached(|| std::thread::sleep(Duration::from_micros(300)));
                lock.release();
                t.safepoint();
            }
        })
    };
    let waited = start(move |_| {
        let begin = Instant::now();
        for _ in 0..20 {
            lock.acquire(None, false);
            lock.release();
        }
        begin.elapsed()
    })
    .join();
    stop.store(true, Ordering::Relaxed);
    hog.join();
    assert!(waited < Duration::from_secs(2), "{waited:?}");
}

#[test]
fn rlock_between_threads() {
    let _alone = alone();
    let lock = Arc::new(RawRLock::new());
    let count = Arc::new(AtomicU64::new(0));
    let threads: Vec<_> = (0..8)
        .map(|_| {
            let (lock, count) = (lock.clone(), count.clone());
            start(move |t| {
                for _ in 0..2_000 {
                    lock.acquire(None, true);
                    lock.acquire(None, true);
                    count.store(count.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
                    t.safepoint();
                    assert!(lock.release() && lock.is_owned());
                    assert!(lock.release());
                    t.safepoint();
                }
            })
        })
        .collect();
    threads.into_iter().for_each(|t| t.join());
    assert_eq!(count.load(Ordering::Relaxed), 16_000);
}

#[test]
fn event_wakes_all() {
    let _alone = alone();
    let event = Arc::new(RawEvent::new());
    let threads: Vec<_> = (0..5)
        .map(|_| {
            let event = event.clone();
            start(move |_| event.wait(None, true))
        })
        .collect();
    std::thread::sleep(Duration::from_millis(20));
    event.set();
    for t in threads {
        assert_eq!(t.join(), AcquireResult::Acquired);
    }
    as_python_thread(false, |_| {
        assert_eq!(event.wait(None, true), AcquireResult::Acquired);
        event.clear();
        let soon = Instant::now() + Duration::from_millis(2);
        assert_eq!(event.wait(Some(soon), true), AcquireResult::TimedOut);
    });
}

#[test]
fn join_by_event() {
    let _alone = alone();
    as_python_thread(false, |_| {
        let done: Vec<Arc<HandleDone>> = (0..4)
            .map(|_| {
                start_native(0, |t| {
                    for _ in 0..10_000 {
                        t.safepoint();
                    }
                })
            })
            .collect();
        for d in done {
            assert_eq!(d.join(0, None, true), AcquireResult::Acquired);
            assert!(d.is_done());
        }
    });
}

/// Prints what the fast paths cost: `cargo test --release -p lisle-runtime --test threads_gil costs -- --ignored --nocapture`.
#[test]
#[ignore = "a measurement"]
fn costs() {
    use lisle_runtime::sync::{ObjectLock, free_threaded};
    let _alone = alone();
    as_python_thread(false, |t| {
        const N: u32 = 10_000_000;
        let measure = |what: &str, f: &mut dyn FnMut()| {
            let begin = Instant::now();
            f();
            eprintln!(
                "{what}: {:.2} ns (free: {})",
                begin.elapsed().as_nanos() as f64 / f64::from(N),
                free_threaded()
            );
        };
        let (lock, rlock, object) = (RawLock::new(), RawRLock::new(), ObjectLock::new());
        measure("RawLock acquire + release", &mut || {
            for _ in 0..N {
                std::hint::black_box(&lock).acquire(None, true);
                lock.release();
            }
        });
        measure("RawRLock acquire + release", &mut || {
            for _ in 0..N {
                std::hint::black_box(&rlock).acquire(None, true);
                rlock.release();
            }
        });
        measure("ObjectLock lock + unlock", &mut || {
            for _ in 0..N {
                drop(std::hint::black_box(&object).guard());
            }
        });
        measure("detach + attach", &mut || {
            for _ in 0..N {
                std::hint::black_box(t).detached(|| ());
            }
        });
        measure("safepoint", &mut || {
            for _ in 0..N {
                std::hint::black_box(std::hint::black_box(t).safepoint());
            }
        });
        measure("stack_remaining_ok", &mut || {
            for _ in 0..N {
                std::hint::black_box(threads::stack_remaining_ok(4096));
            }
        });
    });
}

/// Prints what short system calls cost when several threads make them, alone and beside a computing thread.
#[test]
#[ignore = "a measurement"]
fn short_system_calls() {
    const TIME: Duration = Duration::from_millis(300);
    let _alone = alone();
    for (callers, computing) in [(1, 0), (2, 0), (4, 0), (16, 0), (1, 1), (4, 1), (16, 1)] {
        let stop = Arc::new(AtomicBool::new(false));
        let callers: Vec<_> = (0..callers)
            .map(|_| {
                let stop = stop.clone();
                start(move |t| {
                    let mut calls = 0u64;
                    while !stop.load(Ordering::Relaxed) {
                        // SAFETY: signal 0 to ourselves: a system call that does nothing.
                        t.detached(|| unsafe { libc::kill(libc::getpid(), 0) });
                        (0..1000).for_each(|n| _ = std::hint::black_box(n));
                        t.safepoint();
                        calls += 1;
                    }
                    calls
                })
            })
            .collect();
        let computing: Vec<_> = (0..computing)
            .map(|_| {
                let stop = stop.clone();
                start(move |t| {
                    let mut rounds = 0u64;
                    while !stop.load(Ordering::Relaxed) {
                        rounds += 1;
                        t.safepoint();
                    }
                    rounds
                })
            })
            .collect();
        std::thread::sleep(TIME);
        stop.store(true, Ordering::Relaxed);
        let calls: Vec<u64> = callers.into_iter().map(|t| t.join()).collect();
        let rounds: u64 = computing.into_iter().map(|t| t.join()).sum();
        let total: u64 = calls.iter().sum();
        eprintln!(
            "{} callers: {:.2} us a call, least {}, most {}; {rounds} rounds computed",
            calls.len(),
            TIME.as_secs_f64() * 1e6 / total as f64,
            calls.iter().min().unwrap_or(&0),
            calls.iter().max().unwrap_or(&0),
        );
    }
}
