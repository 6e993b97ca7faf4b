// Which fonts the pictures of glyphs are drawn with: files of Debian's packages, or folders of one's own.
#pragma once

#include <algorithm>
#include <array>
#include <filesystem>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include <diffsiam/core/error.hpp>
#include <diffsiam/io/file.hpp>

namespace experiments {

namespace ds = diffsiam;

/// The font files of each part.
struct FontFiles {
  std::vector<std::filesystem::path> train, validation, test;
};

namespace detail {

/// Four faces of one design: regular, bold, slanted, and both.
struct DebianFamily {
  std::string_view package;
  std::array<std::string_view, 4> files;  ///< below debian_fonts
};
inline constexpr std::string_view debian_fonts = "/usr/share/fonts/truetype";

// No design is in two parts: what is measured on test pictures holds for fonts that no encoder and no probe
// has seen. Designs that are alike, such as those of Liberation and FreeFont, are in one part.
inline constexpr std::array<DebianFamily, 6> training_fonts{
    {{"fonts-dejavu-extra",
      {"dejavu/DejaVuSans.ttf", "dejavu/DejaVuSans-Bold.ttf", "dejavu/DejaVuSans-Oblique.ttf",
       "dejavu/DejaVuSans-BoldOblique.ttf"}},
     {"fonts-dejavu-extra",
      {"dejavu/DejaVuSerif.ttf", "dejavu/DejaVuSerif-Bold.ttf", "dejavu/DejaVuSerif-Italic.ttf",
       "dejavu/DejaVuSerif-BoldItalic.ttf"}},
     {"fonts-liberation2",
      {"liberation2/LiberationSans-Regular.ttf", "liberation2/LiberationSans-Bold.ttf",
       "liberation2/LiberationSans-Italic.ttf", "liberation2/LiberationSans-BoldItalic.ttf"}},
     {"fonts-liberation2",
      {"liberation2/LiberationSerif-Regular.ttf", "liberation2/LiberationSerif-Bold.ttf",
       "liberation2/LiberationSerif-Italic.ttf", "liberation2/LiberationSerif-BoldItalic.ttf"}},
     {"fonts-freefont-ttf",
      {"freefont/FreeSans.ttf", "freefont/FreeSansBold.ttf", "freefont/FreeSansOblique.ttf",
       "freefont/FreeSansBoldOblique.ttf"}},
     {"fonts-freefont-ttf",
      {"freefont/FreeSerif.ttf", "freefont/FreeSerifBold.ttf", "freefont/FreeSerifItalic.ttf",
       "freefont/FreeSerifBoldItalic.ttf"}}}};
inline constexpr std::array<DebianFamily, 2> validation_fonts{
    {{"fonts-open-sans",
      {"open-sans/OpenSans-Regular.ttf", "open-sans/OpenSans-Bold.ttf", "open-sans/OpenSans-Italic.ttf",
       "open-sans/OpenSans-BoldItalic.ttf"}},
     {"fonts-crosextra-caladea",
      {"crosextra/Caladea-Regular.ttf", "crosextra/Caladea-Bold.ttf", "crosextra/Caladea-Italic.ttf",
       "crosextra/Caladea-BoldItalic.ttf"}}}};
inline constexpr std::array<DebianFamily, 2> test_fonts{
    {{"fonts-paratype",
      {"paratype/PTS55F.ttf", "paratype/PTS75F.ttf", "paratype/PTS56F.ttf", "paratype/PTS76F.ttf"}},
     {"fonts-paratype",
      {"paratype/PTF55F.ttf", "paratype/PTF75F.ttf", "paratype/PTF56F.ttf", "paratype/PTF76F.ttf"}}}};

/// Their files below `root`, and into `missing` the packages of those that are not there.
[[nodiscard]] inline std::vector<std::filesystem::path> files_of(std::span<DebianFamily const> families,
                                                                 std::filesystem::path const& root,
                                                                 std::set<std::string>& missing) {
  std::vector<std::filesystem::path> files;
  for (DebianFamily const& family : families)
    for (std::string_view const file : family.files) {
      files.push_back(root / file);
      if (!ds::io::file_exists(files.back())) missing.emplace(family.package);
    }
  return files;
}

/// The TrueType and OpenType files of a folder, by name. Throws FileError for none.
[[nodiscard]] inline std::vector<std::filesystem::path> fonts_in(std::filesystem::path const& folder) {
  std::vector<std::filesystem::path> files;
  std::error_code error;
  for (std::string const& name : ds::io::names_in(folder, error))
    if (name.ends_with(".ttf") || name.ends_with(".otf")) files.push_back(folder / name);
  if (files.empty())
    ds::fail<ds::FileError>("--fonts", {"files *.ttf or *.otf in '", folder.string(), "'"}, "none");
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace detail

/// Those of Debian below `root`. Throws FileError that names the packages to install.
[[nodiscard]] inline FontFiles debian_font_files(std::filesystem::path const& root = detail::debian_fonts) {
  std::set<std::string> missing;
  FontFiles files{detail::files_of(detail::training_fonts, root, missing),
                  detail::files_of(detail::validation_fonts, root, missing),
                  detail::files_of(detail::test_fonts, root, missing)};
  if (missing.empty()) return files;
  std::string names;
  for (std::string const& package : missing) names += " " + package;
  ds::fail<ds::FileError>("--data glyphs", {"Debian's fonts below '", root.string(), "'"},
                          {missing.size(), " packages of them missing"}, {"apt-get install", names});
}

/// All fonts in the folders train, validation and test of `folder`. Throws FileError where one has none.
[[nodiscard]] inline FontFiles font_files_in(std::filesystem::path const& folder) {
  return {detail::fonts_in(folder / "train"), detail::fonts_in(folder / "validation"),
          detail::fonts_in(folder / "test")};
}

}  // namespace experiments
