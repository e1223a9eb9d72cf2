"""Items that go from thread to thread through queues, one at a time and back, and in a stream."""

import queue
import threading
from time import perf_counter

TURNS = 10_000
ITEMS = 50_000


def ping_pong(make):
    there, back = make(), make()

    def echo():
        for _ in range(TURNS):
            back.put(there.get())

    thread = threading.Thread(target=echo)
    thread.start()
    begin = perf_counter()
    for i in range(TURNS):
        there.put(i)
        back.get()
    taken = perf_counter() - begin
    thread.join()
    return taken / TURNS / 2 * 1e6


def stream(make):
    items = make()

    def produce():
        for i in range(ITEMS):
            items.put(i)
        items.put(None)

    thread = threading.Thread(target=produce)
    begin = perf_counter()
    thread.start()
    while items.get() is not None:
        pass
    taken = perf_counter() - begin
    thread.join()
    return taken / ITEMS * 1e6


if __name__ == "__main__":
    print("us a hand-over, SimpleQueue", min(ping_pong(queue.SimpleQueue) for _ in range(3)))
    print("us a hand-over, Queue", min(ping_pong(queue.Queue) for _ in range(3)))
    print("us an item of a stream, SimpleQueue", min(stream(queue.SimpleQueue) for _ in range(3)))
    print("us an item of a stream, Queue", min(stream(queue.Queue) for _ in range(3)))
    print("us an item of a stream, Queue(10)", min(stream(lambda: queue.Queue(10)) for _ in range(3)))
