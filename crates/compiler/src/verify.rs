//! A check of the compiler's own work, for tests: every temporary is written before it is read on all paths, at a
//! backward jump all paths agree on which temporaries are alive (so a loop leaks none), and a return knows of all that may be.

use std::collections::BTreeSet;

use lisle_bytecode::{CodeObject, Const, Effect, Instr, Op, effect};

type Set = BTreeSet<u16>;

/// Checks `code` and the code objects in it; gives the first problem.
pub fn verify(code: &CodeObject) -> Result<(), String> {
    lisle_bytecode::verify(code).map_err(|e| e.to_string())?;
    verify_flow(code)
}

fn verify_flow(code: &CodeObject) -> Result<(), String> {
    Flow::new(code).run().map_err(|(pc, e)| {
        let name = code.code.get(pc).map_or("", |&word| Instr(word).op().name());
        format!(
            "{} (line {}): {pc} {name}: {e}",
            code.qualname,
            code.location(pc as u32).line
        )
    })?;
    for value in &code.consts {
        if let Const::Code(inner) = value {
            verify_flow(inner)?;
        }
    }
    Ok(())
}

struct Flow<'c> {
    code: &'c CodeObject,
    first_temp: u16,
    /// Temporaries alive on all paths and on some path to each instruction that was reached.
    states: Vec<Option<(Set, Set)>>,
    pending: Vec<usize>,
}

type Problem = (usize, String);

impl<'c> Flow<'c> {
    fn new(code: &'c CodeObject) -> Flow<'c> {
        Flow {
            code,
            first_temp: code.nlocals() as u16,
            states: vec![None; code.code.len()],
            pending: vec![0],
        }
    }

    fn run(&mut self) -> Result<(), Problem> {
        self.states[0] = Some((Set::new(), Set::new()));
        while let Some(pc) = self.pending.pop() {
            let Some((must, may)) = self.states[pc].clone() else {
                continue;
            };
            let instr = Instr(self.code.code[pc]);
            let next = pc + 1 + instr.op().cache_words();
            if let Some(handler) = self.code.handler(pc as u32) {
                let below = |set: &Set| set.iter().copied().filter(|&r| r < handler.depth).collect();
                self.flow(handler.target as usize, below(&must), below(&may));
            }
            if instr.op() == Op::JumpBack && must != may {
                let lost: Vec<u16> = may.difference(&must).map(|r| r - self.first_temp).collect();
                return Err((pc, format!("some paths leave temporaries {lost:?} alive")));
            }
            let effect = effect(instr);
            let free = match instr.op() {
                Op::Return => instr.b(),
                Op::ReturnConst => instr.a(),
                _ => u16::MAX,
            };
            if let Some(r) = may.iter().find(|&&r| r >= free && !effect.consumed.contains(&r)) {
                return Err((pc, format!("%{} is alive", r - self.first_temp)));
            }
            for r in effect.consumed.iter().chain(&effect.kept) {
                if *r >= self.first_temp && !must.contains(r) {
                    return Err((pc, format!("reads %{} which may hold nothing", r - self.first_temp)));
                }
            }
            if let Some(offset) = effect.jump {
                let after = |set| self.after(set, &effect, true);
                let (must, may) = (after(must.clone()), after(may.clone()));
                self.flow((next as i64 + offset) as usize, must, may);
            }
            if !effect.ends {
                let after = |set| self.after(set, &effect, false);
                let (must, may) = (after(must), after(may));
                self.flow(next, must, may);
            }
        }
        Ok(())
    }

    fn after(&self, mut set: Set, effect: &Effect, jumped: bool) -> Set {
        for r in effect.consumed.iter().chain(&effect.cleared) {
            set.remove(r);
        }
        let written = if jumped {
            for r in &effect.jump_cleared {
                set.remove(r);
            }
            &effect.jump_written
        } else {
            &effect.written
        };
        set.extend(written.iter().filter(|&&r| r >= self.first_temp));
        set
    }

    fn flow(&mut self, to: usize, must: Set, may: Set) {
        match &mut self.states[to] {
            None => self.states[to] = Some((must, may)),
            Some((old_must, old_may)) => {
                let fewer: Set = old_must.intersection(&must).copied().collect();
                if fewer.len() == old_must.len() && may.is_subset(old_may) {
                    return;
                }
                *old_must = fewer;
                old_may.extend(may);
            }
        }
        self.pending.push(to);
    }
}
