// Makes and edits pictures with trained models, DiffSiam's beside PDAE's and others, and measures each:
// samples, reconstructions, interpolations, counterfactuals, manipulations, pictures from drawn z, and from
// the first subsets.
//
//   cmake --build build/demo --target edit_pictures        (scripts/demo makes build/demo)
//   build/demo/experiments/edit_pictures --data shapes
//
// It reads what compare_methods leaves: the denoiser in --weights, the methods in --runs.
//
// ctest: --untrained --methods diffsiam pdae autoencoder --first 300 --pictures 8 --edited 4 --chosen-on 3
// --sampling-steps 2 --overwrite --out
// @OUT@
//
// In --out: config.json, *.png, the weights of the judge, report.html, and result.json when it is finished.

#include <CLI/CLI.hpp>

#include <experiments/data_options.hpp>
#include <experiments/editing/runner.hpp>
#include <experiments/support/options.hpp>
#include <experiments/support/program.hpp>

using namespace experiments;

int main(int argc, char** argv) {
  EditOptions options;
  CLI::App app{"Makes, edits and measures pictures with trained models, DiffSiam's beside others.",
               "edit_pictures"};
  app.add_option("--data", options.data, "which pictures")
      ->check(CLI::IsMember(names_of(data_sets)))
      ->capture_default_str();
  app.add_option("--methods", options.methods,
                 "of compare_methods that have a decoder, and pca; the settings of the data set")
      ->capture_default_str();
  app.add_option("--out", options.out, "folder of the report; runs/editing/DATA unless given");
  app.add_option("--runs", options.files.runs, "folder of the runs of compare_methods")
      ->capture_default_str();
  app.add_option("--weights", options.files.weights, "folder of the denoisers")->capture_default_str();
  add_data_folders(app, options.folders);
  app.add_flag("--untrained", options.files.untrained,
               "freshly initialised models, a judge and a latent diffusion after two steps: tests the "
               "program, shows nothing");
  add_threads(app, options.threads);
  add_start_options(app, options.start);
  add_setting_options(app, options);
  add_setting_options(app, options.settings);
  return run_program(app, argc, argv, [&] {
    if (options.files.untrained) {
      options.settings.judge_steps = options.settings.latent_steps = 2;
      options.settings.least_accuracy = 0;
    }
    run_edits(options);
  });
}
