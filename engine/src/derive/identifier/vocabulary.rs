//! Which words tell what a token is? Lists alone; what is done with them is said where they are used.

/// Prefixes of numbers in ticket systems: ServiceNow's tables and common abbreviations.
pub(super) const TICKET_PREFIXES: [&str; 19] = [
    "INC", "CHG", "PRB", "KB", "RITM", "REQ", "TASK", "CTASK", "PTASK", "SCTASK", "CS", "STRY", "SR", "IM",
    "SD", "KM", "RFC", "PM", "CHANGE",
];

/// What stands before a hyphen and a number without being a project: standards, algorithms, counted things, months.
pub(super) const NO_PROJECT: [&str; 39] = [
    "UTF", "ISO", "SHA", "AES", "MD", "RSA", "DES", "RC", "IPV", "TLS", "SSL", "COVID", "ANSI", "CP", "IEEE",
    "BASE", "HTTP", "TIER", "STEP", "PHASE", "DAY", "LEVEL", "PART", "OPTION", "TYPE", "JAN", "FEB", "MAR",
    "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "SEPT", "OCT", "NOV", "DEC", "WINDOWS",
];

/// Products whose messages are numbered after a hyphen.
pub(super) const MESSAGE_PREFIXES: [&str; 14] = [
    "ORA", "TNS", "PLS", "SP2", "RMAN", "IMP", "EXP", "CRS", "PRVF", "OSB", "BEA", "JBAS", "AMQ", "IBM",
];

/// Parts of constant names that say that something failed.
pub(super) const FAILURE_PARTS: [&str; 20] = [
    "ERR", "ERROR", "ERRORS", "FAIL", "FAILED", "FAILURE", "FAULT", "EXCEPTION", "DENIED", "TIMEOUT",
    "TIMEDOUT", "REFUSED", "RESET", "INVALID", "UNREACHABLE", "ABORTED", "NXDOMAIN", "EXPIRED", "UNAVAILABLE",
    "VIOLATION",
];

/// First parts of constant names that are error codes by convention.
pub(super) const ERROR_PREFIXES: [&str; 7] = [
    "NT_STATUS_", "STATUS_", "E_", "SEC_E_", "RPC_S_", "RPC_E_", "DNS_PROBE_",
];

/// POSIX and Node.js error names, with those of DNS answers.
pub(super) const ERRNO: [&str; 48] = [
    "EACCES", "EADDRINUSE", "EADDRNOTAVAIL", "EAGAIN", "EBADF", "EBUSY", "ECANCELED", "ECHILD",
    "ECONNABORTED", "ECONNREFUSED", "ECONNRESET", "EDQUOT", "EEXIST", "EFAULT", "EFBIG", "EHOSTDOWN",
    "EHOSTUNREACH", "EINTR", "EINVAL", "EIO", "EISDIR", "ELOOP", "EMFILE", "ENAMETOOLONG", "ENETDOWN",
    "ENETUNREACH", "ENFILE", "ENODEV", "ENOENT", "ENOEXEC", "ENOMEM", "ENOSPC", "ENOSYS", "ENOTCONN",
    "ENOTDIR", "ENOTEMPTY", "ENOTFOUND", "ENOTSUP", "EOPNOTSUPP", "EPERM", "EPIPE", "EPROTO", "EROFS",
    "ESOCKETTIMEDOUT", "ESTALE", "ETIMEDOUT", "NXDOMAIN", "SERVFAIL",
];

/// Words by which machines are named. Those of three letters and fewer must be all that stands before the number.
pub(super) const HOST_WORDS: [&str; 37] = [
    "server", "srv", "svr", "host", "node", "web", "mail", "mx", "app", "dc", "vm", "esx", "esxi", "ws", "pc",
    "nb", "lt", "proxy", "gw", "fw", "sw", "rtr", "router", "switch", "dns", "dhcp", "ldap", "prn", "printer",
    "citrix", "ctx", "master", "worker", "broker", "namenode", "datanode", "sql",
];

/// Words that make an ordinary phrase of hyphenated parts: "end-to-end", "out-of-office".
pub(super) const PHRASE_WORDS: [&str; 33] = [
    "a", "an", "and", "as", "at", "by", "day", "do", "end", "for", "from", "half", "if", "in", "is", "it",
    "long", "not", "of", "off", "old", "on", "only", "or", "out", "so", "the", "time", "to", "up", "well",
    "with", "year",
];

/// Words in the names of alerts, as the rules of Prometheus and its exporters use them.
pub(super) const ALERT_WORDS: [&str; 66] = [
    "Absent", "Alert", "Backlog", "Budget", "Burn", "Corrupt", "Crash", "Crashed", "Crashing", "Crashlooping",
    "Degraded", "Deprecated", "Down", "Dropping", "Drift", "Error", "Errors", "Exceeded", "Exhausted",
    "Expiration", "Expired", "Expires", "Expiring", "Fail", "Failed", "Failing", "Failure", "Failures",
    "Filling", "Firing", "Flapping", "Full", "Growing", "Hang", "High", "Inconsistent", "Insufficient", "Lag",
    "Latency", "Limit", "Low", "Mismatch", "Missing", "Not", "Out", "Overcommit", "Pending", "Pressure",
    "Quota", "Rejecting", "Restarting", "Saturated", "Saturation", "Skew", "Slow", "Stale", "Stuck",
    "Terminated", "Throttling", "Timeout", "Too", "Unavailable", "Unhealthy", "Unreachable", "Unresponsive",
    "Usage",
];

/// First words of functions and fields in code, which alerts in lower case (`etcdMembersDown`) do not begin with.
pub(super) const FUNCTION_WORDS: [&str; 38] = [
    "abort", "add", "append", "assert", "bytes", "can", "check", "compute", "count", "create", "delete",
    "determine", "do", "fail", "find", "get", "handle", "has", "ignore", "is", "last", "list", "load", "log",
    "make", "max", "on", "put", "read", "rename", "run", "set", "std", "test", "try", "upload", "validate",
    "write",
];

/// First words of classes that test.
pub(super) const TEST_WORDS: [&str; 4] = [
    "Test", "ITest", "ILoad", "Check",
];

/// Words after which two numbers with a full stop are a version, and four are not an address.
pub(super) const VERSION_WORDS: [&str; 7] = [
    "version", "versions", "v", "ver", "release", "build", "firmware",
];

/// Endings of files.
pub(super) const FILE_ENDINGS: [&str; 66] = [
    "bak", "bat", "cfg", "cmd", "conf", "cpp", "crt", "cer", "csv", "css", "deb", "dll", "dmp", "doc", "docx",
    "evtx", "exe", "go", "gz", "htm", "html", "hprof", "ini", "iso", "jar", "java", "js", "json", "lnk",
    "log", "md", "msi", "ost", "pdf", "pem", "pfx", "php", "pid", "ppt", "pptx", "properties", "proto", "ps1",
    "pst", "py", "reg", "rpm", "rs", "scala", "service", "sh", "sql", "sys", "tar", "tgz", "tmp", "toml",
    "txt", "vbs", "vhdx", "vmdk", "war", "xls", "xlsx", "xml", "yaml",
];

/// Endings of host names that are no words.
pub(super) const TOP_LABELS: [&str; 44] = [
    "com", "org", "net", "io", "edu", "gov", "mil", "biz", "local", "lan", "internal", "intra", "intranet",
    "corp", "localdomain", "example", "cloud", "dev", "ad", "de", "fr", "uk", "nl", "eu", "ch", "es", "se",
    "dk", "fi", "cz", "pt", "ru", "cn", "jp", "ca", "au", "br", "mx", "nz", "ie", "pl", "hu", "ro", "tr",
];

/// Endings of host names that are also words or names in code; believed after two labels, or one with a digit or hyphen.
pub(super) const WORD_TOP_LABELS: [&str; 15] = [
    "at", "it", "be", "no", "in", "us", "me", "info", "test", "home", "app", "site", "tech", "svc", "online",
];

/// First labels of the names of packages and classes.
pub(super) const PACKAGE_LABELS: [&str; 11] = [
    "org", "com", "net", "io", "java", "javax", "sun", "jdk", "scala", "system", "edu",
];
