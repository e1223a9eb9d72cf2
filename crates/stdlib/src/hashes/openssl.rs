//! `_hashlib`: hashes chosen by name, HMAC, and keys derived from passwords.
//!
//! Invariant: an algorithm is a line of `ALGORITHMS`; whatever its name means elsewhere is decided there. The names and errors are those of the
//! module above OpenSSL, the algorithms the RustCrypto crates'. Left out: FIPS mode, which is always off.

use std::num::NonZeroU32;

use ::md5::Md5;
use ::sha1::Sha1;
use ::sha2::{Sha224, Sha256, Sha384, Sha512, Sha512_224, Sha512_256};
use ::sha3::digest::{self, Digest, FixedOutput, HashMarker, OutputSizeUser, Update, core_api::BlockSizeUser, typenum};
use ::sha3::{Sha3_224, Sha3_256, Sha3_384, Sha3_512, Shake128, Shake256};
use lisle_runtime::memory::trace::Opaque;
use lisle_runtime::native::*;
use lisle_runtime::types::buffer::Readable;
use lisle_runtime::types::bytes::Bytes;
use lisle_runtime::types::exceptions;
use lisle_runtime::types::native_function::NativeFunction;
use ripemd::Ripemd160;
use sm3::Sm3;

use super::classes::{Extendable, Fixed, digest_length};
use super::{Hasher, data_argument, feed, hashable, hex};
use crate::exception::ExceptionClass;
use crate::exclusive::Exclusive;

/// A hasher of any algorithm.
trait Running: Send {
    fn feed(&mut self, bytes: &[u8]);
    fn result(&self) -> Vec<u8>;
    fn read(&self, length: usize) -> Vec<u8>;
    fn copy(&self) -> Box<dyn Running>;
}

impl<H: Hasher> Running for H {
    fn feed(&mut self, bytes: &[u8]) {
        Hasher::feed(self, bytes);
    }

    fn result(&self) -> Vec<u8> {
        Hasher::result(self)
    }

    fn read(&self, length: usize) -> Vec<u8> {
        Hasher::read(self, length)
    }

    fn copy(&self) -> Box<dyn Running> {
        Box::new(self.clone())
    }
}

struct Any(Box<dyn Running>);

impl Clone for Any {
    fn clone(&self) -> Any {
        Any((*self.0).copy())
    }
}

impl Hasher for Any {
    fn feed(&mut self, bytes: &[u8]) {
        (*self.0).feed(bytes);
    }

    fn result(&self) -> Vec<u8> {
        (*self.0).result()
    }

    fn read(&self, length: usize) -> Vec<u8> {
        (*self.0).read(length)
    }
}

/// BLAKE2 without parameters, as the traits of digests have it.
macro_rules! blake2_digest {
    ($name:ident, $krate:ident, $size:ty, $block:ty) => {
        #[derive(Clone)]
        struct $name($krate::State);

        impl Default for $name {
            fn default() -> $name {
                $name($krate::State::new())
            }
        }

        impl HashMarker for $name {}

        impl OutputSizeUser for $name {
            type OutputSize = $size;
        }

        impl BlockSizeUser for $name {
            type BlockSize = $block;
        }

        impl Update for $name {
            fn update(&mut self, bytes: &[u8]) {
                self.0.update(bytes);
            }
        }

        impl FixedOutput for $name {
            fn finalize_into(self, out: &mut digest::Output<$name>) {
                out.copy_from_slice(self.0.finalize().as_bytes());
            }
        }
    };
}

blake2_digest!(Blake2b, blake2b_simd, typenum::U64, typenum::U128);
blake2_digest!(Blake2s, blake2s_simd, typenum::U32, typenum::U64);

type Pbkdf2 = fn(&[u8], &[u8], u32, &mut [u8]);

struct Algorithm {
    name: &'static str,
    /// Other spellings, in lower case.
    aliases: &'static [&'static str],
    block: usize,
    /// 0 where the length is asked for.
    size: usize,
    start: fn() -> Any,
    pbkdf2: Option<Pbkdf2>,
}

macro_rules! fixed {
    ($name:literal, $aliases:expr, $block:literal, $size:literal, $digest:ty) => {
        Algorithm {
            name: $name,
            aliases: &$aliases,
            block: $block,
            size: $size,
            start: || Any(Box::new(Fixed(<$digest>::new()))),
            pbkdf2: Some(pbkdf2::pbkdf2_hmac::<$digest>),
        }
    };
}

macro_rules! blake2 {
    ($name:literal, $aliases:expr, $block:literal, $size:literal, $digest:ty) => {
        Algorithm {
            name: $name,
            aliases: &$aliases,
            block: $block,
            size: $size,
            start: || Any(Box::new(Fixed(<$digest>::new()))),
            pbkdf2: Some(|password, salt, rounds, out| {
                // A key of any length is allowed, and there is room for the result: it cannot fail.
                let _ = pbkdf2::pbkdf2::<hmac::SimpleHmac<$digest>>(password, salt, rounds, out);
            }),
        }
    };
}

macro_rules! extendable {
    ($name:literal, $aliases:expr, $block:literal, $digest:ty) => {
        Algorithm {
            name: $name,
            aliases: &$aliases,
            block: $block,
            size: 0,
            start: || Any(Box::new(Extendable(<$digest>::default()))),
            pbkdf2: None,
        }
    };
}

static ALGORITHMS: [Algorithm; 18] = [
    fixed!("md5", ["ssl3-md5"], 64, 16, Md5),
    fixed!("sha1", ["sha-1", "ssl3-sha1"], 64, 20, Sha1),
    fixed!("sha224", ["sha-224", "sha2-224"], 64, 28, Sha224),
    fixed!("sha256", ["sha-256", "sha2-256"], 64, 32, Sha256),
    fixed!("sha384", ["sha-384", "sha2-384"], 128, 48, Sha384),
    fixed!("sha512", ["sha-512", "sha2-512"], 128, 64, Sha512),
    fixed!(
        "sha512_224",
        ["sha512-224", "sha-512/224", "sha2-512/224"],
        128,
        28,
        Sha512_224
    ),
    fixed!(
        "sha512_256",
        ["sha512-256", "sha-512/256", "sha2-512/256"],
        128,
        32,
        Sha512_256
    ),
    fixed!("sha3_224", ["sha3-224"], 144, 28, Sha3_224),
    fixed!("sha3_256", ["sha3-256"], 136, 32, Sha3_256),
    fixed!("sha3_384", ["sha3-384"], 104, 48, Sha3_384),
    fixed!("sha3_512", ["sha3-512"], 72, 64, Sha3_512),
    extendable!("shake_128", ["shake128", "shake-128"], 168, Shake128),
    extendable!("shake_256", ["shake256", "shake-256"], 136, Shake256),
    blake2!("blake2b", ["blake2b512", "blake2b-512"], 128, 64, Blake2b),
    blake2!("blake2s", ["blake2s256", "blake2s-256"], 64, 32, Blake2s),
    fixed!("ripemd160", ["ripemd", "ripemd-160", "rmd160"], 64, 20, Ripemd160),
    fixed!("sm3", [], 64, 32, Sm3),
];

static UNSUPPORTED: ExceptionClass =
    ExceptionClass::new("_hashlib", "UnsupportedDigestmodError", &exceptions::VALUE_ERROR);

fn find(name: &str) -> Option<&'static Algorithm> {
    let name = name.to_ascii_lowercase();
    ALGORITHMS
        .iter()
        .find(|algorithm| algorithm.name == name || algorithm.aliases.contains(&name.as_str()))
}

fn named(vm: &Vm, name: &Py<Str>) -> Res<&'static Algorithm> {
    let name = name.to_string_lossy();
    find(&name).ok_or_else(|| unsupported(vm, format!("unsupported hash type {name}")))
}

fn unsupported(vm: &Vm, message: String) -> Exc {
    match UNSUPPORTED.get(vm) {
        Ok(class) => vm.new_exception(class, vec![Value::from(message.as_str())]),
        Err(exc) => exc,
    }
}

/// The algorithm of an argument `digestmod`: a name or a constructor of this module.
fn of_digestmod(vm: &Vm, digestmod: &Value) -> Res<&'static Algorithm> {
    if let Some(name) = digestmod.downcast::<Str>() {
        return named(vm, name);
    }
    let constructor = digestmod.downcast::<NativeFunction>();
    let known = constructor.and_then(|function| CONSTRUCTORS.iter().find(|(def, _)| std::ptr::eq(*def, function.def)));
    if let Some(algorithm) = known.and_then(|(_, name)| find(name)) {
        return Ok(algorithm);
    }
    let shown = vm.repr(digestmod)?.to_string_lossy();
    Err(unsupported(vm, format!("Unsupported digestmod {shown}")))
}

#[pyclass(
    name = "HASH",
    module = "_hashlib",
    gc = false,
    basetype,
    no_new,
    doc = "A hash is an object used to calculate a checksum of a string of information."
)]
pub struct Hash {
    algorithm: Opaque<&'static Algorithm>,
    state: Opaque<Exclusive<Any>>,
}

impl Hash {
    fn make(vm: &Vm, algorithm: &'static Algorithm, data: Option<&Value>) -> Res<Value> {
        let mut hasher = (algorithm.start)();
        if let Some(data) = data {
            feed(vm, &mut hasher, &hashable(vm, data)?);
        }
        Ok(Hash::wrap(algorithm, hasher))
    }

    fn wrap(algorithm: &'static Algorithm, hasher: Any) -> Value {
        let hash = Hash {
            algorithm: Opaque(algorithm),
            state: Opaque(Exclusive::new(hasher)),
        };
        if algorithm.size == 0 {
            Py::new(ExtendableHash { hash }).into_value()
        } else {
            Py::new(hash).into_value()
        }
    }

    fn with<R>(vm: &Vm, this: &Py<Hash>, f: impl FnOnce(&mut Any) -> R) -> R {
        this.state.0.with(vm, this.header(), f)
    }
}

#[pymethods]
impl Hash {
    /// Return a copy of the hash object.
    #[pymethod(sig = "($self, /)")]
    fn copy(vm: &Vm, this: &Py<Hash>) -> Value {
        let hasher = Hash::with(vm, this, |hasher| hasher.clone());
        Hash::wrap(this.algorithm.0, hasher)
    }

    /// Return the digest value as a bytes object.
    #[pymethod(sig = "($self, /)")]
    fn digest(vm: &Vm, this: &Py<Hash>) -> Value {
        Bytes::new_value(Hash::with(vm, this, |hasher| Hasher::result(hasher)))
    }

    /// Return the digest value as a string of hexadecimal digits.
    #[pymethod(sig = "($self, /)")]
    fn hexdigest(vm: &Vm, this: &Py<Hash>) -> String {
        hex(&Hash::with(vm, this, |hasher| Hasher::result(hasher)))
    }

    /// Update this hash object's state with the provided string.
    #[pymethod(sig = "($self, obj, /)")]
    fn update(vm: &Vm, this: &Py<Hash>, obj: &Value) -> Res<()> {
        let bytes = hashable(vm, obj)?;
        Hash::with(vm, this, |hasher| feed(vm, hasher, &bytes));
        Ok(())
    }

    #[getter]
    fn digest_size(_: &Vm, this: &Py<Hash>) -> usize {
        this.algorithm.0.size
    }

    #[getter]
    fn block_size(_: &Vm, this: &Py<Hash>) -> usize {
        this.algorithm.0.block
    }

    /// algorithm name.
    #[getter]
    fn name(_: &Vm, this: &Py<Hash>) -> &'static str {
        this.algorithm.0.name
    }

    #[slot]
    fn __repr__(_: &Vm, this: &Py<Hash>) -> String {
        let class = this.class().name();
        let at = this.as_ptr() as usize;
        format!("<{} {class} object @ {at:#x}>", this.algorithm.0.name)
    }
}

#[pyclass(
    name = "HASHXOF",
    module = "_hashlib",
    base = Hash,
    gc = false,
    basetype,
    no_new,
    doc = "A hash whose digest may have any length."
)]
pub struct ExtendableHash {
    hash: Hash,
}

impl ExtendableHash {
    fn read(vm: &Vm, this: &Py<ExtendableHash>, length: &Value) -> Res<Vec<u8>> {
        let length = digest_length(vm, length)?;
        let state = &this.hash.state.0;
        Ok(state.with(vm, this.header(), |hasher| Hasher::read(hasher, length)))
    }
}

#[pymethods]
impl ExtendableHash {
    /// Return the digest value as a bytes object.
    #[pymethod(sig = "($self, /, length)")]
    fn digest(vm: &Vm, this: &Py<ExtendableHash>, length: &Value) -> Res<Value> {
        Ok(Bytes::new_value(ExtendableHash::read(vm, this, length)?))
    }

    /// Return the digest value as a string of hexadecimal digits.
    #[pymethod(sig = "($self, /, length)")]
    fn hexdigest(vm: &Vm, this: &Py<ExtendableHash>, length: &Value) -> Res<String> {
        Ok(hex(&ExtendableHash::read(vm, this, length)?))
    }
}

/// The two hashes of HMAC (RFC 2104), the key in both.
#[derive(Clone)]
struct Keyed {
    inner: Any,
    outer: Any,
}

impl Keyed {
    fn new(algorithm: &'static Algorithm, key: &[u8]) -> Keyed {
        let mut block = if key.len() > algorithm.block {
            let mut hasher = (algorithm.start)();
            Hasher::feed(&mut hasher, key);
            Hasher::result(&hasher)
        } else {
            key.to_vec()
        };
        block.resize(algorithm.block, 0);
        let keyed = |pad: u8| {
            let mut hasher = (algorithm.start)();
            let bytes: Vec<u8> = block.iter().map(|byte| byte ^ pad).collect();
            Hasher::feed(&mut hasher, &bytes);
            hasher
        };
        Keyed {
            inner: keyed(0x36),
            outer: keyed(0x5C),
        }
    }

    fn result(&self) -> Vec<u8> {
        let mut outer = self.outer.clone();
        Hasher::feed(&mut outer, &Hasher::result(&self.inner));
        Hasher::result(&outer)
    }
}

#[pyclass(
    name = "HMAC",
    module = "_hashlib",
    gc = false,
    basetype,
    no_new,
    doc = "The object used to calculate HMAC of a message.\n\nMethods:\n\nupdate() -- updates the current digest with an additional string\ndigest() -- return the current digest value\nhexdigest() -- return the current digest as a string of hexadecimal digits\ncopy() -- return a copy of the current hash object\n\nAttributes:\n\nname -- the name, including the hash algorithm used by this object\ndigest_size -- number of bytes in digest() output\n"
)]
pub struct Hmac {
    algorithm: Opaque<&'static Algorithm>,
    state: Opaque<Exclusive<Keyed>>,
}

impl Hmac {
    fn make(algorithm: &'static Algorithm, keyed: Keyed) -> Value {
        Py::new(Hmac {
            algorithm: Opaque(algorithm),
            state: Opaque(Exclusive::new(keyed)),
        })
        .into_value()
    }

    fn with<R>(vm: &Vm, this: &Py<Hmac>, f: impl FnOnce(&mut Keyed) -> R) -> R {
        this.state.0.with(vm, this.header(), f)
    }
}

#[pymethods]
impl Hmac {
    /// Return a copy (\"clone\") of the HMAC object.
    #[pymethod(sig = "($self, /)")]
    fn copy(vm: &Vm, this: &Py<Hmac>) -> Value {
        let keyed = Hmac::with(vm, this, |keyed| keyed.clone());
        Hmac::make(this.algorithm.0, keyed)
    }

    /// Return the digest of the bytes passed to the update() method so far.
    #[pymethod(sig = "($self, /)")]
    fn digest(vm: &Vm, this: &Py<Hmac>) -> Value {
        Bytes::new_value(Hmac::with(vm, this, |keyed| keyed.result()))
    }

    /// Return hexadecimal digest of the bytes passed to the update() method so far.
    #[pymethod(sig = "($self, /)")]
    fn hexdigest(vm: &Vm, this: &Py<Hmac>) -> String {
        hex(&Hmac::with(vm, this, |keyed| keyed.result()))
    }

    /// Update the HMAC object with msg.
    #[pymethod(sig = "($self, /, msg)")]
    fn update(vm: &Vm, this: &Py<Hmac>, msg: &Value) -> Res<()> {
        let bytes = hashable(vm, msg)?;
        Hmac::with(vm, this, |keyed| feed(vm, &mut keyed.inner, &bytes));
        Ok(())
    }

    #[getter]
    fn digest_size(_: &Vm, this: &Py<Hmac>) -> usize {
        this.algorithm.0.size
    }

    #[getter]
    fn block_size(_: &Vm, this: &Py<Hmac>) -> usize {
        this.algorithm.0.block
    }

    #[getter]
    fn name(_: &Vm, this: &Py<Hmac>) -> String {
        format!("hmac-{}", this.algorithm.0.name)
    }

    #[slot]
    fn __repr__(_: &Vm, this: &Py<Hmac>) -> String {
        let at = this.as_ptr() as usize;
        format!("<{} HMAC object @ {at:#x}>", this.algorithm.0.name)
    }
}

macro_rules! constructors {
    ($($name:ident $def:ident $algorithm:literal $doc:literal)*) => {
        $(
            #[doc = $doc]
            #[pyfunction(module = "_hashlib", sig = "(data=b'', *, usedforsecurity=True, string=None)")]
            fn $name(vm: &Vm, data: Option<&Value>, usedforsecurity: Option<bool>, string: Option<&Value>) -> Res<Value> {
                let _ = usedforsecurity;
                let data = data_argument(vm, data, string)?;
                match find($algorithm) {
                    Some(algorithm) => Hash::make(vm, algorithm, data),
                    None => Err(unsupported(vm, format!("unsupported hash type {}", $algorithm))),
                }
            }
        )*

        /// With the names of their algorithms.
        static CONSTRUCTORS: &[(&FnDef, &str)] = &[$((&$def, $algorithm)),*];
    };
}

constructors! {
    openssl_md5 OPENSSL_MD5_DEF "md5" "Returns a md5 hash object; optionally initialized with a string"
    openssl_sha1 OPENSSL_SHA1_DEF "sha1" "Returns a sha1 hash object; optionally initialized with a string"
    openssl_sha224 OPENSSL_SHA224_DEF "sha224" "Returns a sha224 hash object; optionally initialized with a string"
    openssl_sha256 OPENSSL_SHA256_DEF "sha256" "Returns a sha256 hash object; optionally initialized with a string"
    openssl_sha384 OPENSSL_SHA384_DEF "sha384" "Returns a sha384 hash object; optionally initialized with a string"
    openssl_sha512 OPENSSL_SHA512_DEF "sha512" "Returns a sha512 hash object; optionally initialized with a string"
    openssl_sha3_224 OPENSSL_SHA3_224_DEF "sha3_224" "Returns a sha3-224 hash object; optionally initialized with a string"
    openssl_sha3_256 OPENSSL_SHA3_256_DEF "sha3_256" "Returns a sha3-256 hash object; optionally initialized with a string"
    openssl_sha3_384 OPENSSL_SHA3_384_DEF "sha3_384" "Returns a sha3-384 hash object; optionally initialized with a string"
    openssl_sha3_512 OPENSSL_SHA3_512_DEF "sha3_512" "Returns a sha3-512 hash object; optionally initialized with a string"
    openssl_shake_128 OPENSSL_SHAKE_128_DEF "shake_128" "Returns a shake-128 variable hash object; optionally initialized with a string"
    openssl_shake_256 OPENSSL_SHAKE_256_DEF "shake_256" "Returns a shake-256 variable hash object; optionally initialized with a string"
}

const INT_MAX: i64 = i32::MAX as i64;

fn check_len(vm: &Vm, bytes: &[u8], what: &str) -> Res<()> {
    if bytes.len() as u64 > INT_MAX as u64 {
        return Err(vm.overflow_error(format!("{what} is too long.")));
    }
    Ok(())
}

/// The algorithm of an HMAC, which has a fixed length.
fn of_hmac(vm: &Vm, digestmod: &Value) -> Res<&'static Algorithm> {
    let algorithm = of_digestmod(vm, digestmod)?;
    if algorithm.size == 0 {
        return Err(vm.value_error("[digital envelope routines] xof digests not allowed"));
    }
    Ok(algorithm)
}

/// A buffer for the result, whose length a program picks.
fn buffer(vm: &Vm, len: usize) -> Res<Vec<u8>> {
    let mut out = Vec::new();
    out.try_reserve_exact(len).map_err(|_| vm.memory_error())?;
    out.resize(len, 0);
    Ok(out)
}

#[pymodule(
    name = "_hashlib",
    doc = "OpenSSL interface for hashlib module",
    types(Hash, ExtendableHash, Hmac)
)]
pub mod module {
    use lisle_runtime::types::module::Module;
    use lisle_runtime::types::set::FrozenSet;

    use super::*;

    #[pyattr(name = "_GIL_MINSIZE")]
    const GIL_MINSIZE: i64 = super::super::LONG as i64;

    #[pyattr(name = "UnsupportedDigestmodError")]
    fn unsupported_class(vm: &Vm) -> Res<Value> {
        Ok(UNSUPPORTED.get(vm)?.to_value())
    }

    #[pyattr]
    fn openssl_md_meth_names(vm: &Vm) -> Res<Value> {
        let names = ALGORITHMS.iter().map(|algorithm| Value::from(algorithm.name)).collect();
        FrozenSet::from_values(vm, names)
    }

    #[init]
    fn init(_: &Vm, module: &Py<Module>) -> Res<()> {
        for (def, _) in CONSTRUCTORS {
            module.set(
                def.name,
                NativeFunction::new_value(def, None, Some(Value::from("_hashlib"))),
            );
        }
        Ok(())
    }

    /// Return a new hash object using the named algorithm.
    ///
    /// An optional string argument may be provided and will be
    /// automatically hashed.
    ///
    /// The MD5 and SHA1 algorithms are always supported.
    #[pyfunction(sig = "(name, data=b'', *, usedforsecurity=True, string=None)")]
    fn new(
        vm: &Vm,
        name: &Py<Str>,
        data: Option<&Value>,
        usedforsecurity: Option<bool>,
        string: Option<&Value>,
    ) -> Res<Value> {
        let _ = usedforsecurity;
        let data = data_argument(vm, data, string)?;
        Hash::make(vm, named(vm, name)?, data)
    }

    /// Return a new hmac object.
    #[pyfunction(sig = "(key, msg=b'', digestmod=None)")]
    fn hmac_new(vm: &Vm, key: Readable<'_>, msg: Option<&Value>, digestmod: Option<&Value>) -> Res<Value> {
        check_len(vm, &key.0, "key")?;
        let Some(digestmod) = digestmod else {
            return Err(vm.type_error("Missing required parameter 'digestmod'."));
        };
        let algorithm = of_hmac(vm, digestmod)?;
        let mut keyed = Keyed::new(algorithm, &key.0);
        if let Some(msg) = msg.filter(|msg| !msg.is_none()) {
            feed(vm, &mut keyed.inner, &hashable(vm, msg)?);
        }
        Ok(Hmac::make(algorithm, keyed))
    }

    /// Single-shot HMAC.
    #[pyfunction(sig = "(key, msg, digest)")]
    fn hmac_digest(vm: &Vm, key: Readable<'_>, msg: Readable<'_>, digest: &Value) -> Res<Value> {
        let algorithm = of_hmac(vm, digest)?;
        check_len(vm, &key.0, "key")?;
        check_len(vm, &msg.0, "msg")?;
        let mut keyed = Keyed::new(algorithm, &key.0);
        feed(vm, &mut keyed.inner, &msg.0);
        Ok(Bytes::new_value(keyed.result()))
    }

    /// Password based key derivation function 2 (PKCS #5 v2.0) with HMAC as pseudorandom function.
    #[pyfunction(sig = "(hash_name, password, salt, iterations, dklen=None)")]
    fn pbkdf2_hmac(
        vm: &Vm,
        hash_name: &Py<Str>,
        password: Readable<'_>,
        salt: Readable<'_>,
        iterations: i64,
        dklen: Option<&Value>,
    ) -> Res<Value> {
        let algorithm = named(vm, hash_name)?;
        let Some(derive) = algorithm.pbkdf2 else {
            return Err(vm.value_error("[digital envelope routines] xof digests not allowed"));
        };
        check_len(vm, &password.0, "password")?;
        check_len(vm, &salt.0, "salt")?;
        if iterations < 1 {
            return Err(vm.value_error("iteration value must be greater than 0."));
        }
        let rounds = u32::try_from(iterations).ok().filter(|n| i64::from(*n) <= INT_MAX);
        let Some(rounds) = rounds.and_then(NonZeroU32::new) else {
            return Err(vm.overflow_error("iteration value is too great."));
        };
        let len = match dklen.filter(|len| !len.is_none()) {
            None => algorithm.size as i64,
            Some(len) => vm.index_to_i64(len)?,
        };
        if len < 1 {
            return Err(vm.value_error("key length must be greater than 0."));
        }
        if len > INT_MAX {
            return Err(vm.overflow_error("key length is too great."));
        }
        let mut out = buffer(vm, len as usize)?;
        vm.detached(|| derive(&password.0, &salt.0, rounds.get(), &mut out));
        Ok(Bytes::new_value(out))
    }

    /// scrypt password-based key derivation function.
    #[pyfunction(sig = "(password, *, salt=None, n=None, r=None, p=None, maxmem=0, dklen=64)")]
    fn scrypt(
        vm: &Vm,
        password: Readable<'_>,
        salt: Option<&Value>,
        n: Option<&Value>,
        r: Option<&Value>,
        p: Option<&Value>,
        maxmem: Option<i64>,
        dklen: Option<i64>,
    ) -> Res<Value> {
        check_len(vm, &password.0, "password")?;
        let Some(salt) = salt.filter(|salt| !salt.is_none()) else {
            return Err(vm.type_error("salt is required"));
        };
        let salt = lisle_runtime::types::buffer::get_bytes(vm, salt)?;
        check_len(vm, &salt, "salt")?;
        let number = |value: Option<&Value>, name: &str| -> Res<u64> {
            let number = value.filter(|value| !value.is_none());
            let number = number
                .and_then(|value| vm.int_value(value))
                .and_then(|number| number.to_i64());
            let number = number.and_then(|number| u64::try_from(number).ok());
            number.ok_or_else(|| vm.type_error(format!("{name} is required and must be an unsigned int")))
        };
        let n = number(n, "n")?;
        if n < 2 || !n.is_power_of_two() {
            return Err(vm.value_error("n must be a power of 2."));
        }
        let (r, p) = (number(r, "r")?, number(p, "p")?);
        let maxmem = maxmem.unwrap_or(0);
        if !(0..=INT_MAX).contains(&maxmem) {
            return Err(vm.value_error(format!("maxmem must be positive and smaller than {INT_MAX}")));
        }
        let len = dklen.unwrap_or(64);
        if !(1..=INT_MAX).contains(&len) {
            return Err(vm.value_error(format!("dklen must be greater than 0 and smaller than {INT_MAX}")));
        }
        // OpenSSL's limits, and its measure of the memory that is needed.
        let refused = || Err(vm.value_error("Invalid parameter combination for n, r, p, maxmem"));
        let limit = if maxmem == 0 { 32 << 20 } else { maxmem as u128 };
        let (wide_n, wide_r, wide_p) = (u128::from(n), u128::from(r), u128::from(p));
        let needed = wide_p * 128 * wide_r + 32 * wide_r * (wide_n + 2) * 4;
        if r == 0 || p == 0 || wide_p * wide_r >= 1 << 30 || needed > limit {
            return refused();
        }
        let log_n = n.trailing_zeros() as u8;
        let Ok(params) = scrypt::Params::new(log_n, r as u32, p as u32, scrypt::Params::RECOMMENDED_LEN) else {
            return refused();
        };
        let mut out = buffer(vm, len as usize)?;
        let done = vm.detached(|| scrypt::scrypt(&password.0, &salt, &params, &mut out));
        match done {
            Ok(()) => Ok(Bytes::new_value(out)),
            Err(_) => refused(),
        }
    }

    /// Return 'a == b'.
    ///
    /// This function uses an approach designed to prevent
    /// timing analysis, making it appropriate for cryptography.
    ///
    /// a and b must both be of the same type: either str (ASCII only),
    /// or any bytes-like object.
    ///
    /// Note: If a and b are of different lengths, or if an error occurs,
    /// a timing attack could theoretically reveal information about the
    /// types and lengths of a and b--but not their values.
    #[pyfunction(sig = "(a, b, /)")]
    fn compare_digest(vm: &Vm, a: &Value, b: &Value) -> Res<bool> {
        crate::operator::compare_digest(vm, a, b)
    }

    /// Determine the OpenSSL FIPS mode of operation, which is always off here.
    #[pyfunction(sig = "()")]
    fn get_fips_mode(_: &Vm) -> i64 {
        0
    }
}
