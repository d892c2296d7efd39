//! Java's regular expressions: whatever the expression and the text, a match is found, is not, or is given up; what groups hold lies in
//! the text. The first line is the expression, what follows the text.

use super::kit;
use etl::pattern::{Groups, Pattern, PatternError, Replacement, WholePattern, WholeTextPattern};

pub(crate) fn hold(bytes: &[u8]) {
    let Some((expression, text)) = kit::two(bytes) else { return };
    let (find, whole) = match (Pattern::new(expression), WholePattern::new(expression)) {
        (Ok(find), Ok(whole)) => (find, whole),
        (find, whole) => {
            // What is written around it may make it too large.
            return [find.err(), whole.err()].iter().flatten().for_each(|error| placed(error, expression));
        }
    };
    if let Err(error) = WholeTextPattern::new(expression) {
        placed(&error, expression);
    }
    assert_eq!(find.as_str(), expression);
    let (anywhere, entire) = (find.is_match(text), whole.is_match(text));
    if entire == Ok(true) {
        assert_ne!(anywhere, Ok(false), "what matches as a whole is found");
    }

    let text = String::from_utf8_lossy(text);
    let mut groups = Groups::default();
    if let Ok(found) = find.find_groups(&text, 0, &mut groups) {
        assert_ne!(find.is_match(text.as_bytes()), Ok(!found), "both ways say the same");
        let spans: Vec<_> = (0..=find.group_count()).filter_map(|group| groups.span(group)).collect();
        assert!(spans.iter().all(|span| span.start <= span.end && span.end <= text.len()), "{spans:?}");
        assert_eq!(found, groups.span(0).is_some());
    }
    if whole.find_groups(&text, 0, &mut groups) == Ok(true) {
        assert_eq!(groups.span(0), Some(0..text.len()), "a whole match is of the whole text");
    }
    let names = find.group_names().unwrap_or_default();
    if let (Ok(same), true) = (Replacement::new("$0", &names), text.len() < 1000)
        && let Ok(Some(replaced)) = find.replace_all(&text, &same)
    {
        assert_eq!(replaced, text, "each match in place of itself");
    }
}

fn placed(error: &PatternError, expression: &str) {
    assert!(expression.is_char_boundary(error.at) && !error.message.is_empty(), "{error:?}");
}
