//! What the groups of an expression hold where it matches.

use super::{Exhausted, JavaRegex, LineEnd, Program, Way, has_line_end};
use std::ops::Range;

/// What the groups of an expression hold in a text. Used again for the next text, it costs no memory.
#[derive(Clone, Debug, Default)]
pub struct Groups {
    spans: Vec<Option<(usize, usize)>>,
    locations: Option<regex::bytes::CaptureLocations>,
}

impl Groups {
    /// Where in the text a group matched; group 0 is the whole expression. None if it took no part in the match.
    pub fn span(&self, group: usize) -> Option<Range<usize>> {
        let (start, end) = (*self.spans.get(group)?)?;
        Some(start..end)
    }

    /// What a group holds of the text that was looked through. None if it took no part in the match.
    pub fn text<'t>(&self, group: usize, text: &'t str) -> Option<&'t str> {
        text.get(self.span(group)?)
    }
}

impl<const WHOLE: bool, const DOTALL: bool> JavaRegex<WHOLE, DOTALL> {
    /// How many groups there are, the whole expression not counted. 0 while the expression is not known.
    pub fn group_count(&self) -> usize {
        match &self.program {
            Program::AnyLine | Program::Late => 0,
            Program::Linear { fast, .. } => fast.captures_len() - 1,
            Program::Backtracking(regex) => regex.captures_len() - 1,
        }
    }

    /// The names of the groups by their numbers; group 0 is the whole expression and has none. None while the expression is not known.
    pub fn group_names(&self) -> Option<Vec<Option<&str>>> {
        match &self.program {
            Program::AnyLine => Some(vec![None]),
            Program::Linear { fast, .. } => Some(fast.capture_names().collect()),
            Program::Backtracking(regex) => Some(regex.capture_names().collect()),
            Program::Late => None,
        }
    }

    /// Looks for the first match that begins at byte `from` or behind it; whether there is one. Its groups are put into `groups`.
    ///
    /// # Errors
    /// As [`JavaRegex::is_match`].
    pub fn find_groups(&self, text: &str, from: usize, groups: &mut Groups) -> Result<bool, Exhausted> {
        groups.spans.clear();
        if from > text.len() {
            return Ok(false);
        }
        match &self.program {
            Program::Late => Ok(false),
            Program::AnyLine => {
                let matches = !has_line_end(text.as_bytes());
                groups.spans.extend(matches.then_some(Some((from, text.len()))));
                Ok(matches)
            }
            Program::Linear { fast, at_line_end } => match self.way(fast, at_line_end.as_deref(), text.as_bytes())? {
                Way::Linear(regex) => Ok(linear(regex, text.as_bytes(), from, groups)),
                Way::Both(regex, end, line_end) => self.either(regex, line_end, (text, end), from, groups),
                Way::Backtracking(regex) => backtrack(regex, text, from, groups),
            },
            Program::Backtracking(regex) => backtrack(regex, text, from, groups),
        }
    }
}

impl<const WHOLE: bool, const DOTALL: bool> JavaRegex<WHOLE, DOTALL> {
    /// Looks in the whole text, and in what is before `end` as if there were no more.
    fn either(
        &self,
        regex: &regex::bytes::Regex,
        line_end: &LineEnd,
        (text, end): (&str, usize),
        from: usize,
        groups: &mut Groups,
    ) -> Result<bool, Exhausted> {
        let shorter = from <= end && linear(regex, &text.as_bytes()[..end], from, groups);
        let without = std::mem::take(&mut groups.spans);
        let longer = linear(regex, text.as_bytes(), from, groups);
        let start = |spans: &[Option<(usize, usize)>]| spans.first().copied().flatten().map(|(start, _)| start);
        match (shorter, longer) {
            (true, true) if start(&without) == start(&groups.spans) && without != groups.spans => {
                // Which of the two is tried first, only the expression knows; where it begins is known.
                let start = start(&without).unwrap_or(from);
                groups.spans.clear();
                return backtrack(self.exact(line_end)?, text, start, groups);
            }
            (true, true) if start(&groups.spans) < start(&without) => {}
            (true, _) => groups.spans = without,
            (false, _) => {}
        }
        Ok(shorter || longer)
    }
}

fn linear(regex: &regex::bytes::Regex, text: &[u8], from: usize, groups: &mut Groups) -> bool {
    groups.spans.clear();
    let found = groups.locations.take().filter(|found| found.len() == regex.captures_len());
    let mut found = found.unwrap_or_else(|| regex.capture_locations());
    let matches = regex.captures_read_at(&mut found, text, from).is_some();
    if matches {
        groups.spans.extend((0..found.len()).map(|group| found.get(group)));
    }
    groups.locations = Some(found);
    matches
}

fn backtrack(regex: &fancy_regex::Regex, text: &str, from: usize, groups: &mut Groups) -> Result<bool, Exhausted> {
    let found = regex.captures_from_pos(text, text.ceil_char_boundary(from)).map_err(|_| Exhausted)?;
    let Some(found) = found else { return Ok(false) };
    groups.spans.extend(found.iter().map(|group| group.map(|group| (group.start(), group.end()))));
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pattern::{Pattern, WholePattern};

    fn found<'t, const WHOLE: bool>(regex: &JavaRegex<WHOLE>, text: &'t str) -> Option<Vec<Option<&'t str>>> {
        let mut groups = Groups::default();
        let names = regex.group_names()?;
        regex
            .find_groups(text, 0, &mut groups)
            .unwrap()
            .then(|| (0..names.len()).map(|n| groups.text(n, text)).collect())
    }

    #[test]
    fn both_engines_say_what_the_groups_hold() {
        for look_around in ["", "(?!x)"] {
            let regex = Pattern::new(&format!(r"{look_around}user=(?<user>\w+)(?: id=(\d+))?$")).unwrap();
            assert_eq!(regex.group_names(), Some(vec![None, Some("user"), None]));
            assert_eq!(found(&regex, "é user=bob id=42"), Some(vec![Some("user=bob id=42"), Some("bob"), Some("42")]));
            assert_eq!(found(&regex, "user=al"), Some(vec![Some("user=al"), Some("al"), None]));
            assert_eq!(
                found(&regex, "user=al\n"),
                Some(vec![Some("user=al"), Some("al"), None]),
                "before a last line end"
            );
            assert_eq!(found(&regex, "user="), None);
        }
    }

    #[test]
    fn a_dot_may_be_a_line_end() {
        let regex = JavaRegex::<true, true>::new("(.)(.*)").unwrap();
        let mut groups = Groups::default();
        assert_eq!(regex.find_groups("\nx\n", 0, &mut groups), Ok(true));
        assert_eq!((groups.span(1), groups.span(2)), (Some(0..1), Some(1..3)));
        assert_eq!(WholePattern::new("(.)(.*)").unwrap().find_groups("\nx\n", 0, &mut groups), Ok(false));
    }

    #[test]
    fn a_whole_match_is_of_the_whole_text() {
        let regex = WholePattern::new("(a|ab)(c?)").unwrap();
        assert_eq!(found(&regex, "ab"), Some(vec![Some("ab"), Some("ab"), Some("")]));
        assert_eq!(found(&regex, "abd"), None);
        assert_eq!(found(&WholePattern::anything(), "é"), Some(vec![Some("é")]));
    }
}
