//! Errors and warnings of the compiler, with CPython's texts and positions.
//!
//! Inside the crate positions are byte ranges of the source (`Fault`); they become lines and columns in one place, `Fault::into_error`.

use ruff_text_size::{TextRange, TextSize};

use crate::source::LineIndex;

/// Which exception a failed compilation raises.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SyntaxErrorKind {
    Syntax,
    Indentation,
    Tab,
    /// Source that could go on (with `PyCF_ALLOW_INCOMPLETE_INPUT`); a SyntaxError otherwise.
    Incomplete,
    /// Too deep or too large to compile: RecursionError or MemoryError, as CPython.
    Recursion,
    Memory,
    Overflow,
    /// A null byte: `SyntaxError` without a position.
    Value,
}

/// A failed compilation. Columns count characters from 1; 0 means none.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SyntaxError {
    pub kind: SyntaxErrorKind,
    pub message: String,
    pub line: u32,
    pub col: u32,
    pub end_line: u32,
    /// 0 or -1 where CPython gives no end.
    pub end_col: i32,
    pub text: Option<String>,
    /// The warnings before the error.
    pub warnings: Vec<Warning>,
    /// For words that may be misspelled: where the last statement before begins (line from 1, column in bytes; 0 if there is none), and the
    /// source.
    pub context: Option<Box<(u32, u32, String)>>,
}

/// Category of a warning.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum WarningCategory {
    Syntax,
    Deprecation,
}

/// A warning to issue through `warnings.warn_explicit`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Warning {
    pub category: WarningCategory,
    pub message: String,
    pub line: u32,
    pub col: u32,
    pub end_line: u32,
    pub end_col: u32,
    /// The line it is about, where there is a source.
    pub text: Option<String>,
}

impl Warning {
    pub(crate) fn new(
        category: WarningCategory,
        source: &str,
        lines: &LineIndex,
        range: TextRange,
        message: String,
    ) -> Warning {
        let (line, col) = lines.line_and_char(source, range.start());
        let (end_line, end_col) = lines.line_and_char(source, range.end());
        Warning {
            category,
            message,
            line,
            col: col + 1,
            end_line,
            end_col: end_col + 1,
            text: (!lines.is_made_up()).then(|| lines.line_text(source, line)),
        }
    }
}

/// What is reported as the end of an error.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum End {
    /// The end of its range.
    Range,
    /// Column 0.
    Zero,
    /// Column -1, on the line of the start.
    Minus,
    /// No columns at all.
    Line,
    /// Of nothing: line 0 of an empty source.
    Nothing,
    /// As `Minus`; the start is between two columns and counts as the one before it.
    Cursor,
}

/// An error on its way through the crate.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Fault {
    pub kind: SyntaxErrorKind,
    pub message: String,
    pub range: Option<TextRange>,
    pub end: End,
}

/// Result of the crate's passes; the error is boxed since it is rare.
pub(crate) type Res<T = ()> = Result<T, Box<Fault>>;

/// A SyntaxError at `range`.
pub(crate) fn fault<T>(range: TextRange, message: impl Into<String>) -> Res<T> {
    Err(Box::new(Fault {
        kind: SyntaxErrorKind::Syntax,
        message: message.into(),
        range: Some(range),
        end: End::Range,
    }))
}

/// An error of another kind.
pub(crate) fn fault_of<T>(kind: SyntaxErrorKind, range: Option<TextRange>, message: impl Into<String>) -> Res<T> {
    Err(Box::new(Fault {
        kind,
        message: message.into(),
        range,
        end: End::Range,
    }))
}

impl Fault {
    pub(crate) fn into_error(self, source: &str, lines: &LineIndex) -> SyntaxError {
        let range = match self.range {
            Some(range) if self.end != End::Nothing => range,
            nowhere => {
                return SyntaxError {
                    kind: self.kind,
                    message: self.message,
                    line: 0,
                    col: 0,
                    end_line: 0,
                    end_col: 0,
                    text: nowhere.map(|_| String::new()),
                    warnings: Vec::new(),
                    context: None,
                };
            }
        };
        let (line, col) = lines.line_and_char(source, range.start());
        let (mut end_line, end_col) = lines.line_and_char(source, range.end());
        let mut end_col = end_col as i32 + 1;
        let start = range.start().to_usize();
        if !lines.is_made_up()
            && range.len() > TextSize::new(0)
            && matches!(source.as_bytes().get(range.end().to_usize() - 1), None | Some(b'\n'))
            && !source
                .get(start..range.end().to_usize() - 1)
                .is_some_and(|text| text.contains('\n'))
        {
            // The end of a line is one column wide.
            let (_, last) = lines.line_and_char(source, range.end() - TextSize::new(1));
            end_line = line;
            end_col = last as i32 + 2;
        }
        match self.end {
            End::Range | End::Nothing => {}
            End::Zero => end_col = 0,
            End::Line => (end_line, end_col) = (line, 0),
            End::Minus | End::Cursor => {
                end_line = line;
                end_col = -1;
            }
        }
        let col = match self.end {
            End::Cursor => col,
            End::Line => 0,
            _ => col + 1,
        };
        SyntaxError {
            kind: self.kind,
            message: self.message,
            line,
            col,
            end_line,
            end_col,
            text: (!lines.is_made_up()).then(|| lines.line_text(source, line)),
            warnings: Vec::new(),
            context: None,
        }
    }
}

/// The future features that can be inherited.
pub(crate) const FUTURE_MASK: u32 =
    lisle_bytecode::CodeFlags::FUTURE_ANNOTATIONS | lisle_bytecode::CodeFlags::FUTURE_BARRY_AS_BDFL;

/// What CPython calls an expression in "cannot assign to ...".
pub(crate) fn expr_name(e: &ruff_python_ast::Expr) -> &'static str {
    use ruff_python_ast::Expr;
    match e {
        Expr::Attribute(_) => "attribute",
        Expr::Subscript(_) => "subscript",
        Expr::Starred(_) => "starred",
        Expr::Name(_) => "name",
        Expr::List(_) => "list",
        Expr::Tuple(_) => "tuple",
        Expr::Lambda(_) => "lambda",
        Expr::Call(_) => "function call",
        Expr::BoolOp(_) | Expr::BinOp(_) | Expr::UnaryOp(_) => "expression",
        Expr::Generator(_) => "generator expression",
        Expr::Yield(_) | Expr::YieldFrom(_) => "yield expression",
        Expr::Await(_) => "await expression",
        Expr::ListComp(_) => "list comprehension",
        Expr::SetComp(_) => "set comprehension",
        Expr::DictComp(_) => "dict comprehension",
        Expr::Dict(_) => "dict literal",
        Expr::Set(_) => "set display",
        Expr::FString(_) => "f-string expression",
        Expr::TString(_) => "t-string expression",
        Expr::NoneLiteral(_) => "None",
        Expr::BooleanLiteral(b) if b.value => "True",
        Expr::BooleanLiteral(_) => "False",
        Expr::EllipsisLiteral(_) => "ellipsis",
        Expr::StringLiteral(_) | Expr::BytesLiteral(_) | Expr::NumberLiteral(_) => "literal",
        Expr::Compare(_) => "comparison",
        Expr::If(_) => "conditional expression",
        Expr::Named(_) => "named expression",
        Expr::Slice(_) | Expr::IpyEscapeCommand(_) => "expression",
    }
}
