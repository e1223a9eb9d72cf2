//! Numbers what the compiler makes of a source, for the cache files: by its own text, so that no change of it has to be told.

use std::path::{Path, PathBuf};

fn main() {
    println!("cargo:rerun-if-changed=src");
    let mut files = Vec::new();
    collect(Path::new("src"), &mut files);
    files.sort();
    // FNV-1a.
    let mut hash = 0x811c_9dc5u32;
    for byte in files.iter().filter_map(|file| std::fs::read(file).ok()).flatten() {
        hash = (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193);
    }
    println!("cargo:rustc-env=LISLE_COMPILER_ID={hash:x}");
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        match path.is_dir() {
            true => collect(&path, files),
            false => files.push(path),
        }
    }
}
