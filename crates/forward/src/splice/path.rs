//! The path of the bytes of one direction: copied through a buffer, or inside the kernel.
//!
//! Inside the kernel a byte costs less and a call more. So everything is copied at first, and only
//! a direction that has proved to be bulk goes through the kernel, for as long as it is.

use super::scratch::FULL;

/// The way of one direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Path {
    /// Copied. So many reads in a row have filled the buffer.
    Copied { full: u8 },
    /// Inside the kernel. So many moves in a row were small.
    Kernel { small: u8 },
    /// Copied for good: one of the sides can do nothing else.
    CopiedOnly,
}

impl Default for Path {
    fn default() -> Self {
        Self::Copied { full: 0 }
    }
}

impl Path {
    pub(super) fn is_kernel(self) -> bool {
        matches!(self, Self::Kernel { .. })
    }

    /// So many bytes were read to be copied.
    pub(super) fn copied(&mut self, bytes: usize) {
        *self = match *self {
            Self::Copied { full } if bytes >= FULL && full + 1 >= PROOF => {
                Self::Kernel { small: 0 }
            }
            Self::Copied { full } if bytes >= FULL => Self::Copied { full: full + 1 },
            Self::Copied { .. } => Self::Copied { full: 0 },
            // The rest of one move is copied, and is no sign of how large the next one is.
            path => path,
        };
    }

    /// So many bytes were moved inside the kernel at once.
    pub(super) fn moved(&mut self, bytes: usize) {
        *self = match *self {
            Self::Kernel { .. } if bytes >= FULL => Self::Kernel { small: 0 },
            Self::Kernel { small } if small + 1 < PATIENCE => Self::Kernel { small: small + 1 },
            Self::Kernel { .. } => Self::Copied { full: 0 },
            path => path,
        };
    }

    /// It can't go on inside the kernel for now: it has to prove itself again.
    pub(super) fn leave_kernel(&mut self) {
        *self = Self::Copied { full: 0 };
    }

    /// It can never go inside the kernel.
    pub(super) fn refuse_kernel(&mut self) {
        *self = Self::CopiedOnly;
    }
}

/// So many buffers in a row are bulk.
const PROOF: u8 = 4;

/// So many moves in a row that would have fitted a buffer are no bulk any more.
const PATIENCE: u8 = 4;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bulk_goes_through_the_kernel_and_nothing_less() {
        let mut path = Path::default();
        for _ in 0..100 {
            for _ in 1..PROOF {
                path.copied(FULL);
            }
            path.copied(FULL - 1);
            assert!(!path.is_kernel(), "not in a row");
        }
        for proof in 1..=PROOF {
            path.copied(FULL);
            assert_eq!(path.is_kernel(), proof == PROOF, "after {proof}");
        }
    }

    #[test]
    fn what_is_small_for_long_comes_back() {
        let mut path = Path::Kernel { small: 0 };
        for _ in 0..100 {
            for _ in 1..PATIENCE {
                path.moved(FULL - 1);
            }
            path.copied(1);
            assert!(path.is_kernel(), "a small one may come in between");
            path.moved(FULL);
        }
        for _ in 0..PATIENCE {
            path.moved(0);
        }
        assert_eq!(path, Path::default(), "and has to prove itself again");
    }

    #[test]
    fn a_refusal_is_for_good() {
        let mut path = Path::Kernel { small: 0 };
        path.refuse_kernel();
        for _ in 0..100 {
            path.copied(FULL);
            path.moved(FULL);
        }
        assert_eq!(path, Path::CopiedOnly);
    }
}
