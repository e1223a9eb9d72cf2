//! The codecs of East Asian encodings: `_multibytecodec` and the modules that hold the codecs by country.
//!
//! Invariant: an incremental coder's state is copied out for a call and put back after it, since error handlers run in between.
//! What the codecs do is in [`coding`], their tables in [`tables`].

mod coding;
mod tables;

use lisle_runtime::memory::room;
use lisle_runtime::native::*;
use lisle_runtime::text::StrBuilder;
use lisle_runtime::text::codec::{DecodeFault, EncodeFault, Patch};
use lisle_runtime::types::encoding::{fix_decoding, fix_encoding};

use coding::{Codec, State, Step};

const ILLEGAL: &str = "illegal multibyte sequence";
/// More bytes than one character needs.
const STEP: usize = 64;
const INCOMPLETE: &str = "incomplete multibyte sequence";

/// Encodes text: the bytes, and how many characters they stand for. `last` says that no more text follows.
fn encode(
    vm: &Vm,
    codec: &Codec,
    state: &mut State,
    text: &Py<Str>,
    errors: &str,
    last: bool,
) -> Res<(Vec<u8>, usize)> {
    let mut codes: Vec<u32> = Vec::new();
    codes.try_reserve_exact(text.len())?;
    codes.extend(text.view().chars());
    let mut out = Vec::new();
    out.try_reserve(codes.len() * 2)?;
    let mut at = 0;
    while at < codes.len() {
        if out.capacity() - out.len() < STEP {
            out.try_reserve(STEP)?;
        }
        match codec.encode_step(state, &codes[at..], last, &mut out) {
            Step::Done(count) => at += count,
            Step::TooFew => break,
            Step::Illegal(count) => {
                let fault = EncodeFault {
                    encoding: codec.name,
                    text: text.view(),
                    start: at,
                    end: (at + count).min(codes.len()),
                    reason: ILLEGAL,
                    fatal: false,
                };
                let fix = fix_encoding(vm, text, &fault, errors)?;
                match fix.patch {
                    Patch::Bytes(bytes) => room::append(&mut out, &bytes)?,
                    Patch::Text(patch) => {
                        let patch = Str::from_buf(patch);
                        room::append(&mut out, &encode(vm, codec, state, &patch, "strict", true)?.0)?;
                    }
                }
                at = fix.resume;
            }
        }
    }
    Ok((out, at))
}

/// Decodes bytes: the text, and how many bytes it stands for. `last` says that no more bytes follow.
fn decode(vm: &Vm, codec: &Codec, state: &mut State, input: &[u8], errors: &str, last: bool) -> Res<(Py<Str>, usize)> {
    decode_from(vm, codec, state, (input, 0), errors, last)
}

/// As [`decode`], from a place on; how many bytes counts those before it.
fn decode_from(
    vm: &Vm,
    codec: &Codec,
    state: &mut State,
    (input, start): (&[u8], usize),
    errors: &str,
    last: bool,
) -> Res<(Py<Str>, usize)> {
    let mut out = StrBuilder::new();
    // What is wider than expected is made room for when it comes.
    if !out.try_reserve(input.len().saturating_sub(start)) {
        return Err(vm.memory_error());
    }
    let mut at = start;
    while at < input.len() {
        let (end, reason) = match codec.decode_step(state, &input[at..], &mut |code| out.push(code)) {
            Step::Done(count) => {
                at += count;
                continue;
            }
            Step::TooFew if !last => break,
            Step::TooFew => (input.len(), INCOMPLETE),
            Step::Illegal(count) => ((at + count).min(input.len()), ILLEGAL),
        };
        let fault = DecodeFault {
            encoding: codec.name,
            input,
            start: at,
            end,
            reason,
        };
        let fix = fix_decoding(vm, &fault, errors)?;
        out.push_view(fix.text.view());
        at = fix.resume;
    }
    Ok((Str::from_buf(out.finish()), at))
}

/// The text that an argument stands for.
fn text_of(vm: &Vm, input: &Value) -> Res<Py<Str>> {
    match input.downcast::<Str>() {
        Some(text) => Ok(text.clone()),
        None => vm.str(input),
    }
}

/// A module that holds codecs.
macro_rules! codec_module {
    ($module:ident, $name:literal) => {
        #[pymodule(name = $name)]
        pub mod $module {
            use super::*;

            #[pyfunction(sig = "(encoding, /)")]
            fn getcodec(vm: &Vm, encoding: &Value) -> Res<Value> {
                super::get_codec(vm, $name, encoding)
            }
        }
    };
}

codec_module!(cn, "_codecs_cn");
codec_module!(hk, "_codecs_hk");
codec_module!(iso2022, "_codecs_iso2022");
codec_module!(jp, "_codecs_jp");
codec_module!(kr, "_codecs_kr");
codec_module!(tw, "_codecs_tw");

fn get_codec(vm: &Vm, module: &str, encoding: &Value) -> Res<Value> {
    let Some(name) = encoding.downcast::<Str>() else {
        return Err(vm.type_error("encoding name must be a string."));
    };
    let known = coding::MODULES
        .iter()
        .find(|(name, _)| *name == module)
        .and_then(|(_, codecs)| codecs.iter().find(|codec| name.is_text(codec)));
    match known.and_then(|name| Codec::find(name)) {
        Some(codec) => Ok(module::codec_object(codec)),
        None => Err(vm.lookup_error("no such codec is supported.")),
    }
}

#[pymodule(
    name = "_multibytecodec",
    types(
        MultibyteIncrementalEncoder,
        MultibyteIncrementalDecoder,
        MultibyteStreamReader,
        MultibyteStreamWriter
    )
)]
pub mod module {
    use super::*;
    use lisle_runtime::intern;
    use lisle_runtime::memory::trace::Opaque;
    use lisle_runtime::sync::Locked;
    use lisle_runtime::types::buffer::Readable;
    use lisle_runtime::types::bytes::Bytes;
    use lisle_runtime::types::tuple::Tuple;
    use num_bigint::{BigInt, Sign};
    use std::borrow::Cow;

    /// How many characters and bytes may wait for more.
    const MAX_TEXT: usize = 2;
    const MAX_BYTES: usize = 8;

    #[pyclass(name = "MultibyteCodec", module = "_multibytecodec", gc = false, no_new)]
    pub struct MultibyteCodec {
        codec: Opaque<Codec>,
    }

    pub fn codec_object(codec: Codec) -> Value {
        Py::new(MultibyteCodec { codec: Opaque(codec) }).into_value()
    }

    fn errors_or_strict(errors: Option<&Py<Str>>) -> String {
        errors.map_or_else(|| "strict".to_owned(), |errors| errors.to_string_lossy())
    }

    #[pymethods]
    impl MultibyteCodec {
        /// Return an encoded string version of 'input'.
        ///
        /// 'errors' may be given to set a different error handling scheme. Default is
        /// 'strict' meaning that encoding errors raise a UnicodeEncodeError. Other possible
        /// values are 'ignore', 'replace' and 'xmlcharrefreplace' as well as any other name
        /// registered with codecs.register_error that can handle UnicodeEncodeErrors.
        #[pymethod(sig = "($self, /, input, errors=None)")]
        fn encode(vm: &Vm, this: &Py<MultibyteCodec>, input: &Value, errors: Option<&Value>) -> Res<Value> {
            let errors = checked_errors(vm, errors)?;
            let text = text_of(vm, input)?;
            let codec = this.codec.0;
            let mut state = codec.initial();
            let (mut out, _) = super::encode(vm, &codec, &mut state, &text, &errors, true)?;
            codec.reset_encoding(&mut state, &mut out);
            Ok(Tuple::pair(Bytes::new_value(out), Value::usize(text.len())).into_value())
        }

        /// Decodes 'input'.
        ///
        /// 'errors' may be given to set a different error handling scheme. Default is
        /// 'strict' meaning that encoding errors raise a UnicodeDecodeError. Other possible
        /// values are 'ignore' and 'replace' as well as any other name registered with
        /// codecs.register_error that is able to handle UnicodeDecodeErrors."
        #[pymethod(sig = "($self, /, input, errors=None)")]
        fn decode(vm: &Vm, this: &Py<MultibyteCodec>, input: Readable<'_>, errors: Option<&Value>) -> Res<Value> {
            let errors = checked_errors(vm, errors)?;
            let codec = this.codec.0;
            let mut state = codec.initial_decoding();
            let (text, _) = super::decode(vm, &codec, &mut state, &input.0, &errors, true)?;
            Ok(Tuple::pair(text.into_value(), Value::usize(input.0.len())).into_value())
        }
    }

    fn checked_errors(vm: &Vm, errors: Option<&Value>) -> Res<String> {
        match errors.filter(|errors| !errors.is_none()) {
            None => Ok("strict".to_owned()),
            Some(errors) => match errors.downcast::<Str>() {
                Some(errors) => Ok(errors.to_string_lossy()),
                None => {
                    let found = errors.ty().name();
                    Err(vm.type_error(format!("argument 'errors' must be str or None, not {found}")))
                }
            },
        }
    }

    /// The codec that a class has as its attribute.
    fn class_codec(vm: &Vm, cls: &Py<Type>) -> Res<Codec> {
        let codec = vm.getattr(cls.as_value(), intern!("codec"))?;
        match codec.downcast::<MultibyteCodec>() {
            Some(codec) => Ok(codec.codec.0),
            None => Err(vm.type_error("codec is unexpected type")),
        }
    }

    /// What an incremental coder or a stream keeps between calls: what waits for more, and the codec's state.
    #[derive(Clone)]
    struct Progress<T> {
        codec: Codec,
        pending: Vec<T>,
        state: State,
        errors: String,
    }

    type Cell<T> = Opaque<Locked<Progress<T>>>;

    fn cell<T>(codec: Codec, state: State, errors: Option<&Py<Str>>) -> Cell<T> {
        Opaque(Locked::new(Progress {
            codec,
            pending: Vec::new(),
            state,
            errors: errors_or_strict(errors),
        }))
    }

    fn set_errors<T: Clone, O: Native>(vm: &Vm, cell: &Cell<T>, this: &Py<O>, value: Option<&Value>) -> Res<()> {
        let Some(value) = value else {
            return Err(vm.attribute_error("cannot delete attribute"));
        };
        let Some(errors) = value.downcast::<Str>() else {
            return Err(vm.type_error("errors must be a string"));
        };
        let errors = errors.to_string_lossy();
        cell.0.with(this.header(), |progress| progress.errors = errors);
        Ok(())
    }

    /// Encodes what waits and `text`.
    fn encode_more<O: Native>(vm: &Vm, cell: &Cell<u32>, this: &Py<O>, input: &Value, last: bool) -> Res<Vec<u8>> {
        let input = text_of(vm, input)?;
        let mut progress = cell.0.with(this.header(), |progress| progress.clone());
        let text = if progress.pending.is_empty() {
            input
        } else {
            let mut text = StrBuilder::new();
            progress.pending.iter().for_each(|code| text.push(*code));
            text.push_view(input.view());
            Str::from_buf(text.finish())
        };
        let result = super::encode(vm, &progress.codec, &mut progress.state, &text, &progress.errors, last);
        let result = result.and_then(|(mut out, consumed)| {
            let rest: Vec<u32> = text.view().chars().skip(consumed).collect();
            if rest.len() > MAX_TEXT {
                return Err(vm.unicode_encode_error(
                    progress.codec.name,
                    text.to_value(),
                    consumed,
                    text.len(),
                    "pending buffer overflow",
                ));
            }
            if last {
                progress.codec.reset_encoding(&mut progress.state, &mut out);
            }
            progress.pending = rest;
            Ok(out)
        });
        cell.0.with(this.header(), |now| {
            now.state = progress.state;
            now.pending = progress.pending;
        });
        result
    }

    #[pyclass(
        name = "MultibyteIncrementalEncoder",
        module = "_multibytecodec",
        gc = false,
        basetype
    )]
    pub struct MultibyteIncrementalEncoder {
        progress: Cell<u32>,
    }

    #[pymethods]
    impl MultibyteIncrementalEncoder {
        #[slot(sig = "(errors='strict')")]
        fn __new__(vm: &Vm, cls: &Py<Type>, errors: Option<&Py<Str>>) -> Res<Value> {
            let codec = class_codec(vm, cls)?;
            let this = MultibyteIncrementalEncoder {
                progress: cell(codec, codec.initial(), errors),
            };
            Ok(Py::with_class(cls, this).into_value())
        }

        #[slot]
        fn __init__(_: &Vm, _: &Py<MultibyteIncrementalEncoder>, _: Args<'_>) -> Res<()> {
            Ok(())
        }

        #[pymethod(sig = "($self, /, input, final=False)")]
        fn encode(vm: &Vm, this: &Py<MultibyteIncrementalEncoder>, input: &Value, last: Option<bool>) -> Res<Value> {
            encode_more(vm, &this.progress, this, input, last.unwrap_or(false)).map(Bytes::new_value)
        }

        #[pymethod(sig = "($self, /)")]
        fn getstate(_: &Vm, this: &Py<MultibyteIncrementalEncoder>) -> Value {
            let progress = this.progress.0.with(this.header(), |progress| progress.clone());
            let mut text = StrBuilder::new();
            progress.pending.iter().for_each(|code| text.push(*code));
            let text = text.finish();
            let text = text.view().to_string_lossy();
            let mut bytes = vec![text.len() as u8];
            bytes.extend(text.as_bytes());
            bytes.extend(progress.state);
            Value::bigint(BigInt::from_bytes_le(Sign::Plus, &bytes))
        }

        #[pymethod(sig = "($self, state, /)")]
        fn setstate(vm: &Vm, this: &Py<MultibyteIncrementalEncoder>, state: BigInt) -> Res<()> {
            let (sign, mut bytes) = state.to_bytes_le();
            if sign == Sign::Minus {
                return Err(vm.overflow_error("can't convert negative int to unsigned"));
            }
            if bytes.len() > 1 + MAX_TEXT * 4 + 8 {
                return Err(vm.overflow_error("int too big to convert"));
            }
            bytes.resize(1 + MAX_TEXT * 4 + 8, 0);
            let count = usize::from(bytes[0]);
            if count > MAX_TEXT * 4 {
                return Err(vm.unicode_error("pending buffer too large"));
            }
            let text = &bytes[1..1 + count];
            let text = match std::str::from_utf8(text) {
                Ok(text) => text,
                Err(error) => {
                    let at = error.valid_up_to();
                    let object = Bytes::new_value(text);
                    return Err(vm.unicode_decode_error("utf-8", object, at, at + 1, "invalid start byte"));
                }
            };
            let pending = text.chars().map(u32::from).collect();
            let mut state = [0; 8];
            state.copy_from_slice(&bytes[1 + count..1 + count + 8]);
            this.progress.0.with(this.header(), |progress| {
                progress.pending = pending;
                progress.state = state;
            });
            Ok(())
        }

        #[pymethod(sig = "($self, /)")]
        fn reset(_: &Vm, this: &Py<MultibyteIncrementalEncoder>) {
            this.progress.0.with(this.header(), |progress| {
                progress.codec.reset_encoding(&mut progress.state, &mut Vec::new());
                progress.pending.clear();
            });
        }

        /// how to treat errors
        #[getter]
        fn errors(_: &Vm, this: &Py<MultibyteIncrementalEncoder>) -> String {
            this.progress.0.with(this.header(), |progress| progress.errors.clone())
        }

        #[setter(name = "errors")]
        fn set_errors(vm: &Vm, this: &Py<MultibyteIncrementalEncoder>, value: Option<&Value>) -> Res<()> {
            self::set_errors(vm, &this.progress, this, value)
        }
    }

    #[pyclass(
        name = "MultibyteIncrementalDecoder",
        module = "_multibytecodec",
        gc = false,
        basetype
    )]
    pub struct MultibyteIncrementalDecoder {
        progress: Cell<u8>,
    }

    /// Decodes what waits and `input`.
    fn decode_more<O: Native>(vm: &Vm, cell: &Cell<u8>, this: &Py<O>, input: &[u8], last: bool) -> Res<Py<Str>> {
        let mut progress = cell.0.with(this.header(), |progress| progress.clone());
        let waiting = progress.pending.clone();
        let bytes = match progress.pending.is_empty() {
            true => Cow::Borrowed(input),
            false => {
                let mut bytes = std::mem::take(&mut progress.pending);
                room::append(&mut bytes, input)?;
                Cow::Owned(bytes)
            }
        };
        let (codec, errors) = (progress.codec, progress.errors.as_str());
        let mut result = super::decode(vm, &codec, &mut progress.state, &bytes, errors, false);
        // What is at fault is gone; but what waited stays if only the end is missing.
        let mut kept = Vec::new();
        if last
            && let Ok((text, consumed)) = &result
            && *consumed < bytes.len()
        {
            kept = waiting;
            let end = super::decode_from(vm, &codec, &mut progress.state, (&bytes, *consumed), errors, true);
            result = end.map(|(end, consumed)| {
                let mut all = StrBuilder::new();
                all.push_view(text.view());
                all.push_view(end.view());
                (Str::from_buf(all.finish()), consumed)
            });
        }
        let result = result.and_then(|(text, consumed)| {
            let rest = &bytes[consumed..];
            if rest.len() > MAX_BYTES {
                let object = Bytes::new_value(room::copied(&bytes)?);
                let (name, end) = (progress.codec.name, bytes.len());
                return Err(vm.unicode_decode_error(name, object, consumed, end, "pending buffer overflow"));
            }
            progress.pending = rest.to_vec();
            Ok(text)
        });
        cell.0.with(this.header(), |now| {
            now.state = progress.state;
            now.pending = if result.is_ok() { progress.pending } else { kept };
        });
        result
    }

    #[pymethods]
    impl MultibyteIncrementalDecoder {
        #[slot(sig = "(errors='strict')")]
        fn __new__(vm: &Vm, cls: &Py<Type>, errors: Option<&Py<Str>>) -> Res<Value> {
            let codec = class_codec(vm, cls)?;
            let this = MultibyteIncrementalDecoder {
                progress: cell(codec, codec.initial_decoding(), errors),
            };
            Ok(Py::with_class(cls, this).into_value())
        }

        #[slot]
        fn __init__(_: &Vm, _: &Py<MultibyteIncrementalDecoder>, _: Args<'_>) -> Res<()> {
            Ok(())
        }

        #[pymethod(sig = "($self, /, input, final=False)")]
        fn decode(
            vm: &Vm,
            this: &Py<MultibyteIncrementalDecoder>,
            input: Readable<'_>,
            last: Option<bool>,
        ) -> Res<Py<Str>> {
            decode_more(vm, &this.progress, this, &input.0, last.unwrap_or(false))
        }

        #[pymethod(sig = "($self, /)")]
        fn getstate(_: &Vm, this: &Py<MultibyteIncrementalDecoder>) -> Py<Tuple> {
            let progress = this.progress.0.with(this.header(), |progress| progress.clone());
            let state = BigInt::from_bytes_le(Sign::Plus, &progress.state);
            Tuple::pair(Bytes::new_value(progress.pending), Value::bigint(state))
        }

        #[pymethod(sig = "($self, state, /)")]
        fn setstate(vm: &Vm, this: &Py<MultibyteIncrementalDecoder>, state: &Py<Tuple>) -> Res<()> {
            let illegal = || vm.type_error("setstate(): illegal state argument");
            let [pending, state] = state.as_slice() else {
                return Err(illegal());
            };
            let (Some(pending), Some(state)) = (pending.downcast::<Bytes>(), vm.int_value(state)) else {
                return Err(illegal());
            };
            let (sign, mut bytes) = state.to_bigint().to_bytes_le();
            if sign == Sign::Minus {
                return Err(vm.overflow_error("can't convert negative int to unsigned"));
            }
            if bytes.len() > 8 {
                return Err(vm.overflow_error("int too big to convert"));
            }
            if pending.len() > MAX_BYTES {
                let name = this.progress.0.with(this.header(), |progress| progress.codec.name);
                let reason = "pending buffer too large";
                return Err(vm.unicode_decode_error(name, pending.to_value(), 0, pending.len(), reason));
            }
            bytes.resize(8, 0);
            this.progress.0.with(this.header(), |progress| {
                progress.pending = pending.as_slice().to_vec();
                progress.state.copy_from_slice(&bytes);
            });
            Ok(())
        }

        #[pymethod(sig = "($self, /)")]
        fn reset(_: &Vm, this: &Py<MultibyteIncrementalDecoder>) {
            this.progress.0.with(this.header(), |progress| {
                progress.codec.reset_decoding(&mut progress.state);
                progress.pending.clear();
            });
        }

        /// how to treat errors
        #[getter]
        fn errors(_: &Vm, this: &Py<MultibyteIncrementalDecoder>) -> String {
            this.progress.0.with(this.header(), |progress| progress.errors.clone())
        }

        #[setter(name = "errors")]
        fn set_errors(vm: &Vm, this: &Py<MultibyteIncrementalDecoder>, value: Option<&Value>) -> Res<()> {
            self::set_errors(vm, &this.progress, this, value)
        }
    }

    #[pyclass(name = "MultibyteStreamReader", module = "_multibytecodec", basetype)]
    pub struct MultibyteStreamReader {
        stream: Value,
        progress: Cell<u8>,
    }

    /// Reads from the stream by the method of that name until there is something to give out.
    fn read_stream(
        vm: &Vm,
        this: &Py<MultibyteStreamReader>,
        method: &'static Py<Str>,
        size: Option<&Value>,
    ) -> Res<Py<Str>> {
        let mut size = match size.filter(|size| !size.is_none()) {
            None => -1,
            Some(size) => vm.index_to_isize(size)?,
        };
        if size == 0 {
            return Ok(Str::empty());
        }
        loop {
            let data = if size < 0 {
                vm.call_method(&this.stream, method, &[])?
            } else {
                vm.call_method(&this.stream, method, &[Value::int(size as i64)])?
            };
            let Some(bytes) = data.downcast::<Bytes>() else {
                let found = data.ty().name();
                return Err(vm.type_error(format!("stream function returned a non-bytes object ({found})")));
            };
            let end = bytes.is_empty();
            let text = decode_more(vm, &this.progress, this, bytes.as_slice(), end || size < 0)?;
            if size < 0 || !text.is_empty() || end {
                return Ok(text);
            }
            // One more byte may complete what waits.
            size = 1;
        }
    }

    #[pymethods]
    impl MultibyteStreamReader {
        #[slot(sig = "(stream, errors='strict')")]
        fn __new__(vm: &Vm, cls: &Py<Type>, stream: &Value, errors: Option<&Py<Str>>) -> Res<Value> {
            let codec = class_codec(vm, cls)?;
            let this = MultibyteStreamReader {
                stream: stream.clone(),
                progress: cell(codec, codec.initial_decoding(), errors),
            };
            Ok(Py::with_class(cls, this).into_value())
        }

        #[slot]
        fn __init__(_: &Vm, _: &Py<MultibyteStreamReader>, _: Args<'_>) -> Res<()> {
            Ok(())
        }

        #[pymethod(sig = "($self, sizeobj=None, /)")]
        fn read(vm: &Vm, this: &Py<MultibyteStreamReader>, sizeobj: Option<&Value>) -> Res<Py<Str>> {
            read_stream(vm, this, intern!("read"), sizeobj)
        }

        #[pymethod(sig = "($self, sizeobj=None, /)")]
        fn readline(vm: &Vm, this: &Py<MultibyteStreamReader>, sizeobj: Option<&Value>) -> Res<Py<Str>> {
            read_stream(vm, this, intern!("readline"), sizeobj)
        }

        #[pymethod(sig = "($self, sizehintobj=None, /)")]
        fn readlines(vm: &Vm, this: &Py<MultibyteStreamReader>, sizehintobj: Option<&Value>) -> Res<Value> {
            let text = read_stream(vm, this, intern!("read"), sizehintobj)?;
            vm.call_method(text.as_value(), intern!("splitlines"), &[Value::TRUE])
        }

        #[pymethod(sig = "($self, /)")]
        fn reset(_: &Vm, this: &Py<MultibyteStreamReader>) {
            this.progress.0.with(this.header(), |progress| {
                progress.codec.reset_decoding(&mut progress.state);
                progress.pending.clear();
            });
        }

        #[getter]
        fn stream(_: &Vm, this: &Py<MultibyteStreamReader>) -> Value {
            this.stream.clone()
        }

        /// how to treat errors
        #[getter]
        fn errors(_: &Vm, this: &Py<MultibyteStreamReader>) -> String {
            this.progress.0.with(this.header(), |progress| progress.errors.clone())
        }

        #[setter(name = "errors")]
        fn set_errors(vm: &Vm, this: &Py<MultibyteStreamReader>, value: Option<&Value>) -> Res<()> {
            self::set_errors(vm, &this.progress, this, value)
        }
    }

    #[pyclass(name = "MultibyteStreamWriter", module = "_multibytecodec", basetype)]
    pub struct MultibyteStreamWriter {
        stream: Value,
        progress: Cell<u32>,
    }

    fn write_stream(vm: &Vm, this: &Py<MultibyteStreamWriter>, text: &Value) -> Res<()> {
        let out = encode_more(vm, &this.progress, this, text, false)?;
        vm.call_method(&this.stream, intern!("write"), &[Bytes::new_value(out)])?;
        Ok(())
    }

    #[pymethods]
    impl MultibyteStreamWriter {
        #[slot(sig = "(stream, errors='strict')")]
        fn __new__(vm: &Vm, cls: &Py<Type>, stream: &Value, errors: Option<&Py<Str>>) -> Res<Value> {
            let codec = class_codec(vm, cls)?;
            let this = MultibyteStreamWriter {
                stream: stream.clone(),
                progress: cell(codec, codec.initial(), errors),
            };
            Ok(Py::with_class(cls, this).into_value())
        }

        #[slot]
        fn __init__(_: &Vm, _: &Py<MultibyteStreamWriter>, _: Args<'_>) -> Res<()> {
            Ok(())
        }

        #[pymethod(sig = "($self, strobj, /)")]
        fn write(vm: &Vm, this: &Py<MultibyteStreamWriter>, strobj: &Value) -> Res<()> {
            write_stream(vm, this, strobj)
        }

        #[pymethod(sig = "($self, lines, /)")]
        fn writelines(vm: &Vm, this: &Py<MultibyteStreamWriter>, lines: &Value) -> Res<()> {
            if lines.ty().slots().getitem.is_none() {
                return Err(vm.type_error("arg must be a sequence object"));
            }
            let mut at = 0;
            while at < vm.len(lines)? {
                let line = vm.getitem(lines, &Value::usize(at))?;
                write_stream(vm, this, &line)?;
                at += 1;
            }
            Ok(())
        }

        #[pymethod(sig = "($self, /)")]
        fn reset(vm: &Vm, this: &Py<MultibyteStreamWriter>) -> Res<()> {
            let nothing = this
                .progress
                .0
                .with(this.header(), |progress| progress.pending.is_empty());
            if nothing {
                return Ok(());
            }
            let out = encode_more(vm, &this.progress, this, Str::empty().as_value(), true)?;
            if !out.is_empty() {
                vm.call_method(&this.stream, intern!("write"), &[Bytes::new_value(out)])?;
            }
            Ok(())
        }

        #[getter]
        fn stream(_: &Vm, this: &Py<MultibyteStreamWriter>) -> Value {
            this.stream.clone()
        }

        /// how to treat errors
        #[getter]
        fn errors(_: &Vm, this: &Py<MultibyteStreamWriter>) -> String {
            this.progress.0.with(this.header(), |progress| progress.errors.clone())
        }

        #[setter(name = "errors")]
        fn set_errors(vm: &Vm, this: &Py<MultibyteStreamWriter>, value: Option<&Value>) -> Res<()> {
            self::set_errors(vm, &this.progress, this, value)
        }
    }
}
