//! Handlers of instructions that make objects, and of others that are frequent although a call does their work.
//!
//! Invariants: the place was saved before anything that runs code or raises. Operands are dropped after the work: where it raises, those that
//! are left are the frame's.

use lisle_macros::handler;

use super::Regs;
use super::state::{Apart, Exit, check};
use crate::object::{Native, Py, Type, TypeFlags, Value};
use crate::types::cell::Cell;
use crate::types::dict::Dict;
use crate::types::function::Function;
use crate::types::list::List;
use crate::types::slice::Slice;
use crate::types::str::Str;
use crate::types::super_::Super;
use crate::types::tuple::Tuple;
use crate::vm::Vm;

/// The values of registers that are temporaries, one after the other.
fn moved(regs: Regs, from: u16, count: usize) -> impl Iterator<Item = Value> {
    (0..count).filter_map(move |n| regs.take(from + n as u16))
}

#[handler(apart)]
pub(super) fn build_map(s: Apart<'_>) -> Exit {
    /// What fits into the smallest table.
    const FEW: usize = 5;
    let (i, pairs) = (s.i, s.i.c());
    s.save();
    let dict = if pairs as usize > FEW {
        Dict::with_capacity(pairs as usize)
    } else {
        Dict::new_empty()
    };
    for at in (0..pairs).map(|n| i.b() + 2 * n) {
        let value = s.operand(at + 1);
        check!(s, dict.set(s.vm, s.get(at), value));
        s.kill(at);
    }
    s.set(i.a(), dict.into_value())
}

#[handler(apart)]
pub(super) fn build_set(s: Apart<'_>) -> Exit {
    let i = s.i;
    s.save();
    let set = check!(s, s.vm.build_set(moved(s.regs, i.b(), i.c() as usize)));
    s.set(i.a(), set)
}

#[handler(apart)]
pub(super) fn build_string(s: Apart<'_>) -> Exit {
    let i = s.i;
    s.save();
    let text = check!(s, s.vm.build_string(s.regs.slice(i.b(), i.c() as usize)));
    for n in 0..i.c() {
        s.kill(i.b() + n);
    }
    s.set(i.a(), text)
}

#[handler(apart)]
pub(super) fn build_slice(s: Apart<'_>) -> Exit {
    let i = s.i;
    s.save();
    let (start, stop) = (s.operand(i.b()), s.operand(i.b() + 1));
    let step = if i.c() == 3 { s.operand(i.b() + 2) } else { Value::NONE };
    s.set(i.a(), Slice::new_value(start, stop, step))
}

#[handler(apart)]
pub(super) fn map_add(s: Apart<'_>) -> Exit {
    let i = s.i;
    s.save();
    let (value, key) = (s.operand(i.c()), s.operand(i.b()));
    if let Some(dict) = s.get(i.a()).downcast_exact::<Dict>() {
        check!(s, dict.set(s.vm, &key, value));
    }
    s.next()
}

#[handler(apart)]
pub(super) fn list_extend(s: Apart<'_>) -> Exit {
    let i = s.i;
    s.save();
    check!(s, s.vm.list_extend(s.get(i.a()), s.get(i.b()), i.k() != 0));
    s.kill(i.b());
    s.next()
}

#[handler(apart)]
pub(super) fn set_update(s: Apart<'_>) -> Exit {
    let i = s.i;
    s.save();
    check!(s, s.vm.set_update(s.get(i.a()), s.get(i.b())));
    s.kill(i.b());
    s.next()
}

#[handler(apart)]
pub(super) fn dict_merge(s: Apart<'_>) -> Exit {
    let i = s.i;
    s.save();
    check!(s, s.vm.dict_merge(s.get(i.a()), s.get(i.b()), s.get(i.c())));
    s.kill(i.b());
    s.next()
}

#[handler(apart)]
pub(super) fn list_to_tuple(s: Apart<'_>) -> Exit {
    let i = s.i;
    s.save();
    let list = s.operand(i.b());
    let items = match list.downcast_exact::<List>() {
        Some(list) => check!(s, list.take_all(s.vm)),
        None => Vec::new(),
    };
    drop(list);
    s.set(i.a(), Tuple::new(items).into_value())
}

#[handler(apart)]
pub(super) fn del_item(s: Apart<'_>) -> Exit {
    let i = s.i;
    s.save();
    check!(s, s.vm.delitem(s.get(i.a()), s.get(i.b())));
    s.kill(i.a());
    s.kill(i.b());
    s.next()
}

#[handler(apart)]
pub(super) fn format_simple(s: Apart<'_>) -> Exit {
    let i = s.i;
    s.save();
    let text = check!(s, s.vm.format(s.get(i.b()), &Str::empty()));
    s.kill(i.b());
    s.set(i.a(), text.into_value())
}

#[handler(apart)]
pub(super) fn format_spec(s: Apart<'_>) -> Exit {
    let i = s.i;
    s.save();
    let text = check!(s, s.vm.format_with(s.get(i.b()), s.get(i.c())));
    s.kill(i.b());
    s.kill(i.c());
    s.set(i.a(), text)
}

#[handler(apart)]
pub(super) fn convert(s: Apart<'_>) -> Exit {
    let i = s.i;
    s.save();
    let of = s.get(i.b());
    let text = match i.k() {
        1 => s.vm.str(of),
        2 => s.vm.repr(of),
        _ => s.vm.ascii(of),
    };
    let text = check!(s, text);
    s.kill(i.b());
    s.set(i.a(), text.into_value())
}

#[handler(apart)]
pub(super) fn check_exc_match(s: Apart<'_>) -> Exit {
    let i = s.i;
    s.save();
    let found = check!(s, s.vm.exception_matches(s.get(i.b()), s.get(i.c())));
    s.kill(i.c());
    s.set_bool(i.a(), found)
}

#[handler(apart)]
pub(super) fn make_cell(s: Apart<'_>) -> Exit {
    let contents = s.regs.take(s.i.a());
    s.regs.set(s.i.a(), Cell::new_value(contents));
    s.next()
}

#[handler(apart)]
pub(super) fn copy_free_vars(s: Apart<'_>) -> Exit {
    let i = s.i;
    s.save();
    // Code with free variables runs for a function with a closure.
    let function = s.frame().func().or(s.frame().generator());
    let closure = function
        .and_then(|f| f.downcast_exact::<Function>())
        .and_then(|f| f.closure.as_ref())
        .filter(|closure| closure.len() == i.w() as usize);
    let Some(closure) = closure else {
        return s.raise(s.vm.system_error("code with free variables without its closure"));
    };
    for (n, cell) in closure.as_slice().iter().enumerate() {
        s.regs.set(i.a() + n as u16, cell.clone());
    }
    s.next()
}

#[handler(apart)]
pub(super) fn make_function(s: Apart<'_>) -> Exit {
    let i = s.i;
    s.save();
    let mut at = i.c();
    let mut next = |bit: u8| {
        if i.k() & bit == 0 {
            return None;
        }
        at += 1;
        let part = at - 1;
        if s.is_temporary(part) {
            s.regs.take(part)
        } else {
            s.regs.opt(part).cloned()
        }
    };
    let parts = [next(1), next(2), next(4 | 16), next(8)];
    let made =
        s.vm.make_function(s.constant(u32::from(i.b())), s.frame().globals(), parts);
    let function = check!(s, made);
    s.set(i.a(), function)
}

/// `super().name`, with the method's receiver apart if it is one (`METHOD`).
#[handler(apart)]
pub(super) fn load_super<const METHOD: bool>(s: Apart<'_>) -> Exit {
    let (i, behind) = (s.i, s.skip(1));
    behind.save();
    let name = &s.code().names[i.c() as usize];
    let (global, class, this) = (s.get(i.b()), s.get(i.b() + 1), s.get(i.b() + 2));
    let plain = if METHOD {
        s.vm.plain_super_method(global, class, this, name)
    } else {
        None
    };
    let (value, with_self) = match plain {
        Some(method) => (method, true),
        None => check!(s, s.vm.load_super(global, class, this, name, METHOD, i.k() != 0)),
    };
    let this = if METHOD && with_self { Some(this.clone()) } else { None };
    for n in 0..3 {
        s.kill(i.b() + n);
    }
    s.regs.set(i.a(), value);
    if METHOD {
        match this {
            Some(this) => s.regs.set(i.a() + 1, this),
            None => s.regs.clear(i.a() + 1),
        }
    }
    behind.next()
}

impl Vm {
    /// The function that `super().name(...)` calls with its receiver, an instance of a class, where no code has to be asked.
    fn plain_super_method(&self, global: &Value, class: &Value, this: &Value, name: &Py<Str>) -> Option<Value> {
        if !global.is(Super::ty().as_value()) || name.is_text("__class__") {
            return None;
        }
        let ty = this.ty();
        if ty.has_flag(TypeFlags::TYPE_SUBCLASS) {
            return None;
        }
        // SAFETY: orders are replaced with the world stopped alone, and nothing here runs code: it stays the class's.
        let order = unsafe { ty.mro.peek() }?.as_slice();
        let at = order.iter().position(|t| t.is(class))?;
        let found = order[at + 1..]
            .iter()
            .find_map(|t| t.downcast::<Type>()?.dict().get_str(name))?;
        found.ty().has_flag(TypeFlags::METHOD_DESCRIPTOR).then_some(found)
    }
}
