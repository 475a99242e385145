//! Runs every example as a test.

mod read_a_list;
mod sign_and_verify;

#[test]
fn every_example_runs() -> Result<(), Box<dyn std::error::Error>> {
    sign_and_verify::main()?;
    read_a_list::main()
}
