//! Characters and classes of Java's regular expressions: `\x41`, `\p{Alpha}`, `[a-z&&[^aeiou]]`.

use super::{Atom, Reader, Result, refuse};
use std::fmt::Write as _;

/// Java's `\w`.
pub(super) const CLASS_WORD: &str = "0-9A-Za-z_";
/// What ends a line in Java, as the inside of a class.
pub(super) const LINE_ENDS: &str = r"\n\r\x{85}\x{2028}\x{2029}";
const SPACE: &str = r"\t\n\x0B\x0C\r\x20";
const HORIZONTAL: &str = r"\t\x20\x{A0}\x{1680}\x{180E}\x{2000}-\x{200A}\x{202F}\x{205F}\x{3000}";
const VERTICAL: &str = r"\n\x0B\x0C\r\x{85}\x{2028}\x{2029}";

/// The POSIX classes, which are ASCII in Java.
const POSIX: [(&str, &str); 13] = [
    ("Lower", "a-z"),
    ("Upper", "A-Z"),
    ("ASCII", r"\x00-\x7F"),
    ("Alpha", "A-Za-z"),
    ("Digit", "0-9"),
    ("Alnum", "0-9A-Za-z"),
    ("Punct", r"\x21-\x2F\x3A-\x40\x5B-\x60\x7B-\x7E"),
    ("Graph", r"\x21-\x7E"),
    ("Print", r"\x20-\x7E"),
    ("Blank", r"\t\x20"),
    ("Cntrl", r"\x00-\x1F\x7F"),
    ("XDigit", "0-9A-Fa-f"),
    ("Space", SPACE),
];

const CATEGORIES: [&str; 38] = [
    "L", "Lu", "Ll", "Lt", "LC", "Lm", "Lo", "M", "Mn", "Mc", "Me", "N", "Nd", "Nl", "No", "P", "Pc", "Pd", "Ps", "Pe",
    "Pi", "Pf", "Po", "S", "Sm", "Sc", "Sk", "So", "Z", "Zs", "Zl", "Zp", "C", "Cc", "Cf", "Cs", "Co", "Cn",
];

fn code_point(begin: usize, code: Option<u32>) -> Result<Atom> {
    match code.and_then(char::from_u32) {
        Some(c) => Ok(Atom::Char(c)),
        None => refuse(begin, "this is no character", Some("write `\\x{1F600}`, `\\u00e9` or `\\x41`")),
    }
}

impl Reader<'_> {
    /// `[…]`, as a class for the engines here.
    pub(super) fn class(&mut self) -> Result<String> {
        let begin = self.at;
        self.at += 1;
        self.depth += 1;
        if self.depth > super::MAX_DEPTH {
            return refuse(begin, "classes are nested too deep", None);
        }
        let negated = self.take("^");
        let mut inside = String::new();
        loop {
            self.skip_comments();
            let at = self.at;
            if self.rest().is_empty() {
                return refuse(begin, "the class is not closed", Some("add `]`, or write `\\[` for the character"));
            }
            if !inside.is_empty() && self.take("]") {
                break;
            }
            if self.take("&&") {
                let narrowing = !negated && !inside.is_empty() && self.rest().starts_with('[');
                let operand = if narrowing { Some(self.class()?) } else { None };
                let Some(operand) = operand.filter(|_| self.rest().starts_with(']')) else {
                    let help = "write it as `[a-z&&[^aeiou]]`, with one class behind `&&`";
                    return refuse(at, "`&&` between these parts is not supported", Some(help));
                };
                inside = format!("{inside}&&{operand}");
            } else if self.rest().starts_with('[') {
                let nested = self.class()?;
                inside.push_str(&nested);
            } else if self.take("\\Q") {
                let text = self.rest().split("\\E").next().unwrap_or_default();
                self.at += text.len();
                self.take("\\E");
                text.chars().for_each(|c| self.range(&mut inside, c, c));
            } else {
                match self.class_atom()? {
                    Atom::Set(set, false) => inside.push_str(&set),
                    Atom::Set(set, true) => {
                        let _ = write!(inside, "[^{set}]");
                    }
                    Atom::Char(from) => {
                        let to = self.range_end(from)?;
                        self.range(&mut inside, from, to);
                    }
                }
            }
        }
        self.depth -= 1;
        Ok(format!("[{}{inside}]", if negated { "^" } else { "" }))
    }

    fn class_atom(&mut self) -> Result<Atom> {
        let begin = self.at;
        match self.peek() {
            Some('\\') => self.escaped(begin),
            c => {
                self.next();
                Ok(Atom::Char(c.unwrap_or_default()))
            }
        }
    }

    /// The end of a range, if one follows; else its beginning again.
    fn range_end(&mut self, from: char) -> Result<char> {
        let begin = self.at;
        let rest = self.rest();
        if !rest.starts_with('-') || rest[1..].starts_with([']', '[']) || rest.len() < 2 {
            return Ok(from);
        }
        self.at += 1;
        match self.class_atom()? {
            Atom::Char(to) if from <= to => Ok(to),
            Atom::Char(_) => refuse(begin, "the range ends before it begins", None),
            Atom::Set(..) => refuse(begin, "a range cannot end in a class", Some("write `\\-` for the character")),
        }
    }

    /// Adds a range, with letters of the other case where case is ignored.
    fn range(&self, inside: &mut String, from: char, to: char) {
        let mut add = |from: char, to: char| {
            for (i, c) in [from, to].into_iter().enumerate().take(if from == to { 1 } else { 2 }) {
                if i == 1 {
                    inside.push('-');
                }
                if c.is_ascii_alphanumeric() {
                    inside.push(c);
                } else {
                    let _ = write!(inside, "\\x{{{:X}}}", u32::from(c));
                }
            }
        };
        add(from, to);
        if self.flags.fold {
            for (first, last) in [('a', 'z'), ('A', 'Z')] {
                let (low, high) = (from.max(first), to.min(last));
                let other = |c: char| char::from(u8::try_from(c).unwrap_or_default() ^ 0x20);
                if low <= high {
                    add(other(low), other(high));
                }
            }
        }
    }

    /// `\…` where it is a character or a set of characters.
    pub(super) fn escaped(&mut self, begin: usize) -> Result<Atom> {
        self.at += 1;
        let Some(c) = self.next() else {
            return refuse(begin, "`\\` escapes nothing", Some("write `\\\\` for the character"));
        };
        let set = |text: &str, negated: bool| Ok(Atom::Set(text.to_owned(), negated));
        match c {
            'd' | 'D' => set("0-9", c == 'D'),
            'w' | 'W' => set(CLASS_WORD, c == 'W'),
            's' | 'S' => set(SPACE, c == 'S'),
            'h' | 'H' => set(HORIZONTAL, c == 'H'),
            'v' | 'V' => set(VERTICAL, c == 'V'),
            'p' | 'P' => self.property(begin, c == 'P'),
            't' => Ok(Atom::Char('\t')),
            'n' => Ok(Atom::Char('\n')),
            'r' => Ok(Atom::Char('\r')),
            'f' => Ok(Atom::Char('\x0c')),
            'a' => Ok(Atom::Char('\x07')),
            'e' => Ok(Atom::Char('\x1b')),
            '0' => self.octal(begin),
            'x' => {
                let code = match self.rest().strip_prefix('{').and_then(|r| r.split_once('}')) {
                    Some((digits, _)) => {
                        self.at += digits.len() + 2;
                        u32::from_str_radix(digits, 16).ok()
                    }
                    None => self.hex(2),
                };
                code_point(begin, code)
            }
            'u' => {
                let mut code = self.hex(4);
                if let Some(high @ 0xd800..=0xdbff) = code
                    && self.take("\\u")
                {
                    let low = self.hex(4).filter(|low| (0xdc00..=0xdfff).contains(low));
                    code = low.map(|low| 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00));
                }
                code_point(begin, code)
            }
            'c' => match self.next().filter(char::is_ascii) {
                Some(letter) => code_point(begin, Some(u32::from(letter) ^ 64)),
                None => refuse(begin, "`\\c` is followed by no letter", None),
            },
            'b' | 'B' | 'A' | 'z' | 'Z' | 'R' | 'k' | '1'..='9' => {
                refuse(begin, format!("`\\{c}` cannot stand here"), None)
            }
            'G' | 'X' | 'N' => refuse(begin, format!("`\\{c}` is not supported"), None),
            c if c.is_ascii_alphabetic() => refuse(begin, format!("`\\{c}` means nothing"), None),
            c => Ok(Atom::Char(c)),
        }
    }

    fn hex(&mut self, digits: usize) -> Option<u32> {
        let text = self.rest().get(..digits).filter(|t| t.bytes().all(|b| b.is_ascii_hexdigit()))?;
        self.at += digits;
        u32::from_str_radix(text, 16).ok()
    }

    /// `\0` and one to three octal digits; three only up to 377.
    fn octal(&mut self, begin: usize) -> Result<Atom> {
        let rest = self.rest().as_bytes();
        let most = if rest.first().is_some_and(|b| *b <= b'3') { 3 } else { 2 };
        let length = rest.iter().take(most).take_while(|b| (b'0'..=b'7').contains(*b)).count();
        let code = u32::from_str_radix(&self.rest()[..length], 8).ok();
        self.at += length;
        code_point(begin, code)
    }

    /// `\p{Alpha}`, `\p{Lu}`, `\pL`, `\p{IsLatin}`, `\p{script=Latin}`.
    fn property(&mut self, begin: usize, negated: bool) -> Result<Atom> {
        let name = if let Some((name, _)) = self.rest().strip_prefix('{').and_then(|r| r.split_once('}')) {
            self.at += name.len() + 2;
            name
        } else {
            let from = self.at;
            self.next();
            &self.java[from..self.at]
        };
        let cased = ["Lower", "Upper", "Lu", "Ll", "Lt", "LC", "IsLowercase", "IsUppercase", "IsLu", "IsLl", "IsLt"];
        if self.flags.fold && cased.contains(&name) {
            return refuse(begin, format!("`\\p{{{name}}}` that ignores case is not supported"), None);
        }
        if let Some((_, set)) = POSIX.iter().find(|(posix, _)| *posix == name) {
            return Ok(Atom::Set((*set).to_owned(), negated));
        }
        let plain = ["Is", "gc=", "general_category=", "sc=", "script="].iter().find_map(|p| name.strip_prefix(p));
        let known = match plain {
            None => CATEGORIES.contains(&name).then_some(name),
            // Scripts, categories and binary properties; the engine knows which there are.
            Some(plain) => Some(plain).filter(|p| regex_syntax::parse(&format!("\\p{{{p}}}")).is_ok()),
        };
        match known {
            Some(known) => Ok(Atom::Set(format!("\\p{{{known}}}"), negated)),
            None => refuse(
                begin,
                format!("the property `{name}` is not supported"),
                Some(
                    "use a POSIX class such as `\\p{Alpha}`, a category such as `\\p{Lu}`, or a script such as `\\p{IsLatin}`",
                ),
            ),
        }
    }
}
