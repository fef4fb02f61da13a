//! Rules for model providers and the tools around them. More specific anchors come first.

use super::super::pattern::ByteClass::{Alnum, Hex, Lower, Upper, Url, Word};
use super::super::pattern::KeyPiece::{OneOf, Text};
use super::super::pattern::{UUID, at_least, exactly};
use super::super::rule::{LeftBoundary, MinVariety, Rule, key};

/// Rules for model providers.
pub(super) const MODELS_RULES: &[Rule] = &[
    key("anthropic-key", &["sk-ant-"], &[at_least(Url, 20)]),
    key("langfuse-key", &["sk-lf-"], UUID),
    key("openrouter-key", &["sk-or-v1-"], &[at_least(Alnum, 40)]),
    key("openai-key", &["sk-"], &[OneOf(&["proj-", "svcacct-", "admin-", "None-", "or-v1-"]), at_least(Url, 20)]),
    key("openai-key", &["sk-"], &[at_least(Alnum, 20)]),
    key("huggingface-token", &["hf_", "api_org_"], &[at_least(Alnum, 30)]),
    key("replicate-token", &["r8_"], &[exactly(Alnum, 37)]).left(LeftBoundary::Base64),
    key("groq-key", &["gsk_"], &[at_least(Alnum, 48)]),
    key("xai-key", &["xai-"], &[at_least(Alnum, 60)]),
    key("perplexity-key", &["pplx-"], &[at_least(Alnum, 40)]),
    key("fireworks-key", &["fw_"], &[at_least(Alnum, 22)]).left(LeftBoundary::Base64).variety(MinVariety::Digits),
    key("together-key", &["tgp_v1_"], &[at_least(Url, 40)]),
    key("nvidia-key", &["nvapi-"], &[at_least(Url, 60)]),
    key("pinecone-key", &["pcsk_"], &[at_least(Word, 50)]),
    key("langsmith-key", &["lsv2_pt_", "lsv2_sk_"], &[exactly(Hex, 32), Text("_"), exactly(Hex, 10)]),
    key("wandb-key", &["wandb_v1_"], &[at_least(Word, 40)]),
    key("tavily-key", &["tvly-"], &[at_least(Url, 20)]),
    key("firecrawl-key", &["fc-"], &[exactly(Hex, 32)]).left(LeftBoundary::Base64),
    key("jina-key", &["jina_"], &[at_least(Url, 50)]),
    key("voyage-key", &["pa-"], &[exactly(Url, 43)]).left(LeftBoundary::Base64).variety(MinVariety::Digits),
    key("elevenlabs-key", &["sk_"], &[exactly(Hex, 48)]),
    key("cerebras-key", &["csk-"], &[at_least(Lower, 40)]),
    key("modal-token", &["ak-", "as-"], &[exactly(Alnum, 22)]).left(LeftBoundary::Base64).variety(MinVariety::Digits),
    key("runpod-key", &["rpa_"], &[at_least(Upper, 40)]),
    key("brave-key", &["BSA"], &[exactly(Url, 28)]).variety(MinVariety::Digits),
    key("cursor-key", &["crsr_", "key_"], &[exactly(Hex, 64)]),
    key("llama-cloud-key", &["llx-"], &[at_least(Alnum, 40)]),
];
