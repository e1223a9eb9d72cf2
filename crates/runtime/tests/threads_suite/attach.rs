//! Attaching, the GIL, safepoints and stopping the world.

use super::{alone, as_python_thread, start};
use lisle_runtime::threads::{
    self, ThreadState, act_for_owner, for_each_thread, gil, owner_id, poll, sleep_for, stop_the_world,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

#[test]
fn owner_ids() {
    let _alone = alone();
    let ids: Vec<u32> = (0..4).map(|_| start(|_| owner_id())).map(|s| s.join()).collect();
    if crate::FREE {
        assert!(ids.iter().all(|id| *id >= 2));
        let (a, b) = as_python_thread(false, |t| (t.owner(), t.detached(|| start(|u| u.owner()).join())));
        assert_ne!(a, b);
    } else {
        assert_eq!(ids, [1, 1, 1, 1]);
    }
    assert_eq!(owner_id(), 0);
    assert!(ThreadState::current().is_none());
}

/// In GIL mode attached threads exclude each other; a plain counter shows it.
#[test]
fn gil_excludes() {
    let _alone = alone();
    if crate::FREE {
        return;
    }
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let threads: Vec<_> = (0..8)
        .map(|i| {
            start(move |t| {
                for n in 0..20_000u64 {
                    COUNT.store(COUNT.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
                    t.safepoint();
                    if n % 1000 == i * 7 {
                        t.detached(|| std::hint::black_box(()));
                    }
                    if n % 5000 == 0 {
                        t.detached(|| std::thread::sleep(Duration::from_micros(50)));
                    }
                }
            })
        })
        .collect();
    threads.into_iter().for_each(|t| t.join());
    assert_eq!(COUNT.load(Ordering::Relaxed), 8 * 20_000);
}

/// Computing threads take turns: none finishes its share while another has hardly begun.
#[test]
fn computing_threads_share_time() {
    let _alone = alone();
    let stop = Arc::new(AtomicBool::new(false));
    let threads: Vec<_> = (0..4)
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
    std::thread::sleep(Duration::from_millis(400));
    stop.store(true, Ordering::Relaxed);
    let rounds: Vec<u64> = threads.into_iter().map(|t| t.join()).collect();
    let (least, most) = (rounds.iter().min().unwrap(), rounds.iter().max().unwrap());
    assert!(*least * 10 > *most, "unfair: {rounds:?}");
}

/// A thread that returns from a system call is not kept out for a whole switch interval.
#[test]
fn io_returns_quickly_beside_computation() {
    let _alone = alone();
    let stop = Arc::new(AtomicBool::new(false));
    let computing = {
        let stop = stop.clone();
        start(move |t| {
            let mut rounds = 0u64;
            while !stop.load(Ordering::Relaxed) {
                rounds += 1;
                t.safepoint();
            }
            rounds
        })
    };
    let mut waits = start(|t| {
        let mut waits = Vec::new();
        for _ in 0..100 {
            t.detach();
            std::thread::sleep(Duration::from_micros(500));
            let begin = Instant::now();
            t.attach();
            waits.push(begin.elapsed());
        }
        waits
    })
    .join();
    stop.store(true, Ordering::Relaxed);
    computing.join();
    waits.sort();
    eprintln!(
        "re-attach beside computation: median {:?}, worst {:?}",
        waits[50], waits[99]
    );
    assert!(waits[50] < Duration::from_millis(1), "median {:?}", waits[50]);
}

/// What the threads of the process have computed.
fn processor_time() -> Duration {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: fills `now`.
    unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &mut now) };
    Duration::new(now.tv_sec as u64, now.tv_nsec as u32)
}

/// Threads that only come back from system calls cannot starve one that computes.
#[test]
fn returning_threads_cannot_starve_computation() {
    if crate::FREE {
        return;
    }
    let _alone = alone();
    let stop = Arc::new(AtomicBool::new(false));
    let returning: Vec<_> = (0..4)
        .map(|_| {
            let stop = stop.clone();
            start(move |t| {
                while !stop.load(Ordering::Relaxed) {
                    t.detached(|| std::hint::black_box(()));
                    let begin = Instant::now();
                    while begin.elapsed() < Duration::from_micros(200) {
                        t.safepoint();
                    }
                }
            })
        })
        .collect();
    let theirs = stop.clone();
    let computing = start(move |t| {
        let mut held = Duration::ZERO;
        let mut last = Instant::now();
        while !theirs.load(Ordering::Relaxed) {
            t.safepoint();
            let now = Instant::now();
            // Longer gaps are time without the GIL.
            if now - last < Duration::from_micros(40) {
                held += now - last;
            }
            last = now;
        }
        held
    });
    let before = processor_time();
    std::thread::sleep(Duration::from_millis(500));
    stop.store(true, Ordering::Relaxed);
    returning.into_iter().for_each(|t| t.join());
    let held = computing.join();
    let used = processor_time() - before;
    eprintln!(
        "computing thread held the GIL for {held:?} of {used:?}; {:?}",
        gil::stats()
    );
    // Of the processor time of the process: what else the machine does is not counted.
    assert!(held > used / 10, "held for {held:?} of {used:?}");
}

#[test]
fn switch_interval_is_kept() {
    let _alone = alone();
    assert_eq!(gil::switch_interval(), Duration::from_millis(5));
}

#[test]
fn detached_keeps_errno() {
    let _alone = alone();
    as_python_thread(false, |t| {
        t.detached(|| {
            // SAFETY: a bad descriptor: fails with EBADF and touches nothing.
            assert_eq!(unsafe { libc::close(-1) }, -1);
        });
        assert_eq!(std::io::Error::last_os_error().raw_os_error(), Some(libc::EBADF));
    });
}

/// While the world is stopped nobody else is attached, in whatever it was doing.
#[test]
fn stop_excludes_everybody() {
    let _alone = alone();
    let stop = Arc::new(AtomicBool::new(false));
    static ATTACHED: AtomicUsize = AtomicUsize::new(0);
    static STOPS: AtomicUsize = AtomicUsize::new(0);
    let threads: Vec<_> = (0..6)
        .map(|i| {
            let stop = stop.clone();
            start(move |t| {
                let mut n = 0u32;
                while !stop.load(Ordering::Relaxed) {
                    ATTACHED.fetch_add(1, Ordering::SeqCst);
                    std::hint::black_box(n);
                    ATTACHED.fetch_sub(1, Ordering::SeqCst);
                    n = n.wrapping_add(1);
                    t.safepoint();
                    if i % 2 == 0 && n.is_multiple_of(64) {
                        t.detached(|| std::thread::sleep(Duration::from_micros(20)));
                    }
                    if i < 3 && n.is_multiple_of(512) {
                        stop_the_world(|| {
                            assert_eq!(ATTACHED.load(Ordering::SeqCst), 0);
                            std::hint::black_box((0..1000).sum::<u32>());
                            assert_eq!(ATTACHED.load(Ordering::SeqCst), 0);
                            // Nested: just runs.
                            stop_the_world(|| STOPS.fetch_add(1, Ordering::Relaxed));
                        });
                    }
                }
            })
        })
        .collect();
    // Threads come and go meanwhile.
    let end = Instant::now() + Duration::from_millis(300);
    while Instant::now() < end {
        start(|t| {
            t.safepoint();
        })
        .join();
    }
    stop.store(true, Ordering::Relaxed);
    threads.into_iter().for_each(|t| t.join());
    assert!(STOPS.load(Ordering::Relaxed) > 0);
}

#[test]
fn stop_resumes_after_a_panic() {
    let _alone = alone();
    as_python_thread(false, |_| {
        let result = std::panic::catch_unwind(|| stop_the_world(|| panic!("on purpose")));
        assert!(result.is_err());
        stop_the_world(|| ());
    });
    start(|t| {
        t.safepoint();
    })
    .join();
}

#[test]
fn other_bits_are_left_to_the_interpreter() {
    let _alone = alone();
    as_python_thread(false, |t| {
        t.set_poll(poll::GC | poll::MERGE);
        let actions = t.safepoint();
        assert!(actions.contains(poll::GC) && actions.contains(poll::MERGE));
        t.clear_poll(poll::GC | poll::MERGE);
        assert!(t.safepoint().is_empty());
    });
}

#[test]
fn acting_for_an_owner() {
    let _alone = alone();
    if !crate::FREE {
        let mut ran = false;
        assert!(as_python_thread(false, |_| act_for_owner(1, || ran = true)));
        assert!(ran);
        return;
    }
    let owner = Arc::new(AtomicU64::new(0));
    let step = Arc::new(AtomicU64::new(0));
    let (o, s) = (owner.clone(), step.clone());
    let other = start(move |t| {
        o.store(u64::from(t.owner()), Ordering::SeqCst);
        while !t.safepoint().contains(poll::MERGE) {
            std::thread::yield_now();
        }
        t.clear_poll(poll::MERGE);
        t.detached(|| {
            s.store(1, Ordering::SeqCst);
            while s.load(Ordering::SeqCst) != 2 {
                std::thread::yield_now();
            }
        });
    });
    as_python_thread(false, |t| {
        let wait_until = |done: &dyn Fn() -> bool| {
            t.detached(|| {
                while !done() {
                    std::thread::yield_now();
                }
            })
        };
        wait_until(&|| owner.load(Ordering::SeqCst) != 0);
        let id = owner.load(Ordering::SeqCst) as u32;
        // Attached: asked to merge itself (unless it is just being stopped by another test).
        while act_for_owner(id, || ()) {
            std::thread::yield_now();
        }
        wait_until(&|| step.load(Ordering::SeqCst) == 1);
        let mut ran = 0;
        assert!(act_for_owner(id, || ran += 1));
        step.store(2, Ordering::SeqCst);
        wait_until(&|| {
            let mut there = false;
            for_each_thread(|t| there |= t.owner() == id && t.serial() != threads::serial());
            !there
        });
        assert_eq!(ran, 1);
    });
    other.join();
}

#[test]
fn a_wait_is_on_record() {
    let _alone = alone();
    let serial = Arc::new(AtomicU64::new(0));
    let theirs = serial.clone();
    let sleeper = start(move |t| {
        theirs.store(t.serial(), Ordering::SeqCst);
        sleep_for(Duration::from_millis(100));
        assert!(t.waiting_for().is_none());
    });
    let begin = Instant::now();
    let mut seen = false;
    while !seen && begin.elapsed() < Duration::from_secs(5) {
        threads::registry::with_serial(serial.load(Ordering::SeqCst), |t| {
            seen = matches!(t.waiting_for(), Some((threads::ParkReason::Sleep, ..)));
        });
        std::thread::yield_now();
    }
    sleeper.join();
    assert!(seen);
}

/// An observer sees each wait begin and end, and the GIL change hands.
#[test]
fn observer_is_told() {
    use lisle_runtime::threads::WaitFor;
    use lisle_runtime::threads::observer::{GilEvent, Observer, set_observer};

    static BLOCKED: AtomicUsize = AtomicUsize::new(0);
    static UNBLOCKED: AtomicUsize = AtomicUsize::new(0);
    static WAITED: AtomicUsize = AtomicUsize::new(0);
    static GOT: AtomicUsize = AtomicUsize::new(0);
    struct Counter;
    impl Observer for Counter {
        fn on_block(&self, thread: &ThreadState, wait: WaitFor) {
            assert_eq!(thread.serial(), threads::serial());
            BLOCKED.fetch_add(
                usize::from(wait.reason == threads::ParkReason::Sleep),
                Ordering::Relaxed,
            );
        }
        fn on_unblock(&self, _thread: &ThreadState, wait: WaitFor) {
            UNBLOCKED.fetch_add(
                usize::from(wait.reason == threads::ParkReason::Sleep),
                Ordering::Relaxed,
            );
        }
        fn on_switch(&self, _thread: &ThreadState, event: GilEvent) {
            match event {
                GilEvent::Wait | GilEvent::Dropped => WAITED.fetch_add(1, Ordering::Relaxed),
                GilEvent::Acquired => GOT.fetch_add(1, Ordering::Relaxed),
                GilEvent::Released => 0,
            };
        }
    }

    let _alone = alone();
    set_observer(Some(&Counter));
    let threads: Vec<_> = (0..3)
        .map(|_| {
            start(|t| {
                let end = Instant::now() + Duration::from_millis(30);
                while Instant::now() < end {
                    t.safepoint();
                }
                sleep_for(Duration::from_millis(1));
            })
        })
        .collect();
    threads.into_iter().for_each(|t| t.join());
    set_observer(None);
    assert_eq!(
        (BLOCKED.load(Ordering::Relaxed), UNBLOCKED.load(Ordering::Relaxed)),
        (3, 3)
    );
    assert_eq!(WAITED.load(Ordering::Relaxed), GOT.load(Ordering::Relaxed));
    assert_eq!(WAITED.load(Ordering::Relaxed) > 0, !crate::FREE);
}
