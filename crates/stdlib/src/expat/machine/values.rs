//! Values of attributes, with the entities in them.
//!
//! Invariant: what entities bring is accounted for ([`Dtd::account`]), and they nest no deeper than [`MAX_DEPTH`].

use super::*;

/// The value of an attribute: references replaced, white space as blanks.
pub(super) fn attribute_value(dtd: &mut Dtd, literal: &str, cdata: bool) -> Result<String, Fault> {
    let mut out = String::with_capacity(literal.len());
    append_value(dtd, &mut out, literal, 0)?;
    if cdata {
        return Ok(out);
    }
    Ok(out
        .split(' ')
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" "))
}

fn append_value(dtd: &mut Dtd, out: &mut String, text: &str, depth: usize) -> Result<(), Fault> {
    if depth > MAX_DEPTH {
        return Err(fault::AMPLIFICATION);
    }
    let text = normalized(text);
    let mut rest = text.as_str();
    while let Some(at) = rest.find(['&', '<', '\t', '\n']) {
        out.push_str(&rest[..at]);
        match rest.as_bytes()[at] {
            b'&' => {}
            b'<' => return Err(fault::INVALID_TOKEN),
            _ => {
                out.push(' ');
                rest = &rest[at + 1..];
                continue;
            }
        }
        let Some(end) = rest[at..].find(';') else {
            return Err(fault::INVALID_TOKEN);
        };
        let name = &rest[at + 1..at + end];
        rest = &rest[at + end + 1..];
        if name.starts_with('#') {
            out.push(char_ref(name).ok_or(fault::BAD_CHAR_REF)?);
            continue;
        }
        if let Some(c) = predefined(name) {
            out.push(c);
            continue;
        }
        let Some(entity) = dtd.general.get(name).cloned() else {
            if !dtd.has_parameter_refs || dtd.standalone {
                return Err(fault::UNDEFINED_ENTITY);
            }
            continue;
        };
        if dtd.open.contains(name) {
            return Err(fault::RECURSIVE_ENTITY_REF);
        }
        if entity.notation.is_some() {
            return Err(fault::BINARY_ENTITY_REF);
        }
        let Some(text) = entity.text else {
            return Err(fault::ATTRIBUTE_EXTERNAL_ENTITY_REF);
        };
        dtd.account(text.len())?;
        dtd.open.insert(name.to_owned());
        let result = append_value(dtd, out, &text, depth + 1);
        dtd.open.remove(name);
        result?;
    }
    out.push_str(rest);
    Ok(())
}
