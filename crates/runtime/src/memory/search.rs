//! The collector's search: which of the objects that can be part of a cycle are reachable from anything but each other.
//!
//! Invariant: the world is stopped. Each object considered has its number in its header, in the place of owner and local count, which its
//! [`Candidate`] keeps. A search takes 16 bytes an object, and nothing besides: what is still to be visited is a list through the candidates.
//! What fits in no candidate (an address of more than 48 bits, an owner of more than 16) is not considered, and so keeps what it refers to alive.

use std::alloc::{Layout, alloc, dealloc};
use std::ptr::NonNull;
use std::sync::atomic::Ordering::Relaxed;

use super::header::{GC_FROZEN, GC_TRACKED, Header, OWNER_DISTRIBUTED};
use super::trace::Visitor;
use crate::object::Value;
use crate::sync::os_linux;
use crate::threads::owner_id;

/// An object that the search considers.
struct Candidate {
    /// The address of the header, and from bit 48 on the owner that stood there.
    place: u64,
    /// The local count that stood there.
    local: u32,
    /// References that are not accounted for. Once the object was found reachable: [`REACHED`] and the number of the next to be visited.
    state: u32,
}

/// Set in `state`: reachable from outside.
const REACHED: u32 = 1 << 31;
/// Below `REACHED`: nothing comes after.
const LAST: u32 = REACHED - 1;
/// So many references or more are never accounted for.
const MANY: u32 = REACHED - 1;

const PLACE_BITS: u32 = 48;
/// The owner of distributed objects, in 16 bits.
const DISTRIBUTED: u64 = 0xffff;

impl Candidate {
    /// Puts `number` into the header of an object; none if it does not fit.
    #[inline]
    fn begin(header: NonNull<Header>, number: u32, external: i64) -> Option<Candidate> {
        let address = header.as_ptr() as u64;
        // SAFETY: the caller's object is alive.
        let head = unsafe { header.as_ref() };
        let word = head.search_word();
        let owner = match (word >> 32) as u32 {
            OWNER_DISTRIBUTED => DISTRIBUTED,
            owner => u64::from(owner),
        };
        let fits = address >> PLACE_BITS == 0 && (owner < DISTRIBUTED || (word >> 32) as u32 == OWNER_DISTRIBUTED);
        fits.then(|| {
            head.begin_search(number);
            Candidate {
                place: owner << PLACE_BITS | address,
                local: word as u32,
                state: u32::try_from(external).map_or(MANY, |count| count.min(MANY)),
            }
        })
    }

    #[inline]
    fn header(&self) -> NonNull<Header> {
        // SAFETY: the address of a header.
        unsafe { NonNull::new_unchecked((self.place & ((1 << PLACE_BITS) - 1)) as *mut Header) }
    }

    /// Puts back what stood in the header.
    #[inline]
    fn end(&self) {
        let owner = match self.place >> PLACE_BITS {
            DISTRIBUTED => OWNER_DISTRIBUTED,
            owner => owner as u32,
        };
        // SAFETY: a live object.
        unsafe { self.header().as_ref() }.end_search(u64::from(owner) << 32 | u64::from(self.local));
    }
}

/// Room for a number of candidates that is known before. What is large is mapped: it goes back to the system at once, and pages that stay
/// unused are never taken from it.
struct Candidates {
    items: NonNull<Candidate>,
    len: usize,
    room: usize,
}

/// More bytes than this are mapped.
const MAPPED: usize = 256 << 10;

impl Candidates {
    fn with_room(room: usize) -> Option<Candidates> {
        let room = room.min(LAST as usize);
        let layout = Layout::array::<Candidate>(room.max(1)).ok()?;
        let block = if layout.size() > MAPPED {
            os_linux::map(layout.size())?
        } else {
            // SAFETY: the layout is not empty.
            NonNull::new(unsafe { alloc(layout) })?
        };
        Some(Candidates {
            items: block.cast(),
            len: 0,
            room,
        })
    }

    #[inline]
    fn push(&mut self, candidate: Candidate) {
        debug_assert!(self.len < self.room);
        // SAFETY: the caller has seen that there is room.
        unsafe { self.items.add(self.len).write(candidate) };
        self.len += 1;
    }

    #[inline]
    fn all(&mut self) -> &mut [Candidate] {
        // SAFETY: so many were written.
        unsafe { std::slice::from_raw_parts_mut(self.items.as_ptr(), self.len) }
    }
}

impl Drop for Candidates {
    fn drop(&mut self) {
        if let Ok(layout) = Layout::array::<Candidate>(self.room.max(1)) {
            if layout.size() > MAPPED {
                // SAFETY: the mapping of `with_room`.
                unsafe { os_linux::unmap(self.items.cast(), layout.size()) };
            } else {
                // SAFETY: the block of `with_room`.
                unsafe { dealloc(self.items.as_ptr().cast(), layout) };
            }
        }
    }
}

/// What one search found.
#[derive(Default)]
pub(super) struct Found {
    /// The unreachable objects, each with a reference of the collector's.
    pub garbage: Vec<Value>,
    pub examined: usize,
    /// Live objects that were looked at, those that were too old to be examined included.
    pub visited: usize,
}

/// Searches the objects up to `generation`, and moves the survivors on by one. The world is stopped. `None` without memory for the
/// search: then nothing has changed.
pub(super) fn find(generation: usize) -> Option<Found> {
    let young_only = generation == 0;
    let visited = super::alloc::count_gc_blocks(young_only);
    let mut candidates = Candidates::with_room(visited)?;
    super::alloc::for_each_gc_object(young_only, &mut |block| {
        let header = block.cast::<Header>();
        // SAFETY: the allocator visits live objects.
        let head = unsafe { header.as_ref() };
        if head.gc.load(Relaxed) & (GC_TRACKED | GC_FROZEN) != GC_TRACKED
            || usize::from(head.generation()) > generation
            || head.is_immortal()
            || candidates.len == candidates.room
        {
            return;
        }
        let external = head.refcount();
        // What is distributed is not freed when its last reference goes, but here.
        let least = i64::from(head.distributed_index().is_none());
        if external >= least
            && let Some(candidate) = Candidate::begin(header, candidates.len as u32, external)
        {
            candidates.push(candidate);
        }
    });
    let candidates = candidates.all();
    let count = mark(candidates);
    let mine = owner_id();
    let mut garbage = Vec::new();
    if garbage.try_reserve_exact(count).is_err() {
        candidates.iter().for_each(Candidate::end);
        return None;
    }
    for candidate in candidates.iter() {
        candidate.end();
        let header = candidate.header();
        // SAFETY: still alive.
        let head = unsafe { header.as_ref() };
        if candidate.state & REACHED != 0 {
            head.set_generation((generation as u8 + 1).min(2));
        } else {
            // SAFETY: the world is stopped.
            unsafe { super::distributed::gather(head) };
            // Whoever clears it counts without asking its owner, and locks without a handshake. Only garbage refers to it.
            head.take_over(mine);
            head.incref();
            // SAFETY: the count just taken is the result's.
            garbage.push(unsafe { Value::from_bits(header.as_ptr() as u64) });
        }
    }
    Some(Found {
        garbage,
        examined: candidates.len(),
        visited,
    })
}

/// Marks the candidates that are reachable from outside; returns how many are not.
fn mark(candidates: &mut [Candidate]) -> usize {
    for i in 0..candidates.len() {
        let header = candidates[i].header();
        let mut visit = |child: NonNull<Header>| {
            // SAFETY: a child of a live object is alive.
            if let Some(j) = unsafe { child.as_ref() }.search_number() {
                let state = &mut candidates[j].state;
                *state = if *state == MANY { MANY } else { state.saturating_sub(1) };
            }
        };
        // SAFETY: live objects, the world is stopped.
        unsafe { crate::object::traverse(header, &mut Visitor::new(&mut visit)) };
    }
    let mut garbage = candidates.len();
    let mut next = LAST;
    for (i, candidate) in candidates.iter_mut().enumerate() {
        if candidate.state > 0 {
            candidate.state = REACHED | next;
            next = i as u32;
            garbage -= 1;
        }
    }
    while next != LAST {
        let at = &candidates[next as usize];
        next = at.state & !REACHED;
        let header = at.header();
        let mut visit = |child: NonNull<Header>| {
            // SAFETY: as above.
            if let Some(j) = unsafe { child.as_ref() }.search_number()
                && candidates[j].state & REACHED == 0
            {
                candidates[j].state = REACHED | next;
                next = j as u32;
                garbage -= 1;
            }
        };
        // SAFETY: as above.
        unsafe { crate::object::traverse(header, &mut Visitor::new(&mut visit)) };
    }
    garbage
}
