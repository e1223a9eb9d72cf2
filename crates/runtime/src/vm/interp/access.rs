//! Handlers of attributes and items.

use std::sync::atomic::Ordering::Relaxed;

use lisle_macros::handler;

use super::is_object;
use super::state::{Apart, Exit, State, check};
use crate::sync::parallel;
use crate::types::list::List;
use crate::types::tuple::Tuple;
use crate::vm::Vm;

#[handler]
pub(super) fn load_attr<const FREE: bool>(s: State<'_>) -> Exit {
    let (i, first) = (s.i, s.cache(0).load(Relaxed));
    let word = Vm::attr_word_cached::<FREE>(s.get(i.b()), first);
    match s.share(word) {
        Some(value) => s.skip(2).set_using(i.a(), value, i.b()),
        None if first == 0 => s.tail(load_member::<FREE>),
        None if Vm::is_cached(s.get(i.b()), first) => s.tail(load_attr_counted::<FREE>),
        None => s.tail(load_attr_known::<FREE>),
    }
}

/// As `load_attr`, of what may be a `__slots__` member.
#[handler]
fn load_member<const FREE: bool>(s: State<'_>) -> Exit {
    let i = s.i;
    let word = Vm::member_word_cached::<FREE>(s.get(i.b()), s.cache(1).load(Relaxed));
    match s.share(word) {
        Some(value) => s.skip(2).set_using(i.a(), value, i.b()),
        None => s.tail(load_attr_known::<FREE>),
    }
}

/// As `load_attr`, of what the class or a module has, or where the instruction sees objects of several classes.
#[handler]
fn load_attr_known<const FREE: bool>(s: State<'_>) -> Exit {
    let i = s.i;
    // SAFETY: the compiler numbers names that there are.
    let name = unsafe { s.code.names.get_unchecked(i.c() as usize) };
    let word = s.vm.attr_word_known::<FREE>(s.get(i.b()), name, s.cache(0), s.cache(1));
    match s.share(word) {
        Some(value) => s.skip(2).set_using(i.a(), value, i.b()),
        None => s.tail(load_attr_slow::<FREE>),
    }
}

/// As `load_attr`, of what another thread owns, or has its slot elsewhere.
#[handler]
fn load_attr_counted<const FREE: bool>(s: State<'_>) -> Exit {
    let i = s.i;
    match s.vm.load_attr_cached::<FREE>(s.get(i.b()), s.cache(0).load(Relaxed)) {
        Some(value) => {
            if i.b() != i.a() {
                s.kill_object(i.b());
            }
            s.skip(2).set_object(i.a(), value)
        }
        None => s.tail(load_attr_slow::<FREE>),
    }
}

#[handler(apart)]
fn load_attr_slow<const FREE: bool>(s: Apart<'_>) -> Exit {
    s.save();
    let i = s.i;
    let name = &s.code.names[i.c() as usize];
    let caches = (s.cache(0), s.cache(1));
    // SAFETY: `frame` is the innermost record.
    let found = unsafe { s.vm.load_attr_slow::<FREE>(s.frame, s.regs, i, name, caches) };
    match check!(s, found) {
        Some(value) => {
            s.kill_object(i.b());
            s.skip(2).set(i.a(), value)
        }
        None => s.reloaded().next(),
    }
}

#[handler]
pub(super) fn load_method<const FREE: bool>(s: State<'_>) -> Exit {
    let i = s.i;
    // SAFETY: the compiler numbers names that there are.
    let name = unsafe { s.code.names.get_unchecked(i.c() as usize) };
    let word = s.vm.method_word_cached(s.get(i.b()), name, s.cache(0).load(Relaxed));
    if let Some(function) = s.share(word) {
        if let Some(this) = s.plain_operand(i.b()) {
            let behind = s.skip(2);
            let (first, second) = (s.regs.replace(i.a(), function), s.regs.replace(i.a() + 1, this));
            // Both are temporaries, mostly unbound.
            if is_object(first) || is_object(second) {
                return behind.bury_both(first, second);
            }
            return behind.next();
        }
        return s.without(function, load_method_counted::<FREE>);
    }
    if word != 0 {
        return s.tail(load_method_counted::<FREE>);
    }
    s.tail(load_method_known::<FREE>)
}

/// As `load_method`, of a function that a module or a class has, or where the instruction sees objects of several classes.
#[handler]
fn load_method_known<const FREE: bool>(s: State<'_>) -> Exit {
    let (i, obj) = (s.i, s.get(s.i.b()));
    // SAFETY: the compiler numbers names that there are.
    let name = unsafe { s.code.names.get_unchecked(i.c() as usize) };
    if is_object(s.regs.word(i.a() + 1)) {
        return s.tail(load_method_slow::<FREE>);
    }
    if let Some(function) = s.share(s.vm.placed_word::<FREE>(obj, name, s.cache(1).load(Relaxed))) {
        // There is no receiver.
        s.regs.forget(i.a() + 1);
        return s.skip(2).set_using(i.a(), function, i.b());
    }
    if let Some(function) = s.share(s.vm.method_word_known(obj, name, s.cache(0))) {
        return match s.plain_operand(i.b()) {
            Some(this) => {
                let first = s.regs.replace(i.a(), function);
                // Nothing or an immediate.
                s.regs.replace(i.a() + 1, this);
                s.skip(2).drop_both(first, 0)
            }
            None => s.without(function, load_method_slow::<FREE>),
        };
    }
    s.tail(load_method_slow::<FREE>)
}

/// As `load_method`, of what another thread owns.
#[handler]
fn load_method_counted<const FREE: bool>(s: State<'_>) -> Exit {
    let i = s.i;
    // SAFETY: the compiler numbers names that there are.
    let name = unsafe { s.code.names.get_unchecked(i.c() as usize) };
    match s.vm.load_method_cached(s.get(i.b()), name, s.cache(0).load(Relaxed)) {
        Some(function) => {
            let this = s.operand(i.b());
            s.regs.set(i.a(), function);
            s.skip(2).set(i.a() + 1, this)
        }
        None => s.tail(load_method_slow::<FREE>),
    }
}

#[handler(apart)]
fn load_method_slow<const FREE: bool>(s: Apart<'_>) -> Exit {
    s.save();
    let i = s.i;
    let name = &s.code.names[i.c() as usize];
    let found = s.vm.load_method::<FREE>(s.get(i.b()), name, s.cache(0), s.cache(1));
    let (function, with_self) = check!(s, found);
    if with_self {
        let this = s.operand(i.b());
        s.regs.set(i.a(), function);
        s.regs.set(i.a() + 1, this);
    } else {
        s.kill_object(i.b());
        s.regs.set(i.a(), function);
        s.regs.clear(i.a() + 1);
    }
    s.skip(2).next()
}

#[handler(apart)]
pub(super) fn load_special(s: Apart<'_>) -> Exit {
    let (i, obj) = (s.i, s.get(s.i.b()));
    s.save();
    match s.vm.special_cached(obj, i.k()) {
        Some(function) => {
            let this = obj.clone();
            s.regs.set(i.a(), function);
            s.set(i.a() + 1, this)
        }
        None => s.rare(),
    }
}

#[handler(apart)]
pub(super) fn enter_native<const HOOK: bool>(s: Apart<'_>) -> Exit {
    s.save();
    if s.vm.thread.poll_bits() != 0 {
        check!(s, s.vm.safepoint_slow());
    }
    // Observers are to see the calls.
    if !HOOK && let Some(entered) = s.vm.enter_native(s.regs, s.i) {
        check!(s, entered);
        return s.jump(i32::from(s.i.c() as i16)).next();
    }
    s.next()
}

#[handler(apart)]
pub(super) fn exit_native<const HOOK: bool>(s: Apart<'_>) -> Exit {
    s.save();
    if !HOOK && let Some(left) = s.vm.exit_native(s.regs, s.i) {
        check!(s, left);
        return s.jump(s.i.w() as i32).poll();
    }
    s.next()
}

#[handler]
pub(super) fn store_attr<const FREE: bool>(s: State<'_>) -> Exit {
    let i = s.i;
    if let Some(slot) = Vm::attr_place_cached::<FREE>(s.get(i.a()), s.cache(0).load(Relaxed))
        && let Some(value) = s.plain_operand(i.c())
    {
        let old = slot.replace_alone(value);
        let used = if s.is_temporary(i.a()) {
            s.regs.take_word(i.a())
        } else {
            0
        };
        return s.skip(1).drop_both(old, used);
    }
    s.tail(store_attr_slow::<FREE>)
}

#[handler]
pub(super) fn store_attr_slow<const FREE: bool>(s: State<'_>) -> Exit {
    let (i, obj, cached) = (s.i, s.get(s.i.a()), s.cache(0));
    let value = s.operand(i.c());
    s.save();
    if let Err(value) = s.vm.store_attr_cached::<FREE>(obj, value, cached.load(Relaxed)) {
        let name = &s.code.names[i.b() as usize];
        check!(s, s.vm.store_attr::<FREE>(obj, name, value, cached));
    }
    s.kill_object(i.a());
    s.skip(1).next()
}

#[handler]
pub(super) fn get_item<const FREE: bool>(s: State<'_>) -> Exit {
    let i = s.i;
    let obj = s.get(i.b());
    if let Some(at) = s.get(i.c()).as_small_int() {
        let items = if let Some(list) = obj.downcast_exact::<List>() {
            if FREE && parallel() {
                return s.tail(get_item_counted);
            }
            // SAFETY: no other thread runs meanwhile.
            unsafe { list.items_alone() }
        } else if let Some(tuple) = obj.downcast_exact::<Tuple>() {
            tuple.as_slice()
        } else {
            return s.tail(get_item_slow);
        };
        let at = if at < 0 {
            at.wrapping_add(items.len() as i64)
        } else {
            at
        };
        if let Some(item) = items.get(at as usize)
            && let Some(value) = s.share(item.bits())
        {
            // An int's register needs no clearing.
            return s.set_using(i.a(), value, i.b());
        }
    }
    s.tail(get_item_counted)
}

#[handler]
pub(super) fn get_item_counted(s: State<'_>) -> Exit {
    let i = s.i;
    match s.vm.getitem_fast(s.get(i.b()), s.get(i.c())) {
        Some(value) => {
            s.kill_object(i.b());
            s.kill(i.c());
            s.set_object(i.a(), value)
        }
        None => s.tail(get_item_slow),
    }
}

#[handler(apart)]
fn get_item_slow(s: Apart<'_>) -> Exit {
    s.save();
    let i = s.i;
    // SAFETY: `frame` is the innermost record.
    let found = unsafe { s.vm.getitem_more(s.frame, s.regs, i) };
    match check!(s, found) {
        Some(value) => {
            s.kill_object(i.b());
            s.kill_object(i.c());
            s.set(i.a(), value)
        }
        None => s.reloaded().next(),
    }
}

#[handler]
pub(super) fn set_item<const FREE: bool>(s: State<'_>) -> Exit {
    let i = s.i;
    if (!FREE || !parallel())
        && let Some(list) = s.get(i.a()).downcast_exact::<List>()
        && let Some(at) = s.get(i.b()).as_small_int()
        // SAFETY: no other thread runs meanwhile.
        && let Some(place) = unsafe { list.place_alone(at) }
        && let Some(value) = s.plain_operand(i.c())
    {
        let old = place.replace_alone(value);
        let used = if s.is_temporary(i.a()) {
            s.regs.take_word(i.a())
        } else {
            0
        };
        return s.drop_both(old, used);
    }
    s.tail(set_item_slow)
}

#[handler(apart)]
pub(super) fn set_item_slow(s: Apart<'_>) -> Exit {
    let (i, obj, key) = (s.i, s.get(s.i.a()), s.get(s.i.b()));
    s.save();
    if let Some(list) = obj.downcast_exact::<List>()
        && let Some(at) = key.as_small_int()
    {
        let value = s.operand(i.c());
        check!(s, list.set_index(s.vm, at as isize, value));
    } else {
        let value = s.operand(i.c());
        check!(s, s.vm.setitem_value(obj, key, value));
    }
    s.kill_object(i.a());
    s.kill_object(i.b());
    s.next()
}

#[handler(apart)]
pub(super) fn get_slice(s: Apart<'_>) -> Exit {
    s.save();
    let i = s.i;
    let found = s.vm.get_slice(s.get(i.b()), s.get(i.c()), s.get(i.c() + 1));
    let value = check!(s, found);
    s.kill_object(i.b());
    s.kill(i.c());
    s.kill(i.c() + 1);
    s.set(i.a(), value)
}
