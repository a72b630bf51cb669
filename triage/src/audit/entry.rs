//! What does an audit entry say? What was done, by whom, on what: in ids, hashes and numbers, never in the text of a record.

use std::collections::BTreeMap;
use std::fmt;

use engine::{Batch, JournalEntry};
use jiff::Timestamp;
use ontology::RecordId;
use serde::{Deserialize, Serialize};
use serde_json::{Number, Value};
use sha2::{Digest, Sha256};

use super::{AuditError, STREAM};

/// Bytes of a label at most: ids and hashes fit, a sentence does not.
const LABEL_LIMIT_BYTES: usize = 256;

/// One thing that was done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// What was done; also the kind of the entry in its journal.
    pub action: Action,
    /// Who did it.
    pub actor: Actor,
    /// The ticket that it was done for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ticket: Option<RecordId>,
    /// The records that were read, used or changed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub records: Vec<RecordId>,
    /// What ties it to requests, logs and traces.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correlation: Option<Label>,
    /// The rest: versions, digests, policy ids, counts, probabilities.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub details: BTreeMap<Label, Detail>,
}

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Action {
    /// An agent took a step with a ticket.
    AgentAction,
    /// A model classified, ranked or wrote.
    ModelDecision,
    /// A language model was asked.
    ModelCall,
    /// A policy permitted or forbade.
    PolicyDecision,
    /// Somebody read records.
    DataAccess,
    /// A person approved, edited or rejected a proposal.
    Approval,
    /// A person put another decision in the place of one.
    Override,
    /// An approved proposal was carried out, or failed to be.
    Execution,
    /// A setting, a policy or the autonomy of a category changed.
    SettingChanged,
    /// A model or prompt was registered, promoted or rolled back.
    ModelChanged,
    /// A record was deleted or purged.
    Erasure,
}

/// Who did it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Actor {
    /// One of the desk's agents, or the program itself.
    Agent(Label),
    /// A person, or a service that acts under a key of its own.
    Person(Label),
}

/// What an entry may say beside its fixed fields.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Detail {
    /// A number.
    Number(Number),
    /// An id, a version, a hash.
    Label(Label),
    /// Several of them.
    Labels(Vec<Label>),
}

/// An id, a version or a hash: visible ASCII without spaces, so that no text of a record fits in.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Label(Box<str>);

/// The text is no label. It is not repeated here, since it may be what an audit entry must not hold.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error(
    "an audit entry takes an id, version or hash of 1 to {LABEL_LIMIT_BYTES} visible ASCII characters, not {bytes} bytes of other text: give its hash"
)]
pub struct LabelError {
    /// How long the text is.
    pub bytes: usize,
}

impl LabelError {
    /// The stable code of this error.
    pub fn code(&self) -> &'static str {
        "audit-label"
    }
}

/// Appends an entry inside of the caller's transaction; gives its sequence.
///
/// The entry is kept without a record of its own in the journal, so that a purge, which empties what holds text of a record,
/// leaves the audit whole: it holds ids only.
///
/// # Errors
/// [`AuditError`] when the store cannot be written.
pub fn note(batch: &mut Batch<'_>, entry: &Entry, now: Timestamp) -> Result<u64, AuditError> {
    let body = serde_json::to_vec(entry)?;
    Ok(batch.append(STREAM, entry.action.as_str(), None, &body, now)?)
}

/// The bytes of an entry that are hashed: one line of JSON over sequence, moment in microseconds, kind and the body as it is
/// kept. All bytes of the body count, and nothing else of the entry does.
pub fn leaf(entry: &JournalEntry) -> Vec<u8> {
    let kind = Value::from(entry.kind.as_str());
    let at = entry.at.as_microsecond();
    let mut leaf = format!(r#"{{"sequence":{},"at":{at},"kind":{kind},"body":"#, entry.sequence).into_bytes();
    leaf.extend_from_slice(&entry.body);
    leaf.push(b'}');
    leaf
}

impl Entry {
    /// An entry of an actor with nothing else said.
    pub fn new(action: Action, actor: Actor) -> Self {
        Self { action, actor, ticket: None, records: Vec::new(), correlation: None, details: BTreeMap::new() }
    }

    /// Reads an entry back.
    ///
    /// # Errors
    /// [`AuditError::Json`] when a newer program wrote it, or somebody else.
    pub fn read(kept: &JournalEntry) -> Result<Self, AuditError> {
        Ok(serde_json::from_slice(&kept.body)?)
    }
}

impl Action {
    /// The action in a word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AgentAction => "agent-action",
            Self::ModelDecision => "model-decision",
            Self::ModelCall => "model-call",
            Self::PolicyDecision => "policy-decision",
            Self::DataAccess => "data-access",
            Self::Approval => "approval",
            Self::Override => "override",
            Self::Execution => "execution",
            Self::SettingChanged => "setting-changed",
            Self::ModelChanged => "model-changed",
            Self::Erasure => "erasure",
        }
    }
}

impl Label {
    /// Checks a label.
    ///
    /// # Errors
    /// [`LabelError`] when empty, too long, or not made of visible ASCII characters.
    pub fn new(text: &str) -> Result<Self, LabelError> {
        let fits =
            (1..=LABEL_LIMIT_BYTES).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic());
        if fits { Ok(Self(text.into())) } else { Err(LabelError { bytes: text.len() }) }
    }

    /// The text where it is a label, else its SHA-256 in hex: what a person or another system calls itself may be any text.
    pub fn of(text: &str) -> Self {
        Self::new(text)
            .unwrap_or_else(|_| Self(crate::proposal::hex(&Sha256::digest(text.as_bytes())).into()))
    }

    /// The text of the label.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for Label {
    type Error = LabelError;
    fn try_from(text: String) -> Result<Self, LabelError> {
        Self::new(&text)
    }
}

impl From<Label> for String {
    fn from(label: Label) -> Self {
        label.0.into()
    }
}
