// A small check of XML: what a browser would refuse to draw must not pass.
#pragma once

#include <cctype>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace diffsiam::test {

namespace detail {

/// Whether every & begins an entity that XML knows, or a number.
inline bool entities_known(std::string_view text) {
  for (std::size_t at = text.find('&'); at != std::string_view::npos; at = text.find('&', at + 1)) {
    std::string_view const entity = text.substr(at + 1, text.find(';', at) - at - 1);
    bool known = entity.starts_with('#');
    for (std::string_view const name : {"lt", "gt", "amp", "quot", "apos"}) known = known || entity == name;
    if (!known) return false;
  }
  return true;
}

/// Whether the inside of a tag after its name is a list of name="value" with no name twice.
inline bool attributes_sound(std::string_view rest) {
  std::vector<std::string_view> names;
  while (!rest.empty()) {
    if (rest.front() != ' ') return false;
    rest.remove_prefix(1);
    std::size_t const equals = rest.find("=\"");
    if (equals == 0 || equals == std::string_view::npos) return false;
    std::string_view const name = rest.substr(0, equals);
    for (char const c : name)
      if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '-' && c != ':') return false;
    for (std::string_view const other : names)
      if (other == name) return false;
    names.push_back(name);
    std::size_t const end = rest.find('"', equals + 2);
    if (end == std::string_view::npos) return false;
    rest.remove_prefix(end + 1);
  }
  return true;
}

}  // namespace detail

/// Whether `xml` is one element whose tags are closed in order, with sound attributes and known entities. No
/// comments, no declarations, no '<' in attributes.
[[nodiscard]] inline bool well_formed(std::string_view xml) {
  std::vector<std::string_view> open;
  if (!detail::entities_known(xml) || !xml.starts_with('<')) return false;
  for (std::size_t at = 0; at != std::string_view::npos; at = xml.find('<', at + 1)) {
    std::size_t const end = xml.find('>', at);
    if (end == std::string_view::npos || (at > 0 && open.empty())) return false;
    std::string_view tag = xml.substr(at + 1, end - at - 1);
    if (tag.starts_with('/')) {
      if (open.back() != tag.substr(1)) return false;
      open.pop_back();
      if (open.empty() && end + 1 != xml.size()) return false;
      continue;
    }
    bool const closed = tag.ends_with('/');
    if (closed) tag.remove_suffix(1);
    std::string_view const name = tag.substr(0, tag.find(' '));
    if (name.empty() || !detail::attributes_sound(tag.substr(name.size()))) return false;
    if (!closed) open.push_back(name);
  }
  return open.empty();
}

}  // namespace diffsiam::test
