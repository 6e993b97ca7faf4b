#include <tests/support/catch.hpp>

#include <diffsiam/core/build_info.hpp>

namespace ds = diffsiam;

TEST_CASE("Build info tells compiler, standard and backends in one line", "[core]") {
  ds::BuildInfo const info = ds::build_info();
  CHECK(info.version == ds::version());
  CHECK((info.compiler.starts_with("g++ ") || info.compiler.starts_with("clang ")));
  CHECK(info.standard >= 202002L);
  CHECK(info.backends.starts_with("reference, cpu"));

  CHECK(ds::to_text({.version = "1.2.3",
                     .compiler = "g++ 12.2.0",
                     .standard = 202002,
                     .instruction_set = "AVX2",
                     .backends = "reference, cpu",
                     .threads = 2}) ==
        "diffsiam 1.2.3 (g++ 12.2.0, C++ 202002, AVX2; backends: reference, cpu; 2 threads)");
}
