// text: a sentence from its pieces, out of line. Errors are described in hundreds of places; joining strings
// with operators there would take as long to compile as the work itself.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <type_traits>

#include <diffsiam/config.hpp>

namespace diffsiam {

/// A string that outlives the call, or a number.
class TextPiece {
 public:
  constexpr TextPiece(char const* string) : string_(string) {}       // NOLINT: implicit by design
  constexpr TextPiece(std::string_view string) : string_(string) {}  // NOLINT
  TextPiece(std::string const& string) : string_(string) {}          // NOLINT
  template <class N>
    requires std::is_arithmetic_v<N>
  constexpr TextPiece(N number)  // NOLINT
      : kind_(std::is_integral_v<N> ? Kind::integer : Kind::real) {
    if constexpr (std::is_integral_v<N>)
      integer_ = static_cast<std::int64_t>(number);
    else
      real_ = static_cast<double>(number);
  }

  DIFFSIAM_OUT_OF_LINE void append_to(std::string& text) const {
    switch (kind_) {
      case Kind::string:
        text += string_;
        break;
      case Kind::integer:
        text += std::to_string(integer_);
        break;
      case Kind::real:
        text += std::to_string(real_);
        break;
    }
  }

 private:
  enum class Kind { string, integer, real };
  Kind kind_ = Kind::string;
  std::string_view string_;
  std::int64_t integer_ = 0;
  double real_ = 0;
};

/// text({"an image of ", channels, " channels"}).
[[nodiscard]] DIFFSIAM_OUT_OF_LINE inline std::string text(std::initializer_list<TextPiece> pieces) {
  std::string result;
  for (TextPiece const& piece : pieces) piece.append_to(result);
  return result;
}

}  // namespace diffsiam
