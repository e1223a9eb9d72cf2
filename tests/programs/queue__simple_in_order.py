"""SimpleQueue between several putters and getters: every item arrives once, and each putter's items in their order, however they are fetched."""
import queue
import threading

PUTTERS, GETTERS, ITEMS = 3, 3, 3000
items = queue.SimpleQueue()
got = [[] for _ in range(GETTERS)]
sizes = []


def put(who):
    for i in range(ITEMS):
        items.put((who, i))
        if i % 500 == 0:
            sizes.append(items.qsize())


def get(mine, way):
    while True:
        try:
            item = items.get() if way == 0 else items.get(timeout=5) if way == 1 else items.get_nowait()
        except queue.Empty:
            continue
        if item is None:
            return
        mine.append(item)


for _ in range(3):
    putters = [threading.Thread(target=put, args=(i,)) for i in range(PUTTERS)]
    getters = [threading.Thread(target=get, args=(got[i], i)) for i in range(GETTERS)]
    for t in putters + getters:
        t.start()
    for t in putters:
        t.join()
    for t in getters:
        items.put(None)
    for t in getters:
        t.join()
    everything = [item for mine in got for item in mine]
    in_order = all(
        [i for who, i in mine if who == putter] == sorted(i for who, i in mine if who == putter)
        for mine in got
        for putter in range(PUTTERS)
    )
    print(len(everything), len(set(everything)), in_order, items.qsize(), items.empty())
    for mine in got:
        mine.clear()
print(all(0 <= size <= PUTTERS * ITEMS for size in sizes))

# What was put stays in order while getters come and go.
for i in range(10):
    items.put(i)
print([items.get() for _ in range(4)], items.qsize())
for i in range(10, 15):
    items.put(i)
print([items.get_nowait() for _ in range(11)], items.empty())
