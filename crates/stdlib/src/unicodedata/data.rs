//! The Unicode character database, of Unicode 16 and of 3.2.
//!
//! Invariant: the tables are those that `tools/unicodedata_tables.py` wrote; they are unpacked at the first question, and what
//! they lack reads as "unassigned".

use std::sync::OnceLock;

const SHIFT: u32 = 7;
const PACKED: &[u8] = include_bytes!("tables.bin");

/// What is known of one class of characters.
#[derive(Clone, Copy, Default, Debug)]
pub struct Record {
    category: u8,
    bidirectional: u8,
    pub combining: u8,
    pub mirrored: bool,
    width: u8,
    decimal: u8,
    digit: u8,
    numeric: u16,
}

struct Index {
    index: Vec<u16>,
    blocks: Vec<u16>,
}

/// All tables.
pub struct Tables {
    categories: Vec<String>,
    bidirectionals: Vec<String>,
    widths: Vec<String>,
    tags: Vec<String>,
    records: Vec<Record>,
    numbers: Vec<f64>,
    new: Index,
    old: Index,
    decomposed: Vec<u32>,
    offsets: Vec<u32>,
    pool: Vec<u32>,
    compositions: Vec<[u32; 3]>,
    corrections: Vec<[u32; 2]>,
}

/// The tables.
pub fn tables() -> &'static Tables {
    static TABLES: OnceLock<Tables> = OnceLock::new();
    TABLES.get_or_init(|| {
        let bytes = miniz_oxide::inflate::decompress_to_vec(PACKED).unwrap_or_default();
        Tables::read(&bytes)
    })
}

/// Takes the next section.
fn section<'a>(rest: &mut &'a [u8]) -> &'a [u8] {
    let Some((length, after)) = rest.split_first_chunk::<4>() else {
        return &[];
    };
    let length = (u32::from_le_bytes(*length) as usize).min(after.len());
    let (section, after) = after.split_at(length);
    *rest = after;
    section
}

fn names(section: &[u8]) -> Vec<String> {
    section
        .split(|b| *b == 0)
        .map(|name| String::from_utf8_lossy(name).into_owned())
        .collect()
}

fn halves(section: &[u8]) -> Vec<u16> {
    section
        .as_chunks::<2>()
        .0
        .iter()
        .map(|b| u16::from_le_bytes(*b))
        .collect()
}

fn words(section: &[u8]) -> Vec<u32> {
    section
        .as_chunks::<4>()
        .0
        .iter()
        .map(|b| u32::from_le_bytes(*b))
        .collect()
}

impl Tables {
    fn read(bytes: &[u8]) -> Tables {
        let rest = &mut &*bytes;
        Tables {
            categories: names(section(rest)),
            bidirectionals: names(section(rest)),
            widths: names(section(rest)),
            tags: names(section(rest)),
            records: section(rest)
                .as_chunks::<12>()
                .0
                .iter()
                .map(|b| Record {
                    category: b[0],
                    bidirectional: b[1],
                    combining: b[2],
                    mirrored: b[3] != 0,
                    width: b[4],
                    decimal: b[5],
                    digit: b[6],
                    numeric: u16::from_le_bytes([b[8], b[9]]),
                })
                .collect(),
            numbers: section(rest)
                .as_chunks::<8>()
                .0
                .iter()
                .map(|b| f64::from_le_bytes(*b))
                .collect(),
            new: Index {
                index: halves(section(rest)),
                blocks: halves(section(rest)),
            },
            old: Index {
                index: halves(section(rest)),
                blocks: halves(section(rest)),
            },
            decomposed: words(section(rest)),
            offsets: words(section(rest)),
            pool: words(section(rest)),
            compositions: words(section(rest)).as_chunks::<3>().0.to_vec(),
            corrections: words(section(rest)).as_chunks::<2>().0.to_vec(),
        }
    }

    /// What is known of a character, by the database of 3.2 if `old`.
    pub fn record(&self, c: u32, old: bool) -> Record {
        let table = if old { &self.old } else { &self.new };
        let block = table.index.get((c >> SHIFT) as usize).copied().unwrap_or(0) as usize;
        let at = block << SHIFT | c as usize & ((1 << SHIFT) - 1);
        let record = table.blocks.get(at).copied().unwrap_or(0) as usize;
        self.records.get(record).copied().unwrap_or_default()
    }

    pub fn category(&self, c: u32, old: bool) -> &str {
        name(&self.categories, self.record(c, old).category)
    }

    pub fn is_assigned(&self, c: u32, old: bool) -> bool {
        self.record(c, old).category != 0
    }

    pub fn bidirectional(&self, c: u32, old: bool) -> &str {
        name(&self.bidirectionals, self.record(c, old).bidirectional)
    }

    pub fn width(&self, c: u32, old: bool) -> &str {
        name(&self.widths, self.record(c, old).width)
    }

    pub fn decimal(&self, c: u32, old: bool) -> Option<u8> {
        Some(self.record(c, old).decimal).filter(|n| *n != 255)
    }

    pub fn digit(&self, c: u32, old: bool) -> Option<u8> {
        Some(self.record(c, old).digit).filter(|n| *n != 255)
    }

    pub fn numeric(&self, c: u32, old: bool) -> Option<f64> {
        self.numbers.get(usize::from(self.record(c, old).numeric)).copied()
    }

    /// The tag (empty for a canonical one) and the characters of a decomposition.
    pub fn decomposition(&self, c: u32, old: bool) -> Option<(&str, &[u32])> {
        let at = self.decomposed.binary_search(&c).ok()?;
        if old && !self.is_assigned(c, true) {
            return None;
        }
        let range = *self.offsets.get(at)? as usize..*self.offsets.get(at + 1)? as usize;
        let (tag, codes) = self.pool.get(range)?.split_first()?;
        Some((self.tags.get(*tag as usize)?, codes))
    }

    /// What a character decomposed to in 3.2, where that was corrected later.
    fn correction(&self, c: u32) -> Option<u32> {
        self.corrections.iter().find(|pair| pair[0] == c).map(|pair| pair[1])
    }

    fn composition(&self, first: u32, second: u32) -> Option<u32> {
        let at = self
            .compositions
            .binary_search_by(|triple| (triple[0], triple[1]).cmp(&(first, second)))
            .ok()?;
        self.compositions.get(at).map(|triple| triple[2])
    }
}

fn name(names: &[String], at: u8) -> &str {
    names.get(usize::from(at)).map_or("", String::as_str)
}

/// A normalization form.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Form {
    pub compose: bool,
    pub compatible: bool,
}

const SYLLABLES: u32 = 0xac00;
const LEADS: u32 = 0x1100;
const VOWELS: u32 = 0x1161;
const TAILS: u32 = 0x11a7;
const LEAD_COUNT: u32 = 19;
const VOWEL_COUNT: u32 = 21;
const TAIL_COUNT: u32 = 28;
const SYLLABLE_COUNT: u32 = LEAD_COUNT * VOWEL_COUNT * TAIL_COUNT;

/// Normalizes a text (Unicode Standard Annex 15).
pub fn normalize(chars: impl Iterator<Item = u32>, form: Form, old: bool) -> Vec<u32> {
    let tables = tables();
    let mut out = Vec::new();
    for c in chars {
        decompose(tables, c, form.compatible, old, &mut out);
    }
    reorder(tables, &mut out);
    if form.compose {
        compose(tables, &mut out);
    }
    out
}

fn decompose(tables: &Tables, c: u32, compatible: bool, old: bool, out: &mut Vec<u32>) {
    if c < 0x80 {
        out.push(c);
        return;
    }
    let syllable = c.wrapping_sub(SYLLABLES);
    if syllable < SYLLABLE_COUNT {
        out.push(LEADS + syllable / (VOWEL_COUNT * TAIL_COUNT));
        out.push(VOWELS + syllable % (VOWEL_COUNT * TAIL_COUNT) / TAIL_COUNT);
        if !syllable.is_multiple_of(TAIL_COUNT) {
            out.push(TAILS + syllable % TAIL_COUNT);
        }
        return;
    }
    if old && let Some(other) = tables.correction(c) {
        out.push(other);
        return;
    }
    match tables.decomposition(c, old) {
        Some((tag, codes)) if tag.is_empty() || compatible => {
            for code in codes {
                decompose(tables, *code, compatible, old, out);
            }
        }
        _ => out.push(c),
    }
}

/// Sorts each run of combining characters by class.
fn reorder(tables: &Tables, chars: &mut [u32]) {
    let class = |c: &u32| {
        if *c < 0x300 {
            0
        } else {
            tables.record(*c, false).combining
        }
    };
    let mut at = 0;
    while at < chars.len() {
        let length = chars[at..].iter().take_while(|c| class(c) != 0).count();
        if length > 1 {
            chars[at..at + length].sort_by_key(class);
        }
        at += length.max(1);
    }
}

fn compose(tables: &Tables, chars: &mut Vec<u32>) {
    let mut kept: Vec<u32> = Vec::with_capacity(chars.len());
    let mut starter: Option<usize> = None;
    let mut last_class = 0;
    for &c in chars.iter() {
        let class = if c < 0x300 {
            0
        } else {
            tables.record(c, false).combining
        };
        if let Some(at) = starter {
            let adjacent = at + 1 == kept.len();
            let blocked = !adjacent && (last_class >= class || class == 0);
            if !blocked && let Some(made) = compose_pair(tables, kept[at], c) {
                kept[at] = made;
                continue;
            }
        }
        if class == 0 {
            starter = Some(kept.len());
        }
        last_class = class;
        kept.push(c);
    }
    *chars = kept;
}

fn compose_pair(tables: &Tables, first: u32, second: u32) -> Option<u32> {
    let (lead, vowel) = (first.wrapping_sub(LEADS), second.wrapping_sub(VOWELS));
    if lead < LEAD_COUNT && vowel < VOWEL_COUNT {
        return Some(SYLLABLES + (lead * VOWEL_COUNT + vowel) * TAIL_COUNT);
    }
    let (syllable, tail) = (first.wrapping_sub(SYLLABLES), second.wrapping_sub(TAILS));
    if syllable < SYLLABLE_COUNT && syllable.is_multiple_of(TAIL_COUNT) && (1..TAIL_COUNT).contains(&tail) {
        return Some(first + tail);
    }
    tables.composition(first, second)
}
