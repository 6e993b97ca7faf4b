#include "tally.hpp"

#include <algorithm>

namespace diffsiam::standin {

void Tally::add(Counts& counts, double read, double written, double operations, double peak) const {
  counts.read += read;
  counts.written += written;
  counts.operations += operations;
  counts.bound += std::max((read + written) / card_.bytes_per_second, operations / peak);
}
void Tally::add_product(std::string const& operation, double read, double written, double operations,
                        Unit unit) {
  Counts& counts = by_operation[operation];
  ++counts.launches;
  double const peak = unit == Unit::float32 ? card_.float32 : unit == Unit::tf32 ? card_.tf32 : card_.bf16;
  add(counts, read, written, operations, peak);
}
void Tally::add_copy(std::string const& operation, double bytes) {
  Counts& counts = by_operation[operation];
  ++counts.copies;
  add(counts, bytes, bytes, 0, 1);
}

void Tally::begin_block() {
  for (auto* const side : {&read_, &written_})
    for (Sectors& sectors : *side) sectors.clear();
  in_block_ = true;
}
void Tally::enter(int thread) {
  warp_ = static_cast<std::size_t>(thread) / 32;
}
void Tally::touch(std::uintptr_t address, std::size_t bytes, bool writes) {
  Sectors& sectors = (writes ? written_ : read_)[warp_];
  for (std::uintptr_t at = address / sector; at <= (address + bytes - 1) / sector; ++at)
    if (sectors.empty() || sectors.back() != at) sectors.push_back(at);
}
void Tally::end_block() {
  in_block_ = false;
  auto const different = [](std::array<Sectors, 8>& side) {
    std::size_t sum = 0;
    for (Sectors& sectors : side) {
      std::ranges::sort(sectors);
      sum += static_cast<std::size_t>(std::ranges::unique(sectors).begin() - sectors.begin());
    }
    return static_cast<double>(sum);
  };
  sectors_read_ += different(read_);
  sectors_written_ += different(written_);
}
void Tally::end_kernel(std::string const& operation, double blocks, double stepped) {
  Counts& counts = by_operation[operation];
  ++counts.launches;
  double const bytes = static_cast<double>(sector) * blocks / stepped;
  add(counts, sectors_read_ * bytes, sectors_written_ * bytes, 0, 1);
  sectors_read_ = sectors_written_ = 0;
}

}  // namespace diffsiam::standin
