//! `_stat`: what the mode of a file says.

use lisle_runtime::native::{Py, Res, Str, Value, Vm, pymodule};
use lisle_runtime::types::module::Module;

use crate::constants;

constants::constants! {
    S_IFBLK S_IFCHR S_IFDIR S_IFIFO S_IFLNK S_IFREG S_IFSOCK S_IRGRP S_IROTH S_IRUSR S_IRWXG S_IRWXO S_IRWXU S_ISGID
    S_ISUID S_ISVTX S_IWGRP S_IWOTH S_IWUSR S_IXGRP S_IXOTH S_IXUSR
    ;
    S_ENFMT = 0o2000, S_IEXEC = 0o100, S_IREAD = 0o400, S_IWRITE = 0o200, S_IFDOOR = 0, S_IFPORT = 0, S_IFWHT = 0,
    ST_MODE = 0, ST_INO = 1, ST_DEV = 2, ST_NLINK = 3, ST_UID = 4, ST_GID = 5, ST_SIZE = 6, ST_ATIME = 7, ST_MTIME = 8,
    ST_CTIME = 9,
    SF_APPEND = 0x0004_0000, SF_ARCHIVED = 0x0001_0000, SF_DATALESS = 0x4000_0000, SF_FIRMLINK = 0x0080_0000,
    SF_IMMUTABLE = 0x0002_0000, SF_NOUNLINK = 0x0010_0000, SF_RESTRICTED = 0x0008_0000, SF_SETTABLE = 0xffff_0000,
    SF_SNAPSHOT = 0x0020_0000,
    UF_APPEND = 4, UF_COMPRESSED = 0x20, UF_DATAVAULT = 0x80, UF_HIDDEN = 0x8000, UF_IMMUTABLE = 2, UF_NODUMP = 1,
    UF_NOUNLINK = 16, UF_OPAQUE = 8, UF_SETTABLE = 0xffff, UF_TRACKED = 0x40,
}

/// The mode as `ls -l` shows it.
fn show(mode: u32) -> String {
    let kind = match mode & libc::S_IFMT {
        libc::S_IFLNK => 'l',
        libc::S_IFSOCK => 's',
        libc::S_IFREG => '-',
        libc::S_IFBLK => 'b',
        libc::S_IFDIR => 'd',
        libc::S_IFCHR => 'c',
        libc::S_IFIFO => 'p',
        _ => '?',
    };
    let mut out = String::from(kind);
    let special = [
        (libc::S_ISUID, 's', 'S'),
        (libc::S_ISGID, 's', 'S'),
        (libc::S_ISVTX, 't', 'T'),
    ];
    for (at, (bit, with, without)) in special.into_iter().enumerate() {
        let bits = mode >> (6 - 3 * at);
        out.push(if bits & 4 != 0 { 'r' } else { '-' });
        out.push(if bits & 2 != 0 { 'w' } else { '-' });
        out.push(match (bits & 1 != 0, mode & bit != 0) {
            (true, true) => with,
            (false, true) => without,
            (true, false) => 'x',
            (false, false) => '-',
        });
    }
    out
}

#[pymodule(name = "_stat", doc = "S_IFMT_: file type bits\nS_IFDIR: directory")]
pub mod module {
    use super::*;

    fn is(mode: u32, kind: u32) -> bool {
        mode & libc::S_IFMT == kind
    }

    /// S_ISDIR(mode) -> bool
    ///
    /// Return True if mode is from a directory.
    #[pyfunction(name = "S_ISDIR", sig = "(mode, /)")]
    fn s_isdir(_vm: &Vm, mode: u32) -> bool {
        is(mode, libc::S_IFDIR)
    }

    /// S_ISCHR(mode) -> bool
    ///
    /// Return True if mode is from a character special device file.
    #[pyfunction(name = "S_ISCHR", sig = "(mode, /)")]
    fn s_ischr(_vm: &Vm, mode: u32) -> bool {
        is(mode, libc::S_IFCHR)
    }

    /// S_ISBLK(mode) -> bool
    ///
    /// Return True if mode is from a block special device file.
    #[pyfunction(name = "S_ISBLK", sig = "(mode, /)")]
    fn s_isblk(_vm: &Vm, mode: u32) -> bool {
        is(mode, libc::S_IFBLK)
    }

    /// S_ISREG(mode) -> bool
    ///
    /// Return True if mode is from a regular file.
    #[pyfunction(name = "S_ISREG", sig = "(mode, /)")]
    fn s_isreg(_vm: &Vm, mode: u32) -> bool {
        is(mode, libc::S_IFREG)
    }

    /// S_ISFIFO(mode) -> bool
    ///
    /// Return True if mode is from a FIFO (named pipe).
    #[pyfunction(name = "S_ISFIFO", sig = "(mode, /)")]
    fn s_isfifo(_vm: &Vm, mode: u32) -> bool {
        is(mode, libc::S_IFIFO)
    }

    /// S_ISLNK(mode) -> bool
    ///
    /// Return True if mode is from a symbolic link.
    #[pyfunction(name = "S_ISLNK", sig = "(mode, /)")]
    fn s_islnk(_vm: &Vm, mode: u32) -> bool {
        is(mode, libc::S_IFLNK)
    }

    /// S_ISSOCK(mode) -> bool
    ///
    /// Return True if mode is from a socket.
    #[pyfunction(name = "S_ISSOCK", sig = "(mode, /)")]
    fn s_issock(_vm: &Vm, mode: u32) -> bool {
        is(mode, libc::S_IFSOCK)
    }

    /// S_ISDOOR(mode) -> bool
    ///
    /// Return True if mode is from a door.
    #[pyfunction(name = "S_ISDOOR", sig = "(mode, /)")]
    fn s_isdoor(_vm: &Vm, _mode: u32) -> bool {
        false
    }

    /// S_ISPORT(mode) -> bool
    ///
    /// Return True if mode is from an event port.
    #[pyfunction(name = "S_ISPORT", sig = "(mode, /)")]
    fn s_isport(_vm: &Vm, _mode: u32) -> bool {
        false
    }

    /// S_ISWHT(mode) -> bool
    ///
    /// Return True if mode is from a whiteout.
    #[pyfunction(name = "S_ISWHT", sig = "(mode, /)")]
    fn s_iswht(_vm: &Vm, _mode: u32) -> bool {
        false
    }

    /// Return the portion of the file's mode that can be set by os.chmod().
    #[pyfunction(name = "S_IMODE", sig = "(object, /)")]
    fn s_imode(_vm: &Vm, object: u32) -> u32 {
        object & 0o7777
    }

    /// Return the portion of the file's mode that describes the file type.
    #[pyfunction(name = "S_IFMT", sig = "(mode, /)")]
    fn s_ifmt(_vm: &Vm, mode: u32) -> u32 {
        mode & libc::S_IFMT
    }

    /// Convert a file's mode to a string of the form '-rwxrwxrwx'
    #[pyfunction(sig = "(mode, /)")]
    fn filemode(_vm: &Vm, mode: u32) -> Value {
        Str::from_str(&show(mode)).into_value()
    }

    #[init]
    fn init(_vm: &Vm, module: &Py<Module>) -> Res<()> {
        constants::add(module, CONSTANTS);
        Ok(())
    }
}
