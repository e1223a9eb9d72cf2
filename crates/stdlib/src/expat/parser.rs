//! Parser objects: handlers, buffered text, and the calls that events make.
//!
//! Invariant: handlers and settings are slots and atomics, read anew for each event.

use std::sync::atomic::{AtomicBool, AtomicI32, AtomicUsize, Ordering::Relaxed};

use lisle_runtime::intern;
use lisle_runtime::memory::trace::Opaque;
use lisle_runtime::native::*;
use lisle_runtime::sync::Locked;
use lisle_runtime::types::buffer::get_bytes;
use lisle_runtime::types::bytes::Bytes;
use lisle_runtime::types::dict::Dict;
use lisle_runtime::types::list::List;
use lisle_runtime::types::tuple::Tuple;

use super::ERROR;
use super::dtd::Model;
use super::fault::{self, Fault};
use super::lex::Word;
use super::machine::{Event, Machine, Wants};
use crate::exclusive::Exclusive;

const HANDLERS: usize = 22;
const START_ELEMENT: usize = 0;
const END_ELEMENT: usize = 1;
const INSTRUCTION: usize = 2;
const CHARACTER_DATA: usize = 3;
const UNPARSED_ENTITY: usize = 4;
const NOTATION: usize = 5;
const START_NAMESPACE: usize = 6;
const END_NAMESPACE: usize = 7;
const COMMENT: usize = 8;
const START_CDATA: usize = 9;
const END_CDATA: usize = 10;
const DEFAULT: usize = 11;
const DEFAULT_EXPAND: usize = 12;
const NOT_STANDALONE: usize = 13;
const EXTERNAL: usize = 14;
const START_DOCTYPE: usize = 15;
const END_DOCTYPE: usize = 16;
const ENTITY_DECL: usize = 17;
const XML_DECL: usize = 18;
const ELEMENT_DECL: usize = 19;
const ATTLIST_DECL: usize = 20;
const SKIPPED: usize = 21;

/// How much a file is asked for at once.
const FILE_CHUNK: i64 = 2048;

#[pyclass(name = "xmlparser", module = "pyexpat", no_new, doc = "XML parser")]
pub struct XmlParser {
    machine: Opaque<Exclusive<Machine>>,
    handlers: Box<[Slot]>,
    intern: PySlot<Dict>,
    buffer: Opaque<Locked<String>>,
    buffer_text: AtomicBool,
    buffer_size: AtomicUsize,
    ordered: AtomicBool,
    specified: AtomicBool,
    triplets: AtomicBool,
    foreign_dtd: AtomicBool,
    parameter: AtomicI32,
    in_callback: AtomicBool,
}

impl XmlParser {
    pub fn create(machine: Machine, intern: Option<Py<Dict>>) -> Value {
        let parser = XmlParser {
            machine: Opaque(Exclusive::new(machine)),
            handlers: (0..HANDLERS).map(|_| Slot::empty()).collect(),
            intern: intern.map_or_else(PySlot::empty, PySlot::new),
            buffer: Opaque(Locked::new(String::new())),
            buffer_text: AtomicBool::new(false),
            buffer_size: AtomicUsize::new(8192),
            ordered: AtomicBool::new(false),
            specified: AtomicBool::new(false),
            triplets: AtomicBool::new(false),
            foreign_dtd: AtomicBool::new(false),
            parameter: AtomicI32::new(0),
            in_callback: AtomicBool::new(false),
        };
        Py::new(parser).into_value()
    }
}

type This = Py<XmlParser>;

fn with<R>(vm: &Vm, this: &This, f: impl FnOnce(&mut Machine) -> R) -> R {
    this.machine.0.with(vm, this.header(), f)
}

fn handler(this: &This, which: usize) -> Option<Value> {
    this.handlers[which].get()
}

fn wants(this: &This) -> Wants {
    let set = |which: usize| !this.handlers[which].is_empty();
    Wants {
        keep_entities: set(DEFAULT) && !set(DEFAULT_EXPAND),
        external: set(EXTERNAL),
        source: set(DEFAULT) || set(DEFAULT_EXPAND),
        references: false,
        parameter: this.parameter.load(Relaxed),
        foreign_dtd: this.foreign_dtd.load(Relaxed),
        triplets: this.triplets.load(Relaxed),
    }
}

/// The same string for the same text, as long as the parser lives.
fn interned(vm: &Vm, this: &This, text: &str) -> Res<Value> {
    let value = Value::from(text);
    match this.intern.get() {
        Some(dict) => dict.set_default(vm, &value, &value),
        None => Ok(value),
    }
}

fn optional(vm: &Vm, this: &This, text: Option<&str>) -> Res<Value> {
    text.map_or(Ok(Value::NONE), |text| interned(vm, this, text))
}

fn text_or_none(text: Option<&str>) -> Value {
    text.map_or(Value::NONE, Value::from)
}

fn raised(vm: &Vm, this: &This, code: Fault) -> Exc {
    let place = with(vm, this, |machine| machine.place());
    let message = fault::message(code).unwrap_or("unknown error");
    let text = format!("{message}: line {}, column {}", place.line, place.column);
    let exc = ERROR.error(vm, text);
    let fields = [
        (intern!("code"), i64::from(code)),
        (intern!("offset"), place.column),
        (intern!("lineno"), place.line),
    ];
    for (name, number) in fields {
        if let Err(other) = vm.setattr(exc.as_value(), name, &Value::int(number)) {
            return other;
        }
    }
    exc
}

/// Hands out the text that was held back.
fn flush(vm: &Vm, this: &This) -> Res<()> {
    let text = this.buffer.0.with(this.header(), std::mem::take);
    if text.is_empty() {
        return Ok(());
    }
    match handler(this, CHARACTER_DATA) {
        Some(handler) => call(vm, this, &handler, &[Value::from(text.as_str())]).map(|_| ()),
        None => Ok(()),
    }
}

fn call(vm: &Vm, this: &This, handler: &Value, args: &[Value]) -> Res<Value> {
    let outer = this.in_callback.swap(true, Relaxed);
    let result = vm.call(handler, args);
    this.in_callback.store(outer, Relaxed);
    result
}

fn text_event(vm: &Vm, this: &This, text: &str) -> Res<bool> {
    let Some(handler) = handler(this, CHARACTER_DATA) else {
        return Ok(false);
    };
    if !this.buffer_text.load(Relaxed) {
        call(vm, this, &handler, &[Value::from(text)])?;
        return Ok(true);
    }
    let size = this.buffer_size.load(Relaxed);
    let held = this.buffer.0.with(this.header(), |buffer| buffer.len());
    if held + text.len() > size {
        flush(vm, this)?;
        if this.handlers[CHARACTER_DATA].is_empty() {
            return Ok(true);
        }
    }
    if text.len() > size {
        call(vm, this, &handler, &[Value::from(text)])?;
    } else {
        this.buffer.0.with(this.header(), |buffer| buffer.push_str(text));
    }
    Ok(true)
}

/// The attributes as a dict, or as a list where their order counts.
fn attribute_values(vm: &Vm, this: &This, attributes: &[(Word, Word)], given: usize) -> Res<Value> {
    let count = if this.specified.load(Relaxed) {
        given
    } else {
        attributes.len()
    };
    let attributes = &attributes[..count.min(attributes.len())];
    if this.ordered.load(Relaxed) {
        let mut list = Vec::with_capacity(attributes.len() * 2);
        for (name, value) in attributes {
            list.push(interned(vm, this, name)?);
            list.push(Value::from(value.as_str()));
        }
        return Ok(List::new(list).into_value());
    }
    let dict = Dict::new_empty();
    for (name, value) in attributes {
        let name = interned(vm, this, name)?;
        dict.set(vm, &name, Value::from(value.as_str()))?;
    }
    Ok(dict.into_value())
}

fn model_value(vm: &Vm, this: &This, model: &Model) -> Res<Value> {
    let _guard = vm.enter_recursive(" in conv_content_model")?;
    let mut children = Vec::with_capacity(model.children.len());
    for child in &model.children {
        children.push(model_value(vm, this, child)?);
    }
    let name = optional(vm, this, model.name.as_deref())?;
    let parts = vec![
        Value::int(model.kind),
        Value::int(model.quantifier),
        name,
        Tuple::new(children).into_value(),
    ];
    Ok(Tuple::new(parts).into_value())
}

/// Which handler an event is for, and with what.
fn event_call(vm: &Vm, this: &This, event: &Event) -> Res<Option<(usize, Vec<Value>)>> {
    let name = |text: &str| interned(vm, this, text);
    let named = |text: &Option<String>| optional(vm, this, text.as_deref());
    Ok(Some(match event {
        Event::XmlDecl(version, encoding, standalone) => (
            XML_DECL,
            vec![
                text_or_none(version.as_deref()),
                text_or_none(encoding.as_deref()),
                Value::int(*standalone),
            ],
        ),
        Event::StartDoctype {
            name: doctype,
            system,
            public,
            internal,
        } => {
            let internal = Value::int(i64::from(*internal));
            (
                START_DOCTYPE,
                vec![name(doctype)?, named(system)?, named(public)?, internal],
            )
        }
        Event::EndDoctype => (END_DOCTYPE, vec![]),
        Event::ElementDecl(element, model) => (ELEMENT_DECL, vec![name(element)?, model_value(vm, this, model)?]),
        Event::AttlistDecl(element, attribute, kind, default, required) => (
            ATTLIST_DECL,
            vec![
                name(element)?,
                name(attribute)?,
                Value::from(kind.as_str()),
                text_or_none(default.as_deref()),
                Value::int(i64::from(*required)),
            ],
        ),
        Event::EntityDecl {
            name: entity,
            parameter,
            value,
            base,
            system,
            public,
            notation,
        } => {
            if notation.is_some() && !this.handlers[UNPARSED_ENTITY].is_empty() {
                let args = vec![
                    name(entity)?,
                    named(base)?,
                    named(system)?,
                    named(public)?,
                    named(notation)?,
                ];
                return Ok(Some((UNPARSED_ENTITY, args)));
            }
            let args = vec![
                name(entity)?,
                Value::int(i64::from(*parameter)),
                text_or_none(value.as_deref()),
                named(base)?,
                named(system)?,
                named(public)?,
                named(notation)?,
            ];
            (ENTITY_DECL, args)
        }
        Event::NotationDecl(notation, base, system, public) => (
            NOTATION,
            vec![name(notation)?, named(base)?, named(system)?, named(public)?],
        ),
        Event::Instruction(target, data) => (INSTRUCTION, vec![name(target)?, Value::from(data.as_str())]),
        Event::Comment(text) => (COMMENT, vec![Value::from(text.as_str())]),
        Event::StartCdata => (START_CDATA, vec![]),
        Event::EndCdata => (END_CDATA, vec![]),
        Event::Start(element, attributes, given) => {
            let attributes = attribute_values(vm, this, attributes, *given)?;
            (START_ELEMENT, vec![name(element)?, attributes])
        }
        Event::End(element) => (END_ELEMENT, vec![name(element)?]),
        Event::StartNamespace(prefix, uri) => (START_NAMESPACE, vec![named(prefix)?, named(uri)?]),
        Event::EndNamespace(prefix) => (END_NAMESPACE, vec![named(prefix)?]),
        Event::External {
            context,
            base,
            system,
            public,
        } => (
            EXTERNAL,
            vec![
                text_or_none(context.as_deref()),
                named(base)?,
                named(system)?,
                named(public)?,
            ],
        ),
        Event::Skipped(entity, parameter) => (SKIPPED, vec![name(entity)?, Value::int(i64::from(*parameter))]),
        Event::NotStandalone => (NOT_STANDALONE, vec![]),
        Event::UnknownEncoding(_) | Event::Text(_) | Event::Source => return Ok(None),
    }))
}

/// The handler that an event of this kind goes to.
fn handles(this: &This, event: &Event) -> bool {
    let which = match event {
        Event::XmlDecl(..) => XML_DECL,
        Event::StartDoctype { .. } => START_DOCTYPE,
        Event::EndDoctype => END_DOCTYPE,
        Event::ElementDecl(..) => ELEMENT_DECL,
        Event::AttlistDecl(..) => ATTLIST_DECL,
        Event::EntityDecl { notation, .. } => {
            return !this.handlers[ENTITY_DECL].is_empty()
                || notation.is_some() && !this.handlers[UNPARSED_ENTITY].is_empty();
        }
        Event::NotationDecl(..) => NOTATION,
        Event::Instruction(..) => INSTRUCTION,
        Event::Comment(_) => COMMENT,
        Event::StartCdata => START_CDATA,
        Event::EndCdata => END_CDATA,
        Event::Start(..) => START_ELEMENT,
        Event::End(_) => END_ELEMENT,
        Event::StartNamespace(..) => START_NAMESPACE,
        Event::EndNamespace(_) => END_NAMESPACE,
        Event::External { .. } => EXTERNAL,
        Event::Skipped(..) => SKIPPED,
        Event::NotStandalone => NOT_STANDALONE,
        Event::UnknownEncoding(_) | Event::Text(_) | Event::Source => return false,
    };
    !this.handlers[which].is_empty()
}

/// Asks Python what the bytes of an encoding stand for; `None` if that cannot be the encoding of XML.
pub fn encoding_map(vm: &Vm, name: &str) -> Res<Option<Box<[u32; 256]>>> {
    let all: Vec<u8> = (0..=255).collect();
    let decoded = vm.call_method(
        &Bytes::new_value(all),
        intern!("decode"),
        &[Value::from(name), Value::from("replace")],
    )?;
    let Some(text) = decoded.downcast::<Str>() else {
        return Ok(None);
    };
    if text.len() != 256 {
        return Err(vm.value_error("multi-byte encodings are not supported"));
    }
    let mut map = Box::new([u32::MAX; 256]);
    for (place, code) in map.iter_mut().zip(text.view().chars()) {
        if code != 0xFFFD {
            *place = code;
        }
    }
    // What XML is written in must stand for itself.
    let ascii = |byte: u32| byte >= 0x20 && !"$@\\^`{}~\x7f".contains(char::from_u32(byte).unwrap_or('$'));
    if (0..0x80).any(|byte| ascii(byte) && map[byte as usize] != byte) {
        return Ok(None);
    }
    Ok(Some(map))
}

fn unknown_encoding(vm: &Vm, this: &This, name: &str) -> Res<()> {
    match encoding_map(vm, name)? {
        Some(map) => {
            with(vm, this, |machine| machine.set_map(map));
            Ok(())
        }
        None => Err(raised(vm, this, fault::UNKNOWN_ENCODING)),
    }
}

/// The pieces that the head of a document type is reported in.
fn tokens(source: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = source;
    while let Some(first) = rest.chars().next() {
        let space = super::text::is_space(first);
        let end = match first {
            '<' => "<!DOCTYPE".len(),
            '"' | '\'' => rest[1..].find(first).map_or(rest.len(), |at| at + 2),
            '[' | '>' => 1,
            _ if space => rest.find(|c| !super::text::is_space(c)).unwrap_or(rest.len()),
            _ => rest
                .find(|c| super::text::is_space(c) || matches!(c, '[' | '>'))
                .unwrap_or(rest.len()),
        };
        let (token, after) = rest.split_at(end.min(rest.len()));
        found.push(token);
        rest = after;
    }
    found
}

/// Lets the handlers see one event.
fn dispatch(vm: &Vm, this: &This, event: &Event, source: Option<&str>) -> Res<()> {
    match event {
        Event::UnknownEncoding(name) => {
            let known = unknown_encoding(vm, this, name);
            if known.is_err() {
                with(vm, this, |machine| machine.failed = Some(fault::UNKNOWN_ENCODING));
            }
            return known;
        }
        Event::Text(text) if text_event(vm, this, text)? => return Ok(()),
        _ => {}
    }
    if handles(this, event) {
        flush(vm, this)?;
        let Some((which, args)) = event_call(vm, this, event)? else {
            return Ok(());
        };
        let Some(handler) = handler(this, which) else {
            return Ok(());
        };
        let answer = call(vm, this, &handler, &args)?;
        if which == EXTERNAL || which == NOT_STANDALONE {
            let answer = vm.index_to_i64(&answer)?;
            if answer == 0 {
                let external = which == EXTERNAL;
                let code = if external {
                    fault::EXTERNAL_ENTITY_HANDLING
                } else {
                    fault::NOT_STANDALONE
                };
                return Err(raised(vm, this, code));
            }
        }
        return Ok(());
    }
    if let Some(source) = source.filter(|source| !source.is_empty())
        && let Some(handler) = handler(this, DEFAULT_EXPAND).or_else(|| handler(this, DEFAULT))
    {
        flush(vm, this)?;
        let doctype = matches!(event, Event::StartDoctype { .. });
        for token in if doctype { tokens(source) } else { vec![source] } {
            call(vm, this, &handler, &[Value::from(token)])?;
        }
    }
    Ok(())
}

/// Parses a piece of the document.
fn parse(vm: &Vm, this: &This, data: &[u8], last: bool) -> Res<i64> {
    let before = with(vm, this, |machine| {
        if let Some(code) = machine.failed {
            return Err(code);
        }
        if machine.finished {
            return Err(fault::FINISHED);
        }
        let fed = machine.feed(data, last);
        Ok(fed.map(|()| (machine.defers(), machine.progress())))
    });
    let (defers, before) = before.map_err(|code| raised(vm, this, code))??;
    if defers {
        return Ok(1);
    }
    let mut events = 0_u32;
    loop {
        let wants = wants(this);
        let next = with(vm, this, |machine| machine.next(&wants));
        match next {
            Ok(Some(happening)) => {
                dispatch(vm, this, &happening.event, happening.source.as_deref())?;
                // Documents whose events nobody handles are parsed without calling Python.
                events = events.wrapping_add(1);
                if events.is_multiple_of(1024) {
                    vm.safepoint()?;
                }
            }
            Ok(None) => break,
            Err(code) => {
                // What was collected of text is not told of any more.
                with(vm, this, |machine| machine.failed = Some(code));
                return Err(raised(vm, this, code));
            }
        }
    }
    with(vm, this, |machine| {
        let consumed = machine.progress() != before;
        machine.pause(consumed);
    });
    flush(vm, this)?;
    Ok(1)
}

fn set_flag(vm: &Vm, flag: &AtomicBool, value: Option<&Value>) -> Res<()> {
    match value {
        Some(value) => {
            flag.store(vm.truth(value)?, Relaxed);
            Ok(())
        }
        None => Err(vm.type_error("Cannot delete attribute")),
    }
}

macro_rules! handler_accessors {
    ($($which:ident $get:ident $set:ident $name:literal;)+) => {
        #[pymethods(part = define_handlers)]
        impl XmlParser {
            $(
                #[getter(name = $name)]
                fn $get(_: &Vm, this: &This) -> Value {
                    handler(this, $which).unwrap_or(Value::NONE)
                }

                #[setter(name = $name)]
                fn $set(vm: &Vm, this: &This, value: Option<&Value>) -> Res<()> {
                    set_handler(vm, this, $which, value)
                }
            )+
        }
    };
}

fn set_handler(vm: &Vm, this: &This, which: usize, value: Option<&Value>) -> Res<()> {
    let Some(value) = value else {
        return Err(vm.type_error("Cannot delete attribute"));
    };
    if which == CHARACTER_DATA {
        flush(vm, this)?;
    }
    drop(this.handlers[which].swap(Some(value.clone()).filter(|value| !value.is_none())));
    Ok(())
}

handler_accessors! {
    START_ELEMENT start_element set_start_element "StartElementHandler";
    END_ELEMENT end_element set_end_element "EndElementHandler";
    INSTRUCTION instruction set_instruction "ProcessingInstructionHandler";
    CHARACTER_DATA character_data set_character_data "CharacterDataHandler";
    UNPARSED_ENTITY unparsed_entity set_unparsed_entity "UnparsedEntityDeclHandler";
    NOTATION notation set_notation "NotationDeclHandler";
    START_NAMESPACE start_namespace set_start_namespace "StartNamespaceDeclHandler";
    END_NAMESPACE end_namespace set_end_namespace "EndNamespaceDeclHandler";
    COMMENT comment set_comment "CommentHandler";
    START_CDATA start_cdata set_start_cdata "StartCdataSectionHandler";
    END_CDATA end_cdata set_end_cdata "EndCdataSectionHandler";
    DEFAULT default set_default "DefaultHandler";
    DEFAULT_EXPAND default_expand set_default_expand "DefaultHandlerExpand";
    NOT_STANDALONE not_standalone set_not_standalone "NotStandaloneHandler";
    EXTERNAL external set_external "ExternalEntityRefHandler";
    START_DOCTYPE start_doctype set_start_doctype "StartDoctypeDeclHandler";
    END_DOCTYPE end_doctype set_end_doctype "EndDoctypeDeclHandler";
    ENTITY_DECL entity_decl set_entity_decl "EntityDeclHandler";
    XML_DECL xml_decl set_xml_decl "XmlDeclHandler";
    ELEMENT_DECL element_decl set_element_decl "ElementDeclHandler";
    ATTLIST_DECL attlist_decl set_attlist_decl "AttlistDeclHandler";
    SKIPPED skipped set_skipped "SkippedEntityHandler";
}

#[pymethods(parts(define_handlers))]
impl XmlParser {
    /// Parse XML data.
    ///
    /// `isfinal' should be true at end of input.
    #[pymethod(sig = "($self, data, isfinal=False, /)")]
    fn Parse(vm: &Vm, this: &This, data: &Value, isfinal: Option<bool>) -> Res<i64> {
        let last = isfinal.unwrap_or(false);
        if let Some(text) = data.downcast::<Str>() {
            let encoded = vm.call_method(text.as_value(), intern!("encode"), &[Value::from("utf-8")])?;
            with(vm, this, |machine| machine.set_encoding("utf-8"));
            return parse(vm, this, &get_bytes(vm, &encoded)?, last);
        }
        let bytes = get_bytes(vm, data)?;
        parse(vm, this, &bytes, last)
    }

    /// Parse XML data from file-like object.
    #[pymethod(sig = "($self, file, /)")]
    fn ParseFile(vm: &Vm, this: &This, file: &Value) -> Res<i64> {
        let Some(read) = vm.getattr_opt(file, intern!("read"))? else {
            return Err(vm.type_error("argument must have 'read' attribute"));
        };
        loop {
            let data = vm.call(&read, &[Value::int(FILE_CHUNK)])?;
            if data.downcast::<Bytes>().is_none() && !lisle_runtime::types::buffer::is_bytes_like(&data) {
                let found = data.ty().name();
                return Err(vm.type_error(format!("read() did not return a bytes object (type={found})")));
            }
            let bytes = get_bytes(vm, &data)?;
            if bytes.len() > FILE_CHUNK as usize {
                return Err(vm.value_error(format!(
                    "read() returned too much data: {FILE_CHUNK} bytes requested, {} returned",
                    bytes.len()
                )));
            }
            let result = parse(vm, this, &bytes, bytes.is_empty())?;
            if bytes.is_empty() {
                return Ok(result);
            }
        }
    }

    /// Set the base URL for the parser.
    #[pymethod(sig = "($self, base, /)")]
    fn SetBase(vm: &Vm, this: &This, base: &Py<Str>) {
        let base = base.to_string_lossy();
        with(vm, this, |machine| machine.base = Some(base));
    }

    /// Return base URL string for the parser.
    #[pymethod(sig = "($self, /)")]
    fn GetBase(vm: &Vm, this: &This) -> Option<String> {
        with(vm, this, |machine| machine.base.clone())
    }

    /// Return the untranslated text of the input that caused the current event.
    ///
    /// If the event was generated by a large amount of text (such as a start tag
    /// for an element with many attributes), not all of the text may be available.
    #[pymethod(sig = "($self, /)")]
    fn GetInputContext(vm: &Vm, this: &This) -> Value {
        if !this.in_callback.load(Relaxed) {
            return Value::NONE;
        }
        Bytes::new_value(with(vm, this, |machine| machine.context()).into_bytes())
    }

    /// Create a parser for parsing an external entity based on the information passed to the ExternalEntityRefHandler.
    #[pymethod(sig = "($self, context, encoding=None, /)")]
    fn ExternalEntityParserCreate(vm: &Vm, this: &This, context: &Value, encoding: Option<&Py<Str>>) -> Res<Value> {
        let context = match context.downcast::<Str>() {
            Some(text) => Some(text.to_string_lossy()),
            None if context.is_none() => None,
            None => {
                let found = context.ty().name();
                return Err(vm.type_error(format!(
                    "ExternalEntityParserCreate() argument 1 must be str or None, not {found}"
                )));
            }
        };
        let encoding = encoding.map(|encoding| encoding.to_string_lossy());
        let machine = with(vm, this, |machine| machine.external(context.as_deref(), encoding));
        let child = XmlParser::create(machine, this.intern.get());
        if let Some(new) = child.downcast::<XmlParser>() {
            for (own, new) in this.handlers.iter().zip(new.handlers.iter()) {
                drop(new.swap(own.get()));
            }
            new.buffer_text.store(this.buffer_text.load(Relaxed), Relaxed);
            new.buffer_size.store(this.buffer_size.load(Relaxed), Relaxed);
            new.ordered.store(this.ordered.load(Relaxed), Relaxed);
            new.specified.store(this.specified.load(Relaxed), Relaxed);
            new.triplets.store(this.triplets.load(Relaxed), Relaxed);
            new.parameter.store(this.parameter.load(Relaxed), Relaxed);
        }
        Ok(child)
    }

    /// Controls parsing of parameter entities (including the external DTD subset).
    ///
    /// Possible flag values are XML_PARAM_ENTITY_PARSING_NEVER,
    /// XML_PARAM_ENTITY_PARSING_UNLESS_STANDALONE and
    /// XML_PARAM_ENTITY_PARSING_ALWAYS. Returns true if setting the flag
    /// was successful.
    #[pymethod(sig = "($self, flag, /)")]
    fn SetParamEntityParsing(_: &Vm, this: &This, flag: i32) -> i64 {
        this.parameter.store(flag, Relaxed);
        1
    }

    /// Allows the application to provide an artificial external subset if one is not specified as part of the document instance.
    ///
    /// This readily allows the use of a 'default' document type controlled by the
    /// application, while still getting the advantage of providing document type
    /// information to the parser. 'flag' defaults to True if not provided.
    #[pymethod(sig = "($self, flag=True, /)")]
    fn UseForeignDTD(_: &Vm, this: &This, flag: Option<bool>) {
        this.foreign_dtd.store(flag.unwrap_or(true), Relaxed);
    }

    /// Enable/Disable reparse deferral; enabled by default with Expat >=2.6.0.
    #[pymethod(sig = "($self, enabled, /)")]
    fn SetReparseDeferralEnabled(vm: &Vm, this: &This, enabled: bool) {
        with(vm, this, |machine| machine.defer = enabled);
    }

    /// Retrieve reparse deferral enabled status; always returns false with Expat <2.6.0.
    #[pymethod(sig = "($self, /)")]
    fn GetReparseDeferralEnabled(vm: &Vm, this: &This) -> bool {
        with(vm, this, |machine| machine.defer)
    }

    #[getter]
    fn intern(_: &Vm, this: &This) -> Option<Py<Dict>> {
        this.intern.get()
    }

    #[getter]
    fn buffer_text(_: &Vm, this: &This) -> bool {
        this.buffer_text.load(Relaxed)
    }

    #[setter(name = "buffer_text")]
    fn set_buffer_text(vm: &Vm, this: &This, value: Option<&Value>) -> Res<()> {
        set_flag(vm, &this.buffer_text, value)?;
        if !this.buffer_text.load(Relaxed) {
            flush(vm, this)?;
        }
        Ok(())
    }

    #[getter]
    fn buffer_size(_: &Vm, this: &This) -> usize {
        this.buffer_size.load(Relaxed)
    }

    #[setter(name = "buffer_size")]
    fn set_buffer_size(vm: &Vm, this: &This, value: Option<&Value>) -> Res<()> {
        let Some(value) = value else {
            return Err(vm.type_error("Cannot delete attribute"));
        };
        let Some(size) = vm.int_value(value) else {
            return Err(vm.type_error("buffer_size must be an integer"));
        };
        let size = match size.to_i64() {
            Some(size) if size > 0 => size,
            _ => return Err(vm.value_error("buffer_size must be greater than zero")),
        };
        let Ok(size) = i32::try_from(size) else {
            return Err(vm.value_error(format!("buffer_size must not be greater than {}", i32::MAX)));
        };
        if this.buffer_size.load(Relaxed) != size as usize {
            flush(vm, this)?;
        }
        this.buffer_size.store(size as usize, Relaxed);
        Ok(())
    }

    #[getter]
    fn buffer_used(_: &Vm, this: &This) -> usize {
        this.buffer.0.with(this.header(), |buffer| buffer.len())
    }

    #[getter]
    fn ordered_attributes(_: &Vm, this: &This) -> bool {
        this.ordered.load(Relaxed)
    }

    #[setter(name = "ordered_attributes")]
    fn set_ordered_attributes(vm: &Vm, this: &This, value: Option<&Value>) -> Res<()> {
        set_flag(vm, &this.ordered, value)
    }

    #[getter]
    fn specified_attributes(_: &Vm, this: &This) -> bool {
        this.specified.load(Relaxed)
    }

    #[setter(name = "specified_attributes")]
    fn set_specified_attributes(vm: &Vm, this: &This, value: Option<&Value>) -> Res<()> {
        set_flag(vm, &this.specified, value)
    }

    #[getter]
    fn namespace_prefixes(_: &Vm, this: &This) -> bool {
        this.triplets.load(Relaxed)
    }

    #[setter(name = "namespace_prefixes")]
    fn set_namespace_prefixes(vm: &Vm, this: &This, value: Option<&Value>) -> Res<()> {
        set_flag(vm, &this.triplets, value)
    }

    #[getter(name = "ErrorCode")]
    fn error_code(vm: &Vm, this: &This) -> i64 {
        with(vm, this, |machine| machine.failed.map_or(0, i64::from))
    }

    #[getter(name = "ErrorLineNumber")]
    fn error_line(vm: &Vm, this: &This) -> i64 {
        with(vm, this, |machine| machine.place().line)
    }

    #[getter(name = "ErrorColumnNumber")]
    fn error_column(vm: &Vm, this: &This) -> i64 {
        with(vm, this, |machine| machine.place().column)
    }

    #[getter(name = "ErrorByteIndex")]
    fn error_byte(vm: &Vm, this: &This) -> i64 {
        with(vm, this, |machine| machine.place().byte)
    }

    #[getter(name = "CurrentLineNumber")]
    fn line(vm: &Vm, this: &This) -> i64 {
        with(vm, this, |machine| machine.place().line)
    }

    #[getter(name = "CurrentColumnNumber")]
    fn column(vm: &Vm, this: &This) -> i64 {
        with(vm, this, |machine| machine.place().column)
    }

    #[getter(name = "CurrentByteIndex")]
    fn byte(vm: &Vm, this: &This) -> i64 {
        with(vm, this, |machine| machine.place().byte)
    }
}
