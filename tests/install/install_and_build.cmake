# Called by the test install_consumer_project; each step's failure is the test's.
function(step)
    execute_process(COMMAND ${ARGV} RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE output)
    if(NOT result EQUAL 0)
        message(FATAL_ERROR "failed: ${ARGV}\n${output}")
    endif()
endfunction()

file(REMOVE_RECURSE ${AT})
step(${CMAKE_COMMAND} --install ${BUILD} --component client --prefix ${AT}/before)
file(RENAME ${AT}/before ${AT}/tree)
foreach(header producer/producer.h producer/admin_client.h producer/outcome.h consumer/consumer.h consumer/worker.h)
    if(NOT EXISTS ${AT}/tree/include/tidemill/${header})
        message(FATAL_ERROR "${header} was not installed")
    endif()
endforeach()

# The system's own compiler where there is one: users need neither Clang 19 nor C++23.
find_program(compiler NAMES g++ clang++-19 clang++ REQUIRED)
step(${CMAKE_COMMAND} -G ${GENERATOR} -S ${SOURCE}/project -B ${AT}/build -D CMAKE_PREFIX_PATH=${AT}/tree
    -D CMAKE_CXX_COMPILER=${compiler})
step(${CMAKE_COMMAND} --build ${AT}/build)
step(${AT}/build/uses_tidemill)
message(STATUS "a project of its own builds with ${compiler} and runs")
