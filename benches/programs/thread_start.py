"""Starting a thread and waiting for its end."""

from _thread import start_joinable_thread
from time import perf_counter

if __name__ == "__main__":
    begin = perf_counter()
    for _ in range(1_000):
        start_joinable_thread(int).join()
    print("us a start and join", (perf_counter() - begin) * 1000)
