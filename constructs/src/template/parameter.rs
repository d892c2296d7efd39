//! Parameters: what an operator chooses at deployment.
//!
//! Imports: `cfn`, `codes`, `problem`.

use crate::codes;
use crate::problem::Problem;
use cfn::{Arn, Intrinsic, Json, List, Members, Value, intrinsic};
use serde_json::json;

/// A parameter of the template, with what its value must satisfy: CloudFormation asks before it changes anything.
///
/// Add it with [`Scope::parameter`](crate::tree::Scope::parameter).
#[derive(Clone, Debug, PartialEq)]
pub struct Parameter {
    kind: String,
    description: String,
    default: Option<Json>,
    allowed_values: Vec<Json>,
    pattern: String,
    constraint_description: String,
    length: (Option<u64>, Option<u64>),
    range: (Option<i64>, Option<i64>),
    no_echo: bool,
    group: String,
    label: String,
}

impl Parameter {
    /// Text.
    pub fn string() -> Self {
        Self::of_type("String")
    }

    /// A number.
    pub fn number() -> Self {
        Self::of_type("Number")
    }

    /// A list of texts, written with commas between them.
    pub fn comma_delimited_list() -> Self {
        Self::of_type("CommaDelimitedList")
    }

    /// A list of numbers, written with commas between them.
    pub fn number_list() -> Self {
        Self::of_type("List<Number>")
    }

    /// Any type that CloudFormation knows: `AWS::EC2::VPC::Id`, `AWS::SSM::Parameter::Value<String>`.
    pub fn of_type(kind: &str) -> Self {
        Self {
            kind: kind.to_owned(),
            description: String::new(),
            default: None,
            allowed_values: vec![],
            pattern: String::new(),
            constraint_description: String::new(),
            length: (None, None),
            range: (None, None),
            no_echo: false,
            group: String::new(),
            label: String::new(),
        }
    }

    /// What it is for: up to 4,000 characters.
    #[must_use]
    pub fn description(self, text: &str) -> Self {
        Self { description: text.to_owned(), ..self }
    }

    /// What it is when the operator says nothing.
    #[must_use]
    pub fn default_value(self, value: impl Into<Json>) -> Self {
        Self { default: Some(value.into()), ..self }
    }

    /// The only values that are taken.
    #[must_use]
    pub fn allowed_values<J: Into<Json>>(self, values: impl IntoIterator<Item = J>) -> Self {
        Self { allowed_values: values.into_iter().map(Into::into).collect(), ..self }
    }

    /// A regular expression that the whole text must match.
    #[must_use]
    pub fn allowed_pattern(self, pattern: &str) -> Self {
        Self { pattern: pattern.to_owned(), ..self }
    }

    /// What CloudFormation says when a constraint is broken.
    #[must_use]
    pub fn constraint_description(self, text: &str) -> Self {
        Self { constraint_description: text.to_owned(), ..self }
    }

    /// The fewest characters of a text.
    #[must_use]
    pub fn min_length(self, least: u64) -> Self {
        Self { length: (Some(least), self.length.1), ..self }
    }

    /// The most characters of a text.
    #[must_use]
    pub fn max_length(self, most: u64) -> Self {
        Self { length: (self.length.0, Some(most)), ..self }
    }

    /// The least number.
    #[must_use]
    pub fn min_value(self, least: i64) -> Self {
        Self { range: (Some(least), self.range.1), ..self }
    }

    /// The greatest number.
    #[must_use]
    pub fn max_value(self, most: i64) -> Self {
        Self { range: (self.range.0, Some(most)), ..self }
    }

    /// Never shown in the console, nor by `describe-stacks`.
    #[must_use]
    pub fn no_echo(self) -> Self {
        Self { no_echo: true, ..self }
    }

    /// The heading that the console shows it under.
    #[must_use]
    pub fn group(self, heading: &str) -> Self {
        Self { group: heading.to_owned(), ..self }
    }

    /// What the console calls it.
    #[must_use]
    pub fn label(self, label: &str) -> Self {
        Self { label: label.to_owned(), ..self }
    }

    pub(crate) fn to_json(&self) -> Json {
        let mut out = Members::new();
        let mut put = |name: &str, value: Option<Json>| {
            if let Some(value) = value {
                out.insert(name.to_owned(), value);
            }
        };
        let text = |text: &String| Some(Json::from(text.as_str())).filter(|_| !text.is_empty());
        put("Type", text(&self.kind));
        put("Description", text(&self.description));
        put("Default", self.default.clone());
        put("AllowedValues", Some(json!(self.allowed_values)).filter(|_| !self.allowed_values.is_empty()));
        put("AllowedPattern", text(&self.pattern));
        put("ConstraintDescription", text(&self.constraint_description));
        put("MinLength", self.length.0.map(Json::from));
        put("MaxLength", self.length.1.map(Json::from));
        put("MinValue", self.range.0.map(Json::from));
        put("MaxValue", self.range.1.map(Json::from));
        put("NoEcho", Some(true.into()).filter(|_| self.no_echo));
        Json::Object(out)
    }

    /// Where it stands in `AWS::CloudFormation::Interface`: heading, label.
    pub(crate) fn interface(&self) -> (&str, &str) {
        (&self.group, &self.label)
    }

    /// What contradicts itself, or CloudFormation.
    pub(crate) fn check(&self, name: &str, path: &str) -> Vec<Problem> {
        let mut said: Vec<String> = vec![];
        let mut say = |wrong: bool, message: String| said.extend(wrong.then_some(message));
        let number = self.kind == "Number";
        let listed = self.kind == "CommaDelimitedList" || self.kind.starts_with("List<");
        say(!alphanumeric(name), "the name consists of letters and digits, at most 255".into());
        say(self.description.chars().count() > 4000, "the description has more than 4,000 characters".into());
        say(number && self.length != (None, None), "lengths are for text, this is a number".into());
        say(number && !self.pattern.is_empty(), "a pattern is for text, this is a number".into());
        say(
            !number && self.range != (None, None),
            format!("least and most are for a `Number`, this is a `{}`", self.kind),
        );
        let backwards = matches!(self.length, (Some(least), Some(most)) if least > most)
            || matches!(self.range, (Some(least), Some(most)) if least > most);
        say(backwards, "the least is greater than the most".into());
        let regex = fancy_regex::Regex::new(&format!("^(?:{})$", self.pattern));
        if let Err(error) = &regex {
            say(true, format!("the pattern is no regular expression: {error}"));
        }
        if let Some(default) = &self.default {
            let text = default.as_str().map_or_else(|| default.to_string(), str::to_owned);
            let items: Vec<&str> = if listed { text.split(',').map(str::trim).collect() } else { vec![text.as_str()] };
            for item in items {
                for wrong in self.refuses(item, regex.as_ref().ok()) {
                    say(true, format!("the default `{item}` {wrong}"));
                }
            }
        }
        let problem = |message: String| Problem::new(codes::PARAMETER, path, format!("parameter `{name}`: {message}"));
        said.into_iter().map(problem).collect()
    }

    fn refuses(&self, value: &str, regex: Option<&fancy_regex::Regex>) -> Vec<&'static str> {
        let mut out = vec![];
        let characters = u64::try_from(value.chars().count()).unwrap_or(u64::MAX);
        let plain = |allowed: &Json| allowed.as_str().map_or_else(|| allowed.to_string(), str::to_owned);
        if !self.allowed_values.is_empty() && !self.allowed_values.iter().any(|allowed| plain(allowed) == value) {
            out.push("is none of the allowed values");
        }
        if self.length.0.is_some_and(|least| characters < least) || self.length.1.is_some_and(|most| characters > most)
        {
            out.push("is too short or too long");
        }
        if !self.pattern.is_empty() && regex.is_some_and(|r| !r.is_match(value).unwrap_or(true)) {
            out.push("does not match the pattern");
        }
        if self.kind == "Number" {
            match value.parse::<f64>() {
                Ok(number) if !self.within(number) => out.push("is less than the least, or greater than the most"),
                Ok(_) => {}
                Err(_) => out.push("is no number"),
            }
        }
        out
    }

    fn within(&self, number: f64) -> bool {
        let bound = |bound: Option<i64>| bound.and_then(|b| b.to_string().parse::<f64>().ok());
        bound(self.range.0).is_none_or(|least| number >= least) && bound(self.range.1).is_none_or(|most| number <= most)
    }
}

/// Letters and digits, at least one, at most 255.
pub(crate) fn alphanumeric(name: &str) -> bool {
    (1..=255).contains(&name.len()) && name.chars().all(|c| c.is_ascii_alphanumeric())
}

/// A parameter of this stack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParameterHandle {
    name: String,
}

impl ParameterHandle {
    pub(crate) fn new(name: &str) -> Self {
        Self { name: name.to_owned() }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its value, for a property of any type.
    pub fn value(&self) -> Intrinsic {
        intrinsic::reference(&self.name)
    }

    /// Its value as text.
    pub fn text(&self) -> Value<String> {
        Value::Later(self.value())
    }

    /// Its value as a number.
    pub fn number(&self) -> Value<i64> {
        Value::Later(self.value())
    }

    /// Its value as a list of texts.
    pub fn list(&self) -> List<String> {
        Value::Later(self.value())
    }

    /// Its value as the ARN of an `R`; give the parameter a pattern that says so.
    pub fn arn<R>(&self) -> Value<Arn<R>> {
        Value::Later(self.value())
    }
}

#[cfg(test)]
mod tests {
    use super::Parameter;
    use serde_json::json;

    fn said(parameter: &Parameter) -> Vec<String> {
        parameter.check("Name", "stack").into_iter().map(|p| p.message).collect()
    }

    #[test]
    fn all_that_is_said_of_a_parameter_is_in_the_template() {
        let parameter = Parameter::string()
            .description("how long")
            .default_value("30")
            .allowed_values(["7", "30"])
            .allowed_pattern("[0-9]+")
            .constraint_description("days")
            .min_length(1)
            .max_length(4)
            .no_echo();
        let expected = json!({
            "Type": "String", "Description": "how long", "Default": "30", "AllowedValues": ["7", "30"],
            "AllowedPattern": "[0-9]+", "ConstraintDescription": "days", "MinLength": 1, "MaxLength": 4, "NoEcho": true,
        });
        assert_eq!(parameter.to_json(), expected);
        assert_eq!(said(&parameter), Vec::<String>::new());
        assert_eq!(
            Parameter::number().min_value(-1).max_value(3).to_json(),
            json!({"Type": "Number", "MinValue": -1, "MaxValue": 3})
        );
    }

    #[test]
    fn a_default_must_satisfy_its_own_constraints() {
        for (parameter, wrong) in [
            (Parameter::string().allowed_values(["a"]).default_value("b"), "is none of the allowed values"),
            (Parameter::string().allowed_pattern("a+").default_value("ab"), "does not match the pattern"),
            (Parameter::string().min_length(2).default_value("é"), "is too short or too long"),
            (Parameter::number().default_value("x"), "is no number"),
            (Parameter::number().max_value(3).default_value(4), "is less than the least, or greater than the most"),
            (
                Parameter::comma_delimited_list().allowed_values(["a"]).default_value("a, b"),
                "is none of the allowed values",
            ),
        ] {
            let said = said(&parameter);
            assert!(said.len() == 1 && said[0].ends_with(wrong), "{said:?} should end with {wrong}");
        }
        assert_eq!(said(&Parameter::number().min_value(1).default_value(1)), Vec::<String>::new());
        assert_eq!(
            said(&Parameter::comma_delimited_list().allowed_values(["a", "b"]).default_value("b,a")),
            Vec::<String>::new()
        );
    }

    #[test]
    fn constraints_that_contradict_the_type_or_each_other_are_refused() {
        assert_eq!(said(&Parameter::number().max_length(3).allowed_pattern("x")).len(), 2);
        assert_eq!(said(&Parameter::string().min_value(3)).len(), 1);
        assert_eq!(said(&Parameter::string().min_length(3).max_length(2)).len(), 1);
        assert_eq!(said(&Parameter::string().allowed_pattern("(")).len(), 1);
        assert_eq!(Parameter::string().check("no-name", "stack").len(), 1);
    }
}
