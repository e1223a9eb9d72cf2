//! What is in a certificate: the fields that programs and the search for chains ask for.
//!
//! Invariant: a [`Certificate`] borrows from the DER text and was read without a panic, whatever that text is. Signatures
//! are not looked at here.

use std::net::IpAddr;

use super::der::{Der, Item};
use super::oids;

/// The fields of a certificate.
pub struct Certificate<'a> {
    pub version: u64,
    pub serial: &'a [u8],
    /// A name with tag and length.
    pub issuer: &'a [u8],
    pub subject: &'a [u8],
    pub not_before: Time,
    pub not_after: Time,
    pub is_ca: bool,
    /// Whether it says whether it is one.
    constrained: bool,
    /// How many certificates that others signed may be between this one and the last of a chain.
    pub max_between: Option<u64>,
    /// The bits of its keyUsage.
    key_usage: Option<u16>,
    /// The identifiers of the key that has signed it, and of its own.
    authority_key: Option<&'a [u8]>,
    subject_key: Option<&'a [u8]>,
    /// Which of the extensions that [`Certificate::violation`] asks about are marked critical.
    critical: Critical,
    /// The identifiers of its extKeyUsage.
    purposes: Option<Vec<&'a [u8]>>,
    pub alternatives: Vec<Name<'a>>,
    pub ocsp: Vec<String>,
    pub ca_issuers: Vec<String>,
    pub crls: Vec<String>,
}

#[derive(Clone, Copy, Default)]
struct Critical {
    constraints: bool,
    authority_key: bool,
    subject_key: bool,
}

/// A name of a subject beside its distinguished one.
pub enum Name<'a> {
    Dns(String),
    Email(String),
    Uri(String),
    Ip(&'a [u8]),
    Directory(&'a [u8]),
    Registered(String),
    Other,
}

/// Seconds since the epoch and the calendar fields.
#[derive(Clone, Copy)]
pub struct Time {
    pub seconds: i64,
    year: i64,
    month: i64,
    day: i64,
    clock: [i64; 3],
}

impl<'a> Certificate<'a> {
    pub fn parse(der: &'a [u8]) -> Option<Certificate<'a>> {
        let mut top = Der(der).expect(0x30)?.inside();
        let mut fields = top.expect(0x30)?.inside();
        let version = match fields.optional(0xa0) {
            Some(item) => unsigned(item.inside().expect(0x02)?.body)?.checked_add(1)?,
            None => 1,
        };
        let serial = fields.expect(0x02)?.body;
        fields.expect(0x30)?;
        let issuer = fields.expect(0x30)?.whole;
        let mut validity = fields.expect(0x30)?.inside();
        let not_before = Time::parse(&validity.next()?)?;
        let not_after = Time::parse(&validity.next()?)?;
        let subject = fields.expect(0x30)?.whole;
        // The public key.
        fields.expect(0x30)?;
        let mut found = Certificate {
            version,
            serial,
            issuer,
            subject,
            not_before,
            not_after,
            // Version 1 has no extension to say so.
            is_ca: version == 1 && issuer == subject,
            constrained: false,
            max_between: None,
            key_usage: None,
            authority_key: None,
            subject_key: None,
            critical: Critical::default(),
            purposes: None,
            alternatives: Vec::new(),
            ocsp: Vec::new(),
            ca_issuers: Vec::new(),
            crls: Vec::new(),
        };
        for field in fields.filter(|field| field.tag == 0xa3) {
            for extension in field.inside().expect(0x30)?.inside() {
                let mut parts = extension.inside();
                let id = parts.expect(0x06)?.body;
                let critical = parts.optional(0x01).is_some_and(|flag| flag.body != [0]);
                let value = parts.expect(0x04)?.body;
                found.extension(id, value, critical);
            }
        }
        Some(found)
    }

    fn extension(&mut self, id: &[u8], value: &'a [u8], critical: bool) -> Option<()> {
        match id {
            // subjectAltName
            [0x55, 0x1d, 0x11] => {
                let names = Der(value).expect(0x30)?.inside();
                self.alternatives = names.map(|item| Name::parse(&item)).collect();
            }
            // basicConstraints
            [0x55, 0x1d, 0x13] => {
                self.critical.constraints = critical;
                self.constrained = true;
                let mut parts = Der(value).expect(0x30)?.inside();
                let flag = parts.optional(0x01);
                self.is_ca = flag.is_some_and(|flag| flag.body != [0]);
                self.max_between = parts.optional(0x02).and_then(|len| unsigned(len.body));
            }
            // keyUsage
            [0x55, 0x1d, 0x0f] => {
                // How many bits of the last byte are unused comes first; the first use is the highest bit.
                let bits = Der(value).expect(0x03)?.body.get(1..)?;
                let byte = |at: usize| u16::from(bits.get(at).copied().unwrap_or(0));
                self.key_usage = Some(byte(0) << 8 | byte(1));
            }
            // subjectKeyIdentifier
            [0x55, 0x1d, 0x0e] => {
                self.critical.subject_key = critical;
                self.subject_key = Some(Der(value).expect(0x04)?.body);
            }
            // authorityKeyIdentifier
            [0x55, 0x1d, 0x23] => {
                self.critical.authority_key = critical;
                self.authority_key = Der(value).expect(0x30)?.inside().optional(0x80).map(|item| item.body);
            }
            // extKeyUsage
            [0x55, 0x1d, 0x25] => {
                let items = Der(value).expect(0x30)?.inside();
                self.purposes = Some(items.map(|item| item.body).collect());
            }
            // cRLDistributionPoints
            [0x55, 0x1d, 0x1f] => {
                for point in Der(value).expect(0x30)?.inside() {
                    let Some(name) = point.inside().optional(0xa0) else {
                        continue;
                    };
                    let Some(full) = name.inside().optional(0xa0) else {
                        continue;
                    };
                    self.crls.extend(full.inside().filter_map(|item| uri(&item)));
                }
            }
            // authorityInfoAccess
            [0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x01, 0x01] => {
                for access in Der(value).expect(0x30)?.inside() {
                    let mut parts = access.inside();
                    let method = parts.expect(0x06)?.body;
                    let Some(place) = parts.next().and_then(|item| uri(&item)) else {
                        continue;
                    };
                    match method {
                        [0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01] => self.ocsp.push(place),
                        [0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x02] => self.ca_issuers.push(place),
                        _ => {}
                    }
                }
            }
            _ => {}
        }
        Some(())
    }

    pub fn self_issued(&self) -> bool {
        self.issuer == self.subject
    }

    /// Whether its own key has signed it, as far as names and identifiers of keys say.
    pub fn self_signed(&self) -> bool {
        let other = |(one, two)| one != two;
        self.self_issued() && !self.authority_key.zip(self.subject_key).is_some_and(other)
    }

    /// What RFC 5280 asks for beyond what makes a chain, and is not there; `last` is the end of a chain.
    pub fn violation(&self, last: bool) -> Option<(i32, &'static str)> {
        const KEY_CERT_SIGN: u16 = 0x0400;
        let signs = self.key_usage.is_some_and(|usage| usage & KEY_CERT_SIGN != 0);
        match self.version {
            ..3 => None,
            _ if signs && !self.constrained => Some((79, "invalid CA certificate")),
            _ if self.max_between.is_some() && !self.is_ca => Some((80, "Path length invalid for non-CA cert")),
            _ if self.max_between.is_some() && !signs => Some((81, "Path length given without key usage keyCertSign")),
            _ if self.is_ca && !self.critical.constraints => {
                Some((89, "Basic Constraints of CA cert not marked critical"))
            }
            _ if self.is_ca && self.key_usage.is_none() => Some((92, "CA cert does not include key usage extension")),
            _ if !self.is_ca && signs => Some((82, "Key usage keyCertSign invalid for non-CA cert")),
            _ if self.critical.authority_key => Some((90, "Authority Key Identifier marked critical")),
            _ if self.critical.subject_key => Some((91, "Subject Key Identifier marked critical")),
            _ if !last && self.authority_key.is_none() => Some((85, "Missing Authority Key Identifier")),
            _ if self.is_ca && self.subject_key.is_none() => Some((86, "Missing Subject Key Identifier")),
            _ => None,
        }
    }

    /// Whether it may sign other certificates.
    pub fn may_sign(&self) -> bool {
        const KEY_CERT_SIGN: u16 = 0x0400;
        self.is_ca && self.key_usage.is_none_or(|usage| usage & KEY_CERT_SIGN != 0)
    }

    /// Whether what it says of its purposes allows it in the chain of a server, or of a client.
    pub fn may_serve(&self, server: bool) -> bool {
        const PREFIX: [u8; 7] = [0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03];
        let wanted = if server { 1 } else { 2 };
        self.purposes.as_ref().is_none_or(|purposes| {
            let mut ends = purposes.iter().filter_map(|id| id.strip_prefix(&PREFIX));
            ends.any(|end| end == [wanted])
        })
    }

    /// Whether its key may be used in the handshake of a server, or of a client.
    pub fn may_agree(&self, server: bool) -> bool {
        const DIGITAL_SIGNATURE: u16 = 0x8000;
        const KEY_ENCIPHERMENT: u16 = 0x2000;
        const KEY_AGREEMENT: u16 = 0x0800;
        let mut wanted = DIGITAL_SIGNATURE | KEY_AGREEMENT;
        if server {
            wanted |= KEY_ENCIPHERMENT;
        }
        self.key_usage.is_none_or(|usage| usage & wanted != 0)
    }

    /// Whether the certificate is for this host, as X.509 rules and OpenSSL's flags have it.
    pub fn is_for_host(&self, host: &str, flags: i64) -> bool {
        const ALWAYS_CHECK_SUBJECT: i64 = 1;
        const NO_WILDCARDS: i64 = 2;
        const NEVER_CHECK_SUBJECT: i64 = 32;
        let wildcards = flags & NO_WILDCARDS == 0;
        let mut any = false;
        for name in &self.alternatives {
            if let Name::Dns(pattern) = name {
                any = true;
                if matches(pattern, host, wildcards) {
                    return true;
                }
            }
        }
        let subject = flags & NEVER_CHECK_SUBJECT == 0 && (!any || flags & ALWAYS_CHECK_SUBJECT != 0);
        subject
            && attributes(self.subject)
                .flatten()
                .any(|(id, value)| id == [0x55, 0x04, 0x03] && matches(&value, host, wildcards))
    }

    pub fn is_for_address(&self, address: IpAddr) -> bool {
        let bytes = match address {
            IpAddr::V4(address) => address.octets().to_vec(),
            IpAddr::V6(address) => address.octets().to_vec(),
        };
        let mut names = self.alternatives.iter();
        names.any(|name| matches!(name, Name::Ip(found) if *found == bytes.as_slice()))
    }
}

impl<'a> Name<'a> {
    fn parse(item: &Item<'a>) -> Name<'a> {
        match item.tag {
            0x81 => Name::Email(latin1(item.body)),
            0x82 => Name::Dns(latin1(item.body)),
            0x86 => Name::Uri(latin1(item.body)),
            0x87 => Name::Ip(item.body),
            0xa4 => Name::Directory(item.body),
            0x88 => Name::Registered(oids::dotted(item.body).unwrap_or_default()),
            _ => Name::Other,
        }
    }
}

/// The relative names of a distinguished name, each with its attributes: identifiers and values.
pub fn attributes(name: &[u8]) -> impl Iterator<Item = Vec<(&[u8], String)>> {
    let all = Der(name).expect(0x30).map_or(Der(&[]), |item| item.inside());
    all.map(|set| {
        let each = set.inside().filter_map(|pair| {
            let mut parts = pair.inside();
            let id = parts.expect(0x06)?.body;
            let value = parts.next()?;
            Some((id, text(&value)))
        });
        each.collect()
    })
}

/// The serial number as OpenSSL shows it.
pub fn serial_text(serial: &[u8]) -> String {
    let negative = serial.first().is_some_and(|byte| byte & 0x80 != 0);
    let mut bytes = serial.to_vec();
    if negative {
        let mut carry = true;
        for byte in bytes.iter_mut().rev() {
            let (value, overflow) = (!*byte).overflowing_add(u8::from(carry));
            *byte = value;
            carry = overflow;
        }
    }
    let start = bytes
        .iter()
        .position(|&byte| byte != 0)
        .unwrap_or(bytes.len().saturating_sub(1));
    let digits: String = bytes.iter().skip(start).map(|byte| format!("{byte:02X}")).collect();
    if negative { format!("-{digits}") } else { digits }
}

fn unsigned(body: &[u8]) -> Option<u64> {
    (body.len() <= 8).then(|| body.iter().fold(0, |n, &byte| n << 8 | u64::from(byte)))
}

fn uri(item: &Item<'_>) -> Option<String> {
    (item.tag == 0x86).then(|| latin1(item.body))
}

fn latin1(bytes: &[u8]) -> String {
    bytes.iter().map(|&byte| char::from(byte)).collect()
}

/// A string of one of ASN.1's kinds.
fn text(item: &Item<'_>) -> String {
    match item.tag {
        0x0c => String::from_utf8_lossy(item.body).into_owned(),
        0x1e => {
            let units: Vec<u16> = item
                .body
                .chunks_exact(2)
                .map(|pair| u16::from_be_bytes([pair[0], pair[1]]))
                .collect();
            String::from_utf16_lossy(&units)
        }
        0x1c => {
            let codes = item
                .body
                .chunks_exact(4)
                .map(|c| u32::from_be_bytes([c[0], c[1], c[2], c[3]]));
            codes.map(|code| char::from_u32(code).unwrap_or('\u{fffd}')).collect()
        }
        _ => latin1(item.body),
    }
}

/// Whether a name of a certificate, maybe with `*` for its first label, is that of the host.
fn matches(pattern: &str, host: &str, wildcards: bool) -> bool {
    let host = host.strip_suffix('.').unwrap_or(host);
    if pattern.contains('\0') || pattern.is_empty() {
        return false;
    }
    if pattern.eq_ignore_ascii_case(host) {
        return true;
    }
    let Some(suffix) = pattern.strip_prefix("*.") else {
        return false;
    };
    if !wildcards || suffix.contains('*') || !suffix.contains('.') {
        return false;
    }
    match host.split_once('.') {
        Some((label, rest)) => !label.is_empty() && rest.eq_ignore_ascii_case(suffix),
        None => false,
    }
}

impl Time {
    fn parse(item: &Item<'_>) -> Option<Time> {
        let digits = std::str::from_utf8(item.body).ok()?.strip_suffix('Z')?;
        let (year, rest) = match item.tag {
            0x17 => {
                let (year, rest) = digits.split_at_checked(2)?;
                let year: i64 = year.parse().ok()?;
                (if year < 50 { 2000 + year } else { 1900 + year }, rest)
            }
            0x18 => {
                let (year, rest) = digits.split_at_checked(4)?;
                (year.parse().ok()?, rest)
            }
            _ => return None,
        };
        let mut parts = [0i64; 5];
        for (at, part) in parts.iter_mut().enumerate() {
            *part = rest.get(at * 2..at * 2 + 2).unwrap_or("0").parse().ok()?;
        }
        let [month, day, hour, minute, second] = parts;
        if !(1..=12).contains(&month) || !(1..=31).contains(&day) || hour > 23 || minute > 59 || second > 60 {
            return None;
        }
        // Days from the civil calendar (Howard Hinnant's algorithm).
        let y = if month <= 2 { year - 1 } else { year };
        let era = y.div_euclid(400);
        let of_era = y.rem_euclid(400);
        let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
        let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468;
        Some(Time {
            seconds: days * 86_400 + hour * 3600 + minute * 60 + second,
            year,
            month,
            day,
            clock: [hour, minute, second],
        })
    }
}

impl std::fmt::Display for Time {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        const MONTHS: [&str; 12] = [
            "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
        ];
        let month = MONTHS.get((self.month - 1) as usize).unwrap_or(&"???");
        let [hour, minute, second] = self.clock;
        write!(
            f,
            "{month} {:2} {hour:02}:{minute:02}:{second:02} {} GMT",
            self.day, self.year
        )
    }
}
