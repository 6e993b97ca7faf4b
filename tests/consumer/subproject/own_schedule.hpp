// A noise schedule of the user's own: beta grows with the square of t.
#pragma once

struct QuadraticBetas {
  double last = 0.05;
  [[nodiscard]] double operator()(int t, int timesteps) const {
    double const u = (t + 1.0) / timesteps;
    return last * u * u;
  }
};
