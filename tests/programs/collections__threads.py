# Several threads share one container: nothing is lost, and nothing crashes.
import itertools
from _collections import OrderedDict, defaultdict, deque
from _functools import _lru_cache_wrapper
import _heapq
import _queue
import _thread

N, ROUNDS = 4, 2000


def hammer(work):
    done = [_thread.allocate_lock() for _ in range(N)]
    for lock in done:
        lock.acquire()

    def run(i):
        try:
            work(i)
        finally:
            done[i].release()

    for i in range(N):
        _thread.start_new_thread(run, (i,))
    for lock in done:
        lock.acquire()


d = deque()
popped = [0] * N


def ends(i):
    for n in range(ROUNDS):
        d.append(n)
        d.appendleft(n)
        popped[i] += d.pop() >= 0
        if n % 2:
            popped[i] += d.popleft() >= 0
        if n % 100 == 0:
            d.rotate(3)
            list(itertools.islice(d.copy(), 5))


hammer(ends)
print(len(d), sum(popped))

bounded = deque(maxlen=10)
hammer(lambda i: [bounded.append(n) for n in range(ROUNDS)])
print(len(bounded))

counter = itertools.count()
seen = [[] for _ in range(N)]
hammer(lambda i: seen[i].extend(itertools.islice(counter, ROUNDS)))
print(sorted(sum(seen, [])) == list(range(N * ROUNDS)))

pairs = itertools.product(range(80), range(100))
seen = [[] for _ in range(N)]
hammer(lambda i: seen[i].extend(pairs))
print(sorted(sum(seen, [])) == list(itertools.product(range(80), range(100))))

numbers = itertools.chain.from_iterable([[n] for n in range(3000)])
seen = [[] for _ in range(N)]


def drain(i):
    for n in numbers:
        seen[i].append(n)


hammer(drain)
print(len(set(sum(seen, []))))

od = OrderedDict((i, i) for i in range(100))


def reorder(i):
    for n in range(ROUNDS):
        od.move_to_end((n * 7 + i) % 100, last=n % 3 != 0)
        if n % 50 == 0:
            len(od), od.copy() == od


hammer(reorder)
print(len(od), sorted(od) == list(range(100)), sum(od.values()))


def fill_and_empty(i):
    for n in range(ROUNDS):
        od[i, n] = n
        if n % 2:
            od.pop((i, n))
        else:
            od.move_to_end((i, n), last=False)


hammer(fill_and_empty)
print(len(od))

dd = defaultdict(int)


def count_own(i):
    for n in range(ROUNDS):
        dd[i] += 1
        dd[i, n % 10]


hammer(count_own)
print(len(dd), [dd[i] for i in range(N)])


def cached(function, limit):
    return _lru_cache_wrapper(function, limit, False, lambda *info: info)


square = cached(lambda x: x * x, 16)
wrong = []


def look_up(i):
    for n in range(ROUNDS):
        x = (n * (i + 1)) % 40
        if square(x) != x * x:
            wrong.append(x)


hammer(look_up)
hits, misses, limit, size = square.cache_info()
print(wrong, hits + misses, limit, size)

heap = []


def push_and_pop(i):
    for n in range(ROUNDS):
        _heapq.heappush(heap, (n % 97, i))
        if n % 2:
            _heapq.heappop(heap)


hammer(push_and_pop)
rest = [_heapq.heappop(heap) for _ in range(len(heap))]
print(len(rest), rest == sorted(rest))

q = _queue.SimpleQueue()
results = _queue.SimpleQueue()


def produce_or_consume(i):
    if i % 2:
        for n in range(ROUNDS):
            q.put(n)
    else:
        results.put(sum(q.get() for _ in range(ROUNDS)))


hammer(produce_or_consume)
print(results.get() + results.get(), q.empty())
