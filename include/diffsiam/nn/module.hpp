// Module: anything that names its children once. Parameters, EMA, checkpoints, freezing and summaries all
// walk that.
#pragma once

#include <concepts>
#include <string>
#include <utility>
#include <vector>

#include <diffsiam/config.hpp>
#include <diffsiam/core/function_ref.hpp>
#include <diffsiam/value/parameter.hpp>

namespace diffsiam::nn {

/// A child's name here and in published PyTorch weights. An empty part adds no level to the path.
struct ChildName {
  std::string name;
  std::string published;

  // Out of line: a network names hundreds of children.
  [[gnu::noinline]] ChildName(char const* both)  // NOLINT: implicit by design
      : name(both), published(both) {}
  [[gnu::noinline]] ChildName(char const* ours, char const* theirs) : name(ours), published(theirs) {}
  [[gnu::noinline]] ChildName(std::string both) : name(both), published(std::move(both)) {}  // NOLINT
  [[gnu::noinline]] ChildName(std::string ours, std::string theirs)
      : name(std::move(ours)), published(std::move(theirs)) {}
  ChildName(ChildName const&) = default;
  ChildName(ChildName&&) = default;
  ChildName& operator=(ChildName const&) = default;
  ChildName& operator=(ChildName&&) = default;
  [[gnu::noinline]] ~ChildName() {}  // NOLINT
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

inline ChildName child_path(ChildName const& parent, ChildName const& child) {
  return {joined(parent.name, child.name), joined(parent.published, child.published)};
}

/// Any visitor of leaves, so that a network is walked by one instantiation whoever asks.
template <class B>
struct LeafVisitor {
  FunctionRef<void(ChildName const&, Parameter<B> const&)> parameter;
  FunctionRef<void(ChildName const&, Buffer<B> const&)> buffer;

  void operator()(ChildName const& path, Parameter<B> const& leaf) const {
    if (leaf) parameter(path, leaf);
  }
  void operator()(ChildName const& path, Buffer<B> const& leaf) const {
    if (leaf) buffer(path, leaf);
  }
};

/// Goes down from `path`.
template <class Visitor>
struct Walk {
  ChildName const& path;
  Visitor const& visit;

  template <class Child>
  DIFFSIAM_STEERS void operator()(ChildName const& name, Child const& child) const {
    ChildName const below = child_path(path, name);
    if constexpr (Module<Child>)
      child.for_each_child(Walk{below, visit});
    else
      visit(below, child);
  }
};

}  // namespace detail

/// Calls f(path, leaf) for every Parameter and Buffer below `module`, in the order its children are named.
/// Parameters that a layer was built without are skipped.
template <Module M, class F>
void for_each_leaf(M const& module, F&& f, ChildName const& prefix = {""}) {
  auto const visitor = [&f](ChildName const& path, auto const& leaf) {
    if constexpr (requires { static_cast<bool>(leaf); }) {
      if (!leaf) return;
    }
    f(path, leaf);
  };
  module.for_each_child(detail::Walk<decltype(visitor)>{prefix, visitor});
}
/// The same for a visitor of both kinds of leaves of backend B; compiled once a module, whatever the visitor.
template <class B, Module M, class F>
void for_each_leaf_of(M const& module, F&& f, ChildName const& prefix = {""}) {
  detail::LeafVisitor<B> const visitor{f, f};
  module.for_each_child(detail::Walk<detail::LeafVisitor<B>>{prefix, visitor});
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
    for_each_leaf_of<B>(
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
  auto const set = [&](ChildName const&, auto const& leaf) {
    if constexpr (requires { leaf.set_trainable(trainable); }) leaf.set_trainable(trainable);
  };
  if constexpr (requires { typename M::Backend; })
    for_each_leaf_of<typename M::Backend>(module, set);
  else
    for_each_leaf(module, set);
}
template <Module M>
void freeze(M const& module) {
  set_trainable(module, false);
}

}  // namespace diffsiam::nn
