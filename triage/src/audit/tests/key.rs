//! Are signed texts those that other tools make and read, and is everything else refused?

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;
use sha2::{Digest, Sha256};

use super::super::{Checkpoint, NoteError, PublicKey, Signer, Tree, TreeHead};
use super::{Book, signer};

/// The example of Go's `sumdb/note`.
const GO_SECRET: &str = "AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
const GO_PUBLIC: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
const GO_TEXT: &str =
    "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
const GO_SIGNATURE: &str =
    "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=";

fn head() -> TreeHead {
    Book::of(12).tree().head(12).unwrap()
}

fn other() -> Signer {
    Signer::new("desk.example/demo", &[8; 32]).unwrap()
}

#[test]
fn the_known_note_is_signed_and_read() {
    let secret: [u8; 32] = STANDARD.decode(GO_SECRET).unwrap()[1..].try_into().unwrap();
    let signer = Signer::new("PeterNeumann", &secret).unwrap();
    assert_eq!(signer.public_key().to_string(), GO_PUBLIC);
    assert_eq!(*signer.public_key(), GO_PUBLIC.parse().unwrap());
    let note = format!("{GO_TEXT}\n\u{2014} PeterNeumann {GO_SIGNATURE}\n");
    assert_eq!(signer.sign(GO_TEXT), note);
    assert_eq!(signer.public_key().open(&note).unwrap(), GO_TEXT);
}

#[test]
fn a_checkpoint_is_three_lines_and_a_signature() {
    let checkpoint = Checkpoint::sign(head(), &signer());
    let lines: Vec<&str> = checkpoint.text().split('\n').collect();
    let [origin, size, root, "", signature, ""] = lines.as_slice() else { panic!("{lines:?}") };
    assert_eq!((*origin, *size), ("desk.example/demo", "12"));
    assert_eq!(root.parse(), Ok(head().root));
    assert!(signature.starts_with("\u{2014} desk.example/demo "));
    assert_eq!(Checkpoint::open(checkpoint.text(), signer().public_key()), Ok(checkpoint));
}

#[test]
fn signatures_of_others_are_passed_over_but_do_not_count() {
    let checkpoint = Checkpoint::sign(head(), &signer());
    let witness = Checkpoint::sign(head(), &other());
    let line = witness.text().split_inclusive('\n').next_back().unwrap();
    let both = format!("{}{line}", checkpoint.text());
    assert_eq!(Checkpoint::open(&both, signer().public_key()).unwrap().head(), &head());
    assert_eq!(Checkpoint::open(&both, other().public_key()).unwrap().head(), &head());
    for (name, secret) in [("desk.example/demo", [9; 32]), ("desk.example/else", [7; 32])] {
        let stranger = Signer::new(name, &secret).unwrap();
        let refused = Checkpoint::open(&both, stranger.public_key());
        assert!(matches!(refused, Err(NoteError::Unsigned { .. })), "{refused:?}");
    }
}

#[test]
fn a_signed_text_that_is_no_checkpoint_is_refused() {
    let (signer, root) = (signer(), Tree::default().head(0).unwrap().root);
    for text in [
        "hello\n".to_owned(),
        format!("another.log\n1\n{root}\n"),
        format!("desk.example/demo\n01\n{root}\n"),
        format!("desk.example/demo\n-1\n{root}\n"),
        format!("desk.example/demo\n1\n{root}\nmore\n"),
        "desk.example/demo\n1\nroot\n".to_owned(),
    ] {
        let refused = Checkpoint::open(&signer.sign(&text), signer.public_key());
        assert!(matches!(refused, Err(NoteError::Form { .. })), "{text}: {refused:?}");
    }
}

#[test]
fn a_checkpoint_that_is_cut_off_is_refused() {
    let checkpoint = Checkpoint::sign(head(), &signer());
    let text = checkpoint.text();
    for end in (0..text.len()).filter(|end| text.is_char_boundary(*end)) {
        assert!(Checkpoint::open(&text[..end], signer().public_key()).is_err(), "{end}");
    }
}

#[test]
fn keys_are_read_whole_or_not_at_all() {
    for name in ["", "a b", "a+b", "a\nb"] {
        assert!(matches!(Signer::new(name, &[1; 32]), Err(NoteError::Name)), "{name:?}");
    }
    // A point of small order, for which anybody can sign, with its right id.
    let point = [&[1], &[0; 31][..]].concat();
    let hash = Sha256::digest([b"a\n\x01", point.as_slice()].concat());
    let id: String = hash[..4].iter().map(|byte| format!("{byte:02x}")).collect();
    let weak = format!("a+{id}+{}", STANDARD.encode([&[1], point.as_slice()].concat()));
    for text in ["", "PeterNeumann", &GO_PUBLIC[1..], &GO_PUBLIC[..GO_PUBLIC.len() - 4], &weak] {
        assert!(text.parse::<PublicKey>().is_err(), "{text}");
    }
}

proptest! {
    #[test]
    fn a_checkpoint_with_any_bit_flipped_is_refused(place in 0..10_000_usize, bit in 0..8_u32) {
        let mut bytes = Checkpoint::sign(head(), &signer()).text().as_bytes().to_vec();
        let place = place % bytes.len();
        bytes[place] ^= 1_u8 << bit;
        if let Ok(text) = String::from_utf8(bytes) {
            prop_assert!(Checkpoint::open(&text, signer().public_key()).is_err(), "{}", text);
        }
    }
}
