# shellcheck shell=bash disable=SC2154  # the variables are of ./dev
# Part of ./dev: style, types, shape and tests.

style() {
  "$python" -m ruff format --check . && "$python" -m ruff check . && .venv/bin/typos &&
    git grep -lE '^#!.*sh$' -- dev .ci deploy | xargs .venv/bin/shellcheck -x
}
types() { "$python" -m mypy; }
shape() {
  lock_is_fresh && .venv/bin/lint-imports && .venv/bin/deptry . && .venv/bin/vulture &&
    .venv/bin/interrogate -q core orchestrator scoring api
}
unit() { pytest tests/unit -n auto; }

# Most of them wait, so four files, or shipped scenarios, at a time (tests/conftest.py).
engine_tests() {
  POLIGON_REQUIRE_ENGINE=1 pytest tests/contracts tests/integration tests/e2e tests/security \
    -n 4 --dist loadfile
}

pytest() { # ARG…: a skipped test is a failure
  local report=$state/junit-${1//\//-}.xml
  "$python" -m pytest --junitxml="$report" "$@"
  [[ $(grep -o 'skipped="[0-9]*"' "$report" | head -n 1) == 'skipped="0"' ]] ||
    die "tests were skipped (above); nothing may be"
}

# Each in its own process group, so that an interrupt ends what it started.
side_by_side() { # FUNCTION…: the output only of those that fail
  local name failed=() began=$SECONDS
  declare -A jobs=()
  set -m
  for name in "$@"; do
    ("$name") >"$state/$name.log" 2>&1 </dev/null &
    jobs[$name]=$!
  done
  set +m
  # shellcheck disable=SC2064  # the ids of now
  trap "kill -- ${jobs[*]/#/-} 2>/dev/null; exit 130" INT TERM
  for name in "$@"; do
    if wait "${jobs[$name]}"; then
      say "$name: ok ($((SECONDS - began)) s)"
    else
      cat "$state/$name.log"
      say "$name: failed ($((SECONDS - began)) s)"
      failed+=("$name")
    fi
  done
  trap - INT TERM
  ((${#failed[@]} == 0)) || die "failed: ${failed[*]}"
}

# The lock's first line names the dependencies that it was made from.
dependencies_digest() {
  "$python" - "$root/pyproject.toml" <<'TEXT'
import hashlib, sys, tomllib
project = tomllib.load(open(sys.argv[1], "rb"))
wanted = project["project"]
parts = wanted["requires-python"], wanted["dependencies"], project["dependency-groups"]
print("# made from the dependencies in pyproject.toml:", hashlib.sha256(repr(parts).encode()).hexdigest())
TEXT
}

lock_is_fresh() {
  local lock
  for lock in "$root"/requirements{,-dev}.lock; do
    [[ $(head -n 1 "$lock") == "$(dependencies_digest)" ]] ||
      die "${lock##*/} is older than the dependencies in pyproject.toml; run ./dev lock"
  done
}

make_lock() { # LOCK UV_ARG…: versions stay as they are where they can
  local lock=$1
  shift
  "$python" -m uv pip compile --quiet --universal --generate-hashes --no-annotate --no-header \
    --python-version 3.11 --output-file "$lock" "$@" "$root/pyproject.toml"
  { dependencies_digest && cat "$lock"; } >"$state/lock.made"
  mv "$state/lock.made" "$lock"
}
