// Configurations in JSON: two of them, with a byte 0 between, compared as a checkpoint compares.
#include <cstdint>
#include <string>
#include <vector>

#include <tests/fuzz/fuzz.hpp>

#include <diffsiam/train/config_difference.hpp>

using namespace diffsiam;
using namespace diffsiam::fuzz;

std::vector<Bytes> fuzz::seeds() {
  using namespace std::string_literals;
  return {bytes_of("{\"a\":[1,{\"b\":2.5}],\"c\":null}\0{\"a\":[1,{\"b\":3}],\"threads\":4}"s),
          bytes_of("{}\0{}"s), bytes_of("[1,2,[3]]\0[1,2,[\"\\u00e4\"]]"s)};
}

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  std::string_view const text = text_of({data, size});
  std::size_t const cut = std::min(text.find('\0'), text.size());
  std::string const saved{text.substr(0, cut)}, present{text.substr(std::min(cut + 1, text.size()))};
  bool const good = reads(size, {.factor = 64}, [&] {
    auto const there = train::config_difference(saved, present, {"threads"});
    auto const back = train::config_difference(present, saved, {"threads"});
    require(there.has_value() == back.has_value(), "a difference both ways");
    require(!train::config_difference(saved, saved), "no difference from itself");
  });
  accepted += good ? 1 : 0;
  return 0;
}
