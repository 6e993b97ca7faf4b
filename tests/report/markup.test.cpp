#include <tests/support/catch.hpp>

#include <diffsiam/report/markup.hpp>

using diffsiam::report::escape_markup;

TEST_CASE("markup is escaped and control characters are dropped", "[report][markup]") {
  CHECK(escape_markup("a<b & \"c\" > 'd'") == "a&lt;b &amp; &quot;c&quot; &gt; &#39;d&#39;");
  CHECK(escape_markup("line\n\ttab \x01\x1b[0m \u00b1") == "line\n\ttab [0m \u00b1");
}
