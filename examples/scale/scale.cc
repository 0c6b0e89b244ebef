#include <aie_api/aie.hpp>
#include <stdint.h>

extern "C" void scale(int16_t *in, int16_t *out, int32_t n) {
  event0();
  for (int i = 0; i < n; i += 32) {
    aie::vector<int16_t, 32> numbers = aie::load_v<32>(in + i);
    aie::accum<acc32, 32> products = aie::mul(numbers, static_cast<int16_t>(FACTOR));
    aie::store_v(out + i, products.template to_vector<int16_t>(0));
  }
  event1();
}
