"""subprocess: pipes, errors of starting, signals, sessions, functions before the program."""
import os
import signal
import subprocess
import sys


def shown(*args, **kwargs):
    try:
        r = subprocess.run(*args, **kwargs)
        print(r.returncode, r.stdout, r.stderr)
    except Exception as e:
        print(type(e).__name__, e)


shown(["echo", "hi"], capture_output=True)
shown("echo $A; exit 3", shell=True, env={"A": "b"}, capture_output=True, text=True)
shown(["cat"], input="text\n", capture_output=True, text=True)
shown(["cat"], input=b"x" * 300000, stdout=subprocess.DEVNULL)
shown(["sh", "-c", "echo out; echo err >&2"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
shown(["/nope"])
shown(["nope-nope"])
shown(["/etc/passwd"])
shown(["echo"], cwd="/nope")
shown(["pwd"], cwd="/", capture_output=True)
try:
    subprocess.run(["sleep", "5"], timeout=0.05)
except subprocess.TimeoutExpired as e:
    print(e.cmd)
shown(["sh", "-c", "kill -9 $$"])
shown(["false"], check=True)
shown(["sh", "-c", "exit 4"], preexec_fn=lambda: os.write(1, b""))


def bad():
    raise ValueError


shown(["true"], preexec_fn=bad)
sys.stdout.flush()
p = subprocess.Popen(["sh", "-c", "trap '' TERM; echo ready; exec sleep 5"], stdout=subprocess.PIPE, start_new_session=True)
print(p.stdout.readline(), os.getsid(p.pid) == p.pid, p.poll())
p.kill()
print(p.wait(), p.returncode == -signal.SIGKILL)
p.stdout.close()
with subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as p:
    print(p.communicate("talk"))
r, w = os.pipe()
shown(["sh", "-c", f"echo passed >&{w}"], pass_fds=[w])
os.close(w)
print(os.read(r, 100))
print(subprocess.check_output(["sh", "-c", "ls /proc/self/fd | wc -l"], text=True).strip() <= "5")
# SIGPIPE is ignored here, but not in programs.
print(subprocess.check_output(["sh", "-c", "yes | head -1; echo ok"]))
print(subprocess.getstatusoutput("echo x; exit 2"))
