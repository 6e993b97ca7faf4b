// Chooses backend and precision while the program runs. A backend is a type, so the work is a template,
// run<B> (run.hpp), and each backend has a file of its own that compiles it: they are built side by side, and
// one that needs a library or another compiler, such as nvcc, is left out where that is missing.
//
//   build/demo/examples/choose_backend cpu     # or bf16, onednn
// ctest: bf16

#include <cstdio>
#include <exception>
#include <map>
#include <string>

#include <diffsiam/core/version.hpp>

#include "backends.hpp"

int main(int argc, char** argv) try {
  std::map<std::string, double (*)(int steps)> const backends{
      {"cpu", run_on_cpu},
      {"bf16", run_in_bfloat16},
#ifdef DIFFSIAM_WITH_ONEDNN
      {"onednn", run_on_onednn},
#endif
  };
  auto const chosen = backends.find(argc == 2 ? argv[1] : "");
  if (chosen == backends.end()) {
    std::string names;
    for (auto const& [name, run] : backends) names += " " + name;
    bool const asked = argc == 2 && (argv[1] == std::string{"--help"} || argv[1] == std::string{"--version"});
    std::fprintf(asked ? stdout : stderr, "choose_backend %s\nname one of these backends:%s\n",
                 diffsiam::version().c_str(), names.c_str());
    return asked ? 0 : 2;
  }
  std::printf("%s: loss %.4f after 20 steps\n", argv[1], chosen->second(20));
} catch (std::exception const& error) {
  std::fprintf(stderr, "choose_backend: %s\n", error.what());
  return 1;
}
