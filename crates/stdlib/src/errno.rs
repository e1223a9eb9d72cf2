//! `errno`: the numbers of the system's errors.

use lisle_runtime::native::{Py, Res, Str, Value, Vm, pymodule};
use lisle_runtime::types::dict::Dict;
use lisle_runtime::types::module::Module;

macro_rules! numbers {
    ($($name:ident)*) => {
        /// Name and number of each error; of two names for one number, the last is the one `errorcode` gives.
        const NUMBERS: &[(&str, i32)] = &[$((stringify!($name), libc::$name)),*];
    };
}

numbers! {
    ENODEV ENOCSI EHOSTUNREACH ENOMSG EUCLEAN EL2NSYNC EL2HLT ENODATA ENOTBLK ENOSYS EPIPE EINVAL EOVERFLOW EADV EINTR EUSERS
    ENOTEMPTY ENOBUFS EPROTO EREMOTE ENAVAIL ECHILD ELOOP EXDEV E2BIG ESRCH EMSGSIZE EAFNOSUPPORT EBADR EHOSTDOWN
    EPFNOSUPPORT ENOPROTOOPT EBUSY EWOULDBLOCK EAGAIN EBADFD EDOTDOT EISCONN ENOTCONN ESHUTDOWN ELIBSCN EREMOTEIO EALREADY
    ECONNABORTED ENETUNREACH ESTALE ENOSR ENOMEM ENOTSOCK ESTRPIPE EMLINK ERANGE ELIBEXEC EL3HLT ECONNRESET EADDRINUSE
    EOPNOTSUPP ENOTSUP EREMCHG EFAULT EPERM ELIBMAX ENOLINK ENOTDIR ENXIO ENOLCK EAGAIN EBADSLT EBADF EBFONT ENOSTR ENOTNAM
    ENOEXEC EL3RST ENOENT ENOPKG ETIMEDOUT EUNATCH EINPROGRESS EMULTIHOP EISDIR ECONNREFUSED EIO EROFS ETXTBSY
    EADDRNOTAVAIL EPROTOTYPE ENETRESET ENETDOWN ECHRNG EDOM EXFULL EDESTADDRREQ EDQUOT EBADE EBADMSG ECOMM EDEADLOCK
    EDEADLK EEXIST EFBIG EIDRM EILSEQ ELIBACC ELIBBAD ELNRNG EMFILE ENAMETOOLONG ENFILE ENOANO ENONET ENOSPC ENOTUNIQ
    ENOTTY EPROTONOSUPPORT ERESTART EISNAM ESOCKTNOSUPPORT ESPIPE ESRMNT ETIME ETOOMANYREFS EACCES EBADRQC ECANCELED
    EKEYEXPIRED EKEYREJECTED EKEYREVOKED EMEDIUMTYPE ENOKEY ENOMEDIUM ENOTRECOVERABLE EOWNERDEAD ERFKILL EHWPOISON
}

#[pymodule(
    name = "errno",
    doc = "This module makes available standard errno system symbols.\n\nThe value of each symbol is the corresponding integer value,\ne.g., on most systems, errno.ENOENT equals the integer 2.\n\nThe dictionary errno.errorcode maps numeric codes to symbol names,\ne.g., errno.errorcode[2] could be the string 'ENOENT'.\n\nSymbols that are not relevant to the underlying system are not defined.\n\nTo map error codes to error messages, use the function os.strerror(),\ne.g. os.strerror(2) could return 'No such file or directory'."
)]
pub mod module {
    use super::*;

    #[init]
    fn init(vm: &Vm, module: &Py<Module>) -> Res<()> {
        let codes = Dict::new_empty();
        for (name, number) in NUMBERS {
            let name = Str::intern(name);
            let number = Value::int((*number).into());
            module.dict().set_str(&name, number.clone());
            codes.set(vm, &number, name.into_value())?;
        }
        module.set("errorcode", codes.into_value());
        Ok(())
    }
}
