//! Infers the type of a call's receiver from local bindings. Imported names and types of fields are resolved in
//! `edges`, because they are defined in other files.

use super::calls::{RawCall, Receiver};
use super::gather::RawMember;
use super::language::BareReceiver;
use super::layout::{Layout, NameUse};
use super::locals::{Binding, ValueType};
use super::names::type_name;
use super::parsed::{Call, CallForm, DefinitionKind};

impl Layout<'_, '_> {
    /// Builds a call with what the text shows of its receiver's type.
    pub(super) fn call(&self, caller: Option<usize>, raw: RawCall) -> Call {
        let at = raw.at;
        let (mut receiver_type, mut receiver_call, mut form) = (None, None, raw.form);
        let mut local = false;
        let mut from = NameUse { caller, at };
        let known = match raw.receiver {
            Receiver::None => {
                local = raw.form == CallForm::Free
                    && self.lookup(caller, &raw.name, at).is_some_and(|(_, is_local)| is_local);
                None
            }
            Receiver::Own => Some(ValueType::Owner),
            Receiver::Value(known) => Some(known),
            Receiver::Name(name) => {
                let bound = self.lookup(caller, &name, at);
                match bound {
                    Some((binding, is_local)) => from = NameUse { caller, at }.of_value(binding, is_local),
                    None => form = self.unbound_form(&name),
                }
                bound
                    .map(|(binding, _)| binding.known.clone())
                    .or_else(|| self.field_type(caller, &name).filter(|_| form == CallForm::Method))
            }
            Receiver::Root(name) => {
                if !self.spec.selves.contains(&name.as_str()) && self.lookup(caller, &name, at).is_none() {
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

    /// Returns the form of a call whose receiver begins with a name without a local binding.
    fn unbound_form(&self, name: &str) -> CallForm {
        match self.spec.dots {
            BareReceiver::Values => CallForm::Method,
            BareReceiver::Names => CallForm::Path,
            BareReceiver::Capitals if name.starts_with(char::is_uppercase) => CallForm::Path,
            BareReceiver::Capitals => CallForm::Method,
        }
    }

    /// Returns the binding that a use sees, and whether it is local to a function.
    fn lookup(&self, caller: Option<usize>, name: &str, at: usize) -> Option<(&Binding, bool)> {
        for index in self.ancestors(caller) {
            // Names bound in a class are not variables of its methods.
            if self.placed[index].raw.kind != DefinitionKind::Function && Some(index) != caller {
                continue;
            }
            if let Some(binding) = self.locals[index].lookup(name, at) {
                return Some((binding, true));
            }
        }
        // A function runs after its whole file has been executed, so later bindings of the file are visible too.
        let at = if caller.is_some() { usize::MAX - 1 } else { at };
        self.file_locals.lookup(name, at).map(|binding| (binding, false))
    }

    /// Returns the type of a field of the enclosing class, for languages that name fields without `this`.
    fn field_type(&self, caller: Option<usize>, name: &str) -> Option<ValueType> {
        if self.spec.dots == BareReceiver::Names || self.spec.separator.is_empty() {
            return None;
        }
        let class = self.ancestors(caller).find(|index| self.placed[*index].raw.kind == DefinitionKind::Type)?;
        self.placed[class].members.iter().find_map(|(_, member)| match member {
            RawMember::Field(field, typed) if field == name => {
                type_name(typed, self.spec.pointers).map(ValueType::Type)
            }
            _ => None,
        })
    }

    /// Resolves what is known of a value to a type or a callee.
    pub(super) fn resolve(&self, known: ValueType, from: NameUse) -> (Option<String>, Option<String>) {
        self.resolve_within(known, from, MAX_STEPS)
    }

    /// Like [`resolve`](Self::resolve), in at most `steps` steps.
    fn resolve_within(&self, known: ValueType, from: NameUse, steps: u32) -> (Option<String>, Option<String>) {
        let (mut known, mut from) = (known, from);
        for left in (0..steps).rev() {
            match known {
                ValueType::Type(name) if self.spec.selves.contains(&name.as_str()) => {
                    return (self.owner(from.caller), None);
                }
                ValueType::Type(name) => return (Some(name), None),
                ValueType::Call(callee) => return (None, Some(self.rooted(callee, from, left))),
                ValueType::Owner => return (self.owner(from.caller), None),
                ValueType::Unknown => return (None, None),
                ValueType::Same(name) => {
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

    /// Replaces the first name of a callee, if it is a local value, by what made the value: after `let b = A::new()`
    /// the callee `b.x` is `A().x`.
    fn rooted(&self, callee: String, from: NameUse, steps: u32) -> String {
        let end = callee.find(['.', '(']).unwrap_or(callee.len());
        let (root, rest) = callee.split_at(end);
        if rest.starts_with('(') {
            let owner = self.spec.selves.contains(&root).then(|| self.owner(from.caller)).flatten();
            return owner.map_or_else(|| callee.clone(), |owner| format!("{owner}{rest}"));
        }
        // Further names, as in `b.x.y`, are fields, whose types are not known here.
        let is_method =
            rest.strip_prefix('.').is_some_and(|rest| !rest.split('(').next().unwrap_or(rest).contains('.'));
        if !is_method || self.spec.selves.contains(&root) {
            return callee;
        }
        let Some((binding, is_local)) = self.lookup(from.caller, root, from.at) else { return callee };
        match self.resolve_within(binding.known.clone(), from.of_value(binding, is_local), steps) {
            (Some(maker), _) | (None, Some(maker)) => format!("{maker}(){rest}"),
            (None, None) => callee,
        }
    }

    /// Returns the type of `self`.
    fn owner(&self, caller: Option<usize>) -> Option<String> {
        self.ancestors(caller).find_map(|index| {
            let placed = &self.placed[index];
            placed.owner.clone().or_else(|| (placed.raw.kind == DefinitionKind::Type).then(|| placed.raw.name.clone()))
        })
    }
}

/// Most names that are followed, because names may be bound to each other in a circle.
const MAX_STEPS: u32 = 4;
