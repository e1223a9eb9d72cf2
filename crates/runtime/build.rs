//! Tells the instruction loop whether the optimiser makes jumps of its calls.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-check-cfg=cfg(lisle_chained)");
    let level = std::env::var("OPT_LEVEL").unwrap_or_default();
    if matches!(level.as_str(), "2" | "3" | "s" | "z") {
        println!("cargo::rustc-cfg=lisle_chained");
    }
}
