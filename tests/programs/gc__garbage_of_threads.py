# Threads make cycles of their own objects and of each other's, with finalizers and weak references, while collections run all the time:
# each object ends once, those that their finalizers keep are whole, and nothing is left.
import gc
import queue
import threading
import weakref

THREADS = 4
ROUNDS = 60
EACH = 40

gc.set_threshold(100)
ended = []
kept = []
heard = []


class Node:
    def __init__(self, tag):
        self.tag = tag
        self.links = [self]
        self.table = {tag: self}

    def __del__(self):
        ended.append(self.tag)
        if self.tag[2] % 8 == 0:
            kept.append(self)


class Plain:
    pass


def work(number, mine, neighbours):
    watched = []
    for turn in range(ROUNDS):
        ring = [Node((number, turn, i)) for i in range(EACH)]
        for a, b in zip(ring, ring[1:] + ring[:1]):
            a.links.append(b)
        plain = Plain()
        plain.me = plain
        plain.ring = ring
        watched.append(weakref.ref(plain, lambda _: heard.append(1)))
        neighbours.put(ring[turn % EACH])
        other = mine.get()
        other.links.append(ring[0])
        ring[1].links.append(other)
        del ring, plain, other, a, b
    refs.append(watched)


refs = []
queues = [queue.SimpleQueue() for _ in range(THREADS)]
threads = [threading.Thread(target=work, args=(n, queues[n], queues[(n + 1) % THREADS])) for n in range(THREADS)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
for _ in range(4):
    gc.collect()

print(len(ended), len(set(ended)))
print(len(kept), all(node.links[0] is node and node.table[node.tag] is node for node in kept))
print(sum(ref() is None for watched in refs for ref in watched), len(heard))
kept.clear()
gc.collect()
print(len(ended), gc.garbage)
print(sum(isinstance(o, (Node, Plain)) for o in gc.get_objects()))
