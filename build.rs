//! How the program is linked.
//!
//! At a fixed address: its tables of pointers then need no relocation at each start, and stay shared with the file. The functions that a
//! start runs come together (`link/startup.txt`), since the system maps code in pieces of 64 KiB: scattered over the program, they would bring
//! nearly all of it into memory.

use std::env;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=link/startup.txt");
    let is = |name: &str, value: &str| env::var(name).is_ok_and(|found| found == value);
    if !is("CARGO_CFG_TARGET_OS", "linux") {
        return;
    }
    println!("cargo::rustc-link-arg-bin=lisle=-no-pie");
    if is("PROFILE", "release") {
        let list = fs::read_to_string("link/startup.txt").expect("the list is part of the sources");
        let script = Path::new(&env::var_os("OUT_DIR").expect("cargo sets it")).join("startup.ld");
        fs::write(&script, together(&list)).expect("the folder is for this");
        println!("cargo::rustc-link-arg-bin=lisle=-Wl,-T,{}", script.display());
    }
}

/// A linker script that puts the functions of a list, one pattern of a symbol a line, before all others.
fn together(list: &str) -> String {
    // What starts the process, and what is written in assembly, has no section of its own.
    let mut script = String::from(
        "SECTIONS { .text.startup_set : {\n*(.text.startup .text.startup.*)\n*crt1.o(.text)\n*libpsm-*:*(.text)\n",
    );
    for name in list.lines().filter(|line| !line.starts_with('#')) {
        // What the compiler takes for hot or cold lies in sections of such names; the numbers are those of the part of the crate.
        script.push_str("*(");
        for kind in ["", "hot.", "unlikely."] {
            let _ = write!(script, ".text.{kind}{name} .text.{kind}{name}.llvm.* ");
        }
        script.push_str(")\n");
    }
    script.push_str("} } INSERT BEFORE .text;\n");
    script
}
