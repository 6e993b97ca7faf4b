// RunFolder: the folder of a run. It checks what is in the folder before anything is written, and changes
// nothing unless the run is resumed or may be overwritten.
#pragma once

#include <algorithm>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <diffsiam/core/error.hpp>
#include <diffsiam/io/file.hpp>
#include <diffsiam/io/json_file.hpp>
#include <diffsiam/train/config_difference.hpp>

namespace diffsiam::train {

/// The endings of the files of a stage, after its name.
struct StageFiles {
  /// Weights, optimizer and averages of a run that goes on
  static constexpr char const* checkpoint = ".checkpoint.safetensors";
  static constexpr char const* metrics = ".metrics.jsonl";  ///< a line of JSON for each step
  static constexpr char const* weights = ".safetensors";    ///< the averaged weights at the end
};

/// What a program does with its folder, and the files that it writes there.
struct RunFolderConfig {
  bool resume = false;     ///< resumes the run in the folder
  bool overwrite = false;  ///< begins a new run even if there is one in the folder
  /// The files that the program writes there, besides config.json.
  std::vector<std::string> stages{};  ///< of training (see Stage); each has a checkpoint, metrics and weights
  std::vector<std::string> others{};  ///< all other files, by their names in the folder
  std::string last{};                 ///< the run is finished if this file exists; empty: it never is
  std::vector<std::string> may_differ{};  ///< settings that may change when the run is resumed
  std::string option = "--out";           ///< the program's option for the folder, for error messages
};

/// The folder of a run:
///
///     RunFolder const folder{"runs/mine", {{"seed", 1}}, {.stages = {"denoiser"}, .last = "page.html"}};
///     if (folder.finished()) return;
///     folder.take();
class RunFolder {
 public:
  /// Reads the folder and writes nothing. `settings` are everything that the run depends on. Throws
  /// ConfigError if there is a run and neither `resume` nor `overwrite` is set, if there is no run to resume,
  /// or if its settings differ; FileError if a file has the name of the folder, if the folder may not be
  /// read, or if config.json is broken.
  RunFolder(std::filesystem::path root, nlohmann::ordered_json settings, RunFolderConfig config)
      : root_(std::move(root)), settings_(std::move(settings)), config_(std::move(config)) {
    if (config_.resume && config_.overwrite)
      fail<ConfigError>("RunFolder", "a run to resume or to overwrite", "both");
    std::string const where = "'" + root_.string() + "'";
    if (root_.empty() || (io::path_exists(root_) && !io::is_folder(root_)))
      fail<FileError>(config_.option, "a folder", {"a file or nothing, ", where});
    if (config_.overwrite) return;
    bool const finished = !config_.last.empty() && io::path_exists(root_ / config_.last);
    if (config_.resume) {
      if (!begun())
        fail<ConfigError>("--resume", {"a run in ", where}, "none", "without it one is begun there");
      require_same_settings();
      finished_ = finished;
    } else if (begun()) {
      char const* const kind = config_.last.empty() ? "a run in "
                               : finished           ? "a finished run in "
                                                    : "an unfinished run in ";
      fail<ConfigError>(config_.option, "a folder without a run", {kind, where},
                        finished ? "--overwrite begins anew, or take another folder"
                                 : "--resume goes on with it, --overwrite begins anew");
    }
  }

  [[nodiscard]] std::filesystem::path const& root() const& { return root_; }
  [[nodiscard]] std::filesystem::path root() const&& { return root_; }
  [[nodiscard]] nlohmann::ordered_json const& settings() const& { return settings_; }
  [[nodiscard]] nlohmann::ordered_json settings() const&& { return settings_; }
  [[nodiscard]] RunFolderConfig const& config() const& { return config_; }
  [[nodiscard]] RunFolderConfig config() const&& { return config_; }
  /// The path of a file in the folder.
  [[nodiscard]] std::filesystem::path operator/(std::filesystem::path const& file) const {
    return root_ / file;
  }
  /// Whether the resumed run is finished, so that nothing is left to do.
  [[nodiscard]] bool finished() const { return finished_; }

  /// Begins the run: removes the files that are overwritten, and writes the settings to config.json. Throws
  /// FileError.
  void take() const {
    io::create_folder(root_);
    if (config_.overwrite)
      for (std::string const& file : own_files()) io::remove_file(root_ / file);
    // The old settings are kept until all other files of the old run have been removed.
    if (!config_.resume || !io::path_exists(root_ / "config.json"))
      io::write_file(root_ / "config.json", settings_.dump(2) + "\n");
  }

 private:
  /// The file that marks the end comes first, so that a run that is half removed does not look finished.
  [[nodiscard]] std::vector<std::string> own_files() const {
    std::vector<std::string> names;
    if (!config_.last.empty()) names.push_back(config_.last);
    for (std::string const& stage : config_.stages)
      for (char const* const ending : {StageFiles::checkpoint, StageFiles::metrics, StageFiles::weights})
        names.push_back(stage + ending);
    names.insert(names.end(), config_.others.begin(), config_.others.end());
    return names;
  }
  [[nodiscard]] bool begun() const {
    auto const stands = [&](std::string const& name) { return io::path_exists(root_ / name); };
    auto const names = own_files();
    return stands("config.json") || std::any_of(names.begin(), names.end(), stands);
  }
  void require_same_settings() const {
    auto const path = root_ / "config.json";
    // If it is missing, each stage compares its checkpoint before it writes.
    if (!io::path_exists(path)) return;
    auto const other =
        config_difference(io::read_json_object(path).dump(), settings_.dump(), config_.may_differ);
    if (other)
      fail<ConfigError>("--resume", {other->key, " = ", other->saved, " as in '", path.string(), "'"},
                        other->present, "go on with those settings, or begin anew with --overwrite");
  }

  std::filesystem::path root_;
  nlohmann::ordered_json settings_;
  RunFolderConfig config_;
  bool finished_ = false;
};

}  // namespace diffsiam::train
