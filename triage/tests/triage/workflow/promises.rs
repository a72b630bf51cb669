//! Are people warned of each target once, does a ticket that misses one go to them, and does the desk know what agents did?

use ontology::{Scope, State};
use triage::Notice;
use triage::policy::Deed;
use triage::service::{DeskMetrics, Fate, Kept, Period, Standing, Target, life, lives};

use super::*;

fn after(minutes: i64) -> Timestamp {
    now().saturating_add(SignedDuration::from_mins(minutes)).unwrap()
}

/// A ticket that no agent can answer; half an hour for the first answer and eight hours for a solution, round the clock.
fn second_priority() -> Record {
    let mut ticket = unknown_matter("desk:INC8");
    (ticket.priority, ticket.created) = (Some(2), Some(now()));
    ticket
}

impl Flow {
    fn came(autonomy: Option<&str>, ticket: &Record) -> Self {
        let flow = Self::new(autonomy);
        flow.accept(&[event("1", EventKind::Created, ticket.clone())]);
        flow.turn();
        flow
    }

    fn notices(&self, ticket: &Record) -> Vec<Notice> {
        self.workflow.notices(&ticket.id).unwrap()
    }

    /// What a turn at a moment told of targets.
    fn told(&self, minutes: i64) -> (u64, u64) {
        let turn = self.turn_at(after(minutes));
        assert!(turn.warnings.is_empty(), "{turn:?}");
        (turn.warned, turn.missed)
    }

    fn standings(&self, ticket: &Record, minutes: i64) -> Vec<Standing> {
        let status = self.workflow.ticket(&ticket.id).unwrap();
        self.workflow.standings(&self.made.desk, &staff(), &status, after(minutes)).unwrap()
    }
}

#[test]
fn people_are_warned_once_of_each_target_and_get_the_ticket_when_it_is_missed() {
    let ticket = second_priority();
    let mut flow = Flow::came(None, &ticket);
    let standing = &flow.standings(&ticket, 10)[0];
    assert_eq!(
        (standing.target, standing.state, standing.used_seconds),
        (Target::Response, Kept::Running, 600)
    );
    assert_eq!((flow.told(20), flow.told(23), flow.told(24)), ((0, 0), (1, 0), (0, 0)));
    let warning = &flow.notices(&ticket)[0];
    assert_eq!((warning.kind.as_str(), warning.is_escalated), ("warning", false));
    assert_eq!(warning.why, "the 30 min of priority 2 for the first answer come to their end");
    let before = flow.moves("desk:INC8");

    // Another process takes over what this one left.
    flow.workflow = Workflow::new(flow.made.desk.store(), Watched::open(flow._policies.path()).unwrap());
    flow.workflow.recover(after(25)).unwrap();
    assert_eq!((flow.told(25), flow.told(31), flow.told(32)), ((0, 0), (0, 1), (0, 0)));
    let breach = &flow.notices(&ticket)[1];
    assert_eq!((breach.kind.as_str(), breach.is_escalated), ("breach", true));
    assert_eq!(breach.standing.state, Kept::Missed);
    assert_eq!(flow.moves("desk:INC8").len(), before.len() + 1);
    let status = flow.workflow.ticket(&ticket.id).unwrap();
    assert_eq!(status.state, TicketState::Escalated);
    assert_eq!(status.reason, "the 30 min of priority 2 for the first answer are over");
    assert!(
        status.decisions.last().unwrap().verdict.policies.contains(&"hand-over".to_owned()),
        "{status:?}"
    );

    // Nobody was there from before the warning until after the end: it is missed, and not warned of any more.
    assert_eq!((flow.told(600), flow.told(601)), ((0, 1), (0, 0)));
    assert_eq!(flow.notices(&ticket).len(), 3);
    flow.accept(&[event("2", EventKind::Updated, ticket.clone())]);
    assert_eq!((flow.told(602), flow.told(603)), ((0, 0), (0, 0)), "another event, the same targets");
    assert_eq!(flow.notices(&ticket).len(), 3);
}

#[test]
fn a_breach_is_told_though_no_agent_may_escalate() {
    let ticket = second_priority();
    let flow = Flow::came(Some("level = \"off\"\nshare = 100\n"), &ticket);
    let before = flow.moves("desk:INC8");
    assert_eq!(flow.told(31), (0, 1));
    let notice = &flow.notices(&ticket)[0];
    assert!(
        !notice.is_escalated && notice.why.ends_with("are over; agents are off for this category"),
        "{notice:?}"
    );
    assert_eq!(flow.moves("desk:INC8"), before);
}

#[test]
fn the_clock_stands_on_hold_and_nothing_is_told_of_what_is_over() {
    let mut ticket = second_priority();
    let flow = Flow::came(None, &ticket);
    ticket.state = Some(State::OnHold);
    flow.accept(&[event("2", EventKind::Updated, ticket.clone())]);
    assert_eq!(flow.told(10), (0, 0));
    let standings = flow.standings(&ticket, 1_000);
    assert_eq!(standings.iter().map(|one| one.state).collect::<Vec<_>>(), [Kept::Met, Kept::Paused]);
    assert_eq!(flow.told(1_000), (0, 0));
    ticket.state = Some(State::InProgress);
    flow.accept(&[event("3", EventKind::Updated, ticket.clone())]);
    // Ten minutes were used: the warning comes after six hours less ten minutes.
    assert_eq!((flow.told(1_000), flow.told(1_340), flow.told(1_351)), ((0, 0), (0, 0), (1, 0)));
    let mut closed = event("4", EventKind::Closed, ticket.clone());
    closed.record = None;
    flow.accept(&[closed]);
    assert_eq!((flow.told(1_352), flow.told(9_000)), ((0, 0), (0, 0)));
    assert_eq!(flow.standings(&ticket, 9_000)[1].state, Kept::Met);

    let purged = second_priority();
    let flow = Flow::came(None, &purged);
    assert!(flow.made.desk.purge(&purged.id, now()).unwrap());
    assert_eq!((flow.told(9_000), flow.notices(&purged).len()), ((0, 0), 0));
}

#[test]
fn new_service_levels_hold_at_once_and_broken_ones_never() {
    let ticket = second_priority();
    let flow = Flow::came(None, &ticket);
    let built_in = include_str!("../../../policy/service.toml");
    let file = flow._policies.path().join("service.toml");
    fs::write(&file, built_in.replace("response = \"30m\"", "response = \"30 moons\"")).unwrap();
    let turn = flow.turn_at(after(11));
    assert!(turn.warnings[0].contains("service.toml, line"), "{turn:?}");
    assert_eq!(turn.missed, 0);
    fs::write(&file, built_in.replace("response = \"30m\"", "response = \"10m\"")).unwrap();
    assert_eq!((flow.told(11), flow.told(12)), ((0, 1), (0, 0)));
}

#[test]
fn what_agents_did_and_people_made_of_it_is_counted() {
    let flow = Flow::came(None, &locks());
    assert_eq!(flow.judge(&flow.of_deed("route"), "ada", Ruling::Approve).unwrap().state, "executed");
    let mut reply = flow.of_deed("reply");
    let Arguments::Reply(text) = &mut reply.bound.arguments else { panic!("{reply:?}") };
    text.text.push_str("Thank you for calling.");
    flow.judge(&reply, "ada", Ruling::Edit(reply.bound.arguments.clone())).unwrap();
    flow.judge(&reply, "ben", Ruling::Approve).unwrap();
    let all = lives(&flow.made.desk, &staff(), &flow.workflow).unwrap();
    let life_of = |id: &str| all.iter().find(|life| life.ticket.as_str() == id).unwrap();
    let ticket = life_of("desk:INC9");
    let work = ticket.work.as_ref().unwrap();
    let fates: Vec<(Deed, Fate)> = work.deeds.iter().map(|deed| (deed.deed, deed.fate)).collect();
    assert!(
        fates.contains(&(Deed::Route, Fate::Approved)) && fates.contains(&(Deed::Reply, Fate::Changed)),
        "{fates:?}"
    );
    assert_eq!(
        ticket.responded.map(Timestamp::as_microsecond),
        Some(now().as_microsecond()),
        "it was answered"
    );
    assert!(work.deeds.iter().any(|deed| deed.cited.iter().any(|page| page.as_str() == "kb:locks")));
    assert_eq!(life_of("desk:INC1").pages[0].record.as_str(), "kb:locks", "a solved ticket names its page");
    assert!(life_of("desk:INC1").work.is_none() && life_of("desk:INC1").resolved().is_some());
    let one = life(&flow.made.desk, &staff(), &ticket.ticket, None).unwrap().unwrap();
    assert_eq!((one.created, one.work), (ticket.created, None));
    let outsider = Scope::of(staff().tenant, []);
    assert!(lives(&flow.made.desk, &outsider, &flow.workflow).unwrap().is_empty());

    let period = Period { from: now() - SignedDuration::from_hours(1), to: after(60) };
    let metrics = DeskMetrics::of(&all, &flow.workflow.policies().levels(), period);
    let share = |name: &str| metrics.figure(name).unwrap().value;
    assert_eq!((share("agent_utilisation"), share("automation_rate")), (Some(1.0), Some(0.0)));
    assert_eq!(share("false_positive_rate"), Some(0.5), "one of two was changed");

    let flow = Flow::came(Some(AUTONOMOUS), &locks());
    let all = lives(&flow.made.desk, &staff(), &flow.workflow).unwrap();
    let deeds =
        &all.iter().find(|life| life.ticket.as_str() == "desk:INC9").unwrap().work.as_ref().unwrap().deeds;
    assert!(deeds.iter().any(|deed| deed.fate == Fate::Alone), "{deeds:?}");
}
