#!/usr/bin/env bash
# The test programs under AddressSanitizer, which needs a nightly toolchain (for this only): uses of freed objects, of freed tables
# and of stacks show as errors. Not a part of CI. Arguments go to `cargo test`.
# Known: a table inside zstd, compiled by a GCC whose instrumentation is not the toolchain's, is reported as a stack out of scope (zstd__streams.py).
set -euo pipefail
cd "$(dirname "$0")/.."
target=$(rustc -vV | sed -n 's/^host: //p')
# Leaks are not looked for: immortal objects and tables stay until the end by design. A request that is too large is an error of
# the program's, which gets MemoryError.
export ASAN_OPTIONS="detect_leaks=0:detect_stack_use_after_return=0:allocator_may_return_null=1:handle_segv=0:handle_sigbus=0:handle_sigfpe=0:handle_abort=0"
export RUSTFLAGS="-Zsanitizer=address --cfg lisle_asan"
exec cargo +nightly test --target "$target" --target-dir target/asan --test programs --test notes --test bad_input "$@"
