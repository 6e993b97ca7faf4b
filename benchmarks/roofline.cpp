// What this machine can do at most: multiply-adds of registers in float32 and in bfloat16, and a copy of
// memory that no cache holds. One JSON line, to be read beside those of the other programs.
//
//   build/bench/benchmarks/roofline --threads 2

#include <cstdio>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "support/limits.hpp"
#include <experiments/support/options.hpp>
#include <experiments/support/program.hpp>

namespace ds = diffsiam;

int main(int argc, char** argv) {
  int count = 2;
  CLI::App app{"What this machine can do at most. Prints one JSON line.", "roofline"};
  experiments::add_threads(app, count);
  return experiments::run_program(app, argc, argv, [&] {
    ds::ThreadPool threads{count};
    nlohmann::ordered_json const record{{"program", "roofline"},
                                        {"threads", threads.threads()},
                                        {"float32_gflops", bench::peak_flops<float>(threads) / 1e9},
                                        {"bf16_gflops", bench::peak_flops<ds::BFloat16>(threads) / 1e9},
                                        {"copy_gbytes_per_second", bench::copy_bytes(threads) / 1e9}};
    std::printf("%s\n", record.dump().c_str());
  });
}
