//! Is what was done told in the same transaction, and can it be proved from the desk's own store?

use engine::{Desk, LogError, Store};
use jiff::Timestamp;
use ontology::TenantId;
use triage::audit::{
    Action, Actor, AuditError, Entry, Label, STREAM, Sealer, Signer, Tree, export, leaf, note, verify,
    verify_export,
};

fn store(folder: &std::path::Path) -> Store {
    Desk::open(folder, &TenantId::new("demo").unwrap(), None).unwrap().store()
}

fn entry(number: u64) -> Entry {
    let person = Actor::Person(Label::new("kim").unwrap());
    Entry { ticket: Some(format!("desk:{number}").parse().unwrap()), ..Entry::new(Action::Approval, person) }
}

#[test]
fn what_is_done_and_what_is_told_stand_or_fall_together() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    let now = Timestamp::from_second(1_700_000_000).unwrap();
    let told: Result<u64, AuditError> = store.write(|batch| {
        batch.append("ticket/desk:1", "approved", None, b"{}", now)?;
        note(batch, &entry(1), now)
    });
    assert_eq!(told.unwrap(), 1);
    let failed: Result<u64, AuditError> = store.write(|batch| {
        note(batch, &entry(2), now)?;
        Err(LogError::NewerFormat { found: 9 }.into())
    });
    assert!(failed.is_err());
    let kept = store.journal(STREAM, 0, 10).unwrap();
    assert_eq!(kept.len(), 1);
    assert_eq!((kept[0].kind.as_str(), &kept[0].record), ("approval", &None), "a purge leaves it alone");
    assert_eq!(Entry::read(&kept[0]).unwrap(), entry(1));
}

#[test]
fn a_log_is_sealed_proved_and_exported() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    let mut tree = Tree::default();
    let mut sealer = Sealer::new(&store, Signer::new("desk.example/demo", &[1; 32]).unwrap(), 8).unwrap();
    for number in 1..=20_u64 {
        let now = Timestamp::from_second(1_700_000_000 + number.cast_signed()).unwrap();
        store.write(|batch| note(batch, &entry(number), now)).unwrap();
        assert_eq!(tree.catch_up(&store).unwrap(), 1);
        sealer.seal_due(&store, &tree).unwrap();
    }
    let first = sealer.last().unwrap().clone();
    let last = sealer.seal(&store, &tree).unwrap().unwrap().clone();
    assert_eq!((first.head().size, last.head().size), (16, 20));

    tree.consistency(16, 20).unwrap().verify(first.head(), last.head()).unwrap();
    let kept = &store.journal(STREAM, 6, 1).unwrap()[0];
    tree.inclusion(6, 20).unwrap().verify(&leaf(kept), last.head()).unwrap();

    let public = sealer.public_key();
    let report = verify(&store, public, Some(&first)).unwrap();
    assert_eq!((report.fault, report.sealed, report.checkpoints), (None, 20, 3));
    let mut out = Vec::new();
    export(&store, &last, &mut out).unwrap();
    assert_eq!(verify_export(out.as_slice(), public).unwrap(), last);
    let again = Sealer::new(&store, Signer::new("desk.example/demo", &[1; 32]).unwrap(), 8).unwrap();
    assert_eq!(again.last(), Some(&last));
}
