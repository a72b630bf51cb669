//! How much work is it to read a query? Its length, the depth of its brackets, and how often the parser reads a part again.

use super::SparqlError;

/// Longest query, in bytes. With [`DEPTH_LIMIT`] it bounds the recursion of parser, optimizer and evaluator.
pub(super) const QUERY_BYTES_LIMIT: usize = 64 * 1024;
/// How deep brackets may nest in a query.
pub(super) const DEPTH_LIMIT: usize = 64;
/// Bytes that the parser may read, counted as often as it reads them: one to two seconds of work.
const READ_BYTES_LIMIT: u64 = 64 * QUERY_BYTES_LIMIT as u64;
/// What stands in the brackets of these is read twice, and so is what stands behind a `!`: the parser tries one form after the
/// other and forgets what it has read. Sixty of them in each other it would never end.
const READ_TWICE: [&str; 4] = ["REGEX", "SUBSTR", "REPLACE", "GROUP_CONCAT"];

pub(super) fn check(query: &str) -> Result<(), SparqlError> {
    if query.len() > QUERY_BYTES_LIMIT {
        return Err(SparqlError::TooLong { length: query.len() });
    }
    let mut depth = 0_usize;
    for byte in query.bytes() {
        match byte {
            b'(' | b'{' | b'[' => depth += 1,
            b')' | b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > DEPTH_LIMIT {
            return Err(SparqlError::TooDeep);
        }
    }
    // Most queries have so few that even all in each other would do; only of the others it is asked how they nest.
    let most = (query.len() as u64).saturating_mul(2_u64.saturating_pow(doublings(query)));
    if most > READ_BYTES_LIMIT && bytes_read(query).is_none_or(|bytes| bytes > READ_BYTES_LIMIT) {
        return Err(SparqlError::TooTwisted);
    }
    Ok(())
}

/// How many things in a query are read twice, in whatever part of it.
fn doublings(query: &str) -> u32 {
    let upper = query.to_ascii_uppercase();
    let calls: usize = READ_TWICE.iter().map(|name| upper.matches(name).count()).sum();
    let negations = query.matches('!').count() - query.matches("!=").count();
    u32::try_from(calls + negations).unwrap_or(u32::MAX)
}

/// The bytes that the parser reads; nothing where it cannot be told what is a bracket.
fn bytes_read(query: &str) -> Option<u64> {
    let bytes = query.as_bytes();
    // The brackets that are open, with how often what is in them is read.
    let mut open: Vec<(u8, u64)> = Vec::new();
    let (mut read, mut at) = (0_u64, 0);
    let (mut is_doubled, mut after_operand) = (false, false);
    // The last byte that is no space.
    let mut last = 0;
    while let Some(&byte) = bytes.get(at) {
        let (in_call, times) = open.last().map_or((false, 1), |(byte, times)| (*byte == b'(', *times));
        let end = at + token(&bytes[at..], in_call && after_operand)?;
        read = read.saturating_add(times.saturating_mul((end - at) as u64));
        match byte {
            b' ' | b'\t' | b'\n' | b'\r' | b'#' => {}
            b'!' if bytes.get(end) != Some(&b'=') => (is_doubled, after_operand) = (true, false),
            b'(' | b'{' | b'[' => {
                // A row of data or a list of things, in which nothing is compared.
                let is_row = byte == b'(' && matches!(open.last(), Some((b'{', _))) && b"{)".contains(&last);
                let times = if is_doubled { times.saturating_mul(2) } else { times };
                open.push((if is_row { b'[' } else { byte }, times));
                (is_doubled, after_operand) = (false, false);
            }
            b')' | b'}' | b']' => {
                open.pop();
                (is_doubled, after_operand) = (false, true);
            }
            b'<' if end > at + 2 => after_operand = true,
            b'"' | b'\'' => (is_doubled, after_operand) = (false, true),
            _ if is_name(byte) => {
                let name = bytes[at..end].to_ascii_uppercase();
                is_doubled |= READ_TWICE.iter().any(|one| name.ends_with(one.as_bytes()));
                after_operand = true;
            }
            _ => (is_doubled, after_operand) = (false, false),
        }
        if !byte.is_ascii_whitespace() {
            last = byte;
        }
        at = end;
    }
    Some(read)
}

/// The length of the token that a text begins with. Behind an operand inside of round brackets, `<` may be an operator or begin
/// an IRI: nothing when the one would hide what the other shows.
fn token(bytes: &[u8], is_either: bool) -> Option<usize> {
    let to = |end: &dyn Fn(u8) -> bool| bytes.iter().position(|byte| end(*byte)).unwrap_or(bytes.len());
    Some(match bytes.first()? {
        b'#' => to(&|byte| matches!(byte, b'\n' | b'\r')),
        quote @ (b'"' | b'\'') => {
            let long = [*quote; 3];
            let (mark, from) = if bytes.starts_with(&long) { (&long[..], 3) } else { (&long[..1], 1) };
            let mut at = from;
            while at < bytes.len() && !bytes[at..].starts_with(mark) {
                at += if bytes[at] == b'\\' { 2 } else { 1 };
            }
            (at + mark.len()).min(bytes.len())
        }
        b'<' if bytes.get(1) == Some(&b'<') => 2,
        b'<' => {
            let inside = &bytes[..to(&|byte| byte == b'>')];
            let is_iri =
                !inside[1..].iter().any(|byte| byte.is_ascii_whitespace() || b"<\"{}|^`".contains(byte));
            let is_unclear = is_iri && inside.iter().any(|byte| b"()[]'#".contains(byte));
            match is_either {
                true if is_unclear => return None,
                true => 1,
                false => (inside.len() + 1).min(bytes.len()),
            }
        }
        first if is_name(*first) => {
            let mut at = 0;
            while bytes.get(at).is_some_and(|byte| is_name(*byte)) {
                at += if bytes[at] == b'\\' { 2 } else { 1 };
            }
            at.min(bytes.len())
        }
        _ => 1,
    })
}

/// Bytes of names, numbers and variables, and of what is escaped in them.
fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || !byte.is_ascii() || b"_:-.%\\$?@".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_beside_each_other_is_no_burden_and_what_stands_in_each_other_is() {
        let filter = "FILTER(!REGEX(STR(?o), \"a!)\", '''i''') && ?o != <urn:x#y> || ?o<5) # !\n";
        let beside = format!("ASK {{ ?s <urn:a#b> ?o {} }}", filter.repeat(60));
        assert!(check(&beside).is_ok());
        let rows = "(<urn:x#1> <http://example.org/ns#T>) ".repeat(40);
        let data = format!("SELECT * {{ VALUES (?a ?b) {{ {rows} }} {} }}", "FILTER(!(?a = ?b)) ".repeat(20));
        assert!(check(&data).is_ok());
        for (begin, end) in [
            ("!(", ")"),
            ("! # )\n (", ")"),
            ("Substr(\")\"+", ",1)"),
            ("!<urn:a)>(", ")"),
            ("!e:a\\)(", ")"),
            ("1<!(1>2&&<urn:)>=", ")"),
            ("'''')'''=!(", ")"),
        ] {
            let inside = format!("ASK {{ FILTER({}1{}) }}", begin.repeat(40), end.repeat(40));
            assert!(matches!(check(&inside), Err(SparqlError::TooTwisted)), "{begin}");
        }
    }
}
