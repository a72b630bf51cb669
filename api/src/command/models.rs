//! `models`: which models are known, which are here, are they what they should be, and what did the desk learn itself?

mod own;
mod wording;

use std::path::Path;

use clap::{Args, Subcommand};
use models::{Catalog, CatalogEntry, CatalogError, ModelRole};

use crate::cli::Outcome;
use crate::fetch;
use crate::output::{self, BAD, BOLD, DIM, GOOD, paint};
use crate::settings::{DEFAULT_EMBEDDER, Global};

/// List, fetch and check models; train, promote and watch the desk's own.
#[derive(Debug, Args)]
pub(crate) struct Models {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List the models that are known by name, and which are here
    List,
    /// Fetch a model and check every byte of it; one that is here already is kept
    Pull {
        /// Its name
        #[arg(default_value = DEFAULT_EMBEDDER)]
        name: String,
    },
    /// Check the files of a model, or of all that are here; exit code 1 when one is missing or altered
    Verify {
        /// Its name
        name: Option<String>,
    },
    #[command(flatten)]
    Own(own::Own),
}

/// How a model's folder is.
enum Presence {
    Whole,
    Absent,
    Broken(CatalogError),
}

impl Presence {
    fn of(entry: &CatalogEntry, folder: &Path) -> Self {
        if !folder.is_dir() {
            return Self::Absent;
        }
        entry.verify(folder).map_or_else(Self::Broken, |()| Self::Whole)
    }

    fn as_str(&self) -> &'static str {
        match self {
            Self::Whole => "whole",
            Self::Absent => "absent",
            Self::Broken(_) => "broken",
        }
    }
}

impl Models {
    pub(crate) fn run(&self, global: &Global) -> anyhow::Result<Outcome> {
        let catalog = Catalog::builtin();
        let home = global.models_folder();
        match &self.action {
            Action::Own(own) => own.run(global),
            Action::List => {
                let found = look(catalog.entries(), &home);
                show(global, &home, &found)?;
                Ok(Outcome::Fine)
            }
            Action::Pull { name } => {
                let folder = fetch::pull(catalog.entry(name)?, &home, &mut |line| output::note(line))?;
                if global.json {
                    output::json(&serde_json::json!({ "name": name, "folder": folder }))?;
                }
                Ok(Outcome::Fine)
            }
            Action::Verify { name } => {
                let named = name.as_deref().map(|name| catalog.entry(name)).transpose()?;
                let mut found = match named {
                    Some(entry) => look([entry], &home),
                    None => look(catalog.entries(), &home),
                };
                let is_bad = |presence: &Presence| match presence {
                    Presence::Whole => false,
                    Presence::Absent => named.is_some(),
                    Presence::Broken(_) => true,
                };
                found.retain(|(_, presence)| is_bad(presence) || matches!(presence, Presence::Whole));
                show(global, &home, &found)?;
                Ok(if found.iter().any(|(_, presence)| is_bad(presence)) {
                    Outcome::Attention
                } else {
                    Outcome::Fine
                })
            }
        }
    }
}

fn look<'c>(
    entries: impl IntoIterator<Item = &'c CatalogEntry>,
    home: &Path,
) -> Vec<(&'c CatalogEntry, Presence)> {
    entries.into_iter().map(|entry| (entry, Presence::of(entry, &home.join(&entry.name)))).collect()
}

fn show(global: &Global, home: &Path, found: &[(&CatalogEntry, Presence)]) -> anyhow::Result<()> {
    if global.json {
        let models = found.iter().map(|(entry, presence)| {
            serde_json::json!({
                "name": entry.name,
                "role": role(entry.role),
                "licence": entry.licence,
                "bytes": bytes(entry),
                "folder": home.join(&entry.name),
                "state": presence.as_str(),
                "reason": if let Presence::Broken(error) = presence { Some(error.to_string()) } else { None },
            })
        });
        return output::json(&models.collect::<Vec<_>>());
    }
    output::line(paint(DIM, format!("models in {}", home.display())));
    for (entry, presence) in found {
        let state = match presence {
            Presence::Whole => paint(GOOD, "here, every byte as it should be"),
            Presence::Absent => format!("not here: `triagraph models pull {}` fetches it", entry.name),
            Presence::Broken(error) => {
                paint(BAD, format!("{error}; `triagraph models pull {}` fetches it again", entry.name))
            }
        };
        let about = format!("{}, {} MB, {}", role(entry.role), bytes(entry) / 1_000_000, entry.licence);
        output::line(format!("{}  {}\n    {state}", paint(BOLD, &entry.name), paint(DIM, about)));
    }
    if found.is_empty() {
        output::line(format!("none: `triagraph models pull {DEFAULT_EMBEDDER}` fetches the embedder"));
    }
    Ok(())
}

fn bytes(entry: &CatalogEntry) -> u64 {
    entry.files.iter().map(|file| file.bytes).sum()
}

fn role(role: ModelRole) -> &'static str {
    match role {
        ModelRole::Embedder => "embedder",
        ModelRole::LanguageModel => "language model",
        _ => "model",
    }
}
