//! The hash table of `set` and `frozenset`.
//!
//! Invariant: a free cell has neither key nor hash, a deleted one hash -1 and no key, which no key's hash is; fewer than three fifths
//! of the cells are not free, so every probe ends. The places of keys are those that CPython gives them, and with them the order of
//! iteration: ten cells in a row, then a jump that depends on the hash.

use std::alloc::{Layout, alloc_zeroed};
use std::ptr::NonNull;

use crate::memory::trace::{Trace, Visitor};
use crate::object::Value;
use crate::types::list::surely_same_key;

#[derive(Clone, Default)]
struct Cell {
    hash: i64,
    key: Option<Value>,
}

const DELETED: i64 = -1;
const MIN_SIZE: usize = 8;
/// After the first cell, as many are looked at before the jump.
const RUN: usize = 9;

impl Cell {
    #[inline(always)]
    fn is_free(&self) -> bool {
        self.key.is_none() && self.hash == 0
    }
}

/// The keys of a set.
#[derive(Clone)]
pub(super) struct SetTable {
    /// A power of two cells; none before the first key.
    cells: Vec<Cell>,
    /// Cells that are not free.
    fill: usize,
    /// Keys.
    used: usize,
    /// Where `pop` goes on looking.
    finger: usize,
}

/// Where a probe stands, to be taken up again.
#[derive(Clone, Copy)]
pub(super) struct SetWalk {
    at: usize,
    perturb: u64,
    /// Next cell of the run, counted from `at`.
    step: usize,
}

impl SetWalk {
    #[inline(always)]
    pub fn new(hash: i64) -> SetWalk {
        SetWalk {
            at: hash as usize,
            perturb: hash as u64,
            step: 0,
        }
    }

    /// The next cell to look at in a table of `mask + 1` cells.
    #[inline(always)]
    fn next(&mut self, mask: usize) -> usize {
        let start = self.at & mask;
        let cell = start + self.step;
        let run = if start + RUN <= mask { RUN } else { 0 };
        if self.step < run {
            self.step += 1;
        } else {
            self.perturb >>= 5;
            self.at = start
                .wrapping_mul(5)
                .wrapping_add(1)
                .wrapping_add(self.perturb as usize);
            self.step = 0;
        }
        cell
    }
}

/// What a probe came to.
pub(super) enum SetProbe {
    Found(usize),
    /// Not there; this is where it would go.
    Missing(usize),
    /// The hash of this key is the same, and only Python code can tell whether the keys are equal.
    Ask(usize, Value),
}

/// There is no memory for a larger table.
pub(super) struct NoMemory;

impl SetTable {
    pub const fn new() -> SetTable {
        SetTable {
            cells: Vec::new(),
            fill: 0,
            used: 0,
            finger: 0,
        }
    }

    #[inline(always)]
    pub fn len(&self) -> usize {
        self.used
    }

    /// Whether there has been no key since the table was made.
    pub fn is_untouched(&self) -> bool {
        self.fill == 0
    }

    pub fn size(&self) -> usize {
        self.cells.capacity() * size_of::<Cell>()
    }

    #[inline(always)]
    fn mask(&self) -> usize {
        self.cells.len().max(MIN_SIZE) - 1
    }

    /// Finds a key, as far as that can be told without Python code; `walk` is where to start and, afterwards, to go on.
    #[inline]
    pub fn find(&self, key: &Value, hash: i64, walk: &mut SetWalk) -> SetProbe {
        if self.cells.is_empty() {
            return SetProbe::Missing(0);
        }
        let mask = self.cells.len() - 1;
        loop {
            let at = walk.next(mask);
            let cell = &self.cells[at & mask];
            let Some(theirs) = &cell.key else {
                if cell.is_free() {
                    return SetProbe::Missing(at);
                }
                continue;
            };
            if theirs.is(key) {
                return SetProbe::Found(at);
            }
            if cell.hash == hash && !(theirs.is_small_int() && key.is_small_int()) {
                match surely_same_key(theirs, key, 3) {
                    Some(true) => return SetProbe::Found(at),
                    Some(false) => {}
                    None => return SetProbe::Ask(at, theirs.clone()),
                }
            }
        }
    }

    /// Whether a key is there; `None` if only Python code can tell.
    #[inline]
    pub fn has(&self, key: &Value, hash: i64) -> Option<bool> {
        if self.cells.is_empty() {
            return Some(false);
        }
        let mask = self.cells.len() - 1;
        // Mostly the first cell tells.
        let first = &self.cells[hash as usize & mask];
        if let Some(theirs) = &first.key {
            if theirs.is(key) {
                return Some(true);
            }
        } else if first.is_free() {
            return Some(false);
        }
        let mut walk = SetWalk::new(hash);
        loop {
            let cell = &self.cells[walk.next(mask) & mask];
            let Some(theirs) = &cell.key else {
                if cell.is_free() {
                    return Some(false);
                }
                continue;
            };
            if theirs.is(key) {
                return Some(true);
            }
            if cell.hash == hash && surely_same_key(theirs, key, 3)? {
                return Some(true);
            }
        }
    }

    /// Adds the keys of another table, as CPython does; `None` if only Python code can tell whether one is there: some may have been added then.
    pub fn absorb(&mut self, other: &SetTable) -> Option<Result<(), NoMemory>> {
        if self.reserve(other.used).is_err() {
            return Some(Err(NoMemory));
        }
        for (hash, key) in other.iter() {
            match self.find(key, hash, &mut SetWalk::new(hash)) {
                SetProbe::Found(_) => {}
                SetProbe::Missing(at) => {
                    if self.insert(at, key.clone(), hash).is_err() {
                        return Some(Err(NoMemory));
                    }
                }
                SetProbe::Ask(..) => return None,
            }
        }
        Some(Ok(()))
    }

    /// Adds a key that is not there to a table from which nothing was taken, as [`SetTable::insert`] does.
    pub fn add_absent(&mut self, key: Value, hash: i64) -> Result<(), NoMemory> {
        let mut at = 0;
        if !self.cells.is_empty() {
            let mask = self.cells.len() - 1;
            let mut walk = SetWalk::new(hash);
            loop {
                at = walk.next(mask) & mask;
                if self.cells[at].key.is_none() {
                    break;
                }
            }
        }
        self.insert(at, key, hash)
    }

    /// Those keys of this table that `other` has, or has not; `None` if only Python code can tell.
    pub fn picked(&self, other: &SetTable, having: bool) -> Option<Result<SetTable, NoMemory>> {
        let mut result = SetTable::new();
        for (hash, key) in self.iter() {
            if other.has(key, hash)? == having && result.add_absent(key.clone(), hash).is_err() {
                return Some(Err(NoMemory));
            }
        }
        Some(Ok(result))
    }

    /// Whether `other` has all keys of this table, or none of them; `None` if only Python code can tell.
    pub fn all_in(&self, other: &SetTable, having: bool) -> Option<bool> {
        for (hash, key) in self.iter() {
            if other.has(key, hash)? != having {
                return Some(false);
            }
        }
        Some(true)
    }

    /// Whether this very object is the key in cell `at`.
    pub fn has_key_at(&self, at: usize, key: &Value) -> bool {
        self.cells
            .get(at)
            .and_then(|cell| cell.key.as_ref())
            .is_some_and(|theirs| theirs.is(key))
    }

    /// Puts a key that is not there into the free cell that `find` gave.
    pub fn insert(&mut self, at: usize, key: Value, hash: i64) -> Result<(), NoMemory> {
        if self.cells.is_empty() {
            self.cells = cells_for(0)?;
            self.put(hash as usize & (MIN_SIZE - 1), key, hash);
            return Ok(());
        }
        // Growing comes after inserting, as the order of keys depends on it; whether there is memory is asked first.
        if self.has_room() {
            self.put(at, key, hash);
            return Ok(());
        }
        let used = self.used + 1;
        let fresh = cells_for(if used > 50_000 { used * 2 } else { used * 4 })?;
        self.put(at, key, hash);
        self.rehash(fresh);
        Ok(())
    }

    /// What the first cell says of a key: that it is there, that the cell is free for it, or nothing.
    #[inline(always)]
    pub fn at_first(&self, key: &Value, hash: i64) -> Option<Result<(), usize>> {
        let at = hash as usize & self.cells.len().wrapping_sub(1);
        let cell = self.cells.get(at)?;
        match &cell.key {
            Some(theirs) => theirs.is(key).then_some(Ok(())),
            None => cell.is_free().then_some(Err(at)),
        }
    }

    /// Whether one more key goes in without growing.
    #[inline(always)]
    pub fn has_room(&self) -> bool {
        (self.fill + 1) * 5 < self.mask() * 3
    }

    /// Puts a key into a free cell.
    #[inline(always)]
    pub fn put(&mut self, at: usize, key: Value, hash: i64) {
        let cell = &mut self.cells[at];
        cell.hash = hash;
        // There was none: no destructor runs.
        std::mem::forget(cell.key.replace(key));
        self.fill += 1;
        self.used += 1;
    }

    /// Inserts a key that is not there into a table without deleted cells and with room.
    fn insert_clean(&mut self, key: Value, hash: i64) {
        let mask = self.cells.len() - 1;
        let mut walk = SetWalk::new(hash);
        loop {
            let at = walk.next(mask);
            if self.cells[at & mask].key.is_none() {
                return self.put(at & mask, key, hash);
            }
        }
    }

    fn resize(&mut self, at_least: usize) -> Result<(), NoMemory> {
        let fresh = cells_for(at_least)?;
        self.rehash(fresh);
        Ok(())
    }

    fn rehash(&mut self, fresh: Vec<Cell>) {
        let old = std::mem::replace(&mut self.cells, fresh);
        (self.fill, self.used) = (0, 0);
        for_each_key(old, |key, hash| self.insert_clean(key, hash));
    }

    /// Grows as CPython does before `count` keys of another table are added.
    pub fn reserve(&mut self, count: usize) -> Result<(), NoMemory> {
        if (self.fill + count) * 5 >= self.mask() * 3 {
            self.resize((self.used + count) * 2)
        } else {
            Ok(())
        }
    }

    /// Drops deleted cells if they are more than a quarter.
    pub fn tidy(&mut self) -> Result<(), NoMemory> {
        if self.fill - self.used <= self.mask() / 4 {
            return Ok(());
        }
        self.resize(if self.used > 50_000 {
            self.used * 2
        } else {
            self.used * 4
        })
    }

    /// A copy with the order that adding all keys to an empty set gives.
    pub fn copied(&self) -> Result<SetTable, NoMemory> {
        let mut copy = SetTable::new();
        if self.used == 0 {
            return Ok(copy);
        }
        copy.cells = cells_for(match self.used * 5 >= (MIN_SIZE - 1) * 3 {
            true => self.used * 2,
            false => 0,
        })?;
        if copy.cells.len() == self.cells.len() && self.fill == self.used {
            // The finger does not move over.
            for (place, cell) in copy.cells.iter_mut().zip(&self.cells) {
                if let Some(key) = &cell.key {
                    *place = Cell {
                        hash: cell.hash,
                        key: Some(key.clone()),
                    };
                }
            }
            (copy.fill, copy.used) = (self.fill, self.used);
            return Ok(copy);
        }
        self.iter().for_each(|(hash, key)| copy.insert_clean(key.clone(), hash));
        Ok(copy)
    }

    /// Takes the key out of cell `at`.
    #[must_use = "drop the key when no lock is held"]
    pub fn remove(&mut self, at: usize) -> Option<Value> {
        let cell = self.cells.get_mut(at)?;
        let key = cell.key.take()?;
        cell.hash = DELETED;
        self.used -= 1;
        Some(key)
    }

    /// Takes some key out.
    #[must_use = "drop the key when no lock is held"]
    pub fn pop(&mut self) -> Option<Value> {
        if self.used == 0 {
            return None;
        }
        let mask = self.mask();
        let at = (0..=mask)
            .map(|n| self.finger.wrapping_add(n) & mask)
            .find(|&at| self.cells[at].key.is_some())?;
        self.finger = at + 1;
        self.remove(at)
    }

    /// The first cell from `at` on that has a key, and the key.
    #[inline]
    pub fn next_from(&self, at: usize) -> Option<(usize, &Value)> {
        self.entry_from(at).map(|(at, _, key)| (at, key))
    }

    /// As [`SetTable::next_from`], with the hash.
    #[inline]
    pub fn entry_from(&self, from: usize) -> Option<(usize, i64, &Value)> {
        let cells = self.cells.get(from..)?;
        let ahead = cells.iter().position(|cell| cell.key.is_some())?;
        let cell = &cells[ahead];
        Some((from + ahead, cell.hash, cell.key.as_ref()?))
    }

    /// Hashes and keys in the table's order.
    pub fn iter(&self) -> impl Iterator<Item = (i64, &Value)> {
        self.cells
            .iter()
            .filter_map(|cell| Some((cell.hash, cell.key.as_ref()?)))
    }

    pub fn into_keys(mut self) -> impl Iterator<Item = Value> {
        std::mem::take(&mut self.cells).into_iter().filter_map(|cell| cell.key)
    }
}

/// Calls `f` with each key and its hash. The cells that have none, most of them, are passed over in one step.
#[inline]
fn for_each_key(mut cells: Vec<Cell>, mut f: impl FnMut(Value, i64)) {
    for cell in &mut cells {
        if let Some(key) = cell.key.take() {
            f(key, cell.hash);
        }
    }
    // SAFETY: without a key a cell has nothing to drop.
    unsafe { cells.set_len(0) };
}

impl Drop for SetTable {
    #[inline]
    fn drop(&mut self) {
        for_each_key(std::mem::take(&mut self.cells), |key, _| drop(key));
    }
}

/// Free cells: the smallest power of two that is more than `at_least`.
fn cells_for(at_least: usize) -> Result<Vec<Cell>, NoMemory> {
    let size = at_least
        .checked_add(1)
        .and_then(usize::checked_next_power_of_two)
        .ok_or(NoMemory)?
        .max(MIN_SIZE);
    let layout = Layout::array::<Cell>(size).map_err(|_| NoMemory)?;
    // SAFETY: the layout is not empty.
    let block = NonNull::new(unsafe { alloc_zeroed(layout) }).ok_or(NoMemory)?;
    // SAFETY: a block of this layout from the allocator that vectors use; a cell of zeros is a free one.
    Ok(unsafe { Vec::from_raw_parts(block.cast::<Cell>().as_ptr(), size, size) })
}

impl Trace for SetTable {
    fn traverse(&self, visit: &mut Visitor<'_>) {
        self.iter().for_each(|(_, key)| key.traverse(visit));
    }
}
