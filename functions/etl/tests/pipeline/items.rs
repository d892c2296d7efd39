//! Batches whose items come again one by one.

use crate::parts::{Take, config, lines, pipeline, s3};
use etl::{
    event::Context,
    handlers::{S3Handler, SQSHandler},
    pipeline::Invoked,
    ports::{Answer, Call, ObjectError},
    testing::{Reply, World},
};
use serde_json::{Value, json};

/// An invocation with messages of these groups, numbered from 0.
fn messages(groups: &[Option<&str>]) -> String {
    let message = |(number, group): (usize, Option<&str>)| {
        json!({
            "messageId": format!("m{number}"), "body": format!(r#"{{"n":{number}}}"#), "eventSource": "aws:sqs",
            "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:q", "attributes": {"MessageGroupId": group},
        })
    };
    json!({ "Records": groups.iter().copied().enumerate().map(message).collect::<Vec<_>>() }).to_string()
}

/// What comes of these messages when the far side does not take some of them.
fn invoke(handler: SQSHandler, groups: &[Option<&str>], refused: &'static [usize]) -> Invoked {
    let world = World::new();
    world.calls.answer(move |call| {
        let Call::PutRecordBatch { records, .. } = call else { panic!("{call:?}") };
        let hit = |line: &String| refused.iter().any(|number| line.contains(&format!(r#""n":{number}}}"#)));
        Reply::Now(Answer::Records(lines(records).iter().map(|l| hit(l).then(|| "again".to_owned())).collect()))
    });
    let config = config(handler, vec![], Take { retries: Some(0), ..Take::default() });
    let invoked = pipeline(&world, &config).invoke(messages(groups).as_bytes(), &Context::default());
    assert!(invoked.ledger.balances(), "{:?}", invoked.ledger);
    invoked
}

fn failed(invoked: &Invoked) -> Vec<&str> {
    let failures = invoked.answer.as_ref().unwrap()["batchItemFailures"].as_array().unwrap();
    failures.iter().filter_map(|failure: &Value| failure["itemIdentifier"].as_str()).collect()
}

#[test]
fn just_the_messages_that_were_not_taken_come_again() {
    let invoked = invoke(SQSHandler::builder().build(), &[None; 5], &[1, 3]);
    assert_eq!(failed(&invoked), ["m1", "m3"]);
    assert_eq!((invoked.handed_back, invoked.delivered_again), (2, 0));
    assert!(failed(&invoke(SQSHandler::builder().build(), &[None; 5], &[])).is_empty());
}

#[test]
fn of_a_group_all_behind_the_first_that_comes_again_come_again_too() {
    let (a, b) = (Some("a"), Some("b"));
    let invoked = invoke(SQSHandler::builder().build(), &[a, b, a, b, a, b], &[2]);
    assert_eq!(failed(&invoked), ["m2", "m4"]);
    assert_eq!((invoked.handed_back, invoked.delivered_again), (1, 1));
}

#[test]
fn nothing_comes_again_that_the_config_does_not_want_again() {
    let invoked = invoke(SQSHandler::builder().fail_on_exception(false).build(), &[None; 3], &[1]);
    assert!(failed(&invoked).is_empty());
    assert_eq!((invoked.handed_back, invoked.delivered_again), (1, 0));
}

#[test]
fn of_announcements_in_a_queue_the_messages_come_again_of_which_an_object_was_not_read() {
    let world = World::new();
    world.objects.put("b", "one", Ok(b"{}\n".to_vec()));
    world.objects.put("b", "two", Err(ObjectError::Denied("AccessDenied".into())));
    let body = |keys: &[&str]| String::from_utf8(s3(keys)).unwrap();
    let message = |(id, body): (&str, String)| json!({"messageId": id, "eventSource": "aws:sqs", "body": body});
    let messages = [("both", body(&["one", "two"])), ("one", body(&["one"])), ("two", body(&["two"]))].map(message);
    let invocation = json!({ "Records": messages }).to_string();
    for fails in [true, false] {
        let handler = S3Handler::builder().fail_on_exception(fails).sns_notification_arn("arn:aws:sns:us-east-1:1:t");
        let config = config(handler.build(), vec![], Take::default());
        let invoked = pipeline(&world, &config).invoke(invocation.as_bytes(), &Context::default());
        assert_eq!(failed(&invoked), if fails { vec!["both", "two"] } else { vec![] });
        assert_eq!(invoked.delivered_again, u64::from(fails));
        let Some(Call::Publish { message, .. }) = world.calls.made().pop() else { panic!("a notice") };
        assert_eq!(message, "one,two,two");
    }
}
