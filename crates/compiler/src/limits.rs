//! Bounds on how deep a program nests, so that no walk of its AST can overflow the stack.
//!
//! The parser grows its stack as it needs. What comes after runs on a stack that fits the depth measured here, and
//! programs that are too deep end in the error that CPython gives.

use ruff_python_ast::token::{TokenKind, Tokens};
use ruff_python_ast::{ExceptHandler, Expr, InterpolatedStringElement, Mod, Parameters, Pattern, Stmt, TypeParams};
use ruff_text_size::{Ranged, TextRange};

use crate::errors::{Res, SyntaxErrorKind, fault, fault_of};

/// Levels of nested expressions that are compiled.
const MAX_DEPTH: u32 = 10_000;
const MAX_BRACKETS: usize = 200;
const MAX_INDENTS: usize = 100;
const MAX_FSTRINGS: usize = 150;
/// Stack that one level of an expression takes in the passes over the AST, generously.
const BYTES_A_LEVEL: usize = 6 * 1024;
/// Stack that dropping one level takes, generously. A level has a token of its own at least.
const BYTES_A_DROP: usize = 256;
const BASE: usize = 512 * 1024;
/// Sources for which this is enough are not looked at.
const SMALL: usize = 4 << 20;

/// Runs `body` with stack for `source`: what the parser drops of it may be as deep as it has tokens. Without memory for a stack, here or
/// deeper, the error says so.
pub(crate) fn with_stack_for_source<R>(source: &str, body: impl FnOnce() -> Res<R>) -> Res<R> {
    let mut need = BASE + source.len().saturating_mul(BYTES_A_DROP);
    if need > SMALL {
        need = BASE + tokens_at_most(source).saturating_mul(BYTES_A_DROP);
    }
    or_no_memory(|| stacker::maybe_grow(need, need, body))
}

/// Runs `body`, whose stack may grow.
pub(crate) fn or_no_memory<R>(body: impl FnOnce() -> Res<R>) -> Res<R> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(body)).unwrap_or_else(|panic| {
        if panic.is::<stacker::NoStack>() {
            fault_of(SyntaxErrorKind::Memory, None, "")
        } else {
            std::panic::resume_unwind(panic)
        }
    })
}

/// No fewer than the tokens of `source`: its marks and the beginnings of its words. Lines of nothing but a comment have none.
fn tokens_at_most(source: &str) -> usize {
    let mut count = 0;
    for line in source.as_bytes().split(|&byte| byte == b'\n' || byte == b'\r') {
        let begin = line.trim_ascii_start();
        // A quote might end a string that began on a line before.
        if begin.first() == Some(&b'#') && !begin.iter().any(|byte| matches!(byte, b'"' | b'\'')) {
            continue;
        }
        let mut word = false;
        for &byte in line {
            let part = byte.is_ascii_alphanumeric() || byte == b'_' || !byte.is_ascii();
            count += usize::from(if part { !word } else { !byte.is_ascii_whitespace() });
            word = part;
        }
    }
    count
}

/// Runs `body` with stack for expressions of `depth` levels.
pub(crate) fn with_stack_for_depth<R>(depth: u32, body: impl FnOnce() -> R) -> R {
    let need = BASE + depth as usize * BYTES_A_LEVEL;
    stacker::maybe_grow(need, need, body)
}

/// Errors of nesting that CPython's tokenizer gives.
pub(crate) fn check_tokens(tokens: &Tokens) -> Res {
    let (mut brackets, mut indents, mut strings) = (0usize, 0usize, 0usize);
    for token in tokens {
        match token.kind() {
            TokenKind::Lpar | TokenKind::Lsqb | TokenKind::Lbrace => {
                brackets += 1;
                if brackets > MAX_BRACKETS {
                    return fault(TextRange::empty(token.start()), "too many nested parentheses");
                }
            }
            TokenKind::Rpar | TokenKind::Rsqb | TokenKind::Rbrace => brackets = brackets.saturating_sub(1),
            TokenKind::Indent => {
                indents += 1;
                if indents >= MAX_INDENTS {
                    let kind = SyntaxErrorKind::Indentation;
                    return fault_of(kind, Some(token.range()), "too many levels of indentation");
                }
            }
            TokenKind::Dedent => indents = indents.saturating_sub(1),
            TokenKind::FStringStart | TokenKind::TStringStart => {
                strings += 1;
                if strings >= MAX_FSTRINGS {
                    return fault(TextRange::empty(token.start()), "too many nested f-strings");
                }
            }
            TokenKind::FStringEnd | TokenKind::TStringEnd => strings = strings.saturating_sub(1),
            _ => {}
        }
    }
    Ok(())
}

#[derive(Clone, Copy)]
enum Node<'a> {
    Stmt(&'a Stmt),
    Expr(&'a Expr),
    Pattern(&'a Pattern),
    Elements(&'a [InterpolatedStringElement]),
}

/// Depth of the deepest expression.
pub(crate) fn depth(program: &Mod) -> u32 {
    let mut deepest = 0;
    let mut pending: Vec<(Node, u32)> = Vec::new();
    match program {
        Mod::Module(module) => pending.extend(module.body.iter().map(|s| (Node::Stmt(s), 0))),
        Mod::Expression(e) => pending.push((Node::Expr(&e.body), 0)),
    }
    let mut children = Vec::new();
    while let Some((node, depth)) = pending.pop() {
        deepest = deepest.max(depth);
        match node {
            Node::Stmt(s) => stmt_children(s, &mut children),
            Node::Expr(e) => expr_children(e, &mut children),
            Node::Pattern(p) => pattern_children(p, &mut children),
            Node::Elements(e) => element_children(e, &mut children),
        }
        pending.extend(children.drain(..).map(|child| (child, depth + 1)));
    }
    deepest
}

/// The error for programs that are too deep.
pub(crate) fn check_depth(depth: u32) -> Res {
    if depth > MAX_DEPTH {
        let kind = SyntaxErrorKind::Recursion;
        return fault_of(kind, None, "maximum recursion depth exceeded during compilation");
    }
    Ok(())
}

type Nodes<'a> = Vec<Node<'a>>;

fn body<'a>(stmts: &'a [Stmt], out: &mut Nodes<'a>) {
    out.extend(stmts.iter().map(Node::Stmt));
}

fn exprs<'a>(exprs: impl IntoIterator<Item = &'a Expr>, out: &mut Nodes<'a>) {
    out.extend(exprs.into_iter().map(Node::Expr));
}

fn boxed<'a>(e: &'a Option<Box<Expr>>, out: &mut Nodes<'a>) {
    out.extend(e.iter().map(|e| Node::Expr(e)));
}

fn parameters<'a>(params: &'a Parameters, out: &mut Nodes<'a>) {
    for param in params {
        exprs(param.annotation(), out);
        exprs(param.default(), out);
    }
}

fn type_params<'a>(params: &'a Option<Box<TypeParams>>, out: &mut Nodes<'a>) {
    for param in params.iter().flat_map(|p| p.iter()) {
        exprs(param.default(), out);
        if let ruff_python_ast::TypeParam::TypeVar(var) = param {
            boxed(&var.bound, out);
        }
    }
}

fn stmt_children<'a>(s: &'a Stmt, out: &mut Nodes<'a>) {
    match s {
        Stmt::FunctionDef(s) => {
            exprs(s.decorator_list.iter().map(|d| &d.expression), out);
            type_params(&s.type_params, out);
            parameters(&s.parameters, out);
            boxed(&s.returns, out);
            body(&s.body, out);
        }
        Stmt::ClassDef(s) => {
            exprs(s.decorator_list.iter().map(|d| &d.expression), out);
            type_params(&s.type_params, out);
            if let Some(arguments) = &s.arguments {
                exprs(&arguments.args, out);
                exprs(arguments.keywords.iter().map(|k| &k.value), out);
            }
            body(&s.body, out);
        }
        Stmt::Return(s) => boxed(&s.value, out),
        Stmt::Delete(s) => exprs(&s.targets, out),
        Stmt::TypeAlias(s) => {
            type_params(&s.type_params, out);
            out.push(Node::Expr(&s.value));
        }
        Stmt::Assign(s) => {
            exprs(&s.targets, out);
            out.push(Node::Expr(&s.value));
        }
        Stmt::AugAssign(s) => out.extend([Node::Expr(&s.target), Node::Expr(&s.value)]),
        Stmt::AnnAssign(s) => {
            out.extend([Node::Expr(&s.target), Node::Expr(&s.annotation)]);
            boxed(&s.value, out);
        }
        Stmt::For(s) => {
            out.extend([Node::Expr(&s.target), Node::Expr(&s.iter)]);
            body(&s.body, out);
            body(&s.orelse, out);
        }
        Stmt::While(s) => {
            out.push(Node::Expr(&s.test));
            body(&s.body, out);
            body(&s.orelse, out);
        }
        Stmt::If(s) => {
            out.push(Node::Expr(&s.test));
            body(&s.body, out);
            for clause in &s.elif_else_clauses {
                exprs(&clause.test, out);
                body(&clause.body, out);
            }
        }
        Stmt::With(s) => {
            for item in &s.items {
                out.push(Node::Expr(&item.context_expr));
                boxed(&item.optional_vars, out);
            }
            body(&s.body, out);
        }
        Stmt::Match(s) => {
            out.push(Node::Expr(&s.subject));
            for case in &s.cases {
                out.push(Node::Pattern(&case.pattern));
                boxed(&case.guard, out);
                body(&case.body, out);
            }
        }
        Stmt::Raise(s) => {
            boxed(&s.exc, out);
            boxed(&s.cause, out);
        }
        Stmt::Try(s) => {
            body(&s.body, out);
            for handler in &s.handlers {
                let ExceptHandler::ExceptHandler(handler) = handler;
                boxed(&handler.type_, out);
                body(&handler.body, out);
            }
            body(&s.orelse, out);
            body(&s.finalbody, out);
        }
        Stmt::Assert(s) => {
            out.push(Node::Expr(&s.test));
            boxed(&s.msg, out);
        }
        Stmt::Expr(s) => out.push(Node::Expr(&s.value)),
        Stmt::Import(_)
        | Stmt::ImportFrom(_)
        | Stmt::Global(_)
        | Stmt::Nonlocal(_)
        | Stmt::Pass(_)
        | Stmt::Break(_)
        | Stmt::Continue(_)
        | Stmt::IpyEscapeCommand(_) => {}
    }
}

fn generators<'a>(generators: &'a [ruff_python_ast::Comprehension], out: &mut Nodes<'a>) {
    for generator in generators {
        out.extend([Node::Expr(&generator.target), Node::Expr(&generator.iter)]);
        exprs(&generator.ifs, out);
    }
}

fn expr_children<'a>(e: &'a Expr, out: &mut Nodes<'a>) {
    match e {
        Expr::BoolOp(e) => exprs(&e.values, out),
        Expr::Named(e) => out.extend([Node::Expr(&e.target), Node::Expr(&e.value)]),
        Expr::BinOp(e) => out.extend([Node::Expr(&e.left), Node::Expr(&e.right)]),
        Expr::UnaryOp(e) => out.push(Node::Expr(&e.operand)),
        Expr::Lambda(e) => {
            if let Some(params) = &e.parameters {
                parameters(params, out);
            }
            out.push(Node::Expr(&e.body));
        }
        Expr::If(e) => out.extend([Node::Expr(&e.test), Node::Expr(&e.body), Node::Expr(&e.orelse)]),
        Expr::Dict(e) => {
            for item in &e.items {
                exprs(&item.key, out);
                out.push(Node::Expr(&item.value));
            }
        }
        Expr::Set(e) => exprs(&e.elts, out),
        Expr::ListComp(e) => {
            out.push(Node::Expr(&e.elt));
            generators(&e.generators, out);
        }
        Expr::SetComp(e) => {
            out.push(Node::Expr(&e.elt));
            generators(&e.generators, out);
        }
        Expr::DictComp(e) => {
            boxed(&e.key, out);
            out.push(Node::Expr(&e.value));
            generators(&e.generators, out);
        }
        Expr::Generator(e) => {
            out.push(Node::Expr(&e.elt));
            generators(&e.generators, out);
        }
        Expr::Await(e) => out.push(Node::Expr(&e.value)),
        Expr::Yield(e) => boxed(&e.value, out),
        Expr::YieldFrom(e) => out.push(Node::Expr(&e.value)),
        Expr::Compare(e) => {
            out.push(Node::Expr(&e.left));
            exprs(&e.comparators, out);
        }
        Expr::Call(e) => {
            out.push(Node::Expr(&e.func));
            exprs(&e.arguments.args, out);
            exprs(e.arguments.keywords.iter().map(|k| &k.value), out);
        }
        Expr::FString(e) => out.extend(e.value.f_strings().map(|f| Node::Elements(&f.elements))),
        Expr::TString(e) => out.extend(e.value.iter().map(|t| Node::Elements(&t.elements))),
        Expr::Attribute(e) => out.push(Node::Expr(&e.value)),
        Expr::Subscript(e) => out.extend([Node::Expr(&e.value), Node::Expr(&e.slice)]),
        Expr::Starred(e) => out.push(Node::Expr(&e.value)),
        Expr::List(e) => exprs(&e.elts, out),
        Expr::Tuple(e) => exprs(&e.elts, out),
        Expr::Slice(e) => {
            boxed(&e.lower, out);
            boxed(&e.upper, out);
            boxed(&e.step, out);
        }
        Expr::Name(_)
        | Expr::StringLiteral(_)
        | Expr::BytesLiteral(_)
        | Expr::NumberLiteral(_)
        | Expr::BooleanLiteral(_)
        | Expr::NoneLiteral(_)
        | Expr::EllipsisLiteral(_)
        | Expr::IpyEscapeCommand(_) => {}
    }
}

fn element_children<'a>(elements: &'a [InterpolatedStringElement], out: &mut Nodes<'a>) {
    for element in elements {
        if let InterpolatedStringElement::Interpolation(value) = element {
            out.push(Node::Expr(&value.expression));
            out.extend(value.format_spec.iter().map(|spec| Node::Elements(&spec.elements)));
        }
    }
}

fn pattern_children<'a>(p: &'a Pattern, out: &mut Nodes<'a>) {
    match p {
        Pattern::MatchValue(p) => out.push(Node::Expr(&p.value)),
        Pattern::MatchSequence(p) => out.extend(p.patterns.iter().map(Node::Pattern)),
        Pattern::MatchMapping(p) => {
            exprs(&p.keys, out);
            out.extend(p.patterns.iter().map(Node::Pattern));
        }
        Pattern::MatchClass(p) => {
            out.push(Node::Expr(&p.cls));
            out.extend(p.arguments.patterns.iter().map(Node::Pattern));
            out.extend(p.arguments.keywords.iter().map(|k| Node::Pattern(&k.pattern)));
        }
        Pattern::MatchAs(p) => out.extend(p.pattern.iter().map(|p| Node::Pattern(p))),
        Pattern::MatchOr(p) => out.extend(p.patterns.iter().map(Node::Pattern)),
        Pattern::MatchSingleton(_) | Pattern::MatchStar(_) => {}
    }
}
