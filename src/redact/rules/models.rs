//! Models, and what is built around them. The most special beginnings stand first.

use super::super::form::Class::{Alnum, Hex, Lower, Upper, Url, Word};
use super::super::form::Piece::{Any, Text};
use super::super::form::{UUID, from, of};
use super::{Left, Need, Rule, key};

pub(super) const RULES: &[Rule] = &[
    key("anthropic-key", &["sk-ant-"], &[from(Url, 20)]),
    key("langfuse-key", &["sk-lf-"], UUID),
    key("openrouter-key", &["sk-or-v1-"], &[from(Alnum, 40)]),
    key("openai-key", &["sk-"], &[Any(&["proj-", "svcacct-", "admin-", "None-", "or-v1-"]), from(Url, 20)]),
    key("openai-key", &["sk-"], &[from(Alnum, 20)]),
    key("huggingface-token", &["hf_", "api_org_"], &[from(Alnum, 30)]),
    key("replicate-token", &["r8_"], &[of(Alnum, 37)]).left(Left::Base64),
    key("groq-key", &["gsk_"], &[from(Alnum, 48)]),
    key("xai-key", &["xai-"], &[from(Alnum, 60)]),
    key("perplexity-key", &["pplx-"], &[from(Alnum, 40)]),
    key("fireworks-key", &["fw_"], &[from(Alnum, 22)]).left(Left::Base64).needs(Need::Digits),
    key("together-key", &["tgp_v1_"], &[from(Url, 40)]),
    key("nvidia-key", &["nvapi-"], &[from(Url, 60)]),
    key("pinecone-key", &["pcsk_"], &[from(Word, 50)]),
    key("langsmith-key", &["lsv2_pt_", "lsv2_sk_"], &[of(Hex, 32), Text("_"), of(Hex, 10)]),
    key("wandb-key", &["wandb_v1_"], &[from(Word, 40)]),
    key("tavily-key", &["tvly-"], &[from(Url, 20)]),
    key("firecrawl-key", &["fc-"], &[of(Hex, 32)]).left(Left::Base64),
    key("jina-key", &["jina_"], &[from(Url, 50)]),
    key("voyage-key", &["pa-"], &[of(Url, 43)]).left(Left::Base64).needs(Need::Digits),
    key("elevenlabs-key", &["sk_"], &[of(Hex, 48)]),
    key("cerebras-key", &["csk-"], &[from(Lower, 40)]),
    key("modal-token", &["ak-", "as-"], &[of(Alnum, 22)]).left(Left::Base64).needs(Need::Digits),
    key("runpod-key", &["rpa_"], &[from(Upper, 40)]),
    key("brave-key", &["BSA"], &[of(Url, 28)]).needs(Need::Digits),
    key("cursor-key", &["crsr_", "key_"], &[of(Hex, 64)]),
    key("llama-cloud-key", &["llx-"], &[from(Alnum, 40)]),
];
