//! May this be done? A set of policies, and its verdict with the policies that determined it.

use std::path::Path;
use std::sync::OnceLock;

use cedar_policy::{Authorizer, Decision, PolicyId, PolicySet, Schema};
use serde::{Deserialize, Serialize};

use super::autonomy::{Autonomy, Settings};
use super::boundary::Boundaries;
use super::entities::{Asked, Names};
use super::error::PolicyError;
use super::facts::Question;
use super::load::{self, Written};
use super::texts::Texts;

/// A set of policies and the settings of autonomy, checked and in one version.
#[derive(Debug)]
pub struct Policies {
    schema: Schema,
    names: Names,
    authorizer: Authorizer,
    set: PolicySet,
    written: Vec<Written>,
    settings: Settings,
    version: String,
    boundaries: OnceLock<Boundaries>,
}

/// Whether something may be done, and which policies say so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// Whether it may be done.
    pub is_allowed: bool,
    /// The `@id`s of the policies that determined it, in their order: those that permit, or those that forbid. None where nothing
    /// permits it.
    pub policies: Vec<String>,
    /// Why, in plain words: what the policies give as their reasons.
    pub reasons: Vec<String>,
    /// [`Policies::version`].
    pub version: String,
}

impl Policies {
    /// The policies and settings that are part of the program.
    ///
    /// # Errors
    /// [`PolicyError`] only where the texts that are compiled in are broken.
    pub fn built_in() -> Result<Self, PolicyError> {
        Self::from_texts(&Texts::built_in())
    }

    /// The policies of a desk's folder: all its files `*.cedar`, beside the guards that always hold. Without a `default.cedar` or an
    /// `autonomy.toml` of its own the built-in one is used.
    ///
    /// # Errors
    /// [`PolicyError`] where folder or file cannot be read, and with file and line for anything that does not parse, is not named, or
    /// uses words that the schema does not know. No part of such a set is used.
    pub fn read(folder: &Path) -> Result<Self, PolicyError> {
        Self::from_texts(&Texts::read(folder)?)
    }

    pub(super) fn from_texts(texts: &Texts) -> Result<Self, PolicyError> {
        let schema = load::schema()?;
        let (set, written) = load::load(&texts.policies, &schema)?;
        Ok(Self {
            schema,
            names: Names::new()?,
            authorizer: Authorizer::new(),
            set,
            written,
            settings: Settings::parse(&texts.autonomy.file, &texts.autonomy.text)?,
            version: texts.version(),
            boundaries: OnceLock::new(),
        })
    }

    /// SHA-256 over schema, policies and settings, in hex: what a decision, an approval or a proposal names.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Every policy, in order.
    pub fn written(&self) -> &[Written] {
        &self.written
    }

    /// What each agent may not read, and when it hands over.
    pub fn boundaries(&self) -> &Boundaries {
        self.boundaries.get_or_init(|| Boundaries::of(self, self.settings.hand_over()))
    }

    /// The set itself.
    pub(super) fn set(&self) -> &PolicySet {
        &self.set
    }

    /// How far agents may go alone with a ticket of a category (the path from the category down), and whether the roll-out covers it.
    pub fn autonomy(&self, ticket_id: &str, category: &[String]) -> Autonomy {
        self.settings.of(ticket_id, category)
    }

    /// Decides. What no policy permits, what the schema does not know, and what fails while it is decided is not allowed.
    pub fn decide(&self, question: &Question) -> Verdict {
        match self.names.asked(question, &self.schema) {
            Ok(asked) => self.judge(question, &asked),
            Err(problem) => self.verdict(false, Vec::new(), vec![problem.to_string()]),
        }
    }

    fn judge(&self, question: &Question, asked: &Asked) -> Verdict {
        let response = self.authorizer.is_authorized(&asked.request, &self.set, &asked.entities);
        // Cedar skips a policy that fails; one that would have forbidden must not be lost so.
        let mut failed: Vec<String> = response.diagnostics().errors().map(ToString::to_string).collect();
        if !failed.is_empty() {
            failed.sort();
            return self.verdict(false, Vec::new(), failed);
        }
        let determined: Vec<&PolicyId> = response.diagnostics().reason().collect();
        let determining =
            |policy: &&Written| determined.iter().any(|id| AsRef::<str>::as_ref(*id) == policy.id);
        let (policies, mut reasons): (Vec<String>, Vec<String>) = self
            .written
            .iter()
            .filter(determining)
            .map(|policy| (policy.id.clone(), policy.reason.clone()))
            .unzip();
        if policies.is_empty() {
            reasons.push(format!("no policy permits {} to {} here", question.principal, question.action));
        }
        self.verdict(response.decision() == Decision::Allow, policies, reasons)
    }

    fn verdict(&self, is_allowed: bool, policies: Vec<String>, reasons: Vec<String>) -> Verdict {
        Verdict { is_allowed, policies, reasons, version: self.version.clone() }
    }
}

#[cfg(test)]
mod tests;
