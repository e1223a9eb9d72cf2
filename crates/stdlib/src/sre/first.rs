//! Which characters a match can begin with, so that a search passes over the others.
//!
//! Invariant: a character that is not in the set begins no match; those beyond Latin-1 count as in it. Left out: what depends on the locale,
//! and patterns that can match nothing at all.

use super::chars::{takes, word};
use super::codes::op;

pub struct First([bool; 256]);

/// How many operators are looked at.
const BUDGET: u32 = 64;

impl First {
    /// The set of a program; `None` if nearly everything is in it.
    pub fn of(code: &[u32]) -> Option<First> {
        let mut first = First([false; 256]);
        let mut budget = BUDGET;
        if !first.collect(code, 0, &mut budget) || first.0.iter().filter(|has| **has).count() > 192 {
            return None;
        }
        Some(first)
    }

    #[inline(always)]
    pub fn has(&self, c: u32) -> bool {
        c > 255 || self.0[c as usize]
    }

    /// Adds what the operator at `pc` takes.
    fn add(&mut self, code: &[u32], pc: usize) {
        for (c, has) in self.0.iter_mut().enumerate() {
            *has |= takes(code, pc, c as u32);
        }
    }

    /// Adds what the program from `pc` on can begin with; `false` if that is not known.
    fn collect(&mut self, code: &[u32], mut pc: usize, budget: &mut u32) -> bool {
        loop {
            let Some(left) = budget.checked_sub(1) else {
                return false;
            };
            *budget = left;
            let target = |pc: usize| pc + word(code, pc) as usize;
            match word(code, pc) {
                op::INFO => pc = target(pc + 1),
                op::MARK | op::AT => pc += 2,
                op::JUMP => pc = target(pc + 1),
                op::ASSERT | op::ASSERT_NOT => pc = target(pc + 1),
                op::ATOMIC_GROUP => pc += 2,
                op::LITERAL
                | op::NOT_LITERAL
                | op::ANY
                | op::IN
                | op::LITERAL_IGNORE
                | op::NOT_LITERAL_IGNORE
                | op::IN_IGNORE
                | op::LITERAL_UNI_IGNORE
                | op::NOT_LITERAL_UNI_IGNORE
                | op::IN_UNI_IGNORE => {
                    self.add(code, pc);
                    return true;
                }
                op::BRANCH => {
                    let mut branch = pc + 1;
                    while word(code, branch) != 0 {
                        if !self.collect(code, branch + 1, budget) {
                            return false;
                        }
                        branch = target(branch);
                    }
                    return true;
                }
                repeat @ (op::REPEAT_ONE | op::MIN_REPEAT_ONE | op::POSSESSIVE_REPEAT_ONE | op::REPEAT) => {
                    if !self.collect(code, pc + 4, budget) {
                        return false;
                    }
                    if word(code, pc + 2) > 0 {
                        return true;
                    }
                    // What comes behind the operator that ends the repetition.
                    pc = target(pc + 1) + usize::from(repeat == op::REPEAT);
                }
                _ => return false,
            }
        }
    }
}
