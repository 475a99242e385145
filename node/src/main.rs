//! The program. Everything it does is in the library, so that tests and examples reach the same code.

fn main() -> std::process::ExitCode {
    starfish_node::daemon::main()
}
