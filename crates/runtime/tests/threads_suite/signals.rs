//! Signals reach the main thread wherever it is.

use super::{alone, as_python_thread};
use lisle_runtime::threads::signals::{self, Action};
use lisle_runtime::threads::{AcquireResult, ParkOutcome, RawLock, poll, sleep_for};
use std::time::{Duration, Instant};

fn send(tid: u32, signum: i32) {
    // SAFETY: a signal to a thread of this process.
    unsafe { libc::syscall(libc::SYS_tgkill, libc::getpid(), tid, signum) };
}

fn tid() -> u32 {
    // SAFETY: no arguments.
    unsafe { libc::syscall(libc::SYS_gettid) as u32 }
}

#[test]
fn recorded_and_taken() {
    let _alone = alone();
    as_python_thread(true, |t| {
        signals::install(libc::SIGUSR1, true).unwrap();
        signals::install(libc::SIGUSR2, true).unwrap();
        assert_eq!(signals::action(libc::SIGUSR1).unwrap(), Action::Handler);
        send(tid(), libc::SIGUSR2);
        send(tid(), libc::SIGUSR1);
        assert!(t.safepoint().contains(poll::SIGNAL) && signals::any_pending());
        t.clear_poll(poll::SIGNAL);
        // One taken, the other stays pending and asks again.
        assert_eq!(signals::take_pending().next(), Some(libc::SIGUSR1));
        assert!(t.safepoint().contains(poll::SIGNAL));
        t.clear_poll(poll::SIGNAL);
        assert_eq!(signals::take_pending().collect::<Vec<_>>(), [libc::SIGUSR2]);
        assert!(signals::interrupt_main(libc::SIGINT) && !signals::interrupt_main(0));
        t.clear_poll(poll::SIGNAL);
        assert_eq!(signals::take_pending().collect::<Vec<_>>(), [libc::SIGINT]);
        signals::install(libc::SIGUSR1, false).unwrap();
        assert_eq!(signals::action(libc::SIGUSR1).unwrap(), Action::Default);
    });
}

/// A signal that another thread receives ends the main thread's park and its system call.
#[test]
fn another_thread_receives_it() {
    let _alone = alone();
    as_python_thread(true, |t| {
        signals::install(libc::SIGUSR1, true).unwrap();
        let lock = RawLock::new();
        lock.acquire(None, true);
        for round in 0..3 {
            let sender = std::thread::spawn(|| {
                std::thread::sleep(Duration::from_millis(30));
                send(tid(), libc::SIGUSR1);
            });
            let begin = Instant::now();
            match round {
                0 => assert_eq!(sleep_for(Duration::from_secs(20)), ParkOutcome::Interrupted),
                1 => assert_eq!(lock.acquire(None, true), AcquireResult::Interrupted),
                _ => t.detached(|| {
                    // SAFETY: no descriptors: a plain sleep.
                    assert_eq!(unsafe { libc::poll(std::ptr::null_mut(), 0, 20_000) }, -1);
                    assert_eq!(std::io::Error::last_os_error().raw_os_error(), Some(libc::EINTR));
                }),
            }
            assert!(begin.elapsed() < Duration::from_secs(10));
            sender.join().unwrap();
            assert!(t.safepoint().contains(poll::SIGNAL));
            t.clear_poll(poll::SIGNAL);
            // Once, though the main thread got the forwarded one besides.
            assert_eq!(signals::take_pending().collect::<Vec<_>>(), [libc::SIGUSR1]);
            assert!(!signals::any_pending());
        }
    });
}

#[test]
fn wakeup_descriptor() {
    let _alone = alone();
    as_python_thread(true, |t| {
        let mut ends = [0; 2];
        // SAFETY: two descriptors are written.
        assert_eq!(unsafe { libc::pipe2(ends.as_mut_ptr(), libc::O_NONBLOCK) }, 0);
        signals::install(libc::SIGUSR2, true).unwrap();
        assert_eq!(signals::set_wakeup_fd(ends[1], true), -1);
        send(tid(), libc::SIGUSR2);
        let mut byte = 0u8;
        // SAFETY: one byte into a live variable.
        assert_eq!(unsafe { libc::read(ends[0], (&raw mut byte).cast(), 1) }, 1);
        assert_eq!(i32::from(byte), libc::SIGUSR2);
        assert_eq!(signals::set_wakeup_fd(-1, true), ends[1]);
        assert_eq!(signals::take_wakeup_error(), None);
        t.clear_poll(poll::SIGNAL);
        assert_eq!(signals::take_pending().count(), 1);
        // SAFETY: our own descriptors.
        unsafe {
            libc::close(ends[0]);
            libc::close(ends[1]);
        }
    });
}
