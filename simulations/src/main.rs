//! The simulator's command line.

fn main() -> std::process::ExitCode {
    starfish_sim::command::main()
}
