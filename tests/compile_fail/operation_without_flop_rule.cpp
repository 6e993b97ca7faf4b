// An operation that does not state its cost is refused.
// EXPECT: An operation needs a FLOP rule: add `double flops(Shapes in) const`.
#include <diffsiam/concepts/operation.hpp>

namespace diffsiam {

struct Number {};
template <>
inline constexpr int reading_strength<Number> = 1;
template <>
struct Reading<Number> {
  template <class Op>
  static Number evaluate(Op const&, Number const& x) {
    return x;
  }
};

struct Same {
  static constexpr std::string_view name = "same";
  [[nodiscard]] Shape shape(Shapes in) const { return in[0]; }
#ifdef TWIN
  [[nodiscard]] double flops(Shapes) const { return 0; }
#endif
};

}  // namespace diffsiam

int main() {
  diffsiam::evaluate(diffsiam::Same{}, diffsiam::Number{});
}
