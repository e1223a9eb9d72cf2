"""Special methods written in Python."""


class Vector:
    def __init__(self, x, y):
        self.x = x
        self.y = y

    def __add__(self, other):
        return Vector(self.x + other.x, self.y + other.y)

    def __eq__(self, other):
        return self.x == other.x and self.y == other.y

    def __getitem__(self, i):
        return self.x if i == 0 else self.y

    def __len__(self):
        return 2


def main():
    v, step = Vector(0, 0), Vector(1, 2)
    hits = 0
    for _ in range(250_000):
        v = v + step
        if v == step:
            hits += 1
        hits += v[0] + len(v)
    return hits


if __name__ == "__main__":
    from time import perf_counter

    begin = perf_counter()
    main()
    print("seconds", perf_counter() - begin)
