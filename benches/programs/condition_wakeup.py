"""Two threads that wake each other in turns: by a condition, an event, a semaphore, a lock."""

import threading
from time import perf_counter

TURNS = 5_000


def timed(here, there):
    """Runs `there` in a thread and `here` in this one, TURNS times each."""

    def other():
        for _ in range(TURNS):
            there()

    thread = threading.Thread(target=other)
    begin = perf_counter()
    thread.start()
    for _ in range(TURNS):
        here()
    thread.join()
    return (perf_counter() - begin) / TURNS / 2 * 1e6


def by_condition():
    condition = threading.Condition()
    turn = 0

    def take(mine):
        nonlocal turn
        with condition:
            while turn != mine:
                condition.wait()
            turn = 1 - mine
            condition.notify()

    return timed(lambda: take(0), lambda: take(1))


def by_event():
    ping, pong = threading.Event(), threading.Event()

    def here():
        ping.set()
        pong.wait()
        pong.clear()

    def there():
        ping.wait()
        ping.clear()
        pong.set()

    return timed(here, there)


def by_semaphore():
    ping, pong = threading.Semaphore(0), threading.Semaphore(0)

    def here():
        ping.release()
        pong.acquire()

    def there():
        ping.acquire()
        pong.release()

    return timed(here, there)


def by_lock():
    ping, pong = threading.Lock(), threading.Lock()
    ping.acquire()
    pong.acquire()

    def here():
        ping.release()
        pong.acquire()

    def there():
        ping.acquire()
        pong.release()

    return timed(here, there)


if __name__ == "__main__":
    for way in (by_condition, by_event, by_semaphore, by_lock):
        print("us a wake-up,", way.__name__.replace("_", " "), min(way() for _ in range(3)))
