// GlyphPictures: pictures of one letter or digit in one face of a font, ink on a plain ground, with known
// factors. All factors are drawn independently of each other; the face is drawn among those that have the
// style, so that weight, slant and serifs are known of every picture and no font has its own share of them.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <map>
#include <numbers>
#include <span>
#include <utility>
#include <vector>

#include <diffsiam/core/philox.hpp>
#include <diffsiam/data/dataset.hpp>

#include <experiments/glyphs/factors.hpp>
#include <experiments/glyphs/font_face.hpp>

namespace experiments {

/// Pictures with the values of their factors.
struct GlyphSample {
  ds::data::Dataset pictures;  ///< (count, side, side, 3), unlabelled
  std::vector<int> values{};   ///< (count, glyph_factors), row by row
};

/// Draws with the faces of some files. One thread draws, since FreeType's faces are for one at a time; so the
/// pictures depend on files, FreeType and random numbers alone.
class GlyphPictures {
 public:
  static constexpr int side = 32;

  /// Throws FileError for a file that FontFace refuses, and unless there is a face of each of the eight
  /// styles.
  explicit GlyphPictures(std::vector<std::filesystem::path> const& files) {
    for (auto const& file : files) {
      FontFace face{library_, file};
      faces_[face.style()].push_back(std::move(face));
    }
    for (int style = 0; style < 8; ++style)
      if (FontStyle const each{(style & 4) != 0, (style & 2) != 0, (style & 1) != 0}; !faces_.contains(each))
        ds::fail<ds::FileError>(
            "GlyphPictures", "faces of each weight and slant, with serifs and without",
            {files.size(), " fonts, but none ", each.bold ? "bold" : "regular", ", ",
             each.slanted ? "slanted" : "upright", ", ", each.serif ? "with" : "without", " serifs"});
  }

  /// The picture of `values` in face number `face` of those that have its style, (side, side, 3), 0..255;
  /// `face` is taken modulo their number. Throws RangeError for a value outside its levels.
  [[nodiscard]] std::vector<std::uint8_t> render(GlyphValues const& values, std::uint32_t face = 0) const {
    for (std::size_t f = 0; f < glyph_factors; ++f)
      if (values[f] < 0 || values[f] >= glyph_levels[f])
        ds::fail<ds::RangeError>("GlyphPictures::render",
                                 {glyph_factor_names[f], " in [0, ", glyph_levels[f], ")"}, values[f]);
    auto const level = [&](GlyphFactor factor) { return level_of(values, factor); };
    auto const& faces = faces_.at(
        {level(GlyphFactor::bold) == 1, level(GlyphFactor::slanted) == 1, level(GlyphFactor::serif) == 1});
    Ink const ink = faces[face % faces.size()].ink(
        glyph_characters[static_cast<std::size_t>(level(GlyphFactor::character))],
        least_em + em_step * level(GlyphFactor::size), place(level(GlyphFactor::x)),
        place(level(GlyphFactor::y)));
    Colour const ground = hue_around(85, 45, level(GlyphFactor::ground)),
                 colour = hue_around(160, 62, level(GlyphFactor::ink));
    std::vector<std::uint8_t> pixels;
    for (int row = 0; row < side; ++row)
      for (int column = 0; column < side; ++column) {
        double const covered = coverage_at(ink, row, column);
        for (std::size_t c = 0; c < 3; ++c)
          pixels.push_back(
              static_cast<std::uint8_t>(ground[c] + covered * (colour[c] - ground[c]) + 0.5 + 0x1p-20));
      }
    return pixels;
  }

  /// Pictures 0 .. count-1 of a random stream.
  [[nodiscard]] GlyphSample sample(ds::Index count, ds::Rng const& rng) const {
    std::vector<std::uint8_t> pixels;
    std::vector<int> all;
    for (std::uint64_t i = 0; i < static_cast<std::uint64_t>(count); ++i) {
      std::uint64_t const first = i * (glyph_factors + 1);
      GlyphValues values{};
      for (std::size_t f = 0; f < glyph_factors; ++f)
        values[f] = static_cast<int>(rng.below(static_cast<std::uint32_t>(glyph_levels[f]), first + f));
      auto const picture = render(values, rng.words(first + glyph_factors)[0]);
      pixels.insert(pixels.end(), picture.begin(), picture.end());
      all.insert(all.end(), values.begin(), values.end());
    }
    return {ds::data::Dataset{
                {.count = count, .height = side, .width = side, .channels = 3, .pixels = std::move(pixels)}},
            std::move(all)};
  }

 private:
  using Colour = std::array<double, 3>;

  // Pixels. The widest bold M, about one em, stays inside at the outermost places.
  static constexpr double least_em = 14, em_step = 3, place_step = 2;

  [[nodiscard]] static double place(int level) { return side / 2.0 + place_step * (level - 1.5); }
  /// One of six hues around a grey, all with the same distance from it; 0 is red, 1 yellow.
  [[nodiscard]] static Colour hue_around(double grey, double chroma, int sixths) {
    Colour result{};
    for (std::size_t c = 0; c < 3; ++c)
      result[c] =
          grey + chroma * std::cos(2 * std::numbers::pi * (sixths / 6.0 - static_cast<double>(c) / 3));
    return result;
  }
  /// The share of a pixel that has ink.
  [[nodiscard]] static double coverage_at(Ink const& ink, int row, int column) {
    int const y = row - ink.top, x = column - ink.left;
    if (y < 0 || y >= ink.height || x < 0 || x >= ink.width) return 0;
    return ink.coverage[static_cast<std::size_t>(y * ink.width + x)] / 255.0;
  }

  FontLibrary library_;
  std::map<FontStyle, std::vector<FontFace>> faces_;
};

}  // namespace experiments
