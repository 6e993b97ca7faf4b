// Models that a file cannot describe: each is refused with a sentence that says what to add.
// EXPECT: A backbone that a file describes has a kind, config() and Config::for_each_field;
// EXPECT: A head that a file describes has a name: static constexpr std::string_view kind;
// EXPECT: Blocks that a file describes have a name: static constexpr std::string_view kind
// EXPECT: for another model specialise ModelDescription of io/model_description.hpp
#include <tests/consumer/subproject/own_backbone.hpp>
#include <tests/consumer/subproject/own_head.hpp>

#include <diffsiam/backend/reference.hpp>
#include <diffsiam/io/model_file.hpp>
#include <diffsiam/model/autoencoder.hpp>

namespace ds = diffsiam;
using B = ds::backend::Reference<float>;

struct OwnBlocks : ds::unet::Blocks {
#ifndef TWIN
  void kind() const;
#endif
};
#ifdef TWIN
using Backbone = ds::encoder::ConvBackbone<B>;
using Head = ds::encoder::SubsetHeads<B>;
using Model = ds::DiffSiam<B>;
#else
using Backbone = OneConvolution<B>;
using Head = UnitHead<B>;
using Model = ds::model::Autoencoder<B>;
#endif

void use(ds::ModularEncoder<B, Backbone> const& backbone,
         ds::ModularEncoder<B, ds::encoder::ConvBackbone<B>, Head> const& head,
         ds::unet::UNet<B, OwnBlocks> const& blocks, Model const& model) {
  ds::save("backbone", backbone);
  ds::save("head", head);
  ds::save("blocks", blocks);
  ds::save("model", model);
}
