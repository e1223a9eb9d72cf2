//! What can be wrong with a document: expat's error codes.
//!
//! Invariant: a fault's code is its place in [`MESSAGES`], from 1.

/// A code of expat.
pub type Fault = u32;

pub const NO_MEMORY: Fault = 1;
pub const SYNTAX: Fault = 2;
pub const NO_ELEMENTS: Fault = 3;
pub const INVALID_TOKEN: Fault = 4;
pub const UNCLOSED_TOKEN: Fault = 5;
pub const PARTIAL_CHAR: Fault = 6;
pub const TAG_MISMATCH: Fault = 7;
pub const DUPLICATE_ATTRIBUTE: Fault = 8;
pub const JUNK_AFTER_DOC_ELEMENT: Fault = 9;
pub const PARAM_ENTITY_REF: Fault = 10;
pub const UNDEFINED_ENTITY: Fault = 11;
pub const RECURSIVE_ENTITY_REF: Fault = 12;
pub const ASYNC_ENTITY: Fault = 13;
pub const BAD_CHAR_REF: Fault = 14;
pub const BINARY_ENTITY_REF: Fault = 15;
pub const ATTRIBUTE_EXTERNAL_ENTITY_REF: Fault = 16;
pub const MISPLACED_XML_PI: Fault = 17;
pub const UNKNOWN_ENCODING: Fault = 18;
pub const INCORRECT_ENCODING: Fault = 19;
pub const UNCLOSED_CDATA_SECTION: Fault = 20;
pub const EXTERNAL_ENTITY_HANDLING: Fault = 21;
pub const NOT_STANDALONE: Fault = 22;
pub const ENTITY_DECLARED_IN_PE: Fault = 24;
pub const UNBOUND_PREFIX: Fault = 27;
pub const UNDECLARING_PREFIX: Fault = 28;
pub const XML_DECL: Fault = 30;
pub const TEXT_DECL: Fault = 31;
pub const PUBLICID: Fault = 32;
pub const FINISHED: Fault = 36;
pub const RESERVED_PREFIX_XML: Fault = 38;
pub const RESERVED_PREFIX_XMLNS: Fault = 39;
pub const RESERVED_NAMESPACE_URI: Fault = 40;
pub const AMPLIFICATION: Fault = 43;

/// Names and texts, by code from 1.
pub const MESSAGES: [(&str, &str); 43] = [
    ("XML_ERROR_NO_MEMORY", "out of memory"),
    ("XML_ERROR_SYNTAX", "syntax error"),
    ("XML_ERROR_NO_ELEMENTS", "no element found"),
    ("XML_ERROR_INVALID_TOKEN", "not well-formed (invalid token)"),
    ("XML_ERROR_UNCLOSED_TOKEN", "unclosed token"),
    ("XML_ERROR_PARTIAL_CHAR", "partial character"),
    ("XML_ERROR_TAG_MISMATCH", "mismatched tag"),
    ("XML_ERROR_DUPLICATE_ATTRIBUTE", "duplicate attribute"),
    ("XML_ERROR_JUNK_AFTER_DOC_ELEMENT", "junk after document element"),
    ("XML_ERROR_PARAM_ENTITY_REF", "illegal parameter entity reference"),
    ("XML_ERROR_UNDEFINED_ENTITY", "undefined entity"),
    ("XML_ERROR_RECURSIVE_ENTITY_REF", "recursive entity reference"),
    ("XML_ERROR_ASYNC_ENTITY", "asynchronous entity"),
    ("XML_ERROR_BAD_CHAR_REF", "reference to invalid character number"),
    ("XML_ERROR_BINARY_ENTITY_REF", "reference to binary entity"),
    (
        "XML_ERROR_ATTRIBUTE_EXTERNAL_ENTITY_REF",
        "reference to external entity in attribute",
    ),
    (
        "XML_ERROR_MISPLACED_XML_PI",
        "XML or text declaration not at start of entity",
    ),
    ("XML_ERROR_UNKNOWN_ENCODING", "unknown encoding"),
    (
        "XML_ERROR_INCORRECT_ENCODING",
        "encoding specified in XML declaration is incorrect",
    ),
    ("XML_ERROR_UNCLOSED_CDATA_SECTION", "unclosed CDATA section"),
    (
        "XML_ERROR_EXTERNAL_ENTITY_HANDLING",
        "error in processing external entity reference",
    ),
    ("XML_ERROR_NOT_STANDALONE", "document is not standalone"),
    (
        "XML_ERROR_UNEXPECTED_STATE",
        "unexpected parser state - please send a bug report",
    ),
    ("XML_ERROR_ENTITY_DECLARED_IN_PE", "entity declared in parameter entity"),
    (
        "XML_ERROR_FEATURE_REQUIRES_XML_DTD",
        "requested feature requires XML_DTD support in Expat",
    ),
    (
        "XML_ERROR_CANT_CHANGE_FEATURE_ONCE_PARSING",
        "cannot change setting once parsing has begun",
    ),
    ("XML_ERROR_UNBOUND_PREFIX", "unbound prefix"),
    ("XML_ERROR_UNDECLARING_PREFIX", "must not undeclare prefix"),
    ("XML_ERROR_INCOMPLETE_PE", "incomplete markup in parameter entity"),
    ("XML_ERROR_XML_DECL", "XML declaration not well-formed"),
    ("XML_ERROR_TEXT_DECL", "text declaration not well-formed"),
    ("XML_ERROR_PUBLICID", "illegal character(s) in public id"),
    ("XML_ERROR_SUSPENDED", "parser suspended"),
    ("XML_ERROR_NOT_SUSPENDED", "parser not suspended"),
    ("XML_ERROR_ABORTED", "parsing aborted"),
    ("XML_ERROR_FINISHED", "parsing finished"),
    ("XML_ERROR_SUSPEND_PE", "cannot suspend in external parameter entity"),
    (
        "XML_ERROR_RESERVED_PREFIX_XML",
        "reserved prefix (xml) must not be undeclared or bound to another namespace name",
    ),
    (
        "XML_ERROR_RESERVED_PREFIX_XMLNS",
        "reserved prefix (xmlns) must not be declared or undeclared",
    ),
    (
        "XML_ERROR_RESERVED_NAMESPACE_URI",
        "prefix must not be bound to one of the reserved namespace names",
    ),
    ("XML_ERROR_INVALID_ARGUMENT", "invalid argument"),
    (
        "XML_ERROR_NO_BUFFER",
        "a successful prior call to function XML_GetBuffer is required",
    ),
    (
        "XML_ERROR_AMPLIFICATION_LIMIT_BREACH",
        "limit on input amplification factor (from DTD and entities) breached",
    ),
];

/// The text of a code.
pub fn message(code: Fault) -> Option<&'static str> {
    let at = usize::try_from(code).ok()?.checked_sub(1)?;
    MESSAGES.get(at).map(|(_, message)| *message)
}
