//! Does the log keep what it must, once, and forget what it must?

use ontology::{Kind, Lineage, Record};

use super::*;

fn observation(id: &str, title: &str) -> Observation {
    let lineage = Lineage {
        origin: "test".into(),
        place: None,
        mapping: "generic".into(),
        observed: Timestamp::UNIX_EPOCH,
    };
    Observation::unversioned(Record::new(RecordId::new(id).unwrap(), Kind::Incident, title), lineage)
}

fn open() -> (tempfile::TempDir, RecordLog) {
    let folder = tempfile::tempdir().unwrap();
    let log = RecordLog::new(Arc::new(Database::open(&folder.path().join("desk.db")).unwrap()));
    (folder, log)
}

#[test]
fn the_same_content_is_written_once() {
    let (_folder, log) = open();
    let batch = [observation("s:1", "a"), observation("s:2", "b"), observation("s:1", "a")];
    assert_eq!(log.append(&batch).unwrap(), [Appended::New(1), Appended::New(2), Appended::Unchanged]);
    assert_eq!(log.append(&[observation("s:1", "changed")]).unwrap(), [Appended::Changed(3)]);
    assert_eq!(log.append(&[observation("s:1", "a")]).unwrap(), [Appended::Changed(4)]);
    assert_eq!(log.head().unwrap(), 4);
}

#[test]
fn a_deleted_record_can_come_back_and_a_purged_one_leaves_no_payload() {
    let (_folder, log) = open();
    let id = RecordId::new("s:1").unwrap();
    let now = Timestamp::UNIX_EPOCH;
    log.append(&[observation("s:1", "secret title")]).unwrap();
    assert_eq!(log.delete(&id, now).unwrap(), Some(2));
    assert_eq!(log.delete(&id, now).unwrap(), None);
    assert_eq!(log.append(&[observation("s:1", "secret title")]).unwrap(), [Appended::New(3)]);
    assert!(log.purge(&id, now).unwrap());
    assert_eq!(log.head().unwrap(), 4);
    let operations: Vec<_> =
        log.read_after(0, 10, BATCH_BYTES).unwrap().into_iter().map(|entry| entry.operation).collect();
    assert!(matches!(
        operations[..],
        [Operation::Erased, Operation::Delete, Operation::Erased, Operation::Purge]
    ));
    let bytes = std::fs::read(_folder.path().join("desk.db")).unwrap();
    assert!(!bytes.windows(12).any(|window| window == b"secret title"));
}

#[test]
fn a_batch_ends_where_its_bytes_do_and_is_never_empty() {
    let (_folder, log) = open();
    log.append(&[observation("s:1", &"long ".repeat(100)), observation("s:2", "b"), observation("s:3", "c")])
        .unwrap();
    let read = |position, bytes| log.read_after(position, 10, bytes).unwrap().len();
    assert_eq!((read(0, 1), read(0, 600), read(1, 300), read(3, 1)), (1, 1, 2, 0));
    assert_eq!(read(0, BATCH_BYTES), 3);
}

#[test]
fn a_file_with_an_id_twice_is_no_news_the_second_time() {
    let (_folder, log) = open();
    let row = |row, title: &str, run: i64| {
        let mut row_of = observation("s:1", title);
        row_of.lineage.place = Some(ontology::Place::Row(row));
        row_of.lineage.observed = Timestamp::from_second(run).unwrap();
        row_of
    };
    let outcomes = |batch: &[Observation]| log.append(batch).unwrap();
    let (new, changed) = (Appended::New(1), Appended::Changed(2));
    assert_eq!(outcomes(&[row(1, "open", 1), row(2, "closed", 1)]), [new, changed]);
    let known = [Appended::Superseded(1), Appended::Unchanged];
    assert_eq!(outcomes(&[row(1, "open", 2), row(2, "closed", 2)]), known);
    assert_eq!(log.foresee(&row(1, "open", 2)).unwrap(), Appended::Superseded(1));
    assert_eq!(outcomes(&[row(1, "open", 3), row(2, "held", 3)]), [known[0], Appended::Changed(3)]);
    assert_eq!(outcomes(&[row(1, "open", 4), row(2, "held", 4)]), [known[0], known[1]]);
    assert_eq!(log.append_last(&[row(1, "open", 5)]).unwrap(), [Appended::Changed(4)]);
    // What a later reading changed is history: when it comes back, that is a change.
    assert_eq!(outcomes(&[row(1, "held", 6)]), [Appended::Changed(5)]);
    log.delete(&RecordId::new("s:1").unwrap(), Timestamp::UNIX_EPOCH).unwrap();
    assert_eq!(outcomes(&[row(1, "open", 7)]), [Appended::New(7)]);
}
