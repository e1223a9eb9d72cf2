//! The per-object lock, the runtime's own lock and its once cell.

use super::{alone, as_python_thread, start};
use lisle_runtime::memory::header::Header;
use lisle_runtime::sync::atomic::AtomicU8;
use lisle_runtime::sync::{Mutex, ObjectLock, OnceBox, lock_object, lock_objects};
use lisle_runtime::threads::stop_the_world;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

#[test]
fn object_lock_excludes() {
    let _alone = alone();
    struct Object {
        byte: AtomicU8,
        count: AtomicU64,
    }
    let object = Arc::new(Object {
        byte: AtomicU8::new(0),
        count: AtomicU64::new(0),
    });
    let threads: Vec<_> = (0..6)
        .map(|_| {
            let object = object.clone();
            start(move |t| {
                for n in 0..20_000 {
                    {
                        let _guard = ObjectLock::from_byte(&object.byte).guard();
                        object
                            .count
                            .store(object.count.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
                        if n % 4096 == 0 {
                            // Long enough for others to park.
                            std::thread::sleep(std::time::Duration::from_micros(200));
                        }
                    }
                    t.safepoint();
                    if n % 3000 == 0 {
                        stop_the_world(|| assert_eq!(object.byte.load(Ordering::Relaxed) & 1, 0));
                    }
                }
            })
        })
        .collect();
    threads.into_iter().for_each(|t| t.join());
    assert_eq!(object.count.load(Ordering::Relaxed), 120_000);
    assert_eq!(object.byte.load(Ordering::Relaxed), 0);
}

/// The maker of the objects locks them often, the others now and then: its right ends with their first time, or with that of too many
/// objects.
#[test]
fn objects_are_locked_by_owner_and_others() {
    let _alone = alone();
    const OBJECTS: usize = 600;
    const ROUNDS: usize = 40;
    let threads: Vec<_> = {
        let objects: Arc<[(Header, AtomicU64)]> = (0..OBJECTS).map(|_| (Header::dead(), AtomicU64::new(0))).collect();
        let ready = Arc::new(std::sync::Barrier::new(4));
        (0..4)
            .map(|number| {
                let (objects, ready) = (objects.clone(), ready.clone());
                start(move |t| {
                    for (header, _) in objects.iter().skip(number).step_by(4) {
                        header.adopt();
                    }
                    t.detached(|| ready.wait());
                    for round in 0..ROUNDS {
                        for (i, (header, count)) in objects.iter().enumerate() {
                            let visits = if i % 4 == number {
                                50
                            } else {
                                usize::from(i % ROUNDS == round)
                            };
                            for _ in 0..visits {
                                let _guard = lock_object(header);
                                count.store(count.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
                            }
                            t.safepoint();
                        }
                    }
                    t.detached(|| ready.wait());
                    for (_, count) in objects.iter() {
                        assert_eq!(count.load(Ordering::Relaxed), (50 * ROUNDS + 3) as u64);
                    }
                })
            })
            .collect()
    };
    threads.into_iter().for_each(|t| t.join());
}

#[test]
fn two_objects_in_either_order() {
    let _alone = alone();
    let locks = Arc::new((Header::dead(), Header::dead(), AtomicU64::new(0)));
    let ready = Arc::new(std::sync::Barrier::new(4));
    let threads: Vec<_> = (0..4)
        .map(|i| {
            let (locks, ready) = (locks.clone(), ready.clone());
            start(move |t| {
                if i < 2 {
                    [&locks.0, &locks.1][i].adopt();
                }
                t.detached(|| ready.wait());
                for _ in 0..20_000 {
                    let (a, b) = if i % 2 == 0 {
                        (&locks.0, &locks.1)
                    } else {
                        (&locks.1, &locks.0)
                    };
                    {
                        let _both = lock_objects(a, b);
                        locks.2.store(locks.2.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
                    }
                    drop(lock_objects(a, a));
                    t.safepoint();
                }
            })
        })
        .collect();
    threads.into_iter().for_each(|t| t.join());
    assert_eq!(locks.2.load(Ordering::Relaxed), 80_000);
}

#[test]
fn try_lock_follows_the_mode() {
    let _alone = alone();
    as_python_thread(false, |_| {
        let lock = ObjectLock::new();
        assert!(lock.try_lock());
        assert_eq!(lock.is_locked(), crate::FREE);
        assert_eq!(lock.try_lock(), !crate::FREE);
        lock.unlock();
        assert!(!lock.is_locked());
    });
}

#[test]
fn mutex_excludes_without_thread_states() {
    let _alone = alone();
    static TABLE: Mutex<Vec<u64>> = Mutex::new(Vec::new());
    let threads: Vec<_> = (0..4)
        .map(|_| {
            std::thread::spawn(|| {
                for n in 0..10_000 {
                    TABLE.lock().push(n);
                }
            })
        })
        .collect();
    threads.into_iter().for_each(|t| t.join().unwrap());
    assert_eq!(TABLE.lock().len(), 40_000);
    let guard = TABLE.lock();
    assert!(TABLE.try_lock().is_none());
    drop(guard);
    assert!(TABLE.try_lock().is_some());
}

#[test]
fn once_box_has_one_value() {
    let _alone = alone();
    let cell = Arc::new(OnceBox::new());
    let threads: Vec<_> = (0..4)
        .map(|i| {
            let cell = cell.clone();
            start(move |_| *cell.get_or_init(|| i))
        })
        .collect();
    let seen: Vec<i32> = threads.into_iter().map(|t| t.join()).collect();
    assert!(seen.iter().all(|s| s == &seen[0]));
}
