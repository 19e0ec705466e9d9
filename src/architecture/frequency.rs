//! How often a schedule runs, in one word for a table.

/// Hours that count as night: the first six, and the last two of the evening.
const NIGHT: &[&str] = &["0", "00", "1", "01", "2", "02", "3", "03", "4", "04", "5", "05", "22", "23"];

/// `Nightly`, `Daily`, `Hourly`, `Weekly`, `Monthly` and the like; `Scheduled` for what has no word.
pub(super) fn word(at: &str) -> &'static str {
    match at {
        "@hourly" => return "Hourly",
        // Both are 00:00 (crontab(5)).
        "@daily" | "@midnight" => return "Nightly",
        "@weekly" => return "Weekly",
        "@monthly" => return "Monthly",
        "@quarterly" => return "Quarterly",
        "@yearly" | "@annually" => return "Yearly",
        _ => {}
    }
    let fields: Vec<&str> = at.split_ascii_whitespace().collect();
    let number = |field: &str| !field.is_empty() && field.bytes().all(|byte| byte.is_ascii_digit());
    match fields.as_slice() {
        [minute, "*", "*", "*", "*"] if number(minute) => "Hourly",
        [minute, hour, "*", "*", "*"] if number(minute) && NIGHT.contains(hour) => "Nightly",
        [minute, hour, "*", "*", "*"] if number(minute) && number(hour) => "Daily",
        [minute, hour, "*", "*", day] if number(minute) && number(hour) && !day.contains([',', '-', '/']) => {
            "Weekly"
        }
        [minute, hour, day, "*", "*"] if number(minute) && number(hour) && number(day) => "Monthly",
        _ => "Scheduled",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn common_schedules_have_a_word() {
        for (at, expected) in [
            ("10 3 * * *", "Nightly"),
            ("0 23 * * *", "Nightly"),
            ("0 12 * * *", "Daily"),
            ("5 * * * *", "Hourly"),
            ("0 4 * * 0", "Weekly"),
            ("0 4 * * sun", "Weekly"),
            ("0 4 * * 1-5", "Scheduled"),
            ("0 4 1 * *", "Monthly"),
            ("*/5 * * * *", "Scheduled"),
            ("@daily", "Nightly"),
            ("@boot", "Scheduled"),
        ] {
            assert_eq!(word(at), expected, "{at}");
        }
    }
}
