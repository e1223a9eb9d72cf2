//! The constants of `sys`: versions, flags, limits of numbers, paths.
//!
//! Invariant: everything here is decided before the first import, from the configuration or at build time.

use lisle_runtime::intern;
use lisle_runtime::native::{Py, Res, Str, Value, Vm};
use lisle_runtime::types::dict::Dict;
use lisle_runtime::types::list::List;
use lisle_runtime::types::module::Module;
use lisle_runtime::types::namespace::Namespace;
use lisle_runtime::types::struct_seq::StructSeqDef;
use lisle_runtime::types::tuple::Tuple;

use crate::cli::{Config, config};

/// The Python version whose language and library Lisle has.
pub const VERSION: (i64, i64, i64) = (3, 14, 0);
/// `sys.hexversion`: the final release.
const HEXVERSION: i64 = (VERSION.0 << 24) | (VERSION.1 << 16) | (VERSION.2 << 8) | 0xf0;

/// `3.14.0`
pub fn short_version() -> String {
    format!("{}.{}.{}", VERSION.0, VERSION.1, VERSION.2)
}

/// `sys.version`
pub fn version() -> String {
    let build = if cfg!(debug_assertions) { "debug" } else { "release" };
    format!(
        "{} (Lisle {}, {build})\n[Rust]",
        short_version(),
        env!("CARGO_PKG_VERSION")
    )
}

static VERSION_INFO: StructSeqDef = StructSeqDef::sealed(
    "version_info",
    "sys",
    "sys.version_info\n\nVersion information as a named tuple.",
    &[
        ("major", "Major release number"),
        ("minor", "Minor release number"),
        ("micro", "Patch release number"),
        ("releaselevel", "'alpha', 'beta', 'candidate', or 'final'"),
        ("serial", "Serial release number"),
    ],
);

static FLAGS: StructSeqDef = {
    let mut def = StructSeqDef::new(
        "flags",
        "sys",
        "sys.flags\n\nFlags provided through command line arguments or environment vars.",
        &[
            ("debug", "-d"),
            ("inspect", "-i"),
            ("interactive", "-i"),
            ("optimize", "-O or -OO"),
            ("dont_write_bytecode", "-B"),
            ("no_user_site", "-s"),
            ("no_site", "-S"),
            ("ignore_environment", "-E"),
            ("verbose", "-v"),
            ("bytes_warning", "-b"),
            ("quiet", "-q"),
            ("hash_randomization", "-R"),
            ("isolated", "-I"),
            ("dev_mode", "-X dev"),
            ("utf8_mode", "-X utf8"),
            ("safe_path", "-P"),
            ("int_max_str_digits", "-X int_max_str_digits"),
            ("gil", "-X gil"),
            ("thread_inherit_context", "-X thread_inherit_context"),
            ("context_aware_warnings", "-X context_aware_warnings"),
            ("warn_default_encoding", "-X warn_default_encoding"),
        ],
        18,
    );
    def.constructible = false;
    def
};

static FLOAT_INFO: StructSeqDef = StructSeqDef::new(
    "float_info",
    "sys",
    "sys.float_info\n\nA named tuple holding information about the float type.",
    &[
        ("max", "DBL_MAX -- maximum representable finite float"),
        ("max_exp", "DBL_MAX_EXP"),
        ("max_10_exp", "DBL_MAX_10_EXP"),
        ("min", "DBL_MIN -- minimum positive normalized float"),
        ("min_exp", "DBL_MIN_EXP"),
        ("min_10_exp", "DBL_MIN_10_EXP"),
        ("dig", "DBL_DIG"),
        ("mant_dig", "DBL_MANT_DIG"),
        ("epsilon", "DBL_EPSILON"),
        ("radix", "FLT_RADIX"),
        ("rounds", "FLT_ROUNDS"),
    ],
    11,
);

static INT_INFO: StructSeqDef = StructSeqDef::new(
    "int_info",
    "sys",
    "sys.int_info\n\nA named tuple that holds information about the internal representation of integers.",
    &[
        ("bits_per_digit", "size of a digit in bits"),
        ("sizeof_digit", "size in bytes of the type used to represent a digit"),
        ("default_max_str_digits", "maximum string conversion digits limitation"),
        (
            "str_digits_check_threshold",
            "minimum positive value for int_max_str_digits",
        ),
    ],
    4,
);

static HASH_INFO: StructSeqDef = StructSeqDef::new(
    "hash_info",
    "sys",
    "sys.hash_info\n\nA named tuple providing parameters used for computing hashes.",
    &[
        ("width", "width of the type used for hashing, in bits"),
        (
            "modulus",
            "prime number giving the modulus on which the hash function is based",
        ),
        ("inf", "value to be used for hash of a positive infinity"),
        ("nan", "value to be used for hash of a nan"),
        ("imag", "multiplier used for the imaginary part of a complex number"),
        (
            "algorithm",
            "name of the algorithm for hashing of str, bytes and memoryviews",
        ),
        ("hash_bits", "internal output size of hash algorithm"),
        ("seed_bits", "seed size of hash algorithm"),
        ("cutoff", "small string optimization cutoff"),
    ],
    9,
);

static THREAD_INFO: StructSeqDef = StructSeqDef::new(
    "thread_info",
    "sys",
    "sys.thread_info\n\nA named tuple holding information about the thread implementation.",
    &[
        ("name", "name of the thread implementation"),
        ("lock", "name of the lock implementation"),
        ("version", "name and version of the thread library"),
    ],
    3,
);

pub static ASYNCGEN_HOOKS: StructSeqDef = StructSeqDef::new(
    "asyncgen_hooks",
    "sys",
    "Structure containing the hooks of asynchronous generators.",
    &[("firstiter", ""), ("finalizer", "")],
    2,
);

pub static UNRAISABLE_ARGS: StructSeqDef = StructSeqDef::new(
    "UnraisableHookArgs",
    "sys",
    "Type used to pass arguments to sys.unraisablehook.",
    &[
        ("exc_type", "Exception type"),
        ("exc_value", "Exception value"),
        ("exc_traceback", "Exception traceback"),
        ("err_msg", "Error message"),
        ("object", "Object causing the exception"),
    ],
    5,
);

fn flags(config: &Config) -> Value {
    let n = |n: i64| Value::int(n);
    let b = |b: bool| Value::int(b.into());
    FLAGS.make(vec![
        n(config.debug),
        b(config.inspect),
        b(config.interactive),
        n(config.optimize.into()),
        b(config.dont_write_bytecode),
        b(config.no_user_site),
        b(config.no_site),
        b(config.ignore_environment),
        n(config.verbose),
        n(config.bytes_warning),
        b(config.quiet),
        b(config.hash_seed != Some(0)),
        b(config.isolated),
        Value::from_bool(config.dev_mode),
        b(config.utf8_mode),
        Value::from_bool(config.safe_path),
        n(config.int_max_str_digits),
        b(!config.free),
        b(config.thread_inherit_context),
        b(config.context_aware_warnings),
        b(config.warn_default_encoding),
    ])
}

/// The machine and system as in the names of wheels.
fn multiarch() -> String {
    format!("{}-{}-gnu", std::env::consts::ARCH, std::env::consts::OS)
}

fn texts<S: AsRef<str>>(list: &[S]) -> Value {
    List::new(list.iter().map(|text| Value::from(text.as_ref())).collect()).into_value()
}

/// `os.fsdecode`
pub fn from_os(text: &std::ffi::OsStr) -> Value {
    use std::os::unix::ffi::OsStrExt;
    Str::from_os_bytes(text.as_bytes()).into_value()
}

/// Puts all constants into the module.
pub fn fill(vm: &Vm, module: &Py<Module>) -> Res<()> {
    let config = config();
    let set = |name: &str, value: Value| module.set(name, value);
    let version_info = |level: &str| {
        let (major, minor, micro) = VERSION;
        let fields = vec![
            Value::int(major),
            Value::int(minor),
            Value::int(micro),
            Value::from(level),
            Value::int(0),
        ];
        VERSION_INFO.make(fields)
    };
    set("version_info", version_info("final"));
    set("version", Value::from(version().as_str()));
    set("hexversion", Value::int(HEXVERSION));
    set("api_version", Value::int(1013));
    set("copyright", Value::from(include_str!("copyright.txt").trim_end()));
    set("platform", Value::from(std::env::consts::OS));
    set(
        "byteorder",
        Value::from(if cfg!(target_endian = "little") {
            "little"
        } else {
            "big"
        }),
    );
    set("maxsize", Value::int(i64::MAX));
    set("maxunicode", Value::int(0x10_ffff));
    set("abiflags", Value::from(""));
    set("float_repr_style", Value::from("short"));
    set("platlibdir", Value::from("lib"));
    set("_framework", Value::from(""));
    let git = [Value::from("Lisle"), Value::from(""), Value::from("")];
    set("_git", Tuple::new(git.into()).into_value());
    set(
        "float_info",
        FLOAT_INFO.make(vec![
            Value::float(f64::MAX),
            Value::int(f64::MAX_EXP.into()),
            Value::int(f64::MAX_10_EXP.into()),
            Value::float(f64::MIN_POSITIVE),
            Value::int(f64::MIN_EXP.into()),
            Value::int(f64::MIN_10_EXP.into()),
            Value::int(f64::DIGITS.into()),
            Value::int(f64::MANTISSA_DIGITS.into()),
            Value::float(f64::EPSILON),
            Value::int(f64::RADIX.into()),
            Value::int(1),
        ]),
    );
    set(
        "int_info",
        INT_INFO.make(vec![Value::int(30), Value::int(4), Value::int(4300), Value::int(640)]),
    );
    set(
        "hash_info",
        HASH_INFO.make(vec![
            Value::int(64),
            Value::int((1 << 61) - 1),
            Value::int(314_159),
            Value::int(0),
            Value::int(1_000_003),
            Value::from("siphash13"),
            Value::int(64),
            Value::int(128),
            Value::int(0),
        ]),
    );
    set(
        "thread_info",
        THREAD_INFO.make(vec![Value::from("pthread"), Value::NONE, Value::from("Lisle")]),
    );
    set("flags", flags(config));
    let implementation = Namespace::new_value(
        vm,
        &[
            (intern!("name"), Value::from("lisle")),
            (intern!("version"), version_info("final")),
            (intern!("hexversion"), Value::int(HEXVERSION)),
            (intern!("cache_tag"), Value::from("lisle-314")),
            (intern!("_multiarch"), Value::from(multiarch().as_str())),
            (intern!("supports_isolated_interpreters"), Value::FALSE),
        ],
    )?;
    set("implementation", implementation);
    let paths = &config.paths;
    for (name, value) in [
        ("prefix", &paths.prefix),
        ("exec_prefix", &paths.prefix),
        ("base_prefix", &paths.base_prefix),
        ("base_exec_prefix", &paths.base_prefix),
        ("executable", &paths.executable),
        ("_base_executable", &paths.base_executable),
    ] {
        set(name, from_os(value.as_os_str()));
    }
    set(
        "_home",
        paths
            .home
            .as_ref()
            .map_or(Value::NONE, |home| from_os(home.as_os_str())),
    );
    set("_stdlib_dir", Value::from(crate::packed::ROOT));
    let argv = |list: &[std::ffi::OsString]| List::new(list.iter().map(|a| from_os(a)).collect()).into_value();
    set("argv", argv(&config.argv));
    set("orig_argv", argv(&config.orig_argv));
    set("warnoptions", texts(&config.warn_options));
    let options = Dict::new_empty();
    for (name, value) in &config.x_options {
        let value = value.as_ref().map_or(Value::TRUE, |v| Value::from(v.as_str()));
        options.set_str(&Str::intern(name), value);
    }
    set("_xoptions", options.into_value());
    set("dont_write_bytecode", Value::from_bool(config.dont_write_bytecode));
    set(
        "pycache_prefix",
        config
            .pycache_prefix
            .as_ref()
            .map_or(Value::NONE, |p| from_os(p.as_os_str())),
    );
    let path: Vec<Value> = paths.search.iter().map(|p| from_os(p.as_os_str())).collect();
    set("path", List::new(path).into_value());
    set("UnraisableHookArgs", UNRAISABLE_ARGS.ty().to_value());
    set("monitoring", super::monitoring::module(vm)?);
    set("_jit", super::jit::module());
    Ok(())
}
