#!/usr/bin/env python3
"""Builds target/optimized/release/lisle, optimised by a profile of what programs run.

    rustup component add llvm-tools && python3 tools/optimize.py

As CPython's --enable-optimizations does, it builds a program that counts, runs the tests' programs and the benchmarks' own ones with it
(none of pyperformance's), and builds again with what was counted. Takes about three times as long as a release build.
Cargo runs this file too, as the compiler's wrapper: the flags are for the runtime's crates alone, and build no other dependencies anew.
"""

import concurrent.futures
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
TARGET = ROOT / "target" / "optimized"
# What is counted and optimised. Dependencies are few of the instructions that run, and the build scripts' own are none.
CRATES = {"lisle", "lisle_runtime", "lisle_stdlib"}
FLAGS = "LISLE_PROFILE_FLAGS"
# The program lies at a fixed address: what other crates define is reached without a table of addresses.
STATIC = "-Crelocation-model=static"
# Handlers of instructions go to the next one by a jump that the processor predicts: no comparison with the likeliest ones before it.
DISPATCH = "-Cllvm-args=-disable-icp"
# Seconds: what a program may take that counts.
LIMIT = 120


def wrapped(compiler):
    """Runs the compiler, with the flags for what is to be counted or optimised. Does not return."""
    arguments = list(compiler)
    if "--crate-name" in arguments and arguments[arguments.index("--crate-name") + 1] in CRATES:
        arguments += [STATIC, *os.environ[FLAGS].split()]
    os.execvp(arguments[0], arguments)


def build(flags):
    """The program, built with the flags. The name of each crate's parts must be the same in both builds: no incremental ones."""
    for crate in ["src/main.rs", "crates/runtime/src/lib.rs", "crates/stdlib/src/lib.rs"]:
        (ROOT / crate).touch()
    environment = os.environ | {FLAGS: flags, "RUSTC_WRAPPER": str(pathlib.Path(__file__).resolve()), "CARGO_INCREMENTAL": "0"}
    environment["CARGO_PROFILE_RELEASE_CODEGEN_UNITS"] = "1"
    command = ["cargo", "build", "--release", "--bin", "lisle", "--target-dir", TARGET]
    subprocess.run(command, cwd=ROOT, env=environment, check=True)
    return TARGET / "release" / "lisle"


def train(program, folder):
    """Runs what is to be counted; the counts go to the folder."""
    benchmarks = sorted((ROOT / "benches" / "programs").glob("*.py"))
    tests = sorted((ROOT / "tests" / "programs").glob("*.py"))
    runs = [[mode, path] for path in benchmarks for mode in ("gil=1", "gil=0")] + [["gil=1", path] for path in tests]
    environment = os.environ | {"LLVM_PROFILE_FILE": str(folder / "%m_%2p.profraw")}

    def run(mode, path):
        with tempfile.TemporaryDirectory() as empty:
            try:
                ended = subprocess.run(
                    [program, "-X", mode, path],
                    cwd=empty,
                    env=environment,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    timeout=LIMIT,
                )
            except subprocess.TimeoutExpired:
                return f"{path.name}: not done in {LIMIT} s"
        return None if ended.returncode == 0 else f"{path.name}: exit {ended.returncode}"

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for trouble in pool.map(lambda arguments: run(*arguments), runs):
            if trouble:
                print(trouble, file=sys.stderr)


def profdata():
    """The program that merges profiles: of the toolchain, since the format is its compiler's."""
    sysroot = subprocess.run(["rustc", "--print", "sysroot"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()
    found = [*pathlib.Path(sysroot).glob("lib/rustlib/*/bin/llvm-profdata")]
    if not found:
        sys.exit("llvm-profdata is missing: rustup component add llvm-tools")
    return found[0]


def main():
    merge = profdata()
    # In the background of a shell, programs would never be interrupted: some of those that are counted interrupt themselves.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        counting = build(f"-Cprofile-generate={folder} --cfg lisle_profiled")
        # The second build replaces it.
        counting = shutil.copy(counting, folder / "lisle")
        train(counting, folder)
        merged = TARGET / "lisle.profdata"
        subprocess.run([merge, "merge", "-o", merged, *folder.glob("*.profraw")], check=True)
    print(build(f"-Cprofile-use={merged} {DISPATCH}"))


if __name__ == "__main__":
    if FLAGS in os.environ:
        wrapped(sys.argv[1:])
    main()
