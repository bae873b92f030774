# Flags for all of our own code. Warnings are errors; sanitizers come from the presets.
add_library(tidemill_options INTERFACE)
target_compile_features(tidemill_options INTERFACE cxx_std_23)
target_include_directories(tidemill_options INTERFACE
    $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}> $<BUILD_INTERFACE:${PROJECT_BINARY_DIR}/generated>)
target_compile_options(tidemill_options INTERFACE
    -Wall -Wextra -Wshadow -Wconversion -Wnon-virtual-dtor -Woverloaded-virtual -Wimplicit-fallthrough
    -Werror -fno-omit-frame-pointer -fcolor-diagnostics)
# Every x86 server since 2010 has these; simdjson's on-demand parser takes its fast code only when they are given at compile
# time (docs/decisions/0003-x86-64-v2.md). Wider instructions are chosen at run time where they pay.
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
    target_compile_options(tidemill_options INTERFACE -march=x86-64-v2 -mpclmul)
endif()
# One setting for the whole program: Asio's headers must agree in every file.
target_compile_definitions(tidemill_options INTERFACE
    BOOST_ASIO_NO_DEPRECATED BOOST_ASIO_DISABLE_VISIBILITY BOOST_ASIO_RECYCLING_ALLOCATOR_CACHE_SIZE=16
    BOOST_ERROR_CODE_HEADER_ONLY SPDLOG_FMT_EXTERNAL SPDLOG_COMPILED_LIB)
target_link_options(tidemill_options INTERFACE -fuse-ld=lld-19)
if(CMAKE_BUILD_TYPE STREQUAL "Debug")
    target_compile_options(tidemill_options INTERFACE -O1)
    target_compile_definitions(tidemill_options INTERFACE _GLIBCXX_ASSERTIONS)
else()
    target_compile_options(tidemill_options INTERFACE -gline-tables-only)
endif()
if(TIDEMILL_SANITIZE)
    target_compile_options(tidemill_options INTERFACE -fsanitize=${TIDEMILL_SANITIZE} -fno-sanitize-recover=all)
    target_compile_definitions(tidemill_options INTERFACE _GLIBCXX_ASSERTIONS TIDEMILL_SANITIZED)
    string(REPLACE "fuzzer-no-link," "" link_sanitizers "${TIDEMILL_SANITIZE}")
    target_link_options(tidemill_options INTERFACE -fsanitize=${link_sanitizers})
endif()
