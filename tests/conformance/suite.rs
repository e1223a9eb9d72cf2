//! CPython's tests: where they are, and which of them belong together.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The language and the builtin types.
const LANGUAGE: &[&str] = &[
    "test_asyncgen",
    "test_augassign",
    "test_baseexception",
    "test_binop",
    "test_bool",
    "test_buffer",
    "test_builtin",
    "test_bytes",
    "test_call",
    "test_class",
    "test_code",
    "test_compare",
    "test_compile",
    "test_complex",
    "test_contains",
    "test_coroutines",
    "test_decorators",
    "test_descr",
    "test_descrtut",
    "test_dict",
    "test_dictcomps",
    "test_dictviews",
    "test_dynamic",
    "test_dynamicclassattribute",
    "test_enumerate",
    "test_eof",
    "test_except_star",
    "test_exception_group",
    "test_exception_hierarchy",
    "test_exception_variations",
    "test_exceptions",
    "test_extcall",
    "test_flufl",
    "test_float",
    "test_format",
    "test_frame",
    "test_fstring",
    "test_funcattrs",
    "test_future_stmt",
    "test_generator_stop",
    "test_generators",
    "test_genericalias",
    "test_genericclass",
    "test_genexps",
    "test_global",
    "test_grammar",
    "test_hash",
    "test_index",
    "test_int",
    "test_int_literal",
    "test_isinstance",
    "test_iter",
    "test_iterlen",
    "test_keywordonlyarg",
    "test_list",
    "test_listcomps",
    "test_long",
    "test_longexp",
    "test_memoryview",
    "test_metaclass",
    "test_module",
    "test_named_expressions",
    "test_numeric_tower",
    "test_opcodes",
    "test_ordered_dict",
    "test_patma",
    "test_pep646_syntax",
    "test_positional_only_arg",
    "test_pow",
    "test_print",
    "test_property",
    "test_raise",
    "test_range",
    "test_richcmp",
    "test_scope",
    "test_set",
    "test_setcomps",
    "test_slice",
    "test_sort",
    "test_source_encoding",
    "test_str",
    "test_string_literals",
    "test_strtod",
    "test_structseq",
    "test_subclassinit",
    "test_super",
    "test_syntax",
    "test_tuple",
    "test_type_aliases",
    "test_type_annotations",
    "test_type_params",
    "test_typechecks",
    "test_types",
    "test_unary",
    "test_unicode_identifiers",
    "test_univnewlines",
    "test_unpack",
    "test_unpack_ex",
    "test_utf8source",
    "test_with",
    "test_yield_from",
];

/// Threads, and what they share.
const THREADS: &[&str] = &[
    "test_asyncio",
    "test_concurrent_futures",
    "test_context",
    "test_contextlib",
    "test_contextlib_async",
    "test_fork1",
    "test_free_threading",
    "test_gc",
    "test_queue",
    "test_sched",
    "test_signal",
    "test_thread",
    "test_threadedtempfile",
    "test_threading",
    "test_threading_local",
    "test_threadsignals",
    "test_weakref",
    "test_weakset",
];

/// The library.
const LIBRARY: &[&str] = &[
    "test__colorize",
    "test_abc",
    "test_abstract_numbers",
    "test_argparse",
    "test_array",
    "test_ast",
    "test_atexit",
    "test_audit",
    "test_base64",
    "test_bdb",
    "test_binascii",
    "test_bisect",
    "test_bufio",
    "test_bz2",
    "test_calendar",
    "test_charmapcodec",
    "test_c_locale_coercion",
    "test_cmath",
    "test_cmd",
    "test_cmd_line",
    "test_cmd_line_script",
    "test_code_module",
    "test_codeccallbacks",
    "test_codecencodings_cn",
    "test_codecencodings_hk",
    "test_codecencodings_iso2022",
    "test_codecencodings_jp",
    "test_codecencodings_kr",
    "test_codecencodings_tw",
    "test_codecs",
    "test_codeop",
    "test_collections",
    "test_colorsys",
    "test_compileall",
    "test_configparser",
    "test_copy",
    "test_copyreg",
    "test_cprofile",
    "test_csv",
    "test_ctypes",
    "test_dataclasses",
    "test_datetime",
    "test_dbm",
    "test_dbm_dumb",
    "test_dbm_sqlite3",
    "test_decimal",
    "test_defaultdict",
    "test_deque",
    "test_difflib",
    "test_dis",
    "test_doctest",
    "test_docxmlrpc",
    "test_eintr",
    "test_email",
    "test_ensurepip",
    "test_enum",
    "test_epoll",
    "test_errno",
    "test_faulthandler",
    "test_fcntl",
    "test_file",
    "test_file_eintr",
    "test_finalization",
    "test_filecmp",
    "test_fileinput",
    "test_fileio",
    "test_fnmatch",
    "test_fractions",
    "test_frozen",
    "test_ftplib",
    "test_functools",
    "test_genericpath",
    "test_getopt",
    "test_getpass",
    "test_gettext",
    "test_glob",
    "test_graphlib",
    "test_grp",
    "test_gzip",
    "test_hashlib",
    "test_heapq",
    "test_hmac",
    "test_html",
    "test_htmlparser",
    "test_http_cookiejar",
    "test_http_cookies",
    "test_httplib",
    "test_httpservers",
    "test_imaplib",
    "test_import",
    "test_importlib",
    "test_inspect",
    "test_io",
    "test_ipaddress",
    "test_itertools",
    "test_json",
    "test_keyword",
    "test_largefile",
    "test_linecache",
    "test_locale",
    "test_logging",
    "test_lzma",
    "test_mailbox",
    "test_marshal",
    "test_math",
    "test_memoryio",
    "test_mimetypes",
    "test_minidom",
    "test_mmap",
    "test_modulefinder",
    "test_monitoring",
    "test_multibytecodec",
    "test_multiprocessing_fork",
    "test_multiprocessing_forkserver",
    "test_multiprocessing_main_handling",
    "test_multiprocessing_spawn",
    "test_netrc",
    "test_ntpath",
    "test_openpty",
    "test_operator",
    "test_optparse",
    "test_os",
    "test_pathlib",
    "test_pdb",
    "test_peepholer",
    "test_pickle",
    "test_picklebuffer",
    "test_pickletools",
    "test_pkg",
    "test_pkgutil",
    "test_platform",
    "test_plistlib",
    "test_poll",
    "test_popen",
    "test_poplib",
    "test_posix",
    "test_posixpath",
    "test_pprint",
    "test_profile",
    "test_pstats",
    "test_pty",
    "test_pulldom",
    "test_pwd",
    "test_py_compile",
    "test_pyclbr",
    "test_pydoc",
    "test_pyexpat",
    "test_quopri",
    "test_random",
    "test_re",
    "test_repl",
    "test_reprlib",
    "test_resource",
    "test_rlcompleter",
    "test_robotparser",
    "test_runpy",
    "test_sax",
    "test_script_helper",
    "test_secrets",
    "test_select",
    "test_selectors",
    "test_shelve",
    "test_shlex",
    "test_shutil",
    "test_site",
    "test_smtplib",
    "test_socket",
    "test_socketserver",
    "test_sqlite3",
    "test_ssl",
    "test_stat",
    "test_statistics",
    "test_strftime",
    "test_string",
    "test_stringprep",
    "test_strptime",
    "test_struct",
    "test_subprocess",
    "test_sundry",
    "test_support",
    "test_symtable",
    "test_sys",
    "test_sys_setprofile",
    "test_sys_settrace",
    "test_sysconfig",
    "test_syslog",
    "test_tabnanny",
    "test_tarfile",
    "test_tempfile",
    "test_termios",
    "test_textwrap",
    "test_time",
    "test_timeit",
    "test_timeout",
    "test_tokenize",
    "test_tomllib",
    "test_trace",
    "test_traceback",
    "test_tracemalloc",
    "test_tty",
    "test_type_comments",
    "test_typing",
    "test_ucn",
    "test_unicode_file",
    "test_unicode_file_functions",
    "test_unicodedata",
    "test_unittest",
    "test_unparse",
    "test_urllib",
    "test_urllib2",
    "test_urllib2_localnet",
    "test_urllib_response",
    "test_urlparse",
    "test_userdict",
    "test_userlist",
    "test_userstring",
    "test_utf8_mode",
    "test_uuid",
    "test_venv",
    "test_wait3",
    "test_wait4",
    "test_warnings",
    "test_wave",
    "test_webbrowser",
    "test_wsgiref",
    "test_xml_dom_minicompat",
    "test_xml_etree",
    "test_xml_etree_c",
    "test_xmlrpc",
    "test_zipapp",
    "test_zipfile",
    "test_zipimport",
    "test_zipimport_support",
    "test_zlib",
    "test_zoneinfo",
];

/// Names of groups with their tests.
pub const GROUPS: &[(&str, &[&str])] = &[("language", LANGUAGE), ("threads", THREADS), ("library", LIBRARY)];

/// The tests that the words of the command line ask for; all groups without words. A word is a group, or a test with or without `test_`.
pub fn chosen(words: &[String], suite: &Suite) -> Result<Vec<String>, String> {
    let mut names = Vec::new();
    if words.is_empty() {
        names.extend(
            GROUPS
                .iter()
                .flat_map(|(_, tests)| tests.iter().map(ToString::to_string)),
        );
    }
    for word in words {
        if let Some((_, tests)) = GROUPS.iter().find(|(name, _)| name == word) {
            names.extend(tests.iter().map(ToString::to_string));
        } else {
            let word = word.trim_start_matches("test.");
            let found = [word.to_owned(), format!("test_{word}")]
                .into_iter()
                .find(|name| suite.has(name));
            names.push(found.ok_or_else(|| format!("no group and no test: {word}"))?);
        }
    }
    names.retain(|name| suite.has(name));
    let mut seen = std::collections::HashSet::new();
    names.retain(|name| seen.insert(name.clone()));
    Ok(names)
}

/// An installation's `test` package.
pub struct Suite {
    /// The folder `test`.
    pub folder: PathBuf,
    /// As `3.13.0`, or less of it.
    pub version: String,
}

impl Suite {
    /// The package that LISLE_CPYTHON_TEST names, or that of a CPython that can be found.
    pub fn find() -> Option<Suite> {
        if let Some(path) = std::env::var_os("LISLE_CPYTHON_TEST") {
            return Suite::at(PathBuf::from(path));
        }
        let mut folders: Vec<PathBuf> = Vec::new();
        for python in ["python3.13", "python3.14", "python3"] {
            let asked = Command::new(python)
                .args(["-c", "import test.support, test; print(test.__path__[0])"])
                .output();
            if let Ok(output) = asked
                && output.status.success()
            {
                folders.push(PathBuf::from(String::from_utf8_lossy(&output.stdout).trim()));
            }
        }
        let versions = std::env::home_dir().map(|home| home.join(".pyenv/versions"));
        for entry in versions.iter().flat_map(std::fs::read_dir).flatten().flatten() {
            for name in ["python3.13", "python3.14"] {
                folders.push(entry.path().join("lib").join(name).join("test"));
            }
        }
        // Older suites test another language.
        folders.into_iter().filter_map(Suite::at).find(|suite| {
            let minor = suite
                .version
                .split('.')
                .nth(1)
                .and_then(|minor| minor.parse::<u32>().ok());
            minor.is_some_and(|minor| minor >= 13)
        })
    }

    fn at(folder: PathBuf) -> Option<Suite> {
        if !folder.join("support/__init__.py").is_file() {
            return None;
        }
        let version = exact_version(&folder).or_else(|| {
            let parent = folder.parent()?.file_name()?.to_string_lossy().into_owned();
            Some(parent.trim_start_matches("python").to_owned())
        })?;
        Some(Suite { folder, version })
    }

    pub fn has(&self, name: &str) -> bool {
        self.folder.join(format!("{name}.py")).is_file() || self.folder.join(name).join("__init__.py").is_file()
    }
}

/// The version in the headers that lie beside the library.
fn exact_version(folder: &Path) -> Option<String> {
    let library = folder.parent()?;
    let prefix = library.parent()?.parent()?;
    let header = prefix.join("include").join(library.file_name()?).join("patchlevel.h");
    let text = std::fs::read_to_string(header).ok()?;
    let line = text.lines().find(|line| line.starts_with("#define PY_VERSION "))?;
    Some(line.split('"').nth(1)?.to_owned())
}
