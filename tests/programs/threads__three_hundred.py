"""Threads beyond the first 256, which have no seats of their own: objects that they change at once are unlocked again, and nothing is lost."""
import queue
import threading

stop, here = threading.Event(), threading.Semaphore(0)


def wait():
    here.release()
    stop.wait()


waiting = [threading.Thread(target=wait) for _ in range(300)]
for t in waiting:
    t.start()
for t in waiting:
    here.acquire()


def together(function):
    threads = [threading.Thread(target=function, args=(i,)) for i in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()


for _ in range(5):
    items, numbers, names, work = queue.SimpleQueue(), [], {}, queue.Queue(5)

    def change(i):
        for k in range(12000):
            items.put(k)
            numbers.append(k), items.put(k)
            names[i, k] = k

    together(change)
    print(items.qsize(), len(numbers), sum(names.values()))

    def pass_on(i):
        if i < 2:
            for k in range(200):
                work.put(i * 200 + k)
            work.put(None)
        else:
            while (item := work.get()) is not None:
                items.put(item)

    together(pass_on)
    print(items.qsize(), work.empty())
stop.set()
for t in waiting:
    t.join()
