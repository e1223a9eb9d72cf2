//! The matcher: a backtracking machine over the programs that `re._compiler` makes.
//!
//! Invariant: everything a match needs to go back is on heap stacks (choices, changes to undo, iterations), so that no
//! pattern or text can overflow the native stack, and what lies above a choice is dropped when it is taken. Any program is safe
//! to run: a word past its end reads as `FAILURE`, and jumps only go forward. Signals are seen every so many steps.
//! Left out: a check of programs when they are compiled.

use lisle_runtime::native::{Res, Vm};
use lisle_runtime::text::view::Unit;

use super::chars::{fold, in_charset, is_line_break, is_word_ascii, is_word_locale, is_word_unicode, takes, word};
use super::codes::{MAXREPEAT, at, info, op};
use super::first::First;

/// A mark that is not set. Its bytes differ, so that the few marks there are get stored in place: a call of `memset` an attempt cost more than most attempts.
pub const UNSET: usize = usize::MAX >> 1;
const NO_NODE: u32 = u32::MAX;
/// The entry of the undo list that stands for `last_index`.
const LAST_INDEX: u32 = u32::MAX;
/// Steps between two looks at signals.
const SLICE: u32 = 1 << 14;

/// How a match has to lie in the text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mode {
    /// Begins at the start.
    Match,
    /// Covers everything from the start to the end.
    FullMatch,
    /// Lies anywhere.
    Search,
}

/// What a match found.
#[derive(Clone, Debug)]
pub struct Found {
    pub start: usize,
    pub end: usize,
    /// Start and end of each group.
    pub marks: Vec<usize>,
    /// The group that ended last; 0 for none.
    pub last_index: usize,
}

impl Found {
    /// Where group `index` lies; 0 is the whole match.
    pub fn span(&self, index: usize) -> Option<(usize, usize)> {
        if index == 0 {
            return Some((self.start, self.end));
        }
        let at = (index - 1) * 2;
        match (self.marks.get(at), self.marks.get(at + 1)) {
            (Some(&start), Some(&end)) if start != UNSET && end != UNSET => Some((start, end)),
            _ => None,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    /// Go on at `pc` from `at`.
    Alternative,
    /// `pc` is the next branch of a `BRANCH`.
    Branch,
    /// A greedy repeat of single characters: from `at` at least, to `extra` now; `pc` is what follows.
    Greedy,
    /// A lazy one: to `at` now, `extra` more allowed; `pc` is the operator's argument.
    Lazy,
    /// One more iteration of a lazy repeat of which `extra` are done; `pc` is the body.
    LazyIteration,
    /// Where a part began that is matched for itself; `pc` is the operator's argument.
    Assert,
    AssertNot,
    Atomic,
    /// As `Atomic`, after `extra` iterations.
    Possessive,
}

#[derive(Clone, Copy)]
struct Choice {
    kind: Kind,
    pc: u32,
    /// The iteration that was under way.
    repeat: u32,
    /// How many iterations and changes there were.
    nodes: u32,
    changes: u32,
    at: usize,
    extra: usize,
}

/// An iteration of a `REPEAT`.
#[derive(Clone, Copy)]
struct Node {
    /// Where the `REPEAT`'s arguments are.
    pc: u32,
    /// The iteration of the repeat around it.
    outer: u32,
    /// How many iterations were done before this one; -1 before the first `UNTIL`.
    count: i64,
    /// Where the last optional one began.
    last: usize,
}

/// The matcher of one call.
pub struct Engine<'a, U: Unit> {
    vm: &'a Vm,
    code: &'a [u32],
    /// The text up to the end position.
    text: &'a [U],
    /// What a match begins with, if that is known.
    first: Option<&'a First>,
    marks: Vec<usize>,
    last_index: usize,
    choices: Vec<Choice>,
    /// Indices of those choices that begin a part of their own.
    barriers: Vec<usize>,
    nodes: Vec<Node>,
    changes: Vec<(u32, usize)>,
    steps: u32,
}

impl<'a, U: Unit> Engine<'a, U> {
    pub fn new(vm: &'a Vm, code: &'a [u32], groups: usize, first: Option<&'a First>, text: &'a [U]) -> Engine<'a, U> {
        Engine {
            vm,
            code,
            text,
            first,
            marks: vec![UNSET; groups * 2],
            last_index: 0,
            choices: Vec::new(),
            barriers: Vec::new(),
            nodes: Vec::new(),
            changes: Vec::new(),
            steps: 0,
        }
    }

    /// Looks for a match from `start` on. With `advance`, an empty one at `start` does not count.
    pub fn run(&mut self, start: usize, mode: Mode, advance: bool) -> Res<Option<Found>> {
        let found = match mode {
            Mode::Search => self.search(start, advance)?,
            _ => self
                .attempt(start, mode == Mode::FullMatch, advance)?
                .map(|end| (start, end)),
        };
        Ok(found.map(|(start, end)| Found {
            start,
            end,
            marks: self.marks.clone(),
            last_index: self.last_index,
        }))
    }

    fn search(&mut self, start: usize, advance: bool) -> Res<Option<(usize, usize)>> {
        let end = self.text.len();
        let (mut flags, mut least, mut arguments) = (0, 0, 0);
        if word(self.code, 0) == op::INFO {
            flags = word(self.code, 2);
            least = word(self.code, 3) as usize;
            arguments = 5;
        }
        if start > end || end - start < least {
            return Ok(None);
        }
        let last = end - least;
        let text = self.text;
        let prefix = if flags & info::PREFIX != 0 {
            let length = word(self.code, arguments) as usize;
            self.code.get(arguments + 2..arguments + 2 + length).unwrap_or_default()
        } else {
            &[]
        };
        let mut at = start;
        if let Some((&first, rest)) = prefix.split_first() {
            if first > U::MAX {
                return Ok(None);
            }
            let unit = U::truncate(first);
            while at <= last {
                let Some(skipped) = U::position(&text[at..], unit) else {
                    return Ok(None);
                };
                at += skipped;
                let after = &text[at + 1..];
                if after.len() >= rest.len() && after.iter().zip(rest).all(|(u, c)| u.code() == *c) {
                    if flags & info::LITERAL != 0 {
                        self.reset();
                        return Ok(Some((at, at + prefix.len())));
                    }
                    if let Some(end) = self.attempt(at, false, advance && at == start)? {
                        return Ok(Some((at, end)));
                    }
                }
                at += 1;
            }
            return Ok(None);
        }
        let charset = flags & info::CHARSET != 0;
        // What begins at the beginning is nowhere else.
        let begin = if arguments == 0 { 0 } else { self.target(1) };
        let anchored =
            self.word(begin) == op::AT && matches!(self.word(begin + 1), at::BEGINNING | at::BEGINNING_STRING);
        let last = if anchored { start } else { last };
        while at <= last {
            if let Some(first) = self.first {
                match text[at..].iter().position(|u| first.has(u.code())) {
                    Some(skipped) => at += skipped,
                    None => return Ok(None),
                }
                if at > last {
                    return Ok(None);
                }
            } else if charset {
                match text[at..]
                    .iter()
                    .position(|u| in_charset(self.code, arguments, u.code()))
                {
                    Some(skipped) => at += skipped,
                    None => return Ok(None),
                }
            }
            if let Some(end) = self.attempt(at, false, advance && at == start)? {
                return Ok(Some((at, end)));
            }
            at += 1;
        }
        Ok(None)
    }

    fn reset(&mut self) {
        self.marks.fill(UNSET);
        self.last_index = 0;
        self.choices.clear();
        self.barriers.clear();
        self.nodes.clear();
        self.changes.clear();
    }

    #[inline(always)]
    fn word(&self, pc: usize) -> u32 {
        word(self.code, pc)
    }

    /// The address that the offset at `pc` leads to.
    #[inline(always)]
    fn target(&self, pc: usize) -> usize {
        pc + self.word(pc) as usize
    }

    fn push(&mut self, kind: Kind, pc: usize, at: usize, extra: usize, repeat: u32) -> Res<()> {
        let counts = (u32::try_from(self.nodes.len()), u32::try_from(self.changes.len()));
        let (Ok(nodes), Ok(changes)) = counts else {
            return Err(self.vm.memory_error());
        };
        if self.choices.len() == self.choices.capacity()
            && self.choices.try_reserve(self.choices.len().max(32)).is_err()
        {
            return Err(self.vm.memory_error());
        }
        self.choices.push(Choice {
            kind,
            pc: pc as u32,
            repeat,
            nodes,
            changes,
            at,
            extra,
        });
        Ok(())
    }

    /// Begins a part that is matched for itself.
    fn open(&mut self, kind: Kind, pc: usize, at: usize, extra: usize, repeat: u32) -> Res<()> {
        self.barriers.push(self.choices.len());
        self.push(kind, pc, at, extra, repeat)
    }

    fn node(&mut self, node: Node) -> Res<u32> {
        let Ok(index) = u32::try_from(self.nodes.len()) else {
            return Err(self.vm.memory_error());
        };
        if self.nodes.len() == self.nodes.capacity() && self.nodes.try_reserve(self.nodes.len().max(32)).is_err() {
            return Err(self.vm.memory_error());
        }
        self.nodes.push(node);
        Ok(index)
    }

    fn set_mark(&mut self, index: u32, at: usize) -> Res<()> {
        let recorded = !self.choices.is_empty();
        if recorded && self.changes.capacity() - self.changes.len() < 2 {
            self.changes.try_reserve(self.changes.len().max(32))?;
        }
        let Some(mark) = self.marks.get_mut(index as usize) else {
            return Ok(());
        };
        let old = std::mem::replace(mark, at);
        if recorded {
            self.changes.push((index, old));
        }
        if index & 1 == 1 {
            let group = index as usize / 2 + 1;
            if recorded {
                self.changes.push((LAST_INDEX, self.last_index));
            }
            self.last_index = group;
        }
        Ok(())
    }

    fn undo(&mut self, changes: u32) {
        while self.changes.len() > changes as usize {
            match self.changes.pop() {
                Some((LAST_INDEX, old)) => self.last_index = old,
                Some((index, old)) => {
                    if let Some(mark) = self.marks.get_mut(index as usize) {
                        *mark = old;
                    }
                }
                None => return,
            }
        }
    }

    /// Where the group that a reference names lies.
    fn group(&self, index: u32) -> Option<(usize, usize)> {
        let at = index as usize * 2;
        match (self.marks.get(at), self.marks.get(at + 1)) {
            (Some(&start), Some(&end)) if start != UNSET && end != UNSET && start <= end => Some((start, end)),
            _ => None,
        }
    }

    fn is_at(&self, position: u32, at: usize) -> bool {
        let text = self.text;
        let boundary = |is_word: fn(u32) -> bool| {
            let before = at > 0 && text.get(at - 1).is_some_and(|u| is_word(u.code()));
            let after = text.get(at).is_some_and(|u| is_word(u.code()));
            before != after
        };
        match position {
            at::BEGINNING | at::BEGINNING_STRING => at == 0,
            at::BEGINNING_LINE => at == 0 || text.get(at - 1).is_some_and(|u| is_line_break(u.code())),
            at::END => at == text.len() || at + 1 == text.len() && is_line_break(text[at].code()),
            at::END_LINE => text.get(at).is_none_or(|u| is_line_break(u.code())),
            at::END_STRING => at == text.len(),
            at::BOUNDARY => boundary(is_word_ascii),
            at::NON_BOUNDARY => !boundary(is_word_ascii),
            at::LOC_BOUNDARY => boundary(is_word_locale),
            at::LOC_NON_BOUNDARY => !boundary(is_word_locale),
            at::UNI_BOUNDARY => boundary(is_word_unicode),
            at::UNI_NON_BOUNDARY => !boundary(is_word_unicode),
            _ => false,
        }
    }

    /// How many characters from `at` on the single-character operator at `pc` takes, `most` at most.
    fn count(&self, pc: usize, at: usize, most: u32) -> usize {
        let rest = &self.text[at..];
        let rest = if most == MAXREPEAT {
            rest
        } else {
            &rest[..rest.len().min(most as usize)]
        };
        let code = self.code;
        let literal = self.word(pc + 1);
        let stop = match self.word(pc) {
            op::ANY_ALL => None,
            op::ANY => U::position(rest, U::truncate(0x0a)),
            op::LITERAL => rest.iter().position(|u| u.code() != literal),
            op::NOT_LITERAL if literal > U::MAX => None,
            op::NOT_LITERAL => U::position(rest, U::truncate(literal)),
            op::IN => rest.iter().position(|u| !in_charset(code, pc + 2, u.code())),
            _ => rest.iter().position(|u| !takes(code, pc, u.code())),
        };
        stop.unwrap_or(rest.len())
    }

    /// The last place in `from..=to` where the program at `pc` can match, by its first literal.
    fn retreat(&self, pc: usize, from: usize, to: usize) -> Option<usize> {
        if self.word(pc) != op::LITERAL {
            return Some(to);
        }
        let literal = self.word(pc + 1);
        if literal > U::MAX {
            return None;
        }
        let end = self.text.len().min(to + 1);
        if end <= from {
            return None;
        }
        U::rposition(&self.text[from..end], U::truncate(literal)).map(|i| from + i)
    }

    /// Matches at `start`: where the match ends.
    fn attempt(&mut self, start: usize, whole: bool, advance: bool) -> Res<Option<usize>> {
        self.reset();
        let text = self.text;
        let code = self.code;
        let mut pc = 0;
        let mut at = start;
        let mut repeat = NO_NODE;
        loop {
            self.steps += 1;
            if self.steps >= SLICE {
                self.steps = 0;
                self.vm.safepoint()?;
            }
            let operator = word(code, pc);
            pc += 1;
            let go_on = match operator {
                op::SUCCESS => match self.barriers.last().copied() {
                    None => {
                        if !(whole && at != text.len() || advance && at == start) {
                            return Ok(Some(at));
                        }
                        false
                    }
                    Some(barrier) => {
                        let opened = self.choices[barrier];
                        self.choices.truncate(barrier);
                        self.barriers.pop();
                        self.nodes.truncate(opened.nodes as usize);
                        repeat = opened.repeat;
                        let arguments = opened.pc as usize;
                        match opened.kind {
                            Kind::AssertNot => {
                                self.undo(opened.changes);
                                false
                            }
                            Kind::Assert => {
                                at = opened.at;
                                pc = self.target(arguments);
                                true
                            }
                            Kind::Possessive => {
                                let done = opened.extra + 1;
                                let (least, most) = (self.word(arguments + 1), self.word(arguments + 2));
                                let more = most == MAXREPEAT || done < most as usize;
                                if done < least as usize || more && at != opened.at {
                                    self.open(Kind::Possessive, arguments, at, done, repeat)?;
                                    pc = arguments + 3;
                                } else {
                                    pc = self.target(arguments) + 1;
                                }
                                true
                            }
                            _ => {
                                pc = self.target(arguments);
                                true
                            }
                        }
                    }
                },
                op::LITERAL => {
                    let hit = text.get(at).is_some_and(|u| u.code() == word(code, pc));
                    at += 1;
                    pc += 1;
                    hit
                }
                op::IN | op::IN_IGNORE | op::IN_UNI_IGNORE | op::IN_LOC_IGNORE => {
                    let hit = text.get(at).is_some_and(|u| takes(code, pc - 1, u.code()));
                    at += 1;
                    pc = self.target(pc);
                    hit
                }
                op::ANY | op::ANY_ALL => {
                    let hit = text.get(at).is_some_and(|u| takes(code, pc - 1, u.code()));
                    at += 1;
                    hit
                }
                op::NOT_LITERAL
                | op::CATEGORY
                | op::LITERAL_IGNORE
                | op::NOT_LITERAL_IGNORE
                | op::LITERAL_UNI_IGNORE
                | op::NOT_LITERAL_UNI_IGNORE
                | op::LITERAL_LOC_IGNORE
                | op::NOT_LITERAL_LOC_IGNORE => {
                    let hit = text.get(at).is_some_and(|u| takes(code, pc - 1, u.code()));
                    at += 1;
                    pc += 1;
                    hit
                }
                op::MARK => {
                    self.set_mark(word(code, pc), at)?;
                    pc += 1;
                    true
                }
                op::AT => {
                    let hit = self.is_at(word(code, pc), at);
                    pc += 1;
                    hit
                }
                op::JUMP | op::INFO => {
                    pc = self.target(pc);
                    true
                }
                op::BRANCH => match self.branch(pc, at, repeat)? {
                    Some(body) => {
                        pc = body;
                        true
                    }
                    None => false,
                },
                op::REPEAT_ONE => {
                    let (least, most) = (word(code, pc + 1) as usize, word(code, pc + 2));
                    let tail = self.target(pc);
                    let taken = self.count(pc + 3, at, most);
                    if taken < least {
                        false
                    } else {
                        let from = at + least;
                        match self.retreat(tail, from, at + taken) {
                            None => false,
                            Some(to) => {
                                if to > from {
                                    self.push(Kind::Greedy, tail, from, to, repeat)?;
                                }
                                at = to;
                                pc = tail;
                                true
                            }
                        }
                    }
                }
                op::MIN_REPEAT_ONE => {
                    let (least, most) = (word(code, pc + 1), word(code, pc + 2));
                    if least > 0 && self.count(pc + 3, at, least) < least as usize {
                        false
                    } else {
                        at += least as usize;
                        let more = if most == MAXREPEAT {
                            usize::MAX
                        } else {
                            (most - least.min(most)) as usize
                        };
                        self.push(Kind::Lazy, pc, at, more, repeat)?;
                        pc = self.target(pc);
                        true
                    }
                }
                op::POSSESSIVE_REPEAT_ONE => {
                    let (least, most) = (word(code, pc + 1) as usize, word(code, pc + 2));
                    let taken = self.count(pc + 3, at, most);
                    at += taken;
                    pc = self.target(pc);
                    taken >= least
                }
                op::REPEAT => {
                    repeat = self.node(Node {
                        pc: pc as u32,
                        outer: repeat,
                        count: -1,
                        last: UNSET,
                    })?;
                    pc = self.target(pc);
                    true
                }
                op::MAX_UNTIL | op::MIN_UNTIL => match self.nodes.get(repeat as usize).copied() {
                    None => false,
                    Some(node) => {
                        let arguments = node.pc as usize;
                        let count = node.count + 1;
                        let (least, most) = (word(code, arguments + 1), word(code, arguments + 2));
                        let next = Node { count, ..node };
                        if count < i64::from(least) {
                            repeat = self.node(next)?;
                            pc = arguments + 3;
                        } else {
                            let more = (most == MAXREPEAT || count < i64::from(most)) && at != node.last;
                            if !more {
                                repeat = node.outer;
                            } else if operator == op::MAX_UNTIL {
                                self.push(Kind::Alternative, pc, at, 0, node.outer)?;
                                repeat = self.node(Node { last: at, ..next })?;
                                pc = arguments + 3;
                            } else {
                                self.push(Kind::LazyIteration, arguments + 3, at, count as usize, repeat)?;
                                repeat = node.outer;
                            }
                        }
                        true
                    }
                },
                op::POSSESSIVE_REPEAT => {
                    if word(code, pc + 2) == 0 {
                        pc = self.target(pc) + 1;
                    } else {
                        self.open(Kind::Possessive, pc, at, 0, repeat)?;
                        pc += 3;
                    }
                    true
                }
                op::ATOMIC_GROUP => {
                    self.open(Kind::Atomic, pc, at, 0, repeat)?;
                    pc += 1;
                    true
                }
                op::ASSERT | op::ASSERT_NOT => {
                    let back = word(code, pc + 1) as usize;
                    let negative = operator == op::ASSERT_NOT;
                    if back <= at {
                        let kind = if negative { Kind::AssertNot } else { Kind::Assert };
                        self.open(kind, pc, at, 0, repeat)?;
                        at -= back;
                        pc += 2;
                        true
                    } else {
                        pc = self.target(pc);
                        negative
                    }
                }
                op::GROUPREF | op::GROUPREF_IGNORE | op::GROUPREF_UNI_IGNORE | op::GROUPREF_LOC_IGNORE => {
                    let range = self.group(word(code, pc));
                    pc += 1;
                    match range.and_then(|(start, end)| Some((text.get(start..end)?, text.get(at..at + end - start)?)))
                    {
                        None => false,
                        Some((group, here)) => {
                            at += group.len();
                            if operator == op::GROUPREF {
                                group == here
                            } else {
                                let fold = fold(operator);
                                group
                                    .iter()
                                    .zip(here)
                                    .all(|(a, b)| a == b || fold(a.code()) == fold(b.code()))
                            }
                        }
                    }
                }
                op::GROUPREF_EXISTS => {
                    pc = if self.group(word(code, pc)).is_some() {
                        pc + 2
                    } else {
                        pc + word(code, pc + 1) as usize
                    };
                    true
                }
                _ => false,
            };
            if !go_on && !self.back(&mut pc, &mut at, &mut repeat)? {
                return Ok(None);
            }
        }
    }

    /// Takes the first branch from `pc` on that can match at `at`; the others are left as a choice.
    fn branch(&mut self, mut pc: usize, at: usize, repeat: u32) -> Res<Option<usize>> {
        let (code, here) = (self.code, self.text.get(at));
        // Whether the branch can be told not to match by its first operator.
        let hopeless = |pc: usize| match word(code, pc + 1) {
            op::LITERAL => here.is_none_or(|u| u.code() != word(code, pc + 2)),
            op::IN => here.is_none_or(|u| !in_charset(code, pc + 3, u.code())),
            _ => false,
        };
        while word(code, pc) != 0 {
            let next = pc + word(code, pc) as usize;
            if hopeless(pc) {
                pc = next;
                continue;
            }
            let mut other = next;
            while word(code, other) != 0 && hopeless(other) {
                other += word(code, other) as usize;
            }
            if word(code, other) != 0 {
                self.push(Kind::Branch, other, at, 0, repeat)?;
            }
            return Ok(Some(pc + 1));
        }
        Ok(None)
    }

    /// Goes back to the last choice that has something left; `false` if there is none.
    fn back(&mut self, pc: &mut usize, at: &mut usize, repeat: &mut u32) -> Res<bool> {
        loop {
            let Some(choice) = self.choices.last().copied() else {
                return Ok(false);
            };
            self.nodes.truncate(choice.nodes as usize);
            self.undo(choice.changes);
            *repeat = choice.repeat;
            *at = choice.at;
            *pc = choice.pc as usize;
            match choice.kind {
                Kind::Greedy => {
                    let place = match choice.extra.checked_sub(1) {
                        Some(to) if to >= choice.at => self.retreat(*pc, choice.at, to),
                        _ => None,
                    };
                    match place {
                        Some(to) if to > choice.at => {
                            if let Some(top) = self.choices.last_mut() {
                                top.extra = to;
                            }
                            *at = to;
                            return Ok(true);
                        }
                        Some(to) => {
                            self.choices.pop();
                            *at = to;
                            return Ok(true);
                        }
                        None => {
                            self.choices.pop();
                        }
                    }
                }
                Kind::Lazy => {
                    let taken = choice.extra > 0
                        && self
                            .text
                            .get(choice.at)
                            .is_some_and(|u| takes(self.code, *pc + 3, u.code()));
                    if taken {
                        *at += 1;
                        if let Some(top) = self.choices.last_mut() {
                            top.at += 1;
                            top.extra -= usize::from(top.extra != usize::MAX);
                        }
                        *pc = self.target(*pc);
                        return Ok(true);
                    }
                    self.choices.pop();
                }
                Kind::Alternative => {
                    self.choices.pop();
                    return Ok(true);
                }
                Kind::Branch => {
                    self.choices.pop();
                    if let Some(body) = self.branch(*pc, *at, *repeat)? {
                        *pc = body;
                        return Ok(true);
                    }
                }
                Kind::LazyIteration => {
                    self.choices.pop();
                    if let Some(node) = self.nodes.get(choice.repeat as usize).copied() {
                        *repeat = self.node(Node {
                            count: choice.extra as i64,
                            last: choice.at,
                            ..node
                        })?;
                        return Ok(true);
                    }
                }
                Kind::Assert | Kind::Atomic => {
                    self.choices.pop();
                    self.barriers.pop();
                }
                Kind::AssertNot => {
                    self.choices.pop();
                    self.barriers.pop();
                    *pc = self.target(*pc);
                    return Ok(true);
                }
                Kind::Possessive => {
                    self.choices.pop();
                    self.barriers.pop();
                    if choice.extra >= self.word(*pc + 1) as usize {
                        *pc = self.target(*pc) + 1;
                        return Ok(true);
                    }
                }
            }
        }
    }
}
