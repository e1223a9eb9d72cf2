//! The algorithms of `str`, `bytes` and number formatting that know nothing of Python objects.
//!
//! Text goes in as `StrView` and comes out as `StrBuf` (see `view`), numbers as `i64`, `BigInt` and
//! `f64`. Errors carry CPython's words; making exceptions of them is the caller's part. No `unsafe`.

#![forbid(unsafe_code)]

pub mod builder;
pub mod case;
pub mod codec;
pub mod complex;
pub mod float;
pub mod format_spec;
pub mod hex;
pub mod huge;
pub mod int;
pub mod names;
pub mod printf;
pub mod repr;
pub mod search;
pub mod str_format;
pub mod strings;
mod two_way;
pub mod unicode;
mod unicode_tables;
pub mod view;

/// Whether memory for `bytes` bytes can be had. For work whose size a program chooses, before it is begun: those who do it cannot fail.
pub(crate) fn room_for(bytes: usize) -> bool {
    const SURE: usize = 1 << 20;
    bytes <= SURE || crate::memory::room::is_there_for(bytes)
}

pub use builder::StrBuilder;
pub use format_spec::FormatError;
pub use int::{Int, IntRef};
pub use strings::Edit;
pub use view::{StrBuf, StrView};
