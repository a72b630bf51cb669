//! How does the report look in a terminal? The few figures that matter first, with bars and a line of the days.

use triage::service::{AtRisk, DeskMetrics, Figure, Kept, Unit};

use super::said;
use crate::output::{self, BAD, BOLD, DIM, GOOD, ID, WARN, moment, paint, shorten};

/// Columns of a bar.
const BAR: usize = 20;
/// Columns of a figure's title.
const TITLE: usize = 38;

/// Writes the page.
pub(super) fn show(metrics: &DeskMetrics, tenant: &str) {
    output::line(format!(
        "{} {tenant}  {}",
        paint(BOLD, "How the desk does:"),
        paint(DIM, said::period(metrics))
    ));
    heading("Tickets", "in the period, and in the one of the same length before");
    let days = |of: fn(&triage::service::Day) -> u64| sparkline(metrics.days.iter().map(of));
    let lines = [days(|day| day.received), days(|day| day.resolved), days(|day| day.open)];
    for (line, name) in lines.iter().zip(["tickets_received", "tickets_resolved", "tickets_open"]) {
        if let Some(figure) = metrics.figure(name) {
            let value = said::value(figure.unit, figure.value);
            output::line(format!("  {:<TITLE$}{value:>12}  {:<20}{line}", figure.title, before(figure)));
        }
    }
    targets(metrics);
    heading("Times", "mean; opening hours are those of each priority");
    each(
        metrics,
        &[
            "time_to_acknowledge_seconds",
            "time_to_acknowledge_business_seconds",
            "time_to_resolve_seconds",
            "time_to_resolve_business_seconds",
        ],
    );
    heading("How well", "");
    each(
        metrics,
        &["first_contact_resolution", "escalation_accuracy", "reopen_rate", "knowledge_contribution"],
    );
    heading("Agents of the desk", "of what came over the workflow");
    each(
        metrics,
        &[
            "automation_rate",
            "automation_drift",
            "agent_utilisation",
            "false_positive_rate",
            "edited_share",
            "helpful_share",
            "category_accuracy",
            "category_calibration_error",
        ],
    );
    categories(metrics);
    pages(metrics);
    at_risk(metrics);
    output::line("");
    output::line(paint(DIM, "What each figure is, exactly: --json or --html FILE"));
}

fn heading(title: &str, meaning: &str) {
    output::line("");
    output::line(format!("{}  {}", paint(BOLD, title), paint(DIM, meaning)));
}

fn each(metrics: &DeskMetrics, names: &[&str]) {
    for figure in names.iter().filter_map(|name| metrics.figure(name)) {
        let value = said::value(figure.unit, figure.value);
        let has_bar = figure.unit == Unit::Share && figure.value.is_some();
        let bar = if has_bar { bar(figure.value) } else { String::new() };
        let ground = paint(DIM, said::ground(figure));
        let gap = if bar.is_empty() { "" } else { "  " };
        output::line(format!(
            "  {:<TITLE$}{value:>12}  {:<20}{bar}{gap}{ground}",
            figure.title,
            before(figure)
        ));
    }
}

fn before(figure: &Figure) -> String {
    let unknown = || String::new();
    figure
        .previous
        .map_or_else(unknown, |previous| format!("before {}", said::value(figure.unit, Some(previous))))
}

fn targets(metrics: &DeskMetrics) {
    heading("Targets kept", &format!("objective {}", said::share(Some(metrics.objective))));
    each(metrics, &["slo_attainment"]);
    for one in metrics.attainment.iter().filter(|one| one.decided > 0) {
        let is_kept = one.value.is_some_and(|value| value >= metrics.objective);
        let name = format!("{} of priority {}", said::target(one.target), one.priority);
        let share = paint(if is_kept { GOOD } else { WARN }, format!("{:>12}", said::share(one.value)));
        let counted = paint(DIM, format!("{} of {}", one.met, one.decided));
        output::line(format!("    {name:<36}{share}  {:<20}{}  {counted}", "", bar(one.value)));
    }
    for burn in &metrics.burn {
        let word = if burn.is_burning { paint(BAD, "burning") } else { paint(DIM, "fine") };
        output::line(format!("  {:<TITLE$}{word}  {}", "Burn rate", paint(DIM, said::burn(burn))));
    }
}

fn categories(metrics: &DeskMetrics) {
    if metrics.categories.is_empty() {
        return;
    }
    heading("Categories", "as agents said first, against what people made of it");
    output::line(paint(
        DIM,
        format!("  {:<24}{:>8}{:>11}{:>8}  too sure by", "", "tickets", "precision", "recall"),
    ));
    for one in &metrics.categories {
        let off = said::value(Unit::Difference, one.overconfidence);
        let (precision, recall) = (said::share(one.precision), said::share(one.recall));
        let name = shorten(&one.category, 23);
        output::line(format!("  {name:<24}{:>8}{precision:>11}{recall:>8}  {off}", one.tickets));
    }
}

fn pages(metrics: &DeskMetrics) {
    if metrics.pages.is_empty() {
        return;
    }
    heading("Pages that helped", "tickets that were solved by them");
    let most = metrics.pages.iter().map(|page| page.tickets).max().unwrap_or(1);
    for page in &metrics.pages {
        let bar = bar(Some(page.tickets as f64 / most as f64));
        let name = if page.title.is_empty() { page.record.to_string() } else { page.title.clone() };
        output::line(format!(
            "  {:>4} {bar}  {}  {}",
            page.tickets,
            shorten(&name, 44),
            paint(ID, &page.record)
        ));
    }
}

fn at_risk(metrics: &DeskMetrics) {
    heading("Look at these first", "open tickets near the end of their time, then those behind it");
    if metrics.at_risk.is_empty() {
        output::line(format!("  {}", paint(GOOD, "none")));
    }
    for one in &metrics.at_risk {
        output::line(format!("  {}  {}  {}", paint(ID, &one.ticket), shorten(&one.title, 50), due(one)));
    }
}

fn due(one: &AtRisk) -> String {
    let due = one.standing.due.map(moment).unwrap_or_default();
    let name = said::target(one.standing.target);
    match one.standing.state {
        Kept::Missed => paint(BAD, format!("{name} was due {due}")),
        _ => paint(WARN, format!("{name} is due {due}")),
    }
}

/// A bar of a share, in eighths of a column.
fn bar(share: Option<f64>) -> String {
    const PARTS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    let eighths = (share.unwrap_or(0.0).clamp(0.0, 1.0) * (BAR * 8) as f64).round() as usize;
    let bar = format!("{}{}", "█".repeat(eighths / 8), PARTS[eighths % 8]);
    format!("{bar:·<BAR$}")
}

/// A line of small bars.
fn sparkline(counts: impl Iterator<Item = u64> + Clone) -> String {
    const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let most = counts.clone().max().unwrap_or(0).max(1);
    counts.map(|count| BARS[(count * 7).div_ceil(most) as usize]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_show_their_share() {
        assert_eq!(bar(Some(0.0)), "·".repeat(BAR));
        assert_eq!(bar(Some(1.0)), "█".repeat(BAR));
        assert_eq!(bar(Some(0.5)), format!("{}{}", "█".repeat(10), "·".repeat(10)));
        assert_eq!(bar(Some(0.02)).chars().next(), Some('▍'));
        assert_eq!(bar(None).chars().count(), BAR);
        assert_eq!(sparkline([0, 1, 7, 14].into_iter()), "▁▂▅█");
    }
}
