//! Arguments that name files: `str`, `bytes`, path-like objects, descriptors, directories to start from; and text in the
//! file system's encoding (UTF-8, or ASCII in a C locale, with `surrogateescape`).
//!
//! Invariant: a [`FilePath`] has no null byte in it, and keeps the object that errors show: what `__fspath__` gave.

use std::ffi::{CStr, CString};

use lisle_runtime::intern;
use lisle_runtime::native::{ArgCtx, Exc, FromArg, Res, Str, Value, Vm};
use lisle_runtime::types::bytes::Bytes;
use lisle_runtime::types::encoding;

/// The name of a file.
pub struct FilePath {
    pub name: CString,
    /// What `OSError.filename` is to be.
    pub object: Value,
    /// Whether it was given as bytes, so that names that derive from it are bytes too.
    pub bytes: bool,
}

impl FilePath {
    pub fn as_ptr(&self) -> *const libc::c_char {
        self.name.as_ptr()
    }

    /// A name from the file system, as the type that this one was given as.
    pub fn same_type(&self, vm: &Vm, name: &[u8]) -> Res<Value> {
        if self.bytes {
            Ok(Bytes::new_value(name))
        } else {
            fs_decode(vm, name)
        }
    }
}

/// The name of a file, or a descriptor.
pub enum PathOrFd {
    Path(FilePath),
    Fd(i32, Value),
}

impl PathOrFd {
    /// What `OSError.filename` is to be.
    pub fn object(&self) -> &Value {
        match self {
            PathOrFd::Path(path) => &path.object,
            PathOrFd::Fd(_, object) => object,
        }
    }
}

impl<'a> FromArg<'a> for FilePath {
    fn from_arg(vm: &Vm, value: &'a Value, ctx: &ArgCtx) -> Res<FilePath> {
        let allowed = if ctx.or_none {
            "string, bytes, os.PathLike or None"
        } else {
            "string, bytes or os.PathLike"
        };
        path_arg(vm, value, ctx, allowed)
    }
}

impl<'a> FromArg<'a> for PathOrFd {
    fn from_arg(vm: &Vm, value: &'a Value, ctx: &ArgCtx) -> Res<PathOrFd> {
        let is_name = value.downcast::<Str>().is_some() || value.downcast::<Bytes>().is_some();
        if !is_name && value.ty().slots().index.is_some() {
            return Ok(PathOrFd::Fd(fd_number(vm, value)?, value.clone()));
        }
        let allowed = if ctx.or_none {
            "string, bytes, os.PathLike, integer or None"
        } else {
            "string, bytes, os.PathLike or integer"
        };
        path_arg(vm, value, ctx, allowed).map(PathOrFd::Path)
    }
}

fn path_arg(vm: &Vm, value: &Value, ctx: &ArgCtx, allowed: &str) -> Res<FilePath> {
    let (func, name) = (ctx.func, ctx.name);
    let Some(object) = fspath_opt(vm, value)? else {
        let found = value.ty().name();
        return Err(vm.type_error(format!("{func}: {name} should be {allowed}, not {found}")));
    };
    FilePath::of(vm, object, || {
        vm.value_error(format!("{func}: embedded null character in {name}"))
    })
}

impl FilePath {
    fn of(vm: &Vm, object: Value, on_null: impl FnOnce() -> Exc) -> Res<FilePath> {
        let bytes = object.downcast::<Bytes>().is_some();
        match CString::new(encoded(vm, &object)?) {
            Ok(name) => Ok(FilePath { name, object, bytes }),
            Err(_) => Err(on_null()),
        }
    }
}

/// The bytes of a `str` or `bytes` as the file system takes them.
fn encoded(vm: &Vm, object: &Value) -> Res<Vec<u8>> {
    if let Some(text) = object.downcast::<Str>() {
        if let Some(ascii) = text.as_ascii() {
            return Ok(ascii.as_bytes().to_vec());
        }
        let made = encoding::encode(vm, text, lisle_runtime::interp::system_encoding(), "surrogateescape")?;
        return Ok(made
            .downcast::<Bytes>()
            .map(|b| b.as_slice().to_vec())
            .unwrap_or_default());
    }
    Ok(object
        .downcast::<Bytes>()
        .map(|b| b.as_slice().to_vec())
        .unwrap_or_default())
}

/// What `os.fspath` gives, `None` if the object is no path.
fn fspath_opt(vm: &Vm, value: &Value) -> Res<Option<Value>> {
    if value.downcast::<Str>().is_some() || value.downcast::<Bytes>().is_some() {
        return Ok(Some(value.clone()));
    }
    let name = intern!("__fspath__");
    if value.ty().lookup(vm, name).is_none_or(|found| found.is_none()) {
        return Ok(None);
    }
    let Some(made) = vm.call_special_opt(value, name, &[])? else {
        return Ok(None);
    };
    if made.downcast::<Str>().is_some() || made.downcast::<Bytes>().is_some() {
        return Ok(Some(made));
    }
    let (class, found) = (value.ty().name(), made.ty().name());
    Err(vm.type_error(format!(
        "expected {class}.__fspath__() to return str or bytes, not {found}"
    )))
}

/// `os.fspath`.
pub fn fspath(vm: &Vm, value: &Value) -> Res<Value> {
    match fspath_opt(vm, value)? {
        Some(path) => Ok(path),
        None => {
            let found = value.ty().short_name();
            let message = format!("expected str, bytes or os.PathLike object, not {found}");
            Err(vm.type_error(message))
        }
    }
}

/// The bytes of a `str`, `bytes` or path-like object for the system: arguments and environment of programs and the like.
pub fn fs_encode(vm: &Vm, value: &Value) -> Res<CString> {
    let object = fspath(vm, value)?;
    CString::new(encoded(vm, &object)?).map_err(|_| vm.value_error("embedded null byte"))
}

/// Text from the system.
pub fn fs_decode(_: &Vm, bytes: &[u8]) -> Res<Value> {
    Ok(Str::from_os_bytes(bytes).into_value())
}

/// Text from the C library.
pub fn fs_decode_c(vm: &Vm, text: &CStr) -> Res<Value> {
    fs_decode(vm, text.to_bytes())
}

fn fd_number(vm: &Vm, value: &Value) -> Res<i32> {
    if value.is_bool() {
        let category = lisle_runtime::types::exceptions::RUNTIME_WARNING.get();
        vm.warn(category, "bool is used as a file descriptor", 1)?;
    }
    let n = vm.index(value)?;
    let wide = vm.int_value(&n);
    let negative = wide.is_some_and(|n| n.is_negative());
    match wide.and_then(|n| n.to_i64()).and_then(|n| i32::try_from(n).ok()) {
        Some(fd) => Ok(fd),
        None if negative => Err(vm.overflow_error("fd is less than minimum")),
        None => Err(vm.overflow_error("fd is greater than maximum")),
    }
}

/// The directory that relative paths start from: a descriptor, or the current one.
#[derive(Clone, Copy)]
pub struct DirFd(pub i32);

impl DirFd {
    pub const NONE: DirFd = DirFd(libc::AT_FDCWD);

    /// The argument, if one was given.
    pub fn or_cwd(given: Option<DirFd>) -> i32 {
        given.unwrap_or(DirFd::NONE).0
    }
}

impl<'a> FromArg<'a> for DirFd {
    fn from_arg(vm: &Vm, value: &'a Value, _: &ArgCtx) -> Res<DirFd> {
        if value.is_none() {
            return Ok(DirFd::NONE);
        }
        if value.ty().slots().index.is_none() {
            let found = value.ty().short_name();
            return Err(vm.type_error(format!("argument should be integer or None, not {found}")));
        }
        fd_number(vm, value).map(DirFd)
    }
}

/// A number of a user or group; -1 stands for "leave it".
fn id_number(vm: &Vm, value: &Value, what: &str) -> Res<u32> {
    if value.ty().slots().index.is_none() {
        let found = value.ty().name();
        return Err(vm.type_error(format!("{what} should be integer, not {found}")));
    }
    let n = vm.index(value)?;
    match vm.int_value(&n).and_then(|n| n.to_i64()) {
        Some(-1) => Ok(u32::MAX),
        Some(n) => u32::try_from(n).map_err(|_| {
            let side = if n < 0 {
                "less than minimum"
            } else {
                "greater than maximum"
            };
            vm.overflow_error(format!("{what} is {side}"))
        }),
        None => {
            let below = vm.int_value(&n).is_some_and(|n| n.is_negative());
            let side = if below {
                "less than minimum"
            } else {
                "greater than maximum"
            };
            Err(vm.overflow_error(format!("{what} is {side}")))
        }
    }
}

/// The number of a user.
#[derive(Clone, Copy)]
pub struct Uid(pub u32);

impl<'a> FromArg<'a> for Uid {
    fn from_arg(vm: &Vm, value: &'a Value, _: &ArgCtx) -> Res<Uid> {
        id_number(vm, value, "uid").map(Uid)
    }
}

/// The number of a group.
#[derive(Clone, Copy)]
pub struct Gid(pub u32);

impl<'a> FromArg<'a> for Gid {
    fn from_arg(vm: &Vm, value: &'a Value, _: &ArgCtx) -> Res<Gid> {
        id_number(vm, value, "gid").map(Gid)
    }
}

/// A directory as audit hooks see it: -1 for the current one.
pub fn audit_dir(given: Option<DirFd>) -> Value {
    match DirFd::or_cwd(given) {
        libc::AT_FDCWD => Value::int(-1),
        fd => Value::int(fd.into()),
    }
}

/// The number of a device, or of a half of it; -1 is "none", as the system has it.
#[derive(Clone, Copy)]
pub struct Device(pub Option<u64>);

impl<'a> FromArg<'a> for Device {
    fn from_arg(vm: &Vm, value: &'a Value, ctx: &ArgCtx) -> Res<Device> {
        if value.as_small_int() == Some(-1) {
            return Ok(Device(None));
        }
        u64::from_arg(vm, value, ctx).map(|n| Device(Some(n)))
    }
}

/// The number of a group that a value gives.
pub fn gid_of(vm: &Vm, value: &Value) -> Res<u32> {
    id_number(vm, value, "gid")
}

/// The number of a user that a value gives.
pub fn uid_of(vm: &Vm, value: &Value) -> Res<u32> {
    id_number(vm, value, "uid")
}

/// The number of a user or group as Python shows it: -1 for the one that stands for "none".
pub fn id_value(id: u32) -> Value {
    if id == u32::MAX {
        Value::int(-1)
    } else {
        Value::int(id.into())
    }
}

/// The values of a `list` or `tuple`.
pub fn list_or_tuple(value: &Value) -> Option<Vec<Value>> {
    use lisle_runtime::types::{list::List, tuple::Tuple};
    if let Some(list) = value.downcast::<List>() {
        return Some(list.snapshot());
    }
    value.downcast::<Tuple>().map(|tuple| tuple.as_slice().to_vec())
}

/// What `path=None` stands for.
pub fn current_folder() -> PathOrFd {
    PathOrFd::Path(FilePath {
        name: c".".to_owned(),
        object: Value::NONE,
        bytes: false,
    })
}
