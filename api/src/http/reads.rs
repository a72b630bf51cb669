//! Who read what? Gathered while answers go out, and told to the audit log once a second or every 256 entries, so that reading stays fast.
//!
//! Ids, hashes and counts are told, never text. The same read again within that second is counted and not told anew. A process that dies
//! loses what it gathered since the last time: a second of reads, or 256 of them. Where the log cannot be written, as on a full disk,
//! 4,096 entries wait for it; what comes beyond is counted, and the last of them says how many are missing behind it.

use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use engine::Store;
use jiff::Timestamp;
use ontology::RecordId;
use sha2::{Digest, Sha256};
use triage::audit::{Action, Actor, AuditError, Detail, Entry, Label, note};
use triage::policy::PersonId;

/// How long entries are gathered.
const GATHERED: Duration = Duration::from_secs(1);
/// Entries that are written at once, without waiting for the second to end.
const TOGETHER: usize = 256;
/// Entries that wait at most.
const WAITING: usize = 4096;
/// Records that one entry names at most; beyond that there are further entries.
const NAMED: usize = 100;

/// What one call has shown so far; its handler adds to it.
#[derive(Clone, Default)]
pub(crate) struct Shown(Arc<Mutex<Seen>>);

#[derive(Default)]
struct Seen {
    records: Vec<RecordId>,
    details: BTreeMap<Label, Detail>,
}

impl Shown {
    /// These records, or what is made of them, go out.
    pub(crate) fn records<'a>(&self, records: impl IntoIterator<Item = &'a RecordId>) {
        self.seen().records.extend(records.into_iter().cloned());
    }

    /// Something else goes out, by its id or hash; several of one name stand in a list.
    pub(crate) fn detail(&self, name: &str, id: &str) {
        let (name, id) = (Label::of(name), Label::of(id));
        let mut seen = self.seen();
        let detail = match seen.details.remove(&name) {
            Some(Detail::Labels(mut ids)) => {
                ids.push(id);
                Detail::Labels(ids)
            }
            Some(Detail::Label(first)) => Detail::Labels(vec![first, id]),
            _ => Detail::Label(id),
        };
        seen.details.insert(name, detail);
    }

    /// The answer to a query goes out, which is told by its hash.
    pub(crate) fn query(&self, query: &str, rows: u64) {
        let hash = Sha256::digest(query.as_bytes());
        let hash: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        self.detail("query-sha256", &hash);
        self.seen().details.insert(Label::of("rows"), Detail::Number(rows.into()));
    }

    /// The entries of a call that has shown something; `count` is of all of them.
    pub(crate) fn entries(&self, person: &PersonId, call: &str) -> Vec<Entry> {
        let seen = std::mem::take(&mut *self.seen());
        if seen.records.is_empty() && seen.details.is_empty() {
            return Vec::new();
        }
        let mut whole = Entry::new(Action::DataAccess, Actor::Person(Label::of(person.as_str())));
        whole.details = seen.details;
        whole.details.insert(Label::of("call"), Detail::Label(Label::of(call)));
        whole.details.insert(Label::of("count"), Detail::Number(seen.records.len().into()));
        if seen.records.is_empty() {
            return vec![whole];
        }
        let named = |records: &[RecordId]| Entry { records: records.to_vec(), ..whole.clone() };
        seen.records.chunks(NAMED).map(named).collect()
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What was read and is not told yet.
#[derive(Default)]
pub(crate) struct Reads {
    gathered: Mutex<Gathered>,
    changed: Condvar,
    /// Held by who writes, so that whoever waited for it finds all written that was gathered before.
    writing: Mutex<()>,
}

#[derive(Default)]
struct Gathered {
    /// In their order.
    entries: Vec<Gather>,
    /// Where an entry stands among them.
    places: BTreeMap<Vec<u8>, usize>,
    lost: u64,
    is_stopped: bool,
}

struct Gather {
    entry: Entry,
    at: Timestamp,
    times: u64,
}

impl Reads {
    /// Takes an entry.
    pub(crate) fn take(&self, mut entry: Entry, request: Option<&str>, now: Timestamp) {
        let mut gathered = self.gathered();
        let itself = serde_json::to_vec(&entry).unwrap_or_default();
        let place = gathered.places.get(&itself).copied();
        if let Some(same) = place.and_then(|place| gathered.entries.get_mut(place)) {
            same.times += 1;
            return;
        }
        if gathered.entries.len() >= WAITING {
            gathered.lost += 1;
            return;
        }
        entry.correlation = request.map(Label::of);
        let place = gathered.entries.len();
        gathered.places.insert(itself, place);
        gathered.entries.push(Gather { entry, at: now, times: 1 });
        let is_enough = gathered.entries.len() >= TOGETHER;
        drop(gathered);
        if is_enough {
            self.changed.notify_all();
        }
    }

    /// Writes what was gathered; all of it or nothing.
    pub(crate) fn flush(&self, store: &Store) -> Result<(), AuditError> {
        let _turn = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let (entries, lost) = {
            let mut gathered = self.gathered();
            gathered.places.clear();
            (std::mem::take(&mut gathered.entries), std::mem::take(&mut gathered.lost))
        };
        if entries.is_empty() {
            return Ok(());
        }
        let written = store.write(|batch| {
            for (place, Gather { entry, at, times }) in entries.iter().enumerate() {
                let mut entry = entry.clone();
                if *times > 1 {
                    entry.details.insert(Label::of("times"), Detail::Number((*times).into()));
                }
                if place + 1 == entries.len() && lost > 0 {
                    entry.details.insert(Label::of("missing-after"), Detail::Number(lost.into()));
                }
                note(batch, &entry, *at)?;
            }
            Ok::<(), AuditError>(())
        });
        if written.is_err() {
            let mut gathered = self.gathered();
            let since = std::mem::replace(&mut gathered.entries, entries);
            gathered.places.clear();
            let room = WAITING.saturating_sub(gathered.entries.len());
            gathered.lost += lost + since.len().saturating_sub(room) as u64;
            gathered.entries.extend(since.into_iter().take(room));
        }
        written
    }

    /// Starts the thread that writes each second, or when there is enough, until it is told to stop.
    pub(crate) fn start(self: &Arc<Self>, store: Store) -> std::io::Result<()> {
        let reads = Arc::clone(self);
        let work = move || {
            while reads.wait() {
                if let Err(error) = reads.flush(&store) {
                    tracing::error!(
                        code = error.code(),
                        "who read what cannot be told to the audit log: {error}"
                    );
                    std::thread::sleep(GATHERED);
                }
            }
        };
        std::thread::Builder::new().name("reads".to_owned()).spawn(work).map(drop)
    }

    /// Ends the thread; whoever stops the server flushes what is left.
    pub(crate) fn stop(&self) {
        self.gathered().is_stopped = true;
        self.changed.notify_all();
    }

    /// Waits until something is to be written; false at the end.
    fn wait(&self) -> bool {
        let is_early = |gathered: &mut Gathered| !gathered.is_stopped && gathered.entries.len() < TOGETHER;
        let waited = self.changed.wait_timeout_while(self.gathered(), GATHERED, is_early);
        !waited.unwrap_or_else(PoisonError::into_inner).0.is_stopped
    }

    fn gathered(&self) -> MutexGuard<'_, Gathered> {
        self.gathered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use engine::Desk;
    use ontology::TenantId;
    use triage::audit::STREAM;

    use super::*;

    fn now() -> Timestamp {
        "2026-11-01T08:00:00Z".parse().unwrap()
    }

    fn read(name: &str, number: usize) -> Entry {
        let shown = Shown::default();
        shown.records(&[RecordId::new(&format!("sn:{number}")).unwrap()]);
        shown.entries(&PersonId::new(name), "search").remove(0)
    }

    fn store(folder: &tempfile::TempDir) -> Store {
        Desk::open(folder.path(), &TenantId::new("main").unwrap(), None).unwrap().store()
    }

    #[test]
    fn reads_are_told_in_order_and_the_same_one_once() {
        let folder = tempfile::tempdir().unwrap();
        let (store, reads) = (store(&folder), Reads::default());
        for (name, number) in [("mia", 1), ("ben", 1), ("mia", 1), ("mia", 2)] {
            reads.take(read(name, number), None, now());
        }
        reads.flush(&store).unwrap();
        reads.flush(&store).unwrap();
        let told = store.journal(STREAM, 0, 10).unwrap();
        let told: Vec<Entry> = told.iter().map(|entry| Entry::read(entry).unwrap()).collect();
        assert_eq!(told.len(), 3);
        assert_eq!(told[0].details[&Label::of("times")], Detail::Number(2.into()));
        assert_eq!(told[1], read("ben", 1));
        assert_eq!(told[2], read("mia", 2));
    }

    #[test]
    fn what_waits_is_bounded_and_what_is_lost_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let (store, reads) = (store(&folder), Reads::default());
        for number in 0..WAITING + 7 {
            reads.take(read("mia", number), None, now());
        }
        reads.flush(&store).unwrap();
        let told = store.journal(STREAM, 0, 5000).unwrap();
        assert_eq!(told.len(), WAITING);
        let last = Entry::read(&told[WAITING - 1]).unwrap();
        assert_eq!(last.details[&Label::of("missing-after")], Detail::Number(7.into()));
    }

    #[test]
    fn a_call_that_shows_nothing_is_not_told_and_a_long_one_in_several_entries() {
        let shown = Shown::default();
        assert!(shown.entries(&PersonId::new("mia"), "search").is_empty());
        let records: Vec<RecordId> =
            (0..NAMED + 5).map(|number| RecordId::new(&format!("sn:{number}")).unwrap()).collect();
        shown.records(&records);
        let entries = shown.entries(&PersonId::new("mia"), "search");
        let named: Vec<RecordId> = entries.iter().flat_map(|entry| entry.records.clone()).collect();
        assert_eq!((entries.len(), named), (2, records));
        assert!(
            entries
                .iter()
                .all(|entry| entry.details[&Label::of("count")] == Detail::Number((NAMED + 5).into()))
        );
    }
}
