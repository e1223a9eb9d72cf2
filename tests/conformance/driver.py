"""Runs one test module and reports each test on a line of its own, so that what was done before a crash is known.

Usage: driver.py MODULE REPORT DONE
Lines of REPORT: "start ID", then "ok ID", "fail ID" or "skip ID". Tests whose ids are lines of DONE are not run.
"""

import sys
import unittest

module, report, done = sys.argv[1:4]
out = open(report, "a", buffering=1, encoding="utf-8", errors="backslashreplace")
with open(done, encoding="utf-8") as file:
    known = set(file.read().splitlines())


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
            last = f"{error[0].__name__}: {error[1]}".splitlines() or [""]
            out.write(f"why {last[0][:300]}\n")

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

    def addExpectedFailure(self, test, err):
        self.say("ok", test)

    def addUnexpectedSuccess(self, test):
        self.say("fail", test)


def selected(suite):
    for item in suite:
        if isinstance(item, unittest.TestSuite):
            kept = list(selected(item))
            if kept:
                # A suite of its class, which may set things up for all of its tests.
                yield type(item)(kept)
        elif ident(item) not in known:
            yield item


def main():
    try:
        from test import support
        support.use_resources = []
    except ImportError:
        pass
    suite = unittest.defaultTestLoader.loadTestsFromName(module)
    result = Report()
    unittest.TestSuite(selected(suite)).run(result)
    out.write("end\n")


if __name__ == "__main__":
    sys.argv[1:] = []
    main()
