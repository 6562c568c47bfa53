//! A descriptor that parses is shown so that it parses to the same value again, alone and in braces.

#![no_main]

use descriptor::{Descriptor, Syntax, Text};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|typed: &str| {
    let Ok(first) = Descriptor::parse(&Text::typed(typed), Syntax::Extended) else { return };
    let shown = first.to_string();
    let again = Descriptor::parse(&Text::typed(&shown), Syntax::Extended);
    assert_eq!(again.as_ref(), Ok(&first), "{shown}");
    assert_eq!(Descriptor::parse(&first.to_text(), Syntax::Extended), Ok(first));
    let outer = Descriptor::parse(&Text::typed(&format!("x:{{{shown}}}")), Syntax::Extended);
    assert_eq!(outer.map(|outer| outer.args[1].to_string()), Ok(shown));
});
