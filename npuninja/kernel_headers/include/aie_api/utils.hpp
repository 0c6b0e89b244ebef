/* Printing of vectors. */
#pragma once

#include <aie_api/mask.hpp>
#include <stdio.h>

namespace aie {
template <class T, unsigned N> void print(const vector<T, N> &v, bool new_line = false, const char *prefix = nullptr) {
    if (prefix)
        printf("%s", prefix);
    for (unsigned i = 0; i < N; i++) {
        if constexpr (npu::element<T>::is_complex)
            printf("%g+%gi ", double(float(v.get(i).real)), double(float(v.get(i).imag)));
        else if constexpr (npu::element<T>::is_float)
            printf("%g ", double(float(v.get(i))));
        else
            printf("%d ", int(v.get(i)));
    }
    if (new_line)
        printf("\n");
}
template <unsigned N> void print(const mask<N> &m, bool new_line = false, const char *prefix = nullptr) {
    if (prefix)
        printf("%s", prefix);
    for (unsigned i = 0; i < N; i++)
        printf("%d ", int(m.test(i)));
    if (new_line)
        printf("\n");
}
template <class V> void print_matrix(const V &v, unsigned columns, const char *prefix = nullptr) {
    for (unsigned i = 0; i < V::size(); i++) {
        if (prefix && i % columns == 0)
            printf("%s", prefix);
        printf("%g ", double(float(v.get(i))));
        if (i % columns == columns - 1)
            printf("\n");
    }
}
} // namespace aie
