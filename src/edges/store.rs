//! The calls and imports of live files in SQL, and the edges they resolve to in a view.
//!
//! Invariant: no edge is stored; each is resolved when it is queried.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use anyhow::Result;
use rusqlite::{Connection, Row, named_params};

use super::{CallSite, CallTarget, LiveDefinition, NameLookup, resolve};
use crate::event::{Seq, definition_key};
use crate::facts::CodeFacts;
use crate::item::{self, Item};
use crate::syntax::{Call, CallForm, DefinitionKind, Import, Language};

/// The tables of this module: calls and imports as written, and their lines in each parse.
pub const SCHEMA: &str = "
CREATE TABLE call(
  seq INTEGER PRIMARY KEY, caller INTEGER NOT NULL, name TEXT NOT NULL, callee TEXT NOT NULL, form TEXT NOT NULL
) STRICT;
CREATE INDEX call_by_name ON call(name);
CREATE INDEX call_by_caller ON call(caller);
CREATE TABLE parse_call(
  parse INTEGER NOT NULL, seq INTEGER NOT NULL, line INTEGER NOT NULL, receiver_type TEXT, receiver_call TEXT, arguments INTEGER,
  PRIMARY KEY(parse, seq, line)
) STRICT, WITHOUT ROWID;
CREATE INDEX parse_call_by_seq ON parse_call(seq, parse, line);
CREATE TABLE import(
  parse INTEGER NOT NULL, seq INTEGER NOT NULL, target TEXT NOT NULL, name TEXT, alias TEXT, reexport INTEGER NOT NULL, scope TEXT,
  line INTEGER NOT NULL, PRIMARY KEY(parse, seq)
) STRICT, WITHOUT ROWID;
CREATE INDEX import_by_alias ON import(alias) WHERE alias IS NOT NULL;
";

/// A resolved call.
#[derive(Debug, Clone, PartialEq)]
pub struct Edge {
    /// The calling item.
    pub caller: Item,
    /// The called item.
    pub callee: Item,
    /// Line of the call, in the caller's file.
    pub line: u32,
    /// The call as written.
    pub written: String,
    /// Confidence from 0 to 1.
    pub confidence: f32,
    /// The reason for the resolution, in a few words.
    pub reason: &'static str,
}

/// Stores the calls and imports of a parse. `items`, `calls` and `imports` are the positions of their events, in their
/// order.
pub fn add_parse(
    cache: &Connection,
    parse: i64,
    facts: &CodeFacts,
    items: &[Seq],
    calls: &[Seq],
    imports: &[Seq],
) -> Result<()> {
    let mut add_call = cache.prepare_cached(
        "INSERT OR IGNORE INTO call(seq, caller, name, callee, form) VALUES (:seq, :caller, :name, :callee, :form)",
    )?;
    let mut place = cache.prepare_cached(
        "INSERT OR IGNORE INTO parse_call(parse, seq, line, receiver_type, receiver_call, arguments)
         VALUES (:parse, :seq, :line, :receiver_type, :receiver_call, :arguments)",
    )?;
    for (fact, seq) in facts.calls.iter().zip(calls) {
        let call = &fact.sites[0];
        add_call.execute(named_params! {
            ":seq": seq, ":caller": items[fact.caller], ":name": call.name, ":callee": call.callee,
            ":form": call.form.name(),
        })?;
        for site in &fact.sites {
            place.execute(named_params! {
                ":parse": parse, ":seq": seq, ":line": site.line, ":receiver_type": site.receiver_type,
                ":receiver_call": site.receiver_call, ":arguments": site.arguments,
            })?;
        }
    }
    let mut add_import = cache.prepare_cached(
        "INSERT OR IGNORE INTO import(parse, seq, target, name, alias, reexport, scope, line)
         VALUES (:parse, :seq, :target, :name, :alias, :reexport, :scope, :line)",
    )?;
    for (fact, seq) in facts.imports.iter().zip(imports) {
        let import = &fact.import;
        add_import.execute(named_params! {
            ":parse": parse, ":seq": seq, ":target": import.target, ":name": import.name, ":alias": import.alias,
            ":reexport": import.reexport, ":scope": import.scope, ":line": import.line,
        })?;
    }
    Ok(())
}

/// Returns the positions of all events of a parse except its items.
pub fn events_of(cache: &Connection, parse: i64) -> Result<Vec<Seq>> {
    let mut statement = cache.prepare_cached(
        "SELECT DISTINCT seq FROM parse_call WHERE parse = :parse UNION ALL SELECT seq FROM import WHERE parse = :parse",
    )?;
    Ok(statement.query_map(named_params! {":parse": parse}, |row| row.get(0))?.collect::<rusqlite::Result<_>>()?)
}

/// Returns the calls of an item in source order, the best target of each call first.
pub fn calls_of(cache: &Connection, view: i64, item: &Item) -> Result<Vec<Edge>> {
    let names = SqlNames::new(cache, view);
    let mut edges = Vec::new();
    for site in sites(cache, view, "call.caller = :wanted", &item.seq)? {
        for target in names.resolve(&site) {
            if let Some(callee) = item::by_seq(cache, view, target.id)? {
                edges.push(site.edge(item.clone(), callee, &target));
            }
        }
    }
    edges.sort_by(|a, b| {
        a.line
            .cmp(&b.line)
            .then_with(|| b.confidence.total_cmp(&a.confidence))
            .then_with(|| a.callee.key.cmp(&b.callee.key))
    });
    Ok(edges)
}

/// Returns the callers of an item by descending confidence, then by location.
pub fn callers_of(cache: &Connection, view: i64, item: &Item) -> Result<Vec<Edge>> {
    let names = SqlNames::new(cache, view);
    let mut edges = Vec::new();
    for name in names_of(cache, view, item)? {
        for site in sites(cache, view, "call.name = :wanted", &name)? {
            let meant = names.resolve(&site).into_iter().find(|target| target.id == item.seq);
            if let Some(target) = meant
                && let Some(caller) = item::by_seq(cache, view, site.caller)?
            {
                edges.push(site.edge(caller, item.clone(), &target));
            }
        }
    }
    edges.sort_by(|a, b| {
        b.confidence
            .total_cmp(&a.confidence)
            .then_with(|| a.caller.path.cmp(&b.caller.path))
            .then_with(|| a.line.cmp(&b.line))
    });
    Ok(edges)
}

/// Returns the names by which an item is called: its own, and the local names that imports give it.
fn names_of(cache: &Connection, view: i64, item: &Item) -> Result<BTreeSet<String>> {
    let mut names = BTreeSet::from([item.name.clone()]);
    let stem = item.path.rsplit('/').next().unwrap_or(&item.path).split('.').next().unwrap_or_default().to_string();
    let mut statement = cache.prepare_cached(
        "SELECT DISTINCT import.alias, import.name, import.target FROM import JOIN view_file ON view_file.parse = import.parse AND view_file.view = :view
         WHERE import.alias IS NOT NULL",
    )?;
    let mut rows = statement.query(named_params! {":view": view})?;
    while let Some(row) = rows.next()? {
        let (alias, name, target): (String, Option<String>, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let last = target.rsplit(['/', ':', '.']).next().unwrap_or_default();
        let means = match name.as_deref() {
            Some("default") => target.contains(&stem),
            Some(name) => name == item.name,
            None => last == item.name,
        };
        if means {
            names.insert(alias);
        }
    }
    Ok(names)
}

/// A live call, as read from the tables.
struct CallRow {
    caller: Seq,
    path: String,
    language: Language,
    call: Call,
}

impl CallRow {
    /// Builds the edge to a target.
    fn edge(&self, caller: Item, callee: Item, target: &CallTarget) -> Edge {
        let (confidence, reason) = (target.confidence, target.reason);
        Edge { caller, callee, line: self.call.line, written: self.call.callee.clone(), confidence, reason }
    }
}

/// Reads the live calls that meet a condition.
fn sites(cache: &Connection, view: i64, condition: &'static str, wanted: &dyn rusqlite::ToSql) -> Result<Vec<CallRow>> {
    let sql = "SELECT call.caller, path.path, parse.language, call.name, call.callee, call.form, parse_call.receiver_type, parse_call.receiver_call,
                 parse_call.arguments, parse_call.line
         FROM call CROSS JOIN parse_call ON parse_call.seq = call.seq
         CROSS JOIN view_file ON view_file.parse = parse_call.parse AND view_file.view = :view
         CROSS JOIN parse ON parse.id = parse_call.parse CROSS JOIN path ON path.id = parse.path WHERE ";
    let mut statement =
        cache.prepare_cached(&format!("{sql}{condition} ORDER BY path.path, parse_call.line, call.callee"))?;
    let mut rows = statement.query(named_params! {":view": view, ":wanted": wanted})?;
    let mut sites = Vec::new();
    while let Some(row) = rows.next()? {
        let language = row.get::<_, Option<String>>(2)?.and_then(|name| Language::from_name(&name));
        let form = CallForm::from_name(row.get_ref(5)?.as_str()?);
        let (Some(language), Some(form)) = (language, form) else { continue };
        let call = Call {
            caller: None,
            name: row.get(3)?,
            callee: row.get(4)?,
            form,
            receiver_type: row.get(6)?,
            receiver_call: row.get(7)?,
            local: false,
            arguments: row.get(8)?,
            line: row.get(9)?,
        };
        sites.push(CallRow { caller: row.get(0)?, path: row.get(1)?, language, call });
    }
    Ok(sites)
}

/// Name lookup in the tables, cached for one answer.
struct SqlNames<'c> {
    cache: &'c Connection,
    view: i64,
    named: RefCell<HashMap<String, Vec<Arc<LiveDefinition>>>>,
    imports: RefCell<HashMap<String, Arc<[Import]>>>,
    bases: RefCell<HashMap<String, Arc<[String]>>>,
    callers: RefCell<HashMap<Seq, Option<Arc<LiveDefinition>>>>,
}

/// Selects live definitions.
const LIVE_DEFINITION: &str =
    "SELECT definition.seq, path.path, parse.language, definition.kind, definition.name, definition.qualified,
    definition.owner, definition.signature, definition.return_type, parse_item.fields, parse_item.bases, parse_item.line
  FROM definition CROSS JOIN parse_item ON parse_item.seq = definition.seq
  CROSS JOIN view_file ON view_file.parse = parse_item.parse AND view_file.view = :view
  CROSS JOIN parse ON parse.id = parse_item.parse CROSS JOIN path ON path.id = parse.path";

impl<'c> SqlNames<'c> {
    fn new(cache: &'c Connection, view: i64) -> Self {
        SqlNames {
            cache,
            view,
            named: RefCell::default(),
            imports: RefCell::default(),
            bases: RefCell::default(),
            callers: RefCell::default(),
        }
    }

    /// Resolves a call.
    fn resolve(&self, site: &CallRow) -> Vec<CallTarget> {
        let caller = self.caller(site.caller);
        resolve(
            &CallSite { path: &site.path, language: site.language, caller: caller.as_deref(), call: &site.call },
            self,
        )
    }

    /// Returns the definition that encloses a call.
    fn caller(&self, seq: Seq) -> Option<Arc<LiveDefinition>> {
        if let Some(known) = self.callers.borrow().get(&seq) {
            return known.clone();
        }
        let found = self.candidates("definition.seq = :wanted", &seq).pop();
        self.callers.borrow_mut().insert(seq, found.clone());
        found
    }

    /// Reads the live definitions that meet a condition.
    ///
    /// If the table cannot be read, the error is logged and the result is empty; the cache is then rebuilt.
    fn candidates(&self, condition: &str, wanted: &dyn rusqlite::ToSql) -> Vec<Arc<LiveDefinition>> {
        let read = || -> Result<Vec<Arc<LiveDefinition>>> {
            let mut statement = self
                .cache
                .prepare_cached(&format!("{LIVE_DEFINITION} WHERE {condition} ORDER BY path.path, parse_item.line"))?;
            let mut rows = statement.query(named_params! {":view": self.view, ":wanted": wanted})?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                found.extend(candidate(row)?.map(Arc::new));
            }
            Ok(found)
        };
        read().unwrap_or_else(|error| {
            tracing::warn!(%error, "definitions cannot be read");
            Vec::new()
        })
    }
}

/// Reads a definition from a row of [`LIVE_DEFINITION`].
fn candidate(row: &Row<'_>) -> rusqlite::Result<Option<LiveDefinition>> {
    let language = row.get::<_, Option<String>>(2)?.and_then(|name| Language::from_name(&name));
    let kind = DefinitionKind::from_name(row.get_ref(3)?.as_str()?);
    let (Some(language), Some(kind)) = (language, kind) else { return Ok(None) };
    let (path, qualified): (String, String) = (row.get(1)?, row.get(5)?);
    let fields = row.get::<_, Option<String>>(9)?.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
    let bases = row.get::<_, Option<String>>(10)?.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
    Ok(Some(LiveDefinition {
        id: row.get(0)?,
        key: definition_key(&path, &qualified),
        path,
        language,
        kind,
        name: row.get(4)?,
        qualified,
        owner: row.get(6)?,
        signature: row.get(7)?,
        return_type: row.get(8)?,
        fields,
        bases,
        line: row.get(11)?,
    }))
}

impl NameLookup for SqlNames<'_> {
    fn named(&self, name: &str) -> Vec<Arc<LiveDefinition>> {
        if let Some(known) = self.named.borrow().get(name) {
            return known.clone();
        }
        let found = self.candidates("definition.name = :wanted", &name);
        self.named.borrow_mut().insert(name.to_string(), found.clone());
        found
    }

    fn imports(&self, path: &str) -> Arc<[Import]> {
        if let Some(known) = self.imports.borrow().get(path) {
            return known.clone();
        }
        let read = || -> Result<Vec<Import>> {
            let mut statement = self.cache.prepare_cached(
                "SELECT target, name, alias, reexport, scope, line FROM path JOIN view_file ON view_file.path = path.id AND view_file.view = :view
                 JOIN import ON import.parse = view_file.parse WHERE path.path = :path ORDER BY line, target, name",
            )?;
            let rows = statement.query_map(named_params! {":view": self.view, ":path": path}, |row| {
                Ok(Import {
                    target: row.get(0)?,
                    name: row.get(1)?,
                    alias: row.get(2)?,
                    reexport: row.get(3)?,
                    scope: row.get(4)?,
                    line: row.get(5)?,
                })
            })?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        };
        let found: Arc<[Import]> = read().unwrap_or_default().into();
        self.imports.borrow_mut().insert(path.to_string(), found.clone());
        found
    }

    fn files_called(&self, base: &str) -> Arc<[String]> {
        if let Some(known) = self.bases.borrow().get(base) {
            return known.clone();
        }
        let read = || -> Result<Vec<String>> {
            let mut statement = self.cache.prepare_cached(
                "SELECT path.path FROM definition CROSS JOIN parse_item ON parse_item.seq = definition.seq
                 CROSS JOIN view_file ON view_file.parse = parse_item.parse AND view_file.view = :view
                 CROSS JOIN path ON path.id = view_file.path
                 WHERE definition.name = :base AND definition.kind = 'file' ORDER BY path.path",
            )?;
            let rows = statement.query_map(named_params! {":view": self.view, ":base": base}, |row| row.get(0))?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        };
        let found: Arc<[String]> = read().unwrap_or_default().into();
        self.bases.borrow_mut().insert(base.to_string(), found.clone());
        found
    }
}
