# Who called whom how often, as cProfile counts it.
import cProfile
import io
import pstats


def leaf():
    return len([1])


def middle(n):
    return [leaf() for _ in range(n)]


def recursive(n):
    return 1 if n == 0 else n * recursive(n - 1)


def generator():
    for i in range(3):
        yield i


def raises():
    try:
        int("x")
    except ValueError:
        pass
    raise KeyError


def main():
    middle(4)
    recursive(5)
    sum(generator())
    items = []
    items.append(1)
    items.append(2)
    try:
        raises()
    except KeyError:
        pass
    max(3, 4)


def counts(profile):
    rows = {}
    for entry in profile.getstats():
        name = entry.code if isinstance(entry.code, str) else entry.code.co_name
        calls = {
            (call.code if isinstance(call.code, str) else call.code.co_name): (call.callcount, call.reccallcount)
            for call in entry.calls or ()
        }
        rows[name] = (entry.callcount, entry.reccallcount, sorted(calls.items()))
    return rows


profile = cProfile.Profile()
profile.enable()
main()
profile.disable()
for name, row in sorted(counts(profile).items()):
    if "disable" in name:
        continue
    print(name, *row)

ticks = 0


def timer():
    global ticks
    ticks += 1
    return ticks


profile = cProfile.Profile(timer, 0.001)
print(profile.runcall(recursive, 3))
for entry in profile.getstats():
    if not isinstance(entry.code, str):
        print(entry.code.co_name, entry.callcount, entry.reccallcount, round(entry.totaltime, 3), round(entry.inlinetime, 3))
stream = io.StringIO()
pstats.Stats(profile, stream=stream).strip_dirs().sort_stats("name").print_stats("recursive")
print([line for line in stream.getvalue().splitlines() if "recursive" in line and ":" in line])

with cProfile.Profile() as outer:
    try:
        cProfile.Profile().enable()
    except ValueError as error:
        print(error)
    leaf()
print(counts(outer)["leaf"])
outer.clear()
print(outer.getstats())
