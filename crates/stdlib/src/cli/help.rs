//! What `-h` and its kin print.

use crate::sys::info;

/// After a wrong option.
pub fn short_usage(name: &str) -> String {
    format!("{}\nTry `{name} -h' for more information.\n", usage_line(name))
}

fn usage_line(name: &str) -> String {
    format!("usage: {name} [option] ... [-c cmd | -m mod | file | -] [arg] ...")
}

/// `-V` and `-VV`.
pub fn version(long: bool) -> String {
    if long {
        format!("Python {}\n", info::version())
    } else {
        format!("Python {}\n", info::short_version())
    }
}

/// `-h`
pub fn full(name: &str) -> String {
    format!("{}\n{OPTIONS}", usage_line(name))
}

/// `--help-env`
pub fn environment() -> String {
    ENVIRONMENT.to_owned()
}

/// `--help-xoptions`
pub fn x_options() -> String {
    X_OPTIONS.to_owned()
}

/// `--help-all`
pub fn all(name: &str) -> String {
    format!("{}\n{ENVIRONMENT}\n{X_OPTIONS}", full(name))
}

const OPTIONS: &str = "\
Options (and corresponding environment variables):
-b     : warn when bytes are converted to str or compared with str or int;
         twice: raise an error
-B     : write no .pyc files on import (PYTHONDONTWRITEBYTECODE)
-c cmd : run the program given as text; ends the list of options
-d     : parser debugging; accepted, does nothing (PYTHONDEBUG)
-E     : ignore the PYTHON* environment variables
-h     : print this help and exit (also -?, --help)
-i     : go on interactively after running the program (PYTHONINSPECT)
-I     : isolated: no environment variables, no user site, no unsafe path
-m mod : run a library module as the program; ends the list of options
-O     : drop assert statements and code behind __debug__ (PYTHONOPTIMIZE)
-OO    : as -O, and drop docstrings
-P     : do not put a possibly unsafe folder first on sys.path (PYTHONSAFEPATH)
-q     : no version and copyright at interactive start
-s     : leave the user's site folder out of sys.path (PYTHONNOUSERSITE)
-S     : do not import 'site' at start
-u     : do not buffer stdout and stderr (PYTHONUNBUFFERED)
-v     : tell what is imported; more with each -v (PYTHONVERBOSE)
-V     : print the Python version and exit (also --version); twice: more
-W arg : warning control, action:message:category:module:lineno
         (PYTHONWARNINGS)
-x     : skip the first line of the source
-X opt : an option of this implementation; see --help-xoptions
--check-hash-based-pycs always|default|never:
         how cache files that are checked by hash are treated
--help-env      : the environment variables
--help-xoptions : the -X options
--help-all      : all of these

Arguments:
file   : program read from a file, a directory or a zip archive
-      : program read from standard input (default; interactive on a terminal)
arg ...: arguments passed to the program in sys.argv[1:]
";

const ENVIRONMENT: &str = "\
Environment variables that change behavior:
PYTHONSTARTUP   : file run at interactive start
PYTHONPATH      : folders put before the default module search path,
                  separated by ':'
PYTHONHASHSEED  : 'random' or a number that seeds the hashes of str and bytes
PYTHONIOENCODING: encoding[:errors] of stdin, stdout and stderr
PYTHONBREAKPOINT: what breakpoint() calls; 0 for nothing
PYTHON_BASIC_REPL: a plain interactive session, without line editing
PYTHON_COLORS   : 1 or 0: colors always or never
PYTHON_HISTORY  : file for the history of interactive sessions
PYTHON_CPU_COUNT: what os.process_cpu_count() returns (-X cpu_count)
PYTHON_GIL      : 1 or 0: with or without the GIL (-X gil)
PYTHON_THREAD_INHERIT_CONTEXT: (-X thread_inherit_context)
PYTHON_CONTEXT_AWARE_WARNINGS: (-X context_aware_warnings)
PYTHONDEVMODE   : development mode (-X dev)
PYTHONFAULTHANDLER: dump tracebacks on fatal signals (-X faulthandler)
PYTHONINTMAXSTRDIGITS: (-X int_max_str_digits)
PYTHONNODEBUGRANGES: (-X no_debug_ranges)
PYTHONPYCACHEPREFIX: root of a tree for .pyc files (-X pycache_prefix)
PYTHONTRACEMALLOC: number of frames; trace memory allocations (-X tracemalloc)
PYTHONWARNDEFAULTENCODING: (-X warn_default_encoding)
and those named in the list of options.
";

const X_OPTIONS: &str = "\
The following implementation-specific options are available:
-X gil=[0|1]   : with the GIL (1, the default) or without it (0) (PYTHON_GIL)
-X switch=[calls|any]: where threads may switch: at calls and backward jumps (the
                 default), or between any two instructions
-X context_aware_warnings=[0|1]: warnings filters are a context's own
                 (default: 1 without the GIL, else 0)
-X cpu_count=N : what os.process_cpu_count() returns; 'default' for the real one
-X dev         : development mode: more checks at run time
-X faulthandler: dump tracebacks on fatal signals
-X int_max_str_digits=N: limit of int <-> str conversion; 0 for none
-X no_debug_ranges: code objects keep line numbers alone, no columns
-X pycache_prefix=PATH: root of a tree for .pyc files
-X thread_inherit_context=[0|1]: threads start with a copy of their starter's context
                 (default: 1 without the GIL, else 0)
-X tracemalloc[=N]: trace memory allocations, with N frames of each (default: 1)
-X utf8[=0|1]  : UTF-8 mode, whatever the locale says (PYTHONUTF8); on in the C
                 locale
-X warn_default_encoding: EncodingWarning for 'encoding=None'
";
