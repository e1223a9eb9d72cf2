//! Models of the counts: objects that several threads count, merge, lose from slots and free.

use crate::memory::{leases, merge};
use crate::object::Block;
use crate::object::slot::Slot;
use crate::object::value::Value;
use crate::threads::attach;
use loom::sync::Arc;
use loom::thread;

/// The merge queue is one for the process: one model at a time.
static ONE_MODEL: std::sync::Mutex<()> = std::sync::Mutex::new(());

fn model(preemptions: usize, f: impl Fn() + Sync + Send + 'static) {
    let _only = ONE_MODEL.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(preemptions);
    builder.check(f);
}

/// A reference on its way to another thread.
struct Handed(Value);
// SAFETY: values may be dropped and copied by any thread: that is what the models check.
unsafe impl Send for Handed {}

impl Handed {
    fn value(self) -> Value {
        self.0
    }
}

/// The owner counted the reference that another thread drops: whoever is last, by its own count, by a merge at a safepoint or on the
/// owner's behalf, frees the object, once.
#[test]
fn a_reference_dropped_elsewhere() {
    model(3, || {
        let block = Arc::new(Block::new());
        let attached = attach(1);
        let object = block.create();
        let handed = Handed(object.clone());
        let other = thread::spawn(move || {
            let _attached = attach(2);
            drop(handed.value());
        });
        merge::drain(1);
        drop(object);
        merge::drain(1);
        drop(attached);
        other.join().unwrap();
        merge::drain(1);
        assert_eq!(block.freed(), 1);
    });
}

/// Two threads take references of their own from a counted one and drop all they have.
#[test]
fn references_made_elsewhere() {
    model(3, || {
        let block = Arc::new(Block::new());
        let attached = attach(1);
        let object = block.create();
        let others: Vec<_> = (2..4)
            .map(|number| {
                let handed = Handed(object.clone());
                thread::spawn(move || {
                    let _attached = attach(number);
                    let first = handed.value();
                    let second = first.clone();
                    drop(first);
                    drop(second);
                })
            })
            .collect();
        drop(object);
        merge::drain(1);
        drop(attached);
        for other in others {
            other.join().unwrap();
        }
        merge::drain(1);
        assert_eq!(block.freed(), 1);
    });
}

/// Another thread asks the owner to give the object up, with a reference of its own, while the owner counts and drops what it has.
#[test]
fn an_owner_that_is_asked_to_give_up() {
    model(3, || {
        let block = Arc::new(Block::new());
        let attached = attach(1);
        let object = block.create();
        let handed: Vec<Handed> = (0..2).map(|_| Handed(object.clone())).collect();
        let other = thread::spawn(move || {
            let _attached = attach(2);
            leases::set_contended();
            for handed in handed {
                let first = handed.value();
                drop(first.clone());
                drop(first);
            }
        });
        drop(object.clone());
        merge::drain(1);
        drop(object);
        merge::drain(1);
        drop(attached);
        other.join().unwrap();
        merge::drain(1);
        assert_eq!(block.freed(), 1);
    });
}

/// An owner that has ended: the last reference is merged by who drops it.
#[test]
fn an_owner_that_is_gone() {
    model(3, || {
        let block = Arc::new(Block::new());
        let attached = attach(1);
        let object = block.create();
        let handed: Vec<Handed> = (0..2).map(|_| Handed(object.clone())).collect();
        drop(object);
        drop(attached);
        let others: Vec<_> = handed
            .into_iter()
            .zip(2..)
            .map(|(handed, number)| {
                thread::spawn(move || {
                    let _attached = attach(number);
                    drop(handed.value());
                })
            })
            .collect();
        for other in others {
            other.join().unwrap();
        }
        assert_eq!(block.freed(), 1);
    });
}

/// A reader of a slot while the owner takes the value out, frees it, and uses the block for another object: the reader gets the
/// first object alive, or nothing, and the second is not disturbed.
#[test]
fn a_reader_of_a_slot_that_is_emptied() {
    model(3, || {
        let block = Arc::new(Block::new());
        let slot = Arc::new(Slot::empty());
        let attached = attach(1);
        slot.set(block.create());
        let reader = thread::spawn({
            let (slot, block) = (slot.clone(), block.clone());
            move || {
                let _attached = attach(2);
                if let Some(value) = slot.get() {
                    assert_eq!(block.freed(), 0, "a reference was taken to a dead object");
                    drop(value);
                }
            }
        });
        drop(slot.take());
        merge::drain(1);
        let reused = (block.freed() == 1).then(|| block.create());
        drop(attached);
        reader.join().unwrap();
        let attached = attach(1);
        merge::drain(1);
        if let Some(second) = reused {
            assert_eq!(block.freed(), 1, "the second object was freed by a reader of the first");
            assert_eq!(second.header().refcount(), 1);
            drop(second);
            assert_eq!(block.freed(), 2);
        } else {
            assert_eq!(block.freed(), 1);
        }
        drop(attached);
    });
}

/// Two threads replace the value of a slot while a third reads it.
#[test]
fn a_slot_with_two_writers() {
    model(2, || {
        let blocks: Arc<[Block; 3]> = Arc::new(std::array::from_fn(|_| Block::new()));
        let slot = Arc::new(Slot::empty());
        let attached = attach(1);
        slot.set(blocks[0].create());
        let others: Vec<_> = (2..4)
            .map(|number| {
                let (slot, blocks) = (slot.clone(), blocks.clone());
                thread::spawn(move || {
                    let _attached = attach(number);
                    if number == 2 {
                        slot.set(blocks[1].create());
                    } else {
                        drop(slot.get());
                    }
                })
            })
            .collect();
        slot.set(blocks[2].create());
        merge::drain(1);
        drop(attached);
        for other in others {
            other.join().unwrap();
        }
        let attached = attach(1);
        merge::drain(2);
        merge::drain(1);
        drop(slot.take());
        merge::drain(2);
        merge::drain(1);
        drop(attached);
        for block in blocks.iter() {
            assert_eq!(block.freed(), 1);
        }
    });
}

/// The owner of an object empties the slot that others find it by, and keeps a reference: it takes the object for its own alone only if no reader
/// goes on with it.
#[test]
fn an_owner_that_empties_a_slot_and_is_alone() {
    model(3, || {
        let block = Arc::new(Block::new());
        let slot = Arc::new(Slot::empty());
        let attached = attach(1);
        slot.set(block.create());
        let reader = thread::spawn({
            let slot = slot.clone();
            move || {
                let _attached = attach(2);
                slot.get().map(Handed)
            }
        });
        let kept = slot.get().expect("nobody else empties the slot");
        drop(slot.swap_locked(None));
        let alone = kept.header().is_unique();
        let read = reader.join().unwrap();
        assert!(!alone || read.is_none(), "the owner and a reader have the object");
        drop(kept);
        drop(read.map(Handed::value));
        merge::drain(1);
        drop(attached);
        assert_eq!(block.freed(), 1);
    });
}
