"""70 threads that each increment a number 100,000 times under one lock."""

from _thread import allocate_lock, start_joinable_thread
from time import perf_counter

total = 0
lock = allocate_lock()


def increment():
    global total
    for _ in range(100_000):
        lock.acquire()
        total += 1
        lock.release()


if __name__ == "__main__":
    begin = perf_counter()
    threads = [start_joinable_thread(increment) for _ in range(70)]
    for thread in threads:
        thread.join()
    print("wall seconds", perf_counter() - begin)
    assert total == 7_000_000
