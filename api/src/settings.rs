//! Where is the desk, and who asks? Flags and environment turned into an open desk, an embedder and a scope.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use clap::Args;
use engine::Desk;
use jiff::Timestamp;
use models::{Embedder, HashEmbedder, MiniLm};
use ontology::{Audience, Scope, TenantId};
use triage::audit::{Action, Actor, Detail, Entry, Label, note};

/// The embedder that a new desk gets.
pub(crate) const DEFAULT_EMBEDDER: &str = "all-MiniLM-L6-v2";

/// Numbers of a vector of the embedder that needs no model.
const HASH_DIMENSIONS: usize = 64;

/// Flags that every command takes.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Options of every command")]
pub(crate) struct Global {
    /// Folder of the desks
    #[arg(long, global = true, env = "TRIAGRAPH_DATA", default_value = "triagraph-data", value_name = "DIR")]
    pub(crate) data: PathBuf,
    /// Whose desk
    #[arg(long, global = true, env = "TRIAGRAPH_TENANT", default_value = "main", value_name = "NAME")]
    pub(crate) tenant: TenantId,
    /// Folder of the models [default: the user's cache folder]
    #[arg(long, global = true, env = "TRIAGRAPH_MODELS", value_name = "DIR")]
    pub(crate) models: Option<PathBuf>,
    /// Answer only from records for these audiences, separated by commas [default: all]
    #[arg(long, global = true, value_delimiter = ',', value_name = "NAMES")]
    pub(crate) audience: Vec<Audience>,
    /// Write JSON instead of text
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Work without the embedder: by words, identifiers and graph only
    #[arg(long, global = true)]
    pub(crate) no_embedder: bool,
    /// Embed by hashed words: for tests of what has to do with vectors, where no model is to be had
    #[arg(long, global = true, hide = true, conflicts_with = "no_embedder")]
    pub(crate) hash_embedder: bool,
    /// Embed in f32 instead of 8 bits: slower, to measure what rounding costs
    #[arg(long, global = true, hide = true, conflicts_with_all = ["no_embedder", "hash_embedder"])]
    pub(crate) exact_embedder: bool,
}

impl Global {
    /// The folder of the models: the flag, the variable, or `triagraph/models` in the user's cache.
    pub(crate) fn models_folder(&self) -> PathBuf {
        if let Some(models) = &self.models {
            return models.clone();
        }
        let home = || std::env::var_os("HOME").map(|home| Path::new(&home).join(".cache"));
        let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from).or_else(home);
        cache.unwrap_or_else(std::env::temp_dir).join("triagraph").join("models")
    }

    /// Where the desk's own policies are; made empty where it is not there, so that one finds where to put them.
    pub(crate) fn policy_folder(&self) -> anyhow::Result<PathBuf> {
        self.check_exists()?;
        let folder = self.data.join(self.tenant.as_str()).join("policy");
        std::fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        Ok(folder)
    }

    pub(crate) fn scope(&self) -> Scope {
        if self.audience.is_empty() {
            Scope::operator(self.tenant.clone())
        } else {
            Scope::of(self.tenant.clone(), self.audience.iter().cloned())
        }
    }

    /// The embedder, if its files are there.
    pub(crate) fn embedder(&self) -> anyhow::Result<Option<Arc<dyn Embedder>>> {
        if self.hash_embedder {
            // Its id names the index folder, so a desk never mixes its vectors with a model's.
            return Ok(Some(Arc::new(HashEmbedder::new(HASH_DIMENSIONS))));
        }
        let folder = self.models_folder().join(DEFAULT_EMBEDDER);
        if self.no_embedder || !folder.is_dir() {
            return Ok(None);
        }
        let open = if self.exact_embedder { MiniLm::open_exact } else { MiniLm::open };
        let embedder = open(&folder)
            .with_context(|| format!("run `triagraph models pull {DEFAULT_EMBEDDER}` to fetch it again"))?;
        Ok(Some(Arc::new(embedder)))
    }

    /// Why there is no embedder, and what to do.
    pub(crate) fn why_no_embedder(&self) -> String {
        if self.no_embedder {
            return "the embedder was left out by --no-embedder; run without it to use one".to_owned();
        }
        format!("no embedder is installed; `triagraph models pull {DEFAULT_EMBEDDER}` fetches one")
    }

    /// Opens the desk; creates it when there is none.
    pub(crate) fn open_or_create(&self) -> anyhow::Result<Desk> {
        Ok(Desk::open(&self.data, &self.tenant, self.embedder()?)?)
    }

    /// Opens a desk that must be there.
    pub(crate) fn open(&self) -> anyhow::Result<Desk> {
        self.check_exists()?;
        self.open_or_create()
    }

    /// Opens a desk that must be there, of which a command shows records; the audit log hears so.
    ///
    /// Who sits at the machine reads files as well as commands: the entry says that it was done, not by whom.
    pub(crate) fn open_to_read(&self, command: &str) -> anyhow::Result<Desk> {
        let desk = self.open()?;
        let mut entry = Entry::new(Action::DataAccess, Actor::Person(Label::of("command-line")));
        entry.details.insert(Label::of("call"), Detail::Label(Label::of(command)));
        desk.store().write(|batch| note(batch, &entry, Timestamp::now()))?;
        Ok(desk)
    }

    /// Says what to do when there is no desk.
    pub(crate) fn check_exists(&self) -> anyhow::Result<()> {
        anyhow::ensure!(
            Desk::exists(&self.data, &self.tenant),
            "there is no desk of tenant {} in {}: make one with `triagraph init`, or name its folder with --data",
            self.tenant,
            self.data.display()
        );
        Ok(())
    }
}
