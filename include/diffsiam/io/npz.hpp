// Several arrays in one zip archive, as numpy's np.savez and np.savez_compressed write them: each member
// NAME.npy is an array (io/npy.hpp), stored or deflated. Read with libzip.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <zip.h>

#include <diffsiam/core/error.hpp>
#include <diffsiam/io/file.hpp>
#include <diffsiam/io/npy.hpp>

namespace diffsiam::io {

/// What a reader will believe.
struct NpzLimits {
  /// Of all arrays that are read from one file, decompressed. Every member may have as many as fit into it.
  std::uint64_t max_bytes = std::uint64_t{1} << 32;
};

/// An open archive, whose arrays are read one by one. Members that are no .npy are passed over. What is held
/// is at most 1032 bytes for each compressed byte, because deflate cannot make more of one; twice as much for
/// an array in Fortran order while it is put in row-major order.
class NpzFile {
 public:
  /// Throws FileError for a file that is missing or no zip archive, and for a name that is there twice.
  explicit NpzFile(std::filesystem::path path, NpzLimits const& limits = {})
      : path_(std::move(path)), left_(limits.max_bytes) {
    std::uint64_t const size = InputFile(path_, "read_npz").size();
    int code = 0;
    archive_.reset(::zip_open(path_.c_str(), ZIP_RDONLY, &code));
    if (!archive_) {
      zip_error_t error;
      ::zip_error_init_with_code(&error, code);
      std::string const reason = ::zip_error_strerror(&error);
      ::zip_error_fini(&error);
      fail<FileError>("read_npz", {detail::quoted(path_), " to be an .npz of numpy"}, reason);
    }
    std::uint64_t packed = 0;
    std::int64_t const count = ::zip_get_num_entries(archive_.get(), 0);
    for (std::int64_t i = 0; i < count; ++i) {
      Member const member = describe_member(static_cast<std::uint64_t>(i));
      // Members that share their bytes would make more of a file than deflate can.
      if (__builtin_add_overflow(packed, member.packed, &packed) || packed > size)
        fail<FileError>("read_npz", {"members that lie side by side in ", detail::quoted(path_)},
                        {packed, " bytes in a file of ", size});
      constexpr std::string_view ending = ".npy";
      if (!member.name.ends_with(ending)) continue;
      std::string name = member.name.substr(0, member.name.size() - ending.size());
      if (!members_.emplace(name, member).second)
        fail<FileError>("read_npz", {"every array once in ", detail::quoted(path_)},
                        detail::shown_name(name) + " twice");
    }
  }

  /// All arrays, sorted by name.
  [[nodiscard]] std::vector<std::string> names() const {
    std::vector<std::string> result;
    for (auto const& [name, member] : members_) result.push_back(name);
    return result;
  }
  /// Whether there is an array of this name, without ".npy".
  [[nodiscard]] bool contains(std::string_view name) const { return members_.contains(name); }

  /// Throws FileError, naming file and member, for one that is missing, corrupt, larger than what is left of
  /// the limit, packed otherwise than numpy packs, or of Python objects.
  [[nodiscard]] NpyArray read(std::string_view name) {
    auto const found = members_.find(name);
    std::string const shown = detail::shown_name(name) + " of " + detail::quoted(path_);
    if (found == members_.end())
      fail<FileError>("read_npz", {"an array ", shown},
                      {"a file of ", members_.size(), " arrays without it"});
    Member const& member = found->second;
    if (member.method != ZIP_CM_STORE && member.method != ZIP_CM_DEFLATE)
      fail<FileError>("read_npz", {shown, " to be stored or deflated"},
                      {"method ", member.method, " of zip"});
    if (member.encrypted) fail<FileError>("read_npz", {shown, " to be readable"}, "an encrypted member");
    if (member.size > left_)
      fail<FileError>("read_npz", {"at most ", left_, " bytes in ", shown}, member.size,
                      "raise NpzLimits::max_bytes if the file is really that large");
    constexpr std::uint64_t most_of_a_byte = 1032;
    if (member.size / most_of_a_byte > member.packed)
      fail<FileError>("read_npz", {"no more bytes in ", shown, " than deflate can make of ", member.packed},
                      member.size);
    left_ -= member.size;

    std::unique_ptr<zip_file_t, CloseMember> const file{::zip_fopen_index(archive_.get(), member.index, 0)};
    if (!file) fail<FileError>("read_npz", {"to open ", shown}, ::zip_strerror(archive_.get()));
    NpyArray array = detail::read_npy_stream(member.size, shown, [&](std::span<std::byte> bytes) {
      if (read_some(*file, bytes, shown) != bytes.size())
        fail<FileError>("read_npz", {member.size, " bytes in ", shown}, "less");
    });
    // Only behind the last byte the check sum is compared.
    std::byte beyond{};
    if (read_some(*file, std::span(&beyond, 1), shown) != 0)
      fail<FileError>("read_npz", {member.size, " bytes in ", shown}, "more");
    return array;
  }

 private:
  struct CloseArchive {
    void operator()(zip_t* archive) const { ::zip_discard(archive); }
  };
  struct CloseMember {
    void operator()(zip_file_t* file) const { ::zip_fclose(file); }
  };
  struct Member {
    std::string name;
    std::uint64_t index;
    std::uint64_t size;
    std::uint64_t packed;
    int method;
    bool encrypted;
  };

  [[nodiscard]] Member describe_member(std::uint64_t index) const {
    zip_stat_t status;
    ::zip_stat_init(&status);
    constexpr std::uint64_t needed = ZIP_STAT_NAME | ZIP_STAT_SIZE | ZIP_STAT_COMP_SIZE |
                                     ZIP_STAT_COMP_METHOD | ZIP_STAT_ENCRYPTION_METHOD;
    if (::zip_stat_index(archive_.get(), index, 0, &status) != 0 || (status.valid & needed) != needed)
      fail<FileError>("read_npz", {"a description of member ", index, " in ", detail::quoted(path_)}, "none");
    return {.name = status.name,
            .index = index,
            .size = status.size,
            .packed = status.comp_size,
            .method = status.comp_method,
            .encrypted = status.encryption_method != ZIP_EM_NONE};
  }

  /// Fills `bytes` as far as the member goes and says how far.
  static std::size_t read_some(zip_file_t& file, std::span<std::byte> bytes, std::string_view shown) {
    std::size_t done = 0;
    while (done < bytes.size()) {
      std::int64_t const got = ::zip_fread(&file, bytes.data() + done, bytes.size() - done);
      if (got < 0) fail<FileError>("read_npz", {shown, " to be intact"}, ::zip_file_strerror(&file));
      if (got == 0) break;
      done += static_cast<std::size_t>(got);
    }
    return done;
  }

  std::filesystem::path path_;
  std::unique_ptr<zip_t, CloseArchive> archive_;
  std::map<std::string, Member, std::less<>> members_;
  std::uint64_t left_;
};

/// All arrays of an .npz, by their names without .npy. Throws FileError as NpzFile does.
[[nodiscard]] inline std::map<std::string, NpyArray> read_npz(std::filesystem::path const& path,
                                                              NpzLimits const& limits = {}) {
  NpzFile file{path, limits};
  std::map<std::string, NpyArray> arrays;
  for (std::string const& name : file.names()) arrays.emplace(name, file.read(name));
  return arrays;
}

/// One array, whatever the others are.
[[nodiscard]] inline NpyArray read_npz(std::filesystem::path const& path, std::string_view name,
                                       NpzLimits const& limits = {}) {
  return NpzFile{path, limits}.read(name);
}

}  // namespace diffsiam::io
