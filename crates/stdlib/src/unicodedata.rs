//! The `unicodedata` module: the Unicode character database.
//!
//! Invariant: functions of the module and methods of `ucd_3_2_0` are the same functions, told which database to ask.

mod data;

use lisle_runtime::native::*;
use lisle_runtime::text::names::{by_name, name_of};
use lisle_runtime::text::view::StrView;
use lisle_runtime::text::{StrBuf, builder::from_codes};

use data::{Form, tables};

/// The normalization form of that name.
fn form_of(vm: &Vm, name: &Py<Str>) -> Res<Form> {
    let (compose, compatible) = match name.as_ascii() {
        Some("NFC") => (true, false),
        Some("NFKC") => (true, true),
        Some("NFD") => (false, false),
        Some("NFKD") => (false, true),
        _ => return Err(vm.value_error("invalid normalization form")),
    };
    Ok(Form { compose, compatible })
}

/// The normalized text; `None` if it is no other.
fn normalized(text: &Py<Str>, form: Form, old: bool) -> Option<StrBuf> {
    match text.view() {
        StrView::Ascii(_) => return None,
        StrView::Latin1(_) if form.compose && !form.compatible => return None,
        _ => {}
    }
    let made = data::normalize(text.view().chars(), form, old);
    if made.iter().copied().eq(text.view().chars()) {
        return None;
    }
    Some(from_codes(&made))
}

fn normalize(vm: &Vm, form: &Py<Str>, text: &Py<Str>, old: bool) -> Res<Value> {
    match normalized(text, form_of(vm, form)?, old) {
        None => Ok(text.to_value()),
        Some(made) => match Str::try_from_view(made.view()) {
            Some(made) => Ok(made.into_value()),
            None => Err(vm.memory_error()),
        },
    }
}

/// The default of a question that has no answer, or the error.
fn or_default(vm: &Vm, default: Option<&Value>, message: &str) -> Res<Value> {
    default.cloned().ok_or_else(|| vm.value_error(message))
}

fn decimal(vm: &Vm, c: u32, default: Option<&Value>, old: bool) -> Res<Value> {
    match tables().decimal(c, old) {
        Some(n) => Ok(Value::int(n.into())),
        None => or_default(vm, default, "not a decimal"),
    }
}

fn digit(vm: &Vm, c: u32, default: Option<&Value>, old: bool) -> Res<Value> {
    match tables().digit(c, old) {
        Some(n) => Ok(Value::int(n.into())),
        None => or_default(vm, default, "not a digit"),
    }
}

fn numeric(vm: &Vm, c: u32, default: Option<&Value>, old: bool) -> Res<Value> {
    match tables().numeric(c, old) {
        Some(n) => Ok(Value::float(n)),
        None => or_default(vm, default, "not a numeric character"),
    }
}

fn name(vm: &Vm, c: u32, default: Option<&Value>, old: bool) -> Res<Value> {
    match name_of(c).filter(|_| tables().is_assigned(c, old)) {
        Some(name) => Ok(Value::from(name.as_str())),
        None => or_default(vm, default, "no such name"),
    }
}

fn lookup(vm: &Vm, name: &Value, old: bool) -> Res<Value> {
    let text = match name.downcast::<Str>() {
        Some(text) => text.to_string_lossy(),
        None => {
            let bytes = lisle_runtime::types::buffer::get_bytes(vm, name).map_err(|_| {
                vm.type_error(format!(
                    "lookup() argument must be read-only bytes-like object, not {}",
                    name.ty().name()
                ))
            })?;
            String::from_utf8_lossy(&bytes).into_owned()
        }
    };
    if text.len() > 256 {
        return Err(vm.key_error(Value::from("name too long")));
    }
    let found = by_name(&text).filter(|c| tables().is_assigned(*c, old));
    match found {
        // The old database has no aliases and no sequences.
        Some(c) if !old || name_of(c).is_some_and(|name| name.eq_ignore_ascii_case(&text)) => {
            Ok(Str::from_char(c).into_value())
        }
        None if !old && let Some(sequence) = named_sequence(&text) => Ok(Value::from(sequence.as_str())),
        _ => Err(vm.key_error(Value::from(format!("undefined character name '{text}'").as_str()))),
    }
}

/// The characters of a named sequence.
fn named_sequence(name: &str) -> Option<String> {
    let (_, codes) = include_str!("unicodedata/named_sequences.txt")
        .lines()
        .filter_map(|line| line.split_once(';'))
        .find(|(known, _)| known.eq_ignore_ascii_case(name))?;
    let code = |text| u32::from_str_radix(text, 16).ok().and_then(char::from_u32);
    codes.split(' ').map(code).collect()
}

fn decomposition(c: u32, old: bool) -> String {
    let Some((tag, codes)) = tables().decomposition(c, old) else {
        return String::new();
    };
    let mut parts: Vec<String> = codes.iter().map(|code| format!("{code:04X}")).collect();
    if !tag.is_empty() {
        parts.insert(0, tag.to_owned());
    }
    parts.join(" ")
}

/// The database of an older version of Unicode.
#[pyclass(name = "UCD", module = "unicodedata", gc = false, no_new)]
pub struct Ucd {}

#[pymethods]
impl Ucd {
    /// Converts a Unicode character into its equivalent decimal value.
    ///
    /// Returns the decimal value assigned to the character chr as integer.
    /// If no such value is defined, default is returned, or, if not given,
    /// ValueError is raised.
    #[pymethod(sig = "($self, chr, default=<unrepresentable>, /)")]
    fn decimal(vm: &Vm, _this: &Py<Ucd>, chr: Char, default: Option<&Value>) -> Res<Value> {
        self::decimal(vm, chr.0, default, true)
    }

    /// Converts a Unicode character into its equivalent digit value.
    ///
    /// Returns the digit value assigned to the character chr as integer.
    /// If no such value is defined, default is returned, or, if not given,
    /// ValueError is raised.
    #[pymethod(sig = "($self, chr, default=<unrepresentable>, /)")]
    fn digit(vm: &Vm, _this: &Py<Ucd>, chr: Char, default: Option<&Value>) -> Res<Value> {
        self::digit(vm, chr.0, default, true)
    }

    /// Converts a Unicode character into its equivalent numeric value.
    ///
    /// Returns the numeric value assigned to the character chr as float.
    /// If no such value is defined, default is returned, or, if not given,
    /// ValueError is raised.
    #[pymethod(sig = "($self, chr, default=<unrepresentable>, /)")]
    fn numeric(vm: &Vm, _this: &Py<Ucd>, chr: Char, default: Option<&Value>) -> Res<Value> {
        self::numeric(vm, chr.0, default, true)
    }

    /// Returns the general category assigned to the character chr as string.
    #[pymethod(sig = "($self, chr, /)")]
    fn category(_vm: &Vm, _this: &Py<Ucd>, chr: Char) -> &'static str {
        tables().category(chr.0, true)
    }

    /// Returns the bidirectional class assigned to the character chr as string.
    ///
    /// If no such value is defined, an empty string is returned.
    #[pymethod(sig = "($self, chr, /)")]
    fn bidirectional(_vm: &Vm, _this: &Py<Ucd>, chr: Char) -> &'static str {
        tables().bidirectional(chr.0, true)
    }

    /// Returns the canonical combining class assigned to the character chr as integer.
    ///
    /// Returns 0 if no combining class is defined.
    #[pymethod(sig = "($self, chr, /)")]
    fn combining(_vm: &Vm, _this: &Py<Ucd>, chr: Char) -> u8 {
        tables().record(chr.0, true).combining
    }

    /// Returns the mirrored property assigned to the character chr as integer.
    ///
    /// Returns 1 if the character has been identified as a "mirrored"
    /// character in bidirectional text, 0 otherwise.
    #[pymethod(sig = "($self, chr, /)")]
    fn mirrored(_vm: &Vm, _this: &Py<Ucd>, chr: Char) -> i64 {
        i64::from(tables().record(chr.0, true).mirrored)
    }

    /// Returns the east asian width assigned to the character chr as string.
    #[pymethod(sig = "($self, chr, /)")]
    fn east_asian_width(_vm: &Vm, _this: &Py<Ucd>, chr: Char) -> &'static str {
        tables().width(chr.0, true)
    }

    /// Returns the character decomposition mapping assigned to the character chr as string.
    ///
    /// An empty string is returned in case no such mapping is defined.
    #[pymethod(sig = "($self, chr, /)")]
    fn decomposition(_vm: &Vm, _this: &Py<Ucd>, chr: Char) -> String {
        self::decomposition(chr.0, true)
    }

    /// Returns the name assigned to the character chr as a string.
    ///
    /// If no name is defined, default is returned, or, if not given,
    /// ValueError is raised.
    #[pymethod(sig = "($self, chr, default=<unrepresentable>, /)")]
    fn name(vm: &Vm, _this: &Py<Ucd>, chr: Char, default: Option<&Value>) -> Res<Value> {
        self::name(vm, chr.0, default, true)
    }

    /// Look up character by name.
    ///
    /// If a character with the given name is found, return the
    /// corresponding character.  If not found, KeyError is raised.
    #[pymethod(sig = "($self, name, /)")]
    fn lookup(vm: &Vm, _this: &Py<Ucd>, name: &Value) -> Res<Value> {
        self::lookup(vm, name, true)
    }

    /// Return whether the Unicode string unistr is in the normal form 'form'.
    ///
    /// Valid values for form are 'NFC', 'NFKC', 'NFD', and 'NFKD'.
    #[pymethod(sig = "($self, form, unistr, /)")]
    fn is_normalized(vm: &Vm, _this: &Py<Ucd>, form: &Py<Str>, unistr: &Py<Str>) -> Res<bool> {
        Ok(self::normalized(unistr, self::form_of(vm, form)?, true).is_none())
    }

    /// Return the normal form 'form' for the Unicode string unistr.
    ///
    /// Valid values for form are 'NFC', 'NFKC', 'NFD', and 'NFKD'.
    #[pymethod(sig = "($self, form, unistr, /)")]
    fn normalize(vm: &Vm, _this: &Py<Ucd>, form: &Py<Str>, unistr: &Py<Str>) -> Res<Value> {
        self::normalize(vm, form, unistr, true)
    }

    #[getter]
    fn unidata_version(_vm: &Vm, _this: &Py<Ucd>) -> &'static str {
        "3.2.0"
    }
}

#[pymodule(
    name = "unicodedata",
    doc = "This module provides access to the Unicode Character Database which\ndefines character properties for all Unicode characters. The data in\nthis database is based on the UnicodeData.txt file version\n16.0.0 which is publicly available from the Unicode Consortium\nat https://www.unicode.org.\n\nThe module uses the same names and symbols as defined by the\nUnicodeData File Format 16.0.0.",
    types(Ucd)
)]
pub mod module {
    use super::{Ucd, tables};
    use lisle_runtime::native::*;

    #[pyattr(name = "unidata_version")]
    fn unidata_version(_vm: &Vm) -> &'static str {
        "16.0.0"
    }

    #[pyattr(name = "ucd_3_2_0")]
    fn ucd_3_2_0(_vm: &Vm) -> Value {
        Py::new(Ucd {}).into_value()
    }

    /// Converts a Unicode character into its equivalent decimal value.
    ///
    /// Returns the decimal value assigned to the character chr as integer.
    /// If no such value is defined, default is returned, or, if not given,
    /// ValueError is raised.
    #[pyfunction(sig = "(chr, default=<unrepresentable>, /)")]
    fn decimal(vm: &Vm, chr: Char, default: Option<&Value>) -> Res<Value> {
        super::decimal(vm, chr.0, default, false)
    }

    /// Converts a Unicode character into its equivalent digit value.
    ///
    /// Returns the digit value assigned to the character chr as integer.
    /// If no such value is defined, default is returned, or, if not given,
    /// ValueError is raised.
    #[pyfunction(sig = "(chr, default=<unrepresentable>, /)")]
    fn digit(vm: &Vm, chr: Char, default: Option<&Value>) -> Res<Value> {
        super::digit(vm, chr.0, default, false)
    }

    /// Converts a Unicode character into its equivalent numeric value.
    ///
    /// Returns the numeric value assigned to the character chr as float.
    /// If no such value is defined, default is returned, or, if not given,
    /// ValueError is raised.
    #[pyfunction(sig = "(chr, default=<unrepresentable>, /)")]
    fn numeric(vm: &Vm, chr: Char, default: Option<&Value>) -> Res<Value> {
        super::numeric(vm, chr.0, default, false)
    }

    /// Returns the general category assigned to the character chr as string.
    #[pyfunction(sig = "(chr, /)")]
    fn category(_vm: &Vm, chr: Char) -> &'static str {
        tables().category(chr.0, false)
    }

    /// Returns the bidirectional class assigned to the character chr as string.
    ///
    /// If no such value is defined, an empty string is returned.
    #[pyfunction(sig = "(chr, /)")]
    fn bidirectional(_vm: &Vm, chr: Char) -> &'static str {
        tables().bidirectional(chr.0, false)
    }

    /// Returns the canonical combining class assigned to the character chr as integer.
    ///
    /// Returns 0 if no combining class is defined.
    #[pyfunction(sig = "(chr, /)")]
    fn combining(_vm: &Vm, chr: Char) -> u8 {
        tables().record(chr.0, false).combining
    }

    /// Returns the mirrored property assigned to the character chr as integer.
    ///
    /// Returns 1 if the character has been identified as a "mirrored"
    /// character in bidirectional text, 0 otherwise.
    #[pyfunction(sig = "(chr, /)")]
    fn mirrored(_vm: &Vm, chr: Char) -> i64 {
        i64::from(tables().record(chr.0, false).mirrored)
    }

    /// Returns the east asian width assigned to the character chr as string.
    #[pyfunction(sig = "(chr, /)")]
    fn east_asian_width(_vm: &Vm, chr: Char) -> &'static str {
        tables().width(chr.0, false)
    }

    /// Returns the character decomposition mapping assigned to the character chr as string.
    ///
    /// An empty string is returned in case no such mapping is defined.
    #[pyfunction(sig = "(chr, /)")]
    fn decomposition(_vm: &Vm, chr: Char) -> String {
        super::decomposition(chr.0, false)
    }

    /// Returns the name assigned to the character chr as a string.
    ///
    /// If no name is defined, default is returned, or, if not given,
    /// ValueError is raised.
    #[pyfunction(sig = "(chr, default=<unrepresentable>, /)")]
    fn name(vm: &Vm, chr: Char, default: Option<&Value>) -> Res<Value> {
        super::name(vm, chr.0, default, false)
    }

    /// Look up character by name.
    ///
    /// If a character with the given name is found, return the
    /// corresponding character.  If not found, KeyError is raised.
    #[pyfunction(sig = "(name, /)")]
    fn lookup(vm: &Vm, name: &Value) -> Res<Value> {
        super::lookup(vm, name, false)
    }

    /// Return whether the Unicode string unistr is in the normal form 'form'.
    ///
    /// Valid values for form are 'NFC', 'NFKC', 'NFD', and 'NFKD'.
    #[pyfunction(sig = "(form, unistr, /)")]
    fn is_normalized(vm: &Vm, form: &Py<Str>, unistr: &Py<Str>) -> Res<bool> {
        Ok(super::normalized(unistr, super::form_of(vm, form)?, false).is_none())
    }

    /// Return the normal form 'form' for the Unicode string unistr.
    ///
    /// Valid values for form are 'NFC', 'NFKC', 'NFD', and 'NFKD'.
    #[pyfunction(sig = "(form, unistr, /)")]
    fn normalize(vm: &Vm, form: &Py<Str>, unistr: &Py<Str>) -> Res<Value> {
        super::normalize(vm, form, unistr, false)
    }
}
