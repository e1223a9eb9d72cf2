# Text that goes to a file without a buffer: what reads the pipe takes a little and goes, or is slow.
import os
import subprocess
import sys
import time


def written(take):
    """How a program ends that prints a million letters without a buffer, and how many were read."""
    command = [sys.executable, "-u", "-c", "print('x' * 1_000_000)"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    got = 0
    while got < take and (piece := os.read(process.stdout.fileno(), min(take - got, 50_000))):
        got += len(piece)
        time.sleep(0.001)
    process.stdout.close()
    error = process.stderr.read().decode().splitlines()
    process.stderr.close()
    return process.wait(), error[-1:], got


print(written(10))
print(written(2_000_000))
