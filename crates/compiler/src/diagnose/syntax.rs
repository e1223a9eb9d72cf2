//! The parser's first error in CPython's words.

use ruff_python_ast::token::TokenKind;
use ruff_python_ast::{Expr, Mod};
use ruff_python_parser::{InterpolatedStringErrorType, LexicalErrorType, ParseError, ParseErrorType, Parsed};
use ruff_text_size::{Ranged as _, TextRange, TextSize};

use super::targets;
use crate::Mode;
use crate::errors::{End, Fault, SyntaxErrorKind};
use crate::source::LineIndex;

/// A source that did not parse, and where.
pub(super) struct Failure<'p> {
    pub source: &'p str,
    pub lines: &'p LineIndex,
    /// Tokens without comments and blank lines.
    pub tokens: Vec<(TokenKind, TextRange)>,
    pub error: &'p ParseError,
    /// The token at the error.
    pub at: usize,
}

pub(super) fn syntax(range: TextRange, message: impl Into<String>) -> Fault {
    Fault {
        kind: SyntaxErrorKind::Syntax,
        message: message.into(),
        range: Some(range),
        end: End::Range,
    }
}

fn indentation(range: TextRange, message: impl Into<String>) -> Fault {
    Fault {
        kind: SyntaxErrorKind::Indentation,
        ..syntax(range, message)
    }
}

pub(super) fn explain(parsed: &Parsed<Mod>, error: &ParseError, source: &str, lines: &LineIndex, _mode: Mode) -> Fault {
    let skip = |kind: TokenKind| matches!(kind, TokenKind::Comment | TokenKind::NonLogicalNewline);
    let tokens: Vec<_> = parsed
        .tokens()
        .iter()
        .map(|t| (t.kind(), t.range()))
        .filter(|t| !skip(t.0))
        .collect();
    let start = error.location.start();
    let at = tokens.partition_point(|t| t.1.end() <= start && !(t.1.is_empty() && t.1.start() == start));
    // A dedent or indent at the place gives way to the token behind it.
    let failure = Failure {
        source,
        lines,
        at: at.min(tokens.len().saturating_sub(1)),
        tokens,
        error,
    };
    failure.explain()
}

impl<'p> Failure<'p> {
    pub(super) fn kind(&self, i: usize) -> TokenKind {
        self.tokens.get(i).map_or(TokenKind::EndOfFile, |t| t.0)
    }

    pub(super) fn range(&self, i: usize) -> TextRange {
        let end = TextSize::new(self.source.len() as u32);
        self.tokens.get(i).map_or(TextRange::empty(end), |t| t.1)
    }

    pub(super) fn text(&self, range: TextRange) -> &'p str {
        self.source
            .get(range.start().to_usize()..range.end().to_usize())
            .unwrap_or_default()
    }

    /// "invalid syntax" at the token at `i`.
    pub(super) fn invalid_at(&self, i: usize) -> Fault {
        match self.kind(i) {
            TokenKind::Indent => indentation(self.range(i), "unexpected indent"),
            TokenKind::Dedent | TokenKind::EndOfFile | TokenKind::Newline => {
                syntax(self.newline_range(i), "invalid syntax")
            }
            _ => syntax(self.range(i), "invalid syntax"),
        }
    }

    /// The token that ends a line, one column wide.
    fn newline_range(&self, i: usize) -> TextRange {
        let start = self.range(i).start();
        TextRange::at(start, TextSize::new(1))
    }

    fn invalid(&self) -> Fault {
        if let Some(letter) = self.in_fstring()
            && let Some(lambda) = self.open_lambda()
        {
            let message = format!("{letter}-string: lambda expressions are not allowed without parentheses");
            return syntax(self.range(lambda), message);
        }
        self.invalid_at(self.at)
    }

    /// The `lambda` before the error that stands in no brackets of its own within the braces of an f-string.
    fn open_lambda(&self) -> Option<usize> {
        let mut depth = 0usize;
        for i in (0..self.at).rev() {
            match self.kind(i) {
                TokenKind::Rpar | TokenKind::Rsqb | TokenKind::Rbrace => depth += 1,
                TokenKind::Lpar | TokenKind::Lsqb | TokenKind::Lbrace => depth = depth.checked_sub(1)?,
                TokenKind::Lambda if depth == 0 => return Some(i),
                _ => {}
            }
        }
        None
    }

    fn explain(&self) -> Fault {
        use ParseErrorType as E;
        let location = self.error.location;
        match &self.error.error {
            E::UnexpectedIndentation => self.unexpected_indent(),
            E::Lexical(LexicalErrorType::IndentationError) => {
                indentation(location, "unindent does not match any outer indentation level")
            }
            E::Lexical(LexicalErrorType::InvalidByteLiteral) => {
                syntax(location, "bytes can only contain ASCII literal characters")
            }
            E::Lexical(
                LexicalErrorType::UnicodeError
                | LexicalErrorType::MissingUnicodeLbrace
                | LexicalErrorType::MissingUnicodeRbrace
                | LexicalErrorType::StringError,
            ) => self.bad_escape(location),
            E::Lexical(LexicalErrorType::OtherError(text)) if text.contains("unicode") || text.contains("escape") => {
                self.bad_escape(location)
            }
            E::Lexical(LexicalErrorType::FStringError(e)) | E::FStringError(e) => self.fstring_error(e, 'f'),
            E::Lexical(LexicalErrorType::TStringError(e)) | E::TStringError(e) => self.fstring_error(e, 't'),
            E::InvalidAssignmentTarget
            | E::InvalidNamedAssignmentTarget
            | E::InvalidAnnotatedAssignmentTarget
            | E::InvalidAugmentedAssignmentTarget
            | E::InvalidDeleteTarget => targets::explain(self),
            E::ExpectedToken { expected, found } => self.expected(*expected, *found),
            E::SimpleStatementsOnSameLine | E::SimpleAndCompoundStatementOnSameLine => self.same_line(),
            E::NonDefaultParamAfterDefaultParam => {
                let range = match self.kind(self.at) {
                    TokenKind::Name => self.range(self.at),
                    _ => location,
                };
                syntax(range, "parameter without a default follows parameter with a default")
            }
            E::ParamAfterVarKeywordParam => {
                let range = self.range(self.at);
                syntax(range, "arguments cannot follow var-keyword argument")
            }
            E::VarParameterWithDefault => self.star_default(),
            E::ExpectedKeywordParam => {
                // The star itself is what CPython points at.
                let star = (0..=self.at)
                    .rev()
                    .find(|&i| self.kind(i) == TokenKind::Star)
                    .unwrap_or(self.at);
                syntax(self.range(star), "named arguments must follow bare *")
            }
            E::UnparenthesizedGeneratorExpression => syntax(location, "Generator expression must be parenthesized"),
            E::PositionalAfterKeywordArgument => self.after_keyword("positional argument follows keyword argument"),
            E::PositionalAfterKeywordUnpacking => {
                self.after_keyword("positional argument follows keyword argument unpacking")
            }
            E::InvalidArgumentUnpackingOrder => self.unpacking_order(),
            E::IterableUnpackingInComprehension => {
                syntax(location, "iterable unpacking cannot be used in comprehension")
            }
            E::InvalidMatchPatternTarget => syntax(location, "cannot use '_' as a target"),
            E::ExpectedRealNumber => syntax(location, "real number required in complex literal"),
            E::ExpectedImaginaryNumber => syntax(location, "imaginary number required in complex literal"),
            E::EmptyImportNames => {
                if matches!(self.kind(self.at), TokenKind::Newline | TokenKind::EndOfFile) {
                    syntax(self.newline_range(self.at), "Expected one or more names after 'import'")
                } else {
                    self.invalid()
                }
            }
            E::EmptyTypeParams => syntax(
                TextRange::empty(self.range(self.at).start()),
                "Type parameter list cannot be empty",
            ),
            E::InvalidStarredExpressionUsage => self.starred(),
            E::InvalidYieldExpressionUsage => {
                let after = self.tokens.partition_point(|t| t.1.end() <= location.end());
                if self.kind(after) == TokenKind::Equal {
                    return syntax(location, "assignment to yield expression not possible");
                }
                self.invalid()
            }
            E::ExpectedExpression => self.expected_expression(),
            E::OtherError(text) => self.other(text),
            E::UnparenthesizedNamedExpression => self.unparenthesized_named(),
            _ => self.invalid(),
        }
    }

    fn unexpected_indent(&self) -> Fault {
        let at = self.at;
        let token = self.range(at + usize::from(self.kind(at) == TokenKind::Indent));
        let end = if self.kind(at) == TokenKind::Indent {
            self.range(at).end()
        } else {
            token.start()
        };
        // CPython counts from the last blank.
        let place = TextRange::empty(end.checked_sub(TextSize::new(1)).unwrap_or(end));
        Fault {
            end: End::Minus,
            ..indentation(place, "unexpected indent")
        }
    }

    fn after_keyword(&self, message: &str) -> Fault {
        // CPython points at the last token of the arguments.
        let mut depth = 0usize;
        let mut i = self.at;
        while i < self.tokens.len() {
            match self.kind(i) {
                TokenKind::Lpar | TokenKind::Lsqb | TokenKind::Lbrace => depth += 1,
                TokenKind::Rpar | TokenKind::Rsqb | TokenKind::Rbrace if depth == 0 => {
                    return syntax(self.range(i), message);
                }
                TokenKind::Rpar | TokenKind::Rsqb | TokenKind::Rbrace => depth -= 1,
                TokenKind::Newline if depth == 0 => break,
                _ => {}
            }
            i += 1;
        }
        syntax(self.range(self.at), message)
    }

    fn unpacking_order(&self) -> Fault {
        // From the first `**` to the end of the starred argument.
        let mut depth = 0usize;
        let mut first = self.at;
        for i in (0..self.at).rev() {
            match self.kind(i) {
                TokenKind::Rpar | TokenKind::Rsqb | TokenKind::Rbrace => depth += 1,
                TokenKind::Lpar | TokenKind::Lsqb | TokenKind::Lbrace if depth == 0 => break,
                TokenKind::Lpar | TokenKind::Lsqb | TokenKind::Lbrace => depth -= 1,
                TokenKind::DoubleStar if depth == 0 => first = i,
                _ => {}
            }
        }
        let _ = first;
        syntax(
            self.range(self.at),
            "iterable argument unpacking follows keyword argument unpacking",
        )
    }

    fn star_default(&self) -> Fault {
        // At the `=`.
        let equal = (self.at..self.tokens.len())
            .find(|&i| self.kind(i) == TokenKind::Equal)
            .unwrap_or(self.at);
        let star = (0..equal)
            .rev()
            .find(|&i| matches!(self.kind(i), TokenKind::Star | TokenKind::DoubleStar));
        let message = match star.map(|i| self.kind(i)) {
            Some(TokenKind::DoubleStar) => "var-keyword argument cannot have default value",
            _ => "var-positional argument cannot have default value",
        };
        syntax(self.range(equal), message)
    }

    fn bad_escape(&self, location: TextRange) -> Fault {
        // The literal around the escape.
        let literal = self
            .tokens
            .iter()
            .find(|t| t.1.start() <= location.start() && location.start() < t.1.end())
            .map_or(location, |t| t.1);
        let text = self.text(literal);
        let prefix_len = text.find(['\'', '"']).unwrap_or(0);
        let prefix = text[..prefix_len].to_ascii_lowercase();
        let quotes = if text[prefix_len..].starts_with("\"\"\"") || text[prefix_len..].starts_with("'''") {
            3
        } else {
            1
        };
        let content = &text[(prefix_len + quotes).min(text.len())..];
        if prefix.contains('b') {
            let (at, _) = bad_escape(content, true);
            return syntax(literal, format!("(value error) invalid \\x escape at position {at}"));
        }
        let (_, message) = bad_escape(content, false);
        syntax(
            literal,
            format!("(unicode error) 'unicodeescape' codec can't decode bytes in {message}"),
        )
    }

    // ---- f-strings ----

    fn fstring_error(&self, e: &InterpolatedStringErrorType, letter: char) -> Fault {
        use InterpolatedStringErrorType as F;
        let range = self.range(self.at);
        let message = match e {
            F::UnclosedLbrace => return self.unclosed_lbrace(letter),
            F::InvalidConversionFlag => {
                let shown = self.text(range);
                if self.kind(self.at) == TokenKind::Name {
                    format!("invalid conversion character '{shown}': expected 's', 'r', or 'a'")
                } else {
                    "invalid conversion character".into()
                }
            }
            F::SingleRbrace => "single '}' is not allowed".into(),
            F::UnterminatedString => "unterminated string".into(),
            F::UnterminatedTripleQuotedString => "unterminated triple-quoted string".into(),
            F::LambdaWithoutParentheses => "lambda expressions are not allowed without parentheses".into(),
            F::ConversionFlagNotImmediatelyAfterExclamation => {
                "conversion type must come right after the exclamation mark".into()
            }
            F::NewlineInFormatSpec => {
                "newlines are not allowed in format specifiers for single quoted f-strings".into()
            }
        };
        syntax(range, format!("{letter}-string: {message}"))
    }

    fn unclosed_lbrace(&self, letter: char) -> Fault {
        let range = self.range(self.at);
        syntax(range, format!("{letter}-string: expecting '}}'"))
    }

    /// Whether the error is inside the braces of an f-string; its letter.
    fn in_fstring(&self) -> Option<char> {
        let mut depth = 0usize;
        for i in (0..self.at).rev() {
            match self.kind(i) {
                TokenKind::FStringEnd | TokenKind::TStringEnd => depth += 1,
                TokenKind::FStringStart if depth == 0 => return Some('f'),
                TokenKind::TStringStart if depth == 0 => return Some('t'),
                TokenKind::FStringStart | TokenKind::TStringStart => depth -= 1,
                _ => {}
            }
        }
        None
    }

    fn expected_expression(&self) -> Fault {
        let previous = self.at.checked_sub(1).map(|i| self.kind(i));
        if let Some(letter) = self.in_fstring()
            && (previous == Some(TokenKind::Lbrace)
                || previous == Some(TokenKind::Star)
                    && self.at >= 2
                    && self.kind(self.at - 2) == TokenKind::Lbrace
                    && self.kind(self.at) == TokenKind::Rbrace)
        {
            let range = self.range(self.at);
            let shown = match self.kind(self.at) {
                TokenKind::Rbrace if previous == Some(TokenKind::Lbrace) => "}",
                TokenKind::Exclamation => "!",
                TokenKind::Colon => ":",
                TokenKind::Equal => "=",
                _ => {
                    return syntax(
                        range,
                        format!("{letter}-string: expecting a valid expression after '{{'"),
                    );
                }
            };
            return syntax(
                range,
                format!("{letter}-string: valid expression required before '{shown}'"),
            );
        }
        self.operand_missing()
    }

    fn operand_missing(&self) -> Fault {
        let previous = self.at.checked_sub(1).map(|i| self.kind(i));
        let here = self.kind(self.at);
        let ends_value = matches!(
            here,
            TokenKind::Comma | TokenKind::Rpar | TokenKind::Colon | TokenKind::Rarrow
        );
        match (previous, here) {
            (Some(TokenKind::Not), _) => self.invalid(),
            (Some(TokenKind::Equal), _) if ends_value && self.in_parameters() => {
                syntax(self.range(self.at - 1), "expected default value expression")
            }
            (Some(TokenKind::Equal), TokenKind::Comma | TokenKind::Rpar)
                if self.at >= 2 && self.bracket() == Some('(') =>
            {
                let start = self.range(self.at - 2).start();
                let range = TextRange::new(start, self.range(self.at - 1).end());
                syntax(range, "expected argument value expression")
            }
            (Some(TokenKind::Star), _)
                if self.at >= 2
                    && matches!(
                        self.kind(self.at - 2),
                        TokenKind::Lpar | TokenKind::Lsqb | TokenKind::Comma
                    )
                    && matches!(self.bracket(), Some('(' | '[')) =>
            {
                syntax(self.range(self.at - 1), "Invalid star expression")
            }
            (Some(TokenKind::Colon), TokenKind::Comma | TokenKind::Rbrace) if self.bracket() == Some('{') => syntax(
                self.range(self.at - 1),
                "expression expected after dictionary key and ':'",
            ),
            (Some(TokenKind::Colon), TokenKind::Star) if self.bracket() == Some('{') => {
                let start = self.range(self.at).start();
                let end = targets::expression_end(self, self.at + 1).unwrap_or(self.range(self.at).end());
                syntax(
                    TextRange::new(start, end),
                    "cannot use a starred expression in a dictionary value",
                )
            }
            (Some(operator), TokenKind::Not) if operator.is_operator() && operator != TokenKind::Comma => {
                syntax(self.range(self.at), "'not' after an operator must be parenthesized")
            }
            (Some(TokenKind::Else), _) if self.ternary_else() => syntax(
                self.range(self.at),
                "expected expression after 'else', but statement is given",
            ),
            _ => self.invalid(),
        }
    }

    /// The innermost bracket that is open at the error.
    fn bracket(&self) -> Option<char> {
        let mut depth = 0usize;
        for i in (0..self.at).rev() {
            match self.kind(i) {
                TokenKind::Rpar | TokenKind::Rsqb | TokenKind::Rbrace => depth += 1,
                TokenKind::Lpar | TokenKind::Lsqb | TokenKind::Lbrace if depth == 0 => {
                    return self.text(self.range(i)).chars().next();
                }
                TokenKind::Lpar | TokenKind::Lsqb | TokenKind::Lbrace => depth -= 1,
                _ => {}
            }
        }
        None
    }

    /// In the parameters of a function or lambda.
    fn in_parameters(&self) -> bool {
        let mut depth = 0i32;
        for i in (0..self.at).rev() {
            match self.kind(i) {
                TokenKind::Rpar | TokenKind::Rsqb | TokenKind::Rbrace => depth += 1,
                TokenKind::Lpar if depth == 0 => {
                    return i >= 2 && self.kind(i - 2) == TokenKind::Def;
                }
                TokenKind::Lpar | TokenKind::Lsqb | TokenKind::Lbrace => depth -= 1,
                TokenKind::Lambda if depth == 0 => return true,
                TokenKind::Newline => return false,
                _ => {}
            }
        }
        false
    }

    fn not_after_operator(&self) -> Fault {
        let start = self.range(self.at).start();
        let end = targets::expression_end(self, self.at).unwrap_or(self.range(self.at).end());
        syntax(
            TextRange::new(start, end),
            "'not' after an operator must be parenthesized",
        )
    }

    fn ternary_else(&self) -> bool {
        // `else` of a conditional expression stands in a line that has an `if` before it.
        matches!(
            self.kind(self.at),
            TokenKind::Pass
                | TokenKind::Break
                | TokenKind::Continue
                | TokenKind::Return
                | TokenKind::Raise
                | TokenKind::Global
                | TokenKind::Nonlocal
                | TokenKind::Del
                | TokenKind::Assert
                | TokenKind::Import
                | TokenKind::From
        )
    }

    // ---- tokens that are not what was expected ----

    fn expected(&self, expected: TokenKind, found: TokenKind) -> Fault {
        let range = self.range(self.at);
        match (expected, found) {
            (TokenKind::Colon, TokenKind::Lpar) if self.in_parameters() => self.bad_parameter(),
            (TokenKind::Colon, TokenKind::Comma | TokenKind::Rbrace) if self.bracket() == Some('{') && self.at > 0 => {
                let key = TextRange::empty(self.range(self.at - 1).start());
                Fault {
                    end: End::Zero,
                    ..syntax(key, "':' expected after dictionary key")
                }
            }
            (TokenKind::Colon, _) if self.in_header() => self.colon(),
            (TokenKind::Else, _) => self.missing_else(),
            (TokenKind::Comma, _) => self.comma(),
            (TokenKind::Rbrace, _) if self.in_fstring().is_some() => {
                let letter = self.in_fstring().unwrap_or('f');
                self.fstring_brace(letter)
            }
            (TokenKind::Lpar, _) if self.after_def_name() || self.in_def_parameters() => {
                syntax(self.newline_or(range), "expected '('")
            }
            (TokenKind::Rpar, TokenKind::Lpar) if self.in_def_parameters() => syntax(
                self.parenthesized(self.at),
                "Function parameters cannot be parenthesized",
            ),
            (TokenKind::Import, _) => self.invalid(),
            (TokenKind::In, _) => self.missing_in(),
            (TokenKind::Rpar | TokenKind::Rsqb, _) => self.comma(),
            _ => self.invalid(),
        }
    }

    fn newline_or(&self, range: TextRange) -> TextRange {
        match self.kind(self.at) {
            TokenKind::Newline | TokenKind::EndOfFile => self.newline_range(self.at),
            _ => range,
        }
    }

    /// The keyword that starts the logical line of the error.
    fn line_keyword(&self) -> Option<(usize, TokenKind)> {
        let mut start = self.at;
        let mut depth = 0i32;
        while start > 0 {
            match self.kind(start - 1) {
                TokenKind::Newline | TokenKind::Indent | TokenKind::Dedent if depth <= 0 => break,
                TokenKind::Semi => break,
                TokenKind::Rpar | TokenKind::Rsqb | TokenKind::Rbrace => depth += 1,
                TokenKind::Lpar | TokenKind::Lsqb | TokenKind::Lbrace => depth -= 1,
                _ => {}
            }
            start -= 1;
        }
        (start < self.tokens.len()).then(|| (start, self.kind(start)))
    }

    fn in_header(&self) -> bool {
        let Some((start, kind)) = self.line_keyword() else {
            return false;
        };
        let kind = if kind == TokenKind::Async {
            self.kind(start + 1)
        } else {
            kind
        };
        matches!(
            kind,
            TokenKind::If
                | TokenKind::Elif
                | TokenKind::Else
                | TokenKind::While
                | TokenKind::For
                | TokenKind::Try
                | TokenKind::Except
                | TokenKind::Finally
                | TokenKind::With
                | TokenKind::Def
                | TokenKind::Class
                | TokenKind::Match
                | TokenKind::Case
                | TokenKind::Lambda
        )
    }

    fn colon(&self) -> Fault {
        let Some((start, mut kind)) = self.line_keyword() else {
            return self.invalid();
        };
        if kind == TokenKind::Async {
            kind = self.kind(start + 1);
        }
        let here = self.kind(self.at);
        if here == TokenKind::Equal && matches!(kind, TokenKind::If | TokenKind::Elif | TokenKind::While) {
            return targets::equal_in_condition(self);
        }
        let ends_line = matches!(here, TokenKind::Newline | TokenKind::EndOfFile);
        let forced = matches!(
            kind,
            TokenKind::Def | TokenKind::Try | TokenKind::Finally | TokenKind::Else | TokenKind::For
        );
        if ends_line || forced {
            if ends_line {
                return syntax(self.newline_range(self.at), "expected ':'");
            }
            if matches!(
                kind,
                TokenKind::Else | TokenKind::Try | TokenKind::Finally | TokenKind::Def
            ) {
                return syntax(self.range(self.at), "expected ':'");
            }
        }
        self.invalid()
    }

    fn missing_else(&self) -> Fault {
        // `a if b` without `else`: from the start of the expression to its end.
        let Some(if_at) = (0..self.at).rev().find(|&i| self.kind(i) == TokenKind::If) else {
            return self.invalid();
        };
        let here = self.kind(self.at);
        if matches!(here, TokenKind::Colon | TokenKind::Else) {
            return self.invalid();
        }
        let start = targets::operand_start(self, if_at);
        // `[x for x if y]`: what looks like a conditional expression is the target of a loop.
        let mut before = start;
        while before > 0 && matches!(self.kind(before - 1), TokenKind::Comma | TokenKind::Name) {
            before -= 1;
        }
        if before > 0 && self.kind(before - 1) == TokenKind::For {
            return syntax(self.range(if_at), "'in' expected after for-loop variables");
        }
        let end = self.range(self.at - 1).end();
        syntax(
            TextRange::new(self.range(start).start(), end),
            "expected 'else' after 'if' expression",
        )
    }

    fn missing_in(&self) -> Fault {
        if matches!(self.line_keyword(), Some((_, TokenKind::For | TokenKind::Async))) {
            return self.invalid();
        }
        syntax(self.range(self.at), "'in' expected after for-loop variables")
    }

    fn fstring_brace(&self, letter: char) -> Fault {
        let range = self.range(self.at);
        match self.kind(self.at) {
            TokenKind::FStringEnd | TokenKind::TStringEnd => syntax(range, format!("{letter}-string: expecting '}}'")),
            _ => syntax(
                range,
                format!("{letter}-string: expecting '=', or '!', or ':', or '}}'"),
            ),
        }
    }

    fn after_def_name(&self) -> bool {
        self.at >= 2 && matches!(self.kind(self.at - 2), TokenKind::Def)
    }

    fn in_def_parameters(&self) -> bool {
        matches!(self.line_keyword(), Some((_, TokenKind::Def | TokenKind::Async)))
    }

    /// From the bracket at `i` to the one that closes it.
    fn parenthesized(&self, i: usize) -> TextRange {
        let mut depth = 0usize;
        for j in i..self.tokens.len() {
            match self.kind(j) {
                TokenKind::Lpar | TokenKind::Lsqb | TokenKind::Lbrace => depth += 1,
                TokenKind::Rpar | TokenKind::Rsqb | TokenKind::Rbrace => {
                    depth -= 1;
                    if depth == 0 {
                        return TextRange::new(self.range(i).start(), self.range(j).end());
                    }
                }
                _ => {}
            }
        }
        self.range(i)
    }

    /// Two expressions in a row inside brackets.
    pub(super) fn comma(&self) -> Fault {
        match self.kind(self.at) {
            TokenKind::Equal => return targets::equal_in_brackets(self),
            TokenKind::For => {
                if let Some(fault) = targets::comprehension_target(self) {
                    return fault;
                }
            }
            TokenKind::Lpar if self.in_parameters() => return self.bad_parameter(),
            TokenKind::Star if self.in_parameters() => return self.bad_parameter(),
            TokenKind::Rbrace | TokenKind::Comma => return self.operand_missing(),
            _ => {}
        }
        targets::forgotten_comma(self).unwrap_or_else(|| self.invalid())
    }

    fn starred(&self) -> Fault {
        let location = self.error.location;
        let text = self.text(location);
        if let Some((start, _)) = self.line_keyword()
            && self.range(start).start() == location.start()
            && text.starts_with('*')
        {
            return syntax(location, "can't use starred expression here");
        }
        self.invalid_at(self.at)
    }

    fn unparenthesized_named(&self) -> Fault {
        let colon_equal = (self.at..self.tokens.len())
            .find(|&i| self.kind(i) == TokenKind::ColonEqual)
            .unwrap_or(self.at);
        self.invalid_at(colon_equal)
    }

    // ---- statements in a row ----

    fn same_line(&self) -> Fault {
        if let Some(fault) = self.legacy_print() {
            return fault;
        }
        let keyword = self.line_keyword();
        if let Some((start, TokenKind::Import)) = keyword
            && self.kind(self.at) == TokenKind::From
        {
            let end = (self.at..self.tokens.len())
                .find(|&i| {
                    matches!(
                        self.kind(i),
                        TokenKind::Newline | TokenKind::Semi | TokenKind::EndOfFile
                    )
                })
                .unwrap_or(self.at);
            let range = TextRange::new(self.range(start).start(), self.range(end.saturating_sub(1)).end());
            return syntax(range, "Did you mean to use 'from ... import ...' instead?");
        }
        if let Some(fault) = targets::bad_statement(self) {
            return fault;
        }
        if let Some(fault) = targets::forgotten_comma(self) {
            return fault;
        }
        self.invalid()
    }

    /// `print x` and `exec x`.
    fn legacy_print(&self) -> Option<Fault> {
        let previous = self.at.checked_sub(1)?;
        let range = self.range(previous);
        let name = self.text(range);
        if !matches!(name, "print" | "exec") || self.kind(previous) != TokenKind::Name {
            return None;
        }
        if previous > 0 && self.kind(previous - 1) == TokenKind::Dot {
            return None;
        }
        // What follows must be an expression.
        let rest_end = targets::expression_end(self, self.at)?;
        let range = TextRange::new(range.start(), rest_end);
        Some(syntax(
            range,
            format!("Missing parentheses in call to '{name}'. Did you mean {name}(...)?"),
        ))
    }

    // ---- the parser's own texts ----

    fn other(&self, text: &str) -> Fault {
        let location = self.error.location;
        if let Some(clause) = text.strip_prefix("Expected an indented block after ") {
            return self.missing_block(clause);
        }
        let here = self.range(self.at);
        let message = match text {
            "Only one '/' separator allowed" => "/ may appear only once",
            "'/' parameter must appear before '*' parameter" => "/ must be ahead of *",
            "Position-only parameter separator not allowed as first parameter" => {
                let before = (0..self.at).rev().map(|i| self.kind(i));
                let star = before.take_while(|k| !matches!(k, TokenKind::Lpar | TokenKind::Lambda));
                if star.into_iter().any(|k| k == TokenKind::Star) {
                    "/ must be ahead of *"
                } else if self.kind(self.at + 1) == TokenKind::Comma {
                    "at least one argument must precede /"
                } else {
                    return self.invalid();
                }
            }
            "Only one '*' parameter allowed" | "Only one '*' separator allowed" => "* argument may appear only once",
            "Only one '**' parameter allowed" => "arguments cannot follow var-keyword argument",
            "Cannot have both 'except' and 'except*' on the same 'try'" => {
                let star = self.kind(self.at + 1) == TokenKind::Star;
                let end = self.range(self.at + usize::from(star)).end();
                return syntax(
                    TextRange::new(here.start(), end),
                    "cannot have both 'except' and 'except*' on the same 'try'",
                );
            }
            "Only single target (not tuple) can be annotated" => "only single target (not tuple) can be annotated",
            "Only single target (not list) can be annotated" => "only single target (not list) can be annotated",
            "Expected one or more exception types" => "expected one or more exception types",
            "Trailing comma not allowed" => {
                let newline = (self.at..self.tokens.len())
                    .find(|&i| matches!(self.kind(i), TokenKind::Newline | TokenKind::EndOfFile))
                    .unwrap_or(self.at);
                return syntax(
                    self.newline_range(newline),
                    "trailing comma not allowed without surrounding parentheses",
                );
            }
            "Expected `except` or `finally` after `try` block" => "expected 'except' or 'finally' block",
            "Positional patterns cannot follow keyword patterns" => "positional patterns follow keyword patterns",
            "Boolean 'not' expression cannot be used here" => return self.not_after_operator(),
            "Multiple exception types must be parenthesized when using `as`" => {
                "multiple exception types must be parenthesized when using 'as'"
            }
            "Invalid decimal integer literal" => {
                "leading zeros in decimal integer literals are not permitted; use an 0o prefix for octal integers"
            }
            "Expected a parameter name" => return targets::keyword_target(self),
            "Invalid value for a class pattern" => "positional patterns follow keyword patterns",
            "Expected a statement" | "Expected a simple statement" => return self.expected_statement(),
            "Expected an expression" => return self.expected_expression(),
            "Expected a parameter or the end of the parameter list" => return self.bad_parameter(),
            _ if text.starts_with("Expected an expression or") => return self.comma_or_expression(),
            _ => return self.invalid(),
        };
        let range = match text {
            "Only single target (not tuple) can be annotated"
            | "Only single target (not list) can be annotated"
            | "Multiple exception types must be parenthesized when using `as`"
            | "Positional patterns cannot follow keyword patterns"
            | "Expected one or more exception types" => location,
            _ => here,
        };
        syntax(range, message)
    }

    fn bad_parameter(&self) -> Fault {
        let range = self.range(self.at);
        let previous = self.at.checked_sub(1).map(|i| self.kind(i));
        match self.kind(self.at) {
            TokenKind::Lpar => {
                let what = if self.in_def_parameters() {
                    "Function"
                } else {
                    "Lambda expression"
                };
                syntax(
                    self.parenthesized(self.at),
                    format!("{what} parameters cannot be parenthesized"),
                )
            }
            TokenKind::Star if previous == Some(TokenKind::Slash) => syntax(range, "expected comma between / and *"),
            _ => self.operand_missing(),
        }
    }

    fn comma_or_expression(&self) -> Fault {
        if let Some(fault) = targets::forgotten_comma(self) {
            return fault;
        }
        self.operand_missing()
    }

    fn expected_statement(&self) -> Fault {
        if let Some(fault) = targets::bad_statement(self) {
            return fault;
        }
        self.invalid()
    }

    fn missing_block(&self, clause: &str) -> Fault {
        // The header is the last line that ends in a colon before here.
        let mut colon = self.at;
        while colon > 0 && self.kind(colon) != TokenKind::Colon {
            colon -= 1;
        }
        let header = Failure {
            source: self.source,
            lines: self.lines,
            tokens: self.tokens.clone(),
            error: self.error,
            at: colon,
        };
        let line = header.line_keyword().map_or(1, |(start, kind)| {
            // Decorators and `async` belong to the statement.
            let _ = kind;
            self.lines.line(self.range(start).start())
        });
        let what = match clause {
            "function definition" => "function definition".to_string(),
            "`class` definition" => "class definition".to_string(),
            _ => {
                let word = clause.split('`').nth(1).unwrap_or(clause);
                format!("'{word}' statement")
            }
        };
        // The error stands at the first token of the line that should have been indented.
        let mut at = self.at;
        while matches!(self.kind(at), TokenKind::Newline | TokenKind::Dedent) && at + 1 < self.tokens.len() {
            at += 1;
        }
        let range = match self.kind(at) {
            TokenKind::EndOfFile => {
                let end = self.source.trim_end_matches('\n').len() as u32;
                let fault = indentation(
                    TextRange::empty(TextSize::new(end)),
                    format!("expected an indented block after {what} on line {line}"),
                );
                return Fault {
                    end: End::Minus,
                    ..fault
                };
            }
            _ => self.range(at),
        };
        indentation(range, format!("expected an indented block after {what} on line {line}"))
    }

    /// The expression at exactly `range`, parsed on its own.
    pub(super) fn expression(&self, range: TextRange) -> Option<Expr> {
        ruff_python_parser::parse_parenthesized_expression_range(self.source, range)
            .ok()
            .map(|parsed| parsed.into_expr())
    }
}

/// Where an escape sequence goes wrong, and CPython's text about it.
fn bad_escape(content: &str, bytes: bool) -> (usize, String) {
    let mut at = 0;
    let raw = content.as_bytes();
    while at + 1 < raw.len() {
        if raw[at] != b'\\' {
            at += 1;
            continue;
        }
        let (digits, name) = match raw[at + 1] {
            b'x' => (2, "truncated \\xXX escape"),
            b'u' if !bytes => (4, "truncated \\uXXXX escape"),
            b'U' if !bytes => (8, "truncated \\UXXXXXXXX escape"),
            b'N' if !bytes => {
                let rest = &content[at + 2..];
                let close = rest.find('}').filter(|_| rest.starts_with('{'));
                match close {
                    Some(close) if close > 1 => {
                        let known = ruff_python_parser::parse_expression(&format!("'\\N{}'", &rest[..=close])).is_ok();
                        if known {
                            at += 2 + close;
                            continue;
                        }
                        let end = at + 2 + close;
                        return (at, format!("position {at}-{end}: unknown Unicode character name"));
                    }
                    _ => {
                        let end = at + 1 + usize::from(rest.starts_with('{'));
                        return (at, format!("position {at}-{end}: malformed \\N character escape"));
                    }
                }
            }
            _ => {
                at += 2;
                continue;
            }
        };
        let good = raw[at + 2..]
            .iter()
            .take(digits)
            .take_while(|b| b.is_ascii_hexdigit())
            .count();
        if good < digits {
            return (at, format!("position {at}-{}: {name}", at + 1 + good));
        }
        let value = u32::from_str_radix(&content[at + 2..at + 2 + digits], 16).unwrap_or(0);
        if value > 0x10_ffff {
            return (
                at,
                format!("position {at}-{}: illegal Unicode character", at + 1 + digits),
            );
        }
        at += 2 + digits;
    }
    (0, "position 0-1: truncated escape".into())
}
