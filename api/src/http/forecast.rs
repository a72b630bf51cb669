//! What is coming? `/v1/desk/forecast`.

use jiff::Timestamp;
use triage::{Forecast, Targets};

use super::extract::Operator;
use super::problem::{Problem, ProblemBody};
use super::schema;

/// Forecasts tickets of the next week, what comes again, and which open tickets will miss their target
///
/// Each forecast stands beside what it would have been worth in the desk's own past. Targets are 4, 8, 24, 72 and 120 hours by priority.
#[utoipa::path(get, path = "/v1/desk/forecast", tag = "operation", responses(
    (status = 200, body = schema::Forecast),
    (status = 403, description = "The caller is narrowed", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(crate) async fn show(Operator(caller): Operator) -> Result<axum::Json<Forecast>, Problem> {
    let shown = caller.shown.clone();
    let made = move |desk: &engine::Desk, scope: &ontology::Scope| {
        let forecast = triage::forecast(desk, scope, &Targets::default(), Timestamp::now())?;
        shown.records(forecast.breach.iter().map(|breach| &breach.ticket));
        Ok(axum::Json(forecast))
    };
    caller.run(made).await
}
