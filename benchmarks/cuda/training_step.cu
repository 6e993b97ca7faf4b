// training_step.cpp for GPUs: nvcc compiles it with the Cuda backend and no other.
#include "../training_step.cpp"
