//! Tells the program which commit, compiler and target it was made of, for the heads of its reports.

use std::process::Command;

fn main() {
    // Without the lock `status` leaves the index as it is; refreshed, it would have this run again at the next build.
    let git = |arguments: &[&str]| first_line(Command::new("git").arg("--no-optional-locks").args(arguments));
    let mut commit = git(&["rev-parse", "--short=12", "HEAD"]);
    if commit != "unknown" && !git(&["status", "--porcelain", "--untracked-files=no"]).is_empty() {
        commit.push_str("-changed");
    }
    let compiler = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
    let compiler = first_line(Command::new(compiler).arg("--version"));
    let target = std::env::var("TARGET").unwrap_or_else(|_| "unknown".to_owned());
    println!("cargo::rustc-env=STARFISH_SIM_COMMIT={commit}");
    println!("cargo::rustc-env=STARFISH_SIM_COMPILER={compiler}");
    println!("cargo::rustc-env=STARFISH_SIM_TARGET={target}");
    for file in ["../.git/HEAD", "../.git/index", "Cargo.lock"] {
        println!("cargo::rerun-if-changed={file}");
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
