# The sum of a range, by one thread and by two over halves.
import threading

LIMIT = 1_000_000


def work(start, end, results):
    total = 0
    for i in range(start, end):
        total += i
    results.append(total)


def total(parts):
    results = []
    step = LIMIT // parts
    threads = [threading.Thread(target=work, args=(i * step, (i + 1) * step, results)) for i in range(parts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(results)


print(total(1), total(2), LIMIT * (LIMIT - 1) // 2)
