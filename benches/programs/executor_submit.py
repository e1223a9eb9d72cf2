"""Small tasks given to a pool of threads: one at a time, many at once, and by map."""

from concurrent.futures import ThreadPoolExecutor
from time import perf_counter

TASKS = 3_000


def task(n):
    return n + 1


def one_at_a_time(pool):
    begin = perf_counter()
    for i in range(TASKS):
        pool.submit(task, i).result()
    return (perf_counter() - begin) / TASKS * 1e6


def many(pool):
    begin = perf_counter()
    futures = [pool.submit(task, i) for i in range(TASKS)]
    for future in futures:
        future.result()
    return (perf_counter() - begin) / TASKS * 1e6


def mapped(pool):
    begin = perf_counter()
    for _ in pool.map(task, range(TASKS)):
        pass
    return (perf_counter() - begin) / TASKS * 1e6


if __name__ == "__main__":
    with ThreadPoolExecutor(4) as pool:
        many(pool)
        print("us a task, one at a time", min(one_at_a_time(pool) for _ in range(3)))
        print("us a task of many", min(many(pool) for _ in range(3)))
        print("us a task of map", min(mapped(pool) for _ in range(3)))
