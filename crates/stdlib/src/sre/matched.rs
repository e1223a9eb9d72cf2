//! `re.Match`: what a match found, and `re.sub` templates.
//!
//! Invariant: positions are those of the time of the match; if the bytes of a mutable object have gone since, slices are cut off.

use lisle_runtime::intern;
use lisle_runtime::memory::trace::Opaque;
use lisle_runtime::native::*;
use lisle_runtime::text::StrBuilder;
use lisle_runtime::types::bytes::Bytes;
use lisle_runtime::types::dict::Dict;
use lisle_runtime::types::generic_alias::GenericAlias;
use lisle_runtime::types::list::List;
use lisle_runtime::types::tuple::Tuple;

use super::engine::Found;
use super::pattern::Pattern;
use super::subject::{Subject, text_of};

/// The result of a match.
#[pyclass(
    name = "Match",
    module = "re",
    no_new,
    doc = "The result of re.match() and re.search().\nMatch objects always have a boolean value of True."
)]
pub struct Match {
    pattern: Py<Pattern>,
    string: Value,
    found: Opaque<Found>,
    pos: usize,
    endpos: usize,
}

impl Match {
    pub fn new(pattern: &Py<Pattern>, string: &Value, found: Found, pos: usize, endpos: usize) -> Py<Match> {
        Py::new(Match {
            pattern: pattern.clone(),
            string: string.clone(),
            found: Opaque(found),
            pos,
            endpos,
        })
    }

    fn part(&self, vm: &Vm, index: usize, default: &Value) -> Res<Value> {
        match self.found.0.span(index) {
            None => Ok(default.clone()),
            Some((start, end)) => Subject::new(vm, &self.string)?.slice(vm, start, end),
        }
    }

    /// The number of the group that a key names.
    fn index_of(&self, vm: &Vm, key: &Value) -> Res<usize> {
        let index = if key.is_small_int() || key.ty().slots().index.is_some() {
            usize::try_from(vm.index_clamped(key)?).ok()
        } else {
            match self.pattern.groupindex.get(vm, key) {
                Ok(Some(found)) => found.as_small_int().and_then(|i| usize::try_from(i).ok()),
                _ => None,
            }
        };
        match index {
            Some(index) if index <= self.pattern.groups => Ok(index),
            _ => Err(vm.index_error("no such group")),
        }
    }

    fn span_of(&self, vm: &Vm, group: Option<&Value>) -> Res<(i64, i64)> {
        let index = match group {
            Some(group) => self.index_of(vm, group)?,
            None => 0,
        };
        Ok(match self.found.0.span(index) {
            Some((start, end)) => (start as i64, end as i64),
            None => (-1, -1),
        })
    }
}

#[pymethods]
impl Match {
    /// group([group1, ...]) -> str or tuple.
    ///     Return subgroup(s) of the match by indices or names.
    ///     For 0 returns the entire match.
    #[pymethod(sig = "($self, /, *args)")]
    fn group(vm: &Vm, this: &Py<Match>, args: &[Value]) -> Res<Value> {
        match args {
            [] => this.part(vm, 0, &Value::NONE),
            [one] => this.part(vm, this.index_of(vm, one)?, &Value::NONE),
            many => {
                let parts = many
                    .iter()
                    .map(|key| this.part(vm, this.index_of(vm, key)?, &Value::NONE));
                Ok(Tuple::new(parts.collect::<Res<_>>()?).into_value())
            }
        }
    }

    /// Return index of the start of the substring matched by group.
    #[pymethod(sig = "($self, group=0, /)")]
    fn start(vm: &Vm, this: &Py<Match>, group: Option<&Value>) -> Res<i64> {
        Ok(this.span_of(vm, group)?.0)
    }

    /// Return index of the end of the substring matched by group.
    #[pymethod(sig = "($self, group=0, /)")]
    fn end(vm: &Vm, this: &Py<Match>, group: Option<&Value>) -> Res<i64> {
        Ok(this.span_of(vm, group)?.1)
    }

    /// For match object m, return the 2-tuple (m.start(group), m.end(group)).
    #[pymethod(sig = "($self, group=0, /)")]
    fn span(vm: &Vm, this: &Py<Match>, group: Option<&Value>) -> Res<(i64, i64)> {
        this.span_of(vm, group)
    }

    /// Return a tuple containing all the subgroups of the match, from 1.
    ///
    ///   default
    ///     Is used for groups that did not participate in the match.
    #[pymethod(sig = "($self, /, default=None)")]
    fn groups(vm: &Vm, this: &Py<Match>, default: Option<&Value>) -> Res<Value> {
        let none = Value::NONE;
        let default = default.unwrap_or(&none);
        let parts = (1..=this.pattern.groups).map(|index| this.part(vm, index, default));
        Ok(Tuple::new(parts.collect::<Res<_>>()?).into_value())
    }

    /// Return a dictionary containing all the named subgroups of the match, keyed by the subgroup name.
    ///
    ///   default
    ///     Is used for groups that did not participate in the match.
    #[pymethod(sig = "($self, /, default=None)")]
    fn groupdict(vm: &Vm, this: &Py<Match>, default: Option<&Value>) -> Res<Value> {
        let none = Value::NONE;
        let default = default.unwrap_or(&none);
        let result = Dict::new_empty();
        for key in this.pattern.groupindex.snapshot_keys() {
            let value = this.part(vm, this.index_of(vm, &key)?, default)?;
            result.set(vm, &key, value)?;
        }
        Ok(result.into_value())
    }

    /// Return the string obtained by doing backslash substitution on the string template, as done by the sub() method.
    #[pymethod(sig = "($self, /, template)")]
    fn expand(vm: &Vm, this: &Py<Match>, template: &Value) -> Res<Value> {
        let template = compile_template(vm, &this.pattern, template)?;
        match template.downcast::<Template>() {
            None => Ok(template),
            Some(template) => template.expand(vm, &this.found.0, &Subject::new(vm, &this.string)?),
        }
    }

    #[pymethod(sig = "($self, /)")]
    fn __copy__(_vm: &Vm, this: &Py<Match>) -> Value {
        this.to_value()
    }

    #[pymethod(sig = "($self, memo, /)")]
    fn __deepcopy__(_vm: &Vm, this: &Py<Match>, memo: &Value) -> Value {
        let _ = memo;
        this.to_value()
    }

    /// See PEP 585
    #[classmethod(sig = "($type, object, /)")]
    fn __class_getitem__(vm: &Vm, cls: &Py<Type>, object: &Value) -> Value {
        GenericAlias::new_value(vm, cls.as_value(), object)
    }

    #[slot]
    fn __getitem__(vm: &Vm, this: &Py<Match>, key: &Value) -> Res<Value> {
        this.part(vm, this.index_of(vm, key)?, &Value::NONE)
    }

    #[slot]
    fn __repr__(vm: &Vm, this: &Py<Match>) -> Res<Value> {
        let whole = this.part(vm, 0, &Value::NONE)?;
        let (start, end) = (this.found.0.start, this.found.0.end);
        let mut text = StrBuilder::new();
        text.push_str(&format!(
            "<{} object; span=({start}, {end}), match=",
            this.class().name()
        ));
        text.push_view(vm.repr(&whole)?.view());
        text.push_str(">");
        text_of(vm, &text.finish())
    }

    /// The string passed to match() or search().
    #[getter]
    fn string(_vm: &Vm, this: &Py<Match>) -> Value {
        this.string.clone()
    }

    /// The regular expression object.
    #[getter]
    fn re(_vm: &Vm, this: &Py<Match>) -> Value {
        this.pattern.to_value()
    }

    /// The index into the string at which the RE engine started looking for a match.
    #[getter]
    fn pos(_vm: &Vm, this: &Py<Match>) -> usize {
        this.pos
    }

    /// The index into the string beyond which the RE engine will not go.
    #[getter]
    fn endpos(_vm: &Vm, this: &Py<Match>) -> usize {
        this.endpos
    }

    /// The integer index of the last matched capturing group.
    #[getter]
    fn lastindex(_vm: &Vm, this: &Py<Match>) -> Option<usize> {
        Some(this.found.0.last_index).filter(|index| *index > 0)
    }

    /// The name of the last matched capturing group.
    #[getter]
    fn lastgroup(_vm: &Vm, this: &Py<Match>) -> Value {
        let index = this.found.0.last_index;
        let names = this.pattern.indexgroup.as_slice();
        names.get(index).filter(|_| index > 0).cloned().unwrap_or(Value::NONE)
    }

    #[getter]
    fn regs(_vm: &Vm, this: &Py<Match>) -> Value {
        let spans = (0..=this.pattern.groups).map(|index| {
            let (start, end) = match this.found.0.span(index) {
                Some((start, end)) => (start as i64, end as i64),
                None => (-1, -1),
            };
            Tuple::pair(Value::int(start), Value::int(end)).into_value()
        });
        Tuple::new(spans.collect()).into_value()
    }
}

/// A `re.sub` template that refers to groups.
#[pyclass(name = "SRE_Template", module = "_sre", no_new, no_methods)]
pub struct Template {
    first: Value,
    /// A group, and the literal after it.
    rest: Vec<Reference>,
}

#[derive(Trace)]
struct Reference {
    group: usize,
    literal: Value,
}

impl Template {
    /// From the list `[literal, group, literal, ...]` that `re._parser` makes.
    pub fn from_list(vm: &Vm, list: &Py<List>) -> Res<Value> {
        let invalid = || vm.type_error("invalid template");
        let items = list.snapshot();
        let Some((first, rest)) = items.split_first() else {
            return Err(invalid());
        };
        let mut references = Vec::new();
        let pairs = rest.chunks(2);
        for pair in pairs {
            let [group, literal] = pair else { return Err(invalid()) };
            let group = group.as_small_int().and_then(|group| usize::try_from(group).ok());
            references.push(Reference {
                group: group.ok_or_else(invalid)?,
                literal: literal.clone(),
            });
        }
        let first = first.clone();
        Ok(Py::new(Template {
            first,
            rest: references,
        })
        .into_value())
    }

    /// The literal, if there is nothing else.
    pub fn literal(&self) -> Option<&Value> {
        self.rest.is_empty().then_some(&self.first)
    }

    /// The text that the template stands for.
    pub fn expand(&self, vm: &Vm, found: &Found, subject: &Subject<'_>) -> Res<Value> {
        if let Some(literal) = self.literal() {
            return Ok(literal.clone());
        }
        let mut out = Joined::new(subject.is_bytes());
        self.append(vm, found, subject, &mut out)?;
        out.finish(vm)
    }

    /// Appends the text that the template stands for.
    pub fn append(&self, vm: &Vm, found: &Found, subject: &Subject<'_>, out: &mut Joined) -> Res<()> {
        out.push(vm, &self.first)?;
        for reference in &self.rest {
            if reference.group > found.marks.len() / 2 {
                return Err(vm.index_error("no such group"));
            }
            if let Some((start, end)) = found.span(reference.group) {
                out.push_part(subject, start, end);
            }
            out.push(vm, &reference.literal)?;
        }
        Ok(())
    }
}

/// What a replacement is: a template, or a literal without any reference.
pub fn compile_template(vm: &Vm, pattern: &Py<Pattern>, template: &Value) -> Res<Value> {
    let re = vm.import_module("re")?;
    let function = vm.getattr(&re, intern!("_compile_template"))?;
    let compiled = match vm.call(&function, &[pattern.to_value(), template.clone()]) {
        // Templates are kept by their hash, which mutable bytes have none of.
        Err(exc)
            if exc.is(&lisle_runtime::types::exceptions::TYPE_ERROR)
                && template.downcast::<Bytes>().is_none()
                && lisle_runtime::types::buffer::is_bytes_like(template) =>
        {
            let bytes = lisle_runtime::types::buffer::get_bytes(vm, template)?;
            vm.call(&function, &[pattern.to_value(), Bytes::new_value(&*bytes)])?
        }
        other => other?,
    };
    match compiled.downcast::<Template>() {
        Some(template) => Ok(template.literal().cloned().unwrap_or_else(|| compiled.clone())),
        None => Err(vm.runtime_error(format!(
            "the result of compiling a replacement string is {}, not Template",
            compiled.ty().name()
        ))),
    }
}

/// Grows the result of a substitution.
pub enum Joined {
    Text(StrBuilder, usize),
    Bytes(Vec<u8>, usize),
}

impl Joined {
    pub fn new(bytes: bool) -> Joined {
        if bytes {
            Joined::Bytes(Vec::new(), 0)
        } else {
            Joined::Text(StrBuilder::new(), 0)
        }
    }

    /// Appends a `str` or a bytes-like object, as `join` does.
    pub fn push(&mut self, vm: &Vm, item: &Value) -> Res<()> {
        let found = || item.ty().name();
        match self {
            Joined::Text(out, count) => {
                let Some(text) = item.downcast::<Str>() else {
                    let message = format!("sequence item {count}: expected str instance, {} found", found());
                    return Err(vm.type_error(message));
                };
                *count += 1;
                out.push_view(text.view());
            }
            Joined::Bytes(out, count) => {
                let Some(bytes) = lisle_runtime::types::buffer::bytes_of(item) else {
                    let message = format!("sequence item {count}: expected a bytes-like object, {} found", found());
                    return Err(vm.type_error(message));
                };
                *count += 1;
                out.extend_from_slice(&bytes);
            }
        }
        Ok(())
    }

    pub fn push_part(&mut self, subject: &Subject<'_>, start: usize, end: usize) {
        let end = end.min(subject.len());
        let start = start.min(end);
        match (self, subject) {
            (Joined::Text(out, count), Subject::Text(text)) => {
                *count += 1;
                out.push_view(text.view().slice(start..end));
            }
            (Joined::Bytes(out, count), Subject::Bytes(_, bytes)) => {
                *count += 1;
                out.extend_from_slice(bytes.get(start..end).unwrap_or_default());
            }
            _ => {}
        }
    }

    pub fn finish(self, vm: &Vm) -> Res<Value> {
        match self {
            Joined::Text(out, _) => text_of(vm, &out.finish()),
            Joined::Bytes(out, _) => Ok(Bytes::new_value(out)),
        }
    }
}
