# diffsiam::hnsw: approximate nearest neighbours, for eval/hnsw_index.hpp.
find_path(DIFFSIAM_HNSW_INCLUDE hnswlib/hnswlib.h)
mark_as_advanced(DIFFSIAM_HNSW_INCLUDE)
diffsiam_need(DIFFSIAM_HNSW_INCLUDE libhnswlib-dev)
# hnswlib's own kernels are functions that are not inline: with them the header would not link in two files.
diffsiam_component(hnsw BASE eval USES hnswlib INCLUDE ${DIFFSIAM_HNSW_INCLUDE} DEFINE NO_MANUAL_VECTORIZATION)
