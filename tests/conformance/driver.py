"""Runs one test module and reports each test on a line of its own, so that what was done before a crash is known.

Usage: driver.py MODULE REPORT DONE
Lines of REPORT: "start ID", then "ok ID", "fail ID" or "skip ID". Tests whose ids are lines of DONE are not run.

What a suite older than the language meets is evened out here: `__annotations__` is a global name again, tests of what 3.14 changed
(changed.txt beside this file) are skipped, and CPython's private C modules for tests are stood in for, so that only the tests that
use them are skipped instead of all tests of a file. Child watchers of asyncio are there again, and do nothing. Fresh modules `warnings`
are made of both files that are one now.
"""

import ast
import builtins
import functools
import importlib.machinery
import inspect
import os
import sys
import types
import unittest

# Processes that tests start import this file as well.
if __name__ == "__main__":
    module, report, done = sys.argv[1:4]
    out = open(report, "a", buffering=1, encoding="utf-8", errors="backslashreplace")
    with open(done, encoding="utf-8") as file:
        known = set(file.read().splitlines())

C_MODULES = {
    "_datetime",
    "_testbuffer",
    "_testcapi",
    "_testclinic",
    "_testclinic_limited",
    "_testexternalinspection",
    "_testimportmultiple",
    "_testinternalcapi",
    "_testlimitedcapi",
    "_testmultiphase",
    "_testsinglephase",
    "_xxtestfuzz",
}


class Absent:
    """A name of a C module for tests: skips the test that uses it."""

    def __init__(self, name):
        self._name = name

    def __call__(self, *args, **kwargs):
        raise unittest.SkipTest(f"needs {self._name}")

    __bool__ = __iter__ = __int__ = __index__ = __enter__ = __len__ = __mro_entries__ = __call__

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return Absent(f"{self._name}.{name}")


class AbsentModules:
    """Finds C modules for tests where they are imported without an `except ImportError`: as a whole module at the top level of a test
    file, by skipping the test elsewhere. An import that allows for their absence does not find them."""

    def find_spec(self, name, path=None, target=None):
        if name not in C_MODULES:
            return None
        frame = sys._getframe(1)
        while frame is not None and is_importer(frame.f_code.co_filename):
            frame = frame.f_back
        if frame is None or allows_absence(frame.f_code.co_filename, frame.f_lineno):
            return None
        # Bodies of modules and classes have no fast locals.
        if frame.f_code.co_flags & inspect.CO_OPTIMIZED:
            raise unittest.SkipTest(f"needs {name}")
        return importlib.machinery.ModuleSpec(name, self)

    def create_module(self, spec):
        module = types.ModuleType(spec.name)
        module.__getattr__ = lambda name: Absent(f"{spec.name}.{name}")
        return module

    def exec_module(self, module):
        pass

    def forget(self):
        """Lets later imports be judged on their own."""
        for name in C_MODULES:
            sys.modules.pop(name, None)


def is_importer(filename):
    """Whether the file stands between an import and what asks for it; `import_helper.import_module` skips the whole file otherwise."""
    if filename.endswith(os.path.join("support", "import_helper.py")):
        return True
    return "importlib" in filename and "test_importlib" not in filename


def allows_absence(filename, line):
    """Whether the statement stands in a `try` that catches ImportError."""
    try:
        with open(filename, "rb") as file:
            tree = ast.parse(file.read())
    except (OSError, SyntaxError):
        return True
    for node in ast.walk(tree):
        if isinstance(node, ast.Try) and node.body[0].lineno <= line <= node.body[-1].end_lineno:
            for handler in node.handlers:
                if handler.type is None or "ImportError" in ast.unparse(handler.type):
                    return True
    return False


def force_not_colorized(function):
    """That of the suite does not know 3.14's arguments of can_colorize()."""

    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        import _colorize

        old = _colorize.can_colorize
        _colorize.can_colorize = lambda *, file=None: False
        try:
            return function(*args, **kwargs)
        finally:
            _colorize.can_colorize = old

    return wrapper


def fresh_warnings():
    """What makes a fresh module `warnings` for tests does not know that most of it is in `_py_warnings` now."""
    from test.support import import_helper

    original = import_helper.import_fresh_module

    @functools.wraps(original)
    def import_fresh_module(name, fresh=(), *args, **kwargs):
        if name == "warnings":
            fresh = [*fresh, "_py_warnings"]
        return original(name, fresh, *args, **kwargs)

    import_helper.import_fresh_module = import_fresh_module


def moved():
    """Modules that tests import from where they were in 3.13."""
    if module in ("test.test_bz2", "test.test_lzma"):
        from compression._common import _streams

        sys.modules["_compression"] = _streams
    if module == "test.test_pathlib":
        # The bases of paths are gone, and what they took from glob: those of tests are made of what stands beside the suite.
        import fnmatch
        import glob
        import importlib.util
        import pathlib
        import test

        library = os.path.dirname(os.path.realpath(test.__path__[0]))
        for name, parts in [("fnmatch", ["fnmatch.py"]), ("glob", ["glob.py"]), ("pathlib._abc", ["pathlib", "_abc.py"])]:
            path = os.path.join(library, *parts)
            if os.path.exists(path):
                spec = importlib.util.spec_from_file_location(name, path)
                sys.modules[name] = importlib.util.module_from_spec(spec)
                spec.loader.exec_module(sys.modules[name])
        pathlib._abc = sys.modules.get("pathlib._abc")
        sys.modules.update(fnmatch=fnmatch, glob=glob)


def changed():
    """The tests of changed.txt; a name may stand for a class or a file, but for `=name`."""
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "changed.txt")
    with open(path, encoding="utf-8") as file:
        return {line.split()[0] for line in file if line.strip() and not line.startswith("#")}


def clean_after_skips():
    """A set-up that is skipped halfway, for the lack of a C module, is taken down again."""
    set_up = unittest.TestCase._callSetUp

    @functools.wraps(set_up)
    def call_set_up(self):
        try:
            set_up(self)
        except unittest.SkipTest as skip:
            if str(skip).startswith("needs "):
                self.tearDown()
            raise

    unittest.TestCase._callSetUp = call_set_up


def ident(test):
    return test.id().replace("\n", " ")


class Report(unittest.TestResult):
    def startTest(self, test):
        super().startTest(test)
        self.bad = False
        self.said = False
        out.write(f"start {ident(test)}\n")

    def say(self, word, test, error=None):
        self.said = True
        out.write(f"{word} {ident(test)}\n")
        if error is not None:
            self.why(f"{error[0].__name__}: {error[1]}")

    def why(self, reason):
        first = str(reason).splitlines() or [""]
        out.write(f"why {first[0][:300]}\n")

    def addSuccess(self, test):
        if not self.bad:
            self.say("ok", test)

    def addError(self, test, err):
        self.bad = True
        self.say("fail", test, err)

    addFailure = addError

    def addSubTest(self, test, subtest, err):
        if err is not None and not self.bad:
            self.bad = True
            self.say("fail", test, err)

    def addSkip(self, test, reason):
        # The skip of a subtest is not that of its test.
        if not isinstance(test, unittest.case._SubTest):
            self.bad = True
            self.say("skip", test)
            self.why(reason)

    def addExpectedFailure(self, test, err):
        self.say("ok", test)

    def addUnexpectedSuccess(self, test):
        # A failure, as unittest has it.
        self.say("fail", test)
        self.why("unexpected success")


def selected(suite, other):
    for item in suite:
        if isinstance(item, unittest.TestSuite):
            kept = list(selected(item, other))
            if kept:
                # A suite of its class, which may set things up for all of its tests.
                yield type(item)(kept)
            continue
        name = ident(item)
        if name in known:
            continue
        parts = name.split(".")
        if "=" + name in other or any(".".join(parts[:end]) in other for end in range(1, len(parts) + 1)):
            out.write(f"skip {name}\nwhy changed.txt\n")
            continue
        yield item


def child_watchers():
    """asyncio's child watchers, which 3.14 has removed: tests of other things set one up and put it back."""
    import asyncio.events
    import asyncio.unix_events
    import warnings

    class Watcher:
        _threads = {}

        def __init__(self):
            warnings.warn("child watchers are gone", DeprecationWarning)

        def attach_loop(self, loop):
            pass

        def close(self):
            pass

    for name in ("SafeChildWatcher", "FastChildWatcher", "ThreadedChildWatcher", "MultiLoopChildWatcher", "PidfdChildWatcher"):
        watcher = type(name, (Watcher,), {})
        setattr(asyncio, name, watcher)
        setattr(asyncio.unix_events, name, watcher)
    for name in ("AbstractChildWatcher", "BaseChildWatcher"):
        setattr(asyncio, name, Watcher)
        setattr(asyncio.unix_events, name, Watcher)

    def get_child_watcher(self):
        if self._watcher is None:
            raise NotImplementedError
        return self._watcher

    def set_child_watcher(self, watcher):
        self._watcher = watcher

    policy = asyncio.events._AbstractEventLoopPolicy
    policy._watcher = None
    policy.get_child_watcher, policy.set_child_watcher = get_child_watcher, set_child_watcher
    asyncio.set_child_watcher = lambda watcher: set_child_watcher(asyncio.events._get_event_loop_policy(), watcher)
    asyncio.get_child_watcher = lambda: get_child_watcher(asyncio.events._get_event_loop_policy())


def main():
    builtins.__annotations__ = {}
    if "asyncio" in module:
        child_watchers()
    absent = AbsentModules()
    sys.meta_path.append(absent)
    try:
        from test import support
    except ImportError:
        pass
    else:
        # Its servers are on this machine.
        support.use_resources = ["network"] if module == "test.test_socketserver" else []
        # What support would ask _testinternalcapi and _testcapi.
        support.has_no_debug_ranges = lambda: False
        support.get_c_recursion_limit = lambda: 10000
        support.force_not_colorized = force_not_colorized
        support.without_optimizer = lambda function: function
        support.skip_if_suppress_immortalization = lambda: lambda function: function
        fresh_warnings()
    clean_after_skips()
    moved()
    try:
        suite = unittest.defaultTestLoader.loadTestsFromName(module)
    except unittest.SkipTest as reason:
        # All of it is for another kind of interpreter.
        out.write(f"start {module}\nskip {module}\nwhy {reason}\nend\n")
        return
    finder = sys.modules.get("test.test_importlib.frozen.test_finder")
    if finder is not None:
        # The library does not lie beside the tests.
        finder.STDLIB_DIR = os.path.dirname(os.__file__)
    absent.forget()
    result = Report()
    unittest.TestSuite(selected(suite, changed())).run(result)
    out.write("end\n")


if __name__ == "__main__":
    sys.argv[1:] = []
    main()
