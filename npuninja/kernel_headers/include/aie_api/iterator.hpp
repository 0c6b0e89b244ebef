/* Iterators whose elements are vectors, and streams of tensors and buffers. */
#pragma once

#include <aie_api/reduce.hpp>

namespace aie {
/** A vector at any address; loads when it is read, stores when it is assigned to. */
template <class T, unsigned N> class vector_reference {
    T *p_;

  public:
    using value = vector<type_for<T>, N>;
    NPU_INLINE explicit vector_reference(T *p) : p_(p) {}
    NPU_INLINE operator value() const { return load_v<N>(p_); }
    template <class V> NPU_INLINE const vector_reference &operator=(const V &v) const {
        const value stored = v;
        store_v(p_, stored);
        return *this;
    }
    NPU_INLINE const vector_reference &operator=(const vector_reference &other) const { return *this = value(other); }
};

/** Random access over vectors of N elements; Size > 0: wraps after Size vectors. What it points to is the vector in memory itself,
 * but for unaligned ones. */
template <class T, unsigned N, unsigned Size = 0, bool Unaligned = false> class vector_iterator {
    T *p_;
    T *start_;

    static constexpr unsigned elements_per_step = N / npu::element<type_for<T>>::per_lane;
    NPU_INLINE void move(ptrdiff_t n) {
        if constexpr (Size == 0)
            p_ += n * ptrdiff_t(elements_per_step);
        else {
            const ptrdiff_t length = ptrdiff_t(Size) * ptrdiff_t(elements_per_step);
            ptrdiff_t at = (p_ - start_ + n * ptrdiff_t(elements_per_step)) % length;
            p_ = start_ + (at < 0 ? at + length : at);
        }
    }

  public:
    using value_type = vector<type_for<T>, N>;
    using stored_type = std::conditional_t<std::is_const_v<T>, const value_type, value_type>;
    using reference =
        std::conditional_t<!Unaligned, stored_type &, std::conditional_t<std::is_const_v<T>, value_type, vector_reference<T, N>>>;
    using pointer = stored_type *;
    using difference_type = ptrdiff_t;
    NPU_INLINE explicit vector_iterator(T *p) : p_(p), start_(p) {}
    NPU_INLINE reference operator*() const {
        if constexpr (!Unaligned)
            return *(pointer)p_;
        else if constexpr (std::is_const_v<T>)
            return load_v<N>(p_);
        else
            return reference(p_);
    }
    NPU_INLINE pointer operator->() const { return (pointer)p_; }
    NPU_INLINE reference operator[](ptrdiff_t i) const { return *(*this + i); }
    NPU_INLINE vector_iterator &operator+=(ptrdiff_t n) { return move(n), *this; }
    NPU_INLINE vector_iterator &operator-=(ptrdiff_t n) { return move(-n), *this; }
    NPU_INLINE vector_iterator &operator++() { return *this += 1; }
    NPU_INLINE vector_iterator &operator--() { return *this -= 1; }
    NPU_INLINE vector_iterator operator++(int) {
        vector_iterator old = *this;
        ++*this;
        return old;
    }
    NPU_INLINE vector_iterator operator--(int) {
        vector_iterator old = *this;
        --*this;
        return old;
    }
    NPU_INLINE vector_iterator operator+(ptrdiff_t n) const {
        vector_iterator moved = *this;
        return moved += n;
    }
    NPU_INLINE vector_iterator operator-(ptrdiff_t n) const { return *this + -n; }
    NPU_INLINE ptrdiff_t operator-(const vector_iterator &other) const { return (p_ - other.p_) / ptrdiff_t(elements_per_step); }
    friend NPU_INLINE bool operator==(const vector_iterator &a, const vector_iterator &b) { return a.p_ == b.p_; }
    friend NPU_INLINE bool operator<(const vector_iterator &a, const vector_iterator &b) { return a.p_ < b.p_; }
};

/** Over single elements, by steps that come round again. */
template <class T, unsigned Steps> class pattern_iterator {
    T *p_;
    int steps_[Steps];
    unsigned at_ = 0;

  public:
    using value_type = T;
    using reference = T &;
    using pointer = T *;
    using difference_type = ptrdiff_t;
    template <class... Step>
        requires(sizeof...(Step) == Steps)
    NPU_INLINE explicit pattern_iterator(T *p, Step... steps) : p_(p), steps_{int(steps)...} {}
    NPU_INLINE T &operator*() const { return *p_; }
    NPU_INLINE T *operator->() const { return p_; }
    NPU_INLINE pattern_iterator &operator++() {
        p_ += steps_[at_];
        at_ = at_ + 1 == Steps ? 0 : at_ + 1;
        return *this;
    }
    NPU_INLINE pattern_iterator operator++(int) {
        pattern_iterator old = *this;
        ++*this;
        return old;
    }
    friend NPU_INLINE bool operator==(const pattern_iterator &a, const pattern_iterator &b) { return a.p_ == b.p_; }
};
template <unsigned Steps, class T, class... Step> NPU_INLINE auto begin_pattern(T *p, Step... steps) {
    static_assert(sizeof...(Step) == Steps, "aie::begin_pattern: as many steps as its argument says");
    return pattern_iterator<T, Steps>(p, steps...);
}
template <unsigned Steps, class T, class... Step> NPU_INLINE auto cbegin_pattern(const T *p, Step... steps) {
    static_assert(sizeof...(Step) == Steps, "aie::cbegin_pattern: as many steps as its argument says");
    return pattern_iterator<const T, Steps>(p, steps...);
}

/** Over single elements of a circular buffer. */
template <class T, unsigned Size> class element_iterator {
    T *p_, *start_;

  public:
    NPU_INLINE explicit element_iterator(T *p) : p_(p), start_(p) {}
    NPU_INLINE T &operator*() const { return *p_; }
    NPU_INLINE T &operator[](ptrdiff_t i) const { return *(*this + i); }
    NPU_INLINE element_iterator &operator+=(ptrdiff_t n) {
        ptrdiff_t at = (p_ - start_ + n) % ptrdiff_t(Size);
        p_ = start_ + (at < 0 ? at + ptrdiff_t(Size) : at);
        return *this;
    }
    NPU_INLINE element_iterator &operator-=(ptrdiff_t n) { return *this += -n; }
    NPU_INLINE element_iterator &operator++() { return *this += 1; }
    NPU_INLINE element_iterator operator++(int) {
        element_iterator old = *this;
        *this += 1;
        return old;
    }
    NPU_INLINE element_iterator operator+(ptrdiff_t n) const {
        element_iterator moved = *this;
        return moved += n;
    }
    friend NPU_INLINE bool operator==(const element_iterator &a, const element_iterator &b) { return a.p_ == b.p_; }
};

#define NPU_BEGIN(name, T_, unaligned)                                                                                            \
    template <unsigned N, aie_dm_resource = aie_dm_resource::none, class T> NPU_INLINE auto name(T *p) {                          \
        return vector_iterator<T_, N, 0, unaligned>(p);                                                                           \
    }                                                                                                                             \
    template <aie_dm_resource = aie_dm_resource::none, class T> NPU_INLINE auto name(T *p) {                                      \
        return vector_iterator<T_, native_vector_length_v<T>, 0, unaligned>(p);                                                   \
    }
NPU_BEGIN(begin_vector, T, false)
NPU_BEGIN(begin_restrict_vector, T, false)
NPU_BEGIN(begin_unaligned_vector, T, true)
NPU_BEGIN(begin_vector_random, T, false)
NPU_BEGIN(cbegin_vector, const T, false)
NPU_BEGIN(cbegin_restrict_vector, const T, false)
NPU_BEGIN(cbegin_unaligned_vector, const T, true)
#undef NPU_BEGIN
/** Iterators over several arrays in step, as a tuple. */
template <unsigned N, aie_dm_resource = aie_dm_resource::none, class... T> NPU_INLINE auto begin_vectors(T *...p) {
    return std::make_tuple(begin_vector<N>(p)...);
}
template <unsigned N, aie_dm_resource = aie_dm_resource::none, class... T> NPU_INLINE auto cbegin_vectors(const T *...p) {
    return std::make_tuple(cbegin_vector<N>(p)...);
}
template <class T, unsigned N = native_vector_length_v<T>> using const_vector_iterator = vector_iterator<const T, N>;
template <class T, unsigned N = native_vector_length_v<T>> using restrict_vector_iterator = vector_iterator<T, N>;
template <class T, unsigned N = native_vector_length_v<T>> using const_restrict_vector_iterator = vector_iterator<const T, N>;
template <class T, unsigned N = native_vector_length_v<T>> using unaligned_vector_iterator = vector_iterator<T, N, 0, true>;
template <class T, unsigned N = native_vector_length_v<T>> using const_unaligned_vector_iterator = vector_iterator<const T, N, 0, true>;
#define NPU_BEGIN(name, T_)                                                                                                       \
    template <unsigned N, unsigned Size, aie_dm_resource = aie_dm_resource::none, class T> NPU_INLINE auto name(T *p) {           \
        return vector_iterator<T_, N, Size / N>(p);                                                                               \
    }                                                                                                                             \
    template <unsigned N, aie_dm_resource = aie_dm_resource::none, class T, unsigned long Size> NPU_INLINE auto name(T(&p)[Size]) { \
        return vector_iterator<T_, N, Size / N>(p);                                                                               \
    }
NPU_BEGIN(begin_vector_circular, T)
NPU_BEGIN(begin_vector_random_circular, T)
NPU_BEGIN(begin_restrict_vector_circular, T)
NPU_BEGIN(begin_restrict_vector_random_circular, T)
NPU_BEGIN(cbegin_vector_circular, const T)
NPU_BEGIN(cbegin_vector_random_circular, const T)
#undef NPU_BEGIN
#define NPU_BEGIN(name, T_)                                                                                                       \
    template <unsigned Size, aie_dm_resource = aie_dm_resource::none, class T> NPU_INLINE auto name(T *p) {                       \
        return element_iterator<T_, Size>(p);                                                                                     \
    }                                                                                                                             \
    template <aie_dm_resource = aie_dm_resource::none, class T, unsigned long Size> NPU_INLINE auto name(T(&p)[Size]) {           \
        return element_iterator<T_, Size>(p);                                                                                     \
    }
NPU_BEGIN(begin_circular, T)
NPU_BEGIN(begin_random_circular, T)
NPU_BEGIN(cbegin_circular, const T)
NPU_BEGIN(cbegin_random_circular, const T)
#undef NPU_BEGIN

/** An input or output of vectors in a row. */
template <class T, unsigned N> class vector_input_buffer_stream {
    const T *p_;

  public:
    NPU_INLINE explicit vector_input_buffer_stream(const T *p) : p_(p) {}
    NPU_INLINE auto pop() {
        const auto v = load_v<N>(p_);
        p_ += N;
        return v;
    }
    NPU_INLINE void seek(int n) { p_ += n * int(N); }
    template <class V> NPU_INLINE vector_input_buffer_stream &operator>>(V &v) {
        v = pop();
        return *this;
    }
};
template <class T, unsigned N> class vector_output_buffer_stream {
    T *p_;

  public:
    NPU_INLINE explicit vector_output_buffer_stream(T *p) : p_(p) {}
    NPU_INLINE void push(const vector<type_for<T>, N> &v) {
        store_v(p_, v);
        p_ += N;
    }
    NPU_INLINE void seek(int n) { p_ += n * int(N); }
    NPU_INLINE vector_output_buffer_stream &operator<<(const vector<type_for<T>, N> &v) {
        push(v);
        return *this;
    }
};
template <unsigned N, class T> NPU_INLINE auto make_vector_input_buffer_stream(const T *p) { return vector_input_buffer_stream<T, N>(p); }
template <unsigned N, class T> NPU_INLINE auto make_vector_output_buffer_stream(T *p) { return vector_output_buffer_stream<T, N>(p); }
template <unsigned N, class T> NPU_INLINE auto make_unaligned_vector_input_buffer_stream(const T *p) {
    return vector_input_buffer_stream<T, N>(p);
}
template <unsigned N, class T> NPU_INLINE auto make_unaligned_vector_output_buffer_stream(T *p) {
    return vector_output_buffer_stream<T, N>(p);
}
template <class T, unsigned N> using unaligned_vector_input_buffer_stream = vector_input_buffer_stream<T, N>;
template <class T, unsigned N> using unaligned_vector_output_buffer_stream = vector_output_buffer_stream<T, N>;

/** One dimension of a tensor: how many steps, and how far each goes: in vectors, or in bytes by `make_tensor_descriptor_bytes`. */
struct tensor_dim {
    unsigned size;
    int step;
    constexpr tensor_dim(unsigned n, int s) : size(n), step(s) {}
};
template <class T, unsigned N, unsigned D> struct tensor_descriptor {
    tensor_dim dims[D];
    int step_bytes;
};
template <class T, unsigned N, class... D> constexpr auto make_tensor_descriptor(D... dims) {
    return tensor_descriptor<T, N, sizeof...(D)>{{tensor_dim(dims)...}, int(vector<type_for<T>, N>::bytes())};
}
template <class T, unsigned N, class... D> constexpr auto make_tensor_descriptor_bytes(D... dims) {
    return tensor_descriptor<T, N, sizeof...(D)>{{tensor_dim(dims)...}, 1};
}
template <class T, unsigned N> constexpr auto make_tensor_descriptor_from_native(auto... dims) {
    return make_tensor_descriptor<T, N>(dims...);
}
/** Reads vectors in the order of nested counters; the last dimension is the innermost. */
template <class T, unsigned N, unsigned D> class tensor_buffer_stream {
    T *p_;
    tensor_descriptor<type_for<T>, N, D> shape_;
    unsigned at_[D] = {};

    NPU_INLINE T *here() const {
        int offset = 0;
        for (unsigned d = 0; d < D; d++)
            offset += int(at_[d]) * shape_.dims[d].step;
        return (T *)((std::conditional_t<std::is_const_v<T>, const char, char> *)p_ + offset * shape_.step_bytes);
    }
    NPU_INLINE void next() {
        for (unsigned d = D; d-- > 0;) {
            if (++at_[d] < shape_.dims[d].size)
                return;
            at_[d] = 0;
        }
    }

  public:
    NPU_INLINE tensor_buffer_stream(T *p, const tensor_descriptor<type_for<T>, N, D> &shape) : p_(p), shape_(shape) {}
    NPU_INLINE auto pop() {
        const auto v = load_v<N>(here());
        next();
        return v;
    }
    NPU_INLINE void push(const vector<type_for<T>, N> &v) {
        store_v(here(), v);
        next();
    }
    template <class V> NPU_INLINE tensor_buffer_stream &operator>>(V &v) {
        v = pop();
        return *this;
    }
    NPU_INLINE tensor_buffer_stream &operator<<(const vector<type_for<T>, N> &v) {
        push(v);
        return *this;
    }
};
template <class P, class T, unsigned N, unsigned D> NPU_INLINE auto make_tensor_buffer_stream(P *p, const tensor_descriptor<T, N, D> &d) {
    return tensor_buffer_stream<P, N, D>(p, d);
}
template <class P, class T, unsigned N, unsigned D>
NPU_INLINE auto make_restrict_tensor_buffer_stream(P *p, const tensor_descriptor<T, N, D> &d) {
    return tensor_buffer_stream<P, N, D>(p, d);
}
} // namespace aie
