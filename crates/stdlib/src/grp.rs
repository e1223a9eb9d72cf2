//! `grp`: the groups that the system knows.

use lisle_runtime::native::{Py, Res, Str, Value, Vm, pymodule};
use lisle_runtime::sync::Mutex;
use lisle_runtime::types::list::List;
use lisle_runtime::types::struct_seq::StructSeqDef;

use crate::posix::path::{fs_encode, gid_of, id_value};
use crate::pwd::{copied, text_value, with_buffer};
use crate::syscall::{c, zeroed};

static STRUCT_GROUP: StructSeqDef = StructSeqDef::new(
    "struct_group",
    "grp",
    "grp.struct_group: Results from getgr*() routines.\n\nThis object may be accessed either as a tuple of\n  (gr_name,gr_passwd,gr_gid,gr_mem)\nor via the object attributes as named in the above tuple.\n",
    &[
        ("gr_name", "group name"),
        ("gr_passwd", "password"),
        ("gr_gid", "group id"),
        ("gr_mem", "group members"),
    ],
    4,
);

struct Group {
    name: Option<Vec<u8>>,
    password: Option<Vec<u8>>,
    gid: u32,
    members: Vec<Vec<u8>>,
}

impl Group {
    /// # Safety
    /// The record is one that the C library filled in, with its buffer still there.
    unsafe fn of(g: &libc::group) -> Group {
        let mut members = Vec::new();
        // SAFETY: by contract; the list of members ends with a null pointer.
        unsafe {
            let mut at = g.gr_mem;
            while !at.is_null()
                && let Some(member) = copied(*at)
            {
                members.push(member);
                at = at.add(1);
            }
            Group {
                name: copied(g.gr_name),
                password: copied(g.gr_passwd),
                gid: g.gr_gid,
                members,
            }
        }
    }

    fn into_value(self, vm: &Vm) -> Res<Value> {
        let members = self.members.into_iter().map(|member| text_value(vm, Some(member)));
        Ok(STRUCT_GROUP.make(vec![
            text_value(vm, self.name)?,
            text_value(vm, self.password)?,
            id_value(self.gid),
            List::new(members.collect::<Res<_>>()?).into_value(),
        ]))
    }
}

fn look_up(
    vm: &Vm,
    call: impl Fn(*mut libc::group, *mut libc::c_char, usize, *mut *mut libc::group) -> i32,
) -> Res<Option<Group>> {
    with_buffer(vm, |buffer| {
        // SAFETY: plain data.
        let mut record: libc::group = unsafe { zeroed() };
        let mut found = std::ptr::null_mut();
        match call(&mut record, buffer.as_mut_ptr(), buffer.len(), &mut found) {
            0 if found.is_null() => Ok(None),
            // SAFETY: the call filled the record in.
            0 => Ok(Some(unsafe { Group::of(&record) })),
            errno => Err(errno),
        }
    })
}

/// Held while the C library's one list is read.
static LIST: Mutex<()> = Mutex::new(());

#[pymodule(
    name = "grp",
    doc = "Access to the Unix group database.\n\nGroup entries are reported as 4-tuples containing the following fields\nfrom the group database, in order:\n\n  name   - name of the group\n  passwd - group password (encrypted); often empty\n  gid    - numeric ID of the group\n  mem    - list of members\n\nThe gid is an integer, name and password are strings.  (Note that most\nusers are not explicitly listed as members of the groups they are in\naccording to the password database.  Check both databases to get\ncomplete membership information.)"
)]
pub mod module {
    use super::*;

    #[pyattr]
    fn struct_group(_vm: &Vm) -> Value {
        STRUCT_GROUP.ty().to_value()
    }

    /// Return the group database entry for the given numeric group ID.
    ///
    /// If id is not valid, raise KeyError.
    #[pyfunction(sig = "(id)")]
    fn getgrgid(vm: &Vm, id: &Value) -> Res<Value> {
        let gid = gid_of(vm, id)?;
        let found = look_up(vm, |g, b, n, f| c!(getgrgid_r(gid, g, b, n, f)))?;
        match found {
            Some(group) => group.into_value(vm),
            None => {
                let shown = vm.str(&id_value(gid))?.to_string_lossy();
                Err(vm.key_error(Value::from(format!("getgrgid(): gid not found: {shown}").as_str())))
            }
        }
    }

    /// Return the group database entry for the given group name.
    ///
    /// If name is not valid, raise KeyError.
    #[pyfunction(sig = "(name)")]
    fn getgrnam(vm: &Vm, name: &Py<Str>) -> Res<Value> {
        let text = fs_encode(vm, name.as_value())?;
        match look_up(vm, |g, b, n, f| c!(getgrnam_r(text.as_ptr(), g, b, n, f)))? {
            Some(group) => group.into_value(vm),
            None => {
                let shown = vm.repr(name.as_value())?.to_string_lossy();
                Err(vm.key_error(Value::from(format!("getgrnam(): name not found: {shown}").as_str())))
            }
        }
    }

    /// Return a list of all available group entries, in arbitrary order.
    ///
    /// An entry whose name starts with '+' or '-' represents an instruction
    /// to use YP/NIS and may not be accessible via getgrnam or getgrgid.
    #[pyfunction(sig = "()")]
    fn getgrall(vm: &Vm) -> Res<Value> {
        let mut groups = Vec::new();
        {
            let _held = LIST.lock();
            c!(setgrent());
            loop {
                let record = c!(getgrent());
                if record.is_null() {
                    break;
                }
                // SAFETY: the record stays until the next call, and only the holder of the lock makes one.
                groups.push(unsafe { Group::of(&*record) });
            }
            c!(endgrent());
        }
        let values = groups.into_iter().map(|group| group.into_value(vm));
        Ok(List::new(values.collect::<Res<_>>()?).into_value())
    }
}
