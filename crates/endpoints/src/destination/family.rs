//! The addresses that a kind uses.

use std::net::IpAddr;

/// The families of addresses that may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    /// Both.
    Any,
    /// IPv4.
    V4,
    /// IPv6.
    V6,
}

impl Family {
    /// Returns `true` if `address` is of this family.
    pub(crate) fn takes(self, address: IpAddr) -> bool {
        match self {
            Self::Any => true,
            Self::V4 => address.is_ipv4(),
            Self::V6 => address.is_ipv6(),
        }
    }

    /// Returns the noun for an address of this family.
    pub(crate) fn noun(self) -> &'static str {
        match self {
            Self::Any => "an IP address",
            Self::V4 => "an IPv4 address",
            Self::V6 => "an IPv6 address",
        }
    }
}
