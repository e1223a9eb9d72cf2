//! `pwd`: the users that the system knows.

use lisle_runtime::native::{Py, Res, Str, Value, Vm, pymodule};
use lisle_runtime::sync::Mutex;
use lisle_runtime::types::list::List;
use lisle_runtime::types::struct_seq::StructSeqDef;

use crate::posix::path::{fs_decode, fs_encode, id_value, uid_of};
use crate::syscall::{c, zeroed};

static STRUCT_PASSWD: StructSeqDef = StructSeqDef::new(
    "struct_passwd",
    "pwd",
    "pwd.struct_passwd: Results from getpw*() routines.\n\nThis object may be accessed either as a tuple of\n  (pw_name,pw_passwd,pw_uid,pw_gid,pw_gecos,pw_dir,pw_shell)\nor via the object attributes as named in the above tuple.",
    &[
        ("pw_name", "user name"),
        ("pw_passwd", "password"),
        ("pw_uid", "user id"),
        ("pw_gid", "group id"),
        ("pw_gecos", "real name"),
        ("pw_dir", "home directory"),
        ("pw_shell", "shell program"),
    ],
    7,
);

/// A user as the C library describes it, copied out of its buffers.
struct User {
    texts: [Option<Vec<u8>>; 5],
    uid: u32,
    gid: u32,
}

/// The bytes of terminated text; `None` for a null pointer.
///
/// # Safety
/// The pointer is null or points to terminated text.
pub unsafe fn copied(text: *const libc::c_char) -> Option<Vec<u8>> {
    if text.is_null() {
        return None;
    }
    // SAFETY: by contract.
    Some(unsafe { std::ffi::CStr::from_ptr(text) }.to_bytes().to_vec())
}

/// A text field.
pub fn text_value(vm: &Vm, text: Option<Vec<u8>>) -> Res<Value> {
    text.map_or(Ok(Value::NONE), |text| fs_decode(vm, &text))
}

impl User {
    /// # Safety
    /// The record is one that the C library filled in, with its buffer still there.
    unsafe fn of(p: &libc::passwd) -> User {
        // SAFETY: by contract.
        let text = |text| unsafe { copied(text) };
        User {
            texts: [
                text(p.pw_name),
                text(p.pw_passwd),
                text(p.pw_gecos),
                text(p.pw_dir),
                text(p.pw_shell),
            ],
            uid: p.pw_uid,
            gid: p.pw_gid,
        }
    }

    fn into_value(self, vm: &Vm) -> Res<Value> {
        let [name, password, gecos, home, shell] = self.texts.map(|text| text_value(vm, text));
        Ok(STRUCT_PASSWD.make(vec![
            name?,
            password?,
            id_value(self.uid),
            id_value(self.gid),
            gecos?,
            home?,
            shell?,
        ]))
    }
}

/// Calls a `get.._r` function with buffers that grow until the record fits. The closure returns the error's number.
pub fn with_buffer<T>(vm: &Vm, mut call: impl FnMut(&mut [libc::c_char]) -> Result<Option<T>, i32>) -> Res<Option<T>> {
    let mut size = 1024;
    loop {
        let mut buffer = vec![0 as libc::c_char; size];
        match vm.detached(|| call(&mut buffer)) {
            Ok(found) => return Ok(found),
            Err(libc::ERANGE) if size < 1 << 24 => size *= 2,
            Err(libc::ERANGE) => return Err(vm.memory_error()),
            Err(libc::EINTR) => vm.safepoint()?,
            // Whatever else goes wrong, the user is not found.
            Err(_) => return Ok(None),
        }
    }
}

fn look_up(
    vm: &Vm,
    call: impl Fn(*mut libc::passwd, *mut libc::c_char, usize, *mut *mut libc::passwd) -> i32,
) -> Res<Option<User>> {
    with_buffer(vm, |buffer| {
        // SAFETY: plain data.
        let mut record: libc::passwd = unsafe { zeroed() };
        let mut found = std::ptr::null_mut();
        match call(&mut record, buffer.as_mut_ptr(), buffer.len(), &mut found) {
            0 if found.is_null() => Ok(None),
            // SAFETY: the call filled the record in.
            0 => Ok(Some(unsafe { User::of(&record) })),
            errno => Err(errno),
        }
    })
}

/// Held while the C library's one list is read.
static LIST: Mutex<()> = Mutex::new(());

#[pymodule(
    name = "pwd",
    doc = "This module provides access to the Unix password database.\nIt is available on all Unix versions.\n\nPassword database entries are reported as 7-tuples containing the following\nitems from the password database (see `<pwd.h>'), in order:\npw_name, pw_passwd, pw_uid, pw_gid, pw_gecos, pw_dir, pw_shell.\nThe uid and gid items are integers, all others are strings. An\nexception is raised if the entry asked for cannot be found."
)]
pub mod module {
    use super::*;

    #[pyattr]
    fn struct_passwd(_vm: &Vm) -> Value {
        STRUCT_PASSWD.ty().to_value()
    }

    /// Return the password database entry for the given numeric user ID.
    ///
    /// See `help(pwd)` for more on password database entries.
    #[pyfunction(sig = "(uidobj, /)")]
    fn getpwuid(vm: &Vm, uidobj: &Value) -> Res<Value> {
        let uid = match uid_of(vm, uidobj) {
            Ok(uid) => Some(uid),
            Err(e) if e.is(&lisle_runtime::types::exceptions::OVERFLOW_ERROR) => None,
            Err(e) => return Err(e),
        };
        let found = match uid {
            Some(uid) => look_up(vm, |p, b, n, f| c!(getpwuid_r(uid, p, b, n, f)))?,
            None => None,
        };
        match found {
            Some(user) => user.into_value(vm),
            None => {
                let mut message = "getpwuid(): uid not found".to_owned();
                if let Some(uid) = uid {
                    message = format!("{message}: {}", vm.str(&id_value(uid))?.to_string_lossy());
                }
                Err(vm.key_error(Value::from(message.as_str())))
            }
        }
    }

    /// Return the password database entry for the given user name.
    ///
    /// See `help(pwd)` for more on password database entries.
    #[pyfunction(sig = "(name, /)")]
    fn getpwnam(vm: &Vm, name: &Py<Str>) -> Res<Value> {
        let text = fs_encode(vm, name.as_value())?;
        match look_up(vm, |p, b, n, f| c!(getpwnam_r(text.as_ptr(), p, b, n, f)))? {
            Some(user) => user.into_value(vm),
            None => {
                let shown = vm.repr(name.as_value())?.to_string_lossy();
                Err(vm.key_error(Value::from(format!("getpwnam(): name not found: {shown}").as_str())))
            }
        }
    }

    /// Return a list of all available password database entries, in arbitrary order.
    ///
    /// See help(pwd) for more on password database entries.
    #[pyfunction(sig = "()")]
    fn getpwall(vm: &Vm) -> Res<Value> {
        let mut users = Vec::new();
        {
            let _held = LIST.lock();
            c!(setpwent());
            loop {
                let record = c!(getpwent());
                if record.is_null() {
                    break;
                }
                // SAFETY: the record stays until the next call, and only the holder of the lock makes one.
                users.push(unsafe { User::of(&*record) });
            }
            c!(endpwent());
        }
        let values = users.into_iter().map(|user| user.into_value(vm));
        Ok(List::new(values.collect::<Res<_>>()?).into_value())
    }
}
