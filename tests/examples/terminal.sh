#!/usr/bin/env bash
# On a terminal the progress line keeps to its width: terminal.sh TRAIN_DENOISER FOLDER
set -euo pipefail
program=$(realpath "$1") folder=$2
if ! command -v script >/dev/null; then
  echo "script (Debian: bsdutils) is missing"
  exit 77
fi
if ! script -qec true /dev/null </dev/null >/dev/null 2>&1; then
  echo "this machine gives no pseudo-terminal (is /dev/pts mounted?)"
  exit 77
fi
rm -rf "$folder"
mkdir -p "$folder"
columns=60
script -qec "stty cols $columns; '$program' --steps 20 --base 8 --batch 4 --threads 1 --out '$folder/run'" \
  "$folder/typescript" </dev/null >/dev/null
# Each renewal of a line begins with a carriage return and "erase to the end".
widest=$(tr '\r' '\n' <"$folder/typescript" | sed -n 's/^\x1b\[K//p' | LC_ALL=C.UTF-8 wc -L)
if ((widest == 0 || widest >= columns)); then
  echo "a progress line of $widest columns on a terminal of $columns" >&2
  exit 1
fi
