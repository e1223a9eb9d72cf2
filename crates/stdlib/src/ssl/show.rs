//! `_ssl`: the objects that hold data: `MemoryBIO`, `Certificate`, `SSLSession`, and certificates as dicts.
//!
//! Invariant: the bytes of a `MemoryBIO` are shared with the connections made over it; its mutex is held for copies alone.
//! `SSLSession` has no instances: sessions are not resumed.

use std::io::Read;
use std::sync::Arc;

use lisle_runtime::memory::trace::Opaque;
use lisle_runtime::native::*;
use lisle_runtime::types::buffer::Readable;
use lisle_runtime::types::bytes::Bytes;
use lisle_runtime::types::dict::Dict;
use lisle_runtime::types::list::List;
use lisle_runtime::types::tuple::Tuple;

use super::cert::{self, Name, attributes, serial_text};
use super::engine::{SharedMemory, lock};
use super::errors::Fault;
use super::{oids, pem};

/// A buffer between a program and a connection.
#[pyclass(name = "MemoryBIO", module = "_ssl", basetype)]
pub struct MemoryBio {
    pub memory: Opaque<SharedMemory>,
}

#[pymethods]
impl MemoryBio {
    #[slot(sig = "()")]
    fn __new__(_vm: &Vm, cls: &Py<Type>) -> Value {
        let memory = Opaque(SharedMemory::default());
        Py::with_class(cls, MemoryBio { memory }).into_value()
    }

    /// Read up to size bytes from the memory BIO.
    ///
    /// If size is not specified, read the entire buffer.
    /// If the return value is an empty bytes instance, this means either
    /// EOF or that no data is available. Use the "eof" property to
    /// distinguish between the two.
    #[pymethod(sig = "($self, size=-1, /)")]
    fn read(_vm: &Vm, this: &Py<MemoryBio>, size: Option<i32>) -> Value {
        let mut memory = lock(&this.memory);
        let have = memory.data.len();
        let size = usize::try_from(size.unwrap_or(-1)).map_or(have, |size| size.min(have));
        if size == have {
            let all = Vec::from(std::mem::take(&mut memory.data));
            drop(memory);
            return Bytes::new_value(all);
        }
        let mut out = vec![0; size];
        // Reading from memory cannot fail, and there is as much.
        let n = memory.data.read(&mut out).unwrap_or(0);
        if n < size {
            let (_, rest) = out.split_at_mut(n);
            let _ = memory.data.read(rest);
        }
        drop(memory);
        Bytes::new_value(out)
    }

    /// Writes the bytes b into the memory BIO.
    ///
    /// Returns the number of bytes written.
    #[pymethod(sig = "($self, b, /)")]
    fn write(vm: &Vm, this: &Py<MemoryBio>, b: Readable<'_>) -> Res<usize> {
        let mut memory = lock(&this.memory);
        let ended = memory.ended;
        if !ended {
            memory.data.extend(b.0.iter());
        }
        drop(memory);
        if ended {
            return Err(Fault::Plain("cannot write() after write_eof()").raise(vm));
        }
        Ok(b.0.len())
    }

    /// Write an EOF marker to the memory BIO.
    ///
    /// When all data has been read, the "eof" property will be True.
    #[pymethod(sig = "($self, /)")]
    fn write_eof(_vm: &Vm, this: &Py<MemoryBio>) {
        lock(&this.memory).ended = true;
    }

    /// The number of bytes pending in the memory BIO.
    #[getter]
    fn pending(_vm: &Vm, this: &Py<MemoryBio>) -> usize {
        lock(&this.memory).data.len()
    }

    /// Whether the memory BIO is at EOF.
    #[getter]
    fn eof(_vm: &Vm, this: &Py<MemoryBio>) -> bool {
        let memory = lock(&this.memory);
        memory.ended && memory.data.is_empty()
    }
}

/// A session that could be resumed.
#[pyclass(name = "SSLSession", module = "_ssl", no_new, gc = false)]
pub struct Session {}

#[pymethods]
impl Session {}

/// A certificate of a chain.
#[pyclass(name = "Certificate", module = "_ssl", no_new, gc = false)]
pub struct Certificate {
    der: Opaque<Arc<[u8]>>,
}

impl Certificate {
    pub fn make(der: Vec<u8>) -> Value {
        Py::new(Certificate {
            der: Opaque(der.into()),
        })
        .into_value()
    }
}

#[pymethods]
impl Certificate {
    #[pymethod(sig = "($self, format=1, /)")]
    fn public_bytes(vm: &Vm, this: &Py<Certificate>, format: Option<i32>) -> Res<Value> {
        match format.unwrap_or(1) {
            1 => Ok(Value::from(pem::encode("CERTIFICATE", &this.der).as_str())),
            2 => Ok(Bytes::new_value(this.der.to_vec())),
            _ => Err(vm.value_error("Unsupported format")),
        }
    }

    #[pymethod(sig = "($self, /)")]
    fn get_info(vm: &Vm, this: &Py<Certificate>) -> Res<Value> {
        certificate_dict(vm, &this.der)
    }

    #[slot]
    fn __repr__(_vm: &Vm, this: &Py<Certificate>) -> String {
        let subject = cert::Certificate::parse(&this.der).map(|cert| {
            let mut text = String::new();
            for (id, value) in attributes(cert.subject).flatten() {
                let name = oids::dotted(id).unwrap_or_default();
                let short = oids::by_dotted(&name).map_or(name.as_str(), |oid| oid.1).to_owned();
                if !text.is_empty() {
                    text.push_str(", ");
                }
                text.push_str(&format!("{short}={value}"));
            }
            text
        });
        format!("<_ssl.Certificate '{}'>", subject.unwrap_or_default())
    }

    #[slot]
    fn __hash__(_vm: &Vm, this: &Py<Certificate>) -> Res<i64> {
        Ok(lisle_runtime::types::str::hash_bytes(&this.der))
    }

    #[slot]
    fn __richcompare__(_vm: &Vm, this: &Py<Certificate>, other: &Value, op: CmpOp) -> Value {
        let Some(other) = other.downcast::<Certificate>() else {
            return Value::NOT_IMPLEMENTED;
        };
        match op {
            CmpOp::Eq => Value::from_bool(this.der[..] == other.der[..]),
            CmpOp::Ne => Value::from_bool(this.der[..] != other.der[..]),
            _ => Value::NOT_IMPLEMENTED,
        }
    }
}

fn name_value(name: &[u8]) -> Value {
    let sets = attributes(name).map(|set| {
        let pairs = set.into_iter().map(|(id, value)| {
            let dotted = oids::dotted(id).unwrap_or_default();
            let long = oids::by_dotted(&dotted).map_or(dotted.as_str(), |oid| oid.2);
            Tuple::pair(Value::from(long), Value::from(value.as_str())).into_value()
        });
        Tuple::new(pairs.collect()).into_value()
    });
    Tuple::new(sets.collect()).into_value()
}

fn alternative(name: &Name<'_>) -> Value {
    let text = |kind: &str, value: &str| Tuple::pair(Value::from(kind), Value::from(value)).into_value();
    match name {
        Name::Dns(name) => text("DNS", name),
        Name::Email(name) => text("email", name),
        Name::Uri(name) => text("URI", name),
        Name::Registered(name) => text("Registered ID", if name.is_empty() { "<INVALID>" } else { name }),
        Name::Other => text("othername", "<unsupported>"),
        Name::Directory(name) => Tuple::pair(Value::from("DirName"), name_value(name)).into_value(),
        Name::Ip(bytes) => match bytes.len() {
            4 => {
                let parts: Vec<String> = bytes.iter().map(u8::to_string).collect();
                text("IP Address", &parts.join("."))
            }
            16 => {
                let pairs = bytes.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]]));
                let parts: Vec<String> = pairs.map(|part| format!("{part:X}")).collect();
                text("IP Address", &parts.join(":"))
            }
            _ => text("IP Address", "<invalid>"),
        },
    }
}

/// What `getpeercert` tells of a certificate.
pub fn certificate_dict(vm: &Vm, der: &[u8]) -> Res<Value> {
    let Some(cert) = cert::Certificate::parse(der) else {
        return Err(Fault::of("ASN1", "PARSE_ERROR").raise(vm));
    };
    let dict = Dict::new_empty();
    let set = |name: &str, value: Value| dict.set_str(&Str::intern(name), value);
    set("subject", name_value(cert.subject));
    set("issuer", name_value(cert.issuer));
    set("version", Value::int(cert.version as i64));
    set("serialNumber", Value::from(serial_text(cert.serial).as_str()));
    set("notBefore", Value::from(cert.not_before.to_string().as_str()));
    set("notAfter", Value::from(cert.not_after.to_string().as_str()));
    if !cert.alternatives.is_empty() {
        let names = cert.alternatives.iter().map(alternative).collect();
        set("subjectAltName", Tuple::new(names).into_value());
    }
    for (name, places) in [
        ("OCSP", &cert.ocsp),
        ("caIssuers", &cert.ca_issuers),
        ("crlDistributionPoints", &cert.crls),
    ] {
        if !places.is_empty() {
            let places = places.iter().map(|place| Value::from(place.as_str())).collect();
            set(name, Tuple::new(places).into_value());
        }
    }
    Ok(dict.into_value())
}

/// The certificates of a store, as `get_ca_certs` gives them.
pub fn certificate_list(vm: &Vm, certs: &[Vec<u8>], binary: bool) -> Res<Value> {
    let shown: Res<Vec<Value>> = certs
        .iter()
        .map(|cert| match binary {
            true => Ok(Bytes::new_value(cert.clone())),
            false => certificate_dict(vm, cert),
        })
        .collect();
    Ok(List::new(shown?).into_value())
}
