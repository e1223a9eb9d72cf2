"""Writes link/startup.txt: the functions that starting the program runs, for the linker to put them together (see build.rs).

    cargo build --release && python3 tools/startup_order.py [--fresh] target/release/lisle [target/optimized/release/lisle]

Needs valgrind and nm. The names are without what changes with each dependency or place, so that the list holds for other builds. What is out of
date in it costs memory at most. The names that the list has stay in it, in the group where they were: which functions are inlined, and so have
no name, differs between builds; `--fresh` begins anew. Worth doing again when `cargo bench -- empty` shows that an empty program has grown: each
function that is missing brings 64 KiB or more of code along.
"""

import bisect
import os
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
# What most programs run comes first. The last ones stand for programs: they bring in the compiler, and what much used code needs.
RUNS = [
    ["benches/programs/empty.py"],
    ["-c", "pass"],
    ["-S", "-c", "print(1)"],
    ["-X", "gil=0", "-c", "x = [i for i in range(3)]; print(x, {'a': 1})"],
    ["-c", "import argparse, collections, dataclasses, json, logging, random, re, subprocess, threading"],
    ["-c", "import asyncio; asyncio.run(asyncio.sleep(0))"],
    ["-c", "import glob; [compile(open(name).read(), name, 'exec') for name in sorted(glob.glob('tests/programs/[a-e]*.py'))]"],
    *(
        [f"benches/programs/{name}.py"]
        for name in "class_operators exception_raise generator_simple str_build program_tokens library_json closure set_ops list_sort call_star".split()
    ),
]
TARGET = ROOT / "link" / "startup.txt"
NUMBER = re.compile(r"(0x[0-9a-f]+|\+\d+|-\d+|\*)")


def addresses(profile):
    """The addresses of the instructions that a profile with --dump-instr=yes lists; the program is linked at a fixed address."""
    address = 0
    for line in profile.open():
        if match := NUMBER.match(line):
            text = match[1]
            if text.startswith("0x"):
                address = int(text, 16)
            elif text != "*":
                address += int(text)
            yield address


def pattern(symbol):
    """The symbol without what depends on the toolchain."""
    symbol = re.sub(r"\.llvm\.\d+$", "", symbol)
    # What names a crate depends on where it lies, and what refers back to a place in the symbol on how long that is.
    return re.sub(r"B[0-9A-Za-z]*_", "B*_", re.sub(r"Cs[0-9A-Za-z]+_", "Cs*_", symbol))


def listed():
    """The patterns that the list has, and for each the number of its group."""
    patterns, group = {}, -1
    for line in TARGET.read_text().splitlines() if TARGET.exists() else []:
        if line.startswith("#"):
            group += 1
        else:
            patterns[line] = group
    return patterns


def started(binary):
    """The patterns of the functions that the programs run, and for each the number of the first program that does."""
    listing = subprocess.run(["nm", "-n", "-S", "--defined-only", binary], capture_output=True, text=True, check=True)
    symbols = []
    for line in listing.stdout.splitlines():
        parts = line.split()
        if len(parts) == 4 and parts[2] in "tTwW":
            symbols.append((int(parts[0], 16), int(parts[1], 16), parts[3]))
    starts = [start for start, _, _ in symbols]
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        for number, arguments in enumerate(RUNS):
            profile = pathlib.Path(folder) / str(number)
            command = ["valgrind", "--tool=callgrind", "--dump-instr=yes", f"--callgrind-out-file={profile}", os.path.relpath(binary, ROOT)]
            subprocess.run(command + arguments, cwd=ROOT, capture_output=True, check=True)
            for address in addresses(profile):
                at = bisect.bisect_right(starts, address) - 1
                if at >= 0 and address < starts[at] + symbols[at][1]:
                    found.setdefault(starts[at], number)
    # Functions that are alike share an address; the section bears one of their names.
    patterns = {}
    for start, _, symbol in symbols:
        if start in found:
            name = pattern(symbol)
            patterns[name] = min(found[start], patterns.get(name, len(RUNS)))
    return patterns


def main(binaries, fresh):
    patterns = {} if fresh else listed()
    for binary in binaries:
        for name, group in started(binary).items():
            patterns[name] = min(group, patterns.get(name, len(RUNS)))
    lines = []
    for number, arguments in enumerate(RUNS):
        lines.append(f"# {shlex.join(arguments)}")
        lines += sorted(name for name, group in patterns.items() if group == number)
    TARGET.write_text("\n".join(lines) + "\n")
    print(len(patterns), "functions")


if __name__ == "__main__":
    main([pathlib.Path(name).resolve() for name in sys.argv[1:] if name != "--fresh"], "--fresh" in sys.argv)
