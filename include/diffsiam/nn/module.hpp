// Module: any type that names its children once. Parameters, EMA, checkpoints, freezing and summaries all use
// these names.
#pragma once

#include <concepts>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <diffsiam/config.hpp>
#include <diffsiam/core/function_ref.hpp>
#include <diffsiam/core/text.hpp>
#include <diffsiam/value/parameter.hpp>

namespace diffsiam::nn {

/// The name of a child here and in published PyTorch weights: "conv", or {"level_", level, ".up"}. An empty
/// name adds no level to the path. A name consists of pieces, so that naming hundreds of children needs
/// little code. The pieces are read during the call of for_each_child, so write the name in that call: in a
/// variable it would point at pieces that no longer exist.
struct ChildName {
  Text name;       ///< in this library
  Text published;  ///< in published weights

  /// One name for both.
  template <class Piece>
    requires std::is_convertible_v<Piece const&, TextPiece>
  ChildName(Piece const& both) : name(both), published(both) {}  // NOLINT: implicit by design
  /// A name of our own and a published one.
  ChildName(Text const& ours, Text const& theirs) : name(ours), published(theirs) {}
};

/// The two names of a parameter or buffer, from the module on which the walk began.
struct LeafName {
  std::string name;       ///< in this library
  std::string published;  ///< in published weights
};

/// Accepts any child; for the concept below.
struct AnyVisitor {
  /// Does nothing.
  template <class Child>
  void operator()(ChildName const&, Child const&) const {}
};

/// Satisfied if and only if M has `template <class F> void for_each_child(F&& f) const`, calling f(ChildName,
/// child) for every child: a Parameter, a Buffer, or another Module. Models: every layer, block and network.
///
/// A child that is not named is not seen. A TrainStep notices a Parameter that its loss reads (ConfigError at
/// the first step), check_gradients fails, and Checkpoint reports one that the optimizer trains. Two things
/// go unnoticed: a Buffer that is not named (it is never committed), and save_weights of a module whose
/// children were never trained.
template <class M>
concept Module = requires(M const& module) { module.for_each_child(AnyVisitor{}); };

namespace detail {

template <class M>
inline constexpr bool is_leaf = false;
template <class B>
inline constexpr bool is_leaf<Parameter<B>> = true;
template <class B>
inline constexpr bool is_leaf<Buffer<B>> = true;

/// The position of a walk: the names up to the module on which it began. They are joined for leaves only, so
/// that the walk itself needs no code that makes and destroys strings.
struct Path {
  Path const* above;
  ChildName const& name;

  [[nodiscard]] DIFFSIAM_OUT_OF_LINE LeafName joined() const {
    LeafName result = above != nullptr ? above->joined() : LeafName{};
    append(result.name, name.name);
    append(result.published, name.published);
    return result;
  }

 private:
  static void append(std::string& path, Text const& part) {
    std::size_t const before = path.size();
    if (before == 0) return part.append_to(path);
    part.append_to(path.append("."));
    if (path.size() == before + 1) path.resize(before);
  }
};

/// Any visitor of leaves, so that a network needs one instantiation of the walk for all callers.
template <class B>
struct LeafVisitor {
  FunctionRef<void(LeafName const&, Parameter<B> const&)> parameter;
  FunctionRef<void(LeafName const&, Buffer<B> const&)> buffer;

  void operator()(Path const& path, Parameter<B> const& leaf) const {
    if (leaf) parameter(path.joined(), leaf);
  }
  void operator()(Path const& path, Buffer<B> const& leaf) const {
    if (leaf) buffer(path.joined(), leaf);
  }
};

/// Walks down from `path`.
template <class Visitor>
struct Walk {
  Path const& path;
  Visitor const& visit;

  template <class Child>
  DIFFSIAM_OUT_OF_LINE void operator()(ChildName const& name, Child const& child) const {
    static_assert(Module<Child> || is_leaf<Child>,
                  "A child is a Parameter, a Buffer or a Module: add `template <class F> void "
                  "for_each_child(F&& f) const` to its type.");
    Path const here{&path, name};
    if constexpr (Module<Child>)
      child.for_each_child(Walk{here, visit});
    else if constexpr (is_leaf<Child>)
      visit(here, child);
  }
};

}  // namespace detail

/// Calls f(path, leaf) for every Parameter and Buffer below `root`, in the order in which the children are
/// named. Parameters that a layer was built without are skipped.
template <Module M, class F>
void for_each_leaf(M const& root, F&& f, ChildName const& prefix = {""}) {
  auto const visitor = [&f](detail::Path const& path, auto const& leaf) {
    if constexpr (requires { static_cast<bool>(leaf); }) {
      if (!leaf) return;
    }
    f(path.joined(), leaf);
  };
  detail::Path const path{nullptr, prefix};
  root.for_each_child(detail::Walk<decltype(visitor)>{path, visitor});
}
/// The same for a visitor of both kinds of leaves of backend B; compiled once for each module, whatever the
/// visitor.
template <class B, Module M, class F>
void for_each_leaf_of(M const& root, F&& f, ChildName const& prefix = {""}) {
  detail::LeafVisitor<B> const visitor{f, f};
  detail::Path const path{nullptr, prefix};
  root.for_each_child(detail::Walk<detail::LeafVisitor<B>>{path, visitor});
}

/// A parameter and its names.
template <class B>
struct NamedParameter {
  LeafName name;           ///< from the module on which the walk began
  Parameter<B> parameter;  ///< a handle to it
};
/// A buffer and its names.
template <class B>
struct NamedBuffer {
  LeafName name;     ///< from the module on which the walk began
  Buffer<B> buffer;  ///< a handle to it
};

/// The parameters and buffers of one or more modules, as an optimizer, an EMA or a checkpoint needs them.
template <class B>
struct ParameterList {
  std::vector<NamedParameter<B>> parameters;  ///< those that are trained or stored, none twice
  std::vector<NamedBuffer<B>> buffers;        ///< the same for buffers

  /// Number of scalars in all parameters.
  [[nodiscard]] Index size() const {
    Index total = 0;
    for (auto const& entry : parameters) total += entry.parameter.shape().size();
    return total;
  }
  /// Adds those below `module`, under `prefix`. What is already there (shared weights) is not added again.
  template <Module M>
  void add(M const& module, ChildName const& prefix = {""}) {
    for_each_leaf_of<B>(module, Add{*this, false}, prefix);
  }
  /// The same without frozen parameters.
  template <Module M>
  void add_trainable(M const& module, ChildName const& prefix = {""}) {
    for_each_leaf_of<B>(module, Add{*this, true}, prefix);
  }

 private:
  struct Add {
    ParameterList& list;
    bool trainable_only;

    void operator()(LeafName const& path, Parameter<B> const& leaf) const {
      if (trainable_only && !leaf.trainable()) return;
      for (auto const& entry : list.parameters)
        if (entry.parameter.same_as(leaf)) return;
      list.parameters.push_back({path, leaf});
    }
    void operator()(LeafName const& path, Buffer<B> const& leaf) const {
      for (auto const& entry : list.buffers)
        if (entry.buffer.same_as(leaf)) return;
      list.buffers.push_back({path, leaf});
    }
  };
};

/// Everything below the given modules that is trainable, and all buffers.
template <class First, class... Rest>
[[nodiscard]] auto parameters(First const& first, Rest const&... rest) {
  static_assert(Module<First> && (Module<Rest> && ...),
                "A module names its children: add `template <class F> void for_each_child(F&& f) const`.");
  using B = typename First::Backend;
  ParameterList<B> list;
  list.add_trainable(first);
  (list.add_trainable(rest), ...);
  return list;
}

/// Freezes every parameter below `module`, or makes it trainable again. A frozen parameter records nothing
/// and gets no gradient.
template <Module M>
void set_trainable(M const& module, bool trainable) {
  auto const set = [&](LeafName const&, auto const& leaf) {
    if constexpr (requires { leaf.set_trainable(trainable); }) leaf.set_trainable(trainable);
  };
  if constexpr (requires { typename M::Backend; })
    for_each_leaf_of<typename M::Backend>(module, set);
  else
    for_each_leaf(module, set);
}
/// set_trainable(module, false).
template <Module M>
void freeze(M const& module) {
  set_trainable(module, false);
}

}  // namespace diffsiam::nn
