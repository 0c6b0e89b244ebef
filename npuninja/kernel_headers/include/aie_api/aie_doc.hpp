/* Another name under which kernels take the API. */
#pragma once
#include <aie_api/aie.hpp>
