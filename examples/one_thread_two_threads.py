# Computes twice on one thread, then on two threads at once. With the GIL two threads are no faster; with `-X gil=0`,
# on two cores, they take about half the time.
import _thread
import time


def compute():
    total = 0
    for i in range(10_000_000):
        total += i
    return total


def in_thread(done):
    compute()
    done.release()


start = time.perf_counter()
compute()
compute()
print("one thread: ", time.perf_counter() - start, "s")

start = time.perf_counter()
locks = [_thread.allocate_lock(), _thread.allocate_lock()]
for lock in locks:
    lock.acquire()
    _thread.start_new_thread(in_thread, (lock,))
for lock in locks:
    lock.acquire()
print("two threads:", time.perf_counter() - start, "s")
