#!/usr/bin/env bash
# Ctrl-C while an example trains: it saves, says where, and goes on when it is resumed: ctrl_c.sh TRAIN_DENOISER FOLDER
set -euo pipefail
set -m  # programs in the background heed Ctrl-C, too
denoiser=$1 folder=$2 out=$2/run
rm -rf "$folder"
mkdir -p "$folder"
trap 'kill -KILL $(jobs -p) 2>/dev/null || true' EXIT

fail() { printf '%s\n' "$@" >&2; exit 1; }
# interrupted OPTION...: once a step is done.
interrupted() {
  local before=$1 status=0
  shift
  "$denoiser" --base 8 --batch 4 --threads 1 --steps 100000 --out "$out" "$@" >"$folder/log" 2>&1 &
  until (($(wc -l <"$out/denoiser.metrics.jsonl") > before)) || ! kill -0 $!; do sleep 0.1; done 2>/dev/null
  kill -INT $!
  wait $! || status=$?
  [[ $status == 1 ]] || fail "exit status $status" "$(cat "$folder/log")"
  grep -q '^train_denoiser: .*saved to .*denoiser.checkpoint.safetensors' "$folder/log" || fail "$(cat "$folder/log")"
}
interrupted 0
steps=$(wc -l <"$out/denoiser.metrics.jsonl")
interrupted "$steps" --resume
[[ $(sed -n "$((steps + 1))p" "$out/denoiser.metrics.jsonl") == "{\"step\":$((steps + 1)),"* ]] ||
  fail "the resumed run did not go on with step $((steps + 1))"
