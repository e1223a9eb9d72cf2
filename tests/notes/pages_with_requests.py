# A pool of ten threads fetches a hundred pages of a server on this machine through one session.
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import requests

lock = threading.Lock()
at_once = most_at_once = 0


class Pages(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        global at_once, most_at_once
        with lock:
            at_once += 1
            most_at_once = max(at_once, most_at_once)
        time.sleep(0.05)
        with lock:
            at_once -= 1
        page = f"<title>{self.path}</title>".encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)

    def log_message(self, *args):
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 100


def main():
    server = Server(("127.0.0.1", 0), Pages)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    names = [f"/page/{n}" for n in range(100)]
    threads = set()

    def fetch(name):
        threads.add(threading.get_ident())
        with session.get(f"http://127.0.0.1:{server.server_port}{name}", timeout=60) as response:
            response.raise_for_status()
            return response.text

    with requests.Session() as session, ThreadPoolExecutor(max_workers=10) as pool:
        session.trust_env = False
        pages = list(pool.map(fetch, names))
    server.shutdown()
    print("100 pages, each its own:", pages == [f"<title>{name}</title>" for name in names])
    print("by several threads:", 2 <= len(threads) <= 10)
    print("waits overlap:", 5 <= most_at_once <= 10)


if __name__ == "__main__":
    main()
