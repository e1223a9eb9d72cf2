//! `re.Pattern` and its scanners.
//!
//! Invariant: a pattern never changes. The position of a scanner is read and written under its lock; the match between runs unlocked.

use std::sync::OnceLock;

use lisle_runtime::intern;
use lisle_runtime::memory::trace::Opaque;
use lisle_runtime::native::*;
use lisle_runtime::sync::Locked;
use lisle_runtime::text::StrBuilder;
use lisle_runtime::types::buffer::{Buffer, BufferFlags, get_buffer};
use lisle_runtime::types::bytes::Bytes;
use lisle_runtime::types::dict::Dict;
use lisle_runtime::types::generic_alias::GenericAlias;
use lisle_runtime::types::list::List;
use lisle_runtime::types::mappingproxy::MappingProxy;
use lisle_runtime::types::tuple::Tuple;

use super::codes::flag;
use super::engine::{Found, Mode};
use super::first::First;
use super::matched::{Joined, Match, Template, compile_template};
use super::subject::{Matcher, Subject, text_of};

/// A compiled regular expression.
#[pyclass(
    name = "Pattern",
    late_end,
    module = "re",
    no_new,
    weakref,
    doc = "Compiled regular expression object."
)]
pub struct Pattern {
    pub pattern: Value,
    pub flags: i64,
    pub groups: usize,
    pub groupindex: Py<Dict>,
    pub indexgroup: Py<Tuple>,
    pub code: Opaque<Box<[u32]>>,
    /// Whether it is for bytes or for text; `None` for either.
    pub is_bytes: Option<bool>,
    /// What a match begins with, once it was asked for.
    pub first: Opaque<OnceLock<Option<First>>>,
}

/// How long a text is for which it pays to find out what a match begins with.
const LONG: usize = 256;

impl Pattern {
    fn subject<'a>(&self, vm: &Vm, string: &'a Value) -> Res<Subject<'a>> {
        let subject = Subject::new(vm, string)?;
        match (self.is_bytes, subject.is_bytes()) {
            (Some(true), false) => Err(vm.type_error("cannot use a bytes pattern on a string-like object")),
            (Some(false), true) => Err(vm.type_error("cannot use a string pattern on a bytes-like object")),
            _ => Ok(subject),
        }
    }

    /// Runs `f` with a matcher and the bounds that `pos` and `endpos` come to.
    fn with_matcher<R>(
        &self,
        vm: &Vm,
        subject: &Subject<'_>,
        pos: Option<isize>,
        endpos: Option<isize>,
        f: impl FnOnce(&mut dyn Matcher, usize, usize) -> Res<R>,
    ) -> Res<R> {
        let (start, end) = bounds(subject.len(), pos, endpos);
        let first = self.first(end - start.min(end));
        subject.with_matcher(vm, &self.code.0, self.groups, first, end, |matcher| {
            f(matcher, start, end)
        })
    }

    /// What a match begins with, if that is known, for a text of this length.
    fn first(&self, len: usize) -> Option<&First> {
        if len < LONG || self.flags & flag::LOCALE != 0 {
            return self.first.0.get()?.as_ref();
        }
        self.first.0.get_or_init(|| First::of(&self.code.0)).as_ref()
    }
}

fn bounds(len: usize, pos: Option<isize>, endpos: Option<isize>) -> (usize, usize) {
    let clamp = |at: isize| usize::try_from(at).unwrap_or(0).min(len);
    let start = pos.map_or(0, clamp);
    let end = endpos.map_or(len, clamp);
    (start.min(end), end)
}

fn match_once(
    vm: &Vm,
    this: &Py<Pattern>,
    mode: Mode,
    string: &Value,
    pos: Option<isize>,
    endpos: Option<isize>,
) -> Res<Option<Value>> {
    let subject = this.subject(vm, string)?;
    this.with_matcher(vm, &subject, pos, endpos, |matcher, start, end| {
        let found = matcher.run(start, mode, false)?;
        Ok(found.map(|found| Match::new(this, string, found, start, end).into_value()))
    })
}

/// Calls `f` with each match, none overlapping, until it says to stop; empty ones may touch the end of the one before.
fn each(matcher: &mut dyn Matcher, start: usize, mut f: impl FnMut(Found) -> Res<bool>) -> Res<()> {
    let (mut at, mut advance) = (start, false);
    while let Some(found) = matcher.run(at, Mode::Search, advance)? {
        advance = found.start == found.end;
        at = found.end;
        if !f(found)? {
            return Ok(());
        }
    }
    Ok(())
}

fn slice_group(vm: &Vm, subject: &Subject<'_>, found: &Found, index: usize, empty: bool) -> Res<Value> {
    match found.span(index) {
        Some((start, end)) => subject.slice(vm, start, end),
        None if empty => subject.slice(vm, 0, 0),
        None => Ok(Value::NONE),
    }
}

#[pymethods]
impl Pattern {
    /// Matches zero or more characters at the beginning of the string.
    #[pymethod(name = "match", sig = "($self, /, string, pos=0, endpos=sys.maxsize)")]
    fn match_(
        vm: &Vm,
        this: &Py<Pattern>,
        string: &Value,
        pos: Option<isize>,
        endpos: Option<isize>,
    ) -> Res<Option<Value>> {
        match_once(vm, this, Mode::Match, string, pos, endpos)
    }

    /// Matches against all of the string.
    #[pymethod(sig = "($self, /, string, pos=0, endpos=sys.maxsize)")]
    fn fullmatch(
        vm: &Vm,
        this: &Py<Pattern>,
        string: &Value,
        pos: Option<isize>,
        endpos: Option<isize>,
    ) -> Res<Option<Value>> {
        match_once(vm, this, Mode::FullMatch, string, pos, endpos)
    }

    /// Scan through string looking for a match, and return a corresponding match object instance.
    ///
    /// Return None if no position in the string matches.
    #[pymethod(sig = "($self, /, string, pos=0, endpos=sys.maxsize)")]
    fn search(
        vm: &Vm,
        this: &Py<Pattern>,
        string: &Value,
        pos: Option<isize>,
        endpos: Option<isize>,
    ) -> Res<Option<Value>> {
        match_once(vm, this, Mode::Search, string, pos, endpos)
    }

    /// Return a list of all non-overlapping matches of pattern in string.
    #[pymethod(sig = "($self, /, string, pos=0, endpos=sys.maxsize)")]
    fn findall(vm: &Vm, this: &Py<Pattern>, string: &Value, pos: Option<isize>, endpos: Option<isize>) -> Res<Value> {
        let subject = this.subject(vm, string)?;
        let groups = this.groups;
        let mut items = Vec::new();
        this.with_matcher(vm, &subject, pos, endpos, |matcher, start, _| {
            each(matcher, start, |found| {
                items.try_reserve(1)?;
                items.push(match groups {
                    0 | 1 => slice_group(vm, &subject, &found, groups, true)?,
                    _ => {
                        let parts = (1..=groups).map(|index| slice_group(vm, &subject, &found, index, true));
                        Tuple::new(parts.collect::<Res<_>>()?).into_value()
                    }
                });
                Ok(true)
            })
        })?;
        Ok(List::new(items).into_value())
    }

    /// Return an iterator over all non-overlapping matches for the RE pattern in string.
    ///
    /// For each match, the iterator returns a match object.
    #[pymethod(sig = "($self, /, string, pos=0, endpos=sys.maxsize)")]
    fn finditer(vm: &Vm, this: &Py<Pattern>, string: &Value, pos: Option<isize>, endpos: Option<isize>) -> Res<Value> {
        let scanner = Pattern::scanner(vm, this, string, pos, endpos)?;
        let search = vm.getattr(&scanner, intern!("search"))?;
        let iter = vm.builtin(intern!("iter"))?;
        vm.call(&iter, &[search, Value::NONE])
    }

    #[pymethod(sig = "($self, /, string, pos=0, endpos=sys.maxsize)")]
    fn scanner(vm: &Vm, this: &Py<Pattern>, string: &Value, pos: Option<isize>, endpos: Option<isize>) -> Res<Value> {
        let subject = this.subject(vm, string)?;
        let held = match string.downcast::<Bytes>().is_none() && subject.is_bytes() {
            true => Some(get_buffer(vm, string, BufferFlags::SIMPLE)?),
            false => None,
        };
        let (start, end) = bounds(subject.len(), pos, endpos);
        Ok(Py::new(Scanner {
            pattern: this.clone(),
            string: string.clone(),
            held,
            pos: start,
            endpos: end,
            place: Opaque(Locked::new(Some((start, false)))),
        })
        .into_value())
    }

    /// Split string by the occurrences of pattern.
    #[pymethod(sig = "($self, /, string, maxsplit=0)")]
    fn split(vm: &Vm, this: &Py<Pattern>, string: &Value, maxsplit: Option<isize>) -> Res<Value> {
        let subject = this.subject(vm, string)?;
        let mut left = match maxsplit.unwrap_or(0) {
            0 => usize::MAX,
            n => usize::try_from(n).unwrap_or(0),
        };
        let mut items = Vec::new();
        let mut last = 0;
        if left > 0 {
            this.with_matcher(vm, &subject, None, None, |matcher, start, _| {
                each(matcher, start, |found| {
                    items.try_reserve(1 + this.groups)?;
                    items.push(subject.slice(vm, last, found.start)?);
                    for index in 1..=this.groups {
                        items.push(slice_group(vm, &subject, &found, index, false)?);
                    }
                    last = found.end;
                    left -= 1;
                    Ok(left > 0)
                })
            })?;
        }
        items.try_reserve(1)?;
        items.push(subject.slice(vm, last, subject.len())?);
        Ok(List::new(items).into_value())
    }

    /// Return the string obtained by replacing the leftmost non-overlapping occurrences of pattern in string by the replacement repl.
    #[pymethod(sig = "($self, /, repl, string, count=0)")]
    fn sub(vm: &Vm, this: &Py<Pattern>, repl: &Value, string: &Value, count: Option<isize>) -> Res<Value> {
        Ok(substitute(vm, this, repl, string, count)?.0)
    }

    /// Return the tuple (new_string, number_of_subs_made) found by replacing the leftmost non-overlapping occurrences of pattern with the replacement repl.
    #[pymethod(sig = "($self, /, repl, string, count=0)")]
    fn subn(vm: &Vm, this: &Py<Pattern>, repl: &Value, string: &Value, count: Option<isize>) -> Res<(Value, usize)> {
        substitute(vm, this, repl, string, count)
    }

    #[pymethod(sig = "($self, /)")]
    fn __copy__(_vm: &Vm, this: &Py<Pattern>) -> Value {
        this.to_value()
    }

    #[pymethod(sig = "($self, memo, /)")]
    fn __deepcopy__(_vm: &Vm, this: &Py<Pattern>, memo: &Value) -> Value {
        let _ = memo;
        this.to_value()
    }

    /// See PEP 585
    #[classmethod(sig = "($type, object, /)")]
    fn __class_getitem__(vm: &Vm, cls: &Py<Type>, object: &Value) -> Value {
        GenericAlias::new_value(vm, cls.as_value(), object)
    }

    #[slot]
    fn __repr__(vm: &Vm, this: &Py<Pattern>) -> Res<Value> {
        const NAMES: [(&str, i64); 8] = [
            ("re.IGNORECASE", flag::IGNORECASE),
            ("re.MULTILINE", flag::MULTILINE),
            ("re.DOTALL", flag::DOTALL),
            ("re.VERBOSE", flag::VERBOSE),
            ("re.DEBUG", flag::DEBUG),
            ("re.LOCALE", flag::LOCALE),
            ("re.ASCII", flag::ASCII),
            ("re.UNICODE", flag::UNICODE),
        ];
        let mut flags = this.flags;
        if this.is_bytes == Some(false) && flags & (flag::LOCALE | flag::UNICODE | flag::ASCII) == flag::UNICODE {
            flags &= !flag::UNICODE;
        }
        let mut shown: Vec<String> = Vec::new();
        for (name, bit) in NAMES {
            if flags & bit != 0 {
                shown.push(name.to_owned());
                flags &= !bit;
            }
        }
        if flags != 0 {
            shown.push(format!("{flags:#x}"));
        }
        let pattern = vm.repr(&this.pattern)?;
        let mut text = StrBuilder::new();
        text.push_str("re.compile(");
        text.push_view(pattern.view().slice(0..pattern.len().min(200)));
        if !shown.is_empty() {
            text.push_str(", ");
            text.push_str(&shown.join("|"));
        }
        text.push_str(")");
        text_of(vm, &text.finish())
    }

    #[slot]
    fn __hash__(vm: &Vm, this: &Py<Pattern>) -> Res<i64> {
        let code: u64 = this.code.0.iter().fold(0xcbf2_9ce4_8422_2325, |hash, word| {
            (hash ^ u64::from(*word)).wrapping_mul(0x100_0000_01b3)
        });
        let rest = code ^ this.flags as u64 ^ (this.groups as u64) << 32 ^ u64::from(this.is_bytes == Some(true));
        match vm.hash(&this.pattern)? ^ rest as i64 {
            -1 => Ok(-2),
            hash => Ok(hash),
        }
    }

    #[slot]
    fn __richcompare__(vm: &Vm, this: &Py<Pattern>, other: &Value, op: CmpOp) -> Res<Value> {
        let Some(other) = other
            .downcast::<Pattern>()
            .filter(|_| matches!(op, CmpOp::Eq | CmpOp::Ne))
        else {
            return Ok(Value::NOT_IMPLEMENTED);
        };
        let equal = this.is(other)
            || this.flags == other.flags
                && this.is_bytes == other.is_bytes
                && this.groups == other.groups
                && this.code.0 == other.code.0
                && vm.eq(&this.pattern, &other.pattern)?;
        Ok(Value::from_bool(equal == (op == CmpOp::Eq)))
    }

    /// The pattern string from which the RE object was compiled.
    #[getter]
    fn pattern(_vm: &Vm, this: &Py<Pattern>) -> Value {
        this.pattern.clone()
    }

    /// The regex matching flags.
    #[getter]
    fn flags(_vm: &Vm, this: &Py<Pattern>) -> i64 {
        this.flags
    }

    /// The number of capturing groups in the pattern.
    #[getter]
    fn groups(_vm: &Vm, this: &Py<Pattern>) -> usize {
        this.groups
    }

    /// A dictionary mapping group names to group numbers.
    #[getter]
    fn groupindex(_vm: &Vm, this: &Py<Pattern>) -> Value {
        MappingProxy::new_value(this.groupindex.to_value())
    }
}

/// What replaces each match.
enum Replacement<'a> {
    Literal(Value),
    Template(Value),
    Function(&'a Value),
}

fn substitute(vm: &Vm, this: &Py<Pattern>, repl: &Value, string: &Value, count: Option<isize>) -> Res<(Value, usize)> {
    let replacement = if repl.ty().slots().call.is_some() {
        Replacement::Function(repl)
    } else {
        let plain = match Subject::new(vm, repl) {
            Ok(text) => !text.view().chars().any(|c| c == u32::from(b'\\')),
            Err(_) => false,
        };
        let compiled = if plain {
            repl.clone()
        } else {
            compile_template(vm, this, repl)?
        };
        match compiled.downcast::<Template>() {
            Some(_) => Replacement::Template(compiled),
            None => Replacement::Literal(compiled),
        }
    };
    let subject = this.subject(vm, string)?;
    let mut left = match count.unwrap_or(0) {
        0 => usize::MAX,
        n => usize::try_from(n).unwrap_or(0),
    };
    let mut out = Joined::new(subject.is_bytes());
    let (mut last, mut done) = (0, 0);
    if left > 0 {
        this.with_matcher(vm, &subject, None, None, |matcher, start, end| {
            each(matcher, start, |found| {
                if last < found.start {
                    out.push_part(&subject, last, found.start);
                }
                last = found.end;
                match &replacement {
                    Replacement::Literal(literal) => out.push(vm, literal)?,
                    Replacement::Template(template) => {
                        if let Some(template) = template.downcast::<Template>() {
                            template.append(vm, &found, &subject, &mut out)?;
                        }
                    }
                    Replacement::Function(function) => {
                        let found = Match::new(this, string, found, start, end).into_value();
                        let result = vm.call(function, &[found])?;
                        if !result.is_none() {
                            out.push(vm, &result)?;
                        }
                    }
                }
                done += 1;
                left -= 1;
                Ok(left > 0)
            })
        })?;
    }
    if done == 0 {
        return Ok((subject.slice(vm, 0, subject.len())?, 0));
    }
    if last < subject.len() {
        out.push_part(&subject, last, subject.len());
    }
    Ok((out.finish(vm)?, done))
}

/// Matches one after the other.
#[pyclass(name = "SRE_Scanner", module = "_sre", no_new)]
pub struct Scanner {
    pattern: Py<Pattern>,
    string: Value,
    /// Keeps a mutable object from being resized.
    held: Option<Buffer>,
    pos: usize,
    endpos: usize,
    /// Where to go on, and whether an empty match there does not count; `None` at the end.
    place: Opaque<Locked<Option<(usize, bool)>>>,
}

fn scan(vm: &Vm, this: &Py<Scanner>, mode: Mode) -> Res<Option<Value>> {
    let Some((at, advance)) = this.place.0.with(this.header(), |place| *place) else {
        return Ok(None);
    };
    let subject = this.pattern.subject(vm, &this.string)?;
    let end = this.endpos.min(subject.len());
    let found = if at > end {
        None
    } else {
        let first = this.pattern.first(end);
        subject.with_matcher(vm, &this.pattern.code.0, this.pattern.groups, first, end, |matcher| {
            matcher.run(at, mode, advance)
        })?
    };
    let next = found.as_ref().map(|found| (found.end, found.start == found.end));
    this.place.0.with(this.header(), |place| *place = next);
    Ok(found.map(|found| Match::new(&this.pattern, &this.string, found, this.pos, end).into_value()))
}

#[pymethods]
impl Scanner {
    #[pymethod(name = "match", sig = "($self, /)")]
    fn match_(vm: &Vm, this: &Py<Scanner>) -> Res<Option<Value>> {
        scan(vm, this, Mode::Match)
    }

    #[pymethod(sig = "($self, /)")]
    fn search(vm: &Vm, this: &Py<Scanner>) -> Res<Option<Value>> {
        scan(vm, this, Mode::Search)
    }

    #[getter]
    fn pattern(_vm: &Vm, this: &Py<Scanner>) -> Value {
        this.pattern.to_value()
    }
}
