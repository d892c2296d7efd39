//! Depth, size, memory: beyond a bound is an error, never the end of the process.

use crate::model::{styled, written};
use payload::{
    Arena, Change, ChangeError, Collision, Flattener, Kind, Limits, MAX_DEPTH, MAX_MADE_DEPTH, Name, New, Output, Path,
    Reach, Rewriter, Style,
};
use std::thread;

fn path(text: &str) -> Path {
    Path::new(text).unwrap()
}

/// Runs on a stack of 2 MiB, what a thread has by default.
fn on_a_small_stack(run: impl FnOnce() + Send + 'static) {
    thread::Builder::new().stack_size(2 << 20).spawn(run).unwrap().join().unwrap();
}

fn nested(open: &str, inside: &str, close: &str, levels: u32) -> String {
    let levels = levels as usize;
    format!("{}{inside}{}", open.repeat(levels), close.repeat(levels))
}

#[test]
fn nesting_past_the_bound_is_an_error() {
    on_a_small_stack(|| {
        let mut arena = Arena::new();
        for levels in [MAX_DEPTH + 1, 10_000, 100_000] {
            for (open, close) in [("[", "]"), ("{\"a\":", "}"), ("[{\"\":", "}]")] {
                for text in [nested(open, "1", close, levels), open.repeat(levels as usize)] {
                    let reason = "nested deeper than 512 levels";
                    assert_eq!(arena.parse_slice(text.as_bytes()).unwrap_err().reason, reason);
                    assert_eq!(arena.parse_lenient(arena.whole()).unwrap_err().reason, reason);
                    let error = arena.elements(0..text.len(), &path("$.a.a"), &[]).unwrap_err();
                    assert!(matches!(error, ChangeError::Json(error) if error.reason == reason));
                    let mut payload = arena.parse_slice(b"{}").unwrap();
                    let error = payload.set(&path("x"), New::Json(&text)).unwrap_err();
                    assert!(matches!(error, ChangeError::Json(error) if error.reason == reason));
                }
            }
        }
    });
}

#[test]
fn everything_works_at_the_bound() {
    on_a_small_stack(|| {
        let mut arena = Arena::new();
        let mut flattener = Flattener::new(".");
        let mut rewriter = Rewriter::new(Reach::All, |name, _| Change::Rename(name.to_uppercase()));
        for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
            let text = nested(open, "1", close, MAX_DEPTH);
            arena.load_slice(text.as_bytes());
            let expected = if open == "[" { ChangeError::Missing } else { ChangeError::WrongKind(Kind::Object) };
            assert_eq!(arena.elements(arena.whole(), &path("a"), &[]).unwrap_err(), expected);
            arena.load_slice(format!("#\n{text}").as_bytes());
            assert_eq!(written(&arena.parse_lenient(arena.whole()).unwrap()), text);
            let mut payload = arena.parse_slice(text.as_bytes()).unwrap();
            assert_eq!(payload.find_all(&path("$..*")).len(), MAX_DEPTH as usize);
            let _ = payload.set(&path("$..zzz"), 1);
            let mut copy = payload.copy().unwrap();
            copy.rewrite(&mut rewriter).unwrap();
            assert_eq!(written(&copy).len(), text.len());
            assert_eq!(styled(&copy, Style::Gson), written(&copy));
            payload.flatten(&mut flattener).unwrap();
            assert_eq!(payload.root().members().count(), 1);
        }
    });
}

#[test]
fn operations_cannot_nest_past_their_bound() {
    on_a_small_stack(|| {
        let mut arena = Arena::new();
        let mut wraps = arena.parse_slice(b"{}").unwrap();
        let name = Name::new("p");
        while wraps.wrap(|envelope| _ = envelope.put_payload(&name)).is_ok() {}
        let error = wraps.wrap(|envelope| _ = envelope.put_payload(&name));
        assert_eq!(error, Err(ChangeError::TooDeep));
        assert!(written(&wraps).len() > 5 * MAX_DEPTH as usize);

        // A value copied into itself doubles its depth.
        let mut doubled = arena.parse_slice(br#"{"a":{"a":1}}"#).unwrap();
        let mut place = "a".to_owned();
        let error = loop {
            place.push_str(".a");
            if let Err(error) = doubled.copy_value(&path("a"), &path(&place)) {
                break error;
            }
        };
        assert_eq!(error, ChangeError::TooDeep);
        let text = written(&doubled);
        assert!(text.matches('{').count() <= MAX_MADE_DEPTH as usize);
        // What has the deepest nesting that can be made can still be worked on.
        assert!(doubled.copy().is_ok());
        assert_eq!(styled(&doubled, Style::Gson), text);
        doubled.rewrite(&mut Rewriter::new(Reach::All, |_, _| Change::Keep)).unwrap();
        assert_eq!(doubled.find_all(&path("$..a")).len(), text.matches('a').count());
        doubled.flatten(&mut Flattener::new("")).unwrap();

        // So does a deep JSON text at a deep place.
        let deep = nested("[", "", "]", MAX_DEPTH);
        let mut payload = arena.parse_slice(b"[0]").unwrap();
        let place = |levels: usize| path(&format!("${}", "[0]".repeat(levels)));
        payload.set(&place(1), New::Json(&deep)).unwrap();
        payload.set(&place(500), New::Json(&deep)).unwrap();
        payload.set(&place(1000), New::Json("[[0]]")).unwrap();
        let error = payload.set(&place(1000), New::Json(&deep)).unwrap_err();
        assert!(matches!(error, ChangeError::Json(_)), "{error}");
    });
}

#[test]
fn what_operations_make_is_bounded() {
    let limited = || Arena::with_limits(Limits { made: 100_000 });
    let mut arena = limited();
    // Keys of 100 bytes in 100 levels: 500 kB of flat names out of 20 kB.
    let long = format!("\"{}\":", "k".repeat(100));
    let deep = nested(&format!("{{\"x\":1,{long}"), "1", "}", 100);
    let mut payload = arena.parse_slice(deep.as_bytes()).unwrap();
    assert_eq!(payload.flatten(&mut Flattener::new(".")), Err(ChangeError::TooLarge));
    assert_eq!(written(&payload), "null");

    // The same event gives the same answer when all its names are known.
    let mut payload = arena.parse_slice(deep.as_bytes()).unwrap();
    assert_eq!(payload.flatten(&mut Flattener::new(".")), Err(ChangeError::TooLarge));

    let mut payload = arena.parse_slice(br#"{"a":[1,1,1,1,1,1,1,1],"b":"x"}"#).unwrap();
    let error = (0..).find_map(|_| payload.copy_value(&path("$"), &path("$.a[0]")).err()).unwrap();
    assert_eq!(error, ChangeError::TooLarge);
    let text = "x".repeat(1000);
    let error = (0..).find_map(|_| payload.set(&path("b"), &text).err());
    assert_eq!(error, Some(ChangeError::TooLarge));
    assert_eq!(payload.copy().unwrap_err(), ChangeError::TooLarge);

    let mut rewriter = Rewriter::new(Reach::All, |_, _| Change::Rename("n".repeat(10_000)));
    let mut payload = arena.parse_slice(br#"[{"a":1},{"a":1},{"a":1}]"#).unwrap();
    assert_eq!(payload.rewrite(&mut rewriter), Ok(()), "each event has the whole limit");
    let mut many = arena.parse_slice(format!("[{}]", [r#"{"a":1}"#; 10].join(",")).as_bytes()).unwrap();
    assert_eq!(many.rewrite(&mut rewriter), Err(ChangeError::TooLarge));

    // In a split each element does.
    let mut payload = arena.parse_slice(format!("[{}]", ["{}"; 50].join(",")).as_bytes()).unwrap();
    let mut split = payload.split(&path("$"), &[]).unwrap();
    let text = "x".repeat(50_000);
    while let Some(mut event) = split.next().unwrap() {
        event.set(&path("t"), &text).unwrap();
    }
}

#[test]
fn more_than_two_gibibytes_are_refused() {
    let mut arena = Arena::new();
    arena.load(|text| *text = vec![0; (2 << 30) + 1]);
    assert_eq!(arena.parse(0..1).unwrap_err().reason, "an input of more than 2 GiB");
    assert_eq!(arena.parse_lenient(0..1).unwrap_err().reason, "an input of more than 2 GiB");
    assert!(arena.elements(0..1, &path("a"), &[]).is_err());
    arena.trim(0);
    assert!(arena.capacity() < 1 << 20);
    assert!(arena.parse_slice(b"1").is_ok());
}

/// One event through everything that a pipeline does.
fn work(
    arena: &mut Arena,
    text: &[u8],
    state: &mut (Flattener, Rewriter, Output),
    paths: &[Path; 3],
    names: &[Name; 2],
) {
    let (flattener, rewriter, out) = state;
    out.clear();
    let mut payload = arena.parse_slice(text).unwrap();
    let mut split = payload.split(&paths[0], &names[..1]).unwrap();
    while let Some(mut event) = split.next().unwrap() {
        event.set(&paths[1], "new \n").unwrap();
        event.copy_value(&paths[1], &paths[2]).unwrap();
        let mut copy = event.copy().unwrap();
        copy.flatten(flattener).unwrap();
        copy.rewrite(rewriter).unwrap();
        copy.wrap(|envelope| _ = envelope.put(&names[0], 1).put_payload(&names[1])).unwrap();
        copy.write_to(out);
        event.write_as(Style::Gson, out);
    }
}

#[test]
fn in_steady_state_memory_does_not_grow() {
    let element = r#"{"a":{"b":[1,"<x>",null]},"c d":"\u00e9 text","e":1.50}"#;
    let text = |n: usize| format!(r#"{{"k":{{"z":[1]}},"Records":[{}]}}"#, vec![element; n].join(","));
    let upper = Rewriter::new(Reach::All, |name, _| Change::Rename(name.to_uppercase()));
    let mut state = (Flattener::new("."), upper.on_collision(Collision::LastWins), Output::new());
    let paths = ["$.Records", "$.a.new", "f"].map(path);
    let names = ["k", "payload"].map(Name::new);
    let mut arena = Arena::new();
    work(&mut arena, text(100).as_bytes(), &mut state, &paths, &names);
    let held = (arena.capacity(), state.2.capacity());
    for round in 0..300 {
        work(&mut arena, text(round % 100).as_bytes(), &mut state, &paths, &names);
        assert_eq!((arena.capacity(), state.2.capacity()), held, "round {round}");
    }
}

#[test]
fn memory_follows_the_element_and_not_the_document() {
    let element = r#"{"a":[1,2,3,4,5,6,7,8,9],"b":{"c":"d"}}"#;
    let text = format!(r#"{{"k":[[],[]],"Records":[{}]}}"#, vec![element; 20_000].join(","));
    let (records, keep) = (path("$.Records"), [Name::new("k")]);
    let mut arena = Arena::new();
    arena.load_slice(text.as_bytes());
    let loaded = arena.capacity();
    assert!(loaded < text.len() * 5 / 4);
    let mut elements = arena.elements(arena.whole(), &records, &keep).unwrap();
    let mut count = 0;
    while let Some(mut event) = elements.next().unwrap() {
        event.set(&path("t"), "what an operation adds").unwrap();
        count += 1;
    }
    assert_eq!(count, 20_000);
    let grown = arena.capacity() - loaded;
    assert!(grown < 16 << 10, "{grown} bytes for one element");
    assert!(arena.parse(arena.whole()).is_ok());
    assert!(arena.capacity() - loaded > 4 << 20, "the tape of the whole, for comparison");
}

#[test]
fn keys_without_end_do_not_fill_the_memory() {
    let mut arena = Arena::new();
    let mut rewriter = Rewriter::new(Reach::All, |name, _| Change::Rename(format!("{name}!")));
    let mut most = 0;
    for batch in 0..16 {
        let members = (0..5000).map(|n| format!("\"key number {n} of {batch}\":{{\"a\":1}}"));
        let text = format!("{{{}}}", members.collect::<Vec<_>>().join(","));
        let mut payload = arena.parse_slice(text.as_bytes()).unwrap();
        payload.rewrite(&mut rewriter).unwrap();
        assert_eq!(written(&payload).len(), text.len() + 10_000);
        most = arena.capacity().max(most);
    }
    assert!(most < 48 << 20, "{most}");
}

#[test]
fn an_arena_can_be_given_to_another_thread() {
    fn may_go<T: Send>(_: &T) {}
    fn may_be_shared<T: Sync>(_: &T) {}
    may_go(&Arena::new());
    may_go(&Flattener::new("."));
    may_go(&Rewriter::new(Reach::All, |_, _| Change::Keep));
    may_be_shared(&path("a.b"));
}
