//! `_socket`: names and numbers of hosts, services, protocols, interfaces.
//!
//! Invariant: what the C library keeps in one place for all threads is read under a lock and copied out.

use std::ffi::{CStr, CString};
use std::net::{Ipv4Addr, Ipv6Addr};

use lisle_runtime::native::{Exc, Py, Res, Str, Value, Vm, pymodule};
use lisle_runtime::sync::Mutex;
use lisle_runtime::types::buffer;
use lisle_runtime::types::bytes::Bytes;
use lisle_runtime::types::list::List;
use lisle_runtime::types::tuple::Tuple;

use super::address::{Address, host_text, resolve_host};
use super::{GAIERROR, HERROR, message};
use crate::posix::path::{fs_decode_c, fs_encode};
use crate::syscall::{Errno, OrRaise, audit, c, check, zeroed};

unsafe extern "C" {
    fn gethostbyname_r(
        name: *const libc::c_char,
        record: *mut libc::hostent,
        buffer: *mut libc::c_char,
        len: usize,
        found: *mut *mut libc::hostent,
        error: *mut libc::c_int,
    ) -> libc::c_int;
    fn gethostbyaddr_r(
        address: *const libc::c_void,
        address_len: libc::socklen_t,
        kind: libc::c_int,
        record: *mut libc::hostent,
        buffer: *mut libc::c_char,
        len: usize,
        found: *mut *mut libc::hostent,
        error: *mut libc::c_int,
    ) -> libc::c_int;
    fn hstrerror(error: libc::c_int) -> *const libc::c_char;
}

/// One answer of `getaddrinfo`.
pub struct Resolved {
    pub family: i32,
    pub kind: i32,
    pub proto: i32,
    pub canonical: Option<CString>,
    pub address: Address,
}

/// The exception for a code, and for what `errno` was when that was returned.
fn gai_error(vm: &Vm, (code, errno): (i32, Errno)) -> Exc {
    if code == libc::EAI_SYSTEM {
        return vm.os_error(errno.0, None);
    }
    // SAFETY: the texts are static.
    let text = unsafe { CStr::from_ptr(libc::gai_strerror(code)) }.to_string_lossy();
    GAIERROR.exception(vm, vec![Value::int(code.into()), Value::from(text.as_ref())])
}

/// `getaddrinfo`, detached.
pub fn resolve(
    vm: &Vm,
    host: Option<&CStr>,
    service: Option<&CStr>,
    family: i32,
    kind: i32,
    proto: i32,
    flags: i32,
) -> Res<Vec<Resolved>> {
    let mut all = Vec::new();
    let failed = vm.detached(|| {
        // SAFETY: plain data.
        let mut hints: libc::addrinfo = unsafe { zeroed() };
        hints.ai_family = family;
        hints.ai_socktype = kind;
        hints.ai_protocol = proto;
        hints.ai_flags = flags;
        let pointer = |text: Option<&CStr>| text.map_or(std::ptr::null(), CStr::as_ptr);
        let mut list = std::ptr::null_mut();
        let code = c!(getaddrinfo(pointer(host), pointer(service), &hints, &mut list));
        if code != 0 {
            return Err((code, Errno::last()));
        }
        let mut at = list;
        while !at.is_null() {
            // SAFETY: the list is as the C library made it, and is freed only after this loop.
            unsafe {
                let entry = &*at;
                all.push(Resolved {
                    family: entry.ai_family,
                    kind: entry.ai_socktype,
                    proto: entry.ai_protocol,
                    canonical: if entry.ai_canonname.is_null() {
                        None
                    } else {
                        Some(CStr::from_ptr(entry.ai_canonname).to_owned())
                    },
                    address: Address::copy(entry.ai_addr, entry.ai_addrlen),
                });
                at = entry.ai_next;
            }
        }
        c!(freeaddrinfo(list));
        Ok(())
    });
    failed.map(|()| all).map_err(|failure| gai_error(vm, failure))
}

/// What `gethostbyname` and its like find.
struct Host {
    name: CString,
    aliases: Vec<CString>,
    family: i32,
    addresses: Vec<Vec<u8>>,
}

impl Host {
    /// # Safety
    /// The record is one that the C library filled in, with its buffer still there.
    unsafe fn of(h: &libc::hostent) -> Host {
        let mut host = Host {
            // SAFETY: by contract.
            name: unsafe { CStr::from_ptr(h.h_name) }.to_owned(),
            aliases: Vec::new(),
            family: h.h_addrtype,
            addresses: Vec::new(),
        };
        // SAFETY: by contract; both lists end with a null pointer, and an address has `h_length` bytes.
        unsafe {
            let mut at = h.h_aliases;
            while !at.is_null() && !(*at).is_null() {
                host.aliases.push(CStr::from_ptr(*at).to_owned());
                at = at.add(1);
            }
            let mut at = h.h_addr_list;
            while !at.is_null() && !(*at).is_null() {
                let bytes = std::slice::from_raw_parts((*at).cast::<u8>(), h.h_length.max(0) as usize);
                host.addresses.push(bytes.to_vec());
                at = at.add(1);
            }
        }
        host
    }

    /// `(name, aliases, addresses)`
    fn into_value(self, vm: &Vm) -> Res<Value> {
        let texts = |all: Vec<CString>| all.iter().map(|text| fs_decode_c(vm, text)).collect::<Res<Vec<_>>>();
        let addresses = self.addresses.iter().filter_map(|bytes| {
            let text = shown_address(self.family, bytes)?;
            Some(Value::from(text.as_str()))
        });
        let addresses = List::new(addresses.collect()).into_value();
        let aliases = List::new(texts(self.aliases)?).into_value();
        Ok(Tuple::new(vec![fs_decode_c(vm, &self.name)?, aliases, addresses]).into_value())
    }
}

fn shown_address(family: i32, bytes: &[u8]) -> Option<String> {
    match family {
        libc::AF_INET => Some(Ipv4Addr::from(<[u8; 4]>::try_from(bytes).ok()?).to_string()),
        libc::AF_INET6 => Some(Ipv6Addr::from(<[u8; 16]>::try_from(bytes).ok()?).to_string()),
        _ => None,
    }
}

/// Calls one of the host functions with buffers that grow.
fn host(
    vm: &Vm,
    call: impl Fn(*mut libc::hostent, *mut libc::c_char, usize, *mut *mut libc::hostent, *mut i32) -> i32,
) -> Res<Host> {
    let mut size = 4096;
    loop {
        let mut error = 0;
        let found = vm.detached(|| {
            let mut buffer = vec![0 as libc::c_char; size];
            // SAFETY: plain data.
            let mut record: libc::hostent = unsafe { zeroed() };
            let mut found = std::ptr::null_mut();
            match call(&mut record, buffer.as_mut_ptr(), size, &mut found, &mut error) {
                0 if found.is_null() => Ok(None),
                // SAFETY: the call filled the record in.
                0 => Ok(Some(unsafe { Host::of(&record) })),
                errno => Err(errno),
            }
        });
        match found {
            Ok(Some(host)) => return Ok(host),
            Err(libc::ERANGE) if size < 1 << 22 => size *= 4,
            _ => {
                // SAFETY: the texts are static.
                let text = unsafe { CStr::from_ptr(hstrerror(error)) }.to_string_lossy();
                return Err(HERROR.exception(vm, vec![Value::int(error.into()), Value::from(text.as_ref())]));
            }
        }
    }
}

/// Held while the C library's one record of a service or protocol is read.
static RECORD: Mutex<()> = Mutex::new(());

fn c_text(vm: &Vm, text: &Py<Str>) -> Res<CString> {
    CString::new(text.to_string_lossy()).map_err(|_| vm.value_error("embedded null character"))
}

/// An int of 16 bits for `htons` and `ntohs`.
fn short(vm: &Vm, name: &str, value: &Value) -> Res<u16> {
    let n = vm.index(value)?;
    let n = vm.int_value(&n);
    if n.is_some_and(|n| n.is_negative()) {
        let message = format!("{name}: can't convert negative Python int to C 16-bit unsigned integer");
        return Err(vm.overflow_error(message));
    }
    n.and_then(|n| n.to_i64())
        .and_then(|n| u16::try_from(n).ok())
        .ok_or_else(|| {
            let message = format!("{name}: Python int too large to convert to C 16-bit unsigned integer");
            vm.overflow_error(message)
        })
}

/// An int of 32 bits for `htonl` and `ntohl`.
fn long(vm: &Vm, value: &Value) -> Res<u32> {
    let Some(n) = vm.int_value(value) else {
        let found = value.ty().name();
        return Err(vm.type_error(format!("expected int, {found} found")));
    };
    if n.is_negative() {
        return Err(vm.overflow_error("can't convert negative value to unsigned int"));
    }
    match n.to_i64().and_then(|n| u32::try_from(n).ok()) {
        Some(n) => Ok(n),
        None if n.to_i64().is_some() => Err(vm.overflow_error("int larger than 32 bits")),
        None => Err(vm.overflow_error("Python int too large to convert to C unsigned long")),
    }
}

/// The port argument of `getaddrinfo`.
fn service_text(vm: &Vm, port: &Value) -> Res<Option<CString>> {
    if port.is_none() {
        return Ok(None);
    }
    if vm.int_value(port).is_some() {
        let text = vm.str(port)?.to_string_lossy();
        if vm.int_value(port).and_then(|n| n.to_i64()).is_none() {
            return Err(vm.overflow_error("Python int too large to convert to C long"));
        }
        return Ok(CString::new(text).ok());
    }
    if let Some(text) = port.downcast::<Str>() {
        if text.view().has_surrogates() {
            let made = lisle_runtime::types::encoding::encode(vm, text, "utf-8", "strict")?;
            drop(made);
        }
        return c_text(vm, text).map(Some);
    }
    if let Some(bytes) = port.downcast::<Bytes>() {
        let text = CString::new(bytes.as_slice());
        return text.map(Some).map_err(|_| vm.value_error("embedded null byte"));
    }
    Err(vm.os_error_message("Int or String expected"))
}

#[pymodule(name = "_socket")]
pub mod module {
    use super::*;

    /// getaddrinfo(host, port [, family, type, proto, flags])
    ///     -> list of (family, type, proto, canonname, sockaddr)
    ///
    /// Resolve host and port into addrinfo struct.
    #[pyfunction(sig = "(host, port, family=0, type=0, proto=0, flags=0)")]
    fn getaddrinfo(
        vm: &Vm,
        host: &Value,
        port: &Value,
        family: i32,
        r#type: i32,
        proto: i32,
        flags: i32,
    ) -> Res<Value> {
        let name = if host.is_none() {
            None
        } else if host.downcast::<Str>().is_some() || host.downcast::<Bytes>().is_some() {
            Some(host_text(vm, host)?)
        } else {
            return Err(vm.type_error("getaddrinfo() argument 1 must be string or None"));
        };
        let service = service_text(vm, port)?;
        let [f, k, p] = [family, r#type, proto].map(|n| Value::int(n.into()));
        audit!(vm, "socket.getaddrinfo", host.clone(), port.clone(), f, k, p);
        let found = resolve(vm, name.as_deref(), service.as_deref(), family, r#type, proto, flags)?;
        let mut list = Vec::with_capacity(found.len());
        for one in found {
            let canonical = one.canonical.as_deref().unwrap_or_default();
            list.push(
                Tuple::new(vec![
                    Value::int(one.family.into()),
                    Value::int(one.kind.into()),
                    Value::int(one.proto.into()),
                    fs_decode_c(vm, canonical)?,
                    one.address.to_value(vm)?,
                ])
                .into_value(),
            );
        }
        Ok(List::new(list).into_value())
    }

    /// getnameinfo(sockaddr, flags) --> (host, port)
    ///
    /// Get host and port for a sockaddr.
    #[pyfunction(sig = "(sockaddr, flags, /)")]
    fn getnameinfo(vm: &Vm, sockaddr: &Value, flags: i32) -> Res<(Value, Value)> {
        let Some(items) = sockaddr.downcast::<Tuple>() else {
            return Err(vm.type_error("getnameinfo() argument 1 must be a tuple"));
        };
        let wrong = || vm.type_error("getnameinfo(): illegal sockaddr argument");
        let ([name, port], rest) = items.split_first_chunk().ok_or_else(wrong)?;
        if rest.len() > 2 {
            return Err(wrong());
        }
        let Some(name) = name.downcast::<Str>() else {
            return Err(wrong());
        };
        let name = c_text(vm, name)?;
        let port = crate::syscall::int_arg(vm, port)?;
        let number = |at: usize| rest.get(at).map_or(Ok(0), |v| vm.index_to_i64(v));
        let (flow, scope) = (number(0)?, number(1)?);
        if !(0..=0xf_ffff).contains(&flow) {
            return Err(vm.overflow_error("getnameinfo(): flowinfo must be 0-1048575."));
        }
        audit!(vm, "socket.getnameinfo", sockaddr.clone());
        let service = CString::new(port.to_string()).unwrap_or_default();
        let found = resolve(
            vm,
            Some(&name),
            Some(&service),
            libc::AF_UNSPEC,
            libc::SOCK_DGRAM,
            0,
            libc::AI_NUMERICHOST,
        )?;
        let mut found = found.into_iter();
        let (Some(only), None) = (found.next(), found.next()) else {
            return Err(vm.os_error_message("sockaddr resolved to multiple addresses"));
        };
        if only.family == libc::AF_INET && items.len() != 2 {
            return Err(vm.os_error_message("IPv4 sockaddr must be 2 tuple"));
        }
        let address = if only.family == libc::AF_INET6 {
            only.address.with_flow_and_scope(flow as u32, scope as u32)
        } else {
            only.address
        };
        let (mut host, mut service) = ([0u8; 1025], [0u8; 32]);
        let failure = vm.detached(|| {
            let (pointer, len) = address.as_ptr();
            let (host_room, service_room) = (host.len() as u32, service.len() as u32);
            let (h, s) = (host.as_mut_ptr().cast(), service.as_mut_ptr().cast());
            let code = c!(getnameinfo(pointer, len, h, host_room, s, service_room, flags));
            (code, Errno::last())
        });
        if failure.0 != 0 {
            return Err(gai_error(vm, failure));
        }
        let text = |bytes: &[u8]| fs_decode_c(vm, CStr::from_bytes_until_nul(bytes).unwrap_or_default());
        Ok((text(&host)?, text(&service)?))
    }

    /// gethostname() -> string
    ///
    /// Return the current host name.
    #[pyfunction(sig = "()")]
    fn gethostname(vm: &Vm) -> Res<Value> {
        audit!(vm, "socket.gethostname");
        let mut name = [0u8; 1025];
        check(c!(gethostname(name.as_mut_ptr().cast(), name.len() - 1))).or_raise(vm)?;
        fs_decode_c(vm, CStr::from_bytes_until_nul(&name).unwrap_or_default())
    }

    /// sethostname(name)
    ///
    /// Sets the hostname to name.
    #[pyfunction(sig = "(name, /)")]
    fn sethostname(vm: &Vm, name: &Value) -> Res<()> {
        audit!(vm, "socket.sethostname", name.clone());
        let name = fs_encode(vm, name)?;
        let name = name.as_bytes();
        check(c!(sethostname(name.as_ptr().cast(), name.len())))
            .or_raise(vm)
            .map(drop)
    }

    /// gethostbyname(host) -> address
    ///
    /// Return the IP address (a string of the form '255.255.255.255') for a host.
    #[pyfunction(sig = "(host, /)")]
    fn gethostbyname(vm: &Vm, host: &Value) -> Res<Value> {
        audit!(vm, "socket.gethostbyname", host.clone());
        let address = resolve_host(vm, &host_text(vm, host)?, libc::AF_INET)?.to_value(vm)?;
        vm.getitem(&address, &Value::int(0))
    }

    /// gethostbyname_ex(host) -> (name, aliaslist, addresslist)
    ///
    /// Return the true host name, a list of aliases, and a list of IP addresses,
    /// for a host.  The host argument is a string giving a host name or IP number.
    #[pyfunction(sig = "(host, /)")]
    fn gethostbyname_ex(vm: &Vm, host: &Value) -> Res<Value> {
        audit!(vm, "socket.gethostbyname", host.clone());
        let name = host_text(vm, host)?;
        resolve_host(vm, &name, libc::AF_INET)?;
        let found = super::host(vm, |record, buffer, len, found, error| {
            // SAFETY: the pointers are those of live places with the lengths given.
            unsafe { gethostbyname_r(name.as_ptr(), record, buffer, len, found, error) }
        })?;
        found.into_value(vm)
    }

    /// gethostbyaddr(host) -> (name, aliaslist, addresslist)
    ///
    /// Return the true host name, a list of aliases, and a list of IP addresses,
    /// for a host.  The host argument is a string giving a host name or IP number.
    #[pyfunction(sig = "(host, /)")]
    fn gethostbyaddr(vm: &Vm, host: &Value) -> Res<Value> {
        audit!(vm, "socket.gethostbyaddr", host.clone());
        let address = resolve_host(vm, &host_text(vm, host)?, libc::AF_UNSPEC)?;
        let Some(bytes) = address.host_bytes() else {
            return Err(vm.os_error_message("unsupported address family"));
        };
        let family = address.family();
        let found = super::host(vm, |record, buffer, len, found, error| {
            let (data, data_len) = (bytes.as_ptr().cast(), bytes.len() as libc::socklen_t);
            // SAFETY: the pointers are those of live places with the lengths given.
            unsafe { gethostbyaddr_r(data, data_len, family, record, buffer, len, found, error) }
        })?;
        found.into_value(vm)
    }

    /// getservbyname(servicename[, protocolname]) -> integer
    ///
    /// Return a port number from a service name and protocol name.
    /// The optional protocol name, if given, should be 'tcp' or 'udp',
    /// otherwise any protocol will match.
    #[pyfunction(sig = "(servicename, protocolname=<unrepresentable>, /)")]
    fn getservbyname(vm: &Vm, servicename: &Py<Str>, protocolname: Option<&Py<Str>>) -> Res<u16> {
        audit!(
            vm,
            "socket.getservbyname",
            servicename.to_value(),
            protocolname.map_or(Value::NONE, Py::to_value)
        );
        let name = c_text(vm, servicename)?;
        let proto = protocolname.map(|p| c_text(vm, p)).transpose()?;
        let proto = proto.as_ref().map_or(std::ptr::null(), |p| p.as_ptr());
        let _held = RECORD.lock();
        let found = c!(getservbyname(name.as_ptr(), proto));
        if found.is_null() {
            return Err(vm.os_error_message("service/proto not found"));
        }
        // SAFETY: the record stays until the next call, and only the holder of the lock makes one.
        Ok(u16::from_be(unsafe { (*found).s_port } as u16))
    }

    /// getservbyport(port[, protocolname]) -> string
    ///
    /// Return the service name from a port number and protocol name.
    /// The optional protocol name, if given, should be 'tcp' or 'udp',
    /// otherwise any protocol will match.
    #[pyfunction(sig = "(port, protocolname=<unrepresentable>, /)")]
    fn getservbyport(vm: &Vm, port: i32, protocolname: Option<&Py<Str>>) -> Res<Value> {
        let Ok(port) = u16::try_from(port) else {
            return Err(vm.overflow_error("getservbyport: port must be 0-65535."));
        };
        audit!(
            vm,
            "socket.getservbyport",
            Value::int(port.into()),
            protocolname.map_or(Value::NONE, Py::to_value)
        );
        let proto = protocolname.map(|p| c_text(vm, p)).transpose()?;
        let proto = proto.as_ref().map_or(std::ptr::null(), |p| p.as_ptr());
        let name = {
            let _held = RECORD.lock();
            let found = c!(getservbyport(port.to_be().into(), proto));
            if found.is_null() {
                None
            } else {
                // SAFETY: the record stays until the next call, and only the holder of the lock makes one.
                Some(unsafe { CStr::from_ptr((*found).s_name) }.to_owned())
            }
        };
        match name {
            Some(name) => fs_decode_c(vm, &name),
            None => Err(vm.os_error_message("port/proto not found")),
        }
    }

    /// getprotobyname(name) -> integer
    ///
    /// Return the protocol number for the named protocol.  (Rarely used.)
    #[pyfunction(sig = "(name, /)")]
    fn getprotobyname(vm: &Vm, name: &Py<Str>) -> Res<i32> {
        let name = c_text(vm, name)?;
        let _held = RECORD.lock();
        let found = c!(getprotobyname(name.as_ptr()));
        if found.is_null() {
            return Err(vm.os_error_message("protocol not found"));
        }
        // SAFETY: the record stays until the next call, and only the holder of the lock makes one.
        Ok(unsafe { (*found).p_proto })
    }

    /// Convert a 16-bit unsigned integer from network to host byte order.
    #[pyfunction(sig = "(x, /)")]
    fn ntohs(vm: &Vm, x: &Value) -> Res<u16> {
        short(vm, "ntohs", x).map(u16::from_be)
    }

    /// Convert a 16-bit unsigned integer from host to network byte order.
    #[pyfunction(sig = "(x, /)")]
    fn htons(vm: &Vm, x: &Value) -> Res<u16> {
        short(vm, "htons", x).map(u16::to_be)
    }

    /// Convert a 32-bit unsigned integer from network to host byte order.
    #[pyfunction(sig = "(x, /)")]
    fn ntohl(vm: &Vm, x: &Value) -> Res<u32> {
        long(vm, x).map(u32::from_be)
    }

    /// Convert a 32-bit unsigned integer from host to network byte order.
    #[pyfunction(sig = "(x, /)")]
    fn htonl(vm: &Vm, x: &Value) -> Res<u32> {
        long(vm, x).map(u32::to_be)
    }

    /// Convert an IP address in string format (123.45.67.89) to the 32-bit packed binary format used in low-level network functions.
    #[pyfunction(sig = "(ip_addr, /)")]
    fn inet_aton(vm: &Vm, ip_addr: &Py<Str>) -> Res<Value> {
        let text = c_text(vm, ip_addr)?;
        // SAFETY: plain data.
        let mut address: libc::in_addr = unsafe { zeroed() };
        unsafe extern "C" {
            fn inet_aton(text: *const libc::c_char, address: *mut libc::in_addr) -> libc::c_int;
        }
        // SAFETY: terminated text and a live place.
        if unsafe { inet_aton(text.as_ptr(), &mut address) } == 0 {
            return Err(vm.os_error_message("illegal IP address string passed to inet_aton"));
        }
        Ok(Bytes::new_value(address.s_addr.to_ne_bytes()))
    }

    /// Convert an IP address from 32-bit packed binary format to string format.
    #[pyfunction(sig = "(packed_ip, /)")]
    fn inet_ntoa(vm: &Vm, packed_ip: &Value) -> Res<String> {
        let bytes = buffer::get_bytes(vm, packed_ip)?;
        match <[u8; 4]>::try_from(bytes.as_ref()) {
            Ok(bytes) => Ok(Ipv4Addr::from(bytes).to_string()),
            Err(_) => Err(vm.os_error_message("packed IP wrong length for inet_ntoa")),
        }
    }

    /// inet_pton(af, ip) -> packed IP address string
    ///
    /// Convert an IP address from string format to a packed string suitable
    /// for use with low-level network functions.
    #[pyfunction(sig = "(af, ip, /)")]
    fn inet_pton(vm: &Vm, af: i32, ip: &Py<Str>) -> Res<Value> {
        let text = c_text(vm, ip)?;
        let mut packed = [0u8; 16];
        let len = match af {
            libc::AF_INET => 4,
            libc::AF_INET6 => 16,
            _ => return Err(vm.os_error(libc::EAFNOSUPPORT, None)),
        };
        unsafe extern "C" {
            fn inet_pton(family: libc::c_int, text: *const libc::c_char, address: *mut libc::c_void) -> libc::c_int;
        }
        // SAFETY: terminated text, and room for the longer of the two kinds.
        match unsafe { inet_pton(af, text.as_ptr(), packed.as_mut_ptr().cast()) } {
            1 => Ok(Bytes::new_value(&packed[..len])),
            _ => Err(vm.os_error_message("illegal IP address string passed to inet_pton")),
        }
    }

    /// inet_ntop(af, packed_ip) -> string formatted IP address
    ///
    /// Convert a packed IP address of the given family to string format.
    #[pyfunction(sig = "(af, packed_ip, /)")]
    fn inet_ntop(vm: &Vm, af: i32, packed_ip: &Value) -> Res<String> {
        let bytes = buffer::get_bytes(vm, packed_ip)?;
        match af {
            libc::AF_INET | libc::AF_INET6 => {
                shown_address(af, &bytes).ok_or_else(|| vm.value_error("invalid length of packed IP address string"))
            }
            _ => Err(vm.value_error(format!("unknown address family {af}"))),
        }
    }

    /// Returns a list of network interface information (index, name) tuples.
    #[pyfunction(sig = "()")]
    fn if_nameindex(vm: &Vm) -> Res<Value> {
        let mut found = Vec::new();
        let list = c!(if_nameindex());
        if list.is_null() {
            return Err(vm.os_error(Errno::last().0, None));
        }
        let mut at = list;
        // SAFETY: the list ends with an entry of index 0 and is freed after the loop.
        unsafe {
            while (*at).if_index != 0 || !(*at).if_name.is_null() {
                found.push(((*at).if_index, CStr::from_ptr((*at).if_name).to_owned()));
                at = at.add(1);
            }
        }
        c!(if_freenameindex(list));
        let one = |(index, name): (u32, CString)| {
            Ok(Tuple::pair(Value::int(index.into()), fs_decode_c(vm, &name)?).into_value())
        };
        Ok(List::new(found.into_iter().map(one).collect::<Res<_>>()?).into_value())
    }

    /// Returns the interface index corresponding to the interface name if_name.
    #[pyfunction(sig = "(oname, /)")]
    fn if_nametoindex(vm: &Vm, oname: &Value) -> Res<u32> {
        let name = fs_encode(vm, oname)?;
        match c!(if_nametoindex(name.as_ptr())) {
            0 => Err(vm.os_error_message("no interface with this name")),
            index => Ok(index),
        }
    }

    /// Returns the interface name corresponding to the interface index if_index.
    #[pyfunction(sig = "(if_index, /)")]
    fn if_indextoname(vm: &Vm, if_index: &Value) -> Res<Value> {
        let n = vm.index(if_index)?;
        let n = vm
            .int_value(&n)
            .and_then(|n| n.to_i64())
            .and_then(|n| u32::try_from(n).ok());
        let Some(if_index) = n else {
            return Err(vm.overflow_error("Python int too large to convert to C unsigned int"));
        };
        let mut name = [0u8; libc::IF_NAMESIZE + 1];
        if c!(if_indextoname(if_index, name.as_mut_ptr().cast())).is_null() {
            return Err(vm.os_error(Errno::last().0, None));
        }
        fs_decode_c(vm, CStr::from_bytes_until_nul(&name).unwrap_or_default())
    }

    /// CMSG_LEN(length) -> control message length
    ///
    /// Return the total length, without trailing padding, of an ancillary
    /// data item with associated data of the given length.
    #[pyfunction(name = "CMSG_LEN", sig = "(length, /)")]
    fn cmsg_len(vm: &Vm, length: isize) -> Res<usize> {
        usize::try_from(length)
            .ok()
            .and_then(message::cmsg_len)
            .ok_or_else(|| vm.overflow_error("CMSG_LEN() argument out of range"))
    }

    /// CMSG_SPACE(length) -> buffer size
    ///
    /// Return the buffer size needed for recvmsg() to receive an ancillary
    /// data item with associated data of the given length, along with any
    /// trailing padding.
    #[pyfunction(name = "CMSG_SPACE", sig = "(length, /)")]
    fn cmsg_space(vm: &Vm, length: isize) -> Res<usize> {
        usize::try_from(length)
            .ok()
            .and_then(message::cmsg_space)
            .ok_or_else(|| vm.overflow_error("CMSG_SPACE() argument out of range"))
    }
}
