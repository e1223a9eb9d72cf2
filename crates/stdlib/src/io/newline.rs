//! `IncrementalNewlineDecoder`, and the translation of line endings that all text streams use.
//!
//! Invariant: a `\r` at the end of a piece that is not the last is held back, so that `\r\n` is never split.

use std::sync::atomic::AtomicU8;
use std::sync::atomic::Ordering::Relaxed;

use lisle_runtime::intern;
use lisle_runtime::native::{Args, Py, Res, Slot, Str, Type, Value, Vm, is_none, pyclass, pymethods};
use lisle_runtime::object::Native;
use lisle_runtime::text::{StrBuf, StrBuilder, StrView};
use lisle_runtime::types::bytes::Bytes;
use lisle_runtime::types::tuple::Tuple;

use super::common::{buf_value, name_of};

const SEEN_CR: u8 = 1;
const SEEN_LF: u8 = 2;
const SEEN_CRLF: u8 = 4;

/// What is known between two pieces of text.
#[derive(Clone, Copy, Default, Debug)]
pub struct NewlineState {
    /// A `\r` was held back.
    pub pending_cr: bool,
    /// Which line endings have been seen.
    pub seen: u8,
}

impl NewlineState {
    /// Handles one piece: notes line endings, and replaces them by `\n` if `translate`.
    pub fn feed(&mut self, text: StrBuf, translate: bool, last: bool) -> StrBuf {
        if let StrBuf::Ascii(bytes) = &text
            && !self.pending_cr
            && !bytes.contains(&b'\r')
        {
            if self.seen & SEEN_LF == 0 && bytes.contains(&b'\n') {
                self.seen |= SEEN_LF;
            }
            return text;
        }
        let mut text = text;
        let cr = u32::from(b'\r');
        if self.pending_cr && (last || !text.is_empty()) {
            let mut joined = StrBuilder::with_capacity(text.len() + 1);
            joined.push(cr);
            joined.push_view(text.view());
            text = joined.finish();
            self.pending_cr = false;
        }
        let mut len = text.len();
        if !last && len > 0 && text.view().get(len - 1) == Some(cr) {
            len -= 1;
            self.pending_cr = true;
            text = text.view().slice(0..len).to_buf();
        }
        self.note(text.view());
        if !translate || self.seen & (SEEN_CR | SEEN_CRLF) == 0 {
            return text;
        }
        translated(text)
    }

    fn note(&mut self, text: StrView<'_>) {
        let all = SEEN_CR | SEEN_LF | SEEN_CRLF;
        let mut at = 0;
        while self.seen != all {
            let rest = text.slice(at..text.len());
            let Some(cr) = rest.find_char(u32::from(b'\r')) else {
                if self.seen & SEEN_LF == 0 && rest.find_char(u32::from(b'\n')).is_some() {
                    self.seen |= SEEN_LF;
                }
                return;
            };
            if self.seen & SEEN_LF == 0 && rest.slice(0..cr).find_char(u32::from(b'\n')).is_some() {
                self.seen |= SEEN_LF;
            }
            if rest.get(cr + 1) == Some(u32::from(b'\n')) {
                self.seen |= SEEN_CRLF;
                at += cr + 2;
            } else {
                self.seen |= SEEN_CR;
                at += cr + 1;
            }
        }
    }

    /// The `newlines` attribute.
    pub fn newlines(self) -> Value {
        let mut found = Vec::new();
        for (bit, text) in [(SEEN_CR, "\r"), (SEEN_LF, "\n"), (SEEN_CRLF, "\r\n")] {
            if self.seen & bit != 0 {
                found.push(Value::from(text));
            }
        }
        match found.len() {
            0 => Value::NONE,
            1 => found.remove(0),
            _ => Tuple::new(found).into_value(),
        }
    }
}

/// The text with `\r\n` and `\r` replaced by `\n`.
fn translated(text: StrBuf) -> StrBuf {
    fn run<U: Copy + PartialEq>(units: &mut Vec<U>, cr: U, lf: U) {
        let Some(first) = units.iter().position(|&u| u == cr) else {
            return;
        };
        let (mut to, mut from) = (first, first);
        while from < units.len() {
            let unit = units[from];
            from += 1;
            if unit == cr {
                if units.get(from) == Some(&lf) {
                    from += 1;
                }
                units[to] = lf;
            } else {
                units[to] = unit;
            }
            to += 1;
        }
        units.truncate(to);
    }
    let mut text = text;
    match &mut text {
        StrBuf::Ascii(units) | StrBuf::Latin1(units) => run(units, b'\r', b'\n'),
        StrBuf::Ucs2(units) => run(units, u16::from(b'\r'), u16::from(b'\n')),
        StrBuf::Ucs4(units) => run(units, u32::from(b'\r'), u32::from(b'\n')),
    }
    text
}

/// Codec used when reading a file in universal newlines mode.
#[pyclass(
    name = "IncrementalNewlineDecoder",
    module = "_io",
    basetype,
    doc = "Codec used when reading a file in universal newlines mode.\n\nIt wraps another incremental decoder, translating \\r\\n and \\r into \\n.\nIt also records the types of newlines encountered.  When used with\ntranslate=False, it ensures that the newline sequence is returned in\none piece. When used with decoder=None, it expects unicode strings as\ndecode input and translates newlines without first invoking an external\ndecoder."
)]
pub struct NewlineDecoder {
    /// Empty before `__init__`.
    decoder: Slot,
    errors: Slot,
    translate: AtomicU8,
    pending_cr: AtomicU8,
    seen: AtomicU8,
}

impl NewlineDecoder {
    /// A decoder around another one.
    pub fn new_value(decoder: Value, translate: bool) -> Value {
        Py::new(NewlineDecoder {
            decoder: Slot::new(decoder),
            errors: Slot::new(Value::from("strict")),
            translate: AtomicU8::new(translate.into()),
            pending_cr: AtomicU8::new(0),
            seen: AtomicU8::new(0),
        })
        .into_value()
    }

    fn state(&self) -> NewlineState {
        NewlineState {
            pending_cr: self.pending_cr.load(Relaxed) != 0,
            seen: self.seen.load(Relaxed),
        }
    }

    fn set_state(&self, state: NewlineState) {
        self.pending_cr.store(state.pending_cr.into(), Relaxed);
        self.seen.store(state.seen, Relaxed);
    }

    fn inner(&self, vm: &Vm) -> Res<Value> {
        self.decoder
            .get()
            .ok_or_else(|| vm.value_error("IncrementalNewlineDecoder.__init__() not called"))
    }

    /// `decode(input, final)`
    pub fn decode_value(vm: &Vm, this: &Py<NewlineDecoder>, input: &Value, last: bool) -> Res<Value> {
        let decoder = this.inner(vm)?;
        let output = if decoder.is_none() {
            input.clone()
        } else {
            vm.call_method(&decoder, intern!("decode"), &[input.clone(), Value::from_bool(last)])?
        };
        let Some(text) = output.downcast::<Str>() else {
            let found = name_of(&output);
            return Err(vm.type_error(format!("decoder should return a string result, not '{found}'")));
        };
        let mut state = this.state();
        if let StrView::Ascii(bytes) = text.view()
            && !state.pending_cr
            && !bytes.contains(&b'\r')
            && text.class().is(Str::ty())
        {
            if bytes.contains(&b'\n') {
                this.seen.fetch_or(SEEN_LF, Relaxed);
            }
            return Ok(output);
        }
        let result = state.feed(text.view().to_buf(), this.translate.load(Relaxed) != 0, last);
        this.set_state(state);
        buf_value(vm, &result)
    }
}

#[pymethods]
impl NewlineDecoder {
    #[slot]
    fn __new__(_: &Vm, cls: &Py<Type>, _args: Args<'_>) -> Res<Value> {
        let payload = NewlineDecoder {
            decoder: Slot::empty(),
            errors: Slot::empty(),
            translate: AtomicU8::new(0),
            pending_cr: AtomicU8::new(0),
            seen: AtomicU8::new(0),
        };
        Ok(Py::with_class(cls, payload).into_value())
    }

    #[slot(sig = "(decoder, translate, errors='strict')")]
    fn __init__(
        vm: &Vm,
        this: &Py<NewlineDecoder>,
        decoder: &Value,
        translate: bool,
        errors: Option<&Value>,
    ) -> Res<()> {
        let _ = vm;
        this.errors
            .set(errors.cloned().unwrap_or_else(|| Value::from("strict")));
        this.translate.store(translate.into(), Relaxed);
        this.set_state(NewlineState::default());
        this.decoder.set(decoder.clone());
        Ok(())
    }

    #[pymethod(sig = "($self, /, input, final=False)")]
    fn decode(vm: &Vm, this: &Py<NewlineDecoder>, input: &Value, last: Option<bool>) -> Res<Value> {
        NewlineDecoder::decode_value(vm, this, input, last.unwrap_or(false))
    }

    #[pymethod(sig = "($self, /)")]
    fn getstate(vm: &Vm, this: &Py<NewlineDecoder>) -> Res<Value> {
        let decoder = this.inner(vm)?;
        let (buffer, flag) = if is_none(&decoder) {
            (Bytes::new_value(Vec::new()), Value::int(0))
        } else {
            let state = vm.call_method(&decoder, intern!("getstate"), &[])?;
            match state.downcast::<Tuple>().map(|t| t.as_slice()) {
                None => return Err(vm.type_error("illegal decoder state")),
                Some([buffer, flag]) if vm.int_value(flag).is_some() => (buffer.clone(), flag.clone()),
                Some(_) => {
                    return Err(vm.type_error("illegal decoder state"));
                }
            }
        };
        let flag = vm.int_value(&flag).map(|n| n.to_bigint()).unwrap_or_default();
        let flag = (flag << 1u8) + u8::from(this.state().pending_cr);
        Ok(Tuple::pair(buffer, Value::bigint(flag)).into_value())
    }

    #[pymethod(sig = "($self, state, /)")]
    fn setstate(vm: &Vm, this: &Py<NewlineDecoder>, state: &Value) -> Res<()> {
        let decoder = this.inner(vm)?;
        let Some(parts) = state.downcast::<Tuple>() else {
            return Err(vm.type_error("state argument must be a tuple"));
        };
        let [buffer, flag] = parts.as_slice() else {
            return Err(vm.type_error("setstate(): illegal state argument"));
        };
        let Some(flag) = vm.int_value(flag).map(|n| n.to_bigint()) else {
            return Err(vm.type_error("setstate(): illegal state argument"));
        };
        this.pending_cr.store(flag.bit(0).into(), Relaxed);
        if decoder.is_none() {
            return Ok(());
        }
        let inner = Tuple::pair(buffer.clone(), Value::bigint(flag >> 1u8)).into_value();
        vm.call_method(&decoder, intern!("setstate"), &[inner]).map(drop)
    }

    #[pymethod(sig = "($self, /)")]
    fn reset(vm: &Vm, this: &Py<NewlineDecoder>) -> Res<Value> {
        let decoder = this.inner(vm)?;
        this.set_state(NewlineState::default());
        if decoder.is_none() {
            return Ok(Value::NONE);
        }
        vm.call_method(&decoder, intern!("reset"), &[])
    }

    #[getter]
    fn newlines(vm: &Vm, this: &Py<NewlineDecoder>) -> Res<Value> {
        this.inner(vm)?;
        Ok(this.state().newlines())
    }
}
