//! Tests of settings in many layouts, to which patina's hooks are added and from which they are removed.

use super::*;
use proptest::prelude::*;

const TEMPLATE: &str = r#"{"hooks": {
    "SessionEnd": [{"hooks": [{"type": "command", "command": "@COMMAND@", "timeout": 2}]}],
    "Stop": [{"hooks": [{"type": "command", "command": "@COMMAND@", "timeout": 2}]}]
}}"#;

fn entries(program: &str) -> Entries {
    let ending = " session end --agent claude 2>/dev/null || true".to_owned();
    Entries::new(TEMPLATE, format!("'{program}'{ending}"), ending)
}

fn put(text: &str) -> String {
    let (with, _) = entries("/bin/patina").put_in(text).unwrap_or_else(|error| panic!("{error:#}: {text}"));
    with
}

/// Checks that adding and removing the hooks gives back the text.
fn round_trip(text: &str) {
    let entries = entries("/bin/patina");
    let (with, made) = entries.put_in(text).unwrap_or_else(|error| panic!("{error:#}: {text}"));
    assert_eq!(entries.put_in(&with).expect("it reads").0, with, "twice is once");
    assert_eq!(entries.take_out(&with, Some(&made)).expect("it reads"), text, "by way of {with}");
}

#[test]
fn a_file_is_laid_out_as_it_was() {
    let event = |indent: &str, newline: &str, name: &str| {
        let lines = [
            format!("\"{name}\": ["),
            "  {".into(),
            "    \"hooks\": [".into(),
            "      {".into(),
            "        \"type\": \"command\",".into(),
            "        \"command\": \"'/bin/patina' session end --agent claude 2>/dev/null || true\",".into(),
            "        \"timeout\": 2".into(),
            "      }".into(),
            "    ]".into(),
            "  }".into(),
            "]".into(),
        ];
        lines.join(&format!("{newline}{indent}"))
    };
    let (end, stop) = (event("    ", "\n", "SessionEnd"), event("    ", "\n", "Stop"));
    let hooks = format!("{{\n  \"hooks\": {{\n    {end},\n    {stop}\n  }}\n}}");
    assert_eq!(put("{}"), hooks);
    assert_eq!(put(""), format!("{hooks}\n"));
    let other = "\"hooks\": {\n    \"SessionEnd\"";
    let with_other = put("{\n  \"model\": \"x\" // mine\n}\n");
    assert!(with_other.starts_with(&format!("{{\n  \"model\": \"x\", // mine\n  {other}")), "{with_other}");
    let (tabs, spaced) =
        (put("{\r\n\t\"model\": \"x\"\r\n}"), "\"x\",\r\n\t\"hooks\": {\r\n\t\t\"SessionEnd\": [\r\n\t\t\t{");
    assert!(tabs.contains(spaced) && !tabs.replace("\r\n", "").contains('\n'), "{tabs}");
    let flat = put("{\"model\":\"x\",\"hooks\":{\"Stop\":[]}}");
    assert_eq!(flat.lines().count(), 1, "{flat}");
    assert!(flat.starts_with("{\"model\":\"x\",\"hooks\":{\"Stop\":[{\"hooks\": ["), "{flat}");
}

#[test]
fn taking_out_gives_the_bytes_back() {
    for text in [
        "{}",
        "{}\n",
        "\u{feff}{}",
        "{\"a\":1}",
        "{ \"a\": 1 }\n",
        "{\n  \"a\": 1\n}\n",
        "{\n  \"a\": 1,\n}\n",
        "{\r\n\t\"a\": 1\r\n}\r\n",
        "{\n  \"a\": 1 // why\n}",
        "{\n  \"a\": 1, // why\n  // \"b\": 2,\n}",
        "{\n  \"a\": 1 /* why */\n}",
        "// head\n{\n  \"a\": [1,\n    2]}\n// tail",
        "{\"hooks\": {}}",
        "{\n  \"hooks\": {}\n}",
        "{\n  \"hooks\": {\n    \"Stop\": []\n  }\n}",
        "{\n  \"hooks\": {\n    \"Stop\": [\n      // none yet\n    ]\n  }\n}",
        "{\"hooks\":{\"Stop\":[{\"matcher\":\"\",\"hooks\":[{\"type\":\"command\",\"command\":\"x\"}]}]}}",
        "{\n  \"hooks\": {\n    \"Stop\": [\n      {\n        \"hooks\": [{\"command\": \"x\"}]\n      }, // theirs\n    ],\n  },\n}",
        "{\n    \"hooks\": {\n        \"PreToolUse\": [{\"matcher\": \"Bash\", \"hooks\": []}]\n    },\n    \"z\": \"ü😀\\u00e9\"\n}\n",
    ] {
        round_trip(text);
    }
}

#[test]
fn what_was_added_meanwhile_stays() {
    let check = |text: &str, from: &str, to: &str, expect: &str| {
        let entries = entries("/bin/patina");
        let (with, made) = entries.put_in(text).expect("it reads");
        assert!(with.contains(from), "{from} in {with}");
        let edited = with.replacen(from, to, 1);
        assert_eq!(entries.take_out(&edited, Some(&made)).expect("it reads"), expect, "from {edited}");
    };
    check("{\"a\":1}", "\"a\":1", "\"a\":2", "{\"a\":2}");
    check("{\"a\":1}", "}]}}", "}]}, \"b\": 3}", "{\"a\":1, \"b\": 3}");
    check(
        "{\n  \"a\": 1\n}\n",
        "\"Stop\": [",
        "\"Stop\": [\n      7,",
        "{\n  \"a\": 1,\n  \"hooks\": {\n    \"Stop\": [\n      7\n    ]\n  }\n}\n",
    );
    check(
        "{\"a\":1}",
        "\"hooks\": [{",
        "\"matcher\": \"*\", \"hooks\": [{\"command\": \"mine\"}, {",
        "{\"a\":1, \"hooks\": {\"SessionEnd\": [{\"matcher\": \"*\", \"hooks\": [{\"command\": \"mine\"}]}]}}",
    );
    check(
        "{\n  \"a\": 1\n}",
        "\"hooks\": {\n",
        "// about hooks\n  \"hooks\": {\n",
        "{\n  \"a\": 1\n  // about hooks\n}",
    );
    check("{}", "{\n  \"hooks\"", "{ // ours\n \"b\": 1,\n  \"hooks\"", "{ // ours\n \"b\": 1\n}");
}

#[test]
fn nothing_becomes_part_of_a_comment() {
    let own = format!("{{\"hooks\": [{{\"command\": {}}}]}}", serde_json::Value::from(entries("/b").command));
    let text = format!("{{\"hooks\": {{\"Stop\": [ // mine\n {own}, 1,\n 2]}}}}");
    let left = entries("/b").take_out(&text, None).expect("it reads");
    assert_eq!(left, "{\"hooks\": {\"Stop\": [ // mine\n  1,\n 2]}}");
}

#[test]
fn an_older_patina_is_replaced_where_it_stands() {
    let (old, _) = entries("/old/patina").put_in("{\"a\":1}").expect("it reads");
    assert_eq!(put(&old), put("{\"a\":1}"));
    assert_eq!(entries("/bin/patina").look(&old, "Stop").expect("it reads"), SettingState::Outdated);
    let twice = old.replacen(
        "\"Stop\": [",
        "\"Stop\": [{\"hooks\": [{\"command\": \"'/x' session end --agent claude 2>/dev/null || true\"}]}, ",
        1,
    );
    let once = put(&twice);
    assert_eq!(once.matches("session end").count(), 2, "{once}");
}

#[test]
fn a_line_written_by_hand_is_not_ours() {
    let text =
        r#"{"hooks": {"Stop": [{"hooks": [{"type": "command", "command": "my patina session end --agent claude"}]}]}}"#;
    let entries = entries("/bin/patina");
    assert_eq!(entries.look(text, "Stop").expect("it reads"), SettingState::ByHand);
    assert_eq!(entries.take_out(text, None).expect("it reads"), text);
}

#[test]
fn an_unexpected_shape_is_refused() {
    let check = |text: &str, words: &str| {
        let error = format!("{:#}", entries("/b").put_in(text).expect_err(text));
        assert!(error.contains(words), "{text}: {error}");
    };
    check("[]", "should be an object");
    check("7", "should be an object");
    check("{\"hooks\": []}", "`hooks` should be an object");
    check("{\"hooks\": null}", "`hooks` should be an object");
    check("{\"hooks\": {\"Stop\": {}}}", "`hooks.Stop` is not a list");
    check("{\"hooks\": {}, \"hooks\": {}}", "`hooks` occurs twice");
    check("{\"hooks\": {\"Stop\": [], \"Stop\": []}}", "`Stop` occurs twice");
    check("{\"a\" 1}", "line 1, column 6");
}

#[test]
fn a_switch_of_the_agents_own_is_seen() {
    assert!(is_switched_off("{\"disableAllHooks\": true}"));
    assert!(!is_switched_off("{\"disableAllHooks\": false}") && !is_switched_off("{}") && !is_switched_off("["));
}

/// Generates settings in all layouts: with different elements, spacing, commas and comments.
fn settings() -> impl Strategy<Value = String> {
    let blank = prop::sample::select(vec!["", " ", "\n", "\n  ", "\r\n\t", " // c\n", "/* c */", " /* , */\n"]);
    let tail = prop::sample::select(vec!["", ","]);
    let other = prop::sample::select(vec!["7", "{}", "[]", "{\"hooks\": [{\"command\": \"x\"}, 1]}", "\"}\""]);
    let list = (prop::collection::vec((other, blank.clone()), 0..3), tail.clone(), blank.clone()).prop_map(
        |(elements, tail, blank)| {
            let tail = if elements.is_empty() { "" } else { tail };
            let elements: Vec<String> = elements.into_iter().map(|(one, blank)| format!("{blank}{one}")).collect();
            format!("[{}{tail}{blank}]", elements.join(","))
        },
    );
    let event = prop::sample::select(vec!["Stop", "SessionEnd", "Other"]);
    let events = (prop::collection::btree_map(event, (list, blank.clone()), 0..3), tail.clone(), blank.clone());
    let hooks = events.prop_map(|(events, tail, blank)| {
        let tail = if events.is_empty() { "" } else { tail };
        let events: Vec<String> =
            events.iter().map(|(key, (list, blank))| format!("{blank}\"{key}\":{list}")).collect();
        format!("{{{}{tail}{blank}}}", events.join(","))
    });
    let rest = prop::collection::vec(prop::sample::select(vec!["\"a\": 1", "\"b\": {}", "\"c\": [1,2]"]), 0..2);
    (prop::option::of(hooks), rest, tail, blank.clone(), blank).prop_map(|(hooks, rest, tail, before, after)| {
        let mut members: Vec<String> = rest.into_iter().map(str::to_owned).collect();
        members.extend(hooks.map(|hooks| format!("\"hooks\":{hooks}")));
        let tail = if members.is_empty() { "" } else { tail };
        let members: Vec<String> = members.into_iter().map(|member| format!("{before}{member}")).collect();
        format!("{{{}{tail}{after}}}{after}", members.join(","))
    })
}

/// Returns the values in a text, without white space, comments and trailing commas.
fn meaning(text: &str) -> String {
    fn of(node: &JsonNode, text: &str) -> String {
        match &node.value {
            JsonValue::Object(members) => {
                members.iter().map(|member| format!("{:?}:{};", member.key, of(&member.node, text))).collect()
            }
            JsonValue::Array(nodes) => {
                format!("[{}]", nodes.iter().map(|node| of(node, text) + ";").collect::<String>())
            }
            _ => text[node.at.clone()].to_owned(),
        }
    }
    jsonc::parse(text).expect("it reads").map_or_else(String::new, |root| of(&root, text))
}

proptest! {
    #[test]
    fn whatever_the_layout_every_other_byte_stays(text in settings()) {
        let entries = entries("/bin/patina");
        let (with, made) = entries.put_in(&text).expect("it reads");
        let left = entries.take_out(&with, Some(&made)).expect("it reads");
        prop_assert_eq!(meaning(&left), meaning(&text), "by way of {}", with);
        // An empty list may have contained white space, which is lost.
        let dense = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
        prop_assert_eq!(dense(&left), dense(&text), "by way of {}", with);
        prop_assert_eq!(entries.put_in(&with).expect("it reads").0, with);
    }

    #[test]
    fn any_text_is_changed_or_refused(text in "[\\[\\]{}\",:/*hooksStp \n]{0,60}") {
        if let Ok((with, made)) = entries("/b").put_in(&text) {
            prop_assert!(entries("/b").take_out(&with, Some(&made)).is_ok());
        }
    }
}
