//! `Syslog`: messages of RFC 5424 and RFC 3164.
//!
//! Imports: `build`, `component`, `event`, `payload`.

mod bsd;
mod ietf;

use super::{Deserializer, EMPTY, Raw, Unread};
use crate::{
    build::{BuildCx, BuildError},
    component::Component,
    event::Fault,
};
use bon::Builder;
use payload::{ChangeError, Maker, Name, New, Payload};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

const BAD_PRI: Fault = Fault::new("not syslog: the priority in `<>` must be 0 to 191");

const FACILITIES: [&str; 24] = [
    "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp", "ntp",
    "audit", "alert", "clock", "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7",
];
const SEVERITIES: [&str; 8] = ["emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"];

/// Reads messages of syslog, in the form of RFC 5424 and in the older one that RFC 3164 describes; each message shows which.
///
/// | field | what | of |
/// | --- | --- | --- |
/// | `facility`, `severity` | the two numbers of the priority | both |
/// | `facility_name`, `severity_name` | their names: `authpriv`, `err` | both |
/// | `version` | a number | RFC 5424 |
/// | `timestamp` | the text, as it came; in the older form it has no year and no zone | both |
/// | `hostname`, `app_name`, `proc_id` | texts; in the older form the tag is `app_name`, the number in brackets behind it `proc_id` | both |
/// | `msg_id` | a text | RFC 5424 |
/// | `structured_data` | an object of objects of texts; a name that is repeated in an element has a list | RFC 5424 |
/// | `message` | the rest, as it came, without a byte order mark | both |
///
/// What a message does not have, or has as `-`, is left out. The older form is read with or without a priority and a host name, and with
/// a timestamp of RFC 3339, too, as files and daemons write it. A text without a timestamp at its place is no syslog, and fails. Lengths
/// are not limited as the RFC does. Empty lines are dropped. Bytes that are not UTF-8 are read as U+FFFD.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Builder)]
#[serde(deny_unknown_fields)]
pub struct Syslog {}

impl Component for Syslog {
    const NAME: &'static str = "Syslog";
    const EXAMPLE: &'static str = "type: Syslog\n";
}

/// The names of the fields, and what is used again for each message.
#[derive(Debug)]
pub struct State {
    names: Names,
    text: String,
}

#[derive(Debug)]
struct Names {
    facility: Name,
    facility_name: Name,
    severity: Name,
    severity_name: Name,
    version: Name,
    timestamp: Name,
    hostname: Name,
    app_name: Name,
    proc_id: Name,
    msg_id: Name,
    structured_data: Name,
    message: Name,
}

impl Deserializer for Syslog {
    type State = State;

    fn state(&self, _: &BuildCx<'_>) -> Result<State, BuildError> {
        let names = Names {
            facility: Name::new("facility"),
            facility_name: Name::new("facility_name"),
            severity: Name::new("severity"),
            severity_name: Name::new("severity_name"),
            version: Name::new("version"),
            timestamp: Name::new("timestamp"),
            hostname: Name::new("hostname"),
            app_name: Name::new("app_name"),
            proc_id: Name::new("proc_id"),
            msg_id: Name::new("msg_id"),
            structured_data: Name::new("structured_data"),
            message: Name::new("message"),
        };
        Ok(State { names, text: String::new() })
    }

    fn read<'a>(&self, State { names, text }: &mut State, raw: Raw<'a>) -> Result<Payload<'a>, Unread> {
        raw.text(text);
        if text.is_empty() {
            return Err(EMPTY);
        }
        let mut event = raw.arena.make()?;
        let (priority, rest) = priority(text)?;
        if let Some(priority) = priority {
            let (facility, severity) = (priority / 8, priority % 8);
            event.add(&names.facility, i64::from(facility))?;
            event.add(&names.facility_name, FACILITIES.get(usize::from(facility)).copied())?;
            event.add(&names.severity, i64::from(severity))?;
            event.add(&names.severity_name, SEVERITIES.get(usize::from(severity)).copied())?;
        }
        match priority.and_then(|_| ietf::version(rest)) {
            Some((version, rest)) => {
                event.add(&names.version, i64::from(version))?;
                ietf::read(rest, names, &mut event)?;
            }
            None => bsd::read(rest, names, &mut event)?,
        }
        Ok(event.finish())
    }
}

/// `<34>` and what is behind it; None where there is no `<`.
fn priority(text: &str) -> Result<(Option<u8>, &str), Fault> {
    let Some(rest) = text.strip_prefix('<') else { return Ok((None, text)) };
    let (digits, rest) = rest.split_once('>').ok_or(BAD_PRI)?;
    let sound = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let sound = sound && (digits == "0" || !digits.starts_with('0'));
    let priority = digits.parse().ok().filter(|priority| sound && *priority <= 191);
    Ok((Some(priority.ok_or(BAD_PRI)?), rest))
}

/// Adds a field that the message has.
fn add(event: &mut Maker<'_>, name: &Name, text: Option<&str>) -> Result<(), ChangeError> {
    text.map_or(Ok(()), |text| event.add(name, New::Text(text)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{assert_read, assert_unread};

    #[test]
    fn a_message_of_rfc_5424_is_read_into_its_fields() {
        assert_read(
            &Syslog {},
            "<165>1 2003-10-11T22:14:15.003Z mymachine.example.com evntslog - ID47 [ex@32473 iut=\"3\" src=\"a \\\"b\\\"\" src=\"c\"][o] \u{feff}An event",
            r#"{"facility": 20, "facility_name": "local4", "severity": 5, "severity_name": "notice", "version": 1,
                "timestamp": "2003-10-11T22:14:15.003Z", "hostname": "mymachine.example.com", "app_name": "evntslog", "msg_id": "ID47",
                "structured_data": {"ex@32473": {"iut": "3", "src": ["a \"b\"", "c"]}, "o": {}}, "message": "An event"}"#,
        );
        assert_read(
            &Syslog {},
            "<0>1 - - - - - -",
            r#"{"facility": 0, "facility_name": "kern", "severity": 0, "severity_name": "emerg", "version": 1}"#,
        );
    }

    #[test]
    fn an_older_message_is_read_with_what_it_has() {
        let head = r#""facility": 4, "facility_name": "auth", "severity": 2, "severity_name": "crit","#;
        for (text, rest) in [
            (
                "<34>Oct 11 22:14:15 mymachine su[230]: 'su root' failed",
                r#""timestamp": "Oct 11 22:14:15", "hostname": "mymachine", "app_name": "su", "proc_id": "230", "message": "'su root' failed""#,
            ),
            (
                "<34>Feb  5 17:32:18 10.0.0.99 Use the BFG: now!",
                r#""timestamp": "Feb  5 17:32:18", "hostname": "10.0.0.99", "message": "Use the BFG: now!""#,
            ),
            (
                "<34>Feb  5 17:32:18 kernel: [1.2] usb",
                r#""timestamp": "Feb  5 17:32:18", "app_name": "kernel", "message": "[1.2] usb""#,
            ),
            (
                "<34>2003-08-24T05:14:15.000003-07:00 h a.b/c: x",
                r#""timestamp": "2003-08-24T05:14:15.000003-07:00", "hostname": "h", "app_name": "a.b/c", "message": "x""#,
            ),
            (
                "<34>Feb 5 2024 17:32:18.123 h http://x",
                r#""timestamp": "Feb 5 2024 17:32:18.123", "hostname": "h", "message": "http://x""#,
            ),
        ] {
            assert_read(&Syslog {}, text, &format!("{{{head}{rest}}}"));
        }
        assert_read(
            &Syslog {},
            "Jan 24 15:50:41 h cron: x",
            r#"{"timestamp": "Jan 24 15:50:41", "hostname": "h", "app_name": "cron", "message": "x"}"#,
        );
    }

    #[test]
    fn what_is_no_syslog_fails() {
        for (text, reason) in [
            ("", "empty line"),
            ("hello", "not syslog: no timestamp"),
            ("<34>hello", "not syslog: no timestamp"),
            ("<192>1 - - - - - -", "not syslog: the priority in `<>` must be 0 to 191"),
            ("<1", "not syslog: the priority in `<>` must be 0 to 191"),
            ("<1>1 yesterday - - - - -", "not syslog: the timestamp is not one of RFC 3339"),
            ("<1>1 2024-02-30T00:00:00Z - - - - -", "not syslog: the timestamp is not one of RFC 3339"),
            ("<1>1 - - -", "not syslog: the message ends within its header"),
            ("<1>1 - h\u{e9} - - - -", "not syslog: a name in the header is not of printable ASCII"),
            ("<1>1 - - - - - [a b=\"c]", "not syslog: the structured data is broken"),
        ] {
            assert_unread(&Syslog {}, text, reason);
        }
    }
}
