//! Makes the page that `ws` serves a part of the program.
//!
//! 1. What web/ has is hashed. A page that was built from the same is taken from the target folder,
//!    whatever the profile: a build that didn't change the page runs no npm.
//! 2. Otherwise web/ is copied there, `npm ci` and `npm run build` are run on the copy, and the result
//!    is compressed ([`bundle`]). The source tree stays as it is. `EF_WEB_DIST` names a page that was
//!    built elsewhere, for those who package.
//! 3. The files go to `OUT_DIR`, with a list of them in Rust ([`embed`]).
//!
//! Whatever fails on the way, the build goes on without the page, and says so.

#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a build script is told by its environment and tells cargo by printing"
)]

mod bundle;
mod embed;

use std::path::{Path, PathBuf};
use std::{env, fs};

/// Why something didn't work.
type Failure = String;

fn main() {
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
    let web = root.join("../../web");
    println!("cargo:rerun-if-changed=build");
    println!("cargo:rerun-if-env-changed=EF_WEB_DIST");
    for source in bundle::SOURCES {
        println!("cargo:rerun-if-changed={}", web.join(source).display());
    }
    let dist = match env::var_os("EF_WEB_DIST") {
        Some(dist) if !dist.is_empty() => {
            println!("cargo:rerun-if-changed={}", Path::new(&dist).display());
            Ok(PathBuf::from(dist))
        }
        _ => bundle::dist(&web, &cache(&out)),
    };
    let page = dist.and_then(|dist| embed::page(&dist, &web.join("csp.txt"), &out.join("page")));
    let code = page.unwrap_or_else(|failure| {
        let again = "to try again, touch web/package.json";
        println!("cargo:warning=built without the page of `ws`: {failure}; {again}");
        format!("pub(super) static BUILT: Result<Built, &str> = Err({failure:?});\n")
    });
    fs::write(out.join("page.rs"), code).expect("OUT_DIR can be written to");
}

/// A folder that all profiles share, which goes with the target folder. Cargo marks that one if it has made it;
/// if another program has made it, each profile has a folder, next to the page.
fn cache(out: &Path) -> PathBuf {
    let target = out.ancestors().find(|folder| folder.join("CACHEDIR.TAG").is_file());
    target.map_or_else(|| out.join("made"), |target| target.join("page"))
}
