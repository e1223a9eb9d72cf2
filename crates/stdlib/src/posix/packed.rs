//! Files of the packed library, for programs that look at them as files: `open(json.__file__)`, `os.listdir(os.path.dirname(os.__file__))`.
//!
//! Invariant: what lies here can be read, listed and asked for; it cannot be changed, and no other path is looked at.

use std::collections::BTreeMap;
use std::mem::zeroed;
use std::os::unix::fs::MetadataExt;
use std::sync::OnceLock;

use lisle_runtime::import::registry::{library, library_path};

use crate::syscall::{Errno, Sys, c, check};

/// A file of the library.
#[derive(Clone, Copy)]
enum Content {
    /// The source of a module.
    Module(&'static str),
    /// Another file, by its path below the root.
    Data(&'static str),
}

/// What a path of the library names.
pub enum Found {
    File(File),
    Folder(Folder),
}

/// A file of the library.
pub struct File {
    content: Content,
    inode: u64,
}

/// A folder of the library.
pub struct Folder {
    path: String,
}

/// All files and folders: whether they are folders, and what files hold.
fn tree() -> &'static BTreeMap<String, Option<Content>> {
    static TREE: OnceLock<BTreeMap<String, Option<Content>>> = OnceLock::new();
    TREE.get_or_init(|| {
        let mut tree = BTreeMap::new();
        let Some(library) = library() else { return tree };
        for module in library.modules() {
            tree.insert(library_path(module), Some(Content::Module(module.name)));
        }
        for path in library.files() {
            tree.insert(format!("{}/{path}", library.root()), Some(Content::Data(path)));
        }
        let files: Vec<String> = tree.keys().cloned().collect();
        for file in files {
            let mut path = file.as_str();
            while let Some((folder, _)) = path.rsplit_once('/').filter(|(folder, _)| !folder.is_empty()) {
                if tree.insert(folder.to_owned(), None).is_some() {
                    break;
                }
                path = folder;
            }
        }
        tree
    })
}

/// What an absolute path names in the library.
pub fn find(path: &[u8]) -> Option<Found> {
    // The first name of the root is one that no other path begins with.
    let root = library()?.root();
    let top = root.get(1..)?.split('/').next()?;
    if !path.strip_prefix(b"/")?.starts_with(top.as_bytes()) {
        return None;
    }
    let mut clean = String::new();
    for name in std::str::from_utf8(path).ok()?.split('/') {
        match name {
            "" | "." => {}
            ".." => clean.truncate(clean.rfind('/').unwrap_or(0)),
            name => {
                clean.push('/');
                clean.push_str(name);
            }
        }
    }
    let inode = tree().range::<String, _>(..&clean).count() as u64 + 1;
    match tree().get(&clean)? {
        Some(content) => Some(Found::File(File {
            content: *content,
            inode,
        })),
        None => Some(Found::Folder(Folder { path: clean })),
    }
}

impl File {
    /// The bytes.
    pub fn read(&self) -> Vec<u8> {
        let bytes = library().and_then(|library| match self.content {
            Content::Module(name) => library.source(name),
            Content::Data(path) => library.data(path),
        });
        bytes.unwrap_or_default()
    }

    /// A descriptor to read it by.
    fn open(&self) -> Sys<i32> {
        let bytes = self.read();
        let fd = check(c!(memfd_create(c"library".as_ptr(), libc::MFD_CLOEXEC)))?;
        let mut rest = bytes.as_slice();
        while !rest.is_empty() {
            let written = c!(write(fd, rest.as_ptr().cast(), rest.len()));
            let Some((_, left)) = usize::try_from(written).ok().and_then(|n| rest.split_at_checked(n)) else {
                let error = Errno::last();
                c!(close(fd));
                return Err(error);
            };
            rest = left;
        }
        c!(lseek(fd, 0, libc::SEEK_SET));
        Ok(fd)
    }
}

impl Folder {
    /// The names in it, and whether they are folders.
    pub fn names(&self) -> Vec<(String, bool)> {
        let start = format!("{}/", self.path);
        let below = tree()
            .range(start.clone()..)
            .take_while(|(path, _)| path.starts_with(&start));
        below
            .filter_map(|(path, content)| {
                let name = &path[start.len()..];
                (!name.contains('/')).then(|| (name.to_owned(), content.is_none()))
            })
            .collect()
    }
}

/// `open`, if the path is one of the library's.
pub fn open(path: &[u8], flags: i32) -> Option<Sys<i32>> {
    let found = find(path)?;
    if flags & libc::O_ACCMODE != libc::O_RDONLY || flags & libc::O_TRUNC != 0 {
        return Some(Err(Errno(libc::EROFS)));
    }
    Some(match found {
        Found::File(_) if flags & libc::O_DIRECTORY != 0 || path.ends_with(b"/") => Err(Errno(libc::ENOTDIR)),
        Found::File(file) => file.open(),
        Found::Folder(_) => Err(Errno(libc::EISDIR)),
    })
}

/// `stat`, if the path is one of the library's: the times are those of the program.
pub fn stat(path: &[u8]) -> Option<Sys<libc::stat>> {
    let found = find(path)?;
    if matches!(found, Found::File(_)) && path.ends_with(b"/") {
        return Some(Err(Errno(libc::ENOTDIR)));
    }
    // SAFETY: plain data.
    let mut st: libc::stat = unsafe { zeroed() };
    st.st_nlink = 1;
    st.st_blksize = 4096;
    match found {
        Found::File(file) => {
            st.st_mode = libc::S_IFREG | 0o444;
            st.st_ino = file.inode;
            st.st_size = file.read().len() as i64;
            st.st_blocks = (st.st_size + 511) / 512;
        }
        Found::Folder(folder) => {
            st.st_mode = libc::S_IFDIR | 0o555;
            st.st_ino = tree().range(..folder.path).count() as u64 + 1;
        }
    }
    static TIMES: OnceLock<(u64, i64, i64)> = OnceLock::new();
    let (device, seconds, nanoseconds) = *TIMES.get_or_init(|| {
        let own = std::env::current_exe().and_then(std::fs::metadata);
        // A device of its own, so that no file of the system is taken for one of these.
        own.map_or((u64::MAX, 0, 0), |own| (!own.dev(), own.mtime(), own.mtime_nsec()))
    });
    st.st_dev = device >> 1;
    (st.st_atime, st.st_mtime, st.st_ctime) = (seconds, seconds, seconds);
    (st.st_atime_nsec, st.st_mtime_nsec, st.st_ctime_nsec) = (nanoseconds, nanoseconds, nanoseconds);
    Some(Ok(st))
}

/// `access`, if the path is one of the library's.
pub fn access(path: &[u8], mode: i32) -> Option<bool> {
    let denied = match find(path)? {
        Found::File(_) if path.ends_with(b"/") => return Some(false),
        Found::File(_) => libc::W_OK | libc::X_OK,
        Found::Folder(_) => libc::W_OK,
    };
    Some(mode & denied == 0)
}
