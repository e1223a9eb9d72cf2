//! The object protocol: what operators and builtin functions do with any object.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use lisle_bytecode::opcode::{BinOp, CmpOp};

use crate::intern;
use crate::native::Args;
use crate::object::slots::{BinaryFn, Slots};
use crate::object::{Native, Py, Type, TypeFlags, Value};
use crate::types::async_generator::AsyncGenerator;
use crate::types::common::holds;
use crate::types::coroutine::Coroutine;
use crate::types::dict::Dict;
use crate::types::exceptions;
use crate::types::generator::Generator;
use crate::types::int::Int;
use crate::types::list::List;
use crate::types::number_text::decimal;
use crate::types::str::Str;
use crate::types::tuple::Tuple;
use crate::vm::{Exc, Res, Vm};

/// Ends a recursion that [`Vm::enter_recursive`] began.
pub struct RecursionGuard<'a>(&'a Vm);

impl Drop for RecursionGuard<'_> {
    fn drop(&mut self) {
        self.0.recursion.set(self.0.recursion.get() - 1);
    }
}

/// Ends a `repr` that [`Vm::repr_enter`] began.
pub struct ReprGuard<'a>(&'a Vm, u64);

impl Drop for ReprGuard<'_> {
    fn drop(&mut self) {
        let mut stack = self.0.repr_stack.borrow_mut();
        if let Some(i) = stack.iter().rposition(|&b| b == self.1) {
            stack.remove(i);
        }
    }
}

impl Vm {
    /// To be held by every native that can call itself through Python objects. `what` completes the message.
    #[inline]
    pub fn enter_recursive(&self, what: &str) -> Res<RecursionGuard<'_>> {
        let depth = self.recursion.get();
        if depth >= self.recursion_limit() || !crate::threads::stack_remaining_ok(64 * 1024) {
            return Err(self.recursion_error(format!("maximum recursion depth exceeded{what}")));
        }
        self.recursion.set(depth + 1);
        Ok(RecursionGuard(self))
    }

    /// As [`Vm::enter_recursive`] where the depth of Python calls is counted elsewhere: fails when the native stack is nearly used up.
    #[inline(always)]
    pub fn check_stack(&self) -> Res<()> {
        // Less than above: what a function calls when it can call no other function has some room.
        if crate::threads::stack_remaining_ok(32 * 1024) {
            Ok(())
        } else {
            Err(self.stack_used_up())
        }
    }

    #[cold]
    #[inline(never)]
    fn stack_used_up(&self) -> Exc {
        self.recursion_error("maximum recursion depth exceeded".to_owned())
    }

    /// `None` when a `repr` of this object is already under way in this thread.
    pub fn repr_enter(&self, value: &Value) -> Option<ReprGuard<'_>> {
        let bits = value.bits();
        let mut stack = self.repr_stack.borrow_mut();
        if stack.contains(&bits) {
            return None;
        }
        stack.push(bits);
        Some(ReprGuard(self, bits))
    }

    /// `repr(value)`.
    pub fn repr(&self, value: &Value) -> Res<Py<Str>> {
        if let Some(int) = value.as_small_int() {
            return Ok(decimal(int));
        }
        let _guard = self.enter_recursive(" while getting the repr of an object")?;
        let Some(f) = value.ty().slots().repr else {
            return Ok(Str::from_str(&format!(
                "<{} object at {:#x}>",
                value.ty().name(),
                value.bits()
            )));
        };
        let result = f(self, value)?;
        result
            .try_into_py::<Str>()
            .map_err(|r| self.type_error(format!("__repr__ returned non-string (type {})", r.ty().name())))
    }

    /// `str(value)`.
    pub fn str(&self, value: &Value) -> Res<Py<Str>> {
        if let Some(s) = value.downcast_exact::<Str>() {
            return Ok(s.clone());
        }
        if let Some(int) = value.as_small_int() {
            return Ok(decimal(int));
        }
        let Some(f) = value.ty().slots().str else {
            return self.repr(value);
        };
        let _guard = self.enter_recursive(" while getting the str of an object")?;
        let result = f(self, value)?;
        result
            .try_into_py::<Str>()
            .map_err(|r| self.type_error(format!("__str__ returned non-string (type {})", r.ty().name())))
    }

    /// `ascii(value)`.
    pub fn ascii(&self, value: &Value) -> Res<Py<Str>> {
        let text = self.repr(value)?;
        if text.is_ascii() {
            return Ok(text);
        }
        let mut out = String::new();
        for c in text.view().chars() {
            match c {
                0..=0x7f => out.push(c as u8 as char),
                0x80..=0xff => out.push_str(&format!("\\x{c:02x}")),
                0x100..=0xffff => out.push_str(&format!("\\u{c:04x}")),
                _ => out.push_str(&format!("\\U{c:08x}")),
            }
        }
        Ok(Str::from_str(&out))
    }

    /// `hash(value)`.
    #[inline]
    pub fn hash(&self, value: &Value) -> Res<i64> {
        if let Some(s) = value.downcast_exact::<Str>() {
            return Ok(s.hash());
        }
        self.check_stack()?;
        match value.ty().slots().hash {
            Some(f) => f(self, value),
            None => Err(self.type_error(format!("unhashable type: '{}'", value.ty().name()))),
        }
    }

    /// `bool(value)`.
    #[inline]
    pub fn truth(&self, value: &Value) -> Res<bool> {
        if value.is_bool() {
            return Ok(value.is_true());
        }
        if let Some(i) = value.as_small_int() {
            return Ok(i != 0);
        }
        if value.is_none() {
            return Ok(false);
        }
        self.truth_slow(value)
    }

    fn truth_slow(&self, value: &Value) -> Res<bool> {
        if value.is_tagged_float() {
            return Ok(true);
        }
        let slots = value.ty().slots();
        if let Some(f) = slots.bool {
            return f(self, value);
        }
        if let Some(f) = slots.len {
            return Ok(f(self, value)? != 0);
        }
        Ok(true)
    }

    /// `a <op> b`.
    pub fn rich_compare(&self, a: &Value, b: &Value, op: CmpOp) -> Res<Value> {
        let _guard = self.enter_recursive(" in comparison")?;
        let (ta, tb) = (a.ty(), b.ty());
        let (fa, fb) = (ta.slots().richcompare, tb.slots().richcompare);
        let mut tried = false;
        if ta.as_ptr() != tb.as_ptr()
            && let Some(f) = fb
            && tb.is_subclass(ta)
        {
            tried = true;
            let result = f(self, b, a, op.swapped())?;
            if !result.is_not_implemented() {
                return Ok(result);
            }
        }
        if let Some(f) = fa {
            let result = f(self, a, b, op)?;
            if !result.is_not_implemented() {
                return Ok(result);
            }
        }
        if !tried && let Some(f) = fb {
            let result = f(self, b, a, op.swapped())?;
            if !result.is_not_implemented() {
                return Ok(result);
            }
        }
        match op {
            CmpOp::Eq => Ok(Value::from_bool(a.is(b))),
            CmpOp::Ne => Ok(Value::from_bool(!a.is(b))),
            _ => Err(self.type_error(format!(
                "'{}' not supported between instances of '{}' and '{}'",
                op.symbol(),
                a.ty().name(),
                b.ty().name()
            ))),
        }
    }

    /// The order of two floats or small ints, where that needs no objects.
    #[inline]
    pub fn compare_plainly(a: &Value, b: &Value, op: CmpOp) -> Option<bool> {
        if let (Some(a), Some(b)) = (a.as_small_int(), b.as_small_int()) {
            return Some(holds(op, a, b));
        }
        if !a.is_tagged_float() || !b.is_tagged_float() {
            return None;
        }
        Some(holds(op, a.tagged_float(), b.tagged_float()))
    }

    /// Truth of `a <op> b`, as sorting and `min` ask for it.
    #[inline]
    pub fn ordered(&self, a: &Value, b: &Value, op: CmpOp) -> Res<bool> {
        if let Some(known) = Vm::compare_plainly(a, b, op) {
            return Ok(known);
        }
        let tuples = a.downcast_exact::<Tuple>().zip(b.downcast_exact::<Tuple>());
        let result = match tuples {
            Some((a, b)) => crate::types::tuple::compare_items(self, a.as_slice(), b.as_slice(), op)?,
            None => self.rich_compare(a, b, op)?,
        };
        if result.is_bool() {
            return Ok(result.is_true());
        }
        self.truth(&result)
    }

    /// Truth of `a <op> b`; identical objects count as equal.
    pub fn compare_bool(&self, a: &Value, b: &Value, op: CmpOp) -> Res<bool> {
        if a.is(b) {
            match op {
                CmpOp::Eq => return Ok(true),
                CmpOp::Ne => return Ok(false),
                _ => {}
            }
        }
        self.ordered(a, b, op)
    }

    /// `a is b or a == b`.
    #[inline]
    pub fn eq(&self, a: &Value, b: &Value) -> Res<bool> {
        if a.is(b) {
            return Ok(true);
        }
        if a.is_small_int() && b.is_small_int() || a.is_bool() && b.is_bool() {
            return Ok(false);
        }
        if let (Some(a), Some(b)) = (a.downcast_exact::<Str>(), b.downcast_exact::<Str>()) {
            return Ok(a.text_eq(b));
        }
        self.compare_bool(a, b, CmpOp::Eq)
    }

    /// `iter(value)`.
    #[inline]
    pub fn iter(&self, value: &Value) -> Res<Value> {
        self.check_stack()?;
        let slots = value.ty().slots();
        if let Some(f) = slots.iter {
            let iter = f(self, value)?;
            if iter.ty().slots().next.is_none() {
                return Err(self.type_error(format!("iter() returned non-iterator of type '{}'", iter.ty().name())));
            }
            return Ok(iter);
        }
        if slots.getitem.is_some() && !value.ty().has_flag(TypeFlags::DICT_SUBCLASS.union(TypeFlags::MAPPING)) {
            return Ok(crate::types::seq_iter::SequenceIterator::new_value(value));
        }
        Err(self.type_error(format!("'{}' object is not iterable", value.ty().name())))
    }

    /// `next(iter)`; `None` when exhausted.
    ///
    /// A loop in native code over native iterators has no other safepoint: here it can be interrupted and stopped, but gives up the
    /// GIL for nothing else, so that `list(d)` stays one step.
    #[inline]
    pub fn next(&self, iter: &Value) -> Res<Option<Value>> {
        match self.next_or_end(iter) {
            // What a generator returns is nobody's here.
            Err(exc) if exc.is_instance(exceptions::STOP_ITERATION.get()) => Ok(None),
            result => result,
        }
    }

    /// As [`Vm::next`]; the end may be the error StopIteration, with a value.
    pub fn next_or_end(&self, iter: &Value) -> Res<Option<Value>> {
        self.native_safepoint()?;
        // Iterators may be nested as deep as a program likes.
        self.check_stack()?;
        match iter.ty().slots().next {
            Some(f) => f(self, iter),
            None => Err(self.type_error(format!("'{}' object is not an iterator", iter.ty().name()))),
        }
    }

    /// Calls `f` with each item.
    pub fn for_each(&self, iterable: &Value, mut f: impl FnMut(Value) -> Res<()>) -> Res<()> {
        let mut each = self.each(iterable)?;
        while let Some(item) = each.next(self)? {
            f(item)?;
        }
        Ok(())
    }

    /// All items.
    pub fn collect(&self, iterable: &Value) -> Res<Vec<Value>> {
        if let Some(tuple) = iterable.downcast_exact::<Tuple>() {
            let mut items = Vec::new();
            items.try_reserve_exact(tuple.len()).map_err(|_| self.memory_error())?;
            items.extend_from_slice(tuple.as_slice());
            return Ok(items);
        }
        if let Some(list) = iterable.downcast_exact::<List>() {
            return list.try_snapshot(self);
        }
        if let Some(items) = crate::types::list::known_items(self, iterable)? {
            return Ok(items);
        }
        let mut items = Vec::new();
        let hint = self.length_hint(iterable, 0)?;
        let _ = items.try_reserve(hint.min(1 << 20));
        let mut each = self.each(iterable)?;
        while let Some(item) = each.next(self)? {
            if items.len() == items.capacity() && items.try_reserve(items.len().max(8)).is_err() {
                return Err(self.memory_error());
            }
            items.push(item);
        }
        Ok(items)
    }

    /// `operator.length_hint(value, default)`.
    pub fn length_hint(&self, value: &Value, default: usize) -> Res<usize> {
        if let Some(f) = value.ty().slots().len {
            match f(self, value) {
                Ok(n) => return Ok(n),
                Err(exc) if exc.is_instance(exceptions::TYPE_ERROR.get()) => {}
                Err(exc) => return Err(exc),
            }
        }
        match self.call_special_opt(value, intern!("__length_hint__"), &[]) {
            Ok(None) => Ok(default),
            Ok(Some(result)) if result.is_not_implemented() => Ok(default),
            Ok(Some(result)) => {
                if self.int_value(&result).is_none() {
                    let name = result.ty().name();
                    return Err(self.type_error(format!("__length_hint__ must be an integer, not {name}")));
                }
                let n = self.index_to_isize(&result)?;
                usize::try_from(n).map_err(|_| self.value_error("__length_hint__() should return >= 0"))
            }
            Err(exc) if exc.is_instance(exceptions::TYPE_ERROR.get()) => Ok(default),
            Err(exc) => Err(exc),
        }
    }

    /// `len(value)`.
    pub fn len(&self, value: &Value) -> Res<usize> {
        self.check_stack()?;
        match value.ty().slots().len {
            Some(f) => f(self, value),
            None => Err(self.type_error(format!("object of type '{}' has no len()", value.ty().name()))),
        }
    }

    /// What `__len__` returned, as a length.
    pub fn length_from(&self, result: &Value) -> Res<usize> {
        let index = self.index(result)?;
        if let Some(n) = index.as_small_int() {
            return usize::try_from(n).map_err(|_| self.value_error("__len__() should return >= 0"));
        }
        let negative = self.int_value(&index).is_some_and(|i| i.is_negative());
        if negative {
            return Err(self.value_error("__len__() should return >= 0"));
        }
        self.index_to_isize(&index)
            .map(|n| n as usize)
            .map_err(|_| self.overflow_error("cannot fit 'int' into an index-sized integer"))
    }

    /// `obj[key]`.
    pub fn getitem(&self, obj: &Value, key: &Value) -> Res<Value> {
        self.check_stack()?;
        if let Some(f) = obj.ty().slots().getitem {
            return f(self, obj, key);
        }
        if let Some(cls) = obj.downcast::<Type>() {
            if cls.is(Type::ty()) {
                return Ok(crate::types::generic_alias::GenericAlias::new_value(self, obj, key));
            }
            if let Some(f) = self.getattr_opt(obj, intern!("__class_getitem__"))?
                && !f.is_none()
            {
                return self.call(&f, std::slice::from_ref(key));
            }
            return Err(self.type_error(format!("type '{}' is not subscriptable", cls.name())));
        }
        Err(self.type_error(format!("'{}' object is not subscriptable", obj.ty().name())))
    }

    /// `obj[key] = value`.
    pub fn setitem(&self, obj: &Value, key: &Value, value: &Value) -> Res<()> {
        match obj.ty().slots().setitem {
            Some(f) => f(self, obj, key, Some(value)),
            None => Err(self.type_error(format!("'{}' object does not support item assignment", obj.ty().name()))),
        }
    }

    /// `del obj[key]`.
    pub fn delitem(&self, obj: &Value, key: &Value) -> Res<()> {
        match obj.ty().slots().setitem {
            Some(f) => f(self, obj, key, None),
            None => {
                // CPython asks whatever counts as a sequence in other words, if the key is an index.
                let slots = obj.ty().slots();
                let sequence = obj.ty().has_flag(TypeFlags::HEAP) || slots.contains.is_some() || slots.len.is_some();
                let words = match sequence && key.ty().slots().index.is_some() {
                    true => "doesn't",
                    false => "does not",
                };
                let name = obj.ty().name();
                Err(self.type_error(format!("'{name}' object {words} support item deletion")))
            }
        }
    }

    /// `item in container`.
    pub fn contains(&self, container: &Value, item: &Value) -> Res<bool> {
        self.check_stack()?;
        match container.ty().slots().contains {
            Some(f) => f(self, container, item),
            None => self.contains_by_iteration(container, item),
        }
    }

    /// `item in container` for objects that can only be iterated.
    pub fn contains_by_iteration(&self, container: &Value, item: &Value) -> Res<bool> {
        let slots = container.ty().slots();
        if slots.iter.is_none() && slots.getitem.is_none() {
            return Err(self.type_error(format!(
                "argument of type '{}' is not a container or iterable",
                container.ty().name()
            )));
        }
        let iter = self.iter(container)?;
        while let Some(found) = self.next(&iter)? {
            if self.eq(&found, item)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// `operator.index(value)`: an int (of exact type, or a subclass as it came).
    pub fn index(&self, value: &Value) -> Res<Value> {
        if value.is_small_int() || value.is_bool() || value.downcast::<Int>().is_some() {
            return Ok(value.clone());
        }
        let Some(f) = value.ty().slots().index else {
            return Err(self.type_error(format!(
                "'{}' object cannot be interpreted as an integer",
                value.ty().name()
            )));
        };
        let result = f(self, value)?;
        if result.is_small_int() || result.downcast_exact::<Int>().is_some() {
            return Ok(result);
        }
        let found = result.ty().name();
        if self.int_value(&result).is_none() {
            return Err(self.type_error(format!("__index__ returned non-int (type {found})")));
        }
        self.warn(
            exceptions::DEPRECATION_WARNING.get(),
            &format!(
                "__index__ returned non-int (type {found}).  The ability to return an instance of a strict subclass of int is deprecated, and may not be allowed in a future version of Python."
            ),
            1,
        )?;
        Ok(crate::types::int::exact(&result))
    }

    /// An index into a sequence; IndexError when it does not fit.
    pub fn index_to_isize(&self, value: &Value) -> Res<isize> {
        if let Some(i) = value.as_small_int() {
            return Ok(i as isize);
        }
        let index = self.index(value)?;
        match self.int_value(&index).and_then(|i| i.to_i64()) {
            Some(i) => Ok(i as isize),
            None => Err(self.index_error(format!(
                "cannot fit '{}' into an index-sized integer",
                value.ty().name()
            ))),
        }
    }

    /// An index that is cut off at the ends of the range (slices).
    pub fn index_clamped(&self, value: &Value) -> Res<isize> {
        if let Some(i) = value.as_small_int() {
            return Ok(i as isize);
        }
        let index = self.index(value)?;
        let Some(i) = self.int_value(&index) else { return Ok(0) };
        Ok(i.to_i64()
            .map_or(if i.is_negative() { isize::MIN } else { isize::MAX }, |i| i as isize))
    }

    /// An integer argument; OverflowError when it does not fit.
    pub fn index_to_i64(&self, value: &Value) -> Res<i64> {
        if let Some(i) = value.as_small_int() {
            return Ok(i);
        }
        let index = self.index(value)?;
        match self.int_value(&index).and_then(|i| i.to_i64()) {
            Some(i) => Ok(i),
            None => Err(self.overflow_error("Python int too large to convert to C long")),
        }
    }

    /// `a <op> b`.
    pub fn binary(&self, op: BinOp, a: &Value, b: &Value) -> Res<Value> {
        self.check_stack()?;
        let result = self.binary_slots(op, a, b)?;
        if !result.is_not_implemented() {
            return Ok(result);
        }
        match op {
            BinOp::Add => {
                if let Some(f) = a.ty().slots().concat {
                    return f(self, a, b);
                }
            }
            BinOp::Mul => {
                if let Some(f) = a.ty().slots().repeat {
                    return self.repeat(f, a, b);
                }
                if let Some(f) = b.ty().slots().repeat {
                    return self.repeat(f, b, a);
                }
            }
            _ => {}
        }
        Err(self.operand_error(op.symbol(), op, a, b))
    }

    fn repeat(&self, f: crate::object::slots::RepeatFn, seq: &Value, n: &Value) -> Res<Value> {
        if n.ty().slots().index.is_none() && !n.is_small_int() {
            return Err(self.type_error(format!(
                "can't multiply sequence by non-int of type '{}'",
                n.ty().name()
            )));
        }
        let index = self.index(n)?;
        let Some(i) = self.int_value(&index).and_then(|i| i.to_i64()) else {
            return Err(self.overflow_error("cannot fit 'int' into an index-sized integer"));
        };
        f(self, seq, i as isize)
    }

    fn operand_error(&self, symbol: &str, op: BinOp, a: &Value, b: &Value) -> crate::vm::Exc {
        let (ta, tb) = (a.ty().name(), b.ty().name());
        if op == BinOp::RShift
            && let Some(f) = a.downcast_exact::<crate::types::native_function::NativeFunction>()
            && f.def.name == "print"
        {
            return self.type_error(format!(
                "unsupported operand type(s) for {symbol}: '{ta}' and '{tb}'. Did you mean \"print(<message>, file=<output_stream>)\"?"
            ));
        }
        let symbol = if symbol == "**" { "** or pow()" } else { symbol };
        self.type_error(format!("unsupported operand type(s) for {symbol}: '{ta}' and '{tb}'"))
    }

    fn binary_slots(&self, op: BinOp, a: &Value, b: &Value) -> Res<Value> {
        let get = binary_slot(op);
        let (ta, tb) = (a.ty(), b.ty());
        if op == BinOp::Pow {
            return self.pow_slots(a, b, None);
        }
        let fa = get(ta.slots());
        let fb = if ta.as_ptr() == tb.as_ptr() {
            None
        } else {
            get(tb.slots())
        };
        let fb = fb.filter(|f| fa.is_none_or(|g| g as usize != *f as usize));
        if let (Some(fa), Some(fb)) = (fa, fb) {
            if tb.is_subclass(ta) {
                let result = fb(self, a, b)?;
                if !result.is_not_implemented() {
                    return Ok(result);
                }
                return fa(self, a, b);
            }
            let result = fa(self, a, b)?;
            if !result.is_not_implemented() {
                return Ok(result);
            }
            return fb(self, a, b);
        }
        match fa.or(fb) {
            Some(f) => f(self, a, b),
            None => Ok(Value::NOT_IMPLEMENTED),
        }
    }

    fn pow_slots(&self, a: &Value, b: &Value, modulus: Option<&Value>) -> Res<Value> {
        let (ta, tb) = (a.ty(), b.ty());
        let fa = ta.slots().pow;
        let fb = if ta.as_ptr() == tb.as_ptr() {
            None
        } else {
            tb.slots().pow
        };
        let fb = fb.filter(|f| fa.is_none_or(|g| g as usize != *f as usize));
        if let (Some(_), Some(fb)) = (fa, fb)
            && tb.is_subclass(ta)
        {
            let result = fb(self, a, b, modulus)?;
            if !result.is_not_implemented() {
                return Ok(result);
            }
        }
        if let Some(fa) = fa {
            let result = fa(self, a, b, modulus)?;
            if !result.is_not_implemented() {
                return Ok(result);
            }
        }
        if let Some(fb) = fb {
            return fb(self, a, b, modulus);
        }
        if let Some(m) = modulus
            && let Some(fm) = m.ty().slots().pow
        {
            return fm(self, a, b, modulus);
        }
        Ok(Value::NOT_IMPLEMENTED)
    }

    /// `pow(a, b, modulus)`.
    pub fn pow(&self, a: &Value, b: &Value, modulus: Option<&Value>) -> Res<Value> {
        let result = self.pow_slots(a, b, modulus)?;
        if !result.is_not_implemented() {
            return Ok(result);
        }
        match modulus {
            None => Err(self.operand_error("**", BinOp::Pow, a, b)),
            Some(m) => Err(self.type_error(format!(
                "unsupported operand type(s) for ** or pow(): '{}', '{}', '{}'",
                a.ty().name(),
                b.ty().name(),
                m.ty().name()
            ))),
        }
    }

    /// `divmod(a, b)`.
    pub fn divmod(&self, a: &Value, b: &Value) -> Res<Value> {
        let (ta, tb) = (a.ty(), b.ty());
        let fa = ta.slots().divmod;
        let fb = tb
            .slots()
            .divmod
            .filter(|f| fa.is_none_or(|g| g as usize != *f as usize));
        let order: [Option<BinaryFn>; 2] = if fb.is_some() && ta.as_ptr() != tb.as_ptr() && tb.is_subclass(ta) {
            [fb, fa]
        } else {
            [fa, fb]
        };
        for f in order.into_iter().flatten() {
            let result = f(self, a, b)?;
            if !result.is_not_implemented() {
                return Ok(result);
            }
        }
        Err(self.type_error(format!(
            "unsupported operand type(s) for divmod(): '{}' and '{}'",
            ta.name(),
            tb.name()
        )))
    }

    /// `a <op>= b`: the value to store.
    pub fn inplace(&self, op: BinOp, a: &Value, b: &Value) -> Res<Value> {
        let slots = a.ty().slots();
        let f = inplace_slot(op)(slots);
        if let Some(f) = f {
            let result = f(self, a, b)?;
            if !result.is_not_implemented() {
                return Ok(result);
            }
        }
        let result = self.binary_slots(op, a, b)?;
        if !result.is_not_implemented() {
            return Ok(result);
        }
        match op {
            BinOp::Add => {
                if let Some(f) = slots.inplace_concat.or(slots.concat) {
                    return f(self, a, b);
                }
            }
            BinOp::Mul => {
                if let Some(f) = slots.inplace_repeat.or(slots.repeat) {
                    return self.repeat(f, a, b);
                }
                if let Some(f) = b.ty().slots().repeat {
                    return self.repeat(f, b, a);
                }
            }
            _ => {}
        }
        Err(self.operand_error(&format!("{}=", op.symbol()), op, a, b))
    }

    /// `-a`, `+a`, `~a`: the slot and the operator for the message.
    pub fn unary(
        &self,
        a: &Value,
        get: fn(&Slots) -> Option<crate::object::slots::UnaryFn>,
        symbol: &str,
    ) -> Res<Value> {
        match get(a.ty().slots()) {
            Some(f) => f(self, a),
            None => Err(self.type_error(format!("bad operand type for unary {symbol}: '{}'", a.ty().name()))),
        }
    }

    /// `isinstance(obj, cls)`.
    pub fn isinstance(&self, obj: &Value, cls: &Value) -> Res<bool> {
        if obj.ty().as_value().is(cls) {
            return Ok(true);
        }
        if cls.has_type(Type::ty())
            && let Some(c) = cls.downcast::<Type>()
        {
            return self.recursive_isinstance(obj, cls, Some(c));
        }
        if let Some(tuple) = cls.downcast::<Tuple>() {
            let _guard = self.enter_recursive(" in __instancecheck__")?;
            for c in tuple.as_slice() {
                if self.isinstance(obj, c)? {
                    return Ok(true);
                }
            }
            return Ok(false);
        }
        if let Some(result) = {
            let _guard = self.enter_recursive(" in __instancecheck__")?;
            self.call_special_opt(cls, intern!("__instancecheck__"), &[obj])?
        } {
            return self.truth(&result);
        }
        self.recursive_isinstance(obj, cls, cls.downcast::<Type>())
    }

    /// `isinstance` where no code is asked; `None` where it may be.
    #[inline(never)]
    pub(crate) fn isinstance_plainly(&self, obj: &Value, cls: &Value) -> Option<bool> {
        let ty = obj.ty();
        let mut told = false;
        let mut ask = |cls: &Value| {
            if ty.as_value().is(cls) {
                return Some(true);
            }
            if !cls.has_type(Type::ty()) {
                return None;
            }
            if ty.is_subclass(cls.downcast::<Type>()?) {
                return Some(true);
            }
            if !told && !self.has_usual_class(ty) {
                return None;
            }
            told = true;
            Some(false)
        };
        match cls.downcast_exact::<Tuple>() {
            Some(classes) => {
                for cls in classes.as_slice() {
                    if ask(cls)? {
                        return Some(true);
                    }
                }
                Some(false)
            }
            None => ask(cls),
        }
    }

    /// Whether the class of instances is what `object` says: their type.
    fn has_usual_class(&self, ty: &Py<Type>) -> bool {
        if ty.has_usual_class() {
            return true;
        }
        let version = ty.version();
        let usual = ty.finds_generically()
            && ty
                .lookup(self, intern!("__class__"))
                .is_some_and(|said| self.is_usual_class(&said));
        if usual {
            ty.set_usual_class(version);
        }
        usual
    }

    /// Whether the descriptor is the `__class__` of `object`.
    pub(crate) fn is_usual_class(&self, found: &Value) -> bool {
        // The word of the descriptor, 0 before the first question. Nobody can change what `object` has, so that threads that ask at once find the same.
        static USUAL: AtomicU64 = AtomicU64::new(0);
        let mut usual = USUAL.load(Relaxed);
        if usual == 0 {
            let object = crate::types::object::Object::ty();
            usual = object.lookup(self, intern!("__class__")).map_or(0, |said| said.bits());
            USUAL.store(usual, Relaxed);
        }
        found.bits() == usual
    }

    /// `isinstance` without `__instancecheck__`.
    pub fn recursive_isinstance(&self, obj: &Value, cls: &Value, as_type: Option<&Py<Type>>) -> Res<bool> {
        if let Some(c) = as_type {
            if obj.ty().is_subclass(c) {
                return Ok(true);
            }
            if self.has_usual_class(obj.ty()) {
                return Ok(false);
            }
            return match self.getattr_opt(obj, intern!("__class__"))? {
                Some(class) if !class.is(obj.ty().as_value()) => {
                    Ok(class.downcast::<Type>().is_some_and(|t| t.is_subclass(c)))
                }
                _ => Ok(false),
            };
        }
        self.check_class(cls, "isinstance() arg 2 must be a type, a tuple of types, or a union")?;
        match self.getattr_opt(obj, intern!("__class__"))? {
            Some(class) => self.abstract_issubclass(&class, cls),
            None => Ok(false),
        }
    }

    fn check_class(&self, cls: &Value, message: &str) -> Res<()> {
        match self.getattr_opt(cls, intern!("__bases__"))? {
            Some(bases) if bases.downcast::<Tuple>().is_some() => Ok(()),
            _ => Err(self.type_error(message)),
        }
    }

    fn abstract_issubclass(&self, derived: &Value, cls: &Value) -> Res<bool> {
        if derived.is(cls) {
            return Ok(true);
        }
        let _guard = self.enter_recursive(" in __subclasscheck__")?;
        match self.getattr_opt(derived, intern!("__bases__"))? {
            Some(bases) => {
                let Some(bases) = bases.downcast::<Tuple>() else {
                    return Ok(false);
                };
                for base in bases.as_slice() {
                    if self.abstract_issubclass(base, cls)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            None => Ok(false),
        }
    }

    /// `issubclass(derived, cls)`.
    pub fn issubclass(&self, derived: &Value, cls: &Value) -> Res<bool> {
        if cls.has_type(Type::ty()) {
            if derived.is(cls) {
                return Ok(true);
            }
            return self.recursive_issubclass(derived, cls);
        }
        if let Some(tuple) = cls.downcast::<Tuple>() {
            let _guard = self.enter_recursive(" in __subclasscheck__")?;
            for c in tuple.as_slice() {
                if self.issubclass(derived, c)? {
                    return Ok(true);
                }
            }
            return Ok(false);
        }
        if let Some(result) = {
            let _guard = self.enter_recursive(" in __subclasscheck__")?;
            self.call_special_opt(cls, intern!("__subclasscheck__"), &[derived])?
        } {
            return self.truth(&result);
        }
        self.recursive_issubclass(derived, cls)
    }

    /// `issubclass` without `__subclasscheck__`.
    pub fn recursive_issubclass(&self, derived: &Value, cls: &Value) -> Res<bool> {
        if let (Some(d), Some(c)) = (derived.downcast::<Type>(), cls.downcast::<Type>()) {
            return Ok(d.is_subclass(c));
        }
        self.check_class(derived, "issubclass() arg 1 must be a class")?;
        self.check_class(
            cls,
            "issubclass() arg 2 must be a class, a tuple of classes, or a union",
        )?;
        self.abstract_issubclass(derived, cls)
    }

    /// `format(value, spec)`.
    pub fn format(&self, value: &Value, spec: &Py<Str>) -> Res<Py<Str>> {
        if spec.is_empty() {
            if let Some(s) = value.downcast_exact::<Str>() {
                return Ok(s.clone());
            }
            if value.is_small_int() {
                return self.str(value);
            }
        }
        if let Some(text) = crate::types::number_text::format_plain(value, spec) {
            return Ok(text);
        }
        let result = self.call_special(value, intern!("__format__"), &[spec.as_value()])?;
        result
            .try_into_py::<Str>()
            .map_err(|r| self.type_error(format!("__format__ must return a str, not {}", r.ty().name())))
    }

    /// Whether `callable(value)`.
    pub fn is_callable(&self, value: &Value) -> bool {
        value.ty().slots().call.is_some()
    }

    /// The special method `name` of the value's type, bound: function and whether the receiver is still to be prepended.
    pub fn lookup_special(&self, value: &Value, name: &Py<Str>) -> Res<Option<(Value, bool)>> {
        let Some(found) = value.ty().lookup(self, name) else {
            return Ok(None);
        };
        if found.ty().has_flag(TypeFlags::METHOD_DESCRIPTOR) {
            return Ok(Some((found, true)));
        }
        match found.ty().slots().descr_get {
            Some(get) => {
                let owner = value.ty().clone();
                Ok(Some((get(self, &found, Some(value), Some(owner.as_value()))?, false)))
            }
            None => Ok(Some((found, false))),
        }
    }

    /// Calls the special method `name` of the value's type, if it has one.
    pub fn call_special_opt(&self, value: &Value, name: &Py<Str>, args: &[&Value]) -> Res<Option<Value>> {
        let Some((f, prepend)) = self.lookup_special(value, name)? else {
            return Ok(None);
        };
        if prepend && args.is_empty() {
            return self.call_prepended(&f, value, Args::NONE).map(Some);
        }
        let mut buffer: smallvec::SmallVec<[Value; 4]> = smallvec::SmallVec::new();
        if prepend {
            buffer.push(value.clone());
        }
        buffer.extend(args.iter().map(|&a| a.clone()));
        self.call(&f, &buffer).map(Some)
    }

    /// Calls the special method `name` of the value's type; AttributeError if it has none.
    pub fn call_special(&self, value: &Value, name: &Py<Str>, args: &[&Value]) -> Res<Value> {
        match self.call_special_opt(value, name, args)? {
            Some(result) => Ok(result),
            None => Err(self.attribute_error_for(value, name)),
        }
    }

    /// As [`Vm::call_special`] with a full argument list.
    pub fn call_special_args(&self, value: &Value, name: &Py<Str>, args: Args<'_>) -> Res<Value> {
        match self.lookup_special(value, name)? {
            Some((f, true)) => self.call_prepended(&f, value, args),
            Some((f, false)) => self.call_args(&f, args),
            None => Err(self.attribute_error_for(value, name)),
        }
    }

    /// `obj.name(*args)`.
    pub fn call_method(&self, obj: &Value, name: &Py<Str>, args: &[Value]) -> Res<Value> {
        let ty = obj.ty();
        let generic = ty.slots().getattro.map(|f| f as usize)
            == crate::types::object::Object::ty().slots().getattro.map(|f| f as usize);
        if generic
            && let Some(found) = ty.lookup(self, name)
            && found.ty().has_flag(TypeFlags::METHOD_DESCRIPTOR)
            && crate::vm::attributes::instance_attr(self, obj, name)?.is_none()
        {
            return self.call_prepended(&found, obj, Args::new(args));
        }
        let f = self.getattr(obj, name)?;
        self.call(&f, args)
    }

    /// Runs a finalizer: errors are reported, not raised.
    pub(crate) fn run_finalizer(&self, finalize: crate::object::slots::FinalizeFn, value: &Value) {
        let saved = self.take_current_error_state();
        if let Err(exc) = finalize(self, value) {
            let closes = value.downcast_exact::<Generator>().is_some()
                || value.downcast_exact::<Coroutine>().is_some()
                || value.downcast_exact::<AsyncGenerator>().is_some();
            match value.ty().lookup(self, intern!("__del__")) {
                _ if closes => self.unraisable_while(exc, "closing generator", value),
                Some(function) => self.unraisable_while(exc, "calling deallocator", &function),
                None => self.unraisable(exc, None, Some(value)),
            }
        }
        self.restore_current_error_state(saved);
    }

    /// Whether every item of `kwargs` has a str key.
    pub fn check_keywords(&self, kwargs: &Py<Dict>) -> Res<()> {
        for key in kwargs.snapshot_keys() {
            if key.downcast::<Str>().is_none() {
                return Err(self.type_error("keywords must be strings"));
            }
        }
        Ok(())
    }
}

/// The slot of a binary operator (not for `**`).
pub fn binary_slot(op: BinOp) -> fn(&Slots) -> Option<BinaryFn> {
    match op {
        BinOp::Add => |s| s.add,
        BinOp::Sub => |s| s.sub,
        BinOp::Mul => |s| s.mul,
        BinOp::MatMul => |s| s.matmul,
        BinOp::TrueDiv => |s| s.truediv,
        BinOp::FloorDiv => |s| s.floordiv,
        BinOp::Mod => |s| s.mod_,
        BinOp::Pow => |_| None,
        BinOp::LShift => |s| s.lshift,
        BinOp::RShift => |s| s.rshift,
        BinOp::And => |s| s.and,
        BinOp::Or => |s| s.or,
        BinOp::Xor => |s| s.xor,
    }
}

fn inplace_slot(op: BinOp) -> fn(&Slots) -> Option<BinaryFn> {
    match op {
        BinOp::Add => |s| s.iadd,
        BinOp::Sub => |s| s.isub,
        BinOp::Mul => |s| s.imul,
        BinOp::MatMul => |s| s.imatmul,
        BinOp::TrueDiv => |s| s.itruediv,
        BinOp::FloorDiv => |s| s.ifloordiv,
        BinOp::Mod => |s| s.imod,
        BinOp::Pow => |s| s.ipow,
        BinOp::LShift => |s| s.ilshift,
        BinOp::RShift => |s| s.irshift,
        BinOp::And => |s| s.iand,
        BinOp::Or => |s| s.ior,
        BinOp::Xor => |s| s.ixor,
    }
}
