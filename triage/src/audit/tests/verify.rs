//! Is every way to tamper with the store found, and is what cannot be found said?

use jiff::{SignedDuration, Timestamp};

use super::super::{
    AuditError, Checkpoint, Fault, Hash, NoteError, PublicKey, Report, Sealer, Signer, TreeHead, Witness,
    verify,
};
use super::{Book, entry, sealer, signer};

fn public() -> PublicKey {
    signer().public_key().clone()
}

/// Thirty entries with checkpoints at 10, 20 and 30.
fn sealed() -> (Book, Checkpoint) {
    let mut book = Book::default();
    let mut sealer = sealer(&book);
    for size in [10, 20, 30] {
        book.grow(size);
        book.seal(&mut sealer);
    }
    let last = sealer.last().unwrap().clone();
    (book, last)
}

/// What is wrong after somebody tampered with the thirty entries.
fn fault(tamper: impl FnOnce(&mut Book)) -> Option<Fault> {
    let (mut book, _) = sealed();
    tamper(&mut book);
    verify(&book, &public(), None).unwrap().fault
}

fn key(size: u64) -> String {
    format!("{size:020}")
}

/// The bodies of a checkpoint, with something in it replaced.
fn rewrite(book: &Book, size: u64, from: &str, to: &str) {
    let mut checkpoints = book.checkpoints.borrow_mut();
    let item = checkpoints.get_mut(&key(size)).unwrap();
    let text = String::from_utf8(item.body.clone()).unwrap();
    assert!(text.contains(from), "{text}");
    item.body = text.replacen(from, to, 1).into_bytes();
}

#[test]
fn a_log_that_nobody_touched_holds() {
    let (mut book, last) = sealed();
    book.grow(33);
    let report = verify(&book, &public(), Some(&last)).unwrap();
    let head = book.tree().head(33).unwrap();
    assert_eq!(report, Report { entries: 33, sealed: 30, checkpoints: 3, head, fault: None });
    let empty = verify(&Book::default(), &public(), None).unwrap();
    let nothing = TreeHead { size: 0, root: Hash::of_nothing() };
    assert_eq!(empty, Report { entries: 0, sealed: 0, checkpoints: 0, head: nothing, fault: None });
}

#[test]
fn what_is_written_and_sealed_while_it_verifies_is_no_fault() {
    let (book, _) = sealed();
    book.late.set(12);
    let report = verify(&book, &public(), None).unwrap();
    assert_eq!((report.entries, report.sealed, report.fault), (30, 30, None));
}

#[test]
fn an_edited_entry_is_named() {
    let changed = |sequence| Some(Fault::Changed { sequence });
    assert_eq!(fault(|book| book.entries[0].body.push(b' ')), changed(1));
    assert_eq!(fault(|book| book.entries[14].body[30] ^= 1), changed(15));
    assert_eq!(fault(|book| book.entries[14].body.clear()), changed(15));
    assert_eq!(fault(|book| book.entries[20].kind = "approval".to_owned()), changed(21));
    let later = |at: Timestamp| at + SignedDuration::from_micros(1);
    assert_eq!(fault(|book| book.entries[29].at = later(book.entries[29].at)), changed(30));
}

#[test]
fn entries_that_were_moved_or_inserted_are_named() {
    let moved = fault(|book| {
        let body = book.entries[12].body.clone();
        book.entries[12].body = std::mem::replace(&mut book.entries[17].body, body);
    });
    assert_eq!(moved, Some(Fault::Changed { sequence: 13 }));
    let inserted = fault(|book| {
        book.entries.insert(4, entry(99));
        for (index, entry) in book.entries.iter_mut().enumerate() {
            entry.sequence = index as u64 + 1;
        }
    });
    assert_eq!(inserted, Some(Fault::Changed { sequence: 5 }));
}

#[test]
fn an_entry_that_was_taken_out_is_named() {
    for index in [0, 3, 25] {
        let missing = Some(Fault::Missing { sequence: index as u64 + 1 });
        assert_eq!(fault(|book| drop(book.entries.remove(index))), missing);
    }
    // With a checkpoint of its own before the gap, and an edit before it, the edit comes first.
    let both = fault(|book| {
        book.entries.remove(25);
        book.entries[14].body.clear();
    });
    assert_eq!(both, Some(Fault::Changed { sequence: 15 }));
    let behind = fault(|book| {
        book.grow(35);
        book.entries.remove(32);
    });
    assert_eq!(behind, Some(Fault::Missing { sequence: 33 }), "no checkpoint covers it");
}

#[test]
fn what_was_cut_off_is_missed() {
    let truncated = |witness, covered, entries| Some(Fault::Truncated { witness, covered, entries });
    assert_eq!(fault(|book| book.entries.truncate(29)), truncated(Witness::Stored, 30, 29));
    assert_eq!(fault(|book| book.entries.truncate(15)), truncated(Witness::Stored, 20, 15));
    assert_eq!(fault(|book| book.entries.clear()), truncated(Witness::Stored, 10, 0));
    // Together with its checkpoints only one that was kept elsewhere misses it.
    let (mut book, kept) = sealed();
    book.entries.truncate(24);
    book.checkpoints.borrow_mut().remove(&key(30));
    let alone = verify(&book, &public(), None).unwrap();
    assert_eq!((alone.fault, alone.sealed), (None, 20));
    let report = verify(&book, &public(), Some(&kept)).unwrap();
    assert_eq!(report.fault, truncated(Witness::Given, 30, 24));
}

#[test]
fn a_history_that_was_signed_anew_differs_from_a_checkpoint_kept_elsewhere() {
    let (mut book, kept) = sealed();
    book.entries[3].body.clear();
    book.checkpoints.borrow_mut().clear();
    book.grow(40);
    book.seal(&mut sealer(&book));
    assert_eq!(verify(&book, &public(), None).unwrap().fault, None);
    let differs = Fault::Differs { witness: Witness::Given, first: 1, last: 30 };
    assert_eq!(verify(&book, &public(), Some(&kept)).unwrap().fault, Some(differs));
    // An entry that only the checkpoint kept elsewhere covers.
    let (mut book, kept) = sealed();
    book.checkpoints.borrow_mut().remove(&key(30));
    let whole = verify(&book, &public(), Some(&kept)).unwrap();
    assert_eq!((whole.fault, whole.sealed), (None, 30));
    book.entries[24].body.clear();
    let differs = Fault::Differs { witness: Witness::Given, first: 21, last: 30 };
    assert_eq!(verify(&book, &public(), Some(&kept)).unwrap().fault, Some(differs));
}

#[test]
fn a_checkpoint_that_was_touched_is_named() {
    let form = |reason| Some(Fault::Checkpoint { key: key(20), reason: NoteError::Form { reason } });
    let signature = NoteError::Signature { key: public().to_string() };
    let resized = fault(|book| rewrite(book, 20, r"demo\n20\n", r"demo\n19\n"));
    assert_eq!(resized, Some(Fault::Checkpoint { key: key(20), reason: signature }));
    let moved = fault(|book| {
        let body = book.checkpoints.borrow()[&key(10)].body.clone();
        book.checkpoints.borrow_mut().get_mut(&key(20)).unwrap().body = body;
    });
    assert_eq!(moved, form("it is kept under another size"));
    let emptied = fault(|book| book.checkpoints.borrow_mut().get_mut(&key(20)).unwrap().body.clear());
    assert_eq!(emptied, form("it is not kept as JSON"));
    for name in ["last", "9"] {
        let renamed = |book: &Book| {
            let mut item = book.checkpoints.borrow_mut().remove(&key(30)).unwrap();
            item.key = name.to_owned();
            book.checkpoints.borrow_mut().insert(item.key.clone(), item);
        };
        let reason = NoteError::Form { reason: "it is kept under another size" };
        let found = fault(|book| renamed(book));
        assert_eq!(found, Some(Fault::Checkpoint { key: name.to_owned(), reason }));
        let (book, _) = sealed();
        renamed(&book);
        let refused = Sealer::new(&book, signer(), 1);
        assert!(matches!(refused, Err(AuditError::Checkpoint(NoteError::Form { .. }))));
    }
    // Hashes that don't lead to the signed root name no entry.
    let blurred = fault(|book| {
        book.entries[14].body.clear();
        let other = Hash::of_leaf(b"").to_string();
        let leaf = Hash::of_leaf(&super::super::leaf(&entry(12))).to_string();
        rewrite(book, 20, &leaf, &other);
    });
    assert_eq!(blurred, Some(Fault::Differs { witness: Witness::Stored, first: 11, last: 20 }));
}

#[test]
fn the_key_of_another_log_or_desk_is_refused() {
    let (book, kept) = sealed();
    let stranger = Signer::new("desk.example/demo", &[8; 32]).unwrap();
    let report = verify(&book, stranger.public_key(), None).unwrap();
    assert!(matches!(report.fault, Some(Fault::Checkpoint { reason: NoteError::Unsigned { .. }, .. })));
    assert!(matches!(
        Sealer::new(&book, stranger, 1),
        Err(AuditError::Checkpoint(NoteError::Unsigned { .. }))
    ));
    let other = Signer::new("desk.example/other", &[7; 32]).unwrap();
    let report = verify(&Book::of(30), other.public_key(), Some(&kept)).unwrap();
    assert!(matches!(report.fault, Some(Fault::OtherLog { .. })));
}

#[test]
fn a_report_says_what_is_wrong_in_words() {
    let (mut book, _) = sealed();
    book.entries[14].body.clear();
    let report = serde_json::to_value(verify(&book, &public(), None).unwrap()).unwrap();
    assert_eq!((&report["entries"], &report["sealed"]), (&30.into(), &10.into()));
    assert_eq!(report["fault"]["code"], "audit-changed");
    let message = report["fault"]["message"].as_str().unwrap();
    assert!(message.starts_with("audit entry 15 is not what was signed"), "{message}");
}

#[test]
fn checkpoints_are_made_when_they_are_due_and_found_again() {
    let mut book = Book::default();
    let mut sealer = Sealer::new(&book, signer(), 4).unwrap();
    for size in 0..=50 {
        book.grow(size);
        let made = sealer.seal_due(&book, &book.tree()).unwrap().map(|made| made.head().size);
        assert_eq!(made, (size > 0 && size % 4 == 0).then_some(size));
        let again = Sealer::new(&book, signer(), 4).unwrap();
        assert_eq!(again.last(), sealer.last());
    }
    assert_eq!(sealer.seal(&book, &book.tree()).unwrap().unwrap().head().size, 50);
    assert_eq!(sealer.seal(&book, &book.tree()).unwrap().unwrap().head().size, 50);
    assert_eq!(book.checkpoints.borrow().len(), 13);
    assert_eq!(verify(&book, &public(), None).unwrap().checkpoints, 13);
}

#[test]
fn many_entries_are_sealed_in_strides() {
    let book = Book::of(25_000);
    let mut sealer = sealer(&book);
    book.seal(&mut sealer);
    let keys: Vec<String> = book.checkpoints.borrow().keys().cloned().collect();
    assert_eq!(keys, [key(10_000), key(20_000), key(25_000)]);
    assert_eq!(verify(&book, &public(), None).unwrap().sealed, 25_000);
}

#[test]
fn nothing_is_signed_that_contradicts_what_was_signed() {
    let (mut book, last) = sealed();
    let mut sealer = sealer(&book);
    assert_eq!(sealer.last(), Some(&last));
    book.grow(40);
    book.entries[3].body.clear();
    assert!(matches!(sealer.seal(&book, &book.tree()), Err(AuditError::Diverged { size: 30 })));
    book.entries.truncate(5);
    assert!(matches!(sealer.seal(&book, &book.tree()), Err(AuditError::Diverged { size: 30 })));
    assert_eq!(book.checkpoints.borrow().len(), 3);
}
