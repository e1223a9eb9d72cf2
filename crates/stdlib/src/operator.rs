//! `_operator`: the operators as functions; the callables that fetch items and attributes are in `operator/fetch.rs`.
//!
//! Invariant: nothing here has state.

mod arithmetic;
mod fetch;

use lisle_bytecode::opcode::BinOp;
use lisle_runtime::native::{Args, CmpOp, Res, Value, Vm, pymodule};
use lisle_runtime::types::dict::Dict;
use lisle_runtime::types::str::Str;

use fetch::{AttrGetter, ItemGetter, MethodCaller};

/// Whether concatenation applies.
fn is_sequence(value: &Value) -> bool {
    value.ty().slots().getitem.is_some() && value.downcast::<Dict>().is_none()
}

fn concatenated(vm: &Vm, a: &Value, b: &Value, inplace: bool) -> Res<Value> {
    let slots = a.ty().slots();
    let concat = if inplace {
        slots.inplace_concat.or(slots.concat)
    } else {
        slots.concat
    };
    if let Some(concat) = concat {
        return concat(vm, a, b);
    }
    if is_sequence(a) && is_sequence(b) {
        return if inplace {
            vm.inplace(BinOp::Add, a, b)
        } else {
            vm.binary(BinOp::Add, a, b)
        };
    }
    Err(vm.type_error(format!("'{}' object can't be concatenated", a.ty().name())))
}

/// Whether two byte strings are equal, in a time that depends on their lengths alone.
fn same_bytes(a: &[u8], b: &[u8]) -> bool {
    let differing = if a.len() == b.len() { 0 } else { 1 };
    let differing = a
        .iter()
        .zip(b.iter().chain(std::iter::repeat(&0)))
        .fold(differing, |differing, (a, b)| std::hint::black_box(differing | (a ^ b)));
    differing == 0
}

#[pymodule(
    name = "_operator",
    doc = "Operator interface.\n\nThis module exports a set of functions implemented in C corresponding\nto the intrinsic operators of Python.  For example, operator.add(x, y)\nis equivalent to the expression x+y.",
    types(AttrGetter, ItemGetter, MethodCaller),
    parts(super::arithmetic::module::DEF)
)]
pub mod module {
    use super::*;

    /// Return True if a is true, False otherwise.
    #[pyfunction(sig = "(a, /)")]
    fn truth(_vm: &Vm, a: bool) -> bool {
        a
    }

    /// Same as not a.
    #[pyfunction(sig = "(a, /)")]
    fn not_(_vm: &Vm, a: bool) -> bool {
        !a
    }

    /// Same as a is b.
    #[pyfunction(sig = "(a, b, /)")]
    fn is_(_vm: &Vm, a: &Value, b: &Value) -> bool {
        a.is(b)
    }

    /// Same as a is not b.
    #[pyfunction(sig = "(a, b, /)")]
    fn is_not(_vm: &Vm, a: &Value, b: &Value) -> bool {
        !a.is(b)
    }

    /// Same as a is None.
    #[pyfunction(sig = "(a, /)")]
    fn is_none(_vm: &Vm, a: &Value) -> bool {
        a.is_none()
    }

    /// Same as a is not None.
    #[pyfunction(sig = "(a, /)")]
    fn is_not_none(_vm: &Vm, a: &Value) -> bool {
        !a.is_none()
    }

    /// Same as a < b.
    #[pyfunction(sig = "(a, b, /)")]
    fn lt(vm: &Vm, a: &Value, b: &Value) -> Res<Value> {
        vm.rich_compare(a, b, CmpOp::Lt)
    }

    /// Same as a <= b.
    #[pyfunction(sig = "(a, b, /)")]
    fn le(vm: &Vm, a: &Value, b: &Value) -> Res<Value> {
        vm.rich_compare(a, b, CmpOp::Le)
    }

    /// Same as a == b.
    #[pyfunction(sig = "(a, b, /)")]
    fn eq(vm: &Vm, a: &Value, b: &Value) -> Res<Value> {
        vm.rich_compare(a, b, CmpOp::Eq)
    }

    /// Same as a != b.
    #[pyfunction(sig = "(a, b, /)")]
    fn ne(vm: &Vm, a: &Value, b: &Value) -> Res<Value> {
        vm.rich_compare(a, b, CmpOp::Ne)
    }

    /// Same as a > b.
    #[pyfunction(sig = "(a, b, /)")]
    fn gt(vm: &Vm, a: &Value, b: &Value) -> Res<Value> {
        vm.rich_compare(a, b, CmpOp::Gt)
    }

    /// Same as a >= b.
    #[pyfunction(sig = "(a, b, /)")]
    fn ge(vm: &Vm, a: &Value, b: &Value) -> Res<Value> {
        vm.rich_compare(a, b, CmpOp::Ge)
    }

    /// Same as b in a (note reversed operands).
    #[pyfunction(sig = "(a, b, /)")]
    fn contains(vm: &Vm, a: &Value, b: &Value) -> Res<bool> {
        vm.contains(a, b)
    }

    /// Return the number of items in a which are, or which equal, b.
    #[pyfunction(name = "countOf", sig = "(a, b, /)")]
    fn count_of(vm: &Vm, a: &Value, b: &Value) -> Res<usize> {
        let mut count = 0;
        vm.for_each(&iterated(vm, a)?, |item| {
            count += usize::from(vm.eq(&item, b)?);
            Ok(())
        })?;
        Ok(count)
    }

    /// Return the first index of b in a.
    #[pyfunction(name = "indexOf", sig = "(a, b, /)")]
    fn index_of(vm: &Vm, a: &Value, b: &Value) -> Res<usize> {
        let iterator = iterated(vm, a)?;
        let mut at = 0;
        while let Some(item) = vm.next(&iterator)? {
            if vm.eq(&item, b)? {
                return Ok(at);
            }
            at += 1;
        }
        Err(vm.value_error("sequence.index(x): x not in sequence"))
    }

    fn iterated(vm: &Vm, value: &Value) -> Res<Value> {
        let slots = value.ty().slots();
        if slots.iter.is_none() && slots.getitem.is_none() {
            let name = value.ty().name();
            return Err(vm.type_error(format!("argument of type '{name}' is not a container or iterable")));
        }
        vm.iter(value)
    }

    /// Return an estimate of the number of items in obj.
    ///
    /// This is useful for presizing containers when building from an iterable.
    ///
    /// If the object supports len(), the result will be exact.
    /// Otherwise, it may over- or under-estimate by an arbitrary amount.
    #[pyfunction(sig = "(obj, default=0, /)")]
    fn length_hint(vm: &Vm, obj: &Value, default: isize) -> Res<isize> {
        match vm.length_hint(obj, usize::MAX)? {
            usize::MAX => Ok(default),
            hint => Ok(hint as isize),
        }
    }

    /// Same as a[b].
    #[pyfunction(sig = "(a, b, /)")]
    fn getitem(vm: &Vm, a: &Value, b: &Value) -> Res<Value> {
        vm.getitem(a, b)
    }

    /// Same as a[b] = c.
    #[pyfunction(sig = "(a, b, c, /)")]
    fn setitem(vm: &Vm, a: &Value, b: &Value, c: &Value) -> Res<()> {
        vm.setitem(a, b, c)
    }

    /// Same as del a[b].
    #[pyfunction(sig = "(a, b, /)")]
    fn delitem(vm: &Vm, a: &Value, b: &Value) -> Res<()> {
        vm.delitem(a, b)
    }

    /// Same as obj(*args, **kwargs).
    #[pyfunction(sig = "(obj, /, *args, **kwargs)", raw)]
    fn call(vm: &Vm, args: Args<'_>) -> Res<Value> {
        match args.split_receiver() {
            Some((function, args)) => vm.call_args(function, args),
            None => Err(vm.type_error("call expected at least 1 argument, got 0")),
        }
    }

    /// Same as a + b, for a and b sequences.
    #[pyfunction(sig = "(a, b, /)")]
    fn concat(vm: &Vm, a: &Value, b: &Value) -> Res<Value> {
        concatenated(vm, a, b, false)
    }

    /// Same as a += b, for a and b sequences.
    #[pyfunction(sig = "(a, b, /)")]
    fn iconcat(vm: &Vm, a: &Value, b: &Value) -> Res<Value> {
        concatenated(vm, a, b, true)
    }

    /// Return 'a == b'.
    ///
    /// This function uses an approach designed to prevent
    /// timing analysis, making it appropriate for cryptography.
    ///
    /// a and b must both be of the same type: either str (ASCII only),
    /// or any bytes-like object.
    ///
    /// Note: If a and b are of different lengths, or if an error occurs,
    /// a timing attack could theoretically reveal information about the
    /// types and lengths of a and b--but not their values.
    #[pyfunction(sig = "(a, b, /)")]
    fn _compare_digest(vm: &Vm, a: &Value, b: &Value) -> Res<bool> {
        compare_digest(vm, a, b)
    }
}

/// `hmac.compare_digest`
pub fn compare_digest(vm: &Vm, a: &Value, b: &Value) -> Res<bool> {
    if let (Some(a), Some(b)) = (a.downcast::<Str>(), b.downcast::<Str>()) {
        return match (a.as_ascii(), b.as_ascii()) {
            (Some(a), Some(b)) => Ok(same_bytes(a.as_bytes(), b.as_bytes())),
            _ => Err(vm.type_error("comparing strings with non-ASCII characters is not supported")),
        };
    }
    let bytes = lisle_runtime::types::buffer::bytes_of;
    match (bytes(a), bytes(b)) {
        (Some(a), Some(b)) => Ok(same_bytes(&a, &b)),
        (None, Some(_)) => lisle_runtime::types::buffer::get_bytes(vm, a).map(|_| false),
        (Some(_), None) => lisle_runtime::types::buffer::get_bytes(vm, b).map(|_| false),
        (None, None) => {
            let (a, b) = (a.ty().name(), b.ty().name());
            Err(vm.type_error(format!(
                "unsupported operand types(s) or combination of types: '{a}' and '{b}'"
            )))
        }
    }
}
