//! What does each command do? One file a command, or a few that belong together.

pub(crate) mod init;
pub(crate) mod search;
pub(crate) mod serve;
