//! The configuration: what options, environment variables and the place of the executable decide before Python runs.
//!
//! Invariant: made once, by [`set`], before the first object; never changes.

use std::env;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// What to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Program {
    /// `-c command`
    Command(OsString),
    /// `-m module`
    Module(OsString),
    /// A file, a directory or a zip archive with `__main__`.
    File(OsString),
    /// Standard input: a program, or an interactive session if it is a terminal.
    Stdin,
}

/// Where things lie.
#[derive(Clone, Debug, Default)]
pub struct Paths {
    pub executable: PathBuf,
    pub base_executable: PathBuf,
    /// The virtual environment, or as `base_prefix`.
    pub prefix: PathBuf,
    pub base_prefix: PathBuf,
    /// `home` of `pyvenv.cfg`.
    pub home: Option<PathBuf>,
    /// `sys.path` as it is before `site` and the program's own folder.
    pub search: Vec<PathBuf>,
}

/// All that is configured; names as in `sys.flags` where they are there.
#[derive(Clone, Debug)]
pub struct Config {
    pub program: Program,
    pub argv: Vec<OsString>,
    pub orig_argv: Vec<OsString>,
    pub paths: Paths,
    pub x_options: Vec<(String, Option<String>)>,
    pub warn_options: Vec<String>,
    pub debug: i64,
    pub inspect: bool,
    pub interactive: bool,
    pub optimize: u8,
    /// Code objects keep lines alone, no columns.
    pub no_debug_ranges: bool,
    pub dont_write_bytecode: bool,
    pub no_user_site: bool,
    pub no_site: bool,
    pub ignore_environment: bool,
    pub verbose: i64,
    pub bytes_warning: i64,
    pub quiet: bool,
    pub unbuffered: bool,
    pub isolated: bool,
    pub dev_mode: bool,
    pub safe_path: bool,
    pub warn_default_encoding: bool,
    pub utf8_mode: bool,
    /// How the standard streams treat what is no text of their encoding, if nothing else is said.
    pub stream_errors: &'static str,
    pub skip_first_line: bool,
    pub check_pycs: OsString,
    pub int_max_str_digits: i64,
    pub cpu_count: i64,
    /// `-R`: whatever `PYTHONHASHSEED` says.
    pub random_hash: bool,
    /// `PYTHONHASHSEED`; `None` for a random one.
    pub hash_seed: Option<u32>,
    pub pycache_prefix: Option<PathBuf>,
    /// `PYTHONIOENCODING`.
    pub io_encoding: Option<String>,
    /// Run without the GIL.
    pub free: bool,
    /// Let a switch happen between any two instructions.
    pub switch_any: bool,
    pub thread_inherit_context: bool,
    pub context_aware_warnings: bool,
    pub import_time: u8,
    pub faulthandler: bool,
    /// `-X tracemalloc`: how many frames of an allocation are kept.
    pub tracemalloc: Option<usize>,
}

static CONFIG: OnceLock<Config> = OnceLock::new();

/// The configuration.
pub fn config() -> &'static Config {
    static EMPTY: OnceLock<Config> = OnceLock::new();
    CONFIG.get().unwrap_or_else(|| EMPTY.get_or_init(Config::default))
}

/// Makes `config` the configuration; the first call counts.
pub fn set(config: Config) {
    let _ = CONFIG.set(config);
}

impl Default for Config {
    fn default() -> Config {
        Config {
            program: Program::Stdin,
            argv: vec![OsString::new()],
            orig_argv: Vec::new(),
            paths: Paths::default(),
            x_options: Vec::new(),
            warn_options: Vec::new(),
            debug: 0,
            inspect: false,
            interactive: false,
            optimize: 0,
            no_debug_ranges: false,
            dont_write_bytecode: false,
            no_user_site: false,
            no_site: false,
            ignore_environment: false,
            verbose: 0,
            bytes_warning: 0,
            quiet: false,
            unbuffered: false,
            isolated: false,
            dev_mode: false,
            safe_path: false,
            warn_default_encoding: false,
            utf8_mode: false,
            stream_errors: "strict",
            skip_first_line: false,
            check_pycs: "default".into(),
            int_max_str_digits: 4300,
            cpu_count: -1,
            random_hash: false,
            hash_seed: None,
            pycache_prefix: None,
            io_encoding: None,
            free: false,
            switch_any: false,
            thread_inherit_context: false,
            context_aware_warnings: false,
            import_time: 0,
            faulthandler: false,
            tracemalloc: None,
        }
    }
}

impl Config {
    /// An environment variable that is not empty, unless the environment is ignored.
    pub fn env(&self, name: &str) -> Option<OsString> {
        if self.ignore_environment {
            return None;
        }
        env::var_os(name).filter(|value| !value.is_empty())
    }

    pub(super) fn x_option(&self, name: &str) -> Option<Option<&str>> {
        let found = self.x_options.iter().rev().find(|(n, _)| n == name);
        found.map(|(_, value)| value.as_deref())
    }

    /// Takes in what the environment and the `-X` options say. An error is a message about one of them.
    pub fn complete(&mut self) -> Result<(), String> {
        if self.isolated {
            (self.ignore_environment, self.no_user_site, self.safe_path) = (true, true, true);
        }
        let argv0 = self.orig_argv.first().cloned().unwrap_or_default();
        let listed = read_pth(&find_executable(&argv0));
        if let Some(listed) = &listed {
            (self.isolated, self.ignore_environment, self.safe_path) = (true, true, true);
            self.no_site |= !listed.site;
        }
        super::locale::settle(self)?;
        self.read_environment()?;
        self.read_x_options()?;
        if self.dev_mode {
            self.warn_options.insert(0, "default".into());
            self.faulthandler = true;
            lisle_runtime::types::encoding::check_names();
        }
        if self.bytes_warning > 0 {
            let action = if self.bytes_warning > 1 { "error" } else { "default" };
            self.warn_options.push(format!("{action}::BytesWarning"));
        }
        if self.free {
            // As in a free-threaded CPython: warnings and contexts are a thread's own.
            let unless = |name: &str| {
                self.x_option(name).is_none() && env::var_os(format!("PYTHON_{}", name.to_uppercase())).is_none()
            };
            let (inherit, aware) = (unless("thread_inherit_context"), unless("context_aware_warnings"));
            self.thread_inherit_context |= inherit;
            self.context_aware_warnings |= aware;
        }
        self.paths = find_paths(self);
        if let Some(listed) = listed {
            self.paths.search = listed.search;
        }
        Ok(())
    }

    fn read_environment(&mut self) -> Result<(), String> {
        let flag = |config: &Config, name: &str| config.env(name).is_some();
        let level = |config: &Config, name: &str, now: i64| match config.env(name) {
            None => now,
            Some(v) => v
                .to_str()
                .and_then(|v| v.parse().ok())
                .filter(|n| *n >= 0)
                .unwrap_or(1)
                .max(now),
        };
        self.inspect |= flag(self, "PYTHONINSPECT");
        self.unbuffered |= flag(self, "PYTHONUNBUFFERED");
        self.dont_write_bytecode |= flag(self, "PYTHONDONTWRITEBYTECODE");
        self.no_user_site |= flag(self, "PYTHONNOUSERSITE");
        self.safe_path |= flag(self, "PYTHONSAFEPATH");
        self.faulthandler |= flag(self, "PYTHONFAULTHANDLER");
        self.dev_mode |= flag(self, "PYTHONDEVMODE");
        self.no_debug_ranges |= flag(self, "PYTHONNODEBUGRANGES");
        if flag(self, "PYTHONPROFILEIMPORTTIME") {
            let twice = std::env::var_os("PYTHONPROFILEIMPORTTIME").is_some_and(|value| value == "2");
            self.import_time = 1 + u8::from(twice);
        }
        self.warn_default_encoding |= flag(self, "PYTHONWARNDEFAULTENCODING");
        self.verbose = level(self, "PYTHONVERBOSE", self.verbose);
        self.debug = level(self, "PYTHONDEBUG", self.debug).min(1);
        self.optimize = level(self, "PYTHONOPTIMIZE", self.optimize.into()).min(255) as u8;
        self.pycache_prefix = self.env("PYTHONPYCACHEPREFIX").map(PathBuf::from);
        self.io_encoding = self.env("PYTHONIOENCODING").and_then(|v| v.into_string().ok());
        if let Some(list) = self.env("PYTHONWARNINGS") {
            let list = list.to_string_lossy().into_owned();
            self.warn_options.splice(0..0, list.split(',').map(str::to_owned));
        }
        if let Some(seed) = self
            .env("PYTHONHASHSEED")
            .filter(|v| v != "random" && !self.random_hash)
        {
            let seed = seed.to_str().and_then(|v| v.parse::<u32>().ok());
            let Some(seed) = seed else {
                return Err("PYTHONHASHSEED must be \"random\" or an integer in range [0; 4294967295]".into());
            };
            self.hash_seed = Some(seed);
        }
        if let Some(digits) = self.env("PYTHONINTMAXSTRDIGITS") {
            self.int_max_str_digits = max_digits(digits.to_str())
                .ok_or("PYTHONINTMAXSTRDIGITS: invalid limit; must be >= 640 or 0 for unlimited.")?;
        }
        if let Some(count) = self.env("PYTHON_CPU_COUNT") {
            self.cpu_count = cpu_count(count.to_str()).ok_or(
                "PYTHON_CPU_COUNT: invalid CPU count: n is missing or an invalid number, n must be greater than 0",
            )?;
        }
        if let Some(frames) = self.env("PYTHONTRACEMALLOC") {
            self.tracemalloc = frame_count(frames.to_str()).ok_or("PYTHONTRACEMALLOC: invalid number of frames")?;
        }
        if let Some(gil) = self.env("PYTHON_GIL") {
            self.free = match gil.to_str() {
                Some("0") => true,
                Some("1") => false,
                _ => return Err("PYTHON_GIL must be \"0\" or \"1\"".into()),
            };
        }
        for (name, place) in [
            ("PYTHON_THREAD_INHERIT_CONTEXT", 0),
            ("PYTHON_CONTEXT_AWARE_WARNINGS", 1),
        ] {
            let Some(value) = self.env(name) else { continue };
            let on = match value.to_str() {
                Some("0") => false,
                Some("1") => true,
                _ => return Err(format!("{name}: invalid value; must be 0 or 1")),
            };
            *(if place == 0 {
                &mut self.thread_inherit_context
            } else {
                &mut self.context_aware_warnings
            }) = on;
        }
        Ok(())
    }

    fn read_x_options(&mut self) -> Result<(), String> {
        let zero_or_one = |config: &Config, name: &str| match config.x_option(name) {
            None => Ok(None),
            Some(Some("0")) => Ok(Some(false)),
            Some(Some("1")) => Ok(Some(true)),
            Some(_) => Err(format!("-X {name}: invalid value; must be 0 or 1")),
        };
        match self.x_option("gil") {
            None => {}
            Some(Some("0")) => self.free = true,
            Some(Some("1")) => self.free = false,
            Some(_) => return Err("config_read_gil: -X gil must be \"0\" or \"1\"".into()),
        }
        match self.x_option("switch") {
            None | Some(Some("calls")) => {}
            Some(Some("any")) => self.switch_any = true,
            Some(_) => return Err("-X switch must be \"calls\" or \"any\"".into()),
        }
        if let Some(on) = zero_or_one(self, "thread_inherit_context")? {
            self.thread_inherit_context = on;
        }
        if let Some(on) = zero_or_one(self, "context_aware_warnings")? {
            self.context_aware_warnings = on;
        }
        if let Some(digits) = self.x_option("int_max_str_digits") {
            self.int_max_str_digits =
                max_digits(digits).ok_or("-X int_max_str_digits: invalid limit; must be >= 640 or 0 for unlimited.")?;
        }
        if let Some(count) = self.x_option("cpu_count") {
            self.cpu_count = cpu_count(count)
                .ok_or("-X cpu_count=n option: n is missing or an invalid number, n must be greater than 0")?;
        }
        if let Some(prefix) = self.x_option("pycache_prefix") {
            self.pycache_prefix = prefix.filter(|prefix| !prefix.is_empty()).map(PathBuf::from);
        }
        if let Some(value) = self.x_option("frozen_modules")
            && !matches!(value, None | Some("" | "on" | "off"))
        {
            return Err("bad value for option -X frozen_modules (expected \"on\" or \"off\")".into());
        }
        if let Some(frames) = self.x_option("tracemalloc") {
            self.tracemalloc =
                frame_count(frames.or(Some("1"))).ok_or("-X tracemalloc=NFRAME: invalid number of frames")?;
        }
        self.dev_mode |= self.x_option("dev").is_some();
        self.faulthandler |= self.x_option("faulthandler").is_some();
        self.no_debug_ranges |= self.x_option("no_debug_ranges").is_some();
        if let Some(wanted) = self.x_option("importtime") {
            self.import_time = match wanted {
                None | Some("1") => 1,
                Some("2") => 2,
                Some(_) => return Err("-X importtime: values other than 1 and 2 are reserved for future use.".into()),
            };
        }
        self.warn_default_encoding |= self.x_option("warn_default_encoding").is_some();
        Ok(())
    }
}

fn max_digits(text: Option<&str>) -> Option<i64> {
    text?
        .parse::<u32>()
        .ok()
        .filter(|n| *n == 0 || *n >= 640)
        .map(i64::from)
}

/// A number of frames; none for 0.
#[expect(
    clippy::option_option,
    reason = "the outer one is whether it is a number that may be given"
)]
fn frame_count(text: Option<&str>) -> Option<Option<usize>> {
    let most = crate::tracemalloc::MOST_FRAMES as usize;
    let frames = text?.parse::<usize>().ok().filter(|n| *n <= most)?;
    Some((frames > 0).then_some(frames))
}

fn cpu_count(text: Option<&str>) -> Option<i64> {
    match text? {
        "default" => Some(-1),
        n => n.parse::<i32>().ok().filter(|n| *n > 0).map(i64::from),
    }
}

/// The file that the program was started as.
fn find_executable(argv0: &OsStr) -> PathBuf {
    let named = Path::new(argv0);
    if argv0.as_bytes().contains(&b'/') {
        return std::path::absolute(named).unwrap_or_else(|_| named.to_owned());
    }
    for folder in env::split_paths(&env::var_os("PATH").unwrap_or_default()) {
        let candidate = folder.join(named);
        if candidate.is_file() {
            return std::path::absolute(&candidate).unwrap_or(candidate);
        }
    }
    env::current_exe().unwrap_or_default()
}

/// What a `._pth` file says.
struct Listed {
    search: Vec<PathBuf>,
    /// Whether `site` is to be imported.
    site: bool,
}

/// Reads `<executable>._pth`, which is all of `sys.path`, a folder a line, and takes the program out of its surroundings.
fn read_pth(executable: &Path) -> Option<Listed> {
    let mut name = executable.as_os_str().to_owned();
    name.push("._pth");
    let text = std::fs::read_to_string(&name).ok()?;
    let folder = executable.parent()?;
    let mut listed = Listed {
        search: Vec::new(),
        site: false,
    };
    for line in text.lines() {
        match line.split('#').next().unwrap_or_default().trim() {
            "" => {}
            "import site" => listed.site = true,
            other if other.starts_with("import ") => {
                super::hooks::write_fd(2, "unsupported 'import' line in ._pth file\n");
            }
            path => listed.search.push(without_dots(&folder.join(path))),
        }
    }
    Some(listed)
}

/// The value of `key` in a `pyvenv.cfg`.
fn venv_setting(text: &str, key: &str) -> Option<String> {
    text.lines().find_map(|line| {
        let (name, value) = line.split_once('=')?;
        (name.trim().eq_ignore_ascii_case(key)).then(|| value.trim().to_owned())
    })
}

/// The path without `.` and `..`, whatever links lie on the way.
fn without_dots(path: &Path) -> PathBuf {
    use std::path::Component;
    let mut clean = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => drop(clean.pop()),
            other => clean.push(other),
        }
    }
    clean
}

fn find_paths(config: &Config) -> Paths {
    let argv0 = config.orig_argv.first().cloned().unwrap_or_default();
    let executable = find_executable(&argv0);
    let real = executable.canonicalize().unwrap_or_else(|_| executable.clone());
    // `bin/lisle` lies in its prefix; an executable elsewhere is its own.
    let above = |file: &Path| {
        let folder = file.parent().unwrap_or(Path::new("/"));
        match folder.file_name() {
            Some(name) if name == "bin" => folder.parent().unwrap_or(folder).to_owned(),
            _ => folder.to_owned(),
        }
    };
    let mut paths = Paths {
        base_prefix: above(&real),
        base_executable: executable.clone(),
        ..Paths::default()
    };
    paths.prefix = paths.base_prefix.clone();
    let folder = executable.parent().map(Path::to_owned).unwrap_or_default();
    for place in [folder.clone(), folder.parent().map(Path::to_owned).unwrap_or_default()] {
        let Ok(text) = std::fs::read_to_string(place.join("pyvenv.cfg")) else {
            continue;
        };
        paths.prefix = without_dots(&place);
        if let Some(home) = venv_setting(&text, "home") {
            let name = executable.file_name().unwrap_or_default();
            let base = venv_setting(&text, "executable").map_or_else(|| Path::new(&home).join(name), PathBuf::from);
            if base.is_file() {
                paths.base_prefix = above(&base.canonicalize().unwrap_or_else(|_| base.clone()));
                paths.base_executable = base;
            }
            paths.home = Some(home.into());
        }
        break;
    }
    paths.executable = executable;
    if let Some(list) = config.env("PYTHONPATH") {
        paths.search = env::split_paths(&list).collect();
    }
    paths.search.push(crate::packed::ROOT.into());
    paths
}
