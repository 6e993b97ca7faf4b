// remove_leftovers: removes the files that a process left when it was killed while writing.
#pragma once

#include <cerrno>
#include <charconv>
#include <csignal>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include <unistd.h>

namespace diffsiam::io {

/// Removes temporary files of AtomicFile ("name.tmp-PID-N") beside `target` whose process no longer exists,
/// and returns their number. Call it at the beginning of a run, before this process writes `target`. Files
/// that cannot be removed stay.
inline int remove_leftovers(std::filesystem::path const& target) {
  std::string const prefix = target.filename().string() + ".tmp-";
  std::filesystem::path const folder = target.has_parent_path() ? target.parent_path() : ".";
  std::error_code ignored;
  std::vector<std::filesystem::path> found;
  for (auto const& entry : std::filesystem::directory_iterator(folder, ignored)) {
    std::string const name = entry.path().filename().string();
    if (!name.starts_with(prefix)) continue;
    std::string_view const rest = std::string_view(name).substr(prefix.size());
    pid_t process = 0;
    auto const [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), process);
    bool const ours = error == std::errc{} && process > 0 && end != rest.data() + rest.size() && *end == '-';
    if (ours && (process == ::getpid() || (::kill(process, 0) != 0 && errno == ESRCH)))
      found.push_back(entry.path());
  }
  int removed = 0;
  for (auto const& path : found) removed += std::filesystem::remove(path, ignored) ? 1 : 0;
  return removed;
}

}  // namespace diffsiam::io
