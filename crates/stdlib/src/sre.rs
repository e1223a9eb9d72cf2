//! The `_sre` module: the matcher behind `re`.
//!
//! Invariant: programs come from `re._compiler`, and any other is harmless (see [`engine`]). The parts: [`engine`] matches,
//! [`chars`] tests single characters, [`pattern`] and [`matched`] are the objects. An engine of our own, since
//! those of crates neither work on texts of two or four bytes a character nor let a signal in.

mod chars;
mod codes;
mod engine;
mod first;
mod matched;
mod pattern;
mod subject;

use lisle_runtime::native::pymodule;

#[pymodule(name = "_sre")]
pub mod module {
    use super::chars::{lower_ascii, lower_unicode, upper_unicode};
    use super::codes;
    use super::matched::Template;
    use super::pattern::Pattern;
    use super::subject::Subject;
    use lisle_runtime::memory::trace::Opaque;
    use lisle_runtime::native::*;
    use lisle_runtime::types::dict::Dict;
    use lisle_runtime::types::list::List;
    use lisle_runtime::types::tuple::Tuple;

    #[pyattr(name = "MAGIC")]
    const MAGIC: i64 = codes::MAGIC;
    #[pyattr(name = "CODESIZE")]
    const CODESIZE: i64 = 4;
    #[pyattr(name = "MAXREPEAT")]
    const MAXREPEAT: i64 = codes::MAXREPEAT as i64;
    #[pyattr(name = "MAXGROUPS")]
    const MAXGROUPS: i64 = codes::MAXGROUPS;

    #[pyfunction(sig = "(pattern, flags, code, groups, groupindex, indexgroup)")]
    fn compile(
        vm: &Vm,
        pattern: &Value,
        flags: i32,
        code: &Py<List>,
        groups: isize,
        groupindex: &Py<Dict>,
        indexgroup: &Py<Tuple>,
    ) -> Res<Value> {
        let limit = || vm.overflow_error("regular expression code size limit exceeded");
        let mut words = Vec::with_capacity(code.len());
        for item in code.snapshot() {
            if vm.int_value(&item).is_none() {
                return Err(vm.type_error("an integer is required"));
            }
            let word = vm.int_value(&item).and_then(|i| i.to_i64()).ok_or_else(limit)?;
            if word < 0 {
                return Err(vm.overflow_error("can't convert negative value to unsigned int"));
            }
            words.push(u32::try_from(word).map_err(|_| limit())?);
        }
        let is_bytes = match pattern.is_none() {
            true => None,
            false => Some(Subject::new(vm, pattern)?.is_bytes()),
        };
        let groups = usize::try_from(groups).map_err(|_| vm.runtime_error("invalid SRE code"))?;
        if words.is_empty() || groups as i64 > codes::MAXGROUPS {
            return Err(vm.runtime_error("invalid SRE code"));
        }
        let pattern = Pattern {
            pattern: pattern.clone(),
            flags: flags.into(),
            groups,
            groupindex: groupindex.clone(),
            indexgroup: indexgroup.clone(),
            code: Opaque(words.into_boxed_slice()),
            is_bytes,
            first: Opaque(std::sync::OnceLock::new()),
        };
        Ok(Py::new(pattern).into_value())
    }

    /// template(pattern, template)
    #[pyfunction(sig = "(pattern, template, /)")]
    fn template(vm: &Vm, pattern: &Value, template: &Py<List>) -> Res<Value> {
        let _ = pattern;
        Template::from_list(vm, template)
    }

    #[pyfunction(sig = "()")]
    fn getcodesize(_vm: &Vm) -> i64 {
        CODESIZE
    }

    #[pyfunction(sig = "(character, /)")]
    fn ascii_iscased(_vm: &Vm, character: i32) -> bool {
        u8::try_from(character).is_ok_and(|c| c.is_ascii_alphabetic())
    }

    #[pyfunction(sig = "(character, /)")]
    fn unicode_iscased(_vm: &Vm, character: i32) -> bool {
        let c = character as u32;
        lower_unicode(c) != c || upper_unicode(c) != c
    }

    #[pyfunction(sig = "(character, /)")]
    fn ascii_tolower(_vm: &Vm, character: i32) -> i32 {
        lower_ascii(character as u32) as i32
    }

    #[pyfunction(sig = "(character, /)")]
    fn unicode_tolower(_vm: &Vm, character: i32) -> i32 {
        lower_unicode(character as u32) as i32
    }
}
