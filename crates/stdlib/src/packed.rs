//! The packed standard library: what `build.rs` put into the binary.
//!
//! Invariant: names are sorted, so that a module is found by binary search. The code of a module was verified when it was packed.

use lisle_runtime::import::{Library, LibraryModule};

/// A module of the library.
struct Row {
    name: &'static str,
    package: bool,
    /// Place of the deflated source in the blob, and its size when inflated.
    source: (usize, usize),
    size: usize,
    /// Place of the serialized code object; empty when the compiler failed on the file.
    code: (usize, usize),
}

/// A file that is no module.
struct File {
    path: &'static str,
    place: (usize, usize),
    size: usize,
}

mod index {
    use super::{File, Row};
    include!(concat!(env!("OUT_DIR"), "/library.rs"));
}

static BLOB: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/library.bin"));

/// Where the packed files seem to lie. There is no such folder; the importer alone knows it.
pub const ROOT: &str = index::ROOT;

/// A module found in the library.
#[derive(Clone, Copy)]
pub struct Entry(&'static Row);

fn inflate((start, size): (usize, usize), inflated: usize) -> Vec<u8> {
    let bytes = &BLOB[start..start + size];
    miniz_oxide::inflate::decompress_to_vec_with_limit(bytes, inflated).expect("the build wrote the library")
}

impl Entry {
    pub fn name(&self) -> &'static str {
        self.0.name
    }

    pub fn is_package(&self) -> bool {
        self.0.package
    }

    /// The serialized code object, or nothing when the source has to be compiled.
    pub fn code(&self) -> Option<&'static [u8]> {
        let (start, size) = self.0.code;
        (size > 0).then(|| &BLOB[start..start + size])
    }

    /// The text of the module, UTF-8.
    pub fn source(&self) -> Vec<u8> {
        inflate(self.0.source, self.0.size)
    }

    /// Where the module seems to lie: a path below [`ROOT`].
    pub fn path(&self) -> String {
        let tail = if self.0.package { "/__init__.py" } else { ".py" };
        format!("{ROOT}/{}{tail}", self.0.name.replace('.', "/"))
    }
}

/// The module called `name`.
pub fn find(name: &str) -> Option<Entry> {
    let at = index::MODULES.binary_search_by(|row| row.name.cmp(name)).ok()?;
    Some(Entry(&index::MODULES[at]))
}

/// All modules, by name.
pub fn list() -> impl Iterator<Item = Entry> {
    index::MODULES.iter().map(Entry)
}

/// The paths below [`ROOT`] of the files that are no modules.
pub fn files() -> impl Iterator<Item = &'static str> {
    index::FILES.iter().map(|file| file.path)
}

/// The bytes of the file at `path` (below [`ROOT`], without it): a module's source or any other file.
pub fn data(path: &str) -> Option<Vec<u8>> {
    if let Some(file) = index::FILES.iter().find(|file| file.path == path) {
        return Some(inflate(file.place, file.size));
    }
    let stem = path.strip_suffix(".py")?;
    let (stem, package) = match stem.strip_suffix("/__init__") {
        Some(stem) => (stem, true),
        None => (stem, false),
    };
    let entry = find(&stem.replace('/', "."))?;
    (entry.is_package() == package && !stem.contains('.')).then(|| entry.source())
}

/// The library as the runtime asks for it.
pub struct PackedLibrary;

fn described(entry: Entry) -> LibraryModule {
    LibraryModule {
        name: entry.name(),
        is_package: entry.is_package(),
        code: entry.code(),
    }
}

impl Library for PackedLibrary {
    fn root(&self) -> &'static str {
        ROOT
    }

    fn find(&self, name: &str) -> Option<LibraryModule> {
        find(name).map(described)
    }

    fn modules(&self) -> Vec<LibraryModule> {
        list().map(described).collect()
    }

    fn source(&self, name: &str) -> Option<Vec<u8>> {
        find(name).map(|entry| entry.source())
    }

    fn data(&self, path: &str) -> Option<Vec<u8>> {
        data(path)
    }

    fn files(&self) -> Vec<&'static str> {
        files().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_are_sorted() {
        assert!(index::MODULES.is_sorted_by(|a, b| a.name < b.name));
    }

    #[test]
    fn every_source_inflates_and_every_code_object_is_whole() {
        for entry in list() {
            assert_eq!(entry.source().len(), entry.0.size, "{}", entry.name());
            let code = entry
                .code()
                .unwrap_or_else(|| panic!("{} did not compile", entry.name()));
            lisle_bytecode::deserialize(code).unwrap_or_else(|e| panic!("{}: {e}", entry.name()));
        }
    }

    #[test]
    fn files_are_found_by_path() {
        assert!(data("threading.py").is_some_and(|text| text.starts_with(b"\"\"\"Thread module")));
        assert!(data("asyncio/__init__.py").is_some());
        assert!(data("asyncio.py").is_none());
        assert!(data("LICENSE.txt").is_some());
        assert!(data("idlelib/idle.py").is_none());
        assert!(files().any(|path| path.starts_with("ensurepip/_bundled/pip-")));
    }
}
