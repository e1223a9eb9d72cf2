"""Statements that leave a finally block are warned of (recorded by hand: 3.14 has this)."""
import ast
import warnings

SOURCE = '''
def f():
    try: pass
    finally:
        return 1
def g():
    for x in y:
        try: pass
        finally:
            if x: break
            else: continue
def h():
    try: pass
    finally:
        for x in y: break
        while x: continue
        else: pass
        def inner(): return 1
        class C:
            def method(self): return 2
        with x:
            return
while x:
    try:
        try: pass
        finally: pass
    except E:
        break
    else:
        continue
    finally:
        while z: pass
        else: break
'''
for run in (lambda: compile(SOURCE, "<s>", "exec"), lambda: ast.parse(SOURCE), lambda: compile(ast.parse(SOURCE), "<s>", "exec")):
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        run()
    print([(w.category.__name__, str(w.message), w.lineno) for w in found])
for source in ("ur'x'", "bu'x'", "fb'x'", "rub'''x'''", "tf'x'", "bt'x'", "utr'x'", "rr'x'", "bytes'x'"):
    try:
        compile(source, "<s>", "exec")
    except SyntaxError as e:
        print(source, e.msg, e.offset, e.end_offset)
