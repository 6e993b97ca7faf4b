// cuBLASLt on the stand-in: arguments are checked as its manual says, and products are computed by plain
// loops.
#include <algorithm>
#include <bit>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include <cublasLt.h>

#include "device.hpp"
#include "numbers.hpp"
#include "tally.hpp"

using namespace diffsiam::standin;

struct cublasLtContext {};

namespace {

// What the opaque descriptors hold here.
struct Layout {
  std::uint32_t type;
  std::int32_t batch;
  std::int64_t rows, columns, leading, stride;
};
struct Product {
  std::uint32_t compute, scale;
  std::int32_t transposes_a, transposes_b, bias_type;
  std::uint32_t epilogue;
  void const* bias;
};
struct Preference {
  std::uint64_t workspace;
  std::uint32_t a, b, c, d, reduction_schemes;
};
struct Algorithm {
  std::uint32_t magic, a, b, c, d, workspace, bias;
};
constexpr std::uint32_t magic = 0x5AD1;
static_assert(sizeof(Layout) <= sizeof(cublasLtMatrixLayoutOpaque_t) &&
              sizeof(Product) <= sizeof(cublasLtMatmulDescOpaque_t) &&
              sizeof(Preference) <= sizeof(cublasLtMatmulPreferenceOpaque_t) &&
              sizeof(Algorithm) <= sizeof(cublasLtMatmulAlgo_t));

template <class T, class Opaque>
[[nodiscard]] T read(Opaque const* from) {
  T value;
  std::memcpy(&value, from, sizeof(T));
  return value;
}
template <class Opaque, class T>
cublasStatus_t make(Opaque** to, T const& value) {
  *to = new Opaque{};
  device().handles.insert(*to);
  std::memcpy(*to, &value, sizeof(T));
  return CUBLAS_STATUS_SUCCESS;
}
template <class Opaque>
cublasStatus_t destroy(Opaque* handle) {
  if (device().handles.erase(handle) == 0) return CUBLAS_STATUS_INVALID_VALUE;
  delete handle;
  return CUBLAS_STATUS_SUCCESS;
}
[[nodiscard]] cublasStatus_t refuse(std::string why) {
  device().fault = std::move(why);
  return CUBLAS_STATUS_INVALID_VALUE;
}
/// Copies an attribute whose size must be that of its type.
template <class V>
[[nodiscard]] bool take(V& value, void const* from, std::size_t bytes) {
  if (bytes != sizeof(V)) return false;
  std::memcpy(&value, from, bytes);
  return true;
}

[[nodiscard]] bool exist(std::initializer_list<void const*> handles) {
  return std::all_of(handles.begin(), handles.end(),
                     [](void const* h) { return device().handles.contains(h); });
}

/// Empty, or why the manual forbids this product.
[[nodiscard]] std::string misfit(Product const& p, Layout const& a, Layout const& b, Layout const& c,
                                 Layout const& d) {
  auto const rows = [](Layout const& x, bool transposed) { return transposed ? x.columns : x.rows; };
  auto const columns = [](Layout const& x, bool transposed) { return transposed ? x.rows : x.columns; };
  bool const ta = p.transposes_a == CUBLAS_OP_T, tb = p.transposes_b == CUBLAS_OP_T;
  for (Layout const& x : {a, b, c, d}) {
    if (x.rows <= 0 || x.columns <= 0) return "a matrix without elements";
    if (x.leading < x.rows) return "a leading dimension that is smaller than a column";
    if (x.batch != d.batch) return "matrices of different numbers";
  }
  if (rows(a, ta) != d.rows) return "A and D have different numbers of rows";
  if (columns(b, tb) != d.columns) return "B and D have different numbers of columns";
  if (columns(a, ta) != rows(b, tb)) return "A has another number of columns than B has rows";
  if (c.rows != d.rows || c.columns != d.columns) return "C and D have different extents";
  // One behind the other, or side by side, as heads of attention are.
  bool const apart = d.stride >= d.leading * (d.columns - 1) + d.rows ||
                     (d.stride >= d.rows && (d.batch - 1) * d.stride + d.rows <= d.leading);
  if (d.batch > 1 && !apart) return "outputs of a batch that overlap";
  if (p.scale != CUDA_R_32F) return "a scale that is not float32";
  if (p.compute != CUBLAS_COMPUTE_32F && p.compute != CUBLAS_COMPUTE_32F_FAST_TF32) return "a compute type";
  if (a.type != b.type || c.type != d.type || !is_number(a.type) || !is_number(d.type)) return "these types";
  if (d.type != CUDA_R_32F && d.type != a.type) return "an output that is neither float32 nor of A's type";
  if (p.compute == CUBLAS_COMPUTE_32F_FAST_TF32 && a.type != CUDA_R_32F) return "TF32 of 16 bits";
  if (p.epilogue != CUBLASLT_EPILOGUE_DEFAULT && p.epilogue != CUBLASLT_EPILOGUE_BIAS) return "an epilogue";
  if (p.epilogue == CUBLASLT_EPILOGUE_BIAS && p.bias == nullptr) return "a bias that is nowhere";
  if (p.epilogue == CUBLASLT_EPILOGUE_BIAS && p.bias_type != -1 &&
      p.bias_type != static_cast<std::int32_t>(d.type))
    return "a bias of another type than D";
  return {};
}

[[nodiscard]] std::size_t extent(Layout const& x) {
  std::int64_t const last = (x.batch - 1) * x.stride + (x.columns - 1) * x.leading + x.rows;
  return static_cast<std::size_t>(last) * bytes_of(x.type);
}
[[nodiscard]] bool is_aligned(void const* memory, std::uint64_t bytes) {
  return reinterpret_cast<std::uintptr_t>(memory) % std::max<std::uint64_t>(bytes, 1) == 0;
}

/// op(X) of one member of a batch as float32, row by row, rounded as operands are.
[[nodiscard]] std::vector<float> operand(void const* data, Layout const& x, std::int64_t member,
                                         bool transposed, bool tf32) {
  std::vector<float> result(static_cast<std::size_t>(x.rows * x.columns));
  std::int64_t const columns = transposed ? x.rows : x.columns;
  for (std::int64_t column = 0; column < x.columns; ++column)
    for (std::int64_t row = 0; row < x.rows; ++row) {
      float value = number_at(data, x.type, member * x.stride + column * x.leading + row);
      if (tf32) value = rounded_to_tf32(value);
      result[static_cast<std::size_t>(transposed ? column * columns + row : row * columns + column)] = value;
    }
  return result;
}

struct Call {
  Product p;
  Layout a, b, c, d;
  void const *a_data, *b_data, *c_data;
  void* d_data;
  float alpha, beta;
};

void count(Call const& call) {
  auto const bytes = [](Layout const& x) {
    std::int64_t const members = x.batch > 1 && x.stride == 0 ? 1 : x.batch;
    return static_cast<double>(members * x.rows * x.columns) * static_cast<double>(bytes_of(x.type));
  };
  std::int64_t const k = call.p.transposes_a == CUBLAS_OP_T ? call.a.rows : call.a.columns;
  double const written = bytes(call.d), read = bytes(call.a) + bytes(call.b) + (call.beta != 0 ? written : 0);
  device().tally->add_product(device().running, read, written,
                              2.0 * static_cast<double>(call.d.batch * call.d.rows * call.d.columns * k),
                              call.a.type != CUDA_R_32F                        ? Unit::bits16
                              : call.p.compute == CUBLAS_COMPUTE_32F_FAST_TF32 ? Unit::tf32
                                                                               : Unit::float32);
}

void compute(Call const& call) {
  Product const& p = call.p;
  Layout const& d = call.d;
  if (device().tally != nullptr) return count(call);
  bool const ta = p.transposes_a == CUBLAS_OP_T, tb = p.transposes_b == CUBLAS_OP_T;
  bool const tf32 = p.compute == CUBLAS_COMPUTE_32F_FAST_TF32;
  std::int64_t const m = d.rows, n = d.columns, k = ta ? call.a.rows : call.a.columns;
  std::vector<float> column(static_cast<std::size_t>(m));
  for (std::int64_t member = 0; member < d.batch; ++member) {
    // A by columns and B by rows would be strided: both are turned so that inner loops run along memory.
    auto const a = operand(call.a_data, call.a, member, !ta, tf32);  // (k, m)
    auto const b = operand(call.b_data, call.b, member, !tb, tf32);  // (n, k)
    for (std::int64_t j = 0; j < n; ++j) {
      std::fill(column.begin(), column.end(), 0.0F);
      for (std::int64_t l = 0; l < k; ++l) {
        float const factor = b[static_cast<std::size_t>(j * k + l)];
        float const* const row = a.data() + l * m;
        for (std::int64_t i = 0; i < m; ++i) column[static_cast<std::size_t>(i)] += factor * row[i];
      }
      for (std::int64_t i = 0; i < m; ++i) {
        float value = call.alpha * column[static_cast<std::size_t>(i)];
        if (call.beta != 0)
          value += call.beta *
                   number_at(call.c_data, call.c.type, member * call.c.stride + j * call.c.leading + i);
        if (p.epilogue == CUBLASLT_EPILOGUE_BIAS) value += number_at(p.bias, d.type, i);
        put_number(call.d_data, d.type, member * d.stride + j * d.leading + i, value);
      }
    }
  }
}

}  // namespace

extern "C" {

cublasStatus_t cublasLtCreate(cublasLtHandle_t* handle) {
  *handle = new cublasLtContext;
  device().handles.insert(*handle);
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtDestroy(cublasLtHandle_t handle) {
  return destroy(handle);
}

cublasStatus_t cublasLtMatmulDescCreate(cublasLtMatmulDesc_t* made, cublasComputeType_t compute,
                                        cudaDataType_t scale) {
  return make(made, Product{static_cast<std::uint32_t>(compute), static_cast<std::uint32_t>(scale),
                            CUBLAS_OP_N, CUBLAS_OP_N, -1, CUBLASLT_EPILOGUE_DEFAULT, nullptr});
}
cublasStatus_t cublasLtMatmulDescDestroy(cublasLtMatmulDesc_t handle) {
  return destroy(handle);
}
cublasStatus_t cublasLtMatmulDescSetAttribute(cublasLtMatmulDesc_t handle,
                                              cublasLtMatmulDescAttributes_t name, void const* value,
                                              size_t bytes) {
  if (!exist({handle})) return CUBLAS_STATUS_INVALID_VALUE;
  auto p = read<Product>(handle);
  bool const taken = name == CUBLASLT_MATMUL_DESC_TRANSA           ? take(p.transposes_a, value, bytes)
                     : name == CUBLASLT_MATMUL_DESC_TRANSB         ? take(p.transposes_b, value, bytes)
                     : name == CUBLASLT_MATMUL_DESC_EPILOGUE       ? take(p.epilogue, value, bytes)
                     : name == CUBLASLT_MATMUL_DESC_BIAS_DATA_TYPE ? take(p.bias_type, value, bytes)
                     : name == CUBLASLT_MATMUL_DESC_BIAS_POINTER   ? take(p.bias, value, bytes)
                                                                   : false;
  if (!taken) return refuse("an attribute of a product, or its size");
  std::memcpy(handle, &p, sizeof(p));
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatrixLayoutCreate(cublasLtMatrixLayout_t* made, cudaDataType type, uint64_t rows,
                                          uint64_t columns, int64_t leading) {
  return make(made, Layout{static_cast<std::uint32_t>(type), 1, static_cast<std::int64_t>(rows),
                           static_cast<std::int64_t>(columns), leading, 0});
}
cublasStatus_t cublasLtMatrixLayoutDestroy(cublasLtMatrixLayout_t handle) {
  return destroy(handle);
}
cublasStatus_t cublasLtMatrixLayoutSetAttribute(cublasLtMatrixLayout_t handle,
                                                cublasLtMatrixLayoutAttribute_t name, void const* value,
                                                size_t bytes) {
  if (!exist({handle})) return CUBLAS_STATUS_INVALID_VALUE;
  auto layout = read<Layout>(handle);
  bool const taken = name == CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT            ? take(layout.batch, value, bytes)
                     : name == CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET ? take(layout.stride, value, bytes)
                                                                           : false;
  if (!taken || layout.batch < 1) return refuse("an attribute of a layout, or its size");
  std::memcpy(handle, &layout, sizeof(layout));
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmulPreferenceCreate(cublasLtMatmulPreference_t* made) {
  return make(made, Preference{0, 256, 256, 256, 256, CUBLASLT_REDUCTION_SCHEME_MASK});
}
cublasStatus_t cublasLtMatmulPreferenceDestroy(cublasLtMatmulPreference_t handle) {
  return destroy(handle);
}
cublasStatus_t cublasLtMatmulPreferenceSetAttribute(cublasLtMatmulPreference_t handle,
                                                    cublasLtMatmulPreferenceAttributes_t name,
                                                    void const* value, size_t bytes) {
  if (!exist({handle})) return CUBLAS_STATUS_INVALID_VALUE;
  auto p = read<Preference>(handle);
  bool const taken = name == CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES     ? take(p.workspace, value, bytes)
                     : name == CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES ? take(p.a, value, bytes)
                     : name == CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES ? take(p.b, value, bytes)
                     : name == CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES ? take(p.c, value, bytes)
                     : name == CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES ? take(p.d, value, bytes)
                     : name == CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK
                         ? take(p.reduction_schemes, value, bytes)
                         : false;
  if (!taken) return refuse("an attribute of a preference, or its size");
  for (std::uint32_t const alignment : {p.a, p.b, p.c, p.d})
    if (!std::has_single_bit(alignment)) return refuse("an alignment that is no power of two");
  std::memcpy(handle, &p, sizeof(p));
  return CUBLAS_STATUS_SUCCESS;
}

/// Algorithms rely on the alignment that they were asked for, and long sums take a workspace.
cublasStatus_t cublasLtMatmulAlgoGetHeuristic(cublasLtHandle_t handle, cublasLtMatmulDesc_t description,
                                              cublasLtMatrixLayout_t a, cublasLtMatrixLayout_t b,
                                              cublasLtMatrixLayout_t c, cublasLtMatrixLayout_t d,
                                              cublasLtMatmulPreference_t preference, int most,
                                              cublasLtMatmulHeuristicResult_t results[], int* found) {
  if (!exist({handle, description, a, b, c, d, preference}) || most < 1 || results == nullptr ||
      found == nullptr)
    return refuse("a handle that does not exist");
  *found = 0;
  auto const p = read<Product>(description);
  auto const la = read<Layout>(a);
  if (auto why = misfit(p, la, read<Layout>(b), read<Layout>(c), read<Layout>(d)); !why.empty())
    return refuse(std::move(why));
  auto const asked = read<Preference>(preference);
  std::int64_t const k = p.transposes_a == CUBLAS_OP_T ? la.rows : la.columns;
  bool const splits = k >= 32 && asked.workspace >= 1024 && asked.reduction_schemes != 0;
  Algorithm const algorithm{magic,
                            asked.a,
                            asked.b,
                            asked.c,
                            asked.d,
                            splits ? 1024U : 0U,
                            p.epilogue == CUBLASLT_EPILOGUE_BIAS && is_aligned(p.bias, 16) ? 16U : 1U};
  results[0] = {};
  std::memcpy(&results[0].algo, &algorithm, sizeof(algorithm));
  results[0].workspaceSize = algorithm.workspace;
  results[0].state = CUBLAS_STATUS_SUCCESS;
  *found = 1;
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmul(cublasLtHandle_t handle, cublasLtMatmulDesc_t description, void const* alpha,
                              void const* a, cublasLtMatrixLayout_t a_layout, void const* b,
                              cublasLtMatrixLayout_t b_layout, void const* beta, void const* c,
                              cublasLtMatrixLayout_t c_layout, void* d, cublasLtMatrixLayout_t d_layout,
                              cublasLtMatmulAlgo_t const* algo, void* workspace, size_t workspace_bytes,
                              cudaStream_t stream) {
  if (!exist({handle, description, a_layout, b_layout, c_layout, d_layout, stream}))
    return refuse("a handle that does not exist");
  if (alpha == nullptr || beta == nullptr || a == nullptr || b == nullptr || d == nullptr || algo == nullptr)
    return refuse("an address that is null");
  Call call{read<Product>(description),
            read<Layout>(a_layout),
            read<Layout>(b_layout),
            read<Layout>(c_layout),
            read<Layout>(d_layout),
            a,
            b,
            c,
            d,
            0,
            0};
  std::memcpy(&call.alpha, alpha, sizeof(float));  // both are read when the call is made
  std::memcpy(&call.beta, beta, sizeof(float));
  if (auto why = misfit(call.p, call.a, call.b, call.c, call.d); !why.empty()) return refuse(std::move(why));
  if (c == d &&
      (call.c.leading != call.d.leading || call.c.stride != call.d.stride || call.c.type != call.d.type))
    return refuse("C and D in the same place with different layouts");
  auto const algorithm = read<Algorithm>(algo);
  if (algorithm.magic != magic) return refuse("an algorithm that no heuristic has made");
  if (!is_aligned(a, algorithm.a) || !is_aligned(b, algorithm.b) || !is_aligned(c, algorithm.c) ||
      !is_aligned(d, algorithm.d) || !is_aligned(call.p.bias, algorithm.bias))
    return refuse("an address that is aligned less than the algorithm was told");
  if (workspace_bytes < algorithm.workspace) return refuse("a workspace that is too small");
  if (workspace_bytes > 0 && (workspace == nullptr || !is_aligned(workspace, 16)))
    return refuse("a workspace that is not aligned to 16 bytes");
  DeviceMemory const& memory = device().memory;
  std::size_t const bias_bytes = static_cast<std::size_t>(call.d.rows) * bytes_of(call.d.type);
  if (!memory.holds(a, extent(call.a)) || !memory.holds(b, extent(call.b)) ||
      !memory.holds(d, extent(call.d)) || (call.beta != 0 && !memory.holds(c, extent(call.c))) ||
      (algorithm.workspace > 0 && !memory.holds(workspace, algorithm.workspace)) ||
      (call.p.epilogue == CUBLASLT_EPILOGUE_BIAS && !memory.holds(call.p.bias, bias_bytes)))
    return refuse("a matrix that reaches out of its block");
  ++device().launches;
  std::size_t const scratch = algorithm.workspace;
  auto work = [call, workspace, scratch] {
    if (scratch > 0 && device().tally == nullptr)
      std::memset(workspace, DeviceMemory::poison, scratch);  // it is the product's to use
    compute(call);
  };
  return device().queue(stream, {.work = std::move(work)}) == cudaSuccess ? CUBLAS_STATUS_SUCCESS
                                                                          : CUBLAS_STATUS_EXECUTION_FAILED;
}

}  // extern "C"
