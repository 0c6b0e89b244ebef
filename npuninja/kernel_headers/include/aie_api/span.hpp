/* Views of an array as rows, planes and so on, by elements or by tiles that lie one after the other. */
#pragma once

#include <aie_api/iterator.hpp>
#include <utility>

namespace aie {
template <size_t... Extents> using extents = std::integer_sequence<size_t, Extents...>;

namespace npu_detail {
/** How many of each there are; the last dimension is the innermost. Numbers that the type says take no room. */
template <size_t... E> struct span_shape {
    static constexpr unsigned dimensions = sizeof...(E);
    static constexpr unsigned dynamic_dimensions = (0u + ... + unsigned(E == dynamic_extent));
    static_assert((... && (E != 0)), "aie: a span's extents are larger than zero");
    static_assert(dynamic_dimensions == 0 || dynamic_dimensions == dimensions,
                  "aie: the extents of a span are known for all dimensions or for none: the API's own code mixes them up otherwise");
    struct known {
        static constexpr size_t of[] = {E...};
        template <class... None> constexpr known(None...) {}
    };
    struct given {
        size_t of[dimensions];
        template <class... N> constexpr given(N... n) : of{size_t(n)...} {}
    };
    using type = std::conditional_t<dynamic_dimensions == 0, known, given>;
};
} // namespace npu_detail

template <class T, size_t... E> class mdspan {
    using shape = npu_detail::span_shape<E...>;
    T *data_;
    [[no_unique_address]] typename shape::type extents_;

  public:
    using value_type = T;
    using reference = T &;
    using pointer = T *;
    using index_type = ptrdiff_t;
    using iterator = T *;
    using const_iterator = const T *;
    template <class... N> NPU_INLINE constexpr mdspan(T *data, N... extents) : data_(data), extents_(extents...) {
        static_assert(sizeof...(N) == shape::dynamic_dimensions, "aie: a span gets the extents that its type leaves open");
    }
    static constexpr size_t rank() { return sizeof...(E); }
    static constexpr size_t rank_dynamic() { return shape::dynamic_dimensions; }
    static constexpr size_t rank_static() { return rank() - rank_dynamic(); }
    static constexpr bool is_static() { return rank_dynamic() == 0; }
    NPU_INLINE constexpr size_t extent(size_t dimension) const { return extents_.of[dimension]; }
    NPU_INLINE constexpr size_t size() const {
        size_t product = 1;
        for (unsigned d = 0; d < rank(); d++)
            product *= extent(d);
        return product;
    }
    template <class... I> NPU_INLINE constexpr T &operator()(I... index) const {
        static_assert(sizeof...(I) == rank(), "aie: a span takes an index for each dimension");
        ptrdiff_t at = 0;
        unsigned d = 0;
        ((at = at * ptrdiff_t(extent(d++)) + ptrdiff_t(index)), ...);
        return data_[at];
    }
    NPU_INLINE constexpr iterator begin() const requires(rank() == 1) { return data_; }
    NPU_INLINE constexpr iterator end() const requires(rank() == 1) { return data_ + size(); }
    NPU_INLINE constexpr const_iterator cbegin() const requires(rank() == 1) { return data_; }
    NPU_INLINE constexpr const_iterator cend() const requires(rank() == 1) { return data_ + size(); }
    NPU_INLINE auto begin_circular() const requires(rank() == 1) { return circular_over<T>(); }
    NPU_INLINE auto cbegin_circular() const requires(rank() == 1) { return circular_over<const T>(); }

  private:
    template <class U> NPU_INLINE auto circular_over() const {
        if constexpr (is_static())
            return circular_iterator<U, shape::known::of[0]>(data_);
        else
            return circular_iterator<U, dynamic_extent>(data_, size());
    }
};

/** Over tiles: what it points to is the first element of one. */
template <class T> class tile_iterator {
    T *p_;
    ptrdiff_t step_;

  public:
    using value_type = T;
    using reference = T &;
    using pointer = T *;
    using difference_type = ptrdiff_t;
    NPU_INLINE constexpr tile_iterator(T *p, ptrdiff_t step) : p_(p), step_(step) {}
    NPU_INLINE constexpr T &operator*() const { return *p_; }
    NPU_INLINE constexpr T *operator->() const { return p_; }
    NPU_INLINE constexpr T &operator[](int n) const { return p_[n * step_]; }
    NPU_INLINE constexpr tile_iterator &operator+=(int n) { return p_ += n * step_, *this; }
    NPU_INLINE constexpr tile_iterator &operator-=(int n) { return p_ -= n * step_, *this; }
    NPU_INLINE constexpr tile_iterator &operator++() { return *this += 1; }
    NPU_INLINE constexpr tile_iterator &operator--() { return *this -= 1; }
    NPU_INLINE constexpr tile_iterator operator++(int) {
        const tile_iterator old = *this;
        return *this += 1, old;
    }
    NPU_INLINE constexpr tile_iterator operator--(int) {
        const tile_iterator old = *this;
        return *this -= 1, old;
    }
    NPU_INLINE constexpr tile_iterator operator+(int n) const { return tile_iterator(p_ + n * step_, step_); }
    NPU_INLINE constexpr tile_iterator operator-(int n) const { return *this + -n; }
    friend NPU_INLINE constexpr bool operator==(const tile_iterator &a, const tile_iterator &b) { return a.p_ == b.p_; }
};
/** Over tiles as vectors, `step` vectors apart. */
template <class T, unsigned N> class tile_vector_iterator {
    T *p_;
    ptrdiff_t step_;

  public:
    using value_type = vector<type_for<T>, N>;
    using stored_type = std::conditional_t<std::is_const_v<T>, const value_type, value_type>;
    NPU_INLINE tile_vector_iterator(T *p, ptrdiff_t step) : p_(p), step_(step * ptrdiff_t(N)) {}
    NPU_INLINE stored_type &operator*() const { return *(stored_type *)p_; }
    NPU_INLINE stored_type *operator->() const { return (stored_type *)p_; }
    NPU_INLINE tile_vector_iterator &operator+=(ptrdiff_t n) { return p_ += n * step_, *this; }
    NPU_INLINE tile_vector_iterator &operator-=(ptrdiff_t n) { return *this += -n; }
    NPU_INLINE tile_vector_iterator &operator++() { return *this += 1; }
    NPU_INLINE tile_vector_iterator &operator--() { return *this += -1; }
    NPU_INLINE tile_vector_iterator operator++(int) {
        const tile_vector_iterator old = *this;
        return *this += 1, old;
    }
    NPU_INLINE tile_vector_iterator operator+(ptrdiff_t n) const {
        tile_vector_iterator moved = *this;
        return moved += n;
    }
    friend NPU_INLINE bool operator==(const tile_vector_iterator &a, const tile_vector_iterator &b) { return a.p_ == b.p_; }
};

/** Tiles of the same shape one after the other, each of them in a row of memory. */
template <class T, class Tile, size_t... E> class tiled_mdspan;
template <class T, size_t... Tile, size_t... E> class tiled_mdspan<T, extents<Tile...>, E...> {
    using shape = npu_detail::span_shape<E...>;
    static_assert(sizeof...(Tile) == sizeof...(E), "aie: a tile has as many dimensions as its span");
    static_assert((... && (Tile != dynamic_extent && Tile != 0)), "aie: the extents of a tile are known when the kernel is compiled");
    static_assert(shape::dynamic_dimensions != 0 || (... && (E % Tile == 0)), "aie: the extents of a span are whole tiles");
    static constexpr size_t tile_extents[] = {Tile...};
    static constexpr size_t tile_elements = (... * Tile);
    T *data_;
    [[no_unique_address]] typename shape::type extents_;

    /** Elements from a tile to the next of a dimension. */
    NPU_INLINE constexpr ptrdiff_t step(unsigned dimension) const {
        size_t product = tile_elements;
        for (unsigned d = dimension + 1; d < rank(); d++)
            product *= extent(d);
        return ptrdiff_t(product);
    }

  public:
    using value_type = T;
    using reference = T &;
    using pointer = T *;
    using index_type = ptrdiff_t;
    template <class... N> NPU_INLINE constexpr tiled_mdspan(T *data, N... extents) : data_(data), extents_(extents...) {
        static_assert(sizeof...(N) == shape::dynamic_dimensions, "aie: a span gets the extents that its type leaves open");
    }
    static constexpr size_t rank() { return sizeof...(E); }
    static constexpr size_t tile_rank() { return sizeof...(Tile); }
    static constexpr size_t rank_dynamic() { return shape::dynamic_dimensions; }
    static constexpr size_t rank_static() { return rank() - rank_dynamic(); }
    static constexpr bool is_static() { return rank_dynamic() == 0; }
    static constexpr size_t tile_extent(size_t dimension) { return tile_extents[dimension]; }
    static constexpr size_t tile_elems_static() { return tile_elements; }
    /** In tiles. */
    NPU_INLINE constexpr size_t extent(size_t dimension) const { return extents_.of[dimension] / tile_extents[dimension]; }
    template <class... I> NPU_INLINE constexpr T &tiles(I... index) const {
        static_assert(sizeof...(I) == rank(), "aie: a span takes an index for each dimension");
        ptrdiff_t at = 0;
        unsigned d = 0;
        ((at = at * ptrdiff_t(extent(d++)) + ptrdiff_t(index)), ...);
        return data_[at * ptrdiff_t(tile_elements)];
    }
    template <size_t Dimension, class... I> NPU_INLINE auto begin_vector_dim(I... index) const {
        return tile_vector_iterator<T, tile_elements>(&tiles(index...), step(Dimension) / ptrdiff_t(tile_elements));
    }
    template <size_t Dimension, class... I> NPU_INLINE auto cbegin_vector_dim(I... index) const {
        return tile_vector_iterator<const T, tile_elements>(&tiles(index...), step(Dimension) / ptrdiff_t(tile_elements));
    }
    /** The API counts the dimensions of this one from the innermost, which is 0. */
    template <size_t Dimension, class... I> NPU_INLINE constexpr auto begin_dim(I... index) const {
        return tile_iterator<T>(&tiles(index...), step(unsigned(rank() - 1 - Dimension)));
    }
};

#define NPU_SPANS(prefix)                                                                                                         \
    template <class T, size_t A = dynamic_extent> using prefix##span_1d = mdspan<T, A>;                                           \
    template <class T, size_t A = dynamic_extent> using prefix##span = mdspan<T, A>;                                              \
    template <class T, size_t A = dynamic_extent, size_t B = dynamic_extent> using prefix##span_2d = mdspan<T, A, B>;             \
    template <class T, size_t A = dynamic_extent, size_t B = dynamic_extent, size_t C = dynamic_extent>                           \
    using prefix##span_3d = mdspan<T, A, B, C>;                                                                                   \
    template <class T, size_t A = dynamic_extent, size_t B = dynamic_extent, size_t C = dynamic_extent, size_t D = dynamic_extent> \
    using prefix##span_4d = mdspan<T, A, B, C, D>;                                                                                \
    template <class T, class Tile, size_t A = dynamic_extent> using prefix##tiled_span_1d = tiled_mdspan<T, Tile, A>;             \
    template <class T, class Tile, size_t A = dynamic_extent> using prefix##tiled_span = tiled_mdspan<T, Tile, A>;                \
    template <class T, class Tile, size_t A = dynamic_extent, size_t B = dynamic_extent>                                          \
    using prefix##tiled_span_2d = tiled_mdspan<T, Tile, A, B>;                                                                    \
    template <class T, class Tile, size_t A = dynamic_extent, size_t B = dynamic_extent, size_t C = dynamic_extent>               \
    using prefix##tiled_span_3d = tiled_mdspan<T, Tile, A, B, C>;                                                                 \
    template <class T, class Tile, size_t A = dynamic_extent, size_t B = dynamic_extent, size_t C = dynamic_extent,               \
              size_t D = dynamic_extent>                                                                                          \
    using prefix##tiled_span_4d = tiled_mdspan<T, Tile, A, B, C, D>;
NPU_SPANS()
NPU_SPANS(restrict_)
#undef NPU_SPANS
template <class T, size_t... E> using restrict_mdspan = mdspan<T, E...>;
template <class T, class Tile, size_t... E> using restrict_tiled_mdspan = tiled_mdspan<T, Tile, E...>;
} // namespace aie
