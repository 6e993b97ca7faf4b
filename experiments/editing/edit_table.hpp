// The table of edits: what was asked of the pictures, and what each direction in z made of it.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include <diffsiam/eval/edit_effect.hpp>

#include <experiments/learner.hpp>

namespace experiments {

/// "Trouser", or "size 4" where levels have no names.
[[nodiscard]] inline std::string name_of(FactorTable const& factors, Wish const& wish) {
  if (!factors.level_names.empty()) return factors.level_names[static_cast<std::size_t>(wish.level)];
  return factors.names[wish.factor] + " " + std::to_string(wish.level);
}

/// One edit of some pictures.
struct Manipulation {
  std::string direction{};  ///< "all dims", how many, or "level means"
  double strength = 0;
  ds::eval::EditEffect effect{};
  double moved = 0;                 ///< MSE between the pictures before and after
  ds::Tensor<B> before{}, after{};  ///< a few
};

/// One wish, tried in every direction on the same pictures.
struct WishEdits {
  Wish wish;
  Manipulation all_dims, masked, level_means;

  [[nodiscard]] std::array<Manipulation const*, 3> directions() const {
    return {&all_dims, &masked, &level_means};
  }
};

/// Everything that was tried with the z of one method.
struct MethodEdits {
  std::string method;
  std::vector<WishEdits> wishes{};
};

/// An object an edit: wish after wish, and of each the directions.
[[nodiscard]] inline nlohmann::ordered_json json_of(MethodEdits const& edits, FactorTable const& factors) {
  auto list = nlohmann::ordered_json::array();
  for (WishEdits const& of : edits.wishes)
    for (Manipulation const* const edit : of.directions())
      list.push_back({{"wish", name_of(factors, of.wish)},
                      {"direction", edit->direction},
                      {"strength", edit->strength},
                      {"reached", edit->effect.reached},
                      {"target", edit->effect.target},
                      {"others", edit->effect.others},
                      {"ratio", edit->effect.ratio},
                      {"share", edit->effect.share},
                      {"picture_mse", edit->moved}});
  return list;
}

/// Means over the wishes, by direction; `ratio` is that of the two means before it, since a single ratio may
/// be infinite.
[[nodiscard]] inline nlohmann::ordered_json means_of(MethodEdits const& edits) {
  nlohmann::ordered_json result;
  auto const count = static_cast<double>(edits.wishes.size());
  for (std::size_t direction = 0; direction < 3 && !edits.wishes.empty(); ++direction) {
    auto const mean = [&](double ds::eval::EditEffect::* measure) {
      double sum = 0;
      for (WishEdits const& of : edits.wishes) sum += of.directions()[direction]->effect.*measure / count;
      return sum;
    };
    using Effect = ds::eval::EditEffect;
    double const target = mean(&Effect::target), others = mean(&Effect::others);
    result[edits.wishes.front().directions()[direction]->direction] = {{"reached", mean(&Effect::reached)},
                                                                       {"target", target},
                                                                       {"others", others},
                                                                       {"ratio", target / others},
                                                                       {"share", mean(&Effect::share)}};
  }
  return result;
}

}  // namespace experiments
