// text: joins a sentence from pieces, in a function that is not inlined. Errors are described in hundreds of
// places; string operators there would take as long to compile as the work itself.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

#include <diffsiam/config.hpp>

namespace diffsiam {

/// A string, extents or other pieces that outlive the call, or a number.
class TextPiece {
 public:
  constexpr TextPiece(std::string_view string)  // NOLINT: implicit by design
      : size_(string.size()), string_(string.data()) {}
  TextPiece(std::string const& string) : TextPiece(std::string_view{string}) {}  // NOLINT
  // Its length is measured only when it is read: most of these errors never happen.
  constexpr TextPiece(char const* string) : kind_(Kind::literal), string_(string) {}  // NOLINT
  /// "(64, 28, 28, 1)".
  constexpr TextPiece(std::span<std::int64_t const> extents)  // NOLINT
      : kind_(Kind::extents), size_(extents.size()), extents_(extents.data()) {}
  template <std::integral N>
  constexpr TextPiece(N number)  // NOLINT
      : kind_(Kind::integer), integer_(static_cast<std::int64_t>(number)) {}
  template <std::floating_point N>
  constexpr TextPiece(N number)  // NOLINT
      : kind_(Kind::real), real_(static_cast<double>(number)) {}

  /// Appends what the piece stands for.
  DIFFSIAM_OUT_OF_LINE void append_to(std::string& text) const {
    switch (kind_) {
      case Kind::string:
        text.append(string_, size_);
        break;
      case Kind::literal:
        text.append(string_);
        break;
      case Kind::integer:
        append(text, integer_);
        break;
      case Kind::real:
        append(text, real_);
        break;
      case Kind::extents:
        text.append("(");
        for (std::size_t axis = 0; axis < size_; ++axis) {
          if (axis > 0) text.append(", ");
          append(text, extents_[axis]);
        }
        text.append(")");
        break;
      case Kind::pieces:
        for (std::size_t i = 0; i < size_; ++i) pieces_[i].append_to(text);
        break;
    }
  }

 protected:
  constexpr TextPiece(TextPiece const* pieces, std::size_t count)
      : kind_(Kind::pieces), size_(count), pieces_(pieces) {}

 private:
  // Like std::to_string, but without the three functions that it would add to every compilation.
  DIFFSIAM_OUT_OF_LINE static void append(std::string& text, std::int64_t number) {
    char digits[24];
    std::snprintf(digits, sizeof digits, "%lld", static_cast<long long>(number));
    text.append(digits);
  }
  DIFFSIAM_OUT_OF_LINE static void append(std::string& text, double number) {
    // Not %f, which shows 1e-9 as 0.000000.
    char digits[32];
    std::snprintf(digits, sizeof digits, "%g", number);
    text.append(digits);
  }

  enum class Kind { string, literal, integer, real, extents, pieces };
  Kind kind_ = Kind::string;
  std::size_t size_ = 0;
  // Small, because errors build arrays of them in hundreds of places.
  union {
    char const* string_;
    std::int64_t const* extents_;
    TextPiece const* pieces_;
    std::int64_t integer_;
    double real_;
  };
};

/// One piece or several, as an argument: "a string", or {"an image of ", channels, " channels"}.
class Text : public TextPiece {
 public:
  /// One piece.
  template <class Piece>
    requires std::is_convertible_v<Piece const&, TextPiece>
  constexpr Text(Piece const& piece)
      : TextPiece(static_cast<TextPiece>(piece)) {}  // NOLINT: implicit by design
  /// Several pieces, joined in this order.
  constexpr Text(std::initializer_list<TextPiece> pieces)
      : TextPiece(pieces.begin(), pieces.size()) {}  // NOLINT
};

/// text({"an image of ", channels, " channels"}).
[[nodiscard]] DIFFSIAM_OUT_OF_LINE inline std::string text(Text const& pieces) {
  std::string result;
  pieces.append_to(result);
  return result;
}

}  // namespace diffsiam
