"""-X importtime tells of imports as they end, the inner ones first; with 2 also of those that find their module (3.14)."""
import re
import subprocess
import sys


def run(option, code="import json, json"):
    run = subprocess.run([sys.executable, "-X", option, "-c", code], capture_output=True, text=True)
    return run.returncode, run.stderr.splitlines()


for option in ("importtime", "importtime=1", "importtime=2"):
    code, lines = run(option)
    print(option, code, lines[0])
    own = [line for line in lines[1:] if "cached" not in line]
    print(all(re.fullmatch(r"import time: +\d+ \| +\d+ \| +\S+", line) for line in own))
    names = [line.rpartition("|")[2] for line in own]
    print(names.index("   json.decoder") < names.index(" json"))
    times = {line.rpartition("|")[2].strip(): [int(part) for part in line.removeprefix("import time:").split("|")[:2]] for line in own}
    print(times["json"][0] < times["json"][1], times["json"][1] >= times["json.decoder"][1])
    print([line for line in lines if "cached" in line and line.endswith("| json")])
code, lines = run("importtime=3")
print(code, lines[:1])
code, lines = run("importtime", "import no_such_module")
print(code, lines[-1])
