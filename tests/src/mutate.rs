//! How is a good input made a bad one? Seeded changes of its bytes, words and lines; the same seed gives the same input.

use std::ops::Range;

/// Longest input that is made, in bytes.
const LIMIT_BYTES: usize = 64 << 10;
/// Changes of one input at most.
const CHANGES: usize = 6;
/// How often a piece is repeated at most: enough to show work that grows with the square of its input.
const REPEATS: usize = 8_000;

/// What begins, ends or bends something in one of the formats and languages that are read.
const TOKENS: [&str; 126] = [
    "[",
    "]",
    "{",
    "}",
    "(",
    ")",
    "<",
    ">",
    "\"",
    "'",
    "`",
    "\\",
    "/",
    "|",
    "#",
    "*",
    "_",
    "~",
    "-",
    "+",
    "=",
    ":",
    ",",
    ";",
    ".",
    "@",
    "&",
    "%",
    "$",
    "!",
    "?",
    "^",
    "\n",
    "\r",
    "\t",
    " ",
    "\0",
    "\u{1}",
    "\u{7f}",
    "\u{85}",
    "\u{a0}",
    "\u{301}",
    "\u{200b}",
    "\u{2028}",
    "\u{202e}",
    "\u{feff}",
    "\u{fffd}",
    "\u{1f600}",
    "İ",
    "ß",
    "é",
    "漢",
    "- ",
    "1. ",
    "> ",
    "## ",
    "```\n",
    "---\n",
    "+++\n",
    "...\n",
    "\n\n",
    "|-|-|\n",
    "[a](",
    "![",
    "[[",
    "]]",
    "{{",
    "}}",
    "{{< ref \"",
    "{% ",
    "%}",
    "<div>",
    "</div>",
    "<ul><li>",
    "<table><tr><td>",
    "<hr>",
    "<pre>",
    "<h2>",
    "<!--",
    "-->",
    "<![CDATA[",
    "<!ENTITY a \"&b;\">",
    "&amp;",
    "&#0;",
    "{code}",
    "{noformat}",
    "h1. ",
    "bq. ",
    "[~",
    "&a ",
    "*a",
    "!!binary ",
    "<<: *a",
    ": ",
    "? ",
    "\"a\":",
    "[{\"a\":1},",
    "null",
    "true",
    "1e999",
    "-0",
    "99999999999999999999",
    "2147483648",
    "0x80070005",
    "NaN",
    "9999-12-31T23:59:60Z",
    "\\u0000",
    "\\ud800",
    "@prefix a: <urn:a> .\n",
    "<urn:a> ",
    "_:b ",
    "^^<urn:c>",
    "@en",
    "\"\"\"",
    "<< ",
    "/e?x=%zz&y",
    "https://",
    "10.0.0.1",
    "::1",
    "INC0010001",
    "ORA-00600",
    "password=",
    "-----BEGIN ",
    "4111 1111 1111 1111",
    "a@b.example",
    "2024-05-01 10:22:33 - A (Work notes)\n",
];

/// Makes inputs of other inputs, by a generator of its own that no version of a crate changes (SplitMix64).
#[derive(Debug)]
pub struct Mutator {
    state: u64,
}

impl Mutator {
    /// A mutator of its own for each seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.state;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    /// A number below a limit; 0 where there is none.
    pub fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % (limit.max(1) as u64)).unwrap_or_default()
    }

    /// One of a list.
    ///
    /// # Panics
    /// If there is nothing in it.
    pub fn one<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }

    /// A changed copy of an input, with parts of others in it now and then.
    ///
    /// # Panics
    /// If there are no others.
    pub fn input(&mut self, input: &[u8], others: &[&[u8]]) -> Vec<u8> {
        let mut input = input[..input.len().min(LIMIT_BYTES)].to_vec();
        for _ in 0..=self.below(CHANGES) {
            let other = *self.one(others);
            self.change(&mut input, other);
            input.truncate(LIMIT_BYTES);
        }
        input
    }

    fn change(&mut self, input: &mut Vec<u8>, other: &[u8]) {
        match self.below(12) {
            0 => {
                let (at, bit) = (self.below(input.len()), self.below(8));
                input.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= 1 << bit);
            }
            1 => {
                let part = self.part(input, 40);
                input.drain(part);
            }
            2 => {
                let part = self.part(input, 400);
                input.drain(part);
            }
            3 => input.truncate(self.below(input.len() + 1)),
            4 | 5 => {
                let token = self.one(&TOKENS).as_bytes().to_vec();
                self.insert(input, &token);
            }
            6 => {
                let times = 1 + self.below(REPEATS);
                let pair = [*self.one(&TOKENS), *self.one(&TOKENS)].concat();
                let token = if self.below(2) == 0 { &pair } else { *self.one(&TOKENS) };
                self.insert(input, token.repeat(times).as_bytes());
            }
            7 => {
                let part = self.part(input, 60);
                let (piece, times) = (input[part].to_vec(), 1 + self.below(REPEATS / 8));
                self.insert(input, &piece.repeat(times));
            }
            8 => {
                let part = self.part(other, 2_000);
                self.insert(input, &other[part]);
            }
            9 => {
                let (part, by) = (self.word(input), self.one(&TOKENS).as_bytes());
                input.splice(part, by.iter().copied());
            }
            10 => {
                let (one, another) = (self.line(input), self.line(input));
                let copy = input[another].to_vec();
                input.splice(one, copy);
            }
            _ => {
                let line = self.line(input);
                let copy = input[line].to_vec();
                self.insert(input, &copy);
            }
        }
    }

    fn insert(&mut self, input: &mut Vec<u8>, piece: &[u8]) {
        let at = self.below(input.len() + 1);
        input.splice(at..at, piece.iter().copied());
    }

    fn part(&mut self, input: &[u8], longest: usize) -> Range<usize> {
        let start = self.below(input.len() + 1);
        start..(start + self.below(longest)).min(input.len())
    }

    /// The word or number around a place.
    fn word(&mut self, input: &[u8]) -> Range<usize> {
        self.around(input, |byte| !byte.is_ascii_alphanumeric())
    }

    fn line(&mut self, input: &[u8]) -> Range<usize> {
        self.around(input, |byte| byte == b'\n')
    }

    fn around(&mut self, input: &[u8], is_end: impl Fn(u8) -> bool) -> Range<usize> {
        let at = self.below(input.len());
        let start = input[..at].iter().rposition(|byte| is_end(*byte)).map_or(0, |end| end + 1);
        let end = input[at..].iter().position(|byte| is_end(*byte)).map_or(input.len(), |end| at + end);
        start..end.max(start)
    }
}
