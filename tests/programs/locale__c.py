"""The C library's locale: what the plain one says, wrong names, collation."""
import _locale
import locale


def shown(f, *args):
    try:
        print(f.__name__, repr(f(*args)))
    except Exception as e:
        print(f.__name__, type(e).__name__, e)


def localeconv():
    """Numbers that the locale does not have are C's CHAR_MAX, which processors differ in."""
    return {name: "CHAR_MAX" if value == _locale.CHAR_MAX else value for name, value in _locale.localeconv().items()}


def strcoll(a, b):
    return _locale.strcoll(a, b) < 0


for f, args in (
    (_locale.setlocale, (_locale.LC_NUMERIC, None)),
    (_locale.setlocale, (_locale.LC_ALL, "xx")),
    (_locale.setlocale, (99, None)),
    (_locale.setlocale, (6, "a\0b")),
    (localeconv, ()),
    (strcoll, ("a", "b")),
    (_locale.strxfrm, ("abc",)),
    (_locale.strxfrm, ("a\0b",)),
    (_locale.nl_langinfo, (_locale.RADIXCHAR,)),
    (_locale.nl_langinfo, (_locale.DAY_1,)),
    (_locale.nl_langinfo, (99999,)),
    (_locale.getencoding, ()),
    (_locale.gettext, ("x",)),
    (_locale.dgettext, (None, "b")),
    (_locale.bindtextdomain, ("", "x")),
    (locale.atof, ("1.5",)),
    (locale.str, (1.5,)),
    (locale.format_string, ("%d", 1234567, True)),
    (locale.getlocale, (locale.LC_NUMERIC,)),
):
    shown(f, *args)
print(_locale.Error, _locale.CHAR_MAX in (127, 255), _locale.LC_ALL)
