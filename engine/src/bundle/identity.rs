//! When are two bundles the same? When they answer the same request and tell their reader the same, whenever they were made.

use ontology::Scope;
use sha2::{Digest, Sha256};

use super::{BUNDLE_SCHEMA, Bundle, BundleItem, BundleRequest};

/// Hash of query, scope, as-of, settings, embedder, degraded legs, the ordered spans with their revisions, and all else that a
/// reader is told; no scores, no times.
pub(super) fn identity(bundle: &Bundle, scope: &Scope, request: &BundleRequest) -> String {
    let spans: Vec<_> = bundle
        .items
        .iter()
        .map(|item| {
            let BundleItem { record, revision, position, section, span, expired, .. } = item;
            (record.as_str(), revision, position, section, span, expired)
        })
        .collect();
    let facts: Vec<_> = bundle
        .facts
        .iter()
        .map(|fact| (fact.subject.as_str(), fact.relation, fact.object.as_str(), &fact.text))
        .collect();
    let legs: Vec<_> = bundle.degraded.iter().map(|degraded| degraded.leg).collect();
    let settings = (&request.filters, bundle.budget_tokens, request.limit);
    let said = serde_json::json!([
        BUNDLE_SCHEMA,
        bundle.question,
        scope,
        bundle.as_of,
        settings,
        bundle.embedder,
        legs,
        spans,
        facts,
        bundle.left_out,
        bundle.warnings
    ]);
    let digest = Sha256::digest(said.to_string().as_bytes());
    digest[..16].iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use ontology::{Kind, Record, Relation, Section, SectionKind};

    use crate::bundle::{BundleRequest, Subject};
    use crate::trial::{Trial, id, operator, record};

    fn page(name: &str, text: &str) -> Record {
        let mut page = record(name, Kind::Article, "How to free space", &[]);
        page.sections.push(Section::new(SectionKind::Steps, text.to_owned()));
        page
    }

    fn second(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn one_id_is_one_bundle_and_what_expires_gets_another() {
        let trial = Trial::new();
        let mut page = page("kb:1", "Free space on the disk of the mail server.");
        page.valid_until = Some(second(100));
        trial.apply([page]);
        let request = BundleRequest::new(Subject::Text("free space on the mail server".into()));
        let ask = |moment| trial.desk.bundle(&operator(), &request, second(moment)).unwrap();
        let stored = |id: &str| {
            let bytes = trial.desk.stored_bundle(&operator(), id).unwrap().unwrap();
            serde_json::from_slice::<crate::Bundle>(&bytes).unwrap()
        };
        let (fresh, again, late) = (ask(10), ask(90), ask(110));
        assert_eq!(fresh, again);
        assert_eq!((fresh.items[0].expired, late.items[0].expired), (false, true));
        assert_ne!(fresh.id, late.id);
        assert_eq!((stored(&fresh.id), stored(&late.id)), (fresh.clone(), late));
        // Another record that changes nothing for the question, but the scores: the bytes of the first stand.
        trial.apply([record("s:2", Kind::Incident, "printer jam", &[])]);
        assert_eq!(ask(20), fresh);
    }

    #[test]
    fn facts_are_part_of_the_identity_word_by_word() {
        let trial = Trial::new();
        let server = |title: &str| record("cmdb:mail-01", Kind::ConfigurationItem, title, &[]);
        trial.apply([
            server("mail-01"),
            record("s:1", Kind::Incident, "no mail", &[(Relation::Affects, "mail-01")]),
        ]);
        let request = BundleRequest::new(Subject::Record(id("s:1")));
        let ask = || trial.desk.bundle(&operator(), &request, second(0)).unwrap();
        let before = ask();
        assert_eq!(before.facts[0].text, "mail-01 is affected");
        trial.apply([server("mail-01 of Berlin")]);
        let after = ask();
        assert_eq!(after.facts[0].text, "mail-01 of Berlin is affected");
        assert_ne!(before.id, after.id);
    }

    #[test]
    fn an_erased_bundle_does_not_stand_for_a_new_one() {
        let trial = Trial::new();
        let ticket = record("s:1", Kind::Incident, "no mail", &[]);
        trial.apply([ticket.clone(), page("kb:1", "No mail? Free space.")]);
        let request = BundleRequest::new(Subject::Record(id("s:1")));
        let before = trial.desk.bundle(&operator(), &request, second(0)).unwrap();
        assert!(trial.desk.purge(&id("s:1"), second(1)).unwrap());
        trial.apply([ticket]);
        let after = trial.desk.bundle(&operator(), &request, second(2)).unwrap();
        assert_eq!((after.question.as_str(), after.id == before.id), ("no mail", true));
    }

    #[test]
    fn what_is_shared_stands_in_an_order_that_a_restart_keeps() {
        let trial = Trial::new();
        // The log interns the names in this order; at the next opening all names of things come first.
        let ticket = record("s:1", Kind::Incident, "ORA-00600 on zeta-01 and alpha-02 after ORA-00060", &[]);
        let server = |name: &str| record(&format!("cmdb:{name}"), Kind::ConfigurationItem, name, &[]);
        trial.apply([ticket, server("zeta-01"), server("alpha-02")]);
        let text = "ORA-00600, ORA-00060 on alpha-02 and zeta-01";
        let ask = |trial: &Trial| {
            let query = crate::Query::new(text, second(0));
            let hits = trial.desk.search(&operator(), &query).unwrap();
            let shared = hits.hits.into_iter().find(|hit| hit.record == id("s:1")).unwrap().shared;
            (shared, hits.entities.into_iter().map(|entity| entity.text).collect::<Vec<_>>())
        };
        let before = ask(&trial);
        assert!(before.0.is_sorted() && before.0.len() > 2, "{before:?}");
        assert_eq!(ask(&trial.reopened()), before);
    }
}
