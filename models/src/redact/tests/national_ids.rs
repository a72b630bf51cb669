//! Are numbers that states gave to people found, and the many like them left alone?

use super::{check, untouched};

#[test]
fn national_ids_are_found_by_form_and_check_digits() {
    for id in [
        "536-22-8726",
        "AB123456C",
        "AB 12 34 56 C",
        "15070649C103",
        "15 070649 C 10 3",
        "255081416802538",
        "2 55 08 14 168 025 38",
        "12345678Z",
        "12345678-Z",
        "X1234567L",
        "X-1234567-L",
        "RSSMRA85T10A562S",
        "MRTMTT91D08F205J",
        "131052-308T",
        "756.9217.0769.85",
        "7569217076985",
        "85.07.30-033.28",
        "529.982.247-25",
        "2341 2341 2346",
        "9999-4105-7058",
    ] {
        check(&format!("she is {id}, born in May"), "she is [NATIONAL_ID_1], born in May");
        check(&format!("She gave {id}."), "She gave [NATIONAL_ID_1].");
    }
}

#[test]
fn bare_digits_are_one_behind_the_word_for_them() {
    for (word, id) in [
        ("SSN", "536228726"),
        ("social security number is", "536 22 8726"),
        ("NI number:", "ab123456c"),
        ("Steuer-ID", "86095742719"),
        ("IdNr.", "86 095 742 719"),
        ("Steueridentifikationsnummer lautet", "65929970489"),
        ("BSN:", "111222333"),
        ("burgerservicenummer", "1112.22.333"),
        ("personnummer", "811228-9874"),
        ("personnummer", "198112289874"),
        ("CPR-nummer", "311299-1234"),
        ("fødselsnummer", "01010750160"),
        ("PESEL", "44051401359"),
        ("AHV-Nr.", "756 9217 0769 85"),
        ("CPF", "52998224725"),
        ("Aadhaar no", "999941057058"),
        ("SIN:", "046 454 286"),
        ("TFN =", "123 456 782"),
        ("national id", "44051401359"),
        ("tax id (", "47036892816"),
    ] {
        // A Canadian number that begins with 0 is for tests only.
        if word == "SIN:" {
            check("SIN: 130 692 544", "SIN: [NATIONAL_ID_1]");
        } else {
            let space = if word.ends_with('(') { "" } else { " " };
            check(
                &format!("{word}{space}{id} of the caller"),
                &format!("{word}{space}[NATIONAL_ID_1] of the caller"),
            );
        }
    }
}

#[test]
fn a_number_with_a_wrong_digit_is_none() {
    untouched(&[
        "000-22-8726, 666-22-8726, 936-22-8726, 536-00-8726 and 536-22-0000",
        "BG123456C and AB123456E and ab123456c",
        "15070649C104 and 255081416802539 and 12345678A and X1234567A and RSSMRA85T10A562T",
        "131052-308U, 756.9217.0769.86, 85.07.30-033.29, 529.982.247-26, 111.111.111-11, 2341 2341 2347",
        "Steuer-ID 86095742718, BSN 111222334, PESEL 44051401358, TFN 123 456 783",
    ]);
}

#[test]
fn numbers_of_a_help_desk_are_no_national_ids() {
    untouched(&[
        "86095742719 bytes, 111222333 rows, 44051401359 ns and 123456782 of 536228726",
        "part 536-22-8726, serial 536-22-8726, ticket 536-22-8726, S/N AB123456C",
        "INC0012345 CHG0030052 KB0010293 PRB0040001 RITM0001234",
        "error 0x80070005, ORA-12154, LL-2201, E-4107, Event ID 4625, KB5034441",
        "2024-01-15T10:30:00Z, 20240115T103000Z, 15.01.2024 10:30, 240115-103",
        "build 19045.3803, firmware 7.4.1.2, 6.1.0-13-amd64, kernel 5.15.0-91",
        "123e4567-e89b-12d3-a456-426614174000 and 0123456789ABCDEF0123456789ABCDEF",
        "2341 2341 2346 2345 2341 and 1 2341 2341 2346, 12 345 678 901 bytes",
        "epoch 1700000000, 1700000000123, port 8443, pid 1234567, VLAN 1812, PO 4500012345",
        "MAC 00:1A:2B:3C:4D:5E, order AB123456C7, model X1234567LX, WWN 50:06:01:60:3b:e0",
        "the person on call, sin of omission, cf. page 12, sv status, tin of paint",
    ]);
}
