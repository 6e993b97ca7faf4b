#!/usr/bin/env bash
# Interrupts a run of train_denoiser and resumes it: interrupt.sh PROGRAM FOLDER
set -euo pipefail
program=$1 folder=$2
rm -rf "$folder"
mkdir -p "$folder"

"$program" --steps 100000 --base 8 --batch 4 --threads 1 --out "$folder" >"$folder/first.log" 2>&1 &
run=$!
for _ in $(seq 600); do
  [[ -s $folder/denoiser.metrics.jsonl ]] && break
  sleep 0.1
done
kill -INT $run
status=0
wait $run || status=$?

if [[ $status != 130 ]] || ! grep -q 'saved to .*denoiser.checkpoint.safetensors; go on with --resume' "$folder/first.log"; then
  echo "expected exit status 130 and how to resume, got $status and:" >&2
  cat "$folder/first.log" >&2
  exit 1
fi
steps=$(wc -l <"$folder/denoiser.metrics.jsonl")

# Another number of steps is another run: refused, and the checkpoint stays as it was.
before=$(sha256sum "$folder/denoiser.checkpoint.safetensors")
if "$program" --steps $((steps + 2)) --base 8 --batch 4 --resume --out "$folder" >"$folder/refused.log" 2>&1; then
  echo "resuming with other settings was not refused" >&2
  exit 1
fi
grep -q denoiser_steps "$folder/refused.log"
[[ $before == "$(sha256sum "$folder/denoiser.checkpoint.safetensors")" ]]

# The same settings go on where it stopped.
"$program" --steps 100000 --base 8 --batch 4 --resume --out "$folder" >"$folder/second.log" 2>&1 &
run=$!
for _ in $(seq 600); do
  (($(wc -l <"$folder/denoiser.metrics.jsonl") > steps + 2)) && break
  sleep 0.1
done
kill -INT $run
wait $run || true
[[ $(sed -n "$((steps + 1))p" "$folder/denoiser.metrics.jsonl") == "{\"step\":$((steps + 1)),"* ]]
