#!/usr/bin/env bash
# Two processes of the main job learn the same, bit for bit, as one with the same pieces: ranks.sh MPIRUN TRAIN_DIFFSIAM FOLDER
# Both runs end when they have trained: measures are the same for all.
set -euo pipefail
mpirun=$1 diffsiam=$2 folder=$3
rm -rf "$folder"
mkdir -p "$folder"

trap 'kill -KILL $(jobs -p) 2>/dev/null || true' EXIT  # no program outlives a failure
fail() { printf '%s\n' "$@" >&2; exit 1; }
# train NAME COMMAND...: until the second stage has its weights.
train() {
  local out=$folder/$1
  "${@:2}" --pictures 400 --base 8 --denoiser-steps 3 --steps 3 --denoiser-batch 8 --batch 8 --siamese-batch 8 --threads 1 \
    --pieces 2 --out "$out" >"$folder/$1.log" 2>&1 &
  local run=$!
  until [[ -s $out/diffsiam.safetensors ]]; do
    kill -0 $run 2>/dev/null || fail "$1 has ended too early:" "$(cat "$folder/$1.log")"
    sleep 0.1
  done
  kill -TERM $run
  wait $run || true
}
train one "$diffsiam"
train two "$mpirun" --allow-run-as-root --oversubscribe -n 2 "$diffsiam"

for file in denoiser.safetensors denoiser.checkpoint.safetensors diffsiam.safetensors diffsiam.checkpoint.safetensors; do
  cmp "$folder/one/$file" "$folder/two/$file" || fail "$file differs"
done
[[ $(grep -c 'run quick in' "$folder/two.log") == 1 ]] || fail "not one process speaks:" "$(cat "$folder/two.log")"

# More ranks than pieces cannot be: said once, and what to do.
! "$mpirun" --allow-run-as-root --oversubscribe -n 3 "$diffsiam" --pieces 2 --pictures 400 --siamese-batch 8 --base 8 --threads 1 \
  --out "$folder/three" >"$folder/three.log" 2>&1 || fail "three ranks with two pieces were not refused"
grep -q 'at least one piece of a batch for each of 3 ranks' "$folder/three.log" || fail "$(cat "$folder/three.log")"
