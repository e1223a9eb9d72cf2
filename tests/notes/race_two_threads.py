# Two threads add to one global without a lock; updates can be lost.
import threading

STEPS = 300_000
total = 0


def add():
    global total
    for _ in range(STEPS):
        total += 1


threads = [threading.Thread(target=add) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(total, 2 * STEPS)
