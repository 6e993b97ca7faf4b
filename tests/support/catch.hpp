// Catch2, version 2 or 3, under one name: every test begins with this include.
#pragma once

#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>
#else
#include <catch2/catch.hpp>
#endif

#include <string>

namespace diffsiam::test {

#if __has_include(<catch2/catch_all.hpp>)
using Catch::Approx;
#else
using Catch::Detail::Approx;  // Catch::Approx is a matcher of vectors in version 2
#endif

/// Matches a message that contains `part`: REQUIRE_THROWS_WITH(call(), contains("conv2d") && contains("(2,
/// 3)")).
[[nodiscard]] inline auto contains(std::string const& part) {
#if __has_include(<catch2/catch_all.hpp>)
  return Catch::Matchers::ContainsSubstring(part);
#else
  return Catch::Matchers::Contains(part);
#endif
}

}  // namespace diffsiam::test
