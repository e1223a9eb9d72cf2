# Tasks that worker processes take from a Redis server, on this machine or on others. Packages: celery, redis, packaging.
#
#   lisle -m celery -A celery_tasks worker --pool threads --concurrency 4      a worker; as many as you like, anywhere
#   lisle celery_tasks.py                                                      hands out tasks and waits for the results
#
# REDIS_URL says where Redis is; without it, on this machine. With `-X gil=0` one worker with the pool of threads uses all cores.
import os

from celery import Celery, chord, group

url = os.environ.get("REDIS_URL", "redis://127.0.0.1:6379/0")
app = Celery("celery_tasks", broker=url, backend=url)


@app.task
def count_primes(first, end):
    return sum(n > 1 and all(n % d for d in range(2, int(n**0.5) + 1)) for n in range(first, end))


@app.task
def total(counts):
    return sum(counts)


@app.task(bind=True, max_retries=3)
def unsteady(self, failures):
    """Fails some times before it succeeds."""
    if self.request.retries < failures:
        raise self.retry(countdown=0)
    return self.request.retries


@app.task
def refuse():
    raise ValueError("no")


def main():
    pieces = [count_primes.s(start, start + 2_000) for start in range(0, 20_000, 2_000)]
    print("each:", group(pieces)().get(timeout=60))
    print("primes below 20000 :", chord(pieces)(total.s()).get(timeout=60))
    print("after retries:", unsteady.delay(2).get(timeout=60))
    try:
        refuse.delay().get(timeout=60)
    except ValueError as error:
        print("the worker's exception:", error)


if __name__ == "__main__":
    main()
