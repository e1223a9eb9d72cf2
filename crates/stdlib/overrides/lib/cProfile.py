"""Python interface for the 'lsprof' profiler.
   Compatible with the 'profile' module.
"""

__all__ = ["run", "runctx", "Profile"]

import _lsprof
import importlib.machinery
import importlib.util
import io
import profile as _pyprofile


def run(statement, filename=None, sort=-1):
    return _pyprofile._Utils(Profile).run(statement, filename, sort)


def runctx(statement, globals, locals, filename=None, sort=-1):
    return _pyprofile._Utils(Profile).runctx(statement, globals, locals, filename, sort)


run.__doc__ = _pyprofile.run.__doc__
runctx.__doc__ = _pyprofile.runctx.__doc__


class Profile(_lsprof.Profiler):
    """Profile(timer=None, timeunit=None, subcalls=True, builtins=True)

    Builds a profiler object using the specified timer function.
    The default timer is a fast built-in one based on real time.
    For custom timer functions returning integers, timeunit can
    be a float specifying a scale (i.e. how long each integer unit
    is, in seconds).
    """

    # What the profiler notes becomes the dictionary that pstats knows only when it is asked for.

    def print_stats(self, sort=-1):
        import pstats
        if not isinstance(sort, tuple):
            sort = (sort,)
        pstats.Stats(self).strip_dirs().sort_stats(*sort).print_stats()

    def dump_stats(self, file):
        import marshal
        with open(file, 'wb') as out:
            self.create_stats()
            marshal.dump(self.stats, out)

    def create_stats(self):
        self.disable()
        self.snapshot_stats()

    def snapshot_stats(self):
        entries = self.getstats()
        self.stats = {}
        callers = {}
        for entry in entries:
            callers[id(entry.code)] = by = {}
            count = entry.callcount
            self.stats[label(entry.code)] = (count - entry.reccallcount, count, entry.inlinetime, entry.totaltime, by)
        for entry in entries:
            caller = label(entry.code)
            for call in entry.calls or ():
                by = callers.get(id(call.code))
                if by is None:
                    continue
                count = call.callcount
                now = (count, count - call.reccallcount, call.inlinetime, call.totaltime)
                # Functions of one name and place are one entry.
                known = by.get(caller)
                by[caller] = now if known is None else tuple(a + b for a, b in zip(now, known))

    # The rest is that of profile.Profile.

    def run(self, cmd):
        import __main__
        names = __main__.__dict__
        return self.runctx(cmd, names, names)

    def runctx(self, cmd, globals, locals):
        self.enable()
        try:
            exec(cmd, globals, locals)
        finally:
            self.disable()
        return self

    def runcall(self, func, /, *args, **kw):
        self.enable()
        try:
            return func(*args, **kw)
        finally:
            self.disable()

    def __enter__(self):
        self.enable()
        return self

    def __exit__(self, *exc_info):
        self.disable()


def label(code):
    """File, line and name; native code has its name alone."""
    if isinstance(code, str):
        return ('~', 0, code)
    return (code.co_filename, code.co_firstlineno, code.co_name)


def main():
    import os
    import pstats
    import runpy
    import sys
    from optparse import OptionParser

    parser = OptionParser(usage="cProfile.py [-o output_file_path] [-s sort] [-m module | scriptfile] [arg] ...")
    parser.allow_interspersed_args = False
    parser.add_option('-o', '--outfile', dest="outfile", help="Save stats to <outfile>", default=None)
    parser.add_option('-s', '--sort', dest="sort", default=-1,
                      help="Sort order when printing to stdout, based on pstats.Stats class",
                      choices=sorted(pstats.Stats.sort_arg_dict_default))
    parser.add_option('-m', dest="module", action="store_true", help="Profile a library module", default=False)
    if not sys.argv[1:]:
        parser.print_usage()
        sys.exit(2)
    options, args = parser.parse_args()
    sys.argv[:] = args
    # The script may change the working directory.
    if options.outfile is not None:
        options.outfile = os.path.abspath(options.outfile)
    if not args:
        parser.print_usage()
        return parser
    if options.module:
        code = "run_module(modname, run_name='__main__')"
        names = {'run_module': runpy.run_module, 'modname': args[0]}
        sys.argv[:] = args
    else:
        name = args[0]
        sys.path.insert(0, os.path.dirname(name))
        with io.open_code(name) as file:
            code = compile(file.read(), name, 'exec')
        spec = importlib.machinery.ModuleSpec(name='__main__', loader=None, origin=name)
        module = importlib.util.module_from_spec(spec)
        # What is pickled is looked for there.
        sys.modules['__main__'] = module
        names = module.__dict__
        names.update(__spec__=spec, __file__=spec.origin, __name__=spec.name, __package__=None, __cached__=None)
    try:
        runctx(code, names, None, options.outfile, options.sort)
    except BrokenPipeError as error:
        # The reader of the statistics has seen enough.
        sys.stdout = None
        sys.exit(error.errno)
    return parser


if __name__ == '__main__':
    main()
