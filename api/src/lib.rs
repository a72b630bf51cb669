//! Command line, HTTP and wiring; the only crate that reads the environment.
