//! `file:PATH`: a file, read or written by a session.
//!
//! A file is always ready as far as the system's readiness goes: it is read and written by the runtime's threads for
//! blocking work. [`follow`] reports when more may be read of one that grows.

mod follow;
mod stream;

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use descriptor::Code;
use endpoint::{Conn, Connector, Context, Error, ErrorKind, Grants, Info, Missing, Result, Times};
use plan::kind::{
    Args, Example, Framings, Kind, Param, PlanConnect, Planned, Role, Side, Topic, ValueKind,
};
use rustix::fs::{Access as Permissions, OFlags, access};

use self::follow::Follow;
use self::stream::{Reading, Writing};
use crate::frames::{FRAMING, framed};
use crate::slips::foreign_options;

/// Files.
pub(crate) static KIND: Kind = Kind {
    listen: Some(Side::opened(Times::Once)),
    connect: Some(Side::bytes(PARAMS, PlanConnect::Leaf(plan))),
    examples: &[
        Example {
            role: Role::Connect,
            descriptor: "file:/etc/motd",
            about: "Sends the file to every client.",
        },
        Example {
            role: Role::Connect,
            descriptor: "file:/var/log/syslog:follow=true:from=end:framing=lines",
            about: "Sends lines as they are added to the file, as `tail -F` does.",
        },
        Example {
            role: Role::Connect,
            descriptor: "file:/tmp/received:access=append:create=640",
            about: "Appends what clients send to a file, which is created if it doesn't exist.",
        },
        Example {
            role: Role::Listen,
            descriptor: "file:./script.nc",
            about: "Sends the file to the destination, in one session.",
        },
    ],
    see_also: &["fifo", "tee", "stdio"],
    ..Kind::new("file", "A file to read, follow, replace or append to")
};

const PARAMS: &[Param] = &[
    Param::new("path", ValueKind::Text, "The path of the file, which is opened for each session.")
        .positional()
        .required()
        .no_holes(&NO_HOLES),
    Param::new(
        "access",
        ValueKind::Choice(&["read", "write", "append"]),
        "The use of the file. `read` sends its contents and discards received data; `write` replaces its contents \
         with received data, and `append` adds received data to it; both send nothing.",
    )
    .default("read"),
    Param::new(
        "follow",
        ValueKind::Bool,
        "Continue at the end of the file, and send data as it is added. A file that is replaced or truncated is read \
         from its start.",
    )
    .default("false"),
    Param::new(
        "from",
        ValueKind::Choice(&["start", "end"]),
        "Where reading begins. From `end`, only data that is added later is sent.",
    )
    .default("start"),
    Param::new(
        "create",
        ValueKind::Octal,
        "Create a file to write, with these permissions, independent of the umask, if it doesn't exist. By default, \
         a missing file is an error.",
    )
    .topic(Topic::Access),
    FRAMING,
];

const NO_HOLES: &str = "a client can't choose a file";

/// A file to be opened.
#[derive(Debug)]
struct Open {
    descriptor: String,
    path: PathBuf,
    access: Access,
    create: Option<u32>,
    framing: Option<Framings>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Access {
    Read { follows: bool, from_end: bool },
    Write,
    Append,
}

fn plan(args: &Args) -> Planned<Box<dyn Connector>> {
    let path = args.text("path").unwrap_or_default();
    if path.is_empty() || path.contains('\0') {
        return Err(vec![args.mistake("path", Code::BadValue, "`path` is not the name of a file")]);
    }
    foreign_options(args, "path");
    let access = match args.text("access") {
        Some("write") => Access::Write,
        Some("append") => Access::Append,
        _ => Access::Read {
            follows: args.flag("follow"),
            from_end: args.text("from") == Some("end"),
        },
    };
    let is_read = matches!(access, Access::Read { .. });
    for (name, is_used) in [("follow", is_read), ("from", is_read), ("create", !is_read)] {
        if args.is_given(name) && !is_used {
            let message = format!(
                "`{name}` has no effect: the file is {}",
                if is_read { "read" } else { "written" }
            );
            args.warn(name, "no-effect", message);
        }
    }
    Ok(Box::new(Open {
        descriptor: args.descriptor.clone(),
        path: path.into(),
        access,
        create: args.int("create").and_then(|mode| u32::try_from(mode).ok()),
        framing: args.framing("framing")?,
    }))
}

#[async_trait]
impl Connector for Open {
    async fn connect(&self, _: &Context, info: &Info) -> Result<Conn> {
        let (path, access, create) = (self.path.clone(), self.access, self.create);
        let opened = tokio::task::spawn_blocking(move || open(&path, access, create)).await;
        let opened = opened.unwrap_or_else(|_| Err(io::Error::other("it was interrupted")));
        let file = opened.map_err(|cause| self.explain(cause))?;
        let conn = match self.access {
            Access::Read { follows, from_end } => {
                let follow = follows.then(|| Follow::new(&self.path, &file)).transpose();
                let follow = follow.map_err(|cause| self.explain(cause))?;
                Conn::bytes(Reading::new(file, from_end, follow), Info::new())
            }
            Access::Write | Access::Append => Conn::bytes(Writing::new(file), Info::new()),
        };
        Ok(framed(conn, self.framing.as_ref(), info))
    }

    fn missing(&self, _: &Context) -> Vec<Missing> {
        let path = self.path.display();
        let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let wants = match self.access {
            Access::Read { .. } => Permissions::READ_OK,
            _ => Permissions::WRITE_OK,
        };
        let message = if self.path.is_dir() {
            Some(format!("{path} is a folder"))
        } else if self.path.exists() {
            access(&self.path, wants).err().map(|error| {
                format!("{path} can't be opened: {}", endpoint::describe(&error.into()))
            })
        } else if self.create.is_none() {
            Some(format!("there is no file {path}"))
        } else {
            let folder = folder.filter(|folder| !folder.exists());
            folder.map(|folder| format!("there is no folder {}", folder.display()))
        };
        message.map(|message| Missing::of("path", message)).into_iter().collect()
    }

    fn grants(&self) -> Grants {
        Grants::File
    }
}

impl Open {
    fn explain(&self, cause: io::Error) -> Error {
        let hint = match cause.kind() {
            io::ErrorKind::NotFound
                if self.access == Access::Write || self.access == Access::Append =>
            {
                "create it with `create=MODE`, in an existing folder"
            }
            io::ErrorKind::NotFound => "check the path",
            io::ErrorKind::PermissionDenied => "its permissions deny access",
            io::ErrorKind::InvalidInput => {
                let path = self.path.display();
                let words = cause.to_string();
                let hint = match &*words {
                    FIFO => format!("for a named pipe, write `fifo:{path}`"),
                    SOCKET => format!("for a socket, write `unix:{path}`"),
                    DEVICE => format!(
                        "for a serial device, write `serial:{path}`; to read another device, `process:cat:{path}`"
                    ),
                    _ => "give the path of a file".to_owned(),
                };
                return Error::new(ErrorKind::Other, "open", &*self.descriptor, words)
                    .with_hint(hint);
            }
            _ => return Error::from_io("open", &*self.descriptor, cause),
        };
        Error::from_io("open", &*self.descriptor, cause).with_hint(hint)
    }
}

/// Opens a file and nothing else: another object may block its reader.
fn open(path: &Path, access: Access, create: Option<u32>) -> io::Result<File> {
    let mut options = OpenOptions::new();
    let is_read = matches!(access, Access::Read { .. });
    options.read(is_read).append(access == Access::Append).write(access == Access::Write);
    // Opening a pipe would wait for its other end.
    options.custom_flags((OFlags::NONBLOCK | OFlags::NOCTTY).bits().cast_signed());
    let made = match create.filter(|_| !is_read) {
        None => None,
        Some(mode) => match options.clone().create_new(true).mode(mode).open(path) {
            Ok(file) => {
                file.set_permissions(std::fs::Permissions::from_mode(mode))?;
                Some(file)
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => None,
            Err(error) => return Err(error),
        },
    };
    let file = match made {
        Some(file) => return Ok(file),
        None => options.open(path)?,
    };
    let sort = file.metadata()?.file_type();
    let wrong = if sort.is_fifo() {
        FIFO
    } else if sort.is_socket() {
        SOCKET
    } else if sort.is_char_device() || sort.is_block_device() {
        DEVICE
    } else if sort.is_dir() {
        "it is a folder"
    } else {
        // Not before it is known to be a file.
        if access == Access::Write {
            file.set_len(0)?;
        }
        return Ok(file);
    };
    Err(io::Error::new(io::ErrorKind::InvalidInput, wrong))
}

const FIFO: &str = "it is a named pipe";
const SOCKET: &str = "it is a socket";
const DEVICE: &str = "it is a device";
