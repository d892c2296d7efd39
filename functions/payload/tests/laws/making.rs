//! An event that is made is the one that its text would be parsed as.

use crate::{
    generate::{self, number, string},
    model::{quoted, tree, tree_of_json, written},
};
use payload::{Arena, ChangeError, Limits, MAX_DEPTH, Name, New};
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Step {
    Open(&'static str),
    Close,
    Text(&'static str, String),
    Number(&'static str, String),
}

fn step() -> impl Strategy<Value = Step> {
    let name = || prop::sample::select(vec!["a", "b", "c", "\"\n", "é"]);
    prop_oneof![
        name().prop_map(Step::Open),
        Just(Step::Close),
        (name(), string()).prop_map(|(name, text)| Step::Text(name, serde_json::from_str(&text).unwrap())),
        (name(), number()).prop_map(|(name, number)| Step::Number(name, number)),
    ]
}

proptest! {
    #![proptest_config(generate::config())]

    #[test]
    fn what_is_made_is_what_would_be_parsed(steps in prop::collection::vec(step(), 0..40), known in any::<bool>()) {
        let mut arena = Arena::new();
        arena.load_slice(b"{\"a\": \"a line\"}");
        let mut json = "{".to_owned();
        let mut depth = 0;
        let mut maker = arena.make().unwrap();
        for step in &steps {
            let (Step::Open(name) | Step::Text(name, _) | Step::Number(name, _)) = step else {
                maker.close();
                if depth > 0 {
                    depth -= 1;
                    json.push('}');
                }
                continue;
            };
            if !json.ends_with('{') {
                json.push(',');
            }
            json.extend([&quoted(name), ":"]);
            match step {
                Step::Open(_) => {
                    depth += 1;
                    json.push('{');
                    if known { maker.open(&Name::new(name)).unwrap() } else { maker.open_named(name).unwrap() }
                }
                Step::Text(_, text) => {
                    json += &quoted(text);
                    if known { maker.add(&Name::new(name), text).unwrap() } else { maker.add_named(name, text).unwrap() }
                }
                Step::Number(_, number) => {
                    json += number;
                    maker.add(&Name::new(name), New::Number(number)).unwrap();
                }
                Step::Close => {}
            }
        }
        json += &"}".repeat(depth + 1);
        let made = tree(&maker.finish());
        prop_assert_eq!(made, tree_of_json(&json).meaning(), "{}", json);
        prop_assert_eq!(arena.loaded(), b"{\"a\": \"a line\"}");
    }
}

#[test]
fn what_is_no_number_is_refused() {
    let mut arena = Arena::new();
    let mut event = arena.parse_slice(b"{}").unwrap();
    let path = payload::Path::member("n");
    for text in ["", "-", "01", "1.", "1x", "1 ", "0x1", "NaN", "1\0", "é"] {
        assert!(matches!(event.set(&path, New::Number(text)), Err(ChangeError::Json(_))), "{text:?}");
    }
    event.set(&path, New::Number("-1.50E+7")).unwrap();
    assert_eq!(written(&event), r#"{"n":-1.50E+7}"#);
}

#[test]
fn what_is_made_has_bounds() {
    let mut arena = Arena::with_limits(Limits { made: 1000 });
    let mut maker = arena.make().unwrap();
    assert_eq!(maker.add_named("a", &"x".repeat(1000)), Err(ChangeError::TooLarge));
    let mut arena = Arena::new();
    let mut maker = arena.make().unwrap();
    for _ in 1..MAX_DEPTH {
        maker.open_named("a").unwrap();
    }
    assert_eq!(maker.open_named("a"), Err(ChangeError::TooDeep));
    assert_eq!(written(&maker.finish()).len(), 2 * MAX_DEPTH as usize + 4 * (MAX_DEPTH as usize - 1));
}
