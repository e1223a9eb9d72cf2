"""A function gets other code while other threads call it: each call runs one of the two, whole."""

import threading
import time


def two(a, b, *rest):
    return b


def none(*rest):
    return 1


def function(a, b, *rest):
    return b


space = {}
exec("def few(a, b):\n yield a\n", space)
many = "".join(f" v{i} = [{i}]\n" for i in range(300))
exec(f"def many(a, b):\n yield a\n{many} yield v299[0] - 298\n", space)


def generator(a, b):
    yield a


def swap(target, first, second):
    while not stop:
        target.__code__ = first
        target.__code__ = second


stop = False
threads = [
    threading.Thread(target=swap, args=(function, two.__code__, none.__code__)),
    threading.Thread(target=swap, args=(generator, space["few"].__code__, space["many"].__code__)),
]
for thread in threads:
    thread.start()
wrong = []
end = time.monotonic() + 1.5
while time.monotonic() < end:
    for _ in range(50):
        if function(1, 2) not in (1, 2):
            wrong.append("call")
        if list(generator(1, 2)) not in ([1], [1, 1]):
            wrong.append("generator")
stop = True
for thread in threads:
    thread.join()
print(wrong)
