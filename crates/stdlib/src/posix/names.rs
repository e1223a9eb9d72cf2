//! `posix`: names of files as text: `fspath` and the helpers of `posixpath`.

use lisle_runtime::native::{Res, Str, Value, Vm, pymodule};
use lisle_runtime::text::StrView;
use lisle_runtime::types::bytes::Bytes;

use super::path;

/// `os.path.normpath` on code units.
fn normalize<U: Copy + PartialEq>(name: &[U], slash: U, dot: U) -> Vec<U> {
    if name.is_empty() {
        return vec![dot];
    }
    let leading = name.iter().take_while(|u| **u == slash).count();
    // POSIX lets two leading slashes, and no more, mean something of their own.
    let root = match leading {
        0 => 0,
        2 => 2,
        _ => 1,
    };
    let mut parts: Vec<&[U]> = Vec::new();
    for part in name[leading..].split(|u| *u == slash) {
        let is_dots = |n: usize| part.len() == n && part.iter().all(|u| *u == dot);
        if part.is_empty() || is_dots(1) {
            continue;
        }
        if !is_dots(2) {
            parts.push(part);
        } else if parts
            .last()
            .is_some_and(|last| !(last.len() == 2 && last.iter().all(|u| *u == dot)))
        {
            parts.pop();
        } else if root == 0 {
            parts.push(part);
        }
    }
    let mut out = vec![slash; root];
    for (at, part) in parts.iter().enumerate() {
        if at > 0 {
            out.push(slash);
        }
        out.extend_from_slice(part);
    }
    if out.is_empty() {
        out.push(dot);
    }
    out
}

fn string(view: StrView<'_>) -> Value {
    Str::from_view(view).into_value()
}

#[pymodule(name = "posix")]
pub mod module {
    use super::*;

    /// Return the file system path representation of the object.
    ///
    /// If the object is str or bytes, then allow it to pass through as-is. If the
    /// object defines __fspath__(), then return the result of that method. All other
    /// types raise a TypeError.
    #[pyfunction(sig = "(path)")]
    fn fspath(vm: &Vm, path: &Value) -> Res<Value> {
        path::fspath(vm, path)
    }

    /// Normalize path, eliminating double slashes, etc.
    #[pyfunction(sig = "(path)")]
    fn _path_normpath(vm: &Vm, path: &Value) -> Res<Value> {
        let path = path::fspath(vm, path)?;
        if let Some(bytes) = path.downcast::<Bytes>() {
            return Ok(Bytes::new_value(normalize(bytes.as_slice(), b'/', b'.')));
        }
        let Some(text) = path.downcast::<Str>() else {
            return Ok(path);
        };
        let (slash, dot) = (b'/', b'.');
        Ok(match text.view() {
            StrView::Ascii(s) => string(StrView::Ascii(&normalize(s, slash, dot))),
            StrView::Latin1(s) => string(StrView::Latin1(&normalize(s, slash, dot))),
            StrView::Ucs2(s) => string(StrView::Ucs2(&normalize(s, slash.into(), dot.into()))),
            StrView::Ucs4(s) => string(StrView::Ucs4(&normalize(s, slash.into(), dot.into()))),
        })
    }

    /// Split a pathname into drive, root and tail.
    ///
    /// The tail contains anything after the root.
    #[pyfunction(sig = "(p, /)")]
    fn _path_splitroot_ex(vm: &Vm, p: &Value) -> Res<(Value, Value, Value)> {
        let path = path::fspath(vm, p)?;
        let root_of = |leading: usize| match leading {
            0 => 0,
            2 => 2,
            _ => 1,
        };
        if let Some(bytes) = path.downcast::<Bytes>() {
            let bytes = bytes.as_slice();
            let at = root_of(bytes.iter().take_while(|b| **b == b'/').count());
            let (root, tail) = bytes.split_at(at);
            return Ok((
                Bytes::new_value(&b""[..]),
                Bytes::new_value(root),
                Bytes::new_value(tail),
            ));
        }
        let Some(text) = path.downcast::<Str>() else {
            return Ok((Value::NONE, Value::NONE, Value::NONE));
        };
        let view = text.view();
        let at = root_of(view.chars().take_while(|c| *c == u32::from(b'/')).count());
        let len = view.len();
        Ok((
            Str::empty().into_value(),
            string(view.slice(0..at)),
            string(view.slice(at..len)),
        ))
    }
}
