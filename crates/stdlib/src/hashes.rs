//! The hash modules behind `hashlib`: `_md5`, `_sha1`, `_sha2`, `_sha3`, `_blake2`, and `_hashlib` for what names choose.
//!
//! Invariant: the algorithms are those of the RustCrypto and `blake2*_simd` crates; a hash is worked on by one call at a time, and
//! long inputs are hashed detached.

mod blake2;
mod classes;
mod openssl;

use std::borrow::Cow;

use lisle_runtime::native::{Res, Str, Value, Vm};
use lisle_runtime::types::buffer::{get_bytes, is_bytes_like};

pub use blake2::module as blake2_module;
pub use classes::{md5, sha1, sha2, sha3};
pub use openssl::module as openssl_module;

/// Inputs from this length on are hashed without holding other threads up.
const LONG: usize = 2048;

/// A hash that goes on.
pub trait Hasher: Clone + Send + 'static {
    fn feed(&mut self, bytes: &[u8]);
    fn result(&self) -> Vec<u8>;

    /// So many bytes, of a hash whose length is asked for.
    fn read(&self, _length: usize) -> Vec<u8> {
        self.result()
    }
}

/// The bytes that are to be hashed.
pub fn hashable<'a>(vm: &Vm, data: &'a Value) -> Res<Cow<'a, [u8]>> {
    if data.downcast::<Str>().is_some() {
        return Err(vm.type_error("Strings must be encoded before hashing"));
    }
    if !is_bytes_like(data) {
        return Err(vm.type_error("object supporting the buffer API required"));
    }
    get_bytes(vm, data)
}

/// Feeds bytes to a hash, detached if they are many.
pub fn feed(vm: &Vm, hasher: &mut impl Hasher, bytes: &[u8]) {
    if bytes.len() >= LONG {
        vm.detached(|| hasher.feed(bytes));
    } else {
        hasher.feed(bytes);
    }
}

/// The data of a constructor, which can be given under two names.
pub fn data_argument<'a>(vm: &Vm, data: Option<&'a Value>, string: Option<&'a Value>) -> Res<Option<&'a Value>> {
    match (data, string.filter(|string| !string.is_none())) {
        (Some(_), Some(_)) => Err(vm.type_error(
            "'data' and 'string' are mutually exclusive and support for 'string' keyword parameter is slated for removal in a future version.",
        )),
        (data, string) => Ok(data.or(string)),
    }
}

/// Bytes in hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .map(|digit| char::from(DIGITS[usize::from(digit)]))
        .collect()
}
