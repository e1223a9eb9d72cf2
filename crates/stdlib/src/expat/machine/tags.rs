//! Tags: attributes, their defaults, and namespaces.
//!
//! Invariant: [`Machine::start_tag`] pushes what [`Machine::close_tag`] takes away again.

use compact_str::format_compact;

use super::values::attribute_value;
use super::*;

impl Machine {
    pub(super) fn start_tag(
        &mut self,
        wants: &Wants,
        name: Word,
        written: Vec<RawAttribute>,
        empty: bool,
        len: usize,
    ) -> Result<(), Fault> {
        let mut attributes: Vec<(Word, Word)> = Vec::with_capacity(written.len());
        // Without a document type nothing is declared.
        let shared = (self.seen_doctype || self.entity).then(|| self.dtd.clone());
        let declared = shared.as_ref().and_then(|shared| {
            let dtd = lock(shared);
            match dtd.attributes.is_empty() {
                true => None,
                false => dtd.attributes.get(name.as_str()).cloned(),
            }
        });
        let mut names = Names::default();
        for RawAttribute { name, value, at } in written {
            if !names.add(&name, &attributes) {
                return Err(self.fail(at, fault::DUPLICATE_ATTRIBUTE));
            }
            let known = declared.as_ref().and_then(|declared| declared.get(&name));
            let cdata = known.is_none_or(|a| a.cdata);
            let plain = cdata && !value.contains(['&', '\t', '\n', '\r']);
            let value = if plain {
                value
            } else {
                let dtd = shared.clone().unwrap_or_else(|| self.dtd.clone());
                let result = attribute_value(&mut lock(&dtd), &value, cdata);
                Word::from(result.map_err(|fault| self.fail(at, fault))?)
            };
            attributes.push((name, value));
        }
        let given = attributes.len();
        for attribute in declared.iter().flat_map(|declared| &declared.list) {
            if let Some(default) = &attribute.default
                && names.add(&attribute.name, &attributes)
            {
                attributes.push((Word::new(&attribute.name), Word::new(default)));
            }
        }
        let mut tag = Tag {
            raw: name,
            expanded: Word::const_new(""),
            prefixes: Vec::new(),
        };
        let mut specified = given;
        if self.namespaces.is_some() {
            let (kept, count) = self.bind_namespaces(wants, &mut tag, attributes, given)?;
            attributes = kept;
            specified = count;
        } else {
            tag.expanded.clone_from(&tag.raw);
        }
        self.push(wants, Event::Start(tag.expanded.clone(), attributes, specified), len);
        self.consume(len);
        if self.tags.try_reserve(1).is_err() {
            return Err(self.fail(0, fault::NO_MEMORY));
        }
        self.tags.push(tag);
        if empty {
            self.close_tag();
        }
        Ok(())
    }

    /// Takes out the namespaces that attributes declare, and expands the names of the rest.
    pub(super) fn bind_namespaces(
        &mut self,
        wants: &Wants,
        tag: &mut Tag,
        attributes: Vec<(Word, Word)>,
        given: usize,
    ) -> Result<(Vec<(Word, Word)>, usize), Fault> {
        if !attributes
            .iter()
            .any(|(name, _)| name.starts_with("xmlns") || name.contains(':'))
        {
            tag.expanded = self.expand(wants, &tag.raw, true)?;
            return Ok((attributes, given));
        }
        let mut kept = Vec::with_capacity(attributes.len());
        let mut specified = 0;
        for (n, (name, value)) in attributes.into_iter().enumerate() {
            let prefix = match name.strip_prefix("xmlns") {
                Some("") => Some(""),
                Some(rest) => rest.strip_prefix(':'),
                None => None,
            };
            let Some(prefix) = prefix else {
                specified += usize::from(n < given);
                kept.push((name, value));
                continue;
            };
            let wrong = match prefix {
                "xmlns" => Some(fault::RESERVED_PREFIX_XMLNS),
                "xml" if value != XML_URI => Some(fault::RESERVED_PREFIX_XML),
                "xml" => None,
                _ if value == XML_URI || value == XMLNS_URI => Some(fault::RESERVED_NAMESPACE_URI),
                "" => None,
                _ if value.is_empty() => Some(fault::UNDECLARING_PREFIX),
                _ => None,
            };
            if let Some(wrong) = wrong {
                return Err(self.fail(0, wrong));
            }
            self.bindings
                .entry(prefix.to_owned())
                .or_default()
                .push(value.as_str().to_owned());
            tag.prefixes.push(prefix.to_owned());
            let shown = |text: &str| (!text.is_empty()).then(|| text.to_owned());
            self.push(wants, Event::StartNamespace(shown(prefix), shown(&value)), 0);
        }
        tag.expanded = self.expand(wants, &tag.raw, true)?;
        let mut names = Names::default();
        for at in 0..kept.len() {
            let expanded = kept[at].0.contains(':');
            if expanded {
                kept[at].0 = self.expand(wants, &kept[at].0, false)?;
            }
            let (before, rest) = kept.split_at(at);
            if !names.add(&rest[0].0, before) && expanded {
                return Err(self.fail(0, fault::DUPLICATE_ATTRIBUTE));
            }
        }
        Ok((kept, specified))
    }

    pub(super) fn expand(&mut self, wants: &Wants, name: &str, element: bool) -> Result<Word, Fault> {
        // Nothing but the namespace of XML itself is declared.
        if self.bindings.len() == 1 && !name.contains(':') {
            return Ok(Word::new(name));
        }
        let separator: String = self.namespaces.flatten().map_or_else(String::new, String::from);
        let (prefix, local) = name.split_once(':').unwrap_or(("", name));
        if prefix.is_empty() && !element {
            return Ok(Word::new(name));
        }
        match self.bindings.get(prefix).and_then(|uris| uris.last()) {
            Some(uri) if uri.is_empty() => Ok(Word::new(local)),
            Some(uri) if wants.triplets && !prefix.is_empty() => {
                Ok(format_compact!("{uri}{separator}{local}{separator}{prefix}"))
            }
            Some(uri) => Ok(format_compact!("{uri}{separator}{local}")),
            None if prefix.is_empty() => Ok(Word::new(local)),
            None => Err(self.fail(0, fault::UNBOUND_PREFIX)),
        }
    }

    pub(super) fn end_tag(&mut self, wants: &Wants, name: &str, len: usize) -> Result<(), Fault> {
        let floor = self.frames.last().map_or(0, |frame| frame.tags);
        if self.tags.len() <= floor {
            return Err(self.fail(0, fault::ASYNC_ENTITY));
        }
        if self.tags.last().is_none_or(|tag| tag.raw != name) {
            return Err(self.fail(2, fault::TAG_MISMATCH));
        }
        let place = self.place_now();
        let source = wants.source.then(|| self.ahead()[..len].to_owned());
        self.event_at = self.at;
        let first = self.queue.len();
        self.consume(len);
        self.close_tag();
        for happening in self.queue.iter_mut().skip(first) {
            happening.place = place;
        }
        if let Some(happening) = self.queue.get_mut(first) {
            happening.source = source;
        }
        Ok(())
    }

    pub(super) fn close_tag(&mut self) {
        let Some(tag) = self.tags.pop() else { return };
        self.bare(Event::End(tag.expanded));
        for prefix in tag.prefixes.into_iter().rev() {
            if let Some(uris) = self.bindings.get_mut(&prefix) {
                uris.pop();
            }
            self.bare(Event::EndNamespace(Some(prefix).filter(|prefix| !prefix.is_empty())));
        }
        if self.tags.is_empty() && !self.entity && self.frames.is_empty() {
            self.state = State::Epilog;
        }
    }
}

/// Names of attributes that were seen: few are compared one by one, many are in a set.
#[derive(Default)]
struct Names(HashSet<String>);

impl Names {
    const FEW: usize = 16;

    /// Adds a name; false if it is one of those before it.
    fn add(&mut self, name: &str, before: &[(Word, Word)]) -> bool {
        if before.len() < Names::FEW {
            return !before.iter().any(|(known, _)| known == name);
        }
        if self.0.is_empty() {
            self.0.extend(before.iter().map(|(known, _)| known.as_str().to_owned()));
        }
        self.0.insert(name.to_owned())
    }
}
