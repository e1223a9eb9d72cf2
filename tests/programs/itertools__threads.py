# Threads have an iterator each of one tee: each sees all items in order.
import itertools
import _thread

N, COUNT = 4, 3000


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


tees = itertools.tee(iter(range(COUNT)), N)
seen = [[] for _ in range(N)]


def drain(i):
    for n in tees[i]:
        seen[i].append(n)


hammer(drain)
print([items == list(range(COUNT)) for items in seen])

# The iterators below are shared: items may be skipped or come twice, but nothing crashes and everything ends.
shared = [
    lambda: itertools.accumulate(range(COUNT)),
    lambda: itertools.batched(range(COUNT), 3),
    lambda: itertools.chain(range(COUNT), range(COUNT)),
    lambda: itertools.compress(range(COUNT), itertools.cycle([1, 0])),
    lambda: itertools.islice(itertools.cycle([1, 2, 3]), COUNT),
    lambda: itertools.islice(range(COUNT), 5, COUNT, 3),
    lambda: itertools.pairwise(range(COUNT)),
    lambda: itertools.repeat(None, COUNT),
    lambda: itertools.starmap(max, zip(range(COUNT), range(COUNT))),
    lambda: itertools.zip_longest(range(COUNT), range(10), range(COUNT // 2)),
    lambda: itertools.combinations(range(20), 3),
    lambda: itertools.permutations(range(6)),
    lambda: itertools.takewhile(lambda x: x < COUNT - 1, range(COUNT)),
    lambda: itertools.groupby(range(COUNT), lambda x: x // 10),
]
for make in shared:
    iterator = make()
    counts = [0] * N

    def consume(i):
        for _ in iterator:
            counts[i] += 1

    hammer(consume)
    print(sum(counts) > 0)

exact = itertools.combinations(range(20), 3)
counts = [0] * N


def consume(i):
    for _ in exact:
        counts[i] += 1


hammer(consume)
print(sum(counts))
