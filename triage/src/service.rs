//! How does the desk do? What callers are promised, what the life of each ticket was, and the figures that follow from both.
//!
//! [`ServiceLevels`] are what `service.toml` promises; [`lives`] reads what the log and the workflow know of each ticket;
//! [`Clocks`] hold a life against a promise; [`DeskMetrics`] are the figures of a period, each with its definition.
//!
//! ```
//! use triage::policy::Watched;
//! use triage::service::Target;
//!
//! let levels = Watched::built_in()?.levels();
//! let (_, promise) = levels.promise(ontology::Kind::Incident, Some(1)).expect("incidents are promised something");
//! assert_eq!(promise.goal(Target::Response), Some(15 * 60));
//! # Ok::<(), triage::policy::PolicyError>(())
//! ```

mod hours;
mod levels;

mod life;
mod lives;
mod work;

mod standing;

mod burn;
mod figures;
mod metrics;

pub use burn::{Attainment, Burn};
pub use figures::{CategoryFigures, Figure, PageUse, Part, Unit};
pub use hours::{Hours, Opening, Openings};
pub use levels::{Promise, ServiceLevels, Target};
pub use life::{Spell, TicketLife};
pub use lives::{life, lives};
pub use metrics::{AtRisk, DESK_METRICS_SCHEMA, Day, DeskMetrics, Period};
pub use standing::{Clocks, Kept, Standing};
pub use work::{AgentDeed, AgentWork, Fate};
