//! What does a line of the log look like to a machine? One JSON object, with the correlation id at its top.

use std::fmt::{self, Debug};

use jiff::Timestamp;
use serde_json::{Map, Value, json};
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::{FormatEvent, JsonFields, Writer};
use tracing_subscriber::fmt::{FmtContext, FormattedFields};
use tracing_subscriber::registry::LookupSpan;

/// The field that says what belongs together: a trace id or a request id.
const CORRELATION: &str = "correlation";

/// One object a line.
pub(super) struct Lines;

impl<S: Subscriber + for<'a> LookupSpan<'a>> FormatEvent<S, JsonFields> for Lines {
    fn format_event(
        &self,
        context: &FmtContext<'_, S, JsonFields>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let mut spans = Vec::new();
        for span in context.event_scope().into_iter().flatten() {
            let extensions = span.extensions();
            let said = extensions.get::<FormattedFields<JsonFields>>().map(|said| said.fields.as_str());
            let mut one = Map::from_iter([("name".to_owned(), json!(span.name()))]);
            one.extend(
                said.and_then(|said| serde_json::from_str::<Map<String, Value>>(said).ok())
                    .into_iter()
                    .flatten(),
            );
            spans.push(Value::Object(one));
        }
        let own = fields.0.remove(CORRELATION);
        let correlation = own.or_else(|| spans.iter().find_map(|span| span.get(CORRELATION).cloned()));
        let metadata = event.metadata();
        let mut line = json!({
            "timestamp": format!("{:.6}", Timestamp::now()),
            "level": metadata.level().as_str(),
            "target": metadata.target(),
            "fields": fields.0,
        });
        if let Some(correlation) = correlation {
            line[CORRELATION] = correlation;
        }
        if !spans.is_empty() {
            // The outermost first.
            spans.reverse();
            line["spans"] = Value::Array(spans);
        }
        writeln!(writer, "{line}")
    }
}

#[derive(Default)]
struct Fields(Map<String, Value>);

impl Fields {
    fn add(&mut self, field: &Field, value: Value) {
        self.0.insert(field.name().to_owned(), value);
    }
}

impl Visit for Fields {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.add(field, json!(value));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.add(field, json!(value));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.add(field, json!(value));
    }

    fn record_u128(&mut self, field: &Field, value: u128) {
        self.add(field, json!(u64::try_from(value).unwrap_or(u64::MAX)));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.add(field, json!(value));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.add(field, json!(value));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.add(field, json!(format!("{value:?}")));
    }
}
