//! `_locale`: the C library's locale: setting it, what it says of numbers and money, collation, messages.
//!
//! Invariant: whatever reads or changes the locale as a whole holds one lock, since the C library has one for all threads. The
//! runtime itself never depends on it: its text is UTF-8 and its numbers have a point.

use std::ffi::{CStr, CString};

use lisle_runtime::native::{Py, Res, Str, Value, Vm, pymodule};
use lisle_runtime::sync::Mutex;
use lisle_runtime::types::dict::Dict;
use lisle_runtime::types::exceptions;
use lisle_runtime::types::list::List;
use lisle_runtime::types::module::Module;

use crate::constants;
use crate::exception::ExceptionClass;
use crate::posix::path::{fs_decode_c, fs_encode};
use crate::syscall::{Errno, c};

constants::constants! {
    ABDAY_1 ABDAY_2 ABDAY_3 ABDAY_4 ABDAY_5 ABDAY_6 ABDAY_7 ABMON_1 ABMON_10 ABMON_11 ABMON_12 ABMON_2 ABMON_3
    ABMON_4 ABMON_5 ABMON_6 ABMON_7 ABMON_8 ABMON_9 ALT_DIGITS AM_STR CODESET CRNCYSTR DAY_1 DAY_2 DAY_3
    DAY_4 DAY_5 DAY_6 DAY_7 D_FMT D_T_FMT ERA ERA_D_FMT ERA_D_T_FMT ERA_T_FMT LC_ALL LC_COLLATE LC_CTYPE LC_MESSAGES
    LC_MONETARY LC_NUMERIC LC_TIME MON_1 MON_10 MON_11 MON_12 MON_2 MON_3 MON_4 MON_5 MON_6 MON_7 MON_8 MON_9 NOEXPR
    PM_STR RADIXCHAR THOUSEP T_FMT T_FMT_AMPM YESEXPR
    ;
    CHAR_MAX = CHAR_MAX as i64, _DATE_FMT = 131_180,
}

/// C's `char` has a sign or not, with the processor.
const CHAR_MAX: u8 = libc::c_char::MAX as u8;

static ERROR: ExceptionClass = ExceptionClass::new("locale", "Error", &exceptions::EXCEPTION);

/// Held while the locale is read or changed.
static LOCALE: Mutex<()> = Mutex::new(());

unsafe extern "C" {
    fn strxfrm(out: *mut libc::c_char, text: *const libc::c_char, len: usize) -> usize;
    fn gettext(message: *const libc::c_char) -> *mut libc::c_char;
    fn dgettext(domain: *const libc::c_char, message: *const libc::c_char) -> *mut libc::c_char;
    fn dcgettext(domain: *const libc::c_char, message: *const libc::c_char, category: libc::c_int)
    -> *mut libc::c_char;
    fn textdomain(domain: *const libc::c_char) -> *mut libc::c_char;
    fn bindtextdomain(domain: *const libc::c_char, folder: *const libc::c_char) -> *mut libc::c_char;
    fn bind_textdomain_codeset(domain: *const libc::c_char, codeset: *const libc::c_char) -> *mut libc::c_char;
}

fn c_text(vm: &Vm, text: &Py<Str>) -> Res<CString> {
    let made =
        lisle_runtime::types::encoding::encode(vm, text, lisle_runtime::interp::system_encoding(), "surrogateescape")?;
    let bytes = lisle_runtime::types::buffer::get_bytes(vm, &made)?.into_owned();
    CString::new(bytes).map_err(|_| vm.value_error("embedded null character"))
}

/// Terminated text of the C library; `None` for a null pointer.
///
/// # Safety
/// The pointer is null or points to terminated text that nobody changes during the call.
unsafe fn owned(text: *const libc::c_char) -> Option<CString> {
    if text.is_null() {
        return None;
    }
    // SAFETY: by contract.
    Some(unsafe { CStr::from_ptr(text) }.to_owned())
}

fn optional(text: Option<&CString>) -> *const libc::c_char {
    text.map_or(std::ptr::null(), |text| text.as_ptr())
}

fn shown(vm: &Vm, text: Option<CString>) -> Res<Option<Value>> {
    text.map(|text| fs_decode_c(vm, &text)).transpose()
}

/// The sizes of groups of digits, as Python shows them.
fn grouping(sizes: Option<CString>) -> Value {
    let sizes = sizes.unwrap_or_default();
    let mut list: Vec<Value> = sizes.as_bytes().iter().map(|n| Value::int((*n).into())).collect();
    // The last group goes on, unless it says that there are no more.
    if sizes.as_bytes().last().is_some_and(|n| *n != CHAR_MAX) {
        list.push(Value::int(0));
    }
    List::new(list).into_value()
}

#[pymodule(name = "_locale", doc = "Support for POSIX locales.")]
pub mod module {
    use super::*;

    #[pyattr]
    fn Error(vm: &Vm) -> Res<Value> {
        ERROR.get(vm).map(|class| class.to_value())
    }

    /// Activates/queries locale processing.
    #[pyfunction(sig = "(category, locale=None, /)")]
    fn setlocale(vm: &Vm, category: i32, locale: Option<&Py<Str>>) -> Res<Value> {
        let name = locale.map(|name| c_text(vm, name)).transpose()?;
        let result = {
            let _held = LOCALE.lock();
            let made = c!(setlocale(category, optional(name.as_ref())));
            // SAFETY: the text stays as it is until the next call, and only the holder of the lock makes one.
            unsafe { owned(made) }
        };
        match result {
            Some(name) => fs_decode_c(vm, &name),
            None if name.is_some() => Err(ERROR.error(vm, "unsupported locale setting")),
            None => Err(ERROR.error(vm, "locale query failed")),
        }
    }

    /// Returns numeric and monetary locale-specific parameters.
    #[pyfunction(sig = "()")]
    fn localeconv(vm: &Vm) -> Res<Py<Dict>> {
        let (texts, groups, numbers) = {
            let _held = LOCALE.lock();
            // SAFETY: the record and its texts stay as they are while the lock is held.
            unsafe {
                let conv = &*libc::localeconv();
                let texts = [
                    ("int_curr_symbol", owned(conv.int_curr_symbol)),
                    ("currency_symbol", owned(conv.currency_symbol)),
                    ("mon_decimal_point", owned(conv.mon_decimal_point)),
                    ("mon_thousands_sep", owned(conv.mon_thousands_sep)),
                    ("positive_sign", owned(conv.positive_sign)),
                    ("negative_sign", owned(conv.negative_sign)),
                    ("decimal_point", owned(conv.decimal_point)),
                    ("thousands_sep", owned(conv.thousands_sep)),
                ];
                let groups = [
                    ("mon_grouping", owned(conv.mon_grouping)),
                    ("grouping", owned(conv.grouping)),
                ];
                let numbers = [
                    ("int_frac_digits", conv.int_frac_digits),
                    ("frac_digits", conv.frac_digits),
                    ("p_cs_precedes", conv.p_cs_precedes),
                    ("p_sep_by_space", conv.p_sep_by_space),
                    ("n_cs_precedes", conv.n_cs_precedes),
                    ("n_sep_by_space", conv.n_sep_by_space),
                    ("p_sign_posn", conv.p_sign_posn),
                    ("n_sign_posn", conv.n_sign_posn),
                ];
                (texts, groups, numbers)
            }
        };
        const ORDER: [&str; 18] = [
            "int_curr_symbol",
            "currency_symbol",
            "mon_decimal_point",
            "mon_thousands_sep",
            "mon_grouping",
            "positive_sign",
            "negative_sign",
            "int_frac_digits",
            "frac_digits",
            "p_cs_precedes",
            "p_sep_by_space",
            "n_cs_precedes",
            "n_sep_by_space",
            "p_sign_posn",
            "n_sign_posn",
            "decimal_point",
            "thousands_sep",
            "grouping",
        ];
        let dict = Dict::new_empty();
        for name in ORDER {
            dict.set_str(&Str::intern(name), Value::NONE);
        }
        for (name, text) in texts {
            let value = fs_decode_c(vm, &text.unwrap_or_default())?;
            dict.set_str(&Str::intern(name), value);
        }
        for (name, sizes) in groups {
            dict.set_str(&Str::intern(name), grouping(sizes));
        }
        for (name, number) in numbers {
            dict.set_str(&Str::intern(name), Value::int(number.into()));
        }
        Ok(dict)
    }

    /// Compares two strings according to the locale.
    #[pyfunction(sig = "(os1, os2, /)")]
    fn strcoll(vm: &Vm, os1: &Py<Str>, os2: &Py<Str>) -> Res<i32> {
        let (a, b) = (c_text(vm, os1)?, c_text(vm, os2)?);
        Ok(c!(strcoll(a.as_ptr(), b.as_ptr())))
    }

    /// Return a string that can be used as a key for locale-aware comparisons.
    #[pyfunction(name = "strxfrm", sig = "(string, /)")]
    fn transform(vm: &Vm, string: &Py<Str>) -> Res<Value> {
        let text = c_text(vm, string)?;
        let mut out = vec![0u8; text.as_bytes().len() * 2 + 16];
        loop {
            // SAFETY: the buffer has the length given.
            let n = unsafe { strxfrm(out.as_mut_ptr().cast(), text.as_ptr(), out.len()) };
            if n < out.len() {
                out.truncate(n);
                return crate::posix::path::fs_decode(vm, &out);
            }
            out.resize(n + 1, 0);
        }
    }

    /// Return the value for the locale information associated with key.
    #[pyfunction(sig = "(key, /)")]
    fn nl_langinfo(vm: &Vm, key: i32) -> Res<Value> {
        let known = CONSTANTS
            .iter()
            .any(|(name, n)| *n == i64::from(key) && !name.starts_with("LC_") && *name != "CHAR_MAX");
        if !known {
            return Err(vm.value_error("unsupported langinfo constant"));
        }
        let text = {
            let _held = LOCALE.lock();
            // SAFETY: the text stays as it is while the lock is held.
            unsafe { owned(libc::nl_langinfo(key)) }
        };
        fs_decode_c(vm, &text.unwrap_or_default())
    }

    /// Get the current locale encoding.
    #[pyfunction(sig = "()")]
    fn getencoding(_vm: &Vm) -> Value {
        Value::from(crate::io::locale_encoding())
    }

    /// gettext(msg) -> string
    ///
    /// Return translation of msg.
    #[pyfunction(name = "gettext", sig = "(msg, /)")]
    fn get_text(vm: &Vm, msg: &Py<Str>) -> Res<Option<Value>> {
        let msg = c_text(vm, msg)?;
        // SAFETY: terminated texts; what comes back is the argument or a text of the catalogue, which stays loaded.
        shown(vm, unsafe { owned(gettext(msg.as_ptr())) })
    }

    /// dgettext(domain, msg) -> string
    ///
    /// Return translation of msg in domain.
    #[pyfunction(name = "dgettext", sig = "(domain, msg, /)")]
    fn d_get_text(vm: &Vm, domain: Option<&Py<Str>>, msg: &Py<Str>) -> Res<Option<Value>> {
        let domain = domain.map(|d| c_text(vm, d)).transpose()?;
        let msg = c_text(vm, msg)?;
        // SAFETY: as in `gettext`.
        shown(vm, unsafe { owned(dgettext(optional(domain.as_ref()), msg.as_ptr())) })
    }

    /// Return translation of msg in domain and category.
    #[pyfunction(name = "dcgettext", sig = "(domain, msg, category, /)")]
    fn dc_get_text(vm: &Vm, domain: Option<&Py<Str>>, msg: &Py<Str>, category: i32) -> Res<Option<Value>> {
        let domain = domain.map(|d| c_text(vm, d)).transpose()?;
        let msg = c_text(vm, msg)?;
        // SAFETY: as in `gettext`.
        let found = unsafe { owned(dcgettext(optional(domain.as_ref()), msg.as_ptr(), category)) };
        shown(vm, found)
    }

    /// Set the C library's textdmain to domain, returning the new domain.
    #[pyfunction(name = "textdomain", sig = "(domain, /)")]
    fn text_domain(vm: &Vm, domain: Option<&Py<Str>>) -> Res<Option<Value>> {
        let domain = domain.map(|d| c_text(vm, d)).transpose()?;
        let _held = LOCALE.lock();
        // SAFETY: terminated text; the result stays as it is while the lock is held.
        let found = unsafe { owned(textdomain(optional(domain.as_ref()))) };
        shown(vm, found)
    }

    /// Bind the C library's domain to dir.
    #[pyfunction(name = "bindtextdomain", sig = "(domain, dir, /)")]
    fn bind_text_domain(vm: &Vm, domain: &Py<Str>, dir: &Value) -> Res<Option<Value>> {
        if domain.is_empty() {
            return Err(ERROR.error(vm, "domain must be a non-empty string"));
        }
        let domain = c_text(vm, domain)?;
        let dir = if dir.is_none() { None } else { Some(fs_encode(vm, dir)?) };
        let _held = LOCALE.lock();
        // SAFETY: terminated texts; the result stays as it is while the lock is held.
        let found = unsafe { owned(bindtextdomain(domain.as_ptr(), optional(dir.as_ref()))) };
        match found {
            None => Err(vm.os_error(Errno::last().0, None)),
            found => shown(vm, found),
        }
    }

    /// Bind the C library's domain to codeset.
    #[pyfunction(name = "bind_textdomain_codeset", sig = "(domain, codeset, /)")]
    fn bind_codeset(vm: &Vm, domain: &Py<Str>, codeset: Option<&Py<Str>>) -> Res<Option<Value>> {
        let domain = c_text(vm, domain)?;
        let codeset = codeset.map(|codeset| c_text(vm, codeset)).transpose()?;
        let _held = LOCALE.lock();
        // SAFETY: terminated texts; the result stays as it is while the lock is held.
        let found = unsafe { owned(bind_textdomain_codeset(domain.as_ptr(), optional(codeset.as_ref()))) };
        shown(vm, found)
    }

    #[init]
    fn init(_vm: &Vm, module: &Py<Module>) -> Res<()> {
        constants::add(module, CONSTANTS);
        // Characters are those of UTF-8, as in the runtime itself; everything else is the program's to set.
        let _held = LOCALE.lock();
        let by_environment = c!(setlocale(libc::LC_CTYPE, c"".as_ptr()));
        // SAFETY: the text stays as it is while the lock is held.
        let codeset = unsafe { owned(libc::nl_langinfo(libc::CODESET)) };
        if by_environment.is_null() || codeset.as_deref() != Some(c"UTF-8") {
            c!(setlocale(libc::LC_CTYPE, c"C.UTF-8".as_ptr()));
        }
        Ok(())
    }
}
