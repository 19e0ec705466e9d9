//! Reading unit files as systemd's `conf-parser.c` (252) does.

use super::value::ends_in_open_escape;
use super::{Section, Setting, UnitError, UnitFile, Value, is_key, is_section_name};

const BLANKS: [char; 2] = [' ', '\t'];
const COMMENTS: [char; 2] = ['#', ';'];

pub(super) fn unit_file(text: &str) -> Result<UnitFile, UnitError> {
    let mut unit = UnitFile::default();
    for (number, line) in joined_lines(text) {
        let line = line.trim_matches(BLANKS);
        if line.is_empty() {
            continue;
        }
        let syntax = |expected| UnitError::Syntax { line: number, expected };
        if let Some(header) = line.strip_prefix('[') {
            let name = header
                .strip_suffix(']')
                .filter(|name| is_section_name(name))
                .ok_or_else(|| syntax("a section name in brackets"))?;
            unit.sections.push(Section { name: name.to_owned(), settings: Vec::new() });
            continue;
        }
        let setting = setting(line).ok_or_else(|| syntax("Key=value"))?;
        let section = unit.sections.last_mut().ok_or_else(|| syntax("a section before the first setting"))?;
        section.settings.push(setting);
    }
    Ok(unit)
}

fn setting(line: &str) -> Option<Setting> {
    let (key, value) = line.split_once('=')?;
    let key = key.trim_end_matches(BLANKS);
    let value = Value::of_line(value.trim_start_matches(BLANKS));
    is_key(key).then(|| Setting { key: key.to_owned(), value })
}

/// Logical lines with the number of the last line each was joined from. A backslash
/// at the end becomes a blank; comments between joined lines disappear.
fn joined_lines(text: &str) -> Vec<(usize, String)> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    // systemd ends lines at each of these characters, and takes CR LF for one end.
    let text = text.replace("\r\n", "\n");
    let mut lines = Vec::new();
    let mut open: Option<(usize, String)> = None;
    for (index, line) in text.split(['\n', '\r', '\0']).enumerate() {
        if line.trim_start_matches(BLANKS).starts_with(COMMENTS) {
            continue;
        }
        let mut whole = open.take().map_or_else(String::new, |(_, before)| before);
        whole.push_str(line);
        if ends_in_open_escape(&whole) {
            whole.pop();
            whole.push(' ');
            open = Some((index + 1, whole));
        } else {
            lines.push((index + 1, whole));
        }
    }
    lines.extend(open);
    lines
}
