// With the faces of fonts-dejavu-core and fonts-liberation2.
#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <numbers>
#include <numeric>
#include <set>
#include <span>
#include <string>
#include <vector>

#include <tests/io/scratch.hpp>
#include <tests/support/catch.hpp>

#include <diffsiam/io/file.hpp>

#include <experiments/glyphs/font_files.hpp>
#include <experiments/glyphs/pictures.hpp>

using namespace experiments;
using diffsiam::FileError;
using diffsiam::test::Approx;
using diffsiam::test::contains;
using diffsiam::test::message_of;
namespace fs = std::filesystem;

namespace {

fs::path const fonts{detail::debian_fonts};

std::vector<fs::path> liberation(std::vector<std::string> const& families) {
  std::vector<fs::path> files;
  for (std::string const& family : families)
    for (char const* const style : {"Regular", "Bold", "Italic", "BoldItalic"})
      files.push_back(fonts / "liberation2" / ("Liberation" + family + "-" + style + ".ttf"));
  return files;
}
GlyphPictures const& pictures() {
  static GlyphPictures const all{liberation({"Sans", "Serif"})};
  return all;
}

/// Pixels that are covered, in pixels.
double area(Ink const& ink) {
  return std::accumulate(ink.coverage.begin(), ink.coverage.end(), 0.0) / 255;
}

/// How far the ink moves to the right where it rises by one pixel: the slope of the regression of x on
/// height.
double lean(Ink const& ink) {
  double mass = 0, x = 0, y = 0, xy = 0, yy = 0;
  for (int row = 0; row < ink.height; ++row)
    for (int column = 0; column < ink.width; ++column) {
      double const m = ink.coverage[static_cast<std::size_t>(row * ink.width + column)], up = -row;
      mass += m;
      x += m * column;
      y += m * up;
      xy += m * column * up;
      yy += m * up * up;
    }
  return (xy / mass - x / mass * (y / mass)) / (yy / mass - y / mass * (y / mass));
}

using Pixel = std::array<int, 3>;
Pixel pixel(std::vector<std::uint8_t> const& picture, int row, int column) {
  auto const at = picture.begin() + 3 * (row * GlyphPictures::side + column);
  return {at[0], at[1], at[2]};
}

}  // namespace

TEST_CASE("faces of known fonts tell their style", "[experiments]") {
  FontLibrary const library;
  auto const style = [&](char const* file) { return FontFace{library, fonts / file}.style(); };
  CHECK(style("dejavu/DejaVuSans.ttf") == FontStyle{false, false, false});
  CHECK(style("dejavu/DejaVuSans-Bold.ttf") == FontStyle{true, false, false});
  CHECK(style("dejavu/DejaVuSerif.ttf") == FontStyle{false, false, true});
  CHECK(style("dejavu/DejaVuSerif-Bold.ttf") == FontStyle{true, false, true});
  CHECK(style("liberation2/LiberationSans-BoldItalic.ttf") == FontStyle{true, true, false});
  CHECK(style("liberation2/LiberationSerif-Regular.ttf") == FontStyle{false, false, true});
  CHECK(style("liberation2/LiberationSerif-Italic.ttf") == FontStyle{false, true, true});
}

TEST_CASE("a face that contradicts itself, and a file that is no font, are refused by name",
          "[experiments]") {
  FontLibrary const library;
  auto const message = [&](fs::path const& file) {
    return message_of<FileError>([&] { FontFace const face{library, file}; });
  };
  // A family class without serifs, and a PANOSE with thin ones.
  std::string const mono = message(fonts / "liberation2/LiberationMono-Regular.ttf");
  CHECK(mono == "FontFace: expected a family class and a PANOSE that agree about serifs in '" +
                    (fonts / "liberation2/LiberationMono-Regular.ttf").string() + "', got a contradiction");
  diffsiam::test::Scratch const scratch;
  diffsiam::io::write_file(scratch / "text.ttf", "no font");
  CHECK(contains(message(scratch / "text.ttf"), "a font that FreeType reads in '"));
  CHECK(contains(message(scratch / "none.ttf"), "none.ttf'"));
}

TEST_CASE("ink has the area and the place that the outline has", "[experiments]") {
  FontLibrary const library;
  FontFace const face{library, fonts / "dejavu/DejaVuSans.ttf"};
  // The I of DejaVu Sans is a rectangle of 202 by 1493 units, of which 2048 make an em.
  double const em = 20, unit = em / 2048;
  Ink const ink = face.ink('I', em, 10, 12);
  CHECK(area(ink) == Approx(202 * unit * 1493 * unit).epsilon(0.02));
  CHECK(ink.left == static_cast<int>(std::floor(10 - 101 * unit)));
  CHECK(ink.top == static_cast<int>(std::floor(12 - 746.5 * unit)));
  CHECK(ink.top + ink.height == static_cast<int>(std::ceil(12 + 746.5 * unit)));
  REQUIRE_THROWS_WITH(face.ink('\x01', em, 10, 12), contains("the character"));
}

TEST_CASE("bold faces have more ink, and slanted ones lean to the right", "[experiments]") {
  FontLibrary const library;
  for (std::string const family : {"Sans", "Serif"}) {
    auto const files = liberation({family});
    FontFace const regular{library, files[0]}, bold{library, files[1]}, italic{library, files[2]},
        bold_italic{library, files[3]};
    for (char const c : glyph_characters) {
      CAPTURE(family, c);
      auto const ink = [&](FontFace const& face) { return face.ink(c, 20, 16, 16); };
      CHECK(area(ink(bold)) > 1.1 * area(ink(regular)));
      CHECK(area(ink(bold_italic)) > 1.1 * area(ink(italic)));
      if (family == "Sans") CHECK(lean(ink(italic)) > lean(ink(regular)) + 0.1);  // the same letters, sheared
    }
    CHECK(std::abs(lean(regular.ink('H', 20, 16, 16))) < 0.02);  // the H is symmetric
    CHECK(lean(italic.ink('H', 20, 16, 16)) > 0.1);
    if (family == "Sans")  // sheared by 12 degrees
      CHECK(lean(italic.ink('H', 20, 16, 16)) == Approx(std::tan(12 * std::numbers::pi / 180)).margin(0.05));
  }
}

TEST_CASE("the largest glyphs stay inside of the picture at the outermost places", "[experiments]") {
  FontLibrary const library;
  auto files = liberation({"Sans", "Serif"});
  for (char const* const name : {"Sans", "Sans-Bold", "Serif", "Serif-Bold"})
    files.push_back(fonts / "dejavu" / ("DejaVu" + std::string(name) + ".ttf"));
  for (auto const& file : files) {
    FontFace const face{library, file};
    for (char const c : glyph_characters) {
      CAPTURE(file, c);
      Ink const first = face.ink(c, 23, 13, 13), last = face.ink(c, 23, 19, 19);
      CHECK(std::min(first.left, first.top) >= 0);
      CHECK(std::max(last.left + last.width, last.top + last.height) <= GlyphPictures::side);
    }
  }
}

TEST_CASE("a picture has the colours and the place of its values", "[experiments]") {
  GlyphValues values{};
  values[index_of(GlyphFactor::character)] = static_cast<int>(glyph_characters.find('H'));
  values[index_of(GlyphFactor::bold)] = 1;
  values[index_of(GlyphFactor::size)] = 3;
  values[index_of(GlyphFactor::ink)] = 2;
  auto const left = pictures().render(values);
  // Red: 85 + 45, and 85 - 45 / 2 rounded up. Green: 160 + 62 and 160 - 62 / 2.
  CHECK(pixel(left, 0, 0) == Pixel{130, 63, 63});
  std::set<Pixel> seen;
  for (int row = 0; row < GlyphPictures::side; ++row)
    for (int column = 0; column < GlyphPictures::side; ++column) seen.insert(pixel(left, row, column));
  CHECK(seen.contains(Pixel{129, 222, 129}));
  // From level 0 to level 3 there are six pixels.
  values[index_of(GlyphFactor::x)] = 3;
  auto const right = pictures().render(values);
  values[index_of(GlyphFactor::x)] = 0;
  values[index_of(GlyphFactor::y)] = 3;
  auto const down = pictures().render(values);
  for (int a = 0; a < GlyphPictures::side; ++a)
    for (int b = 0; b + 6 < GlyphPictures::side; ++b) {
      REQUIRE(pixel(right, a, b + 6) == pixel(left, a, b));
      REQUIRE(pixel(down, b + 6, a) == pixel(left, b, a));
    }
  values[index_of(GlyphFactor::ink)] = 6;
  REQUIRE_THROWS_WITH(pictures().render(values), contains("ink in [0, 6)") && contains("got 6"));
}

TEST_CASE("samples repeat by their stream, and draw every level of every factor", "[experiments]") {
  auto const sample = pictures().sample(500, {.seed = 0, .stream = 1});
  auto const again = pictures().sample(500, {.seed = 0, .stream = 1});
  CHECK(sample.pictures.shape() == diffsiam::Shape{500, 32, 32, 3});
  CHECK(sample.values == again.values);
  CHECK(sample.pictures.units() == again.pictures.units());
  CHECK(pictures().sample(500, {.seed = 0, .stream = 2}).values != sample.values);
  // The first ones do not depend on how many follow.
  auto const few = pictures().sample(20, {.seed = 0, .stream = 1});
  CHECK(few.pictures.units() == sample.pictures.slice(0, 20).units());
  for (std::size_t f = 0; f < glyph_factors; ++f) {
    std::set<int> levels;
    for (std::size_t i = f; i < sample.values.size(); i += glyph_factors) levels.insert(sample.values[i]);
    CAPTURE(glyph_factor_names[f]);
    CHECK(static_cast<int>(levels.size()) == glyph_levels[f]);
  }
}

TEST_CASE("fonts without one of the styles are refused with the style", "[experiments]") {
  CHECK(message_of<FileError>([] { GlyphPictures const none{liberation({"Sans"})}; }) ==
        "GlyphPictures: expected faces of each weight and slant, with serifs and without, got 4 fonts, but "
        "none regular, upright, with serifs");
}

TEST_CASE("fonts that are missing are named by their packages", "[experiments]") {
  diffsiam::test::Scratch const scratch;
  std::string const message = message_of<FileError>([&] { (void)debian_font_files(scratch / "nowhere"); });
  CHECK(contains(message,
                 "got 6 packages of them missing; apt-get install fonts-crosextra-caladea "
                 "fonts-dejavu-extra fonts-freefont-ttf fonts-liberation2 fonts-open-sans "
                 "fonts-paratype"));
  REQUIRE_THROWS_WITH(font_files_in(scratch / "nowhere"), contains("train', got none"));
}

TEST_CASE("the parts of Debian's fonts share no file", "[experiments]") {
  std::set<std::string> missing;
  std::vector<fs::path> all;
  for (std::span<detail::DebianFamily const> const part :
       {std::span<detail::DebianFamily const>{detail::training_fonts},
        std::span<detail::DebianFamily const>{detail::validation_fonts},
        std::span<detail::DebianFamily const>{detail::test_fonts}})
    for (fs::path const& file : detail::files_of(part, "", missing)) all.push_back(file);
  CHECK(all.size() == 40);
  CHECK(std::set<fs::path>(all.begin(), all.end()).size() == 40);
}
