// train_diffsiam.cpp for GPUs: nvcc compiles it with the Cuda backend and no other.
#include "../train_diffsiam.cpp"
