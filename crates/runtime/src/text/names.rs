//! Names of characters (Unicode 16), for `\N{...}` and the `namereplace` error handler.
//!
//! Left out: named sequences, which only `unicodedata.lookup` knows.

/// The name of a character, if it has one.
#[must_use]
pub fn name_of(code: u32) -> Option<String> {
    unicode_names2::name(char::from_u32(code)?).map(|name| name.to_string())
}

/// The character with this name or alias, in any case.
#[must_use]
pub fn by_name(name: &str) -> Option<u32> {
    if !name.is_ascii() {
        return None;
    }
    unicode_names2::character(name).map(u32::from)
}
