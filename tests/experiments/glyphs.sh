#!/usr/bin/env bash
# A method on pictures of glyphs: all measures are there, any number of threads gives the same ones, and fonts that are
# missing are named: glyphs.sh COMPARE_METHODS FOLDER
set -euo pipefail
compare=$1 folder=$2
fail() { echo "glyphs.sh: $*" >&2; exit 1; }
rm -rf "$folder"
mkdir -p "$folder/fonts/train"
ln -s /usr/share/fonts/truetype/liberation2/Liberation{Sans,Serif}-*.ttf "$folder/fonts/train"
ln -s train "$folder/fonts/validation"
ln -s train "$folder/fonts/test"

run() {
  "$compare" --data glyphs --fonts "$1" --method pca --pictures 400 --denoiser-steps 1 --threads "$2" \
    --runs "$folder/runs$2" --weights "$folder/weights" --results "$folder/results$2.jsonl"
}
run "$folder/fonts" 1 >/dev/null
run "$folder/fonts" 2 >/dev/null
values() { grep -v -e peak_bytes -e training_processor_seconds "$1" | sed 's/,"seconds":[^,}]*//'; }
[[ $(values "$folder/results1.jsonl") == "$(values "$folder/results2.jsonl")" ]] || fail "threads change the measures"
for measure in linear_probe.bold linear_probe_1_percent linear_probe_10_percent mean_average_precision mig; do
  grep -q "\"measure\":\"$measure\"" "$folder/results1.jsonl" || fail "no $measure"
done

mkdir "$folder/empty"
if said=$(run "$folder/empty" 3 2>&1); then fail "a folder without fonts was taken"; fi
[[ $said == *"--fonts: expected files *.ttf or *.otf in '$folder/empty/train', got none"* ]] || fail "said: $said"
