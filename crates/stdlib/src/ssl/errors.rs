//! `_ssl`: its exceptions, and what went wrong while no Python object could be touched.
//!
//! Invariant: a [`Fault`] is plain data; [`Fault::raise`] makes the exception of it, attached, worded as CPython words OpenSSL's.

use std::sync::OnceLock;

use lisle_runtime::native::{Exc, Native, Py, Res, Str, Type, TypeFlags, Value, Vm, pyfunction};
use lisle_runtime::types::dict::Dict;
use lisle_runtime::types::exceptions;
use lisle_runtime::types::native_function::method_descriptor;
use lisle_runtime::types::tuple::Tuple;

use rustls::{AlertDescription, Error, InconsistentKeys, InvalidMessage, PeerIncompatible};

/// The exception classes, in the order of their declaration.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Class {
    Ssl,
    CertVerification,
    ZeroReturn,
    WantRead,
    WantWrite,
    #[expect(dead_code, reason = "system errors are raised as `OSError`")]
    Syscall,
    Eof,
}

const NAMES: [(&str, &str); 7] = [
    ("SSLError", "An error occurred in the SSL implementation."),
    ("SSLCertVerificationError", "A certificate could not be verified."),
    ("SSLZeroReturnError", "SSL/TLS session closed cleanly."),
    (
        "SSLWantReadError",
        "Non-blocking SSL socket needs to read more data\nbefore the requested operation can be completed.",
    ),
    (
        "SSLWantWriteError",
        "Non-blocking SSL socket needs to write more data\nbefore the requested operation can be completed.",
    ),
    ("SSLSyscallError", "System error when attempting SSL operation."),
    ("SSLEOFError", "SSL/TLS connection terminated abruptly."),
];

static CLASSES: OnceLock<Vec<Py<Type>>> = OnceLock::new();

/// `SSLError.__str__`: the text alone.
#[pyfunction(sig = "(self, /)")]
fn __str__(vm: &Vm, this: &Value) -> Res<Value> {
    let text = vm.getattr(this, lisle_runtime::intern!("strerror"))?;
    if text.downcast::<Str>().is_some() {
        return Ok(text);
    }
    let args = vm.getattr(this, lisle_runtime::intern!("args"))?;
    vm.str(&args).map(|text| text.into_value())
}

fn make(vm: &Vm, name: &str, doc: &str, bases: Vec<Value>) -> Res<Py<Type>> {
    let dict = Dict::new_empty();
    dict.set_str(&Str::intern("__module__"), Value::from("ssl"));
    dict.set_str(&Str::intern("__doc__"), Value::from(doc));
    let given = [Value::from(name), Tuple::new(bases).into_value(), dict.into_value()];
    let made = vm.call(Type::ty().as_value(), &given)?;
    made.try_into_py::<Type>()
        .map_err(|_| vm.type_error("type() did not return a class"))
}

/// The classes and their names.
pub fn classes(vm: &Vm) -> Res<impl Iterator<Item = (&'static str, &'static Py<Type>)>> {
    let classes = match CLASSES.get() {
        Some(classes) => classes,
        None => {
            let base = make(vm, NAMES[0].0, NAMES[0].1, vec![exceptions::OS_ERROR.get().to_value()])?;
            let method = method_descriptor(&base, &__STR___DEF);
            vm.setattr(base.as_value(), lisle_runtime::intern!("__str__"), &method)?;
            base.set_flag(TypeFlags::IMMUTABLE);
            let mut made = vec![base.clone()];
            for (name, doc) in &NAMES[1..] {
                let mut bases = vec![base.to_value()];
                if made.len() == Class::CertVerification as usize {
                    bases.push(exceptions::VALUE_ERROR.get().to_value());
                }
                made.push(make(vm, name, doc, bases)?);
            }
            CLASSES.get_or_init(|| made)
        }
    };
    Ok(NAMES.iter().map(|(name, _)| *name).zip(classes))
}

/// What went wrong.
#[derive(Clone, PartialEq, Debug)]
pub enum Fault {
    WantRead,
    WantWrite,
    /// The other side has closed the connection in order.
    ZeroReturn,
    /// The transport ended without that.
    Eof,
    /// The number of a system error.
    System(i32),
    /// A certificate: the code and the text of X.509.
    Verify(i32, String),
    /// `[LIBRARY: REASON] text`
    Tls(&'static str, String, String),
    /// An `SSLError` with this text alone.
    Plain(&'static str),
    /// An `SSLError` with this text and no number.
    Data(&'static str),
}

impl Fault {
    /// An error of the library `SSL`; the text is made from the reason.
    pub fn ssl(reason: &str) -> Fault {
        Fault::of("SSL", reason)
    }

    pub fn of(library: &'static str, reason: &str) -> Fault {
        Fault::Tls(
            library,
            reason.to_owned(),
            match reason {
                // Of another library below: OpenSSL keeps its name as it is.
                "PEM_LIB" => "PEM lib".to_owned(),
                _ => reason.to_ascii_lowercase().replace('_', " "),
            },
        )
    }

    /// The exception.
    #[cold]
    pub fn raise(&self, vm: &Vm) -> Exc {
        self.exception(vm).unwrap_or_else(|exc| exc)
    }

    fn exception(&self, vm: &Vm) -> Res<Exc> {
        let none = None::<(&str, &str)>;
        match self {
            Fault::System(errno) => Ok(vm.os_error(*errno, None)),
            Fault::Plain(message) => error(vm, Class::Ssl, vec![Value::from(*message)], none),
            Fault::Data(message) => numbered(vm, Class::Ssl, 0, message, none),
            Fault::WantRead => numbered(vm, Class::WantRead, 2, "The operation did not complete (read)", none),
            Fault::WantWrite => numbered(vm, Class::WantWrite, 3, "The operation did not complete (write)", none),
            Fault::ZeroReturn => numbered(
                vm,
                Class::ZeroReturn,
                6,
                "TLS/SSL connection has been closed (EOF)",
                none,
            ),
            Fault::Eof => numbered(
                vm,
                Class::Eof,
                8,
                "[SSL: UNEXPECTED_EOF_WHILE_READING] EOF occurred in violation of protocol",
                Some(("SSL", "UNEXPECTED_EOF_WHILE_READING")),
            ),
            Fault::Tls(library, reason, text) => {
                let message = match reason.is_empty() {
                    true => format!("[{library}] {text}"),
                    false => format!("[{library}: {reason}] {text}"),
                };
                numbered(vm, Class::Ssl, 1, &message, Some((library, reason)))
            }
            Fault::Verify(code, text) => {
                let message = format!("[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: {text}");
                let reason = Some(("SSL", "CERTIFICATE_VERIFY_FAILED"));
                let exc = numbered(vm, Class::CertVerification, 1, &message, reason)?;
                vm.setattr(
                    exc.value(),
                    lisle_runtime::intern!("verify_code"),
                    &Value::int((*code).into()),
                )?;
                let text = Value::from(text.as_str());
                vm.setattr(exc.value(), lisle_runtime::intern!("verify_message"), &text)?;
                Ok(exc)
            }
        }
    }
}

fn numbered(vm: &Vm, class: Class, number: i64, message: &str, about: Option<(&str, &str)>) -> Res<Exc> {
    // Programs look for the place in the text that CPython names; ours is this module.
    let message = format!("{message} (_ssl.c:1)");
    error(
        vm,
        class,
        vec![Value::int(number), Value::from(message.as_str())],
        about,
    )
}

fn error(vm: &Vm, class: Class, args: Vec<Value>, about: Option<(&str, &str)>) -> Res<Exc> {
    let (_, ty) = classes(vm)?
        .nth(class as usize)
        .ok_or_else(|| vm.system_error("an exception class of _ssl is missing"))?;
    let exc = vm.new_exception(ty, args);
    let text = |part: fn((&str, &str)) -> Value| about.map_or(Value::NONE, part);
    vm.setattr(
        exc.value(),
        lisle_runtime::intern!("library"),
        &text(|(library, _)| Value::from(library)),
    )?;
    vm.setattr(
        exc.value(),
        lisle_runtime::intern!("reason"),
        &text(|(_, reason)| Value::from(reason)),
    )?;
    Ok(exc)
}

/// What an error of the protocol is called by OpenSSL.
pub fn of_tls(error: &Error, server: bool) -> Fault {
    match error {
        Error::AlertReceived(alert) => of_alert(*alert),
        Error::InvalidMessage(InvalidMessage::InvalidContentType | InvalidMessage::UnknownProtocolVersion)
        | Error::InvalidMessage(InvalidMessage::MessageTooLarge) => Fault::ssl("WRONG_VERSION_NUMBER"),
        Error::InvalidMessage(_) => Fault::ssl("BAD_RECORD_TYPE"),
        Error::NoCertificatesPresented => Fault::ssl("PEER_DID_NOT_RETURN_A_CERTIFICATE"),
        Error::DecryptError => Fault::ssl("DECRYPTION_FAILED_OR_BAD_RECORD_MAC"),
        Error::PeerSentOversizedRecord => Fault::ssl("DATA_LENGTH_TOO_LONG"),
        Error::NoApplicationProtocol => Fault::ssl("NO_APPLICATION_PROTOCOL"),
        Error::InappropriateMessage { .. } | Error::InappropriateHandshakeMessage { .. } => {
            Fault::ssl("UNEXPECTED_MESSAGE")
        }
        Error::InvalidCertificate(rustls::CertificateError::BadSignature) => Fault::ssl("BAD_SIGNATURE"),
        Error::InvalidCertificate(_) => Fault::ssl("CERTIFICATE_VERIFY_FAILED"),
        Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => Fault::of("X509", "KEY_VALUES_MISMATCH"),
        Error::PeerIncompatible(why) => match why {
            PeerIncompatible::NoCipherSuitesInCommon
            | PeerIncompatible::NoKxGroupsInCommon
            | PeerIncompatible::NoEcPointFormatsInCommon
            | PeerIncompatible::NamedGroupsExtensionRequired => Fault::ssl("NO_SHARED_CIPHER"),
            PeerIncompatible::NoSignatureSchemesInCommon
            | PeerIncompatible::NoCertificateRequestSignatureSchemesInCommon
            | PeerIncompatible::SignatureAlgorithmsExtensionRequired => Fault::ssl("NO_SUITABLE_SIGNATURE_ALGORITHM"),
            _ => Fault::ssl("UNSUPPORTED_PROTOCOL"),
        },
        Error::PeerMisbehaved(_) if server => Fault::ssl("BAD_EXTENSION"),
        Error::General(text) => Fault::Tls("SSL", "INTERNAL_ERROR".into(), text.clone()),
        other => Fault::Tls("SSL", "INTERNAL_ERROR".into(), format!("internal error: {other}")),
    }
}

fn of_alert(alert: AlertDescription) -> Fault {
    let name = match alert {
        AlertDescription::UnexpectedMessage => "SSLV3_ALERT_UNEXPECTED_MESSAGE",
        AlertDescription::BadRecordMac => "SSLV3_ALERT_BAD_RECORD_MAC",
        AlertDescription::RecordOverflow => "TLSV1_ALERT_RECORD_OVERFLOW",
        AlertDescription::HandshakeFailure => "SSLV3_ALERT_HANDSHAKE_FAILURE",
        AlertDescription::BadCertificate => "SSLV3_ALERT_BAD_CERTIFICATE",
        AlertDescription::UnsupportedCertificate => "SSLV3_ALERT_UNSUPPORTED_CERTIFICATE",
        AlertDescription::CertificateRevoked => "SSLV3_ALERT_CERTIFICATE_REVOKED",
        AlertDescription::CertificateExpired => "SSLV3_ALERT_CERTIFICATE_EXPIRED",
        AlertDescription::CertificateUnknown => "SSLV3_ALERT_CERTIFICATE_UNKNOWN",
        AlertDescription::IllegalParameter => "SSLV3_ALERT_ILLEGAL_PARAMETER",
        AlertDescription::UnknownCA => "TLSV1_ALERT_UNKNOWN_CA",
        AlertDescription::AccessDenied => "TLSV1_ALERT_ACCESS_DENIED",
        AlertDescription::DecodeError => "TLSV1_ALERT_DECODE_ERROR",
        AlertDescription::DecryptError => "TLSV1_ALERT_DECRYPT_ERROR",
        AlertDescription::ProtocolVersion => "TLSV1_ALERT_PROTOCOL_VERSION",
        AlertDescription::InsufficientSecurity => "TLSV1_ALERT_INSUFFICIENT_SECURITY",
        AlertDescription::InternalError => "TLSV1_ALERT_INTERNAL_ERROR",
        AlertDescription::InappropriateFallback => "TLSV1_ALERT_INAPPROPRIATE_FALLBACK",
        AlertDescription::UserCanceled => "TLSV1_ALERT_USER_CANCELLED",
        AlertDescription::NoRenegotiation => "TLSV1_ALERT_NO_RENEGOTIATION",
        AlertDescription::MissingExtension => "TLSV13_ALERT_MISSING_EXTENSION",
        AlertDescription::UnsupportedExtension => "TLSV1_UNSUPPORTED_EXTENSION",
        AlertDescription::UnrecognisedName => "TLSV1_UNRECOGNIZED_NAME",
        AlertDescription::CertificateRequired => "TLSV13_ALERT_CERTIFICATE_REQUIRED",
        AlertDescription::NoApplicationProtocol => "TLSV1_ALERT_NO_APPLICATION_PROTOCOL",
        other => {
            let number = u8::from(other);
            return Fault::Tls("SSL", "ALERT".into(), format!("alert number {number}"));
        }
    };
    Fault::ssl(name)
}
