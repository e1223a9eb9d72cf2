"""Runs the programs of an installed pyperformance on Lisle, with the GIL, without it and in a thread without it, on CPython and on PyPy, and compares them.

`cargo bench -- --pyperformance [part of a name ...]`, or this file with a Python of 3.11 or later. Nothing is downloaded: pyperformance is the
one that `--package` names (its folder, an unpacked wheel will do), or the one that this Python or the CPython can import. Programs that need
other packages are left out and named, unless `--site` names a folder that has them. Writes a table, figures and a plot to `out/`.
"""

import argparse
import json
import math
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import tomllib
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent


def find_package(given, cpython):
    """The folder of the package's programs."""
    candidates = [Path(given)] if given else []
    ask = "import pyperformance; print(pyperformance.__path__[0])"
    for python in (sys.executable, cpython):
        if python:
            found = subprocess.run([python, "-c", ask], capture_output=True, text=True, cwd=tempfile.gettempdir())
            candidates += [Path(line) for line in found.stdout.splitlines()]
    for candidate in candidates:
        for folder in (candidate, candidate / "pyperformance"):
            if (folder / "data-files/benchmarks").is_dir():
                return folder / "data-files/benchmarks"
    return None


def programs(folder, parts):
    """Name, file, arguments and missing packages of each program; those of `bm_x_*.toml` are variants of a program."""
    for home in sorted(folder.glob("bm_*")):
        script = home / "run_benchmark.py"
        needs = []
        for toml in sorted(home.glob("*.toml")):
            data = tomllib.loads(toml.read_text())
            if toml.name == "pyproject.toml":
                wanted = data.get("project", {}).get("dependencies", [])
                needs = [name for name in wanted if not name.startswith("pyperf")]
        for toml in sorted(home.glob("*.toml")):
            data = tomllib.loads(toml.read_text())
            tool = data.get("tool", {}).get("pyperformance", {})
            name = tool.get("name") or data.get("project", {}).get("name", home.name).removeprefix("pyperformance_bm_")
            if script.is_file() and (not parts or any(part in name for part in parts)):
                yield name, script, tool.get("extra_opts", []), needs


def run(command, program, seconds, limit, site):
    """The figures that a program printed, the kilobytes that it had at most, and what went wrong if something did."""
    _, script, options, _ = program
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(HERE), *site]), "PYPERF_SECONDS": str(seconds), "PYTHONDONTWRITEBYTECODE": "1"}
    with tempfile.TemporaryDirectory() as scratch, tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        command = [*command, str(script), *options]
        process = subprocess.Popen(command, stdout=out, stderr=err, env=env, cwd=scratch, stdin=subprocess.DEVNULL)
        late = threading.Timer(limit, process.kill)
        late.start()
        _, status, usage = os.wait4(process.pid, 0)
        in_time = late.is_alive()
        late.cancel()
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        printed, messages = out.read(), err.read()
    if not in_time:
        return {}, None, f"more than {limit} s"
    figures = {}
    for line in printed.splitlines():
        words = line.split()
        if len(words) == 2:
            try:
                figures[words[0]] = float(words[1])
            except ValueError:
                pass
    if process.returncode or not figures:
        last = messages.strip().splitlines()[-1:] or [f"exit status {process.returncode}"]
        return figures, None, last[0]
    return figures, usage.ru_maxrss, None


def geometric_mean(ratios):
    return math.exp(sum(map(math.log, ratios)) / len(ratios)) if ratios else math.nan


def table(results, names, unit, form):
    """The figures of the first interpreter, and what the others need of them, as Markdown."""
    base, *others = names
    lines = [
        f"| benchmark | {base}, {unit} | " + " | ".join(f"{name} / {base}" for name in others) + " |",
        "|---|" + "---|" * len(names),
    ]
    ratios = {name: [] for name in others}
    for key, figures in sorted(results.items()):
        cells = [form.format(figures[base]) if base in figures else "-"]
        for name in others:
            if base in figures and name in figures:
                ratios[name].append(figures[name] / figures[base])
                cells.append(f"{ratios[name][-1]:.2f}")
            else:
                cells.append("-")
        lines.append(f"| {key} | " + " | ".join(cells) + " |")
    means = [f"{geometric_mean(ratios[name]):.3f}" for name in others]
    lines.append("| geometric mean | | " + " | ".join(means) + " |")
    medians = [f"{statistics.median(ratios[name] or [math.nan]):.3f}" for name in others]
    lines.append("| median | | " + " | ".join(medians) + " |")
    return "\n".join(lines)


def plot(results, names):
    """Bars of the ratios on a logarithmic scale, the best on top, as SVG."""
    base, *others = names
    colours = ["#3465a4", "#f57900", "#73a946", "#75507b"]
    rows = []
    for key, figures in results.items():
        if base in figures and others[0] in figures:
            rows.append((key, [figures[name] / figures[base] if name in figures else None for name in others]))
    rows.sort(key=lambda row: row[1][0])
    step, left, width = 9 * len(others) + 6, 260, 640
    low, high = math.log(1 / 8), math.log(4)

    def x(ratio):
        return left + width * (min(max(math.log(ratio), low), high) - low) / (high - low)

    height = 70 + step * len(rows)
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + width + 10 + 30 * max(len(others), 2)}" height="{height}" font-family="sans-serif" font-size="11">',
        f'<rect width="100%" height="100%" fill="white"/><text x="{left}" y="16" font-size="13">Time in proportion to {base} (less is better)</text>',
    ]
    for i, name in enumerate(others):
        mean = geometric_mean([row[1][i] for row in rows if row[1][i]])
        at = left + 190 * i
        out.append(f'<rect x="{at}" y="24" width="10" height="10" fill="{colours[i % len(colours)]}"/>')
        out.append(f'<text x="{at + 14}" y="33">{name} (mean {mean:.2f})</text>')
    for mark in (1 / 8, 1 / 4, 1 / 2, 1, 2, 4):
        colour = "#a40000" if mark == 1 else "#dddddd"
        out.append(f'<line x1="{x(mark):.1f}" x2="{x(mark):.1f}" y1="44" y2="{height - 14}" stroke="{colour}"/>')
        out.append(f'<text x="{x(mark):.1f}" y="{height - 3}" text-anchor="middle">{mark:g}</text>')
    for n, (key, ratios) in enumerate(rows):
        top = 48 + step * n
        out.append(f'<text x="{left - 6}" y="{top + step / 2 + 2}" text-anchor="end">{key}</text>')
        for i, ratio in enumerate(ratios):
            if ratio:
                begin, end = sorted((x(1), x(ratio)))
                y = top + 9 * i
                out.append(f'<rect x="{begin:.1f}" y="{y}" width="{max(end - begin, 1):.1f}" height="8" fill="{colours[i % len(colours)]}"/>')
                out.append(f'<text x="{left + width + 6 + 30 * i}" y="{top + step / 2 + 2}" font-size="9">{ratio:.2f}</text>')
    return "\n".join([*out, "</svg>"])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", help="parts of the names of programs; all without")
    parser.add_argument("--package", help="folder of pyperformance")
    parser.add_argument("--site", action="append", default=[], help="folder of the packages that programs need (`pip install --target`)")
    parser.add_argument("--lisle", default=str(ROOT / "target/release/lisle"))
    parser.add_argument("--cpython", default=shutil.which("python3.14") or shutil.which("python3.13"))
    parser.add_argument("--pypy", default=shutil.which("pypy3"))
    parser.add_argument("--only", help="names of the interpreters to run, with commas between")
    parser.add_argument("--seconds", type=float, default=1.0, help="for how long one benchmark runs")
    parser.add_argument("--limit", type=float, default=300.0, help="how many seconds a program may take")
    parser.add_argument("--out", default=str(HERE.parent / "out"))
    args = parser.parse_args()
    folder = find_package(args.package, args.cpython)
    if folder is None:
        sys.exit("no pyperformance found: install it for a Python, or name its folder with --package")
    commands = {
        "CPython": [args.cpython],
        "Lisle, GIL": [args.lisle, "-X", "gil=1"],
        "Lisle, no GIL": [args.lisle, "-X", "gil=0"],
        "Lisle, in a thread": ["env", "PYPERF_THREAD=1", args.lisle, "-X", "gil=0"],
        "PyPy": [args.pypy],
    }
    commands = {name: command for name, command in commands.items() if command[0]}
    if args.only:
        commands = {name: command for name, command in commands.items() if any(p in name for p in args.only.split(","))}
    results, memory, troubles, left_out = {}, {}, [], []
    for program in programs(folder, args.parts):
        name, needs = program[0], program[3]
        if needs and not args.site:
            left_out.append(f"{name} ({', '.join(needs)})")
            continue
        line = []
        for interpreter, command in commands.items():
            figures, kilobytes, trouble = run(command, program, args.seconds, args.limit, args.site)
            if kilobytes:
                memory.setdefault(name, {})[interpreter] = kilobytes
            for key, value in figures.items():
                key = name if len(figures) == 1 or key == name else f"{name}: {key}"
                results.setdefault(key, {})[interpreter] = value
            if trouble:
                troubles.append(f"{name} on {interpreter}: {trouble}")
            line.append(f"{interpreter} " + (trouble or " ".join(f"{value:.4f}" for value in figures.values())))
        print(f"{name}: " + "; ".join(line), file=sys.stderr, flush=True)
    names = list(commands)
    text = table(results, names, "seconds", "{:.6f}")
    text += "\n\nWhat the processes had in memory at most:\n\n" + table(memory, names, "kilobytes", "{}")
    if left_out:
        text += "\n\nLeft out for the packages that they need: " + ", ".join(left_out) + "."
    if troubles:
        text += "\n\nFailed:\n\n" + "\n".join(f"- {trouble}" for trouble in troubles)
    print(text)
    out = Path(args.out)
    out.mkdir(exist_ok=True)
    (out / "pyperformance.md").write_text(text + "\n")
    (out / "pyperformance.json").write_text(json.dumps({"seconds": results, "kilobytes": memory}, indent=1, sort_keys=True))
    if len(names) > 1:
        (out / "pyperformance.svg").write_text(plot(results, names))


if __name__ == "__main__":
    main()
