//! The codes of problems. A code that was released is never used for anything else, also when its check is gone.
//!
//! CFN001 to 009 the tree, 010 to 019 references and limits, 020 to 029 properties, 030 to 039 parameters, conditions, mappings
//! and outputs, 040 to 049 policies, 050 to 059 pipelines.
//!
//! Imports: `problem`.
//!
//! *To add one*: a constant, and its name in [`ALL`].

use crate::problem::Code;

macro_rules! codes { ($($name:ident = $id:literal, $title:literal, $explain:literal;)*) => {
    $(
        #[doc = concat!($id, ": ", $title, ".")]
        pub const $name: Code = Code { id: $id, title: $title, explain: $explain };
    )*
    /// All codes, by id.
    pub const ALL: &[Code] = &[$($name),*];
} }

codes! {
    DUPLICATE_ID = "CFN001", "two constructs have the same id",
        "An id names a construct within the construct that adds it, and the logical id of a resource is made from the path of \
         ids. Two constructs with one path would be one resource. Give one of them another id. The id of a resource that is \
         already deployed is best left alone: another id is another resource.";
    INVALID_ID = "CFN002", "an id that no logical id can be made from",
        "A logical id consists of letters and digits. The id of a construct may hold other characters, which are left out, but \
         something must remain, and a path cannot consist of `Default` alone, which is hidden.";
    SAME_LOGICAL_ID = "CFN003", "two resources have the same logical id",
        "Two paths give one logical id, as `A-B` and `AB` do right below the stack, or an overridden logical id is taken \
         already. Rename one of the two.";
    STACK_NAME = "CFN004", "a name that CloudFormation refuses for a stack",
        "The name of a stack begins with a letter, consists of letters, digits and hyphens, and has at most 128 characters. No \
         two stacks of an app may have the same.";
    NO_SUCH_OVERRIDE = "CFN005", "a property cannot be overridden at this path",
        "The path of an override is made of property names and list positions, joined by dots. It must go through objects and \
         existing items of lists; it cannot go through text, a number or an intrinsic.";
    DANGLING_REFERENCE = "CFN010", "a reference to something that is not in the template",
        "`Ref`, `Fn::GetAtt`, `Fn::Sub`, `Fn::FindInMap`, `Fn::If`, `Condition` and `DependsOn` name resources, parameters, \
         mappings and conditions of the same template. What lies in another stack is handed over by an export and \
         `Fn::ImportValue`, or by a parameter.";
    NO_SUCH_ATTRIBUTE = "CFN011", "the resource has no such attribute",
        "`Fn::GetAtt` can ask for the attributes that AWS's page of the resource type lists. What `Ref` gives (a name, an id, \
         an ARN) is often no attribute.";
    CYCLE = "CFN012", "resources that need each other",
        "CloudFormation creates a resource after those that it refers to, so a circle of references cannot be created. Break it \
         where a name would do: let one of them have a name that both can be told, put a statement into a policy of its own, \
         or use a condition on `aws:SourceAccount` instead of the other's ARN.";
    LIMIT = "CFN013", "the template exceeds a quota of CloudFormation",
        "A template holds at most 500 resources, 200 parameters, 200 outputs and 200 mappings, and at most 1 MB of text. Split \
         the stack: what lives and changes together stays together, exports and parameters join the parts.";
    LARGE_TEMPLATE = "CFN014", "the template must be uploaded to a bucket first",
        "CloudFormation takes a template of up to 51,200 bytes in the request itself. A larger one must lie in a bucket: \
         `aws cloudformation deploy` puts it there when it is given `--s3-bucket`.";
    MISSING_PROPERTY = "CFN020", "a required property is missing",
        "CloudFormation refuses the resource without it. Resources built with types have all of them; it is missing because it \
         was overridden or the properties were given as JSON.";
    UNKNOWN_PROPERTY = "CFN021", "the resource type has no such property",
        "CloudFormation refuses properties that it does not know. When AWS has added the property since our schemas were \
         pinned, update the schemas (`cargo run -p codegen -- --pin`).";
    WRONG_TYPE = "CFN022", "a value of another type is wanted", "The property holds text, a number, a truth value, a list or \
         an object, and was given another of these.";
    UNKNOWN_WORD = "CFN023", "a word that our schemas do not know",
        "The property takes one of some words, and this is none of those known when the schemas were pinned. That is a warning, \
         as AWS adds words: if this one is new it will work, else the deployment fails.";
    PATTERN = "CFN024", "the text does not match the property's pattern",
        "CloudFormation holds the text against a regular expression and refuses the resource.";
    LENGTH = "CFN025", "too short or too long", "Text has too few or too many characters, or a list or map too few or too \
         many members.";
    RANGE = "CFN026", "a number out of its range", "The property takes numbers within bounds, or some numbers only.";
    REPEATED_ITEM = "CFN027", "two equal items in a list", "CloudFormation refuses lists of this property with equal items.";
    PROPERTY_GROUP = "CFN028", "properties that exclude, or need, one another",
        "Of some properties exactly one, or at least one, must be given; others need or exclude one another.";
    UNUSED = "CFN030", "a parameter, mapping or condition that nothing uses",
        "It would be asked of every operator and mean nothing. Use it, or leave it out.";
    PARAMETER = "CFN031", "a parameter that contradicts itself or CloudFormation",
        "A parameter's name is letters and digits; its default must satisfy its own constraints; lengths and patterns are for \
         text, least and most for numbers.";
    REDEFINED = "CFN032", "one name is given two definitions",
        "Parameters, mappings, conditions, rules and outputs have one name each in the whole stack. Two constructs may define the same \
         thing in the same way and share it; these two differ.";
    CONDITION = "CFN033", "a condition that CloudFormation refuses",
        "`Fn::And` and `Fn::Or` take 2 to 10 conditions; the name is letters and digits. A rule is evaluated before conditions \
         are, so it cannot name one.";
    NAME = "CFN034", "a name that CloudFormation refuses",
        "Names of outputs, mappings, conditions and rules consist of letters and digits and have at most 255 characters.";
    STATEMENT = "CFN040", "a policy statement that IAM refuses",
        "A statement needs actions. In a role's policy it needs resources and has no principal; in a resource's policy it needs a \
         principal.";
    FOREIGN_HANDLE = "CFN041", "a handle of a resource that is not in this stack",
        "Grants, policies and options are written into the stack that holds the resource. For a resource of another stack, do it \
         there, or hand over its ARN and use a handle made from that.";
    NEED = "CFN050", "a permission that the pipeline needs cannot be given",
        "What a pipeline may do follows from its config: each component says what it needs, and on which resource. The resource is \
         known when the config names it by a handle that was bound (`names.bind(name, &handle)`), or when the name in the config \
         is enough to tell its ARN.";
    PIPELINE = "CFN051", "the pipeline's config is refused",
        "The config is read at synth as the function will read it, with the names known and their values not. The message holds \
         the code of the mistake in the config (`ETL…`), which can be explained, too.";
    ENVIRONMENT = "CFN052", "the pipeline's config does not fit where it is put",
        "Lambda allows 4,096 bytes of environment, names and values together, counted when the stack stands: what is known only \
         then counts with the longest text that it can become. A config that is too long is compressed; if that does not do, put \
         it into an object, and name the object by `BENDER_CONFIG` (`PlacedConfig::in_bucket`). A parameter of Systems Manager holds \
         8,192 bytes.";
    SECRET_IN_CONFIG = "CFN053", "a secret would stand in the template or in the function's environment",
        "CloudFormation replaces `{{resolve:…}}` by the secret itself, which everybody could then read who may look at the \
         function. A password or token that is spelt out in the config stands in the template itself. Name the secret by reference, and \
         let the function read it when it starts.";
    TRIGGER = "CFN054", "a trigger that does not go with its pipeline or its queue",
        "Each handler reads what one kind of trigger brings: `KinesisHandler` records of a stream, `S3Handler` announcements of objects, and \
         so on; another would refuse every invocation. What pushes can be queued, what Lambda reads from waits by itself. A queue must \
         hide a message for six times the timeout of the function that reads it, so that it is not handed out again while it is \
         worked on.";
}

#[cfg(test)]
mod tests {
    use super::ALL;

    #[test]
    fn ids_are_unique_sorted_and_explained() {
        assert!(ALL.is_sorted_by(|a, b| a.id < b.id), "sorted, and none twice");
        for code in ALL {
            assert!(code.id.len() == 6 && code.id.starts_with("CFN"), "{}", code.id);
            assert!(code.explain.ends_with('.') && !code.title.ends_with('.'), "{}", code.id);
            assert!(!code.explain.contains("  "), "{}", code.id);
        }
    }
}
