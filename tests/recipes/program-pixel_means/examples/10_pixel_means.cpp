// Prints the mean pixel of pictures of drawn shapes.
//
//   build/demo/examples/pixel_means [PICTURES]
//
// ctest: 20

#include <cstdio>
#include <exception>
#include <string>

#include <diffsiam/data/shapes.hpp>

namespace ds = diffsiam;

int main(int argc, char** argv) {
  try {
    ds::Index const count = argc > 1 ? std::stol(argv[1]) : 100;
    auto const shapes = ds::data::ShapePictures{}.sample(count, {.seed = 1}).pictures;
    double sum = 0;
    for (ds::Index i = 0; i < shapes.size(); ++i)
      for (auto const pixel : shapes.pixels(i)) sum += pixel;
    std::printf("mean pixel of %ld pictures: %.2f\n", static_cast<long>(count),
                sum / static_cast<double>(count * shapes.image_size()));
  } catch (std::exception const& error) {
    std::fprintf(stderr, "pixel_means: %s\n", error.what());
    return 2;
  }
}
