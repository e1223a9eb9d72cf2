# Threads that sleep or read wait at the same time: ten waits take hardly longer than one.
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor


def spent(f):
    start = time.perf_counter()
    f()
    return time.perf_counter() - start


def ten_threads():
    threads = [threading.Thread(target=time.sleep, args=(0.3,)) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def blocked_readers():
    pipes = [os.pipe() for _ in range(10)]

    def feed():
        time.sleep(0.3)
        for _, writer in pipes:
            os.write(writer, b"x")

    with ThreadPoolExecutor(max_workers=11) as pool:
        pool.submit(feed)
        assert list(pool.map(lambda pipe: os.read(pipe[0], 1), pipes)) == [b"x"] * 10


one = spent(lambda: time.sleep(0.3))
print(one >= 0.3, spent(ten_threads) < 2.0, spent(blocked_readers) < 2.0)
