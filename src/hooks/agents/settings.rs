//! Adds patina's hooks to the text of an agent's settings, and removes them. Pure: text in, text out.
//!
//! Invariant: removing after adding gives the former bytes, other changes made meanwhile are kept, and no byte is
//! changed that is not patina's. Settings of an unexpected structure are an error.

use super::jsonc::{self, JsonNode, JsonValue, comma_after, ends_in_line_comment};
use anyhow::{Context as _, Result, bail, ensure};
use std::ops::Range;

/// The placeholder of the command in a template.
const COMMAND: &str = "@COMMAND@";

/// The indentation of one level, if the file shows none.
const UNIT: &str = "  ";

/// The hooks to add to the settings of one agent.
pub(super) struct Entries {
    template: &'static str,
    /// The value of `hooks` in the template.
    hooks: JsonNode,
    /// The command line that rings.
    command: String,
    /// The end of such a command line, whatever executable it names.
    ending: String,
}

/// The state of an event's hook in the settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SettingState {
    Absent,
    /// Present once, as it would be written today.
    Current,
    /// Present with another executable's path, or more than once.
    Outdated,
    /// A ringing command that the user wrote.
    ByHand,
}

/// The position of one of patina's handlers.
struct OwnHandler {
    group: usize,
    handler: usize,
    /// Whether its group contains nothing else.
    alone: bool,
    command: Range<usize>,
    is_current: bool,
}

impl Entries {
    /// Creates the hooks from a template. `command` is the whole command line, `ending` the part that does not depend
    /// on the path of patina.
    pub fn new(template: &'static str, command: String, ending: String) -> Self {
        let root = jsonc::parse(template).expect("a template of ours").expect("it holds a value");
        let hooks = root.member("hooks").expect("it holds hooks").node.clone();
        Entries { template, hooks, command, ending }
    }

    /// Returns the events that ring.
    pub fn events(&self) -> Vec<&str> {
        let JsonValue::Object(events) = &self.hooks.value else { return Vec::new() };
        events.iter().map(|event| event.key.as_str()).collect()
    }

    /// Adds one handler for every event to the text. Returns the text, and the keys that were added.
    pub fn put_in(&self, text: &str) -> Result<(String, Vec<String>)> {
        let (mut text, mut made) = (text.to_owned(), Vec::new());
        if jsonc::parse(&text)?.is_none() {
            text.push_str("{}");
            text.push_str(newline(&text));
        }
        for event in self.events() {
            let root = root(&text)?;
            let Some(hooks) = hooks_of(&root)? else {
                let value = |style: &InsertStyle| format!("\"hooks\": {}", self.rendered(&self.hooks, style));
                text = inserted(&text, &root, &root, value);
                made.push("hooks".to_owned());
                made.extend(self.events().iter().map(|event| format!("hooks.{event}")));
                break;
            };
            let template = &self.hooks.member(event).expect("it is one of the template's").node;
            let Some(groups) = groups_of(hooks, event)? else {
                let value = |style: &InsertStyle| format!("\"{event}\": {}", self.rendered(template, style));
                text = inserted(&text, &root, hooks, value);
                made.push(format!("hooks.{event}"));
                continue;
            };
            match self.own(groups).as_slice() {
                [] => {
                    text = inserted(&text, &root, groups, |style| self.rendered(&template.elements()[0], style));
                }
                [one] if one.is_current => {}
                [one] => text.replace_range(one.command.clone(), &serde_json::to_string(&self.command)?),
                // Removes all but the first, and starts again.
                [_, .., last] => {
                    text = removed_own(&text, groups, last);
                    let (again, more) = self.put_in(&text)?;
                    made.extend(more);
                    return Ok((again, made));
                }
            }
        }
        for event in self.events() {
            ensure!(self.look(&text, event)? == SettingState::Current, "{event} could not be put in");
        }
        Ok((text, made))
    }

    /// Removes patina's handlers from the text, and then those keys in `made` that are empty; all empty keys if `made`
    /// is not known.
    pub fn take_out(&self, text: &str, made: Option<&[String]>) -> Result<String> {
        let mut text = text.to_owned();
        if jsonc::parse(&text)?.is_none() {
            return Ok(text);
        }
        let is_made = |key: &str| made.is_none_or(|made| made.iter().any(|other| other == key));
        let mut emptied = false;
        for event in self.events() {
            loop {
                let root = root(&text)?;
                let Some(hooks) = hooks_of(&root)? else { return Ok(text) };
                let Some(groups) = groups_of(hooks, event)? else { break };
                let own = self.own(groups);
                let Some(last) = own.last() else { break };
                text = removed_own(&text, groups, last);
                emptied = own.len() == 1;
            }
            if std::mem::take(&mut emptied) && is_made(&format!("hooks.{event}")) {
                let root = root(&text)?;
                let Some(hooks) = hooks_of(&root)? else { return Ok(text) };
                text = without_empty(&text, hooks, event);
                let root = self::root(&text)?;
                if is_made("hooks") {
                    text = without_empty(&text, &root, "hooks");
                }
            }
        }
        Ok(text)
    }

    /// Returns the state of one event's hook. A text of an unexpected structure is an error.
    pub fn look(&self, text: &str, event: &str) -> Result<SettingState> {
        let Some(root) = jsonc::parse(text)? else { return Ok(SettingState::Absent) };
        ensure_object(&root, "the settings")?;
        let Some(hooks) = hooks_of(&root)? else { return Ok(SettingState::Absent) };
        let Some(groups) = groups_of(hooks, event)? else { return Ok(SettingState::Absent) };
        Ok(match self.own(groups).as_slice() {
            [one] if one.is_current => SettingState::Current,
            [_, ..] => SettingState::Outdated,
            [] if self.rings_by_hand(groups) => SettingState::ByHand,
            [] => SettingState::Absent,
        })
    }

    /// Returns the command line that rings.
    pub fn command(&self) -> &str {
        &self.command
    }

    /// Finds patina's handlers among the groups of an event.
    fn own(&self, groups: &JsonNode) -> Vec<OwnHandler> {
        let mut found = Vec::new();
        for (group, node) in groups.elements().iter().enumerate() {
            let handlers = node.member("hooks").map_or(&[][..], |hooks| hooks.node.elements());
            for (handler, node) in handlers.iter().enumerate() {
                let Some(command) = node.member("command") else { continue };
                let JsonValue::Text(line) = &command.node.value else { continue };
                if line.strip_suffix(&self.ending).is_some_and(is_one_quoted_word) {
                    let (alone, is_current) = (handlers.len() == 1, *line == self.command);
                    found.push(OwnHandler { group, handler, alone, command: command.node.at.clone(), is_current });
                }
            }
        }
        found
    }

    /// Returns whether the user has written a ringing command.
    fn rings_by_hand(&self, groups: &JsonNode) -> bool {
        let handlers = groups.elements().iter().filter_map(|group| group.member("hooks"));
        let mut commands = handlers.flat_map(|hooks| hooks.node.elements()).filter_map(|node| node.member("command"));
        commands.any(|command| matches!(&command.node.value, JsonValue::Text(line) if line.contains("session end")))
    }

    /// Renders a part of the template in the style of the file.
    fn rendered(&self, node: &JsonNode, style: &InsertStyle) -> String {
        let deeper = style.deeper();
        let joined = |parts: Vec<String>, open: char, close: char| match style.newline {
            None => format!("{open}{}{close}", parts.join(", ")),
            Some(newline) => {
                let between = format!("{newline}{}", deeper.indent);
                let (parts, end) = (parts.join(&format!(",{between}")), format!("{newline}{}", style.indent));
                format!("{open}{between}{parts}{end}{close}")
            }
        };
        match &node.value {
            JsonValue::Object(members) => {
                let part = |member: &jsonc::JsonMember| {
                    format!("\"{}\": {}", member.key, self.rendered(&member.node, &deeper))
                };
                joined(members.iter().map(part).collect(), '{', '}')
            }
            JsonValue::Array(nodes) => {
                joined(nodes.iter().map(|node| self.rendered(node, &deeper)).collect(), '[', ']')
            }
            JsonValue::Text(text) if text == COMMAND => serde_json::Value::from(self.command.as_str()).to_string(),
            _ => self.template[node.at.clone()].to_owned(),
        }
    }
}

/// Returns whether the shell reads a text as one quoted word, as patina quotes its path. A command with more before its
/// ending is somebody else's.
fn is_one_quoted_word(text: &str) -> bool {
    let inside = text.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\''));
    inside.is_some_and(|inside| !inside.replace(r"'\''", "").contains('\''))
}

/// Returns whether a text contains an empty object and nothing else.
pub(super) fn is_empty(text: &str) -> bool {
    let rest: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    rest == "{}"
}

/// Returns whether the settings make the agent run no hooks.
pub(super) fn is_switched_off(text: &str) -> bool {
    let root = jsonc::parse(text).ok().flatten();
    root.as_ref()
        .and_then(|root| root.member("disableAllHooks"))
        .is_some_and(|member| matches!(member.node.value, JsonValue::True))
}

/// The line end and indentation of new lines.
struct InsertStyle {
    /// The line end; `None` if everything is on one line.
    newline: Option<&'static str>,
    /// The indentation of the line.
    indent: String,
    unit: String,
}

impl InsertStyle {
    /// Returns the layout one level deeper.
    fn deeper(&self) -> InsertStyle {
        InsertStyle { newline: self.newline, indent: format!("{}{}", self.indent, self.unit), unit: self.unit.clone() }
    }
}

/// Parses the settings, which must be an object.
fn root(text: &str) -> Result<JsonNode> {
    let root = jsonc::parse(text)?.context("the settings are empty")?;
    ensure_object(&root, "the settings")?;
    Ok(root)
}

/// Returns the value of `hooks`.
fn hooks_of(root: &JsonNode) -> Result<Option<&JsonNode>> {
    let Some(hooks) = unique(root, "hooks")? else { return Ok(None) };
    ensure_object(hooks, "`hooks`")?;
    Ok(Some(hooks))
}

/// Returns the groups of an event.
fn groups_of<'a>(hooks: &'a JsonNode, event: &str) -> Result<Option<&'a JsonNode>> {
    let Some(groups) = unique(hooks, event)? else { return Ok(None) };
    ensure!(matches!(groups.value, JsonValue::Array(_)), "`hooks.{event}` is not a list");
    Ok(Some(groups))
}

/// Returns the value of a key; an error if the key occurs twice, because programs differ in which value they use.
fn unique<'a>(node: &'a JsonNode, key: &str) -> Result<Option<&'a JsonNode>> {
    let JsonValue::Object(members) = &node.value else { return Ok(None) };
    let mut found = members.iter().filter(|member| member.key == key);
    let first = found.next().map(|member| &member.node);
    if found.next().is_some() {
        bail!("`{key}` occurs twice");
    }
    Ok(first)
}

/// Returns an error unless a value is an object.
fn ensure_object(node: &JsonNode, what: &str) -> Result<()> {
    ensure!(matches!(node.value, JsonValue::Object(_)), "{what} should be an object, but is not");
    Ok(())
}

/// Returns the line end that a text uses.
fn newline(text: &str) -> &'static str {
    match text.find('\n') {
        Some(at) if text[..at].ends_with('\r') => "\r\n",
        _ => "\n",
    }
}

/// Appends an element to an object or array, after everything in it.
fn inserted(text: &str, root: &JsonNode, container: &JsonNode, value: impl Fn(&InsertStyle) -> String) -> String {
    let children = container.children();
    let (open, close) = (container.at.start + 1, container.at.end - 1);
    // An empty container does not show its layout, but the whole file does, unless it is empty too.
    let shows = if children.is_empty() { root } else { container };
    let is_flat = !text[shows.at.clone()].contains('\n') && !shows.children().is_empty();
    let newline = (!is_flat).then(|| newline(text));
    let base = line_indent(text, container.at.start);
    let unit = root.children().first().and_then(|first| own_indent(text, first.start)).filter(|unit| !unit.is_empty());
    let unit = unit.unwrap_or(UNIT).to_owned();
    let indent = children.first().and_then(|first| own_indent(text, first.start)).map(str::to_owned);
    let style = InsertStyle { newline, indent: indent.unwrap_or_else(|| format!("{base}{unit}")), unit };
    let before = text[open..close].trim_end_matches([' ', '\t', '\r', '\n']);
    let at = open + before.len();
    let comma = children.last().and_then(|last| comma_after(text, last.end));
    let mut element = match newline {
        Some(newline) => format!("{newline}{}{}", style.indent, value(&style)),
        None if children.is_empty() => value(&style),
        None => format!(" {}", value(&style)),
    };
    if comma.is_some() {
        element.push(',');
    }
    if let Some(newline) = newline.filter(|_| children.is_empty() && !text[at..close].contains('\n')) {
        element.push_str(newline);
        element.push_str(base);
    }
    let mut text = text.to_owned();
    text.insert_str(at, &element);
    if let (Some(last), None) = (children.last(), comma) {
        text.insert(last.end, ',');
    }
    text
}

/// Removes one of patina's handlers, and its group if nothing else is in it.
fn removed_own(text: &str, groups: &JsonNode, own: &OwnHandler) -> String {
    if own.alone {
        return removed(text, groups, own.group);
    }
    let handlers = &groups.elements()[own.group].member("hooks").expect("ours was found there").node;
    removed(text, handlers, own.handler)
}

/// Removes a key whose value is empty.
fn without_empty(text: &str, object: &JsonNode, key: &str) -> String {
    let JsonValue::Object(members) = &object.value else { return text.to_owned() };
    let place = members.iter().position(|member| {
        // It contains neither elements nor comments.
        member.key == key && text[member.node.at.start + 1..member.node.at.end - 1].trim().is_empty()
    });
    place.map_or_else(|| text.to_owned(), |place| removed(text, object, place))
}

/// Removes an element with its line and its comma, or with the preceding comma if it is the last element.
fn removed(text: &str, container: &JsonNode, index: usize) -> String {
    let children = container.children();
    let element = &children[index];
    let from = index.checked_sub(1).map_or(container.at.start + 1, |before| children[before].end);
    let blank = text[from..element.start].trim_end_matches([' ', '\t', '\r', '\n']).len() + from;
    let mut cut = blank..element.end;
    let before = || index.checked_sub(1).and_then(|before| comma_after(text, children[before].end));
    let comma = comma_after(text, element.end).or_else(before);
    // The text after it must not become part of a comment.
    let rest = text[cut.end + usize::from(comma == Some(cut.end))..].trim_start_matches([' ', '\t']);
    if ends_in_line_comment(text, from, element.start) && !rest.starts_with(['\r', '\n']) {
        cut.start = element.start;
    }
    // Cut from the back, so that earlier positions stay valid; the comma may be after the element or before it.
    let mut cuts: Vec<Range<usize>> = std::iter::once(cut).chain(comma.map(|comma| comma..comma + 1)).collect();
    cuts.sort_by_key(|cut| std::cmp::Reverse(cut.start));
    let mut left = text.to_owned();
    let mut close = container.at.end - 1;
    for cut in cuts {
        close -= cut.len();
        left.replace_range(cut, "");
    }
    let inside = container.at.start + 1..close;
    if children.len() == 1 && left[inside.clone()].trim().is_empty() {
        left.replace_range(inside, "");
    }
    left
}

/// Returns the indentation of a line.
fn line_indent(text: &str, at: usize) -> &str {
    let start = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
    let line = &text[start..];
    &line[..line.len() - line.trim_start_matches([' ', '\t']).len()]
}

/// Returns the indentation before a position if nothing else precedes it on its line.
fn own_indent(text: &str, at: usize) -> Option<&str> {
    let start = text[..at].rfind('\n')? + 1;
    text[start..at].trim_matches([' ', '\t']).is_empty().then_some(&text[start..at])
}

#[cfg(test)]
mod tests;
