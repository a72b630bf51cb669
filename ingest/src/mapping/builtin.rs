//! Which mappings come with the program? The files of `presets/`, in the order in which they are tried on a file.

pub(super) const ALL: [(&str, &str); 11] = [
    ("markdown", include_str!("../../presets/markdown.toml")),
    ("prometheus", include_str!("../../presets/prometheus.toml")),
    ("backstage", include_str!("../../presets/backstage.toml")),
    ("netbox", include_str!("../../presets/netbox.toml")),
    ("beir", include_str!("../../presets/beir.toml")),
    ("servicenow", include_str!("../../presets/servicenow.toml")),
    ("jira", include_str!("../../presets/jira.toml")),
    ("zendesk", include_str!("../../presets/zendesk.toml")),
    ("request-tracker", include_str!("../../presets/request-tracker.toml")),
    ("github", include_str!("../../presets/github.toml")),
    ("generic", include_str!("../../presets/generic.toml")),
];
