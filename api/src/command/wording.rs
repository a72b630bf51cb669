//! Which language model words answers? The flags of `triage` and `serve` that name one.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use clap::Args;
use models::{ChatModel, GgufModel, LanguageModel, Limits};

/// Variable that holds the key of a language model's server.
const MODEL_KEY: &str = "TRIAGRAPH_MODEL_KEY";

/// A language model. What it says is checked against the sources; without one, answers are made of the sources' own sentences.
#[derive(Debug, Args)]
#[command(next_help_heading = "Language model")]
pub(crate) struct Wording {
    /// Let a chat endpoint (OpenAI's form) word the answer; its key is read from TRIAGRAPH_MODEL_KEY
    #[arg(
        long,
        env = "TRIAGRAPH_MODEL_URL",
        value_name = "URL",
        requires = "model",
        conflicts_with = "gguf"
    )]
    model_url: Option<String>,
    /// Name of the model at that endpoint
    #[arg(long, env = "TRIAGRAPH_MODEL", value_name = "NAME")]
    model: Option<String>,
    /// Let a local GGUF model word the answer: its file, or a folder that holds one
    #[arg(long, value_name = "PATH")]
    gguf: Option<PathBuf>,
    /// Time for one answer of the language model; after it the answer is extractive
    #[arg(long, value_name = "SECONDS", default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=600))]
    model_timeout_seconds: u64,
    /// Tokens of one answer of the language model
    #[arg(long, value_name = "TOKENS", default_value_t = 400, value_parser = clap::value_parser!(u32).range(16..=4096))]
    model_tokens: u32,
}

impl Wording {
    /// The model, where one is named.
    pub(crate) fn model(&self) -> anyhow::Result<Option<Box<dyn LanguageModel>>> {
        if let (Some(url), Some(name)) = (&self.model_url, &self.model) {
            let key = std::env::var(MODEL_KEY).ok().filter(|key| !key.is_empty());
            return Ok(Some(Box::new(ChatModel::new(url, name, key)?.traced(crate::trace::outgoing))));
        }
        let Some(path) = &self.gguf else { return Ok(None) };
        Ok(Some(Box::new(GgufModel::open(&gguf_file(path)?)?)))
    }

    /// What one answer of it may cost.
    pub(crate) fn limits(&self) -> Limits {
        let timeout = Duration::from_secs(self.model_timeout_seconds);
        Limits { max_tokens: self.model_tokens as usize, timeout }
    }
}

fn gguf_file(path: &Path) -> anyhow::Result<PathBuf> {
    if !path.is_dir() {
        return Ok(path.to_owned());
    }
    let mut files: Vec<PathBuf> = std::fs::read_dir(path)
        .with_context(|| format!("{} cannot be read", path.display()))?
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|file| file.extension().is_some_and(|extension| extension == "gguf"))
        .collect();
    files.sort();
    files.into_iter().next().with_context(|| format!("there is no .gguf file in {}", path.display()))
}
