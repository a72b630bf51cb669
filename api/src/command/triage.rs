//! `triage`: what is this ticket, who should have it, and what is to be done?

use std::io::{IsTerminal, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use clap::Args;
use engine::Desk;
use ingest::{Item, Mapping, MappingChoice, Request};
use jiff::Timestamp;
use models::{ChatModel, GgufModel, LanguageModel};
use ontology::{Kind, Record, RecordId, Section, SectionKind};
use triage::{TriageOptions, triage};

use crate::cli::Outcome;
use crate::command::triage_show::show;
use crate::output;
use crate::settings::Global;

/// Variable that holds the key of a language model's server.
const MODEL_KEY: &str = "TRIAGRAPH_MODEL_KEY";

/// Triage a ticket: category, priority, team, related tickets, runbook, and an answer with its sources.
#[derive(Debug, Args)]
pub(crate) struct Triage {
    /// A ticket of the desk, by number or id; without it, and without --file, standard input is read
    #[arg(conflicts_with = "file")]
    ticket: Option<String>,
    /// Tickets in any format that `ingest` reads; `-` is standard input, where plain text is a ticket too
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// How to read the file: a built-in mapping or a file of your own
    #[arg(long, value_name = "MAPPING")]
    mapping: Option<String>,
    /// Let a chat endpoint (OpenAI's form) word the answer; its key is read from TRIAGRAPH_MODEL_KEY
    #[arg(long, value_name = "URL", requires = "model", conflicts_with = "gguf")]
    model_url: Option<String>,
    /// Name of the model at that endpoint
    #[arg(long, value_name = "NAME", requires = "model_url")]
    model: Option<String>,
    /// Let a local GGUF model word the answer: its file, or a folder that holds one
    #[arg(long, value_name = "PATH")]
    gguf: Option<PathBuf>,
    /// Time for the language model
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    model_timeout_seconds: u64,
    /// Tokens of each context bundle
    #[arg(long, value_name = "TOKENS", default_value_t = 4000)]
    budget_tokens: u32,
    /// Leave out search legs that are not ready within this time
    #[arg(long, value_name = "MILLIS")]
    deadline_millis: Option<u64>,
    /// Show what the agent did, step by step
    #[arg(long)]
    explain: bool,
}

impl Triage {
    pub(crate) fn run(&self, global: &Global) -> anyhow::Result<Outcome> {
        let model = self.language_model()?;
        let desk = global.open()?;
        let tickets = self.tickets(&desk, global)?;
        let options = TriageOptions {
            language_model: model.as_deref(),
            model_timeout: Duration::from_secs(self.model_timeout_seconds),
            budget_tokens: self.budget_tokens,
            deadline_millis: self.deadline_millis,
            ..TriageOptions::default()
        };
        let mut outcome = Outcome::Fine;
        let mut all = Vec::new();
        for ticket in &tickets {
            let triaged = triage(&desk, &global.scope(), ticket, &options, Timestamp::now())?;
            if triaged.outcome != triage::Outcome::Answered {
                outcome = Outcome::Attention;
            }
            if global.json {
                all.push(triaged);
            } else {
                show(&triaged, self.explain);
            }
        }
        match all.as_slice() {
            [] => {}
            [one] => output::json(one)?,
            many => output::json(&many)?,
        }
        Ok(outcome)
    }

    fn language_model(&self) -> anyhow::Result<Option<Box<dyn LanguageModel>>> {
        if let (Some(url), Some(name)) = (&self.model_url, &self.model) {
            let key = std::env::var(MODEL_KEY).ok().filter(|key| !key.is_empty());
            return Ok(Some(Box::new(ChatModel::new(url, name, key)?)));
        }
        let Some(path) = &self.gguf else { return Ok(None) };
        Ok(Some(Box::new(GgufModel::open(&gguf_file(path)?)?)))
    }

    fn tickets(&self, desk: &Desk, global: &Global) -> anyhow::Result<Vec<Record>> {
        match (&self.ticket, &self.file) {
            (Some(name), _) => Ok(vec![of_desk(desk, global, name)?]),
            (None, Some(file)) if file != Path::new("-") => self.of_file(file),
            (None, _) => {
                anyhow::ensure!(
                    self.file.is_some() || !std::io::stdin().is_terminal(),
                    "there is no ticket: name one of the desk, or give --file, or write one to standard input"
                );
                self.of_stdin()
            }
        }
    }

    fn of_file(&self, file: &Path) -> anyhow::Result<Vec<Record>> {
        let mapping = self.mapping.as_ref().map(|name| mapping(name)).transpose()?;
        let request = Request {
            paths: vec![file.to_owned()],
            source: None,
            mapping,
            observed: Timestamp::now(),
            audience: Vec::new(),
        };
        let mut tickets = Vec::new();
        for item in ingest::open(&request)? {
            match item {
                Item::Observation(observation) if observation.record.kind.is_ticket() => {
                    tickets.push(observation.record)
                }
                Item::Observation(observation) => anyhow::bail!(
                    "{} is no ticket but {}: name a mapping with --mapping",
                    observation.record.id,
                    observation.record.kind.as_str()
                ),
                Item::Rejected(rejected) => {
                    anyhow::bail!("{} cannot be read: {}", file.display(), rejected.reason)
                }
                Item::Skipped(_) | Item::Quads(_) => {}
            }
        }
        anyhow::ensure!(!tickets.is_empty(), "there is no ticket in {}", file.display());
        Ok(tickets)
    }

    /// Standard input in a format that `ingest` knows, else as plain text: the first line is the title.
    fn of_stdin(&self) -> anyhow::Result<Vec<Record>> {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).context("standard input is no UTF-8 text")?;
        let trimmed = text.trim();
        anyhow::ensure!(!trimmed.is_empty(), "there is no ticket on standard input");
        let is_structured =
            self.mapping.is_some() || trimmed.starts_with(['{', '[']) && trimmed.ends_with(['}', ']']);
        if !is_structured {
            return Ok(vec![plain(trimmed)?]);
        }
        let folder = tempfile::tempdir()?;
        let is_lines = trimmed.starts_with('{')
            && trimmed.lines().count() > 1
            && trimmed.lines().all(|line| line.starts_with('{'));
        let name = match trimmed.chars().next() {
            Some('{') if is_lines => "stdin.jsonl",
            Some('{' | '[') => "stdin.json",
            _ => "stdin.csv",
        };
        let file = folder.path().join(name);
        std::fs::write(&file, &text)?;
        self.of_file(&file)
    }
}

fn of_desk(desk: &Desk, global: &Global, name: &str) -> anyhow::Result<Record> {
    let scope = global.scope();
    let mut found = Vec::new();
    for id in desk.find(&scope, name)? {
        let record = desk.record(&scope, &id, None)?.map(|observation| observation.record);
        found.extend(record.filter(|record| record.kind.is_ticket()));
    }
    match found.len() {
        0 => anyhow::bail!(
            "there is no ticket {name} here: look for it with `triagraph search`, or give it with --file"
        ),
        1 => Ok(found.remove(0)),
        _ => {
            let ids: Vec<String> = found.iter().map(|record| record.id.to_string()).collect();
            anyhow::bail!("{name} is several tickets, name one by its id: {}", ids.join(", "))
        }
    }
}

/// A ticket that somebody typed.
fn plain(text: &str) -> anyhow::Result<Record> {
    const TITLE_CHARS: usize = 120;
    let (first, rest) = text.split_once('\n').unwrap_or((text, ""));
    let title = output::shorten(first, TITLE_CHARS);
    let told = if rest.trim().is_empty() || title.ends_with('…') { text } else { rest.trim() };
    let mut record = Record::new(RecordId::new("stdin:ticket")?, Kind::Incident, title);
    record.sections.push(Section::new(SectionKind::Description, told));
    Ok(record)
}

fn mapping(name: &str) -> anyhow::Result<MappingChoice> {
    if Mapping::builtin_names().any(|builtin| builtin == name) {
        return Ok(MappingChoice::Builtin(name.to_owned()));
    }
    let text = std::fs::read_to_string(name).with_context(|| {
        let known = Mapping::builtin_names().collect::<Vec<_>>().join(", ");
        format!("{name} is neither a file nor one of the mappings {known}")
    })?;
    Ok(MappingChoice::File { name: name.to_owned(), text })
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
