"""Slices of ranges: small numbers, numbers at the edge of what is small, and bounds of any size."""

import itertools

BOUNDS = [None, -(2**80), -7, -3, -1, 0, 1, 2, 5, 9, 2**62, 2**80]
STEPS = [None, -(2**70), -3, -1, 1, 2, 2**61, 2**70]
RANGES = [range(0), range(7), range(10, -5, -3), range(2**62 - 3, 2**62 + 3), range(-(2**62), -(2**62) + 9, 2), range(0, 2**70, 2**68)]

for r in RANGES:
    seen = []
    for start, stop, step in itertools.product(BOUNDS, BOUNDS, STEPS):
        part = r[start:stop:step]
        items = list(itertools.islice(r, 50))
        assert list(itertools.islice(part, 50)) == items[start:stop:step], (r, start, stop, step)
        seen.append(repr(part))
    print(r, len(seen), len(set(seen)), hash("".join(seen)) == hash("".join(seen)))
    for part in sorted(set(seen))[:12]:
        print("   ", part)

for wrong in (slice(None, None, 0), slice("a", None), slice(None, 1.5)):
    try:
        print(range(5)[wrong])
    except (TypeError, ValueError) as exc:
        print(type(exc).__name__, exc)


class Index:
    def __init__(self, n):
        self.n = n

    def __index__(self):
        print("index", self.n)
        return self.n


print(range(10)[Index(2) : Index(-1) : Index(3)])
