//! Who may do what, and how far may an agent go alone?
//!
//! Cedar decides. The words that policies know stand in `policy/schema.cedarschema`, what always holds in `guards.cedar`, and what
//! a desk may change in `default.cedar`, `access.cedar`, `agents.cedar` and `autonomy.toml`, all compiled in. A desk's own folder ([`Policies::read`]) adds and replaces;
//! every policy is checked against the schema when it is loaded, and a set with a fault is refused as a whole.
//!
//! Only typed facts go in ([`Question`]), never text of a ticket, so instructions in a ticket change no decision. Nothing is
//! allowed that no policy permits, and an error while deciding denies.
//!
//! ```
//! use triage::policy::{Action, Agent, Policies, Principal, Question, Resource, TicketFacts, TicketKind};
//!
//! let policies = Policies::built_in()?;
//! let autonomy = policies.autonomy("INC0012345", &["Network".to_owned()]);
//! let mut ticket = TicketFacts::new(TicketKind::Incident, autonomy);
//! ticket.has_answer = true;
//! let ask = |action| {
//!     let resource = Resource::Ticket(ticket.clone());
//!     policies.decide(&Question { principal: Principal::Agent(Agent::Guidance), action, resource, is_stopped: false })
//! };
//! assert!(ask(Action::ProposeReply).is_allowed);
//! let alone = ask(Action::Reply);
//! assert!(!alone.is_allowed);
//! assert_eq!(alone.policies[0], "level-of-replying");
//! # Ok::<(), triage::policy::PolicyError>(())
//! ```

mod vocabulary;

mod facts;

mod autonomy;
mod boundary;
mod error;
mod texts;

mod entities;
mod load;

mod decide;

mod cases;
mod raise;
mod watched;

pub use autonomy::{Autonomy, HandOver, Share};
pub use boundary::{AgentDeclared, Boundaries, DeedRule, ReadRule};
pub use cases::{CaseResult, Effect, run_cases};
pub use decide::{Policies, Verdict};
pub use error::{Fault, PolicyError};
pub use facts::{
    PerMille, PersonId, Principal, ProposalFacts, Question, Resource, SettingFacts, TicketFacts,
};
pub use load::Written;
pub use raise::with_level;
pub use texts::BUILT_IN_AUTONOMY;
pub use vocabulary::{Action, Agent, Deed, Level, Role, TicketKind};
pub use watched::Watched;
