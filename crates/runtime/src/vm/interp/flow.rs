//! Handlers of iteration, exceptions, generators and coroutines.

use lisle_bytecode::Op;
use lisle_macros::handler;

use super::state::{Apart, Exit, State, check};
use super::{Flow, Ip};
use crate::object::Value;
use crate::sync::parallel;
use crate::types::coroutine::Coroutine;
use crate::types::dict_views::DictItemIter;
use crate::types::generator::Generator;
use crate::types::iter_tools::{Enumerate, Zip};
use crate::types::range::RangeIterator;
use crate::types::seq_iter::{ListIter, TupleIter};
use crate::vm::frames::FrameKind;
use crate::vm::{Res, Vm};

#[handler(apart)]
pub(super) fn get_iter(s: Apart<'_>) -> Exit {
    s.save();
    let value = check!(s, s.vm.iter(s.get(s.i.b())));
    s.kill_object(s.i.b());
    s.set(s.i.a(), value)
}

#[handler]
pub(super) fn for_iter<const FREE: bool, const HOOK: bool>(s: State<'_>) -> Exit {
    let iter = s.get(s.i.b());
    if let Some(range) = iter.downcast_exact::<RangeIterator>() {
        return match range.next_small().and_then(Value::small_int) {
            Some(number) => s.set(s.i.a(), number),
            None => s.tail(for_iter_other::<HOOK>),
        };
    }
    if let Some(list) = iter.downcast_exact::<ListIter>() {
        if FREE && parallel() {
            return s.tail(for_iter_of_own);
        }
        // SAFETY: no other thread runs meanwhile.
        if let Some(item) = s.share(unsafe { list.next_alone() }) {
            list.advance_alone();
            return s.set_object(s.i.a(), item);
        }
        return s.tail(for_iter_list::<FREE>);
    }
    s.tail(for_iter_tuple::<FREE, HOOK>)
}

#[handler]
fn for_iter_tuple<const FREE: bool, const HOOK: bool>(s: State<'_>) -> Exit {
    if let Some(tuple) = s.get(s.i.b()).downcast_exact::<TupleIter>()
        && (!FREE || !parallel() || tuple.header().is_unique_of(s.hand().owner()))
        // SAFETY: no other thread runs meanwhile, or none knows the iterator.
        && let Some(item) = s.share(unsafe { tuple.next_alone() })
    {
        tuple.advance_alone();
        return s.set_object(s.i.a(), item);
    }
    s.tail(for_iter_other::<HOOK>)
}

/// As `for_iter`, where threads run in parallel, over a list that no other has wanted yet.
#[handler]
fn for_iter_of_own(s: State<'_>) -> Exit {
    if let Some(iter) = s.get(s.i.b()).downcast_exact::<ListIter>()
        && iter.header().is_unique_of(s.hand().owner())
        // SAFETY: no other thread knows the iterator.
        && let Some(list) = unsafe { iter.list_alone() }
        && let Some(own) = s.lock_unread(list.header())
        // SAFETY: this thread has the list alone.
        && let Some(item) = s.share(unsafe { iter.next_alone() })
    {
        drop(own);
        iter.advance_alone();
        return s.set_object(s.i.a(), item);
    }
    s.tail(for_iter_list::<true>)
}

#[handler]
fn for_iter_list<const FREE: bool>(s: State<'_>) -> Exit {
    let next = match s.get(s.i.b()).downcast_exact::<ListIter>() {
        Some(list) => ListIter::next_in_loop::<FREE>(list),
        None => None,
    };
    match next {
        Some(value) => s.set_object(s.i.a(), value),
        None => s.tail(exhausted),
    }
}

#[handler(apart)]
fn for_iter_other<const HOOK: bool>(s: Apart<'_>) -> Exit {
    let (i, iter) = (s.i, s.get(s.i.b()));
    s.save();
    let next = if let Some(tuple) = iter.downcast_exact::<TupleIter>() {
        tuple.next_item()
    } else {
        if let Some(generator) = iter.downcast_exact::<Generator>() {
            // SAFETY: the register of the iterator, a temporary.
            let slot = unsafe { s.regs.0.add(i.b() as usize) };
            let (body, kind) = (&generator.body, FrameKind::For);
            let pushed = s.vm.push_generator::<HOOK>(iter, body, Value::NONE, kind, i.a(), slot);
            if pushed.is_ok() {
                return s.reloaded().next();
            }
        }
        // SAFETY: an instruction follows, since a loop's head does not end the code.
        let behind = unsafe { Ip::new(i.next()) };
        if !HOOK
            && behind.op() == Op::UnpackSequence
            && (behind.b(), behind.c()) == (i.a(), 2)
            && s.is_temporary(i.a())
            && let Some(pair) = next_pair(s.vm, iter)
        {
            return match check!(s, pair) {
                Some((first, second)) => {
                    s.regs.set(behind.a(), first);
                    s.skip(1).set_object(behind.a() + 1, second)
                }
                None => end_loop(s),
            };
        }
        check!(s, s.vm.next(iter))
    };
    match next {
        Some(value) => s.set_object(i.a(), value),
        None => end_loop(s),
    }
}

/// The next pair of an iterator that gives pairs, for what takes it apart at once: no tuple is made. `None` of other iterators.
#[inline(always)]
fn next_pair(vm: &Vm, iter: &Value) -> Option<Res<Option<(Value, Value)>>> {
    if let Some(items) = iter.downcast_exact::<DictItemIter>() {
        return Some(items.next_pair(vm));
    }
    if let Some(counted) = iter.downcast_exact::<Enumerate>() {
        return Some(counted.next_pair(vm));
    }
    let zip = iter.downcast_exact::<Zip>()?;
    zip.gives_pairs().then(|| zip.next_pair(vm))
}

#[handler(apart)]
fn exhausted(s: Apart<'_>) -> Exit {
    end_loop(s)
}

/// The loop over an iterator ends.
fn end_loop(s: Apart<'_>) -> Exit {
    s.save();
    s.regs.clear(s.i.b());
    s.jump(i32::from(s.i.c() as i16)).next()
}

// ---- exceptions ----

#[handler(apart)]
pub(super) fn push_exc(s: Apart<'_>) -> Exit {
    let a = s.i.a();
    // The unwinder left the exception in R[a+1].
    let previous = s.vm.handled.swap(s.regs.opt(a + 1).cloned());
    if s.frame().generator != 0 {
        // SAFETY: the innermost record, and nothing else of it is borrowed.
        let first = unsafe {
            (*s.frame).handling += 1;
            (*s.frame).handling == 1
        };
        if first {
            // What is handled outside may be another when the generator is resumed: looked up when this handler ends.
            drop(previous);
            s.regs.clear(a);
            return s.next();
        }
    }
    s.set(a, previous.unwrap_or(Value::NONE))
}

#[handler(apart)]
pub(super) fn pop_exc(s: Apart<'_>) -> Exit {
    let a = s.i.a();
    // SAFETY: the innermost record, and nothing else of it is borrowed.
    unsafe { (*s.frame).handling = (*s.frame).handling.saturating_sub(1) };
    let previous = match s.regs.take(a) {
        Some(previous) => Some(previous).filter(|value| !value.is_none()),
        None => s.frame().outer_handled(),
    };
    s.save();
    drop(s.vm.handled.swap(previous));
    s.regs.clear(a + 1);
    s.next()
}

#[handler(apart)]
pub(super) fn raise(s: Apart<'_>) -> Exit {
    // Without an operand it raises again what is handled.
    let again = s.i.k() == 0 && !s.vm.handled.is_empty();
    s.save();
    match s.vm.rare(s.i, s.frame(), s.regs) {
        Ok(ahead) => s.jump(ahead as i32).next(),
        Err(exc) if again => s.raise_again(exc),
        Err(exc) => s.raise(exc),
    }
}

#[handler(apart)]
pub(super) fn raise_again(s: Apart<'_>) -> Exit {
    s.save();
    match s.vm.rare(s.i, s.frame(), s.regs) {
        Ok(ahead) => s.jump(ahead as i32).next(),
        Err(exc) => s.raise_again(exc),
    }
}

// ---- generators and coroutines ----

#[handler]
pub(super) fn return_generator(s: State<'_>) -> Exit {
    s.save();
    // SAFETY: the innermost record, and nothing else of it is borrowed.
    let generator = check!(s, s.vm.make_generator(unsafe { &mut *s.frame }));
    s.leave_with(generator)
}

#[handler]
pub(super) fn yield_<const HOOK: bool>(s: State<'_>) -> Exit {
    let value = s.operand(s.i.b());
    s.save();
    // SAFETY: `frame` is the innermost record, a generator's: it is suspended, not left.
    match unsafe { s.vm.suspend::<HOOK>(s.frame, value, s.i) } {
        Flow::Reload => s.reloaded().next(),
        Flow::Done(value) => s.done(value),
    }
}

#[handler(apart)]
pub(super) fn send<const HOOK: bool>(s: Apart<'_>) -> Exit {
    let i = s.i;
    let mut sent = s.regs.take(i.a()).unwrap_or(Value::NONE);
    s.save();
    let iter = s.get(i.b());
    let body = if let Some(generator) = iter.downcast_exact::<Generator>() {
        Some(&generator.body)
    } else {
        iter.downcast_exact::<Coroutine>().map(|coroutine| &coroutine.body)
    };
    if let Some(body) = body {
        // SAFETY: the register of the iterator, a temporary.
        let slot = unsafe { s.regs.0.add(i.b() as usize) };
        match s
            .vm
            .push_generator::<HOOK>(iter, body, sent, FrameKind::Send, i.a(), slot)
        {
            Ok(()) => return s.reloaded().next(),
            Err(back) => sent = back,
        }
    }
    let (value, ended) = check!(s, s.vm.send(iter, sent));
    if ended {
        s.regs.clear(i.b());
        s.regs.set(i.a(), value);
        return s.jump(i32::from(i.c() as i16)).next();
    }
    s.set(i.a(), value)
}

/// Whether the iterator of `yield from` is what it is made of: a generator.
#[handler]
pub(super) fn get_yield_from_iter(s: State<'_>) -> Exit {
    let source = s.get(s.i.b());
    let own = source.downcast_exact::<Generator>().is_some_and(|g| !g.is_awaitable());
    s.tail(if own { super::moves::move_ } else { rare })
}

/// As above: a coroutine that nobody awaits yet.
#[handler]
pub(super) fn get_awaitable(s: State<'_>) -> Exit {
    let source = s.get(s.i.b());
    let own = source.downcast_exact::<Coroutine>().is_some_and(|c| c.body.is_new());
    s.tail(if own { super::moves::move_ } else { rare })
}

#[handler(apart)]
fn rare(s: Apart<'_>) -> Exit {
    debug_assert!(
        matches!(s.i.op(), Op::GetYieldFromIter | Op::GetAwaitable),
        "the two that are their own iterators at times"
    );
    s.save();
    s.rare()
}
