// The table of edits: what was asked of the pictures, and what each direction in z made of it.
#pragma once

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
  std::string direction{};  ///< "all dims", how many, "level means", "z drawn again"
  std::string part{};       ///< of z, where the direction leaves a choice
  double strength = 0;
  ds::eval::EditEffect effect{};
  double moved = 0;                 ///< MSE between the pictures before and after
  ds::Tensor<B> before{}, after{};  ///< a few
};

/// One wish, tried in every direction on the same pictures; the same directions for every wish.
struct WishEdits {
  Wish wish;
  std::vector<Manipulation> edits{};
};

/// Everything that was tried with the z of one method.
struct MethodEdits {
  std::string method;
  std::vector<WishEdits> wishes{};

  [[nodiscard]] std::size_t directions() const { return wishes.empty() ? 0 : wishes.front().edits.size(); }
};

/// An object an edit: wish after wish, and of each the directions.
[[nodiscard]] inline nlohmann::ordered_json json_of(MethodEdits const& edits, FactorTable const& factors) {
  auto list = nlohmann::ordered_json::array();
  for (WishEdits const& of : edits.wishes)
    for (Manipulation const& edit : of.edits) {
      list.push_back({{"wish", name_of(factors, of.wish)},
                      {"direction", edit.direction},
                      {"strength", edit.strength},
                      {"reached", edit.effect.reached},
                      {"target", edit.effect.target},
                      {"others", edit.effect.others},
                      {"ratio", edit.effect.ratio},
                      {"share", edit.effect.share},
                      {"picture_mse", edit.moved}});
      if (!edit.part.empty()) list.back()["part"] = edit.part;
    }
  return list;
}

/// Means of one direction over the wishes.
struct MeanEffect {
  std::string direction{};
  double reached = 0, target = 0, others = 0, share = 0;

  /// Of the two means, since a single ratio may be infinite; 0 if nothing changed.
  [[nodiscard]] double ratio() const { return target == 0 ? 0 : target / others; }
};

[[nodiscard]] inline std::vector<MeanEffect> means_of(MethodEdits const& edits) {
  std::vector<MeanEffect> result(edits.directions());
  auto const count = static_cast<double>(edits.wishes.size());
  for (WishEdits const& of : edits.wishes)
    for (std::size_t d = 0; d < result.size(); ++d) {
      ds::eval::EditEffect const& effect = of.edits[d].effect;
      result[d].direction = of.edits[d].direction;
      result[d].reached += effect.reached / count;
      result[d].target += effect.target / count;
      result[d].others += effect.others / count;
      result[d].share += effect.share / count;
    }
  return result;
}

/// An object a direction; `to_oracle` is the ratio divided by that of `oracle`, where there is one.
[[nodiscard]] inline nlohmann::ordered_json json_of(std::vector<MeanEffect> const& means,
                                                    MeanEffect const* oracle = nullptr) {
  nlohmann::ordered_json result;
  for (MeanEffect const& mean : means) {
    auto& entry = result[mean.direction];
    entry = {{"reached", mean.reached},
             {"target", mean.target},
             {"others", mean.others},
             {"ratio", mean.ratio()},
             {"share", mean.share}};
    if (oracle != nullptr) entry["to_oracle"] = mean.ratio() / oracle->ratio();
  }
  return result;
}

}  // namespace experiments
