#pragma once
#include <span>

/// Whether two lists put their items in the same order.
bool same_order(std::span<double const> a, std::span<double const> b);
