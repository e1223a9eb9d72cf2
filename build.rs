//! How the program is linked.
//!
//! At a fixed address: its tables of pointers then need no relocation at each start, and stay shared with the file. The functions that a
//! start runs come together (`link/startup.ld`), since the system maps code in pieces of 64 KiB: scattered over the program, they would bring
//! nearly all of it into memory.

use std::env;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=link/startup.ld");
    let is = |name: &str, value: &str| env::var(name).is_ok_and(|found| found == value);
    if !is("CARGO_CFG_TARGET_OS", "linux") {
        return;
    }
    println!("cargo::rustc-link-arg-bin=lisle=-no-pie");
    if is("PROFILE", "release")
        && let Ok(root) = env::var("CARGO_MANIFEST_DIR")
    {
        println!("cargo::rustc-link-arg-bin=lisle=-Wl,-T,{root}/link/startup.ld");
    }
}
