#!/usr/bin/env bash
# Bad options and settings are refused before anything is read or written, in one line that begins with the
# program's name and says which option, what it may be and what came: bad_options.sh BUILD SCRIPTS FOLDER
set -euo pipefail
build=$(realpath "$1") scripts=$(realpath "$2") folder=$3
rm -rf "$folder"
mkdir -p "$folder"
folder=$(realpath "$folder")
cd "$folder"
bad=0

# Prints where a program or script is.
path_of() {
  local folder
  for folder in "$build"/{examples,experiments,benchmarks} "$scripts"; do
    [[ ! -f $folder/$1 || ! -x $folder/$1 ]] || { printf '%s' "$folder/$1"; return; }
  done
}
complain() { printf '%s\n' "$@" >&2; bad=1; }

# refused WORDS PROGRAM OPTION...: ends with an error that holds WORDS, and leaves nothing in the folder.
refused() {
  local words=$1 program=$2 status=0 path
  shift 2
  path=$(path_of "$program")
  [[ -n $path ]] || { echo "left out, not built: $program"; return 0; }
  # A training takes minutes, so what is still running then has begun one.
  timeout 20 "$path" "$@" >out.log 2>err.log || status=$?
  ((status > 0 && status < 124)) || complain "$program $*: expected it to be refused, got $status"
  if [[ $path != $build/examples/* ]]; then  # examples leave it to CLI11
    ((status == 1 || status == 2)) || complain "$program $*: expected exit status 1 or 2, got $status"
    [[ $(head -c "${#program}" err.log) == "$program" && $(grep -o "$program: " err.log | wc -l) == 1 ]] ||
      complain "$program $*: expected one line with the program's name once, got:" "$(cat err.log)"
  fi
  grep -qF -- "$words" err.log || complain "$program $*: expected '$words', got:" "$(cat err.log)"
  [[ $(ls) == $'err.log\nout.log' ]] || { complain "$program $*: left behind $(ls)"; find . -mindepth 1 ! -name '*.log' -delete; }
}

whole='expected a whole number in'
for program in train_diffsiam compare_methods compare_denoisers; do
  refused "--steps: $whole [1, 1000000000], got '-1'" $program --steps -1
  refused "--steps: $whole [1, 1000000000], got '0'" $program --steps 0
  refused "--steps: $whole [1, 1000000000], got 'many'" $program --steps many
  refused "--steps: $whole [1, 1000000000], got '18446744073709551617'" $program --steps 18446744073709551617
  refused "--seed: $whole [0, 9223372036854775807], got '-1'" $program --seed -1
  refused "--threads: $whole [0, 1024], got '100000'" $program --threads 100000
  refused "--threads: $whole [0, 1024], got '-2'" $program --threads -2
  refused "--resume: expected a run in" $program --resume
  refused "not expected: --nonsense" $program --nonsense
done
refused "--base: $whole [8, 1024], got '-8'" train_diffsiam --base -8
refused "--base: expected a multiple of 8" train_diffsiam --base 12
refused "--size" train_diffsiam --size 2000
refused "--size: expected a multiple of 4" train_diffsiam --size 30
refused "--channels" train_diffsiam --channels 2
refused "nowhere" train_diffsiam --data nowhere
refused "nowhere" train_diffsiam --settings nowhere
refused "--backend, --precision: expected what this program was built with" train_diffsiam --backend cpu --precision tf32
refused "--backend: " train_diffsiam --backend abacus
refused "--out: expected a folder" train_diffsiam --out out.log
# Options are looked at before any pictures are.
refused "--size: expected a multiple of 4" train_diffsiam --data /nowhere --size 30
refused "--base: expected a multiple of 8" train_diffsiam --data /nowhere --base 12
refused "--subsets: expected at most 8" train_diffsiam --data /nowhere --latent-dims 8
refused "/missing.json" train_diffsiam --data /nowhere --settings /missing.json
refused "No such file" train_diffsiam --data /nowhere
for program in train_denoiser "learn_features weights"; do
  # shellcheck disable=SC2086
  refused "--steps" $program --steps many
  refused "--resume: expected a run in" $program --resume  # shellcheck disable=SC2086
  refused "--out: expected a folder" $program --out out.log
  refused "not expected: --nonsense" $program --nonsense
done
refused "--steps" train_denoiser --steps -1
refused "--steps" train_denoiser --steps 0
refused "divide into 8 groups" train_denoiser --base 12
refused "--threads" train_denoiser --threads 100000
refused "--steps" learn_features weights --steps 0
refused "expected eps, x_0 or v, got 'w'" train_denoiser --predicts w
refused "--batch" train_denoiser --batch 0
refused "--batch" train_denoiser --batch 60001
refused "--pictures" learn_features weights --pictures 60001
refused "'/nowhere'" learn_features /nowhere
for program in train_diffsiam compare_methods; do
  refused "--temperature: expected a number in [0.001, 1000], got '0'" $program --temperature 0
  refused "--temperature: expected a number in [0.001, 1000], got 'nan'" $program --temperature nan
  refused "--siamese-weight: expected a number in [0, 1e+06], got '-0.5'" $program --siamese-weight -0.5
  refused "--siamese-batch: expected at most 400, the training pictures there are, got 2000" \
    $program --siamese-batch 2000 --pictures 400
  refused "--siamese-batch: $whole [2, 16384], got '-1'" $program --siamese-batch -1
  refused "--neighbours: expected at most 399, the other training pictures there are, got 500" \
    $program --neighbours 500 --pictures 400
  refused "--encoder-width: $whole [1, 16], got '0'" $program --encoder-width 0
  refused "--pictures: $whole [256, 55000], got '20'" $program --pictures 20
done
refused "--subsets: $whole [1, 64], got '65'" train_diffsiam --subsets 65
refused "--subsets: expected at most 64, one for each of the latent dims" compare_methods --subsets 65
refused "--method: " compare_methods --method nonsense
refused "--data: " compare_methods --data nonsense
refused "--batch: expected at most 300" compare_methods --batch 301 --pictures 300
refused "--siamese-from: expected a step before the last, 800, got 800" compare_methods --data shapes --siamese-from 800
refused "--rate: expected a number in" compare_methods --rate 0
refused "--blur: expected a number in [0, 1], got '2'" compare_methods --blur 2
refused "--pairs: $whole [1, 5000], got '-3'" compare_methods --pairs -3
refused "--denoiser-steps: $whole" compare_methods --denoiser-steps 0
refused "--batch: expected at most 16, as many as --order-pictures, got 32" \
  compare_methods --data shapes --method feature_order --order-pictures 16 --batch 32
refused "--samples: expected at most" compare_denoisers --samples 5001
refused "--predicts: " compare_denoisers --predicts noise
refused "--batch: expected at most 300" compare_denoisers --batch 301 --pictures 300
refused "--base: expected a multiple of 8" compare_denoisers --base 12
refused "--activations: expected 0" compare_methods --method ordered --activations 8
refused "--dims: expected 512, as the method wide has, got 64" compare_methods --method wide --dims 64
refused "--steps: expected a method that trains, since pca does not, got 5000" compare_methods --method pca --steps 5000
refused "--average-flips: $whole [0, 1], got '2'" compare_methods --average-flips 2
refused "--denoiser-seed: $whole" compare_methods --denoiser-seed -1
refused "--neighbours: expected 0, as the method ordered has, got 3" compare_methods --method ordered --neighbours 3
refused "a method whose z can be decoded" edit_pictures --methods pdae nt_xent
refused "a z of 64 dims" edit_pictures --methods wide
refused "each method once" edit_pictures --methods pdae pdae
refused "--edited: expected at most 8" edit_pictures --pictures 8 --edited 9
refused "--pictures: expected at most 300" edit_pictures --pictures 301 --first 300
refused "--judge-steps: $whole" edit_pictures --judge-steps -1
refused "compare_methods --data shapes --method denoiser trains them" edit_pictures --weights /nowhere
refused "--results: expected a file of results" results_page --results /nowhere
refused "folder is required" use_features
refused "/nowhere/model.safetensors" use_features /nowhere
refused "not expected: --nonsense" noise_schedules --nonsense
for program in training_step encode ddim_sample; do
  refused "--batch: $whole" $program --batch -1
  refused "--threads: $whole" $program --threads 100000
done
refused "--threads: $whole" roofline --threads -1

refused "unknown option --nonsense" demo --nonsense
refused "--seed: $whole [0, 999999999999999999], got '-1'" demo --seed -1
refused "--backend: expected one of: cpu onednn cuda; got 'abacus'" demo --backend abacus
refused "--data: no folder or file '/nowhere'" demo --data /nowhere
refused "--resume or --overwrite, not both" demo --resume --overwrite
refused "--seeds: $whole [1, 100], got '0'" experiments --seeds 0
refused "--data: expected one of: fashion shapes" experiments --data nonsense
refused "--scalar: expected one of: float double" golden /tmp --scalar half
refused "--preset: expected one of" test --preset nonsense
refused "unknown option --nonsense" format --nonsense
refused "unknown option --nonsense" check_format --nonsense

# --help and --version: on stdout, and nothing is written.
for program in noise_schedules train_denoiser learn_features train_diffsiam use_features compare_methods compare_denoisers results_page edit_pictures \
  model_info find_pictures choose_backend package quickstart training_step encode ddim_sample roofline demo experiments golden test format check_format; do
  path=$(path_of "$program")
  [[ -n $path ]] || continue
  for option in --help --version; do
    "$path" $option >out.log 2>err.log || complain "$program $option: failed"
    [[ -s out.log && ! -s err.log ]] || complain "$program $option: expected text on stdout alone"
    [[ $(ls) == $'err.log\nout.log' ]] || complain "$program $option: left behind $(ls)"
  done
  [[ $program == quickstart || $(<out.log) =~ ^$program\ [0-9]+\.[0-9]+\.[0-9]+($|[[:space:]]) ]] || complain "$program --version: got $(<out.log)"
done

# A broken config.json is named, with line and column.
mkdir run
printf '{\n  "subsets": 16,\n  oops\n}\n' >run/config.json
cp run/config.json before.json
for command in "train_denoiser --resume --out run" "train_diffsiam --resume --out run"; do
  read -r program rest <<<"$command"
  path=$(path_of "$program")
  [[ -n $path ]] || { echo "left out, not built: $program"; continue; }
  # shellcheck disable=SC2086
  ! "$path" $rest >out.log 2>err.log || complain "$command: a broken config.json was taken"
  grep -q 'run/config.json: expected a JSON object, got .*line 3, column 3' err.log ||
    complain "$command: expected the file, line and column, got:" "$(cat err.log)"
  cmp -s run/config.json before.json || complain "$command: changed config.json"
done
exit $bad
