//! `Decimal.__format__`.
//!
//! Invariant: digits are rounded by the current context's mode and by nothing else of it. Without a type, numbers are written as by `str`.

use lisle_runtime::intern;
use lisle_runtime::native::*;
use lisle_runtime::types::dict::Dict;
use lisle_runtime::types::exceptions;
use lisle_runtime::types::list::List;

use super::context;
use super::number::{Dec, Kind, MAX_PREC, Rounding};
use super::text;

/// `localeconv`'s mark of the end of grouping.
const CHAR_MAX: i64 = 127;

/// A parsed specification.
struct Spec {
    fill: char,
    align: char,
    sign: Option<char>,
    no_negative_zero: bool,
    alternate: bool,
    zero_padded: bool,
    width: usize,
    separator: String,
    /// Sizes of groups; the last goes on if `repeats`.
    groups: Vec<usize>,
    repeats: bool,
    precision: Option<i64>,
    fraction_separator: Option<char>,
    point: String,
    /// One of `eEfFgG%`, or `n` or `N`; none for that of the context.
    code: Option<char>,
}

fn invalid(vm: &Vm) -> Exc {
    vm.value_error("invalid format string")
}

impl Spec {
    fn parse(vm: &Vm, spec: &str) -> Res<Spec> {
        let chars: Vec<char> = spec.chars().collect();
        let at = |i: usize| chars.get(i).copied();
        let is_align = |c: Option<char>| c.is_some_and(|c| matches!(c, '<' | '>' | '=' | '^'));
        let mut out = Spec {
            fill: ' ',
            align: '>',
            sign: None,
            no_negative_zero: false,
            alternate: false,
            zero_padded: false,
            width: 0,
            separator: String::new(),
            groups: vec![3],
            repeats: true,
            precision: None,
            fraction_separator: None,
            point: ".".to_owned(),
            code: None,
        };
        let mut pos = 0;
        let mut aligned = true;
        if let (Some(fill), true) = (at(0), is_align(at(1))) {
            (out.fill, out.align) = (fill, at(1).unwrap_or('>'));
            pos = 2;
        } else if is_align(at(0)) {
            out.align = at(0).unwrap_or('>');
            pos = 1;
        } else {
            aligned = false;
        }
        if let Some(sign @ ('+' | '-' | ' ')) = at(pos) {
            out.sign = Some(sign);
            pos += 1;
        }
        if at(pos) == Some('z') {
            out.no_negative_zero = true;
            pos += 1;
        }
        if at(pos) == Some('#') {
            out.alternate = true;
            pos += 1;
        }
        if at(pos) == Some('0') {
            if aligned {
                return Err(invalid(vm));
            }
            out.zero_padded = true;
            pos += 1;
        }
        let number = |pos: &mut usize| -> Res<Option<i64>> {
            let start = *pos;
            let mut n = 0i64;
            while let Some(digit) = at(*pos).and_then(|c| c.to_digit(10)) {
                n = n
                    .checked_mul(10)
                    .and_then(|n| n.checked_add(digit.into()))
                    .ok_or_else(|| vm.overflow_error("cannot fit 'int' into an index-sized integer"))?;
                *pos += 1;
            }
            if n > MAX_PREC {
                return Err(vm.value_error("format specification exceeds internal limits of _decimal"));
            }
            Ok((*pos > start).then_some(n))
        };
        out.width = number(&mut pos)?.unwrap_or(0) as usize;
        let separator = at(pos).filter(|c| matches!(c, ',' | '_'));
        if let Some(separator) = separator {
            out.separator = separator.to_string();
            pos += 1;
        }
        if at(pos) == Some('.') {
            pos += 1;
            out.precision = number(&mut pos)?;
            out.fraction_separator = at(pos).filter(|c| matches!(c, ',' | '_'));
            if out.fraction_separator.is_some() {
                pos += 1;
            } else if out.precision.is_none() {
                return Err(invalid(vm));
            }
        }
        if let Some(code) = at(pos) {
            if !matches!(code, 'e' | 'E' | 'f' | 'F' | 'g' | 'G' | 'n' | 'N' | '%')
                || matches!(code, 'n' | 'N') && separator.is_some()
            {
                return Err(invalid(vm));
            }
            out.code = Some(code);
            pos += 1;
        }
        if pos != chars.len() {
            return Err(invalid(vm));
        }
        if out.precision == Some(0) && matches!(out.code, None | Some('g' | 'G' | 'n' | 'N')) {
            out.precision = Some(1);
        }
        Ok(out)
    }

    /// Takes separators from a mapping as `localeconv` returns it, whose entries may be missing.
    fn localize(&mut self, vm: &Vm, conventions: &Py<Dict>) -> Res<()> {
        let wrong = || vm.value_error("invalid override dict");
        let text = |name| -> Res<Option<String>> {
            match conventions.get_str(name) {
                None => Ok(None),
                Some(value) => match value
                    .downcast::<Str>()
                    .and_then(|text| Some(text.view().to_utf8()?.into_owned()))
                {
                    Some(text) => Ok(Some(text)),
                    None => Err(wrong()),
                },
            }
        };
        if let Some(point) = text(intern!("decimal_point"))? {
            self.point = point;
        }
        if let Some(separator) = text(intern!("thousands_sep"))? {
            self.separator = separator;
        }
        if self.point.is_empty() || self.point.len() > 4 || self.separator.len() > 4 {
            return Err(wrong());
        }
        let Some(grouping) = conventions.get_str(intern!("grouping")) else {
            return Ok(());
        };
        let mut sizes = Vec::new();
        if let Some(text) = grouping.downcast::<Str>() {
            sizes.extend(text.view().chars().map(i64::from));
        } else if let Some(list) = grouping.downcast::<List>() {
            for size in list.snapshot() {
                sizes.push(vm.index_to_i64(&size)?);
            }
        } else {
            return Err(wrong());
        }
        self.groups.clear();
        self.repeats = false;
        for size in sizes {
            match size {
                CHAR_MAX => break,
                0 => {
                    self.repeats = !self.groups.is_empty();
                    break;
                }
                1..CHAR_MAX => self.groups.push(size as usize),
                _ => return Err(wrong()),
            }
        }
        Ok(())
    }

    /// The digits with separators, filled up with zeros to a width.
    fn grouped(&self, digits: &str, width: usize) -> String {
        let mut parts: Vec<String> = Vec::new();
        let mut digits = digits;
        let mut width = width as i64;
        let mut at = 0;
        loop {
            let size = match self.groups.get(at) {
                Some(size) => Some(*size),
                None if self.repeats => self.groups.last().copied(),
                None => None,
            };
            at += 1;
            let wanted = (digits.len() as i64).max(width).max(1) as usize;
            let size = size.map_or(wanted, |size| size.min(wanted));
            let (rest, group) = digits.split_at(digits.len().saturating_sub(size));
            parts.push(format!("{group:0>size$}"));
            digits = rest;
            width -= size as i64;
            if digits.is_empty() && width <= 0 {
                break;
            }
            width -= self.separator.chars().count() as i64;
        }
        parts.reverse();
        parts.join(&self.separator)
    }

    fn aligned(&self, sign: &str, body: &str) -> String {
        let padding = self.width.saturating_sub(sign.chars().count() + body.chars().count());
        let fill = |n: usize| std::iter::repeat_n(self.fill, n).collect::<String>();
        match self.align {
            '<' => format!("{sign}{body}{}", fill(padding)),
            '=' => format!("{sign}{}{body}", fill(padding)),
            '^' => format!("{}{sign}{body}{}", fill(padding / 2), fill(padding - padding / 2)),
            _ => format!("{}{sign}{body}", fill(padding)),
        }
    }
}

/// Rounded to so many significant digits.
fn to_digits(d: &Dec, digits: i64, rounding: Rounding) -> Res<Dec> {
    if d.coef.is_zero() {
        return Ok(d.clone());
    }
    let (result, _) = d.rescaled(d.adjusted() + 1 - digits, rounding)?;
    if result.adjusted() == d.adjusted() {
        return Ok(result);
    }
    // 9.99 became 10.0.
    Ok(result.rescaled(result.adjusted() + 1 - digits, rounding)?.0)
}

pub fn format(vm: &Vm, this: &Dec, spec: &Value, conventions: Option<&Value>) -> Res<Value> {
    let Some(spec) = spec.downcast::<Str>() else {
        return Err(vm.type_error("format arg must be str"));
    };
    let conventions = match conventions {
        None => None,
        Some(value) => match value.downcast::<Dict>() {
            Some(dict) => Some(dict.clone()),
            None => return Err(vm.type_error("optional argument must be a dict")),
        },
    };
    let ctx = context::current(vm)?;
    let Some(spec) = spec.view().to_utf8() else {
        return Err(invalid(vm));
    };
    if spec.is_empty() && conventions.is_none() {
        return Ok(Value::from(text::to_string(this, false, ctx.capitals())?.as_str()));
    }
    let mut spec = Spec::parse(vm, &spec)?;
    if spec.code == Some('N') {
        let category = exceptions::DEPRECATION_WARNING.get();
        vm.warn(category, "Format specifier 'N' is deprecated", 1)?;
    }
    match (conventions, spec.code) {
        (Some(dict), _) => spec.localize(vm, &dict)?,
        (None, Some('n' | 'N')) => {
            let locale = vm.import_module("_locale")?;
            let dict = vm.call_method(&locale, intern!("localeconv"), &[])?;
            if let Some(dict) = dict.downcast::<Dict>() {
                spec.localize(vm, dict)?;
            }
        }
        _ => {}
    }
    lisle_runtime::native::check_int_bits(vm, (spec.width as u64).saturating_mul(8))?;
    let sign = |negative: bool| match (negative, spec.sign) {
        (true, _) => "-",
        (false, Some('+')) => "+",
        (false, Some(' ')) => " ",
        _ => "",
    };
    let code = match spec.code {
        None => {
            if ctx.capitals() {
                'G'
            } else {
                'g'
            }
        }
        Some('n') => 'g',
        Some('N') => 'G',
        Some(code) => code,
    };
    if this.kind != Kind::Finite {
        let mut body = text::to_string(&this.magnitude(), false, true)?;
        if code == '%' {
            body.push('%');
        }
        return Ok(Value::from(spec.aligned(sign(this.negative), &body).as_str()));
    }
    let rounding = ctx.env().rounding;
    let mut d = this.clone();
    if code == '%' {
        d.exp += 2;
    }
    if let Some(precision) = spec.precision {
        d = match code {
            'e' | 'E' => to_digits(&d, precision + 1, rounding)?,
            'f' | 'F' | '%' => d.rescaled(-precision, rounding)?.0,
            _ if d.coef.digits() > precision => to_digits(&d, precision, rounding)?,
            _ => d,
        };
    }
    if d.coef.is_zero() && d.exp > 0 && matches!(code, 'f' | 'F' | '%') {
        d.exp = 0;
    }
    let negative = d.negative && !(spec.no_negative_zero && d.coef.is_zero());
    let digits = String::from_utf8(d.coef.to_digits()?).unwrap_or_default();
    let count = digits.len() as i64;
    let left = d.exp + count;
    let point = match code {
        'e' | 'E' => match spec.precision {
            Some(precision) if d.coef.is_zero() => 1 - precision,
            _ => 1,
        },
        'f' | 'F' | '%' => left,
        _ if d.exp <= 0 && left > -6 => left,
        _ => 1,
    };
    let zeros = |n: i64| -> Res<String> {
        check_int_bits(vm, (n as u64).saturating_mul(8))?;
        Ok("0".repeat(n as usize))
    };
    let (whole, fraction) = if point < 0 {
        ("0".to_owned(), zeros(-point)? + &digits)
    } else if point > count {
        (digits.clone() + &zeros(point - count)?, String::new())
    } else {
        let (whole, fraction) = digits.split_at(point as usize);
        let whole = if whole.is_empty() { "0" } else { whole };
        (whole.to_owned(), fraction.to_owned())
    };
    let exp = left - point;
    let mut tail = String::new();
    if !fraction.is_empty() || spec.alternate {
        tail.push_str(&spec.point);
    }
    match spec.fraction_separator {
        None => tail.push_str(&fraction),
        Some(separator) => {
            for (at, digit) in fraction.chars().enumerate() {
                if at > 0 && at % 3 == 0 {
                    tail.push(separator);
                }
                tail.push(digit);
            }
        }
    }
    if exp != 0 || matches!(code, 'e' | 'E') {
        tail.push(if matches!(code, 'E' | 'G') { 'E' } else { 'e' });
        tail.push_str(&format!("{exp:+}"));
    }
    if code == '%' {
        tail.push('%');
    }
    let sign = sign(negative);
    let width = if spec.zero_padded {
        spec.width.saturating_sub(tail.chars().count() + sign.len())
    } else {
        0
    };
    let whole = if spec.separator.is_empty() && whole.len() >= width {
        whole
    } else if spec.separator.is_empty() {
        format!("{whole:0>width$}")
    } else {
        spec.grouped(&whole, width)
    };
    Ok(Value::from(spec.aligned(sign, &(whole + &tail)).as_str()))
}
