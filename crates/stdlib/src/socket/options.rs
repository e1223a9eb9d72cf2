//! `_socket.socket`: options.

use lisle_runtime::native::{Py, Res, Value, Vm, pymethods};
use lisle_runtime::types::buffer;
use lisle_runtime::types::bytes::Bytes;

use super::object::Socket;
use crate::syscall::{OrRaise, c, check, int_arg};

#[pymethods(part = define_options)]
impl Socket {
    /// getsockopt(level, option[, buffersize]) -> value
    ///
    /// Get a socket option.  See the Unix manual for level and option.
    /// If a nonzero buffersize argument is given, the return value is a
    /// string of that length; otherwise it is an integer.
    #[pymethod(sig = "($self, level, option, buffersize=0, /)")]
    fn getsockopt(vm: &Vm, this: &Py<Socket>, level: i32, option: i32, buffersize: i32) -> Res<Value> {
        let fd = this.fd();
        if buffersize == 0 {
            // Some options are wider than an int.
            let wide = this.family() == libc::AF_VSOCK && level == libc::AF_VSOCK;
            let mut value = 0u64;
            let mut len = if wide { 8 } else { 4 } as libc::socklen_t;
            check(c!(getsockopt(fd, level, option, (&raw mut value).cast(), &mut len))).or_raise(vm)?;
            return Ok(if wide {
                Value::usize(value as usize)
            } else {
                Value::int(i64::from(value as u32 as i32))
            });
        }
        if !(1..=1024).contains(&buffersize) {
            return Err(vm.os_error_message("getsockopt buflen out of range"));
        }
        let mut data = vec![0u8; buffersize as usize];
        let mut len = buffersize as libc::socklen_t;
        check(c!(getsockopt(fd, level, option, data.as_mut_ptr().cast(), &mut len))).or_raise(vm)?;
        data.truncate(len as usize);
        Ok(Bytes::new_value(data))
    }

    /// setsockopt(level, option, value: int)
    /// setsockopt(level, option, value: buffer)
    /// setsockopt(level, option, None, optlen: int)
    ///
    /// Set a socket option.  See the Unix manual for level and option.
    /// The value argument can either be an integer, a string buffer, or
    /// None, optlen.
    #[pymethod(sig = "($self, level, option, value, optlen=<unrepresentable>, /)")]
    fn setsockopt(
        vm: &Vm,
        this: &Py<Socket>,
        level: i32,
        option: i32,
        value: &Value,
        optlen: Option<&Value>,
    ) -> Res<()> {
        let fd = this.fd();
        let result = match optlen {
            Some(optlen) => {
                if !value.is_none() {
                    let found = value.ty().name();
                    let message = format!("setsockopt() argument 3 must be None, not {found}");
                    return Err(vm.type_error(message));
                }
                let len = int_arg(vm, optlen)? as libc::socklen_t;
                check(c!(setsockopt(fd, level, option, std::ptr::null(), len)))
            }
            None if value.is_none() => {
                let message = "socket.setsockopt() requires 4 arguments when the third argument is None";
                return Err(vm.type_error(message));
            }
            None if value.ty().slots().index.is_some() && level == libc::AF_VSOCK && this.family() == level => {
                let number = vm.index_to_i64(value)? as u64;
                let data = (&raw const number).cast();
                check(c!(setsockopt(
                    fd,
                    level,
                    option,
                    data,
                    size_of::<u64>() as libc::socklen_t
                )))
            }
            None if value.ty().slots().index.is_some() => {
                let number = int_arg(vm, value)?;
                let data = (&raw const number).cast();
                check(c!(setsockopt(
                    fd,
                    level,
                    option,
                    data,
                    size_of::<i32>() as libc::socklen_t
                )))
            }
            None => {
                let data = buffer::get_bytes(vm, value)?;
                let len = data.len() as libc::socklen_t;
                check(c!(setsockopt(fd, level, option, data.as_ptr().cast(), len)))
            }
        };
        result.or_raise(vm).map(drop)
    }
}
