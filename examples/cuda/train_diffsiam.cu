// 04_train_diffsiam.cpp for GPUs: nvcc compiles it with the Cuda backend and no other.
#include "../04_train_diffsiam.cpp"
