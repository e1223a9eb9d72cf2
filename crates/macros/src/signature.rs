//! Parsing of signature texts such as `($self, object, /, *, key=None)`.
//! Invariant: what parses here is a valid Python parameter list, apart from a leading `$self`, `$type` or `$module`
//! and defaults such as `<unrepresentable>`. Defaults are kept as text; `function` decides what they mean in Rust.

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    PosOnly,
    PosOrKw,
    VarArgs,
    KwOnly,
    VarKw,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SigParam {
    pub name: String,
    pub kind: Kind,
    pub default: Option<String>,
}

impl SigParam {
    pub fn required(&self) -> bool {
        self.default.is_none() && !matches!(self.kind, Kind::VarArgs | Kind::VarKw)
    }
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sig {
    pub text: String,
    /// `self`, `type` or `module` where the text starts with a `$` marker.
    pub receiver: Option<String>,
    pub params: Vec<SigParam>,
}

impl Sig {
    pub fn parse(text: &str) -> Result<Sig, String> {
        let inner = text.trim().strip_prefix('(').and_then(|rest| rest.strip_suffix(')'));
        let inner = inner.ok_or("a signature looks like \"(a, b=1, /)\"")?;
        let mut sig = Sig {
            text: text.trim().to_owned(),
            receiver: None,
            params: Vec::new(),
        };
        let mut kind = Kind::PosOrKw;
        let mut bare_star = false;
        for (at, part) in split(inner)?.into_iter().enumerate() {
            if let Some(receiver) = part.strip_prefix('$') {
                if at != 0 {
                    return Err(format!("${receiver} must come first"));
                }
                sig.receiver = Some(receiver.to_owned());
            } else if part == "/" {
                if kind != Kind::PosOrKw || sig.params.iter().any(|param| param.kind == Kind::PosOnly) {
                    return Err("misplaced /".into());
                }
                sig.params.iter_mut().for_each(|param| param.kind = Kind::PosOnly);
            } else if part == "*" {
                if kind != Kind::PosOrKw {
                    return Err("misplaced *".into());
                }
                kind = Kind::KwOnly;
                bare_star = true;
            } else if let Some(name) = part.strip_prefix("**") {
                sig.push(name, Kind::VarKw, None)?;
                kind = Kind::VarKw;
            } else if let Some(name) = part.strip_prefix('*') {
                if kind != Kind::PosOrKw {
                    return Err("misplaced *".into());
                }
                sig.push(name, Kind::VarArgs, None)?;
                kind = Kind::KwOnly;
            } else {
                let (name, default) = match part.split_once('=') {
                    Some((name, default)) => (name.trim(), Some(default.trim().to_owned())),
                    None => (part, None),
                };
                if kind == Kind::VarKw {
                    return Err(format!("{name} follows **"));
                }
                let after_default = sig
                    .params
                    .iter()
                    .any(|param| param.kind != Kind::KwOnly && param.default.is_some());
                if kind == Kind::PosOrKw && default.is_none() && after_default {
                    return Err(format!("{name} has no default but follows one that has"));
                }
                bare_star = false;
                sig.push(name, kind, default)?;
            }
        }
        if bare_star {
            return Err("a named parameter must follow *".into());
        }
        Ok(sig)
    }

    fn push(&mut self, name: &str, kind: Kind, default: Option<String>) -> Result<(), String> {
        let mut chars = name.chars();
        let starts = chars.next().is_some_and(|c| c.is_alphabetic() || c == '_');
        if !starts || !chars.all(|c| c.is_alphanumeric() || c == '_') {
            return Err(format!("{name:?} is no parameter name"));
        }
        if self.params.iter().any(|param| param.name == name) {
            return Err(format!("two parameters are called {name}"));
        }
        self.params.push(SigParam {
            name: name.to_owned(),
            kind,
            default,
        });
        Ok(())
    }

    pub fn count(&self, keep: impl Fn(&SigParam) -> bool) -> usize {
        self.params.iter().filter(|param| keep(param)).count()
    }

    /// How many parameters can be given by position.
    pub fn positional(&self) -> usize {
        self.count(|param| matches!(param.kind, Kind::PosOnly | Kind::PosOrKw))
    }

    /// How many positional parameters have no default.
    pub fn required_positional(&self) -> usize {
        self.count(|param| param.required() && param.kind != Kind::KwOnly)
    }

    /// Whether some parameter can be given by name.
    pub fn takes_keywords(&self) -> bool {
        self.params
            .iter()
            .any(|param| !matches!(param.kind, Kind::PosOnly | Kind::VarArgs))
    }
}

/// Splits at commas outside of brackets and quotes; one trailing comma is fine.
fn split(inner: &str) -> Result<Vec<&str>, String> {
    let mut parts = Vec::new();
    let (mut depth, mut start) = (0u32, 0);
    let mut quote: Option<char> = None;
    let mut chars = inner.char_indices();
    while let Some((at, c)) = chars.next() {
        match (quote, c) {
            (Some(_), '\\') => drop(chars.next()),
            (Some(open), c) if c == open => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(c),
            (None, '(' | '[' | '{') => depth += 1,
            (None, ')' | ']' | '}') => depth = depth.checked_sub(1).ok_or("unbalanced brackets")?,
            (None, ',') if depth == 0 => {
                parts.push(inner[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
    }
    if depth != 0 || quote.is_some() {
        return Err("unbalanced brackets or quotes".into());
    }
    let last = inner[start..].trim();
    if !last.is_empty() {
        parts.push(last);
    }
    if parts.iter().any(|part| part.is_empty()) {
        return Err("an empty parameter".into());
    }
    Ok(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        let shown = match Sig::parse(text) {
            Ok(sig) => {
                let mut out: Vec<String> = sig.receiver.iter().map(|name| format!("${name}")).collect();
                for param in sig.params {
                    let default = param.default.map(|value| format!("={value}")).unwrap_or_default();
                    out.push(format!("{:?} {}{default}", param.kind, param.name));
                }
                out.join("; ")
            }
            Err(message) => format!("error: {message}"),
        };
        assert_eq!(shown, expected, "for {text}");
    }

    #[test]
    fn parses() {
        check("()", "");
        check("($self, object, /)", "$self; PosOnly object");
        check(
            "($self, a, b=(1, 2), /, c=',', *, d, e='\\'')",
            "$self; PosOnly a; PosOnly b=(1, 2); PosOrKw c=','; KwOnly d; KwOnly e='\\''",
        );
        check("(*args, sep=' ', **kw)", "VarArgs args; KwOnly sep=' '; VarKw kw");
        check(
            "(x, default=<unrepresentable>, /)",
            "PosOnly x; PosOnly default=<unrepresentable>",
        );
    }

    #[test]
    fn rejects() {
        check("a", "error: a signature looks like \"(a, b=1, /)\"");
        check("(a=1, b)", "error: b has no default but follows one that has");
        check("(a, *)", "error: a named parameter must follow *");
        check("(a, a)", "error: two parameters are called a");
        check("(a, /, b, /)", "error: misplaced /");
        check("(**k, a)", "error: a follows **");
        check("(a, $self)", "error: $self must come first");
        check("(a,, b)", "error: an empty parameter");
        check("(1a)", "error: \"1a\" is no parameter name");
    }
}
