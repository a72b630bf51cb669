//! What do the desk and its executor share? The flag of `serve` that names the secret's file, or the variable that holds it.

use std::path::PathBuf;

use anyhow::{Context, ensure};
use clap::Args;

use crate::http::{App, Secret};

/// The variable with the secret: never a flag, which others on the machine can read.
const SECRET: &str = "TRIAGRAPH_EXECUTOR_SECRET";

/// The executor of runbooks' steps, which `policy/executor.toml` names.
#[derive(Debug, Args)]
#[command(next_help_heading = "Steps of runbooks")]
pub(crate) struct Executor {
    /// File with the secret that signs what the executor is told, `whsec_` and base64 [default: the variable TRIAGRAPH_EXECUTOR_SECRET, if it is set]
    #[arg(long, value_name = "FILE")]
    executor_secret_file: Option<PathBuf>,
}

impl Executor {
    /// Gives the server the secret, where there is one.
    pub(crate) fn arm(&self, app: &App) -> anyhow::Result<()> {
        let text = match &self.executor_secret_file {
            Some(path) => {
                let text = std::fs::read_to_string(path);
                text.with_context(|| format!("cannot read the executor's secret from {}", path.display()))?
            }
            None => match std::env::var(SECRET) {
                Ok(text) => text,
                Err(_) => return Ok(()),
            },
        };
        app.executor.arm(Secret::new(&text).map_err(anyhow::Error::msg)?);
        Ok(())
    }
}

/// Refuses to serve a desk whose executor could not know it.
pub(crate) fn check(app: &App, executor: &triage::Executor) -> anyhow::Result<()> {
    ensure!(
        executor.is_empty() || app.executor.is_armed(),
        "policy/executor.toml lists actions, and there is no secret to sign with: name its file with --executor-secret-file, or set {SECRET} \
         (`echo whsec_$(openssl rand -base64 32)` makes one)"
    );
    Ok(())
}
