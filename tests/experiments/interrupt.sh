#!/usr/bin/env bash
# Signals while a run trains and while it measures: interrupt.sh TRAIN_DIFFSIAM FOLDER
set -euo pipefail
set -m  # programs in the background heed Ctrl-C, too
diffsiam=$1 folder=$2
rm -rf "$folder"
mkdir -p "$folder"

trap 'kill -KILL $(jobs -p) 2>/dev/null || true' EXIT  # no program outlives a failure
fail() { printf '%s\n' "$@" >&2; exit 1; }
# until_true PROCESS COMMAND...: waits as long as the process runs.
until_true() {
  local process=$1
  shift
  until "$@"; do
    kill -0 "$process" 2>/dev/null || fail "it ended before this was true: $*" "$(tail -n 20 "$folder"/*.log)"
    sleep 0.1
  done
}
# await PROCESS: leaves its exit status in $status.
await() { status=0; wait "$1" || status=$?; }
steps_done() { (($(wc -l <"$1/denoiser.metrics.jsonl") > $2)); } 2>/dev/null

# Ctrl-C and SIGTERM stop at the next step, save, and say how to resume; the status tells which it was.
for signal in INT TERM; do
  out=$folder/$signal
  small=(--pictures 400 --siamese-batch 40 --base 8 --threads 1 --out "$out")
  long=("${small[@]}" --denoiser-steps 100000)
  "$diffsiam" "${long[@]}" >"$folder/first.log" 2>&1 &
  run=$!
  until_true $run test -s "$out/denoiser.metrics.jsonl"
  kill -$signal $run
  await $run
  [[ $status == $((128 + $(kill -l $signal))) ]] || fail "SIG$signal: exit status $status" "$(cat "$folder/first.log")"
  grep -q '^train_diffsiam: .*saved to .*denoiser.checkpoint.safetensors; go on with --resume' "$folder/first.log" ||
    fail "SIG$signal: it does not say how to resume:" "$(cat "$folder/first.log")"
  steps=$(wc -l <"$out/denoiser.metrics.jsonl")

  # Another number of steps is another run: refused, and what was saved stays as it was.
  before=$(sha256sum "$out"/*)
  ! "$diffsiam" "${small[@]}" --denoiser-steps $((steps + 2)) --resume >"$folder/refused.log" 2>&1 ||
    fail "resuming with other settings was not refused"
  grep -q denoiser_steps "$folder/refused.log" || fail "$(cat "$folder/refused.log")"
  [[ $before == "$(sha256sum "$out"/*)" ]] || fail "a refused run changed its folder"

  # The same settings go on where it stopped.
  "$diffsiam" "${long[@]}" --resume >"$folder/second.log" 2>&1 &
  run=$!
  until_true $run steps_done "$out" $((steps + 2))
  kill -$signal $run
  wait $run || true
  [[ $(sed -n "$((steps + 1))p" "$out/denoiser.metrics.jsonl") == "{\"step\":$((steps + 1)),"* ]] ||
    fail "SIG$signal: the resumed run did not go on with step $((steps + 1))"
done

# While it measures there is nothing to save, and Ctrl-C ends the program at once; --resume measures again.
out=$folder/measuring
"$diffsiam" --pictures 20000 --base 8 --denoiser-steps 1 --steps 1 --siamese-batch 8 --threads 1 --out "$out" \
  >"$folder/measuring.log" 2>&1 &
run=$!
until_true $run grep -q 'measuring: features' "$folder/measuring.log"
kill -INT $run
for _ in $(seq 20); do
  kill -0 $run 2>/dev/null || break
  sleep 0.1
done
! kill -0 $run 2>/dev/null || { kill -9 $run; fail "Ctrl-C while measuring was not heeded"; }
await $run
[[ $status == 130 ]] || fail "Ctrl-C while measuring: exit status $status"
[[ -s $out/diffsiam.safetensors && ! -e $out/result.json ]] || fail "the trained weights are not there, or the run passes for finished"
