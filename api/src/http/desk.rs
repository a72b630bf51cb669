//! How does the desk do? `/v1/desk/metrics` for people, and gauges for Prometheus that no scrape waits for.

use std::fmt::Write;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::extract::Query;
use engine::Desk;
use jiff::Timestamp;
use ontology::Scope;
use serde::Deserialize;
use triage::Workflow;
use triage::service::{DeskMetrics, Figure, Unit, lives};
use utoipa::IntoParams;

use super::app::App;
use super::extract::Operator;
use super::metrics::{head, line};
use super::problem::{Problem, ProblemBody};
use super::schema;
use crate::period::period;

/// How old the gauges may be before they are worked out again, at least.
const FRESH: Duration = Duration::from_secs(60);
/// Times as long as working them out took they are kept: no more than a twentieth of a core goes into them.
const SHARE: u32 = 20;

/// The figures that were worked out last, for Prometheus.
#[derive(Default)]
pub(crate) struct Figures {
    kept: Mutex<Option<Kept>>,
    /// Held by who works them out.
    working: Arc<tokio::sync::Mutex<()>>,
}

#[derive(Clone)]
struct Kept {
    is_fresh_until: Instant,
    metrics: Arc<DeskMetrics>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct MetricsParameters {
    /// Its beginning: a day in UTC, or a moment; four weeks before its end where it is left out.
    #[param(example = "2026-11-01")]
    from: Option<String>,
    /// The day or moment behind it; now where it is left out.
    #[param(example = "2026-11-15T12:00:00Z")]
    to: Option<String>,
}

/// Says how the desk did in a period: times, targets, what agents and pages contributed, each figure with its definition
#[utoipa::path(get, path = "/v1/desk/metrics", tag = "operation", params(MetricsParameters), responses(
    (status = 200, body = schema::DeskMetrics),
    (status = 403, description = "The caller is narrowed", body = ProblemBody, content_type = "application/problem+json"),
    (status = 422, description = "This is no period", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(crate) async fn show(
    Operator(caller): Operator,
    Query(asked): Query<MetricsParameters>,
) -> Result<axum::Json<DeskMetrics>, Problem> {
    let period = period(asked.from.as_deref(), asked.to.as_deref(), Timestamp::now());
    let period = period.map_err(|why| Problem::new("invalid-request", why))?;
    let workflow = caller.app.workflow()?;
    let shown = caller.shown.clone();
    let read = move |desk: &Desk, scope: &Scope| {
        let lives = lives(desk, scope, &workflow)?;
        let metrics = DeskMetrics::of(&lives, &workflow.policies().levels(), period);
        shown.records(metrics.at_risk.iter().map(|one| &one.ticket));
        shown.records(metrics.pages.iter().map(|page| &page.record));
        Ok(axum::Json(metrics))
    };
    caller.run(read).await
}

impl Figures {
    /// Writes the gauges that are at hand, and has newer ones worked out where these are old. The first scrape finds none.
    pub(crate) fn render(&self, app: &App, text: &mut String) {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if kept.as_ref().is_none_or(|kept| kept.is_fresh_until <= Instant::now()) {
            self.renew(app);
        }
        if let Some(kept) = kept {
            gauges(&kept.metrics, text);
        }
    }

    fn renew(&self, app: &App) {
        let Ok(held) = Arc::clone(&self.working).try_lock_owned() else { return };
        let (app, desk, workflow) = match (app.desk(), app.workflow()) {
            (Ok(desk), Ok(workflow)) => (app.clone(), Arc::clone(desk), workflow),
            _ => return,
        };
        let work = move || {
            let _held = held;
            let begun = Instant::now();
            match work_out(&app.scope, &desk, &workflow) {
                Ok(metrics) => {
                    let is_fresh_until = Instant::now() + FRESH.max(begun.elapsed() * SHARE);
                    let kept = Kept { is_fresh_until, metrics: Arc::new(metrics) };
                    *app.figures.kept.lock().unwrap_or_else(PoisonError::into_inner) = Some(kept);
                }
                Err(problem) => tracing::error!(code = problem.code, "{}", problem.detail),
            }
        };
        drop(tokio::task::spawn_blocking(work));
    }
}

fn work_out(scope: &Scope, desk: &Desk, workflow: &Workflow) -> Result<DeskMetrics, Problem> {
    let period = period(None, None, Timestamp::now()).map_err(|why| Problem::new("invalid-request", why))?;
    let lives = lives(desk, scope, workflow)?;
    Ok(DeskMetrics::of(&lives, &workflow.policies().levels(), period))
}

/// The figures of the last four weeks. One without enough data is left out, as Prometheus wants it.
fn gauges(metrics: &DeskMetrics, text: &mut String) {
    for figure in &metrics.figures {
        let name = gauge(figure);
        head(text, &name, "gauge", &format!("{} Of the last 28 days.", figure.definition));
        if let Some(value) = figure.value {
            line(text, &name, "", value);
        }
    }
    let name = "triagraph_desk_slo_attainment_ratio_by_target";
    head(text, name, "gauge", "Share of targets decided in the last 28 days that were kept.");
    for one in &metrics.attainment {
        let labels = format!("target=\"{}\",priority=\"{}\"", one.target.as_str(), one.priority);
        if let Some(value) = one.value {
            line(text, name, &labels, value);
        }
    }
    let name = "triagraph_desk_slo_burn_rate";
    head(text, name, "gauge", "Share of misses in a window over the share that the objective allows.");
    for burn in &metrics.burn {
        for (hours, rate) in [(burn.hours, burn.rate), (burn.short_hours, burn.short_rate)] {
            if let Some(rate) = rate {
                line(text, name, &format!("hours=\"{hours}\""), rate);
            }
        }
    }
    head(
        text,
        "triagraph_desk_slo_burning",
        "gauge",
        "Whether long and short window burn above their threshold.",
    );
    for burn in &metrics.burn {
        line(
            text,
            "triagraph_desk_slo_burning",
            &format!("hours=\"{}\"", burn.hours),
            u8::from(burn.is_burning),
        );
    }
}

/// The name of a figure as Prometheus spells it, with its unit at the end.
fn gauge(figure: &Figure) -> String {
    let mut name = format!("triagraph_desk_{}", figure.name);
    if figure.unit == Unit::Share {
        let _ = write!(name, "_ratio");
    }
    name
}
