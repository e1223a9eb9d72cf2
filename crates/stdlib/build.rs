//! Packs the pure-Python standard library: `library.bin` (code objects as they are, then sources, deflated) and `library.rs`, its index.
//!
//! The files are those of the crate rustpython-pylib, without what [`select`] leaves out, changed where [`patches`] says so, and
//! replaced or joined by the files of `overrides/lib`. A file that does not compile is packed as source only.

#[path = "build/patches.rs"]
mod patches;
#[path = "build/select.rs"]
mod select;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{env, fs, thread};

use lisle_compiler::{Mode, Options};

/// Where the packed files seem to lie; no such folder exists.
const ROOT: &str = "/<lisle>/lib/python3.14";

/// A file to pack.
struct Input {
    /// Path below the library's folder, with `/`.
    path: String,
    bytes: Vec<u8>,
}

/// What is made of a file.
struct Packed {
    deflated: Vec<u8>,
    code: Vec<u8>,
    problem: Option<String>,
}

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=build");
    println!("cargo::rerun-if-changed=overrides");
    let mut inputs = gather();
    inputs.sort_by(|a, b| a.path.cmp(&b.path));
    let packed = pack_all(&inputs);
    for (input, packed) in inputs.iter().zip(&packed) {
        if let Some(problem) = &packed.problem {
            println!("cargo::warning={}: {problem}", input.path);
        }
    }
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    let (blob, index) = lay_out(&inputs, &packed);
    fs::write(out.join("library.bin"), blob).expect("OUT_DIR can be written");
    fs::write(out.join("library.rs"), index).expect("OUT_DIR can be written");
}

fn gather() -> Vec<Input> {
    let library = Path::new(rustpython_pylib::LIB_PATH);
    let overrides = Path::new("overrides/lib");
    let mut inputs = Vec::new();
    let mut overridden = Vec::new();
    if overrides.is_dir() {
        files_below(overrides, overrides, &mut overridden);
    }
    let mut found = Vec::new();
    files_below(library, library, &mut found);
    let mut used = 0;
    for path in found {
        if !select::wanted(&path) || overridden.contains(&path) {
            continue;
        }
        let mut bytes = read(&library.join(&path));
        used += patches::apply(&path, &mut bytes);
        inputs.push(Input {
            path: select::renamed(path),
            bytes,
        });
    }
    assert_eq!(used, patches::PATCHES.len(), "a patch names a file that is not there");
    inputs.extend(overridden.into_iter().map(|path| Input {
        bytes: read(&overrides.join(&path)),
        path,
    }));
    inputs
}

fn read(path: &Path) -> Vec<u8> {
    fs::read(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// Paths of the files below `folder`, relative to `root`.
fn files_below(root: &Path, folder: &Path, found: &mut Vec<String>) {
    let entries = fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    for entry in entries {
        let path = entry.expect("a folder can be read").path();
        if path.is_dir() {
            files_below(root, &path, found);
        } else if let Some(relative) = path.strip_prefix(root).ok().and_then(Path::to_str) {
            found.push(relative.replace('\\', "/"));
        }
    }
}

fn pack_all(inputs: &[Input]) -> Vec<Packed> {
    let workers = thread::available_parallelism().map_or(1, usize::from);
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            match inputs.get(at) {
                Some(input) => done.push((at, pack(input))),
                None => return done,
            }
        }
    };
    let mut all = thread::scope(|scope| {
        // Nested expressions need more stack than a thread has by default.
        let worker = || thread::Builder::new().stack_size(256 << 20).spawn_scoped(scope, work);
        let threads: Vec<_> = (0..workers)
            .map(|_| worker().expect("threads can be started"))
            .collect();
        threads
            .into_iter()
            .flat_map(|t| t.join().expect("a worker ends"))
            .collect::<Vec<_>>()
    });
    all.sort_by_key(|&(at, _)| at);
    all.into_iter().map(|(_, packed)| packed).collect()
}

fn pack(input: &Input) -> Packed {
    let deflated = miniz_oxide::deflate::compress_to_vec(&input.bytes, 8);
    let (code, problem) = match input.path.ends_with(".py").then(|| compile(input)) {
        None => (Vec::new(), None),
        Some(Ok(code)) => (code, None),
        Some(Err(problem)) => (Vec::new(), Some(problem)),
    };
    Packed {
        deflated,
        code,
        problem,
    }
}

fn compile(input: &Input) -> Result<Vec<u8>, String> {
    let source = std::str::from_utf8(&input.bytes).map_err(|e| e.to_string())?;
    let filename = match select::frozen_name(&input.path) {
        Some(name) => format!("<frozen {name}>"),
        None => format!("{ROOT}/{}", input.path),
    };
    let options = Options {
        filename,
        ..Options::default()
    };
    let (code, _) =
        lisle_compiler::compile(source, Mode::Exec, &options).map_err(|e| format!("line {}: {}", e.line, e.message))?;
    lisle_compiler::verify(&code)?;
    Ok(lisle_bytecode::serialize(&code))
}

/// Module name and whether it is a package, of a path that ends in `.py`.
fn module_name(path: &str) -> Option<(String, bool)> {
    let stem = path.strip_suffix(".py")?;
    Some(match stem.strip_suffix("/__init__") {
        Some(package) => (package.replace('/', "."), true),
        None => (stem.replace('/', "."), false),
    })
}

fn lay_out(inputs: &[Input], packed: &[Packed]) -> (Vec<u8>, String) {
    let mut blob = Vec::new();
    let mut place = |bytes: &[u8]| {
        let start = blob.len();
        blob.extend(bytes);
        (start, bytes.len())
    };
    let mut modules = Vec::new();
    let mut data = String::new();
    // What lies side by side comes into memory together: the code that each start needs, what many programs import, other code, then sources.
    let mut codes = vec![(0, 0); inputs.len()];
    let first = select::EARLY.iter().chain(select::COMMON);
    let mut order: Vec<usize> = first
        .map(|path| {
            let found = inputs.binary_search_by(|input| (*input.path).cmp(path));
            found.unwrap_or_else(|_| panic!("{path} is not packed"))
        })
        .collect();
    order.extend((0..inputs.len()).filter(|at| {
        let path = &&*inputs[*at].path;
        !select::EARLY.contains(path) && !select::COMMON.contains(path)
    }));
    for at in order {
        codes[at] = place(&packed[at].code);
    }
    for ((input, packed), code) in inputs.iter().zip(packed).zip(codes) {
        let source = place(&packed.deflated);
        match module_name(&input.path) {
            Some((name, package)) => {
                let row = format!(
                    "    Row {{ name: {name:?}, package: {package}, source: {source:?}, size: {}, code: {code:?} }},\n",
                    input.bytes.len()
                );
                modules.push((name, row));
            }
            None => {
                let row = format!(
                    "    File {{ path: {:?}, place: {source:?}, size: {} }},\n",
                    input.path,
                    input.bytes.len()
                );
                data.push_str(&row);
            }
        }
    }
    modules.sort();
    let mut index = String::new();
    let _ = writeln!(index, "pub static MODULES: &[Row] = &[");
    index.extend(modules.into_iter().map(|(_, row)| row));
    let _ = write!(index, "];\npub static FILES: &[File] = &[\n{data}];\n");
    let _ = writeln!(index, "pub const ROOT: &str = {ROOT:?};");
    (blob, index)
}
