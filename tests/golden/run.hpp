// From a folder to a line a case.
#pragma once

#include <filesystem>
#include <ostream>
#include <string>

#include <tests/golden/file.hpp>
#include <tests/golden/report.hpp>

namespace diffsiam::golden {

struct Options {
  std::string backend = "cpu";   ///< or "reference"
  std::string scalar = "float";  ///< or "double"
};

/// Checks the case of one file on backend B. Throws Error for what cannot be built or is not known.
template <class B>
void check_case(File const& file, Report& report);

/// Prints a line a case, and one about all of them. Returns whether there was one and all passed. Throws
/// ConfigError for an unknown backend or scalar, FileError for a folder that is none.
[[nodiscard]] bool check_folder(std::filesystem::path const& folder, Options const& options,
                                std::ostream& out);

}  // namespace diffsiam::golden
