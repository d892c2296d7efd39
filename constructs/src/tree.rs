//! The tree of constructs: an app has stacks, a stack has constructs, a construct adds others, the leaves are resources.
//!
//! A construct is a value that says what is wanted. [`Scope::add`] gives it an id and lets it build itself; what comes back is a
//! handle, cheap to clone, that says what the rest of the stack may ask of it. The path of ids names a resource
//! in the template, so ids are a contract: another id is another resource.
//!
//! **Invariant.** Nothing here panics or stops at the first mistake: whatever is wrong becomes a [`Problem`], and all of them are
//! told when the stack is synthesized.
//!
//! Imports: `cfn`, `codes`, `iam`, `logical_id`, `problem`, `template`.

mod options;
mod synth;

pub use options::{DeletionPolicy, Options, UpdateReplacePolicy};
pub use synth::Synthesis;

use crate::codes;
use crate::iam::{Carrier, PolicyTarget, Statement};
use crate::logical_id::logical_id;
use crate::problem::{Code, Problem};
use crate::template::{
    Condition, ConditionHandle, Mapping, MappingHandle, Output, Parameter, ParameterHandle, Rule, alphanumeric,
};
use cfn::{Json, Ref, Resource};
use options::Attributes;
use std::collections::{BTreeMap, BTreeSet};

/// Everything that can be added to a stack, whatever its layer: a resource, or a construct that adds resources.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is neither a construct nor a complete resource",
    label = "cannot be added: is a required property not set?",
    note = "a `MissingX` in the type is the required property `X`: call its method"
)]
pub trait Construct {
    /// What the rest of the stack may ask of it: cheap to clone, owning nothing.
    type Handle;

    /// Adds what it is made of. The main resource of a construct has the id `Resource`, which logical ids do not show.
    fn build(self, scope: &mut Scope<'_>) -> Self::Handle;
}

impl<R: Resource> Construct for R {
    type Handle = Ref<R>;

    fn build(self, scope: &mut Scope<'_>) -> Ref<R> {
        Ref::new(scope.resource(R::TYPE.name, self.into_json()))
    }
}

/// A resource of a type that [`cfn`] does not have: name and properties as JSON, checked by CloudFormation only.
#[derive(Clone, Debug, PartialEq)]
pub struct Untyped {
    type_name: String,
    properties: Json,
}

impl Untyped {
    /// `Untyped::new("AWS::WAFv2::IPSet", json!({…}))`
    pub fn new(type_name: &str, properties: Json) -> Self {
        Self { type_name: type_name.to_owned(), properties }
    }
}

impl Construct for Untyped {
    type Handle = Ref<Untyped>;

    fn build(self, scope: &mut Scope<'_>) -> Ref<Untyped> {
        Ref::new(scope.resource(&self.type_name, self.properties))
    }
}

/// All stacks of a program.
#[derive(Clone, Debug, Default)]
pub struct App {
    stacks: Vec<Stack>,
}

impl App {
    /// An app of these stacks.
    pub fn new(stacks: impl IntoIterator<Item = Stack>) -> Self {
        Self { stacks: stacks.into_iter().collect() }
    }

    /// The stacks, in the order of their names.
    pub fn stacks(&self) -> Vec<&Stack> {
        let mut stacks: Vec<&Stack> = self.stacks.iter().collect();
        stacks.sort_by(|a, b| a.name.cmp(&b.name));
        stacks
    }

    /// The stack of this name.
    pub fn stack(&self, name: &str) -> Option<&Stack> {
        self.stacks.iter().find(|stack| stack.name == name)
    }

    /// What is wrong with the app itself; what is wrong with a stack, its synthesis says.
    pub fn problems(&self) -> Vec<Problem> {
        let mut seen = BTreeSet::new();
        let twice = self.stacks().into_iter().map(|stack| stack.name.as_str()).filter(|name| !seen.insert(*name));
        twice.map(|name| Problem::new(codes::STACK_NAME, name, format!("two stacks are called `{name}`"))).collect()
    }
}

/// What is deployed, updated and deleted as one; becomes one template.
#[derive(Clone, Debug)]
pub struct Stack {
    name: String,
    description: String,
    tags: BTreeMap<String, String>,
    metadata: BTreeMap<String, Json>,
    /// By logical id.
    resources: BTreeMap<String, Entry>,
    /// The path of every construct.
    constructs: BTreeSet<Vec<String>>,
    parameters: BTreeMap<String, Parameter>,
    mappings: BTreeMap<String, Mapping>,
    conditions: BTreeMap<String, Condition>,
    rules: BTreeMap<String, Rule>,
    outputs: BTreeMap<String, Output>,
    /// By the logical id of a role.
    grants: BTreeMap<String, Vec<Statement>>,
    /// By the logical id of a resource that has a policy.
    policies: BTreeMap<String, (Carrier, Vec<Statement>)>,
    problems: Vec<Problem>,
}

/// A resource that was added.
#[derive(Clone, Debug)]
struct Entry {
    path: Vec<String>,
    type_name: String,
    properties: Json,
    attributes: Attributes,
}

impl Stack {
    /// An empty stack. The name is what it is deployed under: it begins with a letter and consists of letters, digits, hyphens.
    pub fn new(name: &str) -> Self {
        let mut stack = Self {
            name: name.to_owned(),
            description: String::new(),
            tags: BTreeMap::new(),
            metadata: BTreeMap::new(),
            resources: BTreeMap::new(),
            constructs: BTreeSet::new(),
            parameters: BTreeMap::new(),
            mappings: BTreeMap::new(),
            conditions: BTreeMap::new(),
            rules: BTreeMap::new(),
            outputs: BTreeMap::new(),
            grants: BTreeMap::new(),
            policies: BTreeMap::new(),
            problems: vec![],
        };
        let allowed = |c: char| c.is_ascii_alphanumeric() || c == '-';
        if name.len() > 128 || !name.starts_with(|c: char| c.is_ascii_alphabetic()) || !name.chars().all(allowed) {
            let message = format!("`{name}` is no name for a stack");
            let help = "begin with a letter; use letters, digits and hyphens, at most 128";
            stack.problems.push(Problem::new(codes::STACK_NAME, name, message).help(help));
        }
        stack
    }

    /// What it is for: up to 1,024 bytes, in the template.
    #[must_use]
    pub fn description(self, text: &str) -> Self {
        Self { description: text.to_owned(), ..self }
    }

    /// A tag that CloudFormation puts on every resource that takes tags. Not in the template: given when it is deployed.
    #[must_use]
    pub fn tag(mut self, key: &str, value: &str) -> Self {
        self.tags.insert(key.to_owned(), value.to_owned());
        self
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The scope right below the stack.
    pub fn scope(&mut self) -> Scope<'_> {
        Scope { stack: self, path: vec![], condition: None }
    }

    /// Adds a construct right below the stack.
    pub fn add<C: Construct>(&mut self, id: &str, construct: C) -> C::Handle {
        self.scope().add(id, construct)
    }

    fn place(&self, path: &[String]) -> String {
        let mut place = self.name.clone();
        for id in path {
            place.push('/');
            place.push_str(id);
        }
        place
    }
}

/// A place in the tree, where constructs are added.
#[derive(Debug)]
pub struct Scope<'a> {
    stack: &'a mut Stack,
    path: Vec<String>,
    /// What is added exists only where this holds.
    condition: Option<ConditionHandle>,
}

impl Scope<'_> {
    /// Adds a construct or a resource under an id of its own. Letters and digits of the id are seen in logical ids.
    pub fn add<C: Construct>(&mut self, id: &str, construct: C) -> C::Handle {
        let mut path = self.path.clone();
        path.push(id.to_owned());
        if self.stack.constructs.contains(&path) {
            let message = format!("two constructs have the id `{id}` here");
            let problem = Problem::new(codes::DUPLICATE_ID, self.stack.place(&path), message);
            self.stack.problems.push(problem.help("give one of them another id"));
            // Told once: what the construct adds must not be told of as well, so it goes where nothing is.
            while self.stack.constructs.contains(&path) {
                path.push("Again".to_owned());
            }
        }
        self.stack.constructs.insert(path.clone());
        if id.is_empty() {
            let problem = Problem::new(codes::INVALID_ID, self.stack.place(&path), "the id is empty");
            self.stack.problems.push(problem.help("give it a name that says what it is"));
        }
        construct.build(&mut Scope { stack: self.stack, path, condition: self.condition.clone() })
    }

    /// The same place, where all that is added exists only where `condition` holds: resources, their policies with them, and what
    /// is granted here.
    ///
    /// What refers to such a resource from elsewhere does so within [`ConditionHandle::if_`]. A scope of a scope has both conditions.
    pub fn only_if(&mut self, condition: &ConditionHandle) -> Scope<'_> {
        let both = self.both(self.condition.clone().as_ref(), condition);
        Scope { stack: self.stack, path: self.path.clone(), condition: Some(both) }
    }

    fn both(&mut self, outer: Option<&ConditionHandle>, inner: &ConditionHandle) -> ConditionHandle {
        match outer {
            Some(outer) if outer != inner => {
                let name = format!("{}And{}", outer.name(), inner.name());
                self.condition(&name, Condition::and([outer.holds(), inner.holds()]))
            }
            _ => inner.clone(),
        }
    }

    /// A statement of this scope, in the policy of `owner`. A policy that has the same condition needs it not said again.
    fn here(&mut self, owner: &str, statement: Statement) -> Statement {
        let of_owner = self.stack.resources.get(owner).and_then(|entry| entry.attributes.condition.clone());
        match self.condition.clone() {
            Some(condition) if of_owner.as_deref() != Some(condition.name()) => {
                let both = self.both(statement.holds_if(), &condition);
                statement.only_if(&both)
            }
            _ => statement,
        }
    }

    /// The condition of what is added here, if it has one.
    pub fn holds_if(&self) -> Option<&ConditionHandle> {
        self.condition.as_ref()
    }

    /// Adds the resource that this scope itself is; gives its logical id.
    fn resource(&mut self, type_name: &str, properties: Json) -> String {
        let place = self.stack.place(&self.path);
        let id = logical_id(&self.path).unwrap_or_else(|| {
            let problem = Problem::new(codes::INVALID_ID, place.clone(), "no logical id can be made from this path");
            self.stack.problems.push(problem.help("use letters or digits, and not `Default` alone"));
            "Invalid".to_owned()
        });
        match self.stack.resources.get(&id) {
            Some(other) if other.path == self.path => {} // said when it was added
            Some(other) => {
                let other = self.stack.place(&other.path);
                let message = format!("its logical id `{id}` is also that of {other}");
                self.stack
                    .problems
                    .push(Problem::new(codes::SAME_LOGICAL_ID, place, message).help("rename one of them"));
            }
            None => {
                let (path, type_name) = (self.path.clone(), type_name.to_owned());
                let condition = self.condition.as_ref().map(|condition| condition.name().to_owned());
                let attributes = Attributes { condition, ..Attributes::default() };
                let entry = Entry { path, type_name, properties, attributes };
                self.stack.resources.insert(id.clone(), entry);
            }
        }
        id
    }

    /// Where this is: the stack and the ids, joined by slashes.
    pub fn path(&self) -> String {
        self.stack.place(&self.path)
    }

    /// The name of the stack.
    pub fn stack_name(&self) -> &str {
        &self.stack.name
    }

    /// Dependencies, policies, metadata and overrides of a resource that was added.
    pub fn options<R>(&mut self, resource: &Ref<R>) -> Options<'_> {
        self.knows(resource.logical_id(), "options");
        Options { stack: self.stack, id: resource.logical_id().to_owned() }
    }

    /// Grants: lets `role` do what the statement says. All grants of a role become one policy.
    pub fn allow(&mut self, role: &Ref<cfn::iam::Role>, statement: Statement) {
        if let Some(mistake) = statement.mistake(true) {
            self.problem(codes::STATEMENT, format!("a grant to `{}`: {mistake}", role.logical_id()), "");
        }
        if self.knows(role.logical_id(), "a grant") {
            let statement = self.here(role.logical_id(), statement);
            self.stack.grants.entry(role.logical_id().to_owned()).or_default().push(statement);
        }
    }

    /// Adds a statement to the policy of a resource: a bucket's, a topic's, a queue's, a stream's, a key's, a domain's.
    pub fn allow_on<R: PolicyTarget>(&mut self, target: &Ref<R>, statement: Statement) {
        if let Some(mistake) = statement.mistake(false) {
            self.problem(codes::STATEMENT, format!("the policy of `{}`: {mistake}", target.logical_id()), "");
        }
        if self.knows(target.logical_id(), "a policy") {
            let id = target.logical_id().to_owned();
            let statement = self.here(&id, statement);
            self.stack.policies.entry(id).or_insert((R::CARRIER, vec![])).1.push(statement);
        }
    }

    /// Whether a handle means a resource of this stack; a problem when not.
    fn knows(&mut self, id: &str, what: &str) -> bool {
        let known = self.stack.resources.contains_key(id);
        if !known {
            self.problem(
                codes::FOREIGN_HANDLE,
                format!("{what} for `{id}`, which is not a resource of this stack"),
                "",
            );
        }
        known
    }

    /// A parameter of the template. Names are those of the whole stack; the same definition twice is one parameter.
    pub fn parameter(&mut self, name: &str, parameter: Parameter) -> ParameterHandle {
        let found = parameter.check(name, &self.path());
        self.stack.problems.extend(found);
        self.define("parameter", name, parameter, |stack| &mut stack.parameters);
        ParameterHandle::new(name)
    }

    /// A mapping of the template.
    pub fn mapping(&mut self, name: &str, mapping: Mapping) -> MappingHandle {
        self.named("mapping", name);
        self.define("mapping", name, mapping, |stack| &mut stack.mappings);
        MappingHandle::new(name)
    }

    /// A condition of the template.
    pub fn condition(&mut self, name: &str, condition: Condition) -> ConditionHandle {
        self.named("condition", name);
        let found = condition.check(name, &self.path());
        self.stack.problems.extend(found);
        self.define("condition", name, condition, |stack| &mut stack.conditions);
        ConditionHandle::new(name)
    }

    /// A rule of the template: what parameters must satisfy together.
    pub fn rule(&mut self, name: &str, rule: Rule) {
        self.named("rule", name);
        let found = rule.check(name, &self.path());
        self.stack.problems.extend(found);
        self.define("rule", name, rule, |stack| &mut stack.rules);
    }

    /// An output of the template.
    pub fn output(&mut self, name: &str, output: Output) {
        self.named("output", name);
        self.define("output", name, output, |stack| &mut stack.outputs);
    }

    /// Metadata of the template.
    pub fn metadata(&mut self, key: &str, value: Json) {
        self.define("metadata", key, value, |stack| &mut stack.metadata);
    }

    fn named(&mut self, what: &str, name: &str) {
        if !alphanumeric(name) {
            let message = format!("the name of the {what} `{name}` is refused");
            self.problem(codes::NAME, message, "use letters and digits, at most 255");
        }
    }

    fn define<T: PartialEq>(
        &mut self,
        what: &str,
        name: &str,
        value: T,
        of: impl FnOnce(&mut Stack) -> &mut BTreeMap<String, T>,
    ) {
        let all = of(self.stack);
        if all.get(name).is_some_and(|known| *known != value) {
            let message = format!("the {what} `{name}` is defined a second time, and differently");
            self.problem(codes::REDEFINED, message, "give one of them another name");
        } else {
            all.insert(name.to_owned(), value);
        }
    }

    /// Tells of a mistake of the author. The stack then gives no template.
    pub fn problem(&mut self, code: Code, message: impl Into<String>, help: impl Into<String>) {
        let problem = Problem::new(code, self.path(), message).help(help);
        self.stack.problems.push(problem);
    }

    /// Tells of something to look at.
    pub fn warning(&mut self, code: Code, message: impl Into<String>, help: impl Into<String>) {
        let problem = Problem::new(code, self.path(), message).help(help).warning();
        self.stack.problems.push(problem);
    }
}
