// Reconstructions: what z and x_T hold of a picture together, and what z holds alone.
#pragma once

#include <cmath>
#include <string>
#include <vector>

#include <diffsiam/eval/ssim.hpp>

#include <experiments/editing/subjects.hpp>

namespace experiments {

/// How like pictures are to others, on [0, 1].
struct Likeness {
  double mse = 0;
  double psnr = 0;  ///< dB, of the mean squared error over all pictures
  double ssim = 0;

  [[nodiscard]] nlohmann::ordered_json json() const { return {{"mse", mse}, {"psnr", psnr}, {"ssim", ssim}}; }
};

[[nodiscard]] inline Likeness likeness(ds::Tensor<B> const& a, ds::Tensor<B> const& b) {
  auto const x = brightness(a), y = brightness(b);
  return {ds::eval::mean_squared_error(x, y), ds::eval::psnr(x, y), ds::eval::ssim(x, y, a.shape())};
}

struct Reconstruction {
  std::string method;
  Likeness inferred;           ///< from z and the inferred x_T
  Likeness random;             ///< from z and a random x_T
  ds::io::Picture pictures{};  ///< three rows: test pictures, inferred, random

  [[nodiscard]] nlohmann::ordered_json json() const {
    return {{"inferred_noise", inferred.json()}, {"random_noise", random.json()}};
  }
};

[[nodiscard]] inline Reconstruction reconstruct(Studio const& studio, EditableCode const& code,
                                                Subjects const& test) {
  auto const random = code.decode_alone(test.z);
  ds::Index const shown = std::min(studio.settings.shown, test.count());
  return {
      code.name, likeness(test.images, test.rebuilt), likeness(test.images, random),
      rows_of<B>({test.images.samples(0, shown), test.rebuilt.samples(0, shown), random.samples(0, shown)})};
}

inline void show_reconstructions(ds::report::HtmlReport& report, std::filesystem::path const& folder,
                                 std::vector<Reconstruction> const& results) {
  auto& section = report.section("2 Reconstructions");
  ds::report::Table table{.header = {"z of", "x_T", "MSE", "PSNR", "SSIM"},
                          .rows = {},
                          .caption = "Of test pictures on [0, 1]. A random x_T shows what z alone holds."};
  for (Reconstruction const& r : results) {
    auto const row = [&](std::string const& noise, Likeness const& l) {
      table.rows.push_back({r.method, noise, figure(l.mse, 5), figure(l.psnr, 1), figure(l.ssim)});
    };
    row("inferred", r.inferred);
    row("random", r.random);
  }
  section.table(table);
  for (Reconstruction const& r : results)
    show(section, folder, "reconstructions_" + r.method, r.pictures,
         r.method + ", from above: test pictures; from z and the inferred x_T; from z and a random x_T.");
}

}  // namespace experiments
