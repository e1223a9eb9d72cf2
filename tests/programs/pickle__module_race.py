"""A global of a module that another thread is importing waits for the import."""
import os
import pickle
import sys
import tempfile
import threading

with tempfile.TemporaryDirectory() as folder:
    sys.path.insert(0, folder)
    for round in range(5):
        with open(os.path.join(folder, f"slow{round}.py"), "w") as file:
            file.write("import __main__\n__main__.begun.set()\n__main__.go.wait()\nclass Late: pass\n")
        begun, go = threading.Event(), threading.Event()
        data = b"\x80\x03cslow%d\nLate\nq\x00)\x81q\x01." % round
        results = []

        def load():
            results.append(type(pickle.loads(data)).__name__)

        first = threading.Thread(target=load)
        first.start()
        begun.wait()
        second = threading.Thread(target=load)
        second.start()
        second.join(0.02)
        go.set()
        first.join()
        second.join()
        print(results)
