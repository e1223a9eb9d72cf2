"""Stands in for pyperf when the programs of pyperformance run: measures in one process, by processor time, and prints the figures.

Prints `<name> <seconds a loop>` for each benchmark, the least of its runs: on a busy machine that is what comes nearest to the truth.
PYPERF_SECONDS says for how long one benchmark runs. With PYPERF_THREAD it runs in a thread of its own, with what the main thread made: what a
program pays that has threads. Left out: everything that pyperf does to keep a machine quiet, and its files.
"""

import argparse
import asyncio
import os
import platform
import resource
import subprocess
import threading
import time

perf_counter = time.process_time
BUDGET = float(os.environ.get("PYPERF_SECONDS", "1"))
SHORTEST = 0.05


def python_implementation():
    return platform.python_implementation().lower()


def python_has_jit():
    return python_implementation() == "pypy"


class Runner:
    def __init__(self, *_args, add_cmdline_args=None, program_args=None, **_kwargs):
        self.argparser = argparse.ArgumentParser()
        self.metadata = {}
        self.args = None

    def parse_args(self, args=None):
        if self.args is None:
            self.args = self.argparser.parse_args(args)
        return self.args

    def bench_time_func(self, name, time_func, *args, inner_loops=1, **_kwargs):
        self.parse_args()
        if not os.environ.get("PYPERF_THREAD"):
            return self.measure(name, time_func, args, inner_loops)
        thread = threading.Thread(target=self.measure, args=(name, time_func, args, inner_loops))
        thread.start()
        thread.join()

    def measure(self, name, time_func, args, inner_loops):
        loops, value = 1, time_func(1, *args)
        while value < SHORTEST and loops < 1 << 20:
            loops *= 2
            value = time_func(loops, *args)
        best, spent, runs = value, value, 1
        while runs < 20 and (runs < 2 or spent < BUDGET):
            value = time_func(loops, *args)
            best, spent, runs = min(best, value), spent + value, runs + 1
        print(name.replace(" ", "_"), best / loops / inner_loops, flush=True)

    def bench_func(self, name, func, *args, inner_loops=1, **_kwargs):
        def time_func(loops):
            begin = perf_counter()
            for _ in range(loops):
                func(*args)
            return perf_counter() - begin

        self.bench_time_func(name, time_func, inner_loops=inner_loops)

    def bench_async_func(self, name, func, *args, inner_loops=1, loop_factory=None, **_kwargs):
        async def run(loops):
            begin = perf_counter()
            for _ in range(loops):
                await func(*args)
            return perf_counter() - begin

        def time_func(loops):
            if loop_factory is None:
                return asyncio.run(run(loops))
            with asyncio.Runner(loop_factory=loop_factory) as runner:
                return runner.run(run(loops))

        self.bench_time_func(name, time_func, inner_loops=inner_loops)

    def bench_command(self, name, command, **_kwargs):
        def used():
            children = resource.getrusage(resource.RUSAGE_CHILDREN)
            return children.ru_utime + children.ru_stime

        def time_func(loops):
            begin = used()
            for _ in range(loops):
                subprocess.run(command, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
            return used() - begin

        self.bench_time_func(name, time_func)
