"""Context variables: values, tokens, contexts, threads."""
import contextvars
import threading

var = contextvars.ContextVar("var", default="default")
plain = contextvars.ContextVar("plain")
print(var.name, var.get(), plain.get("given"))
try:
    plain.get()
except LookupError as e:
    print(type(e).__name__, e.args[0] is plain)
token = var.set(1)
print(var.get(), token.var is var, token.old_value is contextvars.Token.MISSING)
inner = var.set(2)
print(inner.old_value, repr(contextvars.Token.MISSING))
var.reset(inner)
print(var.get())
for attempt in (lambda: var.reset(inner), lambda: plain.reset(token), lambda: var.reset(1)):
    try:
        attempt()
    except (RuntimeError, ValueError, TypeError) as e:
        print(type(e).__name__, str(e).rsplit("> ", 1)[-1])

context = contextvars.copy_context()
print(len(context), list(context.items()) == [(var, 1)], var in context, context.get(plain), context[var])


def change(value):
    old = var.get()
    var.set(value)
    plain.set(value)
    return old, var.get()


print(context.run(change, "changed"), var.get(), context[var], context[plain])
print(sorted(v.name for v in context), context.copy() == context, context == contextvars.Context())


def nested():
    try:
        context.run(print)
    except RuntimeError as e:
        print(str(e).startswith("cannot enter context"), str(e).endswith("is already entered"))


context.run(nested)
try:
    context["x"]
except TypeError as e:
    print(e)
try:
    contextvars.Context()[var]
except KeyError as e:
    print("KeyError")
try:
    context.run(lambda: 1 / 0)
except ZeroDivisionError:
    print("left", var.get())

seen = []


def in_thread(n):
    seen.append(plain.get("nothing"))
    plain.set(n)
    seen.append(plain.get())


for n in range(2):
    t = threading.Thread(target=in_thread, args=(n,))
    t.start()
    t.join()
print(seen, plain.get("nothing"))
del token
