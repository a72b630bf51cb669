//! Command line, HTTP and wiring.
