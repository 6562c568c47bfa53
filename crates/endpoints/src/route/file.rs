//! `route:file=PATH`: lines of a file, or of the files of a folder.

use async_trait::async_trait;
use endpoint::provider::{Answer, Asks, Provider, Query};
use endpoint::{Context, Missing};
use plan::kind::{Args, AssembleProvider, Param, Planned, ProviderKind, ValueKind};

use super::names::Names;
use super::tokens::Tokens;
use super::websocksy::Folder;

pub(super) static FILE: ProviderKind = ProviderKind {
    name: "file",
    about: "lines of a file, or of the files of a folder",
    params: &[
        Param::new(
            "file",
            ValueKind::Text,
            "A file with lines `KEY: DESTINATION`, or a folder of such files. DESTINATION is `HOST:PORT`, \
             `unix_socket:PATH` or a descriptor. A changed file is read again. An invalid line is skipped with a \
             warning that has its number.",
        )
        .positional()
        .required(),
        Param::new(
            "format",
            ValueKind::Choice(&["tokens", "names", "websocksy"]),
            "The format of `file`: `tokens`, lines with a key; `names`, a folder with a file for each key, which contains \
             DESTINATION or is a Unix socket; or `websocksy`, a folder of websocksy's `file` backend, in which `expression` \
             selects the file.",
        )
        .default("tokens"),
        Param::new(
            "expression",
            ValueKind::List,
            "With `format=websocksy`, the file names to try, in order. `%endpoint%` is replaced by the path, \
             `%cookie:NAME%` by a cookie and `%header:NAME%` by a header; a slash in them becomes `_`.",
        )
        .default("%endpoint%.txt"),
    ],
    plan,
};

fn plan(args: &Args) -> Planned<AssembleProvider> {
    let path = args.text("file").unwrap_or_default();
    let file = match args.text("format") {
        Some("websocksy") if args.is_given("cache") => {
            let message =
                "`format=websocksy` selects by more than the key, so it can't be cached by the key";
            return Err(vec![args.mistake("cache", descriptor::Code::BadValue, message)]);
        }
        Some("websocksy") => File::Websocksy(Folder::new(path, args.list("expression"))),
        Some("names") => File::Names(Names::new(path)),
        _ => File::Tokens(Tokens::new(path)),
    };
    Ok(Box::new(move |_| Box::new(file)))
}

#[derive(Debug)]
enum File {
    Names(Names),
    Tokens(Tokens),
    Websocksy(Folder),
}

#[async_trait]
impl Provider for File {
    async fn find(&self, _: &Context, query: &Query<'_>) -> Result<Answer, String> {
        match self {
            Self::Names(names) => names.find(query.key.unwrap_or_default()).await,
            Self::Tokens(tokens) => tokens.find(query.key.unwrap_or_default()).await,
            Self::Websocksy(folder) => folder.find(query.info).await,
        }
    }

    fn asks(&self) -> Asks {
        match self {
            Self::Names(_) | Self::Tokens(_) => Asks::Key,
            Self::Websocksy(_) => Asks::Facts,
        }
    }

    fn missing(&self, _: &Context) -> Vec<Missing> {
        match self {
            Self::Names(names) => names.missing(),
            Self::Tokens(tokens) => tokens.missing(),
            Self::Websocksy(folder) => folder.missing(),
        }
    }
}
