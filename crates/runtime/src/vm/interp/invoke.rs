//! Handlers of calls and returns.

use lisle_macros::handler;

use super::state::{Apart, Exit, Handler, State, check};
use super::{Ip, drop_plainly, is_object, known};
use crate::native::{Args, FnDef};
use crate::object::types::CallKind;
use crate::object::{Native, Type, Value};
use crate::types::function::Function;
use crate::types::method::Method;
use crate::types::native_function::{MethodDescriptor, NativeFunction};
use crate::types::number_text::decimal;
use crate::types::object::new_instance;
use crate::types::range::Range;
use crate::types::str::Str;
use crate::vm::frames::FrameKind;
use crate::vm::{Res, Vm};
use lisle_bytecode::Op;
use std::sync::atomic::Ordering::Relaxed;

/// The arguments of a `Call`: the number of the first one's register, and how many there are.
#[derive(Clone, Copy)]
pub(super) struct Arguments {
    pub first: u16,
    pub count: usize,
    /// Whether the first is the receiver, in the place between callee and arguments.
    pub has_self: bool,
}

#[inline(always)]
pub(super) fn arguments<const CHAINED: bool>(s: State<'_, CHAINED>) -> Arguments {
    let (a, n) = (s.i.a(), s.i.b() as usize);
    if s.i.k() != 0 && s.regs.opt(a + 1).is_some() {
        Arguments {
            first: a + 1,
            count: n + 1,
            has_self: true,
        }
    } else {
        Arguments {
            first: a + 2,
            count: n,
            has_self: false,
        }
    }
}

#[inline(always)]
fn kind_of(callee: &Value) -> CallKind {
    if callee.is_heap() {
        callee.ty().call_kind()
    } else {
        CallKind::Other
    }
}

impl Vm {
    /// A call by position. Apart from the handler, which so needs no place in memory for the arguments' view.
    #[inline(never)]
    fn call_def(&self, def: &FnDef, values: &[Value]) -> Res<Value> {
        (def.func)(self, Args::new(values))
    }
}

/// The handlers of calls by the kind of the callee, but for those of Python functions.
const fn callees<const HOOK: bool>() -> [Handler; CallKind::COUNT] {
    let mut handlers: [Handler; CallKind::COUNT] = [call_other; CallKind::COUNT];
    handlers[CallKind::NativeFunction as usize] = if HOOK { call_native } else { known::call_function };
    handlers[CallKind::MethodDescriptor as usize] = if HOOK { call_native } else { known::call_method };
    handlers[CallKind::Method as usize] = call_method;
    if !HOOK {
        handlers[CallKind::Type as usize] = call_class;
    }
    handlers
}

/// What to call is told apart first, which takes no registers of callers'.
#[handler]
pub(super) fn call<const HOOK: bool>(s: State<'_>) -> Exit {
    s.skip(1).save();
    match kind_of(s.get(s.i.a())) {
        CallKind::Function => s.tail(call_python::<HOOK>),
        kind => s.tail(const { &callees::<HOOK>() }[kind as usize]),
    }
}

/// Calls a Python function.
#[handler]
fn call_python<const HOOK: bool>(s: State<'_>) -> Exit {
    let (i, callee, args) = (s.i, s.get(s.i.a()), arguments(s));
    // SAFETY: the kind stands for the type, and these are registers of the frame, the arguments its topmost ones.
    unsafe {
        let function = callee.downcast_unchecked::<Function>();
        let (slot, at) = (s.regs.0.add(i.a() as usize), s.regs.0.add(args.first as usize));
        let Some(pushed) = s.vm.push_exact(s.frame, function, at, args.count, i.c(), slot) else {
            return s.tail(if s.frame().on_heap {
                call_python_else::<true>
            } else {
                call_python_else::<false>
            });
        };
        if s.check_chain() {
            return Exit::GoOn;
        }
        let pushed = s.inside(pushed);
        let first = Ip::new(pushed.i.next());
        if !HOOK && s.vm.thread.poll_bits() == 0 && first.op() == Op::Resume {
            // There is nothing for it to do.
            return State { i: first, ..pushed }.next();
        }
        pushed.next()
    }
}

/// Calls a Python function from a generator, or one whose last arguments are defaults.
#[handler]
fn call_python_else<const FROM_HEAP: bool>(s: State<'_>) -> Exit {
    let (i, args) = (s.i, arguments(s));
    // SAFETY: the callee is a function, and these are registers of the frame: of a generator's, or else the arguments its topmost ones.
    unsafe {
        let function = s.get(i.a()).downcast_unchecked::<Function>();
        let (slot, at) = (s.regs.0.add(i.a() as usize), s.regs.0.add(args.first as usize));
        let pushed = if FROM_HEAP {
            s.vm.push_from_heap(s.frame, function, at, args.count, i.c(), slot)
        } else {
            s.vm.push_with_defaults(s, function, at, args.count, slot)
        };
        match pushed {
            Some(pushed) => s.enter(pushed),
            None => s.tail(call_function),
        }
    }
}

/// Calls a bound method.
#[handler]
fn call_method(s: State<'_>) -> Exit {
    let i = s.i;
    // SAFETY: the kind stands for the type, and these are registers of the frame, the arguments its topmost ones.
    unsafe {
        let method = s.get(i.a()).downcast_unchecked::<Method>();
        // The receiver goes in front of the arguments.
        if s.regs.word(i.a() + 1) == 0
            && let Some(pushed) = s.vm.push_bound_exact(s, method, i.b() as usize)
        {
            return s.enter(pushed);
        }
    }
    s.tail(call_other)
}

/// Calls a class: `type` of an object is here.
#[handler]
fn call_class(s: State<'_>) -> Exit {
    let (i, callee) = (s.i, s.get(s.i.a()).bits());
    if callee == Range::type_cell().address() as u64 {
        return s.tail(call_range);
    }
    if callee == Type::type_cell().address() as u64
        && i.b() == 1
        && (i.k() == 0 || s.regs.word(i.a() + 1) == 0)
        && let Some(class) = s.share(s.get(i.a() + 2).ty().as_value().bits())
    {
        // Native types are immortal.
        s.regs.forget(i.a());
        let gone = s.regs.take_word(i.a() + 2);
        let old = s.regs.replace(i.c(), class);
        let behind = s.skip(1);
        return if is_object(old) {
            behind.release_both(old, gone)
        } else {
            behind.release(gone)
        };
    }
    if callee == Str::type_cell().address() as u64 && i.b() == 1 && s.get(i.a() + 2).is_small_int() {
        return s.tail(call_decimal);
    }
    s.tail(call_init)
}

/// Calls `str` with an immediate int.
#[handler]
fn call_decimal(s: State<'_>) -> Exit {
    let i = s.i;
    if i.k() != 0 && s.regs.word(i.a() + 1) != 0 {
        return s.tail(call_other);
    }
    let Some(int) = s.get(i.a() + 2).as_small_int() else {
        return s.tail(call_other);
    };
    let text = decimal(int);
    // Native types are immortal.
    s.regs.forget(i.a());
    s.regs.forget(i.a() + 2);
    s.skip(1).put(i.c(), text.into_value())
}

/// Calls a class that may have an `__init__` in Python.
#[handler]
fn call_init(s: State<'_>) -> Exit {
    let i = s.i;
    let free = i.k() == 0 || s.regs.word(i.a() + 1) == 0;
    // SAFETY: the kind stands for the type.
    if !free || unsafe { Vm::has_object_init(s.get(i.a()).downcast_unchecked::<Type>()) } {
        return s.tail(call_empty);
    }
    // SAFETY: as above, and these are registers of the frame, the arguments its topmost ones.
    match unsafe { s.vm.push_new(s, i.b() as usize) } {
        // SAFETY: the record was pushed just now.
        Some(pushed) => unsafe { s.enter(pushed) },
        None => s.tail(call_other),
    }
}

/// Calls a class without an `__init__` of its own.
#[handler]
fn call_empty(s: State<'_>) -> Exit {
    let (i, args) = (s.i, arguments(s));
    // SAFETY: the kind stands for the type.
    let class = unsafe { s.get(i.a()).downcast_unchecked::<Type>() };
    if args.count != 0 || s.vm.thread.poll_bits() != 0 || !Vm::makes_empty(class) {
        return s.tail(call_other);
    }
    let instance = new_instance(class);
    let class = s.regs.take_word(i.a());
    let old = s.regs.replace(i.c(), instance);
    s.skip(1).drop_both(old, class)
}

/// Calls `range`. What is only iterated over, in a `for` statement, is not made.
#[handler]
fn call_range(s: State<'_>) -> Exit {
    let (i, args, behind) = (s.i, arguments(s), s.skip(1));
    // SAFETY: an instruction follows, since a call does not end the code.
    let next = unsafe { Ip::new(behind.i.next()) };
    if next.op() == Op::GetIter
        && next.b() == i.c()
        && s.is_temporary(i.c())
        && let Some(iterator) = Range::iterator_of(s.regs.slice(args.first, args.count))
    {
        // The arguments are immediates, and native types are immortal.
        for r in i.a()..i.a() + 2 + i.b() {
            s.regs.forget(r);
        }
        let behind = behind.skip(1);
        behind.save();
        s.regs.set(next.a(), iterator.into_value());
        return behind.poll();
    }
    s.tail(call_other)
}

/// Calls a Python function whose arguments need something done.
#[handler(apart)]
fn call_function(s: Apart<'_>) -> Exit {
    let (i, args) = (s.i, arguments(s));
    // SAFETY: the callee is a function, and these are registers of the frame, the arguments its topmost ones.
    let pushed = unsafe {
        let function = s.get(i.a()).downcast_unchecked::<Function>();
        let (slot, at) = (s.regs.0.add(i.a() as usize), s.regs.0.add(args.first as usize));
        if let Some(made) = s.vm.made_generator(function, at, args.count) {
            s.regs.clear_object(i.a());
            return s.skip(1).set(i.c(), made);
        }
        let kind = FrameKind::Inline;
        s.vm.push_function(s.frame, function, at, args.count, kind, i.c(), slot)
    };
    check!(s, pushed);
    s.reloaded().next()
}

/// Calls a native function, or a native method of its receiver.
#[handler]
pub(super) fn call_native(s: State<'_>) -> Exit {
    let (i, callee, mut args) = (s.i, s.get(s.i.a()), arguments(s));
    let def = if let Some(native) = callee.downcast_exact::<NativeFunction>() {
        if let Some(receiver) = &native.receiver {
            let plain = if args.has_self { None } else { s.share(receiver.bits()) };
            let Some(receiver) = plain else {
                return s.tail(call_bound_native);
            };
            // It goes into the place between callee and arguments, where nothing is.
            args.first = i.a() + 1;
            args.count += 1;
            s.regs.replace(args.first, receiver);
        }
        native.def
    } else {
        // SAFETY: there are two kinds of callees that come here.
        let method = unsafe { callee.downcast_unchecked::<MethodDescriptor>() };
        if args.count == 0 || !s.get(args.first).has_type(&method.owner) {
            return s.tail(call_other);
        }
        method.def
    };
    let result = s.vm.call_def(def, s.regs.slice(args.first, args.count));
    // From the frame again: what need not be kept beyond the call takes no registers of the caller's. `call` saved the place.
    let behind: State<'_> = State::of(s.vm, s.frame);
    let value = check!(behind, result);
    native_done(behind, value)
}

/// A native function gave a value; the state is that behind the call.
#[inline(always)]
fn native_done(s: State<'_>, value: Value) -> Exit {
    // SAFETY: the call, and its cache word, are before what follows it; an instruction follows, since a call does not end the code.
    let (i, next) = unsafe { (s.i.back(1), Ip::new(s.i.next())) };
    let hand = s.hand();
    if s.vm.thread.poll_bits() != 0 {
        std::hint::cold_path();
        s.vm.running.pass(value.into_bits());
        return s.tail(native_done_slow);
    }
    // The receiver's place is unbound if there is none.
    for r in i.a()..i.a() + 2 + i.b() {
        let word = s.regs.word(r);
        // SAFETY: the register's reference is given up.
        if is_object(word) && !unsafe { drop_plainly(word, hand) } {
            s.vm.running.pass(value.into_bits());
            return s.tail(native_done_slow);
        }
        s.regs.forget(r);
    }
    if next.op() == Op::Clear && next.a() == i.a() && i.c() == i.a() {
        // A call for its effect: the result goes at once.
        return s.skip(1).release(value.into_bits());
    }
    s.put(i.c(), value)
}

/// The same where something is to be done that takes calls.
#[handler]
fn native_done_slow(s: State<'_>) -> Exit {
    // SAFETY: as above.
    let call = State {
        i: unsafe { s.i.back(1) },
        ..s
    };
    let value = s.vm.running.take_value();
    s.regs.clear_objects(call.i.a(), call.i.b() as usize + 2);
    called(call, value)
}

/// Calls a native function that has a receiver, which another thread owns.
#[handler(apart)]
fn call_bound_native(s: Apart<'_>) -> Exit {
    let (i, callee, args) = (s.i, s.get(s.i.a()), arguments(s));
    if let Some(native) = callee.downcast_exact::<NativeFunction>()
        && let Some(receiver) = &native.receiver
        && !args.has_self
    {
        // It goes into the place between callee and arguments.
        s.regs.set(i.a() + 1, receiver.clone());
        let result = s.vm.call_def(native.def, s.regs.slice(i.a() + 1, args.count + 1));
        s.regs.clear_object(i.a() + 1);
        let value = check!(s, result);
        s.regs.clear_objects(i.a(), i.b() as usize + 2);
        return called(s, value);
    }
    call_anything(s, args)
}

/// Calls a class, a bound method, or what has `__call__`.
#[handler(apart)]
fn call_other(s: Apart<'_>) -> Exit {
    call_anything(s, arguments(s))
}

#[inline(always)]
fn call_anything(s: Apart<'_>, args: Arguments) -> Exit {
    let (i, callee) = (s.i, s.get(s.i.a()));
    let kind = match kind_of(callee) {
        CallKind::Other if Vm::plain_class(callee).is_some() => CallKind::Type,
        kind => kind,
    };
    let result = match kind {
        // SAFETY: the kind stands for the type; the callee's register holds it, and the arguments are the topmost registers.
        CallKind::Type => match unsafe { s.vm.call_class(s.frame, callee, s.regs, i, args.first, args.count) } {
            Ok(None) => return s.reloaded().next(),
            Ok(Some(value)) => Ok(value),
            Err(exc) => Err(exc),
        },
        CallKind::Method
            if !args.has_self
                // SAFETY: as above.
                && let bound = unsafe { callee.downcast_unchecked::<Method>() }
                && let Some(function) = bound.function.downcast_exact::<Function>() =>
        {
            // The receiver goes into the place between callee and arguments.
            let (function, this) = (function.to_value(), bound.receiver.clone());
            s.regs.set(i.a() + 1, this);
            s.regs.set(i.a(), function);
            // SAFETY: as above, now of the function.
            let pushed = unsafe {
                let function = s.get(i.a()).downcast_unchecked::<Function>();
                let slot = s.regs.0.add(i.a() as usize);
                let kind = FrameKind::Inline;
                s.vm.push_function(s.frame, function, slot.add(1), args.count + 1, kind, i.c(), slot)
            };
            check!(s, pushed);
            return s.reloaded().next();
        }
        _ => s.vm.call_args(callee, Args::new(s.regs.slice(args.first, args.count))),
    };
    let value = check!(s, result);
    s.regs.clear_objects(i.a(), i.b() as usize + 2);
    called(s, value)
}

/// The result of a call that pushed no frame.
#[inline(always)]
fn called<const CHAINED: bool>(s: State<'_, CHAINED>, value: Value) -> Exit {
    let (i, behind) = (s.i, s.skip(1));
    // SAFETY: an instruction follows, since a call does not end the code.
    let next = unsafe { Ip::new(behind.i.next()) };
    if next.op() == Op::Clear && next.a() == i.a() && i.c() == i.a() {
        // A call for its effect: the result goes at once.
        let behind = behind.skip(1);
        behind.save();
        drop(value);
        return behind.poll();
    }
    s.regs.set(i.c(), value);
    behind.poll()
}

#[handler(apart)]
pub(super) fn call_kw(s: Apart<'_>) -> Exit {
    let names = &s.code().consts[s.cache(1).load(Relaxed) as usize];
    let behind = s.skip(2);
    behind.save();
    // SAFETY: `frame` is the innermost record with registers `regs`.
    if check!(s, unsafe { s.vm.call_keywords(s.frame, s.regs, s.i, names) }) {
        return s.reloaded().next();
    }
    behind.poll()
}

#[handler(apart)]
pub(super) fn call_ex(s: Apart<'_>) -> Exit {
    s.save();
    if check!(s, s.vm.call_unpacked(s.regs, s.i)) {
        return s.reloaded().next();
    }
    s.poll()
}

#[handler]
pub(super) fn return_(s: State<'_>) -> Exit {
    match s.plain_operand(s.i.a()) {
        Some(value) => leave(s, value, s.i.b()),
        None => s.tail(return_counted),
    }
}

/// As `return_`, of an object that another thread owns.
#[handler]
fn return_counted(s: State<'_>) -> Exit {
    let value = s.operand(s.i.a());
    leave(s, value, s.i.b())
}

#[handler]
pub(super) fn return_const(s: State<'_>) -> Exit {
    match s.share(s.constant(s.i.w()).bits()) {
        Some(value) => leave(s, value, s.i.a()),
        None => s.tail(return_const_counted),
    }
}

#[handler]
fn return_const_counted(s: State<'_>) -> Exit {
    leave(s, s.constant(s.i.w()).clone(), s.i.a())
}

/// Leaves the frame with a value; no register from number `held` on holds a reference.
#[inline(always)]
fn leave(s: State<'_>, value: Value, held: u16) -> Exit {
    s.save();
    let f = s.frame();
    if !f.is_plain_call() {
        return s.leave_with(value);
    }
    debug_assert!(
        (held as usize..s.code().nregs as usize).all(|i| f.reg(i).as_ref().is_none_or(|v| !v.is_heap())),
        "the compiler knows which registers are in use"
    );
    let hand = s.hand();
    for r in 0..held {
        let word = s.regs.word(r);
        // SAFETY: the register's reference is given up.
        if is_object(word) && !unsafe { drop_plainly(word, hand) } {
            std::hint::cold_path();
            // From here on with calls.
            s.vm.running.pass(value.into_bits());
            return s.tail(leave_plainly);
        }
        s.regs.forget(r);
    }
    let frames = &s.vm.frames;
    frames.top.set(f.previous_top);
    frames.depth.set(frames.depth.get() - 1);
    // SAFETY: below a frame that an instruction pushed is the one of that; its register holds the callee.
    let (caller, callee): (State<'_>, u64) = unsafe {
        (
            State::with(s.vm, s.frame.sub(1), s.table),
            std::mem::take(&mut *f.callee_slot),
        )
    };
    let old = caller.regs.replace(f.dst, value);
    caller.drop_both(old, callee)
}

/// Leaves the frame with the value that was passed, and drops what its registers hold.
#[handler]
fn leave_plainly(s: State<'_>) -> Exit {
    let value = s.vm.running.take_value();
    // SAFETY: the innermost record, of a plain call: below it is the one of the instruction that pushed it.
    let caller: State<'_> = unsafe {
        s.vm.return_plainly(s.frame, value);
        State::of(s.vm, s.frame.sub(1))
    };
    caller.next()
}
