//! `policy set-level`: how far do agents go alone in a category, and what would they have done there so far?

use clap::Args;
use engine::Desk;
use jiff::Timestamp;
use triage::access::Grant;
use triage::policy::{Level, Share, Watched, with_level};
use triage::{LevelChange, Replay, ReplayOptions, Totals, Workflow, replay};

use crate::cli::Outcome;
use crate::command::replay::{head, row};
use crate::output::{self, BOLD, paint};
use crate::settings::Global;

/// The file with the levels, in the folder of the policies.
const AUTONOMY: &str = "autonomy.toml";
/// Tickets of a category from which a replay shows something.
const SHOWN: usize = 20;

/// Say how far agents go alone in a category. Before `supervised` and `autonomous` its past comes again at that level, and what agents
/// would have done is kept with the change.
#[derive(Debug, Args)]
pub(crate) struct SetLevel {
    /// off, shadow, suggest, supervised or autonomous
    #[arg(value_parser = level)]
    level: Level,
    /// The category, and its sub-categories in further flags; without one the level is for all that have none of their own
    #[arg(long, value_name = "NAME")]
    category: Vec<String>,
    /// The percentage of its tickets
    #[arg(long, default_value = "100", value_name = "PERCENT")]
    share: u8,
    /// The latest so many tickets of the desk come again
    #[arg(long, default_value_t = 500, value_name = "NUMBER")]
    latest: usize,
    /// Show what agents would have done, and change nothing
    #[arg(long)]
    plan: bool,
}

fn level(text: &str) -> Result<Level, String> {
    let known = Level::ALL.iter().find(|level| level.as_str() == text);
    known.copied().ok_or_else(|| "say off, shadow, suggest, supervised or autonomous".to_owned())
}

impl SetLevel {
    pub(crate) fn run(&self, global: &Global) -> anyhow::Result<Outcome> {
        let share = Share::try_from(self.share).map_err(anyhow::Error::msg)?;
        let folder = global.policy_folder()?;
        let file = folder.join(AUTONOMY);
        let before = match std::fs::read_to_string(&file) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                triage::policy::BUILT_IN_AUTONOMY.to_owned()
            }
            Err(error) => return Err(error.into()),
        };
        let after = with_level(&before, &self.category, self.level, share)?;
        let desk = global.open()?;
        let wanted = self.level >= Level::Supervised;
        let report = wanted.then(|| self.replayed(global, &desk, &after)).transpose()?;
        if let (Some(report), false) = (&report, global.json) {
            self.show(report);
        }
        let report = report.filter(|report| self.tickets(report) >= SHOWN);
        if self.plan {
            return Ok(Outcome::Fine);
        }
        let workflow = Workflow::new(desk.store(), Watched::open(&folder)?);
        let change =
            LevelChange { category: &self.category, level: self.level, share, replay: report.as_ref() };
        let operator = Grant::operator();
        workflow.change_level(&change, &operator.person, &operator.roles, Timestamp::now())?;
        let next = folder.join(".autonomy.toml.next");
        std::fs::write(&next, after)?;
        std::fs::rename(&next, &file)?;
        let name = if self.category.is_empty() { "all others".to_owned() } else { self.category.join(" / ") };
        if global.json {
            let digest = report.as_ref().map(Replay::digest);
            output::json(&serde_json::json!({
                "category": self.category, "level": self.level, "share": self.share, "replay": digest
            }))?;
        } else {
            output::line(format!(
                "{}: {} for {} % of the tickets",
                paint(BOLD, name),
                self.level,
                self.share
            ));
        }
        Ok(Outcome::Fine)
    }

    /// What agents would have done so far, were the settings these.
    fn replayed(&self, global: &Global, desk: &Desk, autonomy: &str) -> anyhow::Result<Replay> {
        let temporary = tempfile::tempdir()?;
        let policies = temporary.path().join("policy");
        std::fs::create_dir(&policies)?;
        for entry in std::fs::read_dir(global.policy_folder()?)? {
            let entry = entry?;
            if entry.file_type()?.is_file() {
                std::fs::copy(entry.path(), policies.join(entry.file_name()))?;
            }
        }
        std::fs::write(policies.join(AUTONOMY), autonomy)?;
        let fresh = Desk::open(&temporary.path().join("data"), &global.tenant, desk.embedder().cloned())?;
        let workflow = Workflow::new(fresh.store(), Watched::open(&policies)?);
        let options = ReplayOptions { latest: self.latest };
        let past = (desk, &global.scope());
        Ok(replay(past, &fresh, &workflow, options, Timestamp::now(), &mut |_, _| ())?)
    }

    /// How many tickets of the category came again.
    fn tickets(&self, report: &Replay) -> usize {
        self.totals(report).map(|(_, totals)| totals.tickets).sum()
    }

    fn totals<'r>(&self, report: &'r Replay) -> impl Iterator<Item = (&'r str, &'r Totals)> {
        let wanted = self.category.first().cloned();
        let of_category = wanted.clone().into_iter().flat_map(move |wanted| {
            let is_it = move |name: &str| name.eq_ignore_ascii_case(&wanted);
            report
                .by_category
                .iter()
                .filter(move |(name, _)| is_it(name))
                .map(|(name, of)| (name.as_str(), of))
        });
        wanted.is_none().then_some(("all", &report.all)).into_iter().chain(of_category)
    }

    fn show(&self, report: &Replay) {
        output::line(format!("replay {}", report.digest()));
        head();
        self.totals(report).for_each(|(name, totals)| row(name, totals));
        let tickets = self.tickets(report);
        if tickets < SHOWN {
            output::line(format!(
                "{tickets} tickets of it came again, {SHOWN} would show something: no replay is attached"
            ));
        }
    }
}
