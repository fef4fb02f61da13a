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
        let known = match raw.receiver {
            Receiver::None => {
                local =
                    raw.form == Form::Free && self.lookup(caller, &raw.name, at).is_some_and(|(_, is_local)| is_local);
                None
            }
            Receiver::Own => Some(Known::Owner),
            Receiver::Value(known) => Some(known),
            Receiver::Name(name) => {
                let bound = self.lookup(caller, &name, at).map(|(binding, _)| binding.known.clone());
                if bound.is_none() {
                    form = self.unbound_form(&name);
                }
                bound.or_else(|| self.field_type(caller, &name).filter(|_| form == Form::Method))
            }
            Receiver::Root(name) => {
                if !self.row.selves.contains(&name.as_str()) && self.lookup(caller, &name, at).is_none() {
                    form = self.unbound_form(&name);
                }
                None
            }
        };
        if let Some(known) = known {
            (receiver_type, receiver_call) = self.resolve(caller, known, at);
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
    pub(super) fn resolve(&self, caller: Option<usize>, known: Known, at: usize) -> (Option<String>, Option<String>) {
        let (mut known, mut at) = (known, at);
        // One name may stand for another; a few steps, since two may stand for each other.
        for _ in 0..4 {
            match known {
                Known::Type(name) if self.row.selves.contains(&name.as_str()) => return (self.owner(caller), None),
                Known::Type(name) => return (Some(name), None),
                Known::Call(callee) => return (None, Some(callee)),
                Known::Owner => return (self.owner(caller), None),
                Known::Unknown => return (None, None),
                Known::Same(name) => {
                    let Some((binding, _)) = self.lookup(caller, &name, at) else { return (None, None) };
                    known = binding.known.clone();
                    at = binding.from.saturating_sub(1);
                }
            }
        }
        (None, None)
    }

    /// The type that `self` is of.
    fn owner(&self, caller: Option<usize>) -> Option<String> {
        self.ancestors(caller).find_map(|index| {
            let placed = &self.placed[index];
            placed.owner.clone().or_else(|| (placed.raw.kind == Kind::Type).then(|| placed.raw.name.clone()))
        })
    }
}
