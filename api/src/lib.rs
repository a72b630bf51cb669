//! Command line, HTTP and wiring; the only crate that reads the environment, the clock and the network.
//!
//! `main` calls [`run`]. [`cli`] says what can be typed; each file of [`command`] answers one command; [`http`] is what
//! `serve` serves; [`settings`] turns flags and environment into an open desk and a scope.

mod audit_key;
mod cli;
mod code;
mod command;
mod fetch;
mod http;
mod log;
mod output;
mod period;
mod pump;
mod registry;
mod secret_file;
mod settings;
mod trace;
mod unknown;
mod vault_key;

pub use cli::run;
