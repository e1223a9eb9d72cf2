//! From code values back to plain code objects, to write them out or to change them.

use lisle_bytecode::{CodeObject, Const, Instr, Op, Text};
use num_bigint::Sign;
use std::sync::atomic::Ordering::Relaxed;

use crate::object::{Py, Value};
use crate::types::bytes::Bytes;
use crate::types::code::Code;
use crate::types::complex::Complex;
use crate::types::int::{self, IntRef};
use crate::types::set::FrozenSet;
use crate::types::slice::Slice;
use crate::types::str::Str;
use crate::types::tuple::Tuple;
use crate::vm::{Res, Vm};

/// The plain form of `code`, with empty caches.
pub fn plain(vm: &Vm, code: &Py<Code>) -> Res<CodeObject> {
    let _guard = vm.enter_recursive(" while copying a code object")?;
    let mut plain = code.to_plain();
    plain.consts = code.consts.iter().map(|c| constant(vm, c)).collect::<Res<_>>()?;
    plain.code = code.words.iter().map(|word| word.load(Relaxed)).collect();
    clear_caches(&mut plain.code);
    Ok(plain)
}

/// `code` without its constants in serial form: instructions whole, handlers, positions.
pub fn without_constants(code: &Code) -> Vec<u8> {
    let mut plain = code.to_plain();
    plain.code = code.words.iter().map(|word| word.load(Relaxed)).collect();
    clear_caches(&mut plain.code);
    lisle_bytecode::serialize(&plain)
}

/// Gives `code` and the code objects in it another file, where they had `old`.
pub fn rename(code: &mut CodeObject, old: &str, new: &str) {
    if &*code.filename == old {
        code.filename = new.into();
    }
    for constant in &mut code.consts {
        if let Const::Code(inner) = constant {
            rename(inner, old, new);
        }
    }
}

fn clear_caches(words: &mut [u64]) {
    let mut pc = 0;
    while let Some(&word) = words.get(pc) {
        let op = Instr(word).op();
        let caches = op.cache_words();
        // The second word behind `CallKw` is no cache: it names the keywords.
        let stale = if op == Op::CallKw { 1 } else { caches };
        words.iter_mut().skip(pc + 1).take(stale).for_each(|w| *w = 0);
        pc += 1 + caches;
    }
}

/// The text of a str.
pub fn text(s: &Py<Str>) -> Text {
    match s.view().to_utf8() {
        Some(utf8) => Text::Utf8(utf8.into()),
        None => Text::Points(s.view().chars().collect()),
    }
}

/// The plain form of a constant.
pub fn constant(vm: &Vm, value: &Value) -> Res<Const> {
    let many = |items: &[Value]| items.iter().map(|v| constant(vm, v)).collect::<Res<Box<[Const]>>>();
    Ok(if value.is_none() {
        Const::None
    } else if value.is(&Value::TRUE) {
        Const::True
    } else if value.is(&Value::FALSE) {
        Const::False
    } else if value.is(&Value::ELLIPSIS) {
        Const::Ellipsis
    } else if let Some(x) = value.as_exact_float() {
        Const::Float(x)
    } else if let Some(s) = value.downcast_exact::<Str>() {
        Const::Str(text(s))
    } else if let Some(bytes) = value.downcast_exact::<Bytes>() {
        Const::Bytes(bytes.as_slice().into())
    } else if let Some(tuple) = value.downcast_exact::<Tuple>() {
        let _guard = vm.enter_recursive(" while copying a code object")?;
        Const::Tuple(many(tuple.as_slice())?)
    } else if let Some(code) = value.downcast_exact::<Code>() {
        Const::Code(Box::new(plain(vm, code)?))
    } else if let Some(z) = value.downcast_exact::<Complex>() {
        Const::Complex(z.re, z.im)
    } else if let Some(set) = value.downcast_exact::<FrozenSet>() {
        Const::FrozenSet(many(&set.snapshot())?)
    } else if let Some(slice) = value.downcast_exact::<Slice>() {
        let parts = [&slice.start, &slice.stop, &slice.step];
        let [Ok(a), Ok(b), Ok(c)] = parts.map(|v| constant(vm, v)) else {
            return Err(vm.value_error("unmarshallable object"));
        };
        Const::Slice(Box::new([a, b, c]))
    } else {
        match int::view(value) {
            Some(IntRef::Small(i)) => Const::Int(i),
            Some(IntRef::Big(n)) => {
                let (sign, magnitude) = n.to_bytes_le();
                Const::BigInt {
                    negative: sign == Sign::Minus,
                    magnitude: magnitude.into(),
                }
            }
            None => return Err(vm.value_error("unmarshallable object")),
        }
    })
}
