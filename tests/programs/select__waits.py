"""select, poll and epoll, and selectors on top; timeouts and wrong arguments."""
import os
import select
import selectors
import signal
import socket
import time

r, w = os.pipe()
print(select.select([r], [w], [], 0) == ([], [w], []))
os.write(w, b"x")
print(select.select([r], [w], [], 1) == ([r], [w], []))
p = select.poll()
p.register(r)
print(p.poll(10) == [(r, select.POLLIN)])
p.unregister(r)
try:
    p.unregister(r)
except KeyError as e:
    print("KeyError", e.args == (r,))
try:
    p.modify(r, 1)
except OSError as e:
    print(e)
with select.epoll() as e:
    e.register(r, select.EPOLLIN)
    print(e.poll(1) == [(r, 1)], e.closed)
    e.modify(r, 0)
    print(e.poll(0))
    e.unregister(r)
try:
    e.poll()
except ValueError as x:
    print(x)
os.read(r, 1)
t = time.monotonic()
print(select.select([r], [], [], 0.05), 0.04 < time.monotonic() - t < 5)
t = time.monotonic()
p.register(r, select.POLLIN)
print(p.poll(50.5), 0.04 < time.monotonic() - t < 5)
for args in (([], [], [], -1), ([], [], [], "x"), (3, [], []), ([-1], [], []), ([5000], [], []), (["x"], [], [])):
    try:
        print(select.select(*args))
    except Exception as e:
        print(type(e).__name__, e)
for f, args in ((p.poll, ("x",)), (p.poll, (1e30,)), (select.epoll, (0,)), (select.epoll, (-2,)), (select.epoll, (-1, 7))):
    try:
        f(*args)
    except Exception as e:
        print(type(e).__name__, e)
# A handler runs during a wait, which goes on.
signal.signal(signal.SIGALRM, lambda *a: os.write(w, b"!"))
signal.setitimer(signal.ITIMER_REAL, 0.05)
print(select.select([r], [], [], 5)[0] == [r], os.read(r, 9))
for kind in (selectors.SelectSelector, selectors.PollSelector, selectors.EpollSelector):
    a, b = socket.socketpair()
    with a, b, kind() as s:
        s.register(a, selectors.EVENT_READ | selectors.EVENT_WRITE, "data")
        print([(k.data, e) for k, e in s.select(1)])
        b.send(b"x")
        print([(k.data, e) for k, e in s.select(1)])
