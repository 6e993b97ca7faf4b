// encode.cpp for GPUs: nvcc compiles it with the Cuda backend and no other.
#include "../encode.cpp"
