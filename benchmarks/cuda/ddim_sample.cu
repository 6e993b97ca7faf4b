// ddim_sample.cpp for GPUs: nvcc compiles it with the Cuda backend and no other.
#include "../ddim_sample.cpp"
