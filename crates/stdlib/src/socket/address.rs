//! Socket addresses between Python's tuples and strings and the system's structures.
//!
//! Invariant: `len` bytes of the storage are initialised; the storage is large enough for every family.

use std::ffi::CString;
use std::net::{Ipv4Addr, Ipv6Addr};

use lisle_runtime::native::{Exc, Res, Str, Value, Vm};
use lisle_runtime::types::buffer;
use lisle_runtime::types::bytearray::ByteArray;
use lisle_runtime::types::bytes::Bytes;
use lisle_runtime::types::exceptions;
use lisle_runtime::types::tuple::Tuple;

use super::object::Socket;
use super::resolve::{Resolved, resolve};
use crate::posix::path::{fs_decode, fs_encode};
use crate::syscall::{Sys, c, int_arg, zeroed};

/// An address of any family.
pub struct Address {
    storage: libc::sockaddr_storage,
    len: libc::socklen_t,
}

/// Byte order of the network.
fn port_of(port: u16) -> u16 {
    port.to_be()
}

impl Address {
    pub fn empty() -> Address {
        Address {
            // SAFETY: plain data.
            storage: unsafe { zeroed() },
            len: 0,
        }
    }

    /// The bytes of one of the system's address structures.
    pub fn of<T: Copy>(address: &T) -> Address {
        Address::of_part(address, size_of::<T>())
    }

    /// The first `len` bytes of a structure.
    fn of_part<T: Copy>(address: &T, len: usize) -> Address {
        let mut new = Address::empty();
        let len = len.min(size_of::<T>()).min(size_of::<libc::sockaddr_storage>());
        // SAFETY: both places have at least that many bytes.
        unsafe {
            std::ptr::copy_nonoverlapping(
                std::ptr::from_ref(address).cast::<u8>(),
                (&raw mut new.storage).cast::<u8>(),
                len,
            );
        }
        new.len = len as libc::socklen_t;
        new
    }

    /// Copies an address that the C library made.
    ///
    /// # Safety
    /// `len` bytes can be read there.
    pub unsafe fn copy(from: *const libc::sockaddr, len: libc::socklen_t) -> Address {
        let mut new = Address::empty();
        let n = (len as usize).min(size_of::<libc::sockaddr_storage>());
        // SAFETY: by contract, and the storage has room.
        unsafe { std::ptr::copy_nonoverlapping(from.cast::<u8>(), (&raw mut new.storage).cast::<u8>(), n) };
        new.len = n as libc::socklen_t;
        new
    }

    /// An address that a system call fills in.
    pub fn receive(call: impl FnOnce(*mut libc::sockaddr, *mut libc::socklen_t) -> Sys<i32>) -> Sys<Address> {
        let mut new = Address::empty();
        let (pointer, len) = new.receiving();
        call(pointer, len)?;
        new.len = new.len.min(size_of::<libc::sockaddr_storage>() as libc::socklen_t);
        Ok(new)
    }

    /// Where a system call puts an address.
    pub fn receiving(&mut self) -> (*mut libc::sockaddr, *mut libc::socklen_t) {
        self.len = size_of::<libc::sockaddr_storage>() as libc::socklen_t;
        ((&raw mut self.storage).cast(), &raw mut self.len)
    }

    /// As a system call takes it.
    pub fn as_ptr(&self) -> (*const libc::sockaddr, libc::socklen_t) {
        ((&raw const self.storage).cast(), self.len)
    }

    /// As `sendmsg` and `recvmsg` take it.
    pub fn as_mut_ptr(&mut self) -> *mut libc::c_void {
        (&raw mut self.storage).cast()
    }

    /// How many bytes there are.
    pub fn len(&self) -> libc::socklen_t {
        self.len
    }

    /// Sets how many bytes a system call filled in.
    pub fn set_len(&mut self, len: libc::socklen_t) {
        self.len = len.min(size_of::<libc::sockaddr_storage>() as libc::socklen_t);
    }

    pub fn family(&self) -> i32 {
        self.storage.ss_family.into()
    }

    /// The structure of a family; the bytes beyond the length are zero.
    fn view<T: Copy>(&self) -> T {
        const { assert!(size_of::<T>() <= size_of::<libc::sockaddr_storage>()) };
        // SAFETY: the storage is as large, aligned for every family, and all of it is initialised; `T` is plain data.
        unsafe { std::ptr::read((&raw const self.storage).cast::<T>()) }
    }

    fn bytes(&self) -> &[u8] {
        // SAFETY: the storage is initialised and has at least `len` bytes.
        unsafe { std::slice::from_raw_parts((&raw const self.storage).cast::<u8>(), self.len as usize) }
    }

    /// An IPv6 address with these fields besides.
    pub fn with_flow_and_scope(&self, flow: u32, scope: u32) -> Address {
        let mut a: libc::sockaddr_in6 = self.view();
        a.sin6_flowinfo = flow.to_be();
        a.sin6_scope_id = scope;
        Address::of(&a)
    }

    /// The bytes of an IP address alone.
    pub fn host_bytes(&self) -> Option<Vec<u8>> {
        match self.family() {
            libc::AF_INET => Some(self.view::<libc::sockaddr_in>().sin_addr.s_addr.to_ne_bytes().to_vec()),
            libc::AF_INET6 => Some(self.view::<libc::sockaddr_in6>().sin6_addr.s6_addr.to_vec()),
            _ => None,
        }
    }

    /// The address as programs see it; `None` if there is none.
    pub fn to_value(&self, vm: &Vm) -> Res<Value> {
        if self.len == 0 {
            return Ok(Value::NONE);
        }
        let int = |n: u32| Value::int(n.into());
        let tuple = |items: Vec<Value>| Ok(Tuple::new(items).into_value());
        match self.family() {
            libc::AF_INET => {
                let a: libc::sockaddr_in = self.view();
                let host = Ipv4Addr::from(u32::from_be(a.sin_addr.s_addr)).to_string();
                let port = u16::from_be(a.sin_port);
                tuple(vec![Value::from(host.as_str()), int(port.into())])
            }
            libc::AF_INET6 => {
                let a: libc::sockaddr_in6 = self.view();
                let host = numeric_host(self);
                let port = u16::from_be(a.sin6_port);
                tuple(vec![
                    Value::from(host.as_str()),
                    int(port.into()),
                    int(u32::from_be(a.sin6_flowinfo)),
                    int(a.sin6_scope_id),
                ])
            }
            libc::AF_UNIX => {
                let path = &self.bytes()[size_of::<libc::sa_family_t>().min(self.len as usize)..];
                // A name that begins with a null byte is in the abstract namespace.
                if path.first() == Some(&0) {
                    return Ok(Bytes::new_value(path));
                }
                let end = path.iter().position(|b| *b == 0).unwrap_or(path.len());
                fs_decode(vm, &path[..end])
            }
            libc::AF_NETLINK => {
                let a: libc::sockaddr_nl = self.view();
                tuple(vec![int(a.nl_pid), int(a.nl_groups)])
            }
            libc::AF_VSOCK => {
                let a: libc::sockaddr_vm = self.view();
                tuple(vec![int(a.svm_cid), int(a.svm_port)])
            }
            libc::AF_PACKET => {
                let a: libc::sockaddr_ll = self.view();
                let mut name = [0u8; libc::IF_NAMESIZE];
                let found = c!(if_indextoname(a.sll_ifindex as u32, name.as_mut_ptr().cast()));
                let end = name.iter().position(|b| *b == 0).unwrap_or(0);
                let name = if found.is_null() { &[][..] } else { &name[..end] };
                let n = usize::from(a.sll_halen).min(a.sll_addr.len());
                tuple(vec![
                    fs_decode(vm, name)?,
                    int(u16::from_be(a.sll_protocol).into()),
                    int(a.sll_pkttype.into()),
                    int(a.sll_hatype.into()),
                    Bytes::new_value(&a.sll_addr[..n]),
                ])
            }
            libc::AF_CAN => {
                let a: libc::sockaddr_can = self.view();
                let mut name = [0u8; libc::IF_NAMESIZE];
                let found = if a.can_ifindex == 0 {
                    std::ptr::null_mut()
                } else {
                    c!(if_indextoname(a.can_ifindex as u32, name.as_mut_ptr().cast()))
                };
                let end = name.iter().position(|b| *b == 0).unwrap_or(0);
                let name = if found.is_null() { &[][..] } else { &name[..end] };
                tuple(vec![fs_decode(vm, name)?])
            }
            family => tuple(vec![
                Value::int(family.into()),
                Bytes::new_value(&self.bytes()[size_of::<libc::sa_family_t>().min(self.len as usize)..]),
            ]),
        }
    }

    /// The address that an argument of the method `name` gives, for sockets of the family of `socket`.
    pub fn parse(vm: &Vm, socket: &Socket, value: &Value, name: &str) -> Res<Address> {
        match socket.family() {
            libc::AF_INET => {
                let items = fields(vm, value, name, "AF_INET")?;
                let [host, port] = items else {
                    return Err(vm.type_error("AF_INET address must be a pair (host, port)"));
                };
                let host = host_text(vm, host)?;
                let port = port_number(vm, port, name)?;
                let mut address = resolve_host(vm, &host, libc::AF_INET)?.view::<libc::sockaddr_in>();
                address.sin_family = libc::AF_INET as libc::sa_family_t;
                address.sin_port = port_of(port);
                Ok(Address::of(&address))
            }
            libc::AF_INET6 => {
                let items = fields(vm, value, name, "AF_INET6")?;
                let ([host, port], rest) = items
                    .split_first_chunk()
                    .filter(|(_, rest)| rest.len() <= 2)
                    .ok_or_else(|| {
                        vm.type_error("AF_INET6 address must be a tuple (host, port[, flowinfo[, scopeid]])")
                    })?;
                let host = host_text(vm, host)?;
                let port = port_number(vm, port, name)?;
                let number = |at: usize| rest.get(at).map_or(Ok(0), |v| vm.index_to_i64(v));
                let (flow, scope) = (number(0)?, number(1)?);
                if !(0..=0xf_ffff).contains(&flow) {
                    return Err(vm.overflow_error(format!("{name}(): flowinfo must be 0-1048575.")));
                }
                let mut address = resolve_host(vm, &host, libc::AF_INET6)?.view::<libc::sockaddr_in6>();
                address.sin6_family = libc::AF_INET6 as libc::sa_family_t;
                address.sin6_port = port_of(port);
                address.sin6_flowinfo = (flow as u32).to_be();
                address.sin6_scope_id = scope as u32;
                Ok(Address::of(&address))
            }
            libc::AF_UNIX => unix_address(vm, value),
            libc::AF_NETLINK => {
                let [pid, groups] = fields(vm, value, name, "AF_NETLINK")? else {
                    return Err(vm.type_error("AF_NETLINK address must be a pair (pid, groups)"));
                };
                // SAFETY: plain data.
                let mut address: libc::sockaddr_nl = unsafe { zeroed() };
                address.nl_family = libc::AF_NETLINK as libc::sa_family_t;
                address.nl_pid = vm.index_to_i64(pid)? as u32;
                address.nl_groups = vm.index_to_i64(groups)? as u32;
                Ok(Address::of(&address))
            }
            libc::AF_VSOCK => {
                let [cid, port] = fields(vm, value, name, "AF_VSOCK")? else {
                    return Err(vm.type_error("AF_VSOCK address must be a pair (CID, port)"));
                };
                // SAFETY: plain data.
                let mut address: libc::sockaddr_vm = unsafe { zeroed() };
                address.svm_family = libc::AF_VSOCK as libc::sa_family_t;
                address.svm_cid = vm.index_to_i64(cid)? as u32;
                address.svm_port = vm.index_to_i64(port)? as u32;
                Ok(Address::of(&address))
            }
            libc::AF_PACKET => packet_address(vm, value, name),
            libc::AF_CAN => {
                let items = fields(vm, value, name, "AF_CAN")?;
                let Some(interface) = items.first() else {
                    return Err(vm.type_error("AF_CAN address must be a tuple (interface, )"));
                };
                let interface = fs_encode(vm, interface)?;
                // SAFETY: plain data.
                let mut address: libc::sockaddr_can = unsafe { zeroed() };
                address.can_family = libc::AF_CAN as libc::sa_family_t;
                if !interface.is_empty() {
                    address.can_ifindex = interface_index(vm, &interface)?;
                }
                Ok(Address::of(&address))
            }
            libc::AF_ALG => {
                let items = fields(vm, value, name, "AF_ALG")?;
                let [kind, algorithm, ..] = items else {
                    return Err(vm.type_error("AF_ALG address must be a tuple (type, name[, feat[, mask]])"));
                };
                let (kind, algorithm) = (fs_encode(vm, kind)?, fs_encode(vm, algorithm)?);
                // SAFETY: plain data.
                let mut address: libc::sockaddr_alg = unsafe { zeroed() };
                address.salg_family = libc::AF_ALG as libc::sa_family_t;
                let fits = kind.as_bytes().len() < address.salg_type.len()
                    && algorithm.as_bytes().len() < address.salg_name.len();
                if !fits {
                    return Err(vm.value_error("AF_ALG name too long."));
                }
                address.salg_type[..kind.as_bytes().len()].copy_from_slice(kind.as_bytes());
                address.salg_name[..algorithm.as_bytes().len()].copy_from_slice(algorithm.as_bytes());
                Ok(Address::of(&address))
            }
            _ => Err(vm.os_error_message(format!("{name}(): bad family"))),
        }
    }
}

/// The numeric form of an IPv6 address, with its scope where that belongs to it.
fn numeric_host(address: &Address) -> String {
    let mut host = [0u8; 1025];
    let (pointer, len) = address.as_ptr();
    let (room, none) = (host.len() as libc::socklen_t, std::ptr::null_mut());
    let mut a: libc::sockaddr_in6 = address.view();
    if c!(getnameinfo(
        pointer,
        len,
        host.as_mut_ptr().cast(),
        room,
        none,
        0,
        libc::NI_NUMERICHOST
    )) == 0
    {
        let end = host.iter().position(|b| *b == 0).unwrap_or(0);
        let text = String::from_utf8_lossy(&host[..end]);
        // The scope is a field of its own.
        return text.split('%').next().unwrap_or_default().to_owned();
    }
    a.sin6_scope_id = 0;
    Ipv6Addr::from(a.sin6_addr.s6_addr).to_string()
}

/// The items of an address tuple.
fn fields<'a>(vm: &Vm, value: &'a Value, name: &str, family: &str) -> Res<&'a [Value]> {
    match value.downcast::<Tuple>() {
        Some(tuple) => Ok(tuple.as_slice()),
        None => {
            let found = value.ty().name();
            Err(vm.type_error(format!("{name}(): {family} address must be tuple, not {found}")))
        }
    }
}

fn port_number(vm: &Vm, value: &Value, name: &str) -> Res<u16> {
    let out_of_range = || vm.overflow_error(format!("{name}(): port must be 0-65535."));
    let port = match int_arg(vm, value) {
        Ok(port) => port,
        Err(e) if e.is(&exceptions::OVERFLOW_ERROR) => return Err(out_of_range()),
        Err(e) => return Err(e),
    };
    u16::try_from(port).map_err(|_| out_of_range())
}

/// A host's name as the C library takes it: text is encoded by IDNA.
pub fn host_text(vm: &Vm, value: &Value) -> Res<CString> {
    let null = || -> Exc { vm.type_error("host name must not contain null character") };
    if let Some(text) = value.downcast::<Str>() {
        if let Some(ascii) = text.as_ascii() {
            return CString::new(ascii).map_err(|_| null());
        }
        let name = lisle_runtime::intern!("encode");
        let made = vm.call_method(value, name, &[Value::from("idna")])?;
        let bytes = buffer::get_bytes(vm, &made)?.into_owned();
        return CString::new(bytes).map_err(|_| null());
    }
    if value.downcast::<Bytes>().is_some() || value.downcast::<ByteArray>().is_some() {
        let bytes = buffer::get_bytes(vm, value)?.into_owned();
        return CString::new(bytes).map_err(|_| null());
    }
    let found = value.ty().name();
    Err(vm.type_error(format!("str, bytes or bytearray expected, not {found}")))
}

/// The address of a host, without a port.
pub fn resolve_host(vm: &Vm, host: &CString, family: i32) -> Res<Address> {
    let text = host.as_bytes();
    if text.is_empty() {
        // Any address of this host.
        let found = resolve(vm, None, Some(c"0"), family, libc::SOCK_DGRAM, 0, libc::AI_PASSIVE)?;
        return single(vm, found);
    }
    if text == b"255.255.255.255" || text == b"<broadcast>" {
        if family != libc::AF_INET && family != libc::AF_UNSPEC {
            return Err(vm.os_error_message("address family mismatched"));
        }
        return Ok(ipv4(Ipv4Addr::BROADCAST));
    }
    if (family == libc::AF_INET || family == libc::AF_UNSPEC)
        && let Some(address) = host.to_str().ok().and_then(|text| text.parse::<Ipv4Addr>().ok())
    {
        return Ok(ipv4(address));
    }
    if family == libc::AF_INET6
        && let Some(address) = host.to_str().ok().and_then(|text| text.parse::<Ipv6Addr>().ok())
    {
        // SAFETY: plain data.
        let mut a: libc::sockaddr_in6 = unsafe { zeroed() };
        a.sin6_family = libc::AF_INET6 as libc::sa_family_t;
        a.sin6_addr.s6_addr = address.octets();
        return Ok(Address::of(&a));
    }
    let found = resolve(vm, Some(host), None, family, 0, 0, 0)?;
    match found.into_iter().next() {
        Some(first) => Ok(first.address),
        None => Err(vm.os_error_message("unknown address family")),
    }
}

fn single(vm: &Vm, found: Vec<Resolved>) -> Res<Address> {
    let mut found = found.into_iter();
    match (found.next(), found.next()) {
        (Some(only), None) => Ok(only.address),
        _ => Err(vm.os_error_message("wildcard resolved to multiple address")),
    }
}

fn ipv4(address: Ipv4Addr) -> Address {
    // SAFETY: plain data.
    let mut a: libc::sockaddr_in = unsafe { zeroed() };
    a.sin_family = libc::AF_INET as libc::sa_family_t;
    a.sin_addr.s_addr = u32::from(address).to_be();
    Address::of(&a)
}

fn unix_address(vm: &Vm, value: &Value) -> Res<Address> {
    let path = match value.downcast::<Str>() {
        // Not by way of a terminated text: a null byte in front is the abstract namespace.
        Some(text) => {
            let made = lisle_runtime::types::encoding::encode(
                vm,
                text,
                lisle_runtime::interp::system_encoding(),
                "surrogateescape",
            )?;
            buffer::get_bytes(vm, &made)?.into_owned()
        }
        None => buffer::get_bytes(vm, value)?.into_owned(),
    };
    // SAFETY: plain data.
    let mut address: libc::sockaddr_un = unsafe { zeroed() };
    let room = address.sun_path.len();
    let is_abstract = path.first() == Some(&0);
    if path.len() > room || (!is_abstract && path.len() >= room) {
        return Err(vm.os_error_message("AF_UNIX path too long"));
    }
    address.sun_family = libc::AF_UNIX as libc::sa_family_t;
    for (place, byte) in address.sun_path.iter_mut().zip(&path) {
        *place = *byte as libc::c_char;
    }
    let terminator = usize::from(!is_abstract && !path.is_empty());
    let len = size_of::<libc::sa_family_t>() + path.len() + terminator;
    Ok(Address::of_part(&address, len))
}

fn interface_index(vm: &Vm, name: &CString) -> Res<i32> {
    match c!(if_nametoindex(name.as_ptr())) {
        0 => Err(vm.os_error(libc::ENODEV, None)),
        index => Ok(index as i32),
    }
}

fn packet_address(vm: &Vm, value: &Value, name: &str) -> Res<Address> {
    let items = fields(vm, value, name, "AF_PACKET")?;
    let ([interface, protocol], rest) = items
        .split_first_chunk()
        .filter(|(_, rest)| rest.len() <= 3)
        .ok_or_else(|| vm.type_error("AF_PACKET address must be a tuple of two to five elements"))?;
    let interface = fs_encode(vm, interface)?;
    let Ok(protocol) = u16::try_from(int_arg(vm, protocol)?) else {
        return Err(vm.overflow_error(format!("{name}(): proto argument must be 0-65535.")));
    };
    let number = |at: usize| rest.get(at).map_or(Ok(0), |v| int_arg(vm, v));
    let hardware = match rest.get(2) {
        Some(bytes) => buffer::get_bytes(vm, bytes)?.into_owned(),
        None => Vec::new(),
    };
    if hardware.len() > 8 {
        return Err(vm.value_error("Hardware address must be 8 bytes or less"));
    }
    // SAFETY: plain data.
    let mut address: libc::sockaddr_ll = unsafe { zeroed() };
    address.sll_family = libc::AF_PACKET as libc::sa_family_t;
    address.sll_protocol = protocol.to_be();
    address.sll_ifindex = interface_index(vm, &interface)?;
    address.sll_pkttype = number(0)? as u8;
    address.sll_hatype = number(1)? as u16;
    address.sll_addr[..hardware.len()].copy_from_slice(&hardware);
    address.sll_halen = hardware.len() as u8;
    Ok(Address::of(&address))
}
