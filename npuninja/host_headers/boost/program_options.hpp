// For programs that include Boost's program_options and read their options by something else, where Boost is not
// installed. It declares nothing but the namespace: a program that uses Boost does not compile, and the build says what
// to install. This folder is the last one that is searched, so Boost itself comes first.
#ifndef NPUNINJA_BOOST_PROGRAM_OPTIONS
#define NPUNINJA_BOOST_PROGRAM_OPTIONS

namespace boost {
namespace program_options {}
}  // namespace boost

#endif
