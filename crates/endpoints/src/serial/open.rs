//! Opening a device, and the hints if that fails.
//!
//! The device is opened twice. Our own open comes first: its error has the cause, which tokio-serial's doesn't, and
//! it sets what tokio-serial doesn't support. Then comes tokio-serial's, which carries the bytes. One device has one
//! state of settings, whatever it is reached by, and DTR rises once.

use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileTypeExt;

use endpoint::control::LineSettings;
use endpoint::{Error, ErrorKind, Result};
use rustix::fs::{FlockOperation, Mode, OFlags, flock};
use rustix::io::Errno;
use rustix::termios::{QueueSelector, tcflush, tcgetattr};
use tokio_serial::{SerialPortBuilderExt, SerialStream};
use tracing::warn;

use super::{Device, holder, line};

/// A device that is open, and what it carries.
pub(super) struct Opened {
    pub(super) port: SerialStream,
    pub(super) tty: OwnedFd,
}

impl Device {
    pub(super) async fn open(&self) -> Result<Opened> {
        match self.try_open() {
            Err(error) if error.kind() == ErrorKind::Busy => Err(self.busy().await),
            done => done,
        }
    }

    fn try_open(&self) -> Result<Opened> {
        self.check_sort()?;
        // No O_CREAT: a device that is missing is never made a file.
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let tty = rustix::fs::open(&*self.path, flags, Mode::empty())
            .map_err(|errno| self.explain(errno.into()))?;
        tcgetattr(&tty).map_err(|errno| self.explain(errno.into()))?;
        // tokio-serial tries both ways to have it alone one after the other, and undoes the first, even another
        // process's, when the second fails. So the second is tried before.
        let lock = if self.exclusive {
            FlockOperation::NonBlockingLockExclusive
        } else {
            FlockOperation::NonBlockingLockShared
        };
        flock(&tty, lock)
            .and_then(|()| flock(&tty, FlockOperation::Unlock))
            .map_err(|errno| self.explain(errno.into()))?;
        let baud = self.settings.baud.unwrap_or_default();
        let port = tokio_serial::new(&*self.path, baud).exclusive(self.exclusive);
        let port = port.open_native_async().map_err(|error| self.translate(&error))?;

        let kept = line::apply(&tty, &self.settings).map_err(|errno| self.explain(errno.into()))?;
        self.check(&kept)?;
        // Input that came before the port was opened was meant for another reader, and had another speed.
        tcflush(&tty, QueueSelector::IOFlush).map_err(|errno| self.explain(errno.into()))?;
        Ok(Opened { port, tty })
    }

    /// That it is a device. Opening other things may have effects, or wait.
    fn check_sort(&self) -> Result<()> {
        let sort = fs::metadata(&self.path).map_err(|cause| self.explain(cause))?.file_type();
        let sort = match () {
            () if sort.is_char_device() => return Ok(()),
            () if sort.is_dir() => "a directory",
            () if sort.is_file() => "a file",
            () if sort.is_block_device() => "a disk",
            () if sort.is_socket() => "a socket",
            () => "a pipe",
        };
        Err(self.no_line(format!("{} is {sort}, not a serial device", self.path)))
    }

    /// Checks that it has the requested settings. A speed that is off by more than the sides of an asynchronous line
    /// can differ makes noise of everything; other differences may be intended: ptys, which stand in for devices,
    /// have 8 bits and no parity for good.
    fn check(&self, kept: &LineSettings) -> Result<()> {
        let (wanted, has) = (self.settings.baud.unwrap_or(0), kept.baud.unwrap_or(0));
        if line::is_other_speed(wanted, has) {
            let what = format!("{} doesn't support {wanted} baud; it stays at {has}", self.path);
            return Err(Error::new(ErrorKind::Other, "open", &*self.descriptor, what));
        }
        for what in line::differences(&self.settings, kept) {
            warn!("{}: the device keeps {what}", self.descriptor);
        }
        Ok(())
    }

    fn translate(&self, error: &tokio_serial::Error) -> Error {
        use tokio_serial::ErrorKind as K;
        match error.kind {
            // Another process was faster.
            K::NoDevice => self.explain(Errno::BUSY.into()),
            K::Io(kind) => self.explain(kind.into()),
            K::InvalidInput | K::Unknown => {
                let words = error.description.to_lowercase();
                Error::new(ErrorKind::Other, "open", &*self.descriptor, words)
            }
        }
    }

    fn explain(&self, cause: io::Error) -> Error {
        let path = &self.path;
        let hint = match cause.raw_os_error().map(Errno::from_raw_os_error) {
            Some(Errno::NOTTY) => {
                return self.no_line(format!("{path} is a device, but not a serial port"));
            }
            Some(Errno::NXIO | Errno::NODEV | Errno::IO) => {
                let what =
                    format!("the device node {path} exists, but no device is connected to it");
                return Error::new(ErrorKind::NotFound, "open", &*self.descriptor, what);
            }
            _ if cause.kind() == io::ErrorKind::NotFound => {
                "plug it in; `ls -l /dev/serial/by-id` lists USB adapters".to_owned()
            }
            _ if cause.kind() == io::ErrorKind::PermissionDenied => format!(
                "your user must be in the group of {path}, usually `dialout`: `sudo usermod -aG \
                 dialout $USER`, then log in again"
            ),
            _ => return Error::from_io("open", &*self.descriptor, cause),
        };
        Error::from_io("open", &*self.descriptor, cause).with_hint(hint)
    }

    async fn busy(&self) -> Error {
        let path = &self.path;
        let what = match holder::of(path).await {
            Some(holder) => format!("{path} is in use by {holder}"),
            None => format!("{path} is in use by another program"),
        };
        Error::new(ErrorKind::Busy, "open", &*self.descriptor, what).with_hint(
            "end that program, or share the device with `exclusive=false` if that program shares it too",
        )
    }

    fn no_line(&self, what: String) -> Error {
        Error::new(ErrorKind::Other, "open", &*self.descriptor, what).with_hint(
            "serial ports have names such as `/dev/ttyUSB0`, `/dev/ttyACM0` and `/dev/ttyS0`",
        )
    }
}
