/* Vector types of the compiler: v16int32, v32bfloat16, v16accfloat, ...
 *
 * Those of integers and of float are plain clang vectors, so operators work on them. bfloat16, complex and 4-bit elements have no
 * clang vector, and accumulators must differ from vectors, so these are classes. */
#pragma once

#include <npu/elements.h>

namespace npu {
/** Whether a type is a clang vector. */
template <class V>
inline constexpr bool is_row = !__is_class(V) && !__is_arithmetic(V) && !__is_pointer(V) && !__is_enum(V) && !__is_array(V);
} // namespace npu

namespace npu_native {
/** An element of such a vector. */
template <class V> class element_place {
    V &vector_;
    unsigned at_;

  public:
    using value_type = typename V::value_type;
    NPU_INLINE element_place(V &vector, unsigned at) : vector_(vector), at_(at) {}
    NPU_INLINE operator value_type() const { return ((const V &)vector_)[at_]; }
    NPU_INLINE operator float() const
        requires(__is_same(value_type, bfloat16))
    {
        return float(value_type(*this));
    }
    NPU_INLINE element_place &operator=(value_type x) {
        using words = npu::lanes<typename npu::element<value_type>::word, V::count>;
        vector_.npu_row = (typename V::row)npu::with_lane((words)vector_.npu_row, at_, npu::element<value_type>::to_word(x));
        return *this;
    }
    NPU_INLINE element_place &operator=(const element_place &other) { return *this = value_type(other); }
};

/** A vector whose elements clang does not know. */
template <class T, unsigned N> struct vector {
    using value_type = T;
    static constexpr unsigned count = N;
    using row = npu::row_for<T, N>;
    row npu_row;
    vector() = default;
    NPU_INLINE explicit vector(row r) : npu_row(r) {}
    template <class U, unsigned M>
        requires(sizeof(npu::row_for<U, M>) == sizeof(row))
    NPU_INLINE explicit vector(const vector<U, M> &other) : npu_row((row)other.npu_row) {}
    template <class V>
        requires(sizeof(V) == sizeof(row) && npu::is_row<V> && !__is_same(V, row))
    NPU_INLINE explicit vector(V other) : npu_row((row)other) {}
    template <class V>
        requires(npu::is_row<V> && sizeof(V) == sizeof(row))
    NPU_INLINE explicit operator V() const {
        return (V)npu_row;
    }
    NPU_INLINE T operator[](unsigned i) const
        requires(npu::element<T>::bits >= 8)
    {
        using words = npu::lanes<typename npu::element<T>::word, N>;
        return npu::element<T>::of_word(npu::lane((words)npu_row, i));
    }
    NPU_INLINE element_place<vector> operator[](unsigned i)
        requires(npu::element<T>::bits >= 8)
    {
        return {*this, i};
    }
};

/** An accumulator register. */
template <class Tag, unsigned N> struct accumulator {
    using row = npu::accumulator_row<Tag, N>;
    row npu_row;
    accumulator() = default;
    NPU_INLINE explicit accumulator(row r) : npu_row(r) {}
    template <class Other, unsigned M>
        requires(sizeof(npu::accumulator_row<Other, M>) == sizeof(row))
    NPU_INLINE explicit accumulator(const accumulator<Other, M> &other) : npu_row((row)other.npu_row) {}
    template <class V>
        requires(sizeof(V) == sizeof(row) && npu::is_row<V> && !__is_same(V, row))
    NPU_INLINE explicit accumulator(V other) : npu_row((row)other) {}
    template <class V>
        requires(npu::is_row<V> && sizeof(V) == sizeof(row))
    NPU_INLINE explicit operator V() const {
        return (V)npu_row;
    }
};
} // namespace npu_native

namespace npu {
template <class T, unsigned N> struct native_of { using type = npu_native::vector<T, N>; };
template <class T, unsigned N>
    requires(std::is_arithmetic_v<T>)
struct native_of<T, N> {
    using type = lanes<T, N>;
};
template <class T, unsigned N> using native = typename native_of<T, N>::type;
template <class T, unsigned N> NPU_INLINE row_for<T, N> row_of_native(const native<T, N> &v) {
    if constexpr (std::is_arithmetic_v<T>)
        return v;
    else
        return v.npu_row;
}
} // namespace npu

/* sizes of 128 to 1024 bits, and two of 64 */
#define NPU_NATIVE_TYPE(n, name, T) using v##n##name = npu::native<T, n>;
NPU_NATIVE_TYPE(16, int8, int8)
NPU_NATIVE_TYPE(32, int8, int8)
NPU_NATIVE_TYPE(64, int8, int8)
NPU_NATIVE_TYPE(128, int8, int8)
NPU_NATIVE_TYPE(16, uint8, uint8)
NPU_NATIVE_TYPE(32, uint8, uint8)
NPU_NATIVE_TYPE(64, uint8, uint8)
NPU_NATIVE_TYPE(128, uint8, uint8)
NPU_NATIVE_TYPE(4, int16, int16)
NPU_NATIVE_TYPE(8, int16, int16)
NPU_NATIVE_TYPE(16, int16, int16)
NPU_NATIVE_TYPE(32, int16, int16)
NPU_NATIVE_TYPE(64, int16, int16)
NPU_NATIVE_TYPE(8, uint16, uint16)
NPU_NATIVE_TYPE(16, uint16, uint16)
NPU_NATIVE_TYPE(32, uint16, uint16)
NPU_NATIVE_TYPE(64, uint16, uint16)
NPU_NATIVE_TYPE(4, int32, int)
NPU_NATIVE_TYPE(8, int32, int)
NPU_NATIVE_TYPE(16, int32, int)
NPU_NATIVE_TYPE(32, int32, int)
NPU_NATIVE_TYPE(4, uint32, unsigned)
NPU_NATIVE_TYPE(8, uint32, unsigned)
NPU_NATIVE_TYPE(16, uint32, unsigned)
NPU_NATIVE_TYPE(32, uint32, unsigned)
NPU_NATIVE_TYPE(4, float, float)
NPU_NATIVE_TYPE(8, float, float)
NPU_NATIVE_TYPE(16, float, float)
NPU_NATIVE_TYPE(32, float, float)
NPU_NATIVE_TYPE(4, bfloat16, bfloat16)
NPU_NATIVE_TYPE(8, bfloat16, bfloat16)
NPU_NATIVE_TYPE(16, bfloat16, bfloat16)
NPU_NATIVE_TYPE(32, bfloat16, bfloat16)
NPU_NATIVE_TYPE(64, bfloat16, bfloat16)
NPU_NATIVE_TYPE(32, int4, int4)
NPU_NATIVE_TYPE(64, int4, int4)
NPU_NATIVE_TYPE(128, int4, int4)
NPU_NATIVE_TYPE(256, int4, int4)
NPU_NATIVE_TYPE(32, uint4, uint4)
NPU_NATIVE_TYPE(64, uint4, uint4)
NPU_NATIVE_TYPE(128, uint4, uint4)
NPU_NATIVE_TYPE(256, uint4, uint4)
NPU_NATIVE_TYPE(4, cint16, cint16)
NPU_NATIVE_TYPE(8, cint16, cint16)
NPU_NATIVE_TYPE(16, cint16, cint16)
NPU_NATIVE_TYPE(32, cint16, cint16)
NPU_NATIVE_TYPE(2, cint32, cint32)
NPU_NATIVE_TYPE(4, cint32, cint32)
NPU_NATIVE_TYPE(8, cint32, cint32)
NPU_NATIVE_TYPE(16, cint32, cint32)
#undef NPU_NATIVE_TYPE

#define NPU_NATIVE_ACC(n, Tag) using v##n##Tag = npu_native::accumulator<Tag, n>;
NPU_NATIVE_ACC(8, acc32)
NPU_NATIVE_ACC(16, acc32)
NPU_NATIVE_ACC(32, acc32)
NPU_NATIVE_ACC(64, acc32)
NPU_NATIVE_ACC(4, acc64)
NPU_NATIVE_ACC(8, acc64)
NPU_NATIVE_ACC(16, acc64)
NPU_NATIVE_ACC(32, acc64)
NPU_NATIVE_ACC(8, accfloat)
NPU_NATIVE_ACC(16, accfloat)
NPU_NATIVE_ACC(32, accfloat)
NPU_NATIVE_ACC(64, accfloat)
NPU_NATIVE_ACC(2, cacc64)
NPU_NATIVE_ACC(4, cacc64)
NPU_NATIVE_ACC(8, cacc64)
NPU_NATIVE_ACC(16, cacc64)
#undef NPU_NATIVE_ACC
