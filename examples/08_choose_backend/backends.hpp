// run<B> for each backend, each in a file of its own.
#pragma once

double run_on_cpu(int steps);
double run_in_bfloat16(int steps);
double run_on_onednn(int steps);
