#!/usr/bin/env bash
# What stands in a folder stays as it is unless the run goes on with it or was told to overwrite it:
# refused_runs.sh TRAIN_DENOISER FOLDER
set -euo pipefail
denoiser=$1 folder=$2
source "$(dirname "${BASH_SOURCE[0]}")/../support/refused.sh"
rm -rf "$folder"
mkdir -p "$folder"

# A finished run draws samples, which takes most of its time: these are killed once two steps are done.
two_steps() {
  "$denoiser" "$@" >/dev/null &
  until [[ ! -e $run/samples.png ]] && (($(wc -l <"$run/denoiser.metrics.jsonl") >= 2)); do
    kill -0 $! || break
    sleep 0.05
  done 2>/dev/null
  kill -9 $! 2>/dev/null || true
  wait $! 2>/dev/null || true
}

# A run of train_denoiser: nothing to resume, finished, another one in its place.
run=$folder/denoiser
narrow=(--base 8 --batch 4 --threads 1 --out "$run")
small=("${narrow[@]}" --steps 2)
refused "--resume: expected a run in" "$folder" "$denoiser" "${small[@]}" --resume
"$denoiser" "${small[@]}" >/dev/null
refused "a finished run" "$run" "$denoiser" "${small[@]}"
refused "steps = 2" "$run" "$denoiser" "${narrow[@]}" --steps 3 --resume
refused "base = 8" "$run" "$denoiser" --base 16 --batch 4 --steps 2 --out "$run" --resume
before=$(state "$run")
"$denoiser" "${small[@]}" --resume | grep -q "finished already: .*samples.png" || fail "resuming a finished run said nothing of it"
[[ $before == "$(state "$run")" ]] || fail "resuming a finished run changed it"

# Killed before its first checkpoint: it begins at the start. Killed later: unfinished.
rm "$run"/samples.png "$run"/denoiser.*
refused "an unfinished run" "$run" "$denoiser" "${small[@]}"
two_steps "${small[@]}" --resume
[[ $(wc -l <"$run/denoiser.metrics.jsonl") == 2 ]] || fail "a run without a checkpoint did not begin at the start"

# --overwrite leaves nothing of the old run, and nothing else is touched.
echo mine >"$run/notes.txt"
touch "$run/samples.png" "$run/denoiser.safetensors"
sed -i 1d "$run/denoiser.metrics.jsonl"
two_steps "${narrow[@]}" --steps 100 --overwrite
[[ $(head -c 10 "$run/denoiser.metrics.jsonl") == '{"step":1,' && ! -e $run/samples.png && ! -e $run/denoiser.safetensors && $(cat "$run/notes.txt") == mine ]] || fail "--overwrite did not begin anew"
refused "to resume or to overwrite" "$run" "$denoiser" "${small[@]}" --overwrite --resume
