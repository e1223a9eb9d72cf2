//! `XMLParser`: feeds a target, usually a `TreeBuilder`, with what `pyexpat`'s machine finds.
//!
//! Invariant: as in `expat::parser`, the machine is given back before anything is called. An exception of a target ends the call; the rest
//! of the text that was given is passed over.

use std::cell::RefCell;
use std::collections::{HashMap, VecDeque};

use lisle_runtime::intern;
use lisle_runtime::memory::trace::Opaque;
use lisle_runtime::native::*;
use lisle_runtime::sync::Locked;
use lisle_runtime::types::buffer::get_bytes;
use lisle_runtime::types::bytes::Bytes;
use lisle_runtime::types::dict::Dict;
use lisle_runtime::types::exceptions;
use lisle_runtime::types::tuple::Tuple;

use super::PARSE_ERROR;
use super::builder::{self, TreeBuilder};
use crate::exclusive::Exclusive;
use crate::expat::fault::{self, Fault};
use crate::expat::lex::Word;
use crate::expat::machine::{Event, Machine, Place, Spot, Wants};
use crate::expat::parser::encoding_map;

/// The methods of a target.
const METHODS: [&str; 9] = [
    "start", "data", "end", "comment", "pi", "close", "doctype", "start_ns", "end_ns",
];
const START: usize = 0;
const DATA: usize = 1;
const END: usize = 2;
const COMMENT: usize = 3;
const PI: usize = 4;
const CLOSE: usize = 5;
const DOCTYPE: usize = 6;
const START_NS: usize = 7;
const END_NS: usize = 8;

/// How much is read at once.
const CHUNK: i64 = 64 * 1024;

#[pyclass(name = "XMLParser", module = "xml.etree.ElementTree", basetype)]
pub struct XmlParser {
    machine: Opaque<Exclusive<Option<Machine>>>,
    target: Slot,
    entity: PySlot<Dict>,
    handlers: Box<[Slot]>,
    /// Names as Python has them, by the parser's.
    names: Opaque<Locked<HashMap<Word, Value>>>,
}

type This = Py<XmlParser>;

fn error(vm: &Vm, code: Fault, message: &str, place: Place) -> Exc {
    let text = format!("{message}: line {}, column {}", place.line, place.column);
    let exc = PARSE_ERROR.error(vm, text);
    let position = Tuple::pair(Value::int(place.line), Value::int(place.column)).into_value();
    for (name, value) in [
        (intern!("code"), Value::int(code.into())),
        (intern!("position"), position),
    ] {
        if let Err(other) = vm.setattr(exc.as_value(), name, &value) {
            return other;
        }
    }
    exc
}

/// What goes on while a piece is parsed.
struct Parse<'a> {
    vm: &'a Vm,
    this: &'a This,
    target: Value,
    wants: Wants,
    /// The names that came last, by [`place_of`].
    recent: RefCell<[Option<(Word, Value)>; RECENT]>,
}

const RECENT: usize = 64;

/// Where among the recent ones a name is.
fn place_of(name: &str) -> usize {
    let bytes = name.as_bytes();
    let [.., before, last] = bytes else { return bytes.len() };
    (usize::from(*last) + usize::from(*before) * 10 + usize::from(bytes[0]) * 3 + bytes.len()) % RECENT
}

impl Parse<'_> {
    fn with<R>(&self, f: impl FnOnce(&mut Machine) -> R) -> Res<R> {
        with(self.vm, self.this, f)
    }

    fn builder(&self) -> Option<&Py<TreeBuilder>> {
        self.target.downcast_exact::<TreeBuilder>()
    }

    fn handler(&self, which: usize) -> Option<Value> {
        self.this.handlers[which].get()
    }

    fn failed(&self, code: Fault) -> Exc {
        match self.with(Machine::place) {
            Ok(place) => error(self.vm, code, fault::message(code).unwrap_or("unknown error"), place),
            Err(exc) => exc,
        }
    }

    /// A name with its namespace in braces.
    fn name(&self, name: &str) -> Value {
        let place = place_of(name);
        if let Some((known, value)) = &self.recent.borrow()[place]
            && known == name
        {
            return value.clone();
        }
        let value = self.known_name(name);
        let old = self.recent.borrow_mut()[place].replace((Word::new(name), value.clone()));
        drop(old);
        value
    }

    fn known_name(&self, name: &str) -> Value {
        let names = &self.this.names.0;
        let header = self.this.header();
        if let Some(known) = names.with(header, |names| names.get(name).cloned()) {
            return known;
        }
        let value = match name.contains('}') {
            true => Value::from(format!("{{{name}").as_str()),
            false => Str::intern(name).into_value(),
        };
        let kept = value.clone();
        drop(names.with(header, |names| names.insert(Word::new(name), kept)));
        value
    }

    fn attributes(&self, attributes: &[(Word, Word)]) -> Res<Option<Py<Dict>>> {
        if attributes.is_empty() {
            return Ok(None);
        }
        let dict = Dict::new_empty();
        for (name, value) in attributes {
            dict.set(self.vm, &self.name(name), Value::from(value.as_str()))?;
        }
        Ok(Some(dict))
    }

    fn text(&self, text: &str) -> Res<()> {
        if let Some(builder) = self.builder() {
            TreeBuilder::add_text(builder, text);
        } else if let Some(handler) = self.handler(DATA) {
            self.vm.call(&handler, &[Value::from(text)])?;
        }
        Ok(())
    }

    fn call(&self, which: usize, args: &[Value]) -> Res<()> {
        match self.handler(which) {
            Some(handler) => self.vm.call(&handler, args).map(|_| ()),
            None => Ok(()),
        }
    }

    fn doctype(&self, name: &str, system: Option<&str>, public: Option<&str>) -> Res<()> {
        let vm = self.vm;
        let text = |text: Option<&str>| text.map_or(Value::NONE, Value::from);
        if let Some(handler) = self.handler(DOCTYPE) {
            vm.call(&handler, &[self.name(name), text(public), text(system)])?;
        } else if vm.getattr_opt(self.this.as_value(), intern!("doctype"))?.is_some() {
            let message = "The doctype() method of XMLParser is ignored.  \
                           Define doctype() method on the TreeBuilder target.";
            vm.warn(exceptions::RUNTIME_WARNING.get(), message, 1)?;
        }
        Ok(())
    }

    fn namespace(&self, prefix: Option<&str>, uri: Option<&str>) -> Res<()> {
        let value = |text: Option<&str>| Value::from(text.unwrap_or_default());
        match self.builder() {
            Some(builder) => {
                let pair = Tuple::pair(value(prefix), value(uri)).into_value();
                TreeBuilder::event(self.vm, builder, builder::START_NS, &pair)
            }
            None => self.call(START_NS, &[value(prefix), value(uri)]),
        }
    }

    /// A reference to an entity that the document does not declare: the program may know it.
    fn reference(&self, source: &str, place: Place) -> Res<()> {
        let Some(name) = source.strip_prefix('&').and_then(|rest| rest.strip_suffix(';')) else {
            return Ok(());
        };
        let known = match self.this.entity.get() {
            Some(entity) => entity.get(self.vm, &Value::from(name))?,
            None => None,
        };
        match known {
            Some(value) => match self.builder() {
                Some(builder) => self
                    .vm
                    .call_method(builder.as_value(), intern!("data"), &[value])
                    .map(|_| ()),
                None => self.call(DATA, &[value]),
            },
            None => {
                let message = format!("undefined entity {source}");
                Err(error(self.vm, fault::UNDEFINED_ENTITY, &message, place))
            }
        }
    }

    fn event(&self, event: &Event, source: Option<&str>, place: Spot) -> Res<()> {
        let vm = self.vm;
        match event {
            Event::Text(text) => self.text(text),
            Event::Start(name, attributes, _) => {
                if let Some(builder) = self.builder() {
                    let attributes = self.attributes(attributes)?;
                    TreeBuilder::begin(vm, builder, &self.name(name), attributes)?;
                } else if let Some(handler) = self.handler(START) {
                    let attributes = self.attributes(attributes)?.unwrap_or_else(Dict::new_empty);
                    vm.call(&handler, &[self.name(name), attributes.into_value()])?;
                }
                Ok(())
            }
            Event::End(name) => match self.builder() {
                Some(builder) => TreeBuilder::finish(vm, builder).map(|_| ()),
                None => self.call(END, &[self.name(name)]),
            },
            Event::Comment(text) => match self.builder() {
                Some(builder) => TreeBuilder::comment_of(vm, builder, &Value::from(text.as_str())).map(|_| ()),
                None => self.call(COMMENT, &[Value::from(text.as_str())]),
            },
            Event::Instruction(target, data) => {
                let args = [Value::from(target.as_str()), Value::from(data.as_str())];
                match self.builder() {
                    Some(builder) if TreeBuilder::wants_instructions(builder) => {
                        TreeBuilder::instruction_of(vm, builder, &args[0], &args[1]).map(|_| ())
                    }
                    Some(_) => Ok(()),
                    None => self.call(PI, &args),
                }
            }
            Event::StartDoctype {
                name, system, public, ..
            } => self.doctype(name, system.as_deref(), public.as_deref()),
            Event::StartNamespace(prefix, uri) => self.namespace(prefix.as_deref(), uri.as_deref()),
            Event::EndNamespace(prefix) => match self.builder() {
                Some(builder) => TreeBuilder::event(vm, builder, builder::END_NS, &Value::NONE),
                None => self.call(END_NS, &[Value::from(prefix.as_deref().unwrap_or_default())]),
            },
            Event::UnknownEncoding(name) => {
                let map = match encoding_map(vm, name) {
                    Ok(Some(map)) => map,
                    Ok(None) => {
                        self.with(|machine| machine.failed = Some(fault::UNKNOWN_ENCODING))?;
                        return Err(self.failed(fault::UNKNOWN_ENCODING));
                    }
                    Err(exc) => {
                        self.with(|machine| machine.failed = Some(fault::UNKNOWN_ENCODING))?;
                        return Err(exc);
                    }
                };
                self.with(|machine| machine.set_map(map))
            }
            Event::Skipped(..) | Event::Source => match source {
                Some(source) => {
                    let place = self.with(|machine| machine.resolve(place))?;
                    self.reference(source, place)
                }
                None => Ok(()),
            },
            _ => Ok(()),
        }
    }

    /// Handles all events up to where more input is needed.
    fn run(&self) -> Res<()> {
        // What the builder makes of events changes nothing for the machine: it finds many at once.
        let many = if self.builder().is_some() { 64 } else { 1 };
        let (mut batch, mut events) = (VecDeque::new(), 0_u32);
        loop {
            let found = self.with(|machine| machine.next_batch(&self.wants, &mut batch, many))?;
            if let Err(code) = found {
                self.with(|machine| machine.failed = Some(code))?;
                return Err(self.failed(code));
            }
            if batch.is_empty() {
                return Ok(());
            }
            for happening in batch.drain(..) {
                self.event(&happening.event, happening.source.as_deref(), happening.place)?;
                events = events.wrapping_add(1);
                if events.is_multiple_of(1024) {
                    self.vm.safepoint()?;
                }
            }
        }
    }

    /// Passes over what is left of the text, unless the document failed.
    fn skip(&self) -> Res<()> {
        self.with(|machine| {
            while machine.failed.is_none()
                && let Ok(Some(happening)) = machine.next(&self.wants)
                && !matches!(happening.event, Event::UnknownEncoding(_))
            {}
        })
    }

    fn parse(&self, data: &[u8], last: bool) -> Res<()> {
        let before = self.with(|machine| {
            if let Some(code) = machine.failed {
                return Err(code);
            }
            if machine.finished {
                return Err(fault::FINISHED);
            }
            let fed = machine.feed(data, last);
            Ok(fed.map(|()| (machine.defers(), machine.progress())))
        })?;
        let (defers, before) = before.map_err(|code| self.failed(code))??;
        if defers {
            return Ok(());
        }
        if let Err(exc) = self.run() {
            self.skip()?;
            return Err(exc);
        }
        self.with(|machine| {
            let consumed = machine.progress() != before;
            machine.pause(consumed);
        })
    }

    /// What the target made, at the end.
    fn result(&self) -> Value {
        self.builder().map_or(Value::NONE, TreeBuilder::root_of)
    }
}

fn with<R>(vm: &Vm, this: &This, f: impl FnOnce(&mut Machine) -> R) -> Res<R> {
    let result = this
        .machine
        .0
        .with(vm, this.header(), |machine| machine.as_mut().map(f));
    result.ok_or_else(|| vm.value_error("XMLParser.__init__() wasn't called"))
}

fn started<'a>(vm: &'a Vm, this: &'a This) -> Res<Parse<'a>> {
    let Some(target) = this.target.get() else {
        return Err(vm.value_error("XMLParser.__init__() wasn't called"));
    };
    let wants = Wants {
        references: true,
        ..Wants::default()
    };
    Ok(Parse {
        vm,
        this,
        target,
        wants,
        recent: RefCell::new([const { None }; RECENT]),
    })
}

#[pymethods]
impl XmlParser {
    #[slot]
    fn __new__(_: &Vm, cls: &Py<Type>, _: Args<'_>) -> Res<Value> {
        let made = XmlParser {
            machine: Opaque(Exclusive::new(None)),
            target: Slot::empty(),
            entity: PySlot::empty(),
            handlers: METHODS.iter().map(|_| Slot::empty()).collect(),
            names: Opaque(Locked::new(HashMap::default())),
        };
        Ok(Py::with_class(cls, made).into_value())
    }

    #[slot(sig = "(*, target=None, encoding=None)")]
    fn __init__(vm: &Vm, this: &This, target: Option<&Value>, encoding: Option<&Value>) -> Res<()> {
        let encoding = match encoding.filter(|encoding| !encoding.is_none()) {
            None => None,
            Some(encoding) => match encoding.downcast::<Str>() {
                Some(text) => Some(text.to_string_lossy()),
                None => {
                    let found = encoding.ty().name();
                    let message = format!("XMLParser() argument 'encoding' must be str or None, not {found}");
                    return Err(vm.type_error(message));
                }
            },
        };
        let target = match target.filter(|target| !target.is_none()) {
            Some(target) => target.clone(),
            None => TreeBuilder::make().into_value(),
        };
        for (slot, name) in this.handlers.iter().zip(METHODS) {
            drop(slot.swap(vm.getattr_opt(&target, &Str::intern(name))?));
        }
        drop(this.entity.swap(Some(Dict::new_empty())));
        drop(this.names.0.with(this.header(), std::mem::take));
        let machine = Machine::new(encoding, Some(Some('}')));
        this.machine.0.with(vm, this.header(), |place| *place = Some(machine));
        drop(this.target.swap(Some(target)));
        Ok(())
    }

    #[pymethod(sig = "($self, data, /)")]
    fn feed(vm: &Vm, this: &This, data: &Value) -> Res<()> {
        let parse = started(vm, this)?;
        if let Some(text) = data.downcast::<Str>() {
            let encoded = vm.call_method(text.as_value(), intern!("encode"), &[Value::from("utf-8")])?;
            parse.with(|machine| machine.set_encoding("utf-8"))?;
            return parse.parse(&get_bytes(vm, &encoded)?, false);
        }
        parse.parse(&get_bytes(vm, data)?, false)
    }

    #[pymethod(sig = "($self, /)")]
    fn close(vm: &Vm, this: &This) -> Res<Value> {
        let parse = started(vm, this)?;
        parse.parse(&[], true)?;
        if parse.builder().is_some() {
            return Ok(parse.result());
        }
        match parse.handler(CLOSE) {
            Some(close) => vm.call(&close, &[]),
            None => Ok(Value::NONE),
        }
    }

    #[pymethod(sig = "($self, /)")]
    fn flush(vm: &Vm, this: &This) -> Res<()> {
        let parse = started(vm, this)?;
        let defers = parse.with(|machine| std::mem::replace(&mut machine.defer, false))?;
        let result = parse.parse(&[], false);
        parse.with(|machine| machine.defer = defers)?;
        result
    }

    #[pymethod(sig = "($self, file, /)")]
    fn _parse_whole(vm: &Vm, this: &This, file: &Value) -> Res<Value> {
        let parse = started(vm, this)?;
        let read = vm.getattr(file, intern!("read"))?;
        loop {
            let mut data = vm.call(&read, &[Value::int(CHUNK)])?;
            if let Some(text) = data.downcast_exact::<Str>() {
                if text.is_empty() {
                    break;
                }
                let args = [Value::from("utf-8"), Value::from("surrogatepass")];
                data = vm.call_method(&data, intern!("encode"), &args)?;
            }
            match data.downcast_exact::<Bytes>() {
                Some(bytes) if !bytes.is_empty() => parse.parse(bytes.as_slice(), false)?,
                _ => break,
            }
        }
        parse.parse(&[], true)?;
        Ok(parse.result())
    }

    #[pymethod(sig = "($self, events_queue, events_to_report=None, /)")]
    fn _setevents(vm: &Vm, this: &This, events_queue: &Value, events_to_report: Option<&Value>) -> Res<()> {
        let parse = started(vm, this)?;
        let Some(builder) = parse.builder() else {
            let message = "event handling only supported for ElementTree.TreeBuilder targets";
            return Err(vm.type_error(message));
        };
        let report = vm.getattr(events_queue, intern!("append"))?;
        let mut names: [Option<Value>; 6] = Default::default();
        match events_to_report.filter(|events| !events.is_none()) {
            None => names[1] = Some(Value::from("end")),
            Some(events) => {
                let Ok(iterator) = vm.iter(events) else {
                    return Err(vm.type_error("events must be a sequence"));
                };
                for event in vm.collect(&iterator)? {
                    let text = match (event.downcast::<Str>(), event.downcast::<Bytes>()) {
                        (Some(text), _) => text.to_string_lossy(),
                        (None, Some(bytes)) => String::from_utf8_lossy(bytes.as_slice()).into_owned(),
                        (None, None) => return Err(vm.value_error("invalid events sequence")),
                    };
                    let Some(which) = builder::EVENTS.iter().position(|known| *known == text) else {
                        return Err(vm.value_error(format!("unknown event '{text}'")));
                    };
                    names[which] = Some(event);
                }
            }
        }
        TreeBuilder::set_events(builder, report, names);
        Ok(())
    }

    #[getter]
    fn entity(_: &Vm, this: &This) -> Value {
        this.entity.get().map_or(Value::NONE, Py::into_value)
    }

    #[getter]
    fn target(_: &Vm, this: &This) -> Value {
        this.target.get().unwrap_or(Value::NONE)
    }

    #[getter]
    fn version(_: &Vm, _this: &This) -> &'static str {
        "Expat 2.6.3"
    }
}
