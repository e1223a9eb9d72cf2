//! The document type: what is declared, and how declarations are read.
//!
//! Invariant: a declaration is read from its whole text, between `<!` and `>`; the first declaration of a name counts.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::fault::{self, Fault};
use super::text::{char_ref, is_name_char, is_name_start, is_space, normalized};

/// How deep groups of a content model may be nested.
const MAX_GROUPS: usize = 1000;

/// An entity.
#[derive(Clone, Default)]
pub struct Entity {
    /// The replacement text of an internal entity.
    pub text: Option<Arc<str>>,
    pub system: Option<String>,
    pub public: Option<String>,
    pub notation: Option<String>,
    pub base: Option<String>,
    /// Declared in the document itself.
    pub internal_subset: bool,
}

/// An attribute that is declared.
#[derive(Clone)]
pub struct Attribute {
    pub name: String,
    pub cdata: bool,
    pub default: Option<String>,
}

/// The attributes that are declared for an element, in their order.
#[derive(Clone, Default)]
pub struct Attributes {
    pub list: Vec<Attribute>,
    places: HashMap<String, usize>,
}

impl Attributes {
    pub fn get(&self, name: &str) -> Option<&Attribute> {
        self.list.get(*self.places.get(name)?)
    }

    /// Adds an attribute, unless there is one of that name.
    pub fn add(&mut self, attribute: Attribute) {
        if !self.places.contains_key(&attribute.name) {
            self.places.insert(attribute.name.clone(), self.list.len());
            self.list.push(attribute);
        }
    }
}

/// What is declared; shared by the parsers of a document and of its external entities.
#[derive(Default)]
pub struct Dtd {
    pub general: HashMap<String, Entity>,
    pub parameter: HashMap<String, Entity>,
    pub attributes: HashMap<String, Arc<Attributes>>,
    /// Entities that are being expanded.
    pub open: HashSet<String>,
    pub standalone: bool,
    pub has_parameter_refs: bool,
    /// Declarations are no longer to be taken in: one could not be seen.
    pub ignoring: bool,
    /// An external subset was read.
    pub parameter_read: bool,
    /// Bytes of the document, and bytes that came of entities.
    pub direct: u64,
    pub indirect: u64,
}

impl Dtd {
    /// Counts text that came of an entity: documents must not become much longer than they are.
    pub fn account(&mut self, bytes: usize) -> Result<(), Fault> {
        const THRESHOLD: u64 = 8 << 20;
        const FACTOR: u64 = 100;
        self.indirect += bytes as u64;
        let all = self.direct + self.indirect;
        if all > THRESHOLD && all / self.direct.max(1) > FACTOR {
            return Err(fault::AMPLIFICATION);
        }
        Ok(())
    }
}

/// A content model: kind, how often, name, parts.
#[derive(Clone, Debug)]
pub struct Model {
    pub kind: i64,
    pub quantifier: i64,
    pub name: Option<String>,
    pub children: Vec<Model>,
}

/// A declaration.
pub enum Declaration {
    Element(String, Model),
    /// Element, and of each attribute: name, type, default, whether it is required.
    Attributes(String, Vec<(String, String, Option<String>, bool)>),
    Entity {
        name: String,
        parameter: bool,
        entity: Entity,
    },
    Notation {
        name: String,
        system: Option<String>,
        public: Option<String>,
    },
}

/// What reads a declaration.
pub struct Cursor<'a> {
    text: &'a str,
    pub at: usize,
}

type Read<T> = Result<T, Fault>;

impl<'a> Cursor<'a> {
    pub fn new(text: &'a str) -> Cursor<'a> {
        Cursor { text, at: 0 }
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    pub fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    pub fn take(&mut self, text: &str) -> bool {
        let found = self.rest().starts_with(text);
        if found {
            self.at += text.len();
        }
        found
    }

    /// Whether there was white space.
    pub fn space(&mut self) -> bool {
        let rest = self.rest();
        let end = rest.find(|c| !is_space(c)).unwrap_or(rest.len());
        self.at += end;
        end > 0
    }

    pub fn need_space(&mut self) -> Read<()> {
        if self.space() { Ok(()) } else { Err(self.fault()) }
    }

    /// The fault of what comes next.
    pub fn fault(&self) -> Fault {
        match self.peek() {
            Some(c) if !is_name_char(c) && !"[]()|,*+?<>%#\"'".contains(c) => fault::INVALID_TOKEN,
            Some('%') => fault::PARAM_ENTITY_REF,
            _ => fault::SYNTAX,
        }
    }

    fn word(&mut self, first: impl Fn(char) -> bool) -> Read<&'a str> {
        let rest = self.rest();
        match rest.chars().next() {
            Some(c) if first(c) => {}
            _ => return Err(self.fault()),
        }
        let end = rest.find(|c| !is_name_char(c)).unwrap_or(rest.len());
        self.at += end;
        Ok(&rest[..end])
    }

    pub fn name(&mut self) -> Read<&'a str> {
        self.word(is_name_start)
    }

    pub fn literal(&mut self) -> Read<&'a str> {
        let rest = self.rest();
        let quote = match rest.chars().next() {
            Some(quote @ ('"' | '\'')) => quote,
            _ => return Err(self.fault()),
        };
        let Some(end) = rest[1..].find(quote) else {
            return Err(fault::SYNTAX);
        };
        self.at += end + 2;
        Ok(&rest[1..=end])
    }

    /// `SYSTEM "s"` or `PUBLIC "p" "s"`; of notations the system identifier may be missing.
    pub fn external_id(&mut self, may_lack_system: bool) -> Read<Option<(Option<String>, Option<String>)>> {
        if self.take("SYSTEM") {
            self.need_space()?;
            return Ok(Some((None, Some(normalized(self.literal()?)))));
        }
        if !self.take("PUBLIC") {
            return Ok(None);
        }
        self.need_space()?;
        let public = public_id(self.literal()?)?;
        let spaced = self.space();
        if may_lack_system && self.peek().is_none() {
            return Ok(Some((Some(public), None)));
        }
        if !spaced {
            return Err(self.fault());
        }
        Ok(Some((Some(public), Some(normalized(self.literal()?)))))
    }

    fn end(&mut self) -> Read<()> {
        self.space();
        if self.peek().is_some() {
            Err(self.fault())
        } else {
            Ok(())
        }
    }
}

fn public_id(text: &str) -> Read<String> {
    let good = |c: char| c.is_ascii_alphanumeric() || " \r\n-'()+,./:=?;!*#@$_%".contains(c);
    if !text.chars().all(good) {
        return Err(fault::PUBLICID);
    }
    Ok(text
        .split([' ', '\r', '\n'])
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" "))
}

/// Reads the text between `<!` and `>`. `internal` says that it is in the document itself; `value` makes the text of an entity
/// or of a default out of a literal.
pub fn declaration(
    text: &str,
    internal: bool,
    entity_value: &mut dyn FnMut(&str) -> Read<String>,
    attribute_value: &mut dyn FnMut(&str, bool) -> Read<String>,
) -> Read<Declaration> {
    let mut cursor = Cursor::new(text);
    let keyword = cursor.name()?;
    match keyword {
        "ELEMENT" | "ATTLIST" | "ENTITY" | "NOTATION" => cursor.need_space()?,
        _ => return Err(fault::SYNTAX),
    }
    let declaration = match keyword {
        "ELEMENT" => {
            let name = cursor.name()?.to_owned();
            cursor.need_space()?;
            Declaration::Element(name, content_model(&mut cursor)?)
        }
        "ATTLIST" => attributes(&mut cursor, attribute_value)?,
        "ENTITY" => entity(&mut cursor, internal, entity_value)?,
        _ => {
            let name = cursor.name()?.to_owned();
            cursor.need_space()?;
            let Some((public, system)) = cursor.external_id(true)? else {
                return Err(cursor.fault());
            };
            Declaration::Notation { name, system, public }
        }
    };
    cursor.end()?;
    Ok(declaration)
}

fn entity(cursor: &mut Cursor<'_>, internal: bool, value: &mut dyn FnMut(&str) -> Read<String>) -> Read<Declaration> {
    let parameter = cursor.take("%");
    if parameter {
        cursor.need_space()?;
    }
    let name = cursor.name()?.to_owned();
    cursor.need_space()?;
    let mut entity = Entity {
        internal_subset: internal,
        ..Entity::default()
    };
    match cursor.external_id(false)? {
        None => entity.text = Some(value(cursor.literal()?)?.into()),
        Some((public, system)) => {
            entity.public = public;
            entity.system = system;
            if cursor.space() && cursor.take("NDATA") {
                if parameter {
                    return Err(fault::SYNTAX);
                }
                cursor.need_space()?;
                entity.notation = Some(cursor.name()?.to_owned());
            }
        }
    }
    Ok(Declaration::Entity {
        name,
        parameter,
        entity,
    })
}

fn attributes(cursor: &mut Cursor<'_>, value: &mut dyn FnMut(&str, bool) -> Read<String>) -> Read<Declaration> {
    let element = cursor.name()?.to_owned();
    let mut found = Vec::new();
    while cursor.space() && cursor.peek().is_some() {
        let name = cursor.name()?.to_owned();
        cursor.need_space()?;
        let mut kind = String::new();
        if cursor.peek() != Some('(') {
            kind.push_str(cursor.name()?);
            match kind.as_str() {
                "CDATA" | "ID" | "IDREF" | "IDREFS" | "ENTITY" | "ENTITIES" | "NMTOKEN" | "NMTOKENS" => {}
                "NOTATION" => cursor.need_space()?,
                _ => return Err(fault::SYNTAX),
            }
        }
        if kind.is_empty() || kind == "NOTATION" {
            if !cursor.take("(") {
                return Err(cursor.fault());
            }
            kind.push('(');
            loop {
                cursor.space();
                kind.push_str(cursor.word(is_name_char)?);
                cursor.space();
                if cursor.take(")") {
                    kind.push(')');
                    break;
                }
                if !cursor.take("|") {
                    return Err(cursor.fault());
                }
                kind.push('|');
            }
        }
        cursor.need_space()?;
        let cdata = kind == "CDATA";
        let (default, required) = if cursor.take("#REQUIRED") {
            (None, true)
        } else if cursor.take("#IMPLIED") {
            (None, false)
        } else if cursor.take("#FIXED") {
            cursor.need_space()?;
            (Some(value(cursor.literal()?, cdata)?), true)
        } else {
            (Some(value(cursor.literal()?, cdata)?), false)
        };
        found.push((name, kind, default, required));
    }
    Ok(Declaration::Attributes(element, found))
}

fn quantifier(cursor: &mut Cursor<'_>) -> i64 {
    for (text, number) in [("?", 1), ("*", 2), ("+", 3)] {
        if cursor.take(text) {
            return number;
        }
    }
    0
}

fn leaf(kind: i64) -> Model {
    Model {
        kind,
        quantifier: 0,
        name: None,
        children: Vec::new(),
    }
}

fn content_model(cursor: &mut Cursor<'_>) -> Read<Model> {
    if cursor.take("EMPTY") {
        return Ok(leaf(1));
    }
    if cursor.take("ANY") {
        return Ok(leaf(2));
    }
    if !cursor.take("(") {
        return Err(cursor.fault());
    }
    cursor.space();
    if !cursor.take("#PCDATA") {
        return group(cursor, 0);
    }
    let mut model = leaf(3);
    loop {
        cursor.space();
        if cursor.take(")") {
            break;
        }
        if !cursor.take("|") {
            return Err(cursor.fault());
        }
        cursor.space();
        let mut part = leaf(4);
        part.name = Some(cursor.name()?.to_owned());
        model.children.push(part);
    }
    if cursor.take("*") {
        model.quantifier = 2;
    } else if !model.children.is_empty() {
        return Err(fault::SYNTAX);
    }
    Ok(model)
}

/// A choice or a sequence, behind its parenthesis.
fn group(cursor: &mut Cursor<'_>, depth: usize) -> Read<Model> {
    if depth > MAX_GROUPS {
        return Err(fault::SYNTAX);
    }
    let mut separator = None;
    let mut children = Vec::new();
    loop {
        cursor.space();
        if cursor.take("(") {
            children.push(group(cursor, depth + 1)?);
        } else {
            let mut part = leaf(4);
            part.name = Some(cursor.name()?.to_owned());
            part.quantifier = quantifier(cursor);
            children.push(part);
        }
        cursor.space();
        if cursor.take(")") {
            break;
        }
        match cursor.peek() {
            Some(c @ ('|' | ',')) if separator.is_none_or(|known| known == c) => {
                separator = Some(c);
                cursor.at += 1;
            }
            _ => return Err(cursor.fault()),
        }
    }
    Ok(Model {
        kind: if separator == Some('|') { 5 } else { 6 },
        quantifier: quantifier(cursor),
        name: None,
        children,
    })
}

/// The replacement text of an entity: references to characters and parameter entities are replaced.
pub fn entity_value(literal: &str, parameter: &mut dyn FnMut(&str) -> Read<String>) -> Read<String> {
    let mut out = String::new();
    let mut rest = literal;
    while let Some(at) = rest.find(['&', '%']) {
        out.push_str(&normalized(&rest[..at]));
        let Some(end) = rest[at..].find(';') else {
            return Err(fault::INVALID_TOKEN);
        };
        let reference = &rest[at + 1..at + end];
        let percent = rest.as_bytes()[at] == b'%';
        if percent {
            out.push_str(&parameter(reference)?);
        } else if reference.starts_with('#') {
            out.push(char_ref(reference).ok_or(fault::BAD_CHAR_REF)?);
        } else {
            if !Cursor::new(reference)
                .name()
                .is_ok_and(|name| name.len() == reference.len())
            {
                return Err(fault::INVALID_TOKEN);
            }
            out.push_str(&rest[at..=at + end]);
        }
        rest = &rest[at + end + 1..];
    }
    out.push_str(&normalized(rest));
    Ok(out)
}
