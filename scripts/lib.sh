# Shared by the scripts of this folder: source it after `set -euo pipefail`.
# shellcheck shell=bash

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# Another clone of the project may use what this one compiled.
export CCACHE_BASEDIR=$root CCACHE_NOHASHDIR=1

say() { printf '== %s\n' "$*"; }
die() { printf '%s: %s\n' "${0##*/}" "$*" >&2; exit 2; }

# Prints the comment at the head of the calling script, for --help.
usage() { sed -n '2,/^$/s/^# \{0,1\}//p' "$0"; }

# Prints the calling script's name and the library's version, for --version.
version() {
  printf '%s ' "${0##*/}"
  sed -n 's/^#define DIFFSIAM_VERSION_[A-Z]* //p' "$root/include/diffsiam/config.hpp" | paste -sd.
}

# Ends the calling script, which has no options of its own, where it was given one: no_options "$@".
no_options() {
  (($#)) || return 0
  case $1 in
    -h | --help) usage; exit ;;
    --version) version; exit ;;
    *) die "unknown option $1 (see --help)" ;;
  esac
}

# What every build needs, and what the suite needs on top (Debian's names).
build_packages=(g++ cmake ninja-build libeigen3-dev libpng-dev zlib1g-dev nlohmann-json3-dev libcli11-dev
  libjpeg-dev libexif-dev libwebp-dev libhnswlib-dev)
test_packages=(catch2 libdnnl-dev librandom123-dev libzip-dev liblmdb-dev python3-minimal pkg-config libopenmpi-dev openmpi-bin clang-format-19 clang-tidy-19 dataset-fashion-mnist
  libfreetype-dev fonts-dejavu-core fonts-liberation2)
# What the data set glyphs of the experiments is drawn with.
glyph_packages=(libfreetype-dev fonts-dejavu-core fonts-dejavu-extra fonts-liberation2 fonts-freefont-ttf fonts-open-sans
  fonts-crosextra-caladea fonts-paratype)

# Installs the named Debian packages that are not there yet; says so, and says what to do where it cannot.
install_missing() {
  local package missing=() as_root=()
  if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
    say "not a Debian system: taking for granted what the packages $* hold"
    return
  fi
  for package in "$@"; do
    dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || missing+=("$package")
  done
  ((${#missing[@]})) || return 0

  if ((EUID != 0)); then
    command -v sudo >/dev/null || die "missing: ${missing[*]}. Run as root: apt-get install ${missing[*]}"
    as_root=(sudo)
  fi
  local log=${root}/build/install.log
  mkdir -p "${log%/*}"
  say "installing ${missing[*]}"
  local apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -o Dpkg::Use-Pty=0)
  "${apt[@]}" update >"$log" 2>&1 || say "apt-get update failed; trying with the lists that are here"
  if ! "${apt[@]}" install -y --no-install-recommends "${missing[@]}" >>"$log" 2>&1; then
    tail -n 20 "$log" >&2
    die "could not install: ${missing[*]} (the whole log: $log)"
  fi
}

# How many compilers at once: one a core, and no more than memory carries (about 1.5 GB each).
build_jobs() {
  local cores gigabytes
  cores=${DIFFSIAM_JOBS:-$(nproc)}
  gigabytes=$(awk '/^MemAvailable:/ { print int($2 / 1500000) }' /proc/meminfo)
  ((gigabytes >= 1)) || gigabytes=1
  echo $((cores < gigabytes ? cores : gigabytes))
}

# configure PRESET [cmake options...]: configures build/PRESET, quietly when all is well.
configure() {
  local preset=$1 log
  shift
  mkdir -p "$root/build"
  log=$root/build/configure-$preset.log
  say "configuring build/$preset"
  if ! (cd "$root" && cmake --preset "$preset" "$@") >"$log" 2>&1; then
    cat "$log" >&2
    die "configuring failed"
  fi
  grep -E '^-- (diffsiam|tests|examples|experiments|benchmarks)' "$log" || true
}

# build PRESET TARGET...: builds the targets in build/PRESET.
build() {
  local preset=$1
  shift
  say "building $* in build/$preset"
  cmake --build "$root/build/$preset" --parallel "$(build_jobs)" --target "$@"
}

# The value of an option, or a clear end: `value "$@"` where $1 is the option.
value() { (($# >= 2)) || die "$1 wants a value"; printf '%s' "$2"; }

# The same of an option that is a whole number from LEAST to MOST: whole_number LEAST MOST "$@".
whole_number() {
  local least=$1 most=$2 given
  shift 2
  given=$(value "$@")
  if [[ ! $given =~ ^[0-9]{1,18}$ ]] || ((10#$given < least || 10#$given > most)); then
    die "$1: expected a whole number in [$least, $most], got '$given'"
  fi
  printf '%s' "$((10#$given))"
}

# The same of an option that is one of some words: one_of "WORD WORD ..." "$@".
one_of() {
  local words=$1 given
  shift
  given=$(value "$@")
  [[ $given != *' '* && " $words " == *" $given "* ]] || die "$1: expected one of: $words; got '$given'"
  printf '%s' "$given"
}
