//! Is the desk's history still what it was? `/v1/audit`: entries, signed checkpoints, proofs that an outsider can check.

use std::sync::{Mutex, PoisonError};

use axum::extract::Query;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use engine::{JournalEntry, Store};
use serde::{Deserialize, Serialize};
use triage::audit::{AuditError, Consistency, Hash, Inclusion, STREAM, Sealer, Signer, Tree, leaf};
use utoipa::{IntoParams, ToSchema};

use super::app::App;
use super::extract::Operator;
use super::problem::{Problem, ProblemBody};
use super::search;
use super::tickets::{PAGE, hundred};

/// The audit log of an open desk: its tree, and what signs it.
pub(crate) struct Audit {
    store: Store,
    state: Mutex<(Tree, Sealer)>,
}

impl Audit {
    pub(crate) fn open(store: Store, signer: Signer) -> Result<Self, AuditError> {
        let mut tree = Tree::default();
        tree.catch_up(&store)?;
        let sealer = Sealer::new(&store, signer, 1)?;
        Ok(Self { store, state: Mutex::new((tree, sealer)) })
    }

    /// Signs all that was noted by now; the text of the checkpoint, none where nothing was noted yet.
    pub(crate) fn seal(&self) -> Result<Option<String>, AuditError> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let (tree, sealer) = &mut *state;
        tree.catch_up(&self.store)?;
        Ok(sealer.seal(&self.store, tree)?.map(|checkpoint| checkpoint.text().to_owned()))
    }

    fn with_tree<T>(&self, ask: impl FnOnce(&Tree) -> Result<T, AuditError>) -> Result<T, AuditError> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.0.catch_up(&self.store)?;
        ask(&state.0)
    }
}

/// Reads the audit log on a thread that may block; the door has asked whether the caller may.
async fn read<T: Send + 'static>(
    Operator(caller): Operator,
    ask: impl FnOnce(&App, &Audit) -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    let app = caller.app.clone();
    caller
        .run(move |_, _| {
            let workflow = app.workflow()?;
            // Who reads the log finds in it what was read before.
            app.reads.flush(workflow.store())?;
            ask(&app, app.audit()?)
        })
        .await
}

/// Signs all that was noted by now, and gives the checkpoint
///
/// A signed note with origin, size and root (C2SP tlog-checkpoint). Keep it elsewhere: `triagraph audit verify --checkpoint FILE` then tells
/// whether the log was cut off or signed anew since.
#[utoipa::path(get, path = "/v1/audit/checkpoint", tag = "audit", responses(
    (status = 200, description = "The signed note; empty where nothing was noted yet", body = String, content_type = "text/plain"),
    (status = 403, description = "The caller is narrowed, or the policies do not let it", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(crate) async fn checkpoint(operator: Operator) -> Result<Response, Problem> {
    let text = read(operator, |_, audit| Ok(audit.seal()?.unwrap_or_default())).await?;
    Ok(([(CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response())
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct EntryParameters {
    /// Behind this sequence.
    #[serde(default)]
    after: u64,
    /// How many.
    #[serde(default = "hundred")]
    #[param(minimum = 1, maximum = 1000, default = 100)]
    limit: u32,
}

/// An entry, as it is hashed.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct AuditEntry {
    sequence: u64,
    #[schema(format = DateTime)]
    at: String,
    /// What was done: `agent-action`, `policy-decision`, `approval`, …
    kind: String,
    /// Who, of which ticket, and the rest, in ids, hashes and numbers.
    #[schema(value_type = Object)]
    body: serde_json::Value,
    /// The line whose hash, after a byte 0, is the leaf (RFC 6962).
    leaf: String,
    /// SHA-256 of that, in base64.
    leaf_hash: String,
}

/// Lists what was noted, in order
#[utoipa::path(get, path = "/v1/audit/entries", tag = "audit", params(EntryParameters), responses(
    (status = 200, body = Vec<AuditEntry>),
    (status = 403, description = "The caller is narrowed, or the policies do not let it", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(crate) async fn entries(
    operator: Operator,
    Query(parameters): Query<EntryParameters>,
) -> Result<axum::Json<Vec<AuditEntry>>, Problem> {
    let EntryParameters { after, limit } = parameters;
    search::check_limit(limit as usize, PAGE as usize)?;
    let shown = |entry: &JournalEntry| {
        let leaf = leaf(entry);
        AuditEntry {
            sequence: entry.sequence,
            at: entry.at.to_string(),
            kind: entry.kind.clone(),
            body: serde_json::from_slice(&entry.body).unwrap_or_default(),
            leaf_hash: String::from(Hash::of_leaf(&leaf)),
            leaf: String::from_utf8_lossy(&leaf).into_owned(),
        }
    };
    read(operator, move |_, audit| {
        Ok(axum::Json(audit.store.journal(STREAM, after, limit)?.iter().map(shown).collect()))
    })
    .await
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct InclusionParameters {
    /// Which entry.
    sequence: u64,
    /// Among how many, as a checkpoint says.
    size: u64,
}

/// A proof that an entry is in a tree (RFC 9162, section 2.1.3).
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = Inclusion)]
pub(crate) struct InclusionBody {
    leaf_index: u64,
    tree_size: u64,
    leaf_hash: String,
    audit_path: Vec<String>,
}

/// Proves that an entry is among those that a checkpoint covers
#[utoipa::path(get, path = "/v1/audit/inclusion", tag = "audit", params(InclusionParameters), responses(
    (status = 200, body = InclusionBody),
    (status = 422, description = "There are not as many entries", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(crate) async fn inclusion(
    operator: Operator,
    Query(parameters): Query<InclusionParameters>,
) -> Result<axum::Json<Inclusion>, Problem> {
    let InclusionParameters { sequence, size } = parameters;
    let Some(index) = sequence.checked_sub(1) else {
        return Err(Problem::new("invalid-request", "entries are counted from 1"));
    };
    read(operator, move |_, audit| Ok(axum::Json(audit.with_tree(|tree| tree.inclusion(index, size))?))).await
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ConsistencyParameters {
    /// Size of the older tree.
    first: u64,
    /// Size of the newer tree.
    second: u64,
}

/// A proof that a tree begins with another (RFC 9162, section 2.1.4).
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = Consistency)]
pub(crate) struct ConsistencyBody {
    first: u64,
    second: u64,
    consistency: Vec<String>,
}

/// Proves that nothing that an older checkpoint covers was changed until a newer one
#[utoipa::path(get, path = "/v1/audit/consistency", tag = "audit", params(ConsistencyParameters), responses(
    (status = 200, body = ConsistencyBody),
    (status = 422, description = "There are not as many entries", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(crate) async fn consistency(
    operator: Operator,
    Query(parameters): Query<ConsistencyParameters>,
) -> Result<axum::Json<Consistency>, Problem> {
    let ConsistencyParameters { first, second } = parameters;
    read(operator, move |_, audit| Ok(axum::Json(audit.with_tree(|tree| tree.consistency(first, second))?)))
        .await
}
