"""A hundred pages of a server in this process, fetched by ten threads."""
import threading
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        body = b"page " * 200
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    # All clients may connect at once.
    request_queue_size = 128
    daemon_threads = True


def main(pages):
    with Server(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_address[1]}/"

        def fetch(n):
            with urllib.request.urlopen(f"{address}{n}") as page:
                return len(page.read())

        with ThreadPoolExecutor(10) as pool:
            begin = time.perf_counter()
            assert sum(pool.map(fetch, range(pages))) == pages * 1000
            spent = time.perf_counter() - begin
        server.shutdown()
    print("ms a page of ten threads", spent / pages * 1e3)


main(100)
