//! Is an entry told in ids and numbers only, and does its leaf hold all of it?

use serde_json::json;

use super::super::{Action, Actor, Detail, Entry, Label, LabelError, leaf};
use super::entry;

#[test]
fn a_leaf_is_one_line_of_json_over_all_that_counts() {
    let kept = entry(5);
    let expected = r#"{"sequence":5,"at":1700000000000005,"kind":"agent-action","body":{"action":"agent-action","number":5}}"#;
    assert_eq!(String::from_utf8(leaf(&kept)).unwrap(), expected);
    let mut quoted = kept.clone();
    quoted.kind = "a\",\"b\n".to_owned();
    assert!(leaf(&quoted).starts_with(br#"{"sequence":5,"at":1700000000000005,"kind":"a\",\"b\n","body":"#));
}

#[test]
fn an_entry_is_read_as_it_was_written() {
    let written = Entry {
        ticket: Some("desk:INC 1".parse().unwrap()),
        records: vec!["kb:1".parse().unwrap()],
        correlation: Some(Label::new("0af7651916cd43dd").unwrap()),
        details: [
            ("confidence", Detail::Number(serde_json::Number::from_f64(0.83).unwrap())),
            ("count", Detail::Number(3.into())),
            ("model", Detail::Label(Label::new("sha256:ab12").unwrap())),
            ("policies", Detail::Labels(vec![Label::new("send-draft").unwrap()])),
        ]
        .map(|(name, detail)| (Label::new(name).unwrap(), detail))
        .into(),
        ..Entry::new(Action::ModelDecision, Actor::Agent(Label::new("triage").unwrap()))
    };
    let body = serde_json::to_vec(&written).unwrap();
    let expected = r#"{"action":"model-decision","actor":{"agent":"triage"},"ticket":"desk:INC 1","records":["kb:1"],"correlation":"0af7651916cd43dd","details":{"confidence":0.83,"count":3,"model":"sha256:ab12","policies":["send-draft"]}}"#;
    assert_eq!(String::from_utf8(body.clone()).unwrap(), expected);
    assert_eq!(Entry::read(&engine::JournalEntry { body, ..entry(1) }).unwrap(), written);
}

#[test]
fn the_kind_is_the_action_as_it_is_written() {
    for action in [
        Action::AgentAction,
        Action::ModelDecision,
        Action::PolicyDecision,
        Action::DataAccess,
        Action::Approval,
        Action::Override,
        Action::Execution,
        Action::SettingChanged,
        Action::ModelChanged,
        Action::Erasure,
    ] {
        assert_eq!(json!(action), json!(action.as_str()));
    }
}

#[test]
fn text_of_a_record_is_no_label_and_is_not_repeated() {
    for text in ["", "my printer is broken", "zwölf", "a\nb", &"a".repeat(257)] {
        let refused = Label::new(text).unwrap_err();
        assert_eq!(refused, LabelError { bytes: text.len() });
        assert!(text.is_empty() || !refused.to_string().contains(text));
    }
    let forged = r#"{"action":"approval","actor":{"person":"my printer is broken"}}"#;
    assert!(serde_json::from_str::<Entry>(forged).is_err());
}
