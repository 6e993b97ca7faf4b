// The pictures of the main job: what the user says of them, what is known before they are read, and after.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include <diffsiam/data/fashion_mnist.hpp>

#include <experiments/support/settings.hpp>

namespace experiments {

/// What the user says of the pictures.
struct DataOptions {
  std::filesystem::path data{ds::data::FashionMnist::debian_folder};
  ds::Index size = 0, channels = 0;  ///< 0: what the kind of data suggests
  std::string fit = "crop";
  std::string ground = "white";
  std::filesystem::path
      labels{};  ///< a table file,label; an attribute of CelebA; labels of a .npy file; empty: sub-folders
  std::filesystem::path cache{};  ///< empty: in the folder of the run
  bool skip_unreadable = false, keep_duplicates = false;
};

/// The pictures of a run, and what is known of them.
struct RunData {
  Pictures pictures;
  std::vector<std::string> class_names{};
  std::vector<std::string> names{};  ///< of all pictures, where they have names: picture i is origin(i) there
  std::vector<std::string> found{};  ///< sentences for the user

  [[nodiscard]] bool labelled() const { return pictures.train.labelled(); }
};

/// What is known before the pictures are read.
struct DataPlan {
  std::string title;
  ds::Index size, channels;
  PartSizes parts;  ///< at most so many
  float flip;       ///< probability, in training the denoiser
  std::vector<std::string> found{};
  nlohmann::ordered_json settings = nlohmann::ordered_json::object();  ///< all that the pictures depend on
  /// Reads the pictures; `cache` is a file for those that have to be decoded.
  std::function<RunData(std::filesystem::path const& cache, ds::ThreadPool& threads)> load;
};

}  // namespace experiments
