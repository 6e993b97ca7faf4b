#include "memory.hpp"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <new>

#include <sys/mman.h>

namespace diffsiam::standin {

namespace {

constexpr std::size_t page = 4096;
/// Addresses only: pages of it exist when they are in use.
constexpr std::size_t reach = std::size_t{1} << 40;
constexpr unsigned char edge = 0xA5;  // around blocks, within their pages

[[nodiscard]] constexpr std::size_t rounded(std::size_t bytes, std::size_t to) {
  return (bytes + to - 1) / to * to;
}
// NOLINTNEXTLINE(performance-no-int-to-ptr)
[[nodiscard]] unsigned char* at(std::uintptr_t address) {
  return reinterpret_cast<unsigned char*>(address);
}
[[nodiscard]] std::uintptr_t address_of(void const* memory) {
  return reinterpret_cast<std::uintptr_t>(memory);
}

}  // namespace

DeviceMemory::DeviceMemory() {
  void* const all = mmap(nullptr, reach, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (all == MAP_FAILED) throw std::bad_alloc{};
  begin_ = next_ = address_of(all);
}
DeviceMemory::~DeviceMemory() {
  munmap(at(begin_), reach);
}

void* DeviceMemory::take(std::size_t bytes) {
  std::size_t const size = rounded(std::max<std::size_t>(bytes, 1), alignment), pages = rounded(size, page);
  if (pages > total || used_ > total - pages || next_ + pages + 2 * page > begin_ + reach) return nullptr;
  std::uintptr_t const first_page = next_ + page, pages_end = first_page + pages;
  next_ = pages_end;
  // At the end of its pages, so that what is read behind it is noticed at once.
  std::uintptr_t const begin = pages_end - size;
  Block const block{first_page, pages_end, bytes};
  mprotect(at(first_page), pages, PROT_READ | PROT_WRITE);
  std::memset(at(first_page), edge, begin - first_page);
  if (poisons) std::memset(at(begin), poison, bytes);
  std::memset(at(begin + bytes), edge, size - bytes);
  protect(block, open_);
  blocks_.emplace(begin, block);
  used_ += pages;
  return at(begin);
}

bool DeviceMemory::give_back(void* memory) {
  auto const found = blocks_.find(address_of(memory));
  if (found == blocks_.end()) return false;
  Block const& block = found->second;
  std::size_t const pages = block.pages_end - block.first_page;
  madvise(at(block.first_page), pages, MADV_DONTNEED);
  mprotect(at(block.first_page), pages, PROT_NONE);
  used_ -= pages;
  former_.insert(blocks_.extract(found));
  return true;
}

bool DeviceMemory::contains(void const* address) const {
  return address_of(address) >= begin_ && address_of(address) < begin_ + reach;
}

bool DeviceMemory::holds(void const* address, std::size_t bytes) const {
  auto const after = blocks_.upper_bound(address_of(address));
  if (after == blocks_.begin()) return false;
  auto const& [begin, block] = *std::prev(after);
  std::size_t const offset = address_of(address) - begin;
  return offset <= block.bytes && bytes <= block.bytes - offset;
}

std::optional<std::string> DeviceMemory::relation(std::uintptr_t at, Blocks const& blocks,
                                                  std::string_view kind) {
  auto const after = blocks.upper_bound(at);
  auto const name = [&](Block const& block) {
    return std::string{kind} + " of " + std::to_string(block.bytes) + " bytes";
  };
  if (after != blocks.begin()) {
    auto const& [begin, block] = *std::prev(after);
    if (at < begin + block.bytes) return "byte " + std::to_string(at - begin) + " of " + name(block);
    if (at < block.pages_end + page)
      return std::to_string(at - begin - block.bytes) + " bytes behind " + name(block);
  }
  if (after != blocks.end() && at + page >= after->second.first_page)
    return std::to_string(after->first - at) + " bytes before " + name(after->second);
  return std::nullopt;
}

std::string DeviceMemory::describe(void const* address) const {
  if (!contains(address)) return "memory of the host";
  if (auto live = relation(address_of(address), blocks_, "a block")) return *live;
  if (auto former = relation(address_of(address), former_, "a released block")) return *former;
  return "no block";
}

bool DeviceMemory::is_intact(std::uintptr_t begin, std::uintptr_t end) {
  return std::all_of(at(begin), at(end), [](unsigned char byte) { return byte == edge; });
}
std::string DeviceMemory::find_overrun() const {
  for (auto const& [begin, block] : blocks_)
    if (!is_intact(block.first_page, begin) || !is_intact(begin + block.bytes, block.pages_end))
      return "something was written beside a block of " + std::to_string(block.bytes) + " bytes";
  return {};
}

void DeviceMemory::protect(Block const& block, bool usable) const {
  mprotect(at(block.first_page), block.pages_end - block.first_page,
           usable ? PROT_READ | PROT_WRITE : PROT_NONE);
}
void DeviceMemory::open() {
  open_ = true;
  for (auto const& [begin, block] : blocks_) protect(block, true);
}
void DeviceMemory::close() {
  open_ = false;
  for (auto const& [begin, block] : blocks_) protect(block, false);
}

}  // namespace diffsiam::standin
