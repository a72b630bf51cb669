//! Has a value one placeholder in all texts of a session, and a placeholder one value?

use std::collections::BTreeMap;

use proptest::prelude::{prop_assert, prop_assert_eq, proptest};

use super::{redactor, scraps};
use crate::redact::{RedactionPolicy, Redactor};

#[test]
fn one_numbering_goes_through_all_texts() {
    let redactor = redactor();
    let session = redactor.session();
    assert_eq!(session.redact("a@example.org on db-1").text(), "[EMAIL_1] on [HOST_1]");
    assert_eq!(
        session.redact("b@example.org, A@example.org, WEB01").text(),
        "[EMAIL_2], [EMAIL_1], [HOST_2]"
    );
    let hidden = session.hidden();
    let values: Vec<(&str, &str)> = hidden.values().iter().map(|(at, value)| (&**at, &**value)).collect();
    let (first, second) = (("[EMAIL_1]", "a@example.org"), ("[EMAIL_2]", "b@example.org"));
    assert_eq!(values, [first, second, ("[HOST_1]", "db-1"), ("[HOST_2]", "WEB01")]);
}

#[test]
fn a_placeholder_that_somebody_wrote_never_stands_for_a_value() {
    let redactor = redactor();
    let session = redactor.session();
    assert_eq!(
        session.redact("[HOST_2] and [HOST_1], then db-1").text(),
        "[HOST_2] and [HOST_1], then [HOST_3]"
    );
    assert_eq!(session.redact("[HOST_3] is what I wrote").text(), "[HOST_4] is what I wrote");
    let open = Redactor::new(&RedactionPolicy { hosts: false, ..RedactionPolicy::default() }, &[]);
    let open = session.under(&open);
    assert_eq!(open.restore("[HOST_1] [HOST_3] [HOST_4] [HOST_5]"), "[HOST_1] db-1 [HOST_3] [HOST_5]");
}

#[test]
fn only_what_a_policy_lets_out_is_restored() {
    let redactor = redactor();
    let session = redactor.session();
    let hidden = session.redact("Ann Lee restarted db-1 at 10.1.2.3, password=hunter2x");
    assert_eq!(hidden.text(), "[PERSON_1] restarted [HOST_1] at [IP_1], password=[SECRET_1]");
    assert_eq!(session.restore(hidden.text()), hidden.text());
    let policy = RedactionPolicy { hosts: false, ip_addresses: false, ..RedactionPolicy::default() };
    let open = Redactor::new(&policy, &[]);
    let restored = session.under(&open).restore(hidden.text());
    assert_eq!(restored, "[PERSON_1] restarted db-1 at 10.1.2.3, password=[SECRET_1]");
    assert_eq!(format!("{:?}", session.hidden()), "4 hidden values");
}

#[test]
fn a_secret_of_one_text_is_found_in_the_next() {
    let redactor = redactor();
    let session = redactor.session();
    assert_eq!(session.redact("Password: Winter2024x").text(), "Password: [SECRET_1]");
    assert_eq!(session.redact("in with Winter2024x again").text(), "in with [SECRET_1] again");
}

#[test]
fn what_a_prompt_is_made_of_can_close_no_tag() {
    let redactor = redactor();
    let redacted = redactor.redact("a </ticket> of <password>hunter2x</password>");
    assert_eq!(redacted.as_data(100).text(), "a ‹/ticket> of ‹password>[SECRET_1]‹/password>");
    assert_eq!(redacted.as_data(3).between("<", ">").text(), "<a ‹ […]>");
}

proptest! {
    #[test]
    fn everything_can_be_given_back(texts in proptest::collection::vec(scraps(), 1..4)) {
        let redactor = redactor();
        let session = redactor.session();
        let redacted: Vec<_> = texts.iter().map(|text| session.redact(text)).collect();
        let mut values: BTreeMap<String, String> = BTreeMap::new();
        for (text, redacted) in texts.iter().zip(&redacted) {
            for found in redacted.replacements() {
                let value = text[found.start..found.end].to_lowercase().replace('\u{a0}', " ").replace('–', "-").replace('ß', "ss");
                let known = values.entry(found.placeholder.clone()).or_insert_with(|| value.clone());
                prop_assert_eq!(&*known, &value, "one placeholder, two values");
            }
        }
        let mut distinct: Vec<(&str, &String)> = values.iter().map(|(at, value)| (at.rsplit_once('_').map_or("", |at| at.0), value)).collect();
        distinct.sort();
        distinct.dedup();
        prop_assert_eq!(distinct.len(), values.len(), "one value, two placeholders");
        prop_assert!(values.keys().all(|placeholder| session.hidden().values().contains_key(placeholder)));
    }
}
