//! Size classes of small blocks.
//!
//! Every 8 bytes up to 256, then four steps a doubling up to [`SMALL_MAX`]. A *bin* is a class together
//! with whether its blocks are visited by the cycle collector: bit 6 says so, the low six bits are the class.

/// The largest block that is cut from a shared page; anything above is a mapping of its own.
pub(super) const SMALL_MAX: usize = 32 * 1024;

/// Smallest block: the object header.
pub(super) const MIN_SIZE: usize = 24;

const FINE_MAX: usize = 256;
const FINE_CLASSES: usize = FINE_MAX / 8 + 1;

/// Number of classes in use.
pub(super) const CLASSES: usize = FINE_CLASSES + 7 * 4;

/// Set in a bin whose blocks the collector visits.
pub(super) const GC_BIT: usize = 64;

/// Length of a table indexed by bin (with holes, so that a mask can stand for the bounds check).
pub(super) const BINS: usize = 128;

const _: () = assert!(CLASSES <= GC_BIT);

/// The class whose blocks are the smallest that hold `size` bytes. `size` is at most [`SMALL_MAX`].
#[inline(always)]
pub(super) const fn class_of(size: usize) -> usize {
    if size <= FINE_MAX {
        let size = if size < MIN_SIZE { MIN_SIZE } else { size };
        size.div_ceil(8)
    } else {
        let last = size - 1;
        let doubling = last.ilog2() as usize;
        FINE_CLASSES + (doubling - 8) * 4 + ((last >> (doubling - 2)) & 3)
    }
}

/// Bytes in a block of `class`.
pub(super) const fn class_size(class: usize) -> usize {
    if class < FINE_CLASSES {
        class * 8
    } else {
        let step = class - FINE_CLASSES;
        let doubling = 8 + step / 4;
        (1 << doubling) + ((step % 4 + 1) << (doubling - 2))
    }
}

#[inline(always)]
pub(super) const fn bin_of(size: usize, gc: bool) -> usize {
    class_of(size) | if gc { GC_BIT } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_tight() {
        for size in 1..=SMALL_MAX {
            let class = class_of(size);
            assert!(class < CLASSES);
            let rounded = class_size(class);
            assert!(rounded >= size && rounded >= MIN_SIZE && rounded.is_multiple_of(8));
            assert_eq!(class_of(rounded), class);
            assert!(rounded <= MIN_SIZE || rounded - size < 8 || rounded - size < size / 4);
        }
        assert_eq!(class_size(CLASSES - 1), SMALL_MAX);
    }
}
