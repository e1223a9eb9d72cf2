//! Warnings of statements that leave a `finally` block, and with it swallow the exception that is on its way (PEP 765).

use ruff_python_ast::visitor::{self, Visitor};
use ruff_python_ast::{Expr, Mod, Stmt};
use ruff_text_size::{Ranged, TextRange};

use crate::errors::{Warning, WarningCategory};
use crate::source::LineIndex;

/// The warnings for a program, in the order of the text.
pub(crate) fn warnings(program: &Mod, source: &str, lines: &LineIndex) -> Vec<Warning> {
    let mut walk = Walk::default();
    if let Mod::Module(module) = program {
        walk.visit_body(&module.body);
    }
    let warning = |(range, word): (TextRange, &str)| {
        let message = format!("'{word}' in a 'finally' block");
        Warning::new(WarningCategory::Syntax, source, lines, range, message)
    };
    walk.found.into_iter().map(warning).collect()
}

#[derive(Default)]
struct Walk {
    found: Vec<(TextRange, &'static str)>,
    /// Whether this is in a `finally` block of this function, and in a loop of that block.
    in_finally: bool,
    in_loop: bool,
}

impl Walk {
    fn within<'a>(&mut self, in_finally: bool, in_loop: bool, visit: impl FnOnce(&mut Walk) + 'a) {
        let old = (self.in_finally, self.in_loop);
        (self.in_finally, self.in_loop) = (in_finally, in_loop);
        visit(self);
        (self.in_finally, self.in_loop) = old;
    }
}

impl<'a> Visitor<'a> for Walk {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        match stmt {
            Stmt::Return(_) if self.in_finally => self.found.push((stmt.range(), "return")),
            Stmt::Break(_) if self.in_finally && !self.in_loop => self.found.push((stmt.range(), "break")),
            Stmt::Continue(_) if self.in_finally && !self.in_loop => self.found.push((stmt.range(), "continue")),
            Stmt::FunctionDef(s) => self.within(false, false, |walk| walk.visit_body(&s.body)),
            Stmt::ClassDef(s) => self.within(false, false, |walk| walk.visit_body(&s.body)),
            Stmt::For(s) => {
                self.within(self.in_finally, true, |walk| walk.visit_body(&s.body));
                self.visit_body(&s.orelse);
            }
            Stmt::While(s) => {
                self.within(self.in_finally, true, |walk| walk.visit_body(&s.body));
                self.visit_body(&s.orelse);
            }
            Stmt::Try(s) => {
                self.visit_body(&s.body);
                for handler in &s.handlers {
                    self.visit_except_handler(handler);
                }
                self.visit_body(&s.orelse);
                self.within(true, false, |walk| walk.visit_body(&s.finalbody));
            }
            _ => visitor::walk_stmt(self, stmt),
        }
    }

    /// Expressions have no statements in them.
    fn visit_expr(&mut self, _: &'a Expr) {}
}
