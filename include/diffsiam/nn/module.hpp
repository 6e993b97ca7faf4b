// Module: anything that names its children once. Parameters, EMA, checkpoints, freezing and summaries all
// walk that.
#pragma once

#include <concepts>
#include <string>
#include <utility>
#include <vector>

#include <diffsiam/value/parameter.hpp>

namespace diffsiam::nn {

/// A child's name here and in published PyTorch weights. An empty part adds no level to the path.
struct ChildName {
  std::string name;
  std::string published;

  ChildName(char const* both) : name(both), published(both) {}             // NOLINT: implicit by design
  ChildName(std::string both) : name(both), published(std::move(both)) {}  // NOLINT
  ChildName(std::string ours, std::string theirs) : name(std::move(ours)), published(std::move(theirs)) {}
};

/// Accepts any child; for the concept below.
struct AnyVisitor {
  template <class Child>
  void operator()(ChildName const&, Child const&) const {}
};

/// Satisfied if and only if M has `template <class F> void for_each_child(F&& f) const`, calling f(ChildName,
/// child) for every child: a Parameter, a Buffer, or another Module. Models: every layer, block and network.
template <class M>
concept Module = requires(M const& module) { module.for_each_child(AnyVisitor{}); };

namespace detail {

inline std::string joined(std::string const& prefix, std::string const& name) {
  if (prefix.empty() || name.empty()) return prefix + name;
  return prefix + "." + name;
}

template <class M, class F>
void walk(ChildName const& path, M const& module, F& f) {
  module.for_each_child([&](ChildName const& child_name, auto const& child) {
    ChildName const child_path{joined(path.name, child_name.name),
                               joined(path.published, child_name.published)};
    if constexpr (Module<std::remove_cvref_t<decltype(child)>>) {
      walk(child_path, child, f);
    } else {
      f(child_path, child);
    }
  });
}

}  // namespace detail

/// Calls f(path, leaf) for every Parameter and Buffer below `module`, in the order its children are named.
/// Parameters that a layer was built without are skipped.
template <Module M, class F>
void for_each_leaf(M const& module, F&& f, ChildName const& prefix = {""}) {
  auto visit = [&f](ChildName const& path, auto const& leaf) {
    if constexpr (requires { static_cast<bool>(leaf); }) {
      if (!leaf) return;
    }
    f(path, leaf);
  };
  detail::walk(prefix, module, visit);
}

template <class B>
struct NamedParameter {
  ChildName name;
  Parameter<B> parameter;
};
template <class B>
struct NamedBuffer {
  ChildName name;
  Buffer<B> buffer;
};

/// What an optimizer, an EMA or a checkpoint holds of one or more modules.
template <class B>
struct ParameterList {
  std::vector<NamedParameter<B>> parameters;
  std::vector<NamedBuffer<B>> buffers;

  /// Number of scalars in all parameters.
  [[nodiscard]] Index size() const {
    Index total = 0;
    for (auto const& entry : parameters) total += entry.parameter.shape().size();
    return total;
  }
  /// Adds those below `module`, under `prefix`; what is there already (shared weights) is not added again.
  template <Module M>
  void add(M const& module, ChildName const& prefix = {""}) {
    for_each_leaf(
        module,
        [this](ChildName const& path, auto const& leaf) {
          if constexpr (std::same_as<std::remove_cvref_t<decltype(leaf)>, Parameter<B>>) {
            for (auto const& entry : parameters)
              if (entry.parameter.same_as(leaf)) return;
            parameters.push_back({path, leaf});
          } else {
            for (auto const& entry : buffers)
              if (entry.buffer.same_as(leaf)) return;
            buffers.push_back({path, leaf});
          }
        },
        prefix);
  }
};

/// Everything below the given modules that is trainable, and all buffers.
template <Module First, Module... Rest>
[[nodiscard]] auto parameters(First const& first, Rest const&... rest) {
  using B = typename First::Backend;
  ParameterList<B> list;
  list.add(first);
  (list.add(rest), ...);
  std::erase_if(list.parameters, [](auto const& entry) { return !entry.parameter.trainable(); });
  return list;
}

/// Freezes (or thaws) every parameter below `module`: it records nothing and is given no gradient.
template <Module M>
void set_trainable(M const& module, bool trainable) {
  for_each_leaf(module, [&](ChildName const&, auto const& leaf) {
    if constexpr (requires { leaf.set_trainable(trainable); }) leaf.set_trainable(trainable);
  });
}
template <Module M>
void freeze(M const& module) {
  set_trainable(module, false);
}

}  // namespace diffsiam::nn
