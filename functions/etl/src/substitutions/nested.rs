//! `NestedSubstitution`: an object of other substitutions' values.
//!
//! Imports: `build`, `component`, `event`, `need`, `payload`.

use super::{Key, Keys, Made, Place, RunSubstitution, Substitution, SubstitutionConfig, build, yes};
use crate::{
    build::{BuildCx, BuildError},
    component::{Any, Component},
    event::{Event, Fault},
    need::Need,
};
use bon::Builder;
use payload::Output;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Puts a new object under a key, whose members are what other substitutions make. They read from the event as it is; their keys are names
/// of members, not paths: `a.b` is one name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Builder)]
#[serde(deny_unknown_fields)]
pub struct NestedSubstitution {
    /// Path of the field to set; in a `NestedSubstitution`, the name of the member. Where its parent is missing, nothing is set.
    #[builder(into)]
    pub key: String,
    /// What makes the members, in order. Of two of one name the last one counts.
    #[serde(default)]
    #[builder(default)]
    pub substitutions: Vec<SubstitutionConfig>,
    /// Taken for the sake of old configs; has no effect, as in Bender.
    #[serde(default = "yes")]
    #[builder(default = true)]
    pub fail_dst_not_found: bool,
}

impl Component for NestedSubstitution {
    const NAME: &'static str = "NestedSubstitution";
    const EXAMPLE: &'static str = "type: NestedSubstitution\nkey: $.origin\nsubstitutions:\n- type: StaticSubstitution\n  key: team\n  value: web\n- type: FieldSubstitution\n  key: host\n  \
                                   src_fields: [$.hostname]\n";

    fn needs(&self) -> Vec<Need> {
        self.substitutions.iter().flat_map(Any::needs).collect()
    }
}

impl Substitution for NestedSubstitution {
    type State = (Key, Vec<Box<dyn RunSubstitution>>);

    fn state(&self, cx: &BuildCx<'_>, keys: Keys) -> Result<Self::State, BuildError> {
        Ok((keys.read(&self.key)?, build(&self.substitutions, cx, Keys::Names)?))
    }

    fn keys(&self) -> Vec<(String, &str)> {
        vec![("key".to_owned(), &self.key)]
    }

    fn wants_hash(&self) -> bool {
        self.substitutions.iter().any(|one| one.wants_hash())
    }

    fn substitute(
        &self,
        (key, substitutions): &mut Self::State,
        event: &mut Event<'_>,
        place: &mut Place<'_>,
    ) -> Result<(), Fault> {
        let mut members = Output::new();
        for substitution in substitutions {
            substitution.substitute(event, &mut Place::Members(&mut members))?;
        }
        members.extend_from_slice(if members.is_empty() { b"{}" } else { b"}" });
        place.put(event, key, Made::Json(members.into_vec()))
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        event::Facts,
        substitutions::testing::{assert_substituted, substituted},
    };

    #[test]
    fn members_are_made_of_the_event_as_it_is() {
        let config = "[{type: NestedSubstitution, key: a, substitutions: [
            {type: FieldSubstitution, key: a.b, src_fields: [$.a.x], remove_src_field: true},
            {type: StaticSubstitution, key: 's\"', value: v},
            {type: NestedSubstitution, key: deep, substitutions: []}]}]";
        assert_substituted(config, r#"{"a":{"x":1.50},"z":0}"#, r#"{"a":{"a.b":1.50,"s\"":"v","deep":{}},"z":0}"#);
        assert_eq!(substituted(config, &mut Facts::default(), "{}"), Err("there is nothing at the `src_fields`"));
    }

    #[test]
    fn of_two_members_of_one_name_the_last_one_counts() {
        let config = "[{type: NestedSubstitution, key: n, substitutions: [
            {type: StaticSubstitution, key: a, value: x}, {type: StaticSubstitution, key: a, value: y}]}]";
        assert_substituted(config, "{}", r#"{"n":{"a":"y"}}"#);
    }
}
