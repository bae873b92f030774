# With TIDEMILL_PRECOMPILED=ON the headers that nearly every file includes are parsed once for each of four kinds of files,
# and tests are not optimised; a build from nothing takes a third less time (`./run` asks for it). Off by default: without it every file says what it
# needs, and checkouts that share a compiler cache share its entries.
option(TIDEMILL_PRECOMPILED "parse common headers once" OFF)

set(tidemill_common_headers <algorithm> <array> <atomic> <bit> <charconv> <chrono> <cmath> <compare> <concepts> <cstdint>
    <cstring> <deque> <expected> <functional> <limits> <map> <memory> <mutex> <numeric> <optional> <ranges> <set> <span> <string>
    <string_view> <thread> <unordered_map> <utility> <variant> <vector> <fmt/format.h>)

# tidemill_precompiled_kind(NAME HEADERS header... [LINK library...] [OPTIONS option...])
function(tidemill_precompiled_kind name)
    cmake_parse_arguments(ARG "" "" "HEADERS;LINK;OPTIONS" ${ARGN})
    set(source ${PROJECT_BINARY_DIR}/generated/precompiled_${name}.cpp)
    file(CONFIGURE OUTPUT ${source} CONTENT "// Has only the headers.\n")
    add_library(tidemill_precompiled_${name} OBJECT ${source})
    target_link_libraries(tidemill_precompiled_${name} PRIVATE tidemill_options ${ARG_LINK})
    target_compile_options(tidemill_precompiled_${name} PRIVATE ${ARG_OPTIONS})
    target_precompile_headers(tidemill_precompiled_${name} PRIVATE ${tidemill_common_headers} ${ARG_HEADERS})
endfunction()

if(TIDEMILL_PRECOMPILED)
    # The checks of tests need no optimiser; what they test has one. (Simulations work through tests/sim and keep it.)
    if(CMAKE_BUILD_TYPE STREQUAL "Release")
        set(TIDEMILL_TEST_OPTIONS -O0)
    endif()
    # Some libraries ask for it; all files that share headers have to agree.
    target_compile_options(tidemill_options INTERFACE -pthread)
    tidemill_precompiled_kind(plain LINK fmt::fmt)
    tidemill_precompiled_kind(engine HEADERS <boost/asio.hpp> LINK fmt::fmt tidemill_boost)
    tidemill_precompiled_kind(console HEADERS <boost/asio.hpp> <CLI/CLI.hpp> LINK fmt::fmt tidemill_boost CLI11::CLI11)
    tidemill_precompiled_kind(test HEADERS <boost/asio.hpp> <doctest/doctest.h> LINK fmt::fmt tidemill_boost doctest::doctest
        OPTIONS ${TIDEMILL_TEST_OPTIONS})
endif()

# tidemill_precompile(TARGET KIND)
function(tidemill_precompile target kind)
    if(TIDEMILL_PRECOMPILED)
        target_precompile_headers(${target} REUSE_FROM tidemill_precompiled_${kind})
    endif()
endfunction()
