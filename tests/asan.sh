#!/usr/bin/env bash
# The test programs under AddressSanitizer, by a nightly toolchain if there is one, else by what the stable one lets those do who ask for it (for this
# only): uses of freed objects, of freed tables and of stacks show as errors. Not a part of CI. Arguments go to `cargo test`.
# Known: a table inside zstd, compiled by a GCC whose instrumentation is not the toolchain's, is reported as a stack out of scope (zstd__streams).
# What fails without a report: programs that are told what memory they use, or that give themselves less (memory__stays_flat, memory__functions_of_threads,
# memory__refused, threads__no_room, `without_memory_there_is_an_error`), since freed blocks are kept for a while, and the sanitizer itself needs memory; and
# one that shows each call that `qsort` makes, since the sanitizer's makes more (ctypes__types).
set -euo pipefail
cd "$(dirname "$0")/.."
target=$(rustc -vV | sed -n 's/^host: //p')
# Leaks are not looked for: immortal objects and tables stay until the end by design. A request that is too large is an error of
# the program's, which gets MemoryError.
export ASAN_OPTIONS="detect_leaks=0:detect_stack_use_after_return=0:allocator_may_return_null=1:handle_segv=0:handle_sigbus=0:handle_sigfpe=0:handle_abort=0"
export RUSTFLAGS="-Zsanitizer=address --cfg lisle_asan"
if rustc +nightly --version > /dev/null 2>&1; then
    toolchain=+nightly
else
    toolchain=+stable
    export RUSTC_BOOTSTRAP=1
fi
exec cargo "$toolchain" test --target "$target" --target-dir target/asan --test programs --test notes --test bad_input "$@"
