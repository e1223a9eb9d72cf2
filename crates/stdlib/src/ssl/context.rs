//! `_ssl._SSLContext`: what connections are made with.
//!
//! Invariant: the settings are plain data behind a mutex that is held for copies and assignments alone; files are read detached.
//! Left out, with an error that says so or, where a program cannot tell, without effect: PSK, Diffie-Hellman parameters,
//! the choice of curves, tickets.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use lisle_runtime::memory::trace::Opaque;
use lisle_runtime::native::*;
use lisle_runtime::types::buffer;
use lisle_runtime::types::bytes::Bytes;
use lisle_runtime::types::dict::Dict;
use lisle_runtime::types::encoding;
use lisle_runtime::types::exceptions;
use lisle_runtime::types::list::List;

use rustls::crypto::ring::kx_group;

use super::engine::lock;
use super::errors::Fault;
use super::keys;
use super::object::{Over, SslSocket};
use super::settings::*;
use super::show::{MemoryBio, certificate_list};
use super::store::{self, Store};
use super::{der, pem};

/// Settings of connections.
#[pyclass(name = "_SSLContext", module = "_ssl", basetype)]
pub struct SslContext {
    settings: Opaque<Mutex<Settings>>,
    pub sni_callback: Slot,
    msg_callback: Slot,
    key_log_name: Slot,
}

impl SslContext {
    /// A copy of the settings.
    pub fn settings(&self) -> Settings {
        lock(&self.settings).clone()
    }

    fn with<R>(&self, f: impl FnOnce(&mut Settings) -> R) -> R {
        f(&mut lock(&self.settings))
    }

    /// Whether connections of this side can be made.
    pub fn check_side(&self, vm: &Vm, server_side: bool) -> Res<()> {
        match self.with(|s| s.protocol) {
            PROTOCOL_TLS_CLIENT if server_side => {
                Err(Fault::Plain("Cannot create a server socket with a PROTOCOL_TLS_CLIENT context").raise(vm))
            }
            PROTOCOL_TLS_SERVER if !server_side => {
                Err(Fault::Plain("Cannot create a client socket with a PROTOCOL_TLS_SERVER context").raise(vm))
            }
            _ => Ok(()),
        }
    }

    fn set_version(vm: &Vm, this: &Py<SslContext>, value: &Value, minimum: bool) -> Res<()> {
        let version = vm.index_to_i64(value)?;
        if !matches!(version, -2 | -1 | 0x300..=0x304) {
            return Err(vm.value_error(format!("Unsupported TLS/SSL version 0x{version:x}")));
        }
        this.with(|s| {
            if !matches!(s.protocol, PROTOCOL_TLS | PROTOCOL_TLS_CLIENT | PROTOCOL_TLS_SERVER) {
                return Err("The context's protocol doesn't support modification of highest and lowest version.");
            }
            match minimum {
                true => s.minimum = version,
                false => s.maximum = version,
            }
            Ok(())
        })
        .map_err(|message| vm.value_error(message))
    }
}

/// The name of a file; `what` names the argument.
fn path_of(vm: &Vm, value: &Value, what: &str) -> Res<PathBuf> {
    use std::os::unix::ffi::OsStringExt;
    let object = match crate::posix::path::fspath(vm, value) {
        Ok(object) => object,
        Err(exc) if exc.is(&exceptions::TYPE_ERROR) => {
            return Err(vm.type_error(format!("{what} should be a valid filesystem path")));
        }
        Err(exc) => return Err(exc),
    };
    let encoded = match object.downcast::<Str>() {
        Some(text) => encoding::encode(vm, text, lisle_runtime::interp::system_encoding(), "surrogateescape")?,
        None => object,
    };
    let bytes = encoded.downcast::<Bytes>().map(|bytes| bytes.as_slice().to_vec());
    Ok(PathBuf::from(std::ffi::OsString::from_vec(bytes.unwrap_or_default())))
}

fn given(value: Option<&Value>) -> Option<&Value> {
    value.filter(|value| !value.is_none())
}

fn read_file(vm: &Vm, path: &Path) -> Res<Vec<u8>> {
    vm.detached(|| std::fs::read(path))
        .map_err(|error| vm.os_error(error.raw_os_error().unwrap_or(libc::EIO), None))
}

/// The words a key is encrypted with.
fn password_of(vm: &Vm, password: &Value) -> Res<Vec<u8>> {
    let called;
    let (value, message) = if vm.is_callable(password) {
        called = vm.call(password, &[])?;
        (&called, "password callback must return a string")
    } else {
        (password, "password should be a string or callable")
    };
    let bytes = match value.downcast::<Str>() {
        Some(text) => {
            let encoded = encoding::encode(vm, text, "utf-8", "strict")?;
            buffer::get_bytes(vm, &encoded)?.into_owned()
        }
        None => match buffer::bytes_of(value) {
            Some(bytes) => bytes.into_owned(),
            None => return Err(vm.type_error(message)),
        },
    };
    if bytes.len() > 1024 {
        return Err(vm.value_error("password cannot be longer than 1024 bytes"));
    }
    Ok(bytes)
}

/// Adds what a program gives as data: PEM as text, DER as bytes.
fn add_data(vm: &Vm, store: &mut Store, data: &Value) -> Res<()> {
    let missing = |what: &'static str| Fault::Data(what).raise(vm);
    if let Some(text) = data.downcast::<Str>() {
        let Some(ascii) = text.as_ascii() else {
            return Err(vm.type_error("cadata should be an ASCII string or a bytes-like object"));
        };
        if ascii.is_empty() {
            return Err(vm.value_error("Empty certificate data"));
        }
        return match store.add_pem(ascii.as_bytes()) {
            Ok(0) => Err(missing("no start line: cadata does not contain a certificate")),
            Ok(_) => Ok(()),
            Err(pem::Malformed::Base64) => Err(Fault::of("PEM", "BAD_BASE64_DECODE").raise(vm)),
            Err(pem::Malformed::NoEnd) => Err(Fault::of("PEM", "BAD_END_LINE").raise(vm)),
        };
    }
    if !buffer::is_bytes_like(data) {
        return Err(vm.type_error("cadata should be an ASCII string or a bytes-like object"));
    }
    let bytes = buffer::get_bytes(vm, data)?;
    if bytes.is_empty() {
        return Err(vm.value_error("Empty certificate data"));
    }
    let mut reader = der::Der(&bytes);
    let mut count = 0;
    while let Some(item) = reader.optional(0x30) {
        if !store.add(item.whole) {
            return Err(Fault::of("ASN1", "PARSE_ERROR").raise(vm));
        }
        count += 1;
    }
    if count == 0 {
        return Err(missing("not enough data: cadata does not contain a certificate"));
    }
    if !reader.0.is_empty() {
        return Err(Fault::of("ASN1", "NOT_ENOUGH_DATA").raise(vm));
    }
    Ok(())
}

/// The value that a setter is given.
fn assigned<'a>(vm: &Vm, value: Option<&'a Value>) -> Res<&'a Value> {
    value.ok_or_else(|| vm.attribute_error("cannot delete attribute"))
}

#[pymethods(parts(define_settings))]
impl SslContext {
    #[slot(sig = "(protocol, /)")]
    fn __new__(vm: &Vm, cls: &Py<Type>, protocol: i32) -> Res<Value> {
        if !matches!(
            protocol,
            PROTOCOL_TLS | PROTOCOL_TLS_1_2 | PROTOCOL_TLS_CLIENT | PROTOCOL_TLS_SERVER
        ) {
            return Err(vm.value_error(format!("invalid or unsupported protocol version {protocol}")));
        }
        if protocol == PROTOCOL_TLS {
            let category = exceptions::DEPRECATION_WARNING.get();
            vm.warn(category, "ssl.PROTOCOL_TLS is deprecated", 2)?;
        }
        if protocol == PROTOCOL_TLS_1_2 {
            let category = exceptions::DEPRECATION_WARNING.get();
            vm.warn(category, "ssl.PROTOCOL_TLSv1_2 is deprecated", 2)?;
        }
        let context = SslContext {
            settings: Opaque(Mutex::new(Settings::new(protocol))),
            sni_callback: Slot::empty(),
            msg_callback: Slot::empty(),
            key_log_name: Slot::empty(),
        };
        Ok(Py::with_class(cls, context).into_value())
    }

    #[pymethod(sig = "($self, /, sock, server_side, server_hostname=None, *, owner=None, session=None)")]
    fn _wrap_socket(
        vm: &Vm,
        this: &Py<SslContext>,
        sock: &Value,
        server_side: bool,
        server_hostname: Option<&Value>,
        owner: Option<&Value>,
        session: Option<&Value>,
    ) -> Res<Value> {
        check_session(vm, session)?;
        let over = Over::Socket(sock);
        SslSocket::make(vm, this, over, server_side, given(server_hostname), owner)
    }

    #[pymethod(sig = "($self, /, incoming, outgoing, server_side, server_hostname=None, *, owner=None, session=None)")]
    fn _wrap_bio(
        vm: &Vm,
        this: &Py<SslContext>,
        incoming: &Py<MemoryBio>,
        outgoing: &Py<MemoryBio>,
        server_side: bool,
        server_hostname: Option<&Value>,
        owner: Option<&Value>,
        session: Option<&Value>,
    ) -> Res<Value> {
        check_session(vm, session)?;
        let over = Over::Memory(incoming, outgoing);
        SslSocket::make(vm, this, over, server_side, given(server_hostname), owner)
    }

    #[pymethod(sig = "($self, certfile, keyfile=None, password=None)")]
    fn load_cert_chain(
        vm: &Vm,
        this: &Py<SslContext>,
        certfile: &Value,
        keyfile: Option<&Value>,
        password: Option<&Value>,
    ) -> Res<()> {
        let certfile = path_of(vm, certfile, "certfile")?;
        let keyfile = match given(keyfile) {
            Some(keyfile) => path_of(vm, keyfile, "keyfile")?,
            None => certfile.clone(),
        };
        let password = given(password);
        if let Some(password) = password
            && !vm.is_callable(password)
        {
            password_of(vm, password)?;
        }
        let chain = read_file(vm, &certfile)?;
        let key = read_file(vm, &keyfile)?;
        let chain = keys::chain(&chain).map_err(|fault| fault.raise(vm))?;
        let mut found = keys::key(&key).map_err(|fault| fault.raise(vm))?;
        if let keys::Key::Encrypted(encrypted) = found {
            let Some(password) = password else {
                return Err(Fault::Tls("SSL", "BAD_PASSWORD_READ".into(), "the key needs a password".into()).raise(vm));
            };
            let password = password_of(vm, password)?;
            let result = vm.detached(|| encrypted.decrypt(&password));
            found = keys::Key::Plain(result.map_err(|fault| fault.raise(vm))?);
        }
        let keys::Key::Plain(key) = found else {
            return Err(Fault::Plain("the key is still encrypted").raise(vm));
        };
        let pair = keys::pair(chain, key).map_err(|fault| fault.raise(vm))?;
        this.with(|s| {
            // One certificate for each kind of key.
            s.keys.retain(|other| other.key.algorithm() != pair.key.algorithm());
            s.keys.insert(0, Arc::new(pair));
        });
        Ok(())
    }

    #[pymethod(sig = "($self, /, cafile=None, capath=None, cadata=None)")]
    fn load_verify_locations(
        vm: &Vm,
        this: &Py<SslContext>,
        cafile: Option<&Value>,
        capath: Option<&Value>,
        cadata: Option<&Value>,
    ) -> Res<()> {
        let (cafile, capath, cadata) = (given(cafile), given(capath), given(cadata));
        if cafile.is_none() && capath.is_none() && cadata.is_none() {
            return Err(vm.type_error("cafile, capath and cadata cannot be all omitted"));
        }
        let cafile = cafile.map(|path| path_of(vm, path, "cafile")).transpose()?;
        let capath = capath.map(|path| path_of(vm, path, "capath")).transpose()?;
        let mut added = Store::default();
        if let Some(data) = cadata {
            add_data(vm, &mut added, data)?;
        }
        if let Some(path) = cafile {
            let text = read_file(vm, &path)?;
            match vm.detached(|| added.add_pem(&text)) {
                Ok(0) => return Err(Fault::of("X509", "NO_CERTIFICATE_OR_CRL_FOUND").raise(vm)),
                Ok(_) => {}
                Err(_) => return Err(Fault::of("X509", "PEM_LIB").raise(vm)),
            }
        }
        if let Some(path) = capath {
            vm.detached(|| added.add_directory(&path));
        }
        extend(this, &added);
        Ok(())
    }

    #[pymethod(sig = "($self, /)")]
    fn set_default_verify_paths(vm: &Vm, this: &Py<SslContext>) {
        let system = vm.detached(store::system);
        let taken = this.with(|s| {
            let empty = s.store.certs.is_empty() && s.store.crls.is_empty();
            if empty {
                s.store = Arc::clone(&system);
            }
            empty
        });
        if !taken {
            extend(this, &system);
        }
    }

    #[pymethod(sig = "($self, path, /)")]
    fn load_dh_params(vm: &Vm, _this: &Py<SslContext>, path: &Value) -> Res<()> {
        crate::syscall::audit!(vm, "open", path.clone(), Value::from("rb"), Value::int(0));
        let path = path_of(vm, path, "path")?;
        let text = read_file(vm, &path)?;
        let blocks = pem::blocks(&text).unwrap_or_default();
        if !blocks.iter().any(|block| block.label.ends_with("DH PARAMETERS")) {
            return Err(Fault::of("PEM", "NO_START_LINE").raise(vm));
        }
        Ok(())
    }

    #[pymethod(sig = "($self, name, /)")]
    fn set_ecdh_curve(vm: &Vm, this: &Py<SslContext>, name: &Value) -> Res<()> {
        let curve = match name.downcast::<Str>() {
            Some(text) => text.to_string_lossy(),
            None => String::from_utf8_lossy(&buffer::get_bytes(vm, name)?).into_owned(),
        };
        let group = match curve.as_str() {
            "prime256v1" | "secp256r1" | "P-256" => kx_group::SECP256R1,
            "secp384r1" | "P-384" => kx_group::SECP384R1,
            "X25519" | "x25519" => kx_group::X25519,
            _ => {
                let name = vm.repr(name)?.to_string_lossy();
                return Err(vm.value_error(format!("unknown elliptic curve name {name}")));
            }
        };
        this.with(|s| s.curve = Some(group));
        Ok(())
    }

    #[pymethod(sig = "($self, cipherlist, /)")]
    fn set_ciphers(vm: &Vm, this: &Py<SslContext>, cipherlist: &Py<Str>) -> Res<()> {
        match suites_for(&cipherlist.to_string_lossy()) {
            Some(suites) => {
                this.with(|s| s.suites = suites);
                Ok(())
            }
            None => Err(Fault::Plain("No cipher can be selected.").raise(vm)),
        }
    }

    #[pymethod(sig = "($self, /)")]
    fn get_ciphers(vm: &Vm, this: &Py<SslContext>) -> Res<Value> {
        let own = this.with(|s| s.suites.clone());
        let mut shown = Vec::new();
        for suite in own.iter().filter_map(|own| Suite::of(own.suite())) {
            let (exchange, kea) = if suite.new {
                ("any", "kx-any")
            } else {
                ("ECDH", "kx-ecdhe")
            };
            let description = format!(
                "{:<30} {} Kx={exchange:<8} Au={:<5} Enc={:<22} Mac=AEAD",
                suite.name,
                suite.protocol(),
                suite.auth,
                suite.encryption
            );
            let auth = format!("auth-{}", suite.auth.to_ascii_lowercase());
            let dict = Dict::new_empty();
            let set = |name: &str, value: Value| dict.set_str(&Str::intern(name), value);
            set("id", Value::int(0x300_0000 | i64::from(u16::from(suite.id))));
            set("name", Value::from(suite.name));
            set("protocol", Value::from(suite.protocol()));
            set("description", Value::from(description.as_str()));
            set("strength_bits", Value::int(suite.bits));
            set("alg_bits", Value::int(suite.bits));
            set("aead", Value::TRUE);
            set("symmetric", Value::from(suite.symmetric));
            set("digest", Value::NONE);
            set("kea", Value::from(kea));
            set("auth", Value::from(auth.as_str()));
            shown.push(dict.into_value());
        }
        let _ = vm;
        Ok(List::new(shown).into_value())
    }

    #[pymethod(sig = "($self, protos, /)")]
    fn _set_alpn_protocols(vm: &Vm, this: &Py<SslContext>, protos: buffer::Readable<'_>) -> Res<()> {
        let mut names = Vec::new();
        let mut rest: &[u8] = &protos.0;
        while let Some((&len, after)) = rest.split_first() {
            let Some((name, after)) = after.split_at_checked(usize::from(len)) else {
                return Err(vm.value_error("a protocol is longer than the list"));
            };
            names.push(name.to_vec());
            rest = after;
        }
        this.with(|s| s.alpn = names);
        Ok(())
    }

    #[pymethod(sig = "($self, /)")]
    fn session_stats(_vm: &Vm, _this: &Py<SslContext>) -> Value {
        let dict = Dict::new_empty();
        for name in [
            "number",
            "connect",
            "connect_good",
            "connect_renegotiate",
            "accept",
            "accept_good",
            "accept_renegotiate",
            "hits",
            "misses",
            "timeouts",
            "cache_full",
        ] {
            dict.set_str(&Str::intern(name), Value::int(0));
        }
        dict.into_value()
    }

    /// Returns quantities of loaded X.509 certificates.
    ///
    /// X.509 certificates with a CA extension and certificate revocation lists
    /// inside the context's cert store.
    ///
    /// NOTE: Certificates in a capath directory aren't loaded unless they have
    /// been used at least once.
    #[pymethod(sig = "($self, /)")]
    fn cert_store_stats(_vm: &Vm, this: &Py<SslContext>) -> Value {
        let store = this.with(|s| Arc::clone(&s.store));
        let dict = Dict::new_empty();
        let set = |name: &str, count: usize| dict.set_str(&Str::intern(name), Value::usize(count));
        set("x509", store.certs.len());
        set("crl", store.crls.len());
        set("x509_ca", store.certs.iter().filter(|cert| cert.is_ca).count());
        dict.into_value()
    }

    /// Returns a list of dicts with information of loaded CA certs.
    ///
    /// If the optional argument is True, returns a DER-encoded copy of the CA
    /// certificate.
    ///
    /// NOTE: Certificates in a capath directory aren't loaded unless they have
    /// been used at least once.
    #[pymethod(sig = "($self, /, binary_form=False)")]
    fn get_ca_certs(vm: &Vm, this: &Py<SslContext>, binary_form: Option<bool>) -> Res<Value> {
        let store = this.with(|s| Arc::clone(&s.store));
        let certs = store.certs.iter().filter(|cert| cert.is_ca);
        let certs: Vec<Vec<u8>> = certs.map(|cert| cert.der.to_vec()).collect();
        certificate_list(vm, &certs, binary_form.unwrap_or(false))
    }

    #[pymethod(sig = "($self, callback)")]
    fn set_psk_client_callback(vm: &Vm, _this: &Py<SslContext>, _callback: &Value) -> Res<()> {
        Err(vm.not_implemented_error("PSK callbacks are not supported by the TLS library of this runtime"))
    }

    #[pymethod(sig = "($self, callback, identity_hint=None)")]
    fn set_psk_server_callback(
        vm: &Vm,
        _this: &Py<SslContext>,
        _callback: &Value,
        _identity_hint: Option<&Value>,
    ) -> Res<()> {
        Err(vm.not_implemented_error("PSK callbacks are not supported by the TLS library of this runtime"))
    }
}

fn check_session(vm: &Vm, session: Option<&Value>) -> Res<()> {
    match given(session) {
        None => Ok(()),
        Some(session) if session.downcast::<super::show::Session>().is_some() => Ok(()),
        Some(_) => Err(vm.type_error("Value is not a SSLSession.")),
    }
}

fn extend(this: &Py<SslContext>, added: &Store) {
    this.with(|s| {
        let store = Arc::make_mut(&mut s.store);
        store.extend(added);
    });
}

#[pymethods(part = define_settings)]
impl SslContext {
    #[getter]
    fn check_hostname(_vm: &Vm, this: &Py<SslContext>) -> bool {
        this.with(|s| s.check_hostname)
    }

    #[setter(name = "check_hostname")]
    fn set_check_hostname(vm: &Vm, this: &Py<SslContext>, value: Option<&Value>) -> Res<()> {
        let on = vm.truth(assigned(vm, value)?)?;
        this.with(|s| {
            s.check_hostname = on;
            if on && s.verify_mode == CERT_NONE {
                s.verify_mode = CERT_REQUIRED;
            }
        });
        Ok(())
    }

    #[getter]
    fn _host_flags(_vm: &Vm, this: &Py<SslContext>) -> i64 {
        this.with(|s| s.host_flags)
    }

    #[setter(name = "_host_flags")]
    fn set_host_flags(vm: &Vm, this: &Py<SslContext>, value: Option<&Value>) -> Res<()> {
        let flags = vm.index_to_i64(assigned(vm, value)?)?;
        this.with(|s| s.host_flags = flags);
        Ok(())
    }

    #[getter]
    fn protocol(_vm: &Vm, this: &Py<SslContext>) -> i32 {
        this.with(|s| s.protocol)
    }

    #[getter]
    fn verify_mode(_vm: &Vm, this: &Py<SslContext>) -> i32 {
        this.with(|s| s.verify_mode)
    }

    #[setter(name = "verify_mode")]
    fn set_verify_mode(vm: &Vm, this: &Py<SslContext>, value: Option<&Value>) -> Res<()> {
        let mode = crate::syscall::int_arg(vm, assigned(vm, value)?)?;
        if !(CERT_NONE..=CERT_REQUIRED).contains(&mode) {
            return Err(vm.value_error("invalid value for verify_mode"));
        }
        let refused = this.with(|s| {
            let refused = mode == CERT_NONE && s.check_hostname;
            if !refused {
                s.verify_mode = mode;
            }
            refused
        });
        if refused {
            let message = "Cannot set verify_mode to CERT_NONE when check_hostname is enabled.";
            return Err(vm.value_error(message));
        }
        Ok(())
    }

    #[getter]
    fn verify_flags(_vm: &Vm, this: &Py<SslContext>) -> i64 {
        this.with(|s| s.verify_flags)
    }

    #[setter(name = "verify_flags")]
    fn set_verify_flags(vm: &Vm, this: &Py<SslContext>, value: Option<&Value>) -> Res<()> {
        let flags = vm.index_to_i64(assigned(vm, value)?)?;
        this.with(|s| s.verify_flags = flags);
        Ok(())
    }

    #[getter]
    fn options(_vm: &Vm, this: &Py<SslContext>) -> i64 {
        this.with(|s| s.options)
    }

    #[setter(name = "options")]
    fn set_options(vm: &Vm, this: &Py<SslContext>, value: Option<&Value>) -> Res<()> {
        /// `OP_NO_SSLv3`, `OP_NO_TLSv1` to `OP_NO_TLSv1_3`
        const VERSIONS: i64 = 0x3e00_0000;
        let options = vm.index_to_i64(assigned(vm, value)?)?;
        if options < 0 {
            return Err(vm.overflow_error("can't convert negative value to unsigned int"));
        }
        if options & !this.with(|s| s.options) & VERSIONS != 0 {
            let category = exceptions::DEPRECATION_WARNING.get();
            vm.warn(category, "ssl.OP_NO_SSL*/ssl.OP_NO_TLS* options are deprecated", 2)?;
        }
        this.with(|s| s.options = options);
        Ok(())
    }

    #[getter]
    fn minimum_version(_vm: &Vm, this: &Py<SslContext>) -> i64 {
        this.with(|s| s.minimum)
    }

    #[setter(name = "minimum_version")]
    fn set_minimum_version(vm: &Vm, this: &Py<SslContext>, value: Option<&Value>) -> Res<()> {
        SslContext::set_version(vm, this, assigned(vm, value)?, true)
    }

    #[getter]
    fn maximum_version(_vm: &Vm, this: &Py<SslContext>) -> i64 {
        this.with(|s| s.maximum)
    }

    #[setter(name = "maximum_version")]
    fn set_maximum_version(vm: &Vm, this: &Py<SslContext>, value: Option<&Value>) -> Res<()> {
        SslContext::set_version(vm, this, assigned(vm, value)?, false)
    }

    #[getter]
    fn num_tickets(_vm: &Vm, this: &Py<SslContext>) -> i64 {
        this.with(|s| s.tickets)
    }

    #[setter(name = "num_tickets")]
    fn set_num_tickets(vm: &Vm, this: &Py<SslContext>, value: Option<&Value>) -> Res<()> {
        let count = vm.index_to_i64(assigned(vm, value)?)?;
        if count < 0 {
            return Err(vm.value_error("value must be non-negative"));
        }
        let server = this.with(|s| {
            s.tickets = count;
            s.protocol == PROTOCOL_TLS_SERVER
        });
        if !server {
            return Err(vm.value_error("SSLContext is not a server context."));
        }
        Ok(())
    }

    #[getter]
    fn security_level(_vm: &Vm, _this: &Py<SslContext>) -> i64 {
        2
    }

    /// Kept for those who ask: the library below has no post-handshake authentication, and a server asks for certificates at the start.
    #[getter]
    fn post_handshake_auth(_vm: &Vm, this: &Py<SslContext>) -> bool {
        this.with(|s| s.post_handshake)
    }

    #[setter(name = "post_handshake_auth")]
    fn set_post_handshake_auth(vm: &Vm, this: &Py<SslContext>, value: Option<&Value>) -> Res<()> {
        let wanted = vm.truth(assigned(vm, value)?)?;
        this.with(|s| s.post_handshake = wanted);
        Ok(())
    }

    #[getter]
    fn sni_callback(_vm: &Vm, this: &Py<SslContext>) -> Value {
        this.sni_callback.get().unwrap_or(Value::NONE)
    }

    #[setter(name = "sni_callback")]
    fn set_sni_callback(vm: &Vm, this: &Py<SslContext>, value: Option<&Value>) -> Res<()> {
        if this.with(|s| s.protocol) == PROTOCOL_TLS_CLIENT {
            return Err(vm.value_error("sni_callback cannot be set on TLS_CLIENT context"));
        }
        let value = assigned(vm, value)?;
        if !value.is_none() && !vm.is_callable(value) {
            drop(this.sni_callback.take());
            return Err(vm.type_error("not a callable object"));
        }
        drop(this.sni_callback.swap(Some(value.clone())));
        Ok(())
    }

    #[getter]
    fn _msg_callback(_vm: &Vm, this: &Py<SslContext>) -> Value {
        this.msg_callback.get().unwrap_or(Value::NONE)
    }

    #[setter(name = "_msg_callback")]
    fn set_msg_callback(vm: &Vm, this: &Py<SslContext>, value: Option<&Value>) -> Res<()> {
        let value = assigned(vm, value)?;
        if !value.is_none() && !vm.is_callable(value) {
            return Err(vm.type_error(format!("{} is not callable.", vm.repr(value)?.to_string_lossy())));
        }
        drop(this.msg_callback.swap(Some(value.clone())));
        Ok(())
    }

    #[getter]
    fn keylog_filename(_vm: &Vm, this: &Py<SslContext>) -> Value {
        this.key_log_name.get().unwrap_or(Value::NONE)
    }

    #[setter(name = "keylog_filename")]
    fn set_keylog_filename(vm: &Vm, this: &Py<SslContext>, value: Option<&Value>) -> Res<()> {
        let value = assigned(vm, value)?;
        let log = match value.is_none() {
            true => None,
            false => {
                let path = path_of(vm, value, "keylog_filename")?;
                let opened = vm.detached(|| KeyLogFile::open(&path));
                let opened = opened
                    .map_err(|error| vm.os_error(error.raw_os_error().unwrap_or(libc::EIO), Some(value.clone())))?;
                Some(Arc::new(opened))
            }
        };
        let old = this.with(|s| std::mem::replace(&mut s.key_log, log));
        drop(old);
        drop(this.key_log_name.swap(Some(value.clone())));
        Ok(())
    }
}
