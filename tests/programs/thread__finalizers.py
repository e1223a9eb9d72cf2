"""The last reference goes in another thread while the owner is about to wait for the finalizer."""

import threading


class Releases:
    def __init__(self, lock):
        self.lock = lock

    def __del__(self):
        self.lock.release()


def drop():
    while True:
        wanted.acquire()
        if not box:
            return
        box.clear()
        done.release()


box = []
wanted = threading.Lock()
wanted.acquire()
done = threading.Lock()
done.acquire()
dropper = threading.Thread(target=drop)
dropper.start()
stuck = 0
for _ in range(20_000):
    lock = threading.Lock()
    lock.acquire()
    box.append(Releases(lock))
    wanted.release()
    if not lock.acquire(timeout=5):
        stuck += 1
        break
    done.acquire()
wanted.release()
dropper.join()
print("stuck", stuck)
