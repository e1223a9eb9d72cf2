//! `from __future__ import ...`: which features a program turns on, and the errors about them.

use lisle_bytecode::CodeFlags;
use ruff_python_ast::{Expr, Stmt};

use crate::errors::{Res, fault};

/// Features that are always on by now.
const MANDATORY: &[&str] = &[
    "nested_scopes",
    "generators",
    "division",
    "absolute_import",
    "with_statement",
    "print_function",
    "unicode_literals",
    "generator_stop",
];

/// Flags of the features that the statements at the start of `body` turn on.
pub(crate) fn future_flags(body: &[Stmt]) -> Res<u32> {
    let mut flags = 0;
    let mut docstring_allowed = true;
    let mut late = false;
    for stmt in body {
        match stmt {
            Stmt::ImportFrom(import)
                if import.level == 0 && import.module.as_ref().is_some_and(|m| m.as_str() == "__future__") =>
            {
                if late {
                    return fault(
                        import.range,
                        "from __future__ imports must occur at the beginning of the file",
                    );
                }
                for alias in &import.names {
                    match alias.name.as_str() {
                        "annotations" => flags |= CodeFlags::FUTURE_ANNOTATIONS,
                        "barry_as_FLUFL" => flags |= CodeFlags::FUTURE_BARRY_AS_BDFL,
                        "braces" => return fault(import.range, "not a chance"),
                        name if MANDATORY.contains(&name) => {}
                        name => return fault(import.range, format!("future feature {name} is not defined")),
                    }
                }
                docstring_allowed = false;
            }
            Stmt::Expr(e) if docstring_allowed && matches!(&*e.value, Expr::StringLiteral(_)) => {
                docstring_allowed = false;
            }
            _ => late = true,
        }
    }
    Ok(flags)
}
