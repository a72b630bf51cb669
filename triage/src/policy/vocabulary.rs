//! Which words do policies know? Agents, roles, actions, kinds, levels and deeds, as `schema.cedarschema` spells them.

use serde::{Deserialize, Serialize};

/// An enum whose variants are words of the schema.
macro_rules! words {
    ($(#[$about:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum $name { $($(#[$doc])* #[serde(rename = $word)] $variant,)+ }

        impl $name {
            /// Every one of them.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// The word.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str(self.as_str())
            }
        }
    };
}

words! {
    /// One of the desk's own agents.
    Agent {
        /// Takes tickets in.
        Intake = "intake",
        /// Finds what is hit, who owns it, what changed.
        Enrichment = "enrichment",
        /// Category, priority, team.
        Triage = "triage",
        /// The answer, and steps of runbooks.
        Guidance = "guidance",
        /// Hands over to people.
        Escalation = "escalation",
    }
}

words! {
    /// What somebody is on the desk.
    Role {
        /// Works on tickets.
        Agent = "agent",
        /// Leads the desk.
        Lead = "lead",
        /// Answers for articles and runbooks.
        KnowledgeManager = "knowledge_manager",
        /// A machine with an account.
        Service = "service",
        /// Reads what was done.
        Auditor = "auditor",
        /// Runs the desk.
        Admin = "admin",
    }
}

words! {
    /// What is to be done.
    Action {
        /// Read records of a kind.
        Read = "read",
        /// Set category, priority and team.
        Route = "route",
        /// Send an answer to the caller.
        Reply = "reply",
        /// Run a step of a runbook.
        Execute = "execute",
        /// Propose a route to people.
        ProposeRoute = "propose_route",
        /// Propose an answer to people.
        ProposeReply = "propose_reply",
        /// Propose a step of a runbook to people.
        ProposeExecute = "propose_execute",
        /// Make a ticket a major incident.
        Declare = "declare",
        /// Propose a major incident to people.
        ProposeDeclare = "propose_declare",
        /// Try a step of a runbook without effect.
        DryRun = "dry_run",
        /// Hand a ticket to people.
        Escalate = "escalate",
        /// Agree to a proposal.
        Approve = "approve",
        /// Turn a proposal down.
        Reject = "reject",
        /// Change a proposal.
        Edit = "edit",
        /// Put another decision in the place of an agent's.
        Override = "override",
        /// Answer all members of a major incident.
        AnswerAll = "answer_all",
        /// Have the agents try again.
        Retry = "retry",
        /// Say how far agents go alone in a category.
        ChangeAutonomy = "change_autonomy",
        /// Throw the kill switch.
        Stop = "stop",
        /// Release the kill switch.
        Resume = "resume",
        /// Read the audit log.
        ReadAudit = "read_audit",
        /// Look things up: search, bundles, triage, records, SPARQL, articles.
        ReadRecords = "read_records",
        /// Look at tickets, proposals, dead letters and the outbox.
        ReadWorkflow = "read_workflow",
        /// See what was hidden from language models.
        ReadHidden = "read_hidden",
        /// Send events of tickets.
        SendEvents = "send_events",
        /// Have events tried again that could not be handled.
        RetryEvents = "retry_events",
        /// Write records and files.
        WriteRecords = "write_records",
        /// Delete or purge records.
        EraseRecords = "erase_records",
        /// Read counts, jobs and metrics.
        ReadState = "read_state",
        /// Run the desk: verify it, and whatever has no action of its own.
        Operate = "operate",
        /// Bring what the desk learnt further, or take it back.
        ManageModels = "manage_models",
        /// See what people did with the desk's work, one by one.
        ReadFeedback = "read_feedback",
        /// Make, list and revoke keys.
        ManageKeys = "manage_keys",
    }
}

impl Action {
    /// Whether it is done to the desk as a whole.
    pub fn is_of_desk(self) -> bool {
        use Action::{
            EraseRecords, ManageKeys, ManageModels, Operate, ReadAudit, ReadFeedback, ReadHidden,
            ReadRecords, ReadState, ReadWorkflow, Resume, RetryEvents, SendEvents, Stop, WriteRecords,
        };
        matches!(
            self,
            Stop | Resume
                | ReadAudit
                | ReadFeedback
                | ReadRecords
                | ReadWorkflow
                | ReadHidden
                | SendEvents
                | RetryEvents
                | WriteRecords
                | EraseRecords
                | ReadState
                | Operate
                | ManageKeys
                | ManageModels
        )
    }
}

words! {
    /// What a ticket is.
    TicketKind {
        /// An unplanned interruption.
        Incident = "incident",
        /// Something asked for.
        ServiceRequest = "service_request",
        /// The cause of incidents.
        Problem = "problem",
        /// Something altered on purpose.
        Change = "change",
    }
}

words! {
    /// How far agents go alone. Each level allows what the one before it does.
    Level {
        /// Agents do nothing.
        Off = "off",
        /// What they would do is recorded.
        Shadow = "shadow",
        /// They propose.
        Suggest = "suggest",
        /// They route alone where they are sure.
        Supervised = "supervised",
        /// They also reply alone where the policies allow it.
        Autonomous = "autonomous",
    }
}

words! {
    /// What a proposal is about.
    Deed {
        /// Category, priority and team.
        Route = "route",
        /// An answer to the caller.
        Reply = "reply",
        /// A major incident.
        Declare = "declare",
        /// A step of a runbook.
        Execute = "execute",
    }
}
