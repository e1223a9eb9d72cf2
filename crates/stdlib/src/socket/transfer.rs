//! `_socket.socket`: receiving and sending.
//!
//! Invariant: what is received goes to memory of our own and is copied to a program's buffer afterwards, attached.

use lisle_runtime::memory::room::fitted;
use lisle_runtime::native::{Py, Res, Value, Vm, pymethods};
use lisle_runtime::types::buffer;
use lisle_runtime::types::bytes::Bytes;

use super::address::Address;
use super::object::{Ready, Socket};
use crate::syscall::{c, int_arg};

/// Memory to receive up to `len` bytes.
pub fn room(vm: &Vm, len: isize, name: &str) -> Res<Vec<u8>> {
    let Ok(len) = usize::try_from(len) else {
        return Err(vm.value_error(format!("negative buffersize in {name}")));
    };
    Ok(lisle_runtime::memory::room::zeroed(len)?)
}

/// As [`room`], with nothing in it yet. What is discarded unseen (`MSG_TRUNC`) leaves zeros.
fn empty_room(vm: &Vm, len: isize, flags: i32, name: &str) -> Res<Vec<u8>> {
    let Ok(len) = usize::try_from(len) else {
        return Err(vm.value_error(format!("negative buffersize in {name}")));
    };
    let mut data = Vec::new();
    data.try_reserve_exact(len).map_err(|_| vm.memory_error())?;
    if flags & libc::MSG_TRUNC != 0 {
        data.resize(len, 0);
        data.clear();
    }
    Ok(data)
}

/// How many bytes a buffer takes, of the number that was asked for; 0 stands for all.
fn wanted(vm: &Vm, target: &Value, nbytes: isize, name: &str) -> Res<isize> {
    let len = buffer::writable_len(vm, target)? as isize;
    if nbytes < 0 {
        return Err(vm.value_error(format!("negative buffersize in {name}")));
    }
    if nbytes > len {
        let message = if name == "recvfrom_into" {
            "nbytes is greater than the length of the buffer"
        } else {
            "buffer too small for requested bytes"
        };
        return Err(vm.value_error(message));
    }
    Ok(if nbytes == 0 { len } else { nbytes })
}

impl Socket {
    /// Receives up to `len` bytes; there is room for them.
    fn receive(vm: &Vm, this: &Py<Socket>, data: &mut Vec<u8>, len: usize, flags: i32) -> Res<()> {
        let len = len.min(data.capacity());
        if len == 0 {
            return Ok(());
        }
        let n = this.call(vm, Ready::Read, |fd| c!(recv(fd, data.as_mut_ptr().cast(), len, flags)))?;
        // SAFETY: the system has written so many bytes, or had none to write over the zeros.
        unsafe { data.set_len((n as usize).min(len)) };
        Ok(())
    }

    fn receive_from(vm: &Vm, this: &Py<Socket>, data: &mut Vec<u8>, len: usize, flags: i32) -> Res<Value> {
        let mut address = Address::empty();
        let len = len.min(data.capacity());
        let n = this.call(vm, Ready::Read, |fd| {
            let (pointer, size) = address.receiving();
            c!(recvfrom(fd, data.as_mut_ptr().cast(), len, flags, pointer, size))
        })?;
        // SAFETY: as above.
        unsafe { data.set_len((n as usize).min(len)) };
        address.to_value(vm)
    }
}

#[pymethods(part = define_transfer)]
impl Socket {
    /// recv(buffersize[, flags]) -> data
    ///
    /// Receive up to buffersize bytes from the socket.  For the optional flags
    /// argument, see the Unix manual.  When no data is available, block until
    /// at least one byte is available or until the remote end is closed.  When
    /// the remote end is closed and all data is read, return the empty string.
    #[pymethod(sig = "($self, buffersize, flags=0, /)")]
    fn recv(vm: &Vm, this: &Py<Socket>, buffersize: isize, flags: i32) -> Res<Value> {
        let mut data = empty_room(vm, buffersize, flags, "recv")?;
        Socket::receive(vm, this, &mut data, buffersize as usize, flags)?;
        Ok(Bytes::new_value(fitted(data)?))
    }

    /// recv_into(buffer, [nbytes[, flags]]) -> nbytes_read
    ///
    /// A version of recv() that stores its data into a buffer rather than creating
    /// a new string.  Receive up to buffersize bytes from the socket.  If buffersize
    /// is not specified (or 0), receive up to the size available in the given buffer.
    ///
    /// See recv() for documentation about the flags.
    #[pymethod(sig = "($self, /, buffer, nbytes=0, flags=0)")]
    fn recv_into(vm: &Vm, this: &Py<Socket>, buffer: &Value, nbytes: isize, flags: i32) -> Res<usize> {
        let wanted = wanted(vm, buffer, nbytes, "recv_into")?;
        let mut data = empty_room(vm, wanted, flags, "recv_into")?;
        Socket::receive(vm, this, &mut data, wanted as usize, flags)?;
        buffer::copy_into(vm, buffer, 0, &data)?;
        Ok(data.len())
    }

    /// recvfrom(buffersize[, flags]) -> (data, address info)
    ///
    /// Like recv(buffersize, flags) but also return the sender's address info.
    #[pymethod(sig = "($self, buffersize, flags=0, /)")]
    fn recvfrom(vm: &Vm, this: &Py<Socket>, buffersize: isize, flags: i32) -> Res<(Value, Value)> {
        let mut data = empty_room(vm, buffersize, flags, "recvfrom")?;
        let address = Socket::receive_from(vm, this, &mut data, buffersize as usize, flags)?;
        Ok((Bytes::new_value(fitted(data)?), address))
    }

    /// recvfrom_into(buffer[, nbytes[, flags]]) -> (nbytes, address info)
    ///
    /// Like recv_into(buffer[, nbytes[, flags]]) but also return the sender's address info.
    #[pymethod(sig = "($self, /, buffer, nbytes=0, flags=0)")]
    fn recvfrom_into(vm: &Vm, this: &Py<Socket>, buffer: &Value, nbytes: isize, flags: i32) -> Res<(usize, Value)> {
        let wanted = wanted(vm, buffer, nbytes, "recvfrom_into")?;
        let mut data = empty_room(vm, wanted, flags, "recvfrom_into")?;
        let address = Socket::receive_from(vm, this, &mut data, wanted as usize, flags)?;
        buffer::copy_into(vm, buffer, 0, &data)?;
        Ok((data.len(), address))
    }

    /// send(data[, flags]) -> count
    ///
    /// Send a data string to the socket.  For the optional flags
    /// argument, see the Unix manual.  Return the number of bytes
    /// sent; this may be less than len(data) if the network is busy.
    #[pymethod(sig = "($self, data, flags=0, /)")]
    fn send(vm: &Vm, this: &Py<Socket>, data: &Value, flags: i32) -> Res<isize> {
        let data = buffer::hold(vm, data)?;
        this.call(vm, Ready::Write, |fd| {
            c!(send(fd, data.as_ptr().cast(), data.len(), flags))
        })
    }

    /// sendall(data[, flags])
    ///
    /// Send a data string to the socket.  For the optional flags
    /// argument, see the Unix manual.  This calls send() repeatedly
    /// until all data is sent.  If an error occurs, it's impossible
    /// to tell how much data has been sent.
    #[pymethod(sig = "($self, data, flags=0, /)")]
    fn sendall(vm: &Vm, this: &Py<Socket>, data: &Value, flags: i32) -> Res<()> {
        let data = buffer::hold(vm, data)?;
        let mut rest: &[u8] = &data;
        let until = this.deadline();
        loop {
            let n = this.call_until(vm, Ready::Write, until, |fd| {
                c!(send(fd, rest.as_ptr().cast(), rest.len(), flags))
            })?;
            rest = &rest[(n as usize).min(rest.len())..];
            if rest.is_empty() {
                return Ok(());
            }
            vm.safepoint()?;
        }
    }

    /// sendto(data[, flags], address) -> count
    ///
    /// Like send(data, flags) but allows specifying the destination address.
    /// For IP sockets, the address is a pair (hostaddr, port).
    #[pymethod(sig = "($self, /, *args)")]
    fn sendto(vm: &Vm, this: &Py<Socket>, args: &[Value]) -> Res<isize> {
        let (data, flags, address) = match args {
            [data, address] => (data, 0, address),
            [data, flags, address] => (data, int_arg(vm, flags)?, address),
            _ => {
                let n = args.len();
                let message = format!("sendto() takes 2 or 3 arguments ({n} given)");
                return Err(vm.type_error(message));
            }
        };
        let data = buffer::hold(vm, data)?;
        let to = address;
        let address = Address::parse(vm, this, to, "sendto")?;
        crate::syscall::audit!(vm, "socket.sendto", this.to_value(), to.clone());
        this.call(vm, Ready::Write, |fd| {
            let (pointer, len) = address.as_ptr();
            c!(sendto(fd, data.as_ptr().cast(), data.len(), flags, pointer, len))
        })
    }
}
