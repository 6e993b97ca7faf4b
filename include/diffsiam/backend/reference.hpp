// Includes the backend Reference, the specification of all others.
#pragma once

#include <diffsiam/backend/reference/reference.hpp>
