//! Does an export prove itself with the public key alone, and no other?

use super::super::{Checkpoint, ExportError, Hash, NoteError, Sealer, Signer, export, leaf, verify_export};
use super::{Book, entry, sealer, signer};

const ENTRIES: u64 = 1203;

fn exported() -> (Vec<String>, Checkpoint) {
    let mut book = Book::of(ENTRIES);
    let mut sealer = sealer(&book);
    book.seal(&mut sealer);
    book.grow(ENTRIES + 5);
    let mut out = Vec::new();
    export(&book, sealer.last().unwrap(), &mut out).unwrap();
    let lines = String::from_utf8(out).unwrap().split_inclusive('\n').map(str::to_owned).collect();
    (lines, sealer.last().unwrap().clone())
}

fn verified(lines: &[String]) -> Result<Checkpoint, ExportError> {
    verify_export(lines.concat().as_bytes(), signer().public_key())
}

#[test]
fn an_export_leads_to_its_checkpoint() {
    let (lines, checkpoint) = exported();
    assert_eq!(lines.len() as u64, ENTRIES + 1, "only what the checkpoint covers");
    assert_eq!(verified(&lines).unwrap(), checkpoint);
    let line: serde_json::Value = serde_json::from_str(&lines[5]).unwrap();
    assert_eq!(line["leaf"].as_str().unwrap().as_bytes(), leaf(&entry(5)));
    assert_eq!(line["leaf_hash"], Hash::of_leaf(&leaf(&entry(5))).to_string());
}

#[test]
fn an_edited_export_is_refused() {
    let (lines, _) = exported();
    let with = |line: usize, text: String| {
        let mut lines = lines.clone();
        lines[line] = text;
        verified(&lines).unwrap_err()
    };
    let changed = with(7, lines[7].replace("agent-action", "approval"));
    assert!(matches!(changed, ExportError::Changed { sequence: 7 }));
    // The same with its hash computed anew.
    let forged = serde_json::json!({"leaf": "{}", "leaf_hash": Hash::of_leaf(b"{}").to_string()});
    assert!(matches!(with(7, format!("{forged}\n")), ExportError::Root));
    assert!(matches!(with(7, "{}\n".to_owned()), ExportError::Form { line: 8, .. }));
    assert!(matches!(with(0, lines[0].replace("audit/1", "audit/2")), ExportError::Form { line: 1, .. }));
    let signature = with(0, lines[0].replace(r"\n1203\n", r"\n1202\n"));
    assert!(matches!(signature, ExportError::Checkpoint(NoteError::Signature { .. })));
}

#[test]
fn lines_that_were_moved_taken_or_added_are_refused() {
    let (lines, _) = exported();
    let mut swapped = lines.clone();
    swapped.swap(100, 101);
    assert!(matches!(verified(&swapped), Err(ExportError::Root)));
    let short = verified(&lines[..1200]);
    assert!(matches!(short, Err(ExportError::Entries { entries: 1199, covered: ENTRIES })));
    let mut long = lines.clone();
    long.push(lines[1].clone());
    assert!(matches!(verified(&long), Err(ExportError::Entries { entries: 1204, covered: ENTRIES })));
    let mut cut = lines.clone();
    cut.last_mut().unwrap().pop();
    assert!(matches!(
        verified(&cut),
        Err(ExportError::Form { line: 1204, reason: "it is cut off or too long" })
    ));
    assert!(matches!(verified(&[]), Err(ExportError::Form { line: 1, .. })));
}

#[test]
fn the_key_of_somebody_else_proves_nothing() {
    let (lines, _) = exported();
    let stranger = Signer::new("desk.example/demo", &[8; 32]).unwrap();
    let refused = verify_export(lines.concat().as_bytes(), stranger.public_key());
    assert!(matches!(refused, Err(ExportError::Checkpoint(NoteError::Unsigned { .. }))));
}

#[test]
fn a_log_that_was_changed_is_not_exported() {
    let mut book = Book::of(20);
    let mut sealer: Sealer = sealer(&book);
    book.seal(&mut sealer);
    let checkpoint = sealer.last().unwrap();
    let changed = |book: &Book| export(book, checkpoint, &mut Vec::new()).unwrap_err();
    book.entries[4].body = b"\xff".to_vec();
    assert!(matches!(changed(&book), ExportError::Changed { sequence: 5 }));
    book.entries[4].body = b"{}".to_vec();
    assert!(matches!(changed(&book), ExportError::Root));
    book.entries.truncate(10);
    assert!(matches!(changed(&book), ExportError::Entries { entries: 10, covered: 20 }));
}
