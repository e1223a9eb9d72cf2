//! Certificates that are trusted, and the check of a chain against them.
//!
//! Invariant: a [`Store`] is plain data; contexts share it until one of them adds to it. Chains are built and signatures checked
//! by webpki; what OpenSSL accepts beyond that (the trusted certificate itself) is decided here, and its error codes are used.

use std::collections::HashSet;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use rustls::pki_types::{CertificateDer, TrustAnchor, UnixTime};
use webpki::{EndEntityCert, Error, KeyUsage, OwnedCertRevocationList};

use super::cert::Certificate;
use super::pem;

pub const VERIFY_CRL_CHECK_LEAF: i64 = 0x4;
const VERIFY_CRL_CHECK_CHAIN: i64 = 0xc;
const VERIFY_X509_STRICT: i64 = 0x20;
const VERIFY_X509_PARTIAL_CHAIN: i64 = 0x80000;

/// A trusted certificate.
pub struct Trusted {
    pub der: CertificateDer<'static>,
    anchor: Option<TrustAnchor<'static>>,
    pub is_ca: bool,
    /// Whether it may sign what others present; the anchors of webpki are not asked.
    may_sign: bool,
    serves: Sides,
    max_between: Option<u64>,
    self_signed: bool,
    valid: (i64, i64),
}

/// Whether a certificate may be in the chain of a server, and of a client.
#[derive(Clone, Copy)]
struct Sides {
    server: bool,
    client: bool,
}

#[derive(Clone, Default)]
pub struct Store {
    pub certs: Vec<Arc<Trusted>>,
    seen: HashSet<Vec<u8>>,
    pub crls: Vec<Arc<OwnedCertRevocationList>>,
}

/// Which side's certificate is checked, and for what name.
pub struct Wanted<'a> {
    pub server: bool,
    pub host: Option<&'a str>,
    pub host_flags: i64,
    pub flags: i64,
}

/// The code and the text of an X.509 error.
pub type Refusal = (i32, String);

impl Store {
    /// Adds a certificate; false if that cannot be one.
    pub fn add(&mut self, der: &[u8]) -> bool {
        let Some(cert) = Certificate::parse(der) else {
            return false;
        };
        if !self.seen.insert(der.to_vec()) {
            return true;
        }
        let owned = CertificateDer::from(der.to_vec());
        let anchor = webpki::anchor_from_trusted_cert(&owned)
            .ok()
            .map(|anchor| anchor.to_owned());
        self.certs.push(Arc::new(Trusted {
            is_ca: cert.is_ca,
            may_sign: cert.may_sign(),
            serves: Sides {
                server: cert.may_serve(true),
                client: cert.may_serve(false),
            },
            max_between: cert.max_between,
            self_signed: cert.self_signed(),
            valid: (cert.not_before.seconds, cert.not_after.seconds),
            anchor,
            der: owned,
        }));
        true
    }

    /// Adds the certificates and revocation lists of a PEM text; how many.
    pub fn add_pem(&mut self, text: &[u8]) -> Result<usize, pem::Malformed> {
        let mut count = 0;
        for block in pem::blocks(text)? {
            match block.label.as_str() {
                "CERTIFICATE" | "X509 CERTIFICATE" | "TRUSTED CERTIFICATE" => {
                    if self.add(&block.data) {
                        count += 1;
                    }
                }
                "X509 CRL" => {
                    if let Ok(list) = OwnedCertRevocationList::from_der(&block.data) {
                        self.crls.push(Arc::new(list));
                        count += 1;
                    }
                }
                _ => {}
            }
        }
        Ok(count)
    }

    /// Adds what is in a directory of certificates named by hashes.
    pub fn add_directory(&mut self, path: &Path) {
        let Ok(entries) = std::fs::read_dir(path) else { return };
        for entry in entries.flatten() {
            let name = entry.file_name();
            let hashed = name
                .to_str()
                .and_then(|name| name.split_once('.'))
                .is_some_and(|(stem, end)| {
                    stem.len() == 8
                        && stem.bytes().all(|byte| byte.is_ascii_hexdigit())
                        && end.trim_start_matches('r').bytes().all(|byte| byte.is_ascii_digit())
                });
            if hashed && let Ok(text) = std::fs::read(entry.path()) {
                // A broken file says nothing of the others.
                let _ = self.add_pem(&text);
            }
        }
    }

    /// Adds what another store has.
    pub fn extend(&mut self, other: &Store) {
        for cert in &other.certs {
            if self.seen.insert(cert.der.to_vec()) {
                self.certs.push(Arc::clone(cert));
            }
        }
        self.crls.extend(other.crls.iter().cloned());
    }

    /// Checks the certificate of the other side; the chain up to the trusted one.
    pub fn verify(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
        wanted: &Wanted<'_>,
    ) -> Result<Vec<Vec<u8>>, Refusal> {
        let cert = Certificate::parse(leaf).ok_or((1, "unspecified certificate verification error".to_owned()))?;
        let chain = self.chain(leaf, &cert, intermediates, now, wanted)?;
        // A certificate that is itself trusted has no chain whose form could be wrong.
        if wanted.flags & VERIFY_X509_STRICT != 0 && chain.len() > 1 {
            for (i, der) in chain.iter().enumerate() {
                let found = Certificate::parse(der).and_then(|cert| cert.violation(i + 1 == chain.len()));
                if let Some((code, text)) = found {
                    return Err((code, text.to_owned()));
                }
            }
        }
        if let Some(host) = wanted.host {
            check_host(&cert, host, wanted.host_flags)?;
        }
        Ok(chain)
    }

    fn chain(
        &self,
        leaf: &CertificateDer<'_>,
        cert: &Certificate<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
        wanted: &Wanted<'_>,
    ) -> Result<Vec<Vec<u8>>, Refusal> {
        let seconds = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
        let partial = wanted.flags & VERIFY_X509_PARTIAL_CHAIN != 0;
        let trusted = self.seen.contains(leaf.as_ref());
        let checks_crls = wanted.flags & VERIFY_CRL_CHECK_LEAF != 0;
        if trusted && (partial || cert.self_signed()) && !checks_crls {
            if seconds < cert.not_before.seconds {
                return Err((9, "certificate is not yet valid".to_owned()));
            }
            if seconds > cert.not_after.seconds {
                return Err((10, "certificate has expired".to_owned()));
            }
            if !cert.may_serve(wanted.server) || !cert.may_agree(wanted.server) {
                return Err(unsuitable());
            }
            return Ok(vec![leaf.to_vec()]);
        }
        if checks_crls && self.crls.is_empty() {
            return Err((3, "unable to get certificate CRL".to_owned()));
        }
        let serves = |t: &Trusted| match wanted.server {
            true => t.serves.server,
            false => t.serves.client,
        };
        let ends = |t: &Trusted| (t.self_signed || partial) && t.valid.0 <= seconds && seconds <= t.valid.1;
        let usable = |t: &&Arc<Trusted>| ends(t) && t.may_sign && serves(t);
        let anchors: Vec<TrustAnchor<'_>> = self
            .certs
            .iter()
            .filter(usable)
            .filter_map(|trusted| trusted.anchor.clone())
            .collect();
        // Certificates that are trusted but do not end a chain may still be a part of one.
        let mut between: Vec<CertificateDer<'_>> = intermediates.to_vec();
        between.extend(self.certs.iter().filter(|t| !t.self_signed).map(|t| t.der.clone()));
        // What webpki does not look at.
        between.retain(|der| Certificate::parse(der).is_some_and(|cert| cert.may_sign()));
        let lists: Vec<webpki::CertRevocationList<'_>> = self.crls.iter().map(|list| (**list).clone().into()).collect();
        let lists: Vec<&webpki::CertRevocationList<'_>> = lists.iter().collect();
        let depth = if wanted.flags & VERIFY_CRL_CHECK_CHAIN == VERIFY_CRL_CHECK_CHAIN {
            webpki::RevocationCheckDepth::Chain
        } else {
            webpki::RevocationCheckDepth::EndEntity
        };
        let revocation = if checks_crls {
            webpki::RevocationOptionsBuilder::new(&lists)
                .ok()
                .map(|builder| builder.with_depth(depth).build())
        } else {
            None
        };
        let usage = if wanted.server {
            KeyUsage::server_auth()
        } else {
            KeyUsage::client_auth()
        };
        let refused = |error: Error| match error {
            Error::UnknownIssuer => self
                .unfit(leaf, cert, intermediates, serves)
                .unwrap_or_else(|| refusal(&error, cert, intermediates)),
            // Of a certificate whose issuer nobody knows, nothing else is said.
            Error::RequiredEkuNotFoundContext(_) if !self.knows_issuer(cert, intermediates) => {
                refusal(&Error::UnknownIssuer, cert, intermediates)
            }
            _ => refusal(&error, cert, intermediates),
        };
        let entity = EndEntityCert::try_from(leaf).map_err(refused)?;
        let algorithms = rustls::crypto::ring::default_provider().signature_verification_algorithms;
        let path = entity
            .verify_for_usage(algorithms.all, &anchors, &between, now, usage, revocation, None)
            .map_err(refused)?;
        let mut chain = vec![leaf.to_vec()];
        chain.extend(path.intermediate_certificates().map(|cert| cert.der().to_vec()));
        let end = path.anchor();
        let mut roots = self.certs.iter().filter(usable).filter(|trusted| {
            trusted.anchor.as_ref().is_some_and(|anchor| {
                anchor.subject == end.subject && anchor.subject_public_key_info == end.subject_public_key_info
            })
        });
        if !cert.may_agree(wanted.server) {
            return Err(unsuitable());
        }
        let between = chain.iter().skip(1).filter_map(|der| Certificate::parse(der));
        let between = between.filter(|cert| !cert.self_issued()).count() as u64;
        let Some(root) = roots.find(|root| root.max_between.is_none_or(|max| between <= max)) else {
            return Err(refusal(&Error::PathLenConstraintViolated, cert, intermediates));
        };
        chain.push(root.der.to_vec());
        Ok(chain)
    }

    fn knows_issuer(&self, cert: &Certificate<'_>, intermediates: &[CertificateDer<'_>]) -> bool {
        let trusted = self.certs.iter().map(|trusted| &trusted.der);
        let mut others = trusted.chain(intermediates).filter_map(|der| Certificate::parse(der));
        others.any(|other| other.subject == cert.issuer)
    }

    /// Why no issuer was found for a certificate or those between, if there is one by name that may not be an issuer.
    fn unfit(
        &self,
        leaf: &CertificateDer<'_>,
        cert: &Certificate<'_>,
        intermediates: &[CertificateDer<'_>],
        serves: impl Fn(&Trusted) -> bool,
    ) -> Option<Refusal> {
        let between: Vec<Certificate<'_>> = intermediates.iter().filter_map(|der| Certificate::parse(der)).collect();
        let wanted = |subject: &[u8]| between.iter().chain([cert]).any(|cert| cert.issuer == subject);
        for trusted in self.certs.iter().filter(|trusted| trusted.der != *leaf) {
            let Some(known) = Certificate::parse(&trusted.der) else {
                continue;
            };
            let faulty =
                |cert: &&Certificate<'_>| cert.issuer == known.subject && !cert.may_sign() && !cert.self_issued();
            if !trusted.may_sign && wanted(known.subject) || between.iter().any(|cert| faulty(&cert)) {
                return Some(refusal_of(79, "invalid CA certificate"));
            }
            if !serves(trusted) && wanted(known.subject) {
                return Some(unsuitable());
            }
        }
        None
    }
}

fn refusal_of(code: i32, text: &str) -> Refusal {
    (code, text.to_owned())
}

fn unsuitable() -> Refusal {
    refusal_of(26, "unsuitable certificate purpose")
}

fn check_host(cert: &Certificate<'_>, host: &str, flags: i64) -> Result<(), Refusal> {
    if let Ok(address) = host.parse::<IpAddr>() {
        if cert.is_for_address(address) {
            return Ok(());
        }
        let text = format!("IP address mismatch, certificate is not valid for '{host}'.");
        return Err((64, text));
    }
    if cert.is_for_host(host, flags) {
        return Ok(());
    }
    Err((62, format!("Hostname mismatch, certificate is not valid for '{host}'.")))
}

fn refusal(error: &Error, cert: &Certificate<'_>, intermediates: &[CertificateDer<'_>]) -> Refusal {
    let alone = cert.self_signed();
    let (code, text) = match error {
        Error::UnknownIssuer | Error::CaUsedAsEndEntity | Error::UnsupportedCertVersion if alone => {
            (18, "self-signed certificate")
        }
        Error::UnknownIssuer => {
            let ends_alone = intermediates
                .last()
                .is_some_and(|last| Certificate::parse(last).is_some_and(|cert| cert.self_signed()));
            match ends_alone {
                true => (19, "self-signed certificate in certificate chain"),
                false => (20, "unable to get local issuer certificate"),
            }
        }
        // The latter: it ended before it began.
        Error::CertExpired { .. } | Error::InvalidCertValidity => (10, "certificate has expired"),
        Error::CertNotValidYet { .. } => (9, "certificate is not yet valid"),
        Error::CertRevoked => (23, "certificate revoked"),
        Error::UnknownRevocationStatus => (3, "unable to get certificate CRL"),
        Error::CrlExpired { .. } => (12, "CRL has expired"),
        Error::InvalidSignatureForPublicKey => (7, "certificate signature failure"),
        Error::EndEntityUsedAsCa | Error::CaUsedAsEndEntity => (79, "invalid CA certificate"),
        Error::PathLenConstraintViolated => (25, "path length constraint exceeded"),
        Error::RequiredEkuNotFoundContext(_) => (26, "unsuitable certificate purpose"),
        Error::NameConstraintViolation => (47, "permitted subtree violation"),
        Error::UnsupportedCriticalExtension => (34, "unhandled critical extension"),
        Error::MaximumPathDepthExceeded => (22, "certificate chain too long"),
        Error::UnsupportedCertVersion => (1, "only certificates of version 3 are supported"),
        other => return (1, format!("unspecified certificate verification error: {other}")),
    };
    (code, text.to_owned())
}

/// Where systems keep the bundle of trusted certificates.
const BUNDLES: [&str; 6] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
    "/usr/local/share/certs/ca-root-nss.crt",
];

/// The file and the directory that are used unless the environment names others.
pub fn default_paths() -> (&'static str, &'static str) {
    let file = BUNDLES
        .iter()
        .find(|path| Path::new(path).is_file())
        .unwrap_or(&"/etc/ssl/cert.pem");
    (file, "/etc/ssl/certs")
}

/// What was read last, and from where: most programs make many contexts with the same certificates.
type Cached = Option<((PathBuf, PathBuf), Arc<Store>)>;
static DEFAULT: Mutex<Cached> = Mutex::new(None);

/// The certificates the system trusts. Reads files.
pub fn system() -> Arc<Store> {
    let (file, directory) = default_paths();
    let from_environment = |name: &str| std::env::var_os(name).map(PathBuf::from);
    let named_file = from_environment("SSL_CERT_FILE");
    let named_directory = from_environment("SSL_CERT_DIR");
    let paths = (
        named_file.unwrap_or_else(|| file.into()),
        named_directory.unwrap_or_else(|| directory.into()),
    );
    let mut cached = DEFAULT.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    if let Some((from, store)) = &*cached
        && *from == paths
    {
        return Arc::clone(store);
    }
    let mut store = Store::default();
    if let Ok(text) = std::fs::read(&paths.0) {
        let _ = store.add_pem(&text);
    }
    // The directory has the same certificates again, one a file.
    if store.certs.is_empty() {
        store.add_directory(&paths.1);
    }
    let store = Arc::new(store);
    *cached = Some((paths, Arc::clone(&store)));
    store
}
