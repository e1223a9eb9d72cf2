//! The codes of `re._constants`: operators, positions, categories, flags.
//!
//! Invariant: these agree with the `MAGIC` that `re._compiler` checks.

pub const MAGIC: i64 = 20_230_612;
/// No upper limit.
pub const MAXREPEAT: u32 = u32::MAX;
pub const MAXGROUPS: i64 = i32::MAX as i64 / 2;

macro_rules! codes {
    ($($name:ident)+) => { codes!(@ 0; $($name)+); };
    (@ $n:expr; $name:ident $($rest:ident)*) => { pub const $name: u32 = $n; codes!(@ $n + 1; $($rest)*); };
    (@ $n:expr;) => {};
}

/// Operators.
#[expect(dead_code, reason = "numbered by their order, those of the parser included")]
pub mod op {
    codes! {
        FAILURE SUCCESS ANY ANY_ALL ASSERT ASSERT_NOT AT BRANCH CATEGORY CHARSET BIGCHARSET GROUPREF GROUPREF_EXISTS IN INFO
        JUMP LITERAL MARK MAX_UNTIL MIN_UNTIL NOT_LITERAL NEGATE RANGE REPEAT REPEAT_ONE SUBPATTERN MIN_REPEAT_ONE
        ATOMIC_GROUP POSSESSIVE_REPEAT POSSESSIVE_REPEAT_ONE GROUPREF_IGNORE IN_IGNORE LITERAL_IGNORE NOT_LITERAL_IGNORE
        GROUPREF_LOC_IGNORE IN_LOC_IGNORE LITERAL_LOC_IGNORE NOT_LITERAL_LOC_IGNORE GROUPREF_UNI_IGNORE IN_UNI_IGNORE
        LITERAL_UNI_IGNORE NOT_LITERAL_UNI_IGNORE RANGE_UNI_IGNORE
    }
}

/// Positions.
pub mod at {
    codes! {
        BEGINNING BEGINNING_LINE BEGINNING_STRING BOUNDARY NON_BOUNDARY END END_LINE END_STRING LOC_BOUNDARY
        LOC_NON_BOUNDARY UNI_BOUNDARY UNI_NON_BOUNDARY
    }
}

/// Flags of a pattern.
pub mod flag {
    pub const IGNORECASE: i64 = 2;
    pub const LOCALE: i64 = 4;
    pub const MULTILINE: i64 = 8;
    pub const DOTALL: i64 = 16;
    pub const UNICODE: i64 = 32;
    pub const VERBOSE: i64 = 64;
    pub const DEBUG: i64 = 128;
    pub const ASCII: i64 = 256;
}

/// Bits of the `INFO` operator.
pub mod info {
    pub const PREFIX: u32 = 1;
    pub const LITERAL: u32 = 2;
    pub const CHARSET: u32 = 4;
}
