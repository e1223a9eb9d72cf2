"""Keys that a thread takes out of a set are let go while others look for keys with the same hash: finalizers that use the set run, and never
inside the set."""
import threading
import time

shared = set()
until = time.monotonic() + 4


class Key:
    def __hash__(self):
        return 1

    def __eq__(self, other):
        return self is other

    def __del__(self):
        len(shared)


def add_and_pop():
    while time.monotonic() < until:
        for _ in range(6):
            shared.add(Key())
        for _ in range(6):
            try:
                shared.pop()
            except KeyError:
                pass


def grow_and_shrink():
    kept = [Key() for _ in range(20)]
    while time.monotonic() < until:
        shared.update(kept)
        shared.difference_update(kept)


def look(found=[]):
    absent = Key()
    while time.monotonic() < until:
        if absent in shared:
            found.append(absent)
    if found:
        print("found what was never put in")


threads = [threading.Thread(target=f, daemon=True) for f in (add_and_pop, grow_and_shrink, look, look)]
for t in threads:
    t.start()
for t in threads:
    t.join(60)
print([t.is_alive() for t in threads])
