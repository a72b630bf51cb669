//! What stands in for an OpenTelemetry collector? An endpoint that keeps the spans it was told.

use serde_json::{Value, json};

use crate::endpoint::{Call, Endpoint, Reply};

/// A collector, which ends with the process.
#[derive(Debug)]
pub struct Collector(Endpoint);

impl Collector {
    /// Starts one.
    ///
    /// # Panics
    /// If no port is free.
    #[must_use]
    pub fn start() -> Self {
        Self(Endpoint::start(|_| Reply::Json(200, json!({}))))
    }

    /// Its base address.
    #[must_use]
    pub fn address(&self) -> &str {
        self.0.address()
    }

    /// Each call so far.
    #[must_use]
    pub fn told(&self) -> Vec<Call> {
        self.0.calls()
    }

    /// All spans so far.
    ///
    /// # Panics
    /// If what it was told is not OTLP in JSON.
    #[must_use]
    pub fn spans(&self) -> Vec<Value> {
        let mut spans = Vec::new();
        for Call { body, .. } in self.told() {
            let body: Value = serde_json::from_str(&body).expect("JSON");
            for resource in body["resourceSpans"].as_array().expect("resources") {
                for scope in resource["scopeSpans"].as_array().expect("scopes") {
                    spans.extend(scope["spans"].as_array().expect("spans").iter().cloned());
                }
            }
        }
        spans
    }
}
