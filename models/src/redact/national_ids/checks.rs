//! Which numbers can be national ids? The check digits and ranges of each scheme, as its office publishes them. Each is asked of capitals and digits
//! alone, in the number that its form has.

use crate::redact::accounts::luhn;

/// The values of digits, and of letters as in base 36.
fn values(number: &str) -> Vec<u32> {
    number.chars().filter_map(|c| c.to_digit(36)).collect()
}

/// The sum of digits, each with its weight.
fn weighted(digits: &[u32], weights: &[u32]) -> u32 {
    digits.iter().zip(weights).map(|(digit, weight)| digit * weight).sum()
}

fn number(digits: &[u32]) -> u64 {
    digits.iter().fold(0, |number, digit| number * 10 + u64::from(*digit))
}

fn is_day_and_month(day: u64, month: u64) -> bool {
    (1..=31).contains(&day) && (1..=12).contains(&month)
}

fn luhn_holds(digits: &[u32]) -> bool {
    let digits: Vec<u8> = digits.iter().filter_map(|digit| u8::try_from(*digit).ok()).collect();
    luhn(&digits)
}

/// Areas 000, 666 and 900–999, group 00 and serial 0000 are never given out.
pub(super) fn ssn(text: &str) -> bool {
    let digits = values(text);
    let area = number(&digits[..3]);
    area != 0 && area != 666 && area < 900 && number(&digits[3..5]) != 0 && number(&digits[5..]) != 0
}

/// Prefixes that are never given out; the form rules out the other letters.
pub(super) fn nino(text: &str) -> bool {
    !matches!(&text[..2], "BG" | "GB" | "KN" | "NK" | "NT" | "TN" | "ZZ")
}

/// ISO 7064 modulus 11,10; of the first ten digits just one comes twice or three times.
pub(super) fn steuer_id(text: &str) -> bool {
    let digits = values(text);
    let mut times = [0; 10];
    digits[..10].iter().for_each(|digit| times[*digit as usize] += 1);
    let repeated: Vec<i32> = times.into_iter().filter(|times| *times > 1).collect();
    let product = digits[..10].iter().fold(10, |product, digit| {
        let sum = (digit + product) % 10;
        (if sum == 0 { 10 } else { sum }) * 2 % 11
    });
    matches!(repeated[..], [2 | 3]) && (11 - product) % 10 == digits[10]
}

/// § 4 VKVV: digit sums of the products, the letter counted as two digits.
pub(super) fn pension(text: &str) -> bool {
    let digits = values(text);
    let letter = digits[8] - 9;
    let mut all = digits[..8].to_vec();
    all.extend([letter / 10, letter % 10, digits[9], digits[10]]);
    let weights = [2, 1, 2, 5, 7, 1, 2, 1, 2, 1, 2, 1];
    let sum: u32 =
        all.iter().zip(weights).map(|(digit, weight)| digit * weight / 10 + digit * weight % 10).sum();
    // A day of birth may have 50 added where numbers ran out.
    is_day_and_month(number(&digits[2..4]) % 50, number(&digits[4..6])) && sum % 10 == digits[11]
}

/// The key is 97 less the remainder; Corsica's letters stand for numbers.
pub(super) fn nir(text: &str) -> bool {
    let written = text.replace("2A", "19").replace("2B", "18");
    let digits = values(&written);
    digits.len() == 15 && 97 - number(&digits[..13]) % 97 == number(&digits[13..])
}

pub(super) fn dni(text: &str) -> bool {
    const LETTERS: &[u8] = b"TRWAGMYFPDXBNJZSQVHLCKE";
    let digits: Vec<u32> =
        text[..text.len() - 1].chars().map(|c| c.to_digit(10).unwrap_or(c as u32 - 'X' as u32)).collect();
    text.as_bytes().last() == LETTERS.get((number(&digits) % 23) as usize)
}

pub(super) fn codice_fiscale(text: &str) -> bool {
    /// What letters count in odd places; digits count as the letters A to J.
    const ODD: [u32; 26] =
        [1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23];
    let counted =
        values(text).into_iter().map(|value| if value < 10 { value } else { value - 10 }).enumerate();
    let sum: u32 =
        counted.take(15).map(|(at, value)| if at % 2 == 0 { ODD[value as usize] } else { value }).sum();
    values(text).last() == Some(&(sum % 26 + 10))
}

/// The eleven-test, with the last digit taken off.
pub(super) fn bsn(text: &str) -> bool {
    let digits = values(text);
    let sum = weighted(&digits, &[9, 8, 7, 6, 5, 4, 3, 2]);
    number(&digits) != 0 && sum % 11 == digits[8]
}

pub(super) fn personnummer(text: &str) -> bool {
    let digits = values(&text[text.len() - 10..]);
    // Coordination numbers have 60 added to the day.
    is_day_and_month(number(&digits[4..6]) % 60, number(&digits[2..4])) && luhn_holds(&digits)
}

/// Since 2007 there are more people than check digits allow for.
pub(super) fn cpr(text: &str) -> bool {
    let digits = values(text);
    is_day_and_month(number(&digits[..2]), number(&digits[2..4]))
}

pub(super) fn fodselsnummer(text: &str) -> bool {
    let digits = values(text);
    let first = weighted(&digits, &[3, 7, 6, 1, 8, 9, 4, 5, 2, 1]);
    let second = weighted(&digits, &[5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1]);
    number(&digits) != 0 && first.is_multiple_of(11) && second.is_multiple_of(11)
}

pub(super) fn henkilotunnus(text: &str) -> bool {
    const MARKS: &[u8] = b"0123456789ABCDEFHJKLMNPRSTUVWXY";
    let digits = values(&text[..6]);
    let mut all = digits.clone();
    all.extend(values(&text[text.len() - 4..text.len() - 1]));
    is_day_and_month(number(&digits[..2]), number(&digits[2..4]))
        && text.as_bytes().last() == MARKS.get((number(&all) % 31) as usize)
}

/// The month has 20, 40, 60 or 80 added for the century.
pub(super) fn pesel(text: &str) -> bool {
    let digits = values(text);
    is_day_and_month(number(&digits[4..6]), number(&digits[2..4]) % 20)
        && weighted(&digits, &[1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1]).is_multiple_of(10)
}

/// The check digit of EAN-13.
pub(super) fn ahv(text: &str) -> bool {
    weighted(&values(text), &[1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1]).is_multiple_of(10)
}

/// 97 less the remainder, for births from 2000 on with a 2 in front.
pub(super) fn rijksregister(text: &str) -> bool {
    let digits = values(text);
    let (birth, check) = (number(&digits[..9]), number(&digits[9..]));
    number(&digits[2..4]) <= 12
        && [birth, 2_000_000_000 + birth].iter().any(|number| 97 - number % 97 == check)
}

/// Two check digits; all digits the same is a mock-up.
pub(super) fn cpf(text: &str) -> bool {
    let digits = values(text);
    let check = |count: usize| {
        let weights: Vec<u32> = (2..=11).rev().skip(10 - count).collect();
        weighted(&digits[..count], &weights) * 10 % 11 % 10 == digits[count]
    };
    digits.iter().any(|digit| *digit != digits[0]) && check(9) && check(10)
}

/// Verhoeff: a walk through the symmetries of the pentagon, with the digits permuted by their place.
pub(super) fn aadhaar(text: &str) -> bool {
    const PERMUTED: [u32; 10] = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4];
    let combined = |a: u32, b: u32| match (a < 5, b < 5) {
        (true, true) => (a + b) % 5,
        (true, false) => a.wrapping_add(b - 5) % 5 + 5,
        (false, true) => (a - b) % 5 + 5,
        (false, false) => (a + 5 - b) % 5,
    };
    let digits = values(text).into_iter().rev().enumerate();
    let permuted = digits.map(|(at, digit)| (0..at % 8).fold(digit, |digit, _| PERMUTED[digit as usize]));
    permuted.fold(0, combined) == 0
}

/// A first digit of 0 or 8 is not given to people.
pub(super) fn sin(text: &str) -> bool {
    !text.starts_with(['0', '8']) && luhn_holds(&values(text))
}

pub(super) fn tfn(text: &str) -> bool {
    let digits = values(text);
    number(&digits) != 0 && weighted(&digits, &[1, 4, 3, 7, 5, 8, 6, 9, 10]).is_multiple_of(11)
}
