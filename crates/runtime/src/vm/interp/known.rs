//! Handlers of calls of native functions that programs call most: they do the work in place where it is plain, and leave the rest to
//! `call_native`.
//!
//! Invariants: what is done here runs no code and cannot fail, so that nothing was changed when the rest is left to the function. Native
//! functions and method descriptors are immortal: the callee's register is forgotten. Arguments are temporaries.

use lisle_macros::handler;

use super::invoke::{arguments, call_native};
use super::state::{Exit, Handler, State};
use super::{Ip, drop_plainly, is_object};
use crate::native::Known;
use crate::object::{Native, Py, Type, Value};
use crate::sync::biased::OwnGuard;
use crate::types::bytes::Bytes;
use crate::types::dict::Dict;
use crate::types::list::List;
use crate::types::native_function::{MethodDescriptor, NativeFunction};
use crate::types::str::Str;
use crate::types::tuple::Tuple;
use lisle_bytecode::Op;

/// The handlers of calls by what the loop knows of the function.
static HANDLERS: [Handler; Known::COUNT] = {
    let mut handlers: [Handler; Known::COUNT] = [call_native; Known::COUNT];
    handlers[Known::Abs as usize] = call_abs;
    handlers[Known::Append as usize] = call_append;
    handlers[Known::Get as usize] = call_get;
    handlers[Known::IsInstance as usize] = call_isinstance;
    handlers[Known::Len as usize] = call_len;
    handlers[Known::Max as usize] = call_extreme::<true>;
    handlers[Known::Min as usize] = call_extreme::<false>;
    handlers[Known::Ord as usize] = call_ord;
    handlers[Known::Pop as usize] = call_pop;
    handlers
};

/// Calls a native function.
#[handler]
pub(super) fn call_function(s: State<'_>) -> Exit {
    // SAFETY: callees of this kind come here.
    let function = unsafe { s.get(s.i.a()).downcast_unchecked::<NativeFunction>() };
    s.tail(HANDLERS[function.def.known as usize])
}

/// Calls a method of a native type by its descriptor.
#[handler]
pub(super) fn call_method(s: State<'_>) -> Exit {
    // SAFETY: as above.
    let method = unsafe { s.get(s.i.a()).downcast_unchecked::<MethodDescriptor>() };
    s.tail(HANDLERS[method.def.known as usize])
}

/// The register of the argument of a call, or of the receiver of a method that takes none, if there is one.
#[inline(always)]
fn only_argument(s: State<'_>) -> Option<u16> {
    let args = arguments(s);
    (args.count == 1).then_some(args.first)
}

/// The call gave a value, and used what was in register `argument`, the only one.
#[inline(always)]
fn done_using(s: State<'_>, argument: u16, value: Value) -> Exit {
    let i = s.i;
    s.regs.forget(i.a());
    let word = s.regs.take_word(argument);
    let old = s.regs.replace(i.c(), value);
    let behind = s.skip(1);
    if is_object(old) {
        return behind.release_both(old, word);
    }
    behind.release(word)
}

#[handler]
fn call_len(s: State<'_>) -> Exit {
    let Some(argument) = only_argument(s) else {
        return s.tail(call_native);
    };
    let of = s.get(argument);
    let len = if let Some(list) = of.downcast_exact::<List>() {
        list.len()
    } else if let Some(tuple) = of.downcast_exact::<Tuple>() {
        tuple.len()
    } else if let Some(text) = of.downcast_exact::<Str>() {
        text.len()
    } else if let Some(dict) = of.downcast_exact::<Dict>() {
        dict.len()
    } else if let Some(bytes) = of.downcast_exact::<Bytes>() {
        bytes.len()
    } else {
        return s.tail(call_native);
    };
    match Value::small_int(len as i64) {
        Some(len) => done_using(s, argument, len),
        None => s.tail(call_native),
    }
}

#[handler]
fn call_ord(s: State<'_>) -> Exit {
    let Some(argument) = only_argument(s) else {
        return s.tail(call_native);
    };
    if let Some(text) = s.get(argument).downcast_exact::<Str>()
        && let Some([byte]) = text.ascii_bytes()
        && let Some(number) = Value::small_int((*byte).into())
    {
        return done_using(s, argument, number);
    }
    s.tail(call_native)
}

#[handler]
fn call_abs(s: State<'_>) -> Exit {
    let Some(argument) = only_argument(s) else {
        return s.tail(call_native);
    };
    let of = s.get(argument);
    if let Some(n) = of.as_small_int()
        && let Some(positive) = Value::small_int(n.abs())
    {
        return done_using(s, argument, positive);
    }
    if of.is_tagged_float() {
        return done_using(s, argument, Value::float(of.tagged_float().abs()));
    }
    s.tail(call_native)
}

/// `max` of two numbers, or `min`: the first if they are equal or not ordered.
#[handler]
fn call_extreme<const MAX: bool>(s: State<'_>) -> Exit {
    let (i, args) = (s.i, arguments(s));
    if args.count != 2 || s.vm.thread.poll_bits() != 0 {
        return s.tail(call_native);
    }
    let (first, second) = (s.get(args.first), s.get(args.first + 1));
    let takes_second = if let (Some(x), Some(y)) = (first.as_small_int(), second.as_small_int()) {
        if MAX { y > x } else { y < x }
    } else if first.is_tagged_float() && second.is_tagged_float() {
        let (x, y) = (first.tagged_float(), second.tagged_float());
        if MAX { y > x } else { y < x }
    } else {
        return s.tail(call_native);
    };
    // Immediates: nothing is counted.
    let word = s.regs.word(args.first + u16::from(takes_second));
    for r in [i.a(), args.first, args.first + 1] {
        s.regs.forget(r);
    }
    // SAFETY: the word of an immediate.
    s.skip(1).put(i.c(), unsafe { Value::from_bits(word) })
}

/// Whether nothing is to be dropped where the result of the call goes.
#[inline(always)]
fn replaces_nothing(s: State<'_>) -> bool {
    s.i.c() == s.i.a() || !is_object(s.regs.word(s.i.c()))
}

#[handler]
fn call_isinstance(s: State<'_>) -> Exit {
    let args = arguments(s);
    if args.count != 2 || args.has_self || !replaces_nothing(s) {
        return s.tail(call_native);
    }
    let (ty, class) = (s.get(args.first).ty(), s.get(args.first + 1));
    if ty.as_value().is(class) {
        return told(s, true);
    }
    if class.has_type(Type::ty()) {
        // SAFETY: the type was checked.
        if ty.has_base(unsafe { class.downcast_unchecked() }) {
            return told(s, true);
        }
        if ty.has_usual_class() {
            return told(s, false);
        }
    }
    s.tail(call_isinstance_of_bases)
}

/// As `call_isinstance`, of classes that are not just the object's.
#[handler]
fn call_isinstance_of_bases(s: State<'_>) -> Exit {
    let object = s.i.a() + 2;
    match s.vm.isinstance_plainly(s.get(object), s.get(object + 1)) {
        Some(is) => told(s, is),
        None => s.tail(call_native),
    }
}

/// `isinstance` gave its result, which replaces nothing.
#[inline(always)]
fn told(s: State<'_>, is: bool) -> Exit {
    let i = s.i;
    s.regs.forget(i.a());
    let (object, class) = (s.regs.take_word(i.a() + 2), s.regs.take_word(i.a() + 3));
    s.regs.put_plain(i.c(), Value::from_bool(is));
    let behind = s.skip(1);
    if is_object(object) {
        return behind.release_both(object, class);
    }
    behind.release(class)
}

/// The receiver of the call of a method with `count` arguments, if it is exactly a `T`, which this thread has alone as long as it holds the guard.
#[inline(always)]
fn receiver<'a, T: Native>(s: State<'a>, count: u16) -> Option<(&'a Py<T>, OwnGuard)> {
    let i = s.i;
    if i.b() != count || i.k() == 0 {
        return None;
    }
    let receiver = s.regs.opt(i.a() + 1)?.downcast_exact::<T>()?;
    Some((receiver, s.lock_unread(receiver.header())?))
}

/// A method gave a value, which goes into the place of nothing, or is dropped by what follows the call.
#[inline(always)]
fn done_with_receiver(s: State<'_>, value: Value) -> Exit {
    let i = s.i;
    s.regs.forget(i.a());
    let receiver = s.regs.take_word(i.a() + 1);
    s.regs.put_plain(i.c(), value);
    s.skip(1).release(receiver)
}

#[handler]
fn call_append(s: State<'_>) -> Exit {
    let i = s.i;
    if !replaces_nothing(s) || s.vm.thread.poll_bits() != 0 {
        return s.tail(call_native);
    }
    let Some((list, own)) = receiver::<List>(s, 1) else {
        return s.tail(call_native);
    };
    // SAFETY: this thread has the list alone.
    let pushed = unsafe { list.push_word_alone(s.regs.word(i.a() + 2)) };
    drop(own);
    if !pushed {
        return s.tail(call_native);
    }
    // The list has the reference now.
    s.regs.forget(i.a() + 2);
    // SAFETY: an instruction follows, since a call does not end the code.
    let (behind, next) = unsafe { (s.skip(1), Ip::new(s.skip(1).i.next())) };
    if next.op() == Op::Clear && next.a() == i.a() && i.c() == i.a() {
        // A call for its effect.
        s.regs.forget(i.a());
        let receiver = s.regs.take_word(i.a() + 1);
        return behind.skip(1).release(receiver);
    }
    done_with_receiver(s, Value::NONE)
}

#[handler]
fn call_pop(s: State<'_>) -> Exit {
    if !replaces_nothing(s) || s.vm.thread.poll_bits() != 0 {
        return s.tail(call_native);
    }
    let Some((list, own)) = receiver::<List>(s, 0) else {
        return s.tail(call_native);
    };
    // SAFETY: this thread has the list alone.
    let popped = unsafe { list.pop_alone() };
    drop(own);
    match popped {
        Some(last) => done_with_receiver(s, last),
        None => s.tail(call_native),
    }
}

/// `get` of a dict, with a default or without.
#[handler]
fn call_get(s: State<'_>) -> Exit {
    let (i, hand) = (s.i, s.hand());
    if !matches!(i.b(), 1 | 2) || !replaces_nothing(s) || s.vm.thread.poll_bits() != 0 {
        return s.tail(call_native);
    }
    let Some((dict, own)) = receiver::<Dict>(s, i.b()) else {
        return s.tail(call_native);
    };
    // SAFETY: this thread has the dict alone.
    let Some(found) = (unsafe { dict.word_alone(s.get(i.a() + 2)) }) else {
        drop(own);
        return s.tail(call_native);
    };
    let default = if i.b() == 2 {
        s.regs.word(i.a() + 3)
    } else {
        Value::NONE.bits()
    };
    let given = if found == 0 { default } else { found };
    let shared = s.share(given);
    drop(own);
    let Some(value) = shared else {
        return s.tail(call_native);
    };
    if i.b() == 2 {
        // SAFETY: the register's reference is given up.
        if is_object(default) && !unsafe { drop_plainly(default, hand) } {
            s.vm.running.pass(value.into_bits());
            return s.tail(call_get_dropping);
        }
        s.regs.forget(i.a() + 3);
    }
    s.regs.forget(i.a());
    let (dict, key) = (s.regs.take_word(i.a() + 1), s.regs.take_word(i.a() + 2));
    s.regs.put_plain(i.c(), value);
    let behind = s.skip(1);
    if is_object(key) {
        return behind.release_both(dict, key);
    }
    behind.release(dict)
}

/// As `call_get`, where nobody else has the default.
#[handler]
fn call_get_dropping(s: State<'_>) -> Exit {
    let (i, behind) = (s.i, s.skip(1));
    let value = s.vm.running.take_value();
    s.regs.clear_objects(i.a(), 4);
    s.regs.set(i.c(), value);
    behind.next()
}
