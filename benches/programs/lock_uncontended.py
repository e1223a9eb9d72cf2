"""A lock that is taken and released by one thread, by method calls and by `with`."""

from _thread import allocate_lock
from time import perf_counter

N = 1_000_000


def loop():
    for _ in range(N):
        pass


def calls(lock):
    acquire, release = lock.acquire, lock.release
    for _ in range(N):
        acquire()
        release()


def with_lock(lock):
    for _ in range(N):
        with lock:
            pass


def timed(f, *args):
    begin = perf_counter()
    f(*args)
    return perf_counter() - begin


if __name__ == "__main__":
    lock = allocate_lock()
    base = timed(loop)
    print("ns a pair of calls", (timed(calls, lock) - base) / N * 1e9)
    print("ns a with block", (timed(with_lock, lock) - base) / N * 1e9)
