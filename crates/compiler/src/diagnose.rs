use crate::errors::{Res, fault};
use crate::source::LineIndex;
use crate::{Mode, Options};
use ruff_python_ast::Mod;
use ruff_python_parser::Parsed;
pub(crate) fn check(parsed: &Parsed<Mod>, _source: &str, _lines: &LineIndex, _mode: Mode, _options: &Options) -> Res {
    match parsed.errors().first() {
        Some(error) => fault(error.location, error.error.to_string()),
        None => Ok(()),
    }
}
