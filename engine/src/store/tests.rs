//! Is a batch there whole or not at all, in order, and empty after a purge?

use std::sync::Arc;

use jiff::Timestamp;
use ontology::RecordId;

use super::{Item, Store};
use crate::database::{Database, LogError};

fn store(folder: &std::path::Path) -> Store {
    Store::new(Arc::new(Database::open(&folder.join("desk.db")).unwrap()))
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn work(key: &str, state: &str, due: i64) -> Item {
    Item {
        collection: "work".to_owned(),
        key: key.to_owned(),
        state: state.to_owned(),
        due: Some(at(due)),
        record: None,
        body: b"{}".to_vec(),
    }
}

#[test]
fn a_batch_is_there_whole_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    let written: Result<(), LogError> = store.write(|batch| {
        assert_eq!(batch.append("ticket/1", "received", None, b"a", at(1))?, 1);
        assert_eq!(batch.append("ticket/1", "closed", None, b"b", at(2))?, 2);
        assert_eq!(batch.append("ticket/2", "received", None, b"c", at(2))?, 1);
        batch.put(&work("1", "ready", 5))
    });
    written.unwrap();
    let broken: Result<(), LogError> = store.write(|batch| {
        batch.append("ticket/1", "reopened", None, b"d", at(3))?;
        batch.put(&work("1", "leased", 9))?;
        Err(LogError::NewerFormat { found: 9 })
    });
    assert!(broken.is_err());
    let kinds: Vec<String> =
        store.journal("ticket/1", 0, 10).unwrap().into_iter().map(|entry| entry.kind).collect();
    assert_eq!(kinds, ["received", "closed"]);
    assert_eq!(store.journal("ticket/1", 1, 10).unwrap()[0].body, b"b");
    assert_eq!(store.journals(1, 10).unwrap().len(), 2);
    assert_eq!((store.newest().unwrap(), store.length("ticket/1").unwrap()), (3, 2));
    assert_eq!(store.item("work", "1").unwrap().unwrap(), work("1", "ready", 5));
}

#[test]
fn what_is_due_comes_first_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    let found: Result<Vec<Item>, LogError> = store.write(|batch| {
        for (key, state, due) in [("a", "ready", 7), ("b", "ready", 3), ("c", "leased", 1), ("d", "ready", 4)]
        {
            batch.put(&work(key, state, due))?;
        }
        batch.due("work", "ready", at(6), 10)
    });
    let keys: Vec<String> = found.unwrap().into_iter().map(|item| item.key).collect();
    assert_eq!(keys, ["b", "d"]);
    assert_eq!(store.next_due("work", "ready").unwrap(), Some(at(3)));
    assert_eq!(store.next_due("work", "done").unwrap(), None);
    assert_eq!(store.count("work").unwrap().into_values().sum::<u64>(), 4);
    let after: Vec<String> =
        store.items("work", Some("ready"), "a", 10).unwrap().into_iter().map(|item| item.key).collect();
    assert_eq!(after, ["b", "d"]);
}

#[test]
fn a_purge_empties_what_holds_text_of_the_record_or_names_it() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    let (one, other) = (RecordId::new("desk:1").unwrap(), RecordId::new("desk:2").unwrap());
    let draft = |key: &str, record: &RecordId, body: &str| Item {
        collection: "proposal".to_owned(),
        key: key.to_owned(),
        state: "open".to_owned(),
        due: None,
        record: Some(record.clone()),
        body: body.as_bytes().to_vec(),
    };
    let written: Result<(), LogError> = store.write(|batch| {
        batch.append("ticket/desk:1", "event", Some(&one), br#"{"title":"secret"}"#, at(1))?;
        batch.append("audit", "agent", None, br#"{"ticket":"desk:1"}"#, at(1))?;
        batch.put(&draft("a", &one, "text of it"))?;
        batch.put(&draft("b", &other, r#"{"cites":["desk:1"],"text":"quoted"}"#))?;
        batch.put(&draft("c", &other, r#"{"cites":["desk:10"],"text":"mine"}"#))
    });
    written.unwrap();
    crate::log::RecordLog::new(Arc::clone(&store.database)).purge(&one, at(2)).unwrap();
    assert!(store.journal("ticket/desk:1", 0, 1).unwrap()[0].body.is_empty());
    assert!(!store.journal("audit", 0, 1).unwrap()[0].body.is_empty(), "it holds no text, and is hashed");
    let bodies: Vec<bool> =
        store.items("proposal", None, "", 10).unwrap().into_iter().map(|item| item.body.is_empty()).collect();
    assert_eq!(bodies, [true, true, false]);
}
