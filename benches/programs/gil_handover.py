"""How long a thread that waits for bytes takes to answer while another computes."""

import posix as os
from _thread import start_joinable_thread
from time import perf_counter, sleep

stop = False


def compute():
    n = 0
    while not stop:
        n += 1


def echo(source, target):
    while byte := os.read(source, 1):
        os.write(target, byte)
        if byte == b"q":
            return


if __name__ == "__main__":
    (there, to_echo), (back, answer) = os.pipe(), os.pipe()
    threads = [start_joinable_thread(compute), start_joinable_thread(lambda: echo(there, answer))]
    taken = []
    for _ in range(100):
        sleep(0.001)
        begin = perf_counter()
        os.write(to_echo, b"x")
        os.read(back, 1)
        taken.append(perf_counter() - begin)
    stop = True
    os.write(to_echo, b"q")
    for thread in threads:
        thread.join()
    taken.sort()
    print("us an echo, median", taken[50] * 1e6)
    print("us an echo, of ten the worst", taken[90] * 1e6)
