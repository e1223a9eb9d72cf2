//! Handlers of attributes and items.

use std::sync::atomic::Ordering::Relaxed;

use lisle_macros::handler;

use super::is_object;
use super::methods::{self, Place};
use super::state::{Apart, Exit, State, check};
use crate::intern;
use crate::object::attrs::Attrs;
use crate::object::{Type, TypeFlags, Value};
use crate::sync::parallel;
use crate::types::bytearray::ByteArray;
use crate::types::dict::Dict;
use crate::types::list::List;
use crate::types::str::Str;
use crate::types::tuple::Tuple;
use crate::vm::Vm;
use crate::vm::frames::FrameKind;

#[handler]
pub(super) fn load_attr<const FREE: bool>(s: State<'_>) -> Exit {
    let (i, obj, cached) = (s.i, s.get(s.i.b()), s.cache(0).load(Relaxed));
    let word = Vm::attr_word_near::<FREE>(obj, cached);
    match s.share_racing::<FREE>(word, || Vm::attr_word_near::<FREE>(obj, cached) == word) {
        Some(value) => s.skip(2).put_using(i.a(), value, i.b()),
        None => s.tail(load_attr_other::<FREE>),
    }
}

/// As `load_attr`, of what is not in a slot behind the header of an object of this thread.
#[handler]
fn load_attr_other<const FREE: bool>(s: State<'_>) -> Exit {
    let obj = s.get(s.i.b());
    match methods::place_of(s.cache(1).load(Relaxed)) {
        Place::Other if Vm::is_cached(obj, s.cache(0).load(Relaxed)) => s.tail(load_attr_counted::<FREE>),
        Place::Other if Attrs::near(obj).is_some() => s.tail(load_attr_of_several::<FREE>),
        Place::Member => s.tail(load_member::<FREE>),
        Place::Instance => s.tail(load_attr_of_instance::<FREE>),
        Place::Class => s.tail(load_attr_of_class::<FREE>),
        Place::ClassOfOther => s.tail(load_attr_of_class_of_other::<FREE>),
        Place::Module => s.tail(load_attr_of_module::<FREE>),
        Place::Property => s.tail(load_attr_of_property::<FREE>),
        Place::Data => s.tail(load_attr_of_data::<FREE>),
        Place::Type => s.tail(load_type::<FREE>),
        Place::Dict => s.tail(load_attr_of_dict::<FREE>),
        Place::Static | Place::Other => s.tail(load_attr_known::<FREE>),
    }
}

/// As `load_attr`, where the instruction sees objects of several classes, whose attributes lie behind their headers.
#[handler]
fn load_attr_of_several<const FREE: bool>(s: State<'_>) -> Exit {
    let i = s.i;
    // SAFETY: the compiler numbers names that there are.
    let name = unsafe { s.code().names.get_unchecked(i.c() as usize) };
    let word = s.vm.attr_word_of_several::<FREE>(s.get(i.b()), name, s.cache(0));
    give::<FREE>(s, word)
}

/// The attribute with this word was found, 0 for none.
#[inline(always)]
fn give<const FREE: bool>(s: State<'_>, word: u64) -> Exit {
    match s.share(word) {
        Some(value) => s.skip(2).put_using(s.i.a(), value, s.i.b()),
        None => s.tail(load_attr_known::<FREE>),
    }
}

/// As `load_attr`, of `__class__`.
#[handler]
fn load_type<const FREE: bool>(s: State<'_>) -> Exit {
    let i = s.i;
    let word = Vm::type_word(s.get(i.b()), s.cache(1).load(Relaxed));
    match s.share(word) {
        Some(class) => s.skip(2).put_using(i.a(), class, i.b()),
        None if word == 0 => s.tail(load_attr_known::<FREE>),
        None => s.tail(load_type_counted),
    }
}

/// As `load_type`, of a class that another thread owns.
#[handler]
fn load_type_counted(s: State<'_>) -> Exit {
    let i = s.i;
    let class = s.get(i.b()).ty().to_value();
    if i.b() != i.a() {
        s.kill_object(i.b());
    }
    s.skip(2).set_object(i.a(), class)
}

/// As `load_attr`, of what a data descriptor of a native type gives.
#[handler]
fn load_attr_of_data<const FREE: bool>(s: State<'_>) -> Exit {
    let i = s.i;
    // SAFETY: the compiler numbers names that there are.
    let name = unsafe { s.code().names.get_unchecked(i.c() as usize) };
    s.save();
    match s.vm.load_data(s.get(i.b()), name, s.cache(1).load(Relaxed)) {
        Some(found) => {
            let value = check!(s, found);
            s.skip(2).put_using(i.a(), value, i.b())
        }
        None => s.tail(load_attr_known::<FREE>),
    }
}

/// As `load_attr`, of a property: pushes the frame of its getter.
#[handler]
fn load_attr_of_property<const FREE: bool>(s: State<'_>) -> Exit {
    let i = s.i;
    // SAFETY: the compiler numbers names that there are.
    let name = unsafe { s.code().names.get_unchecked(i.c() as usize) };
    // The result's register holds the getter meanwhile, which must not be seen as a variable's value.
    let free = s.is_temporary(i.a()) && (i.a() == i.b() || !is_object(s.regs.word(i.a())));
    let getter = if free {
        s.vm.getter_word(s.get(i.b()), name, s.cache(1).load(Relaxed))
    } else {
        0
    };
    // SAFETY: the innermost record and its registers; the word is a function's that the property holds.
    unsafe {
        if getter != 0
            && let Some(pushed) = s.vm.push_with(s, getter, [i.b()], FrameKind::Inline, i.a())
        {
            s.skip(2).save();
            return s.enter(pushed);
        }
    }
    s.tail(load_attr_known::<FREE>)
}

/// As `load_attr`, of what may be a `__slots__` member.
#[handler]
fn load_member<const FREE: bool>(s: State<'_>) -> Exit {
    let (i, obj, cached) = (s.i, s.get(s.i.b()), s.cache(1).load(Relaxed));
    let word = Vm::member_word_cached(obj, cached);
    match s.share_racing::<FREE>(word, || Vm::member_word_cached(obj, cached) == word) {
        Some(value) => s.skip(2).put_using(i.a(), value, i.b()),
        None => s.tail(load_attr_known::<FREE>),
    }
}

/// As `load_attr`, of what the class of an instance may have.
#[handler]
fn load_attr_of_instance<const FREE: bool>(s: State<'_>) -> Exit {
    let i = s.i;
    // SAFETY: the compiler numbers names that there are.
    let name = unsafe { s.code().names.get_unchecked(i.c() as usize) };
    let word = s.vm.word_of_instance(s.get(i.b()), name, s.cache(1).load(Relaxed));
    give::<FREE>(s, word)
}

/// As `load_attr`, of what an instance with a dict, or its class, may have.
#[handler]
fn load_attr_of_dict<const FREE: bool>(s: State<'_>) -> Exit {
    let i = s.i;
    // SAFETY: the compiler numbers names that there are.
    let name = unsafe { s.code().names.get_unchecked(i.c() as usize) };
    let word = s.vm.word_of_dict::<FREE>(s.get(i.b()), name, s.cache(1).load(Relaxed));
    give::<FREE>(s, word)
}

/// As `load_attr`, of what a class of `type` may have.
#[handler]
fn load_attr_of_class<const FREE: bool>(s: State<'_>) -> Exit {
    let i = s.i;
    // SAFETY: the compiler numbers names that there are.
    let name = unsafe { s.code().names.get_unchecked(i.c() as usize) };
    let word = s.vm.word_of_plain_class(s.get(i.b()), name, s.cache(1).load(Relaxed));
    give::<FREE>(s, word)
}

/// As `load_attr`, of what a class of another metaclass may have.
#[handler]
fn load_attr_of_class_of_other<const FREE: bool>(s: State<'_>) -> Exit {
    let i = s.i;
    // SAFETY: the compiler numbers names that there are.
    let name = unsafe { s.code().names.get_unchecked(i.c() as usize) };
    let word = s.vm.word_of_class(s.get(i.b()), name, s.cache(1).load(Relaxed));
    give::<FREE>(s, word)
}

/// What the module in `R[b]` has, if it is as the second word of a cache expects and counted plainly.
#[inline(always)]
fn share_of_module<const FREE: bool>(s: State<'_>, second: u64) -> Option<Value> {
    let (dict, cached) = Vm::dict_of_module(s.get(s.i.b()), second)?;
    let (word, place) = dict.cached_place::<FREE>(cached)?;
    s.share_racing::<FREE>(word, || dict.still_has(cached, place, word))
}

/// As `load_attr`, of what a module may have.
#[handler]
fn load_attr_of_module<const FREE: bool>(s: State<'_>) -> Exit {
    match share_of_module::<FREE>(s, s.cache(1).load(Relaxed)) {
        Some(value) => s.skip(2).put_using(s.i.a(), value, s.i.b()),
        None => s.tail(load_attr_known::<FREE>),
    }
}

/// As `load_attr`, where the instruction sees objects of several classes.
#[handler]
fn load_attr_known<const FREE: bool>(s: State<'_>) -> Exit {
    let i = s.i;
    // SAFETY: the compiler numbers names that there are.
    let name = unsafe { s.code().names.get_unchecked(i.c() as usize) };
    let word = s.vm.attr_word_known::<FREE>(s.get(i.b()), name, s.cache(0), s.cache(1));
    match s.share(word) {
        Some(value) => s.skip(2).put_using(i.a(), value, i.b()),
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
    let name = &s.code().names[i.c() as usize];
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
    let name = unsafe { s.code().names.get_unchecked(i.c() as usize) };
    let word = s.vm.method_word_near(s.get(i.b()), name, s.cache(0).load(Relaxed));
    match s.share(word) {
        Some(function) => receive(s, function),
        None => s.tail(load_method_other::<FREE>),
    }
}

/// The method was found: it and the receiver go to their registers.
#[inline(always)]
fn receive(s: State<'_>, function: Value) -> Exit {
    let i = s.i;
    match s.plain_operand(i.b()) {
        Some(this) => {
            let (first, second) = (s.regs.replace(i.a(), function), s.regs.replace(i.a() + 1, this));
            let behind = s.skip(2);
            // Both are temporaries, mostly unbound.
            if is_object(first) || is_object(second) {
                std::hint::cold_path();
                return behind.release_both(first, second);
            }
            behind.next()
        }
        None => {
            std::hint::cold_path();
            s.vm.running.pass(function.into_bits());
            s.tail(receive_counted)
        }
    }
}

/// As `receive`, of a receiver that another thread owns, and with the function passed.
#[handler]
fn receive_counted(s: State<'_>) -> Exit {
    let i = s.i;
    let (function, this) = (s.vm.running.take_value(), s.operand(i.b()));
    s.regs.set(i.a(), function);
    s.skip(2).set(i.a() + 1, this)
}

/// As `load_method`, of what is not known by the first cache word to be a method of an object with its attributes behind its header.
#[handler]
fn load_method_other<const FREE: bool>(s: State<'_>) -> Exit {
    let (i, obj) = (s.i, s.get(s.i.b()));
    let first = s.cache(0).load(Relaxed);
    if methods::is_in_dict(first) {
        return s.tail(load_method_of_dict::<FREE>);
    }
    if Vm::is_cached(obj, first) {
        return s.tail(load_method_far::<FREE>);
    }
    let second = s.cache(1).load(Relaxed);
    if methods::is_in_slot(second) {
        return s.tail(load_method_of_slot::<FREE>);
    }
    if matches!(methods::place_of(second), Place::Module)
        && !is_object(s.regs.word(i.a() + 1))
        && let Some(function) = share_of_module::<FREE>(s, second)
    {
        // There is no receiver.
        s.regs.forget(i.a() + 1);
        return s.skip(2).put_using(i.a(), function, i.b());
    }
    s.tail(load_method_known::<FREE>)
}

/// As `load_method`, of an object that has its attributes elsewhere than behind its header.
#[handler]
fn load_method_far<const FREE: bool>(s: State<'_>) -> Exit {
    let i = s.i;
    // SAFETY: the compiler numbers names that there are.
    let name = unsafe { s.code().names.get_unchecked(i.c() as usize) };
    let word = s.vm.method_word_far(s.get(i.b()), name, s.cache(0).load(Relaxed));
    match s.share(word) {
        Some(function) => receive(s, function),
        None => s.tail(load_method_counted::<FREE>),
    }
}

/// As `load_method`, of what an instance has behind its header.
#[handler]
fn load_method_of_slot<const FREE: bool>(s: State<'_>) -> Exit {
    let (i, obj, cached) = (s.i, s.get(s.i.b()), s.cache(1).load(Relaxed));
    let word = Vm::attr_word_near::<FREE>(obj, cached);
    if !is_object(s.regs.word(i.a() + 1))
        && let Some(function) = s.share_racing::<FREE>(word, || Vm::attr_word_near::<FREE>(obj, cached) == word)
    {
        // There is no receiver.
        s.regs.forget(i.a() + 1);
        return s.skip(2).put_using(i.a(), function, i.b());
    }
    s.tail(load_method_known::<FREE>)
}

/// As `load_method`, of an instance with a dict.
#[handler]
fn load_method_of_dict<const FREE: bool>(s: State<'_>) -> Exit {
    let i = s.i;
    // SAFETY: the compiler numbers names that there are.
    let name = unsafe { s.code().names.get_unchecked(i.c() as usize) };
    let word = s.vm.method_word_of_dict(s.get(i.b()), name, s.cache(0).load(Relaxed));
    match s.share(word) {
        Some(function) => receive(s, function),
        None => s.tail(load_method_known::<FREE>),
    }
}

/// As `load_method`, of a function that a class has, or where the instruction sees objects of several classes.
#[handler]
fn load_method_known<const FREE: bool>(s: State<'_>) -> Exit {
    let (i, obj) = (s.i, s.get(s.i.b()));
    // SAFETY: the compiler numbers names that there are.
    let name = unsafe { s.code().names.get_unchecked(i.c() as usize) };
    if is_object(s.regs.word(i.a() + 1)) {
        return s.tail(load_method_slow::<FREE>);
    }
    if let Some(function) = s.share(s.vm.placed_word::<FREE>(obj, name, s.cache(1).load(Relaxed))) {
        // There is no receiver.
        s.regs.forget(i.a() + 1);
        return s.skip(2).put_using(i.a(), function, i.b());
    }
    if let Some(function) = s.share(s.vm.class_method_word(obj, name, s.cache(1).load(Relaxed))) {
        if obj.downcast::<Type>().is_some() {
            return receive(s, function);
        }
        s.vm.running.pass(function.into_bits());
        return s.tail(receive_class);
    }
    match s.share(s.vm.method_word_known(obj, name, s.cache(0))) {
        Some(function) => receive(s, function),
        None => s.tail(load_method_slow::<FREE>),
    }
}

/// As `load_method`, of a class method that is asked of an instance, with the function passed.
#[handler]
fn receive_class(s: State<'_>) -> Exit {
    let i = s.i;
    s.save();
    let (function, class) = (s.vm.running.take_value(), s.get(i.b()).ty().to_value());
    s.kill_object(i.b());
    s.regs.set(i.a(), function);
    s.skip(2).set(i.a() + 1, class)
}

/// As `load_method`, of what another thread owns.
#[handler]
fn load_method_counted<const FREE: bool>(s: State<'_>) -> Exit {
    let i = s.i;
    // SAFETY: the compiler numbers names that there are.
    let name = unsafe { s.code().names.get_unchecked(i.c() as usize) };
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
    let name = &s.code().names[i.c() as usize];
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

/// As `store_attr`, where threads run in parallel, into an object of this thread's that no other has wanted yet, or into a `__slots__` member.
#[handler]
pub(super) fn store_attr_of_own(s: State<'_>) -> Exit {
    let (i, obj, cached) = (s.i, s.get(s.i.a()), s.cache(0).load(Relaxed));
    if let Some(header) = obj.header()
        && let Some(own) = s.lock_own(header)
        && let Some((attrs, slot, shape)) = Vm::place_to_store(obj, cached)
        && let Some(value) = s.plain_operand(i.c())
    {
        let old = slot
            .swap_locked_by(s.hand().owner(), Some(value))
            .map_or(0, Value::into_bits);
        if !shape.is_null() {
            attrs.take_shape(shape);
        }
        drop(own);
        if s.is_temporary(i.a()) {
            return s.skip(1).release_both(old, s.regs.take_word(i.a()));
        }
        return s.skip(1).release(old);
    }
    if let Some(place) = Vm::member_place(obj, cached)
        && let Some(value) = s.plain_operand(i.c())
    {
        let old = place.swap(Some(value)).map_or(0, Value::into_bits);
        if s.is_temporary(i.a()) {
            return s.skip(1).release_both(old, s.regs.take_word(i.a()));
        }
        return s.skip(1).release(old);
    }
    s.tail(store_attr_slow::<true>)
}

#[handler]
pub(super) fn store_attr<const FREE: bool>(s: State<'_>) -> Exit {
    let i = s.i;
    if let Some(slot) = Vm::attr_place_near::<FREE>(s.get(i.a()), s.cache(0).load(Relaxed))
        && let Some(value) = s.plain_operand(i.c())
    {
        let old = slot.replace_alone(value);
        if s.is_temporary(i.a()) {
            return s.skip(1).release_both(old, s.regs.take_word(i.a()));
        }
        return s.skip(1).release(old);
    }
    if FREE && parallel() {
        return s.tail(store_attr_of_own);
    }
    s.tail(store_attr_other::<FREE>)
}

/// As `store_attr`, of what is not in a slot behind the object's header.
#[handler]
fn store_attr_other<const FREE: bool>(s: State<'_>) -> Exit {
    let i = s.i;
    if let Some((attrs, slot, shape)) = Vm::place_to_add::<FREE>(s.get(i.a()), s.cache(0).load(Relaxed))
        && let Some(value) = s.plain_operand(i.c())
    {
        let old = slot.replace_alone(value);
        attrs.take_shape(shape);
        let used = if s.is_temporary(i.a()) {
            s.regs.take_word(i.a())
        } else {
            0
        };
        return s.skip(1).drop_both(old, used);
    }
    if let Some(slot) = Vm::attr_place_cached::<FREE>(s.get(i.a()), s.cache(0).load(Relaxed))
        && let Some(value) = s.plain_operand(i.c())
    {
        let old = slot.replace_alone(value);
        let used = if s.is_temporary(i.a()) {
            s.regs.take_word(i.a())
        } else {
            0
        };
        return s.skip(1).release_both(old, used);
    }
    s.tail(store_attr_slow::<FREE>)
}

#[handler]
pub(super) fn store_attr_slow<const FREE: bool>(s: State<'_>) -> Exit {
    let (i, obj, cached) = (s.i, s.get(s.i.a()), s.cache(0));
    let value = s.operand(i.c());
    s.save();
    if let Err(value) = s.vm.store_attr_cached::<FREE>(obj, value, cached.load(Relaxed)) {
        let name = &s.code().names[i.b() as usize];
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
                return s.tail(get_item_of_own);
            }
            // SAFETY: no other thread runs meanwhile.
            unsafe { list.items_alone() }
        } else if let Some(tuple) = obj.downcast_exact::<Tuple>() {
            tuple.as_slice()
        } else {
            return s.tail(get_item_dict::<FREE>);
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
            return s.put_using(i.a(), value, i.b());
        }
        return s.tail(get_item_counted);
    }
    s.tail(get_item_dict::<FREE>)
}

/// As `get_item`, where threads run in parallel, of a list that no other has wanted yet.
#[handler]
fn get_item_of_own(s: State<'_>) -> Exit {
    let i = s.i;
    if let Some(list) = s.get(i.b()).downcast_exact::<List>()
        && let Some(at) = s.get(i.c()).as_small_int()
        && let Some(own) = s.lock_unread(list.header())
        // SAFETY: this thread has the list alone.
        && let Some(place) = unsafe { list.place_alone(at) }
        && let Some(value) = s.share(place.peek_bits())
    {
        drop(own);
        return s.put_using(i.a(), value, i.b());
    }
    s.tail(get_item_counted)
}

/// As `get_item`, of a plain string, or of a dict that no other thread reads meanwhile.
#[handler]
fn get_item_dict<const FREE: bool>(s: State<'_>) -> Exit {
    let i = s.i;
    if let Some(text) = s.get(i.b()).downcast_exact::<Str>()
        && let Some(at) = s.get(i.c()).as_small_int()
        && let Some(bytes) = text.ascii_bytes()
    {
        let at = if at < 0 { at + bytes.len() as i64 } else { at };
        if let Some(byte) = bytes.get(at as usize) {
            return s.put_using(i.a(), Str::latin1_char(*byte).into_value(), i.b());
        }
    }
    if let Some(dict) = s.get(i.b()).downcast_exact::<Dict>()
        && (i.b() == i.a() || !s.is_temporary(i.b()))
        && let Some(own) = s.lock_alone::<FREE>(dict.header())
        // SAFETY: this thread has the dict alone.
        && let Some(value) = s.share(unsafe { dict.word_alone(s.get(i.c())) }.unwrap_or(0))
    {
        drop(own);
        if s.is_temporary(i.c()) {
            let key = s.regs.take_word(i.c());
            let old = s.regs.replace(i.a(), value);
            return if is_object(key) {
                s.release_both(old, key)
            } else {
                s.release(old)
            };
        }
        return s.put(i.a(), value);
    }
    let obj = s.get(i.b());
    if obj.is_heap() && !obj.ty().has_flag(TypeFlags::HEAP) {
        return s.tail(get_item_of_builtin);
    }
    s.tail(get_item_of_instance)
}

/// As `get_item`, of an object of a builtin type.
#[handler]
fn get_item_of_builtin(s: State<'_>) -> Exit {
    if Vm::has_fast_items(s.get(s.i.b())) {
        return s.tail(get_item_counted);
    }
    s.tail(get_item_of_native)
}

/// As `get_item`, of an instance of a class with a `__getitem__` in Python: pushes its frame.
#[handler]
fn get_item_of_instance(s: State<'_>) -> Exit {
    let (i, obj) = (s.i, s.get(s.i.b()));
    // The result's register holds the function meanwhile, which must not be seen as a variable's value.
    let free = s.is_temporary(i.a()) && (i.a() == i.b() || i.a() == i.c() || !is_object(s.regs.word(i.a())));
    if free
        && obj.is_heap()
        && obj.ty().has_flag(TypeFlags::HEAP)
        && let Some(function) = s.vm.special_function(obj.ty(), intern!("__getitem__"))
        // SAFETY: the innermost record and its registers; the class or a base holds the function.
        && let Some(pushed) = unsafe { s.vm.push_with(s, function, [i.b(), i.c()], FrameKind::Inline, i.a()) }
    {
        s.save();
        // SAFETY: the record was pushed just now.
        return unsafe { s.enter(pushed) };
    }
    s.tail(get_item_counted)
}

/// As `get_item`, of an object of a native type that the loop knows nothing of.
#[handler(apart)]
fn get_item_of_native(s: Apart<'_>) -> Exit {
    s.save();
    let i = s.i;
    let value = check!(s, s.vm.getitem(s.get(i.b()), s.get(i.c())));
    s.kill_object(i.b());
    s.kill(i.c());
    s.set_object(i.a(), value)
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
    if let Some(list) = s.get(i.a()).downcast_exact::<List>()
        && let Some(at) = s.get(i.b()).as_small_int()
        && let Some(own) = s.lock_alone::<FREE>(list.header())
        // SAFETY: this thread has the list alone.
        && let Some(place) = unsafe { list.place_alone(at) }
        && let Some(value) = s.plain_operand(i.c())
    {
        let old = place.replace_alone(value);
        drop(own);
        if s.is_temporary(i.a()) {
            return s.release_both(old, s.regs.take_word(i.a()));
        }
        return s.release(old);
    }
    s.tail(set_item_of_instance)
}

/// As `set_item`, of an instance of a class with a `__setitem__` in Python: pushes its frame.
#[handler]
fn set_item_of_instance(s: State<'_>) -> Exit {
    let (i, obj) = (s.i, s.get(s.i.a()));
    let operands = [i.a(), i.b(), i.c()];
    if obj.is_heap()
        && obj.ty().has_flag(TypeFlags::HEAP)
        // The register of an operand that is used up holds the function meanwhile.
        && let Some(free) = operands.into_iter().find(|&r| s.is_temporary(r))
        && let Some(function) = s.vm.special_function(obj.ty(), intern!("__setitem__"))
        // SAFETY: the innermost record and its registers; the class or a base holds the function.
        && let Some(pushed) = unsafe { s.vm.push_with(s, function, operands, FrameKind::Effect, free) }
    {
        s.save();
        // SAFETY: the record was pushed just now.
        return unsafe { s.enter(pushed) };
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
    } else if let Some(bytes) = obj.downcast_exact::<ByteArray>()
        && bytes.set_byte(key, s.get(i.c()))
    {
        s.kill(i.c());
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
