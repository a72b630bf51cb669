//! Is every answer that readers get, while others write, what stood at one position of the log?
//!
//! Writers put, change and delete records at random, a thread seals, and readers ask in every way. Each reader folds the log
//! into a plain map of its own and holds each answer against what that map has at the position that the answer names, or, of
//! answers that name none, at one of the positions that readers were shown meanwhile. `TRIAGRAPH_ROUNDS` says how often each
//! writer writes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use ontology::{Section, SectionKind};

use super::*;
use crate::bundle::{BundleItem, BundleRequest, Subject};
use crate::desk::DeskError;
use crate::log::Operation;
use crate::query::{Filters, Hit, Leg, Query};
use crate::related::Reason;
use crate::trial::Trial;
use crate::vectors::sample::Random;

/// How often each writer writes, unless `TRIAGRAPH_ROUNDS` says more.
const ROUNDS: usize = 45;
const WRITERS: u64 = 2;
const READERS: u64 = 3;
const TICKETS: usize = 14;
/// Names of things, none a part of another.
const GATES: [&str; 3] = ["northgate", "southgate", "eastgate"];
/// Stands in the text of every record.
const EVERYWHERE: &str = "outage";

/// A word that no other write has. Of consonants only, so that no ending is taken off.
fn stamp(mut number: u64) -> String {
    let mut word = "qz".to_owned();
    for _ in 0..5 {
        word.push(char::from(b"bcdfghjkmp"[(number % 10) as usize]));
        number /= 10;
    }
    word
}

fn number(of: usize) -> String {
    format!("INC70000{of:02}")
}

/// Some state of some record; `stamped` stands in it and nowhere else.
fn some_record(random: &mut Random, stamped: &str) -> Record {
    let mut record = if random.below(8) == 0 {
        let name = GATES[random.below(GATES.len())];
        Record { title: format!("{name} {stamped}"), ..item(name) }
    } else {
        let own = random.below(TICKETS);
        let other = (own + 1 + random.below(TICKETS - 1)) % TICKETS;
        let (gate, other) = (GATES[random.below(GATES.len())], number(other));
        let mut ticket = ticket(&number(own), &format!("trouble {stamped}"));
        ticket.names = vec![number(own)];
        ticket.links =
            vec![Link::by_name(Relation::Affects, gate), Link::by_name(Relation::DuplicateOf, &other)];
        ticket.sections.push(Section::new(SectionKind::Description, format!("behind {gate}, see {other}")));
        ticket
    };
    record.sections.push(Section::new(SectionKind::Symptom, format!("{EVERYWHERE} again")));
    for_audience(record, if random.below(3) == 0 { "board" } else { "staff" })
}

/// What a record says of another: the words of its text.
fn says(record: &Record, word: &str) -> bool {
    record.sections.iter().any(|section| section.text.split([' ', ',']).any(|other| other == word))
}

/// The records that a scope sees at one position of the log, each with the position of its revision.
type Shown<'m> = BTreeMap<&'m RecordId, (u64, &'m Record)>;

/// The log, folded into what each record was from which position on.
#[derive(Default)]
struct Model {
    head: u64,
    history: BTreeMap<RecordId, Vec<(u64, Option<Record>)>>,
}

impl Model {
    fn read_to(&mut self, desk: &Desk, position: u64) {
        while self.head < position {
            for entry in desk.log.read_after(self.head, 100, 1 << 20).unwrap() {
                let state = match entry.operation {
                    Operation::Upsert(observation) => Some(observation.record),
                    _ => None,
                };
                self.head = entry.position;
                self.history.entry(entry.record).or_default().push((entry.position, state));
            }
        }
    }

    fn at(&self, generation: u64, scope: &Scope) -> Shown<'_> {
        assert!(generation <= self.head);
        let states = self.history.iter().filter_map(|(id, states)| {
            let (position, state) = states.iter().rev().find(|(position, _)| *position <= generation)?;
            Some((id, (*position, state.as_ref()?)))
        });
        states.filter(|(_, (_, record))| scope.allows(&record.audience)).collect()
    }
}

/// One reader: it asks, and holds the answers against its model.
struct Reader<'d> {
    desk: &'d Desk,
    scope: Scope,
    model: Model,
    random: Random,
    /// Answers by what was asked.
    asked: BTreeMap<&'static str, u64>,
    generations: BTreeSet<u64>,
}

impl<'d> Reader<'d> {
    fn new(desk: &'d Desk, number: u64) -> Self {
        let scope = if number.is_multiple_of(2) { operator() } else { of("staff") };
        let random = Random::new(100 + number);
        let (model, asked, generations) = Default::default();
        Self { desk, scope, model, random, asked, generations }
    }

    fn ask(&mut self) {
        let kind = self.random.below(10);
        let name = match kind {
            0 => self.everything(&[Leg::Lexical], "lexical"),
            1 => self.everything(&[Leg::Dense], "dense"),
            2 => self.everything(&Leg::ALL, "hybrid"),
            3 => self.one_stamp(),
            4 => self.one_identifier(),
            5 => self.filtered(),
            6 => self.one_record(),
            7 => self.related(),
            8 => self.bundle(),
            _ => self.sparql(),
        };
        *self.asked.entry(name).or_default() += 1;
    }

    /// Searches, and checks that the answer is of a position between those shown before and after, and that each hit is as the
    /// model has it there. Returns the records found, and those that the model shows.
    fn search(&mut self, query: &Query) -> (Vec<Hit>, Shown<'_>) {
        let query = Query { limit: 1000, ..query.clone() };
        let before = self.desk.generation();
        let found = self.desk.search(&self.scope, &query).unwrap();
        let after = self.desk.generation();
        assert!((before..=after).contains(&found.generation), "{before}, {}, {after}", found.generation);
        assert_eq!(found.degraded, []);
        self.model.read_to(self.desk, after);
        self.generations.insert(found.generation);
        let shown = self.model.at(found.generation, &self.scope);
        for hit in &found.hits {
            let expected = shown.get(&hit.record).map(|(position, record)| (*position, &record.title));
            assert_eq!(Some((hit.position, &hit.title)), expected, "{} at {}", hit.record, found.generation);
        }
        (found.hits, shown)
    }

    /// Searches for what the records that `expected` picks have, and nothing else has.
    fn exactly(&mut self, query: &Query, expected: impl Fn(&RecordId, &Record) -> bool) -> Vec<Hit> {
        let (hits, shown) = self.search(query);
        let found: BTreeSet<&RecordId> = hits.iter().map(|hit| &hit.record).collect();
        let expected = shown.iter().filter(|(id, (_, record))| expected(id, record)).map(|(id, _)| *id);
        assert_eq!(found, expected.collect(), "{query:?}");
        assert_eq!(found.len(), hits.len(), "a record twice");
        hits
    }

    fn everything(&mut self, legs: &[Leg], name: &'static str) -> &'static str {
        let query = Query { legs: legs.to_vec(), ..Query::new(EVERYWHERE, second(0)) };
        for hit in self.exactly(&query, |_, _| true) {
            let found: Vec<Leg> = hit.legs.iter().filter(|leg| leg.raw > 0.0).map(|leg| leg.leg).collect();
            for leg in [Leg::Lexical, Leg::Dense] {
                assert_eq!(found.contains(&leg), legs.contains(&leg), "{leg:?} of {hit:?}");
            }
        }
        name
    }

    /// A revision of the past or the present, or none so far.
    fn some_revision(&mut self) -> Option<Record> {
        let states: Vec<&Record> =
            self.model.history.values().flatten().filter_map(|(_, state)| state.as_ref()).collect();
        (!states.is_empty()).then(|| states[self.random.below(states.len())].clone())
    }

    fn one_stamp(&mut self) -> &'static str {
        if let Some(revision) = self.some_revision() {
            let stamp = revision.title.split(' ').next_back().unwrap();
            let query = Query { legs: vec![Leg::Lexical], ..Query::new(stamp, second(0)) };
            self.exactly(&query, |_, record| record.title == revision.title);
        }
        "stamp"
    }

    fn one_identifier(&mut self) -> &'static str {
        let number = number(self.random.below(TICKETS));
        let query = Query { legs: vec![Leg::Identifier], ..Query::new(&number, second(0)) };
        self.exactly(&query, |id, record| id.external() == number || says(record, &number));
        "identifier"
    }

    fn filtered(&mut self) -> &'static str {
        let gate = GATES[self.random.below(GATES.len())];
        let filters = Filters { configuration_item: Some(gate.to_owned()), ..Filters::default() };
        let query = Query { filters, legs: vec![Leg::Lexical], ..Query::new(EVERYWHERE, second(0)) };
        self.exactly(&query, |id, record| id.external() == gate || says(record, gate));
        let filters = Filters { kinds: vec![Kind::Incident], ..Filters::default() };
        self.exactly(&Query { filters, ..query }, |_, record| record.kind == Kind::Incident);
        "filtered"
    }

    /// Asks for what names no position: some position shown meanwhile must give the answer.
    fn at_some<T: std::fmt::Debug>(
        &mut self,
        ask: impl Fn(&Desk, &Scope) -> T,
        fits: impl Fn(&T, &Shown<'_>) -> bool,
    ) {
        let before = self.desk.generation();
        let answer = ask(self.desk, &self.scope);
        let after = self.desk.generation();
        self.model.read_to(self.desk, after);
        let is_right =
            (before..=after).any(|generation| fits(&answer, &self.model.at(generation, &self.scope)));
        assert!(is_right, "neither at {before} nor up to {after}: {answer:?}");
    }

    fn some_ticket(&mut self) -> RecordId {
        id(&format!("desk:{}", number(self.random.below(TICKETS))))
    }

    fn one_record(&mut self) -> &'static str {
        let id = self.some_ticket();
        self.at_some(
            |desk, scope| desk.record(scope, &id, None).unwrap().map(|observation| observation.record),
            |answer, shown| answer.as_ref() == shown.get(&id).map(|(_, record)| *record),
        );
        self.at_some(
            |desk, scope| desk.find(scope, id.external()).unwrap(),
            |answer, shown| answer.contains(&id) == shown.contains_key(&id) && answer.len() < 2,
        );
        "record"
    }

    fn related(&mut self) -> &'static str {
        let id = self.some_ticket();
        self.at_some(
            |desk, scope| match desk.related(scope, &Subject::Record(id.clone()), 100, second(0)) {
                Ok(related) => Some(related.tickets),
                Err(DeskError::NoSuchRecord { .. }) => None,
                Err(error) => panic!("{error}"),
            },
            |answer, shown| {
                let (Some(tickets), Some((_, asked))) = (answer, shown.get(&id)) else {
                    return answer.is_none() && !shown.contains_key(&id);
                };
                let is_current = |hit: &Hit| shown.get(&hit.record).map(|(at, _)| *at) == Some(hit.position);
                let is_linked = |reason: &Reason| matches!(reason, Reason::Linked { .. });
                let linked = tickets.iter().filter(|ticket| ticket.reasons.iter().any(is_linked));
                let linked: BTreeSet<&RecordId> = linked.map(|ticket| &ticket.hit.record).collect();
                let expected = shown.iter().filter(|(other, (_, record))| {
                    says(asked, other.external()) && record.kind.is_ticket() || says(record, id.external())
                });
                tickets.iter().all(|ticket| is_current(&ticket.hit))
                    && linked == expected.map(|(id, _)| *id).collect()
            },
        );
        "related"
    }

    fn bundle(&mut self) -> &'static str {
        let id = self.some_ticket();
        let about = if self.random.below(2) == 0 {
            Subject::Record(id.clone())
        } else {
            Subject::Text(EVERYWHERE.into())
        };
        let request = BundleRequest { limit: 100, budget_tokens: 100_000, ..BundleRequest::new(about) };
        let is_of_record = request.about.record().is_some();
        self.at_some(
            |desk, scope| match desk.bundle(scope, &request, second(0)) {
                Ok(bundle) => Some(bundle),
                Err(DeskError::NoSuchRecord { .. }) => None,
                Err(error) => panic!("{error}"),
            },
            |answer, shown| {
                let asked = shown.get(&id).filter(|_| is_of_record).map(|(_, record)| record);
                let Some(bundle) = answer else { return is_of_record && asked.is_none() };
                if is_of_record && !asked.is_some_and(|asked| bundle.question.starts_with(&asked.title)) {
                    return false;
                }
                // What says the same as another is left out, by its title.
                let items = bundle.items.iter().map(|item| (&item.record, &item.title));
                let left_out = bundle.left_out.iter().map(|left_out| (&left_out.record, &left_out.title));
                let found: BTreeSet<_> = items.chain(left_out).collect();
                let others = shown.iter().filter(|(other, _)| !is_of_record || **other != &id);
                let expected: BTreeSet<_> = others.map(|(id, (_, record))| (*id, &record.title)).collect();
                let is_current = |item: &BundleItem| shown[&item.record].0 == item.position;
                let mut told = bundle.facts.iter().flat_map(|fact| [&fact.subject, &fact.object]);
                told.all(|id| shown.contains_key(id))
                    && found.is_subset(&expected)
                    && bundle.items.iter().all(is_current)
                    && (is_of_record || found == expected)
            },
        );
        "bundle"
    }

    fn sparql(&mut self) -> &'static str {
        let rows = |desk: &Desk, scope: &Scope, query: &str| {
            let rows = sparql(desk, scope, query).replace("urn:triagraph:record:", "");
            rows.lines().skip(1).map(str::to_owned).collect::<BTreeSet<String>>()
        };
        self.at_some(
            |desk, scope| rows(desk, scope, "SELECT ?s ?t { GRAPH ?s { ?s dcterms:title ?t } }"),
            |answer, shown| {
                *answer == shown.iter().map(|(id, (_, record))| format!("{id},{}", record.title)).collect()
            },
        );
        for relation in ["affects", "mentions"] {
            let query = format!(
                "SELECT ?s ?o {{ GRAPH ?g {{ ?s tg:{relation} ?o }} FILTER(CONTAINS(STR(?o), \"gate\")) }}"
            );
            self.at_some(
                |desk, scope| rows(desk, scope, &query),
                |answer, shown| {
                    let gates = GATES.map(|gate| (gate, id(&format!("cmdb:{gate}"))));
                    let rows = shown.iter().flat_map(|(id, (_, record))| {
                        let told = gates
                            .iter()
                            .filter(|(gate, item)| shown.contains_key(item) && says(record, gate));
                        told.map(move |(_, item)| format!("{id},{item}"))
                    });
                    *answer == rows.collect()
                },
            );
        }
        "sparql"
    }
}

/// Writes at random; returns the stamps of what it put.
fn write(desk: &Desk, seed: u64, rounds: usize, stamps: &AtomicU64) -> Vec<String> {
    let mut random = Random::new(seed);
    let mut written = Vec::new();
    for round in 0..rounds {
        if random.below(4) == 0 {
            let gone = if random.below(4) == 0 {
                id(&format!("cmdb:{}", GATES[random.below(GATES.len())]))
            } else {
                id(&format!("desk:{}", number(random.below(TICKETS))))
            };
            desk.delete(&gone, second(round as i64)).unwrap();
            continue;
        }
        let mut batch: BTreeMap<RecordId, (Record, String)> = BTreeMap::new();
        for _ in 0..=random.below(4) {
            let stamped = stamp(stamps.fetch_add(1, Ordering::Relaxed));
            let record = some_record(&mut random, &stamped);
            batch.insert(record.id.clone(), (record, stamped));
        }
        let records: Vec<&Record> = batch.values().map(|(record, _)| record).collect();
        apply(desk, &records, round as i64);
        written.extend(batch.into_values().map(|(_, stamped)| stamped));
    }
    written
}

/// What a desk answers, and what its graph says. In which order a sum is made is no part of an answer.
fn answers(desk: &Desk) -> (Vec<Vec<String>>, BTreeSet<String>) {
    let texts = [EVERYWHERE, "trouble behind northgate", "INC7000003 again", "southgate INC7000009 see"];
    let legs = || Leg::ALL.map(|leg| vec![leg]).into_iter().chain([Leg::ALL.to_vec()]);
    let asked = texts.iter().flat_map(|text| legs().map(move |legs| (*text, legs)));
    let searched = asked.map(|(text, legs)| {
        let query = Query { legs, limit: 1000, ..Query::new(text, second(0)) };
        let found = desk.search(&operator(), &query).unwrap();
        assert_eq!(found.degraded, []);
        let hits = found.hits.into_iter();
        hits.map(|hit| format!("{} at {}: {:.9}", hit.record, hit.position, hit.score)).collect()
    });
    let named = "FILTER(!ISBLANK(?s) && !ISBLANK(?o))";
    let graph =
        sparql(desk, &operator(), &format!("SELECT ?g ?s ?p ?o {{ GRAPH ?g {{ ?s ?p ?o }} {named} }}"));
    (searched.collect(), graph.lines().map(str::to_owned).collect())
}

fn rounds() -> usize {
    std::env::var("TRIAGRAPH_ROUNDS").map_or(ROUNDS, |rounds| rounds.parse().unwrap())
}

#[test]
fn each_answer_is_of_one_position_while_others_write_and_seal() {
    let trial = Trial::with_embedder();
    let (is_done, stamps) = (AtomicBool::new(false), AtomicU64::new(0));
    let (desk, is_done, stamps) = (&trial.desk, &is_done, &stamps);
    let mut sealed = 0;
    let mut written = Vec::new();
    std::thread::scope(|threads| {
        let readers: Vec<_> = (0..READERS)
            .map(|number| {
                threads.spawn(move || {
                    let mut reader = Reader::new(desk, number);
                    // On a busy machine a reader may have had few turns by the end of the writers.
                    while !is_done.load(Ordering::Relaxed) || reader.asked.len() < 10 {
                        reader.ask();
                    }
                    (reader.asked, reader.generations)
                })
            })
            .collect();
        let sealer = threads.spawn(move || {
            let mut sealed = 0;
            while !is_done.load(Ordering::Relaxed) {
                sealed += u64::from(desk.seal().unwrap());
                std::thread::yield_now();
            }
            sealed
        });
        let writers: Vec<_> =
            (0..WRITERS).map(|seed| threads.spawn(move || write(desk, seed, rounds(), stamps))).collect();
        let ended: Vec<_> = writers.into_iter().map(std::thread::ScopedJoinHandle::join).collect();
        is_done.store(true, Ordering::Relaxed);
        written = ended.into_iter().flat_map(Result::unwrap).collect();
        sealed = sealer.join().unwrap();
        for reader in readers {
            let (asked, generations) = reader.join().unwrap();
            eprintln!("{asked:?} at {} positions", generations.len());
            assert!(asked.len() == 10 && generations.len() > 10, "{asked:?} at {generations:?}");
        }
    });
    assert!(sealed > 0, "nothing was sealed");

    let mut model = Model::default();
    model.read_to(desk, desk.generation());
    let states = model.history.values().flatten().filter_map(|(_, state)| state.as_ref());
    let mut logged: Vec<String> =
        states.map(|record| record.title.split(' ').next_back().unwrap().to_owned()).collect();
    logged.sort();
    written.sort();
    assert_eq!(logged, written, "each write is in the log once");
    eprintln!("{} positions, {sealed} times sealed", model.head);

    assert_sound(desk, "at the end");
    let before = answers(desk);
    desk.merge_text();
    assert_eq!(answers(desk), before, "after the text index was merged");
    let trial = trial.reopened();
    assert_eq!(answers(&trial.desk), before, "after it was opened again");
    let trial = trial.rebuilt();
    assert_sound(&trial.desk, "rebuilt");
    assert_eq!(answers(&trial.desk), before, "rebuilt from the log");
    trial.desk.merge_text();
    while trial.desk.seal().unwrap() {}
    assert_eq!(answers(&trial.desk), before, "rebuilt, merged and sealed");
}

#[test]
fn what_a_bundle_is_about_is_of_the_position_of_its_hits() {
    let trial = Trial::new();
    apply(&trial.desk, &[&ticket("INC1", "as it was")], 1);
    let snapshot = trial.desk.snapshot();
    let about = Subject::Record(id("desk:INC1"));
    let asked = || trial.desk.asked(&snapshot, &operator(), &about, None).unwrap().question;
    apply(&trial.desk, &[&ticket("INC1", "as it became")], 2);
    assert_eq!(asked(), "as it was");
    assert!(trial.desk.delete(&id("desk:INC1"), second(3)).unwrap());
    assert_eq!(asked(), "as it was");
}
