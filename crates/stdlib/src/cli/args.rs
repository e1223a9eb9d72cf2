//! The arguments of the command line, as `python` has them.
//!
//! Invariant: nothing is acted upon here; what is wrong becomes an exit code and a message.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use super::config::{Config, Program};

/// What the arguments ask for.
pub enum Request {
    Run(Box<Config>),
    /// Text for standard output; exit 0.
    Print(String),
    /// Text for standard error; exit 2.
    Wrong(String),
}

/// The options with an argument.
const WITH_ARGUMENT: &[u8] = b"cmWX";

struct Reader {
    args: Vec<OsString>,
    at: usize,
    /// Rest of a group of short options: `-Ec`.
    group: Vec<u8>,
}

impl Reader {
    fn next_short(&mut self) -> Option<u8> {
        if self.group.is_empty() {
            return None;
        }
        Some(self.group.remove(0))
    }

    /// The argument of a short option: the rest of its group, or the next argument.
    fn argument(&mut self) -> Option<OsString> {
        if !self.group.is_empty() {
            return Some(OsString::from_vec(std::mem::take(&mut self.group)));
        }
        let next = self.args.get(self.at).cloned();
        self.at += usize::from(next.is_some());
        next
    }
}

/// Reads the arguments; the first is the program's own name.
pub fn parse(args: Vec<OsString>) -> Request {
    let mut config = Config {
        orig_argv: args.clone(),
        ..Config::default()
    };
    let name = args
        .first()
        .map_or_else(|| "lisle".into(), |a| a.to_string_lossy().into_owned());
    let usage = |message: String| Request::Wrong(format!("{message}\n{}", super::help::short_usage(&name)));
    let mut reader = Reader {
        args,
        at: 1,
        group: Vec::new(),
    };
    let mut version = 0;
    loop {
        let option = match reader.next_short() {
            Some(option) => option,
            None => {
                let Some(arg) = reader.args.get(reader.at).cloned() else {
                    break;
                };
                let bytes = arg.as_bytes();
                if bytes == b"-" || !bytes.starts_with(b"-") {
                    break;
                }
                reader.at += 1;
                if bytes == b"--" {
                    break;
                }
                if let Some(long) = bytes.strip_prefix(b"--") {
                    match long {
                        b"help" => return Request::Print(super::help::full(&name)),
                        b"help-env" => return Request::Print(super::help::environment()),
                        b"help-xoptions" => return Request::Print(super::help::x_options()),
                        b"help-all" => return Request::Print(super::help::all(&name)),
                        b"version" => version += 1,
                        b"check-hash-based-pycs" => {
                            let Some(value) = reader.argument() else {
                                return usage("Argument expected for the --check-hash-based-pycs option".into());
                            };
                            if !["always", "never", "default"].iter().any(|v| value == *v) {
                                return usage(
                                    "--check-hash-based-pycs must be one of 'default', 'always', or 'never'".into(),
                                );
                            }
                            config.check_pycs = value;
                        }
                        other => {
                            let other = OsStr::from_bytes(other).to_string_lossy().into_owned();
                            return usage(format!("unknown option --{other}"));
                        }
                    }
                    continue;
                }
                reader.group = bytes[1..].to_vec();
                continue;
            }
        };
        let argument = if WITH_ARGUMENT.contains(&option) {
            match reader.argument() {
                Some(argument) => argument,
                None => return usage(format!("Argument expected for the -{} option", option as char)),
            }
        } else {
            OsString::new()
        };
        match option {
            b'c' => {
                config.program = Program::Command(argument);
                return finish(config, reader, version);
            }
            b'm' => {
                config.program = Program::Module(argument);
                return finish(config, reader, version);
            }
            b'W' => config.warn_options.push(argument.to_string_lossy().into_owned()),
            b'X' => {
                let text = argument.to_string_lossy().into_owned();
                config.x_options.push(match text.split_once('=') {
                    Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
                    None => (text, None),
                });
            }
            b'b' => config.bytes_warning += 1,
            b'B' => config.dont_write_bytecode = true,
            b'd' => config.debug += 1,
            b'E' => config.ignore_environment = true,
            b'h' | b'?' => return Request::Print(super::help::full(&name)),
            b'i' => (config.inspect, config.interactive) = (true, true),
            b'I' => config.isolated = true,
            b'O' => config.optimize = config.optimize.saturating_add(1),
            b'P' => config.safe_path = true,
            b'q' => config.quiet = true,
            b'R' => config.random_hash = true,
            // Warned of tabs in Python 2.
            b't' => {}
            b's' => config.no_user_site = true,
            b'S' => config.no_site = true,
            b'u' => config.unbuffered = true,
            b'v' => config.verbose += 1,
            b'V' => version += 1,
            b'x' => config.skip_first_line = true,
            b'J' => return usage("-J is reserved for Jython".into()),
            other => return usage(format!("Unknown option: -{}", other as char)),
        }
    }
    finish(config, reader, version)
}

fn finish(mut config: Config, mut reader: Reader, version: u32) -> Request {
    if version > 0 {
        return Request::Print(super::help::version(version > 1));
    }
    let mut rest: Vec<OsString> = reader.args.split_off(reader.at.min(reader.args.len()));
    match &config.program {
        Program::Command(_) => rest.insert(0, "-c".into()),
        Program::Module(_) => rest.insert(0, "-m".into()),
        Program::Stdin if rest.is_empty() => rest.push(OsString::new()),
        Program::Stdin if rest[0] != "-" => config.program = Program::File(rest[0].clone()),
        _ => {}
    }
    config.argv = rest;
    Request::Run(Box::new(config))
}
