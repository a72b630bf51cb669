//! How does the report look as a page? One file of HTML that asks nothing of any other place, with every text escaped.

use std::fmt::Write;

use triage::service::{DeskMetrics, Figure, Kept, Unit};

use super::said;
use crate::output::moment;

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1c2530;background:#fff}\
h1{font-size:1.5rem;margin:0}h2{font-size:1.1rem;margin:2.2rem 0 .6rem;border-bottom:1px solid #d5dbe1}\
.dim{color:#5b6773}.cards{display:grid;grid-template-columns:repeat(auto-fill,minmax(13.5rem,1fr));gap:.8rem}\
.card{border:1px solid #d5dbe1;border-radius:.5rem;padding:.7rem .9rem}.card b{display:block;font-size:1.5rem}\
details{font-size:.85rem;color:#5b6773}summary{cursor:pointer}table{border-collapse:collapse;width:100%}\
td,th{text-align:left;padding:.25rem .6rem .25rem 0;vertical-align:middle;font-variant-numeric:tabular-nums}th{font-weight:600;color:#5b6773}\
svg{display:block}.bad{color:#a8201a;font-weight:600}.warn{color:#8a5a00}.good{color:#1d6b3a}\
@media(prefers-color-scheme:dark){body{background:#12171c;color:#dde4ea}.card,h2{border-color:#33404c}.dim,details,th{color:#9aa7b3}\
.bad{color:#ff8f87}.warn{color:#f0b95a}.good{color:#7fd39c}}";

/// The page.
pub(super) fn html(metrics: &DeskMetrics, tenant: &str) -> String {
    let mut page = String::new();
    let title = escape(&format!("How the desk does: {tenant}"));
    let _ = write!(
        page,
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>{title}</title><style>{STYLE}</style></head><body><h1>{title}</h1><p class=\"dim\">{}</p>",
        escape(&said::period(metrics)),
    );
    charts(&mut page, metrics);
    page.push_str("<h2>Figures</h2><div class=\"cards\">");
    for figure in &metrics.figures {
        card(&mut page, figure);
    }
    page.push_str("</div>");
    targets(&mut page, metrics);
    at_risk(&mut page, metrics);
    categories(&mut page, metrics);
    pages(&mut page, metrics);
    page.push_str("</body></html>\n");
    page
}

fn card(page: &mut String, figure: &Figure) {
    let before =
        figure.previous.map(|previous| format!("before {}", said::value(figure.unit, Some(previous))));
    let _ = write!(
        page,
        "<div class=\"card\">{}<b>{}</b><span class=\"dim\">{} {}</span>",
        escape(figure.title),
        escape(&said::value(figure.unit, figure.value)),
        escape(&said::ground(figure)),
        escape(&before.unwrap_or_default()),
    );
    if figure.unit == Unit::Share && figure.value.is_some() {
        bar(page, figure.value.unwrap_or(0.0), 180);
    }
    let _ = write!(page, "<details><summary>What it is</summary>{}", escape(figure.definition));
    if !figure.parts.is_empty() {
        page.push_str("<table>");
        for part in &figure.parts {
            let value = said::value(figure.unit, Some(part.value));
            let counted = said::counted(figure.unit, part.numerator, part.denominator);
            row(page, &[&part.label, &value, &counted]);
        }
        page.push_str("</table>");
    }
    page.push_str("</details></div>");
}

/// Tickets that came, were solved and were open, day by day.
fn charts(page: &mut String, metrics: &DeskMetrics) {
    page.push_str("<h2>Day by day</h2>");
    let lines: [(&str, Vec<u64>); 3] = [
        ("received", metrics.days.iter().map(|day| day.received).collect()),
        ("resolved", metrics.days.iter().map(|day| day.resolved).collect()),
        ("open", metrics.days.iter().map(|day| day.open).collect()),
    ];
    for (name, counts) in lines {
        let most = counts.iter().copied().max().unwrap_or(0);
        let width = counts.len() * 12;
        let _ = write!(
            page,
            "<p class=\"dim\">{name}, at most {most}</p><svg width=\"{width}\" height=\"40\" role=\"img\" aria-label=\"{name}\">"
        );
        for (at, count) in counts.iter().enumerate() {
            let height = (*count * 38).div_ceil(most.max(1)).max(1);
            let _ = write!(
                page,
                "<rect x=\"{}\" y=\"{}\" width=\"10\" height=\"{height}\" fill=\"#3b7dd8\"><title>{}: {count}</title></rect>",
                at * 12,
                40 - height,
                escape(&moment(metrics.days[at].period.from)),
            );
        }
        page.push_str("</svg>");
    }
}

fn targets(page: &mut String, metrics: &DeskMetrics) {
    let objective = said::share(Some(metrics.objective));
    let _ = write!(page, "<h2>Targets kept <span class=\"dim\">objective {objective}</span></h2><table>");
    for one in metrics.attainment.iter().filter(|one| one.decided > 0) {
        let name = format!("{} of priority {}", said::target(one.target), one.priority);
        let word = if one.value.is_some_and(|value| value >= metrics.objective) { "good" } else { "warn" };
        let share = escape(&said::share(one.value));
        let _ = write!(page, "<tr><td>{}</td><td class=\"{word}\">{share}</td><td>", escape(&name));
        bar(page, one.value.unwrap_or(0.0), 240);
        let _ = write!(page, "</td><td class=\"dim\">{} of {}</td></tr>", one.met, one.decided);
    }
    page.push_str("</table><table><tr><th>Burn rate</th><th></th></tr>");
    for burn in &metrics.burn {
        let word = if burn.is_burning { "bad" } else { "dim" };
        let state = if burn.is_burning { "burning" } else { "fine" };
        let _ =
            write!(page, "<tr><td class=\"{word}\">{state}</td><td>{}</td></tr>", escape(&said::burn(burn)));
    }
    page.push_str("</table>");
}

fn at_risk(page: &mut String, metrics: &DeskMetrics) {
    page.push_str("<h2>Look at these first</h2>");
    if metrics.at_risk.is_empty() {
        page.push_str("<p class=\"good\">none</p>");
        return;
    }
    page.push_str("<table>");
    for one in &metrics.at_risk {
        let is_missed = one.standing.state == Kept::Missed;
        let due = one.standing.due.map(moment).unwrap_or_default();
        let verb = if is_missed { "was due" } else { "is due" };
        let said = format!("{} {verb} {due}", said::target(one.standing.target));
        let word = if is_missed { "bad" } else { "warn" };
        let (ticket, title) = (escape(one.ticket.as_str()), escape(&one.title));
        let _ = write!(
            page,
            "<tr><td>{ticket}</td><td>{title}</td><td class=\"{word}\">{}</td></tr>",
            escape(&said)
        );
    }
    page.push_str("</table>");
}

fn categories(page: &mut String, metrics: &DeskMetrics) {
    if metrics.categories.is_empty() {
        return;
    }
    page.push_str("<h2>Categories, as agents said first</h2><table><tr><th></th><th>tickets</th><th>precision</th><th>recall</th><th>too sure by</th></tr>");
    for one in &metrics.categories {
        let off = said::value(Unit::Difference, one.overconfidence);
        let tickets = one.tickets.to_string();
        row(page, &[&one.category, &tickets, &said::share(one.precision), &said::share(one.recall), &off]);
    }
    page.push_str("</table>");
}

fn pages(page: &mut String, metrics: &DeskMetrics) {
    if metrics.pages.is_empty() {
        return;
    }
    page.push_str("<h2>Pages that helped</h2><table><tr><th>tickets</th><th></th><th></th></tr>");
    for one in &metrics.pages {
        row(page, &[&one.tickets.to_string(), &one.title, one.record.as_str()]);
    }
    page.push_str("</table>");
}

fn row(page: &mut String, cells: &[&str]) {
    page.push_str("<tr>");
    for cell in cells {
        let _ = write!(page, "<td>{}</td>", escape(cell));
    }
    page.push_str("</tr>");
}

fn bar(page: &mut String, share: f64, width: u32) {
    let filled = (share.clamp(0.0, 1.0) * f64::from(width)).round();
    let _ = write!(
        page,
        "<svg width=\"{width}\" height=\"8\"><rect width=\"{width}\" height=\"8\" rx=\"4\" fill=\"#8883\"/>\
         <rect width=\"{filled}\" height=\"8\" rx=\"4\" fill=\"#3b7dd8\"/></svg>"
    );
}

/// A text in which nothing is markup, in an element or an attribute between double quotes.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use jiff::{SignedDuration, Timestamp};
    use ontology::{Kind, RecordId, State};
    use triage::policy::Watched;
    use triage::service::{Period, Spell, TicketLife};

    use super::*;

    #[test]
    fn nothing_of_a_ticket_is_markup_and_nothing_is_asked_of_other_places() {
        let now: Timestamp = "2026-06-05T12:00:00Z".parse().unwrap();
        let created = now - SignedDuration::from_hours(20);
        let life = TicketLife {
            ticket: RecordId::new("desk:<b>1").unwrap(),
            kind: Kind::Incident,
            title: "<script>alert('1')</script> \"& more".to_owned(),
            category: Vec::new(),
            priority: Some(1),
            team: None,
            created,
            responded: None,
            states: vec![Spell { since: created, state: State::Open, word: None }],
            reopened: 0,
            handed_on: None,
            pages: Vec::new(),
            work: None,
        };
        let levels = Watched::built_in().unwrap().levels();
        let period = Period { from: now - SignedDuration::from_hours(48), to: now };
        let page = html(&DeskMetrics::of(&[life], &levels, period), "<main>");
        assert!(page.contains("&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt; &quot;&amp; more"), "{page}");
        assert!(page.contains("desk:&lt;b&gt;1") && page.contains("&lt;main&gt;"));
        for forbidden in ["<script", "<main", "<b>1", "http:", "https:", "src=", "url(", "@import", "href"] {
            assert!(!page.contains(forbidden), "{forbidden} in {page}");
        }
        for (opened, closed) in
            [("<div", "</div>"), ("<table", "</table>"), ("<svg", "</svg>"), ("<details", "</details>")]
        {
            assert_eq!(page.matches(opened).count(), page.matches(closed).count(), "{opened}");
        }
        assert!(page.contains("was due"), "it has missed its targets");
    }
}
