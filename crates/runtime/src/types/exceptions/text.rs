//! Text from pieces, of which some are Python strings.
//!
//! Invariant: a Python string goes in as it is, lone surrogates included; nothing passes through UTF-8.

use crate::object::{Py, Value};
use crate::text::StrBuilder;
use crate::types::str::Str;

/// A piece of text.
pub(crate) trait Piece {
    fn push_to(&self, out: &mut StrBuilder);
}

impl Piece for &str {
    fn push_to(&self, out: &mut StrBuilder) {
        out.push_str(self);
    }
}

impl Piece for String {
    fn push_to(&self, out: &mut StrBuilder) {
        out.push_str(self);
    }
}

impl Piece for Py<Str> {
    fn push_to(&self, out: &mut StrBuilder) {
        out.push_view(self.view());
    }
}

/// The pieces in one string.
pub(crate) fn join(pieces: &[&dyn Piece]) -> Py<Str> {
    let mut out = StrBuilder::with_capacity(0);
    for piece in pieces {
        piece.push_to(&mut out);
    }
    Str::from_buf(out.finish())
}

/// As [`join`], as a value.
pub(crate) fn joined(pieces: &[&dyn Piece]) -> Value {
    join(pieces).into_value()
}
