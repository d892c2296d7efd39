//! Java's regular expressions, in the words of the engines here.
//!
//! What reads the same in Java and in the `regex` crate but means something else is rewritten: `\d`, `\w`, `\s`, `\b` and
//! the POSIX classes are ASCII, `.` stops at all of Java's line ends, `$` also matches before a last one, `(?i)` folds
//! ASCII letters only, possessive quantifiers are possessive. What cannot be rewritten is refused by name. Classes are in
//! [`super::java::class`].

mod class;

use super::PatternError;
use class::{CLASS_WORD, LINE_ENDS};

/// What an expression is run by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Engine {
    /// `regex`: time linear in the text.
    Linear,
    /// The same, for texts whose only line end is at their end.
    OneLine,
    /// `fancy_regex`: look-around and the like.
    Backtracking,
}

/// An expression for an engine.
#[derive(Debug)]
pub(super) struct Translated {
    pub(super) text: String,
    /// What it needs.
    pub(super) engine: Engine,
    /// Whether it has a `$` that, for the linear engine, is only right on texts that do not end in a line end.
    pub(super) has_end: bool,
    /// Whether each `$` stands where nothing comes behind it, and nothing else asks for the end of the text.
    pub(super) ends_last: bool,
}

/// Translates an expression, `all`: as if it began with `(?s)`. When the engine asked for is not enough, the text is of no use; only
/// `engine` is.
pub(super) fn translate(java: &str, engine: Engine, all: bool) -> Result<Translated, PatternError> {
    let mut reader = Reader {
        java,
        at: 0,
        out: String::with_capacity(java.len() * 2),
        flags: Flags { all, ..Flags::default() },
        asked: engine,
        engine,
        has_end: false,
        ended: false,
        ends_last: true,
        depth: 0,
        groups: 0,
        names: vec![],
    };
    reader.alternatives()?;
    if reader.at < java.len() {
        return refuse(reader.at, "`)` closes no group", Some("write `\\)` for the character"));
    }
    let Reader { out, engine, has_end, ends_last, .. } = reader;
    Ok(Translated { text: out, engine, has_end, ends_last })
}

type Result<T, E = PatternError> = std::result::Result<T, E>;

fn refuse<T>(at: usize, message: impl Into<String>, help: Option<&str>) -> Result<T> {
    Err(PatternError { at, message: message.into(), help: help.map(str::to_owned) })
}

/// Groups within groups: more is no expression that somebody wrote.
const MAX_DEPTH: usize = 100;

#[derive(Clone, Copy, Default)]
#[expect(clippy::struct_excessive_bools, reason = "they are switched one by one, as Java does")]
struct Flags {
    /// `i`: ASCII letters of either case.
    fold: bool,
    /// `m`: `^` and `$` at every line.
    lines: bool,
    /// `s`: `.` is any character.
    all: bool,
    /// `x`: blanks and comments do not count.
    comments: bool,
}

struct Reader<'j> {
    java: &'j str,
    at: usize,
    out: String,
    flags: Flags,
    /// Which engine is written for.
    asked: Engine,
    /// Which engine it takes.
    engine: Engine,
    has_end: bool,
    /// Whether a `$` stands before this in the same sequence.
    ended: bool,
    ends_last: bool,
    depth: usize,
    /// Capturing groups that were opened so far.
    groups: usize,
    names: Vec<&'j str>,
}

/// One character, or a set of them.
enum Atom {
    Char(char),
    /// The inside of a class, and whether it is what is not in it.
    Set(String, bool),
}

impl<'j> Reader<'j> {
    fn rest(&self) -> &'j str {
        &self.java[self.at..]
    }
    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }
    fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += c.len_utf8();
        Some(c)
    }
    fn take(&mut self, text: &str) -> bool {
        let there = self.rest().starts_with(text);
        if there {
            self.at += text.len();
        }
        there
    }
    /// In comments mode, steps over what does not count.
    fn skip_comments(&mut self) {
        while self.flags.comments {
            match self.peek() {
                Some(' ' | '\t' | '\n' | '\x0b' | '\x0c' | '\r') => self.at += 1,
                Some('#') => self.at += self.rest().find(['\n', '\r']).unwrap_or(self.rest().len()),
                _ => return,
            }
        }
    }

    fn alternatives(&mut self) -> Result<()> {
        let mut ended = false;
        loop {
            self.ended = false;
            self.sequence()?;
            ended |= self.ended;
            if !self.take("|") {
                self.ended = ended;
                return Ok(());
            }
            self.out.push('|');
        }
    }

    fn sequence(&mut self) -> Result<()> {
        loop {
            self.skip_comments();
            let (begin, start, ended) = (self.at, self.out.len(), self.ended);
            match self.peek() {
                None | Some('|' | ')') => return Ok(()),
                Some(c @ ('*' | '+' | '?')) => {
                    let help = format!("write `\\{c}` for the character");
                    return refuse(begin, format!("`{c}` repeats nothing"), Some(&help));
                }
                Some('{') => {
                    return refuse(begin, "`{` repeats nothing", Some("write `\\{` for the character"));
                }
                Some('(') => {
                    if !self.group()? {
                        continue;
                    }
                }
                Some('[') => {
                    let class = self.class()?;
                    self.out.push_str(&class);
                }
                Some('.') => {
                    self.at += 1;
                    let any = if self.flags.all { "(?s:.)".to_owned() } else { format!("[^{LINE_ENDS}]") };
                    self.out.push_str(&any);
                }
                Some('^') => {
                    self.at += 1;
                    self.begin();
                }
                Some('$') => {
                    self.at += 1;
                    self.end(self.flags.lines);
                }
                Some('\\') => self.escape()?,
                Some(c) => {
                    self.at += c.len_utf8();
                    self.literal(c);
                }
            }
            let times = self.quantifier(start)?;
            // Behind a `$`, or with one in what is repeated.
            if ended || self.ended && times {
                self.ends_last = false;
            }
            self.ended |= ended;
        }
    }

    fn literal(&mut self, c: char) {
        if self.flags.fold && c.is_ascii_alphabetic() {
            self.out.extend(['[', c.to_ascii_lowercase(), c.to_ascii_uppercase(), ']']);
        } else {
            if "\\.+*?()|[]{}^$#&-~".contains(c) {
                self.out.push('\\');
            }
            self.out.push(c);
        }
    }

    fn needs(&mut self, engine: Engine) {
        self.engine = engine;
    }

    fn begin(&mut self) {
        if self.flags.lines {
            self.needs(Engine::Backtracking);
            // At the beginning, and behind a line end, but never at the end of the text.
            self.out.push_str(r"(?:(?:\A|(?<=[\n\x{85}\x{2028}\x{2029}])|(?<=\r)(?!\n))(?!\z))");
        } else {
            self.out.push_str(r"\A");
        }
    }

    fn end(&mut self, lines: bool) {
        if lines {
            self.needs(Engine::Backtracking);
            self.out.push_str(r"(?:(?=[\r\x{85}\x{2028}\x{2029}])|(?<!\r)(?=\n)|\z)");
            return;
        }
        self.has_end = true;
        self.ended = true;
        if self.asked == Engine::Linear {
            self.out.push_str(r"\z");
        } else if self.asked == Engine::OneLine {
            self.out.push_str("(?mR:$)");
        } else {
            // At the end, and before a last line end; not between the two characters of one.
            self.out.push_str(r"(?:(?=(?:\r\n|[\r\x{85}\x{2028}\x{2029}])?\z)|(?<!\r)(?=\n\z))");
        }
    }

    /// A group. False when it is only a change of flags, which cannot be repeated.
    fn group(&mut self) -> Result<bool> {
        let begin = self.at;
        self.at += 1;
        let before = self.flags;
        if !self.take("?") {
            self.groups += 1;
            self.out.push('(');
        } else if let Some(opening) = ["=", "!", "<=", "<!", ">"].into_iter().find(|mark| self.take(mark)) {
            self.needs(Engine::Backtracking);
            self.out.push_str("(?");
            self.out.push_str(opening);
        } else if self.take(":") {
            self.out.push_str("(?:");
        } else if self.take("<") || self.take("P<") {
            let name = self.name(begin)?;
            if self.names.contains(&name) {
                return refuse(begin, format!("there are two groups called `{name}`"), None);
            }
            self.names.push(name);
            self.groups += 1;
            self.out.push_str("(?<");
            self.out.push_str(name);
            self.out.push('>');
        } else if self.change_flags(begin)? {
            self.out.push_str("(?:");
        } else {
            return Ok(false);
        }
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return refuse(begin, format!("groups are nested more than {MAX_DEPTH} deep"), None);
        }
        self.alternatives()?;
        self.depth -= 1;
        if !self.take(")") {
            return refuse(begin, "the group is not closed", Some("add `)`, or write `\\(` for the character"));
        }
        self.flags = before;
        self.out.push(')');
        Ok(true)
    }

    /// The name of a group, up to its `>`.
    fn name(&mut self, begin: usize) -> Result<&'j str> {
        let name = self.rest().split('>').next().unwrap_or_default();
        let sound = name.starts_with(|c: char| c.is_ascii_alphabetic())
            && name.bytes().all(|b| b.is_ascii_alphanumeric())
            && self.rest()[name.len()..].starts_with('>');
        if !sound {
            return refuse(begin, "a group's name is made of letters and digits, the first a letter", None);
        }
        self.at += name.len() + 1;
        Ok(name)
    }

    /// `(?ims-x)` and `(?ims-x:`. Whether a group follows.
    fn change_flags(&mut self, begin: usize) -> Result<bool> {
        let mut on = true;
        loop {
            match self.next() {
                Some('-') if on => on = false,
                Some('i') => self.flags.fold = on,
                Some('m') => self.flags.lines = on,
                Some('s') => self.flags.all = on,
                Some('x') => self.flags.comments = on,
                Some(':') => return Ok(true),
                Some(')') => return Ok(false),
                Some(c @ ('d' | 'u' | 'U')) => {
                    let at = self.at - 1;
                    return refuse(at, format!("the flag `{c}` is not supported"), Some("leave it away"));
                }
                _ => return refuse(begin, "`(?` begins no group that Java knows", None),
            }
        }
    }

    /// What repeats the atom whose translation begins at `start`; whether anything does.
    fn quantifier(&mut self, start: usize) -> Result<bool> {
        self.skip_comments();
        let times = match self.peek() {
            Some(c @ ('*' | '+' | '?')) => {
                self.at += 1;
                c.to_string()
            }
            Some('{') => self.counts()?,
            _ => return Ok(false),
        };
        // A single character or class is one thing already.
        let atom = &self.out[start..];
        let single = atom.chars().count() == 1 || atom.starts_with('\\') && atom.len() == 2 || is_enclosed(atom);
        if !single {
            self.out.insert_str(start, "(?:");
            self.out.push(')');
        }
        self.out.push_str(&times);
        if self.take("?") {
            self.out.push('?');
        } else if self.take("+") {
            self.needs(Engine::Backtracking);
            self.out.insert_str(start, "(?>");
            self.out.push(')');
        }
        self.skip_comments();
        if let Some(c @ ('*' | '+' | '?' | '{')) = self.peek() {
            return refuse(self.at, format!("`{c}` repeats what is repeated already"), Some("put a group around it"));
        }
        Ok(true)
    }

    /// `{3}`, `{3,}`, `{3,5}`.
    fn counts(&mut self) -> Result<String> {
        let begin = self.at;
        let inside = self.rest()[1..].split('}').next().unwrap_or_default();
        let closed = self.rest()[1 + inside.len()..].starts_with('}');
        let number = |text: &str| text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse::<u32>().ok()).flatten();
        let sound = match inside.split_once(',') {
            None => number(inside).is_some(),
            Some((least, "")) => number(least).is_some(),
            Some((least, most)) => number(least).zip(number(most)).is_some_and(|(least, most)| least <= most),
        };
        if !closed || !sound {
            let help = "write it as `{3}`, `{3,}` or `{3,5}`, or `\\{` for the character";
            return refuse(begin, "`{` begins no repetition", Some(help));
        }
        self.at += inside.len() + 2;
        Ok(format!("{{{inside}}}"))
    }

    /// `\…` outside a class.
    fn escape(&mut self) -> Result<()> {
        let begin = self.at;
        let rest = &self.rest()[1..];
        if let Some(quoted) = rest.strip_prefix('Q') {
            let text = quoted.split("\\E").next().unwrap_or_default();
            let ended = quoted[text.len()..].starts_with("\\E");
            self.at += 2 + text.len() + if ended { 2 } else { 0 };
            let mut chars = text.chars();
            let last = chars.next_back();
            for c in chars {
                self.literal(c);
            }
            // A quantifier behind it is of the last character.
            let start = self.out.len();
            let Some(last) = last else { return Ok(()) };
            self.literal(last);
            return self.quantifier(start).map(drop);
        }
        match rest.chars().next() {
            Some('b') if !rest.starts_with("b{") => match self.asked {
                Engine::Linear | Engine::OneLine => self.simple(r"(?-u:\b)"),
                Engine::Backtracking => self.simple(&format!(
                    "(?:(?<=[{CLASS_WORD}])(?![{CLASS_WORD}])|(?<![{CLASS_WORD}])(?=[{CLASS_WORD}]))"
                )),
            },
            Some('B') => {
                self.needs(Engine::Backtracking);
                self.simple(&format!(
                    "(?:(?<=[{CLASS_WORD}])(?=[{CLASS_WORD}])|(?<![{CLASS_WORD}])(?![{CLASS_WORD}]))"
                ));
            }
            Some('A') => self.simple(r"\A"),
            Some('z') => {
                self.ends_last = false;
                self.simple(r"\z");
            }
            Some('Z') => {
                self.at += 2;
                self.end(false);
            }
            Some('R') => self.simple(&format!(r"(?:\r\n|[{LINE_ENDS}\x0B\x0C])")),
            Some('1'..='9') => self.back_reference()?,
            Some('k') => {
                self.at += 2;
                if !self.take("<") {
                    return refuse(begin, "`\\k` is followed by no group's name", Some("write `\\k<name>`"));
                }
                let name = self.name(begin)?;
                if !self.names.contains(&name) {
                    return refuse(begin, format!("no group before this is called `{name}`"), None);
                }
                self.refer(begin, &format!("\\k<{name}>"))?;
            }
            _ => match self.escaped(begin)? {
                Atom::Char(c) => self.literal(c),
                Atom::Set(set, negated) => {
                    let not = if negated { "^" } else { "" };
                    self.out.extend(["[", not, &set, "]"]);
                }
            },
        }
        Ok(())
    }

    /// Two characters of Java, and what they are here.
    fn simple(&mut self, text: &str) {
        self.at += 2;
        self.out.push_str(text);
    }

    /// `\1`. As many digits as make the number of a group that there is.
    fn back_reference(&mut self) -> Result<()> {
        let begin = self.at;
        let digits = self.rest()[1..].bytes().take_while(u8::is_ascii_digit).count();
        let of = |length: usize| self.java[begin + 1..begin + 1 + length].parse::<usize>().ok();
        let fitting = (1..=digits).rev().find_map(|length| Some((length, of(length).filter(|n| *n <= self.groups)?)));
        let Some((length, number)) = fitting else {
            return refuse(begin, "there is no such group before this", None);
        };
        self.at += 1 + length;
        self.refer(begin, &format!("(?:\\{number})"))
    }

    fn refer(&mut self, begin: usize, text: &str) -> Result<()> {
        if self.flags.fold {
            return refuse(begin, "a back reference that ignores case is not supported", None);
        }
        self.needs(Engine::Backtracking);
        self.out.push_str(text);
        Ok(())
    }
}

/// Whether this is one group or class from its first character to its last.
fn is_enclosed(text: &str) -> bool {
    let close = match text.chars().next() {
        Some('(') => ')',
        Some('[') => ']',
        _ => return false,
    };
    let (mut depth, mut escaped, mut class) = (0_usize, false, 0_usize);
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '[' => class += 1,
            ']' => class = class.saturating_sub(1),
            '(' if class == 0 => depth += 1,
            ')' if class == 0 => depth = depth.saturating_sub(1),
            _ => {}
        }
        if !escaped && c == close && depth == 0 && class == 0 && at > 0 {
            return at + 1 == text.len();
        }
    }
    false
}
