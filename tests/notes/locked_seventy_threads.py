# Seventy threads add to one global, each step under a lock: no update is lost.
import threading

STEPS = 2_000
total = 0
lock = threading.Lock()


def by_hand():
    global total
    for _ in range(STEPS):
        lock.acquire()
        total += 1
        lock.release()


def by_with():
    global total
    for _ in range(STEPS):
        with lock:
            total += 1


threads = [threading.Thread(target=by_hand if i % 2 else by_with) for i in range(70)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(total, 70 * STEPS)
