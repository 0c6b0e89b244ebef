/* aie::operators: the functions of the API as operators. */
#pragma once

#include <aie_api/mul.hpp>

namespace aie::operators {
#define NPU_OPERATOR(op, function)                                                                                                \
    template <class A, class B>                                                                                                   \
        requires(Vector<A> || Vector<B> || Accum<A> || Accum<B>)                                                                  \
    NPU_INLINE auto operator op(const A &a, const B &b) {                                                                         \
        return aie::function(a, b);                                                                                               \
    }
NPU_OPERATOR(+, add)
NPU_OPERATOR(-, sub)
NPU_OPERATOR(*, mul)
NPU_OPERATOR(<, lt)
NPU_OPERATOR(<=, le)
NPU_OPERATOR(>, gt)
NPU_OPERATOR(>=, ge)
NPU_OPERATOR(==, eq)
NPU_OPERATOR(!=, neq)
NPU_OPERATOR(&, bit_and)
NPU_OPERATOR(|, bit_or)
NPU_OPERATOR(^, bit_xor)
#undef NPU_OPERATOR
template <class T, unsigned N> NPU_INLINE auto operator-(const vector<T, N> &v) { return aie::neg(v); }
template <class T, unsigned N> NPU_INLINE auto operator~(const vector<T, N> &v) { return aie::bit_not(v); }
template <class T, unsigned N> NPU_INLINE auto operator<<(const vector<T, N> &v, int n) { return aie::upshift(v, n); }
template <class T, unsigned N> NPU_INLINE auto operator>>(const vector<T, N> &v, int n) { return aie::downshift(v, n); }
template <class T, unsigned N, class B> NPU_INLINE vector<T, N> &operator+=(vector<T, N> &a, const B &b) { return a = aie::add(a, b); }
template <class T, unsigned N, class B> NPU_INLINE vector<T, N> &operator-=(vector<T, N> &a, const B &b) { return a = aie::sub(a, b); }
} // namespace aie::operators
