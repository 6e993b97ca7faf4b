// Compiles only while accessors that hand out a view of their object refuse temporaries, or give them a
// value.
#include <cstdlib>
#include <type_traits>
#include <utility>
#include <vector>

#include <diffsiam/backend/cpu.hpp>
#include <diffsiam/data/dataset.hpp>
#include <diffsiam/data/partners.hpp>
#include <diffsiam/diffsiam.hpp>
#include <diffsiam/eval/feature_set.hpp>
#include <diffsiam/eval/nearest.hpp>
#include <diffsiam/eval/subset_factor_map.hpp>
#include <diffsiam/io/mapped_file.hpp>
#include <diffsiam/io/safetensors.hpp>
#include <diffsiam/train/adam.hpp>

namespace diffsiam::test {

using B = backend::Cpu<float>;

template <class T, class F>
consteval bool answers(F) {
  return std::is_invocable_v<F, T>;
}
#define ASKED(call) [](auto&& x) -> decltype(std::forward<decltype(x)>(x).call) { std::abort(); }

// Views: of lasting objects alone. `type const` stands for what a function returns as const.
#define TAKES_NO_TEMPORARY(type, call)              \
  static_assert(answers<type const&>(ASKED(call))); \
  static_assert(!answers<type>(ASKED(call)));       \
  static_assert(!answers<type const>(ASKED(call)))

TAKES_NO_TEMPORARY(eval::Neighbours, of(0));
TAKES_NO_TEMPORARY(eval::SubsetFactorMap, alone_of(0));
TAKES_NO_TEMPORARY(eval::SubsetFactorMap, prefix_of(0));
TAKES_NO_TEMPORARY(data::Partners, of(0));
TAKES_NO_TEMPORARY(eval::FeatureSet, features());
TAKES_NO_TEMPORARY(io::MappedFile, bytes());
TAKES_NO_TEMPORARY(io::SafetensorsFile, bytes(""));
TAKES_NO_TEMPORARY(NoiseSchedule, betas());
TAKES_NO_TEMPORARY(NoiseSchedule, alphas_cumprod());
TAKES_NO_TEMPORARY(NoiseSchedule, snr());
TAKES_NO_TEMPORARY(NoiseSchedule, shift_coef());
TAKES_NO_TEMPORARY(UNet<B>, time_embedding());
TAKES_NO_TEMPORARY(UNet<B>, down());
TAKES_NO_TEMPORARY(UNet<B>, up());

// References: of lasting objects; temporaries give a value.
#define GIVES_TEMPORARIES_A_VALUE(type, call)                                     \
  static_assert(std::is_reference_v<decltype(std::declval<type const&>().call)>); \
  static_assert(!std::is_reference_v<decltype(std::declval<type>().call)>);       \
  static_assert(!std::is_reference_v<decltype(std::declval<type const>().call)>)

GIVES_TEMPORARIES_A_VALUE(Tensor<B>, shape());
GIVES_TEMPORARIES_A_VALUE(Taped<B>, value());
GIVES_TEMPORARIES_A_VALUE(Taped<B>, shape());
GIVES_TEMPORARIES_A_VALUE(Parameter<B>, value());
GIVES_TEMPORARIES_A_VALUE(Parameter<B>, gradient());
GIVES_TEMPORARIES_A_VALUE(UNet<B>, config());
GIVES_TEMPORARIES_A_VALUE(ShiftDecoder<B>, denoiser());
GIVES_TEMPORARIES_A_VALUE(ModularEncoder<B>, partition());
GIVES_TEMPORARIES_A_VALUE(ModularEncoder<B>, backbone());
GIVES_TEMPORARIES_A_VALUE(encoder::ConvBackbone<B>, config());
GIVES_TEMPORARIES_A_VALUE(DiffSiam<B>, schedule());
GIVES_TEMPORARIES_A_VALUE(DiffSiam<B>, encoder());
GIVES_TEMPORARIES_A_VALUE(DiffSiam<B>, decoder());
GIVES_TEMPORARIES_A_VALUE(train::Adam<B>, parameters());
GIVES_TEMPORARIES_A_VALUE(train::Adam<B>, config());
GIVES_TEMPORARIES_A_VALUE(io::SafetensorsFile, shape(""));
GIVES_TEMPORARIES_A_VALUE(io::SafetensorsFile, metadata());

// The step that once was read after its end.
static_assert(std::is_same_v<decltype(std::declval<TimeGrid>().steps()), std::vector<int>>);

}  // namespace diffsiam::test
