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
    NPU_INLINE operator value() const { return load_unaligned_v<N>(p_); }
    template <class V> NPU_INLINE const vector_reference &operator=(const V &v) const {
        const value stored = v;
        store_unaligned_v(p_, stored);
        return *this;
    }
    NPU_INLINE const vector_reference &operator=(const vector_reference &other) const { return *this = value(other); }
};

inline constexpr size_t dynamic_extent = size_t(-1);
namespace npu_detail {
/** After how many elements a circular iterator comes round: a number of the type, or one that it was made with. */
template <size_t Size> struct circle {
    NPU_INLINE constexpr circle(size_t) {}
    NPU_INLINE constexpr ptrdiff_t length() const { return ptrdiff_t(Size); }
};
template <> struct circle<dynamic_extent> {
    size_t size;
    NPU_INLINE constexpr circle(size_t n) : size(n) {}
    NPU_INLINE constexpr ptrdiff_t length() const { return ptrdiff_t(size); }
};
/** A place in a circle of that length, also one from before its beginning or after its end. */
NPU_INLINE constexpr ptrdiff_t around(ptrdiff_t at, ptrdiff_t length) {
    at %= length;
    return at < 0 ? at + length : at;
}
} // namespace npu_detail

/** Random access over vectors of N elements; Size > 0: wraps after Size elements. What it points to is the vector in memory itself,
 * but for unaligned ones. */
template <class T, unsigned N, size_t Size = 0, bool Unaligned = false> class vector_iterator {
    T *p_;
    T *start_;
    [[no_unique_address]] npu_detail::circle<Size> circle_;

    static constexpr unsigned elements_per_step = N / npu::element<type_for<T>>::per_lane;
    NPU_INLINE void move(ptrdiff_t n) {
        if constexpr (Size == 0)
            p_ += n * ptrdiff_t(elements_per_step);
        else {
            const ptrdiff_t length = circle_.length() / ptrdiff_t(npu::element<type_for<T>>::per_lane);
            p_ = start_ + npu_detail::around(p_ - start_ + n * ptrdiff_t(elements_per_step), length);
        }
    }

  public:
    using value_type = vector<type_for<T>, N>;
    using stored_type = std::conditional_t<std::is_const_v<T>, const value_type, value_type>;
    using reference =
        std::conditional_t<!Unaligned, stored_type &, std::conditional_t<std::is_const_v<T>, value_type, vector_reference<T, N>>>;
    using pointer = stored_type *;
    using difference_type = ptrdiff_t;
    NPU_INLINE explicit vector_iterator(T *p)
        requires(Size != dynamic_extent)
        : p_(p), start_(p), circle_(0) {}
    NPU_INLINE vector_iterator(T *p, size_t size)
        requires(Size == dynamic_extent)
        : p_(p), start_(p), circle_(size) {}
    NPU_INLINE reference operator*() const {
        if constexpr (!Unaligned)
            return *(pointer)p_;
        else if constexpr (std::is_const_v<T>)
            return load_unaligned_v<N>(p_);
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
template <class T, size_t Size> class element_iterator {
    T *p_, *start_;
    [[no_unique_address]] npu_detail::circle<Size> circle_;

  public:
    using value_type = T;
    using reference = T &;
    using pointer = T *;
    using difference_type = ptrdiff_t;
    NPU_INLINE explicit element_iterator(T *p)
        requires(Size != dynamic_extent)
        : p_(p), start_(p), circle_(0) {}
    NPU_INLINE element_iterator(T *p, size_t size)
        requires(Size == dynamic_extent)
        : p_(p), start_(p), circle_(size) {}
    NPU_INLINE T &operator*() const { return *p_; }
    NPU_INLINE T &operator[](ptrdiff_t i) const { return *(*this + i); }
    NPU_INLINE element_iterator &operator+=(ptrdiff_t n) {
        p_ = start_ + npu_detail::around(p_ - start_ + n, circle_.length());
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
        return vector_iterator<T_, N, Size>(p);                                                                                   \
    }                                                                                                                             \
    template <unsigned N, aie_dm_resource = aie_dm_resource::none, class T, size_t Size> NPU_INLINE auto name(T(&p)[Size]) {      \
        return vector_iterator<T_, N, Size>(p);                                                                                   \
    }                                                                                                                             \
    template <unsigned N, aie_dm_resource = aie_dm_resource::none, class T> NPU_INLINE auto name(T *p, size_t size) {             \
        return vector_iterator<T_, N, dynamic_extent>(p, size);                                                                   \
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
    template <aie_dm_resource = aie_dm_resource::none, class T, size_t Size> NPU_INLINE auto name(T(&p)[Size]) {                  \
        return element_iterator<T_, Size>(p);                                                                                     \
    }                                                                                                                             \
    template <aie_dm_resource = aie_dm_resource::none, class T> NPU_INLINE auto name(T *p, size_t size) {                         \
        return element_iterator<T_, dynamic_extent>(p, size);                                                                     \
    }
NPU_BEGIN(begin_circular, T)
NPU_BEGIN(begin_random_circular, T)
NPU_BEGIN(cbegin_circular, const T)
NPU_BEGIN(cbegin_random_circular, const T)
#undef NPU_BEGIN
#define NPU_CIRCULAR(name)                                                                                                        \
    template <class T, size_t Size = dynamic_extent, aie_dm_resource = aie_dm_resource::none>                                     \
    using name##circular_iterator = element_iterator<T, Size>;                                                                    \
    template <class T, size_t Size = dynamic_extent, aie_dm_resource = aie_dm_resource::none>                                     \
    using const_##name##circular_iterator = element_iterator<const T, Size>;                                                      \
    template <class T, unsigned N, size_t Size = dynamic_extent, aie_dm_resource = aie_dm_resource::none>                         \
    using vector_##name##circular_iterator = vector_iterator<T, N, Size>;                                                         \
    template <class T, unsigned N, size_t Size = dynamic_extent, aie_dm_resource = aie_dm_resource::none>                         \
    using const_vector_##name##circular_iterator = vector_iterator<const T, N, Size>;
NPU_CIRCULAR()
NPU_CIRCULAR(random_)
#undef NPU_CIRCULAR
template <class T, unsigned Steps> using const_pattern_iterator = pattern_iterator<const T, Steps>;
template <class T, unsigned N = native_vector_length_v<T>, aie_dm_resource = aie_dm_resource::none>
using unaligned_vector_ref = vector_reference<T, N>;

/* The two ends of an array. */
template <aie_dm_resource = aie_dm_resource::none, class T> NPU_INLINE constexpr T *begin(T *p, size_t) { return p; }
template <aie_dm_resource = aie_dm_resource::none, class T, size_t N> NPU_INLINE constexpr T *begin(T (&p)[N]) { return p; }
template <aie_dm_resource = aie_dm_resource::none, class T> NPU_INLINE constexpr T *end(T *p, size_t n) { return p + n; }
template <aie_dm_resource = aie_dm_resource::none, class T, size_t N> NPU_INLINE constexpr T *end(T (&p)[N]) { return p + N; }
template <aie_dm_resource = aie_dm_resource::none, class T> NPU_INLINE constexpr const T *cbegin(const T *p, size_t) { return p; }
template <aie_dm_resource = aie_dm_resource::none, class T> NPU_INLINE constexpr const T *cend(const T *p, size_t n) { return p + n; }

/** Counts up to one less than Max, or than the number it was made with, and begins again. */
template <unsigned Max = unsigned(-1)> class circular_index {
    unsigned at_ = 0, size_ = Max;

  public:
    NPU_INLINE constexpr circular_index()
        requires(Max != unsigned(-1))
    = default;
    NPU_INLINE constexpr circular_index(unsigned size)
        requires(Max == unsigned(-1))
        : size_(size) {}
    NPU_INLINE constexpr operator unsigned() const { return at_; }
    NPU_INLINE constexpr circular_index &operator++() {
        at_ = at_ + 1 >= size_ ? 0 : at_ + 1;
        return *this;
    }
    NPU_INLINE constexpr circular_index operator++(int) {
        const circular_index old = *this;
        ++*this;
        return old;
    }
};

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
    unsigned num = 0;
    int step = 0;
    constexpr tensor_dim() = default;
    constexpr tensor_dim(unsigned n, int s) : num(n), step(s) {}
};
/** Counters as the address unit has them: the innermost goes on by `inc1` for `num1` steps, then once by the next increment. */
struct dim_2d {
    unsigned num1 = 0;
    int inc1 = 0, inc2 = 0;
    constexpr dim_2d() = default;
    constexpr dim_2d(unsigned n1, int i1, int i2) : num1(n1), inc1(i1), inc2(i2) {}
};
struct dim_3d {
    unsigned num1 = 0;
    int inc1 = 0;
    unsigned num2 = 0;
    int inc2 = 0, inc3 = 0;
    constexpr dim_3d() = default;
    constexpr dim_3d(unsigned n1, int i1, unsigned n2, int i2, int i3) : num1(n1), inc1(i1), num2(n2), inc2(i2), inc3(i3) {}
};
namespace npu_detail {
/** One, two or three counters; increments in bytes. */
struct counters {
    unsigned depth;
    dim_3d by;
};
constexpr counters scaled(int step, int bytes) { return {1, {0, 0, 0, 0, step * bytes}}; }
constexpr counters scaled(dim_2d d, int bytes) { return {2, {d.num1, d.inc1 * bytes, 0, 0, d.inc2 * bytes}}; }
constexpr counters scaled(dim_3d d, int bytes) { return {3, {d.num1, d.inc1 * bytes, d.num2, d.inc2 * bytes, d.inc3 * bytes}}; }
} // namespace npu_detail

/** What a stream goes through: levels of up to three dimensions each, the outermost first. */
template <class T, unsigned N, unsigned Levels> struct tensor_descriptor {
    using type = T;
    static constexpr unsigned elems = N;
    npu_detail::counters levels[Levels];
};
namespace npu_detail {
template <class T, unsigned N, unsigned D> constexpr auto tensor_of_steps(const tensor_dim (&dims)[D], int bytes) {
    // An increment takes back what the dimensions inside have gone.
    tensor_dim on[D + 1];
    int gone = 0;
    for (unsigned d = D; d-- > 0;) {
        on[d] = tensor_dim(dims[d].num - 1, dims[d].step * bytes - gone);
        gone += dims[d].step * bytes * int(dims[d].num - 1);
    }
    constexpr unsigned levels = (D + 2) / 3;
    tensor_descriptor<T, N, levels> made{};
    for (unsigned level = 0; level < levels; level++) {
        const unsigned first = level * 3, depth = D - first < 3 ? D - first : 3;
        // A level's own stream starts where the one around it is, which it does not move.
        const int back = D - first > 3 ? on[first + 3].step * int(on[first + 3].num) : 0;
        counters &c = made.levels[level];
        c.depth = depth;
        if (depth == 3)
            c.by = {on[first + 2].num, on[first + 2].step + back, on[first + 1].num, on[first + 1].step + back, on[first].step + back};
        else if (depth == 2)
            c.by = {on[first + 1].num, on[first + 1].step, 0, 0, on[first].step};
        else
            c.by = {0, 0, 0, 0, on[first].step};
    }
    return made;
}
} // namespace npu_detail
template <class T, unsigned N, class... D> constexpr auto make_tensor_descriptor(D... dims) {
    const tensor_dim all[] = {tensor_dim(dims)...};
    return npu_detail::tensor_of_steps<T, N>(all, int(vector<type_for<T>, N>::bytes()));
}
template <class T, unsigned N, class... D> constexpr auto make_tensor_descriptor_bytes(D... dims) {
    const tensor_dim all[] = {tensor_dim(dims)...};
    return npu_detail::tensor_of_steps<T, N>(all, 1);
}
template <class T, unsigned N, class... D> constexpr auto make_tensor_descriptor_from_native(D... dims) {
    return tensor_descriptor<T, N, sizeof...(D)>{{npu_detail::scaled(dims, int(vector<type_for<T>, N>::bytes()))...}};
}
template <class T, unsigned N, class... D> constexpr auto make_tensor_descriptor_from_native_bytes(D... dims) {
    return tensor_descriptor<T, N, sizeof...(D)>{{npu_detail::scaled(dims, 1)...}};
}
/** Vectors in the order of nested counters. A stream of more than three dimensions gives streams, each of the dimensions inside. */
template <class T, unsigned N, unsigned Levels, unsigned Level = 0> class tensor_buffer_stream {
    static constexpr bool innermost = Level + 1 == Levels;
    using value = vector<type_for<T>, N>;
    T *p_;
    tensor_descriptor<type_for<T>, N, Levels> shape_;
    unsigned at1_ = 0, at2_ = 0;

    NPU_INLINE void next() {
        const npu_detail::counters &c = shape_.levels[Level];
        int on = c.by.inc3;
        if (c.depth > 1 && at1_ < c.by.num1) {
            at1_++, on = c.by.inc1;
        } else {
            at1_ = 0;
            if (c.depth > 2 && at2_ < c.by.num2)
                at2_++, on = c.by.inc2;
            else
                at2_ = 0;
        }
        p_ = (T *)((std::conditional_t<std::is_const_v<T>, const char, char> *)p_ + on);
    }

  public:
    NPU_INLINE tensor_buffer_stream(T *p, const tensor_descriptor<type_for<T>, N, Levels> &shape) : p_(p), shape_(shape) {}
    NPU_INLINE auto pop() {
        if constexpr (innermost) {
            const auto v = load_unaligned_v<N>(p_);
            next();
            return v;
        } else {
            const tensor_buffer_stream<T, N, Levels, Level + 1> inside(p_, shape_);
            next();
            return inside;
        }
    }
    NPU_INLINE void push(const value &v)
        requires innermost
    {
        store_unaligned_v(p_, v);
        next();
    }
    template <class V>
        requires innermost
    NPU_INLINE tensor_buffer_stream &operator>>(V &v) {
        v = pop();
        return *this;
    }
    NPU_INLINE tensor_buffer_stream &operator<<(const value &v)
        requires innermost
    {
        push(v);
        return *this;
    }
    friend NPU_INLINE bool operator==(const tensor_buffer_stream &a, const tensor_buffer_stream &b) { return a.p_ == b.p_; }
};
template <aie_dm_resource = aie_dm_resource::none, class P, class T, unsigned N, unsigned L>
NPU_INLINE auto make_tensor_buffer_stream(P *p, const tensor_descriptor<T, N, L> &d) {
    return tensor_buffer_stream<P, N, L>(p, d);
}
template <aie_dm_resource = aie_dm_resource::none, class P, class T, unsigned N, unsigned L>
NPU_INLINE auto make_restrict_tensor_buffer_stream(P *p, const tensor_descriptor<T, N, L> &d) {
    return tensor_buffer_stream<P, N, L>(p, d);
}
} // namespace aie
