//! Tests of real processes: each starts `starfish` daemons in temporary folders, drives them by the command line alone, and
//! kills them as hard as it likes. The program comes from `STARFISH_BIN`; `bash tests/run.sh` builds and exports it.

mod green;
mod hostile;
mod js_peer;
mod kill;
mod lessons;
mod pairing;
mod partition;
mod restore;
mod revocation;
mod spread;
