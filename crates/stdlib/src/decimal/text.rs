//! Numbers as text and from text.
//!
//! Invariant: what is read here is exact; rounding is the caller's affair.

use lisle_runtime::native::Py;
use lisle_runtime::native::Res;
use lisle_runtime::types::str::Str;

use super::coef::Coef;
use super::number::{Dec, Kind};

/// Exponents beyond this are as good as it: no number of digits brings them back into any range.
const FAR: i64 = 4_000_000_000_000_000_000;

/// Appends the number in scientific notation, or with an exponent that is a multiple of 3.
pub fn write(d: &Dec, engineering: bool, capitals: bool, out: &mut Vec<u8>) -> Res<()> {
    if d.negative {
        out.push(b'-');
    }
    match d.kind {
        Kind::Infinite => {
            out.extend_from_slice(b"Infinity");
            return Ok(());
        }
        Kind::Quiet | Kind::Signaling => {
            out.extend_from_slice(if d.kind == Kind::Quiet { b"NaN" } else { b"sNaN" });
            if !d.coef.is_zero() {
                out.extend_from_slice(&d.coef.to_digits()?);
            }
            return Ok(());
        }
        Kind::Finite => {}
    }
    let count = d.coef.digits();
    out.try_reserve(count as usize + 32)?;
    let start = out.len();
    // Digits in front of the point in the notation without exponent.
    let left = d.exp + count;
    let point = if d.exp <= 0 && left > -6 {
        left
    } else if !engineering {
        1
    } else if d.coef.is_zero() {
        (left + 1).rem_euclid(3) - 1
    } else {
        (left - 1).rem_euclid(3) + 1
    };
    if point <= 0 {
        out.extend_from_slice(b"0.");
        out.extend(std::iter::repeat_n(b'0', point.unsigned_abs() as usize));
        d.coef.write_digits(out);
    } else {
        d.coef.write_digits(out);
        if point >= count {
            out.extend(std::iter::repeat_n(b'0', (point - count) as usize));
        } else {
            out.insert(start + point as usize, b'.');
        }
    }
    if left != point {
        out.push(if capitals { b'E' } else { b'e' });
        out.extend_from_slice(format!("{:+}", left - point).as_bytes());
    }
    Ok(())
}

pub fn to_string(d: &Dec, engineering: bool, capitals: bool) -> Res<String> {
    let mut out = Vec::new();
    write(d, engineering, capitals, &mut out)?;
    Ok(String::from_utf8(out).unwrap_or_default())
}

/// The ASCII form of a literal: decimal digits of all scripts, no surrounding blanks, no underscores. `None` if some character has none.
pub fn ascii_literal(text: &Py<Str>, lenient: bool) -> Option<Vec<u8>> {
    use lisle_runtime::text::unicode;
    let view = text.view();
    let chars: Vec<u32> = view.chars().collect();
    let blank = |code: &u32| unicode::is_space(*code);
    let mut chars = chars.as_slice();
    if lenient {
        while let [first, rest @ ..] = chars
            && blank(first)
        {
            chars = rest;
        }
        while let [rest @ .., last] = chars
            && blank(last)
        {
            chars = rest;
        }
    }
    let mut out = Vec::with_capacity(chars.len());
    for code in chars {
        match code {
            0x5f if lenient => {}
            0x01..=0x7f => out.push(*code as u8),
            _ => out.push(b'0' + u8::try_from(unicode::decimal_value(*code)?).ok()?),
        }
    }
    Some(out)
}

/// Reads a literal. `None` if it is none.
pub fn parse(text: &[u8]) -> Res<Option<Dec>> {
    let (negative, rest) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    };
    let special = |kind, coef| {
        Ok(Some(Dec {
            negative,
            kind,
            exp: 0,
            coef,
        }))
    };
    if rest.eq_ignore_ascii_case(b"inf") || rest.eq_ignore_ascii_case(b"infinity") {
        return special(Kind::Infinite, Coef::zero());
    }
    for (name, kind) in [("nan", Kind::Quiet), ("snan", Kind::Signaling)] {
        if let Some((start, payload)) = rest.split_at_checked(name.len())
            && start.eq_ignore_ascii_case(name.as_bytes())
        {
            if !payload.iter().all(u8::is_ascii_digit) {
                return Ok(None);
            }
            return special(kind, Coef::from_digits(payload)?);
        }
    }
    let count = |text: &[u8]| text.iter().take_while(|c| c.is_ascii_digit()).count();
    let whole = count(rest);
    let (digits, mut rest) = rest.split_at(whole);
    let mut fraction: &[u8] = &[];
    if let [b'.', after @ ..] = rest {
        let len = count(after);
        (fraction, rest) = after.split_at(len);
    }
    if digits.is_empty() && fraction.is_empty() {
        return Ok(None);
    }
    let mut exp = 0i64;
    if let [b'e' | b'E', after @ ..] = rest {
        let (down, after) = match after {
            [b'-', after @ ..] => (true, after),
            [b'+', after @ ..] => (false, after),
            _ => (false, after),
        };
        if after.is_empty() || count(after) != after.len() {
            return Ok(None);
        }
        for digit in after {
            exp = exp.saturating_mul(10).saturating_add(i64::from(digit - b'0')).min(FAR);
        }
        if down {
            exp = -exp;
        }
        rest = &[];
    }
    if !rest.is_empty() {
        return Ok(None);
    }
    let coef = if fraction.is_empty() {
        Coef::from_digits(digits)?
    } else {
        let mut all = Vec::new();
        all.try_reserve_exact(digits.len() + fraction.len())?;
        all.extend_from_slice(digits);
        all.extend_from_slice(fraction);
        Coef::from_digits(&all)?
    };
    Ok(Some(Dec::finite(negative, coef, exp - fraction.len() as i64)))
}
