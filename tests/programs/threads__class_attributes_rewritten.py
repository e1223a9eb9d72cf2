"""Class attributes that threads write again and again: readers see each value in turn, and what takes their place later."""
import threading


class Base:
    count = 0
    name = "base"


class Sub(Base):
    pass


class Shadow(Base):
    count = -1


instance, shadow = Sub(), Shadow()
N = 300


def run(*functions):
    threads = [threading.Thread(target=f) for f in functions]
    for t in threads:
        t.start()
    for t in threads:
        t.join()


# Values only grow, wherever they are read.
done = False
wrong = []


def write():
    global done
    for _ in range(N):
        Base.count
        Base.count += 1
    done = True


def read():
    while not done:
        a = Base.__dict__["count"]
        b = Sub.count
        c = instance.count
        d = Base.count
        if not a <= b <= c <= d:
            wrong.append((a, b, c, d))
        if shadow.count != -1 or Shadow.count != -1:
            wrong.append("shadow")


run(write, read, read, read)
print(Base.count, Sub.count, instance.count, shadow.count, wrong)

# Another kind of value in the place of plain data, and back.
lock = threading.Lock()


class Loud:
    def __get__(self, obj, owner=None):
        return ("got", obj is None)

    def __set__(self, obj, value):
        raise AttributeError("loud")


def shown():
    return (Base.count, Sub.count, instance.count)


def change():
    for i in range(20):
        with lock:
            Base.count = i
            assert shown() == (i, i, i), shown()
            Base.count = Loud()
            assert shown() == (("got", True), ("got", True), ("got", False)), shown()
            try:
                instance.count = 1
                raise AssertionError("stored")
            except AttributeError as e:
                assert str(e) == "loud"
            Base.count = property(lambda self: i)
            assert instance.count == i
            Base.count = i
            instance.count = "own"
            assert (Sub.count, instance.count) == (i, "own")
            del instance.count
            Sub.count = "sub"
            assert shown() == (i, "sub", "sub"), shown()
            del Sub.count
            del Base.count
            assert not hasattr(instance, "count") and not hasattr(Base, "count")
            Base.count = i + 1
            assert shown() == (i + 1,) * 3, shown()
            Base.count = lambda self: "called"
            assert instance.count() == "called"
            Base.count = 7


run(change, change, change)
print(shown())

# Deleting while others write: either outcome, and never a stale one.
done = False


def delete():
    for _ in range(N):
        try:
            del Base.name
        except AttributeError:
            pass


def put():
    for i in range(N):
        Base.name = i


run(delete, put, put, delete)
Base.name = "last"
print(Base.name, Sub.name, instance.name)
del Base.name
print(hasattr(Base, "name"), hasattr(instance, "name"))

# Objects as values: each is freed once, when the next one takes its place.
freed = []


class Value:
    def __init__(self, n):
        self.n = n

    def __del__(self):
        freed.append(self.n)


def fill(start):
    def f():
        for i in range(start, start + N):
            Base.value = Value(i)
            assert Base.value.n >= 0
            assert instance.value.n >= 0
    return f


Base.value = Value(0)
run(fill(1), fill(1 + N), fill(1 + 2 * N))
Base.value = None
import gc
gc.collect()
print(sorted(freed) == list(range(3 * N + 1)), len(freed))

# More names than a class keeps count of.
class Many:
    pass


names = [f"a{i}" for i in range(12)]
for name in names:
    setattr(Many, name, 0)


def rewrite(k):
    def f():
        for i in range(30):
            for name in names[k::3]:
                setattr(Many, name, getattr(Many, name) + 1)
    return f


run(*[rewrite(k) for k in range(3)])
print([getattr(Many, name) for name in names])
