"""Method calls on instances."""


class Counter:
    def __init__(self):
        self.n = 0

    def add(self, k):
        self.n += k

    def get(self):
        return self.n


def main():
    counter = Counter()
    for i in range(1_000_000):
        counter.add(i)
        counter.get()
    return counter.n


if __name__ == "__main__":
    from time import perf_counter

    begin = perf_counter()
    main()
    print("seconds", perf_counter() - begin)
