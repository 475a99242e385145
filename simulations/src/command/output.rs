//! The one place that writes to the terminal: [`say`] and [`say_json`] to the standard output, [`warn`] to the standard error.

use std::io::{ErrorKind, Write};

use serde::Serialize;

use super::Trouble;

/// Tells what came out. Whoever reads it may leave at any time, as `head` does: nobody is told the rest, and the work goes on.
pub(super) fn say(text: &str) -> Result<(), Trouble> {
    tell(&mut std::io::stdout().lock(), text)
}

/// The same, for programs.
pub(super) fn say_json(document: &impl Serialize) -> Result<(), Trouble> {
    let text = serde_json::to_string_pretty(document).expect("everything that is told is a document");
    say(&(text + "\n"))
}

/// Tells what went wrong. When that fails too, the exit code is all that can be said.
pub(super) fn warn(text: &str) {
    drop(std::io::stderr().lock().write_all(text.as_bytes()));
}

fn tell(out: &mut impl Write, text: &str) -> Result<(), Trouble> {
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(Trouble::File("standard output".to_owned(), error)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    struct Broken(ErrorKind);

    impl Write for Broken {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(self.0.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn readers_may_leave_and_disks_may_not_be_full() {
        assert!(tell(&mut Vec::new(), "text").is_ok());
        assert!(tell(&mut Broken(ErrorKind::BrokenPipe), "text").is_ok());
        let told = tell(&mut Broken(ErrorKind::StorageFull), "text").expect_err("a full disk");
        assert_eq!(told.exit(), super::super::Exit::Failed);
    }
}
