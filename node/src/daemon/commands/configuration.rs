//! `check-config`.

use serde::Serialize;

use super::Console;
use crate::daemon::{
    exit::{Exit, Failure},
    folder,
    identity::Identity,
    report::{GOOD, Plain, WARN, counted, styled},
    settings::{self, Layers, mistakes::Mistake},
};

/// Every mistake, and how many there are.
#[derive(Debug, Serialize)]
struct Checked {
    file: String,
    mistakes: Vec<Mistake>,
}

impl Plain for Checked {
    fn plain(&self) -> Vec<String> {
        if self.mistakes.is_empty() {
            return vec![styled(GOOD, &format!("{}: no mistakes", self.file))];
        }
        let mut lines = vec![styled(
            WARN,
            &format!("{}: {}", self.file, counted(self.mistakes.len(), "mistake")),
        )];
        lines.extend(self.mistakes.iter().map(ToString::to_string));
        lines
    }
}

pub(super) fn check(console: &Console) -> Result<Exit, Failure> {
    let path = console.data.join(settings::FILE);
    let layers = Layers::of_process(Vec::new());
    let mut mistakes = match std::fs::read_to_string(&path) {
        Ok(text) => settings::mistakes::all(&text, &layers),
        Err(_) => settings::load(&console.data, &layers).err().unwrap_or_default(),
    };
    // A folder that is not there is a mistake above already.
    if console.data.exists()
        && let Err(failure) = folder::check(&console.data)
    {
        mistakes.push(of_folder(failure));
    }
    // The file alone may be right, and not be that of this node.
    if mistakes.is_empty()
        && let Ok(settings) = settings::load(&console.data, &layers)
        && let Err(failure) = Identity::load(&console.data, settings.community)
    {
        mistakes.push(Mistake {
            line: None,
            key: "node.community".to_owned(),
            problem: failure.message,
            remedy: "a node stays in the mesh that its certificates name; `starfish init` makes one for another"
                .to_owned(),
        });
    }
    let exit = if mistakes.is_empty() {
        Exit::Done
    } else {
        Exit::Configuration
    };
    console.report.show(&Checked {
        file: path.display().to_string(),
        mistakes,
    })?;
    Ok(exit)
}

fn of_folder(failure: Failure) -> Mistake {
    Mistake {
        line: None,
        key: "data directory".to_owned(),
        problem: failure.message,
        remedy: "the node does not start before that is done".to_owned(),
    }
}
