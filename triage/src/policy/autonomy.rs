//! How far may agents go alone in a category, and is this ticket in the share that the roll-out covers?

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::error::{Fault, PolicyError};
use super::facts::PerMille;
use super::vocabulary::Level;

/// How far agents may go alone with one ticket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Autonomy {
    /// The level of its category.
    pub level: Level,
    /// Whether the roll-out of the level covers it.
    pub in_share: bool,
}

/// A percentage of tickets, 0 to 100.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "u8")]
pub struct Share(u8);

impl Share {
    /// The percentage.
    pub fn percent(self) -> u8 {
        self.0
    }

    /// Whether a ticket is in it: always the same ones, and in every larger share as well.
    pub fn has(self, ticket_id: &str) -> bool {
        let digest = Sha256::digest(ticket_id.as_bytes());
        let drawn = digest.iter().take(8).fold(0_u64, |sum, byte| (sum << 8) | u64::from(*byte));
        drawn % 100 < u64::from(self.0)
    }
}

impl TryFrom<u8> for Share {
    type Error = String;

    fn try_from(percent: u8) -> Result<Self, String> {
        match percent {
            0..=100 => Ok(Self(percent)),
            _ => Err(format!("a share of {percent} is more than 100: write a percentage")),
        }
    }
}

/// The settings of `autonomy.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Settings {
    level: Level,
    share: Share,
    #[serde(default, rename = "category")]
    categories: Vec<Category>,
    #[serde(default)]
    hand_over: HandOver,
}

/// When an agent hands a ticket to people instead of answering it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HandOver {
    /// Evidence below this strength is not answered from, in thousandths.
    pub below_strength: PerMille,
    /// Whether to hand over a ticket that gives an error code or alert of which nothing tells, where the nearest record is about another of
    /// its family.
    pub unknown_code: bool,
    /// Whether to hand over where the only page has expired and no solved ticket agrees with it.
    pub expired_page: bool,
}

impl Default for HandOver {
    fn default() -> Self {
        Self { below_strength: PerMille::of(0.40), unknown_code: true, expired_page: true }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Category {
    name: toml::Spanned<Name>,
    level: Level,
    share: Option<Share>,
}

/// A category, or the path to a sub-category.
#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "a category's name, or a list of names from the category down")]
enum Name {
    One(String),
    Path(Vec<String>),
}

impl Name {
    fn path(&self) -> &[String] {
        match self {
            Self::One(name) => std::slice::from_ref(name),
            Self::Path(path) => path,
        }
    }
}

impl Settings {
    /// Reads the settings.
    ///
    /// # Errors
    /// [`PolicyError::Autonomy`] for unknown words, shares over 100, and categories without a name or set twice.
    pub(super) fn parse(file: &str, text: &str) -> Result<Self, PolicyError> {
        let settings: Self = toml::from_str(text)
            .map_err(|error| PolicyError::Autonomy(Fault::of_toml(file, text, &error)))?;
        for (index, category) in settings.categories.iter().enumerate() {
            let path = category.name.get_ref().path();
            let is_twice = settings.categories[..index].iter().any(|earlier| {
                let earlier = earlier.name.get_ref().path();
                earlier.len() == path.len() && begins(path, earlier)
            });
            let problem = if path.is_empty() || path.iter().any(|name| name.trim().is_empty()) {
                "a category without a name".to_owned()
            } else if is_twice {
                format!("the category {} is set twice", path.join(" / "))
            } else {
                continue;
            };
            return Err(PolicyError::Autonomy(Fault::at(file, text, category.name.span().start, problem)));
        }
        Ok(settings)
    }

    /// When an agent hands over.
    pub(super) fn hand_over(&self) -> HandOver {
        self.hand_over
    }

    /// What holds for a ticket of a category: the longest path of the settings that its own path begins with.
    pub(super) fn of(&self, ticket_id: &str, path: &[String]) -> Autonomy {
        let named = self
            .categories
            .iter()
            .filter(|category| begins(path, category.name.get_ref().path()))
            .max_by_key(|category| category.name.get_ref().path().len());
        let level = named.map_or(self.level, |category| category.level);
        let share = named.and_then(|category| category.share).unwrap_or(self.share);
        Autonomy { level, in_share: share.has(ticket_id) }
    }
}

/// Whether a path begins with another, whatever the case of the letters.
fn begins(path: &[String], with: &[String]) -> bool {
    let folded = |name: &String| name.trim().to_lowercase();
    path.len() >= with.len() && path.iter().zip(with).all(|(one, other)| folded(one) == folded(other))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DESK: &str = r#"
        level = "suggest"
        share = 100
        [[category]]
        name = "Network"
        level = "supervised"
        [[category]]
        name = ["Network", "VPN"]
        level = "autonomous"
        share = 0
    "#;

    fn path(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn the_longest_path_counts() {
        let settings = Settings::parse("autonomy.toml", DESK).unwrap();
        let level = |names: &[&str]| settings.of("INC1", &path(names)).level;
        assert_eq!(level(&[]), Level::Suggest);
        assert_eq!(level(&["Printers"]), Level::Suggest);
        assert_eq!(level(&["VPN"]), Level::Suggest);
        assert_eq!(level(&["network"]), Level::Supervised);
        assert_eq!(level(&["Network", "Switches"]), Level::Supervised);
        assert_eq!(level(&["Network", " vpn ", "Tokens"]), Level::Autonomous);
        assert!(settings.of("INC1", &path(&["Network"])).in_share, "the share above is taken over");
        assert!(!settings.of("INC1", &path(&["Network", "VPN"])).in_share);
    }

    #[test]
    fn a_larger_share_has_the_tickets_of_a_smaller_one() {
        let mut counts = Vec::new();
        for percent in 0..=100 {
            let share = Share(percent);
            let inside: Vec<bool> = (0..2000).map(|ticket| share.has(&format!("INC{ticket}"))).collect();
            if let Some(smaller) = percent.checked_sub(1).map(Share) {
                let lost = (0..2000).any(|ticket| smaller.has(&format!("INC{ticket}")) && !inside[ticket]);
                assert!(!lost, "{percent} has not all of {}", percent - 1);
            }
            counts.push(inside.iter().filter(|is_inside| **is_inside).count());
        }
        assert_eq!((counts[0], counts[100]), (0, 2000));
        assert!((300..500).contains(&counts[20]), "a fifth, about: {}", counts[20]);
    }

    #[test]
    fn which_tickets_are_inside_stays_so() {
        let inside: Vec<u32> = (0..20).filter(|ticket| Share(30).has(&format!("INC{ticket}"))).collect();
        assert_eq!(inside, [2, 6, 9, 12, 14], "a running roll-out would change its tickets");
    }

    #[test]
    fn faults_name_their_line_and_the_words() {
        let fault = |text: &str| Settings::parse("autonomy.toml", text).unwrap_err().to_string();
        let unknown = fault("level = \"suggest\"\nshare = 5\n[[category]]\nname = \"A\"\nlevel = \"full\"");
        assert!(unknown.contains("autonomy.toml, line 5: unknown variant `full`"), "{unknown}");
        for level in Level::ALL {
            assert!(unknown.contains(level.as_str()), "{unknown}");
        }
        let over = fault("level = \"off\"\nshare = 101");
        assert!(over.contains("line 2: a share of 101 is more than 100"), "{over}");
        let more = fault("level = \"off\"\nshare = 1\nshares = 2");
        assert!(more.contains("line 3: unknown field `shares`"), "{more}");
        let base = "level = \"off\"\nshare = 1\n[[category]]\nname = \"A\"\nlevel = \"off\"\n[[category]]\n";
        let twice = fault(&format!("{base}name = [\"a\"]\nlevel = \"shadow\""));
        assert!(twice.contains("line 7: the category a is set twice"), "{twice}");
        let unnamed = fault(&format!("{base}name = \" \"\nlevel = \"shadow\""));
        assert!(unnamed.contains("line 7: a category without a name"), "{unnamed}");
    }
}
