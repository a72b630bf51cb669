//! A desk of seven tickets, small enough to be worked out by hand: is every figure what its definition says?

use engine::PageRef;
use ontology::State::{self, Cancelled, InProgress, Open, Resolved};
use ontology::{Kind, RecordId};

use super::*;
use crate::policy::Deed;
use crate::proposal::Route;
use crate::service::Target;
use crate::service::life::Spell;
use crate::service::work::{AgentDeed, AgentWork, Fate};

fn at(text: &str) -> Timestamp {
    format!("2026-{text}Z").parse().unwrap()
}

fn id(text: &str) -> RecordId {
    RecordId::new(text).unwrap()
}

fn life(name: &str, priority: u8, responded: Option<&str>, states: &[(&str, State)]) -> TicketLife {
    let spell = |(since, state): &(&str, State)| Spell { since: at(since), state: *state, word: None };
    TicketLife {
        ticket: id(&format!("desk:{name}")),
        kind: Kind::Incident,
        title: format!("Ticket {name}"),
        category: Vec::new(),
        priority: Some(priority),
        team: None,
        created: at(states[0].0),
        responded: responded.map(at),
        states: states.iter().map(spell).collect(),
        reopened: 0,
        handed_on: None,
        pages: Vec::new(),
        work: None,
    }
}

fn work(received: &str, deeds: Vec<AgentDeed>) -> Option<AgentWork> {
    let received = at(received);
    Some(AgentWork { deeds, ..AgentWork::of(received) })
}

fn route(moment: &str, fate: Fate, category: &str, team: &str, confidence: Option<f64>) -> AgentDeed {
    let (category, team) = (vec![category.to_owned()], Some(team.to_owned()));
    let route = Some(Route { category, priority: None, team });
    AgentDeed { route, confidence, cited: Vec::new(), ..deed_of(moment, Deed::Route, fate) }
}

fn reply(moment: &str, fate: Fate, cited: &str) -> AgentDeed {
    AgentDeed { cited: vec![id(cited)], ..deed_of(moment, Deed::Reply, fate) }
}

fn deed_of(moment: &str, deed: Deed, fate: Fate) -> AgentDeed {
    AgentDeed {
        at: at(moment),
        deed,
        fate,
        route: None,
        confidence: None,
        cited: Vec::new(),
        proposal: String::new(),
        is_put_right: false,
        edited_share: None,
    }
}

/// Opening hours are 8 to 18 in UTC from Monday to Friday, for priority 2 round the clock. 1 June is a Monday.
fn desk() -> Vec<TicketLife> {
    let mut a = life(
        "A",
        3,
        Some("06-01T09:00:00"),
        &[("06-01T08:00:00", Open), ("06-01T09:00:00", InProgress), ("06-01T18:00:00", Resolved)],
    );
    (a.handed_on, a.category, a.team) = (Some(0), vec!["Mail".to_owned()], Some("Mail Team".to_owned()));
    a.pages = vec![PageRef { record: id("kb:a"), title: "Queues".to_owned() }];
    a.work = work("06-01T08:00:00", vec![route("06-01T08:01:00", Fate::Alone, "mail", "Messaging", None)]);
    // Friday afternoon to Tuesday morning.
    let mut b = life(
        "B",
        3,
        Some("06-08T11:00:00"),
        &[("06-05T16:00:00", Open), ("06-08T11:00:00", InProgress), ("06-09T08:00:00", Resolved)],
    );
    (b.handed_on, b.category) = (Some(1), vec!["Network".to_owned()]);
    b.work = work(
        "06-05T16:00:00",
        vec![route("06-05T16:01:00", Fate::Rejected, "Access", "Identity", Some(0.8))],
    );
    let mut c = life(
        "C",
        2,
        Some("06-02T10:10:00"),
        &[
            ("06-02T10:00:00", Open),
            ("06-02T10:10:00", InProgress),
            ("06-02T12:00:00", Resolved),
            ("06-02T13:00:00", InProgress),
            ("06-02T20:00:00", Resolved),
        ],
    );
    (c.handed_on, c.reopened, c.category) = (Some(3), 1, vec!["Network".to_owned()]);
    c.work = work(
        "06-02T10:00:00",
        vec![
            route("06-02T10:05:00", Fate::Approved, "Network", "Network Operations", Some(0.9)),
            reply("06-02T10:06:00", Fate::Approved, "kb:b"),
        ],
    );
    let mut d =
        life("D", 3, Some("06-11T08:30:00"), &[("06-11T08:00:00", Open), ("06-11T08:30:00", InProgress)]);
    d.work = work("06-11T08:00:00", vec![reply("06-11T08:01:00", Fate::Unruled, "kb:a")]);
    let e = life("E", 3, None, &[("06-03T08:00:00", Open), ("06-03T09:00:00", Cancelled)]);
    let mut f =
        life("F", 3, Some("05-20T08:30:00"), &[("05-20T08:00:00", Open), ("05-20T10:00:00", Resolved)]);
    f.work = work("05-20T08:00:00", Vec::new());
    let mut g = life(
        "G",
        4,
        Some("06-04T10:00:00"),
        &[("06-04T08:00:00", Open), ("06-04T10:00:00", InProgress), ("06-04T12:00:00", Resolved)],
    );
    g.category = vec!["Access".to_owned()];
    g.work =
        work("06-04T08:00:00", vec![route("06-04T08:01:00", Fate::Changed, "Access", "Identity", Some(0.6))]);
    vec![a, b, c, d, e, f, g]
}

fn levels() -> ServiceLevels {
    ServiceLevels::parse("service.toml", include_str!("../../../policy/service.toml")).unwrap()
}

fn fortnight() -> Period {
    Period { from: at("06-01T00:00:00"), to: at("06-15T00:00:00") }
}

fn metrics() -> DeskMetrics {
    DeskMetrics::of(&desk(), &levels(), fortnight())
}

fn is_near(found: Option<f64>, expected: f64) -> bool {
    found.is_some_and(|found| (found - expected).abs() < 1e-9)
}

#[test]
fn every_figure_is_what_was_worked_out_by_hand() {
    let metrics = metrics();
    let check = |name: &str, value: f64, numerator: f64, denominator: u64| {
        let figure = metrics.figure(name).unwrap_or_else(|| panic!("no {name}"));
        assert!(is_near(figure.value, value), "{figure:?}");
        assert!(
            is_near(Some(figure.numerator), numerator) && figure.denominator == denominator,
            "{figure:?}"
        );
        assert!(figure.note.is_none() && figure.definition.ends_with('.'), "{figure:?}");
    };
    check("tickets_received", 6.0, 6.0, 6);
    check("tickets_resolved", 4.0, 4.0, 4);
    check("tickets_open", 1.0, 1.0, 1);
    // A 60 min, B 67 h, C 10 min, D 30 min, G 2 h; in opening hours B is 5 h.
    check("time_to_acknowledge_seconds", 50_880.0, 254_400.0, 5);
    check("time_to_acknowledge_business_seconds", 6_240.0, 31_200.0, 5);
    // A 10 h, B 88 h, C 10 h, G 4 h; in opening hours B is 12 h, and C was taken for solved for an hour.
    check("time_to_resolve_seconds", 100_800.0, 403_200.0, 4);
    check("time_to_resolve_business_seconds", 31_500.0, 126_000.0, 4);
    // B was answered too late, C solved too late; E was given up in time, D's solution is not due.
    check("slo_attainment", 7.0 / 9.0, 7.0, 9);
    check("first_contact_resolution", 1.0 / 3.0, 1.0, 3);
    check("escalation_accuracy", 0.5, 1.0, 2);
    check("reopen_rate", 0.25, 1.0, 4);
    check("knowledge_contribution", 0.5, 2.0, 4);
    check("automation_rate", 0.2, 1.0, 5);
    check("automation_drift", 0.2, 1.0, 5);
    check("agent_utilisation", 0.6, 3.0, 5);
    // The team of A, all of B, the reply to C, what was changed of G; the route of C was right.
    check("false_positive_rate", 0.8, 4.0, 5);
    check("category_accuracy", 0.75, 3.0, 4);
    let calibration = metrics.figure("category_calibration_error").unwrap();
    assert_eq!((calibration.value, calibration.denominator), (None, 3));
    assert!(calibration.note.as_ref().unwrap().contains("3 of the 20"), "{calibration:?}");
    assert_eq!(metrics.figures.len(), 20);
}

#[test]
fn figures_have_parts_and_stand_beside_the_period_before() {
    let metrics = metrics();
    let figure = |name| metrics.figure(name).unwrap();
    assert_eq!(figure("tickets_received").previous, Some(1.0));
    assert_eq!(figure("time_to_acknowledge_seconds").previous, Some(1_800.0));
    assert_eq!(figure("automation_rate").previous, Some(0.0));
    assert_eq!(figure("escalation_accuracy").previous, None, "nobody knows who had F");
    let parts: Vec<(&str, f64)> = figure("time_to_resolve_seconds")
        .parts
        .iter()
        .map(|part| (part.label.as_str(), part.value))
        .collect();
    assert_eq!(parts, [("priority 2", 36_000.0), ("priority 3", 176_400.0), ("priority 4", 14_400.0)]);
    let attained: Vec<(Target, u8, u64, u64)> =
        metrics.attainment.iter().map(|one| (one.target, one.priority, one.met, one.decided)).collect();
    use Target::{Resolution, Response};
    let expected = [
        (Response, 2, 1, 1),
        (Response, 3, 2, 3),
        (Response, 4, 1, 1),
        (Resolution, 2, 0, 1),
        (Resolution, 3, 2, 2),
        (Resolution, 4, 1, 1),
    ];
    assert_eq!(attained, expected);
}

#[test]
fn categories_pages_days_and_tickets_at_risk() {
    let metrics = metrics();
    let named = |name: &str| metrics.categories.iter().find(|one| one.category == name).unwrap();
    let (access, network, mail) = (named("access"), named("network"), named("mail"));
    assert_eq!((access.tickets, access.precision, access.recall), (1, Some(0.5), Some(1.0)));
    assert_eq!((network.tickets, network.precision, network.recall), (2, Some(1.0), Some(0.5)));
    assert_eq!(
        (mail.tickets, mail.precision, mail.recall, mail.overconfidence),
        (1, Some(1.0), Some(1.0), None)
    );
    assert!(
        is_near(access.overconfidence, 0.2) && is_near(network.overconfidence, -0.1),
        "{access:?} {network:?}"
    );
    let pages: Vec<(&str, &str, u64)> =
        metrics.pages.iter().map(|page| (page.record.as_str(), page.title.as_str(), page.tickets)).collect();
    assert_eq!(pages, [("kb:a", "Queues", 1), ("kb:b", "", 1)]);
    let days: Vec<(u64, u64, u64)> =
        metrics.days.iter().map(|day| (day.received, day.resolved, day.open)).collect();
    assert_eq!(days.len(), 14);
    assert_eq!((days[0], days[4], days[6], days[8]), ((1, 1, 0), (1, 0, 1), (0, 0, 1), (0, 1, 0)));
    assert_eq!(metrics.at_risk.len(), 1);
    let risk = &metrics.at_risk[0];
    assert_eq!(
        (risk.ticket.as_str(), risk.standing.target, risk.standing.state),
        ("desk:D", Target::Resolution, Kept::Running)
    );
    assert_eq!(
        (risk.standing.warns, risk.standing.due),
        (Some(at("06-12T16:00:00")), Some(at("06-15T12:00:00")))
    );
}

#[test]
fn a_budget_burns_where_it_burns_long_and_now() {
    let of = |moment| {
        DeskMetrics::of(&desk(), &levels(), Period { from: at("06-01T00:00:00"), to: at(moment) }).burn
    };
    let quiet = of("06-15T00:00:00");
    assert_eq!((quiet[0].rate, quiet[1].rate, quiet[2].decided), (None, None, 3));
    // One of three missed where one of twenty may be.
    assert!(is_near(quiet[2].rate, 20.0 / 3.0) && quiet[2].short_rate.is_none() && !quiet[2].is_burning);
    assert!((quiet[2].threshold - 1.0).abs() < 1e-9 && (quiet[0].threshold - 5.6).abs() < 1e-9);
    // Ten minutes after B should have been answered: the only target decided within a day.
    let burning = of("06-08T10:10:00");
    assert!(burning.iter().all(|burn| burn.is_burning), "{burning:?}");
    assert!(is_near(burning[0].rate, 20.0) && burning[0].short_decided == 1, "{burning:?}");
}

#[test]
fn without_tickets_there_is_not_enough_data_and_nothing_is_divided_by_nothing() {
    let metrics = DeskMetrics::of(&[], &levels(), fortnight());
    for figure in &metrics.figures {
        match figure.unit {
            crate::service::Unit::Count => assert_eq!(figure.value, Some(0.0)),
            _ => {
                assert_eq!(figure.value, None, "{figure:?}");
                assert!(figure.note.as_ref().unwrap().starts_with("not enough data: "), "{figure:?}");
            }
        }
    }
    assert!(metrics.burn.iter().all(|burn| burn.rate.is_none() && !burn.is_burning));
    assert!(!serde_json::to_string(&metrics).unwrap().contains("NaN"));
}

#[test]
fn the_calibration_error_weighs_each_bin_by_its_tickets() {
    let ticket = |number: usize, sure: f64, is_right: bool| {
        let mut life =
            life(&format!("T{number}"), 3, None, &[("06-01T08:00:00", Open), ("06-01T09:00:00", Resolved)]);
        life.category = vec![if is_right { "Mail" } else { "Network" }.to_owned()];
        life.work =
            work("06-01T08:00:00", vec![route("06-01T08:01:00", Fate::Approved, "Mail", "", Some(sure))]);
        life
    };
    // Fifteen of twenty right at .85 are off by .1; all of five right at .95 by .05.
    let mut lives: Vec<TicketLife> = (0..20).map(|number| ticket(number, 0.85, number < 15)).collect();
    lives.extend((20..25).map(|number| ticket(number, 0.95, true)));
    let metrics = DeskMetrics::of(&lives, &levels(), fortnight());
    let error = metrics.figure("category_calibration_error").unwrap();
    assert!(is_near(error.value, (20.0 * 0.1 + 5.0 * 0.05) / 25.0), "{error:?}");
    assert_eq!(error.denominator, 25);
}
