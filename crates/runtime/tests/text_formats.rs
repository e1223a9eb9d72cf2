//! Numbers and texts, formatted and read, against CPython: the table is written by `data/text/record_formats.py`.

use lisle_runtime::text::complex::{ComplexError, parse_complex, repr_complex};
use lisle_runtime::text::float::{from_hex, parse_float, repr_float, round_float, to_hex};
use lisle_runtime::text::format_spec::*;
use lisle_runtime::text::huge::Stop;
use lisle_runtime::text::int::{IntError, parse_int, to_decimal};
use lisle_runtime::text::printf::{Directive, Field, PercentParser, Piece};
use lisle_runtime::text::repr::repr;
use lisle_runtime::text::str_format::{FieldName, Key, MarkupParser, Step};
use lisle_runtime::text::{Int, StrBuf, StrView};
use recorded::{escaped, text};

mod recorded;

fn float(field: &str) -> f64 {
    from_hex(StrView::Ascii(field.as_bytes())).unwrap()
}

fn go() -> Result<(), Stop> {
    Ok(())
}

fn int(field: &str) -> Int {
    parse_int(StrView::Ascii(field.as_bytes()), 10, 0, &mut go).unwrap()
}

fn lines(result: Result<StrBuf, FormatError>) -> String {
    match result {
        Ok(text) => format!("={}", escaped(text.view())),
        Err(error) => {
            let kind = match error.kind {
                ErrorKind::Value => "ValueError",
                ErrorKind::Overflow => "OverflowError",
                ErrorKind::Memory => "MemoryError",
                ErrorKind::Stopped => "stopped",
            };
            format!("!{kind}: {}", escaped(StrBuf::from(error.message).view()))
        }
    }
}

/// The repr of an escaped text, escaped: how CPython's messages show a wrong argument.
fn shown(field: &str) -> String {
    escaped(repr(text(field).view()).view())
}

fn directive(template: &str) -> Directive {
    let template = text(template);
    match PercentParser::new(template.view()).next() {
        Ok(Some(Piece::Directive(directive))) => directive,
        other => panic!("{other:?}"),
    }
}

/// Formats with the one argument `{"a": 1}`.
fn percent(template: &str) -> String {
    let template = text(template);
    let view = template.view();
    let mut out = String::new();
    let mut parser = PercentParser::new(view);
    loop {
        match parser.next() {
            Ok(None) => return format!("={out}"),
            Ok(Some(Piece::Literal(range))) => out.push_str(&view.slice(range).to_string_lossy()),
            Ok(Some(Piece::Directive(directive))) if directive.letter() == b'd' => out.push('1'),
            Ok(Some(Piece::Directive(directive))) => return lines(Err(directive.unsupported())),
            Ok(Some(Piece::BadKey)) => return "!ValueError: incomplete format key".into(),
            Err(error) => return lines(Err(error)),
        }
    }
}

fn markup(template: &str) -> Result<StrBuf, FormatError> {
    let template = text(template);
    let view = template.view();
    let part = |range| repr(view.slice(range)).view().to_string_lossy().into_owned();
    let mut parser = MarkupParser::new(view);
    let mut parts = Vec::new();
    while let Some(markup) = parser.next()? {
        let literal = part(markup.literal);
        parts.push(match markup.field {
            None => format!("({literal}, None, None, None)"),
            Some(field) => {
                let conversion = match field.conversion {
                    None => "None".into(),
                    Some(c) => repr(StrBuf::from_code(c).view()).view().to_string_lossy().into_owned(),
                };
                format!("({literal}, {}, {}, {conversion})", part(field.name), part(field.spec))
            }
        });
    }
    Ok(StrBuf::from(format!("[{}]", parts.join(", "))))
}

fn field_name(name: &str) -> Result<StrBuf, FormatError> {
    let name = text(name);
    let part = |range| repr(name.view().slice(range)).view().to_string_lossy().into_owned();
    let key = |key| match key {
        Key::Index(index) => index.to_string(),
        Key::Name(range) => part(range),
    };
    let mut parser = FieldName::new(name.view())?;
    let mut parts = vec![key(parser.first.clone())];
    while let Some(step) = parser.next_step()? {
        parts.push(match step {
            Step::Attribute(range) => format!("(True, {})", part(range)),
            Step::Item(item) => format!("(False, {})", key(item)),
        });
    }
    Ok(StrBuf::from(format!("[{}]", parts.join(", "))))
}

fn answer(fields: &[&str]) -> Option<String> {
    let value = |text: String| format!("={text}");
    Some(match fields[0] {
        "repr" => value(repr_float(float(fields[1]))),
        "hex" => value(to_hex(float(fields[1]))),
        "round" => match round_float(float(fields[1]), fields[2].parse().unwrap()) {
            Some(rounded) => value(to_hex(rounded)),
            None => "!OverflowError: rounded value too large to represent".into(),
        },
        "float" => match parse_float(text(fields[1]).view()) {
            Some(float) => value(repr_float(float)),
            None => format!("!ValueError: could not convert string to float: {}", shown(fields[1])),
        },
        "complex" => match parse_complex(text(fields[1]).view()) {
            Ok((real, imag)) => value(repr_complex(real, imag)),
            Err(ComplexError::Malformed) => "!ValueError: complex() arg is a malformed string".into(),
            Err(ComplexError::Underscore) => {
                format!("!ValueError: could not convert string to complex: {}", shown(fields[1]))
            }
        },
        "fromhex" => match from_hex(text(fields[1]).view()) {
            Ok(float) => value(to_hex(float)),
            Err(error) => {
                let kind = if error.message().contains("large") {
                    "OverflowError"
                } else {
                    "ValueError"
                };
                format!("!{kind}: {}", error.message())
            }
        },
        "int" => match parse_int(text(fields[2]).view(), fields[1].parse().unwrap(), 4300, &mut go) {
            Ok(int) => value(to_decimal(int.as_ref(), &mut go).unwrap()),
            Err(IntError::Invalid) => {
                format!(
                    "!ValueError: invalid literal for int() with base {}: {}",
                    fields[1],
                    shown(fields[2])
                )
            }
            Err(IntError::TooManyDigits(_) | IntError::Stopped) => panic!("{fields:?}"),
        },
        "format_int" => lines(format_int(
            int(fields[1]).as_ref(),
            text(fields[2]).view(),
            "int",
            4300,
            &mut go,
        )),
        "format_float" => lines(format_float_spec(float(fields[1]), text(fields[2]).view(), "float")),
        "format_complex" => lines(format_complex(
            float(fields[1]),
            float(fields[2]),
            text(fields[3]).view(),
            "complex",
        )),
        "repr_complex" => value(repr_complex(float(fields[1]), float(fields[2]))),
        "format_str" => lines(format_str(text(fields[1]).view(), text(fields[2]).view(), "str")),
        "percent_float" => {
            let directive = directive(fields[1]);
            lines(Field::new(&directive, 0, 0).render_float(float(fields[2]), directive.letter()))
        }
        "percent_int" => {
            let directive = directive(fields[1]);
            lines(Field::new(&directive, 0, 0).render_int(int(fields[2]).as_ref(), directive.letter(), 4300, &mut go))
        }
        "percent_str" => lines(Field::new(&directive(fields[1]), 0, 0).render_text(text(fields[2]).view())),
        "percent_error" => percent(fields[1]),
        "markup" => lines(markup(fields[1])),
        "field_name" => lines(field_name(fields[1])),
        other => panic!("unknown operation {other}"),
    })
}

#[test]
fn as_cpython() {
    recorded::check(include_str!("data/text/formats.txt"), answer);
}

/// New in 3.14: a separator in the fraction.
#[test]
fn fraction_grouping() {
    let run = |value: f64, spec: &str| lines(format_float_spec(value, StrBuf::from(spec).view(), "float"));
    assert_eq!(run(123456.1234567, ".7_f"), "=123456.123_456_7");
    assert_eq!(run(123456.1234567, ",.7,f"), "=123,456.123,456,7");
    assert_eq!(run(0.1, "_.,f"), "=0.100,000");
    assert_eq!(run(0.123456789, "._"), "=0.123_456_789");
    assert_eq!(run(1.23456789e-10, ".6_e"), "=1.234_568e-10");
    assert_eq!(run(1.5, "012.4_f"), "=000001.500_0");
    assert_eq!(run(1.5, ".2,_f"), "!ValueError: Cannot specify both ',' and '_'.");
    assert_eq!(run(1.5, ".4_n"), "!ValueError: Cannot specify '_' with 'n'.");
    assert_eq!(run(1.5, ".f"), "!ValueError: Format specifier missing precision");
}
