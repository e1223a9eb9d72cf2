//! `posix`: `posix_spawn`.

use std::ffi::CString;

use lisle_runtime::native::{Res, Str, Value, Vm, pymodule};
use lisle_runtime::types::tuple::Tuple;

use super::exec::{Strings, arguments, environment};
use super::path::{FilePath, fs_encode, list_or_tuple};
use super::sched::priority_of;
use crate::sigset::sigset_of;
use crate::syscall::{Errno, OrRaise, Sys, audit, c, int_arg, zeroed};

unsafe extern "C" {
    fn posix_spawn_file_actions_addclosefrom_np(
        actions: *mut libc::posix_spawn_file_actions_t,
        from: libc::c_int,
    ) -> libc::c_int;
}

const OPEN: i64 = 0;
const CLOSE: i64 = 1;
const DUP2: i64 = 2;
const CLOSEFROM: i64 = 3;

/// A function that returns the number of its error.
fn by_number(result: i32) -> Sys<()> {
    match result {
        0 => Ok(()),
        errno => Err(Errno(errno)),
    }
}

/// What the child does with files, and the names that the system keeps pointers to.
struct Actions {
    raw: libc::posix_spawn_file_actions_t,
    names: Vec<CString>,
}

impl Drop for Actions {
    fn drop(&mut self) {
        c!(posix_spawn_file_actions_destroy(&mut self.raw));
    }
}

impl Actions {
    fn of(vm: &Vm, items: &[Value]) -> Res<Box<Actions>> {
        // SAFETY: plain data, which the call initialises.
        let mut actions = Box::new(Actions {
            raw: unsafe { zeroed() },
            names: Vec::new(),
        });
        by_number(c!(posix_spawn_file_actions_init(&mut actions.raw))).or_raise(vm)?;
        for item in items {
            actions.add(vm, item)?;
        }
        Ok(actions)
    }

    fn add(&mut self, vm: &Vm, item: &Value) -> Res<()> {
        let fields = item.downcast::<Tuple>().map(|t| t.as_slice()).unwrap_or_default();
        let Some(tag) = fields.first() else {
            return Err(vm.type_error("Each file_actions element must be a non-empty tuple"));
        };
        let result = match (vm.int_value(tag).and_then(|n| n.to_i64()), &fields[1..]) {
            (Some(OPEN), [fd, path, flags, mode]) => {
                let (fd, path) = (int_arg(vm, fd)?, fs_encode(vm, path)?);
                let (flags, mode) = (int_arg(vm, flags)?, vm.index_to_i64(mode)? as libc::mode_t);
                let name = path.as_ptr();
                self.names.push(path);
                c!(posix_spawn_file_actions_addopen(&mut self.raw, fd, name, flags, mode))
            }
            (Some(OPEN), _) => return Err(vm.type_error("A open file_action tuple must have 5 elements")),
            (Some(CLOSE), [fd]) => {
                let fd = int_arg(vm, fd)?;
                c!(posix_spawn_file_actions_addclose(&mut self.raw, fd))
            }
            (Some(CLOSE), _) => return Err(vm.type_error("A close file_action tuple must have 2 elements")),
            (Some(DUP2), [from, to]) => {
                let (from, to) = (int_arg(vm, from)?, int_arg(vm, to)?);
                c!(posix_spawn_file_actions_adddup2(&mut self.raw, from, to))
            }
            (Some(DUP2), _) => return Err(vm.type_error("A dup2 file_action tuple must have 3 elements")),
            (Some(CLOSEFROM), [from]) => {
                let from = int_arg(vm, from)?;
                // SAFETY: the actions are initialised.
                unsafe { posix_spawn_file_actions_addclosefrom_np(&mut self.raw, from) }
            }
            (Some(CLOSEFROM), _) => return Err(vm.type_error("A closefrom file_action tuple must have 2 elements")),
            _ => return Err(vm.type_error("Unknown file_actions identifier")),
        };
        by_number(result).or_raise(vm)
    }
}

/// How the child differs from its parent.
struct Attributes(libc::posix_spawnattr_t);

impl Drop for Attributes {
    fn drop(&mut self) {
        c!(posix_spawnattr_destroy(&mut self.0));
    }
}

/// The keyword arguments that `posix_spawn` and `posix_spawnp` share.
struct Options<'a> {
    file_actions: Option<&'a Value>,
    setpgroup: Option<&'a Value>,
    resetids: bool,
    setsid: bool,
    setsigmask: Option<&'a Value>,
    setsigdef: Option<&'a Value>,
    scheduler: Option<&'a Value>,
}

impl Attributes {
    fn of(vm: &Vm, options: &Options<'_>) -> Res<Box<Attributes>> {
        // SAFETY: plain data, which the call initialises.
        let mut attrs = Box::new(Attributes(unsafe { zeroed() }));
        let raw = &mut attrs.0;
        by_number(c!(posix_spawnattr_init(raw))).or_raise(vm)?;
        let mut flags = 0;
        if let Some(group) = options.setpgroup {
            let group = int_arg(vm, group)?;
            by_number(c!(posix_spawnattr_setpgroup(raw, group))).or_raise(vm)?;
            flags |= libc::POSIX_SPAWN_SETPGROUP;
        }
        if options.resetids {
            flags |= libc::POSIX_SPAWN_RESETIDS;
        }
        if options.setsid {
            flags |= 0x80;
        }
        if let Some(signals) = options.setsigmask {
            let set = sigset_of(vm, signals)?;
            by_number(c!(posix_spawnattr_setsigmask(raw, &set))).or_raise(vm)?;
            flags |= libc::POSIX_SPAWN_SETSIGMASK;
        }
        if let Some(signals) = options.setsigdef {
            let set = sigset_of(vm, signals)?;
            by_number(c!(posix_spawnattr_setsigdefault(raw, &set))).or_raise(vm)?;
            flags |= libc::POSIX_SPAWN_SETSIGDEF;
        }
        if let Some(scheduler) = options.scheduler.filter(|s| !s.is_none()) {
            let Some([policy, param]) = scheduler.downcast::<Tuple>().map(|t| t.as_slice()) else {
                return Err(vm.type_error("A scheduler tuple must have two elements"));
            };
            if !policy.is_none() {
                let policy = int_arg(vm, policy)?;
                by_number(c!(posix_spawnattr_setschedpolicy(raw, policy))).or_raise(vm)?;
                flags |= libc::POSIX_SPAWN_SETSCHEDULER;
            }
            let param = priority_of(vm, param)?;
            by_number(c!(posix_spawnattr_setschedparam(raw, &param))).or_raise(vm)?;
            flags |= libc::POSIX_SPAWN_SETSCHEDPARAM;
        }
        by_number(c!(posix_spawnattr_setflags(raw, flags as libc::c_short))).or_raise(vm)?;
        Ok(attrs)
    }
}

fn spawn(
    vm: &Vm,
    name: &str,
    search: bool,
    path: &FilePath,
    argv: &Value,
    env: &Value,
    options: &Options<'_>,
) -> Res<i32> {
    let (given_argv, given_env) = (argv, env);
    let Some(items) = list_or_tuple(argv) else {
        return Err(vm.type_error(format!("{name}: argv must be a tuple or list")));
    };
    if items.is_empty() {
        return Err(vm.value_error(format!("{name}: argv must not be empty")));
    }
    if !env.is_none() && env.ty().slots().getitem.is_none() {
        let message = format!("{name}: environment must be a mapping object or None");
        return Err(vm.type_error(message));
    }
    let argv = arguments(vm, &items)?;
    if items.first().is_some_and(|first| vm.len(first).is_ok_and(|n| n == 0)) {
        let message = format!("{name}: argv first element cannot be empty");
        return Err(vm.value_error(message));
    }
    let env = if env.is_none() {
        None
    } else {
        Some(environment(vm, env)?)
    };
    let actions = match options.file_actions.filter(|a| !a.is_none()) {
        None => None,
        Some(given) => {
            let is_sequence = given.ty().slots().getitem.is_some() && given.ty().slots().len.is_some();
            if !is_sequence || given.downcast::<Str>().is_some() {
                return Err(vm.type_error("file_actions must be a sequence or None"));
            }
            Some(Actions::of(vm, &vm.collect(given)?)?)
        }
    };
    let attributes = Attributes::of(vm, options)?;
    audit!(
        vm,
        "os.posix_spawn",
        path.object.clone(),
        given_argv.clone(),
        given_env.clone()
    );
    let mut pid = 0;
    let result = vm.detached(|| {
        let actions = actions
            .as_ref()
            .map_or(std::ptr::null(), |a| std::ptr::from_ref(&a.raw));
        // SAFETY: the environment is only changed through the Rust library, and a change during the call is the
        // same race as in any program that does so.
        let inherited = unsafe { libc::environ }.cast_const().cast();
        let env = env.as_ref().map_or(inherited, Strings::as_ptr);
        let (argv, env) = (argv.as_ptr().cast(), env.cast());
        by_number(if search {
            c!(posix_spawnp(&mut pid, path.as_ptr(), actions, &attributes.0, argv, env))
        } else {
            c!(posix_spawn(&mut pid, path.as_ptr(), actions, &attributes.0, argv, env))
        })
    });
    result.or_raise_for(vm, &path.object)?;
    Ok(pid)
}

#[pymodule(name = "posix")]
pub mod module {
    use super::*;

    #[pyattr]
    const POSIX_SPAWN_OPEN: i64 = OPEN;
    #[pyattr]
    const POSIX_SPAWN_CLOSE: i64 = CLOSE;
    #[pyattr]
    const POSIX_SPAWN_DUP2: i64 = DUP2;
    #[pyattr]
    const POSIX_SPAWN_CLOSEFROM: i64 = CLOSEFROM;

    /// Execute the program specified by path in a new process.
    ///
    ///   path
    ///     Path of executable file.
    ///   argv
    ///     Tuple or list of strings.
    ///   env
    ///     Dictionary of strings mapping to strings.
    ///   file_actions
    ///     A sequence of file action tuples.
    ///   setpgroup
    ///     The pgroup to use with the POSIX_SPAWN_SETPGROUP flag.
    ///   resetids
    ///     If the value is `true` the POSIX_SPAWN_RESETIDS will be activated.
    ///   setsid
    ///     If the value is `true` the POSIX_SPAWN_SETSID or POSIX_SPAWN_SETSID_NP will be activated.
    ///   setsigmask
    ///     The sigmask to use with the POSIX_SPAWN_SETSIGMASK flag.
    ///   setsigdef
    ///     The sigmask to use with the POSIX_SPAWN_SETSIGDEF flag.
    ///   scheduler
    ///     A tuple with the scheduler policy (optional) and parameters.
    #[pyfunction(
        sig = "(path, argv, env, /, *, file_actions=(), setpgroup=<unrepresentable>, resetids=False, setsid=False, setsigmask=(), setsigdef=(), scheduler=<unrepresentable>)"
    )]
    fn posix_spawn(
        vm: &Vm,
        path: FilePath,
        argv: &Value,
        env: &Value,
        file_actions: Option<&Value>,
        setpgroup: Option<&Value>,
        resetids: bool,
        setsid: bool,
        setsigmask: Option<&Value>,
        setsigdef: Option<&Value>,
        scheduler: Option<&Value>,
    ) -> Res<i32> {
        let options = Options {
            file_actions,
            setpgroup,
            resetids,
            setsid,
            setsigmask,
            setsigdef,
            scheduler,
        };
        spawn(vm, "posix_spawn", false, &path, argv, env, &options)
    }

    /// Execute the program specified by path in a new process.
    ///
    /// As posix_spawn(), but the program is searched for along PATH.
    #[pyfunction(
        sig = "(path, argv, env, /, *, file_actions=(), setpgroup=<unrepresentable>, resetids=False, setsid=False, setsigmask=(), setsigdef=(), scheduler=<unrepresentable>)"
    )]
    fn posix_spawnp(
        vm: &Vm,
        path: FilePath,
        argv: &Value,
        env: &Value,
        file_actions: Option<&Value>,
        setpgroup: Option<&Value>,
        resetids: bool,
        setsid: bool,
        setsigmask: Option<&Value>,
        setsigdef: Option<&Value>,
        scheduler: Option<&Value>,
    ) -> Res<i32> {
        let options = Options {
            file_actions,
            setpgroup,
            resetids,
            setsid,
            setsigmask,
            setsigdef,
            scheduler,
        };
        spawn(vm, "posix_spawnp", true, &path, argv, env, &options)
    }
}
