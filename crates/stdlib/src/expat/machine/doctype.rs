//! The document type: what lies between `<!DOCTYPE` and its end, and in external subsets.
//!
//! Invariant: as for the [`Machine`]; parameter entities are texts on its stack.

use super::values::attribute_value;
use super::*;

impl Machine {
    pub(super) fn doctype(&mut self, wants: &Wants, len: usize) -> Result<(), Fault> {
        if self.seen_doctype || self.state != State::Prolog {
            let junk = self.state == State::Epilog;
            let fault = if junk {
                fault::JUNK_AFTER_DOC_ELEMENT
            } else {
                fault::SYNTAX
            };
            return Err(self.fail(0, fault));
        }
        let source = self.ahead()[..len].to_owned();
        let mut cursor = Cursor::new(&source[9..len - 1]);
        let mut read = || -> Result<_, Fault> {
            cursor.need_space()?;
            let name = cursor.name()?.to_owned();
            let id = if cursor.space() {
                cursor.external_id(false)?
            } else {
                None
            };
            cursor.space();
            if cursor.peek().is_some() {
                return Err(cursor.fault());
            }
            Ok((name, id))
        };
        let result = read();
        let at = 9 + cursor.at;
        let (name, id) = result.map_err(|fault| self.fail(at, fault))?;
        self.seen_doctype = true;
        let has_id = id.is_some();
        let (public, system) = id.unwrap_or_default();
        if has_id {
            let mut dtd = lock(&self.dtd);
            dtd.has_parameter_refs = true;
            let alone = dtd.standalone;
            drop(dtd);
            if !alone && wants.parameter == 0 {
                self.bare(Event::NotStandalone);
            }
        }
        let internal = source.ends_with('[');
        let event = Event::StartDoctype {
            name,
            system: system.clone(),
            public: public.clone(),
            internal,
        };
        self.push(wants, event, len);
        let place = self.here();
        self.consume(len);
        self.doctype = Some((public, system));
        if internal {
            self.state = State::Subset;
        } else {
            self.end_doctype(wants, place);
        }
        Ok(())
    }

    /// The end of the document type: its external part is read now.
    pub(super) fn end_doctype(&mut self, wants: &Wants, place: Spot) {
        let (public, system) = self.doctype.clone().unwrap_or_default();
        let has_system = system.is_some();
        if has_system || wants.foreign_dtd {
            let mut dtd = lock(&self.dtd);
            let had_refs = std::mem::replace(&mut dtd.has_parameter_refs, true);
            let read = wants.parameter == 2 || wants.parameter == 1 && !dtd.standalone;
            if read && wants.external {
                dtd.parameter_read = false;
                drop(dtd);
                self.bare(Event::External {
                    context: None,
                    base: self.base.clone(),
                    system,
                    public,
                });
                self.after = Some(After::Subset {
                    had_refs,
                    has_system,
                    doctype: true,
                });
                return;
            }
        }
        self.queue.push_back(Happening {
            event: Event::EndDoctype,
            source: None,
            place,
        });
    }

    pub(super) fn conditional(&mut self, wants: &Wants) -> Result<(), Fault> {
        if self.state != State::External && self.frames.is_empty() || self.state == State::Subset {
            return Err(self.fail(0, fault::SYNTAX));
        }
        let text = self.ahead();
        let mut head = text.splitn(3, '[').skip(1);
        let keyword = head.next().unwrap_or("").trim();
        let complete = head.next().is_some();
        if !complete {
            return if self.last || !self.frames.is_empty() {
                Err(self.fail(0, fault::UNCLOSED_TOKEN))
            } else {
                Err(self.fail(0, fault::SYNTAX))
            };
        }
        let keyword = match keyword.strip_prefix('%').and_then(|name| name.strip_suffix(';')) {
            Some(name) => {
                let entity = lock(&self.dtd)
                    .parameter
                    .get(name)
                    .and_then(|entity| entity.text.clone());
                entity.map_or(String::new(), |text| text.trim().to_owned())
            }
            None => keyword.to_owned(),
        };
        let open = 3 + text[3..].find('[').unwrap_or(0) + 1;
        match keyword.as_str() {
            "INCLUDE" => {
                self.sections += 1;
                self.push(wants, Event::Source, open);
                self.consume(open);
                Ok(())
            }
            "IGNORE" => {
                let mut depth = 1_usize;
                let mut at = open;
                while depth > 0 {
                    let Some(next) = text[at..].find(['<', ']']) else {
                        return Err(self.fail(0, fault::SYNTAX));
                    };
                    at += next;
                    let rest = &text[at..];
                    if rest.starts_with("<![") {
                        depth += 1;
                        at += 3;
                    } else if rest.starts_with("]]>") {
                        depth -= 1;
                        at += 3;
                    } else {
                        at += 1;
                    }
                }
                self.ignored_sections += 1;
                self.push(wants, Event::Source, at);
                self.consume(at);
                Ok(())
            }
            _ => Err(self.fail(3, fault::SYNTAX)),
        }
    }

    /// Whether declarations are read from somewhere else than the document itself.
    pub(super) fn is_outside(&self) -> bool {
        self.state == State::External || !self.frames.is_empty()
    }

    pub(super) fn declaration(&mut self, wants: &Wants, len: usize) -> Result<(), Fault> {
        let source = self.ahead()[..len].to_owned();
        let outside = self.is_outside();
        let mut body = source[2..len - 1].to_owned();
        if outside {
            body = self.expand_parameters(&body)?;
        }
        let shared = self.dtd.clone();
        let mut entity_value = |literal: &str| {
            dtd::entity_value(literal, &mut |name| {
                if !outside {
                    return Err(fault::PARAM_ENTITY_REF);
                }
                parameter_text(&mut lock(&shared), name)
            })
        };
        let other = self.dtd.clone();
        let mut value = |literal: &str, cdata: bool| attribute_value(&mut lock(&other), literal, cdata);
        let declared = dtd::declaration(&body, !outside, &mut entity_value, &mut value);
        let declared = declared.map_err(|fault| self.fail(0, fault))?;
        let base = self.base.clone();
        let mut dtd = lock(&self.dtd);
        let ignoring = dtd.ignoring;
        let mut events = Vec::new();
        match declared {
            Declaration::Element(name, model) => events.push(Event::ElementDecl(name, model)),
            Declaration::Notation { name, system, public } => {
                events.push(Event::NotationDecl(name, base, system, public));
            }
            Declaration::Attributes(element, found) => {
                for (name, kind, default, required) in found {
                    if ignoring {
                        continue;
                    }
                    let known = dtd.attributes.entry(element.clone()).or_default();
                    Arc::make_mut(known).add(Attribute {
                        name: name.clone(),
                        cdata: kind == "CDATA",
                        default: default.clone(),
                    });
                    events.push(Event::AttlistDecl(element.clone(), name, kind, default, required));
                }
            }
            Declaration::Entity {
                name,
                parameter,
                mut entity,
            } => {
                entity.base.clone_from(&base);
                let table = if parameter {
                    &mut dtd.parameter
                } else {
                    &mut dtd.general
                };
                let predefined = !parameter && predefined(&name).is_some();
                if !ignoring && !predefined && !table.contains_key(&name) {
                    table.insert(name.clone(), entity.clone());
                    events.push(Event::EntityDecl {
                        name,
                        parameter,
                        value: entity.text.as_deref().map(str::to_owned),
                        base: base.filter(|_| entity.text.is_none()),
                        system: entity.system,
                        public: entity.public,
                        notation: entity.notation,
                    });
                }
            }
        }
        drop(dtd);
        if events.is_empty() {
            events.push(Event::Source);
        }
        // One event has the source: the others are the same declaration.
        for (n, event) in events.into_iter().enumerate() {
            self.push(wants, event, if n == 0 { len } else { 0 });
        }
        self.consume(len);
        Ok(())
    }

    /// A declaration with its parameter entities replaced, but those in literals.
    fn expand_parameters(&mut self, body: &str) -> Result<String, Fault> {
        let mut out = body.to_owned();
        for _ in 0..MAX_DEPTH {
            let mut quote = None;
            let mut found = None;
            for (at, c) in out.char_indices() {
                match (quote, c) {
                    (Some(q), c) if q == c => quote = None,
                    (Some(_), _) => {}
                    (None, '"' | '\'') => quote = Some(c),
                    (None, '%') if !out[at + 1..].starts_with(is_space) => {
                        found = Some(at);
                        break;
                    }
                    _ => {}
                }
            }
            let Some(at) = found else { return Ok(out) };
            let Some(end) = out[at..].find(';') else {
                return Err(self.fail(0, fault::INVALID_TOKEN));
            };
            let text = parameter_text(&mut lock(&self.dtd), &out[at + 1..at + end]);
            let text = text.map_err(|fault| self.fail(0, fault))?;
            out.replace_range(at..=at + end, &format!(" {text} "));
        }
        Err(self.fail(0, fault::RECURSIVE_ENTITY_REF))
    }

    pub(super) fn parameter_reference(&mut self, wants: &Wants, name: String, len: usize) -> Result<(), Fault> {
        let mut dtd = lock(&self.dtd);
        dtd.has_parameter_refs = true;
        let read = wants.parameter == 2 || wants.parameter == 1 && !dtd.standalone;
        let alone = dtd.standalone;
        let entity: Option<Entity> = dtd.parameter.get(&name).cloned();
        // Internal ones are always read: their text is at hand.
        match entity {
            Some(entity) if entity.text.is_some() && read => {
                let key = open_key(&name, true);
                if dtd.open.contains(&key) {
                    drop(dtd);
                    return Err(self.fail(0, fault::RECURSIVE_ENTITY_REF));
                }
                let text = entity.text.unwrap_or_default();
                let accounted = dtd.account(text.len());
                dtd.open.insert(key);
                drop(dtd);
                accounted.map_err(|fault| self.fail(0, fault))?;
                self.push(wants, Event::Source, len);
                let place = self.place_now();
                self.consume(len);
                self.frames.push(Frame {
                    name,
                    parameter: true,
                    text,
                    at: 0,
                    tags: self.tags.len(),
                    place,
                });
                return Ok(());
            }
            Some(entity) if read && wants.external => {
                dtd.parameter_read = false;
                dtd.open.insert(open_key(&name, true));
                drop(dtd);
                let event = Event::External {
                    context: None,
                    base: entity.base,
                    system: entity.system,
                    public: entity.public,
                };
                self.push(wants, event, len);
                self.consume(len);
                self.after = Some(After::Parameter(name));
                return Ok(());
            }
            None if read => {
                dtd.ignoring = !alone;
                drop(dtd);
                self.push(wants, Event::Skipped(name, true), len);
            }
            _ => {
                dtd.ignoring = !alone;
                drop(dtd);
                self.push(wants, Event::Source, len);
            }
        }
        self.consume(len);
        if !alone {
            self.bare(Event::NotStandalone);
        }
        Ok(())
    }
}

pub(super) fn open_key(name: &str, parameter: bool) -> String {
    if parameter { format!("%{name}") } else { name.to_owned() }
}

/// The text of an internal parameter entity.
fn parameter_text(dtd: &mut Dtd, name: &str) -> Result<String, Fault> {
    let text = dtd.parameter.get(name).and_then(|entity| entity.text.clone());
    match text {
        Some(text) => {
            dtd.account(text.len())?;
            Ok(text.to_string())
        }
        None if dtd.parameter.contains_key(name) => Ok(String::new()),
        None => Err(fault::UNDEFINED_ENTITY),
    }
}
