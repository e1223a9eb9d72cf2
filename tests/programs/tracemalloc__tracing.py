# What tracemalloc shows of a program: where blocks were allocated, how much there is, and what becomes of it when threads are about.
import gc
import threading
import tracemalloc

print(tracemalloc.is_tracing(), tracemalloc.get_traced_memory(), tracemalloc.get_object_traceback([]))
for wrong in (0, -1, 65536):
    try:
        tracemalloc.start(wrong)
    except ValueError as error:
        print(error)


with open(__file__) as file:
    SOURCE = file.read().splitlines()


def line_of(mark):
    return next(number for number, line in enumerate(SOURCE, 1) if line.endswith("# " + mark))


class Thing:
    pass


def make():
    return Thing(), bytearray(5000)  # made


def outer():
    return make()  # outer


tracemalloc.start(3)
print(tracemalloc.is_tracing(), tracemalloc.get_traceback_limit())
tracemalloc.clear_traces()
made = outer()
for value in made:
    lines = [frame.lineno for frame in tracemalloc.get_object_traceback(value)]
    print(type(value).__name__, lines[1:] == [line_of("outer"), line_of("made")], len(lines))

before = tracemalloc.get_traced_memory()[0]
big = [None] * 200_000
after, peak = tracemalloc.get_traced_memory()
print(after - before > 1_500_000, peak >= after)
del big
gone, peak = tracemalloc.get_traced_memory()
print(after - gone > 1_500_000, peak > gone + 1_500_000)
tracemalloc.reset_peak()
print(tracemalloc.get_traced_memory()[1] < peak)

first = tracemalloc.take_snapshot()
kept = [bytearray(3000) for _ in range(100)]  # kept
second = tracemalloc.take_snapshot()
top = second.compare_to(first, "lineno")[0]
print(top.traceback[0].lineno == line_of("kept"), top.size_diff > 300_000, top.count_diff >= 100)
only = second.filter_traces([tracemalloc.Filter(True, __file__, line_of("kept"))])
print(sum(trace.size for trace in only.traces) > 300_000)

results = []


def work(number):
    value = bytearray(2000)  # work
    traceback = tracemalloc.get_object_traceback(value)
    # Unless the main thread has cleared the traces.
    results.append(traceback[-1].lineno if traceback else line_of("work"))
    for _ in range(300):
        value = [Thing() for _ in range(20)]


threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
for thread in threads:
    thread.start()
for _ in range(10):
    tracemalloc.take_snapshot()
    tracemalloc.clear_traces()
for thread in threads:
    thread.join()
print(set(results) == {line_of("work")}, len(results))

tracemalloc.stop()
print(tracemalloc.is_tracing(), tracemalloc.get_traced_memory(), tracemalloc.get_object_traceback(made[1]))
gc.collect()
tracemalloc.start()
tracemalloc.clear_traces()
again = make()
print(tracemalloc.get_object_traceback(again[1])[0].lineno == line_of("made"))
