//! `_socket.socket`: `sendmsg` and `recvmsg`, with ancillary data.
//!
//! Invariant: the buffer of ancillary data is aligned as the system's headers want it, and never read beyond what the system
//! says it filled in.

use lisle_runtime::memory::room as memory;
use lisle_runtime::native::{Py, Res, Value, Vm, pymethods};
use lisle_runtime::types::buffer;
use lisle_runtime::types::bytes::Bytes;
use lisle_runtime::types::list::List;
use lisle_runtime::types::tuple::Tuple;

use super::address::Address;
use super::object::{Ready, Socket};
use super::transfer::room;
use crate::syscall::{c, int_arg, zeroed};

/// The most that all systems' `socklen_t` holds.
const LIMIT: u32 = i32::MAX as u32;

/// `CMSG_LEN`, unless that is too much for the system.
pub fn cmsg_len(length: usize) -> Option<usize> {
    let n = u32::try_from(length).ok().filter(|n| *n <= LIMIT)?;
    Some(c!(CMSG_LEN(n))).filter(|n| *n <= LIMIT).map(|n| n as usize)
}

/// `CMSG_SPACE`, unless that is too much for the system.
pub fn cmsg_space(length: usize) -> Option<usize> {
    // Padded as the system pads it, but for the limit: what is above it without padding is too much.
    let n = u32::try_from(length).ok().filter(|n| *n <= LIMIT)?;
    let extra = c!(CMSG_SPACE(1));
    if n > LIMIT - extra {
        return None;
    }
    Some(c!(CMSG_SPACE(n)) as usize)
}

/// One ancillary item: level, type, data.
type Item = (i32, i32, Vec<u8>);

/// Memory for ancillary data, aligned for its headers.
fn control_room(len: usize) -> Res<Vec<u64>> {
    let mut control = Vec::new();
    control.try_reserve_exact(len.div_ceil(8))?;
    control.resize(len.div_ceil(8), 0);
    Ok(control)
}

fn items_of(vm: &Vm, ancillary: &Value) -> Res<Vec<Item>> {
    let given = vm.iter(ancillary).map_err(|e| {
        if e.is(&lisle_runtime::types::exceptions::TYPE_ERROR) {
            return vm.type_error("sendmsg() argument 2 must be an iterable");
        }
        e
    })?;
    let mut items = Vec::new();
    while let Some(item) = vm.next(&given)? {
        let parts = item.downcast::<Tuple>().map(|t| t.as_slice()).unwrap_or_default();
        let [level, kind, data] = parts else {
            return Err(vm.type_error("[sendmsg() ancillary data items] must be a tuple of three elements"));
        };
        let (level, kind) = (int_arg(vm, level)?, int_arg(vm, kind)?);
        items.push((level, kind, buffer::get_bytes(vm, data)?.into_owned()));
    }
    Ok(items)
}

/// Lays the items out as the system reads them; returns the memory and its length in bytes.
fn lay_out(vm: &Vm, items: &[Item]) -> Res<(Vec<u64>, usize)> {
    let mut total = 0usize;
    for (_, _, data) in items {
        let space = cmsg_space(data.len()).and_then(|space| total.checked_add(space));
        match space {
            Some(sum) if sum < i32::MAX as usize => total = sum,
            _ => return Err(vm.os_error_message("too much ancillary data")),
        }
    }
    let mut memory = control_room(total)?;
    let mut at = 0;
    for (level, kind, data) in items {
        // SAFETY: each item has `CMSG_SPACE` bytes from `at` on, and `at` is a multiple of the headers' alignment.
        unsafe {
            let header = memory.as_mut_ptr().cast::<u8>().add(at).cast::<libc::cmsghdr>();
            (*header).cmsg_level = *level;
            (*header).cmsg_type = *kind;
            (*header).cmsg_len = cmsg_len(data.len()).unwrap_or(0) as _;
            std::ptr::copy_nonoverlapping(data.as_ptr(), libc::CMSG_DATA(header), data.len());
        }
        at += cmsg_space(data.len()).unwrap_or(0);
    }
    Ok((memory, total))
}

/// The items that the system put into a message.
fn received(message: &libc::msghdr) -> Vec<Item> {
    let mut items = Vec::new();
    // SAFETY: the message is one that `recvmsg` filled in, with its buffer still there; each header's data are cut to
    // what lies within the buffer.
    unsafe {
        let end = message.msg_control as usize + message.msg_controllen;
        let mut header = libc::CMSG_FIRSTHDR(message);
        while !header.is_null() {
            let data = libc::CMSG_DATA(header);
            let length = ((*header).cmsg_len as usize).saturating_sub(libc::CMSG_LEN(0) as usize);
            let length = length.min(end.saturating_sub(data as usize));
            let data = std::slice::from_raw_parts(data, length).to_vec();
            items.push(((*header).cmsg_level, (*header).cmsg_type, data));
            header = libc::CMSG_NXTHDR(message, header);
        }
    }
    items
}

/// What `recvmsg` tells besides the data.
struct Received {
    bytes: usize,
    ancillary: Value,
    flags: i32,
    address: Value,
}

impl Received {
    fn values(self, first: Value) -> Value {
        let rest = [self.ancillary, Value::int(self.flags.into()), self.address];
        Tuple::new(std::iter::once(first).chain(rest).collect()).into_value()
    }
}

impl Socket {
    fn receive_message(
        vm: &Vm,
        this: &Py<Socket>,
        name: &str,
        parts: &mut [Vec<u8>],
        ancillary: isize,
        flags: i32,
    ) -> Res<Received> {
        let size = match usize::try_from(ancillary) {
            Ok(n) if n < i32::MAX as usize => n,
            _ => {
                let message = format!("invalid ancillary data buffer length in {name}()");
                return Err(vm.value_error(message));
            }
        };
        let mut control = control_room(size)?;
        let mut vectors: Vec<libc::iovec> = parts
            .iter_mut()
            .map(|part| libc::iovec {
                iov_base: part.as_mut_ptr().cast(),
                iov_len: part.len(),
            })
            .collect();
        let mut address = Address::empty();
        // SAFETY: plain data.
        let mut message: libc::msghdr = unsafe { zeroed() };
        let bytes = this.call(vm, Ready::Read, |fd| {
            // SAFETY: plain data.
            message = unsafe { zeroed() };
            message.msg_name = address.as_mut_ptr();
            message.msg_namelen = size_of::<libc::sockaddr_storage>() as libc::socklen_t;
            message.msg_iov = vectors.as_mut_ptr();
            message.msg_iovlen = vectors.len() as _;
            if size > 0 {
                message.msg_control = control.as_mut_ptr().cast();
                message.msg_controllen = size as _;
            }
            c!(recvmsg(fd, &mut message, flags | libc::MSG_CMSG_CLOEXEC))
        })?;
        address.set_len(message.msg_namelen);
        let items = if size > 0 { received(&message) } else { Vec::new() };
        let items = items.into_iter().map(|(level, kind, data)| {
            let (level, kind) = (Value::int(level.into()), Value::int(kind.into()));
            Tuple::new(vec![level, kind, Bytes::new_value(data)]).into_value()
        });
        Ok(Received {
            bytes: bytes as usize,
            ancillary: List::new(items.collect()).into_value(),
            flags: message.msg_flags & !libc::MSG_CMSG_CLOEXEC,
            address: address.to_value(vm)?,
        })
    }
}

#[pymethods(part = define_messages)]
impl Socket {
    /// recvmsg(bufsize[, ancbufsize[, flags]]) -> (data, ancdata, msg_flags, address)
    ///
    /// Receive normal data (up to bufsize bytes) and ancillary data from the
    /// socket.  The ancbufsize argument sets the size in bytes of the
    /// internal buffer used to receive the ancillary data; it defaults to 0,
    /// meaning that no ancillary data will be received.
    #[pymethod(sig = "($self, bufsize, ancbufsize=0, flags=0, /)")]
    fn recvmsg(vm: &Vm, this: &Py<Socket>, bufsize: isize, ancbufsize: isize, flags: i32) -> Res<Value> {
        if bufsize < 0 {
            return Err(vm.value_error("negative buffer size in recvmsg()"));
        }
        let mut parts = [room(vm, bufsize, "recvmsg()")?];
        let received = Socket::receive_message(vm, this, "recvmsg", &mut parts, ancbufsize, flags)?;
        let [mut data] = parts;
        data.truncate(received.bytes);
        Ok(received.values(Bytes::new_value(data)))
    }

    /// recvmsg_into(buffers[, ancbufsize[, flags]]) -> (nbytes, ancdata, msg_flags, address)
    ///
    /// Receive normal data and ancillary data from the socket, scattering the
    /// non-ancillary data into a series of buffers.
    #[pymethod(sig = "($self, buffers, ancbufsize=0, flags=0, /)")]
    fn recvmsg_into(vm: &Vm, this: &Py<Socket>, buffers: &Value, ancbufsize: isize, flags: i32) -> Res<Value> {
        let targets = vm.collect(buffers).map_err(|e| {
            if e.is(&lisle_runtime::types::exceptions::TYPE_ERROR) && buffers.ty().slots().iter.is_none() {
                return vm.type_error("recvmsg_into() argument 1 must be an iterable");
            }
            e
        })?;
        if targets.len() > i32::MAX as usize {
            return Err(vm.os_error_message("recvmsg_into() argument 1 is too long"));
        }
        let mut parts: Vec<Vec<u8>> = targets
            .iter()
            .map(|target| Ok(memory::zeroed(buffer::writable_len(vm, target)?)?))
            .collect::<Res<_>>()?;
        let received = Socket::receive_message(vm, this, "recvmsg_into", &mut parts, ancbufsize, flags)?;
        let mut left = received.bytes;
        for (target, part) in targets.iter().zip(&parts) {
            let n = part.len().min(left);
            buffer::copy_into(vm, target, 0, &part[..n])?;
            left -= n;
        }
        let bytes = Value::usize(received.bytes);
        Ok(received.values(bytes))
    }

    /// sendmsg(buffers[, ancdata[, flags[, address]]]) -> count
    ///
    /// Send normal and ancillary data to the socket, gathering the
    /// non-ancillary data from a series of buffers and concatenating it into
    /// a single message.
    #[pymethod(sig = "($self, buffers, ancdata=(), flags=0, address=None, /)")]
    fn sendmsg(
        vm: &Vm,
        this: &Py<Socket>,
        buffers: &Value,
        ancdata: Option<&Value>,
        flags: i32,
        address: Option<&Value>,
    ) -> Res<isize> {
        let sources = vm.collect(buffers).map_err(|e| {
            if e.is(&lisle_runtime::types::exceptions::TYPE_ERROR) && buffers.ty().slots().iter.is_none() {
                return vm.type_error("sendmsg() argument 1 must be an iterable");
            }
            e
        })?;
        let data = sources
            .iter()
            .map(|source| buffer::hold(vm, source))
            .collect::<Res<Vec<_>>>()?;
        let items = ancdata.map_or(Ok(Vec::new()), |ancillary| items_of(vm, ancillary))?;
        let (mut control, size) = lay_out(vm, &items)?;
        crate::syscall::audit!(
            vm,
            "socket.sendmsg",
            this.to_value(),
            address.cloned().unwrap_or(Value::NONE)
        );
        let mut address = address
            .filter(|a| !a.is_none())
            .map(|address| Address::parse(vm, this, address, "sendmsg"))
            .transpose()?;
        let mut vectors: Vec<libc::iovec> = data
            .iter()
            .map(|part| libc::iovec {
                iov_base: part.as_ptr().cast_mut().cast(),
                iov_len: part.len(),
            })
            .collect();
        this.call(vm, Ready::Write, |fd| {
            // SAFETY: plain data.
            let mut message: libc::msghdr = unsafe { zeroed() };
            if let Some(address) = &mut address {
                message.msg_namelen = address.len();
                message.msg_name = address.as_mut_ptr();
            }
            message.msg_iov = vectors.as_mut_ptr();
            message.msg_iovlen = vectors.len() as _;
            if size > 0 {
                message.msg_control = control.as_mut_ptr().cast();
                message.msg_controllen = size as _;
            }
            c!(sendmsg(fd, &message, flags))
        })
    }

    /// sendmsg_afalg([msg], *, op[, iv[, assoclen[, flags=MSG_MORE]]])
    ///
    /// Set operation mode, IV and length of associated data for an AF_ALG
    /// operation socket.
    #[pymethod(sig = "($self, /, msg=(), *, op, iv=None, assoclen=None, flags=0)")]
    fn sendmsg_afalg(
        vm: &Vm,
        this: &Py<Socket>,
        msg: Option<&Value>,
        op: i32,
        iv: Option<&Value>,
        assoclen: Option<i32>,
        flags: i32,
    ) -> Res<isize> {
        if op < 0 {
            return Err(vm.type_error("Invalid or missing argument 'op'"));
        }
        let mut items: Vec<Item> = vec![(libc::SOL_ALG, libc::ALG_SET_OP, op.to_ne_bytes().to_vec())];
        if let Some(iv) = iv.filter(|iv| !iv.is_none()) {
            let iv = buffer::get_bytes(vm, iv)?;
            let mut data = (iv.len() as u32).to_ne_bytes().to_vec();
            data.extend_from_slice(&iv);
            items.push((libc::SOL_ALG, libc::ALG_SET_IV, data));
        }
        if let Some(length) = assoclen {
            if length < 0 {
                return Err(vm.type_error("assoclen must be positive"));
            }
            let data = length.to_ne_bytes().to_vec();
            items.push((libc::SOL_ALG, libc::ALG_SET_AEAD_ASSOCLEN, data));
        }
        let items = items.into_iter().map(|(level, kind, data)| {
            let (level, kind) = (Value::int(level.into()), Value::int(kind.into()));
            Tuple::new(vec![level, kind, Bytes::new_value(data)]).into_value()
        });
        let ancillary = List::new(items.collect()).into_value();
        let empty = Tuple::empty().into_value();
        Socket::sendmsg(vm, this, msg.unwrap_or(&empty), Some(&ancillary), flags, None)
    }
}
