"""multiprocessing.Value and Array: numbers in memory that processes share, in each start method."""
import ctypes
import multiprocessing as mp
from multiprocessing import sharedctypes


class Point(ctypes.Structure):
    _fields_ = [("x", ctypes.c_double), ("y", ctypes.c_double)]


def add(value, n):
    for _ in range(n):
        with value.get_lock():
            value.value += 1


def change(value, array, text, raw, point, points):
    value.value = 2.5
    for i in range(len(array)):
        array[i] *= 2
    text.value = b"child"
    raw[1] = 7
    point.x += 1
    for p in points:
        p.y = p.x * 10


def main():
    for method in ("fork", "forkserver", "spawn"):
        ctx = mp.get_context(method)
        counter = ctx.Value("q", 0)
        workers = [ctx.Process(target=add, args=(counter, 200)) for _ in range(3)]
        for w in workers:
            w.start()
        for w in workers:
            w.join()
        print(method, counter.value, [w.exitcode for w in workers])
        value, array, text = ctx.Value("d", 1.5, lock=False), ctx.Array("i", range(5)), ctx.Array("c", b"parent")
        raw, point, points = ctx.RawArray("h", 3), ctx.Value(Point, 1, 2), ctx.Array(Point, [(1, 2), (3, 4)])
        w = ctx.Process(target=change, args=(value, array, text, raw, point, points))
        w.start()
        w.join()
        print(value.value, array[:], text.value, list(raw), point.x, [(p.x, p.y) for p in points], w.exitcode)
        copied = sharedctypes.copy(point.get_obj())
        copied.x = 100
        print(copied.x, point.x, len(array), type(value).__name__)
    try:
        mp.Value("z")
    except TypeError as e:
        print(type(e).__name__)


if __name__ == "__main__":
    main()
