"""Small tasks and one large batch on a pool of two processes."""
import multiprocessing
import time


def work(n):
    total = 0
    for i in range(n):
        total = (total * 31 + i) % 1000003
    return total


def main():
    with multiprocessing.get_context("fork").Pool(2) as pool:
        pool.map(work, [1, 1])
        begin = time.perf_counter()
        for _ in range(300):
            pool.apply(work, (10,))
        print("us a small task", (time.perf_counter() - begin) / 300 * 1e6)
        begin = time.perf_counter()
        pool.map(work, [100000] * 8)
        print("ms of a batch", (time.perf_counter() - begin) * 1e3)


main()
