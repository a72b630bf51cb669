//! Which identifiers does a text have? Ticket numbers, error codes, hosts, versions and the like, each with its place.

mod dotted;
mod reader;
#[rustfmt::skip]
mod vocabulary;
mod word;

pub(crate) use reader::identifiers;

/// A token that names one thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Identifier {
    /// What sort of name it is.
    pub(crate) scheme: Scheme,
    /// As it is written.
    pub(crate) value: String,
    /// By which it meets others: the [`key`](super::key) of the value, without the `v` of a version; a number has the words
    /// that make it one, as in `event id 4625`.
    pub(crate) key: String,
    /// First byte.
    pub(crate) start: usize,
    /// One past the last byte.
    pub(crate) end: usize,
}

/// Sorts of identifiers. The sort follows from the shape alone: a short host `LT-4711` looks like a ticket, so look things up
/// by key and take the sort as a hint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub(crate) enum Scheme {
    /// `INC0010023`, `HADOOP-1234`.
    TicketNumber,
    /// `CVE-2024-1234`.
    Cve,
    /// `0x80070005`, `ORA-00600`, `ECONNREFUSED`, `Event ID 4625`.
    ErrorCode,
    /// `java.lang.NullPointerException`; its class `NullPointerException` as well.
    Exception,
    /// `mail01.corp.example.com`; its first label as well.
    Host,
    /// IPv4 or IPv6.
    Ip,
    /// `v1.2.3`, `10.0.19045`.
    Version,
    /// `KubePodCrashLooping`.
    AlertName,
    /// Letters and a number, as in `APP000005`.
    Code,
    /// A file.
    Path,
    /// `https://…`
    Url,
    /// `somebody@example.com`.
    Email,
    /// A name from code or configuration: `dfs.namenode.rpc-address`, `container_memory_usage`, `kube-state-metrics`.
    Symbol,
    /// A known record, called by one of its names.
    Name,
}

impl Scheme {
    /// The name in JSON and in the graph.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::TicketNumber => "ticket_number",
            Self::Cve => "cve",
            Self::ErrorCode => "error_code",
            Self::Exception => "exception",
            Self::Host => "host",
            Self::Ip => "ip",
            Self::Version => "version",
            Self::AlertName => "alert_name",
            Self::Code => "code",
            Self::Path => "path",
            Self::Url => "url",
            Self::Email => "email",
            Self::Symbol => "symbol",
            Self::Name => "name",
        }
    }
}

#[cfg(test)]
mod tests;
