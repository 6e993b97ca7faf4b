// 03_train_denoiser.cpp for GPUs: nvcc compiles it with the Cuda backend and no other.
#include "../03_train_denoiser.cpp"
