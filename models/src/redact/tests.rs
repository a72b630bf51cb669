//! Does redaction find what it should, leave the rest alone, and stay linear?

mod national_ids;
mod secrets;
mod session;

use std::time::{Duration, Instant};

use proptest::prelude::{Strategy, any, prop_assert, prop_assert_eq, proptest};

use super::{Category, KnownName, NameKind, RedactionPolicy, Redactor};

fn redactor() -> Redactor {
    let known = |name: &str, kind| KnownName { name: name.to_owned(), kind };
    Redactor::new(
        &RedactionPolicy::default(),
        &[
            known("Ann Lee", NameKind::Person),
            known("Ann Lee-Smith", NameKind::Person),
            known("Jürgen Groß", NameKind::Person),
            known("db-1", NameKind::Host),
            known("web01", NameKind::Host),
            known("email", NameKind::Person),
        ],
    )
}

#[track_caller]
fn check(text: &str, expected: &str) {
    let redacted = redactor().redact(text);
    assert_eq!(redacted.text(), expected);
    for replacement in redacted.replacements() {
        assert!(redacted.text().contains(&replacement.placeholder));
        assert!(text.is_char_boundary(replacement.start) && text.is_char_boundary(replacement.end));
    }
}

#[track_caller]
fn untouched(texts: &[&str]) {
    for text in texts {
        assert_eq!(redactor().redact(text).text(), *text);
    }
}

#[test]
fn a_part_of_a_text_hides_what_the_whole_betrays() {
    let text = "Password: Winter2024x\nLogged in with Winter2024x again. Fine now.";
    let redacted = Redactor::new(&RedactionPolicy::default(), &[]).redact(text);
    let line = text.find("Logged").unwrap();
    let end = text.find(" Fine").unwrap();
    assert_eq!(redacted.part(text, line, end), "Logged in with [SECRET_1] again.");
    assert_eq!(redacted.part(text, end + 1, text.len()), "Fine now.");
    assert_eq!(redacted.part(text, 0, text.len()), redacted.text());
}

#[test]
fn emails() {
    check("mail ann.lee+it@mail.example.co.uk.", "mail [EMAIL_1].");
    check("<a@example.org>, b@example.org, A@EXAMPLE.org", "<[EMAIL_1]>, [EMAIL_2], [EMAIL_1]");
    check("jürgen@groß-münchen.de schrieb", "[EMAIL_1] schrieb");
    check("mailto:o'neil_x%y@x-1.io?subject=hi", "mailto:[EMAIL_1]?subject=hi");
    check("/unsubscribe?mail=ann%40example.org&x=1", "/unsubscribe?mail=[EMAIL_1]&x=1");
    check("next=%2Fann%2540example.org", "next=%[EMAIL_1]");
    untouched(&[
        "/lodash%404.17.21 and 100%40.5",
        "git clone git@github.com:rust-lang/rust.git",
        "lodash@4.17.21 and react@18.x and foo@1.2.3-beta.rc",
        "ssh root@localhost, @here, a @ b.c, user@host",
        "@Override public void run()",
    ]);
}

#[test]
fn phones() {
    for number in [
        "+49 30 901820",
        "+49 (0)30 9018-20",
        "+1 (212) 555-0187",
        "+442079460958",
        "0049-30-901820-11",
        "(212) 555-0187",
        "212-555-0187",
        "1-800-555-0199",
        "212.555.0187",
        "020 7946 0958",
        "07700 900123",
        "030/9018204",
        "(030) 901820",
        "01 23 45 67 89",
    ] {
        check(&format!("call {number}."), "call [PHONE_1].");
        check(&format!("tel:{number} now"), "tel:[PHONE_1] now");
    }
    check("phone number is 5550187 today", "phone number is [PHONE_1] today");
    check("Mobile: 0171 2345678 2024-01-15 10:30", "Mobile: [PHONE_1]-01-15 10:30");
    check("reach me on 2125550187, ext. 4711", "reach me on [PHONE_1], ext. [PHONE_2]");
    for number in [
        "(+49) 171 2345678",
        "+49\u{a0}171\u{202f}234\u{2009}5678",
        "+49 171\u{2011}2345678",
        "+49–171–2345678",
    ] {
        check(&format!("call {number}."), "call [PHONE_1].");
        check(&format!("Ann Lee/{number}"), "[PERSON_1]/[PHONE_1]");
    }
    check("Tel (office): 5550187, phone (w) 5550188", "Tel (office): [PHONE_1], phone (w) [PHONE_2]");
    check("tel (030) 901820", "tel [PHONE_1]");
    check("+4930901820 2024-01-15 10:30:00", "[PHONE_1]-01-15 10:30:00");
}

#[test]
fn numbers_of_a_help_desk_are_not_phones() {
    untouched(&[
        "INC0012345 CHG-2023-004567 RITM0001234567 JIRA-12345 KB0000123",
        "ticket 212-555-0187 is closed",
        "2024-01-15T10:30:00+0100 took 1234567 ms",
        "at 2024-01-15 10:30:00.123456789 since 01-02-2023 and 03/04/2024 10 11",
        "epoch 1700000000 and 1700000000123 and 1700000000123456789",
        "version 10.0.19045.3803, kernel 5.15.0-91-generic, 6.1.0-13",
        "error 0x80070005, exit code 137, HTTP 503, port 8443, pid 1234567",
        "serial 123-456-7890 and S/N 0123 4567 8901",
        "uuid 123e4567-e89b-12d3-a456-426614174000",
        "1 234 567 rows, 10 000 000 bytes, 12,345,678 records, 99.99 %",
        "ISBN 978-3-16-148410-0, 192 168 001 010",
        "@@ -123,45 +678901,23 @@ and a + 12345678",
        "commit 0123456789012345678901234567890123456789",
        "mac 00:1A:2B:3C:4D:5E, 001a.2b3c.4d5e",
        "Mobile users 2023: 40, cell B12, ext4 on /dev/sda1, dial 9",
        "00000000 00000001 0000000000000000",
        "2024–2025, pages 212–214, a\u{a0}b, 10:30\u{202f}PM, 1.2.3+20240115, UTC/+0100, C++/+1",
    ]);
}

#[test]
fn ip_addresses() {
    check("from 10.1.2.3:8080 to 10.1.2.3/24", "from [IP_1]:8080 to [IP_1]/24");
    check("http://192.0.2.7/x, web-1/198.51.100.4:8020", "http://[IP_1]/x, web-1/[IP_2]:8020");
    check("fe80::1ff:fe23:4567:890a%eth0 and [2001:db8::1]:443", "[IP_1]%eth0 and [[IP_2]]:443");
    check("peer 2001:db8:0:0:0:0:2:1: timed out", "peer [IP_1]: timed out");
    check("::ffff:192.0.2.128 mapped", "[IP_1] mapped");
    check(
        "tcpdump IP 10.1.2.3.51234 > 10.9.8.7.443: Flags, IP6 fe80::1:2.546",
        "tcpdump IP [IP_1].51234 > [IP_2].443: Flags, IP6 [IP_3].546",
    );
    check("host 192.168.001.010 and 010.001.002.003.", "host [IP_1] and [IP_2].");
    untouched(&[
        "version 1.2.3.4567 and 10.1.2.3456 and 1.2.3.4.123456 and 1.3.6.1.4.1.311 and 127.000.000.001",
        "version 1.2.3.4, v2.0.0.1, build: 10.2.3.4, firmware 7.4.1.2, section 4.3.2.1",
        "Chrome/120.0.0.0 Safari/537.36",
        "1.2.3.4.5 and 300.1.2.3 and 1.2.3",
        "listening on 127.0.0.1:80, 0.0.0.0:443 and ::1",
        "12:34:56, 00:1A:2B:3C:4D:5E, std::fs::read, a::b, dead::beef, 1::2",
    ]);
}

#[test]
fn cards_and_accounts() {
    for card in
        ["4111 1111 1111 1111", "5555555555554444", "3782-822463-10005", "6011000990139424", "30569309025904"]
    {
        check(&format!("card {card} exp 12/27"), "card [CARD_1] exp 12/27");
    }
    check("4111 1111 1111 1111 20 pieces", "[CARD_1] 20 pieces");
    check("%B4111111111111111^DOE/JOHN, ;4111111111111111=2512", "%B[CARD_1]^DOE/JOHN, ;[CARD_1]=2512");
    check("VISA4111111111111111 AMEX378282246310005", "VISA[CARD_1] AMEX[CARD_2]");
    check("4111.1111.1111.1111 or 4111\u{a0}1111\u{a0}1111\u{a0}1111.", "[CARD_1] or [CARD_2].");
    check(
        "DE89-3704-0044-0532-0130-00 DE89\u{a0}3704\u{a0}0044\u{a0}0532\u{a0}0130\u{a0}00",
        "[IBAN_1] [IBAN_2]",
    );
    for iban in [
        "DE89 3704 0044 0532 0130 00",
        "GB82WEST12345698765432",
        "NL91ABNA0417164300",
        "fr1420041010050500013m02606",
    ] {
        check(&format!("IBAN {iban}, please"), "IBAN [IBAN_1], please");
    }
    untouched(&[
        "4111 1111 1111 1112 has a wrong digit",
        "order 1234567890123456 shipped, ORD4111111111111112, order_5555555555554445",
        "0x4111111111111111 and 0.4111111111111111 and 4.111 1.111 1.111 1.111 111",
        "id 41111111111111110 and x4111111111111111 and 4111111111111111.25",
        "DE89 3704 0044 0532 0130 01 and DE00 0000 and GB82WEST1234569876543",
        "ID12 ABCD EFGH",
    ]);
}

#[test]
fn known_names() {
    check("ANN LEE and ann lee-smith", "[PERSON_1] and [PERSON_2]");
    check("JÜRGEN GROß, jürgen groß, Jürgen\u{a0}Gross", "[PERSON_1], [PERSON_1], [PERSON_1]");
    check("ÄÖ JÜRGEN GROẞ ẞ", "ÄÖ [PERSON_1] ẞ");
    check("Jürgen Groß's desk", "[PERSON_1]'s desk");
    check("db-1.example.org, WEB01", "[HOST_1].example.org, [HOST_2]");
    untouched(&["Jürgen Großmann, İJürgen Groß, Ann Leeds, db-12, old-db-1, web011, my_web01", "Hannah Ann"]);
    let plain = Redactor::new(
        &RedactionPolicy { people: false, ..RedactionPolicy::default() },
        &[KnownName { name: "Ann Lee".to_owned(), kind: NameKind::Person }],
    );
    assert_eq!(plain.redact("Ann Lee, 10.1.1.1").text(), "Ann Lee, [IP_1]");
}

#[test]
fn placeholders_that_stand_already_are_kept_and_not_reused() {
    check("[EMAIL_1] told a@example.org", "[EMAIL_1] told [EMAIL_2]");
    check("email [EMAIL_1] [email_1]", "[PERSON_1] [EMAIL_1] [email_1]");
    check("password=[SECRET_7] b@example.org", "password=[SECRET_7] [EMAIL_1]");
}

#[test]
fn replacements_point_into_the_original() {
    let text = "ä a@example.org, 10.1.2.3";
    let redacted = redactor().redact(text);
    let found: Vec<_> = redacted
        .replacements()
        .iter()
        .map(|found| (found.category, &text[found.start..found.end], found.placeholder.as_str()))
        .collect();
    assert_eq!(
        found,
        [(Category::Email, "a@example.org", "[EMAIL_1]"), (Category::IpAddress, "10.1.2.3", "[IP_1]")]
    );
}

#[test]
fn each_category_can_be_switched_off() {
    let off = RedactionPolicy {
        secrets: false,
        payment_cards: false,
        ibans: false,
        national_ids: false,
        emails: false,
        ip_addresses: false,
        phones: false,
        people: false,
        hosts: false,
    };
    let text = "password=hunter2 4111111111111111 a@example.org 10.1.2.3 +49 30 901820 GB82WEST12345698765432 536-22-8726";
    assert_eq!(Redactor::new(&off, &[]).redact(text).text(), text);
    let only = Redactor::new(&RedactionPolicy { emails: true, ..off }, &[]);
    assert_eq!(only.redact(text).text(), text.replace("a@example.org", "[EMAIL_1]"));
}

#[test]
fn time_grows_with_the_text_and_no_faster() {
    let redactor = redactor();
    // One second for the slowest on an idle machine; minutes where a rule looks at the rest of the text from each place.
    const BYTES: usize = 2_000_000;
    const BOUND: Duration = Duration::from_secs(10);
    let ticket = include_str!("../language.rs");
    let units = [
        "a@",
        "a.",
        "1 ",
        "1-",
        "+1 ",
        "00",
        "a:",
        "::",
        "password=",
        "password: ",
        "eyJa.",
        "x://a:",
        "-----BEGIN PRIVATE KEY-----",
        "curl ",
        "db-1 ",
        "a@example.org ",
        "10.1.2.3 ",
        "4111 1111 1111 1111 ",
        "DE89 ",
        "tel 1",
        "Ann ",
        "\u{e9}",
        "plain words of a ticket ",
        "pw-",
        "password is ",
        "password (",
        "password=(",
        "password=)",
        "password\n",
        "password from a1b2c3 to ",
        "<password",
        "name=\"password\" ",
        "\\\"password\\\":\\\"",
        "mysql -p",
        "-----BEGIN PRIVATE KEY-----\nDEK-Info: ",
        "Private-Lines: 1 ",
        "%40",
        "\u{a0}1",
        "gro\u{df}",
        "ssn 5",
        "12345678",
        "1 234 ",
    ];
    let mut texts: Vec<String> = units.map(|unit| unit.repeat(BYTES / unit.len())).into();
    texts.push((0..BYTES / 22).map(|at| format!("password=hunter{at:06} ")).collect());
    texts.push(ticket.repeat(BYTES.div_ceil(ticket.len())));
    for text in texts {
        let unit: String = text.chars().take(30).collect();
        let begun = Instant::now();
        let redacted = redactor.redact(&text);
        let taken = begun.elapsed();
        assert!(redacted.text().len() <= text.len() * 3);
        assert!(taken < BOUND, "{unit:?} takes longer than in proportion: {taken:?}");
    }
}

/// Pieces that rules look for.
const SCRAPS: &[&str] = &[
    "password",
    "=",
    ":",
    " ",
    "hunter2",
    "a@b.org",
    "10.1.2.3",
    "::1",
    "fe80::1",
    "+49 30 901820",
    "4111111111111111",
    "[EMAIL_1]",
    "[IP_99]",
    "[",
    "]",
    "_",
    "\"",
    "'",
    "Ann Lee",
    "db-1",
    "-",
    ".",
    "/",
    "://",
    "@",
    "tel ",
    "1",
    "00",
    "DE89370400440532013000",
    "536-22-8726",
    "ssn ",
    "AB 12 34 56 C",
    "national id ",
    "756.9217.0769.85",
    "2341 2341 2346",
    "[NATIONAL_ID_1]",
    "ghp_0123456789abcdefghij",
    "Bearer ",
    "eyJhbGciOi.eyJz.x",
    "\n",
    "é",
    "-----BEGIN PRIVATE KEY-----",
    "curl -u ",
    "version ",
    "ext ",
    "cookie: ",
    "secret",
    "token",
    "pw",
    "pass",
    " is ",
    " from ",
    " to ",
    "|",
    "&",
    "?",
    "(",
    ")",
    "$",
    "%40",
    "<password>",
    "key=",
    "value=",
    "Private-Lines: 2",
    "abcdefghijkl==",
    "mysql -p",
    ".443",
    "Ab1!x",
    "Jürgen GROSS",
    "\u{a0}",
    "–",
    "\\",
];

/// Such pieces, glued together in any order.
fn scraps() -> impl Strategy<Value = String> {
    let scrap = proptest::sample::select(SCRAPS);
    proptest::collection::vec(scrap, 0..30).prop_map(|scraps| scraps.concat())
}

proptest! {
    #[test]
    fn any_text_is_redacted_once_and_for_all(text in any::<String>()) {
        let redactor = redactor();
        let once = redactor.redact(&text);
        let twice = redactor.redact(once.text());
        prop_assert_eq!(once.text(), twice.text());
    }

    #[test]
    fn scraps_are_redacted_once_and_for_all(text in scraps()) {
        let redactor = redactor();
        let once = redactor.redact(&text);
        let twice = redactor.redact(once.text());
        prop_assert!(twice.replacements().is_empty(), "{:?} then {:?}", once.text(), twice.text());
        prop_assert_eq!(once.text(), twice.text());
    }

    #[test]
    fn no_secret_that_was_found_stands_in_the_output(
        before in scraps(), secret in "[A-Za-z]{3,8}[0-9]{2,6}[!#%]?[A-Z]{2}", between in "[ a-z,\n]{1,40}", after in scraps()
    ) {
        let text = format!("{before}\npassword={secret} {between}{secret} {after}");
        let redacted = redactor().redact(&text);
        for found in redacted.replacements().iter().filter(|found| found.category == Category::Secret) {
            let value = &text[found.start..found.end];
            prop_assert!(value.len() < 6 || value.chars().all(char::is_alphabetic) || !redacted.text().contains(value), "{value:?} in {:?}", redacted.text());
        }
        prop_assert!(!redacted.text().contains(&secret));
    }
}
