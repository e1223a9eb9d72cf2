# A thread's log lines come between those of the main thread, which waits for it.
import logging
import sys
import threading
import time


def work(name):
    logging.info("thread %s starts", name)
    time.sleep(0.05)
    logging.info("thread %s ends", name)


logging.basicConfig(format="%(threadName)s: %(message)s", level=logging.INFO, stream=sys.stdout)
logging.info("before the thread is made")
thread = threading.Thread(target=work, args=("one",), name="worker")
logging.info("before the thread runs")
thread.start()
thread.join()
logging.info("the thread has ended")
