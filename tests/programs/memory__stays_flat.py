"""What a program makes and drops again and again does not make the process grow."""

import asyncio
import contextvars
import gc
import queue
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor


def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096


def run(function):
    thread = threading.Thread(target=function)
    thread.start()
    thread.join()


class Node:
    def __init__(self):
        self.me = self
        self.name = "node"


class Finalized:
    def __del__(self):
        pass


def containers():
    for i in range(2_000):
        {"a": [i], "b": (i, {i})}
        [Node() for _ in range(2)]
        Finalized()


def growing():
    d, items, text, data = {}, [], "", bytearray()
    for i in range(3_000):
        d[i] = items.append(i)
        text += "x"
        data += b"y"
    for i in range(3_000):
        del d[i]
        items.pop()


def exceptions():
    def fail(n):
        if n:
            fail(n - 1)
        raise ValueError(n)

    for i in range(200):
        try:
            fail(5)
        except ValueError as exc:
            kept = exc
        kept.again = kept
        del kept
        try:
            try:
                1 / 0
            finally:
                raise KeyError
        except KeyError:
            pass


def generators():
    def count(n):
        yield from range(n)

    async def nothing():
        pass

    for _ in range(300):
        sum(count(5))
        next(count(5))
        nothing().close()


def threads():
    local = threading.local()

    def work():
        local.value = [Node()]
        containers_of_thread.append(local.value)

    for _ in range(20):
        containers_of_thread = []
        run(work)
        with threading.Lock(), threading.Condition():
            pass
    parallel = [threading.Thread(target=growing) for _ in range(3)]
    for thread in parallel:
        thread.start()
    for thread in parallel:
        thread.join()


def pools():
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(str, range(50)))
        [pool.submit(divmod, 1, 0).exception() for _ in range(20)]
    items = queue.Queue()
    run(lambda: [items.put([i]) for i in range(100)])
    for _ in range(100):
        items.get()


def tasks():
    async def child(n):
        await asyncio.sleep(0)
        if n % 5 == 0:
            raise ValueError
        return [n]

    async def main():
        await asyncio.gather(*(child(n) for n in range(50)), return_exceptions=True)
        task = asyncio.create_task(asyncio.sleep(10))
        await asyncio.sleep(0)
        task.cancel()

    asyncio.run(main())


def classes():
    for i in range(20):
        made = type("Made", (Node,), {"attribute": i, "method": lambda self: self.attribute})
        made().method()
        weakref.ref(made)
        exec(compile(f"def f(x={i}): return [x for _ in range(3)]", "made", "exec"), {})
        contextvars.copy_context().run(lambda: None)


ways = [containers, growing, exceptions, generators, threads, pools, tasks, classes]


def rounds(way, n):
    for _ in range(n):
        way()
    gc.collect()
    return resident()


for way in ways:
    rounds(way, 6)
    # What is new after a warm start may still settle; what grows by every round does not.
    grown = []
    for _ in range(4):
        start = resident()
        grown.append(rounds(way, 12) - start)
        if grown[-1] < 400_000:
            break
    print(way.__name__, "flat" if min(grown) < 400_000 else f"grows by {grown}")
