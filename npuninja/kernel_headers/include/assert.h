/* assert: a failed one is a trap, which a run reports with its place. As with Peano's recipes, NDEBUG is the default for kernels,
 * so write #undef NDEBUG to have it checked. */
#undef assert
#ifdef NDEBUG
#define assert(condition) ((void)0)
#else
#define assert(condition) ((condition) ? (void)0 : __builtin_trap())
#endif
#if !defined __cplusplus && !defined static_assert
#define static_assert _Static_assert
#endif
