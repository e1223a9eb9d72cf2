//! What the environment says of characters: the locale, whether a better one takes its place (PEP 538), UTF-8 mode (PEP 540).
//!
//! Invariant: settled before the first object and the first thread, since the environment is changed here.
//! Left out: file names in encodings other than UTF-8 and ASCII. In a locale of another encoding they are taken for UTF-8.

use std::env;
use std::ffi::{CStr, CString};

use super::config::Config;
use crate::sys::hooks::write_fd;

/// What a C locale is replaced by: the first one that the system has.
const TARGETS: [&CStr; 3] = [c"C.UTF-8", c"C.utf8", c"UTF-8"];

/// Decides on UTF-8 mode and on what takes the place of the C locale. An error is a message about an option.
pub fn settle(config: &mut Config) -> Result<(), String> {
    let mut name = locale();
    let plain = name == c"C" || name == c"POSIX";
    config.utf8_mode = match config.x_option("utf8") {
        Some(None | Some("1")) => true,
        Some(Some("0")) => false,
        Some(Some(_)) => return Err("preconfig_init_utf8_mode: invalid -X utf8 option value".into()),
        None => match config.env("PYTHONUTF8") {
            Some(value) if value == "1" => true,
            Some(value) if value == "0" => false,
            Some(_) => {
                return Err("preconfig_init_utf8_mode: invalid PYTHONUTF8 environment variable value".into());
            }
            None => plain,
        },
    };
    if plain {
        let said = config.env("PYTHONCOERCECLOCALE").unwrap_or_default();
        let (coerced, warns) = (said != "0", said == "warn");
        let replaced = coerced && !is_set("LC_ALL");
        let target = TARGETS.into_iter().find(|target| replaced && exists(target));
        match target {
            Some(target) => {
                name = target.to_owned();
                let text = target.to_str().unwrap_or_default();
                // SAFETY: no other thread has begun.
                unsafe { env::set_var("LC_CTYPE", text) };
                if warns {
                    let text = format!(
                        "Python detected LC_CTYPE=C: LC_CTYPE coerced to {text} (set another locale or PYTHONCOERCECLOCALE=0 to \
                         disable this locale coercion behavior).\n"
                    );
                    write_fd(2, &text);
                }
            }
            None if warns => write_fd(
                2,
                "Python runtime initialized with LC_CTYPE=C (a locale with default ASCII encoding), which may cause Unicode \
                 compatibility problems. Using C.UTF-8, C.utf8, or UTF-8 (if available) as alternative Unicode-compatible locales is \
                 recommended.\n",
            ),
            None => {}
        }
    }
    // In these locales nobody has said that there is an encoding.
    let unsaid = name == c"C" || name == c"POSIX";
    if config.utf8_mode || unsaid || TARGETS.contains(&&*name) {
        config.stream_errors = "surrogateescape";
    }
    if unsaid && !config.utf8_mode {
        lisle_runtime::interp::set_ascii_system();
    }
    Ok(())
}

fn is_set(name: &str) -> bool {
    env::var_os(name).is_some_and(|value| !value.is_empty())
}

/// The name of the locale that the environment asks for; the C locale if there is none of that name.
fn locale() -> CString {
    let asked = ["LC_ALL", "LC_CTYPE", "LANG"]
        .iter()
        .find_map(|name| env::var(name).ok().filter(|value| !value.is_empty()))
        .and_then(|value| CString::new(value).ok());
    // The C library has this one without a file.
    asked
        .filter(|name| **name == *c"C.UTF-8" || exists(name))
        .unwrap_or_else(|| c"C".to_owned())
}

fn exists(name: &CStr) -> bool {
    // SAFETY: the name is terminated, and the locale object is freed at once.
    unsafe {
        let locale = libc::newlocale(libc::LC_CTYPE_MASK, name.as_ptr(), std::ptr::null_mut());
        if locale.is_null() {
            return false;
        }
        libc::freelocale(locale);
    }
    true
}
