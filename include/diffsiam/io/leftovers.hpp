// remove_leftovers: removes the files that a process left when it was killed while writing.
#pragma once

#include <cerrno>
#include <charconv>
#include <csignal>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>

#include <unistd.h>

#include <diffsiam/io/file.hpp>

namespace diffsiam::io {

/// Removes temporary files of AtomicFile ("name.tmp-PID-N") beside `target` whose process no longer exists,
/// and returns their number. Call it at the beginning of a run, before this process writes `target`. Files
/// that cannot be removed stay.
inline int remove_leftovers(std::filesystem::path const& target) {
  std::string const prefix = target.filename().string() + ".tmp-";
  std::filesystem::path const folder = target.has_parent_path() ? target.parent_path() : ".";
  std::error_code ignored;
  int removed = 0;
  for (std::string const& name : names_in(folder, ignored)) {
    if (!name.starts_with(prefix)) continue;
    std::string_view const rest = std::string_view(name).substr(prefix.size());
    pid_t process = 0;
    auto const [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), process);
    bool const ours = error == std::errc{} && process > 0 && end != rest.data() + rest.size() && *end == '-';
    if (ours && (process == ::getpid() || (::kill(process, 0) != 0 && errno == ESRCH)))
      removed += std::filesystem::remove(folder / name, ignored) ? 1 : 0;
  }
  return removed;
}

}  // namespace diffsiam::io
