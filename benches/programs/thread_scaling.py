"""What several threads do beside each other, each the work of one: for 2, 4, ... threads up to the processors, the time that they take as
parts of the time of one (1 is linear; the efficiency is its inverse), behind the wall seconds of each. With an argument: that workload
alone. Threads of the same work stay on a processor each: a system may leave threads that it woke together on one for tenths of a second."""

import json
import os
import queue
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from time import perf_counter

ROUNDS = 12


class Shape:
    sides = 0

    def __init__(self, n):
        self.n = n

    def area(self):
        return self.n * self.sides


class Square(Shape):
    sides = 4

    def area(self):
        return super().area() + self.n


class Triangle(Shape):
    sides = 3


NUMBERS = list(range(1000))
NAMES = [f"name {i}" for i in range(300)]
TABLE = {name: i for i, name in enumerate(NAMES)}
SHAPES = [(Square if i % 2 else Triangle)(i) for i in range(300)]
lock = threading.Lock()
counter = 0


class Point:
    def __init__(self, x, y):
        self.x = x
        self.y = y


def compute():
    total = 0.0
    for i in range(900_000):
        point = Point(i, i + 1)
        total += (point.x * 3 + point.y) % 7 * 0.5
    return total


def read_dict():
    total = 0
    for _ in range(9_000):
        for name in NAMES:
            total += TABLE[name]
    return total


def read_list():
    total = 0
    for _ in range(4_500):
        for at in range(1000):
            total += NUMBERS[at]
    return total


def read_classes():
    total = 0
    for _ in range(2_250):
        for shape in SHAPES:
            total += shape.area() + isinstance(shape, Shape)
    return total


def documents():
    document = {"name": "one", "values": [1, 2.5, None, True], "nested": [{"a": "b", "c": [1] * 10} for _ in range(10)]}
    for _ in range(6_000):
        document = json.loads(json.dumps(document))
    return len(document)


def count():
    global counter
    for i in range(600_000):
        with lock:
            counter += 1


def small_task(n, size=3000):
    total = 0
    for i in range(size):
        total += i * n
    return total


def with_pool(threads):
    """So many small tasks for each thread of a pool."""
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(int, range(threads)))
        begin = perf_counter()
        list(pool.map(small_task, range(4000 * threads)))
        return perf_counter() - begin


def with_queue(threads):
    """So many items for each thread, half of which produce, half consume; one thread does both."""
    items = queue.Queue()
    each = 40_000

    def produce():
        for i in range(each * (threads > 1)):
            items.put(i)
            small_task(1, 300)

    def consume():
        for i in range(each // (1 + (threads == 1))):
            if threads == 1:
                items.put(i)
                small_task(1, 300)
            items.get()
            small_task(1, 300)

    return beside([produce] * (threads // 2) + [consume] * (threads - threads // 2))


def beside(works):
    """Wall seconds from the start of the first, when all are there, to the end of the last."""
    ready = threading.Barrier(len(works))
    begins, ends = [], []
    processors = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []

    def run(work, number):
        if processors:
            os.sched_setaffinity(0, [processors[number % len(processors)]])
        ready.wait()
        begins.append(perf_counter())
        work()
        ends.append(perf_counter())

    threads = [threading.Thread(target=run, args=(work, number)) for number, work in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return max(ends) - min(begins)


def each_does(work):
    return lambda threads: beside([work] * threads)


WORKLOADS = {
    "independent work": each_does(compute),
    "shared dict, read": each_does(read_dict),
    "shared list, read": each_does(read_list),
    "shared classes, read": each_does(read_classes),
    "documents of JSON": each_does(documents),
    "pool of small tasks": with_pool,
    "producers and consumers": with_queue,
    "counter with a lock": each_does(count),
}


def main():
    counts = [1]
    while counts[-1] * 2 <= (os.process_cpu_count() if hasattr(os, "process_cpu_count") else os.cpu_count()):
        counts.append(counts[-1] * 2)
    for name, timed in WORKLOADS.items():
        if sys.argv[1:] and sys.argv[1] not in name:
            continue
        least = {threads: timed(threads) for threads in counts}
        for _ in range(ROUNDS):
            for threads in counts:
                least[threads] = min(least[threads], timed(threads))
        for threads in counts:
            print(f"{name}, {threads} threads, wall seconds", least[threads])
        for threads in counts[1:]:
            print(f"{name}, {threads} threads as parts of one", least[threads] / least[1])


if __name__ == "__main__":
    main()
