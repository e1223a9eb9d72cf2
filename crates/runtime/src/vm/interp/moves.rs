//! Handlers of moves, constants, names, cells, and of what builds and unpacks sequences.

use std::cell::Cell;
use std::sync::atomic::Ordering::Relaxed;

use lisle_macros::handler;

use super::operators::unpack_list;
use super::state::{Apart, Exit, State, check};
use super::{cell, drop_plainly, drop_word, is_object};
use crate::object::Value;
use crate::sync::biased::OwnGuard;
use crate::sync::parallel;
use crate::types::list::List;
use crate::types::set::Set;
use crate::types::tuple::Tuple;

#[handler]
pub(super) fn nop(s: State<'_>) -> Exit {
    s.next()
}

#[handler]
pub(super) fn resume(s: State<'_>) -> Exit {
    if s.check_chain() {
        s.save();
        return Exit::GoOn;
    }
    s.poll()
}

#[handler]
pub(super) fn move_(s: State<'_>) -> Exit {
    match s.plain_operand(s.i.b()) {
        Some(value) => s.set_object(s.i.a(), value),
        None => s.tail(move_counted),
    }
}

/// As `move_`, of an object that another thread owns, or of nothing.
#[handler]
fn move_counted(s: State<'_>) -> Exit {
    let value = s.operand(s.i.b());
    s.set_object(s.i.a(), value)
}

#[handler]
pub(super) fn copy(s: State<'_>) -> Exit {
    match s.share(s.regs.word(s.i.b())) {
        Some(value) => s.set_object(s.i.a(), value),
        None => s.tail(copy_counted),
    }
}

#[handler]
fn copy_counted(s: State<'_>) -> Exit {
    s.set_object(s.i.a(), s.get(s.i.b()).clone())
}

#[handler]
pub(super) fn load_const(s: State<'_>) -> Exit {
    match s.share(s.constant(s.i.w()).bits()) {
        Some(value) => s.set(s.i.a(), value),
        None => s.tail(load_const_counted),
    }
}

#[handler]
fn load_const_counted(s: State<'_>) -> Exit {
    s.set(s.i.a(), s.constant(s.i.w()).clone())
}

#[handler]
pub(super) fn load_int(s: State<'_>) -> Exit {
    s.set(s.i.a(), Value::int(i64::from(s.i.w() as i32)))
}

#[handler]
pub(super) fn clear(s: State<'_>) -> Exit {
    s.release(s.regs.take_word(s.i.a()))
}

#[handler]
pub(super) fn check_local(s: State<'_>) -> Exit {
    if s.regs.opt(s.i.a()).is_none() {
        return s.tail(unbound_local);
    }
    s.next()
}

#[handler(apart)]
fn unbound_local(s: Apart<'_>) -> Exit {
    s.save();
    s.raise(s.vm.unbound_local(s.code().code(), s.i.a()))
}

// ---- names ----

#[handler]
pub(super) fn load_global<const FREE: bool>(s: State<'_>) -> Exit {
    // The frame's function holds the dicts.
    let (globals, builtins) = (s.frame().globals(), s.frame().builtins());
    let first = s.cache(0).load(Relaxed);
    let (dict, cached) = if first >> 32 != u64::from(u32::MAX) {
        (globals, first)
    } else if first as u32 == globals.raw_version() {
        (builtins, s.cache(1).load(Relaxed))
    } else {
        return s.tail(load_global_counted::<FREE>);
    };
    if let Some((word, place)) = dict.cached_place::<FREE>(cached)
        && let Some(value) = s.share_racing::<FREE>(word, || dict.still_has(cached, place, word))
    {
        return s.skip(2).set_object(s.i.a(), value);
    }
    s.tail(load_global_counted::<FREE>)
}

#[handler]
fn load_global_counted<const FREE: bool>(s: State<'_>) -> Exit {
    // The frame's function holds the dicts.
    let (globals, builtins) = (s.frame().globals(), s.frame().builtins());
    let first = s.cache(0).load(Relaxed);
    let found = if first >> 32 != u64::from(u32::MAX) {
        globals.cached_value::<FREE>(first)
    } else if first as u32 == globals.raw_version() {
        builtins.cached_value::<FREE>(s.cache(1).load(Relaxed))
    } else {
        None
    };
    match found {
        Some(value) => s.skip(2).set(s.i.a(), value),
        None => s.tail(load_global_slow),
    }
}

#[handler(apart)]
fn load_global_slow(s: Apart<'_>) -> Exit {
    s.save();
    let name = &s.code().names[s.i.w() as usize];
    let (globals, builtins) = (s.frame().globals(), s.frame().builtins());
    let found = s.vm.load_global_slow(globals, builtins, name, s.cache(0), s.cache(1));
    let value = check!(s, found);
    s.skip(2).set(s.i.a(), value)
}

#[handler]
pub(super) fn store_global(s: State<'_>) -> Exit {
    let value = s.operand(s.i.a());
    let (globals, cached) = (s.frame().globals(), s.cache(0));
    let word = cached.load(Relaxed);
    let behind = s.skip(1);
    behind.save();
    if let Err(value) = globals.set_entry_value(word as u32, (word >> 32) as u32, value) {
        s.vm.store_global_slow(globals, &s.code().names[s.i.w() as usize], value, cached);
    }
    behind.next()
}

// ---- cells ----

#[handler]
pub(super) fn load_deref<const FREE: bool>(s: State<'_>) -> Exit {
    if !FREE || !parallel() {
        let word = cell(s.get(s.i.b())).contents.peek_bits();
        if let Some(value) = s.share(word) {
            return s.set_object(s.i.a(), value);
        }
    }
    s.tail(load_deref_counted)
}

#[handler]
pub(super) fn load_deref_counted(s: State<'_>) -> Exit {
    match cell(s.get(s.i.b())).contents.get() {
        Some(value) => s.set(s.i.a(), value),
        None => s.tail(unbound_cell),
    }
}

#[handler(apart)]
fn unbound_cell(s: Apart<'_>) -> Exit {
    s.save();
    s.raise(s.vm.unbound_cell(s.code().code(), s.i.b()))
}

#[handler]
pub(super) fn store_deref(s: State<'_>) -> Exit {
    let value = s.operand(s.i.b());
    s.save();
    drop(cell(s.get(s.i.a())).contents.swap(Some(value)));
    s.next()
}

// ---- building and unpacking ----

#[handler]
pub(super) fn build_tuple(s: State<'_>) -> Exit {
    // SAFETY: the operands are temporaries, whose values move over.
    let value = unsafe { Tuple::from_registers(s.regs.0.add(s.i.b() as usize), s.i.c() as usize) };
    s.set(s.i.a(), value.into_value())
}

#[handler(apart)]
pub(super) fn build_list(s: Apart<'_>) -> Exit {
    let items = s.regs.take_many(s.i.b(), s.i.c() as usize);
    s.set(s.i.a(), List::new(items).into_value())
}

#[handler]
pub(super) fn list_append<const FREE: bool>(s: State<'_>) -> Exit {
    if let Some(list) = s.get(s.i.a()).downcast_exact::<List>()
        && let Some(own) = s.lock_alone::<FREE>(list.header())
        && let Some(item) = s.plain_operand(s.i.b())
    {
        // SAFETY: this thread has the list alone.
        let pushed = unsafe { list.push_alone(item) };
        drop(own);
        return match pushed {
            Ok(()) => s.next(),
            Err(item) => {
                s.vm.running.pass(item.into_bits());
                s.tail(list_push)
            }
        };
    }
    s.tail(list_append_slow)
}

/// Appends what was passed to a list that has no room for it.
#[handler(apart)]
fn list_push(s: Apart<'_>) -> Exit {
    let item = s.vm.running.take_value();
    s.save();
    if let Some(list) = s.get(s.i.a()).downcast_exact::<List>() {
        check!(s, list.push(s.vm, item));
    }
    s.next()
}

#[handler(apart)]
pub(super) fn list_append_slow(s: Apart<'_>) -> Exit {
    let item = s.operand(s.i.b());
    if let Some(list) = s.get(s.i.a()).downcast_exact::<List>() {
        s.save();
        check!(s, list.push(s.vm, item));
    }
    s.next()
}

#[handler(apart)]
pub(super) fn set_add(s: Apart<'_>) -> Exit {
    s.save();
    if let Some(set) = s.get(s.i.a()).downcast_exact::<Set>() {
        check!(s, set.add(s.vm, s.get(s.i.b())));
    }
    s.kill(s.i.b());
    s.next()
}

/// The items of a tuple, or of a list that this thread has alone as long as the guard lives; nothing runs code as long as they are used.
#[inline(always)]
fn items_of<'a, const FREE: bool>(s: State<'a>, source: &'a Value) -> Option<(&'a [Value], OwnGuard)> {
    if let Some(tuple) = source.downcast_exact::<Tuple>() {
        return Some((tuple.as_slice(), OwnGuard::alone()));
    }
    let list = source.downcast_exact::<List>()?;
    let own = s.lock_alone::<FREE>(list.header())?;
    // SAFETY: this thread has the list alone, and by contract nothing here runs code.
    Some((unsafe { list.items_alone() }, own))
}

/// `UnpackSequence` of a list or tuple that something else holds too, where no reference is the last one.
#[handler]
pub(super) fn unpack_sequence<const FREE: bool>(s: State<'_>) -> Exit {
    let Some((items, own)) = items_of::<FREE>(s, s.get(s.i.b())) else {
        return s.tail(unpack_slow);
    };
    let done = unpack_lasting(s, items);
    drop(own);
    if done {
        return s.next();
    }
    s.tail(unpack_moving::<FREE>)
}

/// Puts further references to the items in their registers, if that takes no call. Whether it did.
#[inline(always)]
fn unpack_lasting(s: State<'_>, items: &[Value]) -> bool {
    let (i, hand) = (s.i, s.hand());
    // What one more reference holds stays when a register below gives up its own.
    let lasting = !s.is_temporary(i.b()) && i.b().wrapping_sub(i.a()) >= i.c();
    if !lasting || items.len() != i.c() as usize {
        return false;
    }
    for (to, item) in (i.a()..).zip(items) {
        let Some(item) = s.share(item.bits()) else {
            return false;
        };
        let old = s.regs.word(to);
        // SAFETY: the word of a value whose reference is the register's.
        if is_object(old) && !unsafe { drop_plainly(old, hand) } {
            std::hint::cold_path();
            // SAFETY: counted just now, where it is held: this is not the last reference.
            let plain = !is_object(item.bits()) || unsafe { drop_plainly(item.into_bits(), hand) };
            debug_assert!(plain, "counted in the same way");
            // It begins again with the first: what it did is done once more.
            return false;
        }
        // What was there is given up already.
        s.regs.replace(to, item);
    }
    true
}

/// The items, with references of their own, as many as registers are to have, if that takes no call.
#[inline(always)]
fn take_items<'a>(s: State<'a>, source: &Value, items: &[Value]) -> Option<&'a [Cell<u64>]> {
    let (i, hand) = (s.i, s.hand());
    let tuple = source.downcast_exact::<Tuple>();
    let moved = s.is_temporary(i.b()) && tuple.is_some_and(|tuple| tuple.header().is_unique_of(hand.owner()));
    let scratch = s.vm.running.scratch.get(..i.c() as usize)?;
    if items.len() != scratch.len() {
        return None;
    }
    if moved {
        for (item, place) in items.iter().zip(scratch) {
            place.set(item.bits());
        }
        // SAFETY: the register has the only reference to an exact tuple, and the items go to registers.
        unsafe { source.downcast_unchecked::<Tuple>().disown_items() };
    } else {
        for (counted, (item, place)) in items.iter().zip(scratch).enumerate() {
            let Some(item) = s.share(item.bits()) else {
                for place in &scratch[..counted] {
                    // SAFETY: counted just now, where it is held: this is not the last reference.
                    let plain = !is_object(place.get()) || unsafe { drop_plainly(place.get(), hand) };
                    debug_assert!(plain, "counted in the same way");
                }
                return None;
            };
            place.set(item.into_bits());
        }
    }
    Some(scratch)
}

/// `UnpackSequence` of a list or tuple.
#[handler]
fn unpack_moving<const FREE: bool>(s: State<'_>) -> Exit {
    let (i, hand, source) = (s.i, s.hand(), s.get(s.i.b()));
    let Some((items, own)) = items_of::<FREE>(s, source) else {
        return s.tail(unpack_slow);
    };
    let taken = take_items(s, source, items);
    drop(own);
    let Some(scratch) = taken else {
        return s.tail(unpack_slow);
    };
    // The source goes out of its register, which may be one of the destinations.
    let source = if s.is_temporary(i.b()) {
        s.regs.take_word(i.b())
    } else {
        0
    };
    for (j, place) in (0..i.c()).zip(scratch) {
        // SAFETY: the word of a value with its reference.
        let item = unsafe { Value::from_bits(place.get()) };
        let old = s.regs.replace(i.a() + j, item);
        // SAFETY: the word of a value whose reference was the register's.
        let gone = !is_object(old) || unsafe { drop_plainly(old, hand) };
        place.set(if gone { 0 } else { old });
    }
    let left = scratch.iter().fold(0, |all, place| all | place.get());
    if left != 0 {
        s.vm.running.pass(source);
        return s.tail(bury_many);
    }
    s.drop_both(source, 0)
}

/// Drops what `unpack_sequence` replaced.
#[handler(apart)]
fn bury_many(s: Apart<'_>) -> Exit {
    s.save();
    let source = s.vm.running.take();
    let replaced = s.vm.running.scratch.each_ref().map(|place| place.replace(0));
    for word in replaced.into_iter().take(s.i.c() as usize).chain([source]) {
        if is_object(word) {
            // SAFETY: the word of a value that a register held, with its reference.
            unsafe { drop_word(word) };
        }
    }
    s.next()
}

#[handler(apart)]
fn unpack_slow(s: Apart<'_>) -> Exit {
    s.save();
    let i = s.i;
    if let Some(tuple) = s.get(i.b()).downcast_exact::<Tuple>()
        && tuple.as_slice().len() == i.c() as usize
    {
        // Out of its register, which may be one of the destinations.
        let held = s.operand(i.b());
        // SAFETY: the type was checked just now.
        let tuple = unsafe { held.downcast_unchecked::<Tuple>() };
        for (j, item) in tuple.as_slice().iter().enumerate() {
            s.regs.set(i.a() + j as u16, item.clone());
        }
        drop(held);
    } else if !unpack_list(s.regs, i, s.frame().nlocals) {
        return s.rare();
    }
    s.next()
}
