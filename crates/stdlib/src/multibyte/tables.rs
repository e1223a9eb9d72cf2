//! Tables of the East Asian codecs, recorded from CPython by `tools/multibyte_tables.py`.
//!
//! Invariant: the packed file and [`Tables::read`] agree; a file that does not is cut short, never read past its end. Rows are packed as
//! runs: as predicted by a related codec, as the value before, one more than that, or literal.

use std::collections::HashMap;
use std::sync::OnceLock;

/// The value of bytes that stand for nothing; plus how many of them the fault covers.
pub const ILLEGAL: u32 = 0x11_0000;
/// A sequence of four bytes of GB 18030.
pub const FOUR: u32 = 0x11_0011;
/// A syllable of EUC-KR that is spelled out in eight bytes.
pub const EIGHT: u32 = 0x11_0012;
/// Another byte is needed.
const MORE: u32 = 0x11_0013;
/// Two characters; plus their number in [`Table::twos`].
pub const TWO: u32 = 0x11_0100;
/// Another byte is needed; plus the number of its row.
pub const ROW: u32 = 0x20_0000;

type Row = [u32; 256];

/// What bytes stand for, row by row, and the other way round.
#[derive(Default)]
pub struct Table {
    pub rows: Vec<Row>,
    pub twos: Vec<(u32, u32)>,
    pub encode: EncodeMap,
}

/// From characters to bytes: at most three, with their count in the highest byte. For ISO 2022 that holds the mark of the set.
#[derive(Default)]
pub struct EncodeMap {
    pages: HashMap<u32, Box<Row>>,
    pairs: HashMap<(u32, u32), u32>,
    firsts: Vec<u32>,
}

fn packed(bytes: &[u8]) -> u32 {
    let mut all = bytes.len() as u32;
    for i in 0..3 {
        all = all << 8 | u32::from(bytes.get(i).copied().unwrap_or(0));
    }
    all
}

impl EncodeMap {
    /// 0 if there are no bytes for the character.
    pub fn get(&self, code: u32) -> u32 {
        self.pages
            .get(&(code >> 8))
            .map_or(0, |page| page[(code & 255) as usize])
    }

    /// Whether the character may be the first of a pair that has bytes of its own.
    pub fn starts_pair(&self, code: u32) -> bool {
        self.firsts.contains(&code)
    }

    pub fn pair(&self, first: u32, second: u32) -> Option<u32> {
        self.pairs.get(&(first, second)).copied()
    }

    fn set(&mut self, code: u32, value: u32) {
        self.pages.entry(code >> 8).or_insert_with(|| Box::new([0; 256]))[(code & 255) as usize] = value;
    }

    fn add(&mut self, code: u32, value: u32) {
        if self.get(code) == 0 {
            self.set(code, value);
        }
    }

    fn add_pair(&mut self, (first, second): (u32, u32), value: u32) {
        self.pairs.entry((first, second)).or_insert(value);
        if !self.firsts.contains(&first) {
            self.firsts.push(first);
        }
    }

    fn read_exceptions(&mut self, from: &mut Reader<'_>, value: impl Fn(&[u8]) -> u32) {
        let mut code = 0;
        for _ in 0..from.varint() {
            code += from.varint();
            let len = from.byte();
            let bytes: Vec<u8> = (0..len).map(|_| from.byte()).collect();
            let value = if bytes.is_empty() { 0 } else { value(&bytes) };
            self.set(code, value);
        }
    }
}

struct Reader<'a> {
    data: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn byte(&mut self) -> u8 {
        let byte = self.data.get(self.at).copied().unwrap_or(0);
        self.at += 1;
        byte
    }

    fn varint(&mut self) -> u32 {
        let mut value = 0;
        for shift in (0..35).step_by(7) {
            let byte = self.byte();
            value |= u32::from(byte & 127) << shift;
            if byte < 128 {
                break;
            }
        }
        value
    }

    fn row(&mut self, predicted: Option<&Row>) -> Row {
        let mut row = [ILLEGAL + 1; 256];
        let mut at = 0;
        while at < 256 && self.at < self.data.len() {
            let op = self.byte();
            for _ in 0..=op & 63 {
                if at == 256 {
                    break;
                }
                let before = if at > 0 { row[at - 1] } else { 0 };
                row[at] = match op >> 6 {
                    0 => predicted.map_or(ILLEGAL + 1, |row| row[at]),
                    1 => before,
                    2 => before + 1,
                    _ => u32::from_le_bytes([self.byte(), self.byte(), self.byte(), 0]),
                };
                at += 1;
            }
        }
        row
    }
}

/// Where the rows of a table are predicted from.
enum Parent<'a> {
    None,
    Same(&'a Table),
    /// The same bytes with their high bits set.
    HighBits(&'a Table),
    /// The EUC bytes of Shift JIS.
    ShiftJis(&'a Table),
}

/// The value with the number of the row taken out, as it is in the file.
fn unnumbered(value: u32) -> u32 {
    if value >= ROW { MORE } else { value }
}

impl Table {
    /// The row behind a path of bytes.
    fn row_at(&self, path: &[u8]) -> Option<Row> {
        let mut row = self.rows.first()?;
        for byte in path {
            let next = row[usize::from(*byte)];
            row = self.rows.get(next.checked_sub(ROW)? as usize)?;
        }
        Some(row.map(unnumbered))
    }

    fn read_rows(from: &mut Reader<'_>, parent: &Parent<'_>) -> Table {
        let mut table = Table::default();
        for _ in 0..from.varint() {
            let pair = (from.varint(), from.varint());
            table.twos.push(pair);
        }
        table.read_row(from, parent, &mut Vec::new());
        table
    }

    fn read_row(&mut self, from: &mut Reader<'_>, parent: &Parent<'_>, path: &mut Vec<u8>) {
        let predicted = parent.predict(path);
        let row = from.row(predicted.as_ref());
        let number = self.rows.len();
        self.rows.push(row);
        if path.len() == 2 {
            return;
        }
        for byte in 0..=255 {
            if row[usize::from(byte)] == MORE {
                self.rows[number][usize::from(byte)] = ROW + self.rows.len() as u32;
                path.push(byte);
                self.read_row(from, parent, path);
                path.pop();
            }
        }
    }

    /// Calls `f` with each character or pair and its bytes, shorter ones first.
    fn for_each(&self, mut f: impl FnMut(u32, &[u8])) {
        let mut level: Vec<(usize, Vec<u8>)> = vec![(0, Vec::new())];
        while !level.is_empty() {
            let mut next = Vec::new();
            for (number, path) in level {
                for byte in 0..=255_u8 {
                    let value = self.rows[number][usize::from(byte)];
                    let mut path = path.clone();
                    path.push(byte);
                    if value >= ROW {
                        next.push(((value - ROW) as usize, path));
                    } else if value < ILLEGAL || value >= TWO {
                        f(value, &path);
                    }
                }
            }
            level = next;
        }
    }

    fn invert(&self, map: &mut EncodeMap, value: impl Fn(&[u8]) -> u32) {
        self.for_each(|what, bytes| {
            if what < ILLEGAL {
                map.add(what, value(bytes));
            } else if let Some(pair) = self.twos.get((what - TWO) as usize) {
                map.add_pair(*pair, value(bytes));
            }
        });
    }
}

/// The EUC bytes of a Shift JIS pair of the first plane.
fn shift_jis_to_euc(lead: u8, trail: u8) -> Option<(u8, u8)> {
    if !matches!(lead, 0x81..=0x9F | 0xE0..=0xEF) || trail == 0x7F || !(0x40..=0xFC).contains(&trail) {
        return None;
    }
    let mut row = (lead - if lead < 0xE0 { 0x81 } else { 0xC1 }) * 2;
    let mut column = trail - 0x40 - u8::from(trail > 0x7F);
    if column >= 94 {
        row += 1;
        column -= 94;
    }
    Some((row + 0xA1, column + 0xA1))
}

impl Parent<'_> {
    fn predict(&self, path: &[u8]) -> Option<Row> {
        match (self, path) {
            (Parent::None, _) => None,
            (Parent::Same(table), path) => table.row_at(path),
            (Parent::HighBits(table), [lead]) => {
                let row = table.row_at(&[lead | 0x80])?;
                Some(std::array::from_fn(|byte| row[byte | 0x80]))
            }
            (Parent::ShiftJis(table), [lead]) => Some(std::array::from_fn(|trail| {
                let euc = shift_jis_to_euc(*lead, trail as u8);
                let row = euc.and_then(|(row, column)| Some((table.row_at(&[row])?, column)));
                row.map_or(ILLEGAL + 1, |(row, column)| row[usize::from(column)])
            })),
            _ => None,
        }
    }
}

const CODECS: [&str; 16] = [
    "cp949",
    "euc_kr",
    "johab",
    "gbk",
    "gb2312",
    "gb18030",
    "big5",
    "cp950",
    "big5hkscs",
    "euc_jp",
    "shift_jis",
    "cp932",
    "euc_jisx0213",
    "euc_jis_2004",
    "shift_jisx0213",
    "shift_jis_2004",
];

/// A set of 94 x 94 characters.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Grid {
    Jisx0208,
    Jisx0212,
    Ksx1001,
    Gb2312,
    Jisx0213Of2000Plane1,
    Jisx0213Of2000Plane2,
    Jisx0213Of2004Plane1,
    Jisx0213Of2004Plane2,
}

const GRIDS: usize = 8;

/// Sets and their marks, by codec.
const ISO2022: [(&str, &[(Grid, u8)]); 7] = [
    ("iso2022_kr", &[(Grid::Ksx1001, 0xC3)]),
    ("iso2022_jp", &[(Grid::Jisx0208, 0xC2)]),
    ("iso2022_jp_1", &[(Grid::Jisx0208, 0xC2), (Grid::Jisx0212, 0xC4)]),
    (
        "iso2022_jp_2",
        &[
            (Grid::Jisx0208, 0xC2),
            (Grid::Jisx0212, 0xC4),
            (Grid::Ksx1001, 0xC3),
            (Grid::Gb2312, 0xC1),
        ],
    ),
    (
        "iso2022_jp_2004",
        &[
            (Grid::Jisx0208, 0xC2),
            (Grid::Jisx0213Of2004Plane1, 0xD1),
            (Grid::Jisx0213Of2004Plane2, 0xD0),
        ],
    ),
    (
        "iso2022_jp_3",
        &[
            (Grid::Jisx0208, 0xC2),
            (Grid::Jisx0213Of2000Plane1, 0xCF),
            (Grid::Jisx0213Of2000Plane2, 0xD0),
        ],
    ),
    ("iso2022_jp_ext", &[(Grid::Jisx0208, 0xC2), (Grid::Jisx0212, 0xC4)]),
];

/// All tables.
pub struct Tables {
    codecs: HashMap<&'static str, Table>,
    grids: Vec<Table>,
    iso2022: HashMap<&'static str, EncodeMap>,
    /// Characters of GB 18030's sequences of four bytes: place, code, count.
    pub four: Vec<(u32, u32, u32)>,
}

impl Tables {
    /// Unpacked at the first use of a codec.
    pub fn get() -> &'static Tables {
        static TABLES: OnceLock<Tables> = OnceLock::new();
        TABLES.get_or_init(|| {
            let packed = include_bytes!("tables.bin");
            Tables::read(&miniz_oxide::inflate::decompress_to_vec_zlib(packed).unwrap_or_default())
        })
    }

    pub fn codec(&self, name: &str) -> Option<&Table> {
        self.codecs.get(name)
    }

    pub fn iso2022(&self, name: &str) -> Option<&EncodeMap> {
        self.iso2022.get(name)
    }

    pub fn grid(&self, grid: Grid) -> &Table {
        &self.grids[grid as usize]
    }

    fn read(data: &[u8]) -> Tables {
        let from = &mut Reader { data, at: 0 };
        let mut codecs: HashMap<&'static str, Table> = HashMap::new();
        for name in CODECS {
            let parent = match name {
                "euc_kr" => codecs.get("cp949").map(Parent::Same),
                "gb2312" | "gb18030" => codecs.get("gbk").map(Parent::Same),
                "cp950" | "big5hkscs" => codecs.get("big5").map(Parent::Same),
                "shift_jis" => codecs.get("euc_jp").map(Parent::ShiftJis),
                "cp932" => codecs.get("shift_jis").map(Parent::Same),
                "euc_jisx0213" => codecs.get("euc_jp").map(Parent::Same),
                "euc_jis_2004" => codecs.get("euc_jisx0213").map(Parent::Same),
                "shift_jisx0213" => codecs.get("euc_jisx0213").map(Parent::ShiftJis),
                "shift_jis_2004" => codecs.get("shift_jisx0213").map(Parent::Same),
                _ => None,
            };
            let mut table = Table::read_rows(from, &parent.unwrap_or(Parent::None));
            let mut encode = EncodeMap::default();
            table.invert(&mut encode, packed);
            encode.read_exceptions(from, packed);
            table.encode = encode;
            codecs.insert(name, table);
        }
        let four = (0..from.varint())
            .map(|_| (from.varint(), from.varint(), from.varint()))
            .collect();
        let mut grids: Vec<Table> = Vec::new();
        for number in 0..GRIDS {
            let parent = match number {
                0 => codecs.get("euc_jp").map(Parent::HighBits),
                2 => codecs.get("cp949").map(Parent::HighBits),
                3 => codecs.get("gbk").map(Parent::HighBits),
                4 => codecs.get("euc_jisx0213").map(Parent::HighBits),
                6 => codecs.get("euc_jis_2004").map(Parent::HighBits),
                7 => grids.get(5).map(Parent::Same),
                _ => None,
            };
            grids.push(Table::read_rows(from, &parent.unwrap_or(Parent::None)));
        }
        let mut iso2022 = HashMap::new();
        for (name, sets) in ISO2022 {
            let mut encode = EncodeMap::default();
            for (grid, mark) in sets {
                let value = |bytes: &[u8]| u32::from(*mark) << 24 | packed(bytes) & 0xFF_FFFF;
                grids[*grid as usize].invert(&mut encode, value);
            }
            encode.read_exceptions(from, |bytes| match bytes {
                [mark, rest @ ..] => u32::from(*mark) << 24 | packed(rest) & 0xFF_FFFF,
                [] => 0,
            });
            iso2022.insert(name, encode);
        }
        Tables {
            codecs,
            grids,
            iso2022,
            four,
        }
    }
}
