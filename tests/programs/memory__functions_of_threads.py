"""Functions and classes that threads make and drop do not make the process grow, however many there have been."""
import gc
import threading

CODE = compile("def f(): pass\nf()\n", "made", "exec")


def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096


def make(n):
    for i in range(n):
        exec(CODE, {})
        if i % 400 == 0:
            type("Made", (), {"method": lambda self: self})().method()


def round(n):
    threads = [threading.Thread(target=make, args=(n,)) for _ in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    gc.collect()
    return resident()


# What is new at first may still settle; what is kept of each function shows in the rounds behind.
begin = max(round(35000), round(35000))
grown = min([round(35000) for _ in range(6)][2:]) - begin
print("flat" if grown < 16_000_000 else f"grows by {grown}")
