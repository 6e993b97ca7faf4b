// Folders that vanish, and children that fail on purpose: what tests of files share.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <diffsiam/io/file.hpp>

namespace diffsiam::test {

/// An empty folder of its own, removed at the end.
class Scratch {
 public:
  Scratch() {
    std::string name = (std::filesystem::temp_directory_path() / "diffsiam-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw FileError("Scratch: no temporary folder");
    folder_ = name;
  }
  Scratch(Scratch const&) = delete;
  Scratch& operator=(Scratch const&) = delete;
  ~Scratch() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }

  [[nodiscard]] std::filesystem::path const& folder() const { return folder_; }
  [[nodiscard]] std::filesystem::path operator/(std::string const& name) const { return folder_ / name; }
  [[nodiscard]] std::size_t file_count() const {
    std::size_t count = 0;
    for (auto const& entry : std::filesystem::directory_iterator(folder_)) count += entry.exists() ? 1 : 0;
    return count;
  }

 private:
  std::filesystem::path folder_;
};

[[nodiscard]] inline std::string read_text(std::filesystem::path const& path) {
  std::vector<std::byte> const bytes = io::read_file(path);
  return {reinterpret_cast<char const*>(bytes.data()), bytes.size()};
}

/// The message of the E that `action` throws; "" when it throws nothing.
template <class E, class Action>
[[nodiscard]] std::string message_of(Action action) {
  try {
    action();
  } catch (E const& error) {
    return error.what();
  }
  return "";
}

inline bool contains(std::string const& text, std::string const& part) {
  return text.find(part) != std::string::npos;
}

/// How often `part` stands in `text`.
[[nodiscard]] inline std::size_t occurrences(std::string_view text, std::string_view part) {
  std::size_t found = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + part.size()))
    ++found;
  return found;
}

/// The message of the FileError that `action` throws in a child process: "" for none, "crash" for its death.
/// The child is where a limit on file sizes or a lost privilege hurts nobody else.
template <class Setup, class Action>
[[nodiscard]] std::string message_in_child(Setup setup, Action action) {
  int channel[2];
  if (::pipe(channel) != 0) return "no pipe";
  pid_t const child = ::fork();
  if (child == 0) {
    ::close(channel[0]);
    setup();
    std::string message;
    try {
      action();
    } catch (FileError const& error) {
      message = error.what();
    } catch (...) {
      message = "another exception";
    }
    bool const sent =
        ::write(channel[1], message.data(), message.size()) == static_cast<ssize_t>(message.size());
    ::_exit(sent ? 0 : 1);
  }
  ::close(channel[1]);
  std::string message;
  char buffer[512];
  for (ssize_t count = 0; (count = ::read(channel[0], buffer, sizeof buffer)) > 0;)
    message.append(buffer, static_cast<std::size_t>(count));
  ::close(channel[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? message : "crash";
}

/// For message_in_child: files may not grow beyond `bytes`, as on a full disk.
inline void limit_file_size(std::size_t bytes) {
  ::signal(SIGXFSZ, SIG_IGN);
  rlimit const limit{.rlim_cur = bytes, .rlim_max = bytes};
  if (::setrlimit(RLIMIT_FSIZE, &limit) != 0) ::_exit(1);
}

/// For message_in_child: gives up root, whom no folder refuses.
inline void become_nobody() {
  if (::geteuid() == 0 && ::seteuid(65534) != 0) ::_exit(1);
}

}  // namespace diffsiam::test
