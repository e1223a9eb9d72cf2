"""threading where the system has no room for more threads: an error that a program can handle."""
import resource
import threading

done, threads = threading.Event(), []
resource.setrlimit(resource.RLIMIT_AS, (8 << 30, resource.getrlimit(resource.RLIMIT_AS)[1]))
threading.stack_size(64 << 20)
try:
    for _ in range(200):
        t = threading.Thread(target=done.wait)
        t.start()
        threads.append(t)
    print("all started")
except RuntimeError as e:
    print(e)
done.set()
for t in threads:
    t.join()
print(len(threads) > 5, threading.active_count())
