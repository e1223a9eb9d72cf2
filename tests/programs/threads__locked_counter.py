import _thread

total = 0
lock = _thread.allocate_lock()


def work(n, done):
    global total
    for _ in range(n):
        lock.acquire()
        total += 1
        lock.release()
    done.release()


finished = []
for _ in range(20):
    done = _thread.allocate_lock()
    done.acquire()
    finished.append(done)
    _thread.start_new_thread(work, (2000, done))
for done in finished:
    done.acquire()
print(total)
shared = []
table = {}


def fill(k, done):
    for i in range(500):
        shared.append(i)
        table[k * 1000 + i] = [i]
        table.get(i)
        shared[0]
    done.release()


finished = []
for k in range(8):
    done = _thread.allocate_lock()
    done.acquire()
    finished.append(done)
    _thread.start_new_thread(fill, (k, done))
for done in finished:
    done.acquire()
print(len(shared), len(table))
