//! Reading DER: tagged items in sequence.
//!
//! Invariant: nothing is read beyond the bytes given, whatever lengths they claim. Left out: tags of more than one byte and
//! indefinite lengths, which certificates do not have.

/// The bytes that are still to be read.
#[derive(Clone, Copy)]
pub struct Der<'a>(pub &'a [u8]);

pub struct Item<'a> {
    pub tag: u8,
    pub body: &'a [u8],
    /// With tag and length.
    pub whole: &'a [u8],
}

impl<'a> Iterator for Der<'a> {
    type Item = Item<'a>;

    /// The next item; `None` at the end and where no item can be read.
    fn next(&mut self) -> Option<Item<'a>> {
        let (&tag, rest) = self.0.split_first()?;
        let (&first, mut rest) = rest.split_first()?;
        if tag & 0x1f == 0x1f {
            return None;
        }
        let mut len = usize::from(first);
        if first & 0x80 != 0 {
            let count = usize::from(first & 0x7f);
            if !(1..=4).contains(&count) {
                return None;
            }
            let (bytes, after) = rest.split_at_checked(count)?;
            len = bytes.iter().fold(0, |len, &byte| len << 8 | usize::from(byte));
            rest = after;
        }
        let (body, after) = rest.split_at_checked(len)?;
        let whole = self.0.get(..self.0.len() - after.len())?;
        self.0 = after;
        Some(Item { tag, body, whole })
    }
}

impl<'a> Der<'a> {
    /// The next item, which has to be of this tag.
    pub fn expect(&mut self, tag: u8) -> Option<Item<'a>> {
        self.next().filter(|item| item.tag == tag)
    }

    /// The next item if it has this tag.
    pub fn optional(&mut self, tag: u8) -> Option<Item<'a>> {
        let mut ahead = *self;
        let item = ahead.expect(tag)?;
        *self = ahead;
        Some(item)
    }
}

impl<'a> Item<'a> {
    /// The items in this one.
    pub fn inside(&self) -> Der<'a> {
        Der(self.body)
    }
}
