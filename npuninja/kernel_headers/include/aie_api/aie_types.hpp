/* Types of the API alone. */
#pragma once
#include <npu/letters_aside.h>

#include <aie_api/accum.hpp>

#include <npu/letters_back.h>
