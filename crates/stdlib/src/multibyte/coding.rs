//! Encoding and decoding a step at a time: what each codec does with the next character or the next bytes.
//!
//! Invariant: a step consumes something or says why not; it never reads past its input. State that goes on between steps is in eight
//! bytes, laid out as CPython's, since programs can see them.

use super::tables::{EIGHT, FOUR, Grid, ILLEGAL, ROW, TWO, Table, Tables};

/// What goes on between steps.
pub type State = [u8; 8];

/// What a step did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    /// So much of the input was consumed.
    Done(usize),
    /// More input is needed.
    TooFew,
    /// So much of the input is at fault.
    Illegal(usize),
}

const ESC: u8 = 0x1B;
const SHIFT_OUT: u8 = 0x0E;
const SHIFT_IN: u8 = 0x0F;
const DOUBLE: u8 = 0x80;
const ASCII: u8 = b'B';
const JISX0201_R: u8 = b'J';
const JISX0201_K: u8 = b'I';
const JISX0208: u8 = b'B' | DOUBLE;
const JISX0208_O: u8 = b'@' | DOUBLE;
const LATIN1: u8 = b'A';
const GREEK: u8 = b'F';

/// Where the flags are in the state of ISO 2022, and the flags.
const FLAGS: usize = 4;
const SHIFTED: u8 = 1;
const ESCAPED: u8 = 2;

/// What a codec of ISO 2022 knows: its sets by mark.
struct Iso2022 {
    sets: &'static [(u8, Option<Grid>)],
    no_shift: bool,
    second_set: bool,
    extended: bool,
}

static KR: Iso2022 = Iso2022 {
    sets: &[(b'C' | DOUBLE, Some(Grid::Ksx1001))],
    no_shift: false,
    second_set: false,
    extended: false,
};

const fn japanese(sets: &'static [(u8, Option<Grid>)], second_set: bool) -> Iso2022 {
    Iso2022 {
        sets,
        no_shift: true,
        second_set,
        extended: true,
    }
}

static JP: Iso2022 = japanese(
    &[
        (JISX0208, Some(Grid::Jisx0208)),
        (JISX0201_R, None),
        (JISX0208_O, Some(Grid::Jisx0208)),
    ],
    false,
);
static JP_1: Iso2022 = japanese(
    &[
        (JISX0208, Some(Grid::Jisx0208)),
        (b'D' | DOUBLE, Some(Grid::Jisx0212)),
        (JISX0201_R, None),
        (JISX0208_O, Some(Grid::Jisx0208)),
    ],
    false,
);
static JP_2: Iso2022 = japanese(
    &[
        (JISX0208, Some(Grid::Jisx0208)),
        (b'D' | DOUBLE, Some(Grid::Jisx0212)),
        (b'C' | DOUBLE, Some(Grid::Ksx1001)),
        (b'A' | DOUBLE, Some(Grid::Gb2312)),
        (JISX0201_R, None),
        (JISX0208_O, Some(Grid::Jisx0208)),
        (LATIN1, None),
        (GREEK, None),
    ],
    true,
);
static JP_2004: Iso2022 = japanese(
    &[
        (JISX0208, Some(Grid::Jisx0208)),
        (b'Q' | DOUBLE, Some(Grid::Jisx0213Of2004Plane1)),
        (b'P' | DOUBLE, Some(Grid::Jisx0213Of2004Plane2)),
    ],
    false,
);
static JP_3: Iso2022 = japanese(
    &[
        (JISX0208, Some(Grid::Jisx0208)),
        (b'O' | DOUBLE, Some(Grid::Jisx0213Of2000Plane1)),
        (b'P' | DOUBLE, Some(Grid::Jisx0213Of2000Plane2)),
    ],
    false,
);
static JP_EXT: Iso2022 = japanese(
    &[
        (JISX0208, Some(Grid::Jisx0208)),
        (b'D' | DOUBLE, Some(Grid::Jisx0212)),
        (JISX0201_R, None),
        (JISX0201_K, None),
        (JISX0208_O, Some(Grid::Jisx0208)),
    ],
    false,
);

#[derive(Clone, Copy)]
enum Kind {
    Plain(&'static Table),
    Hz(&'static Table),
    Iso2022(&'static Iso2022),
}

/// A codec.
#[derive(Clone, Copy)]
pub struct Codec {
    pub name: &'static str,
    kind: Kind,
}

/// The codecs of each module.
pub const MODULES: [(&str, &[&str]); 6] = [
    ("_codecs_cn", &["gb2312", "gbk", "gb18030", "hz"]),
    ("_codecs_hk", &["big5hkscs"]),
    (
        "_codecs_iso2022",
        &[
            "iso2022_kr",
            "iso2022_jp",
            "iso2022_jp_1",
            "iso2022_jp_2",
            "iso2022_jp_2004",
            "iso2022_jp_3",
            "iso2022_jp_ext",
        ],
    ),
    (
        "_codecs_jp",
        &[
            "shift_jis",
            "cp932",
            "euc_jp",
            "shift_jis_2004",
            "euc_jis_2004",
            "euc_jisx0213",
            "shift_jisx0213",
        ],
    ),
    ("_codecs_kr", &["euc_kr", "cp949", "johab"]),
    ("_codecs_tw", &["big5", "cp950"]),
];

/// Consonants that begin a syllable, by the second byte of their letters in KS X 1001; those that end one, none first.
const INITIALS: [u8; 19] = [
    0xA1, 0xA2, 0xA4, 0xA7, 0xA8, 0xA9, 0xB1, 0xB2, 0xB3, 0xB5, 0xB6, 0xB7, 0xB8, 0xB9, 0xBA, 0xBB, 0xBC, 0xBD, 0xBE,
];
const FINALS: [u8; 28] = [
    0xD4, 0xA1, 0xA2, 0xA3, 0xA4, 0xA5, 0xA6, 0xA7, 0xA9, 0xAA, 0xAB, 0xAC, 0xAD, 0xAE, 0xAF, 0xB0, 0xB1, 0xB2, 0xB4,
    0xB5, 0xB6, 0xB7, 0xB8, 0xBA, 0xBB, 0xBC, 0xBD, 0xBE,
];
const VOWELS: std::ops::Range<u8> = 0xBF..0xD4;
const FILLER: u8 = 0xD4;
const LETTERS: u8 = 0xA4;
const SYLLABLES: std::ops::Range<u32> = 0xAC00..0xD7A4;

impl Codec {
    /// The codec of that name; only for names in [`MODULES`].
    pub fn find(name: &str) -> Option<Codec> {
        let name = MODULES
            .iter()
            .flat_map(|(_, names)| names.iter())
            .find(|known| **known == name)?;
        let tables = Tables::get();
        let kind = match *name {
            "hz" => Kind::Hz(tables.codec("gb2312")?),
            "iso2022_kr" => Kind::Iso2022(&KR),
            "iso2022_jp" => Kind::Iso2022(&JP),
            "iso2022_jp_1" => Kind::Iso2022(&JP_1),
            "iso2022_jp_2" => Kind::Iso2022(&JP_2),
            "iso2022_jp_2004" => Kind::Iso2022(&JP_2004),
            "iso2022_jp_3" => Kind::Iso2022(&JP_3),
            "iso2022_jp_ext" => Kind::Iso2022(&JP_EXT),
            plain => Kind::Plain(tables.codec(plain)?),
        };
        Some(Codec { name, kind })
    }

    /// The state to begin with.
    pub fn initial(&self) -> State {
        match self.kind {
            Kind::Iso2022(_) => [ASCII, ASCII, 0, 0, 0, 0, 0, 0],
            _ => [0; 8],
        }
    }

    /// The state to begin decoding with.
    pub fn initial_decoding(&self) -> State {
        match self.kind {
            Kind::Iso2022(_) => [ASCII, ASCII, ASCII, 0, 0, 0, 0, 0],
            _ => [0; 8],
        }
    }

    /// Goes back to where decoding begins.
    pub fn reset_decoding(&self, state: &mut State) {
        match self.kind {
            Kind::Iso2022(_) => {
                state[0] = ASCII;
                state[FLAGS] &= !SHIFTED;
            }
            _ => state[0] = 0,
        }
    }

    /// Ends a text: writes what goes back to the initial state.
    pub fn reset_encoding(&self, state: &mut State, out: &mut Vec<u8>) {
        match self.kind {
            Kind::Plain(_) => {}
            Kind::Hz(_) => {
                if state[0] != 0 {
                    out.extend(b"~}");
                    state[0] = 0;
                }
            }
            Kind::Iso2022(_) => to_ascii(state, out),
        }
    }

    /// Encodes the first character of `text`. `last` says that no more text follows it.
    pub fn encode_step(&self, state: &mut State, text: &[u32], last: bool, out: &mut Vec<u8>) -> Step {
        match self.kind {
            Kind::Plain(table) => self.encode_plain(table, text, last, out),
            Kind::Hz(table) => encode_hz(table, state, text[0], out),
            Kind::Iso2022(config) => self.encode_iso2022(config, state, text, last, out),
        }
    }

    /// Decodes the first character of `input`, which is not empty.
    pub fn decode_step(&self, state: &mut State, input: &[u8], out: &mut impl FnMut(u32)) -> Step {
        match self.kind {
            Kind::Plain(table) => decode_plain(table, input, out),
            Kind::Hz(table) => decode_hz(table, state, input, out),
            Kind::Iso2022(config) => decode_iso2022(config, state, input, out),
        }
    }

    fn encode_plain(&self, table: &Table, text: &[u32], last: bool, out: &mut Vec<u8>) -> Step {
        let code = text[0];
        if table.encode.starts_pair(code) {
            match text.get(1) {
                None if !last => return Step::TooFew,
                Some(second) => {
                    if let Some(bytes) = table.encode.pair(code, *second) {
                        push(bytes, out);
                        return Step::Done(2);
                    }
                }
                None => {}
            }
        }
        match table.encode.get(code) {
            0 if self.name == "gb18030" => encode_four(code, out),
            0 if self.name == "euc_kr" && SYLLABLES.contains(&code) => {
                let syllable = code - SYLLABLES.start;
                out.extend([LETTERS, FILLER, LETTERS, INITIALS[(syllable / 588) as usize]]);
                out.extend([LETTERS, VOWELS.start + (syllable / 28 % 21) as u8]);
                out.extend([LETTERS, FINALS[(syllable % 28) as usize]]);
                Step::Done(1)
            }
            0 => Step::Illegal(1),
            bytes => {
                push(bytes, out);
                Step::Done(1)
            }
        }
    }

    fn encode_iso2022(&self, config: &Iso2022, state: &mut State, text: &[u32], last: bool, out: &mut Vec<u8>) -> Step {
        let code = text[0];
        if code < 0x80 {
            to_ascii_from_iso(state, out);
            out.push(code as u8);
            return Step::Done(1);
        }
        let Some(map) = Tables::get().iso2022(self.name) else {
            return Step::Illegal(1);
        };
        let mut consumed = 1;
        let mut value = map.get(code);
        if map.starts_pair(code) {
            match text.get(1) {
                None if !last => return Step::TooFew,
                Some(second) => {
                    if let Some(pair) = map.pair(code, *second) {
                        value = pair;
                        consumed = 2;
                    }
                }
                None => {}
            }
        }
        if value == 0 {
            return Step::Illegal(1);
        }
        let [mark, first, second, _] = value.to_be_bytes();
        let letter = mark & 0x7F;
        if config.no_shift {
            if state[0] != mark {
                match mark {
                    _ if mark & DOUBLE == 0 => out.extend([ESC, b'(', letter]),
                    JISX0208 => out.extend([ESC, b'$', letter]),
                    _ => out.extend([ESC, b'$', b'(', letter]),
                }
                state[0] = mark;
            }
        } else {
            if state[1] != mark {
                out.extend([ESC, b'$', b')', letter]);
                state[1] = mark;
            }
            if state[FLAGS] & SHIFTED == 0 {
                out.push(SHIFT_OUT);
                state[FLAGS] |= SHIFTED;
            }
        }
        out.push(first);
        if mark & DOUBLE != 0 {
            out.push(second);
        }
        Step::Done(consumed)
    }
}

/// Writes packed bytes.
fn push(packed: u32, out: &mut Vec<u8>) {
    let [count, bytes @ ..] = packed.to_be_bytes();
    out.extend(&bytes[..usize::from(count).min(3)]);
}

/// Before a character of ASCII: back to the first set, and out of the second.
fn to_ascii_from_iso(state: &mut State, out: &mut Vec<u8>) {
    if state[0] != ASCII {
        out.extend([ESC, b'(', b'B']);
        state[0] = ASCII;
    }
    if state[FLAGS] & SHIFTED != 0 {
        out.push(SHIFT_IN);
        state[FLAGS] &= !SHIFTED;
    }
}

fn to_ascii(state: &mut State, out: &mut Vec<u8>) {
    if state[FLAGS] & SHIFTED != 0 {
        out.push(SHIFT_IN);
        state[FLAGS] &= !SHIFTED;
    }
    if state[0] != ASCII {
        out.extend([ESC, b'(', b'B']);
        state[0] = ASCII;
    }
}

/// A character of GB 18030 that has no shorter form.
fn encode_four(code: u32, out: &mut Vec<u8>) -> Step {
    let place = if code >= 0x1_0000 {
        Some(code - 0x1_0000 + 189_000)
    } else {
        let runs = &Tables::get().four;
        runs.iter()
            .find(|(_, start, count)| (*start..start + count).contains(&code))
            .map(|(place, start, _)| place + code - start)
    };
    let Some(place) = place else { return Step::Illegal(1) };
    out.push((place / 12_600 + 0x81) as u8);
    out.push((place / 1260 % 10 + 0x30) as u8);
    out.push((place / 10 % 126 + 0x81) as u8);
    out.push((place % 10 + 0x30) as u8);
    Step::Done(1)
}

fn decode_four(input: &[u8]) -> Result<u32, Step> {
    let [a, b, c, d] = match input {
        [a, b, c, d, ..] => [*a, *b, *c, *d].map(u32::from),
        _ => return Err(Step::TooFew),
    };
    let fault = Err(Step::Illegal(1));
    if !(0x81..=0xFE).contains(&a) || !(0x81..=0xFE).contains(&c) || !(0x30..=0x39).contains(&d) {
        return fault;
    }
    let place = ((a - 0x81) * 10 + b - 0x30) * 1260 + (c - 0x81) * 10 + d - 0x30;
    if place >= 189_000 {
        let code = place - 189_000 + 0x1_0000;
        return if code <= 0x10_FFFF { Ok(code) } else { fault };
    }
    let runs = &Tables::get().four;
    let run = runs
        .iter()
        .find(|(start, _, count)| (*start..start + count).contains(&place));
    run.map_or(fault, |(start, code, _)| Ok(code + place - start))
}

/// A syllable that is spelled out in the letters of KS X 1001.
fn decode_eight(input: &[u8]) -> Result<u32, Step> {
    let &[_, _, a, initial, b, vowel, c, last] = input.get(..8).ok_or(Step::TooFew)? else {
        return Err(Step::TooFew);
    };
    let fault = Step::Illegal(1);
    if [a, b, c] != [LETTERS; 3] || !VOWELS.contains(&vowel) {
        return Err(fault);
    }
    let find = |letters: &[u8], letter: u8| letters.iter().position(|known| *known == letter).ok_or(fault);
    let initial = find(&INITIALS, initial)? as u32;
    let last = find(&FINALS, last)? as u32;
    Ok(SYLLABLES.start + initial * 588 + u32::from(vowel - VOWELS.start) * 28 + last)
}

fn decode_plain(table: &Table, input: &[u8], out: &mut impl FnMut(u32)) -> Step {
    let mut row = match table.rows.first() {
        Some(row) => row,
        None => return Step::Illegal(1),
    };
    for (at, byte) in input.iter().enumerate() {
        let value = row[usize::from(*byte)];
        let long = match value {
            FOUR => decode_four(input).map(|code| (code, 4)),
            EIGHT => decode_eight(input).map(|code| (code, 8)),
            ROW.. => match table.rows.get((value - ROW) as usize) {
                Some(next) => {
                    row = next;
                    continue;
                }
                None => Err(Step::Illegal(1)),
            },
            TWO.. => match table.twos.get((value - TWO) as usize) {
                Some((first, second)) => {
                    out(*first);
                    Ok((*second, at + 1))
                }
                None => Err(Step::Illegal(1)),
            },
            ILLEGAL.. => Err(Step::Illegal((value - ILLEGAL).max(1) as usize)),
            code => Ok((code, at + 1)),
        };
        return match long {
            Ok((code, consumed)) => {
                out(code);
                Step::Done(consumed)
            }
            Err(step) => step,
        };
    }
    Step::TooFew
}

fn encode_hz(table: &Table, state: &mut State, code: u32, out: &mut Vec<u8>) -> Step {
    if code < 0x80 {
        if state[0] != 0 {
            out.extend(b"~}");
            state[0] = 0;
        }
        out.push(code as u8);
        if code == u32::from(b'~') {
            out.push(b'~');
        }
        return Step::Done(1);
    }
    let [2, first, second, _] = table.encode.get(code).to_be_bytes() else {
        return Step::Illegal(1);
    };
    if state[0] == 0 {
        out.extend(b"~{");
        state[0] = 1;
    }
    out.extend([first & 0x7F, second & 0x7F]);
    Step::Done(1)
}

fn decode_hz(table: &Table, state: &mut State, input: &[u8], out: &mut impl FnMut(u32)) -> Step {
    match (input[0], state[0]) {
        (b'~', shifted) => {
            let Some(second) = input.get(1) else {
                return Step::TooFew;
            };
            match (second, shifted) {
                (b'~', 0) => out(b'~'.into()),
                (b'{', 0) => state[0] = 1,
                (b'\n', 0) => {}
                (b'}', 1) => state[0] = 0,
                _ => return Step::Illegal(1),
            }
            Step::Done(2)
        }
        (0x80.., _) => Step::Illegal(1),
        (byte, 0) => {
            out(byte.into());
            Step::Done(1)
        }
        (first, _) => {
            let Some(second) = input.get(1) else {
                return Step::TooFew;
            };
            match decode_plain(table, &[first | 0x80, second | 0x80], out) {
                Step::Done(2) if *second < 0x80 => Step::Done(2),
                _ => Step::Illegal(1),
            }
        }
    }
}

/// Whether the byte ends an escape sequence.
fn ends_escape(byte: u8) -> bool {
    byte.is_ascii_uppercase() || byte == b'@'
}

fn decode_iso2022(config: &Iso2022, state: &mut State, input: &[u8], out: &mut impl FnMut(u32)) -> Step {
    let byte = input[0];
    let mut plain = |state: &mut State| {
        out(byte.into());
        if ends_escape(byte) {
            state[FLAGS] &= !ESCAPED;
        }
        Step::Done(1)
    };
    if state[FLAGS] & ESCAPED != 0 {
        return plain(state);
    }
    match byte {
        ESC => match input.get(1) {
            None => Step::TooFew,
            Some(b'(' | b')' | b'$' | b'.' | b'&') => decode_escape(config, state, input),
            Some(b'N') if config.second_set => match input.get(2) {
                None => Step::TooFew,
                Some(third) => decode_second_set(state, *third, out),
            },
            Some(_) => {
                out(ESC.into());
                state[FLAGS] |= ESCAPED;
                Step::Done(1)
            }
        },
        SHIFT_IN if !config.no_shift => {
            state[FLAGS] &= !SHIFTED;
            Step::Done(1)
        }
        SHIFT_OUT if !config.no_shift => {
            state[FLAGS] |= SHIFTED;
            Step::Done(1)
        }
        b'\n' => {
            state[FLAGS] &= !SHIFTED;
            out(b'\n'.into());
            Step::Done(1)
        }
        0..0x20 => plain(state),
        0x80.. => Step::Illegal(1),
        _ => {
            let mark = if state[FLAGS] & SHIFTED != 0 {
                state[1]
            } else {
                state[0]
            };
            if mark == ASCII {
                return plain(state);
            }
            decode_set(config, mark, input, out)
        }
    }
}

/// A character of the set with this mark.
fn decode_set(config: &Iso2022, mark: u8, input: &[u8], out: &mut impl FnMut(u32)) -> Step {
    let grid = match config.sets.iter().find(|(known, _)| *known == mark) {
        Some((_, Some(grid))) => *grid,
        Some((_, None)) => {
            let byte = input[0];
            let code = match (mark, byte) {
                (JISX0201_R, b'\\') => 0xA5,
                (JISX0201_R, b'~') => 0x203E,
                (JISX0201_R, _) => u32::from(byte),
                (JISX0201_K, 0x21..=0x5F) => 0xFF40 + u32::from(byte),
                _ => return Step::Illegal(1),
            };
            out(code);
            return Step::Done(1);
        }
        None => return Step::Illegal(1),
    };
    let Some(pair) = input.get(..2) else {
        return Step::TooFew;
    };
    match decode_plain(Tables::get().grid(grid), pair, out) {
        Step::Done(2) => Step::Done(2),
        _ => Step::Illegal(2),
    }
}

/// Takes in an escape sequence that chooses a set.
fn decode_escape(config: &Iso2022, state: &mut State, input: &[u8]) -> Step {
    const LONGEST: usize = 16;
    let mut at = 1;
    let mut len = 0;
    while at < LONGEST {
        let Some(byte) = input.get(at) else { return Step::TooFew };
        if ends_escape(*byte) {
            len = at + 1;
            break;
        }
        if config.extended && *byte == b'&' && input.get(at + 1) == Some(&b'@') {
            at += 2;
        }
        at += 1;
    }
    let (designation, mark) = match &input[..len] {
        [] => return Step::Illegal(1),
        [_, b'$', letter] => (0, letter | DOUBLE),
        [_, b'(', letter] => (0, *letter),
        [_, b')', letter] => (1, *letter),
        [_, b'.', letter] if config.second_set => (2, *letter),
        [_, b'$', b'(', letter] => (0, letter | DOUBLE),
        [_, b'$', b')', letter] => (1, letter | DOUBLE),
        [_, _, _, ESC, b'$', b'B'] if config.extended => (0, JISX0208),
        _ => return Step::Illegal(len),
    };
    if mark != ASCII && !config.sets.iter().any(|(known, _)| *known == mark) {
        return Step::Illegal(len);
    }
    state[designation] = mark;
    Step::Done(len)
}

/// A character of the set that `ESC N` takes one character from.
fn decode_second_set(state: &State, byte: u8, out: &mut impl FnMut(u32)) -> Step {
    let code = match state[2] {
        LATIN1 if byte < 0x80 => u32::from(byte) + 0x80,
        GREEK => match greek(byte ^ 0x80) {
            Some(code) => code,
            None => return Step::Illegal(3),
        },
        ASCII if byte < 0x80 => u32::from(byte),
        _ => return Step::Illegal(3),
    };
    out(code);
    Step::Done(3)
}

/// ISO 8859-7, upper half.
fn greek(byte: u8) -> Option<u32> {
    Some(match byte {
        0..=0xA0 | 0xA3 | 0xA6..=0xA9 | 0xAB..=0xAD | 0xB0..=0xB3 | 0xB7 | 0xBB | 0xBD => byte.into(),
        0xA1 => 0x2018,
        0xA2 => 0x2019,
        0xAF => 0x2015,
        0xB4..=0xFE if byte != 0xD2 => u32::from(byte) + 0x2D0,
        _ => return None,
    })
}
