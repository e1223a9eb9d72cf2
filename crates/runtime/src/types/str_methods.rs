//! The methods of `str`: objects on the outside, the algorithms of [`crate::text`] inside.
//!
//! Invariant: every result is a `str` of exactly that class; the receiver itself is only answered when it is one.

use std::ops::Range;

use lisle_macros::signature;

use super::dict::Dict;
use super::encoding;
use super::list::List;
use super::slice::Slice;
use super::str_iter::{StrAsciiIter, StrIter};
use super::tuple::Tuple;
use crate::memory::room::NoMemory;
use crate::native::{Args, CmpOp, KwArgs, Signature, pymethods};
use crate::object::{Native, Py, Type, Value};
use crate::text::format_spec::{self, ErrorKind, FormatError};
use crate::text::search::{Justify, Strip, adjust_range};
use crate::text::strings::Translation;
use crate::text::{Edit, StrBuf, StrView, repr};
use crate::types::exceptions;
use crate::types::str::Str;
use crate::vm::{Exc, Res, Vm};

/// The exception of an error that the text algorithms found.
pub(crate) fn format_error(vm: &Vm, error: FormatError) -> Exc {
    match error.kind {
        ErrorKind::Overflow => vm.overflow_error(error.message),
        ErrorKind::Memory => vm.memory_error(),
        _ => vm.value_error(error.message),
    }
}

/// A string of the text.
pub(crate) fn text_value(vm: &Vm, buf: &StrBuf) -> Res<Value> {
    match Str::try_from_view(buf.view()) {
        Some(text) => Ok(text.into_value()),
        None => Err(vm.memory_error()),
    }
}

fn text_or_memory(vm: &Vm, buf: Option<StrBuf>) -> Res<Value> {
    match buf {
        Some(buf) => text_value(vm, &buf),
        None => Err(vm.memory_error()),
    }
}

fn is_exact(this: &Py<Str>) -> bool {
    this.class().is(Str::ty())
}

/// The receiver as an exact `str`.
fn plain(vm: &Vm, this: &Py<Str>) -> Res<Value> {
    if is_exact(this) {
        return Ok(this.to_value());
    }
    match Str::try_from_view(this.view()) {
        Some(text) => Ok(text.into_value()),
        None => Err(vm.memory_error()),
    }
}

/// `this[range]`
fn part(vm: &Vm, this: &Py<Str>, range: Range<usize>) -> Res<Value> {
    if range.len() == this.len() {
        return plain(vm, this);
    }
    match this.view().slice(range) {
        view @ StrView::Ascii(_) => match Str::try_from_view(view) {
            Some(text) => Ok(text.into_value()),
            None => Err(vm.memory_error()),
        },
        wide if wide.len() == 1 => Ok(Str::from_char(wide.get(0).unwrap_or(0)).into_value()),
        wide => text_value(vm, &wide.to_buf()),
    }
}

fn parts(vm: &Vm, this: &Py<Str>, ranges: Vec<Range<usize>>) -> Res<Value> {
    let mut items = Vec::with_capacity(ranges.len());
    for range in ranges {
        items.push(part(vm, this, range)?);
    }
    Ok(List::new(items).into_value())
}

fn edited(vm: &Vm, this: &Py<Str>, edit: Edit) -> Res<Value> {
    match edit {
        Edit::Unchanged => plain(vm, this),
        Edit::Text(buf) => text_value(vm, &buf),
        Edit::NoMemory => Err(vm.memory_error()),
    }
}

/// All occurrences of a character replaced, in a short text; `None` where the result is not short.
fn replace_byte(vm: &Vm, this: &Py<Str>, text: &[u8], byte: u8, new: &[u8]) -> Option<Res<Value>> {
    const SHORT: usize = 256;
    let Some(first) = memchr::memchr(byte, text) else {
        return Some(plain(vm, this));
    };
    if text.len() > SHORT || new.len() > SHORT {
        return None;
    }
    let (mut out, mut at) = ([0; SHORT], first);
    out[..first].copy_from_slice(&text[..first]);
    for &unit in &text[first..] {
        let units = if unit == byte { new } else { std::slice::from_ref(&unit) };
        out.get_mut(at..at + units.len())?.copy_from_slice(units);
        at += units.len();
    }
    let made = Str::try_from_view(StrView::Ascii(&out[..at]));
    Some(made.map(Py::into_value).ok_or_else(|| vm.memory_error()))
}

/// The part of a sequence that the optional bounds of methods such as `find` name; `None` where nothing can match in it.
pub(crate) fn bounds(vm: &Vm, start: Option<&Value>, end: Option<&Value>, len: usize) -> Res<Option<Range<usize>>> {
    let read = |value: Option<&Value>, default: isize| -> Res<isize> {
        let Some(value) = value.filter(|value| !value.is_none()) else {
            return Ok(default);
        };
        if !value.is_small_int() && value.ty().slots().index.is_none() {
            return Err(vm.type_error("slice indices must be integers or None or have an __index__ method"));
        }
        vm.index_clamped(value)
    };
    let (start, end) = (read(start, 0)?, read(end, isize::MAX)?);
    Ok(adjust_range(start, end, len))
}

/// A count of which negative ones mean no limit.
pub(crate) fn limit(max: isize) -> Option<usize> {
    usize::try_from(max).ok()
}

fn find_in(
    vm: &Vm,
    this: &Py<Str>,
    sub: &Py<Str>,
    start: Option<&Value>,
    end: Option<&Value>,
    last: bool,
) -> Res<Option<usize>> {
    let Some(range) = bounds(vm, start, end, this.len())? else {
        return Ok(None);
    };
    let from = range.start;
    let hay = this.view().slice(range);
    let found = if last {
        hay.rfind(sub.view())
    } else {
        hay.find(sub.view())
    };
    Ok(found.map(|at| from + at))
}

fn index_or_minus_one(found: Option<usize>) -> Value {
    found.map_or_else(|| Value::int(-1), Value::usize)
}

/// `startswith` and `endswith`.
fn affix(
    vm: &Vm,
    this: &Py<Str>,
    affix: &Value,
    start: Option<&Value>,
    end: Option<&Value>,
    name: &str,
    test: fn(StrView<'_>, StrView<'_>) -> bool,
) -> Res<bool> {
    if start.is_none()
        && end.is_none()
        && let Some(wanted) = affix.downcast_exact::<Str>()
    {
        return Ok(test(this.view(), wanted.view()));
    }
    let range = bounds(vm, start, end, this.len())?;
    let matches = |wanted: &Py<Str>| match &range {
        Some(range) => test(this.view().slice(range.clone()), wanted.view()),
        None => false,
    };
    if let Some(wanted) = affix.downcast::<Str>() {
        return Ok(matches(wanted));
    }
    let Some(choices) = affix.downcast::<Tuple>() else {
        let found = affix.ty().name();
        return Err(vm.type_error(format!("{name} first arg must be str or a tuple of str, not {found}")));
    };
    for choice in choices.as_slice() {
        let Some(wanted) = choice.downcast::<Str>() else {
            let found = choice.ty().name();
            return Err(vm.type_error(format!("tuple for {name} must only contain str, not {found}")));
        };
        if matches(wanted) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn strip(vm: &Vm, this: &Py<Str>, chars: Option<&Value>, ends: Strip, name: &str) -> Res<Value> {
    let range = match chars {
        None => this.view().strip_space(ends),
        Some(chars) => match chars.downcast::<Str>() {
            Some(chars) => this.view().strip_chars(ends, chars.view()),
            None => return Err(vm.type_error(format!("{name} arg must be None or str"))),
        },
    };
    part(vm, this, range)
}

/// `split()` of ASCII text.
fn split_words(vm: &Vm, this: &Py<Str>, bytes: &[u8]) -> Res<Value> {
    let is_space = |byte: &u8| matches!(byte, 9..=13 | 28..=32);
    let mut words = Vec::with_capacity((bytes.len() / 6).min(64));
    let mut at = 0;
    while let Some(gap) = bytes[at..].iter().position(|byte| !is_space(byte)) {
        let start = at + gap;
        at = bytes[start..]
            .iter()
            .position(is_space)
            .map_or(bytes.len(), |n| start + n);
        if words.len() == words.capacity() {
            words.try_reserve(1)?;
        }
        words.push(part(vm, this, start..at)?);
    }
    Ok(List::new(words).into_value())
}

/// `split(sep)` of ASCII text by one ASCII character.
fn split_at_byte(vm: &Vm, this: &Py<Str>, bytes: &[u8], sep: u8) -> Res<Value> {
    let mut pieces = Vec::new();
    let mut start = 0;
    let mut cut = |at: usize, start: usize| -> Res<()> {
        if pieces.len() == pieces.capacity() && pieces.try_reserve(pieces.len().max(4)).is_err() {
            return Err(vm.memory_error());
        }
        pieces.push(part(vm, this, start..at)?);
        Ok(())
    };
    if bytes.len() <= 64 {
        // Shorter than it takes to prepare a search.
        for (at, byte) in bytes.iter().enumerate() {
            if *byte == sep {
                cut(at, start)?;
                start = at + 1;
            }
        }
    } else {
        for at in memchr::memchr_iter(sep, bytes) {
            cut(at, start)?;
            start = at + 1;
        }
    }
    cut(bytes.len(), start)?;
    Ok(List::new(pieces).into_value())
}

fn split(vm: &Vm, this: &Py<Str>, sep: Option<&Value>, max: isize, right: bool) -> Res<Value> {
    let sep = sep.filter(|sep| !sep.is_none());
    if max < 0
        && let Some(bytes) = this.ascii_bytes()
        && let Some(sep) = sep.and_then(|sep| sep.downcast_exact::<Str>())
        && let Some([sep]) = sep.ascii_bytes()
    {
        return split_at_byte(vm, this, bytes, *sep);
    }
    if sep.is_none()
        && max < 0
        && !right
        && let Some(bytes) = this.ascii_bytes()
    {
        return split_words(vm, this, bytes);
    }
    let (view, max) = (this.view(), limit(max));
    let ranges = match sep {
        None if right => view.rsplit_whitespace(max),
        None => view.split_whitespace(max),
        Some(sep) => {
            let Some(sep) = sep.downcast::<Str>() else {
                let message = format!("must be str or None, not {}", sep.ty().name());
                return Err(vm.type_error(message));
            };
            if sep.is_empty() {
                return Err(vm.value_error("empty separator"));
            }
            if right {
                view.rsplit(sep.view(), max)
            } else {
                view.split(sep.view(), max)
            }
        }
    };
    parts(vm, this, ranges.ok_or(NoMemory)?)
}

fn justify(vm: &Vm, this: &Py<Str>, width: isize, fill: Option<&Value>, how: Justify) -> Res<Value> {
    let fill = match fill {
        None => u32::from(b' '),
        Some(fill) => match fill.downcast::<Str>() {
            Some(fill) if fill.len() == 1 => fill.view().get(0).unwrap_or(0),
            Some(_) => return Err(vm.type_error("The fill character must be exactly one character long")),
            None => {
                let found = fill.ty().name();
                let message = format!("The fill character must be a unicode character, not {found}");
                return Err(vm.type_error(message));
            }
        },
    };
    edited(
        vm,
        this,
        this.view().justify(how, usize::try_from(width).unwrap_or(0), fill),
    )
}

/// `separator.join(items)`
pub(crate) fn join(vm: &Vm, separator: StrView<'_>, items: &[Value]) -> Res<Value> {
    for (at, item) in items.iter().enumerate() {
        if item.downcast::<Str>().is_none() {
            let found = item.ty().name();
            let message = format!("sequence item {at}: expected str instance, {found} found");
            return Err(vm.type_error(message));
        }
    }
    if let [one] = items
        && one.downcast_exact::<Str>().is_some()
    {
        return Ok(one.clone());
    }
    let views = items.iter().filter_map(|item| item.downcast::<Str>().map(|s| s.view()));
    text_or_memory(vm, separator.join(views))
}

fn new_of(vm: &Vm, cls: &Py<Type>, text: Value) -> Res<Value> {
    if cls.is(Str::ty()) {
        return Ok(text);
    }
    let Some(text) = text.downcast::<Str>() else {
        return Err(vm.system_error("a str was expected"));
    };
    Ok(Py::with_class(cls, Str::subclass_payload(text.view())).into_value())
}

/// The arguments of the constructor.
static NEW: Signature = signature!("str(object='', encoding='utf-8', errors='strict')");

/// What a text is to be parted at.
fn separator<'a>(vm: &Vm, sep: &'a Value) -> Res<&'a Py<Str>> {
    sep.downcast::<Str>()
        .ok_or_else(|| vm.type_error(format!("must be str, not {}", sep.ty().name())))
}

#[pymethods]
impl Str {
    #[slot]
    fn __new__(vm: &Vm, cls: &Py<Type>, args: Args<'_>) -> Res<Value> {
        if let (None, [object]) = (args.kwnames, args.values) {
            let text = vm.str(object)?;
            return if cls.is(Str::ty()) {
                Ok(text.into_value())
            } else {
                new_of(vm, cls, text.into_value())
            };
        }
        let given = args.values.len();
        if given > 3 && !args.has_keywords() {
            return Err(vm.type_error(format!("str expected at most 3 arguments, got {given}")));
        }
        let mut bound = [None; 3];
        NEW.bind(vm, args, &mut bound)?;
        let [object, encoding, errors] = bound;
        let text_arg = |value: Option<&'_ Value>, name: &str| -> Res<Option<Py<Str>>> {
            let Some(value) = value else { return Ok(None) };
            match value.clone().try_into_py::<Str>() {
                Ok(text) => Ok(Some(text)),
                Err(value) => {
                    let found = value.ty().name();
                    Err(vm.type_error(format!("str() argument '{name}' must be str, not {found}")))
                }
            }
        };
        let (encoding, errors) = (text_arg(encoding, "encoding")?, text_arg(errors, "errors")?);
        let (encoding, errors) = (encoding.as_ref(), errors.as_ref());
        let Some(object) = object else {
            return new_of(vm, cls, Str::empty().into_value());
        };
        if encoding.is_none() && errors.is_none() {
            let text = vm.str(object)?;
            return if cls.is(Str::ty()) {
                Ok(text.into_value())
            } else {
                new_of(vm, cls, text.into_value())
            };
        }
        if object.downcast::<Str>().is_some() {
            return Err(vm.type_error("decoding str is not supported"));
        }
        let Some(bytes) = super::buffer::bytes_of(object) else {
            let found = object.ty().name();
            let message = format!("decoding to str: need a bytes-like object, {found} found");
            return Err(vm.type_error(message));
        };
        let encoding = encoding::checked_name(vm, encoding, "utf-8")?;
        let errors = encoding::checked_name(vm, errors, "strict")?;
        let text = encoding::decode(vm, object, &bytes, &encoding, &errors)?;
        new_of(vm, cls, text)
    }

    #[slot]
    fn __repr__(vm: &Vm, this: &Py<Str>) -> Res<Value> {
        text_value(vm, &repr::repr(this.view()))
    }

    #[slot]
    fn __str__(vm: &Vm, this: &Py<Str>) -> Res<Value> {
        plain(vm, this)
    }

    #[slot]
    fn __hash__(_vm: &Vm, this: &Py<Str>) -> Res<i64> {
        Ok(this.hash())
    }

    #[slot]
    fn __richcompare__(_vm: &Vm, this: &Py<Str>, other: &Value, op: CmpOp) -> Res<Value> {
        let Some(other) = other.downcast::<Str>() else {
            return Ok(Value::NOT_IMPLEMENTED);
        };
        let order = || this.view().cmp(&other.view());
        Ok(Value::from_bool(match op {
            CmpOp::Eq => this.text_eq(other),
            CmpOp::Ne => !this.text_eq(other),
            CmpOp::Lt => order().is_lt(),
            CmpOp::Le => order().is_le(),
            CmpOp::Gt => order().is_gt(),
            CmpOp::Ge => order().is_ge(),
        }))
    }

    #[slot]
    fn __len__(_vm: &Vm, this: &Py<Str>) -> Res<usize> {
        Ok(Str::len(this))
    }

    #[slot]
    fn __iter__(_vm: &Vm, this: &Py<Str>) -> Res<Value> {
        if this.is_ascii() {
            return Ok(StrAsciiIter::over(this).into_value());
        }
        Ok(StrIter::over(this).into_value())
    }

    #[slot]
    fn __contains__(vm: &Vm, this: &Py<Str>, item: &Value) -> Res<bool> {
        match item.downcast::<Str>() {
            Some(item) => Ok(this.view().contains(item.view())),
            None => {
                let found = item.ty().name();
                Err(vm.type_error(format!("'in <string>' requires string as left operand, not {found}")))
            }
        }
    }

    #[slot]
    fn __getitem__(vm: &Vm, this: &Py<Str>, key: &Value) -> Res<Value> {
        if let Some(slice) = key.downcast_exact::<Slice>() {
            let range = slice.adjust(vm, this.len())?;
            return match range.contiguous() {
                Some(range) => part(vm, this, range),
                None if range.count == 0 => Ok(Str::empty().into_value()),
                None => text_value(
                    vm,
                    &this.view().slice_step(range.start as usize, range.step, range.count),
                ),
            };
        }
        let index = match key.as_small_int() {
            Some(index) => index as isize,
            None if key.ty().slots().index.is_some() => vm.index_to_isize(key)?,
            None => {
                let found = key.ty().name();
                return Err(vm.type_error(format!("string indices must be integers, not '{found}'")));
            }
        };
        let at = if index < 0 {
            index.wrapping_add_unsigned(this.len())
        } else {
            index
        };
        match usize::try_from(at).ok().and_then(|at| this.view().get(at)) {
            Some(code) => Ok(Str::from_char(code).into_value()),
            None => Err(vm.index_error("string index out of range")),
        }
    }

    #[slot]
    fn __concat__(vm: &Vm, this: &Py<Str>, other: &Value) -> Res<Value> {
        let Some(theirs) = other.downcast::<Str>() else {
            let message = format!("can only concatenate str (not \"{}\") to str", other.ty().name());
            return Err(vm.type_error(message));
        };
        if this.is_empty() {
            return plain(vm, theirs);
        }
        if theirs.is_empty() {
            return plain(vm, this);
        }
        if let Some(both) = Str::concat_ascii(this, theirs) {
            return Ok(both.into_value());
        }
        text_or_memory(vm, this.view().concat(theirs.view()))
    }

    #[slot]
    fn __repeat__(vm: &Vm, this: &Py<Str>, n: isize) -> Res<Value> {
        match usize::try_from(n).unwrap_or(0) {
            0 => Ok(Str::empty().into_value()),
            1 => plain(vm, this),
            n => text_or_memory(vm, this.view().repeat(n)),
        }
    }

    #[slot]
    fn __mod__(vm: &Vm, a: &Value, b: &Value) -> Res<Value> {
        match a.downcast::<Str>() {
            Some(template) => super::str_format::percent(vm, template, b),
            None => Ok(Value::NOT_IMPLEMENTED),
        }
    }

    #[pymethod(sig = "($self, /)")]
    fn __getnewargs__(vm: &Vm, this: &Py<Str>) -> Res<Value> {
        let copy = match Str::try_from_view(this.view()) {
            Some(copy) => copy.into_value(),
            None => return Err(vm.memory_error()),
        };
        Ok(Tuple::from_array([copy]).into_value())
    }

    /// Return the size of the string in memory, in bytes.
    #[pymethod(sig = "($self, /)")]
    fn __sizeof__(_vm: &Vm, this: &Py<Str>) -> Res<usize> {
        // As CPython counts it: the head of a string of ASCII is shorter, and a null follows the text.
        let (head, width) = match this.view() {
            StrView::Ascii(_) => (40, 1),
            StrView::Latin1(_) => (56, 1),
            StrView::Ucs2(_) => (56, 2),
            StrView::Ucs4(_) => (56, 4),
        };
        Ok(head + width * (this.len() + 1))
    }

    /// Return a formatted version of the string as described by format_spec.
    #[pymethod(sig = "($self, format_spec, /)")]
    fn __format__(vm: &Vm, this: &Py<Str>, format_spec: &Py<Str>) -> Res<Value> {
        if format_spec.is_empty() {
            return vm.str(this.as_value()).map(Py::into_value);
        }
        let made = format_spec::format_str(this.view(), format_spec.view(), &this.class().name());
        text_value(vm, &made.map_err(|error| format_error(vm, error))?)
    }

    /// Format the string by substituting arguments for the fields in braces.
    #[pymethod(sig = "($self, /, *args, **kwargs)")]
    fn format(vm: &Vm, this: &Py<Str>, args: &[Value], kwargs: KwArgs<'_>) -> Res<Value> {
        super::str_format::format(vm, this, args, kwargs)
    }

    /// Format the string by substituting values of a mapping for the fields in braces.
    #[pymethod(sig = "($self, mapping, /)")]
    fn format_map(vm: &Vm, this: &Py<Str>, mapping: &Value) -> Res<Value> {
        super::str_format::format_map(vm, this, mapping)
    }

    /// Encode the string with the codec registered for the encoding.
    ///
    /// errors says what to do with characters that do not encode: 'strict' raises a
    /// UnicodeEncodeError; others are 'ignore', 'replace', 'xmlcharrefreplace' and any
    /// other name registered with codecs.register_error.
    #[pymethod(sig = "($self, /, encoding='utf-8', errors='strict')")]
    fn encode(vm: &Vm, this: &Py<Str>, encoding: Option<&Py<Str>>, errors: Option<&Py<Str>>) -> Res<Value> {
        let encoding = encoding::checked_name(vm, encoding, "utf-8")?;
        let errors = encoding::checked_name(vm, errors, "strict")?;
        encoding::encode(vm, this, &encoding, &errors)
    }

    /// Concatenate any number of strings, with this string between them.
    #[pymethod(sig = "($self, iterable, /)")]
    fn join(vm: &Vm, this: &Py<Str>, iterable: &Value) -> Res<Value> {
        if let Some(separator) = this.ascii_bytes() {
            // What is plain is joined in place; no Python code runs.
            let joined = if let Some(list) = iterable.downcast_exact::<List>() {
                list.with(|items| Str::join_ascii(separator, items))
            } else {
                iterable
                    .downcast_exact::<Tuple>()
                    .and_then(|tuple| Str::join_ascii(separator, tuple))
            };
            if let Some(joined) = joined {
                return Ok(joined.into_value());
            }
        }
        if let Some(tuple) = iterable.downcast_exact::<Tuple>() {
            return join(vm, this.view(), tuple.as_slice());
        }
        let items = super::list_methods::collect_or(vm, iterable, "can only join an iterable")?;
        join(vm, this.view(), &items)
    }

    /// Return a list of the substrings between separators.
    ///
    /// Without a separator, runs of white space separate and empty strings are left out.
    /// At most maxsplit splits are done, from the left; -1 means no limit.
    #[pymethod(sig = "($self, /, sep=None, maxsplit=-1)")]
    fn split(vm: &Vm, this: &Py<Str>, sep: Option<&Value>, maxsplit: isize) -> Res<Value> {
        split(vm, this, sep, maxsplit, false)
    }

    /// As split, with the splits counted from the right.
    #[pymethod(sig = "($self, /, sep=None, maxsplit=-1)")]
    fn rsplit(vm: &Vm, this: &Py<Str>, sep: Option<&Value>, maxsplit: isize) -> Res<Value> {
        split(vm, this, sep, maxsplit, true)
    }

    /// Return a list of the lines, without their ends unless keepends is true.
    #[pymethod(sig = "($self, /, keepends=False)")]
    fn splitlines(vm: &Vm, this: &Py<Str>, keepends: bool) -> Res<Value> {
        parts(vm, this, this.view().split_lines(keepends).ok_or(NoMemory)?)
    }

    /// Return a copy without leading and trailing white space, or characters of chars.
    #[pymethod(sig = "($self, chars=None, /)")]
    fn strip(vm: &Vm, this: &Py<Str>, chars: Option<&Value>) -> Res<Value> {
        strip(vm, this, chars, Strip::Both, "strip")
    }

    /// Return a copy without leading white space, or characters of chars.
    #[pymethod(sig = "($self, chars=None, /)")]
    fn lstrip(vm: &Vm, this: &Py<Str>, chars: Option<&Value>) -> Res<Value> {
        strip(vm, this, chars, Strip::Left, "lstrip")
    }

    /// Return a copy without trailing white space, or characters of chars.
    #[pymethod(sig = "($self, chars=None, /)")]
    fn rstrip(vm: &Vm, this: &Py<Str>, chars: Option<&Value>) -> Res<Value> {
        strip(vm, this, chars, Strip::Right, "rstrip")
    }

    /// Return a copy with occurrences of old replaced by new.
    ///
    /// At most count of them are replaced, from the left; -1 means all.
    #[pymethod(sig = "($self, old, new, /, count=-1)")]
    fn replace(vm: &Vm, this: &Py<Str>, old: &Py<Str>, new: &Py<Str>, count: isize) -> Res<Value> {
        if count < 0
            && let (Some(text), Some(&[byte]), Some(new)) = (this.ascii_bytes(), old.ascii_bytes(), new.ascii_bytes())
            && let Some(replaced) = replace_byte(vm, this, text, byte, new)
        {
            return replaced;
        }
        edited(vm, this, this.view().replace(old.view(), new.view(), limit(count)))
    }

    /// Return the lowest index of sub in S[start:end], or -1.
    #[pymethod(sig = "($self, sub, start=None, end=None, /)")]
    fn find(vm: &Vm, this: &Py<Str>, sub: &Py<Str>, start: Option<&Value>, end: Option<&Value>) -> Res<Value> {
        Ok(index_or_minus_one(find_in(vm, this, sub, start, end, false)?))
    }

    /// Return the highest index of sub in S[start:end], or -1.
    #[pymethod(sig = "($self, sub, start=None, end=None, /)")]
    fn rfind(vm: &Vm, this: &Py<Str>, sub: &Py<Str>, start: Option<&Value>, end: Option<&Value>) -> Res<Value> {
        Ok(index_or_minus_one(find_in(vm, this, sub, start, end, true)?))
    }

    /// Return the lowest index of sub in S[start:end]; ValueError if there is none.
    #[pymethod(sig = "($self, sub, start=None, end=None, /)")]
    fn index(vm: &Vm, this: &Py<Str>, sub: &Py<Str>, start: Option<&Value>, end: Option<&Value>) -> Res<usize> {
        find_in(vm, this, sub, start, end, false)?.ok_or_else(|| vm.value_error("substring not found"))
    }

    /// Return the highest index of sub in S[start:end]; ValueError if there is none.
    #[pymethod(sig = "($self, sub, start=None, end=None, /)")]
    fn rindex(vm: &Vm, this: &Py<Str>, sub: &Py<Str>, start: Option<&Value>, end: Option<&Value>) -> Res<usize> {
        find_in(vm, this, sub, start, end, true)?.ok_or_else(|| vm.value_error("substring not found"))
    }

    /// Return the number of occurrences of sub in S[start:end] that do not overlap.
    #[pymethod(sig = "($self, sub, start=None, end=None, /)")]
    fn count(vm: &Vm, this: &Py<Str>, sub: &Py<Str>, start: Option<&Value>, end: Option<&Value>) -> Res<usize> {
        Ok(match bounds(vm, start, end, this.len())? {
            Some(range) => this.view().slice(range).count(sub.view()),
            None => 0,
        })
    }

    /// Whether S[start:end] starts with the prefix, or with one of a tuple of prefixes.
    #[pymethod(sig = "($self, prefix, start=None, end=None, /)")]
    fn startswith(vm: &Vm, this: &Py<Str>, prefix: &Value, start: Option<&Value>, end: Option<&Value>) -> Res<bool> {
        affix(vm, this, prefix, start, end, "startswith", |text, wanted| {
            text.starts_with(wanted)
        })
    }

    /// Whether S[start:end] ends with the suffix, or with one of a tuple of suffixes.
    #[pymethod(sig = "($self, suffix, start=None, end=None, /)")]
    fn endswith(vm: &Vm, this: &Py<Str>, suffix: &Value, start: Option<&Value>, end: Option<&Value>) -> Res<bool> {
        affix(vm, this, suffix, start, end, "endswith", |text, wanted| {
            text.ends_with(wanted)
        })
    }

    /// Return what stands before the first separator, the separator, and what follows it.
    ///
    /// Without the separator in the string: the string and two empty strings.
    #[pymethod(sig = "($self, sep, /)")]
    fn partition(vm: &Vm, this: &Py<Str>, sep: &Value) -> Res<Value> {
        let sep = separator(vm, sep)?;
        if sep.is_empty() {
            return Err(vm.value_error("empty separator"));
        }
        let items = match this.view().partition(sep.view()) {
            Some(found) => [
                part(vm, this, 0..found.start)?,
                plain(vm, sep)?,
                part(vm, this, found.end..this.len())?,
            ],
            None => [plain(vm, this)?, Str::empty().into_value(), Str::empty().into_value()],
        };
        Ok(Tuple::from_array(items).into_value())
    }

    /// Return what stands before the last separator, the separator, and what follows it.
    ///
    /// Without the separator in the string: two empty strings and the string.
    #[pymethod(sig = "($self, sep, /)")]
    fn rpartition(vm: &Vm, this: &Py<Str>, sep: &Value) -> Res<Value> {
        let sep = separator(vm, sep)?;
        if sep.is_empty() {
            return Err(vm.value_error("empty separator"));
        }
        let items = match this.view().rpartition(sep.view()) {
            Some(found) => [
                part(vm, this, 0..found.start)?,
                plain(vm, sep)?,
                part(vm, this, found.end..this.len())?,
            ],
            None => [Str::empty().into_value(), Str::empty().into_value(), plain(vm, this)?],
        };
        Ok(Tuple::from_array(items).into_value())
    }

    /// Return a copy without the prefix, if it has it.
    #[pymethod(sig = "($self, prefix, /)")]
    fn removeprefix(vm: &Vm, this: &Py<Str>, prefix: &Py<Str>) -> Res<Value> {
        part(vm, this, this.view().remove_prefix(prefix.view()))
    }

    /// Return a copy without the suffix, if it has it.
    #[pymethod(sig = "($self, suffix, /)")]
    fn removesuffix(vm: &Vm, this: &Py<Str>, suffix: &Py<Str>) -> Res<Value> {
        part(vm, this, this.view().remove_suffix(suffix.view()))
    }

    /// Return a centered string of length width, padded with the fill character.
    #[pymethod(sig = "($self, width, fillchar=' ', /)")]
    fn center(vm: &Vm, this: &Py<Str>, width: isize, fillchar: Option<&Value>) -> Res<Value> {
        justify(vm, this, width, fillchar, Justify::Center)
    }

    /// Return a left-justified string of length width, padded with the fill character.
    #[pymethod(sig = "($self, width, fillchar=' ', /)")]
    fn ljust(vm: &Vm, this: &Py<Str>, width: isize, fillchar: Option<&Value>) -> Res<Value> {
        justify(vm, this, width, fillchar, Justify::Left)
    }

    /// Return a right-justified string of length width, padded with the fill character.
    #[pymethod(sig = "($self, width, fillchar=' ', /)")]
    fn rjust(vm: &Vm, this: &Py<Str>, width: isize, fillchar: Option<&Value>) -> Res<Value> {
        justify(vm, this, width, fillchar, Justify::Right)
    }

    /// Pad a numeric string with zeros on the left, after its sign.
    #[pymethod(sig = "($self, width, /)")]
    fn zfill(vm: &Vm, this: &Py<Str>, width: isize) -> Res<Value> {
        edited(vm, this, this.view().zfill(usize::try_from(width).unwrap_or(0)))
    }

    /// Return a copy in which each tab is replaced by spaces up to the next column of tabsize.
    #[pymethod(sig = "($self, /, tabsize=8)")]
    fn expandtabs(vm: &Vm, this: &Py<Str>, tabsize: i32) -> Res<Value> {
        text_or_memory(vm, this.view().expand_tabs(usize::try_from(tabsize).unwrap_or(0)))
    }

    /// Replace each character by what the table has for it: a code point, a string, or None to delete it.
    #[pymethod(sig = "($self, table, /)")]
    fn translate(vm: &Vm, this: &Py<Str>, table: &Value) -> Res<Value> {
        let lookup = |code: u32| translation(vm, table, code);
        let made = this.view().translate(lookup)?;
        text_value(vm, &made)
    }

    /// Return a translation table for str.translate.
    ///
    /// One argument is a dict from characters or code points to replacements. Two are strings
    /// of equal length; the characters of a third are deleted.
    #[staticmethod(sig = "(x, y=<unrepresentable>, z=<unrepresentable>, /)")]
    fn maketrans(vm: &Vm, x: &Value, y: Option<&Py<Str>>, z: Option<&Py<Str>>) -> Res<Value> {
        let table = Dict::new_empty();
        match y {
            Some(y) => {
                let Some(x) = x.downcast::<Str>() else {
                    let message = "first maketrans argument must be a string if there is a second argument";
                    return Err(vm.type_error(message));
                };
                if x.len() != y.len() {
                    return Err(vm.value_error("the first two maketrans arguments must have equal length"));
                }
                for (from, to) in x.view().chars().zip(y.view().chars()) {
                    table.set(vm, &Value::int(from.into()), Value::int(to.into()))?;
                }
                for drop in z.into_iter().flat_map(|z| z.view().chars()) {
                    table.set(vm, &Value::int(drop.into()), Value::NONE)?;
                }
            }
            None => {
                let Some(dict) = x.downcast::<Dict>() else {
                    let message = "if you give only one argument to maketrans it must be a dict";
                    return Err(vm.type_error(message));
                };
                for (key, value) in dict.snapshot() {
                    if let Some(text) = key.downcast::<Str>() {
                        if text.len() != 1 {
                            return Err(vm.value_error("string keys in translation table must be of length 1"));
                        }
                        let code = text.view().get(0).unwrap_or(0);
                        table.set(vm, &Value::int(code.into()), value)?;
                    } else if vm.int_value(&key).is_some() {
                        table.set(vm, &key, value)?;
                    } else {
                        return Err(vm.type_error("keys in translation table must be strings or integers"));
                    }
                }
            }
        }
        Ok(table.into_value())
    }

    /// Return a copy in upper case.
    #[pymethod(sig = "($self, /)")]
    fn upper(vm: &Vm, this: &Py<Str>) -> Res<Value> {
        text_value(vm, &this.view().to_upper())
    }

    /// Return a copy in lower case.
    #[pymethod(sig = "($self, /)")]
    fn lower(vm: &Vm, this: &Py<Str>) -> Res<Value> {
        text_value(vm, &this.view().to_lower())
    }

    /// Return a copy in which each word starts in upper case and goes on in lower case.
    #[pymethod(sig = "($self, /)")]
    fn title(vm: &Vm, this: &Py<Str>) -> Res<Value> {
        text_value(vm, &this.view().to_title())
    }

    /// Return a copy whose first character is in upper case and the rest in lower case.
    #[pymethod(sig = "($self, /)")]
    fn capitalize(vm: &Vm, this: &Py<Str>) -> Res<Value> {
        text_value(vm, &this.view().capitalize())
    }

    /// Return a copy with upper and lower case exchanged.
    #[pymethod(sig = "($self, /)")]
    fn swapcase(vm: &Vm, this: &Py<Str>) -> Res<Value> {
        text_value(vm, &this.view().swap_case())
    }

    /// Return a copy for comparisons without regard to case.
    #[pymethod(sig = "($self, /)")]
    fn casefold(vm: &Vm, this: &Py<Str>) -> Res<Value> {
        text_value(vm, &this.view().case_fold())
    }

    /// Whether there are characters and all of them are letters.
    #[pymethod(sig = "($self, /)")]
    fn isalpha(_vm: &Vm, this: &Py<Str>) -> bool {
        this.view().is_alpha()
    }

    /// Whether there are characters and all of them are letters or numbers.
    #[pymethod(sig = "($self, /)")]
    fn isalnum(_vm: &Vm, this: &Py<Str>) -> bool {
        this.view().is_alnum()
    }

    /// Whether all characters are ASCII; true of the empty string.
    #[pymethod(sig = "($self, /)")]
    fn isascii(_vm: &Vm, this: &Py<Str>) -> bool {
        this.view().is_ascii()
    }

    /// Whether there are characters and all of them are decimal digits.
    #[pymethod(sig = "($self, /)")]
    fn isdecimal(_vm: &Vm, this: &Py<Str>) -> bool {
        this.view().is_decimal()
    }

    /// Whether there are characters and all of them are digits.
    #[pymethod(sig = "($self, /)")]
    fn isdigit(_vm: &Vm, this: &Py<Str>) -> bool {
        this.view().is_digit()
    }

    /// Whether there are characters and all of them have a numeric value.
    #[pymethod(sig = "($self, /)")]
    fn isnumeric(_vm: &Vm, this: &Py<Str>) -> bool {
        this.view().is_numeric()
    }

    /// Whether the string is a valid Python identifier.
    #[pymethod(sig = "($self, /)")]
    fn isidentifier(_vm: &Vm, this: &Py<Str>) -> bool {
        this.view().is_identifier()
    }

    /// Whether there are cased characters and all of them are in lower case.
    #[pymethod(sig = "($self, /)")]
    fn islower(_vm: &Vm, this: &Py<Str>) -> bool {
        this.view().is_lower()
    }

    /// Whether there are cased characters and all of them are in upper case.
    #[pymethod(sig = "($self, /)")]
    fn isupper(_vm: &Vm, this: &Py<Str>) -> bool {
        this.view().is_upper()
    }

    /// Whether the string is in title case.
    #[pymethod(sig = "($self, /)")]
    fn istitle(_vm: &Vm, this: &Py<Str>) -> bool {
        this.view().is_title()
    }

    /// Whether there are characters and all of them are white space.
    #[pymethod(sig = "($self, /)")]
    fn isspace(_vm: &Vm, this: &Py<Str>) -> bool {
        this.view().is_space()
    }

    /// Whether repr shows all characters as they are; true of the empty string.
    #[pymethod(sig = "($self, /)")]
    fn isprintable(_vm: &Vm, this: &Py<Str>) -> bool {
        this.view().is_printable()
    }
}

/// What a table of `translate` has for a character.
fn translation(vm: &Vm, table: &Value, code: u32) -> Res<Translation> {
    let found = match vm.getitem(table, &Value::int(code.into())) {
        Ok(found) => found,
        Err(exc) if exc.is_instance(exceptions::LOOKUP_ERROR.get()) => return Ok(Translation::Keep),
        Err(exc) => return Err(exc),
    };
    if found.is_none() {
        return Ok(Translation::Drop);
    }
    if let Some(text) = found.downcast::<Str>() {
        return Ok(Translation::Text(text.view().to_buf()));
    }
    match vm.int_value(&found) {
        Some(int) => match int.to_i64().and_then(|i| u32::try_from(i).ok()) {
            Some(code) if code < 0x11_0000 => Ok(Translation::Char(code)),
            _ => Err(vm.value_error("character mapping must be in range(0x110000)")),
        },
        None => Err(vm.type_error("character mapping must return integer, None or str")),
    }
}
