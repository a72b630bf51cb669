//! How is the work on one ticket seen across systems? W3C trace context in and out, and spans for an OTLP collector where one is named.
//!
//! [`context`] reads and writes `traceparent`; [`layer`] ties spans of the `tracing` crate to it and times them; [`otlp`] says what a
//! collector is told of them, and [`exporter`] tells it. Where no collector is named nothing is timed and nothing sent: a `traceparent` that came
//! in is handed on as it was.

mod context;
mod exporter;
mod layer;
mod otlp;

use tracing::Metadata;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::{Layer, Registry};

pub(crate) use context::TraceContext;
pub(crate) use exporter::{Collector, Exporter};

/// The layer of a server: with a collector its spans are told to it.
pub(crate) fn layer<S>(exporter: Option<&Exporter>) -> impl Layer<S> + use<S>
where
    S: tracing::Subscriber + for<'a> LookupSpan<'a>,
{
    layer::Spans::new(exporter.map(Exporter::sender))
}

/// Whether a span may come from another system or an earlier request.
pub(crate) fn is_from_outside(metadata: &Metadata<'_>) -> bool {
    metadata.fields().field(layer::PARENT).is_some()
}

/// The `traceparent` for what is asked of others on behalf of the current span.
pub(crate) fn outgoing() -> Option<String> {
    tracing::dispatcher::get_default(|dispatch| {
        let registry = dispatch.downcast_ref::<Registry>()?;
        let span = registry.span(dispatch.current_span().id()?)?;
        let found = span.scope().find_map(|span| layer::context(&span.extensions()))?;
        Some(found.to_string())
    })
}

#[cfg(test)]
mod tests {
    use tracing_subscriber::layer::SubscriberExt;

    use super::{Collector, Exporter, TraceContext, layer, outgoing};

    const GIVEN: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    /// What is handed on from a step of the work on an event.
    fn handed_on(exporter: Option<&Exporter>, traceparent: Option<&str>) -> Option<String> {
        let subscriber = tracing_subscriber::registry().with(layer(exporter));
        tracing::subscriber::with_default(subscriber, || {
            let ticket = tracing::info_span!("ticket", traceparent);
            ticket.in_scope(|| tracing::info_span!("step").in_scope(outgoing))
        })
    }

    #[test]
    fn without_a_collector_a_context_is_handed_on_as_it_came() {
        assert_eq!(handed_on(None, Some(GIVEN)).as_deref(), Some(GIVEN));
        assert_eq!(handed_on(None, Some("00-zz")), None);
        assert_eq!(handed_on(None, None), None);
        assert_eq!(outgoing(), None);
    }

    #[test]
    fn with_a_collector_it_is_the_place_of_the_step() {
        let collector = Collector::new("http://127.0.0.1:9", "", "triagraph").unwrap();
        let exporter = Exporter::start(collector).unwrap();
        let given: TraceContext = GIVEN.parse().unwrap();
        let handed: TraceContext = handed_on(Some(&exporter), Some(GIVEN)).unwrap().parse().unwrap();
        assert_eq!(handed.trace, given.trace);
        assert_ne!(handed.span, given.span);
        let own: TraceContext = handed_on(Some(&exporter), None).unwrap().parse().unwrap();
        assert!(own.trace != given.trace && own.is_sampled());
    }
}
