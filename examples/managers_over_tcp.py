# Work shared between processes that need not be on one machine: a manager offers two queues over TCP, workers connect to it.
#
#   lisle managers_over_tcp.py                       all of it on this machine, on the loopback interface
#   lisle managers_over_tcp.py serve 0.0.0.0 5000    the manager, which hands out the work and waits for it
#   lisle managers_over_tcp.py work HOST 5000        a worker, on any machine that reaches the manager
#
# Both sides need the same key: the environment variable WORK_KEY. Whoever has it can run code in the manager.
import os
import queue
import subprocess
import sys
import threading
from multiprocessing.managers import BaseManager

PIECES = [(start, start + 2_000) for start in range(0, 20_000, 2_000)]


class Board(BaseManager):
    """The manager of the work to do and of what came of it."""


def count_primes(first, end):
    return sum(n > 1 and all(n % d for d in range(2, int(n**0.5) + 1)) for n in range(first, end))


def key():
    return os.environ["WORK_KEY"].encode()


def serve(host, port):
    work, results = queue.Queue(), queue.Queue()
    for piece in PIECES:
        work.put(piece)
    Board.register("work", lambda: work)
    Board.register("results", lambda: results)
    server = Board(address=(host, int(port)), authkey=key()).get_server()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print("serving on port", server.address[1], flush=True)
    found = dict(results.get() for _ in PIECES)
    print("primes below", PIECES[-1][1], ":", sum(found.values()), flush=True)


def work(host, port):
    Board.register("work")
    Board.register("results")
    board = Board(address=(host, int(port)), authkey=key())
    board.connect()
    pieces, results = board.work(), board.results()
    while True:
        try:
            piece = pieces.get_nowait()
        except queue.Empty:
            return
        results.put((piece, count_primes(*piece)))


def all_here():
    os.environ.setdefault("WORK_KEY", os.urandom(16).hex())
    # With or without the GIL, as this process.
    python = [sys.executable, "-X", f"gil={int(sys._is_gil_enabled())}", __file__]
    server = subprocess.Popen([*python, "serve", "127.0.0.1", "0"], stdout=subprocess.PIPE, text=True)
    port = server.stdout.readline().split()[-1]
    workers = [subprocess.Popen([*python, "work", "127.0.0.1", port]) for _ in range(2)]
    print(server.stdout.read(), end="")
    # The manager is gone once it has all results; a worker that still asks for more finds out.
    for worker in workers:
        worker.wait()
    server.wait()


if __name__ == "__main__":
    match sys.argv[1:]:
        case []:
            all_here()
        case ["serve", host, port]:
            serve(host, port)
        case ["work", host, port]:
            try:
                work(host, port)
            except (EOFError, ConnectionError):
                pass
        case _:
            sys.exit(__doc__ or "usage: managers_over_tcp.py [serve HOST PORT | work HOST PORT]")
