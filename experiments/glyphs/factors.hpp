// What varies in the pictures of glyphs, and the binary attributes that are asked of them.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <experiments/attributes.hpp>

namespace experiments {

/// The order of values and columns.
enum class GlyphFactor {
  character,
  bold,
  slanted,  ///< italic or oblique
  serif,
  size,    ///< from small to large
  x,       ///< of the centre of the ink, from left to right
  y,       ///< the same from top to bottom
  ink,     ///< its hue, from red by way of yellow
  ground,  ///< its hue, in the same order, darker
};

inline constexpr std::size_t glyph_factors = 9;

/// A level for each factor.
using GlyphValues = std::array<int, glyph_factors>;

/// Letters and digits that do not look like another one of another size: of C and c, of 0 and O there is
/// none.
inline constexpr std::string_view glyph_characters = "ABDEFGHJLMNQRTYabdefghijmnqrty23456789";

inline constexpr std::array<int, glyph_factors> glyph_levels{
    static_cast<int>(glyph_characters.size()), 2, 2, 2, 4, 4, 4, 6, 6};
inline constexpr std::array<std::string_view, glyph_factors> glyph_factor_names{
    "character", "bold", "slanted", "serif", "size", "x", "y", "ink", "ground"};

[[nodiscard]] constexpr std::size_t index_of(GlyphFactor factor) {
  return static_cast<std::size_t>(factor);
}
[[nodiscard]] constexpr int level_of(GlyphValues const& values, GlyphFactor factor) {
  return values[index_of(factor)];
}

namespace detail {

struct CharacterClass {
  std::string_view name, characters;
};
/// What holds in upright and slanted faces, with serifs and without. Letters that have it in some faces only
/// count by the plain form: the 4 is closed, the t is no ascender.
inline constexpr std::array<CharacterClass, 9> character_classes{{{"capital", "ABDEFGHJLMNQRTY"},
                                                                  {"digit", "23456789"},
                                                                  {"vowel", "AEaei"},
                                                                  {"ascender", "bdfh"},
                                                                  {"descender", "gjqy"},
                                                                  {"dot", "ij"},
                                                                  {"closed", "ABDQRabdegq4689"},
                                                                  {"straight", "AEFHLMNTY47"},
                                                                  {"symmetric", "AHMTY8"}}};
inline constexpr std::array<std::string_view, 6> hue_names{"red",  "yellow", "green",
                                                           "cyan", "blue",   "magenta"};

}  // namespace detail

/// 27 attributes: classes of characters, style, size, place and hues.
[[nodiscard]] inline std::vector<Attribute> glyph_attributes() {
  std::vector<Attribute> attributes;
  auto const add = [&](std::string name, GlyphFactor factor, std::vector<int> levels) {
    attributes.push_back({std::move(name), index_of(factor), std::move(levels)});
  };
  for (auto const& each : detail::character_classes) {
    std::vector<int> levels;
    for (char const c : each.characters) levels.push_back(static_cast<int>(glyph_characters.find(c)));
    add(std::string(each.name), GlyphFactor::character, std::move(levels));
  }
  add("bold", GlyphFactor::bold, {1});
  add("slanted", GlyphFactor::slanted, {1});
  add("serif", GlyphFactor::serif, {1});
  add("large", GlyphFactor::size, {2, 3});
  add("left", GlyphFactor::x, {0, 1});
  add("up", GlyphFactor::y, {0, 1});
  for (int hue = 0; hue < 6; ++hue) {
    std::string const name{detail::hue_names[static_cast<std::size_t>(hue)]};
    add(name + " ink", GlyphFactor::ink, {hue});
    add(name + " ground", GlyphFactor::ground, {hue});
  }
  return attributes;
}

}  // namespace experiments
