// The pictures below a folder, and a label for each: from its sub-folder, or from a table.
#pragma once

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <diffsiam/core/error.hpp>
#include <diffsiam/io/file.hpp>

namespace diffsiam::data {

/// Paths below a folder, sorted, and classes[labels[i]] of each; no labels where none are known.
/// `folder` holds all `paths`, which are relative to it; `labels` count from 0, and `classes` are their
/// names.
struct PictureFiles {
  std::filesystem::path folder;
  std::vector<std::string> paths{};
  std::vector<int> labels{};
  std::vector<std::string> classes{};
};

namespace detail {

[[nodiscard]] inline bool looks_like_picture(std::filesystem::path const& path) {
  std::string ending = path.extension().string();
  std::transform(ending.begin(), ending.end(), ending.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return ending == ".png" || ending == ".jpg" || ending == ".jpeg" || ending == ".webp";
}

/// Sorted names of classes; numbers are sorted by value when all are numbers.
[[nodiscard]] inline std::vector<std::string> sorted_classes(std::set<std::string> const& names) {
  std::vector<std::string> classes(names.begin(), names.end());
  bool const numbers = std::all_of(classes.begin(), classes.end(), [](std::string const& name) {
    return !name.empty() && name.size() < 10 &&
           std::all_of(name.begin(), name.end(), [](unsigned char c) { return std::isdigit(c) != 0; });
  });
  if (numbers)
    std::sort(classes.begin(), classes.end(), [](std::string const& a, std::string const& b) {
      return std::pair{std::stol(a), a} < std::pair{std::stol(b), b};
    });
  return classes;
}

/// Gives `files` the labels `names`, one for each path.
inline void set_labels(PictureFiles& files, std::vector<std::string> const& names) {
  files.classes = sorted_classes({names.begin(), names.end()});
  std::map<std::string, int> number;
  for (std::string const& name : files.classes) number.emplace(name, static_cast<int>(number.size()));
  files.labels.clear();
  for (std::string const& name : names) files.labels.push_back(number.at(name));
}

}  // namespace detail

/// All files below `folder` that end in .png, .jpg, .jpeg or .webp (in capitals, too), in all sub-folders,
/// sorted by their paths; hidden files and folders are left out. Links to folders are not followed. Where all
/// pictures are in sub-folders, of which there are two or more, the names of these are the classes. Throws
/// FileError for no such folder, one that may not be read, or no picture.
[[nodiscard]] inline PictureFiles list_pictures(std::filesystem::path const& folder) {
  PictureFiles files{.folder = folder};
  std::error_code error;
  std::filesystem::recursive_directory_iterator entry{folder, error};
  for (; !error && entry != std::filesystem::recursive_directory_iterator{}; entry.increment(error)) {
    bool const hidden = entry->path().filename().string().starts_with('.');
    if (hidden) entry.disable_recursion_pending();
    if (hidden || !detail::looks_like_picture(entry->path()) || entry->is_directory(error)) continue;
    files.paths.push_back(entry->path().lexically_relative(folder).generic_string());
  }
  if (error)
    fail<FileError>("list_pictures", {"to read the folder ", io::detail::quoted(folder), " and those below"},
                    error.message());
  if (files.paths.empty())
    fail<FileError>("list_pictures",
                    {"PNG, JPEG or WebP files in ", io::detail::quoted(folder), " or in its sub-folders"},
                    "none");
  std::sort(files.paths.begin(), files.paths.end());

  std::vector<std::string> parents;
  for (std::string const& path : files.paths) {
    std::size_t const slash = path.find('/');
    if (slash == std::string::npos) return files;  // a picture without a class
    parents.push_back(path.substr(0, slash));
  }
  if (parents.front() != parents.back()) detail::set_labels(files, parents);
  return files;
}

namespace detail {

/// Fields of one line of CSV (RFC 4180; no line breaks inside of quotes), separated by commas.
[[nodiscard]] inline std::vector<std::string> csv_fields(std::string_view line) {
  std::vector<std::string> fields(1);
  bool quoted = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    char const c = line[i];
    if (quoted && c == '"' && i + 1 < line.size() && line[i + 1] == '"')
      fields.back() += line[++i];
    else if (c == '"')
      quoted = !quoted;
    else if (c == ',' && !quoted)
      fields.emplace_back();
    else
      fields.back() += c;
  }
  return fields;
}

[[nodiscard]] inline std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    std::size_t const end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (!line.empty()) lines.push_back(line);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

}  // namespace detail

/// Pictures and labels from a table of comma-separated values, `file,label` a line, further columns ignored;
/// files are named from `folder`. A first line whose first field is file, filename, image, name or path is a
/// header. Pictures that the table does not name are left out. Throws FileError for a line without two
/// fields, a file that is named twice, or a picture that is not in the folder.
[[nodiscard]] inline PictureFiles list_pictures(std::filesystem::path const& folder,
                                                std::filesystem::path const& table) {
  auto const bytes = io::read_file(table);
  std::string_view const text{reinterpret_cast<char const*>(bytes.data()), bytes.size()};
  std::map<std::string, std::string> label_of;
  std::set<std::string> const headers{"file", "filename", "image", "name", "path"};
  std::size_t number = 0;
  for (std::string_view const line : detail::lines_of(text)) {
    ++number;
    std::vector<std::string> const fields = detail::csv_fields(line);
    if (number == 1 && headers.contains(fields.front())) continue;
    if (fields.size() < 2 || fields[0].empty() || fields[1].empty())
      fail<FileError>("list_pictures", {"file,label in each line of ", io::detail::quoted(table)},
                      {"'", line, "', entry ", number});
    if (!label_of.emplace(fields[0], fields[1]).second)
      fail<FileError>("list_pictures", {"each picture once in ", io::detail::quoted(table)},
                      {"'", fields[0], "' twice"});
  }
  if (label_of.empty())
    fail<FileError>("list_pictures", {"file,label lines in ", io::detail::quoted(table)}, "none");

  PictureFiles files{.folder = folder};
  std::vector<std::string> labels;
  for (auto const& [path, label] : label_of) {
    if (std::string const obstacle = io::detail::obstacle_at(folder / path); !obstacle.empty())
      fail<FileError>(
          "list_pictures",
          {"the picture '", path, "' of ", io::detail::quoted(table), " in ", io::detail::quoted(folder)},
          obstacle);
    files.paths.push_back(path);
    labels.push_back(label);
  }
  detail::set_labels(files, labels);
  return files;
}

}  // namespace diffsiam::data
