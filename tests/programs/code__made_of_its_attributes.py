# Code objects made of the attributes of others, as packages do that send functions to other processes.
import dis
import types


def again(code):
    constants = tuple(again(c) if isinstance(c, types.CodeType) else c for c in code.co_consts)
    return types.CodeType(
        code.co_argcount,
        code.co_posonlyargcount,
        code.co_kwonlyargcount,
        code.co_nlocals,
        code.co_stacksize,
        code.co_flags,
        code.co_code,
        constants,
        code.co_names,
        code.co_varnames,
        code.co_filename,
        code.co_name,
        code.co_qualname,
        code.co_firstlineno,
        code.co_linetable,
        code.co_exceptiontable,
        code.co_freevars,
        code.co_cellvars,
    )


def remade(function):
    return types.FunctionType(
        again(function.__code__),
        globals(),
        function.__name__,
        function.__defaults__,
        function.__closure__,
    )


def sums(a, /, b=2, *rest, c=3, **more):
    total = a + b + sum(rest) + c + sum(more.values())
    return {f"{x!r:>3}": [y * x for y in range(total) if y % 3 == 0] for x in (1, 2.5, "ab")}


def careful(n):
    found = []
    for i in range(n):
        try:
            found.append(10 // (i - 2))
        except ZeroDivisionError as error:
            found.append(str(error)[-4:])
        finally:
            found.append("f")
    with open("/dev/null") as file:
        found.append(file.readable())
    return found


def counter(start):
    step = 2

    def count():
        nonlocal start
        start += step
        return start

    class Inner:
        value = start

        def get(self):
            return self.value, step

    return count, Inner


def numbers(n):
    yield from range(n)
    return (yield "last")


def sets(value):
    global made
    made = value
    match value:
        case {"a": [1, *rest]} if rest:
            return rest
        case int() | float():
            return "number"
    return None


for function in sums, careful, counter, numbers, sets:
    copy = remade(function)
    print(copy.__name__, copy.__code__ == function.__code__, copy.__code__.co_positions is not None)

sums_again = remade(sums)
sums_again.__kwdefaults__ = sums.__kwdefaults__
print(sums_again(1, 2, 3, c=1, d=2) == sums(1, 2, 3, c=1, d=2), sums_again(1) == sums(1))
print(remade(careful)(4))
count, Inner = remade(counter)(5)
print(count(), count(), Inner().get())
print(list(remade(numbers)(3)))
print(remade(sets)({"a": [1, 2, 3]}), made, remade(sets)(2.5), remade(sets)(""))
try:
    remade(careful)(None)
except TypeError as error:
    print(error, error.__traceback__.tb_next.tb_lineno - careful.__code__.co_firstlineno)

arguments = [0, 0, 0, 0, 0, 0, b"", (), (), (), "file", "name", "name", 1, b"", b""]
for wrong in arguments[:-1], arguments[:-2] + ["", b""], [-1] + arguments[1:]:
    try:
        types.CodeType(*wrong)
    except (TypeError, ValueError) as error:
        print(type(error).__name__)

# What tools ask of instructions: which global names a function uses.
uses = {"LOAD_GLOBAL": set(), "STORE_GLOBAL": set()}
for instruction in dis.get_instructions(sets):
    if instruction.opname in uses:
        uses[instruction.opname].add(instruction.argval)
        assert instruction.opcode == dis.opmap[instruction.opname]
print({name: sorted(found) for name, found in uses.items()})
lines = {instruction.line_number for instruction in dis.get_instructions(careful)}
first = careful.__code__.co_firstlineno
print(sorted(line - first for line in lines if line is not None))

# What does not fit is refused; whether the variables have to fit the instructions is the runtime's affair.
code = careful.__code__
given = [getattr(code, f"co_{name}") for name in (
    "argcount posonlyargcount kwonlyargcount nlocals stacksize flags code consts names varnames filename name qualname "
    "firstlineno linetable exceptiontable freevars cellvars"
).split()]
for place, value in (0, 5), (3, 1), (9, code.co_varnames[:-1]), (16, ("more",)), (17, code.co_varnames[:1]), (6, b"\0\0"):
    changed = [*given[:place], value, *given[place + 1:]]
    try:
        types.CodeType(*changed)
    except ValueError:
        if place in (3, 9):
            print("refused", place)
