"""Misspelled keywords are told of in tracebacks (recorded by hand: 3.14 has this)."""
import traceback

for source in ["whille True:\n    pass\n", "x = 1\nfro y in x:\n    pass\n", "imporrt os\n", "def f():\n    retrun 1\n", "a = 1\nb = 2 iff a els 3\n",
               "async deff f():\n    pass\n", "clas A:\n    pass\n", "x y\n", "for x im y:\n    pass\n", "1 +\n"]:
    try:
        compile(source, "<s>", "exec")
    except SyntaxError as e:
        print("".join(traceback.format_exception_only(e)), e.msg, e._metadata[:2], sep="")
