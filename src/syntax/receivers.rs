//! What is known of a call's receiver, from the bindings around the call. Refuses to look into other files:
//! what an imported name or a field's type is, somebody else has to find out.

use super::calls::{RawCall, Receiver};
use super::extract::Layout;
use super::gather::RawMember;
use super::language::Dots;
use super::locals::{Binding, Known};
use super::names::type_name;
use super::parsed::{Call, Form, Kind};

impl Layout<'_, '_> {
    /// Says what is known of a call's receiver.
    pub(super) fn call(&self, caller: Option<usize>, raw: RawCall) -> Call {
        let at = raw.at;
        let (mut receiver_type, mut receiver_call, mut form) = (None, None, raw.form);
        let mut local = false;
        let mut from = Place { caller, at };
        let known = match raw.receiver {
            Receiver::None => {
                local =
                    raw.form == Form::Free && self.lookup(caller, &raw.name, at).is_some_and(|(_, is_local)| is_local);
                None
            }
            Receiver::Own => Some(Known::Owner),
            Receiver::Value(known) => Some(known),
            Receiver::Name(name) => {
                let bound = self.lookup(caller, &name, at);
                match bound {
                    Some((binding, is_local)) => from = Place { caller, at }.of_value(binding, is_local),
                    None => form = self.unbound_form(&name),
                }
                bound
                    .map(|(binding, _)| binding.known.clone())
                    .or_else(|| self.field_type(caller, &name).filter(|_| form == Form::Method))
            }
            Receiver::Root(name) => {
                if !self.row.selves.contains(&name.as_str()) && self.lookup(caller, &name, at).is_none() {
                    form = self.unbound_form(&name);
                }
                None
            }
        };
        if let Some(known) = known {
            (receiver_type, receiver_call) = self.resolve(known, from);
        }
        Call {
            caller,
            name: raw.name,
            callee: raw.callee,
            form,
            receiver_type,
            receiver_call,
            local,
            line: raw.line,
            arguments: raw.arguments,
        }
    }

    /// How a call is written whose receiver begins with a name that nothing here binds.
    fn unbound_form(&self, name: &str) -> Form {
        match self.row.dots {
            Dots::Values => Form::Method,
            Dots::Names => Form::Path,
            Dots::Capitals if name.starts_with(char::is_uppercase) => Form::Path,
            Dots::Capitals => Form::Method,
        }
    }

    /// The binding that a use sees, and whether it is local to a function.
    fn lookup(&self, caller: Option<usize>, name: &str, at: usize) -> Option<(&Binding, bool)> {
        for index in self.ancestors(caller) {
            // What a class binds is no variable of its methods.
            if self.placed[index].raw.kind != Kind::Function && Some(index) != caller {
                continue;
            }
            if let Some(binding) = self.locals[index].lookup(name, at) {
                return Some((binding, true));
            }
        }
        // A function runs after its file has been read to the end.
        let at = if caller.is_some() { usize::MAX - 1 } else { at };
        self.file_locals.lookup(name, at).map(|binding| (binding, false))
    }

    /// The type of a field of the class around, for languages that name fields without `this`.
    fn field_type(&self, caller: Option<usize>, name: &str) -> Option<Known> {
        if self.row.dots == Dots::Names || self.row.separator.is_empty() {
            return None;
        }
        let class = self.ancestors(caller).find(|index| self.placed[*index].raw.kind == Kind::Type)?;
        self.placed[class].members.iter().find_map(|(_, member)| match member {
            RawMember::Field(field, typed) if field == name => type_name(typed, self.row.pointers).map(Known::Type),
            _ => None,
        })
    }

    /// What is known, as a type or as a callee.
    pub(super) fn resolve(&self, known: Known, from: Place) -> (Option<String>, Option<String>) {
        self.resolve_within(known, from, MOST_STEPS)
    }

    fn resolve_within(&self, known: Known, from: Place, steps: u32) -> (Option<String>, Option<String>) {
        let (mut known, mut from) = (known, from);
        for left in (0..steps).rev() {
            match known {
                Known::Type(name) if self.row.selves.contains(&name.as_str()) => {
                    return (self.owner(from.caller), None);
                }
                Known::Type(name) => return (Some(name), None),
                Known::Call(callee) => return (None, Some(self.rooted(callee, from, left))),
                Known::Owner => return (self.owner(from.caller), None),
                Known::Unknown => return (None, None),
                Known::Same(name) => {
                    let Some((binding, is_local)) = self.lookup(from.caller, &name, from.at) else {
                        return (None, None);
                    };
                    known = binding.known.clone();
                    from = from.of_value(binding, is_local);
                }
            }
        }
        (None, None)
    }

    /// A callee whose first name, if it is a local value, is replaced by what made the value: after `let b = A::new()`
    /// the callee `b.x` is `A().x`.
    fn rooted(&self, callee: String, from: Place, steps: u32) -> String {
        let end = callee.find(['.', '(']).unwrap_or(callee.len());
        let (root, rest) = callee.split_at(end);
        if rest.starts_with('(') {
            let owner = self.row.selves.contains(&root).then(|| self.owner(from.caller)).flatten();
            return owner.map_or_else(|| callee.clone(), |owner| format!("{owner}{rest}"));
        }
        // Behind further names, `b.x.y`, stand fields, which no callee can lead through.
        let is_method =
            rest.strip_prefix('.').is_some_and(|rest| !rest.split('(').next().unwrap_or(rest).contains('.'));
        if !is_method || self.row.selves.contains(&root) {
            return callee;
        }
        let Some((binding, is_local)) = self.lookup(from.caller, root, from.at) else { return callee };
        match self.resolve_within(binding.known.clone(), from.of_value(binding, is_local), steps) {
            (Some(maker), _) | (None, Some(maker)) => format!("{maker}(){rest}"),
            (None, None) => callee,
        }
    }

    /// The type that `self` is of.
    fn owner(&self, caller: Option<usize>) -> Option<String> {
        self.ancestors(caller).find_map(|index| {
            let placed = &self.placed[index];
            placed.owner.clone().or_else(|| (placed.raw.kind == Kind::Type).then(|| placed.raw.name.clone()))
        })
    }
}

/// One name may stand for another; a few steps, since two may stand for each other.
const MOST_STEPS: u32 = 4;

/// Where a name is used, for what it is bound to there.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub caller: Option<usize>,
    pub at: usize,
}

impl Place {
    /// Where the value of a binding is read that is seen from here: before its name is bound.
    fn of_value(self, binding: &Binding, is_local: bool) -> Self {
        Self { caller: self.caller.filter(|_| is_local), at: binding.from.saturating_sub(1) }
    }
}
