// A face of a font file, read with FreeType: the style that its tables tell, and the ink of a character.
#pragma once

#include <ft2build.h>
#include FT_FREETYPE_H
#include FT_OUTLINE_H
#include FT_TRUETYPE_TABLES_H

#include <cmath>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <diffsiam/core/error.hpp>

namespace experiments {

namespace ds = diffsiam;

/// Of a face, as its own tables have it.
struct FontStyle {
  bool bold = false;     ///< weight class of 600 or more
  bool slanted = false;  ///< italic or oblique
  bool serif = false;

  [[nodiscard]] auto operator<=>(FontStyle const&) const = default;
};

/// Where a character has ink: coverage 0..255 of (height, width) pixels in rows from the top, of which the
/// first stands at (left, top) of a picture. An empty one has no pixels.
struct Ink {
  int left = 0, top = 0, width = 0, height = 0;
  std::vector<std::uint8_t> coverage{};
};

/// FreeType, which one thread at a time may use with all faces that were opened by it.
class FontLibrary {
 public:
  /// Throws ConfigError where FreeType does not start.
  FontLibrary() {
    FT_Library library = nullptr;
    if (FT_Error const error = FT_Init_FreeType(&library); error != 0)
      ds::fail<ds::ConfigError>("FreeType", "to start", {"its error ", error});
    handle_.reset(library);
  }
  [[nodiscard]] FT_Library handle() const { return handle_.get(); }

 private:
  struct Close {
    void operator()(FT_Library library) const { FT_Done_FreeType(library); }
  };
  std::unique_ptr<std::remove_pointer_t<FT_Library>, Close> handle_;
};

/// One face; it must not outlive its library.
class FontFace {
 public:
  /// Throws FileError, naming the file, for one that is no scalable font or does not tell its style.
  FontFace(FontLibrary const& library, std::filesystem::path path) : path_(std::move(path)) {
    FT_Face face = nullptr;
    if (FT_Error const error = FT_New_Face(library.handle(), path_.c_str(), 0, &face); error != 0)
      refuse("a font that FreeType reads", {"its error ", error});
    handle_.reset(face);
    auto const* const table = static_cast<TT_OS2 const*>(FT_Get_Sfnt_Table(face, FT_SFNT_OS2));
    if (!FT_IS_SCALABLE(face) || table == nullptr || table->version == 0xFFFF)
      refuse("outlines and an OS/2 table", "a font without them");
    style_ = {.bold = table->usWeightClass >= 600,
              .slanted = (face->style_flags & FT_STYLE_FLAG_ITALIC) != 0,
              .serif = serif_of(*table)};
  }

  [[nodiscard]] std::filesystem::path const& path() const& { return path_; }
  [[nodiscard]] std::filesystem::path path() const&& { return path_; }
  [[nodiscard]] FontStyle style() const { return style_; }

  /// The ink of a character, `em` pixels the size of the font, with the middle of its bounding box at (x, y)
  /// of a picture whose y grows downwards. Outlines are not hinted. Throws FileError for a character that the
  /// font does not have.
  [[nodiscard]] Ink ink(char character, double em, double x, double y) const {
    FT_Face const face = handle_.get();
    auto const glyph = FT_Get_Char_Index(face, static_cast<FT_ULong>(static_cast<unsigned char>(character)));
    if (glyph == 0) refuse({"the character ", std::string(1, character)}, "none");
    // Lengths of FreeType are in 64ths of a pixel, and its y grows upwards.
    auto const units = [](double pixels) { return static_cast<FT_Pos>(std::lround(64 * pixels)); };
    FT_Error error = FT_Set_Char_Size(face, 0, units(em), 72, 72);
    if (error == 0) error = FT_Load_Glyph(face, glyph, FT_LOAD_NO_HINTING | FT_LOAD_NO_BITMAP);
    if (error != 0) refuse({"an outline of ", std::string(1, character)}, {"FreeType's error ", error});
    FT_Outline& outline = face->glyph->outline;
    FT_BBox box{};
    FT_Outline_Get_CBox(&outline, &box);
    FT_Outline_Translate(&outline, units(x) - (box.xMin + box.xMax) / 2,
                         -units(y) - (box.yMin + box.yMax) / 2);
    error = FT_Render_Glyph(face->glyph, FT_RENDER_MODE_NORMAL);
    if (error != 0) refuse({"an outline of ", std::string(1, character)}, {"FreeType's error ", error});
    FT_Bitmap const& bitmap = face->glyph->bitmap;
    Ink ink{.left = face->glyph->bitmap_left,
            .top = -face->glyph->bitmap_top,
            .width = static_cast<int>(bitmap.width),
            .height = static_cast<int>(bitmap.rows)};
    for (int row = 0; row < ink.height; ++row) {
      std::uint8_t const* const begin = bitmap.buffer + static_cast<std::ptrdiff_t>(row) * bitmap.pitch;
      ink.coverage.insert(ink.coverage.end(), begin, begin + ink.width);
    }
    return ink;
  }

 private:
  struct Close {
    void operator()(FT_Face face) const { FT_Done_Face(face); }
  };

  [[noreturn]] void refuse(ds::Text const& expected, ds::Text const& got) const {
    ds::fail<ds::FileError>("FontFace", {expected, " in '", path_.string(), "'"}, got);
  }
  /// By IBM's family class (1 to 5 and 7 have serifs, 8 has none) and the serif style of PANOSE (2 to 10, and
  /// 11 to 15), as the specification of OpenType lists them. One of both has to tell, and they must not
  /// contradict each other.
  [[nodiscard]] bool serif_of(TT_OS2 const& table) const {
    std::optional<bool> by_class, by_panose;
    int const family = table.sFamilyClass >> 8, latin_text = 2, style = table.panose[1];
    if ((family >= 1 && family <= 5) || family == 7) by_class = true;
    if (family == 8) by_class = false;
    if (table.panose[0] == latin_text && style >= 2 && style <= 15) by_panose = style <= 10;
    if (!by_class && !by_panose) refuse("a family class or a PANOSE that tells of serifs", "neither");
    if (by_class && by_panose && *by_class != *by_panose)
      refuse("a family class and a PANOSE that agree about serifs", "a contradiction");
    return by_class ? *by_class : *by_panose;
  }

  std::filesystem::path path_;
  std::unique_ptr<std::remove_pointer_t<FT_Face>, Close> handle_;
  FontStyle style_;
};

}  // namespace experiments
