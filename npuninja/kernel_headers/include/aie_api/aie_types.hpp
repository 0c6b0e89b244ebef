/* Types of the API alone. */
#pragma once
#include <aie_api/accum.hpp>
