"""C functions that core code uses for what C does not define, or defines otherwise than MLIR.

Where MLIR leaves a result undefined (poison), these give a fixed one, so that a wrong design is at least
wrong the same way everywhere and an emulated core does not trap where a real one would go on: a quotient by
zero is all ones and the rest the dividend; a 32-bit number is shifted as on AIE2, by five bits of the count
in the direction that its sign gives, and numbers of other widths are shifted out by the width or more; a
float beyond an integer's range becomes the nearest integer, NaN becomes 0. Integers are passed widened to 64
bits, with or without sign as the operation reads them.
"""

from __future__ import annotations

import re

_S, _U = "long long", "unsigned long long"

# Name -> definition. A definition may use others; `prelude` adds those too.
_FUNCTIONS = {
    "npu_div_s": f"""{_S} npu_div_s({_S} a, {_S} b) {{
  return b == 0 ? -1 : b == -1 ? -a : a / b;
}}""",
    "npu_rem_s": f"""{_S} npu_rem_s({_S} a, {_S} b) {{
  return b == 0 ? a : b == -1 ? 0 : a % b;
}}""",
    "npu_div_u": f"""{_U} npu_div_u({_U} a, {_U} b) {{
  return b == 0 ? -1ULL : a / b;
}}""",
    "npu_rem_u": f"""{_U} npu_rem_u({_U} a, {_U} b) {{
  return b == 0 ? a : a % b;
}}""",
    "npu_floordiv_s": f"""{_S} npu_floordiv_s({_S} a, {_S} b) {{
  {_S} q = npu_div_s(a, b);
  return b != 0 && npu_rem_s(a, b) != 0 && (a < 0) != (b < 0) ? q - 1 : q;
}}""",
    "npu_ceildiv_s": f"""{_S} npu_ceildiv_s({_S} a, {_S} b) {{
  {_S} q = npu_div_s(a, b);
  return b != 0 && npu_rem_s(a, b) != 0 && (a < 0) == (b < 0) ? q + 1 : q;
}}""",
    "npu_ceildiv_u": f"""{_U} npu_ceildiv_u({_U} a, {_U} b) {{
  return b == 0 ? -1ULL : a / b + (a % b != 0);
}}""",
    "npu_shl": f"""{_S} npu_shl({_S} a, {_U} n, int width) {{
  if (width == 32) return (int)n < 0 ? (unsigned)a >> (-n & 31) : a << (n & 31);
  return n < (unsigned)width ? a << n : 0;
}}""",
    "npu_shr_s": f"""{_S} npu_shr_s({_S} a, {_U} n, int width) {{
  if (width == 32) return (int)n < 0 ? a << (-n & 31) : (int)a >> (n & 31);
  return a >> (n < (unsigned)width ? n : 63);
}}""",
    "npu_shr_u": f"""{_U} npu_shr_u({_U} a, {_U} n, int width) {{
  if (width == 32) return (int)n < 0 ? a << (-n & 31) : (unsigned)a >> (n & 31);
  return n < (unsigned)width ? a >> n : 0;
}}""",
    # The empty instruction keeps clang from seeing a 128-bit product here, for which it would call a library.
    "npu_high_u": f"""{_U} npu_high_u({_U} a, {_U} b) {{
  {_U} al = a & 0xFFFFFFFFULL, ah = a >> 32, bl = b & 0xFFFFFFFFULL, bh = b >> 32;
  {_U} middle = ah * bl + (al * bl >> 32);
  __asm__("" : "+r"(middle));
  {_U} lower = al * bh + (middle & 0xFFFFFFFFULL);
  return ah * bh + (middle >> 32) + (lower >> 32);
}}""",
    "npu_high_s": f"""{_S} npu_high_s({_S} a, {_S} b) {{
  return ({_S})npu_high_u(a, b) - (a < 0 ? b : 0) - (b < 0 ? a : 0);
}}""",
    "npu_power": f"""{_S} npu_power({_S} base, {_S} exponent) {{
  {_S} result = 1;
  if (exponent < 0) return base == 1 ? 1 : base == -1 ? (exponent & 1 ? -1 : 1) : 0;
  for (; exponent; exponent >>= 1, base *= base) if (exponent & 1) result *= base;
  return result;
}}""",
    "npu_leading_zeros": f"""int npu_leading_zeros({_U} a, int width) {{
  return a ? __builtin_clzll(a) - (64 - width) : width;
}}""",
    "npu_trailing_zeros": f"""int npu_trailing_zeros({_U} a, int width) {{
  return a ? __builtin_ctzll(a) : width;
}}""",
    "npu_float_to_s": f"""{_S} npu_float_to_s(double a, {_S} low, {_S} high) {{
  if (a != a) return 0;
  return a <= (double)low ? low : a >= (double)high ? high : ({_S})a;
}}""",
    "npu_float_to_u": f"""{_U} npu_float_to_u(double a, {_U} high) {{
  return !(a > 0) ? 0 : a >= (double)high ? high : ({_U})a;
}}""",
    "npu_float_bits": """unsigned npu_float_bits(float a) {
  unsigned bits;
  __builtin_memcpy(&bits, &a, 4);
  return bits;
}""",
    "npu_bits_float": """float npu_bits_float(unsigned bits) {
  float a;
  __builtin_memcpy(&a, &bits, 4);
  return a;
}""",
    "npu_double_bits": """long long npu_double_bits(double a) {
  long long bits;
  __builtin_memcpy(&bits, &a, 8);
  return bits;
}""",
    "npu_bits_double": """double npu_bits_double(long long bits) {
  double a;
  __builtin_memcpy(&a, &bits, 8);
  return a;
}""",
    # To float, but an inexact result gets an odd last bit: rounding that to fewer bits is rounding once.
    "npu_narrow_odd": """float npu_narrow_odd(double a) {
  float f = (float)a;
  if (a != a || (double)f == a) return f;
  unsigned bits = npu_float_bits(f);
  if ((double)f > a ? a > 0 : a < 0) bits -= 1;
  return npu_bits_float(bits | 1);
}""",
    "npu_from_bf16": """float npu_from_bf16(unsigned short a) {
  return npu_bits_float((unsigned)a << 16);
}""",
    "npu_to_bf16": """unsigned short npu_to_bf16(float a) {
  unsigned bits = npu_float_bits(a);
  if (a != a) return (unsigned short)(bits >> 16 | 0x40);
  return (unsigned short)((bits + 0x7FFF + (bits >> 16 & 1)) >> 16);
}""",
    "npu_from_f16": """float npu_from_f16(unsigned short a) {
  unsigned sign = (a & 0x8000u) << 16, exponent = a >> 10 & 31, fraction = a & 1023;
  if (exponent == 31) return npu_bits_float(sign | 0x7F800000u | fraction << 13);
  if (exponent == 0) return npu_bits_float(sign | npu_float_bits((float)fraction * 0x1p-24f));
  return npu_bits_float(sign | (exponent + 112) << 23 | fraction << 13);
}""",
    # Below 2^-14 the half is a multiple of 2^-24: adding 0.5 lets float's own rounding find which.
    "npu_to_f16": """unsigned short npu_to_f16(float a) {
  unsigned bits = npu_float_bits(a), sign = bits >> 16 & 0x8000u;
  bits &= 0x7FFFFFFFu;
  if (a != a) return (unsigned short)(sign | 0x7E00u | (bits >> 13 & 0x3FFu));
  if (bits >= 0x477FF000u) return (unsigned short)(sign | 0x7C00u);
  if (bits < 0x38800000u) return (unsigned short)(sign | (npu_float_bits(npu_bits_float(bits) + 0.5f) - 0x3F000000u));
  return (unsigned short)(sign | (bits - 0x38000000u + 0xFFFu + (bits >> 13 & 1)) >> 13);
}""",
    "npu_maximum": """double npu_maximum(double a, double b) {
  if (a != a || b != b) return a + b;
  return a == b ? (__builtin_signbit(a) ? b : a) : a > b ? a : b;
}""",
    "npu_minimum": """double npu_minimum(double a, double b) {
  if (a != a || b != b) return a + b;
  return a == b ? (__builtin_signbit(a) ? a : b) : a < b ? a : b;
}""",
    "npu_maxnum": """double npu_maxnum(double a, double b) {
  return a != a ? b : b != b ? a : npu_maximum(a, b);
}""",
    "npu_minnum": """double npu_minnum(double a, double b) {
  return a != a ? b : b != b ? a : npu_minimum(a, b);
}""",
    "npu_round": """double npu_round(double a) {
  double t = __builtin_trunc(a);
  return __builtin_fabs(a - t) >= 0.5 ? t + __builtin_copysign(1.0, a) : __builtin_copysign(t, a);
}""",
    # A product of two floats is exact in double. The sum is rounded to odd, so rounding to float rounds once.
    "npu_fma": """float npu_fma(float a, float b, float c) {
  double product = (double)a * b, sum = product + c, part = sum - product;
  double error = (product - (sum - part)) + (c - part);
  long long bits = npu_double_bits(sum);
  if (error == error && error != 0 && !(bits & 1)) bits += (error > 0) == (sum > 0) ? 1 : -1;
  return (float)npu_bits_double(bits);
}""",
    "npu_powi": """double npu_powi(double base, long long exponent) {
  double result = 1;
  unsigned long long n = exponent < 0 ? -(unsigned long long)exponent : exponent;
  for (; n; n >>= 1, base *= base) if (n & 1) result *= base;
  return exponent < 0 ? 1 / result : result;
}""",
}
#: For cores and kernels of the emulator: clang turns sums over 64-bit loop counters into products of 128 bits
#: that call this, and there is no compiler library to link. The linker leaves it out when nothing calls it.
WIDE_PRODUCT = """__attribute__((weak)) __int128 __multi3(__int128 a, __int128 b) {
  unsigned long long x = a, y = b, xl = x & 0xFFFFFFFF, xh = x >> 32, yl = y & 0xFFFFFFFF, yh = y >> 32;
  unsigned long long middle = xh * yl + (xl * yl >> 32);
  __asm__("" : "+r"(middle));
  unsigned long long lower = xl * yh + (middle & 0xFFFFFFFF);
  unsigned long long high = xh * yh + (middle >> 32) + (lower >> 32);
  high += (unsigned long long)(a >> 64) * y + x * (unsigned long long)(b >> 64);
  return (__int128)((unsigned __int128)high << 64 | x * y);
}
"""
_NAME = re.compile(r"\bnpu_\w+")
_BLOCK = re.compile(r"\bstruct npu_block_(\d+)")


def blocks(code: str) -> str:
    """The definitions of the blocks of bytes that `code` names, `struct npu_block_BYTES`."""
    sizes = sorted({int(size) for size in _BLOCK.findall(code)})
    return "".join(f"struct npu_block_{size} {{ unsigned char bytes[{size}]; }};\n" for size in sizes)


def prelude(code: str) -> str:
    """The definitions of the functions that `code` calls, in an order in which C accepts them."""
    wanted: set[str] = set()
    pending = [name for name in set(_NAME.findall(code)) if name in _FUNCTIONS]
    while pending:
        name = pending.pop()
        if name not in wanted:
            wanted.add(name)
            pending += [other for other in _NAME.findall(_FUNCTIONS[name]) if other in _FUNCTIONS]
    # The table is in order of use: a function comes after those it calls.
    return "".join(f"static inline {text}\n" for name, text in _FUNCTIONS.items() if name in wanted)
