// LmdbFile: keys and values of an LMDB database, read only (component lmdb).
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <lmdb.h>

#include <diffsiam/core/error.hpp>
#include <diffsiam/io/file.hpp>
#include <diffsiam/io/lmdb_check.hpp>
#include <diffsiam/io/mapped_file.hpp>

namespace diffsiam::io {

/// Several threads may read at once: every read is a transaction of its own. Nothing is written, not even a
/// lock, so that a database on a disk that cannot be written is read too. No program may change it meanwhile:
/// what is checked when it is opened must hold when it is read, and a file that is made shorter ends this
/// process with SIGBUS.
class LmdbFile {
 public:
  /// `path` is a folder with data.mdb, or the file itself. Looks at all keys, but at no value. Throws
  /// FileError for a file that is missing, truncated, damaged, of another kind, or with databases within the
  /// database.
  explicit LmdbFile(std::filesystem::path path) : path_(std::move(path)) {
    if (is_folder(path_)) path_ /= "data.mdb";
    {
      MappedFile const file{path_};
      std::string const name = detail::quoted(path_);
      entries_ = detail::LmdbCheck{file.bytes(), name}.entries();
    }
    MDB_env* environment = nullptr;
    require(::mdb_env_create(&environment), "to open");
    environment_.reset(environment);
    constexpr unsigned flags = MDB_RDONLY | MDB_NOSUBDIR | MDB_NOLOCK | MDB_NOTLS | MDB_NORDAHEAD;
    require(::mdb_env_open(environment, path_.c_str(), flags, 0), "to open");
    Transaction const transaction = begin();
    require(::mdb_dbi_open(transaction.get(), nullptr, 0, &database_), "to open");
  }

  [[nodiscard]] std::filesystem::path const& path() const& { return path_; }
  [[nodiscard]] std::filesystem::path path() const&& { return path_; }
  /// How many keys there are.
  [[nodiscard]] std::uint64_t size() const { return entries_; }

  /// Calls use(span of bytes) with the value of `key`, which is there until `use` returns. False where there
  /// is no such key. Throws FileError where the database cannot be read.
  template <class Use>
  bool read(std::string_view key, Use const& use) const {
    Transaction const transaction = begin();
    MDB_val name = as_value(key), value{};
    int const status = ::mdb_get(transaction.get(), database_, &name, &value);
    if (status == MDB_NOTFOUND) return false;
    require(status, "to read");
    use(std::span{static_cast<std::byte const*>(value.mv_data), value.mv_size});
    return true;
  }

  /// The first key that is not less than `start`, byte by byte; the first of all for "".
  [[nodiscard]] std::optional<std::string> first_key(std::string_view start = "") const {
    Transaction const transaction = begin();
    MDB_cursor* opened = nullptr;
    require(::mdb_cursor_open(transaction.get(), database_, &opened), "to read");
    std::unique_ptr<MDB_cursor, CloseCursor> const cursor{opened};
    MDB_val key = as_value(start), value{};
    int const status = ::mdb_cursor_get(opened, &key, &value, start.empty() ? MDB_FIRST : MDB_SET_RANGE);
    if (status == MDB_NOTFOUND) return std::nullopt;
    require(status, "to read");
    return std::string{static_cast<char const*>(key.mv_data), key.mv_size};
  }

 private:
  struct CloseEnvironment {
    void operator()(MDB_env* environment) const { ::mdb_env_close(environment); }
  };
  struct EndTransaction {
    void operator()(MDB_txn* transaction) const { ::mdb_txn_abort(transaction); }
  };
  struct CloseCursor {
    void operator()(MDB_cursor* cursor) const { ::mdb_cursor_close(cursor); }
  };
  using Transaction = std::unique_ptr<MDB_txn, EndTransaction>;

  [[nodiscard]] static MDB_val as_value(std::string_view text) {
    return {text.size(), const_cast<char*>(text.data())};  // C, which does not write there
  }
  void require(int status, std::string_view what) const {
    if (status != MDB_SUCCESS)
      fail<FileError>("read_lmdb", {what, " ", detail::quoted(path_)}, ::mdb_strerror(status));
  }
  [[nodiscard]] Transaction begin() const {
    MDB_txn* transaction = nullptr;
    require(::mdb_txn_begin(environment_.get(), nullptr, MDB_RDONLY, &transaction), "to read");
    return Transaction{transaction};
  }

  std::filesystem::path path_;
  std::uint64_t entries_ = 0;
  std::unique_ptr<MDB_env, CloseEnvironment> environment_;
  MDB_dbi database_ = 0;
};

}  // namespace diffsiam::io
