//! What a context says about its connections, and rustls configurations made from it.
//!
//! Invariant: [`Settings`] is plain data that a context copies when it changes; a connection keeps the copy it began with.

use std::fmt;
use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{ClientConfig, ResolvesClientCert, Resumption};
use rustls::crypto::{
    CryptoProvider, SupportedKxGroup, WebPkiSupportedAlgorithms, ring, verify_tls12_signature, verify_tls13_signature,
};
use rustls::pki_types::{CertificateDer, IpAddr, Ipv4Addr, ServerName, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{ClientHello, NoServerSessionStorage, ResolvesServerCert, ServerConfig};
use rustls::sign::CertifiedKey;
use rustls::{
    CertificateError, CipherSuite, DigitallySignedStruct, DistinguishedName, Error, KeyLog, SignatureScheme,
    SupportedCipherSuite, SupportedProtocolVersion,
};

use super::cert::Certificate;
use super::der::Der;
use super::errors::Fault;
use super::store::{Refusal, Store, Wanted};

pub const TLS_1_2: i64 = 0x303;
pub const TLS_1_3: i64 = 0x304;
pub const CERT_NONE: i32 = 0;
pub const CERT_REQUIRED: i32 = 2;
const OP_NO_TLS_1_2: i64 = 0x800_0000;
const OP_NO_TLS_1_3: i64 = 0x2000_0000;
pub const OP_IGNORE_UNEXPECTED_EOF: i64 = 0x80;

pub const PROTOCOL_TLS: i32 = 2;
pub const PROTOCOL_TLS_1_2: i32 = 5;
pub const PROTOCOL_TLS_CLIENT: i32 = 16;
pub const PROTOCOL_TLS_SERVER: i32 = 17;

#[derive(Clone)]
pub struct Settings {
    pub protocol: i32,
    pub verify_mode: i32,
    pub check_hostname: bool,
    pub verify_flags: i64,
    pub host_flags: i64,
    pub options: i64,
    pub minimum: i64,
    pub maximum: i64,
    pub tickets: i64,
    pub alpn: Vec<Vec<u8>>,
    pub keys: Vec<Arc<CertifiedKey>>,
    pub store: Arc<Store>,
    pub suites: Vec<SupportedCipherSuite>,
    pub key_log: Option<Arc<KeyLogFile>>,
    pub post_handshake: bool,
    /// The one curve for the exchange of keys; all for none.
    pub curve: Option<&'static dyn SupportedKxGroup>,
}

/// What a check of certificates leaves behind for the connection it was made for.
#[derive(Default)]
pub struct Observed {
    pub chain: Option<Vec<Vec<u8>>>,
    pub refusal: Option<Refusal>,
}

pub type Watched = Arc<Mutex<Observed>>;

impl Settings {
    pub fn new(protocol: i32) -> Settings {
        let client = protocol == PROTOCOL_TLS_CLIENT;
        let fixed = protocol == PROTOCOL_TLS_1_2;
        Settings {
            protocol,
            verify_mode: if client { CERT_REQUIRED } else { CERT_NONE },
            check_hostname: client,
            verify_flags: 0x8000,
            host_flags: 4,
            options: 0x8252_0050,
            minimum: TLS_1_2,
            maximum: if fixed { TLS_1_2 } else { -1 },
            tickets: 2,
            alpn: Vec::new(),
            keys: Vec::new(),
            store: Arc::new(Store::default()),
            suites: ring::default_provider().cipher_suites,
            key_log: None,
            post_handshake: false,
            curve: None,
        }
    }

    /// The versions of the protocol that are allowed.
    fn versions(&self) -> Result<Vec<&'static SupportedProtocolVersion>, Fault> {
        let minimum = if self.minimum == -1 { TLS_1_3 } else { self.minimum };
        let maximum = match self.maximum {
            -1 => TLS_1_3,
            -2 => TLS_1_2,
            version => version,
        };
        let allowed = |version, off| minimum <= version && version <= maximum && self.options & off == 0;
        let mut versions = Vec::new();
        if allowed(TLS_1_3, OP_NO_TLS_1_3) {
            versions.push(&rustls::version::TLS13);
        }
        if allowed(TLS_1_2, OP_NO_TLS_1_2) {
            versions.push(&rustls::version::TLS12);
        }
        if versions.is_empty() {
            return Err(Fault::ssl("NO_PROTOCOLS_AVAILABLE"));
        }
        Ok(versions)
    }

    fn provider(&self) -> Arc<CryptoProvider> {
        Arc::new(CryptoProvider {
            cipher_suites: self.suites.clone(),
            kx_groups: match self.curve {
                Some(curve) => vec![curve],
                None => ring::default_provider().kx_groups,
            },
            ..ring::default_provider()
        })
    }

    fn checker(&self, watched: &Watched, host: Option<&str>, client: bool) -> Arc<Checker> {
        let subjects = if client || self.verify_mode == CERT_NONE {
            Vec::new()
        } else {
            let certs = self.store.certs.iter().filter(|cert| cert.is_ca);
            certs.filter_map(|cert| subject_of(&cert.der)).collect()
        };
        Arc::new(Checker {
            algorithms: ring::default_provider().signature_verification_algorithms,
            verify_mode: self.verify_mode,
            verify_flags: self.verify_flags,
            host: host.filter(|_| self.check_hostname).map(str::to_owned),
            host_flags: self.host_flags,
            store: Arc::clone(&self.store),
            watched: Arc::clone(watched),
            subjects,
        })
    }

    /// A client's connection to the host, which is named to the server unless it is an address.
    pub fn connect(&self, host: Option<&str>, watched: &Watched) -> Result<rustls::Connection, Fault> {
        let refused = |error: Error| super::errors::of_tls(&error, false);
        let name = host.and_then(|host| ServerName::try_from(host.to_owned()).ok());
        let mut config = ClientConfig::builder_with_provider(self.provider())
            .with_protocol_versions(&self.versions()?)
            .map_err(refused)?
            .dangerous()
            .with_custom_certificate_verifier(self.checker(watched, host, true))
            .with_client_cert_resolver(Arc::new(Keys(self.keys.clone())));
        config.alpn_protocols.clone_from(&self.alpn);
        config.resumption = Resumption::disabled();
        config.enable_sni = name.is_some();
        if let Some(log) = &self.key_log {
            config.key_log = Arc::clone(log) as Arc<dyn KeyLog>;
        }
        // rustls wants a name; that of an address is not sent.
        let name = name.unwrap_or(ServerName::IpAddress(IpAddr::V4(Ipv4Addr::from([0; 4]))));
        rustls::ClientConnection::new(Arc::new(config), name)
            .map(rustls::Connection::Client)
            .map_err(refused)
    }

    /// What a server does with a client.
    pub fn accept(&self, watched: &Watched, offered: &[Vec<u8>]) -> Result<Arc<ServerConfig>, Fault> {
        let refused = |error: Error| super::errors::of_tls(&error, true);
        let builder = ServerConfig::builder_with_provider(self.provider())
            .with_protocol_versions(&self.versions()?)
            .map_err(refused)?;
        let builder = if self.verify_mode == CERT_NONE {
            builder.with_no_client_auth()
        } else {
            builder.with_client_cert_verifier(self.checker(watched, None, false))
        };
        let mut config = builder.with_cert_resolver(Arc::new(Keys(self.keys.clone())));
        // OpenSSL goes on without a protocol where none is common.
        if offered.iter().any(|name| self.alpn.contains(name)) {
            config.alpn_protocols.clone_from(&self.alpn);
        }
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        if let Some(log) = &self.key_log {
            config.key_log = Arc::clone(log) as Arc<dyn KeyLog>;
        }
        Ok(Arc::new(config))
    }
}

fn subject_of(der: &[u8]) -> Option<DistinguishedName> {
    let subject = Certificate::parse(der)?.subject;
    let body = Der(subject).expect(0x30)?.body;
    Some(DistinguishedName::in_sequence(body))
}

/// The certificates that a side can show.
#[derive(Debug)]
struct Keys(Vec<Arc<CertifiedKey>>);

impl Keys {
    fn choose(&self, schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        let mut keys = self.0.iter();
        keys.find(|key| key.key.choose_scheme(schemes).is_some()).cloned()
    }
}

impl ResolvesServerCert for Keys {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        // A suite of TLS 1.2 says what signs; one of TLS 1.3 goes with any key.
        let offered = |wanted: &SupportedCipherSuite, key: &CertifiedKey| {
            hello.cipher_suites().contains(&wanted.suite())
                && wanted.usable_for_signature_algorithm(key.key.algorithm())
        };
        let suites = &ring::default_provider().cipher_suites;
        let mut keys = self.0.iter().filter(|key| {
            key.key.choose_scheme(hello.signature_schemes()).is_some() && suites.iter().any(|suite| offered(suite, key))
        });
        keys.next().cloned().or_else(|| self.choose(hello.signature_schemes()))
    }
}

impl ResolvesClientCert for Keys {
    fn resolve(&self, _hints: &[&[u8]], schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.choose(schemes)
    }

    fn has_certs(&self) -> bool {
        !self.0.is_empty()
    }
}

/// Checks certificates by the settings of a context.
struct Checker {
    algorithms: WebPkiSupportedAlgorithms,
    verify_mode: i32,
    verify_flags: i64,
    host: Option<String>,
    host_flags: i64,
    store: Arc<Store>,
    watched: Watched,
    subjects: Vec<DistinguishedName>,
}

impl fmt::Debug for Checker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Checker").finish_non_exhaustive()
    }
}

impl Checker {
    fn check(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
        server: bool,
    ) -> Result<(), Error> {
        if self.verify_mode == CERT_NONE {
            return Ok(());
        }
        let wanted = Wanted {
            server,
            host: self.host.as_deref(),
            host_flags: self.host_flags,
            flags: self.verify_flags,
        };
        let result = self.store.verify(leaf, intermediates, now, &wanted);
        let mut watched = self.watched.lock().unwrap_or_else(PoisonError::into_inner);
        match result {
            Ok(chain) => {
                watched.chain = Some(chain);
                Ok(())
            }
            Err((code, text)) => {
                watched.refusal = Some((code, text));
                Err(Error::InvalidCertificate(match code {
                    9 => CertificateError::NotValidYet,
                    10 => CertificateError::Expired,
                    23 => CertificateError::Revoked,
                    7 => CertificateError::BadSignature,
                    26 => CertificateError::InvalidPurpose,
                    62 | 64 => CertificateError::NotValidForName,
                    _ => CertificateError::UnknownIssuer,
                }))
            }
        }
    }

    /// A signature by a key whose certificate cannot be read matters only to those who check certificates.
    fn lenient(&self, result: Result<HandshakeSignatureValid, Error>) -> Result<HandshakeSignatureValid, Error> {
        match result {
            Err(Error::InvalidCertificate(error))
                if self.verify_mode == CERT_NONE && error != CertificateError::BadSignature =>
            {
                Ok(HandshakeSignatureValid::assertion())
            }
            result => result,
        }
    }
}

macro_rules! signatures {
    () => {
        fn verify_tls12_signature(
            &self,
            message: &[u8],
            cert: &CertificateDer<'_>,
            dss: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, Error> {
            self.lenient(verify_tls12_signature(message, cert, dss, &self.algorithms))
        }

        fn verify_tls13_signature(
            &self,
            message: &[u8],
            cert: &CertificateDer<'_>,
            dss: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, Error> {
            self.lenient(verify_tls13_signature(message, cert, dss, &self.algorithms))
        }

        fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
            self.algorithms.supported_schemes()
        }
    };
}

impl ServerCertVerifier for Checker {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.check(leaf, intermediates, now, true)?;
        Ok(ServerCertVerified::assertion())
    }

    signatures!();
}

impl ClientCertVerifier for Checker {
    fn client_auth_mandatory(&self) -> bool {
        self.verify_mode == CERT_REQUIRED
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &self.subjects
    }

    fn verify_client_cert(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        self.check(leaf, intermediates, now, false)?;
        Ok(ClientCertVerified::assertion())
    }

    signatures!();
}

/// A file that secrets are written to, for tools that look into connections.
pub struct KeyLogFile(Mutex<std::fs::File>);

impl KeyLogFile {
    pub fn open(path: &std::path::Path) -> std::io::Result<KeyLogFile> {
        use std::os::unix::fs::OpenOptionsExt;
        let mut options = std::fs::OpenOptions::new();
        let mut file = options.append(true).create(true).mode(0o600).open(path)?;
        if file.metadata()?.len() == 0 {
            file.write_all(b"# TLS secrets log file, generated by Lisle\n")?;
        }
        Ok(KeyLogFile(Mutex::new(file)))
    }
}

impl fmt::Debug for KeyLogFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyLogFile")
    }
}

impl KeyLog for KeyLogFile {
    fn log(&self, label: &str, client_random: &[u8], secret: &[u8]) {
        let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let line = format!("{label} {} {}\n", hex(client_random), hex(secret));
        let mut file = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // A tool's file that cannot be written to must not end a connection.
        let _ = file.write_all(line.as_bytes());
    }
}

/// What is known of a cipher suite: OpenSSL's name, protocol, bits of the key, authentication.
pub struct Suite {
    pub id: CipherSuite,
    pub name: &'static str,
    pub new: bool,
    pub bits: i64,
    pub auth: &'static str,
    pub symmetric: &'static str,
    pub encryption: &'static str,
}

macro_rules! suites {
    ($($id:ident $name:literal $new:literal $bits:literal $auth:literal $symmetric:literal $encryption:literal;)+) => {
        pub const SUITES: &[Suite] = &[$(Suite {
            id: CipherSuite::$id,
            name: $name,
            new: $new,
            bits: $bits,
            auth: $auth,
            symmetric: $symmetric,
            encryption: $encryption,
        }),+];
    };
}

suites! {
    TLS13_AES_256_GCM_SHA384 "TLS_AES_256_GCM_SHA384" true 256 "any" "aes-256-gcm" "AESGCM(256)";
    TLS13_CHACHA20_POLY1305_SHA256 "TLS_CHACHA20_POLY1305_SHA256" true 256 "any" "chacha20-poly1305" "CHACHA20/POLY1305(256)";
    TLS13_AES_128_GCM_SHA256 "TLS_AES_128_GCM_SHA256" true 128 "any" "aes-128-gcm" "AESGCM(128)";
    TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384 "ECDHE-ECDSA-AES256-GCM-SHA384" false 256 "ECDSA" "aes-256-gcm" "AESGCM(256)";
    TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384 "ECDHE-RSA-AES256-GCM-SHA384" false 256 "RSA" "aes-256-gcm" "AESGCM(256)";
    TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256 "ECDHE-ECDSA-AES128-GCM-SHA256" false 128 "ECDSA" "aes-128-gcm" "AESGCM(128)";
    TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 "ECDHE-RSA-AES128-GCM-SHA256" false 128 "RSA" "aes-128-gcm" "AESGCM(128)";
    TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256 "ECDHE-ECDSA-CHACHA20-POLY1305" false 256 "ECDSA" "chacha20-poly1305" "CHACHA20/POLY1305(256)";
    TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256 "ECDHE-RSA-CHACHA20-POLY1305" false 256 "RSA" "chacha20-poly1305" "CHACHA20/POLY1305(256)";
}

impl Suite {
    pub fn of(id: CipherSuite) -> Option<&'static Suite> {
        SUITES.iter().find(|suite| suite.id == id)
    }

    pub fn protocol(&self) -> &'static str {
        if self.new { "TLSv1.3" } else { "TLSv1.2" }
    }

    /// Whether a word of OpenSSL's cipher strings stands for the suite.
    fn is_meant(&self, word: &str) -> bool {
        match word {
            "ALL"
            | "DEFAULT"
            | "COMPLEMENTOFDEFAULT"
            | "HIGH"
            | "ECDH"
            | "ECDHE"
            | "EECDH"
            | "kECDHE"
            | "kEECDH"
            | "TLSv1.2"
            | "AEAD"
            | "FIPS" => word != "COMPLEMENTOFDEFAULT",
            "AES" | "AESGCM" => self.symmetric.starts_with("aes"),
            "AES128" => self.symmetric == "aes-128-gcm",
            "AES256" => self.symmetric == "aes-256-gcm",
            "CHACHA20" => self.symmetric.starts_with("chacha"),
            "RSA" | "aRSA" => self.auth == "RSA" && word == "aRSA",
            "ECDSA" | "aECDSA" => self.auth == "ECDSA",
            "SHA256" => self.name.ends_with("SHA256"),
            "SHA384" => self.name.ends_with("SHA384"),
            name => self.name == name,
        }
    }
}

/// The suites a cipher string of OpenSSL stands for, those of TLS 1.3 included; `None` if it leaves none for TLS 1.2.
pub fn suites_for(text: &str) -> Option<Vec<SupportedCipherSuite>> {
    let mut chosen: Vec<&'static Suite> = Vec::new();
    let mut killed: Vec<&str> = Vec::new();
    for word in text.split([':', ',', ' ', ';']).filter(|word| !word.is_empty()) {
        let meant = |word: &str, suite: &Suite| !suite.new && word.split('+').all(|part| suite.is_meant(part));
        match word.as_bytes()[0] {
            b'@' => {}
            b'!' => {
                chosen.retain(|suite| !meant(&word[1..], suite));
                killed.push(&word[1..]);
            }
            b'-' => chosen.retain(|suite| !meant(&word[1..], suite)),
            b'+' => {}
            _ => {
                for suite in SUITES {
                    let have = chosen.iter().any(|other| other.id == suite.id);
                    let dead = killed.iter().any(|word| meant(word, suite));
                    if meant(word, suite) && !have && !dead {
                        chosen.push(suite);
                    }
                }
            }
        }
    }
    if chosen.is_empty() {
        return None;
    }
    let all = ring::default_provider().cipher_suites;
    let find = |id: CipherSuite| all.iter().find(|suite| suite.suite() == id).copied();
    let ids = SUITES.iter().filter(|suite| suite.new).chain(chosen);
    Some(ids.filter_map(|suite| find(suite.id)).collect())
}
