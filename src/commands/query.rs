//! `patina query`: words to hits, by what they are and by what they mean.

use std::process::ExitCode;

use anyhow::Result;
use serde::Serialize;

use super::output::Output;
use super::{Here, Narrow, Needs, merged};
use crate::dimensions::{self, Dimension};
use crate::embedding::Embedding;
use crate::error::{Exit, UserError};
use crate::index::{self, Vectors};
use crate::query::{self, Asked, BY_MEANING, Filter, Hit, Meaning, Reader, Search, Tasking};

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// What is looked for, in words or names.
    #[arg(required = true, value_name = "TEXT")]
    text: Vec<String>,
    #[command(flatten)]
    narrow: Narrow,
}

#[derive(Serialize)]
struct Answer<'a> {
    as_of: Option<String>,
    behind: u64,
    used_vectors: bool,
    /// Dimensions whose space was searched as the base embedding, because they have no adapter.
    untrained: Vec<&'static str>,
    hits: &'a [Hit],
}

pub fn run(arguments: &Arguments, output: &Output) -> Result<ExitCode> {
    let here = Here::find(output)?;
    let asked = arguments.narrow.dimensions()?;
    let filter = arguments.narrow.limits.filter()?;
    let text = arguments.text.join(" ");
    if crate::text_index::words(&text).is_empty() {
        return Err(UserError::new(Exit::Usage, "there is no word in the question")
            .hint("ask for example `patina query where are hooks installed`")
            .into());
    }
    let meaning = Meaning::begin(&here.config.model, &text);
    let reader = here.reader(arguments.narrow.limits.fresh, Needs::All, output)?;
    let vectors = reader.vectors()?;
    let (hits, used) = if asked.is_empty() {
        by_words_and_meaning(&reader, &vectors, &text, &filter, meaning, output)?
    } else {
        let embedding = wait(&vectors, meaning)?;
        in_dimensions(&reader, &vectors, &text, &filter, &asked, &embedding, output)?
    };
    here.mend(&vectors);
    let untrained = |used: &&'static Dimension| {
        vectors.generation().and_then(|generation| generation.space(used.name)).is_some_and(index::Space::is_base)
    };
    if output.json {
        return output.print_json(&Answer {
            as_of: reader.as_of(),
            behind: reader.behind,
            used_vectors: !used.is_empty(),
            untrained: used.iter().copied().filter(untrained).map(|used| used.name).collect(),
            hits: &hits,
        });
    }
    let mut page = output.page();
    page.as_of(&reader);
    page.hits(&hits);
    if hits.is_empty() {
        page.line("nothing that is live holds these words, or means about the same");
    }
    output.print(&page)
}

/// The question's embedding, by the model that everything was embedded with.
///
/// # Errors
/// A [`UserError`] that says why there are no vectors.
fn wait(vectors: &Vectors<'_>, meaning: Meaning) -> Result<Embedding> {
    let Some(generation) = vectors.generation() else {
        meaning.is_set_up()?;
        return Err(UserError::new(Exit::NotSetUp, "nothing has been embedded yet")
            .hint("`patina status --wait` does it now")
            .into());
    };
    meaning.wait(&generation.model)
}

type Hits = (Vec<Hit>, Vec<&'static Dimension>);

fn by_words_and_meaning(
    reader: &Reader<'_>,
    vectors: &Vectors<'_>,
    text: &str,
    filter: &Filter,
    meaning: Meaning,
    output: &Output,
) -> Result<Hits> {
    let mut search = Search::by_words(reader, text, filter)?;
    let mut tasking = Tasking::by_words(reader, text, filter)?;
    let mut used = Vec::new();
    if let Some((embedding, asked)) = meant(reader, vectors, meaning, output)? {
        search.by_meaning(&asked)?;
        tasking.by_meaning(vectors, &embedding, &asked)?;
        used.extend(asked.dimensions);
    }
    Ok((search.hits(&tasking.likely()?)?, used))
}

/// What a question means; none where that is not to be had, and then it is said why.
pub fn meant<'v>(
    reader: &Reader<'_>,
    vectors: &'v Vectors<'v>,
    meaning: Meaning,
    output: &Output,
) -> Result<Option<(Embedding, Asked<'v>)>> {
    // The model is still loading: what does not need it is done meanwhile.
    vectors.open_segments()?;
    let semantic = dimensions::named(BY_MEANING).expect("it is one of the six");
    let embedding = match reader.off(semantic)? {
        Some(why) => Err(UserError::new(Exit::NotSetUp, format!("{BY_MEANING} is off: {why}")).into()),
        None => wait(vectors, meaning),
    };
    match embedding {
        Ok(embedding) => {
            let Some(asked) = Asked::new(vectors, semantic, &embedding) else {
                output.warn("the adapter of semantic cannot be read; found by full text alone");
                return Ok(None);
            };
            let wanted = index::wanted_count(&reader.cache)?;
            if wanted > 0 {
                output.note(&format!("{wanted} texts are not embedded yet, and are found by their words alone"));
            }
            return Ok(Some((embedding, asked)));
        }
        Err(error) => match error.downcast::<UserError>() {
            Ok(why) if why.exit == Exit::NotSetUp => {
                output.note(&format!("found by full text alone: {}", why.message));
                output.note(why.hint.as_deref().unwrap_or("see `patina status`"));
            }
            Ok(why) => output.warn(&format!("found by full text alone: {}", why.message)),
            Err(error) => output.warn(&format!("found by full text alone: {error:#}")),
        },
    }
    Ok(None)
}

fn in_dimensions(
    reader: &Reader<'_>,
    vectors: &Vectors<'_>,
    text: &str,
    filter: &Filter,
    asked: &[&'static Dimension],
    embedding: &Embedding,
    output: &Output,
) -> Result<Hits> {
    let (mut questions, mut used): (Vec<Asked<'_>>, Vec<&'static Dimension>) = Default::default();
    for dimension in asked {
        if let Some(why) = reader.off(dimension)? {
            output.note(&format!("{} is off: {why}", dimension.name));
            continue;
        }
        let Some(question) = Asked::new(vectors, dimension, embedding) else {
            output.warn(&format!("the adapter of {} cannot be read, so it answers nothing", dimension.name));
            continue;
        };
        used.push(*dimension);
        if question.space.is_base() {
            output.note(&format!("{} is not trained: it is searched as the base embedding", dimension.name));
        }
        // Dimensions that share a space would say the same twice: it is asked once for all of them.
        match questions.iter_mut().find(|known| known.space.id == question.space.id) {
            Some(known) => known.dimensions.push(dimension),
            None => questions.push(question),
        }
    }
    let mut answers = Vec::new();
    for question in &questions {
        answers.push(query::search_alike(reader, text, filter, question)?);
    }
    Ok((merged(answers, filter.k), used))
}
