//! What CloudFormation would refuse about a template: all of it, before a deployment.
//!
//! Works on any template as JSON, ours or another's: properties against the tables of [`cfn`], references, cycles, quotas, and what
//! nothing uses.
//!
//! Imports: `cfn`, `codes`, `problem`, `reference`.

use crate::codes;
use crate::problem::{Code, Problem, nearest};
use crate::reference::{Found, Reference, references};
use cfn::constraint::{Finding, Rule};
use cfn::{Json, Members, ResourceType, resource_type};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

mod cycle;

/// What every template can refer to.
const PSEUDO: &[&str] = &[
    "AWS::AccountId",
    "AWS::NoValue",
    "AWS::NotificationARNs",
    "AWS::Partition",
    "AWS::Region",
    "AWS::StackId",
    "AWS::StackName",
    "AWS::URLSuffix",
];
/// Quotas of CloudFormation: section, most.
const QUOTAS: &[(&str, usize)] = &[("Resources", 500), ("Parameters", 200), ("Mappings", 200), ("Outputs", 200)];
/// The most bytes of a template in a bucket.
const MOST_BYTES: usize = 1_048_576;
/// The most bytes of a template in a request.
const MOST_BYTES_INLINE: usize = 51_200;
/// The most bytes of a template's description.
const MOST_DESCRIPTION: usize = 1024;

/// Checks a template from anywhere. `name` is how problems call it.
pub fn check_template(name: &str, template: &Json) -> Vec<Problem> {
    template_with(name, template, &BTreeMap::new())
}

/// `places`: the construct's path for each logical id.
pub(crate) fn template(name: &str, template: &Json, places: &BTreeMap<String, String>) -> Vec<Problem> {
    template_with(name, template, places)
}

fn template_with(name: &str, template: &Json, places: &BTreeMap<String, String>) -> Vec<Problem> {
    let mut check = Check { name, template, places, out: vec![] };
    check.quotas();
    check.resources();
    let found = check.all_references();
    check.dangling(&found);
    check.unused(&found);
    check.cycles(&found);
    check.out
}

struct Check<'a> {
    name: &'a str,
    template: &'a Json,
    places: &'a BTreeMap<String, String>,
    out: Vec<Problem>,
}

/// References by where they stand: section, name in the section.
type ByOwner<'a> = BTreeMap<(&'static str, &'a str), Vec<Found>>;

impl<'a> Check<'a> {
    fn section(&self, name: &str) -> Vec<(&'a str, &'a Json)> {
        let members = self.template.get(name).and_then(Json::as_object);
        members.into_iter().flatten().map(|(name, value)| (name.as_str(), value)).collect()
    }

    fn has(&self, section: &str, name: &str) -> bool {
        self.template.get(section).and_then(Json::as_object).is_some_and(|s| s.contains_key(name))
    }

    fn names(&self, section: &str) -> Vec<&'a str> {
        self.section(section).into_iter().map(|(name, _)| name).collect()
    }

    /// Where to send the reader: the construct, or the section and name.
    fn place(&self, section: &str, name: &str) -> String {
        match self.places.get(name).filter(|_| section == "Resources") {
            Some(place) => place.clone(),
            None => format!("{}/{name}", self.name),
        }
    }

    fn say(&mut self, code: Code, place: String, message: String, help: impl Into<String>) {
        self.out.push(Problem::new(code, place, message).help(help));
    }

    fn quotas(&mut self) {
        for (section, most) in QUOTAS {
            let count = self.section(section).len();
            if count > *most {
                let message = format!("{count} {}, {most} are allowed", section.to_lowercase());
                self.say(codes::LIMIT, self.name.to_owned(), message, "split the stack");
            }
        }
        let bytes = format!("{:#}\n", self.template).len();
        if bytes > MOST_BYTES {
            let message = format!("the template has {bytes} bytes, {MOST_BYTES} are allowed");
            self.say(codes::LIMIT, self.name.to_owned(), message, "split the stack");
        } else if bytes > MOST_BYTES_INLINE {
            let message =
                format!("the template has {bytes} bytes; more than {MOST_BYTES_INLINE} must be uploaded first");
            let problem = Problem::new(codes::LARGE_TEMPLATE, self.name, message);
            self.out.push(problem.help("deploy with `--s3-bucket`").warning());
        }
        let description = self.template.get("Description").and_then(Json::as_str).unwrap_or_default().len();
        if description > MOST_DESCRIPTION {
            let message = format!("the description has {description} bytes, {MOST_DESCRIPTION} are allowed");
            self.say(codes::LIMIT, self.name.to_owned(), message, "");
        }
    }

    fn resources(&mut self) {
        let empty = Json::Object(Members::new());
        for (id, resource) in self.section("Resources") {
            let Some(known) = type_of(resource) else { continue };
            let properties = resource.get("Properties").unwrap_or(&empty);
            for finding in cfn::constraint::check(known.schema, properties) {
                let problem = of_finding(&finding, known, self.place("Resources", id));
                self.out.push(problem);
            }
        }
    }

    fn all_references(&self) -> ByOwner<'a> {
        let mut out = ByOwner::new();
        for (id, resource) in self.section("Resources") {
            let found = out.entry(("Resources", id)).or_default();
            for (member, value) in resource.as_object().into_iter().flatten() {
                found.extend(references(value, member));
            }
            let needed = match resource.get("DependsOn") {
                Some(Json::Array(items)) => items.iter().filter_map(Json::as_str).collect(),
                Some(Json::String(one)) => vec![one.as_str()],
                _ => vec![],
            };
            let depends = |id: &str| (Reference::GetAtt(id.to_owned(), String::new()), "DependsOn");
            let only_if = resource.get("Condition").and_then(Json::as_str);
            let only_if = only_if.map(|name| (Reference::Condition(name.to_owned()), "Condition"));
            found.extend(needed.into_iter().map(depends).chain(only_if).map(|(reference, place)| Found {
                reference,
                place: place.to_owned(),
                conditional: false,
            }));
        }
        for (name, output) in self.section("Outputs") {
            let found = out.entry(("Outputs", name)).or_default();
            found.extend(references(output, ""));
            if let Some(only_if) = output.get("Condition").and_then(Json::as_str) {
                let reference = Reference::Condition(only_if.to_owned());
                found.push(Found { reference, place: "Condition".into(), conditional: false });
            }
        }
        for (name, condition) in self.section("Conditions") {
            let found = out.entry(("Conditions", name)).or_default();
            found.extend(references(condition, ""));
            named_conditions(condition, found);
        }
        for (name, rule) in self.section("Rules") {
            out.entry(("Rules", name)).or_default().extend(references(rule, ""));
        }
        out
    }

    fn dangling(&mut self, all: &ByOwner<'a>) {
        for ((section, name), found) in all {
            for Found { reference, place, .. } in found {
                let at = self.place(section, name);
                match reference {
                    Reference::Ref(id) if self.refers(section, id) => {}
                    Reference::Ref(id) if *section == "Conditions" => {
                        let message = format!("`{id}` is not a parameter, and a condition can refer to nothing else");
                        let help = self.meant(id, &["Parameters"]);
                        self.say(codes::DANGLING_REFERENCE, at, message, help);
                    }
                    Reference::Ref(id) => {
                        let message = format!("{place} refers to `{id}`, which is neither a resource nor a parameter");
                        let help = self.meant(id, &["Resources", "Parameters"]);
                        self.say(codes::DANGLING_REFERENCE, at, message, help);
                    }
                    Reference::GetAtt(id, attribute) => self.get_att(at, place, id, attribute),
                    Reference::Mapping(id) if !self.has("Mappings", id) => {
                        let message = format!("{place} looks into `{id}`, which is not a mapping");
                        let help = self.meant(id, &["Mappings"]);
                        self.say(codes::DANGLING_REFERENCE, at, message, help);
                    }
                    Reference::Condition(id) if !self.has("Conditions", id) => {
                        let message = format!("`{id}` is not a condition");
                        let help = self.meant(id, &["Conditions"]);
                        self.say(codes::DANGLING_REFERENCE, at, message, help);
                    }
                    Reference::Mapping(_) | Reference::Condition(_) => {}
                }
            }
        }
    }

    fn refers(&self, from: &str, id: &str) -> bool {
        let resource = self.has("Resources", id) && from != "Conditions" && from != "Rules";
        PSEUDO.contains(&id) || self.has("Parameters", id) || resource
    }

    fn get_att(&mut self, at: String, place: &str, id: &str, attribute: &str) {
        let Some(resource) = self.template.get("Resources").and_then(|r| r.get(id)) else {
            let message = format!("{place} refers to `{id}`, which is not a resource");
            let help = self.meant(id, &["Resources"]);
            return self.say(codes::DANGLING_REFERENCE, at, message, help);
        };
        let known = type_of(resource).filter(|known| !attribute.is_empty() && !known.has_attribute(attribute));
        if let Some(known) = known {
            let message = format!("{place} asks for `{attribute}` of `{id}`: {} has no such attribute", known.name);
            let help = match known.attributes {
                [] => "use `Ref`: the type has no attributes".to_owned(),
                some => format!("it has {}", list(some)),
            };
            self.say(codes::NO_SUCH_ATTRIBUTE, at, message, help);
        }
    }

    fn meant(&self, given: &str, sections: &[&str]) -> String {
        let known: Vec<&str> = sections.iter().flat_map(|section| self.names(section)).collect();
        nearest(given, known).map_or_else(String::new, |name| format!("did you mean `{name}`?"))
    }

    fn unused(&mut self, all: &ByOwner<'a>) {
        let mut used: BTreeSet<(&str, &str)> = BTreeSet::new();
        for found in all.values().flatten() {
            used.insert(match &found.reference {
                Reference::Ref(id) => ("Parameters", id.as_str()),
                Reference::GetAtt(id, _) => ("Resources", id.as_str()),
                Reference::Mapping(id) => ("Mappings", id.as_str()),
                Reference::Condition(id) => ("Conditions", id.as_str()),
            });
        }
        for (section, what) in [("Parameters", "parameter"), ("Mappings", "mapping"), ("Conditions", "condition")] {
            for name in self.names(section) {
                if !used.contains(&(section, name)) {
                    let message = format!("nothing uses the {what} `{name}`");
                    self.say(codes::UNUSED, self.place(section, name), message, "use it, or leave it out");
                }
            }
        }
    }

    fn cycles(&mut self, all: &ByOwner<'a>) {
        let mut graph = cycle::Graph::new();
        for ((section, id), found) in all {
            let edges = found.iter().filter_map(|found| match &found.reference {
                Reference::Ref(to) | Reference::GetAtt(to, _) => Some((to.as_str(), found.place.as_str())),
                Reference::Mapping(_) | Reference::Condition(_) => None,
            });
            let edges = edges.filter(|(to, _)| self.has("Resources", to));
            if *section == "Resources" {
                graph.insert(id, edges.collect());
            }
        }
        for circle in cycle::circles(graph) {
            let Some((first, _)) = circle.first() else { continue };
            let mut message = String::from("these resources need each other: ");
            for (id, place) in &circle {
                let _ = write!(message, "{} ({place}) -> ", self.place("Resources", id));
            }
            message.push_str(&self.place("Resources", first));
            let help =
                "let one of them refer to the other by a name instead, or move the reference into a policy of its own";
            self.say(codes::CYCLE, self.place("Resources", first), message, help);
        }
    }
}

/// The table of a resource's type, if we have it.
fn type_of(resource: &Json) -> Option<&'static ResourceType> {
    let name = resource.get("Type")?.as_str()?;
    resource_type(if name.starts_with("Custom::") { "AWS::CloudFormation::CustomResource" } else { name })
}

/// `{"Condition": "X"}` within a condition.
fn named_conditions(condition: &Json, found: &mut Vec<Found>) {
    match condition {
        Json::Object(members) => {
            for (name, value) in members {
                match (name.as_str(), value) {
                    ("Condition", Json::String(other)) => {
                        let reference = Reference::Condition(other.clone());
                        found.push(Found { reference, place: String::new(), conditional: false });
                    }
                    _ => named_conditions(value, found),
                }
            }
        }
        Json::Array(items) => items.iter().for_each(|item| named_conditions(item, found)),
        _ => {}
    }
}

fn of_finding(finding: &Finding, known: &ResourceType, place: String) -> Problem {
    let code = match finding.rule {
        Rule::Required => codes::MISSING_PROPERTY,
        Rule::Unknown => codes::UNKNOWN_PROPERTY,
        Rule::Type => codes::WRONG_TYPE,
        Rule::Word => codes::UNKNOWN_WORD,
        Rule::Pattern => codes::PATTERN,
        Rule::Length => codes::LENGTH,
        Rule::Range => codes::RANGE,
        Rule::Unique => codes::REPEATED_ITEM,
        Rule::Group => codes::PROPERTY_GROUP,
    };
    let at = if finding.path.is_empty() { known.name.to_owned() } else { finding.path.clone() };
    let given = finding.path.rsplit('.').next().unwrap_or_default();
    let given = if finding.rule == Rule::Word { finding.message.split('`').nth(1).unwrap_or_default() } else { given };
    let help = match (nearest(given, finding.known.iter().copied()), &finding.known[..]) {
        (Some(name), _) => format!("did you mean `{name}`?"),
        (None, []) => format!("see {}", known.documentation()),
        (None, some) if some.len() <= 12 => format!("there are {}", list(some)),
        (None, _) => format!("see {}", known.documentation()),
    };
    let problem = Problem::new(code, place, format!("{at}: {}", finding.message)).help(help);
    if finding.rule == Rule::Word { problem.warning() } else { problem }
}

fn list(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}
