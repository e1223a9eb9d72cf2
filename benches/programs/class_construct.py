"""Making instances, with inheritance and super."""


class Base:
    def __init__(self, x):
        self.x = x


class Derived(Base):
    def __init__(self, x, y):
        super().__init__(x)
        self.y = y


class Empty:
    pass


def main():
    for i in range(500_000):
        Base(i)
        Derived(i, i)
        Empty()


if __name__ == "__main__":
    from time import perf_counter

    begin = perf_counter()
    main()
    print("seconds", perf_counter() - begin)
