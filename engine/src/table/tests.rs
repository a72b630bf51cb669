//! Does a table say the same when it comes out of its file, also after further writes?

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use jiff::Timestamp;
use ontology::{Audience, Kind, Record, Relation, Scope, TenantId};

use super::stored::{ARRAYS, Header, Stored};
use super::{Beside, KeyId, KeyedLink, Mention, Revision, Table, name_it};
use crate::derive::{PassageSpan, Scheme};
use crate::trial::{Trial, id, observation, operator, record};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn records(round: usize) -> Vec<Record> {
    let one = |n: usize| {
        let kind = [Kind::Incident, Kind::ConfigurationItem, Kind::Article, Kind::Relationship][n % 4];
        let mut one = record(&format!("s:N-{n}"), kind, &format!("mail-{n} is down, round {round}"), &[]);
        one.names.push(format!("mail-{n}"));
        one.links = record("s:x", kind, "", &[(Relation::Affects, &format!("mail-{}", n * 7 % 40))]).links;
        one.category = vec!["Mail".into(), format!("part {}", n % 3)];
        one.created = Some("2026-03-01T07:08:09.123456789Z".parse().unwrap());
        let audience = if n.is_multiple_of(5) { "board" } else { "staff" };
        one.audience = vec![Audience::new(audience).unwrap()];
        one
    };
    (0..40).filter(|n| round == 0 || n % 3 == round % 3).map(one).collect()
}

/// A desk where things changed and went.
fn desk(rounds: std::ops::Range<usize>, trial: Trial) -> Trial {
    for round in rounds {
        let seen = records(round).into_iter().map(|record| {
            let mut seen = observation(record);
            seen.lineage.observed = at(round as i64 * 10);
            seen
        });
        trial.desk.apply(seen.collect()).unwrap();
        trial.desk.delete(&id(&format!("s:N-{}", 3 * round + 2)), at(round as i64 * 10 + 5)).unwrap();
    }
    trial
}

/// All that a table says, keys by their text.
fn said(table: &Table) -> impl PartialEq + std::fmt::Debug + use<> {
    let text = |key: &KeyId| table.key_text(*key).to_owned();
    let revisions: Vec<_> = (0..=table.position() + 1)
        .map(|position| {
            table.revision(position).map(|revision| {
                let keys = revision.links.iter().flat_map(|link| link.keys.iter());
                let keys = keys.chain(&revision.subject).chain(&revision.filed);
                let mentions = revision.mentions.iter().map(|mention| (text(&mention.key), mention.scheme));
                let mut mentions: Vec<_> = mentions.collect();
                mentions.sort();
                let mut names: Vec<String> = revision.names.iter().map(text).collect();
                names.sort();
                let (names, keys) = (names, keys.map(text).collect::<Vec<_>>());
                let whole = Revision {
                    names: [].into(),
                    links: [].into(),
                    subject: [].into(),
                    mentions: [].into(),
                    filed: None,
                    ..(**revision).clone()
                };
                (whole, names, keys, mentions)
            })
        })
        .collect();
    let used = (0..table.keys.len() as u32).map(KeyId);
    let used = used.filter(|key| !table.owners(*key).is_empty() || !table.referrers(*key).is_empty());
    let keys: BTreeMap<String, _> = used
        .map(|key| {
            assert_eq!(table.key(table.key_text(key)), Some(key));
            (text(&key), (table.owners(key).to_vec(), table.referrers(key).to_vec()))
        })
        .collect();
    let staff = Scope::of(TenantId::new("main").unwrap(), [Audience::new("staff").unwrap()]);
    let moments = [None, Some(at(0)), Some(at(10)), Some(at(100))];
    let visible = [operator(), staff]
        .map(|scope| moments.map(|moment| table.visible(&scope, moment).iter().collect::<Vec<u64>>()));
    let kinds = Kind::ALL.map(|kind| table.of_kinds(&[kind]).iter().collect::<Vec<u64>>());
    let current: Vec<_> = table.current_revisions().map(|revision| revision.position).collect();
    (revisions, keys, visible, kinds, current, table.key("no such key"))
}

fn kept(table: &Table, path: &Path) -> Table {
    let temporary = path.with_extension("new");
    let beside = Beside { dictionary: vec![3, 1], newest: Some(at(7)) };
    table.write(&temporary, beside.clone()).unwrap();
    name_it(&temporary, path).unwrap();
    let (opened, found) = Table::open(path).unwrap().unwrap();
    assert_eq!(found, beside);
    opened
}

#[test]
fn a_table_out_of_its_file_says_the_same() {
    let trial = desk(0..3, Trial::new());
    let path = trial.folder.path().join("kept");
    let table = trial.desk.snapshot().table.clone();
    let first = kept(&table, &path);
    assert_eq!(said(&first), said(&table));
    // Of what nobody asked for, and of what somebody did.
    assert_eq!(said(&kept(&kept(&table, &path), &path)), said(&table));
    assert_eq!(said(&kept(&first, &path)), said(&table));
}

#[test]
fn a_desk_that_begins_with_a_kept_table_goes_on_like_one_that_read_its_log() {
    let all = desk(0..6, Trial::with_embedder());
    let trial = desk(0..3, Trial::with_embedder()).reopened();
    let position = trial.desk.generation();
    let path = trial.desk.folder.table();
    assert_eq!(Table::open(&path).unwrap().unwrap().0.position(), position);
    let trial = desk(3..6, trial.reopened());
    assert_eq!(said(&trial.desk.snapshot().table), said(&all.desk.snapshot().table));
    // Once more with a tail that the kept table does not have.
    fs::copy(&path, trial.folder.path().join("before")).unwrap();
    trial.desk.seal().unwrap();
    assert!(Table::open(&path).unwrap().unwrap().0.position() > position);
    fs::copy(trial.folder.path().join("before"), &path).unwrap();
    let trial = trial.reopened();
    assert_eq!(said(&trial.desk.snapshot().table), said(&all.desk.snapshot().table));
    assert_eq!(trial.desk.verify().unwrap().problems, []);
}

#[test]
fn a_desk_that_is_closed_keeps_its_table() {
    let Trial { desk, folder } = desk(0..2, Trial::new());
    let (path, position) = (desk.folder.table(), desk.generation());
    drop(desk);
    assert_eq!(Table::open(&path).unwrap().unwrap().0.position(), position);
    drop(folder);
}

#[test]
fn an_opening_with_a_kept_table_does_not_read_the_log_before_it() {
    let trial = desk(0..2, Trial::new()).reopened();
    let before = said(&trial.desk.snapshot().table);
    let Trial { desk, folder } = trial;
    let (database, table) = (desk.folder.database(), desk.folder.table());
    let scope = operator();
    drop(desk);
    // An entry that nobody can read.
    let log = rusqlite::Connection::open(database).unwrap();
    assert_eq!(log.execute("UPDATE log SET payload = x'00' WHERE position = 2", []).unwrap(), 1);
    drop(log);
    let desk = crate::Desk::open(folder.path(), &scope.tenant, None).unwrap();
    assert_eq!(said(&desk.snapshot().table), before);
    drop(desk);
    fs::remove_file(table).unwrap();
    assert!(crate::Desk::open(folder.path(), &scope.tenant, None).is_err());
}

#[test]
fn a_glance_sees_what_is_current_and_keeps_nothing() {
    let trial = desk(0..3, Trial::new());
    let table = kept(&trial.desk.snapshot().table, &trial.folder.path().join("kept"));
    let mut shown = table.visible(&operator(), None);
    let glanced: Vec<Revision> = table.glance(&shown).map(|revision| (*revision).clone()).collect();
    assert!(table.slots.iter().all(|slot| slot.revision.get().is_none()));
    let looked: Vec<Revision> =
        shown.iter().map(|position| (**table.revision(position).unwrap()).clone()).collect();
    assert_eq!(glanced, looked);
    shown.remove(glanced[0].position);
    assert_eq!(table.glance(&shown).count(), glanced.len() - 1);
}

#[test]
fn a_name_that_came_after_the_kept_table_is_found_in_earlier_texts() {
    let text =
        |n: usize| record(&format!("s:T-{n}"), Kind::Incident, "the plotter of the drawing office", &[]);
    let trial = Trial::new();
    trial.apply((0..200).map(text));
    trial.desk.seal().unwrap();
    let kept = fs::read(trial.desk.folder.table()).unwrap();
    let item = record("s:CI-1", Kind::ConfigurationItem, "plotter", &[]);
    trial.apply([Record { names: vec!["plotter".into()], ..item }]);
    fs::write(trial.desk.folder.table(), kept).unwrap();
    let trial = trial.reopened();
    let table = &trial.desk.snapshot().table;
    assert_eq!(table.referrers(table.key("plotter").unwrap()).len(), 200);
}

#[test]
fn damage_is_noticed_and_the_log_read_instead() {
    let trial = desk(0..3, Trial::new());
    trial.desk.seal().unwrap();
    let path = trial.desk.folder.table();
    let before = said(&trial.desk.snapshot().table);
    let whole = fs::read(&path).unwrap();
    let header: Header = bytemuck::pod_read_unaligned(&whole[..size_of::<Header>()]);
    let mut places = vec![0, size_of::<Header>() - 8];
    places.extend(header.arrays.iter().map(|place| (place.start + place.end) as usize / 2));
    for place in places {
        let mut bytes = whole.clone();
        bytes[place] ^= 16;
        fs::write(&path, bytes).unwrap();
        let error = Stored::open(&path).unwrap_err().to_string();
        assert!(error.contains("table is damaged"), "{error}");
    }
    for length in [0, 7, size_of::<Header>(), whole.len() - 1] {
        fs::write(&path, &whole[..length]).unwrap();
        assert!(Stored::open(&path).is_err(), "{length}");
    }
    let trial = trial.reopened();
    assert_eq!(said(&trial.desk.snapshot().table), before);
    assert_eq!(Table::open(&path).unwrap().unwrap().0.position(), trial.desk.generation());
    let mut bytes = whole;
    bytes[8] += 1;
    fs::write(&path, bytes).unwrap();
    assert!(Stored::open(&path).unwrap().is_none());
    assert_eq!(header.arrays.len(), ARRAYS);
}

#[test]
fn a_purged_word_is_not_kept() {
    let trial = desk(0..2, Trial::new());
    trial.apply([record("s:P-1", Kind::Incident, "zanzibar", &[])]);
    trial.desk.seal().unwrap();
    let holds = |path: &Path| fs::read(path).unwrap().windows(8).any(|bytes| bytes == b"zanzibar");
    assert!(holds(&trial.desk.folder.table()));
    trial.desk.purge(&id("s:P-1"), at(50)).unwrap();
    assert!(!holds(&trial.desk.folder.table()));
    assert!(!trial.desk.folder.table().with_extension("new").exists());
}

/// Bytes that are read otherwise than they were written would be believed: whoever changes them changes `FORMAT` as well.
#[test]
fn the_form_of_a_revision_in_the_file_is_that_of_its_format() {
    let key = KeyId(300);
    let revision = Revision {
        position: 7,
        id: id("s:X-1"),
        kind: Kind::Dataset,
        title: "t".into(),
        state: Some(ontology::State::Cancelled),
        impact: Some(1),
        urgency: None,
        filed: Some(key),
        created: Some(at(1)),
        modified: None,
        resolved: Some(at(-1)),
        valid_until: None,
        observed: at(2),
        audience: [Audience::new("staff").unwrap()].into(),
        revision: "r".into(),
        names: [key].into(),
        links: [KeyedLink { relation: Relation::Contradicts, keys: [key].into(), label: "l".into() }].into(),
        subject: [].into(),
        mentions: [Mention { key, scheme: Scheme::Name }].into(),
        passages: [PassageSpan { section: 1, span: ontology::Span { start: 2, end: 3 } }].into(),
        passage_hashes: [[9; 32]].into(),
        digest: 5,
    };
    let bytes = postcard::to_allocvec(&revision).unwrap();
    let named = |names: String, bytes: Vec<u8>| crc32fast::hash(&[names.into_bytes(), bytes].concat());
    let variants = (Kind::ALL, ontology::State::ALL, Relation::ALL);
    let variants = named(format!("{variants:?}"), postcard::to_allocvec(&variants).unwrap());
    let derived = format!("{:?}", said(&desk(0..3, Trial::new()).desk.snapshot().table));
    assert_eq!((variants, crc32fast::hash(derived.as_bytes())), (1_609_243_365, 2_421_676_387));
    assert_eq!(postcard::from_bytes::<Revision>(&bytes).unwrap(), revision);
    assert_eq!((super::stored::FORMAT, bytes.len(), crc32fast::hash(&bytes)), (1, 99, 1_582_946_351));
}
