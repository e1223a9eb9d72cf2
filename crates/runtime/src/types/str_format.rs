//! `%` formatting of `str` and `bytes`, `str.format` and `str.format_map`: fetching the values that templates name.
//!
//! Invariant: the syntax and the rendering are [`crate::text`]'s; here are the operands and the errors about them.

use std::borrow::Cow;

use super::buffer::bytes_of;
use super::bytearray::ByteArray;
use super::bytes::Bytes;
use super::str_methods::format_error;
use super::tuple::Tuple;
use super::{int, int_methods, number_ops, number_text};
use crate::intern;
use crate::native::KwArgs;
use crate::object::{Py, Value};
use crate::text::printf::{Directive, Field, PercentParser, Piece, Size};
use crate::text::str_format::{FieldName, Key, MarkupParser, Numbering, Step};
use crate::text::{StrBuf, StrBuilder, StrView};
use crate::types::str::Str;
use crate::vm::{Exc, Res, Vm};

/// The right operand of `%`, handed out value by value.
struct Operands<'a> {
    all: &'a Value,
    /// The operand, if keys may be looked up in it.
    mapping: bool,
    /// What values are taken from: all of a tuple's, or the one.
    tuple: Option<&'a Py<Tuple>>,
    /// The value of the last key: it is the only one then.
    keyed: Option<Value>,
    taken: usize,
}

impl<'a> Operands<'a> {
    fn new(all: &'a Value, textual: bool) -> Operands<'a> {
        let tuple = all.downcast::<Tuple>();
        Operands {
            all,
            mapping: tuple.is_none() && !textual && all.ty().slots().getitem.is_some(),
            tuple,
            keyed: None,
            taken: 0,
        }
    }

    fn next(&mut self, vm: &Vm) -> Res<Value> {
        let next = match (&self.keyed, self.tuple) {
            (Some(value), _) if self.taken == 0 => Some(value.clone()),
            (None, Some(tuple)) => tuple.get(self.taken).cloned(),
            (None, None) if self.taken == 0 => Some(self.all.clone()),
            _ => None,
        };
        self.taken += 1;
        next.ok_or_else(|| vm.type_error("not enough arguments for format string"))
    }

    /// Makes the value of a key the next one.
    fn look_up(&mut self, vm: &Vm, key: Value) -> Res<()> {
        self.check_mapping(vm)?;
        self.keyed = Some(vm.getitem(self.all, &key)?);
        self.taken = 0;
        Ok(())
    }

    fn check_mapping(&self, vm: &Vm) -> Res<()> {
        if self.mapping {
            Ok(())
        } else {
            Err(vm.type_error("format requires a mapping"))
        }
    }

    fn star(&mut self, vm: &Vm, size: Option<Size>, what: &str) -> Res<i64> {
        if size != Some(Size::Star) {
            return Ok(0);
        }
        let value = self.next(vm)?;
        let Some(int) = vm.int_value(&value) else {
            return Err(vm.type_error("* wants int"));
        };
        let (most, to) = if what == "width" {
            (isize::MAX as i64, "ssize_t")
        } else {
            (i64::from(i32::MAX), "int")
        };
        int.to_i64()
            .filter(|size| (-most..=most).contains(size))
            .ok_or_else(|| vm.overflow_error(format!("Python int too large to convert to C {to}")))
    }

    fn field(&mut self, vm: &Vm, directive: &Directive) -> Res<Field> {
        let width = self.star(vm, directive.width, "width")?;
        let precision = self.star(vm, directive.precision, "precision")?;
        Ok(Field::new(directive, width, precision))
    }

    fn finish(&self, vm: &Vm, what: &str) -> Res<()> {
        let left = match (&self.keyed, self.tuple) {
            (None, Some(tuple)) => self.taken < tuple.len(),
            (None, None) => self.taken == 0,
            (Some(_), _) => false,
        };
        if left && !self.mapping {
            return Err(vm.type_error(format!("not all arguments converted during {what} formatting")));
        }
        Ok(())
    }
}

/// An integer or a floating point directive; `None` for any other.
fn number(vm: &Vm, directive: &Directive, field: &Field, value: &Value, bytes: bool) -> Res<Option<StrBuf>> {
    let letter = directive.letter();
    let made = match letter {
        b'd' | b'i' | b'u' | b'o' | b'x' | b'X' => {
            let int = integer(vm, letter, value, bytes)?;
            let limit = int_methods::max_str_digits() as usize;
            number_ops::interruptible(vm, |pause| {
                number_text::unless_stopped(field.render_int(int::known(&int), letter, limit, pause))
            })?
        }
        b'e' | b'E' | b'f' | b'F' | b'g' | b'G' => {
            let x = match vm.to_f64(value) {
                Ok(x) => x,
                Err(exc) if bytes && exc.is_instance(super::exceptions::TYPE_ERROR.get()) => {
                    let found = value.ty().name();
                    return Err(vm.type_error(format!("float argument required, not {found}")));
                }
                Err(exc) => return Err(exc),
            };
            field.render_float(x, letter)
        }
        _ => return Ok(None),
    };
    made.map(Some).map_err(|error| format_error(vm, error))
}

/// The operand of `%d` and its like.
fn integer(vm: &Vm, letter: u8, value: &Value, bytes: bool) -> Res<Value> {
    if vm.int_value(value).is_some() {
        return Ok(value.clone());
    }
    let slots = value.ty().slots();
    let hex = matches!(letter, b'o' | b'x' | b'X');
    if !hex && slots.int.is_some() {
        let made = vm.call_special(value, intern!("__int__"), &[])?;
        if vm.int_value(&made).is_some() {
            return Ok(made);
        }
    }
    if slots.index.is_some() {
        return vm.index(value);
    }
    let wanted = if hex { "an integer" } else { "a real number" };
    let c = if bytes && letter == b'i' {
        'd'
    } else {
        char::from(letter)
    };
    let found = value.ty().name();
    Err(vm.type_error(format!("%{c} format: {wanted} is required, not {found}")))
}

/// `template % operand`
pub fn percent(vm: &Vm, template: &Py<Str>, operand: &Value) -> Res<Value> {
    // What begins or ends with its operand may be the operand itself.
    if let Some(plain) = template.ascii_bytes().filter(|plain| plain.len() > 2) {
        let made = match operand.downcast_exact::<Tuple>() {
            Some(operands) => super::number_text::percent_plain(plain, operands),
            None if operand.is_small_int() || operand.downcast_exact::<Str>().is_some() => {
                super::number_text::percent_plain(plain, std::slice::from_ref(operand))
            }
            None => None,
        };
        if let Some(made) = made {
            return Ok(made.into_value());
        }
    }
    let text = percent_text(vm, template, operand)?;
    let whole = match operand.downcast_exact::<Tuple>().map(|operands| operands.as_slice()) {
        Some([only]) => only,
        _ => operand,
    };
    Ok(itself(&text, whole).unwrap_or(text))
}

/// The operand, if formatting it gave its own text.
fn itself(text: &Value, operand: &Value) -> Option<Value> {
    let (text, operand) = (text.downcast::<Str>()?, operand.downcast_exact::<Str>()?);
    text.text_eq(operand).then(|| operand.to_value())
}

fn percent_text(vm: &Vm, template: &Py<Str>, operand: &Value) -> Res<Value> {
    let mut operands = Operands::new(operand, operand.downcast::<Str>().is_some());
    let mut parser = PercentParser::new(template.view());
    let mut out = StrBuilder::new();
    loop {
        if parser.next_has_key() {
            operands.check_mapping(vm)?;
        }
        let directive = match parser.next().map_err(|error| format_error(vm, error))? {
            None => break,
            Some(Piece::Literal(range)) => {
                out.push_view(template.view().slice(range));
                continue;
            }
            Some(Piece::BadKey) => return Err(vm.value_error("incomplete format key")),
            Some(Piece::Directive(directive)) => directive,
        };
        if let Some(key) = &directive.key {
            let key = Str::from_buf(template.view().slice(key.clone()).to_buf());
            operands.look_up(vm, key.into_value())?;
        }
        let field = operands.field(vm, &directive)?;
        let value = operands.next(vm)?;
        let text = match directive.letter() {
            b's' => vm.str(&value)?,
            b'r' => vm.repr(&value)?,
            b'a' => vm.ascii(&value)?,
            b'c' => one_char(vm, &value)?,
            _ => match number(vm, &directive, &field, &value, false)? {
                Some(text) => {
                    push(vm, &mut out, text.view())?;
                    continue;
                }
                None => return Err(format_error(vm, directive.unsupported())),
            },
        };
        if field.width == 0 && field.precision.is_none() {
            push(vm, &mut out, text.view())?;
        } else {
            // `%c` ignores a precision.
            let field = if directive.letter() == b'c' {
                Field {
                    precision: None,
                    ..field
                }
            } else {
                field
            };
            let text = field
                .render_text(text.view())
                .map_err(|error| format_error(vm, error))?;
            push(vm, &mut out, text.view())?;
        }
    }
    operands.finish(vm, "string")?;
    finish(vm, out)
}

fn push(vm: &Vm, out: &mut StrBuilder, text: StrView<'_>) -> Res<()> {
    if !out.try_reserve(text.len()) {
        return Err(vm.memory_error());
    }
    out.push_view(text);
    Ok(())
}

fn finish(vm: &Vm, out: StrBuilder) -> Res<Value> {
    super::common::finish_text(vm, out)
}

/// The operand of `%c`.
fn one_char(vm: &Vm, value: &Value) -> Res<Py<Str>> {
    if let Some(text) = value.downcast::<Str>() {
        if text.len() == 1 {
            return Ok(text.clone());
        }
        return Err(vm.type_error("%c requires int or char"));
    }
    if vm.int_value(value).is_none() && value.ty().slots().index.is_none() {
        return Err(vm.type_error("%c requires int or char"));
    }
    let index = vm.index(value)?;
    let code = vm.int_value(&index).and_then(|i| i.to_i64());
    match code.and_then(|code| u32::try_from(code).ok()) {
        Some(code) if code < 0x11_0000 => Ok(Str::from_char(code)),
        _ => Err(vm.overflow_error("%c arg not in range(0x110000)")),
    }
}

/// `template % operand` for `bytes` and `bytearray`.
pub fn percent_bytes(vm: &Vm, template: &[u8], operand: &Value) -> Res<Vec<u8>> {
    let textual = operand.downcast::<Bytes>().is_some()
        || operand.downcast::<ByteArray>().is_some()
        || operand.downcast::<Str>().is_some();
    let mut operands = Operands::new(operand, textual);
    let mut parser = PercentParser::for_bytes(template);
    let mut out: Vec<u8> = Vec::new();
    loop {
        if parser.next_has_key() {
            operands.check_mapping(vm)?;
        }
        let directive = match parser.next().map_err(|error| format_error(vm, error))? {
            None => break,
            Some(Piece::Literal(range)) => {
                out.extend_from_slice(&template[range]);
                continue;
            }
            Some(Piece::BadKey) => return Err(vm.value_error("incomplete format key")),
            Some(Piece::Directive(directive)) => directive,
        };
        if let Some(key) = &directive.key {
            operands.look_up(vm, Bytes::new_value(&template[key.clone()]))?;
        }
        let field = operands.field(vm, &directive)?;
        let value = operands.next(vm)?;
        let bytes: Cow<'_, [u8]> = match directive.letter() {
            b's' | b'b' => bytes_operand(vm, &value)?,
            b'r' | b'a' => Cow::Owned(vm.ascii(&value)?.raw_bytes().to_vec()),
            b'c' => Cow::Owned(vec![one_byte(vm, &value)?]),
            _ => match number(vm, &directive, &field, &value, true)? {
                Some(text) => {
                    let StrBuf::Ascii(text) = text else {
                        return Err(vm.system_error("a number is not ASCII"));
                    };
                    if out.try_reserve(text.len()).is_err() {
                        return Err(vm.memory_error());
                    }
                    out.extend_from_slice(&text);
                    continue;
                }
                None => return Err(format_error(vm, directive.unsupported())),
            },
        };
        let field = if directive.letter() == b'c' {
            Field {
                precision: None,
                ..field
            }
        } else {
            field
        };
        let bytes = field.render_bytes(&bytes).map_err(|error| format_error(vm, error))?;
        if out.try_reserve(bytes.len()).is_err() {
            return Err(vm.memory_error());
        }
        out.extend_from_slice(&bytes);
    }
    operands.finish(vm, "bytes")?;
    Ok(out)
}

/// The operand of `%s` and `%b` of bytes.
fn bytes_operand<'a>(vm: &Vm, value: &'a Value) -> Res<Cow<'a, [u8]>> {
    if let Some(bytes) = bytes_of(value) {
        return Ok(bytes);
    }
    if let Some(made) = vm.call_special_opt(value, intern!("__bytes__"), &[])? {
        return match made.downcast::<Bytes>() {
            Some(bytes) => Ok(Cow::Owned(bytes.as_slice().to_vec())),
            None => {
                let found = made.ty().name();
                Err(vm.type_error(format!("__bytes__ returned non-bytes (type {found})")))
            }
        };
    }
    let found = value.ty().name();
    Err(vm.type_error(format!(
        "%b requires a bytes-like object, or an object that implements __bytes__, not '{found}'"
    )))
}

/// The operand of `%c` of bytes.
fn one_byte(vm: &Vm, value: &Value) -> Res<u8> {
    if let Some(int) = vm.int_value(value) {
        return int
            .to_i64()
            .and_then(|i| u8::try_from(i).ok())
            .ok_or_else(|| vm.overflow_error("%c arg not in range(256)"));
    }
    if let Some(bytes) = value
        .downcast::<Bytes>()
        .map(|b| b.as_slice().to_vec())
        .or_else(|| value.downcast::<ByteArray>().and_then(|b| b.snapshot().ok()))
        && let [byte] = bytes.as_slice()
    {
        return Ok(*byte);
    }
    let found = value.ty().name();
    Err(vm.type_error(format!(
        "%c requires an integer in range(256) or a single byte, not {found}"
    )))
}

/// Where `str.format` takes values from.
enum Source<'a> {
    Arguments(&'a [Value], KwArgs<'a>),
    Mapping(&'a Value),
}

/// `template.format(*args, **kwargs)`
pub fn format(vm: &Vm, template: &Py<Str>, args: &[Value], kwargs: KwArgs<'_>) -> Res<Value> {
    let out = expand(
        vm,
        template.view(),
        &Source::Arguments(args, kwargs),
        &mut Numbering::default(),
        2,
    )?;
    let text = finish(vm, out)?;
    Ok(match args {
        [only] => itself(&text, only).unwrap_or(text),
        _ => text,
    })
}

/// `template.format_map(mapping)`
pub fn format_map(vm: &Vm, template: &Py<Str>, mapping: &Value) -> Res<Value> {
    let out = expand(
        vm,
        template.view(),
        &Source::Mapping(mapping),
        &mut Numbering::default(),
        2,
    )?;
    finish(vm, out)
}

/// A template with its fields filled in; specs may hold fields in turn, to the given depth.
fn expand(
    vm: &Vm,
    template: StrView<'_>,
    source: &Source<'_>,
    numbering: &mut Numbering,
    depth: usize,
) -> Res<StrBuilder> {
    if depth == 0 {
        return Err(vm.value_error("Max string recursion exceeded"));
    }
    let fail = |error| format_error(vm, error);
    let mut parser = MarkupParser::new(template);
    let mut out = StrBuilder::new();
    while let Some(markup) = parser.next().map_err(fail)? {
        out.push_view(template.slice(markup.literal));
        let Some(field) = markup.field else { continue };
        let mut value = field_value(vm, template.slice(field.name), source, numbering)?;
        if let Some(conversion) = field.conversion {
            value = convert(vm, &value, conversion)?;
        }
        let spec = template.slice(field.spec);
        let text = if field.nested {
            let spec = expand(vm, spec, source, numbering, depth - 1)?;
            vm.format(&value, &Str::from_buf(spec.finish()))?
        } else {
            vm.format(&value, &Str::from_buf(spec.to_buf()))?
        };
        push(vm, &mut out, text.view())?;
    }
    Ok(out)
}

fn convert(vm: &Vm, value: &Value, conversion: u32) -> Res<Value> {
    let text = match char::from_u32(conversion) {
        Some('r') => vm.repr(value)?,
        Some('s') => vm.str(value)?,
        Some('a') => vm.ascii(value)?,
        Some(c) if c > ' ' && c < '\x7f' => {
            return Err(vm.value_error(format!("Unknown conversion specifier {c}")));
        }
        _ => return Err(vm.value_error(format!("Unknown conversion specifier \\x{conversion:x}"))),
    };
    Ok(text.into_value())
}

/// The value that a field's name stands for.
fn field_value(vm: &Vm, name: StrView<'_>, source: &Source<'_>, numbering: &mut Numbering) -> Res<Value> {
    let fail = |error| -> Exc { format_error(vm, error) };
    let mut field = FieldName::new(name).map_err(fail)?;
    let text = |range: std::ops::Range<usize>| Str::from_buf(name.slice(range).to_buf());
    let index = match &field.first {
        Key::Index(index) => {
            numbering.manual().map_err(fail)?;
            Some(*index)
        }
        Key::Name(range) if range.is_empty() => Some(numbering.automatic().map_err(fail)?),
        Key::Name(_) => None,
    };
    let mut value = match (index, source, &field.first) {
        (Some(index), Source::Arguments(args, _), _) => match args.get(index) {
            Some(value) => value.clone(),
            None => {
                let message = format!("Replacement index {index} out of range for positional args tuple");
                return Err(vm.index_error(message));
            }
        },
        (Some(_), Source::Mapping(_), _) => {
            return Err(vm.value_error("Format string contains positional fields"));
        }
        (None, Source::Arguments(_, kwargs), Key::Name(range)) => {
            let key = name.slice(range.clone());
            match kwargs.iter().find(|(given, _)| given.view() == key) {
                Some((_, value)) => value.clone(),
                None => return Err(vm.key_error(text(range.clone()).into_value())),
            }
        }
        (None, Source::Mapping(mapping), Key::Name(range)) => vm.getitem(mapping, &text(range.clone()).into_value())?,
        (None, _, Key::Index(_)) => return Err(vm.system_error("a field's index was lost")),
    };
    while let Some(step) = field.next_step().map_err(fail)? {
        value = match step {
            Step::Attribute(range) => vm.getattr(&value, &text(range))?,
            Step::Item(Key::Index(index)) => vm.getitem(&value, &Value::usize(index))?,
            Step::Item(Key::Name(range)) => vm.getitem(&value, &text(range).into_value())?,
        };
    }
    Ok(value)
}
