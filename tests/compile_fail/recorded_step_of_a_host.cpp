// A backend of the host records nothing.
// EXPECT: This backend records nothing: take the TrainStep itself.
#ifdef TWIN
#include <diffsiam/testing/stepped_backend.hpp>
using B = diffsiam::testing::Stepped<float>;
#else
#include <diffsiam/backend/reference/reference.hpp>
using B = diffsiam::backend::Reference<float>;
#endif
#include <diffsiam/train/adam.hpp>
#include <diffsiam/train/recorded_step.hpp>

void record(diffsiam::train::TrainStep<diffsiam::train::Adam<B>>& step) {
  diffsiam::train::RecordedStep const recorded{step};
}
