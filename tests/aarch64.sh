#!/usr/bin/env bash
# The test programs on aarch64, under QEMU's emulation of user programs. It needs the target's standard library (`rustup target add
# aarch64-unknown-linux-gnu`), a C compiler and the C library for it, and a handler of binfmt_misc, since programs start others. Not a part of CI.
# Arguments go to `cargo test`. Left out: orders of memory accesses that the host's processor does not have either.
#
# Known, with QEMU 7.2, of its own making: `posix_spawn` and `subprocess` learn nothing of a program that cannot be run, since a process that shares
# its parent's memory is emulated by one that does not (os__processes, subprocess__run, asyncio__programs; a C program of three lines shows the same); a
# fork from a second thread, or of a process with threads, now and then ends with a failed assertion of QEMU's in the child (threads__one_after_another,
# threads__storms, multiprocessing__processes, whose helper then waits for ever). Limits of address space that a program sets are ignored: the limit below
# stands for them, and what is to fail for want of memory succeeds (`without_memory_there_is_an_error`). On a busy machine some take longer than they
# may (the traceback of 100,000 frames in `wrong_programs_end_in_errors`, threads__three_hundred, memory__stays_flat).
set -euo pipefail
cd "$(dirname "$0")/.."
target=aarch64-unknown-linux-gnu
export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=${AARCH64_CC:-aarch64-linux-gnu-gcc}
export CC_aarch64_unknown_linux_gnu=${AARCH64_CC:-aarch64-linux-gnu-gcc}
export QEMU_LD_PREFIX=${QEMU_LD_PREFIX:-/usr/aarch64-linux-gnu}
cargo build --release --target "$target" --bin lisle
# The tests themselves run on the host.
tests=(--test programs --test notes --test bad_input)
cargo test --no-run "${tests[@]}"
ulimit -v $((12 << 20))
LISLE_UNDER_TEST=$PWD/target/$target/release/lisle cargo test "${tests[@]}" "$@"
