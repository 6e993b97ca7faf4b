# Shared by tests of runs that are refused: source it with $folder set, where runs stand.
# shellcheck shell=bash disable=SC2154

fail() { printf '%s\n' "$@" >&2; exit 1; }
state() { (cd "$1" && find . -type f -exec sha256sum {} + | sort; find . -printf '%p %T@\n' | sort); }

# refused WORDS FOLDER COMMAND...: fails with WORDS and leaves the folder, times of files included, as it is.
refused() {
  local words=$1 where=$2 before
  shift 2
  before=$(state "$where")
  ! "$@" >"$folder.log" 2>&1 || fail "not refused: $*"
  grep -qF -- "$words" "$folder.log" || fail "$*: expected '$words', got:" "$(cat "$folder.log")"
  [[ $before == "$(state "$where")" ]] || fail "refused, but changed $where: $*"
}
