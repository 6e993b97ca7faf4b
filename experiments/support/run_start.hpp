// How a run takes its folder: whatever stands there is looked at before anything is written, and stays as it
// is unless the run goes on with it or was told to overwrite it.
#pragma once

#include <algorithm>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <diffsiam/train/checkpoint.hpp>

#include <experiments/support/fashion_run.hpp>
#include <experiments/support/json_file.hpp>

namespace example {

/// What the user said of a run that stands in the folder.
struct RunStart {
  bool resume = false, overwrite = false;
};

inline void add_start_options(CLI::App& app, RunStart& start) {
  auto* const resume = app.add_flag("--resume", start.resume, "goes on with the run in the folder");
  app.add_flag("--overwrite", start.overwrite, "begins anew where a run stands in the folder")
      ->excludes(resume);
}

/// The files that a program leaves in its folder, beside config.json.
struct RunFiles {
  std::string option = "--out";     ///< which names the folder
  std::vector<std::string> stages;  ///< of training, each with a checkpoint, metrics and weights
  std::vector<std::string> others{};
  std::string last{};  ///< its presence says that the run is finished; empty: nothing says so
};

/// A folder that a run may have.
class RunClaim {
 public:
  /// Reads what stands there and writes nothing. `settings` are all that the run depends on; backend and
  /// precision may be others on resuming. Throws ConfigError where a run stands there and `start` says
  /// nothing of it, where there is none to resume, or one of other settings; FileError for a file in the
  /// folder's place, and a broken config.json.
  RunClaim(RunFolder folder, nlohmann::ordered_json settings, RunStart start, RunFiles files)
      : folder_(std::move(folder)), settings_(std::move(settings)), start_(start), files_(std::move(files)) {
    namespace fs = std::filesystem;
    std::string const where = "'" + folder_.root.string() + "'";
    if (folder_.root.empty() || (fs::exists(folder_.root) && !fs::is_directory(folder_.root)))
      ds::fail<ds::FileError>(files_.option, "a folder", {"a file or nothing, ", where});
    bool const finished = !files_.last.empty() && fs::exists(folder_.root / files_.last);
    if (start_.overwrite) return;
    if (start_.resume) {
      if (!begun())
        ds::fail<ds::ConfigError>("--resume", {"a run in ", where}, "none", "without it one is begun there");
      require_same_settings();
      finished_ = finished;
    } else if (begun()) {
      char const* const kind = files_.last.empty() ? "a run in "
                               : finished          ? "a finished run in "
                                                   : "an unfinished run in ";
      ds::fail<ds::ConfigError>(files_.option, "a folder without a run", {kind, where},
                                finished ? "--overwrite begins anew, or take another folder"
                                         : "--resume goes on with it, --overwrite begins anew");
    }
  }

  /// Whether the run to resume has come to its end: nothing is left to do.
  [[nodiscard]] bool finished() const { return finished_; }
  /// Takes the folder: removes what is overwritten, and leaves the settings in config.json.
  void take() const {
    std::filesystem::create_directories(folder_.root);
    if (start_.overwrite)
      for (std::string const& file : own_files()) std::filesystem::remove(folder_.root / file);
    // The old settings stand until nothing of their run is left.
    if (!start_.resume || !std::filesystem::exists(folder_ / "config.json"))
      ds::io::write_file(folder_ / "config.json", settings_.dump(2) + "\n");
  }

 private:
  /// The sign of the end first: without it no half-removed run passes for a finished one.
  [[nodiscard]] std::vector<std::string> own_files() const {
    std::vector<std::string> names;
    if (!files_.last.empty()) names.push_back(files_.last);
    for (std::string const& stage : files_.stages)
      names.insert(names.end(),
                   {stage + ".checkpoint.safetensors", stage + ".metrics.jsonl", stage + ".safetensors"});
    names.insert(names.end(), files_.others.begin(), files_.others.end());
    return names;
  }
  [[nodiscard]] bool begun() const {
    auto const names = own_files();
    return std::filesystem::exists(folder_ / "config.json") ||
           std::any_of(names.begin(), names.end(),
                       [&](std::string const& name) { return std::filesystem::exists(folder_.root / name); });
  }
  void require_same_settings() const {
    auto const path = folder_ / "config.json";
    // Without it, each stage compares with its checkpoint before it writes.
    if (!std::filesystem::exists(path)) return;
    auto const other =
        ds::train::config_difference(read_json(path).dump(), settings_.dump(), {"backend", "precision"});
    if (other)
      ds::fail<ds::ConfigError>("--resume", {other->key, " = ", other->saved, " as in '", path.string(), "'"},
                                other->present, "go on with those settings, or begin anew with --overwrite");
  }

  RunFolder folder_;
  nlohmann::ordered_json settings_;
  RunStart start_;
  RunFiles files_;
  bool finished_ = false;
};

}  // namespace example
