//! Lines as tables, and commands followed through writing, reading and running.

use proptest::prelude::*;

use super::{Command, Content, CrontabError, Daemon, entry, parse, unescape};
use crate::format::cron::CronExpression;
use crate::format::cron::samples::five_fields;

const DAEMONS: [Daemon; 3] = [Daemon::Debian, Daemon::Cronie, Daemon::BusyBox];

fn parsed(text: &str) -> CronExpression {
    CronExpression::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[test]
fn written_lines() {
    let cases = [
        ("@daily", "true", Daemon::Debian, "0 0 * * * true"),
        ("@boot", "true", Daemon::Debian, "@reboot true"),
        ("@quarterly", "true", Daemon::BusyBox, "0 0 1 */3 * true"),
        ("0 6 * * mon-fri", "date +%F", Daemon::Debian, r"0 6 * * 1-5 date +\%F"),
        ("0 6 * * 7", "date +%F", Daemon::Cronie, r"0 6 * * 0 date +\%F"),
        ("0 6 * * 7", "date +%F", Daemon::BusyBox, "0 6 * * 0 date +%F"),
        ("0 6 */2 * *", "x", Daemon::BusyBox, "0 6 1-31/2 * * x"),
        ("0 6 */2 * 1", "x", Daemon::Debian, "0 6 */2 * 1 x"),
        ("@hourly", r"printf 'a\n'", Daemon::Debian, r"0 * * * * printf 'a\n'"),
        ("@hourly", r"printf 'a\\n'", Daemon::Debian, r"0 * * * * printf 'a\\\n'"),
        ("@hourly", r"printf 'a\\n'", Daemon::Cronie, r"0 * * * * printf 'a\\n'"),
        ("@hourly", r"printf '\%'", Daemon::Debian, r"0 * * * * printf '\\\%'"),
        ("@hourly", r"printf '\\%'", Daemon::Cronie, r"0 * * * * printf '\\\%'"),
        ("@hourly", "a # b", Daemon::Debian, "0 * * * * a # b"),
        ("@hourly", "a\\", Daemon::Debian, "0 * * * * a\\"),
    ];
    for (schedule, command, daemon, line) in cases {
        assert_eq!(entry(&parsed(schedule), command, daemon).as_deref(), Ok(line), "{command}");
    }
}

#[test]
fn refused_lines() {
    let character = |character| CrontabError::ForbiddenCharacter { character };
    let start = |character| CrontabError::ForbiddenStart { character };
    let cases = [
        ("", CrontabError::EmptyCommand),
        ("a\nb", character('\n')),
        ("a\rb", character('\r')),
        ("a\0b", character('\0')),
        (" a", CrontabError::OuterBlanks),
        ("a\t", CrontabError::OuterBlanks),
        ("*/bin/x", start('*')),
        ("=x", start('=')),
    ];
    for daemon in DAEMONS {
        for (command, error) in &cases {
            let refused = entry(&parsed("@daily"), command, daemon);
            assert_eq!(refused.as_ref(), Err(error), "{command:?}");
        }
    }
    let busybox = |schedule, command| entry(&parsed(schedule), command, Daemon::BusyBox);
    assert_eq!(busybox("@daily", "a # b"), Err(character('#')));
    assert_eq!(busybox("@daily", "a\\"), Err(CrontabError::Backslash { before: "the end of the line" }));
    assert_eq!(
        busybox("0 0 */2 * 1", "a"),
        Err(CrontabError::BothDays { expression: "0 0 */2 * 1".to_owned() })
    );
    assert_eq!(
        entry(&parsed("@daily"), r"a\%", Daemon::Cronie),
        Err(CrontabError::Backslash { before: "`%`" })
    );
}

#[test]
fn the_longest_command() {
    let fits = "x".repeat(998);
    assert!(entry(&parsed("@daily"), &fits, Daemon::Debian).is_ok());
    let escaped = format!("{}%", "x".repeat(997));
    assert_eq!(
        entry(&parsed("@daily"), &escaped, Daemon::Debian),
        Err(CrontabError::TooLong { bytes: 999, limit: 998 })
    );
    assert!(entry(&parsed("@daily"), &escaped, Daemon::BusyBox).is_ok());
}

#[test]
fn lines_of_a_crontab() {
    let environment = |name, value| Content::Environment { name, value };
    let job = |schedule, command| {
        let expression = CronExpression::parse(schedule);
        Content::Entry { schedule, expression, command }
    };
    let boot = Content::Entry { schedule: "@reboot", expression: Ok(CronExpression::Boot), command: "x y" };
    let cases = [
        ("", Content::Blank),
        (" \t", Content::Blank),
        ("# m h dom mon dow command", Content::Comment),
        ("  #x", Content::Comment),
        ("SHELL=/bin/sh", environment("SHELL", "/bin/sh")),
        ("MAILTO = \"a b\" ", environment("MAILTO", "a b")),
        ("MAILTO=", environment("MAILTO", "")),
        ("'A B' = c d  ", environment("A B", "c d")),
        ("A=b # c", environment("A", "b # c")),
        ("A='b' c", Content::Unknown),
        ("A='b", Content::Unknown),
        ("=b", Content::Unknown),
        ("\t5  4 * *\tsun   echo  a=b %x ", job("5  4 * *\tsun", "echo  a=b %x ")),
        ("@daily x=y", job("@daily", "x=y")),
        ("@reboot  x y", boot),
        ("0 0 30 2 * never", job("0 0 30 2 *", "never")),
        ("prose that has at least six words", job("prose that has at least", "six words")),
        ("0 0 * * *", Content::Unknown),
        ("0 0 * * * ", Content::Unknown),
        ("@daily", Content::Unknown),
        ("é", Content::Unknown),
    ];
    for (line, content) in cases {
        let text = format!("{line}\n");
        let lines = parse(&text);
        assert_eq!(lines.len(), 1, "{line:?}");
        assert_eq!(lines[0].content, content, "{line:?}");
    }
}

#[test]
fn percent_signs_as_the_manual_has_them() {
    let mail = "mail -s \"It's 10pm\" joe%Joe,%%Where are your kids?%";
    let run = Command {
        text: "mail -s \"It's 10pm\" joe".to_owned(),
        input: Some("Joe,\n\nWhere are your kids?\n".to_owned()),
    };
    assert_eq!(unescape(mail, Daemon::Debian), run);
    assert_eq!(unescape(mail, Daemon::Cronie), run);
    assert_eq!(unescape(mail, Daemon::BusyBox).text, mail);
    let input = |written| unescape(written, Daemon::Debian).input;
    assert_eq!(input(r"cat%a\%b%c\d").as_deref(), Some("a%b\nc\\d\n"));
    assert_eq!(input("cat%").as_deref(), Some(""));
    assert_eq!(input("cat"), None);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn what_is_written_is_what_runs(
        schedule in five_fields(),
        command in r"[\\% #'a-c]{1,12}|\PC{1,20}|[\\%]{1,8}",
    ) {
        let Ok(expression) = CronExpression::parse(&schedule) else { return Ok(()) };
        for daemon in DAEMONS {
            let Ok(line) = entry(&expression, &command, daemon) else { continue };
            prop_assert!(!line.contains('\n'));
            let lines = parse(&line);
            prop_assert_eq!(lines.len(), 1);
            let Content::Entry { expression: again, command: written, .. } = &lines[0].content else {
                panic!("{line:?} is read as {:?}", lines[0].content)
            };
            prop_assert_eq!(again, &Ok(expression));
            let run = unescape(written, daemon);
            prop_assert_eq!(run, Command { text: command.clone(), input: None });
        }
    }

    #[test]
    fn debian_can_write_any_sensible_command(command in r"[a-z/][\\%#'a-c ]{0,20}[\\%a-c]") {
        let expression = parsed("@daily");
        prop_assert!(entry(&expression, &command, Daemon::Debian).is_ok());
    }

    #[test]
    fn any_text_is_lines(text in "([*0-9@=#'\"a-c \t\r\n]|\\PC){0,60}") {
        let joined: String = parse(&text).iter().map(|line| line.raw).collect();
        prop_assert_eq!(joined, text);
    }
}
