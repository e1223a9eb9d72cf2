import _thread, time

def run(functions, copies):
    left = [copies * len(functions)]
    lock = _thread.allocate_lock()
    def call(function):
        function()
        with lock:
            left[0] -= 1
    for function in functions:
        for _ in range(copies):
            _thread.start_new_thread(call, (function,))
    while left[0]:
        time.sleep(0.01)

d, l, s = {}, [], set()

def write_dict():
    for i in range(4000):
        d[i % 100] = i
        d[str(i % 50)] = [i]
        d.get(i % 100)
        d.pop(i % 77, None)
        if i % 1000 == 0:
            d.clear()

def read_dict():
    for i in range(200):
        len(list(d.items())), len(list(d.values())), d.copy() == d, repr(d), len(d), {**d}
        try:
            for key in d:
                pass
        except RuntimeError:
            pass

def write_list():
    for i in range(4000):
        l.append([i])
        l[-1:] = [1, [2]]
        try:
            l.pop()
            l[0] = [i]
        except IndexError:
            pass
        if i % 100 == 0:
            l.clear()

def read_list():
    for i in range(100):
        for x in l:
            pass
        sorted(l, key=id), l == l[:], repr(l), [9] in l, l + l
        try:
            l.sort(key=id)
        except ValueError:
            pass

def write_set():
    for i in range(4000):
        s.add(i % 300)
        s.add(str(i % 50))
        s.discard(i % 250)
        if i % 2000 == 0:
            s.clear()

def read_set():
    for i in range(100):
        s | {1, 2}, s & s, s - {1}, s ^ {5}, set(s), repr(s), frozenset(s)
        try:
            for x in s:
                pass
        except RuntimeError:
            pass

shared = [iter(range(20000)), iter(list(range(20000))), enumerate(range(20000)), zip(range(5000), range(5000)), iter(dict.fromkeys(range(1000)))]

def iterate():
    for iterator in shared:
        try:
            for x in iterator:
                pass
        except RuntimeError:
            pass

run([write_dict, read_dict], 2)
run([write_list, read_list], 2)
run([write_set, read_set], 2)
run([iterate], 4)
print('alive')

# One call is one step.
appended, grouped = [], {}
def append():
    for i in range(2000):
        appended.append(i)
        grouped.setdefault(i, []).append(1)
run([append], 4)
print(len(appended), len(grouped), sum(len(group) for group in grouped.values()))
