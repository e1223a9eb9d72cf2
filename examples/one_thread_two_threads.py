# Computes twice on one thread, then on two threads at once. With the GIL two threads are no faster; with `-X gil=0`,
# on two cores, they take about half the time.
import sys
import threading
import time


def compute():
    total = 0
    for i in range(10_000_000):
        total += i
    return total


def spent(f):
    start = time.perf_counter()
    f()
    return time.perf_counter() - start


def one_thread():
    compute()
    compute()


def two_threads():
    threads = [threading.Thread(target=compute) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


print("with the GIL" if sys._is_gil_enabled() else "without the GIL")
print(f"one thread:  {spent(one_thread):.2f} s")
print(f"two threads: {spent(two_threads):.2f} s")
