//! The parser's state: takes bytes, gives out one event after the other. Here is what drives it; what it meets in the document type, in tags and
//! in their attributes is below.
//!
//! Invariant: no Python code is known here; whoever handles an event may change what is wanted before the next. Entities are expanded
//! by a stack of texts, not by recursion, and their amount is limited ([`Dtd::account`]).

mod doctype;
mod tags;
mod values;

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lisle_runtime::memory::room::{self, NoMemory};

use self::doctype::open_key;
use super::dtd::{self, Attribute, Cursor, Declaration, Dtd, Entity, Model};
use super::fault::{self, Fault};
use super::lex::{self, RawAttribute, Token, Word};
use super::text::{Encoding, Lex, char_ref, is_space, normalized, predefined};

/// What happened.
#[derive(Debug)]
pub enum Event {
    XmlDecl(Option<String>, Option<String>, i64),
    UnknownEncoding(String),
    StartDoctype {
        name: String,
        system: Option<String>,
        public: Option<String>,
        internal: bool,
    },
    EndDoctype,
    ElementDecl(String, Model),
    AttlistDecl(String, String, String, Option<String>, bool),
    EntityDecl {
        name: String,
        parameter: bool,
        value: Option<String>,
        base: Option<String>,
        system: Option<String>,
        public: Option<String>,
        notation: Option<String>,
    },
    NotationDecl(String, Option<String>, Option<String>, Option<String>),
    Instruction(String, String),
    Comment(String),
    StartCdata,
    EndCdata,
    /// Names and values in turn; how many of them the document gives itself.
    Start(Word, Vec<(Word, Word)>, usize),
    End(Word),
    StartNamespace(Option<String>, Option<String>),
    EndNamespace(Option<String>),
    Text(Word),
    /// Nothing but its source.
    Source,
    External {
        context: Option<String>,
        base: Option<String>,
        system: Option<String>,
        public: Option<String>,
    },
    Skipped(String, bool),
    NotStandalone,
}

/// Where something is: bytes from 0, lines from 1, columns from 0.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    pub byte: i64,
    pub line: i64,
    pub column: i64,
}

/// A place that is counted out when somebody asks; see [`Machine::resolve`].
#[derive(Clone, Copy, Debug)]
pub enum Spot {
    /// Behind so many bytes of text.
    Behind(usize),
    Known(Place),
}

#[derive(Debug)]
pub struct Happening {
    pub event: Event,
    /// The text it was made of, if somebody wants it.
    pub source: Option<String>,
    pub place: Spot,
}

/// What whoever uses the parser handles, as far as it changes what happens.
#[derive(Clone, Copy, Default)]
pub struct Wants {
    /// Internal entities are not expanded but reported.
    pub keep_entities: bool,
    pub external: bool,
    pub source: bool,
    /// The text of references, and of nothing else.
    pub references: bool,
    /// Whether parameter entities are read: never, unless the document stands alone, always.
    pub parameter: i32,
    pub foreign_dtd: bool,
    pub triplets: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Start,
    Prolog,
    Subset,
    Content,
    Cdata,
    Epilog,
    /// The external subset, or an external parameter entity.
    External,
}

/// What is left to do once an external entity was handled.
enum After {
    /// The end of the document type, or the begin of a document without one.
    Subset {
        had_refs: bool,
        has_system: bool,
        doctype: bool,
    },
    General(String),
    Parameter(String),
}

struct Frame {
    name: String,
    parameter: bool,
    text: Arc<str>,
    at: usize,
    tags: usize,
    /// Where it is referred to.
    place: Spot,
}

struct Tag {
    raw: Word,
    expanded: Word,
    prefixes: Vec<String>,
}

/// Namespaces are processed, and names joined by this character.
pub type Namespaces = Option<Option<char>>;

pub struct Machine {
    raw: Vec<u8>,
    encoding: Option<Encoding>,
    /// What the program says the encoding is.
    given: Option<String>,
    bad: bool,
    text: String,
    at: usize,
    event_at: usize,
    /// How much text was taken off the front of `text`.
    dropped: usize,
    /// The place where `text` begins, or one behind, and the last that was counted out.
    known: (usize, Place),
    counted: (usize, Place),
    /// Of the last event or fault.
    place: Spot,
    last: bool,
    state: State,
    queue: VecDeque<Happening>,
    /// Came up behind what is in the queue.
    delayed: Option<Fault>,
    frames: Vec<Frame>,
    tags: Vec<Tag>,
    bindings: HashMap<String, Vec<String>>,
    dtd: Arc<Mutex<Dtd>>,
    namespaces: Namespaces,
    /// An external entity is parsed.
    entity: bool,
    doctype: Option<(Option<String>, Option<String>)>,
    seen_doctype: bool,
    ignored_sections: usize,
    sections: usize,
    after: Option<After>,
    pub defer: bool,
    waiting: usize,
    pub finished: bool,
    pub failed: Option<Fault>,
    pub base: Option<String>,
}

const XML_URI: &str = "http://www.w3.org/XML/1998/namespace";
const XMLNS_URI: &str = "http://www.w3.org/2000/xmlns/";
/// How deep entities may be nested in attribute values.
const MAX_DEPTH: usize = 200;
/// How much text is given out at once when it had to be decoded.
const TEXT_CHUNK: usize = 1024;

fn lock(dtd: &Mutex<Dtd>) -> MutexGuard<'_, Dtd> {
    dtd.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Machine {
    pub fn new(given: Option<String>, namespaces: Namespaces) -> Machine {
        let mut bindings = HashMap::new();
        bindings.insert("xml".to_owned(), vec![XML_URI.to_owned()]);
        let begin = Place {
            byte: 0,
            line: 1,
            column: 0,
        };
        Machine {
            raw: Vec::new(),
            encoding: None,
            given,
            bad: false,
            text: String::new(),
            at: 0,
            event_at: 0,
            dropped: 0,
            known: (0, begin),
            counted: (0, begin),
            place: Spot::Known(Place { byte: -1, ..begin }),
            last: false,
            state: State::Start,
            queue: VecDeque::new(),
            delayed: None,
            frames: Vec::new(),
            tags: Vec::new(),
            bindings,
            dtd: Arc::default(),
            namespaces,
            entity: false,
            doctype: None,
            seen_doctype: false,
            ignored_sections: 0,
            sections: 0,
            after: None,
            defer: true,
            waiting: 0,
            finished: false,
            failed: None,
            base: None,
        }
    }

    /// A parser for an external entity: of content, in this context, or of the document type.
    pub fn external(&self, context: Option<&str>, given: Option<String>) -> Machine {
        let mut child = Machine::new(given, self.namespaces);
        child.dtd = self.dtd.clone();
        child.entity = true;
        child.defer = self.defer;
        child.base = self.base.clone();
        match context {
            None => {
                child.seen_doctype = true;
                lock(&self.dtd).parameter_read = true;
            }
            Some(context) => {
                child.doctype = Some((None, None));
                for part in context.split('\u{c}').filter(|part| !part.is_empty()) {
                    if let Some((prefix, uri)) = part.split_once('=') {
                        child.bindings.insert(prefix.to_owned(), vec![uri.to_owned()]);
                    }
                }
            }
        }
        child
    }

    /// Says what the encoding is, whatever the document says.
    pub fn set_encoding(&mut self, name: &str) {
        if self.state == State::Start {
            self.given = Some(name.to_owned());
        }
    }

    /// Takes more of the document.
    ///
    /// # Errors
    /// If there is no memory for it, also as text.
    pub fn feed(&mut self, data: &[u8], last: bool) -> Result<(), NoMemory> {
        lock(&self.dtd).direct += data.len() as u64;
        room::append(&mut self.raw, data)?;
        // As text, a byte may become two, or three by a map.
        let widest = match &self.encoding {
            None | Some(Encoding::Utf8 | Encoding::Ascii) => 1,
            Some(Encoding::Latin1 | Encoding::Utf16 { .. }) => 2,
            Some(Encoding::Map(_)) => 3,
        };
        self.text.try_reserve(self.raw.len().saturating_mul(widest))?;
        self.last = last;
        self.decode();
        Ok(())
    }

    /// Whether parsing is put off until more has come: what was there before was no whole token.
    pub fn defers(&mut self) -> bool {
        let have = self.text.len() - self.at + self.raw.len();
        self.defer && !self.last && self.waiting > 0 && have < 2 * self.waiting
    }

    /// Remembers how much there was that was no whole token.
    pub fn pause(&mut self, consumed: bool) {
        let have = self.text.len() - self.at + self.raw.len();
        self.waiting = if consumed { 0 } else { have };
    }

    /// How far parsing has come.
    pub fn progress(&self) -> usize {
        self.dropped + self.at
    }

    /// Of the last event or fault.
    pub fn place(&mut self) -> Place {
        let place = self.resolve(self.place);
        self.place = Spot::Known(place);
        place
    }

    /// Counts out a place of this document: mostly one behind that was asked for before.
    pub fn resolve(&mut self, spot: Spot) -> Place {
        let behind = match spot {
            Spot::Known(place) => return place,
            Spot::Behind(behind) => behind,
        };
        let (from, place) = if self.counted.0 <= behind {
            self.counted
        } else {
            self.known
        };
        let between = from.saturating_sub(self.dropped)..behind.saturating_sub(self.dropped);
        let place = moved(
            place,
            self.text.get(between).unwrap_or_default(),
            self.encoding.as_ref(),
        );
        self.counted = (behind, place);
        place
    }

    /// Counts out what is still to be told, before text goes or its encoding changes.
    fn settle(&mut self) {
        self.place();
        for at in 0..self.queue.len() {
            let place = self.resolve(self.queue[at].place);
            self.queue[at].place = Spot::Known(place);
        }
        for at in 0..self.frames.len() {
            let place = self.resolve(self.frames[at].place);
            self.frames[at].place = Spot::Known(place);
        }
        let here = self.resolve(self.here());
        self.known = (self.dropped + self.at, here);
        self.counted = self.known;
    }

    /// Where the document is.
    fn here(&self) -> Spot {
        Spot::Behind(self.dropped + self.at)
    }

    /// The characters of an encoding that was reported as unknown.
    pub fn set_map(&mut self, map: Box<[u32; 256]>) {
        self.encoding = Some(Encoding::Map(map));
        self.decode();
    }

    /// The text from the last event on.
    pub fn context(&self) -> String {
        self.text[self.event_at.min(self.text.len())..].to_owned()
    }

    fn decode(&mut self) {
        if self.at > 1 << 16 {
            self.settle();
            self.text.drain(..self.at);
            self.dropped += self.at;
            self.event_at = self.event_at.saturating_sub(self.at);
            self.at = 0;
        }
        if let Some(encoding) = &self.encoding
            && !self.bad
        {
            self.bad = encoding.decode(&mut self.raw, &mut self.text);
        }
    }

    /// The next event; `None` if more input is needed or the document has ended.
    pub fn next(&mut self, wants: &Wants) -> Result<Option<Happening>, Fault> {
        loop {
            if let Some(happening) = self.queue.pop_front() {
                self.place = happening.place;
                return Ok(Some(happening));
            }
            if !self.advance(wants)? {
                return Ok(None);
            }
        }
    }

    /// Puts the next events into `batch`, which is empty, about `many` of them and none behind one that has to be handled first; none if more
    /// input is needed or the document has ended.
    pub fn next_batch(&mut self, wants: &Wants, batch: &mut VecDeque<Happening>, many: usize) -> Result<(), Fault> {
        while self.queue.is_empty() {
            if !self.advance(wants)? {
                return Ok(());
            }
        }
        while self.queue.len() < many
            && self.after.is_none()
            && !matches!(self.queue.back(), Some(last) if matches!(last.event, Event::UnknownEncoding(_)))
        {
            match self.step(wants) {
                Ok(true) => {}
                Ok(false) => break,
                Err(fault) => {
                    self.delayed = Some(fault);
                    break;
                }
            }
        }
        if let (Some(last), None) = (self.queue.back(), self.delayed) {
            self.place = last.place;
        }
        std::mem::swap(&mut self.queue, batch);
        Ok(())
    }

    /// Goes on, with nothing in the queue; whether there is more to do.
    fn advance(&mut self, wants: &Wants) -> Result<bool, Fault> {
        if let Some(fault) = self.delayed.take() {
            return Err(fault);
        }
        if let Some(after) = self.after.take() {
            self.go_on(after);
            return Ok(true);
        }
        if self.step(wants)? {
            return Ok(true);
        }
        if self.last {
            self.place = self.here();
        }
        Ok(false)
    }

    /// Where the document is; within an entity, where that is referred to.
    fn place_now(&self) -> Spot {
        self.frames.first().map_or(self.here(), |frame| frame.place)
    }

    fn fail(&mut self, offset: usize, fault: Fault) -> Fault {
        self.place = self.place_now();
        if self.frames.is_empty() {
            let end = (self.at + offset).min(self.text.len());
            if self.text.is_char_boundary(end) {
                self.place = Spot::Behind(self.dropped + end);
            }
        }
        fault
    }

    fn push(&mut self, wants: &Wants, event: Event, len: usize) {
        let wanted = wants.source || wants.references && self.ahead().starts_with('&');
        let source = wanted.then(|| self.ahead()[..len].to_owned());
        self.event_at = self.at;
        let place = self.place_now();
        self.queue.push_back(Happening { event, source, place });
    }

    fn ahead(&self) -> &str {
        match self.frames.last() {
            Some(frame) => &frame.text[frame.at..],
            None => &self.text[self.at..],
        }
    }

    fn consume(&mut self, len: usize) {
        match self.frames.last_mut() {
            Some(frame) => frame.at += len,
            None => self.at += len,
        }
    }

    /// Does one thing; whether there is more to do.
    fn step(&mut self, wants: &Wants) -> Result<bool, Fault> {
        if self.state == State::Start && self.frames.is_empty() {
            return self.start(wants);
        }
        let last = !self.frames.is_empty() || self.last && self.raw.is_empty();
        let namespaces = self.namespaces.is_some();
        let parameter = self.frames.last().is_some_and(|frame| frame.parameter);
        let text = self.ahead();
        let lexed = match self.state {
            State::Cdata => lex::cdata(text, last),
            State::Content => lex::content(text, last, namespaces),
            State::Subset | State::External => lex::prolog(text, last, true, namespaces),
            _ if parameter => lex::prolog(text, last, true, namespaces),
            _ => lex::prolog(text, last, false, namespaces),
        };
        match lexed {
            Lex::Found(token, len) => {
                self.token(wants, token, len)?;
                Ok(true)
            }
            Lex::Bad(at) => Err(self.fail(at, fault::INVALID_TOKEN)),
            Lex::More if !self.frames.is_empty() => {
                self.end_frame()?;
                Ok(true)
            }
            Lex::More => self.end_of_input(),
        }
    }

    /// Nothing whole is left.
    fn end_of_input(&mut self) -> Result<bool, Fault> {
        if self.bad {
            let all = self.text.len() - self.at;
            return Err(self.fail(all, fault::INVALID_TOKEN));
        }
        if !self.last || self.finished {
            return Ok(false);
        }
        if self.state == State::Cdata {
            return Err(self.fail(0, fault::UNCLOSED_CDATA_SECTION));
        }
        let wide = matches!(self.encoding, Some(Encoding::Utf16 { .. }));
        if !self.raw.is_empty() && !wide {
            return Err(self.fail(0, fault::PARTIAL_CHAR));
        }
        if self.at < self.text.len() || !self.raw.is_empty() {
            let rest = &self.text[self.at..];
            let declares = rest.starts_with("<!") && !rest.starts_with("<!-") || rest.starts_with(']');
            let at = match self.state {
                State::Prolog | State::Subset if declares => lex::unfinished(rest),
                _ => Some(0),
            };
            return Err(match at {
                Some(at) => self.fail(at, fault::UNCLOSED_TOKEN),
                None => self.fail(rest.len(), fault::NO_ELEMENTS),
            });
        }
        let complete = match self.state {
            State::Epilog => true,
            State::External => self.sections == 0,
            State::Content => self.entity && self.tags.is_empty(),
            State::Prolog => self.entity,
            _ => false,
        };
        if !complete {
            let fault = match self.state {
                State::Content if self.entity => fault::ASYNC_ENTITY,
                _ => fault::NO_ELEMENTS,
            };
            return Err(self.fail(0, fault));
        }
        self.finished = true;
        Ok(false)
    }

    fn end_frame(&mut self) -> Result<(), Fault> {
        let Some(frame) = self.frames.last() else { return Ok(()) };
        if frame.at < frame.text.len() {
            return Err(self.fail(0, fault::UNCLOSED_TOKEN));
        }
        if frame.tags != self.tags.len() || self.state == State::Cdata {
            return Err(self.fail(0, fault::ASYNC_ENTITY));
        }
        if let Some(frame) = self.frames.pop() {
            let key = open_key(&frame.name, frame.parameter);
            lock(&self.dtd).open.remove(&key);
        }
        Ok(())
    }

    /// Finds out the encoding, and reads the declaration that may begin the document.
    fn start(&mut self, wants: &Wants) -> Result<bool, Fault> {
        if self.encoding.is_none() && !self.choose_encoding() {
            if !self.queue.is_empty() {
                return Ok(true);
            }
            if self.last && self.raw.is_empty() {
                if self.entity {
                    self.finished = true;
                    return Ok(false);
                }
                return Err(self.fail(0, fault::NO_ELEMENTS));
            }
            return Ok(false);
        }
        if self.text[self.at..].starts_with('\u{feff}') {
            // The mark counts as a character of the first line.
            self.at += '\u{feff}'.len_utf8();
        }
        let text = &self.text[self.at..];
        // No more text comes, whatever the bytes that are left are.
        let all = self.last || self.bad;
        if !all && text.len() < 6 && "<?xml ".starts_with(text) {
            return Ok(false);
        }
        let declared = text
            .strip_prefix("<?xml")
            .is_some_and(|rest| rest.starts_with(is_space) || rest.starts_with("?>"));
        let mut encoding = None;
        if declared {
            let Some(end) = text.find("?>") else {
                return self.end_of_input();
            };
            let wrong = if self.entity { fault::TEXT_DECL } else { fault::XML_DECL };
            let (version, name, standalone) = match xml_declaration(&text[5..end], self.entity) {
                Ok(declared) => declared,
                Err(at) => return Err(self.fail(5 + at, wrong)),
            };
            encoding.clone_from(&name);
            self.push(wants, Event::XmlDecl(version, name, standalone), end + 2);
            if standalone == 1 {
                lock(&self.dtd).standalone = true;
            }
            if let Some(name) = &encoding
                && self.given.is_none()
            {
                let wide = matches!(self.encoding, Some(Encoding::Utf16 { .. }));
                let named = Encoding::named(name);
                if wide != matches!(named, Some(Encoding::Utf16 { .. })) && named.is_some() {
                    return Err(self.fail(5, fault::INCORRECT_ENCODING));
                }
            }
            self.consume(end + 2);
        }
        self.state = match (self.entity, &self.doctype) {
            (false, _) => State::Prolog,
            (true, Some(_)) => State::Content,
            (true, None) => State::External,
        };
        // From here on the text is what the declaration says it is.
        if let Some(name) = encoding.filter(|_| self.given.is_none())
            && matches!(self.encoding, Some(Encoding::Utf8 | Encoding::Utf16 { .. }))
        {
            match Encoding::named(&name) {
                Some(Encoding::Utf8 | Encoding::Utf16 { .. }) => {}
                Some(encoding) => self.redecode(Some(encoding)),
                None => {
                    self.redecode(None);
                    self.bare(Event::UnknownEncoding(name));
                }
            }
        }
        Ok(true)
    }

    /// Takes the text behind the declaration back, to decode it anew.
    fn redecode(&mut self, encoding: Option<Encoding>) {
        self.settle();
        let mut raw = self.text.split_off(self.at).into_bytes();
        raw.append(&mut self.raw);
        self.raw = raw;
        self.bad = false;
        self.encoding = encoding;
        self.decode();
    }

    /// Whether the encoding is known; if not, the program was asked for it, or more of the document has to come.
    fn choose_encoding(&mut self) -> bool {
        if let Some(name) = self.given.clone() {
            self.encoding = Encoding::named(&name);
            if self.encoding.is_none() {
                self.bare(Event::UnknownEncoding(name));
            }
            self.decode();
            return self.encoding.is_some();
        }
        if self.raw.len() < 2 && !self.last || self.raw.is_empty() {
            return false;
        }
        let encoding = match self.raw.as_slice() {
            [0xFE, 0xFF, ..] => Encoding::Utf16 { big: true },
            [0xFF, 0xFE, ..] => Encoding::Utf16 { big: false },
            [0, second, ..] if *second != 0 => Encoding::Utf16 { big: true },
            [first, 0, ..] if *first != 0 => Encoding::Utf16 { big: false },
            _ => Encoding::Utf8,
        };
        self.encoding = Some(encoding);
        self.decode();
        true
    }

    fn token(&mut self, wants: &Wants, token: Token, len: usize) -> Result<(), Fault> {
        match token {
            Token::Text(text) => self.text_token(wants, text, len),
            Token::Start {
                name,
                attributes,
                empty,
            } => {
                if self.state == State::Prolog {
                    self.begin_content(wants);
                    return Ok(());
                }
                if self.state == State::Epilog {
                    return Err(self.fail(0, fault::JUNK_AFTER_DOC_ELEMENT));
                }
                self.start_tag(wants, name, attributes, empty, len)
            }
            Token::End(name) => self.end_tag(wants, &name, len),
            Token::Comment(text) => {
                self.push(wants, Event::Comment(text), len);
                self.consume(len);
                Ok(())
            }
            Token::Instruction(target, data) => {
                if target == "xml" {
                    return Err(self.fail(0, fault::MISPLACED_XML_PI));
                }
                self.push(wants, Event::Instruction(target, data), len);
                self.consume(len);
                Ok(())
            }
            Token::CdataStart => {
                self.push(wants, Event::StartCdata, len);
                self.state = State::Cdata;
                self.consume(len);
                Ok(())
            }
            Token::CdataEnd => {
                self.push(wants, Event::EndCdata, len);
                self.state = State::Content;
                self.consume(len);
                Ok(())
            }
            Token::Char(c) => match c {
                Some(c) => {
                    self.push(wants, Event::Text(Word::new(c.encode_utf8(&mut [0; 4]))), len);
                    self.consume(len);
                    Ok(())
                }
                None => Err(self.fail(0, fault::BAD_CHAR_REF)),
            },
            Token::Reference(name) => self.reference(wants, name, len),
            Token::Space => {
                self.push(wants, Event::Source, len);
                self.consume(len);
                Ok(())
            }
            Token::Doctype => self.doctype(wants, len),
            Token::Declaration => self.declaration(wants, len),
            Token::ParameterReference(name) => self.parameter_reference(wants, name, len),
            Token::SubsetEnd => {
                if self.state != State::Subset || !self.frames.is_empty() {
                    return Err(self.fail(0, fault::SYNTAX));
                }
                self.state = State::Prolog;
                let place = self.here();
                self.consume(len);
                self.end_doctype(wants, place);
                Ok(())
            }
            Token::Conditional => self.conditional(wants),
            Token::ConditionalEnd => {
                if self.sections == 0 {
                    return Err(self.fail(0, fault::SYNTAX));
                }
                self.sections -= 1;
                self.push(wants, Event::Source, len);
                self.consume(len);
                Ok(())
            }
            Token::Other => {
                let junk = self.state == State::Epilog;
                let fault = if junk {
                    fault::JUNK_AFTER_DOC_ELEMENT
                } else {
                    fault::SYNTAX
                };
                Err(self.fail(0, fault))
            }
        }
    }

    fn text_token(&mut self, wants: &Wants, text: Word, len: usize) -> Result<(), Fault> {
        let whole = self.encoding.as_ref().is_none_or(Encoding::is_utf8) || !self.frames.is_empty();
        if whole || text.len() <= TEXT_CHUNK {
            self.push(wants, Event::Text(text), len);
            self.consume(len);
            return Ok(());
        }
        let mut rest = text.as_str();
        while !rest.is_empty() {
            let mut end = rest.len().min(TEXT_CHUNK);
            while !rest.is_char_boundary(end) {
                end -= 1;
            }
            self.push(wants, Event::Text(Word::new(&rest[..end])), end);
            self.consume(end);
            rest = &rest[end..];
        }
        Ok(())
    }

    /// The first tag: a document type that the program gives comes before it.
    fn begin_content(&mut self, wants: &Wants) {
        self.state = State::Content;
        if wants.foreign_dtd && !self.seen_doctype && wants.parameter != 0 && wants.external {
            self.seen_doctype = true;
            let mut dtd = lock(&self.dtd);
            let had_refs = std::mem::replace(&mut dtd.has_parameter_refs, true);
            dtd.parameter_read = false;
            drop(dtd);
            let event = Event::External {
                context: None,
                base: self.base.clone(),
                system: None,
                public: None,
            };
            self.push(wants, event, 0);
            self.after = Some(After::Subset {
                had_refs,
                has_system: false,
                doctype: false,
            });
        }
    }

    fn reference(&mut self, wants: &Wants, name: String, len: usize) -> Result<(), Fault> {
        let mut dtd = lock(&self.dtd);
        let complete = !dtd.has_parameter_refs || dtd.standalone;
        let Some(entity) = dtd.general.get(&name).cloned() else {
            drop(dtd);
            if complete {
                return Err(self.fail(0, fault::UNDEFINED_ENTITY));
            }
            self.push(wants, Event::Skipped(name, false), len);
            self.consume(len);
            return Ok(());
        };
        if complete && !entity.internal_subset {
            drop(dtd);
            return Err(self.fail(0, fault::ENTITY_DECLARED_IN_PE));
        }
        if dtd.open.contains(&name) {
            drop(dtd);
            return Err(self.fail(0, fault::RECURSIVE_ENTITY_REF));
        }
        if entity.notation.is_some() {
            drop(dtd);
            return Err(self.fail(0, fault::BINARY_ENTITY_REF));
        }
        if let Some(text) = entity.text {
            if wants.keep_entities {
                drop(dtd);
                self.push(wants, Event::Skipped(name, false), len);
                self.consume(len);
                return Ok(());
            }
            let accounted = dtd.account(text.len());
            dtd.open.insert(name.clone());
            drop(dtd);
            accounted.map_err(|fault| self.fail(0, fault))?;
            let place = self.place_now();
            self.consume(len);
            self.frames.push(Frame {
                name,
                parameter: false,
                text,
                at: 0,
                tags: self.tags.len(),
                place,
            });
            return Ok(());
        }
        if !wants.external {
            drop(dtd);
            self.push(wants, Event::Source, len);
            self.consume(len);
            return Ok(());
        }
        dtd.open.insert(name.clone());
        let context = self.entity_context(&dtd);
        drop(dtd);
        let event = Event::External {
            context: Some(context),
            base: entity.base,
            system: entity.system,
            public: entity.public,
        };
        self.push(wants, event, len);
        self.consume(len);
        self.after = Some(After::General(name));
        Ok(())
    }

    /// Namespaces in force and open entities, as expat writes them.
    fn entity_context(&self, dtd: &Dtd) -> String {
        let mut parts: Vec<String> = Vec::new();
        if self.namespaces.is_some() {
            for (prefix, uris) in &self.bindings {
                if let Some(uri) = uris.last().filter(|uri| !uri.is_empty()) {
                    parts.push(format!("{prefix}={uri}"));
                }
            }
            parts.sort();
        }
        parts.extend(dtd.open.iter().filter(|key| !key.starts_with('%')).cloned());
        parts.join("\u{c}")
    }

    /// Goes on behind an external entity.
    fn go_on(&mut self, after: After) {
        match after {
            After::General(name) => {
                lock(&self.dtd).open.remove(&name);
            }
            After::Parameter(name) => {
                let mut dtd = lock(&self.dtd);
                dtd.open.remove(&open_key(&name, true));
                if !dtd.parameter_read {
                    dtd.ignoring = !dtd.standalone;
                }
                let alone = dtd.standalone;
                drop(dtd);
                if !alone {
                    self.bare(Event::NotStandalone);
                }
            }
            After::Subset {
                had_refs,
                has_system,
                doctype,
            } => {
                let mut dtd = lock(&self.dtd);
                let read = dtd.parameter_read;
                if !read && !has_system {
                    dtd.has_parameter_refs = had_refs;
                }
                let alone = dtd.standalone;
                drop(dtd);
                if read && !alone {
                    self.bare(Event::NotStandalone);
                }
                if doctype {
                    self.bare(Event::EndDoctype);
                }
            }
        }
    }

    /// An event without source.
    fn bare(&mut self, event: Event) {
        let place = self.place_now();
        self.queue.push_back(Happening {
            event,
            source: None,
            place,
        });
    }
}

/// What a declaration says: version, encoding and whether the document stands alone (-1: not said).
type Declared = (Option<String>, Option<String>, i64);

/// Reads what is between `<?xml` and `?>`; an error is the offset of what is wrong.
fn xml_declaration(text: &str, entity: bool) -> Result<Declared, usize> {
    let (mut version, mut encoding, mut standalone) = (None, None, -1);
    let (mut found, mut at) = pseudo_attribute(text, 0)?;
    match &found {
        None => return Err(at),
        Some(part) if part.name == "version" => {
            version = Some(part.value.to_owned());
            (found, at) = pseudo_attribute(text, at)?;
            if found.is_none() && entity {
                return Err(at);
            }
        }
        Some(part) if !entity => return Err(part.start),
        Some(_) => {}
    }
    if let Some(part) = &found
        && part.name == "encoding"
    {
        if !part.value.starts_with(|c: char| c.is_ascii_alphabetic()) {
            return Err(part.value_start);
        }
        encoding = Some(part.value.to_owned());
        (found, at) = pseudo_attribute(text, at)?;
    }
    if let Some(part) = &found {
        standalone = match (part.name, part.value) {
            ("standalone", "yes") if !entity => 1,
            ("standalone", "no") if !entity => 0,
            ("standalone", _) if !entity => return Err(part.value_start),
            _ => return Err(part.start),
        };
        let rest = &text[at..];
        let end = at + rest.len() - rest.trim_start_matches(is_space).len();
        if end < text.len() {
            return Err(end);
        }
    }
    Ok((version, encoding, standalone))
}

/// `name="value"`, and where its parts begin.
struct PseudoAttribute<'t> {
    name: &'t str,
    value: &'t str,
    start: usize,
    value_start: usize,
}

/// The one behind `at`, if there is one, and the place behind it; an error is the offset of what is wrong.
fn pseudo_attribute(text: &str, at: usize) -> Result<(Option<PseudoAttribute<'_>>, usize), usize> {
    let spaces = |at: usize| at + text[at..].len() - text[at..].trim_start_matches(is_space).len();
    if at == text.len() {
        return Ok((None, at));
    }
    let start = spaces(at);
    if start == at {
        return Err(at);
    }
    if start == text.len() {
        return Ok((None, at));
    }
    let ends_name = |c: char| c == '=' || is_space(c) || !c.is_ascii();
    let name_end = text[start..].find(ends_name).map_or(text.len(), |len| start + len);
    let equals = spaces(name_end);
    if !text[equals..].starts_with('=') || name_end == start {
        return Err(equals);
    }
    let quote = spaces(equals + 1);
    let Some(open) = text[quote..].chars().next().filter(|c| matches!(c, '"' | '\'')) else {
        return Err(quote);
    };
    let value_start = quote + 1;
    let ends_value = |c: char| !(c.is_ascii_alphanumeric() || "-._:".contains(c));
    let value_end = text[value_start..]
        .find(ends_value)
        .map_or(text.len(), |len| value_start + len);
    if !text[value_end..].starts_with(open) {
        return Err(value_end);
    }
    let found = PseudoAttribute {
        name: &text[start..name_end],
        value: &text[value_start..value_end],
        start,
        value_start,
    };
    Ok((Some(found), value_end + 1))
}

/// The place behind `text`.
fn moved(mut place: Place, text: &str, encoding: Option<&Encoding>) -> Place {
    place.byte += encoding.map_or(text.len(), |encoding| encoding.raw_len(text)) as i64;
    if memchr::memchr2(b'\n', b'\r', text.as_bytes()).is_none() {
        place.column += text.chars().count() as i64;
        return place;
    }
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\r' if chars.peek() == Some(&'\n') => {}
            '\n' | '\r' => {
                place.line += 1;
                place.column = 0;
            }
            _ => place.column += 1,
        }
    }
    place
}
