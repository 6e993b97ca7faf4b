// Options of programs that work on a data set of the table.
#pragma once

#include <CLI/CLI.hpp>

#include <experiments/data_sets.hpp>

namespace experiments {

inline void add_data_folders(CLI::App& app, DataFolders& folders) {
  app.add_option("--fashion-mnist", folders.fashion_mnist, "folder with the IDX files")
      ->capture_default_str();
  app.add_option(
      "--fonts", folders.fonts,
      "folder whose folders train, validation and test hold the fonts of glyphs; Debian's packages "
      "unless given");
}

}  // namespace experiments
