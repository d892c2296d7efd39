//! A call whose answer is waited for: what is needed before there is a pipeline.

use etl::ports::{Answer, Call, Calls};
use std::{sync::mpsc, time::Duration};

const LIMIT: Duration = Duration::from_secs(5);

/// Makes a call and waits for its answer.
pub(crate) fn ask(calls: &dyn Calls, call: Call) -> Answer {
    let (tell, answers) = mpsc::channel();
    calls.start(0, call, LIMIT, &tell);
    // A port answers within the limit; one that does not is broken.
    answers.recv_timeout(LIMIT * 2).map_or_else(|_| Answer::Silence("no answer".to_owned()), |(_, answer)| answer)
}
