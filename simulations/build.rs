//! Tells the program which commit, compiler, target and profile it was made of, for the heads of its reports.

use std::process::Command;

/// What the program is made of: a change of it is one of the commit's tree.
const SOURCES: [&str; 9] = [
    "src",
    "kernel",
    "futures-timer",
    "../node/src",
    "../protocol/src",
    "../crypto/src",
    "data",
    "build.rs",
    "Cargo.lock",
];

fn main() {
    // Without the lock `status` leaves the index as it is; refreshed, it would have this run again at the next build.
    let git = |arguments: &[&str]| first_line(Command::new("git").arg("--no-optional-locks").args(arguments));
    let mut commit = git(&["rev-parse", "--short=12", "HEAD"]);
    if commit != "unknown" && !git(&["status", "--porcelain", "--untracked-files=no"]).is_empty() {
        commit.push_str("-changed");
    }
    let compiler = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
    let compiler = first_line(Command::new(compiler).arg("--version"));
    let told = |name: &str| std::env::var(name).unwrap_or_else(|_| "unknown".to_owned());
    let (target, profile) = (told("TARGET"), told("PROFILE"));
    println!("cargo::rustc-env=STARFISH_SIM_COMMIT={commit}");
    println!("cargo::rustc-env=STARFISH_SIM_COMPILER={compiler}");
    println!("cargo::rustc-env=STARFISH_SIM_TARGET={target}");
    println!("cargo::rustc-env=STARFISH_SIM_PROFILE={profile}");
    // Of a worktree they are elsewhere, and a file that is not there would have this run at every build.
    let state = ["HEAD", "index"].map(|file| git(&["rev-parse", "--git-path", file]));
    let known = state.iter().map(String::as_str).filter(|file| *file != "unknown");
    for path in known.chain(SOURCES) {
        println!("cargo::rerun-if-changed={path}");
    }
}

fn first_line(command: &mut Command) -> String {
    let said = command.output().ok().filter(|output| output.status.success());
    let text = said.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    text.map_or_else(
        || "unknown".to_owned(),
        |text| text.lines().next().unwrap_or_default().to_owned(),
    )
}
