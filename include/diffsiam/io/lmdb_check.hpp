// Whether an LMDB file can be read without harm. The library itself trusts a file: in a damaged one it reads
// memory that is not there, and the process ends. So every page that a look-up can reach is checked before:
// it is in the file, what it points to is in the page or in the file, and no page is reached twice. Values
// are not read.
//
// A file of data version 1 (LMDB 0.9) on a 64-bit machine is pages of equal size, little-endian:
//   page     pgno u64 | pad u16 | flags u16 | lower u16, upper u16, or the number of overflow pages u32
//   meta     pages 0 and 1, behind the head of the page: magic u32 | version u32 | address u64 | map size u64
//   | trees of free
//            pages and of data, 48 bytes each: pad u32 (here the page size), flags u16, depth u16, pages u64
//            x 3, entries u64, root u64 | last page u64 | transaction u64. The younger transaction counts.
//   node     lo u16 | hi u16 | flags u16 | size of the key u16 | key | value, or the number of its first
//   overflow page u64
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

#include <diffsiam/core/error.hpp>

namespace diffsiam::io::detail {

/// Checks one file; complaints are FileErrors with its name.
class LmdbCheck {
 public:
  LmdbCheck(std::span<std::byte const> file, std::string_view name) : file_(file), name_(name) {}

  /// How many entries the file has.
  [[nodiscard]] std::uint64_t entries() {
    constexpr std::size_t meta_size = 152, transaction = 144;
    require(file_.size() >= meta_size, "the head of an LMDB file");
    page_size_ = at<std::uint32_t>(40);
    require(page_size_ >= 256 && page_size_ <= 65536 && (page_size_ & (page_size_ - 1)) == 0,
            "the head of an LMDB file of version 0.9");
    require(file_.size() >= page_size_ + meta_size, "two heads of pages");
    for (std::size_t const meta : {std::size_t{0}, page_size_}) check_meta(meta);
    bool const second = at<std::uint64_t>(transaction) < at<std::uint64_t>(page_size_ + transaction);
    std::size_t const meta = second ? page_size_ : 0;
    last_page_ = at<std::uint64_t>(meta + 136);
    require(last_page_ < file_.size() / page_size_, "all pages that its head counts (truncated?)");
    constexpr std::uint64_t none = ~std::uint64_t{0};
    require((at<std::uint16_t>(meta + 92) & 0x7fffU) == 0, "plain keys and values");
    std::uint64_t const root = at<std::uint64_t>(meta + 128);
    if (root != none) check_page(root, 1);
    return entries_;
  }

 private:
  static constexpr std::size_t page_head = 16, node_head = 8;
  static constexpr unsigned branch = 1, leaf = 2, overflow = 4;

  void require(bool holds, std::string_view expected) const {
    if (!holds) fail<FileError>("open_lmdb", {expected, " in ", name_}, "another or a damaged file");
  }
  template <class T>
  [[nodiscard]] T at(std::size_t position) const {
    T value;
    std::memcpy(&value, file_.data() + position, sizeof value);
    return value;
  }

  void check_meta(std::size_t meta) const {
    constexpr std::uint32_t magic = 0xBEEFC0DE, version = 1;
    require(at<std::uint32_t>(meta + 16) == magic && at<std::uint32_t>(meta + 20) == version &&
                at<std::uint32_t>(meta + 40) == page_size_,
            "the head of an LMDB file of version 0.9");
  }

  /// A page of the tree, and all below it.
  void check_page(std::uint64_t page, int depth) {
    constexpr int deepest = 32;  // as the library
    require(page > 1 && page <= last_page_ && depth <= deepest && ++pages_ <= last_page_,
            "a tree of pages that it has");
    std::size_t const start = static_cast<std::size_t>(page) * page_size_;
    unsigned const kind = at<std::uint16_t>(start + 10);
    std::size_t const lower = at<std::uint16_t>(start + 12), upper = at<std::uint16_t>(start + 14);
    // The library ends the process where a branch has one child alone.
    std::size_t const least = kind == branch ? 2 : 1;
    require(at<std::uint64_t>(start) == page && (kind == branch || kind == leaf) &&
                lower >= page_head + 2 * least && lower % 2 == 0 && lower <= upper && upper <= page_size_,
            "pages of a tree");
    for (std::size_t slot = page_head; slot < lower; slot += 2) {
      std::size_t const node = at<std::uint16_t>(start + slot);
      require(node >= upper && node % 2 == 0 && node + node_head <= page_size_, "nodes inside of their page");
      std::size_t const end = node + node_head + at<std::uint16_t>(start + node + 6);
      require(end <= page_size_, "keys inside of their page");
      if (kind == branch)
        check_page(child(start + node), depth + 1);
      else
        check_value(start + node, end - node, page_size_ - end);
    }
  }

  [[nodiscard]] std::uint64_t child(std::size_t node) const {
    return at<std::uint32_t>(node) | std::uint64_t{at<std::uint16_t>(node + 4)} << 32;
  }

  /// `room` is what the page has behind the key, which ends `key_end` bytes behind the start of the node.
  void check_value(std::size_t node, std::size_t key_end, std::size_t room) {
    constexpr unsigned big = 1;
    std::uint64_t const size = at<std::uint32_t>(node);
    unsigned const flags = at<std::uint16_t>(node + 4);
    require((flags & ~big) == 0, "plain keys and values, no databases within it,");
    ++entries_;
    if (flags != big) return require(size <= room, "values inside of their page");
    require(room >= sizeof(std::uint64_t), "values inside of their page");
    std::uint64_t const first = at<std::uint64_t>(node + key_end);
    std::uint64_t const pages = (page_head - 1 + size) / page_size_ + 1;
    require(first > 1 && first <= last_page_ && pages <= last_page_ - first + 1, "values inside of the file");
    std::size_t const start = static_cast<std::size_t>(first) * page_size_;
    require(at<std::uint64_t>(start) == first && at<std::uint16_t>(start + 10) == overflow &&
                at<std::uint32_t>(start + 12) >= pages,
            "pages of values");
  }

  std::span<std::byte const> file_;
  std::string_view name_;
  std::size_t page_size_ = 0;
  std::uint64_t last_page_ = 0, pages_ = 0, entries_ = 0;
};

}  // namespace diffsiam::io::detail
