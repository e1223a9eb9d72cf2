"""Sockets: TCP, UDP, Unix; timeouts; messages with descriptors; names and numbers."""
import os
import socket
import threading


def shown(f, *args, **kwargs):
    try:
        print(f(*args, **kwargs))
    except Exception as e:
        print(type(e).__name__, e)


def serve(listener):
    conn, _ = listener.accept()
    with conn:
        while data := conn.recv(1000):
            conn.sendall(data.upper())


with socket.create_server(("127.0.0.1", 0)) as listener:
    t = threading.Thread(target=serve, args=(listener,))
    t.start()
    with socket.create_connection(listener.getsockname(), timeout=10) as s:
        print(s.gettimeout(), s.getpeername() == listener.getsockname(), s.family, s.type, s.proto)
        s.sendall(b"hello")
        print(s.recv(100))
        big = b"x" * 3_000_000
        got = bytearray()

        def drain():
            while len(got) < len(big):
                got.extend(s.recv(65536))

        d = threading.Thread(target=drain)
        d.start()
        s.sendall(big)
        d.join()
        print(len(got), got == big.upper())
        b = bytearray(10)
        s.send(b"abc")
        print(s.recv_into(b), b)
        print(s.getsockopt(socket.SOL_SOCKET, socket.SO_TYPE) == socket.SOCK_STREAM, s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1))
        s.shutdown(socket.SHUT_WR)
        print(s.recv(1))
    t.join()

a, b = socket.socketpair()
with a, b:
    print(a.family, a.type, a.getblocking())
    a.settimeout(0.05)
    shown(a.recv, 1)
    a.setblocking(False)
    shown(a.recv, 1)
    print(a.gettimeout(), b.gettimeout())
    r, w = os.pipe()
    print(b.sendmsg([b"fd", b"s"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, r.to_bytes(4, "little"))]))
    a.setblocking(True)
    data, anc, flags, addr = a.recvmsg(10, socket.CMSG_SPACE(4))
    print(data, [(lv, tp, len(d)) for lv, tp, d in anc], flags == socket.MSG_CMSG_CLOEXEC or flags == 0, addr)
    fds = [int.from_bytes(anc[0][2], "little")]
    os.write(w, b"through")
    print(os.read(fds[0], 10))
    f = a.makefile("rwb")
    f.write(b"line\n")
    f.flush()
    print(b.makefile("r").readline())
    f.close()
    print(a.detach() >= 0, a.fileno())
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as u, socket.socket(type=socket.SOCK_DGRAM) as v:
    u.bind(("", 0))
    port = u.getsockname()[1]
    print(v.sendto(b"dgram", ("127.0.0.1", port)))
    data, addr = u.recvfrom(100)
    print(data, addr[0])
    shown(v.sendto, b"x")
    shown(v.sendto, b"x", "y")
    shown(v.sendto, b"x", ("127.0.0.1", 70000))
    shown(v.bind, ("127.0.0.1",))
    shown(v.bind, (3, 4))
    shown(v.recv, -1)
    shown(v.settimeout, -1)
    shown(v.connect, ("127.0.0.1", "x"))
path = f"/tmp/lisle_socket_{os.getpid()}"
with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as client:
    server.bind(path)
    server.listen()
    client.connect(path)
    conn, addr = server.accept()
    print(repr(addr), client.getpeername() == path, repr(client.getsockname()))
    conn.close()
    os.unlink(path)
    shown(socket.socket(socket.AF_UNIX).connect, "/nope/x")
    shown(socket.socket(socket.AF_UNIX).bind, "x" * 200)
with socket.socket() as s:
    s.bind(("127.0.0.1", 0))
    dead = s.getsockname()
with socket.socket() as s:
    s.settimeout(5)
    shown(s.connect, dead)
with socket.socket() as s:
    print(s.connect_ex(dead) == 111)
shown(socket.create_connection, dead, 5)
print(socket.inet_aton("1.2.3.4"), socket.inet_ntoa(b"\x7f\0\0\1"), socket.inet_pton(socket.AF_INET6, "::1"), socket.inet_ntop(socket.AF_INET6, b"\0" * 15 + b"\1"))
print(socket.htons(1), socket.ntohl(0x01020304), socket.getaddrinfo("127.0.0.1", 80, type=socket.SOCK_STREAM))
print(socket.getaddrinfo("::1", "80", socket.AF_INET6, socket.SOCK_DGRAM, flags=socket.AI_NUMERICHOST))
print(socket.gethostbyname("127.0.0.1"), socket.getnameinfo(("127.0.0.1", 80), socket.NI_NUMERICHOST | socket.NI_NUMERICSERV))
for f, args in (
    (socket.inet_aton, ("x",)),
    (socket.inet_ntoa, (b"x",)),
    (socket.inet_pton, (socket.AF_INET, "x")),
    (socket.inet_ntop, (socket.AF_INET, b"x")),
    (socket.inet_ntop, (77, b"x")),
    (socket.htons, (-1,)),
    (socket.htons, (70000,)),
    (socket.htonl, (1 << 32,)),
    (socket.htonl, (-1,)),
    (socket.htonl, ("x",)),
    (socket.getaddrinfo, ("127.0.0.1", 1.5)),
    (socket.getaddrinfo, (3, 4)),
    (socket.getaddrinfo, ("999.1.1.1x", 80, 0, 0, 0, socket.AI_NUMERICHOST)),
    (socket.getnameinfo, (3, 0)),
    (socket.getnameinfo, (("127.0.0.1", 80, 1), 0)),
    (socket.socket, (99,)),
    (socket.socket, (1, 1, 0, "x")),
    (socket.socket, (1, 1, 0, -5)),
    (socket.if_nametoindex, ("nosuchif0",)),
    (socket.CMSG_LEN, (-1,)),
):
    shown(f, *args)
print(issubclass(socket.gaierror, OSError), socket.timeout is TimeoutError, socket.error is OSError, socket.has_ipv6)

# Room for much more than comes is not filled.
import resource
import select

most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
left, right = socket.socketpair()
right.sendall(b"x" * 50)
print(len(left.recv(1_000_000_000, socket.MSG_PEEK)))
poll = select.epoll()
print(poll.poll(0, maxevents=100_000_000))
poll.close()
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - most) // 1024 < 300)
room = memoryview(bytearray(40_000_000))
print([left.recv_into(room[n:], 0, socket.MSG_PEEK) for n in range(5)], bytes(room[:55]))
print(left.recvmsg_into([room])[0])
left.close()
right.close()
