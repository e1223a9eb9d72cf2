//! Errors about what stands on the left of `=` and the like, and about missing commas.

use ruff_python_ast::token::TokenKind;
use ruff_python_ast::{Expr, UnaryOp};
use ruff_python_parser::ParseErrorType;
use ruff_text_size::{Ranged, TextRange};

use super::syntax::{Failure, syntax};
use crate::errors::{Fault, expr_name};

/// The parser did not accept a target.
pub(super) fn explain(f: &Failure) -> Fault {
    let location = f.error.location;
    let Some(target) = f.expression(location) else {
        return f.invalid_at(f.at);
    };
    match &f.error.error {
        ParseErrorType::InvalidDeleteTarget => {
            let bad = invalid_part(&target, true).unwrap_or(&target);
            syntax(bad.range(), format!("cannot delete {}", expr_name(bad)))
        }
        ParseErrorType::InvalidAugmentedAssignmentTarget => syntax(
            location,
            format!(
                "'{}' is an illegal expression for augmented assignment",
                expr_name(&target)
            ),
        ),
        ParseErrorType::InvalidAnnotatedAssignmentTarget => match &target {
            Expr::Tuple(_) => syntax(location, "only single target (not tuple) can be annotated"),
            Expr::List(_) => syntax(location, "only single target (not list) can be annotated"),
            _ => syntax(location, "illegal target for annotation"),
        },
        ParseErrorType::InvalidNamedAssignmentTarget => syntax(
            location,
            format!("cannot use assignment expressions with {}", expr_name(&target)),
        ),
        _ => assignment(f, location, &target),
    }
}

fn assignment(f: &Failure, location: TextRange, target: &Expr) -> Fault {
    let after = f.tokens.partition_point(|t| t.1.end() <= location.end());
    let before = f.tokens.partition_point(|t| t.1.end() <= location.start());
    let starts_statement = before == 0
        || matches!(
            f.kind(before - 1),
            TokenKind::Newline | TokenKind::Indent | TokenKind::Dedent | TokenKind::Semi | TokenKind::Colon
        );
    if let Expr::Yield(_) | Expr::YieldFrom(_) = target {
        return syntax(location, "assignment to yield expression not possible");
    }
    let bad = invalid_part(target, false).unwrap_or(target);
    let name = expr_name(bad);
    let whole = std::ptr::eq(bad, target);
    let equal = f.kind(after) == TokenKind::Equal;
    if whole && equal && starts_statement && hints_at_comparison(target) && single_value(f, after + 1) {
        return syntax(
            bad.range(),
            format!("cannot assign to {name} here. Maybe you meant '==' instead of '='?"),
        );
    }
    syntax(bad.range(), format!("cannot assign to {name}"))
}

/// Whether the value behind `=` is an operand followed by no further `=`.
fn single_value(f: &Failure, start: usize) -> bool {
    let mut depth = 0i32;
    for i in start..f.tokens.len() {
        match f.kind(i) {
            TokenKind::Lpar | TokenKind::Lsqb | TokenKind::Lbrace => depth += 1,
            TokenKind::Rpar | TokenKind::Rsqb | TokenKind::Rbrace => {
                depth -= 1;
                if depth < 0 {
                    return true;
                }
            }
            TokenKind::Equal | TokenKind::ColonEqual if depth == 0 => return false,
            TokenKind::Yield | TokenKind::Lambda | TokenKind::Not if i == start => return false,
            TokenKind::Newline | TokenKind::Semi | TokenKind::Comma if depth == 0 => return true,
            _ => {}
        }
    }
    true
}

/// Expressions that could be the left side of a comparison.
fn hints_at_comparison(e: &Expr) -> bool {
    match e {
        Expr::List(_) | Expr::Tuple(_) | Expr::Generator(_) | Expr::BooleanLiteral(_) | Expr::NoneLiteral(_) => false,
        Expr::Lambda(_) | Expr::If(_) | Expr::BoolOp(_) | Expr::Compare(_) | Expr::Named(_) | Expr::Starred(_) => false,
        Expr::UnaryOp(u) => u.op != UnaryOp::Not,
        _ => true,
    }
}

/// The part of a target that is none.
fn invalid_part(e: &Expr, delete: bool) -> Option<&Expr> {
    match e {
        Expr::Name(_) | Expr::Attribute(_) | Expr::Subscript(_) => None,
        Expr::Tuple(t) => t.elts.iter().find_map(|e| invalid_part(e, delete)),
        Expr::List(l) => l.elts.iter().find_map(|e| invalid_part(e, delete)),
        Expr::Starred(s) if !delete => invalid_part(&s.value, delete),
        Expr::Compare(c) if !delete => match c.ops.first() {
            // `for x in y` in the place of a target.
            Some(ruff_python_ast::CmpOp::In) => Some(e),
            _ => Some(e),
        },
        _ => Some(e),
    }
}

/// `if x = 3:`.
pub(super) fn equal_in_condition(f: &Failure) -> Fault {
    let start = operand_start(f, f.at);
    let left = TextRange::new(f.range(start).start(), f.range(f.at - 1).end());
    let Some(target) = f.expression(left) else {
        return f.invalid_at(f.at);
    };
    let Some(end) = expression_end(f, f.at + 1) else {
        return f.invalid_at(f.at);
    };
    match &target {
        Expr::Name(_) => syntax(
            TextRange::new(left.start(), end),
            "invalid syntax. Maybe you meant '==' or ':=' instead of '='?",
        ),
        e if hints_at_comparison(e) => syntax(
            left,
            format!(
                "cannot assign to {} here. Maybe you meant '==' instead of '='?",
                expr_name(e)
            ),
        ),
        _ => f.invalid_at(f.at),
    }
}

/// The first token of the operand (of comparisons or weaker operators) that ends before token `end`.
pub(super) fn operand_start(f: &Failure, end: usize) -> usize {
    let mut depth = 0i32;
    let mut i = end;
    while i > 0 {
        match f.kind(i - 1) {
            TokenKind::Rpar | TokenKind::Rsqb | TokenKind::Rbrace => depth += 1,
            TokenKind::Lpar | TokenKind::Lsqb | TokenKind::Lbrace => {
                depth -= 1;
                if depth < 0 {
                    break;
                }
            }
            _ if depth > 0 => {}
            TokenKind::Newline | TokenKind::Indent | TokenKind::Dedent | TokenKind::Semi | TokenKind::Comma => break,
            TokenKind::Equal | TokenKind::Colon | TokenKind::ColonEqual | TokenKind::Return | TokenKind::Yield => break,
            TokenKind::If | TokenKind::Elif | TokenKind::While | TokenKind::And | TokenKind::Or | TokenKind::Not => {
                break;
            }
            TokenKind::In | TokenKind::Is | TokenKind::Assert | TokenKind::Lambda | TokenKind::For => break,
            _ => {}
        }
        i -= 1;
    }
    i
}

/// The end of the longest expression that starts at token `start`.
pub(super) fn expression_end(f: &Failure, start: usize) -> Option<ruff_text_size::TextSize> {
    let mut depth = 0i32;
    let mut end = start;
    while end < f.tokens.len() {
        match f.kind(end) {
            TokenKind::Lpar | TokenKind::Lsqb | TokenKind::Lbrace => depth += 1,
            TokenKind::Rpar | TokenKind::Rsqb | TokenKind::Rbrace => {
                depth -= 1;
                if depth < 0 {
                    break;
                }
            }
            TokenKind::Newline | TokenKind::Semi | TokenKind::EndOfFile => break,
            TokenKind::Colon | TokenKind::Equal if depth == 0 => break,
            _ => {}
        }
        end += 1;
    }
    // Shorter and shorter, until it parses.
    let low = start + 1;
    while end >= low {
        let range = TextRange::new(f.range(start).start(), f.range(end - 1).end());
        if f.expression(range).is_some() {
            return Some(range.end());
        }
        end -= 1;
    }
    None
}

/// Two expressions in a row inside brackets: "Perhaps you forgot a comma?".
pub(super) fn forgotten_comma(f: &Failure) -> Option<Fault> {
    // Inside brackets?
    let mut depth = 0i32;
    let mut open = None;
    for i in (0..f.at).rev() {
        match f.kind(i) {
            TokenKind::Rpar | TokenKind::Rsqb | TokenKind::Rbrace => depth += 1,
            TokenKind::Lpar | TokenKind::Lsqb | TokenKind::Lbrace => {
                depth -= 1;
                if depth < 0 {
                    open = Some(i);
                    break;
                }
            }
            _ => {}
        }
    }
    let open = open?;
    // The expression before the error, back to the last separator.
    let mut start = f.at;
    let mut depth = 0i32;
    while start > open + 1 {
        match f.kind(start - 1) {
            TokenKind::Rpar | TokenKind::Rsqb | TokenKind::Rbrace => depth += 1,
            TokenKind::Lpar | TokenKind::Lsqb | TokenKind::Lbrace => depth -= 1,
            TokenKind::Comma | TokenKind::Colon | TokenKind::Equal | TokenKind::ColonEqual if depth == 0 => break,
            TokenKind::For | TokenKind::In | TokenKind::If | TokenKind::Else | TokenKind::Lambda if depth == 0 => break,
            TokenKind::Star | TokenKind::DoubleStar
                if depth == 0 && (start - 1 == open + 1 || f.kind(start - 2) == TokenKind::Comma) =>
            {
                break;
            }
            _ => {}
        }
        start -= 1;
    }
    if start == f.at {
        return None;
    }
    let left = TextRange::new(f.range(start).start(), f.range(f.at - 1).end());
    let first = f.expression(left)?;
    if let Expr::Name(name) = &first
        && matches!(name.id.as_str(), "print" | "exec")
    {
        return None;
    }
    // Two strings in a row would be one.
    let end = expression_end(f, f.at)?;
    let whole = TextRange::new(left.start(), end);
    Some(syntax(whole, "invalid syntax. Perhaps you forgot a comma?"))
}

/// `f(a.b=1)`, `f(True=1)`.
pub(super) fn keyword_target(f: &Failure) -> Fault {
    let location = f.error.location;
    let text = f.text(location);
    if text.starts_with('*') {
        let equal = f.tokens.partition_point(|t| t.1.end() <= location.end());
        let end = expression_end(f, equal + 1).unwrap_or(f.range(equal).end());
        let kind = if text.starts_with("**") { "keyword" } else { "iterable" };
        return syntax(
            TextRange::new(location.start(), end),
            format!("cannot assign to {kind} argument unpacking"),
        );
    }
    if matches!(text, "True" | "False" | "None") {
        let equal = f.tokens.partition_point(|t| t.1.end() <= location.end());
        let range = TextRange::new(location.start(), f.range(equal).end());
        return syntax(range, format!("cannot assign to {text}"));
    }
    let equal = (f.at..f.tokens.len())
        .find(|&i| f.kind(i) == TokenKind::Equal)
        .unwrap_or(f.at);
    let range = TextRange::new(location.start(), f.range(equal).end());
    syntax(range, "expression cannot contain assignment, perhaps you meant \"==\"?")
}

/// Statements that read like ones of another kind.
pub(super) fn bad_statement(f: &Failure) -> Option<Fault> {
    if is_augmented(f.kind(f.at)) {
        let mut start = f.at;
        while start > 0
            && !matches!(
                f.kind(start - 1),
                TokenKind::Newline | TokenKind::Indent | TokenKind::Dedent | TokenKind::Semi
            )
        {
            start -= 1;
        }
        let left = TextRange::new(f.range(start).start(), f.range(f.at.checked_sub(1)?).end());
        let target = f.expression(left)?;
        if !matches!(target, Expr::Name(_) | Expr::Attribute(_) | Expr::Subscript(_)) {
            let name = expr_name(&target);
            return Some(syntax(
                left,
                format!("'{name}' is an illegal expression for augmented assignment"),
            ));
        }
    }
    None
}

fn is_augmented(kind: TokenKind) -> bool {
    matches!(
        kind,
        TokenKind::PlusEqual
            | TokenKind::MinusEqual
            | TokenKind::StarEqual
            | TokenKind::SlashEqual
            | TokenKind::PercentEqual
            | TokenKind::AmperEqual
            | TokenKind::VbarEqual
            | TokenKind::CircumflexEqual
            | TokenKind::LeftShiftEqual
            | TokenKind::RightShiftEqual
            | TokenKind::DoubleStarEqual
            | TokenKind::DoubleSlashEqual
            | TokenKind::AtEqual
    )
}

/// `(x = 1)`, `{**x = 1}` and the like; in a call a keyword cannot have such a name.
pub(super) fn equal_in_brackets(f: &Failure) -> Fault {
    let start = operand_start(f, f.at);
    if start > 0 && matches!(f.kind(start), TokenKind::DoubleStar) {
        let end = expression_end(f, f.at + 1).unwrap_or(f.range(f.at).end());
        let range = TextRange::new(f.range(start).start(), end);
        return syntax(range, "cannot assign to keyword argument unpacking");
    }
    equal_in_condition(f)
}

/// `[x, y for x, y in z]`: the target needs parentheses.
pub(super) fn comprehension_target(f: &Failure) -> Option<Fault> {
    let mut depth = 0i32;
    for i in (0..f.at).rev() {
        match f.kind(i) {
            TokenKind::Rpar | TokenKind::Rsqb | TokenKind::Rbrace => depth += 1,
            TokenKind::Lpar if depth == 0 => return None,
            TokenKind::Lsqb | TokenKind::Lbrace if depth == 0 => {
                let range = TextRange::new(f.range(i + 1).start(), f.range(f.at - 1).end());
                let comma = f.text(range).contains(',');
                let text = "did you forget parentheses around the comprehension target?";
                return comma.then(|| syntax(range, text));
            }
            TokenKind::Lpar | TokenKind::Lsqb | TokenKind::Lbrace => depth -= 1,
            TokenKind::Colon if depth == 0 => return None,
            _ => {}
        }
    }
    None
}
