//! Why can policies not be used?

use std::fmt;
use std::io;
use std::path::PathBuf;

/// Why a set of policies, settings or cases cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// A file cannot be read.
    #[error("cannot read {}: make it readable for the desk, or take it away", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Policies with faults. None of the set is used.
    #[error("these policies are not used: {}; correct each line and load them again", listed(.0))]
    Policies(Vec<Fault>),
    /// Settings of autonomy with a fault.
    #[error("these settings are not used: {0}; correct the line and load them again")]
    Autonomy(Fault),
    /// Service levels with a fault.
    #[error("these service levels are not used: {0}; correct the line and load them again")]
    Service(Fault),
    /// Actions for the executor with a fault.
    #[error("these actions are not used: {0}; correct the line and load them again")]
    Executor(Fault),
    /// A file of cases that cannot be run.
    #[error("these cases cannot be run: {0}; correct them and try again")]
    Cases(Fault),
}

impl PolicyError {
    /// The stable code of this error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Read { .. } => "policy-unreadable",
            Self::Policies(_) => "policy-invalid",
            Self::Autonomy(_) => "autonomy-invalid",
            Self::Service(_) => "service-invalid",
            Self::Executor(_) => "executor-invalid",
            Self::Cases(_) => "policy-cases-invalid",
        }
    }
}

/// What is wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The file's name.
    pub file: String,
    /// Counted from one.
    pub line: usize,
    /// What is wrong there.
    pub problem: String,
}

impl Fault {
    /// A fault at a byte of a file.
    pub(crate) fn at(file: &str, text: &str, offset: usize, problem: impl Into<String>) -> Self {
        let before = &text.as_bytes()[..offset.min(text.len())];
        let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
        Self { file: file.to_owned(), line, problem: problem.into() }
    }

    /// A fault that a TOML reader found.
    pub(crate) fn of_toml(file: &str, text: &str, error: &toml::de::Error) -> Self {
        let offset = error.span().map_or(0, |span| span.start);
        Self::at(file, text, offset, error.message())
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}, line {}: {}", self.file, self.line, self.problem)
    }
}

fn listed(faults: &[Fault]) -> String {
    faults.iter().map(Fault::to_string).collect::<Vec<_>>().join("; ")
}
