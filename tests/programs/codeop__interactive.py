"""Whether a source is whole, may go on, or is wrong: what interactive sessions ask for each line."""

import codeop

SOURCES = [
    "x",
    "x = 1; y = 2",
    "def f():",
    "def f():\n    print(0)",
    "def f():\n    print(0)\n",
    "def f():\n    print(0)\n    return yield 42",
    "if 1: x",
    "if 1: x\n",
    "if 1:\n  x",
    "if 1:\n  x\nelse:",
    "if 1:\n  x # c",
    "if 1:\n  x\n\n",
    "class A:\n  def f(self):\n    pass",
    "for i in x:\n  y\nelse:\n  z",
    "@d",
    "@d\ndef f(): pass",
    "try:\n  x",
    "try:\n  x\n",
    "with a: b",
    "match x:\n  case 1:\n    y",
    "x = '''a\n",
    "(1,\n",
    "x \\\n",
    "  x",
    "x = (",
    "x = )",
    "# c",
    "",
]
for source in SOURCES:
    try:
        code = codeop.compile_command(source, "<input>", "single")
    except SyntaxError as e:
        print(repr(source), "wrong:", type(e).__name__, e.msg)
    else:
        print(repr(source), "goes on" if code is None else "is whole")

for source in ["if 1: x", "def f():\n  x", "def f():\n  x\n", "if 1:\n  x\n  "]:
    for flags in (0, 0x200):
        try:
            compile(source, "<input>", "single", flags)
            print(repr(source), hex(flags), "compiles")
        except SyntaxError as e:
            print(repr(source), hex(flags), type(e).__name__)

# Blocks within blocks that have not begun.
for source in [
    "if 1:\n pass\n if 1:\n  pass\n else:",
    "if 1:\n pass\n if 1:\n  pass\n elif x:\n",
    "class C:\n  def f():\n   try:\n    x\n   except:\n  ",
    "while a:\n pass\nelse:",
    "if 1:\n  if 2:\n  x",
]:
    try:
        print(codeop.compile_command(source, "<input>", "exec"))
    except SyntaxError as e:
        print(e.msg)

# Strings that the source ends in.
for source in ["a = 'a\\", "a = 'a\\\n", "a = 'a", "a = f'a\\", "a = f'a\\\n", "a = '''a", "a=f'''{x", "a='b\\\nc\\"]:
    try:
        print(codeop.compile_command(source))
    except SyntaxError as e:
        print(e)
