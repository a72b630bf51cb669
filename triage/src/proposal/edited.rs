//! How much did a person change? The share of words that were put in or taken out.

/// 0 where nothing changed, 1 where nothing stayed: twice the longest common run of words in order, over all words.
pub(crate) fn edited_share(before: &str, after: &str) -> f64 {
    let before: Vec<&str> = before.split_whitespace().take(WORDS).collect();
    let after: Vec<&str> = after.split_whitespace().take(WORDS).collect();
    let all = before.len() + after.len();
    if all == 0 {
        return 0.0;
    }
    let mut row = vec![0_usize; after.len() + 1];
    for one in &before {
        let mut diagonal = 0;
        for (at, other) in after.iter().enumerate() {
            let above = row[at + 1];
            row[at + 1] = if one == other { diagonal + 1 } else { above.max(row[at]) };
            diagonal = above;
        }
    }
    let common = row.last().copied().unwrap_or(0);
    1.0 - 2.0 * common as f64 / all as f64
}

/// Words looked at; the work grows with their square.
const WORDS: usize = 2000;

#[cfg(test)]
mod tests {
    use super::edited_share;

    #[test]
    fn the_share_follows_the_words_that_changed() {
        let check = |before: &str, after: &str, expected: f64| {
            let found = edited_share(before, after);
            assert!((found - expected).abs() < 1e-9, "{before:?} → {after:?}: {found}");
        };
        check("", "", 0.0);
        check("restart the  gateway", "restart the gateway", 0.0);
        check("restart the gateway", "reboot everything now please", 1.0);
        check("a b c d", "a b x d", 0.25);
        check("a b", "a b c d", 2.0 / 6.0);
    }
}
