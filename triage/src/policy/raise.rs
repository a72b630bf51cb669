//! How does `autonomy.toml` read when a category gets another level? The one line is changed, words and comments around it stay.

use toml_edit::{Array, ArrayOfTables, DocumentMut, Item, Table, Value, value};

use super::autonomy::{Settings, Share};
use super::error::{Fault, PolicyError};
use super::vocabulary::Level;

/// The settings with another level for a category, by its path; for all without one of their own where the path is empty.
///
/// # Errors
/// [`PolicyError::Autonomy`] for settings that cannot be read, before or after.
pub fn with_level(
    text: &str,
    category: &[String],
    level: Level,
    share: Share,
) -> Result<String, PolicyError> {
    Settings::parse("autonomy.toml", text)?;
    let mut settings: DocumentMut = text.parse().map_err(|error: toml_edit::TomlError| {
        PolicyError::Autonomy(Fault::at("autonomy.toml", text, 0, error.message().to_owned()))
    })?;
    let table = match place(&mut settings, category) {
        Some(table) => table,
        None => settings.as_table_mut(),
    };
    table["level"] = value(level.as_str());
    table["share"] = value(i64::from(share.percent()));
    let text = settings.to_string();
    Settings::parse("autonomy.toml", &text)?;
    Ok(text)
}

/// The table of a category, made where there is none; nothing for the path that all have.
fn place<'s>(settings: &'s mut DocumentMut, category: &[String]) -> Option<&'s mut Table> {
    if category.is_empty() {
        return None;
    }
    let all = settings.entry("category").or_insert_with(|| Item::ArrayOfTables(ArrayOfTables::new()));
    let all = all.as_array_of_tables_mut()?;
    let at = all.iter().position(|table| path(table) == folded(category));
    let at = at.unwrap_or_else(|| {
        let mut table = Table::new();
        table["name"] = match category {
            [one] => value(one.as_str()),
            path => Item::Value(Value::Array(path.iter().map(String::as_str).collect::<Array>())),
        };
        all.push(table);
        all.len() - 1
    });
    all.get_mut(at)
}

fn path(table: &Table) -> Vec<String> {
    match table.get("name") {
        Some(Item::Value(Value::Array(names))) => {
            folded(&names.iter().filter_map(|name| name.as_str().map(str::to_owned)).collect::<Vec<_>>())
        }
        Some(name) => folded(&name.as_str().map(str::to_owned).into_iter().collect::<Vec<_>>()),
        None => Vec::new(),
    }
}

fn folded(path: &[String]) -> Vec<String> {
    path.iter().map(|name| name.trim().to_lowercase()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const DESK: &str = "# Ours.\nlevel = \"suggest\" # for all\nshare = 100\n\n[[category]]\nname = \"Network\" # Lena\nlevel = \"supervised\"\n";

    fn raised(category: &[&str], level: Level, share: u8) -> String {
        let category: Vec<String> = category.iter().map(|name| (*name).to_owned()).collect();
        with_level(DESK, &category, level, Share::try_from(share).unwrap()).unwrap()
    }

    #[test]
    fn one_line_changes_and_what_people_wrote_around_it_stays() {
        let text = raised(&["network"], Level::Autonomous, 20);
        assert!(text.starts_with("# Ours.\nlevel = \"suggest\" # for all\nshare = 100\n"), "{text}");
        assert!(text.contains("name = \"Network\" # Lena\nlevel = \"autonomous\"\nshare = 20\n"), "{text}");
        let settings = Settings::parse("autonomy.toml", &text).unwrap();
        assert_eq!(settings.of("a:1", &["Network".to_owned()]).level, Level::Autonomous);
        assert_eq!(settings.of("a:1", &["Mail".to_owned()]).level, Level::Suggest);
    }

    #[test]
    fn a_category_that_had_no_level_of_its_own_gets_one() {
        let text = raised(&["Network", "VPN"], Level::Shadow, 100);
        let settings = Settings::parse("autonomy.toml", &text).unwrap();
        let of = |path: &[&str]| {
            settings.of("a:1", &path.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>()).level
        };
        assert_eq!(of(&["Network", "VPN"]), Level::Shadow);
        assert_eq!(of(&["Network"]), Level::Supervised);
        assert_eq!(of(&[]), Level::Suggest);
        let all = raised(&[], Level::Off, 100);
        assert!(all.contains("level = \"off\" # for all"), "{all}");
    }
}
