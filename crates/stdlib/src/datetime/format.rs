//! `strftime` and `__format__`: what the C library does not know of dates and zones.
//!
//! Invariant: what replaces a directive has no directive of its own. Left out: all other directives, which are `time.strftime`'s.

use lisle_runtime::intern;
use lisle_runtime::native::*;
use lisle_runtime::text::StrBuilder;

use super::{iso, zone_name, zone_offset};

/// What of an object the tuple of its fields does not have.
pub struct Shown {
    pub micro: u32,
    pub tzinfo: Value,
    /// What the methods of the zone get.
    pub argument: Value,
    pub date: (i64, i64, i64),
}

impl Shown {
    fn offset(&self, vm: &Vm, colon: &str) -> Res<String> {
        let offset = zone_offset(vm, &self.tzinfo, intern!("utcoffset"), &self.argument)?;
        Ok(offset.map_or_else(String::new, |offset| iso::format_offset(offset, colon)))
    }

    /// The directives that show the year; the C library does not fill it up to four digits.
    fn year(&self, vm: &Vm, directive: u8, tuple: &Value) -> Res<String> {
        let (mut year, month, day) = self.date;
        if directive == b'G' {
            let shown = vm.str(&c_strftime(vm, &Value::from("%G"), tuple)?)?;
            year = shown.to_string_lossy().trim().parse().unwrap_or(year);
        }
        Ok(match directive {
            b'C' => format!("{:02}", year / 100),
            b'F' => format!("{year:04}-{month:02}-{day:02}"),
            _ => format!("{year:04}"),
        })
    }
}

fn c_strftime(vm: &Vm, format: &Value, tuple: &Value) -> Res<Value> {
    let time = vm.import_module("time")?;
    vm.call_method(&time, intern!("strftime"), &[format.clone(), tuple.clone()])
}

/// `object.strftime(format)`
pub fn strftime(vm: &Vm, object: &Shown, format: &Py<Str>, tuple: &Value) -> Res<Value> {
    let mut out = StrBuilder::with_capacity(format.len());
    let mut codes = format.view().chars().peekable();
    while let Some(code) = codes.next() {
        if code != u32::from('%') {
            out.push(code);
            continue;
        }
        let Some(directive) = codes.next() else {
            out.push(code);
            break;
        };
        let replacement = match u8::try_from(directive) {
            Ok(b'f') => format!("{:06}", object.micro),
            Ok(b'z') => object.offset(vm, "")?,
            Ok(b':') if codes.peek() == Some(&u32::from('z')) => {
                codes.next();
                object.offset(vm, ":")?
            }
            Ok(b'Z') => {
                let name = zone_name(vm, &object.tzinfo, &object.argument)?;
                if name.is_none() {
                    continue;
                }
                // `time.strftime` is to see a percent sign as such.
                let escaped = [Value::from("%"), Value::from("%%")];
                let name = vm.call_method(&name, intern!("replace"), &escaped)?;
                match name.downcast::<Str>() {
                    Some(name) => out.push_view(name.view()),
                    None => return Err(vm.type_error("tzname.replace() did not return a string")),
                }
                continue;
            }
            Ok(letter @ (b'Y' | b'G' | b'F' | b'C')) if object.date.0 < 1000 => object.year(vm, letter, tuple)?,
            _ => {
                out.push(code);
                out.push(directive);
                continue;
            }
        };
        out.push_str(&replacement);
    }
    c_strftime(vm, Str::from_buf(out.finish()).as_value(), tuple)
}

/// `object.__format__(spec)`
pub fn format(vm: &Vm, object: &Value, spec: &Value) -> Res<Value> {
    let Some(text) = spec.downcast::<Str>() else {
        let found = spec.ty().name();
        return Err(vm.type_error(format!("__format__() argument 1 must be str, not {found}")));
    };
    if text.is_empty() {
        return Ok(vm.str(object)?.into_value());
    }
    vm.call_method(object, intern!("strftime"), std::slice::from_ref(spec))
}
