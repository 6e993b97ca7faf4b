#include <set>

#include <tests/support/catch.hpp>

#include <diffsiam/core/philox.hpp>

#if __has_include(<Random123/philox.h>)
#include <Random123/philox.h>
#undef philox4x32
#define DIFFSIAM_TEST_RANDOM123 1
#endif

namespace diffsiam::test {

using Four = std::array<std::uint32_t, 4>;

TEST_CASE("Philox gives the published answers") {
  // kat_vectors of Random123 1.14 (Salmon et al., SC 2011): philox4x32, 10 rounds.
  CHECK(philox4x32({0, 0, 0, 0}, {0, 0}) == Four{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  CHECK(philox4x32({0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, {0xffffffff, 0xffffffff}) ==
        Four{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
  CHECK(philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}) ==
        Four{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
  static_assert(philox4x32({0, 0, 0, 0}, {0, 0})[0] == 0x6627e8d5);
}

#ifdef DIFFSIAM_TEST_RANDOM123
TEST_CASE("Philox agrees with Random123 on counters and keys of its own choosing") {
  Four counter{1, 2, 3, 4};
  std::array<std::uint32_t, 2> key{5, 6};
  for (int i = 0; i < 1000; ++i) {
    auto const theirs = r123::Philox4x32()({{counter[0], counter[1], counter[2], counter[3]}},
                                           r123::Philox4x32::ukey_type{{key[0], key[1]}});
    Four const ours = philox4x32(counter, key);
    REQUIRE(ours == Four{theirs[0], theirs[1], theirs[2], theirs[3]});
    counter = ours;
    key = {ours[3], ours[1]};
  }
}
#endif

TEST_CASE("Seed, stream, step and element each change every draw") {
  Rng const rng{.seed = 1, .stream = 2, .step = 3};
  std::set<Four> draws{
      rng.words(4),
      rng.words(5),
      rng.words(std::uint64_t{4} | std::uint64_t{1} << 32),
      rng.next().words(4),
      rng.at_step(std::uint64_t{3} | std::uint64_t{1} << 32).words(4),
      rng.with_stream(7).words(4),
      Rng{.seed = 9, .stream = 2, .step = 3}.words(4),
      Rng{.seed = std::uint64_t{1} | std::uint64_t{1} << 32, .stream = 2, .step = 3}.words(4)};
  CHECK(draws.size() == 8);
  CHECK(rng.next().step == 4);
  CHECK(rng.with_stream(2).words(4) == rng.words(4));
}

TEST_CASE("Uniform numbers lie in [0, 1) and spread over it; integers reach each value about as often") {
  Rng const rng{.seed = 3};
  double sum = 0;
  std::array<int, 7> counts{};
  for (std::uint64_t i = 0; i < 70000; ++i) {
    float const u = rng.uniform(i);
    REQUIRE(u >= 0);
    REQUIRE(u < 1);
    sum += static_cast<double>(u);
    std::uint32_t const k = rng.below(7, i);
    REQUIRE(k < 7);
    ++counts[k];
  }
  CHECK(std::abs(sum / 70000 - 0.5) < 0.006);  // five standard deviations
  for (int count : counts) CHECK(std::abs(count - 10000) < 470);
  CHECK(rng.below(1, 0) == 0);
}

}  // namespace diffsiam::test
