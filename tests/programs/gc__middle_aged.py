"""Cycles that outlive a young collection do not pile up: a full one comes when they are as many as all else."""
import collections
import gc


class Node:
    pass


window = collections.deque(maxlen=6000)
most = 0
for i in range(600_000):
    node = Node()
    node.me = node
    window.append(node)
    if i % 20_000 == 0:
        most = max(most, len(gc.get_objects()))
print(most < 150_000, gc.isenabled())
