//! The methods of `str` and `bytes` against CPython: the table is written by `data/text/record_strings.py`.

use std::ops::Range;

use lisle_runtime::text::case::bytes as ascii_case;
use lisle_runtime::text::repr::{ascii, repr, repr_bytes};
use lisle_runtime::text::search::{self, Justify, Strip};
use lisle_runtime::text::{Edit, StrBuf, StrView};
use recorded::{escaped, text};

mod recorded;

fn boolean(value: bool) -> String {
    if value { "True" } else { "False" }.into()
}

fn shown(view: StrView<'_>) -> String {
    ascii(view).view().to_string_lossy().into_owned()
}

fn position(found: Option<usize>) -> String {
    found.map_or("-1".into(), |at| at.to_string())
}

fn max(field: &str) -> Option<usize> {
    field.parse().ok()
}

fn justify(name: &str) -> Justify {
    match name {
        "ljust" => Justify::Left,
        "rjust" => Justify::Right,
        _ => Justify::Center,
    }
}

fn strip(name: &str) -> Strip {
    match name {
        "lstrip" => Strip::Left,
        "rstrip" => Strip::Right,
        _ => Strip::Both,
    }
}

/// The answer of a method of `str`, as the repr of a Python value.
fn of_str(name: &str, receiver: StrView<'_>, arguments: &[&str]) -> String {
    let list = |parts: Vec<Range<usize>>| {
        let parts: Vec<String> = parts.into_iter().map(|part| shown(receiver.slice(part))).collect();
        format!("[{}]", parts.join(", "))
    };
    let parts = |part: Option<Range<usize>>, at_end: bool| {
        let n = receiver.len();
        let (a, b) = part.map_or(if at_end { (0, 0) } else { (n, n) }, |part| (part.start, part.end));
        format!(
            "({}, {}, {})",
            shown(receiver.slice(0..a)),
            shown(receiver.slice(a..b)),
            shown(receiver.slice(b..n))
        )
    };
    let edit = |edit: Edit| match edit {
        Edit::Unchanged => shown(receiver),
        Edit::Text(text) => shown(text.view()),
        Edit::NoMemory => panic!("memory"),
    };
    let first = arguments
        .first()
        .filter(|field| **field != "None")
        .map(|field| text(field));
    let view = first.as_ref().map(StrBuf::view);
    let needle = view.unwrap_or(StrView::Ascii(b""));
    match name {
        "upper" => shown(receiver.to_upper().view()),
        "lower" => shown(receiver.to_lower().view()),
        "title" => shown(receiver.to_title().view()),
        "capitalize" => shown(receiver.capitalize().view()),
        "swapcase" => shown(receiver.swap_case().view()),
        "casefold" => shown(receiver.case_fold().view()),
        "isalpha" => boolean(receiver.is_alpha()),
        "isalnum" => boolean(receiver.is_alnum()),
        "isdigit" => boolean(receiver.is_digit()),
        "isdecimal" => boolean(receiver.is_decimal()),
        "isnumeric" => boolean(receiver.is_numeric()),
        "islower" => boolean(receiver.is_lower()),
        "isupper" => boolean(receiver.is_upper()),
        "istitle" => boolean(receiver.is_title()),
        "isspace" => boolean(receiver.is_space()),
        "isascii" => boolean(receiver.is_ascii()),
        "isidentifier" => boolean(receiver.is_identifier()),
        "isprintable" => boolean(receiver.is_printable()),
        "__repr__" => shown(repr(receiver).view()),
        "find" => position(receiver.find(needle)),
        "rfind" => position(receiver.rfind(needle)),
        "count" => receiver.count(needle).to_string(),
        "startswith" => boolean(receiver.starts_with(needle)),
        "endswith" => boolean(receiver.ends_with(needle)),
        "partition" => parts(receiver.partition(needle), false),
        "rpartition" => parts(receiver.rpartition(needle), true),
        "removeprefix" => shown(receiver.slice(receiver.remove_prefix(needle))),
        "removesuffix" => shown(receiver.slice(receiver.remove_suffix(needle))),
        "strip" | "lstrip" | "rstrip" => shown(receiver.slice(match view {
            None => receiver.strip_space(strip(name)),
            Some(chars) => receiver.strip_chars(strip(name), chars),
        })),
        "split" | "rsplit" => {
            let max = arguments.get(1).and_then(|field| max(field));
            let parts = match (name, view) {
                ("split", Some(sep)) => receiver.split(sep, max),
                ("split", None) => receiver.split_whitespace(max),
                (_, Some(sep)) => receiver.rsplit(sep, max),
                (_, None) => receiver.rsplit_whitespace(max),
            };
            list(parts.unwrap())
        }
        "splitlines" => list(receiver.split_lines(arguments[0] == "True").unwrap()),
        "replace" => edit(receiver.replace(needle, text(arguments[1]).view(), max(arguments[2]))),
        "center" | "ljust" | "rjust" => {
            let fill = text(arguments[1]).view().get(0).unwrap();
            edit(receiver.justify(justify(name), arguments[0].parse().unwrap(), fill))
        }
        "zfill" => edit(receiver.zfill(arguments[0].parse().unwrap())),
        "expandtabs" => shown(receiver.expand_tabs(arguments[0].parse().unwrap()).unwrap().view()),
        other => panic!("unknown method {other}"),
    }
}

fn bytes(field: &str) -> Vec<u8> {
    match text(field) {
        StrBuf::Ascii(bytes) | StrBuf::Latin1(bytes) => bytes,
        other => panic!("{other:?}"),
    }
}

/// The answer of a method of `bytes`, as the repr of a Python value.
fn of_bytes(name: &str, receiver: &[u8], arguments: &[&str]) -> String {
    let shown = |bytes: &[u8]| String::from_utf8(repr_bytes(bytes)).unwrap();
    let list = |parts: Vec<Range<usize>>| {
        let parts: Vec<String> = parts.into_iter().map(|part| shown(&receiver[part])).collect();
        format!("[{}]", parts.join(", "))
    };
    let parts = |part: Option<Range<usize>>, at_end: bool| {
        let n = receiver.len();
        let (a, b) = part.map_or(if at_end { (0, 0) } else { (n, n) }, |part| (part.start, part.end));
        format!(
            "({}, {}, {})",
            shown(&receiver[..a]),
            shown(&receiver[a..b]),
            shown(&receiver[b..])
        )
    };
    let first = arguments
        .first()
        .filter(|field| **field != "None")
        .map(|field| bytes(field));
    let needle = first.as_deref().unwrap_or(b"");
    let space = ascii_case::is_space_byte;
    match name {
        "upper" => shown(&receiver.to_ascii_uppercase()),
        "lower" => shown(&receiver.to_ascii_lowercase()),
        "title" => shown(&ascii_case::title(receiver)),
        "capitalize" => shown(&ascii_case::capitalize(receiver)),
        "swapcase" => shown(&ascii_case::swap_case(receiver)),
        "isalpha" => boolean(ascii_case::is_alpha(receiver)),
        "isalnum" => boolean(ascii_case::is_alnum(receiver)),
        "isdigit" => boolean(ascii_case::is_digit(receiver)),
        "islower" => boolean(ascii_case::is_lower(receiver)),
        "isupper" => boolean(ascii_case::is_upper(receiver)),
        "istitle" => boolean(ascii_case::is_title(receiver)),
        "isspace" => boolean(ascii_case::is_space(receiver)),
        "isascii" => boolean(receiver.is_ascii()),
        "__repr__" => format!(
            "{}",
            ascii(StrView::Ascii(&repr_bytes(receiver))).view().to_string_lossy()
        ),
        "find" => position(search::find(receiver, needle)),
        "rfind" => position(search::rfind(receiver, needle)),
        "count" => search::count(receiver, needle).to_string(),
        "startswith" => boolean(receiver.starts_with(needle)),
        "endswith" => boolean(receiver.ends_with(needle)),
        "partition" => parts(search::partition(receiver, needle), false),
        "rpartition" => parts(search::rpartition(receiver, needle), true),
        "removeprefix" => shown(receiver.strip_prefix(needle).unwrap_or(receiver)),
        "removesuffix" => shown(receiver.strip_suffix(needle).unwrap_or(receiver)),
        "strip" | "lstrip" | "rstrip" => shown(
            &receiver[match &first {
                None => search::strip(receiver, strip(name), space),
                Some(chars) => {
                    let set = search::CharSet::new(chars.iter().map(|&b| b.into()));
                    search::strip(receiver, strip(name), |b| set.contains(b.into()))
                }
            }],
        ),
        "split" | "rsplit" => {
            let max = arguments.get(1).and_then(|field| max(field));
            let parts = match (name, &first) {
                ("split", Some(sep)) => search::split(receiver, sep, max),
                ("split", None) => search::split_space(receiver, max, space),
                (_, Some(sep)) => search::rsplit(receiver, sep, max),
                (_, None) => search::rsplit_space(receiver, max, space),
            };
            list(parts.unwrap())
        }
        "splitlines" => {
            let ends = |b| b == b'\n' || b == b'\r';
            list(search::split_lines(receiver, arguments[0] == "True", ends).unwrap())
        }
        "replace" => match search::replace(receiver, needle, &bytes(arguments[1]), max(arguments[2])) {
            None => shown(receiver),
            Some(out) => shown(&out.unwrap()),
        },
        "center" | "ljust" | "rjust" => match justify(name).padding(receiver.len(), arguments[0].parse().unwrap()) {
            None => shown(receiver),
            Some((before, after)) => shown(&search::pad(receiver, before, after, bytes(arguments[1])[0]).unwrap()),
        },
        "zfill" => match search::zfill(receiver, arguments[0].parse().unwrap()) {
            None => shown(receiver),
            Some(out) => shown(&out.unwrap()),
        },
        "expandtabs" => shown(&search::expand_tabs(receiver, arguments[0].parse().unwrap()).unwrap()),
        other => panic!("unknown method {other}"),
    }
}

#[test]
fn as_cpython() {
    recorded::check(include_str!("data/text/strings.txt"), |fields| {
        let answer = match fields[0] {
            "str" => of_str(fields[1], text(fields[2]).view(), &fields[3..]),
            _ => of_bytes(fields[1], &bytes(fields[2]), &fields[3..]),
        };
        Some(escaped(StrBuf::from(answer).view()))
    });
}
