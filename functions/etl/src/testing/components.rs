//! One event through one component.
//!
//! Imports: everything.

use crate::{
    deserializers::{Deserializer, Raw, Unread},
    event::{Event, Facts, Fault},
    ports::{Answer, Call, HttpCall},
    serializers::Serializer,
    testing::operations::{cx, no_assets},
    transports::{Load, Next, Transport, Verdict},
    wrappers::{Spelling, Wrapper},
};
use bytes::Bytes;
use payload::{Arena, Output};
use serde_json::Value;

/// Text as a value, to be compared without the order of members.
pub(crate) fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// What a deserializer makes of a text, or the reason why it makes nothing.
fn reading<D: Deserializer>(component: &D, state: &mut D::State, text: &[u8]) -> Result<String, &'static str> {
    let (mut arena, mut out) = (Arena::new(), Output::new());
    arena.load_slice(text);
    let range = arena.whole();
    match component.read(state, Raw { arena: &mut arena, range }) {
        Ok(payload) => payload.write_to(&mut out),
        Err(Unread::Drop(reason) | Unread::Fault(Fault { reason })) => return Err(reason),
    }
    Ok(String::from_utf8(out.into_vec()).unwrap())
}

/// What comes of the lines of objects: the event's text, or the reason why there is none.
pub(crate) fn read_lines(component: &impl Deserializer, objects: &[&[&str]]) -> Vec<String> {
    let mut state = component.state(&cx(&no_assets())).unwrap();
    let mut all = vec![];
    for object in objects {
        component.begin(&mut state);
        let lines = object.iter().map(|line| reading(component, &mut state, line.as_bytes()));
        all.extend(lines.map(|read| read.unwrap_or_else(str::to_owned)));
    }
    all
}

/// The deserializer reads `text` as `expected`.
#[track_caller]
pub(crate) fn assert_read(component: &impl Deserializer, text: &str, expected: &str) {
    let mut state = component.state(&cx(&no_assets())).unwrap();
    assert_eq!(reading(component, &mut state, text.as_bytes()).as_deref().map(json), Ok(json(expected)), "{text}");
}

/// The deserializer does not read `text`, for this reason.
#[track_caller]
pub(crate) fn assert_unread(component: &impl Deserializer, text: &str, reason: &str) {
    let mut state = component.state(&cx(&no_assets())).unwrap();
    assert_eq!(reading(component, &mut state, text.as_bytes()), Err(reason), "{text}");
}

/// The envelope that the wrapper puts around an event, with keys in snake case.
pub(crate) fn wrap(wrapper: &impl Wrapper, facts: &mut Facts, text: &str) -> Result<String, Fault> {
    let spell = |key: &str| {
        key.chars().flat_map(|c| [c.is_uppercase().then_some('_'), Some(c.to_ascii_lowercase())]).flatten().collect()
    };
    let mut state = wrapper.state(&cx(&no_assets()), Spelling(&spell)).unwrap();
    let (mut arena, mut out) = (Arena::new(), Output::new());
    let mut event = Event { payload: arena.parse_slice(text.as_bytes()).unwrap(), facts };
    wrapper.wrap(&mut state, &mut event)?;
    event.payload.write_to(&mut out);
    Ok(String::from_utf8(out.into_vec()).unwrap())
}

/// The text that the serializer writes of an event.
pub(crate) fn serialize(serializer: &impl Serializer, facts: &mut Facts, text: &str) -> String {
    let mut state = serializer.state(&cx(&no_assets())).unwrap();
    let (mut arena, mut out) = (Arena::new(), Output::new());
    let event = Event { payload: arena.parse_slice(text.as_bytes()).unwrap(), facts };
    serializer.write(&mut state, &event, &mut out).unwrap();
    String::from_utf8(out.into_vec()).unwrap()
}

/// An event in the far side's form, its own text being `EVENT`.
pub(crate) fn frame(transport: &impl Transport, facts: &mut Facts, text: &str) -> Result<String, Fault> {
    let mut state = transport.state(&cx(&no_assets())).unwrap();
    let (mut arena, mut out) = (Arena::new(), Output::new());
    let event = Event { payload: arena.parse_slice(text.as_bytes()).unwrap(), facts };
    transport.head(&mut state, &event, &mut out)?;
    out.extend_from_slice(b"EVENT");
    transport.tail(&mut state, &event, &mut out)?;
    Ok(String::from_utf8(out.into_vec()).unwrap())
}

/// What is done for one load without partition.
pub(crate) fn call(transport: &impl Transport, bytes: &'static [u8], ends: &[usize]) -> Next {
    let mut state = transport.state(&cx(&no_assets())).unwrap();
    let bytes = Bytes::from_static(bytes);
    let packed = transport.limits().packing.pack(&bytes);
    transport.call(&mut state, &Load { partition: &[], bytes: &bytes, packed: &packed, ends, last: true })
}

/// What is done for several loads, each of one unit.
pub(crate) fn loads(transport: &impl Transport, loads: &[&'static [u8]]) -> Vec<Next> {
    let mut state = transport.state(&cx(&no_assets())).unwrap();
    let mut load = |bytes: &'static [u8]| {
        let (ends, bytes) = ([bytes.len()], Bytes::from_static(bytes));
        let packed = transport.limits().packing.pack(&bytes);
        let load = Load { partition: &[], bytes: &bytes, packed: &packed, ends: &ends, last: false };
        transport.call(&mut state, &load)
    };
    loads.iter().map(|bytes| load(bytes)).collect()
}

/// The request that carries one load.
pub(crate) fn http(transport: &impl Transport, bytes: &'static [u8], ends: &[usize]) -> HttpCall {
    match call(transport, bytes, ends) {
        Next::Call(Call::Http(call)) => call,
        other => panic!("{other:?}"),
    }
}

/// What an answer means for one load.
pub(crate) fn judge(transport: &impl Transport, bytes: &'static [u8], ends: &[usize], answer: &Answer) -> Verdict {
    let mut state = transport.state(&cx(&no_assets())).unwrap();
    let bytes = Bytes::from_static(bytes);
    let packed = transport.limits().packing.pack(&bytes);
    let load = Load { partition: &[], bytes: &bytes, packed: &packed, ends, last: true };
    transport.call(&mut state, &load);
    transport.judge(&mut state, &load, answer)
}
