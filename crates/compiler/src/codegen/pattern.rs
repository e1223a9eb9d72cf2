//! `match`.
//!
//! What a pattern holds on to (captures, unpacked parts) sits in temporaries listed in `Held`; a failed match drops them
//! all before the next case is tried. Names are bound when the whole pattern has matched.

use lisle_bytecode::{Const, Op};
use ruff_python_ast::{self as ast, Expr, Operator, Pattern, Singleton};
use ruff_text_size::{Ranged, TextRange, TextSize};

use super::function::name_tuple;
use super::{Codegen, Label, Reg};
use crate::errors::Res;

/// State of the pattern that is being compiled.
#[derive(Default)]
struct Held<'a> {
    regs: Vec<Reg>,
    captures: Vec<(&'a str, Reg, TextRange)>,
}

impl<'a> Codegen<'a> {
    pub(super) fn match_stmt(&mut self, s: &'a ast::StmtMatch) -> Res {
        let saved = self.top();
        let subject = self.temp();
        self.expr(&s.subject, subject)?;
        let end = self.label();
        let last = s.cases.len().saturating_sub(1);
        for (i, case) in s.cases.iter().enumerate() {
            let top = self.top();
            let next = self.label();
            let mut held = Held::default();
            let irrefutable = case.guard.is_none() && case.pattern.is_irrefutable();
            if irrefutable && i != last {
                return self.fail_irrefutable(&case.pattern);
            }
            self.u().range = case.pattern.range();
            self.pattern(
                &case.pattern,
                subject,
                next,
                &mut held,
                i == last || case.guard.is_some(),
            )?;
            // Everything matched: bind the names and drop the rest.
            let captured: Vec<Reg> = held.captures.iter().map(|c| c.1).collect();
            for &(name, reg, range) in &held.captures {
                self.u().range = range;
                self.store_name(name, reg, range)?;
            }
            for &reg in &held.regs {
                if !captured.contains(&reg) {
                    self.emit1(Op::Clear, reg);
                }
            }
            if let Some(guard) = &case.guard {
                self.jump_if(guard, next, false)?;
            }
            if let Pattern::MatchAs(wildcard) = &case.pattern
                && wildcard.name.is_none()
                && case.guard.is_none()
            {
                // A line for those who watch.
                self.emit(Op::Nop, 0, 0, 0, 0);
            }
            self.emit1(Op::Clear, subject);
            self.conditional_stmts(&case.body)?;
            self.jump_silently(Op::Jump, end);
            self.u().range = case.pattern.range();
            self.place(next);
            for &reg in &held.regs {
                self.emit1(Op::Clear, reg);
            }
            self.set_top(top);
        }
        self.emit1(Op::Clear, subject);
        self.place(end);
        self.set_top(saved);
        Ok(())
    }

    /// A range without the blanks around its text.
    fn trimmed(&self, range: TextRange) -> TextRange {
        let Some(text) = self.source.get(usize::from(range.start())..usize::from(range.end())) else {
            return range;
        };
        let start = range.start() + TextSize::of(text) - TextSize::of(text.trim_start());
        TextRange::at(start, TextSize::of(text.trim()))
    }

    fn fail_irrefutable<T>(&self, pattern: &Pattern) -> Res<T> {
        match pattern {
            Pattern::MatchAs(ast::PatternMatchAs {
                pattern: None,
                name: Some(name),
                range,
                ..
            }) => self.fail(
                *range,
                format!("name capture '{name}' makes remaining patterns unreachable"),
            ),
            Pattern::MatchAs(ast::PatternMatchAs {
                pattern: None, range, ..
            }) => self.fail(*range, "wildcard makes remaining patterns unreachable"),
            Pattern::MatchAs(ast::PatternMatchAs {
                pattern: Some(inner), ..
            }) => self.fail_irrefutable(inner),
            Pattern::MatchOr(or) => match or.patterns.iter().find(|p| p.is_irrefutable()) {
                Some(inner) => self.fail_irrefutable(inner),
                None => self.fail(or.range, "wildcard makes remaining patterns unreachable"),
            },
            other => self.fail(other.range(), "wildcard makes remaining patterns unreachable"),
        }
    }

    fn hold(&mut self, held: &mut Held<'a>) -> Reg {
        let reg = self.temp();
        held.regs.push(reg);
        reg
    }

    fn capture(&mut self, name: &'a str, reg: Reg, range: TextRange, held: &mut Held<'a>) -> Res {
        if held.captures.iter().any(|c| c.0 == name) {
            return self.fail(range, format!("multiple assignments to name '{name}' in pattern"));
        }
        held.captures.push((name, reg, range));
        Ok(())
    }

    /// Matches `subject` (kept) or jumps to `fail`. `irrefutable`: whether a pattern that always matches is allowed here.
    fn pattern(
        &mut self,
        pattern: &'a Pattern,
        subject: Reg,
        fail: Label,
        held: &mut Held<'a>,
        irrefutable: bool,
    ) -> Res {
        let old = std::mem::replace(&mut self.u().range, pattern.range());
        match pattern {
            Pattern::MatchValue(p) => {
                if let Expr::FString(_) | Expr::TString(_) = &*p.value {
                    return self.fail(p.range, "patterns may only match literals and attribute lookups");
                }
                if let Expr::BinOp(e) = &*p.value
                    && !matches!(e.op, Operator::Add | Operator::Sub)
                {
                    // The parser lets through what is no complex number.
                    let between = TextRange::new(e.left.end(), e.right.start());
                    return self.fail(between, "invalid syntax");
                }
                if let Expr::UnaryOp(e) = &*p.value
                    && let Expr::BinOp(power) = &*e.operand
                {
                    // A power: the parser takes it for a number.
                    let between = TextRange::new(power.left.end(), power.right.start());
                    return self.fail(self.trimmed(between), "invalid syntax");
                }
                let top = self.top();
                let copy = self.temp();
                self.emit2(Op::Copy, copy, subject);
                let value = self.operand(&p.value)?;
                self.jump_op(
                    Op::JumpCmp,
                    lisle_bytecode::opcode::CmpOp::Eq as u8 | 8,
                    copy.0,
                    value.0,
                    fail,
                );
                self.set_top(top);
            }
            Pattern::MatchSingleton(p) => self.match_singleton(p.value, subject, fail),
            Pattern::MatchSequence(p) => self.match_sequence(p, subject, fail, held)?,
            Pattern::MatchMapping(p) => self.match_mapping(p, subject, fail, held)?,
            Pattern::MatchClass(p) => self.match_class(p, subject, fail, held)?,
            Pattern::MatchStar(p) => return self.fail(p.range, "can't use starred pattern here"),
            Pattern::MatchAs(p) => {
                if let Some(inner) = &p.pattern {
                    if inner.is_irrefutable() && !irrefutable {
                        return self.fail_irrefutable(inner);
                    }
                    self.pattern(inner, subject, fail, held, irrefutable)?;
                } else if !irrefutable {
                    return self.fail_irrefutable(pattern);
                }
                if let Some(name) = &p.name {
                    let copy = self.hold(held);
                    self.emit2(Op::Copy, copy, subject);
                    self.capture(name.as_str(), copy, p.range, held)?;
                }
            }
            Pattern::MatchOr(p) => self.match_or(p, subject, fail, held, irrefutable)?,
        }
        self.u().range = old;
        Ok(())
    }

    fn match_singleton(&mut self, value: Singleton, subject: Reg, fail: Label) {
        let constant = match value {
            Singleton::None => {
                self.jump_op(Op::JumpIfNotNone, 1, subject.0, 0, fail);
                return;
            }
            Singleton::True => Const::True,
            Singleton::False => Const::False,
        };
        let top = self.top();
        let pair = self.temps(2);
        self.emit2(Op::Copy, pair, subject);
        self.load_const(pair.plus(1), constant);
        self.emit3(Op::Is, pair, pair, pair.plus(1));
        self.jump_truth(pair, fail, false);
        self.set_top(top);
    }

    /// Unpacks `source` (consumed) into held registers, one a sub-pattern, and matches those.
    fn sub_patterns(
        &mut self,
        patterns: Vec<&'a Pattern>,
        source: Reg,
        fail: Label,
        held: &mut Held<'a>,
        star: Option<usize>,
    ) -> Res {
        let count = patterns.len() as u32;
        let first = Reg::temp(self.top());
        for _ in 0..count {
            self.hold(held);
        }
        match star {
            None => self.emit(Op::UnpackSequence, 0, first.0, source.0, count),
            Some(star) => {
                let (before, after) = (star as u32, count - star as u32 - 1);
                if before > 0xff || after > 0xff {
                    return self.fail(
                        self.unit().range,
                        "too many expressions in star-unpacking sequence pattern",
                    );
                }
                self.emit(Op::UnpackEx, 0, first.0, source.0, before | after << 8);
            }
        }
        for (i, pattern) in patterns.into_iter().enumerate() {
            let part = first.plus(i as u32);
            match pattern {
                Pattern::MatchStar(p) => {
                    if let Some(name) = &p.name {
                        self.capture(name.as_str(), part, p.range, held)?;
                    }
                }
                Pattern::MatchAs(ast::PatternMatchAs {
                    pattern: None,
                    name,
                    range,
                    ..
                }) => {
                    if let Some(name) = name {
                        self.capture(name.as_str(), part, *range, held)?;
                    }
                }
                other => self.pattern(other, part, fail, held, true)?,
            }
        }
        Ok(())
    }

    fn match_sequence(
        &mut self,
        p: &'a ast::PatternMatchSequence,
        subject: Reg,
        fail: Label,
        held: &mut Held<'a>,
    ) -> Res {
        let stars: Vec<usize> = (0..p.patterns.len())
            .filter(|&i| p.patterns[i].is_match_star())
            .collect();
        if stars.len() > 1 {
            return self.fail(
                p.patterns[stars[1]].range(),
                "multiple starred expressions in sequence pattern",
            );
        }
        let count = p.patterns.len() as u32;
        let test = self.temp();
        self.emit2(Op::MatchSequence, test, subject);
        self.jump_truth(test, fail, false);
        let star = stars.first().copied();
        let least = if star.is_some() { count - 1 } else { count };
        if star.is_none() || least > 0 {
            self.emit2(Op::GetLen, test, subject);
            let op = if star.is_some() {
                lisle_bytecode::opcode::CmpOp::Ge
            } else {
                lisle_bytecode::opcode::CmpOp::Eq
            };
            self.jump_len(op, test, least, fail);
        }
        let idle = |p: &Pattern| match p {
            Pattern::MatchStar(s) => s.name.is_none(),
            Pattern::MatchAs(a) => a.pattern.is_none() && a.name.is_none(),
            _ => false,
        };
        if p.patterns.iter().all(idle) {
            return Ok(());
        }
        if let Some(star) = star
            && idle(&p.patterns[star])
        {
            // What the star stands for is not looked at: the rest is indexed.
            for (i, pattern) in p.patterns.iter().enumerate().filter(|(_, pattern)| !idle(pattern)) {
                let part = self.hold(held);
                let top = self.top();
                let index = self.temp();
                if i < star {
                    self.load_const(index, Const::Int(i as i64));
                } else {
                    self.emit2(Op::GetLen, index, subject);
                    self.emit(Op::SubImm, 0, index.0, index.0, count - i as u32);
                }
                let copy = self.temp();
                self.emit2(Op::Copy, copy, subject);
                self.emit3(Op::GetItem, part, copy, index);
                self.set_top(top);
                self.pattern(pattern, part, fail, held, true)?;
            }
            return Ok(());
        }
        self.emit2(Op::Copy, test, subject);
        self.sub_patterns(p.patterns.iter().collect(), test, fail, held, star)
    }

    /// Goes on if the length in `len` (consumed) compares so with `count`.
    fn jump_len(&mut self, op: lisle_bytecode::opcode::CmpOp, len: Reg, count: u32, fail: Label) {
        if count <= i16::MAX as u32 {
            self.jump_op(Op::JumpCmpImm, op as u8 | 8, len.0, count, fail);
            return;
        }
        let top = self.top();
        let wanted = self.temp();
        self.load_const(wanted, Const::Int(count.into()));
        self.jump_op(Op::JumpCmp, op as u8 | 8, len.0, wanted.0, fail);
        self.set_top(top);
    }

    fn match_mapping(
        &mut self,
        p: &'a ast::PatternMatchMapping,
        subject: Reg,
        fail: Label,
        held: &mut Held<'a>,
    ) -> Res {
        let mut seen: Vec<Const> = Vec::new();
        for key in &p.keys {
            if let Some(value) = self.constant(key)? {
                if seen.iter().any(|old| same_key(old, &value)) {
                    let shown = crate::unparse::unparse(key, self.source);
                    return self.fail(p.range, format!("mapping pattern checks duplicate key ({shown})"));
                }
                seen.push(value);
            }
        }
        let test = self.temp();
        self.emit2(Op::MatchMapping, test, subject);
        self.jump_truth(test, fail, false);
        let count = p.keys.len() as u32;
        if count == 0 && p.rest.is_none() {
            return Ok(());
        }
        if count > 0 {
            self.emit2(Op::GetLen, test, subject);
            self.jump_len(lisle_bytecode::opcode::CmpOp::Ge, test, count, fail);
        }
        let keys = self.hold(held);
        self.display(&p.keys, Op::BuildTuple, keys)?;
        if count > 0 {
            let values = self.hold(held);
            self.emit3(Op::MatchKeys, values, subject, keys);
            self.jump_op(Op::JumpIfNone, 1, values.0, 0, fail);
            self.sub_patterns(p.patterns.iter().collect(), values, fail, held, None)?;
        }
        if let Some(rest) = &p.rest {
            let map = self.hold(held);
            self.emit(Op::BuildMap, 0, map.0, map.0, 0);
            let top = self.top();
            let copy = self.temp();
            self.emit2(Op::Copy, copy, subject);
            self.emit2(Op::DictUpdate, map, copy);
            self.set_top(top);
            if count > 0 {
                self.emit2(Op::Copy, copy, keys);
                let first = self.temps(count);
                self.emit(Op::UnpackSequence, 0, first.0, copy.0, count);
                for i in 0..count {
                    let copy = self.temp();
                    self.emit2(Op::Copy, copy, map);
                    self.emit2(Op::DelItem, copy, first.plus(i));
                    self.set_top(copy.index());
                }
                self.set_top(top);
            }
            self.capture(rest.as_str(), map, rest.range, held)?;
        }
        Ok(())
    }

    fn match_class(&mut self, p: &'a ast::PatternMatchClass, subject: Reg, fail: Label, held: &mut Held<'a>) -> Res {
        let positional = p.arguments.patterns.len();
        if positional > 255 {
            let text = format!(
                "too many sub-patterns in class pattern {}",
                crate::unparse::unparse(&p.cls, self.source)
            );
            return self.fail(p.range, text);
        }
        let mut names: Vec<&str> = Vec::new();
        for keyword in &p.arguments.keywords {
            let name = keyword.attr.as_str();
            if names.contains(&name) {
                return self.fail(
                    keyword.range,
                    format!("attribute name repeated in class pattern: {name}"),
                );
            }
            names.push(name);
        }
        let attributes = self.hold(held);
        let top = self.top();
        let class = self.temps(2);
        self.expr(&p.cls, class)?;
        self.load_const(class.plus(1), name_tuple(names.into_iter()));
        self.emit(Op::MatchClass, positional as u8, attributes.0, subject.0, class.0);
        self.set_top(top);
        self.jump_op(Op::JumpIfNone, 1, attributes.0, 0, fail);
        let patterns: Vec<&'a Pattern> = p
            .arguments
            .patterns
            .iter()
            .chain(p.arguments.keywords.iter().map(|k| &k.pattern))
            .collect();
        if patterns.is_empty() {
            return Ok(());
        }
        self.sub_patterns(patterns, attributes, fail, held, None)
    }

    fn match_or(
        &mut self,
        p: &'a ast::PatternMatchOr,
        subject: Reg,
        fail: Label,
        held: &mut Held<'a>,
        irrefutable: bool,
    ) -> Res {
        let done = self.label();
        // The names of the first alternative get registers that all alternatives fill.
        let mut common: Vec<(&'a str, Reg, TextRange)> = Vec::new();
        let last = p.patterns.len() - 1;
        for (i, alternative) in p.patterns.iter().enumerate() {
            let next = self.label();
            let mut inner = Held::default();
            if i == 0 {
                let mut names = Vec::new();
                bound_names(alternative, &mut names);
                for (name, range) in names {
                    if !common.iter().any(|c| c.0 == name) {
                        let reg = self.hold(held);
                        common.push((name, reg, range));
                    }
                }
            }
            let top = self.top();
            self.pattern(alternative, subject, next, &mut inner, i == last && irrefutable)?;
            let same = inner.captures.len() == common.len()
                && common.iter().all(|c| inner.captures.iter().any(|x| x.0 == c.0));
            if !same {
                return self.fail(p.range, "alternative patterns bind different names");
            }
            for &(name, from, _) in &inner.captures {
                if let Some(to) = common.iter().find(|c| c.0 == name) {
                    self.emit2(Op::Move, to.1, from);
                }
            }
            for &reg in &inner.regs {
                if !inner.captures.iter().any(|c| c.1 == reg) {
                    self.emit1(Op::Clear, reg);
                }
            }
            self.jump(done);
            self.place(next);
            for &reg in &inner.regs {
                self.emit1(Op::Clear, reg);
            }
            self.set_top(top);
        }
        self.jump(fail);
        self.place(done);
        for (name, reg, range) in common {
            self.capture(name, reg, range, held)?;
        }
        Ok(())
    }
}

/// Whether two constant keys are equal as Python compares them.
fn same_key(a: &Const, b: &Const) -> bool {
    let number = |c: &Const| match c {
        Const::True => Some((1.0, 0.0)),
        Const::False => Some((0.0, 0.0)),
        Const::Int(i) if i.unsigned_abs() < 1 << 53 => Some((*i as f64, 0.0)),
        Const::Float(f) => Some((*f, 0.0)),
        Const::Complex(re, im) => Some((*re, *im)),
        _ => None,
    };
    match (number(a), number(b)) {
        (Some(a), Some(b)) => a == b,
        _ => a == b,
    }
}

fn bound_names<'a>(pattern: &'a Pattern, names: &mut Vec<(&'a str, TextRange)>) {
    match pattern {
        Pattern::MatchValue(_) | Pattern::MatchSingleton(_) => {}
        Pattern::MatchSequence(p) => p.patterns.iter().for_each(|p| bound_names(p, names)),
        Pattern::MatchMapping(p) => {
            p.patterns.iter().for_each(|p| bound_names(p, names));
            names.extend(p.rest.iter().map(|name| (name.as_str(), name.range)));
        }
        Pattern::MatchClass(p) => {
            p.arguments.patterns.iter().for_each(|p| bound_names(p, names));
            p.arguments.keywords.iter().for_each(|k| bound_names(&k.pattern, names));
        }
        Pattern::MatchStar(p) => names.extend(p.name.iter().map(|name| (name.as_str(), name.range))),
        Pattern::MatchAs(p) => {
            if let Some(inner) = &p.pattern {
                bound_names(inner, names);
            }
            names.extend(p.name.iter().map(|name| (name.as_str(), name.range)));
        }
        Pattern::MatchOr(p) => p.patterns.iter().for_each(|p| bound_names(p, names)),
    }
}
