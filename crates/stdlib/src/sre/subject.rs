//! The text that a pattern is matched against: a `str`, or the bytes of a bytes-like object.
//!
//! Invariant: bytes of mutable objects are a copy, so a text never changes while it is matched.

use std::borrow::Cow;

use lisle_runtime::native::{Py, Res, Str, Value, Vm};
use lisle_runtime::text::view::{StrBuf, StrView};
use lisle_runtime::types::buffer::bytes_of;
use lisle_runtime::types::bytes::Bytes;

use super::engine::{Engine, Found, Mode};
use super::first::First;

/// What is matched.
pub enum Subject<'a> {
    Text(&'a Py<Str>),
    Bytes(&'a Value, Cow<'a, [u8]>),
}

impl<'a> Subject<'a> {
    /// The text of an object; `TypeError` if it has none.
    pub fn new(vm: &Vm, object: &'a Value) -> Res<Subject<'a>> {
        if let Some(text) = object.downcast::<Str>() {
            return Ok(Subject::Text(text));
        }
        match bytes_of(object) {
            Some(bytes) => Ok(Subject::Bytes(object, bytes)),
            None => {
                let name = object.ty().name();
                Err(vm.type_error(format!("expected string or bytes-like object, got '{name}'")))
            }
        }
    }

    pub fn is_bytes(&self) -> bool {
        matches!(self, Subject::Bytes(..))
    }

    pub fn len(&self) -> usize {
        match self {
            Subject::Text(text) => text.len(),
            Subject::Bytes(_, bytes) => bytes.len(),
        }
    }

    /// The units, those of bytes as characters.
    pub fn view(&self) -> StrView<'_> {
        match self {
            Subject::Text(text) => text.view(),
            Subject::Bytes(_, bytes) => StrView::Latin1(bytes),
        }
    }

    /// A part, as a `str` or `bytes`; the object itself where it is the whole of an immutable one.
    pub fn slice(&self, vm: &Vm, start: usize, end: usize) -> Res<Value> {
        let end = end.min(self.len());
        let start = start.min(end);
        match self {
            Subject::Text(text) => {
                if start == 0 && end == text.len() && text.as_value().downcast_exact::<Str>().is_some() {
                    return Ok(text.to_value());
                }
                if end - start == 1
                    && let Some(code) = text.view().get(start)
                {
                    return Ok(Str::from_char(code).into_value());
                }
                text_of(vm, &text.view().slice(start..end).to_buf())
            }
            Subject::Bytes(object, bytes) => {
                if start == 0 && end == bytes.len() && object.downcast_exact::<Bytes>().is_some() {
                    return Ok((*object).clone());
                }
                Ok(Bytes::new_value(bytes.get(start..end).unwrap_or_default()))
            }
        }
    }

    /// Runs `f` with the matcher for the text up to `end`.
    pub fn with_matcher<R>(
        &self,
        vm: &Vm,
        code: &[u32],
        groups: usize,
        first: Option<&First>,
        end: usize,
        f: impl FnOnce(&mut dyn Matcher) -> Res<R>,
    ) -> Res<R> {
        match self.view().slice(0..end.min(self.len())) {
            StrView::Ascii(units) | StrView::Latin1(units) => f(&mut Engine::new(vm, code, groups, first, units)),
            StrView::Ucs2(units) => f(&mut Engine::new(vm, code, groups, first, units)),
            StrView::Ucs4(units) => f(&mut Engine::new(vm, code, groups, first, units)),
        }
    }
}

/// A `str` of a text; `MemoryError` without memory for it.
pub fn text_of(vm: &Vm, text: &StrBuf) -> Res<Value> {
    match Str::try_from_view(text.view()) {
        Some(text) => Ok(text.into_value()),
        None => Err(vm.memory_error()),
    }
}

/// An [`Engine`] for units of any width.
pub trait Matcher {
    /// See [`Engine::run`].
    fn run(&mut self, start: usize, mode: Mode, advance: bool) -> Res<Option<Found>>;
}

impl<U: lisle_runtime::text::view::Unit> Matcher for Engine<'_, U> {
    fn run(&mut self, start: usize, mode: Mode, advance: bool) -> Res<Option<Found>> {
        Engine::run(self, start, mode, advance)
    }
}
