//! The options that several commands share: dimensions, and filters of hits.

use std::ffi::OsString;

use anyhow::Result;

use super::answers::ShapeArgs;
use crate::dimensions::{self, Dimension};
use crate::error::{Exit, UserError};
use crate::facts::ItemKind;
use crate::query::{Filter, PathFilter};
use crate::sessions::is_searchable;

/// The options of commands that can be limited to dimensions.
#[derive(Debug, clap::Args)]
pub(super) struct DimensionArgs {
    /// Use only this dimension; may be repeated
    #[arg(short, long, value_name = "DIMENSION")]
    pub(super) dimension: Vec<String>,
    #[command(flatten)]
    pub(super) limits: HitArgs,
}

/// The options of commands that answer with hits.
#[derive(Debug, clap::Args)]
pub(super) struct HitArgs {
    /// Show at most K hits
    #[arg(short, value_name = "K", default_value_t = 10)]
    pub(super) k: usize,
    /// Show only hits of this kind; may be repeated
    ///
    /// One of file, function, type, module, constant, macro, commit; or of session entries: session, goal, decision,
    /// pattern, work, challenge, context, observation, plan, note
    #[arg(long, value_name = "KIND")]
    pub(super) kind: Vec<String>,
    /// Show only hits in paths that match a glob or are in a folder
    ///
    /// The glob or folder is relative to the current folder or to the top of the worktree.
    #[arg(long, value_name = "GLOB")]
    pub(super) path: Option<OsString>,
    /// Show only hits that a commit touched since a date or within a period
    ///
    /// Write a date as 2026-01-31, and a period as 90d, 12w, 6m or 1y, which is counted back from now.
    #[arg(long, value_name = "WHEN")]
    pub(super) since: Option<String>,
    /// Wait until HEAD is indexed
    #[arg(long)]
    pub(super) fresh: bool,
    #[command(flatten)]
    pub(super) shape: ShapeArgs,
}

impl DimensionArgs {
    /// Returns the selected dimensions, each once.
    pub(super) fn dimensions(&self) -> Result<Vec<&'static Dimension>> {
        let mut asked: Vec<&'static Dimension> = Vec::new();
        for name in &self.dimension {
            let Some(dimension) = dimensions::named(name) else {
                let all: Vec<&str> = dimensions::ALL.iter().map(|dimension| dimension.name).collect();
                let message = format!("unknown dimension `{name}`");
                return Err(UserError::new(Exit::Usage, message).hint(format!("they are {}", all.join(", "))).into());
            };
            if !asked.iter().any(|known| known.name == dimension.name) {
                asked.push(dimension);
            }
        }
        Ok(asked)
    }
}

impl HitArgs {
    pub(super) fn filter(&self) -> Result<Filter> {
        let kinds = self.kind.iter().map(|name| kind_named(name)).collect::<Result<Vec<ItemKind>>>()?;
        require_positive(self.k)?;
        let path = self.path.as_deref().map(PathFilter::new).transpose()?;
        let since = self.since.as_deref().map(parse_since).transpose()?;
        Ok(Filter { k: self.k, kinds, path, since })
    }
}

/// Parses the name of a kind: of code, commit, session, or a searchable category of session entry.
fn kind_named(name: &str) -> Result<ItemKind> {
    let kind = ItemKind::named(name).filter(|kind| !matches!(kind, ItemKind::Entry(_)) || is_searchable(name));
    kind.ok_or_else(|| {
        let all = ItemKind::PLAIN.map(ItemKind::name).join(", ");
        UserError::new(Exit::Usage, format!("unknown kind `{name}`"))
            .hint(format!("kinds are {all}, and the categories of what sessions say"))
            .into()
    })
}

/// Rejects `-k 0`, whose empty answer would look as if nothing was found.
pub(super) fn require_positive(k: usize) -> Result<()> {
    if k == 0 {
        return Err(UserError::new(Exit::Usage, "-k 0 asks for nothing").hint("ask for at least one").into());
    }
    Ok(())
}

/// Parses a date (`2026-01-31`), or a period counted back from now (`90d`, `12w`, `6m`, `1y`), to Unix seconds.
pub(super) fn parse_since(text: &str) -> Result<i64> {
    let now = crate::git::unix_now();
    let units = [("d", 86_400), ("w", 7 * 86_400), ("m", 30 * 86_400), ("y", 365 * 86_400)];
    for (unit, seconds) in units {
        let count = text.strip_suffix(unit).and_then(|count| count.parse::<i64>().ok());
        let back = count.and_then(|count| count.checked_mul(seconds));
        if let Some(since) = back.and_then(|back| now.checked_sub(back)) {
            return Ok(since);
        }
    }
    crate::git::parse_day(text).ok_or_else(|| {
        UserError::new(Exit::Usage, format!("cannot parse `{text}` as a date or duration"))
            .hint("write a day as 2026-01-31, or a time back as 90d, 12w, 6m, 1y")
            .into()
    })
}
