//! Fork with other threads about, and the end of the program. Each runs in a child, which says how it went by its status.

use super::{alone, as_python_thread, start};
use lisle_runtime::threads::{self, AcquireResult, RawLock, begin_finalization, fork, sleep_for, stop_the_world};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Forks; the child runs `f` with a limit on its life and exits 0 if it returns.
fn in_child(f: impl FnOnce()) {
    fork::before_fork();
    // SAFETY: the child only runs `f` and leaves by `_exit`.
    let pid = unsafe { libc::fork() };
    if pid == 0 {
        // SAFETY: alarm and _exit take no pointers.
        unsafe { libc::alarm(20) };
        let ok = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            fork::after_fork_child(|_| {});
            f();
        }));
        // SAFETY: as above.
        unsafe { libc::_exit(i32::from(ok.is_err())) };
    }
    fork::after_fork_parent();
    assert!(pid > 0);
    let mut status = 0;
    threads::state::detached(|| {
        // SAFETY: waits for our own child.
        while unsafe { libc::waitpid(pid, &mut status, 0) } != pid {}
    });
    assert_eq!(status, 0, "the child failed");
}

/// Threads that compute, wait for a lock and sleep, until told to stop.
fn company(stop: &Arc<AtomicBool>, lock: &Arc<RawLock>) -> Vec<super::Started<()>> {
    (0..4)
        .map(|i| {
            let (stop, lock) = (stop.clone(), lock.clone());
            start(move |t| {
                while !stop.load(Ordering::Relaxed) {
                    match i {
                        0 | 1 => {
                            lock.acquire(None, true);
                            t.safepoint();
                            lock.release();
                        }
                        2 => {
                            sleep_for(Duration::from_micros(100));
                        }
                        _ => {}
                    }
                    t.safepoint();
                }
            })
        })
        .collect()
}

#[test]
fn child_has_one_thread_and_free_queues() {
    let _alone = alone();
    let stop = Arc::new(AtomicBool::new(false));
    let lock = Arc::new(RawLock::new());
    let threads = company(&stop, &lock);
    as_python_thread(false, |t| {
        for _ in 0..10 {
            in_child(|| {
                assert_eq!(threads::registry::thread_count(), 1);
                assert!(t.is_main() && t.is_attached());
                lock.reset_after_fork();
                assert_eq!(lock.acquire(None, true), AcquireResult::Acquired);
                t.safepoint();
                stop_the_world(|| ());
                let theirs = lock.clone();
                let other = start(move |_| theirs.acquire(None, true));
                sleep_for(Duration::from_millis(2));
                assert!(lock.release());
                t.detached(|| assert_eq!(other.join(), AcquireResult::Acquired));
            });
            t.safepoint();
        }
    });
    stop.store(true, Ordering::Relaxed);
    threads.into_iter().for_each(|t| t.join());
}

#[test]
fn others_hang_once_finalizing() {
    let _alone = alone();
    as_python_thread(false, |t| {
        in_child(|| {
            let stop = Arc::new(AtomicBool::new(false));
            let lock = Arc::new(RawLock::new());
            let threads = company(&stop, &lock);
            let count = Arc::new(AtomicU64::new(0));
            let theirs = count.clone();
            let counting = start(move |t| {
                loop {
                    theirs.fetch_add(1, Ordering::SeqCst);
                    t.safepoint();
                    if theirs.load(Ordering::SeqCst).is_multiple_of(64) {
                        t.detached(|| std::thread::sleep(Duration::from_micros(10)));
                    }
                }
            });
            while count.load(Ordering::SeqCst) < 200 {
                sleep_for(Duration::from_millis(1));
            }
            begin_finalization();
            assert!(threads::is_finalizing());
            let before = count.load(Ordering::SeqCst);
            let late = Arc::new(AtomicBool::new(false));
            let ran = late.clone();
            std::mem::forget(start(move |_| ran.store(true, Ordering::SeqCst)));
            let end = Instant::now() + Duration::from_millis(100);
            while Instant::now() < end {
                t.detached(|| std::thread::sleep(Duration::from_millis(1)));
                t.safepoint();
                stop_the_world(|| ());
            }
            assert_eq!(count.load(Ordering::SeqCst), before);
            assert!(!late.load(Ordering::SeqCst));
            std::mem::forget((threads, counting));
        });
    });
}
