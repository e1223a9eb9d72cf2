//! Models of native threads that wait to be used again.

use crate::threads::places::{Idle, Places};
use loom::cell::UnsafeCell;
use loom::sync::Arc;
use loom::thread;

fn model(preemptions: usize, f: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(preemptions);
    builder.check(f);
}

/// What a thread is called with: it is written by the caller before and by the called thread after, which loom checks for order.
struct Work(Arc<UnsafeCell<usize>>);
// SAFETY: the cell is touched by one thread at a time, which is what the models check.
unsafe impl Send for Work {}
// SAFETY: as above.
unsafe impl Sync for Work {}

impl Work {
    fn new() -> Work {
        Work(Arc::new(UnsafeCell::new(0)))
    }

    fn step(&self) {
        // SAFETY: see above; loom panics if it is not so.
        self.0.with_mut(|v| unsafe { *v += 1 });
    }
}

type Pool = Places<Work, 1>;
const SIZE: usize = 1 << 20;

/// Whoever holds this may show the number of the thread that ran the function last.
type Held = std::sync::Arc<()>;

/// A thread that has run its function and waits for others until it is to end; how many it ran. With `patient`, nothing but a call ends a sleep.
fn idle(places: Arc<Pool>, held: Option<Held>, patient: bool) -> thread::JoinHandle<usize> {
    let number = held.as_ref().map(std::sync::Arc::downgrade).unwrap_or_default();
    thread::spawn(move || {
        let mut ran = 0;
        let mut number = number;
        loop {
            let idle = Idle::new(7, std::mem::take(&mut number), SIZE);
            let deadline = || (!patient).then_some(0);
            let Some(work) = places.wait(idle, |called| called(), deadline) else {
                return ran;
            };
            work.step();
            ran += 1;
        }
    })
}

/// Calls until a thread takes the work, or once; whether one did.
fn call(places: &Pool) -> bool {
    let work = Work::new();
    work.step();
    places.call(SIZE, work, |work| work).is_ok()
}

/// A call is run once, or given back; a thread that gives up waiting as it is called runs what it was called for.
#[test]
fn a_call_is_run_or_given_back() {
    model(3, || {
        let places = Arc::new(Pool::new());
        let waiting = idle(places.clone(), None, false);
        let called = call(&places);
        assert_eq!(waiting.join().unwrap(), usize::from(called));
    });
}

/// The call wakes the thread wherever it is on its way to sleep: with no end to its sleep, a lost call would be a deadlock.
#[test]
fn a_call_is_not_slept_through() {
    model(3, || {
        let places = Arc::new(Pool::new());
        let waiting = idle(places.clone(), None, true);
        let called = call(&places);
        places.close();
        assert_eq!(waiting.join().unwrap(), usize::from(called));
    });
}

#[test]
fn two_callers_and_one_thread() {
    model(2, || {
        let places = Arc::new(Pool::new());
        let waiting = idle(places.clone(), None, false);
        let theirs = places.clone();
        let other = thread::spawn(move || usize::from(call(&theirs)));
        let mine = usize::from(call(&places));
        let called = mine + other.join().unwrap();
        assert_eq!(waiting.join().unwrap(), called);
    });
}

#[test]
fn one_caller_and_two_threads() {
    model(2, || {
        let places = Arc::new(Pool::new());
        let first = idle(places.clone(), None, false);
        let second = idle(places.clone(), None, false);
        let called = usize::from(call(&places));
        let ran = first.join().unwrap() + second.join().unwrap();
        assert_eq!(ran, called);
    });
}

/// After the end of reuse no thread is left that waits for ever, and what was called before is run.
#[test]
fn the_end_of_reuse_against_a_call() {
    model(2, || {
        let places = Arc::new(Pool::new());
        let waiting = idle(places.clone(), None, true);
        let theirs = places.clone();
        let other = thread::spawn(move || theirs.close());
        let called = call(&places);
        other.join().unwrap();
        assert_eq!(waiting.join().unwrap(), usize::from(called));
        assert!(!call(&places));
    });
}

/// A thread whose number somebody may look at is put back, to be used later: it is not lost meanwhile, whether it gives up or not.
#[test]
fn a_thread_whose_number_is_shown() {
    model(3, || {
        let places = Arc::new(Pool::new());
        let held = Held::new(());
        let waiting = idle(places.clone(), Some(held.clone()), false);
        assert!(!call(&places));
        drop(held);
        let called = call(&places);
        assert_eq!(waiting.join().unwrap(), usize::from(called));
    });
}

/// The same while another takes its place.
#[test]
fn a_thread_that_is_put_back_finds_its_place_taken() {
    model(2, || {
        let places = Arc::new(Pool::new());
        let held = Held::new(());
        let first = idle(places.clone(), Some(held.clone()), false);
        let second = idle(places.clone(), Some(held.clone()), false);
        assert!(!call(&places));
        assert_eq!(first.join().unwrap() + second.join().unwrap(), 0);
        drop(held);
        assert!(!call(&places));
    });
}
