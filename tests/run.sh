#!/usr/bin/env bash
# The test command: installs what it needs and runs everything. It takes a machine with Rust to a verdict; on two cores from
# nothing is about half an hour, most of it compiling, and 6 GB of disk.
#
#   bash tests/run.sh
#
# STARFISH_ROUNDS=100 raises the rounds of kill -9 from 10 to the full number.
set -euo pipefail
cd "$(dirname "$0")/.."

# One target folder for everything below: the same libp2p is compiled once.
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$PWD/target}"
# Nothing is compiled twice here, so what only a second build would use need not take room.
export CARGO_INCREMENTAL="${CARGO_INCREMENTAL:-0}"
export CARGO_TERM_COLOR="${CARGO_TERM_COLOR:-auto}"
began=$SECONDS

step() {
    printf '\n==> [%4d s] %s\n' "$((SECONDS - began))" "$*"
}

fail() {
    echo "tests/run.sh: $*" >&2
    exit 1
}

# As root directly, else through sudo where there is one.
as_root() {
    if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}

# need COMMAND PACKAGE...: installs Debian packages unless the command is there already.
need() {
    local command=$1
    shift
    command -v "$command" >/dev/null 2>&1 && return 0
    step "install $*"
    command -v apt-get >/dev/null 2>&1 || fail "$command is missing and this is no Debian; install it and try again"
    as_root apt-get update -q
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$@"
}

command -v cargo >/dev/null 2>&1 || fail "Rust 1.88 or newer is needed first (rustup or Debian's cargo)"
need cc build-essential
need make build-essential
need node nodejs
need npm npm
need shellcheck shellcheck
node -e 'process.exit(Number(process.versions.node.split(".")[0]) >= 20 ? 0 : 1)' \
    || fail "js-libp2p needs node 20 or newer, this is $(node --version)"
cargo fmt --version >/dev/null 2>&1 || rustup component add rustfmt
cargo clippy --version >/dev/null 2>&1 || rustup component add clippy

step "shell scripts"
shellcheck tests/run.sh .ci/run

step "format"
cargo fmt --all --check

step "the mesh layer, without the daemon"
cargo check --locked -p starfish-node --no-default-features

step "lints"
cargo clippy --locked --workspace --all-targets -- -D warnings

step "the starfish program"
cargo build --locked -p starfish-node --bin starfish
export STARFISH_BIN="$CARGO_TARGET_DIR/debug/starfish"

step "js-libp2p, in a throw-away folder"
STARFISH_JS_PEER=$(mktemp -d)
export STARFISH_JS_PEER
trap 'rm -rf "$STARFISH_JS_PEER"' EXIT
cp tests/jspeer/package.json tests/jspeer/package-lock.json tests/jspeer/peer.mjs "$STARFISH_JS_PEER/"
npm ci --prefix "$STARFISH_JS_PEER" --no-audit --no-fund --ignore-scripts --loglevel=error

# cargo-nextest runs each test in a process of its own and knows the groups of .config/nextest.toml; without it cargo
# runs the same tests, the real-process ones still one after another because of the lock in tests/stage/nodes.rs.
# The fuzz targets run on their corpus here too (tests/fuzzing).
step "tests"
if cargo nextest --version >/dev/null 2>&1; then
    cargo nextest run --locked --workspace
else
    cargo test --locked --workspace --lib --bins --tests
fi

step "documentation tests"
cargo test --locked --workspace --doc

# A workspace of its own (its timers are patched). Each of its worlds runs in a process of its own by itself.
step "the simulator: format and lints"
(cd simulations && cargo fmt --all --check && cargo clippy --locked --workspace --all-targets -- -D warnings)

step "the simulator: worlds"
if cargo nextest --version >/dev/null 2>&1; then
    (cd simulations && cargo nextest run --locked --workspace)
else
    (cd simulations && cargo test --locked --workspace --lib --bins --tests)
fi

step "all of it passed"
