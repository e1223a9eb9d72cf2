"""Warnings of the parser come before those of the compiler, and before the error that ends them."""

import warnings


def show(source):
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        try:
            compile(source, "<s>", "exec")
            error = None
        except SyntaxError as e:
            error = e.msg, e.lineno, e.offset
    kinds = ["escape" if "escape" in str(w.message) else str(w.message)[:20] for w in found]
    print(repr(source), error, list(zip(kinds, [w.lineno for w in found])))


show(r"'\e' is 0")
show("'\\e' 1")
show("x = '\\e'\nreturn 3\n'\\q'")
show("x = f'\\e{1}\\d'\nb'\\z\\y\\400'; '\\8'; b'\\u'; '\\400'")
show("1if 2else 3; '\\p'; 0x1for x in y")
show("x = '\\e'\ny = (\n")
show("x = '\\e'\ny = 'abc\n")
show("f'\\{1}'")
show("f'{1:\\d}'; rf'\\d'; r'\\d'; br'\\d'")
show("x is 1; '\\d'")
show("def f():\n  '\\d'\n  return 1\n  assert (1,2)")
show("(x '\\d')")
with warnings.catch_warnings():
    warnings.simplefilter("error")
    try:
        compile("x = '\\e' 1", "<s>", "exec")
    except SyntaxError as e:
        print("escape" in e.msg, e.lineno)
