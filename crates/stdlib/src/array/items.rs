//! The kinds of items an array can have: their codes and sizes, and how items become values and back.
//!
//! Invariant: items are in the machine's byte order; nothing here knows of arrays.

use lisle_runtime::native::{Exc, Py, Res, Str, Value, Vm};
use num_bigint::{BigInt, Sign};
use num_traits::ToPrimitive;

/// What the bytes of an item mean.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Meaning {
    Signed,
    Unsigned,
    Float,
    Char,
}

/// A kind of items.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Kind {
    pub code: char,
    pub size: usize,
    pub meaning: Meaning,
}

lisle_runtime::no_trace!(Kind);

const fn kind(code: char, size: usize, meaning: Meaning) -> Kind {
    Kind { code, size, meaning }
}

/// All kinds, in the order in which `array.typecodes` has them.
pub const KINDS: [Kind; 14] = [
    kind('b', 1, Meaning::Signed),
    kind('B', 1, Meaning::Unsigned),
    kind('u', 4, Meaning::Char),
    kind('w', 4, Meaning::Char),
    kind('h', 2, Meaning::Signed),
    kind('H', 2, Meaning::Unsigned),
    kind('i', 4, Meaning::Signed),
    kind('I', 4, Meaning::Unsigned),
    kind('l', 8, Meaning::Signed),
    kind('L', 8, Meaning::Unsigned),
    kind('q', 8, Meaning::Signed),
    kind('Q', 8, Meaning::Unsigned),
    kind('f', 4, Meaning::Float),
    kind('d', 8, Meaning::Float),
];

/// The bytes of one item, of which the first `Kind::size` count.
pub type Item = [u8; 8];

/// Item number `at` of `N` bytes each.
#[inline(always)]
fn nth<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.as_chunks().0.get(at).copied()
}

#[inline(always)]
fn set_nth<const N: usize>(bytes: &mut [u8], at: usize, item: [u8; N]) -> bool {
    bytes.as_chunks_mut().0.get_mut(at).map(|place| *place = item).is_some()
}

impl Kind {
    /// The kind of a type code.
    pub fn of(vm: &Vm, code: u32) -> Res<Kind> {
        KINDS
            .into_iter()
            .find(|kind| u32::from(kind.code) == code)
            .ok_or_else(|| vm.value_error("bad typecode (must be b, B, u, w, h, H, i, I, l, L, q, Q, f or d)"))
    }

    /// The bits of item number `at`, above which are zeros; `None` behind the last.
    #[inline(always)]
    pub fn load(self, bytes: &[u8], at: usize) -> Option<u64> {
        match self.size {
            1 => bytes.get(at).copied().map(u64::from),
            2 => nth(bytes, at).map(|item| u16::from_ne_bytes(item).into()),
            4 => nth(bytes, at).map(|item| u32::from_ne_bytes(item).into()),
            _ => nth(bytes, at).map(u64::from_ne_bytes),
        }
    }

    /// Sets item number `at` to the lower bits of `word`; `false` behind the last.
    #[inline(always)]
    pub fn store(self, bytes: &mut [u8], at: usize, word: u64) -> bool {
        match self.size {
            1 => bytes.get_mut(at).map(|place| *place = word as u8).is_some(),
            2 => set_nth(bytes, at, (word as u16).to_ne_bytes()),
            4 => set_nth(bytes, at, (word as u32).to_ne_bytes()),
            _ => set_nth(bytes, at, word.to_ne_bytes()),
        }
    }

    /// The value of an item's bits.
    #[inline]
    pub fn value(self, vm: &Vm, word: u64) -> Res<Value> {
        let unused = 64 - 8 * self.size as u32;
        Ok(match (self.meaning, self.size) {
            (Meaning::Signed, _) => Value::int((word << unused) as i64 >> unused),
            (Meaning::Unsigned, 8) => Value::usize(word as usize),
            (Meaning::Unsigned, _) => Value::int(word as i64),
            (Meaning::Float, 4) => Value::float(f32::from_bits(word as u32).into()),
            (Meaning::Float, _) => Value::float(f64::from_bits(word)),
            (Meaning::Char, _) => self.character(vm, word)?,
        })
    }

    #[inline(never)]
    fn character(self, vm: &Vm, word: u64) -> Res<Value> {
        Ok(match u32::try_from(word) {
            Ok(code @ ..=0x10_ffff) => Str::from_char(code).into_value(),
            _ if self.code == 'w' => return Err(vm.value_error("chr() arg not in range(0x110000)")),
            _ => {
                let message = format!("character U+{word:x} is not in range [U+0000; U+10ffff]");
                return Err(vm.value_error(message));
            }
        })
    }

    /// The bytes of an item with this value.
    pub fn item(self, vm: &Vm, value: &Value) -> Res<Item> {
        self.word(vm, value).map(u64::to_ne_bytes)
    }

    /// What [`Kind::store`] makes an item with this value of.
    #[inline]
    pub fn word(self, vm: &Vm, value: &Value) -> Res<u64> {
        Ok(match self.meaning {
            Meaning::Signed => self.signed(vm, value)? as u64,
            Meaning::Unsigned => self.unsigned(vm, value)?,
            Meaning::Float if self.size == 4 => u64::from((vm.to_f64(value)? as f32).to_bits()),
            Meaning::Float => vm.to_f64(value)?.to_bits(),
            Meaning::Char => u64::from(character(vm, value)?),
        })
    }

    fn signed(self, vm: &Vm, value: &Value) -> Res<i64> {
        let bits = 8 * self.size as u32;
        let max = i64::MAX >> (64 - bits);
        if let Some(int) = value.as_small_int()
            && (-max - 1..=max).contains(&int)
        {
            return Ok(int);
        }
        let int = integer(vm, value)?;
        match int.to_i64() {
            Some(int) if (-max - 1..=max).contains(&int) => Ok(int),
            _ => Err(self.out_of_range(vm, &int)),
        }
    }

    fn unsigned(self, vm: &Vm, value: &Value) -> Res<u64> {
        let max = u64::MAX >> (64 - 8 * self.size as u32);
        if let Some(Ok(int)) = value.as_small_int().map(u64::try_from)
            && int <= max
        {
            return Ok(int);
        }
        let int = integer(vm, value)?;
        match int.to_u64() {
            Some(int) if int <= max => Ok(int),
            _ => Err(self.out_of_range(vm, &int)),
        }
    }

    #[cold]
    fn out_of_range(self, vm: &Vm, int: &BigInt) -> Exc {
        let negative = int.sign() == Sign::Minus;
        let end = if negative {
            "less than minimum"
        } else {
            "greater than maximum"
        };
        let named = |name: &str| vm.overflow_error(format!("{name} is {end}"));
        // The small kinds are read as a wider C type first, whose error comes before their own.
        let too_wide = match (self.code, int.to_i64()) {
            ('b' | 'B' | 'h' | 'H' | 'i', None) => {
                return vm.overflow_error("Python int too large to convert to C long");
            }
            ('b', Some(int)) if i16::try_from(int).is_err() => Some("signed short integer"),
            ('H', Some(int)) if i32::try_from(int).is_err() => Some("signed integer"),
            _ => None,
        };
        if let Some(name) = too_wide {
            return named(name);
        }
        named(match self.code {
            'b' => "signed char",
            'B' => "unsigned byte integer",
            'h' => "signed short integer",
            'H' => "unsigned short",
            'i' => "signed integer",
            'I' if !negative && int.to_u64().is_some() => "unsigned int",
            'l' => return vm.overflow_error("Python int too large to convert to C long"),
            'q' => return vm.overflow_error("int too big to convert"),
            'I' | 'L' if negative => return vm.overflow_error("can't convert negative value to unsigned int"),
            'I' | 'L' => return vm.overflow_error("Python int too large to convert to C unsigned long"),
            _ if negative => return vm.overflow_error("can't convert negative int to unsigned"),
            _ => return vm.overflow_error("int too big to convert"),
        })
    }
}

fn integer(vm: &Vm, value: &Value) -> Res<BigInt> {
    let index = vm.index(value)?;
    Ok(vm.int_value(&index).map(|int| int.to_bigint()).unwrap_or_default())
}

fn character(vm: &Vm, value: &Value) -> Res<u32> {
    let only = value.downcast::<Str>().filter(|text| text.len() == 1);
    only.and_then(|text| text.view().get(0))
        .ok_or_else(|| vm.type_error("array item must be unicode character"))
}

/// The items of a text.
pub fn text_items(text: &Py<Str>) -> Res<Vec<u8>> {
    let mut items = Vec::new();
    items.try_reserve_exact(text.len().saturating_mul(4))?;
    items.extend(text.view().chars().flat_map(u32::to_ne_bytes));
    Ok(items)
}
