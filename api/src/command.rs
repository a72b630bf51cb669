//! What does each command do? One file a command, or a few that belong together.

pub(crate) mod articles;
pub(crate) mod audit;
pub(crate) mod backup;
pub(crate) mod bundle;
pub(crate) mod desk;
pub(crate) mod eval;
pub(crate) mod graph;
pub(crate) mod ingest;
pub(crate) mod init;
pub(crate) mod keys;
pub(crate) mod mapping;
pub(crate) mod models;
mod oidc;
pub(crate) mod policy;
pub(crate) mod policy_level;
pub(crate) mod quarantine;
pub(crate) mod record;
mod redaction;
pub(crate) mod related;
pub(crate) mod replay;
pub(crate) mod search;
pub(crate) mod serve;
pub(crate) mod status;
pub(crate) mod subject;
pub(crate) mod traces;
pub(crate) mod triage;
mod triage_show;
