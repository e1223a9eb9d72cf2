"""Filters, registries, stack levels, records."""
import warnings


def issue(message="message", category=UserWarning, level=1):
    warnings.warn(message, category, stacklevel=level)


with warnings.catch_warnings(record=True) as log:
    warnings.simplefilter("always")
    issue()
    issue("other", DeprecationWarning, 2)
    warnings.warn(RuntimeWarning("an instance"))
    for w in log:
        print(w.category.__name__, w.message, w.lineno, w.filename == __file__)

for action, expected in (("default", 1), ("once", 1), ("module", 1), ("always", 3), ("ignore", 0)):
    with warnings.catch_warnings(record=True) as log:
        warnings.resetwarnings()
        warnings.simplefilter(action)
        for _ in range(3):
            issue("for " + action)
        print(action, len(log) == expected)

with warnings.catch_warnings():
    warnings.simplefilter("error")
    try:
        issue("raised", FutureWarning)
    except FutureWarning as e:
        print("raised", e.args)

with warnings.catch_warnings(record=True) as log:
    warnings.resetwarnings()
    warnings.filterwarnings("ignore", "un.*")
    warnings.filterwarnings("error", category=BytesWarning)
    issue("unwanted")
    issue("wanted")
    print([str(w.message) for w in log])
    registry = {}
    warnings.warn_explicit("explicit", UserWarning, "some/file.py", 7, registry=registry)
    warnings.warn_explicit("explicit", UserWarning, "some/file.py", 7, registry=registry)
    print(len(log), log[-1].filename, log[-1].lineno, ("explicit", UserWarning, 7) in registry)

for attempt in (
    lambda: warnings.warn("x", int),
    lambda: warnings.warn("x", "category"),
    lambda: warnings.warn("x", skip_file_prefixes=["a"]),
    lambda: warnings.warn("x", skip_file_prefixes=(1,)),
    lambda: warnings.warn_explicit("x", UserWarning, None, 1),
    lambda: warnings.filterwarnings("nonsense"),
):
    try:
        attempt()
    except (TypeError, ValueError) as e:
        print(type(e).__name__)
