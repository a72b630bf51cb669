//! Is what must not reach a language model hidden from it, given back to whom it may be, and sealed for the rest?

use models::{KnownName, NameKind, Redacted, ScriptedModel};
use ontology::{RecordId, SectionKind};
use triage::policy::Watched;
use triage::vault::Vault;
use triage::{EventKind, Triage, TriageOptions, TurnOptions, Workflow, triage};

use crate::workflow::{Flow, event, locks, now};
use crate::{Made, answer, locks_ticket, made, run, staff, tenant};

fn asked(made: &Made, says: String) -> (Triage, String) {
    let model = ScriptedModel::new([Ok(says)]);
    let host = KnownName { name: "wms-core".to_owned(), kind: NameKind::Host };
    let options =
        TriageOptions { language_model: Some(&model), known_names: vec![host], ..TriageOptions::default() };
    let mut ticket = locks_ticket("Write to lorna@example.com or ann@example.org from 10.1.2.3.");
    ticket.sections.push(ontology::Section::new(SectionKind::WorkNote, "ann@example.org waits at 10.1.2.3."));
    let made = triage(&made.desk, &staff(), &ticket, &options, now()).unwrap();
    let prompt: Vec<String> =
        model.asked()[0].messages().iter().map(|text| Redacted::text(text).to_owned()).collect();
    (made, prompt.join("\n"))
}

#[test]
fn a_model_sees_placeholders_and_people_of_the_desk_see_hosts_and_addresses() {
    let made = made();
    let clean = run(&made, &locks_ticket(""), None);
    let page = answer(&clean).sources.iter().find(|source| source.record.as_str() == "kb:locks").unwrap();
    let (_, prompt) = asked(&made, String::new());
    for value in ["wms-core", "lorna@example.com", "ann@example.org", "10.1.2.3", "Lorna"] {
        assert!(!prompt.contains(value), "{value} in {prompt}");
    }
    let of = |label: &str| {
        let start = prompt.find(&format!("[{label}_")).unwrap_or_else(|| panic!("no {label} in {prompt}"));
        prompt[start..].split_inclusive(']').next().unwrap().to_owned()
    };
    let host = of("HOST");
    // Ticket and page name the same host by the same placeholder.
    let sources = prompt.split("<sources>").nth(1).unwrap();
    assert!(sources.contains(&host), "{prompt}");
    let says = format!(
        "cause: {host} says canceling statement due to lock timeout in relation stock_location. [{0}]\n\
         cause: [HOST_99] says canceling statement due to lock timeout in relation stock_location. [{0}]",
        page.handle
    );
    let (triage, _) = asked(&made, says);
    let told: Vec<&str> = answer(&triage).likely_cause.iter().map(|claim| claim.text.as_str()).collect();
    assert_eq!(told, ["wms-core says canceling statement due to lock timeout in relation stock_location."]);
    assert!(answer(&triage).dropped[0].reason.contains("does not say so"), "{:?}", answer(&triage).dropped);

    let values = triage.withheld.values.values();
    for (label, value) in [("EMAIL", "ann@example.org"), ("IP", "10.1.2.3"), ("HOST", "wms-core")] {
        let times = values.iter().filter(|(at, one)| at.contains(label) && *one == value).count();
        assert_eq!(times, 1, "{label} {value}: {values:?}");
    }
    let written = serde_json::to_string(&triage).unwrap();
    assert!(!written.contains("ann@example.org") && !format!("{triage:?}").contains("ann@example.org"));
}

fn vault(key: u8) -> Vault {
    Vault::new(tenant(), &[key; 32], || Some([3; 12]))
}

fn with_vault(flow: &Flow, key: u8) -> Workflow {
    Workflow::new(flow.made.desk.store(), Watched::built_in().unwrap()).with_vault(vault(key))
}

#[test]
fn what_was_hidden_is_sealed_with_the_ticket_and_gone_with_a_purge_of_its_source() {
    let mut flow = Flow::new(None);
    flow.workflow = with_vault(&flow, 1);
    let told = locks_ticket("Write to lorna@example.com.");
    flow.accept(&[event("1", EventKind::Created, told)]);
    let model = ScriptedModel::new([Ok(String::new())]);
    let options = TurnOptions {
        scope: &staff(),
        triage: TriageOptions { language_model: Some(&model), ..TriageOptions::default() },
        threads: 1,
        tickets: 64,
    };
    assert_eq!(flow.workflow.turn(&flow.made.desk, &options, now()).unwrap().handled, 1);
    let hidden = |workflow: &Workflow| workflow.hidden(&locks().id);
    let values: Vec<String> = hidden(&flow.workflow).unwrap().into_values().collect();
    assert!(values.contains(&"lorna@example.com".to_owned()), "{values:?}");
    let error = hidden(&with_vault(&flow, 2)).unwrap_err();
    assert_eq!(error.code(), "vault-key", "{error}");
    assert_eq!(
        hidden(&Workflow::new(flow.made.desk.store(), Watched::built_in().unwrap())).unwrap().len(),
        0
    );
    let nobody = RecordId::new("desk:none").unwrap();
    assert_eq!(flow.workflow.hidden(&nobody).unwrap_err().code(), "no-such-ticket");

    assert!(flow.made.desk.purge(&RecordId::new("desk:INC2").unwrap(), now()).unwrap());
    let store = flow.made.desk.store();
    assert!(store.item("hidden", locks().id.as_str()).unwrap().unwrap().body.is_empty());
    assert_eq!(vault(1).open(&store, &locks().id).unwrap().len(), 0);
}
