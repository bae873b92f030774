# `cmake --install`: the program, and for C++ users a relocatable tree with the client libraries, their public headers and a
# CMake package: find_package(tidemill) gives tidemill::producer and tidemill::consumer. The package is written by hand: an
# exported target would force this project's own compiler flags (C++23, -Werror, lld) on its users.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

if(TARGET tidemill)
    install(TARGETS tidemill RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT program)
endif()

install(TARGETS tidemill_engine_base tidemill_proto tidemill_producer tidemill_consumer
    ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT client)
install(FILES producer/outcome.h producer/producer.h producer/admin_client.h
    DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/tidemill/producer COMPONENT client)
install(FILES consumer/consumer.h consumer/worker.h
    DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/tidemill/consumer COMPONENT client)

set(TIDEMILL_CLIENT_LINK_OPTIONS "")
if(TIDEMILL_SANITIZE)
    string(REPLACE "fuzzer-no-link," "" TIDEMILL_CLIENT_LINK_OPTIONS "-fsanitize=${TIDEMILL_SANITIZE}")
endif()
configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/tidemillConfig.cmake.in
    ${PROJECT_BINARY_DIR}/tidemillConfig.cmake
    INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/tidemill
    PATH_VARS CMAKE_INSTALL_INCLUDEDIR CMAKE_INSTALL_LIBDIR)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/tidemillConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/tidemillConfig.cmake ${PROJECT_BINARY_DIR}/tidemillConfigVersion.cmake
    DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/tidemill COMPONENT client)
