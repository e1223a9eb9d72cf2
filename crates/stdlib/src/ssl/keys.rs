//! Private keys and certificate chains in PEM files.
//!
//! Invariant: a key that needs a password is told apart before the password is asked for. Left out: keys encrypted in OpenSSL's own
//! old way (`Proc-Type: 4,ENCRYPTED`), DSA keys, and curves that *ring* does not have.

use std::sync::Arc;

use rustls::crypto::ring::sign::any_supported_type;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs1KeyDer, PrivatePkcs8KeyDer, PrivateSec1KeyDer};
use rustls::sign::CertifiedKey;
use rustls::{Error, InconsistentKeys};

use super::errors::Fault;
use super::pem;

pub enum Key {
    Plain(PrivateKeyDer<'static>),
    Encrypted(Encrypted),
}

/// A key in PKCS #8 that needs a password.
pub struct Encrypted(Vec<u8>);

fn unreadable() -> Fault {
    Fault::Tls("SSL", String::new(), "PEM lib".to_owned())
}

/// The certificates of a file; the first is one's own.
pub fn chain(text: &[u8]) -> Result<Vec<CertificateDer<'static>>, Fault> {
    let blocks = pem::blocks(text).map_err(|_| unreadable())?;
    let certs = blocks
        .into_iter()
        .filter(|block| block.label.ends_with("CERTIFICATE") && !block.label.ends_with("ATTRIBUTE CERTIFICATE"));
    let certs: Vec<CertificateDer<'static>> = certs.map(|block| CertificateDer::from(block.data)).collect();
    if certs.is_empty() {
        return Err(unreadable());
    }
    Ok(certs)
}

/// The first private key of a file.
pub fn key(text: &[u8]) -> Result<Key, Fault> {
    for block in pem::blocks(text).map_err(|_| unreadable())? {
        let old = block.headers.iter().any(|(_, value)| value.contains("ENCRYPTED"));
        if old {
            let text = "keys that are encrypted in the old way are not supported; use PKCS #8";
            return Err(Fault::Tls("PEM", "UNSUPPORTED_ENCRYPTION".into(), text.into()));
        }
        let data = block.data;
        return Ok(match block.label.as_str() {
            "PRIVATE KEY" => Key::Plain(PrivatePkcs8KeyDer::from(data).into()),
            "RSA PRIVATE KEY" => Key::Plain(PrivatePkcs1KeyDer::from(data).into()),
            "EC PRIVATE KEY" => Key::Plain(PrivateSec1KeyDer::from(data).into()),
            "ENCRYPTED PRIVATE KEY" => Key::Encrypted(Encrypted(data)),
            _ => continue,
        });
    }
    Err(unreadable())
}

impl Encrypted {
    pub fn decrypt(&self, password: &[u8]) -> Result<PrivateKeyDer<'static>, Fault> {
        let info = pkcs8::EncryptedPrivateKeyInfo::try_from(self.0.as_slice()).map_err(|_| unreadable())?;
        let document = info.decrypt(password).map_err(|_| unreadable())?;
        Ok(PrivatePkcs8KeyDer::from(document.as_bytes().to_vec()).into())
    }
}

/// A chain with its key, which has to be that of the first certificate.
pub fn pair(chain: Vec<CertificateDer<'static>>, key: PrivateKeyDer<'static>) -> Result<CertifiedKey, Fault> {
    let key = any_supported_type(&key).map_err(|_| {
        let text = "the kind of the private key is not supported: RSA of 2048 bits or more, P-256, P-384, Ed25519";
        Fault::Tls("SSL", "UNSUPPORTED_KEY".into(), text.into())
    })?;
    let pair = CertifiedKey::new(chain, Arc::clone(&key));
    match pair.keys_match() {
        Err(Error::InconsistentKeys(InconsistentKeys::KeyMismatch)) => Err(Fault::of("X509", "KEY_VALUES_MISMATCH")),
        // Certificates of version 1 cannot be read for the comparison.
        _ => Ok(pair),
    }
}
