# __setitem__ written in Python: what is passed, what its result becomes, errors, tracebacks, generators, slices, changes of the class meanwhile.
import sys
import traceback


class Grid:
    def __init__(self, width):
        self.width, self.cells = width, {}

    def __getitem__(self, at):
        return self.cells.get(at, 0)

    def __setitem__(self, at, value):
        self.cells[at] = value


class Gives:
    """A result that is an object, which nobody may see or keep."""
    def __init__(self): self.alive = 0
    def __setitem__(self, key, value):
        class Result:
            def __init__(me): self.alive += 1
            def __del__(me): self.alive -= 1
        return Result()


class Fails:
    def __setitem__(self, key, value):
        if value == 3:
            raise ValueError(key)
        self.last = key


class Many(Grid):
    def __setitem__(self, at, value, *rest, **named):
        super().__setitem__(at, (value, rest, named))


class Counts:
    def __init__(self): self.n = 0
    def __setitem__(self, key, value):
        self.n += 1
        if key:
            self[key - 1] = value


def fill(grid):
    for y in range(6):
        for x in range(6):
            grid[x, y] = x * y
            grid[x, y] += grid[y, x] + 1
    return sum(grid.cells.values())


def local_names(grid):
    key, value = "key", ["value"]
    for _ in range(3):
        grid[key] = value
        grid["k"] = value
        grid[key] = None
        grid[0] = grid[1] = grid
    return sorted(map(str, grid.cells)), sys.getrefcount(value) - sys.getrefcount(object())


def in_generator(grid):
    for i in range(4):
        grid[i] = i
        yield grid[i]


def told(f, *args):
    try:
        return f(*args)
    except Exception as e:
        return "".join(traceback.format_exception_only(e)).strip(), [s.name for s in traceback.extract_tb(e.__traceback__)]


def failing(target):
    for i in range(5):
        target["k", i] = i


def recursing(target):
    target[50] = 1
    return target.n


class Endless:
    def __setitem__(self, key, value): self[key] = value


def endless():
    try:
        Endless()[0] = 1
    except RecursionError as e:
        return type(e).__name__


def changing():
    class Changes:
        def __setitem__(self, key, value): print("first", key, value)
    c = Changes()
    for i in range(4):
        c[i] = i
        if i == 1:
            Changes.__setitem__ = lambda self, key, value: print("second", key, value)
        if i == 2:
            del Changes.__setitem__
            print(told(lambda: c.__class__.__setitem__))
            break
    print(told(lambda: operate(c)))


def operate(c):
    c[0] = 1


def frames():
    class Looks:
        def __setitem__(self, key, value):
            frame = sys._getframe(1)
            self.seen = frame.f_code.co_name, sorted(frame.f_locals), key, value
    looks = Looks()
    for i in range(3):
        looks[i] = i
    return looks.seen


gives = Gives()
for i in range(5):
    gives[i] = i
    print(gives.alive, end=" ")
print()
for _ in range(3):
    print(fill(Grid(6)), local_names(Grid(1)), list(in_generator(Grid(2))))
print(told(failing, Fails()), told(recursing, Counts()), endless())
many = Many(3)
for i in range(3):
    many[i] = i
print(many.cells)
changing()
print(frames())
slices = Grid(1)
for i in range(3):
    slices[i:] = i
    slices[i:2, ...] = [i]
print(slices.cells)
