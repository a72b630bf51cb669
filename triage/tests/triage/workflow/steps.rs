//! Is a step of a runbook done only as people approved it, once, and never because a ticket says so?

use std::fs;

use jiff::{SignedDuration, Timestamp};
use ontology::{Kind, Lineage, Link, Observation, Record, RecordId, Relation, Section, SectionKind};
use serde_json::{Value, json};
use triage::policy::{PersonId, Role};
use triage::{
    Arguments, Delivery, EventKind, Order, Proposal, Ruling, RunAnswer, RunState, Step, TicketState,
};

use super::{Flow, event, locks, now};
use crate::{record, runbook, staff};

const EXECUTOR: &str = r#"
    [webhook]
    url = "https://automation.example/triagraph"
    [[action]]
    name = "pause-job"
    timeout_seconds = 20
    arguments = { job = { one_of = ["REPL_NIGHT", "REPL_DAY"] }, host = { is = "ci" } }
    [[action]]
    name = "resume-job"
    arguments = { job = { one_of = ["REPL_NIGHT", "REPL_DAY"] }, host = { is = "ci" } }
    [[action]]
    name = "end-session"
    arguments = { host = { is = "ci" }, ticket = { is = "ticket" } }
"#;
const PAUSE: &str = "Run: pause-job job=REPL_NIGHT host={ci}; undo: resume-job job=REPL_NIGHT host={ci}";
const END: &str = "Run: end-session host={ci} ticket={ticket}; undo: resume-job job=REPL_NIGHT host={ci}";

fn put(flow: &Flow, record: Record) {
    let lineage = Lineage { origin: "test".into(), place: None, mapping: "test".into(), observed: now() };
    let applied = flow.made.desk.apply(vec![Observation::unversioned(record, lineage)]).unwrap();
    assert!(applied.rejected.is_empty(), "{:?}", applied.rejected);
}

/// The runbook that leads, with these steps.
fn page(steps: &[&str]) -> Record {
    let lock = "wms-core says canceling statement due to lock timeout in relation stock_location, scanners hang at pick confirmation";
    runbook("kb:locks", "Pick confirmation hangs: locks on stock_location", lock, steps)
}

/// The ticket, on the host that its source names.
fn ticket(told: &str) -> Record {
    let mut ticket = crate::locks_ticket(told);
    ticket.links.push(Link::by_name(Relation::Affects, "wms-db-01"));
    ticket
}

/// A desk with an executor, a host, and a runbook with these steps.
fn flow(steps: &[&str]) -> Flow {
    let flow = Flow::new(None);
    fs::write(flow._policies.path().join("executor.toml"), EXECUTOR).unwrap();
    flow.workflow.policies().reload_executor_if_changed().unwrap();
    for host in ["wms-db-01", "wms-db-02"] {
        put(&flow, record(&format!("cmdb:{host}"), Kind::ConfigurationItem, host, &[]));
    }
    put(&flow, page(steps));
    flow
}

impl Flow {
    fn bring(&self, id: &str, ticket: Record) {
        self.accept(&[event(id, EventKind::Updated, ticket)]);
        assert_eq!(self.turn().handled, 1);
    }

    fn steps(&self) -> Vec<Proposal> {
        self.open().into_iter().filter(|open| matches!(open.bound.arguments, Arguments::Execute(_))).collect()
    }

    fn step(&self) -> Proposal {
        let mut steps = self.steps();
        assert_eq!(steps.len(), 1, "{steps:?}");
        steps.remove(0)
    }

    fn next_told(&self) -> Option<Delivery> {
        self.next_told_at(now())
    }

    fn next_told_at(&self, now: Timestamp) -> Option<Delivery> {
        self.workflow.next_run(&self.made.desk, &staff(), now).unwrap()
    }

    fn answer(&self, delivery: &Delivery, answer: RunAnswer) {
        self.workflow.delivered(delivery, answer, now()).unwrap();
    }

    /// The step that is open, after its dry run went well.
    fn tried(&self) -> Proposal {
        let dry = self.next_told().expect("a dry run");
        assert!(dry.is_dry && dry.id.starts_with("dry_"), "{dry:?}");
        self.answer(&dry, well("would be paused"));
        self.step()
    }

    /// The step that is open, approved by two people and told.
    fn approved(&self) -> Delivery {
        let step = self.tried();
        assert_eq!(self.judge(&step, "ada", Ruling::Approve).unwrap().state, "open");
        assert_eq!(self.judge(&step, "ben", Ruling::Approve).unwrap().state, "executed");
        let run = self.next_told().expect("the step");
        assert!(!run.is_dry && run.id.starts_with("run_"), "{run:?}");
        run
    }

    fn runs(&self, state: RunState) -> u64 {
        self.workflow.runs().unwrap().get(state.as_str()).copied().unwrap_or(0)
    }

    fn why_not(&self) -> String {
        let triage = self.workflow.triage_of(&locks().id).unwrap().unwrap();
        let said = triage.steps.into_iter().find(|step| step.step == "runbook");
        said.map(|said| said.why).unwrap_or_default()
    }
}

fn well(summary: &str) -> RunAnswer {
    RunAnswer::Succeeded { summary: summary.to_owned() }
}

fn of(proposal: &Proposal) -> Step {
    let Arguments::Execute(step) = &proposal.bound.arguments else { panic!("{proposal:?}") };
    Step::clone(step)
}

fn silence(may_have_run: bool) -> RunAnswer {
    RunAnswer::Again { reason: "status 500".to_owned(), may_have_run, after: None }
}

#[test]
fn a_step_is_tried_approved_by_two_people_and_done_once_then_the_next_is_proposed() {
    let flow = flow(&["Look at the queue.", PAUSE, "See that nobody picks.", END]);
    flow.bring("1", ticket(""));
    let step = flow.step();
    let what = of(&step);
    assert_eq!((what.number, what.of, what.runbook.as_str()), (1, 2, "kb:locks"));
    assert_eq!(what.call.arguments["host"], "wms-db-01");
    let text = &flow.made.desk.record(&staff(), &what.runbook, None).unwrap().unwrap().record;
    assert_eq!(what.span.of(&text.sections[usize::from(what.section)].text), Some(PAUSE));
    assert_eq!(step.dry_run.as_ref().map(|run| run.state), Some(RunState::Waiting));
    let early = flow.judge(&step, "ada", Ruling::Approve).unwrap_err();
    assert!(early.code() == "denied" && early.to_string().contains("has not passed a dry run"), "{early}");

    let dry = flow.next_told().unwrap();
    assert_eq!(
        (dry.tries, dry.timeout_seconds, dry.url.as_str()),
        (1, 20, "https://automation.example/triagraph")
    );
    let said: Value = serde_json::from_slice(&dry.body).unwrap();
    assert_eq!((&said["type"], &said["data"]["dry_run"]), (&json!("triagraph.step.dry_run"), &json!(true)));
    assert_eq!(flow.next_told(), None, "nothing is told twice at once");
    flow.answer(&dry, well("would be paused"));
    let step = flow.step();
    assert_eq!(step.dry_run.as_ref().unwrap().said.as_deref(), Some("would be paused"));
    assert!(flow.outbox().is_empty(), "a dry run is nothing for connectors");

    let once = flow.judge(&step, "ada", Ruling::Approve).unwrap();
    assert_eq!((once.state.as_str(), once.approved_by.len()), ("open", 1));
    assert_eq!(flow.judge(&step, "ada", Ruling::Approve).unwrap_err().code(), "denied");
    assert_eq!(flow.next_told(), None, "one person is not enough");
    let done = flow.judge(&step, "ben", Ruling::Approve).unwrap();
    assert_eq!((done.state.as_str(), done.run.as_ref().unwrap().state), ("executed", RunState::Waiting));
    assert_eq!(flow.state("desk:INC9"), TicketState::Executing);
    let run = flow.next_told().unwrap();
    let said: Value = serde_json::from_slice(&run.body).unwrap();
    let expected = json!({"dry_run": false, "action": "pause-job", "arguments": {"host": "wms-db-01", "job": "REPL_NIGHT"},
        "ticket": "desk:INC9", "runbook": "kb:locks", "proposal": step.id, "binding": step.binding});
    assert_eq!((&said["type"], &said["data"]), (&json!("triagraph.step.run"), &expected));
    flow.answer(&run, well("paused\nat\u{7}last"));
    flow.answer(&run, RunAnswer::Failed { summary: "a second word".to_owned() });

    let shown = flow.workflow.proposal(&step.id).unwrap().run.unwrap();
    assert_eq!((shown.state, shown.said.as_deref()), (RunState::Succeeded, Some("paused at last")));
    let orders: Vec<Order> = flow.outbox();
    assert_eq!(orders.len(), 1, "connectors hear how it ended, once");
    assert_eq!((orders[0].by.as_str(), orders[0].run.as_ref()), ("ada, ben", Some(&shown)));
    let status = flow.workflow.ticket(&locks().id).unwrap();
    let moves = flow.workflow.moves(&locks().id).unwrap();
    assert!(
        moves.iter().any(|moved| moved.why.contains("the step pause-job went well: paused")),
        "{moves:?}"
    );
    assert_eq!(status.state, TicketState::Proposed);

    assert_eq!(flow.turn().handled, 1, "the ticket is looked at again by itself");
    assert_eq!(of(&flow.step()).call.action, "end-session");
    flow.answer(&flow.approved(), well("ended"));
    flow.bring("2", ticket("It still hangs."));
    assert!(flow.steps().is_empty(), "each step was done: {:?}", flow.steps());
    assert_eq!((flow.runs(RunState::Succeeded), flow.runs(RunState::Waiting)), (4, 0));
}

#[test]
fn nothing_that_a_ticket_says_becomes_a_step() {
    let line = PAUSE.replace("{ci}", "wms-db-01");
    let flow = flow(&["Look at the queue."]);
    let mut poisoned = ticket(&format!("\n{line}\n1. {line}"));
    for kind in [SectionKind::Steps, SectionKind::WorkNote, SectionKind::Comment, SectionKind::Resolution] {
        poisoned.sections.push(Section::new(kind, line.clone()));
    }
    // A solved ticket that leads the answer, and a remark on the runbook itself.
    let mut solved = crate::incident("desk:INC1", "Scanners hang at confirm", "x", "y", &line, "WMS", "WMS");
    solved.sections.push(Section::new(SectionKind::Steps, line.clone()));
    put(&flow, solved);
    let mut remarked = page(&["Look at the queue."]);
    let mut remark = Section::new(SectionKind::Steps, line.clone());
    remark.author = Some("Eve".to_owned());
    remarked.sections.extend([remark, Section::new(SectionKind::Comment, line)]);
    put(&flow, remarked);
    flow.bring("1", poisoned);
    assert!(!flow.open().is_empty() && flow.steps().is_empty(), "{:?}", flow.open());
    assert_eq!((flow.next_told(), flow.why_not().as_str()), (None, ""));

    // A runbook that has expired leads nothing that is done.
    let mut expired = page(&[PAUSE]);
    expired.valid_until = Some(now().saturating_sub(SignedDuration::from_hours(1)).unwrap());
    put(&flow, expired);
    flow.bring("2", ticket("again"));
    assert!(flow.steps().is_empty());
    let mut article = page(&[PAUSE]);
    article.kind = Kind::Article;
    put(&flow, article);
    flow.bring("3", ticket("and again"));
    assert!(flow.steps().is_empty(), "an article is read, not run");
}

#[test]
fn what_stands_for_a_host_is_a_field_of_the_ticket_and_only_what_is_listed_is_proposed() {
    let host = |ticket: &mut Record, name: &str| ticket.links.push(Link::by_name(Relation::Affects, name));
    for (steps, told, says) in [
        (&[PAUSE][..], "wms-db-01 is the host, says the caller.", "name no configuration item"),
        (&["Run: pause-job job=REPL_NIGHT host=wms-db-02"], "", "has to be a configuration item"),
        (&["Run: reboot host={ci}"], "", "lists no action reboot"),
        (&["Run: pause-job job=OTHER host={ci}"], "", "has to be one of REPL_DAY, REPL_NIGHT"),
        (&["Run: pause-job job=REPL_NIGHT host={ci} && reboot"], "", "the name of an argument"),
        (&["Run: pause-job job=REPL_NIGHT host={ci}; undo: reboot"], "", "lists no action reboot"),
        (&["Run: reboot host={ci}", PAUSE], "", "line 1 of 2"),
    ] {
        let flow = flow(steps);
        let mut ticket = crate::locks_ticket(told);
        if told.is_empty() {
            host(&mut ticket, "wms-db-01");
        }
        flow.bring("1", ticket);
        assert!(flow.steps().is_empty() && flow.why_not().contains(says), "{says:?} in {:?}", flow.why_not());
        let triage = flow.workflow.triage_of(&locks().id).unwrap().unwrap();
        assert!(!triage.warnings.iter().any(|warning| warning.contains(says)), "policies count warnings");
    }
    let flow = flow(&[PAUSE]);
    let mut two = ticket("");
    host(&mut two, "wms-db-02");
    flow.bring("1", two);
    assert!(flow.steps().is_empty() && flow.why_not().contains("2 of the ticket's"), "{}", flow.why_not());
}

#[test]
fn without_an_undoing_or_a_good_dry_run_nobody_can_approve() {
    let flow = flow(&["Run: pause-job job=REPL_NIGHT host={ci}"]);
    flow.bring("1", ticket(""));
    let step = flow.tried();
    let refused = flow.judge(&step, "ada", Ruling::Approve).unwrap_err().to_string();
    assert!(refused.contains("does not say how to undo it"), "{refused}");

    for (answer, state) in [
        (RunAnswer::Failed { summary: "no such job".to_owned() }, RunState::Failed),
        (RunAnswer::Refused { reason: "status 422".to_owned() }, RunState::Refused),
    ] {
        let flow = self::flow(&[PAUSE]);
        flow.bring("1", ticket(""));
        flow.answer(&flow.next_told().unwrap(), answer);
        let step = flow.step();
        assert_eq!(step.dry_run.as_ref().unwrap().state, state);
        let refused = flow.judge(&step, "ada", Ruling::Approve).unwrap_err().to_string();
        assert!(refused.contains("has not passed a dry run"), "{refused}");
        // Other arguments have another dry run.
        let mut other = of(&step);
        for call in [Some(&mut other.call), other.undo.as_mut()].into_iter().flatten() {
            call.arguments.insert("job".to_owned(), "REPL_DAY".to_owned());
        }
        flow.judge(&step, "ada", Ruling::Edit(Arguments::Execute(Box::new(other)))).unwrap();
        let tried = flow.tried();
        assert!(flow.judge(&tried, "ben", Ruling::Approve).is_ok());
    }
}

#[test]
fn an_edit_clears_approvals_wants_its_own_dry_run_and_cannot_leave_the_list() {
    let flow = flow(&[PAUSE]);
    flow.bring("1", ticket(""));
    let step = flow.tried();
    flow.judge(&step, "ada", Ruling::Approve).unwrap();
    let edit = |change: &dyn Fn(&mut Step)| {
        let mut other = of(&step);
        change(&mut other);
        flow.judge(&step, "cleo", Ruling::Edit(Arguments::Execute(Box::new(other))))
    };
    let set = |name: &'static str, value: &'static str| {
        edit(&move |step: &mut Step| drop(step.call.arguments.insert(name.to_owned(), value.to_owned())))
    };
    for refused in [
        set("job", "OTHER"),
        set("host", "wms-db-02"),
        set("force", "1"),
        edit(&|step| step.call.action = "end-session".to_owned()),
        edit(&|step| step.undo = None),
        edit(&|step| step.runbook = RecordId::new("kb:printer").unwrap()),
        edit(&|step| step.undoes = Some("run_x".to_owned())),
        edit(&|step| step.executor = String::new()),
    ] {
        assert_eq!(refused.unwrap_err().code(), "invalid-request");
    }
    let edited = set("job", "REPL_DAY").unwrap();
    assert!(edited.approved_by.is_empty() && edited.binding != step.binding);
    assert_eq!(edited.dry_run.as_ref().map(|run| run.state), Some(RunState::Waiting));
    assert_eq!(flow.judge(&step, "ada", Ruling::Approve).unwrap_err().code(), "denied", "not tried yet");
    let tried = flow.tried();
    flow.judge(&tried, "cleo", Ruling::Approve).unwrap();
    assert_eq!(flow.judge(&tried, "ada", Ruling::Approve).unwrap().state, "executed");
    let run: Value = serde_json::from_slice(&flow.next_told().unwrap().body).unwrap();
    assert_eq!(run["data"]["arguments"]["job"], "REPL_DAY");
}

#[test]
fn what_was_approved_holds_for_ticket_runbook_actions_and_policies_as_they_were() {
    type Change<'a> = (&'a str, &'a dyn Fn(&Flow));
    let changes: [Change<'_>; 4] = [
        ("the ticket", &|flow| put(flow, ticket("Now sixty wait."))),
        ("the runbook", &|flow| put(flow, page(&["Look first.", PAUSE]))),
        ("executor.toml", &|flow| {
            let other = EXECUTOR.replace("automation", "other");
            fs::write(flow._policies.path().join("executor.toml"), other).unwrap();
            flow.workflow.policies().reload_executor_if_changed().unwrap();
        }),
        ("the policies", &|flow| {
            super::set_autonomy(flow._policies.path(), "level = \"suggest\"\nshare = 100\n");
            flow.workflow.policies().reload_if_changed().unwrap();
        }),
    ];
    for (what, change) in changes {
        // Before the second person approves.
        let flow = flow(&[PAUSE]);
        flow.bring("1", ticket(""));
        let step = flow.tried();
        flow.judge(&step, "ada", Ruling::Approve).unwrap();
        change(&flow);
        let stale = flow.judge(&step, "ben", Ruling::Approve).unwrap_err();
        assert!(stale.to_string().contains("superseded"), "{what}: {stale}");
        assert_eq!(flow.next_told(), None, "{what}");
        assert_eq!(flow.turn().handled, 1);
        let anew = flow.step();
        assert!(anew.id != step.id && anew.approved_by.is_empty(), "{what}");

        // Between the approval and the executor.
        let flow = self::flow(&[PAUSE]);
        flow.bring("1", ticket(""));
        let step = flow.tried();
        flow.judge(&step, "ada", Ruling::Approve).unwrap();
        flow.judge(&step, "ben", Ruling::Approve).unwrap();
        change(&flow);
        assert_eq!(flow.next_told(), None, "{what}");
        let shown = flow.workflow.proposal(&step.id).unwrap();
        assert_eq!((shown.state.as_str(), shown.run.unwrap().state), ("superseded", RunState::Cancelled));
        assert!(flow.outbox().is_empty(), "{what}");
        assert_eq!(flow.turn().handled, 1);
        assert_ne!(flow.step().id, step.id, "it is proposed anew");
    }
}

#[test]
fn the_switch_stops_what_is_on_its_way_and_a_changed_proposal_takes_its_dry_run_along() {
    let flow = flow(&[PAUSE]);
    flow.bring("1", ticket(""));
    let step = flow.tried();
    flow.judge(&step, "ada", Ruling::Approve).unwrap();
    flow.judge(&step, "ben", Ruling::Approve).unwrap();
    let (lead, roles) = (PersonId::new("ada"), [Role::Lead].into());
    flow.workflow.set_stopped(true, &lead, &roles, now()).unwrap();
    assert_eq!(flow.next_told(), None);
    flow.workflow.set_stopped(false, &lead, &roles, now()).unwrap();
    assert!(flow.next_told().is_some(), "nothing was lost");

    let flow = self::flow(&[PAUSE]);
    flow.bring("1", ticket(""));
    flow.judge(&flow.step(), "ada", Ruling::Reject).unwrap();
    assert_eq!(flow.next_told(), None, "what was turned down is not tried");
    assert_eq!(flow.runs(RunState::Cancelled), 1);
    flow.bring("2", ticket(""));
    assert!(flow.steps().is_empty(), "nobody is asked twice");
}

#[test]
fn a_step_that_failed_is_undone_by_people_as_well() {
    let flow = flow(&[PAUSE, END]);
    flow.bring("1", ticket(""));
    let run = flow.approved();
    flow.answer(&run, RunAnswer::Failed { summary: "stopped half-way".to_owned() });
    let moves = flow.workflow.moves(&locks().id).unwrap();
    assert!(moves.iter().any(|moved| moved.why.contains("failed: stopped half-way")), "{moves:?}");
    assert_eq!(flow.turn().handled, 1);
    let undo = of(&flow.step());
    assert_eq!((undo.call.action.as_str(), undo.undoes.as_deref()), ("resume-job", Some(run.id.as_str())));
    // Its runbook may change by then: what was done is to be undone all the same.
    put(&flow, page(&["Nothing is to be done."]));
    let undone = flow.approved();
    let said: Value = serde_json::from_slice(&undone.body).unwrap();
    assert_eq!((&said["data"]["action"], &said["data"]["undoes"]), (&json!("resume-job"), &json!(run.id)));
    flow.answer(&undone, well("runs again"));
    flow.bring("2", ticket("What now?"));
    assert!(flow.steps().is_empty(), "after a failure people go on");
}

#[test]
fn an_executor_that_does_not_answer_is_told_again_under_one_id_and_then_people_hear_of_it() {
    for (may_have_run, state) in [(true, RunState::Unknown), (false, RunState::Undelivered)] {
        let flow = flow(&[PAUSE]);
        flow.bring("1", ticket(""));
        let first = flow.approved();
        flow.answer(&first, silence(may_have_run));
        assert_eq!(flow.next_told(), None, "not at once");
        let mut at = now();
        for tries in 2..=6 {
            at = at.saturating_add(SignedDuration::from_mins(11)).unwrap();
            let again = flow.next_told_at(at).unwrap_or_else(|| panic!("try {tries}"));
            assert_eq!((&again.id, &again.body, again.tries), (&first.id, &first.body, tries));
            flow.answer(&again, silence(false));
            // What an earlier try says comes too late.
            flow.answer(&first, well("late"));
        }
        assert_eq!(flow.next_told_at(at.saturating_add(SignedDuration::from_mins(11)).unwrap()), None);
        assert_eq!(flow.runs(state), 1, "{:?}", flow.workflow.runs());
        let moves = flow.workflow.moves(&locks().id).unwrap();
        assert!(
            moves.iter().any(|moved| moved.why.contains("given up after 6 tries: status 500")),
            "{moves:?}"
        );
        flow.turn();
        assert_eq!(flow.steps().len(), usize::from(may_have_run), "only what may have been done is undone");
    }
}

#[test]
fn a_process_that_dies_while_it_tells_loses_nothing_and_tells_it_under_the_same_id() {
    let flow = flow(&[PAUSE]);
    flow.bring("1", ticket(""));
    let run = flow.approved();
    assert_eq!(flow.next_told(), None, "somebody is telling it");
    flow.workflow.recover(now()).unwrap();
    let again = flow.next_told().unwrap();
    assert_eq!((&again.id, &again.body, again.tries), (&run.id, &run.body, 2));
    // Once it may have been done, a refusal of the second try says nothing of the first.
    flow.answer(&again, RunAnswer::Refused { reason: "status 409".to_owned() });
    assert_eq!(flow.runs(RunState::Unknown), 1);

    // Nor is it told again when the ticket has changed meanwhile; people see whether it was done.
    let flow = self::flow(&[PAUSE]);
    flow.bring("1", ticket(""));
    flow.approved();
    put(&flow, ticket("More wait."));
    flow.workflow.recover(now()).unwrap();
    assert_eq!(flow.next_told(), None);
    assert_eq!((flow.runs(RunState::Unknown), flow.outbox().len()), (1, 1));
}

#[test]
fn a_purge_takes_what_was_said_along_and_stops_nobody() {
    let flow = flow(&[PAUSE]);
    flow.bring("1", ticket(""));
    let step = flow.tried();
    flow.judge(&step, "ada", Ruling::Approve).unwrap();
    flow.judge(&step, "ben", Ruling::Approve).unwrap();
    assert!(flow.made.desk.purge(&locks().id, now()).unwrap());
    assert_eq!(flow.next_told(), None);
    assert_eq!(flow.runs(RunState::Waiting), 0);
    let audit = flow.workflow.store().journal("audit", 0, 1000).unwrap();
    let told: String = audit.iter().map(|entry| String::from_utf8_lossy(&entry.body).into_owned()).collect();
    assert!(told.contains("\"dry_run\"") && !told.contains("would be paused"), "{told}");
}
