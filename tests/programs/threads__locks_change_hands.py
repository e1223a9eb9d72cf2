# What one thread owns others want in bursts, time and again, and leave it alone between them: nothing that is written is lost.
import struct
import threading
import time
from concurrent.futures import ThreadPoolExecutor

made = [[] for _ in range(300)]
tables = [{} for _ in range(300)]


def burst(first, number):
    for i in range(first, first + 50):
        made[i].append(number)
        tables[i][number] = i
    return [number]


total = 0
given = []
for turn in range(6):
    with ThreadPoolExecutor(3) as pool:
        jobs = [pool.submit(burst, 50 * turn, number) for number in range(3)]
        for number in range(3, 5):
            burst(50 * turn, number)
        for job in jobs:
            result = job.result()
            result.append(turn)
            given.append(result)
    end = time.monotonic() + 0.06
    while time.monotonic() < end:
        own = []
        for i in range(500):
            own.append(i)
        total += len(own) == 500
print(sorted(map(tuple, map(sorted, made))) == [tuple(range(5))] * 300)
print(all(sorted(table) == list(range(5)) and set(table.values()) == {i} for i, table in enumerate(tables)))
print(sorted(given) == sorted([n, turn] for n in range(3) for turn in range(6)), total > 0)

# A format that is given again while others use the one before.
pair = struct.Struct("<HI")
seen = set()


def use():
    for _ in range(2000):
        packed = pair.pack(1, 2)
        seen.add(packed)
        struct.pack("<BQ", 1, 2)


def change():
    for i in range(200):
        pair.__init__("<IH" if i % 2 else "<HI")


threads = [threading.Thread(target=use) for _ in range(3)] + [threading.Thread(target=change)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(seen <= {b"\1\0\2\0\0\0", b"\1\0\0\0\2\0"}, pair.format, pair.size)
