//! Where in a trace is a span of the `tracing` crate, how long did it take, and what may be told of it?

use std::fmt::Debug;
use std::sync::mpsc::SyncSender;
use std::time::{Instant, SystemTime};

use tracing::Subscriber;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::{Extensions, LookupSpan};

use super::context::TraceContext;
use super::exporter::Message;
use super::otlp::{Finished, Told, attribute};

/// The field that puts a span under one of another system, or of an earlier request.
pub(super) const PARENT: &str = "traceparent";

/// Gives spans their place in a trace.
pub(crate) struct Spans {
    sender: Option<SyncSender<Message>>,
}

/// A context that is handed on where nobody collects spans.
struct Passed(TraceContext);

/// A span that is told when it ends.
struct Timed {
    context: TraceContext,
    parent: Option<u64>,
    name: &'static str,
    began: SystemTime,
    clock: Instant,
    told: Told,
}

/// The place of a span, where it has one.
pub(super) fn context(extensions: &Extensions<'_>) -> Option<TraceContext> {
    let timed = extensions.get::<Timed>().map(|timed| timed.context);
    timed.or_else(|| extensions.get::<Passed>().map(|passed| passed.0))
}

impl Spans {
    /// With a sender spans are timed and told; without one a context is handed on.
    pub(super) fn new(sender: Option<SyncSender<Message>>) -> Self {
        Self { sender }
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Spans {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, all: Context<'_, S>) {
        let is_told = self.sender.is_some();
        let Some(span) = all.span(id) else { return };
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        if !is_told {
            if let Some(outside) = fields.parent {
                span.extensions_mut().insert(Passed(outside));
            }
            return;
        }
        let above = fields.parent.or_else(|| span.scope().skip(1).find_map(|one| context(&one.extensions())));
        span.extensions_mut().insert(Timed {
            context: above.map_or_else(TraceContext::root, TraceContext::child),
            parent: above.map(|above| above.span),
            name: attributes.metadata().name(),
            began: SystemTime::now(),
            clock: Instant::now(),
            told: fields.told,
        });
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, all: Context<'_, S>) {
        let Some(span) = all.span(id) else { return };
        if let Some(timed) = span.extensions_mut().get_mut::<Timed>() {
            let mut fields = Fields { parent: None, told: std::mem::take(&mut timed.told) };
            values.record(&mut fields);
            timed.told = fields.told;
        }
    }

    fn on_close(&self, id: Id, all: Context<'_, S>) {
        let (Some(sender), Some(span)) = (&self.sender, all.span(&id)) else { return };
        let Some(timed) = span.extensions_mut().remove::<Timed>() else { return };
        if timed.context.is_sampled() {
            let took = timed.clock.elapsed();
            let Timed { context, parent, name, began, told, .. } = timed;
            let finished = Finished { context, parent, name, began, took, told };
            // A collector that is too slow costs spans, not requests.
            let _ = sender.try_send(Message::Span(Box::new(finished)));
        }
    }
}

/// What the fields of a span say.
#[derive(Default)]
struct Fields {
    parent: Option<TraceContext>,
    told: Told,
}

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == PARENT {
            self.parent = value.parse().ok();
        } else if let Some(name) = attribute(field.name()) {
            self.told.text(name, value.to_owned());
        }
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        if let Some(name) = attribute(field.name()) {
            self.told.number(name, value);
        }
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.record_i64(field, i64::try_from(value).unwrap_or(i64::MAX));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.record_str(field, &format!("{value:?}"));
    }
}
