//! What does a literal mean? Whether it is well-formed for its datatype, and which of two comes first.

use std::cmp::Ordering;
use std::str::FromStr;

use oxrdf::{LiteralRef, TermRef};
use oxsdatatypes::{
    Date, DateTime, DayTimeDuration, Decimal, Duration, GDay, GMonth, GMonthDay, GYear, GYearMonth, Time,
    YearMonthDuration,
};

const XSD: &str = "http://www.w3.org/2001/XMLSchema#";

/// The integer datatypes of XML Schema with their smallest and largest values.
const INTEGERS: &[(&str, Option<i128>, Option<i128>)] = &[
    ("integer", None, None),
    ("nonNegativeInteger", Some(0), None),
    ("positiveInteger", Some(1), None),
    ("nonPositiveInteger", None, Some(0)),
    ("negativeInteger", None, Some(-1)),
    ("long", Some(i64::MIN as i128), Some(i64::MAX as i128)),
    ("int", Some(i32::MIN as i128), Some(i32::MAX as i128)),
    ("short", Some(i16::MIN as i128), Some(i16::MAX as i128)),
    ("byte", Some(i8::MIN as i128), Some(i8::MAX as i128)),
    ("unsignedLong", Some(0), Some(u64::MAX as i128)),
    ("unsignedInt", Some(0), Some(u32::MAX as i128)),
    ("unsignedShort", Some(0), Some(u16::MAX as i128)),
    ("unsignedByte", Some(0), Some(u8::MAX as i128)),
];

/// Whether the text of the literal is one that its datatype allows. Datatypes that are not of XML Schema allow any.
pub(super) fn is_well_formed(literal: LiteralRef<'_>) -> bool {
    let text = literal.value();
    let Some(datatype) = literal.datatype().as_str().strip_prefix(XSD) else {
        return true;
    };
    if let Some(&(_, least, most)) = INTEGERS.iter().find(|(name, ..)| *name == datatype) {
        return is_integer_in(text, least, most);
    }
    match datatype {
        "boolean" => boolean(text).is_some(),
        "decimal" => is_decimal(text),
        "float" | "double" => double(text).is_some(),
        "dateTime" => parses::<DateTime>(text),
        "dateTimeStamp" => DateTime::from_str(text).is_ok_and(|moment| moment.timezone_offset().is_some()),
        "date" => parses::<Date>(text),
        "time" => parses::<Time>(text),
        "gYear" => parses::<GYear>(text),
        "gYearMonth" => parses::<GYearMonth>(text),
        "gMonth" => parses::<GMonth>(text),
        "gMonthDay" => parses::<GMonthDay>(text),
        "gDay" => parses::<GDay>(text),
        "duration" => parses::<Duration>(text),
        "dayTimeDuration" => parses::<DayTimeDuration>(text),
        "yearMonthDuration" => parses::<YearMonthDuration>(text),
        _ => true,
    }
}

/// The order of two terms as SPARQL's `<` has it; `None` where it has none, as between a number and a text, or a moment
/// with and one without a time zone that lie close together.
pub(super) fn compare(left: TermRef<'_>, right: TermRef<'_>) -> Option<Ordering> {
    let (TermRef::Literal(left), TermRef::Literal(right)) = (left, right) else {
        return None;
    };
    match (value(left)?, value(right)?) {
        (Value::Exact(left), Value::Exact(right)) => left.partial_cmp(&right),
        (Value::Exact(left), Value::Binary(right)) => {
            f64::from_str(&left.to_string()).ok()?.partial_cmp(&right)
        }
        (Value::Binary(left), Value::Exact(right)) => {
            left.partial_cmp(&f64::from_str(&right.to_string()).ok()?)
        }
        (Value::Binary(left), Value::Binary(right)) => left.partial_cmp(&right),
        (Value::Text(left), Value::Text(right)) => Some(left.cmp(right)),
        (Value::Truth(left), Value::Truth(right)) => Some(left.cmp(&right)),
        (Value::Moment(left), Value::Moment(right)) => left.partial_cmp(&right),
        (Value::Day(left), Value::Day(right)) => left.partial_cmp(&right),
        (Value::Clock(left), Value::Clock(right)) => left.partial_cmp(&right),
        _ => None,
    }
}

/// A literal that can be compared.
enum Value<'a> {
    Exact(Decimal),
    Binary(f64),
    Text(&'a str),
    Truth(bool),
    Moment(DateTime),
    Day(Date),
    Clock(Time),
}

fn value(literal: LiteralRef<'_>) -> Option<Value<'_>> {
    if !is_well_formed(literal) {
        return None;
    }
    let text = literal.value();
    let datatype = literal.datatype().as_str().strip_prefix(XSD)?;
    match datatype {
        "string" => Some(Value::Text(text)),
        "boolean" => boolean(text).map(Value::Truth),
        "float" | "double" => double(text).map(Value::Binary),
        "dateTime" | "dateTimeStamp" => DateTime::from_str(text).ok().map(Value::Moment),
        "date" => Date::from_str(text).ok().map(Value::Day),
        "time" => Time::from_str(text).ok().map(Value::Clock),
        "decimal" => Some(number(text)),
        _ if INTEGERS.iter().any(|(name, ..)| *name == datatype) => Some(number(text)),
        _ => None,
    }
}

/// Exact where it fits, else the nearest binary number: only magnitudes beyond 10^20 or digits after the 18th are lost.
fn number(text: &str) -> Value<'_> {
    Decimal::from_str(text).map_or_else(|_| Value::Binary(text.parse().unwrap_or(f64::NAN)), Value::Exact)
}

fn parses<T: FromStr>(text: &str) -> bool {
    T::from_str(text).is_ok()
}

fn boolean(text: &str) -> Option<bool> {
    match text {
        "true" | "1" => Some(true),
        "false" | "0" => Some(false),
        _ => None,
    }
}

fn double(text: &str) -> Option<f64> {
    match text {
        "INF" | "+INF" => Some(f64::INFINITY),
        "-INF" => Some(f64::NEG_INFINITY),
        "NaN" => Some(f64::NAN),
        // Rust also reads "inf" and "nan", which XML Schema does not have
        _ if text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte)) => text.parse().ok(),
        _ => None,
    }
}

fn is_decimal(text: &str) -> bool {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    !(whole.is_empty() && fraction.is_empty()) && is_digits(whole) && is_digits(fraction)
}

fn is_integer_in(text: &str, least: Option<i128>, most: Option<i128>) -> bool {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !is_digits(digits) {
        return false;
    }
    match text.parse::<i128>() {
        Ok(number) => least.is_none_or(|least| number >= least) && most.is_none_or(|most| number <= most),
        // more digits than any bounded type has: only the open side can hold it
        Err(_) if text.starts_with('-') => least.is_none(),
        Err(_) => most.is_none(),
    }
}

fn is_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use std::cmp::Ordering;

    use oxrdf::vocab::xsd;
    use oxrdf::{LiteralRef, NamedNodeRef};

    use super::{compare, is_well_formed};

    #[test]
    fn well_formed_by_datatype() {
        let cases = [
            ("5", xsd::INTEGER, true),
            ("+5", xsd::INTEGER, true),
            ("5.0", xsd::INTEGER, false),
            ("", xsd::INTEGER, false),
            ("-", xsd::INTEGER, false),
            ("300", xsd::BYTE, false),
            ("-128", xsd::BYTE, true),
            ("-1", xsd::UNSIGNED_INT, false),
            ("99999999999999999999999999999999999999999999", xsd::INTEGER, true),
            ("99999999999999999999999999999999999999999999", xsd::LONG, false),
            ("-99999999999999999999999999999999999999999999", xsd::NON_NEGATIVE_INTEGER, false),
            (".5", xsd::DECIMAL, true),
            (".", xsd::DECIMAL, false),
            ("1e3", xsd::DECIMAL, false),
            ("1e3", xsd::DOUBLE, true),
            ("INF", xsd::DOUBLE, true),
            ("inf", xsd::DOUBLE, false),
            ("yes", xsd::BOOLEAN, false),
            ("2026-02-30T00:00:00Z", xsd::DATE_TIME, false),
            ("2026-02-28T00:00:00Z", xsd::DATE_TIME, true),
            ("2026-02-28", xsd::DATE_TIME, false),
            ("anything", NamedNodeRef::new_unchecked("urn:own"), true),
        ];
        for (text, datatype, expected) in cases {
            assert_eq!(
                is_well_formed(LiteralRef::new_typed_literal(text, datatype)),
                expected,
                "{text} as {datatype}"
            );
        }
    }

    #[test]
    fn order_follows_values_not_texts() {
        let cases = [
            (("10", xsd::INTEGER), ("9", xsd::INTEGER), Some(Ordering::Greater)),
            (("1.0", xsd::DECIMAL), ("1", xsd::INTEGER), Some(Ordering::Equal)),
            (("1.5", xsd::DOUBLE), ("2", xsd::INTEGER), Some(Ordering::Less)),
            (("NaN", xsd::DOUBLE), ("2", xsd::INTEGER), None),
            (("10", xsd::STRING), ("9", xsd::STRING), Some(Ordering::Less)),
            (("10", xsd::STRING), ("9", xsd::INTEGER), None),
            (("x", xsd::INTEGER), ("9", xsd::INTEGER), None),
            (
                ("2026-01-01T12:00:00+02:00", xsd::DATE_TIME),
                ("2026-01-01T10:00:00Z", xsd::DATE_TIME),
                Some(Ordering::Equal),
            ),
            (("2026-01-01T12:00:00", xsd::DATE_TIME), ("2026-01-01T12:00:00Z", xsd::DATE_TIME), None),
            (
                ("99999999999999999999999999999999", xsd::INTEGER),
                ("1", xsd::INTEGER),
                Some(Ordering::Greater),
            ),
        ];
        for ((left, left_type), (right, right_type), expected) in cases {
            let order = compare(
                LiteralRef::new_typed_literal(left, left_type).into(),
                LiteralRef::new_typed_literal(right, right_type).into(),
            );
            assert_eq!(order, expected, "{left} against {right}");
        }
    }
}
