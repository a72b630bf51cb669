//! The triage agent: classification, guidance, escalation.
