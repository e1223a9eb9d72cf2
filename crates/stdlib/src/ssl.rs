//! `_ssl`: TLS on rustls, with the faces that CPython gives OpenSSL.
//!
//! Invariant: what talks to rustls is plain data and runs detached (`engine`, `settings`, `store`); Python objects are made of it
//! afterwards (`object`, `context`, `show`). Left out: what rustls does not do: TLS 1.1 and older, cipher suites without forward
//! secrecy or authenticated encryption, pre-shared keys, resumed sessions, channel bindings, message callbacks, post-handshake
//! authentication.

mod cert;
mod constants;
mod context;
mod der;
mod engine;
mod errors;
mod keys;
mod object;
mod oids;
mod pem;
mod settings;
mod show;
mod store;

use lisle_runtime::native::{Py, Res, Str, Value, Vm, pymodule};
use lisle_runtime::types::bytes::Bytes;
use lisle_runtime::types::module::Module;

use context::SslContext;
use errors::Fault;
use object::SslSocket;
use show::{Certificate, MemoryBio, Session};

/// An identifier as programs see it.
fn object_value(vm: &Vm, oid: &oids::Oid) -> Res<Value> {
    use lisle_runtime::native::IntoValue;
    (oid.0, oid.1, oid.2, oid.3).into_value(vm)
}

#[pymodule(
    name = "_ssl",
    doc = "Implementation module for SSL socket operations.  See the socket module\nfor documentation.",
    types(SslContext, SslSocket, MemoryBio, Session, Certificate)
)]
pub mod module {
    use super::*;

    /// What there is of OpenSSL: programs ask for 1.1.1 at least.
    #[pyattr]
    const OPENSSL_VERSION_NUMBER: i64 = 0x3000_0000;

    #[pyattr]
    fn OPENSSL_VERSION(_vm: &Vm) -> &'static str {
        "OpenSSL 3.0.0 (interface; rustls)"
    }

    #[pyattr]
    fn OPENSSL_VERSION_INFO(vm: &Vm) -> Res<Value> {
        version(vm)
    }

    #[pyattr]
    fn _OPENSSL_API_VERSION(vm: &Vm) -> Res<Value> {
        version(vm)
    }

    fn version(_vm: &Vm) -> Res<Value> {
        let parts = [3, 0, 0, 0, 0].map(Value::int).to_vec();
        Ok(lisle_runtime::types::tuple::Tuple::new(parts).into_value())
    }

    #[pyattr]
    fn _DEFAULT_CIPHERS(_vm: &Vm) -> &'static str {
        "@SECLEVEL=2:ECDH+AESGCM:ECDH+CHACHA20:ECDH+AES:DHE+AES:!aNULL:!eNULL:!aDSS:!SHA1:!AESCCM"
    }

    /// Mix string into the OpenSSL PRNG state.
    ///
    /// entropy (a float) is a lower bound on the entropy contained in
    /// string.  See RFC 4086.
    #[pyfunction(name = "RAND_add", sig = "(string, entropy, /)")]
    fn rand_add(_vm: &Vm, string: &Value, entropy: f64) {
        // The system's generator needs no help.
        let _ = (string, entropy);
    }

    /// Generate n cryptographically strong pseudo-random bytes.
    #[pyfunction(name = "RAND_bytes", sig = "(n, /)")]
    fn rand_bytes(vm: &Vm, n: i32) -> Res<Value> {
        let Ok(n) = usize::try_from(n) else {
            return Err(vm.value_error("num must be positive"));
        };
        let mut bytes = Vec::new();
        if bytes.try_reserve_exact(n).is_err() {
            return Err(vm.memory_error());
        }
        bytes.resize(n, 0);
        let filled = vm.detached(|| {
            let provider = rustls::crypto::ring::default_provider();
            provider.secure_random.fill(&mut bytes)
        });
        match filled {
            Ok(()) => Ok(Bytes::new_value(bytes)),
            Err(_) => Err(Fault::Plain("the system gives no random bytes").raise(vm)),
        }
    }

    /// Returns True if the OpenSSL PRNG has been seeded with enough data and False if not.
    ///
    /// It is necessary to seed the PRNG with RAND_add() on some platforms before
    /// using the ssl() function.
    #[pyfunction(name = "RAND_status", sig = "()")]
    fn rand_status(_vm: &Vm) -> bool {
        true
    }

    /// Return search paths and environment vars that are used by SSLContext's set_default_verify_paths() to load default CAs.
    ///
    /// The values are 'cert_file_env', 'cert_file', 'cert_dir_env', 'cert_dir'.
    #[pyfunction(sig = "()")]
    fn get_default_verify_paths(vm: &Vm) -> (&'static str, &'static str, &'static str, &'static str) {
        let (file, directory) = vm.detached(store::default_paths);
        ("SSL_CERT_FILE", file, "SSL_CERT_DIR", directory)
    }

    /// Lookup NID, short name, long name and OID of an ASN1_OBJECT.
    ///
    /// By default objects are looked up by OID. With name=True short and
    /// long name are also matched.
    #[pyfunction(sig = "(txt, name=False)")]
    fn txt2obj(vm: &Vm, txt: &Py<Str>, name: Option<bool>) -> Res<Value> {
        let text = txt.to_string_lossy();
        let found = oids::by_dotted(&text);
        let found = found.or_else(|| oids::by_name(&text).filter(|_| name == Some(true)));
        match found {
            Some(oid) => object_value(vm, oid),
            None => {
                let shown: String = text.chars().take(100).collect();
                Err(vm.value_error(format!("unknown object '{shown}'")))
            }
        }
    }

    /// Lookup NID, short name, long name and OID of an ASN1_OBJECT by NID.
    #[pyfunction(sig = "(nid, /)")]
    fn nid2obj(vm: &Vm, nid: i32) -> Res<Value> {
        if nid < 0 {
            return Err(vm.value_error("NID must be positive."));
        }
        match oids::by_nid(nid) {
            Some(oid) => object_value(vm, oid),
            None => Err(vm.value_error(format!("unknown NID {nid}"))),
        }
    }

    #[pyfunction(sig = "(path, /)")]
    fn _test_decode_cert(vm: &Vm, path: crate::posix::path::FilePath) -> Res<Value> {
        use std::os::unix::ffi::OsStrExt;
        let name = std::ffi::OsStr::from_bytes(path.name.as_bytes()).to_owned();
        let Ok(text) = vm.detached(|| std::fs::read(name)) else {
            return Err(Fault::Plain("Can't open file").raise(vm));
        };
        let blocks = pem::blocks(&text).unwrap_or_default();
        match blocks.iter().find(|block| block.label.ends_with("CERTIFICATE")) {
            Some(block) => show::certificate_dict(vm, &block.data),
            None => Err(Fault::Plain("Error decoding PEM-encoded file").raise(vm)),
        }
    }

    #[init]
    fn init(vm: &Vm, module: &Py<Module>) -> Res<()> {
        constants::add(module);
        for (name, class) in errors::classes(vm)? {
            module.dict().set_str(&Str::intern(name), class.to_value());
        }
        Ok(())
    }
}
