//! What personal data look like.

use crate::pattern::{Pattern, PatternError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// A kind of personal data that is found by what it looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Known {
    /// An e-mail address: `ada@example.com`.
    Email,
    /// An IPv4 address: `81.2.69.142`.
    Ipv4,
    /// The number of a credit or debit card: 13 to 19 digits, in groups or not, whose check digit is right.
    CreditCard,
}

impl Known {
    /// What may be it.
    pub(super) fn pattern(self) -> Result<Pattern, PatternError> {
        Pattern::new(match self {
            Self::Email => r"[A-Za-z0-9._%+-]+@(?:[A-Za-z0-9-]+\.)+[A-Za-z]{2,24}",
            Self::Ipv4 => r"\b\d{1,3}(?:\.\d{1,3}){3}\b",
            Self::CreditCard => r"\d(?:[ -]?\d){12,}",
        })
    }

    /// Adds where in `text[span]`, which the pattern has found, it is.
    pub(super) fn add(self, text: &str, span: Range<usize>, out: &mut Vec<Range<usize>>) {
        let found = text.get(span.clone()).unwrap_or_default();
        match self {
            Self::Email => out.push(span),
            Self::Ipv4 if found.split('.').all(|part| part.parse::<u8>().is_ok()) => out.push(span),
            Self::Ipv4 => {}
            Self::CreditCard => {
                let cards = cards(found).into_iter();
                out.extend(cards.map(|card| span.start + card.start..span.start + card.end));
            }
        }
    }
}

/// The card numbers among groups of digits with one blank or dash between them: a number begins and ends with a group.
fn cards(groups: &str) -> Vec<Range<usize>> {
    let mut cards = vec![];
    let mut spans = vec![];
    let mut at = 0;
    for group in groups.split([' ', '-']) {
        spans.push(at..at + group.len());
        at += group.len() + 1;
    }
    let mut first = 0;
    while let Some(begin) = spans.get(first) {
        let longest = spans.iter().enumerate().skip(first).take(MOST).rev();
        let card =
            longest.map(|(last, end)| (last, begin.start..end.end)).find(|(_, span)| is_card(&groups[span.clone()]));
        first = match card {
            Some((last, span)) => {
                cards.push(span);
                last + 1
            }
            None => first + 1,
        };
    }
    cards
}

/// Digits of a card number, at most.
const MOST: usize = 19;

/// Whether the first digit is one that cards have, and the last is the check digit of the others (Luhn's).
fn is_card(text: &str) -> bool {
    let digits: Vec<u32> = text.chars().filter_map(|c| c.to_digit(10)).take(MOST + 1).collect();
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| match (place % 2, digit * 2) {
            (0, _) => *digit,
            (_, twice) => twice / 10 + twice % 10,
        })
        .sum();
    (13..=MOST).contains(&digits.len()) && matches!(digits.first(), Some(2..=6)) && sum.is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_number_has_its_check_digit_and_whole_groups() {
        for (text, found) in [
            ("4111111111111111", vec!["4111111111111111"]),
            ("4111 1111 1111 1111 12", vec!["4111 1111 1111 1111"]),
            ("12 5500-0000-0000-0004", vec!["5500-0000-0000-0004"]),
            ("378282246310005 4222222222222", vec!["378282246310005", "4222222222222"]),
            ("4111111111111112", vec![]),
            ("1111111111111117", vec![]),
            ("41111111111111111111", vec![]),
            ("4111 1111 1111 11114", vec![]),
        ] {
            let cards: Vec<_> = cards(text).into_iter().map(|span| &text[span]).collect();
            assert_eq!(cards, found, "{text}");
        }
    }
}
