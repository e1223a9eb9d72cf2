//! Constant folding, with CPython's limits on the size of results.

use lisle_bytecode::{Const, Text};
use num_bigint::{BigInt, Sign};
use num_integer::Integer;
use num_traits::{Signed, ToPrimitive, Zero};
use ruff_python_ast::{Expr, Number, Operator, UnaryOp};

use crate::codegen::Codegen;
use crate::errors::Res;

const MAX_INT_BITS: u64 = 128;
const MAX_TEXT: usize = 4096;
const MAX_ITEMS: usize = 256;
/// Depth of tuples and operators that are looked into.
const MAX_DEPTH: u32 = 64;

/// The value of `e` if it is a constant expression.
pub(crate) fn constant(e: &Expr, cx: &mut Codegen) -> Res<Option<Const>> {
    fold(e, cx, 0)
}

fn fold(e: &Expr, cx: &mut Codegen, depth: u32) -> Res<Option<Const>> {
    if depth > MAX_DEPTH {
        return Ok(None);
    }
    Ok(match e {
        Expr::NoneLiteral(_) => Some(Const::None),
        Expr::BooleanLiteral(b) => Some(boolean(b.value)),
        Expr::EllipsisLiteral(_) => Some(Const::Ellipsis),
        Expr::NumberLiteral(n) => Some(match &n.value {
            Number::Int(i) => match i.as_i64() {
                Some(i) => Const::Int(i),
                None => parse_int(&cx.source[n.range]),
            },
            Number::Float(f) => Const::Float(*f),
            Number::Complex { real, imag } => Const::Complex(*real, *imag),
        }),
        Expr::StringLiteral(s) => Some(Const::Str(cx.string_literal(s)?)),
        Expr::BytesLiteral(b) => Some(Const::Bytes(cx.bytes_literal(b)?)),
        Expr::Name(n) if n.id.as_str() == "__debug__" => Some(boolean(cx.optimize == 0)),
        Expr::Tuple(t) => {
            let mut items = Vec::with_capacity(t.elts.len());
            for e in &t.elts {
                match fold(e, cx, depth + 1)? {
                    Some(item) => items.push(item),
                    None => return Ok(None),
                }
            }
            Some(Const::Tuple(items.into()))
        }
        Expr::UnaryOp(u) => match fold(&u.operand, cx, depth + 1)? {
            Some(value) => unary(u.op, value),
            None => None,
        },
        Expr::BinOp(b) => {
            if !may_fold(&b.left) {
                return Ok(None);
            }
            let Some(right) = fold(&b.right, cx, depth + 1)? else {
                return Ok(None);
            };
            let Some(left) = fold(&b.left, cx, depth + 1)? else {
                return Ok(None);
            };
            binary(b.op, left, right)
        }
        Expr::Subscript(s) => {
            if !matches!(
                &*s.value,
                Expr::StringLiteral(_) | Expr::BytesLiteral(_) | Expr::Tuple(_)
            ) {
                return Ok(None);
            }
            let Some(Const::Int(index)) = fold(&s.slice, cx, depth + 1)? else {
                return Ok(None);
            };
            match fold(&s.value, cx, depth + 1)? {
                Some(value) => item(&value, index),
                None => None,
            }
        }
        Expr::Slice(s) => {
            let mut parts = [Const::None, Const::None, Const::None];
            for (part, bound) in parts.iter_mut().zip([&s.lower, &s.upper, &s.step]) {
                if let Some(bound) = bound {
                    match fold(bound, cx, depth + 1)? {
                        Some(value) => *part = value,
                        None => return Ok(None),
                    }
                }
            }
            Some(Const::Slice(Box::new(parts)))
        }
        _ => None,
    })
}

/// Whether the leftmost operand is a literal.
fn may_fold(mut e: &Expr) -> bool {
    while let Expr::BinOp(b) = e {
        e = &b.left;
    }
    !matches!(
        e,
        Expr::Name(_) | Expr::Attribute(_) | Expr::Call(_) | Expr::FString(_) | Expr::List(_) | Expr::Dict(_)
    )
}

/// The values of `elts` if all of them are constants.
pub(crate) fn constants(elts: &[Expr], cx: &mut Codegen) -> Res<Option<Vec<Const>>> {
    let mut items = Vec::with_capacity(elts.len());
    for e in elts {
        match fold(e, cx, 0)? {
            Some(item) => items.push(item),
            None => return Ok(None),
        }
    }
    Ok(Some(items))
}

/// The constant that a display after `in` becomes: a tuple or a frozenset.
pub(crate) fn membership(e: &Expr, cx: &mut Codegen) -> Res<Option<Const>> {
    Ok(match e {
        Expr::List(l) => constants(&l.elts, cx)?.map(|items| Const::Tuple(items.into())),
        Expr::Set(s) => constants(&s.elts, cx)?.map(|items| Const::FrozenSet(unique(items))),
        _ => None,
    })
}

/// The items of a set without those that are the same constant.
pub(crate) fn unique(items: Vec<Const>) -> Box<[Const]> {
    let mut seen: Vec<Const> = Vec::with_capacity(items.len());
    for item in items {
        if !seen.contains(&item) {
            seen.push(item);
        }
    }
    seen.into()
}

pub(crate) fn boolean(value: bool) -> Const {
    if value { Const::True } else { Const::False }
}

/// `bool(value)`.
pub(crate) fn truth(value: &Const) -> bool {
    match value {
        Const::None | Const::False => false,
        Const::True | Const::Ellipsis | Const::Slice(_) | Const::Code(_) | Const::Packed(_) | Const::BigInt { .. } => {
            true
        }
        Const::Int(i) => *i != 0,
        Const::Float(f) => *f != 0.0,
        Const::Complex(re, im) => *re != 0.0 || *im != 0.0,
        Const::Str(Text::Utf8(s)) => !s.is_empty(),
        Const::Str(Text::Points(p)) => !p.is_empty(),
        Const::Bytes(b) => !b.is_empty(),
        Const::Tuple(t) | Const::FrozenSet(t) => !t.is_empty(),
    }
}

/// An int literal of any base, too large for `i64`.
/// The value of an int literal.
pub(crate) fn parse_int(text: &str) -> Const {
    let digits: String = text.chars().filter(|&c| c != '_').collect();
    let (radix, digits) = match digits.get(..2).map(str::to_ascii_lowercase).as_deref() {
        Some("0x") => (16, &digits[2..]),
        Some("0o") => (8, &digits[2..]),
        Some("0b") => (2, &digits[2..]),
        _ => (10, &*digits),
    };
    int(BigInt::parse_bytes(digits.as_bytes(), radix).unwrap_or_default())
}

fn int(value: BigInt) -> Const {
    match value.to_i64() {
        Some(i) => Const::Int(i),
        None => Const::BigInt {
            negative: value.is_negative(),
            magnitude: value.magnitude().to_bytes_le().into(),
        },
    }
}

fn as_int(value: &Const) -> Option<BigInt> {
    Some(match value {
        Const::Int(i) => BigInt::from(*i),
        Const::True => BigInt::from(1),
        Const::False => BigInt::from(0),
        Const::BigInt { negative, magnitude } => {
            BigInt::from_bytes_le(if *negative { Sign::Minus } else { Sign::Plus }, magnitude)
        }
        _ => return None,
    })
}

fn as_float(value: &Const) -> Option<f64> {
    match value {
        Const::Float(f) => Some(*f),
        // Larger ones may overflow: an error that belongs to the run.
        other => as_int(other)?.to_i64().map(|i| i as f64),
    }
}

fn unary(op: UnaryOp, value: Const) -> Option<Const> {
    match (op, &value) {
        (UnaryOp::Not, _) => Some(boolean(!truth(&value))),
        (UnaryOp::USub, Const::Float(f)) => Some(Const::Float(-f)),
        (UnaryOp::UAdd, Const::Float(_) | Const::Complex(..)) => Some(value),
        (UnaryOp::USub, Const::Complex(re, im)) => Some(Const::Complex(-re, -im)),
        // `~True` warns when it runs.
        (UnaryOp::Invert, Const::True | Const::False) => None,
        _ => {
            let i = as_int(&value)?;
            Some(int(match op {
                UnaryOp::USub => -i,
                UnaryOp::UAdd => i,
                UnaryOp::Invert => -i - 1,
                UnaryOp::Not => return None,
            }))
        }
    }
}

fn binary(op: Operator, left: Const, right: Const) -> Option<Const> {
    if let (Some(a), Some(b)) = (as_int(&left), as_int(&right)) {
        if let (Const::True | Const::False, Const::True | Const::False) = (&left, &right)
            && matches!(op, Operator::BitAnd | Operator::BitOr | Operator::BitXor)
        {
            let (a, b) = (truth(&left), truth(&right));
            return Some(boolean(match op {
                Operator::BitAnd => a & b,
                Operator::BitOr => a | b,
                _ => a ^ b,
            }));
        }
        return int_binary(op, &a, &b);
    }
    match (&left, &right) {
        (Const::Complex(..), _) | (_, Const::Complex(..)) => complex_binary(op, &left, &right),
        (Const::Float(_), _) | (_, Const::Float(_)) => float_binary(op, as_float(&left)?, as_float(&right)?),
        _ => sequence_binary(op, left, right),
    }
}

fn int_binary(op: Operator, a: &BigInt, b: &BigInt) -> Option<Const> {
    Some(match op {
        Operator::Add => int(a + b),
        Operator::Sub => int(a - b),
        Operator::Mult if a.bits() + b.bits() <= MAX_INT_BITS => int(a * b),
        Operator::Div => {
            let limit = 1u64 << 53;
            let (a, b) = (a.to_i64()?, b.to_i64()?);
            if b == 0 || a.unsigned_abs() > limit || b.unsigned_abs() > limit {
                return None;
            }
            Const::Float(a as f64 / b as f64)
        }
        Operator::FloorDiv if !b.is_zero() => int(a.div_floor(b)),
        Operator::Mod if !b.is_zero() => int(a.mod_floor(b)),
        Operator::Pow => {
            let exponent = b.to_u32()?;
            if a.bits() * u64::from(exponent) > MAX_INT_BITS {
                return None;
            }
            int(a.pow(exponent))
        }
        Operator::LShift => {
            let shift = b.to_u64().filter(|&shift| a.bits() + shift <= MAX_INT_BITS)?;
            int(a << shift)
        }
        Operator::RShift => int(a >> b.to_u64()?),
        Operator::BitOr => int(a | b),
        Operator::BitXor => int(a ^ b),
        Operator::BitAnd => int(a & b),
        _ => return None,
    })
}

fn float_binary(op: Operator, a: f64, b: f64) -> Option<Const> {
    Some(Const::Float(match op {
        Operator::Add => a + b,
        Operator::Sub => a - b,
        Operator::Mult => a * b,
        Operator::Div if b != 0.0 => a / b,
        _ => return None,
    }))
}

fn complex_binary(op: Operator, left: &Const, right: &Const) -> Option<Const> {
    // A real operand keeps its missing imaginary part out of the sum (signs of zeros).
    let (re, im) = match (op, left, right) {
        (Operator::Add, Const::Complex(a, b), Const::Complex(c, d)) => (a + c, b + d),
        (Operator::Sub, Const::Complex(a, b), Const::Complex(c, d)) => (a - c, b - d),
        (Operator::Add, Const::Complex(a, b), real) => (a + as_float(real)?, *b),
        (Operator::Sub, Const::Complex(a, b), real) => (a - as_float(real)?, *b),
        (Operator::Add, real, Const::Complex(c, d)) => (as_float(real)? + c, *d),
        (Operator::Sub, real, Const::Complex(c, d)) => (as_float(real)? - c, -d),
        _ => return None,
    };
    Some(Const::Complex(re, im))
}

fn sequence_binary(op: Operator, left: Const, right: Const) -> Option<Const> {
    match (op, left, right) {
        (Operator::Add, Const::Str(a), Const::Str(b)) => {
            (text_len(&a) + text_len(&b) <= MAX_TEXT).then(|| Const::Str(concat(&[a, b])))
        }
        (Operator::Add, Const::Bytes(a), Const::Bytes(b)) => {
            (a.len() + b.len() <= MAX_TEXT).then(|| Const::Bytes([a, b].concat().into()))
        }
        (Operator::Add, Const::Tuple(a), Const::Tuple(b)) => {
            (a.len() + b.len() <= MAX_ITEMS).then(|| Const::Tuple([a, b].concat().into()))
        }
        (Operator::Mult, sequence, Const::Int(n)) | (Operator::Mult, Const::Int(n), sequence) => {
            let n = usize::try_from(n).unwrap_or(0);
            let fits = |len: usize, max: usize| len.checked_mul(n).is_some_and(|size| size <= max);
            // What is empty stays so however often.
            let times = |len: usize| if len == 0 { n.min(1) } else { n };
            match sequence {
                Const::Str(a) if fits(text_len(&a), MAX_TEXT) => {
                    let n = times(text_len(&a));
                    Some(Const::Str(concat(&vec![a; n])))
                }
                Const::Bytes(a) if fits(a.len(), MAX_TEXT) => Some(Const::Bytes(a.repeat(times(a.len())).into())),
                Const::Tuple(a) if fits(a.len(), MAX_ITEMS) => {
                    let n = times(a.len());
                    Some(Const::Tuple(vec![a; n].concat().into()))
                }
                _ => None,
            }
        }
        _ => None,
    }
}

fn text_len(text: &Text) -> usize {
    match text {
        Text::Utf8(s) => s.len(),
        Text::Points(p) => p.len(),
    }
}

/// The texts in a row.
pub(crate) fn concat(parts: &[Text]) -> Text {
    let mut points = Vec::new();
    let mut plain = String::new();
    let simple = parts.iter().all(|p| matches!(p, Text::Utf8(_)));
    for part in parts {
        match part {
            Text::Utf8(s) if simple => plain.push_str(s),
            Text::Utf8(s) => points.extend(s.chars().map(u32::from)),
            Text::Points(p) => points.extend_from_slice(p),
        }
    }
    if simple {
        Text::Utf8(plain.into())
    } else {
        Text::Points(points.into())
    }
}

fn item(value: &Const, index: i64) -> Option<Const> {
    let at = |len: usize| {
        let len = i64::try_from(len).ok()?;
        let index = if index < 0 { index + len } else { index };
        (0..len).contains(&index).then_some(index as usize)
    };
    Some(match value {
        Const::Str(Text::Utf8(s)) => {
            let chars: Vec<char> = s.chars().collect();
            Const::Str(Text::Utf8(chars[at(chars.len())?].to_string().into()))
        }
        Const::Bytes(b) => Const::Int(i64::from(b[at(b.len())?])),
        Const::Tuple(t) => t[at(t.len())?].clone(),
        _ => return None,
    })
}
